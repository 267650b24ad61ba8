"""The data hash is entered into finished files: they read as if they had been written with it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest

from interim.data.model import Source
from interim.report import editions
from interim.report.cache import Cache
from interim.report.columns import Fit, breakable
from interim.report.content import Cell, Document, Paragraph, Span, Table
from interim.report.editions import Task
from interim.report.hashes import sha256_bytes, short_snapshot
from interim.report.html import write_html
from interim.report.pdf import pdf_bytes
from interim.report.rtf import write_rtf
from interim.report.stamp import DIGITS, PLACE, entered, marks_of, place, with_digits, without_digits
from interim.report.word import write_docx
from tests.report import pdf_reading as reading
from tests.report.writers_sample import front, whole

HASHES = ("0123456789ab", "cdef01234567", "111111111111", "ffffffffffff")
FILE = "9a8b7c6d5e4f"  # hash of a file, printed in a cell
WRITERS = {".html": write_html, ".rtf": write_rtf, ".docx": write_docx}
NOTE = f"Data cut-off 2026-01-31; extract not stated; data hash {PLACE}."


def marks(digits: str) -> dict[str, str]:
    return {PLACE: digits, place(3): FILE}


def noted(digits: str = PLACE, file: str = place(3), **changes) -> Document:
    """A document that names the hash on its title page, in its footer and below tables, and another one in a cell."""
    note = NOTE.replace(PLACE, digits)
    sample = whole()
    hashed = replace(
        sample.tables[0].rows[-1], cells=(Cell(f"SHA-256 {file}"), *sample.tables[0].rows[-1].cells[1:])
    )
    blocks = [
        replace(block, footnotes=(*block.footnotes, note), rows=(*block.rows, hashed)[-len(block.rows) - 1 :])
        if isinstance(block, Table) and len(hashed.cells) == len(block.rows[-1].cells)
        else block
        for block in sample.blocks
    ]
    return replace(sample, front=front(snapshot=digits, **changes), blocks=tuple(blocks))


@pytest.mark.rule("CACHE-09")
@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("digits", HASHES)
def test_a_file_with_the_hash_entered_is_the_file_that_is_written_with_it(tmp_path, ending, digits):
    held, direct = tmp_path / f"held{ending}", tmp_path / f"direct{ending}"
    WRITERS[ending](noted(), held)
    WRITERS[ending](noted(digits, FILE), direct)
    assert entered(held.read_bytes(), ending, marks(digits)) == direct.read_bytes()


@pytest.mark.rule("CACHE-09")
@pytest.mark.parametrize("digits", HASHES[:2])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_pdf_reads_as_if_it_had_been_set_with_the_hash(digits, language):
    held = pdf_bytes(noted(language=language))
    direct = reading.open_pdf(pdf_bytes(noted(digits, FILE, language=language)))
    final = reading.open_pdf(entered(held, ".pdf", marks(digits)))
    assert len(final.pages) == len(direct.pages)
    texts = [
        (one.extract_text(), other.extract_text())
        for one, other in zip(final.pages, direct.pages, strict=True)
    ]
    assert all(digits in own for own, _ in texts) and any(FILE in own for own, _ in texts)
    assert [own.split() for own, _ in texts] == [other.split() for _, other in texts]
    assert reading.read_in_order(final) == reading.read_in_order(direct)
    assert [tag for tag, _ in reading.tags(final)] == [tag for tag, _ in reading.tags(direct)]
    assert final.xmp_metadata is not None and final.trailer["/Root"]["/MarkInfo"]["/Marked"]


@pytest.mark.rule("CACHE-09")
def test_every_object_of_a_pdf_stands_where_its_table_says():
    final = entered(pdf_bytes(noted()), ".pdf", marks(HASHES[0]))
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
    final = reading.open_pdf(entered(held, ".pdf", marks(HASHES[0])))
    assert not any(DIGITS in page.extract_text() for page in final.pages)
    assert not any(DIGITS in page.extract_text() for page in reading.open_pdf(pdf_bytes(whole())).pages)


@pytest.mark.rule("CACHE-09")
@pytest.mark.parametrize("ending", [".pdf", *WRITERS])
def test_other_data_with_the_same_answers_make_no_file_anew(tmp_path, hand_inputs, monkeypatch, ending):
    cache = Cache(tmp_path / "cache")

    def write(name: str, digits: str, document: Document) -> bytes:
        path = tmp_path / f"{name}{ending}"
        Task(document, path, hand_inputs.study, cache, editions.digest(document), marks(digits)).write()
        return path.read_bytes()

    first = write("first", HASHES[0], noted())
    fresh = tmp_path / f"fresh{ending}"
    Task(noted(), fresh, hand_inputs.study, marks=marks(HASHES[1])).write()

    def never(*_, **__):
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
        for data in (path.read_bytes(), entered(path.read_bytes(), ".docx", marks(HASHES[1])))
    )
    assert [(e.filename, e.date_time, e.external_attr) for e in held.infolist()] == [
        (e.filename, e.date_time, e.external_attr) for e in final.infolist()
    ]
    changed = [name for name in held.namelist() if held.read(name) != final.read(name)]
    assert "word/document.xml" in changed and all(name.endswith(".xml") for name in changed)


@pytest.mark.rule("CACHE-09")
def test_a_notebook_is_kept_without_the_hash_and_served_with_the_present_one(tmp_path):
    executed = f'{{"text": "data hash {HASHES[0]}."}}'.encode()
    kept = without_digits(executed, marks(HASHES[0]))
    assert HASHES[0].encode() not in kept
    assert with_digits(kept, marks(HASHES[1])) == executed.replace(HASHES[0].encode(), HASHES[1].encode())
    assert without_digits(executed, {}) == executed == with_digits(executed, {})


@pytest.mark.rule("CACHE-09")
def test_each_file_has_a_place_of_its_own_and_the_hash_of_all_the_first():
    sources = [Source(f"{name}.csv", "AE", "csv", sha256_bytes(name.encode()), 1) for name in ("b", "a", "c")]
    marks = marks_of(sources)
    assert list(marks) == [PLACE, place(1), place(2), place(3)]
    assert list(marks.values()) == [
        short_snapshot(sources),
        *(sha256_bytes(n)[:12] for n in (b"a", b"b", b"c")),
    ]
    many = [Source(f"{n:03}.csv", "AE", "csv", sha256_bytes(b"%d" % n), 1) for n in range(300)]
    assert len(marks_of(many)) == 256 == len(set(marks_of(many)))
    text = " ".join(marks_of(many).values()).encode()
    assert with_digits(without_digits(text, marks_of(many)), marks_of(many)) == text


@pytest.mark.rule("CACHE-09")
def test_a_hash_is_never_broken_in_a_cell():
    narrow = Fit(8.0, (9.0,), True, 1.0, 1.0)
    assert breakable(PLACE, narrow, 0) == PLACE and breakable(FILE, narrow, 0) == FILE
    assert breakable("unbreakableword", narrow, 0) != "unbreakableword"


@pytest.mark.rule("CACHE-09")
def test_pictures_in_hexadecimal_digits_and_whole_hashes_stay():
    known = marks(HASHES[0])
    whole = sha256_bytes(b"a file")
    picture = f"7aca31{PLACE}63bf88\n{PLACE}00\n11{PLACE}".encode()
    assert with_digits(picture, known) == picture
    own = {PLACE: whole[:12]}
    assert without_digits(whole.encode(), own) == whole.encode()
    twice = f"{whole[:12]}{whole[:12]}".encode()
    assert without_digits(twice, own) == twice
    for text in ("({})", "<td>{}</td>", '"hash\\n{}."', "{}", "{} {}"):
        shown, held = (text.replace("{}", word).encode() for word in (whole[:12], PLACE))
        assert without_digits(shown, own) == held
        assert with_digits(held, own) == shown
