"""Plain tables become SDTM records, by the rules that stand beside the specification."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from interim.data import spec
from interim.data.model import ORIGIN
from interim.data.records import value_text

Frames = Mapping[str, pd.DataFrame]
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_SUBJECT, _LESION = "subject", "lesion"
_PLACE = "_PLACE"


def sdtm_records(tables: Frames, study_id: str) -> dict[str, pd.DataFrame]:
    """Make SDTM records of plain tables.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Typed plain tables by name, with the origin columns.
    study_id : str
        STUDYID; USUBJID is STUDYID, a hyphen and the participant.

    Returns
    -------
    dict of str to pandas.DataFrame
        Domain -> its records with sequence numbers by participant, each with the origin of its row; SUPP-- beside them.

    Raises
    ------
    None

    Notes
    -----
    A variable whose column was not delivered is absent; a row without a participant is kept without USUBJID. Records of a
    participant are numbered in the order of the tables and rows.
    """
    made: dict[str, list[pd.DataFrame]] = {}
    asked: dict[str, list[tuple[pd.DataFrame, dict[str, str]]]] = {}
    for name, rules in spec.plain_tables().items():
        if name not in tables:
            continue
        table = tables[name].reset_index(drop=True)
        for place, rule in enumerate(rules["record"]):
            rows = table[_chosen(table, rule)]
            if rows.empty and len(table):
                continue
            records = _records(rows, rule, tables.get("lesions")).assign(**{_PLACE: rows.index + place / 100})
            made.setdefault(rule["domain"], []).append(records)
            asked.setdefault(rule["domain"], []).append((rows, rule.get("supp", {})))
    found: dict[str, pd.DataFrame] = {}
    for domain, parts in made.items():
        numbered = _numbered(domain, parts, study_id)
        found[domain] = pd.concat(numbered, ignore_index=True).drop(columns=_PLACE)
        extra = [_qualifiers(domain, frame, *ask) for frame, ask in zip(numbered, asked[domain], strict=True)]
        if kept := [part for part in extra if len(part)]:
            found[f"SUPP{domain}"] = pd.concat(kept, ignore_index=True)
    return {domain: _tidy(frame) for domain, frame in sorted(found.items())}


def _chosen(table: pd.DataFrame, rule: Mapping[str, Any]) -> pd.Series:
    """Return the rows of which a rule makes a record."""
    keep = pd.Series(True, index=table.index)
    for name in rule.get("filled", ()):
        keep &= _cells(table, name).notna()
    for name in rule.get("empty", ()):
        keep &= _cells(table, name).isna()
    for name, values in rule.get("only", {}).items():
        keep &= _cells(table, name).isin(values)
    for name, values in rule.get("except", {}).items():
        keep &= ~_cells(table, name).isin(values)
    return keep


def _cells(table: pd.DataFrame, name: str) -> pd.Series:
    return table[name] if name in table else pd.Series(None, index=table.index, dtype=object)


def _records(rows: pd.DataFrame, rule: Mapping[str, Any], lesions: pd.DataFrame | None) -> pd.DataFrame:
    """Return the variables of one rule, in the order of the rows."""
    columns: dict[str, pd.Series] = {"_SUBJECT": _cells(rows, _SUBJECT).map(_text)}
    columns |= {v: rows[name].astype(object) for v, name in rule.get("set", {}).items() if name in rows}
    columns |= {
        v: pd.Series(text, index=rows.index, dtype=object) for v, text in rule.get("constant", {}).items()
    }
    for v, name in rule.get("fallback", {}).items():
        if name in rows:
            columns[v] = columns[v].fillna(rows[name]) if v in columns else rows[name]
    for v, text in rule.get("default", {}).items():
        columns[v] = (
            columns[v].fillna(text) if v in columns else pd.Series(text, index=rows.index, dtype=object)
        )
    columns |= {
        v: _cells(rows, name).notna().map({True: "Y", False: None})
        for v, name in rule.get("flag", {}).items()
    }
    columns |= {v: rows[name].map(_number) for v, name in rule.get("number", {}).items() if name in rows}
    columns |= {v: _cells(rows, name).map(_words) for v, name in rule.get("words", {}).items()}
    columns |= {v: _coded(_cells(rows, name), codes) for v, (name, codes) in rule.get("codes", {}).items()}
    columns |= {
        v: text + rows[name].map(lambda o: f" {o}" if o else "")
        for v, (text, name) in rule.get("prefixed", {}).items()
    }
    columns |= {
        v: _coded(_looked_up(rows, lesions, name), codes)
        for v, (name, codes) in rule.get("lookup", {}).items()
    }
    return pd.DataFrame({**columns, **{name: rows[name] for name in ORIGIN}}, index=rows.index)


def _text(value: object) -> str | None:
    return value_text(value) or None


def _number(value: object) -> float:
    text = value_text(value)
    return float(text) if _NUMBER.fullmatch(text) else np.nan


def _words(value: object) -> str | None:
    text = value_text(value)
    for word, meaning in spec.plain_words().items():
        if text == word or (word.endswith(":") and text.startswith(word)):
            return meaning + text[len(word) :].strip()
    return text or None


def _coded(values: pd.Series, codes: Mapping[str, str]) -> pd.Series:
    """Return the text of each code; a value that is none stays as it is and is found by the checks."""
    known = values.map(codes)
    unknown = ~values.isin(list(codes))
    return known.where(~unknown, values).astype(object)


def _looked_up(rows: pd.DataFrame, lesions: pd.DataFrame | None, name: str) -> pd.Series:
    """Return a column of the table of lesions for the lesion of each row."""
    if lesions is None or not {_SUBJECT, _LESION, name} <= set(lesions.columns) or _LESION not in rows:
        return pd.Series(None, index=rows.index, dtype=object)
    known = lesions.drop_duplicates([_SUBJECT, _LESION]).set_index([_SUBJECT, _LESION])[name].to_dict()
    found = [known.get(key) for key in zip(rows[_SUBJECT], rows[_LESION], strict=True)]
    return pd.Series(found, index=rows.index, dtype=object)


def _numbered(domain: str, parts: list[pd.DataFrame], study_id: str) -> list[pd.DataFrame]:
    """Give every record its identifiers: numbered by participant, in the order of tables, rows and rules."""
    whole = pd.concat(
        [part.assign(_PART=n).astype(object) for n, part in enumerate(parts)], ignore_index=True
    )
    ordered = whole.sort_values(_PLACE, kind="stable")
    who = ordered["_SUBJECT"]
    numbers = (ordered.groupby(who, dropna=False).cumcount() + 1).astype(float)
    name = who.map(lambda subject: f"{study_id}-{subject}", na_action="ignore")
    ids: dict[str, Any] = {"STUDYID": study_id, "DOMAIN": domain, "USUBJID": name.astype(object)}
    if domain != "DM":
        ids[f"{domain}SEQ"] = numbers
    whole = whole.assign(**ids)
    return [whole[whole["_PART"] == n].drop(columns=["_PART", "_SUBJECT"]) for n in range(len(parts))]


def _qualifiers(
    domain: str, records: pd.DataFrame, rows: pd.DataFrame, supp: Mapping[str, str]
) -> pd.DataFrame:
    """Return the supplemental records of one rule."""
    parts = []
    for qualifier, name in supp.items():
        values = _cells(rows, name).map(_text).to_numpy()
        there = records[pd.notna(values)]
        frame = there[["STUDYID", "USUBJID", *ORIGIN]].assign(RDOMAIN=domain, IDVAR=None, IDVARVAL=None)
        if domain != "DM":
            frame = frame.assign(IDVAR=f"{domain}SEQ", IDVARVAL=there[f"{domain}SEQ"].map(value_text))
        parts.append(frame.assign(QNAM=qualifier, QVAL=values[pd.notna(values)], QORIG="CRF"))
    kept = [part for part in parts if len(part)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame()


def _tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Return plain columns: numbers float64 with NaN, text object with None."""
    columns: dict[str, np.ndarray] = {}
    for name in frame.columns:
        values = frame[name]
        numeric = values.map(lambda v: isinstance(v, (int, float)) and v == v).where(values.notna(), True)
        if name in ORIGIN or (values.notna().any() and bool(numeric.all())):
            columns[name] = values.to_numpy() if name in ORIGIN else values.astype(float).to_numpy()
        else:
            columns[name] = (
                values.map(_text).astype(object).where(values.notna(), None).to_numpy(dtype=object)
            )
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))
