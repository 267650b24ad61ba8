"""Which numbers the public copy hides, and that no small count can be computed from what it prints."""

from __future__ import annotations

from itertools import product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.report.privacy.small_cells import DASH, differences, hidden_cells
from interim.result import TOTAL, Rows

SIZES = {"DL1": 4, "DL2": 6, TOTAL: 10}


class Table:
    """Rows of a result, and what the public copy prints for each."""

    def __init__(self, sizes=SIZES, name="safety.x"):
        self.rows, self.sizes = Rows(name, "X"), sizes
        for group, size in sizes.items():
            self.rows.add("N", size, group=group, variable="population", n=size, N=size)

    def line(self, variable, *counts, level="", stat="n"):
        for (group, size), count in zip(self.sizes.items(), counts, strict=True):
            self.rows.add(stat, count, group=group, variable=variable, level=level, n=count, N=size)
        return self

    @property
    def frame(self) -> pd.DataFrame:
        return self.rows.build().frame

    def printed(self, limit=3, **more) -> dict[str, str]:
        """Group/variable/level/stat -> what is printed: the count or its mark."""
        hidden = hidden_cells(self.frame, limit=limit, **more)
        return {
            key.split("/", 1)[1]: hidden.mark([key]) or f"{value:g}"
            for key, value in zip(self.frame["result_id"], self.frame["value"], strict=True)
        }


def row(printed, variable, level="-", stat="n"):
    return [printed[f"{group}/{variable}/{level}/{stat}"] for group in ("dl1", "dl2", "total")]


@pytest.mark.rule(
    "PRV-20", source="section 13: cells below the limit, their columns, what misses the whole by few"
)
@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ((0, 0, 0), ["0", "0", "0"]),
        ((0, 3, 3), ["0", "3", "3"]),
        ((4, 6, 10), ["4", "6", "10"]),
        ((1, 3, 4), [DASH, DASH, "4"]),
        ((0, 2, 2), [DASH, DASH, "<3"]),
        ((1, 0, 1), [DASH, DASH, "<3"]),
        ((3, 3, 6), [DASH, DASH, "6"]),  # 3 of 4: one without
        ((4, 4, 8), [DASH, DASH, DASH]),  # 8 of 10: two without
        ((0, 4, 4), [DASH, DASH, "4"]),  # 4 of 6: two without
    ],
)
def test_a_row_prints_no_small_count(counts, shown):
    assert row(Table().line("x", *counts).printed(), "x") == shown


@pytest.mark.rule(
    "PRV-20",
    source="the sizes of the columns are not printed, so that nothing follows from what everybody has",
)
@pytest.mark.parametrize(("alike", "total"), [((4, 6, 2), 12), ((4, 0, 2), 6)])
def test_what_everybody_of_a_small_column_has_can_be_hidden(alike, total):
    table = Table({"DL1": 4, "DL2": 6, "NK only": 2, TOTAL: 12})
    printed = table.line("infusions", *alike, total, level="2").printed()
    for group in ("dl1", "dl2", "nk-only"):
        assert printed[f"{group}/population/-/n"] == DASH
        assert printed[f"{group}/infusions/2/n"] == DASH


@pytest.mark.rule("PRV-20")
@pytest.mark.parametrize(("limit", "shown"), [(3, "4"), (4, "4"), (5, "<5")])
def test_the_limit_is_the_parameter(limit, shown):
    sizes = {TOTAL: 20}
    assert Table(sizes).line("x", 4).printed(limit)["total/x/-/n"] == shown


@pytest.mark.rule("PRV-20")
def test_a_small_column_hides_all_columns_and_its_header():
    table = Table({"DL1": 1, "DL2": 9, TOTAL: 10}).line("x", 0, 5, 5)
    printed = table.printed()
    assert [printed[f"{g}/population/-/n"] for g in ("dl1", "dl2", "total")] == [DASH, DASH, "10"]
    assert row(printed, "x") == [DASH, DASH, "5"]


