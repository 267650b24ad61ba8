"""Large files: read in chunks, every format gives what one chunk gives; equal texts are one object."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from tests.data.test_read import FORMATS, FRAME, dataset_json

from interim.data.read import columns, datasetjson, read_file, text, xport
from interim.data.read.columns import Growing, Pool
from interim.data.read.raw import ReadOptions
from interim.data.read.text import read_text


@pytest.fixture
def small(monkeypatch):
    """Two records a chunk, a pool of two texts, parts of seven bytes."""
    for module in (text, datasetjson, xport):
        monkeypatch.setattr(module, "_CHUNK", 2)
    monkeypatch.setattr(columns, "LARGEST_POOL", 2)
    monkeypatch.setattr(datasetjson, "_PART", 7)
    monkeypatch.setattr(xport, "_HEAD", 100)


@pytest.mark.rule("READ-12")
@pytest.mark.parametrize(("extension", "write"), FORMATS)
def test_chunks_change_nothing(tmp_path, monkeypatch, request, extension, write):
    path = tmp_path / f"ae.{extension}"
    write(pd.concat([FRAME] * 2, ignore_index=True), path)
    whole = read_file(path, "AE")
    request.getfixturevalue("small")
    parts = read_file(path, "AE")
    pd.testing.assert_frame_equal(parts.table.frame, whole.table.frame)
    assert parts.table.rows.tolist() == whole.table.rows.tolist()
    assert (parts.table.labels, parts.table.note) == (whole.table.labels, whole.table.note)
    assert parts.sha256 == whole.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.rule("READ-12")
def test_a_number_column_whose_last_rows_are_text_is_text_from_its_first(tmp_path, small):
    meta, _ = dataset_json(FRAME[["AESEQ"]])
    rows = [[1], [2.5], [None], [4], ["five"]]
    path = tmp_path / "ae.ndjson"
    path.write_text("\n".join(map(json.dumps, [{**meta, "records": 5}, *rows])))
    assert read_file(path, "AE").table.frame["AESEQ"].tolist() == ["1", "2.5", None, "4", "five"]


@pytest.mark.rule("READ-12")
@pytest.mark.parametrize(
    ("rows", "row", "words"),
    [
        ([[1], [2], [3, 4]], 3, "expected 1 values"),
        ([[1], [2], [3]], None, "records says 4, the file holds 3 rows"),
    ],
)
def test_what_is_wrong_in_a_later_chunk_is_named_with_its_row(tmp_path, small, rows, row, words):
    meta, _ = dataset_json(FRAME[["AESEQ"]])
    path = tmp_path / "ae.ndjson"
    path.write_text("\n".join(map(json.dumps, [{**meta, "records": 4}, *rows])))
    (finding,) = read_file(path, "AE").findings
    assert (finding.severity, finding.row) == ("stop", row)
    assert words in finding.message


@pytest.mark.rule("READ-12")
def test_a_line_separator_inside_a_json_text_ends_no_row(tmp_path):
    meta, _ = dataset_json(FRAME[["AETERM"]])
    path = tmp_path / "ae.ndjson"
    lines = [json.dumps({**meta, "records": 1}), json.dumps(["one\u2028two"], ensure_ascii=False)]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert read_file(path, "AE").table.frame["AETERM"].tolist() == ["one\u2028two"]


@pytest.mark.rule("READ-12")
def test_equal_texts_of_different_chunks_are_one_object(monkeypatch):
    monkeypatch.setattr(text, "_CHUNK", 2)
    data = "A,B\n" + "\n".join(f"same text,{n}" for n in range(7)) + "\n"
    frame = read_text(io.BytesIO(data.encode()), ReadOptions()).frame
    assert len({id(cell) for cell in frame["A"]}) == 1
    assert frame["B"].tolist() == [str(n) for n in range(7)]


@pytest.mark.rule("READ-12")
def test_a_pool_of_many_texts_starts_again(monkeypatch):
    monkeypatch.setattr(columns, "LARGEST_POOL", 3)
    pool = Pool()
    for start in range(0, 100, 5):
        values = [f"x{n}" for n in range(start, start + 5)] + ["", None]
        assert pool.shared(values).tolist() == [*values[:5], None, None]
        assert len(pool._texts) <= 3 + 7


@pytest.mark.rule("READ-12")
@pytest.mark.parametrize("sizes", [[], [0], [3], [1, 1, 1, 1], [2, 0, 50, 1]])
def test_a_column_grows_in_place(sizes):
    column, expected = Growing(np.int64), []
    for size in sizes:
        part = np.arange(len(expected), len(expected) + size)
        column.add(part)
        expected += part.tolist()
    whole = column.whole()
    assert (whole.dtype, whole.tolist()) == (np.int64, expected)


@pytest.mark.rule("READ-12")
def test_reading_never_holds_the_whole_text(monkeypatch):
    monkeypatch.setattr(text, "_CHUNK", 200)
    line = ",".join(f"value {n} of the record" for n in range(8))
    data = ("A,B,C,D,E,F,G,H\n" + f"{line}\n" * 12_000).encode()
    handle = io.BytesIO(data)
    tracemalloc.start()
    try:
        frame = read_text(handle, ReadOptions()).frame
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert frame.shape == (12_000, 8)
    assert peak < len(data)
