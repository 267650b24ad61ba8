"""Exact characteristics of designs that borrow between cohorts, and of any rule on the table of all outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interim.errors import DesignError
from interim.stats.answers import Floats
from interim.stats.borrowing import OutcomeTable

_SLACK = 1e-12


@dataclass(frozen=True, eq=False)
class BorrowingCharacteristics:
    """Exact characteristics per scenario, summed over all outcomes.

    Attributes
    ----------
    rates : ndarray of float, shape (s, K)
        True rates.
    p_go : ndarray of float, shape (s, K)
        Probability of a go per cohort.
    any_false_go : ndarray of float, shape (s,)
        A go in any cohort whose rate is not above its null rate; 0 where there is none.
    any_go, all_active_go : ndarray of float, shape (s,)
        A go in any cohort; a go in every active one (1 where there is none).
    correct : ndarray of float, shape (s,)
        Expected number of correct decisions.
    bias, mse : ndarray of float, shape (s, K)
        Of the posterior mean.
    """

    rates: Floats
    p_go: Floats
    any_false_go: Floats
    any_go: Floats
    all_active_go: Floats
    correct: Floats
    bias: Floats
    mse: Floats


def borrowing_characteristics(
    table: OutcomeTable, scenarios: Sequence[Sequence[float]] | Floats, *, cut: float
) -> BorrowingCharacteristics:
    """Return the exact characteristics of "go if P(p > p0) > cut" in every cohort.

    Parameters
    ----------
    table : OutcomeTable
        Posterior of every outcome.
    scenarios : sequence of sequence of float
        True rates, one row per scenario.
    cut : float
        Go if strictly greater.

    Returns
    -------
    BorrowingCharacteristics
        One row per scenario.

    Raises
    ------
    ValueError
        If a rate is illegal.
    """
    return rule_characteristics(table, scenarios, go=table.prob > cut)


def rule_characteristics(
    table: OutcomeTable, scenarios: Sequence[Sequence[float]] | Floats, *, go: NDArray[np.bool_]
) -> BorrowingCharacteristics:
    """Return the exact characteristics of any rule that is known for every outcome.

    Parameters
    ----------
    table : OutcomeTable
        Posterior of every outcome.
    scenarios : sequence of sequence of float
        True rates, one row per scenario.
    go : ndarray of bool, shape (rows, K)
        Decision per outcome and cohort.

    Returns
    -------
    BorrowingCharacteristics
        One row per scenario.

    Raises
    ------
    ValueError
        If a rate is illegal.
    DesignError
        If the decisions do not belong to the table.
    """
    if go.shape != table.prob.shape:
        raise DesignError(f"decisions have shape {go.shape}, the outcomes {table.prob.shape}")
    truth = np.array([np.broadcast_to(row, table.p0.shape) for row in scenarios], dtype=float)
    rows = [_scenario(table, rates, go) for rates in truth]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return BorrowingCharacteristics(truth, *columns)


def _scenario(table: OutcomeTable, rates: Floats, go: NDArray[np.bool_]) -> tuple[Floats | float, ...]:
    weight = table.weights(rates)
    null = rates <= table.p0 + _SLACK
    error = table.mean - rates
    correct = np.where(null, ~go, go).sum(axis=1)
    return (
        weight @ go,
        float(weight @ go[:, null].any(axis=1)),
        float(weight @ go.any(axis=1)),
        1.0 if null.all() else float(weight @ go[:, ~null].all(axis=1)),
        float(weight @ correct),
        weight @ error,
        weight @ error**2,
    )


def calibrate_cut(table: OutcomeTable, p: Sequence[float] | Floats, *, fwer: float) -> float:
    """Return the smallest attainable cut with at most a given probability of any go.

    Parameters
    ----------
    table : OutcomeTable
        Posterior of every outcome.
    p : sequence of float
        True rates, usually all null.
    fwer : float
        Largest probability of any go, 0 to 1.

    Returns
    -------
    float
        A value of P(p > p0) that occurs, and the slack within which two values count as one; a go needs more.

    Raises
    ------
    DesignError
        If the limit is not between 0 and 1.
    """
    if not 0.0 < fwer < 1.0:
        raise DesignError(f"fwer must be between 0 and 1; found {fwer:g}")
    weight, top = table.weights(p), table.prob.max(axis=1)
    order = np.argsort(-top, kind="stable")
    values, mass = top[order], np.cumsum(weight[order])
    # Outcomes with one and the same probability go together, whatever their last digits: the cut lies just above them.
    new = np.abs(np.diff(values)) > _SLACK
    highest, last = np.append(True, new), np.append(new, True)
    above = np.concatenate([[0.0], mass[last][:-1]])
    return float(values[highest][np.flatnonzero(above <= fwer)[-1]]) + _SLACK


def inactive_participants(table: OutcomeTable, scenario: Sequence[float], *, expected_n: Floats) -> float:
    """Return the expected number of participants in inactive cohorts.

    Parameters
    ----------
    table : OutcomeTable
        Null rates.
    scenario : sequence of float
        True rates.
    expected_n : ndarray of float
        Expected participants per cohort.

    Returns
    -------
    float
        Their sum over cohorts whose rate is not above the null rate.

    Raises
    ------
    None
    """
    null = np.broadcast_to(np.asarray(scenario, dtype=float), table.p0.shape) <= table.p0 + _SLACK
    return float(np.broadcast_to(expected_n, table.p0.shape)[null].sum())
