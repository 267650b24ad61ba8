"""Parquet and Dataset-JSON 1.1 files with column labels."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from interim.errors import ReportError

_VERSION = "1.1.0"
_FORMS = (".json", ".ndjson", ".dsjc")


def write_parquet(frame: pd.DataFrame, path: Path, *, labels: Mapping[str, str] | None = None) -> None:
    """Write a table as Parquet; labels are field metadata.

    Parameters
    ----------
    frame : pandas.DataFrame
        Text (object, None for missing) and float64 columns.
    path : Path
        The file.
    labels : mapping of str to str, optional
        Column labels.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    known = labels or {}
    fields = [
        pa.field(
            str(name),
            pa.float64() if _numeric(frame[name]) else pa.string(),
            metadata={b"label": known[name].encode()} if name in known else None,
        )
        for name in frame.columns
    ]
    arrays = [_array(frame[field.name], field.type) for field in fields]
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), path)


def _array(values: pd.Series, kind: pa.DataType) -> pa.Array:
    """Return the cells; NaN and None are missing."""
    return pa.array(values.to_numpy(), type=kind, from_pandas=True)


def write_dataset_json(
    frame: pd.DataFrame, path: Path, *, name: str, labels: Mapping[str, str] | None = None
) -> None:
    """Write a table as Dataset-JSON 1.1: ``.json``, ``.ndjson`` or ``.dsjc`` (zlib) by the extension.

    Parameters
    ----------
    frame : pandas.DataFrame
        Text (object, None for missing) and float64 columns.
    path : Path
        The file.
    name : str
        Name of the dataset.
    labels : mapping of str to str, optional
        Column labels.

    Raises
    ------
    OSError
        If the file cannot be written.
    ReportError
        If the extension is another one, or a number is infinite.
    """
    if path.suffix not in _FORMS:
        raise ReportError(f"{path.name}: Dataset-JSON is written as {', '.join(_FORMS)}")
    meta = _metadata(frame, name, labels or {})
    rows = _rows(frame, path)
    if path.suffix == ".json":
        path.write_text(_text({**meta, "rows": rows}), encoding="utf-8")
        return
    text = "\n".join(map(_text, (meta, *rows))) + "\n"
    path.write_bytes(zlib.compress(text.encode()) if path.suffix == ".dsjc" else text.encode())


def _metadata(frame: pd.DataFrame, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    columns = [
        {
            "itemOID": f"IT.{name}.{column}",
            "name": str(column),
            "label": labels.get(str(column), str(column)),
            "dataType": "double" if _numeric(frame[column]) else "string",
        }
        for column in frame.columns
    ]
    for column in columns:
        if column["name"] not in labels:
            del column["label"]
    return {
        "datasetJSONVersion": _VERSION,
        "itemGroupOID": f"IG.{name}",
        "records": len(frame),
        "name": name,
        "label": labels.get("", name),
        "columns": columns,
    }


def _rows(frame: pd.DataFrame, path: Path) -> list[list[Any]]:
    columns = []
    for name in frame.columns:
        values = frame[name].to_numpy()
        if _numeric(frame[name]) and np.isinf(values).any():
            raise ReportError(f"{path.name}: {name} holds an infinite number, which JSON cannot hold")
        columns.append([None if value is None or value != value else value for value in values.tolist()])
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(len(frame))]


def _numeric(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values.dtype))


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
