"""Courses that the figures draw: every sample, infusions, medicines, and means by dose."""

from __future__ import annotations

import math

import pytest

from interim.adam.model import Adam
from interim.analysis import kinetics as questions
from interim.display import figure_kinetic_profiles, figure_mean_profiles
from tests.analysis.answers import row, status, value
from tests.analysis.kinetic_case import CUT, STUDY, adex, adsl, kinetics, make_adam, pc_rows, sample

NAME = "CARTG (copies/ug)"


def adam_of(rows):
    made = kinetics(rows)
    return Adam({**make_adam().datasets, "ADPC": made.adpc, "ADPP": made.adpp}, CUT)


@pytest.mark.rule("KIN-42")
def test_infusions_and_medicines_stand_beside_the_samples():
    found = questions.profiles(make_adam(), STUDY)
    doses = found.where(variable="infusions")
    assert doses[["level", "value"]].values.tolist() == [
        ["01 1", 0.0],
        ["01 2", 1.0],
        ["01 3", 14.0],
        ["02 1", 0.0],
        ["02 2", 1.0],
        ["03 1", 0.0],
        ["03 2", 1.0],
    ]
    drug = row(found, "CMAX_AFTER_TOCI", "start", level="02 1", group="DL2")
    assert drug["value"] == pytest.approx(5)
    drawn = figure_kinetic_profiles(found, STUDY)
    assert drawn.footnotes[0].endswith("ticks at the foot: infusions; triangles: interleukin-6 blocker.")
    nk = questions.nk_profiles(make_adam(), STUDY)
    assert nk.where(stat="conc")["value"].tolist() == [50, 800, 400, 100, 50]
    assert nk.where(variable="infusions", level="04 2")["value"].tolist() == [1.0]


@pytest.mark.rule("KIN-37")
def test_two_values_at_one_time_and_an_unknown_limit_are_drawn_or_counted():
    rows = [*pc_rows(), sample("02", 7, 6500, PCSEQ=900)]
    for item in rows:
        if item["USUBJID"] == "03" and item["VISIT"] == "DAY 28":
            item.update(PCSTRESC="ND", PCLLOQ=None)
    found = questions.profiles(adam_of(rows), STUDY)
    both = found.where(variable=f"{NAME}|02")
    assert both.loc[both["level"].str.startswith("7.0000"), ["level", "value"]].values.tolist() == [
        ["7.0000", 6400.0],
        ["7.0000#2", 6500.0],
    ]
    assert status(found, f"{NAME}|03", "conc", level="28.0000", group="DL2") == ("NE", "NO_LIMIT")
    assert "not drawn: 1 samples" in figure_kinetic_profiles(found, STUDY).footnotes[0]


@pytest.mark.rule("KIN-30")
def test_a_day_of_the_second_cycle_is_no_day_of_the_first():
    rows = [
        {**item, "PCTPTREF": "CAR-T C2D1", "PCELTM": "P7D"}
        if item["VISIT"] == "DAY 21" and item["USUBJID"] == "01"
        else item
        for item in pc_rows()
    ]
    found = questions.levels_by_time(adam_of(rows), STUDY)
    assert value(found, NAME, "max", level="Day 7", group="DL1") == 1600
    assert value(found, NAME, "max", level="Day 7 of cycle 2") == 4000
    means = questions.mean_profiles(adam_of(rows), STUDY)
    assert row(means, NAME, "geo_mean", level="21")["n"] == 1


@pytest.mark.rule("KIN-42", source="hand calculation")
def test_means_by_dose_with_one_standard_error():
    found = questions.mean_profiles(make_adam(), STUDY)
    logs = [math.log(v) for v in (1600, 6400, 25)]
    mean = sum(logs) / 3
    error = math.sqrt(sum((v - mean) ** 2 for v in logs) / 2) / math.sqrt(3)
    assert value(found, NAME, "geo_mean", level="7") == pytest.approx(math.exp(mean))
    assert value(found, NAME, "geo_low", level="7") == pytest.approx(math.exp(mean - error))
    assert value(found, NAME, "geo_high", level="7") == pytest.approx(math.exp(mean + error))
    assert status(found, NAME, "geo_mean", level="7", group="DL2") == ("NE", "FEWER_THAN_3")
    assert status(found, NAME, "geo_mean", level="28") == ("NE", "MOST_BELOW_LIMIT")
    assert value(found, NAME, "lloq") == 50
    drawn = figure_mean_profiles(found, STUDY)
    assert "; 2 means, " in drawn.alt
    empty = questions.mean_profiles(Adam({"ADSL": adsl(), "ADEX": adex()}, CUT), STUDY)
    assert "not available" in figure_mean_profiles(empty, STUDY).alt
