"""The content model of a document: frozen, free of markup, numbered once; all writers read it and none computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

Orientation = Literal["portrait", "landscape"]
Form = Literal["report", "appendix", "sheet"]

# Letters of text that a wide page takes in, before its table or behind it, and rows of a narrower table between two wide ones.
SHORT_TEXT, SHORT_TABLE = 600, 15
WORDS = {
    "en": {
        "T": "Table",
        "F": "Figure",
        "L": "Listing",
        "contents": "Contents",
        "tables": "Tables",
        "figures": "Figures",
        "page": "Page",
        "of": "of",
        "pages": "",
        "cut_off": "Data cut-off",
        "snapshot": "Data hash",
        "revision": "Revision",
        "skip": "Skip to the content",
        "origins": "Where the numbers come from",
        "origins_say": "Each underlined number leads to its entry here: the id of its result, the question, the population, the method and the counts.",
        "question": "Question: ",
        "population": "; Population: ",
        "method": "; Method: ",
        "records": "Participants and source records: ",
        "back": "Back to {name}",
        "past": "Skip the numbers of this table",
    },
    "zh-CN": {
        "T": "表",
        "F": "图",
        "L": "列表",
        "contents": "目录",
        "tables": "表格目录",
        "figures": "插图目录",
        "page": "第",
        "of": "页，共",
        "pages": "页",
        "cut_off": "数据截止日期",
        "snapshot": "数据哈希值",
        "revision": "程序版本",
        "skip": "跳至正文",
        "origins": "数字的来源",
        "origins_say": "文中每个带下划线的数字均链接至此处的条目：结果编号、问题、人群、方法及计数。",
        "question": "问题：",
        "population": "；人群：",
        "method": "；方法：",
        "records": "受试者及源记录：",
        "back": "返回 {name}",
        "past": "跳过此表中的数字",
    },
}


@dataclass(frozen=True)
class Span:
    """A piece of running text.

    Attributes
    ----------
    text : str
        The text.
    emphasis, strong, code : bool
        How it is set.
    key : str or None
        Result id, if the text is a number that comes from a result.
    language : str or None
        Language of the text, if it is not that of the document.
    """

    text: str
    emphasis: bool = False
    strong: bool = False
    code: bool = False
    key: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Section:
    """A numbered heading.

    Attributes
    ----------
    level : int
        1 for a chapter.
    number, title : str
        For example ``2.1`` and ``Response``.
    anchor : str
        Name of the place in the document.
    """

    level: int
    number: str
    title: str
    anchor: str
    kind: Literal["section"] = "section"


@dataclass(frozen=True)
class Paragraph:
    """Running text; style ``note`` is small print, ``box`` is framed.

    Attributes
    ----------
    spans : tuple of Span
        The text.
    style : {"normal", "note", "box"}
        How it is set.
    """

    spans: tuple[Span, ...]
    style: Literal["normal", "note", "box"] = "normal"
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True)
class ListBlock:
    """A list; each item holds paragraphs and lists.

    Attributes
    ----------
    ordered : bool
        Numbered, else bulleted.
    start : int
        First number of a numbered list.
    items : tuple of tuple
        Blocks of each item.
    """

    ordered: bool
    start: int
    items: tuple[tuple[Paragraph | ListBlock, ...], ...]
    kind: Literal["list"] = "list"


@dataclass(frozen=True)
class HeaderCell:
    """One cell of a header row: text, the number of columns it spans, the ids of the results that it prints, its language."""

    text: str
    span: int = 1
    keys: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True)
class Cell:
    """One cell of a table: text, the ids of the results that it prints, and its language if it is another one."""

    text: str
    keys: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True)
class Row:
    """One row of a table: the first cell is the stub; a section row has this cell only."""

    kind: Literal["data", "section"]
    indent: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A table or listing.

    Attributes
    ----------
    id, label, anchor : str
        For example ``T 14.2.2.1``, ``Table 14.2.2.1`` and ``t-14.2.2.1``.
    title, population : str
        Caption.
    header : tuple of tuple of HeaderCell
        Header rows; the spans of each add up to the number of columns.
    rows : tuple of Row
        Body.
    align : tuple of {"left", "center", "right"}
        One per column.
    widths : tuple of float
        Relative widths, one per column, > 0.
    orientation : {"portrait", "landscape"}
        Of the page.
    footnotes, labels : tuple of str
        Printed below; labels such as DRAFT in bold.
    """

    id: str
    label: str
    anchor: str
    title: str
    population: str
    header: tuple[tuple[HeaderCell, ...], ...]
    rows: tuple[Row, ...]
    align: tuple[Literal["left", "center", "right"], ...]
    widths: tuple[float, ...]
    orientation: Orientation
    footnotes: tuple[str, ...]
    labels: tuple[str, ...]
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes
    ----------
    id, label, anchor, title, population : str
        As in `Table`.
    svg : str
        Vector image.
    png : str
        The same as PNG, base64.
    alt : str
        Text alternative.
    width_mm : float
        Printed width in mm; less where the page is narrower.
    footnotes, keys, labels : tuple of str
        Notes, ids of the results drawn, labels such as DRAFT.
    orientation : {"portrait", "landscape"}
        Of the page.
    untranslated : tuple of str
        Texts within the drawing that have no translation into its language.
    """

    id: str
    label: str
    anchor: str
    title: str
    population: str
    svg: str
    png: str
    alt: str
    width_mm: float
    footnotes: tuple[str, ...]
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    orientation: Orientation
    untranslated: tuple[str, ...] = ()
    kind: Literal["figure"] = "figure"


def text_table(
    id: str,
    title: str,
    *,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float] = (),
    footnotes: tuple[str, ...] = (),
    label: str | None = None,
) -> Table:
    """Return a table of texts.

    Parameters
    ----------
    id, title : str
        Id and caption.
    head : sequence of str
        One header cell per column.
    rows : sequence of sequence of str
        Body, as many texts per row as there are columns.
    widths : sequence of float
        Relative widths; default equal ones.
    footnotes : tuple of str
        Printed below.
    label : str, optional
        What stands before the title; default ``Table`` and the number of the id.

    Returns
    -------
    Table
        All columns on the left.

    Raises
    ------
    None
    """
    side: Literal["left", "center", "right"] = "left"
    return Table(
        id=id,
        label=f"Table {id[2:]}" if label is None else label,
        anchor=id.lower().replace(" ", "-"),
        title=title,
        population="",
        header=(tuple(map(HeaderCell, head)),),
        rows=tuple(Row("data", 0, tuple(map(Cell, row))) for row in rows),
        align=(side,) * len(head),
        widths=tuple(widths) or (1.0,) * len(head),
        orientation="landscape",
        footnotes=footnotes,
        labels=(),
    )


Tlf: TypeAlias = Table | Figure
Block: TypeAlias = Section | Paragraph | ListBlock | Table | Figure


@dataclass(frozen=True)
class Front:
    """What stands on the title page and in the running header and footer.

    Attributes
    ----------
    title, subtitle, study : str
        Title, subtitle, short name of the study for the header.
    cut_off, snapshot, revision : str
        Data cut-off, hash of the data, revision of the programs; an empty text is not printed.
    timestamp : datetime
        Time with offset that is written into the files; never the clock.
    language : str
        Language of the document.
    labels : tuple of str
        Such as ``SYNTHETIC - NOT PATIENT DATA``; printed on every page.
    details : tuple of (str, str)
        Further lines of the title page: name and value.
    """

    title: str
    study: str
    timestamp: datetime
    subtitle: str = ""
    cut_off: str = ""
    snapshot: str = ""
    revision: str = ""
    language: str = "en"
    labels: tuple[str, ...] = ()
    details: tuple[tuple[str, str], ...] = ()

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Return the lines of the title page.

        Returns
        -------
        tuple of (str, str)
            Name and value; empty values left out.

        Raises
        ------
        KeyError
            If the language is unknown.
        """
        words = WORDS[self.language]
        fixed = ((words[name], str(getattr(self, name))) for name in ("cut_off", "snapshot", "revision"))
        return tuple((name, value) for name, value in (*fixed, *self.details) if value)

    def footer(self) -> str:
        """Return the text of the page footer, without the page number.

        Returns
        -------
        str
            Cut-off, data hash and revision.

        Raises
        ------
        KeyError
            If the language is unknown.
        """
        words = WORDS[self.language]
        parts = ((words[name], str(getattr(self, name))) for name in ("cut_off", "snapshot", "revision"))
        return " · ".join(f"{name} {value}" for name, value in parts if value)


