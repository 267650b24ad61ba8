"""Best response, best change, courses; survival and duration of response."""

from __future__ import annotations

import math

import pytest

from interim.analysis import duration, response, survival
from interim.stats import binomial_interval, kaplan_meier
from tests.analysis.answers import row, status, subjects, value

MONTH = 30.4375


@pytest.mark.rule("RESPQ-01")
def test_best_response_confirmed_and_unconfirmed(adam, study):
    table = response.best_response(adam, study)
    confirmed = {level: value(table, "bor_confirmed", level=level) for level in response.CATEGORIES}
    unconfirmed = {level: value(table, "bor_unconfirmed", level=level) for level in response.CATEGORIES}
    assert confirmed == {"CR": 0, "PR": 1, "SD": 8, "NON-CR/NON-PD": 0, "PD": 4, "NE": 2, "MISSING": 0}
    assert unconfirmed == {"CR": 0, "PR": 2, "SD": 7, "NON-CR/NON-PD": 0, "PD": 4, "NE": 2, "MISSING": 0}
    assert value(table, "pending") == 1 and subjects(table, "pending", "n") == {"SYN-11"}


@pytest.mark.rule("RESPQ-01", source="R 4.2.2 binom.test")
def test_rates_and_their_exact_limits(adam, study):
    table = response.best_response(adam, study)
    limits = [round(100 * value(table, "orr", stat), 2) for stat in ("lower", "upper")]
    assert (row(table, "orr", "rate")["n"], row(table, "orr", "rate")["N"], limits) == (1, 15, [0.17, 31.95])
    limits = [round(100 * value(table, "orr_unconfirmed", stat), 2) for stat in ("lower", "upper")]
    assert limits == [1.66, 40.46]
    limits = [round(100 * value(table, "dcr", stat), 1) for stat in ("lower", "upper")]
    assert (row(table, "dcr", "rate")["n"], limits) == (9, [32.3, 83.7])
    assert row(table, "orr_re", "rate")["N"] == 14 and row(table, "cbr", "rate")["n"] == 1


@pytest.mark.rule("RESPQ-01")
def test_another_reader_does_not_count(adam, study):
    assert "SYN-01" not in response.responders(adam, study, confirmed=True)


@pytest.mark.rule("RESPQ-01")
def test_a_participant_without_record_is_missing_and_stays(adam, study, make_adam):
    fewer = make_adam(ADRS=adam["ADRS"][adam["ADRS"]["USUBJID"] != "SYN-02"])
    table = response.best_response(fewer, study)
    assert value(table, "bor_confirmed", level="MISSING") == 1
    assert row(table, "orr", "rate")["N"] == 15


@pytest.mark.rule("QUEST-03")
def test_without_responses(adam, study, make_adam):
    none = make_adam(ADRS=None)
    assert status(response.best_response(none, study), "orr", "rate") == (
        "NA",
        "not available: no source for ADRS",
    )
    assert status(response.best_change(none, study), "summary", "median")[0] == "NA"
    course = response.swimmer(none, study).frame
    assert not course["variable"].str.startswith("response").any() and len(course)


@pytest.mark.rule("RESPQ-02")
def test_best_change_stops_at_progression_and_new_therapy(adam, study):
    table = response.best_change(adam, study)
    lowest = {
        n: value(table, "best_change", "pchg", level=f"SYN-{n:02d}", group=g)
        for n, g in ((4, "DL2"), (5, "DL3"), (8, "DL3"), (3, "DL2"))
    }
    assert lowest == {4: 22.5, 5: -48.0, 8: 8.0, 3: 0.0}
    assert status(table, "best_change", "pchg", level="SYN-15", group="NK only") == ("NE", "NO_TARGET")
    assert (value(table, "summary", level="with value"), value(table, "summary", level="without value")) == (
        13,
        1,
    )
    values = [-5, -12, 0, 22.5, -48, -20, 31, 8, -28, 25, -33, -10, 40]
    assert (
        value(table, "summary", "min") == min(values)
        and value(table, "summary", "median") == sorted(values)[6]
    )


@pytest.mark.rule("RESPQ-02")
def test_parameters_open_the_window(adam, study):
    wide = study.model_copy(
        update={
            "response": study.response.model_copy(
                update={"waterfall_after_pd": True, "bor_stop_at_nact": False}
            )
        }
    )
    table = response.best_change(adam, wide)
    assert value(table, "best_change", "pchg", level="SYN-04", group="DL2") == -60
    assert value(table, "best_change", "pchg", level="SYN-08", group="DL3") == -70


@pytest.mark.rule("RESPQ-02")
def test_an_incomplete_sum_is_no_best_change(adam, study, make_adam):
    adsl = adam["ADSL"].assign(RESFL=adam["ADSL"]["SAFNKFL"])
    table = response.best_change(make_adam(ADSL=adsl), study)
    assert status(table, "best_change", "pchg", level="SYN-13", group="DL4") == ("NE", "NO_COMPLETE_SUM")


@pytest.mark.rule("RESPQ-03")
def test_courses_in_days_from_the_first_infusion(adam, study):
    table = response.swimmer(adam, study)
    place = {"level": "SYN-15", "group": "NK only"}
    assert (value(table, "course", "end", **place), row(table, "course", "status", **place)["text"]) == (
        29,
        "DEATH",
    )
    ongoing = row(table, "course", "status", level="SYN-01", group="DL1")["text"]
    days = [
        value(table, name, "day1", level="SYN-01", group="DL1")
        for name in ("dose CARNK", "dose CART", "response SD")
    ]
    assert (ongoing, days) == ("ONGOING", [0, 10, 42])
    assert value(table, "new_therapy", "day1", level="SYN-08", group="DL3") == 112


