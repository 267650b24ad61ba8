"""A rate x/n: eight intervals, the exact test, the posterior under a beta prior."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaincc, betaincinv, gammaln, ndtri, xlog1py, xlogy
from scipy.special import binom as choose

from interim.stats.answers import (
    Definition,
    Flags,
    Floats,
    Interval,
    Intervals,
    Number,
    TestResult,
    frozen,
)
from interim.stats.inputs import check_between, check_choice, check_counts, check_same_length

Limits: TypeAlias = tuple[Floats, Floats]
Vector: TypeAlias = Sequence[Number] | NDArray[Any]
Side: TypeAlias = Literal["two", "lower", "upper"]
Alternative: TypeAlias = Literal["two-sided", "less", "greater"]

GRID = 4001
LARGEST = 1000
TIES = 1 + 1e-7


@overload
def binomial_interval(
    x: Number, n: Number, *, method: str = ..., level: float = ..., side: Side = ...
) -> Interval: ...
@overload
def binomial_interval(
    x: Vector, n: Vector | Number, *, method: str = ..., level: float = ..., side: Side = ...
) -> Intervals: ...
@overload
def binomial_interval(
    x: Number, n: Vector, *, method: str = ..., level: float = ..., side: Side = ...
) -> Intervals: ...
def binomial_interval(
    x: Any, n: Any, *, method: str = "clopper_pearson", level: float = 0.95, side: Side = "two"
) -> Interval | Intervals:
    """Return the confidence interval of a rate, or of several rates at once.

    Parameters
    ----------
    x : int or array_like of int, shape (k,)
        Participants with the feature, 0 <= x <= n.
    n : int or array_like of int, shape (k,)
        Participants, >= 1; a scalar goes with an array.
    method : str
        A name in `BINOMIAL_INTERVALS`.
    level : float
        Confidence level, 0 to 1, both excluded.
    side : {"two", "lower", "upper"}
        "lower": one-sided lower limit, the upper one is 1; "upper": the mirror. Not for blaker and minlike.

    Returns
    -------
    Interval or Intervals
        `Interval` for scalars, else `Intervals`. FLAG with NO_EVENTS at x = 0, with ALL_EVENTS at x = n.

    Raises
    ------
    ValueError
        If a count is illegal, x > n, the lengths differ, the level is not inside (0, 1), or a name is unknown.

    Notes
    -----
    agresti_coull is not clipped to [0, 1]. wilson_cc corrects by min(1/2, abs(x - n/2))/n, hence not at x = n/2.

    References
    ----------
    Clopper and Pearson 1934; Wilson 1927; Agresti and Coull 1998; Brown, Cai and DasGupta 2001; Blaker 2000;
    Fay 2010 (minlike).

    Examples
    --------
    >>> interval = binomial_interval(1, 6)
    >>> round(interval.lower, 4), round(interval.upper, 4)
    (0.0042, 0.6412)
    """
    level = check_between(level, "level", low=0.0, high=1.0)
    check_choice(method, "method", BINOMIAL_INTERVALS)
    check_choice(side, "side", ("two", "lower", "upper"))
    if side != "two" and method in _TWO_SIDED_ONLY:
        raise ValueError(
            f"side must be 'two' for method {method}, which has no one-sided form; it is {side!r}"
        )
    counts, sizes = _check_rates(x, n)
    tail = (1.0 - level) / 2.0 if side == "two" else 1.0 - level
    lower, upper = BINOMIAL_INTERVALS[method](counts, sizes, tail)
    if side != "two":
        lower, upper = (lower, np.ones_like(upper)) if side == "lower" else (np.zeros_like(lower), upper)
    none, everyone = counts == 0, counts == sizes
    status = np.where(none | everyone, "FLAG", "OK")
    reason = np.where(none, "NO_EVENTS", np.where(everyone, "ALL_EVENTS", ""))
    frozen(lower, upper, status, reason)
    answers = Intervals(lower, upper, level, method, status, reason)
    return answers[0] if np.ndim(x) == 0 and np.ndim(n) == 0 else answers


def clopper_pearson(x: Floats, n: Floats, tail: float) -> Limits:
    """Return the exact limits from beta quantiles.

    Parameters
    ----------
    x, n : ndarray of float, shape (k,)
        Checked counts.
    tail : float
        Error of one tail, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,).

    Raises
    ------
    None
    """
    lower = np.where(x > 0, betaincinv(np.maximum(x, 1.0), n - x + 1.0, tail), 0.0)
    upper = np.where(x < n, 1.0 - betaincinv(np.maximum(n - x, 1.0), x + 1.0, tail), 1.0)
    return lower, upper


def jeffreys(x: Floats, n: Floats, tail: float) -> Limits:
    """Return the equal-tailed limits under the Beta(1/2, 1/2) prior, 0 at x = 0 and 1 at x = n.

    Parameters
    ----------
    x, n : ndarray of float, shape (k,)
        Checked counts.
    tail : float
        Error of one tail, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,).

    Raises
    ------
    None
    """
    lower = np.where(x > 0, betaincinv(x + 0.5, n - x + 0.5, tail), 0.0)
    upper = np.where(x < n, 1.0 - betaincinv(n - x + 0.5, x + 0.5, tail), 1.0)
    return lower, upper


def wilson(x: Floats, n: Floats, tail: float) -> Limits:
    """Return the limits that invert the score test.

    Parameters
    ----------
    x, n : ndarray of float, shape (k,)
        Checked counts.
    tail : float
        Error of one tail, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,).

    Raises
    ------
    None
    """
    return _score_lower(x / n, n, tail), 1.0 - _score_lower((n - x) / n, n, tail)


def wilson_cc(x: Floats, n: Floats, tail: float) -> Limits:
    """Return the score limits with a continuity correction that vanishes at x = n/2.

    Parameters
    ----------
    x, n : ndarray of float, shape (k,)
        Checked counts.
    tail : float
        Error of one tail, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,).

    Raises
    ------
    None
    """
    shift = np.minimum(0.5, np.abs(x - n / 2.0)) / n
    return _score_lower(x / n - shift, n, tail), 1.0 - _score_lower((n - x) / n - shift, n, tail)


def agresti_coull(x: Floats, n: Floats, tail: float) -> Limits:
    """Return the Wald limits after z*z/2 added events and non-events, not clipped to [0, 1].

    Parameters
    ----------
    x, n : ndarray of float, shape (k,)
        Checked counts.
    tail : float
        Error of one tail, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,).

    Raises
    ------
    None
    """
    z = -ndtri(tail)
    size = n + z * z
    rate = (x + z * z / 2.0) / size
    half = z * np.sqrt(rate * (1.0 - rate) / size)
    return rate - half, rate + half


def midp(x: Floats, n: Floats, tail: float) -> Limits:
    """Return the exact limits that count half of the observed outcome.

    Parameters
    ----------
    x, n : ndarray of float, shape (k,)
        Checked counts.
    tail : float
        Error of one tail, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,).

    Raises
    ------
    None
    """
    return _midp_lower(x, n, tail), 1.0 - _midp_lower(n - x, n, tail)


def blaker(x: Floats, n: Floats, tail: float) -> Limits:
    """Return the hull of the rates that Blaker's acceptability function does not reject.

    Parameters
    ----------
    x, n : ndarray of float, shape (k,)
        Checked counts.
    tail : float
        Half of the total error, 0 to 0.5.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,).

    Raises
    ------
    None
    """
    return _hulls(x, n, 2.0 * tail, _blaker_p)


def minlike(x: Floats, n: Floats, tail: float) -> Limits:
    """Return the hull of the rates that the test by ordered likelihood does not reject.

    Parameters
    ----------
    x, n : ndarray of float, shape (k,)
        Checked counts.
    tail : float
        Half of the total error, 0 to 0.5.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,).

    Raises
    ------
    None
    """
    return _hulls(x, n, 2.0 * tail, _minlike_p)


BINOMIAL_INTERVALS: Mapping[str, Callable[[Floats, Floats, float], Limits]] = MappingProxyType(
    {
        "clopper_pearson": clopper_pearson,
        "midp": midp,
        "wilson": wilson,
        "wilson_cc": wilson_cc,
        "jeffreys": jeffreys,
        "agresti_coull": agresti_coull,
        "blaker": blaker,
        "minlike": minlike,
    }
)
_TWO_SIDED_ONLY = ("blaker", "minlike")


def binomial_test(x: int, n: int, *, p0: float, alternative: Alternative = "two-sided") -> TestResult:
    """Test exactly whether a rate equals p0.

    Parameters
    ----------
    x : int
        Participants with the feature, 0 <= x <= n.
    n : int
        Participants, >= 1.
    p0 : float
        Rate under the hypothesis, 0 to 1.
    alternative : {"two-sided", "less", "greater"}
        Direction against which the hypothesis is tested.

    Returns
    -------
    TestResult
        The statistic is x. The two-sided definition is minlike, with relative slack 1e-7 for ties.

    Raises
    ------
    ValueError
        If a count is illegal, x > n, p0 is not in [0, 1], or the alternative is unknown.

    Examples
    --------
    >>> round(binomial_test(3, 9, p0=0.05, alternative="greater").p_value, 5)
    0.00836
    """
    check_choice(alternative, "alternative", ("two-sided", "less", "greater"))
    p0 = check_between(p0, "p0", low=0.0, high=1.0, closed=True)
    count, size = (float(values[0]) for values in _check_rates(_scalar(x, "x"), _scalar(n, "n")))
    outcomes = np.arange(size + 1.0)
    possible = np.exp(_log_mass(outcomes, size, p0)) > 0.0
    less, greater = binomial_below(outcomes, size, p0), binomial_above(outcomes, size, p0)
    names: dict[str, tuple[Definition, Floats]] = {
        "two-sided": ("minlike", np.minimum(_minlike_p(outcomes, size, p0), 1.0)),
        "less": ("less", less),
        "greater": ("greater", greater),
    }
    definition, p_values = names[alternative]
    place = int(count)
    return TestResult(
        statistic=count,
        p_value=float(p_values[place]),
        p_less=float(less[place]),
        p_greater=float(greater[place]),
        p_min=float(p_values[possible].min()),
        definition=definition,
        exact=True,
        n_arrangements=len(outcomes),
    )


@dataclass(frozen=True)
class BetaPosterior:
    """Posterior of a rate under a beta prior.

    Attributes
    ----------
    mean : float
        Posterior mean.
    interval : Interval
        Equal-tailed credible interval.
    p_above : float or None
        P(rate > limit); None if no limit was given.
    limit : float or None
        The limit.
    prior : tuple of float
        Parameters of the prior.
    a, b : float
        Parameters of the posterior.
    """

    mean: float
    interval: Interval
    p_above: float | None
    limit: float | None
    prior: tuple[float, float]
    a: float
    b: float


def beta_posterior(
    x: int,
    n: int,
    *,
    prior: tuple[float, float] = (1.0, 1.0),
    limit: float | None = None,
    level: float = 0.95,
) -> BetaPosterior:
    """Return the posterior of a rate: mean, credible interval, probability above a limit.

    Parameters
    ----------
    x : int
        Participants with the feature, 0 <= x <= n.
    n : int
        Participants, >= 1.
    prior : tuple of float
        Both parameters of the beta prior, > 0.
    limit : float, optional
        Rate whose exceedance is asked, 0 to 1, both excluded.
    level : float
        Credible level, 0 to 1, both excluded.

    Returns
    -------
    BetaPosterior
        Mean, interval, P(rate > limit), and the parameters.

    Raises
    ------
    ValueError
        If a count is illegal, x > n, a prior parameter is not > 0, or limit or level is not inside (0, 1).

    Examples
    --------
    >>> round(beta_posterior(1, 6, limit=1 / 3).p_above, 3)
    0.263
    """
    level = check_between(level, "level", low=0.0, high=1.0)
    if len(prior) != 2:
        raise ValueError(f"prior must be two parameters of a beta distribution; it is {prior!r}")
    first, second = (
        check_between(value, f"prior[{place}]", low=0.0, high=np.inf) for place, value in enumerate(prior)
    )
    if limit is not None:
        limit = check_between(limit, "limit", low=0.0, high=1.0)
    count, size = (float(values[0]) for values in _check_rates(_scalar(x, "x"), _scalar(n, "n")))
    a, b = first + count, second + size - count
    tail = (1.0 - level) / 2.0
    lower, upper = float(betaincinv(a, b, tail)), 1.0 - float(betaincinv(b, a, tail))
    above = None if limit is None else float(betaincc(a, b, limit))
    interval = Interval(lower, upper, level, "beta posterior, equal-tailed")
    return BetaPosterior(a / (a + b), interval, above, limit, (first, second), a, b)


def binomial_below(k: ArrayLike, n: ArrayLike, p: NDArray[Any] | float) -> Floats:
    """Return P(X <= k) of a binomial count.

    Parameters
    ----------
    k : array_like of int
        Count, -1 to n; shapes broadcast.
    n : array_like of int
        Size, >= 0.
    p : array_like of float
        Rate, 0 to 1.

    Returns
    -------
    array of float
        Probabilities.

    Raises
    ------
    None

    Examples
    --------
    >>> float(binomial_below(1, 3, 0.5))
    0.5
    """
    k, n = np.asarray(k), np.asarray(n)
    tail = betaincc(np.maximum(k + 1.0, 1.0), np.maximum(n - k, 1.0), p)
    below: Floats = np.where(k < 0, 0.0, np.where(k >= n, 1.0, tail))
    return below


def binomial_above(k: ArrayLike, n: ArrayLike, p: NDArray[Any] | float) -> Floats:
    """Return P(X >= k) of a binomial count.

    Parameters
    ----------
    k : array_like of int
        Count, 0 to n + 1; shapes broadcast.
    n : array_like of int
        Size, >= 0.
    p : array_like of float
        Rate, 0 to 1.

    Returns
    -------
    array of float
        Probabilities.

    Raises
    ------
    None

    Examples
    --------
    >>> float(binomial_above(2, 3, 0.5))
    0.5
    """
    k, n = np.asarray(k), np.asarray(n)
    tail = betainc(np.maximum(k, 1.0), np.maximum(n - k + 1.0, 1.0), p)
    above: Floats = np.where(k <= 0, 1.0, np.where(k > n, 0.0, tail))
    return above


def binomial_mass(k: ArrayLike, n: ArrayLike, p: NDArray[Any] | float) -> Floats:
    """Return P(X = k) of a binomial count.

    Parameters
    ----------
    k : array_like of int
        Count; 0 where it is none of 0 to n. Shapes broadcast.
    n : array_like of int
        Size, 0 to 1000.
    p : array_like of float
        Rate, 0 to 1.

    Returns
    -------
    array of float
        Probabilities, to 1e-14 of their value for sizes up to 60.

    Raises
    ------
    ValueError
        If a size is above 1000, where the number of ways is no double.

    Examples
    --------
    >>> binomial_mass([-1, 0, 1, 2, 3], 2, 0.5).tolist()
    [0.0, 0.25, 0.5, 0.25, 0.0]
    """
    k, n, p = np.asarray(k), np.asarray(n), np.asarray(p, dtype=np.float64)
    if np.any(n > LARGEST):
        raise ValueError(f"n must be at most {LARGEST}, found {n.max()}")
    inside = (k >= 0) & (k <= n)
    x = np.where(inside, k, 0)
    mass: Floats = np.where(inside, choose(n, x) * p**x * (1.0 - p) ** (n - x), 0.0)
    return mass


def _scalar(value: Any, name: str) -> Any:
    if np.ndim(value):
        raise ValueError(f"{name} must be a single number; it has shape {np.shape(value)}")
    return value


def _check_rates(x: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Return x and n as float arrays of one shape (k,)."""
    counts, sizes = check_counts(x, "x", least=0), check_counts(n, "n", least=1)
    check_same_length(counts, sizes, ("x", "n"))
    if np.any(counts > sizes):
        counts, sizes = np.broadcast_arrays(np.atleast_1d(counts), sizes)
        place = int(np.flatnonzero(counts > sizes)[0])
        at = f"[{place}]" if np.ndim(x) or np.ndim(n) else ""
        raise ValueError(f"x must be <= n; x{at} is {counts[place]:g} and n{at} is {sizes[place]:g}")
    if counts.shape != sizes.shape:
        counts, sizes = np.broadcast_arrays(counts, sizes)
    return np.atleast_1d(counts), np.atleast_1d(sizes)


