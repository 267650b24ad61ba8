from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.dlt import history_frame, may_lie_inside
from interim.design.history import History
from interim.errors import StudyError

READINGS = {"A": (10, 25), "B": (0, 25), "C": (10, 39), "D": (0, 39)}


def change(mini, term, **values):
    row = mini["AE"].index[mini["AE"]["AETERM"] == term][0]
    for name, value in values.items():
        mini["AE"].loc[row, name] = value


def row_of(frame, mk, number):
    return frame[frame["USUBJID"] == mk.uid(number)].iloc[0]


def day(value):
    return None if pd.isna(value) else f"{value:%Y-%m-%d}"


@pytest.mark.rule("DLT-01")
@pytest.mark.parametrize("reading", list(READINGS))
def test_the_window_by_reading(mini, study_with, chain, mk, reading):
    study = study_with(f'[ambiguity]\nAMB-3 = "{reading}"\n')
    row = row_of(chain(mini, study).windows(), mk, "01")
    first, last = READINGS[reading]
    assert (day(row["DLTWSDT"]), day(row["DLTWEDT"])) == (mk.on("01", first), mk.on("01", last))


@pytest.mark.rule("DLT-01")
def test_the_window_can_hang_on_the_first_infusion_of_the_cycle(mini, study_with, chain, mk):
    study = study_with(
        '[ambiguity]\nAMB-3 = "own"\n[dose]\nwindow_anchor = "c1_first_infusion"\nwindow_days = 28\n'
    )
    row = row_of(chain(mini, study).windows(), mk, "01")
    assert (day(row["DLTWSDT"]), day(row["DLTWEDT"])) == (mk.on("01", 10), mk.on("01", 38))


@pytest.mark.rule("DLT-01")
@pytest.mark.parametrize(
    ("changes", "status", "reason", "end"),
    [
        ({}, "NOT EVALUABLE", "NO-CYCLE2", None),
        ({"AEACN": "DRUG WITHDRAWN"}, "EVALUABLE", None, 25),
    ],
)
def test_without_a_second_cycle_only_toxicity_moves_the_anchor(
    mini, study_with, chain, mk, changes, status, reason, end
):
    study = study_with('[ambiguity]\nAMB-3 = "C"\n')
    change(mini, "Hepatic enzyme increased", AEREL="NONE", **changes)
    mini["SUPPAE"] = mini["SUPPAE"][mini["SUPPAE"]["QNAM"] != "DLTFL"]
    row = row_of(chain(mini, study).addlt(), mk, "03")
    assert (row["DLTSTAT"], row["DLTSTRS"], day(row["DLTWEDT"])) == (
        status,
        reason,
        None if end is None else mk.on("03", end),
    )
    waiting = row_of(chain(mini, study).addlt(), mk, "05")
    assert (waiting["DLTSTAT"], waiting["DLTSTRS"]) == ("PENDING", "PENDING")


def test_a_study_without_dose_ladder_has_no_windows(mini, study_with, chain):
    study = study_with('[cohort]\nvariable = "ARMCD"\n')
    made = chain(mini, study)
    assert made.windows().empty
    assert (made.adae().frame["DLTDRFL"] == "N").all()


@pytest.mark.rule("DLT-02")
@pytest.mark.parametrize(
    ("changes", "derived", "rule"),
    [
        ({}, "Y", "DLT-NONHAEM"),
        ({"AETOXGR": "2"}, "N", None),
        ({"AEREL": "NONE"}, "N", None),
        ({"AEBODSYS": "Blood and lymphatic system disorders"}, "N", None),
        ({"AEENDTC": "2025-03-19"}, "N", None),
        ({"AESTDTC": "2025-03-28", "AEENDTC": "2025-04-05"}, "Y", "DLT-NONHAEM"),
        ({"AESTDTC": "2025-03-29", "AEENDTC": "2025-04-05"}, "N", None),
        ({"AESTDTC": "2025-03-13T09:00"}, "N", None),
        ({"AESTDTC": "2025-03-13T11:00"}, "Y", "DLT-NONHAEM"),
        ({"AETOXGR": "5", "AEENDTC": "2025-03-18"}, "Y", "DLT-G5"),
        ({"AEDECOD": "Cytokine release syndrome", "AEREL": "NONE"}, "Y", "DLT-CRS"),
        ({"AEDECOD": "Cytokine release syndrome"}, "Y", "DLT-CRS; DLT-NONHAEM"),
    ],
)
def test_an_event_is_a_dlt_if_a_rule_holds_and_it_began_in_the_window(
    mini, mini_study, chain, changes, derived, rule
):
    change(mini, "Hepatic enzyme increased", **changes)
    frame = chain(mini, mini_study).adae().frame
    row = frame[frame["AETERM"] == "Hepatic enzyme increased"].iloc[0]
    assert (row["DLTDRFL"], row["DLTRULE"], row["DLTFL"]) == (derived, rule, "Y")


