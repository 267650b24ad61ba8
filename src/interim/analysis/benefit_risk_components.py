"""Components of benefit and risk by dose: toxicity, completion, marker, kinetics."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.escalation_state import printed as escalation
from interim.analysis.expansion_types import toxic_participants
from interim.analysis.population import Population, add_base, add_not_available, add_rates
from interim.analysis.spread import add_spread
from interim.result import Rows
from interim.study import Study

_NO_SAMPLES = "not available: no kinetic parameters"


@cache
def printed() -> dict[str, Any]:
    """Return the content of ``benefit_risk.toml``.

    Returns
    -------
    dict
        Grades, priors, rankings, criteria.

    Raises
    ------
    None
    """
    text = files("interim.analysis").joinpath("benefit_risk.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def add_components(rows: Rows, who: Population, *, adam: Adam, study: Study) -> frozenset[str]:
    """Add every component of benefit and risk other than response.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        Columns = dose levels.
    adam : Adam
        ADSL, ADAE, ADLB, ADPP.
    study : Study
        Events of the monitor, interval.

    Returns
    -------
    frozenset of str
        Participants with a dose-limiting toxicity. Rates ``dlt``, ``related_g3``, ``crs_g2``, ``monitored``, ``hepatic``,
        ``completed``, ``marker_fall`` (of those with a value); n, median, min, max of ``exposure`` and ``persistence`` (level =
        assay).

    Raises
    ------
    None
    """
    adsl = adam["ADSL"]
    toxic = frozenset(adsl.loc[adsl["DLTFL"] == "Y", "USUBJID"])
    add_rates(rows, who, study=study, variable="dlt", subjects=toxic)
    _add_events(rows, who, adam, study)
    _add_hepatic(rows, who, adam, study)
    full = escalation()["escalation"]["full_course_infusions"]
    if "NINFCT" in adsl:
        done = frozenset(adsl.loc[adsl["NINFCT"] >= full, "USUBJID"])
        add_rates(rows, who, study=study, variable="completed", subjects=done)
    else:
        _absent(rows, who, "completed", "not available: no number of infusions")
    _add_marker(rows, who, adsl, study)
    _add_kinetics(rows, who, adam)
    return toxic


def _absent(rows: Rows, who: Population, variable: str, reason: str, *, stat: str = "rate") -> None:
    add_not_available(rows, who.groups, variable=variable, stat=stat, reason=reason)


def _add_events(rows: Rows, who: Population, adam: Adam, study: Study) -> None:
    if not adam.has("ADAE") or "AETOXGRN" not in adam["ADAE"]:
        reason = f"not available: {adam.missing.get('ADAE', 'no toxicity grade')}"
        for variable in (*printed()["event"], "monitored"):
            _absent(rows, who, variable, reason)
        return
    adae = adam["ADAE"][adam["ADAE"]["TRTEMFL"] == "Y"]
    for variable, event in printed()["event"].items():
        hit = adae[event["column"]] >= event["grade"]
        if "related" in event:
            hit &= adae[event["related"]] == "Y"
        add_rates(rows, who, study=study, variable=variable, subjects=adae.loc[hit, "USUBJID"])
    add_rates(rows, who, study=study, variable="monitored", subjects=toxic_participants(adam, study))


def _add_hepatic(rows: Rows, who: Population, adam: Adam, study: Study) -> None:
    setting = printed()["hepatic"]
    wanted = {"PARAMCD", "ATOXGRH", "ONTRTFL"}
    adlb = adam["ADLB"] if adam.has("ADLB") else pd.DataFrame(columns=sorted(wanted))
    tests = adlb[adlb["PARAMCD"].isin(setting["parameters"])] if wanted <= set(adlb.columns) else adlb.head(0)
    if tests.empty:
        _absent(rows, who, "hepatic", "not available: no graded liver tests")
        return
    hit = (tests["ONTRTFL"] == "Y") & (pd.to_numeric(tests["ATOXGRH"]) >= setting["grade"])
    add_rates(rows, who, study=study, variable="hepatic", subjects=tests.loc[hit, "USUBJID"])


def _add_marker(rows: Rows, who: Population, adsl: pd.DataFrame, study: Study) -> None:
    name = printed()["marker"]["variable"]
    if name not in adsl:
        _absent(rows, who, "marker_fall", "not available: no marker")
        return
    known = who.narrow(adsl.loc[adsl[name].notna(), "USUBJID"])
    fell = adsl.loc[adsl[name] == "Y", "USUBJID"]
    add_rates(rows, known, study=study, variable="marker_fall", subjects=fell)
    add_base(rows, known, variable="marker_fall")


def _add_kinetics(rows: Rows, who: Population, adam: Adam) -> None:
    setting = printed()["kinetics"]
    if not adam.has("ADPP"):
        for variable in ("exposure", "persistence"):
            _absent(rows, who, variable, _NO_SAMPLES, stat="median")
        return
    adpp = adam["ADPP"].loc[lambda f: (f["ROLE"] == "t") & f["AVAL"].notna()]
    cycle = (adpp["CLOCK"] == "CYCLE") & (adpp["ACYCLE"] == setting["cycle"])
    parts = {
        "exposure": adpp[cycle & (adpp["PARAMCD"] == setting["exposure"])],
        "persistence": adpp[(adpp["CLOCK"] == "PRODUCT") & (adpp["PARAMCD"] == setting["persistence"])],
    }
    for variable, part in parts.items():
        if part.empty:
            _absent(rows, who, variable, _NO_SAMPLES, stat="median")
        for assay, one in part.groupby("ASSAY", sort=True):
            values = one.drop_duplicates("USUBJID").set_index("USUBJID")["AVAL"]
            unit = str(one["AVALU"].iloc[0])
            add_spread(rows, who, values, variable=variable, level=str(assay), unit=unit)
