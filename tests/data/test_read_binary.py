"""Transport files, Parquet, Dataset-JSON and workbooks: corner values, and what damaged files get."""

from __future__ import annotations

import gzip
import json
import random
import re
import zipfile
import zlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.test_read import FORMATS, FRAME, HEAD, dataset_json, lines_of, sheet_xml, workbook, write_xpt

from interim.data.read import ReadOptions, read_file
from interim.data.read.xport import ibm_floats

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def only(path, domain="AE", **options):
    """Return the one finding of a file that cannot be read."""
    read = read_file(path, domain, options=ReadOptions(**options))
    assert read.table is None
    (finding,) = read.findings
    assert (finding.severity, finding.file) == ("stop", path.name)
    return finding


def double(text):
    cells = np.frombuffer(bytes.fromhex(text), dtype=np.uint8).reshape(1, -1)
    values, special = ibm_floats(cells)
    return values[0], [code for _, code in special]


# IBM System/360: sign, 7 bits of exponent of 16 (excess 64), fraction of 56 bits; worked by hand.
CORNERS = {
    "one": ("4110000000000000", 1.0),
    "minus one": ("C110000000000000", -1.0),
    "one half": ("4080000000000000", 0.5),
    "sixteen": ("4210000000000000", 16.0),
    "not normalised one": ("4201000000000000", 1.0),
    "not normalised twice": ("4300100000000000", 1.0),
    "hundred": ("4264000000000000", 100.0),
    "100.25": ("4264400000000000", 100.25),
    "zero": ("0000000000000000", 0.0),
    "minus zero": ("8000000000000000", 0.0),
    "zero with an exponent": ("4200000000000000", None),
    "smallest": ("0010000000000000", 16.0**-65),
    "largest": ("7FFFFFFFFFFFFFFF", float(16**63)),
    "two to the 53rd": ("4E20000000000000", 2.0**53),
    "two to the 53rd and one rounds to even": ("4E20000000000001", 2.0**53),
    "two to the 53rd and two": ("4E20000000000002", 2.0**53 + 2),
    "two to the 53rd and three rounds up": ("4E20000000000003", 2.0**53 + 4),
    "two bytes": ("4110", 1.0),
    "three bytes": ("C27B80", -123.5),
    "seven bytes": ("41100000000000", 1.0),
}


@pytest.mark.rule("READ-07", source="IBM System/360 hexadecimal floating point, worked by hand")
@pytest.mark.parametrize("case", [name for name, (_, value) in CORNERS.items() if value is not None])
def test_corner_values_of_ibm_floats(case):
    raw, value = CORNERS[case]
    assert double(raw) == (value, [])


@pytest.mark.rule("READ-07")
@pytest.mark.parametrize("letter", [*LETTERS, "_"])
def test_every_special_missing_value_keeps_its_code(letter):
    value, special = double(letter.encode().hex() + "00" * 7)
    assert np.isnan(value)
    assert special == [f".{letter}"]


@pytest.mark.rule("READ-07")
@pytest.mark.parametrize("size", range(2, 9))
def test_the_plain_missing_value_has_no_code(size):
    value, special = double("2e" + "00" * (size - 1))
    assert np.isnan(value)
    assert special == []


@pytest.mark.rule("READ-07")
@pytest.mark.parametrize("letter", [".", "_", "A", "Z"])
def test_the_first_byte_of_a_missing_value_may_begin_a_number(letter):
    value, special = double(letter.encode().hex() + "10" + "00" * 6)
    assert special == []
    assert value == 16.0 ** (ord(letter) % 128 - 65)


@pytest.mark.rule("READ-07")
@settings(max_examples=50, deadline=None)
@given(st.integers(1, 2**56 - 1), st.integers(0, 127), st.booleans())
def test_every_number_is_the_nearest_double(fraction, exponent, negative):
    raw = (int(negative) << 63 | exponent << 56 | fraction).to_bytes(8, "big")
    exact = fraction * 16 ** (exponent + 100)
    value = int(float(fraction)) * 16 ** (exponent + 100)
    assert abs(value - exact) * 2**53 <= exact
    assert double(raw.hex())[0] == (-1) ** negative * np.ldexp(float(fraction), 4 * (exponent - 64) - 56)


