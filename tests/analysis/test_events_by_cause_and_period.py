"""Adverse events by cause and period: one event at a time, person-days counted on the fingers, limits from the logarithm."""

from __future__ import annotations

from math import log

import pandas as pd
import pytest

from interim.analysis import safety_period
from tests.analysis.answers import row, status, value
from tests.analysis.conftest import uid
from tests.analysis.safety_frames import safety_adae, safety_adex, safety_adsl, start_of

CAUSES = ("related_nk", "related_cart", "related_both", "related_procedure", "related_lymphodepletion")


def events(*changes: dict[str, object]) -> pd.DataFrame:
    """Return one emergent event of participant 2 for each set of changes, without any relation."""
    first = safety_adae().iloc[0].to_dict()
    bare = dict.fromkeys(("RELNK", "RELCART", "RELPROC", "RELLYMPHODEP", "RELOTH", "RELCELL", "AESIFL"), "N")
    plain = {**first, **bare, "USUBJID": uid(2), "AEDECOD": "Rash", "AETOXGRN": 1.0, "TRTEMFL": "Y"}
    rows = [{**plain, "APHASE": "NK", "SRCSEQ": str(n), **change} for n, change in enumerate(changes, 1)]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def ask(make_adam, study):
    """Return a function that answers a question of hand-made events; options change ADSL."""

    def answer(question, *changes, **dates):
        base = safety_adsl()
        for name, day in dates.items():
            base.loc[base["USUBJID"] == uid(2), name] = start_of(2) + pd.Timedelta(days=day)
        return question(make_adam(ADSL=base, ADEX=safety_adex(), ADAE=events(*changes)), study)

    return answer


# Relation to CAR-NK, CAR-T, procedure, lymphodepletion; causes under which the event stands.
RELATIONS = [
    ("NNNN", ()),
    ("YNNN", ("related_nk",)),
    ("NYNN", ("related_cart",)),
    ("YYNN", ("related_both",)),
    ("NNYN", ("related_procedure",)),
    ("NNNY", ("related_lymphodepletion",)),
    ("YNYN", ("related_nk", "related_procedure")),
    ("NYNY", ("related_cart", "related_lymphodepletion")),
    ("YYYY", ("related_both", "related_procedure", "related_lymphodepletion")),
    ("NNYY", ("related_procedure", "related_lymphodepletion")),
]


@pytest.mark.parametrize(("letters", "causes"), RELATIONS)
@pytest.mark.parametrize("grade", [1.0, 2.0, 3.0, 4.0, 5.0])
def test_an_event_stands_under_its_causes(ask, letters, causes, grade):
    names = ("RELNK", "RELCART", "RELPROC", "RELLYMPHODEP")
    change = {**dict(zip(names, letters, strict=True)), "AETOXGRN": grade}
    table = ask(safety_period.related_teae, change, change)
    severe = int(grade >= 3)
    for cause in CAUSES:
        here = int(cause in causes)
        found = [value(table, cause, stat) for stat in ("n", "events", "n_grade3", "events_grade3")]
        assert found == [here, 2 * here, severe * here, 2 * severe * here]
        terms = set(table.frame.loc[table.frame["variable"] == cause, "level"])
        assert terms == ({"", "Rash"} if here else {""})


@pytest.mark.parametrize(
    ("change", "term"),
    [
        ({}, "Rash"),
        ({"AEDECOD": None, "AETERM": "red skin"}, "red skin"),
        ({"AEDECOD": "Nausea", "AETERM": "sick"}, "Nausea"),
    ],
)
def test_the_coded_term_is_used_and_the_reported_one_without_it(ask, change, term):
    table = ask(safety_period.related_teae, {"RELNK": "Y", **change})
    assert value(table, "related_nk", level=term) == 1


def test_terms_stand_by_participants_then_name(ask):
    who = [(2, "Rash"), (2, "Rash"), (3, "Cough"), (4, "Cough"), (5, "Anaemia")]
    changes = [{"RELNK": "Y", "USUBJID": uid(n), "AEDECOD": term} for n, term in who]
    frame = ask(safety_period.related_teae, *changes).frame
    levels = frame.loc[frame["variable"] == "related_nk", "level"].drop_duplicates()
    assert levels.tolist() == ["", "Cough", "Anaemia", "Rash"]


@pytest.mark.parametrize(
    ("change", "n"), [({}, 1), ({"TRTEMFL": "N"}, 0), ({"TRTEMFL": None}, 0), ({"USUBJID": uid(16)}, 0), ({"USUBJID": uid(14)}, 1)]
)  # fmt: skip
def test_only_emergent_events_of_the_treated_count(ask, change, n):
    assert value(ask(safety_period.related_teae, {"RELNK": "Y", **change}), "related_nk") == n


# Number of events of one participant in the NK period of ten days, and the last day of follow-up: rate per 100 days.
RATES = [
    (1, 100, 10, 10.0),
    (2, 100, 10, 20.0),
    (5, 100, 10, 50.0),
    (1, 9, 10, 10.0),
    (1, 4, 5, 20.0),
    (3, 4, 5, 60.0),
    (1, 0, 1, 100.0),
    (2, 1, 2, 100.0),
    (1, 7, 8, 12.5),
]


