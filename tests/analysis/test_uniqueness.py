"""How unique the participants are in each copy."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis import copies as module
from interim.analysis.copies import copies, copy_ids
from interim.analysis.uniqueness import by_copy, recognisable


def adsl(rows):
    frame = pd.DataFrame(rows, columns=["SEX", "TUMTYPE", "AGE", "COHORT"])
    return frame.assign(USUBJID=[f"S-{n}" for n in range(len(frame))], SAFNKFL="Y")


ROWS = [
    ("F", "CRC", 59.0, "DL1"),
    ("F", "CRC", 52.0, "DL1"),
    ("M", "GASTRIC", 60.0, "DL2"),
    ("M", "OTHER", 71.0, "DL2"),
    ("M", None, None, "DL2"),
    ("M", "CRC", 66.0, "DL3"),
    ("M", "CRC", 67.0, "DL3"),
]


def value(result, copy, stat):
    row = result.get(f"total/{copy}/-/{stat}")
    return row["value"], row["n"], row["N"]


@pytest.mark.rule("PRV-10", source="counted by hand in the table above")
def test_each_copy_has_the_uniqueness_of_what_it_shows(make_adam, study):
    result = by_copy(make_adam(ADSL=adsl(ROWS)), study)
    assert value(result, "restricted", "unique")[1:] == (7, 7)
    # decades: the first two are both 50-59 at DL1, the last two 60-69 at DL3; the three others are alone
    assert value(result, "confidential", "unique")[1:] == (3, 7)
    assert value(result, "confidential", "average_risk")[0] == pytest.approx(5 / 7)
    # sex, colorectal or other, from 60: two women, two other men from 60, two colorectal men, and the man without age
    assert value(result, "public", "unique")[1:] == (1, 7)
    assert value(result, "public", "largest_risk")[0] == 1
    assert {copy: result.get(f"total/{copy}/threshold/meets")["text"] for copy in copy_ids()} == {
        "restricted": "no",
        "confidential": "no",
        "public": "no",
    }


@pytest.mark.rule("PRV-10", source="11 equal participants: 1/11 = 0.09")
@pytest.mark.parametrize(("number", "met"), [(10, "no"), (11, "yes"), (12, "yes")])
def test_a_group_as_large_as_the_policy_asks_for_meets_it(make_adam, study, number, met):
    result = by_copy(make_adam(ADSL=adsl(ROWS[:1] * number)), study)
    assert result.get("total/restricted/threshold/meets")["text"] == met
    assert value(result, "public", "smallest")[0] == number
    assert result.get("total/threshold/-/value")["value"] == pytest.approx(1 / 11, abs=0.001)


@pytest.mark.rule("PRV-10")
def test_participants_outside_the_safety_set_do_not_count(make_adam, study):
    frame = adsl(ROWS)
    frame.loc[0, "SAFNKFL"] = "N"
    assert value(by_copy(make_adam(ADSL=frame), study), "confidential", "unique")[1:] == (4, 6)


@pytest.mark.rule("PRV-10")
@pytest.mark.parametrize(
    "frame", [adsl(ROWS).iloc[:0], adsl(ROWS)[["USUBJID"]], adsl(ROWS)[["USUBJID", "SAFNKFL"]]]
)
def test_what_cannot_be_counted_is_said(make_adam, study, frame):
    result = by_copy(make_adam(ADSL=frame), study)
    for copy in copy_ids():
        row = result.get(f"total/{copy}/-/unique")
        assert row["status"] == "NE"
        assert row["reason"] == "no participant or no attribute"


@pytest.mark.rule("PRV-10")
def test_the_example_is_as_unique_as_it_is(adam, study):
    result = by_copy(adam, study)
    shares = [value(result, copy, "unique")[0] for copy in copy_ids()]
    assert shares == sorted(shares, reverse=True)
    frame = adam["ADSL"][adam["ADSL"]["SAFNKFL"] == "Y"]
    alone = frame.groupby(["SEX", "TUMTYPE", "AGE", "COHORT"], dropna=False).size()
    assert value(result, "restricted", "unique")[1:] == ((alone == 1).sum(), len(frame))


@pytest.mark.rule("PRV-10")
def test_a_coarser_copy_never_shows_more(make_adam, study):
    frame = adsl(ROWS)
    columns = {copy["id"]: recognisable(frame, copy) for copy in copies()["copy"]}
    for fine, coarse in (("restricted", "confidential"), ("confidential", "public")):
        joined = columns[fine].astype(str).agg("|".join, axis=1)
        for name in columns[coarse]:
            assert columns[coarse][name].astype(str).groupby(joined).nunique().max() == 1


@pytest.mark.rule("PRV-12")
def test_the_list_of_transformations_names_copies_that_exist():
    assert module.copy_ids() == ("restricted", "confidential", "public")
    for one in copies()["transformation"]:
        assert set(one["copies"]) <= set(copy_ids())
        assert one["says"].endswith(".")
        assert one["objects"]
    ids = [one["id"] for one in copies()["transformation"]]
    assert len(ids) == len(set(ids))
