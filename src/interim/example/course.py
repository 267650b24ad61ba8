"""The course of the disease: what each scan will show, progression, next therapy, death, end of observation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from scipy.special import ndtr

from interim.example.plan import Person
from interim.example.settings import numbers
from interim.example.stream import choose, weibull_after
from interim.example.traits import Traits
from interim.example.visits import Visit

MONTH = 30.4375
MIDDLE_LEVEL = 2.5
PROGRESSION = {"sum": 0.6, "new": 0.3, "nontarget": 0.1}
NEXT_THERAPY = {"": 0.35, "SYSTEMIC": 0.52, "RADIATION": 0.06, "LOCAL LIVER": 0.07}
SCAN_AFTER_PROGRESSION = 0.35


@dataclass(frozen=True)
class Scan:
    """What one scan will show.

    Attributes
    ----------
    visit : Visit
        When.
    response : str
        PR, SD, PD, NE (one target not evaluable), ND (scan not done), GROWTH (further growth after PD).
    """

    visit: Visit
    response: str


@dataclass(frozen=True)
class Course:
    """The course of one participant; days from the first NK infusion.

    Attributes
    ----------
    response : str
        Class of the response; "" if not treated.
    scans : tuple of Scan
        Scans after baseline.
    progression : str
        What makes the progression: sum, new, nontarget; "" if there is none.
    pd : int or None
        Day of progression.
    therapy : tuple of (str, int) or None
        Kind and first day of the next anticancer therapy.
    death, lost : int or None
        Day of death; day of the last contact with a participant lost to follow-up.
    end : int
        Last day with any record.
    active_end : int
        Last day with a visit.
    """

    response: str
    scans: tuple[Scan, ...] = ()
    progression: str = ""
    pd: int | None = None
    therapy: tuple[str, int] | None = None
    death: int | None = None
    lost: int | None = None
    end: int = 0
    active_end: int = 0


def draw_course(person: Person, traits: Traits, visits: Sequence[Visit]) -> Course:
    """Draw the course of one participant, conditional on the response class of the preset.

    Parameters
    ----------
    person : Person
        Who.
    traits : Traits
        Tumour type and ligand expression.
    visits : sequence of Visit
        Planned visits.

    Returns
    -------
    Course
        The course up to the cut-off.

    Raises
    ------
    None
    """
    if not person.treated:
        day = person.screening + 2 if person.enrolled else person.screening
        return Course("", end=day, active_end=day)
    rng = person.rng("course")
    contact = person.cut - int(rng.integers(0, 8))
    scans = [visit for visit in visits if visit.kind == "scan" and visit.day <= contact]
    response = person.slot.response
    response = draw_class(rng, person, traits=traits, scans=len(scans)) if response == "ANY" else response
    score = float(rng.standard_normal())
    shown = _shown(rng, person, traits, response=response, scans=scans, score=score)
    course = Course(response, shown, end=contact, active_end=contact)
    course = _progressed(rng, course, scans)
    return _ended(rng, person, traits, course=course, score=score)


def draw_class(rng: np.random.Generator, person: Person, *, traits: Traits, scans: int) -> str:
    """Draw the class of the response.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream.
    person : Person
        Dose level.
    traits : Traits
        Tumour type and ligand expression.
    scans : int
        Scans before the cut-off.

    Returns
    -------
    str
        PR, PR_PENDING, SD, PD or NE_EARLY; with fewer than two scans PD or NE_EARLY.

    Raises
    ------
    None

    Notes
    -----
    The response rate of the tumour type belongs to the middle of the dose levels and to low expression of the ligands.
    """
    table = numbers("response")
    odds = table["ORR_by_type"][traits.tumour] / (1 - table["ORR_by_type"][traits.tumour])
    high = max(traits.ligands.values(), default=0.0) >= numbers("ligand.cutoff_any_high")
    slope = table["dose_logit_slope_per_level"] * ((person.level or 1) - MIDDLE_LEVEL)
    odds *= np.exp(slope + table["ligand_logit_high"] * (high and not person.null))
    chance = odds / (1 + odds)
    stable = max(0.0, (table["DCR"] - chance) / (1 - chance))
    responds, controlled, confirmed = rng.random() < chance, rng.random(), rng.random()
    if scans < 2:
        return "PD" if controlled > table["DCR"] else "NE_EARLY"
    if responds:
        return "PR" if scans > 2 and confirmed < table["p_confirm"] else "PR_PENDING"
    return "SD" if controlled < stable else "PD"


def _shown(
    rng: np.random.Generator,
    person: Person,
    traits: Traits,
    *,
    response: str,
    scans: Sequence[Visit],
    score: float,
) -> tuple[Scan, ...]:
    n = len(scans)
    if response in ("NE_EARLY", "NE_LESION"):
        return (Scan(scans[0], "SD" if response == "NE_EARLY" else "NE"),)
    if response == "PD":
        late = n > 1 and rng.random() < 0.5
        return tuple(Scan(v, r) for v, r in zip(scans, ["SD", "PD"] if late else ["PD"], strict=False))
    if response == "PR_PENDING":
        return (*(Scan(v, "SD") for v in scans[:-1]), Scan(scans[-1], "PR"))
    at = _progression_scan(rng, person, traits, response=response, scans=scans, score=score)
    lasting = "PR" if response == "PR" else "SD"
    values = ["SD", *[lasting] * (n - 1)][:at] + (["PD"] if at < n else [])
    missed = _missed(rng, person, values)
    return tuple(
        Scan(v, "ND" if i in missed else r) for i, (v, r) in enumerate(zip(scans, values, strict=False))
    )


def _progression_scan(
    rng: np.random.Generator,
    person: Person,
    traits: Traits,
    *,
    response: str,
    scans: Sequence[Visit],
    score: float,
) -> int:
    """Return the place of the first scan with progression; the number of scans if there is none."""
    median = numbers("survival.PFS_median_mo")[traits.tumour] * MONTH
    known = scans[2 if response == "PR" else 1].day
    time = weibull_after(rng, median, numbers("survival.weibull_shape_PFS"), after=known, score=score)
    first = {"PR": 4, "SD": 5 if person.slot.missed else 2}[response]
    later = [i for i, visit in enumerate(scans) if i >= first and visit.day >= time]
    return min(later, default=len(scans))


def _missed(rng: np.random.Generator, person: Person, values: Sequence[str]) -> set[int]:
    """Return the scans that are not done: between two of disease control, never two in a row."""
    if person.slot.missed:
        return {3}
    chances = rng.random(len(values)) < numbers("missing.scan")
    possible = [i for i in range(3, len(values) - 1) if chances[i] and values[i + 1] != "PD"]
    return set(possible[:1])


def _progressed(rng: np.random.Generator, course: Course, scans: Sequence[Visit]) -> Course:
    """Add what follows from a progression: its kind, a further scan, the next therapy."""
    kind, therapy, delay, again = (
        choose(rng, PROGRESSION),
        choose(rng, NEXT_THERAPY),
        int(rng.integers(10, 31)),
        rng.random(),
    )
    place = next((i for i, scan in enumerate(course.scans) if scan.response == "PD"), None)
    if place is None:
        return course
    day = scans[place].day
    further = scans[place + 1 : place + 2]
    if therapy == "" and kind == "sum" and again < SCAN_AFTER_PROGRESSION and further:
        return replace(
            course,
            progression=kind,
            pd=day,
            scans=(*course.scans, Scan(further[0], "GROWTH")),
            active_end=further[0].day,
        )
    start = day + delay
    known = therapy != "" and start <= course.end
    return replace(
        course,
        progression=kind,
        pd=day,
        therapy=(therapy, start) if known else None,
        active_end=min(course.end, start - 1 if known else day + 30),
    )


def _ended(
    rng: np.random.Generator, person: Person, traits: Traits, *, course: Course, score: float
) -> Course:
    """Add death or loss to follow-up; both come after the scans that the response needs."""
    rho = numbers("survival.copula_PFS_OS")
    joint = rho * score + sqrt(1 - rho**2) * float(rng.standard_normal())
    median = numbers("survival.OS_median_mo")[traits.tumour] * MONTH
    lost = ndtr(rng.standard_normal()) < 0.05
    soon = int(rng.integers(8, 20))
    last = course.scans[-1].visit.day
    after = last + soon if course.therapy is None else course.therapy[1] + soon
    time = round(weibull_after(rng, median, numbers("survival.weibull_shape_OS"), after=after, score=joint))
    if course.response == "NE_LESION":
        time = last + soon
    if course.response in ("NE_EARLY", "PR_PENDING") or time > course.end:
        gone = course.pd is not None and lost and course.end > after + 60
        return (
            replace(course, lost=after + 30, end=after + 30, active_end=min(course.active_end, after))
            if gone
            else course
        )
    return replace(course, death=time, end=time, active_end=min(course.active_end, time - 1))
