"""Parameters of cellular kinetics: cycles, product clock, boundaries, marks; every number counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from tests.analysis.kinetic_case import (
    STUDY,
    adex,
    adlb,
    adsl,
    cm,
    kinetics,
    pc_rows,
    sample,
    sdtm,
    with_study,
)

from interim.adam.adpp import _check
from interim.adam.kinetic_datasets import NAMES, kinetic_datasets
from interim.data.model import Sdtm
from interim.errors import DerivationError
from interim.study.kinetics import ManualTerminal

LN2 = math.log(2)


def value(made, who, name, cycle=None, assay="CARTG"):
    rows = made.adpp
    hit = rows[(rows["USUBJID"] == who) & (rows["ASSAY"] == assay) & (rows["PARAMCD"] == name)]
    hit = hit[hit["CLOCK"] == "PRODUCT"] if cycle is None else hit[hit["ACYCLE"] == cycle]
    assert len(hit) == 1
    return hit.iloc[0]


def without(who, day):
    return [
        row
        for row in pc_rows()
        if not (row["USUBJID"] == who and row["VISIT"] == f"DAY {day}" and row["PCSPEC"] == "BLOOD")
    ]


FIRST = 150 + 3400 + 3 * 800 / LN2 + 4 * 400 / LN2
SECOND = 3 * 1400 / 2 + 4 * 5000 / 2 + 7 * 2000 / LN2


@pytest.mark.rule("KIN-23")
def test_areas_of_both_cycles_by_hand():
    made = kinetics()
    assert value(made, "01", "AUC0_14", 1)["AVAL"] == pytest.approx(FIRST, rel=1e-12)
    assert value(made, "01", "AUC0_14", 2)["AVAL"] == pytest.approx(SECOND, rel=1e-12)
    total = value(made, "01", "AUC0_28")
    assert total["AVAL"] == pytest.approx(FIRST + SECOND, rel=1e-12)
    assert (total["STATUS"], total["EVALFL"], total["FLAGS"]) == ("COMPLETE", "Y", "SEVERAL_CYCLES")
    assert value(made, "01", "RACAUC")["AVAL"] == pytest.approx(SECOND / FIRST)
    assert value(made, "01", "RACCMAX")["AVAL"] == 2.5
    assert value(made, "02", "RACAUC")["REASON"] == "ONE_CYCLE"
    assert value(made, "01", "CMAXDN", 1)["AVAL"] == pytest.approx(1600 / 3)


@pytest.mark.rule("KIN-23")
def test_half_life_only_where_no_later_dose_cuts_the_window():
    made = kinetics()
    assert value(made, "01", "LAMZHL", 1)["REASON"] == "WINDOW_TRUNCATED"
    assert value(made, "01", "AUCIFO", 1)["REASON"] == "WINDOW_TRUNCATED"
    assert value(made, "01", "TOBITHL", 1)["REASON"] == "WINDOW_TRUNCATED"
    last = value(made, "01", "LAMZHL", 2)
    assert last["AVAL"] == pytest.approx(7.0)
    assert last["AVALU"] == "day"
    assert value(made, "01", "DOUBLT", 1)["AVAL"] == pytest.approx(1.0)
    chosen = made.candidates[made.candidates["WHY"] == "CHOSEN"]
    assert chosen.groupby(["USUBJID", "ASSAY", "ACYCLE"]).size().max() == 1
    assert set(made.candidates["ACYCLE"]) <= {1.0, 2.0}


@pytest.mark.rule("KIN-28")
@pytest.mark.parametrize(
    ("points", "reason", "half_life"),
    [
        ((7, 14, 28), None, 7.0),
        ((7, 8, 9), "MANUAL_POINTS_NOT_FOUND", None),
        ((0, 3, 7), "NO_NEGATIVE_SLOPE", None),
    ],
)
def test_points_chosen_by_a_person(points, reason, half_life):
    entry = ManualTerminal(subject="01", parameter="CARTG", points=points, reason="late rise")
    rows = kinetics(study=with_study(lambda_z_manual=(entry,))).adpp
    rows = rows[(rows["USUBJID"] == "01") & (rows["PARAMCD"] == "LAMZHL") & (rows["ACYCLE"] == 2)]
    assert rows["METHOD"].tolist() == ["lin up/log down", "MANUAL"]
    manual = rows.iloc[1]
    assert (manual["REASON"], manual["STATUS"]) == (reason, "late rise")
    assert manual["AVAL"] == (pytest.approx(half_life) if half_life else pytest.approx(math.nan, nan_ok=True))


@pytest.mark.rule("KIN-10")
def test_two_half_lives_of_the_last_window():
    made = kinetics(study=with_study(phase_break_day=21.0))
    assert value(made, "02", "HLEARLY", 1)["AVAL"] > 0
    assert value(made, "02", "HLLATE", 1)["REASON"] == "TOO_FEW_POINTS"
    assert value(made, "01", "HLEARLY", 1)["REASON"] == "WINDOW_TRUNCATED"
    assert (
        value(kinetics(study=with_study(phase_break_day="fitted")), "02", "HLLATE", 1)["REASON"]
        == "TOO_FEW_POINTS"
    )


@pytest.mark.rule("KIN-23")
def test_times_and_loss_on_the_product_clock():
    made = kinetics()
    assert (value(made, "01", "CMAX")["AVAL"], value(made, "01", "TMAX")["AVAL"]) == (4000, 21)
    assert value(made, "01", "TMAX", 2)["AVAL"] == 7
    assert value(made, "01", "LOSTBY")["REASON"] == "STILL_QUANTIFIED"
    assert value(made, "02", "LOSTBY")["AVAL"] == 28
    assert value(made, "02", "AUC0_28")["STATUS"] == "CLEARED"
    assert value(made, "04", "AUC0_7", assay="CARNK")["STATUS"] == "CLEARED"


@pytest.mark.rule("KIN-23")
def test_a_missing_boundary_leaves_the_later_area_and_the_sum_missing():
    made = kinetics(without("01", 14))
    first = value(made, "01", "AUC0_14", 1)
    assert first["AVAL"] == pytest.approx(150 + 3400 + 3 * 800 / LN2)
    assert "BOUNDARY_MISSING" in first["FLAGS"]
    for name, cycle in (("AUC0_14", 2), ("AUCLST", 2), ("AUC0_28", None)):
        assert value(made, "01", name, cycle)["REASON"] == "BOUNDARY_MISSING"
    assert value(made, "01", "CMAX", 2)["AVAL"] == 4000
    assert value(made, "01", "LAMZHL", 2)["AVAL"] == pytest.approx(7.0)
    assert value(made, "01", "RACAUC")["REASON"] == "BOUNDARY_MISSING"


@pytest.mark.rule("KIN-23")
def test_a_boundary_may_be_carried_or_computed():
    rows = [{**row, "PCDTC": row["PCDTC"]} for row in without("01", 14)]
    near = kinetics([*rows, sample("01", 13.5, 400, PCSEQ=99)])
    assert value(near, "01", "AUC0_14", 2)["AVAL"] == pytest.approx(SECOND)
    more = [*rows, sample("01", 11, 400, PCSEQ=98), sample("01", 12, 200, PCSEQ=99)]
    computed = kinetics(more, with_study(boundary_missing="extrapolate"))
    assert value(computed, "01", "AUC0_14", 2)["AVAL"] > 0
    assert value(computed, "01", "AUC0_28")["REASON"] is None
    assert value(kinetics(more), "01", "AUC0_28")["REASON"] == "BOUNDARY_MISSING"


@pytest.mark.rule("KIN-05")
def test_nothing_is_missing_without_a_reason():
    rows = kinetics().adpp
    assert (rows["AVAL"].isna() == rows["REASON"].notna()).all()
    with pytest.raises(DerivationError, match="without a reason"):
        _check(rows.assign(AVAL=np.nan, REASON=None))


@pytest.mark.rule("KIN-22")
def test_a_profile_that_cannot_be_analysed_has_one_row():
    made = kinetics(
        [sample("02", 7, "many", PCSEQ=1), sample("02", 10, 500, PCSEQ=2), sample("04", 1, 700, PCSEQ=3)]
    )
    assert value(made, "02", "CMAX")["REASON"] == "BAD_INPUT"
    assert value(made, "04", "CMAX")["REASON"] == "NO_DOSE"
    assert len(made.adpp) == 2
    assert made.candidates.empty


@pytest.mark.rule("KIN-24")
def test_marks_of_whole_profiles():
    rows = [
        row if not (row["USUBJID"] == "01" and row["VISIT"] == "DAY 0") else sample("01", 0, 90, PCSEQ=1)
        for row in pc_rows()
    ]
    made = kinetics(rows, medicines=cm())
    assert "BASELINE_ABOVE_LLOQ" in value(made, "01", "TLST")["FLAGS"]
    assert value(made, "02", "CMAX")["FLAGS"] == "CMAX_AFTER_TOCI"
    assert value(made, "02", "TLST")["FLAGS"] is None
    late = cm().assign(CMSTDTC="2025-06-01")
    assert value(kinetics(medicines=late), "02", "CMAX")["FLAGS"] is None


@pytest.mark.rule("KIN-24")
def test_samples_say_which_parameter_used_them():
    rows = kinetics().adpc.set_index(["USUBJID", "ASPEC", "AFRLT"])
    assert rows.loc[("02", "BLOOD", 7.0), ["CMAXFL", "AUCFL", "LAMZFL"]].tolist() == ["Y", "Y", None]
    assert rows.loc[("02", "BLOOD", 14.0), "LAMZFL"] == "Y"
    assert rows.loc[("02", "BLOOD", 28.0), ["CMAXFL", "AUCFL", "LAMZFL"]].tolist() == [None, None, None]
    assert rows.loc[("01", "LIVER MET", 30.0), "AUCFL"] is None
    assert rows.loc[("01", "BLOOD", 10.0), "LAMZFL"] is None


@pytest.mark.rule("KIN-23")
def test_rules_of_the_study_reach_the_parameters():
    made = kinetics(study=with_study(auc_method="linear", blq_rule="half_lloq"))
    row = value(made, "02", "AUC0_14", 1)
    assert (row["METHOD"], row["BLQRULE"]) == ("linear", "half_lloq")
    assert row["AVAL"] == pytest.approx(300 + 4 * 3300 + 3 * 4000 + 4 * 1200)


@pytest.mark.rule("KIN-16")
def test_the_company_of_others_changes_nothing():
    alone = kinetics([row for row in pc_rows() if row["USUBJID"] == "02"]).adpp
    together = kinetics().adpp.loc[lambda f: f["USUBJID"] == "02"]
    keys = ["CLOCK", "ACYCLE", "PARAMCD"]
    a, b = (f.set_index(keys)["AVAL"] for f in (alone, together[together["PARAMCD"].isin(alone["PARAMCD"])]))
    pd.testing.assert_series_equal(a.sort_index(), b.reindex(a.index).sort_index(), rtol=1e-12)


def test_datasets_that_have_no_source_say_so():
    made = kinetic_datasets(sdtm(), adsl(), adex=adex(), adlb=adlb(), study=STUDY)
    assert tuple(made.datasets) == NAMES
    assert {state for _, _, state in made.rules} == {"run"}
    none = kinetic_datasets(Sdtm({}, sdtm().cut), adsl(), adex=adex(), adlb=None, study=STUDY)
    assert set(none.missing) == set(NAMES)
    assert {state for _, _, state in none.rules} == {"not run: no PC"}
    assert "CKFL" not in none.adsl


@pytest.mark.rule("KIN-22")
def test_samples_without_any_infusion_have_one_row_each_and_no_sample_gives_no_row():
    made = kinetic_datasets(sdtm(), adsl(), adex=adex().head(0), adlb=adlb(), study=STUDY)
    assert set(made.datasets["ADPC"]["EXCLRS"]) == {"NO_DOSE"}
    assert set(made.datasets["ADPP"]["REASON"]) == {"NO_DOSE"}
    assert set(made.adsl["CKFL"]) == {"N"}
    undone = [{**pc_rows()[0], "PCSTAT": "NOT DONE"}]
    none = kinetic_datasets(sdtm(undone), adsl(), adex=adex(), adlb=adlb().head(0), study=STUDY)
    assert none.datasets["ADPP"].empty
    assert none.missing["ADCY"] == "no cytokine results in LB"
