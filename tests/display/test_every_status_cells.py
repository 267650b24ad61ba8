"""Every table with one row of another status, or without the row: never a code of Python, never a lost number."""

from __future__ import annotations

import dataclasses
import re

import pytest

from interim import display
from tests.display import results_by_hand as hand

PYTHON = re.compile(r"\b(?:nan|None|<NA>|inf|NaN)\b")
STATUSES = {"NE": "NE", "NR": "NR", "INF": "no limit", "NA": "NA"}


def show(name, result, study):
    return getattr(display, name)(result, study, **hand.TABLES[name][1])


def cells(table):
    return [cell for row in table.rows for cell in row.cells]


def numbers_of(result):
    """Places of the rows that hold a number, without the sizes of the columns."""
    frame = result.frame
    held = frame["value"].notna() & ~frame["variable"].str.startswith("population")
    return [place for place, yes in enumerate(held) if yes]


@pytest.mark.parametrize("name", hand.TABLES)
def test_by_hand_as_it_is(name, study):
    result = hand.TABLES[name][0]()
    table = show(name, result, study)
    assert set(table.keys) <= set(result.frame["result_id"])
    assert not [cell.text for cell in cells(table) if PYTHON.search(cell.text)]
    assert (table.title, table.population) == (result.title, result.population)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", hand.TABLES)
def test_a_row_without_a_number_is_its_status(name, status, study):
    result = hand.TABLES[name][0]()
    before = {key for cell in cells(show(name, result, study)) for key in cell.keys}
    # Every fourth row: each row gets one of the four statuses, each statistic several of them.
    for place in numbers_of(result)[list(STATUSES).index(status) :: 4]:
        key = result.frame["result_id"].iloc[place]
        other = hand.changed(result, place, value=float("nan"), n=None, status=status, reason="by hand")
        table = show(name, other, study)
        assert not [cell.text for cell in cells(table) if PYTHON.search(cell.text)], key
        mine = [cell.text for cell in cells(table) if key in cell.keys]
        if key in before and mine and "s0/-/changed" not in key:
            assert any(STATUSES[status] in text for text in mine), (key, mine)


@pytest.mark.parametrize("name", hand.TABLES)
def test_a_flagged_number_is_printed_as_one(name, study):
    result = hand.TABLES[name][0]()
    texts = [cell.text for cell in cells(show(name, result, study))]
    frame = result.frame.copy()
    frame.loc[frame.index[numbers_of(result)], ["status", "reason"]] = ["FLAG", "by hand"]
    flagged = dataclasses.replace(result, frame=frame)
    assert [cell.text for cell in cells(show(name, flagged, study))] == texts


@pytest.mark.parametrize("name", hand.TABLES)
def test_a_row_that_is_not_there_leaves_a_dash_or_no_line(name, study):
    result = hand.TABLES[name][0]()
    for place in numbers_of(result)[::4]:
        key = result.frame["result_id"].iloc[place]
        try:
            table = show(name, hand.without_row(result, place), study)
        except KeyError as error:
            assert "has no row" in str(error), key
            continue
        assert key not in table.keys
        assert not [cell.text for cell in cells(table) if PYTHON.search(cell.text)], key
