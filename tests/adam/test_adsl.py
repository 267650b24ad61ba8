from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.adsl import derive_core, exposure_dates
from interim.adam.adsl_response import response_columns
from interim.errors import DerivationError

PILOT = (
    '[[products]]\nid = "PATCH"\nextrt = ["PLACEBO", "DRUG"]\nrole = "other"\n[cohort]\nvariable = "ARMCD"\n'
)


def of(frame, mk, number, *names):
    return frame.loc[frame["USUBJID"] == mk.uid(number), list(names)].iloc[0].tolist()


@pytest.mark.rule("ADSL-01")
def test_one_row_per_participant_with_first_and_last_infusion_by_product(mini, mini_study, chain, mk):
    core = chain(mini, mini_study).core()
    assert core["USUBJID"].tolist() == sorted(mini["DM"]["USUBJID"])
    days = ("TRTSDT", "TRTEDT", "TRTSNK", "TRTENK", "TRTSCT", "TRTECT")
    found = [f"{value:%Y-%m-%d}" for value in of(core, mk, "01", *days)]
    assert found == [mk.on("01", day) for day in (0, 25, 0, 1, 10, 25)]
    assert of(core, mk, "01", "TRTSDTM", "TRTSCTM") == [
        pd.Timestamp("2025-01-06 10:00"),
        pd.Timestamp("2025-01-16 10:00"),
    ]
    assert of(core, mk, "04", "TRTSCT", "NINFNK", "NINFCT")[1:] == [2, 0]
    assert pd.isna(of(core, mk, "06", "TRTSDT")[0])


@pytest.mark.rule("ADSL-01")
def test_a_first_day_with_an_untimed_infusion_has_no_time(mini, mini_study, chain, mk):
    second = [
        {
            "USUBJID": mk.uid("01"),
            "EXSEQ": 9.0,
            "EXTRT": "CAR-NK",
            "EXDOSE": 1e9,
            "EXDOSU": "cells",
            "EXSTDTC": mk.on("01", 0),
        }
    ]
    mini["EX"] = pd.concat([mini["EX"], mk.frame("EX", second)], ignore_index=True)
    made = chain(mini, mini_study)
    dates = exposure_dates(made.adex, mini_study).set_index("USUBJID")
    assert pd.isna(dates.loc[mk.uid("01"), "TRTSDTM"])
    assert dates.loc[mk.uid("01"), "TRTSCTM"] == pd.Timestamp("2025-01-16 10:00")


@pytest.mark.parametrize("broken", ["absent", "twice"])
def test_without_one_row_per_participant_there_is_no_adsl(mini, mini_study, chain, mk, broken):
    made = chain(mini, mini_study)
    parts = dict(mini)
    if broken == "absent":
        del parts["DM"]
    else:
        parts["DM"] = pd.concat([mini["DM"], mini["DM"].iloc[:1]], ignore_index=True)
    with pytest.raises(
        DerivationError, match="needs the domain DM" if broken == "absent" else "found twice: MINI-01"
    ):
        derive_core(mk.make(parts), made.adex, made.dated, study=mini_study)


@pytest.mark.rule("ADSL-04")
def test_assigned_and_actual_cohort(mini, mini_study, chain, mk):
    mini["EX"].loc[(mini["EX"]["EXTRT"] == "CAR-T") & (mini["EX"]["USUBJID"] == mk.uid("03")), "EXDOSE"] = (
        3.2e7 * 60
    )
    made = chain(mini, mini_study)
    core = made.core()
    found = {
        number: tuple(of(core, mk, number, "COHORT", "COHORTA")) for number in ("01", "03", "04", "06", "07")
    }
    assert found == {
        "01": ("DL1", "DL1"),
        "03": ("DL3", "DL2"),
        "04": ("NK only", "NK only"),
        "06": (None, None),
        "07": (None, None),
    }
    assert [f.rule for f in made.core_findings] == ["EX-ACTLVL"]


@pytest.mark.rule("ADSL-05")
def test_a_study_of_another_product_has_arms_as_cohorts(study_with, chain, mk):
    study = study_with(PILOT)
    people = [("S1", "Pbo", "Pbo"), ("S2", "Hi", "Lo"), ("S3", "Hi", "Hi"), ("S4", "Scrnfail", "Scrnfail")]
    dm = [
        {"USUBJID": u, "SUBJID": u, "ARMCD": a, "ACTARMCD": b, "DTHDTC": None, "DTHFL": None, "RFICDTC": None}
        for u, a, b in people
    ]
    ds = [
        {
            "USUBJID": u,
            "DSCAT": "PROTOCOL MILESTONE",
            "DSDECOD": "ELIGIBILITY CRITERIA MET",
            "DSSTDTC": "2025-01-02",
        }
        for u in ("S1", "S2", "S3")
    ]
    ex = [
        {
            "USUBJID": u,
            "EXTRT": t,
            "EXDOSE": d,
            "EXDOSU": "mg",
            "EXSTDTC": "2025-01-06",
            "EXENDTC": "2025-02-01",
        }
        for u, t, d in (("S1", "PLACEBO", 0), ("S2", "DRUG", 5))
    ]
    core = chain({"DM": mk.frame("DM", dm), "DS": mk.frame("DS", ds), "EX": mk.frame("EX", ex)}, study).core()
    assert core[["COHORT", "COHORTA"]].to_numpy().tolist() == [
        ["Pbo", "Pbo"],
        ["Hi", "Lo"],
        ["Hi", None],
        [None, None],
    ]
    assert core["SAFNKFL"].tolist() == ["Y", "Y", "N", "N"]
    assert core["SAFNKRS"].tolist() == [None, None, "NOT-TREATED", "NOT-TREATED"]
    assert core["TRTEDT"].dt.strftime("%Y-%m-%d").tolist()[:2] == ["2025-02-01", "2025-02-01"]


