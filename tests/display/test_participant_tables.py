"""Tables of the participants: deviations, completeness, history, burden and their listings, cell by cell."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from interim import display
from interim.analysis.records import participant_rows
from interim.display.by_dose import layouts
from interim.result import TOTAL, Rows
from tests.display.results_by_hand import absent, counts, opened, plain
from tests.display.test_tables_cells import lines

LABELS = tomllib.loads(files("interim.display").joinpath("labels.toml").read_text(encoding="utf-8"))


def deviations() -> Rows:
    rows = opened("deviations.important")
    for variable, level, people, events in (
        ("any", "", (2, 6, 8), (2, 9, 11)),
        ("important", "", (0, 1, 1), (0, 2, 2)),
        ("important: dlt_window", "", (0, 1, 1), (0, 2, 2)),
        ("important: dlt_window", "DAY 14 LABORATORY MISSED", (0, 1, 1), (0, 2, 2)),
    ):
        counts(rows, variable, *people, level=level)
        plain(rows, variable, *events, level=level, stat="events")
    return rows


def test_deviations_by_part_category_and_kind(study):
    table = display.table_terms(deviations().build(), study)
    assert lines(table) == [
        (0, "Any protocol deviation", ["2/3 (67%) [2]", "6 (50.0%) [9]", "8 (53.3%) [11]"]),
        (0, "Important deviation", ["0/3", "1 (8.3%) [2]", "1 (6.7%) [2]"]),
        (1, "Assessment in the DLT window", ["0/3", "1 (8.3%) [2]", "1 (6.7%) [2]"]),
        (2, "Day 14 laboratory missed", ["0/3", "1 (8.3%) [2]", "1 (6.7%) [2]"]),
    ]
    assert table.footnotes[0] == layouts()["deviations.important"]["notes"][0]


def test_the_bracket_of_the_history_is_what_is_still_present(study):
    rows = opened("history.medical")
    counts(rows, "condition: Vascular disorders", 1, 6, 7)
    counts(rows, "condition: Vascular disorders", 1, 3, 4, stat="ongoing")
    shown = lines(display.table_terms(rows.build(), study))
    assert shown == [(1, "Vascular disorders", ["1/3 (33%) [1]", "6 (50.0%) [3]", "7 (46.7%) [4]"])]


@pytest.mark.parametrize(
    ("analysis", "variable", "text"),
    [
        ("deviations.important", "any", "Any protocol deviation – no DV"),
        ("history.medical", "condition", "Any condition – no DV"),
        ("history.medication", "concomitant", "Concomitant medication – no DV"),
    ],
)
def test_a_table_without_data_says_why(study, analysis, variable, text):
    rows = opened(analysis)
    absent(rows, variable, "no DV")
    assert lines(display.table_terms(rows.build(), study)) == [(0, text, ["NA", "NA", "NA"])]


def completeness(out: int = 0) -> Rows:
    rows = Rows("completeness.by_visit", "Completeness", population="NK safety set", group_var="COHORTA")
    rows.add("N", 15, variable="population", n=15, N=15)
    for name, visit, done, size in (
        ("visit", "NK DAY 7", 15, 15),
        ("labs", "NK DAY 7", 11, 15),
        ("visit", "CART C1D1", 0, 0),
    ):
        place = {"variable": name, "level": visit}
        rows.add("expected", size, n=size, N=size, **place)
        if not size:
            rows.add("rate", None, n=0, N=0, status="NE", reason="NO_DATA", **place)
            continue
        rows.add("rate", done / size, n=done, N=size, **place)
        rows.add("out", out, n=out, N=size, **place)
        for stat, number in (("median", 0.5), ("min", -1.0), ("max", 2.0)):
            rows.add(stat, number, unit="days", n=done, **place)
    return rows


def test_done_of_expected_by_visit(study):
    table = display.table_completeness(completeness().build(), study)
    assert [head.text for head in table.header[0]] == ["Visit", "Held", "Laboratory", "Days off"]
    assert lines(table) == [
        (0, "NK day 7", ["15/15 (100%)", "11/15 (73.3%)", "1 (-1, 2)"]),
        (0, "CAR-T C1D1", ["0/0", "–", "–"]),
    ]
    assert table.orientation == "landscape"


def test_what_was_outside_the_window_stands_in_brackets(study):
    table = display.table_completeness(completeness(out=3).build(), study)
    assert lines(table)[0][2][:2] == ["15/15 (100%) [3]", "11/15 (73.3%) [3]"]
    assert any(key.endswith("/out") for key in table.rows[0].cells[1].keys)


def test_an_assessment_without_a_domain_is_explained_below(study):
    rows = completeness()
    for visit in ("NK DAY 7", "CART C1D1"):
        rows.add("rate", None, variable="ecg", level=visit, status="NA", reason="not available: no EG")
    table = display.table_completeness(rows.build(), study)
    assert [cell.text for cell in table.rows[0].cells][3:] == ["NA", "1 (-1, 2)"]
    assert "ECG: not available: no EG." in table.footnotes
    assert not [note for note in table.footnotes if note.startswith("Laboratory")]


def test_without_planned_visits_the_reason_is_the_row(study):
    rows = Rows("completeness.by_visit", "Completeness", population="NK safety set", group_var="COHORTA")
    rows.add("N", 15, variable="population", n=15, N=15)
    rows.add("rate", None, variable="visit", status="NA", reason="not available: no plan")
    assert lines(display.table_completeness(rows.build(), study)) == [
        (0, "Not available: no plan", ["–", "–"])
    ]


def test_a_marker_has_its_unit_and_what_is_below_the_limit(study):
    rows = opened("baseline_measures.biomarkers")
    plain(rows, "CEA", 3, 12, 15, stat="n")
    plain(rows, "CEA", 0, 2, 2, stat="n_blq")
    for stat in ("mean", "sd", "median", "q1", "q3", "min", "max"):
        for group, number in zip(("DL1", "DL2", TOTAL), (5.0, 6.0, 7.0), strict=True):
            rows.add(stat, number, group=group, variable="CEA", unit="ng/mL", n=3)
    shown = lines(display.table_disease(rows.build(), study))
    assert shown[0] == (-1, "Carcinoembryonic antigen, ng/mL", [])
    assert shown[2] == (1, "Below the limit of quantification, n", ["0", "2", "2"])


def test_grades_and_numbers_of_lesions_have_words(study):
    rows = opened("baseline_measures.burden")
    counts(rows, "NLIVER", 1, 2, 3, level=">=1 to <4")
    counts(rows, "ALBIBL", 1, 2, 3, level=">-2.6 to <=-1.39")
    counts(rows, "EXTRAHEP", 1, 2, 3, level="node")
    shown = [text for _, text, _ in lines(display.table_disease(rows.build(), study))]
    assert shown == [
        "Liver lesions identified",
        "1 to 3",
        "ALBI score and grade",
        "Grade 2 (above -2.60 to -1.39)",
        "Extrahepatic disease (a participant may have several)",
        "Lymph node",
    ]


def test_a_number_of_a_listing_is_centred_where_a_text_follows_it(study):
    rows = Rows("prior_therapy.listed", "Listing: Prior therapy", population="NK safety set", group_var="")
    rows.add("n", 1, variable="records", n=1)
    place = {"variable": "record", "level": "101-001 1"}
    for stat, text in (("participant", "101-001"), ("dose", "DL1"), ("regimen", "S-1"), ("response", "PD")):
        rows.add(stat, None, text=text, **place)
    rows.add("line", 2.0, **place)
    table = display.table_listing(rows.build(), study)
    assert table.align == ("left", "left", "center", "left", "left", "left")
    assert lines(table) == [(0, "101-001", ["DL1 1.5e7", "2", "S-1", "PD", "–"])]


@pytest.mark.parametrize("name", ["burden", "biomarkers"])
def test_every_variable_of_the_baseline_has_a_word(name):
    assert {spec["variable"] for spec in participant_rows()[name]} <= set(LABELS["baseline"])


def test_every_class_category_and_assessment_has_a_word():
    rows = participant_rows()
    prior = layouts()["prior_therapy.overview"]["levels"]
    assert {*rows["prior"]["classes"], *rows["prior"]["liver"], *rows["prior"]["other"]} <= set(prior)
    groups = layouts()["deviations.important"]["groups"]
    assert {*rows["deviations"]["categories"], rows["deviations"]["other"]} == set(groups)
    assert set(groups) == set(LABELS["deviation_category"])
    assert {row["id"] for row in rows["assessments"]} <= set(LABELS["assessments"])
    assert set(LABELS["units_of_data"]) == {
        spec["variable"]
        for name in ("burden", "biomarkers")
        for spec in rows[name]
        if spec["kind"] == "parameter"
    }
