"""Dates as collected, imputation, study day and durations."""

from __future__ import annotations

import json
import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.data.dates import (
    date_range,
    duration_clock,
    duration_days,
    impute_date,
    impute_dates,
    months,
    parse_dates,
    read_iso,
    study_day,
    weeks,
    years,
)


@pytest.mark.rule("DATE-01")
@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("2026", "Y"),
        ("2026-03", "M"),
        ("2026-03-04", "D"),
        ("2026-03-04T10", "T"),
        ("2026-03-04T10:15", "T"),
        ("2026-03-04T10:15:30.5", "T"),
        ("2026-03-04T10:15Z", "T"),
        ("2026-03-04T10:15+08:00", "T"),
        ("2026-03-04T-:15", "D"),
        ("2026---04", "Y"),
        ("--03-04", None),
        ("2024-02-29", "D"),
        ("--02-29", None),
    ],
)
def test_dates_that_exist(text, precision):
    parsed = read_iso(text)
    assert parsed is not None
    assert parsed.precision == precision


@pytest.mark.rule("DATE-01")
@pytest.mark.parametrize(
    "text",
    [
        "2019-02-30",
        "2019-13-01",
        "2023-02-29",
        "2019-00-10",
        "2019-04-31",
        "03/04/2026",
        "2026-3-4",
        "26-03-04",
        "",
        "UNK",
        "2026-03-04 10:15",
        "2026-03-04T24:00",
        "2026-03-04T10:60",
        "2026-03-04T10:15:60",
        "2026-03T10:15",
        "-----",
        "1776-07-04",
        "2026-03-04T",
    ],
)
def test_dates_that_do_not_exist(text):
    assert read_iso(text) is None
    assert date_range(text) == (None, None)


@pytest.mark.rule("DATE-02")
@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-02", date(2023, 2, 1), date(2023, 2, 28)),
        ("2023", date(2023, 1, 1), date(2023, 12, 31)),
        ("2023---15", date(2023, 1, 1), date(2023, 12, 31)),
        ("2023-05-06T07:08", date(2023, 5, 6), date(2023, 5, 6)),
        ("--05-06", None, None),
        (None, None, None),
    ],
)
def test_range(text, first, last):
    assert date_range(text) == (first, last)


@pytest.mark.rule("DATE-02")
def test_columns_of_dates():
    frame = parse_dates(
        pd.Series(
            ["2026-03-04T10:15", "2026-03", None, "2026-02-30", "--03-04"],
            index=[9, 8, 7, 6, 5],
            dtype=object,
        )
    )
    assert frame.index.tolist() == [9, 8, 7, 6, 5]
    assert frame["VALID"].tolist() == [True, True, True, False, True]
    assert frame["PRECISION"].tolist() == ["T", "M", None, None, None]
    assert frame["START"].iloc[0] == pd.Timestamp("2026-03-04T10:15")
    assert frame["DT"].iloc[0] == pd.Timestamp("2026-03-04")
    assert frame["LAST"].iloc[1] == pd.Timestamp("2026-03-31")
    assert frame[["DT", "DTM"]].iloc[1:].isna().all(axis=None)


LOW, HIGH = date(2019, 7, 6), date(2019, 6, 6)