@pytest.mark.rule("ADSL-05")
def test_an_unknown_cohort_variable_is_named(mini, study_with, chain):
    study = study_with('[cohort]\nvariable = "COLOUR"\n')
    with pytest.raises(DerivationError, match=r"cohort\.variable = 'COLOUR' is no variable of DM or SUPPDM"):
        chain(mini, study).core()


@pytest.mark.rule("ADSL-06")
def test_end_of_study(mini, mini_study, chain, mk):
    core = chain(mini, mini_study).core()
    names = ("EOSSTT", "DCSREAS", "EOSDT")
    assert of(core, mk, "01", *names)[:2] == ["ONGOING", None]
    assert of(core, mk, "06", *names) == ["DISCONTINUED", "WITHDRAWAL BY SUBJECT", pd.Timestamp("2024-12-30")]
    assert of(core, mk, "08", *names) == ["DISCONTINUED", "DEATH", pd.Timestamp(mk.on("08", 20))]
    assert of(core, mk, "07", *names)[:2] == [None, None]
    assert of(core, mk, "04", "NOCTRS", "EOSSTT") == ["MANUFACTURING", "ONGOING"]


@pytest.mark.rule("ADSL-06")
@pytest.mark.parametrize(
    ("decod", "scat", "expected"),
    [
        ("COMPLETED", "STUDY", ["COMPLETED", None]),
        ("LOST TO FOLLOW-UP", "STUDY", ["DISCONTINUED", "LOST TO FOLLOW-UP"]),
        ("ADVERSE EVENT", "TREATMENT", ["ONGOING", None]),
    ],
)
def test_only_the_study_part_ends_the_study(mini, mini_study, chain, mk, decod, scat, expected):
    row = [
        {
            "USUBJID": mk.uid("01"),
            "DSDECOD": decod,
            "DSCAT": "DISPOSITION EVENT",
            "DSSCAT": scat,
            "DSSTDTC": "2025-05-01",
            "DSSEQ": 9.0,
        }
    ]
    mini["DS"] = pd.concat([mini["DS"], mk.frame("DS", row)], ignore_index=True)
    assert of(chain(mini, mini_study).core(), mk, "01", "EOSSTT", "DCSREAS") == expected


@pytest.mark.rule("ADSL-06")
def test_a_death_ends_the_study_also_without_ds(mini, mini_study, chain, mk):
    mini["DS"] = mini["DS"][mini["DS"]["DSDECOD"] != "DEATH"]
    assert of(chain(mini, mini_study).core(), mk, "08", "EOSSTT", "DCSREAS") == ["DISCONTINUED", "DEATH"]


@pytest.mark.rule("ADSL-07")
def test_a_milestone_that_nobody_has_is_not_asked(mini, mini_study, chain, mk):
    mini["DS"] = mini["DS"][mini["DS"]["DSCAT"] != "PROTOCOL MILESTONE"]
    mini["DM"]["RFICDTC"] = None
    core = chain(mini, mini_study).core()
    assert core.loc[core["ENRLFL"] == "N", "ENRLRS"].tolist() == ["SCREEN-FAIL"]
    assert set(core["CONSNTFL"]) == {"Y"}


@pytest.mark.rule("ADSL-07")
def test_the_enrolment_event_is_the_one_the_study_names(mini, study_with, chain):
    study = study_with('cut_event = "INFORMED CONSENT OBTAINED"\n')
    assert (chain(mini, study).core()["ENREVTFL"] == "Y").all()


RESPONSES = [
    ("01", "CRSP", None, "Y"),
    ("01", "RSP", None, "Y"),
    ("02", "CRSP", None, "N"),
    ("02", "RSP", None, "Y"),
    ("01", "MDIS", None, "Y"),
    ("02", "MDIS", None, "N"),
    ("01", "OVR", 42, "PR"),
    ("02", "OVR", 42, "NE"),
    ("03", "OVR", -3, "SD"),
]


def adrs(mk):
    rows = [
        (mk.uid(n), "INVESTIGATOR", p, pd.Timestamp(mk.on(n, d)) if d else pd.NaT, v)
        for n, p, d, v in RESPONSES
    ]
    rows.append((mk.uid("03"), "READER 1", "CRSP", pd.NaT, "Y"))
    return pd.DataFrame(rows, columns=["USUBJID", "PARCAT2", "PARAMCD", "ADT", "AVALC"])


@pytest.mark.rule("ADSL-08")
@pytest.mark.parametrize(("confirmed", "responders"), [("true", {"01"}), ("false", {"01", "02"})])
def test_facts_behind_the_response_sets(mini, study_with, chain, mk, confirmed, responders):
    study = study_with(f"[response]\nconfirmation_required = {confirmed}\n")
    made = chain(mini, study)
    facts = response_columns(made.core(), adrs(mk), sdtm=made.sdtm, study=study).set_index("USUBJID")

    def members(name):
        return {subject[-2:] for subject in facts.index[facts[name] == "Y"]}

    assert members("RESPONFL") == responders
    assert members("MEASFL") == {"01"}
    assert members("BASDISFL") == {"01", "02", "03"}
    assert members("POSTFL") == {"01", "08"}


@pytest.mark.rule("ADSL-08")
def test_without_lesions_and_responses_disease_is_not_asked(mini, mini_study, chain):
    del mini["TU"]
    made = chain(mini, mini_study)
    facts = response_columns(made.core(), None, sdtm=made.sdtm, study=mini_study)
    assert set(facts["BASDISFL"]) == set(facts["MEASFL"]) == {"Y"}
    assert set(facts["RESPONFL"]) == {"N"}
