"""Dataset-JSON 1.1: one object, one line per row, and the compressed form of the latter."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

import numpy as np
import pandas as pd

from interim.data.read.raw import LARGEST_STREAM, RawTable, ReadOptions, UnreadableError

_VERSION = re.compile(r"1\.1(\.\d+)?")
_NUMBERS = {"integer", "float", "double", "decimal"}
_LARGEST = 10**300
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


def read_dataset_json(data: bytes, options: ReadOptions) -> RawTable:
    """Read a Dataset-JSON 1.1 file.

    Parameters
    ----------
    data : bytes
        ``.json`` (one object), ``.ndjson`` (metadata line, then one array per row) or ``.dsjc`` (the same, compressed).
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
    packed = data[:2] == _GZIP or data[:1] == _ZLIB
    text = _unpack(data) if packed else data
    meta, rows = _parse(text)
    columns = _checked(meta, rows)
    frame = pd.DataFrame(
        {c["name"]: _column([row[i] for row in rows], c["dataType"]) for i, c in enumerate(columns)},
        index=pd.RangeIndex(len(rows)),
    )
    if frame.shape[1] < len(columns):
        raise UnreadableError("a column name is used twice")
    labels = {c["name"]: c["label"] for c in columns if c.get("label")}
    further = sorted(set(meta) - _KNOWN)
    note = f"version {meta['datasetJSONVersion']}" + (f"; further attributes {further}" if further else "")
    return RawTable(frame, np.arange(1, len(rows) + 1, dtype=np.int64), labels, "datasetjson", note)


def _unpack(data: bytes) -> bytes:
    """Decompress a zlib or a gzip stream."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        text = stream.decompress(data, LARGEST_STREAM)
    except zlib.error as error:
        raise UnreadableError(f"the compressed stream of {len(data)} bytes is damaged: {error}") from error
    if stream.unconsumed_tail:
        raise UnreadableError(
            f"the compressed stream of {len(data)} bytes holds more than {LARGEST_STREAM} bytes; deliver it as Parquet or in parts"
        )
    if not stream.eof:
        raise UnreadableError(f"the compressed stream ends at byte {len(data)} before it is complete")
    return text


def _parse(data: bytes) -> tuple[dict[str, Any], list[Any]]:
    try:
        text = data.decode("utf-8-sig")
        try:
            whole = json.loads(text)
        except json.JSONDecodeError:
            first, *rest = [json.loads(line) for line in text.splitlines() if line.strip()]
            whole = {**first, "rows": rest}
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadableError(f"not a Dataset-JSON file: {error}") from error
    if not isinstance(whole, dict) or not isinstance(whole.get("columns"), list):
        raise UnreadableError("not a Dataset-JSON file: no columns")
    rows = whole.get("rows") or []
    if not isinstance(rows, list):
        raise UnreadableError("not a Dataset-JSON file: rows is no list")
    return whole, rows


def _checked(meta: dict[str, Any], rows: list[Any]) -> list[dict[str, Any]]:
    version = str(meta.get("datasetJSONVersion"))
    if not _VERSION.fullmatch(version):
        raise UnreadableError(f"datasetJSONVersion must be 1.1, found {version}")
    if meta.get("records") != len(rows):
        raise UnreadableError(f"records says {meta.get('records')}, the file holds {len(rows)} rows")
    columns: list[dict[str, Any]] = meta["columns"]
    if any(not isinstance(c, dict) or not _named(c) for c in columns):
        raise UnreadableError("every column needs a name and a dataType")
    for place, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != len(columns):
            raise UnreadableError(f"expected {len(columns)} values", rule="XD-ROW", row=place)
    return columns


def _named(column: dict[str, Any]) -> bool:
    return all(isinstance(column.get(key), str) and column[key] for key in ("name", "dataType"))


def _column(values: list[Any], kind: str) -> np.ndarray:
    """Return numbers as float64; text if a value is none that a float64 can hold."""
    if kind in _NUMBERS and all(_is_number(v) for v in values):
        return np.array([np.nan if v is None else v for v in values], dtype=float)
    array = np.empty(len(values), dtype=object)
    array[:] = [None if v in (None, "") else _text(v) for v in values]
    return array


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) <= _LARGEST)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Y" if value else "N"
    return value if isinstance(value, str) else json.dumps(value)
