"""Laws that the borrowing models must obey at the data of a report: a converged grid is not a validated one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from interim.stats.answers import Floats
from interim.stats.borrowing_fit import BasketFit
from interim.stats.borrowing_joint import exnex, hierarchical
from interim.stats.borrowing_priors import ExnexPrior, Grid, HierarchicalPrior, checked_baskets

Fit = Callable[[Floats, Floats, Floats], BasketFit]
LIMITS: Mapping[str, float] = {
    "martingale": 1e-8,
    "weight 1 is hierarchical": 1e-10,
    "an empty type changes nothing": 1e-8,
    "order of types": 1e-10,
    "normal and fine grid": 1e-6,
    "own probability rises with own responses": 0.0,
}
"""Check -> largest permitted deviation."""


def model_checks(
    r: ArrayLike, n: ArrayLike, *, p0: ArrayLike, shared: HierarchicalPrior, mixed: ExnexPrior
) -> Mapping[str, float]:
    """Return the largest deviation of each law at these data.

    Parameters
    ----------
    r, n : array_like of int, shape (k,)
        Responses and participants.
    p0 : array_like of float
        Null rates.
    shared : HierarchicalPrior
        Prior of the hierarchical model.
    mixed : ExnexPrior
        Prior of the exchangeable-nonexchangeable model.

    Returns
    -------
    mapping of str to float
        Check -> deviation.

    Raises
    ------
    ArithmeticError
        If a deviation exceeds its limit; all of them are named.
    ValueError
        If the data are illegal.
    """
    counts, sizes, rates = checked_baskets(r, n, p0)

    def joint(grid: Grid) -> Fit:
        return lambda a, b, c: hierarchical(a, b, p0=c, prior=shared, grid=grid)

    fit = joint(Grid.normal())
    now = fit(counts, sizes, rates)
    same = exnex(counts, sizes, p0=rates, prior=replace(mixed, weight=1.0, shared=shared), grid=Grid.normal())
    found = {
        "martingale": _martingale(now, fit),
        "weight 1 is hierarchical": _apart(now.prob_above, same.prob_above),
        "an empty type changes nothing": _with_empty(now, fit),
        "order of types": _apart(
            now.prob_above[::-1], fit(counts[::-1], sizes[::-1], rates[::-1]).prob_above
        ),
        "normal and fine grid": _apart(now.prob_above, joint(Grid.fine())(counts, sizes, rates).prob_above),
        "own probability rises with own responses": _falls(now, fit),
    }
    broken = [
        f"{name} {found[name]:.3g} > {limit:g}" for name, limit in LIMITS.items() if found[name] > limit
    ]
    if broken:
        raise ArithmeticError(f"the borrowing models break their laws: {'; '.join(broken)}")
    return found


def _apart(first: Floats, second: Floats) -> float:
    return float(np.max(np.abs(first - second)))


def _martingale(now: BasketFit, fit: Fit) -> float:
    """Mean of tomorrow's probability after one more participant of the first type, against today's."""
    law = now.predictive(0, m=1)
    step = np.eye(len(now.r))[0]
    later = [fit(now.r + y * step, now.n + step, now.p0).prob_above for y in (0, 1)]
    return _apart(law[0] * later[0] + law[1] * later[1], now.prob_above)


def _with_empty(now: BasketFit, fit: Fit) -> float:
    more = fit(np.append(now.r, 0.0), np.append(now.n, 0.0), np.append(now.p0, now.p0[0]))
    return _apart(more.prob_above[:-1], now.prob_above)


def _falls(now: BasketFit, fit: Fit) -> float:
    """Largest fall of the own probability with one response more; 0 if it never falls."""
    falls = [0.0]
    for k in np.flatnonzero(now.r < now.n):
        more = fit(now.r + np.eye(len(now.r))[k], now.n, now.p0)
        falls.append(float(now.prob_above[k] - more.prob_above[k]))
    return max(falls)
