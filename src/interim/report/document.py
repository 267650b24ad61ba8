"""Assembles a document from executed notebooks; the content model itself stands in `interim.report.content`."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from interim.errors import ReportError
from interim.report.blocks import MIME, bad_characters, opened, read_block
from interim.report.cache import Cache
from interim.report.content import (
    WORDS,
    Block,
    Document,
    Figure,
    Form,
    Front,
    ListBlock,
    Paragraph,
    Section,
    Table,
)
from interim.report.hashes import sha256_bytes
from interim.report.prose import Heading, read_prose

__all__ = [
    "Document",
    "Front",
    "Heading",
    "Loose",
    "Placed",
    "assemble",
    "collect",
    "read_chapters",
    "refuse",
]

_BELOW = 0  # level of a heading that comes with a text: one below that of its chapter

Loose: TypeAlias = Heading | Paragraph | ListBlock | Table | Figure


class Placed(NamedTuple):
    """A piece of content before headings are numbered, and the place that it comes from."""

    where: str
    block: Loose


def collect(notebooks: Sequence[Path], *, front: Front) -> Document:
    """Assemble a document from executed notebooks, in the given order.

    Parameters
    ----------
    notebooks : sequence of Path
        Executed notebooks. Markdown cells become text; of code cells only blocks enter
        (mime type ``application/vnd.interim.block+json``).
    front : Front
        Title page, header and footer.

    Returns
    -------
    Document
        Numbered, with unique ids.

    Raises
    ------
    ReportError
        Everything that is wrong in all notebooks, in one list: place, then what was found and expected.
    """
    refuse(list(_front_problems(front)))
    problems: list[str] = []
    chapters = _chapters(notebooks, _Reading(front.language, problems))
    loose = [placed for chapter in chapters.values() for placed in chapter]
    refuse([*problems, *_level_problems(loose), *_id_problems(loose)])
    return assemble(loose, front=front)


def read_chapters(
    notebooks: Sequence[Path],
    *,
    language: str = "en",
    cache: Cache | None = None,
) -> dict[str, tuple[Placed, ...]]:
    """Read what executed notebooks show.

    Parameters
    ----------
    notebooks : sequence of Path
        Executed notebooks.
    language : str
        Language of the words Table, Figure and Listing.
    cache : Cache, optional
        Where what was read of the same notebooks is kept.

    Returns
    -------
    dict of str to tuple of Placed
        Name of the notebook without its ending -> its headings, text, tables and figures with the cell that shows them.

    Raises
    ------
    ReportError
        Everything that is wrong in all notebooks, in one list.
    """
    problems: list[str] = []
    chapters = _chapters(notebooks, _Reading(language, problems, cache or Cache(None)))
    refuse([*problems, *_id_problems([placed for chapter in chapters.values() for placed in chapter])])
    return chapters


class _Chapter(NamedTuple):
    """What a notebook shows, in reading order, and what each of its outputs shows, under the hash of the output."""

    placed: tuple[Placed, ...]
    shown: Mapping[str, tuple[Loose, ...]]


@dataclass(frozen=True)
class _Reading:
    """How notebooks are read, and what is wrong with them."""

    language: str
    problems: list[str]
    cache: Cache = field(default_factory=lambda: Cache(None))


def _chapters(notebooks: Sequence[Path], reading: _Reading) -> dict[str, tuple[Placed, ...]]:
    return {path.stem: _kept_chapter(path, reading) for path in notebooks}


def _kept_chapter(path: Path, reading: _Reading) -> tuple[Placed, ...]:
    """Return the content of a notebook; one with the same bytes and nothing wrong is not read again."""
    try:
        data = path.read_bytes()
    except OSError as error:
        reading.problems.append(_unreadable(path.name, error))
        return ()
    cache = reading.cache
    key = cache.key("chapter", path.name, reading.language, sha256_bytes(data))
    last = cache.key("chapter that was read last", path.name, reading.language)
    chapter = _known(cache, key)
    if chapter is None:
        before = cache.get(last)
        known = _known(cache, before.decode()) if before is not None else None
        outputs = _Outputs(reading.language, [], known.shown if known else {})
        chapter = _Chapter(tuple(_chapter(path.name, data, outputs)), outputs.shown)
        if outputs.problems:
            reading.problems.extend(outputs.problems)
            return chapter.placed
        cache.put(key, pickle.dumps(chapter, 5))
    cache.put(last, key.encode())
    return chapter.placed


def _known(cache: Cache, key: str) -> _Chapter | None:
    kept = cache.get(key)
    if kept is None:
        return None
    chapter: _Chapter = pickle.loads(kept)  # bytes that this program wrote, with their hash
    return chapter


def _unreadable(name: str, error: Exception) -> str:
    return f"{name}: not a readable notebook ({type(error).__name__}: {error})"


class _Outputs:
    """Reads the outputs of a notebook; one that shows what an output of an earlier build showed is not read again."""

    def __init__(self, language: str, problems: list[str], known: Mapping[str, tuple[Loose, ...]]) -> None:
        self.language, self.problems, self._known = language, problems, known
        self.shown: dict[str, tuple[Loose, ...]] = {}

    def blocks(self, stored: object, where: str) -> tuple[Loose, ...]:
        """Return the blocks of an output, none if something is wrong with it."""
        key = sha256_bytes(stored.encode()) if isinstance(stored, str) else ""
        found = self._known.get(key) or self._read(stored, where)
        if key:
            self.shown[key] = found
        return found

    def _read(self, stored: object, where: str) -> tuple[Loose, ...]:
        data = opened(stored)
        block, wrong = read_block(data, language=self.language)
        self.problems.extend(f"{where}, {problem}" for problem in wrong)
        if block is None:
            return ()
        title = data.get("heading")
        return (Heading(_BELOW, title), block) if title else (block,)


def _chapter(name: str, data: bytes, outputs: _Outputs) -> Iterator[Placed]:
    """Yield the content of a notebook; a text with a heading of its own stands one level below the last written heading."""
    level = 0
    for where, cell in _cells(name, data, outputs.problems):
        for block in _cell_blocks(cell, where, outputs):
            if isinstance(block, Heading):
                if block.level == _BELOW:
                    block = replace(block, level=level + 1)
                else:
                    level = block.level
            yield Placed(where, block)


def assemble(loose: Sequence[Placed], *, front: Front, form: Form = "report") -> Document:
    """Number the headings and check what only the whole shows.

    Parameters
    ----------
    loose : sequence of Placed
        Content in reading order.
    front : Front
        Title page, header and footer.
    form : {"report", "appendix", "sheet"}
        How it is laid out.

    Returns
    -------
    Document
        Numbered, with unique ids.

    Raises
    ------
    ReportError
        If a heading skips a level, an id or a text alternative is used twice, or the title page is wrong; all at once.
    """
    refuse([*_front_problems(front), *_level_problems(loose), *_id_problems(loose)])
    return Document(front, tuple(_numbered([placed.block for placed in loose])), form)


def refuse(problems: Sequence[str]) -> None:
    """Raise one error that lists all problems, if there are any.

    Parameters
    ----------
    problems : sequence of str
        One line each: place, then what was found and expected.

    Returns
    -------
    None

    Raises
    ------
    ReportError
        If there is a problem.
    """
    if problems:
        head = (
            "1 problem in the document:"
            if len(problems) == 1
            else f"{len(problems)} problems in the document:"
        )
        raise ReportError("\n".join([head, *problems]))


def _front_problems(front: Front) -> Iterator[str]:
    if front.language not in WORDS:
        yield f"title page: language {front.language!r}; known: {', '.join(WORDS)}"
        return
    if not front.title.strip() or not front.study.strip():
        yield "title page: title and study must not be blank"
    if front.timestamp.tzinfo is None:
        yield f"title page: time stamp {front.timestamp} has no offset from UTC"
    pairs = [text for pair in front.details for text in pair]
    for text in (
        front.title,
        front.study,
        front.subtitle,
        front.cut_off,
        front.snapshot,
        front.revision,
        *front.labels,
        *pairs,
    ):
        if bad_characters(text):
            yield f"title page: control or unprintable character {', '.join(bad_characters(text))} in {text!r}"


def _cells(name: str, data: bytes, problems: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield place and cell; list a notebook that is unreadable or was not run once from top to bottom."""
    try:
        book = json.loads(data)
        cells = [
            dict(
                cell,
                cell_type=cell["cell_type"],
                source="".join(cell["source"]),
                metadata=dict(cell["metadata"]),
            )
            for cell in book["cells"]
        ]
    except (ValueError, LookupError, TypeError) as error:
        problems.append(_unreadable(name, error))
        return
    expected = 1
    for cell in cells:
        where = f"{name}, cell {cell.get('id', '?')}"
        if (
            cell["cell_type"] == "code"
            and cell["source"].strip()
            and "skip-execution" not in cell["metadata"].get("tags", [])
        ):
            if cell.get("execution_count") != expected:
                problems.append(
                    f"{where}: run as number {cell.get('execution_count')} instead of {expected}; run all cells once, in order"
                )
            expected += 1
        yield where, cell
    if not any(MIME in output.get("data", {}) for cell in cells for output in cell.get("outputs", [])):
        problems.append(
            f"{name}: shows no table, figure or result text; is it an executed notebook of a report?"
        )


