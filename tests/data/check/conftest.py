"""A valid mini study of three participants, and pure functions that plant a defect in it.

S1 (woman, DL1, 60 kg): NK cells, two cycles of T cells, partial response. S2 (man, DL2, 70 kg): NK cells, one cycle, progression, death.
S3: screen failure.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from interim.data.check import CheckReport, run_checks
from interim.data.model import Sdtm
from interim.study import read_study

ROOT = Path(__file__).resolve().parents[3]
TZ = "+08:00"


def at(day: str, clock: str = "10:00") -> str:
    return f"{day}T{clock}{TZ}"


DM = [
    {
        "USUBJID": "S1",
        "SUBJID": "1",
        "AGE": 55,
        "SEX": "F",
        "ARMCD": "DL1",
        "RFICDTC": "2025-01-02",
        "RFSTDTC": "2025-01-20",
        "RFXSTDTC": at("2025-01-20"),
        "DTHDTC": None,
        "DTHFL": None,
    },
    {
        "USUBJID": "S2",
        "SUBJID": "2",
        "AGE": 75,
        "SEX": "M",
        "ARMCD": "DL2",
        "RFICDTC": "2025-02-01",
        "RFSTDTC": "2025-02-20",
        "RFXSTDTC": at("2025-02-20"),
        "DTHDTC": "2025-06-10",
        "DTHFL": "Y",
    },
    {
        "USUBJID": "S3",
        "SUBJID": "3",
        "AGE": 80,
        "SEX": "F",
        "ARMCD": "SCRNFAIL",
        "RFICDTC": "2025-03-01",
        "RFSTDTC": None,
        "RFXSTDTC": None,
        "DTHDTC": None,
        "DTHFL": None,
    },
]
DS = [
    ("S1", "INFORMED CONSENT OBTAINED", "PROTOCOL MILESTONE", None, "2025-01-02"),
    ("S2", "INFORMED CONSENT OBTAINED", "PROTOCOL MILESTONE", None, "2025-02-01"),
    ("S2", "DEATH", "DISPOSITION EVENT", "STUDY", "2025-06-10"),
    ("S3", "SCREEN FAILURE", "DISPOSITION EVENT", "STUDY", "2025-03-05"),
    ("S1", "LAST KNOWN ALIVE", "OTHER EVENT", None, "2025-12-01"),
]
EX = [
    ("S1", "CAR-NK", 1e9, "INTRA-ARTERIAL", "2025-01-20", 1, 60),
    ("S1", "CAR-NK", 2e9, "INTRA-ARTERIAL", "2025-01-21", 1, 60),
    ("S1", "CAR-T", 9e8, "INTRAVENOUS", "2025-01-29", 1, 60),
    ("S1", "CAR-T", 9e8, "INTRAVENOUS", "2025-01-30", 1, 60),
    ("S1", "CAR-T", 9e8, "INTRAVENOUS", "2025-02-13", 2, 60),
    ("S1", "CAR-T", 9e8, "INTRAVENOUS", "2025-02-14", 2, 60),
    ("S2", "CAR-NK", 1e9, "INTRA-ARTERIAL", "2025-02-20", 1, 70),
    ("S2", "CAR-NK", 2e9, "INTRA-ARTERIAL", "2025-02-21", 1, 70),
    ("S2", "CAR-T", 2.1e9, "INTRAVENOUS", "2025-03-03", 1, 70),
    ("S2", "CAR-T", 2.1e9, "INTRAVENOUS", "2025-03-04", 1, 70),
]
AE = [
    ("S1", "Fever", "Pyrexia", "1", "2025-01-22", "2025-01-23", "N", "CARNK", "RECOVERED/RESOLVED"),
    (
        "S1",
        "CRS",
        "Cytokine release syndrome",
        "2",
        "2025-01-31",
        "2025-02-04",
        "Y",
        "CART",
        "RECOVERED/RESOLVED",
    ),
    (
        "S1",
        "ALT raised",
        "Alanine aminotransferase increased",
        "3",
        "2025-02-20",
        "2025-02-26",
        "N",
        "CART",
        "RECOVERED/RESOLVED",
    ),
    ("S2", "Fatigue", "Fatigue", "2", "2025-03-10", None, "N", "OTHER", "NOT RECOVERED/NOT RESOLVED"),
    ("S2", "Liver failure", "Hepatic failure", "5", "2025-06-01", "2025-06-10", "Y", "NONE", "FATAL"),
]
LB = [
    ("S1", "ALT", "30", "U/L", 7, 50, "1", "2025-01-15", "07:00", None),
    ("S1", "ALT", "300", "U/L", 7, 50, "6", "2025-02-21", "07:00", None),
    ("S1", "NEUT", "4", "10^9/L", 1.8, 6.3, "1", "2025-01-15", "07:00", None),
    ("S1", "LYM", "1.5", "10^9/L", 1.1, 3.2, "1", "2025-01-15", "07:00", None),
    ("S1", "EOS", "0.2", "10^9/L", 0.02, 0.5, "1", "2025-01-15", "07:00", None),
    ("S1", "BASO", "0.05", "10^9/L", 0, 0.06, "1", "2025-01-15", "07:00", None),
    ("S1", "MONO", "0.5", "10^9/L", 0.1, 0.6, "1", "2025-01-15", "07:00", None),
    ("S1", "WBC", "6.25", "10^9/L", 3.5, 9.5, "1", "2025-01-15", "07:00", None),
    ("S1", "BILI", "12", "umol/L", 3, 21, "1", "2025-01-15", "07:00", None),
    ("S1", "HGB", "120", "g/L", 120, 160, "1", "2025-01-15", "07:00", None),
    ("S1", "IL6", "<1.5", "pg/mL", 0, 7, "2", "2025-01-20", "08:00", "PRE-DOSE"),
    ("S1", "IL6", "40", "pg/mL", 0, 7, "3", "2025-01-22", "07:00", None),
    ("S2", "CA199", "120", "U/mL", 0, 37, "1", "2025-02-10", "07:00", None),
    ("S2", "BILI", "14", "umol/L", 3, 21, "1", "2025-02-10", "07:00", None),
]
VS = [
    ("S1", "WEIGHT", 60, "kg", "1", "2025-01-15"),
    ("S1", "SYSBP", 120, "mmHg", "1", "2025-01-15"),
    ("S1", "DIABP", 70, "mmHg", "1", "2025-01-15"),
    ("S2", "WEIGHT", 71, "kg", "1", "2025-02-10"),
]
LESIONS = [
    ("S1", "T01", "TARGET", "LIVER"),
    ("S1", "T02", "TARGET", "LYMPH NODE ABDOMINAL"),
    ("S1", "NT01", "NON-TARGET", "LUNG"),
    ("S2", "T01", "TARGET", "LIVER"),
]
SCANS = {
    "S1": [("1", "2025-01-10"), ("6", "2025-03-20"), ("7", "2025-05-10")],
    "S2": [("1", "2025-02-10"), ("6", "2025-04-30")],
}
SIZES = {("S1", "T01"): [60, 30, 25], ("S1", "T02"): [20, 12, 9], ("S2", "T01"): [50, 70]}
RS = [("S1", "6", "2025-03-20", "PR"), ("S1", "7", "2025-05-10", "PR"), ("S2", "6", "2025-04-30", "PD")]
CM = [
    (
        "S1",
        "Tocilizumab",
        "TOCILIZUMAB",
        "Interleukin inhibitor",
        "CONCOMITANT MEDICATION",
        "cytokine release syndrome",
        "2025-02-01",
    ),
    (
        "S2",
        "Regorafenib",
        "REGORAFENIB",
        "Multikinase inhibitor",
        "NEW ANTICANCER THERAPY",
        "progression",
        "2025-05-05",
    ),
    (
        "S1",
        "Oxaliplatin",
        "OXALIPLATIN",
        "Platinum compound",
        "PRIOR ANTICANCER THERAPY",
        "primary disease",
        "2024-03",
    ),
]
PC = [
    ("S1", "CARTG", "<50", None, "PRE-DOSE", "P0D", "CAR-T C1D1", at("2025-01-29", "09:30")),
    ("S1", "CARTG", "900", 900, "DAY 7", "P7D", "CAR-T C1D1", at("2025-02-05", "10:30")),
    ("S1", "CARTG", "300", 300, "PRE-DOSE", "P0D", "CAR-T C2D1", at("2025-02-13", "09:30")),
    ("S2", "CARTG", "<50", None, "PRE-DOSE", "P0D", "CAR-T C1D1", at("2025-03-03", "09:30")),
]
VISITS = [
    ("S1", "1", -5, "2025-01-15"),
    ("S1", "2", 1, "2025-01-20"),
    ("S1", "6", 60, "2025-03-20"),
    ("S2", "1", -10, "2025-02-10"),
]


def _measurements() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for who, lesion, role, organ in LESIONS:
        for place, (visit, day) in enumerate(SCANS[who]):
            size = SIZES.get((who, lesion), [None] * 3)[place]
            test = "TUMSTATE" if size is None else "LPERP" if organ.startswith("LYMPH") else "LDIAM"
            text = "PRESENT" if size is None else str(size)
            rows.append(
                {
                    "USUBJID": who,
                    "TRLNKID": lesion,
                    "TRGRPID": role,
                    "TRTESTCD": test,
                    "TRORRES": text,
                    "TRSTRESC": text,
                    "TRSTRESN": size,
                    "TRSTRESU": None if size is None else "mm",
                    "TRSTAT": None,
                    "TREVAL": "INVESTIGATOR",
                    "VISITNUM": float(visit),
                    "TRDTC": day,
                }
            )
    return rows


def _table(names: str, rows: list[tuple[object, ...]]) -> list[dict[str, object]]:
    return [dict(zip(names.split(), row, strict=True)) for row in rows]


def _frames() -> dict[str, list[dict[str, object]]]:
    frames: dict[str, list[dict[str, object]]] = {
        "DM": [{**row, "AGEU": "YEARS", "ACTARMCD": row["ARMCD"]} for row in DM],
        "DS": [
            {**r, "DSTERM": str(r["DSDECOD"]).capitalize()}
            for r in _table("USUBJID DSDECOD DSCAT DSSCAT DSSTDTC", DS)
        ],
        "SV": [
            {**r, "VISIT": f"V{r['VISITNUM']}", "SVENDTC": r["SVSTDTC"]}
            for r in _table("USUBJID VISITNUM VISITDY SVSTDTC", VISITS)
        ],
        "EX": [
            {
                "USUBJID": w,
                "EXTRT": t,
                "EXDOSE": d,
                "EXDOSU": "cells",
                "EXROUTE": r,
                "EXCYCLE": c,
                "EXOCCUR": "Y",
                "EXSTDTC": at(s),
                "EXENDTC": at(s, "10:30"),
            }
            for w, t, d, r, s, c, _ in EX
        ],
        "PR": [
            {
                "USUBJID": w,
                "PRTRT": "Hepatic artery catheter",
                "PRCAT": "STUDY PROCEDURE",
                "PRSTDTC": d,
                "PRENDTC": None,
            }
            for w, d in (("S1", "2025-01-20"), ("S2", "2025-02-20"))
        ],
        "AE": [
            {
                **r,
                "AESDTH": "Y" if r["AEOUT"] == "FATAL" else "N",
                "AEDTHDTC": r["AEENDTC"] if r["AEOUT"] == "FATAL" else None,
                "AEACN": "DOSE NOT CHANGED",
                "AEGRPID": None,
            }
            for r in _table("USUBJID AETERM AEDECOD AETOXGR AESTDTC AEENDTC AESER AEREL AEOUT", AE)
        ],
        "LB": [
            {
                "USUBJID": w,
                "LBTESTCD": t,
                "LBTEST": t,
                "LBORRES": v,
                "LBORRESU": u,
                "LBSTRESC": v,
                "LBSTRESN": None if "<" in v else float(v),
                "LBSTRESU": u,
                "LBSTNRLO": lo,
                "LBSTNRHI": hi,
                "VISITNUM": float(n),
                "LBDTC": at(d, c),
                "LBTPT": p,
                "LBBLFL": None,
                "LBSTAT": None,
            }
            for w, t, v, u, lo, hi, n, d, c, p in LB
        ],
        "VS": [
            {
                "USUBJID": w,
                "VSTESTCD": t,
                "VSORRES": str(v),
                "VSORRESU": u,
                "VSSTRESN": v,
                "VSSTRESU": u,
                "VISITNUM": float(n),
                "VSDTC": d,
            }
            for w, t, v, u, n, d in VS
        ],
        "TU": [
            {
                "USUBJID": w,
                "TULNKID": x,
                "TUTESTCD": "TUMIDENT",
                "TUORRES": r,
                "TUSTRESC": r,
                "TULOC": o,
                "TUEVAL": "INVESTIGATOR",
                "VISITNUM": 1.0,
                "TUDTC": SCANS[w][0][1],
            }
            for w, x, r, o in LESIONS
        ],
        "TR": _measurements(),
        "RS": [
            {
                "USUBJID": w,
                "RSTESTCD": t,
                "RSCAT": "RECIST 1.1",
                "RSORRES": v,
                "RSSTRESC": v,
                "RSSTAT": None,
                "RSEVAL": "INVESTIGATOR",
                "RSACPTFL": None,
                "VISITNUM": float(n),
                "RSDTC": d,
            }
            for w, n, d, v in RS
            for t in ("TRGRESP", "OVRLRESP")
        ],
        "CM": _table("USUBJID CMTRT CMDECOD CMCLAS CMCAT CMINDC CMSTDTC", CM),
        "MH": [{"USUBJID": "S2", "MHTERM": "Hypertension", "MHSTDTC": "2010"}],
        "PC": [
            {
                "USUBJID": w,
                "PCTESTCD": t,
                "PCSPEC": "BLOOD",
                "PCORRES": v,
                "PCORRESU": "copies/ug",
                "PCSTRESC": v,
                "PCSTRESN": n,
                "PCSTRESU": "copies/ug",
                "PCLLOQ": 50.0,
                "PCTPT": p,
                "PCELTM": e,
                "PCTPTREF": f,
                "PCDTC": d,
                "PCSTAT": None,
            }
            for w, t, v, n, p, e, f, d in PC
        ],
        "MI": [
            {
                "USUBJID": "S1",
                "MITESTCD": c,
                "MITSTDTL": "MICA/B",
                "MIORRES": str(v),
                "MISTRESN": v,
                "MISPEC": "LIVER",
                "MIDTC": "2025-01-10",
            }
            for c, v in (("HSCORE", 120), ("PCTPOS", 60))
        ],
        "SS": [
            {
                "USUBJID": "S1",
                "SSTESTCD": "SURVSTAT",
                "SSORRES": "ALIVE",
                "SSSTRESC": "ALIVE",
                "SSDTC": "2025-12-01",
            }
        ],
        "QS": [
            {"USUBJID": "S1", "QSTESTCD": "ECOG101", "QSORRES": "1", "VISITNUM": 1.0, "QSDTC": "2025-01-15"}
        ],
        "DECISIONS": [
            {
                "date": "2025-01-28",
                "kind": "dose",
                "level": "DL1",
                "type": None,
                "n": 1,
                "role": "Committee",
                "name": "SRC",
                "rationale": "start",
                "references": "minute 1",
            },
            {
                "date": "2025-12-01",
                "kind": "rp2d",
                "level": "DL2",
                "type": None,
                "n": None,
                "role": "Investigator",
                "name": "PI",
                "rationale": "cleared",
                "references": "T 14.2.1.2",
            },
        ],
        "QUERIES": [
            {
                "id": "0123456789ab",
                "rule": "AE-CODE",
                "severity": "warn",
                "value": "x",
                "disposition": "accepted",
                "reason": "term is new",
                "name": "DM",
                "date": "2025-12-02",
            },
            {
                "id": "ba9876543210",
                "rule": "AE-ORDER",
                "severity": "stop",
                "value": "y",
                "disposition": "open",
                "reason": None,
                "name": None,
                "date": None,
            },
        ],
        "CE": [
            {
                "USUBJID": "S1",
                "CETERM": "CRS",
                "CEDECOD": "Cytokine release syndrome",
                "CETESTCD": "O2DEV",
                "CEORRES": "NONE",
                "CESTRESC": "NONE",
                "CESTDTC": "2025-01-31",
                "CEDTC": "2025-02-01",
            }
        ],
        "QUERY": [
            {
                "USUBJID": "S1",
                "QDOMAIN": "CM",
                "QKEY": "CMSEQ=1",
                "QFIELD": "CMENDTC",
                "QSTATUS": "OPEN",
                "QSTDTC": "2025-12-01",
            }
        ],
    }
    for name, rows in frames.items():
        count: dict[object, int] = {}
        for row in rows if name not in ("DM", "SV", "QUERY", "QUERIES", "DECISIONS") else []:
            count[row["USUBJID"]] = row[f"{name}SEQ"] = count.get(row["USUBJID"], 0) + 1
    frames["SUPPEX"] = [{"RDOMAIN": "EX", "USUBJID": row[0], "IDVAR": "EXSEQ", "IDVARVAL": str(ex["EXSEQ"]), "QNAM": q, "QVAL": str(v)}
                        for row, ex in zip(EX, frames["EX"], strict=True) for q, v in (("WEIGHT", row[6]), ("PLANCELL", int(row[2])))]  # fmt: skip
    frames["SUPPDM"] = [
        {"RDOMAIN": "DM", "USUBJID": "S1", "IDVAR": None, "IDVARVAL": None, "QNAM": "TUMTYPE", "QVAL": "CRC"}
    ]
    frames["SUPPAE"] = [
        {"RDOMAIN": "AE", "USUBJID": "S1", "IDVAR": "AESEQ", "IDVARVAL": "2", "QNAM": "ASTCTGR", "QVAL": "2"}
    ]
    return frames


def frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Numbers float64, text object with None."""
    table = pd.DataFrame([{"STUDYID": "X-1", **row} for row in rows])
    for name in table:
        values = [value for value in table[name] if value is not None and value == value]
        numeric = bool(values) and all(isinstance(value, (int, float)) for value in values)
        table[name] = (
            pd.to_numeric(table[name]).astype("float64")
            if numeric
            else table[name].astype(object).where(table[name].notna(), None)
        )
    return table


