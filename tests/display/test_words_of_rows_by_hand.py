"""Each row of the tables of safety, laboratory, time to event, iRECIST, regions and data quality: stub and cell by hand."""

from __future__ import annotations

import pytest

from interim import display
from interim.result import TOTAL, Rows
from tests.display import results_by_hand as hand
from tests.display.test_printed_counts_by_hand import column
from tests.display.test_tables_cells import lines, stub

TEAE = [
    ("teae", "Any treatment-emergent event"),
    ("grade_missing", "Grade missing"),
    ("grade3", "Grade 3 or higher"),
    ("grade5", "Grade 5"),
    ("related_nk", "Related to CAR-NK"),
    ("related_cart", "Related to CAR-T"),
    ("related_procedure", "Related to the hepatic-artery procedure"),
    ("related_lymphodepletion", "Related to lymphodepletion or bridging"),
    ("related_other", "Related to other causes"),
    ("serious", "Serious"),
    ("serious_related", "Serious and related to a cell product"),
    ("delay", "Leading to delay, reduction or omission of an infusion"),
    ("discontinuation", "Leading to discontinuation"),
    ("crs", "Cytokine release syndrome, any grade"),
    ("crs2", "Cytokine release syndrome, grade 2 or higher"),
    ("crs3", "Cytokine release syndrome, grade 3 or higher"),
    ("icans", "Neurotoxicity (ICANS), any grade"),
    ("aesi", "Event of special interest"),
    ("dlt", "Dose-limiting toxicity"),
]


@pytest.mark.parametrize(("variable", "text"), TEAE)
@pytest.mark.parametrize(
    ("n", "events", "cell"), [(3, 5, "3/9 (33%) [5]"), (0, 0, "0/9"), (9, 9, "9/9 (100%) [9]")]
)
def test_each_row_of_the_summary_of_events(study, variable, text, n, events, cell):
    rows = column("safety.teae_summary", variable, n, 9)
    rows.add("events", events, variable=variable, n=events)
    assert lines(display.table_teae_summary(rows.build(), study)) == [(0, text, [cell])]


@pytest.mark.parametrize(
    ("grade", "text"),
    [
        ("grade1", "Grade 1"),
        ("grade2", "Grade 2"),
        ("grade4", "Grade 4"),
        ("grade5", "Grade 5"),
        ("mild", "Mild"),
        ("moderate", "Moderate"),
        ("severe", "Severe"),
        ("missing", "Missing"),
        ("grade3_up", "Grade >= 3"),
    ],
)
def test_each_grade_is_a_column(study, grade, text):
    rows = hand.opened("safety.teae_by_max_grade", {TOTAL: 20})
    for stat, n in ((grade, 3), ("any", 11)):
        hand.counts(rows, "teae", n, stat=stat, sizes={TOTAL: 20})
    table = display.table_teae_by_max_grade(rows.build(), study)
    assert [head.text for head in table.header[0]] == [" ", text, "Any"]
    assert lines(table)[1] == (0, "Any treatment-emergent event", ["3 (15.0%)", "11 (55.0%)"])


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        ("related_nk", "Related to CAR-NK only"),
        ("related_cart", "Related to CAR-T only"),
        ("related_both", "Related to both cell products"),
        ("related_procedure", "Related to the hepatic-artery procedure"),
        ("related_lymphodepletion", "Related to lymphodepletion or bridging"),
    ],
)
@pytest.mark.parametrize(("severe", "more"), [(0, []), (2, [(1, "grade 3 or higher", ["2/8 (25%) [3]"])])])
def test_each_cause_and_its_severe_events(study, cause, text, severe, more):
    rows = column("safety_period.related_teae", cause, 5, 8)
    rows.add("events", 6, variable=cause, n=6)
    rows.add("n_grade3", severe, variable=cause, n=severe, N=8)
    rows.add("events_grade3", severe and 3, variable=cause, n=severe and 3)
    shown = lines(display.table_related_teae(rows.build(), study))
    assert shown == [(0, text, ["5/8 (63%) [6]"]), *more]


