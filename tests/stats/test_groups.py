"""Two groups of right-censored times: log-rank, its permutation form, restricted means."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.stats import (
    PermutationPlan,
    kaplan_meier,
    linear_exact,
    logrank,
    logrank_permutation,
    logrank_scores,
    rmst_contrast,
)

samples = st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.integers(0, 1)), min_size=4, max_size=12)


def columns(rows):
    return tuple(np.array(column) for column in zip(*rows, strict=True))


@pytest.mark.rule("STAT-16")
def test_logrank_by_hand():
    # times 1 2 3 4, groups 0 0 1 1, all events: E of group 0 = 2/4 + 1/3; V = 1/4 + 2/9
    found = logrank([1, 2, 3, 4], [1, 1, 1, 1], group=[0, 0, 1, 1])
    assert found.expected == pytest.approx([5 / 6, 19 / 6])
    assert found.variance[0, 0] == pytest.approx(17 / 36)
    assert found.chisq == pytest.approx((2 - 5 / 6) ** 2 / (17 / 36)) and found.df == 1
    weighted = logrank([1, 2, 3, 4], [1, 1, 1, 1], group=[0, 0, 1, 1], rho=1.0)
    # weights S(t-) = 1, 3/4, ...
    assert weighted.expected[0] == pytest.approx(1 / 2 + 3 / 4 / 3)


@pytest.mark.rule("STAT-16")
@settings(max_examples=40, deadline=None)
@given(samples, st.randoms())
def test_order_labels_and_unit_change_nothing(rows, random):
    time, event, group = columns(rows)
    found = logrank(time, event, group=group)
    random.shuffle(rows)
    again = columns(rows)
    for other in (
        logrank(again[0] * 7, again[1], group=again[2]),
        logrank(time, event, group=1 - group),
        logrank(time, event, group=group * 5 - 2),
    ):
        assert other.status == found.status
        assert other.chisq == pytest.approx(found.chisq, nan_ok=True)
    scores = logrank_scores(time, event)
    assert scores.sum() == pytest.approx(0, abs=1e-9)
    if found.status == "OK":
        assert scores[group == 1].sum() == pytest.approx(found.observed[1] - found.expected[1])


@pytest.mark.rule("STAT-16")
def test_three_groups_and_strata():
    rng = np.random.default_rng(1)
    time, event, group = rng.integers(1, 9, 30), rng.random(30) < 0.7, rng.integers(0, 3, 30)
    three = logrank(time, event, group=group)
    assert (
        three.df == 2
        and three.variance.shape == (3, 3)
        and three.variance.sum() == pytest.approx(0, abs=1e-9)
    )
    doubled = logrank(
        np.tile(time, 2), np.tile(event, 2), group=np.tile(group, 2), strata=np.repeat([0, 1], 30)
    )
    assert doubled.observed == pytest.approx(2 * three.observed)
    assert doubled.chisq == pytest.approx(2 * three.chisq)


@pytest.mark.rule("STAT-32")
@pytest.mark.parametrize(
    ("time", "event", "group", "reason"),
    [
        ([], [], [], "NO_DATA"),
        ([1, 2], [1, 1], [3, 3], "ONE_LEVEL"),
        ([1, 2], [0, 0], [0, 1], "NO_EVENTS"),
        ([1, 2], [0, 1], [0, 1], "NO_DATA"),
    ],
)
def test_logrank_statuses(time, event, group, reason):
    found = logrank(time, event, group=group)
    assert (found.status, found.reason) == ("NE", reason)
    assert math.isnan(found.p_value)


@pytest.mark.rule("STAT-17")
@settings(max_examples=30, deadline=None)
@given(samples)
def test_permutation_logrank_counts_all_assignments(rows):
    time, event, group = columns(rows)
    found = logrank_permutation(time, event, group=group)
    n, n1 = len(group), int(group.sum())
    if n1 in (0, n):
        assert (found.status, found.reason) == ("NE", "ONE_LEVEL")
        return
    scores = logrank_scores(time, event)
    sums = np.array([scores[list(places)].sum() for places in combinations(range(n), n1)])
    own = scores[group == 1].sum()
    assert found.statistic == pytest.approx(own, abs=1e-9)
    assert found.p_value == pytest.approx(np.mean(np.abs(sums) >= abs(own) - 1e-9))
    assert found.p_less == pytest.approx(np.mean(sums <= own + 1e-9))
    assert found.p_min == pytest.approx(np.mean(np.abs(sums) >= np.abs(sums).max() - 1e-9))
    assert found.exact and found.definition == "abs"
    with_plan = logrank_permutation(
        time, event, group=group, plan=PermutationPlan.sample(n, draws=300, seed=5)
    )
    assert with_plan.status in ("FLAG", "NE")
    if with_plan.status == "FLAG":
        assert with_plan.statistic == pytest.approx(own, abs=1e-9) and with_plan.reason == "MC_ONLY"
        assert (
            abs(with_plan.p_value - found.p_value)
            <= 4 * math.sqrt(found.p_value * (1 - found.p_value) / 300) + 2 / 301
        )


@pytest.mark.rule("STAT-17")
def test_without_ties_and_censoring_it_is_the_permutation_of_savage_scores():
    time, group = [3, 1, 8, 5, 9, 2, 7], [0, 1, 1, 0, 1, 0, 1]
    ranks = np.argsort(np.argsort(time)) + 1
    savage = np.array([sum(1 / (7 - j) for j in range(r)) for r in ranks])
    assert logrank_permutation(time, [1] * 7, group=group).p_value == pytest.approx(
        linear_exact(savage, group).p_value
    )


@pytest.mark.rule("STAT-17")
def test_halves_equal_the_complete_count_and_large_samples_are_drawn():
    rng = np.random.default_rng(4)
    scores, group = rng.normal(size=16), np.repeat([0, 1], 8)
    whole = np.array([scores[list(c)].sum() for c in combinations(range(16), 8)]) - 8 * scores.mean()
    own = scores[group == 1].sum() - 8 * scores.mean()
    joined = linear_exact(scores, group)
    assert joined.p_value == pytest.approx(
        np.mean(np.abs(whole) >= abs(own) - 1e-9)
    ) and joined.n_arrangements == len(whole)
    assert linear_exact(np.ones(16) * 0.3 + np.arange(16) * 0, group).p_value == 1.0
    time, event, many = rng.exponential(size=44), np.ones(44), np.repeat([0, 1], 22)
    with pytest.raises(ValueError, match="seed"):
        logrank_permutation(time, event, group=many)
    drawn = logrank_permutation(time, event, group=many, seed=3)
    assert (drawn.status, drawn.reason, drawn.exact) == ("FLAG", "MC_ONLY", False) and drawn.mc_error > 0
    assert drawn == logrank_permutation(time, event, group=many, seed=3)
    assert drawn.p_value > 0


@pytest.mark.rule("STAT-17")
def test_scores_under_ties():
    # two events at time 1 of three: H = 2/3; one by one: 1/(1 + 1) each
    assert logrank_scores([1, 1, 2], [1, 1, 0]) == pytest.approx([1 / 3, 1 / 3, -2 / 3])
    assert logrank_scores([1, 1, 2], [1, 1, 0], ties="hothorn_lausen") == pytest.approx([0.0, 0.0, -1.0])


@pytest.mark.rule("STAT-18")
def test_restricted_means_of_two_groups():
    time, event, group = [1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], [0, 0, 0, 1, 1, 1]
    found = rmst_contrast(time, event, group=group)
    parts = [
        kaplan_meier(
            [t for t, g in zip(time, group, strict=True) if g == k],
            [e for e, g in zip(event, group, strict=True) if g == k],
        ).rmst(3)
        for k in (0, 1)
    ]
    assert found.tau == 3 and [m.value for m in found.means] == [p.value for p in parts]
    assert found.difference == pytest.approx(
        parts[1].value - parts[0].value
    ) and found.ratio == pytest.approx(parts[1].value / parts[0].value)
    half = 1.959963984540054 * math.hypot(parts[0].se, parts[1].se)
    assert found.difference_interval.upper == pytest.approx(found.difference + half)
    assert found.ratio_interval.lower == pytest.approx(
        found.ratio
        * math.exp(
            -1.959963984540054 * math.hypot(parts[0].se / parts[0].value, parts[1].se / parts[1].value)
        )
    )
    scaled = rmst_contrast(np.array(time) * 30, event, group=group)
    assert scaled.difference == pytest.approx(30 * found.difference) and scaled.ratio_p == pytest.approx(
        found.ratio_p
    )
    turned = rmst_contrast(time, event, group=1 - np.array(group))
    assert turned.difference == pytest.approx(-found.difference)


@pytest.mark.rule("STAT-18")
def test_restricted_contrast_statuses():
    assert rmst_contrast([], [], group=[]).reason == "NO_DATA"
    assert rmst_contrast([1, 2], [1, 1], group=[1, 1], tau=1).reason == "ONE_LEVEL"
    assert rmst_contrast([0, 2], [1, 1], group=[0, 1]).reason == "NO_DATA"
    assert rmst_contrast([1, 2], [1, 1], group=[0, 1], tau=1.5).reason == "TAU_BEYOND_FOLLOWUP"
    flat = rmst_contrast([4, 4, 5, 6], [0, 0, 0, 0], group=[0, 0, 1, 1], tau=3)
    assert (flat.status, flat.reason, flat.difference) == ("FLAG", "NO_EVENTS", 0.0) and math.isnan(
        flat.difference_p
    )
    for wrong in (dict(tau=-1), dict(level=2), dict(group=[0, 2])):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            rmst_contrast([1, 2], [1, 1], **{"group": [0, 1], **wrong})


@pytest.mark.rule("STAT-32")
@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: logrank([1, 2], [1, 2], group=[0, 1]), r"event\[1\] is 2"),
        (lambda: logrank([1, -2], [1, 1], group=[0, 1]), r"time\[1\]"),
        (lambda: logrank([1, 2], [1, 1], group=[0]), "group"),
        (lambda: logrank([1, 2], [1, 1], group=[0, 0.5]), r"group\[1\]"),
        (lambda: logrank_permutation([1, 2], [1, 1], group=[1, 2]), r"group\[1\]"),
        (lambda: logrank_scores([1, 2], [1, 1], ties="random"), "ties"),
        (lambda: linear_exact([1, math.nan], [0, 1]), r"scores\[1\]"),
    ],
)
def test_illegal_groups_are_refused(call, word):
    with pytest.raises(ValueError, match=word):
        call()
