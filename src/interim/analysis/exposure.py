"""Exposure to CAR-T cells: against dose, toxicity and response. Descriptive; no cut-point is searched for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from interim.adam.adex import received_dose
from interim.adam.model import Adam
from interim.analysis.measures import Place, add_summary, by_subject, has_rows, kinetic_population, layout
from interim.analysis.population import Population, add_not_available, open_rows, population
from interim.analysis.response import best_change
from interim.result import TOTAL, Result, Rows
from interim.stats.nca_response import ExposureResponse, exposure_response
from interim.stats.nca_summary import power_model
from interim.stats.ranks import kendall, kruskal_wallis, spearman, spearman_interval
from interim.study import Study

_DLT = "dose-limiting toxicity"
_NO_SAMPLES = "not available: no samples of cellular kinetics"


def by_dose(adam: Adam, study: Study) -> Result:
    """Describe exposure by dose, with the power model of dose proportionality.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX and ADPP.
    study : Study
        ``kinetics.dose_basis``, ``power_ci``, ``smith_limits``.

    Returns
    -------
    Result
        ``exposure.by_dose``; variable = assay and parameter; stats of `add_summary` by column; for the total stats slope,
        lower, upper, critical_low, critical_high, ratio, zero (exposures that left the model) and verdict (text).

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = kinetic_population(adam, study, "t")
    rows = open_rows("exposure.by_dose", "Exposure versus dose", who)
    if not has_rows(adam, "ADPP", "ADEX", role="t"):
        add_not_available(rows, who.groups, variable="exposure", reason=_NO_SAMPLES)
        return rows.build()
    dose = _doses(adam, study)
    for variable, unit, values in _exposures(adam, study):
        kept = {subject: value for subject, value in values.items() if subject in who.everyone}
        add_summary(rows, who, kept, place=Place(variable, "", unit), study=study)
        both = sorted(subject for subject in kept if dose.get(subject, math.nan) > 0)
        model = power_model(
            [dose[s] for s in both],
            [kept[s] for s in both],
            level=study.kinetics.power_ci,
            limits=study.kinetics.smith_limits,
        )
        where: dict[str, Any] = {
            "group": TOTAL,
            "variable": variable,
            "n": model.n,
            "method": f"power model, {study.kinetics.dose_basis}",
        }
        numbers = {
            "slope": model.slope,
            "lower": model.lower,
            "upper": model.upper,
            "critical_low": model.critical_low,
            "critical_high": model.critical_high,
            "ratio": model.ratio,
        }
        for stat, value in numbers.items():
            gone = math.isnan(value)
            more = {"status": "NA", "reason": "NOT_APPLICABLE"} if gone else {}
            rows.add(stat, None if gone else value, subjects=both, **where, **more)
        rows.add("zero", model.n_zero, **where)
        rows.add("verdict", None, text=model.verdict, **where)
    return rows.build()


