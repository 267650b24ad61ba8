"""The pages of a PDF file in bulk: equal pieces of text are decoded once, all pieces of a font together."""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from interim.report.privacy import surfaces_binary as binary

# One text as the writer of this program shows it: font, matrix with its height, one string or array of strings.
_SIMPLE = re.compile(
    rb" 0 Tr/(\w+) [\d.]+ Tf 1 0 0 -1 -?[\d.]+ (-?[\d.]+) Tm(?:\[(\([^\n]*\))\]TJ|(\([^\n]*\)) ?Tj)\n"
)
_KERN = re.compile(rb"\)-?[\d.]+\(")
_SEPARATOR = "\uffff"
_ODD = re.compile(rb"\\(?![0-7nrtbf])")


def pages(
    contents: Mapping[int, bytes],
    fonts: Mapping[int, Mapping[bytes, int]],
    letters: Mapping[int, Mapping[int, str]],
) -> Iterator[tuple[int, str]]:
    """Yield what the contents of a PDF file show.

    Parameters
    ----------
    contents : mapping of int to bytes
        Number of a content stream -> its operators.
    fonts : mapping of int to mapping
        Number of a content stream -> name of a font there -> number of the font.
    letters : mapping of int to mapping
        Number of a font -> code -> letters.

    Yields
    ------
    int, str
        Number of the stream, and its text as ``surfaces_binary`` reads them one by one, in another order; a page that holds anything but text objects of the one
        form that the writer of this program makes is read there.

    Raises
    ------
    LookupError
        If an object is missing.
    """
    simple = []
    texts: dict[int, dict[bytes, str]] = defaultdict(dict)
    for number, content in contents.items():
        shown = _shown(content, fonts[number])
        if shown is None:
            named = {name: letters[font] for name, font in fonts[number].items()}
            yield number, binary._pdf_page(content, named)
            continue
        simple.append((number, shown))
        for font, strings, _ in shown:
            texts[font][strings] = ""
    for font, pieces in texts.items():
        texts[font] = dict(zip(pieces, _decoded(list(pieces), letters.get(font, {})), strict=True))
    for number, shown in simple:
        yield number, binary._pdf_lines((texts[font][strings], place) for font, strings, place in shown)


def _shown(content: bytes, names: Mapping[bytes, int]) -> list[tuple[int, bytes, tuple[bytes, bytes]]] | None:
    """Return font, strings and height of each text; None if the page may show a text in another way."""
    parts = _SIMPLE.split(content)
    between = parts[0::5]
    if len(between) - 1 != content.count(b"TJ") + content.count(b"Tj"):
        return None
    if any(
        mark in part for mark in (b"'", b'"') for part in between
    ):  # operators that show a text on the next line
        return None
    height, shown = b"", []
    for before, name, below, several, one in zip(*(parts[n::5] for n in range(5)), strict=False):
        height = _height(before, height)
        shown.append((names.get(name, 0), several or one, (height, below)))
    return shown


def _height(operators: bytes, before: bytes) -> bytes:
    end = operators.rfind(b" cm")
    return operators[operators.rfind(b" ", 0, end) + 1 : end] if end >= 0 else before


def _decoded(pieces: list[bytes], letters: Mapping[int, str]) -> list[str]:
    """Return the letters of arrays of strings: those of plain strings of two-byte codes together, others one by one."""
    blob = b"\n".join(pieces).replace(b"\\\\", b"\\134").replace(b"\\(", b"\\050").replace(b"\\)", b"\\051")
    rows = [row if _is_plain(row) else b"" for row in _KERN.sub(b"", blob).split(b"\n")]
    raw, _ = codecs.escape_decode(b"\\377\\377".join(row[1:-1] for row in rows))
    found = raw.decode("utf-16-be", "replace").translate(letters).split(_SEPARATOR)
    if len(found) != len(pieces) or len(raw) % 2 or 0xFFFF in letters:
        found, rows = [""] * len(pieces), [b""] * len(pieces)
    return [
        text if row else binary._pdf_text(piece, letters)
        for text, row, piece in zip(found, rows, pieces, strict=True)
    ]


def _is_plain(row: bytes) -> bool:
    return row.count(b"(") == row.count(b")") == 1 and not _ODD.search(row)
