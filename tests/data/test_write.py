"""What a reader read can be written as Parquet, Dataset-JSON and a workbook, with labels and types; no cell starts a formula."""

from __future__ import annotations

import json
import zipfile
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.test_read import FORMATS, FRAME

from interim.data.read import ReadOptions, read_file
from interim.data.write import Sheet, write_dataset_json, write_parquet, write_workbook
from interim.errors import ReportError

TARGETS = ("parquet", "json", "ndjson", "dsjc")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def written(frame, path, labels=None):
    if path.suffix == ".parquet":
        write_parquet(frame, path, labels=labels)
    else:
        write_dataset_json(frame, path, name="AE", labels=labels)
    return read_file(path, "AE")


@pytest.mark.rule("WRITE-01", source="every reader round-trips with labels and types kept")
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("extension", "write"), FORMATS)
def test_what_any_reader_read_can_be_written_and_read_again(tmp_path, extension, write, target):
    first = tmp_path / f"ae.{extension}"
    write(FRAME, first)
    table = read_file(first, "AE").table
    again = written(table.frame, tmp_path / f"copy.{target}", table.labels)
    assert again.findings == ()
    pd.testing.assert_frame_equal(again.table.frame, table.frame)
    assert again.table.labels == table.labels


@pytest.mark.rule("WRITE-01")
@pytest.mark.parametrize("target", TARGETS)
def test_labels_types_and_missing_values(tmp_path, target):
    frame = pd.DataFrame(
        {
            "TEXT": np.array(["=1+1", None, "ü 中 \u0000"[:3]], dtype=object),
            "NUMBER": [1.5, np.nan, -0.0],
            "EMPTY": np.array([None, None, None], dtype=object),
            "NOTHING": [np.nan, np.nan, np.nan],
        }
    )
    labels = {"TEXT": "A text (units: °C)", "NUMBER": "A number"}
    again = written(frame, tmp_path / f"x.{target}", labels).table
    pd.testing.assert_frame_equal(again.frame, frame)
    assert again.labels == labels
    assert [str(kind) for kind in again.frame.dtypes] == ["object", "float64", "object", "float64"]


@pytest.mark.rule("WRITE-01")
@pytest.mark.parametrize("target", TARGETS)
def test_a_table_without_rows_or_with_one_column(tmp_path, target):
    empty = pd.DataFrame({"A": np.array([], dtype=object), "B": np.array([], dtype=float)})
    again = written(empty, tmp_path / f"x.{target}").table.frame
    assert (list(again.columns), len(again), str(again["B"].dtype)) == (["A", "B"], 0, "float64")
    one = pd.DataFrame({"A": np.array(["x"], dtype=object)})
    pd.testing.assert_frame_equal(written(one, tmp_path / f"y.{target}").table.frame, one)


@pytest.mark.rule("WRITE-01")
@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.none() | st.text(min_size=1, max_size=8), st.floats(allow_infinity=False)), max_size=6
    ),
    st.sampled_from(TARGETS),
)
def test_any_text_and_any_number(tmp_path_factory, rows, target):
    frame = pd.DataFrame(
        {"T": np.array([t for t, _ in rows], dtype=object), "N": np.array([n for _, n in rows], dtype=float)}
    )
    try:
        again = written(frame, tmp_path_factory.mktemp("any") / f"x.{target}").table.frame
    except UnicodeEncodeError:
        return  # half of a surrogate pair is no text of any format
    pd.testing.assert_frame_equal(again, frame)


@pytest.mark.rule("WRITE-02")
def test_dataset_json_states_what_the_standard_wants(tmp_path):
    write_dataset_json(
        pd.DataFrame({"A": [1.0, np.nan]}), tmp_path / "x.json", name="AE", labels={"A": "Amount"}
    )
    found = json.loads((tmp_path / "x.json").read_text())
    assert found["datasetJSONVersion"] == "1.1.0"
    assert (found["records"], found["name"], found["itemGroupOID"]) == (2, "AE", "IG.AE")
    assert found["columns"] == [{"itemOID": "IT.AE.A", "name": "A", "label": "Amount", "dataType": "double"}]
    assert found["rows"] == [[1.0], [None]]
    write_dataset_json(pd.DataFrame({"A": [1.0]}), tmp_path / "x.dsjc", name="AE")
    assert (tmp_path / "x.dsjc").read_bytes()[:1] == b"\x78"


@pytest.mark.rule("WRITE-02")
def test_what_json_cannot_hold_is_refused(tmp_path):
    with pytest.raises(ReportError, match=r"x.json: A holds an infinite number"):
        write_dataset_json(pd.DataFrame({"A": [np.inf]}), tmp_path / "x.json", name="AE")
    with pytest.raises(ReportError, match=r"x.csv: Dataset-JSON is written as .json, .ndjson, .dsjc"):
        write_dataset_json(pd.DataFrame({"A": [1.0]}), tmp_path / "x.csv", name="AE")
    assert list(tmp_path.iterdir()) == []


DANGEROUS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", "<f>1</f>", "&amp;", "''")


@pytest.mark.rule("WRITE-03", source="spreadsheet output never lets a cell start a formula")
@pytest.mark.parametrize("text", DANGEROUS)
def test_no_cell_starts_a_formula(tmp_path, text):
    write_workbook([Sheet("S", ["A", text], [[text, 1.5]])], tmp_path / "x.xlsx")
    sheet = ET.fromstring(zipfile.ZipFile(tmp_path / "x.xlsx").read("xl/worksheets/sheet1.xml"))
    assert list(sheet.iter(f"{MAIN}f")) == []
    kinds = [cell.get("t") for cell in sheet.iter(f"{MAIN}c")]
    assert kinds == ["inlineStr", "inlineStr", "inlineStr", None]
    found = read_file(tmp_path / "x.xlsx", "S").table.frame
    assert found.to_numpy().tolist() == [[text, "1.5"]]


@pytest.mark.rule("WRITE-03")
def test_a_workbook_keeps_sheets_order_and_missing_cells(tmp_path):
    sheets = [
        Sheet("one", ["A", "B", "C"], [["x", None, 2.0], [None, float("nan"), "中"]], {1: ("Y", "N")}),
        Sheet("two", ["Z"]),
    ]
    write_workbook(sheets, tmp_path / "a.xlsx")
    write_workbook(sheets, tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    one = read_file(tmp_path / "a.xlsx", "S", options=ReadOptions(sheet="one")).table
    assert one.frame.to_numpy().tolist() == [["x", None, "2"], [None, None, "中"]]
    assert read_file(tmp_path / "a.xlsx", "S", options=ReadOptions(sheet="two")).table.frame.shape == (0, 1)
    xml = zipfile.ZipFile(tmp_path / "a.xlsx").read("xl/worksheets/sheet1.xml").decode()
    assert '<dataValidation type="list" allowBlank="1" sqref="B2:B5000"><formula1>"Y,N"</formula1>' in xml


@pytest.mark.rule("WRITE-03")
@pytest.mark.parametrize(("place", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_letters_of_wide_sheets(tmp_path, place, letters):
    header = [f"C{n}" for n in range(place + 1)]
    write_workbook([Sheet("S", header, [[None] * place + ["end"]])], tmp_path / "x.xlsx")
    sheet = ET.fromstring(zipfile.ZipFile(tmp_path / "x.xlsx").read("xl/worksheets/sheet1.xml"))
    assert [cell.get("r") for cell in sheet.iter(f"{MAIN}c")][-1] == f"{letters}2"
    assert read_file(tmp_path / "x.xlsx", "S").table.frame.iloc[0, place] == "end"
