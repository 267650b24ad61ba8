"""The printed cell of one place: count, rate, interval, value, words; each status, each rounding mode."""

from __future__ import annotations

import math

import pytest

from interim.display.infusions import spread_cell
from interim.display.labels import column_label, participant_label, sentence_case, settings, word
from interim.display.layout import Line, absent_line, cohort_table, made, orientation
from interim.display.measures import digits_of, measure_table, number_cell
from interim.display.numbers import Numbers, decimals
from interim.display.table import Cell
from interim.errors import ReportError
from interim.result import TOTAL, Rows
from tests.display import results_by_hand as hand

WORDS = {"NE": "NE", "NR": "NR", "NA": "NA", "INF": "no limit"}


def with_mode(study, mode):
    return study.model_copy(update={"rounding": study.rounding.model_copy(update={"mode": mode})})


def one(stat, value, study, **row):
    """Return the numbers of a Result of one row in the column DL1."""
    rows = Rows("a.b", "One")
    rows.add(stat, value, group="DL1", variable="v", **row)
    return Numbers(rows.build(), study)


@pytest.mark.parametrize(
    ("x", "n", "text"),
    [
        (0, 0, "0"),
        (0, 9, "0/9"),
        (1, 1, "1/1 (100%)"),
        (1, 9, "1/9 (11%)"),
        (9, 9, "9/9 (100%)"),
        (0, 10, "0"),
        (1, 10, "1 (10.0%)"),
        (10, 10, "10 (100%)"),
        (1, 200, "1 (0.5%)"),
        (199, 200, "199 (99.5%)"),
        (1, 3000, "1 (0.0%)"),
        (2999, 3000, "2999 (100.0%)"),
    ],
)
def test_counts_of_small_and_large_columns(x, n, text, study):
    numbers = one("n", x, study, n=x, N=n)
    assert numbers.count("DL1", "v") == Cell(text, ("a.b/dl1/v/-/n",))


@pytest.mark.parametrize(
    ("mode", "count", "share", "value"),
    [("half_up", "1/8 (13%)", "1/16 (6.3%)", "-3"), ("half_even", "1/8 (12%)", "1/16 (6.2%)", "-2")],
)
def test_the_rounding_of_the_study_holds_in_every_kind_of_cell(mode, count, share, value, study):
    other = with_mode(study, mode)
    assert one("n", 1, other, n=1, N=8).count("DL1", "v").text == count
    assert one("rate", 1 / 16, other, n=1, N=16).rate("DL1", "v").text == share
    assert one("median", -2.5, other).value("DL1", "v", "median", digits=0).text == value


@pytest.mark.parametrize("status", WORDS)
@pytest.mark.parametrize("method", ["count", "plain", "value", "rate"])
def test_each_status_keeps_its_word_and_its_key(status, method, study):
    stat = "rate" if method == "rate" else "n"
    numbers = one(stat, None, study, status=status, reason="by hand")
    more = (stat,) if method == "value" else ()
    assert getattr(numbers, method)("DL1", "v", *more) == Cell(WORDS[status], (f"a.b/dl1/v/-/{stat}",))


def test_a_rate_of_nobody_is_its_fraction_even_where_it_is_not_estimable(study):
    numbers = one("rate", None, study, n=0, N=0, status="NE", reason="no participant")
    assert numbers.rate("DL1", "v").text == "0/0"


@pytest.mark.parametrize("method", ["count", "plain", "rate", "interval"])
def test_a_place_without_a_row_is_a_dash_without_a_key(method, study):
    numbers = one("n", 1, study, n=1, N=3)
    assert getattr(numbers, method)("DL2", "v") == Cell("–")
    assert numbers.value("DL1", "v", "mean") == numbers.words("DL1", "w", "n") == Cell("–")


