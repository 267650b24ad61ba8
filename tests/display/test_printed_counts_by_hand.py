"""Counts and amounts as they are printed in tables of infusions, toxicity, response and disposition, worked out by hand."""

from __future__ import annotations

import pytest

from interim import display
from interim.result import TOTAL, Rows
from tests.display import results_by_hand as hand
from tests.display.test_tables_cells import lines, stub

# Participants, size of the column, what is printed.
COUNTS = [
    (0, 1, "0/1"),
    (1, 1, "1/1 (100%)"),
    (1, 2, "1/2 (50%)"),
    (1, 3, "1/3 (33%)"),
    (2, 3, "2/3 (67%)"),
    (1, 4, "1/4 (25%)"),
    (3, 4, "3/4 (75%)"),
    (2, 5, "2/5 (40%)"),
    (1, 6, "1/6 (17%)"),
    (5, 6, "5/6 (83%)"),
    (3, 7, "3/7 (43%)"),
    (1, 8, "1/8 (13%)"),
    (3, 8, "3/8 (38%)"),
    (7, 8, "7/8 (88%)"),
    (4, 9, "4/9 (44%)"),
    (0, 10, "0"),
    (1, 10, "1 (10.0%)"),
    (10, 10, "10 (100%)"),
    (1, 12, "1 (8.3%)"),
    (5, 12, "5 (41.7%)"),
    (7, 12, "7 (58.3%)"),
    (11, 12, "11 (91.7%)"),
    (1, 16, "1 (6.3%)"),
    (3, 16, "3 (18.8%)"),
    (1, 40, "1 (2.5%)"),
    (39, 40, "39 (97.5%)"),
    (1, 80, "1 (1.3%)"),
    (1, 200, "1 (0.5%)"),
    (199, 200, "199 (99.5%)"),
]
SMALL = [case for case in COUNTS if case[1] < 10]


def column(analysis: str, variable: str, x: int, n: int, *, level: str = "") -> Rows:
    """Return a Result with one count in a column of size n."""
    rows = hand.opened(analysis, {TOTAL: n})
    hand.counts(rows, variable, x, level=level, sizes={TOTAL: n})
    return rows


@pytest.mark.parametrize(("x", "n", "text"), COUNTS)
def test_participants_with_an_infusion(study, x, n, text):
    table = display.table_exposure(column("infusions.nk", "phase", x, n, level="NK").build(), study)
    assert lines(table) == [(-1, "At least one infusion", []), (1, "CAR-NK infusion", [text])]


@pytest.mark.parametrize(("x", "n", "text"), COUNTS)
def test_participants_with_an_immune_toxicity(study, x, n, text):
    table = display.table_immune_toxicity(column("toxicity.crs", "any", x, n).build(), study)
    assert lines(table) == [(0, "With at least one event", [text])]
    assert [head.text for head in table.header[0]] == [" ", f"Total\nN={n}"]


@pytest.mark.parametrize(("x", "n", "text"), COUNTS)
def test_participants_of_a_set(study, x, n, text):
    table = display.table_analysis_sets(column("disposition.sets", "FAS", x, n).build(), study)
    assert lines(table) == [(0, "Full analysis set", [text])]


@pytest.mark.parametrize(("x", "n", "text"), COUNTS)
def test_participants_with_liver_injury(study, x, n, text):
    table = display.table_hepatotoxicity(column("laboratory.liver", "hys", x, n).build(), study)
    assert lines(table) == [(0, "Hy's law candidate", [text])]


@pytest.mark.parametrize(("x", "n", "text"), COUNTS)
def test_participants_of_a_level_at_baseline(study, x, n, text):
    table = display.table_demography(column("baseline.demography", "SEX", x, n, level="F").build(), study)
    assert lines(table)[-1] == (1, "Female", [text])


@pytest.mark.parametrize(("x", "n", "text"), COUNTS)
def test_participants_with_a_best_response(study, x, n, text):
    rows = column("response.best_response", "bor_confirmed", x, n, level="PR")
    table = display.table_best_response(rows.build(), study)
    assert stub(table, "Partial response (PR)") == [text]


