"""Tables of evaluators, routes, regions, depth, sensitivity and listings: each printed cell from numbers typed by hand."""

from __future__ import annotations

import pytest

from interim import display
from interim.result import TOTAL, Rows
from tests.display import results_by_hand as hand
from tests.display.results_of_chapters import add
from tests.display.test_tables_cells import lines, stub

NE, NR = ("NE", "few"), ("NR", "above")


def agreement(n: int, size: int, limits: tuple[object, object], kappa: object) -> Rows:
    """Return the agreement of the investigator with one other reader."""
    rows = hand.opened("concordance.evaluators", {TOTAL: size})
    for variable in ("bor", "pd"):
        rows.add("rate", n / size, variable=variable, level="READER 1", n=n, N=size)
        add(rows, TOTAL, variable, "READER 1", lower=limits[0], upper=limits[1], kappa=kappa)
    for place, name in enumerate(("earlier", "same", "later")):
        rows.add("n", place, variable="pd_date", level=f"READER 1 {name}", n=place, N=4)
    return rows


@pytest.mark.parametrize(
    ("n", "size", "limits", "kappa", "cells"),
    [
        (3, 4, (0.194, 0.9937), 0.5, ["3/4 (75%)", "(19.4, 99.4)", "0.50"]),
        (4, 4, (0.3976, 1.0), 1.0, ["4/4 (100%)", "(39.8, 100.0)", "1.00"]),
        (0, 5, (0.0, 0.5218), -0.25, ["0/5", "(0.0, 52.2)", "-0.25"]),
        (6, 8, (0.3491, 0.9681), 0.125, ["6/8 (75%)", "(34.9, 96.8)", "0.13"]),
        (11, 16, (0.4134, 0.8898), -0.004, ["11/16 (68.8%)", "(41.3, 89.0)", "0.00"]),
        (1, 1, (0.025, 1.0), NE, ["1/1 (100%)", "(2.5, 100.0)", "NE"]),
    ],
)
def test_agreement_of_two_readers(study, n, size, limits, kappa, cells):
    assert lines(display.table_evaluators(agreement(n, size, limits, kappa).build(), study)) == [
        (-1, "Investigator and reader 1", []),
        (1, "Best overall response", cells),
        (1, "Progression, yes or no", cells),
        (1, "Progression earlier by reader 1", ["0/4", "–", "–"]),
        (1, "Progression on the same day", ["1/4 (25%)", "–", "–"]),
        (1, "Progression later by reader 1", ["2/4 (50%)", "–", "–"]),
    ]


@pytest.mark.parametrize(
    ("one", "two", "text"),
    [
        ("PR", "SD", "PR and SD"),
        ("PD", "NON-CR/NON-PD", "PD and non-CR/non-PD"),
        ("MISSING", "NE", "no assessment and NE"),
        ("CR", "PR", "CR and PR"),
    ],
)
def test_a_discordant_pair_is_named(study, one, two, text):
    rows = agreement(3, 4, (0.2, 0.9), 0.5)
    level = f"READER 1 {hand.PEOPLE[0]}"
    add(rows, TOTAL, "pair", level, participant=hand.PEOPLE[0], primary=one, other=two)
    last = lines(display.table_evaluators(rows.build(), study))[-1]
    assert last == (2, "Discordant: 101-001", [text, "–", "–"])


@pytest.mark.parametrize(
    ("route", "source"), [("lesions", "the lesions"), ("reported", "the reported responses")]
)
@pytest.mark.parametrize(
    ("one", "two", "line", "head"),
    [
        ("PR", "SD", "Derived PR", "Reported SD"),
        ("SD", "PD", "Derived SD", "Reported PD"),
        ("MISSING", "NE", "Derived no assessment", "Reported NE"),
    ],
)
def test_derived_against_reported_time_points(study, route, source, one, two, line, head):
    rows = hand.opened("concordance.routes", {TOTAL: 9})
    rows.add("n", 5, variable="matrix", level=f"{one} > {two}", n=5)
    rows.add("rate", 0.5, variable="agreement", n=4, N=8)
    add(rows, TOTAL, "agreement", lower=0.1570, upper=0.8430, kappa=0.3333)
    rows.add("name", None, variable="route", text=route)
    table = display.table_routes(rows.build(), study)
    assert [cell.text for cell in table.header[0]] == ["Time points", head]
    assert lines(table) == [
        (0, line, ["5"]),
        (0, "Agreement of all time points", ["4/8 (50%)"]),
        (1, "95% CI, %", ["(15.7, 84.3)"]),
        (0, "Kappa", ["0.33"]),
    ]
    assert table.footnotes[0] == f"The endpoints of this report rest on {source}."


