"""Grades by which laboratory values are compared with adverse events: every limit of CTCAE v5.0 from both sides."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from interim.data.check.context import Context
from interim.data.check.grades import graded_values
from interim.data.model import Sdtm

# test, unit, upper limit of normal, value, grade (0: no grade); CTCAE v5.0, NCI 2017
LIMITS = [
    ("ALT", "U/L", 50, 50, 0),
    ("ALT", "U/L", 50, 50.1, 1),
    ("ALT", "U/L", 50, 150, 1),
    ("ALT", "U/L", 50, 150.1, 2),
    ("ALT", "U/L", 50, 250, 2),
    ("ALT", "U/L", 50, 250.1, 3),
    ("ALT", "U/L", 50, 1000, 3),
    ("ALT", "U/L", 50, 1000.1, 4),
    ("AST", "U/L", 40, 120, 1),
    ("AST", "U/L", 40, 121, 2),
    ("AST", "U/L", 40, 201, 3),
    ("AST", "IU/L", 40, 801, 4),
    ("BILI", "umol/L", 20, 20, 0),
    ("BILI", "umol/L", 20, 30, 1),
    ("BILI", "umol/L", 20, 31, 2),
    ("BILI", "umol/L", 20, 60, 2),
    ("BILI", "umol/L", 20, 61, 3),
    ("BILI", "umol/L", 20, 200, 3),
    ("BILI", "umol/L", 20, 201, 4),
    ("BILI", "mg/dL", 1.2, 3.7, 3),
    ("CREAT", "umol/L", 100, 150, 1),
    ("CREAT", "umol/L", 100, 151, 2),
    ("CREAT", "umol/L", 100, 301, 3),
    ("CREAT", "umol/L", 100, 601, 4),
    ("NEUT", "10^9/L", 7, 1.5, 0),
    ("NEUT", "10^9/L", 7, 1.4, 2),
    ("NEUT", "10^9/L", 7, 1.0, 2),
    ("NEUT", "10^9/L", 7, 0.9, 3),
    ("NEUT", "10^9/L", 7, 0.4, 4),
    ("LYM", "10^9/L", 3, 0.8, 0),
    ("LYM", "10^9/L", 3, 0.7, 2),
    ("LYM", "10^9/L", 3, 0.4, 3),
    ("LYM", "10^9/L", 3, 0.1, 4),
    ("WBC", "10^9/L", 10, 3.0, 0),
    ("WBC", "10^9/L", 10, 2.9, 2),
    ("WBC", "10^9/L", 10, 1.9, 3),
    ("WBC", "10^9/L", 10, 0.9, 4),
    ("PLAT", "10^9/L", 350, 75, 0),
    ("PLAT", "10^9/L", 350, 74, 2),
    ("PLAT", "10^9/L", 350, 49, 3),
    ("PLAT", "10^9/L", 350, 24, 4),
    ("HGB", "g/L", 160, 100, 0),
    ("HGB", "g/L", 160, 99, 2),
    ("HGB", "g/L", 160, 79, 3),
    ("ALB", "g/L", 50, 30, 0),
    ("ALB", "g/L", 50, 29, 2),
    ("ALB", "g/L", 50, 19, 3),
    ("K", "mmol/L", 5, 3.0, 0),
    ("K", "mmol/L", 5, 2.9, 3),
    ("K", "mmol/L", 5, 2.4, 4),
]
# baseline and later value of ALT with a limit of 50: multiples of the baseline count where it is above its limit
BASELINES = [
    (49, 251, 3),
    (50, 251, 3),
    (100, 150, 0),
    (100, 151, 1),
    (100, 300, 1),
    (100, 301, 2),
    (100, 501, 3),
    (100, 2001, 4),
]


def record(test: str, unit: str, high: float, value: float, day: str) -> dict[str, object]:
    return {
        "USUBJID": "S1",
        "LBTESTCD": test,
        "LBSTRESN": value,
        "LBSTRESU": unit,
        "LBSTNRHI": high,
        "LBDTC": f"{day}T07:00+08:00",
    }


def graded(study, *rows: dict[str, object]) -> list[tuple[int, float]]:
    """Return place and grade of the values after a first dose on 10 January."""
    ex = {"USUBJID": ["S1"], "EXTRT": ["CAR-NK"], "EXSTDTC": ["2026-01-10T10:00+08:00"], "EXDOSE": [1e9]}
    frames = {"LB": pd.DataFrame(list(rows)), "EX": pd.DataFrame(ex)}
    table = graded_values(Context(Sdtm(frames, datetime(2026, 6, 30)), study))
    return [(int(row.PLACE), float(row.GRADE)) for row in table.itertuples()]


@pytest.mark.rule("CHECK-10", source="CTCAE v5.0, NCI 2017")
@pytest.mark.parametrize(("test", "unit", "high", "value", "grade"), LIMITS)
def test_limits(mini, test, unit, high, value, grade):
    assert graded(mini, record(test, unit, high, value, "2026-02-01")) == [(0, grade)]


@pytest.mark.rule("CHECK-10", source="CTCAE v5.0, NCI 2017")
@pytest.mark.parametrize(("before", "after", "grade"), BASELINES)
def test_an_abnormal_baseline_replaces_the_limit(mini, before, after, grade):
    rows = [record("ALT", "U/L", 50, before, "2026-01-05"), record("ALT", "U/L", 50, after, "2026-02-01")]
    assert graded(mini, *rows) == [(1, grade)]


@pytest.mark.rule("CHECK-10")
def test_the_last_value_before_the_dose_is_the_baseline(mini):
    rows = [
        record("ALT", "U/L", 50, 100, "2026-01-08"),
        record("ALT", "U/L", 50, 40, "2026-01-09"),
        record("ALT", "U/L", 50, 151, "2026-02-01"),
    ]
    assert graded(mini, *rows) == [(2, 2)]
    assert graded(mini, rows[1], rows[0] | {"LBDTC": "2026-01-10T09:00+08:00"}, rows[2]) == [(2, 1)]


@pytest.mark.rule("CHECK-10")
def test_what_cannot_be_graded_is_left_out(mini):
    good = record("ALT", "U/L", 50, 300, "2026-02-01")
    other = [
        good | {"LBSTRESU": "ukat/L"},
        good | {"LBSTRESN": None},
        good | {"LBDTC": "2026-01"},
        good | {"LBDTC": "2026-01-10T10:00+08:00", "LBSTRESN": 30},
        good | {"USUBJID": "S2"},
        good | {"LBTESTCD": "GGT"},
    ]
    assert graded(mini, *other, good) == [(6, 3)]


@pytest.mark.rule("CHECK-10")
def test_a_value_without_limit_has_no_grade_by_multiples(mini):
    assert graded(mini, record("ALT", "U/L", float("nan"), 5000, "2026-02-01")) == [(0, 0)]
    assert graded(mini, record("HGB", "g/L", float("nan"), 70, "2026-02-01")) == [(0, 3)]
