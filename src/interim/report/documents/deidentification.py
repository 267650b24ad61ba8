"""Document 13: the copies, what was done to each, how unique the participants still are, and what the scan found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from interim.analysis.copies import copies
from interim.report.content import Cell, Paragraph, Row, Table, text_table
from interim.report.document import Loose
from interim.report.package import Made, plans
from interim.report.parts import cell_of

_STATS = ("unique|x/n (%)", "smallest|0", "largest_risk|2", "average_risk|2")


def copies_and_readers(made: Made) -> Iterator[Loose]:
    """Yield the table of the copies.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        Copy, readers, documents.

    Raises
    ------
    None
    """
    rows = [(copy["title"], copy["readers"], _documents(copy["id"])) for copy in copies()["copy"]]
    yield _upright("copies", "Who reads which copy", ("Copy", "Readers", "Documents"), rows, (1.4, 3, 4))


def _documents(copy: str) -> str:
    """Return the numbers of the documents that a copy holds."""
    if copy == "public":
        return ", ".join(copies()["public"]["documents"])
    held = [plan.number for plan in plans() if copy == "restricted" or plan.copy == "confidential"]
    return ", ".join(held)


def transformations(made: Made) -> Iterator[Loose]:
    """Yield the table of what was done to which copy.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        Transformation, objects, copies.

    Raises
    ------
    None
    """
    names = _names(made)
    rows = [
        (one["id"], _filled(one["says"], names), _filled(one["objects"], names), ", ".join(one["copies"]))
        for one in copies()["transformation"]
    ]
    head = ("Transformation", "What is done", "On what", "Copies")
    yield _upright("transformations", "What was done to each copy", head, rows, (1.6, 4, 2.6, 1.6))


def _names(made: Made) -> dict[str, str]:
    """Return what the list of transformations leaves open: the limit, and the objects of the public copy."""
    public = copies()["public"]
    return {
        "@limit": str(made.inputs.study.privacy.small_cell_min),
        "@top": str(public["top_age"]),
        "@masked": ", ".join(public["masked"]),
        "@shown": ", ".join(public["shown"]),
        "@anonymous": ", ".join(one["tlf"] for one in public["anonymous"]),
    }


def _filled(text: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def uniqueness(made: Made) -> Iterator[Loose]:
    """Yield the measured uniqueness of every copy.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        One row per copy; every number names its result.

    Raises
    ------
    ReportError
        If the results lack a copy.
    """
    head = (
        "Copy",
        "Attributes that can be joined",
        "Unique participants",
        "k",
        "Largest risk",
        "Average risk",
        "Policy met",
    )
    rows = []
    for copy in copies()["copy"]:
        key = f"uniqueness.by_copy/Total/{copy['id']}/"
        cells = [made.say(f"{{{key}/{stat}}}") for stat in _numbers(made, key)]
        cells.append(_met(made, key))
        rows.append(Row("data", 0, (Cell(copy["title"]), Cell(copy["names"]), *map(cell_of, cells))))
    table = _upright(
        "uniqueness", "Uniqueness of the participants by copy", head, [], (1.5, 3, 1.6, 0.6, 1.1, 1.1, 0.7)
    )
    yield replace(table, rows=tuple(rows))


def _numbers(made: Made, key: str) -> tuple[str, ...]:
    """Return the statistics of a copy; where nothing could be counted, the reason in each place."""
    if made.row(f"{key}/unique")["status"] == "OK":
        return _STATS
    return ("unique|reason",) * len(_STATS)


def _met(made: Made, key: str) -> Paragraph:
    """Return whether the largest risk is as small as policy asks for."""
    counted = made.row(f"{key}/unique")["status"] == "OK"
    return made.say(f"{{{key}threshold/meets|text}}" if counted else "not assessed")


def identifier_scan(made: Made) -> Iterator[Loose]:
    """Yield what the search for identifiers looked for, in how many files, and what it found.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Paragraph or Table
        As `interim.report.privacy.scan.statement`.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    from interim.report.privacy.scan import statement

    yield from statement(made)


def _upright(
    id: str, title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], widths: tuple[float, ...]
) -> Table:
    table = text_table(id, title, head=head, rows=rows, widths=widths, label="")
    return replace(table, orientation="portrait")
