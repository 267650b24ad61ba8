"""Whole tables of hand-made Results: every printed cell, typed by hand."""

from __future__ import annotations

import pytest

from interim import display
from interim.result import TOTAL, Rows
from tests.display import results_by_hand as hand


def show(name, result, study, **options):
    return getattr(display, name)(result, study, **options)


def lines(table) -> list[tuple[int, str, list[str]]]:
    """Depth, stub and cells of each row; a section has depth -1."""
    return [
        (
            -1 if row.kind == "section" else row.indent,
            row.cells[0].text,
            [cell.text for cell in row.cells[1:]],
        )
        for row in table.rows
    ]


def stub(table, text: str) -> list[str]:
    """Cells of the first row with that stub."""
    return next(cells for _, name, cells in lines(table) if name == text)


def test_summary_of_adverse_events(study):
    table = show("table_teae_summary", hand.summary(), study)
    assert lines(table) == [
        (0, "Any treatment-emergent event", ["3/3 (100%) [7]", "9 (75.0%) [21]", "12 (80.0%) [28]"]),
        (0, "Grade 3 or higher", ["0/3", "1 (8.3%) [2]", "1 (6.7%) [2]"]),
        (0, "Event of special interest – flag AESI not collected", ["NA", "NA", "NA"]),
    ]
    assert [head.text for head in table.header[0]] == [" ", "DL1 1.5e7\nN=3", "DL2 3e7\nN=12", "Total\nN=15"]


def test_events_by_class_and_term_in_pairs_of_columns(study):
    table = show("table_teae_by_soc_pt", hand.terms(), study)
    assert [head.span for head in table.header[0]] == [1, 2, 2, 2]
    assert [head.text for head in table.header[1]] == [" ", *["Any grade", "Grade >= 3"] * 3]
    assert lines(table)[1:3] == [
        (0, "Gastrointestinal disorders", ["2/3 (67%) [4]", "0/3", "4 (33.3%) [8]", "1 (8.3%) [1]", "6 (40.0%) [12]", "1 (6.7%) [1]"]),
        (1, "Nausea", ["2/3 (67%) [4]", "0/3", "0", "1 (8.3%) [1]", "2 (13.3%) [4]", "1 (6.7%) [1]"]),
    ]  # fmt: skip
    assert table.orientation == "portrait"


def test_events_without_grades_have_one_column_and_a_note(study):
    table = show("table_teae_by_soc_pt", hand.terms(graded=False), study)
    assert len(table.widths) == 4 and "Grade 3 or higher: grades not collected." in table.footnotes
    assert [name for _, name, _ in lines(table)][-1] == "Diarrhoea"


def test_four_columns_in_pairs_need_a_wide_page(study):
    sizes = {f"DL{n}": 1 for n in range(1, 5)}
    rows = hand.opened("safety.teae_by_soc_pt", sizes)
    for stat in ("n", "n_grade3"):
        hand.counts(rows, "teae", 1, 1, 1, 1, stat=stat, sizes=sizes)
    assert show("table_teae_by_soc_pt", rows.build(), study).orientation == "landscape"


def test_highest_grade_by_cohort_and_total(study):
    table = show("table_teae_by_max_grade", hand.grades(), study, by_cohort=True)
    assert [head.text for head in table.header[0]] == [" ", "Grade 1", "Grade 3", "Any"]
    assert lines(table)[:4] == [
        (-1, "DL1 1.5e7, N=3", []),
        (0, "Any treatment-emergent event", ["1/3 (33%)", "0/3", "1/3 (33%)"]),
        (0, "Cardiac disorders", ["1/3 (33%)", "0/3", "1/3 (33%)"]),
        (1, "Palpitations", ["1/3 (33%)", "0/3", "1/3 (33%)"]),
    ]
    total = show("table_teae_by_max_grade", hand.grades(), study)
    assert lines(total)[0][1] == "Total, N=15" and len(lines(total)) == 4


def test_a_term_that_nobody_in_the_block_has_is_left_out(study):
    rows = hand.opened("safety.teae_by_max_grade")
    hand.counts(rows, "teae", 0, 1, 1, stat="any")
    hand.counts(rows, "CARDIAC DISORDERS", 0, 1, 1, stat="any")
    table = show("table_teae_by_max_grade", rows.build(), study, by_cohort=True)
    assert [name for _, name, _ in lines(table)].count("Cardiac disorders") == 2


def test_no_adverse_event_data_are_one_line(study):
    rows = hand.opened("safety.teae_by_max_grade")
    hand.absent(rows, "teae", "domain AE not given", stat="any")
    table = show("table_teae_by_max_grade", rows.build(), study)
    assert [name for _, name, _ in lines(table)] == ["Any treatment-emergent event – domain AE not given"]


