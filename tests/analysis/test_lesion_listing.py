"""Listings of lesions, and the dataset behind them: every record of every lesion, with where it stands."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.adam.response import derive_response
from interim.analysis import lesion_listing
from interim.data.model import Sdtm
from tests.adam.response.conftest import DOSE, adsl, make_study, tumour
from tests.analysis.answers import row, status, value

SCANS = (-7, 42, 84)


@pytest.fixture(scope="module")
def data():
    study = make_study()
    tu, tr = tumour(
        SCANS,
        {"T01": ("LIVER", [60, 40, "NOT EVALUABLE"]), "T02": ("LYMPH NODE, NECK", [20, 20, 10])},
        {"NT01": ("BONE", ["PRESENT", "ABSENT", "UNEQUIVOCAL PROGRESSION"])},
        {"NEW01": ("LUNG", [None, None, "UNEQUIVOCAL"])},
    )
    people = adsl().assign(SAFNKFL="Y", COHORT="DL1", COHORTA="DL1")
    found = derive_response(Sdtm({"TU": tu, "TR": tr}, cut=study.cut), people, study=study)
    return Adam({"ADSL": people, "ADTR": found.adtr}, study.cut), study


@pytest.fixture(scope="module")
def targets(data):
    return lesion_listing.targets(*data)


@pytest.fixture(scope="module")
def others(data):
    return lesion_listing.others(*data)


# Number in the listing: lesion, site, day, mm, sum, % from baseline, % from nadir, complete, status, record.
TARGETS = [
    (1, "T01", "LIVER", -7, 60, 80, None, None, "yes", "L-MM", "TR 1"),
    (2, "T02", "LYMPH NODE, NECK", -7, 20, 80, None, None, "yes", "L-MM", "TR 4"),
    (3, "T01", "LIVER", 42, 40, 60, -25.0, -25.0, "yes", "L-MM", "TR 2"),
    (4, "T02", "LYMPH NODE, NECK", 42, 20, 60, -25.0, -25.0, "yes", "L-MM", "TR 5"),
    (5, "T01", "LIVER", 84, None, 10, -87.5, -250 / 3, "no", "L-NE", "TR 3"),
    (6, "T02", "LYMPH NODE, NECK", 84, 10, 10, -87.5, -250 / 3, "no", "L-MM", "TR 6"),
]
NUMBERS = ("day", "mm", "sum", "pchg_base", "pchg_nadir")


@pytest.mark.rule("RECIST-34")
@pytest.mark.parametrize("expected", TARGETS, ids=lambda row: f"record {row[0]}")
def test_every_target_at_every_time_point(targets, expected):
    number, lesion, site, *numbers, complete, state, record = expected
    level = f"S1 {number}"
    for stat, wanted in zip(NUMBERS, numbers, strict=True):
        if wanted is None:
            assert status(targets, "record", stat, level=level) == ("NE", "NOT_KNOWN")
        else:
            assert value(targets, "record", stat, level=level) == pytest.approx(wanted)
    texts = {
        "participant": "S1",
        "evaluator": "INVESTIGATOR",
        "lesion": lesion,
        "site": site,
        "complete": complete,
        "status": state,
        "source": record,
    }
    for stat, text in texts.items():
        assert row(targets, "record", stat, level=level)["text"] == text


@pytest.mark.rule("RECIST-34")
def test_a_record_of_the_listing_leads_to_its_source(targets):
    links = targets.links[targets.links["SRCDOM"].notna()]
    days = links[links["result_id"].str.endswith("/day")]
    assert days["SRCSEQ"].tolist() == ["1", "4", "2", "5", "3", "6"]
    assert set(links["SRCDOM"]) == {"TR"}
    assert value(targets, "records") == 6


# Number in the listing: role, lesion, site, day, status.
OTHERS = [
    (1, "non-target", "NT01", "BONE", -7, "PRESENT"),
    (2, "non-target", "NT01", "BONE", 42, "ABSENT"),
    (3, "new", "NEW01", "LUNG", 84, "UNEQUIVOCAL"),
    (4, "non-target", "NT01", "BONE", 84, "UNEQUIVOCAL PROGRESSION"),
]


@pytest.mark.rule("RECIST-34")
@pytest.mark.parametrize("expected", OTHERS, ids=lambda row: f"record {row[0]}")
def test_every_other_lesion_at_every_time_point(others, expected):
    number, role, lesion, site, when, state = expected
    level = f"S1 {number}"
    assert value(others, "record", "day", level=level) == when
    texts = {"role": role, "lesion": lesion, "site": site, "status": state}
    for stat, text in texts.items():
        assert row(others, "record", stat, level=level)["text"] == text
    assert value(others, "records") == 4


@pytest.mark.rule("RECIST-34")
@pytest.mark.parametrize("question", [lesion_listing.targets, lesion_listing.others])
def test_a_participant_outside_the_set_is_not_listed_and_nothing_is_said_why(data, question):
    adam, study = data
    people = adam["ADSL"].assign(SAFNKFL="N")
    found = question(Adam({**adam.datasets, "ADSL": people}, adam.cut), study)
    assert value(found, "records") == 0
    none = question(Adam({"ADSL": adam["ADSL"]}, adam.cut), study)
    assert status(none, "records", "n")[0] == "NA"


def test_without_a_first_infusion_the_day_is_not_known(data):
    adam, study = data
    people = adam["ADSL"].assign(TRTSDT=pd.NaT)
    found = lesion_listing.targets(Adam({**adam.datasets, "ADSL": people}, adam.cut), study)
    assert status(found, "record", "day", level="S1 1") == ("NE", "NOT_KNOWN")


@pytest.mark.rule("RECIST-34")
def test_the_dataset_holds_the_status_of_every_lesion_that_has_no_size(data):
    adtr = data[0]["ADTR"]
    states = adtr[adtr["PARAMCD"].isin(["NTLSTAT", "NEWLSTAT"])]
    assert states["AVALC"].tolist() == ["UNEQUIVOCAL", "PRESENT", "ABSENT", "UNEQUIVOCAL PROGRESSION"]
    assert states["TRLNKID"].tolist() == ["NEW01", "NT01", "NT01", "NT01"]
    assert states["ABLFL"].tolist() == [None, "Y", None, None]
    assert states["AVAL"].isna().all() and states["BASE"].isna().all()
    sizes = adtr[adtr["PARAMCD"] == "LDIAM"]
    assert sizes["AVALC"].isna().all()
    assert set(sizes["TULOC"]) == {"LIVER", "LYMPH NODE, NECK"}
    assert adtr.loc[adtr["PARAMCD"] == "SDIAM", "TULOC"].isna().all()


def test_a_participant_without_targets_has_states_and_no_sum():
    study = make_study()
    tu, tr = tumour(SCANS, None, {"NT01": ("BONE", ["PRESENT", "PRESENT", "ABSENT"])})
    found = derive_response(Sdtm({"TU": tu, "TR": tr}, cut=study.cut), adsl(), study=study)
    assert set(found.adtr["PARAMCD"]) == {"NTLSTAT"}
    assert found.adtr["ADT"].tolist() == [DOSE + pd.Timedelta(days=days) for days in SCANS]
