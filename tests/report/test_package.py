"""The documents of the package: which objects stand where, from hand-made notebooks."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

import interim
from interim.display.language import translator
from interim.errors import ReportError
from interim.report import editions
from interim.report.content import Document, Figure, Table, text_table
from interim.report.document import Heading, Placed
from interim.report.documents import checklist, transmittal
from interim.report.hashes import sha256
from interim.report.package import Made, lacking, plans, put_together, read_plans
from interim.report.pdf import pdf_bytes
from interim.report.shells import shell_of, shells, tiers
from tests.report.pdf_reading import open_pdf, pieces
from tests.report.writers_sample import front


def table(tlf_id: str) -> Table:
    return text_table(tlf_id, f"Title of {tlf_id}", head=("Name", "Value"), rows=[("a", "b")])


def made(*ids: str, notebook: str = "01_conduct", inputs=None) -> Made:
    """What is at hand when one notebook shows tables under a heading."""
    loose = [Placed("cell", Heading(1, "Chapter")), *(Placed("cell", table(i)) for i in ids)]
    inputs = inputs or SimpleNamespace(study=SimpleNamespace(), store={})
    return Made(inputs, "en", "confidential", {notebook: tuple(loose)})


def pages(data: bytes) -> list[str]:
    """Return the text of each page of a PDF, without its blanks."""
    reader = open_pdf(data)
    found = [""] * len(reader.pages)
    for piece in pieces(reader):
        found[piece.page] += piece.text
    return ["".join(text.split()) for text in found]


def plan(number: str):
    return next(p for p in plans() if p.number == number)


def ids(document: Document) -> list[str]:
    return [block.id for block in document.blocks if isinstance(block, (Table, Figure))]


SHOWN = ("T 14.2.1.2", "T 14.2.1.6", "L 16.2.1.1", "T 14.1.1.1", "L 14.3.2.2")


@pytest.mark.rule("PKG-01")
def test_each_tier_stands_in_its_document_and_is_named_in_the_report(hand_inputs):
    assert [tiers()[i] for i in SHOWN] == ["B", "A", "S", "B", "S"]
    report = put_together(plan("05"), made(*SHOWN, inputs=hand_inputs), front())
    assert [i for i in ids(report) if i in shells()] == ["T 14.2.1.2", "T 14.1.1.1"]
    notes = ["".join(s.text for s in b.spans) for b in report.blocks if b.kind == "paragraph"]
    assert [note for note in notes if note.startswith("In the ")] == [
        "In the appendix (document 06): T 14.2.1.6.",
        "In the restricted listings (document 07): L 16.2.1.1.",
        "In the restricted listings (document 07): L 14.3.2.2.",
    ]
    appendix = put_together(plan("06"), made(*SHOWN, inputs=hand_inputs), front())
    assert ids(appendix) == ["T 14.1.1.1", "T 14.2.1.2", "T 14.2.1.6", "results"]
    assert [s.title for s in appendix.sections] == [
        "Participants: disposition, baseline, exposure",
        "Dose finding",
        "Index of results",
    ]
    assert ids(put_together(plan("07"), made(*SHOWN, inputs=hand_inputs), front())) == [
        "L 14.3.2.2",
        "L 16.2.1.1",
    ]


@pytest.mark.rule("PKG-01", source="the numbers themselves")
def test_the_restricted_document_has_the_narratives_first_and_the_listings_in_the_order_of_their_numbers(
    hand_inputs,
):
    numbers = ("L 16.2.1.1", "L 16.2.4.1", "L 16.2.5.1", "L 16.2.5.2", "L 16.2.7.1", "L 16.2.9.2")
    binder = put_together(plan("07"), made(*reversed(numbers), inputs=hand_inputs), front())
    assert ids(binder) == list(numbers)
    (book,) = (part for part in plan("07").part if "notebook" in part)
    assert (book["sections"], book["shift"]) == (["Narratives"], -1)


@pytest.mark.rule("PKG-01", source="spec/tlf_shells.csv: the body holds the planned objects of tier B")
def test_what_stands_beside_the_plan_is_in_the_appendix_and_named_in_the_report(hand_inputs):
    shown = ("T 14.2.1.2", "T 14.2.1.2a", "T 14.2.1.2b")
    report = put_together(plan("05"), made(*shown, inputs=hand_inputs), front())
    assert [i for i in ids(report) if i.startswith("T 14.2.1.2")] == ["T 14.2.1.2"]
    notes = ["".join(s.text for s in b.spans) for b in report.blocks if b.kind == "paragraph"]
    assert "In the appendix (document 06): T 14.2.1.2a, T 14.2.1.2b." in notes
    assert ids(put_together(plan("06"), made(*shown), front()))[:3] == list(shown)


@pytest.mark.rule("PKG-01")
def test_no_object_of_single_participants_is_asked_for_outside_the_restricted_document():
    for one in plans():
        named = [part["tlf"] for part in one.part if "tlf" in part]
        wanted = {
            tier for part in one.part for kind in ("tiers", "tlfs", "others") for tier in part.get(kind, ())
        }
        if one.copy == "confidential":
            assert "S" not in wanted | {tiers()[shell_of(i)] for i in named}, one.number


def test_the_planned_id_behind_an_object():
    for shell in shells():
        assert shell_of(shell) == shell
    assert [shell_of(i) for i in ("T 14.3.1.10a", "F 14.3.4.2.7")] == ["T 14.3.1.10", "F 14.3.4.2"]
    with pytest.raises(ReportError, match=r"T 99\.1: no table"):
        shell_of("T 99.1")


@pytest.mark.rule("PKG-02")
def test_what_the_notebooks_do_not_show_is_named(hand_inputs):
    part = {"notebook": "07_data_quality", "tiers": ["B"]}
    (alone,) = read_plans([{"number": "20", "stem": "a", "title": "A", "part": [part]}])
    assert lacking(alone, made("T 14.6.1", notebook="07_data_quality")) == ()
    assert lacking(alone, made("T 14.6.1")) == ("07_data_quality",)
    assert lacking(plan("08"), made("T 14.6.1")) == ()
    assert "T 14.2.1.1" in lacking(plan("03"), made("T 14.2.1.2"))
    assert lacking(plan("05"), made("T 14.2.1.2", notebook="my_own")) == ()
    found = put_together(plan("05"), made("T 14.2.1.2", notebook="my_own", inputs=hand_inputs), front())
    assert [i for i in ids(found) if i in shells()] == ["T 14.2.1.2"]


@pytest.mark.rule("PKG-02")
def test_a_wrong_list_of_documents_is_refused_with_all_its_problems():
    rows = [
        {"number": "20", "stem": "a", "title": "A", "part": [{"say": "x", "text": "y"}, {"tlf": "T 99.1"}]},
        {"number": "20", "stem": "b", "title": "B", "part": [{"tlf": "T 14.1.1.1"}]},
    ]
    with pytest.raises(ReportError) as caught:
        read_plans(rows)
    told = str(caught.value)
    for text in ("20: number used twice", "a part must have one of", "T 99.1 is no planned"):
        assert text in told


@pytest.mark.rule("PKG-02")
def test_text_that_a_document_cannot_hold_is_refused_with_its_place():
    (wrong,) = read_plans(
        [{"number": "20", "stem": "a", "title": "A", "part": [{"text": "| a |\n|--|\n| b |"}]}]
    )
    with pytest.raises(ReportError, match="document 20, part 1"):
        put_together(wrong, made("T 14.1.1.1"), front())


@pytest.mark.rule("PKG-03")
def test_objects_of_an_appendix_start_on_pages_of_their_own_and_headings_go_with_them():
    objects = replace(plan("06"), part=plan("06").part[:1])
    document = put_together(objects, made("T 14.1.1.1", "T 14.2.1.2", "T 14.2.1.6"), front())
    assert [b.kind for b in document.blocks] == ["section", "table", "section", "table", "table"]
    assert document.fresh() == (False, False, True, False, True)
    found = [page for page in pages(pdf_bytes(document)) if "Name" in page]
    assert [page.count("TitleofT") for page in found] == [1, 1, 1]
    assert "Dosefinding" in found[1]
    after = pages(pdf_bytes(document))
    blank = len(after) - after.index(found[0]) - len(found)
    assert blank == 0, "a page without anything between the objects"


@pytest.mark.rule("PKG-03")
def test_a_sheet_begins_with_its_title_and_has_no_lists():
    whole = put_together(plan("06"), made("T 14.1.1.1"), front())
    sheet = Document(whole.front, whole.blocks, "sheet")
    assert len(pages(pdf_bytes(sheet))) < len(pages(pdf_bytes(whole)))
    first = pages(pdf_bytes(sheet))[0]
    assert "Tablesandfigures" in first and "TitleofT14.1.1.1" in first and "Contents" not in first


@pytest.mark.rule("PKG-04")
def test_the_index_names_every_other_file_with_its_hash_whatever_the_number_of_writers(tmp_path, hand_inputs):
    at_hand = made("T 14.2.1.2", "L 16.2.1.1")
    at_hand = Made(hand_inputs, "en", "confidential", at_hand.chapters)
    said: list[str] = []
    found = []
    for workers in (1, 2):
        folder = tmp_path / str(workers) / "documents"
        folder.parent.mkdir()
        outputs = editions.write_package(
            folder, at_hand, front=front(), languages=("en",), workers=workers, say=said.append
        )
        assert outputs == {f"documents/{p.name}": sha256(p) for p in folder.iterdir()}
        found.append(outputs)
    assert found[0] == found[1]
    assert any(line.startswith("03") and "not made" in line and "T 14.2.1.1" in line for line in said)
    page = (folder / "00_transmittal.en.html").read_text(encoding="utf-8")
    others = {name: value for name, value in outputs.items() if "/00_" not in name}
    assert len(others) >= 3
    for name, digest in others.items():
        assert name.partition("/")[2] in page and digest in page
    rows = [row for row in re.findall(r"(?s)<tr>(.*?)</tr>", page) if ".html" in row]
    stated = [re.sub(r"<[^>]+>", " ", row).split() for row in rows]
    moment = f"{hand_inputs.study.moment:%Y-%m-%d}"
    assert stated and all({"English", interim.__version__, moment} <= set(words) for words in stated)


@pytest.mark.rule("CHK-09")
def test_the_checklist_sees_english_headings_in_a_chinese_package(tmp_path, hand_inputs, monkeypatch):
    seen: dict[str, Document] = {}

    def look(made: Made):
        seen.update(made.documents)
        return iter(())

    monkeypatch.setattr(checklist, "cross_reference", look)
    chosen = [one for one in plans() if one.number in ("14", "10")]
    monkeypatch.setattr(editions, "plans", lambda: chosen)
    at_hand = Made(hand_inputs, "zh-CN", "confidential", made("T 14.2.1.2").chapters)
    folder = tmp_path / "documents"
    editions.write_package(
        folder, at_hand, front=front(), languages=("zh-CN",), workers=1, say=lambda _: None
    )
    assert seen["14"].sections[0].title == "Status of the plan"
    (page,) = folder.glob("14_*.zh-CN.html")
    assert 'id="' + seen["14"].sections[0].anchor + '"' in page.read_text(encoding="utf-8")
    assert "Status of the plan" not in page.read_text(encoding="utf-8")


@pytest.mark.rule("LNT-09", source="decision 298: the linters run while the files are written")
@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_check_says_is_said_and_what_it_refuses_is_refused(
    workers, tmp_path, hand_inputs, monkeypatch
):
    chosen = [one for one in plans() if one.number in ("14", "10")]
    monkeypatch.setattr(editions, "plans", lambda: chosen)
    report = hand_inputs.study.report.model_copy(update={"start_method": "fork"})
    study = hand_inputs.study.model_copy(update={"report": report})
    at_hand = Made(replace(hand_inputs, study=study), "en", "confidential", made("T 14.2.1.2").chapters)
    said: list[str] = []

    def check(documents, before):
        if "14" in before:
            raise ReportError(f"no {', '.join(documents)}")
        return (f"warning: {', '.join(documents)}",)

    with pytest.raises(ReportError, match="no 10_"):
        editions.write_package(
            tmp_path / "documents", at_hand, front=front(), languages=("en",), workers=workers, say=said.append, check=check
        )  # fmt: skip
    assert [line for line in said if line.startswith("warning: 14_")] == said[:1]


@pytest.mark.rule("PKG-04")
def test_the_index_can_be_said_in_chinese():
    at_hand = SimpleNamespace(
        outputs={"documents/04_lay_summary.en.pdf": "0" * 64, "documents/04_lay_summary.zh-CN.pdf": "1" * 64},
        inputs=SimpleNamespace(study=SimpleNamespace(moment=front().timestamp)),
    )
    _, found = transmittal.index(at_hand)
    chinese = translator("zh-CN")
    assert [bool(row.cells[1].text) for row in found.rows] == [True, False], (
        "the title of a document stands once"
    )
    texts = [cell.text for row in found.rows for cell in row.cells] + [head.text for head in found.header[0]]
    texts += list(found.footnotes)
    assert [text for text in texts if chinese.text(text).state == "missing"] == []
