"""Shrinkage of rates and of estimates towards a common mean: deterministic quadrature, no simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtri

from interim.stats.answers import Floats, Status, frozen
from interim.stats.inputs import check_between, check_choice, check_counts, check_numbers, check_same_length

_MU_NODES, _TAU_NODES, _Z_NODES = 200, 200, 60
_TAU_REACH = 6.0
_FIRST, _STEP, _CELLS = -60.0, 0.005, 24_001


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
    grid of mean and spread of products of one-dimensional integrals, all by quadrature.

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
    return _posterior(counts, sizes, _hyper_grid(centre, spread, scale), level)


def _hyper_grid(centre: float, spread: float, scale: float) -> tuple[Floats, Floats, Floats]:
    """Nodes of mean and spread with their prior weights, flattened."""
    z, w = hermegauss(_MU_NODES)
    t, v = np.polynomial.legendre.leggauss(_TAU_NODES)
    tau = scale * _TAU_REACH * (t + 1.0) / 2.0
    weight = v * np.exp(-0.5 * (tau / scale) ** 2)
    grid_mu, grid_tau = np.meshgrid(centre + spread * z, tau, indexing="ij")
    weights = np.outer(w, weight)
    return grid_mu.ravel(), grid_tau.ravel(), (weights / weights.sum()).ravel()


def _posterior(counts: Floats, sizes: Floats, hyper: tuple[Floats, Floats, Floats], level: float) -> Shrunken:
    mu, tau, prior = hyper
    z, w = hermegauss(_Z_NODES)
    theta = mu[:, None] + tau[:, None] * z
    log_rate, log_rest = -np.logaddexp(0.0, -theta), -np.logaddexp(0.0, theta)
    within = w / w.sum()
    likelihood = [
        np.exp(x * log_rate + (n - x) * log_rest) * within for x, n in zip(counts, sizes, strict=True)
    ]
    evidence = np.array([part.sum(axis=1) for part in likelihood])
    joint = prior * np.prod(evidence, axis=0)
    joint /= joint.sum()
    rate = np.exp(log_rate)
    found = [
        _answer(part, joint / each, (theta, rate), level)
        for part, each in zip(likelihood, evidence, strict=True)
    ]
    mean, lower, upper = (np.array(column) for column in zip(*found, strict=True))
    moments = (rate @ within, rate**2 @ within)
    weight = np.array(
        [_own_weight(sizes[k], np.delete(evidence, k, axis=0), prior, moments) for k in range(len(counts))]
    )
    frozen(mean, lower, upper, weight)
    reason = "NO_EVENTS" if counts.sum() == 0 else "ALL_EVENTS" if np.all(counts == sizes) else ""
    return Shrunken(mean, lower, upper, weight, level, float(joint @ tau), "FLAG" if reason else "OK", reason)


def _answer(
    likelihood: Floats, outer: Floats, nodes: tuple[Floats, Floats], level: float
) -> tuple[float, float, float]:
    """Posterior mean and limits of one level's rate."""
    theta, rate = nodes
    masses = outer[:, None] * likelihood
    place = np.clip(np.rint((theta - _FIRST) / _STEP), 0, _CELLS - 1).astype(np.int64)
    cells = np.bincount(place.ravel(), weights=masses.ravel(), minlength=_CELLS)
    share = np.cumsum(cells) - cells / 2.0
    middle = _FIRST + _STEP * np.arange(_CELLS)
    tails = (1.0 - level) / 2.0, (1.0 + level) / 2.0
    lower, upper = (float(expit(np.interp(tail, share, middle))) for tail in tails)
    return float((masses * rate).sum()), lower, upper


def _own_weight(n: float, others: Floats, prior: Floats, moments: tuple[Floats, Floats]) -> float:
    joint = prior * np.prod(others, axis=0)
    joint /= joint.sum()
    mean, square = float(joint @ moments[0]), float(joint @ moments[1])
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
    from scipy.optimize import brentq

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
