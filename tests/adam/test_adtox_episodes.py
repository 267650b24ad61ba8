"""Episodes of cytokine release and neurotoxicity from records of signs and treatment, beside the reported grade."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.adam.adtox_episodes import derive_adtox, derived_bounds
from interim.adam.toxicity.assessments import crs_assessments, icans_assessments, signs_of
from interim.adam.toxicity.records import (
    clinical_values,
    drug_spans,
    drugs_at,
    ice_scores,
    spans,
    value_at,
    vital_values,
)

WHO = "S1"


def moment(text):
    return pd.Timestamp(text) if text else pd.NaT


def event(start="2025-01-17T10:00", end="2025-01-19T10:00", grade=1.0, astct=1.0, kind="CRS", **more):
    start_m, end_m = moment(start), moment(end)
    row = {
        "USUBJID": WHO,
        "SRCSEQ": "1",
        "CRSFL": "Y" if kind == "CRS" else "N",
        "ICANSFL": "Y" if kind == "ICANS" else "N",
        "AETOXGRN": grade,
        "ASTCTGRN": astct,
        "AEOUT": "RECOVERED/RESOLVED",
        "ASTDTM": start_m if "T" in str(start) else pd.NaT,
        "ASTDT": start_m.normalize(),
        "AENDTM": end_m if "T" in str(end) else pd.NaT,
        "AENDT": end_m.normalize(),
    }
    return row | more


def adae(*rows):
    frame = pd.DataFrame(list(rows) or [event()])
    times = {name: "datetime64[ns]" for name in ("ASTDTM", "ASTDT", "AENDTM", "AENDT")}
    return (frame if rows else frame.iloc[:0]).astype(times | {"AETOXGRN": float, "ASTCTGRN": float})


def vs(when, temp=None, sbp=None, unit="C"):
    rows = []
    for code, value, u in (("TEMP", temp, unit), ("SYSBP", sbp, "mmHg")):
        if value is not None:
            rows.append({"USUBJID": WHO, "VSTESTCD": code, "VSSTRESN": value, "VSSTRESU": u, "VSDTC": when})
    return rows


def ce(code, value, start, end=None):
    return {
        "USUBJID": WHO,
        "CETESTCD": code,
        "CESTRESC": value,
        "CESTDTC": start,
        "CEENDTC": end,
        "CEDTC": start,
    }


def cm(drug, start, end=None, category="CONCOMITANT MEDICATION"):
    return {
        "USUBJID": WHO,
        "CMDECOD": drug,
        "CMTRT": drug,
        "CMCAT": category,
        "CMSTDTC": start,
        "CMENDTC": end,
    }


def qs(code, value, when):
    return {"USUBJID": WHO, "QSTESTCD": code, "QSSTRESN": value, "QSDTC": when}


AIR = ce("O2DEV", "NONE", "2025-01-01", None)
NOTHING = cm("OMEPRAZOLE", "2025-01-01")
ADEX = pd.DataFrame(
    {
        "USUBJID": [WHO, WHO],
        "APHASE": ["NK", "CART_C1"],
        "ASTDT": pd.to_datetime(["2025-01-06", "2025-01-16"]).astype("datetime64[ns]"),
        "ASTDTM": pd.to_datetime(["2025-01-06T09:00", "2025-01-16T09:00"]).astype("datetime64[ns]"),
        "AENDT": pd.to_datetime(["2025-01-06", "2025-01-16"]).astype("datetime64[ns]"),
        "SRCSEQ": ["1", "2"],
    }
)
ADSL = pd.DataFrame({"USUBJID": [WHO], "TRTSDT": pd.to_datetime(["2025-01-06"]).astype("datetime64[ns]")})


@pytest.fixture
def derive(mk, mini_study):
    def run(events, vital=(), signs=(AIR,), drugs=(NOTHING,), scores=(), study=mini_study, adsl=ADSL):
        rows = {"VS": vital, "CE": signs, "CM": drugs, "QS": scores}
        sdtm = mk.make({name: mk.frame(name, list(part)) for name, part in rows.items() if part})
        return derive_adtox(sdtm, adsl, adae=events, adex=ADEX, study=study)

    return run


def rules(derived):
    return sorted(finding.rule for finding in derived.findings)


@pytest.mark.rule("SAF-18")
def test_an_episode_that_agrees_stands_with_its_infusion_and_makes_no_finding(derive):
    derived = derive(adae(event()), [*vs("2025-01-17T12:00", 38.6, 120), *vs("2025-01-18T08:00", 37.0, 118)])
    (row,) = derived.frame.to_dict("records")
    assert (row["DERGRC"], row["DERGRA"], row["DIRC"], row["DIRA"], row["DRIVERC"]) == (
        1,
        1,
        "AGREE",
        "AGREE",
        "fever",
    )
    assert (row["APHASE"], row["LINKSEQ"], row["AONSINF"], row["AONSDY"], row["ADURN"]) == (
        "CART_C1",
        "2",
        1,
        12,
        3,
    )
    assert (row["TOCIFL"], row["STERFL"], row["VASOFL"], row["REASON"]) == ("N", "N", "N", None)
    assert derived.findings == ()


@pytest.mark.rule("SAF-18")
@pytest.mark.parametrize(
    ("vital", "drugs", "reported", "expected"),
    [
        # Low pressure without vasopressor: 2 on both scales, reported 1.
        (vs("2025-01-17T12:00", 38.6, 85), (NOTHING,), (1, 1), ("LOWER", "LOWER", 2, 2)),
        (
            vs("2025-01-17T12:00", 38.6, 120),
            (cm("NOREPINEPHRINE", "2025-01-17T11:00"),),
            (1, 1),
            ("LOWER", "LOWER", 3, 3),
        ),
        (vs("2025-01-17T12:00", 38.6, 120), (NOTHING,), (3, 3), ("HIGHER", "HIGHER", 1, 1)),
        (
            vs("2025-01-17T12:00", 38.6, 120),
            (cm("NOREPINEPHRINE", "2025-01-10", "2025-01-12"),),
            (1, 1),
            ("AGREE", "AGREE", 1, 1),
        ),
        # Vasopressin counts for CTCAE only.
        (
            vs("2025-01-17T12:00", 38.6, 120),
            (cm("NORADRENALINE", "2025-01-17"), cm("VASOPRESSIN", "2025-01-17")),
            (4, 3),
            ("AGREE", "AGREE", 4, 3),
        ),
        # Signs without fever of a reported event: CTCAE grade 2, ASTCT grade 0.
        (vs("2025-01-17T12:00", 37.0, 85), (NOTHING,), (2, 0), ("AGREE", "AGREE", 2, 0)),
        (vs("2025-01-10T12:00", 37.0, 120), (NOTHING,), (1, 1), ("UNDOCUMENTED", "UNDOCUMENTED", None, None)),
    ],
)
def test_reported_against_derived(derive, vital, drugs, reported, expected):
    derived = derive(adae(event(grade=float(reported[0]), astct=float(reported[1]))), vital, drugs=drugs)
    row = derived.frame.iloc[0]
    grades = [None if value != value else value for value in (row["DERGRC"], row["DERGRA"])]
    assert (row["DIRC"], row["DIRA"], *grades) == expected
    assert rules(derived) == (["TOX-DISCORD"] if {"LOWER", "HIGHER"} & {row["DIRC"], row["DIRA"]} else [])


@pytest.mark.rule("SAF-12")
def test_a_sign_that_was_not_recorded_gives_bounds_unless_absence_means_none(derive, study_with):
    vital = vs("2025-01-17T12:00", 38.6, 120)
    unknown = derive(adae(event(grade=2.0)), vital, signs=()).frame.iloc[0]
    assert (unknown["ASTLO"], unknown["ASTHI"], unknown["MISSINP"], unknown["REASON"]) == (
        1,
        4,
        "hypoxia",
        "INPUT_MISSING",
    )
    assert (unknown["DIRC"], np.isnan(unknown["DERGRC"])) == ("AGREE", True)
    study = study_with('[toxicity]\nabsent_means_none = ["O2DEV", "SBP", "TEMP", "VASOPRESSORS"]\n')
    known = derive(adae(event()), vs("2025-01-17T12:00", 38.6), signs=(), study=study).frame.iloc[0]
    assert (known["DERGRA"], known["REASON"]) == (1, None)
    silent = derive(
        adae(event(grade=0.0, astct=0.0)), vs("2025-01-17T12:00", None, 120), signs=(), drugs=(), study=study
    )
    assert silent.frame.iloc[0]["DERGRA"] == 0


@pytest.mark.rule("SAF-19")
def test_signs_without_a_reported_event_are_episodes_of_their_own(derive):
    vital = [
        *vs("2025-01-17T12:00", 38.6, 120),
        *vs("2025-01-18T11:00", 38.2, 120),
        *vs("2025-01-20T12:00", 38.9, 120),
    ]
    derived = derive(adae(), vital)
    assert derived.frame["REPFL"].tolist() == ["N", "N"]
    assert derived.frame["ASTDTM"].tolist() == [moment("2025-01-17T12:00"), moment("2025-01-20T12:00")]
    assert derived.frame["AENDT"].tolist() == [moment("2025-01-18"), moment("2025-01-20")]
    assert (derived.frame["ASEQ"].tolist(), set(derived.frame["DIRA"])) == ([1, 2], {"UNREPORTED"})
    assert rules(derived) == ["TOX-UNREPORTED", "TOX-UNREPORTED"]


@pytest.mark.rule("SAF-19")
def test_the_gap_is_a_parameter_and_signs_near_an_event_belong_to_it(derive, study_with):
    vital = [*vs("2025-01-17T12:00", 38.6, 120), *vs("2025-01-20T12:00", 38.9, 120)]
    assert len(derive(adae(), vital, study=study_with("[toxicity]\ncrs_gap_h = 96\n")).frame) == 1
    before = [*vs("2025-01-17T02:00", 38.6, 120), *vs("2025-01-20T09:00", 38.9, 80)]
    derived = derive(adae(event(grade=2.0, astct=2.0)), before)
    assert (len(derived.frame), derived.frame.iloc[0]["DERGRC"], rules(derived)) == (1, 2, [])


@pytest.mark.rule("SAF-19")
def test_fever_with_another_cause_starts_nothing_and_an_established_syndrome_needs_no_fever(derive):
    explained = ce("ALTCAUSE", "Y", "2025-01-17T08:00", "2025-01-18T08:00")
    assert derive(adae(), vs("2025-01-17T12:00", 38.6, 120), signs=(AIR, explained)).frame.empty
    vital = [*vs("2025-01-17T12:00", 38.6, 120), *vs("2025-01-17T20:00", 37.0, 80)]
    treated = derive(adae(), vital, drugs=(cm("PARACETAMOL", "2025-01-17T13:00", "2025-01-17T14:00"),))
    assert treated.frame["ASTHI"].tolist() == [2]
    assert derive(adae(), vital).frame["ASTHI"].tolist() == [1]


@pytest.mark.rule("SAF-18")
def test_a_fatal_event_is_grade_5_and_a_late_one_is_not_linked(derive):
    vital = vs("2025-01-17T12:00", 38.6, 120)
    fatal = derive(adae(event(grade=5.0, astct=5.0, AEOUT="FATAL")), vital).frame.iloc[0]
    assert (fatal["DERGRC"], fatal["DERGRA"]) == (5, 5)
    late = derive(adae(event("2025-02-05", "2025-02-06")), vs("2025-02-05T12:00", 38.6, 120)).frame.iloc[0]
    assert (late["LINKRS"], late["LINKSEQ"], np.isnan(late["AONSINF"])) == ("UNLINKED", None, True)


@pytest.mark.rule("SAF-19")
def test_tocilizumab_without_the_syndrome_is_a_finding_and_with_it_a_flag(derive):
    drug = cm("TOCILIZUMAB", "2025-01-17")
    assert rules(derive(adae(), drugs=(drug,))) == ["TOX-TOCI"]
    row = derive(
        adae(event()), vs("2025-01-17T12:00", 38.6, 120), drugs=(drug, cm("DEXAMETHASONE", "2025-01-18"))
    ).frame.iloc[0]
    assert (row["TOCIFL"], row["STERFL"], row["VASOFL"]) == ("Y", "Y", "N")


@pytest.mark.rule("SAF-11")
def test_neurotoxicity_from_scores_and_clinical_events(derive, study_with):
    study = study_with('[toxicity]\nabsent_means_none = ["LOC", "SEIZURE", "MOTOR", "ICP"]\n')
    scores = [qs("ICETOTAL", 8.0, "2025-01-17"), qs("ICETOTAL", 5.0, "2025-01-18")]
    events = adae(event("2025-01-17", "2025-01-19", 1.0, 1.0, "ICANS"))
    derived = derive(events, scores=scores, study=study)
    row = derived.frame.iloc[0]
    assert (row["PARAMCD"], row["DERGRA"], row["DIRA"], row["DIRC"], row["MINICE"]) == (
        "ICANS",
        2,
        "LOWER",
        None,
        5,
    )
    assert rules(derived) == ["TOX-DISCORD"]
    lonely = derive(adae(), scores=scores, study=study)
    assert rules(lonely) == ["TOX-UNREPORTED"] and lonely.frame.iloc[0]["MINICE"] == 5
    signs = (ce("LOC", "UNAROUSABLE", "2025-01-18", "2025-01-18"),)
    odd = derive(adae(), signs=signs, scores=[qs("ICETOTAL", 9.0, "2025-01-18")], study=study)
    assert rules(odd) == ["TOX-ICANS-CONSIST", "TOX-UNREPORTED"] and odd.frame.iloc[0]["ASTLO"] == 4


@pytest.mark.rule("SAF-46", source="immune-toxicity.md section 4: under 12 another scale holds")
@pytest.mark.parametrize(
    ("age", "reason", "grade"), [(11.0, "CHILD_SCALE", None), (12.0, None, 2), (None, None, 2)]
)
def test_the_scale_of_adults_grades_no_child(derive, study_with, age, reason, grade):
    study = study_with('[toxicity]\nabsent_means_none = ["LOC", "SEIZURE", "MOTOR", "ICP"]\n')
    events = adae(event("2025-01-17", "2025-01-19", 1.0, 1.0, "ICANS"))
    scores = [qs("ICETOTAL", 5.0, "2025-01-18")]
    derived = derive(events, scores=scores, study=study, adsl=ADSL.assign(AGE=[age]).astype({"AGE": float}))
    row = derived.frame.iloc[0]
    assert row["REASON"] == reason and row["REPGRA"] == 1
    found = [row[name] for name in ("DERGRA", "ASTLO", "ASTHI")]
    assert found == [grade] * 3 if grade else all(value != value for value in found)
    assert (rules(derived) == ["TOX-DISCORD"]) == (grade is not None)


@pytest.mark.rule("SAF-46", source="cytokine release has one scale for all")
def test_cytokine_release_of_a_child_is_graded(derive):
    vital = vs("2025-01-17T12:00", temp=39.0, sbp=120)
    grown, child = (
        derive(adae(event()), vital=vital, adsl=ADSL.assign(AGE=[age])).frame.iloc[0] for age in (40.0, 8.0)
    )
    assert grown["ASTLO"] == child["ASTLO"] and child["REASON"] != "CHILD_SCALE"


@pytest.mark.rule("SAF-20")
def test_impossible_records_count_as_not_recorded_and_are_listed(derive):
    vital = [
        *vs("2025-01-17T12:00", 101.0, 120, unit="F"),
        *vs("2025-01-17T13:00", 29.0, 120),
        *vs("2025-01-17T14:00", 45.1, 120),
    ]
    signs = (ce("O2DEV", "TENT", "2025-01-17"),)
    scores = [qs("ICETOTAL", 12.0, "2025-01-17")]
    derived = derive(adae(), vital, signs=signs, scores=scores)
    assert rules(derived) == ["TOX-CODE", "TOX-ICE", "TOX-TEMP", "TOX-TEMP", "TOX-UNIT"]
    assert derived.frame.empty


@pytest.mark.rule("SAF-20")
def test_the_sum_of_the_items_wins_over_the_total(mk):
    items = {"ICEORIEN": 4.0, "ICENAME": 3.0, "ICECOMM": 1.0, "ICEWRITE": 1.0, "ICEATTN": 0.0}
    rows = [qs(code, value, "2025-01-17") for code, value in items.items()]
    table, findings = ice_scores(mk.make({"QS": mk.frame("QS", [*rows, qs("ICETOTAL", 10.0, "2025-01-17")])}))
    assert table["ICE"].tolist() == [9.0]
    assert [(f.rule, f.expected) for f in findings] == [("TOX-ICESUM", "9")]
    partial, _ = ice_scores(mk.make({"QS": mk.frame("QS", [rows[0], qs("ICETOTAL", 10.0, "2025-01-17")])}))
    assert partial["ICE"].tolist() == [10.0]


@pytest.mark.rule("SAF-20")
def test_what_was_not_delivered_is_empty(mk):
    sdtm = mk.make({})
    assert vital_values(sdtm)[0].empty and ice_scores(sdtm)[0].empty and clinical_values(sdtm).empty
    assert drug_spans(sdtm, ["X"]) is None
    moments = pd.DataFrame({"USUBJID": [WHO], "AT": [pd.Timestamp("2025-01-01")]})
    assert np.isnan(drugs_at(moments, None)).all()
    assert value_at(moments, clinical_values(sdtm), "O2DEV").isna().all()


def test_records_hold_from_their_start_to_their_end(mk):
    rows = [
        ce("O2DEV", "NASAL", "2025-01-02T10:00", "2025-01-02T12:00"),
        ce("O2DEV", "NONE", "2025-01-04", "2025-01-05"),
    ]
    records = clinical_values(mk.make({"CE": mk.frame("CE", rows)}))
    times = [
        "2025-01-02T09:59",
        "2025-01-02T10:00",
        "2025-01-02T12:01",
        "2025-01-04T00:00",
        "2025-01-05T23:00",
        "2025-01-06",
    ]
    moments = pd.DataFrame(
        {"USUBJID": WHO, "AT": pd.to_datetime(times, format="ISO8601").astype("datetime64[ns]")}
    )
    found = value_at(moments, records, "O2DEV")
    assert found.where(found.notna(), None).tolist() == [None, "NASAL", None, "NONE", "NONE", None]
    span = spans(mk.frame("CE", rows), "CESTDTC", "CEENDTC")
    assert span["TO"].tolist() == [moment("2025-01-02T12:00"), moment("2025-01-05T23:59:59")]


def test_prior_therapy_is_no_treatment_and_drugs_are_counted_once(mk):
    rows = [cm("DOPAMINE", "2025-01-01", "2025-01-03"), cm("DOPAMINE", "2025-01-02", "2025-01-03")]
    rows.append(cm("EPINEPHRINE", "2025-01-01", category="PRIOR ANTICANCER THERAPY"))
    given = drug_spans(mk.make({"CM": mk.frame("CM", rows)}), ["DOPAMINE", "EPINEPHRINE"])
    moments = pd.DataFrame(
        {
            "USUBJID": WHO,
            "AT": pd.to_datetime(["2025-01-02T12:00", "2025-01-05T00:00"]).astype("datetime64[ns]"),
        }
    )
    assert drugs_at(moments, given).tolist() == [1, 0]


@pytest.mark.rule(
    "SAF-44",
    source="seeded_defects.csv, D14: a vasopressor between two measurements is seen at the later one",
)
@pytest.mark.parametrize(
    ("start", "end", "hours", "seen"),
    [
        ("2025-01-02T17:30", "2025-01-02T17:30", 24, [0, 1, 0]),
        ("2025-01-02T17:30", "2025-01-02T17:30", 0, [0, 0, 0]),
        ("2025-01-02T17:30", "2025-01-02T17:30", 2, [0, 0, 0]),
        ("2025-01-02T10:00", "2025-01-02T13:00", 24, [1, 1, 0]),
        ("2025-01-02T12:00", "2025-01-02T12:00", 24, [1, 0, 0]),
        ("2025-01-02T21:00", "2025-01-02T22:00", 24, [0, 0, 1]),
        ("2025-01-03T09:00", "2025-01-03T10:00", 24, [0, 0, 0]),
        ("2025-01-01T13:00", "2025-01-01T14:00", 24, [1, 0, 0]),
    ],
)  # fmt: skip
def test_a_dose_between_two_measurements_is_seen_at_the_later_one(mk, start, end, hours, seen):
    given = drug_spans(mk.make({"CM": mk.frame("CM", [cm("DOPAMINE", start, end)])}), ["DOPAMINE"])
    at = pd.to_datetime(["2025-01-03T08:00", "2025-01-02T12:00", "2025-01-02T20:00"]).astype("datetime64[ns]")
    moments = pd.DataFrame({"USUBJID": WHO, "AT": at})
    found = drugs_at(moments, given, since=pd.Timedelta(hours, unit="h"))
    assert found.loc[[1, 2, 0]].tolist() == seen


def test_bounds_of_each_event_on_its_own_row(mk, mini_study):
    vital = vs("2025-01-17T12:00", 38.6, 85)
    domains = {"VS": vital, "CE": [AIR], "CM": [NOTHING]}
    sdtm = mk.make({name: mk.frame(name, rows) for name, rows in domains.items()})
    events = adae(event(kind="ICANS", SRCSEQ="9"), event())
    bounds = derived_bounds(sdtm, events, mini_study)
    assert bounds.loc[1].tolist() == [2, 2, 2, 2] and bounds.loc[0].isna().all()


@pytest.mark.parametrize("assess", [crs_assessments, icans_assessments])
@pytest.mark.parametrize("people", [[WHO], ["S2"], ["S1", "S2"], ["NOBODY"]])
def test_the_signs_of_some_participants_are_graded_as_among_all(mk, mini_study, assess, people):
    own = [*vs("2025-01-17T12:00", 38.6, 85), *vs("2025-01-18T09:00", 39.1, 120)]
    other = [row | {"USUBJID": "S2"} for row in vs("2025-01-17T08:00", 38.2, 88)]
    pressor = cm("DOPAMINE", "2025-01-17T07:00", "2025-01-17T12:00") | {"USUBJID": "S2"}
    domains = {"VS": [*other, *own], "CE": [AIR, AIR | {"USUBJID": "S2"}], "CM": [NOTHING, pressor]}
    sdtm = mk.make({name: mk.frame(name, rows) for name, rows in domains.items()})
    events = adae(event(), event(USUBJID="S2", SRCSEQ="2")).assign(FATAL=False)
    whole = assess(sdtm, events, mini_study)[0]
    few = pd.DataFrame({"USUBJID": people})
    found = assess(signs_of(sdtm, few), events[events["USUBJID"].isin(people)], mini_study)[0]
    expected = whole[whole["USUBJID"].isin(people)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)


def test_row_order_changes_nothing(mk, mini_study):
    vital = [
        *vs("2025-01-17T12:00", 38.6, 85),
        *vs("2025-01-18T12:00", 38.6, 120),
        *vs("2025-01-25T12:00", 39.0, 120),
    ]
    parts = {"VS": vital, "CE": [AIR], "CM": [NOTHING, cm("PARACETAMOL", "2025-01-17T13:00")]}
    frames = {name: mk.frame(name, rows) for name, rows in parts.items()}
    shuffled = {name: part.sample(frac=1, random_state=3) for name, part in frames.items()}
    first, second = (
        derive_adtox(mk.make(domains), ADSL, adae=adae(event(grade=2.0)), adex=ADEX, study=mini_study)
        for domains in (frames, shuffled)
    )
    pd.testing.assert_frame_equal(first.frame, second.frame)
    assert first.findings == second.findings


def test_without_a_reported_event_no_event_has_bounds(mk, mini_study):
    other = adae(event(CRSFL="N"))
    assert derived_bounds(mk.make({}), other, mini_study).isna().all(axis=None)
