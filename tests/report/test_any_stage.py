"""The package before the first participant and wherever something is lacking: every sentence resolves, every reason has its words."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from interim.adam import dlt
from interim.analysis.escalation_state import ended, printed, source_of_dose
from interim.data.spec import codelists
from interim.design.decision import MtdStatus
from interim.display.labels import word
from interim.display.language import translator
from interim.display.table import Cell, Row
from interim.report import chapter as c
from interim.report.build import _front
from interim.report.document import Placed
from interim.report.package import Made, plans, put_together, read
from interim.report.registry import registry
from interim.report.translate import REQUIRED_DOCUMENTS, REQUIRED_TLFS, translated
from tests.report import handmade

pytestmark = pytest.mark.rule(
    "DOC-37", source="the decision box, the reasons and the tables for each stage of a trial"
)
SAID = re.compile(
    r"(?:not (?:available|applicable|collected|derived|computed|run|evaluable|assessed|pooled|stated|coded)\b|no [a-z]|nobody |none: |none recorded|fewer than )"
)
WORDLESS = {"no such column; the table has: {}", "no such rows"}  # errors, told to whoever calls
NOTEBOOKS = sorted((handmade.ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.fixture(scope="module")
def nobody(hand_inputs):
    """The hand-made study before the first participant, with the answers to all questions."""
    adam, sdtm = hand_inputs.adam, hand_inputs.sdtm
    empty = replace(adam, datasets={n: f.iloc[:0] for n, f in adam.datasets.items()}, findings=())
    source = replace(sdtm, domains={n: f.iloc[:0] for n, f in sdtm.domains.items()}, findings=())
    study = hand_inputs.study
    return c.Inputs(study, source, empty, c.answers(empty, study, source))


@pytest.fixture(scope="module")
def chapter(nobody):
    return c.Chapter(nobody)


@pytest.mark.parametrize("book", NOTEBOOKS, ids=lambda book: book.stem)
def test_every_sentence_of_a_notebook_resolves(book, chapter):
    cells = ["".join(cell["source"]) for cell in json.loads(book.read_text(encoding="utf-8"))["cells"]]
    for source in cells:
        if "chapter.say(" in source:
            exec(source, {"chapter": chapter})


@pytest.fixture(scope="module")
def made(nobody, chapter):
    tables = [tlf.id for tlf in registry() if tlf.kind == "table"]
    shown = tuple(Placed(name, read(chapter.table(name).block(), "en")) for name in tables)
    assert all(placed.block.rows for placed in shown)
    return Made(nobody, "en", "restricted", {"all": shown})


@pytest.mark.parametrize("number", REQUIRED_DOCUMENTS[1:])
def test_what_every_language_needs_is_whole(number, made, nobody):
    (plan,) = (plan for plan in plans() if plan.number == number)
    document = put_together(plan, made, _front(nobody, "0" * 64))
    _, missing = translated(document, nobody, "zh-CN")
    own = json.dumps(nobody.study.resolved(), default=str).casefold()  # the words of the hand-made study
    assert [one for one in missing if one.message.casefold() not in own] == []


def test_the_tables_that_every_language_needs_are_whole(made):
    voice = translator("zh-CN", Path("params"))
    for name in REQUIRED_TLFS:
        texts = [cell.text for row in made.tlfs[name].block.rows for cell in row.cells]
        assert [text for text in texts if voice.text(text).state == "missing"] == []


def test_a_table_without_rows_says_so(chapter):
    table = replace(chapter.table("T 14.1.1.1"), rows=())
    (row,) = table.with_id("T 1").rows
    assert row == Row((Cell("No record"), *[Cell("–")] * (len(table.widths) - 1)))


def reasons():
    """The reasons that stand in the programs that ask and show, with a name where a part is filled in."""
    rooms = [handmade.ROOT / "src" / "interim" / room for room in ("analysis", "display")]
    for file in sorted(file for room in rooms for file in room.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        parts = {
            id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
        }
        errors = {
            id(part) for node in ast.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)
        }
        for node in ast.walk(tree):
            if id(node) in parts | errors:
                continue
            if isinstance(node, ast.JoinedStr):
                yield "".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
                yield node.value


def test_every_reason_of_the_analysis_has_a_translation():
    voice = translator("zh-CN", Path("params"))
    found = {text for text in reasons() if SAID.match(text)} - WORDLESS
    assert len(found) > 100

    def told(text):
        return any(voice.text(text.replace("{}", part)).state != "missing" for part in ("AE", "7"))

    assert [text for text in sorted(found) if not told(text)] == []


def test_the_end_of_the_escalation_has_words_in_both_languages():
    voice = translator("zh-CN", Path("params"))
    stops = set(codelists()["DECISION"].values) - {"dose", "tumour_type"}
    assert stops <= set(printed()["stop"])
    words = [f"{ended(kind)}, {how}" for kind in printed()["stop"] for how in ("recorded", "by rule")]
    words += [f"DL2 (recommended dose, {source_of_dose(rule)})" for rule in ("mtd", "recorded")]
    states = [printed()["mtd_status"][state] for state in get_args(MtdStatus) if state != "ongoing"]
    words += [f"stop, {dose} ({state})" for state in states for dose in ("MTD DL2", "no MTD")]
    assert not [text for text in words if "_" in text or voice.text(text).state == "missing"]


def test_why_a_participant_cannot_be_judged_for_toxicity_has_words_in_both_languages():
    voice = translator("zh-CN", Path("params"))
    tree = ast.parse(Path(dlt.__file__).read_text(encoding="utf-8"))
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    codes = {text for text in texts if re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)+", text)} - {
        "WAIT-CYCLE2",
        "DOSE-DLTDIFF",
    }  # a window that waits is pending; a finding
    assert {"OFF-STUDY-IN-WINDOW", "NO-CYCLE2", "MIN-INFUSIONS"} <= codes
    for code in codes:
        said = word("reasons", code)
        assert said.casefold() != code.casefold(), code
        assert voice.text(said).state != "missing", said


def labels(tree):
    """The texts of a table of labels that stand alone: not the pieces of sentences and of words."""
    for value in tree.values():
        if isinstance(value, dict):
            yield from labels(value)
        elif isinstance(value, str) and "{" not in value and "\n" not in value and value == value.strip(" ,"):
            yield value


def test_every_label_has_a_translation():
    voice = translator("zh-CN", Path("params"))
    room = handmade.ROOT / "src" / "interim" / "display"
    found = set(labels(tomllib.loads((room / "labels.toml").read_text(encoding="utf-8"))))
    assert len(found) > 500
    assert [text for text in sorted(found) if voice.text(text).state == "missing"] == []
