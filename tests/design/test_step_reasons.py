"""Every rule of the titrated 3+3 design is reached, and says in words what it did: no number without its noun, no code."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.design import (
    Blrm,
    Boin,
    Cap,
    Conduct,
    Crm,
    History,
    MtdRule,
    Record,
    Stop,
    TableDesign,
    ThreePlusThree,
    TitratedThreePlusThree,
    Titration,
)
from interim.design.wording import in_words, texts, warning

LEVELS = (1.5e7, 3e7, 5e7, 7e7)
RULE = TitratedThreePlusThree(LEVELS, cap=Cap(None))
ALL = replace(RULE, titration=Titration(4))
ESC = ThreePlusThree(LEVELS, mtd=MtdRule("esc_only"), cap=Cap(None))
CAPPED = replace(RULE, cap=Cap(9))
FIXED_PLACES = replace(RULE, conduct=Conduct(max_replacements=0))
HALT = Record(stop=Stop("2025-05-05", "sponsor", "A. B.", None, "safety", "report 1", "safety_halt"))

SAID = [
    # rule, history, last rule, sentence
    (RULE, "", "T0", "Level 1: nobody evaluable; T0 titration, one participant at this level: treat 1 more at 1.5e7 cells/kg"),
    (RULE, "1P", "T0", "Level 1: nobody evaluable; T0 titration, one participant at this level: wait for 1 open outcome(s)"),
    (ALL, "1N", "T1", "Level 2: nobody evaluable; T1 titration without a trigger so far, go one level up with one participant: treat 1 more at 3e7 cells/kg"),
    (RULE, "1N", "C1", "Level 2: nobody evaluable; T2 titration ended without a trigger; C1 fill the level to 3: treat 3 more at 3e7 cells/kg"),
    (ALL, "1N 2N 3N 4N", "C1", "Level 4: 0 DLT in 1 evaluable; T3 titration reached the highest level without a trigger; C1 fill the level to 3: treat 2 more at 7e7 cells/kg"),
    (RULE, "1T 2NNN", "C1", "Level 1: 1 DLT in 1 evaluable; L1 a DLT became known at this lower level, which is not cleared; C1 fill the level to 3: treat 2 more at 1.5e7 cells/kg"),
    (RULE, "1N 2NPP", "H1", "Level 2: 0 DLT in 1 evaluable; C1 fill the level to 3; H1 outcomes are open: wait for 2 open outcome(s)"),
    (RULE, "1N 2NNN", "C1", "Level 3: nobody evaluable; C2a no DLT in 3 at level 2, which is cleared; C1 fill the level to 3: treat 3 more at 5e7 cells/kg"),
    (RULE, "1N 2NNT", "C2b", "Level 2: 1 DLT in 3 evaluable; C2b 1 DLT in 3: treat 3 more at 3e7 cells/kg"),
    (RULE, "1N 2NTT", "D4", "Level 1: 0 DLT in 1 evaluable; C2c level 2 with 2 DLT in 3 is excluded; D4 go down and fill that level to 3: treat 2 more at 1.5e7 cells/kg"),
    (RULE, "1N 2NNNN", "C3", "Level 2: 0 DLT in 4 evaluable; C3 4 or 5 evaluable participants, fill the level to 6: treat 2 more at 3e7 cells/kg"),
    (RULE, "1N 2NNTNNN", "C1", "Level 3: nobody evaluable; C4a at most 1 DLT in 6 at level 2, which is cleared; C1 fill the level to 3: treat 3 more at 5e7 cells/kg"),
    (RULE, "1N 2NNTNNT", "D4", "Level 1: 0 DLT in 1 evaluable; C4b level 2 with 2 DLT in 6 is excluded; D4 go down and fill that level to 3: treat 2 more at 1.5e7 cells/kg"),
    (RULE, "1N 2NNNNNNT", "C1", "Level 3: nobody evaluable; C5 more than 6 evaluable participants are judged by the DLT rate; C1 fill the level to 3: treat 3 more at 5e7 cells/kg"),
    (RULE, "1N 2NTT 1NN", "U2", "Level 1: 0 DLT in 3 evaluable; U2 cleared and nothing higher is open, but more participants are needed for an MTD: treat 3 more at 1.5e7 cells/kg"),
    (RULE, "1N 2NTT 1NNNNN", "U3", "Level 1: 0 DLT in 6 evaluable; U3 cleared, nothing higher is open, enough participants: stop, MTD is level 1 (1.5e7 cells/kg)"),
    (RULE, "1TT", "D1", "Level 1: 2 DLT in 2 evaluable; C2c level 1 with 2 DLT in 2 is excluded; D1 the lowest level is excluded: stop, no MTD"),
    (ESC, "1NNN 2NTT", "D2", "Level 1: 0 DLT in 3 evaluable; C2c level 2 with 2 DLT in 3 is excluded; D2 the level below the excluded one is cleared: stop, MTD is level 1 (1.5e7 cells/kg)"),
    (RULE, "1NNNNNN 2TT", "D3", "Level 1: 0 DLT in 6 evaluable; C2c level 2 with 2 DLT in 2 is excluded; D3 the level below the excluded one is cleared and holds enough participants: stop, MTD is level 1 (1.5e7 cells/kg)"),
    (RULE, "1NNN 2TT", "D5", "Level 1: 0 DLT in 3 evaluable; C2c level 2 with 2 DLT in 2 is excluded; D5 go down and fill that level to 6: treat 3 more at 1.5e7 cells/kg"),
    (CAPPED, "1N 2NNN 3NNN", "K1", "Level 4: nobody evaluable; C2a no DLT in 3 at level 3, which is cleared; C1 fill the level to 3; K1 the next cohort would pass the largest number of participants: stop, no MTD"),
    (RULE, "1N 3NNN 2NNN", "C1", "Level 4: nobody evaluable; C2a no DLT in 3 at level 2, which is cleared; C2a no DLT in 3 at level 3, which is cleared; C1 fill the level to 3: treat 3 more at 7e7 cells/kg"),
    (RULE, "1N 2NNNP", "H1", "Level 2: 0 DLT in 3 evaluable; C2a no DLT in 3 at level 2, which is cleared; H1 outcomes are open: wait for 1 open outcome(s)"),
]  # fmt: skip


@pytest.mark.rule("DOSE-06")
@pytest.mark.parametrize(("rule", "text", "last", "sentence"), SAID)
def test_the_sentence_of_every_rule(rule, text, last, sentence):
    decision = rule.decide(History.parse(text, levels=4, recorded=True))
    assert decision.rule_id.split(">")[-1] == last
    assert decision.reason == sentence


@pytest.mark.rule("DOSE-03")
def test_every_rule_of_the_table_is_reached_by_these_histories():
    reached = {
        name
        for rule, text, _, _ in SAID
        for name in rule.decide(History.parse(text, levels=4, recorded=True)).rule_id.split(">")
    }
    halted = replace(History.parse("1N", levels=4), record=HALT)
    reached |= set(RULE.decide(halted).rule_id.split(">"))
    of_fixed_cohorts = {"E", "S", "D", "DU", "F", "P", "N", "R", "Z", "R1"}
    assert reached == set(texts()["rules"]) - of_fixed_cohorts


BOIN = Boin(LEVELS, 0.3, n_max=12)
FIXED = [
    # design, history, rule, part of the sentence
    (BOIN, "", "S", "S stay: treat 3 more at 1.5e7 cells/kg"),
    (BOIN, "1NNN", "E", "Level 2: nobody evaluable; E escalate: treat 3 more at 3e7 cells/kg"),
    (BOIN, "1NNN 2NNT", "S", "Level 2: 1 DLT in 3 evaluable; S stay: treat 3 more at 3e7 cells/kg"),
    (BOIN, "1NNN 2NTT", "D", "Level 1: 0 DLT in 3 evaluable; D de-escalate: treat 3 more at 1.5e7 cells/kg"),
    (BOIN, "1NNN 2TTT", "DU", "Level 1: 0 DLT in 3 evaluable; DU de-escalate, the level is eliminated: treat 3 more"),
    (BOIN, "1NN", "F", "Level 1: 0 DLT in 2 evaluable; F complete the cohort: treat 1 more at 1.5e7 cells/kg"),
    (BOIN, "1NNP", "P", "Level 1: 0 DLT in 2 evaluable; P the outcomes of the cohort are open: wait for 1 open outcome(s)"),
    (BOIN, "1NNN 2NNN 3NNN 4NNN", "N", "N the planned number of participants is reached: stop, MTD is level 4 (7e7 cells/kg)"),
    (replace(BOIN, stop_at=3), "1NNT", "R", "R enough participants at this level: stop, MTD is level 1 (1.5e7 cells/kg)"),
    (BOIN, "1TTT", "Z", "Level 1: 3 DLT in 3 evaluable; Z no level is acceptable: stop, no MTD"),
]  # fmt: skip


@pytest.mark.rule("DOSE-06")
@pytest.mark.parametrize(("design", "text", "rule", "words"), FIXED)
def test_the_sentence_of_designs_with_fixed_cohorts(design, text, rule, words):
    decision = design.decide(History.parse(text, levels=4, recorded=True))
    assert decision.rule_id == rule
    assert decision.reason.endswith(words) or words in decision.reason


TABLE = TableDesign.from_frame(BOIN.decision_table(), levels=LEVELS, target=0.3)
MODELS = [Crm((0.1, 0.2, 0.3, 0.4), 0.3, n_max=12), Blrm(LEVELS, 5e7, n_max=12)]
DESIGNS = [RULE, BOIN, TABLE, *MODELS]


@pytest.mark.rule("DOSE-07")
@pytest.mark.parametrize("text", ["", "1N", "1NNN", "1NNP", "1TTT"])
@pytest.mark.parametrize("design", DESIGNS, ids=lambda d: type(d).__name__)
def test_a_recorded_stop_ends_every_design_at_any_time(design, text):
    decision = design.decide(replace(History.parse(text, levels=4, recorded=True), record=HALT))
    assert (decision.brief, decision.rule_id) == ("STOP, no MTD, not_established_stop", "X1")
    assert decision.reason.endswith("X1 a stop is recorded: stop, no MTD")


SENTENCE = re.compile(
    r"Level [1-4]: (\d+ DLT in [1-9]\d* evaluable|nobody evaluable); .+: "
    r"(treat [1-6] more at [\d.]+e7 cells/kg|wait for [1-9]\d* open outcome\(s\)|wait until a decision .+ recorded"
    r"|stop, MTD is level [1-4] \([\d.]+e7 cells/kg\)|stop, no MTD)"
)
NUMBER = re.compile(
    r"[Ll]evel \d|\d+ DLT in \d+|(treat|wait for) \d+|to \d\b|than \d\b|\d or \d evaluable|(?:no|\d) DLT in \d|[\d.]+e7 cells/kg"
)
RULE_ID = re.compile(r"\b([XTLCUDHKR]\d[abc]?|DU|[ESDFPNRZM])(?= )")


@pytest.mark.rule("DOSE-06")
@given(
    st.lists(st.tuples(st.integers(1, 4), st.text("NGTPX", min_size=1, max_size=4)), max_size=5),
    st.sampled_from([RULE, ALL, ESC, CAPPED, FIXED_PLACES, BOIN]),
)
@settings(max_examples=50, deadline=None)
def test_a_sentence_holds_no_number_without_a_noun_and_no_raw_code(tokens, design):
    text = " ".join(f"{level}{letters}" for level, letters in tokens)
    decision = design.decide(History.parse(text, levels=4, recorded=True))
    assert SENTENCE.fullmatch(decision.reason), decision.reason
    bare = RULE_ID.sub("", NUMBER.sub("", decision.reason))
    assert not re.search(r"\d|_|None|nan|[{}]", bare), decision.reason
    for said in decision.warnings:
        assert not re.search(r"[{}]|None", said)


@pytest.mark.rule("DOSE-06")
@given(
    st.lists(st.tuples(st.integers(1, 4), st.text("NGTPX", min_size=1, max_size=4)), max_size=5),
    st.sampled_from([RULE, ALL, CAPPED, FIXED_PLACES, BOIN]),
)
@settings(max_examples=50, deadline=None)
def test_the_parts_of_a_decision_agree_with_each_other(tokens, design):
    history = History.parse(
        " ".join(f"{level}{letters}" for level, letters in tokens), levels=4, recorded=True
    )
    decision = design.decide(history)
    assert decision.pending == tuple(s.id for s in history.subjects if s.outcome == "P")
    assert (decision.n_to_enrol > 0) == (decision.action == "ENROL")
    assert (decision.mtd_status == "ongoing") == (decision.action != "STOP")
    assert (decision.mtd is None) or decision.action == "STOP"
    limit = decision.excluded_from or 5
    assert decision.admissible == tuple(range(1, len(decision.admissible) + 1))
    assert all(level < limit for level in decision.admissible)
    assert decision.mtd is None or decision.mtd < limit
    if decision.action == "ENROL":
        assert decision.level < limit
    if decision.action == "WAIT":
        assert decision.pending or any(said.startswith("R1") for said in decision.warnings)


@pytest.mark.rule("DOSE-06")
@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("L1", {"level": 2}, "a DLT is known at level 2"),
        ("FOLLOWED", {"who": "S03"}, "still followed: S03"),
        ("OPEN", {"who": "S01, S02"}, "taken as a trigger while the query is open: S01, S02"),
        ("X1", {"level": 4}, "the recorded stop names level 4"),
    ],
)
def test_warnings_name_whom_and_what(name, fields, words):
    assert words in warning(name, **fields)


@pytest.mark.rule("DOSE-06")
@pytest.mark.parametrize(("rule", "text", "last", "said"), SAID)
def test_the_rules_passed_are_the_sentence_without_ids(rule, text, last, said):
    decision = rule.decide(History.parse(text, levels=4, recorded=True))
    ids = decision.rule_id.split(">")
    assert len(decision.passed) == len(ids)
    middle = said.split("; ", 1)[1].rsplit(": ", 1)[0].split("; ")
    assert list(decision.passed) == [part.split(" ", 1)[1] for part in middle]


@pytest.mark.rule("DOSE-33", source="by hand")
@pytest.mark.parametrize(
    ("rule", "text", "said"),
    [
        (RULE, "1N", "enrol 3 at level 2"),
        (RULE, "1P", "wait for open outcomes"),
        (RULE, "1TT", "stop, no MTD (below the lowest level)"),
        (RULE, "1N 2NTT 1NNNNN", "stop, MTD at level 1 (established)"),
    ],
)
def test_a_decision_in_a_few_words(rule, text, said):
    assert in_words(rule.decide(History.parse(text, levels=4))) == said
