"""Persistence against response: a landmark, so that no participant is counted as persisting because of having responded."""

from __future__ import annotations

from typing import Any

import pandas as pd

from interim.adam.adpc import tolerance
from interim.adam.model import Adam
from interim.analysis.measures import has_rows, kinetic_population
from interim.analysis.population import (
    Population,
    add_base,
    add_counts,
    add_not_available,
    add_rates,
    open_rows,
)
from interim.result import Result, Rows
from interim.study import Study

_LEFT = {
    "NOT_OBSERVED": "Dead, or not observed until the landmark",
    "RESPONDED_BEFORE": "Response before the landmark",
    "NO_SAMPLE": "No sample at the landmark",
}


def persistence_response(adam: Adam, study: Study) -> Result:
    """Compare later response between participants with and without cells at a landmark.

    Parameters
    ----------
    adam : Adam
        ADSL, ADPC and ADRS.
    study : Study
        ``kinetics.landmark_day``, ``kinetics.visit_windows``, evaluator.

    Returns
    -------
    Result
        ``landmark.persistence_response``; variable = assay; levels ``Quantified`` and ``Not quantified``: rate of a first response
        after the landmark among those alive, observed and without a response then, by the sample nearest to the landmark within
        the visit window; variable ``<assay> left out`` counts the others by reason.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.

    Notes
    -----
    Days count from the first CAR-T infusion. Descriptive; no test.
    """
    who = kinetic_population(adam, study, "t")
    title = f"Persistence at day {study.kinetics.landmark_day} and later response"
    rows = open_rows("landmark.persistence_response", title, who)
    if not (has_rows(adam, "ADPC", role="t") and has_rows(adam, "ADRS")):
        reason = "not available: no samples of cellular kinetics, or no responses"
        add_not_available(rows, who.groups, variable="landmark", reason=reason)
        return rows.build()
    people = _people(adam, study, who)
    adpc = adam["ADPC"]
    blood = adpc[(adpc["ROLE"] == "t") & (adpc["ANL01FL"] == "Y") & (adpc["STATE"] != "BAD")]
    for assay, part in blood.groupby("PARAMCD", sort=True):
        _add_assay(rows, who, people.assign(STATE=_states(part, people, study)), str(assay), study=study)
    return rows.build()


def _people(adam: Adam, study: Study, who: Population) -> pd.DataFrame:
    """Return, by participant, whether they were observed until the landmark and when they first responded (days)."""
    adsl = adam["ADSL"]
    adsl = adsl[adsl["USUBJID"].isin(who.everyone)].set_index("USUBJID")
    start, day = adsl["TRTSCT"], study.kinetics.landmark_day
    last = adsl["LSTALVDT"] if "LSTALVDT" in adsl else adsl["DCUTDT"]
    dead = adsl["DTHDT"].notna() & ((adsl["DTHDT"] - start).dt.days < day)
    adrs = adam["ADRS"]
    mine = adrs[
        (adrs["PARAMCD"] == "OVR")
        & (adrs["PARCAT2"] == study.response.evaluator)
        & adrs["AVALC"].isin(["CR", "PR"])
    ]
    first = mine.groupby("USUBJID")["ADT"].min().reindex(adsl.index)
    return pd.DataFrame(
        {
            "OBSERVED": ~dead & ((last - start).dt.days >= day),
            "RESPONSE": (first - start).dt.days,
            "DAY": float(day),
        },
        index=adsl.index,
    )


def _states(part: pd.DataFrame, people: pd.DataFrame, study: Study) -> pd.Series:
    """Return the state of the sample nearest to the landmark, if one lies within its window."""
    day = float(study.kinetics.landmark_day)
    allowed = float(tolerance(pd.Series([day]), study).iloc[0])
    near = part.assign(GAP=(part["AFRLT"] - day).abs())
    near = near[near["GAP"] <= allowed].sort_values(["USUBJID", "GAP", "AFRLT"], kind="stable")
    return near.drop_duplicates("USUBJID").set_index("USUBJID")["STATE"].reindex(people.index)


def _add_assay(rows: Rows, who: Population, people: pd.DataFrame, assay: str, *, study: Study) -> None:
    early = people["RESPONSE"] <= people["DAY"]
    left = {
        "NOT_OBSERVED": ~people["OBSERVED"],
        "RESPONDED_BEFORE": people["OBSERVED"] & early,
        "NO_SAMPLE": people["OBSERVED"] & ~early & people["STATE"].isna(),
    }
    kept = people[~(left["NOT_OBSERVED"] | left["RESPONDED_BEFORE"] | left["NO_SAMPLE"])]
    later = kept.index[kept["RESPONSE"].notna()]
    quantified = kept["STATE"] == "QUANT"
    for level, members in (("Quantified", quantified), ("Not quantified", ~quantified)):
        where: dict[str, Any] = {"variable": assay, "level": level}
        known = who.narrow(kept.index[members])
        add_rates(rows, known, study=study, subjects=later, **where)
        add_base(rows, known, **where)
    for reason, gone in left.items():
        add_counts(rows, who, variable=f"{assay} left out", level=_LEFT[reason], subjects=people.index[gone])