def _exposures(adam: Adam, study: Study) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Yield each exposure over all cycles: variable, unit, value of each participant that can be evaluated."""
    frame = adam["ADPP"].loc[lambda f: (f["ROLE"] == "t") & (f["CLOCK"] == "PRODUCT")]
    for assay, part in frame.groupby("ASSAY", sort=True):
        for name in layout()["exposures"]["parameters"]:
            found = part[part["PARAMCD"] == name]
            if study.kinetics.auc_summary_evaluable_only:
                found = found[found["EVALFL"] == "Y"]
            if len(found):
                yield f"{assay} {name}", str(found["AVALU"].iloc[0] or ""), by_subject(found)


def _doses(adam: Adam, study: Study) -> dict[str, float]:
    basis = study.kinetics.dose_basis
    if basis == "actual_per_kg":
        return {str(k): float(v) for k, v in received_dose(adam["ADEX"], study).items()}
    if basis == "actual_total":
        cells = adam["ADEX"].loc[lambda f: f["ROLE"] == "t"]
        first = cells[cells["ACYCLE"] == cells.groupby("USUBJID")["ACYCLE"].transform("min")]
        return {str(k): float(v) for k, v in first.groupby("USUBJID")["ADOSE"].sum().items()}
    levels = {f"DL{place}": float(level) for place, level in enumerate(study.dose.levels, 1)}
    adsl = adam["ADSL"]
    return {str(s): levels[c] for s, c in zip(adsl["USUBJID"], adsl["COHORT"], strict=True) if c in levels}


def response(adam: Adam, study: Study) -> Result:
    """Describe exposure against cytokine release syndrome, dose-limiting toxicity, response and tumour burden.

    Parameters
    ----------
    adam : Adam
        ADSL, ADPP, ADAE, ADRS, ADTR, ADDLT.
    study : Study
        Evaluator, level, ``kinetics``.

    Returns
    -------
    Result
        ``exposure.response``; variable ``<assay> <exposure> ~ <outcome>``; stats known (participants with both; with the
        exposure, of an ordered outcome), events, others, median_event, median_other,
        geo_ratio, hl_ratio with hl_lower and hl_upper, auroc with lower and upper, slope and firth_slope (per doubling), and,
        of scope internal, p_wilcoxon; against an ordered outcome: spearman with lower and upper, kendall, and p_kruskal of
        scope internal; variable ``points ...`` has exposure, outcome, dlt and after (1: the maximum lies after a medicine that
        lowers it) of each participant. Tests are computed and not displayed.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = kinetic_population(adam, study, "t")
    rows = open_rows("exposure.response", "Exposure-response and exposure-toxicity", who)
    if not has_rows(adam, "ADPP", "ADPC"):
        add_not_available(rows, who.groups, variable="exposure", reason=_NO_SAMPLES)
        return rows.build()
    grades = _crs_grades(adam, who)
    floors = adam["ADPC"].groupby("PARAMCD")["ALLOQ"].min() / 2.0
    outcomes = _outcomes(adam, study, grades, who)
    orders = {"CRS grade": grades, "best change": _best_changes(adam, study), "tumour burden": _burden(adam)}
    marks = _marks(adam, outcomes)
    for variable, unit, values in _exposures(adam, study):
        kept = pd.Series({s: v for s, v in sorted(values.items()) if s in who.everyone}, dtype=float)
        floor = float(floors.get(variable.split()[0], math.nan))
        for name, events in outcomes.items():
            known = kept[kept.index.isin(list(events))]
            _add_groups(
                rows,
                f"{variable} ~ {name}",
                known,
                [events[s] for s in known.index],
                floor=floor,
                study=study,
            )
        for name, order in orders.items():
            _add_order(rows, f"{variable} ~ {name}", kept, order, study=study)
        for name, stat in _DRAWN.items():
            _add_points(
                rows, f"points {variable} ~ {name}", kept, orders[name], unit=unit, stat=stat, marks=marks
            )
    return rows.build()


_DRAWN = {"CRS grade": "grade", "best change": "change"}


def _best_changes(adam: Adam, study: Study) -> dict[str, float]:
    """Return the best percentage change of the target lesions of each participant who has one."""
    if not adam.has("ADTR", "ADRS"):
        return {}
    frame = best_change(adam, study).frame
    found = frame[
        (frame["variable"] == "best_change") & (frame["stat"] == "pchg") & (frame["status"] == "OK")
    ]
    return {str(s): float(v) for s, v in zip(found["level"], found["value"], strict=True)}


def _burden(adam: Adam) -> dict[str, float]:
    return by_subject(adam["ADSL"], "BSLD") if "BSLD" in adam["ADSL"] else {}


def _marks(adam: Adam, outcomes: Mapping[str, Mapping[str, bool]]) -> dict[str, frozenset[str]]:
    """Return who had a dose-limiting toxicity, and whose maximum lies after a medicine that lowers it."""
    frame = adam["ADPP"]
    peak = frame[(frame["CLOCK"] == "PRODUCT") & (frame["ROLE"] == "t") & (frame["PARAMCD"] == "CMAX")]
    after = peak.loc[peak["FLAGS"].fillna("").str.contains("CMAX_AFTER"), "USUBJID"]
    limiting = {subject for subject, event in outcomes.get(_DLT, {}).items() if event}
    return {"dlt": frozenset(limiting), "after": frozenset(after)}


