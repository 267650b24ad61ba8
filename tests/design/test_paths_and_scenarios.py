"""Exact characteristics against answers by hand, the tree of paths against the compiled states, quantiles of the logistic model."""

from __future__ import annotations

import itertools
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.design import (
    Blrm,
    Cap,
    History,
    MtdRule,
    ThreePlusThree,
    TitratedThreePlusThree,
    Titration,
    compare,
    compile_design,
    operating_characteristics,
)
from interim.errors import DesignError

LEVELS = (1.5e7, 3e7, 5e7, 7e7)
MODEL = Blrm(LEVELS, 5e7)


def binomial(x: int, n: int, p: float) -> float:
    return comb(n, x) * p**x * (1 - p) ** (n - x)


@pytest.mark.rule("DOSE-12", source="one level, by hand")
@pytest.mark.parametrize("p", [0.0, 0.05, 0.2, 0.5, 1.0])
def test_one_level_by_hand(p):
    """Three; 0 DLT: three more for the MTD; 1: three more; the dose stands with at most one DLT in six."""
    found = compile_design(ThreePlusThree((1.0,), cap=Cap(None))).evaluate((p,))
    first = [binomial(x, 3, p) for x in range(4)]
    stands = first[0] * (first[0] + first[1]) + first[1] * first[0]
    assert found.sel[1] == pytest.approx(stands, abs=1e-12)
    assert found.EN[0] == pytest.approx(3 + 3 * (first[0] + first[1]), abs=1e-12)
    assert found.EY[0] == pytest.approx(p * found.EN[0], abs=1e-12)


@pytest.mark.rule("DOSE-12", source="two levels, every sequence of cohorts by hand")
@pytest.mark.parametrize(("p", "q"), [(0.1, 0.3), (0.25, 0.25), (0.02, 0.6)])
def test_two_levels_against_an_enumeration_of_its_own(p, q):
    """The enumeration below knows nothing of the engine: it asks `decide` for the next cohort and multiplies probabilities."""
    rule = ThreePlusThree((1.0, 2.0), cap=Cap(None))
    share = dict.fromkeys((None, 1, 2), 0.0)

    def go(text: str, chance: float) -> None:
        decision = rule.decide(History.parse(text, levels=2))
        if decision.action == "STOP":
            share[decision.mtd] += chance
            return
        rate = (p, q)[decision.level - 1]
        for x in range(decision.n_to_enrol + 1):
            letters = "T" * x + "N" * (decision.n_to_enrol - x)
            go(f"{text} {decision.level}{letters}".strip(), chance * binomial(x, decision.n_to_enrol, rate))

    go("", 1.0)
    found = compile_design(rule).evaluate((p, q))
    assert found.sel == pytest.approx((share[None], share[1], share[2]), abs=1e-12)


@pytest.mark.rule("DOSE-12")
@pytest.mark.parametrize("last", [0, 1, 4])
@pytest.mark.parametrize("n_max", [12, 18, None])
def test_what_must_hold_for_every_rule(last, n_max):
    rule = TitratedThreePlusThree(LEVELS, titration=Titration(last), cap=Cap(n_max))
    found = compile_design(rule).evaluate((0.05, 0.1, 0.25, 0.4), (0.1, 0.1, 0.1, 0.1))
    assert sum(found.sel) == pytest.approx(1, abs=1e-12) == sum(found.n_dist.values())
    assert sum(found.status.values()) == pytest.approx(1, abs=1e-12)
    assert found.total_n == pytest.approx(sum(n * share for n, share in found.n_dist.items()), abs=1e-10)
    assert found.total_dlt == pytest.approx(sum(y * share for y, share in found.dlt_dist.items()), abs=1e-10)
    assert pytest.approx(np.array(found.EN) * (0.05, 0.1, 0.25, 0.4), abs=1e-10) == found.EY
    assert max(found.n_dist) <= (24 if n_max is None else n_max)
    assert (found.p_cap > 0) == (n_max is not None)


@pytest.mark.rule("DOSE-12", source="certain outcomes, by hand")
@pytest.mark.parametrize(
    ("last", "p", "q", "n", "mtd"),
    [
        (1, 0.0, 0.0, 13, 4),
        (4, 0.0, 0.0, 9, 4),
        (0, 0.0, 0.0, 15, 4),
        (4, 0.0, 1.0, 15, 4),
        (1, 0.0, 1.0, 15, 4),
        (1, 1.0, 0.0, 3, 0),
        (0, 1.0, 0.0, 3, 0),
    ],
)
def test_certain_outcomes(last, p, q, n, mtd):
    """Without events 1 + 3 + 3 + 6, 1 + 1 + 1 + 6 or 3 + 3 + 3 + 6; with DLT in everyone three at level 1."""
    rule = TitratedThreePlusThree(LEVELS, titration=Titration(last))
    found = compile_design(rule).evaluate((p,) * 4, (q,) * 4)
    assert found.sel[mtd] == pytest.approx(1) and found.n_dist[n] == pytest.approx(1)
    assert found.p_left_titration == pytest.approx(float(last > 0 and p + q > 0))


