"""The pages of a PDF file in bulk: equal pieces of text are decoded once, all pieces of a font together."""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from interim.report.privacy import surfaces_binary as binary
from interim.report.privacy.surfaces_new import Fresh, hashed

# One text as the writer of this program shows it: font, matrix with its height, one string or array of strings.
_SIMPLE = re.compile(
    rb" 0 Tr/(\w+) [\d.]+ Tf 1 0 0 -1 -?[\d.]+ (-?[\d.]+) Tm(?:\[(\([^\n]*\))\]TJ|(\([^\n]*\)) ?Tj)\n"
)
_KERN = re.compile(rb"\)-?[\d.]+\(")
# A text with its height, and the height of the next: a line ends between two heights, and a page may be cut there.
_PLACED = rb"\nq 1 0 0 -1 -?[\d.]+ (-?[\d.]+) cm(?:(?! cm)[^\n])*\nBT 0 Tr/"
_SHOWN = rb"(\w+) [\d.]+ Tf 1 0 0 -1 -?[\d.]+ -?[\d.]+ Tm(?:\[(\([^\n]*\))\]TJ|(\([^\n]*\)) ?Tj)\nET\nQ"
_EDGE = re.compile(_PLACED + _SHOWN + rb"(?=(?:\nEMC[^\n]*)?" + _PLACED + rb")")
# Texts and lines at the foot of a page that are always read: notes that hold the hash of the data stand there.
_FOOT = 16
_SEPARATOR = "\uffff"
_ODD = re.compile(rb"\\(?![0-7nrtbf])")


def pages(
    contents: Mapping[int, bytes],
    fonts: Mapping[int, Mapping[bytes, int]],
    letters: Mapping[int, Mapping[int, str]],
    *,
    fresh: Fresh | None = None,
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
    fresh : Fresh, optional
        Which pages are known but for their foot, which alone is read; default none.

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
    fresh = fresh or Fresh()
    tables = {font: hashed(repr(sorted(table.items())).encode(), b"") for font, table in letters.items()}
    for number, whole in contents.items():
        named = {name: letters[font] for name, font in fonts[number].items()}
        cut = _foot(whole, named)
        kind = hashed(repr([(name, tables[font]) for name, font in fonts[number].items()]).encode(), b"")
        known = hashed(whole[:cut], kind.encode())
        content = whole[cut:] if known in fresh.known else whole
        shown = _shown(content, fonts[number])
        if shown is None:
            fresh.unsure |= content is not whole
            yield number, binary._pdf_page(content, named)
            continue
        if cut:
            fresh.seen.add(known)
        simple.append((number, shown))
        for font, strings, _ in shown:
            texts[font][strings] = ""
    for font, pieces in texts.items():
        texts[font] = dict(zip(pieces, _decoded(list(pieces), letters.get(font, {})), strict=True))
    for number, shown in simple:
        yield number, binary._pdf_lines((texts[font][strings], place) for font, strings, place in shown)


def _foot(content: bytes, fonts: Mapping[bytes, Mapping[int, str]]) -> int:
    """Return the place of a page at which its last lines begin, 0 if it has no more than these."""
    begin = len(content)
    for _ in range(_FOOT):
        begin = content.rfind(b"\nq 1 0 0 -1 ", 0, max(begin, 0))
    if begin < 0:
        return 0
    for found in _EDGE.finditer(content, begin):
        height, font, several, one, below = found.groups()
        text = binary._pdf_text(several or one, fonts.get(font, {}))
        if height != below and text and not text.endswith("-"):
            return found.end()
    return 0


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
