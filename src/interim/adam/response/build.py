"""Build ADTR and ADRS from TU, TR and RS: both routes, every evaluator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from interim.adam.derived import Derived, Moment
from interim.adam.response.adrs import (
    Course,
    Participant,
    Point,
    course_rows,
    lesion_points,
    participants,
    reported_points,
    response_frame,
)
from interim.adam.response.adtr import tumour_frame
from interim.adam.response.chains import Chain, Context, adjudicated, assess_chain
from interim.adam.response.contradictions import (
    RULES,
    contradictions,
    early_reports,
    immune_contradictions,
)
from interim.adam.response.doubtful import roles_twice, values_twice
from interim.adam.response.immune_points import immune_points
from interim.adam.response.markers import marker_dates
from interim.adam.response.records import (
    ADJUDICATED,
    ScanDates,
    ScanDay,
    assemble,
    read_identified,
    read_lesion_records,
)
from interim.adam.response.regional import regional_rows
from interim.adam.response.reported import IRECIST, RECIST, Reported, accepted, read_responses
from interim.adam.response.scans import Listed, collect_scans, list_lesions
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.study import Study

Key = tuple[str, str]
_LESION_RULES = (
    ("TR-STATE", "warn"),
    ("TR-NEG", "warn"),
    ("TR-NODATE", "warn"),
    ("TR-TWICE", "warn"),
    ("TR-ROLE", "warn"),
    ("RS-EXCESS", "info"),
)
_EITHER_RULES = (("RS-BEFORE", "warn"),)


@dataclass(frozen=True)
class ResponseData:
    """Tumour measurements and responses.

    Attributes
    ----------
    adtr : pandas.DataFrame or None
        None without TR.
    adrs : pandas.DataFrame or None
        None without TR and RS.
    findings : tuple of Finding
        Sorted.
    rules : tuple of (str, str, str)
        Rule id, severity, "run" or "not run: reason".
    route : {"lesion", "reported", "none"}
        Route that feeds the endpoints.
    """

    adtr: pd.DataFrame | None
    adrs: pd.DataFrame | None
    findings: tuple[Finding, ...]
    rules: tuple[tuple[str, str, str], ...]
    route: str


@dataclass(frozen=True)
class _Routes:
    """Both routes, by participant and evaluator."""

    chains: Mapping[Key, Chain]
    reported: Mapping[Key, tuple[Reported, ...]]
    immune: Mapping[Key, tuple[Reported, ...]]


def derive_response(
    sdtm: Sdtm, adsl: pd.DataFrame, *, study: Study, scan_day: ScanDay = "last"
) -> ResponseData:
    """Return ADTR and ADRS.

    Parameters
    ----------
    sdtm : Sdtm
        TU, TR, RS, and LB if ``response.nontarget_markers`` names markers.
    adsl : pandas.DataFrame
        USUBJID, ENRLFL, TRTSDT, TRTSCT, RFICDT, NACTDT, DTHDT, DCUTDT; a column that is absent counts as missing.
    study : Study
        Tables ``response`` and ``irecist``.
    scan_day : {"last", "first"}
        End of its range on which a scan or report without a day is dated.

    Returns
    -------
    ResponseData
        The two datasets, findings, rules.

    Raises
    ------
    None

    Notes
    -----
    ``response.route`` = auto takes the lesions if TR holds any, else the reports; an evaluator without any lesion record
    keeps its reports.
    """
    tr, rs = sdtm.domain("TR"), sdtm.domain("RS")
    dates = ScanDates(_dates(adsl, "DCUTDT"), _dates(adsl, "TRTSDT"), scan_day)
    reported = read_responses(rs, criteria=RECIST, dates=dates)
    contexts = _contexts(dates, reported, sdtm.domain("LB"), study)
    chains, findings = _lesion_route(sdtm.domain("TU"), tr, contexts, study=study)
    routes = _Routes(
        {(chain.subject, chain.evaluator): chain for chain in chains},
        _with_accepted(reported),
        _with_accepted(read_responses(rs, criteria=IRECIST, dates=dates)),
    )
    found = (*findings, *_compare(routes, study), *early_reports(routes.reported, dates.first_dose))
    ordered = tuple(sorted(found, key=lambda finding: finding.order))
    route = _route(routes, study)
    return ResponseData(
        tumour_frame(chains, rules=study.response) if len(tr) else None,
        _responses(routes, adsl, study, route) if route != "none" else None,
        ordered,
        _rules_run(bool(len(tr)), bool(len(rs))),
        route,
    )


def derive_adtr(tu: pd.DataFrame, tr: pd.DataFrame, *, adsl: pd.DataFrame, study: Study) -> Derived:
    """Return ADTR alone.

    Parameters
    ----------
    tu, tr : pandas.DataFrame
        Domains TU and TR.
    adsl : pandas.DataFrame
        As in `derive_response`.
    study : Study
        Table ``response``.

    Returns
    -------
    Derived
        ADTR and the findings about lesions.

    Raises
    ------
    None
    """
    dates = ScanDates(_dates(adsl, "DCUTDT"), _dates(adsl, "TRTSDT"))
    chains, findings = _lesion_route(tu, tr, _contexts(dates, {}, None, study), study=study)
    ordered = tuple(sorted(findings, key=lambda finding: finding.order))
    return Derived(tumour_frame(chains, rules=study.response), ordered)


def derive_adrs(
    tu: pd.DataFrame, tr: pd.DataFrame, rs: pd.DataFrame, *, adsl: pd.DataFrame, study: Study
) -> Derived:
    """Return ADRS alone.

    Parameters
    ----------
    tu, tr, rs : pandas.DataFrame
        Domains TU, TR and RS.
    adsl : pandas.DataFrame
        As in `derive_response`.
    study : Study
        Tables ``response`` and ``irecist``.

    Returns
    -------
    Derived
        ADRS and all findings; an empty frame without TR and RS.

    Raises
    ------
    None
    """
    data = derive_response(Sdtm({"TU": tu, "TR": tr, "RS": rs}, cut=study.cut), adsl, study=study)
    frame = response_frame([]) if data.adrs is None else data.adrs
    return Derived(frame, data.findings, data.rules)


def _rules_run(lesions: bool, reports: bool) -> tuple[tuple[str, str, str], ...]:
    answer = [(rule, severity, "run" if lesions else "not run: no TR") for rule, severity in _LESION_RULES]
    both = "run" if lesions and reports else f"not run: no {'RS' if lesions else 'TR'}"
    either = "run" if lesions or reports else "not run: no TR and no RS"
    answer += [(rule, severity, either) for rule, severity in _EITHER_RULES]
    return (*answer, *((rule, severity, both) for rule, severity in RULES))


def _with_accepted(points: dict[Key, tuple[Reported, ...]]) -> dict[Key, tuple[Reported, ...]]:
    return {**points, **accepted(points, ADJUDICATED)}


def _route(routes: _Routes, study: Study) -> str:
    if study.response.route == "auto":
        return "lesion" if routes.chains else ("reported" if routes.reported or routes.immune else "none")
    present = routes.chains if study.response.route == "lesion" else routes.reported
    return study.response.route if present else "none"


def _lesion_route(
    tu: pd.DataFrame, tr: pd.DataFrame, contexts: _Contexts, *, study: Study
) -> tuple[tuple[Chain, ...], tuple[Finding, ...]]:
    """Return the chains of every participant and evaluator, the adjudicated ones last."""
    if tr.empty:
        return (), ()
    measured, findings = read_lesion_records(tr)
    identified = read_identified(tu) if len(tu) else read_identified(tr.iloc[:0])
    rows = _with_new_lesions(measured, identified)
    undated = rows[rows["DATE"].isna()]
    rows = assemble(rows, window_days=study.response.visit_window_days, dates=contexts.dates)
    listed = list_lesions(identified)
    collected = collect_scans(rows, listed, nodal_cr_mm=study.response.nodal_cr_mm)
    chains = [
        assess_chain(
            key, scans, listed.get(key, Listed()), context=_context(contexts, key), rules=study.response
        )
        for key, scans in sorted(collected.items())
    ]
    found = [finding for chain in chains for finding in chain.findings]
    doubtful = (*_undated(undated), *values_twice(rows), *roles_twice(rows, identified))
    return (*chains, *adjudicated(chains, ADJUDICATED)), (*findings, *doubtful, *found)


def _with_new_lesions(measured: pd.DataFrame, identified: pd.DataFrame) -> pd.DataFrame:
    """Return the measurements with one more row for every new lesion of TU."""
    new = identified[identified["ROLE"] == "NEW"]
    extra = new.assign(TEST="TUMIDENT", MM=float("nan"), STATE=None, SEQ=None)
    return pd.concat([measured, extra[list(measured.columns)]]) if len(extra) else measured


def _undated(rows: pd.DataFrame) -> Iterator[Finding]:
    for (subject, reader, visit), part in rows.groupby(
        ["USUBJID", "EVAL", "VISITNUM"], dropna=False, sort=True
    ):
        yield Finding(
            "TR-NODATE",
            "warn",
            "TR",
            f"{reader}: {len(part)} record(s) without a usable date; the time point is not used (P-NODATE); enter the date",
            subject=str(subject),
            key=(str(reader), "" if visit != visit else f"{visit:g}"),
            variable="TRDTC",
        )


@dataclass(frozen=True)
class _Contexts:
    dates: ScanDates
    nontarget: Mapping[Key, Mapping[float | None, str]]
    markers: Mapping[str, tuple[tuple[pd.Timestamp, bool], ...]] | None


def _contexts(
    dates: ScanDates,
    reports: Mapping[Key, tuple[Reported, ...]],
    lb: pd.DataFrame | None,
    study: Study,
) -> _Contexts:
    nontarget = {
        key: {p.visitnum: p.values["NTRGRESP"] for p in points if "NTRGRESP" in p.values}
        for key, points in reports.items()
    }
    wanted = study.response.nontarget_markers
    markers = marker_dates(lb, wanted) if wanted and lb is not None else None
    return _Contexts(dates, nontarget, markers)


def _dates(adsl: pd.DataFrame, column: str) -> dict[str, Moment]:
    days = adsl[column] if column in adsl else pd.Series(pd.NaT, index=adsl.index)
    return dict(zip(adsl["USUBJID"], pd.to_datetime(days), strict=True))


def _context(contexts: _Contexts, key: Key) -> Context:
    return Context(
        contexts.dates.first_dose.get(key[0], pd.NaT),
        contexts.nontarget.get(key, {}),
        None if contexts.markers is None else contexts.markers.get(key[0], ()),
    )


def _compare(routes: _Routes, study: Study) -> Iterator[Finding]:
    for key, chain in routes.chains.items():
        if chain.evaluator != ADJUDICATED:
            yield from contradictions(chain, routes.reported.get(key, ()))
            yield from immune_contradictions(chain, routes.immune.get(key, ()), study=study)


def _responses(routes: _Routes, adsl: pd.DataFrame, study: Study, route: str) -> pd.DataFrame:
    known = {key[1] for group in (routes.chains, routes.reported, routes.immune) for key in group}
    evaluators = sorted(known | {study.response.evaluator})
    with_lesions = {key[1] for key in routes.chains}
    rows = []
    for who in participants(adsl, study):
        for evaluator in evaluators:
            from_lesions = route == "lesion" and evaluator in with_lesions
            course = _course(routes, who, evaluator, study, from_lesions=from_lesions)
            rows += list(course_rows(who, course, study))
            rows += list(regional_rows(who, course.chain, study))
    return response_frame(rows)


def _course(routes: _Routes, who: Participant, evaluator: str, study: Study, *, from_lesions: bool) -> Course:
    key = (who.subject, evaluator)
    chain = routes.chains.get(key)
    reported = _after_baseline(routes.reported.get(key, ()), chain)
    derived = lesion_points(chain) if chain else ()
    told = reported_points(reported)
    return Course(
        evaluator,
        points=derived if from_lesions else told,
        other=told if from_lesions else derived,
        other_name="ROVR" if from_lesions else "LOVR",
        immune=_immune(routes, key, who, study, from_lesions=from_lesions),
        chain=chain,
        reported=reported,
    )


def _after_baseline(reported: Sequence[Reported], chain: Chain | None) -> tuple[Reported, ...]:
    """Return the reports without one of the baseline scan."""
    if chain is None or chain.baseline is None:
        return tuple(reported)
    scan = chain.baseline
    return tuple(
        p for p in reported if p.date > scan.last and (p.visitnum is None or p.visitnum != scan.visitnum)
    )


def _immune(
    routes: _Routes, key: Key, who: Participant, study: Study, *, from_lesions: bool
) -> tuple[Point, ...]:
    """Return the iRECIST values of the route that feeds the endpoints; reported RECIST 1.1 values precede reported i-values."""
    chain = routes.chains.get(key)
    if from_lesions:
        if chain is None:
            return ()
        return immune_points(
            chain, rules=study.irecist, per_organ=study.response.max_per_organ, day_of=who.day
        )
    told = _after_baseline(routes.immune.get(key, ()), chain)
    points = reported_points(told)
    if not points:
        return ()
    before = [
        p
        for p in reported_points(_after_baseline(routes.reported.get(key, ()), chain))
        if p.date < points[0].date
    ]
    return tuple(replace(point, codes=("P-RS",)) for point in (*before, *points))
