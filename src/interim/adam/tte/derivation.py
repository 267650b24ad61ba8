"""The one derivation of every time-to-event endpoint: start, evidence window, earliest event, one censoring date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from interim.adam.tte.specification import CNSR, Endpoint, EventRule

PROGRESSION = "PD"


@dataclass(frozen=True)
class Fact:
    """Something that happened on a date.

    Attributes
    ----------
    when : datetime.date
        Date or date-time; all facts of a participant have the same kind.
    value : str
        Overall response of an assessment; free for other facts.
    domain, variable : str
        Where it is recorded.
    sequence : str or None
        Record.
    """

    when: date
    value: str = ""
    domain: str = ""
    variable: str = ""
    sequence: str | None = None


@dataclass(frozen=True)
class Facts:
    """What is known about one participant.

    Attributes
    ----------
    events : mapping of str to sequence of Fact
        Event source -> its facts.
    assessments : sequence of Fact
        Overall responses.
    bounds : mapping of str to Fact
        Truncation source (cut, nact, nksw) -> its fact; absent if it does not exist.
    censoring : mapping of str to Fact
        ``censor_at`` (last_contact, cut, death) -> its fact.
    ended : bool
        Whether the participant left the study before the cut-off.
    assessable : bool
        Whether disease could be assessed at baseline.
    """

    events: Mapping[str, Sequence[Fact]] = field(default_factory=dict)
    assessments: Sequence[Fact] = ()
    bounds: Mapping[str, Fact] = field(default_factory=dict)
    censoring: Mapping[str, Fact] = field(default_factory=dict)
    ended: bool = False
    assessable: bool = True


@dataclass(frozen=True)
class Outcome:
    """Event or censoring of one participant.

    Attributes
    ----------
    at : Fact
        What gave the date.
    code : str
        Reason code: E-... or K-...
    cnsr : int
        0 for an event, else the number of the censoring reason.
    deciding : Fact or None
        The truncation, or the event after a gap, that decided a censoring.
    text : str
        Name of the event in prose.
    """

    at: Fact
    code: str
    cnsr: int
    deciding: Fact | None = None
    text: str = ""


def time_to_event(endpoint: Endpoint, start: Fact, facts: Facts) -> Outcome:
    """Return event or censoring of one participant.

    Parameters
    ----------
    endpoint : Endpoint
        Specification.
    start : Fact
        Start date; facts before it are no evidence.
    facts : Facts
        What is known about the participant.

    Returns
    -------
    Outcome
        One date, one reason.

    Raises
    ------
    None

    Notes
    -----
    Rules restrict the window of evidence, and there is exactly one censoring date; so no rule can make the date later.
    """
    adequate = _adequate(endpoint, start, facts)
    found = _earliest(endpoint, start, facts)
    if found is None:
        return _censored(endpoint, start, facts, adequate)
    event, rule = found
    if _after_gap(endpoint, start, adequate, event, rule):
        before = [fact for fact in adequate if fact.when < event.when]
        return Outcome(before[-1] if before else start, "K-GAP", CNSR["K-GAP"], event)
    return Outcome(event, rule.code, 0, text=rule.text)


def untruncated(endpoint: Endpoint, start: Fact, facts: Facts) -> Outcome:
    """Return event or censoring without any rule but the data cut-off.

    Parameters
    ----------
    endpoint, start, facts
        As in `time_to_event`.

    Returns
    -------
    Outcome
        The twin for the audit listing.

    Raises
    ------
    None
    """
    free = replace(
        endpoint,
        truncations=tuple(rule for rule in endpoint.truncations if rule.source == "cut"),
        gap=replace(endpoint.gap, kind="off"),
    )
    return time_to_event(free, start, facts)


def _inside(endpoint: Endpoint, facts: Facts, fact: Fact) -> bool:
    """Tell whether a fact lies inside the window of evidence."""
    for rule in endpoint.truncations:
        bound = facts.bounds.get(rule.source)
        if bound is None:
            continue
        if fact.when > bound.when or (rule.strict and fact.when == bound.when):
            return False
    return True


def _adequate(endpoint: Endpoint, start: Fact, facts: Facts) -> list[Fact]:
    """Return the adequate assessments inside the window, up to and including the first progression."""
    inside = [f for f in facts.assessments if f.when >= start.when and _inside(endpoint, facts, f)]
    ends = [fact.when for fact in inside if fact.value == PROGRESSION]
    kept = [f for f in inside if f.value in endpoint.adequate and (not ends or f.when <= min(ends))]
    return sorted(kept, key=lambda fact: (fact.when, fact.sequence or ""))


def _earliest(endpoint: Endpoint, start: Fact, facts: Facts) -> tuple[Fact, EventRule] | None:
    found = [
        (fact.when, place, fact.sequence or "", fact)
        for place, rule in enumerate(endpoint.events)
        for fact in facts.events.get(rule.source, ())
        if fact.when >= start.when and _inside(endpoint, facts, fact)
    ]
    if not found:
        return None
    _, place, _, fact = min(found, key=lambda item: item[:3])
    return fact, endpoint.events[place]


def _after_gap(
    endpoint: Endpoint, start: Fact, adequate: Sequence[Fact], event: Fact, rule: EventRule
) -> bool:
    gap = endpoint.gap
    if gap.kind == "off" or rule.source not in gap.applies_to:
        return False
    last = max((fact.when for fact in adequate if fact.when < event.when), default=start.when)
    if gap.kind == "days":
        return event.when - last > timedelta(days=gap.days)
    window = timedelta(days=gap.window_days)
    planned = (start.when + timedelta(days=days) for days in gap.schedule_days)
    missed = [day for day in planned if day - window > last and day + window < event.when]
    return len(missed) >= gap.visits


def _censored(endpoint: Endpoint, start: Fact, facts: Facts, adequate: Sequence[Fact]) -> Outcome:
    if endpoint.needs_baseline and not facts.assessable:
        return Outcome(start, "K-NOBASE", CNSR["K-NOBASE"])
    at = _censoring_fact(endpoint, start, facts, adequate)
    binding = _binding(endpoint, facts)
    if binding is not None:
        code, deciding = binding
        late = endpoint.censor_at != "last_adequate" and deciding.when < at.when
        return Outcome(deciding if late else at, code, CNSR[code], deciding)
    code = _plain_reason(endpoint, facts, bool(adequate))
    return Outcome(at, code, CNSR[code])


def _censoring_fact(endpoint: Endpoint, start: Fact, facts: Facts, adequate: Sequence[Fact]) -> Fact:
    if endpoint.censor_at == "last_adequate":
        return adequate[-1] if adequate else start
    fact = facts.censoring.get(endpoint.censor_at)
    return start if fact is None or fact.when < start.when else fact


def _binding(endpoint: Endpoint, facts: Facts) -> tuple[str, Fact] | None:
    """Return the truncation other than the data cut that ends the window, if one does."""
    limits = [
        (facts.bounds[rule.source].when, rule.source == "cut", rule.code, facts.bounds[rule.source])
        for rule in endpoint.truncations
        if rule.source in facts.bounds
    ]
    if not limits:
        return None
    _, is_cut, code, fact = min(limits, key=lambda item: item[:2])
    return None if is_cut else (code, fact)


def _plain_reason(endpoint: Endpoint, facts: Facts, assessed: bool) -> str:
    if endpoint.censor_at == "last_adequate" and not assessed:
        return "K-NOPOST"
    if endpoint.censor_code:
        return endpoint.censor_code
    return "K-END" if facts.ended else "K-CUT"
