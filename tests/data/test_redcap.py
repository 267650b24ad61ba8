"""A REDCap export with repeating instruments: rows, choices, check boxes, visits, forms that are not complete."""

from __future__ import annotations

import pytest

from interim.data.opening import read_data
from interim.errors import StudyError
from interim.study import read_study

DICTIONARY = """"Variable / Field Name","Form Name","Section Header","Field Type","Field Label","Choices, Calculations, OR Slider Labels","Identifier?"
record_id,demography,,text,Record,,
initials,demography,,text,Initials,,y
sex,demography,,radio,Sex,"1, Female | 2, Male",
age,demography,,text,Age,,
bmi,demography,,calc,BMI,"[w]/([h]^2)",
consent,demography,,text,Consent,,
first_dose,demography,,text,First dose,,
level,demography,,dropdown,Level,"1, Level 1 | 2, Level 2",
ae_term,ae,,text,Event,,
ae_grade,ae,,dropdown,Grade,"1, Mild | 2, Moderate | 3, Severe, very",
ae_start,ae,,text,Start,,
ae_sae,ae,,yesno,Serious,"1, Yes | 0, No",
ae_rel,ae,,checkbox,Related,"nk, NK cells | t, T cells",
ae_out,ae,,radio,Outcome,"1, Resolved | 2, Not resolved",
note,ae,,descriptive,Note,,
alt,labs,,text,ALT,,
alt_date,labs,,text,Date,,
"""
# Record 1: demography, two events, one laboratory value at two visits; record 2: demography, one event in its unrepeated row.
RAW = """record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,initials,sex,age,bmi,consent,first_dose,level,demography_complete,ae_term,ae_grade,ae_start,ae_sae,ae_rel___nk,ae_rel___t,ae_out,note,ae_complete,alt,alt_date,labs_complete
1,base_arm_1,,,AB,1,61,22.1,2026-01-02,2026-01-20,1,2,,,,,0,0,,,,30,2026-01-10,2
1,base_arm_1,ae,1,,,,,,,,,Fever,2,21/01/2026,0,1,1,1,,2,,,
1,base_arm_1,ae,2,,,,,,,,,Rash,1,02/2026,0,0,0,2,,1,,,
1,week4_arm_1,,,,,,,,,,,,,,,0,0,,,,45,2026-02-10,0
2,base_arm_1,,,CD,2,55,23.0,2026-02-02,2026-02-20,2,2,Nausea,3,2026,1,0,1,2,,2,,,
"""
MAPPING = """
[source]
name = "export"
format = "redcap"
path = "export.csv"
dictionary = "dictionary.csv"
LABELS
[visit]
base_arm_1 = [1, "SCREENING"]
week4_arm_1 = [4, "WEEK 4"]
[table.subjects]
rows = { instrument = "demography" }
[table.subjects.column]
subject = "record_id"
sex = { from = "sex", codes = { "1" = "F", "2" = "M" } }
age = { from = "age", type = "decimal" }
consent = "consent"
first_dose = "first_dose"
dose_level = { from = "level", codes = { "1" = "DL1", "2" = "DL2" } }
[table.adverse_events]
rows = { instrument = "ae" }
[table.adverse_events.column]
subject = "record_id"
term = "ae_term"
grade = "ae_grade"
start = { from = "ae_start", type = "partial_date", format = ["%d/%m/%Y", "%m/%Y", "%Y"] }
serious = { from = "ae_sae", type = "yes_no", codes = { "1" = "Y", "0" = "N" } }
related_to = { from = ["ae_rel___nk", "ae_rel___t"], type = "checkbox", codes = { "ae_rel___nk" = "CARNK", "ae_rel___t" = "CART" } }
outcome = { from = "ae_out", codes = { "1" = "RECOVERED/RESOLVED", "2" = "NOT RECOVERED/NOT RESOLVED" } }
[table.labs]
rows = { instrument = "labs" }
[table.labs.column]
subject = "record_id"
datetime = "alt_date"
test = { constant = "ALT" }
value = "alt"
unit = { constant = "U/L" }
visit = "redcap_visit"
visit_no = { from = "redcap_visit_no", type = "decimal" }
"""


