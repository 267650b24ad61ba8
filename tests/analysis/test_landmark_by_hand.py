"""Persistence at the landmark: one participant per line, and what becomes of each."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.analysis.landmark import persistence_response
from interim.display import table_counts
from tests.analysis.answers import subjects, value
from tests.analysis.kinetic_case import CUT, STUDY, with_study

START = pd.Timestamp("2025-03-13")
LEFT = {
    "NOT_OBSERVED": "Dead, or not observed until the landmark",
    "RESPONDED_BEFORE": "Response before the landmark",
    "NO_SAMPLE": "No sample at the landmark",
}
CASES = {
    # name: (last day alive, day of death, first response, samples as (day, state)), place
    "stays": (100, None, 60, [(27, "QUANT")], "Quantified"),
    "stays, no response": (100, None, None, [(28, "QUANT")], "Quantified"),
    "lost": (100, None, 60, [(28, "BLQ"), (10, "QUANT")], "Not quantified"),
    "nearest of two": (100, None, None, [(26, "QUANT"), (29, "BLQ")], "Not quantified"),
    "edge of the window": (100, None, None, [(31, "QUANT")], "Quantified"),
    "outside the window": (100, None, None, [(31.1, "QUANT")], "NO_SAMPLE"),
    "responded at the landmark": (100, None, 28, [(28, "QUANT")], "RESPONDED_BEFORE"),
    "responded the day after": (100, None, 29, [(28, "QUANT")], "Quantified"),
    "died before": (20, 20, None, [(14, "QUANT")], "NOT_OBSERVED"),
    "died on the day": (28, 28, None, [(27, "QUANT")], "Quantified"),
    "not followed": (27, None, None, [(27, "QUANT")], "NOT_OBSERVED"),
    "never sampled": (100, None, 60, [], "NO_SAMPLE"),
}


def day(number):
    return pd.NaT if number is None else START + pd.Timedelta(days=number)


def adam(cases=CASES, adpc_extra=()):
    who = list(cases)
    adsl = pd.DataFrame(
        {
            "USUBJID": who,
            "COHORT": "DL1",
            "COHORTA": "DL1",
            "SAFCTFL": "Y",
            "CKFL": "Y",
            "TRTSCT": START,
            "LSTALVDT": [day(case[0]) for case in cases.values()],
            "DTHDT": pd.to_datetime([day(case[1]) for case in cases.values()]),
            "DCUTDT": pd.Timestamp(CUT),
        }
    )
    samples = [(name, *item, "CARTG", "Y") for name, case in cases.items() for item in case[3]]
    columns = ["USUBJID", "AFRLT", "STATE", "PARAMCD", "ANL01FL"]
    adpc = pd.DataFrame([*samples, *adpc_extra], columns=columns).assign(ROLE="t")
    responses = [(name, day(case[2])) for name, case in cases.items() if case[2] is not None]
    adrs = pd.DataFrame(responses, columns=["USUBJID", "ADT"]).assign(
        PARAMCD="OVR", PARCAT2=STUDY.response.evaluator, AVALC="PR"
    )
    return Adam({"ADSL": adsl, "ADPC": adpc, "ADRS": adrs}, CUT)


@pytest.fixture(scope="module")
def found():
    return persistence_response(adam(), STUDY)


@pytest.mark.rule("KIN-44", source="spec kinetics 9")
@pytest.mark.parametrize("level", ["Quantified", "Not quantified"])
def test_who_is_compared(found, level):
    wanted = {name for name, case in CASES.items() if case[4] == level}
    frame = found.where(variable="CARTG", level=level, stat="rate")
    total = frame[frame["group"] == "Total"].iloc[0]
    assert total["N"] == len(wanted)
    responders = {name for name in wanted if CASES[name][2] is not None}
    assert total["n"] == len(responders)
    assert total["value"] == pytest.approx(len(responders) / len(wanted))


@pytest.mark.rule("KIN-44", source="spec kinetics 9")
@pytest.mark.parametrize("reason", list(LEFT))
def test_who_is_left_out_and_why(found, reason):
    wanted = {name for name, case in CASES.items() if case[4] == reason}
    assert subjects(found, "CARTG left out", "n", level=LEFT[reason]) == wanted
    assert value(found, "CARTG left out", level=LEFT[reason]) == len(wanted)


@pytest.mark.rule(
    "LNT-02",
    source="the cases above: a denominator that is no analysis set is a result with its participants",
)
@pytest.mark.parametrize("level", ["Quantified", "Not quantified"])
def test_the_denominator_is_a_result_with_its_participants(found, level):
    wanted = {name for name, case in CASES.items() if case[4] == level}
    base = found.where(variable="CARTG", level=level, stat="N")
    total = base[base["group"] == "Total"].iloc[0]
    assert (total["n"], total["unit"]) == (len(wanted), "participants")
    linked = found.links[found.links["result_id"] == total["result_id"]]
    assert len(linked) == len(wanted)
    rate = found.where(variable="CARTG", level=level, stat="rate", group="Total").iloc[0]
    assert rate["N"] == total["n"]


@pytest.mark.rule("KIN-44")
def test_nobody_is_lost_between_the_groups(found):
    frame = found.frame[found.frame["group"] == "Total"]
    compared = frame[(frame["variable"] == "CARTG") & (frame["stat"] == "rate")]["N"].sum()
    left = frame[(frame["variable"] == "CARTG left out") & (frame["stat"] == "n")]["value"].sum()
    assert compared + left == len(CASES)


@pytest.mark.rule("KIN-44")
def test_another_landmark_moves_everyone():
    made = persistence_response(adam(), with_study(landmark_day=14))
    assert subjects(made, "CARTG left out", "n", level=LEFT["NOT_OBSERVED"]) == set()
    only = {"died before"}
    frame = made.where(variable="CARTG", level="Quantified", stat="rate")
    assert frame.loc[frame["group"] == "Total", "N"].item() == len(only)


@pytest.mark.rule("KIN-44")
def test_samples_that_enter_no_profile_say_nothing():
    extra = [("never sampled", 28.0, "QUANT", "CARTG", "N"), ("never sampled", 28.0, "BAD", "CARTG", "Y")]
    made = persistence_response(adam(adpc_extra=extra), STUDY)
    assert "never sampled" in subjects(made, "CARTG left out", "n", level=LEFT["NO_SAMPLE"])


@pytest.mark.rule("KIN-35")
def test_printed_and_absent(found):
    lines = [" | ".join(cell.text for cell in line.cells) for line in table_counts(found, STUDY).rows]
    assert lines[0] == "CAR-T transgene"
    assert lines[1].startswith("Quantified | 2/5")
    assert any(line.startswith("Response before the landmark | 1 (8.3%)") for line in lines)
    bare = persistence_response(Adam({"ADSL": adam()["ADSL"]}, CUT), STUDY)
    (line,) = table_counts(bare, STUDY).rows
    assert line.cells[0].text.startswith("Landmark – not available: no samples")
