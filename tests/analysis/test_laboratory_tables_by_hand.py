"""Laboratory tables of small panels: each shift, each deviation, each multiple of the limit counted by eye."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.analysis import laboratory
from interim.result import TOTAL
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.conftest import uid
from tests.analysis.safety_frames import safety_adex, safety_adsl, start_of

TERM = {"low": "Platelet count decreased", "high": "Creatinine increased"}
UPPER = {"ALT": 40.0, "AST": 40.0, "BILI": 20.0, "ALP": 100.0}


def record(number: int, code: str, day: int, amount: float, **more: object) -> dict[str, object]:
    """Return one row of ADLB without grades; day 0 is the day of the first infusion."""
    date = start_of(number) + pd.Timedelta(days=day)
    return {
        "USUBJID": uid(number),
        "PARAMCD": code,
        "BASETYPE": "NK",
        "ADT": date,
        "ADTM": date + pd.Timedelta(hours=7 if day <= 0 else 12),
        "AVAL": amount,
        "AVALU": "U/L",
        "ALIMIT": np.nan,
        "ANRHI": UPPER.get(code, np.nan),
        "ABLFL": "Y" if day < 0 else None,
        "BASE": np.nan,
        "BNRIND": None,
        "CHG": np.nan,
        "ONTRTFL": "Y" if day >= 0 else None,
        "VISITNUM": float(max(day, 0) + 1),
        "VISIT": f"DAY {day}",
        "ATOXDSCL": None,
        "ATOXDSCH": None,
        "ATOXGRL": np.nan,
        "ATOXGRH": np.nan,
        "BTOXGRL": np.nan,
        "BTOXGRH": np.nan,
        "SRCDOM": "LB",
        **more,
    }


def with_places(rows: list[dict[str, object]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows).assign(SRCSEQ=[str(place) for place in range(1, len(rows) + 1)])
    names = ["ATOXGRL", "ATOXGRH", "BTOXGRL", "BTOXGRH", "AVAL", "BASE", "CHG"]
    return frame.astype(dict.fromkeys(names, "float64"))


def graded(direction: str, courses: dict[int, tuple[object, list[float | None]]]) -> pd.DataFrame:
    """Return ADLB of one parameter: participant -> grade at baseline ("none": no record), grades of days 1, 2, ..."""
    letter = {"low": "L", "high": "H"}[direction]
    rows = []
    for number, (base, grades) in courses.items():
        known = base if isinstance(base, float) else np.nan
        given = {f"ATOXDSC{letter}": TERM[direction], f"BTOXGR{letter}": known}
        if base != "none":
            rows.append(record(number, "X", -1, 10.0, **given, **{f"ATOXGR{letter}": known}))
        for day, grade in enumerate(grades, 1):
            mine = np.nan if grade is None else grade
            rows.append(record(number, "X", day, 10.0, **given, **{f"ATOXGR{letter}": mine}))
    return with_places(rows)


@pytest.fixture(scope="module")
def ask(make_adam, study):
    """Return a function that answers a question of one laboratory dataset."""

    def answer(question, frame):
        return question(make_adam(ADSL=safety_adsl(), ADEX=safety_adex(), ADLB=frame), study)

    return answer


# Baseline, grades on treatment, level and stat of the one participant, worse?, to grade 3 or higher?
SHIFTS = [
    (0.0, [0.0], "0", "0", 0, 0),
    (0.0, [1.0], "0", "1", 1, 0),
    (0.0, [1.0, 0.0], "0", "1", 1, 0),
    (0.0, [0.0, 2.0, 1.0], "0", "2", 1, 0),
    (0.0, [3.0], "0", "3", 1, 1),
    (0.0, [4.0, 3.0], "0", "4", 1, 1),
    (1.0, [0.0], "1", "0", 0, 0),
    (1.0, [1.0, 1.0], "1", "1", 0, 0),
    (1.0, [2.0], "1", "2", 1, 0),
    (1.0, [3.0], "1", "3", 1, 1),
    (2.0, [1.0], "2", "1", 0, 0),
    (2.0, [2.0], "2", "2", 0, 0),
    (2.0, [4.0], "2", "4", 1, 1),
    (3.0, [3.0], "3", "3", 0, 0),
    (3.0, [4.0], "3", "4", 1, 0),
    (3.0, [0.0], "3", "0", 0, 0),
    (4.0, [4.0], "4", "4", 0, 0),
    (4.0, [1.0, 2.0], "4", "2", 0, 0),
    (0.0, [None], "0", "not_graded", 0, 0),
    (0.0, [None, 1.0], "0", "1", 1, 0),
    (None, [2.0], "not_graded", "2", 0, 0),
    (None, [3.0], "not_graded", "3", 0, 1),
    (None, [None], "not_graded", "not_graded", 0, 0),
    ("none", [0.0], "missing", "0", 0, 0),
    ("none", [3.0, 4.0], "missing", "4", 0, 1),
    ("none", [None], "missing", "not_graded", 0, 0),
]


@pytest.mark.parametrize("direction", ["low", "high"])
@pytest.mark.parametrize(("base", "grades", "level", "worst", "rise", "severe"), SHIFTS)
def test_one_participant_is_in_one_cell(ask, direction, base, grades, level, worst, rise, severe):
    table = ask(laboratory.grade_shift, graded(direction, {2: (base, grades)}))
    name = f"X {direction}"
    assert subjects(table, name, f"worst {worst}", level=level) == {uid(2)}
    cells = table.frame[table.frame["stat"].str.startswith("worst") & (table.frame["group"] == TOTAL)]
    assert cells["value"].sum() == 1 and set(cells["level"]) == {level} and len(cells) == 6
    assert [value(table, name, stat, level="any") for stat in ("n", "without", "rise", "to_grade3")] == [
        1,
        14,
        rise,
        severe,
    ]
    assert row(table, name, "n", level="any")["text"] == TERM[direction]


@pytest.mark.rule("ACC-08")
def test_every_dose_stands_under_each_baseline_grade_that_anybody_has(ask):
    table = ask(laboratory.grade_shift, graded("low", {1: (0.0, [1.0]), 4: (2.0, [3.0])}))
    cells = table.frame[table.frame["stat"].str.startswith("worst")]
    groups = set(table.frame.loc[table.frame["variable"] == "population", "group"])
    assert {level: set(part["group"]) for level, part in cells.groupby("level")} == {"0": groups, "2": groups}
    assert cells.loc[cells["group"] != TOTAL, "value"].sum() == 2


def test_shifts_of_several_participants_add_up(ask):
    courses = {1: (0.0, [1.0]), 2: (0.0, [1.0]), 3: (0.0, [4.0]), 4: (2.0, [3.0]), 5: ("none", [3.0])}
    table = ask(laboratory.grade_shift, graded("low", courses))
    everyone = table.frame[table.frame["group"] == TOTAL]
    found = everyone[everyone["stat"].str.startswith("worst") & (everyone["value"] > 0)]
    doses = table.frame[table.frame["stat"].str.startswith("worst") & (table.frame["group"] != TOTAL)]
    assert doses.groupby(["level", "stat"])["value"].sum().to_dict() == (
        everyone[everyone["stat"].str.startswith("worst")].set_index(["level", "stat"])["value"].to_dict()
    )
    assert {(r.level, r.stat): int(r.value) for r in found.itertuples()} == {
        ("0", "worst 1"): 2,
        ("0", "worst 4"): 1,
        ("2", "worst 3"): 1,
        ("missing", "worst 3"): 1,
    }
    assert subjects(table, "X low", "rise", level="any") == {uid(1), uid(2), uid(3), uid(4)}
    assert subjects(table, "X low", "to_grade3", level="any") == {uid(3), uid(4), uid(5)}
    assert row(table, "X low", "rise", level="any")["N"] == 5


@pytest.mark.parametrize(
    ("grades", "severe", "unresolved"),
    [
        ([0.0], 0, 0),
        ([2.0, 2.0], 0, 0),
        ([3.0], 1, 1),
        ([3.0, 2.0], 1, 0),
        ([2.0, 3.0], 1, 1),
        ([3.0, 4.0], 1, 1),
        ([4.0, 0.0], 1, 0),
        ([4.0, 0.0, 3.0], 1, 1),
        ([4.0, None], 1, 1),
        ([4.0, 1.0, None], 1, 0),
        ([None], 0, 0),
    ],
)
@pytest.mark.parametrize(
    ("direction", "level"), [("low", "Platelet count decreased"), ("high", "Creatinine increased")]
)
def test_a_deviation_and_whether_the_last_grade_still_is_one(
    ask, direction, level, grades, severe, unresolved
):
    table = ask(laboratory.significant_deviations, graded(direction, {3: (0.0, grades)}))
    name = f"X {direction}"
    assert value(table, name, level=level) == severe == value(table, "any")
    assert value(table, name, "unresolved", level=level) == unresolved
    assert value(table, name, level=level, group="DL2") == severe
    assert value(table, name, level=level, group="DL1") == 0
    assert status(table, "investigator", "n") == (
        "NA",
        "not collected: the investigator's assessment of clinical significance",
    )


def test_a_grade_3_at_baseline_only_is_no_deviation_on_treatment(ask):
    table = ask(laboratory.significant_deviations, graded("low", {3: (4.0, [1.0])}))
    assert value(table, "any") == 0


def liver(*values: tuple[str, int, float], number: int = 2) -> pd.DataFrame:
    return with_places([record(number, *item) for item in values])


# ALT and bilirubin: multiples of the limits of 40 and 20; above 3, 5, 10, 20 times; quadrant.
PEAKS = [
    (40.0, 20.0, [0, 0, 0, 0], "NORMAL"),
    (120.0, 20.0, [0, 0, 0, 0], None),
    (121.0, 10.0, [1, 0, 0, 0], "TEMPLES_COROLLARY"),
    (200.0, 10.0, [1, 0, 0, 0], "TEMPLES_COROLLARY"),
    (201.0, 10.0, [1, 1, 0, 0], "TEMPLES_COROLLARY"),
    (400.0, 10.0, [1, 1, 0, 0], "TEMPLES_COROLLARY"),
    (401.0, 10.0, [1, 1, 1, 0], "TEMPLES_COROLLARY"),
    (800.0, 10.0, [1, 1, 1, 0], "TEMPLES_COROLLARY"),
    (801.0, 10.0, [1, 1, 1, 1], "TEMPLES_COROLLARY"),
    (40.0, 41.0, [0, 0, 0, 0], "HYPERBILIRUBINAEMIA"),
    (20.0, 100.0, [0, 0, 0, 0], "HYPERBILIRUBINAEMIA"),
    (160.0, 50.0, [1, 0, 0, 0], "HYS_LAW_RANGE"),
    (900.0, 90.0, [1, 1, 1, 1], "HYS_LAW_RANGE"),
]


@pytest.mark.parametrize("enzyme", ["ALT", "AST"])
@pytest.mark.parametrize(("at", "bilirubin", "above", "place"), PEAKS)
def test_multiples_of_the_upper_limit_and_the_quadrant(ask, enzyme, at, bilirubin, above, place):
    frame = liver((enzyme, 2, at), (enzyme, 5, at / 2), ("BILI", 4, bilirubin))
    table = ask(laboratory.hepatotoxicity, frame)
    assert [value(table, "at", level=str(multiple)) for multiple in (3, 5, 10, 20)] == above
    assert value(table, "evaluable") == 1 and value(table, "bilirubin") == int(bilirubin > 40)
    peaks = ask(laboratory.liver_peaks, frame)
    spot = {"level": uid(2), "group": "DL2"}
    assert value(peaks, "peak", "at", **spot) == at / 40
    assert value(peaks, "peak", "bilirubin", **spot) == bilirubin / 20
    assert value(peaks, "peak", "gap", **spot) == 2
    if place:
        assert row(peaks, "peak", "quadrant", **spot)["text"] == place
        names = ("NORMAL", "TEMPLES_COROLLARY", "HYPERBILIRUBINAEMIA", "HYS_LAW_RANGE")
        assert [value(peaks, "quadrant", level=name) for name in names] == [int(n == place) for n in names]


@pytest.mark.parametrize(
    ("values", "evaluable"),
    [
        ((("ALT", 2, 50.0),), 0),
        ((("BILI", 2, 50.0),), 0),
        ((("ALT", -1, 50.0), ("BILI", 2, 50.0)), 0),
        ((("ALT", 2, 50.0), ("BILI", -1, 50.0)), 0),
        ((("ALT", 2, 50.0), ("BILI", 30, 50.0)), 1),
        ((("AST", 2, 50.0), ("BILI", 2, 50.0)), 1),
    ],
)
def test_both_values_after_the_first_infusion_are_needed(ask, values, evaluable):
    assert value(ask(laboratory.hepatotoxicity, liver(*values)), "evaluable") == evaluable
    peaks = ask(laboratory.liver_peaks, liver(*values))
    assert len(peaks.frame[peaks.frame["stat"] == "at"]) == evaluable


@pytest.mark.parametrize(
    ("day", "window"),
    [(1, "0-3"), (2, "0-3"), (4, "0-3"), (5, "4-14"), (15, "4-14"), (16, "15+"), (40, "15+")],
)
def test_days_from_the_last_infusion_into_the_hepatic_artery(ask, day, window):
    # Hepatic-artery infusions on days 0 and 1.
    table = ask(laboratory.hepatotoxicity, liver(("ALT", day, 500.0)))
    assert value(table, "window", level=window) == 1
    assert set(table.frame.loc[table.frame["variable"] == "window", "level"]) == {window}


# Visit -> values of participants 1, 2, 3; n, mean, SD, median, minimum, maximum.
MOMENTS = [
    ([5.0], 1, 5.0, None, 5.0, 5.0, 5.0),
    ([4.0, 6.0], 2, 5.0, 2**0.5, 5.0, 4.0, 6.0),
    ([1.0, 2.0, 3.0], 3, 2.0, 1.0, 2.0, 1.0, 3.0),
    ([2.0, 2.0, 2.0], 3, 2.0, 0.0, 2.0, 2.0, 2.0),
    ([10.0, 0.0, 2.0], 3, 4.0, 28.0**0.5, 2.0, 0.0, 10.0),
    ([7.0, np.nan, 9.0], 2, 8.0, 2**0.5, 8.0, 7.0, 9.0),
]


@pytest.mark.parametrize(("values", "n", "mean", "sd", "median", "low", "high"), MOMENTS)
def test_moments_of_a_visit_and_of_the_change(ask, values, n, mean, sd, median, low, high):
    rows = []
    for number, amount in enumerate(values, 1):
        rows.append(record(number, "ALT", -1, 1.0, VISITNUM=1.0))
        rows.append(record(number, "ALT", 6, amount, VISITNUM=7.0, CHG=amount - 1.0))
    table = ask(laboratory.values_by_visit, with_places(rows))
    place = {"level": "7 DAY 6"}
    for prefix, less in (("", 0.0), ("chg_", 1.0)):
        assert value(table, "ALT", f"{prefix}n", **place) == n
        for stat, expected in (("mean", mean), ("median", median), ("min", low), ("max", high)):
            assert value(table, "ALT", f"{prefix}{stat}", **place) == pytest.approx(expected - less)
        if sd is None:
            assert status(table, "ALT", f"{prefix}sd", **place) == ("NE", "NO_DATA")
        else:
            assert value(table, "ALT", f"{prefix}sd", **place) == pytest.approx(sd)
    # The visit of the baseline has values and no change.
    assert "chg_n" not in set(table.frame.loc[table.frame["level"] == "1 DAY -1", "stat"])


def test_the_last_result_of_a_visit_counts_and_an_unscheduled_one_does_not(ask):
    rows = [record(1, "ALT", day, amount, VISITNUM=7.0) for day, amount in ((6, 10.0), (8, 30.0), (7, 20.0))]
    rows += [record(1, "ALT", 9, 99.0, VISITNUM=7.1), record(1, "ALT", 9, 98.0, VISITNUM=np.nan)]
    table = ask(laboratory.values_by_visit, with_places(rows))
    mine = table.frame[table.frame["variable"] == "ALT"]
    assert set(mine["level"]) == {"7 DAY 8"}
    assert value(table, "ALT", "mean", level="7 DAY 8") == 30.0
