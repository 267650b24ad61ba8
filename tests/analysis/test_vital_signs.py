"""Vital signs, electrocardiogram and performance status of a few participants: every number counted by eye."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.analysis import vital_signs
from interim.display import table_ecog_shift, table_listing, table_outliers, table_values_by_visit
from interim.study import Study
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.conftest import uid
from tests.analysis.safety_frames import safety_adsl, start_of

UNITS = {"TEMP": "C", "SYSBP": "mmHg", "QTCF": "msec", "LVEF": "%", "ECOG": None}


def record(number: int, code: str, day: int, amount: float, *, hours: float = np.nan, change: float = np.nan):
    """Return one row of ADVS; day 0 is the day of the first infusion, an earlier one the baseline."""
    date = start_of(number) + pd.Timedelta(days=day)
    later = day >= 0
    return {
        "USUBJID": uid(number),
        "PARAMCD": code,
        "BASETYPE": "NK",
        "APOS": "",
        "ADT": date,
        "ADTM": date + pd.Timedelta(hours=12),
        "VISITNUM": float(max(day, 0) + 1),
        "VISIT": f"DAY {max(day, 0)}",
        "AVAL": amount,
        "AVALU": UNITS[code],
        "ABLFL": None if later else "Y",
        "CHG": change,
        "ONTRTFL": "Y" if later else None,
        "APHASE": "NK" if later else None,
        "AHRSINF": hours,
        "SRCDOM": "VS",
    }


def advs(*rows) -> pd.DataFrame:
    return pd.DataFrame(list(rows)).assign(SRCSEQ=[str(place) for place in range(1, len(rows) + 1)])


@pytest.fixture(scope="module")
def ask(make_adam, study):
    def answer(question, frame, **changed):
        sets = {"ADSL": safety_adsl()} | ({} if frame is None else {"ADVS": frame})
        return question(make_adam(**sets), changed.get("study", study))

    return answer


def with_limits(study: Study, **limits) -> Study:
    safety = study.safety.model_copy(update={"vs_limits": limits})
    return study.model_copy(update={"safety": safety})


FEVER = advs(
    record(1, "TEMP", -1, 40.5),
    record(1, "TEMP", 0, 37.9, hours=2),
    record(2, "TEMP", -1, 36.5),
    record(2, "TEMP", 1, 38.0, hours=24.0, change=1.5),
    record(3, "TEMP", 3, 39.2, hours=72.5, change=2.0),
    record(14, "TEMP", 20, 40.0, hours=480.0),
    record(2, "SYSBP", 1, 90.0, hours=1.0),
    record(3, "SYSBP", 1, 89.0, hours=1.0),
)


@pytest.mark.rule("SAF-38", source="by hand: limits included or not, and the hours after an infusion")
@pytest.mark.parametrize(
    ("code", "level", "stat", "who"),
    [
        ("TEMP", "measured", "n", [1, 2, 3, 14]),
        ("TEMP", "at_least 38 C", "n", [2, 3, 14]),
        ("TEMP", "at_least 38 C", "n_24", [2]),
        ("TEMP", "at_least 38 C", "n_72", [2]),
        ("TEMP", "at_least 38 C", "n_336", [2, 3]),
        ("TEMP", "at_least 39 C", "n", [3, 14]),
        ("TEMP", "at_least 39 C", "n_72", []),
        ("TEMP", "at_least 40 C", "n", [14]),
        ("SYSBP", "below 90 mmHg", "n", [3]),
        ("SYSBP", "measured", "n", [2, 3]),
    ],
)
def test_outliers_are_counted_by_limit_and_hours(ask, code, level, stat, who):
    result = ask(vital_signs.marked, FEVER)
    place = {"variable": code, "level": level, "stat": stat}
    assert value(result, **place) == len(who)
    assert subjects(result, **place) == {uid(n) for n in who}
    assert row(result, **place)["N"] == 15


@pytest.mark.rule("SAF-38", source="a parameter that was not collected says so")
def test_a_parameter_without_a_value_is_not_collected(ask):
    result = ask(vital_signs.marked, FEVER)
    assert status(result, variable="OXYSAT", level="", stat="n") == ("NA", "not collected")


@pytest.mark.rule("SAF-38", source="safety.vs_limits")
def test_the_limits_of_the_study_replace_those_of_the_layout(ask, study):
    own = with_limits(study, SYSBP={"low": 95.0, "high": 150.0}, TEMP={"high": 39.2})
    result = ask(vital_signs.marked, FEVER, study=own)
    levels = result.frame.loc[result.frame["variable"] == "SYSBP", "level"].unique().tolist()
    assert levels == ["measured", "below 95 mmHg", "above 150 mmHg"]
    assert value(result, variable="SYSBP", level="below 95 mmHg", stat="n") == 2
    assert subjects(result, variable="TEMP", level="above 39.2 C", stat="n") == {uid(14)}


ELECTRIC = advs(
    record(1, "QTCF", -1, 420.0),
    record(1, "QTCF", 0, 451.0, change=31.0),
    record(2, "QTCF", 0, 450.0, change=30.0),
    record(3, "QTCF", 0, 501.0),
    record(1, "LVEF", -1, 62.0),
    record(1, "LVEF", 5, 52.0, change=-10.0),
    record(2, "LVEF", 5, 53.0, change=-9.0),
)


@pytest.mark.rule("SAF-39", source="by hand: QTcF above, not at, a limit; a fall of 10 points counts")
@pytest.mark.parametrize(
    ("code", "level", "who"),
    [
        ("QTCF", "measured", [1, 2, 3]),
        ("QTCF", "measured_change", [1, 2]),
        ("QTCF", "above 450 msec", [1, 3]),
        ("QTCF", "above 500 msec", [3]),
        ("QTCF", "rise_above 30 msec", [1]),
        ("QTCF", "rise_above 60 msec", []),
        ("LVEF", "measured_change", [1, 2]),
        ("LVEF", "fall_of 10 %", [1]),
    ],
)
def test_the_electrocardiogram_is_counted_by_value_and_change(ask, code, level, who):
    result = ask(vital_signs.electrocardiogram, ELECTRIC)
    assert subjects(result, variable=code, level=level, stat="n") == {uid(n) for n in who}


@pytest.mark.rule("SAF-39", source="a limit of the study keeps the limits of change")
def test_a_limit_of_the_study_keeps_the_changes(study):
    limits = vital_signs.limits_of(with_limits(study, QTCF={"high": 470.0}))["QTCF"]
    assert [(item["side"], item["limit"]) for item in limits] == [
        ("above", 470.0),
        ("rise_above", 30),
        ("rise_above", 60),
    ]


STATUS = advs(
    record(1, "ECOG", -1, 0.0),
    record(1, "ECOG", 0, 2.0),
    record(1, "ECOG", 9, 1.0),
    record(2, "ECOG", -1, 1.0),
    record(2, "ECOG", 9, 1.0),
    record(3, "ECOG", 9, 3.0),
    record(4, "ECOG", -1, 1.0),
)


@pytest.mark.rule("SAF-40", source="by hand")
@pytest.mark.parametrize(
    ("variable", "base", "stat", "who"),
    [
        ("worst", "0", "to 2", [1]),
        ("last", "0", "to 1", [1]),
        ("worst", "1", "to 1", [2]),
        ("last", "missing", "to 3", [3]),
        ("assessed", "", "n", [1, 2, 3]),
        ("assessed", "", "rise", [1]),
    ],
)
def test_performance_status_is_crossed_with_the_worst_and_the_last(ask, variable, base, stat, who):
    result = ask(vital_signs.ecog_shift, STATUS)
    assert subjects(result, variable=variable, level=base, stat=stat) == {uid(n) for n in who}


@pytest.mark.rule("SAF-40", source="rows of both blocks add up to those assessed")
def test_each_block_holds_everybody_once(ask):
    frame = ask(vital_signs.ecog_shift, STATUS).frame
    for variable in ("worst", "last"):
        assert frame.loc[frame["variable"] == variable, "value"].sum() == 3


@pytest.mark.rule("SAF-38", source="by hand: two participants at one visit")
def test_values_and_changes_by_visit(ask):
    rows = [
        record(1, "TEMP", -1, 36.0),
        record(1, "TEMP", 7, 37.0, change=1.0),
        record(2, "TEMP", 7, 39.0),
        record(3, "TEMP", 7, 38.0) | {"VISITNUM": 8.1},
    ]
    result = ask(vital_signs.values_by_visit, advs(*rows))
    at = {"variable": "TEMP", "level": "8 DAY 7"}
    numbers = {
        stat: value(result, **at, stat=stat) for stat in ("n", "mean", "median", "max", "chg_n", "chg_mean")
    }
    assert numbers == {"n": 2, "mean": 38.0, "median": 38.0, "max": 39.0, "chg_n": 1, "chg_mean": 1.0}
    assert status(result, variable="SYSBP", level="", stat="n") == ("NA", "not collected")


QUESTIONS = (
    (vital_signs.values_by_visit, table_values_by_visit),
    (vital_signs.marked, table_outliers),
    (vital_signs.electrocardiogram, table_outliers),
    (vital_signs.ecog_shift, table_ecog_shift),
    (vital_signs.measurements, table_listing),
)


@pytest.mark.parametrize(("question", "table"), QUESTIONS)
def test_without_vital_signs_a_table_says_why(ask, study, question, table):
    shown = table(ask(question, None), study)
    text = " ".join(cell.text for line in shown.rows for cell in line.cells)
    assert "not available" in text.lower()


def texts(table) -> list[list[str]]:
    return [[cell.text for cell in line.cells] for line in table.rows]


def test_the_table_of_outliers_speaks_in_words(ask, study):
    rows = texts(table_outliers(ask(vital_signs.marked, FEVER), study))
    stubs = [line[0] for line in rows]
    assert stubs[:6] == [
        "Temperature",
        "Measured on treatment",
        "At least 38 C",
        "within 24 hours after an infusion",
        "within 72 hours after an infusion",
        "within 14 days after an infusion",
    ]
    assert rows[2][-1] == "3 (20.0%)"
    assert "Oxygen saturation – not collected" in stubs


def test_the_table_of_the_electrocardiogram_names_changes(ask, study):
    stubs = [line[0] for line in texts(table_outliers(ask(vital_signs.electrocardiogram, ELECTRIC), study))]
    assert "Rise from baseline of more than 30 msec" in stubs
    assert "Fall from baseline of 10 % or more" in stubs


def test_the_shift_prints_only_the_grades_that_occurred_at_baseline(ask, study):
    rows = texts(table_ecog_shift(ask(vital_signs.ecog_shift, STATUS), study))
    assert [line[0] for line in rows][1:] == ["Worst", "0", "1", "Missing", "Last", "0", "1", "Missing"]
    assert rows[0][0].startswith("Assessed after the first infusion 3 (20.0%); not assessed 12 (80.0%)")
    assert rows[2][3] == "1/3 (33%)"


def test_the_listing_has_a_row_for_each_moment(ask, study):
    mixed = pd.concat([FEVER.iloc[:4], FEVER.iloc[6:]], ignore_index=True)
    mixed = mixed.assign(SRCSEQ=[str(i) for i in range(1, len(mixed) + 1)])
    result = ask(vital_signs.measurements, mixed)
    assert value(result, variable="records", stat="n") == 5
    line = next(x for x in texts(table_listing(result, study)) if x[6] == "90")
    assert (line[2], line[3], line[5]) == ("1", "12:00", "38.0")


@pytest.mark.rule("SAF-48")
def test_what_was_never_collected_is_named_and_has_no_column(ask, study):
    shown = table_listing(ask(vital_signs.measurements, FEVER), study)
    heads = [head.text for head in shown.header[0]]
    note = shown.footnotes[-1]
    assert note.startswith("Not collected: ")
    named = note.removeprefix("Not collected: ").removesuffix(".").split("; ")
    assert "Temp., C" in heads
    assert "LVEF, %" in named
    assert not set(named) & set(heads)
    assert len(named) + len(heads) == 17, "every column of the shell is shown or named"
    assert {len(line.cells) for line in shown.rows} == {len(heads)}
    assert len(shown.widths) == len(shown.align) == len(heads)
