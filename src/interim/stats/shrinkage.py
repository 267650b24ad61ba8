"""Shrinkage of rates and of estimates towards a common mean: deterministic quadrature, no simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtri

from interim.stats.answers import Floats, Status, frozen
from interim.stats.inputs import check_between, check_choice, check_counts, check_numbers, check_same_length

_TAU_NODES = 64
_TAU_REACH, _MU_REACH, _BLUR_REACH = 6.0, 8.0, 4.0
_EDGE, _COARSEST, _TINY = 0.15, 0.05, 1e-300


@dataclass(frozen=True, eq=False)
class Shrunken:
    """Shrunken estimates, one per level.

    Attributes
    ----------
    mean, lower, upper : ndarray of float, shape (k,)
        Posterior mean and equal-tailed limits.
    weight : ndarray of float, shape (k,)
        Weight of the level's own data, 0 to 1.
    level : float
        Credible level of the limits.
    tau : float
        Posterior mean of the spread between levels (estimate of it for `shrink_normal`).
    status, reason : str
        FLAG with NO_EVENTS or ALL_EVENTS; NE with NO_DATA.
    """

    mean: Floats
    lower: Floats
    upper: Floats
    weight: Floats
    level: float
    tau: float
    status: Status = "OK"
    reason: str = ""


def shrink_binomial(
    x: ArrayLike, n: ArrayLike, *, mu0: float, mu_sd: float = 1.5, tau_scale: float = 0.5, level: float = 0.95
) -> Shrunken:
    """Return rates of several levels shrunken towards their common mean.

    Parameters
    ----------
    x, n : array_like of int, shape (k,)
        Events and participants per level; a level with nobody is legal.
    mu0 : float
        Prior mean rate, 0 to 1.
    mu_sd : float
        Standard deviation of the common mean on the logit scale, > 0.
    tau_scale : float
        Scale of the half-normal prior of the spread between levels on the logit scale, > 0.
    level : float
        Credible level, 0 to 1, both excluded.

    Returns
    -------
    Shrunken
        weight = n/(n + n0), n0 = m(1 - m)/v - 1 with mean m and variance v of the level's rate predicted from the others.

    Raises
    ------
    ValueError
        If counts or parameters are illegal.

    Notes
    -----
    Logits are normal around a common mean. Given mean and spread the levels are independent: the posterior is a sum over a
    grid of mean and spread of products of one-dimensional integrals. These are convolutions with a normal density, taken
    for all means at once on the Fourier side, where they are exact for every spread.

    Examples
    --------
    >>> found = shrink_binomial([1, 0, 2, 0], [6, 3, 4, 2], mu0=0.10)
    >>> found.mean.round(4).tolist()
    [0.1774, 0.1676, 0.2151, 0.1722]
    """
    counts, sizes = check_counts(x, "x", least=0), check_counts(n, "n", least=0)
    counts, sizes = np.atleast_1d(counts), np.atleast_1d(sizes)
    check_same_length(counts, sizes, ("x", "n"))
    if np.any(counts > sizes):
        place = int(np.argmax(counts > sizes))
        raise ValueError(
            f"x must be <= n; x[{place}] is {counts[place]:g} and n[{place}] is {sizes[place]:g}"
        )
    centre = float(logit(check_between(mu0, "mu0", low=0.0, high=1.0)))
    spread = check_between(mu_sd, "mu_sd", low=0.0, high=math.inf)
    scale = check_between(tau_scale, "tau_scale", low=0.0, high=math.inf)
    level = check_between(level, "level", low=0.0, high=1.0)
    if not len(counts):
        nothing = np.empty(0)
        return Shrunken(nothing, nothing, nothing, nothing, level, math.nan, "NE", "NO_DATA")
    finest = min(_COARSEST, spread / 3.0, 0.8 / math.sqrt(max(float(sizes.max()), 1.0)))
    return _posterior(counts, sizes, _grid(finest, centre=centre, spread=spread, scale=scale), level)


@dataclass(frozen=True, eq=False)
class _Grid:
    """Logits at equal distances, nodes of the spread between levels, and the prior of both."""

    theta: Floats
    tau: Floats
    log_prior: Floats
    damping: Floats
    window: Floats

    def blurred(self, values: Floats) -> Floats:
        """Values on the logits, blurred by a normal distribution of each spread; last two axes spread and logit."""
        waves = np.fft.rfft(values, axis=-1) * self.damping
        blurred: Floats = np.fft.irfft(waves, n=len(self.theta), axis=-1)
        return np.maximum(blurred, _TINY)

    def mixed(self, values: Floats) -> Floats:
        """Values per spread and logit, each blurred by its spread, then added over the spreads."""
        waves = (np.fft.rfft(values, axis=-1) * self.damping).sum(axis=-2)
        mixed: Floats = np.fft.irfft(waves, n=len(self.theta), axis=-1)
        return np.maximum(mixed, 0.0)


@lru_cache(maxsize=8)
def _grid(finest: float, *, centre: float, spread: float, scale: float) -> _Grid:
    """Grid that is fine for the likelihoods and the prior, and so wide that its ends carry nothing."""
    t, v = np.polynomial.legendre.leggauss(_TAU_NODES)
    tau = scale * _TAU_REACH * (t + 1.0) / 2.0
    reach = (_MU_REACH * spread + _BLUR_REACH * float(tau[-1])) / (1.0 - _EDGE)
    cells = 2 ** math.ceil(math.log2(2.0 * reach / finest))
    theta = centre + reach * np.linspace(-1.0, 1.0, cells, endpoint=False)
    gap = np.abs(theta - centre) / reach
    window = np.where(gap > 1.0 - _EDGE, np.sin(np.pi / 2.0 * (1.0 - gap) / _EDGE) ** 2, 1.0)
    omega = 2.0 * np.pi * np.fft.rfftfreq(cells, float(theta[1] - theta[0]))
    log_mu = -0.5 * ((theta - centre) / spread) ** 2
    log_tau = np.log(v) - 0.5 * (tau / scale) ** 2
    return _Grid(theta, tau, log_tau[:, None] + log_mu, np.exp(-0.5 * (tau[:, None] * omega) ** 2), window)


def _posterior(counts: Floats, sizes: Floats, grid: _Grid, level: float) -> Shrunken:
    log_rate, log_rest = -np.logaddexp(0.0, -grid.theta), -np.logaddexp(0.0, grid.theta)
    logs = counts[:, None] * log_rate + (sizes - counts)[:, None] * log_rest
    likelihood = np.exp(logs - logs.max(axis=1, keepdims=True))
    evidence = np.log(grid.blurred((likelihood * grid.window)[:, None, :]))
    total = grid.log_prior + evidence.sum(axis=0)
    joint = np.exp(total - total.max())
    tau = float(joint.sum(axis=1) @ grid.tau / joint.sum())
    rate = np.exp(log_rate)
    columns = []
    for own, mine, n in zip(likelihood, evidence, sizes, strict=True):
        rest = total - mine
        others = np.exp(rest - rest.max())
        predicted = grid.mixed(others) * grid.window
        columns.append((*_answer(grid.theta, own * predicted, rate, level), _own_weight(n, predicted, rate)))
    mean, lower, upper, weight = (np.array(column) for column in zip(*columns, strict=True))
    frozen(mean, lower, upper, weight)
    reason = "NO_EVENTS" if counts.sum() == 0 else "ALL_EVENTS" if np.all(counts == sizes) else ""
    return Shrunken(mean, lower, upper, weight, level, tau, "FLAG" if reason else "OK", reason)


def _answer(theta: Floats, density: Floats, rate: Floats, level: float) -> tuple[float, float, float]:
    """Posterior mean and limits of one level's rate from the density of its logit."""
    share = CubicSpline(theta, density).antiderivative()
    whole = float(share(theta[-1]))
    tails = (1.0 - level) / 2.0, (1.0 + level) / 2.0
    reached = np.cumsum(density) / density.sum()
    limits = []
    for tail in tails:
        place = int(np.searchsorted(reached, tail))
        low, high = theta[max(place - 2, 0)], theta[min(place + 2, len(theta) - 1)]
        limits.append(float(expit(brentq(lambda t, aim=tail * whole: float(share(t)) - aim, low, high))))
    return float(density @ rate / density.sum()), limits[0], limits[1]


