"""Document 05, section 17: the literature behind the rules; ``references.csv`` lists it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files

from interim.report.content import ListBlock, Paragraph, Span
from interim.report.document import Loose
from interim.report.package import Made


def references(made: Made) -> Iterator[Loose]:
    """Yield the list of references.

    Parameters
    ----------
    made : Made
        Not read: the list follows from the rules of the package.

    Yields
    ------
    ListBlock
        Numbered.

    Raises
    ------
    None
    """
    text = files("interim.report.documents").joinpath("references.csv").read_text(encoding="utf-8")
    items = tuple((Paragraph((Span(row["reference"]),)),) for row in csv.DictReader(text.splitlines()))
    yield ListBlock(True, 1, items)
