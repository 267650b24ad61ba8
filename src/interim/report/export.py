"""The data of a run as files: results, the records behind them, analysis datasets with their dictionary, findings."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from interim.adam.dictionary import dataset_label, variable_label
from interim.data.write.tables import write_dataset_json
from interim.data.write.xport import write_xport
from interim.report.chapter import Inputs
from interim.report.registry import registry

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
    data = folder / "data"
    data.mkdir()
    frame = inputs.store.frame()
    frame.to_parquet(data / "results.parquet", index=False)
    inputs.store.links().to_parquet(data / "links.parquet", index=False)
    rows = [{str(key): _plain(value) for key, value in row.items()} for row in frame.to_dict("records")]
    _write_json(data / "results.json", rows)
    _write_csv(data / "results.csv", list(map(str, frame.columns)), (row.values() for row in rows))
    _write_csv(
        data / "tlf.csv", ["tlf", "title", "question"], ((t.id, t.title, t.analysis) for t in registry())
    )
    for name, dataset in sorted(inputs.adam.datasets.items()):
        dataset.to_parquet(data / f"{name.lower()}.parquet", index=False)
    _write_json(
        data / "findings.json",
        [{name: getattr(f, name) for name in _FINDING} for f in inputs.adam.findings],
    )
    _write_adam(folder / "adam", inputs)


def _write_adam(folder: Path, inputs: Inputs) -> None:
    """Write each analysis dataset as transport and Dataset-JSON file, and the dictionary of all variables."""
    folder.mkdir()
    rows: list[Sequence[object]] = []
    for name, frame in sorted(inputs.adam.datasets.items()):
        labels = {c: label for c in map(str, frame.columns) if (label := variable_label(c))}
        moment = inputs.study.moment
        write_xport(
            frame,
            folder / f"{name.lower()}.xpt",
            name=name,
            label=dataset_label(name),
            labels=labels,
            moment=moment,
        )
        shown = _dates_as_text(frame)
        write_dataset_json(
            shown, folder / f"{name.lower()}.json", name=name, labels={"": dataset_label(name), **labels}
        )
        rows += [(name, dataset_label(name), *row) for row in _variables(frame, shown, labels)]
    head = ["dataset", "dataset_label", "variable", "label", "type", "length", "missing"]
    _write_csv(folder / "dictionary.csv", head, rows)


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
    text = json.dumps(rows, indent=0, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _write_csv(path: Path, head: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(head)
        writer.writerows([harmless(value) for value in row] for row in rows)


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


def _plain(value: Any) -> Any:
    """Return a cell as JSON holds it: what is missing or not finite as null."""
    if (
        value is None
        or type(value).__name__ == "NAType"
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        return None
    return value
