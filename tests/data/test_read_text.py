"""Text files: what people and programs really write, and what each form gets."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.data.read import ReadOptions, read_file
from interim.data.read.text import read_text
from interim.data.typed import type_domain


def read(data, **options):
    return read_text(io.BytesIO(data if isinstance(data, bytes) else data.encode()), ReadOptions(**options))


def cells(data, **options):
    frame = read(data, **options).frame
    return [list(frame.columns), *frame.to_numpy().tolist()]


# Case, bytes of the file, header and records (None is missing).
FORMS = {
    "plain": (b"A,B\n1,2\n", [["A", "B"], ["1", "2"]]),
    "no end of line at the end": (b"A,B\n1,2", [["A", "B"], ["1", "2"]]),
    "windows line ends": (b"A,B\r\n1,2\r\n3,4\r\n", [["A", "B"], ["1", "2"], ["3", "4"]]),
    "old macintosh line ends": (b"A,B\r1,2\r3,4\r", [["A", "B"], ["1", "2"], ["3", "4"]]),
    "mixed line ends": (b"A,B\r\n1,2\n3,4\r5,6", [["A", "B"], ["1", "2"], ["3", "4"], ["5", "6"]]),
    "byte order mark": (b"\xef\xbb\xbfA,B\n1,2\n", [["A", "B"], ["1", "2"]]),
    "mark and quoted header": (b'\xef\xbb\xbf"A","B"\n1,2\n', [["A", "B"], ["1", "2"]]),
    "quoted separator": (b'A,B\n"1,5",2\n', [["A", "B"], ["1,5", "2"]]),
    "quoted quote": (b'A,B\n"say ""no""",2\n', [["A", "B"], ['say "no"', "2"]]),
    "quoted line break": (b'A,B\n"one\ntwo",2\n', [["A", "B"], ["one\ntwo", "2"]]),
    "quoted windows line break": (b'A,B\r\n"one\r\ntwo",2\r\n', [["A", "B"], ["one\ntwo", "2"]]),
    "empty and quoted empty": (b'A,B,C\n,"",x\n', [["A", "B", "C"], [None, None, "x"]]),
    "blanks are kept": (b"A,B\n 1, \n", [["A", "B"], [" 1", " "]]),
    "blank lines between": (b"A,B\n\n1,2\n\n\n3,4\n", [["A", "B"], ["1", "2"], ["3", "4"]]),
    "blank lines before the header": (b"\n\nA,B\n1,2\n", [["A", "B"], ["1", "2"]]),
    "words for missing stay": (b"A,B\nNA,NaN\nnull,None\n", [["A", "B"], ["NA", "NaN"], ["null", "None"]]),
    "leading zeros stay": (b"A,B\n007,1.50\n", [["A", "B"], ["007", "1.50"]]),
    "true and false stay": (b"A,B\nTRUE,false\n", [["A", "B"], ["TRUE", "false"]]),
    "excel date number stays": (b"A,B\n46085,1\n", [["A", "B"], ["46085", "1"]]),
    "long number stays": (b"A\n12345678901234567890\n", [["A"], ["12345678901234567890"]]),
    "exponent stays": (b"A\n1E9\n", [["A"], ["1E9"]]),
    "semicolon and decimal comma": (b"A;B\n1,5;2\n", [["A", "B"], ["1,5", "2"]]),
    "tab": (b"A\tB\n1,5\t2\n", [["A", "B"], ["1,5", "2"]]),
    "one column": (b"A\n1\n\n2\n", [["A"], ["1"], ["2"]]),
    "header only": (b"A,B\n", [["A", "B"]]),
    "header only, no end": (b"A,B", [["A", "B"]]),
    "vertical tab is no line end": (b"A,B\n1\x0b,2\n", [["A", "B"], ["1\x0b", "2"]]),
    "line separator is no line end": ("A,B\n1\u2028,2\n".encode(), [["A", "B"], ["1\u2028", "2"]]),
    "no-break space stays": ("A,B\n1\u00a0,2\n".encode(), [["A", "B"], ["1\u00a0", "2"]]),
    "chinese": ("A,B\n发热，寒战,2\n".encode(), [["A", "B"], ["发热，寒战", "2"]]),
    "header in another case": (b"a,A\n1,2\n", [["a", "A"], ["1", "2"]]),
}


@pytest.mark.rule("READ-02")
@pytest.mark.parametrize("case", FORMS)
def test_forms_of_a_text_file(case):
    data, expected = FORMS[case]
    assert cells(data) == expected


