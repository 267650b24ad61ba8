"""Reference pack of the safety rules: treatment emergence of adverse events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from interim.adam.adae_emergence import EmergenceRule, emergence
from interim.report.packs.base import Case, Given, Pack

_RULES = {
    f"teae_{window}{worsening}": EmergenceRule(days, False, False, bool(worsening))
    for window, days in (("no_window", None), ("window28", 28))
    for worsening in ("", "_worsening")
}
_DATES = {"START": "ae_start", "END": "ae_end", "T0": "trt_start", "T1": "trt_end"}
_UNKNOWN = ("STARTM", "ENDM", "T0M", "NACT")
_GRADES = {"GRADE": "grade", "GRADE0": "grade_at_treatment_start"}


def _split(rows: Any) -> Iterator[Case]:
    """Return all events as one case: they are decided together, as the events of a study are."""
    given = {row["id"]: {name: value for name, value in row.items() if name not in _RULES} for row in rows}
    expected = {row["id"]: {name: row[name] for name in _RULES} for row in rows}
    yield Case("events", given, expected)


def _compute(given: Given) -> Mapping[str, Any]:
    rows = pd.DataFrame(list(given.values()), index=pd.Index(list(given), name="id"))
    events = pd.DataFrame({"SUBJECT": rows.index, "RELATED": "N", "EVENT": None}, index=rows.index)
    for name, key in _DATES.items():
        events[name] = pd.to_datetime(rows[key].replace("", None)).astype("datetime64[ns]")
    for name, key in _GRADES.items():
        events[name] = pd.to_numeric(rows[key].replace("", None)).astype("float64")
    for name in _UNKNOWN:
        events[name] = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[ns]")
    flags = pd.DataFrame({name: emergence(events, rule)["FLAG"] for name, rule in _RULES.items()})
    return {
        str(key): {str(name): flag for name, flag in row.items()}
        for key, row in flags.to_dict("index").items()
    }


SAFETY = (Pack("recist", "teae_random_admiral.csv", 0.0, _split, _compute),)
