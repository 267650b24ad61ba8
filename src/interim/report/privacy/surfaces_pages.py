"""The pages of a PDF file in bulk: equal pieces of text are decoded once, all pieces of a font together."""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from interim.report.privacy import surfaces_binary as binary

# One text object as the writer of this program makes it: font, matrix with its height, one string or array of strings.
_SIMPLE = re.compile(
    rb" 0 Tr/(\w+) [\d.]+ Tf 1 0 0 -1 -?[\d.]+ (-?[\d.]+) Tm(?:\[(\([^\n]*\))\]TJ|(\([^\n]*\)) ?Tj)\nET\b"
)
_KERN = re.compile(rb"\)-?[\d.]+\(")
_SEPARATOR = "\uffff"
_ODD = re.compile(rb"\\(?![0-7nrtbf])")


def pages(
    contents: Mapping[int, bytes],
    fonts: Mapping[int, Mapping[bytes, int]],
    letters: Mapping[int, Mapping[int, str]],
) -> Iterator[str]:
    """Yield what the pages of a PDF file show.

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
    str
        As ``surfaces_binary`` reads them one by one, in another order; a page that holds anything but text objects of the one
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
            yield binary._pdf_page(content, named)
            continue
        simple.append(shown)
        for font, strings, _ in shown:
            texts[font][strings] = ""
    for font, pieces in texts.items():
        decoded = _decoded(list(pieces), letters.get(font, {}))
        if decoded is None:
            decoded = [binary._pdf_text(strings, letters.get(font, {})) for strings in pieces]
        texts[font] = dict(zip(pieces, decoded, strict=True))
    for shown in simple:
        yield binary._pdf_lines((texts[font][strings], place) for font, strings, place in shown)


def _shown(content: bytes, names: Mapping[bytes, int]) -> list[tuple[int, bytes, tuple[bytes, bytes]]] | None:
    """Return font, strings and height of each text object; None if the page may show a text in another way."""
    first, *rest = content.split(b"\nBT")
    shows = content.count(b"TJ") + content.count(b"Tj")
    if not len(rest) == content.count(b"BT") == shows or _marks(first):
        return None
    height, shown = _height(first, b""), []
    for part in rest:
        found = _SIMPLE.match(part)
        if found is None or _marks(behind := part[found.end() :]):
            return None
        name, below, several, one = found.groups()
        shown.append((names.get(name, 0), several or one, (height, below)))
        height = _height(behind, height)
    return shown


def _marks(operators: bytes) -> bool:
    """Tell whether one of the operators that show a text on the next line can be here."""
    return b"'" in operators or b'"' in operators


def _height(operators: bytes, before: bytes) -> bytes:
    end = operators.rfind(b" cm")
    return operators[operators.rfind(b" ", 0, end) + 1 : end] if end >= 0 else before


def _decoded(pieces: list[bytes], letters: Mapping[int, str]) -> list[str] | None:
    """Return the letters of arrays of strings; None unless each is of plain strings of two-byte codes."""
    blob = b"\n".join(pieces).replace(b"\\\\", b"\\134").replace(b"\\(", b"\\050").replace(b"\\)", b"\\051")
    blob = _KERN.sub(b"", blob)
    if blob.count(b"(") != len(pieces) or blob.count(b")") != len(pieces) or _ODD.search(blob):
        return None
    raw, _ = codecs.escape_decode(blob[1:-1].replace(b")\n(", b"\\377\\377"))
    text = raw.decode("utf-16-be", "replace").translate(letters)
    found = text.split(_SEPARATOR)
    return found if len(found) == len(pieces) and len(raw) % 2 == 0 and 0xFFFF not in letters else None