def _own_weight(n: float, predicted: Floats, rate: Floats) -> float:
    share = predicted / predicted.sum()
    mean, square = float(share @ rate), float(share @ rate**2)
    prior_n = mean * (1.0 - mean) / (square - mean**2) - 1.0
    return float(n / (n + prior_n))


def shrink_normal(
    estimate: ArrayLike,
    se: ArrayLike,
    *,
    tau2: Literal["paule_mandel", "dersimonian_laird"] = "paule_mandel",
    level: float = 0.95,
) -> Shrunken:
    """Return estimates shrunken towards their weighted mean.

    Parameters
    ----------
    estimate, se : array_like of float, shape (k,)
        Estimates with their standard errors (> 0), on a scale where they are about normal.
    tau2 : {"paule_mandel", "dersimonian_laird"}
        Estimator of the variance between levels.
    level : float
        Level of the limits, 0 to 1, both excluded.

    Returns
    -------
    Shrunken
        weight = tau2/(tau2 + se^2).

    Raises
    ------
    ValueError
        If an input is illegal.

    References
    ----------
    Paule and Mandel 1982; DerSimonian and Laird 1986.
    """
    check_choice(tau2, "tau2", ("paule_mandel", "dersimonian_laird"))
    level = check_between(level, "level", low=0.0, high=1.0)
    y, s = (
        np.atleast_1d(check_numbers(v, name).astype(np.float64))
        for v, name in ((estimate, "estimate"), (se, "se"))
    )
    check_same_length(y, s, ("estimate", "se"))
    wrong = ~np.isfinite(y) | ~np.isfinite(s) | (s <= 0.0)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(f"estimate must be finite and se > 0; place {place} holds {y[place]} and {s[place]}")
    if not len(y):
        nothing = np.empty(0)
        return Shrunken(nothing, nothing, nothing, nothing, level, math.nan, "NE", "NO_DATA")
    variance = _paule_mandel(y, s**2) if tau2 == "paule_mandel" else _dersimonian_laird(y, s**2)
    w = 1.0 / (s**2 + variance)
    centre = float(w @ y / w.sum())
    own = variance / (variance + s**2)
    mean = own * y + (1.0 - own) * centre
    half = float(ndtri((1.0 + level) / 2.0)) * np.sqrt(own * s**2 + (1.0 - own) ** 2 / w.sum())
    lower, upper = mean - half, mean + half
    frozen(mean, lower, upper, own)
    return Shrunken(mean, lower, upper, own, level, math.sqrt(variance))


def _heterogeneity(y: Floats, v: Floats, tau2: float) -> float:
    w = 1.0 / (v + tau2)
    return float(w @ (y - w @ y / w.sum()) ** 2)


def _paule_mandel(y: Floats, v: Floats) -> float:
    df = len(y) - 1.0
    if df < 1 or _heterogeneity(y, v, 0.0) <= df:
        return 0.0
    high = 1.0
    while _heterogeneity(y, v, high) > df:
        high *= 2.0
    return float(brentq(lambda t: _heterogeneity(y, v, t) - df, 0.0, high, xtol=1e-12))


def _dersimonian_laird(y: Floats, v: Floats) -> float:
    w = 1.0 / v
    if len(y) < 2:
        return 0.0
    scale = float(w.sum() - (w @ w) / w.sum())
    return max(0.0, (_heterogeneity(y, v, 0.0) - (len(y) - 1.0)) / scale)
