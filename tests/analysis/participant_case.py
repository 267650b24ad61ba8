"""Source records of four participants by hand: A1 (DL1), B2 and C3 (DL2), D4 (NK only); E5 was enrolled and not treated."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from interim.data.model import Sdtm
from tests.analysis.safety_case import CUT, table

_CUT: datetime = CUT.to_pydatetime()


def dv() -> pd.DataFrame:
    return table(
        "USUBJID DVSEQ DVTERM DVCAT DVSCAT DVSTDTC",
        [
            ("A1", 1.0, "Scan two weeks late", "IMPORTANT", "IMAGING WINDOW", "2025-01-15"),
            ("A1", 2.0, "Scan not done", "Major", "IMAGING WINDOW", "2025-02-15"),
            ("B2", 1.0, "Age above the limit", "IMPORTANT", "ELIGIBILITY", "2025-01-20"),
            ("B2", 2.0, "Questionnaire missing", "MINOR", "ASSESSMENT", "2025-02-03"),
            # No known category: the words of the deviation decide.
            ("C3", 1.0, "Consent on an old version", None, "PAPERWORK", None),
            ("E5", 1.0, "Questionnaire missing", "MINOR", "ASSESSMENT", "2025-05-01"),
            ("X9", 1.0, "Not enrolled", "IMPORTANT", "DOSING", "2025-05-01"),
        ],
    )


def mh() -> pd.DataFrame:
    return table(
        "USUBJID MHSEQ MHTERM MHDECOD MHBODSYS MHCAT MHENRTPT",
        [
            ("A1", 1.0, "high pressure", "Hypertension", "Vascular disorders", "GENERAL", "ONGOING"),
            ("A1", 2.0, "high pressure again", "Hypertension", "Vascular disorders", "GENERAL", "BEFORE"),
            ("A1", 3.0, "colon cancer", "Colorectal carcinoma", "Neoplasms", "PRIMARY DIAGNOSIS", None),
            ("B2", 1.0, "high pressure", "Hypertension", "Vascular disorders", "GENERAL", "BEFORE"),
            ("B2", 2.0, "fatty liver", "Fatty liver", "Hepatobiliary disorders", "GENERAL", "ONGOING"),
            ("D4", 1.0, "odd feeling", None, None, "GENERAL", None),
            ("E5", 1.0, "gallstones", "Gallstones", "Hepatobiliary disorders", "GENERAL", "ONGOING"),
        ],
    )


def cm() -> pd.DataFrame:
    """First infusions: A1 2025-01-01, B2 2025-02-01, C3 2025-03-01, D4 2025-04-01."""
    prior, taken = "PRIOR ANTICANCER THERAPY", "CONCOMITANT MEDICATION"
    frame = table(
        "USUBJID CMSEQ CMTRT CMCLAS CMCAT CMSCAT CMINDC CMSTDTC CMENDTC LINE BESTRESP CMRSDISC CMOCCUR",
        [
            (
                "A1",
                1.0,
                "S-1",
                "Fluoropyrimidine",
                prior,
                "SYSTEMIC",
                "x",
                "2023-01",
                "2023-05",
                "1",
                "PR",
                "PROGRESSION",
                None,
            ),
            (
                "A1",
                2.0,
                "Oxaliplatin",
                "Platinum compound",
                prior,
                "SYSTEMIC",
                "x",
                "2023-01",
                "2023-05",
                "1",
                "PR",
                "PROGRESSION",
                None,
            ),
            (
                "A1",
                3.0,
                "Fruquintinib",
                "VEGFR inhibitor",
                prior,
                "SYSTEMIC",
                "x",
                "2024-01",
                "2024-11",
                "2",
                "SD",
                "TOXICITY",
                None,
            ),
            ("B2", 1.0, "Mystery", None, prior, "SYSTEMIC", "x", "2024", "2024-12-30", "1", None, None, None),
            (
                "A1",
                4.0,
                "Omeprazole",
                "Antacid",
                taken,
                None,
                "stomach",
                "2024-12-01",
                "2024-12-31",
                None,
                None,
                None,
                None,
            ),
            (
                "A1",
                5.0,
                "Tramadol",
                "Opioid",
                taken,
                None,
                "pain",
                "2024-12-01",
                "2025-01",
                None,
                None,
                None,
                None,
            ),
            (
                "B2",
                2.0,
                "Tramadol",
                "Opioid",
                taken,
                None,
                "pain",
                "2025-02-03",
                None,
                None,
                None,
                None,
                None,
            ),
            (
                "B2",
                3.0,
                "Tramadol",
                "Opioid",
                taken,
                None,
                "pain",
                "2025-02-03",
                None,
                None,
                None,
                None,
                None,
            ),
            (
                "B2",
                4.0,
                "Heparin",
                None,
                taken,
                None,
                "line",
                "2025-02-03",
                "2025-02-05",
                None,
                None,
                None,
                None,
            ),
            (
                "C3",
                1.0,
                "Heparin",
                None,
                taken,
                None,
                "line",
                "2025-03-03",
                "2025-03-05",
                None,
                None,
                None,
                "N",
            ),
            (
                "C3",
                2.0,
                "Taxol",
                "Taxane",
                "NEW ANTICANCER THERAPY",
                "SYSTEMIC",
                "x",
                "2025-05-01",
                None,
                None,
                None,
                None,
                None,
            ),
        ],
    )
    return frame.assign(CMDECOD=None)


def pr() -> pd.DataFrame:
    return table(
        "USUBJID PRSEQ PRTRT PRCAT PRSCAT PRSTDTC PRENDTC",
        [
            ("A1", 1.0, "Microwave ablation", "PRIOR ANTICANCER THERAPY", "LOCAL LIVER", "2024", "2024"),
            (
                "C3",
                1.0,
                "Pelvic radiotherapy",
                "PRIOR ANTICANCER THERAPY",
                "RADIATION",
                "2025-02",
                "2025-02-27",
            ),
            ("D4", 1.0, "Liver biopsy", "DIAGNOSTIC PROCEDURE", None, "2025-03", "2025-03"),
        ],
    )


def sdtm(**changed: pd.DataFrame | None) -> Sdtm:
    """Return the source domains; one that is given as None was not delivered."""
    made = {"DM": dm(), "DV": dv(), "MH": mh(), "CM": cm(), "PR": pr()} | changed
    return Sdtm({name: frame for name, frame in made.items() if frame is not None}, _CUT)


def dm() -> pd.DataFrame:
    ages = {"A1": 50.0, "B2": 76.0, "C3": 72.0, "D4": 17.0, "E5": 75.0, "X9": 90.0}
    return pd.DataFrame({"USUBJID": list(ages), "AGE": list(ages.values()), "SEX": list("FMMFFM")})


def renamed(names: dict[str, str]) -> Sdtm:
    """Return the source domains with other names of the participants."""
    domains = sdtm().domains
    return Sdtm({d: f.assign(USUBJID=f["USUBJID"].replace(names)) for d, f in domains.items()}, _CUT)
