"""Subgroup tables and figures: what stands in them, the sentence under every forest, and rows that must not be shown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from interim import display
from interim.analysis import subgroups
from interim.display.numbers import Numbers
from interim.display.subgroups_rules import check_rows
from interim.display.subgroups_sentence import limits_sentence
from interim.display.subgroups_words import contrast_word, flag_notes, level_word, marked
from interim.errors import ReportError
from interim.result import Rows
from tests.display.conftest import answer_all

DIMENSIONS = ("histology", "ligand", "prior", "burden", "markers", "ratio", "site", "dose")
SHOWN = [
    *(("table_subgroup", "levels", {"dimension": d}) for d in DIMENSIONS),
    ("table_subgroup_limits", "limits", {}),
    ("table_shrinkage", "shrinkage", {}),
    ("table_type_by_dose", "type_by_dose", {}),
    ("table_credibility", "credibility", {}),
    ("table_stability", "leave_one_out", {}),
    ("table_post_baseline", "post_baseline", {}),
    ("table_subgroup_registry", "registry", {}),
    *(
        ("figure_forest", "levels", {"endpoint": e, "primary_only": True})
        for e in ("orr", "dcr", "pfs", "os")
    ),
    ("figure_map", "participant_map", {}),
    ("figure_overlap", "association", {}),
    ("figure_cut_path", "cut_path", {}),
    ("figure_marker_response", "participant_map", {}),
    ("figure_subgroup_endpoints", "levels", {}),
    ("table_sensitivity_model", "sensitivity_model", {}),
]
QUESTIONS = tuple(dict.fromkeys(question for _, question, _ in SHOWN))
CODE = re.compile(r"\b(?:nan|None|[a-z]+_[a-z_0-9]+|SYN-NKG)\b")


@pytest.fixture(scope="module")
def answers(adam, study):
    return {name: getattr(subgroups, name)(adam, study) for name in QUESTIONS}


@pytest.fixture(scope="module")
def made(answers, study):
    return {
        (function, *options.values()): getattr(display, function)(answers[question], study, **options)
        for function, question, options in SHOWN
    }


def texts(table) -> dict[str, list[str]]:
    rows = reversed(table.rows)
    return {row.cells[0].text.strip(): [cell.text for cell in row.cells[1:]] for row in rows}


@pytest.fixture(scope="session")
def study(study):
    return study.model_copy(update={"figure": study.figure.model_copy(update={"dpi": 150})})


@pytest.mark.rule("SUBQ-19")
@pytest.mark.parametrize("entry", SHOWN, ids=lambda e: e[0] + "".join(map(str, e[2].values())))
def test_everything_is_drawn_with_results_behind_it(made, answers, study, entry):
    function, question, options = entry
    shown = made[(function, *options.values())]
    assert set(shown.keys) <= set(answers[question].frame["result_id"]) and shown.keys
    body = shown.text() if hasattr(shown, "rows") else " ".join([shown.alt, *shown.footnotes])
    assert not CODE.search(body), CODE.findall(body)
    if hasattr(shown, "rows"):
        assert all(cell.text.strip() for row in shown.rows for cell in row.cells)
    else:
        again = getattr(display, function)(answers[question], study, **options)
        assert (again.svg, again.png) == (shown.svg, shown.png)


@pytest.mark.rule("SUBQ-03")
@pytest.mark.parametrize("endpoint", ["orr", "dcr", "pfs", "os"])
def test_every_forest_carries_the_sentence(made, answers, study, endpoint):
    sentence = limits_sentence(Numbers(answers["limits"], study))
    assert sentence in made[("figure_forest", endpoint, True)].footnotes
    assert sentence in made[("table_subgroup_limits",)].footnotes
    assert sentence.startswith("With 15 participants and 1 responder, 7 subgroup dimensions were examined")


def limits(n, r, p_any=0.436363, low=0.0001, high=0.18181) -> Rows:
    rows = Rows("subgroups.limits", "By hand")
    values = {"n": n, "r": r, "k": 3, "m": 7, "gap_pp": 40, "p_any": p_any, "p_min_lo": low, "p_min_hi": high}
    for stat, value in values.items():
        rows.add(stat, value, variable="limits")
    return rows


@pytest.mark.rule("SUBQ-03", source="sentence of the specification")
def test_the_sentence_word_for_word(study):
    numbers = Numbers(limits(12, 3).build(), study)
    assert limits_sentence(numbers) == (
        "With 12 participants and 3 responders, 3 subgroup dimensions were examined (7 levels in all). If none of them had "
        "anything to do with response, at least one would still show a difference of 40 percentage points or more with "
        "probability 0.436. The smallest two-sided p-value that could be reached lies between < 0.001 and 0.182, depending "
        "on the dimension. The differences below describe who responded in this single-arm study; they do not show that "
        "treatment works better or worse in any subgroup."
    )
    chinese = limits_sentence(numbers, language="zh-CN")
    assert re.findall(r"[\d.]+", chinese)[:6] == ["12", "3", "3", "7", "40", "0.436"]


@pytest.mark.rule("SUBQ-03")
@pytest.mark.parametrize(
    ("r", "words"), [(0, "No participant responded"), (12, "Every participant responded")]
)
def test_nobody_or_everybody(study, r, words):
    numbers = Numbers(limits(12, r).build(), study)
    assert limits_sentence(numbers).startswith(words) and limits_sentence(numbers, language="zh-CN")


@pytest.mark.rule("SUBQ-03")
def test_no_sentence_no_forest(answers, study, adam):
    levels = answers["levels"]
    bare = replace(levels, frame=levels.frame[levels.frame["variable"] != "limits"])
    with pytest.raises(ReportError, match="no limits of interpretation"):
        limits_sentence(Numbers(bare, study))
    with pytest.raises(ReportError, match="without the limits"):
        check_rows(bare, forest=True)
    assert "Nothing to draw" in display.figure_forest(bare, study).alt


def test_cells_of_a_dimension(made):
    rows = texts(made[("table_subgroup", "histology")])
    assert rows["All participants"][0] == "15" and rows["All participants"][1].startswith("1/15 (6.7%) (")
    assert rows["Colorectal"][:2] == ["10", "1/10 (10.0%) (0.3, 44.5)"]
    assert rows["Oesophageal"][0] == "0" and rows["Oesophageal"][1] == "0/0"
    assert rows["Missing"][1] == "0/2"
    assert rows["All participants"][-1] == "NA"
    assert any(
        "Goes together" in note or "‡" in note for note in made[("table_subgroup", "histology")].footnotes
    )
    ratio = texts(made[("table_subgroup", "ratio")])
    difference = ratio["Difference, < 5 minus ≥ 5"]
    assert difference[1].startswith("9.1 (")


def test_cells_of_the_other_tables(made):
    limits_rows = texts(made[("table_subgroup_limits",)])
    assert limits_rows["At least one factor"][-1].startswith("0.")
    assert limits_rows["Metastatic site"][1] == "0.3333"
    types = made[("table_type_by_dose",)]
    assert next(row.cells[0].text for row in types.rows if row.kind == "section") == "Colorectal"
    grades = texts(made[("table_credibility",)])["Grade"]
    assert set(grades) == {"unknown"}
    stable = texts(made[("table_stability",)])
    assert stable["Unconfirmed response"][0].startswith("3 of ")
    late = texts(made[("table_post_baseline",)])
    assert "Left out: event, censored or not observed by then" in late
    shrunk = texts(made[("table_shrinkage",)])
    assert shrunk["Colorectal"][0] == "1/10 (10.0%) (0.3, 44.5)" and len(shrunk["Colorectal"]) == 5


def test_missing_values_are_stated_with_their_range(made):
    notes = made[("table_subgroup", "ligand")].footnotes
    assert any(note.startswith("Many values missing") for note in notes)


@pytest.mark.rule("SUBQ-18")
def test_a_masked_result_can_still_be_shown(answers, study):
    masked = subgroups.mask(answers["levels"], study)
    table = display.table_subgroup(masked, study, dimension="histology")
    assert texts(table)["Colorectal"][:2] == ["NA", "NA"]
    assert (
        "Nothing to draw" in display.figure_map(subgroups.mask(answers["participant_map"], study), study).alt
    )
    assert "Nothing to draw" in display.figure_cut_path(subgroups.mask(answers["cut_path"], study), study).alt


@pytest.mark.rule("SUBQ-19")
def test_what_is_not_available_is_said(adam, study, make_adam):
    bare = make_adam(ADRS=None, ADTR=None, ADTTE=None, ADAE=None, ADSUB=None)
    for function, question, options in SHOWN:
        shown = getattr(display, function)(getattr(subgroups, question)(bare, study), study, **options)
        assert "nan" not in shown.text()
    none = study.model_copy(update={"subgroups": ()})
    for function, question, options in SHOWN:
        shown = getattr(display, function)(getattr(subgroups, question)(adam, none), none, **options)
        assert shown.text()
    assert answer_all(adam, none)


def row(stat: str, value=0.5, **more) -> Rows:
    rows = limits(12, 3)
    rows.add("rate", 0.25, variable="orr", n=3, N=12)
    rows.add(stat, value, **{"group": "f", "variable": "orr", "level": "a", **more})
    return rows


@pytest.mark.rule("SUBQ-19")
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (row("p_heterogeneity"), "rule 1"),
        (row("p_max_t"), "rule 1"),
        (row("hr", 0.5, n=4, N=12), "rule 2, fewer than 5 events"),
        (row("or", 0.5), "rule 2, fewer than 5 events"),
        (row("landmark"), "rule 3, landmark without lower, n_risk, upper"),
        (row("median"), "rule 3, median without max, min"),
        (row("median", variable="pfs median"), "rule 3, median without lower, upper"),
        (row("rate"), "rule 5, a rate stands without x/n"),
        (row("timing", None, variable="entry", level="", text="post_baseline"), "known after baseline"),
        (row("origin", None, variable="entry", level="", text="data_driven"), "rule 4"),
    ],
)
def test_rows_that_must_not_be_shown(rows, words):
    with pytest.raises(ReportError, match=re.escape(words)):
        check_rows(rows.build(), forest=True)


@pytest.mark.rule("SUBQ-19")
def test_no_ratio_between_doses_and_no_number_that_does_not_exist():
    rows = Rows("subgroups.hand", "By hand", group_var="dose")
    rows.add("hr", 0.5, group="dose_level", variable="pfs hazard ratio", n=9, N=20)
    with pytest.raises(ReportError, match="between doses"):
        check_rows(rows.build())
    made = row("p_min").build()
    broken = replace(made, frame=made.frame.assign(value=float("nan")))
    with pytest.raises(ReportError, match="rule 3, a number is shown that does not exist"):
        check_rows(broken)
    alone = limits(12, 3).build()
    with pytest.raises(ReportError, match="without the overall rate"):
        check_rows(alone, forest=True)


@pytest.mark.rule("SUBQ-19")
def test_internal_rows_are_left_out():
    rows = row("p_min")
    rows.add("p_cut", 0.01, group="f", variable="selected", scope="internal")
    rows.add("hr", 0.6, group="f", variable="pfs hazard ratio", n=6, N=20)
    found = check_rows(rows.build(), forest=True)
    assert "p_cut" not in set(found["stat"]) and "hr" in set(found["stat"])


def test_words_of_levels(study):
    assert level_word("nlr5", ">=5", study) == "≥ 5"
    assert level_word("tumour_type", "CRC", study) == "Colorectal"
    assert level_word("site_lung", "Y", study) == "Yes"
    assert level_word("dose_level", "DL1", study) == "DL1 1.5e7"
    assert level_word("nlr5", "Missing", study) == "Missing"
    assert contrast_word("nlr5", "<5 minus all others", study) == "Difference, < 5 minus all others"
    assert contrast_word("nlr5", "all levels", study) == "Difference between levels"


@pytest.mark.rule("SUBQ-14")
def test_a_double_dagger_marks_what_one_participant_decides(answers, study):
    numbers = Numbers(answers["levels"], study)
    fragile = numbers.words("nlr5", "entry", "flags").text
    assert "FRAGILE" in fragile and marked(numbers, "nlr5").endswith("‡")
    notes = flag_notes(numbers, ("nlr5", "tumour_type"))
    assert any(note.startswith("‡ One participant") and "Neutrophil" in note for note in notes)


@pytest.mark.rule("SUBQ-15")
def test_the_path_of_a_factor_with_values(adam, study, make_adam):
    adsub = adam["ADSUB"].copy()
    numbers = adsub["USUBJID"].str[-2:].astype(float)
    valued = make_adam(ADSUB=adsub.assign(AVAL=(2 + numbers / 4).where(adsub["ENTRY"] == "nlr5")))
    path = subgroups.cut_path(valued, study)
    shown = display.figure_cut_path(path, study)
    # Fifteen values, three on each side: ten cuts; the prespecified cut of five lies at participant 12.
    assert "each of 10 cut-points, one panel for each of 1" in shown.alt
    marked_at = path.frame.loc[path.frame["stat"] == "prespecified", "level"].tolist()
    assert marked_at == ["5"] and "p_cut" not in "".join(shown.keys)
    assert "not marked" in shown.footnotes[0]
