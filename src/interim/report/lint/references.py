"""LNT-08 reference: what a text names stands in the package; what stands in the package is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from interim.report.content import Document
from interim.report.lint.model import Checked, LintFinding, Printed
from interim.report.registry import registry

TLF_ID = re.compile(r"\b[TFLN] \d+(?:\.\d+){2,3}[a-z]?(?![\d.]*\d)")
_DOCUMENT = re.compile(r"\b[Dd]ocuments? (\d{2})\b|文件 ?(\d{2})")
_CHECKLIST = "checklist"
_NARRATIVES = "N 14.3.3"
_DOCUMENTS = frozenset(f"{number:02}" for number in range(15))


def broken_references(checked: Checked) -> Iterator[LintFinding]:
    """Find ids of tables, figures and documents that do not exist, and tables and figures that nothing cites.

    Parameters
    ----------
    checked : Checked
        Documents, results, study, ids cited elsewhere.

    Yields
    ------
    LintFinding
        LNT-08: a stop for an unresolved target, a warning for all orphans of a document together.

    Raises
    ------
    None
    """
    there = {name: objects_of(document) for name, document in checked.documents.items()}
    everything = {_NARRATIVES, *checked.known}.union(*there.values())
    cited = set(checked.cited)
    for printed in checked.printed:
        if printed.place != _CHECKLIST:  # which says itself what it cannot resolve
            own = printed.place if printed.role != "prose" else ""
            named = TLF_ID.findall(printed.text)
            cited.update(tlf for tlf in named if tlf != own)
            yield from _lost(printed, named, everything)
    yield from _orphans(there, cited)


def _lost(printed: Printed, named: Iterable[str], everything: set[str]) -> Iterator[LintFinding]:
    """Yield the objects and documents that a text names and that do not exist."""
    for tlf in named:
        if not _stands(tlf, everything):
            made = tlf in {entry.id for entry in registry()}
            way_out = "run the notebook that shows it" if made else "make it, or name another table or figure"
            yield _unresolved(printed, tlf, way_out, "warn" if made else "stop")
    for number in map("".join, _DOCUMENT.findall(printed.text)):
        if number not in _DOCUMENTS:
            yield _unresolved(printed, f"document {number}", "documents are 00 to 14", "stop")


def _orphans(there: Mapping[str, set[str]], cited: set[str]) -> Iterator[LintFinding]:
    objects = set().union(*there.values())
    orphans = sorted(tlf for tlf in objects if TLF_ID.match(tlf) and not {tlf, _base(tlf)} & cited)
    if orphans:
        what = f"{len(orphans)} tables and figures that nothing cites: {', '.join(orphans)}"
        yield LintFinding("LNT-08", "reference", "package", "", "", what, "cite them in the text", "warn")


def objects_of(document: Document) -> set[str]:
    """Return the ids of the tables and figures of a document.

    Parameters
    ----------
    document : Document
        The document.

    Returns
    -------
    set of str
        Also of those that are no objects of the registry.

    Raises
    ------
    None
    """
    return {table.id for table in document.tables} | {figure.id for figure in document.figures}


def _base(tlf: str) -> str:
    """Return the id without a letter behind it or the number of a participant."""
    letter, _, number = tlf.rstrip("abcdefghijklmnopqrstuvwxyz").partition(" ")
    return f"{letter} {'.'.join(number.split('.')[:4])}"


def _stands(tlf: str, objects: set[str]) -> bool:
    return tlf in objects or any(name.startswith(f"{tlf}.") for name in objects)


def _unresolved(
    printed: Printed, target: str, way_out: str, severity: Literal["stop", "warn"]
) -> LintFinding:
    """Return the finding; an object of the registry that a run with other notebooks does not show is a warning."""
    what = f"{target} does not stand in the package"
    return LintFinding("LNT-08", "reference", *printed[:3], what, way_out, severity)