@pytest.mark.parametrize(
    ("phase", "head"),
    [
        ("NK", "From the first CAR-NK infusion to CAR-T"),
        ("CART_C1", "CAR-T cycle 1"),
        ("CART_C2", "CAR-T cycle 2"),
        ("POST", "After the treatment window"),
        ("PATCH", "Patch"),
    ],
)
@pytest.mark.parametrize(
    ("days", "rate", "limits", "cells"),
    [
        (200.0, 4.5, (2.06, 8.54), ["200", "4.50", "(2.06, 8.54)"]),
        (7.0, 0.0, (0.0, 52.699), ["7", "0.00", "(0.00, 52.70)"]),
        (0.0, None, (None, None), ["0", "NE", "NE"]),
    ],
)
def test_each_period_with_its_person_time(study, phase, head, days, rate, limits, cells):
    rows = hand.opened("safety_period.teae_by_period", {TOTAL: 9})
    rows.add("n", 4, variable=phase, level="reached", n=4, N=9)
    rows.add("n", 2, variable=phase, level="any", n=2, N=4)
    rows.add("events", 3, variable=phase, level="any", n=3)
    rows.add("days", days, variable=phase, level="any")
    for stat, number in (("rate", rate), ("lower", limits[0]), ("upper", limits[1])):
        more = {"status": "NE", "reason": "NO_DATA"} if number is None else {}
        rows.add(stat, number, variable=phase, level="any", **more)
    table = display.table_teae_by_period(rows.build(), study)
    assert lines(table) == [
        (-1, head, []),
        (1, "Participants", ["4"]),
        (1, "Person-days", [cells[0]]),
        (1, "Any event", ["2/4 (50%) [3]"]),
        (2, "Events per 100 person-days", [cells[1]]),
        (2, "95% CI", [cells[2]]),
    ]


@pytest.mark.parametrize(
    ("variable", "text", "depth"),
    [
        ("all", "Died", 0),
        ("early", "Within {} days of the last infusion", 1),
        ("late", "Later than {} days after the last infusion", 1),
        ("undated", "Date not known", 1),
    ],
)
@pytest.mark.parametrize("days", [28, 30, 90])
def test_deaths_name_their_window(study, variable, text, depth, days):
    safety = study.safety.model_copy(update={"death_window_days": days})
    table = display.table_deaths(
        column("safety_period.deaths", variable, 1, 7).build(), study.model_copy(update={"safety": safety})
    )
    assert lines(table) == [(depth, text.format(days), ["1/7 (14%)"])]


LIVER = [
    ("evaluable", "", "With both values after the first infusion", None),
    ("at", "5", "Peak ALT or AST, multiple of the upper limit", "> 5 x ULN"),
    ("at_base", "10", "Peak ALT or AST, multiple of the baseline", "> 10 x baseline"),
    ("bilirubin", "", "Peak bilirubin > 2 x ULN", None),
    ("bilirubin_base", "", "Peak bilirubin > 2 x baseline", None),
    ("hys", "", "Hy's law candidate", None),
    ("hys_base", "", "Hy's law candidate, adjusted for the baseline", None),
    ("hys_open", "", "Hy's law not decided: a value without upper limit", None),
    ("hys_base_open", "", "Adjusted for the baseline, not decided: a value without baseline or upper limit", None),
    ("hepatic_event", "biloma", "Emergent events of the liver and bile ducts", "Biloma"),
    ("hepatic_event", "cholangitis", "Emergent events of the liver and bile ducts", "Cholangitis"),
    ("hepatic_event", "infection", "Emergent events of the liver and bile ducts", "Liver abscess or other infection of the liver"),
    ("window", "4-14", "ALT or AST > 3 x ULN, days after the last hepatic-artery infusion", "4-14 days"),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "level", "head", "below"), LIVER)
