"""Where the numbers of a document come from: question, population, method, counts and, in restricted documents, the records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Literal

import pandas as pd

from interim.report.content import (
    Block,
    Counted,
    Document,
    Figure,
    ListBlock,
    Origin,
    Paragraph,
    Source,
    Table,
)
from interim.result import Result, ResultStore, slug

Depth = Literal["methods", "counts", "records"]


class Origins:
    """Looks up where printed numbers come from.

    Parameters
    ----------
    store : ResultStore
        All results.
    """

    def __init__(self, store: ResultStore) -> None:
        self._store = store
        self._names = {slug(name): name for name in store}
        self._rows: dict[str, dict[str, tuple[int | None, int | None, str]]] = {}
        self._records: dict[str, dict[str, tuple[str, ...]]] = {}
        self._parts: dict[str, tuple[str, str]] = {}
        self._told: dict[tuple[str, tuple[str, ...], Depth], Origin] = {}

    def of(self, document: Document, depth: Depth) -> tuple[Source, ...]:
        """Return the origins of all numbers of a document.

        Parameters
        ----------
        document : Document
            The document, as it is printed.
        depth : {"methods", "counts", "records"}
            ``methods``: only key, population and method, for a public copy; ``counts``: numerators and denominators as well;
            ``records``: also the participants and their source records, for a restricted document.

        Returns
        -------
        tuple of Source
            One for each table, figure or section that prints numbers, in reading order; a number that names no known result has
            no origin.

        Raises
        ------
        None
        """
        found: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
        for place, name, key in printed_keys(document):
            stem, stat = self._parts.get(key) or self._part(key)
            if stem:
                found.setdefault((place, name), {}).setdefault(stem, {})[stat] = None
        return tuple(
            Source(place, name, tuple(self._once(stem, tuple(stats), depth) for stem, stats in stems.items()))
            for (place, name), stems in found.items()
        )

    def reads(self, document: Document) -> set[str]:
        """Return what the origins of a document are made from beside the document.

        Parameters
        ----------
        document : Document
            As in `of`.

        Returns
        -------
        set of str
            Parts of the store, as `interim.report.traced.Sources` names them: the names of all results, and each result that a
            number of the document may come from.

        Raises
        ------
        None
        """
        named = {key.partition("/")[0] for _, _, key in printed_keys(document)}
        return {"names of/results", *(f"results/{self._names[one]}" for one in named if one in self._names)}

    def _part(self, key: str) -> tuple[str, str]:
        """Return a result id without its statistic, and the statistic; empty texts for what is no result."""
        question = key.partition("/")[0]
        known = question in self._names and key in self._of_question(question)
        stem, _, stat = key.rpartition("/") if known else ("", "", "")
        self._parts[key] = stem, stat
        return stem, stat

    def _once(self, stem: str, stats: tuple[str, ...], depth: Depth) -> Origin:
        """Return an origin; the documents of all languages and copies tell most of them more than once."""
        place = stem, stats, depth
        if place not in self._told:
            self._told[place] = self._origin(stem, stats, depth)
        return self._told[place]

    def _of_question(self, question: str) -> Mapping[str, tuple[int | None, int | None, str]]:
        if question not in self._rows:
            frame = self._result(question).frame
            numbers = (_counts(frame[name]) for name in ("n", "N"))
            methods = (method or "" for method in frame["method"].tolist())
            rows = zip(*numbers, methods, strict=True)
            self._rows[question] = dict(zip(frame["result_id"].tolist(), rows, strict=True))
        return self._rows[question]

    def _result(self, question: str) -> Result:
        return self._store[self._names[question]]

    def _origin(self, stem: str, stats: Iterable[str], depth: Depth) -> Origin:
        question = stem.partition("/")[0]
        result = self._result(question)
        if depth == "methods":
            told = (Counted(tuple(stats)),)
            return Origin(stem, result.analysis_id, result.population, result.method, told)
        rows = {stat: self._of_question(question)[f"{stem}/{stat}"] for stat in stats}
        methods = dict.fromkeys(method for *_, method in rows.values() if method)
        counted = tuple(
            Counted(tuple(group), *counts) for counts, group in groupby(rows, lambda stat: rows[stat][:2])
        )
        who = self._who(question, [f"{stem}/{stat}" for stat in rows]) if depth == "records" else ()
        method = "; ".join(methods) or result.method
        return Origin(stem, result.analysis_id, result.population, method, counted, who)

    def _who(self, question: str, keys: Iterable[str]) -> tuple[str, ...]:
        if question not in self._records:
            self._records[question] = records_of(self._result(question))
        known = self._records[question]
        return tuple(dict.fromkeys(line for key in keys for line in known.get(key, ())))


def _counts(column: pd.Series[Any]) -> list[int | None]:
    missing = column.isna().tolist()
    return [None if gone else int(value) for value, gone in zip(column.tolist(), missing, strict=True)]


def records_of(result: Result) -> dict[str, tuple[str, ...]]:
    """Return the participants behind each number of a result, with their source records.

    Parameters
    ----------
    result : Result
        The result; its links name participants as the data do, by pseudo-id.

    Returns
    -------
    dict of str to tuple of str
        Result id -> one line for each participant, for example ``P-7QWX2M (AE 1, 2; LB 9)``.

    Raises
    ------
    None
    """
    behind: dict[str, dict[str, dict[str, list[str]]]] = {}
    columns = (result.links[name].tolist() for name in ("result_id", "USUBJID", "SRCDOM", "SRCSEQ"))
    for key, person, domain, number in zip(*columns, strict=True):
        domains = behind.setdefault(key, {}).setdefault(str(person), {})
        if not pd.isna(domain):
            domains.setdefault(str(domain), []).extend([] if pd.isna(number) else [str(number)])
    return {
        key: tuple(_line(person, domains) for person, domains in people.items())
        for key, people in behind.items()
    }


def _line(person: str, domains: Mapping[str, list[str]]) -> str:
    told = "; ".join(
        f"{domain} {', '.join(dict.fromkeys(numbers))}".strip() for domain, numbers in domains.items()
    )
    return f"{person} ({told})" if told else person


def printed_keys(document: Document) -> Iterator[tuple[str, str, str]]:
    """Yield every printed number that names a result.

    Parameters
    ----------
    document : Document
        The document.

    Yields
    ------
    tuple of (str, str, str)
        Anchor and name of the table, figure or section, and the result id; in reading order, with repetitions.

    Raises
    ------
    None
    """
    for block, anchor, name in document.places():
        keys = _of_object(block) if isinstance(block, (Table, Figure)) else _of_text(block)
        yield from ((anchor, name, key) for key in keys)


def _of_object(block: Table | Figure) -> Iterator[str]:
    if isinstance(block, Figure):
        yield from block.keys
        return
    yield from (key for line in block.header for head in line for key in head.keys)
    yield from (key for row in block.rows for cell in row.cells for key in cell.keys)


def _of_text(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield from (span.key for span in block.spans if span.key)
    elif isinstance(block, ListBlock):
        for item in block.items:
            for part in item:
                yield from _of_text(part)
