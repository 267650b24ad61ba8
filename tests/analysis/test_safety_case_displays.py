"""Tables, listings, figures and narratives of the hand-made safety case: what a reader sees."""

from __future__ import annotations

import re

import pytest

from interim.analysis import conduct, conduct_listing, courses, patient, safety_listing, special_interest
from interim.display.by_dose import table_by_dose
from interim.display.conduct_figures import figure_calendar, figure_doses
from interim.display.courses import (
    figure_first_release,
    figure_related_terms,
    figure_release_timeline,
    figure_trajectories,
    wide_rows,
)
from interim.display.flow import figure_flow
from interim.display.gallery import Gallery
from interim.display.listing import table_listing
from interim.display.patient import figures_profile, grade_colour, story_narratives
from interim.display.text import Paragraph, Span
from interim.errors import ReportError
from interim.result import Rows
from tests.analysis import safety_case as case
from tests.display.sheets_of_figures import kept_sheets


def lines(table):
    """Return the printed rows of a table."""
    return [tuple(cell.text for cell in row.cells) for row in table.rows]


@pytest.fixture(scope="module")
def adam():
    return case.adam()


@pytest.mark.rule("DISP-20", source="written by hand")
def test_a_table_by_dose_shows_counts_spreads_levels_and_sections(adam, study):
    table = table_by_dose(conduct.maturity(adam, study), study)
    assert [head.text.replace("\n", " ") for head in table.header[0]] == [
        " ",
        "DL1 1.5e7 N=1",
        "DL2 3e7 N=3",
        "DL3 5e7 N=0",
        "DL4 7e7 N=0",
        "NK only N=1",
        "Total N=5",
    ]
    whole, none = "1/1 (100%)", "0"
    assert lines(table) == [
        (
            "Days from the first infusion to the cut-off",
            "1; 180 (180, 180)",
            "2; 135 (121, 149)",
            "n=0",
            "n=0",
            "1; 90 (90, 90)",
            "4; 135 (90, 180)",
        ),
        ("First infusion at least before the cut-off",),
        ("28 days", whole, "2/3 (67%)", none, none, whole, "4/5 (80%)"),
        ("60 days", whole, "2/3 (67%)", none, none, whole, "4/5 (80%)"),
        ("120 days", whole, "2/3 (67%)", none, none, "0/1", "3/5 (60%)"),
        ("180 days", whole, "0/3", none, none, "0/1", "1/5 (20%)"),
        (
            "Days from the first infusion to death, end of study or cut-off",
            "1; 180 (180, 180)",
            "2; 91 (60, 121)",
            "n=0",
            "n=0",
            "1; 90 (90, 90)",
            "4; 106 (60, 180)",
        ),
        ("DLT window complete and evaluable", whole, "2/3 (67%)", none, none, "0/1", "3/5 (60%)"),
        ("At least one tumour assessment after baseline", whole, "1/3 (33%)", none, none, "0/1", "2/5 (40%)"),
        ("Still on study", whole, "1/3 (33%)", none, none, whole, "3/5 (60%)"),
    ]


@pytest.mark.rule("DISP-20", source="written by hand")
def test_events_intervals_and_the_limit_of_none_observed(adam, study):
    found = dict(
        (line[0], line[1:]) for line in lines(table_by_dose(special_interest.overview(adam, study), study))
    )
    assert found["Cytokine release syndrome"] == (
        "1/1 (100%) [1]",
        "0/2",
        "0",
        "0",
        "0/1",
        "1/4 (25%) [1]",
    )
    table = lines(table_by_dose(special_interest.overview(adam, study), study))
    place = next(n for n, line in enumerate(table) if line[0] == "Graft-versus-host disease")
    assert table[place + 1] == ("95% CI", "–", "–", "–", "–", "–", "(0.0, 60.2)")
    assert table[place + 2] == ("95% one-sided upper limit, %", "–", "–", "–", "–", "–", "52.7")
    place = next(n for n, line in enumerate(table) if line[0] == "Cytokine release syndrome")
    assert table[place + 1] == ("95% CI", "–", "–", "–", "–", "–", "(0.6, 80.6)")


@pytest.mark.rule("DISP-20", source="written by hand")
def test_columns_of_a_table_can_be_products(adam, study):
    table = table_by_dose(conduct.attributes(adam, study, case.sdtm()), study)
    assert [head.text.replace("\n", " ") for head in table.header[0]] == [
        " ",
        "CAR-NK Cord blood N=0",
        "CAR-NK Autologous N=0",
        "CAR-NK Source not recorded N=4",
        "CAR-T DL1 1.5e7 N=1",
        "CAR-T DL2 3e7 N=2",
        "CAR-T DL3 5e7 N=0",
        "CAR-T DL4 7e7 N=0",
    ]
    none = ("n=0", "n=0")
    given = [line for line in lines(table) if "NA" not in line]
    assert given == [
        (
            "Viability, %",
            *none,
            "1; 85.0 (85.0, 85.0)",
            "1; 90.0 (90.0, 90.0)",
            "1; 80.0 (80.0, 80.0)",
            *none,
        ),
        ("Residual T cells, %", *none, "1; 0.50 (0.50, 0.50)", "n=0", "n=0", *none),
    ]