@pytest.mark.parametrize(("x", "n", "text"), SMALL)
def test_a_small_rate_of_response_prints_as_its_count(study, x, n, text):
    rows = hand.opened("response.best_response", {TOTAL: n})
    rows.add("rate", x / n, variable="orr", n=x, N=n)
    table = display.table_best_response(rows.build(), study)
    assert stub(table, "Objective response rate (CR + PR), confirmed") == [text]


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.0, 0.4593, "(0.0, 45.9)"),
        (0.0084, 0.9057, "(0.8, 90.6)"),
        (0.025, 1.0, "(2.5, 100.0)"),
        (0.5407, 1.0, "(54.1, 100.0)"),
        (0.00045, 0.00055, "(0.0, 0.1)"),
        (0.0005, 0.9995, "(0.1, 100.0)"),
        (0.12345, 0.6789, "(12.3, 67.9)"),
        (0.1235, 0.6785, "(12.4, 67.9)"),
    ],
)
def test_limits_of_a_response_rate_in_percent(study, low, high, text):
    rows = hand.opened("response.best_response", {TOTAL: 9})
    rows.add("rate", 1 / 9, variable="orr", n=1, N=9)
    rows.add("lower", low, variable="orr", n=1, N=9)
    rows.add("upper", high, variable="orr", n=1, N=9)
    assert stub(display.table_best_response(rows.build(), study), "95% CI, %") == [text]


CATEGORIES = [
    ("CR", "Complete response (CR)"),
    ("PR", "Partial response (PR)"),
    ("SD", "Stable disease (SD), from {weeks} weeks"),
    ("NON-CR/NON-PD", "Non-CR/non-PD, from {weeks} weeks"),
    ("PD", "Progressive disease (PD)"),
    ("NE", "Not evaluable (NE)"),
    ("MISSING", "No assessment"),
]


@pytest.mark.parametrize(("code", "text"), CATEGORIES)
@pytest.mark.parametrize("kind", ["confirmed", "unconfirmed"])
def test_each_category_is_a_row_under_its_kind(study, kind, code, text):
    rows = column("response.best_response", f"bor_{kind}", 2, 5, level=code)
    shown = lines(display.table_best_response(rows.build(), study))
    names = [name for _, name, _ in shown]
    stub_ = text.format(weeks=f"{study.response.sd_min_weeks:g}")
    assert (1, stub_, ["2/5 (40%)"]) in shown
    heads = ["Best overall response, confirmed (primary)", "Best overall response, unconfirmed"]
    assert names.index(stub_) == names.index(heads[kind == "unconfirmed"]) + 1


@pytest.mark.parametrize(
    ("variable", "parent", "code", "text"),
    [
        ("ne_reason", "NE", "B-NE-EARLY", "Stable disease too early to count"),
        ("ne_reason", "NE", "B-NE-ALL", "All assessments not evaluable"),
        ("ne_reason", "NE", "C-NE", "No evaluable assessment that counts"),
        ("ne_reason", "NE", "Missing", "Reason not recorded"),
        ("missing_reason", "MISSING", "B-NE-DEATH", "Died before any assessment"),
        ("missing_reason", "MISSING", "B-MISSING", "No assessment"),
    ],
)
def test_each_reason_stands_below_its_category(study, variable, parent, code, text):
    rows = column("response.best_response", "bor_confirmed", 3, 5, level=parent)
    rows.add("n", 3, variable=variable, level=code, n=3)
    shown = lines(display.table_best_response(rows.build(), study))
    assert shown[2] == (2, text, ["3"])
    plain = column("response.best_response", "bor_unconfirmed", 3, 5, level=parent)
    plain.add("n", 3, variable=variable, level=code, n=3)
    other = lines(display.table_best_response(plain.build(), study))
    assert (2, text) not in [(depth, name) for depth, name, _ in other]


