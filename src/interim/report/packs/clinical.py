"""Reference pack of numbers that the interim package depends on; only the blocks of rooms that exist are recomputed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from interim.display.rounding import percent_text
from interim.report.packs.base import Case, Given, Pack
from interim.report.packs.clinical_escalation import (
    ESCALATION_INPUTS,
    ESCALATION_TOLERANCES,
    compute_escalation,
    escalation_cases,
)
from interim.report.packs.clinical_expansion import (
    EXPANSION_TOLERANCES,
    compute_expansion,
    expansion_cases,
)
from interim.report.packs.clinical_subgroups import SUBGROUP_TOLERANCES, compute_subgroups, subgroup_cases
from interim.report.packs.clinical_uniqueness import (
    UNIQUENESS_TOLERANCES,
    compute_uniqueness,
    uniqueness_cases,
)
from interim.stats import beta_posterior, binomial_interval
from interim.stats.curve_limits import CurveRows, log_log

_TOLERANCES = {
    "ci95_percent": 0.005 + 1e-9,
    "zero_event_upper95_onesided_pct": 0.05 + 1e-9,
    "dlt_posterior_above_one_third_beta11": 0.0005 + 1e-9,
    "km_landmark_loglog_ci_no_censoring": 0.05 + 1e-9,
    "rounding_trap_1_decimal": 0.0,
    "rounding_trap_0_decimals": 0.0,
}
_DIGITS = {"rounding_trap_1_decimal": 1, "rounding_trap_0_decimals": 0}
_LARGEST_DENOMINATOR = 100  # 0.33333 stands for 1/3


def _split(document: Any) -> Iterator[Case]:
    for block in _TOLERANCES:
        if block not in document:
            continue
        values = document[block]["values"]
        if block in _DIGITS:
            pairs = values["all"]
            given: dict[str, Any] = {"block": block, "keys": [[x, n] for x, n, _, _ in pairs]}
            expected = {f"{x}/{n}": half_up for x, n, _, half_up in pairs}
        else:
            given = {"block": block, "keys": list(values)}
            expected = values
        yield Case(block, given, {block: expected})
    yield from escalation_cases(document)
    yield from expansion_cases(document)
    yield from subgroup_cases(document)
    yield from uniqueness_cases(document)


def _compute(given: Given) -> Mapping[str, Any]:
    block = given["block"]
    if block in ESCALATION_TOLERANCES:
        return compute_escalation(given)
    if block in EXPANSION_TOLERANCES:
        return compute_expansion(given)
    if block in SUBGROUP_TOLERANCES:
        return compute_subgroups(given)
    if block in UNIQUENESS_TOLERANCES:
        return compute_uniqueness(given)
    if block in _DIGITS:
        digits = _DIGITS[block]
        return {block: {f"{x}/{n}": percent_text(x, n, digits=digits) for x, n in given["keys"]}}
    return {block: {key: _NUMBERS[block](key) for key in given["keys"]}}


def _ci95(key: str) -> dict[str, list[float]]:
    x, n = map(int, key.split("/"))
    answer = {}
    for name, method in (("cp", "clopper_pearson"), ("wilson", "wilson")):
        interval = binomial_interval(x, n, method=method)
        answer[name] = [100 * float(interval.lower), 100 * float(interval.upper)]
    return answer


def _zero(key: str) -> float:
    return 100 * float(binomial_interval(0, int(key), side="upper").upper)


def _posterior(key: str) -> float:
    x, n = map(int, key.split("/"))
    above = beta_posterior(x, n, prior=(1.0, 1.0), limit=1 / 3).p_above
    return math.nan if above is None else above


def _landmark(key: str) -> list[float]:
    """Limits at a survival S among n participants of whom none was censored before: then Greenwood is binomial."""
    parts = dict(part.split("=") for part in key.split(","))
    n, surv = int(parts["n"]), float(Fraction(parts["S"]).limit_denominator(_LARGEST_DENOMINATOR))
    count = np.array([n])
    rows = CurveRows(
        time=np.array([1.0]),
        n_risk=count,
        n_event=count * 0,
        n_censor=count * 0,
        surv=np.array([surv]),
        cumhaz=np.array([-np.log(surv)]),
        se_surv=np.array([np.sqrt(surv * (1 - surv) / n)]),
        se_log_surv=np.array([np.sqrt((1 - surv) / (surv * n))]),
    )
    lower, upper = log_log(rows, 0.95)
    return [100 * float(lower[0]), 100 * float(upper[0])]


_NUMBERS = {
    "ci95_percent": _ci95,
    "zero_event_upper95_onesided_pct": _zero,
    "dlt_posterior_above_one_third_beta11": _posterior,
    "km_landmark_loglog_ci_no_censoring": _landmark,
}

CLINICAL = (
    Pack(
        "clinical",
        "reference_numbers.json",
        0.0,
        _split,
        _compute,
        tolerances={
            **_TOLERANCES,
            **ESCALATION_TOLERANCES,
            **EXPANSION_TOLERANCES,
            **SUBGROUP_TOLERANCES,
            **UNIQUENESS_TOLERANCES,
        },
        absolute=True,
    ),
)


def uncovered_blocks(document: Mapping[str, Any]) -> list[str]:
    """Return the blocks of the pack that no room of this version can recompute.

    Parameters
    ----------
    document : mapping
        The parsed file.

    Returns
    -------
    list of str
        Names of blocks.

    Raises
    ------
    None
    """
    known = {
        *_TOLERANCES,
        *ESCALATION_INPUTS,
        *ESCALATION_TOLERANCES,
        *EXPANSION_TOLERANCES,
        *SUBGROUP_TOLERANCES,
        *UNIQUENESS_TOLERANCES,
    }
    return [block for block in document if block not in known]
