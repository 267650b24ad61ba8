"""Document 11: how many people had each effect, by grade, and who is to be asked again."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from interim.report.content import Cell, HeaderCell, Row, Table, text_table
from interim.report.document import Loose
from interim.report.package import Made
from interim.report.parts import cell_of
from interim.result import TOTAL

_CENTRED: Literal["center"] = "center"
_TERMS = "safety.teae_by_max_grade"
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
    scale = _settings()["scale"][0]
    empty = [Cell("–")] * (len(scale["stats"]) - 1)
    rows = [_row(name, [_of(made, key), *empty]) for name, key in _PLAIN]
    for name, question in _SCALED:
        levels = ("1", "2", "3", "4", "5", "missing")
        keys = [f"{question}/Total/any//n", *(f"{question}/Total/ctcae/{level}/n" for level in levels)]
        rows.append(_row(name, [_of(made, key) for key in keys]))
    notes = (
        "Grades by CTCAE v5.0. Cytokine release and effects on the nerves: of the people who got CAR-T cells; the next table counts "
        "them among all who were treated.",
    )
    yield _table("important", "effects that matter most, x of n people", scale["head"], rows, notes)


def effects(made: Made) -> Iterator[Loose]:
    """Yield the table of all effects by worst grade.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        Terms that the least number of people had, or one person with grade 3 or higher; by severity where no grades were
        collected; the most frequent first.

    Raises
    ------
    ReportError
        If a reference does not resolve.
    """
    found = made.inputs.store[_TERMS].where(group=TOTAL)
    records = [{str(k): v for k, v in row.items()} for row in found.to_dict("records")]
    scale = _scale(records)
    rows = [
        _row(term, [_of(made, f"{_TERMS}/Total/{system}/{term}/{stat}") for stat in scale["stats"]])
        for system, term in _terms(records, scale["severe"])
    ]
    none = [_row("No effect was reported that often", [Cell("–")] * len(scale["stats"]))]
    yield _table("effects", scale["title"], scale["head"], rows or none, (scale["note"],))


@cache
def _settings() -> dict[str, Any]:
    text = files("interim.report.documents").joinpath("consent_insert.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _scale(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the scale by which the events were counted; grades if there is no event."""
    stats = {row["stat"] for row in records if row["level"]}
    scales: Sequence[Mapping[str, Any]] = _settings()["scale"]
    return next((scale for scale in scales if stats >= set(scale["stats"])), scales[0])


def _terms(records: Sequence[Mapping[str, Any]], severe: str) -> list[tuple[str, str]]:
    """Return system and term of the effects that are shown, the most frequent first."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for row in records:
        if row["level"] and row["status"] in ("OK", "FLAG"):
            counts.setdefault((row["variable"], row["level"]), {})[row["stat"]] = int(row["n"])
    least = _settings()["least"]
    shown = [
        place
        for place, n in counts.items()
        if n.get("any", 0) >= least or (n.get("any", 0) and n.get(severe, 0))
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
        Pseudo-id and dose level.

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
        head=("Participant (pseudo-id)", "Dose level", "Told and asked on (to be filled in)"),
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


def _table(name: str, title: str, head: Sequence[str], rows: Sequence[Row], notes: tuple[str, ...]) -> Table:
    return Table(
        id=name,
        label="Risks:",
        anchor=name,
        title=title,
        population="",
        header=(tuple(map(HeaderCell, head)),),
        rows=tuple(rows),
        align=("left", *([_CENTRED] * (len(head) - 1))),
        widths=(2.6, *(1,) * (len(head) - 1)),
        orientation="portrait",
        footnotes=notes,
        labels=(),
    )
