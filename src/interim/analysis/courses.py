"""What the safety figures draw: flow, calendar, planned and actual dose, related terms, cytokine release over time, results over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.ctcae import criteria_book
from interim.adam.dlt import no_second_cycle
from interim.adam.model import Adam
from interim.adam.toxicity.records import drug_spans
from interim.analysis.escalation_state import recorded_decisions
from interim.analysis.flow_steps import add_decision_nodes, flow_steps, reasons_of
from interim.analysis.layout import printed_rows
from interim.analysis.listing import dose_of, study_days
from interim.analysis.population import (
    Population,
    add_counts,
    add_not_available,
    distinct,
    open_rows,
    population,
)
from interim.analysis.safety import emergent
from interim.data.dates import DAYS_PER_MONTH
from interim.data.model import Sdtm
from interim.errors import DerivationError
from interim.result import TOTAL, Result, Rows
from interim.stats.competing import cumulative_incidence
from interim.study import Study

# What can come first after CAR-T cells -> its code; of one day the first of the list.
_CAUSES = {"crs": 1, "death": 2, "no_cycle2": 3, "censored": 0}


def flow(adam: Adam, study: Study, sdtm: Sdtm | None = None) -> Result:
    """Follow the participants of each cohort from the assessment to the sets, with those lost between two steps.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX.
    study : Study
        Columns.
    sdtm : Sdtm, optional
        DS: why there was no second cycle; DECISIONS at the cut-off.

    Returns
    -------
    Result
        ``courses.flow``; variable = step: n; variable ``left <step>``: those of the step before who are not in the step, with one
        level per reason. The assessed are known in total only. DLT- and response-evaluable participants are counted of those
        with an NK infusion. Variable decision: see `interim.analysis.flow_steps.add_decision_nodes`.

    Raises
    ------
    DerivationError
        If the numbers of two steps and of those lost between them do not add up.
    """
    who = population(adam, study, "ENR")
    rows = open_rows("courses.flow", "Participant flow by dose level", who)
    adsl = adam["ADSL"]
    assessed = frozenset(adsl["USUBJID"])
    rows.add("n", len(assessed), variable="assessed", n=len(assessed), subjects=sorted(assessed))
    for step in flow_steps(adam, study, who):
        if not step.members <= step.before:
            raise DerivationError(
                f"flow: {', '.join(sorted(step.members - step.before))} reached {step.name} without the step before it"
            )
        add_counts(rows, who, variable=step.name, subjects=step.members)
        first = step.name == "enrolled"
        lost = (assessed if first else step.before) - step.members
        reasons = {"": lost, **reasons_of(step.name, lost, adam=adam, sdtm=sdtm)}
        for reason, ids in reasons.items():
            for group in (TOTAL,) if first else who.groups:
                gone = sorted(ids if first else ids & who.members[group])
                rows.add(
                    "n",
                    len(gone),
                    group=group,
                    variable=f"left {step.name}",
                    level=reason,
                    n=len(gone),
                    subjects=gone,
                )
    if sdtm is not None:
        dates = _calendar_dates(adam, adsl.loc[lambda f: f["USUBJID"].isin(who.everyone)])
        add_decision_nodes(rows, recorded_decisions(sdtm, study), dates["start"].min())
    return rows.build()


def calendar(adam: Adam, study: Study, sdtm: Sdtm | None = None) -> Result:
    """Place screening, infusions and follow-up of each participant on the calendar of the study.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX, ADDLT.
    study : Study
        Columns, dose levels.
    sdtm : Sdtm, optional
        DECISIONS at the cut-off.

    Returns
    -------
    Result
        ``courses.calendar``; group = column, variable participant, level = place in the order of enrolment: stats start, nk,
        cart_c1, cart_c2, window_end, end (months from the first consent), died (1 or 0); variable decision, level = place:
        stat month, text = dose level of the recorded decision.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "ENR")
    rows = open_rows("courses.calendar", "Enrolment, infusion and cohort-decision timeline", who)
    adsl = adam["ADSL"].loc[lambda f: f["USUBJID"].isin(who.everyone)]
    dates = _calendar_dates(adam, adsl)
    zero = dates["start"].min()
    groups = dose_of(who)
    ordered = dates.sort_values(["start", "USUBJID"], kind="stable")
    for place, item in enumerate(ordered.to_dict("records"), 1):
        subject = str(item["USUBJID"])
        where: dict[str, Any] = {"group": groups[subject], "variable": "participant", "level": str(place)}
        rows.add("participant", None, text=subject, subjects=[subject], **where)
        for stat in ("start", "nk", "cart_c1", "cart_c2", "window_end", "end"):
            if pd.notna(item[stat]):
                rows.add(
                    stat,
                    (item[stat] - zero).days / DAYS_PER_MONTH,
                    unit="months",
                    subjects=[subject],
                    **where,
                )
        rows.add("died", float(item["died"]), subjects=[subject], **where)
    if sdtm is not None:
        _add_decisions(rows, recorded_decisions(sdtm, study), zero)
    return rows.build()


