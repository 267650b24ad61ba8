"""What stands in the axes of a drawn figure: bars, lines, marks, labels, limits and colours, counted on the sheet."""

from __future__ import annotations

import itertools
import re
from importlib import import_module

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.legend import Legend

from interim import display
from interim.display import figure as drawing
from interim.display.style import GREY, PALETTE, TOTAL_COLOUR
from interim.result import TOTAL
from tests.display import results_by_hand as hand

MODULES = (
    "response",
    "waterfall",
    "regional_change",
    "spider",
    "survival",
    "laboratory",
    "kinetic_profiles",
    "cytokines",
)


@pytest.fixture
def sheets(monkeypatch):
    """Every sheet that is painted, kept after its bytes are written."""
    kept = []
    true = drawing.drawn

    def kept_too(paint, **options):
        def both(sheet):
            paint(sheet)
            sheet.canvas.draw()
            kept.append(sheet)

        return true(both, **options)

    for module in MODULES:
        monkeypatch.setattr(import_module(f"interim.display.{module}"), "drawn", kept_too)
    return kept


def paint(name, result, study, sheets):
    shown = getattr(display, name)(result, study, **hand.FIGURES[name][1])
    return shown, sheets[-1]


def colours(artists) -> list[str]:
    return [to_hex(artist.get_facecolor()).upper() for artist in artists]


def marks(axes, sign) -> list[tuple[float, float]]:
    """Places of the marks of one kind."""
    lines = [line for line in axes.lines if line.get_marker() == sign]
    return [point for line in lines for point in zip(*map(list, line.get_data()), strict=True)]


