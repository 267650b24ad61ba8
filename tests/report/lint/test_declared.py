"""What is declared in files: patterns of digits, words, tables of the plan; each with an example and a near miss."""

from __future__ import annotations

import pytest

from interim.display.prose import without_allowed
from interim.report.lint.order import plan_hash, registry_hash
from interim.report.lint.renderings import two_renderings
from interim.report.lint.typed import typed_numbers
from interim.report.notebook import typed_numbers as notebook_numbers
from interim.report.shells import FOOTNOTES, POPULATIONS, checklist, read_shells, shell_of, shells, tiers
from tests.report.lint import package as p

EXAMPLES = [
    ("T 14.2.2.1", "T 14"),
    ("F 14.1.1.1", "F 1"),
    ("L 16.2.7.1", "L 16"),
    ("N 14.3.3", "N 14"),
    ("AMB-1", "AMB 1"),
    ("OP-8", "OP 8"),
    ("NCT07021534", "NCT0702153"),
    ("section 4.2", "part 4.2"),
    ("Sections 4", "paragraph 4"),
    ("chapter 5", "volume 5"),
    ("document 05", "document 5"),
    ("RECIST 1.1", "RECIST 2"),
    ("CTCAE v5.0", "CTCAE 5"),
    ("ASTCT 2019", "ASTCT 2020"),
    ("ICH E9(R1)", "ICH 9"),
    ("E9(R1)", "E20 draft 2025"),
    ("grade 3", "grade 7"),
    ("Grades ≥ 2", "level 2"),
    ("phase 1b", "phase 5"),
    ("3+3", "3 + 3"),
    ("day 0", "day 7"),
    ("Beta(1,1)", "Beta(2,1)"),
    ("NKG2D", "NKG3"),
    ("SHA-256", "SHA 256"),
    ("CA19-9", "CA 19"),
    ("x 10^9/L", "10^9 cells"),
    ("“12 weeks”", '"12 weeks"'),
    ("「12 周」", "12 周"),
    ("表 14.2.2.1", "表 14"),
    ("图14.1.1.1", "图 1"),
    ("第 4.2 节", "第 4 项"),
    ("文件 05", "文件 5"),
    ("3 级", "7 级"),
    ("第 0 天", "第 7 天"),
    ("SPIRIT-DEFINE 2023", "SPIRIT 2013"),
    ("CONSORT-ACE 2020", "CONSORT 2010"),
    ("WCAG 2.2", "WCAG 3"),
    ("PDF/A-2a", "PDF 17"),
]


def digits(text: str) -> str:
    return "".join(c for c in without_allowed(text) if c.isdigit())


@pytest.mark.rule("LNT-01", source="display/prose.toml")
@pytest.mark.parametrize(("fits", "misses"), EXAMPLES)
def test_a_declared_pattern_fits_its_example_and_not_a_near_miss(fits, misses):
    assert digits(f"see {fits}, then") == ""
    assert digits(f"see {misses}, then") != ""


@pytest.mark.rule("NB-02", source="one list of patterns for notebooks and documents")
@pytest.mark.parametrize(("fits", "misses"), EXAMPLES)
def test_notebooks_and_documents_permit_the_same_patterns(fits, misses):
    assert list(notebook_numbers(f"See {fits}.")) == []
    assert list(notebook_numbers(f"See {misses}.")) != []
    assert list(typed_numbers(p.checked(p.say(f"See {fits}.")))) == []
    assert list(typed_numbers(p.checked(p.say(f"See {misses}.")))) != []


@pytest.mark.rule("NB-02")
def test_numbers_of_a_list_are_no_typed_numbers():
    assert list(notebook_numbers("1. first\n2. second")) == []
    assert len(list(notebook_numbers("1. first of 3"))) == 1


