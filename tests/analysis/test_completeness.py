"""Expected and performed assessments by visit, by hand: first infusions 2025-01-01 (A1), 02-01 (B2), 03-01 (C3), 04-01 (D4)."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis import completeness
from interim.errors import StudyError
from interim.study.tables import ScheduledVisit, ScheduleTable
from tests.analysis import participant_case as case
from tests.analysis.answers import denominators_not_stated, row, status, subjects, value
from tests.analysis.safety_case import adam, adsl, table

DAY7 = ScheduledVisit(visitnum=5, label="DAY 7", day=7, window=1, expected=("labs", "ecg", "cytokines"))
CART = ScheduledVisit(
    visitnum=6, label="C1D1", day=0, anchor="first_cart", window=0, expected=("labs", "car_copies")
)
LATE = ScheduledVisit(visitnum=9, label="DAY 100", day=100, window=5, expected=("labs",))


def planned(study, *visits: ScheduledVisit):
    return study.model_copy(update={"schedule": ScheduleTable(visit=visits)})


def sv() -> pd.DataFrame:
    return table(
        "USUBJID SVSEQ VISITNUM VISITDY SVSTDTC",
        [
            ("A1", 1.0, 5.0, None, "2025-01-08"),  # day 7: as planned
            ("B2", 1.0, 5.0, None, "2025-02-10"),  # day 9: one day outside the window
            ("C3", 1.0, 5.0, 10.0, "2025-03-10"),  # planned for study day 10, which is day 9
            ("A1", 2.0, 6.0, None, "2025-01-11"),
            ("D4", 2.0, 6.0, None, "2025-04-11"),  # no CAR-T, but the visit took place
        ],
    )


def lb() -> pd.DataFrame:
    return table(
        "USUBJID LBSEQ LBTESTCD LBCAT LBSTAT VISITNUM LBDTC",
        [
            ("A1", 1.0, "ALT", "CHEMISTRY", None, 5.0, "2025-01-08"),
            ("A1", 2.0, "AST", "CHEMISTRY", None, 5.0, "2025-01-08"),
            ("B2", 1.0, "ALT", "CHEMISTRY", "NOT DONE", 5.0, "2025-02-10"),
            ("C3", 1.0, "IL6", "CYTOKINE", None, 5.0, "2025-03-10"),
            ("C3", 2.0, "ALT", "CHEMISTRY", None, 5.0, "2025-03-14"),  # 4 days after the planned day
            ("D4", 1.0, "ALT", "CHEMISTRY", None, 5.1, "2025-04-08"),  # an unscheduled visit
        ],
    )


def pc() -> pd.DataFrame:
    return table(
        "USUBJID PCSEQ PCTESTCD VISITNUM PCDTC",
        [("A1", 1.0, "CARTG", 6.0, "2025-01-11"), ("D4", 1.0, "CARTG", 6.0, "2025-04-11")],
    )


@pytest.fixture(scope="module")
def made(study):
    source = case.sdtm(SV=sv(), LB=lb(), PC=pc())
    return completeness.by_visit(adam(), planned(study, DAY7, CART, LATE), source)


@pytest.mark.rule("CON-06", source="counted by hand")
@pytest.mark.parametrize(
    ("variable", "visit", "expected", "done", "out"),
    [
        ("visit", "DAY 7", {"A1", "B2", "C3", "D4"}, {"A1", "B2", "C3"}, {"B2"}),
        ("labs", "DAY 7", {"A1", "B2", "C3", "D4"}, {"A1", "C3"}, {"C3"}),
        ("cytokines", "DAY 7", {"A1", "B2", "C3", "D4"}, {"C3"}, set()),
        ("visit", "C1D1", {"A1", "B2", "C3", "D4"}, {"A1", "D4"}, set()),
        ("labs", "C1D1", {"A1", "B2", "C3", "D4"}, set(), set()),
        ("car_copies", "C1D1", {"A1", "B2", "C3"}, {"A1"}, set()),
    ],
)
def test_expected_done_and_outside_the_window(made, variable, visit, expected, done, out):
    assert subjects(made, variable, "expected", level=visit) == expected
    assert subjects(made, variable, "rate", level=visit) == done
    assert subjects(made, variable, "out", level=visit) == out
    rate = row(made, variable, "rate", level=visit)
    assert (rate["n"], rate["N"]) == (len(done), len(expected))
    assert rate["value"] == len(done) / len(expected)


@pytest.mark.rule("CON-06", source="days 0, 2 and 0 off the planned day")
def test_days_off_the_planned_day(made):
    found = [value(made, "visit", stat, level="DAY 7") for stat in ("median", "min", "max")]
    assert found == [0, 0, 2]
    assert value(made, "labs", "max", level="DAY 7") == 4  # C3: 14 March, planned for 10 March
    assert status(made, "labs", "median", level="C1D1") == ("NE", "NO_DATA")


@pytest.mark.rule("CON-06", source="domains by hand")
def test_a_domain_that_was_not_delivered_is_named(made):
    assert status(made, "ecg", "rate", level="DAY 7") == ("NA", "not available: no EG")
    assert denominators_not_stated(made) == []


@pytest.mark.rule("CON-06", source="B2 died on day 60; day 105 of D4 is after the cut-off")
def test_a_visit_is_expected_while_the_plan_lasts(made, study):
    assert subjects(made, "visit", "expected", level="DAY 100") == {"A1", "C3"}
    ends = completeness.plan_ends(adam(), study, frozenset({"A1", "B2", "D4"}))
    assert ends.dt.strftime("%Y-%m-%d").to_dict() == {
        "A1": "2025-06-30",
        "B2": "2025-04-02",
        "D4": "2025-06-30",
    }


@pytest.mark.rule("CON-06", source="last infusions: A1 day 11, C3 day 11; 28 days later is day 39")
def test_after_progression_or_new_therapy_visits_are_expected_in_the_emergent_window_only(study):
    people = adsl()
    later = people["USUBJID"].map({"C3": pd.Timestamp("2025-05-30")})
    tte = pd.DataFrame(
        [
            ("A1", "PFS", "E-PD", pd.Timestamp("2025-01-20")),
            ("C3", "PFS", "K-CUT", pd.Timestamp("2025-03-20")),
            ("D4", "OS", "E-PD", pd.Timestamp("2025-04-20")),
        ],
        columns=["USUBJID", "PARAMCD", "RSNCD", "ADT"],
    )
    data = adam(ADSL=people.assign(NACTDT=later), ADTTE=tte)
    ends = completeness.plan_ends(data, study, frozenset({"A1", "C3", "D4"}))
    assert ends.dt.strftime("%Y-%m-%d").to_dict() == {
        "A1": "2025-02-09",  # progression on day 19, emergent until day 39
        "C3": "2025-05-30",  # new therapy after the window; a censored time is no progression
        "D4": "2025-06-30",
    }
    without = study.model_copy(update={"safety": study.safety.model_copy(update={"teae_end_days": "none"})})
    assert completeness.plan_ends(data, without, frozenset({"A1"}))["A1"] == pd.Timestamp("2025-01-20")


@pytest.mark.rule("CON-06", source="second cycles of B2 only: day 24")
def test_visits_of_the_second_cycle_count_from_its_first_infusion(study):
    visit = ScheduledVisit(visitnum=12, label="C2D1", day=0, anchor="second_cycle")
    made = completeness.by_visit(adam(), planned(study, visit), case.sdtm(SV=sv().iloc[:0]))
    assert subjects(made, "visit", "expected", level="C2D1") == {"B2"}
    bare = completeness.by_visit(adam(), planned(study, visit), case.sdtm())
    assert status(bare, "visit", "rate", level="C2D1") == ("NA", "not available: no SV")
    none = completeness.by_visit(adam(ADEX=None), planned(study, visit), case.sdtm(SV=sv().iloc[:0]))
    assert value(none, "visit", "expected", level="C2D1") == 0
    assert status(none, "visit", "rate", level="C2D1") == ("NE", "NO_DATA")


@pytest.mark.rule("CON-06", source="an empty answer")
def test_without_a_plan_nothing_is_expected_and_an_unknown_assessment_is_refused(study):
    bare = planned(study)
    reason = "not available: the study states no planned visits (schedule.visit)"
    assert status(completeness.by_visit(adam(), bare, case.sdtm()), "visit", "rate") == ("NA", reason)
    wrong = ScheduledVisit(visitnum=1, label="X", day=0, expected=("labs", "blood"))
    with pytest.raises(StudyError, match=r"schedule\.visit\[0\]\.expected: there is no assessment 'blood'"):
        completeness.by_visit(adam(), planned(study, wrong), case.sdtm())