def _score_lower(rate: Floats, n: Floats, tail: float) -> Floats:
    """Lower limit of the score test at an observed rate; the upper limit is its mirror."""
    z = -ndtri(tail)
    share = z * z / n
    inside = np.clip(rate, 0.0, 1.0)
    root = np.sqrt(inside * (1.0 - inside) * share + share * share / 4.0)
    signed = root if z >= 0 else -root
    lower: Floats = np.where(
        rate <= 0.0, 0.0, np.clip((inside + share / 2.0 - signed) / (1.0 + share), 0.0, 1.0)
    )
    return lower


def _midp_lower(x: Floats, n: Floats, tail: float) -> Floats:
    def rejected(p: Floats) -> Flags:
        return np.asarray((binomial_above(x, n, p) + binomial_above(x + 1.0, n, p)) / 2.0 < tail)

    low, high = _bisect(rejected, np.zeros_like(x), np.ones_like(x), 1e-14)
    return np.where(x > 0, (low + high) / 2.0, 0.0)


def _bisect(rejected: Callable[[Floats], Flags], outside: Floats, inside: Floats, width: float) -> Limits:
    """Halve every bracket (outside rejected, inside not) until it is narrower than width."""
    while np.max(np.abs(inside - outside), initial=0.0) > width:
        middle = (outside + inside) / 2.0
        out = rejected(middle)
        outside, inside = np.where(out, middle, outside), np.where(out, inside, middle)
    return outside, inside


