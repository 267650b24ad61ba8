"""Labels of the analysis datasets and of their variables."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

from interim.data.spec import dictionary

# Domains whose labels come first where a name stands in several: the standard ones, then any.
_GENERAL = "*"


@cache
def _own() -> dict[str, dict[str, str]]:
    text = files("interim.adam").joinpath("dictionary.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _source() -> dict[str, str]:
    """Return the labels of source variables; general names such as ``--TERM`` under the names of each domain."""
    rows = dictionary()
    domains = sorted({domain for domain, *_ in rows if domain != _GENERAL})
    general = [(name, label) for domain, name, label, *_ in rows if domain == _GENERAL]
    found = {name.replace("--", domain): label for domain in domains for name, label in general}
    return found | {name: label for domain, name, label, *_ in rows if domain != _GENERAL}


def labels(kind: Literal["datasets", "variables"]) -> Mapping[str, str]:
    """Return the labels of this file.

    Parameters
    ----------
    kind : {"datasets", "variables"}
        Which.

    Returns
    -------
    mapping of str to str
        Name -> label, in the order of the file; source variables that are kept are not among them.

    Raises
    ------
    None
    """
    return _own()[kind]


def dataset_label(name: str) -> str:
    """Return the label of an analysis dataset.

    Parameters
    ----------
    name : str
        For example ``ADSL``.

    Returns
    -------
    str
        Its label.

    Raises
    ------
    KeyError
        If there is no such dataset.
    """
    return _own()["datasets"][name]


def variable_label(name: str) -> str | None:
    """Return the label of a variable of an analysis dataset.

    Parameters
    ----------
    name : str
        For example ``AVAL``.

    Returns
    -------
    str or None
        Its label, that of the source variable if it comes from there unchanged; None if it has none, such as a variable that a
        study adds.

    Raises
    ------
    None
    """
    return _own()["variables"].get(name) or _source().get(name)