def transport(path, frame, version=5, **more):
    pyreadstat.write_xport(frame, str(path), table_name="AE", file_format_version=version, **more)
    return path


@pytest.mark.rule("READ-07")
@pytest.mark.parametrize("version", [5, 8])
@pytest.mark.parametrize("size", [1, 7, 8, 79, 80, 81, 200])
def test_texts_of_any_width(tmp_path, version, size):
    frame = pd.DataFrame({"A": ["x" * size, "", "y"], "N": [1.0, 2.0, 3.0], "B": ["中", "é" * 3, " lead"]})
    table = read_file(transport(tmp_path / "ae.xpt", frame, version), "AE").table
    assert table.frame["A"].tolist() == ["x" * size, None, "y"]
    assert table.frame["B"].tolist() == ["中", "ééé", " lead"]
    assert table.frame["N"].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.rule("READ-07")
@pytest.mark.parametrize(
    "name", ["A", "AETERM", "ABCDEFGH", "ABCDEFGHI", "A_NAME_OF_THIRTY_TWO_CHARACTERS_"[:32]]
)
@pytest.mark.parametrize("size", [0, 1, 40, 41, 120, 256])
def test_names_and_labels_of_version_8(tmp_path, name, size):
    frame = pd.DataFrame({name: ["x"], "LAST": [1.0]})
    path = transport(tmp_path / "ae.xpt", frame, 8, column_labels=["l" * size or None, "the last"])
    table = read_file(path, "AE").table
    assert list(table.frame.columns) == [name, "LAST"]
    assert table.labels.get(name, "") == "l" * size
    assert table.labels["LAST"] == "the last"


@pytest.mark.rule("READ-07")
@pytest.mark.parametrize(
    ("shown", "values", "texts"),
    [
        ("DATE9", [0.0, -1.0, 24169.0], ["1960-01-01", "1959-12-31", "2026-03-04"]),
        ("YYMMDD10", [22280.0], ["2020-12-31"]),
        ("E8601DA", [21974.0], ["2020-02-29"]),
        ("DATETIME20", [0.0, 86399.0], ["1960-01-01T00:00:00", "1960-01-01T23:59:59"]),
        ("E8601DT", [-1.0], ["1959-12-31T23:59:59"]),
    ],
)
def test_formats_that_show_a_date(tmp_path, shown, values, texts):
    path = transport(tmp_path / "ae.xpt", pd.DataFrame({"D": values}), variable_format={"D": shown})
    assert read_file(path, "AE").table.frame["D"].tolist() == texts


@pytest.mark.rule("READ-07")
@pytest.mark.parametrize("shown", ["BEST12", "8.2", "F8", "COMMA10"])
def test_other_formats_leave_numbers_alone(tmp_path, shown):
    path = transport(tmp_path / "ae.xpt", pd.DataFrame({"N": [24169.0]}), variable_format={"N": shown})
    assert read_file(path, "AE").table.frame["N"].tolist() == [24169.0]


def changed(path, change):
    path.write_bytes(change(path.read_bytes()))
    return path


