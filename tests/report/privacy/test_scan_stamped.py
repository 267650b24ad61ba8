"""Files that differ in the hash of the data alone: the lines that hold it are searched again, and nothing that a whole search finds is lost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from interim.report.cache import Cache
from interim.report.content import text_table
from interim.report.hashes import sha256_bytes
from interim.report.html import write_html
from interim.report.pdf import write_pdf
from interim.report.privacy import scan as module
from interim.report.privacy.prefilter import plain
from interim.report.privacy.surfaces_quick import quick
from interim.report.rtf import rtf_text
from interim.report.stamp import PLACE, entered
from interim.report.word import write_docx
from tests.report.privacy.planted import LABEL, PLANTED, SURFACES, document, names, scan

FIRST, SECOND = "0a1b2c3d4e5f", "9f8e7d6c5b4a"
UNSTAMPED = "7" * 64


def stamped(cache: Cache, digits: str, name: str, data: bytes):
    """Search a file that is stamped as the writer tells it."""
    of = scan(cache=cache, marks={PLACE: digits}, labels=(LABEL,))
    of.template(name, sha256_bytes(data), UNSTAMPED)
    return of.file(name, data)


def whole(name: str, data: bytes):
    return scan(labels=(LABEL,)).file(name, data)


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """Names of the files that are read whole."""
    seen: list[str] = []
    monkeypatch.setattr(module, "quick", lambda name, *of: seen.append(name) or quick(name, *of))
    return seen


def written(write, home, texts=("Nothing",), **front) -> bytes:
    path = home / "x"
    write(document(texts, **front), path)
    return path.read_bytes()


def _rtf(made, path) -> None:
    table = text_table(
        "T 14.1.1.1", "Texts", head=["Text"], rows=[(b.spans[0].text,) for b in made.blocks[1:]]
    )
    path.write_text(rtf_text(replace(made, blocks=(table,))), encoding="ascii")


WRITERS = {".pdf": write_pdf, ".docx": write_docx, ".html": write_html, ".rtf": _rtf}


def lines(name: str, data: bytes) -> set[str]:
    return {line for piece in quick(name, data) for line in plain(piece.text).split("\n")}


@pytest.mark.rule("PRV-51")
@pytest.mark.parametrize("form", sorted(WRITERS))
def test_the_lines_of_a_file_with_another_hash_are_its_lines_with_the_hash_entered(form, tmp_path, reads):
    texts = (
        f"The data of this report have the hash {PLACE} and no other.",
        f"A\u00a0second time: ({PLACE}).",
    )
    template = written(WRITERS[form], tmp_path, texts, snapshot=PLACE)
    first, second = (entered(template, form, {PLACE: digits}) for digits in (FIRST, SECOND))
    name = f"documents/x{form}"
    expected = {line.replace(FIRST, SECOND) for line in lines(name, first)}
    assert expected == lines(name, second) and sum(SECOND in line for line in expected) >= len(texts)
    assert not any(PLACE in line for line in expected)
    cache = Cache(tmp_path / "cache")
    assert stamped(cache, FIRST, name, first) == stamped(cache, SECOND, name, second) == ()
    assert reads == [name], "the second is not read"


@pytest.mark.rule("PRV-51")
@pytest.mark.parametrize("surface", sorted(SURFACES))
def test_an_identifier_in_a_stamped_file_is_found_as_in_any_other(surface, tmp_path):
    name, make, planted = SURFACES[surface]
    data, cache = make(planted, tmp_path), Cache(tmp_path / "cache")
    found = whole(name, data)
    assert stamped(cache, FIRST, name, data) == found != ()
    assert stamped(cache, SECOND, name, data) == found, "of a file with a find nothing is kept"


@pytest.mark.rule("PRV-51")
@pytest.mark.parametrize("form", sorted(WRITERS))
@pytest.mark.parametrize(
    ("text", "before", "after", "pattern"),
    [
        ("MRN {}", "abcdefabcdef", "138001380000", "record number (en)"),
        ("tel. {}", "abcdefabcdef", "138001380000", "telephone"),
        ("scan no. {}", "abcdefabcdef", "138001380000", "scan id"),
        ("{}-01-007", "abcdefabcde1", "abcdefabcdef", "participant"),
        ("住院号 {}", "abcdefabcdef", "abc400123456", "record number (zh)"),
    ],
)
def test_a_hash_that_makes_an_identifier_of_its_line_is_found(text, before, after, pattern, form, tmp_path):
    name, cache = f"documents/x{form}", Cache(tmp_path / "cache")
    template = written(WRITERS[form], tmp_path, [text.format(PLACE)], snapshot=PLACE)
    first, second = (entered(template, form, {PLACE: digits}) for digits in (before, after))
    assert stamped(cache, before, name, first) == ()
    found = stamped(cache, after, name, second)
    assert found == whole(name, second) and names(found, scan()) == {pattern}


@pytest.mark.rule("PRV-51")
@pytest.mark.parametrize("planted", sorted(PLANTED))
def test_an_identifier_beside_the_hash_is_found(planted, tmp_path):
    name, cache = "documents/x.csv", Cache(tmp_path / "cache")
    for digits in (FIRST, SECOND):
        of = scan(cache=cache, marks={PLACE: digits})
        data = f"{digits}, {PLANTED[planted]} {digits}".encode()
        of.template(name, sha256_bytes(data), UNSTAMPED)
        assert planted in names(of.file(name, data), of)


@pytest.mark.rule("PRV-51")
def test_other_bytes_than_the_stamped_ones_are_searched_whole(tmp_path):
    name, cache = "documents/x.csv", Cache(tmp_path / "cache")
    assert stamped(cache, FIRST, name, FIRST.encode()) == ()
    of = scan(cache=cache, marks={PLACE: SECOND})
    of.template(name, sha256_bytes(SECOND.encode()), UNSTAMPED)
    assert of.file(name, SECOND.encode()) == ()
    assert names(of.file(name, f"{SECOND}\n13800138000".encode()), of) == {"mobile phone (zh)"}


@pytest.mark.rule("PRV-51")
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("documents/y.csv", {}),
        ("documents/x.csv", {"marks": {}}),
        ("documents/x.csv", {"labels": (LABEL,)}),
        ("documents/x.csv", {"cache": Cache(None)}),
    ],
)
def test_what_is_kept_of_a_template_rests_on_name_stamp_label_and_cache(name, changes, tmp_path, reads):
    given = {"cache": Cache(tmp_path / "cache"), "marks": {PLACE: FIRST}}
    for digits, one, further in ((FIRST, "documents/x.csv", {}), (SECOND, name, changes)):
        of = scan(**{**given, "marks": {PLACE: digits}, **further})
        data = f"hash {digits}".encode()
        of.template(one, sha256_bytes(data), UNSTAMPED)
        assert of.file(one, data) == ()
    assert reads == ["documents/x.csv", name]


@pytest.mark.rule("PRV-51")
def test_a_notebook_and_a_row_of_data_are_stamped_like_a_document(tmp_path, reads):
    cache = Cache(tmp_path / "cache")
    cell = {"cell_type": "code", "source": [], "outputs": [{"text": [f"data {FIRST}\n", "x"]}]}
    book = json.dumps({"metadata": {}, "cells": [cell]})
    rows = json.dumps({"rows": [["MRN", FIRST], ["tel", "1"]]}, separators=(",", ":"))
    for name, text in (("notebooks/x.ipynb", book), ("data/x.json", rows)):
        for digits in (FIRST, "123456789012"):
            data = text.replace(FIRST, digits).encode()
            assert stamped(cache, digits, name, data) == ()
    assert reads == ["notebooks/x.ipynb", "data/x.json"]