@pytest.mark.rule("DLT-02")
def test_derived_or_reported_counts_and_a_difference_is_found(mini, mini_study, chain, mk):
    mini["SUPPAE"] = mk.supp("AE", [("02", 1, "DLTFL", "Y")])
    derived = chain(mini, mini_study).adae()
    assert set(derived.frame.loc[derived.frame["DLTFL"] == "Y", "AETERM"]) == {
        "Hepatic enzyme increased",
        "Cytokine release syndrome",
    }
    found = {f.subject: (f.rule, f.value, f.expected) for f in derived.findings}
    assert found == {mk.uid("02"): ("DOSE-DLTDIFF", "Y", "N"), mk.uid("03"): ("DOSE-DLTDIFF", "N", "Y")}


@pytest.mark.rule("DLT-02")
def test_without_reported_flags_there_is_no_difference(mini, mini_study, chain):
    del mini["SUPPAE"]
    derived = chain(mini, mini_study).adae()
    assert derived.findings == ()
    assert derived.rules[1] == ("DOSE-DLTDIFF", "warn", "not run: SUPPAE holds no reported DLTFL")


@pytest.mark.rule("DLT-02")
@pytest.mark.parametrize(("policy", "expected"), [("worst_case", "Y"), ("exclude_with_finding", "N")])
def test_an_event_that_may_lie_in_the_window(mini, study_with, chain, policy, expected):
    study = study_with(f'[dose]\npartial_date_policy = "{policy}"\n')
    change(mini, "Hepatic enzyme increased", AESTDTC="2025-03", AEENDTC="2025-04-20")
    del mini["SUPPAE"]
    derived = chain(mini, study).adae()
    row = derived.frame[derived.frame["AETERM"] == "Hepatic enzyme increased"].iloc[0]
    assert row["DLTFL"] == expected
    assert [f.rule for f in derived.findings] == ["AE-PARTIAL"]


def test_a_rule_on_an_unknown_variable_is_named(mini, study_with, chain):
    study = study_with(
        '[[dose.dlt_rules]]\nid = "X"\ntext = "x"\nall = [{ var = "NOSUCH", op = "==", value = "Y" }]\n'
    )
    with pytest.raises(StudyError, match=r"dose\.dlt_rules\[0\]: there is no variable 'NOSUCH'"):
        chain(mini, study).adae()


@pytest.mark.rule("DLT-03")
def test_the_status_of_each_participant(mini, mini_study, chain, mk):
    addlt = chain(mini, mini_study).addlt()
    found = {row.USUBJID[-2:]: (row.DLTSTAT, row.DLTSTRS, day(row.STATKNDT)) for row in addlt.itertuples()}
    assert found == {
        "01": ("EVALUABLE", None, mk.on("01", 25)),
        "02": ("EVALUABLE", None, mk.on("02", 25)),
        "03": ("EVALUABLE", None, mk.on("03", 16)),
        "04": ("NOT EVALUABLE", "NO-CART: MANUFACTURING", mk.on("04", 20)),
        "05": ("PENDING", "PENDING", None),
        "08": ("NOT EVALUABLE", "DEATH-IN-WINDOW", mk.on("08", 20)),
    }


@pytest.mark.rule("DLT-03")
def test_nk_without_decision_is_pending(mini, mini_study, chain, mk):
    mini["DS"] = mini["DS"][mini["DS"]["DSSCAT"] != "CAR-T NOT GIVEN"]
    assert row_of(chain(mini, mini_study).addlt(), mk, "04")["DLTSTAT"] == "PENDING"


@pytest.mark.rule("DLT-03")
def test_a_participant_with_one_infusion_or_who_left_is_not_evaluable_unless_a_dlt_occurred(
    mini, mini_study, chain, mk
):
    second = (mini["EX"]["USUBJID"].isin([mk.uid("01"), mk.uid("03")])) & (mini["EX"]["EXSEQ"] > 3)
    mini["EX"] = mini["EX"][~second]
    left = [
        {
            "USUBJID": mk.uid("02"),
            "DSDECOD": "WITHDRAWAL BY SUBJECT",
            "DSCAT": "DISPOSITION EVENT",
            "DSSCAT": "STUDY",
            "DSSTDTC": mk.on("02", 24),
            "DSSEQ": 9.0,
        }
    ]
    mini["DS"] = pd.concat([mini["DS"], mk.frame("DS", left)], ignore_index=True)
    addlt = chain(mini, mini_study).addlt()
    assert row_of(addlt, mk, "01")[["DLTSTAT", "DLTSTRS"]].tolist() == ["NOT EVALUABLE", "MIN-INFUSIONS"]
    assert row_of(addlt, mk, "02")[["DLTSTAT", "DLTSTRS"]].tolist() == [
        "NOT EVALUABLE",
        "OFF-STUDY-IN-WINDOW",
    ]
    assert row_of(addlt, mk, "03")[["DLTSTAT", "DLTFL"]].tolist() == ["EVALUABLE", "Y"]


