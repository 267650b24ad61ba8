"""Document 02: whether a proposed change is substantial, and on what this rests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from interim.report.content import Cell, Row, text_table
from interim.report.document import Loose
from interim.report.package import Made

_QUESTION = "protocol_changes.proposed"
_COLUMNS = ("section", "substantial", "risk", "consent", "sap")


def substance(made: Made) -> Iterator[Loose]:
    """Yield the table that says which changes are substantial.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        One row per change of T 14.5.7, with the same numbers.

    Raises
    ------
    None
    """
    frame = made.inputs.store[_QUESTION].frame
    table = text_table(
        "substance",
        "of the proposed changes, with the effect that decides it",
        head=("#", "Section", "Substantial", "Effect on risk", "Consent form", "Statistical plan"),
        rows=[],
        widths=(0.4, 2, 1.6, 2, 1.4, 1.4),
        footnotes=("Proposal; the committee decides what is substantial. Numbers as in T 14.5.7.",),
        label="Substance",
    )
    rows = []
    for level in dict.fromkeys(frame["level"]):
        here = frame[frame["level"] == level].set_index("stat")
        cells = [Cell(str(here.loc[c, "text"]), (str(here.loc[c, "result_id"]),)) for c in _COLUMNS]
        rows.append(Row("data", 0, (Cell(str(level)), *cells)))
    yield replace(table, rows=tuple(rows), orientation="landscape")
