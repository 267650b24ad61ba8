"""The synthetic study as nine plain tables, and back: every required variable of the source domains is the same."""

from __future__ import annotations

import pandas as pd
import pytest

from interim import cli
from interim.data import open_data, spec
from interim.data.mapping import sdtm_records
from interim.data.opening import read_data
from interim.data.read import ReadOptions, read_file
from interim.data.typed import type_domain
from interim.errors import DataError, StudyError
from interim.example import make_study
from interim.example.plain import plain_tables
from interim.example.template import write_templates
from interim.study import read_study

SAME = ("DM", "EX", "AE", "TU", "TR", "RS", "LB", "CM", "PC", "IS")


@pytest.fixture(scope="module")
def study():
    return make_study("tiny10")


@pytest.fixture(scope="module")
def back(study):
    tables = {
        name: frame.assign(SRCFILE="tables.xlsx", SRCROW=range(2, len(frame) + 2))
        for name, frame in plain_tables(study).items()
    }
    typed = {name: type_domain(name, frame).frame for name, frame in tables.items()}
    made = sdtm_records(typed, str(study["DM"]["STUDYID"].iloc[0]))
    return {name: type_domain(name, frame).frame for name, frame in made.items()}


def required(name, frame):
    columns = list(spec.domain(name).required)
    columns = [c for c in columns if not c.endswith("SEQ")] if name == "TR" else columns
    return frame[columns].reset_index(drop=True)


@pytest.mark.rule("MAP-08", source="data contract 11: written as nine tables and mapped back")
@pytest.mark.parametrize("name", SAME)
def test_required_variables_come_back(study, back, name):
    original = study[name].assign(SRCFILE="x.csv", SRCROW=range(len(study[name])))
    wanted = required(name, type_domain(name, original).frame)
    found = required(name, back[name])
    if name == "TR":
        found["TRTESTCD"] = found["TRTESTCD"].where(
            ~back["TR"].reindex(columns=["TRSTAT"])["TRSTAT"].eq("NOT DONE"), "x"
        )
        wanted["TRTESTCD"] = wanted["TRTESTCD"].where(~original["TRSTAT"].eq("NOT DONE").to_numpy(), "x")
    if name == "CM":
        keep = original["CMCAT"].isin(found["CMCAT"].unique()).to_numpy()
        assert keep.all()
    keys = list(wanted.columns)
    pd.testing.assert_frame_equal(
        found.sort_values(keys, ignore_index=True),
        wanted.sort_values(keys, ignore_index=True),
        check_dtype=False,
    )


@pytest.mark.rule("MAP-08")
def test_qualifiers_come_back(study, back):
    for name, qualifiers in {
        "SUPPEX": ("PLANCELL", "WEIGHT"),
        "SUPPAE": ("AERPTDTC", "AESI"),
        "SUPPDM": ("TUMTYPE",),
    }.items():
        for qualifier in qualifiers:
            one, two = (
                frame[frame["QNAM"] == qualifier]
                .sort_values(["USUBJID", "IDVARVAL"], na_position="first")["QVAL"]
                .tolist()
                for frame in (study[name], back[name])
            )
            assert [str(v).removesuffix(".0") for v in one] == two != []


@pytest.mark.rule("MAP-09")
def test_every_column_of_a_table_is_filled_or_known():
    tables = plain_tables(make_study("tiny10"))
    assert list(tables) == [
        "subjects",
        "doses",
        "lesions",
        "measurements",
        "responses",
        "adverse_events",
        "labs",
        "therapies",
        "kinetics",
    ]
    for name, frame in tables.items():
        assert list(frame.columns) == [column.name for column, _ in spec.plain_columns(name)]
        needed = [
            c.name for c, _ in spec.plain_columns(name) if c.core == "R" and c.name not in ("mm", "status")
        ]
        assert [c for c in needed if frame[c].isna().all()] == []


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("new")
    write_templates("TRIAL-01", folder)
    return folder


@pytest.mark.rule("NEW-01")
def test_the_example_tables_pass_every_check(home):
    sdtm = open_data(read_study(home / "params" / "TRIAL-01-example.toml"))
    assert sdtm.findings == ()
    assert len(sdtm.domain("DM")) == 21
    assert {"DM", "SUPPDM", "DS", "SS", "EX", "TU", "TR", "RS", "AE", "LB", "CM", "PR", "PC", "IS"} <= set(
        sdtm.domains
    )
    first = sdtm.domain("AE").iloc[0]
    assert (first["SRCFILE"], first["SRCROW"]) == ("example.xlsx", 2)


