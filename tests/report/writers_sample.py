"""Documents for the tests of the writers: one of each block, and one that has everything."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime

from interim.report.content import (
    Block,
    Cell,
    Document,
    Figure,
    Front,
    HeaderCell,
    ListBlock,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
    Tlf,
    block_texts,
)

SPECIAL = "# @ $ { \\ < > & _ * ` ~ [x] 'q' \"d\" ≥ ≤ ± µ – — × ² α fi ffl"


def front(**changes) -> Front:
    facts = {
        "title": f"Interim report {SPECIAL}",
        "study": "CAR-XYZ-001",
        "timestamp": datetime(2026, 1, 31, 12, 30, 59, tzinfo=UTC),
        "subtitle": "Phase I",
        "cut_off": "2026-01-31",
        "snapshot": "0123456789ab",
        "revision": "0.1.0",
        "labels": ("SYNTHETIC - NOT PATIENT DATA", "DRAFT"),
        "details": (("Version", "7"),),
    }
    return Front(**(facts | changes))


def png(width: int = 60, height: int = 30) -> str:
    """Return a small PNG image, base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((30, 90, 160)) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    made = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return base64.b64encode(made).decode()


def svg(width: int = 60, height: int = 30) -> str:
    shape = f'<rect x="2" y="2" width="{width - 4}" height="{height - 4}" fill="#0072B2" fill-opacity="0.5"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}">{shape}</svg>'


def table(
    id: str = "T 14.1.1", *, rows: int = 6, columns: int = 5, orientation="portrait", **changes
) -> Table:
    head = (
        (HeaderCell(""), HeaderCell("CAR-T dose level", columns - 1)),
        (
            HeaderCell(f"Item of {id}"),
            *(HeaderCell(f"DL{c}\nN={c}{id[-1]}", 1, (f"a/dl{c}/n/-/N",)) for c in range(1, columns)),
        ),
    )
    body: list[Row] = []
    for number in range(rows):
        if number % 25 == 0:
            body.append(Row("section", 0, (Cell(f"Part {number} of {id}"),)))
        extra = f" {SPECIAL}" if number == 3 else ""
        numbers = (
            Cell(f"{number}/{number + c} ({number * c % 100}.5%)", (f"a/dl{c}/v{number}/-/rate",))
            for c in range(1, columns)
        )
        body.append(Row("data", number % 4, (Cell(f"Row {number}{extra}"), *numbers)))
    facts = {
        "title": f"Best overall response {SPECIAL}",
        "population": "FAS",
        "footnotes": ("CP exact interval.", f"Note {SPECIAL}"),
        "labels": ("DRAFT",),
        "align": ("left",) + ("right",) * (columns - 1),
        "widths": (3.0,) + (1.0,) * (columns - 1),
        "header": head,
        "rows": tuple(body),
        "orientation": orientation,
    }
    letter, number = id.split(" ")
    label = {"T": "Table", "L": "Listing"}[letter] + f" {number}"
    return Table(id=id, label=label, anchor=id.lower().replace(" ", "-"), **(facts | changes))


def figure(id: str = "F 14.2.1", *, orientation="portrait", size=(60, 30), **changes) -> Figure:
    facts = {
        "title": f"Change of the sum of diameters {id[-1]}",
        "population": "FAS",
        "width_mm": 170.0,
        "keys": ("w/total/n/-/N",),
        "footnotes": ("One line per participant.",),
        "labels": ("DRAFT",),
        "alt": f"Waterfall {id} of n = 12 participants: 4 of 12 shrink by at least 30 per cent.",
    }
    return Figure(
        id=id,
        label=f"Figure {id[2:]}",
        anchor=id.lower().replace(" ", "-"),
        svg=svg(*size),
        png=png(*size),
        orientation=orientation,
        **(facts | changes),
    )


def spans(*texts: str) -> Paragraph:
    return Paragraph(tuple(map(Span, texts)))


