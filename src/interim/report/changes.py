"""The change report: what ``interim compare`` found, as lines, as CSV and as a document with T 14.6.6."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import interim
from interim.report.compare import Change, Comparison
from interim.report.content import Block, Document, Front, Paragraph, Section, Span, Table, text_table
from interim.report.export import harmless
from interim.report.publish import building
from interim.report.shells import shells
from interim.report.writers import write_formats
from interim.study import Study

CAUSES = ("code", "parameter", "correction", "new_data", "unexplained")
_ID = "T 14.6.6"


def lines(found: Comparison) -> Iterator[str]:
    """Yield the change report as lines of text.

    Parameters
    ----------
    found : Comparison
        What changed.

    Yields
    ------
    str
        Parameters, records, counts by cause, then every table and figure with its changed numbers.

    Raises
    ------
    None
    """
    yield f"{found.study}: cut-off {found.old_cut} against {found.new_cut}"
    yield from (f"parameter {path}: {old} -> {new}" for path, old, new in found.parameters)
    yield from (
        f"records {name}: {corrected} corrected, {deleted} deleted, {added} added"
        for name, corrected, deleted, added in found.records
    )
    yield from (f"withdrawn: {subject}" for subject in found.withdrawn)
    yield from (f"note: {note}" for note in found.notes)
    causes = Counter(change.cause for change in found.changes)
    text = ", ".join(f"{causes[cause]} {cause}" for cause in CAUSES if causes[cause])
    yield f"{len(found.changes)} of {found.numbers} numbers changed" + (f": {text}" if text else "")
    reasons = Counter(change.reason for change in found.changes if change.reason)
    yield from (f"{number} of them by {reason}" for reason, number in reasons.items())
    for tlf, (changed, total) in found.totals.items():
        yield f"{tlf}: " + (
            f"{changed} of {total} changed; to be checked again" if changed else f"unchanged ({total})"
        )
    for change in found.unexplained:
        yield f"unexplained {change.result_id}: {change.old} -> {change.new}"


def write_changes(found: Comparison, folder: Path, *, study: Study) -> None:
    """Write the change report: ``changes.csv`` with every changed number, and the document with T 14.6.6.

    Parameters
    ----------
    found : Comparison
        What changed.
    folder : Path
        Folder to make; one that is there is replaced when the new one is whole.
    study : Study
        Parameters of the newer run.

    Returns
    -------
    None

    Raises
    ------
    ReportError
        If the folder cannot be written.
    """
    document = change_document(found, timestamp=study.moment)
    with building(folder) as home:
        with (home / "changes.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["result_id", "tlf", "old", "new", "cause", "changed_again_by", "reason"])
            for change in found.changes:
                shown = (change.result_id, " ".join(change.tlfs), change.old, change.new)
                writer.writerow([*map(harmless, shown), change.cause, " ".join(change.later), change.reason])
        write_formats(document, home, stem="changes", study=study)


def change_document(found: Comparison, *, timestamp: datetime) -> Document:
    """Return the change report as a document.

    Parameters
    ----------
    found : Comparison
        What changed.
    timestamp : datetime
        Time with offset.

    Returns
    -------
    Document
        T 14.6.6 by table and cause; the parameters and records that differ; every number that anything but new records changed.

    Raises
    ------
    None
    """
    front = Front(
        title="Changes since the previous data cut-off",
        study=found.study,
        timestamp=timestamp,
        cut_off=f"{found.new_cut} against {found.old_cut}",
        revision=interim.__version__,
    )
    blocks: list[Block] = [
        Section(1, "1", "Numbers that changed", "s-1"),
        _said(
            f"{len(found.changes)} of {found.numbers} numbers changed. A number is counted under the first step that changed "
            "it, from the older run to the newer one."
        ),
        _summary(found),
        Section(1, "2", "What differs between the runs", "s-2"),
        _pairs("T 14.6.6a", "Parameters that differ", ("Parameter", "Old", "New"), found.parameters),
        _pairs(
            "T 14.6.6b", "Records that differ", ("Domain", "Corrected", "Deleted", "Added"), found.records
        ),
        _said("Withdrawn participants: " + (", ".join(found.withdrawn) or "none") + "."),
        *(_said(note) for note in found.notes),
        Section(1, "3", "Numbers changed by something other than new records", "s-3"),
        _listed([change for change in found.changes if {change.cause, *change.later} != {"new_data"}]),
    ]
    return Document(front, tuple(blocks))


def _said(text: str) -> Paragraph:
    return Paragraph((Span(text),))


def _summary(found: Comparison) -> Table:
    by_tlf: dict[str, Counter[str]] = {}
    for change in found.changes:
        for tlf in change.tlfs:
            by_tlf.setdefault(tlf, Counter())[change.cause] += 1
    rows = [_summary_row(tlf, counts, by_tlf.get(tlf, Counter())) for tlf, counts in found.totals.items()]
    return text_table(
        _ID,
        shells()[_ID].title,
        head=("Table or figure", "Changed", *(cause.replace("_", " ") for cause in CAUSES), "State"),
        rows=rows,
        footnotes=("Changed: numbers changed of all numbers of the question behind the table or figure.",),
    )


def _summary_row(tlf: str, counts: tuple[int, int], causes: Mapping[str, int]) -> tuple[str, ...]:
    changed, total = counts
    state = "to be checked again" if changed else "unchanged"
    return (tlf, f"{changed}/{total}", *(str(causes.get(cause, 0)) for cause in CAUSES), state)


def _pairs(id: str, title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    texts = [tuple(map(str, row)) for row in rows] or [("none", *[""] * (len(head) - 1))]
    return text_table(id, title, head=head, rows=texts)


def _listed(changes: Sequence[Change]) -> Table:
    rows = [
        (
            " ".join(c.tlfs) or "-",
            c.result_id,
            c.old or "(none)",
            c.new or "(none)",
            ", ".join((c.cause, *c.later)) + (f" ({c.reason})" if c.reason else ""),
        )
        for c in changes
    ]
    head = ("Tables", "Number", "Old", "New", "Cause, then again")
    return text_table(
        "T 14.6.6c",
        "Numbers with old and new value",
        head=head,
        rows=rows or [("none", "", "", "", "")],
        widths=(2, 5, 3, 3, 2),
    )
