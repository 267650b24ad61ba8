"""Binds the parts of a PDF: their pages are laid upon the empty pages of a frame that has headers, footers, contents and bookmarks."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import md5
from itertools import islice
from typing import cast

from interim.report.pdf_file import END_OF_STREAM, PdfFile, packed, parted

# A string may hold brackets in pairs; what looks like a reference in it is text.
_PLAIN = rb"(?:[^()\\]|\\.)"
_STRING = rb"\((?:%s|\((?:%s|\((?:%s|\(%s*\))*\))*\))*\)" % ((_PLAIN,) * 4)
_WORD = re.compile(rb"%s|\d+ 0 R" % _STRING, re.DOTALL)
_GAP = b"\nendobj\n"  # stands in no dictionary
_NAME = re.compile(rb"(%s)|/([a-z]\d+)\b" % _STRING, re.DOTALL)
_HEAD = re.compile(rb"\(U\d+x\d+y\d+\)")  # the name of a head of a table, for the cells below it
_REFERENCE = re.compile(rb"(\d+) 0 R")
_PAIR = re.compile(rb"(\d+) (\d+ 0 R)")
_NAMED = re.compile(rb"\(([^()]*)\)(\d+ 0 R)")
_KIND = re.compile(rb"/([A-Z]\w+)<<([^<>]*)>>")
_BOX = re.compile(rb"/MediaBox\[0 0 ([\d.]+) ([\d.]+)\]")
_OWNER = re.compile(rb"/StructParents (\d+)")
_MARK, _NEW = -1, -(10**9)  # places among the words of a file: of the mark of a part, of none
_IDENTITY = re.compile(rb"/ID\[\([^()]*\)\(([^()]*)\)\]")


def bound(frame: bytes, parts: Sequence[Part]) -> bytes:
    """Return one file with the pages of all parts.

    Parameters
    ----------
    frame : bytes
        A PDF of typst whose last pages show headers and footers alone: one page for each page of the parts.
    parts : sequence of Part
        In order.

    Returns
    -------
    bytes
        The frame with the content and the tags of the parts; equal input gives equal bytes.

    Raises
    ------
    ValueError
        If the frame has fewer pages than the parts.
    """
    whole = _Book(frame)
    count = sum(len(part.flipped) for part in parts)
    if count > len(whole.pages):
        raise ValueError(f"{count} pages of parts for {len(whole.pages)} pages of the frame")
    empty = iter(whole.pages[len(whole.pages) - count :])
    changed: dict[int, bytes] = {}
    added: list[bytes] = []
    for mark, part in enumerate(parts):
        places = [*islice(empty, len(part.flipped))]
        texts = iter(part.numbered([*places, whole.document], whole.file.size + len(added), mark))
        for place, owner in zip(places, part.owners, strict=True):
            changed.update(_laid(whole, place, owner, text=next(texts), letters=next(texts)))
        whole.join(part, texts)
        added += map(part.filled, texts, part.contents)
    changed.update(whole.tags())
    return _identified(whole.file.rewritten(changed, added), whole.file.trailer)


class _Book:
    """Pages and tags of a file."""

    def __init__(self, made: bytes) -> None:
        self.file = file = PdfFile(made)
        self.pages = _numbers(_listed(file.body(_number(file.catalog, b"Pages")), b"Kids"))
        self.root = _number(file.catalog, b"StructTreeRoot")
        root = file.body(self.root)
        self.document = _numbers(_listed(root, b"K"))[0]
        self.children = _listed(file.body(self.document), b"K")
        self.owners = [(int(key), owner) for key, owner in _PAIR.findall(_listed(root, b"Nums"))]
        self.heads = _listed(root, b"Names")
        self.free = max((key for key, _ in self.owners), default=-1) + 1

    def join(self, part: Part, texts: Iterator[bytes]) -> None:
        """Take the tags of a part, which come next of its texts, behind the own ones."""
        self.children += b" " + next(texts)
        self.owners += [(self.free + key, next(texts)) for key in part.keys]
        self.heads += next(texts)
        self.free += part.free

    def tags(self) -> Iterator[tuple[int, bytes]]:
        """Yield number and body of the objects that hold all tags together."""
        yield self.document, _with_list(self.file.body(self.document), b"K", self.children)
        roles = self.file.body(self.root).partition(b"/K[")[0]
        owners = b" ".join(b"%d %s" % pair for pair in self.owners)
        heads = b"".join(b"(%s)%s" % pair for pair in sorted(_NAMED.findall(self.heads)))
        names = b"/IDTree<</Names[%s]>>" % heads if heads else b""
        yield (
            self.root,
            b"%s/K[%d 0 R]/ParentTree<</Nums[%s]>>%s/ParentTreeNextKey %d>>"
            % (roles, self.document, owners, names, self.free),
        )


class Part:
    """What is bound of a file: all but its first page, and the tags on it; what nothing names is left behind.

    Parameters
    ----------
    made : bytes
        A PDF of typst without headers, footers and links.

    Attributes
    ----------
    flipped : list of bool
        Which pages are wider than high; one for each page.
    owners : list of int or None
        The number of each page in the table of tags by page.
    keys : list of int
        The numbers in that table.
    free : int
        One more than the highest of them.
    contents : list of bytes
        The packed content of each object; nothing of one that is no stream.

    Notes
    -----
    The references are taken out of the text, so that `numbered` puts in those of a place in a file without reading it again.
    """

    def __init__(self, made: bytes) -> None:
        book = _Book(made)
        body = book.file.body
        found = [_OWNER.search(body(page)) for page in book.pages]
        first, *self.owners = [int(owner[1]) if owner else None for owner in found]
        owners = dict(book.owners)
        gone = _REFERENCE.findall(body(int(owners.pop(cast(int, first)).partition(b" ")[0])))
        kept = (child for child in _REFERENCE.findall(book.children) if child not in gone)
        pages = book.pages[1:]
        boxes = [_BOX.search(body(page)) for page in pages]
        self.flipped = [box is not None and float(box[1]) > float(box[2]) for box in boxes]
        self.keys, self.free = [*owners], book.free
        self.contents: list[bytes] = []
        self._texts: list[bytes] = []
        self._slots: list[int] = []
        self._take_apart(
            book.file,
            [*pages, book.document],
            [
                *(text for page in pages for text in _on_page(book.file, page)),
                b" ".join(b"%s 0 R" % child for child in kept),
                *owners.values(),
                book.heads,
            ],
        )

    def _take_apart(self, file: PdfFile, outer: Sequence[int], texts: Sequence[bytes]) -> None:
        """Take the references out of texts and of the objects that they name, also on the way; those to outer objects are counted from the end."""
        known = {b"%d 0 R" % number: place - len(outer) - 1 for place, number in enumerate(outer)}
        order: list[int] = []
        rest = b""
        while texts:
            text = rest + _GAP.join(texts)
            done, seen = 0, len(order)
            for found in _WORD.finditer(text):
                word, begin, end = found[0], found.start(), found.end()
                if word.startswith(b"("):
                    if not _HEAD.fullmatch(word):
                        continue
                    slot, end = _MARK, begin + 1
                elif (slot := known.get(word, _NEW)) == _NEW:
                    slot = known[word] = len(order)
                    order.append(int(word.partition(b" ")[0]))
                self._texts.append(text[done:begin])
                self._slots.append(slot)
                done = end
            pairs = [parted(file.body(number)) for number in order[seen:]]
            self.contents += [content for _, content in pairs]
            rest, texts = text[done:] + _GAP, [head for head, _ in pairs]
        self._texts.append(rest.removesuffix(_GAP))

    def numbered(self, outer: Sequence[int], free: int, mark: int) -> list[bytes]:
        """Return its texts with the numbers of its objects in a file.

        Parameters
        ----------
        outer : sequence of int
            The objects that stand for its pages and for what holds all tags.
        free : int
            The number of its first object.
        mark : int
            Which part it is: no other has its names of heads of tables.

        Returns
        -------
        list of bytes
            Content and resources of each page, tags below the document, by key, heads, then its objects.

        Raises
        ------
        None
        """
        own = [b"%d 0 R" % number for number in range(free, free + len(self.contents))]
        words = [*own, *(b"%d 0 R" % number for number in outer), b"(P%d" % mark]
        parts = [b""] * (2 * len(self._slots) + 1)
        parts[0::2] = self._texts
        parts[1::2] = [words[slot] for slot in self._slots]
        return b"".join(parts).split(_GAP)

    @staticmethod
    def filled(head: bytes, content: bytes) -> bytes:
        """Return an object with its content.

        Parameters
        ----------
        head : bytes
            Its dictionary.
        content : bytes
            As it is packed; nothing of one that is no stream.

        Returns
        -------
        bytes
            The object.

        Raises
        ------
        None
        """
        return head + content + END_OF_STREAM if content else head


def _on_page(file: PdfFile, page: int) -> tuple[bytes, bytes]:
    """Return the reference to the content of a page, and its resources."""
    body = file.body(page)
    return b"%d 0 R" % _number(body, b"Contents"), file.body(_number(body, b"Resources"))


def _laid(
    whole: _Book, place: int, owner: int | None, *, text: bytes, letters: bytes
) -> Iterator[tuple[int, bytes]]:
    """Yield number and body of what makes an empty page one of a part: page, resources, header and footer."""
    empty = whole.file.body(place)
    frame, own = _number(empty, b"Contents"), _number(empty, b"Resources")
    tags = b"" if owner is None else b"/StructParents %d" % (whole.free + owner)
    both = b"%s/Contents[%d 0 R %s]" % (tags, frame, text)
    yield place, empty.replace(b"/Contents %d 0 R" % frame, both)
    yield own, _together(letters, whole.file.body(own))
    yield frame, packed(b"q\n%s\nQ\n" % _NAME.sub(_renamed, whole.file.stream(frame)))


def _together(body: bytes, frame: bytes) -> bytes:
    """Return the resources of a page with those of its header and footer under other names."""
    kinds = dict(_KIND.findall(body))
    for kind, names in _KIND.findall(frame):
        kinds[kind] = kinds.get(kind, b"") + _NAME.sub(_renamed, names)
    return b"%s%s>>" % (_KIND.sub(b"", body)[:-2], b"".join(b"/%s<<%s>>" % item for item in kinds.items()))


def _renamed(found: re.Match[bytes]) -> bytes:
    text, name = found.groups()
    return b"/frame" + name if text is None else text


def _identified(made: bytes, trailer: bytes) -> bytes:
    """Return a file whose identity tells it from others in the same frame."""
    found = _IDENTITY.search(trailer)
    assert found is not None
    return made.replace(found[1], b64encode(md5(made, usedforsecurity=False).digest()))


def _number(body: bytes, key: bytes) -> int:
    """Return the number of the object that a dictionary names."""
    begin = body.index(b"/%s " % key) + len(key) + 2
    return int(body[begin : body.index(b" ", begin)])


def _listed(body: bytes, key: bytes) -> bytes:
    """Return what a list in a dictionary holds; nothing without the list."""
    _, _, rest = body.partition(b"/%s[" % key)
    return rest.partition(b"]")[0]


def _with_list(body: bytes, key: bytes, listed: bytes) -> bytes:
    head, name, rest = body.partition(b"/%s[" % key)
    return head + name + listed + rest[rest.index(b"]") :]


def _numbers(listed: bytes) -> list[int]:
    return [int(number) for number in _REFERENCE.findall(listed)]
