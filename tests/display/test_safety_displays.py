"""Tables and figures of exposure, safety periods, laboratory and immune toxicity: no empty cell, no code, every number linked."""

from __future__ import annotations

from importlib import import_module

import pytest

from interim import display
from interim.display.figure import Figure
from interim.display.table import Table
from tests.analysis.safety_frames import safety_sets
from tests.display.test_displays import CODES, DIGIT

SHOWN = [
    ("table_exposure", "infusions.nk_exposure"),
    ("table_exposure", "infusions.cart_exposure"),
    ("table_teae_by_soc_pt", "safety.serious_teae"),
    ("table_teae_by_soc_pt", "safety.teae_with_action"),
    ("table_related_teae", "safety_period.related_teae"),
    ("table_teae_by_period", "safety_period.teae_by_period"),
    ("table_deaths", "safety_period.deaths"),
    ("table_values_by_visit", "laboratory.values_by_visit"),
    ("table_grade_shift", "laboratory.grade_shift"),
    ("table_significant_deviations", "laboratory.significant_deviations"),
    ("table_hepatotoxicity", "laboratory.hepatotoxicity"),
    ("figure_edish", "laboratory.liver_peaks"),
    ("table_immune_toxicity", "toxicity.crs"),
    ("table_immune_toxicity", "toxicity.icans"),
    ("table_crs_concordance", "toxicity.crs_concordance"),
]


@pytest.fixture(scope="module")
def full(make_adam):
    return make_adam(**safety_sets())


def answer(analysis, adam, study):
    module, function = analysis.split(".")
    return getattr(import_module(f"interim.analysis.{module}"), function)(adam, study)


def show(entry, adam, study):
    result = answer(entry[1], adam, study)
    return result, getattr(display, entry[0])(result, study)


@pytest.mark.rule("DISP-04")
@pytest.mark.rule("DISP-05")
@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry[1])
def test_every_number_is_linked_and_no_code_is_printed(full, study, entry):
    result, item = show(entry, full, study)
    assert item.keys and set(item.keys) <= set(result.frame["result_id"])
    if isinstance(item, Figure):
        again = show(entry, full, study)[1]
        assert (again.svg, again.png) == (item.svg, item.png) and not CODES.search(item.alt)
        return
    assert isinstance(item, Table)
    cells = [cell for row in item.rows for cell in row.cells]
    assert all(cell.text.strip() for cell in cells)
    assert [c.text for row in item.rows for c in row.cells[1:] if DIGIT.search(c.text) and not c.keys] == []
    assert [cell.text for cell in cells if CODES.search(cell.text)] == []


@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry[1])
def test_what_is_not_available_says_why(make_adam, study, entry):
    _, item = show(entry, make_adam(ADEX=None, ADAE=None), study)
    if entry[1] != "safety_period.deaths":
        assert "not available" in item.text() or "no source" in item.text()


def stubs(item):
    return {row.cells[0].text: [cell.text for cell in row.cells[1:]] for row in item.rows}


@pytest.mark.rule("SAF-21")
def test_amounts_as_number_median_and_range(full, study):
    rows = stubs(show(SHOWN[0], full, study)[1])
    assert rows["Cells per infusion"][-1] == "30; 1.50e9 (1.50e9, 1.50e9)"
    assert stubs(show(SHOWN[1], full, study)[1])["within 20 % of the planned dose"][-1] == "0"


@pytest.mark.rule("SAF-17")
def test_the_rate_stands_with_its_limits(full, study):
    rows = [[cell.text for cell in row.cells] for row in show(SHOWN[5], full, study)[1].rows]
    heads = [place for place, row in enumerate(rows) if len(row) == 1]
    assert [rows[place][0] for place in heads[:2]] == [
        "On treatment, all periods to the end of the window",
        "From the first CAR-NK infusion to CAR-T",
    ]
    inside = rows[heads[1] : heads[2]]
    (first, *_) = [row for row in inside if row[0] == "Events per 100 person-days"]
    (limits, *_) = [row for row in inside if row[0] == "95% CI"]
    assert (first[-1], limits[-1]) == ("2.63", "(0.85, 6.14)")


@pytest.mark.rule("SAF-24")
def test_the_shift_is_a_cross_table(full, study):
    table = show(SHOWN[8], full, study)[1]
    head = next(row.cells[0].text for row in table.rows if row.cells[0].text.startswith("Alanine"))
    assert (
        "4 with a result on treatment, 11 without; worse than at baseline 3, to grade 3 or higher 2" in head
    )


@pytest.mark.rule("SAF-16")
def test_the_figure_names_its_quadrants(full, study):
    figure = show(SHOWN[11], full, study)[1]
    assert "of 3 participants" in figure.alt and "Hy's law range 1" in figure.alt


@pytest.mark.rule("SAF-18")
def test_the_concordance_ends_with_directions_and_the_trigger(full, study):
    texts = [row.cells[0].text for row in show(SHOWN[14], full, study)[1].rows]
    assert texts[-1] == "Episodes on different sides of the trigger grade: 1"
    assert "Reported lower 1" in texts[-2] and "Not reported 1" in texts[-3]
