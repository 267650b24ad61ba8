"""Evidence per level, favourable index, recommended dose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interim.design import History, Record, Stop, TitratedThreePlusThree
from interim.design.outcome import IndexRule, favourable_index, level_evidence, recommended_dose
from interim.errors import DesignError

RULE = TitratedThreePlusThree((1.5e7, 3e7, 5e7, 7e7))
ENDED = History.parse("1N 2NNN 3NNN 4NTT 3NNT", levels=4)


@pytest.mark.rule("DOSE-29", source="closed form of the binomial sum")
def test_evidence_of_every_level():
    found = level_evidence(ENDED, limit=1 / 3)
    assert [(item.n, item.n_dlt) for item in found] == [(1, 0), (3, 0), (6, 1), (3, 2)]
    six = sum([(2 / 3) ** 7, 7 * (1 / 3) * (2 / 3) ** 6])
    assert found[2].p_above == pytest.approx(six, abs=1e-12)
    assert found[2].mean == pytest.approx(2 / 8)
    fits = [item.isotonic for item in found]
    assert fits == sorted(fits)
    empty = level_evidence(History(2), limit=1 / 3)
    assert empty[0].mean == 0.5
    assert np.isnan(empty[0].isotonic)


INDEX = IndexRule(tox_max=0.33, prob_tox=0.6, orr_min=0.1, prob_orr=0.8, completion_min=0.7)


@pytest.mark.rule("DOSE-29")
@pytest.mark.parametrize(
    ("responses", "completed", "index"),
    [
        ({3: (2, 6)}, {3: (5, 6)}, "met"),
        ({3: (0, 6)}, {3: (5, 6)}, "not met"),
        ({3: (2, 6)}, {3: (4, 6)}, "not met"),
        ({}, {3: (5, 6)}, "not evaluable"),
        ({3: (2, 6)}, {}, "not evaluable"),
    ],
)
def test_the_index_is_reported_and_stops_nothing(responses, completed, index):
    found = favourable_index(ENDED, INDEX, responses=responses, completed=completed)
    assert found[2].index == index
    assert found[2].p_tox == pytest.approx(1 - level_evidence(ENDED, limit=0.33)[2].p_above)
    assert (
        favourable_index(History(1), INDEX, responses={1: (1, 1)}, completed={1: (1, 1)})[0].index
        == "not evaluable"
    )


@pytest.mark.rule("DOSE-29")
def test_impossible_counts():
    with pytest.raises(DesignError, match="level 2: 3 of 2"):
        favourable_index(ENDED, INDEX, responses={2: (3, 2)}, completed={})


def stopped(level, kind="rp2d"):
    stop = Stop("2025-06-01", "sponsor", "A. B.", level, "activity", "T 14.5.1", kind)
    return replace(ENDED, record=Record(stop=stop))


@pytest.mark.rule("DOSE-29")
def test_the_recommended_dose():
    decision = RULE.decide(ENDED)
    assert recommended_dose(decision, ENDED, rule="mtd").level == 3
    assert recommended_dose(RULE.decide(History(4)), History(4), rule="mtd").source == "none"
    assert recommended_dose(decision, ENDED, rule="recorded").level is None
    assert recommended_dose(decision, ENDED, rule="recorded", recorded=2).findings == ()
    above = recommended_dose(decision, ENDED, rule="recorded", recorded=4)
    assert (above.level, [f.rule for f in above.findings]) == (4, ["DOSE-RP2D"])
    assert "MTD is level 3" in above.findings[0].message


@pytest.mark.rule("DOSE-29")
def test_the_recorded_stop_names_it():
    for level, rules in ((2, []), (4, ["DOSE-RP2D"])):
        history = stopped(level)
        found = recommended_dose(RULE.decide(history), history, rule="recorded")
        assert (found.level, [f.rule for f in found.findings]) == (level, rules)
    other = stopped(2, "favourable_index")
    assert recommended_dose(RULE.decide(other), other, rule="recorded").level is None
