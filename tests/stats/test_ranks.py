"""Ranks, trends, permutation plans, families of tests, cut-points, shrinkage."""

from __future__ import annotations

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from interim.stats import (
    PermutationPlan,
    adjust_p,
    cochran_armitage,
    fisher_test,
    hodges_lehmann,
    jonckheere,
    kendall,
    kruskal_wallis,
    linear_exact,
    max_t,
    maximally_selected,
    min_p,
    pearson,
    shrink_binomial,
    shrink_normal,
    spearman,
    wilcoxon,
    wilcoxon_asymptotic,
)
from interim.stats.trend import mid_p

values = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), min_size=3, max_size=10)


@pytest.mark.rule("STAT-26")
@settings(max_examples=40, deadline=None)
@given(values)
def test_rank_sum_against_all_assignments(rows):
    y, g = (np.array(c) for c in zip(*rows, strict=True))
    found, n, n1 = wilcoxon(y, g), len(g), int(g.sum())
    if n1 in (0, n):
        assert found.reason == "ONE_LEVEL" and math.isnan(found.p_value)
        return
    ranks = np.array([(y < v).sum() + ((y == v).sum() + 1) / 2 for v in y])
    sums = np.array([ranks[list(c)].sum() for c in combinations(range(n), n1)]) - n1 * ranks.mean()
    own = ranks[g == 1].sum() - n1 * ranks.mean()
    assert found.statistic == pytest.approx(own)
    assert found.p_value == pytest.approx(np.mean(np.abs(sums) >= abs(own) - 1e-9))
    assert (
        found.p_greater == pytest.approx(np.mean(sums >= own - 1e-9)) and found.p_value >= found.p_min - 1e-12
    )
    assert wilcoxon(-y, g).p_value == pytest.approx(found.p_value)
    assert wilcoxon(y, 1 - g).statistic == pytest.approx(-found.statistic)


@pytest.mark.rule("STAT-26")
def test_asymptotic_companions():
    y, g = [1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1]
    # U = 0, mean 4.5, variance 3 * 3 * 7 / 12
    z = 4.5 / math.sqrt(5.25)
    assert wilcoxon_asymptotic(y, g, correction=False).p_value == pytest.approx(math.erfc(z / math.sqrt(2)))
    assert wilcoxon_asymptotic(y, g).p_value == pytest.approx(math.erfc(4 / math.sqrt(5.25) / math.sqrt(2)))
    assert kruskal_wallis(y, g).statistic == pytest.approx(z * z)
    for none in (
        wilcoxon_asymptotic([1, 1], [0, 1]),
        kruskal_wallis([1, 1], [0, 1]),
        wilcoxon_asymptotic([], []),
    ):
        assert (none.status, none.reason) == ("NE", "ONE_LEVEL")


@pytest.mark.rule("STAT-26")
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=3, max_size=7))
def test_jonckheere_against_all_orders(rows):
    y, g = (np.array(c) for c in zip(*rows, strict=True))
    found = jonckheere(y, g)

    def pairs(group):
        before = group[:, None] < group[None, :]
        return (before & (y[None, :] > y[:, None])).sum() + 0.5 * (before & (y[None, :] == y[:, None])).sum()

    if len(set(g)) < 2:
        assert found.reason == "ONE_LEVEL"
        return
    all_ = np.array([pairs(np.array(order)) for order in permutations(g)])
    own = pairs(g)
    assert found.statistic == own
    assert found.p_greater == pytest.approx(np.mean(all_ >= own - 1e-9)) and found.p_less == pytest.approx(
        np.mean(all_ <= own + 1e-9)
    )
    assert found.p_value == pytest.approx(
        np.mean(np.abs(all_ - all_.mean()) >= abs(own - all_.mean()) - 1e-9)
    )
    central = jonckheere(y, g, two_sided="central")
    assert (
        central.p_value == pytest.approx(min(1, 2 * min(found.p_less, found.p_greater)))
        and central.definition == "central"
    )


