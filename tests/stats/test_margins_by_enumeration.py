"""Tests on fixed margins and competing risks, counted table by table with whole numbers and fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from interim.stats.association import chance_of_gap, fisher_test, smallest_p
from interim.stats.competing import cumulative_incidence
from interim.stats.trend import cochran_armitage, mid_p

PAIRS = [
    ((3, 0), (9, 9)),
    ((5, 1), (6, 8)),
    ((0, 4), (3, 9)),
    ((2, 2), (7, 4)),
    ((1, 8), (4, 8)),
    ((1, 0), (1, 5)),
]
TRENDS = [
    ((1, 1, 1), (9, 3, 3)),
    ((0, 1, 4), (3, 6, 6)),
    ((2, 0, 3, 1), (4, 4, 4, 4)),
    ((3, 2, 1), (3, 3, 3)),
]


def tables(sizes, total):
    """Return every table of these margins with its probability."""
    all_ = math.comb(sum(sizes), total)
    for table in product(*(range(n + 1) for n in sizes)):
        if sum(table) == total:
            ways = math.prod(math.comb(n, k) for n, k in zip(sizes, table, strict=True))
            yield table, Fraction(ways, all_)


@pytest.mark.rule("STAT-11", source="fractions")
@pytest.mark.parametrize(("x", "n"), PAIRS)
def test_three_definitions_of_two_sided(x, n):
    law = {table[0]: p for table, p in tables(n, sum(x))}
    own = law[x[0]]
    less = sum(p for k, p in law.items() if k <= x[0])
    greater = sum(p for k, p in law.items() if k >= x[0])
    smaller = min(less, greater)
    minlike = sum(p for p in law.values() if p <= own)
    same = sum(p for p in law.values() if p == own)
    far = [sum(p for k, p in law.items() if (k >= j if less <= greater else k <= j)) for j in law]
    blaker = smaller + max((t for t in far if t <= smaller), default=Fraction(0))
    wanted = {
        ("minlike", False): minlike,
        ("minlike", True): minlike - same / 2,
        ("central", False): min(Fraction(1), 2 * smaller),
        ("central", True): min(Fraction(1), 2 * (smaller - own / 2)),
        ("blaker", False): min(Fraction(1), blaker),
    }
    for (definition, midp), p in wanted.items():
        found = fisher_test(x, n, two_sided=definition, midp=midp)
        assert found.p_value == pytest.approx(float(p), rel=1e-10), (definition, midp)
        half = own / 2 if midp else 0
        sides = (float(less - half), float(greater - half))
        assert (found.p_less, found.p_greater) == pytest.approx(sides, rel=1e-10)
        assert (found.definition, found.n_arrangements) == (definition, len(law))
    turned = fisher_test(x[::-1], n[::-1])
    assert turned.p_value == pytest.approx(float(minlike), rel=1e-10)
    assert turned.p_less == pytest.approx(float(greater), rel=1e-10)


@pytest.mark.rule("STAT-15", source="fractions")
@pytest.mark.parametrize(("x", "n"), PAIRS)
@pytest.mark.parametrize("gap", [0.0, 0.2, 0.4, 0.75, 1.0])
def test_chance_of_a_gap_counts_tables(x, n, gap):
    wanted = sum(
        p for (a, b), p in tables(n, sum(x)) if abs(Fraction(a, n[0]) - Fraction(b, n[1])) >= gap - 1e-12
    )
    assert chance_of_gap(sum(x), n, gap=gap) == pytest.approx(float(wanted), abs=1e-12)


@pytest.mark.rule("STAT-15", source="fractions")
@pytest.mark.parametrize("sizes", [(6, 6), (3, 9), (2, 3, 4), (5, 1, 1, 2), (4, 0, 4)])
def test_smallest_p_value_of_every_number_of_events(sizes):
    for total in range(sum(sizes) + 1):
        law = [p for _, p in tables(sizes, total)]
        wanted = sum(p for p in law if p == min(law))
        assert smallest_p(total, sizes) == pytest.approx(float(wanted), rel=1e-9)
    with pytest.raises(ValueError, match="x_total must be <="):
        smallest_p(sum(sizes) + 1, sizes)


@pytest.mark.rule("STAT-26", source="fractions")
@pytest.mark.parametrize(("x", "n"), TRENDS)
@pytest.mark.parametrize("spacing", [None, (1, 2, 5, 9)])
def test_trend_of_rates_counts_tables(x, n, spacing):
    scores = list(range(1, len(n) + 1)) if spacing is None else list(spacing[: len(n)])
    rate = Fraction(sum(x), sum(n))

    def statistic(table):
        return sum(s * (k - m * rate) for s, k, m in zip(scores, table, n, strict=True))

    own, law = statistic(x), [(statistic(t), p) for t, p in tables(n, sum(x))]
    found = cochran_armitage(x, n, scores=None if spacing is None else scores)
    greater = sum(p for t, p in law if t >= own)
    less = sum(p for t, p in law if t <= own)
    both = sum(p for t, p in law if abs(t) >= abs(own))
    assert found.statistic == pytest.approx(float(own), abs=1e-10)
    numbers = (found.p_greater, found.p_less, found.p_value)
    assert numbers == pytest.approx((float(greater), float(less), float(both)), rel=1e-9)
    equal = sum(p for t, p in law if t == own)
    assert mid_p(x, n, scores=scores) == pytest.approx(float(greater - equal / 2), rel=1e-9)


@pytest.mark.rule("STAT-26")
def test_reversed_groups_reverse_the_trend():
    for x, n in TRENDS:
        found, turned = cochran_armitage(x, n), cochran_armitage(x[::-1], n[::-1])
        assert turned.p_greater == pytest.approx(found.p_less)
        assert turned.p_value == pytest.approx(found.p_value)


@pytest.mark.rule("STAT-24", source="fractions")
@pytest.mark.parametrize("seed", range(5))
def test_cumulative_incidence_step_by_step(seed):
    rng = np.random.default_rng(seed)
    time, cause = rng.integers(1, 7, 12), rng.integers(0, 3, 12)
    found = cumulative_incidence(time, cause)
    free, sums = Fraction(1), [Fraction(0), Fraction(0)]
    for row, t in enumerate(sorted(set(time.tolist()))):
        at_risk = int((time >= t).sum())
        events = [int(((time == t) & (cause == c)).sum()) for c in (1, 2)]
        sums = [s + free * Fraction(d, at_risk) for s, d in zip(sums, events, strict=True)]
        free *= 1 - Fraction(sum(events), at_risk)
        assert found.n_risk[row] == at_risk
        assert found.cif[row].tolist() == pytest.approx([float(s) for s in sums], abs=1e-12)
        assert found.surv[row] == pytest.approx(float(free), abs=1e-12)
        assert sum(sums) + free == 1


@pytest.mark.rule("STAT-24", source="variance of a binomial share")
@pytest.mark.parametrize("n", [4, 9, 20])
def test_without_censoring_the_incidence_is_a_share_with_its_variance(n):
    time, cause = np.arange(1, n + 1), 1 + np.arange(n) % 2
    found = cumulative_incidence(time, cause)
    share = np.cumsum(cause == 1) / n
    assert found.cif[:, 0] == pytest.approx(share)
    assert found.se[:, 0] == pytest.approx(np.sqrt(share * (1 - share) / n), abs=1e-10)
    assert found.at(0.5, 1)[:2] == (0.0, 0.0)
    assert found.at(2.5, 1)[0] == pytest.approx(1 / n)
    assert found.at(n + 5.0, 2)[0] == pytest.approx((n // 2) / n)
    with pytest.raises(ValueError, match=r"cause must be 1\.\.2"):
        found.at(1.0, 3)
