"""Mapping files end to end: every option of the contract in TOML, over a real file, with values, ledger and exceptions."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.test_read import HEAD, workbook

from interim.data.mapping import Column
from interim.data.mapping.cells import map_cell
from interim.data.opening import read_data
from interim.errors import StudyError
from interim.study import read_study

SOURCE = '[source]\nname = "edc"\npath = "raw"\n'


def mapped(folder: Path, mapping: str, *, data: str = "", **files: str | bytes):
    """Read a study whose one source has this mapping; file names use ``__`` for the point."""
    (folder / "raw").mkdir(exist_ok=True)
    for name, text in files.items():
        path = folder / "raw" / name.replace("__", ".")
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    (folder / "edc.toml").write_text(mapping, encoding="utf-8")
    study = folder / "study.toml"
    study.write_text(f'[study]\nid = "X"\n[data]\nsources = ["edc.toml"]\ncut_date = 2026-06-30\n{data}\n')
    return read_data(read_study(study))


def of(sdtm, domain, rule=None):
    """Return the findings about the cells of a domain."""
    skip = ("XD-DOMAIN", "XD-COLUMN")
    return [f for f in sdtm.findings if f.domain == domain and f.rule not in skip and rule in (None, f.rule)]


# Case: column of AE, its mapping, cells found, values made, rules of the ledger, places of the exceptions.
OPTIONS = {
    "as it is": ("AETERM", '"X"', ["fever", "Übelkeit"], ["fever", "Übelkeit"], [], []),
    "from": ("AETERM", '{ from = "X" }', ["fever"], ["fever"], [], []),
    "codes": (
        "AESER",
        '{ from = "X", codes = { "1" = "Y", "0" = "N" } }',
        ["1", "0", "2"],
        ["Y", "N", None],
        ["MAP-CODE", "MAP-CODE"],
        [2],
    ),
    "yes or no": (
        "AESER",
        '{ from = "X", type = "yes_no", codes = { "是" = "Y", "否" = "N" } }',
        ["是", "否", "yes"],
        ["Y", "N", None],
        ["MAP-CODE", "MAP-CODE"],
        [2],
    ),
    "codes to numbers": (
        "AETOXGR",
        '{ from = "X", type = "integer", codes = { "mild" = 1.0, "severe" = 3.0 } }',
        ["mild", "severe", "odd"],
        ["1", "3", None],
        ["MAP-CODE", "MAP-CODE"],
        [2],
    ),
    "codes of full width": (
        "AESER",
        '{ from = "X", codes = { "1" = "Y" } }',
        ["１", " 1"],
        ["Y", "Y"],
        ["MAP-CODE", "MAP-CODE"],
        [],
    ),
    "codes know case": ("AESER", '{ from = "X", codes = { "y" = "Y" } }', ["Y"], [None], [], [0]),
    "case": (
        "AESER",
        '{ from = "X", case = "upper", codes = { "YES" = "Y" } }',
        ["yes", "Yes"],
        ["Y", "Y"],
        ["MAP-CODE", "MAP-CODE"],
        [],
    ),
    "case without codes": ("AEOUT", '{ from = "X", case = "upper" }', ["fatal"], ["FATAL"], ["MAP-CASE"], []),
    "trim": ("AETERM", '{ from = "X", trim = true }', [" fever "], ["fever"], ["MAP-CASE"], []),
    "whole numbers": (
        "AESTDY",
        '{ from = "X", type = "integer" }',
        ["3", "-4", "2.0", "2.5", "x", "<1"],
        [3.0, -4.0, 2.0, None, None, None],
        [],
        [3, 4, 5],
    ),
    "decimal numbers": (
        "AESTDY",
        '{ from = "X", type = "decimal" }',
        ["3", "1e3", "1 0"],
        [3.0, None, None],
        [],
        [1, 2],
    ),
    "decimal comma": (
        "AESTDY",
        '{ from = "X", type = "decimal", decimal = "," }',
        ["3,0", "4", "1.0", "1,0,0"],
        [3.0, 4.0, None, None],
        ["MAP-NUMBER"],
        [2, 3],
    ),
    "one date format": (
        "AEENDTC",
        '{ from = "X", type = "partial_date", format = "%d.%m.%Y" }',
        ["04.03.2026", "31.04.2026", "2026-03-04"],
        ["2026-03-04", None, None],
        ["MAP-DATE"],
        [1, 2],
    ),
    "dates of several precisions": (
        "AEENDTC",
        '{ from = "X", type = "partial_date", format = ["%Y/%m/%d", "%Y/%m", "%Y"] }',
        ["2026/03/04", "2026/03", "2026"],
        ["2026-03-04", "2026-03", "2026"],
        ["MAP-DATE", "MAP-DATE"],
        [],
    ),
    "date and time": (
        "AEENDTC",
        '{ from = "X", type = "partial_date", format = "%d%b%Y %H:%M:%S" }',
        ["4MAR2026 9:05:00", "04mar2026 23:59:59", "04MAI2026 10:00:00"],
        ["2026-03-04T09:05:00", "2026-03-04T23:59:59", None],
        ["MAP-DATE", "MAP-DATE"],
        [2],
    ),
    "constant": ("AESER", '{ constant = "N" }', ["ignored"], ["N"], [], []),
}


@pytest.mark.rule("MAP-02")
@pytest.mark.parametrize("case", OPTIONS)
def test_every_option_of_a_column(tmp_path, case):
    column, rule, found, made, ledger, wrong = OPTIONS[case]
    # Good rows in plenty, so that the share of exceptions stays below the limit of a column that is not required.
    rows = [f'S-1,{i},"{cell}"' for i, cell in enumerate(found, 1)]
    toml = f'{SOURCE}[table.AE]\nrows = {{ file = "ae.csv" }}\n[table.AE.column]\nUSUBJID = "ID"\nAESEQ = "NO"\n{column} = {rule}\n'
    sdtm = mapped(tmp_path, toml, data="max_unmapped = 1.0", ae__csv="ID,NO,X\n" + "\n".join(rows) + "\n")
    values = sdtm.domain("AE")[column].astype(object)
    assert values.where(values.notna(), None).tolist() == made
    lines = [x for x in sdtm.ledger if x.variable == column and x.rule.startswith("MAP")]
    assert [x.rule for x in lines if x.rule != "MAP-VALUE"] == ledger
    exceptions = of(sdtm, "AE", "MAP-VALUE")
    dates = "partial_date" in rule
    assert [x.before for x in lines if x.rule == "MAP-VALUE"] == [found[i] for i in wrong if dates]
    if dates and len(wrong) > 1:
        assert [(f.row, f.variable, f.message.split(" ")[0]) for f in exceptions] == [
            (None, column, str(len(wrong)))
        ]
        return
    assert [(f.row, f.value, f.variable) for f in exceptions] == [(i + 2, found[i], column) for i in wrong]
    needed = column in ("AETERM", "AESER", "AEOUT")
    assert {f.severity for f in exceptions} <= {"stop" if needed else "warn"}
    filled = sum(value is not None for value in made)
    assert filled + len(exceptions) == len(found)


@pytest.mark.rule("MAP-02")
@pytest.mark.parametrize(
    ("wrong", "limit", "severity"), [(1, 0.05, "stop"), (1, 0.1, "warn"), (2, 0.1, "stop")]
)
def test_the_share_of_exceptions_decides(tmp_path, wrong, limit, severity):
    cells = ["x"] * wrong + ["1"] * (10 - wrong)
    rows = [f"S-1,{i},{cell}" for i, cell in enumerate(cells)]
    toml = f'{SOURCE}[table.AE]\nrows = {{ file = "ae.csv" }}\n[table.AE.column]\nUSUBJID = "ID"\nAESEQ = "NO"\nAESTDY = {{ from = "X", type = "integer" }}\n'
    sdtm = mapped(
        tmp_path, toml, data=f"max_unmapped = {limit}", ae__csv="ID,NO,X\n" + "\n".join(rows) + "\n"
    )
    assert [f.severity for f in of(sdtm, "AE", "MAP-VALUE")] == [severity] * wrong
    assert len(sdtm.domain("AE")) == 10


@pytest.mark.rule("MAP-05")
def test_missing_texts_are_missing_with_their_line_in_the_ledger(tmp_path):
    toml = (
        SOURCE
        + 'missing = ["", "UNK", "-999"]\n[source.missing_reason]\n"UNK" = "unknown"\n"-999" = "not done"\n'
        '[table.AE]\nrows = { file = "ae.csv" }\n[table.AE.column]\nUSUBJID = "ID"\nAESEQ = "NO"\nAETERM = "X"\n'
    )
    sdtm = mapped(tmp_path, toml, ae__csv="ID,NO,X\nS,1,UNK\nS,2,-999\nS,3,unk\nS,4,\n")
    assert sdtm.domain("AE")["AETERM"].tolist() == [None, None, "unk", None]
    assert [(x.rule, x.key, x.before, x.after, x.reason) for x in sdtm.ledger] == [
        ("MAP-MISSING", "1", "UNK", "", "unknown"),
        ("MAP-MISSING", "2", "-999", "", "not done"),
    ]


@pytest.mark.rule("MAP-05", source="a constant is marked in the origin")
def test_constants_are_named_with_the_source(tmp_path):
    part = '[[table.AE]]\nrows = { file = "ae.csv", filter = { KIND = "%s" } }\n[table.AE.column]\nUSUBJID = "ID"\nAETERM = "X"\nAEREL = { constant = "%s" }\n'
    toml = SOURCE + part % ("n", "CARNK") + part % ("t", "CART") + '[ignore]\nAE = ["KIND"]\n'
    sdtm = mapped(tmp_path, toml, ae__csv="ID,KIND,X\nS,n,fever\nS,t,rash\n")
    (source,) = sdtm.sources
    assert source.records == 2
    assert source.note.endswith("constant AEREL = CARNK; constant AEREL = CART")


@pytest.mark.rule("MAP-04")
def test_forgotten_lost_and_ignored_columns_of_a_file(tmp_path):
    toml = (
        SOURCE
        + '[table.AE]\nrows = { file = "ae.csv" }\n[table.AE.column]\nUSUBJID = "ID"\nAETERM = "TERM"\n'
        'AESER = "GONE"\n[ignore]\nAE = ["FORM"]\n'
    )
    sdtm = mapped(tmp_path, toml, ae__csv="ID,TERM,NOTE,FORM\nS,x,y,z\n")
    found = [(f.severity, f.variable, f.file) for f in of(sdtm, "AE", "MAP-COLUMN")]
    assert found == [("stop", "GONE", "ae.csv"), ("warn", "NOTE", "ae.csv")]
    assert "NOTE" not in sdtm.domain("AE")
    assert "AESER" not in sdtm.domain("AE")


@pytest.mark.rule("MAP-01")
def test_one_file_fills_two_tables_by_a_filter(tmp_path):
    toml = SOURCE + "".join(
        f'[table.{t}]\nrows = {{ file = "all.csv", filter = {{ FORM = "{t.lower()}" }} }}\n'
        f'[table.{t}.column]\nUSUBJID = "ID"\n{t}TERM = "TERM"\n'
        for t in ("AE", "MH")
    )
    sdtm = mapped(
        tmp_path, toml, all__csv="FORM,ID,TERM\nae,S-1,fever\nmh,S-1,gout\nae,S-2,chills\nxx,S-3,lost\n"
    )
    assert sdtm.domain("AE")["AETERM"].tolist() == ["fever", "chills"]
    assert sdtm.domain("AE")["SRCROW"].tolist() == [2, 4]
    assert sdtm.domain("MH")["MHTERM"].tolist() == ["gout"]
    assert [(s.name, s.domain, s.records) for s in sdtm.sources] == [
        ("all.csv", "AE", 2),
        ("all.csv", "MH", 1),
    ]
    assert of(sdtm, "AE", "MAP-COLUMN") == []


@pytest.mark.rule("MAP-01")
def test_the_encoding_of_a_table_wins_over_that_of_the_source(tmp_path):
    toml = (
        SOURCE + 'encoding = "cp1252"\n[table.AE]\nrows = { file = "ae.csv" }\nidentity = true\n'
        '[table.MH]\nrows = { file = "mh.csv" }\nidentity = true\nencoding = "gb18030"\n'
    )
    sdtm = mapped(
        tmp_path,
        toml,
        ae__csv="USUBJID,AETERM\nS,café\n".encode("cp1252"),
        mh__csv="USUBJID,MHTERM\nS,发热\n".encode("gb18030"),
    )
    assert sdtm.domain("AE")["AETERM"].tolist() == ["café"]
    assert sdtm.domain("MH")["MHTERM"].tolist() == ["发热"]
    assert {s.note for s in sdtm.sources} == {"comma, cp1252", "comma, gb18030"}


@pytest.mark.rule("MAP-01")
@pytest.mark.parametrize(("sheet", "words"), [("AE", ""), ("Old", ""), ("None", "the workbook has AE, Old")])
def test_a_sheet_of_a_workbook(tmp_path, sheet, words):
    (tmp_path / "raw").mkdir()
    head = HEAD.replace("<t>A</t>", "<t>USUBJID</t>")
    workbook(tmp_path / "raw" / "all.xlsx", head + '<row r="2"><c r="A2" t="str"><v>S-1</v></c></row>')
    toml = f'{SOURCE}[table.AE]\nrows = {{ file = "all.xlsx", sheet = "{sheet}" }}\nidentity = true\n'
    sdtm = mapped(tmp_path, toml)
    if words:
        assert [words in f.message for f in of(sdtm, "AE", "XD-FILE")] == [True]
    else:
        assert sdtm.domain("AE")["USUBJID"].tolist() == ["S-1"]
        assert sdtm.sources[0].note.startswith(f"sheet {sheet}")


@pytest.mark.rule("TYPE-03", source="creatinine 1 mg/dL = 88.42 umol/L")
def test_declared_units_of_a_mapping(tmp_path):
    toml = (
        SOURCE + '[table.LB]\nrows = { file = "lb.csv" }\nidentity = true\n'
        '[[table.LB.unit]]\ntest = "CREAT"\nfrom = "mg/dL"\nto = "umol/L"\nfactor = 88.42\n'
        '[[table.LB.unit]]\ntest = "BILI"\nfrom = "mg/dL"\nto = "umol/L"\nfactor = 17.1\n'
    )
    text = "USUBJID,LBSEQ,LBTESTCD,LBORRES,LBORRESU\nS,1,CREAT,1.5,mg/dL\nS,2,BILI,2,mg/dL\nS,3,CREAT,80,umol/L\nS,4,ALT,2,mg/dL\nS,5,CREAT,<1,mg/dL\n"
    lb = mapped(tmp_path, toml, lb__csv=text).domain("LB")
    assert lb["LBSTRESN"].fillna(-1).tolist() == [132.63, 34.2, -1, -1, -1]
    assert lb["LBSTRESU"].tolist() == ["umol/L", "umol/L", None, None, None]
    assert lb["LBORRES"].tolist() == ["1.5", "2", "80", "2", "<1"]


@pytest.mark.rule("MAP-01")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[table.AE.unit]]\ntest = 'X'\nfrom = 'a'\nto = 'b'\nfactor = 0.0", "table.AE.unit.0.factor"),
        ("[[table.AE.unit]]\ntest = 'X'\nfrom = 'a'\nto = 'b'", "table.AE.unit.0.factor"),
        ("[table.AE.column]\nAESER = { from = 'S', type = 'bool' }", "table.AE.column.AESER.type"),
        ("[table.AE.column]\nAESER = { from = 'S', case = 'title' }", "table.AE.column.AESER.case"),
        ("[table.AE.column]\nAESER = { from = 'S', decimal = ';' }", "table.AE.column.AESER.decimal"),
        ("[table.AE.column]\nAESER = { trim = true }", "exactly one of from and constant"),
        ("[table.AE.column]\nAESER = 7", "table.AE.column.AESER"),
        ("[table.AE]\nrows = { files = 'x' }", "table.AE.rows.files"),
        ("[table.AE]\nidentity = 'yes'", "table.AE.identity"),
    ],
)
def test_wrong_options_name_their_key_and_file(tmp_path, text, words):
    with pytest.raises(StudyError, match=words.replace(".", r"\.")) as caught:
        mapped(tmp_path, SOURCE + text)
    assert "edc.toml" in str(caught.value)


@pytest.mark.rule("MAP-01")
def test_all_problems_of_a_mapping_are_listed_at_once(tmp_path):
    text = SOURCE + "shape = 'x'\n[table.AE]\nidentity = 'yes'\nrow = 1\n[table.MH.column]\nMHTERM = 7\n"
    with pytest.raises(StudyError) as caught:
        mapped(tmp_path, text)
    assert len(caught.value.problems) >= 4


@pytest.mark.rule("MAP-03")
@settings(max_examples=50, deadline=None)
@given(
    st.dates(date(1900, 1, 1), date(2100, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d.%m.%Y", "%m-%d-%Y"]),
)
def test_any_date_comes_back_from_its_format(day, pattern):
    text = (
        pattern.replace("%Y", f"{day.year:04d}")
        .replace("%m", f"{day.month:02d}")
        .replace("%d", f"{day.day:02d}")
    )
    rule = Column.model_validate({"from": "X", "type": "partial_date", "format": (pattern,)})
    assert map_cell(text, rule).value == day.isoformat()


@pytest.mark.rule("MAP-02")
@settings(max_examples=50, deadline=None)
@given(st.text(max_size=6))
def test_a_text_that_is_no_code_is_never_a_value(text):
    rule = Column.model_validate({"from": "X", "codes": {"1": "Y", "0": "N"}})
    cell = map_cell(text, rule)
    assert (cell.value, cell.rule) in ((None, "MAP-VALUE"), ("Y", "MAP-CODE"), ("N", "MAP-CODE"))
    assert cell.value is None or text.strip() in ("1", "0", "１", "０")