@pytest.mark.rule("STAT-26")
def test_cochran_armitage_by_hand_and_statuses():
    # two groups: the trend test is Fisher's test with definition abs
    found, fisher = cochran_armitage([1, 4], [6, 6]), fisher_test((4, 1), (6, 6))
    assert (found.p_greater, found.p_less) == pytest.approx((fisher.p_greater, fisher.p_less))
    assert mid_p([1, 4], [6, 6]) == pytest.approx(fisher_test((4, 1), (6, 6), midp=True).p_greater)
    flat = cochran_armitage([1, 4], [6, 6], exact=False)
    assert flat.statistic == pytest.approx(12 * (4 * 5 - 2 * 1) ** 2 / (5 * 7 * 36))
    down = cochran_armitage([4, 1], [6, 6], exact=False)
    assert down.p_greater == pytest.approx(1 - flat.p_greater)
    assert cochran_armitage([1, 4, 2], [6, 6, 4], scores=[10, 20, 30]).p_value == pytest.approx(
        cochran_armitage([1, 4, 2], [6, 6, 4]).p_value
    )
    for x, n, reason in (
        ([0, 0], [3, 3], "NO_EVENTS"),
        ([3, 3], [3, 3], "ALL_EVENTS"),
        ([1], [3], "ONE_LEVEL"),
    ):
        assert (cochran_armitage(x, n).status, cochran_armitage(x, n).reason) == ("NE", reason)
    assert jonckheere([], []).reason == "NO_DATA"


@pytest.mark.rule("STAT-27")
def test_shift_by_hand():
    found = hodges_lehmann([1, 2, 3, 10, 11, 12], [0, 0, 0, 1, 1, 1], level=0.8)
    gaps = sorted(b - a for a in (1, 2, 3) for b in (10, 11, 12))
    assert found.estimate == np.median(gaps)
    # P(U = 0) = 1/20 <= 0.1, P(U <= 1) = 2/20 <= 0.1, P(U <= 2) = 4/20
    assert (found.interval.lower, found.interval.upper) == (gaps[1], gaps[-2])
    small = hodges_lehmann([1, 2], [0, 1])
    assert (small.estimate, small.interval.status, small.interval.lower) == (1.0, "INF", -math.inf)
    assert (hodges_lehmann([1], [1]).status, hodges_lehmann([1], [1]).reason) == ("NE", "ONE_LEVEL")


@pytest.mark.rule("STAT-27")
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=6))
def test_correlations_against_all_orders(rows):
    x, y = (np.array(c, float) for c in zip(*rows, strict=True))
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert {spearman(x, y).reason, kendall(x, y).reason, pearson(x, y).reason} == {"ONE_LEVEL"}
        return

    def ranks(v):
        return np.array([(v < a).sum() + ((v == a).sum() + 1) / 2 for a in v])

    rx, ry = ranks(x) - (len(x) + 1) / 2, ranks(y) - (len(x) + 1) / 2
    found = spearman(x, y)
    assert found.exact and found.estimate == pytest.approx(rx @ ry / math.sqrt((rx @ rx) * (ry @ ry)))
    sums = np.array([abs(rx @ np.array(order)) for order in permutations(ry)])
    assert found.p_value == pytest.approx(np.mean(sums >= abs(rx @ ry) - 1e-9))
    score = sum(np.sign(x[i] - x[j]) * np.sign(y[i] - y[j]) for i, j in combinations(range(len(x)), 2))
    assert np.sign(kendall(x, y).estimate) == np.sign(score)
    assert kendall(x, -y).estimate == pytest.approx(-kendall(x, y).estimate)
    if len(x) > 2:
        assert pearson(2 * x + 1, y).estimate == pytest.approx(pearson(x, y).estimate)


@pytest.mark.rule("STAT-27")
def test_larger_correlations():
    rng = np.random.default_rng(2)
    x = rng.normal(size=14)
    y = x + rng.normal(size=14)
    approximate, by_plan = spearman(x, y), spearman(x, y, plan=PermutationPlan.sample(14, draws=4000, seed=1))
    assert not by_plan.exact and by_plan.status == "FLAG" and by_plan.estimate == approximate.estimate
    assert by_plan.p_value == pytest.approx(approximate.p_value, abs=0.02) and by_plan.p_value > 0
    assert spearman([1, 2, 3], [1, 2, 3], exact=False).p_value == 0.0
    limits = pearson(x, y).interval
    assert limits.lower < pearson(x, y).estimate < limits.upper
    assert pearson([1, 2, 4], [1, 2, 3]).interval.status == "NE" and pearson([1, 2], [1, 2]).status == "NE"
    assert kendall([1, 2, 3], [1, 2, 3]).p_value == pytest.approx(2 / 6)
    assert kendall([1, 1, 2, 3], [1, 2, 2, 3]).exact is False
    assert kendall([1, 1], [1, 2]).status == "NE"


