"""Patches: applied only where the old value is found, always visible; a patch that does not fit stops the run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.data.test_opening import FILES, study_in

from interim.data.opening import open_data, read_data
from interim.data.patch import Patch, apply_patches, read_patches
from interim.errors import DataError

HEAD = "domain,subject,key,variable,old,new,reason,name,date\n"
WHY = "site confirmed,A. Monitor,2026-06-20"


def patched(folder, *rows, files=FILES, draft=True):
    text = HEAD + "".join(f"{row},{WHY}\n" for row in rows)
    return study_in(folder, {**files, "patches.csv": text}, 'on_stop = "draft"' if draft else "")


def of_patches(sdtm):
    return [f for f in sdtm.findings if f.rule.startswith("PATCH")]


@pytest.mark.rule("PATCH-01")
@pytest.mark.parametrize("key", ["1", "Fever | 2026-01-06 | 1"])
def test_a_patch_changes_one_cell_and_says_so(tmp_path, key):
    plain = read_data(study_in(tmp_path, name="plain"))
    sdtm = read_data(patched(tmp_path, f"AE,X-1,{key},AESER,N,Y"))
    assert sdtm.domain("AE")["AESER"].tolist() == ["Y"]
    for name, frame in plain.domains.items():
        same = [c for c in frame.columns if (name, c) != ("AE", "AESER")]
        assert sdtm.domain(name)[same].equals(frame[same]), name
    (finding,) = of_patches(sdtm)
    assert (finding.rule, finding.severity, finding.domain) == ("PATCH", "info", "AE")
    assert (finding.subject, finding.variable, finding.value) == ("X-1", "AESER", "Y")
    assert (finding.file, finding.row) == ("patches.csv", 2)
    assert "'N'" in finding.message
    assert "site confirmed (A. Monitor, 2026-06-20)" in finding.message
    lines = [line for line in sdtm.ledger if line.rule == "PATCH"]
    assert [(x.domain, x.subject, x.variable, x.before, x.after) for x in lines] == [
        ("AE", "X-1", "AESER", "N", "Y")
    ]
    assert ("PATCH-MATCH", "stop", "run") in sdtm.rules
    assert ("PATCH", "info", "not run: PATCHES not delivered") in plain.rules


@pytest.mark.rule("PATCH-01")
def test_a_patched_value_is_typed_and_checked_like_any_other(tmp_path):
    wrong = {**FILES, "dm.csv": FILES["dm.csv"].replace("61", "sixty")}
    broken = read_data(study_in(tmp_path, wrong, name="broken"))
    assert [f.variable for f in broken.findings if f.rule == "XD-TYPE"] == ["AGE"]
    mended = read_data(patched(tmp_path, "DM,X-1,,AGE,sixty,60", files=wrong))
    assert mended.domain("DM")["AGE"].tolist() == [60.0, 55.0]
    assert [f.rule for f in mended.findings if f.rule == "XD-TYPE"] == []
    worse = read_data(patched(tmp_path, "DM,X-1,,AGE,61,sixty"))
    assert [f.value for f in worse.findings if f.rule == "XD-TYPE"] == ["sixty"]
    blank = read_data(patched(tmp_path, "AE,X-1,1,AEOUT,RESOLVED,"))
    assert blank.domain("AE")["AEOUT"].tolist() == [None]


@pytest.mark.rule("PATCH-02")
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("AE,X-1,1,AESER,Y,U", "the cell holds 'N', not the old value"),
        ("AE,X-1,1,AESER,Y,N", "the cell already holds the new value"),
        ("AE,X-1,1,AESER,,Y", "the cell holds 'N', not the old value"),
        ("AE,X-1,1,AEACN,N,Y", "AE has no column AEACN"),
        ("AE,X-1,1,SRCROW,2,3", "AE has no column SRCROW"),
        ("AE,X-1,9,AESER,N,Y", "0 records have this participant and key"),
        ("AE,X-2,1,AESER,N,Y", "0 records have this participant and key"),
        ("RS,X-1,,RSSTRESC,SD,PD", "2 records have this participant and key"),
        ("LB,X-1,1,LBORRES,1,2", "LB was not delivered"),
    ],
)
def test_a_patch_that_does_not_fit_stops_and_changes_nothing(tmp_path, row, reason):
    study = patched(tmp_path, row)
    sdtm = read_data(study)
    (finding,) = of_patches(sdtm)
    assert (finding.rule, finding.severity, finding.row) == ("PATCH-MATCH", "stop", 2)
    assert reason in finding.message
    plain = read_data(study_in(tmp_path, name="plain"))
    for name, frame in plain.domains.items():
        assert sdtm.domain(name).equals(frame)
    assert [line for line in sdtm.ledger if line.rule == "PATCH"] == []
    with pytest.raises(DataError, match="PATCH-MATCH"):
        open_data(patched(tmp_path, row, draft=False))


@pytest.mark.rule("PATCH-02")
@pytest.mark.parametrize(("lacks", "place"), [("reason", 6), ("name", 7), ("date", 8), ("variable", 3)])
def test_a_patch_nobody_answers_for_is_not_applied(tmp_path, lacks, place):
    cells = f"AE,X-1,1,AESER,N,Y,{WHY}".split(",")
    cells[place] = ""
    files = {**FILES, "patches.csv": HEAD + ",".join(cells) + "\n"}
    sdtm = open_data(study_in(tmp_path, files, 'on_stop = "draft"'))
    assert sdtm.domain("AE")["AESER"].tolist() == ["N"]
    found = [(f.severity, f.variable) for f in sdtm.findings if (f.rule, f.domain) == ("XD-REQ", "PATCHES")]
    assert found == [("stop", lacks)]


@pytest.mark.rule("PATCH-02")
def test_two_patches_of_one_cell(tmp_path):
    sdtm = open_data(patched(tmp_path, "AE,X-1,1,AESER,N,Y", "AE,X-1,1,AESER,N,U"))
    assert {"XD-KEY", "PATCH-MATCH"} <= {f.rule for f in sdtm.findings if f.severity == "stop"}
    assert sdtm.domain("AE")["AESER"].tolist() == ["Y"]


@pytest.mark.rule("PATCH-03")
def test_an_identifier_is_masked_wherever_a_patch_is_printed(tmp_path):
    files = {**FILES, "ae.csv": FILES["ae.csv"].replace("Fever", "call Mr Zhang")}
    sdtm = read_data(patched(tmp_path, "AE,X-1,1,AETERM,call Mr Zhang,Fever", files=files))
    assert sdtm.domain("AE")["AETERM"].tolist() == ["Fever"]
    (line,) = (line for line in sdtm.ledger if line.rule == "PATCH")
    assert (line.before, line.after) == ("**** ** *****", "Fever")
    assert "Zhang" not in " ".join(map(str, of_patches(sdtm)))


@pytest.mark.rule("PATCH-01")
@pytest.mark.parametrize(
    ("old", "new", "values", "kind"),
    [
        ("1.5", "2", [2.0, 3.0], float),
        ("1.5", "", [np.nan, 3.0], float),
        ("1.5", "many", ["many", 3.0], object),
    ],
)
def test_numbers_stay_numbers_where_the_new_value_is_one(old, new, values, kind):
    frame = pd.DataFrame({"USUBJID": ["A", "B"], "LBSTRESN": [1.5, 3.0]})
    patch = Patch("LB", "A", "", "LBSTRESN", old, new, "r", "n", "2026-01-01")
    made = apply_patches("LB", frame, (patch,)).frame
    pd.testing.assert_series_equal(made["LBSTRESN"], pd.Series(values, dtype=kind), check_names=False)
    assert frame["LBSTRESN"].tolist() == [1.5, 3.0]


def test_a_file_without_the_columns_is_no_patch():
    assert read_patches(None) == ()
    assert read_patches(pd.DataFrame({"domain": ["AE"]})) == ()
