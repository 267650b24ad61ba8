"""Operating characteristics: what a design does on average, per scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from interim.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

Floats: TypeAlias = NDArray[np.float64]
Distribution: TypeAlias = Mapping[int, float]
Counted: TypeAlias = tuple[NDArray[np.int64], list[int]]


@dataclass(frozen=True)
class Scenario:
    """True rates per level.

    Attributes
    ----------
    p_dlt : ndarray of float, shape (levels,)
        Probability of a DLT.
    p_trigger_only : ndarray of float, shape (levels,)
        Probability of a trigger that is no DLT.
    """

    p_dlt: Floats
    p_trigger_only: Floats


@dataclass(frozen=True)
class Characteristics:
    """What a design does under one scenario.

    Attributes
    ----------
    sel : tuple of float
        Probability of each selected level; index 0 is no dose.
    status : mapping of str to float
        Probability of each final status.
    p_cap : float
        Probability that the largest number of participants stopped the trial.
    p_left_titration : float
        Probability that a titration participant had a trigger.
    EN, EY : tuple of float
        Expected participants and DLT per level.
    n_dist, dlt_dist : mapping of int to float
        Distribution of the number of participants and of DLT.
    p_over : float
        Probability that a level with a DLT rate above the limit is selected.
    n_over : float
        Expected participants at such levels.
    mcse : mapping of str to tuple of float
        Monte Carlo standard errors of sel, EN and EY, and of the totals n, dlt and treated; zero if exact.
    method : {"exact", "simulated"}
        How the numbers were made.
    trials : int
        Simulated trials, 0 if exact.
    EN_treated : tuple of float
        Expected participants treated per level, with those who are replaced.
    """

    sel: tuple[float, ...]
    status: Mapping[str, float]
    p_cap: float
    p_left_titration: float
    EN: tuple[float, ...]
    EY: tuple[float, ...]
    n_dist: Distribution
    dlt_dist: Distribution
    p_over: float
    n_over: float
    mcse: Mapping[str, tuple[float, ...]]
    method: Literal["exact", "simulated"] = "exact"
    trials: int = 0
    EN_treated: tuple[float, ...] = ()

    @property
    def total_n(self) -> float:
        """Expected number of participants."""
        return float(sum(self.EN))

    @property
    def total_dlt(self) -> float:
        """Expected number of DLT."""
        return float(sum(self.EY))

    def n_above(self, limit: int) -> float:
        """Return the probability of more participants than a limit.

        Parameters
        ----------
        limit : int
            Number of participants.

        Returns
        -------
        float
            Probability of a larger trial.

        Raises
        ------
        None
        """
        return float(sum(p for n, p in self.n_dist.items() if n > limit))


def scenario(p_dlt: ArrayLike, p_trigger_only: ArrayLike | None = None, *, levels: int) -> Scenario:
    """Check the true rates of a scenario.

    Parameters
    ----------
    p_dlt : array_like of float, shape (levels,)
        Probability of a DLT per level.
    p_trigger_only : array_like of float, shape (levels,), optional
        Probability of a trigger that is no DLT; zero if absent.
    levels : int
        Number of dose levels.

    Returns
    -------
    Scenario
        The rates as arrays.

    Raises
    ------
    DesignError
        If a length is wrong, a rate is missing or outside 0 to 1, or the two exceed 1 together; names the levels.
    """
    p = np.atleast_1d(np.asarray(p_dlt, dtype=float))
    q = np.zeros(levels) if p_trigger_only is None else np.atleast_1d(np.asarray(p_trigger_only, dtype=float))
    for name, values in (("p_dlt", p), ("p_trigger_only", q)):
        if values.shape != (levels,):
            raise DesignError(f"{name} needs {levels} values, one per level, found shape {values.shape}")
        wrong = np.flatnonzero(~((values >= 0) & (values <= 1))) + 1
        if wrong.size:
            raise DesignError(
                f"{name} must lie in 0..1; levels {wrong.tolist()} are {values[wrong - 1].tolist()}"
            )
    wrong = np.flatnonzero(p + q > 1 + 1e-12) + 1
    if wrong.size:
        raise DesignError(f"p_dlt + p_trigger_only must not exceed 1; levels {wrong.tolist()} do")
    return Scenario(p, np.minimum(q, 1 - p))


@dataclass(frozen=True)
class Outcomes:
    """Final states of trials with their weights; row s of every array is one state.

    Attributes
    ----------
    n, y : ndarray of int, shape (states, levels)
        Participants and DLT.
    mtd : ndarray of int, shape (states,)
        Selected level, 0 for none.
    status : tuple of str
        Final status of every state.
    capped, left : ndarray of bool, shape (states,)
        Stopped by the cap; titration ended by a trigger.
    lost : ndarray of int, shape (states, levels), or None
        Participants treated and replaced.
    """

    n: NDArray[np.int64]
    y: NDArray[np.int64]
    mtd: NDArray[np.int64]
    status: tuple[str, ...]
    capped: NDArray[np.bool_]
    left: NDArray[np.bool_]
    lost: NDArray[np.int64] | None = None

    @cached_property
    def _statuses(self) -> tuple[list[str], NDArray[np.int64]]:
        names = sorted(set(self.status))
        code = {name: place for place, name in enumerate(names)}
        return names, np.array([code[name] for name in self.status], dtype=np.int64)

    @cached_property
    def _totals(self) -> tuple[Counted, Counted]:
        return _counted(self.n.sum(axis=1)), _counted(self.y.sum(axis=1))

    @cached_property
    def _floats(self) -> tuple[Floats, Floats, Floats]:
        """Participants, DLT and treated per state, as floats for the products."""
        treated = self.n if self.lost is None else self.n + self.lost
        return self.n.astype(float), self.y.astype(float), treated.astype(float)

    def summarise(
        self, weights: Floats, truth: Scenario, *, tox_limit: float = 1 / 3, trials: int = 0
    ) -> Characteristics:
        """Average over the states.

        Parameters
        ----------
        weights : ndarray of float, shape (states,)
            Probability of every state.
        truth : Scenario
            True rates.
        tox_limit : float
            DLT rate above which a level is too toxic.
        trials : int
            Simulated trials behind the weights, 0 if they are exact.

        Returns
        -------
        Characteristics
            The averages.

        Raises
        ------
        None
        """
        toxic = truth.p_dlt > tox_limit
        sel = _shares(self.mtd, weights, self.n.shape[1] + 1)
        totals, dlts = self._totals
        en, ey, treated = (weights @ part for part in self._floats)
        names, codes = self._statuses
        parts = _shares(codes, weights, len(names))
        return Characteristics(
            sel=_numbers(sel),
            status=MappingProxyType(dict(zip(names, _numbers(parts), strict=True))),
            p_cap=float(weights @ self.capped),
            p_left_titration=float(weights @ self.left),
            EN=_numbers(en),
            EY=_numbers(ey),
            n_dist=_distribution(totals, weights),
            dlt_dist=_distribution(dlts, weights),
            p_over=float(sel[1:] @ toxic),
            n_over=float(en @ toxic),
            mcse=self._errors(weights, sel, trials),
            method="simulated" if trials else "exact",
            trials=trials,
            EN_treated=_numbers(treated),
        )

    def _errors(self, weights: Floats, sel: Floats, trials: int) -> Mapping[str, tuple[float, ...]]:
        """Return the Monte Carlo standard errors; zero where the weights are exact."""
        if not trials:
            zero = (0.0,) * self.n.shape[1]
            none = dict.fromkeys(("n", "dlt", "treated"), (0.0,))
            return MappingProxyType({"sel": (0.0, *zero), "EN": zero, "EY": zero, **none})
        share = 1 / trials
        errors = {"sel": np.sqrt(np.maximum(sel * (1 - sel), 0) * share)}
        n, dlt, treated = (part.sum(axis=1, keepdims=True) for part in self._floats)
        counts = {"EN": self.n, "EY": self.y, "n": n, "dlt": dlt, "treated": treated}
        for name, values in counts.items():
            mean = weights @ values
            errors[name] = np.sqrt(np.maximum(weights @ (values - mean) ** 2, 0) * share)
        return MappingProxyType({name: _numbers(values) for name, values in errors.items()})


def frame(found: Mapping[str, Characteristics]) -> pd.DataFrame:
    """Return several characteristics as rows.

    Parameters
    ----------
    found : mapping of str to Characteristics
        By name of design or scenario.

    Returns
    -------
    pandas.DataFrame
        Columns name, level (0 for no dose), sel, EN, EY, sel_mcse, method.

    Raises
    ------
    None
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for name, item in found.items():
        for level, share in enumerate(item.sel):
            counts = (item.EN[level - 1], item.EY[level - 1]) if level else (np.nan, np.nan)
            rows.append(
                {
                    "name": name,
                    "level": level,
                    "sel": share,
                    "EN": counts[0],
                    "EY": counts[1],
                    "sel_mcse": item.mcse["sel"][level],
                    "method": item.method,
                }
            )
    return pd.DataFrame(rows)


def _numbers(values: Sequence[float] | Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _shares(values: NDArray[np.int64], weights: Floats, size: int) -> Floats:
    return np.asarray(np.bincount(values, weights=weights, minlength=size), dtype=float)


def _counted(values: NDArray[np.int64]) -> Counted:
    return values, np.flatnonzero(np.bincount(values, minlength=1)).tolist()


def _distribution(counted: Counted, weights: Floats) -> Distribution:
    values, present = counted
    shares = _shares(values, weights, 0)
    return MappingProxyType({value: float(shares[value]) for value in present})
