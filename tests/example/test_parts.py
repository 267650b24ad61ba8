"""Parts of the generator by themselves: bands of sums, unscheduled visits, calendar, curves."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.example.lesions import SMALLEST_SEEN, _band, _fitted, waning
from interim.example.plan import Person, Slot, plan_people
from interim.example.visits import Visit, planned_visits, with_unscheduled

sizes = st.lists(st.floats(8, 90), min_size=2, max_size=5)


def told(total: int, base: int, nadir: int) -> str:
    """Return the target response of a complete scan without complete response."""
    if total - nadir >= 5 and total >= 1.2 * nadir - 1e-9:
        return "PD"
    return "PR" if total <= 0.7 * base + 1e-9 else "SD"


@pytest.mark.rule("SYN-02")
@settings(max_examples=50, deadline=None)
@given(sizes, st.sampled_from(["PR", "SD", "PD", "GROWTH"]), st.integers(40, 300))
def test_a_scan_tells_the_wanted_response_whatever_the_curve_says(drawn, wanted, base):
    low, high = _band(wanted, base, base, base)
    read = _fitted(np.array(drawn), low, high)
    assert told(sum(read), base, base) == ("PD" if wanted == "GROWTH" else wanted)
    assert len(read) == len(drawn)


@pytest.mark.rule("SYN-02")
@pytest.mark.parametrize(
    ("wanted", "base", "nadir"),
    [("PR", 100, 60), ("PR", 54, 25), ("SD", 100, 72), ("PD", 100, 45), ("PD", 20, 20)],
)
def test_a_band_respects_the_nadir(wanted, base, nadir):
    low, high = _band(wanted, base, nadir, nadir)
    assert low <= high
    assert {told(total, base, nadir) for total in (low, high)} == {wanted}


@pytest.mark.rule("SYN-02")
def test_a_lesion_that_is_seen_has_a_size():
    assert min(_fitted(np.array([10.0, 90.0]), 35, 60)) >= SMALLEST_SEEN


@pytest.mark.rule("SYN-11")
@pytest.mark.parametrize(
    ("days", "numbers"),
    [
        ([], [2, 3]),
        ([0, 7], [2, 3]),
        ([1], [2, 2.1, 3]),
        ([1, 2, 9], [2, 2.1, 2.2, 3, 3.1]),
        ([2, 2, 1], [2, 2.1, 2.2, 3]),
    ],
)
def test_unscheduled_visits_are_numbered_after_the_one_before(days, numbers):
    planned = [Visit(3, "NK DAY 7", 7, "clinic"), Visit(2, "NK DAY 0", 0, "infusion")]
    made = with_unscheduled(planned, days)
    assert [visit.number for visit in made] == numbers
    assert [visit.day for visit in made] == sorted(visit.day for visit in made)
    assert all(visit.planned is None for visit in made if visit.kind == "unscheduled")


@pytest.mark.rule("SYN-11")
@pytest.mark.parametrize(
    ("arm", "first", "names"), [("SCRNFAIL", 1, {"SCREENING"}), ("NKONLY", 1, None), ("DL2", 1, None)]
)
def test_an_arm_has_its_visits(arm, first, names):
    person = Person(1, Slot(arm), 1, "x", date(2026, 1, 1), -10, -8, 10, 60, 25 if arm == "DL2" else None)
    visits = planned_visits(person)
    assert visits[0].number == first
    assert all(visit.day <= 60 for visit in visits)
    found = {visit.name for visit in visits}
    assert names is None or found == names
    assert any(name.startswith("CART") for name in found) is (arm == "DL2")


@pytest.mark.rule("SYN-08")
@pytest.mark.parametrize("seed", range(5))
def test_cart_starts_keep_their_distance_and_the_gap_after_nk(seed):
    people = [p for p in plan_people("main13", seed) if p.level is not None]
    assert all(8 <= p.cart <= 14 for p in people)
    starts = [p.day0.toordinal() + p.cart for p in people]
    assert all(b - a >= p.slot.wait for a, b, p in zip(starts, starts[1:], people[1:], strict=False))
    assert {p.day0.toordinal() + p.cut for p in people} == {date(2026, 6, 30).toordinal()}


@pytest.mark.rule("SYN-24")
@pytest.mark.parametrize("response", ["PR", "PR_PENDING", "SD", "PD", "NE_EARLY"])
def test_the_tumour_starts_at_its_baseline(response):
    assert waning(-5, response) == waning(0, response) == 1.0
    assert (waning(60, response) < 0.7) is response.startswith("PR")
    assert (waning(60, response) > 1.2) is (response == "PD")
