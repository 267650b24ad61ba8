"""Records: a domain as codes that are read once, whatever the types of its columns; the same answers as cell by cell."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interim.data.check.context import Context, beside
from interim.data.check.records import Records, grouped, normal, plain
from interim.data.cut.fields import Edit
from interim.data.dates import date_starts, parse_dates
from interim.data.model import Sdtm

CUT = datetime(2025, 12, 31)
CELLS = st.lists(
    st.sampled_from(["a", "A", " a ", "\uff21", "b", "", None, "3", "3.0", "NaN", "1e3", "-2", "inf"]),
    max_size=12,
)
NUMBERS = st.lists(st.sampled_from([1.0, 2.0, 2.5, -3.0, 1e16, np.nan, np.inf]), max_size=12)
DATES = st.lists(
    st.sampled_from(
        ["2026-03-04", "2026-03-04T10:15", "2026-03", "2026", "2026---04", "--03-04", "2026-02-30", "x", None]
    ),
    max_size=12,
)


def records(cells, dtype=object, index=None):
    frame = pd.DataFrame({"USUBJID": pd.Series(cells, dtype=object), "X": pd.Series(cells, dtype=dtype)})
    return Records("LB", frame if index is None else frame.set_axis(index))


def code_of(cell):
    text = plain(cell)
    return None if text is None else normal(text).upper() or None


@pytest.mark.rule("CHECK-05")
@given(CELLS)
def test_codes_are_those_of_the_single_cells(cells):
    mine = records(cells)
    expected = [code_of(cell) for cell in cells]
    places, codes = mine.coded("X")
    assert [None if place < 0 else codes[place] for place in places] == expected
    assert mine.code("X").tolist() == expected
    assert len(set(codes)) == len(codes)
    assert mine.given("X").tolist() == [code is not None for code in expected]
    assert mine.equal("X", "A", "3").tolist() == [code in ("A", "3") for code in expected]
    assert mine.matching("X", "A|B").tolist() == [code in ("A", "B") for code in expected]
    assert mine.subjects().tolist() == [
        None if code is None else normal(cell) for code, cell in zip(expected, cells, strict=True)
    ]


@pytest.mark.rule("CHECK-05")
@given(CELLS)
def test_numbers_of_text_are_those_of_the_single_cells(cells):
    expected = [
        pd.to_numeric(pd.Series([code_of(cell)], dtype=object), errors="coerce").iloc[0] for cell in cells
    ]
    expected = [value if np.isfinite(value) else np.nan for value in expected]
    np.testing.assert_array_equal(records(cells).number("X").to_numpy(), np.array(expected, dtype=float))


@pytest.mark.rule("CHECK-05")
@given(NUMBERS)
def test_numbers_stay_and_are_the_same_where_their_text_is(cells):
    mine = records(cells, dtype=float)
    expected = [cell if np.isfinite(cell) else np.nan for cell in cells]
    np.testing.assert_array_equal(mine.number("X").to_numpy(), np.array(expected, dtype=float))
    same = mine.identity("X")
    texts = mine.text("X").tolist()
    for one, first in zip(same, texts, strict=True):
        assert (one < 0) == (first is None)
        assert [other == one for other in same] == [text == first for text in texts]
    assert [mine.cell(place, "X") for place in range(len(cells))] == texts


@pytest.mark.rule("CHECK-05")
@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 10**9)), min_size=1, max_size=20))
def test_groups_are_the_distinct_rows_in_their_order(rows):
    table = np.array(rows)
    found = grouped(table[:, 0], table[:, 1])
    order: dict[tuple[int, int], int] = {}
    assert found.tolist() == [order.setdefault(row, len(order)) for row in rows]


@pytest.mark.rule("CHECK-05")
@given(st.lists(st.tuples(*[st.sampled_from([-1, 0, 2**30])] * 4), min_size=1, max_size=20))
def test_groups_of_more_numbers_than_one_word_holds(rows):
    table = np.array(rows)
    order: dict[tuple[int, ...], int] = {}
    assert grouped(*table.T).tolist() == [order.setdefault(row, len(order)) for row in rows]


@pytest.mark.rule("DATE-01")
@given(DATES)
def test_dates_of_a_domain_are_those_of_the_single_cells(cells):
    mine, whole = records(cells).dates("X"), parse_dates(pd.Series(cells, dtype=object))
    pd.testing.assert_series_equal(
        date_starts(pd.Series(cells, dtype=object)), whole["START"], check_names=False
    )
    for place, cell in enumerate(cells):
        single = parse_dates(pd.Series([cell], dtype=object)).iloc[0]
        for table in (mine, whole):
            row = table.iloc[place]
            assert [row[name] for name in ("PRECISION", "VALID")] == [single["PRECISION"], single["VALID"]]
            for name in ("FIRST", "LAST", "START", "DT", "DTM"):
                assert row[name] == single[name] or (row[name] is pd.NaT and single[name] is pd.NaT)


@pytest.mark.rule("CHECK-05")
def test_an_odd_index_changes_nothing_and_an_ordinary_frame_is_not_copied():
    ordinary, odd = records(["a", "b", None]), records(["a", "b", None], index=[7, 7, 1])
    assert ordinary.frame is ordinary.source
    assert odd.frame.index.tolist() == [0, 1, 2]
    assert odd.code("X").tolist() == ordinary.code("X").tolist()
    assert records([]).pairs("X").tolist() == []


def test_an_absent_column_is_all_missing():
    mine = records(["a", "b"])
    assert mine.coded("Y")[0].tolist() == [-1, -1]
    assert not mine.given("Y").any()
    assert not mine.equal("Y", "A").any()
    assert mine.number("Y").isna().all()
    assert mine.dates("Y")["VALID"].all()
    assert mine.cell(0, "Y") is None


def test_a_value_per_participant_is_missing_where_there_is_none():
    mine = records(["b", None, " a", "c"])
    found = beside(mine, pd.Series({"a": 1.5, "b": 2.5}))
    np.testing.assert_array_equal(found.to_numpy(), [2.5, np.nan, 1.5, np.nan])
    days = beside(mine, pd.Series({"a": pd.Timestamp("2026-01-02")}))
    assert days.isna().tolist() == [True, True, False, True]
    assert days.dtype == "datetime64[ns]"


def test_a_domain_that_the_cut_left_alone_is_read_once(clean_frames, mini):
    first = Context(Sdtm(clean_frames, CUT), mini)
    again = Context(Sdtm(clean_frames, CUT), mini, like=first)
    assert all(again.domains[name] is first.domains[name] for name in first.domains)
    other = Context(Sdtm({"DM": clean_frames["DM"].iloc[1:]}, CUT), mini, like=first)
    assert len(other.domains["DM"]) == len(clean_frames["DM"]) - 1


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.booleans(), st.sampled_from(["a", "c", None])),
        max_size=9,
    )
)
def test_only_cells_that_differ_are_replaced_and_each_is_a_line(rows):
    frame = pd.DataFrame(
        {"USUBJID": ["s"] * len(rows), "X": pd.Series([row[0] for row in rows], dtype=object)}
    )
    edit = Edit("LB", frame)
    where = np.array([row[1] for row in rows], dtype=bool)
    values = np.array([row[2] for row in rows], dtype=object)
    changed = edit.replace("X", where, values=values, rule="R")
    expected = [chosen and old != new for old, chosen, new in rows]
    assert changed.tolist() == expected
    assert edit.frame["X"].tolist() == [new if chosen else old for old, chosen, new in rows]
    assert len(edit.ledger) == sum(expected)
