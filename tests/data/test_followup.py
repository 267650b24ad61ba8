"""Findings over cuts: answers stay, changes are told, stops are never accepted, cells start no formula."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pandas as pd
import pytest

from interim.data.followup import COLUMNS, answers, followed, keep_queries, queries_frame, resolved
from interim.data.model import Sdtm
from interim.errors import DataError, Finding

GRADE = Finding(
    "AE-GRADE", "warn", "AE", "grade missing", subject="S1", key=("Fever", "2026-01-03"), variable="AETOXGR", effect=("T 14.3.1.1",)
)  # fmt: skip
ALT = Finding(
    "LB-NOAE", "info", "LB", "no event", subject="S2", key=("ALT",), variable="LBSTRESN", value="540"
)
STOP = Finding(
    "AE-ORDER", "stop", "AE", "end before start", subject="S3", variable="AEENDTC", value="2026-01-01"
)


def row(finding: Finding, **cells: str) -> dict[str, str]:
    """A row of queries.csv about a finding, as a person left it."""
    own = {"id": finding.id, "rule": finding.rule, "severity": finding.severity, "value": finding.value or ""}
    return {**dict.fromkeys(COLUMNS, ""), **own, "disposition": "open", **cells}


def known(*rows: dict[str, str]):
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS), dtype=object)
    return answers(Sdtm({"QUERIES": frame.where(frame != "", None)}, datetime(2026, 6, 30)))


ACCEPT = {"disposition": "accepted", "reason": "source says so", "name": "A. Monitor", "date": "2026-05-01"}


@pytest.mark.rule("FOLLOW-01")
@pytest.mark.parametrize(
    ("finding", "rows", "status"),
    [
        (ALT, [], ""),
        (ALT, [row(GRADE)], "new"),
        (ALT, [row(ALT)], "open"),
        (ALT, [row(ALT, disposition="")], "open"),
        (ALT, [row(ALT, **ACCEPT)], "accepted"),
        (ALT, [row(ALT, **ACCEPT | {"disposition": "ACCEPTED"})], "accepted"),
        (ALT, [row(ALT, **ACCEPT | {"value": "510"})], "changed"),
        (ALT, [row(ALT, **ACCEPT | {"reason": ""})], "open"),
        (ALT, [row(ALT, **ACCEPT | {"name": ""})], "open"),
        (ALT, [row(ALT, **ACCEPT | {"date": ""})], "open"),
        (ALT, [row(ALT, disposition="fixed")], "fixed, still found"),
        (GRADE, [row(GRADE, **ACCEPT)], "accepted"),
        (STOP, [row(STOP, **ACCEPT)], "open"),
        (STOP, [row(STOP, disposition="fixed")], "fixed, still found"),
    ],
)
def test_status(finding, rows, status):
    (found,) = followed([finding], known(*rows))
    assert found.status == status
    assert replace(found, status="") == finding


@pytest.mark.rule("FOLLOW-01")
def test_the_id_of_a_finding_is_the_same_at_the_next_cut():
    later = replace(ALT, row=99, file="lb_2.csv", message="another wording", value="560", status="open")
    assert later.id == ALT.id
    assert replace(ALT, key=("AST",)).id != ALT.id
    assert replace(ALT, variable="LBORRES").id != ALT.id


@pytest.mark.rule("FOLLOW-02")
def test_the_file_keeps_answers_and_lists_what_has_gone():
    before = known(row(ALT, **ACCEPT), row(STOP), row(GRADE, **ACCEPT | {"value": "4"}))
    table = queries_frame([GRADE, ALT], before)
    assert list(table.columns) == list(COLUMNS)
    assert list(table["id"]) == [GRADE.id, ALT.id, STOP.id]
    assert list(table["disposition"]) == ["OPEN", "accepted", "FIXED"]
    assert list(table["reason"]) == ["", "source says so", ""]
    assert table["tables"].iloc[0] == "T 14.3.1.1"
    assert table["key"].iloc[0] == "Fever | 2026-01-03"
    assert [answer.id for answer in resolved([GRADE, ALT], before)] == [STOP.id]


@pytest.mark.rule("FOLLOW-02")
def test_a_file_is_made_read_and_kept(tmp_path):
    file = tmp_path / "queries.csv"
    assert list(keep_queries(file, [ALT, STOP])["disposition"]) == ["OPEN", "OPEN"]
    text = file.read_text(encoding="utf-8").replace("540,OPEN,,,", "540,ACCEPTED,seen,PI,2026-05-02")
    file.write_text(text, encoding="utf-8")
    again = keep_queries(file, [ALT])
    assert list(again["disposition"]) == ["ACCEPTED", "FIXED"]
    first = file.read_bytes()
    keep_queries(file, [ALT])
    assert file.read_bytes() == first


@pytest.mark.rule("FOLLOW-02")
def test_a_finding_that_comes_back_is_not_fixed_any_more(tmp_path):
    file = tmp_path / "queries.csv"
    keep_queries(file, [ALT])
    assert list(keep_queries(file, [])["disposition"]) == ["FIXED"]
    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    (back,) = followed([ALT], answers(Sdtm({"QUERIES": frame}, datetime(2026, 6, 30))))
    assert back.status == "fixed, still found"


@pytest.mark.rule("FOLLOW-02")
def test_another_table_is_not_overwritten(tmp_path):
    file = tmp_path / "ae.csv"
    file.write_text("USUBJID,AETERM\nS1,Fever\n", encoding="utf-8")
    with pytest.raises(DataError, match="no column id, disposition"):
        keep_queries(file, [ALT])
    assert file.read_text(encoding="utf-8").startswith("USUBJID")


@pytest.mark.rule("FOLLOW-03")
@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@A1", "\tx", "\rx"])
def test_a_cell_starts_no_formula_and_is_read_back_as_it_was(value):
    finding = replace(ALT, value=value)
    table = queries_frame([finding], {})
    assert table["value"].iloc[0] == f"'{value}"
    (found,) = followed([finding], answers(Sdtm({"QUERIES": table}, datetime(2026, 6, 30))))
    assert found.status == "open"


@pytest.mark.parametrize("value", ["'quoted", "1-1", "", "plain"])
def test_other_cells_are_left_alone(value):
    table = queries_frame([replace(ALT, value=value)], {})
    assert table["value"].iloc[0] == value


def test_data_without_answers():
    assert answers(Sdtm({}, datetime(2026, 6, 30))) == {}
    assert answers(Sdtm({"QUERIES": pd.DataFrame({"x": ["1"]})}, datetime(2026, 6, 30))) == {}
    assert followed([ALT, STOP], {}) == (ALT, STOP)


def test_the_last_row_of_an_id_counts():
    (found,) = followed([ALT], known(row(ALT), row(ALT, **ACCEPT)))
    assert found.status == "accepted"
