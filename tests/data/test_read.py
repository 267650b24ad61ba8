"""Readers: the conformance suite over every format, and what bad files get."""

from __future__ import annotations

import gzip
import io
import json
import re
import struct
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

from interim.data.read import EXTENSIONS, READERS, ReadOptions, read_file, sas
from interim.data.read.sas import plain_table
from interim.data.read.text import read_text
from interim.data.read.xport import ibm_floats
from interim.data.typed import type_domain
from interim.example import make_study

FRAME = pd.DataFrame(
    {
        "USUBJID": ["S-1", "S-2", "S-3", "S-4"],
        "AETERM": ["Fever, chills", None, "Übelkeit", 'said "no"'],
        "AESEQ": [1.0, 2.0, np.nan, 4.0],
        "AEDOSE": [0.1, -1e-30, 1.0 / 3.0, 7.2e15],
        "AESTDTC": ["2026-03-04T10:15", "2026-03", "2026", None],
    }
)
LABELS = {"USUBJID": "Unique Subject Identifier", "AESEQ": "Sequence Number"}


def csv_bytes(frame, delimiter=","):
    return frame.to_csv(index=False, sep=delimiter).encode("utf-8")


def write_csv(frame, path):
    path.write_bytes(csv_bytes(frame))


def write_tsv(frame, path):
    path.write_bytes(csv_bytes(frame, "\t"))


def write_parquet(frame, path):
    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [f.with_metadata({"label": LABELS.get(f.name, f.name)}) for f in table.schema]
    pq.write_table(table.cast(pa.schema(fields)), path)


def write_xpt(version):
    def write(frame, path):
        filled = frame.fillna({c: "" for c in frame.columns if frame[c].dtype == object})
        labels = [LABELS.get(c, c) for c in frame.columns]
        pyreadstat.write_xport(
            filled, str(path), column_labels=labels, table_name="AE", file_format_version=version
        )

    return write


def dataset_json(frame, **changes):
    columns = [
        {
            "itemOID": c,
            "name": c,
            "label": LABELS.get(c, c),
            "dataType": "string" if frame[c].dtype == object else "double",
        }
        for c in frame.columns
    ]
    plain = frame.astype(object).where(frame.notna(), None)
    meta = {"datasetJSONVersion": "1.1.0", "records": len(frame), "name": "AE", "columns": columns, **changes}
    return meta, plain.to_numpy().tolist()


def lines_of(frame, **changes):
    meta, rows = dataset_json(frame, **changes)
    return "\n".join(map(json.dumps, [meta, *rows])).encode()


def write_json(frame, path):
    meta, rows = dataset_json(frame)
    path.write_text(json.dumps({**meta, "rows": rows}))


def write_ndjson(frame, path):
    path.write_bytes(lines_of(frame))


def write_zlib(frame, path):
    path.write_bytes(zlib.compress(lines_of(frame)))


def write_gzip(frame, path):
    path.write_bytes(gzip.compress(lines_of(frame), mtime=0))


def sheet_xml(frame):
    def cell(value, column, row):
        where = f"{chr(65 + column)}{row}"
        if value is None or value != value:
            return ""
        if isinstance(value, float):
            return f'<c r="{where}"><v>{value!r}</v></c>'
        text = str(value).replace("&", "&amp;").replace("<", "&lt;")
        return f'<c r="{where}" t="inlineStr"><is><t>{text}</t></is></c>'

    table = [list(frame.columns), *frame.astype(object).to_numpy().tolist()]
    return "".join(
        f'<row r="{i}">{"".join(cell(v, j, i) for j, v in enumerate(row))}</row>'
        for i, row in enumerate(table, 1)
    )


def workbook(path, rows, *, book="", columns="", merged="", styles="", strings="", state=""):
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{rel}">{book}<sheets><sheet name="AE" r:id="r1"/>'
            f'<sheet name="Old" r:id="r1" {state}/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f"<worksheet {main}>{columns}<sheetData>{rows}</sheetData>{merged}</worksheet>",
        )
        if styles:
            archive.writestr("xl/styles.xml", f"<styleSheet {main}>{styles}</styleSheet>")
        if strings:
            archive.writestr("xl/sharedStrings.xml", f"<sst {main}>{strings}</sst>")
    return path


