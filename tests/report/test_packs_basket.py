"""Runners of the Phase IB packs: the shipped numbers, unseen ones of the same layout, and nothing expected is read."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from interim.report.packs.base import leaves
from interim.report.packs.basket import BASKET
from interim.report.packs.clinical_expansion import EXPANSION_TOLERANCES, compute_expansion, expansion_cases
from interim.report.validate import _agrees, validate

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "basket"
CLINICAL = FOLDER.parent / "clinical" / "reference_numbers.json"
PACKS = {pack.file: pack for pack in BASKET}
QUICK = ["closed_form_borrowing.json", "simon.json", "bop2.json", "predprob.json", "toxicity.json"]
SLOW = ["bhm_exnex.json", "bhm_exnex_exact_oc.json", "predictive_expansion.json"]


def load(file):
    return json.loads((FOLDER / file).read_text(encoding="utf-8"))


def agree(pack, case):
    found = dict(leaves(pack.compute(case.given)))
    return [
        (case.id, name, expected, found.get(name))
        for name, expected in leaves(case.expected)
        if not _agrees(expected, found.get(name, "(absent)"), pack.tolerance_of(name), absolute=True)
    ]


@pytest.mark.rule("IB-23", source="eight files of independent numbers")
@pytest.mark.parametrize("file", QUICK)
def test_whole_files_agree(file, tmp_path):
    folder = tmp_path / "basket"
    folder.mkdir()
    (folder / file).write_text((FOLDER / file).read_text(encoding="utf-8"))
    found = validate(folder)
    assert found.ok, "\n".join(found.lines())
    assert sum(report.compared for report in found.files) > 200


@pytest.mark.rule("IB-23", source="bhm_exnex, exact characteristics, predictive probabilities")
@pytest.mark.parametrize(
    ("file", "chosen"),
    [
        ("bhm_exnex.json", slice(0, 20, 4)),
        ("bhm_exnex_exact_oc.json", slice(0, 20)),
        ("predictive_expansion.json", slice(0, 16)),
    ],
)
def test_slow_files_agree_on_part_of_their_cases(file, chosen):
    pack = PACKS[file]
    cases = list(pack.split(load(file)))[chosen]
    assert cases and not [problem for case in cases for problem in agree(pack, case)]


@pytest.mark.rule("IB-23")
@pytest.mark.parametrize("file", list(PACKS))
def test_the_runner_sees_only_what_is_given(file):
    """Spoiling every expected number changes nothing that is handed to the runner."""
    document = load(file)
    given = [case.given for case in PACKS[file].split(document)]
    assert given == [case.given for case in PACKS[file].split(spoiled(document))]
    assert len(given) >= 20


RESULTS = {
    *(
        "mean",
        "sd",
        "prob_gt_p0",
        "q025",
        "q975",
        "tau_mean",
        "log_marginal",
        "p_exchangeable",
        "reject",
        "fwer",
    ),
    *(
        "any_reject",
        "mse",
        "min_resp",
        "pred_prob_success",
        "pred_mean",
        "shape1",
        "shape2",
        "prob",
        "W",
        "lo",
        "hi",
    ),
    *(
        "pep",
        "ess",
        "same",
        "r1",
        "n1",
        "EN0",
        "PET0",
        "EN1",
        "alpha_attained",
        "power_attained",
        "type1",
        "power",
    ),
    *(
        "stop_if_resp_le",
        "go_if_resp_ge",
        "stop_if_tox_ge",
        "p_stop_by_18",
        "EN",
        "phi",
        "cross_prob",
        "lam_",
        "gamma",
    ),
}


def spoiled(document):
    other = copy.deepcopy(document)

    def walk(node):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if key in RESULTS:
                node[key] = -1.0
            elif isinstance(value, (dict, list)):
                walk(value)

    walk_closed = {"quad", "jags"}
    for record in other if isinstance(other, list) else ():
        for name in walk_closed & set(record):
            record[name] = {key: -1.0 for key in record[name]}
    walk(other)
    return other


@pytest.mark.rule("IB-23")
def test_a_wrong_number_is_found():
    pack = PACKS["simon.json"]
    case = next(iter(pack.split(load("simon.json"))))
    wrong = type(case)(case.id, case.given, {**case.expected, "n": case.expected["n"] + 1})
    assert not agree(pack, case) and len(agree(pack, wrong)) == 1


@pytest.mark.rule("IB-23")
def test_unseen_cases_of_the_same_layout():
    fit = {
        "id": "new.bhm",
        "dataset": "new",
        "model": "bhm",
        "r": [1, 0],
        "n": [4, 3],
        "p0": [0.1, 0.2],
        "mu_mean": -1.0,
        "mu_sd": 1.5,
        "tau_halfnormal_scale": 0.7,
        "logit_offset": [0.0, 0.0],
        "quad": {"mean": [0, 0], "tau_mean": 0},
    }
    (case,) = PACKS["bhm_exnex.json"].split([fit])
    found = PACKS["bhm_exnex.json"].compute(case.given)
    assert set(found["several_cuts"]) == {"mean", "tau_mean"} and 0 < found["several_cuts"]["tau_mean"] < 1.5
    table = {
        "K": 2,
        "n": 3,
        "p0": 0.2,
        "p": [0.2, 0.5],
        "lam": 0.8,
        "exnex": True,
        "mu_mean": -1.3862943611198906,
    }
    (case,) = PACKS["bhm_exnex_exact_oc.json"].split(
        [{**table, "mu_sd": 1.0, "tau_hn": 0.5, "reject": [0, 0]}]
    )
    found = PACKS["bhm_exnex_exact_oc.json"].compute(case.given)
    assert found["reject"][0] < found["reject"][1] and found["fwer"] == pytest.approx(found["reject"][0])
    (case,) = PACKS["bhm_exnex_exact_oc.json"].split(
        [{**table, "p": [0.5, 0.5], "mu_sd": 1.0, "tau_hn": 0.5}]
    )
    assert PACKS["bhm_exnex_exact_oc.json"].compute(case.given)["fwer"] is None


@pytest.mark.rule("IB-23")
def test_unseen_designs_of_the_same_layout():
    given = {"N": 12, "looks": [6, 9], "p0": 0.1, "p1": 0.4, "theta_L": 0.05, "theta_T": 0.9}
    found = PACKS["predprob.json"].compute(given)
    assert set(found["stop_if_resp_le"]) == {"6", "9"} and found["power"] > found["type1"]
    bayes = {"tau0": 0.3, "cut": 0.8, "prior": [0.6, 1.4], "looks": [6, 12], "p": [0.3], "n_max": 12}
    every = PACKS["toxicity.json"].compute({**bayes, "looks": "every"})
    some = PACKS["toxicity.json"].compute(bayes)
    assert some["p_stop_by_18"][0] < every["p_stop_by_18"][0]
    with pytest.raises(ValueError, match="is not of the form"):
        PACKS["closed_form_borrowing.json"].compute(
            {"method": "mem", "setting": "x", "r": [0], "n": [1], "p0": 0.1}
        )
    with pytest.raises(ValueError, match="no boundary"):
        PACKS["bop2.json"].compute(
            {"p0": 0.5, "p1": 0.6, "N": 2, "looks": [1], "alpha": 0.01, "gamma_grid_max": 1}
        )


@pytest.mark.rule("IB-24", source="clinical pack: Phase IB designs and monitor")
@pytest.mark.parametrize("block", list(EXPANSION_TOLERANCES))
def test_clinical_blocks(block):
    document = json.loads(CLINICAL.read_text(encoding="utf-8"))
    (case,) = (case for case in expansion_cases(document) if case.id == block)
    found = dict(leaves(compute_expansion(case.given)))
    for name, expected in leaves(case.expected):
        value = found[name]
        assert value == expected or abs(value - expected) <= EXPANSION_TOLERANCES[block], name


@pytest.mark.rule("IB-24")
def test_absent_blocks_give_no_case_and_new_keys_are_computed():
    assert list(expansion_cases({})) == []
    given = {"block": "single_stage_go", "keys": {"n=3,go>=1": ["p=0.5"]}}
    assert compute_expansion(given)["single_stage_go"]["n=3,go>=1"]["p=0.5"] == pytest.approx(7 / 8)
