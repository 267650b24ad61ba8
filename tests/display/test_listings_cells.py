"""Listings, readings, laboratory, toxicity, infusions and sensitivity of hand-made Results; texts and their corners."""

from __future__ import annotations

import re

import pytest

from interim import display
from interim.display.absent import not_drawn
from interim.display.labels import column_label, participant_label, word
from interim.display.numbers import Numbers
from interim.display.rounding import count_text, decimal_text, percent_text, rate_text
from interim.display.text import sentence
from interim.errors import ReportError
from interim.result import TOTAL, ResultStore, Rows
from tests.display import results_by_hand as hand
from tests.display import results_of_chapters as chapter
from tests.display.test_tables_cells import lines, stub

CODE = re.compile(r"\b(?:nan|None|<NA>)\b")


def test_a_time_point(study):
    table = display.table_time_points(chapter.time_points(), study)
    cells = ["57", "Investigator", "PR", "–", "no", "PR", "–", "–", "PR", "yes", "R-1"]
    assert lines(table) == [(0, "101-001", cells)]
    assert table.orientation == "landscape" and len(table.keys) == 11


def test_a_derivation(study):
    table = display.table_derivations(chapter.derivations(), study)
    cells = ["PFS", "1", "85", "85", "Progression", "T-1", "RS 4", "NE"]
    assert lines(table) == [(0, "101-002", cells)] and len(table.keys) == 9


@pytest.mark.parametrize(
    ("make", "name", "words"),
    [
        (chapter.time_points, "table_time_points", "Domain RS not given"),
        (chapter.derivations, "table_derivations", "No record"),
    ],
)
def test_an_empty_listing_says_why(make, name, words, study):
    ((_, text, cells),) = lines(getattr(display, name)(make(0), study))
    assert text == words and set(cells) == {"–"}


def test_readings_and_those_that_cannot_be_evaluated(study):
    shown = lines(display.table_readings(chapter.tipping(), study))
    first, second, share = shown
    assert first[1:] == ("AMB-1 a", ["yes", "1/6", "–", "escalate", "DL2", "–", "3/12", "–", "–", "none"])
    assert second[2] == ["no", "not evaluable", *["–"] * 7, "no CTCAE grade"]
    assert share[1:] == ("Readings that flip", ["1/2", *["–"] * 9])


def test_register_of_ambiguities(study):
    table = display.table_ambiguities(chapter.tipping(), study)
    assert lines(table) == [
        (0, "AMB-1 Which event", ["Grade", "a", "–", "text", "PI"]),
        (1, "a", ["By grade", "–", "none", "–", "–"]),
        (0, "OP-3 Which event", ["Grade", "a", "–", "text", "PI"]),
    ]
    assert table.title.startswith("Register of protocol ambiguities") and not table.population


LISTINGS = [
    ("table_decision_log", "decision", "dose", "DL2"),
    ("table_conformance", "assignment", "assigned", "DL2"),
    ("table_dlt_details", "event", "term", "Nausea"),
    ("table_trigger_candidates", "event", "term", "Nausea"),
    ("table_rule_options", "option", "decision", "stay"),
    ("table_stopping_triggers", "trigger", "data", "1 of 6"),
]


@pytest.mark.parametrize(("name", "variable", "stat", "text"), LISTINGS)
def test_a_listing_of_one_of_none_and_of_what_is_absent(name, variable, stat, text, study):
    show = getattr(display, name)
    rows = Rows("escalation.x", "List", population="Treated")
    chapter.add(rows, TOTAL, variable, "1", **{stat: text})
    row = lines(show(rows.build(), study))[0]
    assert row[1] == "1" and row[2].count(text) == 1 and set(row[2]) == {text, "–"}
    none = lines(show(Rows("escalation.x", "List").build(), study))
    assert [(name_, set(cells)) for _, name_, cells in none] == [("None", {"–"})]
    gone = Rows("escalation.x", "List")
    gone.add("n", None, variable=variable, status="NA", reason="no escalation")
    absent = lines(show(gone.build(), study))
    assert absent[0][1] == "Not available: no escalation"
    late = Rows("escalation.x", "List")
    chapter.add(late, TOTAL, variable, "1", **{stat: ("NA", "open query")})
    assert "not evaluable" in lines(show(late.build(), study))[0][2]


