"""Document 00: what the package holds, each file with language, copy and SHA-256."""

from __future__ import annotations

from collections.abc import Iterator

from interim.report.content import text_table
from interim.report.document import Heading, Loose
from interim.report.package import Made, plans

_HEAD = ("Document", "Title", "File", "Copy", "SHA-256")


def index(made: Made) -> Iterator[Loose]:
    """Yield the index of the documents that are already written.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Heading, Paragraph or Table
        In reading order.

    Raises
    ------
    None
    """
    yield Heading(1, "Documents of this package")
    by_number = {plan.number: plan for plan in plans()}
    rows = []
    for path, digest in sorted(made.outputs.items()):
        name = path.rpartition("/")[2]
        plan = by_number[name.partition("_")[0]]
        rows.append((plan.number, plan.title, name, plan.copy, digest))
    yield text_table(
        "index",
        "Files of the package with the hash of their bytes",
        head=_HEAD,
        rows=rows,
        widths=(1.2, 4, 4.5, 1.8, 6),
        footnotes=(
            "The manifest of the run (manifest.json) holds the hash of every file, this document included.",
        ),
        label="Index",
    )
