"""Tables of response listings, regions, evaluators and routes, of hand-made Results."""

from __future__ import annotations

import pytest

from interim import display
from interim.result import TOTAL, Rows
from tests.display import results_by_hand as hand
from tests.display.test_tables_cells import lines, stub


def text_rows(rows: Rows, variable: str, level: str, **texts) -> None:
    for stat, text in texts.items():
        rows.add(stat, None, variable=variable, level=level, text=text)


def listing(analysis: str) -> Rows:
    rows = Rows(analysis, "Listing", population="All")
    rows.add("N", 2, variable="population", n=2)
    return rows


def test_response_in_regions(study):
    rows = hand.opened("response.regional")
    hand.plain(rows, "population_liver", 2, 8, 10, stat="N")
    for name in ("liver_orr", "liver_dcr"):
        hand.rates(rows, name)
    hand.absent(rows, "extrahepatic_orr", "no such lesion", stat="rate")
    for variable in ("both", "discordant_response", "discordant_progression"):
        hand.counts(rows, variable, 0, 1, 1)
    table = display.table_regional(rows.build(), study)
    assert stub(table, "With a target lesion") == ["2", "8", "10"]
    assert stub(table, "Objective response rate (CR + PR)") == ["1/3 (33%)", "2/12 (16.7%)", "3/15 (20.0%)"]
    assert stub(table, "Lesions outside the liver – no such lesion") == ["NA"] * 3
    assert stub(table, "Response in one region only") == ["0/3", "1 (8.3%)", "1 (6.7%)"]
    assert table.footnotes[0].startswith("Post-hoc definition, not RECIST")


def test_depth_of_response(study):
    rows = hand.opened("response.depth")
    hand.counts(rows, "depth", 3, 12, 15)
    for stat, value in (("median", -12.25), ("min", -100.0), ("max", 45.05)):
        hand.plain(rows, "depth", value, value, value, stat=stat)
    hand.absent(rows, "time_to_response", "no response", stat="median")
    hand.absent(rows, "time_to_nadir", "no date", stat="median")
    hand.rates(rows, "marker", "CEA")
    table = display.table_depth(rows.build(), study)
    assert stub(table, "Median") == ["-12.3"] * 3 and stub(table, "Lowest") == ["-100.0"] * 3
    assert stub(table, "Highest") == ["45.1"] * 3
    assert stub(table, "Time to response, months – no response") == ["NA"] * 3
    assert stub(table, "95% CI, %") == ["(0.8, 90.6)", "(2.1, 48.4)", "(4.3, 48.1)"]


def test_response_by_irecist(study):
    rows = hand.opened("response.irecist")
    for variable, level in (("bor_unconfirmed", "PR"), ("ibor", "iCPD"), ("shift", "PD > iUPD")):
        hand.counts(rows, variable, 1, 2, 3, level=level)
    for level in ("confirmed", "open"):
        hand.counts(rows, "irecist_pd", 0, 1, 1, level=level)
    for name in ("orr_unconfirmed", "orr_irecist"):
        hand.rates(rows, name)
    table = display.table_irecist(rows.build(), study)
    assert stub(table, "Confirmed progression (iCPD)") == ["1/3 (33%)", "2 (16.7%)", "3 (20.0%)"]
    assert stub(table, "PD to iUPD") == ["1/3 (33%)", "2 (16.7%)", "3 (20.0%)"]
    assert stub(table, "Unconfirmed at the last assessment (iUPD)") == ["0/3", "1 (8.3%)", "1 (6.7%)"]


def test_agreement_of_evaluators(study):
    rows = listing("response.evaluators")
    for variable in ("bor", "pd"):
        for stat, value in (("rate", 0.5), ("lower", 0.0126), ("upper", 0.9874)):
            rows.add(stat, value, variable=variable, level="READER 1", n=1, N=2)
    rows.add("kappa", 0.125, variable="bor", level="READER 1")
    rows.add("kappa", None, variable="pd", level="READER 1", status="NE", reason="one category")
    for name, n in (("earlier", 1), ("same", 0), ("later", 1)):
        rows.add("n", n, variable="pd_date", level=f"READER 1 {name}", n=n, N=2)
    level = f"READER 1 {hand.PEOPLE[0]}"
    text_rows(rows, "pair", level, participant=hand.PEOPLE[0], primary="PR", other="NON-CR/NON-PD")
    table = display.table_evaluators(rows.build(), study)
    assert lines(table)[1:] == [
        (1, "Best overall response", ["1/2 (50%)", "(1.3, 98.7)", "0.13"]),
        (1, "Progression, yes or no", ["1/2 (50%)", "(1.3, 98.7)", "NE"]),
        (1, "Progression earlier by reader 1", ["1/2 (50%)", "–", "–"]),
        (1, "Progression on the same day", ["0/2", "–", "–"]),
        (1, "Progression later by reader 1", ["1/2 (50%)", "–", "–"]),
        (2, "Discordant: 101-001", ["PR and non-CR/non-PD", "–", "–"]),
    ]


@pytest.mark.parametrize("name", ["table_evaluators", "table_routes"])
def test_one_evaluator_or_route_only(name, study):
    rows = listing("a.b")
    for variable in ("bor", "agreement"):
        rows.add("rate", None, variable=variable, status="NA", reason="one source only")
    table = getattr(display, name)(rows.build(), study)
    ((_, text, cells),) = lines(table)
    assert text == "One source only" and cells[0] == "NA" and set(cells[1:]) == {"–"}


