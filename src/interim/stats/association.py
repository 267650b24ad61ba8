"""Contingency tables: exact tests that condition on the margins, and the conditional odds ratio."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import gammaln

from interim.stats.answers import Floats, Interval, Status, TestResult
from interim.stats.inputs import check_between, check_choice, check_counts, check_pair

TIE = 1e-7
_SIDES = ("minlike", "central", "blaker")
_WIDEST = 60.0
_SLACK = 1e-9


@dataclass(frozen=True)
class OddsRatio:
    """Conditional maximum likelihood odds ratio with exact limits.

    Attributes
    ----------
    estimate : float
        Odds of the first over odds of the second group; NaN with status NE, inf with INF.
    interval : Interval
        Central exact limits.
    status, reason : str
        Of the estimate.
    """

    estimate: float
    interval: Interval
    status: Status = "OK"
    reason: str = ""


def fisher_test(x: ArrayLike, n: ArrayLike, *, two_sided: str = "minlike", midp: bool = False) -> TestResult:
    """Return Fisher's exact test of two rates.

    Parameters
    ----------
    x, n : array_like of int, shape (2,)
        Events and participants of the first and second group.
    two_sided : {"minlike", "central", "blaker"}
        Definition of the two-sided p-value: tables at most as likely as the observed one; twice the smaller tail; smaller
        tail plus the largest opposite tail that is not larger.
    midp : bool
        Whether the observed table (for minlike every table of the same probability) counts half.

    Returns
    -------
    TestResult
        statistic: events of the first group; p_less and p_greater for its rate.

    Raises
    ------
    ValueError
        If counts or definition are illegal.

    References
    ----------
    Fisher 1935; Blaker 2000; Hirji 2006.

    Examples
    --------
    >>> round(fisher_test((3, 0), (9, 9)).p_value, 6)
    0.205882
    """
    x1, x0, n1, n0 = check_pair(x, n)
    check_choice(two_sided, "two_sided", _SIDES)
    first, masses = _hypergeometric(n1, n0, x1 + x0)
    place = x1 - first
    values = [_two_sided(masses, k, two_sided, midp) for k in range(len(masses))]
    half = masses[place] / 2.0 if midp else 0.0
    less, greater = float(masses[: place + 1].sum() - half), float(masses[place:].sum() - half)
    codes = "NO_EVENTS" if x1 + x0 == 0 else "ALL_EVENTS" if x1 + x0 == n1 + n0 else ""
    return TestResult(
        float(x1),
        values[place],
        min(less, 1.0),
        min(greater, 1.0),
        min(values),
        two_sided,  # type: ignore[arg-type]
        True,
        len(masses),
        status="FLAG" if codes else "OK",
        reason=codes,
    )


@lru_cache(maxsize=1024)
def _hypergeometric(n1: int, n0: int, events: int) -> tuple[int, Floats]:
    """Smallest possible count of the first group, and the probabilities of all of them."""
    first, last = max(0, events - n0), min(n1, events)
    k = np.arange(first, last + 1, dtype=np.float64)
    log_mass = _log_choose(n1, k) + _log_choose(n0, events - k)
    masses = np.exp(log_mass - log_mass.max())
    masses /= masses.sum()
    masses.setflags(write=False)
    return first, masses


def _log_choose(n: float, k: Floats) -> Floats:
    value: Floats = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return value


def _two_sided(masses: Floats, place: int, definition: str, midp: bool) -> float:
    below, above = float(masses[: place + 1].sum()), float(masses[place:].sum())
    half = float(masses[place]) / 2.0 if midp else 0.0
    if definition == "central":
        return min(1.0, 2.0 * min(below - half, above - half))
    if definition == "minlike":
        limit = masses[place] * (1.0 + TIE)
        same = masses[np.abs(masses - masses[place]) <= TIE * masses[place]].sum()
        return min(1.0, float(masses[masses <= limit].sum()) - (float(same) / 2.0 if midp else 0.0))
    smaller = min(below, above)
    tails = np.cumsum(masses[::-1])[::-1] if below <= above else np.cumsum(masses)
    other = tails[tails <= smaller * (1.0 + TIE)]
    return min(1.0, smaller - half + (float(other.max()) if len(other) else 0.0))


def conditional_odds_ratio(
    x: ArrayLike, n: ArrayLike, *, midp: bool = False, level: float = 0.95
) -> OddsRatio:
    """Return the conditional maximum likelihood odds ratio with exact central limits.

    Parameters
    ----------
    x, n : array_like of int, shape (2,)
        Events and participants of the first and second group.
    midp : bool
        Whether the observed table counts half in both tails.
    level : float
        Confidence level, 0 to 1, both excluded.

    Returns
    -------
    OddsRatio
        NE with NO_EVENTS or ALL_EVENTS if the margins leave one table only.

    Raises
    ------
    ValueError
        If counts or level are illegal.

    References
    ----------
    Cornfield 1956.
    """
    x1, x0, n1, n0 = check_pair(x, n)
    level = check_between(level, "level", low=0.0, high=1.0)
    first, masses = _hypergeometric(n1, n0, x1 + x0)
    method = "central_midp" if midp else "central"
    if len(masses) == 1:
        reason = "NO_EVENTS" if x1 + x0 == 0 else "ALL_EVENTS"
        open_ends = Interval(0.0, math.inf, level, method, "NE", reason)
        return OddsRatio(math.nan, open_ends, "NE", reason)
    place, error = x1 - first, (1.0 - level) / 2.0
    weight = 0.5 if midp else 1.0

    def tail(log_odds: float, upper: bool) -> float:
        p = _tilted(masses, log_odds)
        beyond = p[place + 1 :].sum() if upper else p[:place].sum()
        return float(beyond + weight * p[place]) - error

    at_low, at_high = place == 0, place == len(masses) - 1
    lower = 0.0 if at_low else math.exp(_root(lambda t: tail(t, True)))
    upper = math.inf if at_high else math.exp(_root(lambda t: tail(t, False)))
    k = np.arange(len(masses), dtype=np.float64)
    if at_low or at_high:
        estimate = 0.0 if at_low else math.inf
    else:
        estimate = math.exp(_root(lambda t: float(_tilted(masses, t) @ k) - place))
    status: Status = "INF" if math.isinf(upper) else "OK"
    interval = Interval(lower, upper, level, method, status, "CI_UNBOUNDED" if math.isinf(upper) else "")
    return OddsRatio(
        estimate,
        interval,
        "INF" if math.isinf(estimate) else "OK",
        "CI_UNBOUNDED" if math.isinf(estimate) else "",
    )


def _tilted(masses: Floats, log_odds: float) -> Floats:
    with np.errstate(divide="ignore"):
        logs = np.log(masses) + log_odds * np.arange(len(masses))
    tilted = np.exp(logs - logs.max())
    value: Floats = tilted / tilted.sum()
    return value


def _root(function: Callable[[float], float]) -> float:
    return float(brentq(function, -_WIDEST, _WIDEST, xtol=1e-13))


def smallest_p(x_total: int, n_levels: ArrayLike) -> float:
    """Return the smallest two-sided p-value that a table with these margins could reach.

    Parameters
    ----------
    x_total : int
        Events in all.
    n_levels : array_like of int, shape (k,)
        Participants per level.

    Returns
    -------
    float
        Smallest Freeman-Halton p-value; 1 if nobody or everybody had the event.

    Raises
    ------
    ValueError
        If a count is illegal.

    Examples
    --------
    >>> round(smallest_p(3, [6, 6]), 4)
    0.1818
    """
    sizes = check_counts(n_levels, "n_levels", least=0)
    total = int(check_counts(x_total, "x_total", least=0))
    if total > sizes.sum():
        raise ValueError(
            f"x_total must be <= the participants in all levels; it is {total} of {sizes.sum():g}"
        )
    masses = level_masses(total, tuple(int(n) for n in sizes))
    least = masses.min()
    return min(1.0, float(masses[masses <= least * (1.0 + TIE)].sum()))


@lru_cache(maxsize=256)
def level_masses(total: int, sizes: tuple[int, ...]) -> Floats:
    """Return the probabilities of all distributions of the events over the levels, margins fixed.

    Parameters
    ----------
    total : int
        Events in all.
    sizes : tuple of int
        Participants per level.

    Returns
    -------
    ndarray of float
        One entry per table; sums to 1.

    Raises
    ------
    None
    """
    logs = {0: np.zeros(1)}
    rest = sum(sizes)
    for n in sizes:
        rest -= n
        grown: dict[int, list[Floats]] = {}
        weights = _log_choose(n, np.arange(n + 1, dtype=np.float64))
        for used, part in logs.items():
            for k in range(max(0, total - used - rest), min(n, total - used) + 1):
                grown.setdefault(used + k, []).append(part + weights[k])
        logs = {used: np.concatenate(parts) for used, parts in grown.items()}
    values = logs[total]
    masses: Floats = np.exp(values - values.max())
    masses /= masses.sum()
    masses.setflags(write=False)
    return masses


def chance_of_gap(x_total: int, n: ArrayLike, *, gap: float) -> float:
    """Return how often a random split of the participants alone shows a difference of the two rates.

    Parameters
    ----------
    x_total : int
        Events in all.
    n : array_like of int, shape (2,)
        Participants in the two parts, >= 1.
    gap : float
        Smallest absolute difference of the rates that counts, 0 to 1.

    Returns
    -------
    float
        Probability that the difference is at least ``gap`` when nothing distinguishes the parts.

    Raises
    ------
    ValueError
        If a count or the gap is illegal.

    Examples
    --------
    >>> round(chance_of_gap(3, (6, 6), gap=0.4), 6)
    0.181818
    """
    sizes = check_counts(n, "n", least=1)
    total = int(check_counts(x_total, "x_total", least=0))
    gap = check_between(gap, "gap", low=0.0, high=1.0, closed=True)
    if sizes.shape != (2,) or total > sizes.sum():
        raise ValueError(
            f"n must hold two parts with at least x_total participants; found n = {sizes.tolist()}, x_total = {total}"
        )
    n1, n0 = (int(size) for size in sizes)
    first, masses = _hypergeometric(n1, n0, total)
    k = first + np.arange(len(masses))
    difference = np.abs(k / n1 - (total - k) / n0)
    return float(masses[difference >= gap - _SLACK].sum())