@pytest.mark.rule("SURV-01")
def test_median_and_landmarks_are_those_of_the_curve(adam, study):
    table = survival.time_to_event(adam, study)
    pfs = adam["ADTTE"].query("PARAMCD == 'PFS'")
    curve = kaplan_meier(pfs["AVAL"], (pfs["CNSR"] == 0).astype(int))
    assert value(table, "PFS", "median") == pytest.approx(curve.quantile(0.5).value / MONTH)
    point = curve.at(3 * MONTH)
    for stat, expected in (("rate", point.value), ("lower", point.lower), ("upper", point.upper)):
        assert value(table, "PFS landmark", stat, level="3") == pytest.approx(expected)
    assert value(table, "PFS landmark", "n_risk", level="3") == (pfs["AVAL"] >= 3 * MONTH).sum()
    assert (value(table, "PFS", "events"), value(table, "PFS", "censored")) == (9, 6)
    kinds = {kind: value(table, "PFS censored", level=kind) for kind in ("K-CUT", "K-NACT", "K-NOPOST")}
    assert (
        kinds == {"K-CUT": 4, "K-NACT": 1, "K-NOPOST": 1} and value(table, "PFS event", level="E-DEATH") == 1
    )


@pytest.mark.rule("SURV-01")
def test_not_reached_and_withheld(adam, study):
    table = survival.time_to_event(adam, study)
    assert status(table, "OS", "median") == ("NR", "MEDIAN_NOT_REACHED")
    assert status(table, "OS", "upper") == ("NR", "CI_UPPER_NR")
    assert status(table, "PFS landmark", "rate", level="6", group="DL1") == ("NE", "AT_RISK_LT_3")
    assert status(table, "OS landmark", "rate", level="12", group="DL4") == ("NE", "BEYOND_FOLLOWUP")


@pytest.mark.rule("SURV-02")
def test_no_curve_for_few(adam, study):
    frame = survival.time_to_event(adam, study).frame
    drawn = set(frame.loc[frame["variable"] == "PFS curve", "group"])
    assert drawn == {"DL3", "Total"}


@pytest.mark.rule("SURV-01")
def test_numbers_at_risk_and_the_curve_start_whole(adam, study):
    table = survival.time_to_event(adam, study)
    assert value(table, "PFS risk", "n_risk", level="0") == 15
    steps = table.frame.query("variable == 'PFS curve' and group == 'Total' and stat == 'surv'")["value"]
    assert steps.is_monotonic_decreasing and steps.iloc[0] <= 1


@pytest.mark.rule("QUEST-03")
def test_missing_times(adam, study, make_adam):
    assert status(survival.time_to_event(make_adam(ADTTE=None), study), "OS", "median")[0] == "NA"
    no_os = make_adam(ADTTE=adam["ADTTE"].query("PARAMCD != 'OS'"))
    assert status(survival.time_to_event(no_os, study), "OS", "median") == (
        "NA",
        "not available: ADTTE holds no OS",
    )
    fewer = make_adam(ADTTE=adam["ADTTE"].query("not (PARAMCD == 'PFS' and USUBJID in ['SYN-01', 'SYN-02'])"))
    assert value(survival.time_to_event(fewer, study), "PFS", "no_time") == 2
    none = make_adam(ADTTE=adam["ADTTE"].query("not (PARAMCD == 'PFS' and USUBJID == 'SYN-01')"))
    assert status(survival.time_to_event(none, study), "PFS", "median", group="DL1") == ("NE", "NO_DATA")


@pytest.mark.rule("SURV-02")
def test_duration_of_response_lists_few_values(adam, study, make_adam):
    table = duration.of_response(adam, study)
    assert status(table, "DOR", "median") == ("NE", "EVENTS_LT_5")
    assert value(table, "value", "months", level="SYN-05", group="DL3") == pytest.approx(259 / MONTH)
    assert row(table, "value", "ongoing", level="SYN-05", group="DL3")["text"] == "yes"
    assert status(table, "DOR", "min", group="DL1") == ("NE", "NO_DATA")
    assert status(duration.of_response(make_adam(ADTTE=None), study), "DOR", "median")[0] == "NA"


@pytest.mark.rule("SURV-02")
def test_duration_of_response_by_curve_with_enough_events(adam, study, make_adam):
    days = {1: 40, 2: 60, 3: 80, 4: 100, 5: 120, 6: 140}
    rows = [
        (f"SYN-{n:02d}", "DOR", float(d), 0.0 if n < 6 else 1.0, "E-PD" if n < 6 else "K-CUT")
        for n, d in days.items()
    ]
    import pandas as pd

    adtte = pd.DataFrame(rows, columns=adam["ADTTE"].columns[:5])
    adsl = adam["ADSL"].assign(RESPFL=["Y" if n < 6 else "N" for n in range(21)])
    table = duration.of_response(make_adam(ADTTE=adtte, ADSL=adsl), study)
    expected = kaplan_meier(list(days.values()), [1, 1, 1, 1, 1, 0]).quantile(0.5)
    assert value(table, "DOR", "median") == pytest.approx(expected.value / MONTH)
    assert value(table, "DOR", "max") == pytest.approx(140 / MONTH)


@pytest.mark.rule("QUEST-02")
def test_the_interval_is_that_of_the_study(adam, study):
    wilson = study.model_copy(
        update={"stats": study.stats.model_copy(update={"binomial_interval": "wilson", "level": 0.9})}
    )
    table = response.best_response(adam, wilson)
    expected = binomial_interval(1, 15, method="wilson", level=0.9)
    assert (
        value(table, "orr", "lower") == pytest.approx(expected.lower)
        and "wilson" in row(table, "orr", "lower")["method"]
    )
    assert not math.isnan(value(table, "dcr", "upper"))
