"""Whether a published report still answers the question: its key, compared without loading any data."""

from __future__ import annotations

import json
import os
import platform
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import interim
from interim.display.language import SOURCE, text_files
from interim.report.hashes import joined, sha256, tree
from interim.report.own_words import words_file
from interim.report.privacy.key import find_key
from interim.study import Study
from interim.study.withdrawn import read_withdrawals

MANIFEST, SEAL = "manifest.json", "manifest.sha256"
DOCUMENTS = "documents"
FORMAT = 1
LOCK = "requirements.lock"
_THREADS = 2  # a report is read faster than one core hashes it


def report_key(study: Study, notebooks: Path, parameters: Mapping[str, object]) -> dict[str, Any]:
    """Return everything that the bytes of a report depend on, as hashes.

    Parameters
    ----------
    study : Study
        Parameters of the study.
    notebooks : Path
        Folder of the notebooks.
    parameters : mapping of str to object
        Parameters given to the notebooks.

    Returns
    -------
    dict
        JSON values: format, study, confirmed (readings that the study file names), ids (fingerprint of the key of the pseudo-ids), withdrawn (keyed token of the
        list of withdrawn participants), parameters, data, code, notebooks,
        texts, lock, platform. A part that cannot be told without reading the data is null; a report with such a key is never taken for current.

    Raises
    ------
    ReportError
        If there is no usable key for the pseudo-ids.
    OSError
        If a file cannot be read.
    """
    package = Path(interim.__file__).parent
    return {
        "format": FORMAT,
        "study": study.digest(),
        "confirmed": [reading.amb for reading in study.readings if reading.confirmed],
        "ids": find_key(study).fingerprint,
        "withdrawn": _withdrawn(study),
        "parameters": dict(sorted(parameters.items())),
        "data": data_files(study) or None,
        "code": joined(tree(package).items()),
        "notebooks": {path.name: sha256(path) for path in sorted(notebooks.glob("*.ipynb"))},
        "texts": {path.name: sha256(path) for path in _own_texts(study, parameters)},
        "words": sha256(words) if (words := words_file(study)).is_file() else "",
        "lock": lock_hash(),
        "platform": f"{platform.python_version()} {sys.platform}-{platform.machine()}",
    }


def _withdrawn(study: Study) -> str:
    """Return a keyed token of the list of withdrawn participants: no plain hash, because ids can be guessed."""
    ids = read_withdrawals(study).ids
    return find_key(study).token("withdrawn", "\x1f".join(sorted(ids))) if ids else ""


def _own_texts(study: Study, parameters: Mapping[str, object]) -> list[Path]:
    """Return the files with the study's own texts in the languages of the report."""
    languages = dict.fromkeys((str(parameters.get("language") or SOURCE), *study.report.languages))
    return [file for language in languages for file in text_files(study.file.parent, language)]


def current(folder: Path, key: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the manifest of a published report if the report has this key and every file is as it was written.

    Parameters
    ----------
    folder : Path
        The report folder.
    key : mapping
        What `report_key` returns now.

    Returns
    -------
    dict or None
        The manifest; None if there is no report, or it must be built again.

    Raises
    ------
    None
    """
    own = {MANIFEST: "", SEAL: ""}
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        same = manifest["key"] == json.loads(json.dumps(key)) and key["data"] is not None
        whole = same and {**tree(folder, threads=_THREADS), **own} == {**manifest["outputs"], **own}
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return manifest if whole else None


def lock_hash() -> str:
    """Return the hash of the lock file, or of the installed versions where there is no lock file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If the lock file cannot be read.
    """
    for folder in Path(interim.__file__).parents[1:4]:
        if (folder / LOCK).is_file():
            return sha256(folder / LOCK)
    return joined(installed().items())


@cache
def installed() -> dict[str, str]:
    """Return the version of every installed distribution.

    Returns
    -------
    dict of str to str
        Name in lower case -> version, sorted.

    Raises
    ------
    None
    """
    return dict(
        sorted({d.metadata["Name"].lower(): d.version for d in distributions() if d.metadata["Name"]}.items())
    )


def data_files(study: Study) -> dict[str, str]:
    """Return the hashes of the files that a study names as its data.

    Parameters
    ----------
    study : Study
        Its ``data.path``, or the mapping files of ``data.sources`` and all files and folders that these name.

    Returns
    -------
    dict of str to str
        Name -> SHA-256; empty if no file is found.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    home = study.file.parent
    if study.data.path is not None:
        return _hashes(home / study.data.path)
    found: dict[str, str] = {}
    for name in study.data.sources or ():
        mapping = home / name
        found |= _hashes(mapping)
        for text in _texts(_read_toml(mapping)):
            for root in _roots(mapping):
                found |= {f"{text}/{file}": value for file, value in _hashes(root / text).items()}
    return found


def _hashes(path: Path) -> dict[str, str]:
    if path.is_dir():
        return tree(path)
    return {path.name: sha256(path)} if path.is_file() else {}


def _read_toml(path: Path) -> object:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _roots(mapping: Path) -> Iterator[Path]:
    yield mapping.parent
    if os.environ.get("INTERIM_EXTERNAL"):
        yield Path(os.environ["INTERIM_EXTERNAL"])


def _texts(value: object) -> Iterator[str]:
    """Yield the texts of a TOML document that can be a path."""
    if isinstance(value, str) and value.strip(" ./") and "\n" not in value and len(value) < 250:
        yield value
    elif isinstance(value, Mapping):
        yield from (text for item in value.values() for text in _texts(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in _texts(item))


def covers(files: Mapping[str, str] | None, hashes: Iterable[str]) -> bool:
    """Tell whether all data that were read are among the files of a key.

    Parameters
    ----------
    files : mapping of str to str, or None
        ``data`` of a key.
    hashes : iterable of str
        SHA-256 of the files that were read.

    Returns
    -------
    bool
        True if none is missing.

    Raises
    ------
    None
    """
    return files is not None and set(hashes) <= set(files.values())
