"""The data hash is entered last: documents are made with letters in its place, so that other data alone make no file anew."""

from __future__ import annotations

import io
import pickle
import re
import zipfile
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from interim.report.content import Document

# As long as the hash and no narrower than any; no word, no ligature, and nothing that pictures in hexadecimal digits hold.
PLACE = "dbbdbddbdbbd"
DIGITS = "0123456789abcdef"
_LEVEL = 6
_ESCAPED = {8: b"\\b", 9: b"\\t", 10: b"\\n", 12: b"\\f", 13: b"\\r", 40: b"\\(", 41: b"\\)", 92: b"\\\\"}
_XREF = re.compile(rb"startxref\n(\d+)")
_ENTRY = 20  # bytes of an entry of the table of objects
_STREAM = re.compile(rb"\d+ 0 obj\n<</Length (\d+)/[^\n]*>>\nstream\n")
_PAGE = re.compile(rb"\n\d+ 0 obj\n<</Type/Page/Resources (\d+) 0 R[^\n]*?/Contents (\d+) 0 R")
_FONT = re.compile(rb"/(f\d+) (\d+) 0 R")
_LETTERS = re.compile(rb"/ToUnicode (\d+) 0 R")
_LETTER = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]{4})>")
# Every letter a hash can have, set once by the template in each face so that the file has its shape; never printed.
_SHAPES = re.compile(rb"BT 0 Tr/f\d+ 0\.5 Tf .*?ET", re.DOTALL)
_KERNED = rb"(?:\)-?[\d.]+\()?"
Letters: TypeAlias = Mapping[str, bytes]


def entered(made: bytes, ending: str, digits: str) -> bytes:
    """Return a file with the data hash where its place was held.

    Parameters
    ----------
    made : bytes
        A finished document that prints ``PLACE``, in its footer too; in no cell of a table (`in_cells`).
    ending : str
        ``.html``, ``.rtf``, ``.docx`` or ``.pdf``.
    digits : str
        First digits of the data hash, as many as ``PLACE`` has letters.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    KeyError
        If the format is unknown, or a PDF has no letter for one of the digits.
    """
    return _FORMATS[ending](made, digits)


def with_digits(text: bytes, digits: str) -> bytes:
    """Return a text with the data hash where its place was held.

    Parameters
    ----------
    text : bytes
        UTF-8.
    digits : str
        As in `entered`; empty: nothing is done.

    Returns
    -------
    bytes
        UTF-8.

    Raises
    ------
    None
    """
    return text.replace(PLACE.encode(), digits.encode()) if digits else text


def without_digits(text: bytes, digits: str) -> bytes:
    """Return a text in which the place of the data hash is held.

    Parameters
    ----------
    text : bytes
        UTF-8.
    digits : str
        As in `entered`; empty: nothing is done.

    Returns
    -------
    bytes
        UTF-8.

    Raises
    ------
    None
    """
    return text.replace(digits.encode(), PLACE.encode()) if digits else text


def with_hash(document: Document, digits: str) -> Document:
    """Return a document that prints the data hash itself.

    Parameters
    ----------
    document : Document
        Prints ``PLACE``.
    digits : str
        As in `entered`.

    Returns
    -------
    Document
        The same texts with the hash.

    Raises
    ------
    None
    """
    changed: Document = pickle.loads(with_digits(pickle.dumps(document, 5), digits))  # equally long
    return changed


def in_cells(document: Document) -> bool:
    """Tell whether a cell of a table prints the hash: long words of cells may be broken, so their places cannot be found.

    Parameters
    ----------
    document : Document
        Prints ``PLACE``.

    Returns
    -------
    bool
        True: the document must be written with the hash (`with_hash`).

    Raises
    ------
    None
    """
    heads = (cell.text for table in document.tables for row in table.header for cell in row)
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return any(PLACE in text for text in chain(heads, cells))


