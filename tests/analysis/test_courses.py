"""What the safety figures draw, counted and placed by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from interim.analysis import courses
from interim.analysis.flow_steps import add_decision_nodes
from interim.display.conduct_figures import figure_calendar
from interim.display.flow import _Flow as flow_chart
from interim.display.flow import figure_flow
from interim.display.numbers import Numbers
from interim.errors import DerivationError
from interim.result import Rows
from tests.analysis import safety_case as case
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.test_special_interest import counted


@pytest.mark.rule("CON-04", source="counted by hand")
@pytest.mark.parametrize(
    ("step", "here", "lost"),
    [
        ("nk", (1, 2, 1, 4), (0, 1, 0, 1)),
        ("cart_c1", (1, 2, 0, 3), (0, 0, 1, 1)),
        ("cart_c2", (0, 1, 0, 1), (1, 1, 0, 2)),
        ("dlt_evaluable", (1, 2, 0, 3), (0, 0, 1, 1)),
        ("response_evaluable", (1, 1, 0, 2), (0, 1, 1, 2)),
    ],
)
def test_flow_by_dose_balances(study, step, here, lost):
    result = courses.flow(case.adam(), study)
    assert counted(result, step) == here
    assert counted(result, f"left {step}") == lost


@pytest.mark.rule("CON-04", source="counted by hand: five enrolled, two screen failures")
def test_the_flow_begins_with_the_assessed_and_says_why_the_others_left(study):
    failed = case.adsl().head(2).assign(USUBJID=["X1", "X2"], ENRLFL="N", ENRLRS=["SCREEN-FAIL", None])
    failed = failed.assign(SAFNKFL="N", SAFCTFL="N", DLTEVFL="N", RESFL="N")
    result = courses.flow(case.adam(ADSL=pd.concat([case.adsl(), failed])), study)
    assert value(result, "assessed") == 7 and value(result, "enrolled") == 5
    left = result.where(variable="left enrolled", stat="n")
    assert dict(zip(left["level"], left["n"], strict=True)) == {"": 2, "Missing": 1, "SCREEN-FAIL": 1}
    assert set(left["group"]) == {"Total"}


@pytest.mark.rule("CON-04", source="the words of the reasons")
@pytest.mark.parametrize(
    ("step", "level", "line"),
    [
        ("cart_c1", "NO-CART: INVESTIGATOR", "No CAR-T cycle 1: Decision of the investigator (1)"),
        ("cart_c1", "NO-CART", "No CAR-T cycle 1: Reason not recorded (1)"),
        ("nk", "NO-NK", "No CAR-NK: Reason not recorded (1)"),
        ("nk", "WITHDRAWN-BEFORE", "No CAR-NK: Withdrew before treatment (1)"),
        ("dlt_evaluable", "NO-CART: PD", "Not DLT-evaluable: No CAR-T infusion: progressive disease (1)"),
    ],
)
def test_a_reason_of_the_flow_is_said_once(study, step, level, line, monkeypatch):
    rows = Rows("courses.flow", "Flow")
    names = ("enrolled", "nk", "cart_c1", "cart_c2", "dlt_evaluable", "response_evaluable")
    for name, n in zip(names, (2, 2, 2, 2, 2, 2), strict=True):
        rows.add("n", n, variable=name, n=n, group="DL1")
    rows.add("n", 1, variable=f"left {step}", n=1, group="DL1")
    rows.add("n", 1, variable=f"left {step}", level=level, n=1, group="DL1")
    chart = flow_chart(Numbers(rows.build(), study), study, names, {}, frozenset())
    assert chart.reasons("DL1") == [line]


@pytest.mark.rule(
    "CON-04", source="counted by hand: two with a first and no second cycle, one of them with a reason in DS"
)
def test_the_end_of_treatment_is_why_there_was_no_second_cycle(study):
    result = courses.flow(case.adam(), study)
    lost = subjects(result, "left cart_c2", "n")
    assert len(lost) == 2
    ends = pd.DataFrame(
        {
            "USUBJID": sorted(lost),
            "DSCAT": "DISPOSITION EVENT",
            "DSSCAT": "STUDY TREATMENT",
            "DSDECOD": ["ADVERSE EVENT", "COMPLETED"],
            "DSSTDTC": "2025-03-01",
        }
    )
    none = pd.DataFrame(columns=["date", "kind", "level", "n"])
    sdtm = SimpleNamespace(domain=lambda name: ends if name == "DS" else none)
    found = courses.flow(case.adam(), study, sdtm).where(variable="left cart_c2", group="Total")
    assert dict(zip(found["level"], found["n"], strict=True)) == {"": 2, "ADVERSE EVENT": 1, "Missing": 1}


@pytest.mark.rule("CON-04", source="read from the four records; months of 30.4375 days from 2024-12-22")
def test_each_decision_stands_at_the_cohort_that_it_opens(study):
    records = pd.DataFrame(
        {
            "date": ["2025-01-22", "2025-02-21", "2025-03-01", "2025-04-01"],
            "kind": ["dose", "dose", "dose", "rp2d"],
            "level": ["DL1", "DL2", "DL2", "DL2"],
            "n": [1, 1, 2, None],
            "role": "Dose committee",
        }
    )
    ends = pd.DataFrame(columns=["USUBJID", "DSCAT", "DSSCAT", "DSDECOD", "DSSTDTC"])
    sdtm = SimpleNamespace(domain=lambda name: ends if name == "DS" else records)
    result = courses.flow(case.adam(), study, sdtm)
    found = result.where(variable="decision", stat="month")
    assert found["text"].tolist() == ["start", "escalate", "stay", "rp2d"]
    assert found["group"].tolist() == ["DL1", "DL2", "DL2", "Total"]
    assert found["value"].tolist()[:2] == pytest.approx([31 / 30.4375, 61 / 30.4375])
    assert result.where(variable="decision", stat="planned")["value"].tolist() == [1, 1, 2]
    figure = figure_flow(result, study)
    assert "4 recorded decisions" in figure.alt and "Diamonds" in figure.text()
    assert "Diamonds" not in figure_flow(courses.flow(case.adam(), study), study).text()


@pytest.mark.rule("CON-04", source="the three steps between two dose levels")
@pytest.mark.parametrize(
    ("levels", "actions"),
    [(("DL3", "DL2"), ["start", "de_escalate"]), (("DL3", "DL3"), ["start", "stay"])],
)
def test_what_a_decision_does_to_the_dose_before(study, levels, actions):
    decisions = pd.DataFrame(
        {
            "date": pd.to_datetime(["2025-01-01", "2025-02-01"]),
            "kind": "dose",
            "level": [float(level[2:]) for level in levels],
            "n": 3.0,
            "role": "",
        }
    )
    rows = Rows("courses.flow", "Participant flow")
    add_decision_nodes(rows, decisions, pd.Timestamp("2025-01-01"))
    assert rows.build().where(stat="month")["text"].tolist() == actions


@pytest.mark.rule("CON-04", source="an arrow that does not balance")
def test_a_step_without_the_step_before_is_refused(study):
    wrong = case.adsl().assign(DLTEVFL=["Y", "Y", "Y", "N", "Y"])
    with pytest.raises(DerivationError, match="E5 reached dlt_evaluable without the step before it"):
        courses.flow(case.adam(ADSL=wrong), study)


@pytest.mark.rule("CON-04", source="placed by hand: months of 30.4375 days from 2024-12-22")
def test_recorded_decisions_stand_on_the_calendar_and_in_the_figure(study):
    records = pd.DataFrame(
        {
            "date": ["2025-02-21", "2025-01-22", None],
            "kind": "dose",
            "level": ["DL2", "DL1", "DL3"],
            "n": 1,
        }
    )
    sdtm = SimpleNamespace(domain=lambda name: records)
    result = courses.calendar(case.adam(), study, sdtm)
    found = result.where(variable="decision", stat="month")
    assert found["text"].tolist() == ["DL1", "DL2"]
    assert found["value"].tolist() == pytest.approx([31 / 30.4375, 61 / 30.4375])
    assert "2 recorded decisions" in figure_calendar(result, study).alt
    assert "recorded decisions" not in figure_calendar(courses.calendar(case.adam(), study), study).alt


@pytest.mark.rule("CON-04", source="placed by hand: months of 30.4375 days from 2024-12-22")
def test_calendar_in_the_order_of_enrolment(study):
    result = courses.calendar(case.adam(), study)
    frame = result.frame[result.frame["variable"] == "participant"]
    names = frame[frame["stat"] == "participant"]
    assert names["text"].tolist() == ["A1", "B2", "C3", "D4", "E5"]
    assert names["level"].tolist() == ["1", "2", "3", "4", "5"]

    def place(level, stat, group):
        return value(result, "participant", stat, level=level, group=group)

    assert place("1", "start", "DL1") == 0
    assert place("1", "nk", "DL1") == pytest.approx(10 / 30.4375)
    assert place("2", "cart_c2", "DL2") == pytest.approx((31 + 10 + 24) / 30.4375)
    assert place("2", "died", "DL2") == 1
    assert place("2", "end", "DL2") == pytest.approx((31 + 10 + 60) / 30.4375)
    assert place("3", "window_end", "DL2") == pytest.approx((59 + 10 + 25) / 30.4375)
    assert place("4", "died", "NK only") == 0
    stats = frame[(frame["level"] == "5")]["stat"].tolist()
    assert "nk" not in stats and "start" in stats


@pytest.mark.rule("CON-03", source="7.5e8 / 50 = 1.5e7; 6.6e8 / 50 = 1.32e7")
def test_planned_and_actual_cells_per_kg(study):
    result = courses.doses(case.adam(), study)
    assert value(result, "infusion", "planned", level="A1 1", group="DL1") == 1.5e7
    assert value(result, "infusion", "actual", level="A1 1", group="DL1") == 1.5e7
    assert value(result, "infusion", "actual", level="A1 2", group="DL1") == pytest.approx(1.32e7)
    assert value(result, "infusion", "actual", level="B2 4", group="DL2") == pytest.approx(3e7)
    assert len(result.frame[result.frame["stat"] == "actual"]) == 7
    absent = courses.doses(case.adam(ADEX=case.adex().drop(columns="DOSEKG")), study)
    assert status(absent, "infusion")[1] == "not available: dose per kg of CAR-T infusions"


@pytest.mark.rule("SAF-31", source="counted by hand")
def test_related_terms_of_two_or_more_participants(study):
    result = courses.related_terms(case.adam(), study)
    terms = result.frame.loc[result.frame["variable"] == "term", "level"].unique().tolist()
    assert terms == ["Nausea"]
    assert counted(result, "term", "Nausea") == (1, 1, 0, 2)
    assert counted(result, "term", "Nausea", "grade3") == (0, 0, 0, 0)
    assert row(result, "term", "n", level="Nausea")["N"] == 4
    assert subjects(result, "term", "n", level="Nausea") == {"A1", "B2"}
    severe = case.adae().assign(AETOXGRN=4.0)
    again = courses.related_terms(case.adam(ADAE=severe), study)
    assert counted(again, "term", "Nausea", "grade3") == (1, 1, 0, 2)
    bare = courses.related_terms(case.adam(ADAE=case.adae().drop(columns="RELCELL")), study)
    assert status(bare, "term")[1] == "not available: relation and grade of events"


@pytest.fixture(scope="module")
def timeline(study):
    return courses.release_timeline(case.adam(), study, case.sdtm())


@pytest.mark.rule("SAF-31", source="days from the first CAR-T infusion, placed by hand")
@pytest.mark.parametrize(
    ("variable", "level", "group", "expected"),
    [
        ("episode", "A1 1", "DL1", {"day": 1, "end": 4, "grade": 2, "name": "CRS"}),
        ("episode", "C3 2", "DL2", {"day": 2, "end": 2, "name": "CRS"}),
        ("infusion", "A1 1", "DL1", {"day": 0}),
        ("infusion", "A1 2", "DL1", {"day": 1}),
        ("infusion", "B2 5", "DL2", {"day": 14}),
        ("drug", "A1 1", "DL1", {"day": 1, "name": "tocilizumab"}),
        ("il6", "A1 1", "DL1", {"day": 0, "value": 5}),
        ("il6", "A1 2", "DL1", {"day": 2, "value": 800}),
    ],
)
def test_the_timeline_after_t_cells(timeline, variable, level, group, expected):
    frame = timeline.frame
    mine = frame[(frame["variable"] == variable) & (frame["level"] == level) & (frame["group"] == group)]
    found = {r["stat"]: r["text"] if r["text"] is not None else r["value"] for r in mine.to_dict("records")}
    assert found == expected


@pytest.mark.rule("SAF-31", source="three drugs of one participant on three days")
def test_every_drug_of_a_participant_has_a_place_of_its_own(study):
    cm = case.sdtm().domain("CM")
    first = cm[cm["CMDECOD"].str.upper().str.contains("TOCILIZUMAB", na=False)].iloc[[0]]
    more = pd.concat(
        [first.assign(CMDECOD=drug) for drug in ("TOCILIZUMAB", "DEXAMETHASONE", "NOREPINEPHRINE")]
    )
    only = case.sdtm(CM=more.reset_index(drop=True))
    frame = courses.release_timeline(case.adam(), study, only).frame
    drugs = frame[(frame["variable"] == "drug") & (frame["stat"] == "name")]
    assert frame["result_id"].is_unique
    assert drugs["text"].tolist() == ["tocilizumab", "steroid", "vasopressor"]
    assert drugs["level"].tolist() == ["A1 1", "A1 2", "A1 3"]


def test_what_lies_before_the_t_cells_is_not_on_the_timeline(timeline):
    il6 = timeline.frame[timeline.frame["variable"] == "il6"]
    assert len(il6[il6["stat"] == "day"]) == 2
    drugs = timeline.frame[(timeline.frame["variable"] == "drug") & (timeline.frame["stat"] == "name")]
    assert drugs["text"].tolist() == ["tocilizumab", "steroid", "steroid"]
    assert (
        timeline.frame.loc[timeline.frame["variable"] == "participant", "level"] == ["A1", "B2", "C3"]
    ).all()


FIRST = ("crs", "death", "no_cycle2", "censored", "crs_later")


def first_events(result):
    return {name: subjects(result, "event", "n", level=name) for name in FIRST}


@pytest.mark.rule(
    "SAF-45", source="event on day 1; end of the wait on day 1 + 29; death on day 50 after two cycles"
)
def test_cumulative_incidence_of_the_first_release(study):
    result = courses.first_release(case.adam(), study)
    nobody = set()
    assert first_events(result) == dict(zip(FIRST, ({"A1"}, {"B2"}, {"C3"}, nobody, nobody), strict=True))
    days = [value(result, "curve", "day", level=level) for level in "123"]
    assert days == [1, 30, 50]
    assert value(result, "curve", "incidence", level="1") == pytest.approx(1 / 3)
    assert [value(result, "curve", "at_risk", level=level) for level in "123"] == [3, 2, 1]
    assert value(result, "curve", "incidence", level="3") == pytest.approx(1 / 3)
    mild = case.adtox().assign(REPGRC=1.0, REPGRA=1.0)
    none = courses.first_release(case.adam(ADTOX=mild), study)
    assert value(none, "event", level="crs") == 0
    assert row(none, "curve", "lower", level="1")["status"] == "NE"


def five(*, last=(11, 11, 11, 25, 25), two=("P4", "P5"), cut=400, **days):
    """Return five participants with T cells from day 10 on; days = participant -> day of release, death or end of study."""
    names = [f"P{number}" for number in range(1, 6)]
    day = lambda number: pd.Timestamp("2025-01-01") + pd.Timedelta(number, unit="D")  # noqa: E731
    cuts = cut if isinstance(cut, dict) else dict.fromkeys(names, cut)

    def dates(kind):
        return pd.to_datetime(
            pd.Series([day(days[kind][n]) if n in days.get(kind, {}) else pd.NaT for n in names])
        )

    adsl = pd.DataFrame({"USUBJID": names, "COHORT": "DL1", "COHORTA": "DL1", "SAFCTFL": "Y", "SAFNKFL": "Y"})
    adsl = adsl.assign(
        TRTSCT=day(10),
        TRTECT=[day(number) for number in last],
        DTHDT=dates("death"),
        EOSDT=dates("end"),
        DCUTDT=[day(cuts.get(n, 400)) for n in names],
    )
    release = sorted(days["crs"].items())
    adtox = pd.DataFrame(
        {
            "USUBJID": [name for name, _ in release],
            "ASTDT": [day(number) for _, number in release],
            "PARAMCD": "CRS",
            "REPFL": "Y",
            "REPGRC": 2.0,
            "REPGRA": 1.0,
            "APHASE": "CART_C1",
        }
    )
    adex = pd.DataFrame({"USUBJID": [*names, *two], "APHASE": ["CART_C1"] * 5 + ["CART_C2"] * len(two)})
    return case.Adam({"ADSL": adsl, "ADTOX": adtox, "ADEX": adex}, case.CUT)


@pytest.mark.rule(
    "SAF-45", source="Aalen-Johansen by hand: 1/5; then of 3 at risk 1 competes; 1/5 + 4/5 x 2/3 x 1/2"
)
def test_a_second_cycle_not_given_competes_with_the_release(study):
    """P1 releases on day 1; P2 is cut on day 10; for P3 the wait ends on day 30; P4 releases on day 32; P5 dies on day 50."""
    adam = five(cut={"P2": 20}, crs={"P1": 11, "P4": 42}, death={"P5": 60})
    result = courses.first_release(adam, study)
    expected = {
        "crs": {"P1", "P4"},
        "death": {"P5"},
        "no_cycle2": {"P3"},
        "censored": {"P2"},
        "crs_later": set(),
    }
    assert first_events(result) == expected
    seen = {
        value(result, "curve", "day", level=level): value(result, "curve", "incidence", level=level)
        for level in "12345"
    }
    wanted = {1: 1 / 5, 10: 1 / 5, 30: 1 / 5, 32: 1 / 5 + 4 / 15, 50: 1 / 5 + 4 / 15}
    assert seen == pytest.approx(wanted, abs=1e-12)
    censoring_instead = 1 / 5 + 4 / 5 * 1 / 2
    assert abs(seen[32] - censoring_instead) > 0.1, "the end of the wait would otherwise only censor"


@pytest.mark.rule("SAF-45", source="which event is first, day by day")
@pytest.mark.parametrize(
    ("given", "who", "day", "cause"),
    [
        ({"crs": {"P3": 40}}, "P3", 30, "crs"),  # on the day on which the wait ends
        ({"crs": {"P3": 41}}, "P3", 30, "no_cycle2"),  # the day after
        ({"crs": {}, "death": {"P3": 20}, "end": {"P3": 20}}, "P3", 10, "death"),
        ({"crs": {}, "end": {"P3": 25}}, "P3", 15, "no_cycle2"),  # leaving tells that none follows
        ({"crs": {}, "end": {"P4": 90}}, "P4", 80, "censored"),  # both cycles given
        ({"crs": {"P4": 95}, "end": {"P4": 90}}, "P4", 80, "censored"),
        ({"crs": {}, "cut": {"P3": 39}}, "P3", 29, "censored"),  # still waiting at the cut-off
        ({"crs": {}, "cut": {"P3": 40}}, "P3", 30, "no_cycle2"),
        ({"crs": {"P5": 60}, "death": {"P5": 60}}, "P5", 50, "crs"),
    ],
)
def test_what_came_first(study, given, who, day, cause):
    result = courses.first_release(five(**given), study)
    found = first_events(result)
    assert [name for name in FIRST[:4] if who in found[name]] == [cause]
    days = result.frame.loc[(result.frame["variable"] == "curve") & (result.frame["stat"] == "day"), "value"]
    assert day in set(days)
    late = who in given["crs"] and cause != "crs"
    assert (who in found["crs_later"]) == late
    assert sum(len(found[name]) for name in FIRST[:4]) == 5


@pytest.mark.rule("SAF-31", source="CTCAE v5.0 limits of the reference file")
@pytest.mark.parametrize(
    ("code", "limits"),
    [
        ("ALT", {"1": 1.0, "2": 3.0, "3": 5.0, "4": 20.0}),
        ("BILI", {"1": 1.0, "2": 1.5, "3": 3.0, "4": 10.0}),
        ("NEUT", {"2": 1.5, "3": 1.0, "4": 0.5}),
        ("PLAT", {"2": 75.0, "3": 50.0, "4": 25.0}),
    ],
)
def test_bands_of_the_grades(study, code, limits):
    result = courses.trajectories(case.adam(), study)
    band = result.frame[result.frame["variable"] == f"band {code}"]
    assert dict(zip(band["level"], band["value"], strict=True)) == limits


@pytest.mark.rule("SAF-31", source="20 / 40, 30 / 40; counts as they are")
def test_results_over_time(study):
    result = courses.trajectories(case.adam(), study)
    assert value(result, "ALT", "day", level="A1 1", group="DL1") == -1
    assert value(result, "ALT", "value", level="A1 1", group="DL1") == 0.5
    assert value(result, "ALT", "value", level="A1 2", group="DL1") == 0.75
    assert value(result, "NEUT", "value", level="A1 3", group="DL1") == 0.4
    assert value(result, "CRP", "value", level="D4 1", group="NK only") == 5
    assert "HGB" not in set(result.frame["variable"])
    given = result.frame[(result.frame["variable"] == "infusion") & (result.frame["group"] == "DL1")]
    days = case.adex().loc[lambda f: f["USUBJID"] == "A1", "ASTDT"] - case.at("A1", 0)
    assert given["value"].tolist() == sorted(days.dt.days)


@pytest.mark.parametrize(
    ("name", "gone", "variable"),
    [
        ("release_timeline", "ADTOX", "participant"),
        ("first_release", "ADTOX", "curve"),
        ("first_release", "ADEX", "curve"),
        ("trajectories", "ADLB", "ALT"),
        ("related_terms", "ADAE", "term"),
        ("doses", "ADEX", "infusion"),
    ],
)
def test_without_its_dataset_a_figure_has_a_reason(study, name, gone, variable):
    question = getattr(courses, name)
    more = (case.sdtm(),) if name == "release_timeline" else ()
    found = status(question(case.adam(**{gone: None}), study, *more), variable)
    assert found[0] == "NA" and found[1].startswith("not available")


def test_the_flow_of_a_study_of_another_product(arms):
    adsl = case.adsl().assign(COHORT="Hi", COHORTA="Hi")
    result = courses.flow(case.adam(ADSL=adsl, ADEX=None), arms)
    steps = [
        name for name in result.frame["variable"].unique() if not name.startswith(("left", "population"))
    ]
    assert steps == ["assessed", "enrolled", "nk", "response_evaluable"]
    assert value(result, "enrolled", group="Hi") == 5


def test_dates_of_a_calendar_without_infusions(study):
    result = courses.calendar(case.adam(ADEX=None), study)
    assert set(result.frame.loc[result.frame["variable"] == "participant", "stat"]) == {
        "participant",
        "start",
        "window_end",
        "end",
        "died",
    }
    assert pd.notna(value(result, "participant", "end", level="1", group="DL1"))