@pytest.mark.rule("LNT-07", source="decision 270")
@pytest.mark.parametrize(
    ("table", "counts"),
    [
        ("dose", True),
        ("dlt", True),
        ("stats", True),
        ("response", True),
        ("subgroups", True),
        ("expansion", True),
        ("study", False),
        ("data", False),
        ("report", False),
        ("pdf", False),
        ("privacy", False),
        ("figure", False),
    ],
)
def test_which_tables_belong_to_the_plan(table, counts):
    assert (plan_hash({table: {"x": 1}}) != plan_hash({table: {"x": 2}})) is counts


@pytest.mark.rule("LNT-07")
def test_the_registry_is_the_entries_and_their_rules():
    values = {"subgroups": [{"id": "a", "cuts": [5]}], "subgroup": {"gap_pp": 40}, "dose": {}}
    other = {**values, "subgroups": [{"id": "a", "cuts": [3]}]}
    rules = {**values, "subgroup": {"gap_pp": 30}}
    assert len({registry_hash(one) for one in (values, other, rules)}) == 3
    assert registry_hash({**values, "dose": {"levels": 9}}) == registry_hash(values)


@pytest.mark.rule("LNT-03")
@pytest.mark.parametrize(
    ("one", "other", "hits"),
    [
        ("33%", "33%", 0),
        ("33%", "34%", 1),
        ("33.3%", "33%", 0),  # another number of decimals is another layout
        ("33.3%", "33.4%", 1),
        ("0.33", "33%", 0),
        ("1/3 (33%)", "1/3 (34%)", 1),
        ("not reached", "not estimable", 0),
    ],
)
def test_which_renderings_of_a_result_contradict(one, other, hits):
    key = p.key("orr/-/rate")
    found = list(two_renderings(p.checked(p.say("Here ", (one, key)), p.say("there ", (other, key)))))
    assert len(found) == hits


@pytest.mark.rule("CHK-01", source="spec/tlf_shells.csv and spec/checklist.csv, read by hand")
def test_single_rows_of_both_files():
    flow = shells()["T 14.1.1.1"]
    assert (flow.title, flow.population, flow.columns) == (
        "Participant disposition",
        ("ENR",),
        ("@DOSECOLS",),
    )
    assert shells()["T 14.2.2.1"].population == ("FAS", "RE")
    assert shells()["L 16.2.6.2"].columns == ("ID", "site", "day", "status")
    by_name = {(item.guideline, item.item): item for item in checklist()}
    harms = by_name["CONSORT-DEFINE 2023", "19"]
    assert (harms.documents, harms.sections, len(harms.tlfs)) == (("05",), ("9",), 14)
    assert by_name["ICH E3", "1"].tlfs == ()
    assert by_name["CORE Reference", "privacy"].documents == ("13",)


@pytest.mark.rule("CHK-01")
@pytest.mark.parametrize("code", sorted(FOOTNOTES))
def test_every_footnote_of_the_library_may_stand_in_a_shell(code):
    row = dict.fromkeys(("title", "columns", "rows", "statistics", "source"), "x")
    (shell,) = read_shells(
        [{**row, "id": "T 1.1", "population": "ENR", "footnotes": f"{code}; a note", "tier": "A"}]
    )
    assert shell.footnotes == (code, "a note")


@pytest.mark.rule("CHK-01")
@pytest.mark.parametrize("code", sorted(POPULATIONS))
def test_every_population_may_stand_in_a_shell(code):
    row = dict.fromkeys(("title", "columns", "rows", "statistics", "source"), "x")
    (shell,) = read_shells([{**row, "id": "T 1.1", "population": code, "footnotes": "", "tier": "S"}])
    assert shell.population == (code,)


@pytest.mark.rule("CHK-01")
def test_objects_with_letters_and_numbers_belong_to_their_shell():
    assert [shell_of(name) for name in ("T 14.2.3.6a", "L 16.2.9.2.12")] == ["T 14.2.3.6", "L 16.2.9.2"]
    assert tiers()["N 14.3.3"] == "S"
