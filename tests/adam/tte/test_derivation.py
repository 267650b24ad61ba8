"""The one derivation of time to event, and the specification it reads."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.adam.response.assessments import Assessment, BestRules, used
from interim.adam.response.best_response import first_response
from interim.adam.tte.derivation import Fact, Facts, time_to_event, untruncated
from interim.adam.tte.endpoints import endpoints
from interim.adam.tte.specification import CNSR, Endpoint, EventRule, GapRule, Truncation
from interim.errors import StudyError
from interim.study import Study
from interim.study.efficacy import ResponseTable, TteTable
from interim.study.tables import DataTable, StudyTable

REFERENCE = Path(__file__).parents[2] / "reference" / "recist" / "tte_random_admiral.json"
START = date(2026, 1, 1)


def make_study(**tte: object) -> Study:
    return Study(
        study=StudyTable(id="T"),
        data=DataTable(path="none", cut_date=date(2026, 12, 31)),
        tte=TteTable(**tte),
    )


def endpoint(name: str = "PFS", **tte: object) -> Endpoint:
    return next(e for e in endpoints(make_study(**tte)) if e.name == name)


def at(day: int | None, value: str = "") -> Fact:
    return Fact(START + timedelta(days=day), value)


def facts(
    scans: str = "", *, death=None, therapy=None, cut=300, contact=None, clinical=None, **more
) -> Facts:
    pairs = [part.split(maxsplit=1) for part in scans.split(",")] if scans else []
    assessments = [at(int(day), value.strip()) for day, value in pairs]
    single = {"death": death, "nact": therapy, "cut": cut, "last_contact": contact, "clinical": clinical}
    known = {name: at(day) for name, day in single.items() if day is not None}
    return Facts(
        events={
            "pd": [f for f in assessments if f.value == "PD"],
            **{k: [known[k]] for k in ("death", "nact", "clinical") if k in known},
            "contact": []
            if death is not None
            else [known["last_contact"]]
            if "last_contact" in known
            else [],
        },
        assessments=assessments,
        bounds={k: known[k] for k in ("cut", "nact") if k in known},
        censoring={k: known[k] for k in ("last_contact", "cut", "death") if k in known},
        **more,
    )


def outcome(spec: Endpoint, found: Facts) -> tuple[int, str]:
    answer = time_to_event(spec, Fact(START), found)
    assert answer.cnsr == CNSR.get(answer.code, 0)
    return (answer.at.when - START).days, answer.code


CASES = [
    # scans, what else, parameters, day, reason
    ("40 SD, 80 PD", {}, {}, 80, "E-PD"),
    ("40 SD, 80 PD", {"death": 80}, {}, 80, "E-PD"),
    ("40 SD", {"death": 90}, {}, 90, "E-DEATH"),
    ("40 SD, 80 NE", {}, {}, 40, "K-CUT"),
    ("40 SD, 80 NE", {"ended": True}, {}, 40, "K-END"),
    ("", {}, {}, 0, "K-NOPOST"),
    ("", {"assessable": False}, {}, 0, "K-NOBASE"),
    ("", {"assessable": False, "death": 30}, {}, 30, "E-DEATH"),
    ("-5 PD, 40 SD", {}, {}, 40, "K-CUT"),
    ("40 SD, 80 PD", {"therapy": 80}, {}, 40, "K-NACT"),
    ("40 SD, 80 PD", {"therapy": 80}, {"nact_same_day": "include"}, 80, "E-PD"),
    ("40 SD, 80 PD", {"therapy": 81}, {}, 80, "E-PD"),
    ("40 SD, 80 PD", {"therapy": 60}, {"new_therapy": "ignore"}, 80, "E-PD"),
    ("40 SD, 80 PD", {"therapy": 60}, {"new_therapy": "event"}, 60, "E-NACT"),
    ("40 SD", {"therapy": 60, "ended": True}, {}, 40, "K-NACT"),
    ("", {"therapy": 20}, {}, 0, "K-NACT"),
    ("40 SD, 138 PD", {}, {"gap_rule": "days"}, 138, "E-PD"),
    ("40 SD, 139 PD", {}, {"gap_rule": "days"}, 40, "K-GAP"),
    ("139 PD", {}, {"gap_rule": "days"}, 0, "K-GAP"),
    ("40 SD, 100 NE, 139 PD", {}, {"gap_rule": "days"}, 40, "K-GAP"),
    ("40 SD", {"death": 200}, {"gap_rule": "days"}, 40, "K-GAP"),
    ("40 SD", {"death": 200}, {"gap_rule": "days", "gap_applies_to": ("PD",)}, 200, "E-DEATH"),
    ("40 SD", {"clinical": 70}, {}, 40, "K-CUT"),
    ("40 SD", {"clinical": 70}, {"clinical_progression": "event"}, 70, "E-CLIN"),
    ("40 SD, 400 PD", {}, {}, 40, "K-CUT"),
    ("40 SD, 60 PD, 80 SD", {"therapy": 50}, {}, 40, "K-NACT"),
]


@pytest.mark.rule("TTE-01")
@pytest.mark.rule("TTE-03")
@pytest.mark.rule("TTE-04")
@pytest.mark.parametrize(("scans", "more", "tte", "day", "reason"), CASES)
def test_progression_free_survival(scans, more, tte, day, reason):
    assert outcome(endpoint(**tte), facts(scans, **more)) == (day, reason)


VISITS = {"gap_rule": "visits", "schedule_weeks": (6, 12, 18, 24)}


@pytest.mark.rule("TTE-03")
@pytest.mark.parametrize(
    ("scans", "expected"),
    [
        ("42 SD, 126 PD", (126, "E-PD")),
        ("42 SD, 168 PD", (42, "K-GAP")),
        ("55 SD, 168 PD", (55, "K-GAP")),
        ("42 SD, 84 NE, 168 PD", (42, "K-GAP")),
        ("42 SD, 90 SD, 168 PD", (168, "E-PD")),
        ("140 PD", (0, "K-GAP")),
        ("42 SD, 140 PD", (140, "E-PD")),
    ],
)
def test_missed_visits(scans, expected):
    assert outcome(endpoint(**VISITS), facts(scans)) == expected


@pytest.mark.rule("TTE-05")
@pytest.mark.parametrize(
    ("name", "scans", "more", "expected"),
    [
        ("OS", "40 PD", {"death": 90, "therapy": 50}, (90, "E-DEATH")),
        ("OS", "40 PD", {"contact": 200, "therapy": 50}, (200, "K-ALIVE")),
        ("OS", "", {}, (0, "K-ALIVE")),
        ("TTP", "40 SD", {"death": 90, "ended": True}, (40, "K-END")),
        ("TTP", "40 SD, 80 PD", {}, (80, "E-PD")),
        ("TOS", "", {"death": 90}, (90, "E-DEATH")),
        ("TOS", "", {}, (300, "K-CUT")),
        ("FUP", "", {"contact": 200}, (200, "E-ALIVE")),
        ("FUP", "", {"death": 90}, (90, "K-OTHER")),
        ("TTNT", "", {"therapy": 70, "contact": 200}, (70, "E-NACT")),
        ("TTNT", "", {"contact": 200}, (200, "K-ALIVE")),
    ],
)
def test_other_endpoints(name, scans, more, expected):
    assert outcome(endpoint(name), facts(scans, **more)) == expected


@pytest.mark.rule("TTE-10")
def test_untruncated_twin():
    found = facts("40 SD, 80 PD", therapy=60)
    spec = endpoint(gap_rule="days", gap_days=10)
    twin = untruncated(spec, Fact(START), found)
    assert ((twin.at.when - START).days, twin.code) == (80, "E-PD")
    assert outcome(spec, found) == (40, "K-NACT")


@pytest.mark.rule("TTE-01", source="tte_random_admiral.json")
@pytest.mark.rule("TTE-05", source="tte_random_admiral.json")
def test_simulated_participants():
    specs = {
        "OS": endpoint("OS"),
        "PFS": endpoint(new_therapy="ignore"),
        "PFSNACT": endpoint(),
        "DOR": endpoint("DOR", new_therapy="ignore"),
        "PFS_missed2_gap98": endpoint(new_therapy="ignore", gap_rule="days"),
    }
    cases = json.loads(REFERENCE.read_text())["cases"]
    assert len(cases) == 150
    compared = 0
    for case in cases:
        start, found = _reference_facts(case)
        for name, expected in {**case["expected"], **case["expected_own"]}.items():
            first = start if name != "DOR" else _response(case, start)
            answer = time_to_event(specs[name], first, found)
            row = {
                "date": answer.at.when.isoformat(),
                "censored": answer.cnsr > 0,
                "days_plus1": (answer.at.when - first.when).days + 1,
            }
            assert row == {key: expected[key] for key in row}, (case["id"], name)
            assert expected.get("start", first.when.isoformat()) == first.when.isoformat()
            compared += 1
    assert compared == 150 * 4 + 93


def _reference_facts(case):
    def one(key):
        return [Fact(date.fromisoformat(case[key]))] if case[key] else []

    scans = [Fact(date.fromisoformat(a["date"]), a["response"]) for a in case["assessments"]]
    bounds = {"cut": one("data_cut"), "nact": one("new_anticancer_therapy")}
    return Fact(date.fromisoformat(case["treatment_start"])), Facts(
        events={"pd": [s for s in scans if s.value == "PD"], "death": one("death")},
        assessments=scans,
        bounds={name: found[0] for name, found in bounds.items() if found},
        censoring={"last_contact": one("last_alive")[0]},
    )


def _response(case, start):
    rules = BestRules.of(ResponseTable())
    days = [
        Assessment((date.fromisoformat(a["date"]) - start.when).days, a["response"])
        for a in case["assessments"]
    ]
    best = first_response(used(days, rules=rules), rules=rules, confirmed=False)
    return Fact(start.when + timedelta(days=best.day))


SCANS = st.lists(st.tuples(st.integers(1, 250), st.sampled_from(["CR", "PR", "SD", "NE", "PD"])), max_size=6)
MAYBE = st.none() | st.integers(1, 280)


def built(scans, death, therapy, shift=0):
    days = [f"{day + shift} {value}" for day, value in sorted(scans) if death is None or day <= death]
    move = lambda day: None if day is None else day + shift  # noqa: E731
    return facts(
        ", ".join(days),
        death=move(death),
        therapy=move(therapy),
        cut=290 + shift,
        contact=move(death if death else 285),
    )


@pytest.mark.rule("TTE-02")
@settings(max_examples=50, deadline=None)
@given(SCANS, MAYBE, MAYBE)
def test_a_truncation_never_makes_the_date_later(scans, death, therapy):
    found = built(scans, death, therapy)
    free = time_to_event(endpoint(new_therapy="ignore"), Fact(START), found)
    for rules in (
        {},
        {"gap_rule": "days"},
        {"new_therapy": "ignore", "gap_rule": "days"},
        {"nact_same_day": "include"},
    ):
        strict = time_to_event(endpoint(**rules), Fact(START), found)
        assert strict.at.when <= free.at.when
        assert strict.cnsr > 0 or free.cnsr == 0


@pytest.mark.rule("TTE-12")
@settings(max_examples=50, deadline=None)
@given(SCANS, MAYBE, MAYBE, st.integers(-200, 200))
def test_shift_window_and_order_of_endpoints(scans, death, therapy, shift):
    found = built(scans, death, therapy)
    pfs = time_to_event(endpoint(), Fact(START), found)
    assert START <= pfs.at.when <= found.bounds["cut"].when
    assert pfs.at.when <= max(time_to_event(endpoint("OS"), Fact(START), found).at.when, START)
    moved = time_to_event(
        endpoint(), Fact(START + timedelta(days=shift)), built(scans, death, therapy, shift)
    )
    assert (moved.at.when - pfs.at.when).days == shift
    assert moved.code == pfs.code


@pytest.mark.rule("TTE-12")
@settings(max_examples=30, deadline=None)
@given(SCANS, MAYBE, st.integers(1, 250))
def test_a_scan_that_is_not_evaluable_and_a_late_therapy_change_nothing(scans, death, day):
    one, two = built(scans, death, None), built([*scans, (day, "NE")], death, None)
    a, b = (time_to_event(endpoint(gap_rule="days"), Fact(START), found) for found in (one, two))
    assert (a.at.when, a.code) == (b.at.when, b.code)
    if a.cnsr == 0:
        late = replace(one, bounds={**one.bounds, "nact": Fact(a.at.when + timedelta(days=1))})
        assert time_to_event(endpoint(gap_rule="days"), Fact(START), late).code == a.code
        assert untruncated(endpoint(), Fact(START), one).at == a.at


@pytest.mark.rule("TTE-11")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"events": (EventRule("scan", "E-X", "x"),)}, "event source 'scan' is unknown"),
        (
            {"events": (EventRule("pd", "E-PD", "x"), EventRule("pd", "E-PD", "y"))},
            "event 'pd' is given twice",
        ),
        (
            {
                "truncations": (
                    Truncation("nact", True, "K-NACT", "t"),
                    Truncation("cut", False, "K-CUT", "c"),
                    Truncation("cut", False, "K-CUT", "c"),
                )
            },
            "truncation 'cut' is given twice",
        ),
        ({"truncations": (Truncation("week", True, "K-NACT", "t"),)}, "truncation 'week' is unknown"),
        ({"events": (EventRule("nact", "E-NACT", "x"),)}, "nact is both an event and a truncation"),
        ({"gap": GapRule(kind="visits", visits=2)}, "needs tte.schedule_weeks"),
    ],
)
def test_impossible_specifications(change, message):
    with pytest.raises(StudyError, match=message):
        replace(endpoint(), **change)


@pytest.mark.rule("TTE-11")
def test_prose():
    text = endpoint(gap_rule="days").prose()
    assert "days from the reference date to the first of progression, death from any cause" in text
    assert "Evidence ends before the start of a new anticancer therapy." in text
    assert "more than 98 days after the last adequate assessment" in text
    assert "2 or more scheduled assessments in a row" in endpoint(**VISITS).prose()
    assert "last known alive" in endpoint("OS").prose()
    assert {e.name for e in endpoints(make_study())} == {
        "PFS",
        "OS",
        "DOR",
        "DDC",
        "DSD",
        "TTR",
        "TTP",
        "IPFS",
        "TOS",
        "FUP",
        "TTNT",
    }
