"""Exposure, phases, laboratory results and episodes of the hand-made study, for the safety questions.

Laboratory: participants 1 to 4 and 14; first infusion on day 0. ALT baseline of 2 above the limit, bilirubin of 4 missing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.analysis.conftest import adae, adex, adsl, uid

NAT = pd.Series(pd.NaT, dtype="datetime64[ns]")
# participant, parameter, day, value, upper limit, baseline flag, low grade, high grade, base, baseline indicator
LAB = [
    (1, "ALT", -1, 20.0, 40.0, "Y", None, 0.0),
    (1, "ALT", 3, 130.0, 40.0, None, None, 2.0),
    (1, "ALT", 20, 30.0, 40.0, None, None, 0.0),
    (2, "ALT", -1, 80.0, 40.0, "Y", None, 1.0),
    (2, "ALT", 3, 450.0, 40.0, None, None, 3.0),
    (2, "ALT", 20, 440.0, 40.0, None, None, 3.0),
    (3, "ALT", 3, 20.0, 40.0, None, None, 0.0),
    (4, "ALT", -1, 30.0, 40.0, "Y", None, 0.0),
    (4, "ALT", 3, 900.0, 40.0, None, None, 4.0),
    (14, "ALT", -1, 30.0, 40.0, "Y", None, 0.0),
    (1, "BILI", 3, 10.0, 20.0, None, None, 0.0),
    (2, "BILI", 5, 50.0, 20.0, None, None, 2.0),
    (3, "BILI", 3, 45.0, 20.0, None, None, 2.0),
    (2, "ALP", 3, 100.0, 120.0, None, None, 0.0),
    (1, "NEUT", -1, 4.0, 6.0, "Y", 0.0, None),
    (1, "NEUT", 3, 0.4, 6.0, None, 4.0, None),
    (1, "NEUT", 20, 3.0, 6.0, None, 0.0, None),
    (2, "NEUT", -1, 4.0, 6.0, "Y", 0.0, None),
    (2, "NEUT", 3, np.nan, 6.0, None, None, None),
    (3, "NEUT", 3, 2.0, 6.0, None, None, None),
]
TERMS = {"ALT": ("high", "Alanine aminotransferase increased"), "BILI": ("high", "Blood bilirubin increased")}
TERMS |= {"ALP": ("high", "Alkaline phosphatase increased"), "NEUT": ("low", "Neutrophil count decreased")}


def start_of(number: int) -> pd.Timestamp:
    return adsl().set_index("USUBJID").loc[uid(number), "TRTSDT"]


def safety_adsl() -> pd.DataFrame:
    frame = adsl()
    last = frame["TRTSDT"] + pd.to_timedelta(frame["TRTSCT"].notna() * 24 + 1, unit="D")
    cause = {uid(4): "Disease progression", uid(15): None}
    return frame.assign(TRTEDT=last, DTHCAUS=frame["USUBJID"].map(cause).astype(object))


def safety_adex() -> pd.DataFrame:
    frame = adex(adsl())
    hours = pd.Timedelta(9, unit="h")
    dose = np.where(frame["PRODUCT"] == "CARNK", 1.5e9, 3.0e9)
    plan = np.where(frame["SRCSEQ"] == "6", 2.0e9, dose)
    route = np.where(frame["PRODUCT"] == "CARNK", "INTRA-ARTERIAL", "INTRAVENOUS").astype(object)
    return frame.assign(
        ASTDTM=frame["ASTDT"] + hours,
        AENDT=frame["ASTDT"],
        ADOSE=dose,
        PLANDOSE=plan,
        DOSEKG=dose / 60,
        AINFN=frame.groupby(["USUBJID", "PRODUCT"]).cumcount() + 1.0,
        WEIGHT=60.0,
        ROUTE=route,
    )


def safety_adae() -> pd.DataFrame:
    frame = adae()
    phases = [
        "NK",
        "CART_C1",
        "CART_C1",
        "CART_C2",
        "CART_C1",
        "CART_C1",
        "NK",
        "POST",
        "NK",
        "NK",
        None,
        "NK",
    ]
    return frame.assign(APHASE=pd.Series(phases, dtype=object), RELLYMPHODEP="N")


def safety_adlb() -> pd.DataFrame:
    rows = []
    for place, (number, code, day, value, upper, flag, low, high) in enumerate(LAB, 1):
        direction, term = TERMS[code]
        date = start_of(number) + pd.Timedelta(days=day)
        base = next((r[3] for r in LAB if r[:2] == (number, code) and r[5] == "Y"), np.nan)
        base_grade = next((r[6:] for r in LAB if r[:2] == (number, code) and r[5] == "Y"), (None, None))
        rows.append(
            {
                "USUBJID": uid(number),
                "PARAMCD": code,
                "BASETYPE": "NK",
                "ADT": date,
                "ADTM": date + pd.Timedelta(7, unit="h"),
                "AVAL": value,
                "AVALU": "10^9/L" if code == "NEUT" else "U/L",
                "ALIMIT": np.nan,
                "ANRHI": upper,
                "ABLFL": flag,
                "BASE": base,
                "BNRIND": None,
                "CHG": value - base,
                "ONTRTFL": "Y" if day >= 0 else None,
                "VISITNUM": {-1: 1.0, 3: 2.0, 5: 2.5, 20: 3.0}[day],
                "VISIT": f"DAY {day}",
                "ATOXDSCL": term if direction == "low" else None,
                "ATOXDSCH": term if direction == "high" else None,
                "ATOXGRL": low,
                "ATOXGRH": high,
                "BTOXGRL": base_grade[0],
                "BTOXGRH": base_grade[1],
                "SRCDOM": "LB",
                "SRCSEQ": str(place),
            }
        )
    grades = ["ATOXGRL", "ATOXGRH", "BTOXGRL", "BTOXGRH"]
    return pd.DataFrame(rows).astype(dict.fromkeys(grades, "float64"))


# participant, kind, reported?, phase, CTCAE, ASTCT, derived CTCAE, derived ASTCT, onset, duration, tocilizumab, direction
EPISODES = [
    (2, "CRS", "Y", "CART_C1", 2.0, 2.0, 2.0, 2.0, 1.0, 4.0, "Y", "AGREE"),
    (7, "CRS", "Y", "CART_C1", 3.0, 2.0, 3.0, 3.0, 3.0, 7.0, "N", "LOWER"),
    (7, "CRS", "Y", "CART_C2", 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, "N", "AGREE"),
    (8, "CRS", "Y", "NK", 2.0, 1.0, None, None, None, None, "N", "UNDOCUMENTED"),
    (9, "CRS", "N", "CART_C1", None, None, 1.0, 1.0, 0.0, 1.0, "N", "UNREPORTED"),
    (5, "ICANS", "Y", "CART_C1", None, 2.0, None, 2.0, 5.0, 3.0, "N", "AGREE"),
]


def safety_adtox() -> pd.DataFrame:
    names = [
        "N",
        "PARAMCD",
        "REPFL",
        "APHASE",
        "REPGRC",
        "REPGRA",
        "DERGRC",
        "DERGRA",
        "AONSINF",
        "ADURN",
        "TOCIFL",
        "DIRA",
    ]
    frame = pd.DataFrame(EPISODES, columns=names)
    numbers = ["REPGRC", "REPGRA", "DERGRC", "DERGRA", "AONSINF", "ADURN"]
    return frame.astype(dict.fromkeys(numbers, "float64")).assign(
        USUBJID=frame["N"].map(uid),
        DIRC=frame["DIRA"],
        ASTDT=pd.Timestamp("2025-02-01"),
        MINICE=np.where(frame["PARAMCD"] == "ICANS", 5.0, np.nan),
        AENDT=pd.Timestamp("2025-02-01") + pd.to_timedelta(frame["ADURN"] - 1, unit="D"),
        STERFL="N",
        VASOFL="N",
        OXYFL="N",
        ICUFL=pd.Series(None, index=frame.index, dtype=object),
        TOCIN=np.where(frame["TOCIFL"] == "Y", 2.0, 0.0),
        STERDY=0.0,
        DEXEQ=0.0,
        SRCDOM="AE",
        SRCSEQ=[str(place) for place in range(1, len(frame) + 1)],
    )


def safety_sets() -> dict[str, pd.DataFrame]:
    return {
        "ADSL": safety_adsl(),
        "ADEX": safety_adex(),
        "ADAE": safety_adae(),
        "ADLB": safety_adlb(),
        "ADTOX": safety_adtox(),
    }
