"""Which of two rates is larger: integrals, symmetry, illegal counts."""

from __future__ import annotations

import pytest
from scipy import integrate
from scipy.stats import beta

from interim.stats.rate_order import probability_larger


@pytest.mark.rule("IB-31", source="adaptive integration of the beta densities")
@pytest.mark.parametrize(
    ("x", "n", "prior"),
    [
        ((0, 0), (3, 3), (1, 1)),
        ((1, 0), (6, 3), (1, 1)),
        ((1, 0), (6, 1), (1, 1)),
        ((4, 4), (6, 6), (1, 1)),
        ((6, 0), (6, 6), (1, 1)),
        ((0, 5), (9, 9), (1, 1)),
        ((3, 2), (18, 18), (2, 3)),
        ((0, 0), (0, 4), (1, 1)),
    ],
)
def test_the_larger_rate_by_integration(x, n, prior):
    first = beta(prior[0] + x[0], prior[1] + n[0] - x[0])
    second = beta(prior[0] + x[1], prior[1] + n[1] - x[1])
    whole, _ = integrate.quad(lambda p: first.sf(p) * second.pdf(p), 0, 1, epsabs=1e-12)
    assert probability_larger(x, n, prior=prior) == pytest.approx(whole, abs=1e-10)
    turned = probability_larger(x[::-1], n[::-1], prior=prior)
    assert turned == pytest.approx(1 - whole, abs=1e-10)


@pytest.mark.rule("IB-31")
@pytest.mark.parametrize("n", [0, 1, 5, 12])
def test_equal_counts_are_even(n):
    assert probability_larger((0, 0), (n, n)) == pytest.approx(0.5, abs=1e-12)


@pytest.mark.rule("IB-31")
def test_one_event_more_makes_a_rate_larger():
    chances = [probability_larger((x, 1), (6, 3)) for x in range(7)]
    assert chances == sorted(chances) and chances[0] < 0.2 < 0.8 < chances[-1]


@pytest.mark.rule("IB-31")
@pytest.mark.parametrize(("x", "n"), [((4, 0), (3, 3)), ((-1, 0), (3, 3)), ((0, 4), (3, 3))])
def test_impossible_counts_are_refused(x, n):
    with pytest.raises(ValueError, match="x must be within 0 to n"):
        probability_larger(x, n)
