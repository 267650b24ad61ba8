"""Half-life with censored samples: Gaussian regression of ln concentration on time, many profiles at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from interim.stats.answers import Flags, Floats, Integers, Texts
from interim.stats.inputs import check_choice
from interim.stats.nca_profile import Profiles

BLQ_MEANING = ("lloq", "interval")
_LOG_2PI = float(np.log(2.0 * np.pi))
_LARGEST = 1e6
_STEPS = 200


@dataclass(frozen=True, eq=False)
class Tobit:
    """Censored half-life of each profile.

    Attributes
    ----------
    lambda_z, intercept, sigma, loglik, se, half_life : ndarray of float, shape (k,)
        ln concentration = intercept - lambda_z time, with a normal error; ``se`` of lambda_z from the observed information;
        half-life only where the slope falls.
    n_points, n_blq : ndarray of int, shape (k,)
        Points after Tmax, and those of them below the limit.
    reason : ndarray of str, shape (k,)
        TOBIT_FEW_QUANT, TOBIT_DEGENERATE, TOBIT_NO_CONVERGENCE; NOT_FALLING explains a missing half-life; empty otherwise.
    """

    lambda_z: Floats
    intercept: Floats
    sigma: Floats
    loglik: Floats
    se: Floats
    half_life: Floats
    n_points: Integers
    n_blq: Integers
    reason: Texts


@dataclass(frozen=True, eq=False)
class _Data:
    """Points after Tmax, on a time that is centred and scaled per profile."""

    x: Floats
    y: Floats
    low: Floats
    quant: Flags
    below: Flags
    between: Flags


def tobit(samples: Profiles, *, below: str = "lloq", llod: Floats | float = np.nan, starts: int = 3) -> Tobit:
    """Return the censored half-life from all points strictly after the first maximum.

    Parameters
    ----------
    samples : Profiles
        Collected samples.
    below : {"lloq", "interval"}
        What a detected sample below the limit says: less than LLOQ, or between LLOD and LLOQ.
    llod : ndarray of float, shape (k, m) or one number
        Detection limits, for ``interval``; NaN where unknown.
    starts : int
        Starting values of the error; the best likelihood is kept.

    Returns
    -------
    Tobit
        Needs three quantified points after Tmax, at two times at least.

    Raises
    ------
    ValueError
        If ``below`` is unknown.

    Notes
    -----
    In the form of Olsen, with 1/sigma and the coefficients divided by sigma, the log likelihood is concave: Newton steps with
    halving reach its one maximum from any start, also where software that works on sigma itself fails.

    References
    ----------
    Olsen 1978.
    """
    check_choice(below, "below", BLQ_MEANING)
    quant, late = samples.quantified, _after_maximum(samples)
    data, centre, scale = _prepared(samples, late, np.broadcast_to(np.asarray(llod), quant.shape), below)
    first, last = (np.where(data.quant, data.x, s * np.inf) for s in (1.0, -1.0))
    enough = (data.quant.sum(axis=1) >= 3) & (first.min(axis=1) < last.max(axis=1))
    theta, value = _start(data, 1.0), np.full(len(quant), -np.inf)
    moved = np.zeros(len(quant), dtype=bool)
    for factor in np.geomspace(0.25, 4.0, starts):
        found, height, done = _maximise(data, _start(data, float(factor)), enough)
        better = height > value
        theta, value = np.where(better[:, None], found, theta), np.where(better, height, value)
        moved = np.where(better, done, moved)
    return _answer(data, theta, value, done=moved, enough=enough, centre=centre, scale=scale)


def _after_maximum(samples: Profiles) -> Flags:
    top = np.where(samples.quantified, samples.value, -np.inf).argmax(axis=1)
    informative = samples.quantified | (samples.lloq > 0)
    answer: Flags = samples.valid & informative & (np.arange(samples.time.shape[1])[None, :] > top[:, None])
    return answer


def _prepared(samples: Profiles, late: Flags, llod: Floats, below: str) -> tuple[_Data, Floats, Floats]:
    time = np.where(late, samples.time, np.nan)
    count = np.maximum(late.sum(axis=1), 1)
    centre = np.where(late, time, 0.0).sum(axis=1) / count
    spread = np.where(late, np.abs(time - centre[:, None]), 0.0).max(axis=1)
    scale = np.where(spread > 0, spread, 1.0)
    quant = late & samples.quantified
    known = np.where(quant, samples.value, np.where(samples.lloq > 0, samples.lloq, 1.0))
    use_interval = (below == "interval") & samples.detected & (llod > 0)
    between = late & ~quant & use_interval
    low = np.log(np.where(between, llod, 1.0))
    x = np.where(late, (time - centre[:, None]) / scale[:, None], 0.0)
    return _Data(x, np.log(known), low, quant, late & ~quant & ~between, between), centre, scale


def _start(data: _Data, factor: float) -> Floats:
    """Least squares on the quantified points; the error times a factor."""
    w = data.quant.astype(np.float64)
    n = np.maximum(w.sum(axis=1), 1.0)
    mx, my = (w * data.x).sum(axis=1) / n, (w * data.y).sum(axis=1) / n
    dx, dy = w * (data.x - mx[:, None]), w * (data.y - my[:, None])
    sxx = (dx * dx).sum(axis=1)
    slope = np.where(sxx > 0, (dx * dy).sum(axis=1) / np.where(sxx > 0, sxx, 1.0), 0.0)
    rest = w * (dy - slope[:, None] * dx)
    sigma = factor * np.sqrt(np.maximum((rest**2).sum(axis=1) / n, 1e-4))
    return np.stack([(my - slope * mx) / sigma, slope / sigma, 1.0 / sigma], axis=1)


def _scores(data: _Data, theta: Floats) -> tuple[Floats, Floats]:
    """Return z of the upper limit (or value) and of the lower limit."""
    mean = theta[:, :1] + theta[:, 1:2] * data.x
    return theta[:, 2:] * data.y - mean, theta[:, 2:] * data.low - mean


def _loglik(data: _Data, theta: Floats) -> Floats:
    high, low = _scores(data, theta)
    positive = theta[:, 2] > 0
    rate = np.log(np.where(positive, theta[:, 2], 1.0))[:, None]
    parts = np.where(data.quant, rate - high**2 / 2.0 - _LOG_2PI / 2.0, 0.0)
    parts = parts + np.where(data.below, scipy.special.log_ndtr(np.where(data.below, high, 0.0)), 0.0)
    if data.between.any():
        parts = parts + np.where(data.between, _log_between(high, low), 0.0)
    answer: Floats = np.where(positive, parts.sum(axis=1), -np.inf)
    return answer


def _log_between(high: Floats, low: Floats) -> Floats:
    """Return ln P(low < Z < high), in the tail where it is accurate."""
    flip = low > 0
    upper, lower = np.where(flip, -low, high), np.where(flip, -high, low)
    top = scipy.special.log_ndtr(upper)
    gap = np.minimum(scipy.special.log_ndtr(lower) - top, -1e-300)
    answer: Floats = top + np.log(-np.expm1(gap))
    return answer


def _derivatives(data: _Data, theta: Floats) -> tuple[Floats, Floats]:
    """Return gradient (k, 3) and Hessian (k, 3, 3)."""
    high, low = _scores(data, theta)
    one = np.ones_like(data.x)
    up = np.stack([-one, -data.x, data.y], axis=2)
    mills = np.exp(-(high**2) / 2.0 - _LOG_2PI / 2.0 - scipy.special.log_ndtr(high))
    first = np.where(data.quant, -high, np.where(data.below, mills, 0.0))
    second = np.where(data.quant, -1.0, np.where(data.below, -mills * (high + mills), 0.0))
    gradient = np.einsum("km,kmi->ki", first, up)
    hessian = np.einsum("km,kmi,kmj->kij", second, up, up)
    rate = theta[:, 2]
    n = data.quant.sum(axis=1)
    gradient[:, 2] += n / rate
    hessian[:, 2, 2] -= n / rate**2
    if data.between.any():
        down = np.stack([-one, -data.x, data.low], axis=2)
        _add_between(gradient, hessian, data, ends=(high, low), sides=(up, down))
    return gradient, hessian


def _add_between(
    gradient: Floats,
    hessian: Floats,
    data: _Data,
    *,
    ends: tuple[Floats, Floats],
    sides: tuple[Floats, Floats],
) -> None:
    """Add the terms of samples between two limits to both derivatives."""
    total = _log_between(*ends)
    weight = [np.where(data.between, np.exp(-(z**2) / 2.0 - _LOG_2PI / 2.0 - total), 0.0) for z in ends]
    own = weight[0][:, :, None] * sides[0] - weight[1][:, :, None] * sides[1]
    gradient += own.sum(axis=1)
    hessian -= np.einsum("kmi,kmj->kij", own, own)
    for sign, z, w, side in zip((-1.0, 1.0), ends, weight, sides, strict=True):
        hessian += np.einsum("km,kmi,kmj->kij", sign * z * w, side, side)


def _maximise(data: _Data, theta: Floats, active: Flags) -> tuple[Floats, Floats, Flags]:
    """Newton steps with halving, until no profile moves."""
    value = np.where(active, _loglik(data, theta), -np.inf)
    running, done = active.copy(), np.zeros(len(active), dtype=bool)
    for _ in range(_STEPS):
        if not running.any():
            break
        part = _Data(*(getattr(data, name)[running] for name in _Data.__dataclass_fields__))
        moved, height, gain = _step(part, theta[running], value[running])
        theta, value = theta.copy(), value.copy()
        theta[running], value[running] = moved, height
        finished = (gain < 1e-13) | (moved[:, 2] > _LARGEST)
        place = np.flatnonzero(running)
        done[place[finished]] = True
        running[place[finished]] = False
    return theta, value, done


def _step(data: _Data, theta: Floats, value: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the profiles after one step, their height, and half the Newton decrement before it."""
    gradient, hessian = _derivatives(data, theta)
    size = np.abs(np.einsum("kii->ki", hessian)).max(axis=1)
    ridge = (1e-13 * size)[:, None, None] * np.eye(3)
    move = np.linalg.solve(ridge - hessian, gradient[:, :, None])[:, :, 0]
    gain = np.einsum("ki,ki->k", gradient, move) / 2.0
    share = np.ones(len(theta))
    best, height = theta, value
    waiting = np.ones(len(theta), dtype=bool)
    for _ in range(40):
        tried = theta + share[:, None] * move
        level = _loglik(data, tried)
        good = waiting & (level >= value)
        best, height = np.where(good[:, None], tried, best), np.where(good, level, height)
        waiting &= ~good
        if not waiting.any():
            break
        share = np.where(waiting, share / 2.0, share)
    return best, height, np.where(waiting, 0.0, gain)


