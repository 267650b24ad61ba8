"""A small study written by hand: 21 screened, 16 enrolled, 15 treated, 13 with CAR-T; every number can be counted by eye."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.errors import Finding
from interim.study import Study, read_study

ROOT = Path(__file__).resolve().parents[2]
DAY0 = pd.Timestamp("2025-01-06")
CUT = pd.Timestamp("2026-06-30")
LEVELS = {"DL1": [1], "DL2": [2, 3, 4], "DL3": [5, 6, 7, 8, 9, 10], "DL4": [11, 12, 13], "NK only": [14, 15]}
# CAR+ cells per kg.
DOSES = {"DL1": 1.5e7, "DL2": 3e7, "DL3": 5e7, "DL4": 7e7}
COHORT = {number: code for code, numbers in LEVELS.items() for number in numbers}
# Best response: unconfirmed, confirmed, reason of the confirmed one.
BEST = {
    1: ("SD", "SD", "C-SD"),
    2: ("SD", "SD", "C-SD"),
    3: ("SD", "SD", "C-SD"),
    4: ("PD", "PD", "C-PD"),
    5: ("PR", "PR", "C-PR"),
    6: ("SD", "SD", "C-SD"),
    7: ("PD", "PD", "C-PD"),
    8: ("SD", "SD", "C-SD"),
    9: ("SD", "SD", "C-SD"),
    10: ("PD", "PD", "C-PD"),
    11: ("PR", "SD", "C-SD-UNCONF;C-PENDING"),
    12: ("SD", "SD", "C-SD"),
    13: ("NE", "NE", "B-NE-ALL"),
    14: ("PD", "PD", "C-PD"),
    15: ("NE", "NE", "B-NE-DEATH"),
}
# Percentage changes of complete sums by visit; None: incomplete sum.
CHANGES = {
    1: [-5.0, 4.0],
    2: [-12.0],
    3: [0.0],
    4: [22.5],
    5: [-35.0, -48.0],
    6: [-20.0],
    7: [31.0],
    8: [8.0],
    9: [-28.0],
    10: [25.0],
    11: [-33.0],
    12: [-10.0],
    13: [None],
    14: [40.0],
}
# Endpoint: participant -> (days, censored code, reason).
PFS = {
    1: (200, 1, "K-CUT"),
    2: (120, 0, "E-PD"),
    3: (90, 0, "E-PD"),
    4: (50, 0, "E-PD"),
    5: (300, 1, "K-CUT"),
}
PFS |= {
    6: (150, 0, "E-PD"),
    7: (45, 0, "E-PD"),
    8: (110, 3, "K-NACT"),
    9: (180, 0, "E-PD"),
    10: (48, 0, "E-PD"),
}
PFS |= {
    11: (100, 1, "K-CUT"),
    12: (100, 1, "K-CUT"),
    13: (1, 6, "K-NOPOST"),
    14: (40, 0, "E-PD"),
    15: (30, 0, "E-DEATH"),
}
OS = {n: (400 - 10 * n, 7, "K-ALIVE") for n in range(1, 16)} | {
    4: (210, 0, "E-DEATH"),
    15: (30, 0, "E-DEATH"),
}


def uid(number: int) -> str:
    return f"SYN-{number:02d}"


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("params")
    file = folder / "hand.toml"
    base = ROOT / "params" / "nct07021534.toml"
    file.write_text(
        f'extends = "{base.as_posix()}"\n[study]\nid = "SYN"\nlabel = "SYNTHETIC - NOT PATIENT DATA"\n'
        '[data]\npath = "none"\ncut_date = 2026-06-30\n'
    )
    return read_study(file)


@pytest.fixture(scope="session")
def arms(tmp_path_factory) -> Study:
    """A study of one other product with arms as cohorts."""
    file = tmp_path_factory.mktemp("arms") / "arms.toml"
    file.write_text(
        '[study]\nid = "ARMS"\n[data]\npath = "none"\ncut_date = 2026-06-30\n'
        '[[products]]\nid = "PATCH"\nextrt = ["PATCH"]\nrole = "other"\n'
        '[cohort]\nvariable = "ARMCD"\nlabels = { Pbo = "Placebo", Hi = "High dose" }\n'
    )
    return read_study(file)


def adsl() -> pd.DataFrame:
    rows = []
    for n in range(1, 22):
        treated, cart = n <= 15, n <= 13
        start = DAY0 + pd.Timedelta(days=14 * n) if treated else pd.NaT
        dead = n in (4, 15)
        rows.append(
            {
                "USUBJID": uid(n),
                "SUBJID": f"{n:02d}",
                "AGE": float(40 + 2 * n),
                "SEX": "F" if n % 2 else "M",
                "COHORT": COHORT.get(n),
                "COHORTA": "DL3" if n == 12 else COHORT.get(n),
                "ENRLFL": "Y" if n <= 16 else "N",
                "ENRLRS": None if n <= 16 else ("NO-CONSENT" if n == 17 else "SCREEN-FAIL"),
                "SAFNKFL": "Y" if treated else "N",
                "SAFNKRS": None if treated else "NO-NK",
                "SAFCTFL": "Y" if cart else "N",
                "SAFCTRS": None if cart else ("NO-CART: MANUFACTURING" if n == 14 else "NO-CART"),
                "DLTEVFL": "Y" if cart else "N",
                "DLTEVRS": None if cart else "NO-CART",
                "DLTFL": "Y" if n == 7 else "N",
                "DLTWSDT": start + pd.Timedelta(days=10) if cart else pd.NaT,
                "DLTWEDT": start + pd.Timedelta(days=25) if cart else pd.NaT,
                "FASFL": "Y" if treated else "N",
                "FASRS": None if treated else "NO-NK",
                "RESFL": "Y" if treated and n != 13 else "N",
                "RESRS": None if treated and n != 13 else "NO-POST",
                "RESPFL": "Y" if n == 5 else "N",
                "RESPRS": None if n == 5 else "NO-RESPONSE",
                "TRTSDT": start,
                "TRTSCT": start + pd.Timedelta(days=10) if cart else pd.NaT,
                "NACTDT": start + pd.Timedelta(days=112) if n == 8 else pd.NaT,
                "DTHDT": start + pd.Timedelta(days=29 if n == 15 else 209) if dead else pd.NaT,
                "DTHFL": "Y" if dead else "N",
                "EOSDT": start + pd.Timedelta(days=209) if n == 4 else pd.NaT,
                "EOSSTT": "DISCONTINUED" if n in (4, 15, 16) else "ONGOING",
                "DCSREAS": {4: "DEATH", 15: "DEATH", 16: "WITHDRAWAL BY SUBJECT"}.get(n),
                "DCUTDT": CUT,
                "ECOGBL": float(n % 2),
                "WEIGHTBL": 60.5 + n,
                "TUMTYPE": "CRC" if n <= 10 else ("GASTRIC" if n <= 13 else None),
                "PRLINES": float(2 + n % 3),
                "BSLD": float(50 + n),
                "NLRBL": 2.0 + n / 4,
                "CEAULN": float("nan"),
                "METSITE": "LIVER ONLY" if n % 3 else "LIVER + EXTRAHEPATIC",
            }
        )
    frame = pd.DataFrame(rows)
    frame.loc[frame["USUBJID"] == uid(15), "EOSDT"] = frame.loc[frame["USUBJID"] == uid(15), "DTHDT"]
    return frame


def adex(frame: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for row in frame[frame["SAFNKFL"] == "Y"].to_dict("records"):
        plan = [("CARNK", "NK", 0), ("CARNK", "NK", 1)]
        if row["SAFCTFL"] == "Y":
            plan += [
                ("CART", "CART_C1", 10),
                ("CART", "CART_C1", 11),
                ("CART", "CART_C2", 24),
                ("CART", "CART_C2", 25),
            ]
        for sequence, (product, phase, day) in enumerate(plan, 1):
            date = row["TRTSDT"] + pd.Timedelta(days=day)
            planned = {"CARNK": 1e9 * sequence}.get(
                product, DOSES.get(row["COHORT"], float("nan")) * row["WEIGHTBL"]
            )
            given = planned * (0.95 if product == "CART" else 1.0)
            rows.append(
                {
                    "USUBJID": row["USUBJID"],
                    "PRODUCT": product,
                    "ROLE": {"CARNK": "nk"}.get(product, "t"),
                    "APHASE": phase,
                    "ACYCLE": {"CART_C1": 1.0, "CART_C2": 2.0}.get(phase, float("nan")),
                    "ASTDT": date,
                    "ASTDTM": date + pd.Timedelta(hours=10),
                    "ADOSE": given,
                    "DOSEU": "cells",
                    "PLANDOSE": planned,
                    "WEIGHT": row["WEIGHTBL"],
                    "DOSEKG": given / row["WEIGHTBL"],
                    "SRCDOM": "EX",
                    "SRCSEQ": str(sequence),
                }
            )
    return pd.DataFrame(rows)


AES = [
    # participant, term, class, grade, serious, NK, CAR-T, CRS grade, DLT, emergent
    (1, "Pyrexia", "General disorders", 1, "N", "Y", "N", None, "N", "Y"),
    (1, "Pyrexia", "General disorders", 2, "N", "N", "Y", None, "N", "Y"),
    (2, "Cytokine release syndrome", "Immune system disorders", 2, "N", "N", "Y", 2, "N", "Y"),
    (5, "Pyrexia", "General disorders", 3, "Y", "N", "Y", None, "N", "Y"),
    (7, "Hepatic enzyme increased", "Investigations", 3, "Y", "N", "Y", None, "Y", "Y"),
    (7, "Cytokine release syndrome", "Immune system disorders", 3, "Y", "N", "Y", 3, "N", "Y"),
    (8, "Nausea", "Gastrointestinal disorders", None, "N", "N", "N", None, "N", "Y"),
    (12, "Pyrexia", "General disorders", 1, "N", "N", "N", None, "N", "Y"),
    (14, "Fatigue", "General disorders", 2, "N", "Y", "N", None, "N", "Y"),
    (15, "Sepsis", "Infections and infestations", 5, "Y", "N", "N", None, "N", "Y"),
    (9, "Pyrexia", "General disorders", 4, "Y", "N", "N", None, "N", "N"),
    (10, None, None, 1, "N", "N", "N", None, "N", "Y"),
]


def adae() -> pd.DataFrame:
    rows = []
    for sequence, (n, term, soc, grade, serious, nk, cart, crs, dlt, emergent) in enumerate(AES, 1):
        rows.append(
            {
                "USUBJID": uid(n),
                "AETERM": term or "odd taste",
                "AEDECOD": term,
                "AEBODSYS": soc,
                "AESEV": "SEVERE" if (grade or 0) >= 3 else "MILD",
                "AETOXGRN": float(grade) if grade else float("nan"),
                "AESER": serious,
                "AEACN": "DRUG WITHDRAWN" if dlt == "Y" else "DOSE NOT CHANGED",
                "TRTEMFL": emergent,
                "RELNK": nk,
                "RELCART": cart,
                "RELPROC": "N",
                "RELLYMPHODEP": "N",
                "RELOTH": "N",
                "RELCELL": "Y" if "Y" in (nk, cart) else "N",
                "CRSGR": float(crs) if crs else float("nan"),
                "ICANSGR": float("nan"),
                "AESIFL": "Y" if crs else "N",
                "DLTFL": dlt,
                "SRCDOM": "AE",
                "SRCSEQ": str(sequence),
            }
        )
    return pd.DataFrame(rows)


def adtr(frame: pd.DataFrame) -> pd.DataFrame:
    start = frame.set_index("USUBJID")["TRTSDT"]
    rows = []
    for n, changes in CHANGES.items():
        common = {"USUBJID": uid(n), "PARCAT2": "INVESTIGATOR", "PARAMCD": "SDIAM", "SRCDOM": "TR"}
        rows.append(
            {
                **common,
                "ADT": start[uid(n)] - pd.Timedelta(days=7),
                "PCHG": float("nan"),
                "DTYPE": None,
                "ABLFL": "Y",
                "SRCSEQ": "1",
            }
        )
        for visit, change in enumerate(changes, 1):
            date = start[uid(n)] + pd.Timedelta(days=42 * visit)
            value, kind = (-90.0, "PARTIAL") if change is None else (change, None)
            rows.append(
                {**common, "ADT": date, "PCHG": value, "DTYPE": kind, "ABLFL": None, "SRCSEQ": f"{visit + 1}"}
            )
    # After its progression participant 4 shrinks again, after its new therapy participant 8: neither may count.
    rows.append(
        {
            **rows[-1],
            "USUBJID": uid(4),
            "ADT": start[uid(4)] + pd.Timedelta(days=84),
            "PCHG": -60.0,
            "DTYPE": None,
        }
    )
    rows.append({**rows[-1], "USUBJID": uid(8), "ADT": start[uid(8)] + pd.Timedelta(days=112), "PCHG": -70.0})
    # Another reader does not count either.
    rows.append(
        {
            **rows[-1],
            "USUBJID": uid(3),
            "ADT": start[uid(3)] + pd.Timedelta(days=42),
            "PCHG": -80.0,
            "PARCAT2": "READER 1",
        }
    )
    return pd.DataFrame(rows)


def adrs(frame: pd.DataFrame) -> pd.DataFrame:
    start = frame.set_index("USUBJID")["TRTSDT"]
    rows = []
    for n, (unconfirmed, confirmed, reason) in BEST.items():
        controlled = {"CR", "PR", "SD", "NON-CR/NON-PD"}
        values = {
            "BOR": unconfirmed,
            "CBOR": confirmed,
            "RSP": "Y" if unconfirmed in ("CR", "PR") else "N",
            "CRSP": "Y" if confirmed in ("CR", "PR") else "N",
            "DCR": "Y" if unconfirmed in controlled else "N",
            "CDCR": "Y" if confirmed in controlled else "N",
            "CBR": "Y" if n == 5 else "N",
        }
        for code, value in values.items():
            rows.append(
                (
                    uid(n),
                    "INVESTIGATOR",
                    code,
                    start[uid(n)] + pd.Timedelta(days=42),
                    value,
                    reason if code == "CBOR" else None,
                )
            )
        if unconfirmed in ("PR", "SD", "PD"):
            rows.append(
                (uid(n), "INVESTIGATOR", "OVR", start[uid(n)] + pd.Timedelta(days=42), unconfirmed, None)
            )
    rows.append((uid(5), "INVESTIGATOR", "OVR", start[uid(5)] + pd.Timedelta(days=84), "PR", None))
    rows.append((uid(1), "READER 1", "CBOR", start[uid(1)] + pd.Timedelta(days=42), "CR", "C-CR"))
    rows.append((uid(1), "READER 1", "CRSP", start[uid(1)] + pd.Timedelta(days=42), "Y", None))
    responses = pd.DataFrame(rows, columns=["USUBJID", "PARCAT2", "PARAMCD", "ADT", "AVALC", "RSNCD"])
    more = {
        "PARCAT3": "RECIST 1.1",
        "AVISIT": None,
        "ANL01FL": "Y",
        "RSNTXT": None,
        "SRCDOM": "TR",
        "SRCSEQ": "2",
    }
    return responses.assign(AVISITN=float("nan"), **more)


def adtte() -> pd.DataFrame:
    rows = [(uid(n), "PFS", *row) for n, row in PFS.items()]
    rows += [(uid(n), "OS", *row) for n, row in OS.items()]
    rows.append((uid(5), "DOR", 259, 1, "K-CUT"))
    frame = pd.DataFrame(rows, columns=["USUBJID", "PARAMCD", "AVAL", "CNSR", "RSNCD"])
    frame = frame.astype({"AVAL": "float64", "CNSR": "float64"})
    start = frame["USUBJID"].map(adsl().set_index("USUBJID")["TRTSDT"])
    end = start + pd.to_timedelta(frame["AVAL"] - 1, unit="D")
    rule = frame["PARAMCD"] + "/" + frame["RSNCD"]
    more = {"STARTDT": start, "ADT": end, "UADT": end, "UCNSR": frame["CNSR"], "RULEID": rule}
    return frame.assign(**more, RSNTXT=None, SRCDOM="TR", SRCVAR="ADT", SRCSEQ="2")


def adsub(frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    rows = []
    for row in frame[frame["FASFL"] == "Y"].to_dict("records"):
        n = int(row["SUBJID"])
        rows.append(
            (
                row["USUBJID"],
                "tumour_type",
                row["TUMTYPE"],
                {"CRC": 1.0, "GASTRIC": 2.0}.get(row["TUMTYPE"]),
                None,
            )
        )
        high = row["NLRBL"] >= 5
        rows.append((row["USUBJID"], "nlr5", ">=5" if high else "<5", 2.0 if high else 1.0, 5.0))
        rows.append((row["USUBJID"], "liver_only", row["METSITE"], 1.0 if n % 3 else 2.0, None))
    return pd.DataFrame(rows, columns=["USUBJID", "ENTRY", "AVALC", "AVALN", "CUT"])


FINDINGS = (
    Finding(
        "AE-GRADE",
        "warn",
        "AE",
        "grade missing; enter it",
        subject=uid(8),
        key=("7",),
        variable="AETOXGR",
        file="ae.csv",
        row=8,
    ),
    Finding("TU-WINDOW", "warn", "TU", "baseline scan too early", subject=uid(3), key=("1",)),
    Finding("TU-WINDOW", "warn", "TU", "baseline scan too early", subject=uid(6), key=("1",)),
    Finding("XD-KEY", "stop", "LB", "duplicate key", subject=uid(1), key=("4",)),
)


def build(study: Study, **replace: object) -> Adam:
    base = adsl()
    sets = {
        "ADSL": base,
        "ADEX": adex(base),
        "ADAE": adae(),
        "ADTR": adtr(base),
        "ADRS": adrs(base),
        "ADTTE": adtte(),
        "ADSUB": adsub(base, study),
    }
    sets.update(replace)
    kept = {name: frame for name, frame in sets.items() if frame is not None}
    gone = {name: f"no source for {name}" for name, frame in sets.items() if frame is None}
    return Adam(kept, datetime(2026, 6, 30, 23, 59, 59), FINDINGS, gone)


@pytest.fixture(scope="session")
def adam(study) -> Adam:
    return build(study)


@pytest.fixture(scope="session")
def make_adam(study):
    """Return a function that builds the same Adam with some datasets replaced (None: not available)."""
    return lambda **replace: build(study, **replace)
