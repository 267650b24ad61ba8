"""Blocks of the clinical reference pack on dose escalation: titration and 3+3 in two readings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from interim.design import compile_design
from interim.report.packs.base import Case, Given
from interim.report.packs.dose import rule_named

_SCOPE = {"A": "all_levels", "B": "literal"}
_DIRECT = {"escalation_oc_exact": True, "escalation_oc_exact_fill3": False, "escalation_oc_mc20000": True}
_SIMULATED = "escalation_oc_mc20000"
_EXTREMES = ("minN", "maxN")
_REGISTERED_MAXIMUM = 18

ESCALATION_INPUTS = ("escalation_scenarios", "escalation_modes")
"""Blocks that hold what is given."""

ESCALATION_TOLERANCES = {
    "escalation_oc_exact": 1e-6,
    "escalation_oc_exact_fill3": 1e-6,
    # 4 standard errors of 20000 trials and half a unit of the last printed digit
    "escalation_oc_mc20000": 0.0147,
    "escalation_oc_mc20000.meanN": 0.11,
    "escalation_oc_mc20000.mean_DLT": 0.055,
}


def escalation_cases(document: Mapping[str, Any]) -> Iterator[Case]:
    """Yield the escalation blocks of the document, the statistic before the scenario.

    Parameters
    ----------
    document : mapping
        The parsed file.

    Yields
    ------
    Case
        One per block.

    Raises
    ------
    None
    """
    for block in _DIRECT:
        if block not in document or ESCALATION_INPUTS[0] not in document:
            continue
        values = document[block]["values"]
        given = {
            "block": block,
            "keys": list(values),
            "scenarios": document[ESCALATION_INPUTS[0]]["values"],
        }
        yield Case(block, given, {block: _turned(values, block)})


def compute_escalation(given: Given) -> Mapping[str, Any]:
    """Compute a block.

    Parameters
    ----------
    given : mapping
        Block, keys ``scenario|reading``, scenarios.

    Returns
    -------
    mapping
        Values of the block, the statistic before the scenario.

    Raises
    ------
    KeyError
        If a key names an unknown scenario or reading.
    """
    block = given["block"]
    found = {key: _values(key, given["scenarios"], direct=_DIRECT[block]) for key in given["keys"]}
    return {block: _turned(found, block)}


def _turned(values: Mapping[str, Mapping[str, Any]], block: str) -> dict[str, dict[str, Any]]:
    turned: dict[str, dict[str, Any]] = {}
    for key, row in values.items():
        for name, value in row.items():
            if not (block == _SIMULATED and name in _EXTREMES):
                turned.setdefault(name, {})[key] = value
    return turned


def _values(key: str, scenarios: Mapping[str, Any], *, direct: bool) -> dict[str, Any]:
    name, reading = key.split("|")
    p = np.array(scenarios[name]["p_dlt"])
    trigger = np.maximum(np.array(scenarios[name]["p_trigger"]), p)
    levels = tuple(float(place) for place in range(1, p.size + 1))
    design = rule_named(_SCOPE[reading], levels, direct=direct)
    found = compile_design(design).evaluate(p, trigger - p)
    sizes = [size for size, share in found.n_dist.items() if share > 0]
    select = {f"DL{level}": share for level, share in enumerate(found.sel)}
    return {
        "meanN": found.total_n,
        "P_N_gt18": found.n_above(_REGISTERED_MAXIMUM),
        "minN": min(sizes),
        "maxN": max(sizes),
        "mean_DLT": found.total_dlt,
        "select": {"none": select.pop("DL0"), **select},
        "P_trigger": found.p_left_titration,
    }