@dataclass(frozen=True)
class Counted:
    """Statistics of one result that share their counts; ``n`` and ``N`` are None where there are none."""

    stats: tuple[str, ...]
    n: int | None = None
    N: int | None = None


@dataclass(frozen=True)
class Origin:
    """Where the numbers come from that share the beginning of their result id.

    Attributes
    ----------
    stem : str
        Result id without its statistic.
    question, population, method : str
        Of the result; empty where it has none.
    counted : tuple of Counted
        Every statistic that is printed, with numerator and denominator.
    records : tuple of str
        One line for each participant with the source records; only in restricted documents.
    """

    stem: str
    question: str
    population: str
    method: str
    counted: tuple[Counted, ...]
    records: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """The origins of the numbers that one table, figure or section prints: its anchor, its name."""

    anchor: str
    name: str
    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class Run:
    """Blocks that follow one another on pages of one orientation."""

    orientation: Orientation
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole document.

    Attributes
    ----------
    front : Front
        Title page, header and footer.
    blocks : tuple of Block
        Content in reading order.
    form : {"report", "appendix", "sheet"}
        A report has a title page and lists of contents; in an appendix each table or figure also starts on a page of its own;
        a sheet has its title at the head of its first page and no lists.
    sources : tuple of Source
        Where the numbers come from; the HTML file lists it, and every number leads there.
    """

    front: Front
    blocks: tuple[Block, ...]
    form: Form = "report"
    sources: tuple[Source, ...] = ()
    words: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Choose the words of the language."""
        object.__setattr__(self, "words", WORDS[self.front.language])

    @property
    def sections(self) -> tuple[Section, ...]:
        """The headings, in reading order."""
        return tuple(block for block in self.blocks if isinstance(block, Section))

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables and listings, in reading order."""
        return tuple(block for block in self.blocks if isinstance(block, Table))

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures, in reading order."""
        return tuple(block for block in self.blocks if isinstance(block, Figure))

    def places(self) -> Iterator[tuple[Block, str, str]]:
        """Yield every block with the place that its numbers belong to.

        Yields
        ------
        tuple of (Block, str, str)
            The block, then anchor and name of the table or figure itself, or of the section in which a text stands.

        Raises
        ------
        None
        """
        anchor, name = "content", self.front.title
        for block in self.blocks:
            if isinstance(block, Section):
                anchor, name = block.anchor, f"{block.number} {block.title}"
            if isinstance(block, (Table, Figure)):
                yield block, block.anchor, " ".join(filter(None, (block.label, block.title)))
            else:
                yield block, anchor, name

    def fresh(self) -> tuple[bool, ...]:
        """Tell for each block whether a page is to be broken before it.

        Returns
        -------
        tuple of bool
            True only in an appendix: for the first of the headings before a table or figure, also with a text below them,
            else for itself. A run of pages of another orientation begins on a new page anyway, so its first block has none.

        Raises
        ------
        None
        """
        if self.form != "appendix":
            return (False,) * len(self.blocks)
        found = [False] * len(self.blocks)
        for place, block in enumerate(self.blocks):
            if isinstance(block, (Table, Figure)):
                found[self._head_of(place)] = True
        ways = self._orientations()
        return tuple(new and place > 0 and ways[place - 1] == ways[place] for place, new in enumerate(found))

    def _head_of(self, place: int) -> int:
        """Return where the headings before a table or figure begin, with or without a text below them; else its own place."""
        text = head = place
        while text > 0 and isinstance(self.blocks[text - 1], (Paragraph, ListBlock)):
            text -= 1
        while text > 0 and isinstance(self.blocks[text - 1], Section):
            text = head = text - 1
        return head

    def runs(self) -> tuple[Run, ...]:
        """Return the content in runs of one page orientation.

        Text stands on portrait pages, but between two landscape tables or figures it stays on landscape pages, and
        headings directly before a landscape table or figure go with it, also with a short text between them. A short
        table between two landscape ones, and a short text behind the last one, stay there too; in an appendix each table
        lies as it is made.

        Returns
        -------
        tuple of Run
            In reading order; no two neighbours have the same orientation.

        Raises
        ------
        None
        """
        runs: list[Run] = []
        for block, orientation in zip(self.blocks, self._orientations(), strict=True):
            if runs and runs[-1].orientation == orientation:
                runs[-1] = Run(orientation, (*runs[-1].blocks, block))
            else:
                runs.append(Run(orientation, (block,)))
        return tuple(runs)

    def _orientations(self) -> list[Orientation]:
        ways = self._ways()
        ends = self._ends_shortly()
        found: list[Orientation] = []
        before: Orientation | None = None
        for way, direct, later in zip(ways, self._directly_before(ways), _ahead(ways), strict=True):
            if way:
                before = way
            stays = later == "landscape" if later else ends
            wide = direct == "landscape" or (before == "landscape" and stays)
            found.append(way or ("landscape" if wide else "portrait"))
        return found

    def _ways(self) -> list[Orientation | None]:
        """Return how each table or figure lies, None for text; a short table between two wide ones lies like them."""
        found = [block.orientation if isinstance(block, (Table, Figure)) else None for block in self.blocks]
        if self.form == "appendix":
            return found
        places = [place for place, way in enumerate(found) if way]
        for before, place, after in zip(places, places[1:], places[2:], strict=False):
            block = self.blocks[place]
            if found[before] == found[after] == "landscape" and isinstance(block, Table):
                found[place] = "landscape" if len(block.rows) <= SHORT_TABLE else block.orientation
        return found

    def _ends_shortly(self) -> bool:
        """Tell whether no more than a short text stands behind the last table or figure."""
        room = SHORT_TEXT
        for block in reversed(self.blocks):
            if isinstance(block, (Table, Figure)):
                break
            room -= len("".join(block_texts(block)))
        return room >= 0

    def _directly_before(self, ways: Sequence[Orientation | None]) -> list[Orientation | None]:
        """Return the orientation of the table or figure that a heading, with no more than a short text, stands before."""
        found: list[Orientation | None] = [None] * len(self.blocks)
        near: Orientation | None = None
        held: list[int] = []
        room = 0
        for place in range(len(self.blocks) - 1, -1, -1):
            block = self.blocks[place]
            if ways[place]:
                near, held, room = ways[place], [], SHORT_TEXT
            elif isinstance(block, Section):
                for one in (*held, place):
                    found[one] = near
                held, room = [], 0
            else:
                room -= len("".join(block_texts(block)))
                held.append(place)
                near = near if room >= 0 else None
        return found

    def texts(self) -> Iterator[str]:
        """Yield every text that a reader must find in the document, in reading order.

        Yields
        ------
        str
            Titles, running text, cells, footnotes and labels; text alternatives and the title page are not among them.

        Raises
        ------
        None
        """
        for block in self.blocks:
            yield from block_texts(block)


def _ahead(ways: Sequence[Orientation | None]) -> list[Orientation | None]:
    """Return for each block the orientation of the table or figure that is it or comes next."""
    found: list[Orientation | None] = []
    ahead: Orientation | None = None
    for way in reversed(ways):
        ahead = way or ahead
        found.append(ahead)
    return found[::-1]


def block_texts(block: Block) -> Iterator[str]:
    """Yield the texts of one block, in reading order.

    Parameters
    ----------
    block : Block
        Any block.

    Yields
    ------
    str
        The texts; empty ones left out.

    Raises
    ------
    None
    """
    if isinstance(block, Section):
        yield from (block.number, block.title)
    elif isinstance(block, Paragraph):
        yield from (span.text for span in block.spans)
    elif isinstance(block, ListBlock):
        for item in block.items:
            for part in item:
                yield from block_texts(part)
    else:
        yield from _tlf_texts(block)


def _tlf_texts(block: Tlf) -> Iterator[str]:
    yield from (text for text in (block.label, block.title, block.population) if text)
    if isinstance(block, Table):
        yield from (cell.text for row in block.header for cell in row if cell.text)
        yield from (cell.text for row in block.rows for cell in row.cells if cell.text)
    yield from (*block.footnotes, *block.labels)