def test_related_events(study):
    table = show("table_related_teae", hand.related(), study)
    assert [(depth, name) for depth, name, _ in lines(table)] == [
        (0, "Related to CAR-NK only"),
        (1, "grade 3 or higher"),
        (1, "Fatigue"),
        (2, "grade 3 or higher"),
        (0, "Related to both cell products – one product only"),
    ]
    assert lines(table)[3][2] == ["0/3", "1 (8.3%) [1]", "1 (6.7%) [1]"]


def test_events_by_period(study):
    table = show("table_teae_by_period", hand.periods(), study)
    assert stub(table, "Participants") == ["3", "12", "15"]
    assert stub(table, "Any event") == ["1/3 (33%) [2]", "6 (50.0%) [9]", "7 (46.7%) [11]"]
    assert stub(table, "Person-days") == ["30", "200", "230"]
    assert stub(table, "Events per 100 person-days") == ["6.67", "4.50", "4.78"]
    assert stub(table, "95% CI")[0] == "(0.81, 24.08)"
    assert lines(table)[-1] == (-1, "CAR-T cycle 2 – no second cycle", [])


def test_deaths(study):
    table = show("table_deaths", hand.deaths(), study)
    days = study.safety.death_window_days
    assert lines(table) == [
        (0, "Died", ["1/3 (33%)", "2 (16.7%)", "3 (20.0%)"]),
        (1, f"Within {days} days of the last infusion", ["0/3", "1 (8.3%)", "1 (6.7%)"]),
        (-1, "Cause", []),
        (1, "Disease progression", ["1/3 (33%)", "2 (16.7%)", "3 (20.0%)"]),
    ]


def test_participant_flow(study):
    shown = lines(show("table_participant_flow", hand.flow(), study))
    assert shown[:5] == [
        (0, "Screened", ["4", "14", "18"]),
        (0, "Screen failure", ["1", "2", "3"]),
        (1, "No consent", ["1", "2", "3"]),
        (0, "Enrolled", ["3", "12", "15"]),
        (0, "Leukapheresis and CAR-T product release – domain BE not given", ["NA"] * 3),
    ]
    assert (1, "CAR-NK infusion 1", ["3/3 (100%)", "12 (100%)", "15 (100%)"]) in shown
    assert (1, "Lost to follow-up", ["2/3 (67%)", "9 (75.0%)", "11 (73.3%)"]) in shown


def test_manufacturing_in_the_flow(study):
    rows = hand.opened("disposition.participant_flow")
    hand.counts(rows, "manufacture", 3, 11, 14, level="apheresis")
    hand.counts(rows, "manufacture", 0, 1, 1, level="failed")
    assert lines(show("table_participant_flow", rows.build(), study))[3:6] == [
        (-1, "Leukapheresis and CAR-T product release", []),
        (1, "Leukapheresis done", ["3/3 (100%)", "11 (91.7%)", "14 (93.3%)"]),
        (1, "CAR-T manufacturing failed", ["0/3", "1 (8.3%)", "1 (6.7%)"]),
    ]


def test_analysis_sets(study, arms):
    shown = lines(show("table_analysis_sets", hand.sets(), study))
    assert shown == [
        (0, "Full analysis set", ["3/3 (100%)", "11 (91.7%)", "14 (93.3%)"]),
        (1, "Excluded: No baseline tumour assessment", ["0/3", "1 (8.3%)", "1 (6.7%)"]),
        (0, "Biopsy set – no biopsy", ["NA", "NA", "NA"]),
    ]
    rows = hand.opened("disposition.analysis_sets")
    hand.counts(rows, "NK-SAF", 3, 12, 15)
    assert lines(show("table_analysis_sets", rows.build(), study))[0][1].startswith("NK safety set")
    assert lines(show("table_analysis_sets", rows.build(), arms))[0][1] == "Safety set (at least one dose)"


def test_decimals_of_a_measured_baseline_value(study):
    table = show("table_demography", hand.baseline(), study)
    assert lines(table) == [
        (-1, "Age, years", []),
        (1, "n", ["3", "12", "15"]),
        (1, "Mean (SD)", ["50.3 (5.00)", "61.1 (7.13)", "58.9 (8.01)"]),
        (1, "Median", ["50.0", "60.5", "59.0"]),
        (1, "Q1, Q3", ["48.0, 52.0", "55.3, 66.0", "52.0, 65.5"]),
        (1, "Minimum, maximum", ["45, 55", "44, 75", "44, 75"]),
        (-1, "Sex", []),
        (1, "Female", ["1/3 (33%)", "6 (50.0%)", "7 (46.7%)"]),
        (1, "Male", ["2/3 (67%)", "6 (50.0%)", "8 (53.3%)"]),
        (0, "ECOG performance status – domain QS not given", ["NA", "NA", "NA"]),
    ]


