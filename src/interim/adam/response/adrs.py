"""ADRS: responses of every time point, and the endpoints of every participant, by evaluator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from interim.adam.derived import Moment
from interim.adam.response.assessments import (
    BEST_FIRST,
    MISSING,
    UPD,
    Assessment,
    BestRules,
    Limits,
)
from interim.adam.response.best_response import Best
from interim.adam.response.chains import Chain, Timepoint
from interim.adam.response.endpoints import ENDPOINTS, ResponseEndpoints, response_endpoints
from interim.adam.response.irecist_best import I_VALUES, IrecistBest, irecist_best
from interim.adam.response.reason_text import millimetres, reason_text
from interim.adam.response.reported import IRECIST, RECIST, Reported
from interim.adam.response.target import TargetVisit
from interim.adam.source import text_missing
from interim.study import Study

COLUMNS = [
    "USUBJID",
    "PARCAT2",
    "PARCAT3",
    "PARAMCD",
    "PARAM",
    "ADT",
    "AVISITN",
    "AVISIT",
    "AVALC",
    "AVAL",
    "ANL01FL",
    "RSNCD",
    "RSNTXT",
    "SRCDOM",
    "SRCSEQ",
]
LABELS = {
    "TRGRESP": "Target response",
    "NTRGRESP": "Non-target response",
    "NEWLPROG": "Unequivocal new lesion",
    "OVR": "Overall response",
    "ROVR": "Overall response, reported route",
    "LOVR": "Overall response, lesion route",
    "IOVR": "Overall response by iRECIST",
    "BOR": "Best overall response",
    "CBOR": "Best overall response, confirmed",
    "RSP": "Complete or partial response",
    "CRSP": "Confirmed complete or partial response",
    "DCR": "Disease control",
    "CDCR": "Disease control, confirmed response",
    "CBR": "Clinical benefit",
    "CCBR": "Clinical benefit, confirmed response",
    "BCP": "Best overall response is CR or PR",
    "CBCP": "Best confirmed response is CR or PR",
    "PD": "Progression",
    "LSTA": "Last assessment",
    "MDIS": "Measurable disease at baseline",
    "ADIS": "Assessable disease at baseline",
    "IBOR": "Best overall response by iRECIST",
    "ICBOR": "Best overall response by iRECIST, confirmed",
    "IRSP": "Response by iRECIST",
    "ICRSP": "Confirmed response by iRECIST",
    "ICB": "Clinical benefit by iRECIST",
    "ICCB": "Clinical benefit by iRECIST, confirmed response",
    "ICPD": "Confirmed progression by iRECIST",
    "IUPD": "Trailing unconfirmed progression by iRECIST",
    "HEPRESP": "Target response of the liver lesions (post-hoc, not RECIST)",
    "HEPBOR": "Best response of the liver lesions (post-hoc, not RECIST)",
    "HEPCBOR": "Best response of the liver lesions, confirmed (post-hoc, not RECIST)",
    "EXHRESP": "Target response of the extrahepatic lesions (post-hoc, not RECIST)",
    "EXHBOR": "Best response of the extrahepatic lesions (post-hoc, not RECIST)",
    "EXHCBOR": "Best response of the extrahepatic lesions, confirmed (post-hoc, not RECIST)",
}
_RANKS = {
    **{value: float(rank) for rank, value in enumerate((*[v for v in BEST_FIRST if v != UPD], MISSING), 1)},
    **{value: float(rank) for rank, value in enumerate(I_VALUES, 1) if value.startswith(("i", "NON-i"))},
    "Y": 1.0,
    "N": 0.0,
}
_LEFT = ("COMPLETED", "DISCONTINUED")
_SUBJECT_DATES = ("TRTSDT", "TRTSCT", "ENRLDT", "RFICDT", "NACTDT", "NKSWDT", "DTHDT", "DCUTDT")
ANCHORS = {"first_infusion": ("TRTSDT",), "first_cart": ("TRTSCT",), "enrolment": ("ENRLDT", "RFICDT")}


@dataclass(frozen=True)
class Participant:
    """The dates of one participant.

    Attributes
    ----------
    subject : str
        USUBJID.
    reference : pandas.Timestamp
        Reference date of the response days; NaT if it does not exist.
    therapy, death, cut : pandas.Timestamp
        New anticancer therapy, death, data cut-off; NaT if none.
    left : bool
        Whether the participant left the study.
    switch : pandas.Timestamp
        First NK infusion from another source than the first, if assessments from then on do not count; else NaT.
    """

    subject: str
    reference: Moment
    therapy: Moment
    death: Moment
    cut: Moment
    left: bool = False
    switch: Moment = pd.NaT

    def ends(self, study: Study) -> dict[str, Moment]:
        """Return the dates from which assessments no longer count.

        Parameters
        ----------
        study : Study
            ``response.bor_stop_at_nact``.

        Returns
        -------
        dict of str to pandas.Timestamp
            Reason code -> date; only those that exist.

        Raises
        ------
        None
        """
        dates = {
            "B-NACT": self.therapy if study.response.bor_stop_at_nact else pd.NaT,
            "B-SWITCH": self.switch,
        }
        return {code: date for code, date in dates.items() if not pd.isna(date)}

    def day(self, date: Moment) -> int | None:
        """Return the days from the reference date.

        Parameters
        ----------
        date : pandas.Timestamp
            Any date.

        Returns
        -------
        int or None
            None if the date or the reference date does not exist.

        Raises
        ------
        None
        """
        return None if pd.isna(date) or pd.isna(self.reference) else (date - self.reference).days


@dataclass(frozen=True)
class Point:
    """One overall response that can count, with the record behind it.

    Attributes
    ----------
    date : pandas.Timestamp
        Date.
    visitnum, visit : object
        Visit.
    value : str
        Overall response.
    codes : tuple of str
        Reasons.
    domain, sequence : str or None
        Source record.
    """

    date: pd.Timestamp
    visitnum: float | None
    visit: str | None
    value: str
    codes: tuple[str, ...]
    domain: str
    sequence: str | None


@dataclass(frozen=True)
class Course:
    """All that ADRS says about one participant by one evaluator.

    Attributes
    ----------
    evaluator : str
        Evaluator.
    points : tuple of Point
        Overall responses of the route that feeds the endpoints.
    other : tuple of Point
        Those of the other route; PARAMCD ``other_name``.
    other_name : str
        ROVR or LOVR.
    immune : tuple of Point
        iRECIST values.
    chain : Chain or None
        Lesion route.
    reported : tuple of Reported
        Reported route.
    """

    evaluator: str
    points: tuple[Point, ...] = ()
    other: tuple[Point, ...] = ()
    other_name: str = "ROVR"
    immune: tuple[Point, ...] = ()
    chain: Chain | None = None
    reported: tuple[Reported, ...] = field(default_factory=tuple)

    @property
    def measurable(self) -> str | None:
        """Y if a target lesion with a baseline is known, N if not, None if the evaluator recorded no lesions at all."""
        return self._known(self.chain is not None and self.chain.measurable)

    @property
    def assessable(self) -> str | None:
        """Y if any lesion at baseline is known, N if not, None if the evaluator recorded no lesions at all."""
        return self._known(self.chain is not None and self.chain.assessable)

    def _known(self, holds: bool) -> str | None:
        if self.chain is None and self.other_name == "LOVR":
            return None
        return "Y" if holds else "N"


def participants(adsl: pd.DataFrame, study: Study) -> tuple[Participant, ...]:
    """Return the participants of ENR with their dates.

    Parameters
    ----------
    adsl : pandas.DataFrame
        USUBJID, ENRLFL (all rows if absent), dates (absent: missing).
    study : Study
        ``response.anchor``, ``estimand.nk_source_switch``.

    Returns
    -------
    tuple of Participant
        Sorted by USUBJID.

    Raises
    ------
    None
    """
    rows = adsl[adsl["ENRLFL"] == "Y"] if "ENRLFL" in adsl else adsl
    answer = []
    stops_at_switch = study.estimand.nk_source_switch != "treatment_policy"
    for row in rows.sort_values("USUBJID", kind="stable").to_dict("records"):
        dates: dict[str, Moment] = {
            name: pd.Timestamp(row[name]) if name in row else pd.NaT for name in _SUBJECT_DATES
        }
        reference = anchor_date(dates, study.response.anchor)[0]
        answer.append(
            Participant(
                str(row["USUBJID"]),
                reference,
                dates["NACTDT"],
                dates["DTHDT"],
                dates["DCUTDT"],
                row.get("EOSSTT") in _LEFT,
                dates["NKSWDT"] if stops_at_switch else pd.NaT,
            )
        )
    return tuple(answer)


def anchor_date(dates: Mapping[str, Moment], anchor: str) -> tuple[Moment, str]:
    """Return the reference date of an anchor.

    Parameters
    ----------
    dates : mapping of str to pandas.Timestamp
        Dates of ADSL by column.
    anchor : {"first_infusion", "first_cart", "enrolment"}
        Which date.

    Returns
    -------
    tuple of (pandas.Timestamp, str)
        The date (NaT if there is none) and the column that gave it; without a date of enrolment, that of consent.

    Raises
    ------
    None
    """
    names = ANCHORS[anchor]
    found = [name for name in names if name in dates and not pd.isna(dates[name])]
    return (dates[found[0]], found[0]) if found else (pd.NaT, names[0])


def lesion_points(chain: Chain) -> tuple[Point, ...]:
    """Return the overall responses of the lesion route.

    Parameters
    ----------
    chain : Chain
        One participant by one evaluator.

    Returns
    -------
    tuple of Point
        In the order of time.

    Raises
    ------
    None
    """
    return tuple(
        Point(
            point.date,
            point.scan.visitnum,
            point.scan.visit,
            point.overall.value,
            point.overall.codes,
            "TR",
            point.scan.sources(sorted(point.scan.sequences)),
        )
        for point in chain.timepoints
    )


def reported_points(reported: Sequence[Reported]) -> tuple[Point, ...]:
    """Return the overall responses of the reported route.

    Parameters
    ----------
    reported : sequence of Reported
        One participant by one evaluator.

    Returns
    -------
    tuple of Point
        In the order of time.

    Raises
    ------
    None
    """
    return tuple(
        Point(
            point.date,
            point.visitnum,
            point.visit,
            point.values["OVRLRESP"],
            ("P-RS",),
            "RS",
            point.sequences["OVRLRESP"],
        )
        for point in reported
        if "OVRLRESP" in point.values
    )


def course_rows(who: Participant, course: Course, study: Study) -> Iterator[dict[str, Any]]:
    """Yield the rows of one participant by one evaluator.

    Parameters
    ----------
    who : Participant
        Dates.
    course : Course
        Responses.
    study : Study
        Table ``response``.

    Yields
    ------
    dict
        Rows of ADRS.

    Raises
    ------
    None
    """
    rules = BestRules.of(study.response)
    limits = limits_of(who, study)
    result = point_endpoints(who, course.points, study)
    base = {"USUBJID": who.subject, "PARCAT2": course.evaluator, "PARCAT3": RECIST}
    yield from _part_rows(base, course, study)
    chosen = {scan.key for scan in result.used}
    yield from _point_rows(base, "OVR", course.points, chosen=chosen, limits=limits, who=who)
    yield from _point_rows(
        base, course.other_name, course.other, chosen=set(), limits=Limits(first=None), who=who
    )
    for name in ENDPOINTS:
        yield best_row(base, name, result.values[name], points=course.points, who=who, rules=rules)
    for name, value in (("MDIS", course.measurable), ("ADIS", course.assessable)):
        yield {**base, "PARAMCD": name, "AVALC": value}
    yield from _immune_rows(who, course, study, limits=limits)


def point_endpoints(who: Participant, points: Sequence[Point], study: Study) -> ResponseEndpoints:
    """Return the endpoints that follow from dated responses.

    Parameters
    ----------
    who : Participant
        Dates.
    points : sequence of Point
        Responses in the order of time; the key of an assessment is its place.
    study : Study
        Table ``response``.

    Returns
    -------
    ResponseEndpoints
        Assessments used, and one value per endpoint.

    Raises
    ------
    None
    """
    scans = [
        Assessment(day, point.value, key=place)
        for place, point in enumerate(points)
        if (day := who.day(point.date)) is not None
    ]
    stopped = bool(who.ends(study))
    died = not pd.isna(who.death)
    return response_endpoints(
        scans,
        rules=BestRules.of(study.response),
        limits=limits_of(who, study),
        early_death=died,
        closed=died or stopped or who.left,
    )


def limits_of(who: Participant, study: Study) -> Limits:
    """Return the days between which assessments count.

    Parameters
    ----------
    who : Participant
        Dates.
    study : Study
        ``response.bor_stop_at_nact``.

    Returns
    -------
    Limits
        From the reference date to the cut-off and to the death, before a new anticancer therapy or a switch of the NK source.

    Raises
    ------
    None
    """
    ends = [day for day in (who.day(who.cut), who.day(who.death)) if day is not None]
    stops = [day for date in who.ends(study).values() if (day := who.day(date)) is not None]
    return Limits(first=0, last=min(ends, default=None), before=min(stops, default=None))


def _part_rows(base: Mapping[str, Any], course: Course, study: Study) -> Iterator[dict[str, Any]]:
    """Yield target response, non-target response and new lesions of each time point."""
    if course.chain is not None and course.other_name == "ROVR":
        for point in course.chain.timepoints:
            yield from _lesion_part_rows(base, point, study)
        return
    for reported in course.reported:
        for test in ("TRGRESP", "NTRGRESP", "NEWLPROG"):
            if test in reported.values:
                place = {
                    "ADT": reported.date,
                    "AVISITN": reported.visitnum,
                    "AVISIT": reported.visit,
                    "SRCDOM": "RS",
                    "SRCSEQ": reported.sequences[test],
                }
                value = reported.values[test]
                value = {"UNEQUIVOCAL": "Y", "EQUIVOCAL": "N"}.get(value, value)
                yield {
                    **base,
                    **place,
                    "PARAMCD": test,
                    "AVALC": value,
                    "RSNCD": "P-RS",
                    "RSNTXT": reason_text(["P-RS"]),
                }


def _lesion_part_rows(base: Mapping[str, Any], point: Timepoint, study: Study) -> Iterator[dict[str, Any]]:
    place = {
        **base,
        "ADT": point.date,
        "AVISITN": point.scan.visitnum,
        "AVISIT": point.scan.visit,
        "SRCDOM": "TR",
    }
    target = point.target
    text = target_text(target, point.roster.total, study)
    yield {
        **place,
        "PARAMCD": "TRGRESP",
        "AVALC": target.response,
        "RSNCD": target.code,
        "RSNTXT": text,
        "SRCSEQ": point.scan.sources(point.contributions),
    }
    for name, judged, lesions in (
        ("NTRGRESP", point.nontarget, point.scan.nontargets),
        ("NEWLPROG", point.new, point.scan.new),
    ):
        yield {
            **place,
            "PARAMCD": name,
            "AVALC": judged.value,
            "RSNCD": judged.code,
            "RSNTXT": reason_text(judged.codes),
            "SRCSEQ": point.scan.sources(lesions),
        }


def target_text(target: TargetVisit, baseline: float | None, study: Study) -> str | None:
    """Return the sentence of a target response.

    Parameters
    ----------
    target : TargetVisit
        Sum, nadir, response.
    baseline : float or None
        Baseline sum in mm.
    study : Study
        ``response.nodal_cr_mm``.

    Returns
    -------
    str or None
        With the numbers that were compared.

    Raises
    ------
    None
    """
    return reason_text(
        [target.code],
        total=millimetres(target.total),
        nadir=millimetres(target.nadir),
        baseline=millimetres(baseline),
        missing=", ".join(target.missing),
        nodal_cr_mm=study.response.nodal_cr_mm,
    )


def _point_rows(
    base: Mapping[str, Any],
    name: str,
    points: Sequence[Point],
    *,
    chosen: set[int],
    limits: Limits,
    who: Participant,
) -> Iterator[dict[str, Any]]:
    for place, point in enumerate(points):
        day = who.day(point.date)
        codes = (*point.codes, *_left_out(who, day, limits))
        yield {
            **base,
            "PARAMCD": name,
            "ADT": point.date,
            "AVISITN": point.visitnum,
            "AVISIT": point.visit,
            "AVALC": point.value,
            "ANL01FL": "Y" if place in chosen else None,
            "RSNCD": ";".join(codes),
            "RSNTXT": reason_text(codes),
            "SRCDOM": point.domain,
            "SRCSEQ": point.sequence,
        }


def _left_out(who: Participant, day: int | None, limits: Limits) -> Iterator[str]:
    """Yield why a time point does not count for the best response: its day, not its value."""
    death = who.day(who.death)
    if day is not None and day < 0:
        yield "B-BEFORE"
    if day is not None and death is not None and day > death:
        yield "B-DEATH"
    if day is not None and limits.before is not None and day >= limits.before:
        yield "B-SWITCH" if who.day(who.switch) == limits.before else "B-NACT"


def best_row(
    base: Mapping[str, Any],
    name: str,
    best: Best,
    *,
    points: Sequence[Point],
    who: Participant,
    rules: BestRules,
) -> dict[str, Any]:
    """Return the row of one endpoint.

    Parameters
    ----------
    base : mapping
        USUBJID, PARCAT2, PARCAT3.
    name : str
        PARAMCD.
    best : Best
        Value, day, reason.
    points : sequence of Point
        Where the source record is found.
    who : Participant
        Reference date.
    rules : BestRules
        Limits that the sentence names.

    Returns
    -------
    dict
        A row of ADRS.

    Raises
    ------
    None
    """
    source = points[best.key] if best.key >= 0 else None
    day = None if best.day is None else who.reference + pd.Timedelta(days=best.day)
    confirmed = points[best.confirmed_by].date if best.confirmed_by >= 0 else None
    text = reason_text(
        best.codes,
        date="" if day is None else f"{day:%Y-%m-%d}",
        confirmed="" if confirmed is None else f"{confirmed:%Y-%m-%d}",
        sd_min_day=rules.sd_min_day,
        confirm_min_days=rules.confirm_min_days,
    )
    return {
        **base,
        "PARAMCD": name,
        "ADT": day,
        "AVALC": best.value or None,
        "ANL01FL": "Y",
        "RSNCD": ";".join(best.codes) or None,
        "RSNTXT": text,
        "SRCDOM": source.domain if source else None,
        "SRCSEQ": source.sequence if source else None,
    }


def _immune_rows(
    who: Participant, course: Course, study: Study, *, limits: Limits
) -> Iterator[dict[str, Any]]:
    """Yield the iRECIST values and endpoints, if the evaluator has any time point."""
    if not course.immune:
        return
    rules = BestRules.of(study.response)
    scans = [
        Assessment(day, point.value, key=place)
        for place, point in enumerate(course.immune)
        if (day := who.day(point.date)) is not None
    ]
    answer: IrecistBest = irecist_best(scans, rules=rules, limits=limits)
    base = {"USUBJID": who.subject, "PARCAT2": course.evaluator, "PARCAT3": IRECIST}
    chosen = {scan.key for scan in answer.used}
    yield from _point_rows(base, "IOVR", course.immune, chosen=chosen, limits=limits, who=who)
    for name in ("ibor", "icbor", "irsp", "icrsp", "icb", "iccb", "icpd", "iupd"):
        yield best_row(base, name.upper(), getattr(answer, name), points=course.immune, who=who, rules=rules)


def response_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return ADRS from its rows.

    Parameters
    ----------
    rows : sequence of mapping
        In any order.

    Returns
    -------
    pandas.DataFrame
        Sorted by participant, evaluator, criteria, parameter, date, visit; AVAL is the rank in the best-first order, 1 / 0 for
        Y / N.

    Raises
    ------
    None
    """
    frame = text_missing(pd.DataFrame(list(rows), columns=COLUMNS, dtype=object))
    frame["AVAL"] = frame["AVALC"].map(_RANKS).astype("float64")
    frame["PARAM"] = frame["PARAMCD"].map(LABELS).astype(object)
    frame["AVISITN"] = frame["AVISITN"].astype("float64")
    frame["ADT"] = pd.to_datetime(frame["ADT"]).astype("datetime64[ns]")
    keys = ["USUBJID", "PARCAT2", "PARCAT3", "PARAMCD", "ADT", "AVISITN", "SRCSEQ"]
    return frame.sort_values(keys, kind="stable", na_position="first").reset_index(drop=True)
