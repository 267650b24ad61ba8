"""The nine endpoints of the subgroups, as arrays over given participants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from interim.adam.adae_attributes import scale_grade
from interim.adam.model import Adam
from interim.analysis.measures import layout
from interim.analysis.population import SETS, efficacy_set
from interim.analysis.response import CATEGORIES, best_change, chosen, disease_control, responders
from interim.analysis.safety import has_grades
from interim.analysis.subgroups.model import Kind, Outcome
from interim.study import Study

GRADE_CRS, GRADE_RELATED = 2, 3
BOR_RANKS = {"CR": 4.0, "PR": 3.0, "SD": 2.0, "NON-CR/NON-PD": 2.0, "PD": 1.0}
_PEAK_COLUMNS = ("USUBJID", "PARAMCD", "PRODUCT", "ASSAY", "CLOCK", "ACYCLE", "AVAL", "AVALU")

Values = Mapping[str, float]


@dataclass(frozen=True)
class Reading:
    """How an endpoint is read from the analysis datasets.

    Attributes
    ----------
    kind : {"binary", "time", "ordinal", "continuous"}
        Kind of endpoint.
    population : str
        Code of the set; empty: the efficacy set.
    needs : tuple of str
        Datasets.
    read : callable
        (adam, study) -> USUBJID -> value; for a binary endpoint only those with an event; or a text: why it is not available.
    """

    kind: Kind
    population: str
    needs: tuple[str, ...]
    read: Callable[[Adam, Study], Values | str]


def outcomes(
    adam: Adam, study: Study, subjects: Sequence[str], *, endpoints: Iterable[str]
) -> dict[str, Outcome]:
    """Return endpoints over participants.

    Parameters
    ----------
    adam : Adam
        ADSL; ADRS, ADTR, ADTTE, ADAE, ADPP as far as they exist.
    study : Study
        Evaluator, confirmation, scale of the cytokine release syndrome.
    subjects : sequence of str
        USUBJIDs.
    endpoints : iterable of str
        Names of `ENDPOINTS`.

    Returns
    -------
    dict of str to Outcome
        In the given order; an endpoint that is not available has its reason and no value.

    Raises
    ------
    KeyError
        If an endpoint is unknown.
    """
    return {name: _outcome(adam, study, subjects, name) for name in endpoints}


def _outcome(adam: Adam, study: Study, subjects: Sequence[str], name: str) -> Outcome:
    reading = READINGS[name]
    code = reading.population or efficacy_set(study)
    role = SETS[code].role if code in SETS else "t"
    absent = next((item for item in reading.needs if not adam.has(item)), None)
    found: Values | str
    if role and not study.with_role("t"):
        found = "not applicable: the study has no such product"
    elif absent is not None:
        found = f"not available: {adam.missing.get(absent, f'no dataset {absent}')}"
    else:
        found = reading.read(adam, study)
    empty = np.full(len(subjects), np.nan)
    none = np.zeros(len(subjects), dtype=np.bool_)
    if isinstance(found, str):
        return Outcome(name, reading.kind, empty, none, code, found)
    inside = _set(adam, code, subjects)
    values = np.array([found.get(subject, np.nan) for subject in subjects], dtype=np.float64)
    if reading.kind == "binary":
        values = np.nan_to_num(values)
    events = _events(adam, name, subjects) if reading.kind == "time" else none
    values = np.where(inside, values, np.nan)
    return Outcome(name, reading.kind, values, events & inside, code, unit=_unit(adam, study, name))


def _set(adam: Adam, code: str, subjects: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if code not in SETS:
        return np.ones(len(subjects), dtype=np.bool_)
    adsl = adam["ADSL"]
    members = frozenset(adsl.loc[adsl[SETS[code].flag] == "Y", "USUBJID"])
    return np.array([subject in members for subject in subjects], dtype=np.bool_)


def _events(adam: Adam, name: str, subjects: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    adtte = adam["ADTTE"]
    hit = frozenset(adtte.loc[(adtte["PARAMCD"] == name.upper()) & (adtte["CNSR"] == 0), "USUBJID"])
    return np.array([subject in hit for subject in subjects], dtype=np.bool_)


def _prefix(study: Study) -> str:
    return "C" if study.response.confirmation_required else ""


def _response(adam: Adam, study: Study) -> Values | str:
    if reason := adam.lacks(f"ADRS.{_prefix(study)}RSP"):
        return f"not available: {reason}"
    return dict.fromkeys(responders(adam, study, confirmed=study.response.confirmation_required), 1.0)


def _control(adam: Adam, study: Study) -> Values | str:
    if reason := adam.lacks(f"ADRS.{_prefix(study)}DCR"):
        return f"not available: {reason}"
    return dict.fromkeys(disease_control(adam, study, confirmed=study.response.confirmation_required), 1.0)


def _best(adam: Adam, study: Study) -> Values | str:
    parameter = f"{_prefix(study)}BOR"
    if reason := adam.lacks(f"ADRS.{parameter}"):
        return f"not available: {reason}"
    rows = chosen(adam, study, parameter)
    ranks = rows["AVALC"].map(BOR_RANKS)
    return {str(who): float(rank) for who, rank in zip(rows["USUBJID"], ranks, strict=True) if rank == rank}


def _time(name: str) -> Callable[[Adam, Study], Values | str]:
    def read(adam: Adam, study: Study) -> Values | str:
        adtte = adam["ADTTE"]
        rows = adtte[adtte["PARAMCD"] == name]
        if rows.empty:
            return f"not available: ADTTE holds no {name}"
        return dict(zip(rows["USUBJID"].astype(str), rows["AVAL"].astype(float), strict=True))

    return read


def _depth(adam: Adam, study: Study) -> Values:
    frame = best_change(adam, study).frame
    rows = frame[(frame["variable"] == "best_change") & (frame["stat"] == "pchg") & (frame["status"] == "OK")]
    return dict(zip(rows["level"].astype(str), rows["value"].astype(float), strict=True))


def _dlt(adam: Adam, study: Study) -> Values:
    adsl = adam["ADSL"]
    return dict.fromkeys(adsl.loc[adsl["DLTFL"] == "Y", "USUBJID"], 1.0)


def _release(adam: Adam, study: Study) -> Values | str:
    adae = adam["ADAE"]
    scale = study.titration_trigger.crs_scale
    needs = {"ctcae5": ["AETOXGRN"], "astct2019": ["ASTCTGRN"], "either": ["AETOXGRN", "ASTCTGRN"]}[scale]
    if scale == study.dose.dlt_crs_scale and "CRSGR" in adae:
        grades = pd.to_numeric(adae["CRSGR"])
    elif set(needs) | {"CRSFL"} <= set(adae.columns):
        grades = scale_grade(adae, scale).where(adae["CRSFL"] == "Y")
    else:
        return f"not collected: {', '.join(needs)}"
    hit = (grades >= GRADE_CRS) & (adae["TRTEMFL"] == "Y")
    return dict.fromkeys(adae.loc[hit, "USUBJID"], 1.0)


def _related(adam: Adam, study: Study) -> Values | str:
    adae = adam["ADAE"]
    if not has_grades(adae):
        return "not available: no toxicity grades"
    if "RELCELL" not in adae:
        return "not collected: relation to a cell product"
    hit = (adae["AETOXGRN"] >= GRADE_RELATED) & (adae["RELCELL"] == "Y") & (adae["TRTEMFL"] == "Y")
    return dict.fromkeys(adae.loc[hit, "USUBJID"], 1.0)


def _peak_rows(adam: Adam, study: Study) -> pd.DataFrame:
    """Return the peaks of the first cycle of one assay: levels of different assays have different units."""
    adpp = adam["ADPP"]
    products = [product.id for product in study.with_role("t")]
    first = (adpp["CLOCK"] == "CYCLE") & (pd.to_numeric(adpp["ACYCLE"], errors="coerce") == 1)
    keep = (adpp["PARAMCD"] == "CMAX") & adpp["PRODUCT"].isin(products) & first & adpp["AVAL"].notna()
    rows = adpp[keep]
    wanted = rows[rows["AVALU"].isin(layout()["peak"]["units"])]
    chosen = rows if wanted.empty else wanted
    counts = chosen.groupby("ASSAY")["USUBJID"].nunique().sort_index()
    return chosen[chosen["ASSAY"] == counts.idxmax()] if len(counts) else chosen


def _peak(adam: Adam, study: Study) -> Values | str:
    gone = [name for name in _PEAK_COLUMNS if name not in adam["ADPP"]]
    if gone:
        return f"not available: ADPP lacks {', '.join(gone)}"
    rows = _peak_rows(adam, study)
    if rows.empty:
        return "not available: no peak of the first cycle"
    top = rows.sort_values(["USUBJID", "AVAL"], kind="stable").drop_duplicates("USUBJID", keep="last")
    half = _half_limits(adam, str(top["ASSAY"].iloc[0]))
    pairs = zip(top["USUBJID"].astype(str), top["AVAL"].astype(float), strict=True)
    return {who: value if value > 0 else half.get(who, value) for who, value in pairs}


def _half_limits(adam: Adam, assay: str) -> Values:
    """Return half the lower limit of an assay by participant: the peak of those with no sample above it."""
    if not adam.has("ADPC") or "ALLOQ" not in adam["ADPC"]:
        return {}
    mine = adam["ADPC"].loc[lambda frame: (frame["PARAMCD"] == assay) & frame["ALLOQ"].notna()]
    return {str(who): float(limit) / 2 for who, limit in mine.groupby("USUBJID")["ALLOQ"].min().items()}


def _unit(adam: Adam, study: Study, name: str) -> str:
    if name != "cmax":
        return "%" if name == "depth" else ""
    units = _peak_rows(adam, study)["AVALU"].dropna()
    return str(units.iloc[0]) if len(units) else ""


READINGS: Mapping[str, Reading] = {
    "orr": Reading("binary", "", ("ADRS",), _response),
    "dcr": Reading("binary", "", ("ADRS",), _control),
    "bor": Reading("ordinal", "", ("ADRS",), _best),
    "pfs": Reading("time", "", ("ADTTE",), _time("PFS")),
    "os": Reading("time", "", ("ADTTE",), _time("OS")),
    "depth": Reading("continuous", "RE", ("ADTR", "ADRS"), _depth),
    "dlt": Reading("binary", "DLT-EV", ("ADSL",), _dlt),
    "crs2": Reading("binary", "CART-SAF", ("ADAE",), _release),
    "g3rel": Reading("binary", "NK-SAF", ("ADAE",), _related),
    "cmax": Reading("continuous", "CK", ("ADPP",), _peak),
}
ENDPOINTS = tuple(READINGS)
BEST_RESPONSES = CATEGORIES
