"""Boundaries of the interval designs from their definitions: ratios of likelihoods, masses by summation, fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import pytest

from interim.design import Boin, Elimination, History, I3Plus3, Keyboard, Mtpi, Mtpi2
from interim.design.interval import boundaries

LEVELS = (1.5e7, 3e7, 5e7, 7e7)
SIZES = (1, 2, 3, 4, 6, 9, 12)


def below(x, n, y):
    """P(rate <= x) under Beta(1 + y, 1 + n - y), exactly: the chance of more than y events in n + 1 draws."""
    x = Fraction(x)
    return sum(math.comb(n + 1, k) * x**k * (1 - x) ** (n + 1 - k) for k in range(y + 1, n + 2))


def mass(low, high, n, y):
    return (below(high, n, y) - below(low, n, y)) / (high - low)


def tenths(value):
    return Fraction(round(value * 1000), 1000)


@pytest.mark.rule("DOSE-17")
@pytest.mark.parametrize(
    ("target", "low", "high"),
    [(0.2, 0.6, 1.4), (0.25, 0.6, 1.4), (0.3, 0.6, 1.4), (0.3, 0.5, 1.5), (0.33, 0.6, 1.4), (0.4, 0.7, 1.2)],
)
def test_boin_limits_are_the_equal_likelihood_points(target, low, high):
    """At the limit the likelihoods of the target and of the other rate are equal."""
    design = Boin(LEVELS, target, low=low, high=high)
    for rate, other in ((design.lambda_e, low * target), (design.lambda_d, high * target)):
        at_target, at_other = (rate * math.log(f) + (1 - rate) * math.log(1 - f) for f in (target, other))
        assert at_target == pytest.approx(at_other, abs=1e-12)
        assert min(target, other) < rate < max(target, other)


@pytest.mark.rule("DOSE-17")
@pytest.mark.parametrize(("target", "n"), list(product((0.2, 0.25, 0.3), SIZES)))
def test_boin_moves_to_the_likeliest_of_three_rates(target, n):
    design = Boin(LEVELS, target)
    for y in range(n + 1):
        like = {
            letter: math.comb(n, y) * f**y * (1 - f) ** (n - y)
            for letter, f in (("E", 0.6 * target), ("S", target), ("D", 1.4 * target))
        }
        assert design.move(n, y) == max(like, key=like.__getitem__), (n, y)


@pytest.mark.rule("DOSE-17")
@pytest.mark.parametrize(("target", "cut", "least"), list(product((0.2, 0.25, 0.3), (0.9, 0.95), (1, 3))))
def test_elimination_by_exact_tails(target, cut, least):
    found = boundaries(Boin(LEVELS, target, safety=Elimination(cut, least)), range(1, 13))["eliminate_ge"]
    for n, limit in enumerate(found, 1):
        toxic = [y for y in range(n + 1) if 1 - below(tenths(target), n, y) > tenths(cut) and n >= least]
        assert limit == (toxic[0] if toxic else None), n


TILED = [
    # design, target, margins
    (Mtpi, 0.3, (0.05, 0.05)),
    (Mtpi, 0.25, (0.1, 0.05)),
    (Mtpi2, 0.3, (0.05, 0.05)),
    (Mtpi2, 0.25, (0.05, 0.05)),
    (Mtpi2, 0.3, (0.06, 0.07)),
    (Keyboard, 0.3, (0.05, 0.05)),
    (Keyboard, 0.25, (0.05, 0.1)),
    (Keyboard, 0.2, (0.03, 0.03)),
]


def tiles(kind, low, high):
    """Intervals of a design, from low to high."""
    if kind is Mtpi:
        return [(Fraction(0), low), (low, high), (high, Fraction(1))]
    width, found = high - low, [(low, high)]
    while found[0][0] > 0:
        found.insert(0, (found[0][0] - width, found[0][0]))
    while found[-1][1] < 1:
        found.append((found[-1][1], found[-1][1] + width))
    if kind is Keyboard:
        return [(a, b) for a, b in found if a >= 0 and b <= 1]
    return [(max(a, Fraction(0)), min(b, Fraction(1))) for a, b in found]


@pytest.mark.rule("DOSE-17")
@pytest.mark.parametrize(("kind", "target", "margin"), TILED)
def test_the_move_goes_to_the_interval_with_the_largest_exact_unit_mass(kind, target, margin):
    low, high = tenths(target) - tenths(margin[0]), tenths(target) + tenths(margin[1])
    design = kind(LEVELS, target, margin=margin)
    for n in SIZES:
        for y in range(n + 1):
            masses = [(mass(a, b, n, y), b <= low, a >= high) for a, b in tiles(kind, low, high)]
            _, under, over = max(masses, key=lambda item: item[0])
            assert design.move(n, y) == ("E" if under else "D" if over else "S"), (n, y)


@pytest.mark.rule("DOSE-17")
@pytest.mark.parametrize("target", [0.2, 0.25, 0.3])
def test_i3_plus_3_by_its_definition(target):
    low, high = tenths(target) - Fraction(1, 20), tenths(target) + Fraction(1, 20)
    design = I3Plus3(LEVELS, target)
    for n in range(1, 25):
        for y in range(n + 1):
            rate, one_less = Fraction(y, n), Fraction(y - 1, n)
            expected = "E" if rate < low else "S" if rate <= high or one_less < low else "D"
            assert design.move(n, y) == expected, (n, y)


DESIGNS = [
    Boin(LEVELS, 0.3),
    Mtpi(LEVELS, 0.3),
    Mtpi2(LEVELS, 0.3),
    Keyboard(LEVELS, 0.3),
    I3Plus3(LEVELS, 0.3),
]


@pytest.mark.rule("DOSE-17")
@pytest.mark.parametrize("design", DESIGNS, ids=lambda d: type(d).__name__)
def test_more_dlt_never_lead_higher_and_boundaries_are_those_of_the_moves(design):
    order = {"E": 1, "S": 0, "D": -1, "DU": -2}
    found = boundaries(design, range(1, 19))
    for n, letters in enumerate(design.table(18), 1):
        steps = [order[letter] for letter in letters]
        assert steps == sorted(steps, reverse=True), n
        moves = [design.move(n, y) for y in range(n + 1)]
        up, down = found["escalate_le"][n - 1], found["deescalate_ge"][n - 1]
        assert moves.count("E") == (0 if up is None else up + 1)
        assert moves.count("D") == (0 if down is None else n + 1 - down)


@pytest.mark.rule("DOSE-17")
@pytest.mark.parametrize("design", DESIGNS, ids=lambda d: type(d).__name__)
@pytest.mark.parametrize(("level", "y"), list(product(range(1, 5), range(4))))
def test_the_decision_on_a_history_is_one_step_of_the_table(design, level, y):
    decision = design.decide(History.parse(f"{level}{'N' * (3 - y)}{'T' * y}", levels=4, recorded=True))
    letter = design.table(3)[2][y]
    step = {"E": 1, "S": 0, "D": -1, "DU": -1}[letter]
    wanted = min(max(level + step, 1), 4)
    if letter == "DU" and level == 1:
        assert (decision.action, decision.rule_id, decision.mtd) == ("STOP", "Z", None)
        return
    assert (decision.action, decision.level, decision.n_to_enrol) == ("ENROL", wanted, 3)
    rule = "DU" if letter == "DU" else {-1: "D", 0: "S", 1: "E"}[wanted - level]
    assert decision.rule_id == rule
    assert decision.excluded_from == (level if letter == "DU" else None)
