"""Every option of the rule: the tree of decisions, the compiled states and simulated trials tell the same story."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from interim.design import (
    Cap,
    Conduct,
    History,
    MtdRule,
    TitratedThreePlusThree,
    Titration,
    compile_design,
    dose_paths,
)
from interim.design.characteristics import scenario
from interim.design.replay import replay
from interim.design.simulate import simulate

LEVELS = (1e7, 3e7, 5e7)
P = np.array([0.08, 0.22, 0.45])
Q = np.array([0.15, 0.25, 0.20])
BASE = TitratedThreePlusThree(LEVELS, titration=Titration(3))

OPTIONS = {
    "base": {},
    "literal": {"titration": Titration(1)},
    "two levels": {"titration": Titration(2)},
    "plain": {"titration": Titration(0)},
    "two triggers": {"titration": Titration(3, n_events=2)},
    "three triggers": {"titration": Titration(3, n_events=3)},
    "titration participant not counted": {"titration": Titration(3, count_participant=False)},
    "literal, not counted": {"titration": Titration(1, count_participant=False)},
    "top with three": {"mtd": MtdRule("deesc_min6_top3")},
    "custom": {"mtd": MtdRule("custom", parts=(True, 3, True))},
    "esc_only": {"titration": Titration(0), "mtd": MtdRule("esc_only")},
    "straight to six": {"mtd": MtdRule(down_fill="direct_six")},
    "no cap": {"cap": Cap(None)},
    "cap 9": {"cap": Cap(9)},
    "cap 9, filled up": {"cap": Cap(9, partial=True)},
    "cap 9, no dose": {"cap": Cap(9, mtd_rule="none")},
    "cap 9, treated": {"cap": Cap(9, counts="treated")},
    "start at 2": {"start_level": 2},
    "start at 2, titration there": {"start_level": 2, "titration": Titration(2)},
    "late DLT flagged": {"conduct": Conduct(late_dlt="flag")},
    "lenient between 3 and 6": {"conduct": Conduct(between_3_and_6="escalate_if_zero")},
    "other overrun limit": {"conduct": Conduct(overrun_max_rate=Fraction(1, 4))},
}
every_option = pytest.mark.parametrize("changes", OPTIONS.values(), ids=list(OPTIONS))


@pytest.mark.rule("DOSE-12")
@every_option
def test_tree_and_compiled_states_agree(changes):
    rule = replace(BASE, **changes)
    exact = compile_design(rule).evaluate(P, Q)
    tree = dose_paths(rule, 40, truth=scenario(P, Q, levels=3))
    ends = [path for path in tree if path.decision.action == "STOP"]
    sel, status = np.zeros(4), {}
    n, y, left, capped = np.zeros(3), np.zeros(3), 0.0, 0.0
    for path in ends:
        history = History.parse(path.outcomes, levels=3)
        sel[path.decision.mtd or 0] += path.probability
        name = path.decision.mtd_status
        status[name] = status.get(name, 0) + path.probability
        cohorts = history.cohorts()
        n += path.probability * np.array([cohort.n for cohort in cohorts])
        y += path.probability * np.array([cohort.n_dlt for cohort in cohorts])
        capped += path.probability * path.decision.rule_id.endswith("K1")
        left += path.probability * bool(rule.left_titration(rule.facts(history)))
    assert sum(path.probability for path in ends) == pytest.approx(1, abs=1e-12)
    assert np.allclose(exact.sel, sel, atol=1e-12)
    assert np.allclose(exact.EN, n, atol=1e-10)
    assert np.allclose(exact.EY, y, atol=1e-10)
    assert exact.p_cap == pytest.approx(capped, abs=1e-12)
    assert exact.p_left_titration == pytest.approx(left, abs=1e-12)
    assert {name: p for name, p in exact.status.items() if p} == pytest.approx(
        {name: p for name, p in status.items() if p}, abs=1e-12
    )
    assert len(ends) == compile_design(rule).n_terminal_paths


@pytest.mark.rule("DOSE-16")
@every_option
def test_simulated_trials_agree(changes):
    rule = replace(BASE, **changes)
    exact = compile_design(rule).evaluate(P, Q)
    found = simulate(rule, P, Q, n=2000, seed=17)
    for name in ("sel", "EN", "EY"):
        error = np.maximum(found.mcse[name], 2e-3)
        assert np.all(np.abs(np.array(getattr(found, name)) - getattr(exact, name)) < 4.5 * error), name
    error = 4.5 * np.sqrt(0.25 / 2000)
    assert found.p_cap == pytest.approx(exact.p_cap, abs=error)
    assert found.p_left_titration == pytest.approx(exact.p_left_titration, abs=error)


@pytest.mark.rule("DOSE-12")
@every_option
def test_expected_dlt_are_participants_times_rates(changes):
    """With three kinds of outcome per titration participant the DLT rate of every participant stays p."""
    exact = compile_design(replace(BASE, **changes)).evaluate(P, Q)
    assert np.allclose(exact.EY, np.array(exact.EN) * P, atol=1e-12)
    assert exact.total_n == pytest.approx(sum(n * p for n, p in exact.n_dist.items()))
    assert exact.total_dlt == pytest.approx(sum(y * p for y, p in exact.dlt_dist.items()))
    assert sum(exact.n_dist.values()) == pytest.approx(1, abs=1e-12)
    assert exact.EN_treated == exact.EN


@pytest.mark.rule("DOSE-12")
@every_option
@pytest.mark.parametrize(("p", "none"), [([0.0] * 3, 0.0), ([1.0] * 3, 1.0)])
def test_certain_outcomes(changes, p, none):
    found = compile_design(replace(BASE, **changes)).evaluate(p)
    assert sum(found.sel) == pytest.approx(1, abs=1e-12)
    if none:
        assert found.sel[0] == pytest.approx(1)
    elif "cap" not in changes:
        assert found.sel[3] == pytest.approx(1)


@pytest.mark.rule("DOSE-09")
@pytest.mark.parametrize(
    ("first", "second", "relation"),
    [
        ({}, {"cap": Cap(12)}, "smaller"),
        ({"titration": Titration(0)}, {}, "smaller"),
        ({"mtd": MtdRule()}, {"mtd": MtdRule("deesc_min6_top3")}, "smaller"),
        ({"mtd": MtdRule()}, {"mtd": MtdRule(down_fill="direct_six")}, "larger"),
        ({"titration": Titration(3)}, {"titration": Titration(3, count_participant=False)}, "larger"),
        ({"titration": Titration(3)}, {"titration": Titration(3, n_events=2)}, "smaller"),
    ],
)
def test_what_options_do_to_the_size(first, second, relation):
    a, b = (compile_design(replace(BASE, cap=Cap(None), **{k: v for k, v in c.items() if k != "cap"})) if "cap" not in c
            else compile_design(replace(BASE, **c)) for c in (first, second))  # fmt: skip
    sizes = [compiled.evaluate(P, Q).total_n for compiled in (a, b)]
    assert (sizes[1] < sizes[0]) == (relation == "smaller")


RUNS = [
    # one run, outcomes by the rule under the base, and what replay calls it
    ("1N 2N 3N 3NN", ["same"] * 4),
    ("1N 2G 2NN 3TTT 2NNN", ["same"] * 5),
    ("1T 1NN 1NNN 2NNT 2NNN 3NTT", ["same"] * 6),
    ("1N 2NN", ["same", "same", "early"]),
    ("1G 2N", ["same", "higher"]),
    ("1N 1N", ["same", "lower"]),
]


@pytest.mark.rule("DOSE-24")
@pytest.mark.parametrize(("text", "kinds"), RUNS)
def test_runs_of_the_rule_replay_as_themselves(dated, text, kinds):
    found = replay(BASE, History.from_frame(dated(text, levels=3), levels=3))
    assert list(found.kinds) == kinds
    assert found.concordant == kinds.count("same")


@pytest.mark.rule("DOSE-24")
@every_option
def test_a_run_of_any_rule_is_fully_concordant(dated, changes):
    """What the rule itself enrols is the same on replay, whatever the option."""
    rule = replace(BASE, **changes)
    tree = dose_paths(rule, 40)
    ends = [path.outcomes for path in tree if path.decision.action == "STOP"]
    for text in ends[:: max(1, len(ends) // 4)]:
        found = replay(rule, History.from_frame(dated(text, levels=3), levels=3))
        assert found.first_discordant is None, text


@pytest.mark.rule("DOSE-19")
def test_the_next_cohort_in_probabilities():
    start = History.parse("1N 2G 2NN", levels=3)
    (now, *after) = dose_paths(BASE, 1, start=start, truth=scenario(P, Q, levels=3))
    assert (now.decision.brief, now.probability) == ("ENROL 3 at 3", 1.0)
    assert [path.outcomes for path in after] == ["3NNN", "3NNT", "3NTT", "3TTT"]
    assert [path.probability for path in after] == pytest.approx(
        [0.55**3, 3 * 0.55**2 * 0.45, 3 * 0.55 * 0.45**2, 0.45**3]
    )
    assert [path.decision.brief for path in after] == [
        "ENROL 3 at 3",
        "ENROL 3 at 3",
        "ENROL 3 at 2",
        "ENROL 3 at 2",
    ]