def test_waterfall_bars_in_order_with_colours_and_words(study, sheets):
    shown, sheet = paint("figure_waterfall", hand.bars(), study, sheets)
    (axes,) = sheet.axes
    assert [bar.get_height() for bar in axes.patches] == [25.0, -42.5]
    assert colours(axes.patches) == [PALETTE[1], PALETTE[0]]
    assert [text.get_text() for text in axes.texts] == ["PD", "PR"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["101-002", "101-001"]
    low, high = axes.get_ylim()
    assert low <= -100 and high >= 39
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["DL1 1.5e7 (n=1)", "DL2 3e7 (n=1)"]
    heights = sorted(line.get_ydata()[0] for line in axes.lines)
    assert heights == sorted([0, -study.response.pr_pct, study.response.pd_pct])
    assert "(n=2)" in shown.alt and "Median -8.8%, from -42.5% to 25.0%; 1 of 2 at or below -30%" in shown.alt
    assert "Participants without a value: 1" in shown.alt
    assert "101-003 (no complete sum after baseline)" in shown.footnotes[0]


@pytest.mark.parametrize(("value", "limit"), [(-100.0, -112.0), (250.0, 264.0)])
def test_waterfall_limits_hold_the_largest_bar_and_its_word(value, limit, study, sheets):
    result = hand.bars()
    place = int(np.flatnonzero(result.frame["stat"].eq("pchg"))[0])
    _, sheet = paint("figure_waterfall", hand.changed(result, place, value=value), study, sheets)
    assert limit in [float(edge) for edge in sheet.axes[0].get_ylim()]


@pytest.mark.parametrize(
    ("count", "width", "named"), [(22, 170.0, True), (23, 245.0, True), (46, 245.0, False)]
)
def test_a_long_waterfall_turns_the_page_and_then_drops_the_names(count, width, named, study, sheets):
    rows = hand.opened("response.best_change", {TOTAL: count})
    for n in range(count):
        rows.add("pchg", n - 20.0, group="DL1", variable="best_change", level=f"SYN-{n:03d}")
        rows.add("bor", None, group="DL1", variable="best_change", level=f"SYN-{n:03d}", text="SD")
    for stat in ("median", "min", "max"):
        rows.add(stat, 0.0, variable="summary")
    shown, sheet = paint("figure_waterfall", rows.build(), study, sheets)
    assert shown.width_mm == width and (shown.orientation == "landscape") == (width > 200)
    assert len(sheet.axes[0].patches) == count
    assert bool(sheet.axes[0].texts) == named
    assert (sheet.axes[0].get_xlabel() == "") == named


def test_nobody_with_a_value_is_an_empty_frame_and_nobody_at_all_a_sentence(study, sheets):
    result = hand.bars()
    frame = result.frame[result.frame["level"].isin(["", hand.PEOPLE[2]])]
    shown, sheet = paint(
        "figure_waterfall", type(result)("a", frame, result.links, "Best", "All"), study, sheets
    )
    assert not sheet.axes[0].patches and "(n=0)" in shown.alt and "Median" not in shown.alt
    empty = hand.opened("response.best_change").build()
    assert (
        "Nothing to draw: no participant with target lesions." in display.figure_waterfall(empty, study).alt
    )


def test_swimmer_lanes_marks_and_ends(study, sheets):
    shown, sheet = paint("figure_swimmer", hand.lanes(), study, sheets)
    (axes,) = sheet.axes
    assert [pytest.approx(bar.get_width()) for bar in axes.patches] == [10.0, 4.0, 2.0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["101-001", "101-003", "101-002"]
    assert marks(axes, "|") == [(0.0, 0), (0.0, 1), (0.0, 2)]
    assert marks(axes, "^") == [(pytest.approx(2.0), 0)]
    assert marks(axes, ">") == [(pytest.approx(10.0), 0)] and marks(axes, "X") == [(pytest.approx(2.0), 2)]
    legend = {text.get_text() for text in axes.get_legend().get_texts()}
    assert {"CAR-NK infusion", "PR", "Death", "Ongoing"} == legend
    assert axes.get_xlim()[1] > 10 and axes.get_ylim() == (2.6, -0.6)
    assert "DL1 1.5e7 (n=1), DL2 3e7 (n=2)" in shown.alt and "Ongoing: 1; died: 1." in shown.alt
    assert [colour for colour in colours(axes.patches)] == [PALETTE[0], PALETTE[1], PALETTE[1]]


def test_spider_one_line_per_participant(study, sheets):
    shown, sheet = paint("figure_spider", hand.legs(), study, sheets)
    (axes,) = sheet.axes
    assert marks(axes, "o") == [(0, 0), (8, -20), (16, -45.5), (0, 0), (8, 30)]
    assert marks(axes, "x") == [(8, 30)] and marks(axes, "|")[0][0] == 3
    assert [text.get_text() for text in axes.texts] == ["101-001", "101-002"]
    assert axes.get_ylim() == (-112, 40) and axes.get_xlim()[1] > 16
    assert "(n=2)" in shown.alt and "lowest value is -45.5%" in shown.alt
    assert "Participants with a new lesion: 1." in shown.alt


def test_kaplan_meier_steps_censoring_and_numbers_at_risk(study, sheets):
    shown, sheet = paint("figure_kaplan_meier", hand.survival(), study, sheets)
    axes, strip = sheet.axes
    step = axes.lines[0]
    assert list(step.get_xdata()) == [0, 1, 2, 3.04, 5] and list(step.get_ydata()) == [
        1,
        0.75,
        0.75,
        0.375,
        0.375,
    ]
    assert step.get_drawstyle() == "steps-post" and step.get_color() == TOTAL_COLOUR
    assert marks(axes, "|") == [(2.0, 0.75), (5.0, 0.375)]
    assert axes.get_xlim() == (0, 6) and axes.get_ylim() == (0, 1.02)
    texts = [text.get_text() for text in strip.texts]
    assert texts == ["At risk (censored)", "All", "4 (0)", "2 (1)", "0 (2)"]
    assert [text.get_text() for text in axes.texts] == ["All, n=4"]
    assert "n=4, 2 events. The median is 3.0 months, interval (1.0, NR)." in shown.alt
    assert "No cohort is large enough" in shown.alt


@pytest.mark.parametrize(("status", "words"), [("NR", "not reached"), ("NE", "not estimable")])
def test_a_median_without_a_number_is_not_always_one_that_was_not_reached(status, words, study):
    result = hand.survival()
    frame = result.frame
    place = int(np.flatnonzero(frame["stat"].eq("median") & frame["group"].eq(TOTAL))[0])
    other = hand.changed(result, place, value=float("nan"), status=status, reason="by hand")
    alt = display.figure_kaplan_meier(other, study, endpoint="PFS").alt
    assert f"The median is {words}." in alt


def test_peaks_of_the_liver_on_logarithmic_axes(study, sheets):
    shown, sheet = paint("figure_edish", hand.peaks(), study, sheets)
    left, right = sheet.axes
    points = [tuple(point) for dots in left.collections for point in dots.get_offsets()]
    assert points == [(0.8, 0.5), (8.0, 3.5)] and left.get_xscale() == left.get_yscale() == "log"
    assert [text.get_text() for text in left.texts] == ["101-002"]
    assert left.lines[0].get_xdata()[0] == study.toxicity.hys_at
    assert left.get_xlim()[1] == 30 and left.get_ylim()[1] == 10
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["DL1 1.5e7", "DL2 3e7"]
    assert "of 2 participants" in shown.alt and "below both limits 1; Hy's law range 1" in shown.alt


def test_profiles_with_open_marks_below_the_limit(study, sheets):
    shown, sheet = paint("figure_kinetic_profiles", hand.profiles(), study, sheets)
    (axes,) = sheet.axes
    open_marks = [
        line for line in axes.lines if line.get_marker() == "o" and line.get_markerfacecolor() == "white"
    ]
    assert [list(line.get_xdata()) for line in open_marks] == [[0.0], []]
    assert [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"] == [10.0]
    assert axes.get_yscale() == "log" and [text.get_text() for text in axes.texts] == ["DL1 1.5e7", "DL2 3e7"]
    assert "1 assays" in shown.alt and "2 participants, 5 samples, 1 of them below" in shown.alt


def test_heat_map_one_panel_per_analyte(study, sheets):
    shown, sheet = paint("figure_cytokine_heat_map", hand.folds(), study, sheets)
    panels = sheet.axes[:-1]
    assert [len(axes.collections[0].get_offsets()) for axes in panels] == [1, 2]
    assert [text.get_text() for text in panels[0].get_yticklabels()] == ["101-001", "101-002"]
    assert all(axes.get_xlim() == (-1, 9) and axes.get_ylim() == (1.5, -0.5) for axes in panels)
    assert "2 analytes, 2 participants; the largest rise is 3.3 (IL6, day 1)" in shown.alt


@pytest.mark.parametrize("name", hand.FIGURES)
def test_no_label_lies_on_another_or_beyond_the_sheet(name, study, sheets):
    _, sheet = paint(name, hand.FIGURES[name][0](), study, sheets)
    renderer = sheet.canvas.get_renderer()
    for axes in sheet.axes:
        texts = [text for text in axes.texts if text.get_text().strip()]
        boxes = [text.get_window_extent(renderer) for text in texts]
        for one, other in itertools.combinations(boxes, 2):
            assert not one.overlaps(other), (name, one, other)
        legend = axes.get_legend()
        artists = [*boxes, *([legend.get_window_extent(renderer)] if isinstance(legend, Legend) else [])]
        for box in artists:
            assert box.x0 >= -1 and box.x1 <= sheet.bbox.x1 + 1, (name, box)


@pytest.mark.parametrize("name", hand.FIGURES)
def test_keys_alternatives_and_page_of_every_figure(name, study):
    result = hand.FIGURES[name][0]()
    shown = getattr(display, name)(result, study, **hand.FIGURES[name][1])
    assert shown.keys and set(shown.keys) <= set(result.frame["result_id"])
    assert re.search(r"n=\d|\d+ participants", shown.alt) and not re.search(r"\bnan\b|None|inf\b", shown.alt)
    assert "<text" not in shown.svg and shown.png.startswith(b"\x89PNG")
    assert shown.title and shown.population == result.population


@pytest.mark.parametrize("name", hand.FIGURES)
def test_a_figure_of_nobody_says_so_in_a_sentence(name, study):
    empty = hand.opened("a.b", {"DL1": 0, TOTAL: 0}, title="Nobody at all in this figure").build()
    shown = getattr(display, name)(empty, study, **hand.FIGURES[name][1])
    assert "Nothing to draw: " in shown.alt and "N=0" in shown.alt
    assert set(shown.keys) == set(empty.frame["result_id"])


def test_the_colour_of_a_cohort_does_not_hang_on_who_else_is_drawn(study):
    from interim.display.style import cohort_colours

    whole = cohort_colours(study, (*study.cohorts(), TOTAL, "Somewhere"))
    for group in study.cohorts():
        assert cohort_colours(study, (group,)) == {group: whole[group]}
    ladder = [whole[group] for group in study.cohorts() if group.startswith("DL")]
    assert len(set(ladder)) == len(ladder)
    assert (whole[TOTAL], whole["Somewhere"]) == (TOTAL_COLOUR, GREY)


@pytest.mark.parametrize("count", [1, 2, 5, 10])
def test_labels_are_moved_apart_inside_the_limits(count):
    places = drawing.without_overlap([0.95] * count, gap=0.1, low=0.0, high=1.0)
    assert all(b - a >= 0.1 - 1e-9 for a, b in itertools.pairwise(places))
    assert max(places) <= 1.0 and min(places) >= -1e-9
