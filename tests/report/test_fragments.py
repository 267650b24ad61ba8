"""Texts of tables and figures that are taken from the file of an earlier build: the file is the one that is written anew."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import partial

import pytest

from interim.report.cache import Cache
from interim.report.content import Cell, Document, Row, Section, Table
from interim.report.editions import Task
from interim.report.fragments import Fragments
from interim.report.memo import Memo
from interim.report.origins import Origins
from interim.report.traced import Sources, digest
from interim.result import ResultStore, Rows
from tests.report.writers_sample import figure, front, table

# Format -> what makes the text of a table.
MAKERS = {".html": ("html", "table_html"), ".rtf": ("rtf", "_table"), ".docx": ("word_blocks", "table_xml")}
MARKS = {"dbbdbbbbbbbb": "0123456789ab"}


def document(*, rows: int = 3, **changes) -> Document:
    """Two tables below one another, the first of which has more or fewer rows, and a figure."""
    first = table("T 14.1.1", rows=rows)
    return Document(
        replace(front(), snapshot="dbbdbbbbbbbb"),
        (Section(1, "1", "One", "s-1"), first, table("T 14.1.2", rows=2), figure()),
        **changes,
    )


def store() -> ResultStore:
    """The numbers of the tables."""
    made = Rows("a", "Response", "Full analysis set", "as recorded")
    for dose in ("dl1", "dl2", "dl3", "dl4"):
        for row in range(9):
            made.add("rate", 0.5, n=row, N=6, group=dose, variable=f"v{row}")
    return ResultStore({"a": made.build()})


class Builds:
    """Builds of one file, with a cache or without."""

    def __init__(self, folder, study, ending: str) -> None:
        self.path, self._study = folder / f"05_report{ending}", study
        self.cache = Cache(folder / "cache", say=lambda line: None)

    def build(self, made: Document, *, fresh: bool = False, marks=MARKS) -> bytes:
        kept = {} if fresh else {"cache": self.cache, "content": digest(made)}
        digests = () if fresh else [*map(digest, made.blocks)]
        origins = Origins(store())
        Task(
            made,
            self.path,
            self._study,
            marks=marks,
            origins=origins,
            depth="counts",
            digests=digests,
            **kept,
        ).write()
        return self.path.read_bytes()


@pytest.fixture(params=MAKERS)
def builds(request, tmp_path, hand_inputs) -> Builds:
    return Builds(tmp_path, hand_inputs.study, request.param)


@pytest.fixture
def drawn(builds, monkeypatch) -> list[str]:
    """The ids of the tables whose text is made."""
    made: list[str] = []
    module, function = MAKERS[builds.path.suffix]
    owner = importlib.import_module(f"interim.report.{module}")
    plain = getattr(owner, function)

    def noting(block, *rest, **named):
        made.append(block.id if isinstance(block, Table) else block["id"])
        return plain(block, *rest, **named)

    monkeypatch.setattr(owner, function, noting)
    return made


@pytest.mark.rule("CACHE-15")
def test_only_the_text_of_a_changed_table_is_made_and_the_file_is_the_one_that_is_written_anew(builds, drawn):
    builds.build(document())
    assert drawn == ["T 14.1.1", "T 14.1.2"]
    for rows in (
        4,
        2,
        3,
        9,
    ):  # more and fewer numbers before the second table: its links lead to other entries
        drawn.clear()
        found = builds.build(document(rows=rows))
        assert drawn == ([] if rows == 3 else ["T 14.1.1"])
        assert found == builds.build(document(rows=rows), fresh=True)


@pytest.mark.rule("CACHE-15")
def test_what_a_text_is_made_from_beside_its_block_is_part_of_its_key(builds, drawn):
    builds.build(document())
    for changed in (
        replace(document(), front=replace(document().front, language="zh-CN")),
        replace(document(), blocks=tuple(_turned(block) for block in document().blocks)),
        replace(document(), blocks=tuple(_between_wide_ones())),
        replace(document(), form="appendix"),
    ):
        assert builds.build(changed) == builds.build(changed, fresh=True)


def _between_wide_ones():
    """The second table as it was, but on the wide page of its neighbours."""
    head, first, second, _ = document().blocks
    return head, _turned(first), second, table("T 14.1.3", orientation="landscape")


def _turned(block):
    return replace(block, orientation="landscape") if isinstance(block, Table) else block


@pytest.mark.rule("CACHE-15")
def test_a_number_that_no_longer_has_a_result_has_no_link(builds, monkeypatch):
    builds.build(document())
    plain = Origins.of
    monkeypatch.setattr(Origins, "of", lambda self, made, depth: plain(self, made, depth)[:1])
    changed = document(rows=2)
    assert builds.build(changed) == builds.build(changed, fresh=True)


class Told:
    """Builds of one HTML file whose origins may be kept."""

    def __init__(self, folder, study, monkeypatch) -> None:
        self.path, self._study, self.cache = folder / "05_report.html", study, Cache(folder / "cache")
        self.asked = 0
        plain = Origins.of

        def of(origins, *rest):
            self.asked += 1
            return plain(origins, *rest)

        monkeypatch.setattr(Origins, "of", of)

    def build(self, results: ResultStore, *, kept: bool = True) -> tuple[bytes, int]:
        """The file, and how often origins were looked up for it."""
        before, made = self.asked, document()
        given = {
            "cache": self.cache,
            "content": digest(made),
            "memo": Memo(self.cache, Sources(store=results)),
        }
        origins = Origins(results)
        Task(made, self.path, self._study, origins=origins, depth="counts", **(given if kept else {})).write()
        return self.path.read_bytes(), self.asked - before


@pytest.mark.rule("CACHE-17")
def test_origins_are_looked_up_again_only_where_a_result_of_the_document_has_changed(
    tmp_path, hand_inputs, monkeypatch
):
    builds = Told(tmp_path, hand_inputs.study, monkeypatch)
    first, other = store()["a"], Rows("b", "Other", "All", "counted").build()
    changed = replace(first, frame=first.frame.assign(N=7))
    base, asked = builds.build(ResultStore({"a": first}))
    assert asked == 1 and b"N = 6" in base
    assert builds.build(ResultStore({"a": first})) == (base, 0)
    assert builds.build(ResultStore({"a": changed}))[1] == 1
    for results, times in (
        (ResultStore({"a": first}), 0),
        (ResultStore({"a": first, "b": other}), 1),  # a number might have come from it
        (ResultStore({"a": first, "b": replace(other, method="as said")}), 0),
        (ResultStore({}), 1),
        (ResultStore({"a": replace(changed, population="Nobody")}), 1),
    ):
        made, asked = builds.build(results)
        assert asked == times
        assert made == builds.build(results, kept=False)[0]


@pytest.mark.rule("CACHE-15")
def test_a_file_that_is_gone_or_was_changed_gives_no_text(builds, drawn):
    builds.build(document())
    for path in (builds.cache.folder or builds.path).glob("??/*"):
        data = path.read_bytes()
        if data.count(b"T 14.1.2") or data.count(b"Table 14.1.2"):
            path.write_bytes(data.replace(b"14.1.2", b"14.1.3"))
    drawn.clear()
    assert builds.build(document(rows=4)) == builds.build(document(rows=4), fresh=True)
    assert drawn[:2] == ["T 14.1.1", "T 14.1.2"]


@pytest.mark.rule("CACHE-15")
def test_a_file_that_is_taken_whole_keeps_the_places_of_its_texts(builds, drawn):
    builds.build(document())
    for _ in range(3):
        builds.cache.begin()
        builds.build(document())
        builds.cache.end("report")
    drawn.clear()
    builds.build(document(rows=4))
    assert drawn == ["T 14.1.1"]


@pytest.mark.rule("CACHE-15")
def test_a_file_in_which_no_hash_is_entered_is_not_made_of_one_that_awaits_it(builds):
    builds.build(document())
    assert builds.build(document(), marks={}) == builds.build(document(), fresh=True, marks={})


@pytest.mark.rule("CACHE-15")
def test_without_hashes_of_the_blocks_every_text_is_made(tmp_path):
    fragments = Fragments(Cache(tmp_path), ["a"], document().blocks)
    assert [fragments.text(document().blocks[1], make=partial(str, text)) for text in "ab"] == ["a", "b"]
    fragments.keep("file", b"ab")
    assert not [*tmp_path.glob("??/*")]


@pytest.mark.rule("CACHE-15")
def test_a_text_that_does_not_stand_in_the_file_is_made_again(tmp_path):
    block = Table("T 1", "", "t-1", "", "", (), (Row("data", 0, (Cell("1"),)),), (), (), "portrait", (), ())
    cache = Cache(tmp_path)
    fragments = Fragments(cache, ["a"], [block], [digest(block)])
    assert fragments.text(block, make=lambda: "<b>one</b>") == "<b>one</b>"
    fragments.keep("file", b"<b>one, but otherwise</b>")
    cache.put("file", b"<b>one, but otherwise</b>")
    assert Fragments(cache, ["a"], [block], [digest(block)]).text(block, make=lambda: "two") == "two"