@pytest.mark.parametrize(
    ("lower", "upper", "text"),
    [
        (0.125, 0.875, "(12.5, 87.5)"),
        (0.0, 1.0, "(0.0, 100.0)"),
        ("NE", "NE", "NE"),
        ("NR", "NR", "NR"),
        ("NA", "NA", "NA"),
        (0.125, "NR", "(12.5, NR)"),
        ("NE", "NR", "(NE, NR)"),
        ("INF", 0.5, "(no limit, 50.0)"),
        (0.5, 0.5, "(50.0, 50.0)"),
        (-0.0001, 0.0001, "(0.0, 0.0)"),
    ],
)
def test_both_limits(lower, upper, text, study):
    rows = Rows("a.b", "Limits")
    for stat, limit in (("lower", lower), ("upper", upper)):
        status = {"status": limit, "reason": "by hand"} if isinstance(limit, str) else {}
        rows.add(stat, None if status else limit, variable="v", **status)
    cell = Numbers(rows.build(), study).interval(TOTAL, "v")
    assert cell == Cell(text, ("a.b/total/v/-/lower", "a.b/total/v/-/upper"))


def test_one_limit_alone_is_no_interval(study):
    rows = Rows("a.b", "Limits")
    rows.add("lower", 0.1, variable="v")
    assert Numbers(rows.build(), study).interval(TOTAL, "v") == Cell("–")


@pytest.mark.parametrize(
    ("events", "text", "keys"), [(5, "2/3 (67%) [5]", 2), (0, "2/3 (67%)", 2), (None, "2/3 (67%)", 1)]
)
def test_events_in_brackets_only_where_there_are_some(events, text, keys, study):
    rows = Rows("a.b", "Events")
    rows.add("n", 2, variable="v", n=2, N=3)
    if events is not None:
        rows.add("events", events, variable="v", n=events)
    cell = Numbers(rows.build(), study).counted(TOTAL, "v")
    assert (cell.text, len(cell.keys)) == (text, keys)


def test_a_count_that_contradicts_its_column_is_refused(study):
    with pytest.raises(ReportError, match="x = 4, n = 3"):
        one("n", 4, study, n=4, N=3).count("DL1", "v")


def test_what_must_be_there_is_named_if_it_is_not(study):
    numbers = one("n", 1, study, n=1)
    with pytest.raises(KeyError, match=r"a\.b has no row Total/population//N"):
        numbers.size(TOTAL)
    assert numbers.groups == () and numbers.count("DL1", "v").text == "1"


def test_an_absence_is_one_only_if_it_is_everywhere_and_for_one_reason(study):
    rows = hand.opened("a.b")
    hand.absent(rows, "all", "not collected")
    hand.absent(rows, "not estimable", "few", status="NE")
    rows.add("n", None, group="DL1", variable="some", status="NA", reason="not collected")
    rows.add("n", 1, group="DL2", variable="some", n=1)
    for group, reason in (("DL1", "one"), ("DL2", "two")):
        rows.add("n", None, group=group, variable="two", status="NA", reason=reason)
    numbers = Numbers(rows.build(), study)
    assert numbers.absence("all", stat="n") == "not collected"
    assert [numbers.absence(v, stat="n") for v in ("not estimable", "some", "two", "nothing")] == [""] * 4
    line = absent_line(numbers, "Name", "all", indent=2)
    assert (line.text, line.indent, line.cell("DL2").text) == ("Name – not collected", 2, "NA")
    assert absent_line(numbers, "Name", "some") is None


def test_order_of_groups_levels_and_variables_is_that_of_the_rows(study):
    rows = hand.opened("a.b", {"Z": 1, "A": 2, TOTAL: 3})
    for group, variable, level, stat in (("Z", "b", "2", "n"), ("A", "b", "1", "n"), ("Z", "a", "", "m")):
        rows.add(stat, 1, group=group, variable=variable, level=level)
    numbers = Numbers(rows.build(), study)
    assert numbers.groups == ("Z", "A", TOTAL)
    assert numbers.levels("b") == ("2", "1") and numbers.levels("b", group="A") == ("1",)
    assert numbers.levels("b", stat="m") == ()
    assert numbers.variables() == ("b", "a") and numbers.variables(stat="m") == ("a",)


