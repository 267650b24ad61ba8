"""Readers, one per format, in one registry; the format is told from the bytes first, then from the extension."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from interim.data.read.columnar import read_parquet
from interim.data.read.datasetjson import read_dataset_json
from interim.data.read.raw import FILE_RULES, LARGEST_FILE, RawTable, ReadOptions, UnreadableError
from interim.data.read.sas import read_sas7bdat
from interim.data.read.text import read_text
from interim.data.read.workbook import read_workbook
from interim.data.read.xport import read_xport
from interim.errors import Finding

__all__ = ["EXTENSIONS", "FILE_RULES", "READERS", "FileRead", "RawTable", "ReadOptions", "read_file"]

Reader = Callable[[BinaryIO, ReadOptions], RawTable]

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "csv": read_text,
        "parquet": read_parquet,
        "xpt": read_xport,
        "datasetjson": read_dataset_json,
        "sas7bdat": read_sas7bdat,
        "xlsx": read_workbook,
        "redcap": read_text,
    }
)
EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {
        ".csv": "csv",
        ".tsv": "csv",
        ".txt": "csv",
        ".parquet": "parquet",
        ".xpt": "xpt",
        ".json": "datasetjson",
        ".ndjson": "datasetjson",
        ".dsjc": "datasetjson",
        ".sas7bdat": "sas7bdat",
        ".xlsx": "xlsx",
    }
)
_HEAD = 64
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"HEADER RECORD*******LIB", "xpt"),
    (b"\0" * 12 + b"\xc2\xea\x81\x60", "sas7bdat"),
    (b"PK\x03\x04", "xlsx"),
)


@dataclass(frozen=True)
class FileRead:
    """What came of reading one file.

    Attributes
    ----------
    path : Path
        The file.
    table : RawTable or None
        None if it could not be read.
    sha256 : str
        Hash of the bytes, "" if there are none.
    format : str
        Name of the format.
    findings : tuple of Finding
        Why it, or a cell of it, could not be read.
    """

    path: Path
    table: RawTable | None
    sha256: str
    format: str
    findings: tuple[Finding, ...]


def read_file(
    path: Path, domain: str, *, options: ReadOptions | None = None, format: str | None = None
) -> FileRead:
    """Read one file.

    Parameters
    ----------
    path : Path
        The file.
    domain : str
        Domain named in findings.
    options : ReadOptions, optional
        Encoding, separator, sheet.
    format : str, optional
        A key of `READERS`; told from the file if absent.

    Returns
    -------
    FileRead
        The table, or the findings (XD-FILE, XD-ROW, all stop) that say why there is none.

    Raises
    ------
    None
    """
    digest = ""
    try:
        with _opened(path) as handle:
            digest = _digest(handle)
            kind = format or _format(path, handle.read(_HEAD))
            handle.seek(0)
            table = READERS[kind](handle, options or ReadOptions())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        found = [Finding("XD-FILE", "stop", domain, f"{path}: {reason}", file=path.name)]
        return FileRead(path, None, digest, format or "", tuple(found))
    except UnreadableError as error:
        found = [
            Finding(rule, "stop", domain, _at(path, rule, text), key=_key(path, row), file=path.name, row=row)
            for rule, text, row in error.places
        ]
        return FileRead(path, None, digest, format or "", tuple(found))
    findings = tuple(replace(f, domain=domain, file=path.name) for f in table.findings)
    return FileRead(path, table, digest, kind, findings)


def _opened(path: Path) -> BufferedReader:
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise UnreadableError(
            f"the file has {size} bytes, more than {LARGEST_FILE}; deliver it as Parquet or in parts"
        )
    return path.open("rb")


def _digest(handle: BufferedReader) -> str:
    """Return the hash of the bytes, "" if there are none; the file stands at its begin again."""
    found = hashlib.file_digest(handle, "sha256").hexdigest()
    empty = handle.tell() == 0
    handle.seek(0)
    return "" if empty else found


def _at(path: Path, rule: str, text: str) -> str:
    return f"{path}: {text}" if rule == "XD-FILE" else text


def _key(path: Path, row: int | None) -> tuple[str, ...]:
    return (path.name,) if row is None else (path.name, str(row))


def _format(path: Path, head: bytes) -> str:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    kind = EXTENSIONS.get(path.suffix.lower(), "")
    if not kind:
        raise UnreadableError(f"unknown format; expected one of {', '.join(sorted(EXTENSIONS))}")
    if not head and kind != "csv":
        raise UnreadableError("the file is empty")
    return kind
