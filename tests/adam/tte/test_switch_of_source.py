"""A switch of the NK source in the times and the responses, by hand: ignored, end of follow-up, or failure (AMB-8)."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.adam.tte.test_adtte import RESPONDER, day, make_study, people, responses, table

from interim.adam.response.adrs import limits_of, participants
from interim.adam.tte import derive_adtte
from interim.study.tables import EstimandTable

IGNORED, ENDS, FAILS = "treatment_policy", "while_on_first_source", "composite"


def study(strategy, **more):
    return make_study(**more).model_copy(update={"estimand": EstimandTable(nk_source_switch=strategy)})


def times(strategy, switch, *, rows=RESPONDER, tte=None, **columns):
    frame = people(NKSWDT=pd.NaT if switch is None else day(switch), **columns)
    return table(derive_adtte(frame, responses(*rows), study=study(strategy, **(tte or {}))).frame)


# Response on days 42 and 84, progression on day 126, last contact on day 200; AVAL counts the first day as 1.
PFS = [
    # strategy, day of the switch, PFS
    (IGNORED, 5, (127, "E-PD")),
    (IGNORED, 100, (127, "E-PD")),
    (ENDS, None, (127, "E-PD")),
    (ENDS, 5, (1, "K-SWITCH")),
    (ENDS, 42, (1, "K-SWITCH")),
    (ENDS, 43, (43, "K-SWITCH")),
    (ENDS, 84, (43, "K-SWITCH")),
    (ENDS, 85, (85, "K-SWITCH")),
    (ENDS, 100, (85, "K-SWITCH")),
    (ENDS, 126, (85, "K-SWITCH")),
    (ENDS, 127, (127, "E-PD")),
    (ENDS, 200, (127, "E-PD")),
    (FAILS, None, (127, "E-PD")),
    (FAILS, 5, (6, "E-SWITCH")),
    (FAILS, 42, (43, "E-SWITCH")),
    (FAILS, 100, (101, "E-SWITCH")),
    (FAILS, 125, (126, "E-SWITCH")),
    (FAILS, 126, (127, "E-PD")),
    (FAILS, 200, (127, "E-PD")),
]
OTHERS = [
    # strategy, day of the switch, endpoint, time and reason
    (IGNORED, 100, "OS", (201, "K-ALIVE")),
    (IGNORED, 100, "DOR", (85, "E-PD")),
    (ENDS, 100, "OS", (101, "K-SWITCH")),
    (ENDS, 200, "OS", (201, "K-SWITCH")),
    (ENDS, 250, "OS", (201, "K-SWITCH")),
    (ENDS, 100, "DOR", (43, "K-SWITCH")),
    (ENDS, 50, "DOR", (1, "K-SWITCH")),
    (ENDS, 130, "DOR", (85, "E-PD")),
    (ENDS, 100, "DDC", (85, "K-SWITCH")),
    (ENDS, 100, "TTP", (85, "K-SWITCH")),
    (ENDS, 100, "TTR", (43, "E-RESP")),
    (ENDS, 100, "TOS", (361, "K-CUT")),
    (ENDS, 100, "FUP", (201, "E-ALIVE")),
    (ENDS, 100, "TTNT", (201, "K-ALIVE")),
    (FAILS, 100, "OS", (201, "K-ALIVE")),
    (FAILS, 42, "DOR", (1, "E-SWITCH")),
    (FAILS, 100, "DOR", (59, "E-SWITCH")),
    (FAILS, 130, "DOR", (85, "E-PD")),
    (FAILS, 100, "DDC", (101, "E-SWITCH")),
    (FAILS, 100, "TTP", (101, "E-SWITCH")),
    (FAILS, 100, "TOS", (361, "K-CUT")),
    (FAILS, 100, "TTNT", (201, "K-ALIVE")),
]


@pytest.mark.rule("DOSEQ-17", source="by hand: response, progression and switch on known days")
@pytest.mark.parametrize(("strategy", "switch", "expected"), PFS)
def test_progression_free_survival(strategy, switch, expected):
    assert times(strategy, switch)["PFS"] == expected


@pytest.mark.rule(
    "DOSEQ-17", source="by hand: the endpoints that a switch concerns, and those that it does not"
)
@pytest.mark.parametrize(("strategy", "switch", "endpoint", "expected"), OTHERS)
def test_the_other_endpoints(strategy, switch, endpoint, expected):
    assert times(strategy, switch)[endpoint] == expected


@pytest.mark.rule("DOSEQ-17", source="by hand: death before and after the switch")
@pytest.mark.parametrize(
    ("strategy", "death", "overall", "progression"),
    [
        (IGNORED, 150, (151, "E-DEATH"), (151, "E-DEATH")),
        (ENDS, 150, (101, "K-SWITCH"), (43, "K-SWITCH")),
        (ENDS, 100, (101, "K-SWITCH"), (43, "K-SWITCH")),
        (ENDS, 99, (100, "E-DEATH"), (100, "E-DEATH")),
        (FAILS, 150, (151, "E-DEATH"), (101, "E-SWITCH")),
        (FAILS, 100, (101, "E-DEATH"), (101, "E-SWITCH")),
        (FAILS, 99, (100, "E-DEATH"), (100, "E-DEATH")),
    ],
)
def test_death_and_a_switch_on_day_100(strategy, death, overall, progression):
    found = times(strategy, 100, rows=RESPONDER[:1], DTHDT=day(death), LSTALVDT=day(death))
    assert (found["OS"], found["PFS"]) == (overall, progression)


@pytest.mark.rule("DOSEQ-17", source="by hand: the earlier of two truncations decides")
@pytest.mark.parametrize(
    ("switch", "therapy", "expected"),
    [
        (100, 60, (43, "K-NACT")),
        (60, 100, (43, "K-SWITCH")),
        (90, 200, (85, "K-SWITCH")),
        (200, 90, (85, "K-NACT")),
    ],
)
def test_a_new_therapy_beside_the_switch(switch, therapy, expected):
    assert times(ENDS, switch, NACTDT=day(therapy))["PFS"] == expected


@pytest.mark.rule("DOSEQ-17")
def test_the_reason_names_the_day_of_the_switch():
    frame = people(NKSWDT=day(100))
    found = derive_adtte(frame, responses(*RESPONDER), study=study(ENDS)).frame.set_index("PARAMCD")
    assert found.loc["PFS", "RSNTXT"].startswith("NK cells from another source from 2026-04-15")
    assert (found.loc["PFS", "CNSR"], found.loc["OS", "SRCVAR"]) == (8, "NKSWDT")
    failed = derive_adtte(frame, responses(*RESPONDER), study=study(FAILS)).frame.set_index("PARAMCD")
    assert failed.loc["PFS", "RSNTXT"] == "switch of the NK source on 2026-04-15"
    assert failed.loc["PFS", "EVNTDESC"] == "switch of the NK source"
    assert failed.loc["PFS", "UADT"] == day(100) and found.loc["PFS", "UADT"] == day(126)


@pytest.mark.rule("DOSEQ-17")
def test_without_the_column_nothing_changes():
    for strategy in (IGNORED, ENDS, FAILS):
        plain = table(derive_adtte(people(), responses(*RESPONDER), study=study(strategy)).frame)
        assert plain == times(IGNORED, None) == times(strategy, None)


LIMITS = [
    # strategy, day of the switch, day of a new therapy, stop at a new therapy -> last usable day is the one before
    (IGNORED, 50, None, True, None),
    (ENDS, None, None, True, None),
    (ENDS, 50, None, True, 50),
    (FAILS, 50, None, True, 50),
    (ENDS, 50, 30, True, 30),
    (ENDS, 50, 80, True, 50),
    (ENDS, 50, 30, False, 50),
    (IGNORED, 50, 30, True, 30),
    (IGNORED, 50, 30, False, None),
]


@pytest.mark.rule("DOSEQ-17", source="by hand: the earliest date from which assessments no longer count")
@pytest.mark.parametrize(("strategy", "switch", "therapy", "stops", "before"), LIMITS)
def test_responses_count_before_the_switch(strategy, switch, therapy, stops, before):
    dates = {"NKSWDT": switch, "NACTDT": therapy}
    frame = people(**{name: pd.NaT if at is None else day(at) for name, at in dates.items()})
    rules = study(strategy, response={"bor_stop_at_nact": stops})
    (who,) = participants(frame, rules)
    assert limits_of(who, rules).before == before
    codes = {"B-NACT": therapy if stops else None, "B-SWITCH": None if strategy == IGNORED else switch}
    assert set(who.ends(rules)) == {code for code, at in codes.items() if at is not None}
