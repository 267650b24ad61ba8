"""The documents of the public copy: what is withheld is named, what is small is marked, and nothing else is printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from interim.analysis.copies import copies
from interim.errors import ReportError
from interim.report.content import (
    Block,
    Cell,
    Document,
    Figure,
    HeaderCell,
    ListBlock,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
)
from interim.report.privacy.small_cells import ALL, DASH, Hidden, Unit, differences, hidden_cells
from interim.report.registry import registry
from interim.report.shells import shell_of
from interim.result import ResultStore, slug
from interim.study import Study

COUNTS = "data/printed_counts.json"
Words = Mapping[str, str]
_NUMBER = re.compile(r"N\s*=\s*\d+")
_EVENTS = re.compile(r"\s*\[\d+\]$")
_TOKEN = re.compile(r"\b[PB]-[0-9A-HJKMNP-TV-Z]{6}\b")


@dataclass(frozen=True)
class PublicCopy:
    """What the public copy of a run prints.

    Attributes
    ----------
    store : ResultStore
        Results with pooled values.
    study : Study
        ``privacy.small_cell_min``.
    printed : dict of str to int
        Filled with every count that a document prints: what a later copy is compared with.
    """

    store: ResultStore
    study: Study
    printed: dict[str, int] = field(default_factory=dict)

    @property
    def rules(self) -> Mapping[str, Any]:
        """Table ``public`` of the list of copies."""
        found: Mapping[str, Any] = copies()["public"]
        return found

    @property
    def limit(self) -> int:
        """Smallest count that is printed."""
        return self.study.privacy.small_cell_min

    @cached_property
    def withheld(self) -> frozenset[str]:
        """Objects that are listed and yet withheld: their denominator and that of the safety set give away a small count."""
        analyses = {tlf.id: tlf.analysis for tlf in registry()}
        listed = [*self.rules["masked"], *(one["tlf"] for one in self.rules["anonymous"])]
        sizes = {tlf: self._drawn(analyses[tlf]) for tlf in listed if analyses[tlf] in self.store.results}
        base = self._size(analyses[self.rules["masked"][0]])
        few = range(1, self.limit)
        return frozenset(tlf for tlf, size in sizes.items() if base is not None and abs(base - size) in few)

    def _size(self, analysis: str) -> int | None:
        frame = self.store[analysis].frame
        total = frame[(frame["variable"] == "population") & (frame["group"].map(slug) == ALL)]
        return int(total["value"].iloc[0]) if len(total) else None

    def _drawn(self, analysis: str) -> int:
        """Return how many participants an object counts or draws."""
        frame = self.store[analysis].frame
        kept = {
            name
            for one in self.rules["anonymous"]
            for name in one["keep"]
            if self._named(one["tlf"]) == analysis
        }
        if kept:
            return int(frame.loc[frame["variable"].isin(kept) & frame["value"].notna(), "level"].nunique())
        return self._size(analysis) or 0

    def _named(self, tlf_id: str) -> str:
        return next(tlf.analysis for tlf in registry() if tlf.id == tlf_id)

    @cached_property
    def hidden(self) -> Hidden:
        """What is hidden of the numbers of masked objects."""
        names = {self._named(tlf) for tlf in self.rules["masked"] if tlf not in self.withheld}
        frames = [self.store[name].frame for name in sorted(names) if name in self.store.results]
        frame = pd.concat(frames, ignore_index=True)
        found = hidden_cells(frame, limit=self.limit, sums=self.rules["sum"])
        return replace(found, others=found.others | self._pooled_away(frame, found))

    def _pooled_away(self, frame: pd.DataFrame, found: Hidden) -> set[Unit]:
        """Return the rows of types that nobody has or that were pooled: a zero could be read as nobody."""
        rows = frame[
            (frame["variable"] == self.rules["pooled_variable"])
            & (frame["level"] != "")
            & (frame["value"] == 0)
        ]
        return {found.units[key] for key in rows["result_id"]}

    @cached_property
    def _free(self) -> frozenset[str]:
        """Questions and results whose numbers are printed as they are."""
        shown = (self._named(tlf) for tlf in self.rules["shown"])
        return frozenset(_full(name) for name in (*shown, *self.rules["said"]))

    @cached_property
    def _same(self) -> Mapping[str, str]:
        """Results that are the denominator of a masked object under another name: printed as it is printed there."""
        pairs = ((_full(one["result"]), _full(one["printed"])) for one in self.rules["same"])
        return {name: other for name, other in pairs if self._value(name) == self._value(other) is not None}

    def _value(self, key: str) -> float | None:
        try:
            return float(self.store.find(key)["value"])
        except KeyError:
            return None

    def mark(self, keys: Iterable[str]) -> str:
        """Return what is printed instead of numbers; empty if they are printed.

        Parameters
        ----------
        keys : iterable of str
            Ids of their results.

        Returns
        -------
        str
            A mark for numbers that are hidden or belong to no object of the public copy.

        Raises
        ------
        None
        """
        bound = [self._same.get(key, key) for key in keys if not {key, key.split("/", 1)[0]} & self._free]
        return self.hidden.mark(bound) if bound else ""

    def document(self, whole: Document) -> Document:
        """Return a document as the public copy prints it.

        Parameters
        ----------
        whole : Document
            The document with every number.

        Returns
        -------
        Document
            The same headings and texts.

        Raises
        ------
        ReportError
            If a pseudo-id is left in it.
        """
        words = self.rules["words"][whole.front.language]
        front = replace(whole.front, labels=(*whole.front.labels, words["label"]))
        legend = Paragraph((Span(words["legend"].format(limit=self.limit)),), "note")
        blocks = [*self._blocks(whole.blocks, words)]
        blocks.insert(int(bool(blocks) and isinstance(blocks[0], Section)), legend)
        made = Document(front, tuple(blocks), whole.form)
        refuse_tokens(made)
        return made

    def _blocks(self, blocks: Sequence[Block], words: Words) -> Iterator[Block]:
        left: list[str] = []
        for block in blocks:
            shown = self._block(block, words)
            if shown is None:
                left.append(_called(block, words))
                continue
            if left:
                yield _named(left, words)
                left = []
            yield shown
        if left:
            yield _named(left, words)

    def _block(self, block: Block, words: Words) -> Block | None:
        """Return a block as it is printed; None if it is withheld."""
        if isinstance(block, Table):
            return self._table(block, words)
        if isinstance(block, Figure):
            return self._figure(block, words)
        if isinstance(block, Paragraph):
            return self._paragraph(block)
        if isinstance(block, ListBlock):
            items = tuple(tuple(self._part(part, words) for part in item) for item in block.items)
            return replace(block, items=items)
        return block

    def _part(self, part: Paragraph | ListBlock, words: Words) -> Paragraph | ListBlock:
        if isinstance(part, Paragraph):
            return self._marked(part)
        made = self._block(part, words)
        assert isinstance(made, ListBlock)
        return made

    def _paragraph(self, block: Paragraph) -> Paragraph | None:
        """Return a paragraph; None if all its numbers are hidden, because nothing but its gaps would be left."""
        keys = [span.key for span in block.spans if span.key]
        return None if keys and all(self.mark([key]) for key in keys) else self._marked(block)

    def _marked(self, block: Paragraph) -> Paragraph:
        return replace(block, spans=tuple(self._span(span) for span in block.spans))

    def _span(self, span: Span) -> Span:
        if span.key is None:
            return span
        if self.mark([span.key]):
            return replace(span, text=f"[{DASH}]", key=None)
        self._note([span.key])
        return span

    def _table(self, block: Table, words: Words) -> Table | None:
        shell = _shell(block.id)
        if shell in self.rules["shown"] and block.id in self.rules["shown"]:
            return block
        if shell and (block.id not in self.rules["masked"] or block.id in self.withheld):
            return None
        if block.id in self.rules["dropped_tables"]:
            return None
        header = tuple(tuple(self._head(cell) for cell in row) for row in block.header)
        rows = tuple(replace(row, cells=tuple(self._cells(row, bound=bool(shell)))) for row in block.rows)
        changed = rows != block.rows or header != block.header
        notes = (*block.footnotes, *self._notes(block, words)) if changed else block.footnotes
        return _narrowed(replace(block, header=header, rows=rows, footnotes=notes), block)

    def _notes(self, block: Table, words: Words) -> Iterator[str]:
        yield words["note"].format(limit=self.limit)
        pooled = slug(self.rules["pooled_variable"])
        keys = (key for row in block.rows for cell in row.cells for key in cell.keys)
        if any(unit.variable == pooled for key in keys if (unit := self.hidden.units.get(key)) is not None):
            yield words["pooled"].format(limit=self.limit)

    def _head(self, cell: HeaderCell) -> HeaderCell:
        if cell.keys and self.mark(cell.keys):
            return replace(cell, text=_NUMBER.sub(f"N={DASH}", cell.text), keys=())
        self._note(cell.keys)
        return cell

    def _cells(self, row: Row, *, bound: bool) -> Iterator[Cell]:
        """Yield the cells of a row; in a table of results a number that names none is hidden."""
        for place, cell in enumerate(row.cells):
            cell = _without_events(cell)
            mark = self.mark(cell.keys)
            loose = bound and place > 0 and not cell.keys and any(sign.isdigit() for sign in cell.text)
            if mark or loose:
                yield Cell(mark or DASH)
            else:
                self._note(cell.keys)
                yield cell

    def _figure(self, block: Figure, words: Words) -> Figure | None:
        if block.id in self.rules["shown"]:
            return block
        if block.id in {one["tlf"] for one in self.rules["anonymous"]} - self.withheld:
            told = words["alt"].format(title=block.title)
            return replace(block, alt=told, keys=(), footnotes=(words["marks"],))
        if _shell(block.id) or self.mark(block.keys):
            return None
        self._note(block.keys)
        return block

    def _note(self, keys: Iterable[str]) -> None:
        """Remember the counts that are printed."""
        for key in keys:
            unit = self.hidden.units.get(key)
            if unit is not None:
                self.printed.update(self._counts(unit, key))

    def _counts(self, unit: Unit, key: str) -> dict[str, int]:
        row = self.store.find(key)
        pairs = {"n": row["n"], "N": row["N"]}
        return {f"{'/'.join(unit)} {name}": int(value) for name, value in pairs.items() if not pd.isna(value)}


def _without_events(cell: Cell) -> Cell:
    """Return a cell without the number of events: with the participants of other rows it could tell a small count."""
    kept = tuple(key for key in cell.keys if not key.rpartition("/")[2].startswith("events"))
    return (
        replace(cell, text=_EVENTS.sub("", cell.text), keys=kept)
        if kept and _EVENTS.search(cell.text)
        else cell
    )


def _full(key: str) -> str:
    """Return a question or a result of the list as its id is written."""
    return "/".join(slug(part) or "-" for part in key.split("/"))


def _called(block: Block, words: Words) -> str:
    """Return how a withheld block is named."""
    if isinstance(block, Table):
        return block.label or block.title
    return (
        words["sentence"] if isinstance(block, Paragraph) else getattr(block, "label", "") or words["icons"]
    )


def _shell(tlf_id: str) -> str:
    """Return the planned id of an object; empty for tables and figures that documents make themselves."""
    try:
        return shell_of(tlf_id) if tlf_id[:2] in ("T ", "F ", "L ") else ""
    except ReportError:
        return ""


def _named(labels: Sequence[str], words: Words) -> Paragraph:
    return Paragraph((Span(words["withheld"].format(names=", ".join(dict.fromkeys(labels)))),), "note")


def _narrowed(made: Table, whole: Table) -> Table:
    """Return a table without the columns in which nothing is left."""
    size = len(made.align)
    pairs = [
        (new.cells, old.cells)
        for new, old in zip(made.rows, whole.rows, strict=True)
        if new.kind == "data" and len(new.cells) == size
    ]
    empty = {
        place
        for place in range(1, size)
        if {new[place].text for new, old in pairs if old[place].keys} == {DASH}
    }
    kept = [place for place in range(size) if place not in empty]
    if not empty or len(kept) == 1:
        return made
    rows = (
        replace(row, cells=tuple(row.cells[place] for place in kept)) if len(row.cells) == size else row
        for row in made.rows
    )
    return replace(
        made,
        header=tuple(_heads(row, empty) for row in made.header),
        rows=tuple(rows),
        align=tuple(made.align[place] for place in kept),
        widths=tuple(made.widths[place] for place in kept),
    )


def _heads(row: Sequence[HeaderCell], empty: set[int]) -> tuple[HeaderCell, ...]:
    """Return a header row without some columns; a cell over several keeps the others."""
    place, kept = 0, []
    for cell in row:
        span = sum(column not in empty for column in range(place, place + cell.span))
        place += cell.span
        if span:
            kept.append(replace(cell, span=span))
    return tuple(kept)


def refuse_tokens(document: Document) -> None:
    """Refuse a document that names a participant or a lot.

    Parameters
    ----------
    document : Document
        A document of the public copy.

    Returns
    -------
    None

    Raises
    ------
    ReportError
        If a pseudo-id or a token of a lot is in a text, a text alternative, a drawing or the id of a result.
    """
    texts = [*document.texts(), *(part for pair in document.front.details for part in pair)]
    for figure in document.figures:
        texts += [figure.alt, figure.svg]
    found = sorted({hit for text in texts for hit in _TOKEN.findall(text)})
    found += sorted({key for key in _keys(document) if re.search(r"/[pb]-[0-9a-hjkmnp-tv-z]{6}/", key)})
    if found:
        raise ReportError(
            f"{document.front.title}: the public copy would name {', '.join(found[:5])}; it is not written"
        )


def _keys(document: Document) -> Iterator[str]:
    for block in document.blocks:
        if isinstance(block, Table):
            yield from (key for head in block.header for cell in head for key in cell.keys)
            yield from (key for row in block.rows for cell in row.cells for key in cell.keys)
        elif isinstance(block, Figure):
            yield from block.keys
        elif isinstance(block, Paragraph):
            yield from (span.key for span in block.spans if span.key)


def check_earlier(public: PublicCopy, folder: Path, *, before: str) -> None:
    """Refuse a copy from which, together with an earlier one, a small count could be computed.

    Parameters
    ----------
    public : PublicCopy
        The copy; its documents are made.
    folder : Path
        Folder with the public copies of the study, one folder per cut-off.
    before : str
        ISO date of the present cut-off.

    Returns
    -------
    None

    Raises
    ------
    ReportError
        With every count that differs from an earlier copy by fewer participants than may be shown.
    """
    found = []
    for file in sorted(folder.glob(f"????-??-??/{COUNTS}")):
        if file.parts[-3] < before:
            old = json.loads(file.read_text(encoding="utf-8"))
            found += [(file.parts[-3], one) for one in differences(old, public.printed, limit=public.limit)]
    if found:
        lines = [f"- {one.rule} {cut}: {one.message}" for cut, one in found]
        head = (
            f"the public copy is not written: {len(found)} counts differ from an earlier public copy by fewer than "
            f"{public.limit} participants; choose a cut-off at which more have changed, or a larger privacy.small_cell_min"
        )
        raise ReportError("\n".join([head, *lines]))


def write_counts(public: PublicCopy, folder: Path) -> Path:
    """Write the counts that a copy prints.

    Parameters
    ----------
    public : PublicCopy
        The copy; its documents are made.
    folder : Path
        Its folder.

    Returns
    -------
    Path
        ``data/printed_counts.json``; what is hidden is not in it.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    target = folder / COUNTS
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(public.printed, indent=0, sort_keys=True, ensure_ascii=False)
    target.write_text(text + "\n", encoding="utf-8")
    return target
