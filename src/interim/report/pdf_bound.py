"""Binds the parts of a PDF: their pages are laid upon the empty pages of a frame that has headers, footers, contents and bookmarks."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import md5
from itertools import islice

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
    count = sum(len(part.pages) for part in parts)
    if count > len(whole.pages):
        raise ValueError(f"{count} pages of parts for {len(whole.pages)} pages of the frame")
    empty = iter(whole.pages[len(whole.pages) - count :])
    changed: dict[int, bytes] = {}
    added: list[bytes] = []
    for number, part in enumerate(parts):
        copy = _Copy(part, whole, [*islice(empty, len(part.pages))], whole.file.size + len(added), number)
        changed.update(copy.laid(whole))
        whole.join(copy)
        added += copy.bodies()
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

    def join(self, copy: _Copy) -> None:
        """Take the tags of a part behind the own ones."""
        source = copy.source
        self.children += b" " + copy.of(source.children)
        self.owners += [(self.free + key, copy.of(owner)) for key, owner in source.owners]
        self.heads += copy.of(source.heads)
        self.free += source.free

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


class Part(_Book):
    """What is bound of a file: all but its first page, and the tags on it.

    Parameters
    ----------
    made : bytes
        A PDF of typst without headers, footers and links.
    """

    def __init__(self, made: bytes) -> None:
        super().__init__(made)
        first = _OWNER.search(self.file.body(self.pages.pop(0)))
        assert first is not None
        owners = dict(self.owners)
        gone = _REFERENCE.findall(self.file.body(int(owners.pop(int(first[1])).partition(b" ")[0])))
        self.owners = [*owners.items()]
        kept = (child for child in _REFERENCE.findall(self.children) if child not in gone)
        self.children = b" ".join(b"%s 0 R" % child for child in kept)

    def flipped(self) -> list[bool]:
        """Tell which pages are wider than high.

        Returns
        -------
        list of bool
            One for each page.

        Raises
        ------
        None
        """
        boxes = [_BOX.search(self.file.body(page)) for page in self.pages]
        return [box is not None and float(box[1]) > float(box[2]) for box in boxes]


class _Copy:
    """The objects of a part under new numbers; what nothing names is left behind.

    Parameters
    ----------
    source : Part
        The part.
    whole : _Book
        The frame with the parts before.
    places : sequence of int
        Its pages for those of the part.
    free : int
        The next new number.
    mark : int
        Which part it is.
    """

    def __init__(self, source: Part, whole: _Book, places: Sequence[int], free: int, mark: int) -> None:
        self.source = source
        self._places = places
        kept = zip([*source.pages, source.document], [*places, whole.document], strict=True)
        self._known = {b"%d 0 R" % old: b"%d 0 R" % new for old, new in kept}
        self._free, self._mark = free, mark
        self._order: list[int] = []

    def of(self, body: bytes) -> bytes:
        """Return a body with the new numbers, and names of heads of tables that no other part has."""
        return _WORD.sub(self._word, body)

    def _word(self, found: re.Match[bytes]) -> bytes:
        word = found[0]
        return self._known.get(word) or self._new(word)

    def _new(self, word: bytes) -> bytes:
        if word.startswith(b"("):
            return b"(P%d%s" % (self._mark, word[1:]) if _HEAD.fullmatch(word) else word
        self._known[word] = b"%d 0 R" % (self._free + len(self._order))
        self._order.append(int(word.partition(b" ")[0]))
        return self._known[word]

    def bodies(self) -> Iterator[bytes]:
        """Yield the objects in the order of their new numbers, those that are named on the way too."""
        done = 0
        while done < len(self._order):
            named, done = self._order[done:], len(self._order)
            pairs = [parted(self.source.file.body(old)) for old in named]
            heads = self.of(_GAP.join(head for head, _ in pairs)).split(_GAP)
            for head, (_, content) in zip(heads, pairs, strict=True):
                yield head + content + END_OF_STREAM if content else head

    def laid(self, whole: _Book) -> Iterator[tuple[int, bytes]]:
        """Yield number and body of what makes an empty page one of the part: page, resources, header and footer."""
        for old, place in zip(self.source.pages, self._places, strict=True):
            page, empty = self.source.file.body(old), whole.file.body(place)
            frame, letters = _number(empty, b"Contents"), _number(empty, b"Resources")
            owner = _OWNER.search(page)
            tags = b"/StructParents %d" % (whole.free + int(owner[1])) if owner else b""
            text = self.of(b"%d 0 R" % _number(page, b"Contents"))
            own = b"%s/Contents[%d 0 R %s]" % (tags, frame, text)
            yield place, empty.replace(b"/Contents %d 0 R" % frame, own)
            body = self.of(self.source.file.body(_number(page, b"Resources")))
            yield letters, _together(body, whole.file.body(letters))
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
