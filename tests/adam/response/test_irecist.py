"""iRECIST from lesions and from responses."""

from __future__ import annotations

import pytest

from interim.adam.response.assessments import Assessment, BestRules
from interim.adam.response.irecist import ImmuneVisit, irecist_course, seen_new_lesions
from interim.adam.response.irecist_best import irecist_best, to_i
from interim.adam.response.lesions import Measure, contribution
from interim.adam.response.target import Roster, target_course
from interim.study.efficacy import IrecistTable, ResponseTable

RULES = IrecistTable()
BEST = BestRules.of(ResponseTable())
STEP = 35


def course(sums, new=(), nontarget=(), rules=RULES, further=(), step=STEP, grown=()):
    """Target sums against a baseline of 100 mm (None: not evaluable), new lesions per scan."""
    roster = Roster(("A",), frozenset(), {"A": 100.0})
    parts = [{"A": contribution(Measure(s) if s is not None else None, rules=ResponseTable())} for s in sums]
    visits = [
        ImmuneVisit(
            day=step * (place + 1),
            target=target.response,
            nontarget=nontarget[place] if nontarget else "NONE",
            total=target.total,
            further=place in further,
            new=frozenset(new[place]) if new else frozenset(),
            new_grown=place in grown,
        )
        for place, target in enumerate(target_course(roster, parts, rules=ResponseTable()))
    ]
    return irecist_course(visits, rules=rules)


def values(*args, **named):
    return [answer.value for answer in course(*args, **named)]


@pytest.mark.rule("IRECIST-01")
@pytest.mark.parametrize(
    ("sums", "new", "expected"),
    [
        ([60, 80, 90], (), ["iPR", "iUPD", "iCPD"]),
        ([60, 80, 82], (), ["iPR", "iUPD", "iUPD"]),
        ([60, 80, 62, 80, 86], (), ["iPR", "iUPD", "iPR", "iUPD", "iCPD"]),
        ([100, 90, 88, 85], ([], ["N"], ["N"], []), ["iSD", "iUPD", "iUPD", "iSD"]),
        ([100, 125, None, 131], (), ["iSD", "iUPD", "NE", "iCPD"]),
        ([110, 121, 119], (), ["iSD", "iUPD", "iSD"]),
        ([100, 90, 88], ([], ["N"], ["N", "M"]), ["iSD", "iUPD", "iCPD"]),
        ([100, 125, 125], ([], [], ["N"]), ["iSD", "iUPD", "iCPD"]),
        ([0, 10, 0], (), ["iCR", "iUPD", "iCR"]),
    ],
)
def test_worked_examples(sums, new, expected):
    assert values(sums, new) == expected


@pytest.mark.rule("IRECIST-01")
def test_codes_of_confirmation():
    assert course([60, 80, 90])[2].codes == ("I-CPD-T",)
    nontarget = ["NON-CR/NON-PD", "PD", "PD"]
    assert values([100, 100, 100], nontarget=nontarget) == ["iSD", "iUPD", "iUPD"]
    assert course([100, 100, 100], nontarget=nontarget, further={2})[2].codes == ("I-CPD-NT",)
    assert course([100, 90, 88], new=([], ["N"], ["N"]), grown={2})[2].codes == ("I-CPD-NEW",)
    assert course([100, 125, 125], new=([], [], ["N"]))[2].codes == ("I-CPD-CAT",)
    assert [a.codes[0] for a in course([60, 80, 62])] == ["I-AS11", "I-UPD", "I-RESET"]
    assert course([100, 125, None])[2].codes == ("I-NE",)
    assert course([60, 80, 82])[2].codes == ("I-UPD-STAY",)


@pytest.mark.rule("IRECIST-02")
def test_window_of_confirmation():
    assert course([60, 80, 90], step=27)[2].codes == ("I-EARLY", "I-CPD-T")
    assert values([60, 80, 90], step=28)[2] == "iCPD"
    assert course([60, 80, 90], step=56)[2].codes == ("I-CPD-T",)
    assert course([60, 80, 90], step=57)[2].codes == ("I-CPD-T", "I-LATE")
    late = course([60, 80, 90], step=57, rules=IrecistTable(icpd_late="reject"))[2]
    assert (late.value, late.codes[0]) == ("iUPD", "I-LATE")


@pytest.mark.rule("IRECIST-02")
def test_growth_against_the_opening_or_the_previous_scan():
    slow = [60, 80, 84, 88]
    assert values(slow, step=20) == ["iPR", "iUPD", "iUPD", "iCPD"]
    assert values(slow, step=20, rules=IrecistTable(icpd_compare="previous")) == [
        "iPR",
        "iUPD",
        "iUPD",
        "iUPD",
    ]


def test_new_lesions_are_carried_until_absent():
    seen = seen_new_lesions([["N"], [], [], []], [[], [], ["N"], []], [True, True, True, True])
    assert [sorted(s) for s in seen] == [["N"], ["N"], [], []]
    assert seen_new_lesions([["N"], []], [[], []], [True, False])[1] == frozenset()


def best(text: str):
    pairs = [part.split(maxsplit=1) for part in text.split(",")]
    return irecist_best([Assessment(int(d), v.strip(), key=n) for n, (d, v) in enumerate(pairs)], rules=BEST)


@pytest.mark.rule("IRECIST-03")
@pytest.mark.parametrize(
    ("text", "icpd", "iupd", "orphan"),
    [
        ("60 iSD, 90 iUPD, 120 iCPD", 90, None, False),
        ("60 iUPD, 90 NE, 120 iCPD", 60, None, False),
        ("60 iUPD, 90 iSD, 120 iUPD, 150 iCPD", 120, None, False),
        ("60 iUPD, 90 iSD", None, None, False),
        ("60 iSD, 90 iUPD, 120 NE", None, 90, False),
        ("60 iSD, 90 iCPD", None, 90, True),
        ("60 iUPD, 90 iCPD, 120 iSD", 60, None, False),
        ("60 PR, 90 PD, 120 iCPD", 90, None, False),
    ],
)
def test_confirmed_progression(text, icpd, iupd, orphan):
    answer = best(text)
    assert (answer.icpd.day, answer.iupd.day, answer.orphan_icpd) == (icpd, iupd, orphan)


@pytest.mark.rule("IRECIST-04")
@pytest.mark.parametrize(
    ("text", "ibor", "icbor"),
    [
        ("60 iUPD, 90 iPR, 120 iPR", ("iPR", 90), ("iPR", 90)),
        ("60 iPR, 90 iSD, 120 iPR", ("iPR", 60), ("iSD", 60)),
        ("60 iUPD, 90 iCPD", ("iCPD", 60), ("iCPD", 60)),
        ("60 iUPD", ("iUPD", 60), ("iUPD", 60)),
        ("60 NON-iCR/NON-iUPD", ("NON-iCR/NON-iUPD", 60), ("NON-iCR/NON-iUPD", 60)),
        ("60 CR, 95 CR, 130 PD", ("iCR", 60), ("iCR", 60)),
        ("30 iSD, 90 NE", ("NE", 30), ("NE", 30)),
    ],
)
def test_best_immune_response(text, ibor, icbor):
    answer = best(text)
    assert (answer.ibor.value, answer.ibor.day) == ibor
    assert (answer.icbor.value, answer.icbor.day) == icbor


@pytest.mark.rule("IRECIST-03")
def test_assessments_after_confirmed_progression_are_not_used():
    assert [a.response for a in best("60 iUPD, 90 iCPD, 120 iCR").used] == ["iUPD", "iCPD"]
    assert to_i("NE") == "NE"
