"""PC: the products in blood and in liver metastases over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any

import numpy as np

from interim.example.case import BIOPSY_DAY, Case, Row
from interim.example.settings import codes, numbers
from interim.example.stream import lognormal

CLOCK, INFUSION = "09:30", "10:00"
RISE, TAIL, TAIL_RATE = 0.75, 0.06, 0.004
LATE, MARGIN = 90, 1.4
EARLIEST_PEAK, LATEST_PEAK = 4.0, 14.0
ERROR = 0.15
Curve = Callable[[float], float]


@dataclass(frozen=True)
class Sample:
    """One planned sample.

    Attributes
    ----------
    day : int
        Day from the first NK infusion.
    nominal : int
        Days after the reference infusion by plan.
    reference : str
        PCTPTREF.
    start : int
        Day of the reference infusion.
    specimen : str
        PCSPEC.
    visit : tuple of (float or None, str or None)
        VISITNUM and VISIT.
    """

    day: int
    nominal: int
    reference: str
    start: int
    specimen: str = "BLOOD"
    visit: tuple[float | None, str | None] = (None, None)


def kinetics(case: Case) -> list[Row]:
    """Write PC.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        CAR-NK after the NK infusions, CAR-T after the CAR-T infusions (transgene copies and cells), CAR-T in a biopsy.

    Raises
    ------
    None

    Notes
    -----
    A curve rises, peaks and decays in two phases; a second cycle adds a curve scaled by an own ratio. Values below the limit of
    quantification are written as ``<`` limit, samples that were not drawn as NOT DONE.
    """
    if not case.person.treated:
        return []
    rng = case.person.rng("PC")
    curves = {"CAR-NK": nk_curve(rng), "CAR-T": cart_curve(rng, case)}
    rows: list[Row] = []
    for product, curve in curves.items():
        assays = {code: assay for code, assay in codes("assay").items() if assay["product"] == product}
        for sample in _samples(case, product):
            missed = rng.random() < numbers("missing.kinetics_sample") and sample.nominal > 0
            for code, assay in assays.items():
                noise = exp(ERROR * float(rng.standard_normal()))
                value = (
                    curve(sample.day - sample.start)
                    if "C2" not in sample.reference
                    else curve(sample.day - case.person.cart)
                )
                rows.append(_pc(case, (code, assay), sample, None if missed else value * noise))
    tissue = case.second_biopsy
    if tissue is not None:
        ratio = numbers("kinetics.tissue.liver_met_to_blood_ratio")
        factor = lognormal(rng, ratio["median"], ratio["gsd"])
        sample = Sample(tissue, BIOPSY_DAY, "CAR-T C1D1", case.person.cart, "LIVER MET")
        value = curves["CAR-T"](tissue - case.person.cart) * factor
        rows.append(_pc(case, ("CARTG", codes("assay")["CARTG"]), sample, value))
    return rows


def _samples(case: Case, product: str) -> list[Sample]:
    """Return the samples at the visits made."""
    if product == "CAR-T" and case.person.level is None:
        return []
    plan = codes("samples")[product]
    starts = {"CAR-NK D0": 0, "CAR-T C1D1": case.person.cart, "CAR-T C2D1": case.cycle2}
    found = []
    for visit in case.visits:
        nominal, reference = plan.get(f"{visit.number:g}", (None, ""))
        start = starts.get(reference)
        if nominal is not None and start is not None:
            found.append(Sample(visit.day, nominal, reference, start, visit=(visit.number, visit.name)))
    return found


def _peak(rng: np.random.Generator, median: float, gcv_pct: float) -> float:
    """Draw a peak by its geometric mean and geometric coefficient of variation."""
    return lognormal(rng, median, exp(sqrt(log(1 + (gcv_pct / 100) ** 2))))


def nk_curve(rng: np.random.Generator) -> Curve:
    """Draw the curve of the CAR-NK signal.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream.

    Returns
    -------
    callable
        Days after the first infusion to copies per ug of DNA; 0 before.

    Raises
    ------
    None
    """
    table = numbers("kinetics.NK")
    top = _peak(rng, table["Cmax_gm"], table["gcv_pct"])
    rate = log(2) / table["t_half_d"]
    return lambda day: 0.0 if day <= 0 else top * exp(-rate * (day - table["peak_d"]))


def cart_curve(rng: np.random.Generator, case: Case) -> Curve:
    """Draw the curve of the CAR-T transgene.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream.
    case : Case
        Dose level and second cycle.

    Returns
    -------
    callable
        Days after the first infusion to copies per ug of DNA; 0 before.

    Raises
    ------
    None

    Notes
    -----
    Whether the cells persist on day 90 is drawn first: the tail or the decay is then as high or as fast as that needs.
    """
    table = numbers("kinetics.CART")
    top = _peak(rng, table["Cmax_gm_by_dose"][(case.person.level or 1) - 1], table["gcv_pct"])
    peak = lognormal(rng, table["Tmax_d"]["median"], table["Tmax_d"]["gsd"])
    peak = min(max(peak, EARLIEST_PEAK), LATEST_PEAK)
    rate = log(2) / lognormal(rng, table["t_half_d"]["median"], table["t_half_d"]["gsd"])
    persists = rng.random() < table["persist_d90"]
    ratio = lognormal(rng, table["cycle2_ratio"]["median"], table["cycle2_ratio"]["gsd"])
    second = None if case.cycle2 is None else case.cycle2 - case.person.cart
    limit = MARGIN * numbers("kinetics.LLOQ") / top
    tail = max(TAIL, limit * exp(TAIL_RATE * LATE)) if persists else 0.0
    if not persists:
        last = LATE - peak - (second or 0)
        rate = max(rate, log(max((1 + ratio * (second is not None)) * MARGIN**2 / limit, 1.0)) / last)

    def one(day: float) -> float:
        if day <= 0:
            return 0.0
        if day < peak:
            return top * exp(-RISE * (peak - day))
        return top * ((1 - tail) * exp(-rate * (day - peak)) + tail * exp(-TAIL_RATE * (day - peak)))

    return lambda day: one(day) + (0.0 if second is None else ratio * one(day - second))


def _pc(case: Case, assay: tuple[str, Any], sample: Sample, value: float | None) -> Row:
    code, facts = assay
    lloq = float(facts["lloq"])
    shown = None if value is None else float(f"{min(value * facts['factor'], facts['uloq']):.3g}")
    below = shown is not None and shown < lloq
    text = None if shown is None else f"<{lloq:g}" if below else f"{shown:g}"
    return {
        "PCTESTCD": code,
        "PCTEST": facts["name"],
        "PCCAT": facts["product"],
        "PCSPEC": sample.specimen,
        "PCMETHOD": facts["method"],
        "PCORRES": text,
        "PCORRESU": facts["unit"],
        "PCSTRESC": text,
        "PCSTRESN": None if below else shown,
        "PCSTRESU": facts["unit"],
        "PCLLOQ": lloq,
        "PCSTAT": "NOT DONE" if shown is None else None,
        "PCREASND": "sample not drawn" if shown is None else None,
        "VISITNUM": sample.visit[0],
        "VISIT": sample.visit[1],
        "PCTPT": "PRE-DOSE" if sample.nominal == 0 else f"DAY {sample.nominal}",
        "PCTPTNUM": sample.nominal,
        "PCELTM": f"P{sample.nominal}D",
        "PCTPTREF": sample.reference,
        "PCRFTDTC": case.person.at(sample.start, INFUSION),
        "PCDTC": case.person.at(sample.day, CLOCK),
    }
