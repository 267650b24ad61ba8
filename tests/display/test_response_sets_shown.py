"""Displays of response by set, follow-up, durations, regions and lesions, made from numbers written by hand."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_hex

from interim import display
from interim.display.style import GREY, PALETTE
from interim.result import TOTAL, Rows
from tests.display import results_by_hand as hand
from tests.display.sheets_of_figures import check_words, kept_sheets

NE, NR = "NE", "NR"


@pytest.fixture
def sheets(monkeypatch):
    return kept_sheets(monkeypatch, "waterfall", "regional_change", "survival", "absent")


def lines(table) -> list[tuple[int, str, list[str]]]:
    """Return indent, stub and cells of each row; a section has indent -1."""
    return [
        (
            -1 if row.kind == "section" else row.indent,
            row.cells[0].text,
            [cell.text for cell in row.cells[1:]],
        )
        for row in table.rows
    ]


def cells(table, stub: str, number: int = 0) -> list[str]:
    return [found for _, name, found in lines(table) if name == stub][number]


def add_numbers(rows: Rows, variable: str, *, group: str = TOTAL, level: str = "", **values) -> None:
    for stat, value in values.items():
        place = {"group": group, "variable": variable, "level": level}
        if isinstance(value, str) and value in (NE, NR):
            rows.add(stat, None, status=value, reason="EVENTS_LT_5" if value == NE else "NOT", **place)
        elif isinstance(value, str):
            rows.add(stat, None, text=value, **place)
        else:
            rows.add(stat, value, **place)


def by_set() -> Rows:
    rows = Rows("response_sets.denominators", "By set", population="Analysis sets")
    rows.add("N", 16, variable="population", n=16, N=16)
    for code, size, unknown, hit in (("FAS", 15, 2, 1), ("RE", 13, 0, 1)):
        rows.add("N", size, variable="set", level=code, n=size, N=size)
        label = {"FAS": "Full analysis set", "RE": "Response-evaluable set"}[code]
        rows.add("label", None, variable="set", level=code, text=label)
        rows.add("n", unknown, variable="not_evaluated", level=code, n=unknown, N=size)
        for name, extra in (("orr", 0), ("dcr", 5)):
            for suffix, x, n in (
                ("", hit + extra, size),
                ("_best", hit + extra + unknown, size),
                ("_known", hit + extra, size - unknown),
            ):
                place = {"variable": f"{name}{suffix}", "level": code, "n": x, "N": n}
                rows.add("rate", x / n, **place)
                rows.add("lower", 0.01, **place)
                rows.add("upper", 0.5, **place)
    return rows


@pytest.mark.rule("RECIST-32")
def test_a_column_per_set_and_three_readings_of_each_rate(study):
    table = display.table_response_by_set(by_set().build(), study)
    assert [head.text for head in table.header[0]] == [
        "Analysis set",
        "Full analysis set",
        "Response-evaluable set",
    ]
    assert lines(table)[:2] == [
        (0, "Participants", ["15", "13"]),
        (0, "Not evaluated (NE or no assessment)", ["2 (13.3%)", "0"]),
    ]
    assert [name for indent, name, _ in lines(table) if indent == -1] == [
        "Objective response rate (CR + PR)",
        "Disease control rate",
    ]
    stubs = {
        "Not evaluated is no response (primary)": (
            ["1/15 (6.7%)", "1/13 (7.7%)"],
            ["6/15 (40.0%)", "6/13 (46.2%)"],
        ),
        "Best case: not evaluated is response": (
            ["3/15 (20.0%)", "1/13 (7.7%)"],
            ["8/15 (53.3%)", "6/13 (46.2%)"],
        ),
        "Only those evaluated": (["1/13 (7.7%)", "1/13 (7.7%)"], ["6/13 (46.2%)", "6/13 (46.2%)"]),
    }
    for stub, (responses, control) in stubs.items():
        assert cells(table, stub) == responses
        assert cells(table, stub, 1) == control
    assert cells(table, "95% CI, %") == ["(1.0, 50.0)", "(1.0, 50.0)"]


def test_no_set_without_responses(study):
    rows = Rows("response_sets.denominators", "By set", population="Analysis sets")
    rows.add("rate", None, variable="orr", status="NA", reason="not available: no response dataset")
    table = display.table_response_by_set(rows.build(), study)
    assert lines(table) == [(0, "Not available: no response dataset", ["–"])]


def followed(potential: bool = True) -> Rows:
    rows = hand.opened("follow_up.length", {"DL1": 3, TOTAL: 3})
    for group in ("DL1", TOTAL):
        rows.add("n", 3, group=group, variable="FUP", n=3)
        rows.add("events", 2, group=group, variable="FUP", n=2, N=3)
        rows.add("censored", 1, group=group, variable="FUP", n=1, N=3)
        add_numbers(rows, "FUP", group=group, median=8.25, lower=2.04, upper=NR, min=1.96, max=10.0)
        if potential:
            for month, number in (("3", 3), ("6", 1)):
                place = {"group": group, "variable": "potential", "level": month}
                rows.add("n", number, n=number, N=3, **place)
    if not potential:
        rows.add("n", None, variable="potential", status="NA", reason="not available: no start dates")
    return rows


@pytest.mark.rule("TTE-22")
def test_follow_up_table(study):
    table = display.table_follow_up(followed().build(), study)
    assert [(name, found[-1:]) for _, name, found in lines(table)] == [
        ("Participants", ["3"]),
        ("Alive at the last contact", ["2/3 (67%)"]),
        ("Died", ["1/3 (33%)"]),
        ("Median, months", ["8.3"]),
        ("95% CI", ["(2.0, NR)"]),
        ("Shortest, months", ["2.0"]),
        ("Longest, months", ["10.0"]),
        ("Potential follow-up", []),
        ("At least 3 months", ["3/3 (100%)"]),
        ("At least 6 months", ["1/3 (33%)"]),
    ]
    assert table.footnotes[0].startswith("Reversed Kaplan-Meier")


@pytest.mark.rule("TTE-22")
def test_follow_up_table_says_what_is_missing(study):
    stubs = [name for _, name, _ in lines(display.table_follow_up(followed(potential=False).build(), study))]
    assert "Longest, months" in stubs
    rows = hand.opened("follow_up.length", {TOTAL: 3})
    rows.add("median", None, variable="FUP", status="NA", reason="not available: no times")
    ((_, stub, _),) = lines(display.table_follow_up(rows.build(), study))
    assert stub == "Follow-up – not available: no times"


def durations(*, events: int) -> Rows:
    rows = hand.opened("duration.of_response", {TOTAL: 2})
    few = events < 5
    for endpoint in ("DOR", "DDC"):
        rows.add("n", 6, variable=endpoint, n=6, N=6)
        rows.add("events", events, variable=endpoint, n=events, N=6)
        rows.add("censored", 6 - events, variable=endpoint, n=6 - events, N=6)
        more = {"lower": NE, "upper": NE} if few else {"lower": 1.5, "upper": NR}
        if few:
            rows.add("median", None, variable=endpoint, status="NE", reason="EVENTS_LT_5", n=6)
        else:
            rows.add("median", 3.0, variable=endpoint, n=6)
        add_numbers(rows, endpoint, min=1.04, max=4.46, min_ongoing="no", max_ongoing="yes", **more)
    if not few:
        add_numbers(rows, "DOR landmark", level="3", rate=0.5, lower=0.11, upper=0.8)
        rows.add("n_risk", 3, variable="DOR landmark", level="3")
        curve(rows)
    add_numbers(rows, "DDC value", level=hand.PEOPLE[0], months=4.46, ongoing="yes")
    return rows


def curve(rows: Rows) -> None:
    steps = ((1.0, 0.8, 0.3, 0.95, 0), (3.0, 0.5, 0.11, 0.8, 0), (4.5, 0.5, 0.11, 0.8, 1))
    for number, (time, surv, lower, upper, censored) in enumerate(steps, 1):
        add_numbers(
            rows,
            "DOR curve",
            level=f"step {number}",
            time=time,
            surv=surv,
            lower=lower,
            upper=upper,
            n_risk=6 - number,
            n_event=1 - censored,
            n_censor=censored,
        )
    for month, left, gone in ((0, 6, 0), (2, 5, 0), (4, 3, 0), (6, 0, 1)):
        rows.add("n_risk", left, variable="DOR risk", level=str(month))
        rows.add("n_censored", gone, variable="DOR risk", level=str(month))


@pytest.mark.rule("TTE-23")
@pytest.mark.parametrize(
    ("events", "median", "limits"),
    [(4, "NE", "NE"), (5, "3.0", "(1.5, NR)")],
)
def test_durations_with_few_and_with_many_events(study, events, median, limits):
    table = display.table_duration_of_response(durations(events=events).build(), study)
    assert [name for indent, name, _ in lines(table) if indent == -1][:2] == [
        "Duration of response",
        "Duration of disease control",
    ]
    for number in (0, 1):
        assert cells(table, "Range, months", number) == ["1.0 to 4.5+"]
        assert cells(table, "Median, months", number) == [median]
        assert cells(table, "95% CI", 0) == [limits]
    assert cells(table, "101-001") == ["4.5+"]
    landmarks = [found for _, name, found in lines(table) if name == "Rate at 3 months, %"]
    assert landmarks == ([["50.0"]] if events > 4 else [])


@pytest.mark.rule("TTE-23")
def test_a_curve_of_the_duration_of_response_with_its_landmark(study, sheets):
    shown = display.figure_kaplan_meier(durations(events=5).build(), study, endpoint="DOR")
    axes = sheets[-1].axes[0]
    assert axes.get_xlabel() == "Months from the first response"
    assert axes.get_ylabel() == "Share still in response"
    broken = [line for line in axes.lines if to_hex(line.get_color()).upper() == GREY.upper()]
    assert [list(map(float, line.get_xdata())) for line in broken] == [[3.0, 3.0], [0.0, 3.0]]
    assert [list(map(float, line.get_ydata())) for line in broken] == [[0.0, 0.5], [0.5, 0.5]]
    assert "months from the first response" in shown.alt and "rates at the landmarks" in shown.footnotes[0]


@pytest.mark.rule("TTE-23")
def test_too_few_durations_are_no_curve(study, sheets):
    shown = display.figure_kaplan_meier(durations(events=4).build(), study, endpoint="DOR")
    assert "too few events for a curve; the table lists every value" in shown.alt


def regions(*dots: tuple[str, str, float | str, float | str]) -> Rows:
    rows = hand.opened("regional_change.best_changes", {"DL1": 2, "DL2": 2, TOTAL: 4})
    for subject, group, liver, elsewhere in dots:
        for stat, number in (("liver", liver), ("extrahepatic", elsewhere)):
            place = {"group": group, "variable": "change", "level": subject}
            if isinstance(number, str):
                rows.add(stat, None, status="NE", reason=number, **place)
            else:
                rows.add(stat, number, **place)
    rows.add("n", len(dots), variable="summary", n=len(dots))
    return rows


@pytest.mark.rule("RECIST-33")
def test_a_dot_per_participant_with_both_regions(study, sheets):
    rows = regions(
        (hand.PEOPLE[0], "DL1", -50.0, -40.0),
        (hand.PEOPLE[1], "DL2", 12.0, -8.0),
        (hand.PEOPLE[2], "DL2", -5.0, "NO_TARGET"),
    )
    shown = display.figure_regional_change(rows.build(), study)
    axes = sheets[-1].axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [(float(d.get_xdata()[0]), float(d.get_ydata()[0])) for d in dots] == [
        (-50.0, -40.0),
        (12.0, -8.0),
    ]
    assert [text.get_text() for text in axes.texts] == ["101-001", "101-002"]
    assert axes.get_xlim() == axes.get_ylim()
    assert "(n=2)" in shown.alt and "Both smaller: 1; one smaller and the other not: 1." in shown.alt
    assert "Post-hoc sums by region, not RECIST" in shown.footnotes[0]
    assert "101-003 (lesions outside the liver: no target lesion)" in shown.footnotes[0]
    check_words(sheets[-1])


@pytest.mark.rule("RECIST-33")
def test_no_dot_is_a_sentence(study, sheets):
    shown = display.figure_regional_change(regions().build(), study)
    assert "no participant with target lesions in both regions" in shown.alt
    rows = hand.opened("regional_change.best_changes", {TOTAL: 4})
    rows.add("n", None, variable="summary", status="NA", reason="not available: no tumour measurements")
    assert "not available" in display.figure_regional_change(rows.build(), study).alt


def bars(marks: dict[str, dict[str, str]]) -> Rows:
    rows = hand.opened("response.best_change", {"DL1": 1, "DL2": 2, TOTAL: 3})
    for subject, group, number in (
        (hand.PEOPLE[0], "DL1", 25.0),
        (hand.PEOPLE[1], "DL2", -10.0),
        (hand.PEOPLE[2], "DL2", -42.5),
    ):
        texts = {"bor": "SD", **{name: found.get(subject, "-") for name, found in marks.items()}}
        add_numbers(rows, "best_change", group=group, level=subject, pchg=number, **texts)
    add_numbers(rows, "summary", median=-10.0, min=-42.5, max=25.0)
    return rows


@pytest.mark.rule("RECIST-35")
def test_bars_by_tumour_type_with_what_is_known_below(study, sheets):
    marks = {
        "tumour": {hand.PEOPLE[0]: "CRC", hand.PEOPLE[1]: "GASTRIC"},
        "new_lesion": {hand.PEOPLE[0]: "yes"},
        "ligand": {hand.PEOPLE[1]: "high", hand.PEOPLE[2]: "low"},
    }
    shown = display.figure_waterfall(bars(marks).build(), study)
    axes, strip = sheets[-1].axes
    fills = [to_hex(bar.get_facecolor()).upper() for bar in axes.patches]
    assert fills == [PALETTE[0], PALETTE[1], GREY.upper()]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "Colorectal (n=1)",
        "Gastric or gastro-oesophageal junction (n=1)",
        "Not known (n=1)",
    ]
    assert [text.get_text() for text in strip.texts] == [
        "Dose level",
        "DL1",
        "DL2",
        "",
        "New lesion",
        "new",
        "",
        "",
        "NKG2D ligand",
        "",
        "high",
        "low",
    ]
    assert "coloured by tumour type" in shown.alt and "New lesion: 1." in shown.alt
    check_words(sheets[-1])


@pytest.mark.rule("RECIST-35")
@pytest.mark.parametrize(
    ("marks", "rows"),
    [
        ({}, []),
        ({"new_lesion": {hand.PEOPLE[1]: "yes"}}, ["New lesion"]),
        ({"ligand": {hand.PEOPLE[1]: "low"}}, ["NKG2D ligand"]),
    ],
)
def test_bars_by_cohort_where_no_tumour_type_is_collected(study, sheets, marks, rows):
    shown = display.figure_waterfall(bars(marks).build(), study)
    axes, *strips = sheets[-1].axes
    assert "coloured by cohort" in shown.alt
    found = [text.get_text() for strip in strips for text in strip.texts]
    assert [name for name in found if name in ("Dose level", "New lesion", "NKG2D ligand")] == rows
    assert len({to_hex(bar.get_facecolor()) for bar in axes.patches}) == 2


TARGET = {
    "participant": "SYN-101-001",
    "evaluator": "INVESTIGATOR",
    "lesion": "T01",
    "site": "LIVER",
    "status": "L-TSTM",
    "complete": "no",
    "source": "TR 4, TR 5",
}


@pytest.mark.rule("RECIST-34")
@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        (
            {"day": 42, "mm": 5.0, "sum": 45.0, "pchg_base": -25.04, "pchg_nadir": 12.5},
            ["42", "5.0", "45.0", "-25.0", "12.5"],
        ),
        (
            {"day": -7, "mm": 12.34, "sum": 12.34, "pchg_base": NE, "pchg_nadir": NE},
            ["-7", "12.3", "12.3", "NE", "NE"],
        ),
        ({"day": 84, "mm": NE, "sum": NE, "pchg_base": NE, "pchg_nadir": NE}, ["84", "NE", "NE", "NE", "NE"]),
    ],
)
def test_a_line_of_the_listing_of_targets(study, numbers, shown):
    rows = hand.opened("lesion_listing.targets", {TOTAL: 1})
    add_numbers(rows, "record", level="SYN-101-001 1", **numbers, **TARGET)
    ((_, subject, found),) = lines(display.table_target_lesions(rows.build(), study))
    day, mm, total, base, nadir = shown
    assert [subject, *found] == [
        "101-001",
        "Investigator",
        "T01",
        "Liver",
        day,
        mm,
        "Too small to measure",
        total,
        "no",
        base,
        nadir,
        "TR 4, TR 5",
    ]


@pytest.mark.rule("RECIST-34")
@pytest.mark.parametrize(("site", "place"), [("LYMPH NODE, NECK", "Lymph node, neck"), ("-", "–")])
def test_a_line_of_the_listing_of_other_lesions(study, site, place):
    rows = hand.opened("lesion_listing.others", {TOTAL: 1})
    texts = {
        **TARGET,
        "lesion": "NEW01",
        "role": "new",
        "status": "UNEQUIVOCAL",
        "site": site,
        "source": "TU 9",
    }
    add_numbers(rows, "record", level="SYN-101-001 1", day=42, **texts)
    ((_, subject, found),) = lines(display.table_other_lesions(rows.build(), study))
    assert [subject, *found] == [
        "101-001",
        "Investigator",
        "NEW01",
        "new",
        place,
        "42",
        "Unequivocal",
        "TU 9",
    ]


@pytest.mark.rule("RECIST-34")
@pytest.mark.parametrize(
    ("state", "text"),
    [("NE", "Not evaluable"), ("UNEQUIVOCAL PROGRESSION", "Unequivocal progression"), ("ABSENT", "Absent")],
)
def test_the_status_of_another_lesion_in_words(study, state, text):
    rows = hand.opened("lesion_listing.others", {TOTAL: 1})
    for stat, said in {**TARGET, "role": "new", "status": state}.items():
        rows.add(stat, None, variable="record", level="SYN-101-001 1", text=said)
    ((_, _, found),) = lines(display.table_other_lesions(rows.build(), study))
    assert found[5] == text


@pytest.mark.rule("RECIST-34")
@pytest.mark.parametrize(
    ("reason", "text"),
    [("", "No record"), ("not available: no tumour measurements", "Not available: no tumour measurements")],
)
def test_an_empty_listing_says_why(study, reason, text):
    rows = hand.opened("lesion_listing.targets", {TOTAL: 1})
    if reason:
        rows.add("n", None, variable="records", status="NA", reason=reason)
    else:
        rows.add("n", 0, variable="records", n=0)
    for name in ("table_target_lesions", "table_other_lesions"):
        ((_, stub, found),) = lines(getattr(display, name)(rows.build(), study))
        assert stub == text and set(found) == {"–"}


@pytest.mark.rule("RECIST-36")
def test_the_shift_from_unconfirmed_to_confirmed(study):
    rows = hand.opened("response_criteria.irecist", {TOTAL: 4})
    rows.add("n", 4, variable="bor_unconfirmed", level="PR", n=4, N=4)
    add_numbers(rows, "orr_unconfirmed", rate=1.0, lower=0.4, upper=1.0)
    for level, number in (("PR > PR", 1), ("PR > SD", 3)):
        rows.add("n", number, variable="confirmation", level=level, n=number, N=4)
    add_numbers(rows, "orr_irecist", rate=1.0, lower=0.4, upper=1.0)
    table = display.table_irecist(rows.build(), study)
    assert cells(table, "PR to PR") == ["1/4 (25%)"]
    assert cells(table, "PR to SD") == ["3/4 (75%)"]
    assert (-1, "Shift from unconfirmed to confirmed", []) in lines(table)
    assert not any("Shift from RECIST" in name for _, name, _ in lines(table))
