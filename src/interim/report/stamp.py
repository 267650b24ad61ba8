"""The hashes of the data are entered last: documents are made with letters in their places, so that other data alone make no file anew."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from interim.report.hashes import NAMED, short_snapshot
from interim.report.pdf_file import PdfFile, packed

if TYPE_CHECKING:
    from interim.data.model import Source

Marks: TypeAlias = Mapping[str, str]
DIGITS = "0123456789abcdef"
# A place is as long as what is printed of a hash and no narrower than any; no word, no ligature: four letters, then the number
# of the hash. It stands alone: longer rows of hexadecimal digits are pictures or whole hashes.
_PLACE = re.compile(rb"dbbd[bd]{8}")
_HEX = frozenset(bytes([letter]) for letter in DIGITS.encode())
_PLACES = 256
_LEVEL, _PICTURE = 6, ".png"
_ESCAPED = {8: b"\\b", 9: b"\\t", 10: b"\\n", 12: b"\\f", 13: b"\\r", 40: b"\\(", 41: b"\\)", 92: b"\\\\"}
_PAGE = re.compile(rb"\n\d+ 0 obj\n<</Type/Page/Resources (\d+) 0 R[^\n]*?/Contents(?: |\[)((?:\d+ 0 R ?)+)")
_NUMBER = re.compile(rb"(\d+) 0 R")
_FONT = re.compile(rb"/((?:frame)?f\d+) (\d+) 0 R")
_LETTERS = re.compile(rb"/ToUnicode (\d+) 0 R")
_LETTER = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]{4})>")
# Every letter a hash can have, set once by the template in each face so that the file has its shape; never printed.
_SHAPES = re.compile(rb"BT 0 Tr/\w+ 0\.5 Tf .*?ET", re.DOTALL)
_KERN = rb"(?:\)-?[\d.]+\()?"
_TEXT = b"BT 0 Tr/"


def place(number: int) -> str:
    """Return the letters that hold the place of a hash.

    Parameters
    ----------
    number : int
        Which hash: 0 that of all data, then the files.

    Returns
    -------
    str
        As many letters as are printed of a hash.

    Raises
    ------
    None

    Examples
    --------
    >>> place(0), place(2)
    ('dbbdbbbbbbbb', 'dbbdbbbbbbdb')
    """
    return "dbbd" + f"{number:08b}".replace("0", "b").replace("1", "d")


PLACE = place(0)


def marks_of(sources: Iterable[Source]) -> dict[str, str]:
    """Return what is entered where.

    Parameters
    ----------
    sources : iterable of Source
        The files of a run.

    Returns
    -------
    dict of str to str
        Place -> first digits of the hash of all data, and of each file by its name; the files behind the 255th keep theirs.

    Raises
    ------
    None
    """
    files = sorted((source.name, source.sha256[:NAMED]) for source in sources)
    own = {place(number): digits for number, (_, digits) in enumerate(files[: _PLACES - 1], 1)}
    return {PLACE: short_snapshot(sources), **own}


def entered(made: bytes, ending: str, marks: Marks) -> bytes:
    """Return a file with the hashes where their places were held.

    Parameters
    ----------
    made : bytes
        A finished document that prints places, ``PLACE`` in its footer.
    ending : str
        ``.html``, ``.rtf``, ``.docx`` or ``.pdf``.
    marks : mapping of str to str
        Place -> digits, equally many.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    KeyError
        If the format is unknown, or a PDF has no letter for one of the digits.
    """
    return _FORMATS[ending](made, marks)


def compression(name: str) -> int:
    """Return how a part of a finished file is stored.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    int
        A picture as it is, because it is compressed; everything else is deflated.

    Raises
    ------
    None
    """
    return zipfile.ZIP_STORED if name.endswith(_PICTURE) else zipfile.ZIP_DEFLATED


def with_digits(text: bytes, marks: Marks) -> bytes:
    """Return a text with the hashes where their places were held.

    Parameters
    ----------
    text : bytes
        UTF-8.
    marks : mapping of str to str
        Place -> digits.

    Returns
    -------
    bytes
        UTF-8.

    Raises
    ------
    None
    """
    return _exchanged_words(_PLACE, text, {held.encode(): digits.encode() for held, digits in marks.items()})


def without_digits(text: bytes, marks: Marks) -> bytes:
    """Return a text in which the places of the hashes are held.

    Parameters
    ----------
    text : bytes
        UTF-8.
    marks : mapping of str to str
        Place -> digits.

    Returns
    -------
    bytes
        UTF-8; `with_digits` gives the text back.

    Raises
    ------
    None
    """
    for held, digits in marks.items():
        old = digits.encode()
        if old in text:
            text = _exchanged_words(re.compile(old), text, {old: held.encode()})
    return text


def holds_place(text: str) -> bool:
    """Tell whether a text might hold the place of a hash.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    bool
        False only if it holds none.

    Raises
    ------
    None
    """
    return PLACE[:4] in text


def _exchanged_words(sought: re.Pattern[bytes], text: bytes, known: Mapping[bytes, bytes]) -> bytes:
    """Return a text with other words for those that are known and no part of a longer row of hexadecimal digits."""

    def shown(found: re.Match[bytes]) -> bytes:
        begin, end = found.span()
        inside = text[max(begin - 1, 0) : begin] in _HEX or text[end : end + 1] in _HEX
        return found[0] if inside else known.get(found[0], found[0])

    return sought.sub(shown, text)


def _in_word(made: bytes, marks: Marks) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            written = with_digits(content, marks) if entry.filename.endswith(".xml") else content
            entry.compress_type = compression(entry.filename)
            target.writestr(entry, written, compresslevel=_LEVEL)
    return out.getvalue()


def _in_pdf(made: bytes, marks: Marks) -> bytes:
    """Exchange letters on the pages of a PDF as typst writes it, and tell the new places of its objects."""
    pdf = _Pdf(made, marks)
    changed: dict[int, bytes] = {}
    for resources, contents in _PAGE.findall(made):
        fonts = pdf.fonts(int(resources))
        for number in map(int, _NUMBER.findall(contents)):
            held = pdf.file.stream(number)
            text = _SHAPES.sub(b"", held)
            for name, font in fonts.items():
                text = font.exchanged(text, name)
            if text != held:
                changed[number] = packed(text)
    return pdf.file.rewritten(changed)


class _Pdf:
    """The texts of a PDF: which fonts a page has."""

    def __init__(self, made: bytes, marks: Marks) -> None:
        self.file = PdfFile(made)
        self._marks = marks
        self._known: dict[int, _Font | None] = {}

    def fonts(self, resources: int) -> dict[bytes, _Font]:
        """Return name on a page -> font, of those that have the letters of a place."""
        found = {name: self._font(int(number)) for name, number in _FONT.findall(self.file.body(resources))}
        return {name: font for name, font in found.items() if font is not None}

    def _font(self, number: int) -> _Font | None:
        if number not in self._known:
            named = _LETTERS.search(self.file.body(number))
            pairs = _LETTER.findall(self.file.stream(int(named[1]))) if named else []
            letters = dict(_read(*pair) for pair in reversed(pairs) if chr(int(pair[1], 16)) in DIGITS)
            self._known[number] = _Font(letters, self._marks) if {"b", "d"} <= set(letters) else None
        return self._known[number]


class _Font:
    """How places and hashes are written in a font.

    Parameters
    ----------
    letters : mapping of str to bytes
        Digit -> how it is written.
    marks : mapping of str to str
        Place -> digits.
    """

    def __init__(self, letters: Mapping[str, bytes], marks: Marks) -> None:
        self._letters = letters
        self._known = {self._spelled(own): digits for own, digits in marks.items()}
        d, b = (re.escape(letters[letter]) for letter in "db")
        self._held = re.compile(_KERN.join([d, b, b, d, *[b"(?:%s|%s)" % (d, b)] * 8]))

    def exchanged(self, page: bytes, name: bytes) -> bytes:
        """Return a page with the hashes in the texts of this font, which has a name there."""
        own = _TEXT + name + b" "

        def shown(found: re.Match[bytes]) -> bytes:
            begin = page.rfind(_TEXT, 0, found.start())
            return self._shown(found) if page.startswith(own, begin) else found[0]

        return self._held.sub(shown, page)

    def _shown(self, found: re.Match[bytes]) -> bytes:
        digits = self._known.get(re.sub(_KERN, b"", found[0]))
        return found[0] if digits is None else self._spelled(digits)

    def _spelled(self, text: str) -> bytes:
        return b"".join(self._letters[letter] for letter in text)


def _read(glyph: bytes, letter: bytes) -> tuple[str, bytes]:
    """Return a letter and how it is written, of a line of the table of letters; the first glyph of a letter counts."""
    return chr(int(letter, 16)), b"".join(map(_byte, bytes.fromhex(glyph.decode())))


def _byte(value: int) -> bytes:
    """Return a byte as typst writes it within a string."""
    plain = bytes([value]) if 0x20 <= value < 0x7F else b"\\%03o" % value
    return _ESCAPED.get(value, plain)


_FORMATS: dict[str, Callable[[bytes, Marks], bytes]] = {
    ".html": with_digits,
    ".rtf": with_digits,
    ".docx": _in_word,
    ".pdf": _in_pdf,
}
