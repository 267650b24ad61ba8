"""The study's own words: what only people can write, in a text file beside the study file; nothing is invented for them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from interim.errors import ReportError
from interim.study import Study

FOLDER = "texts"


def words_file(study: Study) -> Path:
    """Return where the words of a study stand.

    Parameters
    ----------
    study : Study
        Parameters; the file lies in the folder ``texts`` beside the study file and is named after ``study.id``.

    Returns
    -------
    Path
        The place; the file need not exist.

    Raises
    ------
    None
    """
    return study.file.parent / FOLDER / f"{study.study.id}.toml"


def own_words(study: Study, known: frozenset[str]) -> Mapping[str, str]:
    """Return the words that the people of a study have written.

    Parameters
    ----------
    study : Study
        Parameters.
    known : frozenset of str
        Keys that the documents ask for.

    Returns
    -------
    mapping of str to str
        Key such as ``synopsis.conclusion`` -> text; empty without a file.

    Raises
    ------
    ReportError
        If the file is no TOML, a key is not asked for, or a value is no text or blank; all problems at once.
    """
    file = words_file(study)
    return _read(file, file.stat().st_mtime_ns, known) if file.is_file() else {}


@cache
def _read(file: Path, stamp: int, known: frozenset[str]) -> Mapping[str, str]:
    """Read a file once; ``stamp`` tells one version of it from the next."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReportError(f"{file}: the words of the study cannot be read ({error})") from error
    found = dict(_leaves(document, ""))
    problems = [
        f"{key}: no document asks for it; known: {', '.join(sorted(known))}"
        for key in sorted(set(found) - known)
    ]
    problems += [
        f"{key}: expected a text, found {value!r}"
        for key, value in found.items()
        if not isinstance(value, str) or not value.strip()
    ]
    if problems:
        raise ReportError("\n".join([f"{file}: the words of the study are wrong:", *problems]))
    return found


def _leaves(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