def _add_decisions(rows: Rows, decisions: pd.DataFrame, zero: pd.Timestamp) -> None:
    known = decisions.dropna(subset=["date", "level"])
    for place, (date, level) in enumerate(zip(known["date"], known["level"], strict=True), 1):
        where: dict[str, Any] = {"group": TOTAL, "variable": "decision", "level": str(place)}
        rows.add("month", (date - zero).days / DAYS_PER_MONTH, text=f"DL{int(level)}", unit="months", **where)


def _calendar_dates(adam: Adam, adsl: pd.DataFrame) -> pd.DataFrame:
    adex = adam["ADEX"] if adam.has("ADEX") else pd.DataFrame(columns=["USUBJID", "APHASE", "ASTDT"])
    first = adex.groupby(["APHASE", "USUBJID"])["ASTDT"].min()

    def of(phase: str) -> pd.Series:
        mine = first[phase] if phase in first.index.get_level_values(0) else pd.Series(dtype="datetime64[ns]")
        return pd.to_datetime(adsl["USUBJID"].map(mine))

    names = [name for name in ("DTHDT", "EOSDT", "DCUTDT") if name in adsl]
    return pd.DataFrame(
        {
            "USUBJID": adsl["USUBJID"],
            "start": adsl["RFICDT"].fillna(adsl["TRTSDT"]) if "RFICDT" in adsl else adsl["TRTSDT"],
            "nk": of("NK"),
            "cart_c1": of("CART_C1"),
            "cart_c2": of("CART_C2"),
            "window_end": adsl.get("DLTWEDT", pd.NaT),
            "end": adsl[names].min(axis=1),
            "died": adsl["DTHFL"] == "Y",
        }
    ).dropna(subset=["start"])


def doses(adam: Adam, study: Study) -> Result:
    """Return the planned level and the actual cells per kg of every CAR-T infusion.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX.
    study : Study
        Levels.

    Returns
    -------
    Result
        ``courses.doses``; group = column, variable infusion, level = participant and number: planned and actual (cells/kg).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "CART-SAF" if study.with_role("t") else "NK-SAF")
    rows = open_rows("courses.doses", "Planned versus actual dose, per participant and infusion", who)
    adex = adam["ADEX"] if adam.has("ADEX") else pd.DataFrame()
    if not {"DOSEKG", "PLANDOSE", "WEIGHT"} <= set(adex.columns) or not study.with_role("t"):
        add_not_available(
            rows, [TOTAL], variable="infusion", reason="not available: dose per kg of CAR-T infusions"
        )
        return rows.build()
    groups = dose_of(who)
    products = [product.id for product in study.with_role("t")]
    cells = adex[adex["PRODUCT"].isin(products) & adex["USUBJID"].isin(list(groups))]
    order = cells.sort_values(["USUBJID", "ASTDT"], kind="stable")
    numbers = order.groupby("USUBJID").cumcount() + 1
    for item, number in zip(order.to_dict("records"), numbers, strict=True):
        subject = str(item["USUBJID"])
        place: dict[str, Any] = {
            "group": groups[subject],
            "variable": "infusion",
            "level": f"{subject} {number}",
        }
        source = [(subject, str(item["SRCDOM"]), str(item["SRCSEQ"]))]
        for stat, value in (("planned", item["PLANDOSE"] / item["WEIGHT"]), ("actual", item["DOSEKG"])):
            if value == value:
                rows.add(stat, float(value), unit="cells/kg", sources=source, **place)
    return rows.build()


def related_terms(adam: Adam, study: Study) -> Result:
    """Count related emergent events by term, of terms in at least two participants.

    Parameters
    ----------
    adam : Adam
        ADSL, ADAE.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``courses.related_terms``; variable term, level = term; stats n and grade3 with N, by column and in total.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    title = "Related TEAEs: dot plot by dose, any grade and grade 3 or higher"
    rows = open_rows("courses.related_terms", title, who)
    events = emergent(adam, who)
    if events is None or "RELCELL" not in events or "AETOXGRN" not in events:
        add_not_available(
            rows, [TOTAL], variable="term", reason="not available: relation and grade of events"
        )
        return rows.build()
    mine = events[events["RELCELL"] == "Y"].assign(TERM=lambda f: f["AEDECOD"].fillna(f["AETERM"]))
    counts = mine.groupby("TERM")["USUBJID"].nunique()
    names = distinct(counts.index)
    for term in sorted(
        counts.index[counts >= printed_rows()["dots"]["least"]], key=lambda t: (-int(counts[t]), t)
    ):
        part = mine[mine["TERM"] == term]
        for stat, chosen in (
            ("n", part),
            ("grade3", part[part["AETOXGRN"] >= printed_rows()["grades"]["severe"]]),
        ):
            subjects = frozenset(chosen["USUBJID"])
            for group, ids in who.members.items():
                hit = sorted(subjects & ids)
                rows.add(
                    stat,
                    len(hit),
                    group=group,
                    variable="term",
                    level=names[term],
                    n=len(hit),
                    N=len(ids),
                    subjects=hit,
                )
    return rows.build()


