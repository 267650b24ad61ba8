"""One conformance suite over every table and figure, and the wording of single cells."""

from __future__ import annotations

import re

import pytest

from interim import display
from interim.display.figure import Figure
from interim.display.table import Table
from interim.errors import ReportError
from tests.display.conftest import answer_all

SHOWN = [
    ("table_participant_flow", "disposition.participant_flow", {}),
    ("table_analysis_sets", "disposition.analysis_sets", {}),
    ("table_demography", "baseline.demography", {}),
    ("table_disease", "baseline.disease", {}),
    ("table_dlt_by_dose", "escalation.dlt_by_dose", {}),
    ("table_teae_summary", "safety.teae_summary", {}),
    ("table_teae_by_soc_pt", "safety.teae_by_soc_pt", {}),
    ("table_teae_by_max_grade", "safety.teae_by_max_grade", {}),
    ("table_teae_by_max_grade", "safety.teae_by_max_grade", {"by_cohort": True}),
    ("table_best_response", "response.best_response", {}),
    ("figure_waterfall", "response.best_change", {}),
    ("figure_swimmer", "response.swimmer", {}),
    ("table_time_to_event", "survival.time_to_event", {"endpoint": "PFS"}),
    ("table_time_to_event", "survival.time_to_event", {"endpoint": "OS"}),
    ("table_duration_of_response", "duration.of_response", {}),
    ("figure_kaplan_meier", "survival.time_to_event", {"endpoint": "PFS"}),
    ("figure_kaplan_meier", "survival.time_to_event", {"endpoint": "OS"}),
    ("table_subgroup_registry", "subgroups.registry", {}),
    ("figure_forest", "subgroups.levels", {}),
    ("table_findings", "data_quality.findings", {}),
]
CODES = re.compile(
    r"\b(?:[A-Z]{2,}(?:FL|RS|GR|BL|CD|DT)|[a-z]+_[a-z_0-9]+|nan|None|CART_C\d|K-[A-Z]+|E-[A-Z]+|NO-[A-Z]+)\b"
)
DIGIT = re.compile(r"\d")


def name(entry) -> str:
    return entry[0] + "".join(f"-{value}" for value in entry[2].values())


def show(entry, store, study):
    function, analysis, options = entry
    return getattr(display, function)(store[analysis], study, **options)


@pytest.fixture(scope="session", params=SHOWN, ids=name)
def shown(request, store, study):
    return show(request.param, store, study)


def cells(table: Table):
    return [cell for row in table.rows for cell in row.cells]


@pytest.mark.rule("DISP-04")
def test_every_number_carries_its_result(shown, store):
    known = set(store.frame()["result_id"])
    keys = shown.keys
    assert keys and set(keys) <= known
    if isinstance(shown, Table):
        loose = [
            cell.text
            for row in shown.rows
            for cell in row.cells[1:]
            if DIGIT.search(cell.text) and not cell.keys
        ]
        assert loose == []


@pytest.mark.rule("DISP-05")
def test_no_code_where_a_reader_reads(shown):
    if isinstance(shown, Table):
        texts = (
            [cell.text for cell in cells(shown)]
            + [head.text for row in shown.header for head in row]
            + list(shown.footnotes)
        )
    else:
        texts = [shown.alt, *shown.footnotes, *re.findall(r"<!-- (.*?) -->", shown.svg)]
    found = {text: CODES.findall(text) for text in texts if CODES.search(text)}
    # Rule ids and file names are what the listing of findings is about.
    allowed = shown.title.startswith("Findings") or shown.title.startswith("Subgroup registry")
    assert allowed or found == {}


@pytest.mark.rule("DISP-04")
def test_no_cell_is_empty(shown):
    if isinstance(shown, Table):
        assert all(cell.text.strip() for cell in cells(shown))


@pytest.mark.rule("DISP-07")
def test_figures_are_described_and_repeat_to_the_byte(shown, request, store, study):
    if not isinstance(shown, Figure):
        return
    again = show(request.node.callspec.params["shown"], store, study)
    assert (again.svg, again.png, again.alt) == (shown.svg, shown.png, shown.alt)
    assert len(shown.alt) >= study.alt.min_chars["en"] and re.search(r"\d", shown.alt)
    assert shown.svg.lstrip().startswith(("<?xml", "<svg")) and "<text" not in shown.svg.split("<defs", 1)[0]


