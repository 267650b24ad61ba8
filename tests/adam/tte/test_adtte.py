"""ADTTE, death, last known alive and new therapy from SDTM."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from interim.adam.tte import derive_adtte, derive_death, derive_lstalvdt, derive_nactdt
from interim.adam.tte.death import CauseSource, cause_of_death
from interim.data.model import Sdtm
from interim.study import Study
from interim.study.efficacy import ResponseTable, TteTable
from interim.study.tables import DataTable, StudyTable

START = pd.Timestamp("2026-01-05")


def make_study(response=None, planned=(), **tte) -> Study:
    return Study(
        study=StudyTable(id="T", planned_therapies=planned),
        data=DataTable(path="none", cut_date=date(2026, 12, 31)),
        response=ResponseTable(**(response or {})),
        tte=TteTable(**tte),
    )


def day(number: int) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


def people(**columns) -> pd.DataFrame:
    base = {
        "TRTSDT": START,
        "TRTSCT": day(10),
        "RFICDT": day(-20),
        "NACTDT": pd.NaT,
        "DTHDT": pd.NaT,
        "EOSDT": pd.NaT,
        "LSTALVDT": day(200),
        "DCUTDT": pd.Timestamp("2026-12-31"),
        "EOSSTT": "ONGOING",
        "FASFL": "Y",
        "SAFNKFL": "Y",
    }
    return pd.DataFrame([{"USUBJID": "S1", **base, **columns}])


def responses(*rows, evaluator="INVESTIGATOR") -> pd.DataFrame:
    """(PARAMCD, day or None, AVALC) -> ADRS."""
    frame = pd.DataFrame(
        [
            {
                "USUBJID": "S1",
                "PARCAT2": evaluator,
                "PARAMCD": p,
                "ADT": pd.NaT if d is None else day(d),
                "AVALC": v,
                "SRCDOM": "TR",
                "SRCSEQ": str(n),
            }
            for n, (p, d, v) in enumerate(rows)
        ]
    )
    return frame.astype({"ADT": "datetime64[ns]"}) if len(frame) else frame


RESPONDER = [
    ("OVR", 42, "PR"),
    ("OVR", 84, "PR"),
    ("OVR", 126, "PD"),
    ("CBOR", 42, "PR"),
    ("CRSP", 42, "Y"),
    ("RSP", 42, "Y"),
    ("ADIS", None, "Y"),
]


def table(frame: pd.DataFrame) -> dict[str, tuple[float, str]]:
    return {row["PARAMCD"]: (row["AVAL"], row["RSNCD"]) for row in frame.to_dict("records")}


@pytest.mark.rule("TTE-05")
def test_all_endpoints_of_a_responder():
    found = derive_adtte(people(), responses(*RESPONDER), study=make_study())
    assert table(found.frame) == {
        "PFS": (127, "E-PD"),
        "OS": (201, "K-ALIVE"),
        "DOR": (85, "E-PD"),
        "DDC": (127, "E-PD"),
        "TTR": (43, "E-RESP"),
        "TTP": (127, "E-PD"),
        "TOS": (361, "K-CUT"),
        "FUP": (201, "E-ALIVE"),
        "TTNT": (201, "K-ALIVE"),
    }
    pfs = found.frame[found.frame["PARAMCD"] == "PFS"].iloc[0]
    assert (pfs["RSNTXT"], pfs["SRCDOM"], pfs["SRCSEQ"], pfs["RULEID"]) == (
        "progression on 2026-05-11",
        "TR",
        "2",
        "PFS/E-PD",
    )
    assert (pfs["UADT"], pfs["UCNSR"], pfs["EVNTDESC"], pfs["CNSDTDSC"]) == (
        pfs["ADT"],
        0,
        "progression",
        None,
    )
    assert not found.findings


@pytest.mark.rule("TTE-05")
def test_stable_disease_and_immune_progression():
    rows = [
        ("OVR", 60, "SD"),
        ("OVR", 90, "PD"),
        ("CBOR", 60, "SD"),
        ("IOVR", 60, "iSD"),
        ("IOVR", 90, "iUPD"),
        ("IUPD", 90, "Y"),
        ("ICPD", None, "N"),
    ]
    event = table(derive_adtte(people(), responses(*rows), study=make_study()).frame)
    assert (event["DSD"], event["IPFS"]) == ((91, "E-PD"), (91, "E-PD"))
    assert "DOR" not in event
    censored = derive_adtte(people(), responses(*rows), study=make_study(ipfs_unconfirmed="censor")).frame
    assert table(censored)["IPFS"] == (61, "K-CUT")


@pytest.mark.rule("TTE-05")
def test_confirmation_decides_who_has_a_duration_of_response():
    rows = [("OVR", 42, "PR"), ("BOR", 42, "PR"), ("CBOR", 42, "SD"), ("RSP", 42, "Y"), ("CRSP", None, "N")]
    assert "DOR" not in table(derive_adtte(people(), responses(*rows), study=make_study()).frame)
    loose = make_study(response={"confirmation_required": False})
    assert table(derive_adtte(people(), responses(*rows), study=loose).frame)["DOR"] == (1, "K-CUT")


@pytest.mark.rule("TTE-04")
@pytest.mark.parametrize(
    ("columns", "rows", "expected"),
    [
        ({"NACTDT": day(100)}, RESPONDER, (85, "K-NACT")),
        ({"EOSSTT": "DISCONTINUED", "EOSDT": day(90)}, RESPONDER[:2], (85, "K-END")),
        ({}, [("ADIS", None, "N")], (1, "K-NOBASE")),
        ({}, [], (1, "K-NOPOST")),
        ({"DTHDT": day(50)}, [], (51, "E-DEATH")),
    ],
)
def test_reasons(columns, rows, expected):
    adrs = responses(*rows) if rows else responses(("MDIS", None, "Y"))
    assert table(derive_adtte(people(**columns), adrs, study=make_study()).frame)["PFS"] == expected


@pytest.mark.rule("TTE-09")
def test_no_start_and_death_before_the_start():
    none = derive_adtte(people(TRTSDT=pd.NaT), responses(*RESPONDER), study=make_study())
    assert set(table(none.frame)) == {"DOR"}
    assert {f.rule for f in none.findings} == {"TTE-START"}
    early = derive_adtte(people(DTHDT=day(-3)), None, study=make_study())
    assert early.frame.empty
    assert {(f.rule, f.severity) for f in early.findings} == {("TTE-NEG", "stop")}


@pytest.mark.rule("TTE-09")
def test_participants_without_responses_and_outside_the_population():
    found = derive_adtte(people(FASFL="N"), None, study=make_study())
    assert set(table(found.frame)) == {"TOS"}
    assert set(table(derive_adtte(people(), None, study=make_study()).frame)) == {"OS", "TOS", "FUP", "TTNT"}


@pytest.mark.rule("TTE-05")
def test_anchor_and_whose_progression_counts():
    adrs = pd.concat([responses(*RESPONDER), responses(("OVR", 84, "PD"), evaluator="READER 1")])
    cases = {"auto": 127, "union": 85, "READER 1": 85}
    for source, days in cases.items():
        assert (
            table(derive_adtte(people(), adrs, study=make_study(pd_source=source)).frame)["PFS"][0] == days
        ), source
    assert table(derive_adtte(people(), adrs, study=make_study(anchor="first_cart")).frame)["PFS"] == (
        117,
        "E-PD",
    )
    assert table(derive_adtte(people(), adrs, study=make_study(anchor="enrolment")).frame)["PFS"] == (
        147,
        "E-PD",
    )
    enrolled = people(ENRLDT=day(-5))
    assert table(derive_adtte(enrolled, adrs, study=make_study(anchor="enrolment")).frame)["PFS"] == (
        132,
        "E-PD",
    )


@pytest.mark.rule("TTE-05")
def test_clinical_progression_and_leaving_the_study():
    ds = pd.DataFrame(
        {
            "USUBJID": ["S1"],
            "DSDECOD": ["SYMPTOMATIC DETERIORATION"],
            "DSSTDTC": [f"{day(70):%Y-%m-%d}"],
            "DSSEQ": [4.0],
        }
    )
    sdtm = Sdtm({"DS": ds}, cut=make_study().cut)
    study = make_study(clinical_progression="event")
    found = derive_adtte(
        people(EOSSTT="COMPLETED", EOSDT=day(150)), responses(*RESPONDER), study=study, sdtm=sdtm
    )
    assert table(found.frame)["PFS"] == (71, "E-CLIN")
    assert table(found.frame)["TOS"] == (151, "E-END")
    row = found.frame[found.frame["PARAMCD"] == "PFS"].iloc[0]
    assert (row["SRCDOM"], row["SRCVAR"], row["SRCSEQ"]) == ("DS", "DSSTDTC", "4")


@pytest.mark.rule("TTE-12")
def test_order_of_rows_changes_nothing():
    adrs = responses(*RESPONDER)
    one, two = (
        derive_adtte(people(), frame, study=make_study()).frame
        for frame in (adrs, adrs.sample(frac=1, random_state=1))
    )
    pd.testing.assert_frame_equal(one, two)


def domain(**columns) -> pd.DataFrame:
    frame = pd.DataFrame(columns, dtype=object)
    return frame.where(frame.notna(), None)


def sdtm(**domains: pd.DataFrame) -> Sdtm:
    return Sdtm({"DM": domain(USUBJID=["S1"], DTHDTC=[None], DTHFL=[None]), **domains}, cut=make_study().cut)


EX = domain(
    USUBJID=["S1", "S1"], EXTRT=["CAR-NK", "CAR-T"], EXSTDTC=["2026-01-05", "2026-01-15"], EXOCCUR=["Y", "Y"]
)


def therapy(dates, kinds=None, category="NEW ANTICANCER THERAPY", names=None) -> pd.DataFrame:
    n = len(dates)
    return domain(
        USUBJID=["S1"] * n,
        CMCAT=[category] * n,
        CMSCAT=kinds or ["SYSTEMIC"] * n,
        CMTRT=names or ["X"] * n,
        CMSTDTC=dates,
        CMSEQ=[float(i) for i in range(1, n + 1)],
    )


@pytest.mark.rule("TTE-06")
@pytest.mark.parametrize(
    ("cm", "tte", "expected"),
    [
        (therapy(["2026-05-01", "2026-04-01"]), {}, "2026-04-01"),
        (therapy(["2025-12-01", "2026-04-01"]), {}, "2026-04-01"),
        (therapy(["2026-01-05"]), {}, "2026-01-05"),
        (therapy(["2026-01"]), {}, "2026-01-05"),
        (therapy(["2026-03"]), {}, "2026-03-01"),
        (therapy(["2026-03"]), {"nact_imputation": {"rule": "last", "highest": "M"}}, "2026-03-31"),
        (
            therapy(["2026-04-01", "2026-05-01"], ["RADIATION", "SURGERY"]),
            {"new_therapy_kinds": ("surgery",)},
            "2026-05-01",
        ),
        (therapy(["2026-04-01"], [None]), {}, "2026-04-01"),
        (therapy(["2026-04-01"], category="CONCOMITANT MEDICATION"), {}, None),
        (therapy(["2026-04-01"], names=["FLUDARABINE"]), {}, None),
        (therapy([None]), {}, None),
        (therapy(["2026-01-10"]), {"anchor": "first_cart"}, None),
    ],
)
def test_new_therapy(cm, tte, expected):
    found = derive_nactdt(sdtm(EX=EX, CM=cm), make_study(planned=("Fludarabine",), **tte))
    answer = found.frame["NACTDT"].iloc[0]
    assert (None if pd.isna(answer) else f"{answer:%Y-%m-%d}") == expected
    assert bool(found.findings) == (cm["CMSCAT"].isna().any())


@pytest.mark.rule("TTE-06")
def test_new_therapy_in_procedures_and_without_any_dose():
    pr = domain(
        USUBJID=["S1"],
        PRCAT=["NEW ANTICANCER THERAPY"],
        PRSCAT=["LOCAL LIVER"],
        PRTRT=["ABLATION"],
        PRSTDTC=["2026-02-01"],
        PRSEQ=[1.0],
    )
    row = derive_nactdt(sdtm(EX=EX, PR=pr), make_study()).frame.iloc[0]
    assert (row["NACTKIND"], row["NACTDOM"], row["NACTSEQ"], row["NACTTRT"]) == (
        "local_liver",
        "PR",
        "1",
        "ABLATION",
    )
    assert derive_nactdt(sdtm(CM=therapy(["2026-04-01"])), make_study()).frame["NACTDT"].isna().all()


@pytest.mark.rule("TTE-07")
@pytest.mark.parametrize(
    ("domains", "expected", "flag"),
    [
        ({"DM": domain(USUBJID=["S1"], DTHDTC=["2026-03-04"], DTHFL=["Y"])}, "2026-03-04", None),
        ({"DM": domain(USUBJID=["S1"], DTHDTC=["2026-03"], DTHFL=["Y"])}, "2026-03-01", "D"),
        (
            {
                "DM": domain(USUBJID=["S1"], DTHDTC=["2026-03"], DTHFL=["Y"]),
                "VS": domain(USUBJID=["S1"], VSDTC=["2026-03-10"]),
            },
            "2026-03-11",
            "D",
        ),
        ({"DM": domain(USUBJID=["S1"], DTHDTC=["2026"], DTHFL=["Y"])}, None, None),
        (
            {
                "DS": domain(
                    USUBJID=["S1"], DSDECOD=["DEATH"], DSSTDTC=["2026-04-01"], DSTERM=["Sepsis"], DSSEQ=[2.0]
                )
            },
            "2026-04-01",
            None,
        ),
        (
            {
                "AE": domain(
                    USUBJID=["S1"], AEOUT=["FATAL"], AEDTHDTC=["2026-04-02"], AEDECOD=["Sepsis"], AESEQ=[2.0]
                )
            },
            "2026-04-02",
            None,
        ),
        ({"SS": domain(USUBJID=["S1"], SSSTRESC=["DEAD"], SSDTC=["2026-04-03"])}, "2026-04-03", None),
    ],
)
def test_death(domains, expected, flag):
    row = derive_death(sdtm(**domains), make_study()).frame.iloc[0]
    assert (None if pd.isna(row["DTHDT"]) else f"{row['DTHDT']:%Y-%m-%d}", row["DTHDTF"], row["DTHFL"]) == (
        expected,
        flag,
        "Y",
    )


@pytest.mark.rule("TTE-07")
def test_nobody_died():
    row = derive_death(sdtm(), make_study()).frame.iloc[0]
    assert pd.isna(row["DTHDT"])
    assert row["DTHFL"] is None


@pytest.mark.rule("TTE-07")
def test_cause_of_death():
    def record(when, cause):
        return {"date": None if when is None else date.fromisoformat(when), "cause": cause, "sequence": cause}

    early, late = (
        CauseSource("AE", [record("2026-02-01", "a")]),
        CauseSource("DS", [record("2026-01-01", "d")]),
    )
    assert cause_of_death([early, late]) == ("d", "DS", "d")
    tie = CauseSource("DS", [record("2026-02-01", "d"), record("2026-02-01", "e")])
    assert cause_of_death([early, tie]) == ("a", "AE", "a")
    assert cause_of_death([tie]) == ("d", "DS", "d")
    assert cause_of_death([CauseSource("DS", tie.records, "last")]) == ("e", "DS", "e")
    assert cause_of_death([CauseSource("AE", [record(None, "x")]), late]) == ("d", "DS", "d")
    assert cause_of_death([CauseSource("AE", [])]) is None
    ae = domain(USUBJID=["S1"], AEOUT=["FATAL"], AEDTHDTC=["2026-04-02"], AEDECOD=["Sepsis"], AESEQ=[2.0])
    ds = domain(USUBJID=["S1"], DSDECOD=["DEATH"], DSSTDTC=["2026-04-02"], DSTERM=["DEATH"], DSSEQ=[9.0])
    row = derive_death(sdtm(AE=ae, DS=ds), make_study()).frame.iloc[0]
    assert (row["DTHCAUS"], row["DTHDOM"], row["DTHSEQ"]) == ("Sepsis", "AE", "2")


@pytest.mark.rule("TTE-07")
@pytest.mark.parametrize(
    ("term", "cause"),
    [
        ("Death: disease progression", "Disease progression"),
        ("DIED: SEPSIS", "SEPSIS"),
        ("Death:", "Death:"),
        ("DEATH", "DEATH"),
        ("Sudden death: arrhythmia", "Sudden death: arrhythmia"),
        ("Sepsis", "Sepsis"),
    ],
)
def test_the_cause_does_not_repeat_that_the_record_is_a_death(term, cause):
    ds = domain(USUBJID=["S1"], DSDECOD=["DEATH"], DSSTDTC=["2026-04-02"], DSTERM=[term], DSSEQ=[9.0])
    assert derive_death(sdtm(DS=ds), make_study()).frame.iloc[0]["DTHCAUS"] == cause


LIFE = [
    # domains, date, domain
    ({"VS": domain(USUBJID=["S1", "S1"], VSDTC=["2026-03-01", "2026-02-01"])}, "2026-03-01", "VS"),
    ({"VS": domain(USUBJID=["S1"], VSDTC=["2026-03"])}, "2026-03-01", "VS"),
    ({"VS": domain(USUBJID=["S1"], VSDTC=["2026-03-01"], VSSTAT=["NOT DONE"])}, None, None),
    ({"LB": domain(USUBJID=["S1"], LBDTC=["2026-03-01T09:30+08:00"], LBSEQ=[7.0])}, "2026-03-01", "LB"),
    ({"LB": domain(USUBJID=["S1"], LBDTC=["2027-03-01"])}, None, None),
    (
        {"AE": domain(USUBJID=["S1"], AESTDTC=["2026-02-01"], AEENDTC=["2026-04-01"], AEOUT=["FATAL"])},
        "2026-02-01",
        "AE",
    ),
    (
        {"AE": domain(USUBJID=["S1"], AESTDTC=["2026-02-01"], AEENDTC=["2026-04-01"], AEOUT=["RECOVERED"])},
        "2026-04-01",
        "AE",
    ),
    (
        {"SS": domain(USUBJID=["S1", "S1"], SSSTRESC=["ALIVE", "DEAD"], SSDTC=["2026-05-01", "2026-06-01"])},
        "2026-05-01",
        "SS",
    ),
    ({"DS": domain(USUBJID=["S1"], DSDECOD=["LOST TO FOLLOW-UP"], DSSTDTC=["2026-06-01"])}, None, None),
    (
        {"EX": domain(USUBJID=["S1"], EXSTDTC=["2026-01-05"], EXENDTC=["2026-01-06"], EXOCCUR=["N"])},
        None,
        None,
    ),
    (
        {
            "VS": domain(USUBJID=["S1"], VSDTC=["2026-03-05"]),
            "DM": domain(USUBJID=["S1"], DTHDTC=["2026-03-01"], DTHFL=["Y"]),
        },
        "2026-03-01",
        "VS",
    ),
    ({}, None, None),
]


@pytest.mark.rule("TTE-08")
@pytest.mark.parametrize(("domains", "expected", "where"), LIFE)
def test_last_known_alive(domains, expected, where):
    row = derive_lstalvdt(sdtm(**domains), make_study()).frame.iloc[0]
    assert (None if pd.isna(row["LSTALVDT"]) else f"{row['LSTALVDT']:%Y-%m-%d}", row["LSTALDOM"]) == (
        expected,
        where,
    )
