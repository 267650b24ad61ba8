"""What libraries give for small trials beside the defined value, the statuses of the workshop, and its doors."""

from __future__ import annotations

import importlib
import math
import pkgutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy import stats as scipy_stats

import interim.stats as room
from interim.stats import (
    PermutationPlan,
    cochran_armitage,
    cox,
    cumulative_incidence,
    difference_interval,
    firth_logistic,
    kaplan_meier,
    linear_exact,
    logrank,
    ratio_interval,
    spearman,
    turnbull,
    unconditional_test,
)

STATUSES = ("OK", "FLAG", "NE", "NR", "INF")
DAYS = [11, 13, 110, 229, 329, 356]
ALL = [1, 1, 1, 1, 1, 1]


def peer(name):
    return pytest.importorskip(name, reason=f"{name} is not installed")


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.rule("STAT-33", source="scipy 1.17.1")
def test_barnard_misses_the_supremum():
    found = unconditional_test((7, 2), (12, 14)).p_value
    library = scipy_stats.barnard_exact([[7, 2], [5, 12]], pooled=True).pvalue
    assert found == pytest.approx(0.02368, abs=1e-5)
    assert library < found - 5e-4


@pytest.mark.rule("STAT-33", source="scipy 1.17.1")
def test_boschloo_doubles_one_side():
    library = scipy_stats.boschloo_exact([[3, 0], [6, 9]]).pvalue
    one_sided = scipy_stats.boschloo_exact([[3, 0], [6, 9]], alternative="greater").pvalue
    assert library == pytest.approx(2 * one_sided, rel=1e-6)
    # 3/9 v 0/9: the rejection region by Fisher's p is {0, 1, 2 v 8 or 9 more extreme}, its sup 0.0975
    assert unconditional_test((3, 0), (9, 9), ordering="boschloo").p_value == pytest.approx(
        0.0975341796, abs=1e-9
    )


@pytest.mark.rule("STAT-33", source="lifelines 0.30.3")
def test_lifelines_closes_the_median_and_takes_no_midpoint():
    lifelines = peer("lifelines")
    from lifelines.utils import median_survival_times

    fitter = lifelines.KaplanMeierFitter().fit(DAYS, ALL)
    last = fitter.confidence_interval_.iloc[-1].tolist()
    ours = kaplan_meier(DAYS, ALL)
    assert last == [0.0, 0.0] and math.isnan(ours.lower[-1]) and math.isnan(ours.upper[-1])
    assert math.isfinite(median_survival_times(fitter.confidence_interval_).iloc[0, 1])
    assert (ours.quantile(0.5).upper_status, ours.quantile(0.5).upper_reason) == ("NR", "CI_UPPER_NR")
    four = lifelines.KaplanMeierFitter().fit([1, 2, 3, 4], [1, 1, 1, 1])
    assert (
        four.median_survival_time_ == 2
        and kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1]).quantile(0.5).value == 2.5
    )


@pytest.mark.rule("STAT-33", source="lifelines 0.30.3")
def test_lifelines_fits_what_has_no_maximum():
    lifelines = peer("lifelines")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"t": [1, 2, 3, 4, 5, 6], "e": [1, 1, 1, 1, 1, 0], "x": [1, 1, 1, 0, 0, 0]})
    fitted = lifelines.CoxPHFitter().fit(frame, "t", "e")
    assert math.isfinite(fitted.params_["x"])
    assert cox(frame.t, frame.e, X=frame.x).reason == "MONOTONE_LIKELIHOOD"
    assert lifelines.KaplanMeierFitter().fit([1, 2, 3], [0, 1, 7]).event_table["observed"].sum() == 2
    with pytest.raises(ValueError, match=r"event\[2\]"):
        kaplan_meier([1, 2, 3], [0, 1, 7])


@pytest.mark.rule("STAT-33", source="lifelines 0.30.3")
def test_lifelines_moves_tied_times_of_competing_risks():
    lifelines = peer("lifelines")
    time, cause = [3, 3, 3, 5, 5, 8, 8, 9], [1, 2, 1, 1, 2, 0, 1, 2]
    fitted = lifelines.AalenJohansenFitter(seed=1).fit(time, cause, event_of_interest=1)
    exact = cumulative_incidence(time, cause)
    assert exact.at(3, 1)[0] == pytest.approx(2 / 8)
    assert not {3.0, 5.0} & set(fitted.cumulative_density_.index)


@pytest.mark.rule("STAT-33", source="statsmodels 0.15.0")
def test_statsmodels_score_intervals():
    proportion = peer("statsmodels.stats.proportion")
    ours = ratio_interval((4, 3), (4, 8))
    library = proportion.confint_proportions_2indep(4, 4, 3, 8, compare="ratio", method="score")
    assert ours.lower == pytest.approx(1.0141, abs=1e-3)
    assert abs(library[0] - ours.lower) > 0.5
    with pytest.raises((ValueError, ZeroDivisionError)):
        proportion.confint_proportions_2indep(7, 12, 2, 14, compare="diff", method="score")
    assert difference_interval((7, 2), (12, 14)).status == "OK"


