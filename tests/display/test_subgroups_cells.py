"""Subgroup tables and figures of hand-made Results: each cell, each mark, each status, counted by hand."""

from __future__ import annotations

import dataclasses
import re

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from interim import display
from interim.display.labels import column_label
from interim.display.style import GREY, PALETTE, TOTAL_COLOUR
from interim.display.subgroups_words import level_word
from interim.errors import ReportError
from interim.result import TOTAL
from tests.display import results_by_hand as hand
from tests.display import results_of_chapters as chapter
from tests.display.sheets_of_figures import check_marks, check_words, kept_sheets
from tests.display.test_tables_cells import lines

CODE = re.compile(r"\b(?:nan|None|<NA>|[a-z]+_[a-z_0-9]+|[A-Z]+_[A-Z_0-9]+)\b")
TABLES = {
    "table_subgroup_registry": (chapter.registry, {}),
    "table_subgroup": (chapter.levels, {"dimension": "ratio"}),
    "table_subgroup_limits": (chapter.limits, {}),
    "table_shrinkage": (chapter.shrinkage, {}),
    "table_type_by_dose": (chapter.type_by_dose, {}),
    "table_credibility": (chapter.credibility, {}),
    "table_stability": (chapter.stability, {}),
    "table_post_baseline": (chapter.post_baseline, {}),
    "table_sensitivity_model": (chapter.sensitivity, {}),
}
FIGURES = {
    "figure_forest": chapter.levels,
    "figure_map": chapter.covariates,
    "figure_overlap": chapter.association,
    "figure_cut_path": chapter.cut_path,
    "figure_marker_response": chapter.covariates,
    "figure_subgroup_endpoints": chapter.levels,
}
WORDS = {"NE": "NE", "NR": "NR", "NA": "NA", "INF": "no limit"}


@pytest.fixture(scope="module")
def study(study):
    return study.model_copy(update={"figure": study.figure.model_copy(update={"dpi": 72})})


@pytest.fixture
def sheets(monkeypatch):
    return kept_sheets(monkeypatch, "subgroups", "subgroups_figures", "subgroups_panels", "absent")


def result_of(make, study):
    return make(study) if make is chapter.shrinkage else make()


def by_row(table) -> dict[str, list[str]]:
    return {row.cells[0].text.strip(): [cell.text for cell in row.cells[1:]] for row in table.rows}


def shown(name, study, result=None):
    make, options = TABLES[name]
    return getattr(display, name)(result or result_of(make, study), study, **options)


def test_registry_of_factors_and_levels(study):
    table = shown("table_subgroup_registry", study)
    assert lines(table) == [
        (-1, "Histology", []),
        (0, "Tumour type", ["–", "none", "Protocol", "Yes", "none stated"]),
        (1, "Colorectal", ["9 (75.0%)", *["–"] * 4]),
        (1, "Missing", ["3 (25.0%)", *["–"] * 4]),
        (0, "Histology class", ["–", "none", "Literature", "No", "none stated"]),
        (-1, "Granulocyte-to-lymphocyte ratio", []),
        (0, "Neutrophils to lymphocytes", ["–", "5", "Literature", "Yes", "lower is better"]),
        (1, "< 5", ["12 (100%)", *["–"] * 4]),
        (1, "≥ 5", ["0", *["–"] * 4]),
    ]


def test_endpoints_of_the_levels(study):
    table = shown("table_subgroup", study)
    whole = "3/12 (25.0%) (5.5, 57.2)"
    large = "2/8 (25%) (3.2, 65.1)"
    assert lines(table) == [
        (0, "All participants", ["12", whole, whole, "–", "50.0% (20.0, 75.0) [5]", "–", "–", "–", "NA"]),
        (-1, "Neutrophils to lymphocytes ‡", []),
        (1, "< 5", ["8", large, large, "-12.3 (-50.0, 20.0)", "62.5% (25.0, 87.5) [4]", "–", "–", "–", "NA"]),
        (1, "≥ 5", ["2", "1/2 (50%)", "1/2 (50%)", "-12.3 (-50.0, 20.0)", "NE [1]", "–", "–", "–", "NA"]),
        (1, "Missing", ["2", "0/2", "0/2", "-12.3 (-50.0, 20.0)", "NE [1]", "–", "–", "–", "NA"]),
        (2, "Difference, < 5 minus ≥ 5", ["–", "-25.0 (-75.0, 50.0)", "NE", *["–"] * 6]),
    ]
    assert "the gap in ORR lies between 12.5 and 50.0 points." in table.footnotes[0]
    assert any(note.startswith("‡ One participant decides") for note in table.footnotes)
    assert table.orientation == "landscape"
    assert len(shown_dimension(study, "site").rows) == 1


