"""Exact characteristics against every sequence of single outcomes, followed by rules that are written again here."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from interim.design import (
    Boin,
    Cap,
    Crm,
    History,
    I3Plus3,
    MtdRule,
    Mtpi,
    ThreePlusThree,
    TitratedThreePlusThree,
    Titration,
    compile_design,
)
from interim.design.simulate import simulate

LEVELS = (1.5e7, 3e7, 5e7)
RATES = [
    # true DLT rates of as many levels
    (0.1,),
    (0.5,),
    (0.05, 0.3),
    (0.4, 0.6),
    (0.0, 1.0),
    (0.02, 0.2, 0.5),
    (0.3, 0.3, 0.3),
]


def binomial(k, size, p):
    return math.comb(size, k) * p**k * (1 - p) ** (size - k)


def three_plus_three(p, expand_top):
    """Plain 3+3 with six at the MTD: (MTD, participants per level) with probabilities."""
    ends = defaultdict(float)

    def treat(n, y, level, weight):
        for k in range(4):
            more = binomial(k, 3, p[level])
            if more:
                follow(add(n, level, 3), add(y, level, k), level, weight * more)

    def follow(n, y, level, weight):
        if y[level] > 1:
            if level == 0:
                ends[0, n] += weight
            elif n[level - 1] >= 6:
                ends[level, n] += weight
            else:
                treat(n, y, level - 1, weight)
        elif n[level] == 3 and y[level] == 1:
            treat(n, y, level, weight)
        elif level + 1 < len(p) and n[level + 1] == 0:
            treat(n, y, level + 1, weight)
        elif n[level] >= 6 or (level + 1 == len(p) and not expand_top):
            ends[level + 1, n] += weight
        else:
            treat(n, y, level, weight)

    zero = (0,) * len(p)
    treat(zero, zero, 0, 1.0)
    return ends


def add(counts, place, more):
    return (*counts[:place], counts[place] + more, *counts[place + 1 :])


@pytest.mark.rule("DOSE-12", source="independent enumeration")
@pytest.mark.parametrize("expand_top", [True, False])
@pytest.mark.parametrize("p", RATES)
def test_plain_rule(p, expand_top):
    name = "deesc_min6_top6" if expand_top else "deesc_min6_top3"
    found = compile_design(ThreePlusThree(LEVELS[: len(p)], mtd=MtdRule(name), cap=Cap(None))).evaluate(p)
    ends = three_plus_three(p, expand_top)
    assert sum(ends.values()) == pytest.approx(1)
    for level in range(len(p) + 1):
        assert found.sel[level] == pytest.approx(
            sum(w for (mtd, _), w in ends.items() if mtd == level), abs=1e-12
        )
    for place in range(len(p)):
        expected = sum(n[place] * weight for (_, n), weight in ends.items())
        assert found.EN[place] == pytest.approx(expected, abs=1e-12)
        assert found.EY[place] == pytest.approx(expected * p[place], abs=1e-12)
    for size, share in found.n_dist.items():
        assert share == pytest.approx(sum(w for (_, n), w in ends.items() if sum(n) == size), abs=1e-12)


def walk(design, history, p, weight=1.0):
    """Follow the decisions on whole histories, one cohort after another; yield the ends."""
    decision = design.decide(history)
    if decision.action == "STOP":
        yield decision.mtd or 0, history.cohorts(), weight
        return
    chance = p[decision.level - 1]
    for k in range(decision.n_to_enrol + 1):
        more = binomial(k, decision.n_to_enrol, chance)
        token = f"{decision.level}{'T' * k}{'N' * (decision.n_to_enrol - k)}"
        if more:
            following = History.parse(f"{history.text()} {token}", levels=history.levels)
            yield from walk(design, following, p, weight * more)


COHORTS = [
    # design with fixed cohorts of two or three levels
    Boin(LEVELS[:2], 0.3, n_max=9),
    Boin(LEVELS, 0.25, n_max=9, start_level=2),
    Boin(LEVELS[:2], 0.3, n_max=8, cohort_size=2, stop_at=4),
    Boin(LEVELS, 0.3, n_max=8, cohort_size=2, bound_mtd=True),
    Mtpi(LEVELS[:2], 0.3, n_max=9),
    I3Plus3(LEVELS[:2], 0.25, n_max=8, cohort_size=2),
    Crm((0.15, 0.3), 0.25, n_max=6, cohort_size=2),
    Crm((0.1, 0.25, 0.4), 0.25, n_max=6),
]


@pytest.mark.rule("DOSE-15", source="independent enumeration")
@pytest.mark.parametrize("design", COHORTS, ids=lambda d: f"{type(d).__name__}-{len(d.levels)}-{d.n_max}")
@pytest.mark.parametrize("shift", [0.0, 0.15])
def test_fixed_cohorts(design, shift):
    top = len(design.levels)
    p = [0.1 + shift + 0.2 * place for place in range(top)]
    ends = list(walk(design, History.parse("", levels=top), p))
    found = compile_design(design).evaluate(p)
    assert sum(weight for *_, weight in ends) == pytest.approx(1)
    for level in range(top + 1):
        assert found.sel[level] == pytest.approx(sum(w for mtd, _, w in ends if mtd == level), abs=1e-10)
    for place in range(top):
        assert found.EN[place] == pytest.approx(sum(c[place].n * w for _, c, w in ends), abs=1e-10)
        assert found.EY[place] == pytest.approx(sum(c[place].n_dlt * w for _, c, w in ends), abs=1e-10)


OPEN = [
    # design, open history, closings with their probabilities at p = (.1, .3, .5) and triggers (.2, .2, .2)
    ("titration", "1P", {"1N": 0.7, "1G": 0.2, "1T": 0.1}),
    ("titration", "1N 2P", {"1N 2N": 0.5, "1N 2G": 0.2, "1N 2T": 0.3}),
    ("titration", "1G 1NP", {"1G 1NN": 0.9, "1G 1NT": 0.1}),
    ("first only", "1P", {"1N": 0.7, "1G": 0.2, "1T": 0.1}),
    ("first only", "1N 2NP", {"1N 2NN": 0.7, "1N 2NT": 0.3}),
    ("first only", "1N 2PP", {"1N 2NN": 0.49, "1N 2NT": 0.42, "1N 2TT": 0.09}),
    ("plain", "1NNN 2PTP", {"1NNN 2NTN": 0.49, "1NNN 2NTT": 0.42, "1NNN 2TTT": 0.09}),
    ("boin", "1PPP", {"1NNN": 0.729, "1NNT": 0.243, "1NTT": 0.027, "1TTT": 0.001}),
    ("boin", "1NNN 2NP", {"1NNN 2NN": 0.7, "1NNN 2NT": 0.3}),
    ("boin", "1PPPP", {"1NNNN": 0.6561, "1NNNT": 0.2916, "1NNTT": 0.0486, "1NTTT": 0.0036, "1TTTT": 0.0001}),
    ("crm", "1NNN 2NNP", {"1NNN 2NNN": 0.7, "1NNN 2NNT": 0.3}),
    ("crm", "1NP", {"1NN": 0.9, "1NT": 0.1}),
]  # fmt: skip
STARTED = {
    "titration": TitratedThreePlusThree(LEVELS, titration=Titration(3), cap=Cap(None)),
    "first only": TitratedThreePlusThree(LEVELS, cap=Cap(None)),
    "plain": ThreePlusThree(LEVELS, cap=Cap(12)),
    "boin": Boin(LEVELS, 0.3, n_max=9),
    "crm": Crm((0.1, 0.25, 0.4), 0.25, n_max=9),
}


@pytest.mark.rule("DOSE-13", source="mixture over the open outcomes, by hand")
@pytest.mark.parametrize(("name", "text", "closed"), OPEN)
def test_an_open_history_is_the_mixture_of_its_closings(name, text, closed):
    assert sum(closed.values()) == pytest.approx(1)
    design, p = STARTED[name], (0.1, 0.3, 0.5)
    q = (0.2, 0.2, 0.2) if name in ("titration", "first only") else None

    def selected(history):
        found = compile_design(design, start=History.parse(history, levels=3)).evaluate(p, q)
        return np.array([*found.sel, *found.EN])

    expected = sum(weight * selected(end) for end, weight in closed.items())
    assert selected(text) == pytest.approx(expected, abs=1e-10)


@pytest.mark.rule("DOSE-13")
@pytest.mark.parametrize("name", list(STARTED))
def test_the_first_open_cohort_is_the_start(name):
    design = STARTED[name]
    first = "1P" if name in ("titration", "first only") else "1PPP"
    q = (0.2, 0.1, 0.05) if first == "1P" else None
    fresh, opened = (
        compile_design(design, start=start).evaluate((0.1, 0.3, 0.5), q)
        for start in (None, History.parse(first, levels=3))
    )
    assert opened.sel == pytest.approx(fresh.sel, abs=1e-12)
    assert pytest.approx(fresh.EN, abs=1e-12) == opened.EN
    assert opened.status == pytest.approx(fresh.status, abs=1e-12)


@pytest.mark.rule("DOSE-13")
def test_several_titration_participants_in_follow_up_are_completed_in_order():
    design = STARTED["titration"]
    p, q = (0.1, 0.3, 0.5), (0.2, 0.2, 0.2)
    closings = {"1N 2N": 0.7 * 0.5, "1N 2G": 0.7 * 0.2, "1N 2T": 0.7 * 0.3}
    # After a trigger or DLT at level 1 the participant at level 2 is one of a cohort.
    closings |= {f"1{first} 2{second}": share * chance for first, share in (("G", 0.2), ("T", 0.1)) for second, chance in (("N", 0.7), ("T", 0.3))}  # fmt: skip
    found = compile_design(design, start=History.parse("1P 2P", levels=3, recorded=True)).evaluate(p, q)
    parts = {
        end: compile_design(design, start=History.parse(end, levels=3)).evaluate(p, q) for end in closings
    }
    assert sum(closings.values()) == pytest.approx(1)
    for level in range(4):
        assert found.sel[level] == pytest.approx(
            sum(w * parts[end].sel[level] for end, w in closings.items()), abs=1e-12
        )


SIMULATED = [*STARTED.values(), Boin(LEVELS, 0.25, n_max=9, start_level=2), ThreePlusThree(LEVELS, mtd=MtdRule("esc_only"))]  # fmt: skip


@pytest.mark.rule("DOSE-16")
@pytest.mark.parametrize("design", SIMULATED, ids=lambda d: type(d).__name__)
def test_simulated_trials_lie_within_four_standard_errors_of_the_exact_numbers(design):
    p, q = (0.1, 0.25, 0.5), (0.2, 0.1, 0.05) if isinstance(design, TitratedThreePlusThree) else None
    exact, runs = compile_design(design).evaluate(p, q), simulate(design, p, q, n=1500, seed=20250106)
    for name in ("sel", "EN", "EY"):
        pairs = zip(getattr(runs, name), getattr(exact, name), runs.mcse[name], strict=True)
        assert all(abs(a - b) <= 4 * error + 1e-9 for a, b, error in pairs), name
    assert sum(runs.sel) == pytest.approx(1) and runs.trials == 1500
    assert sum(size * share for size, share in runs.n_dist.items()) == pytest.approx(runs.total_n)


@pytest.mark.rule("DOSE-12")
@pytest.mark.parametrize("design", list(STARTED.values()), ids=list(STARTED))
def test_parts_of_the_characteristics_agree(design):
    found = compile_design(design).evaluate((0.05, 0.2, 0.45), tox_limit=0.3)
    assert sum(found.sel) == pytest.approx(1) and sum(found.status.values()) == pytest.approx(1)
    assert sum(found.n_dist.values()) == pytest.approx(1) and sum(found.dlt_dist.values()) == pytest.approx(1)
    assert sum(n * share for n, share in found.n_dist.items()) == pytest.approx(found.total_n)
    assert sum(y * share for y, share in found.dlt_dist.items()) == pytest.approx(found.total_dlt)
    assert (found.p_over, found.n_over) == pytest.approx((found.sel[3], found.EN[2]))
    assert found.n_above(0) == pytest.approx(1) and found.n_above(max(found.n_dist)) == 0


@pytest.mark.rule("DOSE-12")
@pytest.mark.parametrize("level", [1, 2, 3])
def test_more_toxicity_at_one_level_selects_it_less_often(level):
    design = STARTED["plain"]
    shares = []
    for rate in np.linspace(0, 1, 6):
        p = [0.05, 0.15, 0.25]
        p[level - 1] = float(rate)
        shares.append(sum(compile_design(design).evaluate(p).sel[level:]))
    assert shares == sorted(shares, reverse=True)


@pytest.mark.rule("DOSE-12")
@pytest.mark.parametrize("limit", [Fraction(1, 6), Fraction(1, 4), Fraction(1, 3)])
def test_the_limit_of_overruns_changes_nothing_without_overruns(limit):
    rule = STARTED["plain"]
    other = replace(rule, conduct=replace(rule.conduct, overrun_max_rate=limit))
    p = (0.1, 0.3, 0.5)
    assert compile_design(other).evaluate(p).sel == compile_design(rule).evaluate(p).sel