def release_timeline(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Place the episodes of cytokine release and neurotoxicity, treatment and IL-6 on days from the first CAR-T infusion.

    Parameters
    ----------
    adam : Adam
        ADSL, ADTOX, ADEX, ADCY.
    study : Study
        Columns.
    sdtm : Sdtm
        CM.

    Returns
    -------
    Result
        ``courses.release_timeline``; group = column, level = participant and number; variable participant, episode (day,
        end, grade, name), infusion (day), drug (day, name), il6 (day, value).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "CART-SAF" if study.with_role("t") else "NK-SAF")
    rows = open_rows("courses.release_timeline", "CRS/ICANS timeline with interventions", who)
    if not study.with_role("t") or not adam.has("ADTOX"):
        add_not_available(
            rows, [TOTAL], variable="participant", reason="not available: episodes after CAR-T cells"
        )
        return rows.build()
    groups = dose_of(who)
    for number, subject in enumerate(sorted(groups), 1):
        rows.add(
            "number",
            float(number),
            group=groups[subject],
            variable="participant",
            level=subject,
            subjects=[subject],
        )
    before: dict[str, int] = {}
    for variable, frame in _timeline_parts(adam, sdtm):
        kept = frame[frame["USUBJID"].isin(list(groups)) & frame["day"].notna()]
        first = before.get(variable, 0) + 1
        before[variable] = first + len(kept) - 1
        for number, item in enumerate(
            kept.sort_values(["USUBJID", "day"], kind="stable").to_dict("records"), first
        ):
            subject = str(item["USUBJID"])
            where: dict[str, Any] = {
                "group": groups[subject],
                "variable": variable,
                "level": f"{subject} {number}",
            }
            for stat in ("day", "end", "grade", "value"):
                if stat in item and pd.notna(item[stat]):
                    rows.add(stat, float(item[stat]), subjects=[subject], **where)
            if "name" in item:
                rows.add("name", None, text=str(item["name"]), **where)
    return rows.build()