def write_xlsx(frame, path):
    workbook(path, sheet_xml(frame))


FORMATS = [
    ("csv", write_csv),
    ("tsv", write_tsv),
    ("parquet", write_parquet),
    ("xpt", write_xpt(5)),
    ("xpt", write_xpt(8)),
    ("json", write_json),
    ("ndjson", write_ndjson),
    ("dsjc", write_zlib),
    ("dsjc", write_gzip),
    ("xlsx", write_xlsx),
]


def numbers(frame):
    """Give text columns that hold numbers the type that the specification would give them."""
    return frame.assign(
        **{c: pd.to_numeric(frame[c]).astype(float) for c in ("AESEQ", "AEDOSE") if c in frame}
    )


@pytest.mark.rule(
    "READ-01", source="files written with pyreadstat, pyarrow and the json, zlib and gzip modules"
)
@pytest.mark.parametrize(("extension", "write"), FORMATS)
def test_every_format_gives_the_same_frame(tmp_path, extension, write):
    path = tmp_path / f"ae.{extension}"
    write(FRAME, path)
    read = read_file(path, "AE")
    assert read.findings == ()
    pd.testing.assert_frame_equal(numbers(read.table.frame), FRAME, rtol=1e-12)
    first = 2 if extension in ("csv", "tsv", "xlsx") else 1
    assert read.table.rows.tolist() == list(range(first, first + 4))
    assert len(read.sha256) == 64
    if read.format not in ("csv", "xlsx"):
        assert read.table.labels["AESEQ"] == "Sequence Number"


@pytest.mark.rule("READ-01")
@pytest.mark.parametrize(("extension", "write"), FORMATS)
def test_zero_rows_are_legal(tmp_path, extension, write):
    path = tmp_path / f"ae.{extension}"
    write(FRAME.iloc[:0], path)
    read = read_file(path, "AE")
    assert read.findings == ()
    assert read.table.frame.shape == (0, 5)


def test_registry_is_complete():
    assert {*EXTENSIONS.values(), "redcap"} == set(
        READERS
    )  # a REDCap export is declared: it looks like any CSV


@pytest.mark.rule("READ-02")
@pytest.mark.parametrize(
    ("data", "options", "note", "first"),
    [
        (b"A,B\n1,2\n", {}, "comma, utf-8", "1"),
        (b"A;B;C\n1,5;2;3\n", {}, "semicolon, utf-8", "1,5"),
        (b"A\tB\r\n1\t2\r\n", {}, "tab, utf-8", "1"),
        (b"A\n7\n", {}, "comma, utf-8", "7"),
        ("\ufeffA,B\n\u4e2d,2\n".encode(), {}, "comma, utf-8 with byte order mark", "中"),
        ("A,B\n\u4e2d,2\n".encode("gb18030"), {"encoding": "gb18030"}, "comma, gb18030", "中"),
        ("A,B\n\u4e2d,2\n".encode("utf-16"), {"encoding": "utf-16"}, "comma, utf-16", "中"),
        (b"A;B,C\n1;2,3\n", {"delimiter": ";"}, "semicolon, utf-8", "1"),
    ],
)
def test_separator_and_encoding_are_stated(data, options, note, first):
    table = read_text(io.BytesIO(data), ReadOptions(**options))
    assert table.note == note
    assert table.frame["A"].tolist() == [first]


@pytest.mark.rule("READ-03")
def test_undecodable_byte_names_file_variable_row_byte(tmp_path):
    path = tmp_path / "ts.csv"
    path.write_bytes(b"TSSEQ,TSVAL\n1,fine\n2,the site\x92s own\n")
    read = read_file(path, "TS")
    assert read.table.frame["TSVAL"].tolist() == ["fine", None]
    (finding,) = read.findings
    assert (finding.rule, finding.severity, finding.file) == ("XD-ENC", "stop", "ts.csv")
    assert (finding.variable, finding.row) == ("TSVAL", 3)
    assert "0x92" in finding.message
    assert finding.value == "the site<0x92>s own"
    assert "'the site<0x92>s own'" in str(finding)
    declared = read_file(path, "TS", options=ReadOptions(encoding="cp1252"))
    assert declared.findings == ()
    assert declared.table.frame["TSVAL"].iloc[1] == "the site’s own"