@pytest.mark.rule("READ-07")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d[:79], "header record"),
        (lambda d: d[:240], "header record"),
        (lambda d: d[:-1], "truncated"),
        (lambda d: d[:-79], "truncated"),
        (lambda d: b"x" * 80 + d[80:], "no LIBRARY header record"),
        (lambda d: d.replace(b"OBS     HEADER", b"OBX     HEADER"), "no OBS header record"),
        (lambda d: d.replace(b"!!!!!!!0000000005", b"!!!!!!!0000000000"), "damaged"),
        (lambda d: d.replace(b"!!!!!!!0000000005", b"!!!!!!!0000000900"), "damaged"),
        (lambda d: d.replace(b"\x00\x01\x00\x00\x00\x08", b"\x00\x01\x00\x00\x00\x0d", 1), "damaged"),
        (lambda d: d.replace(b"\x00\x01\x00\x00\x00\x08", b"\x00\x01\x00\x00\x00\x00", 1), "damaged"),
    ],
)
def test_damaged_transport_files(tmp_path, change, words):
    path = tmp_path / "ae.xpt"
    write_xpt(5)(FRAME, path)
    finding = only(changed(path, change))
    assert finding.rule == "XD-FILE"
    assert str(path) in finding.message
    assert re.search(words, finding.message), finding.message


@pytest.mark.rule("READ-03")
def test_a_wrong_byte_in_a_transport_file_is_one_missing_cell(tmp_path):
    path = transport(tmp_path / "ae.xpt", pd.DataFrame({"A": ["caf#", "tea"], "B": ["x", "y"]}))
    changed(path, lambda d: d.replace(b"caf#", b"caf\xe9"))
    read = read_file(path, "AE")
    assert read.table.frame.to_numpy().tolist() == [[None, "x"], ["tea", "y"]]
    assert [(f.rule, f.variable, f.row, f.file) for f in read.findings] == [("XD-ENC", "A", 1, "ae.xpt")]
    declared = read_file(path, "AE", options=ReadOptions(encoding="cp1252"))
    assert declared.table.frame["A"].tolist() == ["café", "tea"]


@pytest.mark.rule("READ-01")
@pytest.mark.parametrize(
    ("values", "read"),
    [
        (pa.array([1, None], pa.int8()), [1.0, None]),
        (pa.array([2**53, None], pa.int64()), [2.0**53, None]),
        (pa.array([1.5, None], pa.float32()), [1.5, None]),
        (pa.array([0.1, float("nan")], pa.float64()), [0.1, None]),
        (pa.array(["x", None]), ["x", None]),
        (pa.array(["x", ""], pa.large_string()), ["x", None]),
        (pa.array([True, False]), ["Y", "N"]),
        (pa.array([20516, None], pa.int32()).cast(pa.date32()), ["2026-03-04", None]),
        (pa.array([1772619300, None], pa.int64()).cast(pa.timestamp("s")), ["2026-03-04T10:15:00", None]),
        (pa.array([1772619300], pa.int64()).cast(pa.timestamp("s", "UTC")), ["2026-03-04T10:15:00+00:00"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array([3, 4]).dictionary_encode(), [3.0, 4.0]),
        (pa.array([None, None], pa.null()), [None, None]),
        (pa.array([], pa.string()), []),
    ],
)
def test_types_of_parquet(tmp_path, values, read):
    path = tmp_path / "ae.parquet"
    pq.write_table(pa.table({"X": values}), path)
    column = read_file(path, "AE").table.frame["X"].astype(object)
    assert column.where(column.notna(), None).tolist() == read


@pytest.mark.rule("READ-06")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d[:-4], "not a Parquet file"),
        (lambda d: d[:40], "not a Parquet file"),
        (lambda d: d[: len(d) // 2] + b"PAR1", "not a Parquet file"),
        (lambda d: b"PAR1", "not a Parquet file"),
        (lambda d: d[:-8] + b"\xff\xff\xff\x7f" + d[-4:], "not a Parquet file"),
        (lambda d: d[: len(d) // 3] + b"\xff" * 30 + d[len(d) // 3 + 30 :], "not a Parquet file"),
    ],
)
def test_damaged_parquet_files(tmp_path, change, words):
    path = tmp_path / "ae.parquet"
    pq.write_table(pa.Table.from_pandas(FRAME, preserve_index=False), path)
    assert words in only(changed(path, change)).message


@pytest.mark.rule("READ-06")
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[1], [2]], "column X has type list"),
        ([{"a": 1}], "column X has type struct"),
        (pa.array([b"\x00"], pa.binary()), "column X has type binary"),
    ],
)
def test_parquet_columns_that_are_no_cells(tmp_path, values, words):
    path = tmp_path / "ae.parquet"
    pq.write_table(pa.table({"X": values}), path)
    assert words in only(path).message


