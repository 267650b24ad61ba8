"""Every status code of the statistics workshop, reached once, and the bad inputs, each with the answer that it must give."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interim import stats
from interim.stats.jeffreys import LogisticModel
from interim.stats.penalised import Maximum
from interim.stats.proportional import RiskSets

NAN = math.nan
ONE = stats.kaplan_meier([5], [1])
TIED = stats.kaplan_meier([5] * 6, [1] * 6)
LATE = stats.kaplan_meier([1, 2, 3, 4], [1, 0, 0, 0])


def plan():
    return stats.PermutationPlan.sample(6, draws=200, seed=1)


CODES = {
    "NO_DATA": lambda: stats.kaplan_meier([], []),
    "ONE_LEVEL": lambda: stats.logrank([1, 2, 3], [1, 1, 0], group=[0, 0, 0]),
    "NO_EVENTS": lambda: stats.logrank([1, 2, 3], [0, 0, 0], group=[0, 1, 0]),
    "ALL_EVENTS": lambda: stats.firth_logistic([0, 1, 0, 1], [1, 1, 1, 1], terms=[]),
    "MONOTONE_LIKELIHOOD": lambda: stats.cox([1, 2, 3, 4], [1, 1, 0, 0], X=[1, 1, 0, 0]),
    "ZERO_FOLLOWUP": lambda: stats.kaplan_meier([0, 1, 2], [1, 1, 0]),
    "TIES_HEAVY": lambda: TIED,
    "MEDIAN_NOT_REACHED": lambda: LATE.quantile(0.5),
    "BEYOND_FOLLOWUP": lambda: LATE.at(9),
    "TAU_BEYOND_FOLLOWUP": lambda: LATE.rmst(9),
    "AT_RISK_LT_3": lambda: LATE.at(3),
    "MC_ONLY": lambda: plan().quadratic([0, 0, 1, 1, 2, 2], [1.0, 2, 3, 4, 5, 6]),
}


@pytest.mark.rule("STAT-32", source="specification, section 2")
@pytest.mark.parametrize("code", CODES)
def test_the_code_is_reached_and_stands_beside_no_bare_number(code):
    found = CODES[code]()
    assert code in found.reason.split(";")
    assert found.status != "OK"
    if found.status in ("NE", "NR"):
        numbers = [v for k, v in vars(found).items() if k in ("value", "p_value", "chisq", "statistic")]
        assert all(math.isnan(number) for number in numbers)


@pytest.mark.rule("STAT-32", source="specification, section 2")
def test_codes_of_limits():
    one = ONE.quantile(0.5)
    assert (one.value, one.status) == (5.0, "OK")
    assert (one.lower_status, one.lower_reason) == ("NE", "CI_LOWER_NE")
    assert (one.upper_status, one.upper_reason) == ("NR", "CI_UPPER_NR")
    assert ONE.at(5).limits_reason == "CI_AT_ZERO" and LATE.at(0.5).limits_reason == "CI_AT_ONE"


@pytest.mark.rule("STAT-32", source="specification, section 2")
def test_a_separated_logistic_model_is_named_and_its_penalised_fit_exists():
    x, y = [1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1]
    assert stats.separation(x, y).kind == "complete" and not stats.separation(x, y).exists
    fit = stats.firth_logistic(x, y, terms=[1])
    assert fit.status == "OK" and np.isfinite(fit.coef).all()
    assert fit.limits[1][0].root_error <= 1e-6


@pytest.mark.rule("STAT-32", source="specification, section 2")
def test_what_did_not_converge_is_no_estimate(monkeypatch):
    lost = Maximum(np.zeros(2), -1.0, 1.0, np.zeros(2), np.eye(2))
    monkeypatch.setattr(LogisticModel, "maxima", lambda self: (lost, None))
    fit = stats.firth_logistic([0, 1, 0, 1], [0, 1, 1, 0], terms=[])
    assert (fit.status, fit.reason) == ("NE", "NOT_CONVERGED")
    real = RiskSets.likelihood

    def climbing(self, beta, *, efron):
        value, score, information = real(self, beta, efron=efron)
        return value + float(beta.sum()), score + 1.0, information * 0.0 + 1.0

    monkeypatch.setattr(RiskSets, "likelihood", climbing)
    cox = stats.cox([1, 2, 3, 4, 5], [1, 1, 1, 1, 0], X=[1, 0, 1, 0, 1])
    assert (cox.status, cox.reason) == ("NE", "NOT_CONVERGED") and np.isnan(cox.coef).all()


BAD = {
    "negative time": (lambda: stats.kaplan_meier([1, -2], [1, 0]), r"time\[1\]"),
    "event 7": (lambda: stats.kaplan_meier([1, 2], [1, 7]), r"event\[1\] is 7"),
    "event coded 1 and 2": (lambda: stats.logrank([1, 2], [1, 2], group=[0, 1]), r"event\[1\] is 2"),
    "time missing": (lambda: stats.cox([1, NAN], [1, 1], X=[0, 1]), r"time\[1\]"),
    "all missing": (lambda: stats.firth_cox([NAN, NAN], [1, 1], X=[0, 1]), r"time\[0\]"),
    "factor of one level": (lambda: stats.cox([1, 2, 3], [1, 1, 1], X=[1, 1, 1]), "constant"),
    "time and event swapped": (lambda: stats.kaplan_meier([1, 0, 1], [30, 60, 90]), r"event\[0\] is 30"),
    "more events than participants": (lambda: stats.binomial_interval(4, 3), "4"),
    "level of 95": (lambda: stats.kaplan_meier([1], [1], level=95), "level"),
}


@pytest.mark.rule("STAT-01", source="specification, section 1")
@pytest.mark.parametrize("case", BAD)
def test_illegal_input_is_refused_with_its_place(case):
    call, words = BAD[case]
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.rule("STAT-32", source="specification, section 17")
def test_ties_everywhere_and_one_patient_give_statuses_in_every_function():
    same, group = [5.0] * 6, [0, 1, 0, 1, 0, 1]
    assert TIED.surv.tolist() == [0.0] and TIED.quantile(0.5).value == 5.0
    tied = stats.logrank(same, [1] * 6, group=group)
    assert (tied.status, tied.reason) == ("NE", "NO_DATA") and tied.observed.tolist() == [3.0, 3.0]
    assert stats.cox(same, [1] * 6, X=group).status in ("OK", "NE")
    permuted = stats.logrank_permutation(same, [1] * 6, group=group)
    assert (permuted.p_value, permuted.p_min, permuted.exact) == (1.0, 1.0, True)
    assert stats.wilcoxon(same, group).p_value == 1.0 or stats.wilcoxon(same, group).status == "NE"
    lone = stats.logrank([3], [1], group=[0])
    assert (lone.status, lone.reason) == ("NE", "ONE_LEVEL") and ONE.n == 1
    interval = stats.binomial_interval(1, 1)
    assert (float(interval.lower), float(interval.upper)) == pytest.approx((0.025, 1.0))
