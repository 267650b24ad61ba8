"""Non-target response, new lesions, overall response."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from interim.adam.response.timepoint import new_lesions, nontarget_response, overall_response

TABLE = Path(__file__).parents[2] / "reference" / "recist" / "recist11_timepoint_table.csv"


@pytest.mark.rule("RECIST-07", source="recist11_timepoint_table.csv")
def test_the_whole_table():
    rows = list(csv.DictReader(TABLE.read_text().splitlines()))
    assert len(rows) == 60
    for row in rows:
        found = overall_response(row["target"], row["non_target"], row["new_lesion_unequivocal"]).value
        assert found == row["overall"], row


@pytest.mark.rule("RECIST-07")
@pytest.mark.parametrize(
    ("target", "nontarget", "new", "codes"),
    [
        ("PD", "PD", "Y", ("P-NEW", "P-TGT-PD", "P-NT-PD")),
        ("SD", "PD", "N", ("P-NT-PD",)),
        ("CR", "NON-CR/NON-PD", "N", ("P-CR-NT",)),
        ("CR", "CR", "N", ("P-CR",)),
        ("NONE", "CR", "N", ("P-CR",)),
        ("NONE", "NON-CR/NON-PD", "N", ("P-NON",)),
        ("NONE", "NONE", "N", ("P-NED",)),
        ("NE", "CR", "N", ("P-NE",)),
    ],
)
def test_reasons(target, nontarget, new, codes):
    answer = overall_response(target, nontarget, new)
    assert answer.codes == codes
    assert answer.code == codes[0]


@pytest.mark.rule("RECIST-05")
@pytest.mark.parametrize(
    ("states", "expected", "markers", "value", "code"),
    [
        ({}, [], True, "NONE", "N-NONE"),
        ({"A": "ABSENT", "B": "ABSENT"}, ["A", "B"], True, "CR", "N-CR"),
        ({"A": "ABSENT", "B": "ABSENT"}, ["A", "B"], False, "NON-CR/NON-PD", "N-MARKER"),
        ({"A": "PRESENT", "B": "ABSENT"}, ["A", "B"], True, "NON-CR/NON-PD", "N-PRES"),
        ({"A": "PRESENT"}, ["A", "B"], True, "NE", "N-NE"),
        ({"A": "NE", "B": "ABSENT"}, ["A", "B"], True, "NE", "N-NE"),
        ({"A": "UNEQUIVOCAL PROGRESSION"}, ["A", "B"], True, "PD", "N-PD"),
        ({"A": "FURTHER INCREASE", "B": "PRESENT"}, ["A", "B"], True, "PD", "N-PD"),
    ],
)
def test_nontarget(states, expected, markers, value, code):
    answer = nontarget_response(states, expected, markers_normal=markers)
    assert (answer.value, answer.code) == (value, code)


@pytest.mark.rule("RECIST-06")
@pytest.mark.parametrize(
    ("sightings", "backdate", "expected"),
    [
        ([{}, {"N1": "UNEQUIVOCAL"}], True, ["W-NONE", "W-NEW"]),
        ([{"N1": "EQUIVOCAL"}, {"N1": "UNEQUIVOCAL"}], True, ["W-BACK", "W-NEW"]),
        ([{"N1": "EQUIVOCAL"}, {"N1": "UNEQUIVOCAL"}], False, ["W-EQ", "W-NEW"]),
        ([{"N1": "EQUIVOCAL"}, {"N2": "UNEQUIVOCAL"}], True, ["W-EQ", "W-NEW"]),
        ([{"N1": "EQUIVOCAL"}, {"N1": "ABSENT"}], True, ["W-EQ", "W-NONE"]),
    ],
)
def test_new_lesions(sightings, backdate, expected):
    answers = new_lesions(sightings, backdate=backdate)
    assert [answer.code for answer in answers] == expected
    assert all((answer.value == "Y") == (answer.code in ("W-NEW", "W-BACK")) for answer in answers)
