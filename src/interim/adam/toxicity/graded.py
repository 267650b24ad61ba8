"""Graded: a derived grade with its bounds, the item that decided it, and the inputs that were missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

INPUT_MISSING = "INPUT_MISSING"


@dataclass(frozen=True)
class Graded:
    """A grade between bounds.

    Attributes
    ----------
    low, high : int
        Grade if every missing input were the best, the worst possible one.
    driver : str
        Item that decides the grade of the worst completion; empty for grade 0.
    missing : tuple of str
        Inputs that were not recorded.
    """

    low: int
    high: int
    driver: str = ""
    missing: tuple[str, ...] = ()

    @property
    def grade(self) -> int | None:
        """The grade; None if the missing inputs decide it."""
        return self.low if self.low == self.high else None

    @property
    def reason(self) -> str:
        """Why there is no grade; empty if there is one."""
        return "" if self.grade is not None else INPUT_MISSING


def between(
    items: Mapping[str, int | None], worst: Mapping[str, int], *, of: Callable[[Mapping[str, int]], int]
) -> Graded:
    """Grade the best and the worst completion of the inputs.

    Parameters
    ----------
    items : mapping of str to (int or None)
        Level of each item; None if it was not recorded.
    worst : mapping of str to int
        Highest level of each item; the lowest is 0.
    of : callable
        Complete levels -> grade.

    Returns
    -------
    Graded
        The driver is the item with the highest level in the worst completion, the first of several.

    Raises
    ------
    None
    """
    missing = tuple(name for name, level in items.items() if level is None)
    best = {name: 0 if level is None else level for name, level in items.items()}
    bad = {name: worst[name] if level is None else level for name, level in items.items()}
    low, high = of(best), of(bad)
    driver = max(bad, key=lambda name: bad[name]) if high else ""
    return Graded(low, high, driver, missing if low != high else ())
