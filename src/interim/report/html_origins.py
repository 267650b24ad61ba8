"""The end of an HTML document: where its numbers come from; every number leads there by a link, without a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import count

from interim.report.content import Counted, Document, Origin, Source

_HEADING = "number-sources"
Entries = Mapping[str, Mapping[str, int]]


def numbered(sources: tuple[Source, ...]) -> dict[str, dict[str, int]]:
    """Return the number of each entry.

    Parameters
    ----------
    sources : tuple of Source
        As in `interim.report.content.Document`.

    Returns
    -------
    dict of str to dict of str to int
        Anchor of a table, figure or section -> beginning of a result id -> number, from 1 in reading order; what two tables
        print has an entry under each, so that the way back leads to where the reader came from.

    Raises
    ------
    None
    """
    numbers = count(1)
    return {source.anchor: {origin.stem: next(numbers) for origin in source.origins} for source in sources}


def first_entry(anchor: str) -> str:
    """Return the id of the head of the entries of a table, figure or section.

    Parameters
    ----------
    anchor : str
        Its anchor.

    Returns
    -------
    str
        For example ``from-t-14-1-1-1``.

    Raises
    ------
    None
    """
    return f"from-{anchor}"


def origins_html(document: Document, entries: Entries) -> str:
    """Return the section with the entries, closed until a reader opens one or follows a number.

    Parameters
    ----------
    document : Document
        With its sources.
    entries : mapping
        What `numbered` gives.

    Returns
    -------
    str
        One ``section``; empty if the document has no number that names a result.

    Raises
    ------
    None
    """
    if not document.sources:
        return ""
    words = document.words
    lang = "" if document.front.language == "en" else ' lang="en"'
    parts = (_source(source, entries[source.anchor], words, lang) for source in document.sources)
    return (
        f'<section class="origins" aria-labelledby="{_HEADING}"><h2 id="{_HEADING}">{escape(words["origins"])}</h2>'
        f"<p>{escape(words['origins_say'])}</p>{''.join(parts)}</section>"
    )


def _source(source: Source, entries: Mapping[str, int], words: Mapping[str, str], lang: str) -> str:
    back = f'<a href="#{escape(source.anchor)}">{escape(words["back"].format(name=source.name))}</a>'
    groups: dict[tuple[str, str, str], list[Origin]] = {}
    for origin in source.origins:
        groups.setdefault((origin.question, origin.population, origin.method), []).append(origin)
    body = "".join(
        f"{_facts(facts, words, lang)}<ul>{''.join(_entries(origins, entries, words))}</ul>"
        for facts, origins in groups.items()
    )
    name = first_entry(escape(source.anchor))
    return f'<details><summary>{escape(source.name)}</summary><p id="{name}">{back}</p>{body}</details>\n'


def _facts(facts: tuple[str, str, str], words: Mapping[str, str], lang: str) -> str:
    question, population, method = facts
    told = "".join(
        f"{escape(words[name])}<span{lang}>{escape(text)}</span>"
        for name, text in (("population", population), ("method", method))
        if text
    )
    return f"<p>{escape(words['question'])}<code>{escape(question)}</code>{told}</p>"


def _entries(origins: list[Origin], entries: Mapping[str, int], words: Mapping[str, str]) -> Iterator[str]:
    stems = _escaped([origin.stem for origin in origins])
    told = _escaped(["; ".join(map(_part, origin.counted)) for origin in origins])
    people = _escaped(["; ".join(origin.records) for origin in origins])
    records = escape(words["records"])
    for origin, stem, counts, names in zip(origins, stems, told, people, strict=True):
        who = f"<br>{records}{names}" if names else ""
        yield f'<li id="n{entries[origin.stem]}"><code>{stem}</code> {counts}{who}</li>'


def _escaped(texts: list[str]) -> list[str]:
    """Return texts as HTML; all at once is many times faster."""
    return escape("\0".join(texts)).split("\0")


def _part(part: Counted) -> str:
    stats = ", ".join(part.stats)
    if part.n is None and part.N is None:
        return stats
    counts = ", ".join(
        f"{name} = {value}" for name, value in (("n", part.n), ("N", part.N)) if value is not None
    )
    return f"{stats} ({counts})"
