"""Planning scenarios, open facts and options of the rule: against every outcome and every option tried by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.design import (
    Boin,
    Cap,
    History,
    IndexRule,
    TitratedThreePlusThree,
    Titration,
    favourable_index,
    level_evidence,
    open_facts,
    recommended_dose,
    tipping_options,
)
from interim.design.planning import planning_scenarios, truth
from interim.design.tipping import rule_options
from interim.design.wording import in_words
from interim.errors import DesignError

LEVELS = (1.5e7, 3e7, 5e7, 7e7)
RULE = TitratedThreePlusThree(LEVELS)
ALL = TitratedThreePlusThree(LEVELS, titration=Titration(4), cap=Cap(None))
BOIN = Boin(LEVELS, 0.3, n_max=18)


def parse(text):
    return History.parse(text, levels=4)


@pytest.mark.rule("DOSE-14")
@pytest.mark.parametrize(
    ("p", "trigger", "only"),
    [
        ((0.1, 0.2), None, (0.0, 0.0)),
        ((0.1, 0.2), (0.1, 0.2), (0.0, 0.0)),
        ((0.1, 0.2), (0.3, 0.5), (0.2, 0.3)),
        ((0.0,), (1.0,), (1.0,)),
        ((0.3,), (0.3 + 1e-15,), (0.0,)),
    ],
)
def test_a_trigger_probability_holds_that_of_the_dlt(p, trigger, only):
    assert truth(p, trigger) == {"p_dlt": p, "p_trigger_only": pytest.approx(only, abs=1e-12)}


@pytest.mark.rule("DOSE-14")
@pytest.mark.parametrize(
    ("p", "trigger", "words"),
    [
        ((0.1, 0.2), (0.1,), "p_dlt has 2 values and p_trigger 1"),
        ((0.1, 0.2, 0.3), (0.2, 0.1, 0.2), r"levels \[2, 3\] are"),
        ((), (0.1,), "p_dlt has 0 values and p_trigger 1"),
    ],
)
def test_a_trigger_probability_that_is_impossible(p, trigger, words):
    with pytest.raises(DesignError, match=words):
        truth(p, trigger)


@pytest.mark.rule("DOSE-14")
@pytest.mark.parametrize("levels", [1, 2, 3, 5, 6])
def test_planning_scenarios_belong_to_their_number_of_levels(levels):
    assert planning_scenarios(levels) == {}
    shipped = planning_scenarios(4)
    assert list(shipped) == ["low", "target_at_3", "toxic"]
    for row in shipped.values():
        both = [p + q for p, q in zip(row["p_dlt"], row["p_trigger_only"], strict=True)]
        assert len(both) == 4 and max(both) <= 1 and both == sorted(both)


LETTERS = {"P": "NGT", "X": "NGT"}


def resolved(text, changes):
    """Return the history with some letters replaced."""
    letters, place, found = {k: v for k, v in changes}, 0, []
    for char in text:
        if char in "NGTPX":
            char = letters.get(place, char)
            place += 1
        found.append(char)
    return "".join(found)


def smallest_by_hand(design, text):
    outcomes = [char for char in text if char in "NGTPX"]
    waiting = [place for place, char in enumerate(outcomes) if char in LETTERS]
    base = design.decide(parse(text))
    for size in (1, 2, 3):
        for places in combinations(waiting, size):
            for letters in product("NGT", repeat=size):
                other = design.decide(parse(resolved(text, list(zip(places, letters, strict=True)))))
                if (other.mtd, other.target_level) != (base.mtd, base.target_level):
                    return size
    return None


OPEN = [
    "1P",
    "1N 2NNP",
    "1N 2NPP",
    "1N 2NNT 2NPP",
    "1N 2NNN 3NNP",
    "1N 2NNX 2N",
    "1N 2NNN 3NNN 4NPP",
    "1N 2PPP",
    "1NN",
    "1GPP",
]


@pytest.mark.rule("DOSE-26", source="every outcome tried by hand")
@pytest.mark.parametrize("text", OPEN)
@pytest.mark.parametrize("design", [RULE, ALL, BOIN], ids=["first", "all", "boin"])
def test_open_facts_against_every_outcome(design, text):
    found = open_facts(design, parse(text))
    waiting = [place for place, char in enumerate(c for c in text if c in "NGTPX") if char in LETTERS]
    assert found.participants == tuple(f"S{place + 1:02d}" for place in waiting)
    assert found.smallest == smallest_by_hand(design, text)
    assert (found.example == "") == (found.smallest is None)
    assert found.example.count(",") >= (found.smallest or 1) - 1
    for answer, letter in ((found.best, "N"), (found.worst, "T")):
        other = design.decide(parse(resolved(text, [(place, letter) for place in waiting])))
        assert (answer.brief, answer.rule_id) == (other.brief, other.rule_id)


WORDS = {"N": "no event", "G": "a trigger without DLT", "T": "a DLT"}


def other_conclusions(design, text):
    """Every pending participant and outcome that alone leads elsewhere, each history decided anew."""
    base = design.decide(parse(text))
    waiting = [place for place, char in enumerate(c for c in text if c in "NGTPX") if char == "P"]
    return {
        (f"S{place + 1:02d}", letter): in_words(other)
        for place in waiting
        for letter in "NGT"
        if (other := design.decide(parse(resolved(text, [(place, letter)])))).essence != base.essence
    }


@pytest.mark.rule("DOSE-33", source="every outcome tried by hand")
@pytest.mark.parametrize("text", [*OPEN, "1N 2NTP", "1N 2NNN 3NNT 3PPP", "1N 2NNN 3NNN 4NNP", "1N 2TTP"])
@pytest.mark.parametrize("design", [RULE, ALL], ids=["first", "all"])
def test_what_would_change_a_decision_against_every_outcome(design, text):
    said = design.decide(parse(text)).would_change
    alone = [line for line in said if " at level " in line.split(":")[0]]
    found = {
        (who, letter): line.split(": ", 1)[1]
        for line in alone
        for who in re.findall(r"S\d\d", line)
        for letter, word in WORDS.items()
        if word in line or "any outcome" in line
    }
    assert found == other_conclusions(design, text)
    pending = text.count("P")
    together = {line.split(":")[0] for line in said} & {
        "all open outcomes without event",
        "the worst of every open outcome",
    }
    assert len(said) == len(alone) + len(together) and (pending > 1 or not together)
    for letter, name in (("N", "all open outcomes without event"), ("T", "the worst of every open outcome")):
        other = design.decide(parse(text.replace("P", letter)))
        differs = other.essence != design.decide(parse(text)).essence
        assert (f"{name}: {in_words(other)}" in said) == (pending > 1 and differs)


@pytest.mark.rule("DOSE-33", source="sentences by hand")
def test_what_would_change_in_words():
    assert RULE.decide(parse("1N 2NTP")).would_change == (
        "S04 at level 2 with no event or a trigger without DLT: enrol 3 at level 2",
        "S04 at level 2 with a DLT: enrol 2 at level 1",
    )
    assert RULE.decide(parse("1N 2NNN 3NNT 3PPP")).would_change[0] == (
        "one of S08, S09, S10 at level 3 with a DLT: enrol 3 at level 2"
    )
    assert RULE.decide(parse("1N 2NNN")).would_change == ()


@pytest.mark.rule("DOSE-33")
def test_an_open_query_and_an_untreated_participant_may_still_change_the_decision():
    first = parse("1G").subjects[0]
    asked = replace(parse("1G"), subjects=(replace(first, trigger_open=True),))
    assert RULE.decide(asked).would_change == ("S01 at level 1 with no event: enrol 3 at level 2",)
    waiting = replace(parse("1P"), subjects=(replace(parse("1P").subjects[0], infusions=0),))
    assert RULE.decide(waiting).would_change[-1].endswith("or a DLT: enrol 2 at level 1")
    assert RULE.decide(waiting).pending == ("S01",)


@pytest.mark.rule("DOSE-33")
def test_the_plain_recommendation_is_the_decision_without_what_would_change_it():
    for text in OPEN:
        whole, plain = RULE.decide(parse(text)), RULE.recommend(parse(text))
        assert plain.would_change == () and replace(whole, would_change=()) == plain


@pytest.mark.rule("DOSEQ-11", source="by hand from the rule")
@pytest.mark.parametrize(
    ("text", "standing"),
    [
        ("", ("not treated",) * 4),
        ("1N 2NNN 3NP", ("open", "cleared", "open", "not treated")),
        ("1N 2NTT", ("open", "excluded", "excluded", "excluded")),
        ("1NNNNNN 2TT", ("MTD", "excluded", "excluded", "excluded")),
        ("1N 2NNT 2NNN 3NNN 4P", ("open", "cleared", "cleared", "open")),
    ],
)
def test_what_the_rule_makes_of_every_level(text, standing):
    assert RULE.standing(parse(text)) == standing


@pytest.mark.rule("DOSE-26")
@given(st.sampled_from(OPEN), st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_fewer_permitted_changes_find_no_more(text, most):
    full, less = (open_facts(RULE, parse(text), max_changes=k) for k in (3, most))
    assert less.smallest == (full.smallest if full.smallest and full.smallest <= most else None)


STATES = [
    "",
    "1N",
    "1G",
    "1N 2NTT",
    "1N 2NNN 3NTT",
    "1T 2NNN",
    "1N 2NNT 2NNN 3NNT 3NNN 4NNN",
    "1N 2NNN 3NNN 4NNN",
]


@pytest.mark.rule("DOSE-27")
@pytest.mark.parametrize("text", STATES)
def test_an_option_flips_when_its_own_decision_differs(text):
    frame = tipping_options(RULE, parse(text)).set_index("option")
    base = RULE.decide(parse(text))
    assert not frame.loc["base", "flips"] and frame.loc["base", "decision"] == base.brief
    for name, rule in rule_options(RULE).items():
        other = rule.decide(parse(text))
        same = (other.mtd, other.mtd_status, other.action, other.target_level) == (
            base.mtd,
            base.mtd_status,
            base.action,
            base.target_level,
        )
        assert frame.loc[name, "flips"] == (not same)
        assert (frame.loc[name, "decision"], frame.loc[name, "rule"]) == (other.brief, other.rule_id)


@pytest.mark.rule("DOSE-27")
@pytest.mark.parametrize("rule", [RULE, ALL, replace(RULE, cap=Cap(None))], ids=["first", "all", "uncapped"])
def test_every_option_differs_from_the_base_in_one_part(rule):
    for name, other in rule_options(rule).items():
        parts = [
            part
            for part in ("titration", "mtd", "cap", "conduct")
            if getattr(rule, part) != getattr(other, part)
        ]
        assert len(parts) == 1, name
        assert (other.levels, other.start_level) == (rule.levels, rule.start_level)
    assert ("n_max = none" in rule_options(rule)) == (rule.cap.n_max is not None)


INDEX = IndexRule(tox_max=0.3, prob_tox=0.8, orr_min=0.2, prob_orr=0.8, completion_min=0.75)
MET = [
    # DLT of participants, responses, completed, answer
    ("1NNNNNN", (4, 6), (6, 6), "met"),
    ("1NNNNTT", (4, 6), (6, 6), "not met"),
    ("1NNNNNN", (1, 6), (6, 6), "not met"),
    ("1NNNNNN", (4, 6), (4, 6), "not met"),
    ("1NNNNNN", (4, 6), (3, 4), "met"),
    ("1NNNNNN", (0, 0), (6, 6), "not evaluable"),
    ("1NNNNNN", (4, 6), (0, 0), "not evaluable"),
    ("1PP", (4, 6), (6, 6), "not evaluable"),
]


@pytest.mark.rule("DOSE-29")
@pytest.mark.parametrize(("text", "responses", "completed", "index"), MET)
def test_the_index_by_its_parts(text, responses, completed, index):
    answer, *others = favourable_index(parse(text), INDEX, responses={1: responses}, completed={1: completed})
    assert (answer.level, answer.index) == (1, index)
    assert [item.index for item in others] == ["not evaluable"] * 3
    assert answer.completion == (completed[0] / completed[1] if completed[1] else None)


@pytest.mark.rule("DOSE-29", source="closed form of the beta distribution with whole shapes")
@pytest.mark.parametrize(("n", "y"), [(0, 0), (1, 0), (3, 0), (3, 3)])
def test_evidence_of_a_level_in_closed_form(n, y):
    found = level_evidence(parse(f"2{'T' * y}{'N' * (n - y)}" if n else ""), limit=0.25)[1]
    # Without DLT the tail is (1 - limit)^(n + 1), with DLT only 1 - limit^(n + 1).
    tail = 0.75 ** (n + 1) if y == 0 else 1 - 0.25 ** (n + 1)
    assert (found.level, found.n, found.n_dlt) == (2, n, y)
    assert (found.mean, found.p_above) == pytest.approx(((y + 1) / (n + 2), tail))


@pytest.mark.rule("DOSE-29")
@pytest.mark.parametrize(
    ("text", "recorded", "findings"),
    [
        ("1N 2NTT 1NNNNN", 1, 0),
        ("1N 2NTT 1NNNNN", 2, 1),
        ("1N 2NTT", 2, 1),
        ("1N 2NTT", 1, 0),
        ("1N 2NNN", 4, 0),
        ("1N 2NNN", None, 0),
    ],
)
def test_a_recorded_dose_is_printed_and_a_contradiction_listed(text, recorded, findings):
    decision = RULE.decide(parse(text))
    found = recommended_dose(decision, parse(text), rule="recorded", recorded=recorded)
    assert (found.level, found.source) == (recorded, "none" if recorded is None else "recorded")
    assert [item.rule for item in found.findings] == ["DOSE-RP2D"] * findings
    assert recommended_dose(decision, parse(text), rule="mtd").level == decision.mtd