@pytest.mark.rule("PRV-20")
def test_rate_interval_and_number_go_with_their_count():
    table = Table({TOTAL: 15})
    for stat, value in (("rate", 1 / 15), ("lower", 0.0), ("upper", 0.3)):
        table.rows.add(stat, value, variable="orr", n=1, N=15)
    printed = table.printed()
    assert [printed[f"total/orr/-/{stat}"] for stat in ("rate", "lower", "upper")] == ["<3", DASH, DASH]


@pytest.mark.rule("PRV-20")
@pytest.mark.parametrize(
    ("rate", "hidden"),
    [(14 / 15, True), (13 / 15, True), (12 / 15, False), (1 / 15, True), (0.65, False), (1.0, False)],
)
def test_a_rate_of_a_curve_that_stands_for_few_is_hidden(rate, hidden):
    table = Table({TOTAL: 15})
    table.rows.add("rate", rate, variable="os landmark", level="3", n=15)
    assert (table.printed()["total/os-landmark/3/rate"] == DASH) is hidden


@pytest.mark.rule("PRV-20")
def test_a_denominator_that_misses_few_is_hidden():
    table = Table({TOTAL: 15})
    for variable, n in (("weight", 15), ("delay", 13), ("hours", 12)):
        table.rows.add("n", n, variable=variable, n=n)
        table.rows.add("median", 4.5, variable=variable, n=n)
    printed = table.printed()
    assert [printed[f"total/{v}/-/median"] for v in ("weight", "delay", "hours")] == ["4.5", DASH, "4.5"]


@pytest.mark.rule("PRV-20")
def test_a_number_without_count_goes_with_the_hidden_counts_of_its_column():
    table = Table().line("dlt", 0, 1, 1)
    for group in SIZES:
        table.rows.add("mean", 0.2, group=group, variable="posterior")
    printed = table.printed()
    assert row(printed, "posterior", stat="mean") == [DASH, DASH, "0.2"]


@pytest.mark.rule("PRV-20")
def test_two_grades_of_a_term_are_two_counts():
    table = Table({TOTAL: 15})
    for stat, count in (("n", 6), ("n_grade3", 1)):
        table.rows.add(stat, count, variable="skin", level="rash", n=count, N=15)
        table.rows.add(stat.replace("n", "events", 1), 9, variable="skin", level="rash", n=9)
    printed = table.printed()
    assert printed["total/skin/rash/n"] == "6"
    assert printed["total/skin/rash/n_grade3"] == "<3"
    assert printed["total/skin/rash/events"] == "9"
    assert printed["total/skin/rash/events_grade3"] == DASH


@pytest.mark.rule("PRV-21", source="by hand: N = 15, levels 1 + 8 + 6")
def test_a_lone_small_level_takes_the_next_smallest_with_it():
    table = (
        Table({TOTAL: 15}).line("bor", 1, level="PR").line("bor", 8, level="SD").line("bor", 6, level="PD")
    )
    printed = table.printed()
    assert [printed[f"total/bor/{level}/n"] for level in ("pr", "sd", "pd")] == ["<3", "8", DASH]


@pytest.mark.rule("PRV-21", source="by hand: 2 + 2 + 11, two marks of one or two that add up to four")
def test_marks_that_tell_by_themselves_are_not_enough():
    table = Table({TOTAL: 15}).line("x", 2, level="a").line("x", 2, level="b").line("x", 11, level="c")
    printed = table.printed()
    assert [printed[f"total/x/{level}/n"] for level in "abc"] == ["<3", "<3", DASH]


@pytest.mark.rule("PRV-21", source="by hand: 11 events = 1 death + 10 progressions; 15 = 11 + 4 censored")
def test_events_are_the_sum_of_their_kinds():
    table = Table({TOTAL: 15})
    for variable, level, stat, count in (
        ("PFS", "", "n", 15),
        ("PFS", "", "events", 11),
        ("PFS", "", "censored", 4),
        ("PFS event", "E-DEATH", "n", 1),
        ("PFS event", "E-PD", "n", 10),
        ("PFS censored", "K-CUT", "n", 4),
    ):
        table.rows.add(stat, count, variable=variable, level=level, n=count, N=15)
    printed = table.printed()
    assert printed["total/pfs-event/e-death/n"] == "<3"
    assert printed["total/pfs-event/e-pd/n"] == DASH
    assert (printed["total/pfs/-/events"], printed["total/pfs/-/censored"]) == ("11", "4")