@pytest.mark.rule("DISP-06")
def test_columns_show_their_sizes(store, study):
    table = show(SHOWN[5], store, study)
    heads = [head.text for head in table.header[0]]
    assert heads[1].startswith("DL1 1.5e7") and heads[-1].startswith("Total") and "15" in heads[-1]
    assert any(
        "Participants whose assigned and actual dose level differ: 1 of 15" in note
        for note in table.footnotes
    )


def texts(table: Table) -> dict[str, list[str]]:
    """Return stub -> cells; of rows with the same stub the first."""
    rows = reversed(table.rows)
    return {row.cells[0].text.strip(): [cell.text for cell in row.cells[1:]] for row in rows}


@pytest.mark.rule("DISP-03")
def test_cells_of_the_response_table(store, study):
    rows = texts(show(SHOWN[9], store, study))
    assert [values[-1] for stub, values in rows.items() if values and "1/15 (6.7%)" in values[-1]]
    assert [values[-1] for stub, values in rows.items() if values and "2/15 (13.3%)" in values[-1]]


@pytest.mark.rule("DISP-04")
def test_cells_of_the_dlt_table(store, study):
    rows = texts(show(SHOWN[4], store, study))
    dlt = next(values for stub, values in rows.items() if stub.startswith("With at least one DLT"))
    assert dlt[:4] == ["0/1", "0/3", "1/6 (17%)", "0/3"]


@pytest.mark.rule("DISP-04")
def test_what_is_not_available_says_why(adam, study, make_adam):
    bare = answer_all(make_adam(ADAE=None, ADTR=None, ADRS=None, ADTTE=None, ADEX=None, ADSUB=None), study)
    for entry in SHOWN:
        item = show(entry, bare, study)
        words = item.text() if isinstance(item, Table) else " ".join([item.alt, *item.footnotes])
        if entry[1].split(".")[0] in ("safety", "response", "survival") and entry[0] != "figure_swimmer":
            assert "not available" in words.lower(), name(entry)


@pytest.mark.rule("DISP-04")
def test_arms_without_products_of_the_home_trial(adam, arms, make_adam):
    adsl = adam["ADSL"].assign(COHORT=["Pbo", "Hi"] * 10 + ["Pbo"], COHORTA=["Pbo", "Hi"] * 10 + ["Pbo"])
    other = make_adam(
        ADSL=adsl, ADEX=adam["ADEX"].assign(PRODUCT="PATCH"), ADAE=adam["ADAE"].drop(columns="AETOXGRN")
    )
    results = answer_all(other, arms)
    for entry in SHOWN:
        item = show(entry, results, arms)
        assert isinstance(item, (Table, Figure)), name(entry)


@pytest.mark.rule("DISP-04")
def test_unknown_display_is_an_error():
    with pytest.raises(AttributeError, match="it has"):
        _ = display.table_of_nothing


@pytest.mark.rule("DISP-08")
def test_numbers_in_prose(store, study):
    text = display.sentence(
        "Response in {response.best_response/Total/orr//rate|x/n (%)} of participants (interval {response.best_response/Total/orr//rate|ci}), "
        "among them {disposition.analysis_sets/Total/CART-SAF//n|n} with CAR-T at DL3; *exploratory*.",
        store,
        study,
    )
    assert text.text().startswith(
        "Response in 1/15 (6.7%) of participants (interval 0.2% to 31.9%), among them 13 with CAR-T at DL3"
    )
    assert [span.text for span in text.spans if span.emphasis] == ["exploratory"]
    assert len(text.keys) == 4


@pytest.mark.rule("DISP-08")
def test_a_number_that_does_not_exist_is_said_in_words(store, study):
    text = display.sentence("Median {survival.time_to_event/Total/OS//median|1} months.", store, study)
    assert text.text() == "Median not reached months."


@pytest.mark.rule("DISP-08")
@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("Response in 2 participants.", "typed"),
        ("{response.best_response/Total/orr//rate}", "needs a format"),
        ("{response.best_response/Total/orr//rate|percent}", "unknown format"),
        ("{response.best_response/Total/orr//rat|n}", "no result"),
        ("{response/orr|n}", "5 parts"),
        ("loose } brace", "loose brace"),
        ("{response.best_response/Total/orr//rate|ci9}", "unknown format"),
        ("{response.best_response/Total/orr//rate|text}", "no such number"),
    ],
)
def test_what_prose_may_not_hold(store, study, template, word):
    with pytest.raises(ReportError, match=word):
        display.sentence(template, store, study)
