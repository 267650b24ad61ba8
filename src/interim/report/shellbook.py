"""The empty shell book: every planned table, figure and listing with the columns of the study, before data exist."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import interim
from interim.report.content import (
    WORDS,
    Block,
    Cell,
    Document,
    Front,
    HeaderCell,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
)
from interim.report.registry import declared
from interim.report.shells import Shell, shells
from interim.result import TOTAL
from interim.study import Study

DOSE_COLUMNS = "@DOSECOLS"
_WIDE = 6


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(files("interim.report").joinpath("shellbook.toml").read_text(encoding="utf-8"))


def shell_book(study: Study) -> Document:
    """Return the shell book of a study.

    Parameters
    ----------
    study : Study
        Columns, title, label; no data are read.

    Returns
    -------
    Document
        A section per chapter, a shell per planned object.

    Raises
    ------
    ReportError
        If the files of shells or registry are wrong.
    """
    texts = _texts()
    front = Front(
        title=texts["title"],
        subtitle=f"{study.study.title}. {texts['subtitle']}",
        study=study.study.id,
        timestamp=study.moment,
        revision=interim.__version__,
        labels=(texts["label"], *filter(None, (study.study.label,))),
        details=(("Parameters", study.digest()[:12]), ("Shells", str(len(shells())))),
    )
    return Document(front, tuple(_blocks(study)))


def _blocks(study: Study) -> Iterator[Block]:
    chapter, number = "", 0
    for shell in sorted(shells().values(), key=_place):
        if _chapter(shell) != chapter:
            chapter, number = _chapter(shell), number + 1
            yield Section(1, str(number), _texts()["chapters"][chapter], f"s-{number}")
            if number == 1:
                yield Paragraph((Span(_texts()["introduction"]),))
        yield _table(shell, study)


def _place(shell: Shell) -> tuple[int, ...]:
    return tuple(int(part) for part in shell.id.split(" ")[1].split("."))


def _chapter(shell: Shell) -> str:
    number = shell.id.split(" ")[1]
    chapters: dict[str, str] = _texts()["chapters"]
    return max((name for name in chapters if number.startswith(name)), key=len)


def columns_of(shell: Shell, study: Study) -> tuple[str, ...]:
    """Return the columns of a shell, those by dose from the study.

    Parameters
    ----------
    shell : Shell
        The planned object.
    study : Study
        Cohorts.

    Returns
    -------
    tuple of str
        One label per column.

    Raises
    ------
    None
    """
    found: list[str] = []
    for column in shell.columns:
        if column == DOSE_COLUMNS:
            found += [f"{label}\nN=xx" for label in (*study.cohorts().values(), TOTAL)]
        else:
            found.append(column)
    return tuple(found)


def _table(shell: Shell, study: Study) -> Table:
    texts = _texts()
    letter, _, number = shell.id.partition(" ")
    word = WORDS["en"].get(letter, "Narrative")
    why = declared().get(shell.id)
    columns = columns_of(shell, study) or (texts["column"],)
    rows = (
        _rows(shell, columns, study)
        if why is None
        else [_row(texts["not_applicable"], [why, *[""] * (len(columns) - 1)])]
    )
    align: list[Literal["left", "center", "right"]] = ["left"]
    align += ["center"] * len(columns)
    return Table(
        id=shell.id,
        label=f"{word} {number}",
        anchor=f"{letter.lower()}-{number}",
        title=shell.title,
        population=f"{texts['population']}: {'; '.join(shell.population)}",
        header=((HeaderCell(texts["item"]), *(HeaderCell(column) for column in columns)),),
        rows=tuple(rows),
        align=tuple(align),
        widths=(2.4, *[1.0] * len(columns)),
        orientation="landscape" if len(columns) > _WIDE else "portrait",
        footnotes=tuple(_notes(shell)),
        labels=(texts["label"],),
    )


def _notes(shell: Shell) -> Iterator[str]:
    texts = _texts()
    yield f"{texts['statistics']}: {shell.statistics}."
    yield "".join(f"[{note}]" for note in dict.fromkeys((*shell.footnotes, "SRC", "CUT")))
    yield f"{texts['source']}: {shell.source}. {texts['tier']}: {shell.tier}, {texts['tiers'][shell.tier]}."


def _rows(shell: Shell, columns: Sequence[str], study: Study) -> list[Row]:
    mark = _mark(shell)
    doses = (*study.cohorts().values(), TOTAL)
    stubs = [text for row in shell.rows for text in (doses if row == DOSE_COLUMNS else (row,))]
    return [_row(text, [mark] * len(columns)) for text in stubs or (_texts()["none"],)]


def _mark(shell: Shell) -> str:
    """Return the letters that stand for a number of a shell."""
    if shell.id[0] in "FN":
        return str(_texts()["none"])
    marks: dict[str, str] = _texts()["marks"]
    return next((mark for name, mark in marks.items() if name in shell.statistics), marks["default"])


def _row(stub: str, cells: Sequence[str]) -> Row:
    return Row("data", 0, (Cell(stub), *map(Cell, cells)))
