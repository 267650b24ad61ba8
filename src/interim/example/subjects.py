"""DM, DS, SV, SS, SC, TS: who took part, milestones, visits, survival contacts, facts about the participant."""

from __future__ import annotations

from interim.example.case import Case, Row, level_cells
from interim.example.settings import codes, numbers

CONTACT_DAYS = 28


def demographics(case: Case) -> list[Row]:
    """Write DM and SUPPDM.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        One row.

    Raises
    ------
    None
    """
    person, traits, course = case.person, case.traits, case.course
    given = case.infusions
    actual = person.slot.arm
    ended = course.death is not None or course.lost is not None or not person.treated
    tumour = {
        "TUMTYPE": codes("tumour_type")[traits.tumour],
        "HISTCLAS": codes("histology")[traits.histology],
    }
    return [
        {
            "SUBJID": person.subjid,
            "RFSTDTC": person.on(0) if given else None,
            "RFENDTC": person.on(course.end) if given and ended else None,
            "RFXSTDTC": person.at(given[0][2], "10:00") if given else None,
            "RFXENDTC": person.at(given[-1][2], "10:00") if given else None,
            "RFICDTC": person.on(person.consent),
            "RFPENDTC": person.on(course.end) if ended else None,
            "DTHDTC": person.on(course.death) if course.death is not None else None,
            "DTHFL": "Y" if course.death is not None else None,
            "SITEID": "01",
            "AGE": traits.age,
            "AGEU": "YEARS",
            "SEX": "M" if traits.male else "F",
            "RACE": "ASIAN",
            "ARMCD": actual,
            "ARM": codes("arm")[actual],
            "ACTARMCD": actual,
            "ACTARM": codes("arm")[actual],
            "COUNTRY": "CHN",
            "_supp": tumour if person.enrolled else {},
        }
    ]


def disposition(case: Case) -> list[Row]:
    """Write DS.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Milestones, the end of study treatment, why CAR-T was not given, the end of the study.

    Raises
    ------
    None
    """
    person, slot = case.person, case.person.slot
    rows = [_ds("PROTOCOL MILESTONE", "", "INFORMED CONSENT OBTAINED", case, person.consent)]
    if not person.enrolled:
        return [
            *rows,
            _ds("DISPOSITION EVENT", "STUDY", "SCREEN FAILURE", case, case.course.end, slot.reason),
        ]
    rows.append(_ds("PROTOCOL MILESTONE", "", "ELIGIBILITY CRITERIA MET", case, person.screening + 1))
    if not person.treated:
        return [*rows, _ds("DISPOSITION EVENT", "STUDY", slot.reason, case, case.course.end)]
    if person.level is None:
        rows.append(_ds("DISPOSITION EVENT", "CAR-T NOT GIVEN", slot.reason, case, person.cart))
    else:
        text = f"dose level {person.level} assigned"
        rows.append(_ds("PROTOCOL MILESTONE", "", "DOSE LEVEL ASSIGNED", case, person.cart - 1, text))
        rows.append(_treatment_end(case))
    if case.course.death is not None:
        cause = "death: disease progression"
        rows.append(_ds("DISPOSITION EVENT", "STUDY", "DEATH", case, case.course.death, cause))
    elif case.course.lost is not None:
        rows.append(_ds("DISPOSITION EVENT", "STUDY", "LOST TO FOLLOW-UP", case, case.course.lost))
    return rows


def _treatment_end(case: Case) -> Row:
    """Return the end of study treatment: completed with two cycles, else the reason for stopping."""
    dlt = next((event for event in case.events if event.dlt), None)
    if dlt is not None:
        return _ds("DISPOSITION EVENT", "STUDY TREATMENT", "ADVERSE EVENT", case, dlt.start, dlt.term)
    if case.cycle2 is not None:
        return _ds("DISPOSITION EVENT", "STUDY TREATMENT", "COMPLETED", case, case.infusions[-1][2])
    early = case.course.pd is not None and case.course.pd <= case.person.cart + 21
    reason = "PROGRESSIVE DISEASE" if early else "PHYSICIAN DECISION"
    return _ds(
        "DISPOSITION EVENT", "STUDY TREATMENT", reason, case, case.person.cart + 14, "second cycle not given"
    )


