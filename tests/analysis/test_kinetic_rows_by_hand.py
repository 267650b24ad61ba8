"""Rows of courses and of levels: one line per odd sample."""

from __future__ import annotations

import math

import pytest

from interim.adam.model import Adam
from interim.analysis import kinetics as questions
from interim.analysis.kinetic_courses import Sample, add_samples, column_of
from interim.analysis.population import Population
from interim.result import TOTAL, Rows
from tests.analysis.answers import status, value
from tests.analysis.kinetic_case import CUT, STUDY, kinetics, make_adam, pc_rows

NAN = math.nan
NAME = "CARTG (copies/ug)"


def rows_of(*samples):
    rows = Rows("kinetics.profiles", "Profiles")
    add_samples(rows, samples)
    return rows.build()


@pytest.mark.rule("KIN-42")
@pytest.mark.parametrize(
    ("value_", "limit", "below", "wanted"),
    [
        (80.0, 50.0, False, (80.0, "OK", "")),
        (50.0, 50.0, False, (50.0, "OK", "")),
        (80.0, NAN, False, (80.0, "OK", "")),
        (NAN, 50.0, True, (50.0, "FLAG", "BLQ")),
        (NAN, NAN, True, (None, "NE", "NO_LIMIT")),
        (NAN, 0.0, True, (None, "NE", "NO_LIMIT")),
    ],
)
def test_a_sample_above_and_below_its_limit(value_, limit, below, wanted):
    frame = rows_of(Sample("DL1", "x|01", 1.0, value_, limit, below, "copies/ug")).frame
    one = frame.iloc[0]
    shown = None if math.isnan(one["value"]) else one["value"]
    assert (shown, one["status"], one["reason"]) == wanted
    assert (one["level"], one["unit"], one["group"]) == ("1.0000", "copies/ug", "DL1")


@pytest.mark.rule("KIN-42")
def test_samples_at_one_time_are_numbered_within_their_participant():
    again = Sample("DL1", "x|01", 1.0, 5.0, 1.0, False)
    other = Sample("DL1", "x|02", 1.0, 5.0, 1.0, False)
    frame = rows_of(again, again, other, again).frame
    assert frame["level"].tolist() == ["1.0000", "1.0000#2", "1.0000", "1.0000#3"]
    assert frame["result_id"].is_unique


@pytest.mark.rule("KIN-42")
def test_the_records_behind_a_sample():
    found = rows_of(Sample("DL1", "x|01", 1.0, 5.0, 1.0, False, source=("01", "PC", "7")))
    assert found.links[["USUBJID", "SRCDOM", "SRCSEQ"]].values.tolist() == [["01", "PC", "7"]]


def test_the_total_is_no_column_of_a_participant():
    members = {"DL1": frozenset("ab"), "DL2": frozenset("c"), TOTAL: frozenset("abc")}
    assert column_of(Population("X", "X", "COHORT", members)) == {"a": "DL1", "b": "DL1", "c": "DL2"}


def levels(change):
    rows = [{**item, **change.get((item["USUBJID"], item["VISIT"]), {})} for item in pc_rows()]
    made = kinetics(rows)
    return questions.levels_by_time(Adam({**make_adam().datasets, "ADPC": made.adpc}, CUT), STUDY)


@pytest.mark.rule("KIN-30")
@pytest.mark.parametrize(
    ("change", "n", "below", "geo_mean"),
    [
        ({}, 3, 1, (1600 * 6400 * 25) ** (1 / 3)),
        ({("03", "DAY 7"): {"PCLLOQ": 20, "PCSTRESC": "<20"}}, 3, 1, (1600 * 6400 * 10) ** (1 / 3)),
        ({("03", "DAY 7"): {"PCLLOQ": None, "PCSTRESC": "<30"}}, 3, 1, (1600 * 6400 * 15) ** (1 / 3)),
        ({("03", "DAY 7"): {"PCLLOQ": None, "PCSTRESC": "ND"}}, 2, 1, None),
        ({("03", "DAY 7"): {"PCSTAT": "NOT DONE", "PCSTRESC": None}}, 2, 0, None),
    ],
)
def test_a_level_below_a_limit_counts_half_of_it_and_nothing_without_one(change, n, below, geo_mean):
    found = levels(change)
    where = {"level": "Day 7"}
    assert value(found, NAME, "n", **where) == n
    assert value(found, NAME, "n_blq", **where) == below
    if geo_mean is None:
        assert status(found, NAME, "geo_mean", **where) == ("NE", "FEWER_THAN_3")
    else:
        assert value(found, NAME, "geo_mean", **where) == pytest.approx(geo_mean)
