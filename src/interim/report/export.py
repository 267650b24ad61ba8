"""The data of a run as files: results, the records behind them, analysis datasets with their dictionary, findings."""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import pandas as pd

from interim.adam.dictionary import dataset_label, variable_label
from interim.data.write.tables import write_dataset_json
from interim.data.write.xport import write_xport
from interim.report.chapter import Inputs
from interim.report.hashes import sha256_bytes
from interim.report.registry import registry
from interim.result import COLUMNS

_Variable: TypeAlias = tuple[object, ...]
T = TypeVar("T")
_FINDING = (
    "id",
    "rule",
    "severity",
    "domain",
    "subject",
    "key",
    "variable",
    "value",
    "expected",
    "message",
    "effect",
    "file",
    "row",
)
_KINDS = (".xpt", ".json")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_data(folder: Path, inputs: Inputs) -> None:
    """Write the data of a run below its report folder.

    ``data/`` holds the results as Parquet, JSON and CSV, the table of objects with their question, the records behind each result, the
    analysis datasets as Parquet and the findings; ``adam/`` the analysis datasets as SAS transport and Dataset-JSON files with a dictionary.

    Parameters
    ----------
    folder : Path
        The report folder.
    inputs : Inputs
        Study, data and results.

    Returns
    -------
    None

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    for name in ("data", "adam"):
        (folder / name).mkdir()
    _write_results(folder / "data", inputs)
    rows = [row for name in sorted(inputs.adam.datasets) for row in _write_dataset(folder, inputs, name)]
    head = ["dataset", "dataset_label", "variable", "label", "type", "length", "missing"]
    _write_csv(folder / "adam" / "dictionary.csv", head, rows)


def _write_results(data: Path, inputs: Inputs) -> None:
    """Write the results, the records behind them, the objects that show them, and the findings."""
    inputs.store.frame().to_parquet(data / "results.parquet", index=False)
    inputs.store.links().to_parquet(data / "links.parquet", index=False)
    texts = [_texts(inputs, inputs.store[name].frame) for name in sorted(inputs.store)]
    rows = b",\n".join(row for row, _ in texts if row)
    (data / "results.json").write_bytes(b"[%s]\n" % rows)
    _write_csv(data / "results.csv", COLUMNS, ())
    with (data / "results.csv").open("ab") as stream:
        stream.writelines(lines for _, lines in texts)
    _write_csv(
        data / "tlf.csv", ["tlf", "title", "question"], ((t.id, t.title, t.analysis) for t in registry())
    )
    _write_json(
        data / "findings.json",
        [{name: getattr(f, name) for name in _FINDING} for f in inputs.adam.findings],
    )


def _texts(inputs: Inputs, frame: pd.DataFrame) -> tuple[bytes, bytes]:
    """Return the rows of a result as JSON and as CSV."""

    def made() -> tuple[bytes, bytes]:
        columns = [_plain(frame.iloc[:, place]) for place in range(frame.shape[1])]
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]
        stream = io.StringIO(newline="")
        csv.writer(stream, lineterminator="\n").writerows(zip(*map(_harmless, columns), strict=True))
        return _json(rows)[1:-1].encode(), stream.getvalue().encode()

    return _kept(inputs, made, "rows", sha256_bytes(pickle.dumps(frame, 5)))


def _write_dataset(folder: Path, inputs: Inputs, name: str) -> list[_Variable]:
    """Write one analysis dataset in its three formats and return its rows of the dictionary."""
    frame, stem = inputs.adam.datasets[name], folder / "adam" / name.lower()
    frame.to_parquet(folder / "data" / f"{name.lower()}.parquet", index=False)
    memo, moment = inputs.memo, inputs.study.moment

    def made() -> tuple[list[_Variable], dict[str, bytes]]:
        variables = _dataset(frame, stem, name=name, moment=moment)
        return variables, {kind: stem.with_suffix(kind).read_bytes() for kind in _KINDS}

    read = memo and memo.sources.now([f"adam.datasets/{name}"])
    variables, files = _kept(inputs, made, "dataset", name, read, f"{moment}")
    for kind, content in files.items():
        stem.with_suffix(kind).write_bytes(content)
    return [(name, dataset_label(name), *row) for row in variables]


def _kept(inputs: Inputs, made: Callable[[], T], *parts: object) -> T:
    """Return what an earlier build made from the same parts, or make it."""
    memo = inputs.memo
    if memo is None:
        return made()
    key = memo.cache.key(*parts)
    kept = memo.cache.get(key)
    if kept is not None:
        known: T = pickle.loads(kept)  # bytes that this program wrote, with their hash
        return known
    found = made()
    memo.cache.put(key, pickle.dumps(found, 5))
    return found


def _dataset(frame: pd.DataFrame, stem: Path, *, name: str, moment: datetime) -> list[_Variable]:
    """Write one dataset in both formats and return what the dictionary says of its variables."""
    labels = {c: label for c in map(str, frame.columns) if (label := variable_label(c))}
    whole, title = stem.with_suffix(".xpt"), dataset_label(name)
    write_xport(frame, whole, name=name, label=title, labels=labels, moment=moment)
    shown = _dates_as_text(frame)
    write_dataset_json(shown, stem.with_suffix(".json"), name=name, labels={"": title, **labels})
    return list(_variables(frame, shown, labels))


def _variables(
    frame: pd.DataFrame, shown: pd.DataFrame, labels: Mapping[str, str]
) -> Iterable[tuple[object, ...]]:
    """Yield name, label, type, length of the longest text and number of missing values of each variable."""
    for name in map(str, frame.columns):
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            kind = "datetime"
        else:
            kind = "numeric" if pd.api.types.is_numeric_dtype(frame[name]) else "text"
        texts = shown[name].dropna().astype(str).str.len()
        length = "" if kind == "numeric" or texts.empty else int(texts.max())
        yield name, labels.get(name, ""), kind, length, int(frame[name].isna().sum())


def _dates_as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with times as ISO 8601 text; a variable without a time of day as dates."""
    shown = frame.copy()
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_datetime64_any_dtype(values):
            whole = bool((values.dropna() == values.dropna().dt.normalize()).all())
            texts = values.dt.strftime("%Y-%m-%d" if whole else "%Y-%m-%dT%H:%M:%S")
            shown[name] = texts.astype(object).where(values.notna(), None)
    return shown


