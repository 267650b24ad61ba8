"""Characteristics of any design: compiled once and kept, or simulated; several designs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from numpy.typing import ArrayLike

from interim.design.characteristics import Characteristics
from interim.design.exact import MAX_STATES, CompiledDesign, RuleBased, compile_rule
from interim.design.facts import Facts
from interim.design.fixed import FixedCohorts
from interim.design.history import History
from interim.design.layers import compile_cohorts
from interim.design.simulate import simulate
from interim.errors import DesignError
from interim.parallel import Where
from interim.recall import computed

Truth = Mapping[str, ArrayLike]
_KEYS = {"p_dlt", "p_trigger_only"}


def compile_design(
    design: RuleBased | FixedCohorts, *, start: History | None = None, max_states: int = MAX_STATES
) -> CompiledDesign:
    """Follow every path of a design once; equal designs are compiled once per run.

    Parameters
    ----------
    design : RuleBased or FixedCohorts
        The design.
    start : History, optional
        Present state; open outcomes are completed first. The first participant if absent.
    max_states : int
        Largest number of merged states.

    Returns
    -------
    CompiledDesign
        A scenario is one product.

    Raises
    ------
    DesignError
        If there are more states than permitted.

    Examples
    --------
    >>> from interim.design import Cap, ThreePlusThree
    >>> compile_design(ThreePlusThree((1, 2), cap=Cap(None))).n_terminal_paths
    46
    """
    if isinstance(design, FixedCohorts):
        cohort_dlt = 0 if start is None else design.last_cohort(start)[1]
        facts = None if start is None else design.facts(start)
        return _compiled_cohorts(design, facts, cohort_dlt, max_states)
    return _compiled_rule(design, None if start is None else design.facts(start), max_states)


@lru_cache(maxsize=64)
def _compiled_cohorts(
    design: FixedCohorts, start: Facts | None, cohort_dlt: int, max_states: int
) -> CompiledDesign:
    return computed(compile_cohorts, design, start=start, cohort_dlt=cohort_dlt, max_states=max_states)


@lru_cache(maxsize=64)
def _compiled_rule(design: RuleBased, start: Facts | None, max_states: int) -> CompiledDesign:
    return computed(compile_rule, design, start=start, max_states=max_states)


def operating_characteristics(
    design: RuleBased | FixedCohorts,
    scenarios: Mapping[str, Truth],
    *,
    method: Literal["exact", "simulated"] = "exact",
    n: int = 10_000,
    seed: int | None = None,
    start: History | None = None,
    executor: Where = "serial",
) -> dict[str, Characteristics]:
    """Return the characteristics of a design under several scenarios.

    Parameters
    ----------
    design : RuleBased or FixedCohorts
        The design.
    scenarios : mapping of str to mapping
        Name -> p_dlt and, optional, p_trigger_only, one value per level.
    method : {"exact", "simulated"}
        How the numbers are made.
    n, seed, executor : int, int, str or concurrent.futures.Executor
        Trials, seed and place of a simulation.
    start : History, optional
        Present state, exact only.

    Returns
    -------
    dict of str to Characteristics
        By name of the scenario.

    Raises
    ------
    DesignError
        If a scenario cannot be used, a simulation has no seed, or it should start from a history.
    """
    for name, truth in scenarios.items():
        if "p_dlt" not in truth or set(truth) - _KEYS:
            raise DesignError(
                f"scenario {name!r} needs p_dlt and may have p_trigger_only, found {sorted(truth)}"
            )
    if method == "exact":
        compiled = compile_design(design, start=start)
        return {
            name: compiled.evaluate(truth["p_dlt"], truth.get("p_trigger_only"))
            for name, truth in scenarios.items()
        }
    if start is not None:
        raise DesignError(
            "a simulation starts with the first participant; ask for method 'exact' from a history"
        )
    return {
        name: simulate(design, truth["p_dlt"], truth.get("p_trigger_only"), n=n, seed=seed, executor=executor)
        for name, truth in scenarios.items()
    }


def compare(
    designs: Mapping[str, RuleBased | FixedCohorts], truth: Truth, *, start: History | None = None
) -> dict[str, Characteristics]:
    """Return the exact characteristics of several designs under one scenario.

    Parameters
    ----------
    designs : mapping of str to design
        By printed name.
    truth : mapping
        p_dlt and, optional, p_trigger_only.
    start : History, optional
        Present state.

    Returns
    -------
    dict of str to Characteristics
        By name of the design.

    Raises
    ------
    DesignError
        If the scenario cannot be used by a design.
    """
    return {
        name: operating_characteristics(design, {name: truth}, start=start)[name]
        for name, design in designs.items()
    }
