"""The formats of a document: which module writes which, and with which options of the study."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interim.study import Study

if TYPE_CHECKING:
    from interim.report.cache import Cache
    from interim.report.content import Document
    from interim.report.fragments import Fragments

_WRITERS = {
    "html": ("html", "write_html"),
    "pdf": ("pdf", "write_pdf"),
    "docx": ("word", "write_docx"),
    "rtf": ("rtf", "write_rtf"),
}


def write_formats(document: Document, folder: Path, *, stem: str, study: Study) -> tuple[Path, ...]:
    """Write a document in every format of ``report.formats``.

    Parameters
    ----------
    document : Document
        The content.
    folder : Path
        Where the files go.
    stem : str
        Their name without the ending.
    study : Study
        Formats, paper and standards.

    Returns
    -------
    tuple of Path
        The files, in the order of the formats.

    Raises
    ------
    OSError
        If a file cannot be written.
    ReportError
        If a character has no letter in the shipped fonts.
    """
    paths = tuple(folder / f"{stem}.{name}" for name in study.report.formats)
    for path in paths:
        write_file(document, path, study)
    return paths


def write_file(
    document: Document,
    path: Path,
    study: Study,
    *,
    cache: Cache | None = None,
    fragments: Fragments | None = None,
    packed: bool = True,
    told: str | None = None,
) -> dict[str, int]:
    """Write a document in one format.

    Parameters
    ----------
    document : Document
        The content.
    path : Path
        File to write; its ending is the format.
    study : Study
        Paper and standards.
    cache : Cache, optional
        Where the parts of a PDF are kept.
    fragments : Fragments, optional
        Where texts of tables and figures of the other formats are kept, with the hashes of the blocks.
    packed : bool
        False for a Word file that is to be compressed later.
    told : str, optional
        What an HTML file tells of the origins of its numbers, if it is at hand.

    Returns
    -------
    dict of str to int
        Anchor of each heading, table and figure -> page; empty for a format without pages of its own.

    Raises
    ------
    OSError, ReportError
        As in `write_formats`.
    """
    paper, kept = {"paper": study.pdf.paper}, {"fragments": fragments}
    options: dict[str, dict[str, Any]] = {
        "html": {**kept, "told": told},
        "pdf": {
            **paper,
            "standards": study.pdf.standards,
            "cache": cache,
            "digests": fragments.digests if fragments else (),
        },
        "docx": {**paper, **kept, "packed": packed},
        "rtf": {**paper, **kept},
    }
    name = path.suffix[1:]
    module, function = _WRITERS[name]
    pages = getattr(import_module(f"interim.report.{module}"), function)(document, path, **options[name])
    return pages or {}
