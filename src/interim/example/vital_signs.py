"""VS, QS, EG: vital signs, performance status, ICE score, electrocardiogram."""

from __future__ import annotations

from interim.example.case import Case, Row
from interim.example.toxicity import Event
from interim.example.visits import Visit

HOURS = {1: ("08:00",), 3: ("08:00", "14:00", "20:00"), 4: ("08:00", "12:00", "16:00", "20:00")}
SIGNS = {
    "TEMP": ("Temperature", "C", 36.7, 0.25, 36.0, 37.4),
    "SYSBP": ("Systolic Blood Pressure", "mmHg", 124.0, 8.0, 102.0, 148.0),
    "DIABP": ("Diastolic Blood Pressure", "mmHg", 76.0, 6.0, 58.0, 95.0),
    "PULSE": ("Pulse Rate", "beats/min", 76.0, 7.0, 55.0, 99.0),
    "OXYSAT": ("Oxygen Saturation", "%", 97.8, 0.8, 95.0, 100.0),
}
WEIGHED = {"screening", "scan", "infusion"}


def vital_signs(case: Case) -> list[Row]:
    """Write VS.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Vital signs every four hours on days of infusion, every six hours during fever, else once a visit.

    Raises
    ------
    None

    Notes
    -----
    The signs agree with the grade of a cytokine release syndrome: fever in all, low blood pressure from grade 2.
    """
    rng = case.person.rng("VS")
    rows: list[Row] = []
    low = 0
    for visit in case.visits:
        for clock in HOURS[_count(case, visit)]:
            event = _episode(case, visit.day, clock)
            hypotensive = event is not None and event.group == "crs" and event.grade >= 2 and low < 2
            low += hypotensive
            for code in SIGNS:
                value = _value(code, float(rng.standard_normal()), event is not None, hypotensive)
                rows.append(_vs(case, visit, clock, code, SIGNS[code][:2], value))
        if visit.kind in WEIGHED:
            weight = round(case.traits.weight * (1 + 0.008 * float(rng.standard_normal())), 1)
            rows.append(_vs(case, visit, "08:00", "WEIGHT", ("Weight", "kg"), weight))
    return rows


def _count(case: Case, visit: Visit) -> int:
    """Return the number of measurements: three at least on a day with fever."""
    feverish = any(_covers(event, visit.day) for event in case.events)
    return max(visit.vitals, 3) if feverish else visit.vitals


def _covers(event: Event, day: int) -> bool:
    return event.group in ("crs", "fever") and event.start <= day <= (
        event.start if event.end is None else event.end
    )


def _episode(case: Case, day: int, clock: str) -> Event | None:
    """Return the fever or cytokine release syndrome that is under way at a moment."""
    for event in case.events:
        if _covers(event, day):
            begun = day > event.start or clock >= (event.clock or "")
            over = event.end is not None and day == event.end and clock > (event.clock or "")
            if begun and not over:
                return event
    return None


def _value(code: str, z: float, fever: bool, hypotensive: bool) -> float:
    _, _, mean, sd, lo, hi = SIGNS[code]
    if code == "TEMP" and fever:
        return round(min(max(38.7 + 0.4 * z, 38.1), 39.9), 1)
    if hypotensive and code in ("SYSBP", "DIABP"):
        return float(round(min(max(84 + 2 * z, 78), 88) if code == "SYSBP" else min(max(51 + 2 * z, 45), 57)))
    value = min(max(mean + sd * z, lo), hi)
    return round(value, 1) if code == "TEMP" else float(round(value))


def _vs(case: Case, visit: Visit, clock: str, code: str, name: tuple[str, str], value: float) -> Row:
    return {
        "VSTESTCD": code,
        "VSTEST": name[0],
        "VSORRES": f"{value:g}",
        "VSORRESU": name[1],
        "VSSTRESC": f"{value:g}",
        "VSSTRESN": value,
        "VSSTRESU": name[1],
        "VISITNUM": visit.number,
        "VISIT": visit.name,
        "VSTPT": "PRE-DOSE" if visit.kind == "infusion" and clock < "10:00" else None,
        "VSDTC": case.person.at(visit.day, clock),
    }


def questionnaires(case: Case) -> list[Row]:
    """Write QS.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Performance status; ICE score in the first ten days after each CAR-T infusion.

    Raises
    ------
    None
    """
    rows = []
    for visit in case.visits:
        if visit.ecog:
            late = case.course.pd is not None and visit.day >= case.course.pd
            grade = case.traits.ecog + int(late)
            rows.append(_qs(case, visit, ("ECOG", "ECOG101", "ECOG Performance Status"), grade))
        if visit.name.startswith("CART"):
            rows.append(_qs(case, visit, ("ICE", "ICETOTAL", "ICE Total Score"), 10))
    return rows


def _qs(case: Case, visit: Visit, test: tuple[str, str, str], value: int) -> Row:
    return {
        "QSCAT": test[0],
        "QSTESTCD": test[1],
        "QSTEST": test[2],
        "QSORRES": str(value),
        "QSSTRESC": str(value),
        "QSSTRESN": value,
        "VISITNUM": visit.number,
        "VISIT": visit.name,
        "QSDTC": case.person.on(visit.day),
    }


def electrocardiograms(case: Case) -> list[Row]:
    """Write EG.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Heart rate and QT interval, corrected after Fridericia.

    Raises
    ------
    None
    """
    rng = case.person.rng("EG")
    rows = []
    for visit in case.visits:
        if not visit.ecg:
            continue
        values = {
            "HR": ("Heart Rate", "beats/min", 55 + 35 * rng.random()),
            "QTCF": ("QTcF Interval", "msec", 395 + 40 * rng.random()),
        }
        for code, (name, unit, value) in values.items():
            rows.append(
                {
                    "EGTESTCD": code,
                    "EGTEST": name,
                    "EGORRES": f"{round(value)}",
                    "EGORRESU": unit,
                    "EGSTRESC": f"{round(value)}",
                    "EGSTRESN": round(value),
                    "EGSTRESU": unit,
                    "VISITNUM": visit.number,
                    "VISIT": visit.name,
                    "EGDTC": case.person.at(visit.day, "08:30"),
                }
            )
    return rows
