"""Quadrature over common mean, spread and effect: nodes, and the integrals of one basket given mean and spread."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from interim.stats.answers import Floats
from interim.stats.borrowing_priors import Grid, HierarchicalPrior
from interim.stats.quadrature import gauss_legendre, gauss_legendre_pieces

_TAU_REACH, _MU_REACH, _EFFECT_REACH = 6.5, 7.0, 8.75
_GROWTH, _FAR = 1.6, 0.12
_EFFECT_WIDTH, _EFFECT_NODES, _EFFECT_FAR = 0.4, 8, 0.06
_NARROW = 0.2
_CELL_NODES = 16
_RAMP, _RAMP_REACH = 0.6, 7.5
_SMALLEST = 1e-300


@dataclass(frozen=True, eq=False)
class Lattice:
    """Nodes of common mean, spread and effect; all panels end at the cuts.

    Attributes
    ----------
    prior : HierarchicalPrior
        Prior of mean and spread.
    mu_edges : ndarray, shape (m + 1,)
        Ends of the panels of the mean.
    mu, mu_weight : ndarray, shape (M,)
        Nodes, and weights times prior density.
    tau, tau_weight : ndarray, shape (T,)
        Nodes, and weights times prior density.
    edges : ndarray
        Ends of the panels of the effect.
    effect, effect_weight : ndarray, shape (E,)
        Nodes and weights of the effect.
    wide : int
        First spread that the nodes of the effect resolve.
    """

    prior: HierarchicalPrior
    mu_edges: Floats
    mu: Floats
    mu_weight: Floats
    tau: Floats
    tau_weight: Floats
    edges: Floats
    effect: Floats
    effect_weight: Floats
    wide: int

    @property
    def outer_weight(self) -> Floats:
        """Prior masses, shape (T, M)."""
        return np.outer(self.tau_weight, self.mu_weight)

    @property
    def prior_mass(self) -> float:
        """Prior mass on the nodes."""
        return float(self.tau_weight.sum() * self.mu_weight.sum())

    def kernel(self, place: int) -> Floats:
        """Return the density of each effect node given each mean, for one spread.

        Parameters
        ----------
        place : int
            Spread, from `wide`.

        Returns
        -------
        ndarray of float, shape (M, E)
            Normal densities.

        Raises
        ------
        None
        """
        return _kernels(self)[place - self.wide]


@lru_cache(maxsize=1)
def _kernels(nodes: Lattice) -> tuple[Floats, ...]:
    """Densities of all wide spreads; those of the last lattice are kept, as fits with one prior follow each other."""
    spreads = nodes.tau[nodes.wide :]
    return tuple(normal_density(nodes.effect[None, :], nodes.mu[:, None], tau) for tau in spreads)


def normal_density(x: Floats, mean: Floats, sd: Floats | float) -> Floats:
    """Return normal densities.

    Parameters
    ----------
    x, mean : ndarray of float
        Values and means, broadcast.
    sd : float or ndarray
        Standard deviations.

    Returns
    -------
    ndarray of float
        Densities.

    Raises
    ------
    None
    """
    found: Floats = np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * math.sqrt(2.0 * math.pi))
    return found


def lattice(prior: HierarchicalPrior, grid: Grid, cuts: Floats) -> Lattice:
    """Return the nodes for a prior and the cuts that matter.

    Parameters
    ----------
    prior : HierarchicalPrior
        Prior of mean and spread.
    grid : Grid
        Fineness.
    cuts : ndarray of float
        Places on the effect scale at which tails begin.

    Returns
    -------
    Lattice
        Nodes and weights.

    Raises
    ------
    None

    Notes
    -----
    The spread is U u^2 with u on (0, 1), dense near 0. Panels of the mean are narrow at every cut, where the tail of an effect
    becomes a step as the spread goes to 0.
    """
    reach = _TAU_REACH * prior.tau_scale
    u, weight = gauss_legendre(grid.n_tau, low=0.0, high=1.0)
    tau = reach * u**2
    half_normal = 2.0 * normal_density(tau, np.zeros(1), prior.tau_scale)
    low, high = prior.mu_mean - _MU_REACH * prior.mu_sd, prior.mu_mean + _MU_REACH * prior.mu_sd
    inside = np.unique(np.round(cuts, 13))
    mu_edges = _graded(low, high, inside, first=grid.panel_width / 4, most=grid.panel_width, far=_FAR)
    mu, mu_piece = gauss_legendre_pieces(mu_edges, count=grid.panel_nodes)
    span = _MU_REACH * math.hypot(prior.mu_sd, reach)
    edges = _graded(
        prior.mu_mean - span,
        prior.mu_mean + span,
        inside,
        first=_EFFECT_WIDTH,
        most=_EFFECT_WIDTH,
        far=_EFFECT_FAR,
    )
    effect, effect_weight = gauss_legendre_pieces(edges, count=_EFFECT_NODES)
    return Lattice(
        prior,
        mu_edges,
        mu,
        mu_piece * normal_density(mu, np.full(1, prior.mu_mean), prior.mu_sd),
        tau,
        weight * 2.0 * reach * u * half_normal,
        edges,
        effect,
        effect_weight,
        int(np.searchsorted(tau, _NARROW)),
    )


def _graded(low: float, high: float, cuts: Floats, *, first: float, most: float, far: float) -> Floats:
    """Ends of panels that grow away from every cut."""
    inside = cuts[(cuts > low) & (cuts < high)]
    if not len(inside):
        inside = np.array([(low + high) / 2.0])
    parts = [-_growing(-inside[0], -low, first=first, most=most, far=far)[::-1]]
    for left, right in pairwise(inside):
        middle = (left + right) / 2.0
        up = _growing(left, middle, first=first, most=most, far=far)
        down = -_growing(-right, -middle, first=first, most=most, far=far)[::-1]
        parts += [up[1:], down[1:]]
    parts.append(_growing(inside[-1], high, first=first, most=most, far=far)[1:])
    found: Floats = np.concatenate(parts)
    return found


def _growing(start: float, end: float, *, first: float, most: float, far: float) -> Floats:
    """Ends from a cut to a limit; the widths are scaled so that the last one fits."""
    ends, width = [start], min(first, end - start)
    while ends[-1] < end:
        ends.append(ends[-1] + width)
        width = min(width * _GROWTH, max(most, far * (ends[-1] - start)))
    steps = np.array(ends) - start
    found: Floats = start + steps * (end - start) / steps[-1]
    found[-1] = end
    return found


def log_rates(eta: Floats) -> tuple[Floats, Floats]:
    """Return log p and log(1 - p) of logits.

    Parameters
    ----------
    eta : ndarray of float
        Logits.

    Returns
    -------
    tuple of ndarray
        The two logarithms.

    Raises
    ------
    None
    """
    small = np.log1p(np.exp(-np.abs(eta)))
    return np.minimum(eta, 0.0) - small, -np.maximum(eta, 0.0) - small


@dataclass(frozen=True, eq=False)
class Cells:
    """Counts whose likelihood is integrated together.

    Attributes
    ----------
    r, n, offset : ndarray of float, shape (C,)
        Responses, participants, logit at effect 0.
    factor : callable, optional
        Function of the rate by which the likelihood is multiplied.
    """

    r: Floats
    n: Floats
    offset: Floats
    factor: Callable[[Floats], Floats] | None = None

    @classmethod
    def of_basket(cls, n: float, offset: float) -> Cells:
        """Return all counts of one basket.

        Parameters
        ----------
        n, offset : float
            Participants; logit at effect 0.

        Returns
        -------
        Cells
            Counts 0..n.

        Raises
        ------
        None
        """
        counts = np.arange(n + 1.0)
        return cls(counts, np.full(len(counts), n), np.full(len(counts), offset))

    def likelihood(self, effect: Floats) -> Floats:
        """Return p^r (1 - p)^(n - r).

        Parameters
        ----------
        effect : ndarray of float
            Effects, any shape.

        Returns
        -------
        ndarray of float, shape (..., C)
            Likelihoods without binomial coefficient, times the factor.

        Raises
        ------
        None
        """
        log_p, log_q = log_rates(effect[..., None] + self.offset)
        found: Floats = np.exp(log_p * self.r + log_q * (self.n - self.r))
        return found if self.factor is None else found * self.factor(np.exp(log_p))


def _ramp() -> tuple[Floats, Floats]:
    """Equidistant nodes of a standard normal law: exact to the last digits for analytic integrands."""
    steps = np.arange(-_RAMP_REACH, _RAMP_REACH + _RAMP / 2, _RAMP)
    return steps, _RAMP * normal_density(steps, np.zeros(1), 1.0)


def evidence(nodes: Lattice, cells: Cells) -> Floats:
    """Return integrated likelihoods given mean and spread.

    Parameters
    ----------
    nodes : Lattice
        Quadrature nodes.
    cells : Cells
        Counts.

    Returns
    -------
    ndarray of float, shape (C, T, M)
        Mean of p^r (1 - p)^(n - r).

    Raises
    ------
    None
    """
    found = np.empty((len(cells.r), len(nodes.tau), len(nodes.mu)))
    steps, ramp = _ramp()
    for place in range(nodes.wide):
        values = cells.likelihood(nodes.mu[:, None] + nodes.tau[place] * steps)
        found[:, place] = np.einsum("mzc,z->cm", values, ramp)
    weighted = cells.likelihood(nodes.effect) * nodes.effect_weight[:, None]
    for place in range(nodes.wide, len(nodes.tau)):
        found[:, place] = (nodes.kernel(place) @ weighted).T
    return found


def tail_evidence(nodes: Lattice, cells: Cells, *, cut: float) -> Floats:
    """Return the part of the integrated likelihoods above a cut, given mean and spread.

    Parameters
    ----------
    nodes : Lattice
        Quadrature nodes; the cut must be one of its cuts.
    cells : Cells
        Counts.
    cut : float
        Cut on the effect scale.

    Returns
    -------
    ndarray of float, shape (C, T, M)
        Integrals above the cut.

    Raises
    ------
    None
    """
    found = np.empty((len(cells.r), len(nodes.tau), len(nodes.mu)))
    for place in range(nodes.wide):
        z, weight = _narrow_tail(nodes, nodes.tau[place], cut)
        values = cells.likelihood(nodes.mu[:, None] + nodes.tau[place] * z)
        found[:, place] = np.einsum("mzc,mz->cm", values, weight)
    above = nodes.effect > cut
    weighted = cells.likelihood(nodes.effect[above]) * nodes.effect_weight[above, None]
    for place in range(nodes.wide, len(nodes.tau)):
        found[:, place] = (nodes.kernel(place)[:, above] @ weighted).T
    return found


def _narrow_tail(nodes: Lattice, tau: float, cut: float) -> tuple[Floats, Floats]:
    """Nodes above the cut when the spread is small: panels from the cut to the end of the effect's law."""
    start = np.clip((cut - nodes.mu) / tau, -_EFFECT_REACH, _EFFECT_REACH)
    breaks = start[:, None] + (_EFFECT_REACH - start[:, None]) * np.linspace(0.0, 1.0, 5)
    z, weight = gauss_legendre_pieces(breaks, count=_CELL_NODES)
    return z, weight * normal_density(z, np.zeros(1), 1.0)