@pytest.mark.rule("PRV-21", source="by hand: response = complete 1 + partial 3")
def test_a_declared_sum_is_kept_in_mind():
    table = Table({TOTAL: 15}).line("orr", 4)
    for level, count in (("CR", 1), ("PR", 3), ("SD", 3), ("PD", 3)):
        table.line("bor", count, level=level)
    free = table.printed()
    assert (free["total/orr/-/n"], free["total/bor/pr/n"]) == ("4", "3")
    sums = [{"analysis": "safety.x", "whole": "orr", "of": "bor", "levels": ["CR", "PR"]}]
    bound = table.printed(sums=sums)
    assert bound["total/bor/cr/n"] == "<3"
    assert DASH in (bound["total/orr/-/n"], bound["total/bor/pr/n"])


@pytest.mark.rule(
    "PRV-21", source="by hand: five with a term, three with the first, so at least two with the second"
)
def test_a_heading_over_its_terms_tells_nothing_either():
    table = Table({TOTAL: 15}).line("skin", 5).line("skin", 3, level="rash").line("skin", 2, level="itch")
    printed = table.printed()
    assert printed["total/skin/itch/n"] == "<3"
    assert DASH in (printed["total/skin/-/n"], printed["total/skin/rash/n"])


@pytest.mark.rule("PRV-20")
def test_what_belongs_to_no_public_question_is_hidden():
    hidden = hidden_cells(Table().line("x", 4, 6, 10).frame, limit=3)
    assert hidden.mark(["other.question/total/x/-/n"]) == DASH
    assert hidden.mark(["safety.x/total/x/-/n"]) == ""
    assert hidden.mark(["safety.x/total/x/-/n", "other.question/total/x/-/n"]) == DASH
    assert hidden.mark([]) == ""


@st.composite
def partitions(draw):
    """Participants of three columns sorted into three levels."""
    counts = {(g, v): draw(st.integers(0, 5)) for g in ("DL1", "DL2", "DL3") for v in "abc"}
    sizes = {g: sum(counts[g, v] for v in "abc") for g in ("DL1", "DL2", "DL3")}
    return counts, {**sizes, TOTAL: sum(sizes.values())}


@pytest.mark.rule("PRV-21", source="every table that agrees with the printed one, written out")
@settings(max_examples=40, deadline=None)
@given(partitions())
def test_no_small_count_of_the_total_follows_from_the_printed_table(case):
    counts, sizes = case
    if sizes[TOTAL] < 3:
        return
    table = Table(sizes)
    for level in "abc":
        parts = [counts[g, level] for g in ("DL1", "DL2", "DL3")]
        table.line("x", *parts, sum(parts), level=level)
    printed = table.printed()
    shown = [printed[f"total/x/{level}/n"] for level in "abc"]
    true = [sum(counts[g, level] for g in ("DL1", "DL2", "DL3")) for level in "abc"]
    choices = [
        range(1, 3) if mark == "<3" else range(sizes[TOTAL] + 1) if mark == DASH else [int(mark)]
        for mark in shown
    ]
    whole = printed["total/population/-/n"]
    fits = [t for t in product(*choices) if whole == DASH or sum(t) == sizes[TOTAL]]
    assert tuple(true) in fits
    for place, count in enumerate(true):
        if 0 < count < 3:
            assert len({t[place] for t in fits}) > 1, (shown, true)


@pytest.mark.rule("PRV-22")
@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 5}, {"a": 5}, []),
        ({"a": 5}, {"a": 6}, ["a"]),
        ({"a": 5}, {"a": 3}, ["a"]),
        ({"a": 5}, {"a": 8}, []),
        ({"a": 0}, {"a": 2, "b": 1}, ["a"]),
        ({"a": 5, "b": 9}, {"b": 10, "a": 4}, ["a", "b"]),
        ({}, {"a": 1}, []),
    ],
)
def test_two_copies_are_compared_count_by_count(old, new, found):
    hits = differences(old, new, limit=3)
    assert [hit.key[0] for hit in hits] == found
    assert {(hit.rule, hit.severity) for hit in hits} <= {("PRV-DIFF", "stop")}
