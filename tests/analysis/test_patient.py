"""Profiles and narratives: every point and every fact by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis import patient
from interim.display.patient import story_narratives
from tests.analysis import safety_case as case
from tests.analysis.answers import row, status, subjects, value


@pytest.fixture(scope="module")
def profile(study):
    return patient.profile(case.adam(), study)


def point(result, variable, level, group):
    frame = result.frame
    mine = frame[(frame["variable"] == variable) & (frame["level"] == level) & (frame["group"] == group)]
    return {r["stat"]: r["text"] if r["text"] is not None else r["value"] for r in mine.to_dict("records")}


@pytest.mark.rule("PAT-01", source="placed by hand")
@pytest.mark.parametrize(
    ("variable", "level", "group", "expected"),
    [
        ("infusion", "A1 1", "DL1", {"day": 0, "name": "CARNK"}),
        ("infusion", "A1 3", "DL1", {"day": 10, "name": "CART"}),
        ("infusion", "D4 15", "NK only", {"day": 1, "name": "CARNK"}),
        ("event", "A1 1", "DL1", {"day": 2, "end": 3, "grade": 1, "name": "Nausea"}),
        ("event", "A1 2", "DL1", {"day": 11, "end": 14, "grade": 2, "name": "Cytokine release syndrome"}),
        ("event", "B2 3", "DL2", {"day": 1, "end": 60, "grade": 3, "name": "Hepatic artery thrombosis"}),
        ("event", "B2 5", "DL2", {"day": 58, "end": 60, "grade": 5, "name": "Sepsis"}),
        ("event", "C3 6", "DL2", {"day": 5, "end": 6, "name": "odd taste"}),
        ("lab ALT", "A1 1", "DL1", {"day": -1, "value": 0.5}),
        ("lab ALT", "C3 4", "DL2", {"day": 13, "value": 12}),
        ("lab NEUT", "A1 3", "DL1", {"day": 18, "value": 0.4}),
        ("lab PLAT", "D4 1", "NK only", {"day": 3, "value": 90}),
        ("cells CAR", "A1 1", "DL1", {"day": 12, "value": 100}),
        ("cells CAR", "A1 2", "DL1", {"day": 17, "value": 5000}),
        ("lesion", "A1 1", "DL1", {"day": 42, "value": -12.5}),
        ("lesion", "B2 2", "DL2", {"day": 42, "value": 30}),
        ("end", "A1 1", "DL1", {"day": 180, "name": "cut-off"}),
        ("end", "B2 2", "DL2", {"day": 60, "name": "death"}),
    ],
)
def test_points_of_a_profile(profile, variable, level, group, expected):
    assert point(profile, variable, level, group) == expected


@pytest.mark.rule(
    "PAT-01",
    source="an event from before treatment, a result below quantification or in tissue, another reader, a sum without a lesion",
)
def test_what_is_not_part_of_a_profile(profile):
    names = profile.frame.loc[profile.frame["stat"] == "name", "text"].tolist()
    assert "Headache" not in names
    cells = profile.frame[(profile.frame["variable"] == "cells CAR") & (profile.frame["stat"] == "day")]
    lesions = profile.frame[(profile.frame["variable"] == "lesion") & (profile.frame["stat"] == "day")]
    assert (len(cells), len(lesions)) == (2, 2)
    assert not profile.frame["level"].str.startswith("E5").any()


def test_a_profile_of_what_there_is(study):
    alone = patient.profile(case.adam(ADEX=None, ADAE=None, ADLB=None, ADPC=None, ADTR=None), study)
    assert set(alone.frame["variable"]) == {"population", "end"}


@pytest.fixture(scope="module")
def told(study):
    return patient.narratives(case.adam(), study)


@pytest.mark.rule("PAT-02", source="read by hand")
@pytest.mark.parametrize(
    ("subject", "group", "why"),
    [
        ("A1", "DL1", "serious adverse event"),
        ("B2", "DL2", "death, serious adverse event"),
        (
            "C3",
            "DL2",
            "dose-limiting toxicity, severe cytokine release, neurotoxicity or liver event, treatment withdrawn",
        ),
        ("D4", "NK only", "serious adverse event"),
    ],
)
def test_who_has_a_narrative_and_why(told, subject, group, why):
    assert row(told, "facts", "why", level=subject, group=group)["text"] == why
    assert value(told, "participants") == 4
    assert subjects(told, "participants", "n") == {"A1", "B2", "C3", "D4"}


@pytest.mark.rule("PAT-02", source="read by hand")
@pytest.mark.parametrize(
    ("subject", "group", "facts"),
    [
        (
            "A1",
            "DL1",
            {
                "age": ">=50 to <60",
                "sex": "F",
                "tumour": "CRC",
                "n_nk": 2,
                "n_cart": 2,
                "cart_day": 10,
                "last": 180,
                "status": "alive or not known to have died",
                "peak ALT": 0.75,
                "low NEUT": 0.4,
            },
        ),
        (
            "B2",
            "DL2",
            {
                "age": ">=60 to <70",
                "sex": "M",
                "tumour": "GASTRIC",
                "n_cart": 4,
                "last": 60,
                "status": "died",
                "cause": "SEPSIS",
                "peak BILI": 2.5,
                "low NEUT": 0.6,
            },
        ),
        ("C3", "DL2", {"age": ">=70", "n_cart": 2, "cart_day": 10, "peak ALT": 12, "last": 121}),
        (
            "D4",
            "NK only",
            {"tumour": "not recorded", "n_cart": 0, "cart_day": None, "low PLAT": 90, "peak CRP": 5},
        ),
    ],
)
def test_facts_of_a_narrative(told, subject, group, facts):
    found = point(told, "facts", subject, group)
    for stat, expected in facts.items():
        if expected is None:
            assert row(told, "facts", stat, level=subject, group=group)["status"] == "NA"
        else:
            assert found[stat] == expected, stat


@pytest.mark.rule("PAT-02", source="read by hand")
@pytest.mark.parametrize(
    ("level", "group", "facts"),
    [
        (
            "A1 1",
            "DL1",
            {
                "term": "Cytokine release syndrome",
                "grade": 2,
                "astct": 2,
                "onset": 11,
                "end": 14,
                "serious": "serious",
                "related": "CAR-T",
                "action": "not recorded",
                "outcome": "RECOVERED/RESOLVED",
                "dlt": "not dose-limiting",
            },
        ),
        ("B2 1", "DL2", {"term": "Hepatic artery thrombosis", "related": "procedure", "onset": 1}),
        ("B2 2", "DL2", {"term": "Sepsis", "grade": 5, "outcome": "FATAL"}),
        (
            "C3 1",
            "DL2",
            {"term": "Alanine aminotransferase increased", "dlt": "dose-limiting", "serious": "not serious"},
        ),
        ("D4 1", "NK only", {"term": "Fatigue", "related": "CAR-NK, CAR-T †"}),
    ],
)
def test_events_of_a_narrative(told, level, group, facts):
    found = point(told, "event", level, group)
    assert {stat: found[stat] for stat in facts} == facts
    assert row(told, "event", "term", level=level, group=group)["result_id"] in set(told.links["result_id"])


@pytest.mark.rule("PAT-02", source="read by hand")
def test_infusions_and_prior_lines_of_a_narrative(study):
    short = case.adex()
    short.loc[short["USUBJID"].eq("B2") & short["SRCSEQ"].eq("3"), "ADOSE"] = float("nan")
    told = patient.narratives(case.adam(ADEX=short, ADSL=case.adsl().assign(PRLINES=3.0)), study)
    given = told.frame[(told.frame["variable"] == "infusion") & told.frame["level"].str.startswith("B2 ")]
    assert given.loc[given["stat"] == "day", "value"].tolist() == [0, 1, 10, 11, 24, 25]
    assert given.loc[given["stat"] == "cells", "value"].tolist()[:2] == [1000, 1500]
    assert status(told, "infusion", "cells", level="B2 3", group="DL2") == ("NA", "not recorded")
    assert value(told, "facts", "lines", level="A1", group="DL1") == 3
    assert "infusion" not in set(patient.narratives(case.adam(ADEX=None), study).frame["variable"])


def beside(result, variable, event, *stats):
    """What stands beside an event, in its order."""
    frame = result.frame
    mine = frame[(frame["variable"] == variable) & frame["level"].str.startswith(f"{event}.")]
    wide = {
        stat: [r["text"] if r["text"] is not None else r["value"] for r in part.to_dict("records")]
        for stat, part in mine.groupby("stat")
    }
    return list(zip(*(wide.get(stat, []) for stat in stats), strict=True))


@pytest.mark.rule("PAT-02", source="graded results on days -1, 13 and 70, the event from day 13 to day 20")
@pytest.mark.parametrize(
    ("term", "open_end", "expected"),
    [
        ("Alanine aminotransferase increased", False, [(13, 3)]),
        ("ALANINE AMINOTRANSFERASE INCREASED", True, [(13, 3), (70, 3)]),
        ("Transaminases increased", False, [(13, 3)]),
        ("Aspartate aminotransferase increased", False, []),
        ("Rash", True, []),
    ],
)
def test_the_grade_by_day_is_that_of_the_results_of_the_event(study, term, open_end, expected):
    adae = case.adae()
    mine = adae["USUBJID"].eq("C3") & adae["DLTFL"].eq("Y")
    adae.loc[mine, "AEDECOD"] = term
    if open_end:
        adae.loc[mine, "AENDT"] = pd.NaT
    told = patient.narratives(case.adam(ADAE=adae), study)
    assert beside(told, "grade", "C3 1", "day", "grade") == expected
    assert {basis for (basis,) in beside(told, "grade", "C3 1", "basis")} <= {"laboratory"}
    if expected:
        first = row(told, "grade", "grade", level="C3 1.1", group="DL2")
        mine = told.links[told.links["result_id"] == first["result_id"]]
        assert mine[["USUBJID", "SRCDOM", "SRCSEQ"]].to_numpy().tolist() == [["C3", "LB", "2"]]


@pytest.mark.rule(
    "PAT-02", source="by hand: the leucocytes of that day have another grade, a second result a lower one"
)
def test_one_grade_a_day_of_the_test_that_has_the_term(study):
    adlb = case.adlb()
    low = adlb[adlb["USUBJID"].eq("A1") & adlb["PARAMCD"].eq("NEUT") & adlb["ATOXGRL"].eq(4)]
    again = low.assign(ATOXGRL=3.0, SRCSEQ="91")
    white = low.assign(PARAMCD="WBC", ATOXDSCL="White blood cell decreased", ATOXGRL=2.0, SRCSEQ="92")
    adae = case.adae()
    mine = adae["USUBJID"].eq("A1") & adae["SRCSEQ"].eq("1")
    for term, days in (("Neutrophil count decreased", [(15, 3), (18, 4)]), ("Leukopenia", [(18, 2)])):
        named = adae.assign(AEDECOD=adae["AEDECOD"].mask(mine, term), CRSFL="N")
        named.loc[mine, "AENDT"] = pd.Timestamp("2025-01-20")
        adam = case.adam(ADAE=named, ADLB=pd.concat([adlb, again, white], ignore_index=True))
        assert beside(patient.narratives(adam, study), "grade", "A1 1", "day", "grade") == days


@pytest.mark.rule(
    "PAT-02", source="ASTCT by hand: fever is grade 1, fever with low pressure and fluid grade 2"
)
def test_the_grade_by_day_of_cytokine_release_is_that_of_its_signs(study):
    def vital(day, code, value, unit):
        return ("A1", code, value, unit, f"2025-01-{day}T10:00")

    vs = case.table(
        "USUBJID VSTESTCD VSSTRESN VSSTRESU VSDTC",
        [
            vital(11, "TEMP", 39.0, "C"),  # before the event
            vital(12, "TEMP", 39.0, "C"),
            vital(12, "SYSBP", 80.0, "mmHg"),
            vital(13, "TEMP", 38.5, "C"),
            vital(13, "SYSBP", 120.0, "mmHg"),
        ],
    )
    ce = case.table(
        "USUBJID CETESTCD CESTRESC CESTDTC CEENDTC CEDTC",
        [("A1", "O2DEV", "NONE", "2025-01-12T08:00", "2025-01-14T08:00", "2025-01-12T08:00")],
    )
    told = patient.narratives(case.adam(), study, case.sdtm(VS=vs, CE=ce))
    found = beside(told, "grade", "A1 1", "day", "grade", "basis")
    assert [(day, basis) for day, _, basis in found] == [(11, "signs"), (12, "signs")]
    assert found[0][1] >= 2 and found[1][1] == 1
    assert beside(patient.narratives(case.adam(), study), "grade", "A1 1", "day") == []


@pytest.mark.rule("PAT-02", source="by hand: the event lasts from day 11 to day 14 (12 to 15 January)")
def test_the_medication_of_an_event_is_what_was_begun_while_it_lasted(study):
    cm = case.table(
        "USUBJID CMSEQ CMDECOD CMINDC CMSTDTC CMENDTC CMCAT",
        [
            ("A1", 1.0, "AMLODIPINE", "hypertension", "2025-01-11", None, "CONCOMITANT MEDICATION"),
            ("A1", 2.0, "TOCILIZUMAB", None, "2025-01-15T20:00", "2025-01-15", "CONCOMITANT MEDICATION"),
            ("A1", 3.0, "PARACETAMOL", "fever", "2025-01-12T08:00", "2025-01-13", "CONCOMITANT MEDICATION"),
            ("A1", 4.0, "DOCETAXEL", "progression", "2025-01-13", None, "NEW ANTICANCER THERAPY"),
            ("A1", 5.0, "OMEPRAZOLE", "stomach", "2025-01-16", None, "CONCOMITANT MEDICATION"),
            ("B2", 1.0, "DEXAMETHASONE", "nausea", "2025-01-13", None, "CONCOMITANT MEDICATION"),
        ],
    )
    told = patient.narratives(case.adam(), study, case.sdtm(CM=cm))
    assert beside(told, "drug", "A1 1", "name", "day") == [("PARACETAMOL", 11), ("TOCILIZUMAB", 14)]
    assert beside(told, "drug", "A1 1", "indication") == [("fever",)]
    assert row(told, "event", "drugs", level="D4 1", group="NK only")["text"] == "none recorded"
    first = row(told, "drug", "name", level="A1 1.1", group="DL1")
    mine = told.links[told.links["result_id"] == first["result_id"]]
    assert mine[["SRCDOM", "SRCSEQ"]].to_numpy().tolist() == [["CM", "3"]]
    (text,) = [p.text() for p in story_narratives(told, study).items if p.heading == "Participant A1"]
    assert (
        " Medication begun during the event: Paracetamol from day 11 (fever); Tocilizumab from day 14. "
        in text
    )
    without = patient.narratives(case.adam(), study)
    assert row(without, "event", "drugs", level="A1 1", group="DL1")["text"] == "not recorded"


@pytest.mark.rule("PAT-02", source="read by hand")
def test_the_scale_of_cytokine_release_grades_nothing_else(told, study):
    assert status(told, "event", "astct", level="B2 1", group="DL2") == ("NA", "NOT_APPLICABLE")
    unknown = case.adae().assign(ASTCTGRN=float("nan"))
    again = patient.narratives(case.adam(ADAE=unknown), study)
    assert status(again, "event", "astct", level="A1 1", group="DL1") == ("NA", "not recorded")


@pytest.mark.rule("PAT-02", source="read by hand")
def test_an_end_that_is_open_is_not_recorded_and_no_other_event_is_told(told):
    assert row(told, "event", "end", level="B2 1", group="DL2")["status"] == "NA"
    terms = told.frame[(told.frame["variable"] == "event") & (told.frame["stat"] == "term")]["text"].tolist()
    assert terms == [
        "Cytokine release syndrome",
        "Hepatic artery thrombosis",
        "Sepsis",
        "Alanine aminotransferase increased",
        "Fatigue",
    ]


@pytest.mark.rule(
    "PAT-02", source="written by hand: two conditions, one of them still present, beside the diagnosis"
)
def test_a_narrative_has_the_medical_history_and_says_that_the_sponsor_has_not_judged(study):
    history = pd.DataFrame(
        {
            "USUBJID": ["A1", "A1", "A1", "B2"],
            "MHSEQ": [1.0, 2.0, 3.0, 1.0],
            "MHDECOD": ["Colorectal carcinoma", "Hypertension", None, "Gallstones"],
            "MHTERM": ["Colorectal carcinoma", "high pressure", "Old fracture, left arm", "Gallstones"],
            "MHCAT": ["PRIMARY DIAGNOSIS", "GENERAL", "GENERAL", "PRIMARY DIAGNOSIS"],
            "MHENRTPT": [None, "ONGOING", None, None],
        }
    )
    told = patient.narratives(case.adam(), study, case.sdtm(MH=history))
    first = row(told, "facts", "history", level="A1", group="DL1")
    assert first["text"] == "Hypertension (ongoing); Old fracture, left arm"
    mine = told.links[told.links["result_id"] == first["result_id"]]
    assert mine[["SRCDOM", "SRCSEQ"]].to_numpy().tolist() == [["MH", "2"], ["MH", "3"]]
    assert row(told, "facts", "history", level="B2", group="DL2")["text"] == "none recorded"
    assert row(told, "facts", "sponsor", level="A1", group="DL1")["text"] == "not recorded"
    without = patient.narratives(case.adam(), study)
    assert row(without, "facts", "history", level="A1", group="DL1")["text"] == "not recorded"


def judged(study, *, dlt, trigger, state, dates=("2025-01-01", "2025-03-01", "2025-04-01")):
    addlt = pd.DataFrame({"USUBJID": ["A1"], "DLTFL": [dlt], "TRIGFL": [trigger], "DLTSTAT": [state]})
    decisions = pd.DataFrame(
        {"date": list(dates), "kind": "dose", "level": ["DL1", "DL2", "DL3"][: len(dates)], "n": 1}
    )
    sdtm = case.sdtm(DECISIONS=decisions)
    return patient.narratives(case.adam(ADDLT=addlt), study, sdtm)


@pytest.mark.rule("PAT-02", source="one row per state of the participant")
@pytest.mark.parametrize(
    ("dlt", "trigger", "state", "effect"),
    [
        ("Y", "Y", "EVALUABLE", "DLT"),
        ("N", "Y", "EVALUABLE", "TRIGGER"),
        ("N", "N", "EVALUABLE", "NONE"),
        ("N", "N", "PENDING", "PENDING"),
        ("N", "N", "NOT EVALUABLE", "NOT EVALUABLE"),
    ],
)
def test_what_the_events_mean_for_the_decision_on_dose(study, dlt, trigger, state, effect):
    told = judged(study, dlt=dlt, trigger=trigger, state=state)
    assert row(told, "facts", "effect", level="A1", group="DL1")["text"] == effect


@pytest.mark.rule("PAT-02", source="counted by hand: the first decision after the onset on day 11")
def test_the_decision_that_followed_is_the_first_one_after_the_event(study):
    told = judged(study, dlt="N", trigger="N", state="EVALUABLE")
    start = case.adsl().set_index("USUBJID")["TRTSDT"]["A1"]
    onset = start + pd.Timedelta(11, unit="D")
    following = min(day for day in pd.to_datetime(["2025-01-01", "2025-03-01", "2025-04-01"]) if day > onset)
    assert value(told, "facts", "decided", level="A1", group="DL1") == (following - start).days
    none = judged(study, dlt="N", trigger="N", state="EVALUABLE", dates=("2024-01-01",))
    assert row(none, "facts", "decision", level="A1", group="DL1")["text"] == "none"


def test_without_events_there_is_no_narrative(study):
    assert (
        status(patient.narratives(case.adam(ADAE=None), study), "participants")[1] == "not available: no ADAE"
    )
    quiet = case.adae().assign(AESER="N", DLTFL="N", AETOXGRN=1.0, AEACN=None)
    alive = case.adsl().assign(DTHFL="N")
    none = patient.narratives(case.adam(ADAE=quiet, ADSL=alive), study)
    assert value(none, "participants") == 0
