"""Every denominator of every result is a stated number of participants: over the whole synthetic study, and case by case."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from interim.adam import build_adam
from interim.analysis.measures import KINETIC_SETS
from interim.analysis.population import SETS
from interim.data import open_data
from interim.example import write_study
from interim.report.chapter import answers
from interim.report.lint import LINTERS, Checked
from interim.report.lint.bases import Bases, declarations, declared, filled
from interim.report.lint.denominator import unaccounted, wrong_sizes
from interim.report.lint.model import values_of
from interim.report.registry import registry
from interim.report.shells import shells
from interim.result import Result, ResultStore, Rows
from interim.study import read_study
from tests.report.lint import package as p

# Declared for studies with evaluators or null models that the synthetic one does not have.
NOT_IN_EXAMPLE = {
    r"concordance\.evaluators/.*",
    r"expansion_sensitivity\.sensitivity/row",
    r"uniqueness\.by_copy/.*",
}
FORMS = {"n", "sum", "count", "one", "rest"}
LABELS = (
    {code: item.label for code, item in SETS.items()}
    | {code: label for code, _, label, _ in KINETIC_SETS.values()}
    | {"BX": "Biopsy set", "BX-PAIR": "Paired biopsy set"}
)
# Decision 078: records of screening failures are checked too.
ALL_RECORDS = {"T 14.6.1", "T 14.6.2", "T 14.6.3", "T 14.6.5"}
WITHOUT_PEOPLE = {"sim", "external", "n/a"}


@pytest.fixture(scope="module")
def example(tmp_path_factory) -> ResultStore:
    """Return the answers to all questions on the synthetic study of the documents."""
    folder = tmp_path_factory.mktemp("bases")
    write_study(folder / "raw", preset="main13")
    file = folder / "study.toml"
    base = (p.ROOT / "params" / "example.toml").as_posix()
    file.write_text(f'extends = "{base}"\n[data]\npath = "raw"\n', encoding="utf-8")
    study = read_study(file)
    sdtm = open_data(study)
    return answers(build_adam(sdtm, study), study, sdtm)


@pytest.fixture(scope="module")
def rows(example):
    return values_of(example)


def counted(rows):
    return {key: row for key, row in rows.items() if row.N is not None}


@pytest.mark.rule("SAF-32", source="every result of the synthetic study")
def test_every_denominator_of_every_question_is_accounted_for(example, rows):
    assert len({row.analysis for row in counted(rows).values()}) > 100
    assert [str(finding) for finding in unaccounted(rows)] == []
    assert [str(finding) for finding in wrong_sizes(example)] == []


@pytest.mark.rule("SAF-32", source="one more and one less in every row of every question")
@pytest.mark.parametrize("by", [1, -1, 1000])
def test_a_wrong_denominator_is_found_wherever_it_stands(rows, by):
    """A row that states its own base is of itself or of its column: one more can be the other of the two."""
    bases = Bases(rows)
    missed = []
    for key, row in counted(rows).items():
        if any(declared("other", row)):
            continue
        wrong = row._replace(N=row.N + by)
        if (row.n or 0) <= wrong.N and bases.of(wrong)[0] == wrong.N:
            missed.append(key)
    for key in missed:
        row = rows[key]
        of = [filled(entry["base"], row) for entry in declared("denominator", row)]
        assert key in of or rows[key].analysis == "subgroups.limits", key
    assert len(missed) < 0.005 * len(counted(rows)) and (by != 1000 or not missed)


@pytest.mark.rule("SAF-32", source="one change in each question")
def test_the_finding_names_the_result(rows):
    """In every question the first row with a denominator of its column."""
    first = {}
    for key, row in counted(rows).items():
        if not any(declared("other", row)):
            first.setdefault(row.analysis, key)
    assert len(first) > 100
    planted = {
        key: row._replace(N=row.N + 1000) if key in first.values() else row for key, row in rows.items()
    }
    found = Counter(finding.cell for finding in unaccounted(planted) if finding.severity == "stop")
    assert set(first.values()) <= set(found)
    assert all(finding.severity == "stop" for finding in unaccounted(planted))
    assert {finding.place for finding in unaccounted(planted)} == set(first)


@pytest.mark.rule("SAF-32", source="the size of a column, in every question")
def test_a_wrong_size_of_a_column_is_found(example, rows):
    sized = {
        row.analysis: key for key, row in rows.items() if row.variable == "population" and row.stat == "N"
    }
    planted = {}
    for name, result in example.items():
        wrong = result.frame["result_id"] == sized.get(name)
        frame = result.frame.assign(n=result.frame["n"].where(~wrong, result.frame["n"] + 1))
        planted[name] = Result(name, frame, result.links, result.title)
    assert {finding.place for finding in wrong_sizes(ResultStore(planted))} == set(sized)


@pytest.mark.rule("LNT-02", source="report/lint/bases.toml")
def test_every_declaration_has_a_reason_and_decides_a_row_of_the_example(rows):
    used = {name: [False] * len(entries) for name, entries in declarations().items()}
    bases = Bases(rows)
    for row in counted(rows).values():
        for name in ("denominator", "other"):
            for place, entry in enumerate(declarations()[name]):
                if entry in declared(name, row):
                    used[name][place] |= name == "other" or bases.of(row)[1] == filled(entry["base"], row)
    for name in ("denominator", "other"):
        unused = [
            entry["row"] for entry, hit in zip(declarations()[name], used[name], strict=True) if not hit
        ]
        assert set(unused) <= NOT_IN_EXAMPLE
    for name, entries in declarations().items():
        for entry in entries:
            assert set(entry) <= {"row", "stat", "base", "take", "without", "reason"} and entry["reason"], (
                entry
            )
            assert entry.get("take", "n") in FORMS and (name == "other") == ("base" not in entry)
            assert ("without" in entry) == (entry.get("take") == "rest")


@pytest.mark.rule("LNT-05", source="T 14.5.2 repeats the rates of T 14.5.1, that of manufacture aside")
def test_the_interval_of_every_rate_of_the_rationale_stands_in_the_table_by_dose(rows):
    of = {key: row for key, row in rows.items() if row.analysis == "benefit_risk_rationale.rationale"}
    rates = [row for row in of.values() if row.stat == "rate" and row.variable != "manufactured"]
    assert {row.variable for row in rates} >= {
        "dlt",
        "related_g3",
        "crs_g2",
        "hepatic",
        "orr",
        "dcr",
        "marker_fall",
    }
    for row in rates:
        (entry,) = declared("interval", row)
        place = filled(entry["base"], row)
        assert (rows[f"{place}/rate"].n, rows[f"{place}/rate"].N) == (row.n, row.N)
        assert f"{place}/lower" in rows and f"{place}/upper" in rows


# Case by case


def store(*results: Rows) -> ResultStore:
    made = [rows.build() for rows in results]
    return ResultStore({result.analysis_id: result for result in made})


def one(name="safety.x", **changed) -> Rows:
    """A question with three participants and one count."""
    rows = Rows(name, "Title", population="NK safety set")
    rows.add("N", 3, variable="population", n=3, N=3, subjects=["S1", "S2", "S3"])
    count = {"variable": "feature", "n": 1, "N": 3, "subjects": ["S1"]} | changed
    rows.add("n", count["n"], **count)
    return rows


def words(*results: Rows) -> list[str]:
    return [finding.what for finding in unaccounted(values_of(store(*results)))]


@pytest.mark.rule("SAF-32", source="one change at a time")
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"N": 4}, ["denominator 4, but the size of the column is 3"]),
        ({"N": 2}, ["denominator 2, but the size of the column is 3"]),
        ({"n": 5}, ["5 of 3"]),
        ({"group": "DL9"}, ["no result states what 3 is"]),
    ],
)
def test_a_denominator_is_the_size_of_its_column(changed, expected):
    assert words(one(**changed)) == expected


def test_a_base_that_no_result_states_is_a_warning():
    (finding,) = unaccounted(values_of(store(one(group="DL9"))))
    assert finding.severity == "warn" and finding.place == "safety.x"
    (stop,) = unaccounted(values_of(store(one(N=4))))
    assert stop.severity == "stop" and stop.cell == "safety.x/total/feature/-/n"


@pytest.mark.parametrize(("size", "severity"), [(2, "warn"), (4, "stop")])
def test_a_narrower_denominator_is_a_warning_until_it_is_declared(size, severity):
    (finding,) = unaccounted(values_of(store(one(N=size))))
    assert finding.severity == severity and finding.what.startswith(f"denominator {size}")


def period(reached: int, n: int, size: int) -> Rows:
    rows = Rows("safety_period.teae_by_period", "Events by period")
    rows.add("N", 3, variable="population", n=3, N=3, subjects=["S1", "S2", "S3"])
    rows.add("n", reached, variable="CART_C1", level="reached", n=reached, N=3)
    rows.add("n", n, variable="CART_C1", level="any", n=n, N=size)
    return rows


@pytest.mark.rule("SAF-32", source="a narrower base is a row of its own")
@pytest.mark.parametrize(("size", "hits"), [(2, 0), (3, 1), (1, 1)])
def test_a_declared_base_counts_and_not_the_column(size, hits):
    assert len(words(period(2, 1, size))) == hits


def cross(n: int) -> Rows:
    rows = Rows("concordance.routes", "Routes")
    for level, count in (("PR > PR", 2), ("SD > PR", 3)):
        rows.add("n", count, variable="matrix", level=level, n=count, N=n)
    return rows


@pytest.mark.rule("SAF-32", source="2 + 3")
@pytest.mark.parametrize(("n", "hits"), [(5, 0), (6, 2), (4, 2)])
def test_the_cells_of_a_cross_table_add_up_to_its_denominator(n, hits):
    assert len(words(cross(n))) == hits


def sides(below: int, above: int) -> Rows:
    rows = Rows("subgroups.cut_path", "Cuts")
    rows.add("N", 10, group="nlr", variable="measured", n=10)
    for side, n in (("below", below), ("above", above)):
        rows.add("rate", 0.0, group="nlr", variable=side, level="5", n=0, N=n)
    return rows


@pytest.mark.rule("SAF-32", source="both sides of a cut-point are everybody measured")
@pytest.mark.parametrize(("below", "above", "hits"), [(4, 6, 0), (4, 7, 2), (3, 6, 2)])
def test_both_sides_of_a_cut_point_are_all_who_were_measured(below, above, hits):
    assert len(words(sides(below, above))) == hits


def sets_and(members, size, *, group="Total") -> list[str]:
    sets = Rows("disposition.analysis_sets", "Sets")
    sets.add("n", 3, n=3, variable="ENR", subjects=("S1", "S2", "S3"))
    sets.add("n", 2, n=2, variable="FAS", subjects=("S1", "S2"))
    rows = Rows("safety.x", "Title")
    if group != "Total":
        rows.add("N", 2, variable="population", n=2, N=2, subjects=("S1", "S2"))
    rows.add("N", size, group=group, variable="population", n=size, N=size, subjects=members)
    return [finding.what for finding in wrong_sizes(store(sets, rows))]


@pytest.mark.rule("SAF-32", source="the members of a set")
@pytest.mark.parametrize(
    ("members", "size", "group", "expected"),
    [
        (["S1", "S2", "S3"], 3, "Total", []),
        (["S1", "S2"], 2, "Total", []),
        (["S1", "S3"], 2, "Total", ["the 2 participants are the members of no analysis set"]),
        (["S1", "S2"], 3, "Total", ["N=3, but 2 participants are behind it"]),
        (["S2"], 1, "DL1", []),
        (["S2", "S3"], 2, "DL1", ["S3 in column DL1 and not in the total"]),
    ],
)
def test_a_size_is_the_number_of_members_of_a_set(members, size, group, expected):
    assert sets_and(members, size, group=group) == expected


@pytest.mark.rule("LNT-02", source="the gate asks once for each run")
def test_the_linter_reads_results_that_nobody_prints():
    checked = Checked({}, store(one(N=4)), p.study())
    assert [finding.cell for finding in LINTERS["base"](checked)] == ["safety.x/total/feature/-/n"]


def test_parts_of_a_pattern_are_those_of_the_row():
    (row,) = values_of(store_of_one_level()).values()
    assert filled("{analysis}/{group}/{variable}/{level}/n", row) == "a.b/dl1/two-words/-/n"
    assert re.fullmatch(filled("{analysis}/[^/]+/x", row), "a.b/dl9/x")


def store_of_one_level() -> ResultStore:
    rows = Rows("a.b", "Title")
    rows.add("n", 1, group="DL1", variable="two words", n=1, N=1)
    return store(rows)


@pytest.fixture(scope="module")
def captions(example):
    """Return the population of every planned object on the synthetic study."""
    return {tlf.id: example[tlf.analysis].population for tlf in registry() if tlf.analysis in example}


@pytest.mark.rule("CHK-10", source="tlf_shells.csv")
def test_captions_name_the_set_of_the_shell(captions):
    planned = {
        name: [LABELS[code] for code in shell.population]
        for name, shell in shells().items()
        if name in captions and not WITHOUT_PEOPLE & set(shell.population)
    }
    assert len(planned) > 100
    joined = {name: "; ".join(labels) for name, labels in planned.items()}
    other = {
        name: captions[name]
        for name, labels in planned.items()
        if captions[name] not in (*labels, joined[name])
    }
    assert other == dict.fromkeys(sorted(ALL_RECORDS), "All records")


@pytest.mark.rule("CHK-10")
def test_two_sets_in_one_caption_are_both_named(captions):
    assert captions["T 14.1.3.7"] == "NK safety set; CAR-T safety set"