@pytest.mark.rule("STAT-28")
@pytest.mark.parametrize(("n", "r"), [(6, 2), (9, 4), (8, 0), (5, 5)])
def test_a_complete_binary_plan_is_the_hypergeometric_enumeration(n, r):
    plan = PermutationPlan.binary(n, r)
    assert plan.exact and len(plan.index) == math.comb(n, r)
    group = np.array([1] * 3 + [0] * (n - 3))
    outcome = np.array([1] * r + [0] * (n - r))
    found = plan.linear(group, outcome)
    if r in (0, n):
        assert (
            found.status.tolist() == ["NE"]
            and found.reason.tolist() == ["ONE_LEVEL"]
            and np.isnan(found.p_values).all()
        )
        return
    exact = linear_exact(outcome, group)
    assert found.p_values[0] == pytest.approx(exact.p_value) and found.p_min[0] == pytest.approx(exact.p_min)
    assert found.p_greater[0] == pytest.approx(fisher_test((min(r, 3), max(r - 3, 0)), (3, n - 3)).p_greater)
    assert found.p_less[0] == pytest.approx(exact.p_less) and found.mc_error[0] == 0


@pytest.mark.rule("STAT-28")
def test_a_drawn_plan_moves_whole_records_within_strata():
    strata = np.array([0, 0, 0, 1, 1, 1, 1])
    plan = PermutationPlan.sample(7, draws=500, seed=11, strata=strata)
    assert plan.index[0].tolist() == list(range(7)) and not plan.exact
    assert (strata[plan.index] == strata).all() and (np.sort(plan.index, axis=1) == np.arange(7)).all()
    assert np.array_equal(plan.index, PermutationPlan.sample(7, draws=500, seed=11, strata=strata).index)
    assert not np.array_equal(plan.index, PermutationPlan.sample(7, draws=500, seed=12, strata=strata).index)
    scores = np.array([1.0, 3, 2, 5, 4, 9, 7])
    whole = PermutationPlan.sample(7, draws=4000, seed=3)
    features = np.array([0, 0, 1, 0, 1, 1, 1])
    drawn, exact = whole.linear(features, scores), linear_exact(scores, features)
    assert abs(drawn.p_values[0] - exact.p_value) <= 4 * drawn.mc_error[0] + 1e-3 and drawn.p_values[0] > 0
    z = (scores - scores.mean()) @ (features - features.mean())
    variance = ((scores - scores.mean()) ** 2).sum() * ((features - features.mean()) ** 2).sum() / 6
    assert drawn.observed[0] == pytest.approx(z / math.sqrt(variance))


@pytest.mark.rule("STAT-28")
def test_missing_values_count_as_the_mean():
    plan = PermutationPlan.sample(6, draws=200, seed=1)
    feature, scores = np.array([1.0, 2, np.nan, 3, 4, 2]), np.array([1.0, np.nan, 2, 5, 4, 3])
    found = plan.linear(feature, scores)
    filled = plan.linear(
        np.where(np.isnan(feature), np.nanmean(feature), feature),
        np.where(np.isnan(scores), np.nanmean(scores), scores),
    )
    assert found.observed == pytest.approx(filled.observed) and found.p_values == pytest.approx(
        filled.p_values
    )
    assert plan.linear(np.full(6, np.nan), np.arange(6)).status.tolist() == ["NE"]


@pytest.mark.rule("STAT-28")
def test_a_factor_with_three_levels():
    scores, levels = np.array([1.0, 2, 4, 8, 9, 3, 5]), [0, 0, 1, 1, 2, 2, 2]
    plan = PermutationPlan.sample(7, draws=3000, seed=2)
    found = plan.quadratic(levels, scores)
    means = [scores[np.array(levels) == k].mean() for k in range(3)]
    c = (
        6
        * sum(n * (m - scores.mean()) ** 2 for n, m in zip((2, 2, 3), means, strict=True))
        / ((scores - scores.mean()) ** 2).sum()
    )
    assert (
        found.statistic == pytest.approx(c)
        and (found.status, found.reason) == ("FLAG", "MC_ONLY")
        and found.mc_error > 0
    )
    two = PermutationPlan.binary(7, 3)
    assert two.quadratic([0, 0, 0, 1, 1, 1, 1], [1, 0, 1, 0, 0, 1, 0]).p_value == pytest.approx(
        two.linear([0, 0, 0, 1, 1, 1, 1], [1, 0, 1, 0, 0, 1, 0]).p_values[0]
    )
    assert plan.quadratic([1] * 7, scores).reason == "ONE_LEVEL"


