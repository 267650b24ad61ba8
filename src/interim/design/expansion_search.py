"""Searches for response designs within limits: two stages, monitored by posterior or by predictive probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import betaln, gammaln

from interim.design.expansion import NO_STOP, Infeasible, Monitored, two_stages
from interim.errors import DesignError
from interim.stats.answers import Floats, Integers
from interim.stats.binomial import binomial_above, binomial_mass
from interim.stats.posterior import beta_tail

Criterion = Literal["optimal", "minimax"]
_LAM = np.arange(50, 100) / 100.0
_GAMMA_STEP = 10
_DIGITS = 12


@dataclass(frozen=True)
class TwoStage:
    """A two-stage design with its characteristics.

    Attributes
    ----------
    n1, r1, n, r : int
        Stop with at most r1 responses of n1; go with more than r of n.
    expected_n, p_stop : float
        Expected participants and probability of early stop at p0.
    alpha, power : float
        Probability of a go at p0 and at p1.
    """

    n1: int
    r1: int
    n: int
    r: int
    expected_n: float
    p_stop: float
    alpha: float
    power: float

    def monitored(self, name: str = "") -> Monitored:
        """Return the design as looks and boundaries.

        Parameters
        ----------
        name : str
            Name of the design.

        Returns
        -------
        Monitored
            The design.

        Raises
        ------
        None
        """
        return two_stages(self.n1, self.r1, n=self.n, r=self.r, name=name)


@dataclass(frozen=True, eq=False)
class _Tables:
    """Binomial masses and upper tails P(X > k) for all sizes, at p0 and p1."""

    mass: Floats
    above: Floats

    @classmethod
    def of(cls, p0: float, p1: float, n_max: int) -> _Tables:
        sizes, counts = np.arange(n_max + 1)[:, None], np.arange(n_max + 1)[None, :]
        rates = np.array([p0, p1])[:, None, None]
        return cls(binomial_mass(counts, sizes, rates), binomial_above(counts + 1, sizes, rates))

    def go(self, n1: int, n: int, most: int) -> Floats:
        """P(go) for r1 = 0..most, r = 0..most at both rates, shape (2, most + 1, most + 1)."""
        first = np.arange(most + 1)
        rest = first[None, :] - first[:, None]
        second = np.where(rest >= 0, self.above[:, n - n1, np.maximum(rest, 0)], 1.0)
        parts = self.mass[:, n1, : most + 1, None] * second
        later = np.flip(np.cumsum(np.flip(parts, axis=1), axis=1), axis=1)
        beyond = self.above[:, n1, most][:, None, None]
        later = np.concatenate([later[:, 1:], np.zeros_like(later[:, :1])], axis=1)
        return np.asarray(later + beyond)


def _asked(p0: float, p1: float, alpha: float, beta: float) -> None:
    if not 0.0 < p0 < p1 < 1.0:
        raise DesignError(f"rates must satisfy 0 < p0 < p1 < 1; found p0 {p0:g}, p1 {p1:g}")
    if not (0.0 < alpha < 1.0 and 0.0 < beta < 1.0):
        raise DesignError(f"alpha and beta must be between 0 and 1; found {alpha:g}, {beta:g}")


@dataclass(frozen=True)
class _Limits:
    alpha: float
    beta: float
    n1_min: int
    n_min: int
    n_max: int


def two_stage(
    p0: float,
    p1: float,
    *,
    alpha: float,
    beta: float,
    criterion: Criterion = "optimal",
    sizes: tuple[int, int, int] = (1, 2, 100),
) -> TwoStage | Infeasible:
    """Return the two-stage design with the smallest expected size at p0, or with the smallest size.

    Parameters
    ----------
    p0, p1 : float
        Rate of no interest and rate of interest.
    alpha, beta : float
        Largest probabilities of a false go and of a missed one.
    criterion : {"optimal", "minimax"}
        Smallest expected size at p0, or smallest total size (then smallest expected size).
    sizes : tuple of int
        Smallest first stage, smallest and largest total size.

    Returns
    -------
    TwoStage or Infeasible
        The design; Infeasible with the best attainable power if there is none.

    Raises
    ------
    DesignError
        If the rates or limits are illegal.

    References
    ----------
    Simon 1989.

    Examples
    --------
    >>> found = two_stage(0.05, 0.25, alpha=0.05, beta=0.2)
    >>> (found.r1, found.n1, found.r, found.n)
    (0, 9, 2, 17)
    """
    _asked(p0, p1, alpha, beta)
    limits = _Limits(alpha, beta, *sizes)
    tables = _Tables.of(p0, p1, limits.n_max)
    best: TwoStage | None = None
    for n in range(limits.n_min, limits.n_max + 1):
        ceiling = np.inf if best is None else best.expected_n
        found = _best_of_size(tables, n, limits, ceiling)
        best = found or best
        if best is not None and criterion == "minimax":
            return best
    return best or _infeasible(tables, limits, (p0, p1))


def admissible(
    p0: float, p1: float, *, alpha: float, beta: float, sizes: tuple[int, int, int] = (1, 2, 100)
) -> tuple[TwoStage, ...]:
    """Return the two-stage designs that minimise a weighted mean of total and expected size for some weight.

    Parameters
    ----------
    p0, p1 : float
        Rate of no interest and rate of interest.
    alpha, beta : float
        Largest probabilities of a false go and of a missed one.
    sizes : tuple of int
        Smallest first stage, smallest and largest total size.

    Returns
    -------
    tuple of TwoStage
        From the minimax to the optimal design; empty if there is none.

    Raises
    ------
    DesignError
        If the rates or limits are illegal.

    References
    ----------
    Jung, Lee, Kim and George 2004.
    """
    _asked(p0, p1, alpha, beta)
    limits = _Limits(alpha, beta, *sizes)
    tables = _Tables.of(p0, p1, limits.n_max)
    better: list[TwoStage] = []
    for n in range(limits.n_min, limits.n_max + 1):
        found = _best_of_size(tables, n, limits, better[-1].expected_n if better else np.inf)
        if found is not None:
            better.append(found)
    hull: list[TwoStage] = []
    for design in better:
        while len(hull) > 1 and _slope(hull[-2], design) <= _slope(hull[-2], hull[-1]):
            hull.pop()
        hull.append(design)
    return tuple(hull)


def _slope(first: TwoStage, second: TwoStage) -> float:
    return (second.expected_n - first.expected_n) / (second.n - first.n)


def _best_of_size(tables: _Tables, n: int, limits: _Limits, ceiling: float) -> TwoStage | None:
    """Smallest expected size below a ceiling among the designs of one total size."""
    # Two stages have no more power than one with the same r, hence no larger r can do.
    most = int(np.count_nonzero(tables.above[1, n, :n] >= 1.0 - limits.beta)) - 1
    best: TwoStage | None = None
    for n1 in range(limits.n1_min, n if most >= 0 else 0):
        if n1 >= ceiling:
            break
        found = _best_split(tables, n1, n, most=most, limits=limits)
        if found is not None and found.expected_n < ceiling:
            best, ceiling = found, found.expected_n
    return best


def _best_split(tables: _Tables, n1: int, n: int, *, most: int, limits: _Limits) -> TwoStage | None:
    """Smallest expected size for given stages; of several r the smallest."""
    go = tables.go(n1, n, most)
    good = (go[0] <= limits.alpha) & (go[1] >= 1.0 - limits.beta)
    if not good.any():
        return None
    r1 = int(np.flatnonzero(good.any(axis=1))[-1])
    # With r below r1 the second stage could not fail: the same design, written with r = r1.
    r = max(int(np.argmax(good[r1])), r1)
    stop = float(1.0 - tables.above[0, n1, r1])
    size = n1 + (1.0 - stop) * (n - n1)
    return TwoStage(n1, r1, n, r, size, stop, float(go[0, r1, r]), float(go[1, r1, r]))


def _infeasible(tables: _Tables, limits: _Limits, rates: tuple[float, float]) -> Infeasible:
    best = 0.0
    for n in range(limits.n_min, limits.n_max + 1):
        for n1 in range(limits.n1_min, n):
            go = tables.go(n1, n, n)
            best = max(best, float(go[1][go[0] <= limits.alpha].max(initial=0.0)))
    reason = (
        f"no two-stage design with at most {limits.n_max} participants and a first stage of at least {limits.n1_min} "
        f"has a false go <= {limits.alpha:g} at {rates[0]:g} and power >= {1 - limits.beta:g} at {rates[1]:g}"
    )
    return Infeasible(reason, best)


def bop2(
    p0: float,
    p1: float,
    *,
    n_max: int,
    looks: tuple[int, ...],
    alpha: float,
    gamma_max: float = 3.0,
) -> BayesOptimal | Infeasible:
    """Return the design whose posterior cut rises with the size, with the largest power within a limit of false go.

    Parameters
    ----------
    p0, p1 : float
        Rate of no interest and rate of interest.
    n_max : int
        Full size.
    looks : tuple of int
        Interim sizes.
    alpha : float
        Largest probability of a false go.
    gamma_max : float
        Largest power of the share n/N.

    Returns
    -------
    BayesOptimal or Infeasible
        The design.

    Raises
    ------
    DesignError
        If rates, limit or looks are illegal.

    Notes
    -----
    Stop if P(p > p0) < lam (n/N)^gamma under Beta(p0, 1 - p0), go at N if it is at least lam; lam 0.50 to 0.99 by 0.01, gamma
    0 to the largest by 0.1; ties go to the smaller expected size at p0, then to the smaller lam and gamma.

    References
    ----------
    Zhou, Lee and Yuan 2017.
    """
    _asked(p0, p1, alpha, 0.5)
    Monitored(n_max, looks, (NO_STOP,) * len(looks), 0)
    gammas = np.arange(round(gamma_max * _GAMMA_STEP) + 1) / _GAMMA_STEP
    pairs = np.array([(lam, gamma) for lam in _LAM for gamma in gammas])
    bounds = np.stack([_least(p0, n, pairs, n / n_max) for n in (*looks, n_max)], axis=1)
    unique, first = np.unique(bounds, axis=0, return_index=True)
    # A boundary set is known by the first pair that gives it: the smallest lam, then the smallest gamma.
    order = np.argsort(first)
    unique, first = unique[order], first[order]
    p_go, size = _monitored(unique, (*looks, n_max), np.array([p0, p1]))
    within = np.flatnonzero((p_go[:, 0] <= alpha) & (p_go[:, 1] > 0.0))
    if not len(within):
        return Infeasible(f"no boundary has a false go <= {alpha:g} at {p0:g} with N = {n_max}", 0.0)
    rank = np.lexsort((first[within], size[within, 0].round(_DIGITS), -p_go[within, 1].round(_DIGITS)))
    chosen = int(within[rank[0]])
    stops = np.maximum.accumulate(unique[chosen, :-1] - 1)
    design = Monitored(n_max, looks, tuple(int(r) for r in stops), int(unique[chosen, -1]), f"bop2_{n_max}")
    lam, gamma = pairs[first[chosen]]
    return BayesOptimal(design, float(lam), float(gamma))


@dataclass(frozen=True)
class BayesOptimal:
    """A design found by `bop2`.

    Attributes
    ----------
    design : Monitored
        Looks and boundaries.
    lam, gamma : float
        The smallest pair that gives them.
    """

    design: Monitored
    lam: float
    gamma: float


def _least(p0: float, n: int, pairs: Floats, share: float) -> Integers:
    """Fewest responses with P(p > p0) not below the cut, for every pair; n + 1 if no count does."""
    tail = beta_tail(np.arange(n + 1), n, limit=p0, prior=(p0, 1.0 - p0))
    cut = pairs[:, 0] * share ** pairs[:, 1]
    found: Integers = np.searchsorted(tail, cut, side="left")
    return found


def _monitored(bounds: Integers, sizes: tuple[int, ...], rates: Floats) -> tuple[Floats, Floats]:
    """P(go) and expected size of many boundary sets at once, shape (sets, rates)."""
    n_max = sizes[-1]
    counts = np.arange(n_max + 1)
    state = np.zeros((len(bounds), len(rates), n_max + 1))
    state[:, :, 0] = 1.0
    expected, before = np.zeros((len(bounds), len(rates))), 0
    for place, n in enumerate(sizes):
        expected += (n - before) * state.sum(axis=2)
        step = np.array([[binomial_mass(counts - r, n - before, rate) for r in counts] for rate in rates])
        state = np.einsum("spr,prq->spq", state, step)
        state = np.where(counts >= bounds[:, place, None, None], state, 0.0)
        before = n
    return state.sum(axis=2), expected


def predictive(
    n_max: int, looks: tuple[int, ...], *, p0: float, theta_l: float = 0.05, theta_t: float = 0.90
) -> Monitored:
    """Return the design that stops when success at the full size has become improbable.

    Parameters
    ----------
    n_max : int
        Full size.
    looks : tuple of int
        Interim sizes.
    p0 : float
        Rate of no interest.
    theta_l : float
        Stop if the predictive probability of success is below.
    theta_t : float
        Success at the full size: P(p > p0) above.

    Returns
    -------
    Monitored
        The design.

    Raises
    ------
    DesignError
        If no number of responses is a success, or looks are illegal.

    References
    ----------
    Lee and Liu 2008.

    Examples
    --------
    >>> found = predictive(9, (6, 7, 8), p0=0.05, theta_l=0.01, theta_t=0.95)
    >>> found.stop_le, found.go
    ((0, 0, 1), 3)
    """
    success = beta_tail(np.arange(n_max + 1), n_max, limit=p0, prior=(p0, 1.0 - p0)) > theta_t
    if not success.any():
        raise DesignError(f"no number of responses in {n_max} makes P(p > {p0:g}) greater than {theta_t:g}")
    go = int(np.argmax(success))
    stops = []
    for n in looks:
        chance = np.array(
            [_beta_binomial_tail(go - r, n_max - n, (p0 + r, 1.0 - p0 + n - r)) for r in range(n + 1)]
        )
        stops.append(int(np.count_nonzero(np.minimum.accumulate(chance < theta_l))) - 1)
    rising = np.maximum.accumulate(np.array(stops, dtype=int)) if stops else np.empty(0, dtype=int)
    return Monitored(n_max, looks, tuple(int(r) for r in rising), go, f"predictive_{n_max}")


def _beta_binomial_tail(least: int, m: int, shapes: tuple[float, float]) -> float:
    """P(at least so many responses among m new participants)."""
    y = np.arange(max(least, 0), m + 1)
    ways = gammaln(m + 1.0) - gammaln(y + 1.0) - gammaln(m - y + 1.0)
    logs = ways + betaln(shapes[0] + y, shapes[1] + m - y) - betaln(*shapes)
    return float(np.exp(logs).sum())
