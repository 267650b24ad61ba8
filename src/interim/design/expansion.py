"""Response designs of a Phase IB cohort: looks, boundaries, and the states in which a design ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from interim.errors import DesignError

Action = Literal["CONTINUE", "STOP", "GO", "NO_GO"]
GoState = tuple[int, int, float]
NO_STOP = -1


@dataclass(frozen=True)
class Monitored:
    """A cohort that stops early for futility and goes ahead at its full size.

    Attributes
    ----------
    n_max : int
        Full size.
    looks : tuple of int
        Sizes at which futility is asked, rising, below `n_max`.
    stop_le : tuple of int
        Stop at a look with at most so many responses; -1: no stop.
    go : int
        Fewest responses of a go at the full size.
    name : str
        Name of the design.
    """

    n_max: int
    looks: tuple[int, ...]
    stop_le: tuple[int, ...]
    go: int
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse looks that do not rise and boundaries that are impossible or fall."""
        problems = []
        if self.n_max < 1 or self.go < 0:
            problems.append(f"n_max {self.n_max} must be >= 1 and go {self.go} >= 0")
        if list(self.looks) != sorted(set(self.looks)) or any(not 0 < n < self.n_max for n in self.looks):
            problems.append(f"looks {list(self.looks)} must rise between 1 and {self.n_max - 1}")
        if len(self.looks) != len(self.stop_le):
            problems.append(f"{len(self.looks)} looks need as many boundaries; found {list(self.stop_le)}")
        if list(self.stop_le) != sorted(self.stop_le) or any(r < NO_STOP for r in self.stop_le):
            problems.append(f"boundaries {list(self.stop_le)} must not fall and be at least {NO_STOP}")
        if problems:
            raise DesignError("; ".join(problems))

    def decide(self, responses: int, n: int) -> Action:
        """Return what the design says after some participants.

        Parameters
        ----------
        responses, n : int
            Responses among participants.

        Returns
        -------
        str
            CONTINUE, STOP (futility), GO or NO_GO.

        Raises
        ------
        DesignError
            If the counts are impossible.
        """
        if not 0 <= responses <= n <= self.n_max:
            raise DesignError(
                f"{responses} responses in {n} participants are impossible in a cohort of {self.n_max}"
            )
        if n == self.n_max:
            return "GO" if responses >= self.go else "NO_GO"
        return "STOP" if responses <= self.boundary(n) else "CONTINUE"

    def boundary(self, n: int) -> int:
        """Return the largest number of responses at which the design stops.

        Parameters
        ----------
        n : int
            Participants.

        Returns
        -------
        int
            Responses; -1 where there is no look or no stop.

        Raises
        ------
        None
        """
        return dict(zip(self.looks, self.stop_le, strict=True)).get(n, NO_STOP)

    def go_states(self) -> tuple[GoState, ...]:
        """Return the states in which the design ends with a go.

        Returns
        -------
        tuple of (int, int, float)
            Responses, participants, number of paths that lead there.

        Raises
        ------
        None

        Examples
        --------
        >>> Monitored(2, (1,), (0,), 1).go_states()
        ((1, 2, 1.0), (2, 2, 1.0))
        """
        paths = np.ones(1)
        for n in range(1, self.n_max + 1):
            paths = np.concatenate([paths, [0.0]]) + np.concatenate([[0.0], paths])
            if n < self.n_max:
                paths[: self.boundary(n) + 1] = 0.0
        return tuple((y, self.n_max, float(paths[y])) for y in range(self.go, self.n_max + 1) if paths[y] > 0)

    def first_stop_at_zero(self) -> int | None:
        """Return the first look at which no response stops.

        Returns
        -------
        int or None
            Participants; None if no look stops.

        Raises
        ------
        None
        """
        return next((n for n, r in zip(self.looks, self.stop_le, strict=True) if r >= 0), None)


@dataclass(frozen=True)
class Infeasible:
    """No design meets the limits.

    Attributes
    ----------
    reason : str
        What was asked.
    best_power : float
        Largest power within the limit of false go.
    """

    reason: str
    best_power: float


def fixed_sample(n: int, go: int, *, name: str = "") -> Monitored:
    """Return a cohort without early stop.

    Parameters
    ----------
    n, go : int
        Participants; fewest responses of a go.
    name : str
        Name of the design.

    Returns
    -------
    Monitored
        The design.

    Raises
    ------
    DesignError
        If the numbers are impossible.
    """
    return Monitored(n, (), (), go, name or f"fixed_{n}")


def two_stages(n1: int, r1: int, *, n: int, r: int, name: str = "") -> Monitored:
    """Return a two-stage cohort in the usual notation.

    Parameters
    ----------
    n1, r1 : int
        First stage: stop with at most r1 responses of n1.
    n, r : int
        Go with more than r responses of n.
    name : str
        Name of the design.

    Returns
    -------
    Monitored
        The design.

    Raises
    ------
    DesignError
        If the numbers are impossible.
    """
    return Monitored(n, (n1,), (r1,), r + 1, name or f"two_stage_{n1}_{n}")