def meta(**changes):
    return dataset_json(FRAME, **changes)[0]


COLUMN = {"name": "A", "dataType": "string"}


# Case, content of the file, words of the message.
JSON = {
    "empty object": ("{}", "no columns"),
    "a list": ("[]", "no columns|not a Dataset-JSON"),
    "a number": ("7", "no columns|not a Dataset-JSON"),
    "cut short": (json.dumps({**meta(), "rows": []})[:-9], "not a Dataset-JSON"),
    "only the metadata line": (json.dumps(meta()), "records says 4, the file holds 0 rows"),
    "another version": (json.dumps(meta(datasetJSONVersion="1.0.0", records=0)), "must be 1.1, found 1.0.0"),
    "version 1.10": (json.dumps(meta(datasetJSONVersion="1.10", records=0)), "must be 1.1, found 1.10"),
    "version 2": (json.dumps(meta(datasetJSONVersion="2.0", records=0)), "found 2.0"),
    "no version": (json.dumps({"columns": [COLUMN], "records": 0}), "found None"),
    "no records": (json.dumps({"datasetJSONVersion": "1.1.0", "columns": [COLUMN]}), "records says None"),
    "records as text": (json.dumps(meta(records="0")), "records says 0"),
    "columns are names": (json.dumps(meta(columns=["A"], records=0)), "a name and a dataType"),
    "column without type": (json.dumps(meta(columns=[{"name": "A"}], records=0)), "a name and a dataType"),
    "name is a number": (
        json.dumps(meta(columns=[{**COLUMN, "name": 7}], records=0)),
        "a name and a dataType",
    ),
    "a name twice": (json.dumps(meta(columns=[COLUMN] * 2, records=0)), "used twice"),
    "rows are text": (json.dumps({**meta(columns=[COLUMN], records=1), "rows": "x"}), "rows is no list"),
    "a row is text": (json.dumps({**meta(columns=[COLUMN], records=1), "rows": ["x"]}), "expected 1 values"),
    "a row too long": (json.dumps({**meta(columns=[COLUMN], records=1), "rows": [["x", "y"]]}), "expected 1"),
    "a row too short": (json.dumps({**meta(columns=[COLUMN], records=1), "rows": [[]]}), "expected 1 values"),
    "a line is no JSON": (lines_of(FRAME).decode() + "\n[1, 2", "not a Dataset-JSON"),
    "too deep": ("[" * 100_000, "not a Dataset-JSON"),
}


@pytest.mark.rule("READ-08")
@pytest.mark.parametrize("case", JSON)
@pytest.mark.parametrize("pack", [bytes, zlib.compress, gzip.compress])
def test_damaged_dataset_json(tmp_path, case, pack):
    text, words = JSON[case]
    path = tmp_path / ("ae.json" if pack is bytes else "ae.dsjc")
    path.write_bytes(pack(text.encode()))
    assert re.search(words, only(path).message)


@pytest.mark.rule("READ-08")
def test_the_row_with_the_wrong_number_of_values_is_named(tmp_path):
    path = tmp_path / "ae.ndjson"
    lines = lines_of(FRAME).split(b"\n")
    lines[3] = b'["S-3"]'
    path.write_bytes(b"\n".join(lines))
    finding = only(path)
    assert (finding.rule, finding.row) == ("XD-ROW", 3)


