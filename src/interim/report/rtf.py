"""Writes the tables, listings and figures of a document as RTF file: a section for each, header rows that repeat."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from interim.report.columns import INDENT_MM, PADDING_MM, Fit, fit
from interim.report.content import Document, Figure, HeaderCell, Orientation, Row, Table, Tlf
from interim.report.fragments import Fragments
from interim.report.page import BOTTOM_MM, MARGIN_MM, TOP_MM, Paper, page_mm, room_mm
from interim.report.typefaces import chinese_in

_TWIPS_MM = 1440 / 25.4
_EDGE_MM = 12.0
_ROOM_FOR_NOTES_MM = 40.0
_HEX_LINE = 128
_BASIC_PLANE, _SIGNED, _ASCII = 0x10000, 0x8000, 0x80
_HEAD = (
    r"{\rtf1\ansi\ansicpg1252\deff0\stshfdbch1\uc1\deflang1033\deflangfe2052"
    r"{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fnil\fcharset134 SimSun;}}"
    r"{\colortbl;\red27\green36\blue48;\red82\green96\blue109;\red155\green28\blue28;}"
    r"{\stylesheet{\s0\f0\fs18 Normal;}{\s1\f0\fs20\b\outlinelevel0 heading 1;}}"
)
_ALIGN = {"left": r"\ql", "center": r"\qc", "right": r"\qr"}


def write_rtf(
    document: Document, path: Path, *, paper: Paper = "a4", fragments: Fragments | None = None
) -> None:
    """Write the tables, listings and figures of a document as RTF file.

    Parameters
    ----------
    document : Document
        The content; its running text is not among what an RTF file of tables holds.
    path : Path
        File to write.
    paper : {"a4", "us-letter"}
        Size of the page.
    fragments : Fragments, optional
        Where texts of tables and figures are kept.

    Returns
    -------
    None

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    text = rtf_text(document, paper=paper, fragments=fragments)
    path.write_text(text, encoding="ascii", newline="\n")


def rtf_text(document: Document, *, paper: Paper = "a4", fragments: Fragments | None = None) -> str:
    """Return the tables, listings and figures of a document as RTF.

    Parameters
    ----------
    document : Document
        The content.
    paper : {"a4", "us-letter"}
        Size of the page.
    fragments : Fragments, optional
        As in `write_rtf`.

    Returns
    -------
    str
        A whole file in ASCII without any date; equal documents give equal text.

    Raises
    ------
    ReportError
        If the Chinese typeface lacks a letter, as in the other formats.
    """
    chinese_in(document)
    front, known = document.front, fragments or Fragments()
    info = rf"{{\info{{\title {escaped(front.title)}}}{{\subject {escaped(front.study)}}}}}"
    parts = [_HEAD, info, _section(document, "portrait", paper, first=True), *_title_page(document)]
    for block in document.blocks:
        if isinstance(block, (Table, Figure)):
            parts.append(_section(document, block.orientation, paper))
            parts.append(known.text(block, paper, make=partial(_tlf, block, paper)))
    return "\n".join([*parts, "}\n"])


def escaped(text: str) -> str:
    r"""Return a text as RTF: ASCII only, nothing read as markup, line breaks kept.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text; a character outside the basic plane is a pair of surrogates.

    Raises
    ------
    None

    Examples
    --------
    >>> print(escaped("{≥ 2}"))
    \{\u8805? 2\}
    """
    return text.translate(_LETTERS)


class _Letters(dict[int, str]):
    """Code point -> how RTF writes it; told once for each letter."""

    def __missing__(self, code: int) -> str:
        self[code] = text = _letter(chr(code))
        return text


def _letter(letter: str) -> str:
    if letter in "\\{}":
        return f"\\{letter}"
    if letter == "\n":
        return r"\line "
    code = ord(letter)
    if code < _ASCII:
        return letter
    units = (code,) if code < _BASIC_PLANE else struct.unpack("<2H", letter.encode("utf-16-le"))
    return "".join(rf"\u{unit - 2 * _SIGNED if unit >= _SIGNED else unit}?" for unit in units)


_LETTERS = _Letters()


def _twips(mm: float) -> int:
    return round(mm * _TWIPS_MM)


def _section(document: Document, way: Orientation, paper: Paper, *, first: bool = False) -> str:
    """Return the start of a section: page, margins, and a header and footer of its own."""
    width, height = (_twips(mm) for mm in page_mm(paper, way))
    sides = (("marglsxn", MARGIN_MM), ("margrsxn", MARGIN_MM), ("margtsxn", TOP_MM), ("margbsxn", BOTTOM_MM))
    margins = "".join(rf"\{name}{_twips(mm)}" for name, mm in sides)
    turned = r"\lndscpsxn" if way == "landscape" else ""
    edge = _twips(_EDGE_MM)
    start = r"\sectd" if first else r"\sect\sectd\sbkpage"
    page = rf"{start}{turned}\pgwsxn{width}\pghsxn{height}{margins}\headery{edge}\footery{edge}"
    return page + _running(document, _twips(room_mm(paper, way)[0]))


def _running(document: Document, right: int) -> str:
    front, words = document.front, document.words
    tab = rf"\pard\plain\dbch\af1\loch\f0\fs16\tqr\tx{right} "
    marks = rf"{{\b\cf3 {escaped(' · '.join(front.labels))}}}"
    of = f" {escaped(words['of'])} "
    last = f" {escaped(words['pages'])}" if words["pages"] else ""
    pages = rf"{escaped(words['page'])} {_field('PAGE')}{of}{_field('NUMPAGES')}{last}"
    return (
        rf"{{\header {tab}{escaped(front.study)}\tab {marks}\par}}"
        rf"{{\footer {tab}{escaped(front.footer())}\tab {pages}\par}}"
    )


