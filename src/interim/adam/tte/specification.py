"""Endpoint: the specification of a time-to-event endpoint, typed, checked, printable as prose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from interim.errors import Problem, StudyError

EVENT_SOURCES = ("pd", "death", "clinical", "nact", "nksw", "response", "icpd", "iupd", "end", "contact")
TRUNCATION_SOURCES = ("cut", "nact", "nksw")
CensorAt = Literal["last_adequate", "last_contact", "cut", "death"]
CNSR = {
    "K-CUT": 1,
    "K-END": 2,
    "K-NACT": 3,
    "K-GAP": 4,
    "K-NOBASE": 5,
    "K-NOPOST": 6,
    "K-ALIVE": 7,
    "K-OTHER": 8,
    "K-SWITCH": 8,
}
"""CNSR of each censoring reason; an event is 0."""


@dataclass(frozen=True)
class EventRule:
    """One kind of event.

    Attributes
    ----------
    source : str
        pd, death, clinical, nact, nksw (switch of the NK source), response, icpd, iupd, end or contact.
    code : str
        Reason code, for example E-PD.
    text : str
        Name of the event in prose.
    """

    source: str
    code: str
    text: str


@dataclass(frozen=True)
class Truncation:
    """A date after which nothing is evidence.

    Attributes
    ----------
    source : str
        cut, nact or nksw.
    strict : bool
        True if the day itself is no evidence either.
    code : str
        Reason of a censoring that it decides.
    text : str
        Name in prose.
    """

    source: str
    strict: bool
    code: str
    text: str


@dataclass(frozen=True)
class GapRule:
    """What is done with an event after missed assessments.

    Attributes
    ----------
    kind : {"off", "days", "visits"}
        Off; longer than ``days``; at least ``visits`` scheduled assessments missed in a row.
    days, visits, window_days : int
        Longest gap, number of missed visits, days a scan may lie beside its visit.
    schedule_days : tuple of int
        Planned assessments in days from the start.
    applies_to : tuple of str
        Sources of the events under the rule.
    """

    kind: Literal["off", "days", "visits"] = "off"
    days: int = 0
    visits: int = 0
    window_days: int = 0
    schedule_days: tuple[int, ...] = ()
    applies_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Endpoint:
    """A time-to-event endpoint; there is no other derivation than the one that reads this.

    Attributes
    ----------
    name, label : str
        PARAMCD and PARAM.
    population : {"FAS", "NK-SAF", "RESP", "DC", "SD"}
        Analysis set; RESP responders, DC disease control, SD stable disease as best response.
    start : {"anchor", "response"}
        Start date.
    events : tuple of EventRule
        Of two on the same day the earlier entry wins.
    adequate : tuple of str
        Overall responses that count as known free of event.
    truncations : tuple of Truncation
        They restrict the evidence; there is one censoring date.
    gap : GapRule
        Event after missed assessments.
    censor_at : {"last_adequate", "last_contact", "cut", "death"}
        Date of a participant without event.
    censor_code : str
        Reason of a plain censoring; "" = K-END or K-CUT.
    needs_baseline : bool
        Whether a participant without assessable disease at baseline is censored on day 1.

    Raises
    ------
    StudyError
        If an event source or truncation is unknown, rules overlap, or the schedule that the gap rule needs is absent.
    """

    name: str
    label: str
    population: str
    start: Literal["anchor", "response"]
    events: tuple[EventRule, ...]
    adequate: tuple[str, ...] = ()
    truncations: tuple[Truncation, ...] = ()
    gap: GapRule = GapRule()
    censor_at: CensorAt = "last_adequate"
    censor_code: str = ""
    needs_baseline: bool = False

    def __post_init__(self) -> None:
        problems = [
            *_unknown("event source", [event.source for event in self.events], EVENT_SOURCES),
            *_unknown("truncation", [rule.source for rule in self.truncations], TRUNCATION_SOURCES),
            *_overlap("event", [event.source for event in self.events]),
            *_overlap("truncation", [rule.source for rule in self.truncations]),
        ]
        truncating = {rule.source for rule in self.truncations}
        both = sorted(truncating.intersection(event.source for event in self.events))
        problems += [f"{source} is both an event and a truncation" for source in both]
        if self.gap.kind == "visits" and not self.gap.schedule_days:
            problems.append("gap rule 'visits' needs tte.schedule_weeks")
        if problems:
            raise StudyError([Problem(f"endpoint {self.name}", text) for text in problems])

    def prose(self) -> str:
        """Return the definition as sentences.

        Returns
        -------
        str
            Start, events, evidence, gap rule, censoring.

        Raises
        ------
        None
        """
        start = {"anchor": "the reference date", "response": "the first response"}[self.start]
        where = {
            "last_adequate": "the last adequate assessment, or day 1 without one",
            "last_contact": "the date last known alive",
            "cut": "the data cut-off",
            "death": "the date of death",
        }[self.censor_at]
        parts = [
            f"{self.label} ({self.population}): days from {start} to the first of "
            f"{', '.join(event.text for event in self.events)}."
        ]
        parts += [
            f"Evidence ends {'before' if rule.strict else 'with'} {rule.text}." for rule in self.truncations
        ]
        if self.gap.kind != "off":
            parts.append(self._gap_prose())
        parts.append(f"Without event: censored at {where}.")
        return " ".join(parts)

    def _gap_prose(self) -> str:
        limit = (
            f"more than {self.gap.days} days after the last adequate assessment"
            if self.gap.kind == "days"
            else f"after {self.gap.visits} or more scheduled assessments in a row were missed"
        )
        return f"{' or '.join(self.gap.applies_to)} {limit} is no event; censored at that assessment."


def _unknown(what: str, found: list[str], known: tuple[str, ...]) -> list[str]:
    return [
        f"{what} {name!r} is unknown; permitted are {', '.join(known)}" for name in found if name not in known
    ]


def _overlap(what: str, found: list[str]) -> list[str]:
    return [f"{what} {name!r} is given twice" for name in sorted({n for n in found if found.count(n) > 1})]
