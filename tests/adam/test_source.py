from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.source import (
    by_subject,
    date_columns,
    number_column,
    ordered,
    sequence_text,
    shipped_data,
    source_of,
    text_column,
    text_missing,
)


def test_absent_columns_are_all_missing():
    frame = pd.DataFrame({"USUBJID": ["A", "B"]})
    assert text_column(frame, "X").tolist() == [None, None]
    assert number_column(frame, "X").isna().all()
    assert date_columns(frame, "X")["DT"].isna().all()
    assert source_of(frame, "AE").to_numpy().tolist() == [["AE", None], ["AE", None]]


def test_texts_are_compared_in_upper_case_and_blank_is_missing():
    frame = pd.DataFrame({"X": [" Car-T ", "", None, 3, float("nan")]}, dtype=object)
    assert text_column(frame, "X").tolist() == ["CAR-T", None, None, "3", None]
    assert number_column(frame, "X").fillna(-1).tolist() == [-1, -1, -1, 3, -1]


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (3.0, "3"), ("3", "3"), (" 12 ", "12"), (3.5, "3.5"), (None, None), (float("nan"), None)],
)
def test_sequence_numbers_are_text(value, text):
    assert sequence_text(value) == text


def test_sequence_numbers_sort_as_numbers_when_all_are():
    rows = pd.DataFrame({"SRCSEQ": ["10", "9", None, "1"]}, dtype=object)
    assert ordered(rows, ["SRCSEQ"])["SRCSEQ"].tolist() == ["1", "9", "10", None]
    mixed = pd.DataFrame({"SRCSEQ": ["10", "9", "A"]}, dtype=object)
    assert ordered(mixed, ["SRCSEQ"])["SRCSEQ"].tolist() == ["10", "9", "A"]


def test_a_value_of_the_participant_keeps_its_type():
    values = pd.DataFrame(
        {"USUBJID": ["A", "B"], "DAY": pd.to_datetime(["2025-01-01", "2025-01-02"]), "T": ["x", None]}
    )
    rows = pd.DataFrame({"USUBJID": ["B", "C", "A"]}, index=[5, 6, 7])
    found = by_subject(rows, values, "DAY")
    assert found.dt.day.fillna(0).tolist() == [2, 0, 1]
    assert found.index.tolist() == [5, 6, 7]


def test_missing_text_is_none_and_numbers_stay():
    frame = text_missing(pd.DataFrame({"T": ["a", float("nan"), None], "N": [1.0, None, 2.0]}))
    assert frame["T"].tolist() == ["a", None, None]
    assert frame["N"].isna().sum() == 1


@pytest.mark.parametrize(
    "name", ["adverse_events", "baseline", "disposition", "exposure", "laboratory", "sets"]
)
def test_the_data_files_ship_with_the_package(name):
    assert shipped_data(name)


def test_an_unknown_data_file_is_an_error():
    with pytest.raises(FileNotFoundError):
        shipped_data("nosuch")
