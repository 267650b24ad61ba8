"""Planning scenarios: the shipped proposal, and how a probability of a trigger is read."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from interim.errors import DesignError

Truth = dict[str, tuple[float, ...]]


@cache
def _shipped() -> dict[str, dict[str, list[float]]]:
    return tomllib.loads(files("interim.design").joinpath("planning.toml").read_text(encoding="utf-8"))


def planning_scenarios(levels: int) -> dict[str, Truth]:
    """Return the shipped planning scenarios, a proposal of this package.

    Parameters
    ----------
    levels : int
        Number of dose levels.

    Returns
    -------
    dict of str to dict
        Name -> p_dlt and p_trigger_only; none if the scenarios have another number of levels.

    Raises
    ------
    None

    Examples
    --------
    >>> planning_scenarios(4)["low"]["p_dlt"]
    (0.02, 0.05, 0.08, 0.12)
    """
    return {
        name: truth(row["p_dlt"], row["p_trigger"])
        for name, row in _shipped().items()
        if len(row["p_dlt"]) == levels
    }


def truth(p_dlt: Sequence[float], p_trigger: Sequence[float] | None = None) -> Truth:
    """Return a scenario from the probability of a DLT and of any trigger.

    Parameters
    ----------
    p_dlt : sequence of float
        Probability of a DLT per level.
    p_trigger : sequence of float, optional
        Probability of a titration trigger per level, DLT included; that of a DLT if absent.

    Returns
    -------
    dict
        p_dlt and p_trigger_only.

    Raises
    ------
    DesignError
        If the numbers of levels differ, or a trigger is rarer than a DLT.

    Examples
    --------
    >>> truth([0.25, 0.5], [0.5, 0.5])["p_trigger_only"]
    (0.25, 0.0)
    """
    triggers = tuple(p_dlt) if p_trigger is None else tuple(p_trigger)
    if len(triggers) != len(p_dlt):
        raise DesignError(
            f"p_dlt has {len(p_dlt)} values and p_trigger {len(triggers)}; one per level is needed"
        )
    rare = [level for level, (p, q) in enumerate(zip(p_dlt, triggers, strict=True), 1) if q < p]
    if rare:
        raise DesignError(f"every DLT is a trigger, so p_trigger must not be below p_dlt; levels {rare} are")
    only = tuple(round(q - p, 12) for p, q in zip(p_dlt, triggers, strict=True))
    return {"p_dlt": tuple(p_dlt), "p_trigger_only": only}
