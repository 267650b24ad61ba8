"""Dataset-JSON 1.1: one object, one line per row, and the compressed form of the latter."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

import numpy as np

from interim.data.read.columns import Growing, Pool, framed
from interim.data.read.raw import LARGEST_LINE, LARGEST_STREAM, RawTable, ReadOptions, UnreadableError

_VERSION = re.compile(r"1\.1(\.\d+)?")
_NUMBERS = {"integer", "float", "double", "decimal"}
_LARGEST = 10**300
_CHUNK, _PART = 20_000, 1024**2
_GZIP, _ZLIB = b"\x1f\x8b", b"\x78"
_KNOWN = {
    "datasetJSONCreationDateTime",
    "datasetJSONVersion",
    "fileOID",
    "dbLastModifiedDateTime",
    "originator",
    "sourceSystem",
    "studyOID",
    "metaDataVersionOID",
    "metaDataRef",
    "itemGroupOID",
    "isReferenceData",
    "records",
    "name",
    "label",
    "columns",
    "rows",
}


def read_dataset_json(handle: BinaryIO, options: ReadOptions) -> RawTable:
    """Read a Dataset-JSON 1.1 file.

    Parameters
    ----------
    handle : binary file
        At its begin: ``.json`` (one object), ``.ndjson`` (metadata line, then one array per row) or ``.dsjc`` (the same,
        compressed). The last two are read row by row.
    options : ReadOptions
        Not used.

    Returns
    -------
    RawTable
        Numbers as float64; decimals, dates and everything else as text; null and "" are missing.

    Raises
    ------
    UnreadableError
        If the version is another one, the number of rows or values differs from what the metadata say, or the compressed
        stream is damaged; the byte reached is named.
    """
    try:
        meta, rows = _document(handle)
        columns = _columns(meta)
        numbers = {c["name"] for c in columns if c["dataType"] in _NUMBERS}
        data, texts = _values(rows, meta, numbers=numbers)
        if texts:
            data, _ = _values(_document(handle)[1], meta, numbers=numbers - texts)
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadableError(f"not a Dataset-JSON file: {error}") from error
    count = len(next(iter(data.values()), np.empty(0)))
    labels = {c["name"]: c["label"] for c in columns if c.get("label")}
    further = sorted(set(meta) - _KNOWN)
    note = f"version {meta['datasetJSONVersion']}" + (f"; further attributes {further}" if further else "")
    places = np.arange(1, count + 1, dtype=np.int64)
    return RawTable(framed(data, count), places, labels, "datasetjson", note)


def _document(handle: BinaryIO) -> tuple[dict[str, Any], Iterator[Any]]:
    """Return the metadata and the rows, as far as possible without holding more than one of them."""
    lines = _lines(handle)
    first = next((line for line in lines if line.strip()), b"")
    try:
        meta = json.loads(first.decode("utf-8-sig"))
    except json.JSONDecodeError:
        meta = json.loads((first + b"".join(lines)).decode("utf-8-sig"))
    if not isinstance(meta, dict) or not isinstance(meta.get("columns"), list):
        raise UnreadableError("not a Dataset-JSON file: no columns")
    rows = meta.pop("rows", None) or []
    if not isinstance(rows, list):
        raise UnreadableError("not a Dataset-JSON file: rows is no list")
    return meta, chain(rows, (json.loads(line.decode("utf-8")) for line in lines if line.strip()))


def _lines(handle: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a plain or compressed file."""
    handle.seek(0)
    head = handle.read(2)
    handle.seek(0)
    if head != _GZIP and head[:1] != _ZLIB:
        yield from handle
        return
    rest = b""
    for part in _unpacked(handle):
        *whole, rest = (rest + part).split(b"\n")
        yield from (line + b"\n" for line in whole)
        if len(rest) > LARGEST_LINE:
            raise UnreadableError(
                f"a line of the compressed stream has more than {LARGEST_LINE} bytes; deliver one row per line, or Parquet"
            )
    yield rest


def _unpacked(handle: BinaryIO) -> Iterator[bytes]:
    """Decompress a zlib or a gzip stream part by part."""
    stream, size, read = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32), 0, 0
    whole = handle.seek(0, 2)
    handle.seek(0)
    while not stream.eof:
        packed = stream.unconsumed_tail or handle.read(_PART)
        read += 0 if stream.unconsumed_tail else len(packed)
        if not packed:
            raise UnreadableError(f"the compressed stream ends at byte {whole} before it is complete")
        try:
            part = stream.decompress(packed, _PART)
        except zlib.error as error:
            raise UnreadableError(f"the compressed stream of {whole} bytes is damaged: {error}") from error
        size += len(part)
        if size > LARGEST_STREAM:
            raise UnreadableError(
                f"the compressed stream of {whole} bytes holds more than {LARGEST_STREAM} bytes; deliver it as Parquet or in parts"
            )
        yield part


def _columns(meta: dict[str, Any]) -> list[dict[str, Any]]:
    version = str(meta.get("datasetJSONVersion"))
    if not _VERSION.fullmatch(version):
        raise UnreadableError(f"datasetJSONVersion must be 1.1, found {version}")
    columns: list[dict[str, Any]] = meta["columns"]
    if any(not isinstance(c, dict) or not _named(c) for c in columns):
        raise UnreadableError("every column needs a name and a dataType")
    if len({c["name"] for c in columns}) < len(columns):
        raise UnreadableError("a column name is used twice")
    return columns


def _values(
    rows: Iterator[Any], meta: dict[str, Any], *, numbers: set[str]
) -> tuple[dict[str, np.ndarray], set[str]]:
    """Return the columns, and the names of those that are no numbers although they were to be."""
    names = [c["name"] for c in meta["columns"]]
    pools = {name: Pool() for name in names}
    made = {name: Growing(float if name in numbers else object) for name in names}
    texts: set[str] = set()
    count = 0
    while chunk := list(islice(rows, _CHUNK)):
        _fitting(chunk, len(names), count)
        count += len(chunk)
        for name, values in zip(names, zip(*chunk, strict=True), strict=True):
            if name in numbers and all(map(_is_number, values)):
                made[name].add(np.array([np.nan if v is None else v for v in values], dtype=float))
            elif name in numbers:
                texts.add(name)
            else:
                made[name].add(pools[name].shared([None if v is None else _text(v) for v in values]))
    if meta.get("records") != count:
        raise UnreadableError(f"records says {meta.get('records')}, the file holds {count} rows")
    return {name: column.whole() for name, column in made.items()}, texts


def _fitting(rows: list[Any], width: int, before: int) -> None:
    for place, row in enumerate(rows, before + 1):
        if not isinstance(row, list) or len(row) != width:
            raise UnreadableError(f"expected {width} values", rule="XD-ROW", row=place)


def _named(column: dict[str, Any]) -> bool:
    return all(isinstance(column.get(key), str) and column[key] for key in ("name", "dataType"))


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) <= _LARGEST)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Y" if value else "N"
    return value if isinstance(value, str) else json.dumps(value)
