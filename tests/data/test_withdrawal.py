"""A participant who has withdrawn their data is removed before anything is checked, cut or derived."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.data.test_opening import FILES, no_checks, study_in  # noqa: F401

from interim.data import open_data
from interim.data.opening import read_data
from interim.data.withdrawal import MARK, without_withdrawn
from interim.errors import DataError, Finding
from interim.study.withdrawn import read_withdrawals, withdrawal_file

MORE = {
    "dm.csv": (
        "STUDYID,USUBJID,SUBJID,AGE,AGEU,SEX,ARMCD,ACTARMCD,RFICDTC\n"
        "X,X-01-001,01-001,61,YEARS,F,DL1,DL1,2026-01-01\nX,X-01-002,01-002,55,YEARS,M,DL1,DL1,2026-01-02\n"
        "X,X-01-0010,01-0010,50,YEARS,M,DL1,DL1,2026-01-03\n"
    ),
    "ex.csv": FILES["ex.csv"].replace("X-1,", "X-01-002,"),
    "ae.csv": (
        "STUDYID,USUBJID,AESEQ,AETERM,AESTDTC,AESER,AEOUT,AEREL\nX,X-01-001,1,Fever,2026-01-06,N,RESOLVED,CARNK\n"
        "X,X-01-002,1,Rash as in X-01-001 and 01-001,2026-01-07,N,RESOLVED,CARNK\n"
        "X,X-01-0010,1,Rash in room 01-0011,2026-01-07,N,RESOLVED,CARNK\n"
    ),
    "rs.csv": FILES["rs.csv"].replace("X-1,", "X-01-001,"),
}


def listed(study, text: str):
    file = withdrawal_file(study)
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return study


@pytest.mark.rule("PRV-13")
@pytest.mark.parametrize(
    ("text", "ids", "twice"),
    [
        ("", (), ()),
        ("X-1\n", ("X-1",), ()),
        ("# none yet\n\n", (), ()),
        ("X-2\n  X-1  # letter of 3 May\n", ("X-2", "X-1"), ()),
        ("X-1\nX-2\nX-1\nX-1 # again\n", ("X-1", "X-2"), ((3, 1), (4, 1))),
        ("\ufeffX-1\r\nX-2\r\n", ("X-1", "X-2"), ()),
    ],
)
def test_the_list_is_read_line_by_line(tmp_path, text, ids, twice):
    study = listed(study_in(tmp_path), text)
    found = read_withdrawals(study)
    assert (found.ids, found.twice) == (ids, twice)
    assert withdrawal_file(study) == tmp_path / "withdrawn" / "X.txt"


@pytest.mark.rule("PRV-13")
def test_without_a_list_the_data_are_the_same_object(tmp_path):
    study = study_in(tmp_path)
    sdtm = read_data(study)
    assert without_withdrawn(sdtm, study) is sdtm


@pytest.mark.rule("PRV-13")
def test_every_record_goes_and_nothing_else(tmp_path):
    study = listed(study_in(tmp_path, MORE), "X-01-001\n")
    before = read_data(study)
    after = without_withdrawn(before, study)
    assert set(after.domains) == set(before.domains)
    for name, frame in before.domains.items():
        kept = after.domain(name)
        assert kept["USUBJID"].tolist() == [one for one in frame["USUBJID"] if one != "X-01-001"]
        assert kept.dtypes.to_dict() == frame.dtypes.to_dict()
        rows = frame[frame["USUBJID"] != "X-01-001"].reset_index(drop=True)
        pd.testing.assert_frame_equal(
            kept.drop(columns="AETERM", errors="ignore"), rows.drop(columns="AETERM", errors="ignore")
        )
    assert len(after.domain("RS")) == 0


@pytest.mark.rule("PRV-13", source="the terms of MORE above, by hand")
def test_a_text_of_somebody_else_names_them_no_more(tmp_path):
    study = listed(study_in(tmp_path, MORE), "X-01-001\n")
    terms = without_withdrawn(read_data(study), study).domain("AE")["AETERM"].tolist()
    assert terms == [f"Rash as in {MARK} and {MARK}", "Rash in room 01-0011"]


@pytest.mark.rule("PRV-13")
def test_what_was_found_in_their_records_goes_too(tmp_path):
    study = listed(study_in(tmp_path, MORE), "X-01-001\n")
    findings = (
        Finding("A", "warn", "AE", "about them", subject="X-01-001"),
        Finding("B", "warn", "AE", "about them", subject="01-001"),
        Finding("C", "warn", "AE", "a cell of theirs", file="ae.csv", row=2),
        Finding("D", "warn", "AE", "differs from X-01-001", subject="X-01-002", file="ae.csv", row=3),
        Finding("E", "warn", "AE", "a file", file="ae.csv"),
    )
    after = without_withdrawn(read_data(study).with_findings(findings), study)
    kept = {finding.rule: finding.message for finding in after.findings if len(finding.rule) == 1}
    assert kept == {"D": f"differs from {MARK}", "E": "a file"}


@pytest.mark.rule("PRV-14")
@pytest.mark.parametrize(
    ("text", "named", "files"),
    [
        ("X-9\n", "X-9", FILES),
        ("X-1\nX-9\nX-8\n", "X-9, X-8", FILES),
        ("x-1\n", "x-1", FILES),
        ("01-001\n", "01-001", MORE),
    ],
)
def test_an_id_that_nobody_has_stops_the_run_in_one_finding(tmp_path, text, named, files, no_checks):  # noqa: F811
    study = listed(study_in(tmp_path, files, data='on_stop = "draft"'), text)
    with pytest.raises(DataError) as caught:
        open_data(study)
    (finding,) = caught.value.findings
    assert (finding.rule, finding.severity, finding.file) == ("WD-UNKNOWN", "stop", "X.txt")
    assert finding.message.startswith(f"withdrawn from data use, but no participant of the data: {named};")
    assert no_checks == []


@pytest.mark.rule("PRV-14")
def test_an_id_that_stands_twice_is_a_finding_that_does_not_repeat_it(tmp_path, no_checks):  # noqa: F811
    study = listed(study_in(tmp_path, MORE), "X-01-001\n# by letter\nX-01-001\n")
    sdtm = open_data(study)
    (finding,) = [one for one in sdtm.findings if one.rule == "WD-TWICE"]
    assert (finding.severity, finding.row, finding.message) == (
        "warn",
        3,
        "line 3 repeats the id of line 1; remove one of them",
    )
    assert "01-001" not in str(finding)
    assert {rule for rule, *_ in sdtm.rules} >= {"WD-UNKNOWN", "WD-TWICE"}


@pytest.mark.rule("PRV-14")
def test_a_list_that_cannot_be_read_stops_the_run(tmp_path):
    study = study_in(tmp_path)
    file = withdrawal_file(study)
    file.parent.mkdir()
    file.write_bytes(b"X-1\xff\n")
    with pytest.raises(DataError, match="cannot be read"):
        open_data(study)


@pytest.mark.rule("PRV-13")
def test_the_data_are_those_of_a_delivery_without_them(tmp_path, no_checks):  # noqa: F811
    study = listed(study_in(tmp_path, MORE), "X-01-001\n")
    found = open_data(study)
    lines = {
        name: [line for line in text.splitlines() if ",X-01-001," not in line] for name, text in MORE.items()
    }
    other = tmp_path / "other"
    other.mkdir()
    plain = open_data(study_in(other, {name: "\n".join(text) + "\n" for name, text in lines.items()}))
    for name in plain.domains:
        drop = ["SRCROW", "AETERM"]
        one, two = (sdtm.domain(name).drop(columns=drop, errors="ignore") for sdtm in (found, plain))
        pd.testing.assert_frame_equal(one.reset_index(drop=True), two.reset_index(drop=True))
    pd.testing.assert_frame_equal(found.counts, plain.counts)
