"""Questions of kinetics and exposure against counts by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.analysis import disposition, exposure, kinetics
from interim.analysis.measures import Place, add_summary, kinetic_population
from interim.analysis.population import Population, open_rows
from interim.result import TOTAL
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.kinetic_case import CUT, STUDY, adsl, make_adam, with_study

FIRST = 150 + 3400 + 3 * 800 / math.log(2) + 4 * 400 / math.log(2)


@pytest.fixture(scope="module")
def adam():
    return make_adam()


def sourced(adam, **columns):
    """Return the datasets with further columns of ADSL, the same value for everybody."""
    return Adam({**adam.datasets, "ADSL": adam["ADSL"].assign(**columns)}, CUT)


def without(adam, *names):
    return Adam({name: frame for name, frame in adam.datasets.items() if name not in names}, CUT)


@pytest.mark.rule("KIN-25")
def test_the_kinetic_population(adam):
    who = kinetic_population(adam, STUDY, "t")
    assert (who.code, who.everyone) == ("CK", {"01", "02", "03"})
    assert kinetic_population(adam, STUDY, "nk").everyone == {"04"}
    assert not kinetic_population(Adam({"ADSL": adsl()}, CUT), STUDY, "t").everyone


@pytest.mark.rule("KIN-25")
def test_the_sets_are_counted_with_their_reasons(adam):
    people = adam["ADSL"].assign(
        **{
            f"{name}{end}": "Y" if end == "FL" else None
            for name in ("DLTEV", "RES", "RESP")
            for end in ("FL", "RS")
        }
    )
    people = people.assign(**{f"{name}RS": None for name in ("SAFNK", "SAFCT", "FAS", "ENRL")})
    found = disposition.analysis_sets(Adam({"ADSL": people}, CUT), STUDY)
    assert (value(found, "CK"), value(found, "CK-NK")) == (3, 1)
    assert subjects(found, "CK-NK excluded", "n", level="NO-SAMPLE") == {"01", "02", "03"}


@pytest.mark.rule("KIN-30")
def test_levels_by_time(adam):
    found = kinetics.levels_by_time(adam, STUDY)
    day7 = {"level": "Day 7"}
    name = "CARTG (copies/ug)"
    assert value(found, name, "n", **day7) == 3
    assert value(found, name, "n_blq", **day7) == 1
    assert subjects(found, name, "n_blq", **day7) == {"03"}
    assert value(found, name, "geo_mean", **day7) == pytest.approx((1600 * 6400 * 25) ** (1 / 3))
    assert value(found, name, "zero_mean", **day7) == pytest.approx(8000 / 3)
    assert value(found, name, "median", **day7) == 1600
    assert (value(found, name, "min", **day7), value(found, name, "max", **day7)) == (25, 6400)
    texts = [row(found, name, stat, **day7)["text"] for stat in ("min", "median", "max")]
    assert texts == ["BLQ", None, None], "one of three is below the limit"
    assert list(dict.fromkeys(found.where(variable=name)["level"]))[:3] == ["Pre-dose", "Day 3", "Day 7"]
    assert value(found, name, "n", level="Pre-dose of cycle 2") == 1


@pytest.mark.rule("KIN-30")
@pytest.mark.parametrize(("most", "expected"), [(0.5, ("NE", "MOST_BELOW_LIMIT")), (0.7, ("OK", ""))])
def test_means_are_withheld_where_most_values_are_below(adam, most, expected):
    found = kinetics.levels_by_time(adam, with_study(blq_mean_max=most))
    assert status(found, "CARTG (copies/ug)", "geo_mean", level="Day 28") == expected


@pytest.mark.rule("KIN-30")
@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ({"01"}, {"min": "BLQ", "median": None, "max": None}),
        ({"01", "02"}, {"min": "BLQ", "median": None, "max": None}),
        ({"01", "02", "04"}, {"min": "BLQ", "median": "BLQ", "max": None}),
        ({"01", "02", "04", "05"}, {"min": "BLQ", "median": "BLQ", "max": "BLQ"}),
    ],
)
def test_an_order_statistic_below_the_limit_has_no_number(below, expected):
    ids = ("01", "02", "04", "05")
    who = Population("X", "X", "COL", {TOTAL: frozenset(ids)})
    rows = open_rows("x.y", "X", who)
    values = dict(zip(ids, (1.0, 2.0, 3.0, 4.0), strict=True))
    add_summary(rows, who, values, place=Place("v", "l", "mg"), study=STUDY, below=below)
    found = rows.build()
    assert {stat: row(found, "v", stat, level="l")["text"] for stat in expected} == expected


@pytest.mark.rule("KIN-30")
def test_fewer_than_three_values_are_printed_one_by_one(adam):
    who = kinetic_population(adam, STUDY, "t")
    rows = open_rows("x.y", "X", who)
    add_summary(rows, who, {"01": 5.0, "02": 0.25, "04": 9.0}, place=Place("v", "l", "mg"), study=STUDY)
    found = rows.build()
    assert row(found, "v", "values", level="l")["text"] == "0.250; 5.00"
    assert status(found, "v", "mean", level="l") == ("NE", "FEWER_THAN_3")
    assert row(found, "v", "median", level="l")["unit"] == "mg"


@pytest.mark.rule("KIN-31")
def test_cart_parameters(adam):
    found = kinetics.cart_parameters(adam, STUDY)
    assert value(found, "CARTG cycle 1", "max", level="CMAX") == 6400
    assert value(found, "CARTG cycle 2", "n", level="CMAX") == 1
    assert value(found, "CARTG cycle 1", "min", level="AUC0_14") == 0
    assert value(found, "CARTG cycle 1", "median", level="AUC0_14") == pytest.approx(FIRST)
    assert value(found, "CARTG all cycles", "median", level="RACCMAX") == 2.5
    assert found.where(variable="CARTG cycle 1", level="TMAX", stat="geo_mean").empty
    assert value(found, "CARTG persistence", "rate", level="Day 28") == pytest.approx(1 / 3)
    assert value(found, "CARTG all cycles", "n_out", level="AUC0_84") == 3
    assert value(found, "CARTG all cycles", "n", level="AUC0_84") == 0


@pytest.mark.rule("KIN-31")
def test_all_areas_enter_if_the_study_says_so(adam):
    found = kinetics.cart_parameters(adam, with_study(auc_summary_evaluable_only=False))
    assert value(found, "CARTG all cycles", "n", level="AUC0_84") == 3
    assert value(found, "CARTG all cycles", "n_out", level="AUC0_84") == 0


@pytest.mark.rule("KIN-31")
def test_nk_parameters(adam):
    found = kinetics.nk_parameters(sourced(adam, NKSRC="AUTO"), STUDY)
    assert value(found, "CARNK", "median", level="CMAX") == 800
    assert value(found, "CARNK", "median", level="TLST") == 5
    assert status(found, "chimerism") == ("NA", "not collected")


@pytest.mark.rule("KIN-31")
@pytest.mark.parametrize(
    ("source", "sizes"),
    [
        ("AUTO", {"UCB": 0, "AUTO": 1, TOTAL: 1}),
        ("UCB", {"UCB": 1, "AUTO": 0, TOTAL: 1}),
        ("HLA-MATCHED DONOR", {"UCB": 0, "AUTO": 0, "HLA-MATCHED DONOR": 1, TOTAL: 1}),
        (None, {"UCB": 0, "AUTO": 0, "MISSING": 1, TOTAL: 1}),
    ],
)
def test_nk_parameters_stand_by_the_source_of_the_cells(adam, source, sizes):
    found = kinetics.nk_parameters(sourced(adam, NKSRC=source), STUDY)
    printed = found.where(variable="population")
    assert dict(zip(printed["group"], printed["n"], strict=True)) == sizes
    counted = found.where(variable="CARNK", level="CMAX", stat="n")
    assert dict(zip(counted["group"], counted["n"], strict=True)) == sizes


@pytest.mark.rule("KIN-32")
def test_tissue_and_blood(adam):
    adam = sourced(adam, BXFL="Y")
    found = kinetics.biodistribution(adam, with_study(tissue_match_h=60))
    assert value(found, "population", "N") == 4, "the biopsy set, whoever received T cells"
    assert value(found, "CARTG liver met", "n", level="tissue") == 2
    assert value(found, "CARTG liver met", "median", level="ratio") == 1.5
    assert value(found, "CARTG liver met without ratio", "n", level="BLOOD_BLQ") == 1
    strict = kinetics.biodistribution(adam, STUDY)
    assert value(strict, "CARTG liver met without ratio", "n", level="NO_TISSUE_MATCH") == 2


@pytest.mark.rule("KIN-32")
def test_a_sample_from_outside_the_biopsy_set_is_counted_apart(adam):
    members = adam["ADSL"]["USUBJID"].eq("01").map({True: "Y", False: "N"})
    found = kinetics.biodistribution(sourced(adam, BXFL=members), with_study(tissue_match_h=60))
    with_tissue = set(adam["ADPC"].loc[adam["ADPC"]["EXCLRS"] == "NOT_BLOOD", "USUBJID"])
    assert subjects(found, "outside", "n") == with_tissue - {"01"} != set()
    assert value(found, "CARTG liver met", "n", level="tissue") == 1
    everybody = kinetics.biodistribution(sourced(adam, BXFL="Y"), STUDY)
    assert everybody.where(variable="outside").empty


@pytest.mark.rule("KIN-32")
@pytest.mark.parametrize(
    ("tissue", "blood", "reason", "bound"),
    [
        ((900.0, None), (None, "Y"), "BLOOD_BLQ", ">18"),
        ((None, "Y"), (200.0, None), "TISSUE_BLQ", "<0.25"),
        ((None, "Y"), (None, "Y"), "BOTH_BLQ", None),
        ((900.0, None), (300.0, None), "", None),
    ],
)
def test_a_value_below_a_limit_gives_a_bound(tissue, blood, reason, bound):
    common = {
        "USUBJID": "01",
        "PARAMCD": "CARTG",
        "AVALU": "copies/ug",
        "AFRLT": 30.0,
        "ALLOQ": 50.0,
        "STATE": "QUANT",
    }
    rows = [
        {**common, "ASPEC": "BLOOD", "ANL01FL": "Y", "EXCLRS": None, "AVAL": blood[0], "BLQFL": blood[1]},
        {
            **common,
            "ASPEC": "LIVER MET",
            "ANL01FL": "N",
            "EXCLRS": "NOT_BLOOD",
            "AVAL": tissue[0],
            "BLQFL": tissue[1],
        },
    ]
    frame = pd.DataFrame(rows).astype({"AVAL": float, "BLQFL": object, "EXCLRS": object})
    found = kinetics.tissue_ratios(frame, hours=24).iloc[0]
    assert (found["REASON"], found["BOUND"] if bound else None) == (reason, bound)
    assert (found["RATIO"] == 3) == (reason == "")


@pytest.mark.rule("KIN-30")
def test_profiles_hold_every_sample(adam):
    found = kinetics.profiles(adam, STUDY)
    points = found.where(stat="conc")
    assert len(points) == 10 + 8 + 5
    assert points["status"].eq("FLAG").sum() == 1 + 3 + 5
    assert set(points.loc[points["status"] == "FLAG", "reason"]) == {"BLQ"}
    assert set(points.loc[points["status"] == "FLAG", "value"]) == {50.0}


@pytest.mark.rule("KIN-33")
def test_exposure_by_dose(adam):
    found = exposure.by_dose(adam, STUDY)
    assert row(found, "CARTG CMAX", "verdict")["text"] == "NOT_APPLICABLE"
    assert value(found, "CARTG CMAX", "zero") == 1
    assert status(found, "CARTG CMAX", "slope") == ("NA", "NOT_APPLICABLE")
    assert value(found, "CARTG CMAX", "n") == 3


@pytest.mark.rule("KIN-33")
@pytest.mark.parametrize(
    ("basis", "ratio"), [("planned_level", 2.0), ("actual_per_kg", 2.0), ("actual_total", 2.0)]
)
def test_doses_of_the_power_model(adam, basis, ratio):
    frame = adam["ADPP"].copy()
    frame.loc[(frame["USUBJID"] == "03") & (frame["PARAMCD"] == "CMAX"), "AVAL"] = 3200.0
    changed = Adam({**adam.datasets, "ADPP": frame}, CUT)
    found = exposure.by_dose(changed, with_study(dose_basis=basis))
    slope = math.log(math.sqrt(6400 * 3200) / 4000) / math.log(ratio)
    assert value(found, "CARTG CMAX", "slope") == pytest.approx(slope)
    assert value(found, "CARTG CMAX", "critical_high") == pytest.approx(1 + math.log(1.25) / math.log(2))


@pytest.mark.rule("KIN-33")
def test_exposure_and_events(adam):
    found = exposure.response(adam, STUDY)
    name = "CARTG CMAX ~ CRS grade 2 or higher"
    assert (value(found, name, "events"), value(found, name, "others")) == (1, 2)
    assert value(found, name, "auroc") == 1
    assert value(found, name, "median_event") == 6400
    assert status(found, name, "slope") == ("NA", "NOT_APPLICABLE")
    assert value(found, "CARTG CMAX ~ response", "events") == 1
    assert value(found, "CARTG CMAX ~ CRS grade", "spearman") == pytest.approx(1.0)
    points = found.where(variable="points CARTG CMAX ~ CRS grade", stat="grade")
    assert points["value"].tolist() == [1, 3, 0]


@pytest.mark.rule("KIN-33")
def test_exposure_without_grades_or_responses(adam):
    found = exposure.response(without(adam, "ADAE", "ADRS"), STUDY)
    assert status(found, "CARTG CMAX ~ CRS grade", "spearman") == ("NA", "NO_DATA")


@pytest.mark.rule("KIN-35")
@pytest.mark.parametrize(
    "question",
    [
        kinetics.levels_by_time,
        kinetics.cart_parameters,
        kinetics.nk_parameters,
        kinetics.profiles,
        kinetics.biodistribution,
        exposure.by_dose,
        exposure.response,
    ],
)
@pytest.mark.parametrize("empty", [False, True])
def test_without_samples_the_reason_stands(adam, question, empty):
    bare = without(adam, "ADPC", "ADPP")
    if empty:
        bare = Adam({**bare.datasets, **{name: adam[name].head(0) for name in ("ADPC", "ADPP")}}, CUT)
    found = question(bare, STUDY)
    missing = found.frame[found.frame["status"] == "NA"]
    assert len(missing)
    assert missing["reason"].str.startswith("not available").all()


@pytest.mark.parametrize(
    ("roles", "role", "expected"),
    [
        ([], "", False),
        (["other"], "", True),
        (["other"], "t", False),
        (["nk"], "t", False),
        (["other", "t"], "t", True),
    ],
)
def test_samples_of_another_product_are_no_samples_of_the_cells(roles, role, expected):
    from datetime import datetime

    from interim.adam.model import Adam
    from interim.analysis.measures import has_rows

    adam = Adam({"ADPC": pd.DataFrame({"ROLE": roles}, dtype=object)}, datetime(2026, 1, 1))
    assert has_rows(adam, "ADPC", role=role) is expected
    assert has_rows(adam, "ADPC", "ADPP", role=role) is False
