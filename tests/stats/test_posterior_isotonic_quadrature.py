"""Beta tails, isotonic fit and quadrature against closed forms and independent algorithms."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from interim.stats import beta_mass, beta_tail, gauss_legendre, gauss_legendre_pieces, isotonic_fit


@pytest.mark.parametrize(("x", "n"), [(0, 0), (0, 3), (2, 3), (3, 6), (7, 30), (30, 30)])
@pytest.mark.parametrize("limit", [0.1, 0.3, 0.77])
def test_the_tail_is_a_binomial_sum(x, n, limit):
    """P(rate > limit) under Beta(1 + x, 1 + n - x) = P(at most x of n + 1 at that limit)."""
    expected = sum(comb(n + 1, k) * limit**k * (1 - limit) ** (n + 1 - k) for k in range(x + 1))
    assert float(beta_tail(x, n, limit=limit)) == pytest.approx(expected, abs=1e-13)
    assert float(beta_mass(x, n, limits=(limit, 1))) == pytest.approx(expected, abs=1e-13)


def test_masses_add_up_and_broadcast():
    x = np.arange(4)
    parts = sum(beta_mass(x, 3, limits=(a / 5, (a + 1) / 5)) for a in range(5))
    assert np.allclose(parts, 1, atol=1e-14)
    assert np.all(np.diff(beta_tail(x, 3, limit=0.3)) > 0)
    assert float(beta_tail(0, 0, limit=0.25, prior=(2, 1))) == pytest.approx(1 - 0.25**2)


rows = st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 50)), min_size=1, max_size=8)


@settings(max_examples=50, deadline=None)
@given(rows)
def test_the_fit_equals_pooling(pairs):
    values, weights = map(np.array, zip(*pairs, strict=True))
    expected = IsotonicRegression().fit_transform(np.arange(values.size), values, sample_weight=weights)
    assert np.allclose(isotonic_fit(values, weights), expected, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(rows, st.data())
def test_left_out_values_do_not_move_the_others(pairs, data):
    values, weights = map(np.array, zip(*pairs, strict=True))
    place = data.draw(st.integers(0, values.size))
    more = np.insert(values, place, 0.5), np.insert(weights, place, 0.0)
    fit = isotonic_fit(*more)
    assert np.isnan(fit[place])
    assert np.allclose(np.delete(fit, place), isotonic_fit(values, weights), atol=1e-12)


def test_many_rows_at_once():
    values = np.array([[0.2, 0.1, 0.4], [0.3, 0.2, 0.1], [0.1, 0.2, 0.3]])
    fit = isotonic_fit(values, np.ones(3))
    assert np.allclose(fit, [[0.15, 0.15, 0.4], [0.2, 0.2, 0.2], [0.1, 0.2, 0.3]])


@pytest.mark.parametrize("power", range(10))
def test_polynomials_are_exact(power):
    nodes, weights = gauss_legendre(5, low=-1, high=3)
    assert weights @ nodes**power == pytest.approx((3 ** (power + 1) - (-1) ** (power + 1)) / (power + 1))


def test_kinks_at_the_ends_of_pieces():
    nodes, weights = gauss_legendre_pieces([[-1, 0.3, 2], [0, 0, 1]], count=6)
    assert weights[0] @ np.abs(nodes[0] - 0.3) == pytest.approx((1.3**2 + 1.7**2) / 2)
    assert weights[1].sum() == pytest.approx(1)
    assert np.all(np.diff(nodes, axis=1) >= 0)
