"""The generator's numbers and lists: the data files beside this module, read once."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from interim.errors import StudyError

Table = Mapping[str, Any]


def _text(name: str) -> str:
    return files("interim.example").joinpath(name).read_text(encoding="utf-8")


@cache
def toml_file(name: str) -> Table:
    """Return a shipped TOML file.

    Parameters
    ----------
    name : str
        File name beside this module, for example ``codes.toml``.

    Returns
    -------
    mapping
        Its content; read only.

    Raises
    ------
    FileNotFoundError
        If no such file is shipped.
    """
    return MappingProxyType(tomllib.loads(_text(name)))


@cache
def csv_file(name: str) -> tuple[Mapping[str, str], ...]:
    """Return a shipped CSV file.

    Parameters
    ----------
    name : str
        File name beside this module, for example ``analytes.csv``.

    Returns
    -------
    tuple of mapping
        One mapping per row, text as written.

    Raises
    ------
    FileNotFoundError
        If no such file is shipped.
    """
    return tuple(MappingProxyType(row) for row in csv.DictReader(_text(name).splitlines()))


def numbers(path: str) -> Any:
    """Return a value or table of the generator's parameter file.

    Parameters
    ----------
    path : str
        ``table.key`` or ``table.table.key``.

    Returns
    -------
    object
        What stands there.

    Raises
    ------
    KeyError
        If there is no such entry.

    Examples
    --------
    >>> numbers("nk.d0_cells")
    1000000000.0
    """
    value: Any = toml_file("example_study_params.toml")
    for part in path.split("."):
        value = value[part]
    return value


def codes(table: str) -> Mapping[str, Any]:
    """Return one table of submission values.

    Parameters
    ----------
    table : str
        For example ``organ``.

    Returns
    -------
    mapping
        Key of the generator to submission value.

    Raises
    ------
    KeyError
        If there is no such table.
    """
    found: Mapping[str, Any] = toml_file("codes.toml")[table]
    return found


def preset(name: str) -> Table:
    """Return a preset: its cut-off and its slots.

    Parameters
    ----------
    name : str
        ``main13``, ``tiny10`` or ``full18``.

    Returns
    -------
    mapping
        ``cut`` (ISO date) and ``slot`` (list of tables).

    Raises
    ------
    StudyError
        If there is no such preset.
    """
    known = toml_file("presets.toml")
    if name not in known:
        raise StudyError(f"preset must be one of {', '.join(sorted(known))}; found {name!r}")
    chosen: Table = known[name]
    return chosen
