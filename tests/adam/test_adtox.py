from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.adtox import trigger_events
from interim.study.dosing import TriggerTable

NAT = pd.Timestamp("NaT")
WINDOWS = pd.DataFrame(
    {"USUBJID": ["S1"], "DLTWEDT": pd.to_datetime(["2025-02-01"]).astype("datetime64[ns]")}
)


def event(**more):
    row = {
        "USUBJID": "S1",
        "ASTDT": pd.Timestamp("2025-01-20"),
        "APHASE": "CART_C1",
        "AETOXGRN": 2.0,
        "AEITOXGN": None,
        "ASTCTGRN": None,
        "CRSFL": "N",
        "RELNK": "N",
        "RELCART": "N",
        "RELPROC": "N",
        "RELLYMPHODEP": "N",
        "RELMISFL": "N",
        "TRTEMRS": "TE-ON",
        "DLTFL": "N",
    } | more
    frame = pd.DataFrame([row])
    return frame.astype(
        {n: "float64" for n in ("AETOXGRN", "AEITOXGN", "ASTCTGRN")} | {"ASTDT": "datetime64[ns]"}
    )


def crs(grade, astct=None, **more):
    return event(CRSFL="Y", AETOXGRN=grade, ASTCTGRN=astct, **more)


@pytest.mark.rule("DLT-04")
@pytest.mark.parametrize(
    ("row", "reading", "expected"),
    [
        (crs(1, 1), {}, "N"),
        (crs(2, 1, APHASE="NK"), {}, "Y"),
        (crs(2, 1, APHASE="NK"), {"phases": ("CART_C1", "CART_C2")}, "N"),
        (event(RELCART="Y"), {}, "Y"),
        (event(RELCART="Y", AETOXGRN=1), {}, "N"),
        (event(RELCART="Y", AETOXGRN=1), {"related_ae_min_grade": 1}, "Y"),
        (event(RELPROC="Y", AETOXGRN=3), {}, "N"),
        (event(RELPROC="Y", AETOXGRN=3), {"related_to": ("CARNK", "CART", "HAI_PROCEDURE")}, "Y"),
        (event(RELNK="Y"), {"related_to": ("CART",)}, "N"),
        (event(RELCART="Y", AEITOXGN=2), {}, "N"),
        (event(RELCART="Y", AEITOXGN=2), {"exclude_baseline_grade": False}, "Y"),
        (event(RELCART="Y", AETOXGRN=3, AEITOXGN=2), {}, "Y"),
        (event(RELMISFL="Y"), {}, "Y"),
        (event(RELMISFL="Y"), {"missing_relatedness": "unrelated"}, "N"),
        (event(RELMISFL="Y"), {"missing_relatedness": "query"}, None),
        (event(RELCART="Y", AETOXGRN=None), {}, "Y"),
        (event(RELCART="Y", AETOXGRN=None), {"missing_grade": "no_trigger"}, "N"),
        (event(RELCART="Y", AETOXGRN=None), {"missing_grade": "query"}, None),
        (event(AETOXGRN=None), {}, "N"),
        (crs(2, 1), {"crs_scale": "astct2019"}, "N"),
        (crs(1, 2), {"crs_scale": "astct2019"}, "Y"),
        (crs(1, 2), {"crs_scale": "either"}, "Y"),
        (crs(1, 2), {}, "N"),
        (event(RELCART="Y", ASTDT=pd.Timestamp("2025-02-01")), {}, "Y"),
        (event(RELCART="Y", ASTDT=pd.Timestamp("2025-02-02")), {}, "N"),
        (event(RELCART="Y", ASTDT=pd.Timestamp("2025-02-02")), {"window_end": "data_cut"}, "Y"),
        (event(RELCART="Y", APHASE="POST"), {"window_end": "data_cut"}, "N"),
        (event(RELCART="Y", APHASE=None, ASTDT=NAT, TRTEMRS="TE-NOSTART"), {}, "Y"),
        (event(RELCART="Y", APHASE=None, TRTEMRS="TE-PRE"), {}, "N"),
        (event(DLTFL="Y", AETOXGRN=1), {}, "Y"),
        (event(RELCART="Y", USUBJID="S2"), {}, "Y"),
    ],
)
def test_what_is_a_trigger_under_which_reading(row, reading, expected):
    assert trigger_events(row, WINDOWS, TriggerTable(**reading)).tolist() == [expected]


@pytest.mark.rule("DLT-04")
def test_a_participant_has_a_trigger_by_any_event_and_an_open_query_only_without_one(
    mini, study_with, chain, mk
):
    study = study_with('[titration_trigger]\nmissing_relatedness = "query"\n')
    for _who, term in (("01", "Nausea"), ("04", "Anaemia")):
        row = mini["AE"].index[mini["AE"]["AETERM"] == term][0]
        mini["AE"].loc[row, ["AEREL", "AETOXGR"]] = [None, "2"]
    addlt = chain(mini, study).addlt().set_index("USUBJID")["TRIGFL"]
    assert addlt[mk.uid("01")] is None
    assert addlt[mk.uid("02")] == "Y"
    assert addlt[mk.uid("05")] == "N"


@pytest.mark.rule("SAF-12")
@pytest.mark.parametrize(
    ("source", "scale", "expected"),
    [
        ("reported", "ctcae5", "N"),
        ("derived", "ctcae5", "N"),
        ("max", "ctcae5", "Y"),
        ("derived", "astct2019", "Y"),
        ("derived", "either", "Y"),
        ("reported", "either", "N"),
    ],
)
def test_the_derived_grade_counts_as_the_source_says(source, scale, expected):
    row = crs(1, 1).assign(CTCLO=1.0, CTCHI=3.0, ASTLO=2.0, ASTHI=2.0)
    reading = TriggerTable(grade_source=source, crs_scale=scale)
    assert trigger_events(row, WINDOWS, reading).tolist() == [expected]


def test_without_assessments_the_reported_grade_decides():
    assert trigger_events(crs(2), WINDOWS, TriggerTable(grade_source="derived")).tolist() == ["Y"]
    unknown = TriggerTable(grade_source="derived", missing_grade="no_trigger")
    assert trigger_events(crs(2), WINDOWS, unknown).tolist() == ["N"]
