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
from interim.report.shells import DOCUMENTS, Item, checklist
from interim.result import ResultStore

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
    found = [resolve(item, made.documents, made.pages) for item in checklist()]
    lost = [
        f"{r.item.guideline}, item {r.item.item}: {', '.join(r.unresolved)}" for r in found if r.unresolved
    ]
    if lost and all(any(plan.number == number for plan in plans()) for number in DOCUMENTS):
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
    words = texts()
    places, lost = [], []
    for number in item.documents:
        document = documents.get(number)
        if document is None:
            places.append(f"{number}: {words['absent']}")
            lost.append(f"document {number}")
            continue
        sections = [s for name in item.sections for s in _sections(document, name)]
        where = [_named(s, pages.get(number, {})) for s in dict.fromkeys(sections)]
        places.append(f"{number}: {', '.join(where) or words['whole']}")
    objects = []
    for tlf in item.tlfs:
        homes = [] if tlf == "all" else _homes(tlf, documents, pages)
        objects.append(tlf if tlf == "all" else f"{tlf} ({', '.join(homes) or words['unresolved']})")
        lost += [] if homes or tlf == "all" else [tlf]
    return Resolved(item, tuple(places), tuple(objects), tuple(lost))


def _sections(document: Document, name: str) -> list[Section]:
    """Return the headings that a section of the register names: by number, or by words of the title."""
    if name[:1].isdigit():
        return [section for section in document.sections if section.number == name]
    return [section for section in document.sections if name.lower() in section.title.lower()]


def _named(section: Section, pages: Mapping[str, int]) -> str:
    page = pages.get(section.anchor)
    return section.number + (f" ({texts()['page']} {page})" if page else "")


def _homes(tlf: str, documents: Mapping[str, Document], pages: Pages) -> list[str]:
    """Return the documents in which an object stands, with the page."""
    if tlf.startswith("N "):  # narratives are paragraphs under a heading of their own
        return [number for number, document in sorted(documents.items()) if _sections(document, "narrative")]
    homes = []
    for number, document in sorted(documents.items()):
        anchors = {block.id: block.anchor for block in document.tables}
        anchors |= {block.id: block.anchor for block in document.figures}
        own = next(
            (anchor for name, anchor in anchors.items() if name == tlf or name.startswith(f"{tlf}.")), None
        )
        if own is not None:
            page = pages.get(number, {}).get(own)
            homes.append(number + (f" {texts()['page']} {page}" if page else ""))
    return homes


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
