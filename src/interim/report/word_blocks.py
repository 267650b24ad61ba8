"""The blocks of a document as WordprocessingML."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count
from typing import Any

from docx.image.image import Image
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.oxml.ns import qn
from docx.oxml.shape import CT_Inline
from docx.parts.image import ImagePart
from docx.shared import Mm
from lxml import etree  # type: ignore[import-untyped]

from interim.report.content import Block, Figure, ListBlock, Orientation, Paragraph, Section, Span, Table, Tlf
from interim.report.fragments import Fragments
from interim.report.page import Paper, room_mm
from interim.report.word_table import table_xml
from interim.report.word_xml import bookmarked, element, field, node, paragraph, text_run, twips

_STYLES = {"normal": "Normal", "note": "Note", "box": "Box"}
_BULLETS, _NUMBERS = 1, 2
_PNG, _IMAGE = CONTENT_TYPE.PNG, RELATIONSHIP_TYPE.IMAGE
_LIST_STEP_MM = 7.5
_CAPTION_MM = 12.0
_NOTE_MM = 8.0


def sequence(letter: str) -> str:
    """Return the name of the caption field; tables and listings share one list.

    Parameters
    ----------
    letter : str
        First letter of the id: T, L or F.

    Returns
    -------
    str
        ``Table`` or ``Figure``.

    Raises
    ------
    None

    Examples
    --------
    >>> sequence("L")
    'Table'
    """
    return "Figure" if letter == "F" else "Table"


class Pen:
    """Turns blocks into paragraphs and tables; counts bookmarks, lists and captions.

    Parameters
    ----------
    part : docx.parts.document.DocumentPart
        Takes pictures and list definitions.
    paper : {"a4", "us-letter"}
        Size of the page.
    fragments : Fragments
        Where texts of tables are kept.

    Attributes
    ----------
    pictures : dict of str to bytes
        Name of a part of the file -> the picture that is to be in it; the part is empty.
    """

    def __init__(self, part: Any, paper: Paper, fragments: Fragments) -> None:
        self._part = part
        self._paper = paper
        self._fragments = fragments
        self.pictures: dict[str, bytes] = {}
        self._links: dict[bytes, str] = {}
        self._bookmarks = count(1)
        self._captions = {"Table": count(1), "Figure": count(1)}

    def block(self, block: Block, way: Orientation, *, fresh: bool = False) -> Iterator[str]:
        """Yield the paragraphs and tables of a block.

        Parameters
        ----------
        block : Block
            Any block.
        way : {"portrait", "landscape"}
            Orientation of its page.
        fresh : bool
            Whether it starts on a new page.

        Yields
        ------
        str
            ``w:p`` or ``w:tbl``.

        Raises
        ------
        None
        """
        start = [node("pageBreakBefore")] if fresh else []
        if isinstance(block, Section):
            title = [text_run(f"{block.number} {block.title}")]
            marked = bookmarked(next(self._bookmarks), block.anchor, title)
            yield paragraph(f"Heading{block.level}", *marked, properties=start)
        elif isinstance(block, Paragraph):
            yield paragraph(_STYLES[block.style], *map(_span, block.spans))
        elif isinstance(block, ListBlock):
            yield from self._list(block, 0)
        else:
            yield self._caption(block, start)
            yield self._table(block, way) if isinstance(block, Table) else self._picture(block, way)
            yield from _below(block)

    def _list(self, block: ListBlock, level: int) -> Iterator[str]:
        number = self._list_number(block, level)
        for item in block.items:
            first = True
            for part in item:
                if isinstance(part, ListBlock):
                    yield from self._list(part, level + 1)
                elif first:
                    place = node("numPr", node("ilvl", val=level), node("numId", val=number))
                    style = "ListNumber" if block.ordered else "ListBullet"
                    yield paragraph(style, *map(_span, part.spans), properties=[place])
                else:
                    indent = node("ind", left=twips((level + 1) * _LIST_STEP_MM))
                    yield paragraph("ListContinue", *map(_span, part.spans), properties=[indent])
                first = False

    def _list_number(self, block: ListBlock, level: int) -> int:
        """Return the id of the list: bullets share one, a numbered list has its own start."""
        if not block.ordered:
            return _BULLETS
        numbering = self._part.numbering_part.element
        found = numbering.findall(qn("w:num"))
        override = node("lvlOverride", node("startOverride", val=block.start), ilvl=level)
        added = node("num", node("abstractNumId", val=_NUMBERS), override, numId=len(found) + 1)
        numbering.append(element(added))
        return len(found) + 1

    def _caption(self, block: Tlf, start: Iterable[str]) -> str:
        name = sequence(block.id[0])
        number = field(
            f"SEQ {name} \\h", text_run(str(next(self._captions[name])), node("vanish")), hidden=True
        )
        content = [text_run(f"{block.label} ", node("b")), *number, text_run(block.title)]
        if block.population:
            content.append(text_run(f" — {block.population}", node("color", val="52606D")))
        marked = bookmarked(next(self._bookmarks), block.anchor, content)
        return paragraph("Caption", *marked, properties=start)

    def _table(self, table: Table, way: Orientation) -> str:
        make = partial(table_xml, table, *room_mm(self._paper, way))
        return self._fragments.text(table, self._paper, way, make=make)

    def _picture(self, figure: Figure, way: Orientation) -> str:
        width, height = room_mm(self._paper, way)
        notes = len(figure.footnotes) + len(figure.labels)
        data = base64.b64decode(figure.png)
        size = Image.from_blob(data).scaled_dimensions(Mm(min(figure.width_mm, width)))
        inline = CT_Inline.new_pic_inline(1, self._link(data), "image.png", *size)
        _shrink(inline, Mm(height - 2 * _CAPTION_MM - notes * _NOTE_MM))
        inline.docPr.set("descr", figure.alt)
        inline.docPr.set("name", figure.label)
        inline.docPr.set("id", str(next(self._bookmarks)))
        kept = [node("keepNext")] if notes else []
        picture = etree.tostring(inline, encoding="unicode")
        return paragraph("Picture", node("r", node("drawing", picture)), properties=kept)

    def _link(self, data: bytes) -> str:
        """Return the link to a picture, and hold it for a part that is empty until the file is finished."""
        if data not in self._links:
            name = f"word/media/image{len(self.pictures) + 1}.png"
            self._links[data] = self._part.relate_to(ImagePart(PackURI(f"/{name}"), _PNG, b""), _IMAGE)
            self.pictures[name] = data
        return self._links[data]


def _span(span: Span) -> str:
    properties = []
    if span.code:
        properties.append(node("rStyle", val="Code"))
    if span.strong:
        properties.append(node("b"))
    if span.emphasis:
        properties.append(node("i"))
    return text_run(span.text, *properties)


def _below(block: Tlf) -> Iterator[str]:
    notes = [(text, False) for text in block.footnotes] + [(text, True) for text in block.labels]
    for number, (text, marked) in enumerate(notes, 1):
        look = [node("b"), node("color", val="9B1C1C")] if marked else []
        kept = [node("keepNext")] if number < len(notes) else []
        yield paragraph("TableNote", text_run(text, *look), properties=kept)


def _shrink(inline: Any, most: int) -> None:
    """Make a picture smaller that is higher than its page."""
    wide, high = inline.extent.cx, inline.extent.cy
    if high <= most:
        return
    inline.extent.cx, inline.extent.cy = round(wide * most / high), most
    shape = inline.graphic.graphicData.pic.spPr
    shape.cx, shape.cy = inline.extent.cx, inline.extent.cy
