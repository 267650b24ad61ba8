"""The visit calendar of a participant: one date per visit, ascending, none after the end of observation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from interim.example.plan import Person
from interim.example.settings import csv_file

LAST_CART_ONLY = 10


@dataclass(frozen=True)
class Visit:
    """One visit.

    Attributes
    ----------
    number : float
        VISITNUM; unscheduled visits have decimals.
    name : str
        VISIT.
    day : int
        Day from the first NK infusion.
    kind : str
        screening, infusion, clinic, scan, unscheduled.
    labs : str
        Panels drawn: full, safety, or none.
    vitals : int
        Number of measurements of vital signs.
    ecog, ecg : bool
        Performance status, electrocardiogram.
    planned : int or None
        Day planned for the visit; None for an unscheduled one.
    """

    number: float
    name: str
    day: int
    kind: str
    labs: str = "safety"
    vitals: int = 1
    ecog: bool = False
    ecg: bool = False
    planned: int | None = None


def planned_visits(person: Person) -> tuple[Visit, ...]:
    """Return the visits of the protocol, as far as the arm has them.

    Parameters
    ----------
    person : Person
        Who.

    Returns
    -------
    tuple of Visit
        Ascending; up to the cut-off. A screened person has the screening visit only.

    Raises
    ------
    None
    """
    rng = person.rng("visits")
    visits = []
    for row in csv_file("visits.csv"):
        shift = int(rng.integers(0, int(row["jitter"]) + 1))
        day = _day(person, row)
        if day is not None and day + shift <= person.cut:
            visits.append(_visit(row, day + shift, day + int(row["jitter"]) // 2))
    return tuple(visits)


def _day(person: Person, row: Mapping[str, str]) -> int | None:
    number = int(row["visitnum"])
    if row["anchor"] == "screen":
        return person.screening
    if not person.treated:
        return None
    if row["anchor"] == "nk":
        return int(row["day"])
    if row["anchor"] == "cycle2":
        return None if person.cycle2 is None else person.cycle2 + int(row["day"])
    if person.level is None and number <= LAST_CART_ONLY:
        return None
    return person.cart + int(row["day"])


def _visit(row: Mapping[str, str], day: int, planned: int) -> Visit:
    return Visit(
        float(row["visitnum"]),
        row["visit"],
        day,
        row["kind"],
        row["labs"],
        int(row["vitals"]),
        row["ecog"] == "1",
        row["ecg"] == "1",
        planned,
    )


def with_unscheduled(visits: Iterable[Visit], days: Iterable[int]) -> tuple[Visit, ...]:
    """Add unscheduled visits on days that have none.

    Parameters
    ----------
    visits : iterable of Visit
        Planned visits, ascending.
    days : iterable of int
        Days that need a visit; none before the first planned visit.

    Returns
    -------
    tuple of Visit
        All visits, ascending; an unscheduled one is numbered after the planned one before it.

    Raises
    ------
    None

    Examples
    --------
    >>> [v.number for v in with_unscheduled([Visit(2, "NK DAY 0", 0, "infusion")], [1, 2])]
    [2, 2.1, 2.2]
    """
    planned = sorted(visits, key=lambda visit: visit.day)
    taken = {visit.day for visit in planned}
    out = list(planned)
    counts: dict[float, int] = {}
    for day in sorted(set(days) - taken):
        before = max((v for v in planned if v.day < day), key=lambda v: v.day)
        counts[before.number] = counts.get(before.number, 0) + 1
        number = round(before.number + counts[before.number] / 10, 1)
        out.append(Visit(number, f"UNSCHEDULED {number:g}", day, "unscheduled", vitals=3))
    return tuple(sorted(out, key=lambda visit: visit.day))