@pytest.mark.rule("READ-04")
@pytest.mark.parametrize(
    ("data", "rule", "rows", "words"),
    [
        (b"", "XD-FILE", [None], "no header"),
        (b"\n\n", "XD-FILE", [None], "no header"),
        (b"A,A\n1,2\n", "XD-FILE", [None], "'A'"),
        (b"A,\n1,2\n", "XD-FILE", [None], "empty name"),
        (b"A,B\n1,2,3\n1,2\n1\n", "XD-ROW", [2, 4], "expected 2 values"),
        (b'A,B\n1,"open\n', "XD-FILE", [2], "not a delimited"),
        (b"\xff\xfeA\x00", "XD-FILE", [None], "utf-16"),
    ],
)
def test_broken_text_files(tmp_path, data, rule, rows, words):
    path = tmp_path / "ae.csv"
    path.write_bytes(data)
    read = read_file(path, "AE")
    assert read.table is None
    assert [f.rule for f in read.findings] == [rule] * len(rows)
    assert [f.row for f in read.findings] == rows
    assert all(f.severity == "stop" and f.file == "ae.csv" for f in read.findings)
    assert words in read.findings[0].message


def test_unknown_encoding_is_a_finding(tmp_path):
    path = tmp_path / "ae.csv"
    path.write_bytes(b"A\n1\n")
    read = read_file(path, "AE", options=ReadOptions(encoding="klingon"))
    assert "klingon" in read.findings[0].message


@pytest.mark.rule("READ-05")
def test_line_numbers_after_line_breaks_and_blank_lines():
    table = read_text(io.BytesIO(b'A,B\n1,"two\nlines"\n\n2,x\n3,y'), ReadOptions())
    assert table.rows.tolist() == [2, 5, 6]
    assert table.frame["B"].tolist() == ["two\nlines", "x", "y"]


@pytest.mark.rule("READ-05")
@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=6),
            min_size=3,
            max_size=3,
        ),
        max_size=8,
    )
)
def test_any_text_survives_writing_and_reading(rows):
    frame = pd.DataFrame(rows, columns=["A", "B", "C"], dtype=object)
    table = read_text(io.BytesIO(frame.to_csv(index=False, lineterminator="\n").encode()), ReadOptions())
    assert table.frame.fillna("").to_numpy().tolist() == rows
    assert table.findings == ()


@pytest.mark.rule("READ-06")
@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("ae.parquet", b"PAR1 but not really", "not a Parquet"),
        ("ae.xpt", b"STUDYID,USUBJID\n", "LIBRARY"),
        ("ae.json", b"{}", "no columns"),
        ("ae.json", b"", "empty"),
        ("ae.sas7bdat", b"nothing", "SAS7BDAT"),
        ("ae.xlsx", b"PK\x03\x04", "not a readable XLSX"),
        ("ae.docx", b"word", "unknown format"),
    ],
)
def test_unreadable_files_name_path_and_reason(tmp_path, name, data, words):
    path = tmp_path / name
    path.write_bytes(data)
    read = read_file(path, "AE")
    (finding,) = read.findings
    assert (finding.rule, finding.severity) == ("XD-FILE", "stop")
    assert str(path) in finding.message
    assert words in finding.message


@pytest.mark.rule("READ-06")
def test_absent_file(tmp_path):
    read = read_file(tmp_path / "ae.csv", "AE")
    assert read.table is None
    assert read.sha256 == ""
    assert "No such file" in read.findings[0].message


