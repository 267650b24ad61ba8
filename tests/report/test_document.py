from __future__ import annotations

import copy
import json
from datetime import datetime

import pytest

from interim.errors import ReportError
from interim.report import document as module
from interim.report.blocks import MIME
from interim.report.cache import Cache
from interim.report.content import ListBlock, Paragraph, Section, Table
from interim.report.document import collect, read_chapters
from interim.report.stamp import PLACE
from tests.report.test_blocks import FIGURE, TABLE, TEXT, changed
from tests.report.writers_sample import front


def code(*blocks, id="c", number=1, source="show()", tags=(), outputs=None):
    shown = [
        {"output_type": "display_data", "data": {MIME: block, "text/plain": "x"}, "metadata": {}}
        for block in blocks
    ]
    return {
        "id": id,
        "cell_type": "code",
        "source": source,
        "execution_count": number,
        "metadata": {"tags": list(tags)},
        "outputs": shown if outputs is None else outputs,
    }


def text(source, id="m", kind="markdown"):
    return {"id": id, "cell_type": kind, "source": source, "metadata": {}}


@pytest.fixture
def book(tmp_path):
    def write(*cells, name="01_a.ipynb"):
        (tmp_path / name).write_text(
            json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
            encoding="utf-8",
        )
        return tmp_path / name

    return write


def problems(*paths, **changes) -> str:
    with pytest.raises(ReportError) as caught:
        collect(paths, front=front(**changes))
    return str(caught.value)


@pytest.mark.rule("DOC-16")
def test_headings_are_numbered_once_over_all_notebooks(book):
    one = book(text("# A\n\n## B\n\n## C\n\n### D"), code(TABLE), text("# E\n\n## F"))
    two = book(text(["# G\n", "\n", "Text."]), code(TEXT), name="02_b.ipynb")
    document = collect([one, two], front=front())
    found = [(s.level, s.number, s.title, s.anchor) for s in document.sections]
    assert found == [
        (1, "1", "A", "s-1"),
        (2, "1.1", "B", "s-1.1"),
        (2, "1.2", "C", "s-1.2"),
        (3, "1.2.1", "D", "s-1.2.1"),
        (1, "2", "E", "s-2"),
        (2, "2.1", "F", "s-2.1"),
        (1, "3", "G", "s-3"),
    ]
    assert isinstance(document.blocks[4], Table) and isinstance(document.blocks[-1], Paragraph)


@pytest.mark.rule("PAT-02", source="written by hand")
def test_a_text_with_a_heading_of_its_own_stands_one_level_below_the_written_one(book):
    one, two = ({**TEXT, "heading": f"Participant {name}"} for name in "XY")
    path = book(
        text("# A\n\n## Narratives"),
        code(one, two),
        code(one, id="d", number=2),
        text("## B", id="n"),
        code(TEXT, id="e", number=3),
    )
    document = collect([path], front=front())
    assert [(s.number, s.title, s.anchor) for s in document.sections] == [
        ("1", "A", "s-1"),
        ("1.1", "Narratives", "s-1.1"),
        ("1.1.1", "Participant X", "s-1.1.1"),
        ("1.1.2", "Participant Y", "s-1.1.2"),
        ("1.1.3", "Participant X", "s-1.1.3"),
        ("1.2", "B", "s-1.2"),
    ]
    kinds = [block.kind for block in document.blocks]
    assert kinds[2:6] == ["section", "paragraph", "section", "paragraph"]
    assert "the heading is blank" in problems(book(text("# A"), code({**TEXT, "heading": " "})))


@pytest.mark.rule("DOC-14")
def test_only_blocks_of_code_cells_enter(book):
    path = book(
        text("# A\n\n- one\n- two"),
        code(TABLE, TEXT),
        code(source="", number=None, id="empty"),
        code(source="skip()", number=None, tags=["skip-execution"], id="skipped"),
        code(FIGURE, number=2),
    )
    assert [type(block) for block in collect([path], front=front()).blocks][:3] == [Section, ListBlock, Table]
    assert "show()" not in "".join(collect([path], front=front()).texts())


@pytest.mark.rule("DOC-14")
@pytest.mark.parametrize(
    "cells, expected",
    [
        (
            [text("# A"), code(TABLE, number=2)],
            "01_a.ipynb, cell c: run as number 2 instead of 1; run all cells once, in order",
        ),
        ([text("# A"), code(TABLE, number=None)], "cell c: run as number None instead of 1"),
        ([text("# A"), code()], "01_a.ipynb: shows no table, figure or result text"),
        (
            [text("# A"), code(TABLE), text("x", kind="raw", id="r")],
            "cell r: a raw cell cannot be shown; use Markdown",
        ),
        ([text("# A\n\n> q"), code(TABLE)], "cell m, line 3: blockquote is not possible"),
        ([text("# A"), code(changed(TABLE, ["title"], " "))], "cell c, T 14.2.2.1: the title is blank"),
        ([code(TABLE), text("# A")], "cell c: content before the first heading"),
        (
            [text("# A\n\n### B"), code(TABLE)],
            "cell m: heading 'B' of level 3 after level 1; no level may be skipped",
        ),
        ([text("## A"), code(TABLE)], "heading 'A' of level 2 after level 0"),
        ([text("# A"), code(TABLE, TABLE)], "cell c, T 14.2.2.1: this id is used 2 times"),
        (
            [text("# A"), code(FIGURE, FIGURE | {"id": "F 1"})],
            "F 1: another figure has the same text alternative",
        ),
        (
            [
                text("# A"),
                code(TABLE),
                code(number=2, outputs=[{"output_type": "stream", "name": "stdout", "text": ["hi\n"]}]),
            ],
            "text on stdout ('hi') cannot enter",
        ),
        (
            [
                text("# A"),
                code(TABLE),
                code(number=2, outputs=[{"output_type": "error", "ename": "ValueError", "evalue": "x"}]),
            ],
            "the error ValueError: x cannot enter",
        ),
        (
            [
                text("# A"),
                code(TABLE),
                code(number=2, outputs=[{"output_type": "display_data", "data": {"image/png": "x"}}]),
            ],
            "an output of type image/png cannot enter",
        ),
        (
            [text("# A"), code(TABLE), code(number=2, outputs=[{"output_type": "update_display_data"}])],
            "an output of type update_display_data cannot enter",
        ),
    ],
)
def test_what_is_wrong_is_listed_with_its_place(book, cells, expected):
    assert expected in problems(book(*cells))