def test_listed_participants_have_no_study_id(study):
    rows = Rows("escalation_events.dlt_details", "DLT")
    chapter.add(rows, TOTAL, "event", "1", participant=hand.PEOPLE[0])
    chapter.add(rows, TOTAL, "definition", "DLT 1", text="Grade 4 of any kind")
    table = display.table_dlt_details(rows.build(), study)
    assert lines(table)[0][2][0] == "101-001"
    assert "DLT 1: Grade 4 of any kind" in table.footnotes[0]


@pytest.mark.parametrize(
    ("name", "variable", "text"),
    [
        ("table_decision_log", "concordance", "Concordant decisions"),
        ("table_conformance", "match", "Match"),
    ],
)
def test_the_share_that_matches_stands_last(name, variable, text, study):
    rows = Rows("escalation_log.x", "Log")
    rows.add("rate", 0.75, variable=variable, n=3, N=4)
    table = getattr(display, name)(rows.build(), study)
    assert stub(table, text)[0] == "3/4 (75%)"
    assert table.rows[-1].cells[1].keys == (f"escalation_log.x/total/{variable}/-/rate",)
    gone = Rows("escalation_log.x", "Log")
    gone.add("rate", None, variable=variable, status="NA", reason="no decision")
    assert text not in [row[1] for row in lines(getattr(display, name)(gone.build(), study))]


def test_what_ended_the_phase(study):
    rows = Rows("escalation_stop.x", "Stop")
    chapter.add(rows, TOTAL, "outcome", ended_by="Enrolment cap", rp2d=("NA", "open"))
    shown = lines(display.table_stopping_triggers(rows.build(), study))
    assert [name for _, name, _ in shown] == ["None", "Trigger that ended Phase IA"]
    assert shown[-1][2] == ["–", "Enrolment cap", "–", "–"]


def test_open_facts_stand_behind_the_options(study):
    rows = Rows("escalation_log.sensitivity", "Options")
    chapter.add(rows, TOTAL, "open", "worst", decision="stay")
    chapter.add(rows, TOTAL, "option", "base", decision="escalate")
    names = [name for _, name, _ in lines(display.table_rule_options(rows.build(), study))]
    assert names == ["The rule of the study", "Open facts: worst case"]
    rows.add("n_toxic", 10.776, variable="option", level="base")
    shown = lines(display.table_rule_options(rows.build(), study))
    assert [cells[-1] for _, _, cells in shown] == ["10.78", "–"]


def test_agreement_of_the_scales(study):
    shown = lines(display.table_crs_concordance(chapter.concordance(), study))
    assert shown[0] == (-1, "Grades as reported, episodes", [])
    assert shown[2] == (1, "Grade 1", ["–", "2", *["–"] * 5])
    assert shown[6] == (1, "Grade 5", [*["–"] * 5, "1", "–"])
    assert [name for _, name, _ in shown[8:]] == [
        "Grades derived from signs and treatment, episodes – domain VS not given",
        "Reported against derived grade, CTCAE v5.0: Agree 2; Reported lower 1",
        "Episodes on different sides of the trigger grade: 1",
    ]


def test_whom_a_rule_changes(study):
    assert lines(display.table_sensitivity_changes(chapter.changes(), study)) == [
        (-1, "S1: Gap rule", []),
        (1, "101-002", ["85", "Progression", "57", "Missed assessments before the event"]),
    ]
    ((_, text, _),) = lines(display.table_sensitivity_changes(chapter.changes(False), study))
    assert text == "No participant affected"


