"""Mass and tails of a binomial count against exact fractions, ranks against those of SciPy."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy import stats

from interim.stats.binomial import LARGEST, binomial_above, binomial_below, binomial_mass
from interim.stats.ranks import average_ranks

RATES = (0.05, 0.1, 0.3, 0.5, 0.77, 0.95)


@pytest.mark.rule("STAT-34", source="binomial sums of whole numbers and fractions")
@pytest.mark.parametrize("n", [1, 2, 5, 18, 40, 60])
@pytest.mark.parametrize("p", RATES)
def test_mass_and_tails_are_those_of_exact_fractions(n, p):
    rate, counts = Fraction(p), np.arange(n + 1)
    exact = [comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(n + 1)]
    below = [float(sum(exact[: k + 1])) for k in range(n + 1)]
    above = [float(sum(exact[k:])) for k in range(n + 1)]
    assert binomial_mass(counts, n, p) == pytest.approx([float(one) for one in exact], rel=1e-14)
    assert binomial_below(counts, n, p) == pytest.approx(below, rel=1e-13)
    assert binomial_above(counts, n, p) == pytest.approx(above, rel=1e-13)


@pytest.mark.rule("STAT-34")
def test_what_cannot_happen_has_no_mass_and_sure_rates_have_one_outcome():
    assert binomial_mass([-3, -1, 4, 9], 3, 0.4).tolist() == [0.0] * 4
    assert binomial_mass([0, 1, 2], 2, 0.0).tolist() == [1.0, 0.0, 0.0]
    assert binomial_mass([0, 1, 2], 2, 1.0).tolist() == [0.0, 0.0, 1.0]
    assert binomial_mass(0, 0, 0.3) == 1.0
    assert binomial_below([-1, 3, 5], 3, 0.4).tolist() == [0.0, 1.0, 1.0]
    assert binomial_above([0, 4, 5], 3, 0.4).tolist() == [1.0, 0.0, 0.0]
    sizes, counts = np.arange(4)[:, None], np.arange(4)[None, :]
    both = binomial_mass(counts, sizes, np.array([0.2, 0.6])[:, None, None])
    assert both.shape == (2, 4, 4) and both.sum(axis=2) == pytest.approx(np.ones((2, 4)), rel=1e-15)
    assert np.isfinite(binomial_mass(np.arange(LARGEST + 1), LARGEST, 0.5)).all()
    with pytest.raises(ValueError, match="n must be at most 1000, found 1001"):
        binomial_mass(1, 1001, 0.5)


@pytest.mark.rule("STAT-34", source="scipy.stats.rankdata")
def test_equal_values_share_the_mean_of_their_ranks():
    rng = np.random.default_rng(324)
    for size in (0, 1, 2, 7, 60):
        values = rng.integers(-3, 4, size).astype(float) * 0.1
        assert average_ranks(values).tolist() == stats.rankdata(values).tolist()
    assert average_ranks(np.array([0.0, -0.0, 1.0])).tolist() == [1.5, 1.5, 3.0]
