from __future__ import annotations

import pytest

from interim.errors import DataError, Finding, InterimError, Problem, StudyError


def finding(**changes):
    base = {
        "rule": "XD-ORPHAN",
        "severity": "stop",
        "domain": "AE",
        "message": "unknown participant; correct USUBJID",
        "subject": "S-9",
        "key": ("3",),
        "variable": "USUBJID",
        "value": "S-9",
        "file": "ae.csv",
        "row": 14,
    }
    return Finding(**(base | changes))


@pytest.mark.rule("RES-04")
def test_id_of_a_finding_does_not_move_with_the_row():
    assert finding().id == finding(row=99, file="other.csv", message="x").id
    ids = {
        finding(**change).id
        for change in (
            {},
            {"rule": "XD-KEY"},
            {"domain": "LB"},
            {"subject": "S-1"},
            {"key": ("4",)},
            {"variable": "AESEQ"},
        )
    }
    assert len(ids) == 6


@pytest.mark.rule("RES-05")
def test_data_error_lists_everything_stops_first():
    error = DataError(
        [finding(severity="info", rule="A-INFO"), finding(), finding(severity="warn", rule="B-WARN")]
    )
    lines = str(error).splitlines()
    assert lines[0] == "1 finding(s) stop the run; 2 further finding(s)"
    assert [line.split()[0] for line in lines[1:]] == ["STOP", "WARN", "INFO"]
    assert "ae.csv row 14" in lines[1] and "S-9" in lines[1] and "correct USUBJID" in lines[1]


def test_study_error_counts_its_problems():
    many = StudyError([Problem("a.b", "wrong", "s.toml", 3), Problem("c", "wrong")])
    assert str(many).splitlines() == [
        "2 problems in the study parameters:",
        "s.toml:3 a.b: wrong",
        "c: wrong",
    ]
    assert str(StudyError("one line")) == "one line"
    assert issubclass(StudyError, InterimError)
