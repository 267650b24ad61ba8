"""A study of four participants built from tumour records: lesions, reports of two readers, markers, events."""

from __future__ import annotations

import pandas as pd

from interim.adam.model import Adam
from interim.adam.response import derive_response
from interim.adam.tte import derive_adtte
from interim.analysis.trace import Traced
from interim.data.model import Sdtm
from interim.study import Study
from tests.adam.response.conftest import DOSE, adsl, day, make_study, reports, tumour

DAYS = (-7, 42, 84, 126)
SUBJECTS = ("S1", "S2", "S3", "S4")
# S1 responds in the liver and elsewhere, S2 in the liver only, S3 progresses by a new lesion, S4 is not evaluable.
TARGETS = {
    "S1": {"T01": ("LIVER", [100, 60, 50, 50]), "T02": ("LUNG", [50, 30, 30, 30])},
    "S2": {"T01": ("LIVER", [60, 30, 30, 30]), "T02": ("BONE", [60, 60, 60, 80])},
    "S3": {"T01": ("LIVER", [80, 80, 80, 80])},
    "S4": {"T01": ("LIVER", [40, "NOT EVALUABLE", "NOT EVALUABLE", "NOT EVALUABLE"])},
}
NEW = {"S3": {"NEW01": ("BONE", [None, "PRESENT", "PRESENT", "PRESENT"])}}
REPORTED = {
    "S1": ["PR", "PR", "PR"],
    "S2": ["SD", "PR", "PD"],
    "S3": ["PD", "PD", "PD"],
    "S4": ["NE", "NE", "NE"],
}


def source(*, reader: bool = False) -> dict[str, pd.DataFrame]:
    parts: dict[str, list[pd.DataFrame]] = {"TU": [], "TR": [], "RS": []}
    for subject in SUBJECTS:
        tu, tr = tumour(DAYS, TARGETS[subject], None, NEW.get(subject), subject=subject)
        parts["TU"].append(tu)
        parts["TR"].append(tr)
        parts["RS"].append(reports(DAYS[1:], REPORTED[subject], subject=subject))
        if reader:
            other = {"S1": ["SD", "PR", "PR"], "S3": ["SD", "PD", "PD"]}.get(subject, REPORTED[subject])
            parts["RS"].append(reports(DAYS[1:], other, subject=subject, reader="R1"))
    answer = {}
    for name, frames in parts.items():
        frame = pd.concat(frames, ignore_index=True)
        frame[f"{name}SEQ"] = frame.groupby("USUBJID").cumcount() + 1.0
        frame["SRCFILE"] = f"{name.lower()}.csv"
        frame["SRCROW"] = range(2, len(frame) + 2)
        if name == "TR":
            frame["TRORRES"] = frame["TRSTRESC"]
        answer[name] = frame
    return answer


def people() -> pd.DataFrame:
    frame = adsl(*SUBJECTS)
    for flag in ("ENRLFL", "FASFL", "SAFNKFL", "RESFL"):
        frame[flag] = "Y"
    frame = frame.assign(SAFCTFL="Y", COHORT="DL1", COHORTA="DL1", EOSSTT="ONGOING")
    frame.loc[frame["USUBJID"] == "S4", "DTHDT"] = DOSE + pd.Timedelta(days=150)
    frame["LSTALVDT"] = DOSE + pd.Timedelta(days=149)
    died = frame["USUBJID"] == "S4"
    return frame.assign(
        DTHDOM=[("DS" if d else None) for d in died], DTHSEQ=[("1" if d else None) for d in died]
    )


def markers() -> pd.DataFrame:
    rows = [
        ("S1", -3, 20.0),
        ("S1", 42, 14.0),
        ("S2", -3, 20.0),
        ("S2", 42, 14.1),
        ("S3", -3, 4.0),
        ("S3", 42, 1.0),
        ("S4", -9, 3.0),
        ("S4", -3, 9.0),
    ]
    frame = pd.DataFrame(rows, columns=["USUBJID", "DAY", "AVAL"])
    at = DOSE + pd.to_timedelta(frame["DAY"], unit="D")
    return frame.drop(columns="DAY").assign(PARAMCD="CEA", ADT=at, ANRHI=5.0)


def ladder() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ADDLT and ADAE: S1 with a DLT, S2 with an event that is none, S3 pending."""
    window = {"DLTWSDT": DOSE + pd.Timedelta(days=10), "DLTWEDT": DOSE + pd.Timedelta(days=25)}
    at = DOSE + pd.Timedelta(days=12)
    base = {"COHORT": "DL1", **window, "DLTSTAT": "EVALUABLE", "DLTSTRS": None, "DLTFL": "N", "DLTDT": pd.NaT}
    addlt = pd.DataFrame(
        [
            {**base, "USUBJID": "S1", "DLTFL": "Y", "DLTDT": at},
            {**base, "USUBJID": "S2"},
            {
                **base,
                "USUBJID": "S3",
                "DLTWSDT": pd.NaT,
                "DLTWEDT": pd.NaT,
                "DLTSTAT": "NOT EVALUABLE",
                "DLTSTRS": "NO-CART",
            },
        ]
    )
    event = {"ASTDT": at, "DLTWINFL": "Y", "SRCDOM": "AE", "SRCSEQ": "1", "DLTFL": "N", "DLTRULE": None}
    adae = pd.DataFrame(
        [
            {
                **event,
                "USUBJID": "S1",
                "AEDECOD": "Hepatitis",
                "AETOXGRN": 3.0,
                "DLTFL": "Y",
                "DLTRULE": "SITE",
            },
            {**event, "USUBJID": "S2", "AEDECOD": "Nausea", "AETOXGRN": float("nan")},
        ]
    )
    return addlt, adae


def build(study: Study | None = None, *, reader: bool = False, **replace: pd.DataFrame | None) -> Traced:
    """Return datasets, source and study; a dataset given as None is absent."""
    study = study or make_study()
    domains = source(reader=reader)
    domains["DS"] = pd.DataFrame({"USUBJID": ["S4"], "DSSEQ": [1.0], "SRCFILE": ["ds.csv"], "SRCROW": [7]})
    domains["AE"] = pd.DataFrame(
        {"USUBJID": ["S1", "S2"], "AESEQ": [1.0, 1.0], "SRCFILE": ["ae.csv"] * 2, "SRCROW": [2, 3]}
    )
    sdtm = Sdtm(domains, cut=study.cut)
    base = people()
    found = derive_response(
        Sdtm({k: domains[k] for k in ("TU", "TR", "RS")}, cut=study.cut), base, study=study
    )
    addlt, adae = ladder()
    sets = {
        "ADSL": base,
        "ADTR": found.adtr,
        "ADRS": found.adrs,
        "ADTTE": derive_adtte(base, found.adrs, study=study).frame,
        "ADLB": markers(),
        "ADDLT": addlt,
        "ADAE": adae,
        **replace,
    }
    kept = {name: frame for name, frame in sets.items() if frame is not None}
    gone = {name: f"no source for {name}" for name, frame in sets.items() if frame is None}
    return Traced(Adam(kept, study.cut, found.findings, gone, found.rules), sdtm, study)


__all__ = ["DOSE", "SUBJECTS", "build", "day", "make_study"]
