"""The same study under other readings of the registered text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from interim.errors import Problem, StudyError
from interim.study.ambiguity import Reading, permitted, register
from interim.study.model import Study
from interim.study.ratio import with_primary_ratio
from interim.study.tables import Table, freeze


def with_readings(study: Study, chosen: Mapping[str, str]) -> Study:
    """Return the study with other readings; only the parameters that they set differ.

    Parameters
    ----------
    study : Study
        Parameters.
    chosen : mapping of str to str
        AMB id -> reading (A, B, ...).

    Returns
    -------
    Study
        Frozen, with the readings that now apply; equal to the given one for the readings that apply already.

    Raises
    ------
    StudyError
        If an ambiguity or a reading is unknown, or a reading needs parameters that the study does not state.
    """
    changes: dict[str, dict[str, Any]] = {}
    for amb, letter in chosen.items():
        for path, value in _settings(amb, letter).items():
            table, key = path.split(".")
            changes.setdefault(table, {})[key] = value
    tables = {name: _changed(name, getattr(study, name), values) for name, values in changes.items()}
    other = study.model_copy(update=tables)
    other._readings = tuple(_chosen(reading, chosen) for reading in study.readings)
    return with_primary_ratio(other)


def _settings(amb: str, letter: str) -> Mapping[str, Any]:
    entries = register()
    if amb not in entries:
        raise StudyError([Problem(f"ambiguity.{amb}", f"unknown ambiguity; permitted: {', '.join(entries)}")])
    letters = permitted(entries[amb])[:-1]
    if letter not in letters:
        raise StudyError(
            [Problem(f"ambiguity.{amb}", f"unknown reading {letter!r}; permitted here: {', '.join(letters)}")]
        )
    found: Mapping[str, Any] = entries[amb][letter]["settings"]
    return found


def _changed(name: str, table: Table, values: Mapping[str, Any]) -> Table:
    """Return a table of the study with other values; what the study did not state still follows the others."""
    stated = table.model_dump(exclude_unset=True) | dict(values)
    try:
        return type(table).model_validate(freeze(stated))
    except ValidationError as error:
        raise StudyError([_problem(name, dict(item)) for item in error.errors()]) from error


def _problem(name: str, item: Mapping[str, Any]) -> Problem:
    text = str(item["ctx"]["error"]) if item["type"] == "value_error" else str(item["msg"])
    return Problem(".".join([name, *map(str, item["loc"])]), text)


def _chosen(reading: Reading, chosen: Mapping[str, str]) -> Reading:
    letter = chosen.get(reading.amb, reading.reading)
    if letter == reading.reading:
        return reading
    entry = register()[reading.amb][letter]
    return replace(reading, reading=letter, text=entry["text"], settings=entry["settings"])
