"""Course and curve of the dose escalation, and laboratory and exposure tables, of hand-made Results."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_hex
from matplotlib.legend import Legend

from interim import display
from interim.display import escalation_curve as curve
from interim.display import figure as drawing
from interim.display.style import PALETTE
from interim.result import TOTAL, Rows
from tests.display import results_by_hand as hand
from tests.display.test_tables_cells import lines, stub


@pytest.fixture
def sheets(monkeypatch):
    """Every sheet that is painted."""
    kept = []

    def kept_too(paint, **options):
        return drawing.drawn(lambda sheet: (paint(sheet), kept.append(sheet))[0], **options)

    monkeypatch.setattr(curve, "drawn", kept_too)
    return kept


def course(*participants) -> Rows:
    rows = Rows("escalation.course", "Course", population="Treated")
    for place, (level, outcome, tumour) in enumerate(participants, 1):
        where = {"variable": "participant", "level": f"{place:02d}"}
        rows.add("level", level, **where)
        rows.add("outcome", None, text=outcome, **where)
        rows.add("tumour", None, text=tumour, **where)
    return rows


def test_course_one_mark_per_participant(study, sheets):
    result = course(
        (1, "none", "CRC"), (2, "dlt", "GASTRIC"), (2, "none", "CRC"), (1, "pending", "OTHER")
    ).build()
    shown = display.figure_escalation_course(result, study)
    (axes,) = sheets[-1].axes
    points = sorted(tuple(map(float, point)) for dots in axes.collections for point in dots.get_offsets())
    assert points == [(1, 1), (2, 2), (3, 2), (4, 1)]
    assert list(axes.lines[0].get_ydata()) == [1, 2, 2, 1]
    assert [text.get_text() for text in axes.texts] == ["CRC", "GAS", "CRC", "OTH"]
    shapes, kinds = (legend.get_texts() for legend in axes.findobj(Legend))
    assert len(shapes) == 3
    assert [text.get_text() for text in kinds] == [
        "Colorectal",
        "Gastric or gastro-oesophageal junction",
        "Other",
    ]
    assert axes.get_ylim() == (0.5, len(study.dose.levels) + 0.5) and axes.get_xlim() == (0.4, 4.6)
    assert "n=4: DL1 n=2 (" in shown.alt and "DL2 n=2 (" in shown.alt
    assert set(shown.keys) == set(result.frame["result_id"])


@pytest.mark.parametrize("outcome", curve._MARKS)
def test_each_outcome_has_a_mark_and_a_word(outcome, study, sheets):
    shown = display.figure_escalation_course(course((1, outcome, "CRC")).build(), study)
    ((text,), _) = (legend.get_texts() for legend in sheets[-1].axes[0].findobj(Legend))
    assert text.get_text() and "_" not in text.get_text() and text.get_text() in shown.alt


@pytest.mark.rule("DOSEQ-16", source="shell of F 14.2.1.1: shape by outcome, colour by tumour type")
def test_the_colour_of_a_mark_is_that_of_the_tumour_type_whatever_the_outcome(study, sheets):
    people = [(1, "none", "OTHER"), (2, "dlt", "CRC"), (2, "trigger", "OTHER"), (3, "not_evaluable", "CRC")]
    display.figure_escalation_course(course(*people).build(), study)
    (axes,) = sheets[-1].axes
    drawn = {}
    for dots in axes.collections:
        edges = dots.get_edgecolors() if len(dots.get_edgecolors()) else dots.get_facecolors()
        for (place, _), edge in zip(dots.get_offsets(), edges, strict=True):
            drawn[int(place)] = to_hex(edge).upper()
    crc, other = PALETTE[:2]
    assert drawn == {1: other, 2: crc, 3: other, 4: crc}
    open_mark = next(dots for dots in axes.collections if dots.get_offsets()[0][0] == 1)
    assert to_hex(open_mark.get_facecolors()[0]) == "#ffffff"


@pytest.mark.parametrize("name", ["figure_escalation_course", "figure_dlt_curve"])
def test_no_escalation_is_said_in_words(name, study):
    rows = Rows("escalation.course", "Course of the dose escalation", population="Treated")
    for variable in ("participant", "dlt"):
        rows.add("n", None, variable=variable, status="NA", reason="study without dose escalation")
    shown = getattr(display, name)(rows.build(), study)
    assert "Nothing to draw: study without dose escalation." in shown.alt and len(shown.keys) == 2


def posterior() -> Rows:
    groups = {f"DL{n}": 3 for n in range(1, 5)}
    rows = hand.opened("escalation.dlt_curve", groups)
    for n, group in enumerate(groups, 1):
        mean = n / 10
        rows.add("rate", 1 / 3, group=group, variable="dlt", n=1, N=3)
        for stat, value in (
            ("mean", mean),
            ("lower50", mean - 0.05),
            ("upper50", mean + 0.05),
            ("lower95", mean - 0.1),
            ("upper95", mean + 0.2),
        ):
            rows.add(stat, value, group=group, variable="blrm")
        rows.add("mean", 0.125, group=group, variable="beta")
        rows.add("lower", 0.01, group=group, variable="beta")
        rows.add("upper", 0.55, group=group, variable="beta")
        for stat, value in (("under", 0.25), ("target", 0.5), ("over", 0.25)):
            rows.add(stat, value, group=group, variable="blrm")
    return rows


def test_curve_one_point_and_two_intervals_per_dose(study, sheets):
    shown = display.figure_dlt_curve(posterior().build(), study)
    (axes,) = sheets[-1].axes
    points = [tuple(map(float, dots.get_offsets()[0])) for dots in axes.collections]
    assert points == [(dose, pytest.approx(n / 10)) for n, dose in enumerate(study.dose.levels, 1)]
    upright = [line for line in axes.lines if len(set(line.get_xdata())) == 1]
    assert len(upright) == 8 and {line.get_color() for line in upright} == {PALETTE[0]}
    assert axes.get_xscale() == "log" and axes.get_ylim() == (0, 1)
    band = axes.patches[0].get_bbox()
    assert (band.y0, band.y1) == tuple(study.dose.tox_band)
    assert "DL1 0.10 (0.00, 0.30)" in shown.alt and "DL4 0.40 (0.30, 0.60)" in shown.alt


def test_numbers_of_the_curve(study):
    table = display.table_dlt_curve(posterior().build(), study)
    cells = [cells for _, _, cells in lines(table)]
    assert ["1/3 (33%)"] * 4 in cells and ["0.13"] * 4 in cells and ["(0.01, 0.55)"] * 4 in cells
    assert ["(0.00, 0.30)", "(0.10, 0.40)", "(0.20, 0.50)", "(0.30, 0.60)"] in cells
    assert cells.count(["0.25"] * 4) == 2 and ["–"] * 4 in cells


def shift() -> Rows:
    rows = Rows("laboratory.grade_shift", "Shift", population="Safety set")
    place = {"variable": "ALT increased", "level": "any"}
    rows.add("n", 3, text="ALT increased", **place)
    for stat, value in (("without", 1), ("rise", 2), ("to_grade3", 0)):
        rows.add(stat, value, **place)
    rows.add("worst 2", 2, variable="ALT increased", level="0", n=2)
    rows.add("worst 0", 1, variable="ALT increased", level="0", n=1)
    rows.add("n", None, variable="PLAT decreased", level="any", status="NA", reason="not collected")
    return rows


def test_shift_of_grades(study):
    table = display.table_grade_shift(shift().build(), study)
    first, row, absent = lines(table)
    assert first[1].startswith(
        "Alanine aminotransferase, increased (ALT increased): 3 with a result on treatment, 1 without"
    )
    assert "worse than at baseline 2, to grade 3 or higher 0" in first[1]
    assert (row[1], sorted(row[2])) == ("Grade 0", ["1", "2", *["–"] * (len(row[2]) - 2)])
    heads = [head.text for head in table.header[0][1:]]
    assert row[2][heads.index("Grade 2")] == "2" and row[2][heads.index("Grade 0")] == "1"
    assert absent == (-1, "Platelets – not collected", [])
    assert table.rows[0].cells[0].keys


@pytest.mark.rule("SAF-38", source="results of two decimals: one more for the mean, two for the deviation")
def test_values_by_visit(study):
    rows = Rows("laboratory.values_by_visit", "Values", population="Safety set")
    place = {"variable": "ALT", "level": "01 Day 1"}
    for stat, value in (
        ("n", 2),
        ("mean", 30.125),
        ("sd", 4.5),
        ("median", 30.0),
        ("min", 27.0),
        ("max", 33.25),
    ):
        rows.add(stat, value, unit="U/L", **place)
    rows.add("n", None, variable="AST", level="", status="NA", reason="not collected")
    table = display.table_values_by_visit(rows.build(), study)
    assert lines(table) == [
        (-1, "Alanine aminotransferase, U/L", []),
        (1, "Day 1", ["2", "30.125 (4.5000)", "30.000 (27.00, 33.25)", "–", "–", "–"]),
        (-1, "Aspartate aminotransferase – not collected", []),
    ]


def test_liver_limits(study):
    rows = hand.opened("laboratory.hepatotoxicity")
    hand.counts(rows, "evaluable", 3, 12, 15)
    hand.counts(rows, "at", 0, 1, 1, level="3")
    hand.counts(rows, "hys", 0, 0, 0)
    hand.absent(rows, "hys_base", "no baseline")
    table = display.table_hepatotoxicity(rows.build(), study)
    assert stub(table, "> 3 x ULN") == ["0/3", "1 (8.3%)", "1 (6.7%)"]
    assert stub(table, "Hy's law candidate") == ["0/3", "0", "0"]
    assert lines(table)[-1][2] == ["NA"] * 3 and "no baseline" in lines(table)[-1][1]


def test_deviations_only_of_parameters_that_somebody_has(study):
    rows = hand.opened("laboratory.deviations", {TOTAL: 15})
    for level, n in (("ALT increased", 2), ("AST increased", 0)):
        for stat, value in (("n", n), ("unresolved", 1 if n else 0)):
            rows.add(stat, value, variable="parameter", level=level, n=value, N=15)
    table = display.table_significant_deviations(rows.build(), study)
    assert lines(table) == [
        (0, "ALT increased", ["2 (13.3%)"]),
        (1, "not resolved at the last result", ["1 (6.7%)"]),
    ]


def test_deviations_of_data_that_are_absent_say_why(study):
    rows = hand.opened("laboratory.deviations", {TOTAL: 0})
    rows.add("n", None, variable="any", status="NA", reason="domain LB not given")
    assert "domain LB not given" in lines(display.table_significant_deviations(rows.build(), study))[0][1]
