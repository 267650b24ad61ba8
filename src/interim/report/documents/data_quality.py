"""Document 08: what is not clean, from the checks that gave findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from interim.report.content import Cell, Row, text_table
from interim.report.document import Loose
from interim.report.package import Made

_QUESTION, _SNAPSHOT = "data_quality.checks", "data_quality.snapshot"
_UNKNOWN = "No query is known to the program; queries of the sites are reported by the investigator below."
_COLUMNS = ("severity", "domain", "hits", "participants")


def open_findings(made: Made) -> Iterator[Loose]:
    """Yield the checks with findings; each finding stands in T 14.6.2a.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table or Paragraph
        A sentence if no check gave a finding.

    Raises
    ------
    None
    """
    frame = made.inputs.store[_QUESTION].frame
    hit = frame[(frame["stat"] == "hits") & (frame["level"] == "") & (frame["value"] > 0)]
    rules = [rule for rule in dict.fromkeys(hit["variable"]) if rule != "total"]
    if not rules:
        yield made.say(f"No check gave a finding. {_queries(made)}")
        return
    table = text_table(
        "not-clean",
        "checks with findings",
        head=("Check", "Severity", "Domain", "Findings", "Participants"),
        rows=[],
        widths=(2, 1, 1, 1, 1),
        footnotes=(
            "Severity stop: a final report is not made. Severity warn: the finding is listed and marked where it matters.",
            "Each finding, with its effect, stands in the table after T 14.6.2; the worst case of open queries stands in T 14.6.3.",
        ),
        label="Not clean:",
    )
    yield replace(table, rows=tuple(_row(made, rule) for rule in rules), orientation="portrait")


def _queries(made: Made) -> str:
    """Return what is known of the queries: none that is open gives a finding of a check."""
    snapshot = made.inputs.store[_SNAPSHOT].frame
    if not ((snapshot["variable"] == "QUERY") & (snapshot["stat"] == "records")).any():
        return _UNKNOWN
    return f"Queries of the sites in the data: {{{_SNAPSHOT}/Total/QUERY//records|0}}; none is open on a primary field."


def _row(made: Made, rule: str) -> Row:
    frame = made.inputs.store[_QUESTION].frame
    here = frame[(frame["variable"] == rule) & (frame["level"] == "")].set_index("stat")
    cells = []
    for stat in _COLUMNS:
        text, count = here.at[stat, "text"], here.at[stat, "value"]
        shown = str(text) if isinstance(text, str) else f"{float(str(count)):g}"
        cells.append(Cell(shown, (str(here.at[stat, "result_id"]),)))
    return Row("data", 0, (Cell(rule), *cells))
