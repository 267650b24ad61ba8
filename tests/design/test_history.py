"""Reading histories: notation, frames, what is refused, what was known when."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.design import Cohort, History
from interim.errors import DataError, DesignError


@pytest.mark.rule("DOSE-02")
def test_the_short_notation():
    history = History.parse("1N 2G 2NN 3TXP", levels=4)
    assert history.cohorts() == (
        Cohort(1, 1, 0, 0),
        Cohort(2, 3, 0, 1),
        Cohort(3, 1, 1, 1, 1, 1),
        Cohort(4, 0, 0, 0),
    )
    assert history.text() == "1N 2GNN 3TXP"
    assert History.from_text("2N").levels == 2
    assert History.parse("", levels=3).cohorts() == tuple(Cohort(level, 0, 0, 0) for level in (1, 2, 3))


@pytest.mark.parametrize(("text", "words"), [("1Q", "1Q"), ("N1", "N1"), ("5N", r"1..4.*\[5\]")])
def test_a_notation_that_cannot_be_read(text, words):
    with pytest.raises(DesignError, match=words):
        History.parse(text, levels=4)


@pytest.mark.rule("DOSE-02")
def test_a_frame_in_any_order_of_rows(dated):
    frame = dated("1N 2G 2NN 3NNT")
    shuffled = frame.sample(frac=1, random_state=4)
    history = History.from_frame(shuffled, levels=4)
    assert history == History.from_frame(frame, levels=4)
    assert history.text() == "1N 2GNN 3NNT"
    assert [subject.order for subject in history.subjects] == list(range(1, 8))


WRONG = [
    ({"S02": {"level": 7}}, "level must be one of 1..4"),
    ({"S02": {"level": None}}, "level must be one of 1..4"),
    ({"S02": {"order": None}}, "order must be a whole number"),
    ({"S02": {"order": 1}}, "order 1 is given to S01, S02"),
    ({"S02": {"participant": "S01"}}, "one row per participant expected, found 2"),
    ({"S02": {"participant": None}}, "participant must be given"),
    ({"S02": {"window_end": pd.Timestamp("2020-01-01")}}, "window_end must be on or after"),
    ({"S03": {"infusions": 0}}, "never treated"),
]


@pytest.mark.rule("DOSE-22")
@pytest.mark.parametrize(("edits", "words"), WRONG, ids=[words for _, words in WRONG])
def test_rows_that_are_refused(dated, edits, words):
    with pytest.raises(DataError, match=words):
        History.from_frame(dated("1N 2NT", edits=edits), levels=4)


@pytest.mark.rule("DOSE-22")
def test_every_wrong_row_is_listed(dated):
    frame = dated("1N 2NT", edits={"S01": {"level": 9}, "S03": {"level": 8}})
    with pytest.raises(DataError) as caught:
        History.from_frame(frame, levels=4)
    assert [finding.subject for finding in caught.value.findings] == ["S01", "S03"]
    with pytest.raises(DataError, match="window_end missing"):
        History.from_frame(frame.drop(columns="window_end"), levels=4)


@pytest.mark.rule("DOSE-02")
@pytest.mark.parametrize(
    ("edits", "outcome", "rules"),
    [
        ({"status": None}, "P", ["DOSE-STATUS"]),
        ({"status": "unknown"}, "P", ["DOSE-STATUS"]),
        ({"dlt": None}, "P", ["DOSE-STATUS"]),
        ({"dlt": "N"}, "N", []),
        ({"trigger": None}, "G", ["DOSE-STATUS"]),
        ({"status": "pending"}, "P", []),
        ({"status": "not_evaluable", "dlt": None}, "X", []),
        ({"status": "not_evaluable", "dlt": "Y", "dlt_known": "2025-01-08"}, "T", []),
        ({"status": "pending", "dlt": True, "dlt_onset": "2025-01-08"}, "T", ["DOSE-KNOWN"]),
        ({"trigger": True}, "G", ["DOSE-KNOWN"]),
    ],
)
def test_what_a_row_says(dated, edits, outcome, rules):
    history = History.from_frame(dated("1N", edits={"S01": edits}), levels=4)
    assert history.subjects[0].outcome == outcome
    assert [finding.rule for finding in history.findings] == rules


@pytest.mark.rule("DOSE-22")
def test_treated_or_not(dated):
    history = History.from_frame(
        dated("1XX", edits={"S01": {"infusions": 0}, "S02": {"infusions": 1}}), levels=4
    )
    assert [subject.treated for subject in history.subjects] == [False, True]


AS_OF = [
    ("2025-01-05", ""),
    ("2025-01-06", "1P"),
    ("2025-01-20", "1P"),
    ("2025-01-21", "1N"),
    ("2025-01-27", "1N 2PP"),
    ("2025-01-31", "1N 2PP"),
    ("2025-02-01", "1N 2PT"),
    ("2025-02-11", "1N 2NT"),
]


@pytest.mark.rule("DOSE-23")
@pytest.mark.parametrize(("day", "text"), AS_OF)
def test_what_was_known_at_the_end_of_a_day(dated, day, text):
    history = History.from_frame(dated("1N 2NT"), levels=4)
    assert history.as_of(day).text() == text


@pytest.mark.rule("DOSE-23")
def test_strictly_before_the_day_of_an_assignment(dated):
    history = History.from_frame(dated("1N 2NT"), levels=4)
    assert history.before(3, strictly_before="2025-02-01").text() == "1N 2P"
    assert history.before(9, strictly_before="2025-02-01").text() == "1N 2PP"
    assert history.before(9, strictly_before="2025-02-02").text() == "1N 2PT"


@pytest.mark.rule("DOSE-23")
def test_a_late_dlt_counted_as_none_once_the_window_had_closed(dated):
    history = History.from_frame(
        dated("1T 2N", dlt_known=40, edits={"S01": {"trigger_known": None}}), levels=4
    )
    assert history.as_of("2025-01-20").text() == "1P"
    assert history.as_of("2025-02-01").text() == "1N 2P"
    assert history.as_of("2025-03-01").text() == "1T 2N"


@pytest.mark.rule("DOSE-23")
def test_a_trigger_of_a_pending_participant_is_known_early(dated):
    known = History.from_frame(dated("1G"), levels=4).as_of("2025-01-10")
    assert known.text() == "1P"
    assert known.subjects[0].trigger


@pytest.mark.rule("DOSE-23")
@pytest.mark.parametrize(
    ("text", "edits", "variable"),
    [
        ("1T", {"dlt_known": None}, "dlt_known"),
        ("1G", {"trigger_known": None}, "trigger_known"),
        ("1X", {"window_end": None}, "status_known"),
        ("1N", {"assigned": None}, "assigned"),
    ],
)
def test_dates_of_knowledge_are_not_imputed(dated, text, edits, variable):
    history = History.from_frame(dated(text, edits={"S01": edits}), levels=4)
    with pytest.raises(DataError, match=r"S01") as caught:
        history.as_of("2025-06-01")
    assert caught.value.findings[0].variable == variable


@pytest.mark.rule("DOSE-23")
def test_a_dlt_without_a_window_is_pending_until_it_is_known(dated):
    history = History.from_frame(dated("1T", edits={"S01": {"window_end": None}}), levels=4)
    assert history.as_of("2025-01-09").text() == "1P"
    assert history.as_of("2025-01-11").text() == "1T"


@pytest.mark.rule("DOSE-23")
def test_the_trigger_of_a_dlt_is_known_with_it(dated):
    history = History.from_frame(dated("1T", edits={"S01": {"trigger_known": None}}), levels=4)
    assert not history.as_of("2025-01-10").subjects[0].trigger
    assert history.as_of("2025-01-11").subjects[0].trigger
