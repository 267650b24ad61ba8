"""The synthetic study as the nine plain tables: the rules that make SDTM records of them, read backwards."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import pandas as pd

from interim.data import spec

# Columns that tell the rows of a table apart where several records describe one row.
_KEYS = {
    "subjects": ["subject"],
    "responses": ["subject", "date", "evaluator", "criteria", "visit", "visit_no"],
}
_IN_LABS = {"kind": ["cytokine"]}
Frames = Mapping[str, pd.DataFrame]


def plain_tables(domains: Frames) -> dict[str, pd.DataFrame]:
    """Return the nine plain tables of a study.

    Parameters
    ----------
    domains : mapping of str to pandas.DataFrame
        SDTM domains of the synthetic study.

    Returns
    -------
    dict of str to pandas.DataFrame
        Every table with every column, text with None for missing; rows in the order of the records. What the tables have no
        column for (vital signs, visits, flow cytometry ...) is left out.

    Raises
    ------
    None
    """
    label = dict(zip(domains["DM"]["USUBJID"], domains["DM"]["SUBJID"], strict=True))
    found = {}
    for name, table in spec.plain_tables().items():
        parts = [_part(rule, domains, label) for rule in table["record"] if rule.get("only") != _IN_LABS]
        whole = _joined(parts, _KEYS[name]) if name in _KEYS else pd.concat(parts).sort_index(kind="stable")
        columns = [variable.name for variable, _ in spec.plain_columns(name)]
        frame = whole.reindex(columns=columns).reset_index(drop=True).astype(object)
        found[name] = frame.where(frame.notna(), None)
    return found


def _part(rule: Mapping[str, Any], domains: Frames, label: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of one rule; index = order of the records."""
    domain = rule["domain"]
    records = domains.get(domain, pd.DataFrame({"USUBJID": []}))
    records = records[_meant(records, rule)]
    columns: dict[str, pd.Series] = {"subject": records["USUBJID"].map(label)}
    for variable, column in rule.get("set", {}).items():
        if variable in records and column not in columns:
            columns[column] = records[variable]
    for variable, (column, codes) in rule.get("codes", {}).items():
        if column not in columns:
            back = {text: code for code, text in reversed(codes.items())}
            columns[column] = (
                _paired(records, rule, column) if column == "kind" else records[variable].map(back)
            )
    for variable, (prefix, column) in rule.get("prefixed", {}).items():
        columns[column] = records[variable].str.removeprefix(prefix).str.strip()
    words = {text: word for word, text in spec.plain_words().items()}
    columns |= {c: records[v].map(words) for v, c in rule.get("words", {}).items()}
    columns |= {
        c: pd.Series(values[0], index=records.index)
        for c, values in rule.get("only", {}).items()
        if c not in columns
    }
    columns |= {c: _qualifier(domains, domain, records, q) for q, c in rule.get("supp", {}).items()}
    if "nodal" in rule.get("except", {}):
        columns["nodal"] = pd.Series("N", index=records.index)
    if domain == "EX":
        columns["infusion_no"] = (records.groupby(["USUBJID", "EXTRT"]).cumcount() + 1).astype(float)
    frame = pd.DataFrame(columns)
    return frame.drop_duplicates("subject", keep="last") if domain == "SS" else frame


def _meant(records: pd.DataFrame, rule: Mapping[str, Any]) -> pd.Series:
    """Return the records that a rule would have made."""
    keep = pd.Series(True, index=records.index)
    for variable, text in rule.get("constant", {}).items():
        if variable in records and variable not in ("TRTESTCD", "DSTERM", "TRREASND", "TRORRESU", "TRSTRESU"):
            keep &= records[variable] == text
    if "TRTESTCD" in rule.get("constant", {}):
        keep &= _measured(records, rule)
    for variable, (_, codes) in rule.get("codes", {}).items():
        keep &= records[variable].isin(list(codes.values())) | (
            records[variable].isna() & variable.endswith("SCAT")
        )
    for variable, (prefix, _) in rule.get("prefixed", {}).items():
        keep &= records[variable].fillna("").str.startswith(prefix)
    if "empty" in rule and "DSDECOD" in records:
        keep &= records["DSDECOD"] != "DEATH"
    if "except" in rule and "TULOC" in records:
        keep &= ~records["TULOC"].fillna("").str.startswith("LYMPH NODE")
    return keep


def _measured(records: pd.DataFrame, rule: Mapping[str, Any]) -> pd.Series:
    """Tell which measurements a rule makes: long axis, short axis, state, or not evaluable whatever was planned."""
    test: str = rule["constant"]["TRTESTCD"]
    done: pd.Series = records["TRSTAT"].isna()
    if "TRSTAT" in rule["constant"]:
        return ~done
    return done & (records["TRTESTCD"] == test)


def _paired(records: pd.DataFrame, rule: Mapping[str, Any], column: str) -> pd.Series:
    """Return the code that gives both category and subcategory."""
    rules = {variable: codes for variable, (name, codes) in rule["codes"].items() if name == column}
    known: dict[tuple[str | None, ...], str] = {}
    for code in next(iter(rules.values())):
        known.setdefault(tuple(codes.get(code) for codes in rules.values()), code)
    held = [tuple(None if v is None or v != v else v for v in row) for row in records[list(rules)].to_numpy()]
    return pd.Series([known.get(key) for key in held], index=records.index, dtype=object)


def _qualifier(domains: Frames, domain: str, records: pd.DataFrame, name: str) -> pd.Series:
    supp = domains.get(f"SUPP{domain}")
    if supp is None:
        return pd.Series(None, index=records.index, dtype=object)
    mine = supp[supp["QNAM"] == name]
    if domain == "DM":
        return records["USUBJID"].map(dict(zip(mine["USUBJID"], mine["QVAL"], strict=True)))
    keys = zip(mine["USUBJID"], mine["IDVARVAL"].astype(float), strict=True)
    known = dict(zip(keys, mine["QVAL"], strict=True))
    places = zip(records["USUBJID"], records[f"{domain}SEQ"].astype(float), strict=True)
    return pd.Series([known.get(place) for place in places], index=records.index, dtype=object)


def _joined(parts: list[pd.DataFrame], keys: list[str]) -> pd.DataFrame:
    """Return one row per key with the columns of all parts, the first value that is there."""
    indexed = [part.drop_duplicates(keys).set_index(keys) for part in parts]
    order = pd.concat([part[keys] for part in parts]).drop_duplicates().set_index(keys).index
    merged = reduce(lambda one, two: one.combine_first(two), indexed)
    return merged.reindex(order).reset_index()