def shown_dimension(study, dimension):
    return display.table_subgroup(chapter.levels(), study, dimension=dimension)


def test_what_each_dimension_could_show(study):
    table = shown("table_subgroup_limits", study)
    assert lines(table) == [
        (0, "Ratio", ["2", "0.0101", "32.5", "Metastatic site: 0.63 *", "0.251"]),
        (0, "Site", ["2", "0.0101", "NE", "NE", "0.251"]),
        (0, "Sum", ["2", "0.0101", "40.0", "–", "0.251"]),
        (0, "At least one factor", ["–", "–", "–", "–", "0.437"]),
    ]
    assert table.footnotes[0].startswith("With 12 participants and 3 responders, 2 subgroup dimensions")
    assert "< 0.001 and 0.500" in table.footnotes[0]
    assert table.footnotes[1:] == ("*: association of 0.5 or stronger.",)
    weak = chapter.limits().frame.assign(status=lambda f: f["status"].replace("FLAG", "OK"))
    table = shown("table_subgroup_limits", study, dataclasses.replace(chapter.limits(), frame=weak))
    assert len(table.footnotes) == 1 and "*" not in str(lines(table))


def test_limits_without_their_sentence_have_no_factor(study):
    result = chapter.limits()
    bare = dataclasses.replace(result, frame=result.frame[result.frame["variable"] != "limits"])
    table = shown("table_subgroup_limits", study, bare)
    assert [name for _, name, _ in lines(table)] == ["At least one factor"] and not table.footnotes


def test_raw_rates_stay_beside_the_shrunken(study):
    table = shown("table_shrinkage", study)
    assert lines(table) == [
        (0, "All participants", ["3/12 (25.0%) (3.2, 65.1)", "21.3 (5.0, 45.0)", "0.38", "NE", "NE"]),
        (-1, "Ratio", []),
        (1, "< 5", ["2/8 (25%) (3.2, 65.1)", "21.3 (5.0, 45.0)", "0.38", "NE", "NE"]),
    ]
    assert "mean 10% (ORR), 60% (DCR)" in table.footnotes[0]


def test_type_by_dose(study):
    assert lines(shown("table_type_by_dose", study)) == [
        (-1, "Colorectal", []),
        (1, "Treated with CAR-NK", ["3", "12"]),
        (1, "DLT-evaluable", ["2/3", "11/12"]),
        (1, "Responders", ["0/3", "2/12"]),
        (1, "Disease control", ["–", "NA"]),
    ]


def test_no_tumour_type_says_why(study):
    rows = hand.opened("subgroups.type_by_dose", {TOTAL: 3})
    rows.add("n", None, variable="treated", status="NA", reason="not available: no entry of tumour type")
    ((_, text, _),) = lines(display.table_type_by_dose(rows.build(), study))
    assert text.count("ot available") == 1 and "no entry of tumour type" in text


def test_checklist(study):
    table = shown("table_credibility", study)
    assert table.header[0][1].text == "Granulocyte-to-lymphocyte ratio"
    assert lines(table) == [
        (0, "Defined and hashed before efficacy", ["yes"]),
        (0, "Biological rationale", ["no"]),
        (0, "Grade", ["suggestive"]),
    ]


