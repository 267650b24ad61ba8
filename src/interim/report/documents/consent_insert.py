"""Document 11: how many people had each effect, by grade, and who is to be asked again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interim.report.content import Cell, HeaderCell, Row, Table, text_table
from interim.report.document import Loose
from interim.report.package import Made
from interim.report.parts import cell_of
from interim.result import TOTAL

_TERMS = "safety.teae_by_max_grade"
_GRADES = ("any", "grade1", "grade2", "grade3", "grade4", "grade5", "missing")
_HEAD = ("Effect", "Any grade", "Grade 1", "Grade 2", "Grade 3", "Grade 4", "Grade 5", "Grade missing")
_WIDTHS = (2.6, 1, 1, 1, 1, 1, 1, 1)
_LEAST = 2
_SCALED = (("Cytokine release syndrome", "toxicity.crs"), ("Effect on the nerves (ICANS)", "toxicity.icans"))
_PLAIN = (
    ("Death from any cause", "safety_period.deaths/Total/all//n"),
    ("Serious effect related to the treatment", "safety.teae_summary/Total/serious_related//n"),
    ("Dose-limiting effect among those who could be judged", "escalation.dlt_by_dose/Total/dlt//rate"),
)


def important(made: Made) -> Iterator[Loose]:
    """Yield the table of the effects that matter most.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        x of n people per effect; cytokine release and effects on the nerves by CTCAE grade.

    Raises
    ------
    ReportError
        If a reference does not resolve.
    """
    rows = [_row(name, [_of(made, key)] + [Cell("–")] * 6) for name, key in _PLAIN]
    for name, question in _SCALED:
        levels = ("1", "2", "3", "4", "5", "missing")
        keys = [f"{question}/Total/any//n", *(f"{question}/Total/ctcae/{level}/n" for level in levels)]
        rows.append(_row(name, [_of(made, key) for key in keys]))
    yield _table("important", "effects that matter most, x of n people", rows, ("Grades by CTCAE v5.0.",))


def effects(made: Made) -> Iterator[Loose]:
    """Yield the table of all effects by worst grade.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        Terms that at least two people had, or one person with grade 3 or higher; the most frequent first.

    Raises
    ------
    ReportError
        If a reference does not resolve.
    """
    found = made.inputs.store[_TERMS].where(group=TOTAL)
    terms = _terms([{str(k): v for k, v in row.items()} for row in found.to_dict("records")])
    rows = [
        _row(term, [_of(made, f"{_TERMS}/Total/{system}/{term}/{stat}") for stat in _GRADES])
        for system, term in terms
    ]
    note = (
        "Effects that at least two people had, or one person with grade 3 or higher; the most frequent first."
    )
    none = [_row("No effect was reported that often", [Cell("–")] * 7)]
    yield _table("effects", "all effects by worst grade, x of n people", rows or none, (note,))


def _terms(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return system and term of the effects that are shown, the most frequent first."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for row in records:
        if row["level"] and row["status"] in ("OK", "FLAG"):
            counts.setdefault((row["variable"], row["level"]), {})[row["stat"]] = int(row["n"])
    shown = [
        place
        for place, n in counts.items()
        if n.get("any", 0) >= _LEAST or (n.get("any", 0) and n.get("grade3_up", 0))
    ]
    return sorted(shown, key=lambda place: (-counts[place]["any"], place[1]))


def participants(made: Made) -> Iterator[Loose]:
    """Yield the list of the participants who are in treatment or follow-up.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        Pseudo-id and column.

    Raises
    ------
    None
    """
    adsl = made.inputs.adam["ADSL"]
    known = {"ENRLFL", "EOSSTT", "COHORT"} <= set(adsl.columns)
    found = adsl[(adsl["ENRLFL"] == "Y") & (adsl["EOSSTT"] == "ONGOING")] if known else adsl.iloc[:0]
    rows = [
        (subject, str(cohort or "not assigned"), "")
        for subject, cohort in sorted(zip(found["USUBJID"], found["COHORT"].fillna(""), strict=True))
        if known
    ]
    yield text_table(
        "ask-again",
        "participants who are to be told of the results and asked again",
        head=("Participant (pseudo-id)", "Column", "Told and asked on (to be filled in)"),
        rows=rows or [("none: the data show no participant in treatment or follow-up", "", "")],
        label="Annex",
    )


def _of(made: Made, key: str) -> Cell:
    return cell_of(made.say("{@|n} of {@|N}".replace("@", key))) if _counted(made, key) else _why(made, key)


def _counted(made: Made, key: str) -> bool:
    return made.row(key)["status"] in ("OK", "FLAG")


def _why(made: Made, key: str) -> Cell:
    return cell_of(made.say("{@|reason}".replace("@", key)))


def _row(name: str, cells: Sequence[Cell]) -> Row:
    return Row("data", 0, (Cell(name), *cells))


def _table(name: str, title: str, rows: Sequence[Row], notes: tuple[str, ...]) -> Table:
    return Table(
        id=name,
        label="Risks:",
        anchor=name,
        title=title,
        population="",
        header=(tuple(map(HeaderCell, _HEAD)),),
        rows=tuple(rows),
        align=("left", *("center",) * 7),
        widths=_WIDTHS,
        orientation="portrait",
        footnotes=notes,
        labels=(),
    )
