"""The interpreter of the CTCAE criteria: traps of the published table, units, missing inputs, the clinical half."""

from __future__ import annotations

import csv
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.adam.ctcae import LabValue, criteria_book_of, grade_one, grade_values, significant
from interim.study.toxicity import LabsTable

BOOK = criteria_book_of(LabsTable())
MILD = criteria_book_of(LabsTable(clinical_component="asymptomatic"))
SIX = criteria_book_of(LabsTable(ctcae_version=6))
ALT, BILI, INR = "Alanine aminotransferase increased", "Blood bilirubin increased", "INR increased"


def grade(term, value, direction="high", book=BOOK, **more):
    return grade_one(LabValue(term, value, **more), direction, book=book)[0]


@pytest.mark.rule("SAF-02")
@pytest.mark.parametrize(
    ("baseline", "high", "value", "expected"),
    [
        (30.0, False, 40.0, 0),
        (30.0, False, 40.1, 1),
        (30.0, False, 120.0, 1),
        (30.0, False, 120.1, 2),
        (30.0, False, 800.1, 4),
        (120.0, True, 160.0, 0),
        (120.0, True, 180.0, 1),
        (120.0, True, 360.0, 1),
        (120.0, True, 360.1, 2),
        (120.0, False, 160.0, 2),
    ],
)
def test_an_abnormal_baseline_is_the_unit_of_the_multiples(baseline, high, value, expected):
    assert grade(ALT, value, UNIT="U/L", ULN=40.0, BASE=baseline, HIGH=high) == expected


@pytest.mark.rule("SAF-01")
@pytest.mark.parametrize(
    ("term", "direction", "value", "more", "expected"),
    [
        ("Hyponatremia", "low", 129.5, {"UNIT": "mmol/L", "LLN": 135.0}, 1),
        ("Hyponatremia", "low", 129.0, {"UNIT": "mmol/L", "LLN": 135.0}, 3),
        ("Hyponatremia", "low", 135.0, {"UNIT": "MMOL/L", "LLN": 135.0}, 0),
        ("Anemia", "low", 60.0, {"UNIT": "g/L", "LLN": 120.0}, 3),
        ("anemia", "low", 6.0, {"UNIT": "g/dL", "LLN": 12.0}, 3),
        ("Cholesterol high", "high", 7.76, {"UNIT": "mmol/L", "ULN": 5.2}, 2),
        ("Cholesterol high", "high", 300.0, {"UNIT": "mg/dL", "ULN": 200.0}, 1),
        ("Lymphocyte count increased", "high", 4.1, {"UNIT": "10^9/L"}, 2),
        ("GGT increased", "high", 120.0, {"UNIT": "U/L", "ULN": 60.0, "BASE": 60.0, "HIGH": True}, 0),
        (INR, "high", 1.3, {"UNIT": "ratio"}, 1),
        (INR, "high", 1.1, {"UNIT": "ratio", "BASE": 1.0}, 1),
        ("Fibrinogen decreased", "low", 1.4, {"UNIT": "g/L", "LLN": 2.0, "PCHG": -50.0}, 3),
        ("Fibrinogen decreased", "low", 2.4, {"UNIT": "g/L", "LLN": 2.0, "PCHG": -50.0}, 0),
        ("Creatinine increased", "high", 90.0, {"UNIT": "umol/L", "ULN": 104.0, "BASE": 50.0}, 2),
    ],
)
def test_traps_of_the_table(term, direction, value, more, expected):
    assert grade(term, value, direction, **more) == expected


@pytest.mark.rule("SAF-03")
@pytest.mark.parametrize(
    ("value", "direction", "reason"),
    [
        (LabValue("No such term", 1.0, "g/L"), "low", "NO_TERM"),
        (LabValue(None, 1.0, "g/L"), "low", "NO_TERM"),
        (LabValue("Anemia", 110.0, "mmol/L", LLN=120.0), "low", "LB-UNIT"),
        (LabValue("Anemia", 110.0, None, LLN=120.0), "low", "LB-UNIT"),
        (LabValue("Anemia", np.nan, "g/L", LLN=120.0), "low", "VALUE_MISSING"),
        (LabValue("Anemia", 110.0, "g/L"), "low", "LLN_MISSING"),
        (LabValue(ALT, 110.0, "U/L"), "high", "ULN_MISSING"),
        (LabValue(ALT, np.nan, "U/L"), "high", "VALUE_MISSING"),
        (LabValue(INR, 1.1, "ratio"), "high", "BASELINE_MISSING"),
        (LabValue("Anemia", 110.0, "g/L", LLN=120.0), "high", "NO_TERM"),
    ],
)
def test_what_cannot_be_graded_has_a_reason_and_never_grade_0(value, direction, reason):
    assert grade_one(value, direction, book=BOOK)[::2] == (None, reason)


@pytest.mark.rule("SAF-03")
def test_absolute_limits_still_grade_without_a_range():
    assert grade_one(LabValue("Anemia", 70.0, "g/L"), "low", book=BOOK) == (3, 2, "")


