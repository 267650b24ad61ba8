"""Every table and figure of the registry for a study with arms, and for one that delivers participants only."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from interim.report import chapter as c
from interim.report.blocks import read_block
from interim.report.registry import cited, registry
from interim.study import read_study
from tests.report import handmade

LOST = re.compile(r"\b(?:nan|NaN|<NA>|inf|None|NaT)\b|Traceback|[{}]")
ARMS = {"DL1": "P", "DL2": "L", "DL3": "L", "DL4": "H", "NK only": "P"}
ARM_TABLE = '[cohort]\nvariable = "ARMCD"\nlabels = {P = "Placebo", L = "Low dose", H = "High dose"}\n'


def with_arms(inputs):
    """Return the inputs with the dose levels replaced by three arms."""
    adsl = inputs.adam["ADSL"].copy()
    for name in ("COHORT", "COHORTA"):
        adsl[name] = [ARMS.get(value) for value in adsl[name]]
    return {**inputs.adam.datasets, "ADSL": adsl}


def participants_only(inputs):
    return {"ADSL": inputs.adam["ADSL"]}


STUDIES = {"arms": (ARM_TABLE, with_arms), "participants only": ("", participants_only)}


@pytest.fixture(scope="module", params=list(STUDIES))
def chapter(request, tmp_path_factory):
    """The chapter of one of the studies, all questions answered once."""
    more, datasets = STUDIES[request.param]
    file = handmade.write_study(tmp_path_factory.mktemp("other") / "params")
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    study = read_study(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c, "answers", lambda adam, study, sdtm: None)
        plain = handmade.open_inputs(study)
    kept = datasets(plain)
    gone = {name: "not delivered" for name in plain.adam.datasets if name not in kept}
    adam = replace(plain.adam, datasets=kept, missing={**plain.adam.missing, **gone})
    return c.Chapter(replace(plain, adam=adam, store=c.answers(adam, study, plain.sdtm)))


def texts(block) -> list[str]:
    cells = [cell["text"] for row in block.get("rows", ()) for cell in row["cells"]]
    heads = [cell["text"] for row in block.get("header", ()) for cell in row]
    return [*cells, *heads, *block["footnotes"], block.get("alt", ""), block["title"], block["population"]]


@pytest.mark.rule("TLF-01")
@pytest.mark.parametrize("tlf", registry(), ids=lambda tlf: tlf.id)
def test_every_entry_shows_and_can_enter_a_document(chapter, tlf):
    shown = getattr(chapter, tlf.kind)(tlf.id)
    if tlf.kind in ("figures", "story"):
        blocks = [item.block() for item in shown.items]
        assert blocks and all(read_block(block)[1] == [] for block in blocks)
        assert not LOST.search(shown.text())
        return
    block = shown.block()
    found, problems = read_block(block)
    assert problems == [] and found.id == tlf.id
    assert [text for text in texts(block) if LOST.search(text)] == []
    assert block["labels"] == list(c.labels_of(chapter.inputs))


@pytest.mark.rule("TLF-01")
def test_each_question_is_answered_once_and_named_as_the_registry_does(chapter):
    assert set(chapter.inputs.store) == {tlf.analysis for tlf in registry()} | set(cited())


@pytest.mark.parametrize("call", ["table", "figure", "say"])
def test_wrong_requests_of_a_chapter_keep_their_words(chapter, call):
    with pytest.raises(c.ReportError) as caught:
        getattr(chapter, call)("{no.question/Total/x//rate|x/n (%)}")
    assert "no.question" in str(caught.value)


@pytest.mark.parametrize(
    ("label", "severities", "expected"),
    [
        ("", [], ()),
        ("TEST", [], ("TEST",)),
        ("", ["stop"], ("DRAFT - 1 finding(s) would stop a final report",)),
        ("TEST", ["stop", "warn", "stop"], ("TEST", "DRAFT - 2 finding(s) would stop a final report")),
        ("TEST", ["warn", "info"], ("TEST",)),
    ],
)
def test_labels_of_every_page(label, severities, expected):
    findings = tuple(SimpleNamespace(severity=severity) for severity in severities)
    study = SimpleNamespace(study=SimpleNamespace(label=label))
    assert c.labels_of(SimpleNamespace(adam=SimpleNamespace(findings=findings), study=study)) == expected