def _timeline_parts(adam: Adam, sdtm: Sdtm) -> Iterator[tuple[str, pd.DataFrame]]:
    adsl, adtox = adam["ADSL"], adam["ADTOX"]
    shown = adtox[adtox["PARAMCD"].isin(["CRS", "ICANS"])]
    days = {
        name: study_days(shown, date, adsl=adsl, start="TRTSCT")
        for name, date in (("day", "ASTDT"), ("end", "AENDT"))
    }
    worst = shown[["REPGRA", "REPGRC"]].max(axis=1)
    yield "episode", shown[["USUBJID"]].assign(**days, grade=worst, name=shown["PARAMCD"])
    if adam.has("ADEX"):
        cells = adam["ADEX"].loc[lambda f: f["APHASE"].fillna("").str.startswith("CART")]
        yield (
            "infusion",
            cells[["USUBJID"]].assign(day=study_days(cells, "ASTDT", adsl=adsl, start="TRTSCT")),
        )
    for name in ("tocilizumab", "steroid", "vasopressor"):
        given = drug_spans(sdtm, printed_rows()["medication"][name])
        if given is not None and len(given):
            days_of = study_days(
                given.assign(AT=given["FROM"].dt.normalize()), "AT", adsl=adsl, start="TRTSCT"
            )
            yield "drug", given[["USUBJID"]].assign(day=days_of, name=name)[days_of >= 0]
    if adam.has("ADCY"):
        il6 = (
            adam["ADCY"]
            .loc[lambda f: (f["PARAMCD"] == "IL6") & f["AVAL"].notna()]
            .drop_duplicates(["USUBJID", "ADT"])
        )
        days_of = study_days(il6, "ADT", adsl=adsl, start="TRTSCT")
        yield "il6", il6[["USUBJID"]].assign(day=days_of, value=il6["AVAL"].astype("float64"))[days_of >= 0]