def _ds(category: str, sub: str, decod: str, case: Case, day: int, term: str = "") -> Row:
    return {
        "DSTERM": (term or decod).capitalize(),
        "DSDECOD": decod,
        "DSCAT": category,
        "DSSCAT": sub or None,
        "DSSTDTC": case.person.on(day),
    }


def subject_visits(case: Case) -> list[Row]:
    """Write SV.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        One row per visit made.

    Raises
    ------
    None
    """
    return [
        {
            "VISITNUM": visit.number,
            "VISIT": visit.name,
            "VISITDY": None if visit.planned is None else study_day(visit.planned),
            "SVSTDTC": case.person.on(visit.day),
            "SVENDTC": case.person.on(visit.day),
        }
        for visit in case.visits
    ]


def study_day(day: int) -> int:
    """Return a day counted from the first infusion as a study day.

    Parameters
    ----------
    day : int
        0 is the day of the first infusion.

    Returns
    -------
    int
        1 is that day; there is no day 0.

    Raises
    ------
    None

    Examples
    --------
    >>> study_day(0), study_day(-1)
    (1, -1)
    """
    return day + 1 if day >= 0 else day


def survival_status(case: Case) -> list[Row]:
    """Write SS.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Contacts every four weeks; the last one on the last day of observation.

    Raises
    ------
    None
    """
    person, course = case.person, case.course
    if not person.treated:
        return []
    days = [*range(CONTACT_DAYS, course.end - CONTACT_DAYS // 2, CONTACT_DAYS), course.end]
    return [
        {
            "SSTESTCD": "SURVSTAT",
            "SSTEST": "Survival Status",
            "SSORRES": "DEAD" if day == course.death else "ALIVE",
            "SSSTRESC": "DEAD" if day == course.death else "ALIVE",
            "SSDTC": person.on(day),
        }
        for day in days
    ]


TEST_NAMES = {
    "TUMSIDE": "Side of Primary Tumour",
    "KRAS": "KRAS Status",
    "BRAF": "BRAF Status",
    "MSI": "Microsatellite Status",
    "HER2": "HER2 Status",
}


def characteristics(case: Case) -> list[Row]:
    """Write SC.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Tumour side and mutations of an enrolled participant.

    Raises
    ------
    None
    """
    if not case.person.enrolled:
        return []
    return [
        {"SCTESTCD": code, "SCTEST": TEST_NAMES[code], "SCORRES": value, "SCSTRESC": value}
        for code, value in case.traits.facts.items()
    ]


def trial_summary(preset: str, cut: str) -> list[Row]:
    """Write TS.

    Parameters
    ----------
    preset : str
        Name of the preset.
    cut : str
        Cut-off, ISO date.

    Returns
    -------
    list of dict
        Facts about the study; the first says that it is synthetic.

    Raises
    ------
    None
    """
    doses = "; ".join(f"{level_cells(level):.1e} cells/kg" for level in range(1, 5))
    facts = {
        "LABEL": ("Label", numbers("study.label")),
        "TITLE": (
            "Trial Title",
            "Synthetic example of CAR-NK followed by CAR-T cells in solid tumours with liver metastases",
        ),
        "TPHASE": ("Trial Phase Classification", "PHASE I TRIAL"),
        "TBLIND": ("Trial Blinding Schema", "OPEN LABEL"),
        "STYPE": ("Study Type", "INTERVENTIONAL"),
        "AGEMIN": ("Planned Minimum Age of Subjects", "P18Y"),
        "AGEMAX": ("Planned Maximum Age of Subjects", "P75Y"),
        "DOSE": ("Dose per Administration", doses),
        "DCUTDTC": ("Data Cutoff Date", cut),
        "PRESET": ("Path of the Example", preset),
    }
    return [
        {"TSSEQ": i, "TSPARMCD": code, "TSPARM": name, "TSVAL": value}
        for i, (code, (name, value)) in enumerate(facts.items(), start=1)
    ]