@pytest.mark.rule("SUBQ-14")
def test_stability_marks_what_one_participant_decides(study):
    assert lines(shown("table_stability", study)) == [
        (0, "Ratio ‡", ["50.0", "12.5, 75.0", "-50.0", "-75.0, 0.0"]),
        (0, "Site", ["NE"] * 4),
        (-1, "Level cells that another definition changes", []),
        (1, "Unconfirmed response", ["3 of 40", "–", "–", "–"]),
        (1, "The second cut-point", ["NA", "–", "–", "–"]),
    ]
    rows = hand.opened("subgroups.leave_one_out", {TOTAL: 0})
    assert [name for _, name, _ in lines(display.table_stability(rows.build(), study))][-1] == "Not available"


def test_time_from_the_landmark(study):
    assert lines(shown("table_post_baseline", study)) == [
        (-1, "Early fall of CEA: progression-free survival rate at the landmark", []),
        (1, "Yes", ["6", "62.5 (25.0, 87.5)", "4", "4.3 (1.5, NR)"]),
        (1, "No", ["2", "NE", "1", "NE"]),
        (1, "Left out: event, censored or not observed by then", ["4 (33.3%)", "–", "–", "–"]),
    ]


@pytest.mark.parametrize("name", TABLES)
def test_no_code_reaches_a_table_and_every_number_has_its_key(name, study):
    table = shown(name, study)
    ids = set(result_of(TABLES[name][0], study).frame["result_id"])
    cells = [cell for row in table.rows for cell in row.cells]
    assert not CODE.findall(table.text())
    assert {key for cell in cells for key in cell.keys} <= ids
    numbers = [cell for row in table.rows for cell in row.cells[1:] if re.search(r"\d", cell.text)]
    assert all(cell.keys for cell in numbers)


@pytest.mark.parametrize("status", WORDS)
@pytest.mark.parametrize("name", TABLES)
def test_a_number_that_is_gone_is_its_status(name, status, study):
    result = result_of(TABLES[name][0], study)
    kept = result.frame["value"].notna() & ~result.frame["variable"].isin(["population", "limits", "size"])
    for place in [k for k, yes in enumerate(kept) if yes][list(WORDS).index(status) :: 4]:
        key = result.frame["result_id"].iloc[place]
        gone = {"n": result.frame["n"].iloc[place], "value": float("nan")}
        table = shown(name, study, hand.changed(result, place, status=status, reason="by hand", **gone))
        mine = [cell.text for row in table.rows for cell in row.cells if key in cell.keys]
        assert not CODE.findall(table.text()), key
        rate = result.frame["stat"].iloc[place] == "rate"
        seen = any(WORDS[status] in text or "NA" in text for text in mine)
        assert seen or rate or not mine, (key, mine)


@pytest.mark.parametrize("name", [*TABLES, *FIGURES])
@pytest.mark.rule("SUBQ-19")
def test_a_p_value_of_data_stops_every_object(name, study):
    result = result_of({**FIGURES, **{k: v[0] for k, v in TABLES.items()}}[name], study)
    row = result.frame.iloc[[0]].assign(stat="p_value", variable="test", value=0.04, status="OK")
    frame = row.assign(result_id="subgroups/p").astype(result.frame.dtypes.to_dict())
    more = dataclasses.replace(result, frame=pd.concat([result.frame, frame], ignore_index=True))
    options = TABLES[name][1] if name in TABLES else {}
    with pytest.raises(ReportError, match="rule 1, a p-value of data"):
        getattr(display, name)(more, study, **options)


def squares(axes):
    return [(tuple(map(float, dots.get_offsets()[0])), dots) for dots in axes.collections]


