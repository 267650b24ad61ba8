"""Hierarchical and exchangeable-nonexchangeable models of response rates, by deterministic quadrature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit

from interim.stats.answers import Floats
from interim.stats.borrowing_fit import BasketFit
from interim.stats.borrowing_grid import (
    Cells,
    Lattice,
    evidence,
    lattice,
    normal_density,
    smooth_density,
)
from interim.stats.borrowing_laws import NodeLaw, log_ways
from interim.stats.borrowing_predict import JointLaw, mixed_law
from interim.stats.borrowing_priors import (
    ExnexPrior,
    Grid,
    HierarchicalPrior,
    checked_baskets,
)
from interim.stats.inputs import check_numbers

Offset = Literal["null", "none"] | ArrayLike


@dataclass(frozen=True, eq=False)
class _Problem:
    """Checked input: counts, sizes, null rates, offsets, weights of exchangeability, own prior."""

    r: Floats
    n: Floats
    p0: Floats
    offset: Floats
    weight: Floats
    own: tuple[float, float]


def hierarchical(
    r: ArrayLike,
    n: ArrayLike,
    *,
    p0: ArrayLike,
    prior: HierarchicalPrior | None = None,
    offset: Offset = "null",
    grid: Grid | None = None,
    level: float = 0.95,
) -> BasketFit:
    """Return rates that borrow through a common mean and spread of their logits.

    Parameters
    ----------
    r, n : array_like of int, shape (k,)
        Responses and participants per basket; an empty basket is legal.
    p0 : float or array_like of float
        Null rates.
    prior : HierarchicalPrior, optional
        Prior of mean and spread.
    offset : {"null", "none"} or array_like of float
        Logit at effect 0: that of each basket's null rate, 0, or given.
    grid : Grid, optional
        Fineness of the quadrature.
    level : float
        Level of the credible intervals.

    Returns
    -------
    BasketFit
        The posterior.

    Raises
    ------
    ValueError
        If an input is illegal.

    Notes
    -----
    Given mean and spread the baskets are independent; the posterior is a sum over a grid of products of integrals. No
    simulation: the same input gives the same digits.

    Examples
    --------
    >>> fit = hierarchical([1, 1, 0, 0], [6, 3, 3, 2], p0=[0.05, 0.10, 0.10, 0.05])
    >>> fit.prob_above.round(4).tolist()
    [0.742, 0.7458, 0.5924, 0.6296]
    """
    prior = prior or HierarchicalPrior()
    counts, sizes, rates = checked_baskets(r, n, p0)
    shift = _offsets(offset, rates)
    problem = _Problem(counts, sizes, rates, shift, np.ones(len(counts)), (0.0, 1.0))
    return _fit("hierarchical", problem, (prior, grid or Grid()), level)


def exnex(
    r: ArrayLike,
    n: ArrayLike,
    *,
    p0: ArrayLike,
    prior: ExnexPrior | None = None,
    offset: Offset = "null",
    grid: Grid | None = None,
    level: float = 0.95,
) -> BasketFit:
    """Return rates of which each is exchangeable with the others with a given prior probability.

    Parameters
    ----------
    r, n : array_like of int, shape (k,)
        Responses and participants per basket; an empty basket is legal.
    p0 : float or array_like of float
        Null rates.
    prior : ExnexPrior, optional
        Weights, own prior, shared prior.
    offset : {"null", "none"} or array_like of float
        Logit at effect 0: that of each basket's null rate, 0, or given.
    grid : Grid, optional
        Fineness of the quadrature.
    level : float
        Level of the credible intervals.

    Returns
    -------
    BasketFit
        The posterior, with the posterior probability of exchangeability.

    Raises
    ------
    ValueError
        If an input is illegal.

    References
    ----------
    Neuenschwander, Wandel, Roychoudhury and Bailey 2016.

    Examples
    --------
    >>> fit = exnex([1, 1, 0, 0], [6, 3, 3, 2], p0=[0.05, 0.10, 0.10, 0.05])
    >>> fit.p_exchangeable.round(4).tolist()
    [0.5453, 0.5339, 0.4761, 0.5083]
    """
    prior = prior or ExnexPrior()
    counts, sizes, rates = checked_baskets(r, n, p0)
    weight = exchangeable_weights(prior, len(counts))
    own = (prior.nex_mean, prior.nex_sd)
    problem = _Problem(counts, sizes, rates, _offsets(offset, rates), weight, own)
    return _fit("exnex", problem, (prior.shared, grid or Grid()), level)


def exchangeable_weights(prior: ExnexPrior, size: int) -> Floats:
    """Return the prior probability of exchangeability per basket.

    Parameters
    ----------
    prior : ExnexPrior
        One weight, or one per basket.
    size : int
        Number of baskets.

    Returns
    -------
    ndarray of float, shape (size,)
        Weights.

    Raises
    ------
    ValueError
        If there are as many weights as neither 1 nor `size`.
    """
    weight = np.atleast_1d(np.asarray(prior.weight, dtype=float))
    if len(weight) not in (1, size):
        raise ValueError(f"weight must hold one number or {size}; it holds {len(weight)}")
    return np.broadcast_to(weight, (size,)).copy()


def _offsets(offset: Offset, rates: Floats) -> Floats:
    if isinstance(offset, str):
        if offset not in ("null", "none"):
            raise ValueError(f"offset must be 'null', 'none' or numbers; found {offset!r}")
        found: Floats = logit(rates) if offset == "null" else np.zeros(len(rates))
        return found
    given = np.atleast_1d(check_numbers(offset, "offset")).astype(np.float64)
    if len(given) != len(rates) or not np.all(np.isfinite(given)):
        raise ValueError(f"offset must hold {len(rates)} finite numbers; it holds {given.tolist()}")
    return given


@lru_cache(maxsize=8)
def _lattice(prior: HierarchicalPrior, grid: Grid, cuts: tuple[float, ...]) -> Lattice:
    return lattice(prior, grid, np.array(cuts))


def shared_lattice(prior: HierarchicalPrior, grid: Grid, *, p0: Floats, offset: Floats) -> Lattice:
    """Return the quadrature nodes whose panels end at the null rates.

    Parameters
    ----------
    prior : HierarchicalPrior
        Prior of mean and spread.
    grid : Grid
        Fineness.
    p0, offset : ndarray of float, shape (k,)
        Null rates and logits at effect 0.

    Returns
    -------
    Lattice
        Nodes, kept for the next call.

    Raises
    ------
    None
    """
    cuts = np.unique(np.round(logit(p0) - offset, 12)) + 0.0
    return _lattice(prior, grid, tuple(cuts.tolist()))


def own_parts(nodes: Lattice, cells: Cells, own: tuple[float, float]) -> Floats:
    """Return the likelihood times a normal prior of one's own at the effect nodes.

    Parameters
    ----------
    nodes : Lattice
        Quadrature nodes.
    cells : Cells
        Counts.
    own : tuple of float
        Mean and standard deviation of the effect.

    Returns
    -------
    ndarray of float, shape (C, E)
        Parts of the integral, weights included.

    Raises
    ------
    None
    """
    density = normal_density(nodes.effect, np.full(1, own[0]), own[1]) * nodes.effect_weight
    found: Floats = cells.likelihood(nodes.effect).T * density
    return found


def _fit(model: str, problem: _Problem, setting: tuple[HierarchicalPrior, Grid], level: float) -> BasketFit:
    nodes = shared_lattice(*setting, p0=problem.p0, offset=problem.offset)
    cells = Cells(problem.r, problem.n, problem.offset)
    weight = problem.weight[:, None, None]
    shared = evidence(nodes, cells)
    alone = own_parts(nodes, cells, problem.own).sum(axis=1)[:, None, None]
    mixed = weight * shared + (1.0 - weight) * alone
    scale = mixed.max(axis=(1, 2), keepdims=True)
    relative = mixed / scale
    joint = nodes.outer_weight * relative.prod(axis=0)
    total = float(joint.sum())
    posterior = joint / total
    share = np.divide(weight * shared, mixed, out=np.zeros_like(mixed), where=mixed > 0.0)
    ways = sum(float(log_ways(n, r)) for r, n in zip(problem.r, problem.n, strict=True))
    return BasketFit(
        model,
        problem.r,
        problem.n,
        problem.p0,
        _laws(nodes, problem, cells, relative),
        level=level,
        p_exchangeable=(posterior * share).sum(axis=(1, 2)) if model == "exnex" else None,
        tau_mean=float(posterior.sum(axis=1) @ nodes.tau),
        mu_mean=float(posterior.sum(axis=0) @ nodes.mu),
        log_marginal=math.log(total) + float(np.log(scale).sum()) + ways,
        prior_mass=nodes.prior_mass,
        joint=_joint_law(nodes, problem, posterior.ravel()),
    )


def _joint_law(nodes: Lattice, problem: _Problem, posterior: Floats) -> JointLaw:
    """Given mean and spread the baskets are independent: a mixture over the nodes."""

    def chance(k: int, m: int) -> Floats:
        y = np.arange(m + 1.0)
        counts = np.append(problem.r[k] + y, problem.r[k])
        sizes = np.append(np.full(m + 1, problem.n[k] + m), problem.n[k])
        cells = Cells(counts, sizes, np.full(m + 2, problem.offset[k]))
        weight = problem.weight[k]
        alone = own_parts(nodes, cells, problem.own).sum(axis=1)[:, None, None]
        each = (weight * evidence(nodes, cells) + (1.0 - weight) * alone).reshape(m + 2, -1)
        now = np.maximum(each[-1], np.finfo(float).tiny)
        found: Floats = np.exp(log_ways(m, y))[:, None] * each[:-1] / now
        return found

    return mixed_law(posterior, chance)


def _laws(nodes: Lattice, problem: _Problem, cells: Cells, relative: Floats) -> tuple[NodeLaw, ...]:
    """Density of each effect: its likelihood times the mixture of what the others and its own prior say."""
    places = range(len(relative))
    others = np.stack([np.delete(relative, k, axis=0).prod(axis=0) for k in places])
    weight = problem.weight[:, None]
    own = normal_density(nodes.effect, np.full(1, problem.own[0]), problem.own[1])
    apart = (nodes.outer_weight * others).sum(axis=(1, 2))[:, None]
    density = weight * smooth_density(nodes, others) + (1.0 - weight) * apart * own
    mass = density * cells.likelihood(nodes.effect).T * nodes.effect_weight
    mass = (mass / mass.sum(axis=1, keepdims=True)).reshape(len(mass), len(nodes.edges) - 1, -1)
    effect = nodes.effect.reshape(mass.shape[1:])
    return tuple(
        NodeLaw(nodes.edges + problem.offset[k], effect + problem.offset[k], mass[k]) for k in places
    )