@pytest.mark.rule("DISP-20", source="a number that is not available says why")
def test_what_is_not_available_says_why(study):
    table = table_by_dose(special_interest.haematology(case.adam(ADLB=None), study), study)
    assert lines(table)[0][0] == "Neutrophils – not available: no LB"
    assert set(lines(table)[0][1:]) == {"NA"}
    blood = lines(table_by_dose(special_interest.haematology(case.adam(), study), study))
    assert ("ICAHT grade",) in blood
    assert ("grade 3 or higher possible", "0/1", "1/2 (50%)", "0", "0", "1/3 (33%)") in blood


@pytest.mark.rule("DISP-21", source="written by hand")
def test_a_listing_has_a_row_per_record(adam, study):
    table = table_listing(safety_listing.deaths(adam, study, case.sdtm()), study)
    assert [head.text for head in table.header[0]] == [
        "Participant",
        "Dose",
        "Tumour",
        "Day",
        "Days from last CAR-T",
        "Cause",
        "Fatal event related to",
        "Narrative, document 07",
    ]
    assert "Not collected, or the study names no item of the data for it: Autopsy." in table.footnotes
    assert lines(table) == [
        ("B2", "DL2 3e7", "Gastric or gastro-oesophageal junction", "60", "35", "Sepsis", "CAR-T", "N 14.3.3")
    ]
    assert table.align == ("left", "left", "left", "right", "center", "left", "left", "left")
    assert all(cell.keys for cell in table.rows[0].cells)