def first_release(adam: Adam, study: Study) -> Result:
    """Return the cumulative incidence of the first cytokine release of the trigger grade or higher after CAR-T cells.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX, ADTOX.
    study : Study
        Level; ``titration_trigger.crs_min_grade``.

    Returns
    -------
    Result
        ``courses.first_release``; variable curve, level = place: stats day, incidence, lower, upper, at_risk; variable event,
        level = what came first: n, for crs, death, no_cycle2 (it became known that no second cycle follows) and censored;
        level crs_later: n with a release after the competing event. Death and the missing second cycle compete.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "CART-SAF" if study.with_role("t") else "NK-SAF")
    lowest = study.titration_trigger.crs_min_grade
    rows = open_rows("courses.first_release", f"Cumulative incidence of first grade >= {lowest} CRS", who)
    lacking = next((name for name in ("ADTOX", "ADEX") if not adam.has(name)), None)
    if not study.with_role("t") or lacking or not who.n():
        add_not_available(rows, [TOTAL], variable="curve", reason="not available: episodes after CAR-T cells")
        return rows.build()
    times = _first_times(adam, study, who)
    first = {level: times["cause"] == code for level, code in _CAUSES.items()}
    for level, chosen in (first | {"crs_later": times["later"]}).items():
        ids = sorted(times.index[chosen])
        rows.add("n", len(ids), variable="event", level=level, n=len(ids), N=who.n(), subjects=ids)
    curve = cumulative_incidence(times["day"].to_numpy(), times["cause"].to_numpy(), level=study.stats.level)
    for place, day in enumerate(curve.time):
        where: dict[str, Any] = {"variable": "curve", "level": str(place + 1), "method": "Aalen-Johansen"}
        numbers = {"day": day, "incidence": curve.cif[place, 0], "at_risk": curve.n_risk[place]}
        numbers |= {"lower": curve.lower[place, 0], "upper": curve.upper[place, 0]}
        for stat, value in numbers.items():
            if np.isnan(value):
                rows.add(stat, None, status="NE", reason="NO_EVENTS", **where)
            else:
                rows.add(stat, float(value), **where)
    return rows.build()


def _first_times(adam: Adam, study: Study, who: Population) -> pd.DataFrame:
    """Return day and cause of what came first for each member, and whether a release came after a competing event."""
    adsl = adam["ADSL"].loc[lambda f: f["USUBJID"].isin(who.everyone)].set_index("USUBJID")
    adtox = adam["ADTOX"].loc[lambda f: (f["PARAMCD"] == "CRS") & (f["REPFL"] == "Y")]
    severe = adtox[adtox[["REPGRC", "REPGRA"]].max(axis=1) >= study.titration_trigger.crs_min_grade]
    onset = severe.loc[severe["APHASE"].fillna("").str.startswith("CART")].groupby("USUBJID")["ASTDT"].min()
    end = adsl[[name for name in ("EOSDT", "DCUTDT") if name in adsl]].min(axis=1)
    left = adsl[[name for name in ("EOSDT", "DTHDT") if name in adsl]].min(axis=1)
    second = set(adam["ADEX"].loc[adam["ADEX"]["APHASE"] == "CART_C2", "USUBJID"])
    known = no_second_cycle(adsl["TRTECT"], left).mask(adsl.index.isin(second))
    when = {"crs": adsl.index.to_series().map(onset), "death": adsl["DTHDT"], "no_cycle2": known}
    dates = pd.DataFrame({name: pd.to_datetime(day) for name, day in when.items()})
    dates = dates.where(dates.le(adsl["DCUTDT"], axis=0)) if "DCUTDT" in adsl else dates
    date, cause = end.copy(), pd.Series(0, index=adsl.index)
    for name in reversed(dates.columns):
        earlier = dates[name].notna() & ~(dates[name] > date)
        date, cause = date.mask(earlier, dates[name]), cause.mask(earlier, _CAUSES[name])
    days = (date - adsl["TRTSCT"]).dt.days.clip(lower=0).astype("float64")
    later = dates["crs"].notna() & (cause != _CAUSES["crs"])
    return pd.DataFrame({"day": days, "cause": cause, "later": later}).dropna()


def trajectories(adam: Adam, study: Study) -> Result:
    """Return the results of the listed parameters by participant and day, with the limits of the CTCAE grades.

    Parameters
    ----------
    adam : Adam
        ADSL, ADLB, ADEX.
    study : Study
        ``labs.ctcae_version``.

    Returns
    -------
    Result
        ``courses.trajectories``; group = column, variable = parameter, level = participant and number: day, value (multiple of the
        upper limit, or the value); variable ``band <parameter>``, level = grade: value (limit of the grade), text low or high;
        variable ``infusion``, level = participant and number: day.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("courses.trajectories", "Laboratory trajectories", who)
    if not adam.has("ADLB"):
        add_not_available(rows, [TOTAL], variable="ALT", reason="not available: no LB")
        return rows.build()
    groups = dose_of(who)
    adlb = adam["ADLB"].loc[
        lambda f: (
            (f["BASETYPE"] == first_base_type(study)) & f["AVAL"].notna() & f["USUBJID"].isin(list(groups))
        )
    ]
    days = study_days(adlb, "ADT", adsl=adam["ADSL"])
    for code, basis in printed_rows()["trajectories"].items():
        part = adlb[(adlb["PARAMCD"] == code) & days.notna()]
        value = part["AVAL"] / part["ANRHI"].where(part["ANRHI"] > 0) if basis == "uln" else part["AVAL"]
        frame = pd.DataFrame({"USUBJID": part["USUBJID"], "day": days[part.index], "value": value}).dropna()
        ordered = frame.sort_values(["USUBJID", "day"], kind="stable")
        for number, item in enumerate(ordered.to_dict("records"), 1):
            subject = str(item["USUBJID"])
            where: dict[str, Any] = {
                "group": groups[subject],
                "variable": code,
                "level": f"{subject} {number}",
            }
            rows.add("day", float(item["day"]), subjects=[subject], **where)
            rows.add("value", float(item["value"]), **where)
        if len(ordered):
            _add_bands(rows, study, code=code, basis=basis)
    if adam.has("ADEX"):
        given = adam["ADEX"].loc[lambda f: f["USUBJID"].isin(list(groups))]
        marks = pd.DataFrame(
            {"USUBJID": given["USUBJID"], "day": study_days(given, "ASTDT", adsl=adam["ADSL"])}
        )
        placed = marks.dropna().sort_values(["USUBJID", "day"], kind="stable").to_dict("records")
        for number, item in enumerate(placed, 1):
            subject = str(item["USUBJID"])
            where = {"group": groups[subject], "variable": "infusion", "level": f"{subject} {number}"}
            rows.add("day", float(item["day"]), subjects=[subject], **where)
    return rows.build()


def _add_bands(rows: Rows, study: Study, *, code: str, basis: str) -> None:
    """Add the limits of the grades: absolute ones for values, multiples of the upper limit for multiples."""
    wanted = "ULN" if basis == "uln" else "absolute"
    direction = "high" if basis == "uln" else "low"
    for item in criteria_book(study).criteria:
        if item.analyte != code or item.direction != direction:
            continue
        limits = {
            rule.grade: rule.multiplier if basis == "uln" else rule.threshold
            for rule in item.rules
            if rule.grade and rule.reference == wanted and "baseline above ULN" not in rule.conditions
        }
        for grade, limit in sorted(limits.items()):
            rows.add("value", float(limit), variable=f"band {code}", level=str(grade), text=direction)
        return
