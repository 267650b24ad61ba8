"""Posterior probabilities for every possible outcome at once, from which exact characteristics follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, logit, logsumexp

from interim.stats.answers import Floats, Integers
from interim.stats.binomial import binomial_mass
from interim.stats.borrowing_fit import GoState
from interim.stats.borrowing_grid import Cells, Lattice, evidence, tail_evidence
from interim.stats.borrowing_joint import exchangeable_weights, own_parts, shared_lattice
from interim.stats.borrowing_laws import BetaMixture
from interim.stats.borrowing_partition import checked_partitions, independent, partitions
from interim.stats.borrowing_predict import crossed
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
            found *= binomial_mass(np.arange(self.n[k] + 1), self.n[k], rate)[self.outcomes[:, k]]
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
    Given the nodes the baskets are independent: the sums over all outcomes are matrix products. Baskets that are equal in size,
    null rate and weight are computed once.
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
        found = _by_partition(outcomes, sizes, rates, states, chosen)
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


@dataclass(frozen=True, eq=False)
class _Block:
    """One block of baskets with a common rate: hits of every outcome, log evidence and answers by number of hits."""

    hits: Integers
    evidence: Floats
    answers: dict[int, Floats]

    @classmethod
    def of(
        cls,
        members: tuple[int, ...],
        outcomes: Integers,
        sizes: Floats,
        rates: Floats,
        *,
        states: AllStates,
        prior: PartitionPrior,
    ) -> _Block:
        size = sizes[list(members)].sum()
        counts = np.arange(size + 1)
        a, b = prior.a + counts, prior.b + size - counts
        one = np.ones(1)
        laws = [BetaMixture(one, a[[h]], b[[h]]) for h in range(len(counts))]
        answers = {
            k: np.array(
                [
                    [
                        law.above(float(rates[k])),
                        law.moment(1, 0),
                        sum(w * law.moment(y, m - y) for y, m, w in states[k]),
                    ]
                    for law in laws
                ]
            )
            for k in members
        }
        return cls(outcomes[:, list(members)].sum(axis=1), betaln(a, b) - betaln(prior.a, prior.b), answers)


def _by_partition(
    outcomes: Integers, sizes: Floats, rates: Floats, states: AllStates, prior: PartitionPrior
) -> Floats:
    """A block's posterior depends on its number of hits only: small tables, gathered for all outcomes at once."""
    checked_partitions(len(sizes))
    splits = partitions(len(sizes))
    blocks = {
        block: _Block.of(block, outcomes, sizes, rates, states=states, prior=prior)
        for block in dict.fromkeys(block for split in splits for block in split)
    }
    logs = np.array(
        [
            prior.block_power * np.log(len(split)) + sum(blocks[b].evidence[blocks[b].hits] for b in split)
            for split in splits
        ]
    )
    weight = np.exp(logs - logsumexp(logs, axis=0))
    found = np.zeros((3, *outcomes.shape))
    for place, split in enumerate(splits):
        for block in split:
            for k, table in blocks[block].answers.items():
                found[:, :, k] += weight[place] * table[blocks[block].hits].T
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
    """Matrix products over the nodes; a basket that equals an earlier one has its answers with both axes exchanged."""
    keys = [setting.key(k) for k in range(len(setting.sizes))]
    kinds = {key: _basket(setting, key) for key in dict.fromkeys(keys)}
    baskets = [kinds[key] for key in keys]
    prior = setting.nodes.outer_weight.ravel()
    shape = tuple(int(size) + 1 for size in setting.sizes)
    total = _summed(prior, [basket.likelihood for basket in baskets])
    found = np.zeros((3, *shape, len(shape)))
    for k, basket in enumerate(baskets):
        first = keys.index(keys[k])
        for place, table in enumerate(basket.answers):
            if first < k:
                found[place, ..., k] = np.swapaxes(found[place, ..., first], first, k)
                continue
            tables = [table if j == k else other.likelihood for j, other in enumerate(baskets)]
            found[place, ..., k] = (_summed(prior, tables) / total)[_same(keys, k, outcomes, shape)].reshape(
                shape
            )
    return found.reshape(3, -1, len(shape))


def _same(keys: Sequence[Kind], k: int, outcomes: Integers, shape: tuple[int, ...]) -> Integers:
    """Row that stands for each outcome: counts of the other baskets sorted within their kind, so that ties are exact."""
    rows = outcomes.copy()
    for kind in dict.fromkeys(keys):
        group = [j for j, key in enumerate(keys) if key == kind and j != k]
        rows[:, group] = np.sort(rows[:, group], axis=1)
    found: Integers = np.ravel_multi_index(tuple(rows.T), shape)
    return found


def _summed(prior: Floats, tables: Sequence[Floats]) -> Floats:
    """Sum over the nodes of prior x product of one row of each table, for all rows in lexicographic order."""
    sizes = np.cumprod([len(table) for table in tables])
    split = int(np.argmin(np.abs(np.log(sizes) - np.log(sizes[-1]) / 2.0))) + 1
    one = np.ones((1, len(prior)))
    rest = reduce(crossed, tables[1:split], one) * prior
    right = reduce(crossed, tables[split:], one).T
    return np.concatenate([((rest * row) @ right).ravel() for row in tables[0]])
