"""Two rates: intervals of their difference and of their ratios, by score, Wilson hybrid and exact inversion."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import chdtri, gammaln, ndtri

from interim.stats.answers import Floats, Interval, Status
from interim.stats.inputs import check_between, check_choice, check_pair

DIFFERENCE_INTERVALS = ("miettinen_nurminen", "mee", "newcombe", "exact_score")
RATIO_SCALES = ("risk", "odds")
_XTOL = 1e-12
_NUISANCE = np.linspace(0.0, 1.0, 1001)
_GRID = 401
_SLACK = 1e-9
_TINY = 1e-307

Pair: TypeAlias = tuple[int, int, int, int]
Counts: TypeAlias = tuple[int | Floats, int | Floats, int, int]


def difference_interval(
    x: ArrayLike, n: ArrayLike, *, method: str = "miettinen_nurminen", level: float = 0.95
) -> Interval:
    """Return the interval of the difference of two rates, first minus second.

    Parameters
    ----------
    x, n : array_like of int, shape (2,)
        Events and participants of the first and second group.
    method : {"miettinen_nurminen", "mee", "newcombe", "exact_score"}
        Rule.
    level : float
        Confidence level, 0 to 1, both excluded.

    Returns
    -------
    Interval
        Limits within [-1, 1].

    Raises
    ------
    ValueError
        If counts, method or level are illegal.

    Notes
    -----
    miettinen_nurminen and mee hold all differences that the score test accepts, with and without the factor N/(N-1).
    newcombe joins the Wilson limits of both rates. exact_score inverts the exact unconditional test that orders by the
    score statistic.

    References
    ----------
    Miettinen and Nurminen 1985; Mee 1984; Newcombe 1998; Chan and Zhang 1999.

    Examples
    --------
    >>> found = difference_interval((7, 2), (12, 14))
    >>> round(found.lower, 4), round(found.upper, 4)
    (0.0683, 0.7144)
    """
    pair = check_pair(x, n)
    check_choice(method, "method", DIFFERENCE_INTERVALS)
    level = check_between(level, "level", low=0.0, high=1.0)
    if method == "newcombe":
        lower, upper = _newcombe(pair, level)
    elif method == "exact_score":
        lower, upper = _exact_score(pair, level)
    else:
        total = pair[2] + pair[3]
        factor = total / (total - 1) if method == "miettinen_nurminen" else 1.0
        lower, upper = _score_limits(pair, level, factor)
    return Interval(lower, upper, level, method)


def constrained_rates(pair: Counts, difference: Floats) -> tuple[Floats, Floats]:
    """Return the maximum likelihood estimates of both rates at a given difference.

    Parameters
    ----------
    pair : tuple
        x1, x0, n1, n0; the counts x1 and x0 may be arrays.
    difference : ndarray of float
        p1 - p0; it broadcasts with the counts.

    Returns
    -------
    tuple of ndarray
        p1 and p0 at each difference, within [0, 1].

    Raises
    ------
    None
    """
    x1, x0, n1, n0 = pair
    d, total = np.asarray(difference, dtype=np.float64), n1 + n0
    l2 = (n1 + 2.0 * n0) * d - total - (x1 + x0)
    l1 = (n0 * d - total - 2.0 * x0) * d + x1 + x0
    l0 = x0 * d * (1.0 - d)
    q = (l2 / (3.0 * total)) ** 3 - l1 * l2 / (6.0 * total**2) + l0 / (2.0 * total)
    root = np.sqrt(np.maximum((l2 / (3.0 * total)) ** 2 - l1 / (3.0 * total), 0.0))
    s = np.where(q >= 0.0, root, -root)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.where(s == 0.0, 0.0, q / s**3)
    u = (math.pi + np.arccos(np.clip(cosine, -1.0, 1.0))) / 3.0
    p0 = np.clip(2.0 * s * np.cos(u) - l2 / (3.0 * total), 0.0, 1.0)
    return np.clip(p0 + d, 0.0, 1.0), p0


def _score_square(pair: Counts, difference: Floats, factor: float) -> Floats:
    """Squared score statistic; 0/0 counts as 0."""
    x1, x0, n1, n0 = pair
    p1, p0 = constrained_rates(pair, difference)
    variance = (p1 * (1.0 - p1) / n1 + p0 * (1.0 - p0) / n0) * factor
    gap = (x1 / n1 - x0 / n0 - difference) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        value = gap / variance
    return np.where(gap < 1e-24, 0.0, np.where(variance <= 0.0, np.inf, value))


def _score_limits(pair: Pair, level: float, factor: float) -> tuple[float, float]:
    limit = float(chdtri(1, 1.0 - level))
    estimate = pair[0] / pair[2] - pair[1] / pair[3]

    def excess(d: float) -> float:
        value = float(_score_square(pair, np.array(d), factor))
        return min(value, 1e12) - limit

    return _outer_roots(excess, estimate, (-1.0, 1.0))


def _outer_roots(
    excess: Callable[[float], float], estimate: float, ends: tuple[float, float]
) -> tuple[float, float]:
    """Return where ``excess`` changes sign on each side of the estimate; the end where it does not."""
    found = []
    for end in ends:
        inside = estimate
        if excess(end) <= 0.0 or inside == end:
            found.append(end)
            continue
        found.append(float(brentq(excess, inside, end, xtol=_XTOL)))
    return found[0], found[1]


def _wilson(x: int, n: int, level: float) -> tuple[float, float]:
    z2 = float(ndtri((1.0 + level) / 2.0)) ** 2
    middle = (x + z2 / 2.0) / (n + z2)
    half = math.sqrt(z2 * (x * (n - x) / n + z2 / 4.0)) / (n + z2)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _newcombe(pair: Pair, level: float) -> tuple[float, float]:
    x1, x0, n1, n0 = pair
    p1, p0 = x1 / n1, x0 / n0
    l1, u1 = _wilson(x1, n1, level)
    l0, u0 = _wilson(x0, n0, level)
    d = p1 - p0
    return d - math.hypot(p1 - l1, u0 - p0), d + math.hypot(u1 - p1, p0 - l0)


def _exact_score(pair: Pair, level: float) -> tuple[float, float]:
    """Hull of the differences that the exact unconditional score test accepts."""
    error = 1.0 - level

    def accepted(d: float) -> bool:
        return _exact_p(pair, d) > error

    grid = [float(d) for d in np.linspace(-1.0, 1.0, _GRID)]
    first = next((place for place in range(_GRID) if accepted(grid[place])), None)
    if first is None:
        estimate = pair[0] / pair[2] - pair[1] / pair[3]
        return estimate, estimate
    last = next(place for place in range(_GRID - 1, -1, -1) if accepted(grid[place]))
    lower = -1.0 if first == 0 else _edge(accepted, grid[first], grid[first - 1])
    upper = 1.0 if last == _GRID - 1 else _edge(accepted, grid[last], grid[last + 1])
    return lower, upper


def _edge(accepted: Callable[[float], bool], inside: float, outside: float) -> float:
    while abs(outside - inside) > 1e-7:
        middle = (inside + outside) / 2.0
        inside, outside = (middle, outside) if accepted(middle) else (inside, middle)
    return (inside + outside) / 2.0


def _exact_p(pair: Pair, d: float) -> float:
    """Largest probability, over the nuisance rate, of a score statistic at least as large as the observed one."""
    x1, x0, n1, n0 = pair
    low, high = max(0.0, -d), min(1.0, 1.0 - d)
    p0 = low + (high - low) * _NUISANCE
    outcomes = np.arange(n1 + 1.0)[:, None], np.arange(n0 + 1.0)[None, :]
    square = _score_square((*outcomes, n1, n0), np.array(d), 1.0)
    extreme = square >= min(float(square[x1, x0]), 1e300) * (1.0 - _SLACK)
    mass1, mass0 = binomial_masses(n1, p0 + d), binomial_masses(n0, p0)
    return float(((mass1 @ extreme.astype(np.float64)) * mass0).sum(axis=1).max())


def binomial_masses(n: int, p: Floats) -> Floats:
    """Return binomial probabilities, one row per rate.

    Parameters
    ----------
    n : int
        Participants.
    p : ndarray of float, shape (r,)
        Rates; clipped to [0, 1].

    Returns
    -------
    ndarray of float, shape (r, n + 1)
        Probabilities of 0 to n events.

    Raises
    ------
    None
    """
    k = np.arange(n + 1, dtype=np.float64)
    log_choose = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    rate = np.clip(p, 0.0, 1.0)
    logs = np.log(np.maximum(np.stack([rate, 1.0 - rate], axis=1), _TINY))
    masses: Floats = logs @ np.stack([k, n - k])
    masses += log_choose
    np.exp(masses, out=masses)
    return masses


def ratio_interval(x: ArrayLike, n: ArrayLike, *, scale: str = "risk", level: float = 0.95) -> Interval:
    """Return the score interval of the ratio of two rates or of their odds, first over second.

    Parameters
    ----------
    x, n : array_like of int, shape (2,)
        Events and participants of the first and second group.
    scale : {"risk", "odds"}
        Ratio of rates or of odds.
    level : float
        Confidence level, 0 to 1, both excluded.

    Returns
    -------
    Interval
        Limits >= 0; the upper one may be infinite (INF, CI_UNBOUNDED). Without an event in either group (0, inf) with
        status NE (NO_EVENTS); on the odds scale also when all had the event (ALL_EVENTS).

    Raises
    ------
    ValueError
        If counts, scale or level are illegal.

    Notes
    -----
    The score variance carries the factor N/(N-1); no further correction.

    References
    ----------
    Miettinen and Nurminen 1985.
    """
    pair = check_pair(x, n)
    check_choice(scale, "scale", RATIO_SCALES)
    level = check_between(level, "level", low=0.0, high=1.0)
    method = f"miettinen_nurminen_{scale}"
    x1, x0, n1, n0 = pair
    none, everyone = x1 + x0 == 0, x1 + x0 == n1 + n0 and scale == "odds"
    if none or everyone:
        return Interval(0.0, math.inf, level, method, "NE", "NO_EVENTS" if none else "ALL_EVENTS")
    score = _risk_score if scale == "risk" else _odds_score
    limit = float(ndtri((1.0 + level) / 2.0))
    lower = _ratio_root(lambda t: score(pair, math.exp(t)) - limit)
    upper = _ratio_root(lambda t: score(pair, math.exp(t)) + limit)
    low, high = math.exp(lower), math.exp(upper) if upper < _WIDEST else math.inf
    status: Status = "INF" if math.isinf(high) else "OK"
    return Interval(
        0.0 if lower <= -_WIDEST else low,
        high,
        level,
        method,
        status,
        "CI_UNBOUNDED" if math.isinf(high) else "",
    )


_WIDEST = 40.0


def _ratio_root(excess: Callable[[float], float]) -> float:
    """Return the log ratio where a falling function crosses 0; an end of the range if it does not."""
    if excess(-_WIDEST) <= 0.0:
        return -_WIDEST
    if excess(_WIDEST) >= 0.0:
        return _WIDEST
    return float(brentq(excess, -_WIDEST, _WIDEST, xtol=_XTOL))


def _risk_score(pair: Pair, ratio: float) -> float:
    """Signed score statistic of p1 = ratio p0."""
    x1, x0, n1, n0 = pair
    total = n1 + n0
    a, b, c = total * ratio, -(n1 * ratio + x1 + n0 + x0 * ratio), float(x1 + x0)
    p0 = 2.0 * c / (-b + math.sqrt(max(b * b - 4.0 * a * c, 0.0)))
    p0 = min(max(p0, 0.0), min(1.0, 1.0 / ratio))
    p1 = min(ratio * p0, 1.0)
    variance = (p1 * (1.0 - p1) / n1 + ratio**2 * p0 * (1.0 - p0) / n0) * total / (total - 1.0)
    return _signed(x1 / n1 - ratio * x0 / n0, variance)


def _odds_score(pair: Pair, odds: float) -> float:
    """Signed score statistic of odds1 = ratio x odds0."""
    x1, x0, n1, n0 = pair
    total, events = n1 + n0, x1 + x0
    p0 = _second_rate(odds, n1, n0, events)
    q0 = _second_rate(1.0 / odds, n1, n0, total - events)
    p1, q1 = (part / (q0 + p0 * odds) for part in (p0 * odds, q0))
    v1, v0 = n1 * p1 * q1, n0 * p0 * q0
    information = v1 * v0 / (v1 + v0) if v1 + v0 > 0.0 else 0.0
    gap = x1 * q1 - (n1 - x1) * p1
    return _signed(gap, information * total / (total - 1.0))


def _second_rate(odds: float, n1: int, n0: int, events: int) -> float:
    """Rate of the second group under an odds ratio, all events given; exact also where it is tiny."""
    a, b, c = n0 * (odds - 1.0), n1 * odds + n0 - events * (odds - 1.0), -float(events)
    root = math.sqrt(b * b - 4.0 * a * c)
    rate = -2.0 * c / (b + root) if b >= 0.0 else (root - b) / (2.0 * a)
    return min(max(rate, 0.0), 1.0)


def _signed(gap: float, variance: float) -> float:
    if gap == 0.0 or (variance <= 0.0 and abs(gap) < 1e-14):
        return 0.0
    return math.copysign(1e12, gap) if variance <= 0.0 else gap / math.sqrt(variance)
