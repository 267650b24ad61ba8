"""Every illegal input of the statistics is refused with its name, its place and its value; legal borders pass."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interim.stats.competing import cumulative_incidence
from interim.stats.contrasts import rmst_contrast
from interim.stats.cutpoint import maximally_selected
from interim.stats.firth import firth_cox, firth_logistic, separation
from interim.stats.inputs import (
    check_between,
    check_choice,
    check_counts,
    check_events,
    check_groups,
    check_matrix,
    check_numbers,
    check_pair,
    check_same_length,
    check_times,
)
from interim.stats.interval_censored import turnbull
from interim.stats.logranks import logrank, logrank_permutation, logrank_scores
from interim.stats.permutation import PermutationPlan
from interim.stats.poisson import poisson_interval
from interim.stats.proportional import cox
from interim.stats.ranks import hodges_lehmann, kendall, kruskal_wallis, pearson, spearman, wilcoxon
from interim.stats.shrinkage import shrink_binomial, shrink_normal
from interim.stats.survival import kaplan_meier
from interim.stats.tables import chi_square, freeman_halton, unconditional_test
from interim.stats.trend import cochran_armitage, jonckheere

NAN, INF = math.nan, math.inf
T, E, G = [1, 2, 3], [1, 0, 1], [0, 1, 1]
PLAN = PermutationPlan.binary(3, 1)


def refused(call, message):
    with pytest.raises(ValueError) as caught:
        call()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_numbers("a", "y"), "y must be a number, not <U1; y is 'a'"),
        (lambda: check_numbers(["a", "b"], "y"), "y[0] is 'a'"),
        (lambda: check_numbers([1, "b"], "y"), "y must be a number"),
        (lambda: check_numbers(np.array([1, "b"], dtype=object), "y"), "y must be a number; y[1] is 'b'"),
        (lambda: check_numbers([1 + 2j], "y"), "y must be a number, not complex128; y[0] is (1+2j)"),
        (lambda: check_numbers([[1, 2]], "y"), "y must be a number or one-dimensional; it has shape (1, 2)"),
        (
            lambda: check_numbers([[1], [2, 3]], "y"),
            "y must be one list of numbers; its entries have different",
        ),
        (lambda: check_numbers(np.array(["2026-01-01"], dtype="M8[D]"), "y"), "not datetime64[D]"),
        (lambda: check_counts([1, 2.5], "x", least=0), "x must be a whole number >= 0; x[1] is 2.5"),
        (lambda: check_counts([1, -1], "x", least=0), "x[1] is -1.0"),
        (lambda: check_counts([0, 1], "n", least=1), "n must be a whole number >= 1; n[0] is 0.0"),
        (lambda: check_counts([NAN], "x", least=0), "x[0] is nan"),
        (lambda: check_counts([3, INF], "x", least=0), "x[1] is inf"),
        (lambda: check_counts(2.5, "x", least=0), "x must be a whole number >= 0; x is 2.5"),
        (lambda: check_times(3, "time"), "time must be one-dimensional; it is the single number 3.0"),
        (lambda: check_times([1, -2], "time"), "time must be finite and >= 0; time[1] is -2.0"),
        (lambda: check_times([NAN, 1], "time"), "time[0] is nan"),
        (lambda: check_times([1, 2, INF], "time"), "time[2] is inf"),
        (lambda: check_times(np.ma.array([1.0, 2.0], mask=[0, 1]), "time"), "time[1] is nan"),
        (lambda: check_times([1, None], "time"), "time[1] is nan"),
        (lambda: check_events(1, "event"), "event must be one-dimensional; it is the single number 1"),
        (lambda: check_events([0, 2], "event"), "event must be 0 (censored) or 1 (event), other codings"),
        (lambda: check_events([0, 1, 2], "event"), "event[2] is 2"),
        (lambda: check_events([0, NAN], "event"), "event[1] is nan"),
        (lambda: check_events([0.5], "event"), "event[0] is 0.5"),
        (lambda: check_between(0.0, "level", low=0, high=1), "level must lie in (0, 1); it is 0.0"),
        (lambda: check_between(1.0, "level", low=0, high=1), "level must lie in (0, 1); it is 1.0"),
        (lambda: check_between(NAN, "level", low=0, high=1), "level must lie in (0, 1); it is nan"),
        (lambda: check_between(1.5, "p", low=0, high=1, closed=True), "p must lie in [0, 1]; it is 1.5"),
        (lambda: check_between(INF, "t", low=0, high=INF, closed=True), "t must lie in [0, inf]; it is inf"),
        (
            lambda: check_between([0.5], "level", low=0, high=1),
            "level must be a single number; it has shape (1,)",
        ),
        (
            lambda: check_choice("b", "ties", ("efron", "breslow")),
            "ties must be one of efron, breslow; it is 'b'",
        ),
        (lambda: check_pair([1, 2, 3], [4, 4, 4]), "x and n must hold two groups (first, second)"),
        (lambda: check_pair([1, 5], [4, 4]), "x must be <= n; x[1] is 5 and n[1] is 4"),
        (lambda: check_pair([0, 0], [4, 0]), "n must be a whole number >= 1; n[1] is 0.0"),
        (
            lambda: check_matrix([1, 2], "X", rows=3),
            "X must have 3 rows, one per participant; its shape is (2, 1)",
        ),
        (lambda: check_matrix([[1, 2], [3, INF]], "X", rows=2), "X must be finite; X[1, 1] is inf"),
        (lambda: check_matrix([[[1]]], "X", rows=1), "its shape is (1, 1, 1)"),
        (lambda: check_groups([0, 1], "group", rows=3), "one label per participant (3); its shape is (2,)"),
        (lambda: check_groups([0, 2], "group", rows=2, binary=True), "group must be 0 or 1; group[1] is 2.0"),
        (lambda: check_groups([0, 1.5], "group", rows=2), "group must be a whole number; group[1] is 1.5"),
        (lambda: check_groups([NAN, 1], "group", rows=2), "group[0] is nan"),
        (
            lambda: check_same_length(np.zeros(2), np.array([4.0, 5.0, 6.0]), ("a", "b")),
            "a and b must have the same length; they have 2 and 3, and b[2] = 6.0 has no partner",
        ),
        (
            lambda: check_same_length(np.array([7.0]), np.zeros(0), ("a", "b")),
            "they have 1 and 0, and a[0] = 7.0 has no partner",
        ),
    ],
)
def test_checks_name_what_was_expected_and_found(call, message):
    refused(call, message)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: check_numbers(np.array([1, None], dtype=object), "y"), [1.0, NAN]),
        (lambda: check_numbers([True, False], "y"), [True, False]),
        (lambda: check_numbers([], "y"), []),
        (lambda: check_counts([0, 3.0], "x", least=0), [0, 3]),
        (lambda: check_times([0, 2.5], "t"), [0, 2.5]),
        (lambda: check_events([0, 1.0], "e"), [False, True]),
        (lambda: check_groups([7, -3, 7], "g", rows=3), [1, 0, 1]),
        (lambda: check_groups([True, False], "g", rows=2, binary=True), [1, 0]),
        (lambda: check_groups([1, 1], "g", rows=2, binary=True), [1, 1]),
        (lambda: check_groups([5, 5], "g", rows=2), [0, 0]),
        (lambda: check_matrix([1, 2], "X", rows=2)[:, 0], [1, 2]),
        (lambda: np.array(check_pair([1, 4], [4, 4])), [1, 4, 4, 4]),
        (lambda: np.array([check_between(0.0, "p", low=0, high=1, closed=True)]), [0]),
    ],
)
def test_legal_borders_pass(call, expected):
    assert call().tolist() == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kaplan_meier([1, -1], [1, 1]), "time must be finite and >= 0; time[1] is -1.0"),
        (lambda: kaplan_meier([1, 2], [1, 3]), "event[1] is 3"),
        (lambda: kaplan_meier([1, 2], [1]), "time[1] = 2.0 has no partner"),
        (lambda: kaplan_meier(T, E, level=1), "level must lie in (0, 1); it is 1.0"),
        (lambda: kaplan_meier(T, E, interval="logit2"), "interval must be one of"),
        (lambda: kaplan_meier(T, E).quantile(0), "p must lie in (0, 1); it is 0.0"),
        (lambda: kaplan_meier(T, E).at(-1), "t must lie in [0, inf]; it is -1.0"),
        (lambda: kaplan_meier(T, E).rmst(0), "tau must lie in (0, inf); it is 0.0"),
        (lambda: kaplan_meier(T, E).n_at_risk([1, NAN]), "times[1] is nan"),
        (lambda: rmst_contrast(T, E, group=[0, 1, 2]), "group must be 0 or 1; group[2] is 2.0"),
        (lambda: rmst_contrast(T, E, group=G, tau=-1), "tau must lie in (0, inf); it is -1.0"),
        (lambda: rmst_contrast(T, E, group=G, level=0), "level must lie in (0, 1); it is 0.0"),
        (lambda: logrank(T, E, group=[0, 1]), "group must have one label per participant (3)"),
        (
            lambda: logrank(T, E, group=G, strata=[0, 0.5, 1]),
            "strata must be a whole number; strata[1] is 0.5",
        ),
        (lambda: logrank_scores(T, E, ties="exact"), "ties must be one of nelson_aalen, hothorn_lausen"),
        (lambda: logrank_permutation(T, E, group=[0, 1, 5]), "group[2] is 5.0"),
        (
            lambda: cumulative_incidence(T, [0, 1, -1]),
            "cause must be 0 (censored), 1, 2, ...; cause[2] is -1.0",
        ),
        (lambda: cumulative_incidence(T, [0, 1.5, 1]), "cause[1] is 1.5"),
        (lambda: cumulative_incidence(T, [0, 1]), "time[2] = 3.0 has no partner"),
        (
            lambda: cumulative_incidence(T, E, interval="plain"),
            "interval must be one of log-log, log; it is 'plain'",
        ),
        (lambda: cumulative_incidence(T, E).at(1, 2), "cause must be 1..1; it is 2"),
        (lambda: cumulative_incidence(T, E).at(1, 0), "cause must be 1..1; it is 0"),
        (lambda: cox(T, E, X=[1, 2]), "X must have 3 rows"),
        (lambda: cox(T, E, X=[1, 2, NAN]), "X[2, 0] is nan"),
        (lambda: cox(T, E, X=G, ties="exact"), "ties must be one of efron, breslow; it is 'exact'"),
        (lambda: firth_cox(T, [1, 0, 4], X=G), "event[2] is 4"),
        (lambda: firth_logistic(G, [1, 0, 4]), "y must be 0 (censored) or 1 (event)"),
        (lambda: firth_logistic(G, E, level=2), "level must lie in (0, 1); it is 2.0"),
        (lambda: separation([1, INF, 2], E), "X[1, 0] is inf"),
        (lambda: wilcoxon([1, NAN, 2], G), "y must be finite; y[1] is nan"),
        (lambda: wilcoxon([1, 2], G), "group must have one label per participant (2); its shape is (3,)"),
        (lambda: kruskal_wallis([1, INF, 2], G), "y[1] is inf"),
        (lambda: hodges_lehmann(T, G, level=-1), "level must lie in (0, 1); it is -1.0"),
        (lambda: spearman([1, 2], [1, 2, 3]), "x and y must have the same length; they have 2 and 3"),
        (lambda: pearson([1, 2, NAN], T), "x must be finite; x[2] is nan"),
        (lambda: kendall(T, [1, INF, 0]), "y must be finite; y[1] is inf"),
        (lambda: cochran_armitage([1, 5], [4, 4]), "x must be <= n; x[1] is 5 and n[1] is 4"),
        (lambda: cochran_armitage([1], [4, 4]), "they have shapes (1,) and (2,)"),
        (
            lambda: cochran_armitage([1, 1], [4, 4], scores=[1]),
            "scores must be one finite number per group (2)",
        ),
        (lambda: cochran_armitage([1, 1], [4, 4], scores=[1, NAN]), "found [1.0, nan]"),
        (
            lambda: cochran_armitage([0, 0], [0, 0]),
            "n must hold at least one participant; all groups are empty",
        ),
        (lambda: jonckheere(T, G, two_sided="both"), "two_sided must be one of abs, central; it is 'both'"),
        (lambda: jonckheere([1, NAN, 2], G), "y must be finite; y[1] is nan"),
        (lambda: freeman_halton([1, 2]), "table must have rows and columns; its shape is (2,)"),
        (lambda: freeman_halton([[1, 2], [3, -4]]), "table must be a whole number >= 0; table[3] is -4.0"),
        (lambda: chi_square([[1, 2, 3], [4, 5, 6]], correction=True), "the shape is (2, 3)"),
        (lambda: unconditional_test([1, 2], [3, 3], ordering="wald"), "ordering must be one of z_pooled"),
        (lambda: maximally_selected(T, [1, 2, NAN], plan=PLAN), "marker must be finite; marker[2] is nan"),
        (lambda: maximally_selected(T, T, plan=PLAN, minprop=0), "minprop must lie in (0, 1); it is 0.0"),
        (
            lambda: maximally_selected(T, T, plan=PLAN, minprop=0.5, maxprop=0.4),
            "maxprop must lie in (0.5, 1)",
        ),
        (lambda: turnbull([1, 2], [2, 2]), "left must be >= 0 and < right; place 1 holds (2.0, 2.0]"),
        (lambda: turnbull([-1], [2]), "place 0 holds (-1.0, 2.0]"),
        (lambda: turnbull([1, 2], [2]), "left and right must have the same length"),
        (lambda: shrink_binomial([3], [2], mu0=0.1), "x must be <= n; x[0] is 3 and n[0] is 2"),
        (lambda: shrink_binomial([1], [2], mu0=1), "mu0 must lie in (0, 1); it is 1.0"),
        (lambda: shrink_binomial([1], [2], mu0=0.1, mu_sd=0), "mu_sd must lie in (0, inf); it is 0.0"),
        (
            lambda: shrink_binomial([1], [2], mu0=0.1, tau_scale=-1),
            "tau_scale must lie in (0, inf); it is -1.0",
        ),
        (
            lambda: shrink_normal([1, 2], [1, 0]),
            "estimate must be finite and se > 0; place 1 holds 2.0 and 0.0",
        ),
        (lambda: shrink_normal([NAN, 2], [1, 1]), "place 0 holds nan and 1.0"),
        (lambda: shrink_normal([1], [1], tau2="reml"), "tau2 must be one of paule_mandel, dersimonian_laird"),
        (
            lambda: poisson_interval(-1, 1.0),
            "events must be >= 0, time > 0 and level between 0 and 1, found -1, 1.0",
        ),
        (lambda: poisson_interval(1, 0.0), "found 1, 0.0, 0.95"),
        (lambda: poisson_interval(1, NAN), "found 1, nan, 0.95"),
        (lambda: poisson_interval(1, 1.0, level=1.0), "found 1, 1.0, 1.0"),
    ],
)
def test_statistics_name_what_they_refuse(call, message):
    refused(call, message)
