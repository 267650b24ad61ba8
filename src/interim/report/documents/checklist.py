"""Document 10: every item of the reporting guidelines with the place that answers it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from interim.errors import ReportError
from interim.report.content import Document, Section, Span, text_table
from interim.report.content import Paragraph as Text
from interim.report.document import Heading, Loose
from interim.report.package import Made, plans
from interim.report.registry import elsewhere, registry
from interim.report.shells import DOCUMENTS, Item, checklist, shell_of
from interim.result import ResultStore

_OWN = "10"
Pages = Mapping[str, Mapping[str, int]]


@cache
def texts() -> dict[str, Any]:
    """Return the fixed texts and the checks.

    Returns
    -------
    dict
        As in ``checklist.toml``.

    Raises
    ------
    None
    """
    return tomllib.loads(
        files("interim.report.documents").joinpath("checklist.toml").read_text(encoding="utf-8")
    )


@dataclass(frozen=True)
class Resolved:
    """An item with its places.

    Attributes
    ----------
    item : Item
        The item.
    places, objects : tuple of str
        As printed.
    unresolved : tuple of str
        Targets that do not exist.
    """

    item: Item
    places: tuple[str, ...]
    objects: tuple[str, ...]
    unresolved: tuple[str, ...]


def cross_reference(made: Made) -> Iterator[Loose]:
    """Yield the content of document 10.

    Parameters
    ----------
    made : Made
        What is at hand, the documents of earlier steps among it.

    Yields
    ------
    Heading, Paragraph or Table
        In reading order.

    Raises
    ------
    ReportError
        If the package has all documents and a target does not exist; all of them at once.
    """
    objects = _objects(made.documents)
    found = [_resolved(item, made.documents, made.pages, objects) for item in checklist()]
    lost = [
        f"{r.item.guideline}, item {r.item.item}: {', '.join(r.unresolved)}" for r in found if r.unresolved
    ]
    if lost and _whole(made):
        raise ReportError(
            "\n".join([f"{len(lost)} items of checklist.csv have no place in the package:", *lost])
        )
    words = texts()
    yield Heading(1, words["heading"])
    yield Text((Span(words["introduction"]),))
    yield text_table(
        "checklist",
        words["title"],
        head=words["head"],
        rows=[_row(one, made.inputs.store, seed=made.inputs.study.study.seed) for one in found],
        widths=(2.2, 1.2, 5, 3.2, 3.2, 1.8),
        footnotes=tuple(words["footnotes"]),
        label="Checklist",
    )


def _whole(made: Made) -> bool:
    """Tell whether this run made every document of an earlier step and shows every table, figure and listing."""
    named = {number for number in DOCUMENTS if number not in _later()}
    shown = {shell_of(tlf) for tlf in made.tlfs}
    planned = {shell_of(tlf.id) for tlf in registry() if tlf.kind != "story"}
    return named <= set(made.documents) and planned <= shown


@cache
def _later() -> frozenset[str]:
    """Return this document and those that are made after it, because they name it."""
    step = next(plan.step for plan in plans() if plan.number == _OWN)
    return frozenset(plan.number for plan in plans() if plan.step > step or plan.number == _OWN)


def _row(one: Resolved, store: ResultStore, *, seed: int | None) -> tuple[str, ...]:
    item = one.item
    places, objects = "; ".join(one.places), "; ".join(one.objects) or "–"
    return item.guideline, item.item, item.requirement, places, objects, checked(one, store, seed=seed)


def resolve(item: Item, documents: Mapping[str, Document], pages: Pages) -> Resolved:
    """Return the places of an item.

    Parameters
    ----------
    item : Item
        The item.
    documents : mapping of str to Document
        Number -> document.
    pages : mapping
        Number -> anchor -> page; may lack documents.

    Returns
    -------
    Resolved
        With everything that does not exist.

    Raises
    ------
    None
    """
    return _resolved(item, documents, pages, _objects(documents))


def _objects(documents: Mapping[str, Document]) -> dict[str, dict[str, str]]:
    """Return number of a document -> name of a table or figure in it -> anchor."""
    return {
        number: {
            **{block.id: block.anchor for block in document.tables},
            **{block.id: block.anchor for block in document.figures},
        }
        for number, document in sorted(documents.items())
    }


def _resolved(
    item: Item, documents: Mapping[str, Document], pages: Pages, known: Mapping[str, Mapping[str, str]]
) -> Resolved:
    places = [_place(item, number, documents.get(number), pages.get(number, {})) for number in item.documents]
    here = {number: documents[number] for number in item.documents if number in documents}
    lost = [f"document {n}" for n in item.documents if n not in documents and n not in _later()]
    if here:
        lost += [f"section {name!r}" for name in item.sections if not _answered(item, name, here)]
    objects = []
    for tlf in item.tlfs:
        homes = ["all"] if tlf == "all" else _homes(tlf, documents, pages, known)
        objects.append(tlf if tlf == "all" else f"{tlf} ({', '.join(homes) or texts()['unresolved']})")
        lost += [] if homes else [tlf]
    return Resolved(item, tuple(places), tuple(objects), tuple(lost))


def _place(item: Item, number: str, document: Document | None, pages: Mapping[str, int]) -> str:
    """Return a document with the sections that an item names in it."""
    words = texts()
    if document is None:
        return f"{number}: {words['whole'] if number in _later() else words['absent']}"
    sections = [s for name in item.sections for s in _sections(number, document, name)]
    where = [_named(s, pages) for s in dict.fromkeys(sections)]
    return f"{number}: {', '.join(where) or words['whole']}"


def _answered(item: Item, name: str, documents: Mapping[str, Document]) -> bool:
    """Tell whether a section exists in one of the documents of an item; some names stand for a document as a whole."""
    if (
        name in texts()["whole_documents"]
        or name in item.documents
        or any(map(_says_why, documents.values()))
    ):
        return True
    return any(_sections(number, document, name) for number, document in documents.items())


def _says_why(document: Document) -> bool:
    """Tell whether a document only says why it does not apply to the study: one heading, its title."""
    return [section.title for section in document.sections] == [document.front.title]


def _sections(number: str, document: Document, name: str) -> list[Section]:
    """Return the headings that a section of the register names: by number, or by words of the title."""
    known: Mapping[str, str] = texts()["sections"]
    words = known.get(f"{number}: {name}", known.get(name, name))
    if words[:1].isdigit():
        return [section for section in document.sections if section.number == words]
    return [section for section in document.sections if words.lower() in section.title.lower()]


def _named(section: Section, pages: Mapping[str, int]) -> str:
    page = pages.get(section.anchor)
    return section.number + (f" ({texts()['page']} {page})" if page else "")


def _homes(
    tlf: str, documents: Mapping[str, Document], pages: Pages, known: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Return the documents in which an object stands, with the page."""
    if tlf.startswith("N "):  # narratives are paragraphs under a heading of their own
        return [
            number
            for number, document in sorted(documents.items())
            if _sections(number, document, "narrative")
        ]
    homes = []
    for number, anchors in known.items():
        own = next(
            (anchor for name, anchor in anchors.items() if name == tlf or name.startswith(f"{tlf}.")), None
        )
        if own is not None:
            page = pages.get(number, {}).get(own)
            homes.append(number + (f" {texts()['page']} {page}" if page else ""))
    return homes or [where for name, where in elsewhere().items() if name == tlf]


def checked(one: Resolved, store: ResultStore, *, seed: int | None) -> str:
    """Return what a machine says about an item.

    Parameters
    ----------
    one : Resolved
        The item with its places.
    store : ResultStore
        All results.
    seed : int or None
        Seed of the study.

    Returns
    -------
    str
        Pass with what was asked, differs with the numbers, or manual.

    Raises
    ------
    None
    """
    words = texts()
    rule = words["checks"].get(one.item.check)
    if rule is None:
        return str(words["manual"])
    if rule["by"] == "linter":
        return f"{words['passed']} ({rule['rule']})"
    if rule["by"] == "resolved":
        return str(words["unresolved"] if one.unresolved else words["passed"])
    if rule["by"] == "seed":
        return str(words["manual"] if seed is None else words["passed"])
    return _agreement(store, rule["result"])


def _agreement(store: ResultStore, key: str) -> str:
    words = texts()
    try:
        row = store.find(key)
    except KeyError:
        return str(words["manual"])
    if row["status"] != "OK":
        return str(words["manual"])
    same = row["n"] == row["N"]
    return f"{words['passed'] if same else words['failed']} ({int(row['n'])}/{int(row['N'])})"
