"""Blocks of the clinical reference pack on Phase IB: response designs and the toxicity monitor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from interim.design.expansion import fixed_sample, two_stages
from interim.design.monitoring import (
    BayesToxicity,
    Characteristics,
    characteristics,
    toxicity_characteristics,
)
from interim.report.packs.base import Case, Given
from interim.study.expansion import MonitorTable

_NUMBER = re.compile(r"[\d.]+")
_COHORTS = 4
_LAST_N = 18

EXPANSION_TOLERANCES = {
    "phase_ib_two_stage": 5e-5,
    "single_stage_go": 5e-5,
    "any_false_go_four_cohorts": 5e-5,
    "tox_stop_boundary": 0.0,
    "tox_stop_probability_exact": 1e-6,
    # 4 standard errors of 40000 runs and half a unit of the last printed digit
    "tox_stop_probability_mc": 0.0105,
}


def expansion_cases(document: Mapping[str, Any]) -> Iterator[Case]:
    """Yield the blocks of Phase IB.

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
    for block in EXPANSION_TOLERANCES:
        if block not in document:
            continue
        values = document[block]["values"]
        keys = {key: list(row) if isinstance(row, Mapping) else [] for key, row in values.items()}
        yield Case(block, {"block": block, "keys": keys}, {block: values})


def compute_expansion(given: Given) -> Mapping[str, Any]:
    """Compute a block.

    Parameters
    ----------
    given : mapping
        Block and its keys, which hold the design and the true rates.

    Returns
    -------
    mapping
        Values of the block.

    Raises
    ------
    KeyError
        If the block is unknown.
    """
    block = given["block"]
    return {block: {key: _BLOCKS[block](key, rates) for key, rates in given["keys"].items()}}


def _numbers(text: str) -> list[float]:
    """Numbers behind the equality signs of a key."""
    return [float(_NUMBER.findall(part)[-1]) for part in text.split(",")]


def _two_stage(key: str, rates: list[float]) -> tuple[Characteristics, int]:
    n1, r1, n, r = (int(number) for number in _numbers(key)[:4])
    return characteristics(two_stages(n1, r1, n=n, r=r), rates), n


def _stages(key: str, rates: list[str]) -> dict[str, dict[str, float]]:
    found, _ = _two_stage(key, [_numbers(rate)[0] for rate in rates])
    return {
        rate: {
            "PET": float(found.p_futility[place]),
            "P_go": float(found.p_go[place]),
            "EN": float(found.expected_n[place]),
        }
        for place, rate in enumerate(rates)
    }


def _single(key: str, rates: list[str]) -> dict[str, float]:
    n, go = (int(number) for number in _numbers(key))
    found = characteristics(fixed_sample(n, go), [_numbers(rate)[0] for rate in rates])
    return dict(zip(rates, found.p_go.tolist(), strict=True))


def _any_false(key: str, _: list[str]) -> float:
    found, _n = _two_stage(key, [_numbers(key)[-1]])
    return float(found.any_go(_COHORTS)[0])


def _monitor(*, min_n: int) -> BayesToxicity:
    """Return the monitor of the study's defaults."""
    table = MonitorTable()
    return BayesToxicity(table.limit, table.cut, (table.prior[0], table.prior[1]), min_n)


def _boundary(key: str, _: list[str]) -> int | None:
    return _monitor(min_n=1).boundary(int(key))[-1]


def _crossing(key: str, _: list[str]) -> float:
    boundary = _monitor(min_n=MonitorTable().min_n).boundary(_LAST_N)
    return float(toxicity_characteristics(boundary, [float(key)]).p_cross[0])


_BLOCKS: Mapping[str, Callable[[str, list[str]], Any]] = {
    "phase_ib_two_stage": _stages,
    "single_stage_go": _single,
    "any_false_go_four_cohorts": _any_false,
    "tox_stop_boundary": _boundary,
    "tox_stop_probability_exact": _crossing,
    "tox_stop_probability_mc": _crossing,
}