def test_parquet_types(tmp_path):
    path = tmp_path / "ae.parquet"
    table = pa.table(
        {
            "D": pa.array([None, 20000], pa.int32()).cast(pa.date32()),
            "B": pa.array([True, None]),
            "I": pa.array([1, None], pa.int64()),
            "C": pa.array(["x", ""]).dictionary_encode(),
        }
    )
    pq.write_table(table, path)
    frame = read_file(path, "AE").table.frame
    assert frame["D"].tolist() == [None, "2024-10-04"]
    assert frame["B"].tolist() == ["Y", None]
    assert frame["I"].iloc[0] == 1
    assert np.isnan(frame["I"].iloc[1])
    assert frame["C"].tolist() == ["x", None]
    pq.write_table(pa.table({"L": [[1], [2]]}), path)
    assert "has type" in read_file(path, "AE").findings[0].message


@pytest.mark.rule("READ-07", source="IBM System/360 hexadecimal floating point, worked by hand")
@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("4110000000000000", 1.0),
        ("C276A00000000000", -118.625),
        ("4019999999999999", 0.09999999999999999),
        ("401999999999999A", 0.1),
        ("0000000000000000", 0.0),
        ("41100000", 1.0),
        ("7FFFFFFFFFFFFFFF", 7.237005577332262e75),
    ],
)
def test_ibm_floats(raw, value):
    cells = np.frombuffer(bytes.fromhex(raw), dtype=np.uint8).reshape(1, -1)
    assert ibm_floats(cells)[0].tolist() == [value]


def ibm(value):
    """Convert a double to IBM format by arithmetic on integers."""
    if value == 0:
        return bytes(8)
    mantissa, exponent = np.frexp(abs(value))
    fraction, exponent = int(mantissa * 2**53) << 3, int(exponent)
    while exponent % 4:
        exponent += 1
        fraction >>= 1
    return struct.pack(">Q", (value < 0) << 63 | (exponent // 4 + 64) << 56 | fraction)


@pytest.mark.rule("READ-07")
@settings(max_examples=50, deadline=None)
@given(st.floats(1e-70, 1e70) | st.floats(-1e70, -1e-70) | st.integers(-(2**50), 2**50).map(float))
def test_ibm_round_trip_is_exact_to_the_last_bits(value):
    cells = np.frombuffer(ibm(value), dtype=np.uint8).reshape(1, 8)
    assert ibm_floats(cells)[0][0] == pytest.approx(value, rel=2**-52)


@pytest.mark.rule("READ-07")
def test_special_missing_values_keep_their_code(tmp_path):
    path = tmp_path / "ae.xpt"
    write_xpt(5)(pd.DataFrame({"USUBJID": ["S-1", "S-2", "S-3"], "AESEQ": [1.0, 2.0, np.nan]}), path)
    data = bytearray(path.read_bytes())
    place = data.rindex(bytes.fromhex("4120000000000000"))
    data[place : place + 8] = b"B" + bytes(7)
    path.write_bytes(bytes(data))
    table = read_file(path, "AE").table
    assert np.isnan(table.frame["AESEQ"].iloc[1:]).all()
    assert table.reasons == ((1, "AESEQ", ".B"),)


@pytest.mark.rule("READ-07")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d[:-80], "truncated|complete"),
        (lambda d: d[:-7], "truncated"),
        (lambda d: d[:400], "header record"),
        (lambda d: d + d[240:], "more than one dataset"),
        (
            lambda d: d.replace(
                b"NAMESTR HEADER RECORD!!!!!!!0000000005", b"NAMESTR HEADER RECORD!!!!!!!00000000x5"
            ),
            "instead of a number",
        ),
        (lambda d: d.replace(b"00000140  ", b"00000150  "), "damaged"),
        (lambda d: d.replace(b"AESTDTC ", b"AETERM  ", 1), "used twice"),
    ],
)
def test_broken_transport_files(tmp_path, change, words):
    path = tmp_path / "ae.xpt"
    write_xpt(5)(pd.concat([FRAME] * 20, ignore_index=True), path)
    path.write_bytes(change(path.read_bytes()))
    (finding,) = read_file(path, "AE").findings
    assert finding.rule == "XD-FILE"
    assert re.search(words, finding.message)


