"""Recall: how a derivation is called, so that its caller may keep the answer from an earlier time."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Recall(Protocol):
    """Gives what a function returns for some arguments: it calls it, or has kept what it returned for equal ones."""

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the answer of a function that depends on its arguments and the programs alone."""


def called(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return the answer of a function; nothing is kept.

    Parameters
    ----------
    function : callable
        A derivation.
    *args, **kwargs : object
        Its arguments.

    Returns
    -------
    object
        What it returns.

    Raises
    ------
    Exception
        Whatever the function raises.
    """
    return function(*args, **kwargs)
