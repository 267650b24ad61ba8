"""The titration trigger of each participant under every reading of its definition, and by every source of the grade."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from interim.adam.adae_phase import phase_of, phase_starts
from interim.adam.adtox import trigger_events
from interim.adam.dlt import dlt_windows
from interim.adam.model import Adam
from interim.analysis.escalation_events import no_events
from interim.analysis.listing import add_records, dose_of
from interim.analysis.population import open_rows, population
from interim.data.model import Sdtm
from interim.result import Result
from interim.study import Study
from interim.study.reread import with_readings

_DEFINITION, _SCALE = "AMB-2", "AMB-6"
_DEFINITIONS, _SCALES = ("A", "B", "C", "D", "E"), ("A", "B", "C")
_SOURCES = ("reported", "derived", "max")


def by_participant(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List for every participant under which readings the titration trigger is met.

    Parameters
    ----------
    adam : Adam
        ADSL, ADAE, ADEX.
    study : Study
        ``[titration_trigger]``.
    sdtm : Sdtm
        AE.

    Returns
    -------
    Result
        ``trigger_readings.by_participant``; a record per participant: dose; definition_a to definition_e: the letters of the CRS
        scales (AMB-6) under which the trigger is met, with a question mark where a query decides; reported, derived, max: the
        reading in force by that source of the grade (yes, no, query); other_phase: the reading in force with events of
        AMBIGUOUS_PHASE in the other phase of ``toxicity.same_day_phase``; same: whether all agree.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("trigger_readings.by_participant", "Titration trigger under every reading", who)
    reason = no_events(adam, study)
    if reason:
        rows.add("n", None, variable="records", status="NA", reason=reason)
        return rows.build()
    windows = dlt_windows(sdtm, adam["ADSL"], adex=adam["ADEX"], study=study)
    doses = dose_of(who)
    frame = pd.DataFrame({"USUBJID": sorted(doses, key=lambda subject: (doses[subject], subject))})
    frame["dose"] = frame["USUBJID"].map(doses)
    every: list[pd.Series] = []
    for definition in _DEFINITIONS:
        cells = pd.Series("", index=frame.index)
        for scale in _SCALES:
            reading = with_readings(study, {_DEFINITION: definition, _SCALE: scale})
            met = _met(adam, trigger_events(adam["ADAE"], windows, reading.titration_trigger), frame)
            every.append(met)
            cells += met.map({"yes": f"{scale} ", "query": f"{scale}? ", "no": ""})
        frame[f"definition_{definition.lower()}"] = cells.str.strip()
    for source in _SOURCES:
        trigger = study.titration_trigger.model_copy(update={"grade_source": source})
        frame[source] = _met(adam, trigger_events(adam["ADAE"], windows, trigger), frame)
        every.append(frame[source])
    moved = trigger_events(in_other_phase(adam, study), windows, study.titration_trigger)
    frame["other_phase"] = _met(adam, moved, frame)
    every.append(frame["other_phase"])
    agree = pd.concat(every, axis=1).nunique(axis=1) == 1
    add_records(rows, frame.assign(same=agree.map({True: "yes", False: "no"})))
    return rows.build()


def in_other_phase(adam: Adam, study: Study) -> pd.DataFrame:
    """Return the events in the phases of the other reading of the day on which a phase starts.

    Parameters
    ----------
    adam : Adam
        ADAE, ADEX.
    study : Study
        ``toxicity.same_day_phase``, ``safety.teae_end_days``.

    Returns
    -------
    pandas.DataFrame
        ADAE; APHASE differs only where APHAMBFL is Y.

    Raises
    ------
    None
    """
    adae = adam["ADAE"]
    if not adam.has("ADEX") or "APHAMBFL" not in adae:
        return adae
    other: Literal["earlier", "later"] = "later" if study.toxicity.same_day_phase == "earlier" else "earlier"
    found = phase_of(adae, phase_starts(adam["ADEX"], study), same_day=other)["APHASE"]
    return adae.assign(APHASE=adae["APHASE"].astype(object).where(adae["APHAMBFL"] != "Y", found))


def _met(adam: Adam, flags: pd.Series, frame: pd.DataFrame) -> pd.Series:
    """Return yes, query or no of each participant: the strongest answer of the events."""
    subjects = adam["ADAE"]["USUBJID"]
    yes, unsure = set(subjects[flags == "Y"]), set(subjects[flags.isna()])
    answers = ["yes" if s in yes else "query" if s in unsure else "no" for s in frame["USUBJID"]]
    return pd.Series(answers, index=frame.index)
