"""Tables about the source data: patches, imputed dates, missing results, open queries; every row counted by hand."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from interim import display
from interim.adam.model import Adam
from interim.analysis import data_quality, open_queries, source_quality
from interim.analysis.open_queries import touched
from interim.analysis.worst_answers import answered
from interim.data.model import LedgerLine, Sdtm
from interim.errors import DataError, Finding
from tests.analysis.answers import status, subjects, value

CUT = datetime(2026, 6, 30, 23, 59, 59)


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def records(result) -> list[dict]:
    """The records of a listing, as stat -> text or number."""
    part = result.frame[result.frame["variable"] == "record"]
    return [
        {row.stat: row.text if row.text is not None else row.value for row in rows.itertuples()}
        for _, rows in part.groupby("level", sort=False)
    ]


PATCHES = frame(
    domain=["AE", "DM"],
    subject=["S1", "S2"],
    key=["Fever | 2026-01-06", None],
    variable=["AETERM", "AGE"],
    old=["call Mr Zhang", "61"],
    new=["Fever", "62"],
    reason=["typed by mistake", "source says 62"],
    name=["A. Monitor", "B. Monitor"],
    date=["2026-06-01", "2026-06-02"],
    SRCFILE=["patches.csv"] * 2,
    SRCROW=[2, 3],
)


@pytest.mark.rule("SDQ-01")
def test_patches_with_what_became_of_them(study):
    applied = Finding("PATCH", "info", "AE", "m", subject="S1", file="patches.csv", row=2)
    sdtm = Sdtm({"PATCHES": PATCHES}, CUT, findings=(applied,))
    first, second = records(source_quality.patches(Adam({}, CUT), study, sdtm))
    assert (first["participant"], first["domain"], first["key"]) == ("S1", "AE", "Fever | a date")
    assert (first["old"], first["new"], first["state"]) == ("**** ** *****", "Fever", "APPLIED")
    assert (second["old"], second["new"], second["reason"], second["name"]) == (
        "61",
        "62",
        "source says 62",
        "B. Monitor",
    )
    assert second["state"] == "REFUSED"
    assert (first["date"], second["date"]) == ("cut-off - 29 d", "cut-off - 28 d")
    shown = display.table_listing(source_quality.patches(Adam({}, CUT), study, sdtm), study)
    assert [row.cells[-1].text for row in shown.rows] == ["Applied", "Not applied"]


@pytest.fixture
def dated() -> tuple[Adam, Sdtm]:
    """Four onsets of S1 (first dose 15 January, window 20 January to 17 February), a death, a therapy and two scans."""
    day = pd.Timestamp
    adsl = pd.DataFrame(
        {
            "USUBJID": ["S1", "S2"],
            "TRTSDT": [day("2026-01-15"), day("2026-02-01")],
            "DLTWSDT": [day("2026-01-20"), pd.NaT],
            "DLTWEDT": [day("2026-02-17"), pd.NaT],
            "DTHDT": [pd.NaT, day("2026-04-01")],
            "DTHDTF": [None, "D"],
            "NACTDT": [pd.NaT, day("2026-03-01")],
            "NACTDTF": [None, "D"],
        }
    )
    starts = ["2026-01", "2026-02", "2026-03", "2026-01-22", "2025-12"]
    adae = pd.DataFrame(
        {
            "USUBJID": "S1",
            "SRCSEQ": ["1", "2", "3", "4", "5"],
            "AESTDTC": starts,
            "ASTDT": [
                day("2026-01-15"),
                day("2026-02-01"),
                day("2026-03-01"),
                day("2026-01-22"),
                day("2025-12-01"),
            ],
            "ASTDTF": ["D", "D", "D", None, "D"],
            "AEENDTC": [None, None, None, "2026-02", None],
            "AENDT": [pd.NaT, pd.NaT, pd.NaT, day("2026-02-28"), pd.NaT],
            "AENDTF": [None, None, None, "D", None],
        }
    )
    sdtm = Sdtm(
        {
            "DM": frame(USUBJID=["S1", "S2"], DTHDTC=[None, "2026-04"]),
            "CM": frame(USUBJID=["S2", "S2"], CMSEQ=[1.0, 2.0], CMSTDTC=["2026-01", "2026-03"]),
            "TR": frame(
                USUBJID=["S1", "S1", "S1"], TRSEQ=[1.0, 2.0, 3.0], TRDTC=["2026-03", "2026", "2026-03-04"]
            ),
        },
        CUT,
    )
    return Adam({"ADSL": adsl, "ADAE": adae}, CUT), sdtm


@pytest.mark.rule("SDQ-02")
def test_both_ends_of_a_partial_date_are_tried(dated, study):
    listed = records(source_quality.imputed_dates(dated[0], study, dated[1]))
    found = {
        (r["domain"], r["key"], r["variable"]): (r["raw"], r["imputed"], r["rule"], r["moves"])
        for r in listed
    }
    assert found == {
        ("AE", "1", "AESTDTC"): ("days -14 to 16", "day 0", "START", "TEAE;DLT"),
        ("AE", "2", "AESTDTC"): ("days 17 to 44", "day 17", "START", "DLT"),
        ("AE", "3", "AESTDTC"): ("days 45 to 75", "day 45", "START", "NOTHING"),
        ("AE", "5", "AESTDTC"): ("days -45 to -15", "day -45", "START", "NOTHING"),
        ("AE", "4", "AEENDTC"): ("days 17 to 44", "day 44", "END", "NOTHING"),
        ("DM", "", "DTHDTC"): ("days 59 to 88", "day 59", "DEATH", "OS"),
        ("CM", "2", "CMSTDTC"): ("days 28 to 58", "day 28", "THERAPY", "PFS"),
        ("TR", "1", "TRDTC"): ("days 45 to 75", "day 75", "SCAN", "PFS"),
        ("TR", "2", "TRDTC"): ("days -14 to 350", "", "SCAN", "PFS"),
    }
    assert [r["participant"] for r in listed] == sorted(r["participant"] for r in listed)


@pytest.mark.rule("SDQ-02")
def test_no_partial_date_is_no_record(study):
    result = source_quality.imputed_dates(Adam({}, CUT), study, Sdtm({}, CUT))
    assert records(result) == []
    assert display.table_listing(result, study).rows[0].cells[0].text == "No record"


@pytest.fixture
def visited() -> tuple[Adam, Sdtm]:
    """Four enrolled and one screen failure; three of four have a neutrophil record at baseline, one of four at day 7."""
    who = ["S1", "S2", "S3", "S4"]
    adsl = frame(USUBJID=[*who, "S5"], ENRLFL=["Y"] * 4 + ["N"])
    visits = frame(
        USUBJID=[*who, "S5", *who, "S1"],
        VISITNUM=[1.0] * 5 + [2.0] * 4 + [2.1],
        VISIT=["BASELINE"] * 5 + ["DAY 7"] * 4 + ["UNSCHEDULED 2.1"],
        SVSTDTC=["2026-01-01"] * 10,
    )
    lb = frame(
        USUBJID=["S1", "S2", "S3", "S3", "S1", "S1"],
        LBTESTCD=["NEUT"] * 6,
        VISITNUM=[1.0, 1.0, 1.0, 1.0, 2.0, 2.1],
        LBORRES=["3.1", "<0.1", None, "2.0", "3.0", "3.3"],
        LBSTAT=[None, None, "NOT DONE", None, None, None],
    )
    unmapped = [Finding("MAP-VALUE", "warn", "LB", "m", variable="LBORRES", row=n) for n in (1, 2)]
    unmapped.append(Finding("MAP-VALUE", "stop", "LB", "5 dates in 2 notations", variable="LBDTC"))
    dates = [LedgerLine("MAP-VALUE", "LB", "S1", str(n), "LBDTC", f"0{n}/03/2026", "") for n in range(5)]
    sdtm = Sdtm({"SV": visits, "LB": lb}, CUT, findings=tuple(unmapped), ledger=tuple(dates))
    return Adam({"ADSL": adsl}, CUT), sdtm


@pytest.mark.rule("SDQ-03")
def test_missing_results_by_visit(visited, study):
    result = source_quality.missing_data(visited[0], study, visited[1])
    numbers = {
        s: value(result, "LB NEUT", s, level="BASELINE")
        for s in ("expected", "observed", "blq", "not_done", "missing")
    }
    assert numbers == {
        "expected": 4,
        "observed": 2,
        "blq": 1,
        "not_done": 0,
        "missing": 1,
    }  # the done sample of S3 counts
    assert subjects(result, "LB NEUT", "missing", level="BASELINE") == {"S4"}
    assert set(result.frame.loc[result.frame["variable"] == "LB NEUT", "level"]) == {"BASELINE"}
    assert value(result, "unmapped", "cells", level="LB.LBORRES") == 2
    assert value(result, "unmapped", "cells", level="LB.LBDTC") == 5
    assert value(result, "unmapped", "cells", level="total") == 7
    shown = display.table_missing_data(result, study)
    assert [[cell.text for cell in row.cells] for row in shown.rows] == [
        ["Neutrophils"],
        ["Baseline", "4", "2/4 (50%)", "1/4 (25%)", "1/4 (25%)", "0/4"],
        ["Cells that the mapping could not read"],
        ["LB.LBDTC", "–", "–", "5", "–", "–"],
        ["LB.LBORRES", "–", "–", "2", "–", "–"],
        ["All columns", "–", "–", "7", "–", "–"],
    ]


@pytest.mark.rule("SDQ-03")
def test_a_sample_that_was_not_done_is_not_missing(visited, study):
    adam, sdtm = visited
    lb = sdtm.domains["LB"]
    result = source_quality.missing_data(adam, study, Sdtm({**sdtm.domains, "LB": lb.drop(3)}, CUT))
    assert value(result, "LB NEUT", "not_done", level="BASELINE") == 1
    assert value(result, "LB NEUT", "missing", level="BASELINE") == 1


@pytest.mark.rule("SDQ-03")
def test_a_level_of_cells_is_expected_of_those_who_received_them(visited, study):
    adam, sdtm = visited
    given = frame(USUBJID=["S1", "S2", "S3"], PRODUCT=["CART"] * 3)
    both = frame(USUBJID=["S1", "S2"], PCTESTCD=["CARTG"] * 2, VISITNUM=[1.0] * 2, PCORRES=["<50", "90"])
    here = Adam({**adam.datasets, "ADEX": given}, CUT)
    result = source_quality.missing_data(here, study, Sdtm({**sdtm.domains, "PC": both}, CUT))
    assert subjects(result, "PC CARTG", "expected", level="BASELINE") == {"S1", "S2", "S3"}
    assert subjects(result, "PC CARTG", "missing", level="BASELINE") == {"S3"}
    assert value(result, "PC CARTG", "blq", level="BASELINE") == 1
    unknown = source_quality.missing_data(adam, study, Sdtm({**sdtm.domains, "PC": both}, CUT))
    assert "PC CARTG" not in set(unknown.frame["variable"])  # of four who came at most half have a record


@pytest.mark.rule("SDQ-04")
def test_the_snapshot_states_last_date_and_what_the_data_say_about_their_state(study):
    ae = frame(
        USUBJID=["S1", "S1", "S2", "S2"],
        AESTDTC=["2026-03", "2026-01-09", "2026-02-11T10:00", None],
        AEDECOD=["Fever", None, "Rash", "Rash"],
        SDVFL=["Y", "y", None, "N"],
    )
    result = data_quality.snapshot(Adam({}, CUT), study, Sdtm({"AE": ae, "TS": frame(TSVAL=["x"])}, CUT))
    assert value(result, "AE", "coded") == 0.75
    assert value(result, "AE", "verified") == 0.5
    assert status(result, "AE", "locked") == ("NA", "not delivered")
    assert value(result, "AE", "last") == (CUT.date() - date(2026, 2, 11)).days
    assert status(result, "TS", "last") == ("NA", "no date")
    (first, *_) = display.table_snapshot(result, study).rows
    cells = [cell.text for cell in first.cells]
    assert cells[:3] == ["AE", "4", "2"]
    assert cells[5:] == [str((CUT.date() - date(2026, 2, 11)).days), "50", "75", "–", "–"]


AE = frame(USUBJID=["S1", "S1"], AESEQ=[1.0, 2.0], AETOXGR=["2", "1"], AEREL=["NONE", "NONE"])
QUERY = {"USUBJID": "S1", "QDOMAIN": "AE", "QKEY": "AESEQ=2", "QFIELD": "AETOXGR", "QTEXT": "Confirm the grade", "QSTDTC": "2026-05-01"}  # fmt: skip


@pytest.fixture
def asked(monkeypatch, study):
    """Answers queries on AE; the primary number is the number of events of grade 3 or higher, or of dose-limiting ones."""
    runs = []

    def build_adam(sdtm, study, *, asked):
        runs.append(sdtm)
        return sdtm

    def primary(sdtm, study, domain):
        ae, supp = sdtm.domain("AE"), sdtm.domain("SUPPAE")
        if (ae["AETOXGR"] == "9").any():
            raise DataError([])
        yield ("T 1", "grade"), float((ae["AETOXGR"] > "2").sum())
        yield ("T 2", "dlt"), float((supp["QVAL"] == "Y").sum()) if "QVAL" in supp else 0.0
        yield ("T 3", "none"), float("nan")

    monkeypatch.setattr(open_queries, "build_adam", build_adam)
    monkeypatch.setattr(open_queries, "_primary", primary)
    monkeypatch.setattr(open_queries._Again, "_part", lambda self, subject: self.sdtm)

    def ask(*queries, ae=AE, **domains):
        table = pd.DataFrame([{**QUERY, "QSTATUS": "OPEN", **query} for query in queries], dtype=object)
        sdtm = Sdtm({"AE": ae, "QUERY": table, **domains}, CUT)
        return records(open_queries.open_queries(sdtm, study, sdtm)), runs

    return ask


@pytest.mark.rule("SDQ-05")
def test_the_worst_answer_moves_a_number(asked):
    (line,), runs = asked({})
    assert (line["participant"], line["field"], line["outcome"]) == ("S1", "AETOXGR", "MOVES")
    assert (line["table"], line["number"], line["recorded"], line["worst"]) == ("T 1", "grade", 0.0, 1.0)
    assert "T 14.3.1.3" in line["tables"].split(", ")
    assert len(runs) == 2
    assert AE["AETOXGR"].tolist() == ["2", "1"]
    assert runs[1].domain("AE")["AETOXGR"].tolist() == ["2", "4"]


@pytest.mark.rule("SDQ-05")
@pytest.mark.parametrize(
    ("query", "outcome", "runs"),
    [
        ({"QSTATUS": "CLOSED"}, None, 0),
        ({"QDOMAIN": "CM", "QFIELD": "CMENDTC"}, "UNREAD", 0),
        ({"QFIELD": "AESTDTC"}, "NO-RULE", 0),
        ({"QKEY": "AESEQ=7"}, "NO-RECORD", 0),
        ({"QKEY": "the rash"}, "NO-RECORD", 0),
        ({"USUBJID": "S9"}, "NO-RECORD", 0),
        ({"QFIELD": "AEREL"}, "STAYS", 2),
    ],
)
def test_what_else_a_query_can_do(asked, query, outcome, runs):
    lines, ran = asked(query)
    assert [line["outcome"] for line in lines] == ([] if outcome is None else [outcome])
    assert len(ran) == runs


@pytest.mark.rule("SDQ-05")
def test_data_that_cannot_be_analysed_say_so(asked):
    (line,), _ = asked({}, ae=AE.assign(AETOXGR=["9", "1"]))
    assert line["outcome"] == "FAILS"


@pytest.mark.rule("SDQ-05")
def test_a_qualifier_is_answered_in_its_own_domain(asked):
    supp = frame(
        USUBJID=["S1", "S1"],
        IDVAR=["AESEQ"] * 2,
        IDVARVAL=["1", "2"],
        QNAM=["DLTFL", "DLTFL"],
        QVAL=["Y", "N"],
    )
    (line,), runs = asked({"QFIELD": "DLTFL"}, SUPPAE=supp)
    assert (line["number"], line["recorded"], line["worst"]) == ("dlt", 1.0, 2.0)
    changed = runs[1].domain("SUPPAE")
    assert sorted(zip(changed["IDVARVAL"], changed["QVAL"], strict=True)) == [("1", "Y"), ("2", "Y")]


def test_a_blank_answer_in_a_column_of_numbers():
    tr = pd.DataFrame({"USUBJID": ["S1"], "TRSEQ": [4.0], "TRSTRESN": [31.0]})
    query = {"USUBJID": "S1", "QDOMAIN": "TR", "QKEY": "4", "QFIELD": "TRSTRESN"}
    made = answered(Sdtm({"TR": tr}, CUT), query, {"TRSTRESN": "", "TRSTAT": "NOT DONE"})
    assert np.isnan(made["TR"]["TRSTRESN"].iloc[0])
    assert list(made) == ["TR"]


def test_tables_that_a_field_touches():
    assert touched("LB", "LBNOTHING") == touched("LB", "LBNEITHER") != ()
    assert set(touched("AE", "AEREL")) < set(touched("AE", "AENOTHING"))
    assert touched("ZZ", "ZZ") == ()
    assert SimpleNamespace(names=touched("AE", "AETOXGR")).names[0] == "T 14.2.1.1"