@pytest.mark.rule("SAF-04")
@pytest.mark.parametrize(
    ("term", "direction", "value", "more", "assumed", "mild"),
    [
        ("Hyperuricemia", "high", 0.44, {"UNIT": "mmol/L", "ULN": 0.43}, 3, 1),
        ("Hypokalemia", "low", 3.2, {"UNIT": "mmol/L", "LLN": 3.5}, 2, 1),
        ("Hypokalemia", "low", 2.9, {"UNIT": "mmol/L", "LLN": 3.5}, 3, 3),
        ("Hyponatremia", "low", 127.0, {"UNIT": "mmol/L", "LLN": 135.0}, 3, 2),
        ("Hyponatremia", "low", 124.0, {"UNIT": "mmol/L", "LLN": 135.0}, 3, 3),
        ("Lipase increased", "high", 120.0, {"UNIT": "U/L", "ULN": 50.0}, 3, 2),
        ("Lipase increased", "high", 260.0, {"UNIT": "U/L", "ULN": 50.0}, 4, 3),
        ("Serum amylase increased", "high", 80.0, {"UNIT": "U/L", "ULN": 50.0}, 2, 2),
        (INR, "high", 1.1, {"UNIT": "ratio", "BASE": 1.0}, 1, 0),
        (INR, "high", 1.1, {"UNIT": "ratio", "BASE": 1.0, "ANTICOAG": True}, 1, 1),
        (INR, "high", 2.0, {"UNIT": "ratio", "BASE": 1.0, "ANTICOAG": True}, 2, 2),
        (INR, "high", 1.1, {"UNIT": "ratio", "ANTICOAG": True}, None, None),
    ],
)
def test_the_clinical_half_is_assumed_or_not(term, direction, value, more, assumed, mild):
    assert grade(term, value, direction, **more) == assumed
    assert grade(term, value, direction, book=MILD, **more) == mild


@pytest.mark.rule("SAF-04")
def test_the_clinical_half_can_be_chosen_per_term_and_is_named():
    book = criteria_book_of(LabsTable(clinical_component={"hyperuricemia": "asymptomatic"}))
    assert grade("Hyperuricemia", 0.44, book=book, UNIT="mmol/L", ULN=0.43) == 1
    assert grade("Hypokalemia", 3.2, "low", book=book, UNIT="mmol/L", LLN=3.5) == 2
    assert book.assumed_terms() == (
        "Hypokalemia",
        "Hyponatremia",
        "INR increased",
        "Lipase increased",
        "Serum amylase increased",
    )
    assert MILD.assumed_terms() == ()


@pytest.mark.rule("SAF-05")
def test_version_6_can_be_chosen_and_is_marked_unverified():
    assert (SIX.verified, BOOK.verified, SIX.version) == (False, True, 6)
    assert SIX.terms("high")["LDH"] == "Blood lactate dehydrogenase increased"
    assert SIX.terms("low")["PLAT"] == "Thrombocytopenia"
    assert grade("Blood lactate dehydrogenase increased", 300.0, book=SIX, UNIT="U/L", ULN=250.0) == 1
    assert "LDH" not in BOOK.terms("high")


def test_every_rule_of_every_table_is_readable():
    names = [name for name in ("5", "6")]
    sizes = {5: (39 + 26, 264 + 166), 6: (43, 268)}
    for version in map(int, names):
        book = criteria_book_of(LabsTable(ctcae_version=version))
        assert len(book.criteria) == sizes[version][0]
        assert sum(len(item.rules) for item in book.criteria) == sizes[version][1]
        for item in book.criteria:
            value = LabValue(item.term, 1.0, item.unit, 0.5, 2.0, 1.0, 0.0)
            assert grade_one(value, item.direction, book=book)[1] > 0


def test_the_asymptomatic_table_has_the_terms_that_assume_something():
    text = files("interim.adam.ctcae").joinpath("ctcae_v5_asymptomatic.csv").read_text("utf-8")
    assert {row["term"] for row in csv.DictReader(text.splitlines())} == set(BOOK.assumed_terms())


@pytest.mark.rule("SAF-01")
def test_both_sides_are_compared_at_15_digits():
    value = LabValue(ALT, 3 * 1.1, "U/L", ULN=1.1)
    assert 3 * 1.1 > 3.3 and grade_one(value, "high", book=BOOK)[0] == 1


@given(st.floats(-1e12, 1e12, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6))
@settings(max_examples=50, deadline=None)
def test_significant_digits_as_printed_up_to_a_tie_of_the_last(value):
    assert significant(np.array([value]))[0] == pytest.approx(float(f"{value:.15g}"), rel=1.1e-14)


@given(st.floats(0.1, 900), st.floats(0.1, 900), st.booleans(), st.sampled_from([ALT, BILI]))
@settings(max_examples=50, deadline=None)
def test_the_grade_never_falls_when_the_value_rises(first, second, high, term):
    low, top = (
        grade(term, value, UNIT="U/L", ULN=20.0, BASE=30.0, HIGH=high) for value in sorted((first, second))
    )
    assert low <= top


@given(st.floats(0.5, 500), st.floats(0.01, 100), st.booleans())
@settings(max_examples=50, deadline=None)
def test_scaling_value_and_range_together_changes_no_grade(value, factor, high):
    base = LabValue(ALT, round(value, 3), "U/L", ULN=40.0, BASE=55.0, HIGH=high)
    scaled = replace(base, VALUE=base.VALUE * factor, ULN=40.0 * factor, BASE=55.0 * factor, UNIT="nkat/L")
    assert grade_one(base, "high", book=BOOK) == grade_one(scaled, "high", book=BOOK)


def test_the_order_of_the_rows_does_not_matter():
    rows = pd.DataFrame(
        [
            vars(LabValue(term, float(value), unit, 3.0, 40.0, 20.0, 10.0))
            for value in (1, 41, 90, 200)
            for term, unit in ((ALT, "U/L"), ("Anemia", "g/L"), ("Nothing", "x"), (INR, "ratio"))
        ]
    )
    for direction in ("low", "high"):
        expected = grade_values(rows, direction, book=BOOK)
        shuffled = rows.sample(frac=1, random_state=5)
        pd.testing.assert_frame_equal(grade_values(shuffled, direction, book=BOOK).sort_index(), expected)