@pytest.mark.rule("DOC-14")
def test_all_problems_of_all_notebooks_are_one_list(book, tmp_path):
    broken = tmp_path / "03_c.ipynb"
    broken.write_text("{", encoding="utf-8")
    odd = tmp_path / "04_d.ipynb"
    odd.write_text('{"cells": [{"source": "x"}]}', encoding="utf-8")
    message = problems(
        book(text("# A\n\n> q"), code(TABLE, number=3)),
        book(text("# B"), code(TABLE), name="02_b.ipynb"),
        broken,
        odd,
        tmp_path / "none.ipynb",
    )
    lines = message.splitlines()
    assert lines[0] == "7 problems in the document:" and len(lines) == 8
    assert sum("not a readable notebook" in line for line in lines) == 3
    assert sum("this id is used 2 times" in line for line in lines) == 2


@pytest.mark.rule("DOC-14")
@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"language": "tlh"}, "title page: language 'tlh'; known: en"),
        ({"title": " "}, "title page: title and study must not be blank"),
        ({"timestamp": datetime(2026, 1, 1)}, "has no offset from UTC"),
        ({"details": (("a", "b\x07"),)}, r"control or unprintable character U+0007 in 'b\x07'"),
        ({"labels": ("x\n",)}, "control or unprintable character U+000A"),
    ],
)
def test_a_faulty_title_page_is_refused(changes, expected):
    message = problems(**changes)
    assert expected in message and message.startswith("1 problem in the document:")


def test_the_given_cells_are_not_changed(book):
    cells = [text("# A"), code(TABLE)]
    before = copy.deepcopy(cells)
    collect([book(*cells)], front=front())
    assert cells == before


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Names of the notebooks that are read."""
    seen: list[str] = []
    chapter = module._chapter
    monkeypatch.setattr(module, "_chapter", lambda name, *rest: seen.append(name) or chapter(name, *rest))
    return seen


@pytest.mark.rule("CACHE-11")
def test_a_notebook_with_the_same_bytes_is_read_once(book, read, tmp_path):
    cache = Cache(tmp_path / "cache")

    def chapters(note, **given):
        return read_chapters([book(text("# Title"), code({**TABLE, "footnotes": [note]}))], **given)

    cold = chapters(PLACE, cache=cache)
    assert cold["01_a"][-1].block.footnotes == (PLACE,)
    assert chapters(PLACE, cache=cache) == cold and read == ["01_a.ipynb"]
    assert chapters(PLACE) == cold and len(read) == 2, "without a cache it is read"
    assert chapters(PLACE, cache=cache, language="zh-CN") != cold and len(read) == 3
    assert chapters("another note", cache=cache) != cold and len(read) == 4


@pytest.mark.rule("CACHE-11")
def test_outputs_of_the_notebook_that_was_read_last_are_not_read_again(book, monkeypatch, tmp_path):
    seen: list[object] = []
    real = module.read_block
    monkeypatch.setattr(module, "read_block", lambda data, **how: seen.append(data) or real(data, **how))
    cache, second = Cache(tmp_path / "cache"), TABLE | {"id": "T 14.2.2.2"}

    def chapters(*blocks, cache=None):
        cells = (code(json.dumps(data), id=f"c{n}", number=n) for n, data in enumerate(blocks, 1))
        return read_chapters([book(text("# Title"), *cells)], cache=cache)

    chapters(TABLE, second, TEXT, cache=cache)
    assert seen == [TABLE, second, TEXT]
    changed = second | {"footnotes": ["another note"]}
    for blocks, new in (
        ((TABLE, changed, TEXT), changed),
        ((TABLE, changed, TEXT | {"heading": "A heading"}), TEXT | {"heading": "A heading"}),
        ((TEXT | {"heading": "Another one"}, changed, TABLE), TEXT | {"heading": "Another one"}),
    ):
        seen.clear()
        kept = chapters(*blocks, cache=cache)
        assert seen == [new]
        assert kept == chapters(*blocks)
    for _ in range(2):
        with pytest.raises(ReportError, match="has no rows"):
            chapters(TABLE, second | {"rows": []}, cache=cache)


@pytest.mark.rule("CACHE-11")
def test_what_is_wrong_with_a_notebook_is_told_every_time(book, read, tmp_path):
    path = book(text("# Title"), code({**TABLE, "rows": []}), code(TABLE, id="d", number=3))
    for _ in range(2):
        with pytest.raises(ReportError, match="instead of 2"):
            read_chapters([path], cache=Cache(tmp_path / "cache"))
    assert len(read) == 2
    with pytest.raises(ReportError, match="not a readable notebook"):
        read_chapters([tmp_path / "none.ipynb"])
