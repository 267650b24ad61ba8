"""Two rates and tables."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.stats import (
    chance_of_gap,
    chi_square,
    conditional_odds_ratio,
    difference_interval,
    fisher_test,
    freeman_halton,
    ratio_interval,
    smallest_p,
    unconditional_test,
)

pairs = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda n: st.tuples(st.tuples(st.integers(0, n[0]), st.integers(0, n[1])), st.just(n))
)


def hypergeometric(n1: int, n0: int, total: int) -> dict[int, Fraction]:
    whole = math.comb(n1 + n0, total)
    return {
        k: Fraction(math.comb(n1, k) * math.comb(n0, total - k), whole)
        for k in range(max(0, total - n0), min(n1, total) + 1)
    }


@pytest.mark.rule("STAT-11")
@settings(max_examples=50, deadline=None)
@given(pairs)
def test_fisher_in_rational_arithmetic(pair):
    x, n = pair
    masses = hypergeometric(*n, sum(x))
    own = masses[x[0]]
    less = sum(p for k, p in masses.items() if k <= x[0])
    greater = sum(p for k, p in masses.items() if k >= x[0])
    found = fisher_test(x, n)
    assert found.p_value == pytest.approx(float(sum(p for p in masses.values() if p <= own)), rel=1e-9)
    assert (found.p_less, found.p_greater) == pytest.approx((float(less), float(greater)), rel=1e-9)
    assert found.p_value >= found.p_min - 1e-12
    assert fisher_test(x, n, two_sided="central").p_value == pytest.approx(
        min(1.0, 2 * float(min(less, greater))), rel=1e-9
    )
    assert (
        fisher_test(x, n, two_sided="blaker").p_value
        <= fisher_test(x, n, two_sided="central").p_value + 1e-12
    )
    assert fisher_test(x, n, midp=True).p_value <= found.p_value
    assert fisher_test(x[::-1], n[::-1]).p_value == pytest.approx(found.p_value, rel=1e-12)


@pytest.mark.rule("STAT-11")
def test_conditional_odds_ratio_by_hand():
    # 1/1 v 0/1: one event, the tables are (1, 0) and (0, 1) with probabilities o/(1+o) and 1/(1+o).
    found = conditional_odds_ratio((1, 0), (1, 1))
    assert (found.estimate, found.status) == (math.inf, "INF")
    assert found.interval.lower == pytest.approx(0.025 / 0.975, rel=1e-9)
    assert (found.interval.upper, found.interval.reason) == (math.inf, "CI_UNBOUNDED")
    assert conditional_odds_ratio((0, 1), (1, 1)).estimate == 0.0
    assert conditional_odds_ratio((1, 0), (1, 1), midp=True).interval.lower == pytest.approx(
        0.05 / 0.95, rel=1e-9
    )
    for x, code in (((0, 0), "NO_EVENTS"), ((2, 3), "ALL_EVENTS")):
        none = conditional_odds_ratio(x, (2, 3))
        assert (none.status, none.reason, none.interval.reason) == ("NE", code, code) and math.isnan(
            none.estimate
        )
        assert (fisher_test(x, (2, 3)).status, fisher_test(x, (2, 3)).p_value) == ("FLAG", 1.0)
    inner = conditional_odds_ratio((5, 1), (9, 9))
    assert inner.interval.lower < inner.estimate < inner.interval.upper


@pytest.mark.rule("STAT-12")
@pytest.mark.parametrize("ordering", ["z_pooled", "z_unpooled", "boschloo"])
def test_unconditional_test_against_a_fine_grid(ordering):
    x, n = (7, 2), (12, 14)
    rates = np.linspace(0, 1, 20001)

    def masses(size):
        return np.array(
            [
                [math.comb(size, k) * p**k * (1 - p) ** (size - k) for k in range(size + 1)]
                for p in rates[::20]
            ]
        )

    def extremeness(a, b):
        if ordering == "boschloo":
            return -math.log(fisher_test((a, b), n).p_value)
        p1, p0, p = a / n[0], b / n[1], (a + b) / sum(n)
        v = (
            p * (1 - p) * (1 / n[0] + 1 / n[1])
            if ordering == "z_pooled"
            else p1 * (1 - p1) / n[0] + p0 * (1 - p0) / n[1]
        )
        return 0.0 if p1 == p0 else abs(p1 - p0) / math.sqrt(v) if v > 0 else 1e12

    values = np.array([[extremeness(a, b) for b in range(n[1] + 1)] for a in range(n[0] + 1)])
    extreme = values >= values[x] - 1e-9
    grid = np.einsum("ra,ab,rb->r", masses(n[0]), extreme.astype(float), masses(n[1])).max()
    found = unconditional_test(x, n, ordering=ordering)
    assert grid - 1e-12 <= found.p_value <= grid + 1e-4
    assert found.p_min <= found.p_value <= 1.0
    assert unconditional_test((3, 3), (6, 6), ordering=ordering).p_value == pytest.approx(1.0)


@pytest.mark.rule("STAT-13")
@settings(max_examples=40, deadline=None)
@given(pairs, st.sampled_from(["miettinen_nurminen", "mee", "newcombe"]))
def test_differences_hold_the_estimate_and_mirror(pair, method):
    x, n = pair
    found, turned = (
        difference_interval(x, n, method=method),
        difference_interval(x[::-1], n[::-1], method=method),
    )
    assert -1 <= found.lower <= x[0] / n[0] - x[1] / n[1] <= found.upper <= 1
    assert (found.lower, found.upper) == pytest.approx((-turned.upper, -turned.lower), abs=1e-8)


@pytest.mark.rule("STAT-13")
def test_nothing_against_nothing_is_finite_and_two_sided():
    for method in ("miettinen_nurminen", "mee", "newcombe", "exact_score"):
        found = difference_interval((0, 0), (4, 8), method=method)
        assert -1 < found.lower < 0 < found.upper < 1
    for scale in ("risk", "odds"):
        ratio = ratio_interval((0, 0), (4, 8), scale=scale)
        assert (ratio.lower, ratio.upper, ratio.status, ratio.reason) == (0.0, math.inf, "NE", "NO_EVENTS")
    assert ratio_interval((4, 8), (4, 8), scale="odds").reason == "ALL_EVENTS"
    assert ratio_interval((4, 8), (4, 8)).status == "OK"
    assert difference_interval((2, 0), (2, 1), method="exact_score").upper == 1.0


@pytest.mark.rule("STAT-13")
@settings(max_examples=30, deadline=None)
@given(pairs, st.sampled_from(["risk", "odds"]))
def test_ratio_limits_are_roots_and_swap(pair, scale):
    x, n = pair
    found, turned = ratio_interval(x, n, scale=scale), ratio_interval(x[::-1], n[::-1], scale=scale)
    assert found.status == turned.status or "INF" in (found.status, turned.status)
    for value, other in ((found.lower, turned.upper), (found.upper, turned.lower)):
        assert (
            (value == 0 and other == math.inf)
            or (other == 0 and value == math.inf)
            or value == pytest.approx(1 / other, rel=1e-6)
        )
    if x[0] > 0 and x[1] > 0:
        assert found.lower <= x[0] * n[1] / (n[0] * x[1]) * (1 + 1e-9) or scale == "odds"


@pytest.mark.rule("STAT-14")
def test_freeman_halton_counts_every_table():
    table = np.array([[2, 0, 1], [0, 3, 1]])
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    found = {}
    for first in product(*(range(c + 1) for c in columns)):
        if sum(first) == rows[0]:
            found[first] = math.prod(math.comb(int(c), f) for c, f in zip(columns, first, strict=True))
    own = found[tuple(table[0])]
    expected = Fraction(sum(v for v in found.values() if v <= own), sum(found.values()))
    test = freeman_halton(table)
    assert test.p_value == pytest.approx(float(expected), rel=1e-12) and test.n_arrangements == len(found)
    assert freeman_halton(table.T).p_value == pytest.approx(test.p_value, rel=1e-12)
    assert freeman_halton(np.column_stack([table, [0, 0]])).p_value == pytest.approx(test.p_value, rel=1e-12)
    assert smallest_p(int(rows[0]), columns) == pytest.approx(test.p_min, rel=1e-9)


@pytest.mark.rule("STAT-14")
def test_chi_square_is_a_companion():
    # 2 x 2 with margins 10: (6 - 5)^2 / 5 in every cell
    big = chi_square([[6, 4], [4, 6]])
    assert big.statistic == pytest.approx(0.8) and big.status == "OK"
    assert chi_square([[6, 4], [4, 6]], correction=True).statistic == pytest.approx(4 * 0.25 / 5)
    assert (chi_square([[3, 0], [1, 4]]).status, chi_square([[3, 0], [1, 4]]).reason) == (
        "FLAG",
        "EXPECTED_LT_5",
    )
    for none in (chi_square([[3, 0], [4, 0]]), freeman_halton([[3, 0], [4, 0]])):
        assert (none.status, none.reason) == ("NE", "ONE_LEVEL") and math.isnan(none.p_value)
    with pytest.raises(ValueError, match="correction"):
        chi_square([[1, 2, 3], [1, 2, 3]], correction=True)


@pytest.mark.rule("STAT-15")
def test_chance_of_a_gap_by_hand():
    # 2 events among 4 in two halves: 0/2 v 2/2 or 2/2 v 0/2 in 2 of 6 assignments
    assert chance_of_gap(2, (2, 2), gap=0.5) == pytest.approx(1 / 3)
    assert chance_of_gap(2, (2, 2), gap=0.0) == pytest.approx(1.0)
    assert smallest_p(2, [2, 2]) == pytest.approx(1 / 3)
    assert smallest_p(0, [2, 2]) == 1.0


@pytest.mark.rule("STAT-32")
@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: fisher_test((1, 2), (1,)), "two groups"),
        (lambda: fisher_test((3, 1), (2, 2)), r"x\[0\] is 3"),
        (lambda: fisher_test((1, 1), (2, 2), two_sided="both"), "two_sided"),
        (lambda: conditional_odds_ratio((1, 1), (2, 0)), r"n\[1\]"),
        (lambda: unconditional_test((1, 1), (2, 2), ordering="chi"), "ordering"),
        (lambda: difference_interval((1, 1), (2, 2), method="wald"), "method"),
        (lambda: difference_interval((1, 1), (2, 2), level=95), "level"),
        (lambda: ratio_interval((1, 1), (2, 2), scale="log"), "scale"),
        (lambda: freeman_halton([1, 2]), "rows and columns"),
        (lambda: freeman_halton([[1, -2], [1, 1]]), r"table\[1\]"),
        (lambda: smallest_p(9, [2, 2]), "x_total"),
        (lambda: chance_of_gap(9, (2, 2), gap=0.3), "x_total"),
        (lambda: chance_of_gap(1, (2, 2), gap=1.3), "gap"),
    ],
)
def test_illegal_tables_are_refused(call, word):
    with pytest.raises(ValueError, match=word):
        call()