@pytest.mark.rule("DLT-03")
@pytest.mark.parametrize(("gone", "status"), [(24, "NOT EVALUABLE"), (25, "EVALUABLE")])
def test_the_last_day_of_the_window_must_be_observed(mini, mini_study, chain, mk, gone, status):
    left = [
        {
            "USUBJID": mk.uid("02"),
            "DSDECOD": "COMPLETED",
            "DSCAT": "DISPOSITION EVENT",
            "DSSCAT": "STUDY",
            "DSSTDTC": mk.on("02", gone),
            "DSSEQ": 9.0,
        }
    ]
    mini["DS"] = pd.concat([mini["DS"], mk.frame("DS", left)], ignore_index=True)
    assert row_of(chain(mini, mini_study).addlt(), mk, "02")["DLTSTAT"] == status


@pytest.mark.rule("DLT-05")
def test_order_dates_of_knowledge_and_doses(mini, mini_study, chain, mk):
    addlt = chain(mini, mini_study).addlt()
    assert addlt["USUBJID"].str[-2:].tolist() == ["01", "02", "03", "04", "08", "05"]
    assert addlt["ORDER"].tolist() == [1, 2, 3, 4, 5, 6]
    row = row_of(addlt, mk, "03")
    assert [day(row[name]) for name in ("ASSIGNDT", "DLTDT", "DLTKNDT", "TRIGDT", "TRIGKNDT")] == [
        mk.on("03", 10),
        mk.on("03", 14),
        mk.on("03", 16),
        mk.on("03", 14),
        mk.on("03", 16),
    ]
    assert row[["NINFCT", "PLANDOSE", "ACTDOSE"]].tolist() == [2, 5e7, 5e7]


@pytest.mark.rule("DLT-05")
def test_the_rows_make_a_history(mini, mini_study, chain, mk):
    rows = history_frame(chain(mini, mini_study).addlt())
    history = History.from_frame(rows, levels=4)
    assert history.findings == ()
    assert {s.id[-2:]: s.outcome for s in history.subjects} == {
        "01": "N",
        "02": "G",
        "03": "T",
        "05": "P",
        "08": "X",
    }


@pytest.mark.rule("DLT-05")
def test_a_participant_who_waits_for_the_first_infusion_is_assigned_from_the_enrolment_on(
    mini, mini_study, chain, mk
):
    waits = mk.uid("05")
    mini["EX"] = mini["EX"][mini["EX"]["USUBJID"] != waits]
    mini["AE"] = mini["AE"][mini["AE"]["USUBJID"] != waits]
    addlt = chain(mini, mini_study).addlt()
    row = row_of(addlt, mk, "05")
    assert (day(row["ASSIGNDT"]), row["DLTSTAT"], row["LEVEL"]) == ("2025-06-02", "PENDING", 2)
    assert addlt["USUBJID"].iloc[-1] == waits
    assert History.from_frame(history_frame(addlt), levels=4).subjects[-1].outcome == "P"


@pytest.mark.rule("DLT-05")
def test_a_participant_in_screening_is_not_yet_assigned(mini, mini_study, chain, mk):
    waits = mk.uid("05")
    for name in ("EX", "AE"):
        mini[name] = mini[name][mini[name]["USUBJID"] != waits]
    enrolled = (mini["DS"]["USUBJID"] == waits) & (mini["DS"]["DSDECOD"] == "ELIGIBILITY CRITERIA MET")
    mini["DS"] = mini["DS"][~enrolled]
    assert waits not in set(chain(mini, mini_study).addlt()["USUBJID"])


def test_an_undated_event_may_lie_in_the_window_unless_it_ended_before(mini, mini_study, chain, mk):
    change(mini, "Hepatic enzyme increased", AESTDTC=None, AEENDTC=mk.on("03", 12))
    change(mini, "Sepsis", AESTDTC=None, AEENDTC=mk.on("08", 9))
    made = chain(mini, mini_study)
    frame = made.adae().frame
    possible, certain = may_lie_inside(frame, made.windows())
    found = dict(zip(frame["AETERM"], zip(possible, certain, strict=True), strict=True))
    assert found["Hepatic enzyme increased"] == (True, False)
    assert found["Sepsis"] == (False, False)
    assert found["Anaemia"] == (False, False)