@pytest.mark.rule("SUBQ-19")
@pytest.mark.parametrize("endpoint", ["orr", "dcr", "pfs", "os"])
def test_forest_squares_intervals_and_the_line_of_all(endpoint, study, sheets):
    figure = display.figure_forest(chapter.levels(), study, endpoint=endpoint)
    (axes,) = sheets[-1].axes
    times = endpoint in ("pfs", "os")
    overall = {"pfs": 0.5, "os": 0.9}.get(endpoint, 0.25)
    expected = [(overall, 0), (0.625, 2)] if times else [(0.25, 0), (0.25, 2), (0.5, 3), (0, 4)]
    assert [place for place, _ in squares(axes)] == expected
    # Area by number of participants: all twelve 42, eight 28, two 7.
    sizes = [float(dots.get_sizes()[0]) for _, dots in squares(axes)]
    assert sizes == pytest.approx([42, 28] if times else [42, 28, 7, 7])
    fills = [to_hex(dots.get_facecolor()[0]).upper() for _, dots in squares(axes)]
    assert fills == [TOTAL_COLOUR.upper(), PALETTE[0].upper(), "#FFFFFF", "#FFFFFF"][: len(fills)]
    assert to_hex(squares(axes)[-1][1].get_edgecolor()[0]).upper() == (PALETTE[0] if times else GREY).upper()
    dashed = [line for line in axes.lines if line.is_dashed()]
    assert [list(line.get_xdata()) for line in dashed] == [[overall, overall]]
    level = [line for line in axes.lines if len(set(line.get_ydata())) == 1 and line.get_color() != GREY]
    bars = [line for line in level if len(set(line.get_xdata())) == 2 and list(line.get_xdata()) != [0, 1]]
    assert [line.get_ydata()[0] for line in bars] == [0, 2]
    assert "within 3 levels of 1 subgroup factors" in figure.alt and "n=12" in figure.alt
    assert "Levels without an interval: 2." in figure.alt
    assert any("With 12 participants and 3 responders" in note for note in figure.footnotes)
    assert any("No hazard ratio" in note for note in figure.footnotes) == times
    check_marks(sheets[-1])
    check_words(sheets[-1])


def test_forest_texts_beside_the_marks(study, sheets):
    display.figure_forest(chapter.levels(), study)
    texts = [text.get_text() for text in sheets[-1].axes[0].texts]
    assert texts == [
        "All participants", "3/12 (25.0%)", "(5.5, 57.2)", "Neutrophil-to-lymphocyte ratio",
        "   < 5", "2/8 (25%)", "(3.2, 65.1)", "   ≥ 5", "1/2 (50%)", "NE", "   Missing", "0/2", "NE",
        "x/n (%)", "95% CI, %",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("drop", "words"),
    [("orr", "Nothing to draw: no such rows"), ("limits", "Nothing to draw: no primary factor is defined")],
)
def test_no_forest_without_its_rows(drop, words, study):
    result = chapter.levels()
    bare = dataclasses.replace(result, frame=result.frame[result.frame["variable"] != drop])
    assert words in display.figure_forest(bare, study).alt


@pytest.mark.parametrize(
    ("code", "words"),
    [("NE", "not estimable"), ("BEYOND_FOLLOWUP", "beyond the follow-up"), ("NO_DATA", "no data")],
)
def test_a_forest_of_a_code_as_reason_says_it_in_words(code, words, study):
    result = chapter.levels()
    place = list(result.frame["stat"].eq("rate") & result.frame["variable"].eq("orr")).index(True)
    gone = hand.changed(result, place, value=float("nan"), status="NA", reason=code)
    assert f"Nothing to draw: {words}." in display.figure_forest(gone, study).alt


def test_a_level_of_nobody_is_a_line_without_a_mark(study, sheets):
    rows = chapter.with_limits(chapter.opened_subgroups("levels"))
    chapter.rate(rows, TOTAL, "orr", "", 3, 12, 0.05, 0.57)
    chapter.rate(rows, "nlr5", "orr", "<5", 3, 12, 0.05, 0.57)
    chapter.rate(rows, "nlr5", "orr", ">=5", 0, 0, None, None)
    display.figure_forest(rows.build(), study)
    (axes,) = sheets[-1].axes
    assert len(axes.collections) == 2 and "0/0" in [text.get_text() for text in axes.texts]


