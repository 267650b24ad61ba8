"""Document 05, section 3: the objectives of the study and the tables that answer them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from interim.report.content import text_table
from interim.report.document import Loose
from interim.report.package import Made


def objectives(made: Made) -> Iterator[Loose]:
    """Yield the objectives that the study file states.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table or Paragraph
        A sentence if the study file states none.

    Raises
    ------
    None
    """
    stated = made.inputs.study.study.objectives
    if not stated:
        yield made.say("The study file states no objectives. The estimands below follow from its parameters.")
        return
    table = text_table(
        "objectives",
        "and the tables and figures that answer them",
        head=("Kind", "Objective", "Shown in"),
        rows=[(one.kind, one.text, ", ".join(one.tlf)) for one in stated],
        widths=(1, 4, 2),
        label="Objectives",
    )
    yield replace(table, orientation="portrait")
