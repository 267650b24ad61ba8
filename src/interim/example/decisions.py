"""DECISIONS: what the dose committee of a synthetic study decided, one row per decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from interim.example.case import Case, Row
from interim.example.settings import codes

_COLUMNS = ("date", "kind", "level", "type", "n", "role", "name", "rationale", "references")


def decisions(cases: Sequence[Case], chosen: Mapping[str, Any]) -> list[Row]:
    """Write DECISIONS.

    Parameters
    ----------
    cases : sequence of Case
        All participants, in the order of consent.
    chosen : mapping
        The preset: its cut-off and the decision that ended the dose escalation.

    Returns
    -------
    list of dict
        One row per cohort that was opened, dated with the consent of its first participant, and the decision that ended
        the dose escalation.

    Raises
    ------
    None
    """
    cohorts: list[list[Case]] = []
    for case in cases:
        if case.person.level is not None:
            if case.person.slot.after or not cohorts:
                cohorts.append([])
            cohorts[-1].append(case)
    rows = [_opened(number, cohort) for number, cohort in enumerate(cohorts, start=1)]
    end = chosen["end"]
    day = date.fromisoformat(chosen["cut"]) - timedelta(days=end["days_before_cut"])
    rows.append(_row(day.isoformat(), end["kind"], end["level"], f"minute {len(rows) + 1}"))
    return rows


def _opened(number: int, cohort: Sequence[Case]) -> Row:
    first = cohort[0].person
    return _row(first.on(first.consent), "dose", first.slot.arm, f"minute {number}") | {"n": len(cohort)}


def _row(day: str, kind: str, level: str, minute: str) -> Row:
    words = codes("decision")[kind]
    values = {"date": day, "kind": kind, "level": level, **words}
    values["references"] = "; ".join(filter(None, (minute, words.get("references"))))
    return {name: values.get(name) for name in _COLUMNS}