def test_map_one_tile_per_participant_and_column(study, sheets):
    figure = display.figure_map(chapter.covariates(), study)
    (axes,) = sheets[-1].axes
    assert len(axes.patches) == 3 * 6
    assert [text.get_text() for text in axes.get_yticklabels()] == ["101-001", "101-002", "101-003"]
    texts = [text.get_text() for text in axes.texts if not text.get_rotation()]
    assert texts == [
        "Colorectal", "Other", "–", "2.3", "7.5", "–", "-40.0", "NE", "NE", "PR", "PD", "SD", "No", "Yes", "No",
        "NA", "NA", "NA",
    ]  # fmt: skip
    assert "Map of 3 participants" in figure.alt and "Best response" in figure.alt
    white = [bar for bar in axes.patches if to_hex(bar.get_facecolor()) == "#ffffff"]
    assert len(white) == 2 + 2 + 3
    check_marks(sheets[-1])
    check_words(sheets[-1])


def test_overlap_frames_what_is_strong(study, sheets):
    figure = display.figure_overlap(chapter.association(), study)
    axes, bars = sheets[-1].axes
    assert [text.get_text() for text in axes.texts if not text.get_rotation()] == ["0.75", "-0.25 r", "NE"]
    assert len(axes.lines) == 1 and list(axes.lines[0].get_xdata()) == [1, 2, 2, 1, 1]
    assert [bar.get_width() for bar in bars.patches] == [5, 4, 3]
    assert [t.get_text() for t in bars.get_yticklabels()] == ["none", "Ratio", "Ratio, Site"]
    assert "among 3 subgroup variables, 1 of them 0.5 or stronger" in figure.alt
    assert "the 3 combinations" in figure.alt
    check_marks(sheets[-1])
    check_words(sheets[-1])


def test_overlap_without_a_combination_is_the_triangle(study, sheets):
    figure = display.figure_overlap(chapter.association(()), study)
    assert len(sheets[-1].axes[0].patches) == 3 and "the 0 combinations" in figure.alt


def test_a_long_combination_is_cut_in_words(study, sheets):
    names = "; ".join(["nlr5", "liver_only", "burden_sum", "nlr5", "nlr5"])
    display.figure_overlap(chapter.association(((names, 2),)), study)
    (label,) = sheets[-1].axes[1].get_yticklabels()
    assert label.get_text() == "Ratio, Site, Sum + 2 more"


@pytest.mark.rule("SUBQ-15")
@pytest.mark.parametrize(("primary_only", "panels", "cuts"), [(True, 1, 3), (False, 2, 4)])
def test_cut_path_panels_lines_and_the_prespecified_cut(primary_only, panels, cuts, study, sheets):
    figure = display.figure_cut_path(chapter.cut_path(), study, primary_only=primary_only)
    assert len(sheets[-1].axes) == panels
    axes = sheets[-1].axes[0]
    below, above, cut = axes.lines
    assert list(zip(*below.get_data(), strict=True)) == [(3, 0), (4, 0.25), (6, 0.5)]
    assert list(above.get_ydata()) == [0.5, 0.375, 0] and below.get_marker() != above.get_marker()
    assert cut.is_dashed() and list(cut.get_xdata()) == [5, 5]
    assert f"each of {cuts} cut-points, one panel for each of {panels}" in figure.alt
    check_marks(sheets[-1])
    check_words(sheets[-1])


@pytest.mark.rule("SUBQ-22")
def test_markers_one_dot_per_value_at_its_response(study, sheets):
    figure = display.figure_marker_response(chapter.covariates(), study)
    (axes,) = sheets[-1].axes
    *dots, cut = [line for line in axes.lines if line.get_marker() == "o" or line.is_dashed()]
    places = {(float(dot.get_xdata()[0]), round(float(dot.get_ydata()[0]))) for dot in dots}
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert {(x, names[y]) for x, y in places} == {(2.25, "PR"), (7.5, "PD")}
    assert cut.is_dashed() and list(cut.get_xdata()) == [5, 5] and axes.get_xscale() == "log"
    assert "(2 of 3 participants)" in figure.alt and "nothing is tested" in figure.footnotes[0]
    check_marks(sheets[-1])
    check_words(sheets[-1])