def opened(folder, raw=RAW, mapping=MAPPING, dictionary=DICTIONARY, labels=""):
    (folder / "export.csv").write_text(raw, encoding="utf-8")
    if dictionary:
        (folder / "dictionary.csv").write_text(dictionary, encoding="utf-8")
    (folder / "map.toml").write_text(mapping.replace("LABELS", labels), encoding="utf-8")
    study = '[study]\nid = "X"\n[data]\nsources = ["map.toml"]\ncut_date = 2026-06-30\n'
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return read_data(read_study(folder / "study.toml"))


def found(sdtm, *rules):
    return [(f.rule, f.severity, f.domain, f.row, f.variable) for f in sdtm.findings if f.rule in rules]


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return opened(tmp_path_factory.mktemp("redcap"))


@pytest.mark.rule("REDCAP-01")
def test_each_instrument_has_its_rows_and_every_repeat(export):
    assert export.domain("DM")[["USUBJID", "SEX", "AGE", "ARMCD", "SRCROW"]].to_numpy().tolist() == [
        ["X-1", "F", 61.0, "DL1", 2],
        ["X-2", "M", 55.0, "DL2", 6],
    ]
    ae = export.domain("AE")
    assert ae[
        ["USUBJID", "AESEQ", "AETERM", "AETOXGR", "AESTDTC", "AESER", "AEREL", "SRCROW"]
    ].to_numpy().tolist() == [
        ["X-1", 1.0, "Fever", "2", "2026-01-21", "N", "CARNK;CART", 3],
        ["X-1", 2.0, "Rash", "1", "2026-02", "N", None, 4],
        ["X-2", 1.0, "Nausea", "3", "2026", "Y", "CART", 6],
    ]


@pytest.mark.rule("REDCAP-02")
def test_events_become_visits(export):
    assert export.domain("LB")[["LBORRES", "VISIT", "VISITNUM"]].to_numpy().tolist() == [
        ["30", "SCREENING", 1.0],
        ["45", "WEEK 4", 4.0],
    ]


@pytest.mark.rule("REDCAP-03")
def test_a_filled_unrepeated_row_beside_instances_and_open_forms_are_listed(export):
    assert found(export, "MAP-REPEAT") == [("MAP-REPEAT", "warn", "adverse_events", 6, "ae")]
    assert found(export, "MAP-FORM") == [
        ("MAP-FORM", "info", "adverse_events", 4, "ae_complete"),
        ("MAP-FORM", "info", "labs", 5, "labs_complete"),
    ]


@pytest.mark.rule("REDCAP-03")
def test_nothing_else_is_found_and_no_column_is_forgotten(export):
    rest = {f.rule for f in export.findings} - {"MAP-REPEAT", "MAP-FORM", "XD-DOMAIN"}
    assert rest == set()
    sources = {(s.domain, s.format, s.records) for s in export.sources}
    assert sources == {("subjects", "redcap", 2), ("adverse_events", "redcap", 3), ("labs", "redcap", 2)}
    assert all("instrument" in s.note for s in export.sources)


LABELLED = (
    RAW.replace(",AB,1,61", ",AB,Female,61")
    .replace(",CD,2,55", ",CD,Male,55")
    .replace("2026-01-20,1,2,", "2026-01-20,Level 1,Complete,")
    .replace("2026-02-20,2,2,", "2026-02-20,Level 2,Complete,")
    .replace(
        "Fever,2,21/01/2026,0,1,1,1,,2", "Fever,Moderate,21/01/2026,No,Checked,Checked,Resolved,,Complete"
    )
    .replace("Rash,1,02/2026,0,0,0,2,,1", "Rash,Mild,02/2026,No,Unchecked,Unchecked,Not resolved,,Unverified")
    .replace(
        "Nausea,3,2026,1,0,1,2,,2", 'Nausea,"Severe, very",2026,Yes,Unchecked,Checked,Not resolved,,Complete'
    )
    .replace("base_arm_1,ae,", "base_arm_1,AE,")
)