SETS = [
    ("ENR", "Enrolled"),
    ("NK-SAF", "NK safety set (at least one NK infusion)"),
    ("CART-SAF", "CAR-T safety set (at least one CAR-T infusion)"),
    ("DLT-EV", "DLT-evaluable set"),
    ("FAS", "Full analysis set"),
    ("RE", "Response-evaluable set"),
    ("RESP", "Responders"),
    ("PP", "Per-protocol set"),
    ("CK", "CAR-T kinetic set"),
    ("CK-NK", "NK kinetic set"),
    ("BX", "Biopsy set"),
]
EXCLUDED = [
    ("SCREEN-FAIL", "Screen failure"),
    ("NO-CONSENT", "No consent"),
    ("WITHDRAWN-BEFORE", "Withdrew before treatment"),
    ("NO-NK", "No NK infusion"),
    ("NO-TREATMENT", "Not treated"),
    ("NO-CART", "No CAR-T infusion"),
    ("NO-CART: MANUFACTURING", "No CAR-T infusion: Manufacturing"),
    ("NO-CART: PROGRESSIVE DISEASE", "No CAR-T infusion: Progressive disease"),
    ("PENDING", "DLT window still open"),
    ("NO-BASELINE", "No baseline tumour assessment"),
    ("NO-MEASURABLE", "No measurable disease at baseline"),
    ("NO-POST", "No evaluable assessment after baseline"),
    ("NO-RESPONSE", "No response"),
    ("OFF-STUDY-IN-WINDOW", "Left the study within the DLT window"),
    ("NOT-EVALUABLE", "Not evaluable"),
    ("MIN-INFUSIONS", "Too few infusions"),
    ("Missing", "Reason not recorded"),
    ("PHYSICIAN DECISION", "Physician decision"),
    ("Moved away", "Moved away"),
]


@pytest.mark.parametrize(("code", "text"), SETS)
def test_each_set_is_a_row_of_its_own(study, code, text):
    table = display.table_analysis_sets(column("disposition.sets", code, 4, 9).build(), study)
    assert lines(table) == [(0, text, ["4/9 (44%)"])]
    rows = hand.opened("disposition.sets", {TOTAL: 9})
    rows.add("n", None, variable=code, status="NA", reason="not derived")
    assert lines(display.table_analysis_sets(rows.build(), study)) == [(0, f"{text} – not derived", ["NA"])]


@pytest.mark.parametrize(("code", "text"), EXCLUDED)
def test_each_reason_for_exclusion_is_in_words(study, code, text):
    rows = column("disposition.sets", "FAS", 8, 9)
    hand.counts(rows, "FAS excluded", 1, level=code, sizes={TOTAL: 9})
    table = display.table_analysis_sets(rows.build(), study)
    assert lines(table) == [
        (0, "Full analysis set", ["8/9 (89%)"]),
        (1, f"Excluded: {text}", ["1/9 (11%)"]),
    ]


@pytest.mark.parametrize(
    ("variable", "level", "head", "text"),
    [
        ("infusion", "NK 1", "Infusions received", "CAR-NK infusion 1"),
        ("infusion", "NK 12", "Infusions received", "CAR-NK infusion 12"),
        ("infusion", "CART_C1 2", "Infusions received", "CAR-T cycle 1, infusion 2"),
        ("infusion", "CART_C2 1", "Infusions received", "CAR-T cycle 2, infusion 1"),
        ("infusion", "PATCH 3", "Infusions received", "Patch 3"),
        ("status", "ONGOING", "Status at the cut-off", "Ongoing in treatment or follow-up"),
        ("status", "COMPLETED", "Status at the cut-off", "Completed the study"),
        ("status", "DISCONTINUED", "Status at the cut-off", "Left the study"),
        ("discontinuation", "DEATH", "Reason for leaving the study", "Death"),
        ("discontinuation", "LOST TO FOLLOW-UP", "Reason for leaving the study", "Lost to follow-up"),
        ("discontinuation", "WITHDRAWAL BY SUBJECT", "Reason for leaving the study", "Withdrawal by subject"),
        ("discontinuation", "ADVERSE EVENT", "Reason for leaving the study", "Adverse event"),
        ("discontinuation", "Missing", "Reason for leaving the study", "Reason not recorded"),
    ],
)
def test_each_step_of_the_flow_is_in_words(study, variable, level, head, text):
    rows = column("disposition.participant_flow", variable, 5, 8, level=level)
    shown = lines(display.table_participant_flow(rows.build(), study))
    names = [name for _, name, _ in shown]
    place = names.index(head)
    assert shown[place + 1] == (1, text, ["5/8 (63%)"])
    assert names[:3] == ["Screened", "Screen failure", "Enrolled"]
    assert names[-2:] == ["Started a new anticancer therapy", "Died"]