# Case, bytes, line that is named (None: the whole file), words of the message.
BROKEN = {
    "nothing": (b"", None, "no header line"),
    "only a byte order mark": (b"\xef\xbb\xbf", None, "no header line"),
    "only blank lines": (b"\r\n\r\n", None, "no header line"),
    "header of blanks": (b"  , \n1,2\n", None, "no header line"),
    "header of commas": (b",,\n1,2,3\n", None, "no header line"),
    "a name is missing": (b"A,,C\n1,2,3\n", None, "an empty name"),
    "separator at the end of the header": (b"A,B,\n1,2,\n", None, "an empty name"),
    "a name twice": (b"A,B,A\n1,2,3\n", None, "['A']"),
    "two names twice": (b"B,A,A,B\n1,2,3,4\n", None, "['A', 'B']"),
    "one value more": (b"A,B\n1,2\n1,2,3\n", 3, "expected 2 values as in the header, found 3"),
    "one value less": (b"A,B,C\n1,2,3\n1,2\n", 3, "expected 3 values as in the header, found 2"),
    "separator at the end of a row": (b"A,B\n1,2,\n", 2, "found 3"),
    "another separator in one row": (b"A,B\n1;2\n", 2, "found 1"),
    "unquoted separator in a text": (b"A,B\nfever, chills,2\n", 2, "found 3"),
    "open quotation mark": (b'A,B\n1,"x\n2,y\n', 2, "not a delimited text file"),
    "text after a quotation mark": (b'A,B\n1,"x"y\n', 2, "not a delimited text file"),
    "nul byte": (b"A,B\n1,2\n3,\x004\n", 3, "NUL byte"),
    "utf-16 without a mark": ("A,B\n1,2\n".encode("utf-16-le"), 1, "NUL byte"),
    "utf-16 with a mark": ("A,B\n1,2\n".encode("utf-16"), None, "declare encoding = 'utf-16'"),
}


@pytest.mark.rule("READ-04")
@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_name_the_line_and_the_reason(tmp_path, case):
    data, line, words = BROKEN[case]
    path = tmp_path / "ae.csv"
    path.write_bytes(data)
    found = read_file(path, "AE")
    assert found.table is None
    (finding,) = found.findings
    assert (finding.severity, finding.domain, finding.file, finding.row) == ("stop", "AE", "ae.csv", line)
    assert words in finding.message
    assert "ae.csv" in str(finding)


@pytest.mark.rule("READ-04")
def test_every_ragged_row_is_listed_also_far_down(tmp_path):
    lines = ["A,B", *["1,2"] * 30_000]
    for line in (7, 20_005, 30_001):
        lines[line - 1] = "1,2,3"
    path = tmp_path / "lb.csv"
    path.write_text("\n".join(lines))
    found = read_file(path, "LB").findings
    assert [(f.rule, f.row) for f in found] == [("XD-ROW", 7), ("XD-ROW", 20_005), ("XD-ROW", 30_001)]
    assert len({f.id for f in found}) == 3


@pytest.mark.rule("READ-02")
@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Übelkeit"),
        ("UTF-8", "Übelkeit"),
        ("utf8", "Übelkeit"),
        ("utf-8-sig", "Übelkeit"),
        ("cp1252", "the site’s own"),
        ("latin-1", "Übelkeit"),
        ("gb18030", "发热"),
        ("gbk", "发热"),
        ("big5", "發燒"),
        ("shift_jis", "発熱"),
        ("utf-16", "发热"),
        ("utf-16-le", "发热"),
        ("utf-32", "发热"),
    ],
)
def test_a_declared_encoding_counts(encoding, text):
    table = read(f"A,B\n{text},2\n".encode(encoding), encoding=encoding)
    assert list(table.frame.columns) == ["A", "B"]
    assert table.frame["A"].tolist() == [text]
    assert table.findings == ()
    assert table.note.endswith(encoding)


@pytest.mark.rule("READ-02")
@pytest.mark.parametrize("declared", [None, "utf-8", "UTF-8", "utf8", "U8"])
def test_a_byte_order_mark_never_enters_the_first_name(declared):
    assert list(read("\ufeffA,B\n1,2\n".encode(), encoding=declared).frame.columns) == ["A", "B"]


@pytest.mark.rule("READ-03")
@pytest.mark.parametrize(
    ("data", "declared", "wrong"),
    [
        (b"A,B\ncaf\xe9,x\n", None, [("A", 2, "0xe9")]),
        (b"A,B\ncaf\xe9,\x92\n", None, [("A", 2, "0xe9"), ("B", 2, "0x92")]),
        (b"A,B\nx,y\n\nx,\xff\xfe\n", None, [("B", 4, "0xff")]),
        (b"A,B\n\xc3\xa9,\xc3\n", None, [("B", 2, "0xc3")]),
        (b"A,B\n\xed\xa0\x80,x\n", None, [("A", 2, "0xed")]),
        (b"A,B\ncaf\xe9,x\n", "ascii", [("A", 2, "0xe9")]),
        (b"A,B\n\x81,x\n", "cp1252", [("A", 2, "0x81")]),
    ],
)
def test_every_wrong_byte_is_named_and_its_cell_is_missing(data, declared, wrong):
    table = read(data, encoding=declared)
    found = sorted((f.variable, f.row, f.message.split()[1]) for f in table.findings)
    assert found == sorted(wrong)
    for name, row, _ in wrong:
        assert table.frame[name].iloc[table.rows.tolist().index(row)] is None
    assert sum(table.frame[c].isna().sum() for c in table.frame) == len(wrong)