def _log_mass(k: NDArray[Any] | float, n: NDArray[Any] | float, p: NDArray[Any] | float) -> Floats:
    """Logarithm of P(X = k)."""
    k, p = np.asarray(k), np.asarray(p)
    ways = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    mass: Floats = ways + xlogy(k, p) + xlog1py(n - k, -p)
    return mass


def _last_true(holds: Callable[[Floats], Flags], low: Floats, high: Floats) -> Floats:
    """Largest whole number in [low, high] with holds; low - 1 if none. It must hold up to a point only."""
    first, low, high = low, low - 1.0, high.astype(np.float64)
    while np.any(low < high):
        middle = np.ceil((low + high) / 2.0)
        good = holds(np.maximum(middle, first))
        open_ = low < high
        low, high = np.where(open_ & good, middle, low), np.where(open_ & ~good, middle - 1.0, high)
    return low


def _blaker_p(x: NDArray[Any] | float, n: float, p: NDArray[Any] | float) -> Floats:
    """Smaller tail of x plus the largest opposite tail that does not exceed it."""
    x, p = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(p, dtype=np.float64))
    below, above = binomial_below(x, n, p), binomial_above(x, n, p)
    low = below < above
    smaller = np.minimum(below, above)
    size = np.full_like(x, n)
    opposite_above = size - _last_true(
        lambda k: binomial_above(size - k, n, p) <= smaller * TIES, np.zeros_like(x), size - x - 1.0
    )
    opposite_below = _last_true(
        lambda k: binomial_below(k, n, p) <= smaller * TIES, np.zeros_like(x), x - 1.0
    )
    other = np.where(low, binomial_above(opposite_above, n, p), binomial_below(opposite_below, n, p))
    total: Floats = np.minimum(smaller + other, 1.0)
    return total


