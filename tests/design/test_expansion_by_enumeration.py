"""Response designs and boundaries against every design and every outcome of small cohorts, by exact fractions or sums."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from interim.design.expansion import Infeasible, Monitored, fixed_sample, two_stages
from interim.design.expansion_rule import Evidence, classify
from interim.design.expansion_search import admissible, bop2, predictive, two_stage
from interim.design.expansion_select import select_arm
from interim.design.monitoring import (
    BayesToxicity,
    PocockToxicity,
    characteristics,
    joint_cell,
    toxicity_characteristics,
)
from interim.design.monitoring_borrowing import borrowing_characteristics, calibrate_cut, rule_characteristics
from interim.errors import DesignError
from interim.stats.borrowing import compile_outcomes, independent
from interim.study.expansion import ExpansionTable


@cache
def pmf(k, n, p):
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


@cache
def above(r, n, p):
    """P(more than r of n)."""
    return sum(pmf(k, n, p) for k in range(max(r + 1, 0), n + 1))


def density(a, b):
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return lambda p: math.exp((a - 1) * math.log(p) + (b - 1) * math.log1p(-p) - log_beta)


@cache
def tail(limit, y, n, prior):
    """P(rate > limit) by adaptive integration of the density."""
    return quad(density(prior[0] + y, prior[1] + n - y), limit, 1, limit=200)[0]


def future(k, m, shapes):
    """P(k responses among m new participants), integrated over the posterior."""
    law = density(*shapes)
    return quad(lambda p: math.comb(m, k) * p**k * (1 - p) ** (m - k) * law(p), 0, 1, limit=300)[0]


def every_two_stage(p0, p1, alpha, power, n_max):
    """Every two-stage design within the limits: (n1, r1, n, r, expected size)."""
    for n in range(2, n_max + 1):
        for n1, r in itertools.product(range(1, n), range(n)):
            for r1 in range(min(n1, r) + 1):
                go = [
                    sum(pmf(k, n1, p) * above(r - k, n - n1, p) for k in range(r1 + 1, n1 + 1))
                    if r1 < n1
                    else 0.0
                    for p in (p0, p1)
                ]
                if go[0] <= alpha and go[1] >= power:
                    stop = 1 - above(r1, n1, p0)
                    yield n1, r1, n, r, n1 + (1 - stop) * (n - n1)


SEARCHES = [
    # p0, p1, alpha, power, largest size
    (0.05, 0.35, 0.10, 0.80, 14),
    (0.05, 0.40, 0.05, 0.80, 13),
    (0.10, 0.45, 0.10, 0.80, 14),
    (0.20, 0.60, 0.10, 0.80, 14),
    (0.30, 0.70, 0.15, 0.80, 12),
]


@pytest.mark.rule("IB-20", source="every design within the limits")
@pytest.mark.parametrize(("p0", "p1", "alpha", "power", "n_max"), SEARCHES)
def test_optimal_minimax_and_admissible_designs(p0, p1, alpha, power, n_max):
    designs = list(every_two_stage(p0, p1, alpha, power, n_max))
    more = {"alpha": alpha, "beta": 1 - power, "sizes": (1, 2, n_max)}
    assert designs
    optimal = two_stage(p0, p1, **more)
    minimax = two_stage(p0, p1, criterion="minimax", **more)
    assert optimal.expected_n == pytest.approx(min(row[4] for row in designs))
    fewest = min(row[2] for row in designs)
    assert minimax.n == fewest
    assert minimax.expected_n == pytest.approx(min(row[4] for row in designs if row[2] == fewest))
    hull = admissible(p0, p1, **more)
    for weight in np.linspace(0, 1, 21):
        best = min(weight * row[2] + (1 - weight) * row[4] for row in designs)
        assert min(weight * d.n + (1 - weight) * d.expected_n for d in hull) == pytest.approx(best)
    for found in (optimal, minimax, *hull):
        exact = characteristics(found.monitored(), [p0, p1])
        assert (found.alpha, found.power) == pytest.approx(tuple(exact.p_go))
        assert (found.p_stop, found.expected_n) == pytest.approx((exact.p_futility[0], exact.expected_n[0]))


@pytest.mark.rule("IB-20", source="every design within the limits")
def test_no_design_within_the_limits_is_answered_with_the_best_power():
    found = two_stage(0.1, 0.3, alpha=0.05, beta=0.1, sizes=(1, 2, 9))
    best = max(
        sum(pmf(k, n1, 0.3) * above(r - k, n - n1, 0.3) for k in range(r1 + 1, n1 + 1))
        for n in range(2, 10)
        for n1, r in itertools.product(range(1, n), range(n))
        for r1 in range(min(n1, r) + 1)
        if sum(pmf(k, n1, 0.1) * above(r - k, n - n1, 0.1) for k in range(r1 + 1, n1 + 1)) <= 0.05
    )
    assert isinstance(found, Infeasible)
    assert found.best_power == pytest.approx(best)
    assert admissible(0.1, 0.3, alpha=0.05, beta=0.1, sizes=(1, 2, 9)) == ()


MONITORED = [
    # size, looks, alpha, p0, p1
    (10, (5,), 0.10, 0.1, 0.4),
    (12, (4, 8), 0.10, 0.2, 0.5),
    (9, (3, 6), 0.15, 0.1, 0.4),
    (8, (2, 3, 4, 5, 6, 7), 0.10, 0.05, 0.35),
]


@pytest.mark.rule("IB-20", source="every cut of the grid, one by one")
@pytest.mark.parametrize(("n_max", "looks", "alpha", "p0", "p1"), MONITORED)
def test_bop2_boundaries_rise_and_have_the_largest_power(n_max, looks, alpha, p0, p1):
    found = bop2(p0, p1, n_max=n_max, looks=looks, alpha=alpha, gamma_max=1.0)
    tails = {n: [tail(p0, y, n, (p0, 1 - p0)) for y in range(n + 1)] for n in (*looks, n_max)}
    best = 0.0
    for lam, gamma in itertools.product(np.arange(50, 100) / 100, np.arange(11) / 10):
        stops = [sum(t < lam * (n / n_max) ** gamma for t in tails[n]) - 1 for n in looks]
        go = sum(t < lam for t in tails[n_max])
        design = Monitored(n_max, looks, tuple(np.maximum.accumulate(stops).tolist()), go)
        chance = characteristics(design, [p0, p1]).p_go
        best = max(best, chance[1] if chance[0] <= alpha else 0.0)
    exact = characteristics(found.design, [p0, p1])
    assert exact.p_go[0] <= alpha and exact.p_go[1] == pytest.approx(best)
    assert list(found.design.stop_le) == sorted(found.design.stop_le)
    for n, r in zip(found.design.looks, found.design.stop_le, strict=True):
        cut = found.lam * (n / n_max) ** found.gamma
        assert r == sum(t < cut for t in tails[n]) - 1


@pytest.mark.rule("IB-20", source="sum over every future outcome")
@pytest.mark.parametrize(("n_max", "looks", "low", "top", "p0"), [(10, (4, 7), 0.05, 0.9, 0.1), (12, (6, 9, 11), 0.1, 0.9, 0.2), (9, (3,), 0.2, 0.8, 0.3)])  # fmt: skip
def test_predictive_boundaries(n_max, looks, low, top, p0):
    found = predictive(n_max, looks, p0=p0, theta_l=low, theta_t=top)
    success = [tail(p0, y, n_max, (p0, 1 - p0)) > top for y in range(n_max + 1)]
    assert found.go == success.index(True)
    for n, stop in zip(looks, found.stop_le, strict=True):
        for r in range(n + 1):
            chance = sum(
                future(k, n_max - n, (p0 + r, 1 - p0 + n - r)) for k in range(n_max - n + 1) if success[r + k]
            )
            assert (r <= stop) == (chance < low), (n, r, chance)


BAYES = [
    # limit, cut, prior, least n, looks
    (0.30, 0.80, (0.6, 1.4), 3, "every"),
    (0.33, 0.90, (1.0, 1.0), 1, "every"),
    (0.20, 0.95, (0.5, 0.5), 3, (3, 6, 9)),
    (0.25, 0.70, (0.25, 0.75), 2, "every"),
]


@pytest.mark.rule("IB-10", source="integrals of the density")
@pytest.mark.parametrize(("limit", "cut", "prior", "least", "looks"), BAYES)
def test_bayesian_boundary(limit, cut, prior, least, looks):
    found = BayesToxicity(limit, cut, prior, least, looks).boundary(10)
    for n, bound in enumerate(found, 1):
        asked = n >= least and (looks == "every" or n in looks)
        crossing = [y for y in range(n + 1) if asked and tail(limit, y, n, prior) > cut]
        assert bound == (crossing[0] if crossing else None), n


def crossing_probability(bound, rate):
    """Chance that a sequence of events ever reaches the boundary, over every sequence."""
    total = Fraction(0)
    for path in itertools.product((0, 1), repeat=len(bound)):
        if any(limit is not None and sum(path[:n]) >= limit for n, limit in enumerate(bound, 1)):
            total += math.prod(rate if x else 1 - rate for x in path)
    return total


@pytest.mark.rule("IB-10", source="exact fractions over every sequence")
@pytest.mark.parametrize(("rate", "alpha", "n_max", "looks"), [(Fraction(1, 5), 0.05, 8, "every"), (Fraction(1, 4), 0.10, 9, (3, 6, 9)), (Fraction(3, 10), 0.02, 7, "every")])  # fmt: skip
def test_pocock_boundary_is_the_widest_within_alpha(rate, alpha, n_max, looks):
    design = PocockToxicity(float(rate), alpha, n_max=n_max, looks=looks)
    asked = [n for n in range(1, n_max + 1) if looks == "every" or n in looks]
    tails = {n: [sum(pmf(k, n, rate) for k in range(y, n + 1)) for y in range(n + 1)] for n in asked}

    def bound(phi):
        return tuple(
            next((y for y, t in enumerate(tails.get(n, ())) if t <= phi), None) for n in range(1, n_max + 1)
        )

    levels = sorted({t for row in tails.values() for t in row})
    within = [phi for phi in levels if crossing_probability(bound(phi), rate) <= alpha]
    assert design.phi == pytest.approx(float(within[-1]))
    assert design.boundary(n_max) == bound(within[-1])
    exact = toxicity_characteristics(design.boundary(n_max), [float(rate)])
    assert exact.p_cross[0] == pytest.approx(float(crossing_probability(bound(within[-1]), rate)))


JOINT = [
    # design, toxicity boundary by (limit, cut), response rate, event rate, odds ratio
    (two_stages(3, 0, n=6, r=1), (0.3, 0.8), 0.3, 0.2, 1.0),
    (two_stages(2, 0, n=5, r=1), (0.2, 0.9), 0.4, 0.4, 4.0),
    (fixed_sample(5, 2), (0.3, 0.7), 0.2, 0.3, 0.3),
    (Monitored(6, (2, 4), (0, 1), 3), (0.25, 0.85), 0.6, 0.1, 2.0),
]


@pytest.mark.rule("IB-11", source="every sequence of responses and events")
@pytest.mark.parametrize(("design", "tox", "p", "q", "odds"), JOINT)
def test_response_and_toxicity_together(design, tox, p, q, odds):
    monitor = BayesToxicity(*tox, (0.6, 1.4))
    bound = monitor.boundary(design.n_max)
    both = float(joint_cell(np.array([p]), np.array([q]), odds)[0])
    cells = {(1, 1): both, (1, 0): p - both, (0, 1): q - both, (0, 0): 1 - p - q + both}
    assert cells[1, 1] * cells[0, 0] == pytest.approx(odds * cells[1, 0] * cells[0, 1])
    ends = {"go": 0.0, "no_go": 0.0, "futility": 0.0, "cross": 0.0}
    size = 0.0

    def follow(n, responses, events, weight):
        nonlocal size
        limit = bound[n - 1] if n else None
        if limit is not None and events >= limit:
            end = "cross"
        elif n == design.n_max:
            end = "go" if responses >= design.go else "no_go"
        elif n in design.looks and responses <= design.boundary(n):
            end = "futility"
        else:
            for (x, z), chance in cells.items():
                follow(n + 1, responses + x, events + z, weight * chance)
            return
        ends[end] += weight
        size += weight * n

    follow(0, 0, 0, 1.0)
    found = characteristics(design, [p], toxicity=monitor, tox_rates=[q], odds_ratio=odds)
    answer = (found.p_go[0], found.p_no_go[0], found.p_futility[0], found.p_cross[0], found.expected_n[0])
    assert answer == pytest.approx((*ends.values(), size), abs=1e-12)


@pytest.mark.rule("IB-22", source="every outcome of three cohorts")
@pytest.mark.parametrize("cut", [0.6, 0.8, 0.95])
@pytest.mark.parametrize("truth", [(0.1, 0.2, 0.1), (0.4, 0.2, 0.1), (0.4, 0.5, 0.3)])
def test_characteristics_of_several_cohorts(cut, truth):
    n, p0 = (4, 3, 2), (0.1, 0.2, 0.1)
    table = compile_outcomes(n, p0, model="independent")
    found = borrowing_characteristics(table, [truth], cut=cut)
    null = [t <= p for t, p in zip(truth, p0, strict=True)]
    each, some, false_go, active, right = np.zeros(3), 0.0, 0.0, 0.0, 0.0
    for outcome in itertools.product(*(range(k + 1) for k in n)):
        weight = math.prod(map(pmf, outcome, n, truth))
        go = [tail(p, y, k, (p, 1 - p)) > cut for p, y, k in zip(p0, outcome, n, strict=True)]
        each += weight * np.array(go)
        some += weight * any(go)
        false_go += weight * any(g and z for g, z in zip(go, null, strict=True))
        active += weight * all(g or z for g, z in zip(go, null, strict=True))
        right += weight * sum(g != z for g, z in zip(go, null, strict=True))
    assert found.p_go[0] == pytest.approx(each, abs=1e-9)
    answer = (found.any_go[0], found.any_false_go[0], found.all_active_go[0], found.correct[0])
    assert answer == pytest.approx((some, false_go, active, right), abs=1e-9)


@pytest.mark.rule("IB-22")
@pytest.mark.parametrize("fwer", [0.02, 0.05, 0.1, 0.3, 0.7])
def test_a_calibrated_cut_keeps_the_familywise_rate_and_no_smaller_one_does(fwer):
    table = compile_outcomes([4, 3, 2], [0.1, 0.2, 0.1], model="independent")
    cut = calibrate_cut(table, table.p0, fwer=fwer)
    rates = [
        rule_characteristics(table, [table.p0], go=table.prob > c + 1e-12).any_go[0]
        for c in np.unique(table.prob[table.prob <= cut + 1e-12])
    ]
    assert rates[-1] <= fwer
    assert all(rate > fwer for rate in rates[:-1] if abs(rate - rates[-1]) > 1e-12)


@pytest.mark.rule("IB-21", source="every pair of counts")
@pytest.mark.parametrize(("n", "rates", "lead"), [(5, (0.2, 0.4), 1), (7, (0.1, 0.1), 1), (6, (0.3, 0.6), 2), (4, (0.0, 1.0), 4), (3, (0.0, 0.0), 1)])  # fmt: skip
def test_selection_between_two_arms(n, rates, lead):
    parts = [0.0, 0.0, 0.0]
    for x, z in itertools.product(range(n + 1), repeat=2):
        parts[0 if z - x >= lead else 1 if x - z >= lead else 2] += pmf(x, n, rates[0]) * pmf(z, n, rates[1])
    found = select_arm(n, rates, min_diff=lead)
    assert (found.p_correct, found.p_wrong, found.p_tie) == pytest.approx(tuple(parts))


@pytest.mark.rule("IB-21")
@pytest.mark.parametrize(
    ("n", "rates", "lead"), [(0, (0.1, 0.2), 1), (5, (0.3, 0.2), 1), (5, (0.1, 1.2), 1), (5, (0.1, 0.2), 0)]
)
def test_selections_that_make_no_sense(n, rates, lead):
    with pytest.raises(DesignError, match="min_diff must be >= 1 and rates rise"):
        select_arm(n, rates, min_diff=lead)


@pytest.mark.rule("IB-09")
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_paths_to_a_go_give_its_probability(data):
    n = data.draw(st.integers(2, 12))
    looks = tuple(sorted(data.draw(st.sets(st.integers(1, n - 1), max_size=3))))
    stops = tuple(sorted(data.draw(st.lists(st.integers(-1, 3), min_size=len(looks), max_size=len(looks)))))
    design = Monitored(n, looks, stops, data.draw(st.integers(0, n)))
    p = data.draw(st.floats(0.02, 0.98))
    chance = sum(paths * p**y * (1 - p) ** (m - y) for y, m, paths in design.go_states())
    assert characteristics(design, [p]).p_go[0] == pytest.approx(chance, abs=1e-12)


RULE = ExpansionTable()


@pytest.mark.rule("IB-13")
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, "GO"),
        ({"prob": RULE.go_prob}, "GO"),
        ({"prob": RULE.go_prob - 1e-9}, "CONSIDER"),
        ({"ppos": RULE.go_ppos - 1e-9}, "CONSIDER"),
        ({"n": RULE.own_min_n - 1}, "CONSIDER"),
        ({"r": RULE.own_min_resp - 1}, "CONSIDER"),
        ({"own_prob": 0.0}, "CONSIDER"),
        ({"crossing": True}, "NO-GO"),
        ({"prob": RULE.nogo_prob - 1e-9, "r": 0, "n": 20}, "NO-GO"),
        ({"prob": RULE.nogo_prob, "ppos": 1.0, "r": 0, "n": 20}, "CONSIDER"),
        ({"prob": RULE.nogo_prob - 1e-9, "r": 12}, "CONSIDER"),
    ],
)
def test_every_condition_of_the_grid_alone_changes_the_class(change, kind):
    base = {"n": 12, "r": 6, "p0": 0.1, "p1": 0.3, "prob": 1.0, "ppos": 1.0}
    base["own_prob"] = float(independent([6], [12], p0=0.1).prob_above[0])
    found = classify(Evidence(**(base | change)), RULE)
    assert found.kind == kind
    failed = [
        name for name, margin in found.margins.items() if name.startswith(("go_", "own_")) and margin < 0
    ]
    assert (kind == "GO") == (not failed and not change.get("crossing"))
