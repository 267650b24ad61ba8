"""What the linters read and what they give: documents with every printed text and its results, findings with their place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

from interim.report.content import Block, Document, Figure, ListBlock, Paragraph, Section, Table
from interim.result import ResultStore
from interim.study import Study

Severity = Literal["stop", "warn"]
Role = Literal["prose", "heading", "title", "header", "stub", "cell", "note", "alt"]
_SHOWN = 60


@dataclass(frozen=True)
class LintFinding:
    """One thing that a linter found.

    Attributes
    ----------
    rule, linter : str
        Id of the rule, for example ``LNT-02``, and name of the linter.
    document, place, cell : str
        Document; id of the table, figure or section; the row and column, or the text.
    what, way_out : str
        What is wrong, and what to do.
    severity : {"stop", "warn"}
        A stop fails the build.
    """

    rule: str
    linter: str
    document: str
    place: str
    cell: str
    what: str
    way_out: str
    severity: Severity = "stop"

    def __str__(self) -> str:
        """Return ``rule linter: document, place, cell: what; way out``."""
        where = ", ".join(part for part in (self.document, self.place, self.cell) if part)
        return f"{self.rule} {self.linter}: {where}: {self.what}; {self.way_out}"


class Printed(NamedTuple):
    """One printed text: where it stands, what it is, its results; table is the id of the object that it belongs to."""

    document: str
    place: str
    cell: str
    role: Role
    text: str
    keys: tuple[str, ...]


class Value(NamedTuple):
    """One result row, as far as the linters read it; n and N are None where the row has none."""

    analysis: str
    group: str
    variable: str
    level: str
    stat: str
    value: float
    text: str | None
    unit: str
    n: int | None
    N: int | None
    status: str


@dataclass(frozen=True)
class PastRun:
    """A package published before, as its manifest describes it.

    Attributes
    ----------
    cut, extract : str
        ISO dates of data cut-off and extract; an empty text if not stated.
    registry, plan : str
        Hash of the subgroup registry and of the analysis parameters.
    """

    cut: str
    extract: str
    registry: str
    plan: str


@dataclass(frozen=True)
class Checked:
    """What the linters read.

    Attributes
    ----------
    documents : mapping of str to Document
        Name -> document.
    store : ResultStore
        All results.
    study : Study
        Parameters.
    history : tuple of PastRun
        Packages of the study published before this one, oldest first.
    cited : frozenset of str
        Ids of tables and figures that others cite: checklist, generated documents.
    known : frozenset of str
        Ids of tables and figures that stand in documents written before these.
    values : mapping of str to Value or None
        The rows of the results, where they are at hand.
    """

    documents: Mapping[str, Document]
    store: ResultStore
    study: Study
    history: tuple[PastRun, ...] = ()
    cited: frozenset[str] = field(default_factory=frozenset)
    known: frozenset[str] = field(default_factory=frozenset)
    values: Mapping[str, Value] | None = field(default=None, repr=False)

    @cached_property
    def rows(self) -> Mapping[str, Value]:
        """Every result row, by its id."""
        return values_of(self.store) if self.values is None else self.values

    @cached_property
    def participants(self) -> frozenset[str]:
        """Ids of the participants behind the results, as the package names them."""
        return frozenset(self.store.links()["USUBJID"])

    @cached_property
    def printed(self) -> tuple[Printed, ...]:
        """Every printed text of all documents; an object that stands in several documents once."""
        seen: set[int] = set()
        return tuple(
            text for name, document in self.documents.items() for text in printed_texts(name, document, seen)
        )

    @cached_property
    def prose(self) -> tuple[Printed, ...]:
        """The running text and what else a reader reads as sentences: headings, titles, notes, text alternatives."""
        return tuple(p for p in self.printed if p.role in ("prose", "heading", "title", "note", "alt"))

    @cached_property
    def keys(self) -> frozenset[str]:
        """Ids of all printed results."""
        return frozenset(key for text in self.printed for key in text.keys)


def values_of(store: ResultStore) -> Mapping[str, Value]:
    """Return the rows of all results.

    Parameters
    ----------
    store : ResultStore
        All results.

    Returns
    -------
    mapping of str to Value
        By result id.

    Raises
    ------
    None
    """
    frame = store.frame()
    counts = frame[["n", "N"]].astype(object).where(frame[["n", "N"]].notna(), None)
    names = ("analysis_id", "group", "variable", "level", "stat", "value", "text", "unit")
    columns: list[Any] = [frame[name].tolist() for name in names]
    rest: list[Any] = [counts["n"].tolist(), counts["N"].tolist(), frame["status"].tolist()]
    rows = zip(frame["result_id"].tolist(), *columns, *rest, strict=True)
    return {str(key): Value(*parts) for key, *parts in rows}


def printed_texts(name: str, document: Document, seen: set[int] | None = None) -> Iterator[Printed]:
    """Yield every printed text of a document.

    Parameters
    ----------
    name : str
        How findings name the document.
    document : Document
        The document.
    seen : set of int, optional
        Identities of tables and figures that are passed over; those of the document are added.

    Yields
    ------
    Printed
        In reading order.

    Raises
    ------
    None
    """
    place = "title page"
    seen = set() if seen is None else seen
    for block in document.blocks:
        if isinstance(block, (Table, Figure)):
            if id(block) in seen:
                continue
            seen.add(id(block))
        if isinstance(block, Section):
            place = f"section {block.number}"
            yield Printed(name, place, "heading", "heading", block.title, ())
        elif isinstance(block, Table):
            yield from _of_object(name, block)
            yield from _of_table(name, block)
        elif isinstance(block, Figure):
            yield from _of_object(name, block)
            yield Printed(name, block.id, "text alternative", "alt", block.alt, block.keys)
        else:
            yield from _of_prose(name, place, block)


def _of_prose(name: str, place: str, block: Block) -> Iterator[Printed]:
    if isinstance(block, ListBlock):
        for item in block.items:
            for part in item:
                yield from _of_prose(name, place, part)
    elif isinstance(block, Paragraph):
        whole = shown("".join(span.text for span in block.spans))
        for span in block.spans:
            yield Printed(name, place, whole, "prose", span.text, (span.key,) if span.key else ())


def _of_object(name: str, block: Table | Figure) -> Iterator[Printed]:
    yield Printed(name, block.id, "title", "title", block.title, ())
    for note in block.footnotes:
        yield Printed(name, block.id, f"footnote {shown(note)!r}", "note", note, ())


def _of_table(name: str, table: Table) -> Iterator[Printed]:
    heads = [""] * len(table.widths)
    for line in table.header:
        column = 0
        for head in line:
            yield Printed(name, table.id, f"header {shown(head.text)!r}", "header", head.text, head.keys)
            for i in range(column, column + head.span):
                heads[i] = " ".join(filter(None, (heads[i], head.text)))
            column += head.span
    columns = [f", column {shown(head)!r}" for head in heads[1:]]
    section = ""
    for row in table.rows:
        stub, *cells = row.cells
        if row.kind == "section":
            section = f" of {shown(stub.text)!r}" if stub.text else ""
        label = f"row {shown(stub.text)!r}{section if cells else ''}"
        yield Printed(name, table.id, label, "stub", stub.text, stub.keys)
        for place, cell in zip(columns, cells, strict=bool(cells)):
            yield Printed(name, table.id, label + place, "cell", cell.text, cell.keys)


def shown(text: str) -> str:
    """Return the beginning of a text on one line.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        At most 60 characters.

    Raises
    ------
    None
    """
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