@pytest.mark.parametrize("columns", range(1, 12))
def test_seven_columns_need_a_wide_page(columns):
    assert orientation(columns) == ("landscape" if columns >= 7 else "portrait")


@pytest.mark.parametrize("count", [1, 6, 7])
def test_heads_sizes_widths_and_page_of_a_table_by_cohort(count, study):
    sizes = {f"G{n}": n for n in range(count - 1)} | {TOTAL: 99}
    rows = hand.opened("a.b", sizes, footnotes=("Of the question.",))
    rows.add("n", 2, variable="population_moved", n=2, N=99)
    table = cohort_table(Numbers(rows.build(), study), [Line("Part")], stub="Item", footnotes=("Own.",))
    heads = table.header[0]
    assert heads[0].text == "Item" and heads[-1].text == "Total\nN=99" and heads[-1].keys
    assert [head.text.rpartition("=")[2] for head in heads[1:]] == [f"{size}" for size in sizes.values()]
    assert table.widths == (3.0, *[1.0] * count) and table.align == ("left", *["right"] * count)
    assert table.orientation == ("landscape" if count == 7 else "portrait")
    assert table.footnotes[0] == "Own." and table.footnotes[-1] == "Of the question."
    assert "differ: 2 of 99; columns by assigned dose" in table.footnotes[1]


def test_columns_by_actual_dose_are_called_so(study):
    rows = hand.opened("a.b", group_var="COHORTA")
    rows.add("n", 1, variable="population_moved", n=1, N=15)
    table = cohort_table(Numbers(rows.build(), study), [])
    assert table.footnotes == (
        "Participants whose assigned and actual dose level differ: 1 of 15; columns by actual dose.",
    )


def test_a_line_without_cells_is_a_heading():
    assert made(Line("Part", indent=1), ("a", "b")).kind == "section"
    row = made(Line("Item", lambda group: Cell(group)), ("a", "b"))
    assert [cell.text for cell in row.cells] == ["Item", "a", "b"]


@pytest.mark.parametrize(
    ("value", "digits"),
    [(0, 0), (math.nan, 0), (math.inf, 0), (999.5, 0), (100, 0), (99.99, 1), (10, 1), (9.99, 2), (1, 2), (0.999, 3),
     (1e-9, 3), (-12.3, 1), (1e12, 0)],
)  # fmt: skip
def test_three_significant_digits(value, digits):
    assert digits_of(value) == digits


@pytest.mark.parametrize(
    ("value", "text"), [(1234.5, "1235"), (12.25, "12.3"), (0.01234, "0.012"), (0, "0"), (-0.0001, "0.000")]
)
def test_a_measured_number(value, text, study):
    assert number_cell(one("mean", value, study), "DL1", variable="v", level="", stat="mean").text == text


@pytest.mark.parametrize("status", WORDS)
def test_a_measured_number_without_value(status, study):
    numbers = one("mean", None, study, status=status, reason="by hand")
    assert number_cell(numbers, "DL1", variable="v", level="", stat="mean").text == WORDS[status]


def measured(**stats):
    rows = hand.opened("biomarkers.hand", {TOTAL: 2})
    for stat, value in stats.items():
        text = {"text": value} if isinstance(value, str) and value != "NE" else {}
        lost = {"status": "NE", "reason": "few"} if value == "NE" else {}
        rows.add(
            stat, None if text or lost else value, variable="level", level="CRP", unit="mg/L", **text, **lost
        )
    return rows.build()


def body(table):
    return {row.cells[0].text: [cell.text for cell in row.cells[1:]] for row in table.rows}


def test_a_measure_with_and_without_a_mean(study):
    full = measured(n=4, n_blq=1, geo_mean=12.5, geo_cv=33.3, median=12, min=1.5, max=120, n_out=1)
    assert body(measure_table(full, study)) == {
        "CAR-T level": [],
        "C-reactive protein (mg/L), n": ["4"],
        "Below the limit of quantification, n": ["1"],
        "Geometric mean (CV, %)": ["12.5 (33.3)"],
        "Median (min; max)": ["12.0 (1.50; 120)"],
        "Not evaluable, left out, n": ["1"],
    }
    few = measured(n=2, geo_mean="NE", geo_cv="NE", values="1.5; 3", median="NE", min="NE", max="NE", n_out=0)
    shown = body(measure_table(few, study, footnotes=("Own.",)))
    assert shown["Geometric mean (CV, %)"] == shown["Median (min; max)"] == ["1.5; 3"]
    assert "Not evaluable, left out, n" not in shown
    none = measured(n=2, median="NE", min="NE", max="NE")
    assert body(measure_table(none, study))["Median (min; max)"] == ["NE"]


