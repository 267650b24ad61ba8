"""Exposure against outcomes: every number from a few participants by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.analysis import exposure
from interim.display import (
    figure_exposure_response,
    table_exposure_correlation,
    table_exposure_response,
)
from tests.analysis.answers import row, status, value
from tests.analysis.kinetic_case import CUT, STUDY

NAME = "CARTG CMAX"
WHO = ["a", "b", "c", "d", "e"]


def adam(
    cmax=(1, 2, 4, 8, 3),
    grades=(0, 0, 2, 3, None),
    dlt=("N", "N", "Y", "N", "Y"),
    status_=("EVALUABLE",) * 5,
    flags=None,
    burden=None,
):
    """Return five treated participants; ``e`` has no sample and enters nothing."""
    adsl = pd.DataFrame(
        {
            "USUBJID": WHO,
            "COHORT": "DL1",
            "COHORTA": "DL1",
            "SAFCTFL": "Y",
            "SAFNKFL": "Y",
            "CKFL": ["Y", "Y", "Y", "Y", "N"],
        }
    )
    if burden:
        adsl["BSLD"] = burden
    adpp = pd.DataFrame(
        {
            "USUBJID": WHO[:4],
            "ROLE": "t",
            "CLOCK": "PRODUCT",
            "ASSAY": "CARTG",
            "PARAMCD": "CMAX",
            "AVAL": [float(v) for v in cmax[:4]],
            "AVALU": "copies/ug",
            "EVALFL": "Y",
            "FLAGS": flags or [None] * 4,
        }
    )
    events = pd.DataFrame(
        {
            "USUBJID": [w for w, g in zip(WHO, grades, strict=True) if g],
            "CRSFL": "Y",
            "CRSGR": [float(g) for g in grades if g],
        }
    )
    limiting = pd.DataFrame({"USUBJID": WHO, "DLTSTAT": status_, "DLTFL": dlt})
    adpc = pd.DataFrame({"PARAMCD": ["CARTG"], "ALLOQ": [0.5]})
    datasets = {"ADSL": adsl, "ADPP": adpp, "ADPC": adpc, "ADAE": events, "ADDLT": limiting}
    return Adam(datasets, CUT)


@pytest.fixture(scope="module")
def found():
    return exposure.response(adam(), STUDY)


@pytest.mark.rule("KIN-14", source="hand calculation")
@pytest.mark.parametrize(
    ("stat", "wanted"),
    [
        ("events", 2),
        ("others", 2),
        ("median_event", 6),
        ("median_other", 1.5),
        ("geo_ratio", 4),
        ("hl_ratio", 4),
        ("auroc", 1),
        ("p_wilcoxon", 1 / 3),
    ],
)
def test_participants_with_and_without_the_event(found, stat, wanted):
    name = f"{NAME} ~ CRS grade 2 or higher"
    assert value(found, name, stat) == pytest.approx(wanted)


@pytest.mark.rule("KIN-14")
def test_a_perfect_split_has_no_slope_by_likelihood_and_one_by_firth(found):
    name = f"{NAME} ~ CRS grade 2 or higher"
    assert status(found, name, "slope") == ("NA", "SEPARATION")
    assert value(found, name, "firth_slope") > 0


@pytest.mark.rule("KIN-14")
def test_two_against_two_have_no_limits_of_the_ratio(found):
    name = f"{NAME} ~ CRS grade 2 or higher"
    assert status(found, name, "hl_lower") == ("NA", "CI_UNBOUNDED")
    assert status(found, name, "hl_upper") == ("NA", "CI_UNBOUNDED")


@pytest.mark.rule("KIN-33")
def test_p_values_are_computed_and_internal(found):
    scopes = found.frame.set_index("stat")["scope"]
    assert set(scopes[["p_wilcoxon"]]) == {"internal"}
    assert set(found.frame.loc[found.frame["stat"].str.startswith("p_"), "scope"]) == {"internal"}


@pytest.mark.rule("KIN-43", source="hand calculation")
def test_ordered_outcomes(found):
    name = f"{NAME} ~ CRS grade"
    rho = value(found, name, "spearman")
    assert rho == pytest.approx(0.9486832980505138)
    half = 1.959963984540054 * math.sqrt((1 + rho * rho / 2) / 1)
    assert value(found, name, "lower") == pytest.approx(math.tanh(math.atanh(rho) - half))
    assert value(found, name, "upper") == pytest.approx(math.tanh(math.atanh(rho) + half))
    assert value(found, name, "kendall") == pytest.approx(5 / math.sqrt(6 * 5))
    assert row(found, name, "spearman")["n"] == 4
    assert status(found, f"{NAME} ~ best change", "spearman") == ("NA", "NO_DATA")


@pytest.mark.rule("KIN-43")
def test_tumour_burden_before_treatment():
    made = exposure.response(adam(burden=[80.0, 60.0, 40.0, None, 10.0]), STUDY)
    name = f"{NAME} ~ tumour burden"
    assert value(made, name, "spearman") == pytest.approx(-1)
    assert row(made, name, "spearman")["n"] == 3
    assert status(made, name, "lower") == ("NA", "TOO_FEW")
    four = exposure.response(adam(burden=[80.0, 60.0, 40.0, 20.0, 10.0]), STUDY)
    assert status(four, name, "lower") == ("NA", "PERFECT_ORDER")


@pytest.mark.rule("KIN-43")
@pytest.mark.parametrize(
    ("judged", "events", "others"),
    [
        (("EVALUABLE",) * 5, 1, 3),
        (("EVALUABLE", "PENDING", "EVALUABLE", "EVALUABLE", "EVALUABLE"), 1, 2),
        (("EVALUABLE", "EVALUABLE", "NOT EVALUABLE", "EVALUABLE", "EVALUABLE"), 0, 3),
    ],
)
def test_dose_limiting_toxicity_only_of_those_who_can_be_judged(judged, events, others):
    made = exposure.response(adam(status_=judged), STUDY)
    name = f"{NAME} ~ dose-limiting toxicity"
    assert (value(made, name, "events"), value(made, name, "others")) == (events, others)
    assert status(made, name, "hl_ratio") == ("NA", "NOT_APPLICABLE")


@pytest.mark.rule("KIN-43")
def test_points_say_who_had_a_toxicity_and_whose_maximum_is_late(found):
    made = exposure.response(
        adam(flags=[None, "CMAX_AFTER_TOCI", "LZ_R2", "LZ_R2;CMAX_AFTER_STEROID"]), STUDY
    )
    name = f"points {NAME} ~ CRS grade"
    late = [value(made, name, "after", level=who) for who in "abcd"]
    assert late == [0, 1, 0, 1]
    assert [value(made, name, "dlt", level=who) for who in "abcd"] == [0, 0, 1, 0]
    assert [value(made, name, "grade", level=who) for who in "abcd"] == [0, 0, 2, 3]
    drawn = figure_exposure_response(made, STUDY)
    assert "open: maximum after an interleukin-6 blocker" in drawn.footnotes[0]
    assert "Spearman correlation 0.95 (" in drawn.alt


def texts(table):
    return [" | ".join(cell.text for cell in line.cells) for line in table.rows]


@pytest.mark.rule("KIN-43")
def test_printed_groups_and_correlations(found):
    groups = texts(table_exposure_response(found, STUDY))
    assert groups[0].startswith(
        "CAR-T transgene: Cmax | CRS grade 2 or higher | 2 / 2 | 6.00 | 1.50 | 4.00 | "
    )
    assert groups[0].split(" | ")[-2] == "NA"
    assert groups[1].startswith("CAR-T transgene: Cmax | Dose-limiting toxicity | 1 / 3 | 4.00 | 2.00 | ")
    assert not any("p_" in line or "0.333" in line for line in groups)
    (grade, change, burden) = texts(table_exposure_correlation(found, STUDY))
    assert grade.startswith("CAR-T transgene: Cmax | CRS grade | 4 | 0.949 (")
    assert change.split(" | ")[1:] == ["Best change of the target lesions, %", "0", "NA", "–"]
    assert burden.split(" | ")[1] == "Sum of diameters before treatment"


@pytest.mark.rule("KIN-35")
def test_without_samples_the_tables_say_so():
    bare = Adam({"ADSL": adam()["ADSL"]}, CUT)
    made = exposure.response(bare, STUDY)
    for table in (table_exposure_response(made, STUDY), table_exposure_correlation(made, STUDY)):
        assert texts(table)[0].startswith("not available: no samples of cellular kinetics")
