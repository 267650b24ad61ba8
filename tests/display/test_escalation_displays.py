"""Tables and figures of the dose-finding chapter: what they print, where each number comes from, what they say without data."""

from __future__ import annotations

import pytest

import interim.display as display
from interim.analysis.reading_row import answered
from interim.display.escalation_listing import layouts
from interim.display.numbers import Numbers
from interim.display.readings import table_readings
from interim.result import Rows
from tests.analysis.dose_finding.conftest import case, main13

__all__ = ["case", "main13"]

TABLES = (
    ("escalation_log.decision_log", "table_decision_log"),
    ("escalation_log.conformance", "table_conformance"),
    ("escalation_log.sensitivity", "table_rule_options"),
    ("escalation_events.dlt_details", "table_dlt_details"),
    ("escalation_events.trigger_candidates", "table_trigger_candidates"),
    ("escalation_model.dlt_curve", "table_dlt_curve"),
    ("escalation_design.characteristics", "table_characteristics"),
    ("escalation_stop.stopping_triggers", "table_stopping_triggers"),
)
FIGURES = (
    ("escalation_events.course", "figure_escalation_course"),
    ("escalation_model.dlt_curve", "figure_dlt_curve"),
)


@pytest.fixture(scope="module")
def shown(main13):
    """Return a function question, display -> what is shown of main13."""

    def show(question, name):
        result = answered(question, main13.adam, main13.study, sdtm=main13.sdtm)
        return getattr(display, name)(result, main13.study), result

    return show


