"""Chains: one participant by one evaluator, from baseline over every time point to its overall response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from interim.adam.derived import Moment
from interim.adam.response.lesions import NOT_EVALUABLE, TREATED, Contribution, Measure, contribution
from interim.adam.response.records import NEW, NONTARGET, TARGET
from interim.adam.response.scans import Listed, Scan
from interim.adam.response.target import Roster, TargetVisit, target_course
from interim.adam.response.timepoint import (
    ABSENT,
    FURTHER,
    UNEQUIVOCAL,
    Judged,
    new_lesions,
    nontarget_response,
    overall_response,
)
from interim.errors import Finding
from interim.study.efficacy import ResponseTable


@dataclass(frozen=True)
class Timepoint:
    """One assessment after baseline.

    Attributes
    ----------
    scan : Scan
        Records.
    date : pandas.Timestamp
        Date of the assessment.
    contributions : mapping of str to Contribution
        Target lesion -> what it adds to the sum.
    target : TargetVisit
        Sum, nadir and target response.
    nontarget, new, overall : Judged
        Non-target response, new lesion (Y or N), overall response.
    reader : str
        Evaluator whose records these are.
    roster : Roster
        Target lesions of that evaluator.
    """

    scan: Scan
    date: pd.Timestamp
    contributions: Mapping[str, Contribution]
    target: TargetVisit
    nontarget: Judged
    new: Judged
    overall: Judged
    reader: str
    roster: Roster


@dataclass(frozen=True)
class Chain:
    """All assessments of one participant by one evaluator.

    Attributes
    ----------
    subject, evaluator : str
        USUBJID and evaluator.
    roster : Roster
        Target lesions at baseline.
    nontargets : tuple of str
        Non-target lesions at baseline.
    baseline : Scan or None
        Baseline scan.
    timepoints : tuple of Timepoint
        In the order of time.
    findings : tuple of Finding
        What was found on the way.
    organs : mapping of str to str
        Lesion id -> organ, where given.
    by_visit : mapping of int to TargetVisit
        Number of the time point -> target response in the order of visit numbers; empty if that is the order of dates.
    """

    subject: str
    evaluator: str
    roster: Roster
    nontargets: tuple[str, ...] = ()
    baseline: Scan | None = None
    timepoints: tuple[Timepoint, ...] = ()
    findings: tuple[Finding, ...] = ()
    organs: Mapping[str, str] = field(default_factory=dict)
    by_visit: Mapping[int, TargetVisit] = field(default_factory=dict)

    @property
    def measurable(self) -> bool:
        """True if there is a target lesion with a baseline."""
        return bool(self.roster.lesions) and self.roster.total is not None

    @property
    def assessable(self) -> bool:
        """True if there is any lesion at baseline."""
        return self.baseline is not None and bool(self.roster.lesions or self.nontargets)


@dataclass(frozen=True)
class Context:
    """What is known beside the scans.

    Attributes
    ----------
    first_dose : pandas.Timestamp
        First dose; NaT if none.
    reported_nontarget : mapping of float or None to str
        Visit -> reported non-target response, used only if no non-target lesion was recorded.
    marker_dates : tuple of (pandas.Timestamp, bool) or None
        Dates on which it became known whether all tumour markers of the study are normal; None if none is required.
    """

    first_dose: Moment = pd.NaT
    reported_nontarget: Mapping[float | None, str] = field(default_factory=dict)
    marker_dates: tuple[tuple[pd.Timestamp, bool], ...] | None = None

    def markers_normal(self, day: pd.Timestamp) -> bool:
        """Tell whether all markers are known to be normal at a date.

        Parameters
        ----------
        day : pandas.Timestamp
            Date of the time point.

        Returns
        -------
        bool
            The latest result on or before the day; True if no marker is required.

        Raises
        ------
        None
        """
        if self.marker_dates is None:
            return True
        before = [normal for when, normal in self.marker_dates if when <= day]
        return bool(before) and before[-1]


def assess_chain(
    who: tuple[str, str],
    scans: tuple[Scan, ...],
    listed: Listed,
    *,
    context: Context,
    rules: ResponseTable,
) -> Chain:
    """Return the assessments of one participant by one evaluator.

    Parameters
    ----------
    who : tuple of (str, str)
        USUBJID and evaluator.
    scans : tuple of Scan
        In the order of time.
    listed : Listed
        Lesions.
    context : Context
        First dose and the like.
    rules : ResponseTable
        Parameters.

    Returns
    -------
    Chain
        Baseline, time points, findings.

    Raises
    ------
    None

    Notes
    -----
    Baseline is the last complete scan on or before the first dose; without a complete one the last of them. Later scans on or
    before the first dose are not used. A target or non-target that was first listed after the first dose is not guessed: it
    has no place at baseline, and a target is not evaluable wherever it is recorded.
    """
    listed, late = _at_baseline(listed, context.first_dose)
    scans = tuple(_with_late(scan, late) for scan in scans) if late else scans
    baseline = _baseline_scan(scans, listed, context.first_dose, rules)
    targets = _targets(listed, baseline)
    roster = _roster(targets, listed, baseline, rules)
    chain = Chain(*who, roster, _nontargets(listed, baseline), baseline, organs=listed.locations)
    after = [scan for scan in scans if _counts_after(scan, baseline, context.first_dose)]
    later = [_with_treated(scans, scan, rules) for scan in after]
    points = _timepoints(chain, later, context, rules)
    chain = replace(chain, timepoints=points, by_visit=_by_visit(roster, points, rules))
    unused = [scan for scan in scans if scan not in after]
    found = (*_excess_finding(chain, targets, listed, later, rules), *_early_findings(chain, unused))
    return replace(chain, findings=found)


def _at_baseline(listed: Listed, first_dose: Moment) -> tuple[Listed, frozenset[str]]:
    """Return the lesions without those first listed after the first dose, and the targets among these."""
    late = {lesion for lesion, day in listed.since.items() if day > first_dose}
    late -= set(listed.of(NEW))
    targets = set(listed.of(TARGET))
    if not late or (targets or set(listed.of(NONTARGET))) <= late:
        return listed, frozenset()
    kept = {lesion: role for lesion, role in listed.roles.items() if lesion not in late}
    return replace(listed, roles=kept), frozenset(late & targets)


def _with_late(scan: Scan, late: frozenset[str]) -> Scan:
    """Return the scan with every late target not evaluable, as one that is in no list."""
    here = sorted(late & set(scan.targets))
    hidden = {lesion: Measure(state=NOT_EVALUABLE) for lesion in here}
    return replace(
        scan, targets={**scan.targets, **hidden}, unlinked=tuple(dict.fromkeys((*scan.unlinked, *here)))
    )


def _counts_after(scan: Scan, baseline: Scan | None, first_dose: Moment) -> bool:
    return (baseline is None or scan.point > baseline.point) and not _before_dose(scan, first_dose)


def _early_findings(chain: Chain, unused: Iterable[Scan]) -> Iterator[Finding]:
    """Yield the new lesions and progressions recorded at a scan on or before the first dose."""
    for scan in unused:
        seen = [*(f"new lesion {name}" for name, state in sorted(scan.new.items()) if state != ABSENT)]
        seen += [
            f"progression of non-target {name}"
            for name, state in sorted(scan.nontargets.items())
            if state in (UNEQUIVOCAL, FURTHER)
        ]
        if seen:
            yield early_progression(
                (chain.subject, chain.evaluator), scan.last, ", ".join(seen), domain="TR", variable="TRLNKID"
            )


def early_progression(
    who: tuple[str, str], day: pd.Timestamp, what: str, *, domain: str, variable: str
) -> Finding:
    """Return the finding about a progression dated on or before the first dose.

    Parameters
    ----------
    who : tuple of (str, str)
        USUBJID and evaluator.
    day : pandas.Timestamp
        Its date.
    what : str
        What was recorded.
    domain, variable : str
        Where.

    Returns
    -------
    Finding
        RS-BEFORE.

    Raises
    ------
    None
    """
    text = (
        f"{who[1]}, {day:%Y-%m-%d}: {what} on or before the first dose; nothing before treatment is progression, "
        "it is not used; correct the date or the record"
    )
    return Finding(
        "RS-BEFORE",
        "warn",
        domain,
        text,
        subject=who[0],
        key=(who[1], f"{day:%Y-%m-%d}"),
        variable=variable,
        effect=("T 14.2.2.1", "T 14.2.3.1"),
    )


def _before_dose(scan: Scan, first_dose: Moment) -> bool:
    return bool(scan.earliest <= first_dose)


def _baseline_scan(
    scans: tuple[Scan, ...], listed: Listed, first_dose: Moment, rules: ResponseTable
) -> Scan | None:
    if pd.isna(first_dose):
        return scans[0] if scans else None
    before = [scan for scan in scans if _before_dose(scan, first_dose)]
    # A partial date can reach beyond the dose: it is a baseline only if nothing certain precedes it.
    certain = [scan for scan in before if scan.last <= first_dose] or before[:1]
    complete = [scan for scan in certain if _complete(scan, _targets(listed, scan), rules)]
    found = complete or certain
    return found[-1] if found else None


def _complete(scan: Scan, targets: tuple[str, ...], rules: ResponseTable) -> bool:
    return all(contribution(scan.targets.get(lesion), rules=rules).mm is not None for lesion in targets)


def _targets(listed: Listed, baseline: Scan | None) -> tuple[str, ...]:
    if listed.linked:
        return listed.of(TARGET)
    return tuple(sorted(baseline.targets)) if baseline else ()


def _nontargets(listed: Listed, baseline: Scan | None) -> tuple[str, ...]:
    if listed.linked:
        return listed.of(NONTARGET)
    return tuple(sorted(baseline.nontargets)) if baseline else ()


def _roster(targets: tuple[str, ...], listed: Listed, baseline: Scan | None, rules: ResponseTable) -> Roster:
    """Return the target lesions that enter the sum, with their baseline."""
    kept = targets if rules.excess_targets == "all" else _within_limits(targets, listed, rules)
    values = {}
    for lesion in kept:
        found = contribution(baseline.targets.get(lesion) if baseline else None, rules=rules).mm
        if found is not None:
            values[lesion] = found
    return Roster(kept, listed.nodal & set(kept), values)


def _within_limits(targets: tuple[str, ...], listed: Listed, rules: ResponseTable) -> tuple[str, ...]:
    return within_limits(targets, listed.locations, most=rules.max_targets, per_organ=rules.max_per_organ)


def within_limits(
    lesions: Iterable[str], organs: Mapping[str, str], *, most: int, per_organ: int
) -> tuple[str, ...]:
    """Return the first lesions, not more in all and per organ than permitted.

    Parameters
    ----------
    lesions : iterable of str
        Ids in their order.
    organs : mapping of str to str
        Lesion id -> organ; lesions without one are not counted against an organ.
    most, per_organ : int
        Limits.

    Returns
    -------
    tuple of str
        The lesions that are kept.

    Raises
    ------
    None

    Examples
    --------
    >>> within_limits(["A", "B", "C"], {"A": "LIVER", "B": "LIVER", "C": "LIVER"}, most=5, per_organ=2)
    ('A', 'B')
    """
    kept: list[str] = []
    for lesion in lesions:
        organ = organs.get(lesion)
        in_organ = sum(organ is not None and organs.get(other) == organ for other in kept)
        if len(kept) < most and in_organ < per_organ:
            kept.append(lesion)
    return tuple(kept)


def _with_treated(scans: tuple[Scan, ...], scan: Scan, rules: ResponseTable) -> Scan:
    """Return the scan with every lesion that was treated at an earlier scan marked as treated."""
    if rules.treated_lesion != "missing":
        return scan
    treated = {
        lesion
        for other in scans
        if other.point < scan.point
        for lesion, found in other.targets.items()
        if found.state == TREATED
    }
    if not treated:
        return scan
    marked = {
        lesion: Measure(found.mm, TREATED) if lesion in treated else found
        for lesion, found in scan.targets.items()
    }
    return replace(scan, targets=marked)


def _timepoints(
    chain: Chain, scans: list[Scan], context: Context, rules: ResponseTable
) -> tuple[Timepoint, ...]:
    roster = chain.roster
    seen = [_contributions(roster, scan, chain, rules) for scan in scans]
    targets = target_course(roster, seen, rules=rules)
    new = new_lesions([scan.new for scan in scans], backdate=rules.equivocal_backdate)
    answer = []
    for scan, parts, target, lesion in zip(scans, seen, targets, new, strict=True):
        nontarget = _nontarget(chain, scan, context)
        overall = overall_response(target.response, nontarget.value, lesion.value)
        day = _date(scan, overall.value, rules)
        answer.append(
            Timepoint(scan, day, parts, target, nontarget, lesion, overall, chain.evaluator, roster)
        )
    return tuple(answer)


def _by_visit(roster: Roster, points: tuple[Timepoint, ...], rules: ResponseTable) -> dict[int, TargetVisit]:
    """Return the target responses in the order of visit numbers, if dates and visit numbers disagree."""
    numbers = [point.scan.visitnum for point in points]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or known == sorted(known):
        return {}
    ordered = [point for _, point in sorted(zip(known, points, strict=True), key=lambda item: item[0])]
    course = target_course(roster, [point.contributions for point in ordered], rules=rules)
    return {point.scan.point: visit for point, visit in zip(ordered, course, strict=True)}


def _contributions(roster: Roster, scan: Scan, chain: Chain, rules: ResponseTable) -> dict[str, Contribution]:
    """Return the lesions of the sum, and those recorded as targets that are in no list."""
    names = [*roster.lesions, *(name for name in scan.unlinked if name in scan.targets)]
    return {name: contribution(scan.targets.get(name), rules=rules) for name in names}


def _nontarget(chain: Chain, scan: Scan, context: Context) -> Judged:
    if not chain.nontargets and not scan.nontargets and scan.visitnum in context.reported_nontarget:
        return Judged(context.reported_nontarget[scan.visitnum], ("N-RS",))
    known = {lesion: state for lesion, state in scan.nontargets.items() if lesion in chain.nontargets}
    return nontarget_response(known or {}, chain.nontargets, markers_normal=context.markers_normal(scan.last))


def _date(scan: Scan, overall: str, rules: ResponseTable) -> pd.Timestamp:
    early = rules.date_rule == "first" or (rules.date_rule == "pd_first_else_last" and overall == "PD")
    return scan.first if early else scan.last


def _excess_finding(
    chain: Chain, targets: tuple[str, ...], listed: Listed, scans: list[Scan], rules: ResponseTable
) -> tuple[Finding, ...]:
    """Return the target responses with and without the lesions beyond the limits, if there are any."""
    first = _within_limits(targets, listed, rules)
    if len(first) == len(targets) or chain.baseline is None:
        return ()
    both = [_responses_with(kept, listed, chain.baseline, scans, rules) for kept in (first, targets)]
    text = (
        f"{chain.evaluator}: {len(targets)} target lesions; at most {rules.max_targets} in all and {rules.max_per_organ} per "
        f"organ are permitted; target responses with the first {len(first)}: {both[0]}; with all: {both[1]}"
    )
    return (
        Finding(
            "RS-EXCESS",
            "info",
            "TR",
            text,
            subject=chain.subject,
            key=(chain.evaluator,),
            variable="TRLNKID",
            effect=("T 14.2.2.1", "T 14.2.3.1"),
        ),
    )


def _responses_with(
    kept: tuple[str, ...], listed: Listed, baseline: Scan, scans: list[Scan], rules: ResponseTable
) -> str:
    roster = _roster(kept, listed, baseline, rules.model_copy(update={"excess_targets": "all"}))
    seen = [{name: contribution(scan.targets.get(name), rules=rules) for name in kept} for scan in scans]
    return ", ".join(visit.response for visit in target_course(roster, seen, rules=rules)) or "none"


def adjudicated(chains: Iterable[Chain], name: str) -> tuple[Chain, ...]:
    """Return the chains of the readers whom the adjudication took, visit by visit.

    Parameters
    ----------
    chains : iterable of Chain
        Chains of all readers.
    name : str
        Evaluator of the answer.

    Returns
    -------
    tuple of Chain
        One per participant with an accepted record; every time point keeps the baseline and nadir of its own reader.

    Raises
    ------
    None
    """
    by_subject: dict[str, list[Chain]] = {}
    for chain in chains:
        by_subject.setdefault(chain.subject, []).append(chain)
    answer = []
    for _subject, group in sorted(by_subject.items()):
        taken = [c for c in group if _accepted(c)]
        if taken:
            points = {
                (point.scan.visitnum, point.date): point
                for c in sorted(taken, key=lambda c: c.evaluator, reverse=True)
                for point in c.timepoints
                if point.scan.accepted
            }
            ordered = tuple(sorted(points.values(), key=lambda point: (point.date, point.reader)))
            at_baseline = [c for c in taken if c.baseline is not None and c.baseline.accepted] or taken
            answer.append(replace(at_baseline[0], evaluator=name, timepoints=ordered, findings=()))
    return tuple(answer)


def _accepted(chain: Chain) -> bool:
    return bool(chain.baseline and chain.baseline.accepted) or any(p.scan.accepted for p in chain.timepoints)
