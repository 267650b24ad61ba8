"""AE and CE: adverse events, and the signs looked for during them."""

from __future__ import annotations

from interim.example.case import Case, Row
from interim.example.toxicity import Event

REPORT_DAYS = 2
SPECIAL = {"crs", "icans"}


def adverse_events(case: Case) -> list[Row]:
    """Write AE and SUPPAE.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        One row per event, by onset.

    Raises
    ------
    None
    """
    return [_ae(case, event) for event in case.events]


def _ae(case: Case, event: Event) -> Row:
    person = case.person
    supp = {"ASTCTGR": str(event.grade)} if event.group == "crs" else {}
    if event.dlt:
        supp["DLTFL"] = "Y"
    if event.group in SPECIAL or event.dlt:
        supp["AESI"] = "Y"
    if event.serious or event.grade >= 2 or event.group == "crs":
        supp["AERPTDTC"] = person.on(min(event.start + REPORT_DAYS, case.course.end))
    clock = event.clock
    start = person.at(event.start, clock) if clock else person.on(event.start)
    end = None
    if event.end is not None:
        end = person.at(event.end, clock) if clock else person.on(event.end)
    before_last = event.start <= (case.infusions[-1][2])
    action = "DRUG WITHDRAWN" if event.dlt else "DOSE NOT CHANGED" if before_last else "NOT APPLICABLE"
    return {
        "AETERM": event.term,
        "AEDECOD": event.term,
        "AEBODSYS": event.soc,
        "AETOXGR": str(event.grade),
        "AESER": "Y" if event.serious else "N",
        "AESHOSP": "Y" if event.serious else None,
        "AESDTH": None,
        "AEREL": event.related,
        "AEACN": action,
        "AEOUT": "NOT RECOVERED/NOT RESOLVED" if event.end is None else "RECOVERED/RESOLVED",
        "AESTDTC": start,
        "AEENDTC": end,
        "_supp": supp,
    }


def clinical_events(case: Case) -> list[Row]:
    """Write CE.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Episodes of cytokine release with their oxygen device, and fevers with another cause.

    Raises
    ------
    None
    """
    rows = []
    for event in case.events:
        if event.group == "crs":
            device = "NASAL" if event.grade >= 3 else "NONE"
            rows.append(_ce(case, event, "O2DEV", device))
        if event.group == "fever":
            rows.append(_ce(case, event, "ALTCAUSE", "Y"))
    return rows


def _ce(case: Case, event: Event, code: str, value: str) -> Row:
    clock = event.clock or "12:00"
    return {
        "CETERM": event.term,
        "CEDECOD": event.term,
        "CECAT": "CYTOKINE RELEASE" if event.group == "crs" else "FEVER",
        "CETESTCD": code,
        "CEORRES": value,
        "CESTRESC": value,
        "CESTDTC": case.person.at(event.start, clock),
        "CEENDTC": case.person.at(event.end, clock) if event.end is not None else None,
        "CEDTC": case.person.at(event.start, clock),
    }
