"""A study that enters with finished analysis datasets: six participants by hand, two arms, no source records."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from inspect import signature

import pandas as pd
import pytest

from interim.adam import build_adam, open_adam
from interim.data import open_data
from interim.errors import DataError, StudyError
from interim.report.registry import registry
from interim.study import read_study

# Two arms of three; B-2 died on day 61, A-2 without a set; one partial response.
ADSL = """STUDYID,USUBJID,AGE,SEX,TRT01P,ENRLFL,SAFFL,FASFL,RESFL,DTHFL,TRTSDT
X,A-1,61,F,A,Y,Y,Y,Y,N,2025-01-10
X,A-2,44,M,A,Y,N,N,N,N,
X,A-3,70,F,A,Y,Y,Y,Y,N,2025-02-01
X,B-1,50,M,B,Y,Y,Y,Y,N,2025-01-20
X,B-2,66,F,B,Y,Y,Y,Y,Y,2025-03-01
X,B-3,58,M,B,N,N,N,N,N,
"""
ADRS = """USUBJID,PARCAT2,PARAMCD,AVALC
A-1,INVESTIGATOR,BOR,PR
A-3,INVESTIGATOR,BOR,SD
B-1,INVESTIGATOR,BOR,NON-CR/NON-PD
B-2,INVESTIGATOR,BOR,PD
"""
ADTTE = """USUBJID,PARAMCD,AVAL,AVALU,CNSR,EVNTDESC
A-1,OS,12,MONTHS,1,alive at the cut-off
A-3,OS,300,DAYS,1,alive at the cut-off
B-1,OS,0.5,YEARS,2,lost to follow-up
B-2,OS,61,DAYS,0,death
A-1,PFS,6,MONTHS,0,progression
A-3,PFS,10,WEEKS,1,
B-1,PFS,90,DAYS,1,
B-2,PFS,61,DAYS,0,death
"""
STUDY = """
[study]
id = "X"
seed = 1
[data]
stage = "adam"
path = "adam"
cut_date = 2026-01-31
[[products]]
id = "DRUG"
extrt = ["DRUG"]
role = "other"
[cohort]
variable = "TRT01P"
labels = { A = "Arm A", B = "Arm B" }
[response]
confirmation_required = false
"""


@dataclass(frozen=True)
class Opened:
    """A study with its data."""

    study: object
    sdtm: object
    adam: object


def written(folder, study=STUDY, **texts):
    (folder / "adam").mkdir(exist_ok=True)
    for name, text in {"adsl": ADSL, "adrs": ADRS, "adtte": ADTTE, **texts}.items():
        if text:
            (folder / "adam" / f"{name}.csv").write_text(text, encoding="utf-8")
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return read_study(folder / "study.toml")


def opened(folder, **changes) -> Opened:
    study = written(folder, **changes)
    sdtm = open_data(study)
    return Opened(study, sdtm, build_adam(sdtm, study))


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Opened:
    return opened(tmp_path_factory.mktemp("adam"))


def stops(folder, **changes):
    """Return (rule, subject, variable) of the findings that stop the study."""
    with pytest.raises(DataError) as caught:
        open_data(written(folder, **changes))
    return {(f.rule, f.subject, f.variable) for f in caught.value.findings if f.severity == "stop"}


def answer(data: Opened, name: str) -> pd.DataFrame:
    module, _, function = name.partition(".")
    question = getattr(import_module(f"interim.analysis.{module}"), function)
    more = (data.sdtm,) if "sdtm" in signature(question).parameters else ()
    return question(data.adam, data.study, *more).frame


def row(frame, variable, stat, *, level="", group="Total"):
    places = (frame["variable"] == variable) & (frame["stat"] == stat) & (frame["level"] == level)
    (found,) = frame[places & (frame["group"] == group)].to_dict("records")
    return found


@pytest.mark.rule("ENTRY-01", source="data contract 4: data.stage = adam")
def test_the_datasets_are_taken_as_they_are(whole):
    adsl = whole.adam["ADSL"].set_index("USUBJID")
    assert whole.sdtm.findings == ()
    assert list(adsl.index) == ["A-1", "A-2", "A-3", "B-1", "B-2", "B-3"]
    assert adsl["AGE"].tolist() == [61.0, 44.0, 70.0, 50.0, 66.0, 58.0]
    assert adsl["TRTSDT"].dtype == "datetime64[ns]"
    assert adsl.loc["B-2", "TRTSDT"] == pd.Timestamp("2025-03-01")
    assert adsl["DCUTDT"].unique().tolist() == [pd.Timestamp("2026-01-31")]
    assert set(whole.adam.datasets) == {"ADSL", "ADRS", "ADTTE"}
    source = whole.adam["ADTTE"].iloc[0]
    assert (source["USUBJID"], source["SRCDOM"], source["SRCSEQ"]) == ("A-1", "ADTTE", "2")


@pytest.mark.rule("ENTRY-02", source="data contract 6: months are 30.4375, years 365.25, weeks 7 days")
@pytest.mark.parametrize(
    ("who", "parameter", "days", "reason"),
    [
        ("A-1", "OS", 365.25, "alive at the cut-off"),
        ("A-3", "OS", 300.0, "alive at the cut-off"),
        ("B-1", "OS", 182.625, "lost to follow-up"),
        ("B-2", "OS", 61.0, "death"),
        ("A-1", "PFS", 182.625, "progression"),
        ("A-3", "PFS", 70.0, "not stated"),
    ],
)
def test_times_are_days(whole, who, parameter, days, reason):
    adtte = whole.adam["ADTTE"]
    (found,) = adtte[(adtte["USUBJID"] == who) & (adtte["PARAMCD"] == parameter)].to_dict("records")
    assert (found["AVAL"], found["AVALU"], found["RSNCD"]) == (pytest.approx(days, abs=1e-9), "DAYS", reason)
    changed = {line.subject for line in whole.sdtm.ledger if line.variable == "AVAL"}
    assert changed == {"A-1", "A-3", "B-1"}


@pytest.mark.rule("ENTRY-03")
def test_sets_cohorts_and_responders(whole):
    adsl = whole.adam["ADSL"].set_index("USUBJID")
    assert adsl["SAFNKFL"].tolist() == ["Y", "N", "Y", "Y", "Y", "N"]
    assert adsl["COHORT"].tolist() == ["A", "A", "A", "B", "B", None]
    assert adsl["COHORTA"].tolist() == ["A", None, "A", "B", "B", None]
    assert adsl.index[adsl["RESPFL"] == "Y"].tolist() == ["A-1"]
    assert adsl.loc["A-3", "RESPRS"] == "NO-RESPONSE"
    assert set(adsl["DLTEVFL"]) == {"N"}
    assert set(adsl["DLTEVRS"]) == {"NOT-DELIVERED"}
    assert whole.adam.lacks("ADSL.DLTEVFL") == "not delivered"
    assert whole.adam.lacks("ADSL.FASFL", "ADRS", "ADRS.BOR") == ""


@pytest.mark.rule("ENTRY-04")
def test_response_and_control_follow_from_the_best_response(whole):
    adrs = whole.adam["ADRS"].set_index(["PARAMCD", "USUBJID"])["AVALC"]
    assert adrs["RSP"].to_dict() == {"A-1": "Y", "A-3": "N", "B-1": "N", "B-2": "N"}
    assert adrs["DCR"].to_dict() == {"A-1": "Y", "A-3": "Y", "B-1": "Y", "B-2": "N"}
    best = answer(whole, "response.best_response")
    assert (row(best, "orr", "rate")["n"], row(best, "orr", "rate")["N"]) == (1, 4)
    assert (row(best, "dcr", "rate", group="B")["n"], row(best, "dcr", "rate", group="B")["N"]) == (1, 2)


@pytest.mark.rule("ENTRY-04")
def test_a_delivered_response_is_not_derived_again(tmp_path):
    text = "USUBJID,PARCAT2,PARAMCD,AVALC\nA-1,INVESTIGATOR,RSP,Y\nB-1,INVESTIGATOR,RSP,N\n"
    data = opened(tmp_path, adrs=text)
    assert data.adam["ADRS"]["PARAMCD"].tolist() == ["RSP", "RSP"]
    best = answer(data, "response.best_response")
    assert row(best, "orr", "rate")["n"] == 1
    assert row(best, "dcr", "rate")["reason"] == "not available: ADRS holds no DCR"


@pytest.mark.rule("ENTRY-05", source="a number that cannot be given is never zero")
@pytest.mark.parametrize(
    ("question", "variable", "stat", "level"),
    [
        ("response.best_response", "orr_confirmed", "rate", ""),
        ("response.best_response", "dcr_confirmed", "rate", ""),
        ("response.best_response", "bor_confirmed", "n", "PR"),
        ("response.best_response", "pending", "n", ""),
        ("response.best_response", "cbr", "rate", ""),
        ("duration.of_response", "DOR", "median", ""),
        ("depth.summary", "time_to_response", "median", ""),
        ("depth.summary", "depth", "median", ""),
        ("disposition.participant_flow", "new_therapy", "n", ""),
        ("disposition.participant_flow", "infusion", "n", ""),
        ("censoring.reasons", "PFS early", "n", ""),
        ("censoring.reasons", "gap", "n", ""),
        ("censoring.reasons", "new_therapy", "n", ""),
        ("concordance.contradictions", "contradictions", "n", ""),
        ("response_listing.time_points", "points", "n", ""),
        ("safety.serious_teae", "serious", "n", ""),
    ],
)
def test_what_was_not_delivered_is_not_available(whole, question, variable, stat, level):
    frame = answer(whole, question)
    places = (frame["variable"] == variable) & (frame["stat"] == stat) & (frame["level"] == level)
    found = frame[places] if places.any() else frame[frame["variable"] != "population"]
    assert len(found)
    assert set(found["status"]) == {"NA"}
    assert found["reason"].str.match("not (available|run)").all()


@pytest.mark.rule("ENTRY-05")
def test_every_question_has_an_answer_or_a_reason(whole):
    for name in dict.fromkeys(tlf.analysis for tlf in registry()):
        frame = answer(whole, name)
        assert len(frame), name
        assert frame.loc[frame["status"] == "NA", "reason"].str.len().gt(3).all(), name


@pytest.mark.rule("ENTRY-05")
def test_no_sensitivity_analysis_runs_without_source_records(whole):
    frame = answer(whole, "sensitivity.pfs")
    states = frame[frame["stat"] == "state"].set_index("variable")["text"]
    assert states["S0"] == "run"
    assert set(states.drop("S0")) == {
        "not run: the study enters with finished analysis datasets, without source records"
    }
    assert row(frame, "S0", "changed")["value"] == 0


@pytest.mark.rule("ENTRY-05")
def test_only_one_participant_alone_needs_no_other_dataset(tmp_path):
    adsl = "\n".join(ADSL.splitlines()[:2]) + "\n"
    data = opened(tmp_path, adsl=adsl, adrs="", adtte="")
    assert list(data.adam.datasets) == ["ADSL"]
    best = answer(data, "response.best_response")
    assert row(best, "orr", "rate")["reason"] == "not available: not delivered"
    assert answer(data, "survival.time_to_event")["status"].eq("NA").any()


@pytest.mark.rule("ENTRY-06")
@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        ("adrs", "B-2,INVESTIGATOR", "Z-9,INVESTIGATOR", ("ADAM-SUBJECT", "Z-9", "USUBJID")),
        ("adsl", "X,A-2,44,M,A,Y,N,N", "X,A-2,44,M,A,Y,N,N\nX,A-2,44,M,A,Y,N,N", ("XD-ROW", None, None)),
        ("adsl", "X,B-3,58,M,B,N,N,N", "X,B-3,58,M,B,N,N,Y", ("ADAM-SETS", "B-3", "FASFL")),
        ("adsl", "X,B-1,50,M,B,", "X,B-1,50,M,,", ("ADAM-COHORT", "B-1", "TRT01P")),
        ("adsl", "TRT01P", "TRTP", ("ADAM-COHORT", None, "TRT01P")),
        ("adsl", "2025-03-01", "2025-03", ("ADAM-DATE", "B-2", "TRTSDT")),
        ("adsl", "2025-03-01", "2025-02-30", ("XD-ISO", "B-2", "TRTSDT")),
        ("adsl", "2025-03-01", "2026-02-01", ("DCUT", "B-2", "TRTSDT")),
        ("adsl", ",DTHFL,", ",DEATHFL,", ("XD-COLUMN", None, "DTHFL")),
        ("adtte", "B-2,OS,61,DAYS,0", "B-2,OS,61,DAYS,-1", ("ADAM-CNSR", "B-2", "CNSR")),
        ("adtte", "B-2,OS,61,DAYS,0", "B-2,OS,-61,DAYS,0", ("ADAM-CNSR", "B-2", "AVAL")),
        ("adtte", "B-2,OS,61,DAYS,0", "B-2,OS,61,DAYS,", ("XD-REQ", "B-2", "CNSR")),
        ("adtte", "B-2,OS,61,DAYS,0", "B-2,OS,61,HOURS,0", ("ADAM-UNIT", "B-2", "AVALU")),
        ("adtte", "B-2,OS,61,DAYS,0", "B-2,OS,61,DAYS,1", ("ADAM-DEATH", "B-2", "CNSR")),
        ("adtte", "A-1,OS,12,MONTHS,1", "A-1,OS,12,MONTHS,0", ("ADAM-DEATH", "A-1", "CNSR")),
        ("adtte", "B-2,OS,61,DAYS,0", "B-2,OS,60,DAYS,0", ("ADAM-ORDER", "B-2", "AVAL")),
        (
            "adtte",
            "B-2,OS,61,DAYS,0",
            "B-2,OS,61,DAYS,0,death\nB-2,OS,61,DAYS,0",
            ("XD-KEY", "B-2", "PARAMCD"),
        ),
        ("adrs", "BOR", "OVR", ("ADAM-RESP", None, "PARAMCD")),
        ("adrs", "INVESTIGATOR", "READER", ("ADAM-RESP", None, "PARAMCD")),
        (
            "adrs",
            "A-3,INVESTIGATOR,BOR,SD",
            "A-3,INVESTIGATOR,BOR,SD\nA-3,INVESTIGATOR,RSP,Y",
            ("ADAM-RESP", "A-3", "AVALC"),
        ),
    ],
)
def test_a_defect_is_found(tmp_path, file, old, new, finding):
    text = {"adsl": ADSL, "adrs": ADRS, "adtte": ADTTE}[file]
    assert old in text
    assert finding in stops(tmp_path, **{file: text.replace(old, new)})


@pytest.mark.rule("ENTRY-06")
@pytest.mark.parametrize(("time", "wrong"), [(61, False), (60, True), (62, True)])
def test_a_time_is_that_of_its_dates(tmp_path, time, wrong):
    text = "USUBJID,PARAMCD,STARTDT,ADT,AVAL,AVALU,CNSR\n" + f"B-2,OS,2025-03-01,2025-04-30,{time},DAYS,0\n"
    if wrong:
        assert stops(tmp_path, adtte=text) == {("ADAM-TIME", "B-2", "AVAL")}
    else:
        assert opened(tmp_path, adtte=text).adam["ADTTE"]["AVAL"].tolist() == [61.0]


@pytest.mark.rule("ENTRY-06")
def test_confirmation_that_was_not_assessed_stops(tmp_path):
    text = STUDY.replace("confirmation_required = false", "confirmation_required = true")
    assert stops(tmp_path, study=text) == {("ADAM-RESP", None, "PARAMCD")}


@pytest.mark.rule("ENTRY-06")
def test_a_draft_goes_on_but_never_without_participants(tmp_path):
    draft = STUDY.replace('stage = "adam"', 'stage = "adam"\non_stop = "draft"').replace("TRT01P", "NOWHERE")
    data = open_adam(written(tmp_path, study=draft))
    assert {f.rule for f in data.adam.findings if f.severity == "stop"} == {"ADAM-COHORT"}
    assert data.adam["ADSL"]["COHORT"].isna().all()
    (tmp_path / "adam" / "adsl.csv").unlink()
    with pytest.raises(DataError, match="needs ADSL"):
        open_adam(read_study(tmp_path / "study.toml"))


@pytest.mark.rule("ENTRY-06")
def test_all_defects_are_reported_at_once(tmp_path):
    study = written(
        tmp_path, adrs=ADRS.replace("B-2", "Z-9"), adtte=ADTTE.replace("B-2,OS,61,DAYS,0", "B-2,OS,61,DAYS,1")
    )
    with pytest.raises(DataError) as caught:
        open_adam(study)
    assert {f.rule for f in caught.value.findings} == {"ADAM-SUBJECT", "ADAM-DEATH"}


@pytest.mark.rule("ENTRY-07")
def test_rules_about_source_records_are_not_run(whole):
    states = {rule: state for rule, _, state in (*whole.sdtm.rules, *whole.adam.rules)}
    assert states["ADAM-SUBJECT"] == states["XD-KEY"] == states["ADAM-DEATH"] == "run"
    assert states["DCUT-KEY"] == "not run: finished analysis datasets are not cut"
    assert states["AE-ORDER"] == "not run: AE not delivered"
    assert states["RS-DERIV"].startswith("not run: the study enters with finished")


@pytest.mark.rule("ENTRY-07")
def test_the_snapshot_says_with_what_the_study_enters(whole):
    frame = answer(whole, "data_quality.snapshot")
    assert row(frame, "study", "stage", level="X", group="Total")["text"].startswith(
        "the study enters with finished"
    )


@pytest.mark.rule("ENTRY-08")
def test_datasets_of_the_other_stage_are_left_unread(tmp_path):
    data = opened(tmp_path, dm="STUDYID,USUBJID\nX,A-1\n")
    assert [(f.rule, f.severity, f.file) for f in data.sdtm.findings] == [("MAP-DOMAIN", "info", "dm.csv")]
    sdtm = STUDY.replace('stage = "adam"\n', "")
    assert ("XD-DOMAIN", None, None) in stops(tmp_path, study=sdtm)


MAPPING = """
[source]
name = "one file"
path = "wide.csv"
[table.ADSL.column]
STUDYID = { constant = "X" }
USUBJID = "id"
TRT01P = "arm"
ENRLFL = { constant = "Y" }
SAFNKFL = { constant = "Y" }
FASFL = { constant = "Y" }
DTHFL = { from = "dead", codes = { "1" = "Y", "0" = "N" } }
[[table.ADTTE]]
[table.ADTTE.column]
USUBJID = "id"
PARAMCD = { constant = "OS" }
AVAL = { from = "os", type = "decimal" }
AVALU = { constant = "MONTHS" }
CNSR = { from = "dead", codes = { "1" = 0, "0" = 1 } }
[[table.ADTTE]]
[table.ADTTE.column]
USUBJID = "id"
PARAMCD = { constant = "PFS" }
AVAL = { from = "pfs", type = "decimal" }
AVALU = { constant = "MONTHS" }
CNSR = { from = "progressed", codes = { "1" = 0, "0" = 1 } }
"""


@pytest.mark.rule("MAP-07", source="several parts of one table")
def test_one_wide_file_fills_several_datasets(tmp_path):
    (tmp_path / "wide.csv").write_text("id,arm,dead,os,progressed,pfs,note\n1,A,1,4,1,2,x\n2,B,0,8,0,8,y\n")
    (tmp_path / "wide.toml").write_text(MAPPING)
    data = opened(tmp_path, study=STUDY.replace('path = "adam"', 'sources = ["wide.toml"]'))
    times = data.adam["ADTTE"][["USUBJID", "PARAMCD", "AVAL", "CNSR"]].to_numpy().tolist()
    assert times == [
        ["1", "OS", 121.75, 0.0],
        ["1", "PFS", 60.875, 0.0],
        ["2", "OS", 243.5, 1.0],
        ["2", "PFS", 243.5, 1.0],
    ]
    assert [(s.domain, s.records) for s in data.sdtm.sources] == [("ADSL", 2), ("ADTTE", 4)]
    forgotten = {(f.rule, f.domain, f.variable) for f in data.sdtm.findings}
    assert forgotten == {("MAP-COLUMN", "ADSL", "note"), ("MAP-COLUMN", "ADTTE", "note")}


@pytest.mark.rule("ENTRY-08")
def test_a_mapping_for_the_other_stage_is_wrong(tmp_path):
    (tmp_path / "wide.toml").write_text(MAPPING)
    study = STUDY.replace('stage = "adam"\n', "").replace('path = "adam"', 'sources = ["wide.toml"]')
    with pytest.raises(StudyError, match=r"table\.ADSL: is not an SDTM domain, but data\.stage = 'sdtm'"):
        open_data(written(tmp_path, study=study))