@pytest.mark.rule("SUBQ-22")
def test_without_a_best_response_the_dots_stand_by_responder(study, sheets):
    display.figure_marker_response(chapter.responders(), study)
    (axes,) = sheets[-1].axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    found = sorted((float(d.get_xdata()[0]), names[round(float(d.get_ydata()[0]))]) for d in dots)
    assert found == [(2.25, "No"), (2.25, "Yes"), (7.5, "No")]


@pytest.mark.parametrize("n", [3, 38, 94, 150])
def test_a_map_of_many_participants_stays_on_the_page(n, study, sheets):
    rows = chapter.opened_subgroups("participant_map", n)
    chapter.entry(rows, "tumour_type", "Tumour type")
    for who in (f"P-{k:03}" for k in range(n)):
        rows.add("level", None, variable="tumour_type", level=who, text="CRC")
        chapter.add(rows, TOTAL, "bor", who, value="SD")
        for name in ("depth", "crs2", "cmax"):
            chapter.add(rows, TOTAL, name, who, value=("NA", "not delivered"))
    display.figure_map(rows.build(), study)
    sheet = sheets[-1]
    assert sheet.get_size_inches()[1] * 25.4 <= 240.5
    (axes,) = sheet.axes
    assert len(axes.patches) == 5 * n
    if n >= 38:
        heights = {round(text.get_fontsize(), 3) for text in axes.get_yticklabels()}
        assert max(heights) * 0.353 <= 200.0 / n + 1e-6 or n < 60
    check_marks(sheet)


@pytest.mark.rule("SUBQ-02")
@pytest.mark.parametrize(
    ("value", "text"), [(0.00001, "< 0.0001"), (0.0001, "0.0001"), (0.0, "0.0000"), (1.0, "1.0000")]
)
def test_a_tiny_attainable_p_is_no_zero(value, text, study):
    result = chapter.limits()
    place = list(result.frame["stat"].eq("p_min")).index(True)
    table = display.table_subgroup_limits(hand.changed(result, place, value=value), study)
    assert table.rows[0].cells[2].text == text


def test_levels_of_the_cohort_variable_are_its_labels(study):
    cohort = study.subgroups[0].model_copy(update={"id": "arm", "variable": "COHORT"})
    own = study.model_copy(update={"subgroups": (cohort,)})
    code, label = next(iter(study.cohorts().items()))
    assert level_word("arm", code, own) == column_label(code, own) != "" and label


@pytest.mark.rule("SUBQ-22")
def test_equal_values_do_not_hide_each_other(study, sheets):
    rows = chapter.opened_subgroups("participant_map", 4)
    for place, who in enumerate(hand.PEOPLE[:3]):
        rows.add("level", 4.0, variable="nlr5", level=who, text="<5")
        chapter.add(rows, TOTAL, "bor", who, value="SD" if place else "NE")
    display.figure_marker_response(rows.build(), study)
    heights = [
        round(float(line.get_ydata()[0]), 2) for line in sheets[-1].axes[0].lines if line.get_marker() == "o"
    ]
    assert len(set(heights)) == 3 and all(abs(y - round(y)) < 0.5 for y in heights)


@pytest.mark.rule("SUBQ-22")
@pytest.mark.parametrize("n", [2, 7, 45])
def test_many_equal_values_stay_at_their_response(n, study, sheets):
    rows = chapter.opened_subgroups("participant_map", n)
    for who in (f"P-{k:02}" for k in range(n)):
        rows.add("level", 4.0, variable="nlr5", level=who, text="<5")
        chapter.add(rows, TOTAL, "bor", who, value="SD")
    display.figure_marker_response(rows.build(), study)
    (axes,) = sheets[-1].axes
    heights = [float(line.get_ydata()[0]) for line in axes.lines if line.get_marker() == "o"]
    assert len(set(heights)) == n and max(abs(y - 2.0) for y in heights) < 0.5
    check_marks(sheets[-1])


