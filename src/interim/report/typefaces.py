"""The Chinese letters of a document, and the small fonts with just these that go into its files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from interim.display.typeface import CHINESE, SHARED_MARKS, chinese_letters, font_file, is_chinese, named
from interim.errors import ReportError
from interim.report.cache import Cache
from interim.report.content import Document, Figure, Section, Table, block_texts

_CHINESE_LANGUAGE = "zh-CN"
_kept = Cache(None)


def chinese_in(document: Document) -> frozenset[str]:
    """Return the letters of a document that are set in the Chinese typeface.

    Parameters
    ----------
    document : Document
        The content.

    Returns
    -------
    frozenset of str
        Ideographs and their marks; in a Chinese document also the quotation marks and dashes that both faces have.

    Raises
    ------
    ReportError
        If the typeface lacks a letter: code point, character, and the tables, figures and sections that hold it.
    """
    texts = chain(_title_page(document), document.texts())
    letters = set().union(*(text for text in texts if not text.isascii()))
    found = {letter for letter in letters if is_chinese(letter)}
    if found and any(ord(letter) not in chinese_letters() for letter in found):
        raise ReportError(_lacking(document))
    return frozenset(found | SHARED_MARKS if found and is_chinese_document(document) else found)


def _lacking(document: Document) -> str:
    """Return which letters the typeface lacks, with their places."""
    lacking: dict[str, list[str]] = {}
    for place, text in _texts(document):
        for letter in sorted(set(text)):
            if is_chinese(letter) and ord(letter) not in chinese_letters():
                lacking.setdefault(letter, []).append(place)
    lines = [f"{named(letter)} in {', '.join(dict.fromkeys(places))}" for letter, places in lacking.items()]
    return "\n".join([f"{CHINESE} lacks characters; write them otherwise:", *lines])


def is_chinese_document(document: Document) -> bool:
    """Tell whether a document is in Chinese.

    Parameters
    ----------
    document : Document
        The content.

    Returns
    -------
    bool
        By its language.

    Raises
    ------
    None
    """
    return document.front.language == _CHINESE_LANGUAGE


def _title_page(document: Document) -> Iterator[str]:
    front = document.front
    yield from (front.title, front.subtitle, front.study, front.footer(), *front.labels)
    yield from (text for pair in front.lines() for text in pair)
    yield from document.words.values()


def _texts(document: Document) -> Iterator[tuple[str, str]]:
    """Yield place and text of everything that is printed."""
    for text in _title_page(document):
        yield "the title page", text
    section = "the text"
    for block in document.blocks:
        if isinstance(block, Section):
            section = f"section {block.number}"
        place = block.id if isinstance(block, (Table, Figure)) else section
        for text in block_texts(block):
            yield place, text


@lru_cache(maxsize=8)
def small_font(weight: str, letters: frozenset[str], flavour: str | None = None) -> bytes:
    """Return the Chinese typeface with some letters only.

    Parameters
    ----------
    weight : {"Regular", "Bold"}
        Weight.
    letters : frozenset of str
        Letters of the document.
    flavour : {"woff"}, optional
        Compressed for a web page; default a plain TrueType file.

    Returns
    -------
    bytes
        A font file; equal letters give equal bytes.

    Raises
    ------
    ReportError
        If the typeface is not there.
    """
    key = _kept.key("font", weight, "".join(sorted(letters)), flavour)
    font = _kept.get(key)
    if font is None:
        font = _subset(weight, letters, flavour)
        _kept.put(key, font)
    return font


def keep_fonts(cache: Cache) -> None:
    """Keep from now on the small fonts of this process, and of those that it forks, for the next build.

    Parameters
    ----------
    cache : Cache
        Of a build: its entries rest on the programs, and the typefaces are among their files.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    global _kept
    _kept = cache
    small_font.cache_clear()


def _subset(weight: str, letters: frozenset[str], flavour: str | None) -> bytes:
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    font = TTFont(font_file(weight), recalcTimestamp=False)
    tool = Subsetter(Options(name_IDs=["*"], notdef_outline=True, recalc_timestamp=False))
    tool.populate(unicodes=sorted(map(ord, letters)))
    tool.subset(font)
    font.flavor = flavour
    stream = io.BytesIO()
    font.save(stream)
    return stream.getvalue()
