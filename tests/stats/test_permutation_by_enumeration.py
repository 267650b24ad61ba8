"""Permutation plans, families of tests and adjusted p-values against plain enumeration."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from interim.stats.multiplicity import P_METHODS, adjust_p
from interim.stats.permutation import PermutationPlan, max_t, min_p, plan_test
from interim.stats.sums import linear_exact

NAN = float("nan")


def outcomes(n, r):
    for chosen in combinations(range(n), r):
        yield np.isin(np.arange(n), chosen).astype(float)


def features(seed, n, m):
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(n, m)).round(1)
    table[:, 0] = rng.integers(0, 2, n)
    table[0, 0], table[1, 0] = 0, 1
    return table


def standardised(table, y):
    g, h = table - table.mean(axis=0), y - y.mean()
    return (g.T @ h) / np.sqrt((g**2).sum(axis=0) * (h @ h) / (len(y) - 1))


CASES = [(seed, n, r) for seed, (n, r) in enumerate([(6, 2), (7, 3), (8, 4), (9, 1), (9, 8)])]


@pytest.mark.rule("STAT-28", source="enumeration")
@pytest.mark.parametrize(("seed", "n", "r"), CASES)
def test_p_values_of_a_complete_plan(seed, n, r):
    table, y = features(seed, n, 3), np.arange(n) < r
    all_ = np.array([standardised(table, other) for other in outcomes(n, r)])
    own = standardised(table, y.astype(float))
    found = PermutationPlan.binary(n, r).linear(table, y.astype(float))
    assert found.observed == pytest.approx(own, rel=1e-10)
    assert np.sort(found.arranged, axis=0) == pytest.approx(np.sort(all_, axis=0), abs=1e-10)
    far = np.abs(all_)
    assert found.p_values == pytest.approx((far >= np.abs(own) - 1e-9).mean(axis=0))
    assert found.p_less == pytest.approx((all_ <= own + 1e-9).mean(axis=0))
    assert found.p_greater == pytest.approx((all_ >= own - 1e-9).mean(axis=0))
    assert found.p_min == pytest.approx((far >= far.max(axis=0) - 1e-9).mean(axis=0))
    assert found.exact and not found.mc_error.any()
    assert (all_**2).mean(axis=0) == pytest.approx(1.0)


@pytest.mark.rule("STAT-29", source="enumeration")
@pytest.mark.parametrize(("seed", "n", "r"), CASES)
@pytest.mark.parametrize("step_down", [False, True])
def test_adjusted_p_values_by_brute_force(seed, n, r, step_down):
    table, y = features(seed, n, 4), (np.arange(n) < r).astype(float)
    table = np.column_stack([table, np.ones(n)])
    found = PermutationPlan.binary(n, r).linear(table, y)
    far = np.abs([standardised(table[:, :4], other) for other in outcomes(n, r)])
    own = np.abs(standardised(table[:, :4], y))
    raw = np.array([(far[:, [j]] >= far[:, j] - 1e-9).mean(axis=0) for j in range(4)]).T
    own_raw = (far >= own - 1e-9).mean(axis=0)
    for rule, extremes, seen in ((max_t, far, own), (min_p, -raw, -own_raw)):
        adjusted = rule(found, step_down=step_down)
        assert (adjusted.planned, adjusted.run) == (5, 4)
        assert math.isnan(adjusted.p_values[4])
        order = np.argsort(-seen, kind="stable")
        running = 0.0
        for step, j in enumerate(order):
            rest = order[step:] if step_down else order
            share = float((extremes[:, rest].max(axis=1) >= seen[j] - 1e-9).mean())
            running = max(running, share) if step_down else share
            assert adjusted.p_values[j] == pytest.approx(running), (rule.__name__, j)


@pytest.mark.rule("STAT-28", source="enumeration")
@pytest.mark.parametrize("seed", range(4))
def test_a_factor_of_three_levels_by_enumeration(seed):
    n, r = 9, 4
    levels = np.random.default_rng(seed).permutation([0, 0, 0, 1, 1, 1, 2, 2, 2])
    y = (np.arange(n) < r).astype(float)

    def statistic(other):
        rest = ((other - other.mean()) ** 2).sum()
        gaps = [(levels == k).sum() * (other[levels == k].mean() - other.mean()) ** 2 for k in range(3)]
        return (n - 1) * sum(gaps) / rest

    all_ = np.array([statistic(other) for other in outcomes(n, r)])
    found = PermutationPlan.binary(n, r).quadratic(levels, y)
    assert found.statistic == pytest.approx(statistic(y))
    assert found.p_value == pytest.approx((all_ >= statistic(y) - 1e-9).mean())
    assert found.p_min == pytest.approx((all_ >= all_.max() - 1e-9).mean())
    assert found.n_arrangements == math.comb(n, r)


@pytest.mark.rule("STAT-28")
@pytest.mark.parametrize(("shift", "factor"), [(5.0, 1.0), (0.0, 1e6), (-3.0, 1e-3)])
def test_unit_and_origin_of_features_and_scores_change_no_p_value(shift, factor):
    table, y = features(3, 8, 3), (np.arange(8) < 3).astype(float)
    plan = PermutationPlan.binary(8, 3)
    base = plan.linear(table, y)
    moved, coded = plan.linear(table * factor + shift, y), plan.linear(table, 2 * y - 1)
    for other in (moved, coded):
        assert other.observed == pytest.approx(base.observed, rel=1e-7)
        assert other.p_values.tolist() == base.p_values.tolist()
    flipped = plan.linear(-table, y)
    assert flipped.p_less.tolist() == base.p_greater.tolist()
    assert flipped.p_values.tolist() == base.p_values.tolist()


@pytest.mark.rule("STAT-28")
def test_test_of_one_feature_is_that_of_the_matrix():
    table, y = features(5, 8, 3), (np.arange(8) < 3).astype(float)
    plan = PermutationPlan.binary(8, 3)
    found = plan.linear(table, y)
    for j in range(3):
        one = plan_test(plan, table[:, j], y)
        assert one.p_value == pytest.approx(found.p_values[j])
        assert one.statistic == pytest.approx((table[:, j] - table[:, j].mean()) @ y)
    assert plan_test(plan, np.ones(8), y).reason == "ONE_LEVEL"
    assert plan.quadratic(np.zeros(8, dtype=int), y).reason == "ONE_LEVEL"


@pytest.mark.rule("STAT-28")
@pytest.mark.parametrize(("n", "r"), [(1, 0), (1, 1), (5, 0), (5, 5)])
def test_outcomes_that_are_all_alike_have_one_arrangement_and_no_test(n, r):
    plan = PermutationPlan.binary(n, r)
    assert plan.index.tolist() == [[int(r == n)] * n]
    found = plan.linear(np.arange(float(n))[:, None], np.full(n, float(r == n)))
    assert (found.status.tolist(), found.reason.tolist()) == (["NE"], ["ONE_LEVEL"])
    assert math.isnan(found.p_values[0])


@pytest.mark.rule("STAT-28")
def test_a_drawn_plan_comes_near_the_complete_one_and_is_reproducible():
    table, y = features(2, 9, 2), (np.arange(9) < 4).astype(float)
    exact = PermutationPlan.binary(9, 4).linear(table, y)
    plan, again = (PermutationPlan.sample(9, draws=9999, seed=4) for _ in range(2))
    assert plan.index.tolist() == again.index.tolist()
    assert plan.index[0].tolist() == list(range(9))
    assert (np.sort(plan.index, axis=1) == np.arange(9)).all()
    drawn = plan.linear(table, y)
    assert not drawn.exact
    gap = np.abs(drawn.p_values - exact.p_values)
    assert (gap < 5 * drawn.mc_error + 1e-4).all()
    assert (drawn.p_values >= 1 / 10_000).all()
    with pytest.raises(ValueError, match="0/1 outcome"):
        PermutationPlan.binary(9, 4).linear(table, (np.arange(9) < 5).astype(float))


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: PermutationPlan.binary(5, 6), "r must be 0..n"),
        (lambda: PermutationPlan.binary(0, 0), "r must be 0..n"),
        (lambda: PermutationPlan.binary(20, 10, max_exact=1000), "184756 arrangements are more than"),
        (lambda: PermutationPlan.sample(0, draws=1, seed=1), "must be >= 1"),
        (lambda: PermutationPlan.sample(3, draws=0, seed=1), "must be >= 1"),
        (
            lambda: PermutationPlan.binary(4, 2).linear(np.ones((3, 1)), [0, 0, 1, 1]),
            "one row per participant",
        ),
        (
            lambda: PermutationPlan.binary(4, 2).linear(np.ones((4, 1)), [0, 0, 1]),
            "one value per participant",
        ),
    ],
)
def test_illegal_plans_are_refused(call, word):
    with pytest.raises(ValueError, match=word):
        call()


def subsets(m):
    return [c for size in range(1, m + 1) for c in combinations(range(m), size)]


def simes(p):
    ordered = sorted(p)
    return min(len(p) * value / rank for rank, value in enumerate(ordered, 1))


def by_step_up(p, factor):
    """Smallest bound over all tests with a p-value at least as large; the factor depends on the rank."""
    order = sorted(range(len(p)), key=p.__getitem__)
    answer = [0.0] * len(p)
    for place, j in enumerate(order):
        later = range(place, len(p))
        answer[j] = min(1.0, *(factor(len(p), k + 1) * p[order[k]] for k in later))
    return answer


@pytest.mark.rule("STAT-29", source="closed testing over all subsets")
@pytest.mark.parametrize("seed", range(6))
def test_adjusted_p_values_are_those_of_closed_testing(seed):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0, 1, 6) ** 3
    p[seed % 6] = p[(seed + 1) % 6]
    closed = {"holm": lambda q: min(1.0, len(q) * min(q)), "hommel": simes}
    for method, local in closed.items():
        wanted = [max(local([p[k] for k in s]) for s in subsets(6) if j in s) for j in range(6)]
        assert adjust_p(p, method) == pytest.approx(wanted, rel=1e-12), method
    harmonic = sum(1 / k for k in range(1, 7))
    steps = {
        "hochberg": lambda m, rank: m - rank + 1,
        "bh": lambda m, rank: m / rank,
        "by": lambda m, rank: harmonic * m / rank,
    }
    for method, factor in steps.items():
        assert adjust_p(p, method) == pytest.approx(by_step_up(list(p), factor), rel=1e-12), method
    assert adjust_p(p, "bonferroni") == pytest.approx(np.minimum(1, 6 * p))


@pytest.mark.rule("STAT-29")
@pytest.mark.parametrize("method", P_METHODS)
def test_a_test_that_could_not_be_run_is_not_counted(method):
    p = [0.3, NAN, 0.01, 0.04, NAN, 0.04]
    found = adjust_p(p, method)
    alone = adjust_p([0.3, 0.01, 0.04, 0.04], method)
    assert found == pytest.approx([alone[0], NAN, alone[1], alone[2], NAN, alone[3]], nan_ok=True)
    assert found[::-1] == pytest.approx(adjust_p(p[::-1], method), nan_ok=True)
    assert np.isnan(adjust_p([NAN, NAN], method)).all()
    assert adjust_p([], method).tolist() == []
    assert adjust_p([0.2], method).tolist() == [0.2]
    with pytest.raises(ValueError, match=r"p\[1\] is 1.5"):
        adjust_p([0.5, 1.5], method)


@pytest.mark.rule("STAT-26", source="enumeration of all allocations")
@pytest.mark.parametrize("kind", ["ranks", "half_ranks", "reals"])
@pytest.mark.parametrize(("n", "n1"), [(5, 2), (9, 4), (14, 7), (15, 5)])
@pytest.mark.parametrize("max_exact", [1, 200_000])
def test_every_way_of_counting_gives_the_same_p_values(kind, n, n1, max_exact):
    rng = np.random.default_rng(n)
    scores = {
        "ranks": rng.permutation(n) + 1.0,
        "half_ranks": rng.integers(0, 7, n) / 2 - 1,
        "reals": rng.normal(size=n),
    }[kind]
    group = (np.arange(n) < n1).astype(int)
    sums = np.array([scores[list(c)].sum() for c in combinations(range(n), n1)]) - n1 * scores.mean()
    own = scores[group == 1].sum() - n1 * scores.mean()
    found = linear_exact(scores, group, max_exact=max_exact)
    far = np.abs(sums)
    assert found.exact
    assert found.n_arrangements == math.comb(n, n1)
    assert found.statistic == pytest.approx(own, abs=1e-9)
    wanted = [np.mean(hits) for hits in (far >= abs(own) - 1e-9, sums <= own + 1e-9, sums >= own - 1e-9)]
    assert [found.p_value, found.p_less, found.p_greater] == pytest.approx(wanted, rel=1e-12)
    assert found.p_min == pytest.approx(np.mean(far >= far.max() - 1e-9), rel=1e-12)


@pytest.mark.rule("STAT-26")
def test_too_many_participants_are_drawn_with_a_seed_and_marked():
    scores = np.random.default_rng(1).normal(size=40)
    group = (np.arange(40) < 20).astype(int)
    with pytest.raises(ValueError, match="seed must be given: 40 participants"):
        linear_exact(scores, group)
    first, again = (linear_exact(scores, group, seed=5) for _ in range(2))
    assert first == again
    assert (first.status, first.reason, first.exact) == ("FLAG", "MC_ONLY", False)
    assert first.p_less + first.p_greater == pytest.approx(1, abs=1e-3)
    normal = math.erfc(abs(first.statistic) / math.sqrt(20 * 20 / 40 * scores.var(ddof=1)) / math.sqrt(2))
    assert first.p_value == pytest.approx(normal, abs=0.02)
    assert linear_exact([1.0, 2.0], [0, 0]).reason == "ONE_LEVEL"
    with pytest.raises(ValueError, match=r"scores\[1\] is inf"):
        linear_exact([1.0, math.inf], [0, 1])
