"""How long a build still takes, told from the times of the last one; times never enter an output."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_FILE = "times.json"
_MINUTE = 60


class Progress:
    """Knows how long the steps of earlier builds took, and which are still to come.

    Parameters
    ----------
    folder : Path or None
        Where the times are kept; None: nowhere, and nothing is told.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file = folder / _FILE if folder else None
        self._known = _read(self._file)
        self._waiting: dict[str, float] = {}
        self._workers = 1

    def expect(self, steps: Iterable[str], *, workers: int = 1) -> None:
        """Say what is still to come.

        Parameters
        ----------
        steps : iterable of str
            Names.
        workers : int
            How many are done at a time.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        self._waiting = {step: self._known.get(step, 0.0) for step in steps}
        self._workers = workers

    def longest_first(self, steps: Iterable[str]) -> list[str]:
        """Return steps in the order in which several at a time end soonest.

        Parameters
        ----------
        steps : iterable of str
            Names.

        Returns
        -------
        list of str
            Those that are not known first, from the last to the first, as the chapters by participant stand at the end; then by falling time.

        Raises
        ------
        None
        """
        return sorted(reversed(list(steps)), key=lambda step: -self._known.get(step, math.inf))

    def done(self, step: str, seconds: float) -> str:
        """Note a finished step.

        Parameters
        ----------
        step : str
            Its name.
        seconds : float
            How long it took.

        Returns
        -------
        str
            For example ``, about 40 s left``; empty if that is not known.

        Raises
        ------
        None
        """
        self._waiting.pop(step, None)
        self._known[step] = round(seconds, 3)
        return self.left()

    def left(self) -> str:
        """Return how long the rest takes.

        Returns
        -------
        str
            As in `done`.

        Raises
        ------
        None
        """
        if not self._waiting or not all(self._waiting.values()):
            return ""
        rest = max(sum(self._waiting.values()) / self._workers, max(self._waiting.values()))
        return (
            f", about {rest / _MINUTE:.0f} min left" if rest >= 2 * _MINUTE else f", about {rest:.0f} s left"
        )

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure one step.

        Parameters
        ----------
        name : str
            Its name.

        Yields
        ------
        None

        Raises
        ------
        None
        """
        start = time.monotonic()
        yield
        self.done(name, time.monotonic() - start)

    def save(self) -> None:
        """Keep the times for the next build.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._file.write_text(json.dumps(self._known, sort_keys=True), encoding="utf-8")


def _read(file: Path | None) -> dict[str, float]:
    try:
        found = json.loads(file.read_text(encoding="utf-8")) if file else {}
        return {str(name): float(value) for name, value in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
