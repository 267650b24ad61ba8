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
from interim.design.wording import texts as rule_texts
from interim.display.labels import word
from interim.display.language import translator
from interim.display.table import Cell, Row
from interim.report import chapter as c
from interim.report.build import _front
from interim.report.document import Document, Placed
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


CLUMSY = re.compile(
    r"(?<![\d.,:/-])1 (?:participants|people|days|cells|readings|records|queries|events|weeks|months|findings|checks|were|are|have|lead)\b"
    r"|not (?:estimable|available) (?:participants|people|days|years|months|cells|evaluable)\b"
    r"|not estimable to not estimable"
)


@pytest.fixture(scope="module", params=[0, 1])
def few(request, hand_inputs, nobody):
    """Everything that documents and notebooks say of nobody, and of one participant."""
    inputs = nobody
    if request.param:
        who = hand_inputs.adam["ADSL"].loc[lambda f: f["SAFCTFL"] == "Y", "USUBJID"].iloc[0]

        def mine(frames):
            return {n: f[f["USUBJID"] == who] if "USUBJID" in f else f for n, f in frames.items()}

        adam = replace(hand_inputs.adam, datasets=mine(hand_inputs.adam.datasets), findings=())
        sdtm = replace(hand_inputs.sdtm, domains=mine(hand_inputs.sdtm.domains), findings=())
        study = hand_inputs.study
        inputs = c.Inputs(study, sdtm, adam, c.answers(adam, study, sdtm))
    return request.param, inputs


@pytest.fixture(scope="module")
def said_of_few(few):
    """The sentences of the documents of few, by number of the document."""
    _, inputs = few
    made = Made(inputs, "en", "restricted", {"all": ()})
    texts = {"notebooks": []}
    for plan in plans():
        if plan.number in ("00", "01", "02", "04", "08", "11"):
            made_elsewhere = {"tlf", "make"} if plan.number != "11" else {"tlf"}
            own = replace(plan, part=tuple(part for part in plan.part if not made_elsewhere & set(part)))
            texts[plan.number] = list(put_together(own, made, _front(inputs, "0" * 64)).texts())
    spoken = c.Chapter(inputs)
    for book in NOTEBOOKS:
        for cell in json.loads(book.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if source.startswith("chapter.say("):
                texts["notebooks"].append(eval(source, {"chapter": spoken}))
    return texts


@pytest.mark.rule("DISP-12", source="sentences about nobody and about one participant")
def test_no_sentence_about_few_is_clumsy(said_of_few):
    assert len(said_of_few["notebooks"]) > 10 and len(said_of_few) == 7
    texts = {**said_of_few, "notebooks": [one.text() for one in said_of_few["notebooks"]]}
    wrong = [(n, text) for n, said in texts.items() for text in said if CLUMSY.search(text)]
    assert wrong == []


@pytest.mark.rule("DISP-12", source="the lay summary of nobody and of one participant, by hand")
def test_the_lay_summary_of_few(few, said_of_few):
    texts = "".join(said_of_few["04"])
    if few[0]:
        assert "1 person joined the study. 1 of them was treated." in texts
        assert "0 of 1 person died, from any cause." in texts or "1 of 1 person died" in texts
        assert "Nobody has been treated" not in texts
    else:
        assert "0 people joined the study. 0 of them were treated." in texts
        assert "Nobody has been treated yet. So nothing is known about harms." in texts
        assert "picture" not in texts and "If the cancer got smaller" not in texts


@pytest.mark.rule("DISP-12")
@pytest.mark.rule("DISP-13")
def test_what_is_said_of_few_has_a_translation(few, said_of_few):
    blocks = tuple(read(said.block(), "en") for said in said_of_few["notebooks"])
    _, missing = translated(Document(_front(few[1], "0" * 64), blocks), few[1], "zh-CN")
    assert [one.message for one in missing if one.kind == "text"] == []


@pytest.mark.rule("DOSEQ-19")
def test_the_rules_of_the_escalation_have_words_in_both_languages():
    voice = translator("zh-CN", Path("params"))
    fields = {"fill_to": 3, "below": "level 2 with 2 DLT in 3", "here": 1}
    rules = [f"{text.format(**fields)} [{rule}]" for rule, text in rule_texts()["rules"].items()]
    said = rule_texts()["changes"]
    briefs = [
        text.format(k=3, level=2, mtd=1, status=rule_texts()["mtd_status"]["established"])
        for text in rule_texts()["brief"].values()
    ]
    rules += [said["one"].format(who="P-1A2B3C", level=1, outcome=said[x], then=briefs[0]) for x in "NGT"]
    rules += [f"{said['alone'].format(who='P-1A2B3C', outcome=said[x])}: {briefs[2]}" for x in "NGT"]
    rules += [said[kind].format(then=then) for kind in ("best", "worst") for then in briefs]
    assert [text for text in rules if voice.text(text).state == "missing"] == []


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
    states = [rule_texts()["mtd_status"][state] for state in get_args(MtdStatus) if state != "ongoing"]
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