@pytest.mark.rule("READ-02")
@pytest.mark.parametrize(
    ("header", "mark"),
    [
        ("A,B", "comma"),
        ("A;B", "semicolon"),
        ("A\tB", "tab"),
        ("A", "comma"),
        ("A;B;C,D", "semicolon"),
        ("A,B,C;D", "comma"),
        ('"A;x","B;y"', "comma"),
        ('"A,x";"B,y";"C,z"', "semicolon"),
        ("A\tB\tC,D", "tab"),
    ],
)
def test_the_header_decides_the_separator(header, mark):
    assert read(f"{header}\n").note.split(",")[0] == mark


@pytest.mark.rule("READ-02")
@pytest.mark.parametrize(
    ("declared", "names"),
    [(",", ["A;B", "C"]), (";", ["A", "B,C"]), ("\t", ["A;B,C"]), ("auto", ["A;B", "C"])],
)
def test_a_declared_separator_is_not_second_guessed(declared, names):
    assert list(read("A;B,C\n", delimiter=declared).frame.columns) == names


@pytest.mark.rule("READ-05")
@pytest.mark.parametrize(
    ("data", "lines"),
    [
        ("A,B\n1,2\n3,4\n", [2, 3]),
        ("A,B\r\n1,2\r\n3,4\r\n", [2, 3]),
        ("A,B\r1,2\r3,4", [2, 3]),
        ("\n\nA,B\n1,2\n", [4]),
        ("A,B\n\n\n1,2\n\n3,4\n", [4, 6]),
        ('A,B\n"x\ny\nz",2\n3,4\n', [2, 5]),
        ('"A\nB",C\n1,2\n', [3]),
        ("\ufeffA,B\n1,2\n", [2]),
        ("A,B\n", []),
    ],
)
def test_the_line_of_every_record(data, lines):
    table = read(data)
    assert table.rows.tolist() == lines
    assert table.rows.dtype == np.int64


def test_a_very_long_cell_is_read_or_refused_with_its_line():
    assert len(read("A,B\n" + "x" * 100_000 + ",2\n").frame["A"].iloc[0]) == 100_000
    with pytest.raises(Exception, match="field larger than field limit") as caught:
        read("A,B\n1,2\n" + "x" * 200_000 + ",2\n")
    assert type(caught.value).__name__ == "UnreadableError"
    assert caught.value.places[0][2] == 3


@pytest.mark.rule("READ-05")
@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.sampled_from(["", "x", "a,b", 'q"', "l\nm", "中", " "]), min_size=2, max_size=2)
    ),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.sampled_from([",", ";", "\t"]),
)
def test_any_line_end_and_separator_give_the_same_cells(rows, end, mark):
    frame = pd.DataFrame(rows, columns=["A", "B"], dtype=object)
    text = io.StringIO()
    frame.to_csv(text, index=False, lineterminator="\n", sep=mark)
    table = read(text.getvalue().replace("\n", end).encode())
    assert table.frame.fillna("").to_numpy().tolist() == rows
    # Every record begins on the line after the end of the one before.
    sizes = [1 + sum(cell.count("\n") for cell in row) for row in rows]
    assert table.rows.tolist() == [2 + sum(sizes[:i]) for i in range(len(rows))]


@pytest.mark.rule("TYPE-01")
@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("-0", 0.0),
        ("007", 7.0),
        ("1,5", None),
        ("1 000", None),
        ("1'000", None),
        ("1.000,5", None),
        ("5 mg", None),
        ("<0.2", None),
        (">12000", None),
        ("~3", None),
        ("3-4", None),
        ("#N/A", None),
        ("NA", None),
        ("-", None),
        ("\u22121", None),
        ("½", None),
        ("TRUE", None),
        ("2026-03-04", None),
    ],
)
def test_only_a_number_is_a_number(written, number):
    table = read(f'LBSEQ,LBSTRESN\n1,"{written}"\n')
    typed = type_domain("LB", table.frame.assign(SRCFILE="lb.csv", SRCROW=table.rows))
    stops = [f for f in typed.findings if f.severity == "stop"]
    if number is None:
        assert np.isnan(typed.frame["LBSTRESN"].iloc[0])
        assert [(f.rule, f.variable, f.value, f.row) for f in stops] == [("XD-TYPE", "LBSTRESN", written, 2)]
    else:
        assert stops == []
        assert typed.frame["LBSTRESN"].iloc[0] == number
