"""Tables, listings and figures of response and time to event, of a study that can be counted by eye."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from interim import display
from interim.adam.model import Adam
from interim.analysis import (
    censoring,
    concordance,
    context,
    depth,
    estimands,
    regional,
    response_criteria,
    response_listing,
    sensitivity,
)
from interim.data.model import Sdtm
from interim.display.figure import Figure
from interim.display.table import Table
from interim.report.registry import footnotes_of, registry
from interim.result import Result
from tests.analysis.test_sensitivity import make_adam, make_sdtm
from tests.analysis.test_sensitivity import make_study as schedule_study
from tests.analysis.tumour_study import build

SHOWN = {
    "table_irecist": response_criteria.irecist,
    "table_depth": depth.summary,
    "table_regional": regional.responses,
    "table_evaluators": concordance.evaluators,
    "table_routes": concordance.routes,
    "table_contradictions": concordance.contradictions,
    "table_time_points": response_listing.time_points,
    "table_derivations": response_listing.derivations,
    "table_censoring_reasons": censoring.reasons,
    "table_pfs_sensitivity": sensitivity.pfs,
    "table_sensitivity_changes": sensitivity.pfs,
    "table_estimands": estimands.attributes,
    "table_benchmarks": context.benchmarks,
    "figure_spider": depth.spider,
}
DIGIT = re.compile(r"\d")


@pytest.fixture(scope="module")
def data():
    return build(reader=True)


@pytest.fixture(scope="module")
def answers(data) -> dict[str, Result]:
    return {name: question(data.adam, data.study) for name, question in SHOWN.items()}


def text(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def find(table: Table, stub: str) -> list[str]:
    (found,) = [cells for cells in text(table) if cells[0] == stub]
    return found


@pytest.mark.rule("DISP-04")
@pytest.mark.parametrize("name", SHOWN)
def test_every_number_leads_to_its_result(answers, data, name):
    shown = getattr(display, name)(answers[name], data.study)
    known = set(answers[name].frame["result_id"])
    assert shown.keys and set(shown.keys) <= known
    if isinstance(shown, Table):
        loose = [c.text for r in shown.rows for c in r.cells[1:] if DIGIT.search(c.text) and not c.keys]
        assert loose == []
    else:
        assert isinstance(shown, Figure)


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_to_show_says_why(data, name):
    bare = Adam({"ADSL": data.adam["ADSL"]}, data.study.cut)
    result = SHOWN[name](bare, data.study)
    shown = getattr(display, name)(result, data.study)
    words = " ".join(c.text for r in shown.rows for c in r.cells) if isinstance(shown, Table) else shown.alt
    if name in ("table_estimands", "table_benchmarks"):
        assert len(shown.rows) > 4
    elif name == "table_contradictions":
        assert "No contradiction" in words
    elif name == "table_sensitivity_changes":
        assert words.startswith("No participant affected")
    else:
        assert "ot available" in words, words


@pytest.mark.rule("RECIST-20")
def test_criteria_side_by_side(answers, data):
    table = display.table_irecist(answers["table_irecist"], data.study)
    assert find(table, "Unconfirmed progression (iUPD)")[-1] == "1/4 (25%)"
    assert find(table, "PD to iUPD")[-1] == "1/4 (25%)"
    assert find(table, "Objective response rate, iRECIST")[-1] == "1/4 (25%)"
    adrs = data.adam["ADRS"]
    plain = Adam({"ADSL": data.adam["ADSL"], "ADRS": adrs[adrs["PARCAT3"] != "iRECIST"]}, data.study.cut)
    table = display.table_irecist(response_criteria.irecist(plain, data.study), data.study)
    assert any("iRECIST – not available" in cells[0] for cells in text(table))


@pytest.mark.rule("RECIST-21")
def test_evaluators_and_their_pairs(answers, data):
    table = display.table_evaluators(answers["table_evaluators"], data.study)
    assert find(table, "Best overall response")[1:] == ["4/4 (100%)", "(39.8, 100.0)", "NE"]
    assert find(table, "Progression on the same day")[1] == "1/2 (50%)"
    adrs = data.adam["ADRS"].copy()
    reader = next(name for name in sorted(set(adrs["PARCAT2"])) if name != "INVESTIGATOR")
    mine = (adrs["PARCAT2"] == reader) & (adrs["USUBJID"] == "S1") & (adrs["PARAMCD"] == "CBOR")
    adrs.loc[mine, "AVALC"] = "SD"
    other = Adam({"ADSL": data.adam["ADSL"], "ADRS": adrs}, data.study.cut)
    table = display.table_evaluators(concordance.evaluators(other, data.study), data.study)
    assert find(table, "Discordant: S1")[1] == "PR and SD"


@pytest.mark.rule("RECIST-22")
def test_routes_and_contradictions(answers, data):
    table = display.table_routes(answers["table_routes"], data.study)
    assert [head.text for head in table.header[0]][1:] == [f"Reported {v}" for v in ("PR", "SD", "PD", "NE")]
    assert find(table, "Derived SD") == ["Derived SD", "1", "1", "–", "–"]
    assert find(table, "Agreement of all time points")[1] == "11/12 (91.7%)"
    assert table.footnotes[0] == "The endpoints of this report rest on the lesions."
    listed = display.table_contradictions(answers["table_contradictions"], data.study)
    assert text(listed)[0][:6] == ["S2", "84", "INVESTIGATOR", "RS-DERIV", "PR", "SD"]


@pytest.mark.rule("RECIST-18")
def test_regions_are_labelled_as_not_recist(answers, data):
    table = display.table_regional(answers["table_regional"], data.study)
    assert table.footnotes[0].startswith("Post-hoc definition, not RECIST")
    assert [cells[-1] for cells in text(table) if cells[0] == "With a target lesion"] == ["4", "2"]


@pytest.mark.rule("RECIST-23")
def test_depth_table(answers, data):
    table = display.table_depth(answers["table_depth"], data.study)
    assert [cells[-1] for cells in text(table) if cells[0] == "Lowest"] == ["1.4", "-46.7", "1.4"]
    assert find(table, "Fall of carcinoembryonic antigen by at least 30 %")[-1] == "1/3 (33%)"


@pytest.mark.rule("RECIST-25")
def test_listing_of_time_points(answers, data):
    table = display.table_time_points(answers["table_time_points"], data.study)
    first = text(table)[0]
    assert first[:11] == ["S1", "42", "Investigator", "PR", "NONE", "no", "PR", "PR", "iPR", "PR", "yes"]
    assert first[11].startswith("partial response [P-PR]; sum 90 mm against baseline 150 mm [T-PR]")
    assert not any(re.search(r"\d{4}-\d\d-\d\d", cell) for cells in text(table) for cell in cells)


@pytest.mark.rule("TTE-17")
def test_listing_of_derivations(answers, data):
    table = display.table_derivations(answers["table_derivations"], data.study)
    row = next(cells for cells in text(table) if cells[:2] == ["S4", "OS"])
    assert row[2:] == ["0", "150", "151", "Death", "OS/E-DEATH", "ADSL.DTHDT", "150"]


@pytest.fixture(scope="module")
def sensitive():
    study = schedule_study()
    return sensitivity.pfs(make_adam(study), study, make_sdtm()), study


@pytest.mark.rule("TTE-13")
def test_sensitivity_table(sensitive):
    table = display.table_pfs_sensitivity(*sensitive)
    assert [cells[0] for cells in text(table)][:4] == ["S0", "S1", "S2", "S3"]
    primary = find(table, "S0")
    assert primary[2:5] == [
        "10",
        "5: 1 death; 4 progression",
        "5: 3 no event at the cut-off; 2 new anticancer therapy",
    ]
    assert primary[8] == "–"
    assert find(table, "S1")[8] == "2 (20.0%)"
    assert " to " in find(table, "S8")[5]
    assert "immortal time" in " ".join(table.footnotes)


@pytest.mark.rule("TTE-13")
def test_a_row_that_changes_nobody_and_one_that_was_not_run(answers, data):
    table = display.table_pfs_sensitivity(answers["table_pfs_sensitivity"], data.study)
    assert find(table, "S1")[8] == "no participant affected"
    assert find(table, "S4")[2] == "Not run: no schedule of assessments (tte.schedule_weeks)"


@pytest.mark.rule("TTE-14")
def test_changes_before_and_after(sensitive):
    table = display.table_sensitivity_changes(*sensitive)
    rows = text(table)
    at = rows.index(["S2: New anticancer therapy is an event (composite)"])
    assert rows[at + 1] == ["B", "43", "New anticancer therapy", "61", "New anticancer therapy"]
    assert ["D", "151", "Death", "43", "Missed assessments before the event"] in rows


@pytest.mark.rule("TTE-16")
def test_censoring_table(sensitive):
    study = sensitive[1]
    table = display.table_censoring_reasons(censoring.reasons(make_adam(study), study), study)
    early = [cells[-1] for cells in text(table) if cells[0] == "Early censoring"]
    assert early == ["2 (20.0%)", "0"]
    assert find(table, "Progression or death after a gap")[-1] == "2 (20.0%)"
    assert "more than 98 days" in table.footnotes[0]


@pytest.mark.rule("TTE-18")
def test_published_context_and_estimands(answers, data):
    table = display.table_benchmarks(answers["table_benchmarks"], data.study)
    assert {cell for cells in text(table) for cell in cells[2:]} == {"NA"}
    assert table.footnotes[0].startswith("No comparison with this study")
    shown = display.table_estimands(answers["table_estimands"], data.study)
    assert [cells[0] for cells in text(shown)][:4] == ["DLT", "ORR", "PFS", "OS"]


@pytest.mark.rule("RECIST-24")
def test_spider_figure(answers, data):
    figure = display.figure_spider(answers["figure_spider"], data.study)
    assert (
        "one line per participant (n=3)" in figure.alt and "Participants with a new lesion: 1" in figure.alt
    )
    assert figure.svg == display.figure_spider(answers["figure_spider"], data.study).svg
    drawn = answers["figure_spider"].frame
    assert set(drawn.loc[drawn["variable"] == "sum", "result_id"]) <= set(figure.keys)


@pytest.mark.rule("RECIST-24")
def test_spider_marks_a_new_lesion_without_a_sum_on_that_day(data):
    adrs = data.adam["ADRS"].copy()
    new = (adrs["PARAMCD"] == "NEWLPROG") & (adrs["AVALC"] == "Y")
    adrs.loc[new, "ADT"] = adrs.loc[new, "ADT"] + pd.Timedelta(days=3)
    moved = Adam({**data.adam.datasets, "ADRS": adrs}, data.study.cut)
    figure = display.figure_spider(depth.spider(moved, data.study), data.study)
    assert "Participants with a new lesion: 1" in figure.alt


ROUTES = [
    ("auto", "derived from the lesions"),
    ("lesion", "derived from the lesions"),
    ("reported", "taken as reported (RS)"),
]


@pytest.mark.rule("RECIST-19")
@pytest.mark.parametrize(("route", "words"), ROUTES)
def test_every_table_of_responses_says_which_route(data, study, route, words):
    chosen = study.model_copy(update={"response": study.response.model_copy(update={"route": route})})
    families = ("response", "response_criteria", "depth", "sensitivity", "censoring", "response_listing")
    entries = [tlf for tlf in registry() if tlf.analysis.split(".")[0] in families]
    assert len(entries) >= 10
    for tlf in entries:
        assert any(words in note for note in footnotes_of(tlf, chosen, data.sdtm)), tlf.id


@pytest.mark.rule("RECIST-19")
def test_without_lesions_the_footnote_says_reported(data, study):
    reports_only = Sdtm({"RS": data.sdtm.domain("RS")}, cut=data.study.cut)
    tlf = next(entry for entry in registry() if entry.id == "T 14.2.2.1")
    assert any("taken as reported (RS)" in note for note in footnotes_of(tlf, study, reports_only))
