"""Expansion, benefit and risk, kinetics and biomarkers of hand-made Results: cells and marks counted by hand."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_hex

from interim import display
from interim.result import TOTAL, Rows
from tests.analysis.test_expansion import TYPES, study_with
from tests.display import results_by_hand as hand
from tests.display import results_of_chapters as chapter
from tests.display.sheets_of_figures import check_marks, check_words, kept_sheets
from tests.display.test_tables_cells import lines


@pytest.fixture(scope="module")
def study(study):
    return study.model_copy(update={"figure": study.figure.model_copy(update={"dpi": 72})})


@pytest.fixture(scope="module")
def types(tmp_path_factory):
    return study_with(tmp_path_factory.mktemp("types"), TYPES)


@pytest.fixture
def sheets(monkeypatch):
    return kept_sheets(
        monkeypatch, "expansion_figures", "kinetics", "kinetic_profiles", "cytokines", "spider"
    )


def candidate() -> Rows:
    """One type whose model is given, two types without a row."""
    rows = hand.opened("expansion.candidates", {TOTAL: 12})
    chapter.add(rows, "crc", "type", label="Colorectal", grade="moderate", p0=0.05, p1=0.25)
    chapter.rate(rows, "crc", "orr", "", 2, 9, 0.028, 0.6001)
    given = {"mean": 0.2125, "lower": 0.05, "upper": 0.45, "prob_above": 0.9505, "ppos": 0.5}
    few = ("NE", "NO_DATA")
    chapter.add(rows, "crc", "exnex", **given, ess=9.25, borrowed=few, **{"class": "GO"})
    chapter.add(rows, "crc", "decision", differs="exnex, partition", record="none", **{"class": "GO"})
    chapter.add(rows, "crc", "size", "9", ppos_new=0.125, ppos_pooled=0.755)
    chapter.add(rows, "crc", "margin", "go_prob", margin=-0.045)
    rows.add("n", 2, variable="unknown")
    rows.add("n", 1, variable="safety", text="1 of 12")
    return rows


@pytest.mark.rule("IB-19")
def test_candidate_type_by_type(types):
    one = types.model_copy(
        update={"expansion": types.expansion.model_copy(update={"type": types.expansion.type[:1]})}
    )
    table = display.table_candidates(candidate().build(), one)
    rows = lines(table)
    assert rows[0] == (-1, "Colorectal: p0 5%, p1 25%; evidence moderate", [])
    assert rows[1] == (1, "Response rate", ["2/9 (22%)", "(2.8, 60.0)", *["–"] * 5])
    assert rows[2] == (1, "Disease control rate", ["–"] * 7)
    model = ["21.3", "(5.0, 45.0)", "0.951", "0.500", "9.3", "NE", "GO"]
    assert rows[3] == (1, "Exchangeable or not (EXNEX)", model)
    assert "Exchangeable or not (EXNEX), Partition average; none" in rows[4][1] and rows[4][2][-1] == "GO"
    assert rows[5][1].endswith("9: 0.13 (0.76)") and rows[6][1] == "Margins: P(p > p0) -0.05"
    assert rows[7][2][0] == "2" and rows[8][2][0] == "1 of 12" and len(rows) == 9


@pytest.mark.parametrize("name", ["table_candidates", "table_tipping", "table_rule_of_choice"])
def test_what_was_not_run_is_one_row_with_its_reason(name, study):
    variable = {"table_candidates": "candidates", "table_tipping": "tipping"}.get(name, "rule")
    rows = hand.opened("expansion.x", {TOTAL: 3})
    rows.add("n", None, variable=variable, status="NA", reason="not run: no target rate")
    (row,) = lines(getattr(display, name)(rows.build(), study))
    assert row[1] == "not run: no target rate" and set(row[2]) == {"–"}


def test_tipping_of_a_type(types):
    rows = hand.opened("expansion.tipping", {TOTAL: 9})
    chapter.add(rows, "crc", "change", "own_n", prob_above=0.9505, ppos=0.125, **{"class": "GO (flips)"})
    gone = ("NE", "impossible with these counts")
    chapter.add(rows, "crc", "change", "own_resp", prob_above=gone, ppos=gone, **{"class": gone})
    rows.add("n", 2, group="crc", variable="smallest")
    chapter.add(rows, "crc", "other gastric", "own_n", prob_above=0.305, ppos=0.105, **{"class": "CONSIDER"})
    shown = lines(display.table_tipping(rows.build(), types))
    assert shown[0] == (-1, "Colorectal", [])
    assert [cells for _, _, cells in shown[1:3]] == [
        ["0.951", "0.125", "GO (flips)", "Gastric 0.31, 0.11, CONSIDER"],
        ["NE", "NE", "impossible with these counts", "–"],
    ]
    assert shown[3][2] == ["–", "–", "2", "–"] and shown[4][1] == "Gastric"
    assert shown[5][2][2] == "none"


@pytest.mark.rule("IB-19")
def test_designs_and_their_curves(study, sheets):
    result = chapter.designs()
    assert lines(display.table_designs(result, study)) == [
        (-1, "Two stages 9/17: stop at 0 of 9; go at >= 3 of 17", []),
        (1, "5%", ["0.048", "0.630", "12.0", "0.093"]),
        (1, "25%", ["0.813", "0.075", "16.4", "0.093"]),
        (-1, "Bayesian optimal phase II: no boundary keeps the error", []),
    ]
    figure = display.figure_designs(result, study)
    go, size = sheets[-1].axes
    assert [list(line.get_ydata()) for line in go.lines[:1]] == [[0.0475, 0.8125]]
    assert list(size.lines[0].get_ydata()) == [11.96, 16.4] and list(go.lines[0].get_xdata()) == [0.05, 0.25]
    assert go.lines[1].is_dashed() and go.lines[1].get_ydata()[0] == study.expansion.alpha_max
    assert "Two stages 9/17 P(go) 0.048 at 5%, 0.813 at 25%" in figure.alt
    check_marks(sheets[-1])
    check_words(sheets[-1])


def test_no_design_is_said_in_a_sentence(study):
    empty = hand.opened("expansion_designs.designs", {TOTAL: 3}).build()
    assert "Nothing to draw: " in display.figure_designs(empty, study).alt


def test_boundaries(study):
    assert lines(display.table_boundaries(chapter.boundaries(), study)) == [
        (0, "1", ["–", "–"]),
        (0, "9", [">= 5", "<= 0"]),
        (-1, lines(display.table_boundaries(chapter.boundaries(), study))[2][1], []),
        (1, "40%", ["0.717", "8.3"]),
    ]


def test_rule_of_choice(types):
    rows = hand.opened("expansion_designs.rule_of_choice", {TOTAL: 9})
    chapter.add(rows, "none active", "exnex", any_false=0.1235)
    chapter.add(rows, "none active", "exnex", "crc", p_go=0.0405)
    table = display.table_rule_of_choice(rows.build(), types)
    assert lines(table) == [
        (-1, "Exchangeable or not (EXNEX)", []),
        (1, "none active", ["0.041", "–", "–", "0.124"]),
    ]


@pytest.mark.rule("IB-19")
def test_benefit_and_risk_of_two_doses(study):
    shown = lines(display.table_benefit_risk(chapter.by_dose(), study))
    assert (0, "Response rate", ["1/2 (50%)", "1/6 (17%)", "2/8 (25%)"]) in shown
    assert shown[1][2] == ["(1.3, 75.0)", "(1.3, 75.0)", "(3.0, 65.0)"]
    assert (0, "Disease control rate – no response", ["NA", "NA", "–"]) in shown
    assert (0, "P(DLT rate <= 1/3)", ["0.91", "0.91", "–"]) in shown
    assert (0, "Joint desirability", ["0.46", "0.46", "–"]) in shown


def test_crosses_of_two_doses_the_small_one_hollow(study, sheets):
    figure = display.figure_benefit_risk(chapter.by_dose(), study)
    (axes,) = sheets[-1].axes
    points = [tuple(map(float, dots.get_offsets()[0])) for dots in axes.collections]
    assert points == [(pytest.approx(0.094), pytest.approx(0.194)), (pytest.approx(0.306), pytest.approx(0.406))]  # fmt: skip
    fills = [to_hex(dots.get_facecolor()[0]) for dots in axes.collections]
    assert fills[0] == "#ffffff" != fills[1] and len(axes.lines) == 8
    wide = [pytest.approx(line.get_xdata()[1] - line.get_xdata()[0]) for line in axes.lines[::2]]
    assert wide == [0.2, 0.1, 0.2, 0.1] and [x.get_linewidth() for x in axes.lines[:4:2]] == [0.8, 2.4]
    sought = axes.patches[0].get_bbox()
    assert (sought.x1, sought.y0) == (pytest.approx(study.dose.limit), study.benefit_risk.p_act)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["DL1 1.5e7, n=2", "DL2 3e7, n=6"]
    assert "DL1 1.5e7 toxicity 10%, activity 20%; DL2 3e7 toxicity 30%, activity 40%" in figure.alt
    check_words(sheets[-1])


@pytest.mark.parametrize("edge", [0.001, 0.999])
def test_a_shifted_cross_stays_inside_the_axes(edge, study, sheets):
    display.figure_benefit_risk(chapter.by_dose(((edge, edge), (edge, edge))), study)
    check_marks(sheets[-1])


def test_no_posterior_no_cross(study):
    empty = hand.opened("benefit_risk.by_dose", {"DL1": 0, TOTAL: 0}).build()
    assert "Nothing to draw: no dose level with a posterior." in display.figure_benefit_risk(empty, study).alt


@pytest.mark.parametrize("grades", [(0, 2, 4), (0, 3, 5), (1, 1, 1)])
def test_every_grade_of_the_exposure_figure_is_inside(grades, study, sheets):
    result = chapter.exposures(grades, (100.0, 1000.0, 10.0))
    figure = display.figure_exposure_response(result, study)
    (axes,) = sheets[-1].axes
    (dots,) = axes.lines
    assert axes.get_xscale() == "log" and sorted(map(float, dots.get_ydata())) == sorted(grades)
    assert axes.get_xlabel() == "CAR-T transgene: Cmax" and axes.get_title().endswith("0.88, n=3")
    assert "Spearman correlation 0.88, n=3" in figure.alt
    check_marks(sheets[-1])
    check_words(sheets[-1])


def test_an_exposure_of_nought_is_not_lost_in_silence(study, sheets):
    figure = display.figure_exposure_response(chapter.exposures(), study)
    (dots,) = sheets[-1].axes[0].lines
    assert len(dots.get_xdata()) == 2
    assert "1 participant with an exposure of 0" in " ".join([figure.alt, *figure.footnotes])


def test_the_text_of_an_exposure_is_words(study):
    figure = display.figure_exposure_response(chapter.exposures(rho=("NE", "ONE_VALUE")), study)
    assert "CAR-T transgene: Cmax" in figure.alt and "CMAX" not in figure.alt
    assert "Spearman correlation not estimable" in figure.alt


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_panels_of_exposures_do_not_overlap(count, study, sheets):
    names = ("CMAX", "AUC0_7", "AUC0_14", "AUC0_28", "AUC0_84")[:count]
    rows = hand.opened("exposure.response", {TOTAL: 2})
    for name in names:
        for place, grade in enumerate((0, 3)):
            where = (TOTAL, f"points CARTG {name} ~ CRS grade", f"SYN-{place}")
            chapter.add(rows, *where, exposure=10.0 ** (place + 2), grade=grade)
    display.figure_exposure_response(rows.build(), study)
    assert len(sheets[-1].axes) == count
    check_words(sheets[-1])


@pytest.mark.rule("KIN-33")
def test_exposure_by_dose_with_its_model(study):
    table = display.table_exposure_by_dose(chapter.power_model(), study)
    assert lines(table) == [
        (-1, "CAR-T transgene: Cmax", []),
        (1, "Participants, n", ["3", "6"]),
        (2, "Geometric mean (CV, %)", ["1235 (56.7)", "1235 (56.7)"]),
        (2, "Median (min; max)", ["1200 (99.5; 4567)", "1200 (99.5; 4567)"]),
        (1, "Slope of the power model", ["–", "0.905"]),
        (1, "90% interval, lower limit", ["–", "0.500"]),
        (1, "90% interval, upper limit", ["–", "1.25"]),
        (1, "Critical range, lower limit", ["–", "0.800"]),
        (1, "Critical range, upper limit", ["–", "1.20"]),
        (1, "Ratio of dose-normalised means, highest to lowest dose", ["–", "NE"]),
        (1, "Exposures of 0, not in the model, n", ["–", "1"]),
        (1, "Dose proportionality", ["–", "Inconclusive"]),
        (0, lines(table)[-1][1], ["NA", "NA"]),
    ]
    assert lines(table)[-1][1].endswith("– no sample") and "0.8 to 1.25" in table.footnotes[0]


MEASURES = [
    "table_kinetic_levels",
    "table_kinetic_parameters",
    "table_biodistribution",
    "table_cytokines",
    "table_biomarkers",
]


@pytest.mark.parametrize("name", MEASURES)
def test_values_of_many_of_few_and_of_nobody(name, study):
    table = getattr(display, name)(chapter.measures(), study)
    assert lines(table) == [
        (-1, "CAR-T transgene, cycle 1", []),
        (1, "Cmax (copies/ug), n", ["2", "0", "5"]),
        (2, "Below the limit of quantification, n", ["1", "1", "1"]),
        (2, "Geometric mean (CV, %)", ["4; 6", "–", "1235 (45.3)"]),
        (2, "Median (min; max)", ["5.00 (4.00; 6.00)", "–", "12.3 (0.050; 100.0)"]),
        (2, "Not evaluable, left out, n", ["0", "0", "1"]),
    ]
    assert "NE: no mean" in table.footnotes[0]


def test_antibodies_before_and_after(study):
    shown = lines(display.table_immunogenicity(chapter.immunogenicity(), study))
    assert [cells for _, _, cells in shown] == [[], ["0/3", "0"], ["1/3 (33%)", "2 (16.7%)"], ["NA", "NA"]]
    assert shown[-1][1].endswith("– domain IS not given")


@pytest.mark.parametrize(("mode", "rise"), [("half_up", "2.3"), ("half_even", "2.2")])
def test_the_largest_rise_is_rounded_by_the_mode_of_the_study(mode, rise, study):
    rows = hand.opened("cytokines.course", {"DL1": 1, TOTAL: 1})
    chapter.add(rows, "DL1", f"IL6|{hand.PEOPLE[0]}", "D1", log2_fold=2.25)
    study = study.model_copy(update={"rounding": study.rounding.model_copy(update={"mode": mode})})
    assert f"largest rise is {rise} (IL6" in display.figure_cytokine_heat_map(rows.build(), study).alt


@pytest.mark.parametrize("gone", [("NE", "NO_BASELINE"), ("NA", "NO_SAMPLE")])
def test_a_fold_that_does_not_exist_is_not_drawn(gone, study, sheets):
    rows = hand.opened("cytokines.course", {"DL1": 1, TOTAL: 1})
    chapter.add(rows, "DL1", f"IL6|{hand.PEOPLE[0]}", "D1", log2_fold=2.5)
    chapter.add(rows, "DL1", f"IL6|{hand.PEOPLE[0]}", "D7", log2_fold=gone)
    figure = display.figure_cytokine_heat_map(rows.build(), study)
    assert "nan" not in figure.alt and "largest rise is 2.5" in figure.alt
    assert len(sheets[-1].axes[0].collections[0].get_offsets()) == 1


@pytest.mark.parametrize("count", [1, 3, 4])
def test_panels_of_the_heat_map_do_not_overlap(count, study, sheets):
    rows = hand.opened("cytokines.course", {"DL1": 3, TOTAL: 3})
    for analyte in ("IL6", "IFNG", "IL10", "TNF")[:count]:
        for subject in hand.PEOPLE:
            chapter.add(rows, "DL1", f"{analyte}|{subject}", "D-1", log2_fold=-8.0)
    display.figure_cytokine_heat_map(rows.build(), study)
    assert len(sheets[-1].axes) == count + 1
    check_marks(sheets[-1])
    check_words(sheets[-1])


@pytest.mark.parametrize("days", [(0, 7, 14), (0.5, 28, 364), (3, 3.25, 4)])
def test_profiles_keep_order_scale_and_limit(days, study, sheets):
    rows = hand.opened("kinetics.profiles", {"DL1": 1, TOTAL: 1})
    for day, value, status in zip(reversed(days), (5.0, 900.0, 10.0), ("FLAG", "OK", "FLAG"), strict=True):
        rows.add("conc", value, group="DL1", variable=f"CARTG|{hand.PEOPLE[0]}", level=f"{day}", status=status, reason="below")  # fmt: skip
    figure = display.figure_kinetic_profiles(rows.build(), study)
    (axes,) = sheets[-1].axes
    assert list(axes.lines[0].get_xdata()) == list(days) and list(axes.lines[0].get_ydata()) == [10, 900, 5]
    limits = sorted(line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--")
    assert limits == [5.0, 10.0] and axes.get_yscale() == "log"
    assert axes.get_ylabel() == "CAR-T transgene"
    assert "1 participants, 3 samples, 2 of them below" in figure.alt
    check_words(sheets[-1])


def test_a_panel_per_assay_the_first_on_top(study, sheets):
    rows = hand.opened("kinetics.profiles", {"DL1": 1, TOTAL: 1})
    for assay in ("CARTC", "CARTG"):
        for day in (0, 7):
            rows.add("conc", 10.0 + day, group="DL1", variable=f"{assay}|S", level=f"{day}")
    display.figure_kinetic_profiles(rows.build(), study)
    heights = [axes.get_position().y0 for axes in sheets[-1].axes]
    names = [axes.get_ylabel() for axes in sheets[-1].axes]
    assert [name for _, name in sorted(zip(heights, names, strict=True), reverse=True)] == [
        "CAR-positive T cells",
        "CAR-T transgene",
    ]
    check_words(sheets[-1])


def spider(*changes) -> Rows:
    rows = hand.opened("depth.spider", {"DL1": len(changes), TOTAL: len(changes)})
    for place, change in enumerate(changes):
        subject = f"SYN-101-{place:03d}"
        chapter.add(rows, "DL1", "sum", subject, week1=8.0, pchg1=change)
        chapter.add(rows, "DL1", "new_lesion", subject, week1=12.0)
        chapter.add(rows, "DL1", "t_cell", subject, week=3.0)
    return rows


@pytest.mark.parametrize("changes", [(-100.0,), (250.0, -20.0), (0.0,)])
def test_a_spider_holds_every_leg_mark_and_stroke(changes, study, sheets):
    figure = display.figure_spider(spider(*changes).build(), study)
    (axes,) = sheets[-1].axes
    crosses = [line for line in axes.lines if line.get_marker() == "x"]
    assert [line.get_ydata()[0] for line in crosses] == list(changes)
    assert f"(n={len(changes)})" in figure.alt and f"new lesion: {len(changes)}." in figure.alt
    check_marks(sheets[-1])


@pytest.mark.parametrize("count", [3, 12])
def test_names_of_legs_that_end_together_do_not_overlap(count, study, sheets):
    display.figure_spider(spider(*[-20.0] * count).build(), study)
    check_words(sheets[-1])


@pytest.mark.rule("KIN-43")
def test_open_and_crossed_marks_of_exposure_and_best_change(study, sheets):
    rows = hand.opened("exposure.response", {TOTAL: 3})
    name = "CARTG CMAX ~ best change"
    for place, (exposure, change, after, dlt) in enumerate(
        ((10.0, -40.0, 0, 0), (100.0, 20.0, 1, 0), (1000.0, -10.0, 1, 1))
    ):
        where = (TOTAL, f"points {name}", f"SYN-{place}")
        chapter.add(rows, *where, exposure=exposure, change=change, after=after, dlt=dlt)
    chapter.add(rows, TOTAL, name, n=3, N=3, spearman=0.5, lower=-0.25, upper=0.75)
    figure = display.figure_exposure_response(rows.build(), study)
    (axes,) = sheets[-1].axes
    filled, hollow, crossed, nought = axes.lines
    assert list(filled.get_xdata()) == [10.0] and filled.get_markerfacecolor() != "none"
    assert list(hollow.get_xdata()) == [100.0, 1000.0] and hollow.get_markerfacecolor() == "none"
    assert list(crossed.get_ydata()) == [-10.0] and crossed.get_marker() == "x"
    assert nought.get_ydata()[0] == 0 and axes.get_ylabel() == "Best change, %"
    assert "Spearman correlation 0.50 (-0.25; 0.75), n=3" in figure.alt
    check_words(sheets[-1])


@pytest.mark.rule("KIN-42")
def test_ticks_of_infusions_and_marks_of_medicines(study, sheets):
    rows = hand.opened("kinetics.profiles", {"DL1": 1, TOTAL: 1})
    for day, level in ((0, 10.0), (7, 900.0), (28, 60.0)):
        rows.add("conc", level, group="DL1", variable="CARTG (copies/ug)|S", level=f"{day}")
    for number, day in enumerate((0.0, 1.0, 40.0), 1):
        rows.add("infusion", day, group="DL1", variable="infusions", level=f"S {number}")
    rows.add("start", 3.0, group="DL1", variable="CMAX_AFTER_TOCI", level="S 1")
    rows.add("start", 5.0, group="DL1", variable="CMAX_AFTER_STEROID", level="S 1")
    figure = display.figure_kinetic_profiles(rows.build(), study)
    (axes,) = sheets[-1].axes
    foot = [line for line in axes.lines if list(line.get_ydata()) == [0, 0.05]]
    assert [line.get_xdata()[0] for line in foot] == [0.0, 1.0]
    heads = {line.get_marker(): line.get_xdata()[0] for line in axes.lines if line.get_marker() in "vs"}
    assert heads == {"v": 3.0, "s": 5.0}
    assert axes.get_ylabel() == "CAR-T transgene\n(copies/ug)"
    assert figure.footnotes[0].endswith("triangles: interleukin-6 blocker; squares: corticosteroid.")
    check_words(sheets[-1])


@pytest.mark.rule("KIN-42")
def test_means_with_one_error_and_a_gap(study, sheets):
    rows = hand.opened("kinetics.mean_profiles", {"DL1": 3, TOTAL: 3})
    for day, mean in (("3", 10.0), ("7", None), ("14", 40.0)):
        place = {"group": "DL1", "variable": "CARTG (copies/ug)", "level": day}
        if mean is None:
            rows.add("geo_mean", None, status="NE", reason="MOST_BELOW_LIMIT", **place)
            continue
        for stat, factor in (("geo_mean", 1.0), ("geo_low", 0.5), ("geo_high", 2.0)):
            rows.add(stat, mean * factor, **place)
    rows.add("lloq", 5.0, variable="CARTG (copies/ug)")
    figure = display.figure_mean_profiles(rows.build(), study)
    (axes,) = sheets[-1].axes
    (bars,) = axes.containers
    assert list(bars[0].get_xdata()) == [3.0, 7.0, 14.0]
    assert [float(v) for v in bars[0].get_ydata()][::2] == [10.0, 40.0]
    ends = [tuple(float(y) for y in part[:, 1]) for part in bars[2][0].get_segments() if len(part)]
    assert (5.0, 20.0) in ends and (20.0, 80.0) in ends
    dashed = [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"]
    assert dashed == [5.0]
    assert "2 means, 1 withheld" in figure.alt
    check_words(sheets[-1])
