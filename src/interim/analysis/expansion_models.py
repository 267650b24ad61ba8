"""The models of a study: posterior of its tumour types, tables of all outcomes, and the design for all cohorts together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interim.design.expansion import GoState
from interim.design.expansion_named import JOINT
from interim.design.monitoring_borrowing import calibrate_cut
from interim.stats.borrowing import (
    BasketFit,
    ExnexPrior,
    Grid,
    HierarchicalPrior,
    OutcomeTable,
    PartitionPrior,
    compile_outcomes,
    exnex,
    hierarchical,
    independent,
    partition_average,
)
from interim.stats.borrowing_outcomes import MAX_ROWS
from interim.stats.borrowing_predict import composed_law, separate_law
from interim.study import Study
from interim.study.expansion import PriorTable, TumourType

OWN = "independent"
ALONE = "not computed: a tumour type of the study does not borrow"
Prior = ExnexPrior | HierarchicalPrior | PartitionPrior | None
States = tuple[tuple[GoState, ...], ...]


@lru_cache(maxsize=256)
def fit_model(
    model: str, counts: tuple[tuple[int, ...], ...], *, types: tuple[TumourType, ...], prior: PriorTable
) -> BasketFit:
    """Return the posterior of the types by one model; a type that does not borrow stands alone.

    Parameters
    ----------
    model : str
        independent, exnex, partition or hierarchical.
    counts : tuple of tuple of int
        Responders and participants per type.
    types : tuple of TumourType
        Rates, weights, whether a type borrows.
    prior : PriorTable
        Priors.

    Returns
    -------
    BasketFit
        In the order of the types.

    Raises
    ------
    ValueError
        If there are too many types for the partition average.
    """
    r, n = np.array(counts[0]), np.array(counts[1])
    p0 = np.array([entry.p0 for entry in types])
    alone = independent(r, n, p0=p0)
    lends = np.flatnonzero([entry.borrow for entry in types])
    if model == OWN or len(lends) < 2:
        return replace(alone, model=model)
    joint = _joint(model, (r[lends], n[lends], p0[lends]), [types[k] for k in lends], prior)
    if len(lends) == len(types):
        return joint
    laws = list(alone.laws)
    for place, k in enumerate(lends):
        laws[k] = joint.laws[place]
    shared = None
    if joint.p_exchangeable is not None:
        shared = np.zeros(len(types))
        shared[lends] = joint.p_exchangeable
    apart = [k for k in range(len(types)) if k not in lends]
    groups = [(lends.tolist(), joint.joint or separate_law(joint.laws))]
    groups += [([k], separate_law((alone.laws[k],))) for k in apart]
    return replace(alone, model=model, laws=tuple(laws), p_exchangeable=shared, joint=composed_law(groups))


def _joint(
    model: str, data: tuple[Any, Any, Any], types: Sequence[TumourType], prior: PriorTable
) -> BasketFit:
    r, n, p0 = data
    if model == "partition":
        blocks = PartitionPrior(prior.block_a, prior.block_b, prior.block_power)
        return partition_average(r, n, p0=p0, prior=blocks)
    shared, mixed = model_priors(types, prior)
    if model == "exnex":
        return exnex(r, n, p0=p0, prior=mixed, grid=Grid.normal())
    return hierarchical(r, n, p0=p0, prior=shared, grid=Grid.normal())


def model_priors(types: Sequence[TumourType], prior: PriorTable) -> tuple[HierarchicalPrior, ExnexPrior]:
    """Return the priors of the study for the quadrature models.

    Parameters
    ----------
    types : sequence of TumourType
        Weights.
    prior : PriorTable
        Table ``expansion.prior``.

    Returns
    -------
    tuple
        Hierarchical prior, exchangeable-nonexchangeable prior.

    Raises
    ------
    None
    """
    shared = HierarchicalPrior(prior.mu_mean, prior.mu_sd, prior.tau_scale)
    return shared, ExnexPrior(tuple(entry.weight for entry in types), 0.0, prior.nex_sd, shared)


def outcomes_absent(study: Study, sizes: Sequence[int], *, model: str) -> str:
    """Return why the table of all outcomes cannot be made.

    Parameters
    ----------
    study : Study
        Tumour types.
    sizes : sequence of int
        Participants per type.
    model : str
        The model.

    Returns
    -------
    str
        Empty if it can.

    Raises
    ------
    None
    """
    if model != OWN and not all(entry.borrow for entry in study.expansion.type):
        return ALONE
    rows = prod(size + 1 for size in sizes)
    return f"not computed: {rows} outcomes, more than {MAX_ROWS}" if rows > MAX_ROWS else ""


def outcome_table(
    study: Study, sizes: Sequence[int], *, model: str, success: States | None = None
) -> OutcomeTable:
    """Return the posterior of every outcome of the study's types by one model.

    Parameters
    ----------
    study : Study
        Rates, weights, priors.
    sizes : sequence of int
        Participants per type.
    model : str
        The model.
    success : tuple, optional
        Per type the states in which Phase IB ends with a go.

    Returns
    -------
    OutcomeTable
        Kept for the next call.

    Raises
    ------
    ValueError
        If there are too many outcomes.
    """
    types, table = study.expansion.type, study.expansion.prior
    shared, mixed = model_priors(types, table)
    priors: dict[str, Prior] = {
        "exnex": mixed,
        "hierarchical": shared,
        "partition": PartitionPrior(table.block_a, table.block_b, table.block_power),
    }
    return _compiled(model, tuple(sizes), tuple(entry.p0 for entry in types), priors.get(model), success)


@lru_cache(maxsize=16)
def _compiled(
    model: str, sizes: tuple[int, ...], p0: tuple[float, ...], prior: Prior, success: States | None
) -> OutcomeTable:
    return compile_outcomes(sizes, p0, model=model, prior=prior, success=success)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class JointDesign:
    """One look at all cohorts at their full size; the cut is set for the familywise false go when all types are null.

    Attributes
    ----------
    table : OutcomeTable
        Posterior of every outcome.
    cut : float
        Go if P(p > p0) is greater.
    """

    table: OutcomeTable
    cut: float

    @property
    def go(self) -> NDArray[np.bool_]:
        """Decision per outcome and cohort."""
        found: NDArray[np.bool_] = self.table.prob > self.cut
        return found


def joint_design(study: Study, *, model: str = "exnex") -> JointDesign | None:
    """Return the design that decides about all cohorts together.

    Parameters
    ----------
    study : Study
        Types, ``n_max``, ``alpha_max``; each type must have this design.
    model : str
        The model.

    Returns
    -------
    JointDesign or None
        None if a type has another design, or the outcomes cannot be tabulated.

    Raises
    ------
    None
    """
    table = study.expansion
    if not table.type or any((entry.design or table.design) != JOINT for entry in table.type):
        return None
    return None if outcomes_absent(study, full_sizes(study), model=model) else calibrated(study, model=model)


def full_sizes(study: Study) -> list[int]:
    """Return the full size of every cohort.

    Parameters
    ----------
    study : Study
        ``expansion.n_max``.

    Returns
    -------
    list of int
        One per type.

    Raises
    ------
    None
    """
    return [study.expansion.n_max] * len(study.expansion.type)


def calibrated(study: Study, *, model: str) -> JointDesign:
    """Return the look at all cohorts whose familywise false go is within the limit of the study.

    Parameters
    ----------
    study : Study
        Types, ``n_max``, ``alpha_max``.
    model : str
        The model.

    Returns
    -------
    JointDesign
        With the smallest attainable cut.

    Raises
    ------
    ValueError
        If there are too many outcomes.
    """
    outcomes = outcome_table(study, full_sizes(study), model=model)
    nulls = [entry.p0 for entry in study.expansion.type]
    return JointDesign(outcomes, calibrate_cut(outcomes, nulls, fwer=study.expansion.alpha_max))