def _in_word(made: bytes, digits: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            written = with_digits(content, digits) if entry.filename.endswith(".xml") else content
            target.writestr(entry, written, compresslevel=_LEVEL)
    return out.getvalue()


def _in_pdf(made: bytes, digits: str) -> bytes:
    """Exchange letters on the pages of a PDF as typst writes it, and tell the new places of its objects."""
    pdf = _Pdf(made)
    changed: dict[int, bytes] = {}
    for resources, contents in _PAGE.findall(made):
        text = _SHAPES.sub(b"", pdf.stream(int(contents)))
        for name, letters in pdf.fonts(int(resources)).items():
            if set(PLACE) <= set(letters):
                text = _exchanged(text, name, letters, digits)
        changed[int(contents)] = text
    return pdf.changed(changed)


def _exchanged(page: bytes, font: bytes, letters: Letters, digits: str) -> bytes:
    """Return a page with the hash in the texts of one font."""
    held = re.compile(_KERNED.join(re.escape(letters[letter]) for letter in PLACE))
    parts = re.split(rb"(?=BT 0 Tr/)", page)
    for place, part in enumerate(parts):
        if part.startswith(b"BT 0 Tr/" + font + b" ") and held.search(part):
            shown = b"".join(letters[digit] for digit in digits)
            parts[place] = held.sub(lambda _, shown=shown: shown, part)
    return b"".join(parts)


class _Pdf:
    """The objects of a PDF as typst writes it: one table of places, streams of plain length, letters by two bytes."""

    def __init__(self, made: bytes) -> None:
        self._made = made
        self._table = int(_XREF.findall(made)[-1])
        begin = made.index(b"\n", self._table + len("xref\n")) + 1
        end = made.index(b"trailer", begin)
        self._begin, self._end = begin, end
        self._places = [int(made[place : place + 10]) for place in range(begin, end, _ENTRY)]
        self._known: dict[int, dict[bytes, Letters]] = {}

    def _found(self, number: int) -> tuple[int, int, int]:
        """Return where a stream's object begins, and begin and end of its bytes."""
        begin = self._places[number]
        head = _STREAM.match(self._made, begin)
        assert head is not None
        return begin, head.end(), head.end() + int(head[1])

    def stream(self, number: int) -> bytes:
        """Return the content of a stream."""
        _, begin, end = self._found(number)
        return zlib.decompress(self._made[begin:end])

    def fonts(self, resources: int) -> dict[bytes, Letters]:
        """Return name of a font on a page -> letter -> how it is written."""
        if resources not in self._known:
            found = _FONT.findall(self._line(resources))
            self._known[resources] = {name: self._letters(int(number)) for name, number in found}
        return self._known[resources]

    def _line(self, number: int) -> bytes:
        begin = self._places[number]
        return self._made[begin : self._made.index(b"endobj", begin)]

    def _letters(self, font: int) -> Letters:
        named = _LETTERS.search(self._line(font))
        pairs = _LETTER.findall(self.stream(int(named[1]))) if named else []
        letters: dict[str, bytes] = {}
        for glyph, letter in pairs:
            letters.setdefault(chr(int(letter, 16)), b"".join(map(_byte, bytes.fromhex(glyph.decode()))))
        return {letter: glyph for letter, glyph in letters.items() if letter in DIGITS}

    def changed(self, streams: Mapping[int, bytes]) -> bytes:
        """Return the file with other streams."""
        pieces, done, moved = [], 0, [(0, 0)]
        for begin, number in sorted((self._places[number], number) for number in streams):
            *_, last = self._found(number)
            packed = zlib.compress(streams[number], _LEVEL)
            head = b"%d 0 obj\n<</Length %d/Filter/FlateDecode>>\nstream\n" % (number, len(packed))
            pieces += [self._made[done:begin], head, packed]
            done = last
            moved.append((begin, moved[-1][1] + len(head) + len(packed) - (last - begin)))
        pieces.append(self._made[done : self._begin])
        body = b"".join([*pieces, *self._entries(moved)])
        tail = self._made[self._end :]
        table = self._table + moved[-1][1]
        return body + _XREF.sub(b"startxref\n%d" % table, tail)

    def _entries(self, moved: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        starts = [begin for begin, _ in moved]
        for number, place in enumerate(self._places):
            entry = self._made[self._begin + number * _ENTRY : self._begin + (number + 1) * _ENTRY]
            shift = moved[bisect_left(starts, place) - 1][1] if place else 0
            yield b"%010d" % (place + shift) + entry[10:]


def _byte(value: int) -> bytes:
    """Return a byte as typst writes it within a string."""
    plain = bytes([value]) if 0x20 <= value < 0x7F else b"\\%03o" % value
    return _ESCAPED.get(value, plain)


_FORMATS: dict[str, Callable[[bytes, str], bytes]] = {
    ".html": with_digits,
    ".rtf": with_digits,
    ".docx": _in_word,
    ".pdf": _in_pdf,
}