@pytest.mark.rule("DATE-03")
@pytest.mark.parametrize(
    ("text", "keys", "expected"),
    [
        ("2019-07-18", {}, (date(2019, 7, 18), None)),
        ("2019-07", {}, (None, None)),
        ("2019-07", {"highest": "D"}, (date(2019, 7, 1), "D")),
        ("2019-07", {"highest": "D", "rule": "last"}, (date(2019, 7, 31), "D")),
        ("2020-02", {"highest": "D", "rule": "last"}, (date(2020, 2, 29), "D")),
        ("2019-07", {"highest": "D", "rule": "mid"}, (date(2019, 7, 15), "D")),
        ("2019", {"highest": "D"}, (None, None)),
        ("2019", {"highest": "M"}, (date(2019, 1, 1), "M")),
        ("2019", {"highest": "M", "rule": "mid"}, (date(2019, 6, 30), "M")),
        ("2019", {"highest": "M", "rule": "last"}, (date(2019, 12, 31), "M")),
        ("2019---18", {"highest": "M"}, (date(2019, 1, 1), "M")),
        ("2019", {"highest": "M", "not_before": [LOW]}, (LOW, "M")),
        ("2019-08", {"highest": "M", "not_before": [LOW]}, (date(2019, 8, 1), "D")),
        (
            "2019-07",
            {"highest": "D", "rule": "last", "not_after": [date(2019, 7, 20), None]},
            (date(2019, 7, 20), "D"),
        ),
        (
            "2019-07",
            {"highest": "D", "not_before": [date(2019, 7, 20)], "not_after": [date(2019, 7, 10)]},
            (date(2019, 7, 10), "D"),
        ),
        ("2019-07-18", {"highest": "M", "not_before": [date(2019, 7, 20)]}, (date(2019, 7, 18), None)),
        (None, {"highest": "M", "not_before": [LOW]}, (None, None)),
        (None, {"highest": "Y", "not_before": [LOW, HIGH]}, (LOW, "Y")),
        (None, {"highest": "Y", "rule": "last", "not_after": [LOW, HIGH]}, (HIGH, "Y")),
        (None, {"highest": "Y", "rule": "last", "not_before": [LOW]}, (None, None)),
        ("--07-18", {"highest": "Y"}, (None, None)),
        ("--07-18", {"highest": "Y", "not_before": [LOW]}, (LOW, "Y")),
    ],
)
def test_imputation(text, keys, expected):
    assert impute_date(text, **keys) == expected


@pytest.mark.rule("DATE-03")
@settings(max_examples=50, deadline=None)
@given(
    st.dates(date(2000, 1, 1), date(2030, 12, 31)),
    st.sampled_from([4, 7, 10]),
    st.sampled_from(["first", "mid", "last"]),
    st.dates(date(2000, 1, 1), date(2030, 12, 31)),
)
def test_an_imputed_date_stays_in_its_range(day, size, rule, bound):
    text = day.isoformat()[:size]
    first, last = date_range(text)
    found, flag = impute_date(text, highest="M", rule=rule, not_before=[bound])
    assert first <= found <= last
    assert (flag is None) == (size == 10)
    assert found >= bound or not first <= bound <= last or size == 10


def test_columns_are_imputed_row_by_row():
    series = pd.Series(["2019-07", None, "2019-07-18"], dtype=object)
    low = pd.Series(pd.to_datetime(["2019-07-06", "2019-07-06", None]))
    frame = impute_dates(series, highest="M", not_before=[low])
    assert frame["DT"].dt.strftime("%Y-%m-%d").fillna("").tolist() == ["2019-07-06", "", "2019-07-18"]
    assert frame["DTF"].tolist() == ["D", None, None]


def stamps(*texts):
    return pd.Series(pd.to_datetime(list(texts), format="ISO8601"))


@pytest.mark.rule("DATE-04")
def test_study_day_has_no_day_zero():
    days = study_day(
        stamps("2026-03-02", "2026-03-03T23:00", "2026-03-04", "2026-03-05", None),
        pd.Timestamp("2026-03-04T12:00"),
    )
    assert days.iloc[:4].tolist() == [-2, -1, 1, 2]
    assert np.isnan(days.iloc[4])
    assert study_day(stamps("2026-03-05"), stamps("2026-03-04")).tolist() == [2]


@pytest.mark.rule("DATE-04")
def test_hours_and_minutes_are_truncated_first():
    start, end = stamps("2026-03-04T10:59:59"), stamps("2026-03-04T12:00:00")
    assert duration_clock(start, end, "hours").tolist() == [2]
    assert duration_clock(start, end, "minutes").tolist() == [61]


