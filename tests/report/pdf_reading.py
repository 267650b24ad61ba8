"""Reads a PDF by its tags: the text in the order of the structure tree, and the place of every piece on its page."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from io import BytesIO

from pypdf import PdfReader
from pypdf.generic import ContentStream, IndirectObject

_PAIR = re.compile(r"<([0-9A-F]{4})> <([0-9A-F]+)>\n")
_UNREAD = ("/Lbl", "/TOC")


@dataclass(frozen=True)
class Piece:
    """Text that is drawn in one go: page, place of its foot, width, letter size, tag; None is outside the structure."""

    page: int
    x: float
    y: float
    width: float
    size: float
    text: str
    mark: int | None


class Font:
    def __init__(self, font):
        self.name = font["/BaseFont"]
        cmap = font["/ToUnicode"].get_object().get_data().decode("latin-1")
        self.letters = {
            int(code, 16): bytes.fromhex(text).decode("utf-16-be") for code, text in _PAIR.findall(cmap)
        }
        descendant = font["/DescendantFonts"][0].get_object()
        self.embedded = any(key.startswith("/FontFile") for key in descendant["/FontDescriptor"].get_object())
        self.widths: dict[int, float] = defaultdict(lambda: float(descendant.get("/DW", 1000)))
        entries = list(descendant["/W"])
        while entries:
            first, second = entries[0], entries[1]
            if isinstance(second, list):
                self.widths.update({int(first) + i: float(w) for i, w in enumerate(second)})
                entries = entries[2:]
            else:
                self.widths.update(dict.fromkeys(range(int(first), int(second) + 1), float(entries[2])))
                entries = entries[3:]


def open_pdf(data: bytes) -> PdfReader:
    return PdfReader(BytesIO(data))


def fonts(reader: PdfReader) -> list[Font]:
    found = {}
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            found[font.get_object()["/BaseFont"]] = Font(font.get_object())
    return list(found.values())


def pieces(reader: PdfReader) -> list[Piece]:
    return [piece for number in range(len(reader.pages)) for piece in _page_pieces(reader, number)]


def _page_pieces(reader: PdfReader, number: int):
    page = reader.pages[number]
    known = {name: Font(font.get_object()) for name, font in page["/Resources"].get("/Font", {}).items()}
    stack, places, place, font, size = [], [], (1.0, 0.0, 0.0), None, 0.0
    matrix = (1.0, 1.0, 0.0, 0.0)
    for operands, operator in ContentStream(page.get_contents(), reader).operations:
        if operator in (b"BDC", b"BMC"):
            stack.append(
                operands[1].get("/MCID") if operator == b"BDC" and isinstance(operands[1], dict) else None
            )
        elif operator == b"EMC":
            stack.pop()
        elif operator == b"q":
            places.append(place)
        elif operator == b"Q":
            place = places.pop()
        elif operator == b"cm":
            a, _, _, _, e, f = map(float, operands)
            place = (place[0] * abs(a), place[1] + e, place[2] + f)
        elif operator == b"Tf":
            font, size = known[operands[0]], float(operands[1])
        elif operator == b"Tm":
            matrix = tuple(map(float, (operands[0], operands[3], operands[4], operands[5])))
        elif operator in (b"TJ", b"Tj"):
            parts = operands[0] if operator == b"TJ" else [operands[0]]
            text, width = _drawn(parts, font)
            marks = [mark for mark in stack if mark is not None]
            yield Piece(
                number,
                place[1] + matrix[2],
                place[2] - matrix[3],
                width * size / 1000 * place[0],
                size,
                text,
                marks[-1] if marks else None,
            )


def _drawn(parts, font: Font) -> tuple[str, float]:
    text, width = "", 0.0
    for part in parts:
        if isinstance(part, (int, float)):
            width -= float(part)
            continue
        raw = part.original_bytes if hasattr(part, "original_bytes") else bytes(part)
        for code in (int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)):
            text += font.letters[code]
            width += font.widths[code]
    return text, width


def read_in_order(reader: PdfReader, skip: tuple[str, ...] = _UNREAD) -> str:
    """Return the text in the order of the tags, without list markers and contents."""
    pages = {page.indirect_reference.idnum: number for number, page in enumerate(reader.pages)}
    marked: dict[tuple[int, int], str] = defaultdict(str)
    for piece in pieces(reader):
        if piece.mark is not None:
            marked[piece.page, piece.mark] += piece.text
    return "".join(_walk(reader.trailer["/Root"]["/StructTreeRoot"], None, pages, marked, skip))


def _walk(item, page, pages, marked, skip):
    item = item.get_object() if isinstance(item, IndirectObject) else item
    if isinstance(item, int):
        yield marked[page, item]
    elif isinstance(item, list):
        for kid in item:
            yield from _walk(kid, page, pages, marked, skip)
    elif item.get("/S") not in skip:
        page = pages[item.raw_get("/Pg").idnum] if "/Pg" in item else page
        if "/MCID" in item:
            yield marked[page, item["/MCID"]]
        elif "/K" in item:
            yield from _walk(item["/K"], page, pages, marked, skip)


def tags(reader: PdfReader) -> list[tuple[str, dict]]:
    """Return kind and attributes of every structure element, in order."""
    found = []

    def walk(item):
        item = item.get_object() if isinstance(item, IndirectObject) else item
        if isinstance(item, list):
            for kid in item:
                walk(kid)
        elif isinstance(item, dict):
            if "/S" in item:
                found.append((item["/S"], item))
            walk(item.get("/K"))

    walk(reader.trailer["/Root"]["/StructTreeRoot"])
    return found
