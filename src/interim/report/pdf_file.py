"""The objects of a PDF as typst writes it: one table of places, a dictionary on one line before each stream, references as `7 0 R`."""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

_LEVEL = 4  # of streams that are packed again: twice as fast as 6, files grow by 1.5 %
_XREF = re.compile(rb"startxref\n(\d+)")
_SIZE = re.compile(rb"/Size \d+")
_ROOT = re.compile(rb"/Root (\d+) 0 R")
_ENTRY = b"%010d 00000 n\r\n"  # of the table of objects
_LENGTH = b"<</Length "
_STREAM = re.compile(rb"<</Length (\d+)[^\n]*>>\nstream\n")
_END = b"\nendobj"
END_OF_STREAM = b"\nendstream"


class PdfFile:
    """A finished file.

    Parameters
    ----------
    made : bytes
        As typst writes it, or `rewritten` gave it.
    """

    def __init__(self, made: bytes) -> None:
        self._made = made
        self._table = int(_XREF.findall(made)[-1])
        begin = made.index(b"\n", self._table + len("xref\n")) + 1
        self._tail = made.index(b"trailer", begin)
        self._first, *entries = made[begin : self._tail].splitlines(keepends=True)
        self._places = [0, *(int(entry[:10]) for entry in entries)]

    @property
    def size(self) -> int:
        """One more than the highest number of an object."""
        return len(self._places)

    @property
    def trailer(self) -> bytes:
        """What stands behind the table of objects."""
        return self._made[self._tail :]

    @property
    def catalog(self) -> bytes:
        """The object that names all others."""
        found = _ROOT.search(self._made, self._tail)
        assert found is not None
        return self.body(int(found[1]))

    def body(self, number: int) -> bytes:
        """Return what stands between `obj` and `endobj`, a stream with its dictionary.

        Parameters
        ----------
        number : int
            Of the object.

        Returns
        -------
        bytes
            As it is written.

        Raises
        ------
        IndexError, ValueError
            If the file has no such object.
        """
        begin, end = self._span(number)
        return self._made[begin:end]

    def stream(self, number: int) -> bytes:
        """Return the content of a stream.

        Parameters
        ----------
        number : int
            Of its object.

        Returns
        -------
        bytes
            Unpacked.

        Raises
        ------
        zlib.error
            If the object is no packed stream.
        """
        return zlib.decompress(parted(self.body(number))[1])

    def _span(self, number: int) -> tuple[int, int]:
        """Return begin and end of the body of an object."""
        begin = self._made.index(b"\n", self._places[number]) + 1
        head = _STREAM.match(self._made, begin) if self._made.startswith(_LENGTH, begin) else None
        return begin, self._made.index(_END, head.end() + int(head[1]) if head else begin)

    def rewritten(self, changed: Mapping[int, bytes], added: Sequence[bytes] = ()) -> bytes:
        """Return the file with other objects.

        Parameters
        ----------
        changed : mapping of int to bytes
            Number of an object -> its new body.
        added : sequence of bytes
            Bodies of further objects, from the number `size` on.

        Returns
        -------
        bytes
            A whole file; the catalog and the trailer stay.

        Raises
        ------
        IndexError, ValueError
            As in `body`.
        """
        pieces, done, moved = [], 0, [(0, 0)]
        for begin, end, number in sorted((*self._span(number), number) for number in changed):
            pieces += [self._made[done:begin], changed[number]]
            moved.append((begin, moved[-1][1] + len(changed[number]) - (end - begin)))
            done = end
        pieces.append(self._made[done : self._table])
        place = self._table + moved[-1][1]
        places = [*self._shifted(moved)]
        for number, body in enumerate(added, self.size):
            pieces.append(b"%d 0 obj\n%s\nendobj\n" % (number, body))
            places.append(place)
            place += len(pieces[-1])
        size = len(places) + 1
        tail = _XREF.sub(b"startxref\n%d" % place, _SIZE.sub(b"/Size %d" % size, self.trailer))
        table = [b"xref\n0 %d\n" % size, self._first, *map(_ENTRY.__mod__, places)]
        return b"".join([*pieces, *table, tail])

    def _shifted(self, moved: Sequence[tuple[int, int]]) -> Iterator[int]:
        """Yield where each object stands: as far behind its old place as what was changed before it is longer."""
        starts, shifts = zip(*moved, strict=True)
        for place in self._places[1:]:
            yield place + shifts[bisect_left(starts, place) - 1]


def parted(body: bytes) -> tuple[bytes, bytes]:
    """Return dictionary and content of an object.

    Parameters
    ----------
    body : bytes
        What `PdfFile.body` gives.

    Returns
    -------
    dictionary : bytes
        All of an object that is no stream.
    content : bytes
        As it is packed; nothing of an object that is no stream.

    Raises
    ------
    None
    """
    head = _STREAM.match(body) if body.startswith(_LENGTH) else None
    if head is None:
        return body, b""
    return body[: head.end()], body[head.end() : head.end() + int(head[1])]


def packed(content: bytes) -> bytes:
    """Return a stream as the body of an object.

    Parameters
    ----------
    content : bytes
        Unpacked.

    Returns
    -------
    bytes
        Dictionary and packed content.

    Raises
    ------
    None
    """
    small = zlib.compress(content, _LEVEL)
    return b"<</Length %d/Filter/FlateDecode>>\nstream\n%s%s" % (len(small), small, END_OF_STREAM)
