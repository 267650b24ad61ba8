"""Dose finding: dose-limiting toxicities by dose level."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.layout import printed_rows
from interim.analysis.population import (
    MISSING,
    Population,
    add_counts,
    add_not_available,
    add_rate,
    by_value,
    open_rows,
    population,
)
from interim.design.history import Cohort, History
from interim.errors import DerivationError
from interim.result import TOTAL, Result, Rows
from interim.stats import beta_posterior, binomial_interval
from interim.study import Study


def dlt_by_dose(adam: Adam, study: Study) -> Result:
    """Count dose-limiting toxicities by assigned dose level, with what so few participants can say.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Dose levels, limit, level of the interval.

    Returns
    -------
    Result
        ``escalation.dlt_by_dose``; columns by assigned level, of the DLT-evaluable set; variables treated (with CAR-T),
        not_evaluable (of the treated; one level per reason), evaluable (stat n); dlt (stats rate, lower, upper, upper_one_sided); posterior (stats mean, p_above; not for the
        total); trigger (stat n, of the treated); all NA for a study without a dose ladder.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed, or its flags and the dose-escalation history disagree.
    """
    who, given = _columns(adam, study)
    rows = open_rows("escalation.dlt_by_dose", "Dose-limiting toxicities by dose level", who)
    if study.cohort.variable is not None or not study.with_role("t"):
        reason = "not applicable: the study has no dose ladder of a T-cell product"
        add_not_available(rows, who.groups, variable="dlt", stat="rate", reason=reason)
        return rows.build()
    adsl = adam["ADSL"].loc[lambda frame: frame["USUBJID"].isin(who.everyone | given.everyone)]
    add_counts(rows, given, variable="treated", subjects=given.everyone)
    add_counts(rows, given, variable="not_evaluable", subjects=given.everyone - who.everyone)
    excluded = adsl[~adsl["USUBJID"].isin(who.everyone)].fillna({"DLTEVRS": MISSING})
    for reason, ids in by_value(excluded, "DLTEVRS").items():
        add_counts(rows, given, variable="not_evaluable", level=reason, subjects=ids)
    add_counts(rows, who, variable="evaluable", subjects=who.everyone)
    _add_rates(rows, who, adsl, study)
    _add_trigger(rows, given, adam)
    return rows.build()


def _columns(adam: Adam, study: Study) -> tuple[Population, Population]:
    """Return the DLT-evaluable and the participants with CAR-T cells, in the same columns."""
    who, given = (population(adam, study, code, column="COHORT") for code in ("DLT-EV", "CART-SAF"))
    groups = [*dict.fromkeys(g for g in (*given.groups, *who.groups) if g != TOTAL), TOTAL]
    filled = [{g: of.members.get(g, frozenset()) for g in groups} for of in (who, given)]
    return replace(who, members=filled[0]), replace(given, members=filled[1])


def _add_trigger(rows: Rows, who: Population, adam: Adam) -> None:
    """Count the participants with a titration trigger; an open query is taken as one until it is answered."""
    if not adam.has("ADDLT"):
        reason = (
            f"not derived: {adam.missing.get('ADDLT', 'the trigger is not part of the analysis datasets')}"
        )
        add_not_available(rows, who.groups, variable="trigger", reason=reason)
        return
    facts = adam["ADDLT"]
    triggered = frozenset(facts.loc[facts["TRIGFL"] != "N", "USUBJID"]) & who.everyone
    add_counts(rows, who, variable="trigger", subjects=triggered)


def _add_rates(rows: Rows, who: Population, treated: pd.DataFrame, study: Study) -> None:
    toxic = frozenset(treated.loc[treated["DLTFL"] == "Y", "USUBJID"]) & who.everyone
    cohorts = {f"DL{cohort.level}": cohort for cohort in _cohorts(treated, study)}
    for group, ids in who.members.items():
        hit = sorted(toxic & ids)
        counts = (len(hit), len(ids))
        if group in cohorts:
            _check(group, counts, cohorts[group])
        add_rate(rows, counts, study=study, where=(group, "dlt", ""), subjects=hit)
        _add_small_sample(rows, group, counts, study)


def _cohorts(treated: pd.DataFrame, study: Study) -> tuple[Cohort, ...]:
    """Return the cohorts of the dose-escalation history, as the escalation rule will see them."""
    levels = {f"DL{place}": place for place in range(1, len(study.dose.levels) + 1)}
    known = treated[treated["COHORT"].isin(levels)].sort_values(["TRTSCT", "USUBJID"], kind="stable")
    status = known["DLTEVRS"].map(lambda reason: "pending" if reason == "PENDING" else "not_evaluable")
    frame = pd.DataFrame(
        {
            "participant": known["USUBJID"],
            "order": range(1, len(known) + 1),
            "level": known["COHORT"].map(levels).astype(int),
            "assigned": known["TRTSCT"],
            "window_start": known["DLTWSDT"],
            "window_end": known["DLTWEDT"],
            "status": status.where(known["DLTEVFL"] != "Y", "evaluable"),
            "dlt": known["DLTFL"] == "Y",
            "trigger": known["DLTFL"] == "Y",
        }
    )
    return History.from_frame(frame, levels=len(levels)).cohorts()


def _check(group: str, counts: tuple[int, int], cohort: Cohort) -> None:
    if counts != (cohort.n_dlt, cohort.n):
        raise DerivationError(
            f"{group}: ADSL has {counts[0]} DLT in {counts[1]} evaluable participants, the dose-escalation history "
            f"{cohort.n_dlt} in {cohort.n}; DLTEVFL, DLTFL and COHORT must come from one derivation"
        )


def _add_small_sample(rows: Rows, group: str, counts: tuple[int, int], study: Study) -> None:
    """Add the one-sided upper limit, and the posterior mean and tail of the level's own rate."""
    x, n = counts
    layout = printed_rows()["dlt"]
    level = layout["one_sided_level"]
    method = f"{study.stats.binomial_interval}, one-sided, level {100 * level:g}"
    place: dict[str, Any] = {"group": group, "variable": "dlt", "n": x, "N": n, "method": method}
    if n == 0:
        rows.add("upper_one_sided", None, status="NE", reason="NO_DATA", **place)
    else:
        limit = binomial_interval(x, n, method=study.stats.binomial_interval, level=level, side="upper")
        rows.add("upper_one_sided", float(limit.upper), **place)
    prior = (float(layout["prior"][0]), float(layout["prior"][1]))
    place |= {"variable": "posterior", "method": f"Beta({prior[0]:g},{prior[1]:g}) prior, no borrowing"}
    if group == TOTAL or n == 0:
        reason = "not pooled across dose levels" if group == TOTAL else "no evaluable participant"
        for stat in ("mean", "p_above"):
            rows.add(stat, None, status="NA", reason=reason, **place)
        return
    posterior = beta_posterior(x, n, prior=prior, limit=study.dose.limit)
    rows.add("mean", float(posterior.mean), **place)
    rows.add("p_above", posterior.p_above, **place)