@pytest.mark.rule("DOSE-12")
@pytest.mark.parametrize("last", [1, 4])
def test_more_toxicity_selects_no_higher_dose(last):
    rule = TitratedThreePlusThree(LEVELS, titration=Titration(last))
    compiled = compile_design(rule)
    rates = np.array([0.02, 0.05, 0.1, 0.2])
    means = []
    for more in (0.0, 0.05, 0.15, 0.3):
        found = compiled.evaluate(rates + more)
        means.append(sum(level * share for level, share in enumerate(found.sel)))
    assert all(a > b for a, b in itertools.pairwise(means))


@pytest.mark.rule("DOSE-13")
@pytest.mark.parametrize("text", ["1N 2G 2NN 3NNT 3NNN 4NNN", "1N 2NNN", "1N 2NNT", "1G"])
def test_from_a_present_state_counts_stay(text):
    rule = TitratedThreePlusThree(LEVELS, titration=Titration(4))
    history = History.parse(text, levels=4)
    found = operating_characteristics(rule, {"x": {"p_dlt": (0.0,) * 4}}, start=history)["x"]
    for cohort, expected, dlt in zip(history.cohorts(), found.EN, found.EY, strict=True):
        assert expected >= cohort.n and dlt == pytest.approx(cohort.n_dlt)


@pytest.mark.rule("DOSE-15")
def test_designs_side_by_side_are_those_alone():
    designs = {
        "top6": ThreePlusThree(LEVELS),
        "top3": ThreePlusThree(LEVELS, mtd=MtdRule("deesc_min6_top3")),
        "esc": ThreePlusThree(LEVELS, mtd=MtdRule("esc_only")),
    }
    truth = {"p_dlt": (0.05, 0.1, 0.2, 0.35)}
    found = compare(designs, truth)
    for name, design in designs.items():
        assert found[name].sel == compile_design(design).evaluate(truth["p_dlt"]).sel
    assert found["top3"].total_n < found["top6"].total_n
    assert found["esc"].total_n < found["top3"].total_n


@pytest.mark.rule("DOSE-14")
@pytest.mark.parametrize(
    ("p", "q", "words"),
    [
        ((0.1,), None, "needs 4 values"),
        ((0.1, 0.1, 0.1, -0.1), None, r"levels \[4\]"),
        ((0.1, float("nan"), 0.1, 0.1), None, r"levels \[2\]"),
        ((0.9, 0.1, 0.1, 0.1), (0.2, 0.1, 0.1, 0.1), r"levels \[1\] do"),
    ],
)
def test_rates_that_are_refused(p, q, words):
    with pytest.raises(DesignError, match=words):
        compile_design(ThreePlusThree(LEVELS)).evaluate(p, q)


@pytest.mark.rule("DOSE-14")
def test_too_many_states_are_refused_and_a_simulation_needs_a_seed():
    with pytest.raises(DesignError, match="states"):
        compile_design(ThreePlusThree(LEVELS), max_states=5)
    scenario = {"x": {"p_dlt": (0.1,) * 4}}
    with pytest.raises(DesignError, match="seed"):
        operating_characteristics(ThreePlusThree(LEVELS), scenario, method="simulated", n=10)
    with pytest.raises(DesignError, match="needs p_dlt"):
        operating_characteristics(ThreePlusThree(LEVELS), {"x": {"p": (0.1,) * 4}})
    start = History.parse("1NNN", levels=4)
    with pytest.raises(DesignError, match="first participant"):
        operating_characteristics(
            ThreePlusThree(LEVELS), scenario, method="simulated", n=10, seed=1, start=start
        )


@pytest.mark.rule("DOSEQ-11")
@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=4))
def test_quantiles_of_the_logistic_model_rise(pairs):
    n = [size for size, _ in pairs]
    y = [min(size, events) for size, events in pairs]
    found = MODEL.quantiles_of(n, y, (0.025, 0.25, 0.5, 0.75, 0.975))
    assert found.shape == (4, 5)
    assert (np.diff(found, axis=1) > 0).all() and (np.diff(found, axis=0) > 0).all()
    assert (found > 0).all() and (found < 1).all()


@pytest.mark.rule(
    "DOSEQ-11", source="normal prior at the reference dose: logit of the rate is normal(-1.0986, 4)"
)
def test_prior_quantiles_at_the_reference_dose():
    """At dose = dref the logit of the rate is log alpha, so its prior quantiles are those of a normal distribution."""
    from statistics import NormalDist

    probs = (0.05, 0.25, 0.5, 0.75, 0.95)
    found = MODEL.quantiles_of((0,) * 4, (0,) * 4, probs)[2]
    law = NormalDist(-1.0986, 2.0)
    expected = [1 / (1 + np.exp(-law.inv_cdf(p))) for p in probs]
    assert found == pytest.approx(expected, abs=5e-3)
