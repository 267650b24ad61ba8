"""A study of eight participants written by hand, in the shape of SDTM; every expected value can be counted by eye.

01 DL1, four T-cell infusions, nothing happened.     05 DL2, T cells five days before the cut-off: window open.
02 DL2, CRS of grade 2 two days after T cells.       06 enrolled, withdrew before any infusion.
03 DL3, liver enzymes grade 3 for ten days: DLT.     07 screen failure.
04 NK cells only, product not manufactured.          08 DL3, died in the window without DLT.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from interim.adam.adae import derive_adae
from interim.adam.adex import derive_adex
from interim.adam.adsl import Dated, derive_core
from interim.adam.dlt import derive_addlt, dlt_windows
from interim.adam.sets import flag_sets
from interim.data.model import Sdtm
from interim.study import Study, read_study

ROOT = Path(__file__).resolve().parents[2]
CUT = datetime(2025, 6, 30, 23, 59, 59)
ARMS = {
    "01": "DL1",
    "02": "DL2",
    "03": "DL3",
    "04": "NKONLY",
    "05": "DL2",
    "06": "NOTASSGN",
    "07": "SCRNFAIL",
    "08": "DL3",
}
DAY0 = {
    "01": "2025-01-06",
    "02": "2025-02-03",
    "03": "2025-03-03",
    "04": "2025-03-17",
    "05": "2025-06-16",
    "08": "2025-04-07",
}
LEVEL = {"DL1": 1.5e7, "DL2": 3e7, "DL3": 5e7}
T_DAYS = {"01": (10, 11, 24, 25), "02": (10, 11, 24, 25), "03": (10, 11), "05": (9, 10), "08": (10, 11)}
WEIGHT = 60.0
NUMBERS = ("AGE", "DOSE", "STRESN", "STNRLO", "STNRHI", "VISITNUM", "VISITDY")


def uid(number: str) -> str:
    return f"MINI-{number}"


def on(number: str, day: int, clock: str = "") -> str:
    date = pd.Timestamp(DAY0[number]) + pd.Timedelta(days=day)
    return f"{date:%Y-%m-%d}" + (f"T{clock}+08:00" if clock else "")


def frame(domain: str, rows: list[dict]) -> pd.DataFrame:
    """Return rows as the data room gives them: text as object, numbers as float64, sequence numbers, origin."""
    made = pd.DataFrame(rows)
    if domain not in ("DM",) and not domain.startswith("SUPP") and f"{domain}SEQ" not in made:
        made[f"{domain}SEQ"] = made.groupby("USUBJID").cumcount() + 1.0
    for name in made.columns:
        if name.endswith(NUMBERS) or (name.endswith("SEQ") and not name.startswith("ID")):
            made[name] = pd.to_numeric(made[name]).astype("float64")
        else:
            made[name] = made[name].astype(object).where(made[name].notna(), None)
    made["STUDYID"] = "MINI"
    made["SRCFILE"] = f"{domain.lower()}.csv"
    made["SRCROW"] = range(2, len(made) + 2)
    return made


def supp(domain: str, rows: list[tuple]) -> pd.DataFrame:
    """Return supplemental qualifiers: (participant, sequence or None, name, value)."""
    idvar = f"{domain}SEQ"
    return frame(
        f"SUPP{domain}",
        [
            {
                "USUBJID": uid(who),
                "IDVAR": idvar if key is not None else None,
                "IDVARVAL": None if key is None else str(key),
                "QNAM": name,
                "QVAL": str(value),
            }
            for who, key, name, value in rows
        ],
    )


def dm() -> list[dict]:
    rows = []
    for number, arm in ARMS.items():
        start = DAY0.get(number)
        rows.append(
            {
                "USUBJID": uid(number),
                "SUBJID": number,
                "SITEID": "1",
                "AGE": 50 + int(number),
                "SEX": "F" if int(number) % 2 else "M",
                "RACE": "ASIAN",
                "ARMCD": arm,
                "ACTARMCD": arm,
                "RFICDTC": "2024-12-20" if start is None else on(number, -14),
                "RFSTDTC": start,
                "DTHFL": "Y" if number == "08" else None,
                "DTHDTC": on("08", 20) if number == "08" else None,
            }
        )
    return rows


def ds() -> list[dict]:
    rows = []

    def add(
        number: str, decod: str, date: str, cat: str = "PROTOCOL MILESTONE", scat: str | None = None
    ) -> None:
        rows.append(
            {
                "USUBJID": uid(number),
                "DSTERM": decod,
                "DSDECOD": decod,
                "DSCAT": cat,
                "DSSCAT": scat,
                "DSSTDTC": date,
            }
        )

    for number in ARMS:
        date = on(number, -14) if number in DAY0 else "2024-12-20"
        add(number, "INFORMED CONSENT OBTAINED", date)
        if number != "07":
            add(number, "ELIGIBILITY CRITERIA MET", date)
    add("07", "SCREEN FAILURE", "2024-12-27", "DISPOSITION EVENT")
    add("06", "WITHDRAWAL BY SUBJECT", "2024-12-30", "DISPOSITION EVENT", "STUDY")
    add("04", "PRODUCT MANUFACTURING FAILURE", on("04", 20), "DISPOSITION EVENT", "CAR-T NOT GIVEN")
    add("08", "DEATH", on("08", 20), "DISPOSITION EVENT", "STUDY")
    return rows


def ex() -> tuple[list[dict], list[tuple]]:
    rows, extra = [], []
    for number in DAY0:
        given = [("CAR-NK", "INTRA-ARTERIAL", 1e9, 0, 1), ("CAR-NK", "INTRA-ARTERIAL", 2e9, 1, 1)]
        dose = LEVEL.get(ARMS[number], 0.0) * WEIGHT
        for place, day in enumerate(T_DAYS.get(number, ())):
            given.append(("CAR-T", "INTRAVENOUS", dose, day, 1 + place // 2))
        for seq, (trt, route, amount, day, cycle) in enumerate(given, 1):
            rows.append(
                {
                    "USUBJID": uid(number),
                    "EXSEQ": seq,
                    "EXTRT": trt,
                    "EXDOSE": amount,
                    "EXDOSU": "cells",
                    "EXROUTE": route,
                    "EXSTDTC": on(number, day, "10:00"),
                    "EXENDTC": on(number, day, "10:30"),
                    "EXCYCLE": cycle if trt == "CAR-T" else None,
                    "EXOCCUR": "Y",
                }
            )
            extra += [(number, seq, "WEIGHT", WEIGHT), (number, seq, "PLANCELL", amount)]
    return rows, extra


AE_COLUMNS = ["who", "term", "soc", "grade", "start", "end", "rel", "ser", "act", "out"]
AES = [
    ("02", "Cytokine release syndrome", "Immune system disorders", "2", (12, "08:00"), (15, ""), "CART", "N"),
    ("03", "Hepatic enzyme increased", "Investigations", "3", (14, ""), (23, ""), "CART", "Y"),
    ("01", "Nausea", "Gastrointestinal disorders", "1", (0, ""), (2, ""), "CARNK;HAI_PROCEDURE", "N"),
    ("01", "Fatigue", "General disorders", "1", (-5, ""), (-2, ""), "NONE", "N"),
    ("08", "Sepsis", "Infections and infestations", "5", (16, ""), (20, ""), "NONE", "Y"),
    ("04", "Anaemia", "Blood and lymphatic system disorders", "3", (3, ""), (None, ""), "CARNK", "N"),
]


def ae() -> list[dict]:
    return [
        {
            "USUBJID": uid(who),
            "AETERM": term,
            "AEDECOD": term,
            "AEBODSYS": soc,
            "AETOXGR": grade,
            "AESTDTC": on(who, *start),
            "AEENDTC": None if end[0] is None else on(who, *end),
            "AEREL": rel,
            "AESER": ser,
            "AEACN": "DOSE NOT CHANGED",
            "AEOUT": "FATAL"
            if grade == "5"
            else ("NOT RECOVERED/NOT RESOLVED" if end[0] is None else "RECOVERED/RESOLVED"),
        }
        for who, term, soc, grade, start, end, rel, ser in AES
    ]


def lb() -> list[dict]:
    """Counts before treatment and on day 10; CEA only for 01 (12 ng/mL), 02 (below quantification), 03 (none)."""
    rows = []

    def add(
        number: str, code: str, value: str, unit: str, day: int, clock: str = "07:00", tpt: str | None = None
    ) -> None:
        number_ = None if value.startswith(("<", ">")) else float(value)
        low, high = {"NEUT": (2.0, 7.0), "LYM": (1.0, 3.0), "CEA": (0.0, 5.0)}.get(code, (None, None))
        rows.append(
            {
                "USUBJID": uid(number),
                "LBTESTCD": code,
                "LBTEST": code,
                "LBORRES": value,
                "LBORRESU": unit,
                "LBSTRESC": value,
                "LBSTRESN": number_,
                "LBSTRESU": unit,
                "LBSTNRLO": low,
                "LBSTNRHI": high,
                "LBDTC": on(number, day, clock),
                "LBTPT": tpt,
                "VISITNUM": 1 if day <= 0 else 2,
                "VISIT": "SCREENING" if day <= 0 else "DAY 10",
            }
        )

    for number, neut in {"01": "4", "02": "8", "03": "5", "04": "6", "05": "3", "08": "9"}.items():
        for code, value in (("NEUT", neut), ("LYM", "1"), ("EOS", "0.2"), ("BASO", "0.1")):
            add(number, code, value, "10^9/L", -1)
        add(number, "NEUT", "3.5", "10^9/L", 10)
        add(number, "LYM", "0.5", "10^9/L", 10)
    add("01", "CEA", "12", "ng/mL", -1)
    add("02", "CEA", "<0.5", "ng/mL", -1)
    add("03", "CREAT", "1", "mg/dL", -1)
    return rows


def domains() -> dict[str, pd.DataFrame]:
    exposure, exposure_more = ex()
    traits = [
        (n, None, "TUMTYPE", t)
        for n, t in {"01": "CRC", "02": "CRC", "03": "GASTRIC", "04": "OTHER", "05": "CRC"}.items()
    ]
    ligands = [
        ("01", "MICA/B", 120, -10),
        ("01", "ULBP1", 40, -10),
        ("01", "ULBP2/5/6", 200, -10),
        ("01", "ULBP3", 10, -10),
    ]
    ligands += [("02", "MICA/B", 80, -10), ("03", "MICA/B", 60, -9), ("03", "MICA/B", 290, 30)]
    return {
        "DM": frame("DM", dm()),
        "SUPPDM": supp("DM", traits),
        "DS": frame("DS", ds()),
        "EX": frame("EX", exposure),
        "SUPPEX": supp("EX", exposure_more),
        "AE": frame("AE", ae()),
        "SUPPAE": supp(
            "AE",
            [
                ("03", 1, "DLTFL", "Y"),
                ("02", 1, "ASTCTGR", "1"),
                ("02", 1, "AERPTDTC", on("02", 13)),
                ("03", 1, "AERPTDTC", on("03", 16)),
            ],
        ),
        "LB": frame("LB", lb()),
        "VS": frame(
            "VS",
            [
                {
                    "USUBJID": uid(n),
                    "VSTESTCD": "WEIGHT",
                    "VSSTRESN": WEIGHT,
                    "VSSTRESU": "kg",
                    "VSDTC": on(n, -3),
                }
                for n in DAY0
            ],
        ),
        "QS": frame(
            "QS",
            [
                {"USUBJID": uid(n), "QSCAT": "ECOG", "QSTESTCD": "ECOG101", "QSSTRESN": 1, "QSDTC": on(n, -3)}
                for n in DAY0
            ],
        ),
        "MI": frame(
            "MI",
            [
                {
                    "USUBJID": uid(n),
                    "MITESTCD": "HSCORE",
                    "MITSTDTL": ligand,
                    "MISTRESN": score,
                    "MIDTC": on(n, day),
                }
                for n, ligand, score, day in ligands
            ],
        ),
        "CM": frame(
            "CM",
            [
                {
                    "USUBJID": uid(n),
                    "CMTRT": "FOLFOX",
                    "CMCAT": "PRIOR ANTICANCER THERAPY",
                    "CMSCAT": "SYSTEMIC",
                    "CMSTDTC": "2023",
                    "CMENDTC": "2024-02",
                }
                for n in ("01", "02", "02")
            ],
        ),
        "SUPPCM": supp("CM", [("01", 1, "LINE", 1), ("02", 1, "LINE", 1), ("02", 2, "LINE", 2)]),
        "TU": frame(
            "TU",
            [
                {
                    "USUBJID": uid(n),
                    "TUTESTCD": "TUMIDENT",
                    "TUORRES": role,
                    "TUSTRESC": role,
                    "TULNKID": link,
                    "TULOC": loc,
                    "TUDTC": on(n, -7),
                    "TUEVAL": "INVESTIGATOR",
                    "VISITNUM": 1,
                    "VISIT": "SCREENING",
                }
                for n, role, link, loc in [
                    ("01", "TARGET", "T01", "LIVER"),
                    ("02", "TARGET", "T01", "LIVER"),
                    ("02", "NON-TARGET", "NT01", "LUNG"),
                    ("03", "TARGET", "T01", "LIVER"),
                ]
            ],
        ),
        "TR": frame(
            "TR",
            [
                {
                    "USUBJID": uid(n),
                    "TRGRPID": "TARGET",
                    "TRLNKID": "T01",
                    "TRTESTCD": "LDIAM",
                    "TRORRES": str(mm),
                    "TRSTRESC": str(mm),
                    "TRSTRESN": mm,
                    "TRSTRESU": "mm",
                    "TRDTC": on(n, day),
                    "TREVAL": "INVESTIGATOR",
                    "VISITNUM": visit,
                    "VISIT": f"V{visit}",
                }
                for n, mm, day, visit in [
                    ("01", 50, -7, 1),
                    ("01", 30, 42, 2),
                    ("01", 30, 84, 3),
                    ("02", 40, -7, 1),
                    ("02", 60, 42, 2),
                    ("03", 30, -7, 1),
                ]
            ],
        ),
    }


def make(parts: dict[str, pd.DataFrame], cut: datetime = CUT) -> Sdtm:
    return Sdtm({name: part for name, part in parts.items() if part is not None}, cut)


@pytest.fixture
def mini() -> dict[str, pd.DataFrame]:
    """The domains of the mini study, to be changed by a test."""
    return domains()


@pytest.fixture(scope="session")
def mini_sdtm() -> Sdtm:
    return make(domains())


def study_file(folder: Path, text: str = "") -> Study:
    base = ROOT / "params" / "nct07021534.toml"
    file = folder / "mini.toml"
    cut = "" if "cut_date" in text else f"cut_date = {CUT:%Y-%m-%d}\n"
    file.write_text(
        f'extends = "{base.as_posix()}"\n[study]\nid = "MINI"\n[data]\npath = "none"\n{cut}{text}',
        encoding="utf-8",
    )
    return read_study(file)


@pytest.fixture(scope="session")
def mini_study(tmp_path_factory) -> Study:
    return study_file(tmp_path_factory.mktemp("study"))


@pytest.fixture
def study_with(tmp_path):
    """Return a function that reads the mini study with further lines."""
    return lambda text: study_file(tmp_path, text)


@pytest.fixture(scope="session")
def mk() -> SimpleNamespace:
    """The functions with which the tests write records of the mini study."""
    return SimpleNamespace(uid=uid, on=on, frame=frame, supp=supp, make=make, cut=CUT)


class Chain:
    """The subject-level derivations in their order, on changed domains; each result is made once."""

    def __init__(self, parts: dict[str, pd.DataFrame], study: Study, cut: datetime = CUT) -> None:
        self.sdtm, self.study = make(parts, cut), study
        self.adex, self.exposure_findings = derive_adex(self.sdtm, study)
        dm = self.sdtm.domain("DM")
        death = pd.to_datetime(dm["DTHDTC"]).astype("datetime64[ns]")
        none = pd.Series(pd.NaT, index=dm.index, dtype="datetime64[ns]")
        people = pd.DataFrame({"USUBJID": dm["USUBJID"]})
        self.dated = Dated(
            people.assign(DTHDT=death, DTHFL=dm["DTHFL"]),
            people.assign(NACTDT=none),
            people.assign(LSTALVDT=none),
        )

    @cache  # noqa: B019 - lives as long as one test
    def core(self) -> pd.DataFrame:
        core, self.core_findings = derive_core(self.sdtm, self.adex, self.dated, study=self.study)
        return flag_sets(core, self.study, flags=("ENRLFL", "SAFNKFL", "SAFCTFL", "FASFL"))[0]

    @cache  # noqa: B019 - lives as long as one test
    def windows(self) -> pd.DataFrame:
        return dlt_windows(self.sdtm, self.core(), adex=self.adex, study=self.study)

    @cache  # noqa: B019 - lives as long as one test
    def adae(self):
        return derive_adae(self.sdtm, self.core(), adex=self.adex, windows=self.windows(), study=self.study)

    @cache  # noqa: B019 - lives as long as one test
    def addlt(self) -> pd.DataFrame:
        return derive_addlt(
            self.core(), self.adae().frame, windows=self.windows(), adex=self.adex, study=self.study
        )


@pytest.fixture(scope="session")
def chain():
    """Return a function (domains, study) -> Chain."""
    return Chain
