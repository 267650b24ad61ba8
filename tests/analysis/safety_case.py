"""Five participants written by hand for the listings, profiles and figures of safety.

A1 DL1: one CAR-T cycle, a grade 2 cytokine release.    D4 NK only: product not manufactured.
B2 DL2: two cycles, died on day 60 of a related sepsis. E5 enrolled, withdrew before any infusion.
C3 DL2: one cycle, liver enzymes of grade 3: DLT.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from interim.adam.model import Adam
from interim.data.model import Sdtm

CUT = pd.Timestamp("2025-06-30")
DAY0 = {
    "A1": pd.Timestamp("2025-01-01"),
    "B2": pd.Timestamp("2025-02-01"),
    "C3": pd.Timestamp("2025-03-01"),
    "D4": pd.Timestamp("2025-04-01"),
    "E5": pd.NaT,
}
DATES = ("DT", "DTM", "NK", "CT", "TRTEDT", "TRTSDT")


def at(subject: str, day: float | None) -> pd.Timestamp:
    return pd.NaT if day is None else DAY0[subject] + pd.Timedelta(day, unit="D")


def table(names: str, rows: list[tuple]) -> pd.DataFrame:
    """Return rows of tuples as a frame; names are separated by spaces."""
    return pd.DataFrame(rows, columns=names.split())


def dated(frame: pd.DataFrame, **columns: str) -> pd.DataFrame:
    """Replace days by dates: ``ASTDT="DAY"`` makes the date of the day after the first infusion."""
    answer = frame.copy()
    for date, day in columns.items():
        values = [
            at(s, None if d is None or d != d else d)
            for s, d in zip(frame["USUBJID"], frame[day], strict=True)
        ]
        answer[date] = pd.Series(values, index=frame.index).astype("datetime64[ns]")
    return answer


def adsl() -> pd.DataFrame:
    frame = table(
        "USUBJID COHORT COHORTA SAFCTFL CT LAST DTH EOSSTT DCSREAS NOCTRS DTHCAUS AGE SEX TUMTYPE DLTSTAT NINFNK NINFCT",
        [
            (
                "A1",
                "DL1",
                "DL1",
                "Y",
                10,
                11,
                None,
                "ONGOING",
                None,
                None,
                None,
                50.0,
                "F",
                "CRC",
                "EVALUABLE",
                2.0,
                2.0,
            ),
            (
                "B2",
                "DL2",
                "DL2",
                "Y",
                10,
                25,
                60,
                "DISCONTINUED",
                "DEATH",
                None,
                "SEPSIS",
                61.0,
                "M",
                "GASTRIC",
                "EVALUABLE",
                2.0,
                4.0,
            ),
            (
                "C3",
                "DL2",
                "DL2",
                "Y",
                10,
                11,
                None,
                "ONGOING",
                None,
                None,
                None,
                72.0,
                "M",
                "CRC",
                "EVALUABLE",
                2.0,
                2.0,
            ),
            (
                "D4",
                "NK only",
                "NK only",
                "N",
                None,
                1,
                None,
                "ONGOING",
                None,
                "MANUFACTURING",
                None,
                45.0,
                "F",
                None,
                "NOT EVALUABLE",
                2.0,
                0.0,
            ),
            (
                "E5",
                "DL2",
                None,
                "N",
                None,
                None,
                None,
                "DISCONTINUED",
                "WITHDRAWAL BY SUBJECT",
                None,
                None,
                55.0,
                "F",
                "CRC",
                "NOT EVALUABLE",
                0.0,
                0.0,
            ),
        ],
    )
    treated = frame["USUBJID"] != "E5"
    flag = treated.map({True: "Y", False: "N"}).astype(object)
    frame = frame.assign(
        FIRST=[0 if known else None for known in treated],
        ENRLFL="Y",
        ENRLRS=None,
        SAFNKFL=flag,
        SAFNKRS=[None if known else "NO-NK" for known in treated],
        SAFCTRS=[None, None, None, "NO-CART: MANUFACTURING", "NO-CART"],
        DLTEVFL=frame["SAFCTFL"],
        DLTEVRS=[None, None, None, "NO-CART", "NO-CART"],
        FASFL=flag,
        FASRS=[None, None, None, None, "NO-NK"],
        RESFL=["Y", "Y", "N", "N", "N"],
        RESRS=[None, None, "NO-POST", "NO-POST", "NO-NK"],
        RESPFL="N",
        RESPRS="NO-RESPONSE",
        POSTFL=["Y", "Y", "N", "N", "N"],
        DTHFL=["N", "Y", "N", "N", "N"],
        DTHDOM=[None, "DS", None, None, None],
        DTHSEQ=[None, "9", None, None, None],
        DCUTDT=CUT,
        NACTDT=pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]"),
    )
    dates = dated(
        frame,
        TRTSDT="FIRST",
        TRTSNK="FIRST",
        TRTSCT="CT",
        TRTECT="LAST",
        TRTEDT="LAST",
        DTHDT="DTH",
        EOSDT="DTH",
    )
    window = dates["TRTSCT"] + pd.Timedelta(15, unit="D")
    consent = dates["TRTSDT"].fillna(pd.Timestamp("2025-04-20")) - pd.Timedelta(10, unit="D")
    return dates.drop(columns=["CT", "LAST", "DTH", "FIRST"]).assign(DLTWEDT=window, RFICDT=consent)


INFUSIONS = [
    # participant, day, product, phase, planned, given, weight, record
    ("A1", 0, "CARNK", "NK", 1e9, 1e9, 50.0, "1"),
    ("A1", 1, "CARNK", "NK", 2e9, 2e9, 50.0, "2"),
    ("A1", 10, "CART", "CART_C1", 7.5e8, 7.5e8, 50.0, "3"),
    ("A1", 11, "CART", "CART_C1", 7.5e8, 6.6e8, 50.0, "4"),
    ("B2", 0, "CARNK", "NK", 1e9, 1e9, 60.0, "1"),
    ("B2", 1, "CARNK", "NK", 2e9, 1.5e9, 60.0, "2"),
    ("B2", 10, "CART", "CART_C1", 1.8e9, 1.8e9, 60.0, "3"),
    ("B2", 11, "CART", "CART_C1", 1.8e9, 1.8e9, 60.0, "4"),
    ("B2", 24, "CART", "CART_C2", 1.8e9, 1.8e9, 60.0, "5"),
    ("B2", 25, "CART", "CART_C2", 1.8e9, 1.8e9, 60.0, "6"),
    ("C3", 0, "CARNK", "NK", 1e9, 1e9, 70.0, "1"),
    ("C3", 1, "CARNK", "NK", 2e9, 2e9, 70.0, "2"),
    ("C3", 10, "CART", "CART_C1", 2.1e9, 2.1e9, 70.0, "3"),
    ("D4", 0, "CARNK", "NK", 1e9, 1e9, 55.0, "1"),
    ("D4", 1, "CARNK", "NK", 2e9, 2e9, 55.0, "10"),
]


def adex() -> pd.DataFrame:
    frame = table("USUBJID DAY PRODUCT APHASE PLANDOSE ADOSE WEIGHT SRCSEQ", INFUSIONS)
    frame = dated(frame, ASTDT="DAY").assign(SRCDOM="EX", ROUTE="INTRAVENOUS", DOSEU="cells")
    nk = frame["PRODUCT"] == "CARNK"
    return frame.drop(columns="DAY").assign(
        ROLE=np.where(nk, "nk", "t"),
        ROUTE=np.where(nk, "INTRA-ARTERIAL", "INTRAVENOUS"),
        DOSEKG=frame["ADOSE"] / frame["WEIGHT"],
        ASTDTM=frame["ASTDT"] + pd.Timedelta(10, unit="h"),
        AENDTM=frame["ASTDT"] + pd.Timedelta(10.5, unit="h"),
        AINFN=frame.groupby(["USUBJID", "PRODUCT"]).cumcount() + 1.0,
    )


EVENTS = [
    # participant, record, term, class, grade, ASTCT, onset, end, serious, relation, action, outcome, emergent, DLT
    (
        "A1",
        "1",
        "Cytokine release syndrome",
        "Immune system disorders",
        2,
        2,
        11,
        14,
        "Y",
        "RELCART",
        None,
        "RECOVERED/RESOLVED",
        "Y",
        "N",
    ),
    (
        "A1",
        "2",
        "Nausea",
        "Gastrointestinal disorders",
        1,
        None,
        2,
        3,
        "N",
        "RELNK",
        None,
        "RECOVERED/RESOLVED",
        "Y",
        "N",
    ),
    (
        "A1",
        "3",
        "Headache",
        "Nervous system disorders",
        1,
        None,
        -5,
        -4,
        "N",
        None,
        None,
        "RECOVERED/RESOLVED",
        "N",
        "N",
    ),
    (
        "B2",
        "10",
        "Sepsis",
        "Infections and infestations",
        5,
        None,
        58,
        60,
        "Y",
        "RELCART",
        None,
        "FATAL",
        "Y",
        "N",
    ),
    (
        "B2",
        "2",
        "Hepatic artery thrombosis",
        "Vascular disorders",
        3,
        None,
        1,
        None,
        "Y",
        "RELPROC",
        None,
        None,
        "Y",
        "N",
    ),
    (
        "B2",
        "3",
        "Nausea",
        "Gastrointestinal disorders",
        2,
        None,
        12,
        13,
        "N",
        "RELCART",
        None,
        "RECOVERED/RESOLVED",
        "Y",
        "N",
    ),
    (
        "C3",
        "1",
        "Alanine aminotransferase increased",
        "Investigations",
        3,
        None,
        13,
        20,
        "N",
        "RELCART",
        "DRUG WITHDRAWN",
        None,
        "Y",
        "Y",
    ),
    ("C3", "2", None, None, None, None, 5, 6, "N", None, None, None, "Y", "N"),
    (
        "D4",
        "1",
        "Procedural pain",
        "Injury, poisoning and procedural complications",
        2,
        None,
        0,
        2,
        "N",
        "RELPROC",
        None,
        None,
        "Y",
        "N",
    ),
    ("D4", "2", "Fatigue", "General disorders", 2, None, 4, 9, "Y", "IMPUTED", None, None, "Y", "N"),
]


def adae() -> pd.DataFrame:
    names = "USUBJID SRCSEQ AEDECOD AEBODSYS AETOXGRN ASTCTGRN ON END AESER REL AEACN AEOUT TRTEMFL DLTFL"
    frame = dated(table(names, EVENTS), ASTDT="ON", AENDT="END")
    causes = {
        name: ((frame["REL"] == name) | ((frame["REL"] == "IMPUTED") & name.endswith(("NK", "CART"))))
        .map({True: "Y", False: "N"})
        .astype(object)
        for name in ("RELNK", "RELCART", "RELPROC", "RELLYMPHODEP", "RELOTH")
    }
    cell = (causes["RELNK"] == "Y") | (causes["RELCART"] == "Y")
    return frame.drop(columns=["ON", "END", "REL"]).assign(
        **causes,
        SRCDOM="AE",
        AETERM=frame["AEDECOD"].fillna("odd taste"),
        RELCELL=cell.map({True: "Y", False: "N"}).astype(object),
        RELIMPFL=(frame["REL"] == "IMPUTED").map({True: "Y", False: "N"}).astype(object),
        RELMISFL=(frame["REL"].isna() | (frame["REL"] == "IMPUTED"))
        .map({True: "Y", False: "N"})
        .astype(object),
        CRSFL=(frame["AEDECOD"] == "Cytokine release syndrome").map({True: "Y", False: "N"}).astype(object),
        ICANSFL="N",
        AESIFL=(frame["AEDECOD"] == "Cytokine release syndrome").map({True: "Y", False: "N"}).astype(object),
        AETOXGRN=frame["AETOXGRN"].astype("float64"),
        ASTCTGRN=frame["ASTCTGRN"].astype("float64"),
    )


RESULTS = [
    # participant, parameter, day, value, lower, upper limit, baseline, flag, low, high, against the limit, record
    ("A1", "ALT", -1, 20.0, None, 40.0, 20.0, "Y", None, 0, 0, "1"),
    ("A1", "ALT", 12, 30.0, None, 40.0, 20.0, None, None, 0, 0, "2"),
    ("A1", "NEUT", -1, 4.0, 2.0, 6.0, 4.0, "Y", 0, None, None, "3"),
    ("A1", "NEUT", 15, 0.8, 2.0, 6.0, 4.0, None, 3, None, None, "4"),
    ("A1", "NEUT", 18, 0.4, 2.0, 6.0, 4.0, None, 4, None, None, "5"),
    ("A1", "NEUT", 25, 2.5, 2.0, 6.0, 4.0, None, 0, None, None, "6"),
    ("B2", "NEUT", 15, 0.7, 2.0, 6.0, 3.0, None, 3, None, None, "1"),
    ("B2", "NEUT", 40, 0.6, 2.0, 6.0, 3.0, None, 3, None, None, "2"),
    ("B2", "BILI", 12, 50.0, None, 20.0, 10.0, None, None, 2, 2, "3"),
    ("C3", "ALT", -1, 90.0, None, 40.0, 90.0, "Y", None, 1, 1, "1"),
    ("C3", "ALT", 13, 480.0, None, 40.0, 90.0, None, None, 3, 3, "2"),
    ("C3", "ALT", 70, 470.0, None, 40.0, 90.0, None, None, 3, 3, "3"),
    ("D4", "PLAT", 3, 90.0, 125.0, 350.0, 200.0, None, 1, None, None, "1"),
    ("D4", "CRP", 3, 50.0, None, 10.0, 5.0, None, None, None, None, "2"),
]
TERMS = {
    "ALT": (None, "Alanine aminotransferase increased"),
    "BILI": (None, "Blood bilirubin increased"),
    "NEUT": ("Neutrophil count decreased", None),
    "PLAT": ("Platelet count decreased", None),
    "CRP": (None, None),
}


def adlb() -> pd.DataFrame:
    names = "USUBJID PARAMCD DAY AVAL ANRLO ANRHI BASE ABLFL ATOXGRL ATOXGRH ATOXGRHU SRCSEQ"
    frame = dated(table(names, RESULTS), ADT="DAY")
    numbers = ("AVAL", "ANRLO", "ANRHI", "BASE", "ATOXGRL", "ATOXGRH", "ATOXGRHU")
    frame = frame.astype(dict.fromkeys(numbers, "float64"))
    return frame.drop(columns="DAY").assign(
        ADTM=pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]"),
        PARAM=frame["PARAMCD"],
        BASETYPE="NK",
        ALIMIT=np.nan,
        AVALU=frame["PARAMCD"].map({"ALT": "U/L", "BILI": "umol/L", "CRP": "mg/L"}).fillna("10^9/L"),
        BNRIND=np.where(frame["BASE"] > frame["ANRHI"], "HIGH", "NORMAL"),
        ONTRTFL=pd.Series(np.where(frame["DAY"] >= 0, "Y", None), index=frame.index, dtype=object),
        ATOXDSCL=frame["PARAMCD"].map(lambda code: TERMS[code][0]).astype(object),
        ATOXDSCH=frame["PARAMCD"].map(lambda code: TERMS[code][1]).astype(object),
        ATOXASFL=pd.Series(None, index=frame.index, dtype=object),
        SRCDOM="LB",
    )


TOXICITY = [
    # participant, kind, reported, phase, onset, end, CTCAE, ASTCT, bounds ASTCT, bounds CTCAE, directions, screen, flags, record
    ("A1", "CRS", "Y", "CART_C1", 11, 14, 2, 2, 1, 1, 1, 1, "HIGHER", "HIGHER", None, None, "1"),
    (
        "A1",
        "ICAHT",
        "N",
        "CART_C1",
        10,
        None,
        None,
        None,
        3,
        3,
        None,
        None,
        None,
        "UNREPORTED",
        None,
        "GCSF",
        None,
    ),
    (
        "A1",
        "IECHS",
        "N",
        "CART_C1",
        12,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        "SCREEN_NEGATIVE",
        None,
        None,
    ),
    ("B2", "ICAHT", "N", "CART_C1", 10, None, None, None, 0, 4, None, None, None, None, None, None, None),
    (
        "B2",
        "IECHS",
        "N",
        "CART_C1",
        12,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        "UNREPORTED",
        "SCREEN_POSITIVE",
        None,
        None,
    ),
    ("C3", "ICAHT", "N", "CART_C1", 10, None, None, None, 0, 0, None, None, None, None, None, None, None),
    (
        "C3",
        "CRS",
        "N",
        "CART_C1",
        12,
        12,
        None,
        None,
        2,
        2,
        2,
        2,
        "UNREPORTED",
        "UNREPORTED",
        None,
        None,
        None,
    ),
    (
        "D4",
        "GVHD",
        "N",
        "NK",
        20,
        None,
        None,
        None,
        1,
        3,
        None,
        None,
        None,
        "UNREPORTED",
        None,
        "LIVER_CONFOUNDED",
        None,
    ),
    (
        "D4",
        "IECHS",
        "N",
        "NK",
        12,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        "NOT_EVALUABLE",
        None,
        None,
    ),
]


def adtox() -> pd.DataFrame:
    names = "USUBJID PARAMCD REPFL APHASE ON END REPGRC REPGRA ASTLO ASTHI CTCLO CTCHI DIRC DIRA SCREEN FLAGS SRCSEQ"
    frame = dated(table(names, TOXICITY), ASTDT="ON", AENDT="END")
    numbers = ("REPGRC", "REPGRA", "ASTLO", "ASTHI", "CTCLO", "CTCHI")
    frame = frame.astype(dict.fromkeys(numbers, "float64"))
    return frame.assign(
        AONSINF=frame["ON"].astype("float64") - 10,
        ADURN=(frame["END"] - frame["ON"] + 1).astype("float64"),
        DRIVERA=np.where(frame["PARAMCD"] == "CRS", "fever", ""),
        DRIVERC="",
        MISSINP=np.where(frame["ASTLO"] != frame["ASTHI"], "ANC", ""),
        TOCIFL=np.where(frame["SRCSEQ"] == "1", "Y", "N"),
        STERFL="N",
        VASOFL="N",
        OXYFL="N",
        ICUFL="N",
        TOCIN=np.where(frame["SRCSEQ"] == "1", 1.0, 0.0),
        STERDY=0.0,
        DEXEQ=0.0,
        QUERYKEY=frame["USUBJID"] + "/" + frame["PARAMCD"],
        SRCDOM=np.where(frame["REPFL"] == "Y", "AE", None),
    ).drop(columns=["ON", "END"])


def other_sets() -> dict[str, pd.DataFrame]:
    cells = dated(
        table(
            "USUBJID PARAMCD ASPEC AVALU DAY AVAL BLQFL",
            [
                ("A1", "CAR", "BLOOD", "copies/ug", 12, 100.0, "N"),
                ("A1", "CAR", "BLOOD", "copies/ug", 17, 5000.0, "N"),
                ("A1", "CAR", "BLOOD", "copies/ug", 30, 10.0, "Y"),
                ("A1", "CAR", "LIVER MET", "copies/ug", 20, 90000.0, "N"),
            ],
        ),
        ADT="DAY",
    )
    sums = dated(
        table(
            "USUBJID PARAMCD PARCAT2 DTYPE DAY PCHG",
            [
                ("A1", "SDIAM", "INVESTIGATOR", None, 42, -12.5),
                ("A1", "SDIAM", "INVESTIGATOR", "PARTIAL", 84, -60.0),
                ("A1", "SDIAM", "READER 1", None, 42, 40.0),
                ("B2", "SDIAM", "INVESTIGATOR", None, 42, 30.0),
            ],
        ),
        ADT="DAY",
    )
    il6 = dated(
        table(
            "USUBJID PARAMCD DAY AVAL",
            [("A1", "IL6", 10, 5.0), ("A1", "IL6", 12, 800.0), ("A1", "IL6", -1, 2.0)],
        ),
        ADT="DAY",
    )
    return {"ADPC": cells, "ADTR": sums, "ADCY": il6}


def adam(**changed: pd.DataFrame | None) -> Adam:
    """Return the datasets; a dataset given as None is absent."""
    made = {
        "ADSL": adsl(),
        "ADEX": adex(),
        "ADAE": adae(),
        "ADLB": adlb(),
        "ADTOX": adtox(),
        **other_sets(),
    } | changed
    kept = {name: frame for name, frame in made.items() if frame is not None}
    return Adam(
        kept, CUT.to_pydatetime(), missing={name: f"no {name}" for name, f in made.items() if f is None}
    )


def sdtm(**changed: pd.DataFrame) -> Sdtm:
    """Return the source domains that the questions read themselves."""
    be = table(
        "USUBJID BESEQ BEREFID BEDECOD BECAT BESTDTC",
        [
            ("A1", 1.0, "T-1", "APHERESIS", "CAR-T", "2024-12-20"),
            ("A1", 2.0, "T-1", "MANUFACTURING START", "CAR-T", "2024-12-21"),
            ("A1", 3.0, "T-1", "PRODUCT RELEASE", "CAR-T", "2025-01-05"),
            ("B2", 1.0, "T-2", "APHERESIS", "CAR-T", "2025-01-20"),
            ("B2", 2.0, "T-2", "MANUFACTURING START", "CAR-T", "2025-01-21"),
            ("B2", 3.0, "T-2", "MANUFACTURING START", "CAR-T", "2025-01-25"),
            ("B2", 4.0, "T-2", "PRODUCT RELEASE", "CAR-T", "2025-02-05"),
            ("D4", 1.0, "T-4", "APHERESIS", "CAR-T", "2025-03-20"),
            ("D4", 2.0, "T-4", "MANUFACTURING FAILURE", "CAR-T", "2025-04-08"),
            ("E5", 1.0, "NK-5", "PRODUCT RELEASE", "CAR-NK", "2025-04-25"),
        ],
    )
    bs = table(
        "USUBJID BSTESTCD BSCAT BSSTRESN BSSTRESU",
        [
            ("A1", "VIABIL", "CAR-T", 90.0, "%"),
            ("B2", "VIABIL", "CAR-T", 80.0, "%"),
            ("A1", "VIABIL", "CAR-NK", 85.0, "%"),
            ("A1", "RESIDT", "CAR-NK", 0.5, "%"),
        ],
    )
    ex = table(
        "USUBJID EXSEQ EXLOT EXOCCUR EXADJ",
        [
            ("A1", 3.0, "T-1", "Y", None),
            ("A1", 4.0, "T-1", "Y", "PARTIAL THAW"),
            ("C3", 9.0, "T-3", "N", "ADVERSE EVENT"),
            ("E5", 1.0, "NK-5", "N", "WITHDRAWAL"),
        ],
    )
    cm = table(
        "USUBJID CMDECOD CMSTDTC CMENDTC CMCAT",
        [
            ("A1", "TOCILIZUMAB", "2025-01-12", "2025-01-12", "CONCOMITANT MEDICATION"),
            ("B2", "DEXAMETHASONE", "2025-02-12", "2025-02-14", "CONCOMITANT MEDICATION"),
            ("B2", "DEXAMETHASONE", "2025-02-14", "2025-02-15", "CONCOMITANT MEDICATION"),
            ("C3", "DEXAMETHASONE", "2025-02-01", "2025-02-02", "CONCOMITANT MEDICATION"),
            ("D4", "VANCOMYCIN", "2025-04-05", None, "CONCOMITANT MEDICATION"),
        ],
    )
    domains = {"BE": be, "BS": bs, "EX": ex, "CM": cm} | changed
    return Sdtm(domains, datetime(2025, 6, 30))
