"""What a reader can compute: bounds of hidden counts from the sums that printed counts must keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog

Bounds = tuple[int, int]
_MOST = 60
_MUCH = 10**6
_SLACK = 1e-6


@dataclass(frozen=True)
class Sum:
    """Counts that add up to another one.

    Attributes
    ----------
    terms : tuple of hashable
        Names of the counts that are added.
    whole : hashable or None
        Name of their sum; None if the sum is a number that is printed anyway.
    value : int
        The sum; read only without a name.
    overlap : bool
        The parts may have participants in common, so that they add up to the whole or to more.
    alone : bool
        It narrows bounds by itself only: columns whose counts are all hidden connect everything and tell little.
    """

    terms: tuple[Any, ...]
    whole: Any = None
    value: int = 0
    overlap: bool = False
    alone: bool = False

    @property
    def names(self) -> tuple[Any, ...]:
        """The counts that it connects."""
        return self.terms if self.whole is None else (*self.terms, self.whole)


def bounds(
    sums: Sequence[Sum], printed: Mapping[Any, int], hidden: Mapping[Any, Bounds]
) -> dict[Any, Bounds]:
    """Return how far hidden counts can be told.

    Parameters
    ----------
    sums : sequence of Sum
        Relations that a reader knows.
    printed : mapping of hashable to int
        Counts that are printed.
    hidden : mapping of hashable to (int, int)
        Counts that are not, with the smallest and largest value that their mark leaves open.

    Returns
    -------
    dict of hashable to (int, int)
        For each hidden count the smallest and largest value that agrees with all sums. A count is recovered if both are equal.

    Raises
    ------
    ValueError
        If no values agree with the sums: a relation or a mark is wrong.

    Notes
    -----
    Each sum alone narrows the bounds of its terms until nothing changes. Counts that several sums connect are then bounded by
    linear programmes, up to sixty of them at a time; larger connections keep the bounds of the first step, which are too wide
    rather than too narrow.
    """
    found = dict(hidden)
    equations, joined = [], []
    for place, one in enumerate(sums):
        signs, value = _equation(one, printed, hidden)
        if signs and one.overlap:
            signs[("more", place)] = -1
            found[("more", place)] = 0, _MUCH
        if signs:
            equations.append((signs, value))
            joined += [] if one.alone else [(signs, value)]
    changed = True
    while changed:
        changed = False
        for signs, value in equations:
            changed |= _narrow(signs, value, found)
    for part in _connected(joined):
        names = {name for signs, _ in part for name in signs}
        if len(part) > 1 and len(names) <= _MOST:
            found |= _programmed(part, {name: found[name] for name in names})
    return {name: found[name] for name in hidden}


def _equation(
    one: Sum, printed: Mapping[Any, int], hidden: Mapping[Any, Bounds]
) -> tuple[dict[Any, int], int]:
    """Return sign by hidden count, and what they add up to."""
    signs: dict[Any, int] = {}
    value = one.value if one.whole is None else 0
    for name, sign in (
        *((term, 1) for term in one.terms),
        *(((one.whole, -1),) if one.whole is not None else ()),
    ):
        if name in hidden:
            signs[name] = signs.get(name, 0) + sign
        else:
            value -= sign * printed[name]
    return signs, value


def _narrow(signs: Mapping[Any, int], value: int, found: dict[Any, Bounds]) -> bool:
    """Narrow the bounds of the counts of one sum; tell whether anything changed."""
    spans = {name: tuple(sorted(sign * end for end in found[name])) for name, sign in signs.items()}
    low, high = (sum(span[side] for span in spans.values()) for side in (0, 1))
    changed = False
    for name, sign in signs.items():
        least, most = value - (high - spans[name][1]), value - (low - spans[name][0])
        ends = sorted((least * sign, most * sign))
        new = max(found[name][0], ends[0]), min(found[name][1], ends[1])
        if new[0] > new[1]:
            raise ValueError(f"no value of {name} agrees with the printed counts")
        changed |= new != found[name]
        found[name] = new
    return changed


def _connected(
    equations: Sequence[tuple[dict[Any, int], int]],
) -> list[list[tuple[dict[Any, int], int]]]:
    """Return the equations in parts that have no count in common."""
    home: dict[Any, int] = {}
    parts: dict[int, tuple[list[Any], list[tuple[dict[Any, int], int]]]] = {}
    for place, equation in enumerate(equations):
        names, members = list(equation[0]), [equation]
        for known in {home[name] for name in equation[0] if name in home}:
            own = parts.pop(known)
            names, members = names + own[0], own[1] + members
        parts[place] = names, members
        home.update(dict.fromkeys(names, place))
    return [members for _, members in parts.values()]


def _programmed(part: Sequence[tuple[dict[Any, int], int]], found: Mapping[Any, Bounds]) -> dict[Any, Bounds]:
    """Return the bounds that all sums of a part leave together."""
    names = list(found)
    matrix = np.array([[signs.get(name, 0) for name in names] for signs, _ in part], dtype=float)
    values = np.array([value for _, value in part], dtype=float)
    narrowed = {}
    for place, name in enumerate(names):
        if found[name][0] == found[name][1]:
            continue
        ends = []
        for sign in (1.0, -1.0):
            aim = np.zeros(len(names))
            aim[place] = sign
            best = linprog(aim, A_eq=matrix, b_eq=values, bounds=list(found.values()), method="highs")
            if not best.success:
                raise ValueError(f"no value of {name} agrees with the printed counts")
            ends.append(sign * float(best.fun or 0.0))
        narrowed[name] = int(np.ceil(ends[0] - _SLACK)), int(np.floor(ends[1] + _SLACK))
    return narrowed
