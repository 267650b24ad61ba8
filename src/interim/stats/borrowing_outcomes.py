"""Posterior probabilities for every possible outcome at once, from which exact characteristics follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, product
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit
from scipy.stats import binom

from interim.stats.answers import Floats, Integers
from interim.stats.borrowing_fit import GoState
from interim.stats.borrowing_grid import Cells, Lattice, evidence, tail_evidence
from interim.stats.borrowing_joint import exchangeable_weights, own_parts, shared_lattice
from interim.stats.borrowing_partition import independent, partition_average
from interim.stats.borrowing_priors import (
    ExnexPrior,
    Grid,
    HierarchicalPrior,
    PartitionPrior,
    checked_baskets,
    checked_rates,
)

Model = Literal["independent", "partition", "hierarchical", "exnex"]
Joint = HierarchicalPrior | ExnexPrior
Prior = Joint | PartitionPrior | None
AllStates = tuple[tuple[GoState, ...], ...]
Kind = tuple[float, float, float, tuple[GoState, ...]]
MAX_ROWS = 2_000_000
_CHUNK = 2_000_000
WEIGHT_SLACK = 1e-12


@dataclass(frozen=True, eq=False)
class OutcomeTable:
    """Posterior of every outcome.

    Attributes
    ----------
    n, p0 : ndarray of float, shape (K,)
        Participants and null rates per basket.
    outcomes : ndarray of int, shape (rows, K)
        Responses per basket.
    prob, mean : ndarray of float, shape (rows, K)
        P(p > p0) and posterior mean.
    success : ndarray of float or None, shape (rows, K)
        Predictive probability of a success among new participants, if states of success were given.
    """

    n: Floats
    p0: Floats
    outcomes: Integers
    prob: Floats
    mean: Floats
    success: Floats | None = None

    def weights(self, p: ArrayLike) -> Floats:
        """Return the probability of every outcome.

        Parameters
        ----------
        p : float or array_like of float, shape (K,)
            True rates.

        Returns
        -------
        ndarray of float, shape (rows,)
            Probabilities; they sum to 1.

        Raises
        ------
        ValueError
            If a rate is illegal.
        ArithmeticError
            If the probabilities do not sum to 1.
        """
        rates = checked_rates(p, "p", size=len(self.n))
        found = np.ones(len(self.outcomes))
        for k, rate in enumerate(rates):
            found *= binom.pmf(np.arange(self.n[k] + 1), self.n[k], rate)[self.outcomes[:, k]]
        if abs(found.sum() - 1.0) > WEIGHT_SLACK:
            raise ArithmeticError(f"the probabilities of the outcomes sum to {found.sum()!r}")
        return found


def compile_outcomes(
    n: ArrayLike,
    p0: ArrayLike,
    *,
    model: Model,
    prior: Prior = None,
    success: Sequence[Sequence[GoState]] | None = None,
    grid: Grid | None = None,
    max_rows: int = MAX_ROWS,
) -> OutcomeTable:
    """Return the posterior of every outcome of several baskets.

    Parameters
    ----------
    n, p0 : array_like, shape (K,)
        Participants and null rates per basket.
    model : {"independent", "partition", "hierarchical", "exnex"}
        The borrowing model.
    prior : optional
        Its prior; the default of the model if absent.
    success : sequence of sequence of tuple, optional
        Per basket the states (responses, participants, paths) in which the next trial ends with a success.
    grid : Grid, optional
        Fineness of the quadrature; normal if absent.
    max_rows : int
        Most outcomes.

    Returns
    -------
    OutcomeTable
        Rows in lexicographic order.

    Raises
    ------
    ValueError
        If an input is illegal or there are more outcomes than `max_rows`.

    Notes
    -----
    Baskets that are equal in size, null rate and weight are computed once per multiset of counts.
    """
    sizes = np.atleast_1d(np.asarray(n))
    _, sizes, rates = checked_baskets(np.zeros(len(sizes)), sizes, p0)
    rows = int(np.prod(sizes + 1.0))
    if rows > max_rows:
        raise ValueError(f"{rows} outcomes exceed the permitted {max_rows}; the sizes are {sizes.tolist()}")
    outcomes = np.array(list(product(*(range(int(size) + 1) for size in sizes))), dtype=np.int64)
    states = tuple(tuple(part) for part in success) if success is not None else ((),) * len(sizes)
    chosen = _prior_of(model, prior)
    if chosen is None:
        found = _separately(outcomes, sizes, rates, states)
    elif isinstance(chosen, PartitionPrior):
        found = _one_by_one(outcomes, sizes, rates, states, chosen)
    else:
        found = _by_quadrature(_Setting.of(sizes, rates, states, chosen, grid or Grid.normal()), outcomes)
    return OutcomeTable(sizes, rates, outcomes, found[0], found[1], found[2] if success is not None else None)


def _prior_of(model: str, prior: Prior) -> Prior:
    """Prior of a model: the default where none is given, an error where it belongs to another model."""
    kinds = {"hierarchical": HierarchicalPrior, "exnex": ExnexPrior, "partition": PartitionPrior}
    if model == "independent" and prior is None:
        return None
    if model not in kinds:
        raise ValueError(f"model must be independent (without a prior), {', '.join(kinds)}; found {model!r}")
    if prior is None:
        return kinds[model]()  # type: ignore[no-any-return]
    if not isinstance(prior, kinds[model]):
        raise ValueError(f"model {model} needs a {kinds[model].__name__}; found {prior!r}")
    return prior


def _separately(outcomes: Integers, sizes: Floats, rates: Floats, states: AllStates) -> Floats:
    found = np.empty((3, *outcomes.shape))
    for k, (size, rate) in enumerate(zip(sizes, rates, strict=True)):
        counts = np.arange(size + 1)
        fit = independent(counts, np.full(len(counts), size), p0=float(rate))
        each = [fit.success(place, states[k]) for place in range(len(counts))]
        found[:, :, k] = np.array([fit.prob_above, fit.mean, each])[:, outcomes[:, k]]
    return found


def _one_by_one(
    outcomes: Integers, sizes: Floats, rates: Floats, states: AllStates, prior: PartitionPrior
) -> Floats:
    found = np.empty((3, *outcomes.shape))
    for place, row in enumerate(outcomes):
        fit = partition_average(row, sizes, p0=rates, prior=prior)
        found[0, place], found[1, place] = fit.prob_above, fit.mean
        found[2, place] = [fit.success(k, part) for k, part in enumerate(states)]
    return found


@dataclass(frozen=True, eq=False)
class _Setting:
    sizes: Floats
    rates: Floats
    states: AllStates
    weight: Floats
    own: tuple[float, float]
    nodes: Lattice

    @classmethod
    def of(cls, sizes: Floats, rates: Floats, states: AllStates, prior: Joint, grid: Grid) -> _Setting:
        shared = prior.shared if isinstance(prior, ExnexPrior) else prior
        weight, own = np.ones(len(sizes)), (0.0, 1.0)
        if isinstance(prior, ExnexPrior):
            weight, own = exchangeable_weights(prior, len(sizes)), (prior.nex_mean, prior.nex_sd)
        nodes = shared_lattice(shared, grid, p0=rates, offset=logit(rates))
        return cls(sizes, rates, states, weight, own, nodes)

    def key(self, k: int) -> Kind:
        return float(self.sizes[k]), float(self.rates[k]), float(self.weight[k]), self.states[k]


@dataclass(frozen=True, eq=False)
class _Basket:
    """Tables of one kind of basket over counts and outer nodes, flattened: mixture, and what adds to the answers."""

    likelihood: Floats
    answers: tuple[Floats, ...]


def _basket(setting: _Setting, kind: Kind) -> _Basket:
    size, rate, weight, states = kind
    nodes = setting.nodes
    cells = Cells.of_basket(size, float(logit(rate)))
    above = nodes.effect > 0.0

    def mixed(part: Cells) -> Floats:
        own = own_parts(nodes, part, setting.own).sum(axis=1)[:, None, None]
        found: Floats = weight * evidence(nodes, part) + (1.0 - weight) * own
        return found

    tail_own = own_parts(nodes, cells, setting.own)[:, above].sum(axis=1)[:, None, None]
    tables = [
        mixed(cells),
        weight * tail_evidence(nodes, cells, cut=0.0) + (1.0 - weight) * tail_own,
        mixed(replace(cells, factor=lambda p: p)),
    ]
    if states:
        tables.append(mixed(replace(cells, factor=lambda p: _chance(p, states))))
    top = tables[0].max(axis=(1, 2))[:, None, None]
    flat = [(table / top).reshape(len(top), -1) for table in tables]
    return _Basket(flat[0], tuple(flat[1:]))


def _chance(p: Floats, states: Sequence[GoState]) -> Floats:
    """Probability of a success given the rate."""
    found = np.zeros_like(p)
    for y, m, paths in states:
        found += paths * p**y * (1.0 - p) ** (m - y)
    return found


def _by_quadrature(setting: _Setting, outcomes: Integers) -> Floats:
    size = len(setting.sizes)
    kinds: dict[Kind, _Basket] = {}
    for k in range(size):
        key = setting.key(k)
        if key not in kinds:
            kinds[key] = _basket(setting, key)
    baskets = [kinds[setting.key(k)] for k in range(size)]
    prior = setting.nodes.outer_weight.ravel()
    if len(kinds) > 1 or size == 1:
        return _answers(outcomes, baskets, prior)
    most = int(setting.sizes[0])
    multisets = np.array(list(combinations_with_replacement(range(most + 1), size)), dtype=np.int64)
    found = _answers(multisets, baskets, prior)
    powers = (most + 1) ** np.arange(size - 1, -1, -1)
    place = np.empty((most + 1) ** size, dtype=np.int64)
    place[multisets @ powers] = np.arange(len(multisets))
    order = np.argsort(outcomes, axis=1, kind="stable")
    row = place[np.take_along_axis(outcomes, order, axis=1) @ powers]
    back = np.argsort(order, axis=1, kind="stable")
    return np.stack([np.take_along_axis(answer[row], back, axis=1) for answer in found])


def _answers(outcomes: Integers, baskets: Sequence[_Basket], prior: Floats) -> Floats:
    """Posterior of each row: products of gathered tables, the others' before and after each basket, in chunks of rows."""
    found = np.zeros((3, *outcomes.shape))
    step = max(1, _CHUNK // len(prior))
    for start in range(0, len(outcomes), step):
        part = outcomes[start : start + step]
        here = slice(start, start + len(part))
        before = [np.broadcast_to(prior, (len(part), len(prior)))]
        for k, basket in enumerate(baskets[:-1]):
            before.append(before[-1] * basket.likelihood[part[:, k]])
        after = np.ones(1)
        for k in reversed(range(len(baskets))):
            others, own = before[k] * after, part[:, k]
            gathered = baskets[k].likelihood[own]
            total = np.einsum("rg,rg->r", others, gathered)
            for place, table in enumerate(baskets[k].answers):
                found[place, here, k] = np.einsum("rg,rg->r", others, table[own]) / total
            after = gathered * after
    return found