def test_one_participant_has_a_mean_and_no_standard_deviation(study):
    rows = hand.opened("baseline.demography", {TOTAL: 1})
    rows.add("n", 1, variable="AGE")
    for stat in ("mean", "median", "q1", "q3", "min", "max"):
        rows.add(stat, 61, variable="AGE")
    rows.add("sd", None, variable="AGE", status="NE", reason="one value")
    table = show("table_demography", rows.build(), study)
    assert stub(table, "Mean (SD)") == ["61.0 (NE)"] and stub(table, "Minimum, maximum") == ["61, 61"]


def test_an_empty_column_of_a_measured_value_says_it_once(study):
    rows = hand.opened("baseline.demography", {"DL1": 0, TOTAL: 0})
    for group in ("DL1", TOTAL):
        rows.add("n", 0, group=group, variable="AGE")
        for stat in ("mean", "sd", "median", "q1", "q3", "min", "max"):
            rows.add(stat, None, group=group, variable="AGE", status="NE", reason="no value")
    table = show("table_demography", rows.build(), study)
    assert [cells for _, _, cells in lines(table)] == [[], ["0", "0"], *[["NE", "NE"]] * 4]


def test_exposure(study):
    table = show("table_exposure", hand.exposure(), study)
    assert stub(table, "CAR-NK infusion") == ["3/3 (100%)", "12 (100%)", "15 (100%)"]
    assert stub(table, "within 10 % of the planned dose") == ["1/3 (33%)", "6 (50.0%)", "7 (46.7%)"]
    assert stub(table, "Cells per infusion")[1] == "12; 2.25e8 (1.50e7, 1.00e10)"
    assert stub(table, "Given : planned")[0] == "3; 1.00 (0.91, 1.13)"


def test_immune_toxicity(study):
    table = show("table_immune_toxicity", hand.immune(), study)
    assert stub(table, "Onset, days from the latest infusion") == [
        "1; 2 (1, 5)",
        "3; 2 (1, 5)",
        "4; 2 (1, 5)",
    ]
    assert stub(table, "Grade 1") == ["1/3 (33%)", "2 (16.7%)", "3 (20.0%)"]
    assert lines(table)[-1] == (0, "Vasopressor – domain CM not given", ["NA"] * 3)


def test_best_response_with_its_primary_and_other_reading(study):
    table = show("table_best_response", hand.best(), study)
    names = [name for _, name, _ in lines(table)]
    kind = "confirmed" if study.response.confirmation_required else "unconfirmed"
    assert names[0] == f"Best overall response, {kind} (primary)"
    assert f"Stable disease (SD), from {study.response.sd_min_weeks:g} weeks" in names
    assert stub(table, f"Objective response rate (CR + PR), {kind}") == [
        "1/3 (33%)",
        "2/12 (16.7%)",
        "3/15 (20.0%)",
    ]
    assert stub(table, "95% CI, %") == ["(0.8, 90.6)", "(2.1, 48.4)", "(4.3, 48.1)"]
    assert names.count("Died before any assessment") == 1
    assert stub(table, "Died before any assessment") == ["0", "2", "2"]
    assert stub(table, "Participants") == ["3", "10", "13"]
    below = dict(zip(names[1:], names, strict=False))
    assert below["Stable disease too early to count"] == "Not evaluable (NE)"
    assert below["Died before any assessment"] == "No assessment"


def test_no_tumour_data_are_one_line(study):
    rows = hand.opened("response.best_response")
    hand.absent(rows, "orr", "domain RS not given", stat="rate")
    assert len(lines(show("table_best_response", rows.build(), study))) == 1


@pytest.mark.parametrize("endpoint", ["PFS", "OS"])
def test_time_to_event(study, endpoint):
    table = show("table_time_to_event", hand.survival(endpoint), study, endpoint=endpoint)
    assert lines(table) == [
        (0, "Participants", ["1", "4"]),
        (0, "With event", ["0/1", "2/4 (50%)"]),
        (1, "Progression", ["–", "2/4 (50%)"]),
        (0, "Censored", ["1/1 (100%)", "2/4 (50%)"]),
        (1, "No event at the cut-off", ["–", "2/4 (50%)"]),
        (0, "Median, months", ["NE", "3.0"]),
        (1, "95% CI", ["(NE, NR)", "(1.0, NR)"]),
        (0, "Rate at 2 months, %", ["75.0", "75.0"]),
        (1, "95% CI", ["(12.8, 96.1)", "(12.8, 96.1)"]),
        (1, "At risk", ["0", "3"]),
    ]