def cells(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


@pytest.mark.rule("DOSEQ-16")
@pytest.mark.parametrize(("question", "name"), TABLES)
def test_every_number_of_a_table_is_a_row_of_the_result(shown, question, name):
    table, result = shown(question, name)
    known = set(result.frame["result_id"])
    assert table.rows and set(table.keys) <= known
    assert all(cell.text.strip() for row in table.rows for cell in row.cells)


@pytest.mark.rule("DOSEQ-16")
@pytest.mark.parametrize(("question", "name"), FIGURES)
def test_every_figure_says_what_it_shows(shown, question, name):
    figure, result = shown(question, name)
    assert set(figure.keys) <= set(result.frame["result_id"])
    assert figure.svg.startswith("<?xml") and figure.png[:4] == b"\x89PNG"
    again, _ = shown(question, name)
    assert (again.svg, again.png) == (figure.svg, figure.png)


@pytest.mark.rule("DOSEQ-16")
@pytest.mark.parametrize(("question", "name"), (*TABLES, *FIGURES))
def test_without_data_the_reason_stands_in_words(adam, arms, main13, question, name):
    result = answered(question, adam, arms, sdtm=main13.sdtm)
    table = getattr(display, name)(result, arms)
    assert "no dose ladder" in table.text()


@pytest.mark.rule("DOSEQ-16")
def test_the_decision_log_ends_with_the_cut_off_and_the_concordance(shown):
    table, _ = shown("escalation_log.decision_log", "table_decision_log")
    rows = cells(table)
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5", "6", "Cut-off", "Concordant decisions"]
    assert rows[-1][1] == "6/6 (100%)" and rows[-2][8] == "enrol 3 at DL4 [U2]"
    assert [row[3] for row in rows[:6]] == ["1", "1", "2", "3", "3", "3"]
    assert table.orientation == "landscape"


@pytest.mark.rule("DOSEQ-16")
def test_participants_are_printed_without_the_study_id(shown):
    table, _ = shown("escalation_events.dlt_details", "table_dlt_details")
    assert cells(table)[0][1] == "01-011"
    assert "not from the registered text (OP-3)" in table.footnotes[0]
    assert "DLT-NONHAEM" in table.footnotes[0]
    assert cells(table)[0][-1] == "not available"
    assert table.footnotes[1] == "Adjudication not available: the data hold no adjudication of the events."


@pytest.mark.rule("DOSEQ-16")
def test_the_curve_has_one_column_per_level(shown, main13):
    table, _ = shown("escalation_model.dlt_curve", "table_dlt_curve")
    assert [head.text.split("\n")[0] for head in table.header[0][1:]] == [
        label for code, label in main13.study.cohorts().items() if code.startswith("DL")
    ]
    rows = {row[0]: row[1:] for row in cells(table)}
    assert rows["Observed DLT, x/n (%)"][2] == "1/6 (17%)"
    assert rows["Beta(1,1) per level: mean"] == ["0.33", "0.20", "0.25", "0.20"]
    assert rows["BOIN decision"][3] == "escalate"
    assert rows["3+3 rule of the study"] == ["open", "cleared", "cleared", "cleared"]


@pytest.mark.rule("DOSEQ-16")
def test_the_course_counts_its_marks(shown):
    figure, _ = shown("escalation_events.course", "figure_escalation_course")
    assert "n=13" in figure.alt and "DL3 n=6" in figure.alt and "1 DLT" in figure.alt


@pytest.mark.rule("DOSEQ-16")
def test_characteristics_have_a_section_per_scenario(shown):
    table, _ = shown("escalation_design.characteristics", "table_characteristics")
    sections = [row.cells[0].text for row in table.rows if row.kind == "section"]
    assert sections == ["Low toxicity", "Target at the third level", "Toxic"]
    assert [head.text for head in table.header[0]] == [
        "Scenario",
        "AMB-1 A",
        "AMB-1 B",
        "from the present state",
    ]


@pytest.mark.rule("DOSEQ-16")
def test_a_reading_that_cannot_be_evaluated_shows_its_reason(study):
    rows = Rows("readings.tipping", "Readings")
    for stat in (
        "cohorts",
        "triggers",
        "next_action",
        "mtd",
        "concordance",
        "orr",
        "dcr",
        "changed",
        "flips",
    ):
        rows.add(stat, None, variable="row", level="AMB-9 B", status="NA", reason="not evaluable: no rule")
    rows.add("is_default", None, text="no", variable="row", level="AMB-9 B")
    rows.add("n", 0, variable="flips", n=0, N=20)
    table = table_readings(rows.build(), study)
    assert cells(table)[0][2] == "not evaluable" and cells(table)[0][-1] == "not evaluable: no rule"
    assert cells(table)[-1][:2] == ["Readings that flip", "0/20"]


@pytest.mark.rule("DOSEQ-16")
def test_the_register_lists_readings_below_their_ambiguity(study):
    rows = Rows("readings.tipping", "Readings")
    for stat in ("title", "point", "used", "basis", "asked_of"):
        rows.add(stat, None, text=stat, variable="AMB-1")
    for letter in "AB":
        rows.add("text", None, text=f"reading {letter}", variable="AMB-1", level=letter)
        rows.add("effect", None, text="no flip", variable="AMB-1", level=letter)
    table = display.table_ambiguities(rows.build(), study)
    assert [row[0] for row in cells(table)] == ["AMB-1 title", "A", "B"]
    assert [row.indent for row in table.rows] == [0, 1, 1]
    assert table.title.startswith("Register of protocol ambiguities") and table.population == ""


@pytest.mark.rule("DOSEQ-16")
def test_a_listing_without_a_row_says_none(study):
    rows = Rows("escalation_events.dlt_details", "Details")
    rows.add("n", 0, variable="event", n=0)
    table = display.table_dlt_details(rows.build(), study)
    assert cells(table)[0] == ["None", *["–"] * len(layouts()["dlt_details"]["columns"])]
    assert Numbers(rows.build(), study).levels("event") == ("",)


@pytest.mark.rule("DOSEQ-14")
def test_sentences_of_the_chapter_have_their_rows_also_without_data(adam, study, main13):
    log = answered("escalation_log.decision_log", adam, study, sdtm=main13.sdtm)
    stop = answered("escalation_stop.stopping_triggers", adam, study, sdtm=main13.sdtm)
    for result, places in (
        (log, ("concordance//rate", "concordance//first")),
        (stop, ("outcome//ended_by", "outcome//next_action")),
    ):
        for place in places:
            variable, _, stat = place.split("/")
            found = result.where(variable=variable, stat=stat)
            assert found["status"].tolist() == ["NA"] and found["reason"].str.startswith("not derived").all()
