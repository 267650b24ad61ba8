"""The words and limits that the checks compare with; they ship as TOML beside this module."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def words(name: str) -> dict[str, Any]:
    """Return a shipped table.

    Parameters
    ----------
    name : str
        File stem: ``terms``, ``laboratory``.

    Returns
    -------
    dict
        The parsed TOML; read only.

    Raises
    ------
    FileNotFoundError
        If no such file ships.
    """
    return tomllib.loads(files("interim.data.check").joinpath(f"{name}.toml").read_text(encoding="utf-8"))