def test_a_response_that_goes_on_has_a_plus(study):
    table = show("table_duration_of_response", hand.durations(), study)
    assert stub(table, "101-001") == ["4.3"] and stub(table, "101-002") == ["7.1+"]
    assert stub(table, "95% CI") == ["(1.5, NE)"]


def test_censoring(study):
    table = show("table_censoring_reasons", hand.censoring(), study)
    assert lines(table) == [
        (-1, "Progression-free survival", []),
        (1, "Censored", ["1/3 (33%)", "3 (25.0%)", "4 (26.7%)"]),
        (1, "Early censoring", ["1/3 (33%)", "0", "1 (6.7%)"]),
        (1, "Administrative censoring", ["0/3", "3 (25.0%)", "3 (20.0%)"]),
        (2, "No event at the cut-off", ["0/3", "3 (25.0%)", "3 (20.0%)"]),
        (1, "Other censoring", ["0/3", "0", "0"]),
        (0, "Overall survival – no date of death", ["NA", "NA", "NA"]),
        (0, "New anticancer therapy before progression", ["0/3", "1 (8.3%)", "1 (6.7%)"]),
        (0, "Progression or death after a gap – no visit schedule", ["NA", "NA", "NA"]),
    ]


def test_sensitivity_of_progression_free_survival(study):
    table = show("table_pfs_sensitivity", hand.sensitivity(), study)
    events, censored = "2: 2 progression", "2: 2 no event at the cut-off"
    rate = "75.0 (12.8, 96.1)"
    assert lines(table) == [
        (0, "S0", ["Primary (as planned)", "4", events, censored, "NE", rate, rate, "–"]),
        (
            0,
            "S1",
            ["Gap rule (as planned)", "4", events, censored, "NE", rate, rate, "no participant affected"],
        ),
        (0, "S2", ["Other evaluator (as planned)", "No other evaluator", *["–"] * 6]),
    ]
    assert table.orientation == "landscape"


def test_snapshot_and_its_files(study):
    table = show("table_snapshot", hand.snapshot(), study)
    assert lines(table) == [
        (0, "DM", ["21", "20", "1", "0", *["–"] * 5]),
        (1, "dm.csv", ["22", *["–"] * 7, "0123456789ab"]),
    ]
    assert table.rows[1].cells[-1].keys == ("data_quality.snapshot/total/dm/dm.csv/sha256",)
    assert table.align == ("left", *["right"] * 8, "left")


def test_checks_and_why_one_did_not_run(study):
    assert lines(show("table_checks", hand.checks(), study)) == [
        (0, "CHK-1", ["An event ends early.", "Warning", "AE", "2", "2", "Run"]),
        (0, "CHK-2", ["–", "Warning", "AE", "0", "0", "not run: no domain LB"]),
    ]


def test_findings_and_none(study):
    assert lines(show("table_findings", hand.findings(), study)) == [
        (0, "CHK-1", ["Stop", "AE", "2", "end before start", "101-001"])
    ]
    none = show("table_findings", hand.findings(any_found=False), study)
    assert lines(none) == [(0, "No finding", ["–", "–", "0", "–", "–"])]
    assert none.orientation == "landscape"


@pytest.mark.parametrize(
    "name", ["table_exposure", "table_immune_toxicity", "table_teae_summary", "table_disease"]
)
def test_a_result_of_nobody_has_its_heads_and_no_row(name, study):
    table = show(name, hand.opened("a.b", {"DL1": 0, TOTAL: 0}).build(), study)
    assert table.rows == () and table.header[0][1].text == "DL1 1.5e7\nN=0"
    assert table.text().splitlines()[1].endswith("Total N=0")


def test_a_long_term_is_kept_whole(study):
    rows = hand.opened("safety.teae_by_soc_pt", {TOTAL: 1})
    term = " ".join(["HYPERSENSITIVITY"] * 12)
    rows.add("n", 1, variable="IMMUNE", level=term, n=1, N=1)
    assert lines(show("table_teae_by_soc_pt", rows.build(), study))[0][1] == term[:1] + term[1:].lower()


def test_an_unknown_variable_is_printed_as_words(study):
    rows = Rows("safety.teae_summary", "New")
    rows.add("N", 1, variable="population", n=1)
    rows.add("n", 1, variable="new_kind_of_event", n=1, N=1)
    assert lines(show("table_teae_summary", rows.build(), study)) == [
        (0, "New kind of event", ["1/1 (100%)"])
    ]
