"""Parquet files."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from interim.data.read.columns import framed
from interim.data.read.raw import RawTable, ReadOptions, UnreadableError

_LABEL = b"label"


def read_parquet(handle: BinaryIO, options: ReadOptions) -> RawTable:
    """Read a Parquet file column by column.

    Parameters
    ----------
    handle : binary file
        The file, at its begin.
    options : ReadOptions
        Not used.

    Returns
    -------
    RawTable
        Labels come from the field metadata; dates become ISO 8601 text; rows are record numbers.

    Raises
    ------
    UnreadableError
        If the bytes are no Parquet file, or a column has a nested type.
    """
    try:
        schema = pq.read_schema(handle)
        if len(set(schema.names)) != len(schema.names):
            raise UnreadableError("a column name is used twice")
        handle.seek(0)
        file = pq.ParquetFile(handle, pre_buffer=False, read_dictionary=_texts(schema))
        columns = {field.name: _read(file, field) for field in file.schema_arrow}
        labels = {f.name: f.metadata[_LABEL].decode() for f in schema if _LABEL in (f.metadata or {})}
    except (pa.ArrowException, OSError, OverflowError, UnicodeDecodeError) as error:
        raise UnreadableError(f"not a Parquet file, or a damaged one: {error}") from error
    rows = file.metadata.num_rows
    note = f"{len(schema)} columns"
    return RawTable(framed(columns, rows), np.arange(1, rows + 1, dtype=np.int64), labels, "parquet", note)


def _read(file: Any, field: Any) -> np.ndarray:
    """Return one column; what Arrow holds of it is let go before the next is read."""
    return _column(field, file.read(columns=[field.name], use_threads=False).column(field.name))


def _texts(schema: Any) -> list[str]:
    """Return the text columns, which are read with each text once."""
    return [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]


def _column(field: Any, values: Any) -> np.ndarray:
    """Return numbers as float64 with NaN, everything else as text with None."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=float)
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise UnreadableError(f"column {field.name} has type {field.type}; expected text, numbers or dates")
    if pa.types.is_boolean(kind):
        return _objects(None if v is None else "Y" if v else "N" for v in values.to_pylist())
    if pa.types.is_temporal(kind):
        return _objects(None if v is None else v.isoformat() for v in values.to_pylist())
    if not pa.types.is_dictionary(field.type):
        return _objects(None if v in (None, "") else str(v) for v in values.to_pylist())
    return _shared(values)


def _shared(values: Any) -> np.ndarray:
    """Return texts as an array in which equal texts are one object."""
    whole = values.unify_dictionaries().combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], pa.dictionary(pa.int32(), pa.string()))
    pool = _objects([*(v or None for v in whole.dictionary.to_pylist()), None])
    codes = whole.indices.fill_null(len(pool) - 1).to_numpy(zero_copy_only=False)
    found: np.ndarray = pool[codes]
    return found


def _objects(values: Any) -> np.ndarray:
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array
