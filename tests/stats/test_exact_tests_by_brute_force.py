"""Exact tests against counts of every arrangement: ranks, trends, tables, cut-points; and pooling, rules and laws by hand."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, permutations, product

import numpy as np
import pytest
from scipy.integrate import quad

from interim.stats.cutpoint import maximally_selected
from interim.stats.isotonic import isotonic_fit
from interim.stats.permutation import PermutationPlan
from interim.stats.poisson import poisson_interval
from interim.stats.posterior import beta_mass, beta_tail
from interim.stats.quadrature import gauss_legendre, gauss_legendre_pieces
from interim.stats.ranks import (
    hodges_lehmann,
    kendall,
    kruskal_wallis,
    pearson,
    spearman,
    wilcoxon,
    wilcoxon_asymptotic,
)
from interim.stats.tables import chi_square, freeman_halton
from interim.stats.trend import cochran_armitage, jonckheere, mid_p

TWO_SAMPLES = [
    ((1, 2), (0, 1)),
    ((1, 1), (0, 1)),
    ((1, 2, 3), (0, 0, 1)),
    ((1, 2, 2), (0, 0, 1)),
    ((1, 2, 3), (1, 0, 1)),
    ((1, 2, 3, 4), (0, 0, 1, 1)),
    ((1, 2, 3, 4), (0, 1, 1, 0)),
    ((1, 2, 2, 4), (1, 1, 0, 0)),
    ((1, 2, 2, 4), (0, 1, 0, 1)),
    ((5, 5, 5, 9), (1, 0, 0, 1)),
    ((1, 2, 3, 4, 5), (0, 0, 0, 1, 1)),
    ((1, 2, 3, 4, 5), (0, 1, 0, 1, 0)),
    ((1, 1, 3, 3, 5), (0, 1, 0, 1, 0)),
    ((1, 1, 3, 3, 5), (1, 0, 0, 0, 0)),
    ((9, 7, 5, 3, 1), (1, 1, 0, 0, 0)),
    ((1, 2, 3, 4, 5, 6), (0, 0, 0, 1, 1, 1)),
    ((1, 2, 3, 4, 5, 6), (0, 1, 1, 0, 0, 1)),
    ((2, 2, 2, 3, 3, 8), (0, 1, 0, 1, 1, 0)),
    ((2, 2, 2, 3, 3, 8), (1, 1, 1, 0, 0, 0)),
    ((-4, -1, 0, 0, 2, 7), (1, 1, 0, 0, 1, 0)),
    ((1, 2, 3, 4, 5, 6, 7), (0, 0, 0, 0, 1, 1, 1)),
    ((1, 2, 3, 4, 5, 6, 7), (1, 0, 1, 0, 1, 0, 1)),
    ((4, 4, 1, 1, 9, 9, 6), (1, 0, 1, 0, 1, 0, 1)),
    ((1, 2, 3, 4, 5, 6, 7, 8), (0, 0, 1, 0, 1, 0, 1, 1)),
    ((3, 3, 3, 3, 6, 6, 6, 6), (0, 0, 0, 1, 1, 1, 1, 0)),
]


def midranks(y):
    return [Fraction(2 * sum(v < u for v in y) + sum(v == u for v in y) + 1, 2) for u in y]


def share(flags):
    kept = list(flags)
    return Fraction(sum(kept), len(kept))


@pytest.mark.parametrize(("y", "group"), TWO_SAMPLES)
def test_rank_sums_over_all_choices_of_the_second_group(y, group):
    ranks, size = midranks(y), sum(group)
    mean = Fraction(size * (len(y) + 1), 2)
    all_sums = [sum(chosen) - mean for chosen in combinations(ranks, size)]
    mine = sum(r for r, g in zip(ranks, group, strict=True) if g) - mean
    found = wilcoxon(y, group)
    assert found.statistic == pytest.approx(float(mine), abs=1e-12)
    if len(set(y)) == 1:
        return
    assert found.p_value == pytest.approx(float(share(abs(s) >= abs(mine) for s in all_sums)))
    assert found.p_less == pytest.approx(float(share(s <= mine for s in all_sums)))
    assert found.p_greater == pytest.approx(float(share(s >= mine for s in all_sums)))


@pytest.mark.parametrize(("y", "group"), [row for row in TWO_SAMPLES if len(set(row[0])) > 1])
@pytest.mark.parametrize("correction", [True, False])
def test_the_normal_rank_test_has_the_variance_of_all_choices(y, group, correction):
    ranks, size = midranks(y), group.count(0)
    counts = [sum(chosen) - Fraction(size * (size + 1), 2) for chosen in combinations(ranks, size)]
    mean = sum(counts) / len(counts)
    variance = sum((c - mean) ** 2 for c in counts) / len(counts)
    mine = sum(r for r, g in zip(ranks, group, strict=True) if not g) - Fraction(size * (size + 1), 2)
    gap = abs(mine - mean)
    z = max(gap - (Fraction(1, 2) if correction else 0), 0) / math.sqrt(variance)
    found = wilcoxon_asymptotic(y, group, correction=correction)
    assert found.statistic == float(mine)
    assert found.p_value == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-10)


@pytest.mark.parametrize(("y", "group"), [row for row in TWO_SAMPLES if len(set(row[0])) > 1])
def test_kruskal_wallis_of_two_groups_is_the_square_of_the_rank_test(y, group):
    found = kruskal_wallis(y, group)
    assert found.p_value == pytest.approx(wilcoxon_asymptotic(y, group, correction=False).p_value, rel=1e-9)


@pytest.mark.parametrize(("y", "group"), TWO_SAMPLES)
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_shifts_are_ordered_differences_with_a_counted_tail(y, group, level):
    first, second = ([v for v, g in zip(y, group, strict=True) if g == code] for code in (0, 1))
    gaps, n = sorted(b - a for a in first for b in second), len(y)
    found = hodges_lehmann(y, group, level=level)
    assert found.estimate == pytest.approx(float(np.median(gaps)))
    wins = [
        sum(i < j for j in chosen for i in range(n) if i not in chosen)
        for chosen in combinations(range(n), len(second))
    ]
    tail = (1 - level) / 2 + 1e-12
    cuts = [c for c in range(len(gaps) + 1) if share(w <= c for w in wins) <= tail]
    if cuts:
        assert (found.interval.lower, found.interval.upper) == (gaps[cuts[-1]], gaps[-1 - cuts[-1]])
    else:
        assert (found.interval.lower, found.interval.upper) == (-math.inf, math.inf)
        assert (found.interval.status, found.interval.reason) == ("INF", "CI_UNBOUNDED")


ORDERS = [*permutations(range(3)), *permutations(range(4)), *list(permutations(range(5)))[::7]]
TIED = [
    ((1, 1, 2), (1, 2, 3)),
    ((1, 2, 2), (2, 2, 1)),
    ((1, 1, 2, 2), (1, 2, 1, 2)),
    ((1, 1, 2, 3), (1, 2, 2, 3)),
    ((1, 2, 3, 3), (4, 4, 4, 1)),
    ((1, 2, 3, 4, 4), (2, 2, 5, 5, 7)),
    ((1, 1, 1, 2, 3), (3, 2, 1, 1, 0)),
    ((1, 2, 2, 2, 5, 6), (6, 6, 4, 3, 3, 1)),
]


def signs(x, y):
    pairs = combinations(range(len(x)), 2)
    return sum(np.sign(x[j] - x[i]) * np.sign(y[j] - y[i]) for i, j in pairs)


@pytest.mark.parametrize("order", ORDERS)
def test_correlations_of_orders_over_all_orders(order):
    n = len(order)
    x = list(range(n))
    total = n * (n - 1) // 2
    everything = [(signs(x, other), sum(i * v for i, v in enumerate(other))) for other in permutations(x)]
    score, moment = signs(x, order), sum(i * v for i, v in enumerate(order))
    middle = Fraction(n * (n - 1) ** 2, 4)
    found = kendall(x, order)
    assert found.estimate == pytest.approx(score / total)
    small = min(share(s <= score for s, _ in everything), share(s >= score for s, _ in everything))
    assert found.p_value == pytest.approx(float(min(1, 2 * small)))
    rank = spearman(x, order)
    gaps = sum((a - b) ** 2 for a, b in enumerate(order))
    assert rank.estimate == pytest.approx(float(1 - Fraction(6 * gaps, n * (n * n - 1))))
    far = abs(moment - middle)
    assert rank.p_value == pytest.approx(float(share(abs(m - middle) >= far for _, m in everything)))


@pytest.mark.parametrize(("x", "y"), TIED)
def test_correlations_with_ties(x, y):
    pairs = list(combinations(range(len(x)), 2))
    free = [sum(v[i] != v[j] for i, j in pairs) for v in (x, y)]
    assert kendall(x, y).estimate == pytest.approx(signs(x, y) / math.sqrt(free[0] * free[1]))
    assert not kendall(x, y).exact
    a, b = midranks(x), midranks(y)
    rho = np.corrcoef(np.array(a, dtype=float), np.array(b, dtype=float))[0, 1]
    found = spearman(x, y)
    assert found.estimate == pytest.approx(rho)
    mean = Fraction(len(x) + 1, 2)
    sums = [
        abs(sum((p - mean) * (q - mean) for p, q in zip(a, other, strict=True))) for other in permutations(b)
    ]
    assert found.p_value == pytest.approx(float(share(s >= sums[0] for s in sums)))


@pytest.mark.parametrize("call", [kendall, spearman, pearson])
@pytest.mark.parametrize("x", [(), (1,), (2, 2), (7, 7, 7)])
def test_a_constant_has_no_correlation(call, x):
    found = call(x, range(len(x)))
    assert (found.status, found.reason) == ("NE", "ONE_LEVEL")
    assert math.isnan(found.estimate) and math.isnan(found.p_value)


RATES = [
    ((0, 1), (2, 2)),
    ((1, 0), (2, 2)),
    ((1, 1), (3, 2)),
    ((2, 2), (4, 3)),
    ((0, 0, 1), (2, 2, 2)),
    ((0, 1, 2), (2, 2, 2)),
    ((2, 1, 0), (2, 2, 2)),
    ((1, 1, 1), (3, 3, 2)),
    ((1, 0, 2), (4, 1, 3)),
    ((0, 2, 1), (3, 3, 3)),
    ((1, 1, 1), (9, 3, 3)),
    ((1, 0, 3), (5, 0, 4)),
    ((0, 1, 1, 2), (2, 2, 2, 2)),
    ((2, 0, 1, 2), (3, 1, 2, 3)),
]


@pytest.mark.parametrize(("x", "n"), RATES)
@pytest.mark.parametrize("kind", ["default", "doubling", "falling"])
def test_trends_of_rates_over_all_tables(x, n, kind):
    k = len(x)
    scores = {"default": range(1, k + 1), "doubling": [2**i for i in range(k)], "falling": range(k, 0, -1)}[
        kind
    ]
    tables = [t for t in product(*(range(size + 1) for size in n)) if sum(t) == sum(x)]
    ways = [math.prod(math.comb(size, c) for size, c in zip(n, t, strict=True)) for t in tables]
    rate, whole = Fraction(sum(x), sum(n)), sum(ways)

    def trend(t):
        return sum(s * (c - size * rate) for s, c, size in zip(scores, t, n, strict=True))

    def chance(test):
        return float(Fraction(sum(w for w, t in zip(ways, tables, strict=True) if test(trend(t))), whole))

    mine = trend(x)
    found = cochran_armitage(x, n, scores=None if kind == "default" else list(scores))
    assert found.statistic == pytest.approx(float(mine), abs=1e-12)
    assert found.p_value == pytest.approx(chance(lambda v: abs(v) >= abs(mine)))
    assert found.p_greater == pytest.approx(chance(lambda v: v >= mine))
    assert found.p_less == pytest.approx(chance(lambda v: v <= mine))
    half = chance(lambda v: v > mine) + chance(lambda v: v == mine) / 2
    assert mid_p(x, n, scores=list(scores)) == pytest.approx(half)
    spread = sum(s * s * size for s, size in zip(scores, n, strict=True))
    spread -= Fraction(sum(s * size for s, size in zip(scores, n, strict=True)) ** 2, sum(n))
    plain = cochran_armitage(x, n, scores=list(scores), exact=False)
    assert plain.statistic == pytest.approx(float(mine**2 / (rate * (1 - rate) * spread)))


@pytest.mark.parametrize(
    ("x", "n", "reason"),
    [
        ((0, 0), (3, 4), "NO_EVENTS"),
        ((3, 4), (3, 4), "ALL_EVENTS"),
        ((2,), (4,), "ONE_LEVEL"),
        ((2, 0), (4, 0), "ONE_LEVEL"),
    ],
)
def test_trends_that_do_not_exist(x, n, reason):
    found = cochran_armitage(x, n)
    assert (found.status, found.reason) == ("NE", reason)
    assert math.isnan(mid_p(x, n))


ORDERED = [
    ((1, 2), (0, 1)),
    ((2, 1), (0, 1)),
    ((1, 1, 2), (0, 1, 1)),
    ((1, 2, 3), (0, 1, 2)),
    ((3, 2, 1), (0, 1, 2)),
    ((1, 2, 2), (0, 1, 2)),
    ((1, 2, 3, 4), (0, 0, 1, 1)),
    ((1, 4, 2, 3), (0, 1, 2, 2)),
    ((1, 1, 2, 2), (0, 1, 2, 2)),
    ((5, 5, 5, 5), (0, 1, 2, 2)),
    ((1, 3, 2, 5, 4), (0, 0, 1, 1, 2)),
    ((1, 3, 3, 5, 3), (0, 0, 1, 1, 2)),
    ((9, 3, 3, 1, 1), (0, 1, 1, 2, 2)),
    ((1, 2, 3, 4, 5, 6), (0, 0, 1, 1, 2, 2)),
    ((1, 2, 2, 4, 4, 6), (0, 1, 0, 1, 2, 2)),
]


@pytest.mark.parametrize(("y", "group"), ORDERED)
def test_trends_of_values_over_all_assignments(y, group):
    def pairs(codes):
        rows = list(zip(y, codes, strict=True))
        return sum(Fraction((v > u) * 2 + (v == u), 2) for u, g in rows for v, h in rows if g < h)

    mine, everything = pairs(group), [pairs(codes) for codes in set(permutations(group))]
    mean = sum(everything) / len(everything)
    found = jonckheere(y, group)
    assert found.statistic == float(mine)
    assert found.p_greater == pytest.approx(float(share(s >= mine for s in everything)))
    assert found.p_less == pytest.approx(float(share(s <= mine for s in everything)))
    assert found.p_value == pytest.approx(float(share(abs(s - mean) >= abs(mine - mean) for s in everything)))
    double = min(1.0, 2 * min(found.p_greater, found.p_less))
    assert jonckheere(y, group, two_sided="central").p_value == pytest.approx(double)


MARGINS = [
    ((1, 1), (1, 1)),
    ((2, 1), (1, 2)),
    ((3, 2), (2, 3)),
    ((4, 3), (5, 2)),
    ((5, 5), (1, 9)),
    ((2, 2), (2, 1, 1)),
    ((3, 2), (2, 2, 1)),
    ((4, 4), (3, 3, 2)),
    ((5, 2), (4, 1, 2)),
    ((2, 2, 2), (3, 3)),
    ((3, 2, 1), (4, 2)),
    ((2, 2, 1), (2, 2, 1)),
    ((3, 1, 1), (1, 2, 2)),
    ((2, 2, 2), (2, 2, 2)),
    ((4, 3), (2, 2, 2, 1)),
    ((1, 1, 1, 1), (2, 2)),
]


def columns(left, total):
    """Every column with this total below the given room."""
    return [c for c in product(*(range(min(r, total) + 1) for r in left)) if sum(c) == total]


def tables(rows, sizes):
    if not sizes:
        return [()] if not any(rows) else []
    return [
        (column, *rest)
        for column in columns(rows, sizes[0])
        for rest in tables(tuple(r - c for r, c in zip(rows, column, strict=True)), sizes[1:])
    ]


@pytest.mark.parametrize(("rows", "sizes"), MARGINS)
def test_every_table_of_the_margins_has_the_sum_of_the_rarer_ones(rows, sizes):
    found = tables(rows, sizes)
    top = math.prod(math.factorial(m) for m in (*rows, *sizes))
    whole = math.factorial(sum(rows))
    chances = [Fraction(top, whole * math.prod(math.factorial(c) for col in t for c in col)) for t in found]
    assert sum(chances) == 1
    for table, chance in zip(found, chances, strict=True):
        test = freeman_halton(np.array(table).T)
        assert test.statistic == pytest.approx(float(chance), rel=1e-9)
        assert test.p_value == pytest.approx(float(sum(c for c in chances if c <= chance)), rel=1e-9)
        assert test.p_min == pytest.approx(float(sum(c for c in chances if c == min(chances))), rel=1e-9)
        assert freeman_halton(table).p_value == pytest.approx(test.p_value, rel=1e-12)


@pytest.mark.parametrize(("rows", "sizes"), MARGINS)
def test_chi_square_is_the_sum_over_the_cells(rows, sizes):
    total = sum(rows)
    for table in tables(rows, sizes):
        gaps = [
            (Fraction(r * s, total), c)
            for s, column in zip(sizes, table, strict=True)
            for r, c in zip(rows, column, strict=True)
        ]
        found = chi_square(np.array(table).T)
        assert found.statistic == pytest.approx(float(sum((c - e) ** 2 / e for e, c in gaps)), abs=1e-12)
        assert (found.reason == "EXPECTED_LT_5") == (min(e for e, _ in gaps) < 5)


CUTS = [
    ((0, 0, 1, 1), (1, 2, 3, 4)),
    ((1, 0, 1, 0), (1, 2, 3, 4)),
    ((1, 2, 3, 4), (1, 2, 3, 4)),
    ((4, 1, 3, 2), (1, 2, 3, 4)),
    ((4, 1, 3, 2), (1, 1, 2, 2)),
    ((0, 1, 1, 0, 1), (5, 4, 3, 2, 1)),
    ((1, 2, 3, 4, 5), (2, 2, 3, 3, 9)),
    ((3, 1, 4, 1, 5), (1, 2, 3, 4, 5)),
]


@pytest.mark.parametrize(("scores", "marker"), CUTS)
def test_the_largest_statistic_over_all_orders(scores, marker):
    n = len(scores)
    cuts = sorted(set(marker))[:-1]
    mean, centred = np.mean(scores), np.array(scores) - np.mean(scores)

    def path(order):
        found = []
        for cut in cuts:
            low = [v for v, m in zip(order, marker, strict=True) if m <= cut]
            spread = len(low) * (n - len(low)) / (n * (n - 1)) * float(centred @ centred)
            found.append(abs(sum(low) - len(low) * mean) / math.sqrt(spread))
        return found

    plan = PermutationPlan(np.array(list(permutations(range(n)))), True)
    found = maximally_selected(scores, marker, plan=plan, minprop=0.05, maxprop=0.95)
    mine = path(scores)
    assert found.cuts.tolist() == cuts
    assert found.statistics == pytest.approx(mine)
    assert found.maximum == pytest.approx(max(mine))
    assert found.cut == next(c for c, v in zip(cuts, mine, strict=True) if v >= max(mine) - 1e-12)
    tops = [max(path(order)) for order in permutations(scores)]
    assert found.p_value == pytest.approx(float(share(t >= max(mine) - 1e-9 for t in tops)))


@pytest.mark.parametrize(
    ("values", "weights", "fit"),
    [
        ((1,), (1,), ("1",)),
        ((1, 2), (1, 1), ("1", "2")),
        ((2, 1), (1, 1), ("3/2", "3/2")),
        ((2, 1), (3, 1), ("7/4", "7/4")),
        ((1, 3, 2), (1, 1, 1), ("1", "5/2", "5/2")),
        ((3, 1, 2), (1, 1, 1), ("2", "2", "2")),
        ((3, 2, 1), (1, 2, 1), ("2", "2", "2")),
        ((3, 2, 1), (1, 1, 4), ("3/2", "3/2", "3/2")),
        ((1, 3, 2, 4), (1, 1, 1, 1), ("1", "5/2", "5/2", "4")),
        ((2, 1, 4, 3), (1, 1, 1, 1), ("3/2", "3/2", "7/2", "7/2")),
        ((4, 1, 2, 3), (1, 1, 1, 1), ("7/3", "7/3", "7/3", "3")),
        ((1, 4, 3, 2), (1, 1, 2, 1), ("1", "3", "3", "3")),
        ((5, 5, 5, 5), (1, 2, 3, 4), ("5", "5", "5", "5")),
        ((0, 1, 0, 1), (2, 1, 1, 2), ("0", "1/2", "1/2", "1")),
        ((1, 0, 1, 0), (1, 1, 1, 1), ("1/2", "1/2", "1/2", "1/2")),
        ((-1, -2, 0, -3), (1, 1, 1, 1), ("-3/2", "-3/2", "-3/2", "-3/2")),
        ((1, 2, 10, 3, 4), (1, 1, 1, 1, 1), ("1", "2", "17/3", "17/3", "17/3")),
    ],
)
def test_pooled_neighbours_by_hand(values, weights, fit):
    expected = [float(Fraction(part)) for part in fit]
    assert isotonic_fit(values, weights) == pytest.approx(expected, abs=1e-14)
    many = isotonic_fit([values, expected], [weights, weights])
    assert many[0] == pytest.approx(expected, abs=1e-14)
    assert many[1] == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (-2, 5), (3, 3.5)])
def test_nodes_integrate_every_power_below_twice_their_number(count, low, high):
    nodes, weights = gauss_legendre(count, low=low, high=high)
    assert np.all((nodes > low) & (nodes < high))
    middle, half = (low + high) / 2, (high - low) / 2
    for power in range(2 * count):
        exact = 0.0 if power % 2 else 2 * half / (power + 1)
        assert weights @ ((nodes - middle) / half) ** power == pytest.approx(exact, rel=1e-12, abs=1e-12)
    parts, shares = gauss_legendre_pieces([low, low + 0.25, high], count=count)
    assert len(parts) == 2 * count and np.all(np.diff(parts) > 0)
    assert shares.sum() == pytest.approx(high - low)
    assert shares[:count].sum() == pytest.approx(0.25)


LIMITS = [Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(2, 3)]


@pytest.mark.parametrize(("x", "n"), [(x, n) for n in range(6) for x in range(n + 1)])
@pytest.mark.parametrize("limit", LIMITS)
def test_beta_tails_are_binomial_sums(x, n, limit):
    def below(p, a):
        return sum(math.comb(n + 1 + a, k) * p**k * (1 - p) ** (n + 1 + a - k) for k in range(x + 1))

    assert beta_tail(x, n, limit=float(limit)) == pytest.approx(float(below(limit, 0)), rel=1e-12)
    wider = beta_tail(x, n, limit=float(limit), prior=(1.0, 2.0))
    assert wider == pytest.approx(float(below(limit, 1)), rel=1e-12)
    mass = beta_mass(x, n, limits=(0.05, float(limit)))
    assert mass == pytest.approx(float(below(Fraction(1, 20), 0) - below(limit, 0)), abs=1e-12)
    law = quad(lambda p: p**x * (1 - p) ** (n - x), 0.05, float(limit))[0]
    assert mass == pytest.approx(law * (n + 1) * math.comb(n, x), abs=1e-9)


@pytest.mark.parametrize("events", [0, 1, 2, 3, 5, 10, 25])
@pytest.mark.parametrize("time", [0.5, 1.0, 12.0])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_limits_of_a_rate_leave_half_the_error_on_each_side(events, time, level):
    found = poisson_interval(events, time, level=level)

    def up_to(k, mean):
        return math.exp(-mean) * sum(mean**j / math.factorial(j) for j in range(k + 1))

    assert up_to(events, found.upper * time) == pytest.approx((1 - level) / 2, rel=1e-8)
    if events:
        assert 1 - up_to(events - 1, found.lower * time) == pytest.approx((1 - level) / 2, rel=1e-8)
    else:
        assert found.lower == 0
        assert found.upper == pytest.approx(-math.log((1 - level) / 2) / time)
