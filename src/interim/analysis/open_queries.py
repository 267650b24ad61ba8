"""Open queries: what each can move, by deriving the data again with the worst answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import pandas as pd

from interim.adam.build import build_adam
from interim.adam.model import Adam
from interim.analysis.listing import add_records
from interim.analysis.source_quality import settings
from interim.data.check.run import RULES
from interim.data.check.vocabulary import words
from interim.data.model import Sdtm
from interim.data.records import value_text
from interim.errors import InterimError
from interim.result import Result, Rows
from interim.study import Study

_NAMES = [
    "USUBJID",
    "domain",
    "key",
    "field",
    "question",
    "opened",
    "tables",
    "outcome",
    "table",
    "number",
    "recorded",
    "worst",
]
Numbers = dict[tuple[str, str], float]


def open_queries(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List the open queries with the tables that they touch and the effect of the worst answer on the primary tables.

    Parameters
    ----------
    adam : Adam
        Analysis datasets as recorded.
    study : Study
        Parameters.
    sdtm : Sdtm
        QUERY, and the records that are asked about.

    Returns
    -------
    Result
        ``open_queries.open_queries``; a record per open query and number that its worst answer moves: domain, key, field,
        question, opened, tables, outcome (code: MOVES, STAYS, UNREAD, NO-RULE, NO-RECORD, FAILS), table, number, recorded, worst.

    Raises
    ------
    None

    Notes
    -----
    The worst answer by field stands in ``source_quality.toml``. Each query is answered alone; nothing of the report but this
    table uses the changed data. Without such a query nothing is derived again.
    """
    rows = Rows(
        "open_queries.open_queries",
        "Open queries and potential effect",
        population="All records",
        group_var="",
    )
    again = _Again(sdtm, study)
    lines = [line for query in _open(sdtm) for line in _lines(query, again)]
    frame = pd.DataFrame(lines, columns=_NAMES)
    frame[["recorded", "worst"]] = frame[["recorded", "worst"]].astype("float64")
    add_records(rows, frame)
    return rows.build()


def _open(sdtm: Sdtm) -> list[dict[str, str]]:
    frame, sets = sdtm.domain("QUERY"), words("terms")["query"]
    status = next((name for name in sets["status"] if name in frame), None)
    if status is None or frame.empty:
        return []
    still = ~frame[status].isin(sets["closed"])
    return [{str(k): value_text(v) for k, v in row.items()} for row in frame[still].to_dict("records")]


class _Again:
    """The primary numbers as recorded and with other data; derived only when they are asked for."""

    def __init__(self, sdtm: Sdtm, study: Study) -> None:
        read = settings()["read"]
        kept = {name: frame for name, frame in sdtm.domains.items() if name.removeprefix("SUPP") in read}
        self.sdtm = replace(sdtm, domains=kept)
        self._study = study.model_copy(update={"data": study.data.model_copy(update={"on_stop": "draft"})})
        self._recorded: Numbers | None = None

    @property
    def recorded(self) -> Numbers:
        """The primary numbers as recorded."""
        if self._recorded is None:
            self._recorded = self.numbers({})
        return self._recorded

    def numbers(self, changed: Mapping[str, pd.DataFrame]) -> Numbers:
        """Return the primary numbers with some domains replaced."""
        data = replace(self.sdtm, domains={**self.sdtm.domains, **changed})
        adam = build_adam(data, self._study)
        return dict(_primary(adam, self._study))


def _primary(adam: Adam, study: Study) -> Iterator[tuple[tuple[str, str], float]]:
    for entry in settings()["primary"]:
        module, _, name = entry["question"].partition(".")
        ask: Callable[[Adam, Study], Result] = getattr(import_module(f"interim.analysis.{module}"), name)
        frame = ask(adam, study).frame.set_index("result_id")
        for place, label in entry["numbers"]:
            key = f"{entry['question']}/{place}"
            count = frame["n"].get(key)
            yield (entry["table"], label), float("nan") if count is None or pd.isna(count) else float(count)