@pytest.mark.parametrize(
    ("variable", "values", "text"),
    [
        ("cells", (1.5e7, 1e6, 2.25e8), "4; 1.50e7 (1.00e6, 2.25e8)"),
        ("cells", (1e10, 9.995e9, 1.234e11), "4; 1.00e10 (1.00e10, 1.23e11)"),
        ("cells", (1.125e8, 1.115e8, 1.135e8), "4; 1.13e8 (1.12e8, 1.14e8)"),
        ("cells", (0.0, 0.0, 5e5), "4; 0.00e0 (0.00e0, 5.00e5)"),
        ("cells_kg", (3e7, 2.85e7, 3.15e7), "4; 3.00e7 (2.85e7, 3.15e7)"),
        ("cells_total", (6e9, 1.5e9, 1.2e10), "4; 6.00e9 (1.50e9, 1.20e10)"),
        ("infusions", (4, 1, 6), "4; 4 (1, 6)"),
        ("infusions", (3.5, 1, 6), "4; 4 (1, 6)"),
        ("ratio_planned", (1.0, 0.905, 1.125), "4; 1.00 (0.91, 1.13)"),
        ("interval_to_cart", (10, 9, 15), "4; 10 (9, 15)"),
        ("interval_to_cart", (10.5, 9, 15), "4; 11 (9, 15)"),
    ],
)
def test_amounts_as_number_median_and_range(study, variable, values, text):
    rows = hand.opened("infusions.nk", {TOTAL: 4})
    hand.plain(rows, variable, 4, stat="n", sizes={TOTAL: 4})
    for stat, value in zip(("median", "min", "max"), values, strict=True):
        rows.add(stat, value, variable=variable)
    ((_, _, cells),) = lines(display.table_exposure(rows.build(), study))
    assert cells == [text]


@pytest.mark.parametrize(
    ("mode", "text"), [("half_up", "4; 1.13e8 (1.01e7, 2.03e9)"), ("half_even", "4; 1.12e8 (1.00e7, 2.02e9)")]
)
def test_amounts_are_rounded_by_the_mode_of_the_study(study, mode, text):
    rounding = study.rounding.model_copy(update={"mode": mode})
    rows = hand.opened("infusions.nk", {TOTAL: 4})
    hand.plain(rows, "cells", 4, stat="n", sizes={TOTAL: 4})
    for stat, value in (("median", 1.125e8), ("min", 1.005e7), ("max", 2.025e9)):
        rows.add(stat, value, variable="cells")
    table = display.table_exposure(rows.build(), study.model_copy(update={"rounding": rounding}))
    assert lines(table)[0][2] == [text]


@pytest.mark.parametrize(
    "variable", ["infusions", "cells", "cells_kg", "cells_total", "ratio_planned", "interval_to_cart"]
)
def test_no_amount_is_nought_and_one_without_range_its_status(study, variable):
    rows = hand.opened("infusions.nk", {"DL1": 0, TOTAL: 4})
    for group, n in (("DL1", 0), (TOTAL, 4)):
        rows.add("n", n, group=group, variable=variable, n=n)
    for stat in ("median", "min", "max"):
        rows.add(stat, None, group=TOTAL, variable=variable, status="NE", reason="NO_DATA")
    ((_, _, cells),) = lines(display.table_exposure(rows.build(), study))
    assert cells == ["n=0", "4; NE (NE, NE)"]


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("0.05", "within 5 % of the planned dose"),
        ("0.1", "within 10 % of the planned dose"),
        ("0.2", "within 20 % of the planned dose"),
        ("0.125", "within 12.5 % of the planned dose"),
    ],
)
def test_shares_of_the_planned_dose(study, level, text):
    rows = column("infusions.cart", "within_planned", 2, 3, level=level)
    assert lines(display.table_exposure(rows.build(), study))[1] == (1, text, ["2/3 (67%)"])