@pytest.mark.rule("STAT-29")
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_adjusted_never_below_raw_and_steps_never_above(seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation([1] * 3 + [0] * 6)
    features = np.column_stack([rng.integers(0, 2, 9), rng.normal(size=9), np.zeros(9)])
    tests = PermutationPlan.binary(9, 3).linear(features, y)
    raw = tests.p_values
    for rule in (max_t, min_p):
        single, step = rule(tests, step_down=False), rule(tests)
        run = ~np.isnan(raw)
        assert (single.planned, single.run) == (3, int(run.sum())) and np.isnan(single.p_values[~run]).all()
        assert (single.p_values[run] >= raw[run] - 1e-12).all() and (
            step.p_values[run] <= single.p_values[run] + 1e-12
        ).all()
        twice = rule(
            PermutationPlan.binary(9, 3).linear(np.column_stack([features, features]), y), step_down=False
        )
        assert twice.p_values[:3] == pytest.approx(single.p_values, nan_ok=True)


@pytest.mark.rule("STAT-29")
def test_adjusted_by_hand():
    p = [0.01, 0.04, math.nan, 0.03]
    assert adjust_p(p, "holm") == pytest.approx([0.03, 0.06, math.nan, 0.06], nan_ok=True)
    assert adjust_p(p, "hochberg") == pytest.approx([0.03, 0.04, math.nan, 0.04], nan_ok=True)
    assert adjust_p(p, "bh") == pytest.approx([0.03, 0.04, math.nan, 0.04], nan_ok=True)
    assert adjust_p(p, "by")[0] == pytest.approx(0.03 * (1 + 1 / 2 + 1 / 3))
    assert adjust_p([0.5, 0.9], "bonferroni").tolist() == [1, 1]
    # Hommel by the closure of Simes: the intersection of both has min(2 x 0.02, 0.03) = 0.03
    assert adjust_p([0.02, 0.03], "hommel") == pytest.approx([0.03, 0.03])
    assert adjust_p([], "hommel").size == 0


@pytest.mark.rule("STAT-30")
def test_the_path_and_its_permutation_value():
    marker, response = [1, 2, 3, 4, 5, 6, 7, 8], np.array([0, 0, 0, 0, 0, 1, 1, 1])
    plan = PermutationPlan.binary(8, 3)
    found = maximally_selected(response, marker, plan=plan)
    assert found.cuts.tolist() == [1, 2, 3, 4, 5, 6, 7] and found.cut == 5
    assert found.maximum == found.statistics.max() == pytest.approx(math.sqrt(7))
    # only the two assignments of all events to one end reach it, at cut 5 or 3
    assert found.p_value == pytest.approx(2 / 56) and found.mc_error == 0
    narrow = maximally_selected(response, marker, plan=plan, minprop=0.4, maxprop=0.6)
    assert narrow.cuts.tolist() == [3, 4] and narrow.cut == 4 and narrow.p_value == pytest.approx(8 / 56)
    drawn = maximally_selected(response, marker, plan=PermutationPlan.sample(8, draws=999, seed=1))
    assert drawn.mc_error > 0
    for none in (
        maximally_selected(response, [1] * 8, plan=plan),
        maximally_selected([1.0] * 8, marker, plan=plan),
    ):
        assert (none.status, none.reason) == ("NE", "ONE_LEVEL") and math.isnan(none.p_value)


@pytest.mark.rule("STAT-31", source="worked values by two routes")
@pytest.mark.parametrize(
    ("scale", "expected"),
    [(0.5, [0.177409, 0.167556, 0.215101, 0.172210]), (1.0, [0.171734, 0.147251, 0.259459, 0.156449])],
)
def test_worked_values_of_shrunken_rates(scale, expected):
    found = shrink_binomial([1, 0, 2, 0], [6, 3, 4, 2], mu0=0.10, mu_sd=1.5, tau_scale=scale)
    assert found.mean == pytest.approx(expected, abs=1e-6)
    assert (
        (found.lower < found.mean).all()
        and (found.mean < found.upper).all()
        and (found.weight > 0).all()
        and (found.weight < 1).all()
    )


@pytest.mark.rule("STAT-31")
def test_shrunken_rates_against_a_plain_sum():
    x, n, sd, scale = [3, 9], [3, 12], 2.0, 1.0
    found = shrink_binomial(x, n, mu0=0.4, mu_sd=sd, tau_scale=scale)
    mu = logit(0.4) + sd * np.linspace(-6, 6, 241)[:, None, None]
    tau = (scale * (np.arange(120) + 0.5) / 20)[None, :, None]
    z = np.linspace(-7, 7, 141)[None, None, :]
    rate, within = expit(mu + tau * z), np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
    parts = [within * rate**a * (1 - rate) ** (b - a) for a, b in zip(x, n, strict=True)]
    prior = np.exp(-0.5 * ((mu - logit(0.4)) / sd) ** 2 - 0.5 * (tau / scale) ** 2)[:, :, 0]
    evidence = [part.sum(axis=2) for part in parts]
    joint = prior * evidence[0] * evidence[1]
    for k in range(2):
        mean = (prior * evidence[1 - k] * (parts[k] * rate).sum(axis=2)).sum() / joint.sum()
        assert found.mean[k] == pytest.approx(mean, abs=1e-5)
        below = (
            prior * evidence[1 - k] * (parts[k] * (rate <= found.lower[k])).sum(axis=2)
        ).sum() / joint.sum()
        assert below == pytest.approx(0.025, abs=2e-3)


@pytest.mark.rule("STAT-31")
def test_shrinkage_at_the_ends():
    none, everyone = (shrink_binomial(x, [3, 4], mu0=0.5) for x in ([0, 0], [3, 4]))
    assert (none.status, none.reason, everyone.reason) == ("FLAG", "NO_EVENTS", "ALL_EVENTS")
    assert none.mean == pytest.approx(1 - everyone.mean, abs=1e-9) and none.lower == pytest.approx(
        1 - everyone.upper, abs=1e-7
    )
    assert shrink_binomial([], [], mu0=0.1).reason == "NO_DATA"
    assert shrink_binomial([0, 1], [0, 4], mu0=0.3).weight[0] == 0.0
    assert np.isfinite(shrink_binomial([0, 60], [60, 60], mu0=0.5).mean).all()
    same = shrink_normal([0.3, 0.3, 0.3], [0.2, 0.4, 0.5])
    assert same.mean == pytest.approx([0.3] * 3) and same.tau == 0.0
    # two estimates with equal se: DerSimonian-Laird and Paule-Mandel tau^2 = s^2 - se^2
    for rule in ("paule_mandel", "dersimonian_laird"):
        two = shrink_normal([0.0, 2.0], [1.0, 1.0], tau2=rule)
        assert two.tau == pytest.approx(1.0) and two.mean == pytest.approx([0.5, 1.5])
        assert shrink_normal([1.0], [1.0], tau2=rule).mean == pytest.approx([1.0])
    assert shrink_normal([], []).reason == "NO_DATA"


@pytest.mark.rule("STAT-32")
@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: wilcoxon([1, math.nan], [0, 1]), r"y\[1\]"),
        (lambda: wilcoxon([1, 2], [0, 3]), r"group\[1\]"),
        (lambda: jonckheere([1, 2], [0, 1], two_sided="minlike"), "two_sided"),
        (lambda: jonckheere([1, math.inf], [0, 1]), r"y\[1\]"),
        (lambda: cochran_armitage([1, 2], [3]), "one count per group"),
        (lambda: cochran_armitage([4, 2], [3, 3]), r"x\[0\] is 4"),
        (lambda: cochran_armitage([1, 2], [3, 3], scores=[1]), "scores"),
        (lambda: cochran_armitage([0, 0], [0, 0]), "at least one participant"),
        (lambda: spearman([1, 2], [1]), "same length"),
        (lambda: hodges_lehmann([1, 2], [0, 1], level=0), "level"),
        (lambda: PermutationPlan.binary(5, 6), "r must be"),
        (lambda: PermutationPlan.binary(40, 20), "max_exact"),
        (lambda: PermutationPlan.sample(5, draws=0, seed=1), "draws"),
        (lambda: PermutationPlan.binary(4, 2).linear([1, 2, 3], [0, 0, 1, 1]), "features"),
        (lambda: PermutationPlan.binary(4, 2).linear([1, 2, 3, 4], [0, 0, 1]), "scores"),
        (lambda: PermutationPlan.binary(4, 2).linear([1, 2, 3, 4], [0, 0, 0, 1]), "binary plan"),
        (lambda: PermutationPlan.binary(4, 2).linear([1, 2, 3, math.inf], [0, 0, 1, 1]), "features"),
        (lambda: adjust_p([0.1, 1.2], "holm"), r"p\[1\]"),
        (lambda: adjust_p([0.1], "fdr"), "method"),
        (lambda: adjust_p([[0.1]], "holm"), "one-dimensional"),
        (
            lambda: maximally_selected(
                [1, 2], [1, math.nan], plan=PermutationPlan.sample(2, draws=1, seed=1)
            ),
            r"marker\[1\]",
        ),
        (lambda: shrink_binomial([4], [3], mu0=0.1), r"x\[0\] is 4"),
        (lambda: shrink_binomial([1], [3], mu0=1.0), "mu0"),
        (lambda: shrink_normal([1.0], [0.0]), "place 0"),
        (lambda: shrink_normal([1.0], [1.0], tau2="reml"), "tau2"),
    ],
)
def test_illegal_ranks_and_plans_are_refused(call, word):
    with pytest.raises(ValueError, match=word):
        call()
