from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.adam.adae_emergence import EmergenceRule, before, emergence
from interim.report.packs.base import leaves
from interim.report.packs.safety import SAFETY

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "recist" / "teae_random_admiral.csv"
DEFAULT = EmergenceRule(28, True, True, True)
PLAIN = EmergenceRule(None, False, False, False)
T0, T1 = "2025-03-10", "2025-03-20"


def event(start, end=None, **more):
    row = {"SUBJECT": "S1", "START": start, "END": end, "T0": T0, "T1": T1, "NACT": None, "RELATED": "N"}
    row |= {"STARTM": None, "ENDM": None, "T0M": None, "GRADE": 2.0, "GRADE0": None, "EVENT": None}
    return row | more


def decide(rows, rule=DEFAULT):
    frame = pd.DataFrame(rows)
    for name in ("START", "STARTM", "END", "ENDM", "T0", "T0M", "T1", "NACT"):
        frame[name] = pd.to_datetime(frame[name].astype(object)).astype("datetime64[ns]")
    return emergence(frame.astype({"GRADE": "float64", "GRADE0": "float64"}), rule)


@pytest.mark.rule("AE-01", source="admiral, derive_var_trtemfl")
def test_the_reference_pack_agrees_in_all_640_flags():
    pack = next(pack for pack in SAFETY if pack.file == REFERENCE.name)
    rows = list(csv.DictReader(REFERENCE.read_text(encoding="utf-8").splitlines()))
    (case,) = pack.split(rows)
    expected, found = dict(leaves(case.expected)), dict(leaves(pack.compute(case.given)))
    assert len(expected) == 640
    assert found == expected


@pytest.mark.rule("AE-01")
@pytest.mark.parametrize(
    ("row", "rule", "flag", "reason"),
    [
        (event("2025-03-12", T0=None, T1=None), DEFAULT, "N", "TE-NOTRT"),
        (event(None, T0=None, T1=None), DEFAULT, "N", "TE-NOTRT"),
        (event("2025-03-01", "2025-03-09"), DEFAULT, "N", "TE-BEFORE"),
        (event(None, "2025-03-09"), DEFAULT, "N", "TE-BEFORE"),
        (event(None, "2025-03-10"), DEFAULT, "Y", "TE-NOSTART"),
        (event(None), DEFAULT, "Y", "TE-NOSTART"),
        (event(T0), DEFAULT, "Y", "TE-ON"),
        (event("2025-04-17"), DEFAULT, "Y", "TE-ON"),
        (event("2025-04-18"), DEFAULT, "N", "TE-LATE"),
        (event("2025-04-18"), PLAIN, "Y", "TE-ON"),
        (event("2025-04-18", RELATED="Y"), DEFAULT, "Y", "TE-RELATED"),
        (event("2025-04-18", RELATED="Y"), EmergenceRule(28, True, False, True), "N", "TE-LATE"),
        (event("2026-04-18", T1=None), DEFAULT, "Y", "TE-ON"),
        (event("2025-03-25", NACT="2025-03-25"), DEFAULT, "N", "TE-LATE"),
        (event("2025-03-24", NACT="2025-03-25"), DEFAULT, "Y", "TE-ON"),
        (event("2025-03-25", NACT="2025-03-25"), EmergenceRule(28, False, True, True), "Y", "TE-ON"),
        (event("2025-03-25", NACT="2025-03-25", RELATED="Y"), DEFAULT, "Y", "TE-RELATED"),
        (event("2025-03-01", GRADE0=1.0), DEFAULT, "Y", "TE-WORSE"),
        (event("2025-03-01", GRADE0=2.0), DEFAULT, "N", "TE-PRE"),
        (event("2025-03-01"), DEFAULT, "N", "TE-PRE"),
        (event("2025-03-01", GRADE0=1.0), PLAIN, "N", "TE-PRE"),
        (event("2025-03-01", "2025-03-09", GRADE0=1.0), DEFAULT, "N", "TE-BEFORE"),
    ],
)
def test_the_cases_in_their_order(row, rule, flag, reason):
    assert decide([row], rule).iloc[0].tolist() == [flag, reason]


@pytest.mark.rule("AE-02")
def test_grade_changes_count_from_the_first_that_exceeds_the_grade_at_the_first_dose():
    rows = [
        event("2025-03-01", GRADE=1.0, EVENT="A"),
        event("2025-03-05", GRADE=2.0, EVENT="A"),
        event("2025-03-11", GRADE=2.0, EVENT="A"),
        event("2025-03-12", GRADE=3.0, EVENT="A"),
        event("2025-03-13", GRADE=1.0, EVENT="A"),
        event("2025-05-30", GRADE=4.0, EVENT="A"),
        event("2025-03-12", GRADE=1.0, EVENT="B"),
        event("2025-03-12", GRADE=2.0, EVENT="A", SUBJECT="S2"),
    ]
    found = decide(rows)
    assert found["FLAG"].tolist() == ["N", "N", "N", "Y", "Y", "N", "Y", "Y"]
    assert found["REASON"].tolist() == [
        "TE-PRE",
        "TE-PRE",
        "TE-PRE",
        "TE-WORSE",
        "TE-WORSE",
        "TE-LATE",
        "TE-ON",
        "TE-ON",
    ]
    assert decide(rows, PLAIN)["FLAG"].tolist()[:6] == ["N"] * 6


@pytest.mark.rule("AE-03")
@pytest.mark.parametrize(
    ("startm", "t0m", "flag"),
    [
        ("2025-03-10 09:00", "2025-03-10 10:00", "N"),
        ("2025-03-10 10:00", "2025-03-10 10:00", "Y"),
        ("2025-03-10 09:00", None, "Y"),
        (None, "2025-03-10 10:00", "Y"),
    ],
)
def test_times_decide_only_where_both_are_known(startm, t0m, flag):
    assert decide([event("2025-03-10", STARTM=startm, T0M=t0m)])["FLAG"].tolist() == [flag]


def test_before_is_false_where_a_date_is_missing():
    none = pd.Series([pd.NaT], dtype="datetime64[ns]")
    day = pd.Series(pd.to_datetime(["2025-01-01"]))
    assert not before(none, none, reference=day, reference_moment=none).any()
    assert not before(day, none, reference=none, reference_moment=none).any()


days = st.integers(-40, 80)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(days, st.none() | st.integers(0, 30), st.integers(1, 5), st.sampled_from(["Y", "N"])),
        min_size=1,
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_row_order_is_irrelevant_and_an_event_before_treatment_changes_nothing(events, random):
    t0 = pd.Timestamp(T0)
    rows = []
    for day, length, grade, related in events:
        start = t0 + pd.Timedelta(days=day)
        end = None if length is None else start + pd.Timedelta(days=length)
        rows.append(event(start, end, GRADE=float(grade), RELATED=related))
    expected = decide(rows)["FLAG"].tolist()
    places = list(range(len(rows)))
    random.shuffle(places)
    shuffled = decide([rows[place] for place in places])["FLAG"].tolist()
    assert [shuffled[places.index(place)] for place in range(len(rows))] == expected
    more = decide([*rows, event("2025-02-01", "2025-02-02")])["FLAG"].tolist()
    assert more == [*expected, "N"]