TEXT = Paragraph(
    (
        Span(f"Plain {SPECIAL}"),
        Span(" leans", emphasis=True),
        Span(" stands out", strong=True),
        Span(" AVALC", code=True),
        Span(" both", emphasis=True, strong=True),
        Span(" 3/18 (16.7%)", key="response/total/orr/-/rate"),
        Span("."),
    )
)
NOTE = Paragraph((Span(f"Small print {SPECIAL}"),), "note")
BOX = Paragraph(
    (Span("Decision: dose level ", strong=True), Span("DL3", key="escalation/total/next/-/value")), "box"
)
NESTED = ListBlock(
    False,
    1,
    (
        (
            spans("first bullet"),
            ListBlock(True, 3, ((spans("third"),), (spans("fourth"), spans("and more of it")))),
        ),
        (spans(f"second bullet {SPECIAL}"),),
    ),
)
NUMBERED = ListBlock(True, 5, ((spans("five"),), (spans("six"),)))

BLOCKS: dict[str, Block] = {
    "section": Section(1, "2", f"Heading {SPECIAL}", "s-2"),
    "paragraph": TEXT,
    "note": NOTE,
    "box": BOX,
    "bullets": NESTED,
    "numbers": NUMBERED,
    "table": table(),
    "listing": table("L 16.2.1", columns=9, orientation="landscape", footnotes=(), labels=()),
    "long table": table("T 14.1.3", rows=70),
    "bare table": table("T 14.1.4", population="", footnotes=()),
    "figure": figure(),
    "wide figure": figure("F 14.2.2", orientation="landscape", population="", footnotes=(), labels=()),
}


def single(name: str) -> Document:
    """Return a document that holds one block after a heading."""
    return Document(front(), (Section(1, "1", "Only chapter", "s-1"), BLOCKS[name]))


def whole() -> Document:
    """Return a document with everything, portrait and landscape, long and wide."""
    return Document(
        front(),
        (
            Section(1, "1", "Administrative", "s-1"),
            TEXT,
            NOTE,
            BOX,
            NESTED,
            NUMBERED,
            Section(2, "1.1", "Small", "s-1.1"),
            table(),
            Section(
                2, "1.2", f"Long {SPECIAL} and a long title that needs a second line for certain", "s-1.2"
            ),
            table(
                "T 14.1.2",
                rows=200,
                title=f"A long title about the best overall response, {SPECIAL}, by dose level and tumour type",
            ),
            Section(1, "2", "Wide", "s-2"),
            table("L 16.2.1", rows=40, columns=14, orientation="landscape", footnotes=()),
            spans("Between two wide ones."),
            figure("F 14.2.2", orientation="landscape", width_mm=245.0),
            Section(1, "3", "Figures", "s-3"),
            Section(2, "3.1", "Upright", "s-3.1"),
            figure(),
            figure("F 14.2.3", size=(30, 90)),
            Section(3, "3.1.1", "Deep", "s-3.1.1"),
            Section(4, "3.1.1.1", "Deeper", "s-3.1.1.1"),
            crowded(),
            spans("The end."),
        ),
    )


def crowded(columns: int = 20) -> Table:
    """Return a table whose words do not fit the page even in the smallest letters."""
    rows = tuple(
        Row("data", 0, tuple(Cell(f"Unbreakable{i}word{j}") for j in range(columns))) for i in range(4)
    )
    head = (tuple(HeaderCell(f"Characteristic{j}") for j in range(columns)),)
    return replace(
        table("T 14.9.9"), header=head, rows=rows, align=("left",) * columns, widths=(1.0,) * columns
    )


def printed(block: Block) -> str:
    """Return the text of a block as a reader sees it; a dash stands before the population."""
    texts = list(block_texts(block))
    if isinstance(block, Tlf) and block.population:
        texts[2] = f"— {block.population}"
    return "".join(texts)


def bare(text: str) -> str:
    """Return a text without any white space."""
    return "".join(text.replace("\u200b", "").split())


def body_text(document: Document) -> str:
    """Return all text of the body, without white space."""
    return bare("".join(map(printed, document.blocks)))