def _crs_grades(adam: Adam, who: Population) -> dict[str, float]:
    """Return the highest grade of cytokine release syndrome of each participant; 0 without one."""
    grades = dict.fromkeys(sorted(who.everyone), 0.0)
    if not adam.has("ADAE") or not {"CRSGR", "CRSFL"} <= set(adam["ADAE"]):
        return {}
    released = adam["ADAE"].loc[lambda f: f["CRSFL"] == "Y"]
    found = released["CRSGR"].groupby(released["USUBJID"]).max()
    return {**grades, **{str(s): float(g) for s, g in found.items() if s in grades and g == g}}


def _outcomes(
    adam: Adam, study: Study, grades: Mapping[str, float], who: Population
) -> dict[str, dict[str, bool]]:
    table = layout()["exposures"]
    answer = {
        f"CRS grade {table['event_grade']} or higher": {
            s: g >= table["event_grade"] for s, g in grades.items()
        }
    }
    if adam.has("ADRS"):
        frame = adam["ADRS"].loc[
            lambda f: (f["PARAMCD"] == "BOR") & (f["PARCAT2"] == study.response.evaluator)
        ]
        best = dict(zip(frame["USUBJID"], frame["AVALC"], strict=True))
        answer["response"] = {s: best[s] in table["responses"] for s in sorted(who.everyone) if best.get(s)}
    if adam.has("ADDLT"):
        judged = adam["ADDLT"].loc[lambda f: f["DLTSTAT"] == "EVALUABLE"]
        known = zip(judged["USUBJID"], judged["DLTFL"], strict=True)
        answer[_DLT] = {str(s): flag == "Y" for s, flag in known if s in who.everyone}
    return {name: events for name, events in answer.items() if events}


def _add_groups(
    rows: Rows, variable: str, values: pd.Series, events: list[bool], *, floor: float, study: Study
) -> None:
    found = exposure_response(
        values.to_numpy(),
        [int(event) for event in events],
        floor=floor,
        level=study.stats.level,
        interval=study.kinetics.auroc_ci,
        draws=study.kinetics.bootstrap_n,
        seed=study.study.seed or 0,
    )
    where: dict[str, Any] = {"group": TOTAL, "variable": variable, "n": found.n_event, "N": len(values)}
    subjects = [str(s) for s in values.index]
    size: dict[str, Any] = {"group": TOTAL, "variable": variable, "n": len(values)}
    rows.add("known", len(values), subjects=subjects, **size)
    rows.add("events", found.n_event, subjects=subjects, **where)
    rows.add("others", found.n_other, **where)
    for stat, value, reason in _numbers(found):
        _add_or_not(rows, stat, value, reason, where)
    if found.test is not None and math.isfinite(found.test.p_value):
        rows.add("p_wilcoxon", found.test.p_value, scope="internal", **where)


def _numbers(found: ExposureResponse) -> Iterator[tuple[str, float, str]]:
    yield "median_event", found.median_event, found.reason
    yield "median_other", found.median_other, found.reason
    yield "geo_ratio", found.geo_ratio, found.reason
    shift = found.shift
    limits = shift.interval if shift else found.interval
    for stat, log in (
        ("hl_ratio", shift.estimate if shift else math.nan),
        ("hl_lower", limits.lower if shift else math.nan),
        ("hl_upper", limits.upper if shift else math.nan),
    ):
        yield stat, 2.0**log if math.isfinite(log) else math.nan, found.reason or limits.reason or "TOO_FEW"
    yield "auroc", found.auroc, found.reason
    yield "lower", found.interval.lower, found.interval.reason
    yield "upper", found.interval.upper, found.interval.reason
    yield "slope", found.likelihood.slope, found.likelihood.reason
    yield "firth_slope", found.firth.slope, found.firth.reason


