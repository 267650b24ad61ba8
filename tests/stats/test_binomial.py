"""Binomial intervals, test and posterior."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interim.stats import BINOMIAL_INTERVALS, beta_posterior, binomial_interval, binomial_test

PACK = Path(__file__).resolve().parents[1] / "reference" / "stats" / "binomial_ci.json"
NAMES = {"jeffreys_equal_tailed": "jeffreys"}
CASES = json.loads(PACK.read_text(encoding="utf-8"))["cases"]
TOLERANCE = {"midp": 1e-4, "blaker": 1e-6, "minlike": 1e-6}
counts = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.rule("STAT-02", source="R 4.2.2 binom 1.1-1.1, exactci 1.4-5")
@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['x']}/{c['n']}")
def test_intervals_agree_with_independent_software(case):
    for key in (
        "clopper_pearson",
        "wilson",
        "wilson_cc",
        "jeffreys_equal_tailed",
        "agresti_coull",
        "midp",
        "blaker",
        "minlike",
    ):
        method = NAMES.get(key, key)
        found = binomial_interval(case["x"], case["n"], method=method)
        assert (found.lower, found.upper) == pytest.approx(case[key], abs=TOLERANCE.get(method, 1e-9)), key
    ninety = binomial_interval(case["x"], case["n"], level=0.90)
    assert (ninety.lower, ninety.upper) == pytest.approx(case["cp90"], abs=1e-9)


@pytest.mark.rule("STAT-02")
@pytest.mark.parametrize("method", sorted(set(BINOMIAL_INTERVALS) - {"agresti_coull"}))
def test_ends_are_exact(method):
    n = np.arange(1, 13)
    assert np.all(binomial_interval(0 * n, n, method=method).lower == 0)
    assert np.all(binomial_interval(n, n, method=method).upper == 1)


@pytest.mark.rule("STAT-03")
@given(counts)
def test_clopper_pearson_holds_estimate_and_the_shorter_intervals(pair):
    x, n = pair
    outer = binomial_interval(x, n)
    assert outer.lower <= x / n <= outer.upper
    for method in ("midp", "wilson", "jeffreys", "blaker"):
        inner = binomial_interval(x, n, method=method)
        assert outer.lower - 1e-9 <= inner.lower and inner.upper <= outer.upper + 1e-9, method


@pytest.mark.rule("STAT-03")
@pytest.mark.parametrize("method", sorted(BINOMIAL_INTERVALS))
def test_limits_rise_with_x_and_mirror(method):
    for n in (1, 5, 9, 18):
        x = np.arange(n + 1)
        found = binomial_interval(x, np.full(n + 1, n), method=method)
        assert np.all(np.diff(found.lower) >= -1e-9) and np.all(np.diff(found.upper) >= -1e-9)
        assert found.lower == pytest.approx(1 - found.upper[::-1], abs=1e-8)


@pytest.mark.rule("STAT-03")
@given(counts, st.integers(2, 5))
def test_more_participants_at_the_same_rate_narrow_the_interval(pair, factor):
    x, n = pair
    narrow, wide = binomial_interval(factor * x, factor * n), binomial_interval(x, n)
    assert narrow.upper - narrow.lower < wide.upper - wide.lower


@pytest.mark.rule("STAT-02")
def test_one_sided_limit_of_no_event_in_closed_form():
    for n in range(1, 30):
        assert binomial_interval(0, n, side="upper").upper == pytest.approx(1 - 0.05 ** (1 / n), abs=1e-12)
        assert binomial_interval(0, n, side="upper").lower == 0


@pytest.mark.rule("STAT-03")
def test_arrays_and_scalars_agree():
    together = binomial_interval([1, 2], [6, 12])
    assert [together[i] for i in range(2)] == [binomial_interval(1, 6), binomial_interval(2, 12)]
    assert [i.lower for i in together] == [together.lower[0], together.lower[1]] and len(together) == 2


def mass(k: int, n: int, p: Fraction) -> Fraction:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


@pytest.mark.rule("STAT-04")
@pytest.mark.parametrize(
    ("x", "n", "p0"),
    [(3, 10, Fraction(1, 5)), (0, 8, Fraction(1, 10)), (7, 9, Fraction(1, 2)), (2, 17, Fraction(1, 20))],
)
def test_exact_test_against_rational_arithmetic(x, n, p0):
    probabilities = [mass(k, n, p0) for k in range(n + 1)]
    found = binomial_test(x, n, p0=float(p0))
    assert found.definition == "minlike" and found.exact
    assert found.p_value == pytest.approx(
        float(sum(p for p in probabilities if p <= probabilities[x])), rel=1e-12
    )
    assert found.p_greater == pytest.approx(float(sum(probabilities[x:])), rel=1e-12)
    assert found.p_less == pytest.approx(float(sum(probabilities[: x + 1])), rel=1e-12)
    assert found.p_min == pytest.approx(
        float(min(sum(q for q in probabilities if q <= p) for p in probabilities)), rel=1e-12
    )


@pytest.mark.rule("STAT-10")
def test_posterior_of_one_in_six():
    found = beta_posterior(1, 6, prior=(1.0, 1.0), limit=1 / 3)
    # Beta(2, 6): mean 2/8; P(p > 1/3) = P(Binomial(7, 1/3) <= 1), the relation of beta and binomial tails.
    tail = sum(mass(k, 7, Fraction(1, 3)) for k in range(2))
    assert found.mean == pytest.approx(0.25, abs=1e-12)
    assert found.p_above == pytest.approx(float(tail), abs=1e-12)


BAD = [
    (dict(x=3, n=2), "x must be <= n"),
    (dict(x=-1, n=2), "x"),
    (dict(x=1.5, n=2), "x"),
    (dict(x=[0, float("nan")], n=[3, 3]), r"x\[1\]"),
    (dict(x=0, n=0), "n"),
    (dict(x=[1, 1], n=[3, 3, 4]), "same length"),
    (dict(x=1, n=3, method="wald"), "clopper_pearson"),
    (dict(x=1, n=3, level=1.0), "level"),
    (dict(x="1", n=3), "x"),
    (dict(x=[[1]], n=3), "one-dimensional"),
]


@pytest.mark.rule("STAT-01")
@pytest.mark.parametrize(("arguments", "word"), BAD)
def test_illegal_counts_are_refused_by_name(arguments, word):
    with pytest.raises(ValueError, match=word):
        binomial_interval(**arguments)


@pytest.mark.rule("STAT-01")
@pytest.mark.parametrize("prior", [(1.0,), (0.0, 1.0), (1.0, float("inf"))])
def test_illegal_prior_is_refused(prior):
    with pytest.raises(ValueError, match="prior"):
        beta_posterior(1, 3, prior=prior, limit=0.3)


@pytest.mark.rule("STAT-01")
@pytest.mark.parametrize(
    ("arguments", "word"), [(dict(p0=1.5), "p0"), (dict(p0=0.2, alternative="both"), "alternative")]
)
def test_illegal_test_is_refused(arguments, word):
    with pytest.raises(ValueError, match=word):
        binomial_test(1, 3, **arguments)
