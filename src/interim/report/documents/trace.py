"""The index of results: from every table, figure and listing to its question, method, participants and source records."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from interim.report.content import Figure, Paragraph, Span, Table, text_table
from interim.report.document import Heading, Loose
from interim.report.package import Made
from interim.report.shells import shell_of, shells
from interim.result import Result, slug


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(files("interim.report.documents").joinpath("trace.toml").read_text(encoding="utf-8"))


def index(made: Made) -> Iterator[Loose]:
    """Yield the index of results.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Heading, Paragraph or Table
        In reading order.

    Raises
    ------
    None
    """
    texts = _texts()
    order = {name: place for place, name in enumerate(shells())}
    blocks = [placed.block for placed in made.tlfs.values() if isinstance(placed.block, (Table, Figure))]
    questions = {slug(name): result for name, result in made.inputs.store.items()}
    rows = [
        row
        for block in sorted(blocks, key=lambda block: (order[shell_of(block.id)], block.id))
        for row in rows_of(block, questions)
    ]
    yield Heading(1, texts["heading"])
    yield Paragraph((Span(texts["introduction"]),))
    yield text_table(
        "results",
        texts["title"],
        head=texts["head"],
        rows=rows or [(texts["none"],) * len(texts["head"])],
        widths=(1.5, 2.6, 4.6, 1.9, 3, 1, 1.4, 1.2),
        label="Index",
    )
    if rows:
        yield text_table(
            "questions",
            texts["back"],
            head=texts["back_head"],
            rows=_back(rows),
            widths=(1, 2.6),
            label="Index",
        )


def _back(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, str]]:
    """Return each question with the objects that print its results."""
    found: dict[str, list[str]] = defaultdict(list)
    for tlf, question, *_ in rows:
        found[question].append(tlf)
    return [(question, "; ".join(found[question])) for question in sorted(found)]


def keys_of(block: Table | Figure) -> tuple[str, ...]:
    """Return the ids of the results that an object prints.

    Parameters
    ----------
    block : Table or Figure
        The object.

    Returns
    -------
    tuple of str
        Each once, in reading order.

    Raises
    ------
    None
    """
    if isinstance(block, Figure):
        return tuple(dict.fromkeys(block.keys))
    heads = (key for line in block.header for head in line for key in head.keys)
    cells = (key for row in block.rows for cell in row.cells for key in cell.keys)
    return tuple(dict.fromkeys((*heads, *cells)))


def rows_of(block: Table | Figure, questions: Mapping[str, Result]) -> Iterator[tuple[str, ...]]:
    """Yield one row for each question behind an object.

    Parameters
    ----------
    block : Table or Figure
        The object.
    questions : mapping of str to Result
        First part of the ids of its results -> answered question.

    Yields
    ------
    tuple of str
        Object, question, what completes the ids of its results, population, method, and the numbers of results,
        participants and source records.

    Raises
    ------
    None
    """
    behind: Mapping[str, list[str]] = defaultdict(list)
    for key in keys_of(block):
        behind[key.partition("/")[0]].append(key)
    for question, keys in behind.items():
        if question in questions:
            yield _row(block.id, questions[question], keys)


def _row(tlf: str, result: Result, keys: Sequence[str]) -> tuple[str, ...]:
    none = _texts()["none"]
    links = {link for key in keys for link in result.behind.get(key, ())}
    people = {subject for subject, _, _ in links}
    records = [number for _, _, number in links if not pd.isna(number)]
    counts = (len(keys), len(people), len(records))
    return (
        tlf,
        result.analysis_id,
        _ids(keys),
        result.population or none,
        result.method or none,
        *map(str, counts),
    )


def _ids(keys: Iterable[str]) -> str:
    """Return variable, level and statistics of results of one question, in reading order; a star stands for the levels."""
    levels: dict[str, set[str]] = defaultdict(set)
    statistics: dict[str, dict[str, None]] = defaultdict(dict)
    for key in keys:
        _, _, variable, level, statistic = key.split("/")
        levels[variable].add(level)
        statistics[variable][statistic] = None
    return "; ".join(
        f"{variable}/{'-' if levels[variable] == {'-'} else '*'}/{'+'.join(found)}"
        for variable, found in statistics.items()
    )