def _cell_blocks(cell: Mapping[str, Any], where: str, outputs: _Outputs) -> Iterator[Loose]:
    if cell["cell_type"] == "markdown":
        blocks, wrong = read_prose(cell["source"])
        outputs.problems.extend(f"{where}, {problem}" for problem in wrong)
        yield from blocks
    elif cell["cell_type"] == "code":
        for output in cell.get("outputs", []):
            yield from _output_blocks(output, where, outputs)
    else:
        outputs.problems.append(f"{where}: a {cell['cell_type']} cell cannot be shown; use Markdown")


def _output_blocks(output: Mapping[str, Any], where: str, outputs: _Outputs) -> Iterator[Loose]:
    data = output.get("data", {})
    if output.get("output_type") not in ("display_data", "execute_result") or MIME not in data:
        outputs.problems.append(
            f"{where}: {_what(output)} cannot enter a document; show a table, figure or text of interim.display"
        )
        return
    yield from outputs.blocks(data[MIME], where)


def _what(output: Mapping[str, Any]) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        text = "".join(output.get("text", ""))
        return f"text on {output.get('name')} ({text.strip()[:60]!r})"
    if kind == "error":
        return f"the error {output.get('ename')}: {output.get('evalue')}"
    return f"an output of type {', '.join(output.get('data', {})) or kind}"


