"""Readings of the points that the registered text leaves open: each reading sets parameters."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from interim.errors import Problem
from interim.study.tables import freeze

OWN = "own"


@dataclass(frozen=True)
class Reading:
    """One reading that applies.

    Attributes
    ----------
    amb : str
        AMB-1 ... AMB-9.
    reading : str
        A, B, ... or own.
    title, point, text : str
        The point, the words of the registered text (or what it lacks), what the reading says.
    settings : mapping of str to object
        Parameters that it sets, by key path; empty for ``own``.
    confirmed : bool
        False if the study file does not name the ambiguity, so that the default applies.
    """

    amb: str
    reading: str
    title: str
    point: str
    text: str
    settings: Mapping[str, Any]
    confirmed: bool


@cache
def register() -> dict[str, dict[str, Any]]:
    """Return the register of ambiguities; one for all, to be read only.

    Returns
    -------
    dict
        AMB id -> title, point, default and one table per reading.

    Raises
    ------
    None
    """
    text = files("interim.study").joinpath("readings.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def permitted(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the readings of one ambiguity.

    Parameters
    ----------
    entry : mapping
        One entry of `register`.

    Returns
    -------
    tuple of str
        For example ("A", "B", "own").

    Raises
    ------
    None
    """
    return (*(key for key, value in entry.items() if isinstance(value, dict)), OWN)


def apply_readings(raw: dict[str, Any]) -> tuple[dict[str, Any], tuple[Reading, ...], list[Problem]]:
    """Set the parameters of the readings that a study file names.

    Parameters
    ----------
    raw : dict
        The study file after ``extends``.

    Returns
    -------
    tuple
        The parameters with the readings' settings, the readings that apply, and what is wrong.

    Raises
    ------
    None
    """
    chosen = raw.get("ambiguity", {})
    if not isinstance(chosen, dict):
        return raw, (), [Problem("ambiguity", "expected a table such as AMB-1 = 'B'")]
    entries = register()
    problems = [
        Problem(f"ambiguity.{key}", f"unknown ambiguity; permitted: {', '.join(entries)}")
        for key in chosen
        if key not in entries
    ]
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in raw.items()}
    readings = []
    for amb, entry in entries.items():
        letter = chosen.get(amb, entry["default"])
        if letter not in permitted(entry):
            problems.append(
                Problem(
                    f"ambiguity.{amb}",
                    f"unknown reading {letter!r}; permitted: {', '.join(permitted(entry))}",
                )
            )
            continue
        settings = {} if letter == OWN else entry[letter]["settings"]
        text = (
            "own reading: the parameters of the study file hold" if letter == OWN else entry[letter]["text"]
        )
        readings.append(Reading(amb, letter, entry["title"], entry["point"], text, settings, amb in chosen))
        problems += _set(merged, amb, letter, settings, stated=amb in chosen)
    return merged, tuple(readings), problems


def _set(
    merged: dict[str, Any], amb: str, letter: str, settings: Mapping[str, Any], *, stated: bool
) -> list[Problem]:
    problems = []
    for path, value in settings.items():
        table, key = path.split(".")
        content = merged.setdefault(table, {})
        if not isinstance(content, dict):
            continue
        if key in content and freeze(content[key]) != freeze(value):
            how = f"ambiguity.{amb} = {letter!r}" + ("" if stated else " (the default reading)")
            problems.append(
                Problem(
                    path,
                    f"is {content[key]!r} but {how} sets it to {value!r}; change one, or state {amb} = 'own'",
                )
            )
        content.setdefault(key, value)
    return problems
