"""Whole histories from ADSL and ADRS to every time-to-event endpoint: one row per history, expectations by hand."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adam.tte.test_adtte import day, make_study, people, responses, table

from interim.adam.tte import derive_adtte, endpoints

PR2 = [("OVR", 42, "PR"), ("OVR", 84, "PR")]
BEST = [("CBOR", 42, "PR"), ("BOR", 42, "PR"), ("CRSP", 42, "Y"), ("RSP", 42, "Y")]
STABLE = [("OVR", 42, "SD"), ("OVR", 84, "SD"), ("CBOR", 84, "SD"), ("BOR", 84, "SD")]


def seen(*rows):
    return list(rows)


# what, ADSL, ADRS, expected (day, reason) by endpoint
HISTORIES = [
    (
        "responding at the cut-off",
        {},
        [*PR2, *BEST],
        {"PFS": (85, "K-CUT"), "DOR": (43, "K-CUT"), "OS": (201, "K-ALIVE"), "TTP": (85, "K-CUT")},
    ),
    (
        "response, then progression, then death",
        {"DTHDT": day(180), "LSTALVDT": day(179)},
        [*PR2, ("OVR", 126, "PD"), *BEST],
        {"PFS": (127, "E-PD"), "DOR": (85, "E-PD"), "OS": (181, "E-DEATH"), "TTP": (127, "E-PD")},
    ),
    (
        "response, then death without progression",
        {"DTHDT": day(120), "LSTALVDT": day(119)},
        [*PR2, *BEST],
        {"PFS": (121, "E-DEATH"), "DOR": (79, "E-DEATH"), "OS": (121, "E-DEATH"), "TTP": (85, "K-END")},
    ),
    (
        "stable disease and withdrawal",
        {"EOSSTT": "DISCONTINUED", "EOSDT": day(100)},
        STABLE,
        {"PFS": (85, "K-END"), "DSD": (85, "K-END"), "DDC": (85, "K-END"), "TOS": (101, "E-END")},
    ),
    (
        "stable disease, new therapy, then progression",
        {"NACTDT": day(90)},
        [*STABLE, ("OVR", 126, "PD")],
        {"PFS": (85, "K-NACT"), "DSD": (85, "K-NACT"), "TTNT": (91, "E-NACT"), "OS": (201, "K-ALIVE")},
    ),
    (
        "new therapy on the day of the scan that shows progression",
        {"NACTDT": day(126)},
        [*STABLE, ("OVR", 126, "PD")],
        {"PFS": (85, "K-NACT"), "TTP": (85, "K-NACT")},
    ),
    (
        "new therapy the day after progression",
        {"NACTDT": day(127)},
        [*STABLE, ("OVR", 126, "PD")],
        {"PFS": (127, "E-PD"), "TTNT": (128, "E-NACT")},
    ),
    (
        "new therapy before any assessment",
        {"NACTDT": day(10)},
        STABLE,
        {"PFS": (1, "K-NACT"), "OS": (201, "K-ALIVE")},
    ),
    (
        "death before any assessment",
        {"DTHDT": day(20), "LSTALVDT": day(19)},
        [("CBOR", None, "NE")],
        {"PFS": (21, "E-DEATH"), "OS": (21, "E-DEATH"), "FUP": (21, "K-OTHER"), "TOS": (21, "E-DEATH")},
    ),
    (
        "death on the first day",
        {"DTHDT": day(0), "LSTALVDT": day(0)},
        [("CBOR", None, "NE")],
        {"PFS": (1, "E-DEATH"), "OS": (1, "E-DEATH")},
    ),
    (
        "progression and death on one day",
        {"DTHDT": day(84), "LSTALVDT": day(84)},
        [("OVR", 42, "SD"), ("OVR", 84, "PD"), ("CBOR", 84, "PD")],
        {"PFS": (85, "E-PD"), "OS": (85, "E-DEATH"), "TTP": (85, "E-PD")},
    ),
    (
        "not evaluable after a stable scan",
        {},
        [("OVR", 42, "SD"), ("OVR", 84, "NE"), ("OVR", 126, "NE"), ("CBOR", 42, "NE")],
        {"PFS": (43, "K-CUT"), "TTP": (43, "K-CUT")},
    ),
    (
        "a second progression changes nothing",
        {},
        [("OVR", 42, "PD"), ("OVR", 84, "SD"), ("OVR", 126, "PD"), ("CBOR", 42, "PD")],
        {"PFS": (43, "E-PD"), "TTP": (43, "E-PD")},
    ),
    (
        "no disease that could be assessed",
        {},
        [("ADIS", None, "N"), ("CBOR", None, "MISSING")],
        {"PFS": (1, "K-NOBASE"), "TTP": (1, "K-NOPOST"), "OS": (201, "K-ALIVE")},
    ),
    (
        "no disease that could be assessed, and death",
        {"DTHDT": day(60), "LSTALVDT": day(59)},
        [("ADIS", None, "N"), ("CBOR", None, "MISSING")],
        {"PFS": (61, "E-DEATH"), "OS": (61, "E-DEATH")},
    ),
    (
        "non-target disease only",
        {},
        [("OVR", 42, "NON-CR/NON-PD"), ("OVR", 84, "NON-CR/NON-PD"), ("CBOR", 84, "NON-CR/NON-PD")],
        {"PFS": (85, "K-CUT"), "DDC": (85, "K-CUT")},
    ),
    (
        "last contact before the start",
        {"LSTALVDT": day(-3)},
        [("CBOR", None, "MISSING"), ("MDIS", None, "Y")],
        {"OS": (1, "K-ALIVE"), "PFS": (1, "K-NOPOST")},
    ),
    (
        "no last contact",
        {"LSTALVDT": pd.NaT},
        [("CBOR", None, "MISSING"), ("MDIS", None, "Y")],
        {"OS": (1, "K-ALIVE")},
    ),
    (
        "a scan of the baseline visit after the start",
        {},
        [("OVR", -5, "PD"), ("OVR", 42, "SD"), ("CBOR", 42, "NE")],
        {"PFS": (43, "K-CUT")},
    ),
]


@pytest.mark.rule("TTE-01")
@pytest.mark.rule("TTE-04")
@pytest.mark.rule("TTE-05")
@pytest.mark.parametrize(
    ("columns", "rows", "expected"), [row[1:] for row in HISTORIES], ids=[row[0] for row in HISTORIES]
)
def test_histories(columns, rows, expected):
    found = table(derive_adtte(people(**columns), responses(*rows), study=make_study()).frame)
    assert {name: found[name] for name in expected} == expected


ABSENT = [
    ([*PR2, *BEST], {"DSD"}),
    (STABLE, {"DOR", "TTR"}),
    ([("OVR", 42, "PD"), ("CBOR", 42, "PD")], {"DOR", "TTR", "DDC", "DSD"}),
]


@pytest.mark.rule("TTE-05")
@pytest.mark.parametrize(("rows", "absent"), ABSENT)
def test_who_has_no_row(rows, absent):
    found = table(derive_adtte(people(), responses(*rows), study=make_study()).frame)
    assert not absent & set(found)


@pytest.mark.rule("TTE-05")
@pytest.mark.parametrize("names", [("PFS",), ("OS", "TOS"), ()])
def test_only_the_wanted_endpoints(names):
    found = derive_adtte(people(), responses(*STABLE), study=make_study(), names=names)
    assert set(found.frame["PARAMCD"]) == set(names)


RULES = [
    # parameters, ADSL, reason and day of PFS with and without the parameters
    ({"new_therapy": "ignore"}, {"NACTDT": day(90)}, (85, "K-NACT"), (127, "E-PD")),
    ({"new_therapy": "event"}, {"NACTDT": day(90)}, (85, "K-NACT"), (91, "E-NACT")),
    ({"nact_same_day": "include"}, {"NACTDT": day(126)}, (85, "K-NACT"), (127, "E-PD")),
    ({"gap_rule": "days", "gap_days": 41}, {}, (127, "E-PD"), (85, "K-GAP")),
    ({"gap_rule": "days", "gap_days": 42}, {}, (127, "E-PD"), (127, "E-PD")),
    ({"anchor": "first_cart"}, {}, (127, "E-PD"), (117, "E-PD")),
    ({"anchor": "enrolment"}, {}, (127, "E-PD"), (147, "E-PD")),
]


@pytest.mark.rule("TTE-03")
@pytest.mark.rule("TTE-05")
@pytest.mark.parametrize(("tte", "columns", "before", "after"), RULES)
def test_a_rule_changes_what_it_names(tte, columns, before, after):
    adrs = responses(*STABLE, ("OVR", 126, "PD"))
    assert table(derive_adtte(people(**columns), adrs, study=make_study()).frame)["PFS"] == before
    assert table(derive_adtte(people(**columns), adrs, study=make_study(**tte)).frame)["PFS"] == after


SCANS = st.lists(
    st.tuples(st.integers(1, 280), st.sampled_from(["CR", "PR", "SD", "NE", "PD"])),
    max_size=5,
    unique_by=lambda pair: pair[0],
)
MAYBE = st.none() | st.integers(1, 280)


def history(scans, death, therapy, *, shift=0):
    rows = [("OVR", when + shift, value) for when, value in sorted(scans) if death is None or when <= death]
    rows.append(("MDIS", None, "Y"))
    known = day(shift + (death - 1 if death else 290))
    columns = {
        "TRTSDT": day(shift),
        "DTHDT": pd.NaT if death is None else day(death + shift),
        "NACTDT": pd.NaT if therapy is None else day(therapy + shift),
        "LSTALVDT": known,
        "DCUTDT": day(300 + shift),
    }
    return people(**columns), responses(*rows)


@pytest.mark.rule("TTE-12")
@settings(max_examples=12, deadline=None)
@given(SCANS, MAYBE, MAYBE, st.integers(-100, 100))
def test_window_shift_and_order(scans, death, therapy, shift):
    adsl, adrs = history(scans, death, therapy)
    frame = derive_adtte(adsl, adrs, study=make_study()).frame
    assert (frame["AVAL"] >= 1).all()
    assert (frame["ADT"] <= adsl["DCUTDT"].iloc[0]).all()
    ends = frame.set_index("PARAMCD")["ADT"]
    assert ends["PFS"] <= max(ends["OS"], adsl["TRTSDT"].iloc[0])
    moved = derive_adtte(*history(scans, death, therapy, shift=shift), study=make_study()).frame
    assert moved["AVAL"].tolist() == frame["AVAL"].tolist()
    assert moved["RSNCD"].tolist() == frame["RSNCD"].tolist()


@pytest.mark.rule("TTE-10")
@settings(max_examples=12, deadline=None)
@given(SCANS, MAYBE, MAYBE)
def test_an_event_is_its_own_twin(scans, death, therapy):
    adsl, adrs = history(scans, death, therapy)
    frame = derive_adtte(adsl, adrs, study=make_study(), names=("PFS", "OS", "TTP")).frame
    events = frame[frame["CNSR"] == 0]
    assert (events["ADT"] == events["UADT"]).all()
    assert (events["UCNSR"] == 0).all()
    assert (frame["ADT"] <= frame["UADT"]).all()


@pytest.mark.rule("TTE-02")
@settings(max_examples=12, deadline=None)
@given(SCANS, MAYBE, MAYBE)
def test_rules_never_lengthen_a_time(scans, death, therapy):
    adsl, adrs = history(scans, death, therapy)
    free = table(derive_adtte(adsl, adrs, study=make_study(new_therapy="ignore"), names=("PFS",)).frame)[
        "PFS"
    ]
    for tte in ({}, {"gap_rule": "days"}, {"gap_rule": "visits", "schedule_weeks": (6, 12, 18, 24, 30)}):
        strict = table(derive_adtte(adsl, adrs, study=make_study(**tte), names=("PFS",)).frame)["PFS"]
        assert strict[0] <= free[0]
        assert free[1].startswith("E-") or not strict[1].startswith("E-")


PROSE = [
    ({}, "PFS", "Evidence ends before the start of a new anticancer therapy."),
    ({"nact_same_day": "include"}, "PFS", "Evidence ends with the start of a new anticancer therapy."),
    (
        {"new_therapy": "event"},
        "PFS",
        "the first of progression, new anticancer therapy, death from any cause",
    ),
    (
        {"clinical_progression": "event"},
        "PFS",
        "progression, symptomatic deterioration, death from any cause",
    ),
    ({"gap_rule": "days", "gap_days": 70}, "PFS", "pd or death more than 70 days after"),
    ({"gap_rule": "days", "gap_applies_to": ("PD",)}, "PFS", "pd more than 98 days after"),
    ({}, "OS", "Without event: censored at the date last known alive."),
    ({}, "TOS", "Without event: censored at the data cut-off."),
    ({}, "FUP", "Without event: censored at the date of death."),
    ({}, "DOR", "days from the first response"),
    ({}, "TTP", "days from the reference date to the first of progression."),
]


@pytest.mark.rule("TTE-11")
@pytest.mark.parametrize(("tte", "name", "words"), PROSE)
def test_the_definition_in_words(tte, name, words):
    specification = next(e for e in endpoints(make_study(**tte)) if e.name == name)
    assert words in specification.prose()
