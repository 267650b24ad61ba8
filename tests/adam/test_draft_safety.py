"""What a draft shows of bad safety data: rows with a dagger, the worst case and the case without what is assumed."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.analysis.answers import subjects, value

from interim.adam.build import build_adam
from interim.analysis import safety
from interim.display import table_teae_summary


@pytest.fixture
def draft(mini, mk, study_with):
    """The mini study with a grade 6, a serious event without relation, a start known by its month, and an event without a grade."""
    events = mini["AE"].set_index("AETERM", drop=False)
    events.loc["Nausea", "AETOXGR"] = "6"
    events.loc["Hepatic enzyme increased", "AEREL"] = None
    events.loc["Fatigue", "AESTDTC"] = mk.on("01", 0)[:7]
    events.loc["Fatigue", "AEENDTC"] = None
    events.loc["Anaemia", "AETOXGR"] = None
    mini["AE"] = events.reset_index(drop=True)
    study = study_with('on_stop = "draft"\n')
    return build_adam(mk.make(mini), study), study


@pytest.mark.rule("SAF-34", source="spec/safety.md, section 4 and 8; seeded_defects.csv, D11 and D18")
@pytest.mark.rule(
    "AE-07", source="spec/safety.md, section 8: a grade outside 1 to 5 counts as missing, never as severe"
)
def test_bad_events_are_marked_and_shown_in_the_worst_and_the_best_case(draft, mk):
    adam, study = draft
    grades = adam["ADAE"].set_index("AETERM")["AETOXGRN"]
    assert pd.isna(grades["Nausea"]) and pd.isna(grades["Anaemia"])
    result = safety.teae_summary(adam, study)
    assert subjects(result, "grade_missing", "n") == {mk.uid("01"), mk.uid("04")}
    assert subjects(result, "grade3", "n") == {mk.uid("03"), mk.uid("08")}
    assert subjects(result, "serious_related", "n") == {mk.uid("03")}
    assert value(result, "serious_related", "n_best") == 0
    assert value(result, "teae", "events") == value(result, "teae", "events_best") + 1
    stubs = [row.cells[0].text for row in table_teae_summary(result, study).rows]
    marked = [text for text in stubs if text.endswith("†")]
    assert "Serious and related to a cell product †" in marked
    assert all(stubs[stubs.index(text) + 1] == "without what is assumed" for text in marked)
    assert any(note.startswith("†") for note in table_teae_summary(result, study).footnotes)