@pytest.mark.parametrize(
    ("variable", "values", "text"),
    [
        ("cells", (1.5e7, 1e6, 1e10), "4; 1.50e7 (1.00e6, 1.00e10)"),
        ("cells", (1.0, 1.0, 10), "4; 1.00e0 (1.00e0, 1.00e1)"),
        ("ratio_planned", (1, 0.905, 1.125), "4; 1.00 (0.91, 1.13)"),
        ("onset", (2.5, 1, 7), "4; 3 (1, 7)"),
    ],
)
def test_number_median_and_range(variable, values, text, study):
    rows = Rows("a.b", "Spread")
    rows.add("n", 4, variable=variable)
    for stat, value in zip(("median", "min", "max"), values, strict=True):
        rows.add(stat, value, variable=variable)
    assert spread_cell(Numbers(rows.build(), study), variable, TOTAL).text == text


@pytest.mark.rule("DISP-20")
@pytest.mark.parametrize("variable", ["cells", "ice"])
def test_a_column_without_values_does_not_read_as_a_value_of_zero(variable, study):
    rows = Rows("a.b", "Spread")
    rows.add("n", 0, variable=variable)
    for stat in ("median", "min", "max"):
        rows.add(stat, None, variable=variable, status="NE", reason="NO_DATA")
    cell = spread_cell(Numbers(rows.build(), study), variable, TOTAL)
    assert cell.text == "n=0" and cell.keys == ("a.b/total/" + variable + "/-/n",)


@pytest.mark.parametrize("status", WORDS)
def test_a_range_of_cells_without_a_number_says_so(status, study):
    rows = Rows("a.b", "Spread")
    rows.add("n", 1, variable="cells")
    for stat in ("median", "min", "max"):
        rows.add(stat, None, variable="cells", status=status, reason="by hand")
    cell = spread_cell(Numbers(rows.build(), study), "cells", TOTAL)
    assert cell.text == "1; {0} ({0}, {0})".format(WORDS[status]) and len(cell.keys) == 4


@pytest.mark.parametrize(
    ("codelist", "code", "text"),
    [
        ("SEX", "F", "Female"),
        ("SEX", "INTERSEX", "Intersex"),
        ("nothing", "NEW CODE", "New code"),
        ("reasons", "NO-CART: PROGRESSIVE DISEASE", "No CAR-T infusion: Progressive disease"),
        ("reasons", "Unknown: TEXT", "Unknown: TEXT"),
        ("terms", "", ""),
        ("terms", "x" * 300, "X" + "x" * 299),
        ("terms", "Covid-19", "Covid-19"),
    ],
)
def test_words_of_known_and_unknown_codes(codelist, code, text):
    assert word(codelist, code) == text
    assert sentence_case("ÉTAT_GÉNÉRAL") == "État général"
    assert sentence_case("CART C1D1") == "CAR-T C1D1"
    assert sentence_case("NK DAY 0") == "NK day 0"


def test_labels_of_columns_participants_and_decimals(study):
    assert (column_label("DL1", study), column_label(TOTAL, study)) == ("DL1 1.5e7", "Total")
    assert column_label("SOMETHING", study) == "Something"
    assert participant_label("SYN-101-001", study) == "101-001"
    assert participant_label("SYN", study) == "SYN" and participant_label("X-1", study) == "X-1"
    assert (decimals("AGE"), decimals("WEIGHTBL"), decimals("NEW")) == (0, 1, 1)
    with pytest.raises(KeyError):
        settings("no such table")