def clean() -> dict[str, pd.DataFrame]:
    return {
        name: frame(rows).assign(
            SRCFILE=f"{name.lower()}.csv", SRCROW=[float(n + 2) for n in range(len(rows))]
        )
        for name, rows in _frames().items()
    }


def plant(frames: dict[str, pd.DataFrame], *edits) -> dict[str, pd.DataFrame]:
    """Return the frames with edits (domain, place, values): place n sets cells, "+n" adds a changed copy of row n, "-n" removes row n, "*" sets a column, "x" removes it."""
    result = dict(frames)
    for name, place, values in edits:
        table = result[name].copy()
        if isinstance(place, int) or place == "*":
            rows = slice(None) if place == "*" else place
            for column, value in values.items():
                table[column] = table[column].astype(object) if column in table else None
                table.loc[rows, column] = value
        elif place.startswith("+"):
            row = table.loc[[int(place[1:])]].astype(object).assign(**values, SRCROW=float(len(table) + 2))
            table = pd.concat([table.astype(object), row], ignore_index=True)
        elif place == "x":
            table = table.drop(columns=list(values))
        else:
            table = table.drop(index=int(place[1:])).reset_index(drop=True)
        result[name] = table
    return result


@pytest.fixture(scope="session")
def _study(tmp_path_factory):
    def make(text: str = ""):
        file = tmp_path_factory.mktemp("params") / "mini.toml"
        base = (ROOT / "params" / "nct07021534.toml").as_posix()
        lines = f'extends = "{base}"\n{text}\n'
        if "[data]" not in text:
            lines += '[data]\npath = "none"\ncut_date = 2025-12-31\n'
        file.write_text(lines, encoding="utf-8")
        return read_study(file)

    return make


@pytest.fixture(scope="session")
def make_study(_study):
    """Make a study from the lines that differ."""
    return _study


@pytest.fixture(scope="session")
def mini(_study):
    return _study()


@pytest.fixture(scope="session")
def clean_frames():
    return clean()


@pytest.fixture
def run(mini, clean_frames):
    """Run the checks on the clean study with edits."""

    def checks(*edits, study=None, stage="extract", frames=None, only=None) -> CheckReport:
        table = plant(clean_frames if frames is None else frames, *edits)
        return run_checks(
            Sdtm(table, datetime(2025, 12, 31, 23, 59, 59)), study or mini, stage=stage, only=only
        )

    return checks


@pytest.fixture
def found(run):
    """Return the findings of one rule on the clean study with edits."""

    def findings(rule, *edits, **options):
        return list(run(*edits, only=[rule], **options).findings)

    return findings