@pytest.mark.rule("READ-07")
def test_long_names_and_labels_of_version_8(tmp_path):
    path = tmp_path / "ae.xpt"
    frame = pd.DataFrame({"A_VERY_LONG_VARIABLE_NAME": ["x" * 250, "y"], "AESEQ": [1.0, 2.0]})
    label = "a label of more than forty characters, kept whole"
    pyreadstat.write_xport(
        frame, str(path), column_labels=[label, "short"], table_name="AE", file_format_version=8
    )
    table = read_file(path, "AE").table
    pd.testing.assert_frame_equal(table.frame, frame)
    assert table.labels["A_VERY_LONG_VARIABLE_NAME"] == label
    assert table.note == "version 8, utf-8"


@pytest.mark.rule("READ-07")
def test_version_8_states_the_number_of_records(tmp_path):
    path = tmp_path / "ae.xpt"
    write_xpt(8)(pd.DataFrame({"A": ["x", "y", " "]}), path)
    assert read_file(path, "AE").table.frame["A"].tolist() == ["x", "y", None]
    path.write_bytes(path.read_bytes().replace(b"              3 ", b"            300 "))
    assert "states 300 records" in read_file(path, "AE").findings[0].message


@pytest.mark.rule("READ-07")
def test_numbers_shown_as_dates_become_text(tmp_path):
    path = tmp_path / "ae.xpt"
    frame = pd.DataFrame({"D": [0.0, np.nan, 24169.0], "T": [0.0, 1.0, 90061.0]})
    pyreadstat.write_xport(
        frame, str(path), table_name="AE", variable_format={"D": "DATE9", "T": "DATETIME20"}
    )
    table = read_file(path, "AE").table
    assert table.frame["D"].tolist() == ["1960-01-01", None, "2026-03-04"]
    assert table.frame["T"].tolist() == ["1960-01-01T00:00:00", "1960-01-01T00:00:01", "1960-01-02T01:01:01"]


@pytest.mark.rule("READ-07")
@pytest.mark.parametrize("rows", [1, 2, 3, 9, 10])
def test_short_records_lose_only_the_padding(tmp_path, rows):
    path = tmp_path / "ae.xpt"
    frame = pd.DataFrame({"A": ["x"] * rows, "N": np.arange(rows, dtype=float)})
    write_xpt(5)(frame, path)
    pd.testing.assert_frame_equal(read_file(path, "AE").table.frame, frame)


@pytest.mark.rule("READ-08")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lines_of(FRAME, datasetJSONVersion="1.0.0"), "must be 1.1, found 1.0.0"),
        (lines_of(FRAME, records=5), "records says 5, the file holds 4"),
        (lines_of(FRAME).replace(b'"S-1", ', b""), "expected 5 values"),
        (lines_of(FRAME, columns=[{"name": "A"}] * 5), "dataType"),
        (lines_of(FRAME, columns=[{"name": "A", "dataType": "string"}] * 5), "used twice"),
        (zlib.compress(lines_of(FRAME))[:-8], "ends at byte"),
        (gzip.compress(lines_of(FRAME), mtime=0)[:20] + b"xxxxxxxxxx", "damaged|ends at byte"),
        (b"[1, 2]", "no columns|not a Dataset-JSON"),
        (b"\xff\xfe", "not a Dataset-JSON"),
    ],
)
def test_broken_dataset_json(tmp_path, data, words):
    path = tmp_path / "ae.dsjc"
    path.write_bytes(data)
    (finding,) = read_file(path, "AE").findings
    assert finding.severity == "stop"
    assert re.search(words, finding.message), finding.message


@pytest.mark.rule("READ-08")
def test_dataset_json_keeps_decimals_and_lists_unknown_attributes(tmp_path):
    path = tmp_path / "ae.json"
    columns = [
        {"name": "D", "dataType": "decimal"},
        {"name": "B", "dataType": "boolean"},
        {"name": "I", "dataType": "integer"},
    ]
    meta = {"datasetJSONVersion": "1.1", "records": 2, "columns": columns, "shoeSize": 43}
    path.write_text(json.dumps({**meta, "rows": [["0.10", True, 1], ["", False, None]]}))
    table = read_file(path, "AE").table
    assert table.frame["D"].tolist() == ["0.10", None]
    assert table.frame["B"].tolist() == ["Y", "N"]
    assert table.frame["I"].iloc[0] == 1.0
    assert "shoeSize" in table.note


