"""Who takes part, in which arm, and when: the path of a preset laid on a calendar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from interim.example.path import study_path
from interim.example.settings import numbers
from interim.example.stream import bounded_normal, stream

OFFSET = "+08:00"
WINDOW_DAYS = 14


@dataclass(frozen=True)
class Slot:
    """What a preset fixes for one participant; see presets.toml.

    Attributes
    ----------
    arm, response, reason : str
        Arm code, class of the response, reason for not being treated ("" if treated).
    crs : int or None
        Fixed grade of cytokine release syndrome after CAR-T.
    dlt : str or None
        Kind of dose-limiting toxicity.
    calm, missed, after : bool
        No related event of grade 2; one scan not done; starts after all earlier windows.
    wait : int
        Days between this CAR-T start and the one before.
    tissue : bool or None
        Whether ligand expression was assessed; None = drawn.
    """

    arm: str
    response: str = ""
    reason: str = ""
    crs: int | None = None
    dlt: str | None = None
    calm: bool = False
    missed: bool = False
    after: bool = False
    wait: int = 1
    tissue: bool | None = None


@dataclass(frozen=True)
class Person:
    """One screened participant on the calendar; days count from the first NK infusion (day 0).

    Attributes
    ----------
    number : int
        Order of consent, 1 first.
    slot : Slot
        What the preset fixes.
    seed : int
        Seed of the study.
    preset : str
        Name of the preset.
    day0 : datetime.date
        First NK infusion, or the day planned for it.
    consent, screening, cart, cut : int
        Days of consent, of the screening visit, of the first CAR-T infusion (or the day planned for it), of the cut-off.
    cycle2 : int or None
        Day planned for the second CAR-T cycle.
    null : bool
        No subgroup has an effect.
    """

    number: int
    slot: Slot
    seed: int
    preset: str
    day0: date
    consent: int
    screening: int
    cart: int
    cut: int
    cycle2: int | None = None
    null: bool = False

    @property
    def usubjid(self) -> str:
        """Unique participant identifier."""
        return f"{numbers('study.id')}-{self.subjid}"

    @property
    def subjid(self) -> str:
        """Identifier within the study."""
        return f"01-{self.number:03d}"

    @property
    def level(self) -> int | None:
        """Assigned dose level of CAR-T, 1 first; None if none was assigned."""
        return int(self.slot.arm[2:]) if self.slot.arm.startswith("DL") else None

    @property
    def treated(self) -> bool:
        """True if the participant received CAR-NK."""
        return self.level is not None or self.slot.arm == "NKONLY"

    @property
    def enrolled(self) -> bool:
        """True if the participant was found eligible."""
        return self.slot.arm != "SCRNFAIL"

    def rng(self, purpose: str) -> np.random.Generator:
        """Return the participant's random stream for one purpose.

        Parameters
        ----------
        purpose : str
            Domain or part of the model.

        Returns
        -------
        numpy.random.Generator
            At its start.

        Raises
        ------
        None
        """
        return stream(self.seed, self.preset, self.number, purpose)

    def on(self, day: int) -> str:
        """Return a day as an ISO 8601 date.

        Parameters
        ----------
        day : int
            Days from the first NK infusion.

        Returns
        -------
        str
            For example ``2026-03-04``.

        Raises
        ------
        None
        """
        return (self.day0 + timedelta(days=day)).isoformat()

    def at(self, day: int, clock: str) -> str:
        """Return a moment as an ISO 8601 date-time with offset.

        Parameters
        ----------
        day : int
            Days from the first NK infusion.
        clock : str
            ``HH:MM``, local time.

        Returns
        -------
        str
            For example ``2026-03-04T10:15+08:00``.

        Raises
        ------
        None
        """
        return f"{self.on(day)}T{clock}{OFFSET}"


def plan_people(name: str, seed: int, *, null: bool = False) -> tuple[Person, ...]:
    """Lay the slots of a preset on a calendar that ends at its cut-off.

    Parameters
    ----------
    name : str
        Preset.
    seed : int
        Seed of the study.
    null : bool
        No subgroup has an effect.

    Returns
    -------
    tuple of Person
        In the order of consent.

    Raises
    ------
    StudyError
        If there is no such preset.

    Notes
    -----
    Days are counted forward from the first consent; then everything is moved so that the last CAR-T participant's window
    closes two weeks before the cut-off.
    """
    chosen = study_path(name, seed)
    cut = date.fromisoformat(chosen["cut"])
    people: list[Person] = []
    starts: list[int] = []
    consent, last_cart, window = 0, -(10**6), -(10**6)
    for number, row in enumerate(chosen["slot"], start=1):
        slot = Slot(**row)
        consent += _interval(stream(seed, name, number, "enrol"), slot)
        consent = max(consent, window + 1) if slot.after else consent
        person = _person(Person(number, slot, seed, name, cut, 0, 0, 0, 0))
        start = consent - person.consent
        if person.level is not None:
            start = max(start, last_cart + slot.wait - person.cart)
            last_cart = start + person.cart
            window = max(window, last_cart + 1 + WINDOW_DAYS)
        consent = start + person.consent
        people.append(person)
        starts.append(start)
    end = window + WINDOW_DAYS
    return tuple(
        replace(person, day0=cut - timedelta(days=end - start), cut=end - start, null=null)
        for person, start in zip(people, starts, strict=True)
    )


def _interval(rng: np.random.Generator, slot: Slot) -> int:
    table = numbers("enrol.interval_days")
    shape = (table["mean"] / table["sd"]) ** 2
    days = float(rng.gamma(shape, table["mean"] / shape))
    return max(2, round(days * (0.5 if slot.arm == "SCRNFAIL" else 1.0)))


def _person(person: Person) -> Person:
    rng = person.rng("plan")
    gap = numbers("cart.gap_days_from_nk")
    cart = int(rng.integers(gap["lo"] + 1, gap["hi"] + 1))
    length = int(rng.integers(8, 15))
    cycle = numbers("cart.cycle2_gap_days")
    second = cart + round(bounded_normal(rng, cycle["mean"], cycle["sd"], lo=14.6, hi=17.4))
    given = rng.random() < numbers("cart.p_cycle2") and person.level is not None and person.slot.dlt is None
    return replace(
        person,
        consent=-length,
        screening=-length + int(rng.integers(1, 4)),
        cart=cart,
        cycle2=second if given else None,
    )
