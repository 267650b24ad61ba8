"""For every rule edits that make it fire and near misses that do not; an edit is (domain, place, values), see `plant` in conftest."""

from __future__ import annotations

import pytest

from interim.data.check import RULES

T = "+08:00"
NEW = {"AESEQ": 9.0}
# rule: edits that fire, (domain, participant, variable) of the first finding, edits of the near miss.
KEYS = {
    "DM-UNIQ": (
        [("DM", "+0", {"BRTHDTC": "1970-01-01"})],
        ("DM", "S1", "USUBJID"),
        [("DM", "+0", {"USUBJID": "S9"})],
    ),
    "XD-KEY": (
        [("LB", "+0", {"LBTESTCD": "AST"})],
        ("LB", "S1", "LBSEQ"),
        [("LB", "+0", {"LBTESTCD": "AST", "LBSEQ": 99.0})],
    ),
    "XD-ORPHAN": ([("AE", 0, {"USUBJID": "S11"})], ("AE", "S11", "USUBJID"), [("AE", 0, {"USUBJID": " S1"})]),
    "XD-SUPP": (
        [("SUPPAE", 0, {"IDVARVAL": "77"})],
        ("SUPPAE", "S1", "IDVARVAL"),
        [("SUPPAE", 0, {"IDVARVAL": "1"})],
    ),
    "XD-REQ": (
        [("AE", 0, {"AEOUT": None})],
        ("AE", "S1", "AEOUT"),
        [("LB", 0, {"LBORRES": None, "LBSTAT": "NOT DONE"})],
    ),
    "XD-CT": (
        [("DM", 0, {"SEX": "female"})],
        ("DM", "S1", "SEX"),
        [("AE", 0, {"AEREL": "CARNK;CART", "AEOUT": "RESOLVED"})],
    ),
    "XD-TRIM": (
        [("RS", 1, {"RSSTRESC": "ＰＲ"})],
        ("RS", "S1", "RSSTRESC"),
        [("AE", 0, {"AETERM": "Fever （high）"})],
    ),
    "PII-SCAN": (
        [("AE", 0, {"AETERM": "Mr Zhang 138..."})],
        ("AE", "S1", "AETERM"),
        [("AE", 0, {"AETERM": "Drug reaction, 1380 units"})],
    ),
}
DATES = {
    "XD-ISO": (
        [("AE", 0, {"AESTDTC": "03/04/2025"})],
        ("AE", "S1", "AESTDTC"),
        [("AE", 0, {"AESTDTC": "2025-01-22T08:00"})],
    ),
    "XD-FUTURE": (
        [("LB", 1, {"LBDTC": "2026-01-02"})],
        ("LB", "S1", "LBDTC"),
        [("LB", 1, {"LBDTC": "2026-01-01"})],
    ),
    "XD-MONTH": (
        [("CM", 2, {"CMSTDTC": "2024---15"})],
        ("CM", "S1", "CMSTDTC"),
        [("CM", 2, {"CMSTDTC": "2024"})],
    ),
    "XD-PARTDTH": (
        [("DM", 1, {"DTHDTC": "2025-06"})],
        ("DM", "S2", "DTHDTC"),
        [("DM", 1, {"DTHDTC": f"2025-06-10T08:00{T}"})],
    ),
    "XD-PARTSCAN": (
        [("TR", 0, {"TRDTC": "2025-01"})],
        ("TR", "S1", "TRDTC"),
        [("TR", 0, {"TRDTC": f"2025-01-10T08:00{T}"})],
    ),
    "XD-POSTDTH": (
        [("LB", 13, {"LBDTC": "2025-06-11"})],
        ("LB", "S2", "LBDTC"),
        [("LB", 13, {"LBDTC": "2025-06-10"})],
    ),
    "XD-TZ": (
        [("EX", 0, {"EXSTDTC": "2025-01-19T23:50Z", "EXENDTC": None})],
        ("DM", "S1", "RFXSTDTC"),
        [("EX", 0, {"EXSTDTC": "2025-01-20T10:00+0800"})],
    ),
    "XD-VISORD": (
        [("LB", 12, {"VISITNUM": 3.0}), ("LB", 13, {"VISITNUM": 4.0, "LBDTC": "2025-02-09"})],
        ("LB", "S2", "LBDTC"),
        [("LB", 13, {"VISITNUM": 4.0})],
    ),
    "XD-VISDATE": (
        [("LB", 3, {"LBDTC": "2025-01-16"})],
        ("LB", "S1", "LBDTC"),
        [("TR", 3, {"TRDTC": "2025-01-15"})],
    ),
    "XD-VISSAME": (
        [("LB", "+0", {"LBSEQ": 99.0, "VISITNUM": 1.5})],
        ("LB", "S1", "LBDTC"),
        [("LB", "+0", {"LBSEQ": 99.0, "LBTESTCD": "AST", "VISITNUM": 1.5})],
    ),
    "SV-WIN": (
        [("SV", 2, {"SVSTDTC": "2025-03-28"})],
        ("SV", "S1", "SVSTDTC"),
        [("SV", 2, {"SVSTDTC": "2025-03-27"})],
    ),
}
SUBJECTS = {
    "DM-CONSENT": (
        [("DM", 0, {"RFICDTC": "2025-01-21"})],
        ("DM", "S1", "RFICDTC"),
        [("DM", 0, {"RFICDTC": "2025-01-20"})],
    ),
    "DM-ELIG": ([("DM", 1, {"AGE": 76.0})], ("DM", "S2", "AGE"), [("DM", 1, {"AGE": 18.0})]),
    "XD-SEX": (
        [("AE", 0, {"AETERM": "Prostate pain"})],
        ("AE", "S1", "AETERM"),
        [("AE", 3, {"AETERM": "Prostate pain"})],
    ),
    "DM-DTH": ([("DM", 1, {"DTHFL": None})], ("DM", "S2", "DTHFL"), [("DM", 1, {"DTHDTC": "2025"})]),
    "DS-DEATH": (
        [("DS", "-2", {})],
        ("DM", "S2", None),
        [("AE", 4, {"AEOUT": "UNKNOWN", "AESDTH": "N", "AEDTHDTC": None})],
    ),
    "DS-MULTIDTH": (
        [("DS", 2, {"DSSTDTC": "2025-06-11"})],
        ("DM", "S2", None),
        [("DS", 2, {"DSSTDTC": "2025-06"})],
    ),
    "DS-CAUSE": (
        [("AE", 4, {"AEOUT": "UNKNOWN"})],
        ("DM", "S2", "DTHDTC"),
        [("AE", 4, {"AEOUT": "UNKNOWN"}), ("DS", 2, {"DSTERM": "Death due to progression"})],
    ),
    "DS-LASTALIVE": (
        [("DS", 4, {"DSSTDTC": "2025-05-09"})],
        ("DS", "S1", "DSSTDTC"),
        [("DS", 4, {"DSSTDTC": "2025-05-10"})],
    ),
    "DS-AFTER": (
        [("DS", 2, {"DSSTDTC": "2025-03-03"})],
        ("EX", "S2", "EXSTDTC"),
        [("DS", 2, {"DSSTDTC": "2025-03-04"})],
    ),
    "DS-AECOD": (
        [("AE", 3, {"AEACN": "DRUG WITHDRAWN"})],
        ("AE", "S2", "AEACN"),
        [
            ("AE", 3, {"AEACN": "DRUG WITHDRAWN"}),
            ("DS", 1, {"DSDECOD": "ADVERSE EVENT", "DSCAT": "DISPOSITION EVENT"}),
        ],
    ),
}
EXPOSURE = {
    "EX-DUP": (
        [("EX", "+2", {"EXSEQ": 9.0})],
        ("EX", "S1", "EXSTDTC"),
        [("EX", "+2", {"EXSEQ": 9.0, "EXSTDTC": f"2025-01-29T12:00{T}", "EXENDTC": None})],
    ),
    "EX-NODOSE": (
        [("EX", 2, {"EXDOSE": None})],
        ("EX", "S1", "EXDOSE"),
        [("EX", 2, {"EXDOSE": None, "EXOCCUR": "N"})],
    ),
    "EX-END": (
        [("EX", 2, {"EXENDTC": f"2025-01-29T09:59{T}"})],
        ("EX", "S1", "EXENDTC"),
        [("EX", 2, {"EXENDTC": "2025-01-29"})],
    ),
    "EX-UNIT": (
        [("EX", 2, {"EXDOSU": None})],
        ("EX", "S1", "EXDOSU"),
        [("EX", 2, {"EXDOSU": None, "EXDOSE": None, "EXOCCUR": "N"})],
    ),
    "EX-ACTLVL": ([("EX", 8, {"EXDOSE": 1.1e9})], ("EX", "S2", "EXDOSE"), [("EX", 8, {"EXDOSE": 1.75e9})]),
    "EX-RANGE-UNIT": (
        [("EX", 2, {"EXDOSE": 3.1e9, "EXDOSU": "cells/kg"})],
        ("EX", "S1", "EXDOSE"),
        [("EX", 2, {"EXDOSE": 900.0, "EXDOSU": "10^6 cells"})],
    ),
    "EX-SPLIT": (
        [("EX", 2, {"EXDOSE": 4.5e8}), ("EX", 3, {"EXDOSE": 4.5e8})],
        ("EX", "S1", "EXDOSE"),
        [("EX", 2, {"EXDOSE": 4.5e8})],
    ),
    "EX-ORDER": (
        [
            ("EX", 2, {"EXCYCLE": 2.0}),
            ("EX", 3, {"EXCYCLE": 2.0}),
            ("EX", 4, {"EXCYCLE": 1.0}),
            ("EX", 5, {"EXCYCLE": 1.0}),
        ],
        ("EX", "S1", "EXSTDTC"),
        [("EX", 3, {"EXSTDTC": f"2025-02-13T08:00{T}"})],
    ),
    "EX-WINDOW": (
        [("EX", 3, {"EXSTDTC": f"2025-02-01T10:00{T}", "EXENDTC": None})],
        ("EX", "S1", "EXSTDTC"),
        [("EX", 3, {"EXSTDTC": f"2025-01-30T23:00{T}"})],
    ),
    "EX-EXPECT": ([("EX", "-1", {})], ("PR", "S1", "PRTRT"), [("EX", 1, {"EXOCCUR": "N", "EXDOSE": None})]),
    "EX-WT": ([("VS", 0, {"VSSTRESN": 72.0})], ("EX", "S1", "EXDOSE"), [("VS", 0, {"VSSTRESN": 66.0})]),
    "VS-WT": (
        [("VS", "-0", {}), *[("SUPPEX", k, {"QNAM": "OTHER"}) for k in range(0, 12, 2)]],
        ("EX", "S1", "EXDOSE"),
        [("VS", "-0", {})],
    ),
    "VS-BP": ([("VS", 2, {"VSSTRESN": 121.0})], ("VS", "S1", "VSSTRESN"), [("VS", 2, {"VSSTRESN": 120.0})]),
}
SAMPLES = [("PC", "+1", {"PCSEQ": 20.0 + k}) for k in range(8)]
TEMP = {"VSTESTCD": "TEMP", "VSSTRESU": "C", "VSDTC": "2025-02-01", "VSSEQ": 9.0}
ADVERSE = {
    "AE-DUP": (
        [("AE", "+0", {})],
        ("AE", "S1", "AETERM"),
        [("AE", "+0", {"AESEQ": 9.0, "AESTDTC": "2025-02-22"})],
    ),
    "AE-GRADE": ([("AE", 0, {"AETOXGR": None})], ("AE", "S1", "AETOXGR"), [("AE", 0, {"AETOXGR": "G2"})]),
    "AE-ORDER": (
        [("AE", 0, {"AEENDTC": "2025-01-21"})],
        ("AE", "S1", "AEENDTC"),
        [("AE", 0, {"AEENDTC": "2025-01"})],
    ),
    "AE-OUTEND": (
        [("AE", 0, {"AEENDTC": None})],
        ("AE", "S1", "AEENDTC"),
        [("AE", 0, {"AEENDTC": None, "AEOUT": "UNKNOWN"})],
    ),
    "AE-G5": (
        [("AE", 4, {"AEOUT": "RECOVERED/RESOLVED"})],
        ("AE", "S2", "AEOUT"),
        [("AE", 4, {"AETOXGR": "4"})],
    ),
    "AE-FATAL": ([("AE", 4, {"AETOXGR": "4"})], ("AE", "S2", "AETOXGR"), [("AE", 4, {"AEDTHDTC": None})]),
    "AE-POSTDTH": (
        [("AE", 3, {"AESTDTC": "2025-06-11"})],
        ("AE", "S2", "AESTDTC"),
        [("AE", 3, {"AESTDTC": "2025-06"})],
    ),
    "AE-RELMISS": ([("AE", 1, {"AEREL": None})], ("AE", "S1", "AEREL"), [("AE", 1, {"AEREL": "NONE"})]),
    "AE-CODE": ([("AE", 0, {"AEDECOD": None})], ("AE", "S1", "AEDECOD"), [("AE", 0, {"AETERM": "x"})]),
    "AE-PARTIAL": (
        [("AE", 0, {"AESTDTC": "2025-01"})],
        ("AE", "S1", "AESTDTC"),
        [("AE", 3, {"AESTDTC": "2025-04"})],
    ),
    "AE-OVERLAP": (
        [("AE", "+0", {**NEW, "AETOXGR": "2"})],
        ("AE", "S1", "AETOXGR"),
        [("AE", "+0", {**NEW, "AETOXGR": "2", "AESTDTC": "2025-01-23"})],
    ),
    "AE-CRS-CONSIST": (
        [("CM", "+0", {"CMSEQ": 9.0, "CMTRT": "Noradrenaline"})],
        ("AE", "S1", "AETOXGR"),
        [("CM", "+0", {"CMSEQ": 9.0, "CMTRT": "Noradrenaline", "CMSTDTC": "2025-02-05"})],
    ),
    "AE-CRS-FEVER": (
        [("VS", "+0", TEMP | {"VSSTRESN": 37.9})],
        ("AE", "S1", "AETERM"),
        [("VS", "+0", TEMP | {"VSSTRESN": 37.9}), ("VS", "+0", TEMP | {"VSSTRESN": 38.0})],
    ),
    "AE-CRS-OXYGEN": (
        [("CE", 0, {"CESTRESC": "HFNC"})],
        ("AE", "S1", "AETOXGR"),
        [("CE", 0, {"CESTRESC": "NASAL"})],
    ),
    "AE-LB-GRADE": (
        [("AE", 2, {"AETOXGR": "2"})],
        ("AE", "S1", "AETOXGR"),
        [("AE", 2, {"AETOXGR": "2"}), ("LB", 1, {"LBSTRESN": 250.0})],
    ),
    "LB-NOAE": ([("AE", "-2", {})], ("LB", "S1", "LBSTRESN"), [("AE", 2, {"AESTDTC": "2025-02-28"})]),
    "CM-TOCI": (
        [("AE", 1, {"AEDECOD": "Infection"})],
        ("CM", "S1", "CMTRT"),
        [("AE", 1, {"AESTDTC": "2025-02-02"})],
    ),
    "CM-CLASS": ([("CM", 1, {"CMCAT": None})], ("CM", "S2", "CMCAT"), [("CM", 2, {"CMCAT": None})]),
    "CM-NEWTX": (
        [("CM", 1, {"CMSTDTC": "2025-04-29"})],
        ("CM", "S2", "CMSTDTC"),
        [("CM", 1, {"CMSTDTC": "2025-04-30"})],
    ),
}
LABORATORY = {
    "LB-STRES": (
        [("LB", 0, {"LBORRES": "normal", "LBSTRESN": None})],
        ("LB", "S1", "LBORRES"),
        [("LB", 10, {"LBORRES": "BLQ"})],
    ),
    "LB-UNIT": (
        [("LB", 0, {"LBORRESU": None})],
        ("LB", "S1", "LBORRESU"),
        [("LB", 0, {"LBORRESU": None, "LBTESTCD": "INR"})],
    ),
    "LB-SIGN": (
        [("LB", 0, {"LBORRES": "<5", "LBSTRESN": None})],
        ("LB", "S1", "LBORRES"),
        [("LB", 12, {"LBORRES": ">12000", "LBSTRESN": None})],
    ),
    "LB-RANGE": ([("LB", 0, {"LBSTNRLO": 50.0})], ("LB", "S1", "LBSTNRHI"), [("LB", 0, {"LBSTNRLO": 49.9})]),
    "LB-REF": (
        [("LB", 0, {"LBSTNRHI": None})],
        ("LB", "S1", "LBSTNRHI"),
        [("LB", 0, {"LBSTNRHI": None, "LBTESTCD": "SMICA"})],
    ),
    "LB-UNIT-DIST": (
        [("LB", 8, {"LBSTRESN": 1.1}), ("LB", 9, {"LBSTRESN": 11.4})],
        ("LB", "S1", "LBSTRESN"),
        [("LB", 8, {"LBSTRESN": 2.0}), ("LB", 9, {"LBSTRESN": 30.0})],
    ),
    "LB-BLQ": (
        [("LB", 11, {"LBORRES": "0", "LBSTRESN": 0.0})],
        ("LB", "S1", "LBORRES"),
        [("LB", 5, {"LBORRES": "0", "LBSTRESN": 0.0})],
    ),
    "LB-ULOQ": (
        [("LB", 12, {"LBORRES": "12000", "LBSTRESN": 12000.0})],
        ("LB", "S2", "LBORRES"),
        [("LB", 12, {"LBORRES": "11999", "LBSTRESN": 11999.0})],
    ),
    "LB-BASE": (
        [("LB", 10, {"LBDTC": f"2025-01-20T10:30{T}"})],
        ("LB", "S1", "LBDTC"),
        [("LB", 10, {"LBDTC": f"2025-01-20T10:00{T}"})],
    ),
    "LB-MULTI": (
        [("LB", "+0", {"LBSEQ": 99.0})],
        ("LB", "S1", "LBORRES"),
        [("LB", "+0", {"LBSEQ": 99.0, "LBTPT": "4 H"})],
    ),
    "LB-NLR-RANGE": (
        [("LB", 2, {"LBSTRESN": 71.0})],
        ("LB", "S1", "LBSTRESN"),
        [("LB", 2, {"LBSTRESN": 7.4})],
    ),
    "LB-GLR": ([("LB", 2, {"LBSTRESN": 4.25})], ("LB", "S1", "LBSTRESN"), [("LB", 2, {"LBSTRESN": 4.1})]),
    "PC-TAD": (
        [("PC", 1, {"PCDTC": f"2025-01-29T09:00{T}"})],
        ("PC", "S1", "PCDTC"),
        [("PC", 1, {"PCDTC": f"2025-01-29T10:00{T}"})],
    ),
    "PC-PRODUCT": (
        [*SAMPLES, ("PC", "+1", {"PCSEQ": 40.0, "PCTPTREF": "CAR-NK D0"})],
        ("PC", "S1", "PCTESTCD"),
        [*SAMPLES, *[("PC", "+1", {"PCSEQ": 40.0 + k, "PCTPTREF": "CAR-NK D0"}) for k in range(2)]],
    ),
    "PC-PREDOSE": (
        [("PC", 0, {"PCSTRESN": 8300.0})],
        ("PC", "S1", "PCSTRESN"),
        [("PC", 0, {"PCSTRESN": 50.0})],
    ),
    "PC-WIN": (
        [("PC", 1, {"PCDTC": f"2025-02-08T10:00{T}"})],
        ("PC", "S1", "PCDTC"),
        [("PC", 1, {"PCDTC": f"2025-02-06T10:00{T}"})],
    ),
    "PC-LLOQ": (
        [("PC", 3, {"PCLLOQ": 100.0})],
        ("PC", "S2", "PCLLOQ"),
        [("PC", 3, {"PCLLOQ": 100.0, "PCTESTCD": "CARTC"})],
    ),
    "PC-UNIT": (
        [("PC", 1, {"PCORRESU": "copies/mL"})],
        ("PC", "S1", "PCORRESU"),
        [("PC", 1, {"PCORRESU": "copies/mL", "PCSTRESU": "copies/mL", "PCSPEC": "ASCITES"})],
    ),
    "MI-RANGE": (
        [("MI", 0, {"MISTRESN": 340.0})],
        ("MI", "S1", "MISTRESN"),
        [("MI", 0, {"MISTRESN": 300.0})],
    ),
    "MI-AGE": ([("MI", 0, {"MIDTC": "2019-12-31"})], ("MI", "S1", "MIDTC"), [("MI", 0, {"MIDTC": "2020"})]),
    "Q-OPEN": (
        [("QUERY", 0, {"QDOMAIN": "AE", "QFIELD": "AETOXGR"})],
        ("QUERY", "S1", "QFIELD"),
        [("QUERY", 0, {"QDOMAIN": "AE", "QFIELD": "AETOXGR", "QSTATUS": "CLOSED"})],
    ),
}
TUMOUR = {
    "TU-LOC": ([("TU", 0, {"TULOC": None})], ("TU", "S1", "TULOC"), [("TU", 2, {"TULOC": None})]),
    "TU-BASE": ([("TR", "-0", {})], ("TU", "S1", "TULNKID"), [("TR", 0, {"TRDTC": "2025-01-20"})]),
    "TU-MIN": ([("TR", 3, {"TRSTRESN": 14.0})], ("TR", "S1", "TRSTRESN"), [("TR", 3, {"TRSTRESN": 15.0})]),
    "TU-WINDOW": (
        [("TR", 9, {"TRDTC": "2025-01-22"})],
        ("TR", "S2", "TRDTC"),
        [("TR", 9, {"TRDTC": "2025-01-23"})],
    ),
    "TR-BASE": ([("TR", "-6", {})], ("TU", "S1", "TULNKID"), [("TR", "-7", {})]),
    "TR-DUP": (
        [("TR", "+1", {"TRSEQ": 99.0, "TRSTRESN": 31.0})],
        ("TR", "S1", "TRSTRESN"),
        [("TR", "+1", {"TRSEQ": 99.0, "TREVAL": "INDEPENDENT ASSESSOR"})],
    ),
    "TR-AXIS": (
        [("TR", 4, {"TRTESTCD": "LDIAM"})],
        ("TR", "S1", "TRSTRESN"),
        [("TR", 4, {"TRTESTCD": "DIAMETER"})],
    ),
    "TR-UNIT": ([("TR", 1, {"TRSTRESN": 3.2})], ("TR", "S1", "TRSTRESN"), [("TR", 2, {"TRSTRESN": 3.0})]),
    "TR-MISSTL": (
        [("TR", "-4", {})],
        ("TR", "S1", "TRLNKID"),
        [("TR", 4, {"TRSTAT": "NOT DONE", "TRSTRESN": None, "TRSTRESC": None})],
    ),
    "TR-LINK": (
        [("TR", 2, {"TRLNKID": "T07"})],
        ("TR", "S1", "TRLNKID"),
        [("TR", "+2", {"TRSEQ": 99.0, "TRLNKID": "NT01"})],
    ),
    "TR-RULE": (
        [("TU", "+0", {"TUSEQ": 8.0, "TULNKID": "T03"}), ("TU", "+0", {"TUSEQ": 9.0, "TULNKID": "T04"})],
        ("TU", "S1", "TULNKID"),
        [("TU", "+0", {"TUSEQ": 8.0, "TULNKID": "T03"})],
    ),
    "RS-VALUE": (
        [("RS", 1, {"RSSTRESC": "CHECK"})],
        ("RS", "S1", "RSSTRESC"),
        [("RS", 1, {"RSSTRESC": "NE"})],
    ),
    "RS-DUP": (
        [("RS", "+1", {"RSSEQ": 99.0, "RSDTC": "2025-03-21"})],
        ("RS", "S1", "RSSTRESC"),
        [("RS", "+1", {"RSSEQ": 99.0, "RSEVAL": "INDEPENDENT ASSESSOR"})],
    ),
    "RS-CRPR": ([("RS", 1, {"RSSTRESC": "CR"})], ("RS", "S1", "RSSTRESC"), [("RS", 0, {"RSSTRESC": "CR"})]),
    "RS-ICPD": (
        [("RS", 3, {"RSSTRESC": "iCPD", "RSCAT": "iRECIST"})],
        ("RS", "S1", "RSSTRESC"),
        [
            ("RS", 3, {"RSSTRESC": "iCPD", "RSCAT": "iRECIST"}),
            ("RS", 1, {"RSSTRESC": "iUPD", "RSCAT": "iRECIST"}),
        ],
    ),
    "RS-NOTR": (
        [("RS", 3, {"VISITNUM": 8.0, "RSDTC": "2025-07-10"})],
        ("RS", "S1", "RSSTRESC"),
        [("RS", 3, {"VISITNUM": 8.0, "RSDTC": "2025-07-10", "RSSTRESC": "NE"})],
    ),
    "RS-CONFIRM": (
        [("RS", 3, {"RSDTC": "2025-04-06"})],
        ("RS", "S1", "RSDTC"),
        [("RS", 3, {"RSDTC": "2025-04-17"})],
    ),
    "RS-GAP": (
        [("RS", 5, {"RSDTC": "2025-08-07"})],
        ("RS", "S2", "RSDTC"),
        [("RS", 5, {"RSDTC": "2025-08-06"})],
    ),
    "RS-NODE": ([("RS", 0, {"RSSTRESC": "CR"})], ("RS", "S1", "RSSTRESC"), [("RS", 2, {"RSSTRESC": "CR"})]),
}
DECISIONS = {
    "DOSE-RECORD": (
        [("DECISIONS", 1, {"references": None})],
        ("DECISIONS", None, "references"),
        [("DECISIONS", 0, {"references": None})],
    ),
    "DOSE-LEVEL": (
        [("DECISIONS", 0, {"level": "DL5"})],
        ("DECISIONS", None, "level"),
        [("DECISIONS", 0, {"level": "DL4"})],
    ),
    "DOSE-EARLY": (
        [("DECISIONS", 0, {"date": "2025-01-01"})],
        ("DECISIONS", None, "date"),
        [("DECISIONS", 0, {"date": "2025-01-02"})],
    ),
}
ANSWERS = {
    "Q-ANSWER": (
        [("QUERIES", 0, {"reason": None})],
        ("QUERIES", None, "reason"),
        [("QUERIES", 0, {"disposition": "open", "reason": None})],
    ),
    "Q-STOP": (
        [("QUERIES", 1, {"disposition": "accepted"})],
        ("QUERIES", None, "disposition"),
        [("QUERIES", 1, {"disposition": "fixed"})],
    ),
}
CASES = ANSWERS | DECISIONS | KEYS | DATES | SUBJECTS | EXPOSURE | ADVERSE | LABORATORY | TUMOUR
# Rules that need another study or stage have a test of their own.
OWN_TEST = {"DCUT"}