STYLES = (
    '<numFmts><numFmt numFmtId="170" formatCode="yyyy\\-mm"/><numFmt numFmtId="171" formatCode="0.00&quot;d&quot;"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="170"/><xf numFmtId="171"/><xf numFmtId="20"/></cellXfs>'
)
DATES = (
    '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    '<row r="3" hidden="1"><c r="A3" s="1"><v>46085</v></c></row><row r="4"><c r="A4" s="2"><v>46085.427083333336</v></c></row>'
    '<row r="5"><c r="A5" s="3"><v>46085</v></c></row><row r="6"><c r="A6" s="4"><v>46085</v></c></row>'
    '<row r="7"><c r="A7" s="5"><v>0.25</v></c></row><row r="8"><c r="A8" t="b"><v>1</v></c></row><row r="9"><c r="A9" t="str"><v>x</v></c></row>'
)
STRINGS = "<si><r><t>A</t></r><r><t>DT</t></r></si>"


@pytest.mark.rule(
    "READ-09", source="serial 46085 is 2026-03-04 (days since 1899-12-30), checked with datetime"
)
def test_workbook_dates_have_the_precision_of_their_format(tmp_path):
    path = workbook(
        tmp_path / "ae.xlsx",
        DATES,
        styles=STYLES,
        strings=STRINGS,
        columns='<cols><col min="2" hidden="1"/></cols>',
        state='state="hidden"',
    )
    table = read_file(path, "AE").table
    assert table.frame["ADT"].tolist() == [
        "2026-03-04",
        "2026-03-04T10:15",
        "2026-03",
        "46085",
        "06:00",
        "Y",
        "x",
    ]
    assert table.rows.tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert table.note == "sheet AE; hidden sheets Old; hidden rows 3; hidden columns 2"
    old = workbook(
        tmp_path / "old.xlsx", DATES, styles=STYLES, strings=STRINGS, book='<workbookPr date1904="1"/>'
    )
    assert read_file(old, "AE").table.frame["ADT"].iloc[0] == "2030-03-05"


HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>A</t></is></c></row>'


@pytest.mark.rule("READ-09")
@pytest.mark.parametrize(
    ("rows", "merged", "sheet", "words"),
    [
        (HEAD + '<row r="2"><c r="A2" t="e"><v>#REF!</v></c></row>', "", None, "A2 holds the error #REF!"),
        (HEAD + '<row r="2"><c r="A2"><f>1+1</f></c></row>', "", None, "formula without a stored value"),
        (HEAD, '<mergeCells><mergeCell ref="A2:A3"/></mergeCells>', None, "merged cells A2:A3"),
        (HEAD + '<row r="2"><c r="B2"><v>1</v></c></row>', "", None, "name of its own"),
        ("", "", None, "no header row"),
        (HEAD, "", "AB", "no sheet 'AB'; the workbook has AE, Old"),
    ],
)
def test_broken_workbooks(tmp_path, rows, merged, sheet, words):
    path = workbook(tmp_path / "ae.xlsx", rows, merged=merged)
    (finding,) = read_file(path, "AE", options=ReadOptions(sheet=sheet)).findings
    assert words in finding.message


def test_formula_with_stored_value_is_read(tmp_path):
    rows = HEAD + '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c></row>'
    assert read_file(workbook(tmp_path / "ae.xlsx", rows), "AE").table.frame["A"].tolist() == ["2"]


def test_sas_frames_become_plain(tmp_path, monkeypatch):
    frame = pd.DataFrame({"D": [pd.Timestamp("2026-03-04T10:00"), pd.NaT], "N": [1, 2], "T": ["x", ""]})
    table = plain_table(frame, {"N": "Number", "T": None}, "note")
    assert table.frame["D"].tolist() == ["2026-03-04T10:00:00", None]
    assert table.frame["N"].dtype == float
    assert table.frame["T"].tolist() == ["x", None]
    assert table.labels == {"N": "Number"}

    class Meta:
        column_names_to_labels = {"N": "Number"}
        file_encoding = "UTF-8"

    def in_part(path, *, encoding, row_offset, row_limit):
        return frame.iloc[row_offset : row_offset + row_limit], Meta

    monkeypatch.setattr(pyreadstat, "read_sas7bdat", in_part)
    path = tmp_path / "ae.sas7bdat"
    path.write_bytes(b"any")
    read = read_file(path, "AE")
    assert (read.format, read.table.note) == ("sas7bdat", "encoding UTF-8")
    monkeypatch.setattr(sas, "_CHUNK", 1)  # three reads: one row each, then none
    again = read_file(path, "AE").table
    assert again.frame.equals(read.table.frame)
    assert again.rows.tolist() == [1, 2]


