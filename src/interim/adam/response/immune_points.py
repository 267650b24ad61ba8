"""iRECIST values of the lesion route, from the same time points as RECIST 1.1."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from interim.adam.response.adrs import Point
from interim.adam.response.chains import Chain, Timepoint, within_limits
from interim.adam.response.irecist import ImmuneVisit, irecist_course, seen_new_lesions
from interim.adam.response.timepoint import ABSENT, FURTHER, NE, NEW_EQUIVOCAL
from interim.study.efficacy import IrecistTable


def immune_points(
    chain: Chain, *, rules: IrecistTable, per_organ: int, day_of: Callable[[pd.Timestamp], int | None]
) -> tuple[Point, ...]:
    """Return the iRECIST value of each time point.

    Parameters
    ----------
    chain : Chain
        One participant by one evaluator.
    rules : IrecistTable
        Growth and days that confirm a progression; how many new lesions are measured.
    per_organ : int
        New lesions measured per organ.
    day_of : callable
        Date -> days from the reference date.

    Returns
    -------
    tuple of Point
        In the order of time; time points without a day are left out.

    Raises
    ------
    None
    """
    dated = [(point, day) for point in chain.timepoints if (day := day_of(point.date)) is not None]
    points = [point for point, _ in dated]
    seen = seen_new_lesions(
        [_proven(point, points) for point in points],
        [[name for name, state in point.scan.new.items() if state == ABSENT] for point in points],
        [point.overall.value != NE for point in points],
    )
    measured = _measured(points, chain, most=rules.max_new_measured, per_organ=per_organ)
    visits = [
        ImmuneVisit(
            day=day,
            target=point.target.response,
            nontarget=point.nontarget.value,
            total=point.target.total,
            further=FURTHER in point.scan.nontargets.values(),
            new=new,
            new_total=math.fsum(point.scan.new_mm[name] for name in measured if name in point.scan.new_mm),
            new_grown=_unmeasured_grown(point, measured),
        )
        for (point, day), new in zip(dated, seen, strict=True)
    ]
    return tuple(
        Point(
            point.date,
            point.scan.visitnum,
            point.scan.visit,
            answer.value,
            answer.codes,
            "TR",
            point.scan.sources(sorted(point.scan.sequences)),
        )
        for point, answer in zip(points, irecist_course(visits, rules=rules), strict=True)
    )


def _proven(point: Timepoint, points: list[Timepoint]) -> list[str]:
    """Return the new lesions of a time point that count as unequivocal there, backdated as in RECIST 1.1."""
    if point.new.value != "Y":
        return []
    later = {
        name
        for other in points
        for name, state in other.scan.new.items()
        if state not in (ABSENT, NEW_EQUIVOCAL)
    }
    return [name for name, state in point.scan.new.items() if state != ABSENT and name in later]


def _measured(points: list[Timepoint], chain: Chain, *, most: int, per_organ: int) -> tuple[str, ...]:
    """Return the new lesions that enter their own sum: the first measured ones, by date and id."""
    first: dict[str, None] = {}
    for point in points:
        for name in sorted(point.scan.new_mm):
            first.setdefault(name)
    return within_limits(first, chain.organs, most=most, per_organ=per_organ)


def _unmeasured_grown(point: Timepoint, measured: tuple[str, ...]) -> bool:
    return any(state == FURTHER for name, state in point.scan.new.items() if name not in measured)
