"""Replay of real decisions, later changes, tipping tables."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.design import History, MtdRule, ThreePlusThree, TitratedThreePlusThree, Titration
from interim.design.replay import replay
from interim.design.tipping import open_facts, rule_options, tipping_options
from interim.errors import DataError

LEVELS = (1.5e7, 3e7, 5e7, 7e7)
LITERAL = TitratedThreePlusThree(LEVELS)
ALL = TitratedThreePlusThree(LEVELS, titration=Titration(4))
MAIN = "1N 2G 2NN 3NNT 3NNN 4NNN"


def history_of(dated, text, **more):
    return History.from_frame(dated(text, **more), levels=4)


@pytest.mark.rule("DOSE-24", source="path of the example study")
def test_the_example_path_follows_the_rule(dated):
    found = replay(ALL, history_of(dated, MAIN))
    assert (found.concordant, found.n_decisions, found.lower) == (6, 6, 0)
    assert found.first_discordant is None
    assert found.late_changes == ()
    assert found.findings == ()


@pytest.mark.rule("DOSE-24", source="path of the example study")
def test_under_the_literal_reading_a_record_of_one_at_level_2_is_lower(dated):
    history = history_of(dated, MAIN)
    assigned = {s.order: s.assigned for s in history.subjects}
    record = pd.DataFrame(
        {
            "date": [assigned[i] for i in (1, 2, 3, 5, 8, 11)],
            "level": [1, 2, 2, 3, 3, 4],
            "n": [1, 1, 2, 3, 3, 3],
            "reason": [None, "caution", None, None, None, None],
        }
    )
    found = replay(LITERAL, history, decisions=record)
    assert found.kinds == ("same", "lower", "same", "same", "same", "same")
    assert (found.concordant, found.lower, found.n_decisions) == (5, 1, 6)
    assert found.first_discordant.participant == "S02"
    assert found.first_discordant.decision.brief == "ENROL 3 at 2"
    assert found.first_discordant.reason == "caution"
    assert found.findings == ()
    assert replay(ALL, history, decisions=record).kinds == ("same",) * 6


@pytest.mark.rule("DOSE-24")
def test_three_at_once_are_early_when_one_per_level_is_the_rule(dated):
    found = replay(ALL, history_of(dated, "1N 2NNN 3NNN"))
    assert found.first_discordant.participant == "S03"
    assert found.first_discordant.kind == "early"
    assert "DOSE-DEV" in {finding.rule for finding in found.findings}


KINDS = [
    ("1N 3NNN", "higher", "S02", {"DOSE-DEV", "DOSE-SKIP"}),
    ("1N 1NN", "lower", "S02", {"DOSE-DEV"}),
    ("1T 1NT 1N", "excluded", "S04", {"DOSE-DEV", "DOSE-EXCL"}),
    ("1N 2NTT 1NNNNN 1N", "after_stop", "S10", {"DOSE-DEV"}),
]


@pytest.mark.rule("DOSE-24")
@pytest.mark.parametrize(("text", "kind", "who", "rules"), KINDS)
def test_kinds_of_discordance(dated, text, kind, who, rules):
    found = replay(LITERAL, history_of(dated, text))
    kinds = {row.participant: row.kind for row in found.rows}
    assert kinds[who] == kind
    assert rules <= {finding.rule for finding in found.findings}


@pytest.mark.rule("DOSE-24")
def test_more_than_the_rule_at_once_is_higher(dated):
    history = history_of(dated, "1N 2NNNN")
    record = pd.DataFrame({"date": [s.assigned for s in history.subjects[:2]], "level": [1, 2], "n": [1, 4]})
    assert replay(LITERAL, history, decisions=record).kinds == ("same", "higher")


@pytest.mark.rule("DOSE-25")
def test_a_late_report_stars_the_decision_and_rewrites_nothing(dated):
    late = {"S04": {"dlt": True, "trigger": True, "dlt_known": "2025-06-01", "trigger_known": "2025-06-01"}}
    early = replay(LITERAL, history_of(dated, "1N 2NNN 3NNN"))
    found = replay(LITERAL, history_of(dated, "1N 2NNN 3NNN", edits=late))
    assert [row.decision for row in found.rows] == [row.decision for row in early.rows]
    assert found.concordant == early.concordant
    assert [row.participant for row in found.late_changes] == ["S05", "S06", "S07"]
    change = found.late_changes[0].changes[0]
    assert (change.participant, change.then, change.now, change.cause) == ("S04", "N", "T", "late report")
    assert found.late_changes[0].today.brief == "ENROL 3 at 2"
    assert "S04 N -> T (late report)" in found.frame()["changes"].iloc[4]


@pytest.mark.rule("DOSE-25")
def test_other_causes(dated):
    regraded = {
        "S01": {"dlt": True, "trigger": True, "dlt_known": "2025-06-01", "trigger_known": "2025-01-09"}
    }
    found = replay(LITERAL, history_of(dated, "1G 1NN 2N", edits=regraded))
    assert {c.cause for row in found.rows for c in row.changes} == {"regrading"}
    lost = {"S01": {"status": "not_evaluable", "status_known": "2025-06-01"}}
    found = replay(LITERAL, history_of(dated, "1N 2N", edits=lost))
    assert [c.cause for c in found.rows[1].changes] == ["changed evaluability"]


@pytest.mark.rule("DOSE-24")
def test_doses_off_plan_and_too_many_participants(dated):
    edits = {
        "S01": {"planned_dose": 1.5e7, "actual_dose": 1.0e7},
        "S02": {"planned_dose": 3e7, "actual_dose": 3.1e7},
    }
    found = replay(LITERAL, history_of(dated, "1N 2NNN", edits=edits), dose_deviation=0.2)
    assert [(f.rule, f.subject) for f in found.findings] == [("DOSE-DOSE", "S01")]
    many = replay(LITERAL, history_of(dated, "1" + 19 * "N"))
    assert "DOSE-CAP" in {finding.rule for finding in many.findings}


@pytest.mark.rule("DOSE-24")
@pytest.mark.parametrize("edits", [{"S02": {"assigned": None}}, {"S02": {"assigned": "2024-01-01"}}])
def test_dates_that_contradict_the_order(dated, edits):
    with pytest.raises(DataError, match="S02"):
        replay(LITERAL, history_of(dated, "1N 2NNN", edits=edits))


@pytest.mark.rule("DOSE-24")
def test_a_frame_for_the_table(dated):
    history = history_of(dated, MAIN)
    rows = replay(ALL, history).frame()
    assert len(rows) == 13
    assert rows["decision"].tolist() == [1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6]
    assert replay(ALL, history).frame().equals(rows)


@pytest.mark.rule("DOSE-26")
def test_open_outcomes_that_would_change_the_level():
    found = open_facts(LITERAL, History.parse("1N 2NNT 2NNP", levels=4))
    assert (found.participants, found.smallest) == (("S07",), 1)
    assert found.best.brief == "ENROL 3 at 3"
    assert found.worst.brief == "ENROL 2 at 1"
    assert found.example == "S07 with no event: enrol 3 at level 3"


@pytest.mark.rule("DOSE-26")
def test_two_outcomes_are_needed_together():
    rule = ThreePlusThree(LEVELS)
    found = open_facts(rule, History.parse("1NPP", levels=4))
    assert found.smallest == 2
    assert open_facts(rule, History.parse("1NPP", levels=4), max_changes=1).smallest is None


@pytest.mark.rule("DOSE-26")
def test_nothing_open(dated):
    found = open_facts(LITERAL, History.parse("1N", levels=4))
    assert (found.participants, found.smallest, found.example) == ((), None, "")
    assert found.best == found.worst == found.present
    asked = history_of(dated, "1N", edits={"S01": {"trigger": None}})
    query = open_facts(LITERAL, asked)
    assert query.participants == ("S01",)
    assert (query.best.level, query.worst.level) == (2, 1)


@pytest.mark.rule("DOSE-27")
def test_options_that_would_change_the_decision():
    table = tipping_options(LITERAL, History.parse(MAIN, levels=4))
    assert table["option"].iloc[0] == "base"
    flips = table.loc[table["flips"], "option"].tolist()
    assert flips == ["mtd_rule = deesc_min6_top3"]
    capped = tipping_options(LITERAL, History.parse("1N 2NNT 2NNN 3NNT 3NNN 4NNN", levels=4))
    assert set(capped.loc[capped["flips"], "option"]) == {
        "mtd_rule = deesc_min6_top3",
        "n_max = none",
        "cap_mtd_rule = none",
        "count_titration_participant = False",
    } - {"count_titration_participant = False"}


@pytest.mark.rule("DOSE-27")
def test_options_that_cannot_be_combined_are_left_out():
    assert not any("esc_only" in name for name in rule_options(LITERAL))
    plain = rule_options(TitratedThreePlusThree(LEVELS, titration=Titration(0), mtd=MtdRule("esc_only")))
    assert not any(name.startswith("last_titration_level") for name in plain)
    assert any("deesc_min6_top6" in name for name in plain)


@pytest.mark.rule("DOSE-24")
def test_fewer_than_the_registered_minimum(dated):
    history = history_of(dated, "1T 1NT")
    assert "DOSE-MIN" in {f.rule for f in replay(LITERAL, history, min_treated=9).findings}
    assert "DOSE-MIN" not in {
        f.rule for f in replay(LITERAL, history_of(dated, "1N"), min_treated=9).findings
    }


@pytest.mark.rule("DOSE-24")
def test_an_assignment_without_a_record_stands_alone(dated):
    history = history_of(dated, "1N 3N")
    record = pd.DataFrame({"date": ["2025-01-06"], "level": [1], "reason": ["start"]})
    found = replay(LITERAL, history, decisions=record)
    assert [(row.kind, row.reason) for row in found.rows] == [("same", "start"), ("higher", "")]
    assert "DOSE-DEV" in {f.rule for f in found.findings}
