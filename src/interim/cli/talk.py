"""What all commands share: exit codes, lines of progress, values of options."""

from __future__ import annotations

import argparse

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def say(line: str) -> None:
    """Print a line at once.

    Parameters
    ----------
    line : str
        The line.

    Returns
    -------
    None

    Raises
    ------
    BrokenPipeError
        If nobody reads any more.
    """
    print(line, flush=True)


def silent(line: str) -> None:
    """Say nothing.

    Parameters
    ----------
    line : str
        Not printed.

    Returns
    -------
    None

    Raises
    ------
    None
    """


def seed(text: str) -> int:
    """Return the value of ``--seed``.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    int
        At least 0.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is no whole number from 0.
    """
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"a whole number from 0 is needed, found {text!r}")
    return int(text)