def _lines(query: Mapping[str, str], again: _Again) -> Iterator[dict[str, Any]]:
    domain, field = query.get("QDOMAIN", ""), query.get("QFIELD", "")
    line: dict[str, Any] = {
        "USUBJID": query.get("USUBJID", ""),
        "domain": domain,
        "key": query.get("QKEY", ""),
        "field": field,
        "question": query.get("QTEXT", ""),
        "opened": query.get("QSTDTC", ""),
        "tables": ", ".join(touched(domain, field)),
        "table": "",
        "number": "",
        "recorded": float("nan"),
        "worst": float("nan"),
    }
    outcome, moved = _effect(query, again)
    yield from ({**line, "outcome": outcome, **numbers} for numbers in moved or [{}])


def touched(domain: str, field: str) -> tuple[str, ...]:
    """Return the tables that a field can move.

    Parameters
    ----------
    domain, field : str
        Variable of the source data.

    Returns
    -------
    tuple of str
        Those that the checks of the field name, sorted; if no check reads the field, those of the checks of its domain.

    Raises
    ------
    None
    """
    own = {t for rule in RULES if field in rule.needs.get(domain, ()) for t in rule.effect}
    all_of = {t for rule in RULES if domain in rule.needs for t in rule.effect}
    return tuple(sorted(own or all_of, key=lambda name: [int(part) for part in re.findall(r"\d+", name)]))


def _effect(query: Mapping[str, str], again: _Again) -> tuple[str, list[dict[str, Any]]]:
    """Return what the worst answer does: a code, and the numbers that move."""
    domain, field = query.get("QDOMAIN", ""), query.get("QFIELD", "")
    primary = words("terms")["query"]["primary"]
    if field not in primary.get(domain, ()):
        return "UNREAD", []
    worst = settings()["worst"].get(domain, {}).get(field)
    if worst is None:
        return "NO-RULE", []
    changed = _answered(again.sdtm, query, worst)
    if not changed:
        return "NO-RECORD", []
    try:
        then, now = again.recorded, again.numbers(changed)
    except InterimError:
        return "FAILS", []
    moved = [
        {"table": table, "number": label, "recorded": then[table, label], "worst": now[table, label]}
        for table, label in then
        if then[table, label] != now[table, label]
        and not (pd.isna(then[table, label]) and pd.isna(now[table, label]))
    ]
    return ("MOVES" if moved else "STAYS"), moved


def _answered(sdtm: Sdtm, query: Mapping[str, str], worst: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Return the domains in which the worst answer stands; empty if the record is not there."""
    domain, subject = query.get("QDOMAIN", ""), query.get("USUBJID", "")
    number = re.search(r"(\d+)\s*$", query.get("QKEY", ""))
    frame, seq = sdtm.domain(domain), f"{domain}SEQ"
    if number is None or seq not in frame:
        return {}
    mine = (frame["USUBJID"] == subject) & (pd.to_numeric(frame[seq], errors="coerce") == float(number[1]))
    if not mine.any():
        return {}
    found = {domain: frame.assign(**{n: _with(frame[n], mine, v) for n, v in worst.items() if n in frame})}
    outside = {n: v for n, v in worst.items() if n not in frame}
    if outside and f"SUPP{domain}" in sdtm.domains:
        found[f"SUPP{domain}"] = _qualified(
            sdtm.domains[f"SUPP{domain}"], domain, subject, number[1], outside
        )
    return found


def _with(column: pd.Series, where: pd.Series, value: str) -> pd.Series:
    if column.dtype == object:
        return column.mask(where, value or None)
    return column.mask(where, float(value) if value else float("nan"))


def _qualified(
    supp: pd.DataFrame, domain: str, subject: str, number: str, values: Mapping[str, str]
) -> pd.DataFrame:
    """Return the supplemental records with other qualifiers of one parent record."""
    mine = (
        (supp["USUBJID"] == subject)
        & (supp["IDVARVAL"].astype(str) == number)
        & supp["QNAM"].isin(list(values))
    )
    new = [
        {
            "USUBJID": subject,
            "RDOMAIN": domain,
            "IDVAR": f"{domain}SEQ",
            "IDVARVAL": number,
            "QNAM": n,
            "QVAL": v,
        }
        for n, v in values.items()
    ]
    added = pd.DataFrame(new, dtype=object).reindex(columns=supp.columns)
    joined = pd.concat([supp[~mine].astype(object), added.astype(object)], ignore_index=True)
    return joined.where(joined.notna(), None)
