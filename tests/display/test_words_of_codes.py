"""Every code that a dataset or question can give has a word that a reader understands."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest

from interim.adam.response import best_response
from interim.display.labels import settings, word
from interim.display.response import _RESPONSE_MARKERS, _mark_word, _styles
from interim.display.style import RESPONSE_COLOURS
from interim.result import STATUSES
from interim.study import Study

CODE = re.compile(r"^[A-Z]+(?:[-_][A-Z]+)+$|_")


def document(package: str, name: str):
    return tomllib.loads(files(package).joinpath(name).read_text(encoding="utf-8"))


LABELS = document("interim.display", "labels.toml")
TTE = sorted(document("interim.adam.tte", "reasons.toml")["text"])
SETS = sorted(
    {
        condition[key]
        for entry in document("interim.adam", "sets.toml")["sets"]
        for condition in entry["conditions"]
        for key in ("reason", "reason_other")
        if condition.get(key)
    }
)
BEST = sorted(
    {category for rules in (best_response.UNCONFIRMED, best_response.CONFIRMED) for category, _, _ in rules}
)
NOT_EVALUABLE = sorted(
    {code for rules in (best_response.UNCONFIRMED, best_response.CONFIRMED) for category, code, _ in rules if category == "NE"}
    | {"B-NE-DEATH", "B-MISSING"}
)  # fmt: skip


@pytest.mark.parametrize("code", TTE)
def test_reasons_of_time_to_event(code):
    assert code in LABELS["tte"]


@pytest.mark.parametrize("code", SETS)
def test_reasons_of_analysis_sets(code):
    assert code in LABELS["reasons"]
    assert not CODE.search(word("reasons", code))


@pytest.mark.parametrize("code", NOT_EVALUABLE)
def test_reasons_without_a_best_response(code):
    assert code in LABELS["ne_reason"]


@pytest.mark.parametrize("code", sorted(set(LABELS["bor"]) - {"MISSING"}))
def test_categories_have_long_and_short_words_a_colour_and_a_mark(code):
    assert code in LABELS["bor_short"] and code in RESPONSE_COLOURS and code in _RESPONSE_MARKERS


def test_shipped_sets_have_names():
    flags = {entry["flag"] for entry in document("interim.adam", "sets.toml")["sets"]}
    assert flags and {"ENR", "NK-SAF", "CART-SAF", "DLT-EV", "FAS", "RE", "RESP"} <= set(LABELS["sets"])


@pytest.mark.parametrize("status", [status for status in STATUSES if status not in ("OK", "FLAG")])
def test_statuses_in_cells_and_in_sentences(status):
    assert status in LABELS["status"] and status in LABELS["status_prose"]
    assert not LABELS["status_prose"][status].isupper()


@pytest.mark.parametrize("table", sorted(LABELS))
def test_no_word_is_empty_or_a_code(table):
    for code, text in LABELS[table].items():
        if isinstance(text, str):
            assert text.strip(), code
            words = re.sub(r"\{[^}]*\}", "", text)
            assert not re.search(r"\b[a-z]+_[a-z]", words), (code, text)


def test_every_severity_and_end_of_study_has_a_word():
    assert set(LABELS["severity"]) == {"stop", "warn", "info"}
    assert {"ONGOING", "COMPLETED", "DISCONTINUED"} <= set(LABELS["EOSSTT"])


def test_decimals_belong_to_known_variables():
    assert set(settings("decimals")) <= set(LABELS["baseline"])


def test_every_mark_of_a_swimmer_has_a_word(study: Study):
    words = [_mark_word(name, study) for name in _styles(study)]
    assert len(words) == len(set(words)), words
    assert not [text for text in words if CODE.search(text)]


def test_pairs_of_lists_name_the_same_codes():
    assert set(LABELS["bor"]) == set(LABELS["bor_short"])
    assert set(LABELS["ibor"]) == set(LABELS["ibor_short"])
    assert set(LABELS["liver_unit"]) <= set(LABELS["liver"])


REFERENCE = re.compile(r"\{parameters\.stated/Total/([\w]+)/([\w.]+)/value\|(\w+)\}")


def values_of(table: str, key: str) -> set[str]:
    """The values that the study file may give a parameter, as far as they are words."""
    model = Study.model_fields[table].annotation
    *above, last = key.split(".")
    for name in above:
        model = model.model_fields[name].annotation
    return set(re.findall(r"'([^']*)'", repr(model.model_fields[last].annotation).replace('"', "'")))


def parameters_in_documents() -> set[tuple[str, str, str]]:
    folder = files("interim.report").joinpath("documents")
    texts = [file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".toml")]
    return {found for text in texts for found in REFERENCE.findall(text)}


@pytest.mark.rule("DISP-05")
def test_sentences_say_the_values_of_parameters_in_words():
    found = parameters_in_documents()
    assert ("tte", "anchor", "choice") in found and values_of("tte", "anchor") >= {
        "first_infusion",
        "enrolment",
    }
    shown = {
        (table, key, value): word("choice", value) if layout == "choice" else value
        for table, key, layout in found
        for value in values_of(table, key)
    }
    assert {place: text for place, text in shown.items() if "_" in text} == {}
    assert word("choice", "c1_last_infusion") == "the last CAR-T infusion of cycle 1"


@pytest.mark.rule("IB-17")
def test_persistence_is_called_by_the_parameter_that_it_takes():
    taken = document("interim.analysis", "benefit_risk.toml")["kinetics"]["persistence"]
    assert word("benefit_risk", "persistence") == f"{word('measures', taken)}, all cycles"