@pytest.mark.rule("NEW-01")
def test_the_empty_tables_are_a_legal_study_without_participants(home):
    sdtm = open_data(read_study(home / "params" / "TRIAL-01.toml"))
    assert sdtm.findings == ()
    assert {len(frame) for frame in sdtm.domains.values()} == {0}


@pytest.mark.rule("NEW-02")
def test_a_sheet_offers_the_permitted_values_and_the_dictionary(home):
    book = home / "data" / "TRIAL-01" / "tables.xlsx"
    read = read_file(book, "ALL", options=ReadOptions(sheet="dictionary")).table.frame
    assert len(read) == sum(len(spec.plain_columns(name)) for name in spec.domain_names("plain"))
    serious = read[(read["Table"] == "adverse_events") & (read["Column"] == "serious")].iloc[0]
    assert (serious["Required"], serious["Permitted values"]) == ("R", "Y; N")
    assert "是否严重" in serious["Heading"]


@pytest.mark.rule("NEW-02")
def test_chinese_headings_map_to_the_same_columns(tmp_path):
    write_templates("ZH-01", tmp_path, language="zh", preset="tiny10")
    read = read_file(tmp_path / "data" / "ZH-01" / "tables.xlsx", "x", options=ReadOptions(sheet="subjects"))
    assert read.table.frame.columns[:3].tolist() == ["受试者编号", "性别", "年龄（岁）"]
    sdtm = read_data(read_study(tmp_path / "params" / "ZH-01-example.toml"))
    assert sdtm.findings == ()
    assert len(sdtm.domain("AE")) == len(make_study("tiny10")["AE"])


@pytest.mark.rule("NEW-03")
def test_nothing_is_overwritten(home, capsys):
    before = {p: p.read_bytes() for p in home.rglob("*") if p.is_file()}
    with pytest.raises(StudyError, match="nothing was written"):
        write_templates("TRIAL-01", home)
    assert cli.main(["new", "TRIAL-01", "--folder", str(home)]) == 1
    assert "exist" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in home.rglob("*") if p.is_file()} == before


@pytest.mark.rule("NEW-03")
@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "x.y"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(StudyError, match="no name of a study"):
        write_templates(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.rule("NEW-01")
def test_a_mistake_in_a_sheet_names_sheet_row_and_rule(home, tmp_path):
    study = home / "params" / "TRIAL-01-example.toml"
    (tmp_path / "x.csv").write_text("subject,sex,age,consent,first_dose\n01,F,sixty,2026-01-02,\n")
    mapping = '[source]\nname = "x"\npath = "x.csv"\n[table.subjects]\nidentity = true\n'
    (tmp_path / "m.toml").write_text(mapping)
    (tmp_path / "s.toml").write_text(
        study.read_text()
        .replace("mapping/TRIAL-01-example.toml", "m.toml")
        .replace("TRIAL-01.toml", str(home / "params" / "TRIAL-01.toml"))
    )
    with pytest.raises(DataError) as caught:
        open_data(read_study(tmp_path / "s.toml"))
    found = {(f.rule, f.domain, f.variable, f.row) for f in caught.value.findings}
    assert ("XD-TYPE", "subjects", "age", 2) in found
    assert ("XD-COLUMN", "DM", "ARMCD", None) in found


@pytest.mark.rule("NEW-01")
def test_the_command_says_what_it_wrote_and_what_comes_next(tmp_path, capsys, monkeypatch):
    written = (tmp_path / "params" / "T.toml", tmp_path / "data" / "T" / "tables.xlsx")
    asked = []

    def write(study_id, folder, *, language):
        asked.append((study_id, folder, language))
        return written

    monkeypatch.setattr("interim.example.template.write_templates", write)
    assert cli.main(["new", "T", "--folder", str(tmp_path), "--language", "zh"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:-1] == [f"written: {file}" for file in written]
    assert lines[-1] == f"next: fill the tables, then: interim check {tmp_path / 'params' / 'T.toml'}"
    assert asked == [("T", tmp_path, "zh")]