@pytest.mark.parametrize("reported", [("PD",), ("PD", "PR"), ("PD", "PR", "SD")])
def test_derived_against_reported_response(reported, study):
    rows = listing("response.routes")
    for two in reported:
        rows.add("n", 1, variable="matrix", level=f"PD > {two}")
    for stat, value in (("rate", 0.5), ("lower", 0.0126), ("upper", 0.9874), ("kappa", 0.0)):
        rows.add(stat, value, variable="agreement", n=1, N=2)
    rows.add("name", None, variable="route", text="lesions")
    table = display.table_routes(rows.build(), study)
    assert stub(table, "Derived PD") == ["1"] * len(reported)
    heads = [f"Reported {name}" for name in ("PR", "SD", "PD") if name in reported]
    assert [head.text for head in table.header[0]] == ["Time points", *heads]
    assert stub(table, "Agreement of all time points")[0] == "1/2 (50%)"
    assert stub(table, "95% CI, %")[0] == "(1.3, 98.7)" and stub(table, "Kappa")[0] == "0.00"
    assert table.footnotes[0] == "The endpoints of this report rest on the lesions."


def test_contradictions(study):
    rows = listing("response.contradictions")
    rows.add("n", 1, variable="contradictions", n=1)
    text_rows(rows, "finding", "1", participant=hand.PEOPLE[1], rule="RS-TR", evaluator="Investigator",
              reported="PR", derived="SD", reason="sum not low enough")  # fmt: skip
    rows.add("day", None, variable="finding", level="1", status="NE", reason="NO_DATE")
    assert lines(display.table_contradictions(rows.build(), study)) == [
        (0, "101-002", ["NE", "Investigator", "RS-TR", "PR", "SD", "sum not low enough"])
    ]


@pytest.mark.parametrize(
    ("status", "reason", "text", "number"),
    [("OK", "", "No contradiction", "0"), ("NA", "rs not given", "Rs not given", "NA")],
)
def test_no_contradiction_or_no_way_to_know(status, reason, text, number, study):
    rows = listing("response.contradictions")
    rows.add(
        "n",
        None if reason else 0,
        variable="contradictions",
        n=None if reason else 0,
        status=status,
        reason=reason,
    )
    ((_, stub_text, cells),) = lines(display.table_contradictions(rows.build(), study))
    assert (stub_text, cells[0]) == (text, number)


def test_time_points_with_yes_no_and_nothing(study):
    rows = listing("response_listing.time_points")
    text_rows(rows, "point", "1", participant=hand.PEOPLE[0], evaluator="INVESTIGATOR", target="PR", nontarget="-",
              new="N", overall="PR", other="-", irecist="iPR", best="Y", used="Y", reason="sum 20 mm")  # fmt: skip
    rows.add("day", 57, variable="point", level="1")
    assert lines(display.table_time_points(rows.build(), study)) == [
        (0, "101-001", ["57", "Investigator", "PR", "–", "no", "PR", "–", "iPR", "yes", "yes", "sum 20 mm"])
    ]


def test_derivations_of_times(study):
    rows = listing("response_listing.derivations")
    text_rows(
        rows,
        "row",
        "1",
        participant=hand.PEOPLE[0],
        endpoint="PFS",
        reason="K-GAP",
        rule="TTE-05",
        source="RS 12",
    )
    for stat, value in (("start", 1), ("end", 85), ("days", 85), ("free", 140)):
        rows.add(stat, value, variable="row", level="1")
    assert lines(display.table_derivations(rows.build(), study)) == [
        (
            0,
            "101-001",
            ["PFS", "1", "85", "85", "Missed assessments before the event", "TTE-05", "RS 12", "140"],
        )
    ]


@pytest.mark.parametrize(
    ("name", "variable"), [("table_time_points", "points"), ("table_derivations", "rows")]
)
@pytest.mark.parametrize("reason", ["domain RS not given", ""])
def test_a_listing_without_a_record(name, variable, reason, study):
    rows = listing("a.b")
    rows.add("n", None if reason else 0, variable=variable, status="NA" if reason else "OK", reason=reason)
    table = getattr(display, name)(rows.build(), study)
    ((_, text, cells),) = lines(table)
    assert text == (reason.capitalize().replace("rs", "RS") if reason else "No record") and set(cells) == {
        "–"
    }


def test_grades_of_cytokine_release_against_each_other(study):
    rows = listing("toxicity.crs_concordance")
    for grade in ("0", "1", "2", "3", "4", "5", "missing"):
        for other in ("0", "1", "2", "3", "4", "5", "missing"):
            rows.add(f"astct {other}", int(grade == other == "2"), variable="reported", level=grade)
    rows.add("astct 1", None, variable="derived", level="1", status="NA", reason="no vital signs")
    for level, n in (("AGREE", 1), ("HIGHER", 0)):
        rows.add("n", n, variable="direction_ctcae", level=level)
    rows.add("n", 1, variable="trigger_differs")
    table = display.table_crs_concordance(rows.build(), study)
    assert stub(table, "Grade 2") == ["0", "0", "1", "0", "0", "0", "0"]
    names = [name for _, name, _ in lines(table)]
    assert "Grades derived from signs and treatment, episodes – no vital signs" in names
    assert names[-2].endswith(": Agree 1; Reported higher 0") and names[-1].endswith(": 1")
    assert all(row.cells[0].keys for row in table.rows[-2:])


def test_immunogenicity_and_total_only(study):
    rows = hand.opened("biomarkers.immunogenicity", {TOTAL: 1})
    rows.add("n", 1, variable="ada", level="Positive", n=1, N=1)
    rows.add("n", None, variable="nab", status="NA", reason="domain IS not given")
    table = display.table_immunogenicity(rows.build(), study)
    assert stub(table, "Positive") == ["1/1 (100%)"] and "domain IS not given" in lines(table)[-1][1]
