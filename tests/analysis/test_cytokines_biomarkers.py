"""Questions of cytokines and biomarkers against counts by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from interim.adam.model import Adam
from interim.analysis import biomarkers, cytokines
from tests.analysis.answers import status, subjects, value
from tests.analysis.kinetic_case import CUT, STUDY, adsl, make_adam


@pytest.fixture(scope="module")
def adam():
    return make_adam()


@pytest.mark.rule("KIN-26")
def test_summary_of_cytokines(adam):
    found = cytokines.summary(adam, STUDY)
    assert value(found, "IL6 CART", "n", level="PEAK") == 2
    assert value(found, "IL6 CART", "max", level="PEAK") == 5000
    assert value(found, "IL6 CART", "min", level="BASE") == 2
    assert value(found, "IL6 NK", "n", level="FOLD") == 0
    assert found.where(variable="IL6 CART", level="TPEAK", stat="mean").empty
    assert subjects(found, "IL6 CART below", "n") == {"02"}
    assert value(found, "IL6 CART flags", "n", level="ABOVE_ULOQ") == 1
    assert subjects(found, "IL6 CART flags", "n", level="AFTER_TOCILIZUMAB") == {"02"}


@pytest.mark.rule("KIN-26")
def test_course_of_cytokines(adam):
    found = cytokines.course(adam, STUDY)
    points = found.where(variable="IL6|01", stat="log2_fold")
    assert points["value"].tolist() == pytest.approx([0, 2, 3, 0])
    assert points["level"].tolist() == ["D-1.00", "D1.00", "D7.00", "D28.00"]
    assert set(points["group"]) == {"DL1"}


@pytest.mark.rule("KIN-27")
def test_immune_phenotype(adam):
    found = biomarkers.immune_phenotype(adam, STUDY)
    assert value(found, "CD3", "mean", level="DAY -1") == 61
    assert value(found, "CD3", "n", level="DAY 14") == 3


@pytest.mark.rule("KIN-34")
def test_tumour_markers_change_only_above_normal(adam):
    found = biomarkers.tumour_markers(adam, STUDY)
    assert value(found, "CEA", "n", level="DAY 14") == 4
    assert value(found, "CEA change", "n", level="DAY 14") == 2
    assert subjects(found, "CEA change", "n", level="DAY 14") == {"02", "04"}
    assert value(found, "CEA change", "median", level="DAY 14") == 100


@pytest.mark.rule("KIN-34")
def test_ligands_need_both_biopsies(adam):
    found = biomarkers.ligands(adam, STUDY)
    assert value(found, "population", "N") == 1
    assert value(found, "HSCORE MICA/B", "median", level="Pre") == 100
    assert value(found, "HSCORE MICA/B", "median", level="Change") == -60


@pytest.mark.rule("KIN-34")
def test_antibodies(adam):
    found = biomarkers.immunogenicity(adam, STUDY)
    assert value(found, "ADA", "n", level="Tested") == 4
    assert value(found, "ADA", "n", level="Positive before treatment") == 0
    assert subjects(found, "ADA", "n", level="Newly positive") == {"01", "02"}
    early = adam["ADBM"].loc[lambda frame: frame["TIMING"] == "PRE"]
    untested = biomarkers.immunogenicity(replace(adam, datasets={**adam.datasets, "ADBM": early}), STUDY)
    for level in ("Positive after treatment", "Newly positive"):
        assert status(untested, "ADA", level=level) == ("NA", "nobody was tested"), "no false zero"
    assert value(untested, "ADA", "n", level="Tested after treatment") == 0
    assert value(untested, "ADA", "n", level="Positive before treatment") == 0


@pytest.mark.rule("KIN-35")
@pytest.mark.parametrize(
    "question",
    [
        cytokines.summary,
        cytokines.course,
        biomarkers.immune_phenotype,
        biomarkers.tumour_markers,
        biomarkers.ligands,
        biomarkers.immunogenicity,
    ],
)
def test_without_results_the_reason_stands(question):
    found = question(Adam({"ADSL": adsl()}, CUT), STUDY)
    missing = found.frame[found.frame["status"] == "NA"]
    assert missing["reason"].str.startswith("not available").all()
    assert len(missing)


def test_no_result_is_not_a_number(adam):
    for question in (cytokines.summary, cytokines.course, biomarkers.tumour_markers):
        frame = question(adam, STUDY).frame
        assert not frame.loc[frame["status"] == "OK", "value"].map(math.isinf).any()
