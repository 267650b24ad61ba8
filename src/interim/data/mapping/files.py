"""Which files fill which domain: one folder of SDTM files, or the mapping files that a study names."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from interim.data import spec
from interim.data.mapping.model import Mapping, Source, TableMap
from interim.data.read import EXTENSIONS, ReadOptions
from interim.errors import Finding, Problem, StudyError
from interim.study import Study
from interim.study.tables import freeze

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MAY_BE_ANYTHING = {".json", ".txt"}
_KINDS = {"sdtm": "an SDTM domain", "adam": "an analysis dataset"}
_EXAMPLES = {"sdtm": "dm.csv, ex.csv, ae.csv", "adam": "adsl.csv, adrs.csv, adtte.csv"}


@dataclass(frozen=True)
class Delivery:
    """One file that fills one domain.

    Attributes
    ----------
    domain : str
        Target domain.
    path : Path
        The file.
    options : ReadOptions
        How it is read.
    format : str or None
        Declared format.
    source : Source
        Source that it belongs to.
    table : TableMap
        How its columns are mapped.
    max_unmapped : float
        Share of unmapped cells of a column above which the run stops.
    ignore : tuple of str
        Columns left out on purpose.
    elsewhere : frozenset of str
        Columns that other tables take from the same file.
    dictionary : Path or None
        Data dictionary of a REDCap export.
    visit : mapping of str to (float, str)
        Event of a REDCap export -> number and name of the visit.
    """

    domain: str
    path: Path
    options: ReadOptions
    format: str | None
    source: Source
    table: TableMap
    max_unmapped: float
    ignore: tuple[str, ...] = ()
    elsewhere: frozenset[str] = frozenset()
    dictionary: Path | None = None
    visit: MappingProxyType[str, tuple[float, str]] = field(default_factory=lambda: MappingProxyType({}))


def deliveries(study: Study) -> tuple[tuple[Delivery, ...], tuple[Finding, ...]]:
    """Return the files of a study.

    Parameters
    ----------
    study : Study
        ``data.path`` or ``data.sources`` count; relative paths start at the study file.

    Returns
    -------
    tuple of (tuple of Delivery, tuple of Finding)
        Sorted by domain and file; findings say what was left unread or is missing.

    Raises
    ------
    StudyError
        If a mapping file is wrong or names an environment variable that is not set.
    """
    base = study.file.parent
    if study.data.path is not None:
        return _folder(_expand(study.data.path, base, str(study.file)), study)
    found: list[Delivery] = []
    for name in study.data.sources or ():
        file = _expand(name, base, str(study.file))
        found += _mapped(read_mapping(file), file, study)
    return tuple(sorted(found, key=lambda d: (d.domain, str(d.path)))), ()


def read_mapping(file: Path) -> Mapping:
    """Read and check a mapping file.

    Parameters
    ----------
    file : Path
        ``params/mapping/NAME.toml``.

    Returns
    -------
    Mapping
        Frozen.

    Raises
    ------
    StudyError
        If it cannot be read or any key is unknown, of the wrong type or in contradiction; all problems are listed.
    """
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        return Mapping.model_validate(freeze(raw))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StudyError([Problem("data.sources", f"cannot be read: {error}", str(file))]) from error
    except ValidationError as error:
        problems = [
            Problem(_place(e["loc"], raw), f"{e['msg']}, found {e['input']!r}", str(file))
            for e in error.errors()
            if e["type"] != "too_short" or not e["input"]
        ]
        raise StudyError(problems) from error


def _place(loc: tuple[int | str, ...], raw: dict[str, Any]) -> str:
    """Return the key path of an error; a table in one part has no number."""
    parts = raw.get("table", {}).get(loc[1]) if len(loc) > 1 and loc[0] == "table" else None
    return ".".join(map(str, loc[:2] + loc[3:] if isinstance(parts, dict) else loc)) or "mapping"


def _expand(text: str, base: Path, file: str) -> Path:
    """Return a path with its leading environment variable replaced."""
    match = _VARIABLE.match(text)
    if match is None:
        return base / text
    value = os.environ.get(match[1], "")
    if not value:
        message = f"the environment variable {match[1]} is not set; set it to the folder of the data"
        raise StudyError([Problem("source.path", message, file)])
    return base / (value + text[match.end() :])


def _mapped(mapping: Mapping, file: Path, study: Study) -> list[Delivery]:
    _at_stage(mapping, file, study)
    base = _expand(mapping.source.path, file.parent, str(file))
    _inside(mapping, base, file)
    parts = [(name, table) for name, tables in mapping.table.items() for table in tables]
    return [
        Delivery(
            name,
            base if table.rows.file is None else base / table.rows.file,
            ReadOptions(
                table.encoding or mapping.source.encoding, study.data.delimiter, sheet=table.rows.sheet
            ),
            table.format or mapping.source.format,
            mapping.source,
            table,
            study.data.max_unmapped,
            mapping.ignore.get(name, ()),
            frozenset(
                column
                for _, other in parts
                if (other.rows.file, other.rows.sheet) == (table.rows.file, table.rows.sheet)
                for column in other.used
            ),
            _dictionary(mapping, file),
            MappingProxyType(mapping.visit),
        )
        for name, table in parts
    ]


def _inside(mapping: Mapping, base: Path, file: Path) -> None:
    """Refuse file names that lead out of the folder of the source."""
    home = base.resolve()
    wrong = [
        Problem(
            f"table.{name}.rows.file",
            f"must stay within the folder of the source, found {table.rows.file!r}",
            str(file),
        )
        for name, tables in mapping.table.items()
        for table in tables
        if table.rows.file is not None and not (base / table.rows.file).resolve().is_relative_to(home)
    ]
    if wrong:
        raise StudyError(wrong)


def _dictionary(mapping: Mapping, file: Path) -> Path | None:
    text = mapping.source.dictionary
    return None if text is None else _expand(text, file.parent, str(file))


def _at_stage(mapping: Mapping, file: Path, study: Study) -> None:
    """Refuse a mapping whose targets belong to another stage than the one at which the study enters."""
    permitted = (
        *spec.domain_names(study.data.stage),
        *(spec.domain_names("plain") if study.data.stage == "sdtm" else ()),
    )
    message = f"is not {_KINDS[study.data.stage]}, but data.stage = {study.data.stage!r}"
    wrong = [
        Problem(f"table.{name}", message, str(file))
        for name in mapping.table
        if name not in permitted and not name.startswith("SUPP")
    ]
    if wrong:
        raise StudyError(
            [*wrong, Problem("data.stage", f"permitted tables: {', '.join(permitted)}", str(study.file))]
        )


def _folder(folder: Path, study: Study) -> tuple[tuple[Delivery, ...], tuple[Finding, ...]]:
    source, table = Source(name=folder.name or "data", path=str(folder)), TableMap(identity=True)
    options = ReadOptions(delimiter=study.data.delimiter)
    found: list[Delivery] = []
    findings: list[Finding] = []
    files = sorted(p for p in folder.glob("*") if p.is_file() and p.suffix.lower() in EXTENSIONS)
    for file in files:
        name = file.stem.upper()
        if not file.resolve().is_relative_to(folder.resolve()):
            findings.append(_led_out(name, file))
            continue
        known = spec.domain(name)
        if known is not None and known.stage == study.data.stage:
            found.append(Delivery(name, file, options, None, source, table, study.data.max_unmapped))
        elif file.suffix.lower() not in _MAY_BE_ANYTHING:
            findings.append(_unread(name, file, _KINDS[study.data.stage]))
    if not found:
        message = f"{folder}: no file of {_KINDS[study.data.stage]}; expected for example {_EXAMPLES[study.data.stage]}"
        findings.append(Finding("XD-FILE", "stop", "ALL", message))
    return tuple(found), tuple([*findings, *_twice(found)])


def _led_out(name: str, file: Path) -> Finding:
    message = "the file is a link that leads out of the folder of the data; it is not read: put the file itself there"
    return Finding("XD-FILE", "stop", name, message, key=(file.name,), file=file.name)


def _unread(name: str, file: Path, kind: str) -> Finding:
    message = f"the file name is not that of {kind}; the file is left unread"
    return Finding("MAP-DOMAIN", "info", name, message, key=(file.name,), file=file.name)


def _twice(found: list[Delivery]) -> list[Finding]:
    names = [delivery.domain for delivery in found]
    return [
        Finding(
            "XD-DOMAIN",
            "stop",
            delivery.domain,
            "several files of one folder fill this domain; keep one of them",
            key=(delivery.path.name,),
            file=delivery.path.name,
        )
        for delivery in found
        if names.count(delivery.domain) > 1
    ]
