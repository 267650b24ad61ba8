"""LB: haematology, chemistry, tumour markers and cytokines along the visits."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log

import numpy as np

from interim.example.case import Case, Row
from interim.example.lesions import waning
from interim.example.settings import csv_file, numbers
from interim.example.toxicity import Event
from interim.example.visits import Visit

CLOCK = "07:00"
CELLS_COUNTED = ("NEUT", "LYM", "EOS", "BASO", "MONO")
PEAK = {"CRP": 2.5, "FERRITIN": 1.8}
SPECIMEN = {"HEMATOLOGY": "BLOOD", "COAGULATION": "PLASMA"}
CYTOKINE_KEYS = {"IL6": "IL6", "IFNG": "IFNg", "IL10": "IL10", "TNFA": "TNFa", "IL2": "IL2"}
LAST_CYTOKINE_DAY = 29


def laboratory(case: Case) -> list[Row]:
    """Write LB.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        One row per analyte and draw; NOT DONE rows where a draw was missed.

    Raises
    ------
    None

    Notes
    -----
    Outside laboratory adverse events every value stays below grade 3; during one it has exactly the grade of the event.
    """
    rng = case.person.rng("LB")
    rows: list[Row] = []
    for visit in case.visits:
        missed = _missed(rng, case, visit)
        drawn = _draw(rng, case, visit)
        for row in _panel(case, visit):
            value = None if row["panel"] in missed else drawn[row["code"]]
            rows.append(_lb(case, visit, row, value))
    return rows


def _panel(case: Case, visit: Visit) -> list[Mapping[str, str]]:
    """Return the analytes of a visit."""
    panels = {"safety"} | ({"full"} if visit.labs == "full" else set())
    if visit.kind in ("screening", "scan") or visit.name.endswith(("DAY 0", "WEEK 4")):
        panels.add("marker")
    if case.person.treated and 0 <= visit.day <= case.person.cart + LAST_CYTOKINE_DAY:
        panels.add("cytokine")
    return [row for row in csv_file("analytes.csv") if row["panel"] in panels]


def _missed(rng: np.random.Generator, case: Case, visit: Visit) -> set[str]:
    """Return the panels not drawn; baseline and the days of events are complete."""
    draws = rng.random(2)
    complete = (
        visit.day <= 0 or visit.kind == "unscheduled" or any(_during(e, visit.day) for e in case.events)
    )
    if complete:
        return set()
    full = {"safety", "full", "marker"} if draws[0] < numbers("missing.planned_lab") else set()
    return full | ({"cytokine"} if draws[1] < numbers("missing.cytokine_sample") else set())


def _during(event: Event, day: int) -> bool:
    return event.lab is not None and event.start <= day and (event.end is None or day <= event.end)


def _draw(rng: np.random.Generator, case: Case, visit: Visit) -> dict[str, float]:
    """Draw all analytes of a visit, the leukocytes as the sum of their kinds."""
    rows = csv_file("analytes.csv")
    scores = rng.standard_normal(len(rows))
    level = rng.random(len(rows))
    values: dict[str, float] = {}
    for row, z, u in zip(rows, scores, level, strict=True):
        code = row["code"]
        event = next((e for e in case.events if e.lab and e.lab[0] == code and _during(e, visit.day)), None)
        if event is not None and event.lab is not None:
            value = event.lab[1] + u * (event.lab[2] - event.lab[1])
        else:
            value = _expected(case, visit.day, code) * exp(float(row["cv"]) * z)
            value = min(max(value, float(row["floor"])), float(row["ceiling"]))
        values[code] = round(value, int(row["digits"]))
    values["WBC"] = max(round(sum(values[code] for code in CELLS_COUNTED), 2), 2.05)
    return values


def _expected(case: Case, day: int, code: str) -> float:
    base = case.traits.labs[code]
    if code in ("CEA", "CA199", "CA724"):
        return base * waning(day, case.course.response) if base > 2 else base
    if code in PEAK:
        return base * exp(PEAK[code] * _inflammation(case, day))
    if code in CYTOKINE_KEYS:
        return _cytokine(case, day, code, base)
    if code == "LYM" and any(0 < day - given <= 4 for _, _, given in case.infusions):
        return 0.8 * base
    return base


def _inflammation(case: Case, day: int) -> float:
    """Return 0 to about 1: highest the day after the onset of a cytokine release syndrome of grade 3."""
    crs = case.crs
    if crs is None or day < crs.start:
        return 0.0
    return (0.3 + 0.25 * crs.grade) * exp(-abs(day - crs.start - 1) / 3)


def _cytokine(case: Case, day: int, code: str, base: float) -> float:
    """Return the level on the way to and from the peak that belongs to the grade, on the log scale."""
    table = numbers(f"cytokines.{CYTOKINE_KEYS[code]}")
    crs = case.crs
    top = crs.start + 1 if crs is not None else case.person.cart + 3
    peaks = table.get("peak_by_CRS", {})
    peak = peaks.get(str(crs.grade if crs is not None else 0), table.get("peak", base))
    near = exp(-abs(day - top) / 2.5) if day > 0 else 0.0
    return float(base * exp(near * max(0.0, log(peak / base))))


def _lloq(code: str) -> float | None:
    return numbers(f"cytokines.{CYTOKINE_KEYS[code]}").get("lloq") if code in CYTOKINE_KEYS else None


def _lb(case: Case, visit: Visit, row: Mapping[str, str], value: float | None) -> Row:
    lloq = _lloq(row["code"])
    below = value is not None and lloq is not None and value < lloq
    number = None if value is None or below else value
    text = None if value is None else f"<{lloq:g}" if below else f"{value:.{row['digits']}f}"
    low, high = float(row["lo"]), float(row["hi"])
    return {
        "LBTESTCD": row["code"],
        "LBTEST": row["test"],
        "LBCAT": row["category"],
        "LBORRES": text,
        "LBORRESU": row["unit"],
        "LBORNRLO": row["lo"],
        "LBORNRHI": row["hi"],
        "LBSTRESC": text,
        "LBSTRESN": number,
        "LBSTRESU": row["unit"],
        "LBSTNRLO": low,
        "LBSTNRHI": high,
        "LBNRIND": None if value is None else "LOW" if value < low else "HIGH" if value > high else "NORMAL",
        "LBSTAT": "NOT DONE" if value is None else None,
        "LBREASND": "sample not drawn" if value is None else None,
        "LBSPEC": SPECIMEN.get(row["category"], "SERUM"),
        "VISITNUM": visit.number,
        "VISIT": visit.name,
        "LBTPT": "PRE-DOSE" if visit.kind == "infusion" else None,
        "LBDTC": case.person.at(visit.day, CLOCK),
    }
