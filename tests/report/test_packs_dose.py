"""Runners of the dose packs: the shipped numbers, unseen ones of the same layout, and nothing expected is read."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from interim.report.packs.base import leaves
from interim.report.packs.clinical_escalation import compute_escalation, escalation_cases
from interim.report.packs.dose import DOSE, rule_named
from interim.report.validate import validate

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "dose"
PACKS = {pack.file: pack for pack in DOSE}


def cases(file):
    return list(PACKS[file].split(json.loads((FOLDER / file).read_text(encoding="utf-8"))))


@pytest.mark.rule("DOSE-28", source="fourteen files of independent numbers")
def test_every_file_has_a_runner_and_agrees():
    found = validate(FOLDER)
    assert [report.file for report in found.files] == sorted(path.name for path in FOLDER.glob("*.json"))
    assert len(found.files) == 14
    assert found.ok, "\n".join(found.lines())
    assert sum(report.compared for report in found.files) > 3000


@pytest.mark.rule("DOSE-28")
@pytest.mark.parametrize("file", list(PACKS))
def test_the_runner_sees_only_what_is_given(file):
    """Spoiling every expected number changes nothing that is computed."""
    document = json.loads((FOLDER / file).read_text(encoding="utf-8"))
    pack = PACKS[file]
    given = [case.given for case in pack.split(document)]
    case = next(iter(pack.split(document)))
    expected = set(dict(leaves(case.expected)))
    assert expected <= set(dict(leaves(pack.compute(case.given))))
    assert given == [other.given for other in pack.split(_spoiled(document))]


def _spoiled(document):
    """Replace the numbers that are results, file by file."""
    spoiled = copy.deepcopy(document)
    results = {
        "sel",
        "EN",
        "EY",
        "total_n",
        "total_dlt",
        "p_cap",
        "mtd",
        "estimate",
        "exact_mean",
        "exact_var",
        "sum",
    }

    def walk(node):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if key in results:
                node[key] = [-1.0] * len(value) if isinstance(value, list) else -1.0
            elif isinstance(value, (dict, list)):
                walk(value)

    walk(spoiled)
    return spoiled


@pytest.mark.rule("DOSE-28")
def test_an_unseen_scenario_of_another_size():
    document = {
        "scenarios": {
            "new": {
                "p_dlt": [0.1, 0.3],
                "p_g2_trigger": [0.2, 0.2],
                "all_levels_cap12": {"sel": [0, 0, 0], "EN": [0, 0], "n_dist": {"3": 0}, "p_cap": 0},
            }
        }
    }
    pack = PACKS["oc_titration_3plus3_exact.json"]
    (case,) = pack.split(document)
    found = pack.compute(case.given)
    assert sum(found["sel"]) == pytest.approx(1)
    assert set(found) == {"sel", "EN", "n_dist", "p_cap"}


@pytest.mark.rule("DOSE-28")
def test_cohorts_come_from_the_description():
    document = json.loads((FOLDER / "crm_oc_c1.json").read_text(encoding="utf-8"))
    document["_how"] = "8 cohorts of 3".replace("8", "5").replace("3", "2")
    (case,) = PACKS["crm_oc_c1.json"].split(document)
    assert sum(PACKS["crm_oc_c1.json"].compute(case.given)["EN"]) == pytest.approx(10)


@pytest.mark.rule("DOSE-28")
def test_names_of_rules():
    assert rule_named("esc_only", (1, 2)).cap.n_max is None
    assert rule_named("all_levels_cap24", (1, 2)).cap.n_max == 24
    with pytest.raises(KeyError):
        rule_named("other", (1, 2))


@pytest.mark.rule("DOSE-12", source="full enumeration, two implementations")
def test_clinical_blocks(reference):
    document = json.loads((reference / "clinical" / "reference_numbers.json").read_text(encoding="utf-8"))
    exact = [case for case in escalation_cases(document) if "exact" in case.id]
    assert [case.id for case in exact] == ["escalation_oc_exact", "escalation_oc_exact_fill3"]
    for case in exact:
        found = dict(leaves(compute_escalation(case.given)))
        for name, value in leaves(case.expected):
            assert found[name] == pytest.approx(value, abs=1e-6), name