def test_an_interval_censored_row_is_a_range(study):
    rows = hand.opened("sensitivity.pfs", {TOTAL: 4})
    chapter.add(rows, TOTAL, "S0 landmark", "2", rate=0.5, lower=0.25, upper=0.75)
    for row in ("S8", "S9"):
        chapter.add(rows, TOTAL, row, label="Intervals", why="As known", state="run")
        rows.add("n", 4, variable=row)
        rows.add("changed", 2, variable=row, n=2, N=4)
    chapter.add(rows, TOTAL, "S8", median_from=1.5, median_to=3.25)
    chapter.add(rows, TOTAL, "S8 landmark", "2", rate_from=0.5, rate_to=0.5)
    ne = ("NE", "few")
    chapter.add(rows, TOTAL, "S9", median=ne, lower=1.0, upper=("NR", "above"))
    s8, s9 = lines(display.table_pfs_sensitivity(rows.build(), study))
    assert s8[2][4:] == ["1.5 to 3.3", "50.0", "2/4 (50%)"]
    assert s9[2][4:] == ["NE (1.0, NR)", "–", "2/4 (50%)"]


def test_published_numbers_only_if_verified(study):
    table = display.table_benchmarks(chapter.benchmarks(), study)
    assert lines(table) == [(0, "Study A", ["Pretreated", "NA", "NA", "2.3", "NA"])]
    assert "NA: not verified." in table.footnotes


def test_strategy_of_an_estimand(study):
    rows = hand.opened("estimands.attributes", {TOTAL: 4})
    texts = ("objective", "population", "treatment", "endpoint", "events", "strategy")
    chapter.add(rows, TOTAL, "E1", **{text: text.upper() for text in texts})
    ((_, name, cells),) = lines(display.table_estimands(rows.build(), study))
    assert (name, cells) == ("E1", [*(text.upper() for text in texts), "–"])


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("table_time_points", chapter.time_points),
        ("table_derivations", chapter.derivations),
        ("table_readings", chapter.tipping),
        ("table_ambiguities", chapter.tipping),
        ("table_crs_concordance", chapter.concordance),
        ("table_sensitivity_changes", chapter.changes),
        ("table_benchmarks", chapter.benchmarks),
        ("table_immunogenicity", chapter.immunogenicity),
        ("table_benefit_risk", chapter.by_dose),
        ("table_designs", chapter.designs),
        ("table_exposure_by_dose", chapter.power_model),
    ],
)
def test_every_number_has_a_key_and_no_status_leaks(name, make, study):
    result = make()
    ids = set(result.frame["result_id"])
    held = [k for k, yes in enumerate(result.frame["value"].notna()) if yes]
    held = [k for k in held if not result.frame["variable"].iloc[k].startswith("population")]
    for place in [None, *held[::3]]:
        gone = {"value": float("nan"), "status": "NA", "reason": "by hand"}
        other = result if place is None else hand.changed(result, place, **gone)
        table = getattr(display, name)(other, study)
        assert not CODE.findall(table.text()) and set(table.keys) <= ids
    table = getattr(display, name)(result, study)
    loose = [
        cell for row in table.rows for cell in row.cells[1:] if cell.text[:1].isdigit() and not cell.keys
    ]
    assert not loose


@pytest.mark.parametrize(
    ("title", "population", "reason", "words"),
    [
        ("CAR-T levels", "NK safety set", "No sample", "CAR-T levels, NK safety set, N=3. Nothing to draw: no sample."),
        ("Best change", "Treated", "CRS grade absent", "best change, treated, N=3. Nothing to draw: CRS grade absent."),
        ("Rate (CR + PR)", "", "x", "rate (CR + PR), , N=3. Nothing to draw: x."),
    ],
)  # fmt: skip
def test_abbreviations_stay_as_they_are_in_a_sentence(title, population, reason, words, study):
    result = Rows("a.b", title, population=population)
    result.add("N", 3, variable="population", n=3)
    assert words in not_drawn(Numbers(result.build(), study), title=title, reason=reason).alt