def test_each_row_of_liver_injury(study, variable, level, head, below):
    rows = column("laboratory.hepatotoxicity", variable, 3, 11, level=level)
    shown = lines(display.table_hepatotoxicity(rows.build(), study))
    assert shown == (
        [(0, head, ["3 (27.3%)"])] if below is None else [(-1, head, []), (1, below, ["3 (27.3%)"])]
    )


PARAMETERS = [
    ("NEUT", "Neutrophils"),
    ("LYM", "Lymphocytes"),
    ("HGB", "Haemoglobin"),
    ("PLAT", "Platelets"),
    ("WBC", "Leukocytes"),
    ("ALP", "Alkaline phosphatase"),
    ("GGT", "Gamma-glutamyl transferase"),
    ("BILI", "Bilirubin"),
    ("ALB", "Albumin"),
    ("CREAT", "Creatinine"),
    ("CRP", "C-reactive protein"),
    ("FIBRINO", "Fibrinogen"),
    ("INR", "International normalised ratio"),
    ("K", "Potassium"),
    ("SODIUM", "Sodium"),
    ("URATE", "Urate"),
    ("GLUC", "Glucose"),
    ("CACR", "Corrected calcium"),
]


@pytest.mark.parametrize(("code", "text"), PARAMETERS)
def test_each_parameter_has_a_name_in_both_laboratory_tables(study, code, text):
    rows = Rows("laboratory.values_by_visit", "Values", population="Safety set")
    for stat, number in (("n", 1), ("median", 2.25), ("min", 2.25), ("max", 2.25)):
        rows.add(stat, number, variable=code, level="1 Day 0", unit="g/L", n=1)
    shown = lines(display.table_values_by_visit(rows.build(), study))
    assert shown == [
        (-1, f"{text}, g/L", []),
        (1, "Day 0", ["1", "–", "2.250 (2.25, 2.25)", "–", "–", "–"]),
    ]
    shift = Rows("laboratory.grade_shift", "Shift", population="Safety set")
    for stat, number in (("n", 4), ("without", 3), ("rise", 2), ("to_grade3", 1)):
        shift.add(stat, number, variable=f"{code} low", level="any", n=number, text="Term")
    head = f"{text}, low (Term): 4 with a result on treatment, 3 without; worse than at baseline 2, to grade 3 or higher 1"
    assert lines(display.table_grade_shift(shift.build(), study)) == [(-1, head, [])]


@pytest.mark.parametrize(
    ("base", "stub_text"),
    [
        ("0", "Grade 0"),
        ("1", "Grade 1"),
        ("2", "Grade 2"),
        ("3", "Grade 3"),
        ("4", "Grade 4"),
        ("not_graded", "Not graded"),
        ("missing", "Missing"),
    ],
)
@pytest.mark.parametrize(
    ("worst", "at"), [("0", 0), ("1", 1), ("2", 2), ("3", 3), ("4", 4), ("not_graded", 5)]
)
def test_each_shift_has_its_row_and_column(study, base, stub_text, worst, at):
    rows = Rows("laboratory.grade_shift", "Shift", population="Safety set")
    rows.add("n", 6, variable="ALT high", level="any", n=6, text="Term")
    rows.add(f"worst {worst}", 6, variable="ALT high", level=base, n=6)
    table = display.table_grade_shift(rows.build(), study)
    assert lines(table)[1:] == [(1, stub_text, ["6" if k == at else "–" for k in range(6)])]
    heads = ["Grade 0", "Grade 1", "Grade 2", "Grade 3", "Grade 4", "Not graded"]
    assert [head.text for head in table.header[0]] == ["Baseline grade", *heads]