def test_every_rule_has_cases():
    of_source_data = {rule.id for rule in RULES if not rule.id.startswith("ADAM-")}
    assert of_source_data == set(CASES) | OWN_TEST


@pytest.mark.rule("CHECK-01")
@pytest.mark.parametrize("rule", CASES)
def test_fires(found, rule):
    edits, place, _ = CASES[rule]
    hits = found(rule, *edits)
    assert hits, f"{rule} did not fire"
    assert (hits[0].domain, hits[0].subject, hits[0].variable) == place
    assert {hit.severity for hit in hits} == {next(r.severity for r in RULES if r.id == rule)}
    assert all(hit.message and hit.effect and hit.file and hit.row for hit in hits)


@pytest.mark.rule("CHECK-01")
@pytest.mark.parametrize("rule", CASES)
def test_near_miss(found, rule):
    assert [str(hit) for hit in found(rule, *CASES[rule][2])] == []


def test_a_key_value_without_the_name_of_its_variable_has_no_parent(found):
    """A qualifier of one event must not become one of the participant because IDVAR was lost."""
    hits = found("XD-SUPP", ("SUPPAE", 0, {"IDVAR": None}))
    assert [(f.rule, f.domain, f.subject) for f in hits] == [("XD-SUPP", "SUPPAE", "S1")]
    assert found("XD-SUPP", ("SUPPAE", 0, {"IDVAR": None, "IDVARVAL": None})) == []
