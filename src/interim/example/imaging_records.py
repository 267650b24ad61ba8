"""TU, TR, RS: lesions, their measurements, and the investigator's responses."""

from __future__ import annotations

from interim.example.case import Case, Row
from interim.example.lesions import Lesion, Reading
from interim.example.visits import Visit

NOT_DONE = ("participant unwell", "scanner not available", "visit held by telephone")


def lesion_identification(case: Case) -> list[Row]:
    """Write TU.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Target and non-target lesions at screening, new lesions when they are first seen.

    Raises
    ------
    None
    """
    if not case.person.treated:
        return []
    baseline = case.visits[0]
    rows = [_tu(case, lesion, "TARGET", baseline) for lesion in case.imaging.targets]
    rows += [_tu(case, lesion, "NON-TARGET", baseline) for lesion in case.imaging.others]
    new = next((reading for reading in case.imaging.readings if reading.new), None)
    if new is not None:
        rows.append(_tu(case, Lesion("NEW01", "liver"), "NEW", new.scan.visit))
    return rows


def _tu(case: Case, lesion: Lesion, role: str, visit: Visit) -> Row:
    return {
        "TULNKID": lesion.link,
        "TUTESTCD": "TUMIDENT",
        "TUTEST": "Tumor Identification",
        "TUORRES": role,
        "TUSTRESC": role,
        "TULOC": lesion.location,
        "TUMETHOD": "CT SCAN",
        "TUEVAL": "INVESTIGATOR",
        **_when(case, visit, "TU"),
    }


def _when(case: Case, visit: Visit, domain: str) -> Row:
    return {"VISITNUM": visit.number, "VISIT": visit.name, f"{domain}DTC": case.person.on(visit.day)}


def measurements(case: Case) -> list[Row]:
    """Write TR.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        One row per lesion and scan; NOT DONE rows with a reason where nothing was measured.

    Raises
    ------
    None
    """
    if not case.person.treated:
        return []
    imaging, baseline = case.imaging, case.visits[0]
    rows = [_diameter(case, lesion, baseline, lesion.baseline, "") for lesion in imaging.targets]
    rows += [_state(case, lesion.link, "NON-TARGET", baseline, "PRESENT") for lesion in imaging.others]
    for reading in imaging.readings:
        rows += _scan_rows(case, reading)
    return rows


def _scan_rows(case: Case, reading: Reading) -> list[Row]:
    visit = reading.scan.visit
    reason = "image artefact" if reading.done else NOT_DONE[case.person.number % len(NOT_DONE)]
    targets = zip(case.imaging.targets, reading.diameters, strict=True)
    rows = [_diameter(case, lesion, visit, size, reason) for lesion, size in targets]
    for lesion in case.imaging.others:
        row = _state(case, lesion.link, "NON-TARGET", visit, reading.nontarget)
        rows.append(row if reading.done else _not_done(row, reason))
    if reading.new:
        rows.append(_state(case, "NEW01", "NEW", visit, "UNEQUIVOCAL"))
    return rows


def _diameter(case: Case, lesion: Lesion, visit: Visit, size: int | None, reason: str) -> Row:
    row = {
        "TRGRPID": "TARGET",
        "TRLNKID": lesion.link,
        "TRTESTCD": "LPERP" if lesion.node else "LDIAM",
        "TRTEST": "Longest Perpendicular" if lesion.node else "Longest Diameter",
        "TRORRES": f"{size}",
        "TRORRESU": "mm",
        "TRSTRESC": f"{size}",
        "TRSTRESN": size,
        "TRSTRESU": "mm",
        "TRSTAT": None,
        "TRREASND": None,
        "TRMETHOD": "CT SCAN",
        "TREVAL": "INVESTIGATOR",
        **_when(case, visit, "TR"),
    }
    return row if size is not None else _not_done(row, reason)


def _state(case: Case, link: str, group: str, visit: Visit, state: str) -> Row:
    return {
        "TRGRPID": group,
        "TRLNKID": link,
        "TRTESTCD": "TUMSTATE",
        "TRTEST": "Tumor State",
        "TRORRES": state,
        "TRORRESU": None,
        "TRSTRESC": state,
        "TRSTRESN": None,
        "TRSTRESU": None,
        "TRSTAT": None,
        "TRREASND": None,
        "TRMETHOD": "CT SCAN",
        "TREVAL": "INVESTIGATOR",
        **_when(case, visit, "TR"),
    }


def _not_done(row: Row, reason: str) -> Row:
    empty = dict.fromkeys(("TRORRES", "TRORRESU", "TRSTRESC", "TRSTRESN", "TRSTRESU", "TRMETHOD"))
    return row | empty | {"TRSTAT": "NOT DONE", "TRREASND": reason}


RESPONSE_TESTS = {
    "TRGRESP": "Target Response",
    "NTRGRESP": "Non-target Response",
    "NEWLPROG": "New Lesion Progression",
    "OVRLRESP": "Overall Response",
}


# Overall response after iRECIST by what the scan shows: a progression is confirmed by further growth at the next scan.
IMMUNE = {"PR": "iPR", "SD": "iSD", "PD": "iUPD", "GROWTH": "iCPD", "NE": "NE", "ND": "NE"}


def responses(case: Case) -> list[Row]:
    """Write RS: the investigator reads the lesions as RECIST 1.1 does.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Target, non-target and overall response and new lesions at every scan; the overall response after iRECIST as well.

    Raises
    ------
    None
    """
    return [row for reading in case.imaging.readings for row in _response_rows(case, reading)] + [
        _response(case, reading, "OVRLRESP", "iRECIST", IMMUNE[reading.scan.response])
        for reading in case.imaging.readings
    ]


def _response_rows(case: Case, reading: Reading) -> list[Row]:
    overall = {"GROWTH": "PD", "ND": "NE"}.get(reading.scan.response, reading.scan.response)
    elsewhere = reading.new or reading.nontarget != "PRESENT"
    values = {
        "TRGRESP": target_response(case, reading) if elsewhere else overall,
        "NTRGRESP": _nontarget(case, reading),
        "NEWLPROG": ("Y" if reading.new else "N") if reading.done else None,
        "OVRLRESP": overall,
    }
    return [
        _response(case, reading, code, "RECIST 1.1", value)
        for code, value in values.items()
        if value is not None
    ]


def _response(case: Case, reading: Reading, code: str, criteria: str, value: str) -> Row:
    return {
        "RSTESTCD": code,
        "RSTEST": RESPONSE_TESTS[code],
        "RSCAT": criteria,
        "RSORRES": value,
        "RSSTRESC": value,
        "RSEVAL": "INVESTIGATOR",
        **_when(case, reading.scan.visit, "RS"),
    }


def _nontarget(case: Case, reading: Reading) -> str | None:
    if not case.imaging.others:
        return None
    if not reading.done:
        return "NE"
    return "PD" if reading.nontarget != "PRESENT" else "NON-CR/NON-PD"


def target_response(case: Case, reading: Reading) -> str:
    """Return the target response of a scan whose progression lies elsewhere.

    Parameters
    ----------
    case : Case
        The participant.
    reading : Reading
        A complete scan.

    Returns
    -------
    str
        PR if the sum is at most 70% of baseline, else SD.

    Raises
    ------
    None
    """
    base = sum(lesion.baseline for lesion in case.imaging.targets)
    total = sum(size for size in reading.diameters if size is not None)
    return "PR" if total <= 0.7 * base + 1e-9 else "SD"
