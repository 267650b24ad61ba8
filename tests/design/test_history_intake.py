"""Rows of a history that cannot be read, dates with gaps or times of day, and what was known on a day, by hand."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from interim.design import History, TitratedThreePlusThree
from interim.design.intake import REQUIRED
from interim.design.replay import replay
from interim.errors import DataError

LEVELS = (1.5e7, 3e7, 5e7, 7e7)
ROW = {
    "participant": "S01",
    "order": 1,
    "level": 1,
    "assigned": "2025-01-06",
    "window_start": "2025-01-06",
    "window_end": "2025-01-21",
    "status": "evaluable",
    "dlt": False,
    "trigger": False,
}


def read(*rows, levels=4):
    return History.from_frame(pd.DataFrame([ROW | row for row in rows], dtype=object), levels=levels)


@pytest.mark.rule("DOSE-22")
@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_column_is_named(name):
    with pytest.raises(DataError, match=f"; {name} missing"):
        History.from_frame(pd.DataFrame([ROW]).drop(columns=name), levels=4)


REFUSED = [
    # column, value, what is expected
    ("participant", " ", "given"),
    ("participant", float("nan"), "given"),
    ("order", "1", "a whole number"),
    ("order", 1.5, "a whole number"),
    ("order", float("inf"), "a whole number"),
    ("order", pd.Timestamp("2025-01-06"), "a whole number"),
    ("level", 0, "one of 1..4"),
    ("level", 5, "one of 1..4"),
    ("level", -1, "one of 1..4"),
    ("level", 1.5, "one of 1..4"),
    ("level", "1", "one of 1..4"),
    ("level", True, "one of 1..4"),
    ("assigned", "soon", "a complete date"),
    ("assigned", "2025-01", "a complete date"),
    ("assigned", "2025-02-30", "a complete date"),
    ("assigned", "06/01/2025", "a complete date"),
    ("assigned", 20250106, "a complete date"),
    ("window_start", "2025", "a complete date"),
    ("window_start", "2025-01-22", "on or after the start of the window, 2025-01-22"),
    ("window_end", "2025-01-05", "on or after the start of the window, 2025-01-06"),
    ("window_end", "2025-1-21", "a complete date"),
    ("status_known", "unknown", "a complete date"),
    ("dlt_known", "2025", "a complete date"),
    ("trigger_known", "2025-01", "a complete date"),
    ("dlt_onset", "2025-01", "a complete date"),
    ("trigger_onset", "UN JAN 2025", "a complete date"),
    ("infusions", -1, "a whole number >= 0"),
    ("infusions", 0.5, "a whole number >= 0"),
    ("infusions", "0", "a whole number >= 0"),
    ("planned_dose", "1.5e7", "a number >= 0"),
    ("actual_dose", -1.0, "a number >= 0"),
]


@pytest.mark.rule("DOSE-22")
@pytest.mark.parametrize(("name", "value", "expected"), REFUSED)
def test_a_value_that_cannot_be_used_is_refused_with_its_place(name, value, expected):
    with pytest.raises(DataError) as caught:
        read({"participant": "S00"}, {"order": 2} | {name: value})
    finding = next(item for item in caught.value.findings if item.row == 2)
    assert (finding.rule, finding.severity, finding.row) == ("DOSE-HISTORY", "stop", 2)
    assert f"must be {expected}" in finding.message and "correct the assignment record" in finding.message
    assert finding.subject == (None if name == "participant" else "S01")


@pytest.mark.rule("DOSE-22")
def test_everything_wrong_in_a_row_is_listed_at_once():
    with pytest.raises(DataError) as caught:
        read({"order": None, "level": 9, "assigned": "?", "infusions": -2})
    assert {item.variable for item in caught.value.findings} == {"order", "level", "assigned", "infusions"}


@pytest.mark.rule("DOSE-22")
@pytest.mark.parametrize(
    ("rows", "variable", "words"),
    [
        ([{}, {"order": 2, "level": 2}], "level", "one row per participant expected, found 2 (levels 1, 2)"),
        ([{}, {"participant": "S02"}], "order", "order 1 is given to S01, S02"),
        ([{"participant": "B"}, {"participant": "A", "order": 1.0}], "order", "given to A, B"),
    ],
)
def test_repeated_participants_and_orders(rows, variable, words):
    with pytest.raises(DataError) as caught:
        read(*rows)
    assert [item.variable for item in caught.value.findings] == [variable]
    assert words in caught.value.findings[0].message


SAME_DAY = [
    "2025-01-06",
    "2025-01-06T09:30",
    "2025-01-06T09:30+01:00",
    "2025-01-06T00:30:00Z",
    date(2025, 1, 6),
    datetime(2025, 1, 6, 23, 59),
    pd.Timestamp("2025-01-06 12:00"),
    np.datetime64("2025-01-06"),
]


@pytest.mark.rule("DOSE-02")
@pytest.mark.parametrize("value", SAME_DAY)
def test_every_form_of_a_day_is_the_same_day(value):
    history = read({"assigned": value})
    assert history.as_of("2025-01-05").subjects == ()
    assert history.as_of("2025-01-06").text() == "1P"
    assert history.as_of(datetime(2025, 1, 6, 1)).text() == "1P"


STATUS = [
    # status, DLT, trigger, outcome, trigger open, variables listed
    ("evaluable", "N", "N", "N", False, []),
    ("evaluable", "N", "Y", "G", False, ["trigger_known"]),
    ("evaluable", "Y", "N", "T", False, ["dlt_known"]),
    ("evaluable", 1, 0, "T", False, ["dlt_known"]),
    ("evaluable", "?", "N", "P", False, ["dlt"]),
    ("evaluable", "N", "?", "G", True, ["trigger"]),
    ("evaluable", "Y", None, "T", False, ["dlt_known", "trigger"]),
    ("pending", None, "N", "P", False, []),
    ("pending", "N", None, "P", True, ["trigger"]),
    ("not_evaluable", "N", "N", "X", False, []),
    ("EVALUABLE", "N", "N", "P", False, ["status"]),
    (float("nan"), "N", "N", "P", False, ["status"]),
]


@pytest.mark.rule("DOSE-02")
@pytest.mark.parametrize(("status", "dlt", "trigger", "outcome", "asked", "listed"), STATUS)
def test_status_and_flags(status, dlt, trigger, outcome, asked, listed):
    history = read({"status": status, "dlt": dlt, "trigger": trigger})
    subject = history.subjects[0]
    assert (subject.outcome, subject.trigger_open) == (outcome, asked)
    assert sorted(item.variable for item in history.findings) == listed
    assert all(item.severity == "warn" and item.subject == "S01" for item in history.findings)


KNOWN = [
    # facts of one participant, day, outcome known then, trigger known then
    ({}, "2025-01-20", "P", False),
    ({}, "2025-01-21", "N", False),
    ({"status_known": "2025-02-10"}, "2025-02-09", "P", False),
    ({"status_known": "2025-02-10"}, "2025-02-10", "N", False),
    ({"status_known": "2025-01-10"}, "2025-01-10", "N", False),
    ({"status": "pending"}, "2030-01-01", "P", False),
    ({"status": "not_evaluable", "status_known": "2025-01-09"}, "2025-01-08", "P", False),
    ({"status": "not_evaluable", "status_known": "2025-01-09"}, "2025-01-09", "X", False),
    ({"trigger": True, "trigger_known": "2025-01-08"}, "2025-01-07", "P", False),
    ({"trigger": True, "trigger_known": "2025-01-08"}, "2025-01-08", "P", True),
    ({"trigger": True, "trigger_known": "2025-02-08"}, "2025-02-07", "N", False),
    ({"trigger": True, "trigger_known": "2025-02-08"}, "2025-02-08", "G", True),
    ({"trigger": True, "trigger_onset": "2025-01-08"}, "2025-01-08", "P", True),
    ({"trigger": None, "trigger_onset": "2025-01-08"}, "2025-01-07", "P", False),
    ({"trigger": None, "trigger_onset": "2025-01-08"}, "2025-01-21", "G", True),
    ({"dlt": True, "dlt_known": "2025-01-08T14:00"}, "2025-01-07", "P", False),
    ({"dlt": True, "dlt_known": "2025-01-08T14:00"}, "2025-01-08", "T", True),
    ({"dlt": True, "dlt_known": "2025-03-01"}, "2025-02-28", "N", False),
    (
        {"dlt": True, "dlt_known": "2025-03-01", "trigger": True, "trigger_known": "2025-01-09"},
        "2025-01-10",
        "P",
        True,
    ),
    (
        {"dlt": True, "dlt_known": "2025-03-01", "trigger": True, "trigger_known": "2025-01-09"},
        "2025-02-01",
        "G",
        True,
    ),
    ({"dlt": True, "dlt_known": "2025-03-01", "status_known": "2025-02-01"}, "2025-01-31", "P", False),
    ({"dlt": True, "dlt_onset": "2025-01-07"}, "2025-01-07", "T", True),
]


@pytest.mark.rule("DOSE-23")
@pytest.mark.parametrize(("facts", "day", "outcome", "trigger"), KNOWN)
def test_facts_of_one_participant_by_hand(facts, day, outcome, trigger):
    history = read(facts)
    subject = history.as_of(day).subjects[0]
    assert (subject.outcome, subject.trigger) == (outcome, trigger)
    following = pd.Timestamp(day) + pd.Timedelta(days=1)
    assert history.before(2, strictly_before=following).subjects == (subject,)


@pytest.mark.rule("DOSE-23")
@pytest.mark.parametrize("hour", [0, 9, 23])
def test_the_day_of_an_assignment_itself_is_not_known_yet(hour):
    history = read({"dlt": True, "dlt_known": "2025-01-08T08:00"})
    moment = datetime(2025, 1, 8, hour)
    assert history.before(2, strictly_before=moment).text() == "1P"
    assert history.before(2, strictly_before=date(2025, 1, 9)).text() == "1T"
    assert history.before(1, strictly_before=date(2025, 1, 9)).subjects == ()


@pytest.mark.rule("DOSE-23")
def test_looking_again_at_an_earlier_day_changes_nothing():
    rows = [
        {"participant": f"S{k}", "order": k, "level": 1 + (k > 1), "assigned": f"2025-0{k}-06"}
        for k in range(1, 6)
    ]
    days = [{"window_start": row["assigned"], "window_end": f"2025-0{k}-27"} for k, row in enumerate(rows, 1)]
    history = read(*(row | day for row, day in zip(rows, days, strict=True)))
    for day in pd.date_range("2025-01-01", "2025-06-01", freq="9D"):
        then = history.as_of(day)
        assert then.as_of(day) == then
        assert [s.id for s in then.subjects] == [
            r["participant"] for r in rows if pd.Timestamp(r["assigned"]) <= day
        ]


REPLAYED = [
    # days from assignment until the DLT of S02 is known; decision for the last participant then, and today; cause
    (5, "ENROL 3 at 2", "ENROL 3 at 2", set()),
    (400, "ENROL 3 at 3", "ENROL 3 at 2", {"late report"}),
]


@pytest.mark.rule("DOSE-25")
@pytest.mark.parametrize(("days", "then", "now", "causes"), REPLAYED)
def test_replay_with_a_dlt_that_became_known_late(dated, days, then, now, causes):
    known = pd.Timestamp("2025-01-27") + pd.Timedelta(days=days)
    edits = {"S02": {"dlt": True, "trigger": True, "dlt_known": known, "trigger_known": known}}
    history = History.from_frame(dated("1N 2NNN 3N", edits=edits), levels=4)
    found = replay(TitratedThreePlusThree(LEVELS), history)
    last = found.rows[-1]
    assert (last.decision.brief, last.today.brief) == (then, now)
    assert {change.cause for change in last.changes} == causes
    assert last.would_differ == (then != now)
    assert [row.participant for row in found.late_changes] == (["S05"] if causes else [])
    assert all(change.known == known for change in last.changes)
