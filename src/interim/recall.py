"""Recall: how a derivation or a long computation is called, so that its caller may keep the answer from an earlier time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Recall(Protocol):
    """Gives what a function returns for some arguments: it calls it, or has kept what it returned for equal ones."""

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the answer of a function that depends on its arguments and the programs alone."""


_PRESENT: list[Recall] = []


def called(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return the answer of a function; nothing is kept.

    Parameters
    ----------
    function : callable
        A derivation or a computation.
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


def computed(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return the answer of a long computation, which the builder of a report may have kept.

    Parameters
    ----------
    function : callable
        A function of a module, which depends on its arguments and the programs alone.
    *args, **kwargs : object
        Its arguments: numbers, designs, models; no data.

    Returns
    -------
    object
        What it returns.

    Raises
    ------
    Exception
        Whatever the function raises.
    """
    recall = _PRESENT[-1] if _PRESENT else called
    return recall(function, *args, **kwargs)


@contextmanager
def recalling(recall: Recall) -> Iterator[None]:
    """Call the computations of a block, and of the processes that are forked in it, by a function.

    Parameters
    ----------
    recall : callable
        Gives what a computation returned for equal arguments, or calls it.

    Yields
    ------
    None

    Raises
    ------
    None
    """
    _PRESENT.append(recall)
    try:
        yield
    finally:
        _PRESENT.pop()