@pytest.mark.rule("STAT-33", source="scikit-learn")
def test_separated_logistic_fit_of_scikit_learn_is_a_number():
    linear = peer("sklearn.linear_model")
    x, y = np.arange(8.0)[:, None], [0, 0, 0, 0, 1, 1, 1, 1]
    assert math.isfinite(linear.LogisticRegression(C=1e9, max_iter=5000).fit(x, y).coef_[0, 0])
    assert room.separation(x, y).kind == "complete" and firth_logistic(x, y, terms=[1]).status == "OK"


@pytest.mark.rule("STAT-32")
def test_no_public_name_is_hidden_by_its_module():
    modules = {module.name for module in pkgutil.iter_modules(room.__path__)}
    assert not modules & set(room.__all__)
    for module in modules:
        importlib.import_module(f"interim.stats.{module}")
    assert callable(room.cox) and callable(room.logrank) and callable(room.turnbull)
    assert {name for name in room.__all__ if not hasattr(room, name)} == set()
    with pytest.raises(AttributeError, match="no_such"):
        room.no_such  # noqa: B018


@pytest.mark.rule("STAT-32")
def test_the_room_imports_neither_frames_nor_peers():
    code = (
        "import sys, interim.stats as s; [getattr(s, n) for n in s.__all__]; "
        "print([m for m in ('pandas', 'lifelines', 'statsmodels', 'sklearn', 'matplotlib', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def every_answer():
    """Answers of small samples, degenerate ones among them, as (status, reason, floats)."""
    time, event, group = [1, 2, 2, 4, 5, 7], [1, 0, 1, 1, 0, 1], [0, 1, 0, 1, 1, 0]
    for e in (event, [0] * 6, [1] * 6):
        curve = kaplan_meier(time, e)
        yield curve.status, curve.reason, [*curve.surv]
        for point in (curve.quantile(0.5), curve.at(3), curve.at(9), curve.rmst(4), curve.rmst(99)):
            yield point.status, point.reason, [point.value]
        for found in (logrank(time, e, group=group), cox(time, e, X=group)):
            yield found.status, found.reason, [getattr(found, "chisq", getattr(found, "lrt", 0.0))]
        single = linear_exact(e, group)
        yield single.status, single.reason, [single.p_value, single.p_min]
        trend = cochran_armitage([sum(e[:3]), sum(e[3:])], [3, 3])
        yield trend.status, trend.reason, [trend.p_value]
        rank = spearman(time, e)
        yield rank.status, rank.reason, [rank.estimate]
        cif = cumulative_incidence(time, e)
        yield cif.status, cif.reason, [*cif.cif[:, 0]]
    for x in ((0, 0), (1, 3), (3, 1), (3, 3)):
        odds = ratio_interval(x, (3, 3), scale="odds")
        for interval in (odds, ratio_interval(x, (3, 3)), difference_interval(x, (3, 3))):
            yield interval.status, interval.reason, [interval.lower, interval.upper]
    yield turnbull([0], [1]).status, "", [*turnbull([0], [1]).mass]
    for lone in ([0, 0, 1, 1], [0, 1, 0, 1]):
        fit = firth_logistic([1, 2, 3, 4], lone)
        yield fit.status, fit.reason, [*fit.coef, *fit.lower, *fit.upper]
    plan = PermutationPlan.sample(6, draws=99, seed=1)
    test = plan.quadratic(group, time)
    yield test.status, test.reason, [test.p_value]


@pytest.mark.rule("STAT-32")
def test_a_float_is_missing_only_beside_a_status():
    seen = set()
    for status, reason, numbers in every_answer():
        assert status in STATUSES and bool(reason) == (status != "OK")
        seen |= set(reason.split(";"))
        if status == "OK":
            assert not np.isnan(np.array(numbers, float)).any()
    assert {
        "NO_EVENTS",
        "ALL_EVENTS",
        "ONE_LEVEL",
        "BEYOND_FOLLOWUP",
        "TAU_BEYOND_FOLLOWUP",
        "AT_RISK_LT_3",
        "MEDIAN_NOT_REACHED",
        "MC_ONLY",
        "CI_UNBOUNDED",
    } <= seen


@pytest.mark.rule("STAT-32")
def test_the_remaining_codes_of_a_curve():
    heavy = kaplan_meier([0, 3, 3, 3, 3, 3], [0, 1, 1, 1, 1, 1])
    assert {"ZERO_FOLLOWUP", "TIES_HEAVY"} <= set(heavy.reason.split(";"))
    early = kaplan_meier([1, 5, 5, 5], [1, 1, 1, 1]).quantile(0.2)
    assert early.lower_status in STATUSES
    assert kaplan_meier([], []).reason == "NO_DATA"