@pytest.mark.parametrize(
    ("value", "digits", "half_up", "half_even"),
    [
        (0.5, 0, "1", "0"),
        (1.5, 0, "2", "2"),
        (-0.5, 0, "-1", "0"),
        (1.005, 2, "1.01", "1.00"),
        (0.1 + 0.2, 1, "0.3", "0.3"),
        (1e15 + 0.5, 0, "1000000000000000", "1000000000000000"),
        (-1e-20, 3, "0.000", "0.000"),
        (99.95, 1, "100.0", "100.0"),
        (2.5e-5, 5, "0.00003", "0.00002"),
    ],
)
def test_ties_noise_and_negative_nought(value, digits, half_up, half_even):
    assert decimal_text(value, digits=digits) == half_up
    assert decimal_text(value, digits=digits, mode="half_even") == half_even


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_never_printed(value):
    with pytest.raises(ReportError, match="must be finite"):
        decimal_text(value, digits=1)


@pytest.mark.parametrize(("x", "n"), [(1, 0), (-1, 5), (6, 5), (1.5, 5)])
def test_no_percentage_of_what_is_no_count(x, n):
    with pytest.raises(ReportError, match="whole numbers"):
        percent_text(x, n)


@pytest.mark.parametrize(
    ("x", "n", "count", "rate"),
    [(0, 0, "0", "0/0"), (9, 9, "9/9 (100%)", "9/9 (100%)"), (10, 11, "10 (90.9%)", "10/11 (90.9%)")],
)
def test_count_and_rate(x, n, count, rate):
    assert (count_text(x, n), rate_text(x, n)) == (count, rate)


@pytest.mark.parametrize(
    ("codes", "code", "text"),
    [
        ("terms", "", ""),
        ("bor_short", "NON-CR/NON-PD", "non-CR/non-PD"),
        ("lab_grade", "5", "Grade 5"),
        ("no such list", "A_B", "A b"),
        ("tte", "K-GAP", "Missed assessments before the event"),
    ],
)
def test_words_at_the_corners(codes, code, text):
    assert word(codes, code) == text


@pytest.mark.parametrize(
    ("subject", "label"),
    [
        ("SYN-101-001", "101-001"),
        ("SYN", "SYN"),
        ("OTHER-101-001", "OTHER-101-001"),
        ("SYNTH-101", "SYNTH-101"),
        ("", ""),
    ],
)
def test_label_of_a_participant(subject, label, study):
    assert participant_label(subject, study) == label


def test_label_of_a_column_that_is_no_cohort(study):
    assert column_label(TOTAL, study) == "Total" and column_label("Arm Z", study) == "Arm Z"


@pytest.fixture(scope="module")
def store():
    rows = Rows("a.b", "One")
    chapter.add(rows, TOTAL, "v", n=2, N=16, n_=2, rate=0.125, lower=0.0155, upper=("NR", "above"))
    chapter.add(rows, TOTAL, "w", text="in words", gone=("NE", "few"))
    chapter.add(rows, TOTAL, "none", rate=("NE", "few"), lower=("NE", "few"), upper=("NE", "few"))
    chapter.add(rows, TOTAL, "empty", rate=("NE", "NO_DATA"))
    chapter.add(rows, TOTAL, "nobody", n=0, N=0, rate=("NE", "NO_DATA"))
    chapter.add(rows, TOTAL, "one", n=1, N=1, rate=1.0)
    chapter.add(rows, TOTAL, "days", median=7.25, min=3.5, max=12.0, dose=2.5e6)
    chapter.add(rows, TOTAL, "no days", median=("NE", "few"), min=("NE", "few"), max=("NE", "few"))
    chapter.add(rows, TOTAL, "point", rate=0.5, lower=0.5, upper=0.5)
    return ResultStore({"a.b": rows.build()})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{a.b/Total/v//rate|x/n (%)}", "2/16 (12.5%)"),
        ("{a.b/Total/v//rate|n (%)}", "2 (12.5%)"),
        ("{a.b/Total/v//rate|%}", "12.5%"),
        ("{a.b/Total/v//rate|%0}", "13%"),
        ("{a.b/Total/v//rate|2}", "0.13"),
        ("{a.b/Total/v//rate|ci}", "1.6% to not reached"),
        ("{a.b/Total/none//rate|ci}", "not estimable"),
        ("{a.b/Total/point//rate|ci}", "50.0% to 50.0%"),
        ("{a.b/Total/w//text|text}", "in words"),
        ("{a.b/Total/w//gone|1}", "not estimable"),
        ("{a.b/Total/w//gone|reason}", "few"),
        ("{a.b/Total/empty//rate|reason}", "no data"),
        ("*All* of {a.b/Total/v//rate|N} in DL1", "All of 16 in DL1"),
    ],
)
def test_references_in_prose(template, text, store, study):
    paragraph = sentence(template, store, study)
    assert paragraph.text() == text and all(key.startswith("a.b/") for key in paragraph.keys)


