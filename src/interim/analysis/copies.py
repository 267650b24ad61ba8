"""The copies of the package as data: ``copies.toml`` says who reads them, what is done to them, and what stays recognisable."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def copies() -> dict[str, Any]:
    """Return what stands in ``copies.toml``.

    Returns
    -------
    dict
        Keys threshold, copy, transformation, public.

    Raises
    ------
    None
    """
    return tomllib.loads(files("interim.analysis").joinpath("copies.toml").read_text(encoding="utf-8"))


def copy_ids() -> tuple[str, ...]:
    """Return the names of the copies, the one with the most in it first.

    Returns
    -------
    tuple of str
        For example ``restricted``.

    Raises
    ------
    None
    """
    return tuple(copy["id"] for copy in copies()["copy"])