@pytest.mark.parametrize(("n", "last", "days", "rate"), RATES)
def test_events_per_hundred_person_days(make_adam, study, n, last, days, rate):
    base = safety_adsl()[lambda frame: frame["USUBJID"] == uid(2)]
    base = base.assign(DCUTDT=start_of(2) + pd.Timedelta(days=last))
    doses = safety_adex()[lambda frame: frame["USUBJID"] == uid(2)]
    data = make_adam(ADSL=base, ADEX=doses, ADAE=events(*[{}] * n))
    table = safety_period.teae_by_period(data, study)
    spot = {"level": "any"}
    assert value(table, "NK", "days", **spot) == days
    assert value(table, "NK", "events", **spot) == n and value(table, "NK", **spot) == 1
    assert value(table, "NK", "rate", **spot) == pytest.approx(rate)
    # One event: P(none) = 0.975 at the lower limit.
    if n == 1:
        assert value(table, "NK", "lower", **spot) == pytest.approx(-100 * log(0.975) / days)
    assert value(table, "NK", "lower", **spot) < rate < value(table, "NK", "upper", **spot)


@pytest.mark.parametrize(("last", "days"), [(100, 10), (4, 5), (0, 1)])
def test_a_period_without_event_has_an_upper_limit(make_adam, study, last, days):
    base = safety_adsl()[lambda frame: frame["USUBJID"] == uid(2)]
    base = base.assign(DCUTDT=start_of(2) + pd.Timedelta(days=last))
    doses = safety_adex()[lambda frame: frame["USUBJID"] == uid(2)]
    data = make_adam(ADSL=base, ADEX=doses, ADAE=events({"APHASE": None}))
    table = safety_period.teae_by_period(data, study)
    found = [value(table, "NK", stat, level="any") for stat in ("events", "rate", "lower")]
    assert found == [0, 0, 0]
    # No event: P(none) = 0.025 at the upper limit.
    assert value(table, "NK", "upper", level="any") == pytest.approx(-100 * log(0.025) / days)


@pytest.mark.parametrize("phase", ["NK", "CART_C1", "CART_C2", "POST"])
@pytest.mark.parametrize(
    ("change", "severe", "special"),
    [({}, 0, 0), ({"AETOXGRN": 3.0}, 1, 0), ({"AESIFL": "Y"}, 0, 1), ({"AETOXGRN": 5.0, "AESIFL": "Y"}, 1, 1)],
)  # fmt: skip
def test_an_event_counts_in_the_period_of_its_onset(ask, phase, change, severe, special):
    table = ask(safety_period.teae_by_period, {"APHASE": phase, **change})
    for name in ("NK", "CART_C1", "CART_C2", "POST"):
        here = int(name == phase)
        found = [value(table, name, level=level) for level in ("any", "grade3", "aesi")]
        assert found == [here, here * severe, here * special]
    assert row(table, "CART_C1", "n", level="any")["N"] == 13
    assert row(table, "NK", "n", level="any")["N"] == 15


@pytest.mark.parametrize(
    ("dates", "reached"), [({"DTHDT": 5}, 12), ({"EOSDT": 9}, 12), ({"DTHDT": 10}, 13), ({}, 13)]
)
def test_who_reached_a_period(ask, dates, reached):
    table = ask(safety_period.teae_by_period, {}, **dates)
    assert value(table, "CART_C1", level="reached") == reached and value(table, "NK", level="reached") == 15


def test_a_dose_without_person_time_has_no_rate(ask):
    table = ask(safety_period.teae_by_period, {})
    assert status(table, "CART_C1", "rate", level="any", group="NK only") == ("NE", "NO_DATA")


@pytest.mark.rule(
    "SAF-17",
    source="by hand: 14 days from CAR-NK to CAR-T cycle 2, and the whole time to the end of the window",
)
def test_the_whole_time_on_treatment_stands_before_the_periods(ask):
    table = ask(
        safety_period.teae_by_period,
        {"APHASE": "NK", "AETOXGRN": 3.0},
        {"APHASE": "CART_C1", "AESIFL": "Y"},
        {"APHASE": "POST"},
        {"APHASE": None},
    )
    assert (
        next(iter(v for v in table.frame["variable"] if v not in ("population", "population_moved")))
        == "TREATMENT"
    )
    phases = ("NK", "CART_C1", "CART_C2")
    days = [value(table, phase, "days", level="any") for phase in phases]
    assert value(table, "TREATMENT", "days", level="any") == sum(days)
    assert value(table, "TREATMENT", "events", level="any") == 2
    assert value(table, "TREATMENT", "rate", level="any") == pytest.approx(200 / sum(days))
    assert [value(table, "TREATMENT", "events", level=name) for name in ("grade3", "aesi")] == [1, 1]
    assert value(table, "TREATMENT", "rate", level="grade3") == pytest.approx(100 / sum(days))
    assert value(table, "TREATMENT", level="reached") == 15


@pytest.mark.rule("AE-10", source="by hand: two records of one event, one of them severe")
def test_records_of_one_event_count_once(ask):
    table = ask(
        safety_period.teae_by_period,
        {"APHASE": "NK", "AEPISSEQ": "1"},
        {"APHASE": "NK", "AEPISSEQ": "1", "AETOXGRN": 3.0},
        {"APHASE": "NK", "AEPISSEQ": "3"},
    )
    found = [value(table, "NK", stat, level="any") for stat in ("n", "events")]
    assert found == [1, 2]
    assert value(table, "NK", "events", level="grade3") == 1
    days = value(table, "NK", "days", level="any")
    assert value(table, "NK", "rate", level="any") == pytest.approx(200 / days)


@pytest.mark.rule("AE-10", source="the source records of both rows stand behind the one event")
def test_an_event_is_traced_to_all_of_its_records(ask):
    change = {"AEPISSEQ": "1", "RELNK": "Y"}
    table = ask(safety_period.related_teae, change, change)
    assert value(table, "related_nk", "events") == 1
    key = row(table, "related_nk", "events")["result_id"]
    assert set(table.links.loc[table.links["result_id"] == key, "SRCSEQ"]) == {"1", "2"}
