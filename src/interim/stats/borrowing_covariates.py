"""A sensitivity model: rates that borrow between baskets and shift with dose and a high level of a marker."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.special import logit

from interim.stats.answers import Floats
from interim.stats.borrowing_grid import Lattice, lattice, log_rates, normal_density
from interim.stats.borrowing_priors import Grid, HierarchicalPrior, checked_rates
from interim.stats.inputs import check_counts, check_numbers, check_same_length
from interim.stats.quadrature import gauss_legendre_pieces

_BREAKS = (-5.5, 0.0, 5.5)
_SLOPE_NODES = 8
_STEPS = np.arange(-6.3, 6.31, 0.7)
_RAMP = 0.7 * normal_density(_STEPS, np.zeros(1), 1.0)
_GRID = Grid(16, 1.2, 6)
_MASS_SLACK, _SMALLEST = 1e-5, 1e-300


@dataclass(frozen=True)
class Slope:
    """What the data say about one slope beside its N(0, 1) prior.

    Attributes
    ----------
    p_positive : float
        P(slope > 0).
    mean, sd : float
        Posterior mean and standard deviation.
    overlap : float
        Area common to prior and posterior density; 1: nothing was learnt.
    """

    p_positive: float
    mean: float
    sd: float
    overlap: float

    @property
    def ratio(self) -> float:
        """Posterior over prior standard deviation, whose prior value is 1."""
        return self.sd


@dataclass(frozen=True)
class CovariateFit:
    """Posterior of the two slopes.

    Attributes
    ----------
    dose : Slope
        Change of the logit of response per unit of log dose ratio.
    high : Slope or None
        Change of the logit with a high level of the marker; None if the marker was left out.
    tau_mean, mu_mean : float
        Posterior means of spread and common effect.
    """

    dose: Slope
    high: Slope | None
    tau_mean: float
    mu_mean: float


def covariate_fit(
    y: ArrayLike,
    k: ArrayLike,
    *,
    p0: ArrayLike,
    log_dose: ArrayLike,
    high: ArrayLike | None = None,
    prior: HierarchicalPrior | None = None,
) -> CovariateFit:
    """Return what single participants say about dose and marker when baskets borrow.

    Parameters
    ----------
    y : array_like of int, shape (participants,)
        1 response, 0 none.
    k : array_like of int, shape (participants,)
        Basket of each participant, from 0.
    p0 : array_like of float, shape (baskets,)
        Null rates.
    log_dose : array_like of float, shape (participants,)
        Log of dose over the proposed dose.
    high : array_like of int, shape (participants,), optional
        1 high level of the marker, 0 low; absent: the term is left out.
    prior : HierarchicalPrior, optional
        Prior of common effect and spread.

    Returns
    -------
    CovariateFit
        The slopes, each with a N(0, 1) prior (odds ratio .14 to 7.1 at 95 %).

    Raises
    ------
    ValueError
        If lengths differ, a response or marker is not 0 or 1, a basket does not exist, or a dose is not finite.
    ArithmeticError
        If the grid does not hold the prior.

    Notes
    -----
    logit p = logit p0 + effect of the basket + slope x log dose + slope x marker; effects N(mu, tau^2) as in the hierarchical
    model. The slopes are integrated on panels that end at 0, so that P(slope > 0) is a sum of whole panels.
    """
    data = _checked(y, k, p0=p0, log_dose=log_dose, high=high)
    prior = prior or HierarchicalPrior()
    nodes = lattice(prior, _GRID, np.zeros(1))
    slope, weight = gauss_legendre_pieces(_BREAKS, count=_SLOPE_NODES)
    weight = weight * normal_density(slope, np.zeros(1), 1.0)
    second, second_weight = (slope, weight) if high is not None else (np.zeros(1), np.ones(1))
    if abs(nodes.prior_mass * weight.sum() * second_weight.sum() - 1.0) > _MASS_SLACK:
        raise ArithmeticError(f"the grid holds prior mass {nodes.prior_mass * weight.sum()!r}, not 1")
    shift = data.log_dose[:, None] * np.repeat(slope, len(second)) + data.high[:, None] * np.tile(
        second, len(slope)
    )
    logs = np.zeros((len(nodes.tau), len(nodes.mu), shift.shape[1]))
    for basket in np.unique(data.basket):
        logs += np.log(
            np.maximum(_evidence(nodes, data.only(basket), shift[data.basket == basket]), _SMALLEST)
        )
    joint = np.exp(logs - logs.max()) * nodes.outer_weight[:, :, None]
    joint *= np.outer(weight, second_weight).ravel()
    joint /= joint.sum()
    pairs = joint.sum(axis=(0, 1)).reshape(len(slope), len(second))
    return CovariateFit(
        _slope(slope, pairs.sum(axis=1), weight),
        None if high is None else _slope(slope, pairs.sum(axis=0), weight),
        float(joint.sum(axis=(1, 2)) @ nodes.tau),
        float(joint.sum(axis=(0, 2)) @ nodes.mu),
    )


@dataclass(frozen=True, eq=False)
class _People:
    """One row per participant: response, basket, logit at effect 0, log dose, marker."""

    y: Floats
    basket: Floats
    offset: Floats
    log_dose: Floats
    high: Floats

    def only(self, basket: float) -> _People:
        keep = self.basket == basket
        return replace(self, **{name: getattr(self, name)[keep] for name in self.__dataclass_fields__})


def _checked(
    y: ArrayLike, k: ArrayLike, *, p0: ArrayLike, log_dose: ArrayLike, high: ArrayLike | None
) -> _People:
    rates = np.atleast_1d(check_numbers(p0, "p0"))
    rates = checked_rates(rates, "p0", size=len(rates))
    hits, places = np.atleast_1d(check_counts(y, "y", least=0)), np.atleast_1d(check_counts(k, "k", least=0))
    marker = np.zeros(len(hits)) if high is None else np.atleast_1d(check_counts(high, "high", least=0))
    dose = np.atleast_1d(check_numbers(log_dose, "log_dose")).astype(np.float64)
    for other, name in ((places, "k"), (dose, "log_dose"), (marker, "high")):
        check_same_length(hits, other, ("y", name))
    _refuse(hits > 1, "y must be 0 or 1", hits)
    _refuse(marker > 1, "high must be 0 or 1", marker)
    _refuse(places >= len(rates), f"k must be below the number of baskets {len(rates)}", places)
    _refuse(~np.isfinite(dose), "log_dose must be finite", dose)
    return _People(hits, places, logit(rates)[places.astype(int)], dose, marker)


def _refuse(wrong: np.ndarray, rule: str, values: Floats) -> None:
    if np.any(wrong):
        place = int(np.argmax(wrong))
        raise ValueError(f"{rule}; [{place}] is {values[place]:g}")


def _likelihood(effect: Floats, people: _People, shift: Floats) -> Floats:
    """Likelihood of one basket, shape (..., slopes); equal participants are computed once."""
    table = np.column_stack([people.y, people.offset, people.log_dose, people.high])
    _, rows, times = np.unique(table, axis=0, return_index=True, return_counts=True)
    logs = np.zeros((*effect.shape, shift.shape[1]))
    for row, count in zip(rows, times, strict=True):
        log_p, log_q = log_rates(effect[..., None] + people.offset[row] + shift[row])
        logs += count * (log_p if people.y[row] else log_q)
    found: Floats = np.exp(logs)
    return found


def _evidence(nodes: Lattice, people: _People, shift: Floats) -> Floats:
    """Integrated likelihood of one basket, shape (T, M, slopes)."""
    found = np.empty((len(nodes.tau), len(nodes.mu), shift.shape[1]))
    for place in range(nodes.wide):
        values = _likelihood(nodes.mu[:, None] + nodes.tau[place] * _STEPS, people, shift)
        found[place] = np.einsum("mzb,z->mb", values, _RAMP)
    weighted = _likelihood(nodes.effect, people, shift) * nodes.effect_weight[:, None]
    for place in range(nodes.wide, len(nodes.tau)):
        found[place] = nodes.kernel(place) @ weighted
    return found


def _slope(slope: Floats, mass: Floats, prior: Floats) -> Slope:
    mean = float(mass @ slope)
    return Slope(
        float(mass[slope > 0.0].sum()),
        mean,
        float(np.sqrt(mass @ (slope - mean) ** 2)),
        _overlap(slope, mass / prior),
    )


def _overlap(slope: Floats, ratio: Floats) -> float:
    """Area under the smaller of prior and posterior density; their ratio is smooth and interpolated."""
    x = np.linspace(_BREAKS[0], _BREAKS[-1], 2001)
    lean = np.exp(CubicSpline(slope, np.log(np.maximum(ratio, _SMALLEST)))(x))
    return float(np.trapezoid(normal_density(x, np.zeros(1), 1.0) * np.minimum(lean, 1.0), x))