@pytest.mark.rule("DATE-04")
def test_units_of_time():
    assert months(30.4375) == 1
    assert weeks(14.0) == 2
    assert years(pd.Series([365.25])).tolist() == [1]


ADMIRAL = "admiral 1.4.2 test suite, reference/recist/adam_derivations_admiral_tests.json"


@pytest.mark.rule("DATE-04", source=ADMIRAL)
@pytest.mark.rule("DATE-03", source=ADMIRAL)
def test_published_cases(reference):
    cases = json.loads((reference / "recist" / "adam_derivations_admiral_tests.json").read_text())["cases"]
    replays = {
        "derive_vars_dy": replay_day,
        "derive_vars_duration": replay_duration,
        "derive_vars_dt": replay_imputation,
    }
    done = 0
    for case in cases:
        for call in case["calls"]:
            if call["fun"] in replays and "expected" in case:
                args = {key: next(iter(value.values())) for key, value in call["args"].items()}
                replays[call["fun"]](args, pd.DataFrame(args["dataset"]), case)
                done += 1
    assert done == 14


@pytest.mark.rule("DATE-03", source=ADMIRAL)
def test_published_cases_with_bounds(reference):
    cases = json.loads((reference / "recist" / "adam_derivations_admiral_tests.json").read_text())["cases"]
    (case,) = [c for c in cases if "restrict_imputed_dtc_dt" in c["test"]]
    args = {key: value["value"] for key, value in case["calls"][0]["args"].items()}
    bounds = {
        name: [pd.Series(pd.to_datetime(pd.Series(dates))) for dates in args[source]]
        for name, source in (("not_before", "min_dates"), ("not_after", "max_dates"))
    }
    found = impute_dates(pd.Series(args["dtc"], dtype=object), highest="Y", rule="first", **bounds)
    assert texts_of(found["DT"]) == case["expected_value"]


def texts_of(dates):
    return [None if pd.isna(d) else d.strftime("%Y-%m-%d") for d in dates]


def stamped(frame, name):
    return pd.to_datetime(frame[name].astype(object), format="ISO8601").astype("datetime64[ns]")


def named(expression):
    """Return new variable -> source variable of ``exprs(A, B = C)``."""
    inner = expression.removeprefix("exprs(").removesuffix(")")
    pairs = [part.strip().split(" = ") for part in inner.split(",")]
    return {pair[0] if len(pair) == 2 else re.sub("DTM?$", "DY", pair[0]): pair[-1] for pair in pairs}


def replay_day(args, data, case):
    for new, source in named(args["source_vars"]).items():
        found = study_day(stamped(data, source), stamped(data, args["reference_date"]))
        assert found.tolist() == [row[new] for row in case["expected"]], case["test"]


def replay_duration(args, data, case):
    start, end = stamped(data, args["start_date"]), stamped(data, args["end_date"])
    found = (
        duration_days(start, end)
        if args["out_unit"] == "days"
        else duration_clock(start, end, args["out_unit"])
    )
    expected = [row[args["new_var"]] for row in case["expected"]]
    assert found.astype(object).where(found.notna(), None).tolist() == expected, case["test"]


def replay_imputation(args, data, case):
    bounds = {
        name: [stamped(data, args[source].removeprefix("exprs(").removesuffix(")"))] if source in args else []
        for name, source in (("not_before", "min_dates"), ("not_after", "max_dates"))
    }
    highest, rule = args.get("highest_imputation", "none"), args.get("date_imputation", "first")
    found = impute_dates(
        data[args["dtc"]].astype(object), highest={"n": "none"}.get(highest, highest), rule=rule, **bounds
    )
    prefix = args["new_vars_prefix"]
    assert texts_of(found["DT"]) == [row[f"{prefix}DT"] for row in case["expected"]], case["test"]
    if f"{prefix}DTF" in case["expected"][0]:
        assert found["DTF"].tolist() == [row[f"{prefix}DTF"] for row in case["expected"]], case["test"]
