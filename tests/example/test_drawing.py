"""Streams, plan, traits, course and presets: what is drawn once, in which shares, and what must not depend on what."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.errors import StudyError
from interim.example import build, make_study, write_study
from interim.example.case import draw_case
from interim.example.course import MONTH, draw_course
from interim.example.lesions import draw_imaging
from interim.example.plan import Person, Slot, plan_people
from interim.example.settings import codes, csv_file, numbers, preset, toml_file
from interim.example.stream import bounded_normal, choose, lognormal, stream, weibull_after
from interim.example.traits import draw_traits
from interim.example.visits import planned_visits

PRESETS = ["main13", "tiny10", "full18"]
LATE = date(2024, 1, 1)


def person(number, arm="DL3", response="ANY", cut=900, **slot) -> Person:
    return Person(number, Slot(arm, response, **slot), 1, "drawing", LATE, -10, -8, 10, cut, None)


@pytest.fixture(scope="module")
def crowd():
    """Traits and course of many participants with long observation."""
    people = [person(n) for n in range(700)]
    traits = [draw_traits(p) for p in people]
    return [(p, t, draw_course(p, t, planned_visits(p))) for p, t in zip(people, traits, strict=True)]


@pytest.fixture(scope="module")
def crc_times(crowd):
    """Day of progression or death of the colorectal participants, and of the last scan without progression."""
    rows = []
    for _, traits, course in crowd:
        if traits.tumour == "CRC":
            known = [day for day in (course.pd, course.death) if day is not None]
            event = min(known, default=course.end)
            free = [
                s.visit.day for s in course.scans if s.visit.day < event and s.response not in ("NE", "ND")
            ]
            rows.append((event, max(free, default=0)))
    return pd.DataFrame(rows, columns=["EVENT", "FREE"])


@pytest.mark.rule("SYN-24", source="median 2.6 months; see decision 058")
def test_the_median_progression_lies_in_the_interval_that_holds_the_target(crc_times):
    assert len(crc_times) > 300
    median = crc_times["EVENT"].median() / MONTH
    before = crc_times["FREE"].median() / MONTH
    assert before < 2.4 < 2.8 < median
    assert 2.0 < before < 2.4
    assert 3.3 < median < 4.0


@pytest.mark.rule("SYN-24")
def test_scans_and_not_growth_decide_the_median(crc_times, crowd):
    week8 = [v.day for p, _, _ in crowd for v in planned_visits(p) if v.name == "WEEK 8"]
    week14 = [v.day for p, _, _ in crowd for v in planned_visits(p) if v.name == "WEEK 14"]
    assert max(week8) < 2.45 * MONTH
    assert min(week14) > 2.8 * MONTH
    free = (crc_times["EVENT"] > max(week8)).mean()
    assert 0.55 < free < 0.72
    assert min(week14) <= crc_times["EVENT"].median() <= max(week14)


@pytest.mark.rule("SYN-24", source="shares of the generator's parameter file")
def test_tumour_types_and_sex_have_their_shares(crowd):
    counts = Counter(t.tumour for _, t, _ in crowd)
    for name, share in numbers("tumour.type").items():
        assert abs(counts[name] / len(crowd) - share) < 4 * np.sqrt(share * (1 - share) / len(crowd)), name
    assert abs(np.mean([t.male for _, t, _ in crowd]) - numbers("demog.male")) < 0.075


@pytest.mark.rule("SYN-24")
def test_traits_are_in_their_ranges(crowd):
    for _, traits, _ in crowd:
        assert 18 <= traits.age <= 75
        assert 0 < traits.burden <= 300
        assert 0 < traits.liver_share < 1
        assert 2 <= traits.targets <= 5
        assert str(traits.lines) in numbers("prior.lines")[traits.tumour]
        assert traits.histology in numbers("tumour.histology")[traits.tumour]
        assert traits.ecog in (0, 1)
        assert all(0 <= score <= 300 for score in traits.ligands.values())
        assert set(traits.labs) == {row["code"] for row in csv_file("analytes.csv")}
    burden = np.median([t.burden for _, t, _ in crowd])
    assert 85 < burden < 105


@pytest.mark.rule("SYN-24")
def test_the_course_is_in_order(crowd):
    for p, _, course in crowd:
        days = [scan.visit.day for scan in course.scans]
        assert days == sorted(set(days))
        assert course.active_end <= course.end <= p.cut
        if course.pd is not None:
            assert course.pd in days
            assert course.progression in ("sum", "new", "nontarget")
            assert all(s.response != "PD" for s in course.scans if s.visit.day < course.pd)
        if course.therapy is not None:
            assert course.pd < course.therapy[1] <= course.end
            assert course.active_end < course.therapy[1]
        if course.death is not None:
            assert course.death == course.end > days[-1]
            assert course.lost is None


@pytest.mark.rule("SYN-02")
@pytest.mark.parametrize(
    ("response", "shown"),
    [
        ("PD", {"PD"}),
        ("PR", {"SD", "PR"}),
        ("PR_PENDING", {"SD", "PR"}),
        ("SD", {"SD"}),
        ("NE_EARLY", {"SD"}),
        ("NE_LESION", {"NE"}),
    ],
)
def test_a_class_shows_what_it_is_called(response, shown):
    for number in range(30):
        p = person(number, response=response, cut=300)
        course = draw_course(p, draw_traits(p), planned_visits(p))
        values = [scan.response for scan in course.scans]
        assert shown <= set(values), values
        assert course.response == response
        assert "PR" not in values or response.startswith("PR")
        if response == "PR_PENDING":
            assert values[-1] == "PR"
            assert values.count("PR") == 1
        if response == "PR":
            first = values.index("PR")
            assert values[first : first + 2] == ["PR", "PR"]


@pytest.mark.rule("SYN-04")
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_targets_of_any_participant(number):
    p = person(number)
    traits = draw_traits(p)
    imaging = draw_imaging(p, traits, draw_course(p, traits, planned_visits(p)))
    sites = Counter(lesion.site for lesion in imaging.targets)
    assert 1 <= len(imaging.targets) <= 5
    assert max(sites.values()) <= 2
    assert sites["liver"] >= 1
    assert all(t.baseline >= (15 if t.node else 10) for t in imaging.targets)
    assert [t.link for t in imaging.targets] == [f"T{i:02d}" for i in range(1, len(imaging.targets) + 1)]
    assert not {t.site for t in imaging.targets} & {o.site for o in imaging.others} - {"liver"}


@pytest.mark.rule("SYN-20")
@pytest.mark.parametrize("domain", ["AE", "LB", "VS", "EX", "TR", "PC", "CM", "QS", "SS"])
def test_one_domain_alone_is_what_it_is_among_all(monkeypatch, domain):
    whole = make_study("tiny10", 7)
    monkeypatch.setattr(build, "DOMAINS", {domain: build.DOMAINS[domain]})
    alone = make_study("tiny10", 7)
    pd.testing.assert_frame_equal(alone[domain], whole[domain])
    supp = f"SUPP{domain}"
    assert (supp in alone) == (supp in whole)
    if supp in whole:
        pd.testing.assert_frame_equal(alone[supp], whole[supp])


@pytest.mark.rule("SYN-20")
@pytest.mark.parametrize("keep", [1, 4, 9])
def test_the_first_participants_do_not_depend_on_those_who_follow(monkeypatch, keep):
    """The path is written for a part of the people: the records of those who are left are the same."""
    whole = make_study("tiny10", 7)
    people = plan_people("tiny10", 7)[:keep]
    monkeypatch.setattr(build, "plan_people", lambda name, seed, **_: people)
    part = make_study("tiny10", 7)
    known = {p.usubjid for p in people}
    for domain, frame in part.items():
        if "USUBJID" in frame:
            own = whole[domain][whole[domain]["USUBJID"].isin(known)].reset_index(drop=True)
            pd.testing.assert_frame_equal(frame, own, check_dtype=False)


@pytest.mark.rule("SYN-20")
def test_one_participant_can_be_replaced_without_a_change_in_the_others(monkeypatch):
    whole = make_study("tiny10", 7)
    people = list(plan_people("tiny10", 7))
    people[4] = replace(people[4], number=99)
    monkeypatch.setattr(build, "plan_people", lambda name, seed, **_: tuple(people))
    other = make_study("tiny10", 7)
    for domain in ("DM", "AE", "LB", "TR", "EX"):
        keep = [
            frame[~frame["USUBJID"].str[-3:].isin(["005", "099"])] for frame in (whole[domain], other[domain])
        ]
        pd.testing.assert_frame_equal(*(frame.reset_index(drop=True) for frame in keep), check_dtype=False)
    assert any(other["DM"]["USUBJID"].str.endswith("099"))


@pytest.mark.rule("SYN-20")
@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ((1, "main13", 1, "LB"), (1, "main13", 1, "LB"), True),
        ((1, "main13", 1, "LB"), (2, "main13", 1, "LB"), False),
        ((1, "main13", 1, "LB"), (1, "tiny10", 1, "LB"), False),
        ((1, "main13", 1, "LB"), (1, "main13", 2, "LB"), False),
        ((1, "main13", 1, "LB"), (1, "main13", 1, "VS"), False),
        ((1, "main13", 1, "LB"), (1, "main13", "1", "LB"), True),
        ((1, "a", "b"), (1, "ab"), False),
        ((1, "a", "b"), (1, "b", "a"), False),
    ],
)
def test_a_stream_is_its_name(one, two, same):
    draws = [stream(*name).random(5).tolist() for name in (one, two)]
    assert (draws[0] == draws[1]) is same


@pytest.mark.rule("SYN-22")
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(-5, 5), st.floats(0.1, 5), st.floats(0.1, 5))
def test_draws_stay_within_their_bounds(seed, mean, sd, width):
    rng = stream(seed, "bounds")
    assert mean - width <= bounded_normal(rng, mean, sd, lo=mean - width, hi=mean + width) <= mean + width
    assert lognormal(rng, 3.0, 1.0) == 3.0
    assert lognormal(rng, 3.0, 2.0, score=1.0) == pytest.approx(6.0)
    assert weibull_after(rng, 80, 1.3, after=width) > width
    assert weibull_after(rng, 80, 1.3, score=0.0) == pytest.approx(80)
    assert choose(rng, {"a": 0.0, "b": 0.5}) == "b"


@pytest.mark.rule("SYN-08")
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("seed", [20251225, 1, 5])
def test_the_calendar_of_a_preset(name, seed):
    people = plan_people(name, seed)
    assert [p.number for p in people] == list(range(1, len(people) + 1))
    assert len(people) == len(preset(name)["slot"])
    consents = [p.day0 + timedelta(days=p.consent) for p in people]
    assert consents == sorted(consents)
    assert all(p.consent < p.screening < 0 < p.cart for p in people)
    assert all(7 < p.cart <= 14 for p in people)
    assert all(p.cycle2 is None or 14 < p.cycle2 - p.cart < 18 for p in people)
    assert all(p.cycle2 is None for p in people if p.level is None or p.slot.dlt is not None)
    assert {(p.day0 + timedelta(days=p.cut)).isoformat() for p in people} == {preset(name)["cut"]}
    assert plan_people(name, seed) == people


@pytest.mark.rule("SYN-01")
@pytest.mark.parametrize("name", ["", "main14", "MAIN13", "tiny"])
def test_an_unknown_preset_names_the_known_ones(tmp_path, name):
    for call in (lambda: make_study(name), lambda: write_study(tmp_path / "x", preset=name)):
        with pytest.raises(StudyError, match=f"full18, main13, tiny10; found '{name}'"):
            call()
    assert not (tmp_path / "x").exists()


@pytest.mark.rule("SYN-01")
@pytest.mark.parametrize("name", PRESETS)
def test_slots_use_known_words(name):
    known = {"PR", "PR_PENDING", "SD", "PD", "NE_EARLY", "NE_LESION", "ANY", ""}
    for row in preset(name)["slot"]:
        slot = Slot(**row)
        assert slot.arm in codes("arm")
        assert slot.response in known
        assert slot.dlt in (None, *numbers("ae.DLT_types"))
        assert (slot.arm in ("SCRNFAIL", "NOTASSGN", "NKONLY")) <= bool(slot.reason)
        assert (slot.response != "") is slot.arm.startswith(("DL", "NK"))


@pytest.mark.rule("SYN-23")
@pytest.mark.parametrize(
    ("file", "columns"),
    [
        ("ae_terms.csv", {"term", "soc", "group", "weight", "grade2", "grade3", "days", "related"}),
        ("lab_events.csv", {"term", "soc", "analyte", "grade", "low", "high", "days", "related"}),
        ("analytes.csv", {"code", "test", "unit", "lo", "hi", "floor", "ceiling", "digits", "cv", "panel"}),
        ("medications.csv", {"key", "drug", "class", "indication", "share"}),
        ("queries.csv", {"domain", "field", "text", "share", "may_stay_open"}),
        (
            "visits.csv",
            {"visitnum", "visit", "anchor", "day", "jitter", "kind", "labs", "vitals", "ecog", "ecg"},
        ),
    ],
)
def test_shipped_lists_are_complete(file, columns):
    rows = csv_file(file)
    assert len(rows) > 4
    assert columns <= set(rows[0])
    assert all(None not in row.values() for row in rows)
    for row in rows:
        for share in ("grade2", "grade3", "share"):
            assert 0 <= float(row.get(share) or 0) <= 1


@pytest.mark.rule("SYN-23")
def test_shares_add_to_1_and_parameters_agree_with_the_presets():
    for path in (
        "tumour.type",
        "demog.ecog",
        "ae.CRS_grade_given_any",
        "ae.DLT_types",
        "burden.target_lesions",
    ):
        assert sum(numbers(path).values()) == pytest.approx(1), path
    for table in ("tumour.histology", "prior.lines"):
        assert all(sum(shares.values()) == pytest.approx(1) for shares in numbers(table).values()), table
    for path in ("ae.CRS_any_by_dose", "ae.DLT_prob_by_dose", "cart.doses_per_kg"):
        assert len(numbers(path)) == 4, path
        assert numbers(path) == sorted(numbers(path)), path
    assert set(toml_file("presets.toml")) == set(numbers("presets")) == set(PRESETS)
    weeks = [row for row in csv_file("visits.csv") if row["kind"] == "scan"]
    assert [int(row["visit"].split()[1]) for row in weeks[:5]] == numbers("survival.scan_week_from_CART")


@pytest.mark.rule("SYN-23")
def test_shipped_files_cannot_be_changed_by_a_caller():
    with pytest.raises(TypeError):
        csv_file("queries.csv")[0]["share"] = "1"
    with pytest.raises(TypeError):
        toml_file("codes.toml")["arm"] = {}


@pytest.mark.rule("SYN-01")
@pytest.mark.parametrize(
    ("arm", "products"),
    [
        ("SCRNFAIL", set()),
        ("NOTASSGN", set()),
        ("NKONLY", {"CAR-NK"}),
        ("DL1", {"CAR-NK", "CAR-T"}),
        ("DL4", {"CAR-NK", "CAR-T"}),
    ],
)
def test_an_arm_gets_its_products(arm, products):
    response = "SD" if products else ""
    case = draw_case(person(5, arm=arm, response=response, cut=300, reason="" if products else "x"))
    assert {product for product, _, _ in case.infusions} == products
    assert len(case.infusions) == 2 * len(products)
    assert bool(case.imaging.readings) is bool(products)
    assert bool(case.events) <= bool(products)
    assert case.person.treated is bool(products)