def test_a_shift_stands_below_by_dose_where_the_dose_has_a_participant_of_that_baseline(study):
    rows = Rows("laboratory.grade_shift", "Shift", population="Safety set")
    for group, size in (("DL1", 2), ("DL2", 3), ("DL3", 1), ("Total", 6)):
        rows.add("N", size, group=group, variable="population", n=size, N=size)
    rows.add("n", 6, variable="ALT high", level="any", n=6, text="Term")
    for group, worst, x, size in (("Total", "2", 3, 6), ("DL1", "2", 2, 2), ("DL2", "2", 1, 3)):
        rows.add(f"worst {worst}", x, group=group, variable="ALT high", level="0", n=x, N=size)
    shown = lines(display.table_grade_shift(rows.build(), study))[1:]
    assert [(line[0], line[1], line[2][2]) for line in shown] == [
        (1, "Grade 0", "3/6 (50%)"),
        (2, "DL1 1.5e7", "2/2 (100%)"),
        (2, "DL2 3e7", "1/3 (33%)"),
    ]


EVENTS = [
    ("PFS", "event", "E-PD", "Progression"),
    ("PFS", "event", "E-DEATH", "Death"),
    ("PFS", "event", "E-CLIN", "Symptomatic deterioration"),
    ("PFS", "event", "E-NACT", "New anticancer therapy"),
    ("PFS", "censored", "K-CUT", "No event at the cut-off"),
    ("PFS", "censored", "K-END", "Left the study without event"),
    ("PFS", "censored", "K-NACT", "New anticancer therapy"),
    ("PFS", "censored", "K-GAP", "Missed assessments before the event"),
    ("PFS", "censored", "K-NOBASE", "No assessable disease at baseline"),
    ("PFS", "censored", "K-NOPOST", "No adequate assessment after baseline"),
    ("OS", "event", "E-DEATH", "Death"),
    ("OS", "censored", "K-ALIVE", "Last known alive"),
    ("OS", "censored", "K-OTHER", "Other"),
    ("OS", "censored", "Missing", "Reason not recorded"),
]


@pytest.mark.parametrize(("endpoint", "kind", "code", "text"), EVENTS)
def test_each_reason_of_time_to_event_stands_below_its_total(study, endpoint, kind, code, text):
    rows = hand.opened("survival.time_to_event", {TOTAL: 12})
    rows.add("n", 12, variable=endpoint, n=12, N=12)
    for stat, n in (("events", 5), ("censored", 7)):
        rows.add(stat, n, variable=endpoint, n=n, N=12)
    rows.add("n", 2, variable=f"{endpoint} {kind}", level=code, n=2, N=12)
    rows.add("median", 4.25, variable=endpoint)
    shown = lines(display.table_time_to_event(rows.build(), study, endpoint=endpoint))
    expected = [(0, "Participants", ["12"]), (0, "With event", ["5 (41.7%)"]), (0, "Censored", ["7 (58.3%)"])]
    expected.insert(2 if kind == "event" else 3, (1, text, ["2 (16.7%)"]))
    assert shown[:4] == expected
    assert shown[4:] == [(0, "Median, months", ["4.3"]), (1, "95% CI", ["–"])]


NE, NR, INF = ("NE", "few"), ("NR", "above"), ("INF", "none")


@pytest.mark.parametrize(
    ("median", "low", "high", "texts"),
    [
        (4.25, 1.15, 9.95, ["4.3", "(1.2, 10.0)"]),
        (4.24, 1.14, NR, ["4.2", "(1.1, NR)"]),
        (NR, 3.0, NR, ["NR", "(3.0, NR)"]),
        (NR, NR, NR, ["NR", "NR"]),
        (NE, NE, NE, ["NE", "NE"]),
        (12.0, 0.0, INF, ["12.0", "(0.0, no limit)"]),
        (0.04, 0.0, 0.05, ["0.0", "(0.0, 0.1)"]),
    ],
)
@pytest.mark.parametrize("endpoint", ["PFS", "OS"])
def test_medians_and_their_limits(study, endpoint, median, low, high, texts):
    rows = hand.opened("survival.time_to_event", {TOTAL: 12})
    for stat, number in (("median", median), ("lower", low), ("upper", high)):
        more = {"status": number[0], "reason": number[1]} if isinstance(number, tuple) else {}
        rows.add(stat, None if more else number, variable=endpoint, **more)
    table = display.table_time_to_event(rows.build(), study, endpoint=endpoint)
    assert [stub(table, "Median, months"), stub(table, "95% CI")] == [[texts[0]], [texts[1]]]


