"""Parameters in print: the dose rule in document 05, the whole plan in document 14."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

import pandas as pd

import interim
from interim.display.language import SOURCE
from interim.report.content import Cell, Row, Table, text_table
from interim.report.document import Loose
from interim.report.package import Made
from interim.study.keys import parameters

_QUESTION = "parameters.stated"
_RULE = ("dose", "titration_trigger", "therapeutic_index")
_UNSET = ("not set", "none")
_SEPARATE = "dlt_rules"


def status(made: Made) -> Iterator[Loose]:
    """Yield what identifies the plan.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        Study, hash of the parameters, version of the program.

    Raises
    ------
    None
    """
    study = made.inputs.study
    rows = [
        ("Study", study.study.id),
        ("SHA-256 of the parameters", study.digest()),
        ("Data cut-off", f"{study.cut:%Y-%m-%d}"),
        ("Version of the program", interim.__version__),
    ]
    yield _upright(
        text_table(
            "plan", "what identifies it", head=("Item", "Value"), rows=rows, widths=(1, 3), label="Plan"
        )
    )


def dose_rule(made: Made) -> Iterator[Loose]:
    """Yield the parameters of dose escalation, as the engine reads them.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        Parameter, what it decides, value.

    Raises
    ------
    None
    """
    frame = _frame(made)
    chosen = frame[frame["variable"].isin(_RULE) & ~frame["level"].str.startswith(_SEPARATE)]
    yield _table("dose-rule", "of dose escalation, machine-readable", "Rule", chosen)


def dlt_rules(made: Made) -> Iterator[Loose]:
    """Yield the events that define a dose-limiting toxicity.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        Id and text of each rule.

    Raises
    ------
    None
    """
    rows = [(rule.id, rule.text) for rule in made.inputs.study.dose.dlt_rules]
    yield _upright(
        text_table(
            "dlt-rules",
            "a dose-limiting toxicity",
            head=("Rule", "Event"),
            rows=rows or [("none", "The study file states no events.")],
            widths=(1, 4),
            footnotes=(
                "Proposal of this package, not from the registered text, until the list of the protocol is entered.",
            ),
            label="Events that define",
        )
    )


def readings(made: Made) -> Iterator[Loose]:
    """Yield the reading of each open point.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table or Paragraph
        Id, words of the registered text, reading, and whether the study states it.

    Raises
    ------
    None
    """
    found = made.inputs.study.readings
    rows = [(r.amb, r.point, r.reading, r.text, "yes" if r.confirmed else "no: default") for r in found]
    head = ("Id", "Registered text", "Reading", "In words", "Stated by the study")
    yield _upright(
        text_table(
            "readings",
            "of the registered text",
            head=head,
            rows=rows,
            widths=(1, 3, 1, 3, 1.2),
            label="Readings",
        )
    )


def all_parameters(made: Made) -> Iterator[Loose]:
    """Yield every parameter of the study.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        Parameter, what it decides, value; a section per table of the study file.

    Raises
    ------
    None
    """
    frame = _frame(made)
    table = _table("parameters", "as they were read", "Parameters", frame[~frame["text"].isin(_UNSET)])
    yield replace(table, footnotes=("Parameters that are not set or hold an empty list are left out.",))


def _frame(made: Made) -> pd.DataFrame:
    return made.inputs.store[_QUESTION].frame


def _table(name: str, title: str, label: str, frame: pd.DataFrame) -> Table:
    empty = text_table(
        name,
        title,
        head=("Parameter", "What it decides", "Value"),
        rows=[],
        widths=(2.2, 3.2, 2),
        label=label,
    )
    return _upright(replace(empty, rows=tuple(_rows(frame))))


def _rows(frame: pd.DataFrame) -> Iterator[Row]:
    table = ""
    for place, key, text, result_id in zip(
        frame["variable"], frame["level"], frame["text"], frame["result_id"], strict=True
    ):
        if place != table:
            table = place
            yield Row("section", 0, (_verbatim(f"[{table}]"),))
        value = _verbatim(str(text), str(result_id))
        yield Row("data", 0, (_verbatim(key or table), Cell(_meaning(table, key)), value))


def _verbatim(text: str, *keys: str) -> Cell:
    """Return a cell with what the study file holds, in any language of the document."""
    return Cell(text, keys, language=SOURCE)


@cache
def _meanings() -> dict[str, str]:
    return {one.key: one.meaning for one in parameters()}


def _meaning(table: str, key: str) -> str:
    """Return what a parameter decides; the ids of an array of tables are left out of its key."""
    parts = key.split(".")
    candidates: Iterable[str] = (
        f"{table}.{key}",
        f"{table}[].{'.'.join(parts[1:])}",
        f"{table}.{parts[0]}[].{'.'.join(parts[2:])}",
        f"{table}.{parts[0]}",
        table,
    )
    return next((_meanings()[name] for name in candidates if _meanings().get(name)), "–")


def _upright(table: Table) -> Table:
    return replace(table, orientation="portrait")
