"""Four participants with cells in blood, written by hand: every level is a round number.

01 DL1  two cycles, boundary sample at the second dose exactly, tissue on day 30.
02 DL2  one cycle, cleared by day 28; tocilizumab on day 5.
03 DL2  one cycle, all samples below the limit.
04 NK only.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

import pandas as pd

from interim.adam.adbm import derive_adbm
from interim.adam.adckcm import derive_adckcm
from interim.adam.adcy import derive_adcy
from interim.adam.adpc import derive_adpc
from interim.adam.adpp import derive_adpp
from interim.adam.kinetic_sets import kinetic_sets
from interim.adam.model import Adam
from interim.data.model import Sdtm
from interim.study import read_study

ROOT = Path(__file__).resolve().parents[2]
STUDY = read_study(ROOT / "params" / "example.toml")
DAY0 = pd.Timestamp("2025-03-03 10:00")
CUT = datetime(2025, 12, 31)
COHORT = {"01": "DL1", "02": "DL2", "03": "DL2", "04": "NK only"}
T_START = 10
LEVELS = {
    "01": {0: None, 3: 100, 7: 1600, 10: 800, 14: 400, 17: 1000, 21: 4000, 28: 2000, 42: 500, 56: 125},
    "02": {0: None, 3: 200, 7: 6400, 10: 1600, 14: 800, 21: 100, 28: None, 56: None},
    "03": {0: None, 3: None, 7: None, 14: None, 28: None},
}
IL6 = {"01": {-1: 5, 1: 20, 7: 40, 28: 5}, "02": {-1: None, 1: 10, 6: ">5000", 14: 8}}


def with_study(**changes):
    """Return the study with changed kinetics parameters."""
    return STUDY.model_copy(update={"kinetics": STUDY.kinetics.model_copy(update=changes)})


def when(day: float, *, of_t: bool = True) -> pd.Timestamp:
    return DAY0 + pd.Timedelta(days=day + (T_START if of_t else 0))


def iso(day: float, *, of_t: bool = True) -> str:
    return f"{when(day, of_t=of_t):%Y-%m-%dT%H:%M}"


def frame(rows: list[dict]) -> pd.DataFrame:
    made = pd.DataFrame(rows)
    for name in made.columns:
        numeric = name.endswith(("STRESN", "STNRHI", "LLOQ", "VISITNUM", "TPTNUM"))
        made[name] = (
            pd.to_numeric(made[name]).astype("float64")
            if numeric
            else made[name].astype(object).where(made[name].notna(), None)
        )
    return made


def sample(who: str, day: float, value: float | str | None, *, code: str = "CARTG", **more) -> dict:
    """Return one record of PC; ``day`` from the first T-cell infusion."""
    limit = {"CARTG": 50, "CARNK": 50, "CARTC": 0.5}[code]
    text = f"<{limit}" if value is None else str(value)
    row = {
        "USUBJID": who,
        "PCTESTCD": code,
        "PCTEST": code,
        "PCCAT": "CAR-NK" if code == "CARNK" else "CAR-T",
        "PCSPEC": "BLOOD",
        "PCMETHOD": "QPCR",
        "PCSTRESC": text,
        "PCSTRESN": value if isinstance(value, (int, float)) else None,
        "PCSTRESU": "cells/uL" if code == "CARTC" else "copies/ug",
        "PCLLOQ": limit,
        "PCSTAT": None,
        "PCTPT": "PRE-DOSE" if day == 0 else f"DAY {day:g}",
        "PCTPTREF": "CAR-T C1D1",
        "PCELTM": f"P{day:g}D",
        "PCDTC": iso(day - 0.02 if day == 0 else day, of_t=code != "CARNK"),
        "VISITNUM": day,
        "VISIT": f"DAY {day:g}",
    }
    return {**row, **more}


def pc_rows() -> list[dict]:
    rows = [sample(who, day, value) for who, levels in LEVELS.items() for day, value in levels.items()]
    for row in rows:
        if row["USUBJID"] == "01" and row["VISIT"] == "DAY 14":
            row.update(PCTPTREF="CAR-T C2D1", PCELTM="P0D", PCTPT="PRE-DOSE")
    rows += [
        sample("04", day, value, code="CARNK", PCTPT="PRE-DOSE" if day == 0 else None)
        for day, value in {0: None, 1: 800, 3: 400, 5: 100, 7: None}.items()
    ]
    rows.append(sample("01", 30, 3000, PCSPEC="LIVER MET"))
    rows.append(sample("02", 30, 900, PCSPEC="LIVER MET"))
    return [{**row, "PCSEQ": place} for place, row in enumerate(rows, 1)]


def adex() -> pd.DataFrame:
    rows = []

    def add(who: str, product: str, role: str, cycle: int, day: float, cells: float) -> None:
        start = when(day, of_t=role == "t")
        rows.append(
            {
                "USUBJID": who,
                "PRODUCT": product,
                "ROLE": role,
                "ACYCLE": float(cycle),
                "ASTDT": start.normalize(),
                "ASTDTM": start,
                "AENDT": start.normalize(),
                "AENDTM": start + pd.Timedelta(minutes=30),
                "ADOSE": cells,
                "DOSEKG": cells / 60,
            }
        )

    for who in COHORT:
        add(who, "CARNK", "nk", 1, 0, 1e9)
        add(who, "CARNK", "nk", 1, 1, 2e9)
    for who, dose in (("01", 9e8), ("02", 1.8e9), ("03", 1.8e9)):
        add(who, "CART", "t", 1, 0, dose)
        add(who, "CART", "t", 1, 1, dose)
    add("01", "CART", "t", 2, 14, 9e8)
    return pd.DataFrame(rows)


def adsl() -> pd.DataFrame:
    whos = list(COHORT)
    treated = [who != "04" for who in whos]
    flag = ["Y" if t else "N" for t in treated]
    start_t = pd.Series([when(0).normalize() if t else pd.NaT for t in treated], dtype="datetime64[ns]")
    moment_t = pd.Series([when(0) if t else pd.NaT for t in treated], dtype="datetime64[ns]")
    return pd.DataFrame(
        {
            "USUBJID": whos,
            "COHORT": pd.Series(list(COHORT.values()), dtype=object),
            "COHORTA": pd.Series(list(COHORT.values()), dtype=object),
            "SAFNKFL": pd.Series(["Y"] * 4, dtype=object),
            "SAFCTFL": pd.Series(flag, dtype=object),
            "FASFL": pd.Series(["Y"] * 4, dtype=object),
            "ENRLFL": pd.Series(["Y"] * 4, dtype=object),
            "RFICDT": DAY0.normalize() - pd.Timedelta(days=14),
            "DTHDT": pd.Series([pd.NaT] * 4, dtype="datetime64[ns]"),
            "DCUTDT": pd.Timestamp(CUT),
            "TRTSDT": DAY0.normalize(),
            "TRTSNK": DAY0.normalize(),
            "TRTSNKM": DAY0,
            "TRTSCT": start_t,
            "TRTSCTM": moment_t,
        }
    )


def adlb() -> pd.DataFrame:
    rows = []
    for base in ("NK", "CART"):
        for who, values in IL6.items():
            for place, (day, value) in enumerate(values.items(), 1):
                sign = "<" if value is None else ">" if isinstance(value, str) else None
                rows.append(
                    {
                        "USUBJID": who,
                        "PARAMCD": "IL6",
                        "PARAM": "Interleukin 6",
                        "BASETYPE": base,
                        "ADT": when(day).normalize(),
                        "ADTM": when(day),
                        "AVAL": float(value) if sign is None else float("nan"),
                        "AVALC": str(value),
                        "AVALU": "pg/mL",
                        "ASIGN": sign,
                        "ALIMIT": {"<": 4.0, ">": 5000.0}.get(sign, float("nan")),
                        "SRCDOM": "LB",
                        "SRCSEQ": str(place),
                    }
                )
    made = pd.DataFrame(rows)
    made["ASIGN"] = made["ASIGN"].astype(object).where(made["ASIGN"].notna(), None)
    return made


def markers() -> dict[str, pd.DataFrame]:
    """CP, LB, MI and IS: before (day -1 of the first infusion) and after."""
    cp, lb, mi, antibodies = [], [], [], []
    for place, who in enumerate(COHORT):
        for day, cd3 in ((-1, 60.0 + place), (14, 80.0)):
            date = iso(day, of_t=False)
            cp.append(
                {
                    "USUBJID": who,
                    "CPTESTCD": "CD3",
                    "CPTEST": "CD3",
                    "CPSPEC": "BLOOD",
                    "CPSTRESN": cd3,
                    "CPSTRESC": str(cd3),
                    "CPSTRESU": "%",
                    "VISITNUM": day,
                    "VISIT": f"DAY {day}",
                    "CPDTC": date,
                }
            )
            lb.append(
                {
                    "USUBJID": who,
                    "LBTESTCD": "CEA",
                    "LBTEST": "CEA",
                    "LBCAT": "TUMOR MARKER",
                    "LBSTRESN": (4.0, 10.0)[place % 2] * (2 if day > 0 else 1),
                    "LBSTRESC": "n",
                    "LBSTRESU": "ug/L",
                    "LBSTNRHI": 5.0,
                    "VISITNUM": day,
                    "VISIT": f"DAY {day}",
                    "LBDTC": date,
                }
            )
            antibodies.append(
                {
                    "USUBJID": who,
                    "ISTESTCD": "ADA",
                    "ISTEST": "ADA",
                    "ISSTRESC": "POSITIVE" if day > 0 and who in ("01", "02") else "NEGATIVE",
                    "VISITNUM": day,
                    "VISIT": f"DAY {day}",
                    "ISDTC": date,
                }
            )
    for who, day, score in (("01", -5, 100.0), ("01", 30, 40.0), ("02", -5, 200.0)):
        mi.append(
            {
                "USUBJID": who,
                "MITESTCD": "HSCORE",
                "MITEST": "H-Score",
                "MITSTDTL": "MICA/B",
                "MISTRESN": score,
                "MISTRESC": str(score),
                "MISPEC": "LIVER METASTASIS",
                "MIDTC": iso(day, of_t=False)[:10],
            }
        )
    return {"CP": frame(cp), "LB": frame(lb), "MI": frame(mi), "IS": frame(antibodies)}


def cm() -> pd.DataFrame:
    return frame([{"USUBJID": "02", "CMTRT": "TOCILIZUMAB", "CMDECOD": "TOCILIZUMAB", "CMSTDTC": iso(5)}])


def sdtm(rows: list[dict] | None = None, **more: pd.DataFrame) -> Sdtm:
    domains = {"PC": frame(pc_rows() if rows is None else rows), "CM": cm(), **markers(), **more}
    return Sdtm(domains, CUT)


def samples(rows: list[dict] | None = None, study=STUDY):
    if rows is None and study is STUDY:
        return _plain_samples()
    return derive_adpc(sdtm(rows), adsl(), adex=adex(), study=study)


@cache
def _plain_samples():
    return derive_adpc(sdtm(), adsl(), adex=adex(), study=STUDY)


@cache
def _plain_kinetics():
    return derive_adpp(_plain_samples().frame, adex(), study=STUDY)


def kinetics(rows: list[dict] | None = None, study=STUDY, medicines: pd.DataFrame | None = None):
    if rows is None and study is STUDY and medicines is None:
        return _plain_kinetics()
    return derive_adpp(samples(rows, study).frame, adex(), study=study, cm=medicines)


@cache
def make_adam() -> Adam:
    study = STUDY
    source = sdtm()
    made = kinetics(study=study, medicines=cm())
    courses = derive_adcy(adlb(), adsl(), cm=cm())
    people = kinetic_sets(adsl(), made.adpc, study)
    events = pd.DataFrame({"USUBJID": ["01", "02"], "CRSFL": ["Y", "Y"], "CRSGR": [1.0, 3.0]})
    best = pd.DataFrame(
        {
            "USUBJID": ["01", "02", "03"],
            "PARAMCD": "BOR",
            "PARCAT2": study.response.evaluator,
            "AVALC": ["PD", "PR", "SD"],
        }
    )
    datasets = {
        "ADSL": people,
        "ADEX": adex(),
        "ADAE": events,
        "ADRS": best,
        "ADPC": made.adpc,
        "ADPP": made.adpp,
        "ADPPLZ": made.candidates,
        "ADPCUSE": made.use,
        "ADCKCM": derive_adckcm(cm()),
        "ADCY": courses.values,
        "ADCYPP": courses.parameters,
        "ADBM": derive_adbm(source, adsl()),
    }
    return Adam(datasets, CUT)