def _id_problems(loose: Sequence[Placed]) -> Iterator[str]:
    """Yield the ids and text alternatives that are used twice."""
    tlfs = [(where, block) for where, block in loose if isinstance(block, (Table, Figure))]
    ids = Counter(block.id for _, block in tlfs)
    yield from (
        f"{where}, {block.id}: this id is used {ids[block.id]} times"
        for where, block in tlfs
        if ids[block.id] > 1
    )
    figures = [(where, block) for where, block in tlfs if isinstance(block, Figure)]
    alts = Counter(block.alt for _, block in figures)
    yield from (
        f"{where}, {block.id}: another figure has the same text alternative"
        for where, block in figures
        if alts[block.alt] > 1
    )


def _level_problems(loose: Sequence[Placed]) -> Iterator[str]:
    level = 0
    for where, block in loose:
        if isinstance(block, Heading):
            if block.level > level + 1:
                yield f"{where}: heading {block.title!r} of level {block.level} after level {level}; no level may be skipped"
            level = block.level
        elif level == 0:
            yield f"{where}: content before the first heading"
            level = 1


def _numbered(loose: Sequence[Loose]) -> Iterator[Block]:
    counts: list[int] = []
    for block in loose:
        if isinstance(block, Heading):
            counts = [*counts[: block.level], *([0] if len(counts) < block.level else [])]
            counts[-1] += 1
            number = ".".join(map(str, counts))
            yield Section(block.level, number, block.title, f"s-{number}")
        else:
            yield block