@pytest.mark.rule("READ-08")
@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
@pytest.mark.parametrize("left", [1, 2, 5, 9, 30, 60])
def test_a_compressed_stream_that_is_cut_names_the_byte(tmp_path, pack, left):
    data = pack(lines_of(FRAME))
    path = tmp_path / "ae.dsjc"
    path.write_bytes(data[:-left])
    message = only(path).message
    assert f"ends at byte {len(data) - left} before it is complete" in message


@pytest.mark.rule("READ-08")
@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_a_compressed_stream_with_a_wrong_sum_is_damaged(tmp_path, pack):
    data = bytearray(pack(lines_of(FRAME)))
    data[-6 if pack is gzip.compress else -2] ^= 0xFF
    path = tmp_path / "ae.dsjc"
    path.write_bytes(bytes(data))
    assert "damaged" in only(path).message


@pytest.mark.rule("READ-08")
@pytest.mark.parametrize(
    ("kind", "values", "read"),
    [
        ("string", ["x", "", None, " "], ["x", None, None, " "]),
        ("integer", [1, None, -3, 0], [1.0, None, -3.0, 0.0]),
        ("double", [0.1, 1, None, 1e300], [0.1, 1.0, None, 1e300]),
        (
            "decimal",
            ["0.10", "1", None, "12345678901234567890.1"],
            ["0.10", "1", None, "12345678901234567890.1"],
        ),
        ("boolean", [True, False, None, True], ["Y", "N", None, "Y"]),
        ("date", ["2026-03-04", "2026-03", "", None], ["2026-03-04", "2026-03", None, None]),
        ("integer", [10**400, 1, None, 2], [str(10**400), "1", None, "2"]),
        ("integer", ["7", 1, None, 2], ["7", "1", None, "2"]),
        ("integer", [True, 1, None, 2], ["Y", "1", None, "2"]),
        ("double", [[1], 1, None, 2], ["[1]", "1", None, "2"]),
        ("string", [{"a": 1}, "x", None, ""], ['{"a": 1}', "x", None, None]),
    ],
)
def test_types_of_dataset_json(tmp_path, kind, values, read):
    path = tmp_path / "ae.json"
    content = meta(columns=[{"name": "X", "dataType": kind}])
    path.write_text(json.dumps({**content, "rows": [[v] for v in values]}))
    column = read_file(path, "AE").table.frame["X"].astype(object)
    assert column.where(column.notna(), None).tolist() == read


def cell(text, kind="", style=""):
    return f'<row r="2"><c r="A2"{kind}{style}>{text}</c></row>'


@pytest.mark.rule("READ-09")
@pytest.mark.parametrize(
    ("row", "read"),
    [
        (cell("<v>1</v>"), "1"),
        (cell("<v>1.50</v>"), "1.5"),
        (cell("<v>1E9</v>"), "1000000000"),
        (cell("<v>0.30000000000000004</v>"), "0.30000000000000004"),
        (cell("<v>007</v>", ' t="str"'), "007"),
        (cell("<v>0</v>", ' t="b"'), "N"),
        (cell("<is><t> x </t></is>", ' t="inlineStr"'), " x "),
        (cell("<is><r><t>a</t></r><r><t>b</t></r></is>", ' t="inlineStr"'), "ab"),
        (cell("<v>0</v>", ' t="s"'), "first"),
        (cell("<v>2026-03-04</v>", ' t="d"'), "2026-03-04"),
    ],
)
def test_cells_of_a_workbook(tmp_path, row, read):
    path = workbook(tmp_path / "ae.xlsx", HEAD + row, strings="<si><t>first</t></si>")
    assert read_file(path, "AE").table.frame["A"].tolist() == [read]


