"""Positive values, arithmetic CV, intervals of paired ratios, and soluble ligands, by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import interim.display as shown
from interim.adam.model import Adam
from interim.analysis import biomarkers, kinetics
from interim.stats.nca_summary import geometric_interval
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.kinetic_case import CUT, STUDY, adsl, make_adam

T2 = 0.95 * math.sqrt(2 / (4 * 0.975 * 0.025))  # quantile 0.975 of Student's t with two degrees of freedom
HALF = math.log(2) * T2 / math.sqrt(3)


def texts(table):
    return [" | ".join(cell.text for cell in line.cells) for line in table.rows]


@pytest.mark.rule("KIN-48", source="closed form of Student's t with two degrees of freedom")
@pytest.mark.parametrize("values", [[1.0, 2.0, 4.0], [4.0, 0.0, 1.0, -1.0, 2.0, math.nan]])
def test_the_interval_of_a_geometric_mean(values):
    lower, upper = geometric_interval(values)
    assert lower == pytest.approx(2 * math.exp(-HALF), rel=1e-9)
    assert upper == pytest.approx(2 * math.exp(HALF), rel=1e-9)
    narrow = geometric_interval(values, level=0.5)
    assert lower < narrow[0] < 2 < narrow[1] < upper


@pytest.mark.rule("KIN-48")
@pytest.mark.parametrize("values", [[], [3.0], [3.0, 0.0, -2.0]])
def test_one_positive_value_has_no_interval(values):
    assert all(math.isnan(limit) for limit in geometric_interval(values))
    with pytest.raises(ValueError, match="level"):
        geometric_interval([1.0, 2.0], level=1.5)


def parameters(**levels):
    """Return a kinetic set of one dose level with a value of each participant and parameter."""
    people = make_adam()["ADSL"]
    people = people[people["CKFL"] == "Y"].assign(COHORT="DL2", COHORTA="DL2")
    rows = [
        {
            "USUBJID": who,
            "ROLE": "t",
            "ASSAY": "CARTG",
            "CLOCK": "PRODUCT",
            "ACYCLE": math.nan,
            "PARAMCD": name,
            "AVAL": level,
            "AVALU": "",
            "EVALFL": "Y",
        }
        for name, values in levels.items()
        for who, level in zip(("01", "02", "03"), values, strict=False)
    ]
    datasets = {**make_adam().datasets, "ADSL": people, "ADPP": pd.DataFrame(rows)}
    return kinetics.cart_parameters(Adam(datasets, CUT), STUDY)


@pytest.mark.rule("KIN-48", source="hand calculation")
def test_the_ratio_of_the_cycles_has_an_interval():
    found = parameters(RACAUC=[1.0, 2.0, 4.0], CMAX=[10.0, 20.0, 30.0], TMAX=[7.0, 7.0, 9.0])
    where = {"group": "DL2", "level": "RACAUC"}
    assert value(found, "CARTG all cycles", "geo_mean", **where) == pytest.approx(2)
    assert value(found, "CARTG all cycles", "geo_lower", **where) == pytest.approx(2 * math.exp(-HALF))
    assert value(found, "CARTG all cycles", "geo_upper", **where) == pytest.approx(2 * math.exp(HALF))
    stats = found.frame.groupby("level")["stat"].agg(set)
    assert "geo_lower" not in stats["CMAX"] | stats["TMAX"]
    assert "n_positive" not in stats["TMAX"]
    lines = texts(shown.table_kinetic_parameters(found, STUDY))
    assert "Interval of the geometric mean | – | 0.357; 11.2 | – | – | 0.357; 11.2" in lines
    few = parameters(RACAUC=[1.0, 2.0])
    assert status(few, "CARTG all cycles", "geo_lower", **where) == ("NE", "FEWER_THAN_3")
    assert "Interval of the geometric mean | – | NE | – | – | NE" in texts(
        shown.table_kinetic_parameters(few, STUDY)
    )


@pytest.mark.rule("KIN-48", source="hand calculation")
def test_positive_values_and_arithmetic_cv_of_parameters():
    found = parameters(CMAX=[0.0, 10.0, 20.0], CLST=[1.0, 2.0, 3.0], AUC0_28=[10.0, 20.0, 30.0])
    where = {"group": "DL2", "level": "CMAX"}
    assert value(found, "CARTG all cycles", "n_positive", **where) == 2
    assert subjects(found, "CARTG all cycles", "n_positive", **where) == {"02", "03"}
    assert value(found, "CARTG all cycles", "cv", **where) == pytest.approx(100)
    assert value(found, "CARTG all cycles", "geo_mean", **where) == pytest.approx(math.sqrt(200))
    lines = texts(shown.table_kinetic_parameters(found, STUDY))
    place = next(k for k, line in enumerate(lines) if line.startswith("Cmax, n"))
    assert lines[place + 1] == "Above 0, n | – | 2 | – | – | 2".replace("–", "0")
    assert lines[place + 2] == "Mean (SD; CV, %) | – | 10.0 (10.0; 100) | – | – | 10.0 (10.0; 100)"
    assert sum(line.startswith("Above 0") for line in lines) == 1
    assert "Mean (SD; CV, %) | – | 20.0 (10.0; 50.0) | – | – | 20.0 (10.0; 50.0)" in lines


def soluble(rows):
    """Return ADCY: participant, analyte, base type, day, value, baseline."""
    names = ["USUBJID", "PARAMCD", "BASETYPE", "DAY", "AVAL", "BASE"]
    frame = pd.DataFrame(rows, columns=names)
    seq = [str(k) for k in range(1, len(frame) + 1)]
    date = pd.Timestamp("2025-03-03") + pd.to_timedelta(frame["DAY"], unit="D")
    return frame.assign(ADT=date, AVALU="pg/mL", SRCDOM="LB", SRCSEQ=seq)


@pytest.mark.rule("KIN-34", source="hand calculation")
def test_soluble_ligands_stand_beside_the_tissue_of_the_same_participants():
    courses = soluble(
        [
            ("01", "SMICA", "NK", -1.0, 200.0, 200.0),
            ("01", "SMICA", "NK", 28.0, 90.0, 200.0),
            ("01", "SMICA", "NK", 14.0, 120.0, 200.0),
            ("01", "SMICA", "CART", 18.0, 95.0, 150.0),
            ("01", "IL6", "NK", 14.0, 5.0, 2.0),
            ("02", "SMICA", "NK", 14.0, 70.0, 100.0),
            ("01", "SULBP", "NK", 14.0, 70.0, math.nan),
        ]
    )
    found = biomarkers.ligands(Adam({**make_adam().datasets, "ADCY": courses}, CUT), STUDY)
    answers = {level: value(found, "SMICA", "median", level=level) for level in ("Pre", "Post", "Change")}
    assert answers == {"Pre": 200, "Post": 90, "Change": -110}
    assert value(found, "SMICA", "n", level="Pre") == 1
    assert value(found, "HSCORE MICA/B", "median", level="Change") == -60
    assert not set(found.frame["variable"]) & {"IL6", "SULBP"}
    table = shown.table_biomarkers(found, STUDY)
    assert "Soluble MICA" in texts(table)
    assert any("Soluble ligands" in note for note in table.footnotes)
    assert row(found, "SMICA", "n", level="Post")["unit"] == "pg/mL"


@pytest.mark.rule("KIN-34")
def test_soluble_ligands_alone_make_no_pair_and_their_absence_is_no_error():
    courses = soluble([("01", "SMICA", "NK", 14.0, 120.0, 200.0)])
    bare = biomarkers.ligands(Adam({"ADSL": adsl(), "ADCY": courses}, CUT), STUDY)
    assert row(bare, "ligand", "n")["status"] == "NA"
    without = {name: frame for name, frame in make_adam().datasets.items() if name != "ADCY"}
    assert set(biomarkers.ligands(Adam(without, CUT), STUDY).frame["variable"]) == {
        "population",
        "HSCORE MICA/B",
    }


@pytest.mark.rule("KIN-34", source="hand calculation")
def test_a_change_has_no_geometric_mean_that_leaves_out_decreases():
    courses = soluble([("01", "SMICA", "NK", 14.0, 120.0, 200.0), ("02", "SMICA", "NK", 14.0, 300.0, 200.0)])
    found = biomarkers.ligands(Adam({**make_adam().datasets, "ADCY": courses}, CUT), STUDY).frame
    marked = biomarkers.tumour_markers(make_adam(), STUDY).frame
    changes = [
        found[(found["variable"] == "SMICA") & (found["level"] == "Change")],
        marked[marked["variable"] == "CEA change"],
    ]
    for rows in changes:
        assert {"median", "min", "max"} <= set(rows["stat"])
        assert not set(rows["stat"]) & {"geo_mean", "geo_cv", "mean"}
    assert "geo_mean" in set(found.loc[found["level"] == "Post", "stat"])
    assert "geo_mean" in set(marked.loc[marked["variable"] == "CEA", "stat"])
