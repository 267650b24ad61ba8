"""The kinds of numeric answers that several statistics share, and their statuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Texts: TypeAlias = NDArray[np.str_]
Number: TypeAlias = float | np.integer[Any] | np.floating[Any]
Status: TypeAlias = Literal["OK", "FLAG", "NE", "NR", "INF"]
Definition: TypeAlias = Literal["minlike", "central", "blaker", "abs", "less", "greater"]


@dataclass(frozen=True)
class Interval:
    """An interval of one number.

    Attributes
    ----------
    lower, upper : float
        Limits; NaN only where the status is not OK.
    level : float
        Confidence or credible level, 0 to 1.
    method : str
        Name of the rule that made the limits.
    status : {"OK", "FLAG", "NE", "NR", "INF"}
        FLAG: usable, read the reason. NE: no value.
    reason : str
        Codes joined by ";", empty if OK.
    """

    lower: float
    upper: float
    level: float
    method: str
    status: Status = "OK"
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals of several numbers, one entry per number; item ``i`` is an `Interval`.

    Attributes
    ----------
    lower, upper : ndarray of float, shape (k,)
        Limits.
    level : float
        Common level, 0 to 1.
    method : str
        Common rule.
    status, reason : ndarray of str, shape (k,)
        As in `Interval`, per entry.
    """

    lower: Floats
    upper: Floats
    level: float
    method: str
    status: Texts
    reason: Texts

    def __len__(self) -> int:
        return len(self.lower)

    def __getitem__(self, place: int) -> Interval:
        status: Any = str(self.status[place])
        limits = float(self.lower[place]), float(self.upper[place])
        return Interval(*limits, self.level, self.method, status, str(self.reason[place]))

    def __iter__(self) -> Iterator[Interval]:
        return (self[place] for place in range(len(self)))


@dataclass(frozen=True)
class TestResult:
    """The answer of a test; it names its own definition of the p-value.

    Attributes
    ----------
    statistic : float
        Observed value of the test statistic, named in the docstring of the test.
    p_value : float
        p-value of the alternative that was asked for.
    p_less, p_greater : float
        One-sided p-values.
    p_min : float
        Smallest p-value that any outcome of the same design could give.
    definition : {"minlike", "central", "blaker", "abs", "less", "greater"}
        How the p-value orders the outcomes.
    exact : bool
        True if every arrangement was counted.
    n_arrangements : int
        Number of arrangements or draws behind the p-value.
    mc_error : float
        Monte Carlo standard error; 0 if exact.
    status, reason : str
        As in `Interval`.
    """

    __test__ = False

    statistic: float
    p_value: float
    p_less: float
    p_greater: float
    p_min: float
    definition: Definition
    exact: bool
    n_arrangements: int
    mc_error: float = 0.0
    status: Status = "OK"
    reason: str = ""


def frozen(*arrays: NDArray[Any]) -> None:
    """Make arrays read-only in place.

    Parameters
    ----------
    *arrays : ndarray
        Arrays that a frozen answer is going to hold.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    for array in arrays:
        array.setflags(write=False)
