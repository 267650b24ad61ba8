"""Hand-made tumour data: compact notation -> TU, TR, RS and ADSL."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from interim.data.model import Sdtm
from interim.study import Study
from interim.study.efficacy import ResponseTable
from interim.study.tables import DataTable, StudyTable

DOSE = pd.Timestamp("2026-01-05")


def make_study(**tables: object) -> Study:
    response = tables.pop("response", {})
    return Study(
        study=StudyTable(id="T"),
        data=DataTable(path="none", cut_date=tables.pop("cut", date(2026, 12, 31))),
        response=ResponseTable(**response),
        **tables,
    )


def day(number: int) -> str:
    return f"{DOSE + pd.Timedelta(days=number):%Y-%m-%d}"


def tumour(
    days, targets=None, nontargets=None, new=None, *, subject="S1", reader=None, accepted=None, visits=None
):
    """Return TU and TR. targets: id -> (organ, value per scan); a number is mm, a text a state, None no record."""
    tu, tr = [], []
    common = {"USUBJID": subject, "EVALID": reader, "ACPT": accepted}
    numbers = list(visits or range(1, len(days) + 1))
    for role, group in (("TARGET", targets), ("NON-TARGET", nontargets), ("NEW", new)):
        for lesion, (organ, values) in (group or {}).items():
            first = next(i for i, v in enumerate(values) if v is not None)
            tu.append(
                {
                    **common,
                    "TULNKID": lesion,
                    "TUSTRESC": role,
                    "TULOC": organ,
                    "TUTESTCD": "TUMIDENT",
                    "VISITNUM": float(numbers[first]),
                    "VISIT": f"V{numbers[first]}",
                    "TUDTC": _text(days[first]),
                }
            )
            for place, value in enumerate(values):
                if value is None:
                    continue
                row = {
                    **common,
                    "TRGRPID": role,
                    "TRLNKID": lesion,
                    "VISITNUM": float(numbers[place]),
                    "VISIT": f"V{numbers[place]}",
                    "TRDTC": _text(days[place]),
                }
                if isinstance(value, str):
                    row |= {"TRTESTCD": "TUMSTATE", "TRSTRESC": value}
                else:
                    code = "LPERP" if organ.startswith("LYMPH NODE") else "LDIAM"
                    row |= {
                        "TRTESTCD": code,
                        "TRSTRESN": float(value),
                        "TRSTRESC": f"{value:g}",
                        "TRSTRESU": "mm",
                    }
                tr.append(row)
    return _frame(tu, "TU"), _frame(tr, "TR")


def _text(value):
    return value if isinstance(value, str) else day(value)


TR_COLUMNS = [
    "USUBJID",
    "TRGRPID",
    "TRLNKID",
    "TRTESTCD",
    "TRSTRESC",
    "TRSTRESN",
    "TRSTRESU",
    "TRSTAT",
    "TRDTC",
    "VISITNUM",
    "VISIT",
]
TU_COLUMNS = ["USUBJID", "TULNKID", "TUSTRESC", "TULOC", "TUTESTCD", "TUDTC", "VISITNUM", "VISIT"]
RS_COLUMNS = ["USUBJID", "RSTESTCD", "RSCAT", "RSSTRESC", "RSSTAT", "RSDTC", "VISITNUM", "VISIT"]
COLUMNS = {"TR": TR_COLUMNS, "TU": TU_COLUMNS, "RS": RS_COLUMNS}


def _frame(rows, domain):
    frame = pd.DataFrame(rows, columns=[*COLUMNS[domain], "EVALID", "ACPT"], dtype=object)
    frame = frame.where(frame.notna(), None)
    for name in ("TRSTRESN", "VISITNUM"):
        if name in frame:
            frame[name] = frame[name].astype("float64")
    frame = frame.rename(columns={"EVALID": f"{domain}EVALID", "ACPT": f"{domain}ACPTFL"})
    frame[f"{domain}EVAL"] = frame[f"{domain}EVALID"].map(
        lambda r: "INDEPENDENT ASSESSOR" if r else "INVESTIGATOR"
    )
    frame[f"{domain}SEQ"] = [float(n) for n in range(1, len(frame) + 1)]
    return frame


def reports(
    days,
    values,
    *,
    subject="S1",
    reader=None,
    test="OVRLRESP",
    category="RECIST 1.1",
    visits=None,
    accepted=None,
):
    numbers = list(visits or range(2, len(days) + 2))
    rows = [
        {
            "USUBJID": subject,
            "RSTESTCD": test,
            "RSCAT": category,
            "RSSTRESC": value,
            "RSDTC": _text(d),
            "VISITNUM": float(n),
            "VISIT": f"V{n}",
            "EVALID": reader,
            "ACPT": accepted,
        }
        for d, value, n in zip(days, values, numbers, strict=True)
    ]
    return _frame(rows, "RS")


def adsl(*subjects: str, **columns: object) -> pd.DataFrame:
    frame = pd.DataFrame({"USUBJID": list(subjects or ("S1",))}, dtype=object)
    defaults = {
        "TRTSDT": DOSE,
        "TRTSCT": DOSE + pd.Timedelta(days=10),
        "RFICDT": DOSE - pd.Timedelta(days=20),
        "NACTDT": pd.NaT,
        "DTHDT": pd.NaT,
        "EOSDT": pd.NaT,
        "LSTALVDT": pd.NaT,
        "DCUTDT": pd.Timestamp("2026-12-31"),
    }
    for name, value in {**defaults, **columns}.items():
        frame[name] = value
    for name in defaults:
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[ns]")
    return frame


def sdtm(study: Study, **domains: pd.DataFrame) -> Sdtm:
    return Sdtm(domains, cut=study.cut)


@pytest.fixture(scope="session")
def make():
    return SimpleNamespace(
        study=make_study, tumour=tumour, reports=reports, adsl=adsl, sdtm=sdtm, day=day, dose=DOSE
    )


@pytest.fixture(scope="session")
def derive(make):
    """Return a function (tu, tr, rs, study, adsl) -> ResponseData."""
    from interim.adam.response import derive_response

    def run(tu=None, tr=None, rs=None, *, study=None, people=None, scan_day="last", **more):
        study = study or make.study()
        domains = {name: frame for name, frame in (("TU", tu), ("TR", tr), ("RS", rs)) if frame is not None}
        return derive_response(
            make.sdtm(study, **domains, **more),
            make.adsl() if people is None else people,
            study=study,
            scan_day=scan_day,
        )

    return run


@pytest.fixture(scope="session")
def values():
    """Return a function (frame, parameter, evaluator) -> values in the order of time."""

    def read(frame, parameter, evaluator="INVESTIGATOR", subject="S1", column="AVALC"):
        keep = (
            (frame["PARAMCD"] == parameter) & (frame["PARCAT2"] == evaluator) & (frame["USUBJID"] == subject)
        )
        return frame.loc[keep, column].tolist()

    return read