@pytest.mark.parametrize(
    ("region", "head"), [("liver", "Liver lesions"), ("extrahepatic", "Lesions outside the liver")]
)
@pytest.mark.parametrize(
    ("x", "n", "limits", "cells"),
    [
        (1, 4, (0.0063, 0.8059), ["1/4 (25%)", "(0.6, 80.6)"]),
        (0, 3, (0.0, 0.7076), ["0/3", "(0.0, 70.8)"]),
        (3, 12, (0.0549, 0.5719), ["3/12 (25.0%)", "(5.5, 57.2)"]),
        (2, 2, (0.1581, 1.0), ["2/2 (100%)", "(15.8, 100.0)"]),
    ],
)
def test_response_of_a_region(study, region, head, x, n, limits, cells):
    rows = hand.opened("regional.responses", {TOTAL: 12})
    rows.add("N", n, variable=f"population_{region}", n=n)
    for name in ("orr", "dcr"):
        rows.add("rate", x / n, variable=f"{region}_{name}", n=x, N=n)
        add(rows, TOTAL, f"{region}_{name}", lower=limits[0], upper=limits[1])
    shown = lines(display.table_regional(rows.build(), study))
    place = [name for _, name, _ in shown].index(head)
    assert shown[place : place + 6] == [
        (-1, head, []),
        (1, "With a target lesion", [f"{n}"]),
        (1, "Objective response rate (CR + PR)", [cells[0]]),
        (2, "95% CI, %", [cells[1]]),
        (1, "Disease control rate", [cells[0]]),
        (2, "95% CI, %", [cells[1]]),
    ]


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("time_to_response", "Time to response, months"),
        ("depth", "Best change of the sum of target diameters, %"),
        ("time_to_nadir", "Time to the lowest sum, months"),
    ],
)
@pytest.mark.parametrize(
    ("median", "low", "high", "cells"),
    [
        (1.38, 1.35, 2.76, ["1.4", "1.4", "2.8"]),
        (-30.05, -100.0, 22.5, ["-30.1", "-100.0", "22.5"]),
        (-0.04, -0.06, 0.0, ["0.0", "-0.1", "0.0"]),
        (NE, NE, NE, ["NE", "NE", "NE"]),
    ],
)
def test_depth_and_time_of_response(study, variable, text, median, low, high, cells):
    rows = hand.opened("depth.summary", {TOTAL: 8})
    rows.add("n", 3, variable=variable, n=3, N=8)
    add(rows, TOTAL, variable, median=median, min=low, max=high)
    shown = lines(display.table_depth(rows.build(), study))
    place = [name for _, name, _ in shown].index(text)
    assert shown[place + 1 : place + 5] == [
        (1, "Participants", ["3/8 (38%)"]),
        (1, "Median", [cells[0]]),
        (1, "Lowest", [cells[1]]),
        (1, "Highest", [cells[2]]),
    ]


@pytest.mark.parametrize(
    ("changed", "cell"),
    [(0, "no participant affected"), (1, "1/8 (13%)"), (4, "4/8 (50%)"), (8, "8/8 (100%)")],
)
@pytest.mark.parametrize(
    ("median", "limits", "middle"),
    [(4.25, (1.15, 9.95), "4.3 (1.2, 10.0)"), (4.0, (2.0, NR), "4.0 (2.0, NR)"), (NR, (NR, NR), "NR"), (NE, (NE, NE), "NE")],
)  # fmt: skip
def test_a_row_of_the_sensitivity_table(study, changed, cell, median, limits, middle):
    rows = hand.opened("sensitivity.pfs", {TOTAL: 8})
    add(rows, TOTAL, "S3", label="Gap rule", why="Missed assessments", state="run")
    for stat, n in (("n", 8), ("events", 5), ("censored", 3), ("changed", changed)):
        rows.add(stat, n, variable="S3", n=n, N=8)
    for stat, code, n in (("event", "E-PD", 4), ("event", "E-DEATH", 1), ("censoring", "K-GAP", 3)):
        rows.add(stat, n, variable="S3", level=code, n=n)
    add(rows, TOTAL, "S3", median=median, lower=limits[0], upper=limits[1])
    ((_, name, cells),) = lines(display.table_pfs_sensitivity(rows.build(), study))
    assert (name, cells[0], cells[1]) == ("S3", "Gap rule (missed assessments)", "8")
    assert cells[2:4] == ["5: 4 progression; 1 death", "3: 3 missed assessments before the event"]
    assert (cells[4], cells[-1]) == (middle, cell)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("E-PD", "K-GAP", ("Progression", "Missed assessments before the event")),
        ("K-NACT", "E-NACT", ("New anticancer therapy", "New anticancer therapy")),
        ("K-CUT", "E-CLIN", ("No event at the cut-off", "Symptomatic deterioration")),
        ("E-DEATH", "K-END", ("Death", "Left the study without event")),
    ],
)
def test_before_and_after_a_rule(study, before, after, words):
    rows = hand.opened("sensitivity.pfs", {TOTAL: 4})
    add(rows, TOTAL, "S1", label="Gap rule", state="run")
    days = {"day_before": 85, "day_after": 57, "reason_before": before, "reason_after": after}
    add(rows, TOTAL, "S1 change", hand.PEOPLE[1], **days)
    assert lines(display.table_sensitivity_changes(rows.build(), study)) == [
        (-1, "S1: Gap rule", []),
        (1, "101-002", ["85", words[0], "57", words[1]]),
    ]


@pytest.mark.parametrize(
    ("months", "ongoing", "text"),
    [(8.51, "yes", "8.5+"), (8.55, "no", "8.6"), (0.0, "yes", "0.0+"), (12.0, "no", "12.0")],
)
def test_each_duration_of_response(study, months, ongoing, text):
    rows = hand.opened("duration.of_response", {TOTAL: 1})
    add(rows, TOTAL, "value", hand.PEOPLE[2], months=months, ongoing=ongoing)
    shown = display.table_duration_of_response(rows.build(), study)
    assert stub(shown, "101-003") == [text]
