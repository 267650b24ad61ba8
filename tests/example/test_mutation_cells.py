"""Damaged cells: what counts as found, silent or without effect, on frames made by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.response.contradictions import RULES as CONTRADICTIONS
from interim.data.check import RULES
from interim.data.model import Sdtm
from interim.errors import DerivationError, Finding
from interim.example.defects import defects
from interim.example.defects.draft import cell_text
from interim.example.mutation import cells, damage_cells

FRAMES = {
    "AE": pd.DataFrame(
        {
            "STUDYID": ["X", "X", "X"],
            "DOMAIN": ["AE", "AE", "AE"],
            "USUBJID": ["S1", "S1", "S2"],
            "AESEQ": [1, 2, 1],
            "AETOXGR": ["1", "2", "3"],
            "AEBLANK": [None, None, None],
        }
    ),
    "EG": pd.DataFrame({"USUBJID": ["S1", "S2"], "EGSEQ": [1, 1], "EGORRES": ["60", "70"]}),
}


class Stub:
    """Finds every change of USUBJID; its tables are the grades as they stand."""

    study = None

    def findings(self, frames):
        same = all(frames[name]["USUBJID"].equals(FRAMES[name]["USUBJID"]) for name in FRAMES)
        return () if same else (Finding("XD-ORPHAN", "stop", "AE", "no such participant"),)

    def sdtm(self, frames):
        return Sdtm(frames, pd.Timestamp("2026-06-30").to_pydatetime())


@pytest.fixture
def reports(monkeypatch):
    def tables(sdtm, study):
        ae = sdtm.domains["AE"]
        if ae["AESEQ"].isna().any():
            raise DerivationError("a number is missing")
        return {"T 1": " ".join(map(cell_text, ae["AETOXGR"])), "T 2": str(len(ae))}

    monkeypatch.setattr(cells, "primary", tables)
    return damage_cells(Stub(), FRAMES, seed=3, number=150)


@pytest.mark.rule("MUT-05")
def test_every_outcome_follows_from_checks_and_tables(reports):
    expected = {
        "USUBJID": {"found"},
        "AETOXGR": {"silent"},
        "EGORRES": {"without effect"},
        "EGSEQ": {"without effect"},
        "AESEQ": {"found", "without effect"},
    }
    seen: dict[str, set[str]] = {}
    for report in reports:
        seen.setdefault(report.variable, set()).add(report.outcome)
    assert seen == expected


@pytest.mark.rule("MUT-05")
def test_only_silent_changes_name_tables(reports):
    assert len(reports) == 150
    assert {report.moved for report in reports if report.outcome == "silent"} == {("T 1",)}
    assert {report.moved for report in reports if report.outcome != "silent"} == {()}


@pytest.mark.rule("MUT-05")
def test_a_damaged_cell_differs_and_names_its_record(reports):
    assert all(report.before != report.after for report in reports)
    assert all(report.before for report in reports)
    places = {("AE", "S1", "1"), ("AE", "S1", "2"), ("AE", "S2", "1"), ("EG", "S1", "1"), ("EG", "S2", "1")}
    assert {(report.domain, report.subject, report.key) for report in reports} <= places


@pytest.mark.rule("MUT-05")
def test_fixed_columns_and_empty_columns_are_not_damaged(reports):
    assert {report.variable for report in reports}.isdisjoint({"STUDYID", "DOMAIN", "AEBLANK"})


@pytest.mark.rule("MUT-05")
def test_equal_seeds_damage_equal_cells(monkeypatch):
    monkeypatch.setattr(cells, "primary", lambda sdtm, study: {})
    first = damage_cells(Stub(), FRAMES, seed=8, number=5)
    assert damage_cells(Stub(), FRAMES, seed=8, number=5) == first
    assert damage_cells(Stub(), FRAMES, seed=9, number=5) != first


@pytest.mark.rule("SYN-26")
@pytest.mark.parametrize("id", [f"D{n:02d}" for n in range(1, 61)])
def test_the_rule_of_a_defect_exists_with_its_severity(id):
    known = {rule.id: rule.severity for rule in RULES} | dict(CONTRADICTIONS)
    assert known[defects()[id].rule] == defects()[id].severity


@pytest.mark.rule("CHECK-04")
@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_every_check_names_the_tables_that_a_miss_would_move(rule):
    effect = next(known.effect for known in RULES if known.id == rule)
    assert effect
    assert all(table.split(" ")[0] in ("T", "F", "L") for table in effect)


@pytest.mark.rule("MUT-05")
@pytest.mark.parametrize("table", ["T 14.1.1.2", "T 14.2.1.2", "T 14.2.2.1", "T 14.3.1.1"])
def test_the_primary_tables_are_those_of_the_specification(table):
    assert table in cells.PRIMARY
    assert len(cells.PRIMARY) == 4