def _answer(
    data: _Data,
    theta: Floats,
    value: Floats,
    *,
    done: Flags,
    enough: Flags,
    centre: Floats,
    scale: Floats,
) -> Tobit:
    sigma = 1.0 / theta[:, 2]
    degenerate = enough & (theta[:, 2] > _LARGEST / 10.0)
    choices = [
        (~enough, "TOBIT_FEW_QUANT"),
        (degenerate, "TOBIT_DEGENERATE"),
        (~done, "TOBIT_NO_CONVERGENCE"),
    ]
    reason = np.select([f for f, _ in choices], [t for _, t in choices], "")
    good = reason == ""
    slope = theta[:, 1] * sigma / scale
    intercept = theta[:, 0] * sigma - slope * centre

    def kept(values: Floats) -> Floats:
        return np.where(good, values, np.nan)

    falls = good & (slope < 0)
    half = np.where(falls, np.log(2.0) / np.where(falls, -slope, 1.0), np.nan)
    se = _slope_error(data, theta, good) / scale
    points = data.quant | data.below | data.between
    return Tobit(
        kept(-slope),
        kept(intercept),
        kept(sigma),
        kept(value),
        kept(se),
        half,
        points.sum(axis=1),
        (points & ~data.quant).sum(axis=1),
        np.where(good & ~falls, "NOT_FALLING", reason),
    )


def _slope_error(data: _Data, theta: Floats, good: Flags) -> Floats:
    """Standard error of the slope, by the delta method from the information of the concave form."""
    safe = np.where(good[:, None], theta, np.array([0.0, 0.0, 1.0]))
    hessian = _derivatives(data, safe)[1]
    information = np.where(good[:, None, None], -hessian, np.eye(3))
    covariance = np.linalg.inv(information)
    zero = np.zeros(len(theta))
    rate = safe[:, 2]
    gradient = np.stack([zero, 1.0 / rate, -safe[:, 1] / rate**2], axis=1)
    variance = np.einsum("ki,kij,kj->k", gradient, covariance, gradient)
    answer: Floats = np.sqrt(np.maximum(variance, 0.0))
    return answer
