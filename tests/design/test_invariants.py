"""What holds in every run of the titrated 3+3 rule, whatever happens to the participants."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.design import Cap, Conduct, History, MtdRule, TitratedThreePlusThree, Titration
from interim.design.history import Subject
from interim.design.paths import extend
from interim.design.steps import View

OUTCOMES = {"N": ("evaluable", False, False), "G": ("evaluable", False, True), "T": ("evaluable", True, True),
            "X": ("not_evaluable", False, False)}  # fmt: skip


def rules(draw):
    top = draw(st.integers(1, 6))
    last = draw(st.integers(0, top))
    names = ["deesc_min6_top3", "deesc_min6_top6"] + (["esc_only"] if last == 0 else [])
    return TitratedThreePlusThree(
        tuple(range(1, top + 1)),
        titration=Titration(last, n_events=draw(st.integers(1, 2))),
        mtd=MtdRule(
            draw(st.sampled_from(names)), down_fill=draw(st.sampled_from(["three_then_six", "direct_six"]))
        ),
        cap=Cap(draw(st.sampled_from([None, 12, 18])), partial=draw(st.booleans())),
        conduct=Conduct(max_replacements=draw(st.sampled_from([None, None, 0, 2]))),
        start_level=draw(st.sampled_from([1, 1, min(2, top)])),
    )


designs = st.composite(rules)()


def resolve(history, place, letter):
    status, dlt, trigger = OUTCOMES[letter]
    subjects = list(history.subjects)
    subjects[place] = replace(subjects[place], status=status, dlt=dlt, trigger=trigger)
    return replace(history, subjects=tuple(subjects))


def run(rule, seed, *, toxic):
    """Yield history and decision of every step of a run with delayed outcomes and replacement."""
    draw = random.Random(seed)
    weights = [6 - 5 * toxic, 2, 5 * toxic, 1]
    history = History(len(rule.levels))
    for _ in range(400):
        decision = rule.decide(history)
        yield history, decision
        waiting = [i for i, s in enumerate(history.subjects) if s.status == "pending"]
        if decision.action == "STOP":
            return
        if waiting and (decision.action == "WAIT" or draw.random() < 0.5):
            letter = draw.choices("NGTX", weights)[0]
            history = resolve(history, draw.choice(waiting), letter)
        elif decision.action == "ENROL":
            last = len(history.subjects)
            more = tuple(
                Subject(f"S{last + i}", last + i, decision.level, "pending")
                for i in range(1, decision.n_to_enrol + 1)
            )
            history = replace(history, subjects=(*history.subjects, *more))
        else:
            return
    raise AssertionError("the run does not end")


@pytest.mark.rule("DOSE-09")
@settings(max_examples=50, deadline=None)
@given(rule=designs, seed=st.integers(0, 10**6), toxic=st.floats(0, 1))
def test_every_step_of_a_run(rule, seed, toxic):
    lowest, titrating = len(rule.levels) + 1, True
    for history, decision in run(rule, seed, toxic=toxic):
        view = View(rule, rule.facts(history))
        assert view.excluded_from <= lowest, "an exclusion was lifted"
        assert titrating or not view.titrating, "titration came back"
        lowest, titrating = view.excluded_from, view.titrating
        if decision.action == "ENROL":
            cohort = history.cohorts()[decision.level - 1]
            highest = max((s.level for s in history.subjects), default=rule.start_level - 1)
            assert decision.level < view.excluded_from
            assert decision.level <= highest + 1
            assert decision.n_to_enrol >= 1
            assert cohort.n + cohort.n_pending + decision.n_to_enrol <= 6
            assert decision.level in decision.admissible
        elif decision.action == "WAIT":
            assert decision.pending or any(text.startswith("R1") for text in decision.warnings)
        elif decision.mtd is not None:
            n = history.cohorts()[decision.mtd - 1].n
            least = 3 if not rule.mtd.expand_top and decision.mtd == len(rule.levels) else rule.mtd.min_n
            assert view.cleared(decision.mtd)
            assert decision.mtd < view.excluded_from
            assert n >= least
    evaluable = sum(cohort.n for cohort in history.cohorts())
    assert evaluable <= (rule.cap.n_max or 6 * len(rule.levels))


@pytest.mark.rule("DOSE-10")
@settings(max_examples=40, deadline=None)
@given(rule=designs, seed=st.integers(0, 10**6), toxic=st.floats(0, 1))
def test_a_worse_outcome_never_raises_the_level(rule, seed, toxic):
    for history, decision in run(rule, seed, toxic=toxic):
        for place, subject in enumerate(history.subjects):
            if subject.outcome in "NGP":
                worse = rule.decide(resolve(history, place, "T"))
                assert (worse.target_level or 0) <= (decision.target_level or 0), (history.text(), place)


@pytest.mark.rule("DOSE-10")
def test_under_a_cap_the_offer_itself_may_be_larger():
    rule = TitratedThreePlusThree((1, 2, 3), cap=Cap(6))
    better, worse = (rule.decide(History.parse(text, levels=3)) for text in ("1N 2NNT", "1N 2NTT"))
    assert (better.brief, worse.brief) == ("STOP, no MTD, not_established_cap", "ENROL 2 at 1")
    assert better.target_level > worse.target_level


@pytest.mark.rule("DOSE-11")
@settings(max_examples=40, deadline=None)
@given(rule=designs, seed=st.integers(0, 10**6), data=st.data())
def test_order_within_a_level_and_names_change_nothing(rule, seed, data):
    *_, (history, decision) = run(rule, seed, toxic=0.3)
    shuffled = list(history.subjects)
    for level in range(1, len(rule.levels) + 1):
        # Who is open stays: before an escalation it would make the history impossible (DOSE-EARLY). So does who is not evaluable:
        # the replacements that a design has left go to the first of all levels.
        places = [i for i, s in enumerate(shuffled) if s.level == level and s.status == "evaluable"]
        order = data.draw(st.permutations(places))
        moved = [history.subjects[i] for i in order]
        for place, subject in zip(places, moved, strict=True):
            shuffled[place] = replace(subject, id=f"other-{place}", order=place + 1)
    other = rule.decide(replace(history, subjects=tuple(shuffled)))
    assert replace(other, pending=(), warnings=()) == replace(decision, pending=(), warnings=())


@pytest.mark.rule("DOSE-09")
@pytest.mark.parametrize(("last", "total"), [(1, 13), (4, 9)])
def test_without_toxicity(last, total):
    rule = TitratedThreePlusThree((1, 2, 3, 4), titration=Titration(last))
    history = History(4)
    while (decision := rule.decide(history)).action == "ENROL":
        history = extend(history, level=decision.level, letters="N" * decision.n_to_enrol)
    assert (len(history.subjects), decision.mtd, decision.mtd_status) == (total, 4, "not_reached")


@pytest.mark.rule("DOSE-09")
def test_every_short_history_has_one_decision():
    """Every sequence of up to four outcomes at any levels, also such that left the rule."""
    rule = TitratedThreePlusThree((1, 2, 3))
    texts = [""]
    for _ in range(4):
        texts += [
            f"{text} {level}{letter}".strip()
            for text in texts[-(15**2) :]
            for level in (1, 2, 3)
            for letter in "NGTPX"
        ]
    for text in set(texts):
        decision = rule.decide(History.parse(text, levels=3, recorded=True))
        assert decision.action in ("ENROL", "WAIT", "STOP")
        if decision.action == "ENROL":
            assert decision.excluded_from is None or decision.level < decision.excluded_from
