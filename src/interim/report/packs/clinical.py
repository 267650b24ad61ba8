"""Reference pack of numbers that the interim package depends on; only the blocks of rooms that exist are recomputed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from interim.display.rounding import percent_text
from interim.report.packs.base import Case, Given, Pack
from interim.stats import beta_posterior, binomial_interval, kaplan_meier

_TOLERANCES = {
    "ci95_percent": 0.005 + 1e-9,
    "zero_event_upper95_onesided_pct": 0.05 + 1e-9,
    "dlt_posterior_above_one_third_beta11": 0.0005 + 1e-9,
    "km_landmark_loglog_ci_no_censoring": 0.05 + 1e-9,
    "rounding_trap_1_decimal": 0.0,
    "rounding_trap_0_decimals": 0.0,
}
_DIGITS = {"rounding_trap_1_decimal": 1, "rounding_trap_0_decimals": 0}


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


def _compute(given: Given) -> Mapping[str, Any]:
    block = given["block"]
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
    return float(beta_posterior(x, n, prior=(1.0, 1.0), limit=1 / 3).p_above)


def _landmark(key: str) -> list[float]:
    """Curve of n participants without censoring, read where S is as the key says."""
    parts = dict(part.split("=") for part in key.split(","))
    n = int(parts["n"])
    events = round(n * (1 - float(parts["S"])))
    curve = kaplan_meier(np.arange(1, n + 1), np.ones(n, dtype=int))
    point = curve.at(events)
    return [100 * float(point.lower), 100 * float(point.upper)]


_NUMBERS = {
    "ci95_percent": _ci95,
    "zero_event_upper95_onesided_pct": _zero,
    "dlt_posterior_above_one_third_beta11": _posterior,
    "km_landmark_loglog_ci_no_censoring": _landmark,
}

CLINICAL = (
    Pack("clinical", "reference_numbers.json", 0.0, _split, _compute, tolerances=_TOLERANCES, absolute=True),
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
    return [block for block in document if block not in _TOLERANCES]
