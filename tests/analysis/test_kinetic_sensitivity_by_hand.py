"""The sensitivity panel, evaluability and the model of each participant, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interim.adam.model import Adam
from interim.analysis import kinetic_sensitivity as questions
from interim.display import table_counts, table_expansion_model, table_sensitivity_panel
from interim.stats.nca_expansion import ExpansionCurve, _loss, _losses, fit_expansion
from interim.stats.ranks import spearman_interval
from tests.analysis.answers import status, subjects, value
from tests.analysis.kinetic_case import (
    CUT,
    STUDY,
    adex,
    adsl,
    kinetics,
    make_adam,
    pc_rows,
    sample,
    with_study,
)

AREA = "CARTG AUC0_14"
LN2 = math.log(2)
FIRST = 150 + 3400 + 3 * 800 / LN2 + 4 * 400 / LN2
SECOND = 300 + 4 * 3300 + 3 * 4800 / math.log(4) + 4 * 800 / LN2
LINEAR = {"01": 150 + 3400 + 3600 + 2400, "02": 300 + 13200 + 12000 + 4800}


@pytest.fixture(scope="module")
def panel():
    return questions.panel(make_adam(), STUDY)


@pytest.mark.rule("KIN-45", source="hand calculation")
def test_areas_under_other_rules(panel):
    own = {"level": "zero / lin up/log down"}
    assert value(panel, AREA, "n", **own) == 3
    assert value(panel, AREA, "geo_mean", **own) == pytest.approx(math.sqrt(FIRST * SECOND))
    assert value(panel, AREA, "median", **own) == pytest.approx(min(FIRST, SECOND))
    assert value(panel, AREA, "largest", **own) == 0
    linear = {"level": "zero / linear"}
    assert value(panel, AREA, "geo_mean", **linear) == pytest.approx(math.sqrt(LINEAR["01"] * LINEAR["02"]))
    most = max(LINEAR["01"] / FIRST, LINEAR["02"] / SECOND) - 1
    assert value(panel, AREA, "largest", **linear) == pytest.approx(100 * most)


@pytest.mark.rule("KIN-45", source="spec kinetics 3")
def test_a_profile_without_any_quantified_sample_enters_no_summary_of_imputed_values(panel):
    assert subjects(panel, AREA, "n", level="half_lloq / linear") == {"01", "02"}
    assert subjects(panel, AREA, "n", level="zero / linear") == {"01", "02", "03"}


@pytest.mark.rule("KIN-45")
def test_all_twelve_combinations_and_the_half_life_once_per_rule(panel):
    assert panel.where(variable=AREA, stat="n")["level"].nunique() == 12
    halves = panel.where(variable="CARTG LAMZHL", stat="n")["level"].tolist()
    assert halves == ["zero", "pknca", "pre0_post_drop", "half_lloq"]
    lines = [" | ".join(c.text for c in r.cells) for r in table_sensitivity_panel(panel, STUDY).rows]
    assert "zero; linear up, logarithmic down; analysis of the report | 3 | " in " ".join(lines)
    assert lines[0] == "CAR-T transgene: AUC, days 0 to 14 (day*copies/ug)"
    assert any(line.startswith("CAR-T transgene: Half-life (day)") for line in lines)
    for stat in ("median", "geo_mean"):
        assert set(panel.where(variable=AREA, stat=stat)["unit"]) == {"day*copies/ug"}
    assert sum("analysis of the report" in line for line in lines) == 2


@pytest.mark.rule("KIN-45")
@pytest.mark.parametrize(
    ("adam", "study", "reason"),
    [
        (make_adam(), with_study(sensitivity_panel=False), "switched off by kinetics.sensitivity_panel"),
        (Adam({"ADSL": adsl(), "ADEX": adex()}, CUT), STUDY, "no samples of cellular kinetics"),
    ],
)
def test_the_panel_can_be_switched_off_and_needs_samples(adam, study, reason):
    made = questions.panel(adam, study)
    assert reason in status(made, "panel", "n")[1]
    assert reason in table_sensitivity_panel(made, study).rows[0].cells[0].text


@pytest.mark.rule("KIN-45")
@pytest.mark.parametrize(
    ("variable", "level", "members"),
    [
        ("CARTG AUC0_14 cycle 1", "COMPLETE", {"01", "02"}),
        ("CARTG AUC0_14 cycle 1", "CLEARED", {"03"}),
        ("CARTG AUC0_28 all cycles", "COMPLETE", {"01"}),
        ("CARTG AUC0_28 all cycles", "CLEARED", {"02", "03"}),
        ("CARTG AUC0_84 all cycles", "INCOMPLETE", {"01", "02", "03"}),
        ("CARTG LAMZHL missing", "ALL_BLQ", {"03"}),
        ("CARTG flags", "CMAX_AFTER_TOCI", {"02"}),
        ("CARTG flags", "SEVERAL_CYCLES", {"01"}),
        ("CARTG flags", "ALL_BLQ", {"03"}),
    ],
)
def test_evaluability(variable, level, members):
    found = questions.evaluability(make_adam(), STUDY)
    assert subjects(found, variable, "n", level=level) == members
    assert value(found, variable, level=level) == len(members)


@pytest.mark.rule("KIN-45")
def test_printed_evaluability():
    found = questions.evaluability(make_adam(), STUDY)
    lines = [" | ".join(c.text for c in r.cells) for r in table_counts(found, STUDY).rows]
    assert lines[0] == "CAR-T transgene, AUC, days 0 to 14 cycle 1"
    assert any(line.startswith("Cleared before the end | 0/1") for line in lines)
    assert "CAR-T transgene, Half-life missing" in lines
    assert any(line.startswith("Maximum after an interleukin-6 blocker | 0/1 | 1/2") for line in lines)


CURVE = ExpansionCurve(1.0, 500.0, 8.0, 20000.0, 0.4, 0.05, 0.02)


def with_curve(noise=(1.1, 0.9, 1.05, 0.95, 1.0, 1.1, 0.92, 1.03, 0.97, 1.04)):
    days = (2, 4, 6, 8, 10, 12, 14, 21, 42, 56)
    levels = [float(CURVE.at(day)) * factor for day, factor in zip(days, noise, strict=True)]
    rows = [sample("02", day, round(level, 3)) for day, level in zip(days, levels, strict=True) if level > 50]
    return [row for row in pc_rows() if row["USUBJID"] != "02"] + rows


@pytest.fixture(scope="module")
def models():
    made = kinetics(with_curve())
    return questions.model(Adam({**make_adam().datasets, "ADPC": made.adpc}, CUT), STUDY)


@pytest.mark.rule("KIN-46")
def test_a_curve_with_noise_is_found_again(models):
    where = {"level": "02"}
    assert value(models, "CARTG", "doubling", **where) == pytest.approx(CURVE.doubling_time, rel=0.3)
    assert value(models, "CARTG", "tmax", **where) == pytest.approx(8, rel=0.2)
    assert value(models, "CARTG", "half_fast", **where) == pytest.approx(LN2 / 0.4, rel=0.4)
    assert value(models, "CARTG", "sigma", **where) < 0.2


@pytest.mark.rule("KIN-46")
def test_what_cannot_be_fitted_has_a_reason(models):
    assert status(models, "CARTG", "cmax", level="01") == ("NE", "TOO_FEW_POINTS")
    assert status(models, "CARTG", "cmax", level="03") == ("NE", "TOO_FEW_POINTS")
    assert value(models, "CARTG", "samples", level="03") == 0
    lines = [" | ".join(c.text for c in r.cells) for r in table_expansion_model(models, STUDY).rows]
    assert lines[0] == "CAR-T transgene (copies/ug)"
    assert lines[1] == "01 | 4 | NE | NE | NE | NE | NE | NE | NE | Too few quantified samples"
    bare = questions.model(Adam({"ADSL": adsl()}, CUT), STUDY)
    assert "no samples" in table_expansion_model(bare, STUDY).rows[0].cells[0].text.lower()


@pytest.mark.rule("KIN-11", source="hand calculation")
def test_the_likelihood_of_the_curve_by_hand():
    free = np.array([[0.0, math.log(7.0), math.log(4.0), math.log(80.0), math.log(0.5), 0.0, 0.0, 0.0]])
    t, y = np.array([1.0, 3.0, 6.0]), np.log([10.0, 30.0, 25.0])
    curve = ExpansionCurve(2.0, 8.0, 4.0, 80.0, 0.5, 0.5, 0.25)
    z = y - np.log(curve.at(t))
    dense = 0.5 * z**2 + 0.5 * math.log(2 * math.pi)
    assert _losses(free, t, y, np.array([True] * 3))[0] == pytest.approx(dense.sum())
    tail = -math.log(0.5 * math.erfc(-z[2] / math.sqrt(2)))
    assert _losses(free, t, y, np.array([True, True, False]))[0] == pytest.approx(dense[:2].sum() + tail)


@pytest.mark.rule("KIN-11")
def test_the_gradient_follows_the_likelihood():
    rng = np.random.default_rng(4)
    t = np.array([1.0, 3.0, 6.0, 9.0, 14.0, 28.0])
    data = (t, np.log(CURVE.at(t)), np.array([True, True, True, True, False, True]))
    for _ in range(5):
        free = rng.normal(size=8) * 0.3 + np.array([-2, 5, 2, 9, -1, -2, -2, 0])
        value_, gradient = _loss(free, data)
        step = 1e-4 * rng.normal(size=8)
        there = _losses((free + step)[None, :], *data)[0]
        back = _losses((free - step)[None, :], *data)[0]
        assert (there - back) / 2 == pytest.approx(gradient @ step, rel=1e-3, abs=1e-7)
        assert value_ == pytest.approx(_losses(free[None, :], *data)[0])


@pytest.mark.rule("KIN-11")
def test_a_sample_below_a_limit_that_is_not_known_says_nothing():
    t = np.array([2, 4, 6, 8, 10, 12, 14, 21.0])
    value_ = CURVE.at(t) * np.array([1.1, 0.9, 1.05, 0.95, 1.0, 1.1, 0.92, 1.03])
    plain = fit_expansion(t, value_, lloq=50.0)
    more = fit_expansion(
        np.append(t, 40.0), np.append(value_, np.nan), lloq=np.append(np.full(8, 50.0), np.nan)
    )
    assert more.loglik == pytest.approx(plain.loglik, abs=1e-9)


@pytest.mark.rule("KIN-43", source="Bonett and Wright 2000, hand calculation")
@pytest.mark.parametrize(
    ("rho", "n", "lower", "upper", "reason"),
    [
        (0.5, 28, 0.13274690372229858, 0.746533057841545, ""),
        (0.0, 7, -0.753058109366224, 0.753058109366224, ""),
        (0.9, 3, None, None, "TOO_FEW"),
        (1.0, 20, None, None, "PERFECT_ORDER"),
        (-1.0, 20, None, None, "PERFECT_ORDER"),
    ],
)
def test_the_interval_of_a_rank_correlation(rho, n, lower, upper, reason):
    found = spearman_interval(rho, n)
    assert found.reason == reason
    if reason:
        assert math.isnan(found.lower) and found.status == "NE"
    else:
        assert (found.lower, found.upper) == pytest.approx((lower, upper), rel=1e-6)
        turned = spearman_interval(-rho, n)
        assert (turned.lower, turned.upper) == pytest.approx((-upper, -lower), rel=1e-6)