@pytest.mark.rule("DISP-12", source="sentences by hand")
@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{a.b/Total/v//rate|n} {a.b/Total/v//rate|n?was|were} ill", "2 were ill"),
        ("{a.b/Total/one//rate|n} {a.b/Total/one//rate|n?was|were} ill", "1 was ill"),
        ("{a.b/Total/nobody//rate|n} {a.b/Total/nobody//rate|n?was|were} ill", "0 were ill"),
        ("of {a.b/Total/v//rate|N} {a.b/Total/v//rate|N?person|people}", "of 16 people"),
        ("of {a.b/Total/one//rate|N} {a.b/Total/one//rate|N?person|people}", "of 1 person"),
        ("{a.b/Total/nobody//rate|x/n}", "0/0"),
        ("{a.b/Total/nobody//rate|x/n (%)}", "0/0"),
        ("{a.b/Total/nobody//rate|%1}", "not estimable"),
        ("{a.b/Total/none//rate|x/n}", "not estimable"),
        ("{a.b/Total/days//median|1} ({a.b/Total/days//median|range0})", "7.3 (4 to 12)"),
        ("{a.b/Total/no days//median|range1}", "not estimable"),
        ("{a.b/Total/days//dose|large} cells", "2.5 million cells"),
    ],
)
def test_words_agree_with_their_numbers(template, text, store, study):
    assert sentence(template, store, study).text() == text


@pytest.mark.rule("DISP-12")
def test_the_word_that_agrees_is_no_number(store, study):
    paragraph = sentence("{a.b/Total/one//rate|n?person|people}", store, study)
    assert paragraph.keys == ()
    for typed in ("1 person|people", "person|2 people"):
        with pytest.raises(ReportError, match="a number is typed in prose"):
            [sentence(f"{{a.b/Total/{who}//rate|n?{typed}}}", store, study) for who in ("one", "v")]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{a.b/Total/days//median|range}", "unknown format"),
        ("{a.b/Total/days//median|range9}", "unknown format"),
        ("{a.b/Total/v//rate}", "needs a format"),
        ("{a.b/Total/v//rate|ci9}", "unknown format"),
        ("{a.b/Total/v//rate|x}", "unknown format"),
        ("{a.b/Total/v|n}", "a key has 5 parts"),
        ("{a.b/Total/v//none|n}", "no result"),
        ("{c.d/Total/v//n|n}", "no analysis"),
        ("{a.b/Total/w//text|n}", "the row has no such number"),
        ("{a.b/Total/v//rate|text}", "no whole number"),
        ("a loose { brace", "loose brace"),
        ("seen in 12 of them", "a number is typed in prose"),
    ],
)
def test_prose_that_is_refused(template, words, store, study):
    with pytest.raises(ReportError, match=words):
        sentence(template, store, study)
