"""What a recorded state or size of a non-target lesion says about it, one record at a time."""

from __future__ import annotations

import pytest

from interim.adam.response.records import lesion_state, nontarget_state

STATES = [
    ("ABSENT", "ABSENT"),
    ("PRESENT", "PRESENT"),
    ("TOO SMALL TO MEASURE", "PRESENT"),
    ("UNEQUIVOCAL", "UNEQUIVOCAL PROGRESSION"),
    ("UNEQUIVOCAL PROGRESSION", "UNEQUIVOCAL PROGRESSION"),
    ("FURTHER INCREASE", "FURTHER INCREASE"),
    ("NOT EVALUABLE", "NE"),
    (None, "NE"),
    (float("nan"), "NE"),
]


@pytest.mark.rule("RECIST-05")
@pytest.mark.parametrize(("state", "expected"), STATES)
def test_the_state_of_a_non_target(state, expected):
    assert nontarget_state(state) == expected


@pytest.mark.rule("RECIST-05")
def test_a_non_target_too_small_to_measure_is_still_there(make, derive, values):
    tu, tr = make.tumour((-7, 42, 84), None, {"NT01": ("BONE", ["PRESENT", "TSTM", "ABSENT"])})
    assert values(derive(tu, tr).adrs, "NTRGRESP") == ["NON-CR/NON-PD", "CR"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TSTM", "TOO SMALL TO MEASURE"),
        ("MERGED INTO T02", "MERGED INTO T02"),
        ("SPLIT OF T01", "SPLIT OF T01"),
        ("SOMETHING ELSE", None),
        (None, None),
        (4.0, None),
    ],
)
def test_the_words_of_a_lesion(text, expected):
    assert lesion_state(text, {"TSTM": "TOO SMALL TO MEASURE"}) == expected