@pytest.mark.rule("DISP-21", source="written by hand")
@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            safety_listing.serious,
            (
                "D4",
                "NK only",
                "Fatigue",
                "Fatigue",
                "2",
                "4",
                "9",
                "CAR-NK, CAR-T †",
                "yes",
                "no",
                "–",
                "–",
                "–",
            ),
        ),
        (
            safety_listing.severe_results,
            (
                "C3",
                "DL2 3e7",
                "ALT",
                "70",
                "470.00",
                "U/L",
                "40.00",
                "3",
                "3",
                "90.00",
                "–",
                "no event",
            ),
        ),
        (
            safety_listing.discordance,
            (
                "D4",
                "GVHD",
                "From the first CAR-NK infusion to CAR-T",
                "20",
                "–",
                "consensus",
                "–",
                "1 to 3",
                "–",
                "Not reported",
                "ANC",
                "none",
                "–",
                "Bilirubin high before",
                "–",
                "D4/GVHD",
                "–",
            ),
        ),
        (
            safety_listing.episodes,
            (
                "C3",
                "DL2 3e7",
                "CRS",
                "CAR-T cycle 1",
                "12",
                "2",
                "1",
                "–",
                "–",
                "2",
                "2",
                "fever",
                "none",
                "–",
            ),
        ),
        (
            safety_listing.liver,
            ("C3", "DL2 3e7", "70", "15+", "470", "11.75", "5.22", *["–"] * 9, "–", "–"),
        ),
        (
            conduct_listing.excluded,
            ("E5", "DL2 3e7", "Responders", "No response"),
        ),
        (
            conduct_listing.disposition,
            (
                "E5",
                "DL2 3e7",
                "–",
                "–",
                "–",
                "–",
                "–",
                "Left the study",
                "Withdrawal by subject",
            ),
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_last_row_of_each_listing(adam, study, question, expected):
    assert lines(table_listing(question(adam, study), study))[-1] == expected


@pytest.mark.rule("DISP-21", source="an empty listing says so")
def test_a_listing_without_records_says_so(study):
    alive = case.adsl().assign(DTHFL="N")
    none = table_listing(safety_listing.deaths(case.adam(ADSL=alive), study), study)
    assert lines(none) == [("No record", *["–"] * 8)]
    absent = table_listing(safety_listing.liver(case.adam(ADLB=None), study), study)
    assert lines(absent)[0][0] == "Not available: no ADLB"


@pytest.fixture(scope="module")
def profiles(adam, study):
    return figures_profile(patient.profile(adam, study), study)


@pytest.mark.rule("PAT-01", source="read from the text alternatives")
@pytest.mark.parametrize(
    ("place", "title", "words"),
    [
        (0, "A1, DL1 1.5e7", ("4 infusions", "2 emergent events", "0 of grade 3", "cut-off on day 180")),
        (1, "B2, DL2 3e7", ("6 infusions", "3 emergent events", "2 of grade 3", "death on day 60")),
        (2, "C3, DL2 3e7", ("3 infusions", "2 emergent events", "1 of grade 3", "cut-off on day 121")),
        (3, "D4, NK only", ("2 infusions", "2 emergent events", "0 of grade 3", "cut-off on day 90")),
    ],
)
def test_a_page_per_participant(profiles, place, title, words):
    figure = profiles.items[place]
    assert figure.title == title
    for text in words:
        assert text in figure.alt
    assert all(f"/{title[:2].lower()}-" in key for key in figure.keys)


@pytest.mark.rule("PAT-01", source="ids of the registry")
def test_the_pages_are_numbered_and_keep_their_titles(profiles):
    named = profiles.with_id("L 16.2.9.2", title="Profile", labels=("SYNTHETIC",))
    assert [figure.id for figure in named.items] == [f"L 16.2.9.2.{number}" for number in (1, 2, 3, 4)]
    assert named.items[3].title == "Profile: D4, NK only"
    assert named.items[0].labels == ("SYNTHETIC",)
    assert len({figure.alt for figure in named.items}) == 4


def test_pages_of_participants_of_whom_little_is_known(study):
    bare = case.adam(ADEX=None, ADAE=None, ADLB=None, ADPC=None, ADTR=None)
    figures = figures_profile(patient.profile(bare, study), study)
    assert len(figures.items) == 4
    assert "0 infusions, 0 emergent events" in figures.items[0].alt
    nobody = case.adam(ADSL=case.adsl().assign(SAFNKFL="N"))
    (none,) = figures_profile(patient.profile(nobody, study), study).items
    assert "Nothing to draw" in none.alt


@pytest.mark.parametrize(("grade", "colour"), [(1, "#56B4E9"), (5, "#222222"), (float("nan"), "#6E6E6E")])
def test_the_colour_of_a_grade(grade, colour):
    assert grade_colour(grade) == colour


@pytest.mark.rule("PAT-02", source="written by hand")
def test_a_narrative_binds_every_number_to_a_row(adam, study):
    story = story_narratives(patient.narratives(adam, study), study)
    texts = [paragraph.text() for paragraph in story.items]
    assert [paragraph.heading for paragraph in story.items][:2] == ["Participant A1", "Participant B2"]
    assert texts[0] == (
        "Participant A1, DL1 1.5e7, aged 50 to 59, female, tumour: colorectal. Narrative because of: serious adverse event. "
        "Prior lines of systemic therapy: not recorded. CAR-NK infusions: 2; CAR-T infusions: 2, the first on day 10. Medical history: not recorded. "
        "Cells given: CAR-NK on day 0, 1000 million; CAR-NK on day 1, 2000 million; CAR-T on day 10, 750 million; CAR-T on day 11, 660 million. Cytokine release syndrome: CTCAE grade 2, ASTCT grade 2, "
        "from day 11 to day 14; serious, not dose-limiting, related to: CAR-T; action: not recorded; "
        "outcome: recovered/resolved. Medication begun during the event: not recorded. Laboratory after the first infusion: highest alanine aminotransferase 0.8 x ULN; lowest neutrophils 0.4 x 10^9/L. "
        "The relations are those of the investigator; causality by the sponsor: not recorded. "
        "Effect on the decision on dose: not recorded; next recorded decision on dose: none. "
        "At the cut-off, day 180: alive or not known to have died."
    )
    assert "Died on day 60; cause: sepsis." in texts[1]
    assert "Hepatic artery thrombosis: CTCAE grade 3, from day 1" in texts[1] and "ASTCT" not in texts[1]
    assert "CTCAE grade by day, from laboratory results: day 13: 3. Medication begun" in texts[2]
    assert "no CAR-T infusion." in texts[3] and "tumour: not recorded" in texts[3]
    for paragraph in story.items:
        for span in paragraph.spans[2:]:
            assert span.key or not re.search(r"\d", span.text.replace("10^9", "")), span


def test_without_narratives_one_sentence_says_why(study):
    none = story_narratives(patient.narratives(case.adam(ADAE=None), study), study)
    assert none.text() == "No narrative: not available: no ADAE."
    assert [paragraph.heading for paragraph in none.items] == [""] and "heading" not in none.items[0].block()


def test_a_gallery_shows_its_items_one_after_the_other(monkeypatch, profiles):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    paragraph = Paragraph((Span("text"),))
    Gallery((profiles.items[0], paragraph))._ipython_display_()
    assert shown == [profiles.items[0], paragraph]
    assert Gallery((paragraph, paragraph)).text() == "text\n\ntext"
    assert Gallery((paragraph,)).with_id("N 14.3.3").items == (paragraph,)


@pytest.mark.rule("CON-04", source="read from the text alternative")
def test_the_flow_chart_tells_its_numbers(adam, study):
    figure = figure_flow(courses.flow(adam, study), study)
    assert (
        "Enrolled 5, CAR-NK 4, CAR-T cycle 1 3, CAR-T cycle 2 1, DLT-evaluable 3, Response-evaluable 2"
        in figure.alt
    )
    assert set(figure.keys) == set(courses.flow(adam, study).frame["result_id"])


@pytest.mark.parametrize(
    ("figure", "question", "words"),
    [
        (
            figure_calendar,
            courses.calendar,
            "5 enrolled participants in the order of enrolment over 6 months",
        ),
        (figure_doses, courses.doses, "7 CAR-T infusions of 3 participants"),
        (figure_related_terms, courses.related_terms, "most frequent: Nausea in 2 of 4 participants"),
        (
            figure_first_release,
            courses.first_release,
            "1 events, 1 deaths and 1 without a second cycle before it, 0 without any",
        ),
        (figure_trajectories, courses.trajectories, "ALT, BILI, NEUT, PLAT, CRP"),
    ],
    ids=["calendar", "doses", "related", "release", "trajectories"],
)
@pytest.mark.rule("SAF-31", source="read from the text alternatives")
def test_the_text_alternative_of_a_figure(adam, study, figure, question, words):
    assert words in figure(question(adam, study), study).alt


@pytest.mark.rule("SAF-31", source="read from the text alternative")
def test_the_timeline_tells_episodes_and_grades(adam, study):
    figure = figure_release_timeline(courses.release_timeline(adam, study, case.sdtm()), study)
    assert (
        "3 participants" in figure.alt
        and "2 episodes" in figure.alt
        and "1 of grade 2 or higher" in figure.alt
    )


@pytest.mark.parametrize(
    ("figure", "question", "gone"),
    [
        (figure_doses, courses.doses, "ADEX"),
        (figure_related_terms, courses.related_terms, "ADAE"),
        (figure_first_release, courses.first_release, "ADTOX"),
        (figure_trajectories, courses.trajectories, "ADLB"),
    ],
    ids=["doses", "related", "release", "trajectories"],
)
def test_a_figure_without_data_says_so(study, figure, question, gone):
    assert "Nothing to draw: not available" in figure(question(case.adam(**{gone: None}), study), study).alt


@pytest.mark.rule("SAF-31", source="by hand: three at the start, an event on day 2, one censored on day 7")
def test_the_numbers_at_risk_stand_below_the_curve(study, monkeypatch):
    rows = Rows("courses.first_release", "First release", population="CART-SAF")
    for place, (day, at_risk, share) in enumerate(((2.0, 3, 1 / 3), (7.0, 2, 1 / 3), (40.0, 1, 1 / 3)), 1):
        for stat, value in {
            "day": day,
            "at_risk": at_risk,
            "incidence": share,
            "lower": 0,
            "upper": 1,
        }.items():
            rows.add(stat, value, variable="curve", level=str(place))
    for level in ("crs", "death", "no_cycle2", "censored", "crs_later"):
        rows.add("n", 1, variable="event", level=level, n=1)
    sheets = kept_sheets(monkeypatch, "courses")
    figure_first_release(rows.build(), study)
    (axes,) = sheets[-1].axes
    strip = [text.get_text() for text in axes.texts]
    days = [day for day in axes.get_xticks() if 0 <= day <= axes.get_xlim()[1]]
    assert strip == ["At risk", *(str(3 if day <= 2 else 2 if day <= 7 else 1) for day in days)]


def test_the_same_figure_gives_the_same_bytes(adam, study):
    result = courses.doses(adam, study)
    first, second = (figure_doses(result, study) for _ in range(2))
    assert first.svg == second.svg and first.png == second.png


def test_rows_of_a_figure_keep_their_order(adam, study):
    wide = wide_rows(courses.calendar(adam, study), "participant")
    assert wide["name"].tolist() == ["A1", "B2", "C3", "D4", "E5"]
    assert wide["level"].tolist() == ["1", "2", "3", "4", "5"]


def test_a_table_that_is_not_described_is_an_error(adam, study):
    with pytest.raises((KeyError, ReportError)):
        table_by_dose(courses.flow(adam, study), study)


@pytest.mark.rule("LST-01")
def test_the_events_say_what_their_short_heads_mean(adam, study):
    table = table_listing(safety_listing.adverse_events(adam, study), study)
    heads = {head.text for head in table.header[0]}
    short = {"TE": "treatment-emergent", "DLT": "dose-limiting toxicity"}
    assert short.keys() <= heads
    assert all(f"{head}: {meaning}" in table.footnotes[-1] for head, meaning in short.items())