def _write_json(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one value per line."""
    path.write_text(_json(rows) + "\n", encoding="utf-8")


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(rows, separators=(",\n", ": "), sort_keys=True, ensure_ascii=False, allow_nan=False)


def _write_csv(path: Path, head: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(map(harmless, row) for row in rows)


def _harmless(column: Sequence[object]) -> Sequence[object]:
    """Return a column with harmless cells; equal texts are looked at once."""
    risky = {value for value in set(column) if isinstance(value, str) and value.startswith(_FORMULA)}
    changed = {value: shown for value in risky if (shown := harmless(value)) != value}
    return (
        [changed.get(value, value) if isinstance(value, str) else value for value in column]
        if changed
        else column
    )


def harmless(value: object) -> object:
    """Return a cell of a CSV file that no spreadsheet takes for a formula.

    Parameters
    ----------
    value : object
        Any cell.

    Returns
    -------
    object
        A text that begins like a formula with an apostrophe before it; numbers, also as texts, and all else unchanged.

    Raises
    ------
    None

    Examples
    --------
    >>> harmless("=1+2"), harmless("-0.5"), harmless("-A1")
    ("'=1+2", '-0.5', "'-A1")
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def _plain(column: pd.Series) -> list[Any]:
    """Return a column as JSON holds it: what is missing or not finite as null."""
    values: list[Any] = column.tolist()
    absent = {value for value in set(values) if not isinstance(value, str) and _absent(value)}
    return [None if value in absent else value for value in values] if absent else values


def _absent(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value))
