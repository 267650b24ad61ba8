"""Writes a document as one tagged, archivable PDF: typst sets it from our own template, which reads the model as JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from interim.display.typeface import CHINESE
from interim.errors import ReportError
from interim.report.cache import Cache
from interim.report.columns import INDENT_MM, PADDING_MM, POINT_MM, Fit, breakable, ems_of, fit
from interim.report.content import (
    Block,
    Cell,
    Document,
    Figure,
    HeaderCell,
    Paragraph,
    Section,
    Table,
    block_texts,
)
from interim.report.heights import heights, last_rows, squeezed
from interim.report.page import BOTTOM_MM, MARGIN_MM, TOP_MM, Paper, room_mm
from interim.report.pdf_set import Laid, Setter, Standard, UnsetError
from interim.report.stamp import DIGITS, PLACE
from interim.report.traced import digest
from interim.report.typefaces import is_chinese_document

_FONTS = ("Libertinus Serif", "DejaVu Sans", CHINESE)
# In Chinese text quotation marks and dashes come from the Chinese typeface, at their full width.
_CHINESE_FONTS = ({"name": _FONTS[0], "covers": "latin-in-cjk"}, CHINESE, *_FONTS[:2])
# Libertinus Serif is narrower than the sans-serif face that the widths are estimated with.
_FACE = 0.87
_USUAL = 0.84  # the same of running text: widths must hold every word, heights are told from all words
# A heading, and lines and gaps of text in parts of its size: about what stands above a table at the head of a page.
_HEADING_MM, _TEXT_PT, _TEXT_LINE, _TEXT_GAP = 11.0, 10.5, 1.27, 0.95
_ANNOUNCED = 300  # letters of text that stay with the table or figure after them
_KEPT = 0.5  # of the page: a table that is not higher is kept together
_MISSING = re.compile(r'the text `"(.*?)"` could not be displayed')


def write_pdf(
    document: Document,
    path: Path,
    *,
    standards: Sequence[Standard] = ("a-2a", "ua-1"),
    paper: Paper = "a4",
    cache: Cache | None = None,
    digests: Sequence[str] = (),
) -> dict[str, int]:
    """Write a document as PDF.

    Parameters
    ----------
    document : Document
        The content.
    path : Path
        File to write.
    standards : sequence of {"a-2a", "a-3a", "ua-1"}
        Standards that the file claims: archive (PDF/A) and accessibility (PDF/UA).
    paper : {"a4", "us-letter"}
        Size of the page.
    cache : Cache, optional
        Where the parts are kept.
    digests : sequence of str
        Hashes of the blocks, if they are at hand.

    Returns
    -------
    dict of str to int
        Anchor of each heading, table and figure -> page on which it begins, the title page being 1.

    Raises
    ------
    ReportError
        If no shipped font has a character, or a standard is not met.
    OSError
        If the file cannot be written.
    """
    made, pages = pdf_and_pages(document, standards=standards, paper=paper, cache=cache, digests=digests)
    path.write_bytes(made)
    return pages


def pdf_bytes(
    document: Document, *, standards: Sequence[Standard] = ("a-2a", "ua-1"), paper: Paper = "a4"
) -> bytes:
    """Return a document as PDF.

    Parameters
    ----------
    document : Document
        The content.
    standards : sequence of {"a-2a", "a-3a", "ua-1"}
        As in `write_pdf`.
    paper : {"a4", "us-letter"}
        As in `write_pdf`.

    Returns
    -------
    bytes
        A whole file; equal documents give equal bytes.

    Raises
    ------
    ReportError
        As in `write_pdf`.
    """
    return pdf_and_pages(document, standards=standards, paper=paper)[0]


def pdf_and_pages(
    document: Document,
    *,
    standards: Sequence[Standard] = ("a-2a", "ua-1"),
    paper: Paper = "a4",
    cache: Cache | None = None,
    digests: Sequence[str] = (),
) -> tuple[bytes, dict[str, int]]:
    """Return a document as PDF, and where its parts stand.

    Parameters
    ----------
    document : Document
        The content.
    standards : sequence of {"a-2a", "a-3a", "ua-1"}
        As in `write_pdf`.
    paper : {"a4", "us-letter"}
        As in `write_pdf`.
    cache : Cache, optional
        As in `write_pdf`.
    digests : sequence of str
        As in `write_pdf`.

    Returns
    -------
    made : bytes
        A whole file; equal documents give equal bytes.
    pages : dict of str to int
        As `write_pdf` returns them.

    Raises
    ------
    ReportError
        As in `write_pdf`.
    """
    setter = Setter(
        _common(document, paper),
        standards=standards,
        timestamp=int(document.front.timestamp.timestamp()),
        kept=cache or Cache(None),
    )
    if cache and not digests:
        digests = [digest(block) for block in document.blocks]
    runs = list(_runs(document, paper, digests))
    try:
        made = setter.sheet(runs) if document.form == "sheet" else setter.book(runs)
    except UnsetError as error:
        raise ReportError(_what(str(error), document)) from error
    return made.content, {place.anchor: place.page for place in made.places}


def _what(diagnostic: str, document: Document) -> str:
    """Return what is wrong: missing characters with the places where they stand, else what typst says."""
    letters = dict.fromkeys("".join(_MISSING.findall(diagnostic)))
    if not letters:
        return f"the PDF cannot be made: {diagnostic.strip()}"
    lines = [
        f"U+{ord(letter):04X} {letter!r} in {', '.join(_places(document, letter)) or 'the title page'}"
        for letter in letters
    ]
    return "\n".join(
        ["the PDF cannot be made: the shipped fonts lack characters; write them otherwise:", *lines]
    )


def _places(document: Document, letter: str) -> list[str]:
    """Return the tables, figures and sections that hold a character."""
    places: list[str] = []
    section = "the text"
    for block in document.blocks:
        if isinstance(block, Section):
            section = f"section {block.number}"
        if any(letter in text for text in block_texts(block)):
            places.append(block.id if isinstance(block, (Table, Figure)) else section)
    return list(dict.fromkeys(places))


def _common(document: Document, paper: Paper) -> dict[str, Any]:
    """Return what the template reads beside the blocks."""
    front = document.front
    return {
        "front": {
            "title": front.title,
            "subtitle": front.subtitle,
            "study": front.study,
            "language": front.language.partition("-")[0],
            "region": front.language.partition("-")[2] or None,
            "labels": front.labels,
            "lines": front.lines(),
            "footer": front.footer(),
        },
        "words": document.words,
        "letters": DIGITS if PLACE in front.footer() else "",
        "paper": paper,
        "fonts": _CHINESE_FONTS if is_chinese_document(document) else _FONTS,
        "plain-fonts": _FONTS,
        "margins": {"side": MARGIN_MM, "top": TOP_MM, "bottom": BOTTOM_MM},
        "padding": PADDING_MM,
        "indent": INDENT_MM,
        "tables": bool(document.tables),
        "figures": bool(document.figures),
    }


def _runs(document: Document, paper: Paper, digests: Sequence[str]) -> Iterator[dict[str, Any]]:
    blocks = zip(document.fresh(), digests or [""] * len(document.blocks), strict=True)
    for number, run in enumerate(document.runs()):
        width, high = room_mm(paper, run.orientation)
        # Of the page; None where only the layout can tell.
        used = None if document.form == "sheet" and number == 0 else 0.0
        laid = []
        for block, sticky in zip(run.blocks, _sticky(run.blocks), strict=True):
            new, name = next(blocks)
            used = 0.0 if new else used
            laid.append(Laid(block, name, used, new, sticky, partial(_block, block, width, high, used)))
            used = None if used is None else _used(block, width, used)
        yield {"orientation": run.orientation, "blocks": laid}


def _sticky(blocks: Sequence[Block]) -> list[bool]:
    """Tell which paragraphs are a short text between a heading and the table or figure that it announces."""
    found = [False] * len(blocks)
    held: list[int] | None = None
    room = 0
    for place in range(len(blocks) - 1, -1, -1):
        block = blocks[place]
        if isinstance(block, (Table, Figure)):
            held, room = [], _ANNOUNCED
        elif held is not None and isinstance(block, Paragraph):
            held.append(place)
            room -= sum(len(span.text) for span in block.spans)
        else:
            for one in held if held and room >= 0 and isinstance(block, Section) else ():
                found[one] = True
            held = None
    return found


def _used(block: Block, width: float, used: float) -> float | None:
    """Return the height that is used below a heading or paragraph at the head of a page."""
    if isinstance(block, Section):
        return used + _HEADING_MM
    if isinstance(block, Paragraph):
        room = width / (_USUAL * _TEXT_PT * POINT_MM)
        lines = math.ceil(sum(ems_of(span.text) for span in block.spans) / room)
        return used + (lines * _TEXT_LINE + _TEXT_GAP) * _TEXT_PT * POINT_MM
    return None


def _block(block: Block, width: float, high: float, used: float | None) -> dict[str, Any]:
    if isinstance(block, Table):
        return _table(block, width, high, used)
    data = dict(vars(block))
    if isinstance(block, Figure):
        del data["png"]
    return data


def _table(table: Table, width: float, high: float, used: float | None) -> dict[str, Any]:
    fitted = fit(table, width, face=_FACE)
    found = heights(table, fitted, face=_USUAL)
    whole = found.whole < high * _KEPT
    if used is not None and not whole:
        fitted = squeezed(table, fitted, found, rooms=(high - used, high), face=_USUAL)
    setting = {
        "size": fitted.size,
        "columns": fitted.widths,
        "above": fitted.above_pt,
        "whole": whole,
        "last": 0 if whole else last_rows(table, found, high),
    }
    rows = [
        {
            "kind": row.kind,
            "indent": row.indent,
            "cells": _cells(row.cells, fitted if row.kind == "data" else None),
        }
        for row in table.rows
    ]
    header = [_cells(heads, fitted if len(heads) == len(fitted.widths) else None) for heads in table.header]
    return vars(table) | setting | {"header": header, "rows": rows}


def _cells(cells: Sequence[Cell | HeaderCell], fitted: Fit | None) -> list[dict[str, Any]]:
    """Return cells as the template reads them, with places in long words where they may be broken."""
    return [
        {
            "text": cell.text if fitted is None else breakable(cell.text, fitted, place),
            "language": cell.language,
            "span": getattr(cell, "span", 1),
        }
        for place, cell in enumerate(cells)
    ]
