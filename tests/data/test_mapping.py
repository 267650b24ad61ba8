"""Mapping: exact or an exception, declared or not at all."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from interim.data.mapping import Column, deliveries, map_table, read_mapping
from interim.data.mapping.cells import map_cell, map_checkbox, with_offset
from interim.data.mapping.files import Delivery
from interim.data.mapping.model import Source, TableMap
from interim.data.read import RawTable, ReadOptions
from interim.errors import StudyError
from interim.study import read_study

SOURCE = '[source]\nname = "edc"\npath = "raw"\n'


def study_of(folder, mapping, data='sources = ["mapping/edc.toml"]'):
    (folder / "mapping").mkdir(exist_ok=True)
    (folder / "mapping" / "edc.toml").write_text(mapping, encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(f'[study]\nid = "X-1"\n[data]\n{data}\ncut_date = 2026-06-30\n', encoding="utf-8")
    return read_study(path)


def map_rows(columns, table, *, domain="AE", source=None, ignore=(), limit=0.05):
    """Map a table that is given as columns."""
    frame = pd.DataFrame(columns).astype(object)
    frame = frame.where(frame.notna(), None)
    raw = RawTable(frame, np.arange(2, len(frame) + 2))
    base = Source.model_validate({"name": "edc", "path": "raw", **(source or {})})
    return map_table(
        Delivery(
            domain, Path("ae.csv"), ReadOptions(), None, base, TableMap.model_validate(table), limit, ignore
        ),
        raw,
    )


def rule(**keys):
    return Column.model_validate({"from": "X", **keys})


@pytest.mark.rule("MAP-02")
@pytest.mark.parametrize(
    ("raw", "keys", "value", "done"),
    [
        ("1", {"codes": {"1": "Y", "0": "N"}}, "Y", "MAP-CODE"),
        ("１ ", {"codes": {"1": "Y"}}, "Y", "MAP-CODE"),
        ("Y", {"codes": {"Y": "Y"}}, "Y", ""),
        ("y", {"codes": {"Y": "Y"}}, None, "MAP-VALUE"),
        ("y", {"codes": {"Y": "Y"}, "case": "upper"}, "Y", "MAP-CODE"),
        (2.0, {"codes": {"2": 2.0}}, 2.0, ""),
        ("男", {"codes": {"男": "M", "女": "F"}}, "M", "MAP-CODE"),
        ("1,5", {"type": "decimal", "decimal": ","}, 1.5, "MAP-NUMBER"),
        ("1.5", {"type": "decimal", "decimal": ","}, None, "MAP-VALUE"),
        ("1,5", {"type": "decimal"}, None, "MAP-VALUE"),
        ("<0.1", {"type": "decimal"}, None, "MAP-VALUE"),
        ("1.5", {"type": "integer"}, None, "MAP-VALUE"),
        ("3", {"type": "integer"}, 3.0, ""),
        (" 3", {"type": "integer"}, 3.0, "MAP-NUMBER"),
        ("Abc", {}, "Abc", ""),
        ("Abc", {"case": "lower"}, "abc", "MAP-CASE"),
        (" Abc", {"trim": True}, "Abc", "MAP-CASE"),
    ],
)
def test_one_cell(raw, keys, value, done):
    cell = map_cell(raw, rule(**keys))
    assert (cell.value, cell.rule) == (value, done)


@pytest.mark.rule("MAP-03")
@pytest.mark.parametrize(
    ("raw", "formats", "value", "done"),
    [
        ("2026-03-04", ("%Y-%m-%d", "%Y-%m", "%Y"), "2026-03-04", ""),
        ("2026-03", ("%Y-%m-%d", "%Y-%m", "%Y"), "2026-03", ""),
        ("2026", ("%Y-%m-%d", "%Y-%m", "%Y"), "2026", ""),
        ("04/03/2026", ("%d/%m/%Y",), "2026-03-04", "MAP-DATE"),
        ("4/3/2026 9:05", ("%d/%m/%Y %H:%M",), "2026-03-04T09:05", "MAP-DATE"),
        ("04MAR2026", ("%d%b%Y",), "2026-03-04", "MAP-DATE"),
        ("04XYZ2026", ("%d%b%Y",), None, "MAP-VALUE"),
        ("04/03/2026", ("%Y-%m-%d",), None, "MAP-VALUE"),
        ("03/04/2026", ("%d/%m/%Y", "%m/%d/%Y"), None, "MAP-FORMAT"),
        ("04/04/2026", ("%d/%m/%Y", "%m/%d/%Y"), "2026-04-04", "MAP-DATE"),
        ("30/02/2026", ("%d/%m/%Y",), None, "MAP-VALUE"),
        ("12:30", ("%H:%M",), None, "MAP-VALUE"),
    ],
)
def test_no_date_format_is_guessed(raw, formats, value, done):
    cell = map_cell(raw, rule(type="partial_date", format=formats))
    assert (cell.value, cell.rule) == (value, done)


@pytest.mark.rule("MAP-02")
@pytest.mark.parametrize(
    ("cells", "value", "done"),
    [
        (("1", "1"), "CARNK;CART", "MAP-CODE"),
        (("0", "1"), "CART", "MAP-CODE"),
        (("0", None), None, ""),
        ((1.0, 0.0), "CARNK", "MAP-CODE"),
        (("yes", "0"), None, "MAP-VALUE"),
    ],
)
def test_check_boxes(cells, value, done):
    box = Column.model_validate(
        {"from": ("A", "B"), "type": "checkbox", "codes": {"A": "CARNK", "B": "CART"}}
    )
    cell = map_checkbox(cells, box)
    assert (cell.value, cell.rule) == (value, done)


@pytest.mark.rule("MAP-02")
def test_exceptions_and_mapped_cells_add_up():
    codes = {"1": "Y", "0": "N"}
    columns = {
        "USUBJID": ["a", "b", "c", "d", "e"],
        "SER": ["1", "0", "x", None, "1"],
        "OUT": ["1", "1", "1", "1", "9"],
    }
    table = {
        "column": {
            "USUBJID": "USUBJID",
            "AESER": {"from": "SER", "codes": codes},
            "AESLIFE": {"from": "OUT", "codes": codes},
        }
    }
    mapped = map_rows(columns, table, limit=0.2)
    assert mapped.frame["AESER"].tolist() == ["Y", "N", None, None, "Y"]
    assert len(mapped.frame) == 5
    found = [(f.rule, f.severity, f.subject, f.variable, f.value, f.file, f.row) for f in mapped.findings]
    assert found == [
        ("MAP-VALUE", "stop", "c", "AESER", "x", "ae.csv", 4),
        ("MAP-VALUE", "warn", "e", "AESLIFE", "9", "ae.csv", 6),
    ]
    lines = Counter(line.variable for line in mapped.ledger)
    assert lines["AESER"] + 1 + 1 == len(mapped.frame)
    many = map_rows(columns, table, limit=0.1)
    assert [f.severity for f in many.findings] == ["stop", "stop"]


@pytest.mark.rule("MAP-02")
def test_check_boxes_and_numeric_constants_of_a_table():
    table = {
        "column": {
            "USUBJID": "USUBJID",
            "AEREL": {"from": ("NK", "T"), "type": "checkbox", "codes": {"NK": "CARNK", "T": "CART"}},
            "AETOXGR": {"constant": 2.0},
            "AESTDY": {"from": "DAY", "type": "integer"},
            "AEENDY": {"from": "NODAY", "type": "integer"},
        }
    }
    columns = {
        "USUBJID": ["a", "b"],
        "NK": ["1", "0"],
        "T": ["1", "x"],
        "DAY": ["3", None],
        "NODAY": [None, None],
    }
    mapped = map_rows(columns, table)
    assert mapped.frame["AEREL"].tolist() == ["CARNK;CART", None]
    assert mapped.frame["AETOXGR"].tolist() == [2.0, 2.0]
    assert mapped.frame["AESTDY"].iloc[0] == 3.0
    assert mapped.frame["AEENDY"].isna().all()
    assert [(f.variable, f.value, f.subject) for f in mapped.findings] == [("AEREL", "0;x", "b")]


@pytest.mark.rule("DATE-05", source="four date formats in one column: one clear finding")
def test_dates_of_a_column_that_do_not_map_are_one_finding_and_lines_of_the_ledger():
    table = {
        "column": {
            "USUBJID": "WHO",
            "AEENDTC": {"from": "D", "type": "partial_date", "format": ("%Y-%m-%d",)},
        }
    }
    raw = ["2026-03-04", "04/03/2026", "4 Mar 2026", None, "20260304"]
    mapped = map_rows({"WHO": ["a", "b", "b", "c", "d"], "D": raw}, table)
    assert mapped.frame["AEENDTC"].tolist() == ["2026-03-04", None, None, None, None]
    (found,) = mapped.findings
    assert (found.rule, found.severity, found.variable, found.subject, found.row) == (
        "MAP-VALUE",
        "stop",
        "AEENDTC",
        None,
        None,
    )
    assert "3 dates in 3 notations" in found.message
    assert "participants b, d" in found.message
    lines = [(line.subject, line.before, line.after) for line in mapped.ledger if line.rule == "MAP-VALUE"]
    assert lines == [("b", "04/03/2026", ""), ("b", "4 Mar 2026", ""), ("d", "20260304", "")]


@pytest.mark.rule("MAP-03")
def test_ambiguous_dates_are_a_stop():
    table = {"column": {"AEENDTC": {"from": "D", "type": "partial_date", "format": ("%d/%m/%Y", "%m/%d/%Y")}}}
    mapped = map_rows({"D": ["03/04/2026", *["13/04/2026"] * 99]}, table)
    assert [(f.rule, f.severity) for f in mapped.findings] == [("MAP-VALUE", "stop")]
    assert "disagree" in mapped.findings[0].message


@pytest.mark.rule("MAP-04")
def test_forgotten_and_absent_columns():
    columns = {"USUBJID": ["a"], "TERM": ["x"], "NOTE": ["n"], "FORM": ["f"]}
    table = {"column": {"USUBJID": "USUBJID", "AETERM": "TERM", "AESER": "SERIOUS"}}
    mapped = map_rows(columns, table, ignore=("FORM",))
    assert [(f.rule, f.severity, f.variable) for f in mapped.findings] == [
        ("MAP-COLUMN", "stop", "SERIOUS"),
        ("MAP-COLUMN", "warn", "NOTE"),
    ]
    assert list(mapped.frame) == ["USUBJID", "AETERM", "SRCFILE", "SRCROW"]


@pytest.mark.rule("MAP-04")
def test_identity_keeps_everything_and_lists_what_it_does_not_know():
    columns = {"USUBJID": ["a"], "AETERM": ["x"], "SHOESIZE": ["43"], "REL": ["1"], "FORM": ["f"]}
    table = {
        "identity": True,
        "column": {"AEREL": {"from": "REL", "codes": {"1": "CART"}}, "AESER": {"constant": "N"}},
    }
    mapped = map_rows(columns, table, ignore=("FORM",))
    assert mapped.frame.drop(columns=["SRCFILE", "SRCROW"]).iloc[0].to_dict() == {
        "USUBJID": "a",
        "AETERM": "x",
        "SHOESIZE": "43",
        "REL": "1",
        "AEREL": "CART",
        "AESER": "N",
    }
    assert [(f.rule, f.severity, f.variable) for f in mapped.findings] == [("MAP-COLUMN", "info", "SHOESIZE")]


@pytest.mark.rule("MAP-05")
def test_every_declared_change_is_a_ledger_line():
    columns = {
        "USUBJID": ["a", "b"],
        "AESTDTC": ["UNK", "2026-03-04T10:00"],
        "AETERM": ["x", "UNK"],
        "AESEQ": ["1", "2"],
    }
    source = {"missing": ("", "UNK"), "missing_reason": {"UNK": "unknown"}, "timezone": "Asia/Shanghai"}
    mapped = map_rows(columns, {"identity": True}, source=source)
    assert mapped.frame["AESTDTC"].tolist() == [None, "2026-03-04T10:00+08:00"]
    lines = [(x.rule, x.subject, x.key, x.variable, x.before, x.after) for x in mapped.ledger]
    assert lines == [
        ("MAP-MISSING", "a", "1", "AESTDTC", "UNK", ""),
        ("MAP-MISSING", "b", "2", "AETERM", "UNK", ""),
        ("MAP-TIMEZONE", "b", "2", "AESTDTC", "2026-03-04T10:00", "2026-03-04T10:00+08:00"),
    ]


@pytest.mark.rule("MAP-05")
def test_special_missing_values_and_number_codes_reach_the_ledger():
    frame = pd.DataFrame({"USUBJID": ["a", "b"], "AESEQ": [1.0, 2.0], "AESTDY": [np.nan, -99.0]})
    raw = RawTable(frame, np.array([1, 2]), reasons=((0, "AESTDY", ".A"),))
    base = Source.model_validate(
        {"name": "e", "path": "r", "missing": ("-99",), "missing_reason": {"-99": "not known"}}
    )
    wanted = TableMap.model_validate({"identity": True})
    mapped = map_table(Delivery("AE", Path("ae.xpt"), ReadOptions(), None, base, wanted, 0.05), raw)
    assert [(x.rule, x.before) for x in mapped.ledger] == [("MAP-MISSING", "-99"), ("READ-SPECIAL", ".A")]
    assert mapped.frame["AESTDY"].isna().all()
    first = TableMap.model_validate({"identity": True, "rows": {"filter": {"USUBJID": "b"}}})
    mapped = map_table(Delivery("AE", Path("ae.xpt"), ReadOptions(), None, base, first, 0.05), raw)
    assert mapped.frame["SRCROW"].tolist() == [2]
    assert [x.rule for x in mapped.ledger] == ["MAP-MISSING"]


@pytest.mark.rule(
    "MAP-06", source="data contract 6: XD-TZ lists date-times whose offset differs from source.timezone"
)
@pytest.mark.parametrize(
    ("texts", "zone", "number"),
    [
        (["2026-03-04T18:00Z", "2026-03-05T18:00Z", "2026-03-06T10:00"], "Asia/Shanghai", 2),
        (["2026-03-04T18:00+09:00", None, "2026-03-05"], "Asia/Shanghai", 1),
        (["2026-03-04T10:00+08:00", "2026-03-05T10:00+08:00"], "Asia/Shanghai", 0),
        (["2026-01-04T10:00+01:00", "2026-07-05T10:00+02:00"], "Europe/Berlin", 0),
        (["2026-07-04T10:00+01:00", "2026-07-05T10:00+01:00"], "Europe/Berlin", 2),
        (["2026-03-04T10:00+08:00", "2026-03-05T10:00+08:00", "2026-03-06T10:00+09:00"], "Asia/Shanghai", 0),
        (["2026-03-04", "nonsense T+01:00", "2026-02-30T10:00Z"], "Asia/Shanghai", 0),
    ],
)
def test_a_column_in_another_time_zone_is_one_finding(texts, zone, number):
    """The single record that differs from the others is the check's; a whole column is not seen there."""
    size = len(texts)
    columns = {
        "USUBJID": ["a"] * size,
        "AESEQ": [str(n) for n in range(size)],
        "AETERM": ["x"] * size,
        "AESTDTC": texts,
    }
    found = [
        f
        for f in map_rows(columns, {"identity": True}, source={"timezone": zone}).findings
        if f.rule == "XD-TZ"
    ]
    assert len(found) == (number > 0)
    if number:
        (finding,) = found
        assert finding.message.startswith(
            f"{number} date-times carry another offset than the declared time zone {zone}"
        )
        assert (finding.severity, finding.variable, finding.value) == ("warn", "AESTDTC", texts[0])