@pytest.mark.parametrize(
    ("one", "two", "text"),
    [
        ("PD", "iUPD", "PD to iUPD"),
        ("PD", "iCPD", "PD to iCPD"),
        ("PR", "iPR", "PR to iPR"),
        ("CR", "iCR", "CR to iCR"),
        ("SD", "iSD", "SD to iSD"),
        ("NON-CR/NON-PD", "NON-iCR/NON-iUPD", "non-CR/non-PD to non-iCR/non-iUPD"),
        ("MISSING", "MISSING", "no assessment to no assessment"),
        ("NE", "NE", "NE to NE"),
    ],
)
def test_each_shift_to_irecist_is_in_words(study, one, two, text):
    rows = column("response_criteria.irecist", "shift", 2, 9, level=f"{one} > {two}")
    shown = lines(display.table_irecist(rows.build(), study))
    assert shown[-1] == (1, text, ["2/9 (22%)"])
    assert shown[-2] == (-1, "Shift from RECIST 1.1 to iRECIST", [])


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("iCR", "Complete response (iCR)"),
        ("iPR", "Partial response (iPR)"),
        ("iSD", "Stable disease (iSD)"),
        ("NON-iCR/NON-iUPD", "Non-iCR/non-iUPD"),
        ("iCPD", "Confirmed progression (iCPD)"),
        ("iUPD", "Unconfirmed progression (iUPD)"),
        ("NE", "Not evaluable (NE)"),
        ("MISSING", "No assessment"),
    ],
)
def test_each_best_response_by_irecist_is_a_row(study, code, text):
    rows = column("response_criteria.irecist", "ibor", 4, 9, level=code)
    shown = lines(display.table_irecist(rows.build(), study))
    place = [name for _, name, _ in shown].index("Best overall response, iRECIST")
    assert shown[place + 1] == (1, text, ["4/9 (44%)"])


@pytest.mark.parametrize(
    ("severity", "word"), [("stop", "Stop"), ("warn", "Warning"), ("info", "Information")]
)
@pytest.mark.parametrize(
    ("state", "shown"), [("run", "Run"), ("not run: no RS", "not run: no RS"), ("off", "off")]
)
def test_each_check_with_its_state(study, severity, word, state, shown):
    rows = Rows("data_quality.checks", "Checks")
    for stat, text in (("severity", severity), ("state", state), ("domain", "TU"), ("finds", "Late.")):
        rows.add(stat, None, variable="TU-WINDOW", text=text)
    rows.add("hits", 3, variable="TU-WINDOW", n=3)
    rows.add("participants", 2, variable="TU-WINDOW", n=2)
    table = display.table_checks(rows.build(), study)
    assert lines(table) == [(0, "TU-WINDOW", ["Late.", word, "TU", "3", "2", shown])]


@pytest.mark.parametrize("digits", ["0123456789abcdef" * 4, "f" * 64, "a1" * 32])
def test_a_file_is_named_by_the_first_digits_of_its_hash(study, digits):
    rows = Rows("data_quality.snapshot", "Snapshot")
    for stat, n in (("records", 40), ("participants", 8), ("removed", 3), ("blanked", 1)):
        rows.add(stat, n, variable="AE", n=n)
    rows.add("file_records", 43, variable="AE", level="ae.csv", n=43)
    rows.add("sha256", None, variable="AE", level="ae.csv", text=digits)
    assert lines(display.table_snapshot(rows.build(), study)) == [
        (0, "AE", ["40", "8", "3", "1", *["–"] * 5]),
        (1, "ae.csv", ["43", *["–"] * 7, digits[:12]]),
    ]
