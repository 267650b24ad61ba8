"""The data of a run as files: equal in every format, the same bytes each time, no formula in a cell."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from interim.adam.dictionary import dataset_label, labels, variable_label
from interim.data.read.raw import ReadOptions
from interim.data.read.xport import read_xport
from interim.data.write.xport import write_xport
from interim.errors import ReportError
from interim.report import export
from interim.report.cache import Cache
from interim.report.export import write_data
from interim.report.memo import Memo
from interim.report.registry import registry
from interim.report.traced import Sources
from interim.result import ResultStore

MOMENT = datetime(2026, 1, 31, 12, 30, 59, tzinfo=UTC)
FRAME = pd.DataFrame(
    {
        "USUBJID": ["S-01", "S-02", None],
        "AVAL": [0.1, np.nan, -2.5],
        "ADT": pd.to_datetime(["2026-01-02", None, "2026-02-03"]),
        "ADTM": pd.to_datetime(["2026-01-02 03:04:05", None, "2026-02-03 00:00:00"]),
    }
)


def written(tmp_path, frame=FRAME, moment=MOMENT, **changes) -> bytes:
    path = tmp_path / "ad.xpt"
    facts = {"name": "ADX", "label": "A dataset", "labels": {"AVAL": "Analysis Value"}} | changes
    write_xport(frame, path, moment=moment, **facts)
    return path.read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, hand_inputs):
    home = tmp_path_factory.mktemp("export")
    write_data(home, hand_inputs)
    return home


@pytest.mark.rule("PKG-21")
def test_a_transport_file_holds_what_was_written_and_the_time_that_was_given(tmp_path):
    data = written(tmp_path)
    read = read_xport(io.BytesIO(data), ReadOptions()).frame
    assert read["USUBJID"].tolist() == ["S-01", "S-02", None]
    np.testing.assert_array_equal(read["AVAL"].to_numpy(), FRAME["AVAL"].to_numpy())
    assert read["ADTM"].tolist() == ["2026-01-02T03:04:05", None, "2026-02-03T00:00:00"]
    assert data.count(b"31JAN26:12:30:59") == 4
    zone = MOMENT.astimezone(timezone(timedelta(hours=8)))
    assert written(tmp_path, moment=zone) == data


@pytest.mark.rule("PKG-21")
@pytest.mark.parametrize(
    ("frame", "label", "version"),
    [
        (FRAME, "Analysis Value", 5),
        (FRAME.rename(columns={"AVAL": "LONGERNAME"}), "Analysis Value", 8),
        (FRAME.assign(USUBJID="x" * 201), "Analysis Value", 8),
        (FRAME.assign(USUBJID="é" * 100), "Analysis Value", 5),
        (FRAME, "A" * 41, 8),
    ],
)
def test_version_5_only_where_everything_fits(frame, label, version, tmp_path):
    data = written(tmp_path, frame, labels={"AVAL": label})
    assert data.startswith(b"HEADER RECORD*******LIBRARY" if version == 5 else b"HEADER RECORD*******LIBV8")


@pytest.mark.rule("PKG-21")
def test_a_layout_without_the_known_time_stamps_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("interim.data.write.xport._STAMPS", (144, 200))
    with pytest.raises(ReportError, match=r"ad\.xpt: no time stamp at byte 200"):
        written(tmp_path)


@pytest.mark.rule("PKG-21")
def test_every_dataset_is_written_in_both_formats_with_equal_values(folder, hand_inputs):
    for name, frame in hand_inputs.adam.datasets.items():
        data = json.loads((folder / "adam" / f"{name.lower()}.json").read_text(encoding="utf-8"))
        transport = (folder / "adam" / f"{name.lower()}.xpt").read_bytes()
        read = read_xport(io.BytesIO(transport), ReadOptions()).frame
        assert data["label"] == dataset_label(name)
        assert [c["name"] for c in data["columns"]] == list(frame.columns) == list(read.columns)
        assert data["records"] == len(frame) == len(read)
        for place, column in enumerate(frame.columns):
            if pd.api.types.is_float_dtype(frame[column]):
                values = np.array([np.nan if row[place] is None else row[place] for row in data["rows"]])
                np.testing.assert_array_equal(values, frame[column].to_numpy())
                np.testing.assert_array_equal(read[column].to_numpy(dtype=float), values)


@pytest.mark.rule("PKG-21")
def test_every_variable_stands_in_the_dictionary_with_a_label_that_a_transport_file_holds(
    folder, hand_inputs
):
    with (folder / "adam" / "dictionary.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    names = [(name, c) for name, frame in sorted(hand_inputs.adam.datasets.items()) for c in frame.columns]
    assert [(row["dataset"], row["variable"]) for row in rows] == names
    assert [row for row in rows if not row["label"] or len(row["label"]) > 40] == []
    by_name = {(row["dataset"], row["variable"]): row for row in rows}
    assert by_name["ADSL", "TRTSDT"]["type"] == "datetime" and by_name["ADTTE", "CNSR"]["type"] == "numeric"
    usubjid = by_name["ADSL", "USUBJID"]
    lengths = hand_inputs.adam["ADSL"]["USUBJID"].str.len()
    assert (usubjid["type"], int(usubjid["length"]), usubjid["missing"]) == ("text", lengths.max(), "0")


@pytest.mark.rule("PKG-21")
def test_labels_of_source_and_derived_variables():
    assert variable_label("AESTDTC") == "Start Date/Time"
    assert variable_label("AVAL") == "Analysis Value" and variable_label("MADE_UP") is None
    assert len(set(labels("variables").values())) == len(labels("variables"))


@pytest.mark.rule("PKG-20")
def test_results_are_equal_as_parquet_json_and_csv(folder):
    frame = pd.read_parquet(folder / "data" / "results.parquet")
    rows = json.loads((folder / "data" / "results.json").read_text(encoding="utf-8"))
    with (folder / "data" / "results.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert (
        [r["result_id"] for r in rows] == [line["result_id"] for line in lines] == frame["result_id"].tolist()
    )
    for row, line in zip(rows, lines, strict=True):
        assert line["value"] == ("" if row["value"] is None else repr(row["value"]))
    with (folder / "data" / "tlf.csv").open(encoding="utf-8", newline="") as stream:
        assert [line["tlf"] for line in csv.DictReader(stream)] == [tlf.id for tlf in registry()]


@pytest.mark.rule("PKG-20")
@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("-5", "-5"),
        ("-1+A2", "'-1+A2"),
        ("+0.5", "+0.5"),
        ("a=b", "a=b"),
        (-5.0, "-5.0"),
        ("", ""),
        ("@x", "'@x"),
    ],
)
def test_no_cell_begins_a_formula(cell, shown, tmp_path):
    path = tmp_path / "x.csv"
    export._write_csv(path, ["a"], [[cell]])
    assert path.read_text(encoding="utf-8").splitlines()[1].strip('"') == shown
    column = [cell, 1.5, None, "b", cell]
    assert list(export._harmless(column)) == [export.harmless(value) for value in column]


@pytest.mark.rule("CACHE-16")
def test_rows_of_a_result_are_written_once_for_all_builds(hand_inputs, tmp_path, monkeypatch):
    cache, made = Cache(tmp_path / "cache"), []
    monkeypatch.setattr(export, "_harmless", lambda column: made.append(column) or column)

    def written(inputs, name: str) -> list[bytes]:
        folder = tmp_path / name
        folder.mkdir()
        export._write_results(folder, inputs)
        return [path.read_bytes() for path in sorted(folder.iterdir())]

    kept = replace(hand_inputs, memo=Memo(cache, Sources()))
    first = written(kept, "first")
    count = len(made)
    assert count > 0 and written(kept, "second") == first and len(made) == count
    assert written(replace(hand_inputs, memo=None), "alone") == first
    one = next(result for result in hand_inputs.store.values() if result.frame["value"].notna().any())
    frame = one.frame.assign(value=one.frame["value"] + 1)
    store = ResultStore({**hand_inputs.store.results, one.analysis_id: replace(one, frame=frame)})
    made.clear()
    changed = replace(kept, store=store)
    later = written(changed, "later")
    assert len(made) == frame.shape[1]
    assert later != first and later == written(replace(changed, memo=None), "later alone")