@pytest.mark.rule("MAP-06")
@pytest.mark.parametrize(
    ("text", "zone", "value"),
    [
        ("2026-03-04T10:15", "Asia/Shanghai", "2026-03-04T10:15+08:00"),
        ("2026-07-04T10:15:30", "Europe/Berlin", "2026-07-04T10:15:30+02:00"),
        ("2026-01-04T10:15", "Europe/Berlin", "2026-01-04T10:15+01:00"),
        ("2026-03-04T10:15+00:00", "Asia/Shanghai", "2026-03-04T10:15+00:00"),
        ("2026-03-04", "Asia/Shanghai", "2026-03-04"),
        ("2026-03-04T-:15", "Asia/Shanghai", "2026-03-04T-:15"),
        ("nonsense T", "Asia/Shanghai", "nonsense T"),
    ],
)
def test_offsets(text, zone, value):
    assert with_offset(text, zone) == value


@pytest.mark.rule("MAP-01")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SOURCE + "[table.AE]\nidentiy = true", "table.AE.identiy"),
        (SOURCE + "[table.ZZ]\nidentity = true", "unknown tables"),
        (SOURCE, "table"),
        ("[table.AE]\nidentity = true", "source"),
        (SOURCE + 'format = "dbase"\n[table.AE]\nidentity = true', "source.format"),
        (SOURCE + 'timezone = "Mars/Base"\n[table.AE]\nidentity = true', "no time zone"),
        (SOURCE + 'missing = ["", "NA"]\n[table.AE]\nidentity = true', "NA"),
        (
            SOURCE + '[table.AE.column]\nAESER = { from = "S", constant = "Y" }',
            "exactly one of from and constant",
        ),
        (SOURCE + '[table.AE.column]\nAESER = { from = ["S", "T"] }', "checkbox"),
        (SOURCE + '[table.AE.column]\nAESER = { from = "S", type = "yes_no" }', "needs codes"),
        (SOURCE + '[table.AE.column]\nAESTDTC = { from = "S", type = "partial_date" }', "needs its format"),
        (SOURCE + '[table.AE.column]\nAESER = { from = "S", codes = { "1" = "Y", "1 " = "N" } }', "overlap"),
        (SOURCE + "[table.AE]\nidentity = true\n[ignore]\nDM = ['X']", "not mapped"),
        (SOURCE + '[table.AE.column]\nAESER = "S"\nAESER = "T"', "cannot be read"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_wrong_mapping_file_is_refused_before_any_data_are_read(tmp_path, text, words):
    study = study_of(tmp_path, text)
    with pytest.raises(StudyError, match=words) as caught:
        deliveries(study)
    assert "edc.toml" in str(caught.value)


@pytest.mark.rule("MAP-01")
def test_environment_variable_in_the_path(tmp_path, monkeypatch):
    text = '[source]\nname = "edc"\npath = "${INTERIM_TEST_FOLDER}/raw"\n[table.AE]\nrows = { file = "a.csv" }\nidentity = true'
    study = study_of(tmp_path, text)
    monkeypatch.delenv("INTERIM_TEST_FOLDER", raising=False)
    with pytest.raises(StudyError, match="INTERIM_TEST_FOLDER"):
        deliveries(study)
    monkeypatch.setenv("INTERIM_TEST_FOLDER", str(tmp_path / "x"))
    (delivery,), _ = deliveries(study)
    assert delivery.path == tmp_path / "x" / "raw" / "a.csv"


@pytest.mark.rule("MAP-01")
def test_a_missing_mapping_file(tmp_path):
    study = study_of(tmp_path, SOURCE, 'sources = ["mapping/none.toml"]')
    with pytest.raises(StudyError, match="cannot be read"):
        deliveries(study)


def test_options_of_source_and_table(tmp_path):
    text = (
        SOURCE.replace('"raw"', '"raw/all.xlsx"')
        + 'encoding = "cp1252"\n[table.AE]\nrows = { sheet = "ae" }\nidentity = true\n[table.DM]\nencoding = "gb18030"\nidentity = true'
    )
    study = study_of(tmp_path, text)
    ae, dm = deliveries(study)[0]
    assert (ae.options.encoding, ae.options.sheet) == ("cp1252", "ae")
    assert dm.options.encoding == "gb18030"
    assert ae.path == dm.path == tmp_path / "mapping" / "raw" / "all.xlsx"


def test_the_mapping_in_the_documentation_is_valid(tmp_path):
    page = Path(__file__).resolve().parents[2] / "docs" / "data.md"
    whole, plain, parts = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    (tmp_path / "doc.toml").write_text(whole, encoding="utf-8")
    assert set(read_mapping(tmp_path / "doc.toml").table) == {"AE", "LB"}
    (tmp_path / "doc.toml").write_text('[source]\nname = "x"\npath = "."\n' + plain, encoding="utf-8")
    assert set(read_mapping(tmp_path / "doc.toml").table) == {"adverse_events"}
    (tmp_path / "doc.toml").write_text('[source]\nname = "x"\npath = "x.csv"\n' + parts, encoding="utf-8")
    assert {n: len(found) for n, found in read_mapping(tmp_path / "doc.toml").table.items()} == {
        "ADSL": 1,
        "ADTTE": 2,
    }


def test_shipped_mappings_are_valid(monkeypatch):
    folder = Path(__file__).resolve().parents[2] / "params" / "mapping"
    mappings = [read_mapping(path) for path in sorted(folder.glob("*.toml"))]
    assert {m.source.name for m in mappings} >= {"cdisc-pilot", "cdisc-pilot-xpt"}