def _add_order(
    rows: Rows, variable: str, values: pd.Series, order: Mapping[str, float], *, study: Study
) -> None:
    """Add the correlations of an exposure with an ordered outcome."""
    known = [str(s) for s in values.index if s in order]
    more: dict[str, Any] = {"group": TOTAL, "variable": variable, "n": len(known), "N": len(values)}
    size: dict[str, Any] = {"group": TOTAL, "variable": variable, "n": len(values)}
    rows.add("known", len(values), subjects=[str(s) for s in values.index], **size)
    outcome = [order[s] for s in known]
    x = values[known].to_numpy()
    rho = spearman(x, outcome) if len(known) > 1 else None
    if rho is None or rho.status != "OK":
        rows.add("spearman", None, status="NA", reason=rho.reason if rho else "NO_DATA", **more)
        return
    rows.add("spearman", rho.estimate, subjects=known, **more)
    limits = spearman_interval(rho.estimate, len(known), level=study.stats.level)
    for stat, value in (("lower", limits.lower), ("upper", limits.upper)):
        _add_or_not(rows, stat, value, limits.reason, more)
    rows.add("kendall", kendall(x, outcome).estimate, **more)
    if len(set(outcome)) > 1 and variable.endswith("CRS grade"):
        p = kruskal_wallis(x, [int(value) for value in outcome]).p_value
        rows.add("p_kruskal", p, scope="internal", **more)


def _add_points(
    rows: Rows,
    variable: str,
    values: pd.Series,
    order: Mapping[str, float],
    *,
    unit: str,
    stat: str,
    marks: Mapping[str, frozenset[str]],
) -> None:
    """Add exposure, outcome and marks of each participant."""
    for subject in (str(s) for s in values.index if s in order):
        where: dict[str, Any] = {"group": TOTAL, "variable": variable, "level": subject}
        rows.add("exposure", float(values[subject]), unit=unit, subjects=[subject], **where)
        rows.add(stat, order[subject], **where)
        for name, members in marks.items():
            rows.add(name, int(subject in members), **where)


def _add_or_not(rows: Rows, stat: str, value: float, reason: str, more: Mapping[str, Any]) -> None:
    gone = not math.isfinite(value)
    why = {"status": "NA", "reason": reason or "NOT_APPLICABLE"} if gone else {}
    rows.add(stat, None if gone else value, **more, **why)


def cytokines(adam: Adam, study: Study) -> Result:
    """Describe the cytokine peaks after the first CAR-T infusion with and without cytokine release syndrome.

    Parameters
    ----------
    adam : Adam
        ADSL, ADCYPP, ADAE.
    study : Study
        Level, ``kinetics``.

    Returns
    -------
    Result
        ``exposure.cytokines``; variable ``<analyte> PEAK ~ <outcome>`` and ``<analyte> FOLD ~ <outcome>``; stats as in `response`.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = population(adam, study, "CART-SAF")
    rows = open_rows("exposure.cytokines", "Cytokine peaks and cytokine release syndrome", who)
    grades = _crs_grades(adam, who)
    if not has_rows(adam, "ADCYPP") or not grades:
        reason = "not available: no cytokine results, or no graded events"
        add_not_available(rows, who.groups, variable="exposure", reason=reason)
        return rows.build()
    least = layout()["exposures"]["event_grade"]
    frame = adam["ADCYPP"].loc[lambda f: (f["BASETYPE"] == "CART") & f["STAT"].isin(["PEAK", "FOLD"])]
    for (code, stat), part in frame.groupby(["PARAMCD", "STAT"], sort=True):
        values = pd.Series({s: v for s, v in sorted(by_subject(part).items()) if s in grades}, dtype=float)
        name = f"{code} {stat} ~ CRS grade {least} or higher"
        events = [grades[s] >= least for s in values.index]
        _add_groups(rows, name, values, events, floor=math.nan, study=study)
    return rows.build()