@pytest.mark.rule(
    "READ-12", source="SAS7BDAT has no free writer: a file of the external data where there is one"
)
def test_a_sas7bdat_file_that_sas_wrote(external):
    files = sorted(external.rglob("*.sas7bdat"))
    if not files:
        pytest.skip("SAS7BDAT has no free writer, and the external data hold no licensed file")
    for file in files:
        read = read_file(file, "AE")
        assert read.findings == ()
        assert (read.format, len(read.table.rows)) == ("sas7bdat", len(read.table.frame))


@pytest.mark.rule("READ-10", source="CDISC DataExchange-DatasetJson example files")
@pytest.mark.parametrize(
    ("name", "shape"), [("dm", (18, 26)), ("suppdm", (3, 10)), ("ts", (51, 11)), ("adsl", (254, 49))]
)
def test_public_dataset_json_and_transport_files_are_equal(external, name, shape):
    folder = external / "cdisc-pilot" / "dataset_json"
    frames = {
        e: read_file(folder / f"{name}.{e}", name.upper()).table.frame
        for e in ("json", "ndjson", "dsjc", "xpt")
    }
    assert {frame.shape for frame in frames.values()} == {shape}
    for other in ("ndjson", "dsjc"):
        pd.testing.assert_frame_equal(frames["json"], frames[other])
    pd.testing.assert_frame_equal(frames["json"].rename(columns=str.upper), frames["xpt"], rtol=1e-12)


@pytest.mark.rule("READ-10", source="pharmaversesdtm, commit 530a5ea")
def test_public_transport_and_parquet_twins_are_equal(external):
    folder = external / "cdisc-pilot"
    twins = sorted((folder / "sdtm_xpt").glob("*.xpt"))
    assert len(twins) == 11
    for path in twins:
        options = ReadOptions(encoding="cp1252" if path.stem == "ts" else None)
        xpt = read_file(path, "AE", options=options)
        parquet = read_file(folder / "sdtm_parquet" / f"{path.stem}.parquet", "AE")
        assert xpt.findings == ()
        pd.testing.assert_frame_equal(xpt.table.frame, parquet.table.frame, rtol=1e-12, check_dtype=False)
        assert xpt.table.labels == parquet.table.labels


@pytest.mark.rule("READ-03", source="pharmaversesdtm, ts.xpt")
def test_public_file_with_a_wrong_byte(external):
    read = read_file(external / "cdisc-pilot" / "sdtm_xpt" / "ts.xpt", "TS")
    assert {(f.rule, f.severity, f.variable) for f in read.findings} == {("XD-ENC", "stop", "TSVAL")}
    assert all("0x92" in f.message and f.row is not None for f in read.findings)


@pytest.fixture(scope="module")
def example():
    frames = make_study()
    return {name: frames[name].reset_index(drop=True) for name in ("DM", "AE", "EX", "TR", "SUPPAE", "MI")}


@pytest.mark.rule("READ-01")
@pytest.mark.parametrize(("extension", "write"), FORMATS)
def test_the_example_study_survives_every_format(tmp_path, example, extension, write):
    for name, made in example.items():
        path = tmp_path / f"{name.lower()}.{extension}"
        plain = type_domain(name, made.astype(object).where(made.notna(), None)).frame
        write(plain, path)
        read = read_file(path, name)
        assert read.findings == (), name
        again = type_domain(name, read.table.frame)
        assert again.findings == ()
        assert again.ledger == ()
        pd.testing.assert_frame_equal(again.frame, plain, rtol=1e-12)
