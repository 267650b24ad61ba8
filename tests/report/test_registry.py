from __future__ import annotations

import json
import re
from importlib import import_module

import pytest

import interim.display
from interim.errors import ReportError
from interim.report import registry as r
from tests.report import handmade

NOTEBOOKS = sorted((handmade.ROOT / "notebooks").glob("*.ipynb"))
GOOD = {"id": "T 14.1.1.1", "analysis": "disposition.participant_flow", "display": "table_participant_flow"}


def shown() -> list[str]:
    """Ids that the notebooks show, in order."""
    found = []
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            found += re.findall(
                r'chapter\.(?:table|figure|figures|story)\("([^"]+)"\)', "".join(cell["source"])
            )
    return found


@pytest.mark.rule("TLF-01")
def test_every_entry_names_a_planned_id_a_question_and_a_display():
    for tlf in r.registry():
        assert re.sub("[a-z]$", "", tlf.id) in r.shells()
        module, function = tlf.analysis.split(".")
        assert callable(getattr(import_module(f"interim.analysis.{module}"), function)), tlf.id
        assert callable(getattr(interim.display, tlf.display)), tlf.id
        assert tlf.display.startswith(f"{tlf.kind}_")


@pytest.mark.rule("TLF-01")
def test_every_entry_is_shown_once_by_the_notebooks_in_the_order_of_chapters():
    assert sorted(shown()) == sorted(tlf.id for tlf in r.registry())


@pytest.mark.rule("TLF-01")
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([GOOD, GOOD], "T 14.1.1.1: id used twice"),
        ([{**GOOD, "id": "T 1.2.3"}], "T 1.2.3: no table or figure of tlf_shells.csv"),
        ([{**GOOD, "id": "X 14.3.3"}], "X 14.3.3: no table or figure"),
        ([{**GOOD, "id": "T 14.1.1.1a"}], "T 14.1.1.1a: continues T 14.1.1.1 and needs a title"),
        ([{**GOOD, "footnotes": ["XX", "CUT"]}], "T 14.1.1.1: unknown footnote 'XX'"),
    ],
)
def test_a_wrong_registry_is_refused(rows, words):
    with pytest.raises(ReportError, match=re.escape(words)):
        r.read_entries(rows, known={"CUT"})


def test_titles_come_from_the_shells():
    (entry,) = r.read_entries([GOOD], known=set())
    assert (entry.title, entry.kind, entry.footnotes) == ("Participant disposition", "table", ())
    assert len(r.shells()) == 151


@pytest.mark.rule("TLF-02")
def test_cut_off_data_hash_and_source_stand_under_every_object(hand_inputs):
    for tlf in r.registry():
        *_, cut, source = r.footnotes_of(tlf, hand_inputs.study, hand_inputs.sdtm)
        assert cut.startswith("Data cut-off 2026-06-30; extract not stated; data hash ")
        assert source.startswith(f"Source: interim.analysis.{tlf.analysis}")


@pytest.mark.rule("TLF-02")
def test_footnotes_state_the_parameters_of_the_study(hand_inputs):
    dlt = next(tlf for tlf in r.registry() if tlf.id == "T 14.2.1.2")
    text = " ".join(r.footnotes_of(dlt, hand_inputs.study, hand_inputs.sdtm))
    assert "Exact Clopper-Pearson 95 % confidence interval" in text
    assert "limit 1/3" in text
    assert not re.search(r"[{}]", text)
