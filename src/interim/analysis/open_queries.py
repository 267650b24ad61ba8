"""Open queries: what each can move, by deriving the data again with the worst answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import pandas as pd

from interim.adam.build import build_adam
from interim.adam.model import Adam
from interim.analysis.listing import add_records
from interim.analysis.relative_dates import before_cut, first_days, in_days
from interim.analysis.source_quality import settings
from interim.analysis.worst_answers import answered
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
_ORDER = ("USUBJID", "QDOMAIN", "QSTDTC", "QKEY", "QFIELD", "QTEXT")
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
    The worst answer by field stands in ``source_quality.toml``; of several the one that moves a number most. Each query is answered alone; nothing of the report but this
    table uses the changed data. The numbers count participants and what is derived for one rests on the own records, so only
    the participant asked about is derived again, as recorded and with the answer; if alone it does not come out as in the study,
    the study is derived again. Without such a query nothing is.
    """
    rows = Rows(
        "open_queries.open_queries",
        "Open queries and potential effect",
        population="All records",
        group_var="",
    )
    again = _Again(adam, sdtm, study)
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
    rows = [{str(k): value_text(v) for k, v in row.items()} for row in frame[still].to_dict("records")]
    return sorted(rows, key=lambda row: [row.get(name, "") for name in _ORDER])


class _Again:
    """The primary numbers as recorded, and with other data of one participant, who alone is derived again."""

    def __init__(self, adam: Adam, sdtm: Sdtm, study: Study) -> None:
        self.sdtm = sdtm
        self._adam = adam
        self._study = study.model_copy(
            update={"data": study.data.model_copy(update={"on_stop": "draft"}), "subgroups": ()}
        )
        self._known: dict[tuple[str, str], Numbers] = {}
        self._starts = first_days(adam)

    def told(self, query: Mapping[str, str], name: str) -> str:
        """A text of a query, with study days in place of dates."""
        return in_days(query.get(name, ""), self._starts.get(query.get("USUBJID", "")))

    def recorded(self, domain: str) -> Numbers:
        """The primary numbers that a query of a domain can move, as recorded."""
        return self._kept(("", domain), lambda: self._primary(self._adam, domain))

    def worst(self, domain: str, subject: str, changed: Mapping[str, pd.DataFrame]) -> Numbers:
        """Return these numbers with some domains replaced; each counts participants, so one is taken out and put in again.

        If the participant alone does not give what the study gives for this participant, the study is derived again.
        """
        share = self._kept((subject, domain), lambda: self._primary(self._part(subject), domain))
        alone = self._kept((f"{subject} alone", domain), lambda: self._derived(domain, {}, subject))
        if _counts(share) != _counts(alone):
            return self._derived(domain, changed)
        before, after = _counts(alone), _counts(self._derived(domain, changed, subject))
        whole = self.recorded(domain)
        return {
            name: whole.get(name, 0.0) - before.get(name, 0.0) + after.get(name, 0.0)
            for name in whole | after
        }

    def _part(self, subject: str) -> Adam:
        datasets = {name: _of(frame, subject) for name, frame in self._adam.datasets.items()}
        return replace(self._adam, datasets=datasets)

    def _kept(self, key: tuple[str, str], make: Callable[[], Numbers]) -> Numbers:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def _derived(
        self, domain: str, changed: Mapping[str, pd.DataFrame], subject: str | None = None
    ) -> Numbers:
        """Return the numbers derived again, of the study or of one participant."""
        read = {*settings()["read"], *settings()["more"].get(domain, ())}
        whole = {**self.sdtm.domains, **changed}
        kept = {n: frame for n, frame in whole.items() if n.removeprefix("SUPP") in read}
        if subject is not None:
            kept = {n: _of(frame, subject) for n, frame in kept.items()}
        needs = [entry["needs"] for entry in _entries(domain) if "needs" in entry]
        adam = build_adam(replace(self.sdtm, domains=kept), self._study, asked=needs)
        return self._primary(adam, domain)

    def _primary(self, adam: Adam, domain: str) -> Numbers:
        return dict(_primary(adam, self._study, domain))


def _of(frame: pd.DataFrame, subject: str) -> pd.DataFrame:
    if "USUBJID" not in frame:
        return frame
    return frame[(frame["USUBJID"] == subject).to_numpy(dtype=bool)].reset_index(drop=True)


def _counts(numbers: Numbers) -> Numbers:
    """Return numbers of which those that are not available count nobody."""
    return {name: 0.0 if pd.isna(count) else count for name, count in numbers.items()}


def _entries(domain: str) -> list[dict[str, Any]]:
    return [entry for entry in settings()["primary"] if domain in entry.get("of", [domain])]


def _primary(adam: Adam, study: Study, domain: str) -> Iterator[tuple[tuple[str, str], float]]:
    """Yield the numbers that a query of a domain can move; a question that two tables ask is asked once."""
    frames: dict[str, pd.DataFrame] = {}
    for entry in _entries(domain):
        name = entry["question"]
        if name not in frames:
            module, _, function = name.partition(".")
            ask: Callable[[Adam, Study], Result] = getattr(
                import_module(f"interim.analysis.{module}"), function
            )
            frames[name] = ask(adam, study).frame.set_index("result_id")
        for place, label in _places(entry, frames[name]):
            count = frames[name]["n"].get(f"{name}/{place}")
            yield (entry["table"], label), float("nan") if count is None or pd.isna(count) else float(count)


def _places(entry: Mapping[str, Any], frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield place and label of the numbers of an entry; with ``each`` those of every column of the table but the total."""
    yield from entry.get("numbers", ())
    for end, label in entry.get("each", ()):
        mine = frame[frame.index.str.endswith(f"/{end}")]
        for name, group in zip(mine.index, mine["group"], strict=True):
            place = str(name).split("/", 1)[1]
            if not place.startswith("total/"):
                yield place, label.format(group)


def _lines(query: Mapping[str, str], again: _Again) -> Iterator[dict[str, Any]]:
    domain, field = query.get("QDOMAIN", ""), query.get("QFIELD", "")
    line: dict[str, Any] = {
        "USUBJID": query.get("USUBJID", ""),
        "domain": domain,
        "key": again.told(query, "QKEY"),
        "field": field,
        "question": again.told(query, "QTEXT"),
        "opened": before_cut(query.get("QSTDTC", ""), pd.Timestamp(again.sdtm.cut)),
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
    made = [answered(again.sdtm, query, one) for one in (worst if isinstance(worst, list) else [worst])]
    answers = [changed for changed in made if changed]
    if not answers:
        return ("NO-RULE" if None in made else "NO-RECORD"), []
    try:
        then = again.recorded(domain)
        all_of = [again.worst(domain, query.get("USUBJID", ""), changed) for changed in answers]
    except InterimError:
        return "FAILS", []
    moved = [
        {"table": table, "number": label, "recorded": before, "worst": after}
        for (table, label), before, after in _furthest(then, all_of)
    ]
    return ("MOVES" if moved else "STAYS"), moved


def _furthest(then: Numbers, answers: Sequence[Numbers]) -> Iterator[tuple[tuple[str, str], float, float]]:
    """Yield the numbers that some answer moves, as recorded and with the answer that moves them most."""
    for name in dict.fromkeys([*then, *(name for numbers in answers for name in numbers)]):
        before = then.get(name, 0.0)
        found = [numbers.get(name, 0.0) for numbers in answers]
        moved = [value for value in found if value != before and not (pd.isna(value) and pd.isna(before))]
        if moved:
            yield (
                name,
                before,
                max(moved, key=lambda value: abs(value - (0.0 if pd.isna(before) else before))),
            )
