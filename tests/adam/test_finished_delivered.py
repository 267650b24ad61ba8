"""Finished datasets, value by value: what contradicts is found; the package's own export and a public study enter without a stop."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from tests.adam.test_finished import ADRS, STUDY, answer, opened, row, written

from interim.adam import build_adam, open_adam
from interim.data import open_data
from interim.data.write.tables import write_dataset_json
from interim.example.write import write_study
from interim.report.export import _dates_as_text
from interim.report.registry import registry
from interim.study import read_study

ROOT = Path(__file__).resolve().parents[2]
# By hand: B-2 died on 2025-04-30 (61 days from 2025-03-01). Last treatment of A-1 on 2025-03-10.
WHOLE_ADSL = """STUDYID,USUBJID,AGE,SEX,TRT01P,ENRLFL,SAFFL,FASFL,RESFL,DTHFL,TRTSDT,TRTEDT,DTHDT,LSTALVDT,DLTFL
X,A-1,61,F,A,Y,Y,Y,Y,,2025-01-10,2025-03-10,,2026-01-01,N
X,A-2,44,M,A,Y,N,N,N,,,,,2025-02-01,N
X,A-3,70,F,A,Y,Y,Y,Y,,2025-02-01,2025-02-01,,2025-12-01,N
X,B-1,50,M,B,Y,Y,Y,Y,,2025-01-20,2025-01-20,,2025-07-20,N
X,B-2,66,F,B,Y,Y,Y,Y,Y,2025-03-01,2025-03-20,2025-04-30,2025-04-30,N
X,B-3,58,M,,Y,N,N,N,,,,,,N
"""
ADAE = """USUBJID,AETERM,AEDECOD,AEBODSYS,AESER,AEOUT,AESDTH,AETOXGRN,ASTDT,AENDT,TRTEMFL,ADURN,AGE
A-1,Fever,Pyrexia,General,N,RECOVERED/RESOLVED,N,2,2025-01-12,2025-01-14,Y,3,61
A-1,Rash,Rash,Skin,N,RECOVERED/RESOLVED,N,1,2025-01-02,2025-01-03,,2,61
A-3,Late cough,Cough,Chest,N,RECOVERED/RESOLVED,N,1,2025-03-20,2025-03-20,,1,70
B-2,Sepsis,Sepsis,Infections,Y,FATAL,Y,5,2025-04-20,2025-04-30,,11,66
"""
ADLB = """USUBJID,PARAMCD,PARAM,ADT,AVISIT,AVAL,AVALC,AVALU,ANRLO,ANRHI,ANRIND,ABLFL,BASE,CHG,ONTRTFL,ATOXDSCH,ATOXGRH,ATOXGRL,BTOXGRH
A-1,ALT,ALT,2025-01-09,BASELINE,20,20,U/L,5,40,NORMAL,Y,20,,,ALT increased,0,,0
A-1,ALT,ALT,2025-01-20,DAY 10,130,130,U/L,5,40,HIGH,,20,110,Y,ALT increased,2,,0
B-2,ALT,ALT,2025-02-27,BASELINE,30,30,U/L,5,40,NORMAL,Y,30,,,ALT increased,0,,0
B-2,ALT,ALT,2025-03-10,DAY 10,4,4,U/L,5,40,LOW,,30,-26,Y,ALT increased,0,,0
"""
ADTR = """USUBJID,PARCAT2,PARAMCD,ADT,AVISITN,AVISIT,AVAL,AVALU,BASE,CHG,PCHG,NADIR,ABLFL
A-1,INVESTIGATOR,SDIAM,2025-01-05,0,BASELINE,50,mm,50,,,,Y
A-1,INVESTIGATOR,SDIAM,2025-03-05,8,WEEK 8,30,mm,50,-20,-40,50,
A-1,INVESTIGATOR,SDIAM,2025-05-05,16,WEEK 16,35,mm,50,-15,-30,30,
"""
POINTS = "A-1,INVESTIGATOR,OVR,PR\nA-3,INVESTIGATOR,OVR,SD\n"
FILES = {"adsl": WHOLE_ADSL, "adae": ADAE, "adlb": ADLB, "adtr": ADTR, "adrs": ADRS + POINTS}
TIMES = "USUBJID,PARAMCD,STARTDT,ADT,AVAL,AVALU,CNSR\nB-2,OS,2025-03-01,2025-04-30,61,DAYS,0\n"


def found(folder, **changes):
    draft = STUDY.replace('stage = "adam"', 'stage = "adam"\non_stop = "draft"')
    data = open_data(written(folder, study=draft, **{**FILES, "adtte": TIMES, **changes}))
    return {(f.rule, f.severity, f.subject, f.variable) for f in data.findings if f.rule != "MAP-COLUMN"}


@pytest.mark.rule("ENTRY-09")
def test_datasets_without_a_contradiction_give_no_finding(tmp_path):
    assert found(tmp_path) == set()


@pytest.mark.rule("ENTRY-09", source="data contract 4: keys, codes, CNSR and dates are checked the same way")
@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        ("adae", "N,2,2025-01-12", "N,6,2025-01-12", ("ADAM-GRADE", "stop", "A-1", "AETOXGRN")),
        ("adae", "N,2,2025-01-12", "N,0,2025-01-12", ("ADAM-GRADE", "stop", "A-1", "AETOXGRN")),
        ("adlb", "ALT increased,2,", "ALT increased,7,", ("ADAM-GRADE", "stop", "A-1", "ATOXGRH")),
        ("adae", "FATAL,Y,5", "FATAL,Y,4", ("ADAM-FATAL", "stop", "B-2", "AETOXGRN")),
        ("adae", "FATAL,Y,5", "RECOVERED/RESOLVED,Y,5", ("ADAM-FATAL", "stop", "B-2", "AEOUT")),
        ("adae", "FATAL,Y,5", "FATAL,N,5", ("ADAM-FATAL", "stop", "B-2", "AESDTH")),
        (
            "adae",
            "RECOVERED/RESOLVED,N,2,",
            "FATAL,Y,5,",
            ("ADAM-FATAL", "stop", "A-1", "USUBJID"),
        ),
        ("adae", "2025-01-14,Y,3", "2025-01-14,,3", ("ADAM-TEAE", "warn", "A-1", "TRTEMFL")),
        ("adae", "2025-03-20,,1,70", "2025-03-20,Y,1,70", ("ADAM-TEAE", "warn", "A-3", "TRTEMFL")),
        ("adae", "2025-01-03,,2", "2025-01-03,Y,2", ("ADAM-EVENT", "stop", "A-1", "TRTEMFL")),
        ("adae", "2025-01-14,Y,3", "2025-01-14,Y,2", ("ADAM-DURATION", "warn", "A-1", "ADURN")),
        (
            "adae",
            "2025-04-20,2025-04-30,,11",
            "2025-05-02,2025-05-03,,2",
            ("ADAM-POSTDTH", "stop", "B-2", "ASTDT"),
        ),
        ("adae", ",11,66", ",11,67", ("ADAM-REPEAT", "warn", "B-2", "AGE")),
        ("adae", "A-3,Late", "A-9,Late", ("ADAM-SUBJECT", "stop", "A-9", "USUBJID")),
        (
            "adlb",
            "A-1,ALT,ALT,2025-01-09",
            "A-9,ALT,ALT,2025-01-09",
            ("ADAM-SUBJECT", "stop", "A-9", "USUBJID"),
        ),
        ("adlb", "2025-03-10,DAY 10,4", "2025-05-01,DAY 10,4", ("ADAM-POSTDTH", "stop", "B-2", "ADT")),
        ("adlb", "DAY 10,130,130", "DAY 10,130,13", ("ADAM-AVALC", "stop", "A-1", "AVALC")),
        (
            "adlb",
            "DAY 10,130,130,U/L,5,40,HIGH,,",
            "DAY 10,130,130,U/L,5,40,HIGH,Y,",
            ("ADAM-BASE", "stop", "A-1", "ABLFL"),
        ),
        ("adlb", "NORMAL,Y,20,,,ALT", "NORMAL,Y,21,,,ALT", ("ADAM-BASE", "stop", "A-1", "BASE")),
        ("adlb", "2025-01-09,BASELINE", "2025-01-11,BASELINE", ("ADAM-BASE", "stop", "A-1", "ABLFL")),
        ("adlb", "130,U/L,5,40,HIGH", "130,U/L,5,40,NORMAL", ("ADAM-LBRANGE", "warn", "A-1", "ANRIND")),
        ("adlb", "130,U/L,5,40,HIGH", "130,U/L,40,5,HIGH", ("ADAM-LBRANGE", "warn", "A-1", "ANRHI")),
        ("adlb", "NORMAL,Y,30,,,", "NORMAL,Y,30,,Y,", ("ADAM-ONTRT", "stop", "B-2", "ONTRTFL")),
        ("adlb", ",20,110,Y", ",20,100,Y", ("ADAM-LBCHG", "stop", "A-1", "CHG")),
        ("adlb", "A-1,ALT,ALT,2025-01-20", "A-1,ALT,ALT,2025-01", ("ADAM-DATE", "stop", "A-1", "ADT")),
        ("adtr", "35,mm,50,-15,-30,30", "35,mm,50,-15,-30,50", ("ADAM-NADIR", "warn", "A-1", "NADIR")),
        ("adtr", "35,mm,50,-15,-30,30", "35,mm,50,-15,-20,30", ("ADAM-CHANGE", "stop", "A-1", "PCHG")),
        ("adrs", "A-3,INVESTIGATOR,BOR,SD", "A-3,INVESTIGATOR,BOR,PR", ("ADAM-BEST", "warn", "A-3", "AVALC")),
        ("adrs", "A-3,INVESTIGATOR,OVR", "A-3,INVESTIGATOR,XYZ", ("ADAM-PARAM", "info", None, "PARAMCD")),
        ("adtte", "B-2,OS", "B-2,SURV", ("ADAM-PARAM", "info", None, "PARAMCD")),
        ("adtte", "2025-04-30,61", "2025-04-29,60", ("ADAM-OSDATE", "warn", "B-2", "ADT")),
        (
            "adsl",
            "Y,2025-03-01,2025-03-20,2025-04-30",
            ",2025-03-01,2025-03-20,2025-04-30",
            ("ADAM-DATES", "stop", "B-2", "DTHFL"),
        ),
        (
            "adsl",
            "2025-04-30,2025-04-30,N",
            "2025-04-30,2025-05-30,N",
            ("ADAM-DATES", "stop", "B-2", "DTHDT"),
        ),
        ("adsl", "2025-01-10,2025-03-10", "2025-01-10,2025-01-03", ("ADAM-DATES", "stop", "A-1", "TRTEDT")),
        ("adsl", "B-1,50,M,B", "B-1,50,M,", ("ADAM-COHORT", "stop", "B-1", "TRT01P")),
    ],
)
def test_each_contradiction_is_found_at_its_record(tmp_path, file, old, new, finding):
    text = {**FILES, "adtte": TIMES}[file]
    assert old in text
    assert finding in found(tmp_path, **{file: text.replace(old, new)})


@pytest.mark.rule("ENTRY-09")
def test_a_number_beside_a_flag_must_agree(tmp_path):
    head = "USUBJID,PARCAT2,PARAMCD,AVALC,AVAL\n"
    rows = "A-1,INVESTIGATOR,RSP,Y,1\nA-3,INVESTIGATOR,RSP,N,0\nB-1,INVESTIGATOR,RSP,N,1\nA-1,INVESTIGATOR,BOR,PR,2\n"
    wrong = {item for item in found(tmp_path, adrs=head + rows) if item[0] == "ADAM-AVALC"}
    assert wrong == {("ADAM-AVALC", "stop", "B-1", "AVALC")}


@pytest.mark.rule("ENTRY-09")
def test_only_evaluated_parameters_need_an_evaluator(tmp_path):
    rows = ADRS.replace("B-1,INVESTIGATOR,BOR", "B-1,,BOR") + "B-2,,DEATH,Y\n"
    wrong = {item for item in found(tmp_path, adrs=rows) if item[0] == "XD-REQ"}
    assert wrong == {("XD-REQ", "stop", "B-1", "PARCAT2")}


@pytest.mark.rule("ENTRY-09", source="ADaM: a flag is Y or blank")
def test_a_blank_flag_means_that_it_does_not_hold(tmp_path):
    data = opened(tmp_path, **FILES, adtte="")
    frame = answer(data, "safety.teae_summary")
    assert row(frame, "teae", "n")["n"] == 1
    assert data.adam["ADAE"]["TRTEMFL"].fillna("").tolist().count("Y") == 1


@pytest.mark.rule("ENTRY-10")
def test_laboratory_tables_read_the_delivered_values(tmp_path):
    data = opened(tmp_path, **FILES, adtte="")
    adlb = data.adam["ADLB"]
    assert adlb["BASETYPE"].nunique() == 1
    assert adlb["SRCDOM"].unique().tolist() == ["ADLB"]
    frame = answer(data, "laboratory.grade_shift")
    frame = frame[frame["group"] == "Total"]
    worst = frame[(frame["variable"] == "ALT high") & (frame["stat"] == "n") & (frame["level"] == "any")]
    assert worst["n"].tolist() == [2]
    rise = frame[(frame["variable"] == "ALT high") & (frame["stat"] == "rise")].iloc[0]
    assert rise["n"] == 1
    listed = answer(data, "conduct_listing.laboratory")
    assert listed[(listed["stat"] == "results") & (listed["status"] == "OK")]["value"].tolist() == [2.0, 2.0]


@pytest.mark.rule("ENTRY-10", source="a number that cannot be given is never zero")
@pytest.mark.parametrize(
    ("gone", "question", "why"),
    [
        ("ATOXGRH ATOXGRL", "laboratory.grade_shift", "ADLB holds no ATOXGRL and no ATOXGRH"),
        ("ATOXGRH ATOXGRL", "laboratory.significant_deviations", "ADLB holds no ATOXGRL and no ATOXGRH"),
        ("ATOXGRH ATOXGRL", "safety_listing.severe_results", "ADLB holds no ATOXGRL and no ATOXGRH"),
        ("ONTRTFL", "laboratory.grade_shift", "ADLB holds no ONTRTFL"),
        ("ANRHI", "laboratory.hepatotoxicity", "ADLB holds no ANRHI"),
        ("ANRHI", "laboratory.liver_peaks", "ADLB holds no ANRHI"),
        ("AVISIT", "laboratory.values_by_visit", "ADLB holds no AVISIT"),
    ],
)
def test_what_adlb_does_not_hold_is_not_available(tmp_path, gone, question, why):
    text = ADLB
    for name in gone.split():
        text = re.sub(rf"\b{name}\b", f"X{name}"[:8], text)
    data = opened(tmp_path, **{**FILES, "adlb": text}, adtte="")
    frame = answer(data, question)
    told = frame[frame["variable"] != "population"]
    assert set(told["status"]) == {"NA"}
    assert told["reason"].str.contains(why).all()


@pytest.mark.rule("ENTRY-10")
def test_a_base_type_of_another_reference_is_not_taken_for_the_first(tmp_path):
    lines = ADLB.splitlines()
    several = [
        lines[0] + ",BASETYPE",
        *(f"{line},{'LAST' if n % 2 else 'WORST'}" for n, line in enumerate(lines[1:])),
    ]
    data = opened(tmp_path, **{**FILES, "adlb": "\n".join(several) + "\n"}, adtte="")
    frame = answer(data, "laboratory.grade_shift")
    assert "holds no record of the base type" in frame.loc[frame["status"] == "NA", "reason"].iloc[0]
    one = [lines[0] + ",BASETYPE", *(f"{line},LAST" for line in lines[1:])]
    data = opened(tmp_path, **{**FILES, "adlb": "\n".join(one) + "\n"}, adtte="")
    assert set(answer(data, "laboratory.grade_shift")["status"]) == {"OK"}


@pytest.mark.rule("ENTRY-11")
def test_variables_of_adsl_that_other_datasets_repeat_stay_in_adsl(tmp_path):
    adtr = [line + (",TRTSDT,SEX" if n == 0 else ",2025-01-10,F") for n, line in enumerate(ADTR.splitlines())]
    data = opened(tmp_path, **{**FILES, "adtr": "\n".join(adtr) + "\n"}, adtte="")
    assert not {"TRTSDT", "SEX", "TRTSDT_x"} & set(data.adam["ADTR"].columns)
    assert "DLTFL" not in data.adam["ADTR"]
    for tlf in registry():
        assert len(answer(data, tlf.analysis)), tlf.id


PRIMARY = (
    "disposition.analysis_sets",
    "response.best_response",
    "survival.time_to_event",
    "safety.teae_summary",
    "safety.teae_by_max_grade",
    "laboratory.grade_shift",
    "laboratory.significant_deviations",
)


@dataclass(frozen=True)
class Both:
    """The example from its source records, and from the datasets that it exports."""

    source: object
    finished: object


@dataclass(frozen=True)
class Opened:
    """As in the other tests of finished datasets."""

    study: object
    sdtm: object
    adam: object


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Both:
    folder = tmp_path_factory.mktemp("exported")
    write_study(folder / "sdtm", preset="tiny10")
    text = f'extends = "{(ROOT / "params" / "example.toml").as_posix()}"\n[data]\npath = "%s"\n'
    (folder / "source.toml").write_text(text % "sdtm")
    study = read_study(folder / "source.toml")
    sdtm = open_data(study)
    made = build_adam(sdtm, study)
    (folder / "adam").mkdir()
    for name, frame in made.datasets.items():
        write_dataset_json(_dates_as_text(frame), folder / "adam" / f"{name.lower()}.json", name=name)
    (folder / "finished.toml").write_text(text % "adam" + 'stage = "adam"\nsource_is_cut = false\n')
    again = read_study(folder / "finished.toml")
    entered = open_adam(again)
    return Both(Opened(study, sdtm, made), Opened(again, entered.sdtm, entered.adam))


@pytest.mark.rule("ENTRY-11", source="the package's own export is a delivery of finished datasets")
@pytest.mark.parametrize("question", PRIMARY)
def test_the_own_export_read_back_gives_the_same_tables(exported, question):
    left, right = (
        answer(data, question).reset_index(drop=True) for data in (exported.source, exported.finished)
    )
    pd.testing.assert_frame_equal(left, right)


@pytest.mark.rule("ENTRY-11")
def test_the_own_export_holds_no_contradiction(exported):
    rules = {f.rule for f in exported.finished.sdtm.findings}
    assert rules <= {"MAP-COLUMN", "MAP-DOMAIN"}


MAPPING = """
[source]
name = "pharmaverseadam"
format = "parquet"
path = "${INTERIM_EXTERNAL}/adam"
[table.ADSL]
rows = { file = "adsl.parquet" }
identity = true
[table.ADSL.column]
ENRLFL = { from = "ARMCD", codes = { Pbo = "Y", Xan_Lo = "Y", Xan_Hi = "Y", Scrnfail = "N" } }
FASFL = "SAFFL"
[table.ADAE]
rows = { file = "adae.parquet" }
identity = true
[table.ADAE.column]
SRCSEQ = "AESEQ"
[table.ADLB]
rows = { file = "adlb.parquet" }
identity = true
[table.ADRS]
rows = { file = "adrs_onco.parquet" }
identity = true
[table.ADRS.column]
PARCAT2 = { from = "PARCAT2", codes = { Investigator = "INVESTIGATOR" } }
[table.ADTR]
rows = { file = "adtr_onco.parquet" }
identity = true
[table.ADTTE]
rows = { file = "adtte_onco.parquet" }
identity = true
[table.ADTTE.column]
AVALU = { constant = "DAYS" }
"""


@pytest.fixture(scope="module")
def public(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("public")
    request.getfixturevalue("_external_folder")
    (folder / "public.toml").write_text(MAPPING)
    text = STUDY.replace('path = "adam"', 'sources = ["public.toml"]\non_stop = "draft"')
    text = text.replace("TRT01P", "ARMCD").replace(
        'A = "Arm A", B = "Arm B"', 'Pbo = "P", Xan_Lo = "L", Xan_Hi = "H"'
    )
    return opened(folder, study=text, adsl="", adrs="", adtte="")


@pytest.fixture(scope="module")
def _external_folder():
    import os

    folder = os.environ.get("INTERIM_EXTERNAL", "")
    if not folder or not (Path(folder) / "adam" / "adlb.parquet").is_file():
        pytest.skip("INTERIM_EXTERNAL names no folder with public analysis datasets")


@pytest.mark.rule(
    "ENTRY-11", source="pharmaverseadam: 306 participants, 254 treated; counted in its files by pandas"
)
def test_a_public_study_of_finished_datasets_is_answered_whole(public):
    external = pd.read_parquet(Path(os.environ["INTERIM_EXTERNAL"]) / "adam" / "adae.parquet")
    assert (len(public.adam["ADSL"]), len(public.adam["ADAE"]), len(public.adam["ADLB"])) == (
        306,
        1191,
        83652,
    )
    frame = answer(public, "safety.teae_summary")
    emergent = external[(external["TRTEMFL"] == "Y") & (external["SAFFL"] == "Y")]
    assert row(frame, "teae", "n")["n"] == emergent["USUBJID"].nunique()
    for tlf in registry():
        assert len(answer(public, tlf.analysis)), tlf.id


@pytest.mark.rule("ENTRY-11")
def test_what_the_public_study_contradicts_is_listed(public):
    times = public.adam["ADTTE"].set_index(["PARAMCD", "USUBJID"])["AVAL"]
    longer = [
        who for who, value in times["PFS"].items() if who in times["OS"].index and value > times["OS"][who]
    ]
    order = [f.subject for f in public.sdtm.findings if f.rule == "ADAM-ORDER"]
    assert order == longer
    assert {f.rule for f in public.sdtm.findings if f.severity == "stop"} == {"ADAM-ORDER"}


@pytest.mark.rule("ENTRY-11")
def test_the_time_of_day_of_a_laboratory_value_is_kept(tmp_path):
    text = ADLB.replace("PARAM,ADT,", "PARAM,ADT,ADTM,").replace(
        "2025-01-09,", "2025-01-09,2025-01-09T07:30,"
    )
    text = text.replace("2025-01-20,", "2025-01-20,,").replace("2025-02-27,", "2025-02-27,,")
    text = text.replace("2025-03-10,D", "2025-03-10,,D")
    data = opened(tmp_path, **{**FILES, "adlb": text}, adtte="")
    times = data.adam["ADLB"].set_index(["USUBJID", "ADT"])["ADTM"]
    assert times[("A-1", pd.Timestamp("2025-01-09"))] == pd.Timestamp("2025-01-09 07:30")
    assert times.isna().sum() == 3