def smooth_density(nodes: Lattice, others: Floats) -> Floats:
    """Return the density of effects under laws of mean and spread.

    Parameters
    ----------
    nodes : Lattice
        Quadrature nodes.
    others : ndarray of float, shape (K, T, M)
        Likelihood of the other baskets given mean and spread, without the prior.

    Returns
    -------
    ndarray of float, shape (K, E)
        Densities at the nodes of the effect, times the probability of the others.

    Raises
    ------
    None
    """
    found = np.zeros((len(others), len(nodes.effect)))
    for place in range(nodes.wide, len(nodes.tau)):
        found += nodes.tau_weight[place] * ((others[:, place] * nodes.mu_weight) @ nodes.kernel(place))
    steps, ramp = _ramp()
    prior = nodes.prior
    logs = np.log(np.maximum(others[:, : nodes.wide], _SMALLEST))
    for place in range(nodes.wide):
        mean = nodes.effect[:, None] - nodes.tau[place] * steps
        weight = nodes.tau_weight[place] * ramp * normal_density(mean, np.full(1, prior.mu_mean), prior.mu_sd)
        found += np.einsum("kez,ez->ke", np.exp(_between(nodes, logs[:, place], mean)), weight)
    return found


def _between(nodes: Lattice, values: Floats, mean: Floats) -> Floats:
    """Polynomials of each panel of the mean, evaluated between the nodes; held constant beyond the last panel."""
    edges = nodes.mu_edges
    count = len(nodes.mu) // (len(edges) - 1)
    series = values.reshape(len(values), -1, count) @ _to_series(count)
    inside = np.clip(mean, edges[0], edges[-1])
    place = np.clip(np.searchsorted(edges, inside, side="right") - 1, 0, len(edges) - 2)
    here = 2.0 * (inside - edges[place]) / (edges[place + 1] - edges[place]) - 1.0
    basis = np.empty((*here.shape, count))
    before, basis[..., 0] = np.zeros_like(here), 1.0
    for degree in range(count - 1):
        now = basis[..., degree]
        basis[..., degree + 1] = ((2 * degree + 1) * here * now - degree * before) / (degree + 1)
        before = now
    found: Floats = np.stack([np.einsum("ezd,ezd->ez", one[place], basis) for one in series])
    return found


@lru_cache(maxsize=8)
def _to_series(count: int) -> Floats:
    """Matrix that turns values at Gauss-Legendre nodes into the Legendre series through them."""
    x, w = np.polynomial.legendre.leggauss(count)
    found: Floats = np.polynomial.legendre.legvander(x, count - 1) * w[:, None] * (np.arange(count) + 0.5)
    return found
