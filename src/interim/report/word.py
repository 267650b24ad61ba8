"""Writes a document as Word file: real headings, caption fields, repeated header rows, a section per orientation."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import docx
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.oxml.ns import qn
from docx.parts.hdrftr import FooterPart, HeaderPart

from interim.report.content import Document, Front, Orientation, Tlf
from interim.report.fragments import Fragments
from interim.report.page import BOTTOM_MM, MARGIN_MM, TOP_MM, Paper, page_mm, room_mm
from interim.report.typefaces import chinese_in
from interim.report.word_blocks import Pen, sequence
from interim.report.word_fonts import with_fonts
from interim.report.word_package import DOCUMENT, document_part, empty_package, pinned
from interim.report.word_xml import (
    bookmark_name,
    element,
    ending,
    field,
    instruction_run,
    node,
    paragraph,
    text_run,
    twips,
)

_EDGE_MM = 12.0
_PROGRAM = "interim"
_PROPERTY = 255  # letters, a limit of the format
_DEPTH = 4
_EAST_ASIAN = ("zh-CN",)
_KINDS: tuple[tuple[Any, str, str, str], ...] = (
    (HeaderPart, "header", CONTENT_TYPE.WML_HEADER, RELATIONSHIP_TYPE.HEADER),
    (FooterPart, "footer", CONTENT_TYPE.WML_FOOTER, RELATIONSHIP_TYPE.FOOTER),
)


def write_docx(
    document: Document,
    path: Path,
    *,
    paper: Paper = "a4",
    packed: bool = True,
    fragments: Fragments | None = None,
) -> None:
    """Write a document as Word file.

    Parameters
    ----------
    document : Document
        The content.
    path : Path
        File to write.
    paper : {"a4", "us-letter"}
        Size of the page.
    packed : bool
        Whether the parts of the file are compressed; `interim.report.stamp.entered` does it at last.
    fragments : Fragments, optional
        Where texts of tables are kept.

    Returns
    -------
    None

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    path.write_bytes(docx_bytes(document, paper=paper, packed=packed, fragments=fragments))


def docx_bytes(
    document: Document, *, paper: Paper = "a4", packed: bool = True, fragments: Fragments | None = None
) -> bytes:
    """Return a document as Word file.

    Parameters
    ----------
    document : Document
        The content.
    paper : {"a4", "us-letter"}
        Size of the page.
    packed : bool
        As in `write_docx`.
    fragments : Fragments, optional
        As in `write_docx`.

    Returns
    -------
    bytes
        A whole file; equal documents give equal bytes.

    Raises
    ------
    ReportError
        If the Chinese typeface lacks a letter.

    Notes
    -----
    Captions carry the number of the model; a caption field beside it, which shows nothing, lets Word build its lists of tables and
    figures. Lists are filled with the titles, and marked so that Word adds the page numbers when it opens the file.
    """
    book = docx.Document(io.BytesIO(empty_package()))
    _describe(book, document.front)
    pen = Pen(book.part, paper, fragments or Fragments())
    fresh = iter(document.fresh())
    parts: list[tuple[Orientation, list[str]]] = [
        (
            run.orientation,
            [p for block in run.blocks for p in pen.block(block, run.orientation, fresh=next(fresh))],
        )
        for run in document.runs()
    ]
    head = list(_title_page(document.front, sheet=document.form == "sheet"))
    if document.form == "sheet" and parts:
        parts[0] = (parts[0][0], head + parts[0][1])
    else:
        parts.insert(0, ("portrait", [*head, *_lists(document)]))
    content = "".join(_body(book.part, document, parts, paper))
    held = pen.pictures | {DOCUMENT: document_part(f"<w:body>{content}</w:body>")}
    stream = io.BytesIO()
    book.save(stream)
    package = with_fonts(stream.getvalue(), chinese_in(document))
    return pinned(package, document.front.timestamp, held=held, packed=packed)


def _describe(book: Any, front: Front) -> None:
    """Write the properties of the file; they come from the model, never from the machine."""
    moment = front.timestamp.astimezone(UTC).replace(tzinfo=None)
    facts = {
        "title": front.title,
        "subject": front.subtitle,
        "category": front.study,
        "keywords": ", ".join(front.labels),
        "version": front.revision,
        "language": front.language,
        "author": _PROGRAM,
        "last_modified_by": _PROGRAM,
        "created": moment,
        "modified": moment,
        "revision": 1,
    }
    for name, value in facts.items():
        setattr(book.core_properties, name, _short(value) if isinstance(value, str) else value)
    # Word keeps two languages of a text: one for its Latin and one for its East Asian letters.
    script = "eastAsia" if front.language in _EAST_ASIAN else "val"
    language = book.styles.element.find(f".//{qn('w:rPrDefault')}//{qn('w:lang')}")
    language.set(qn(f"w:{script}"), front.language)


def _short(text: str) -> str:
    """Return a text as a property of the file can hold it; the title page has it whole."""
    return text if len(text) <= _PROPERTY else f"{text[: _PROPERTY - 1]}\u2026"


def _title_page(front: Front, *, sheet: bool) -> Iterator[str]:
    """Yield the title; that of a sheet begins at the head of its page, because text follows on the same one."""
    yield paragraph("Study", text_run(front.study), properties=[node("spacing", before=0)] if sheet else ())
    yield paragraph("Title", text_run(front.title))
    if front.subtitle:
        yield paragraph("Subtitle", text_run(front.subtitle))
    for label in front.labels:
        yield paragraph("Mark", text_run(label))
    for name, value in front.lines():
        yield paragraph("Fact", text_run(name), node("r", node("tab")), text_run(value, node("b")))


