"""Lesions at baseline and at every scan: growth curves, held to what each scan of the course must show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, sqrt

import numpy as np

from interim.example.course import Course, Scan
from interim.example.plan import Person
from interim.example.settings import codes, numbers
from interim.example.traits import Traits

SMALLEST = {"node": 15}
SMALLEST_TARGET, SMALLEST_SEEN = 10, 5
MEASURABLE = ("lung", "node", "peritoneum")
# Share of the tumour that shrinks, its rate of shrinking and the rate of growth of the rest, per day.
CURVES = {"PR": (0.80, 0.022, 0.003), "SD": (0.35, 0.010, 0.0035), "PD": (0.05, 0.010, 0.0075)}
ERROR = 0.04


@dataclass(frozen=True)
class Lesion:
    """One lesion that is followed.

    Attributes
    ----------
    link : str
        T01, NT01, NEW01.
    site : str
        Key of the table ``organ`` of codes.toml.
    baseline : int
        Diameter that enters the sum, mm; 0 for a non-target or new lesion.
    """

    link: str
    site: str
    baseline: int = 0

    @property
    def location(self) -> str:
        """TULOC."""
        return str(codes("organ")[self.site])

    @property
    def node(self) -> bool:
        """True if the lesion is a lymph node."""
        return self.site == "node"


@dataclass(frozen=True)
class Reading:
    """What one scan shows.

    Attributes
    ----------
    scan : Scan
        Which.
    diameters : tuple of (int or None)
        One per target; None if it could not be evaluated.
    done : bool
        False if the scan was not done.
    nontarget : str
        TUMSTATE of the non-target lesions: PRESENT or UNEQUIVOCAL PROGRESSION.
    new : bool
        True if a new lesion is seen.
    """

    scan: Scan
    diameters: tuple[int | None, ...]
    done: bool = True
    nontarget: str = "PRESENT"
    new: bool = False


@dataclass(frozen=True)
class Imaging:
    """All lesions and readings of a participant.

    Attributes
    ----------
    targets, others : tuple of Lesion
        Target and non-target lesions.
    readings : tuple of Reading
        One per scan after baseline.
    """

    targets: tuple[Lesion, ...]
    others: tuple[Lesion, ...]
    readings: tuple[Reading, ...]


def draw_imaging(person: Person, traits: Traits, course: Course) -> Imaging:
    """Draw the lesions of one participant.

    Parameters
    ----------
    person : Person
        Who.
    traits : Traits
        Sites and burden.
    course : Course
        What each scan must show.

    Returns
    -------
    Imaging
        Lesions at baseline and at each scan.

    Raises
    ------
    None

    Notes
    -----
    A lesion follows y(t) = y0 ((1 - f) exp(kg t) + f exp(-kd t)) with an error of 4% and is read in whole mm. A scan whose
    sum would tell another response than the course wants is scaled to the nearest sum that tells it.
    """
    rng = person.rng("lesions")
    targets = _targets(rng, traits)
    others = _others(traits, targets)
    return Imaging(targets, others, _readings(rng, course, targets, bool(others)))


def _targets(rng: np.random.Generator, traits: Traits) -> tuple[Lesion, ...]:
    most = numbers("burden.max_per_organ")
    sites = ["liver"] * min(most, traits.targets)
    for site in [s for s in MEASURABLE if s in traits.sites]:
        sites += [site] * min(1 if traits.targets < 4 else most, traits.targets - len(sites))
    inside = sites.count("liver")
    shares = [traits.liver_share / inside if s == "liver" else 0.0 for s in sites]
    outside = len(sites) - inside
    shares = (
        [share or (1 - traits.liver_share) / outside for share in shares]
        if outside
        else [1 / inside] * inside
    )
    noise = np.exp(0.25 * rng.standard_normal(len(sites)))
    wanted = np.array(shares) * noise
    sizes = traits.burden * wanted / wanted.sum()
    return tuple(
        Lesion(f"T{i:02d}", site, max(round(size), SMALLEST.get(site, SMALLEST_TARGET)))
        for i, (site, size) in enumerate(zip(sites, sizes, strict=True), start=1)
    )


def _others(traits: Traits, targets: Sequence[Lesion]) -> tuple[Lesion, ...]:
    sites = ["liver"] if traits.liver != "1-3" else []
    sites += [site for site in traits.sites if site not in {lesion.site for lesion in targets}]
    return tuple(Lesion(f"NT{i:02d}", site) for i, site in enumerate(sites, start=1))


def _readings(
    rng: np.random.Generator, course: Course, targets: tuple[Lesion, ...], others: bool
) -> tuple[Reading, ...]:
    kind = course.progression if others or course.progression != "nontarget" else "sum"
    raw = _curves(rng, course, targets)
    blank = int(rng.integers(len(targets)))
    base = sum(lesion.baseline for lesion in targets)
    nadir, previous, last = base, "SD", base
    readings: list[Reading] = []
    for place, scan in enumerate(course.scans):
        if scan.response == "ND":
            readings.append(Reading(scan, (None,) * len(targets), done=False))
            continue
        byother = scan.response == "PD" and kind in ("new", "nontarget")
        wanted = previous if byother or scan.response == "NE" else scan.response
        low, high = _band(wanted, base, nadir, last)
        sizes: list[int | None] = list(_fitted(raw[place], low, high))
        last = sum(size or 0 for size in sizes)
        if scan.response == "NE":
            sizes[blank] = None
        else:
            nadir = min(nadir, last)
        previous = wanted
        state = "UNEQUIVOCAL PROGRESSION" if byother and kind == "nontarget" else "PRESENT"
        readings.append(Reading(scan, tuple(sizes), nontarget=state, new=byother and kind == "new"))
    return tuple(readings)


def _curves(rng: np.random.Generator, course: Course, targets: Sequence[Lesion]) -> list[np.ndarray]:
    shape = "PR" if course.response.startswith("PR") else "PD" if course.response == "PD" else "SD"
    share, shrink, grow = CURVES[shape]
    rho = numbers("response.liver_vs_extrahepatic_corr")
    joint, liver, outside = rng.standard_normal(3)
    start = np.array([lesion.baseline for lesion in targets], dtype=float)
    own = np.where([lesion.site == "liver" for lesion in targets], liver, outside)
    rate = np.exp(0.3 * (sqrt(rho) * joint + sqrt(1 - rho) * own))
    out = []
    for scan in course.scans:
        t = scan.visit.day
        curve = (1 - share) * np.exp(grow * rate * t) + share * np.exp(-shrink * t / rate)
        out.append(start * curve * np.exp(ERROR * rng.standard_normal(len(targets))))
    return out


def _band(response: str, base: int, nadir: int, last: int) -> tuple[int, int]:
    """Return the lowest and highest sum that tell the response, a little inside the thresholds."""
    still = max(nadir + 4, floor(1.19 * nadir))
    if response == "PR":
        return ceil(0.35 * base), min(floor(0.69 * base), still)
    if response == "SD":
        return ceil(0.72 * base), min(floor(1.18 * base), still)
    least = max(ceil(1.21 * nadir), nadir + 6)
    if response == "GROWTH":
        least = max(least, last + 6)
    return least, max(ceil(1.8 * nadir), least + 5)


def _fitted(sizes: np.ndarray, low: int, high: int) -> list[int]:
    """Scale diameters so that their sum lies in a band, and read them in whole mm."""
    total = float(sizes.sum())
    read = [max(round(size * min(max(total, low), high) / total), SMALLEST_SEEN) for size in sizes]
    while sum(read) < low:
        read[read.index(max(read))] += 1
    while sum(read) > high:
        read[read.index(max(read))] -= 1
    return read


def waning(day: int, response: str) -> float:
    """Return the size of the tumour relative to baseline that a response class has on a day.

    Parameters
    ----------
    day : int
        Days from the first NK infusion.
    response : str
        Class of the response.

    Returns
    -------
    float
        Relative size; 1 on or before day 0.

    Raises
    ------
    None

    Examples
    --------
    >>> waning(0, "PD")
    1.0
    """
    shape = "PR" if response.startswith("PR") else "PD" if response == "PD" else "SD"
    share, shrink, grow = CURVES[shape]
    t = max(day, 0)
    return (1 - share) * exp(grow * t) + share * exp(-shrink * t)
