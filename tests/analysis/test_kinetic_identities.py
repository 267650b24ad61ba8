"""Identities that any non-compartmental analysis must hold, through the public entry, on random profiles with values below the limit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import interim
from interim.analysis.adhoc import adhoc_study

LIMIT = 10.0
TIMES = np.array([0.0, 1, 2, 4, 7, 10, 14, 21, 28])
AREAS = ["AUCLST", "AUCALL", "AUC0_28"]


def data(n=40, seed=3):
    """Return n profiles that rise and fall with noise; about a third of their samples lie below the limit."""
    rng = np.random.default_rng(seed)
    top, peak = rng.uniform(1, 7, (n, 1)), rng.uniform(2, 10, (n, 1))
    level = np.exp(top - np.abs(TIMES - peak) / rng.uniform(2, 6, (n, 1)) + 0.3 * rng.normal(size=(n, 9)))
    level[level < LIMIT] = np.nan
    level[:, 0] = np.nan
    return pd.DataFrame(
        {
            "USUBJID": np.repeat([f"{place:03d}" for place in range(n)], len(TIMES)),
            "ATIME": np.tile(TIMES, n),
            "AVAL": level.ravel(),
            "LLOQ": LIMIT,
        }
    )


def rules(**changes):
    study = adhoc_study()
    return study.model_copy(update={"kinetics": study.kinetics.model_copy(update=changes)})


def analysed(frame, **changes):
    return interim.kinetics(frame, value="AVAL", study=rules(**changes)).parameters


def close(left, right, names, factor=1.0, rel=1e-10):
    a, b = left[names].to_numpy(dtype=float), right[names].to_numpy(dtype=float)
    assert (np.isnan(a) == np.isnan(b)).all()
    assert np.allclose(a, factor * b, rtol=rel, atol=0, equal_nan=True)


@pytest.mark.rule("KIN-16", source="spec kinetics 13.1")
def test_the_straight_line_is_never_below_the_logarithm():
    linear = analysed(data(), auc_method="linear")
    mixed = analysed(data(), auc_method="lin up/log down")
    assert (linear["AUCLST"] >= mixed["AUCLST"] * (1 - 1e-12)).all()
    assert (linear["AUCLST"] > mixed["AUCLST"] * 1.001).any()


@pytest.mark.rule("KIN-16", source="spec kinetics 13.1")
def test_a_later_end_never_has_a_smaller_area_and_none_exceeds_the_whole():
    windows = adhoc_study().kinetics.windows.model_copy(update={"cart_product": (3.0, 7.5, 14.0, 40.0)})
    made = analysed(data(), windows=windows)
    columns = made[["AUC0_3", "AUC0_7.5", "AUC0_14", "AUC0_40"]].to_numpy()
    assert (np.diff(columns, axis=1) >= -1e-9).all()
    assert np.allclose(columns[:, -1], made["AUCLST"])


@pytest.mark.rule("KIN-16", source="spec kinetics 13.3")
@pytest.mark.parametrize("rule", ["zero", "pknca", "pre0_post_drop"])
def test_trailing_samples_below_the_limit_change_no_area_and_no_slope(rule):
    frame = data()
    more = pd.DataFrame({"USUBJID": frame["USUBJID"].unique(), "ATIME": 60.0, "AVAL": np.nan, "LLOQ": LIMIT})
    longer = pd.concat([frame, more], ignore_index=True).sort_values(["USUBJID", "ATIME"])
    names = ["AUCLST", "AUC0_28", "LAMZ", "LAMZHL", "CMAX", "TLST"]
    close(
        analysed(longer.reset_index(drop=True), blq_rule=rule),
        analysed(frame, blq_rule=rule),
        names,
        rel=1e-12,
    )


@pytest.mark.rule("KIN-16", source="spec kinetics 13.5")
@pytest.mark.parametrize("factor", [0.01, 7.0, 1e6])
def test_another_unit_of_concentration_scales_what_it_must(factor):
    frame = data()
    scaled = frame.assign(AVAL=frame["AVAL"] * factor, LLOQ=LIMIT * factor)
    made, plain = analysed(scaled), analysed(frame)
    close(made, plain, ["CMAX", "CLST", *AREAS], factor)
    close(made, plain, ["TMAX", "TLST", "LAMZ", "LAMZHL", "R2ADJ", "SPAN", "LAMZNPT"], rel=1e-8)


@pytest.mark.rule("KIN-16", source="spec kinetics 13.5")
@pytest.mark.parametrize("factor", [0.5, 24.0])
def test_another_unit_of_time_scales_what_it_must(factor):
    frame = data()
    made, plain = analysed(frame.assign(ATIME=frame["ATIME"] * factor)), analysed(frame)
    close(made, plain, ["TMAX", "TLST", "AUCLST", "AUCALL", "LAMZHL"], factor, rel=1e-8)
    close(made, plain, ["LAMZ"], 1 / factor, rel=1e-8)
    close(made, plain, ["CMAX", "R2ADJ", "SPAN"], rel=1e-8)


@pytest.mark.rule("KIN-16", source="spec kinetics 13.7")
def test_the_area_to_the_next_sample_below_the_limit_is_a_triangle():
    frame = data()
    made = analysed(frame).set_index("USUBJID")
    for who, part in frame.groupby("USUBJID"):
        one = made.loc[who]
        later = part.loc[part["ATIME"] > one["TLST"], "ATIME"]
        gap = later.min() - one["TLST"] if len(later) else 0.0
        extra = one["CLST"] * gap / 2 if one["TLST"] == one["TLST"] else 0.0
        assert one["AUCALL"] - one["AUCLST"] == pytest.approx(extra, rel=1e-9, abs=1e-9)


@pytest.mark.rule("KIN-16", source="spec kinetics 13.8")
def test_the_company_of_other_profiles_changes_nothing():
    frame = data()
    whole = analysed(frame).set_index("USUBJID")
    for who in ("000", "017", "039"):
        alone = analysed(frame[frame["USUBJID"] == who].reset_index(drop=True)).set_index("USUBJID")
        numbers = alone.select_dtypes("number").columns
        assert np.allclose(
            alone.loc[who, numbers].to_numpy(dtype=float),
            whole.loc[who, numbers].to_numpy(dtype=float),
            rtol=1e-12,
            equal_nan=True,
        )
        assert (
            alone.loc[who, ["FLAGS", "REASON", "LAMZ_REASON"]].tolist()
            == whole.loc[who, ["FLAGS", "REASON", "LAMZ_REASON"]].tolist()
        )


@pytest.mark.rule("KIN-05", source="spec kinetics 12")
@pytest.mark.parametrize("rule", ["zero", "pknca", "pre0_post_drop", "half_lloq"])
def test_no_number_is_missing_without_a_reason(rule):
    made = interim.kinetics(data(), value="AVAL", study=rules(blq_rule=rule))
    for name in made.reasons.columns.drop("USUBJID"):
        missing = made.parameters[name].isna()
        assert (made.reasons.loc[missing, name] != "").all(), name
        assert (made.reasons.loc[~missing, name] == "").all(), name


@pytest.mark.rule("KIN-41")
def test_the_samples_add_up_to_the_counts():
    made = interim.kinetics(data(), value="AVAL")
    used = made.samples[made.samples["USED"].notna()]
    assert used.groupby("PROFILE").size().tolist() == made.parameters["NSAMP"].tolist()
    peaks = made.samples[made.samples["CMAXFL"] == "Y"].set_index("PROFILE")["USED"]
    known = made.parameters["TMAX"].notna()
    assert peaks.tolist() == made.parameters.loc[known, "CMAX"].tolist()
    slopes = made.samples[made.samples["LAMZFL"] == "Y"].groupby("PROFILE").size()
    fitted = made.parameters["LAMZNPT"].dropna()
    assert slopes.to_dict() == fitted.to_dict()
