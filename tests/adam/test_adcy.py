"""Cytokine courses on two clocks, and biomarkers."""

from __future__ import annotations

import math

import pytest
from tests.analysis.kinetic_case import CUT, adlb, adsl, cm, markers

from interim.adam.adbm import derive_adbm
from interim.adam.adcy import derive_adcy
from interim.data.model import Sdtm


def value(made, who, base, stat):
    rows = made.parameters
    hit = rows[(rows["USUBJID"] == who) & (rows["BASETYPE"] == base) & (rows["STAT"] == stat)]
    assert len(hit) == 1
    return hit.iloc[0]


@pytest.mark.rule("KIN-26")
@pytest.mark.parametrize(
    ("who", "stat", "wanted"),
    [
        ("01", "BASE", 5),
        ("01", "PEAK", 40),
        ("01", "TPEAK", 7),
        ("01", "FOLD", 8),
        ("01", "AUC", 12.5 + 180 + 472.5),
        ("02", "BASE", 2),
        ("02", "PEAK", 5000),
        ("02", "NPOST", 3),
    ],
)
def test_parameters_by_hand(who, stat, wanted):
    assert value(derive_adcy(adlb(), adsl()), who, "CART", stat)["AVAL"] == pytest.approx(wanted)


@pytest.mark.rule("KIN-26")
def test_the_other_clock_has_its_own_baseline():
    made = derive_adcy(adlb(), adsl())
    missing = value(made, "01", "NK", "FOLD")
    assert math.isnan(missing["AVAL"])
    assert missing["REASON"] == "NO_BASELINE"
    assert value(made, "01", "NK", "TPEAK")["AVAL"] == 17


@pytest.mark.rule("KIN-26")
def test_values_below_and_above_are_marked_and_never_overwritten():
    rows = derive_adcy(adlb(), adsl(), cm=cm()).values
    two = rows[(rows["USUBJID"] == "02") & (rows["BASETYPE"] == "CART")]
    assert two["AVAL"].tolist() == [2, 10, 5000, 8]
    assert two["DTYPE"].tolist() == ["HALFLLOQ", None, "ULOQ", None]
    assert two["AVALC"].tolist() == ["None", "10", ">5000", "8"]
    assert two["FLAGS"].tolist() == [None, None, "AFTER_TOCILIZUMAB", "AFTER_TOCILIZUMAB"]
    assert two["LOG2FOLD"].iloc[1] == pytest.approx(math.log2(5))


@pytest.mark.rule("KIN-26")
def test_flags_of_a_course():
    made = derive_adcy(adlb(), adsl(), cm=cm())
    assert value(made, "02", "CART", "PEAK")["FLAGS"] == "ABOVE_ULOQ;AFTER_TOCILIZUMAB"
    assert value(made, "01", "CART", "PEAK")["FLAGS"] is None


@pytest.mark.rule("KIN-26")
def test_results_without_a_clock_time_on_day_0_are_at_day_0():
    lab = adlb()
    lab = lab[(lab["USUBJID"] == "01") & (lab["BASETYPE"] == "CART")].copy()
    lab["ADTM"] = lab["ADTM"].where(lab["SRCSEQ"] != "1")
    lab.loc[lab["SRCSEQ"] == "1", "ADT"] = adsl()["TRTSCT"].iloc[0]
    assert derive_adcy(lab, adsl()).values["DAY"].tolist()[0] == 0


def test_no_panel_result_gives_empty_frames():
    made = derive_adcy(adlb().assign(PARAMCD="ALT"), adsl())
    assert made.values.empty
    assert made.parameters.empty


@pytest.mark.rule("KIN-27")
def test_biomarkers_before_and_after():
    found = derive_adbm(Sdtm(markers(), CUT), adsl())
    cd3 = found[(found["PARAMCD"] == "CD3") & (found["USUBJID"] == "02")]
    assert cd3["TIMING"].tolist() == ["PRE", "POST"]
    assert cd3["ABLFL"].tolist() == ["Y", None]
    assert (cd3["BASE"].tolist(), cd3["CHG"].tolist()) == ([61, 61], [0, 19])
    ligand = found[found["PARCAT1"] == "LIGAND"]
    assert set(ligand["PARAMCD"]) == {"HSCORE MICA/B"}
    assert ligand.loc[ligand["TIMING"] == "POST", "CHG"].tolist() == [-60]
    antibody = found[(found["PARCAT1"] == "IMMUNOGENICITY") & (found["TIMING"] == "POST")]
    assert antibody["BASEC"].tolist() == ["NEGATIVE"] * 4


@pytest.mark.rule(
    "KIN-27", source="1 ug/L = 1 ng/mL; 1 KU/L = 1 U/mL; no factor for a mass per litre of CA19-9"
)
@pytest.mark.parametrize(
    ("code", "unit", "wanted"),
    [
        ("CEA", "ug/L", "ng/mL"),
        ("CEA", " UG/L", "ng/mL"),
        ("CA199", "kU/L", "U/mL"),
        ("CA199", "ug/L", "ug/L"),
        ("X", None, None),
    ],
)
def test_a_marker_stands_in_the_unit_of_the_laboratory_data(code, unit, wanted):
    lb = markers()["LB"].assign(LBTESTCD=code, LBSTRESU=unit)
    found = derive_adbm(Sdtm({"LB": lb}, CUT), adsl())
    assert [None if u != u else u for u in found["AVALU"].unique()] == [wanted]
    assert sorted(found["AVAL"]) == sorted(lb["LBSTRESN"]) and set(found["ANRHI"]) == {5.0}


@pytest.mark.rule("KIN-27")
def test_only_tumour_markers_of_the_laboratory_and_nothing_without_domains():
    lb = markers()["LB"]
    found = derive_adbm(Sdtm({"LB": lb.assign(LBCAT="CHEMISTRY")}, CUT), adsl())
    assert found.empty
    assert derive_adbm(Sdtm({}, CUT), adsl()).empty
    assert set(derive_adbm(Sdtm({"LB": lb}, CUT), adsl())["PARAMCD"]) == {"CEA"}
