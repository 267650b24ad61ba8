"""Designs that read the next move off a table of counts: BOIN, mTPI, mTPI-2, Keyboard, i3+3 and uploaded tables."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from interim.design.elimination import Elimination, Integers, isotonic_rates, select_isotonic
from interim.design.fixed import Batch, FixedCohorts
from interim.design.options import checked_levels
from interim.errors import DesignError
from interim.stats import beta_mass

if TYPE_CHECKING:
    import pandas as pd

LETTERS = {"E": 1, "S": 0, "D": -1, "DU": -1}
_TIE = 1 + 1e-12


@dataclass(frozen=True)
class IntervalDesign(FixedCohorts):
    """A design whose move depends on participants and DLT at the current level.

    Attributes
    ----------
    levels : tuple of float
        Planned doses, increasing.
    target : float
        Target DLT rate.
    safety : Elimination
        When a level and all above are eliminated.
    """

    levels: tuple[float, ...]
    target: float
    _: KW_ONLY
    safety: Elimination = field(default_factory=Elimination)

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        object.__setattr__(self, "levels", checked_levels(self.levels))
        if not 0 < self.target < 1:
            raise DesignError(f"target must lie between 0 and 1, found {self.target}")
        super().__post_init__()

    def ladder(self) -> tuple[float, ...]:
        """Return the planned doses.

        Returns
        -------
        tuple of float
            Increasing.

        Raises
        ------
        None
        """
        return self.levels

    @abstractmethod
    def move(self, n: int, y: int) -> str:
        """Return the move without elimination.

        Parameters
        ----------
        n, y : int
            Participants and DLT at the current level.

        Returns
        -------
        str
            E, S or D.

        Raises
        ------
        None
        """

    def table(self, n_max: int) -> tuple[tuple[str, ...], ...]:
        """Return the decision table.

        Parameters
        ----------
        n_max : int
            Largest number of participants.

        Returns
        -------
        tuple of tuple of str
            Row n - 1 holds the decisions for y = 0..n: E, S, D, or DU where the level is eliminated.

        Raises
        ------
        None
        """
        return tuple(tuple(self._letter(n, y) for y in range(n + 1)) for n in range(1, n_max + 1))

    def decision_table(self, n_max: int | None = None) -> pd.DataFrame:
        """Return the decision table as rows.

        Parameters
        ----------
        n_max : int, optional
            Largest number of participants; that of the design if absent.

        Returns
        -------
        pandas.DataFrame
            Columns n, y, decision.

        Raises
        ------
        None
        """
        import pandas as pd

        rows = enumerate(self.table(n_max or self.n_max), 1)
        cells = [(n, y, letter) for n, letters in rows for y, letter in enumerate(letters)]
        return pd.DataFrame(cells, columns=["n", "y", "decision"])

    def _letter(self, n: int, y: int) -> str:
        return "DU" if bool(self.safety.toxic(n, y, target=self.target)) else self.move(n, y)

    def propose(self, batch: Batch) -> Integers:
        """Return the next level of every state.

        Parameters
        ----------
        batch : Batch
            States after a complete cohort.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based level, 0 where the lowest level is eliminated.

        Raises
        ------
        None
        """
        place = batch.current[:, None] - 1
        n = np.take_along_axis(batch.n, place, axis=1)[:, 0]
        y = np.take_along_axis(batch.y, place, axis=1)[:, 0]
        lowest = self.excluded(batch.n, batch.y)
        steps = _steps(self, max(self.n_max, int(n.max())))
        level = np.clip(batch.current + steps[n, y], 1, batch.n.shape[1])
        found: Integers = np.minimum(level, lowest - 1)
        return found

    def excluded(self, n: Integers, y: Integers) -> Integers:
        """Return the lowest eliminated level.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based; above the highest level where there is none.

        Raises
        ------
        None
        """
        return self.safety.lowest(n, y, target=self.target)

    def choose(self, n: Integers, y: Integers) -> Integers:
        """Return the level whose isotonic rate is closest to the target.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based level, 0 for no dose.

        Raises
        ------
        None
        """
        return select_isotonic(n, y, target=self.target, safety=self.safety)

    def estimates(self, n: Integers, y: Integers) -> NDArray[np.float64]:
        """Return the isotonic fit of the DLT rates.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of float, shape (states, levels)
            NaN for levels without participants.

        Raises
        ------
        None
        """
        return isotonic_rates(n, y)


@dataclass(frozen=True)
class Boin(IntervalDesign):
    """Bayesian optimal interval design.

    Attributes
    ----------
    low, high : float
        Rates, as multiples of the target, that are too low and too high.
    bound_mtd : bool
        True selects only levels whose isotonic rate is at most the de-escalation boundary.

    References
    ----------
    Liu and Yuan (2015), J R Stat Soc C 64, 507-523.
    """

    _: KW_ONLY
    low: float = 0.6
    high: float = 1.4
    bound_mtd: bool = False

    def __post_init__(self) -> None:
        """Refuse rates that do not lie on both sides of the target."""
        super().__post_init__()
        if not (0 < self.low < 1 < self.high and self.high * self.target < 1):
            found = f"low {self.low:g}, high {self.high:g}, target {self.target:g}"
            raise DesignError(f"0 < low < 1 < high and high x target < 1 are needed, found {found}")

    @property
    def lambda_e(self) -> float:
        """Rate up to which the design escalates."""
        f, low = self.target, self.low * self.target
        return math.log((1 - low) / (1 - f)) / math.log(f * (1 - low) / (low * (1 - f)))

    @property
    def lambda_d(self) -> float:
        """Rate from which the design de-escalates."""
        f, high = self.target, self.high * self.target
        return math.log((1 - f) / (1 - high)) / math.log(high * (1 - f) / (f * (1 - high)))

    def move(self, n: int, y: int) -> str:
        """Return E up to the lower boundary, D from the upper one, else S.

        Parameters
        ----------
        n, y : int
            Participants and DLT at the current level.

        Returns
        -------
        str
            E, S or D.

        Raises
        ------
        None

        Examples
        --------
        >>> Boin((1, 2, 3), 0.3).move(3, 1)
        'S'
        """
        if y <= math.floor(self.lambda_e * n):
            return "E"
        return "D" if y >= math.ceil(self.lambda_d * n) else "S"

    def choose(self, n: Integers, y: Integers) -> Integers:
        """Return the level whose isotonic rate is closest to the target.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based level, 0 for no dose.

        Raises
        ------
        None
        """
        bound = self.lambda_d if self.bound_mtd else None
        return select_isotonic(n, y, target=self.target, safety=self.safety, bound=bound)


@dataclass(frozen=True)
class TargetInterval(IntervalDesign):
    """A design with a target interval around the target rate.

    Attributes
    ----------
    margin : tuple of float
        Width below and above the target.
    """

    _: KW_ONLY
    margin: tuple[float, float] = (0.05, 0.05)

    def __post_init__(self) -> None:
        """Refuse a target interval that does not hold the target, or leaves the rates."""
        super().__post_init__()
        low, high = self.ends
        if min(self.margin) < 0 or not 0 < low < high < 1:
            found = f"{float(low):g} to {float(high):g} around {self.target:g}"
            raise DesignError(
                f"the target interval must hold the target and lie within 0 and 1, found {found}"
            )

    @property
    def ends(self) -> tuple[Fraction, Fraction]:
        """Ends of the target interval as fractions, so that ties at them are exact."""
        below, above = (Fraction(str(width)) for width in self.margin)
        return Fraction(str(self.target)) - below, Fraction(str(self.target)) + above

    def tiles(self, *, whole: bool) -> list[tuple[Fraction, Fraction]]:
        """Return the target interval and tiles of its width on both sides, from low to high.

        Parameters
        ----------
        whole : bool
            True drops the shorter tiles at the ends.

        Returns
        -------
        list of tuple of fractions.Fraction
            Ends of the tiles.

        Raises
        ------
        None
        """
        low, high = self.ends
        width = high - low
        below, above = -((-low) // width), -((high - 1) // width)
        edges = [low + width * step for step in range(-int(below), int(above) + 2)]
        found = list(pairwise(edges))
        if whole:
            return [(a, b) for a, b in found if a >= 0 and b <= 1]
        zero, one = Fraction(0), Fraction(1)
        return [(max(a, zero), min(b, one)) for a, b in found if max(a, zero) < min(b, one)]

    def _heaviest(self, n: int, y: int, tiles: list[tuple[Fraction, Fraction]]) -> str:
        """Return the move towards the tile with the largest mass per width; equal ones: the lowest."""
        best, chosen = -1.0, tiles[0]
        for low, high in tiles:
            mass = float(beta_mass(y, n, limits=(float(low), float(high)))) / float(high - low)
            if mass > best * _TIE:
                best, chosen = mass, (low, high)
        if chosen[1] <= self.ends[0]:
            return "E"
        return "D" if chosen[0] >= self.ends[1] else "S"


@dataclass(frozen=True)
class Mtpi2(TargetInterval):
    """Modified toxicity probability interval design, version 2: truncated end intervals keep their own width.

    References
    ----------
    Guo, Wang, Yang, Lynn, Ji (2017), Contemp Clin Trials 58, 23-33.
    """

    def move(self, n: int, y: int) -> str:
        """Return the move towards the interval with the largest unit mass.

        Parameters
        ----------
        n, y : int
            Participants and DLT at the current level.

        Returns
        -------
        str
            E, S or D.

        Raises
        ------
        None
        """
        return self._heaviest(n, y, self.tiles(whole=False))


@dataclass(frozen=True)
class Keyboard(TargetInterval):
    """Keyboard design: shorter keys at the ends are dropped; without a whole key below the target interval it never escalates.

    References
    ----------
    Yan, Mandrekar, Yuan (2017), Clin Cancer Res 23, 3994-4003.
    """

    def move(self, n: int, y: int) -> str:
        """Return the move towards the strongest key.

        Parameters
        ----------
        n, y : int
            Participants and DLT at the current level.

        Returns
        -------
        str
            E, S or D.

        Raises
        ------
        None
        """
        return self._heaviest(n, y, self.tiles(whole=True))


@dataclass(frozen=True)
class Mtpi(TargetInterval):
    """Modified toxicity probability interval design with three intervals.

    References
    ----------
    Ji, Liu, Li, Bekele (2010), Clin Trials 7, 653-663.
    """

    def move(self, n: int, y: int) -> str:
        """Return the move towards the interval with the largest unit mass.

        Parameters
        ----------
        n, y : int
            Participants and DLT at the current level.

        Returns
        -------
        str
            E, S or D.

        Raises
        ------
        None
        """
        low, high = self.ends
        return self._heaviest(n, y, [(Fraction(0), low), (low, high), (high, Fraction(1))])


@dataclass(frozen=True)
class I3Plus3(TargetInterval):
    """The i3+3 design: observed rates against the target interval, as fractions.

    References
    ----------
    Liu, Wang, Ji (2020), J Biopharm Stat 30, 294-304.
    """

    def move(self, n: int, y: int) -> str:
        """Return the move by the observed rate.

        Parameters
        ----------
        n, y : int
            Participants and DLT at the current level.

        Returns
        -------
        str
            E, S or D.

        Raises
        ------
        None
        """
        low, high = self.ends
        if Fraction(y, n) < low:
            return "E"
        if Fraction(y, n) <= high:
            return "S"
        return "S" if Fraction(y - 1, n) < low else "D"


@lru_cache(maxsize=64)
def _steps(design: IntervalDesign, n_max: int) -> Integers:
    """Return the steps by n and y, for a whole batch at once."""
    steps = np.zeros((n_max + 1, n_max + 1), dtype=np.int64)
    for n, letters in enumerate(design.table(n_max), 1):
        steps[n, : n + 1] = [LETTERS[letter] for letter in letters]
    steps.setflags(write=False)
    return steps


def boundaries(design: IntervalDesign, sizes: range) -> dict[str, list[int | None]]:
    """Return the numbers of DLT at which a design moves.

    Parameters
    ----------
    design : IntervalDesign
        The design.
    sizes : range
        Participants at the level.

    Returns
    -------
    dict of str to list
        escalate_le, deescalate_ge, eliminate_ge per size, None where there is none.

    Raises
    ------
    None
    """

    def first(found: Callable[[int, int], bool], order: Callable[[int], range]) -> list[int | None]:
        return [next((y for y in order(n) if found(n, y)), None) for n in sizes]

    def rising(n: int) -> range:
        return range(n + 1)

    def falling(n: int) -> range:
        return range(n, -1, -1)

    return {
        "escalate_le": first(lambda n, y: design.move(n, y) == "E", falling),
        "deescalate_ge": first(lambda n, y: design.move(n, y) == "D", rising),
        "eliminate_ge": first(lambda n, y: bool(design.safety.toxic(n, y, target=design.target)), rising),
    }
