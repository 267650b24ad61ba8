"""Phase IB designs: searches, boundaries, exact characteristics, selection, the grid of decisions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, betabinom, binom

from interim.design.expansion import Infeasible, Monitored, fixed_sample, two_stages
from interim.design.expansion_named import named_design, named_monitor, rule_text
from interim.design.expansion_rule import Evidence, classify, go_by_outcome
from interim.design.expansion_search import admissible, bop2, predictive, two_stage
from interim.design.expansion_select import select_arm
from interim.design.monitoring import (
    BayesToxicity,
    PocockToxicity,
    characteristics,
    joint_cell,
    toxicity_characteristics,
)
from interim.design.monitoring_borrowing import (
    borrowing_characteristics,
    calibrate_cut,
    inactive_participants,
    rule_characteristics,
)
from interim.errors import DesignError
from interim.stats.borrowing import ExnexPrior, HierarchicalPrior, compile_outcomes, independent
from interim.study.expansion import ExpansionTable, MonitorTable

SIMON = two_stages(9, 0, n=17, r=2)
MONITOR = BayesToxicity(0.30, 0.80, (0.6, 1.4))
P0, P1, N = [0.05, 0.10, 0.10, 0.05], [0.25, 0.30, 0.30, 0.25], [6, 3, 3, 2]


@pytest.mark.rule("IB-09")
def test_characteristics_against_all_sequences():
    """Every sequence of five participants, one by one."""
    design = Monitored(5, (2, 4), (0, 1), 3)
    p = 0.35
    go, stop, size = 0.0, 0.0, 0.0
    for path in itertools.product((0, 1), repeat=5):
        weight = math.prod(p if x else 1 - p for x in path)
        end = next((n for n in (2, 4) if sum(path[:n]) <= design.boundary(n)), 5)
        size += weight * end
        stop += weight * (end < 5)
        go += weight * (end == 5 and sum(path) >= 3)
    found = characteristics(design, [p])
    assert (found.p_go[0], found.p_futility[0], found.expected_n[0]) == pytest.approx((go, stop, size))
    assert found.n_dist.sum() == pytest.approx(1)


@pytest.mark.rule("IB-11")
@pytest.mark.parametrize("odds", [1.0, 3.0, 0.2])
def test_joint_characteristics_against_all_sequences(odds):
    design, tox = Monitored(4, (2,), (0,), 2), BayesToxicity(0.3, 0.5, (0.6, 1.4), 2)
    bound = tox.boundary(4)
    p, q = 0.4, 0.3
    both = float(joint_cell(np.array([p]), np.array([q]), odds)[0])
    cells = {(0, 0): 1 - p - q + both, (0, 1): q - both, (1, 0): p - both, (1, 1): both}
    assert all(value > 0 for value in cells.values())
    assert cells[1, 1] * cells[0, 0] == pytest.approx(odds * cells[1, 0] * cells[0, 1])
    ends = dict.fromkeys(("go", "no", "cross", "futile"), 0.0)
    for path in itertools.product(cells, repeat=4):
        weight, r, t, end = math.prod(cells[x] for x in path), 0, 0, ""
        for n, (response, event) in enumerate(path, 1):
            r, t = r + response, t + event
            if not end and bound[n - 1] is not None and t >= bound[n - 1]:
                end = "cross"
            elif not end and n == 2 and r <= 0:
                end = "futile"
        ends[end or ("go" if r >= 2 else "no")] += weight
    found = characteristics(design, [p], toxicity=tox, tox_rates=[q], odds_ratio=odds)
    answers = (found.p_go[0], found.p_no_go[0], found.p_cross[0], found.p_futility[0])
    assert answers == pytest.approx(tuple(ends.values()))


@pytest.mark.rule("IB-11", source="spec: simon_9_17 with the default monitor")
def test_futility_and_toxicity_together():
    found = characteristics(SIMON, [0.05, 0.25, 0.25], toxicity=MONITOR, tox_rates=[0.10, 0.10, 0.30])
    assert found.p_go == pytest.approx([0.044863, 0.781813, 0.458333], abs=1e-6)
    assert found.p_cross == pytest.approx([0.036707, 0.037288, 0.428769], abs=1e-6)
    assert found.p_futility == pytest.approx([0.607359, 0.072358, 0.049266], abs=1e-6)
    assert found.expected_n == pytest.approx([11.6549, 15.9322, 11.8665], abs=1e-4)


@pytest.mark.rule("IB-09")
@given(
    st.integers(2, 12),
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4),
    st.data(),
)
@settings(max_examples=30, deadline=None)
def test_ends_sum_to_one_and_go_rises_with_the_rate(n, rates, data):
    looks = tuple(sorted(data.draw(st.sets(st.integers(1, n - 1), max_size=3))))
    stops = tuple(sorted(data.draw(st.lists(st.integers(-1, 3), min_size=len(looks), max_size=len(looks)))))
    design = Monitored(n, looks, stops, data.draw(st.integers(0, n)))
    found = characteristics(design, sorted(rates))
    assert found.p_go + found.p_no_go + found.p_futility == pytest.approx(np.ones(len(rates)))
    assert np.all(np.diff(found.p_go) >= -1e-12)
    paths = {(y, m): w for y, m, w in design.go_states()}
    again = [sum(w * p**y * (1 - p) ** (m - y) for (y, m), w in paths.items()) for p in sorted(rates)]
    assert found.p_go == pytest.approx(again)


@pytest.mark.rule("IB-09")
def test_decisions_and_words():
    assert [SIMON.decide(*x) for x in ((0, 9), (1, 9), (0, 8), (2, 17), (3, 17))] == [
        "STOP",
        "CONTINUE",
        "CONTINUE",
        "NO_GO",
        "GO",
    ]
    assert SIMON.first_stop_at_zero() == 9 and fixed_sample(9, 2).first_stop_at_zero() is None
    assert (
        rule_text(Monitored(18, (6, 7, 8), (0, 0, 1), 3))
        == "stop at 0 of 6; stop at <= 1 of 8; go at >= 3 of 18"
    )
    with pytest.raises(DesignError, match="impossible"):
        SIMON.decide(3, 2)


@pytest.mark.rule("IB-09")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Monitored(9, (9,), (0,), 2), "must rise between 1 and 8"),
        (lambda: Monitored(9, (5, 3), (0, 0), 2), "must rise"),
        (lambda: Monitored(9, (3, 5), (1, 0), 2), "must not fall"),
        (lambda: Monitored(9, (3,), (), 2), "1 looks need as many"),
        (lambda: Monitored(0, (), (), -1), "must be >= 1"),
        (lambda: two_stage(0.3, 0.1, alpha=0.1, beta=0.2), "p0 < p1"),
        (lambda: two_stage(0.1, 0.3, alpha=0, beta=0.2), "alpha and beta"),
        (lambda: characteristics(SIMON, [1.2]), "between 0 and 1"),
        (lambda: characteristics(SIMON, [0.2], toxicity=MONITOR), "as many event rates"),
        (
            lambda: characteristics(SIMON, [0.2], toxicity=MONITOR, tox_rates=[0.1], odds_ratio=0),
            "odds ratio",
        ),
        (lambda: PocockToxicity(0.2, 0.05, n_max=9).boundary(10), "ends at n = 9"),
        (lambda: predictive(3, (), p0=0.5, theta_t=0.99), "no number of responses"),
        (lambda: select_arm(18, (0.3, 0.1)), "rates rise"),
    ],
)
def test_impossible_designs_are_refused(make, words):
    with pytest.raises(DesignError, match=words):
        make()


@pytest.mark.rule("IB-20", source="spec: designs within 9-18")
def test_two_stages_within_the_registered_sizes():
    first = two_stage(0.05, 0.25, alpha=0.10, beta=0.20, sizes=(9, 9, 18))
    assert (first.n1, first.r1, first.n, first.r) == (9, 0, 17, 2)
    second = two_stage(0.10, 0.30, alpha=0.10, beta=0.20, sizes=(9, 9, 18))
    assert (second.n1, second.r1, second.n, second.r) == (11, 1, 18, 3)
    assert (second.alpha, second.power) == pytest.approx((0.0875, 0.8001), abs=5e-5)
    assert second.monitored("x").go == 4
    none = two_stage(0.10, 0.30, alpha=0.05, beta=0.20, sizes=(9, 9, 18))
    assert isinstance(none, Infeasible) and none.best_power < 0.80


@pytest.mark.rule("IB-20", source="Simon 1989: .10 v .30 at .05, .20 needs 25 minimax, 29 optimal")
def test_admissible_designs_run_from_minimax_to_optimal():
    found = admissible(0.10, 0.30, alpha=0.05, beta=0.20)
    assert (found[0].n, found[-1].n) == (25, 29)
    sizes, expected = [d.n for d in found], [d.expected_n for d in found]
    assert sizes == sorted(sizes) and expected == sorted(expected, reverse=True)
    for weight in np.linspace(0, 1, 21):
        cost = [weight * d.n + (1 - weight) * d.expected_n for d in found]
        assert min(cost) <= weight * 25 + (1 - weight) * found[0].expected_n + 1e-12
    assert admissible(0.10, 0.30, alpha=0.05, beta=0.20, sizes=(9, 9, 18)) == ()


@pytest.mark.rule("IB-20")
def test_searched_designs_against_a_plain_search():
    """All two-stage designs of at most nine participants, by the sum over first-stage counts."""
    p0, p1, alpha, miss = 0.1, 0.6, 0.10, 0.15
    best = None
    for n, n1 in ((size, first) for size in range(2, 10) for first in range(1, size)):
        for r1, r in itertools.product(range(n1), range(n)):
            go = [
                sum(binom.pmf(x, n1, p) * binom.sf(r - x, n - n1, p) for x in range(r1 + 1, n1 + 1))
                for p in (p0, p1)
            ]
            size = n1 + (1 - binom.cdf(r1, n1, p0)) * (n - n1)
            if go[0] <= alpha and go[1] >= 1 - miss and (best is None or size < best[0] - 1e-12):
                best = (size, n1, r1, n)
    found = two_stage(p0, p1, alpha=alpha, beta=miss, sizes=(1, 2, 9))
    assert (found.expected_n, found.n1, found.r1, found.n) == pytest.approx(best)


@pytest.mark.rule("IB-20", source="spec: power .811 with gamma <= 1, .835 with gamma <= 3")
def test_largest_gamma_matters():
    looks = (6, 9, 12, 15)
    power = {}
    for gamma in (1.0, 3.0):
        found = bop2(0.05, 0.25, n_max=18, looks=looks, alpha=0.15, gamma_max=gamma)
        power[gamma] = characteristics(found.design, [0.25]).p_go[0]
        assert characteristics(found.design, [0.05]).p_go[0] <= 0.15
        assert (found.design.first_stop_at_zero() == 6) == (gamma == 1.0)
    assert (power[1.0], power[3.0]) == pytest.approx((0.811, 0.835), abs=5e-4)
    none = bop2(0.5, 0.6, n_max=2, looks=(1,), alpha=0.01)
    assert isinstance(none, Infeasible)


@pytest.mark.rule("IB-20")
def test_predictive_probability_by_the_beta_binomial():
    design = predictive(15, (10,), p0=0.2, theta_l=0.05, theta_t=0.9)
    go = next(r for r in range(16) if beta.sf(0.2, 0.2 + r, 0.8 + 15 - r) > 0.9)
    assert design.go == go
    chance = [betabinom.sf(go - r - 1, 5, 0.2 + r, 0.8 + 10 - r) for r in range(11)]
    assert design.stop_le[0] == max(r for r in range(11) if chance[r] < 0.05)
    assert predictive(9, (), p0=0.05).looks == ()


@pytest.mark.rule("IB-10", source="clinical pack and spec")
def test_bayesian_boundaries_and_a_near_tie():
    assert MONITOR.boundary(18) == (None, None, 2, 3, 3, 3, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7, 8)
    assert beta.sf(0.30, 3.6, 4.4) == pytest.approx(0.8000031, abs=1e-7), (
        "3 of 6 crosses by the sixth decimal"
    )
    assert BayesToxicity(0.3, 0.8, (0.5, 0.5), 1).boundary(1) == (1,)
    assert BayesToxicity(0.3, 0.8, (0.6, 1.4), looks=(6,)).boundary(6)[:5] == (None,) * 5
    found = toxicity_characteristics(MONITOR.boundary(18), [0.1, 0.2, 0.3, 0.4])
    assert found.p_cross == pytest.approx([0.037367, 0.178901, 0.435662, 0.716922], abs=1e-6)
    strict = BayesToxicity(0.3, 0.95, (0.6, 1.4)).boundary(18)
    assert toxicity_characteristics(strict, [0.1, 0.2, 0.3, 0.4]).p_cross == pytest.approx(
        [0.002, 0.023, 0.125, 0.364], abs=5e-4
    )


@pytest.mark.rule("IB-10", source="spec: rate .20, alpha .05, N = 15")
def test_pocock_boundary():
    design = PocockToxicity(0.20, 0.05, n_max=15)
    bound = design.boundary(15)
    assert bound == (None, None, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7)
    assert toxicity_characteristics(bound, [0.20]).p_cross[0] == pytest.approx(0.0437, abs=5e-5)
    assert PocockToxicity(0.2, 1e-9, n_max=3).boundary(3) == (None, None, None)
    assert PocockToxicity(0.2, 1e-9, n_max=3).phi == 0.0
    assert PocockToxicity(0.2, 0.05, n_max=6, looks=(6,)).boundary(6)[:5] == (None,) * 5


@pytest.mark.rule("IB-21", source="clinfun pselect")
def test_selection_between_two_arms():
    one, two = select_arm(18, (0.10, 0.30)), select_arm(18, (0.10, 0.30), min_diff=2)
    assert (one.p_correct, one.p_wrong, one.p_tie) == pytest.approx((0.911122, 0.037022, 0.051856), abs=1e-6)
    assert (two.p_correct, two.p_wrong, two.p_tie) == pytest.approx((0.818592, 0.013032, 0.168376), abs=1e-6)
    same = select_arm(5, (0.3, 0.3))
    assert same.p_correct == pytest.approx(same.p_wrong)


@pytest.mark.rule("IB-09", source="clinical pack: 17.4 % and 63.6 %")
def test_any_false_go_of_four_cohorts():
    found = characteristics(SIMON, [0.05, 0.10]).any_go(4)
    assert found == pytest.approx([0.1738, 0.6363], abs=5e-5)


TABLE_SOURCE = "spec table: K = 4, n = 12, p0 .10, p1 .30, familywise .10"


@pytest.mark.rule("IB-22", source=TABLE_SOURCE)
@pytest.mark.parametrize(
    ("model", "prior", "cut", "power", "null"),
    [
        ("independent", None, 0.903, [0.51] * 4, [0.03] * 4),
        ("exnex", ExnexPrior(), 0.931, [0.51, 0.54, 0.64, 0.71], [0.03, 0.04, 0.07, 0.10]),
        ("hierarchical", HierarchicalPrior(), 0.894, [0.49, 0.66, 0.79, 0.88], [0.04, 0.10, 0.20, 0.30]),
    ],
)
def test_borrowing_at_equal_familywise_false_go(model, prior, cut, power, null):
    table = compile_outcomes([12] * 4, 0.10, model=model, prior=prior)
    found = calibrate_cut(table, [0.10] * 4, fwer=0.10)
    assert found == pytest.approx(cut, abs=6e-4)
    truth = [[0.3] * active + [0.1] * (4 - active) for active in range(5)]
    answer = borrowing_characteristics(table, truth, cut=found)
    assert answer.any_false_go[0] <= 0.10
    assert [answer.p_go[k, 0] for k in range(1, 5)] == pytest.approx(power, abs=6e-3)
    assert [answer.p_go[k, 3] for k in range(4)] == pytest.approx(null, abs=6e-3)
    assert answer.all_active_go[0] == pytest.approx(1) and answer.any_false_go[4] == 0
    assert answer.any_go[0] == pytest.approx(answer.any_false_go[0])
    assert answer.correct[0] == pytest.approx(4 - answer.p_go[0].sum())


@pytest.mark.rule("IB-22")
def test_a_cut_is_attainable_and_the_smallest():
    table = compile_outcomes([5, 4], [0.1, 0.2], model="independent")
    cut = calibrate_cut(table, [0.1, 0.2], fwer=0.2)
    assert np.abs(table.prob - cut).min() <= 1.1e-12, "a value that occurs"
    below = np.max(table.prob[table.prob < cut - 2e-12])
    weight = table.weights([0.1, 0.2])
    assert weight @ (table.prob > cut).any(axis=1) <= 0.2 < weight @ (table.prob > below).any(axis=1)
    with pytest.raises(DesignError, match="fwer"):
        calibrate_cut(table, [0.1, 0.2], fwer=1.5)
    with pytest.raises(DesignError, match="shape"):
        rule_characteristics(table, [[0.1, 0.2]], go=np.ones((2, 2), dtype=bool))


@pytest.mark.rule("IB-22")
def test_participants_in_inactive_cohorts_and_bias():
    table = compile_outcomes([5, 4], [0.1, 0.2], model="independent")
    assert inactive_participants(table, [0.1, 0.4], expected_n=np.array([5.0, 4.0])) == 5
    assert inactive_participants(table, [0.3, 0.4], expected_n=np.array([5.0, 4.0])) == 0
    answer = borrowing_characteristics(table, [[0.3, 0.4]], cut=0.9)
    # Posterior mean (p0 + r)/(1 + n).
    bias = [(0.1 + 5 * 0.3) / 6 - 0.3, (0.2 + 4 * 0.4) / 5 - 0.4]
    assert answer.bias[0] == pytest.approx(bias)
    assert answer.mse[0] == pytest.approx(np.array(bias) ** 2 + [5 * 0.21 / 36, 4 * 0.24 / 25])


RULE = ExpansionTable()


def verdict(r, n, p0, p1, **more):
    own = float(independent([r], [n], p0=p0).prob_above[0])
    ppos = independent([r], [n], p0=p0).success(0, SIMON.go_states())
    values = {"prob": own, "ppos": ppos, **more}
    return classify(
        Evidence(n, r, p0, p1, values["prob"], values["ppos"], own, more.get("crossing", False)), RULE
    ).kind


@pytest.mark.rule("IB-13", source="spec: default classes")
@pytest.mark.parametrize(
    ("r", "n", "p0", "p1", "kind"),
    [
        (1, 6, 0.05, 0.25, "CONSIDER"),
        (1, 3, 0.10, 0.30, "CONSIDER"),
        (0, 3, 0.10, 0.30, "CONSIDER"),
        (0, 2, 0.05, 0.25, "CONSIDER"),
        (2, 6, 0.05, 0.25, "GO"),
        (0, 6, 0.05, 0.25, "NO-GO"),
        (2, 3, 0.10, 0.30, "GO"),
        (1, 3, 0.10, 0.30, "CONSIDER"),
        (1, 2, 0.05, 0.25, "CONSIDER"),
        (0, 0, 0.05, 0.25, "CONSIDER"),
        (0, 1, 0.05, 0.25, "CONSIDER"),
        (0, 5, 0.05, 0.25, "CONSIDER"),
    ],
)
def test_default_classes(r, n, p0, p1, kind):
    assert verdict(r, n, p0, p1) == kind


@pytest.mark.rule("IB-13")
def test_no_go_on_borrowing_alone_and_a_crossing_overrides():
    assert verdict(0, 6, 0.05, 0.25, prob=0.99, ppos=0.99) == "CONSIDER", "no own response"
    assert verdict(2, 2, 0.05, 0.25, prob=0.99, ppos=0.99) == "CONSIDER", "two participants"
    assert verdict(1, 6, 0.05, 0.25, prob=0.99, ppos=0.99) == "GO"
    assert verdict(1, 60, 0.10, 0.30, prob=0.99, ppos=0.99) == "CONSIDER", "own data below their prior value"
    assert verdict(2, 3, 0.10, 0.30, crossing=True) == "NO-GO"


@pytest.mark.rule("IB-16", source="spec: characteristics of the rule")
@pytest.mark.parametrize(
    ("model", "prior", "rows"),
    [
        (
            "independent",
            None,
            [
                (P0, [0.032774, 0.028, 0.028, 0], 0.086180),
                (P1, [0.466064, 0.216, 0.216, 0], 0),
                ([0.25, 0.1, 0.1, 0.05], [0.466064, 0.028, 0.028, 0], 0.055216),
                ([0.05, 0.3, 0.3, 0.25], [0.032774, 0.216, 0.216, 0], 0.032774),
            ],
        ),
        (
            "exnex",
            ExnexPrior((0.5, 0.5, 0.5, 0.25)),
            [
                (P0, [0.050713, 0.064216, 0.064216, 0], 0.111933),
                (P1, [0.639904, 0.572565, 0.572565, 0], 0),
                ([0.25, 0.1, 0.1, 0.05], [0.493573, 0.166871, 0.166871, 0], 0.269863),
                ([0.05, 0.3, 0.3, 0.25], [0.146142, 0.438515, 0.438515, 0], 0.146142),
            ],
        ),
    ],
)
def test_characteristics_of_the_rule_itself(model, prior, rows):
    states = [SIMON.go_states()] * 4
    own = compile_outcomes(N, P0, model="independent", success=states)
    table = (
        own if model == "independent" else compile_outcomes(N, P0, model=model, prior=prior, success=states)
    )
    go = go_by_outcome(table, own, RULE)
    found = rule_characteristics(table, [truth for truth, _, _ in rows], go=go)
    for place, (_, p_go, false) in enumerate(rows):
        assert found.p_go[place] == pytest.approx(p_go, abs=1e-6)
        assert found.any_false_go[place] == pytest.approx(false, abs=1e-6)
    with pytest.raises(ValueError, match="predictive"):
        go_by_outcome(compile_outcomes(N, P0, model="independent"), own, RULE)


@pytest.mark.rule("IB-09")
def test_designs_by_name():
    table = ExpansionTable()
    assert named_design("simon_9_17", table) == two_stages(9, 0, n=17, r=2, name="simon_9_17")
    assert named_design("fixed_18", table).go == 3
    assert isinstance(named_design("bop2", table), Infeasible), "needs rates"
    for name in ("two_stage", "bop2", "predictive", "bayes_monitor"):
        found = named_design(name, table, p0=0.05, p1=0.25)
        assert characteristics(found, [0.05]).p_go[0] <= 0.15
        assert found.n_max <= table.n_max
    tight = ExpansionTable(alpha_max=0.01)
    assert isinstance(named_design("two_stage", tight, p0=0.1, p1=0.3), Infeasible)
    assert isinstance(named_design("bop2", ExpansionTable(alpha_max=1e-9), p0=0.4, p1=0.5), Infeasible)
    with pytest.raises(KeyError):
        named_design("hierarchical", table, p0=0.1, p1=0.3)


@pytest.mark.rule("IB-10")
def test_monitors_by_name():
    assert named_monitor(MonitorTable(), n_max=18) == MONITOR
    assert named_monitor(MonitorTable(method="none"), n_max=18) is None
    assert named_monitor(MonitorTable(method="pocock"), n_max=15).boundary(15)[2] == 3
    assert named_monitor(MonitorTable(looks=(3, 6)), n_max=6).boundary(6)[3:5] == (None, None)