@pytest.mark.rule("READ-09")
@pytest.mark.parametrize(
    ("row", "words"),
    [
        (cell("<v>#DIV/0!</v>", ' t="e"'), "cell A2 holds the error #DIV/0!"),
        (cell("<v>#N/A</v>", ' t="e"'), "cell A2 holds the error #N/A"),
        (cell("<f>SUM(B:B)</f>"), "cell A2 holds a formula without a stored value"),
        (cell("<v>x</v>"), "not a readable XLSX workbook"),
        (cell("<v>99</v>", ' t="s"'), "not a readable XLSX workbook"),
        (cell("<v>x</v>", ' t="s"'), "not a readable XLSX workbook"),
        (cell("<v>1</v>", style=' s="x"'), "not a readable XLSX workbook"),
        ('<row r="x"><c r="A2"><v>1</v></c></row>', "not a readable XLSX workbook"),
        ('<row r="2"><c r="A2"><v>1</v></c>', "not a readable XLSX workbook"),
    ],
)
def test_cells_that_stop_a_workbook(tmp_path, row, words):
    path = workbook(tmp_path / "ae.xlsx", HEAD + row, strings="<si><t>first</t></si>")
    assert words in only(path).message


@pytest.mark.rule("READ-09")
@pytest.mark.parametrize("left", [1, 20, 60, 200, 400])
def test_a_workbook_that_is_cut_short(tmp_path, left):
    path = tmp_path / "ae.xlsx"
    workbook(path, sheet_xml(FRAME))
    assert "not a readable XLSX workbook" in only(changed(path, lambda d: d[:-left])).message


@pytest.mark.rule("READ-09")
@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"]
)
def test_a_workbook_without_a_part(tmp_path, part):
    whole, path = workbook(tmp_path / "whole.xlsx", sheet_xml(FRAME)), tmp_path / "ae.xlsx"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name != part:
                new.writestr(name, old.read(name))
    assert "not a readable XLSX workbook" in only(path).message


@pytest.mark.rule("READ-09")
def test_hidden_things_are_read_and_listed(tmp_path):
    rows = (
        HEAD + '<row r="2"><c r="A2"><v>1</v></c></row><row r="5" hidden="true"><c r="A5"><v>2</v></c></row>'
    )
    hidden = '<cols><col min="1" max="1" hidden="1"/></cols>'
    path = workbook(tmp_path / "ae.xlsx", rows, columns=hidden, state='state="veryHidden"')
    table = read_file(path, "AE").table
    assert table.frame["A"].tolist() == ["1", "2"]
    assert table.rows.tolist() == [2, 5]
    assert table.note == "sheet AE; hidden sheets Old; hidden rows 5; hidden columns 1"
    assert read_file(path, "AE", options=ReadOptions(sheet="Old")).table.frame["A"].tolist() == ["1", "2"]


@pytest.mark.rule("READ-06")
@pytest.mark.parametrize(
    ("name", "writer", "format"),
    [
        ("ae.csv", 2, "parquet"),
        ("ae.txt", 3, "xpt"),
        ("ae.csv", 9, "xlsx"),
        ("ae.parquet", 3, "xpt"),
        ("AE.CSV", 0, "csv"),
        ("ae.Json", 5, "datasetjson"),
    ],
)
def test_the_bytes_tell_the_format_before_the_name(tmp_path, name, writer, format):
    path = tmp_path / name
    FORMATS[writer][1](FRAME, path)
    read = read_file(path, "AE")
    assert (read.format, len(read.table.frame)) == (format, 4)


@pytest.mark.rule("READ-06")
@pytest.mark.parametrize("place", range(len(FORMATS)))
def test_no_damage_is_an_exception(tmp_path, place):
    extension, write = FORMATS[place]
    path = tmp_path / f"ae.{extension}"
    write(FRAME, path)
    whole = path.read_bytes()
    rng = random.Random(place)
    for _ in range(60):
        data = bytearray(whole)
        at = rng.randrange(len(data))
        match rng.randrange(3):
            case 0:
                del data[at:]
            case 1:
                data[at] = rng.randrange(256)
            case _:
                del data[at : at + rng.randrange(1, 40)]
        path.write_bytes(bytes(data))
        read = read_file(path, "AE")
        assert (read.table is None) <= any(f.severity == "stop" and f.message for f in read.findings)
