"""Words of the estimands under every choice of the parameters, and studies that are named but never compared."""

from __future__ import annotations

import pytest

from interim.analysis import context, estimands
from tests.analysis.answers import row, status

ROWS = (
    "DLT",
    "ORR",
    "PFS",
    "OS",
    "CAR-T not given",
    "NK source switch",
    "Second liver-directed therapy",
    "New anticancer therapy",
)


def text(table, variable, stat):
    return row(table, variable, stat)["text"]


def chosen(study, table, **values):
    return study.model_copy(update={table: getattr(study, table).model_copy(update=values)})


@pytest.mark.parametrize("name", ROWS)
def test_every_estimand_has_every_attribute(adam, study, name):
    table = estimands.attributes(adam, study)
    for stat in ("objective", "population", "treatment", "endpoint", "events", "strategy", "summary"):
        words = text(table, name, stat)
        assert words and "{" not in words and words == words.strip()
    assert len(table.frame) == 7 * len(ROWS)


HYPOTHETICAL = "Hypothetical: censored at the last adequate assessment before it"
ENDPOINT = "Days from {} to progression or death"
CHOICES = [
    ("tte", {"new_therapy": "censor"}, "New anticancer therapy", "strategy", HYPOTHETICAL),
    ("tte", {"new_therapy": "ignore"}, "New anticancer therapy", "strategy", "Treatment policy: ignored"),
    ("tte", {"new_therapy": "event"}, "New anticancer therapy", "strategy", "Composite: an event on its start"),
    ("tte", {"anchor": "first_infusion"}, "PFS", "endpoint", ENDPOINT.format("the first infusion")),
    ("tte", {"anchor": "first_cart"}, "PFS", "endpoint", ENDPOINT.format("the first T-cell infusion")),
    ("tte", {"anchor": "enrolment"}, "PFS", "endpoint", ENDPOINT.format("enrolment")),
    ("tte", {"anchor": "enrolment"}, "OS", "endpoint", "Days from enrolment to death"),
    ("tte", {"anchor": "first_cart"}, "OS", "endpoint", "Days from the first T-cell infusion to death"),
    ("response", {"confirmation_required": True}, "ORR", "endpoint", "Best overall response, confirmed"),
    ("response", {"confirmation_required": False}, "ORR", "endpoint", "Best overall response, unconfirmed"),
    ("estimand", {"nk_source_switch": "composite"}, "NK source switch", "strategy", "Composite"),
    ("estimand", {"nk_source_switch": "treatment_policy"}, "NK source switch", "strategy", "Treatment policy: ignored"),
    ("estimand", {"nk_source_switch": "while_on_first_source"}, "NK source switch", "strategy", "While on the first source"),
    ("tte", {"new_therapy_kinds": ("systemic",)}, "New anticancer therapy", "events", "Start of one of: systemic"),
    ("tte", {"new_therapy_kinds": ("systemic", "local_liver")}, "New anticancer therapy", "events", "Start of one of: systemic, local liver"),
    ("tte", {"new_therapy_kinds": ()}, "New anticancer therapy", "events", "Start of one of: none"),
    ("tte", {"new_therapy_kinds": ("local_liver",)}, "Second liver-directed therapy", "strategy", "Counts as new anticancer therapy (kind local liver)"),
    ("tte", {"new_therapy_kinds": ("systemic",)}, "Second liver-directed therapy", "strategy", "Does not count as new anticancer therapy"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "values", "variable", "stat", "expected"), CHOICES)
def test_a_choice_of_the_parameters_in_words(adam, study, table, values, variable, stat, expected):
    assert text(estimands.attributes(adam, chosen(study, table, **values)), variable, stat) == expected


STRATEGIES = [
    ({"gap_rule": "off"}, "treatment policy for missed assessments"),
    ({"gap_rule": "days", "gap_days": 90}, "hypothetical: an event more than 90 days after the last adequate assessment is censored there"),
    ({"gap_rule": "days", "gap_days": 120}, "hypothetical: an event more than 120 days after the last adequate assessment is censored there"),
    ({"gap_rule": "visits", "gap_visits": 2}, "hypothetical: an event after 2 missed scheduled assessments is censored before them"),
    ({"gap_rule": "visits", "gap_visits": 3}, "hypothetical: an event after 3 missed scheduled assessments is censored before them"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "gap"), STRATEGIES)
@pytest.mark.parametrize(
    ("clinical", "words"),
    [
        ("ignore", "symptomatic deterioration without scan ignored"),
        ("event", "composite with symptomatic deterioration"),
    ],
)
@pytest.mark.parametrize(
    ("therapy", "first"), [("censor", HYPOTHETICAL), ("ignore", "Treatment policy: ignored")]
)
def test_strategies_of_progression_free_survival(adam, study, values, gap, clinical, words, therapy, first):
    other = chosen(study, "tte", clinical_progression=clinical, new_therapy=therapy, **values)
    assert text(estimands.attributes(adam, other), "PFS", "strategy") == f"{first}; {gap}; {words}"


@pytest.mark.parametrize(
    ("stops", "first"),
    [(True, "While untreated otherwise: assessments on or after it do not count"), (False, "Treatment policy: ignored")],
)  # fmt: skip
def test_strategies_of_response(adam, study, stops, first):
    other = chosen(study, "response", bor_stop_at_nact=stops)
    expected = f"{first}; composite (no response); treatment policy"
    assert text(estimands.attributes(adam, other), "ORR", "strategy") == expected


@pytest.mark.parametrize(
    ("name", "population"),
    [
        ("FRESCO, liver metastases", "Colorectal, third line or later, liver metastases"),
        ("FRESCO-2", "Colorectal, refractory"),
        ("ATTRACTION-2", "Gastric, third line or later"),
        ("CT041", "CLDN18.2-positive digestive tumours"),
        ("IM96", "Colorectal"),
        ("HITM-SIR", "Liver metastases, hepatic artery"),
    ],
)
def test_a_published_study_is_named_without_a_number(adam, study, name, population):
    table = context.benchmarks(adam, study)
    assert text(table, name, "population") == population
    for stat in ("n", "orr", "pfs", "os"):
        assert status(table, name, stat) == (
            "NA",
            "not available: not yet verified against the original publication",
        )
    assert table.frame["value"].isna().all()
