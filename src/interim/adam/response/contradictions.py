"""Contradictions: where reported responses differ from the lesions, and what else a report cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from interim.adam.derived import Moment
from interim.adam.response.assessments import PD
from interim.adam.response.chains import Chain, Timepoint, early_progression
from interim.adam.response.immune_points import immune_points
from interim.adam.response.irecist_best import to_i
from interim.adam.response.reason_text import millimetres
from interim.adam.response.records import ADJUDICATED
from interim.adam.response.reported import Reported
from interim.adam.response.target import TargetVisit
from interim.adam.response.timepoint import overall_response
from interim.errors import Finding, Severity
from interim.study import Study

RULES: tuple[tuple[str, Severity], ...] = (
    ("RS-DERIV", "warn"),
    ("RS-NEW", "stop"),
)
_EFFECT = ("T 14.2.2.1", "T 14.2.3.1")
_IMMUNE, _IMMUNE_EFFECT = "OVRLRESP (iRECIST)", ("T 14.2.2.2", "T 14.2.3.6")


@dataclass(frozen=True)
class Pair:
    """A derived time point and the report of the same time point.

    Attributes
    ----------
    derived : Timepoint
        From the lesions.
    reported : Reported
        From RS.
    """

    derived: Timepoint
    reported: Reported


def pair_points(chain: Chain, reported: Sequence[Reported]) -> tuple[Pair, ...]:
    """Return the time points that both routes have.

    Parameters
    ----------
    chain : Chain
        Lesion route of one participant by one evaluator.
    reported : sequence of Reported
        Reported route of the same.

    Returns
    -------
    tuple of Pair
        Reports and scans of one visit are paired by the nearest date, each once.

    Raises
    ------
    None
    """
    distances = sorted(
        (abs((report.date - point.date).days), point.date, place, other)
        for place, point in enumerate(chain.timepoints)
        for other, report in enumerate(reported)
        if _same_visit(point, report)
    )
    used_points: set[int] = set()
    used_reports: set[int] = set()
    pairs = []
    for _, _, place, other in distances:
        if place not in used_points and other not in used_reports:
            used_points.add(place)
            used_reports.add(other)
            pairs.append(Pair(chain.timepoints[place], reported[other]))
    return tuple(sorted(pairs, key=lambda pair: pair.derived.date))


def _same_visit(point: Timepoint, report: Reported) -> bool:
    if point.scan.visitnum is None or report.visitnum is None:
        return bool(point.scan.first <= report.date <= point.scan.last)
    return point.scan.visitnum == report.visitnum


def contradictions(chain: Chain, reported: Sequence[Reported]) -> Iterator[Finding]:
    """Yield the contradictions of one participant by one evaluator.

    Parameters
    ----------
    chain : Chain
        Lesion route.
    reported : sequence of Reported
        Reported route.

    Yields
    ------
    Finding
        RS-DERIV for each target, non-target or overall response that differs, RS-NEW.

    Raises
    ------
    None
    """
    for pair in pair_points(chain, reported):
        yield from _different(chain, pair)
        yield from _other_nontarget(chain, pair)
        yield from _new_lesion(chain, pair)


def _different(chain: Chain, pair: Pair) -> Iterator[Finding]:
    derived, values = pair.derived, pair.reported.values
    new = derived.new.value
    found = [(derived.target, derived.overall, "")]
    by_visit = chain.by_visit.get(derived.scan.point)
    if by_visit is not None:
        overall = overall_response(by_visit.response, derived.nontarget.value, new)
        found.append(
            (by_visit, overall, "; the dates are not in the order of the visit numbers, in which this holds")
        )
    for test in ("TRGRESP", "OVRLRESP"):
        for target, overall, order in found:
            value, code = (
                (target.response, target.code) if test == "TRGRESP" else (overall.value, overall.code)
            )
            if test in values and values[test] != value:
                numbers = _numbers(pair, target)
                text = (
                    f"reported {values[test]}, derived {value} ({code}; {numbers}{order}); query the reader"
                )
                yield _finding(chain, pair, "RS-DERIV", _Said(test, values[test], value, text))
                break


def _other_nontarget(chain: Chain, pair: Pair) -> Iterator[Finding]:
    derived, said = pair.derived.nontarget, pair.reported.values.get("NTRGRESP")
    if said is None or said == derived.value or derived.code == "N-RS":
        return
    states = pair.derived.scan.nontargets
    seen = ", ".join(
        f"{lesion} {states.get(lesion, 'not recorded')}" for lesion in sorted({*chain.nontargets, *states})
    )
    text = f"non-target reported {said}, derived {derived.value} ({derived.code}; {seen}); query the reader"
    yield _finding(chain, pair, "RS-DERIV", _Said("NTRGRESP", said, derived.value, text))


def immune_contradictions(chain: Chain, reported: Sequence[Reported], *, study: Study) -> Iterator[Finding]:
    """Yield the contradictions of one participant by one evaluator under iRECIST.

    Parameters
    ----------
    chain : Chain
        Lesion route.
    reported : sequence of Reported
        Responses that the evaluator reported by iRECIST; RECIST 1.1 values among them are read as i-values.
    study : Study
        Table ``irecist``, ``response.max_per_organ``.

    Yields
    ------
    Finding
        RS-DERIV for each overall response that differs.

    Raises
    ------
    None
    """
    pairs = pair_points(chain, reported)
    if not pairs:
        return
    origin = chain.timepoints[0].date
    points = immune_points(
        chain,
        rules=study.irecist,
        per_organ=study.response.max_per_organ,
        day_of=lambda day: (day - origin).days,
    )
    derived = {place.scan.point: point for place, point in zip(chain.timepoints, points, strict=True)}
    for pair in pairs:
        said, point = pair.reported.values.get("OVRLRESP"), derived[pair.derived.scan.point]
        if said is not None and to_i(said) != point.value:
            numbers = _numbers(pair, pair.derived.target)
            text = f"iRECIST reported {said}, derived {point.value} ({';'.join(point.codes)}; {numbers}); query the reader"
            yield _finding(chain, pair, "RS-DERIV", _Said(_IMMUNE, said, point.value, text, _IMMUNE_EFFECT))


def _numbers(pair: Pair, target: TargetVisit) -> str:
    return (
        f"sum {millimetres(target.total)} mm, nadir {millimetres(target.nadir)} mm, "
        f"baseline {millimetres(pair.derived.roster.total)} mm"
    )


def _new_lesion(chain: Chain, pair: Pair) -> Iterator[Finding]:
    values = pair.reported.values
    overall = values.get("OVRLRESP")
    if pair.derived.new.value == "Y" and overall is not None and overall != PD:
        text = f"unequivocal new lesion, but the overall response reported is {overall}; correct one of them"
        yield _finding(chain, pair, "RS-NEW", _Said("OVRLRESP", overall, PD, text))
    attributed = values.get("NEWLPROG") in ("UNEQUIVOCAL", "Y")
    known = any(point.scan.new for point in chain.timepoints if point.date <= pair.derived.date)
    if attributed and overall == PD and not known:
        text = (
            "progression attributed to a new lesion, but none is recorded up to this visit; enter the lesion"
        )
        yield _finding(
            chain, pair, "RS-NEW", _Said("NEWLPROG", str(values["NEWLPROG"]), "a lesion in TU", text)
        )


def early_reports(
    reported: Mapping[tuple[str, str], Sequence[Reported]], first_dose: Mapping[str, Moment]
) -> Iterator[Finding]:
    """Yield the reported progressions dated on or before the first dose.

    Parameters
    ----------
    reported : mapping of (str, str) to sequence of Reported
        (USUBJID, evaluator) -> reported time points.
    first_dose : mapping of str to pandas.Timestamp
        USUBJID -> first dose.

    Yields
    ------
    Finding
        RS-BEFORE.

    Raises
    ------
    None
    """
    for (subject, reader), points in sorted(reported.items()):
        if reader == ADJUDICATED:
            continue
        for point in points:
            if point.values.get("OVRLRESP") == PD and point.date <= first_dose.get(subject, pd.NaT):
                yield early_progression(
                    (subject, reader), point.date, "PD reported", domain="RS", variable="RSSTRESC"
                )


@dataclass(frozen=True)
class _Said:
    """What was reported, and what it should be."""

    variable: str
    value: str
    expected: str
    text: str
    effect: tuple[str, ...] = _EFFECT


def _finding(chain: Chain, pair: Pair, rule: str, said: _Said) -> Finding:
    day = f"{pair.reported.date:%Y-%m-%d}"
    visit = "" if pair.reported.visitnum is None else f"{pair.reported.visitnum:g}"
    return Finding(
        rule,
        dict(RULES)[rule],
        "RS",
        f"{chain.evaluator}, {day}: {said.text}",
        subject=chain.subject,
        key=(chain.evaluator, visit, day),
        variable=said.variable,
        value=said.value,
        expected=said.expected,
        effect=said.effect,
    )
