"""Blocks of the clinical reference pack on subgroups: what a split could show at best, and what it shows by chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from interim.report.packs.base import Case, Given
from interim.stats import chance_of_gap, smallest_p

_SPLITS = 7

SUBGROUP_TOLERANCES = {
    "min_attainable_two_sided_fisher_p": 0.00005 + 1e-9,
    "chance_of_spurious_subgroup_orr_gap_exact": 1e-6,
    # 4 standard errors of 20000 runs and half a unit of the last printed digit
    "chance_of_spurious_subgroup_orr_gap_mc": 0.0147,
}


def subgroup_cases(document: Mapping[str, Any]) -> Iterator[Case]:
    """Yield the subgroup blocks of the document.

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
    for block in SUBGROUP_TOLERANCES:
        if block in document:
            values = document[block]["values"]
            yield Case(block, {"block": block, "keys": list(values)}, {block: values})


def compute_subgroups(given: Given) -> Mapping[str, Any]:
    """Compute a block.

    Parameters
    ----------
    given : mapping
        Block and keys such as ``n=12,resp=3`` or ``n=12,resp=3,diff>=40pp``.

    Returns
    -------
    mapping
        Values of the block.

    Raises
    ------
    ValueError
        If a key cannot be read.
    """
    single = _smallest if given["block"] == "min_attainable_two_sided_fisher_p" else _gap
    return {given["block"]: {key: single(*_read(key)) for key in given["keys"]}}


def _read(key: str) -> tuple[int, int, float]:
    """Participants, responders and gap of a key; the gap is 0 if the key has none."""
    parts = dict(part.replace(">=", "=").removesuffix("pp").split("=") for part in key.split(","))
    return int(parts["n"]), int(parts["resp"]), float(parts.get("diff", 0)) / 100.0


def _smallest(n: int, responders: int, _gap: float) -> dict[str, float]:
    splits = [smallest_p(responders, [size, n - size]) for size in range(1, n // 2 + 1)]
    return {"balanced_split": splits[-1], "any_split": min(splits)}


def _gap(n: int, responders: int, gap: float) -> dict[str, float]:
    one = chance_of_gap(responders, (n // 2, n - n // 2), gap=gap)
    return {"one_split": one, "any_of_7": 1.0 - (1.0 - one) ** _SPLITS}