def _minlike_p(x: NDArray[Any] | float, n: float, p: NDArray[Any] | float) -> Floats:
    """Probability of all outcomes that are not more likely than x."""
    x, p = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(p, dtype=np.float64))
    mode = np.minimum(np.floor((n + 1.0) * p), n)
    size, bound = np.full_like(x, n), _log_mass(x, n, p) + np.log(TIES)
    left = _last_true(lambda k: _log_mass(k, n, p) <= bound, np.zeros_like(x), mode - 1.0)
    right = size - _last_true(
        lambda k: _log_mass(size - k, n, p) <= bound, np.zeros_like(x), size - mode - 1.0
    )
    total: Floats = binomial_below(left, n, p) + binomial_above(right, n, p)
    return np.where(bound >= _log_mass(mode, n, p), 1.0, np.minimum(total, 1.0))


def _hulls(x: Floats, n: Floats, error: float, p_value: Callable[..., Floats]) -> Limits:
    """Hull of {p: p-value > error}, once for every distinct pair."""
    pairs, place = np.unique(np.stack([x, n]), axis=1, return_inverse=True)
    found = np.array([_hull(a, b, error, p_value) for a, b in pairs.T.tolist()]).reshape(-1, 2)
    chosen = found[place.ravel()]
    return chosen[:, 0].copy(), chosen[:, 1].copy()


def _hull(x: float, n: float, error: float, p_value: Callable[..., Floats]) -> list[float]:
    """Hull for one pair: grid on an interval that surely holds the set, then bisection of both ends."""
    # An accepted rate has P(X = x) > error/(n + 1), hence a one-sided tail above it.
    ends = clopper_pearson(np.array([x]), np.array([n]), error / (n + 1.0))
    grid = np.sort(np.append(np.linspace(ends[0][0], ends[1][0], GRID), x / n))
    accepted = np.flatnonzero(p_value(x, n, grid) > error)
    inside = grid[[accepted[0], accepted[-1]]]
    outside = grid[[max(accepted[0] - 1, 0), min(accepted[-1] + 1, GRID)]]
    outer, inner = _bisect(lambda p: p_value(x, n, p) <= error, outside, inside, 1e-11)
    return list((outer + inner) / 2.0)