@pytest.mark.parametrize(
    ("variable", "level", "head", "text"),
    [
        ("astct", "1", "Highest grade, ASTCT", "Grade 1"),
        ("astct", "4", "Highest grade, ASTCT", "Grade 4"),
        ("astct", "missing", "Highest grade, ASTCT", "Missing"),
        ("ctcae", "2", "Highest grade, CTCAE v5.0", "Grade 2"),
        ("ctcae", "5", "Highest grade, CTCAE v5.0", "Grade 5"),
        ("phase", "NK", "Onset after", "CAR-NK infusion"),
        ("phase", "CART_C1", "Onset after", "CAR-T cycle 1, infusion"),
        ("phase", "CART_C2", "Onset after", "CAR-T cycle 2, infusion"),
    ],
)
def test_levels_of_immune_toxicity(study, variable, level, head, text):
    rows = column("toxicity.crs", variable, 2, 7, level=level)
    shown = lines(display.table_immune_toxicity(rows.build(), study))
    assert [name for _, name, _ in shown] == [head, text]
    assert shown[1] == (1, text, ["2/7 (29%)"])


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("onset", "Onset, days from the latest infusion"),
        ("duration", "Duration, days"),
        ("ice", "Lowest ICE score"),
    ],
)
@pytest.mark.parametrize(
    ("values", "cell"), [((2, 1, 5), "3; 2 (1, 5)"), ((2.5, 0, 10), "3; 3 (0, 10)"), ((0, 0, 0), "3; 0 (0, 0)")]
)  # fmt: skip
def test_days_and_scores_of_immune_toxicity(study, variable, text, values, cell):
    rows = hand.opened("toxicity.icans", {TOTAL: 7})
    hand.plain(rows, variable, 3, stat="n", sizes={TOTAL: 7})
    for stat, value in zip(("median", "min", "max"), values, strict=True):
        rows.add(stat, value, variable=variable)
    assert lines(display.table_immune_toxicity(rows.build(), study)) == [(0, text, [cell])]


def cross(variable: str, cells: dict[tuple[str, str], int]) -> Rows:
    rows = hand.opened("toxicity.crs_concordance", {TOTAL: 9})
    grades = ("0", "1", "2", "3", "4", "5", "missing")
    for line in grades:
        for place in grades:
            n = cells.get((line, place), 0)
            rows.add(f"astct {place}", n, variable=variable, level=line, n=n)
    return rows


@pytest.mark.parametrize(
    ("line", "place", "stub_text", "at"),
    [
        ("0", "0", "Grade 0", 0),
        ("1", "2", "Grade 1", 2),
        ("2", "1", "Grade 2", 1),
        ("3", "4", "Grade 3", 4),
        ("5", "5", "Grade 5", 5),
        ("4", "missing", "Grade 4", 6),
        ("missing", "3", "Missing", 3),
        ("missing", "missing", "Missing", 6),
    ],
)
@pytest.mark.parametrize("variable", ["reported", "derived"])
def test_each_pair_of_grades_has_its_place(study, variable, line, place, stub_text, at):
    table = display.table_crs_concordance(cross(variable, {(line, place): 8}).build(), study)
    assert lines(table)[0][1] == f"Grades {'as reported' if variable == 'reported' else 'derived from signs and treatment'}, episodes"  # fmt: skip
    for _, name, cells in lines(table)[1:]:
        assert cells == ["8" if name == stub_text and k == at else "0" for k in range(7)]


@pytest.mark.parametrize(
    ("scale", "head"),
    [
        ("direction_ctcae", "Reported against derived grade, CTCAE v5.0"),
        ("direction_astct", "Reported against derived grade, ASTCT"),
    ],
)
def test_directions_of_the_grades_are_one_line(study, scale, head):
    rows = cross("reported", {})
    directions = ("AGREE", "LOWER", "HIGHER", "UNREPORTED", "UNDOCUMENTED")
    for n, level in enumerate(directions, 1):
        rows.add("n", n, variable=scale, level=level, n=n)
    rows.add("n", 7, variable="trigger_differs", n=7)
    shown = [name for _, name, _ in lines(display.table_crs_concordance(rows.build(), study))]
    words = "Agree 1; Reported lower 2; Reported higher 3; Not reported 4; No assessment on record 5"
    assert shown[-2:] == [f"{head}: {words}", "Episodes on different sides of the trigger grade: 7"]
