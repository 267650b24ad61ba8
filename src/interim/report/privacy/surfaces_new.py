"""What is new in a file: it is cut where a line of its text ends, and what was searched under its name before is left out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from interim.report.privacy.surfaces import _COMMENT, _DATA_URI

# What ends a line of the text; a file is cut behind these.
_HTML_ENDS, _WORD_ENDS, _RTF_ENDS = (b"</tr>", b"</p>", b"</ul>"), (b"</w:tr>",), (b"\\row\n", b"\\par\n")
_PDF_BLOCK = 256  # objects
_NO_BRACKETS = bytes(set(range(256)) - set(b"()"))
_PDF_PAGES = (b"stream", b"/Contents", b"/Resources", b"/Font", b"\\")
# Stands for a known block; a string that holds it goes across the block.
KNOWN_OBJECTS = "/known-objects"
_PDF_BEGIN = re.compile(rb"\n\d+ 0 obj\n<<")
_RTF_PICTURES = (b"blip", b"wmetafile", b"dibitmap")


@dataclass
class Fresh:
    """Tells which pieces of one file are new.

    Attributes
    ----------
    known : frozenset of str
        Hashes of the pieces that were searched before and held nothing.
    seen : set of str
        Hashes of the pieces of this file.
    unsure : bool
        Whether something may go across a cut, so that the pieces do not show what the whole file shows.
    """

    known: frozenset[str] = frozenset()
    seen: set[str] = field(default_factory=set)
    unsure: bool = False

    @property
    def partial(self) -> bool:
        """Whether a piece was left out."""
        return not self.known.isdisjoint(self.seen)

    def markup(self, data: bytes) -> bytes:
        """Return what is new of a file in HTML or XML, what stands before the first cut and what behind the last.

        Parameters
        ----------
        data : bytes
            The file.

        Returns
        -------
        bytes
            The same object if the file is not cut.

        Raises
        ------
        None
        """
        return self._cut(data, _WORD_ENDS if _WORD_ENDS[0] in data else _HTML_ENDS, _closed)

    def rtf(self, data: bytes) -> bytes:
        """Return what is new of an RTF file, what stands before the first cut and what behind the last.

        Parameters
        ----------
        data : bytes
            The file.

        Returns
        -------
        bytes
            As for ``markup``.

        Raises
        ------
        None
        """
        return self._cut(data, _RTF_ENDS, _rtf_closed)

    def pdf(self, data: bytes) -> bytes:
        """Return a PDF file without known blocks of objects that are no pages, fonts or streams: most are tags.

        Parameters
        ----------
        data : bytes
            The file.

        Returns
        -------
        bytes
            All other objects, and ``KNOWN_OBJECTS`` where a block was left out.

        Raises
        ------
        None
        """
        kept: list[bytes] = []
        begin = 0
        for place, end in _blocks(data):
            block = data[place:end]
            digest = hashed(block, b"objects")
            known = digest in self.known and _objects_end(data[begin:place])
            if known:
                mark = f"{KNOWN_OBJECTS}\nendobj".encode()
                kept += [data[begin:place], block[: block.index(b"<<")], mark]
                begin = end
            if known or _stands_alone(block):
                self.seen.add(digest)
        return b"".join([*kept, data[begin:]])

    def _cut(self, data: bytes, ends: Sequence[bytes], closed: Callable[[bytes], bool]) -> bytes:
        pieces = [data]
        for end in ends:
            pieces = [part for piece in pieces for part in _behind(piece, end)]
        if len(pieces) == 1:
            return data
        first, *inner, last = pieces
        new = [first, *(piece for piece in inner if self._is_new(piece, ends[0]))]
        self.unsure |= not all(map(closed, new))
        return b"".join([*new, last])

    def _is_new(self, piece: bytes, kind: bytes) -> bool:
        digest = hashed(piece, kind)
        self.seen.add(digest)
        return digest not in self.known


def hashed(piece: bytes, kind: bytes) -> str:
    """Return the hash under which a piece is known.

    Parameters
    ----------
    piece : bytes
        Part of a file.
    kind : bytes
        All else by which it is read.

    Returns
    -------
    str
        Hexadecimal digits.

    Raises
    ------
    ValueError
        If the kind is longer than 64 bytes.
    """
    return hashlib.blake2b(piece, digest_size=16, key=kind).hexdigest()


def _blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield begin and end of blocks of equally many objects of a PDF file, as far as these are sorted by their numbers."""
    number, begin = _PDF_BLOCK, data.find(b"\n%d 0 obj\n" % _PDF_BLOCK)
    while begin >= 0:
        number += _PDF_BLOCK
        end = data.find(b"\n%d 0 obj\n" % number, begin)
        if end >= 0:
            yield begin, end
        begin = end


def _stands_alone(block: bytes) -> bool:
    """Tell whether a block of a PDF file is of whole objects, whose strings end within them and of which no page is made."""
    whole = _PDF_BEGIN.match(block) and block.endswith(b">>\nendobj")
    if (
        not whole
        or any(word in block for word in _PDF_PAGES)
        or block.count(b" 0 obj") != block.count(b"endobj")
    ):
        return False
    brackets = block.translate(None, _NO_BRACKETS)
    while b"()" in brackets:
        brackets = brackets.replace(b"()", b"")
    return not brackets


def _objects_end(between: bytes) -> bool:
    """Tell whether no stream and no object goes on behind what stands between two blocks."""
    whole = not between or between.endswith(b"endobj")
    return whole and between.count(b"stream") == 2 * between.count(b"endstream")


def _behind(piece: bytes, end: bytes) -> list[bytes]:
    """Return the parts of a piece, cut behind each of its ends."""
    *parts, last = piece.split(end)
    return [*(part + end for part in parts), last] if last else [part + end for part in parts]


def _closed(piece: bytes) -> bool:
    """Tell whether the tag that ends a piece stands in no comment and no data; a tag within a tag is seen by the reader."""
    if b"data:" not in piece and b"<!--" not in piece:
        return True
    text = _COMMENT.sub("", _DATA_URI.sub("", piece.decode("utf-8", "replace")))
    return text.endswith(piece[piece.rfind(b"<") :].decode()) and "<!--" not in text


def _rtf_closed(piece: bytes) -> bool:
    """Tell whether the control word that ends a piece is one, and within no picture."""
    tail = piece[max(piece.rfind(b"{"), piece.rfind(b"}"), 0) :]
    escaped = any(piece.endswith(b"\\" + end) for end in _RTF_ENDS)
    return not escaped and not any(word in tail for word in _RTF_PICTURES)
