"""The planned package: both files are checked when read, the registry is complete, the shell book shows all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from interim.cli import main
from interim.errors import ReportError
from interim.report import registry as r
from interim.report.shellbook import columns_of, shell_book
from interim.report.shells import checklist, read_items, read_shells, shells
from interim.study import read_study

ROOT = Path(__file__).resolve().parents[2]
SHELL = {
    "id": "T 14.1.1.1",
    "title": "Flow",
    "population": "ENR; FAS",
    "columns": "@DOSECOLS | Note",
    "rows": "a; b",
    "statistics": "n (%)",
    "footnotes": "PCT; relative months only; AMB-5",
    "source": "DM",
    "tier": "B",
}
ITEM = {
    "guideline": "G 2023",
    "item": "1a",
    "requirement_paraphrased": "says it",
    "type": "new",
    "verification": "checked",
    "relevance_interim": "full",
    "document": "01; 05",
    "section": "2; title page",
    "tlf": "T 14.1.1.1; all",
    "automated_check": "manual",
}


@pytest.fixture(scope="module")
def study():
    return read_study(ROOT / "params" / "example.toml")


@pytest.mark.rule(
    "CHK-01", source="report-package.md section 1: 99 tables, 26 figures, 25 listings, 1 narrative"
)
def test_the_planned_package_has_the_objects_of_the_specification():
    counts = {letter: sum(name.startswith(letter) for name in shells()) for letter in "TFLN"}
    assert counts == {"T": 99, "F": 26, "L": 25, "N": 1}
    tiers = [shell.tier for shell in shells().values()]
    assert {tier: tiers.count(tier) for tier in "BAS"} == {"B": 93, "A": 30, "S": 28}
    assert len(checklist()) == 130


@pytest.mark.rule("CHK-01")
def test_a_row_is_read_into_its_parts():
    (shell,) = read_shells([SHELL])
    assert (shell.population, shell.columns, shell.rows) == (
        ("ENR", "FAS"),
        ("@DOSECOLS", "Note"),
        ("a", "b"),
    )
    (item,) = read_items([{**ITEM, "section": "-"}], known={"T 14.1.1.1"})
    assert (item.documents, item.sections, item.tlfs) == (("01", "05"), (), ("T 14.1.1.1", "all"))


@pytest.mark.rule("CHK-01", source="report-package.md section 1: one error lists all bad rows")
def test_all_bad_shells_are_listed_at_once():
    bad = [
        SHELL,
        SHELL,
        {**SHELL, "id": "T14"},
        {
            **SHELL,
            "id": "T 1.1",
            "title": " ",
            "population": "ENR; XYZ",
            "footnotes": "PCT; QQQ",
            "tier": "C",
        },
        {**SHELL, "id": "T 1.2", "population": ""},
        {"id": "T 1.3"},
    ]
    with pytest.raises(ReportError) as caught:
        read_shells(bad)
    lines = str(caught.value).splitlines()
    assert lines[0] == "tlf_shells.csv is wrong, 8 problem(s):"
    for text in (
        "row 4, T14: an id is T, F, L or N",
        "row 5, T 1.1: the title is blank",
        "row 5, T 1.1: unknown population XYZ",
        "row 5, T 1.1: unknown footnote id QQQ",
        "row 5, T 1.1: tier 'C'",
        "row 6, T 1.2: unknown population (blank)",
        "row 7, T 1.3: lacks title, population",
        "T 14.1.1.1: stands 2 times",
    ):
        assert any(line.startswith(text) for line in lines), (text, lines)


@pytest.mark.rule("CHK-01")
def test_all_bad_items_are_listed_at_once():
    bad = [ITEM, ITEM, {**ITEM, "item": "2", "document": "05; 15"}, {**ITEM, "item": "3", "tlf": "T 9.9; -"},
           {**ITEM, "item": "4", "automated_check": ""}]  # fmt: skip
    with pytest.raises(ReportError) as caught:
        read_items(bad, known={"T 14.1.1.1"})
    assert str(caught.value).splitlines() == [
        "checklist.csv is wrong, 4 problem(s):",
        "row 4, G 2023, item 2: unknown document 15",
        "row 5, G 2023, item 3: T 9.9 is no planned table, figure or listing",
        "row 6, G 2023, item 4: lacks automated_check",
        "G 2023, item 1a: stands 2 times",
    ]


@pytest.mark.rule("CHK-02")
def test_every_planned_object_is_made_or_declared_or_known_to_be_absent():
    elsewhere = {"T 14.6.6", "T 14.6.7", "T 14.6.8"}
    assert set(r.absent()) == set(shells()) - {tlf.id for tlf in r.registry()} - set(r.declared()) - elsewhere
    assert r.absent(shells()) == ()


@pytest.mark.rule("CHK-02", source="the switch of the registry file")
def test_a_complete_registry_must_be_complete():
    assert r.must_be_complete() or r.absent(), (
        "registry.toml: set complete = true, every shell is made or declared"
    )


@pytest.mark.rule("CHK-02")
def test_an_absent_object_fails_the_build_once_the_registry_must_be_complete(monkeypatch):
    monkeypatch.setattr(r, "absent", lambda: ("T 14.6.6",))
    monkeypatch.setattr(r, "must_be_complete", lambda: False)
    assert r.check_complete() == ("T 14.6.6",)
    monkeypatch.setattr(r, "must_be_complete", lambda: True)
    with pytest.raises(
        ReportError, match=r"1 planned objects .*\nT 14.6.6: Changes since the previous data cut"
    ):
        r.check_complete()


@pytest.mark.rule("CHK-02")
def test_declarations_are_checked():
    fine = [{"id": "T 14.6.6", "reason": "not applicable: first cut"}]
    assert r.read_declared(fine, made=[]) == {"T 14.6.6": "not applicable: first cut"}
    bad = [
        {"id": "T 9.9", "reason": "x"},
        {"id": "T 14.1.1.1", "reason": "x"},
        {"id": "T 14.6.6", "reason": " "},
    ]
    with pytest.raises(ReportError) as caught:
        r.read_declared(bad, made=["T 14.1.1.1"])
    assert len(str(caught.value).splitlines()) == 4


@pytest.mark.rule("CHK-03", source="report-package.md section 4: dose columns of the study, empty levels too")
def test_the_shell_book_holds_every_shell_with_the_columns_of_the_study(study):
    book = shell_book(study)
    assert [table.id for table in book.tables] == sorted(
        shells(), key=lambda i: [int(n) for n in i[2:].split(".")]
    )
    flow = book.tables[0]
    heads = [head.text.partition("\n")[0] for head in flow.header[0]]
    assert heads == ["Item", "DL1 1.5e7", "DL2 3e7", "DL3 5e7", "DL4 7e7", "NK only", "Total"]
    shell = shells()["T 14.1.1.1"]
    assert [row.cells[0].text for row in flow.rows] == list(shell.rows)
    assert all(len(row.cells) == len(table.widths) for table in book.tables for row in table.rows)
    text = " ".join(book.texts())
    for one in shells().values():
        assert one.title in text and f"Statistics: {one.statistics}." in text
    assert "SHELLS - NO DATA" in book.front.labels


@pytest.mark.rule("CHK-03")
def test_dose_columns_stand_where_the_shell_has_them(study):
    (shell,) = read_shells([SHELL])
    assert columns_of(shell, study)[-2:] == ("Total\nN=xx", "Note")
    curve = next(table for table in shell_book(study).tables if table.id == "T 14.2.1.6")
    assert next(row.cells[0].text for row in curve.rows) == "DL1 1.5e7"


@pytest.mark.rule("CHK-03", source="no data of this study exist")
def test_the_command_writes_the_book_without_data(tmp_path, capsys):
    base = (ROOT / "params" / "nct07021534.toml").as_posix()
    file = tmp_path / "s.toml"
    file.write_text(
        f'extends = "{base}"\n[study]\nid = "X"\nseed = 1\n[data]\npath = "nowhere"\ncut_date = 2026-06-30\n'
        'cut_description = "x"\n[report]\nformats = ["html"]\n',
        encoding="utf-8",
    )
    assert main(["shells", str(file), str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "shells.html").read_text(encoding="utf-8")
    assert page.count("<caption") == 151 and "Narrative 14.3.3" in page
    assert capsys.readouterr().out.startswith("wrote ")
