"""Dose-limiting toxicities, trigger candidates, course, and the trigger row of the DLT table."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis.escalation import dlt_by_dose
from interim.analysis.escalation_events import (
    NO_ADJUDICATION,
    NO_EVENTS,
    course,
    dlt_details,
    trigger_candidates,
    triggers_by_reading,
)
from interim.analysis.escalation_state import NO_LADDER
from tests.analysis.answers import status, subjects, value
from tests.analysis.dose_finding.conftest import listed, with_frame


def counts(case) -> dict[str, float]:
    table = dlt_by_dose(case.adam, case.study)
    return {group: value(table, "trigger", group=group) for group in ("DL1", "DL2", "DL3", "DL4")}


@pytest.mark.rule("DOSEQ-04")
def test_triggers_by_level_come_from_the_facts_per_participant(main13, tiny10, full18):
    for case in (main13, tiny10, full18):
        facts = case.adam["ADDLT"]
        expected = facts[facts["TRIGFL"] == "Y"].groupby("COHORT").size().to_dict()
        assert counts(case) == {f"DL{level}": expected.get(f"DL{level}", 0) for level in range(1, 5)}
    assert counts(main13)["DL1"] == 0 and counts(main13)["DL2"] >= 1
    assert counts(tiny10)["DL1"] == 0 and counts(full18)["DL1"] >= 1


@pytest.mark.rule("DOSEQ-04")
def test_an_open_query_counts_as_a_trigger(main13):
    addlt = main13.adam["ADDLT"].copy()
    first = addlt["LEVEL"] == 1
    addlt.loc[first, "TRIGFL"] = None
    table = dlt_by_dose(with_frame(main13, "ADDLT", addlt).adam, main13.study)
    assert subjects(table, "trigger", "n", group="DL1") == set(addlt.loc[first, "USUBJID"])


@pytest.mark.rule("DOSEQ-04")
def test_without_facts_the_trigger_is_not_available(adam, study):
    assert status(dlt_by_dose(adam, study), "trigger", "n")[0] == "NA"


@pytest.mark.rule("DOSEQ-05", source="path of the example study: hepatic, grade 3, level 3")
def test_the_dlt_of_main13(main13):
    found = listed(dlt_details(main13.adam, main13.study), "event")
    (event,) = found.to_dict("records")
    assert (event["dose"], event["grade"], event["window"]) == ("DL3", "3", "closed")
    assert event["basis"] == "DLT-NONHAEM; reported"
    assert int(event["day_nk"]) > int(event["day_cart"]) >= 0
    assert int(event["duration"]) > 7


@pytest.mark.rule("DOSEQ-05", source="path of the example study: 1/6, 1/6 and 2/3")
def test_the_dlt_of_full18_come_by_assignment(full18):
    found = listed(dlt_details(full18.adam, full18.study), "event")
    assert found["dose"].tolist() == ["DL2", "DL3", "DL4", "DL4"]
    assert (found["grade"].astype(int) >= 3).all()
    assert found["participant"].is_monotonic_increasing


@pytest.mark.rule("DOSEQ-05")
def test_an_adjudication_that_the_data_do_not_hold_is_said_to_be_absent(main13, tiny10):
    for case, events in ((main13, 1), (tiny10, 0)):
        found = dlt_details(case.adam, case.study)
        assert status(found, "adjudication", "n") == ("NA", NO_ADJUDICATION)
        assert value(found, "event") == events
    assert set(listed(dlt_details(main13.adam, main13.study), "event")["adjudication"]) == {"not available"}


@pytest.mark.rule("DOSEQ-05")
def test_the_definition_is_printed_also_without_dlt(tiny10):
    found = dlt_details(tiny10.adam, tiny10.study)
    assert value(found, "event") == 0
    rules = {rule.id: rule.text for rule in tiny10.study.dose.dlt_rules}
    assert listed(found, "definition")["text"].to_dict() == rules


@pytest.mark.rule("DOSEQ-05")
def test_an_ongoing_dlt_without_grade_in_an_open_window(main13):
    adae = main13.adam["ADAE"].copy()
    dlt = adae["DLTFL"] == "Y"
    adae.loc[dlt, "AONGOFL"] = "Y"
    adae.loc[dlt, "AETOXGRN"] = float("nan")
    adae.loc[dlt, "AEDECOD"] = None
    addlt = main13.adam["ADDLT"].assign(DLTWEDT=pd.Timestamp("2026-12-01"))
    case = with_frame(with_frame(main13, "ADAE", adae), "ADDLT", addlt)
    (event,) = listed(dlt_details(case.adam, case.study), "event").to_dict("records")
    assert event["duration"].endswith("+") and event["grade"] == "Missing" and event["window"] == "open"
    assert event["term"] == adae.loc[dlt, "AETERM"].iloc[0]


@pytest.mark.rule("DOSEQ-06")
def test_candidates_are_the_events_of_any_reading(main13):
    found = listed(trigger_candidates(main13.adam, main13.study, main13.sdtm), "event")
    status_of = triggers_by_reading(main13.adam, main13.study, main13.sdtm)
    assert set(status_of) == {("AMB-2", letter) for letter in "ABCDE"} | {
        ("AMB-6", letter) for letter in "ABC"
    }
    assert len(found) == pd.DataFrame(status_of).ne("N").any(axis=1).sum()
    without = found["dose"] == "NK only"
    assert without.any() and without.is_monotonic_increasing, "those without a dose level stand last"
    read = [
        ("Diarrhoea", "2", "yes"),
        ("Arthralgia", "1", "no"),
        ("Headache", "1", "no"),
        ("Rash", "1", "no"),
        ("Vomiting", "1", "no"),
    ]
    assert list(zip(*(found[without][name] for name in ("term", "ctcae", "applies")), strict=True)) == read
    assert set(found[without]["related"]) == {"CAR-NK"}
    low = found[found["ctcae"] == "1"]
    assert set(low["AMB-2"]) == {"B"} and set(low["applies"]) == {"no"}
    procedure = found[(found["related"] == "procedure") & (found["ctcae"] == "2")]
    assert len(procedure) and set(procedure["AMB-2"]) == {"C"}


@pytest.mark.rule("DOSEQ-06", source="path of the example study: grade 2 CRS at level 2")
def test_the_crs_that_ended_titration_is_a_trigger_under_every_reading(main13):
    found = listed(trigger_candidates(main13.adam, main13.study, main13.sdtm), "event")
    crs = found[(found["term"] == "Cytokine release syndrome") & (found["dose"] == "DL2")]
    grade2 = crs[crs["ctcae"] == "2"].iloc[0]
    assert (grade2["astct"], grade2["AMB-2"], grade2["AMB-6"], grade2["applies"]) == (
        "2",
        "A B C D E",
        "A B C",
        "yes",
    )


@pytest.mark.rule("DOSEQ-06")
def test_the_status_in_force_is_that_of_the_dataset(main13):
    found = trigger_candidates(main13.adam, main13.study, main13.sdtm)
    status_of = triggers_by_reading(main13.adam, main13.study, main13.sdtm)
    assert status_of["AMB-2", "A"].equals(main13.adam["ADAE"]["TRIGFL"])
    triggered = main13.adam["ADDLT"]["TRIGFL"].eq("Y") & main13.adam["ADDLT"]["LEVEL"].notna()
    assert value(found, "count", level="AMB-2 A") == triggered.sum()
    assert value(found, "count", level="AMB-2 B") >= value(found, "count", level="AMB-2 A")
    assert value(found, "count", level="AMB-2 C") >= value(found, "count", level="AMB-2 A")
    assert value(found, "count", level="AMB-2 D") <= value(found, "count", level="AMB-2 A")


@pytest.mark.rule("DOSEQ-06")
def test_a_missing_grade_under_query_is_marked(main13):
    adae = main13.adam["ADAE"].copy()
    place = adae.index[(adae["AETOXGRN"] == 1) & (adae["RELCART"] == "Y") & (adae["CRSFL"] != "Y")][0]
    adae.loc[place, ["AETOXGRN", "TRIGFL"]] = [float("nan"), None]
    table = main13.study.titration_trigger.model_copy(update={"missing_grade": "query"})
    study = main13.study.model_copy(update={"titration_trigger": table})
    case = with_frame(main13, "ADAE", adae)
    found = listed(trigger_candidates(case.adam, study, case.sdtm), "event")
    (event,) = found[found["ctcae"] == "Missing"].to_dict("records")
    assert event["applies"] == "open query" and "A?" in event["AMB-2"]


@pytest.mark.rule("DOSEQ-02")
def test_the_course_has_every_participant_with_a_level(full18):
    found = course(full18.adam, full18.study, full18.sdtm)
    rows = found.where(variable="participant", stat="level")
    assert rows["value"].tolist() == [1] * 3 + [2] * 6 + [3] * 6 + [4] * 3
    outcomes = listed(found, "participant")["outcome"]
    assert (outcomes == "dlt").sum() == 4 and outcomes.iloc[0] == "trigger"
    assert listed(found, "participant")["tumour"].notna().all()


@pytest.mark.rule("DOSEQ-14")
def test_without_events_the_reason_stands(main13, adam, study, arms):
    assert status(dlt_details(adam, arms), "event", "n") == ("NA", NO_LADDER)
    assert status(trigger_candidates(adam, study, main13.sdtm), "event", "n")[1].startswith("not derived")
    assert status(course(adam, study, main13.sdtm), "participant", "n")[0] == "NA"
    ungraded = with_frame(main13, "ADAE", main13.adam["ADAE"].drop(columns="AETOXGRN"))
    assert status(dlt_details(ungraded.adam, ungraded.study), "event", "n") == ("NA", NO_EVENTS)
