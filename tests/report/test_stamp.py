"""The data hash is entered into finished files: they read as if they had been written with it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest

from interim.report import editions
from interim.report.cache import Cache
from interim.report.content import Cell, Document, HeaderCell, Paragraph, Section, Span, Table
from interim.report.editions import Task
from interim.report.html import write_html
from interim.report.package import Made, plans
from interim.report.pdf import pdf_bytes
from interim.report.rtf import write_rtf
from interim.report.stamp import DIGITS, PLACE, entered, with_digits, with_hash, without_digits
from interim.report.word import write_docx
from tests.report import pdf_reading as reading
from tests.report.writers_sample import front, table, whole

HASHES = ("0123456789ab", "cdef01234567", "111111111111", "ffffffffffff")
WRITERS = {".html": write_html, ".rtf": write_rtf, ".docx": write_docx}
NOTE = f"Data cut-off 2026-01-31; extract not stated; data hash {PLACE}."


def noted(**changes) -> Document:
    """A document that names the hash on its title page, in its footer and below a table."""
    own = replace(front(snapshot=PLACE, **changes))
    below = table("T 14.1.1")
    sample = whole()
    blocks = [
        replace(block, footnotes=(*block.footnotes, NOTE)) if isinstance(block, Table) else block
        for block in sample.blocks
    ]
    return replace(
        sample, front=own, blocks=(*blocks, replace(below, id="T 9", anchor="t-9", footnotes=(NOTE,)))
    )


@pytest.mark.rule("CACHE-09")
@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("digits", HASHES)
def test_a_file_with_the_hash_entered_is_the_file_that_is_written_with_it(tmp_path, ending, digits):
    held, direct = tmp_path / f"held{ending}", tmp_path / f"direct{ending}"
    WRITERS[ending](noted(), held)
    WRITERS[ending](with_hash(noted(), digits), direct)
    assert entered(held.read_bytes(), ending, digits) == direct.read_bytes()


@pytest.mark.rule("CACHE-09")
@pytest.mark.parametrize("digits", HASHES[:2])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_pdf_reads_as_if_it_had_been_set_with_the_hash(digits, language):
    held = pdf_bytes(noted(language=language))
    direct = reading.open_pdf(pdf_bytes(with_hash(noted(language=language), digits)))
    final = reading.open_pdf(entered(held, ".pdf", digits))
    assert len(final.pages) == len(direct.pages)
    texts = [
        (one.extract_text(), other.extract_text())
        for one, other in zip(final.pages, direct.pages, strict=True)
    ]
    assert all(digits in own for own, _ in texts)
    assert [own.split() for own, _ in texts] == [other.split() for _, other in texts]
    assert reading.read_in_order(final) == reading.read_in_order(direct)
    assert [tag for tag, _ in reading.tags(final)] == [tag for tag, _ in reading.tags(direct)]
    assert final.xmp_metadata is not None and final.trailer["/Root"]["/MarkInfo"]["/Marked"]


@pytest.mark.rule("CACHE-09")
def test_every_object_of_a_pdf_stands_where_its_table_says():
    final = entered(pdf_bytes(noted()), ".pdf", HASHES[0])
    table_at = int(final.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    head, count = final[table_at:].split(b"\n")[:2]
    assert head == b"xref"
    first = final.index(b"\n", table_at + 5) + 1
    for number in range(1, int(count.split()[1])):
        place = int(final[first + 20 * number : first + 20 * number + 10])
        assert final[place:].startswith(b"%d 0 obj\n" % number), number


@pytest.mark.rule("CACHE-09")
def test_the_letters_that_give_the_digits_their_shape_are_not_in_the_file():
    held = pdf_bytes(noted())
    assert any(DIGITS in page.extract_text() for page in reading.open_pdf(held).pages)
    final = reading.open_pdf(entered(held, ".pdf", HASHES[0]))
    assert not any(DIGITS in page.extract_text() for page in final.pages)
    assert not any(DIGITS in page.extract_text() for page in reading.open_pdf(pdf_bytes(whole())).pages)


@pytest.mark.rule("CACHE-09")
@pytest.mark.parametrize("where", ["header", "cell"])
def test_a_document_with_the_hash_in_a_cell_is_written_with_it(where, hand_inputs, tmp_path):
    plan = next(plan for plan in plans() if plan.number == "14")
    sample = table("T 1")
    head = (*sample.header[:-1], (HeaderCell(f"hash {PLACE}"), *sample.header[-1][1:]))
    row = replace(sample.rows[-1], cells=(Cell(f"hash {PLACE}"), *sample.rows[-1].cells[1:]))
    changed = {"header": {"header": head}, "cell": {"rows": (*sample.rows[:-1], row)}}[where]
    blocks = (Section(1, "1", "Only", "s-1"), replace(sample, **changed))
    made = Made(hand_inputs, "en", "confidential", {}, digits=HASHES[0])
    documents = [
        Document(front(snapshot=PLACE), blocks),
        Document(front(snapshot=PLACE), (blocks[0], sample)),
    ]
    told, usual = (next(editions._tasks(d, [tmp_path / "a.pdf"], plan, made, None)) for d in documents)
    assert told.digits == "" and told.document == with_hash(documents[0], HASHES[0])
    assert usual.digits == HASHES[0] and usual.document == documents[1]


@pytest.mark.rule("CACHE-09")
@pytest.mark.parametrize("ending", [".pdf", *WRITERS])
def test_other_data_with_the_same_answers_make_no_file_anew(tmp_path, hand_inputs, monkeypatch, ending):
    cache = Cache(tmp_path / "cache")

    def write(name: str, digits: str, document: Document) -> bytes:
        path = tmp_path / f"{name}{ending}"
        Task(document, path, hand_inputs.study, cache, editions.digest(document), digits).write()
        return path.read_bytes()

    first = write("first", HASHES[0], noted())
    fresh = tmp_path / f"fresh{ending}"
    Task(noted(), fresh, hand_inputs.study, digits=HASHES[1]).write()

    def never(*_):
        raise AssertionError("made anew")

    monkeypatch.setattr(editions, "write_file", never)
    second = write("second", HASHES[1], noted())
    assert second == fresh.read_bytes() != first
    changed = replace(noted(), blocks=(*noted().blocks, Paragraph((Span("another"),))))
    with pytest.raises(AssertionError, match="made anew"):
        write("third", HASHES[1], changed)


@pytest.mark.rule("CACHE-09")
def test_only_texts_of_a_word_file_change(tmp_path):
    path = tmp_path / "a.docx"
    write_docx(noted(), path)
    held, final = (
        zipfile.ZipFile(io.BytesIO(data))
        for data in (path.read_bytes(), entered(path.read_bytes(), ".docx", HASHES[1]))
    )
    assert [(e.filename, e.date_time, e.external_attr) for e in held.infolist()] == [
        (e.filename, e.date_time, e.external_attr) for e in final.infolist()
    ]
    changed = [name for name in held.namelist() if held.read(name) != final.read(name)]
    assert "word/document.xml" in changed and all(name.endswith(".xml") for name in changed)


@pytest.mark.rule("CACHE-09")
def test_a_notebook_is_kept_without_the_hash_and_served_with_the_present_one(tmp_path):
    executed = f'{{"text": "data hash {HASHES[0]}."}}'.encode()
    kept = without_digits(executed, HASHES[0])
    assert HASHES[0].encode() not in kept
    assert with_digits(kept, HASHES[1]) == executed.replace(HASHES[0].encode(), HASHES[1].encode())
    assert without_digits(executed, "") == executed == with_digits(executed, "")