@pytest.mark.rule("REDCAP-04", source="raw and label export of the same records")
def test_a_label_export_gives_the_same_frames(export, tmp_path):
    labelled = opened(tmp_path, raw=LABELLED, labels='labels = "label"')
    for name in ("DM", "AE", "LB"):
        columns = [c for c in export.domain(name).columns if c != "SRCFILE"]
        assert labelled.domain(name)[columns].equals(export.domain(name)[columns])


@pytest.mark.rule("REDCAP-04")
def test_a_value_that_is_neither_code_nor_label_is_an_exception(tmp_path):
    sdtm = opened(tmp_path, raw=RAW.replace(",AB,1,61", ",AB,9,61"))
    assert ("MAP-VALUE", "stop", "subjects", 2, "sex") in found(sdtm, "MAP-VALUE")
    assert sdtm.domain("DM")["SEX"].tolist() == [None, "M"]


@pytest.mark.rule("REDCAP-05")
@pytest.mark.parametrize(
    ("column", "field", "words"),
    [("cohort", "initials", "identifying"), ("ecog", "bmi", "calculated")],
)
def test_fields_that_are_no_outputs_are_never_mapped(tmp_path, column, field, words):
    mapping = MAPPING.replace('consent = "consent"', f'consent = "consent"\n{column} = "{field}"')
    sdtm = opened(tmp_path, mapping=mapping)
    (hit,) = [f for f in sdtm.findings if f.rule == "MAP-FIELD"]
    assert (hit.severity, hit.variable, words in hit.message) == ("stop", field, True)


@pytest.mark.rule("REDCAP-05")
def test_an_instrument_or_a_dictionary_that_is_not_there(tmp_path):
    sdtm = opened(tmp_path, mapping=MAPPING.replace('instrument = "labs"', 'instrument = "blood"'))
    (hit,) = [f for f in sdtm.findings if f.value == "blood"]
    assert "demography, ae, labs" in hit.message
    (tmp_path / "dictionary.csv").unlink()
    sdtm = opened(tmp_path, dictionary="")
    assert {f.rule for f in sdtm.findings if f.file == "dictionary.csv"} == {"XD-FILE"}
    sdtm = opened(tmp_path, dictionary="a,b\n1,2\n")
    assert any("no data dictionary of REDCap" in f.message for f in sdtm.findings)


@pytest.mark.rule("REDCAP-05")
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('dictionary = "dictionary.csv"\n', "", "needs its dictionary"),
        ('rows = { instrument = "ae" }\n', "", "belongs to every table"),
        ('format = "redcap"', 'format = "csv"', "only it has one"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(tmp_path, old, new, words):
    with pytest.raises(StudyError, match=words):
        opened(tmp_path, mapping=MAPPING.replace(old, new))


@pytest.mark.rule("REDCAP-01")
def test_an_export_without_repeats(tmp_path):
    lines = [line.split(",") for line in RAW.splitlines()]
    flat = "\n".join(",".join(line[:1] + line[4:]) for line in (lines[0], lines[1], lines[5]))
    mapping = MAPPING.replace('visit = "redcap_visit"\n', "").replace(
        'visit_no = { from = "redcap_visit_no", type = "decimal" }\n', ""
    )
    sdtm = opened(tmp_path, raw=flat, mapping=mapping)
    assert sdtm.domain("DM")["USUBJID"].tolist() == ["X-1", "X-2"]
    assert sdtm.domain("AE")["AETERM"].tolist() == ["Nausea"]
    assert found(sdtm, "MAP-REPEAT") == []
