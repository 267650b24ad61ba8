"""A PDF that is bound from kept parts is the PDF that is set as one."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from interim.errors import ReportError
from interim.report import pdf, pdf_set
from interim.report.cache import Cache
from interim.report.content import Document, Section
from interim.report.editions import Task, digest
from interim.report.pdf import pdf_and_pages, pdf_bytes
from interim.report.pdf_bound import Part, bound
from interim.report.pdf_file import PdfFile
from interim.report.stamp import PLACE, entered
from tests.report import pdf_reading as reading
from tests.report.writers_sample import figure, front, spans, table, whole

ODD_ALT = "Steps 5 0 R and (12 0 R (1 0 R)) as text"


def book(*tables: int, form="appendix", **changes) -> Document:
    """A document whose tables, with so many rows, lie alternately and stand below headings of three levels."""
    blocks = [Section(1, "1", "First chapter", "s-1"), spans("Before all.")]
    for number, rows in enumerate(tables, 1):
        way = "landscape" if number % 3 == 0 else "portrait"
        own = replace(table(id=f"T 1.{number}", rows=rows, title=f"Table of {number}"), orientation=way)
        blocks += [
            Section(2, f"1.{number}", f"Part {number}", f"s-1.{number}"),
            Section(3, f"1.{number}.1", f"Below {number}", f"s-1.{number}.1"),
            own,
            replace(figure(id=f"F 1.{number}"), alt=f"{ODD_ALT} {number}", orientation=way),
        ]
    return Document(front(**changes), tuple(blocks), form=form)


def split(monkeypatch, cells: int) -> None:
    monkeypatch.setattr(pdf_set, "_PART", cells)


def told(made: bytes) -> dict[str, object]:
    """Everything that a reader of the file is told, in whatever order its objects stand."""
    reader = reading.open_pdf(made)
    pages = {page.indirect_reference.idnum: number for number, page in enumerate(reader.pages)}

    def plain(item, names):
        item = item.get_object() if isinstance(item, IndirectObject) else item
        if isinstance(item, DictionaryObject):
            return {key: plain(value, names) for key, value in item.items()}
        if isinstance(item, ArrayObject):
            return [plain(value, names) for value in item]
        return names.setdefault(item, len(names)) if re.fullmatch(r"(P\d+)?U\d+x\d+y\d+", str(item)) else item

    def tags():
        names = {}
        for kind, tag in reading.tags(reader):
            marks = [kid for kid in tag.get("/K", []) if isinstance(kid, int)] if "/K" in tag else []
            page = pages[tag.raw_get("/Pg").idnum] if "/Pg" in tag else None
            kept = {key: plain(tag[key], names) for key in ("/A", "/ID", "/Alt", "/T") if key in tag}
            yield kind, page, marks, kept

    def place(target):
        return pages[target[0].idnum], *(round(float(value), 2) for value in target[2:4])

    def links():
        for number, page in enumerate(reader.pages):
            for link in page.get("/Annots", []):
                link = link.get_object()
                target = link["/Dest"]
                yield (
                    number,
                    [*link["/Rect"]],
                    target if isinstance(target, str) else place(target),
                    link["/Contents"],
                )

    named = reader.trailer["/Root"]["/Names"]["/Dests"]["/Names"]
    return {
        "pages": [[*page.mediabox] for page in reader.pages],
        "pieces": sorted(
            (piece.page, round(piece.x, 2), round(piece.y, 2), round(piece.size, 2), piece.text)
            for piece in reading.pieces(reader)
        ),
        "order": reading.read_in_order(reader, skip=()),
        "tags": list(tags()),
        "links": list(links()),
        "names": [
            (name, place(target.get_object())) for name, target in zip(named[::2], named[1::2], strict=True)
        ],
        "bookmarks": [*bookmarks(reader, reader.outline)],
        "labels": reader.page_labels,
        "claims": sorted(
            re.findall(
                r"<pdf[au]+id:\w+>\w+<", reader.trailer["/Root"]["/Metadata"].get_object().get_data().decode()
            )
        ),
    }


def bookmarks(reader, items, level=0):
    for item in items:
        if isinstance(item, list):
            yield from bookmarks(reader, item, level + 1)
        else:
            yield level, item.title, reader.get_destination_page_number(item), round(float(item.top), 2)


@pytest.mark.rule("CACHE-13")
@pytest.mark.parametrize("form", ["report", "appendix"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_parts_that_are_bound_tell_what_one_part_tells(monkeypatch, form, language):
    document = book(4, 60, 30, 5, form=form, language=language)
    found = []
    for cells in (1, 10**9):
        split(monkeypatch, cells)
        made, places = pdf_and_pages(document)
        found.append(told(made) | {"bookmarks": [*told(made)["bookmarks"]], "places": places})
    for key, own in found[0].items():
        assert own == found[1][key], key
    assert len(found[0]["bookmarks"]) == 12 and len(found[0]["links"]) > 15
    assert len({tuple(page) for page in found[0]["pages"]}) == 2


@pytest.mark.rule("CACHE-13")
def test_what_is_bound_is_what_typst_sets_as_one_file(monkeypatch):
    """Against a file that was never bound: the same blocks below the head of a sheet, whose tags differ only by that head."""
    split(monkeypatch, 1)
    document = book(4, 60, 30, form="appendix")
    blocks = document.blocks
    sheet = reading.open_pdf(pdf_bytes(replace(document, form="sheet")))
    bound_file = reading.open_pdf(pdf_bytes(document))
    texts = [
        reading.read_in_order(reader).partition(blocks[1].spans[0].text)[2] for reader in (sheet, bound_file)
    ]
    assert texts[0] == texts[1] != ""
    kinds = [[kind for kind, _ in reading.tags(reader)] for reader in (sheet, bound_file)]
    assert all(
        kinds[0].count(kind) == kinds[1].count(kind)
        for kind in ("/Table", "/TR", "/TH", "/TD", "/Figure", "/H2", "/H3")
    )


@pytest.mark.rule("CACHE-13")
@pytest.mark.parametrize("cells", [1, 10**9])
def test_every_reference_and_every_mark_is_known(monkeypatch, cells):
    split(monkeypatch, cells)
    made = pdf_bytes(book(40, 5, 5))
    file, reader = PdfFile(made), reading.open_pdf(made)
    pages = {page.indirect_reference.idnum: page for page in reader.pages}
    named = {int(other) for other in re.findall(rb"(\d+) 0 R", file.trailer)}
    for number in range(1, file.size):
        body = file.body(number).partition(b"stream\n")[0]
        named |= {
            int(other) for other in re.findall(rb"(\d+) 0 R", re.sub(rb"\(Steps.*?text \d\)", b"", body))
        }
    assert named == set(range(1, file.size))
    tree = reader.trailer["/Root"]["/StructTreeRoot"]
    nums = tree["/ParentTree"]["/Nums"]
    owners = dict(zip(nums[::2], nums[1::2], strict=True))
    assert [*owners] == sorted(owners) and max(owners) < tree["/ParentTreeNextKey"]
    for page in pages.values():
        for mark, owner in enumerate(owners[page["/StructParents"]].get_object()):
            kids = owner["/K"]
            direct = mark in kids and owner.raw_get("/Pg").idnum == page.indirect_reference.idnum
            assert direct or any(
                isinstance(kid, DictionaryObject)
                and kid.get("/MCID") == mark
                and kid.raw_get("/Pg").idnum == page.indirect_reference.idnum
                for kid in kids
            )
    names = [str(name) for name in tree["/IDTree"]["/Names"][::2]]
    assert names == sorted(set(names))
    heads = {str(tag["/ID"]) for kind, tag in reading.tags(reader) if "/ID" in tag}
    assert heads == set(names)


@pytest.mark.rule("CACHE-13")
def test_what_looks_like_a_reference_in_a_text_stays(monkeypatch):
    split(monkeypatch, 1)
    reader = reading.open_pdf(pdf_bytes(book(5, 5)))
    found = [tag["/Alt"] for kind, tag in reading.tags(reader) if kind == "/Figure"]
    assert found == [f"{ODD_ALT} {number}" for number in (1, 2)]


@pytest.mark.rule("CACHE-13")
@pytest.mark.parametrize(
    ("after", "sets"),
    [
        (book(5, 6, 5, 5), [True]),
        (book(5, 200, 5, 5), [True, False]),
        (book(5, 5, 5, 5, revision="9.9"), [False]),
    ],
    ids=["a row", "a page", "a footer"],
)
def test_a_changed_table_sets_its_part_and_the_frame_if_that_shows_it(after, sets, tmp_path, monkeypatch):
    split(monkeypatch, 1)
    seen = []
    own = pdf_set.Setter._set
    monkeypatch.setattr(pdf_set.Setter, "_set", lambda self, model: seen.append(model) or own(self, model))
    cache = Cache(tmp_path)
    before = book(5, 5, 5, 5)
    first, _ = pdf_and_pages(before, cache=cache)
    assert len(seen) == 9
    second = pdf_and_pages(after, cache=cache)
    assert [bool(model["runs"]) for model in seen[9:]] == sets
    count = len(seen)
    assert pdf_and_pages(after, cache=cache) == second and len(seen) == count
    assert second == pdf_and_pages(after) and second[0] != first == pdf_bytes(before)


@pytest.mark.rule("CACHE-13")
def test_of_a_part_that_is_kept_no_model_is_made(tmp_path, monkeypatch):
    split(monkeypatch, 1)
    cache, after, seen = Cache(tmp_path), book(5, 6, 5, 5), []
    pdf_and_pages(book(5, 5, 5, 5), cache=cache)
    own = pdf._table
    monkeypatch.setattr(pdf, "_table", lambda table, *rest: seen.append(table.id) or own(table, *rest))
    second = pdf_and_pages(after, cache=cache)
    assert seen == [after.tables[1].id]
    digests = [digest(block) for block in after.blocks]
    assert pdf_and_pages(after, cache=cache, digests=digests) == second and len(seen) == 1


@pytest.mark.rule("CACHE-13")
def test_the_name_of_a_block_in_a_part_holds_all_that_its_model_is_made_from():
    block, other = book(5, 5).tables
    laid = pdf_set.Laid(block, digest(block), 0.0, fresh=False, sticky=False, make=dict)
    changes = ({"digest": digest(other)}, {"used": 1.0}, {"used": None}, {"fresh": True}, {"sticky": True})
    names = [laid.named(), *(replace(laid, **change).named() for change in changes)]
    assert all(one != two for number, one in enumerate(names) for two in names[:number])


@pytest.mark.rule("CACHE-13")
def test_other_numbers_of_pages_and_another_footer_set_no_part(tmp_path, monkeypatch):
    split(monkeypatch, 1)
    cache = Cache(tmp_path)
    pdf_and_pages(book(5, 5, 5), cache=cache)
    seen = []
    own = pdf_set.Setter._set
    monkeypatch.setattr(pdf_set.Setter, "_set", lambda self, model: seen.append(model) or own(self, model))
    later = book(200, 5, 5, revision="9.9")
    made, places = pdf_and_pages(later, cache=cache)
    assert len(seen) == 2 and (made, places) == pdf_and_pages(later)
    pages = [page.extract_text() for page in reading.open_pdf(made).pages]
    assert all(
        "9.9" in text and f"Page {number} of {len(pages)}" in text for number, text in enumerate(pages, 1)
    )


@pytest.mark.rule("CACHE-13")
def test_a_document_that_is_taken_whole_keeps_its_parts(tmp_path, hand_inputs, monkeypatch):
    split(monkeypatch, 1)
    cache, path = Cache(tmp_path / "cache"), tmp_path / "a.pdf"
    document = book(5, 5)

    def build() -> set[str]:
        cache.begin()
        Task(document, path, hand_inputs.study, cache, digest(document)).write()
        cache.end("study")
        return {entry.name for entry in (tmp_path / "cache").glob("??/*")}

    first = build()
    assert len(first) == 7 and [build() for _ in range(3)] == [first] * 3


@pytest.mark.rule("CACHE-13")
@pytest.mark.rule("CACHE-09")
def test_hashes_are_entered_on_the_pages_of_every_part(monkeypatch):
    split(monkeypatch, 1)
    document = book(5, 5, 5, snapshot=PLACE)
    noted = [
        replace(block, footnotes=(f"Data hash {PLACE}.",)) if block in document.tables[1:] else block
        for block in document.blocks
    ]
    made = entered(pdf_bytes(replace(document, blocks=tuple(noted))), ".pdf", {PLACE: "0123456789ef"})
    texts = [page.extract_text() for page in reading.open_pdf(made).pages]
    assert all("Data hash 0123456789ef" in text for text in texts) and PLACE not in "".join(texts)
    assert sum(text.count("Data hash 0123456789ef.") for text in texts) == 2
    assert "0123456789abcdef" not in "".join(texts)


@pytest.mark.rule("CACHE-13")
@pytest.mark.rule("DOC-07")
def test_letters_that_are_lacking_in_several_parts_are_told_at_once(monkeypatch):
    split(monkeypatch, 1)
    document = book(5, 5, title="Title 龘")
    odd = [
        replace(block, title=f"{block.title} 龗") if block in document.tables else block
        for block in document.blocks
    ]
    with pytest.raises(ReportError) as error:
        pdf_bytes(replace(document, blocks=tuple(odd)))
    assert "U+9F98 '龘' in the title page" in str(error.value)
    assert "U+9F97 '龗' in T 1.1, T 1.2" in str(error.value)


@pytest.mark.rule("CACHE-13")
def test_a_frame_with_too_few_pages_is_refused():
    part = Part(pdf_bytes(replace(whole(), form="sheet")))
    few = pdf_bytes(Document(front(), ()))
    assert len(part.flipped) > 2
    with pytest.raises(ValueError, match=r"pages of parts for 2 pages"):
        bound(few, [part])


@pytest.mark.rule("CACHE-13")
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_a_compiler_that_is_ready_before_the_fork_begins_no_thread():
    """Else the parent could not be forked (decision 070); asked in a process of its own, since this one has set files."""
    code = (
        "import os; from interim.report.pdf_set import compiler; compiler();"
        "print(len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
