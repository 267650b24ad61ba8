"""The page of the mutation score: what was planted, what was found, what moved a primary table unseen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from interim.example.defects import defects
from interim.example.mutation.cells import CellReport, Outcome
from interim.example.mutation.score import Pair, Single
from interim.stats.binomial import binomial_interval

_SILENT = re.compile(r"^\| changed a primary table without any finding \| (\d+) of (\d+) \|", re.M)
_HEAD = """# Mutation score of the checks

Made by `make mutation`; not edited by hand. Three questions about the synthetic study: is every seeded defect found by its check, is it still found beside
another defect, and how often does one damaged cell change a primary table without any finding?
"""
_CELLS = """## One damaged cell

A column is drawn at random, then a record, and its cell is damaged: it takes the value of another record, is blanked, a date moves within a month, or a number
is multiplied by ten. The primary tables are {tables}.
"""
_WHY = """A silent change is one plausible value in place of another: a code of the list, a day without an order that it breaks, a number within its limits. No rule can tell it
from the truth where the same fact stands nowhere else in the data; source data verification and the comparison of two cuts are for these. The list names every one, so
that a rule can be added where a second record would have told.
"""


@dataclass(frozen=True)
class Score:
    """Everything that was tried.

    Attributes
    ----------
    singles : tuple of Single
        Defects alone.
    pairs : tuple of Pair
        Pairs of defects.
    cells : tuple of CellReport
        Damaged cells.
    """

    singles: tuple[Single, ...]
    pairs: tuple[Pair, ...]
    cells: tuple[CellReport, ...]

    @property
    def complete(self) -> bool:
        """True if every defect was found, alone and in pairs."""
        return all(one.found for one in self.singles) and all(all(pair.found) for pair in self.pairs)

    @property
    def silent(self) -> tuple[CellReport, ...]:
        """The cells that changed a primary table without any finding."""
        return tuple(cell for cell in self.cells if cell.outcome == "silent")


def silent_before(page: str) -> float | None:
    """Return the share of silent changes that a page states.

    Parameters
    ----------
    page : str
        A page that was made before.

    Returns
    -------
    float or None
        None if it states none.

    Raises
    ------
    None
    """
    stated = _SILENT.search(page)
    return None if stated is None else int(stated[1]) / int(stated[2])


def score_page(score: Score, tables: Sequence[str]) -> str:
    """Return the page.

    Parameters
    ----------
    score : Score
        What was tried.
    tables : sequence of str
        The primary tables.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    None
    """
    parts = [_HEAD, _summary(score), _singles(score.singles), _pairs(score.pairs)]
    if score.cells:
        parts += [_CELLS.format(tables=", ".join(tables)), _cells(score.cells), _WHY, _silent(score.silent)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|" + "--|" * len(head), *lines[1:]])


def _summary(score: Score) -> str:
    by_defect = Counter(one.defect for one in score.singles if one.found)
    runs = Counter(one.defect for one in score.singles)
    whole = sum(by_defect[id] == number for id, number in runs.items())
    both = sum(all(pair.found) for pair in score.pairs)
    rows: list[tuple[object, ...]] = [
        ("defects found in every seed", f"{whole} of {len(runs)}"),
        ("seeds per defect", max(runs.values(), default=0)),
        ("pairs of which both were found", f"{both} of {len(score.pairs)}"),
    ]
    if score.cells:
        number, silent = len(score.cells), len(score.silent)
        exact = binomial_interval(silent, number, method="clopper_pearson")
        rows.append(("changed a primary table without any finding", f"{silent} of {number}"))
        rows.append(
            (
                "the same in per cent, with its exact 95 % interval",
                f"{100 * silent / number:.1f} ({100 * exact.lower:.1f} to {100 * exact.upper:.1f})",
            )
        )
    return _table(("measure", "result"), rows)


def _singles(singles: Sequence[Single]) -> str:
    runs = Counter(one.defect for one in singles)
    hits = Counter(one.defect for one in singles if one.found)
    rows = [
        (d.id, d.domain, d.text, d.rule, d.severity, f"{hits[d.id]} of {runs[d.id]}")
        for d in defects().values()
        if runs[d.id]
    ]
    head = ("defect", "domain", "what is planted", "rule", "severity", "found")
    return "## Defects alone\n\n" + _table(head, rows)


def _pairs(pairs: Sequence[Pair]) -> str:
    missed = [
        (" and ".join(pair.defects), pair.seed, ", ".join(_missed(pair)))
        for pair in pairs
        if not all(pair.found)
    ]
    text = "## Pairs\n\nThe two defects of a pair are planted in records of their own."
    return text + (
        "\n\n" + _table(("pair", "seed", "not found"), missed)
        if missed
        else " Both were found in all of them."
    )


def _missed(pair: Pair) -> list[str]:
    return [id for id, found in zip(pair.defects, pair.found, strict=True) if not found]


def _cells(cells: Sequence[CellReport]) -> str:
    counts = Counter((cell.kind, cell.outcome) for cell in cells)
    outcomes: tuple[Outcome, ...] = ("found", "silent", "without effect")
    rows: list[tuple[object, ...]] = [
        (kind, *(counts[kind, outcome] for outcome in outcomes))
        for kind in sorted({cell.kind for cell in cells})
    ]
    rows.append(("total", *(sum(cell.outcome == outcome for cell in cells) for outcome in outcomes)))
    return _table(
        (
            "damage",
            "a check finds it",
            "a primary table changes, nothing is found",
            "no primary table changes",
        ),
        rows,
    )


def _silent(cells: Sequence[CellReport]) -> str:
    rows = sorted(
        (
            f"{cell.domain}.{cell.variable}",
            cell.kind,
            cell.before,
            cell.after or "blank",
            ", ".join(cell.moved),
        )
        for cell in cells
    )
    return _table(("variable", "damage", "before", "after", "tables that change"), rows)