@pytest.mark.rule("SUBQ-22")
def test_a_value_without_a_logarithm_is_counted_out(study):
    rows = chapter.opened_subgroups("participant_map", 2)
    for who, value in zip(hand.PEOPLE[:2], (0.0, 4.0), strict=True):
        rows.add("level", value, variable="nlr5", level=who, text="<5")
        chapter.add(rows, TOTAL, "bor", who, value="PD")
    assert "(1 of 2 participants)" in display.figure_marker_response(rows.build(), study).alt


@pytest.mark.rule("SUBQ-22")
def test_endpoints_by_level_every_cell_and_its_colour(study, sheets):
    figure = display.figure_subgroup_endpoints(chapter.levels(), study)
    (axes,) = sheets[-1].axes
    columns = 4
    assert len(axes.patches) == columns * 4
    texts = [text.get_text() for text in axes.texts]
    assert texts[:columns] == ["ORR", "DCR", "PFS at\n3 months", "OS at\n3 months"]
    rows = [
        texts[i + 1 : i + 1 + columns]
        for i, text in enumerate(texts)
        if text.strip() in ("All participants", "< 5", "≥ 5", "Missing")
    ]
    assert rows == [
        ["3/12", "3/12", "50.0% [5]", "90.0% [9]"],
        ["2/8", "2/8", "62.5% [4]", "62.5% [4]"],
        ["1/2", "1/2", "NE", "NE"],
        ["0/2", "0/2", "NE", "NE"],
    ]
    faces = [to_hex(patch.get_facecolor()) for patch in axes.patches]
    assert faces[8:] == ["#ffffff"] * 8 and "#ffffff" not in faces[:8]
    assert faces[0] == faces[1] and sum(axes.patches[3].get_facecolor()[:3]) < sum(
        axes.patches[0].get_facecolor()[:3]
    )
    assert "Map of 3 levels of 1 factors" in figure.alt and "none below 3 participants" in figure.footnotes[0]
    check_words(sheets[-1])


@pytest.mark.rule("SUBQ-13")
def test_sensitivity_scores_beside_the_share_and_ranges_of_coefficients(study):
    table = shown("table_sensitivity_model", study)
    cells = by_row(table)
    assert cells["Participants with every factor and a response"][0] == "12 of 15"
    assert cells["Brier score, left out"] == ["0.188", "0.155", "-0.083"]
    assert cells["Log loss, left out"] == ["0.600", "0.500", "-0.250"]
    label = next(entry.label for entry in study.subgroups if entry.id == "nlr5")
    assert cells[label][:2] == ["-0.25", "0.38"]
    notes = " ".join(table.footnotes)
    assert "did not predict response" in notes and "not a prediction model" in notes
    assert "AUC" not in table.text() and " p " not in table.text()


@pytest.mark.rule("SUBQ-13")
def test_a_sensitivity_model_without_enough_events_says_so(study):
    rows = chapter.opened_subgroups("sensitivity_model", 15)
    rows.add("n", 9, variable="complete", n=9, N=15)
    chapter.add(rows, TOTAL, "model", n=1, N=9, brier=("NE", "EVENTS_LT_5"), log_loss=("NE", "EVENTS_LT_5"))
    table = display.table_sensitivity_model(rows.build(), study)
    assert by_row(table)["Brier score, left out"][0] == "NE"
    assert CODE.search(" ".join(table.footnotes)) is None and len(table.footnotes) >= 2


@pytest.mark.parametrize("name", FIGURES)
def test_a_subgroup_figure_of_nobody_says_so(name, study):
    empty = hand.opened("subgroups.x", {TOTAL: 0}).build()
    assert "Nothing to draw: " in getattr(display, name)(empty, study).alt


@pytest.mark.parametrize("name", FIGURES)
def test_words_keys_and_bytes_of_a_subgroup_figure(name, study):
    result = FIGURES[name]()
    figure = getattr(display, name)(result, study)
    assert set(figure.keys) <= set(result.frame["result_id"]) and len(figure.keys) > 5
    assert not CODE.findall(" ".join([figure.title, figure.alt, *figure.footnotes]))
    assert "<text" not in figure.svg and figure.population == result.population
