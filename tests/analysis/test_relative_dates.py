"""Calendar dates in printed texts become study days; counted by hand from 15 January 2026."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.analysis import data_quality
from interim.analysis.relative_dates import before_cut, first_days, in_days, span
from interim.errors import Finding

START = pd.Timestamp("2026-01-15")
CUT = datetime(2026, 6, 30, 23, 59, 59)


def treated() -> Adam:
    adsl = pd.DataFrame({"USUBJID": ["S1", "S2"], "TRTSDT": [START, pd.NaT]})
    return Adam({"ADSL": adsl}, CUT)


@pytest.mark.rule("SDQ-07", source="counted in a calendar")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("AESTDTC = 2026-01-18", "AESTDTC = day 3"),
        ("2026-01-18T09:30:00+08:00 before 2026-01-14", "day 3 before day -1"),
        ("onset 2026-02", "onset days 17 to 44"),
        ("P-1/CRS/2026-01-18", "P-1/CRS/day 3"),
        ("05/02/2026 and 5.2.26", "##/##/#### and #.#.##"),
        ("seen 5 Feb 2026, again 05FEB2026", "seen # ### ####, again #########"),
        ("于2026年2月5日", "于#########"),
        ("lot 01-2026-01-18, RECIST 1.1, 3/13, 2026", "lot 01-2026-01-18, RECIST 1.1, 3/13, 2026"),
        ("PATIENT-2026-01-18-7", "PATIENT-2026-01-18-7"),
    ],
)
def test_dates_of_a_text_are_study_days(text, told):
    assert in_days(text, START) == told


@pytest.mark.rule("SDQ-07")
def test_without_a_first_infusion_nothing_is_said_of_the_day():
    assert in_days("since 2026-01-18", None) == "since a date"
    assert span("2026-01-18", None) == span("yesterday", START) == "a date"
    assert first_days(treated()) == {"S1": START}
    assert first_days(Adam({}, CUT)) == {}


@pytest.mark.rule("SDQ-07")
@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("2026-06-01", "cut-off - 29 d"),
        ("2026-06-30", "cut-off - 0 d"),
        ("2026-07-02", "cut-off + 2 d"),
        ("", ""),
        ("soon", "a date"),
    ],
)
def test_steps_of_the_work_are_counted_from_the_cut_off(date, told):
    assert before_cut(date, pd.Timestamp(CUT)) == told


@pytest.mark.rule("SDQ-07")
def test_findings_name_values_without_the_calendar():
    known = {"domain": "AE", "file": "ae.csv", "variable": "AESTDTC", "message": "after 2026-01-16"}
    hits = (
        Finding("XD-1", "warn", subject="S1", row=2, value="2026-01-18", **known),
        Finding("XD-1", "warn", subject="S2", row=3, value="2026-01-19", **known),
        Finding("XD-1", "warn", subject="S1", row=4, value="18/01/2026", **known),
    )
    adam = Adam(dict(treated().datasets), CUT, hits)
    frame = data_quality.findings(adam, None).frame
    texts = dict(zip(frame["stat"], frame["text"], strict=True))
    assert texts["message"] == "after day 1"
    assert texts["examples"] == (
        "S1 (ae.csv row 2, AESTDTC = day 3); S1 (ae.csv row 4, AESTDTC = ##/##/####); "
        "S2 (ae.csv row 3, AESTDTC = a date)"
    )