def _field(name: str) -> str:
    return rf"{{\field{{\*\fldinst {name}}}{{\fldrslt 1}}}}"


def _title_page(document: Document) -> Iterator[str]:
    front = document.front
    yield rf"\pard\plain\dbch\af1\loch\f0\fs20\sa240 {escaped(front.study)}\par"
    yield rf"\pard\plain\dbch\af1\loch\f0\fs36\b\sa120 {escaped(front.title)}\par"
    if front.subtitle:
        yield rf"\pard\plain\dbch\af1\loch\f0\fs22\sa240 {escaped(front.subtitle)}\par"
    for label in front.labels:
        yield rf"\pard\plain\dbch\af1\loch\f0\fs20\b\cf3 {escaped(label)}\par"
    for name, value in front.lines():
        yield rf"\pard\plain\dbch\af1\loch\f0\fs18\sb60 {escaped(name)}: {escaped(value)}\par"


def _tlf(block: Tlf, paper: Paper) -> str:
    return "\n".join(_lines(block, paper))


def _lines(block: Tlf, paper: Paper) -> Iterator[str]:
    population = rf" {{\cf2 \u8212? {escaped(block.population)}}}" if block.population else ""
    caption = rf"{{\b {escaped(block.label)}}} {escaped(block.title)}{population}"
    yield rf"\pard\plain\s1\dbch\af1\loch\f0\fs20\outlinelevel0\keepn\sa120 {caption}\par"
    if isinstance(block, Table):
        yield from _table(block, fit(block, room_mm(paper, block.orientation)[0]))
    else:
        yield _picture(block, room_mm(paper, block.orientation))
    yield from (
        rf"\pard\plain\dbch\af1\loch\f0\fs15\sb40\keep {escaped(note)}\par" for note in block.footnotes
    )
    yield from (
        rf"\pard\plain\dbch\af1\loch\f0\fs15\b\cf3\sb40\keep {escaped(label)}\par" for label in block.labels
    )


def _table(table: Table, fitted: Fit) -> Iterator[str]:
    ends = _ends(fitted.widths)
    for heads in table.header:
        yield _head(heads, table, ends, fitted, last=heads is table.header[-1])
    for number, row in enumerate(table.rows, 1):
        yield _row(row, table, ends, fitted, last=number == len(table.rows))


def _ends(widths: Sequence[float]) -> list[int]:
    total, ends = 0.0, []
    for width in widths:
        total += width
        ends.append(_twips(total))
    return ends


def _head(row: Sequence[HeaderCell], table: Table, ends: Sequence[int], fitted: Fit, *, last: bool) -> str:
    edges, cells, column = [], [], 0
    for head in row:
        lined = last or (head.span > 1 and bool(head.text.strip()))
        side = "center" if head.span > 1 else table.align[column]
        column += head.span
        edges.append(_edge(ends[column - 1], foot=lined))
        cells.append(_cell(head.text, side, fitted, strong=True))
    return (
        rf"\trowd\trleft0\trhdr\trkeep\trgaph{_twips(PADDING_MM)}{''.join(edges)}" + "".join(cells) + r"\row"
    )


def _row(row: Row, table: Table, ends: Sequence[int], fitted: Fit, *, last: bool) -> str:
    start = rf"\trowd\trleft0\trkeep\trgaph{_twips(PADDING_MM)}"
    if row.kind == "section":
        return (
            f"{start}{_edge(ends[-1], foot=last)}"
            f"{_cell(row.cells[0].text, 'left', fitted, strong=True, keep=True)}\\row"
        )
    edges = "".join(_edge(end, foot=last) for end in ends)
    cells = "".join(
        _cell(cell.text, table.align[column], fitted, indent=row.indent if column == 0 else 0)
        for column, cell in enumerate(row.cells)
    )
    return rf"{start}{edges}{cells}\row"


def _edge(end: int, *, foot: bool) -> str:
    return (r"\clbrdrb\brdrs\brdrw10" if foot else "") + rf"\cellx{end}"


def _cell(
    text: str, side: str, fitted: Fit, *, strong: bool = False, indent: int = 0, keep: bool = False
) -> str:
    """Return a cell; one that is kept stands on the page of the row below it."""
    look = (
        (r"\keepn" if keep else "")
        + (r"\b" if strong else "")
        + (rf"\li{_twips(indent * INDENT_MM)}" if indent else "")
    )
    return rf"\pard\plain\intbl\dbch\af1\loch\f0\fs{round(2 * fitted.size)}{look}{_ALIGN[side]} {escaped(text)}\cell "


def _picture(figure: Figure, room: tuple[float, float]) -> str:
    """Return a figure with its text alternative, made smaller where it is larger than its page."""
    data = base64.b64decode(figure.png)
    wide, high = struct.unpack(">II", data[16:24])
    width = min(figure.width_mm, room[0], (room[1] - _ROOM_FOR_NOTES_MM) * wide / high)
    size = rf"\picw{wide}\pich{high}\picwgoal{_twips(width)}\pichgoal{_twips(width * high / wide)}"
    alt = rf"{{\*\picprop{{\sp{{\sn wzDescription}}{{\sv {escaped(figure.alt)}}}}}}}"
    text = data.hex()
    lines = "\n".join(text[i : i + _HEX_LINE] for i in range(0, len(text), _HEX_LINE))
    return rf"\pard\plain\keepn{{\*\shppict{{\pict{alt}\pngblip{size}" + f"\n{lines}}}}}\\par"