def _lists(document: Document) -> Iterator[str]:
    """Yield the contents and the lists of tables and figures."""
    words = document.words
    headings = [
        (f"TOC{section.level}", section.anchor, f"{section.number} {section.title}")
        for section in document.sections
    ]
    kinds: tuple[tuple[str, str, Sequence[tuple[str, str, str]]], ...] = (
        ("contents", f'TOC \\o "1-{_DEPTH}" \\h \\z \\u', headings),
        ("tables", f'TOC \\h \\z \\c "{sequence("T")}"', _captions(document.tables)),
        ("figures", f'TOC \\h \\z \\c "{sequence("F")}"', _captions(document.figures)),
    )
    shown = [kind for kind in kinds if kind[2]]
    for number, (name, instruction, entries) in enumerate(shown):
        start = [node("pageBreakBefore")] if number == 0 else []
        yield paragraph("TOCHeading", text_run(words[name]), properties=start)
        yield from _list(instruction, entries)


def _captions(tlfs: Sequence[Tlf]) -> list[tuple[str, str, str]]:
    return [("TableofFigures", tlf.anchor, f"{tlf.label} {tlf.title}") for tlf in tlfs]


def _list(instruction: str, entries: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Yield the paragraphs of one list: a field that is filled with links and marked as out of date."""
    for number, (style, anchor, text) in enumerate(entries):
        target = bookmark_name(anchor)
        page = field(f"PAGEREF {target} \\h")
        content = [node("hyperlink", text_run(text), node("r", node("tab")), *page, anchor=target)]
        if number == 0:
            begin = node("r", node("fldChar", fldCharType="begin", dirty="true"))
            content = [
                begin,
                instruction_run(instruction),
                node("r", node("fldChar", fldCharType="separate")),
                *content,
            ]
        if number == len(entries) - 1:
            content.append(node("r", node("fldChar", fldCharType="end")))
        yield paragraph(style, *content)


def _body(
    part: Any, document: Document, parts: Sequence[tuple[Orientation, list[str]]], paper: Paper
) -> Iterator[str]:
    """Yield the content of the body, a section per part, each with its own header and footer.

    A section ends in its last paragraph. The first part and one that ends with a table get a paragraph of no height for
    it: the lists of the first part end with an open field, and readers would drop the page number of its footer.
    """
    running = _Running(part, document, paper)
    for place, (way, pieces) in enumerate(parts):
        section = _section(way, running.links(way), paper)
        last = pieces[-1] if pieces else ""
        if place == len(parts) - 1:
            yield from (*pieces, paragraph("Spacer"), section)
        elif place and last.startswith("<w:p>"):
            yield from (*pieces[:-1], ending(last, section))
        else:
            yield from (*pieces, paragraph("Spacer", properties=[section]))


def _section(way: Orientation, running: Sequence[str], paper: Paper) -> str:
    width, height = (twips(mm) for mm in page_mm(paper, way))
    reference = [
        node(f"{kind}Reference", type="default", **{"r:id": link})
        for kind, link in zip(("header", "footer"), running, strict=True)
    ]
    margins = {"top": TOP_MM, "right": MARGIN_MM, "bottom": BOTTOM_MM, "left": MARGIN_MM}
    edge = twips(_EDGE_MM)
    return node(
        "sectPr",
        *reference,
        node("type", val="nextPage"),
        node("pgSz", w=width, h=height, orient="landscape" if way == "landscape" else None),
        node(
            "pgMar", **{side: twips(mm) for side, mm in margins.items()}, header=edge, footer=edge, gutter=0
        ),
    )


def _running(document: Document, way: Orientation, paper: Paper) -> tuple[str, str]:
    """Return the lines of header and footer."""
    front, words = document.front, document.words
    right = twips(room_mm(paper, way)[0])
    marks = text_run(" · ".join(front.labels), node("b"), node("color", val="9B1C1C"))
    page = [
        text_run(f"{words['page']} "),
        *field("PAGE", text_run("1")),
        text_run(f" {words['of']} "),
        *field("NUMPAGES", text_run("1")),
        *([text_run(f" {words['pages']}")] if words["pages"] else []),
    ]
    tabs = node("tabs", node("tab", val="right", pos=right))
    return (
        paragraph("Header", text_run(front.study), node("r", node("tab")), marks, properties=[tabs]),
        paragraph("Footer", text_run(front.footer()), node("r", node("tab")), *page, properties=[tabs]),
    )


class _Running:
    """Adds headers and footers, a pair for each section; all of one orientation hold the same line.

    Parameters
    ----------
    part : docx.parts.document.DocumentPart
        Takes them.
    document : Document
        What they tell.
    paper : {"a4", "us-letter"}
        Size of the page.
    """

    def __init__(self, part: Any, document: Document, paper: Paper) -> None:
        self._part, self._document, self._paper = part, document, paper
        self._count = 0
        self._made: dict[Orientation, list[Any]] = {}

    def links(self, way: Orientation) -> list[str]:
        """Return the links to a new header and footer."""
        self._count += 1
        if way not in self._made:
            self._made[way] = [*self._first(way)]
        return [
            self._part.relate_to(
                kind(PackURI(f"/word/{name}{self._count}.xml"), content_type, root, self._part.package), link
            )
            for (kind, name, content_type, link), root in zip(_KINDS, self._made[way], strict=True)
        ]

    def _first(self, way: Orientation) -> Iterator[Any]:
        """Yield the XML of header and footer."""
        for (kind, *_), line in zip(_KINDS, _running(self._document, way, self._paper), strict=True):
            root = kind.new(self._part.package).element
            root[:] = [element(line)]
            yield root
