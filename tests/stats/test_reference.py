"""Every reference file of the workshop through its runner: the shipped numbers agree, and nothing expected is read."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

import pytest

from interim.report.packs import PACKS
from interim.report.packs.base import leaves
from interim.report.packs.clinical_subgroups import compute_subgroups, subgroup_cases
from interim.report.validate import validate

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "stats"
RUNNERS = {pack.file: pack for pack in PACKS if pack.area == "stats"}
R = "R 4.2.2: "
ELSEWHERE = ("km.json", "binomial_ci.json")


def document(file):
    return json.loads((FOLDER / file).read_text(encoding="utf-8"))


def cases(file, changed=None):
    pack, content = RUNNERS[file], changed or document(file)
    return list(
        pack.split(content, {"errata": document("errata.json")}) if pack.inputs else pack.split(content)
    )


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """All files but those of curves and single rates, which have tests of their own; run once."""
    folder = tmp_path_factory.mktemp("packs") / "stats"
    folder.mkdir()
    for file in FOLDER.glob("*.json"):
        if file.name not in ELSEWHERE:
            (folder / file.name).symlink_to(file)
    return {Path(report.file).name: report for report in validate(folder).files}


@pytest.mark.parametrize(
    ("file", "least"),
    [
        pytest.param(
            "two_by_two.json",
            430,
            marks=[
                pytest.mark.rule("STAT-11", source=R + "exact2x2 1.7.0"),
                pytest.mark.rule("STAT-12", source=R + "Exact 3.3"),
                pytest.mark.rule("STAT-13", source=R + "ratesci 1.0.0"),
            ],
        ),
        pytest.param("heterogeneity.json", 10, marks=pytest.mark.rule("STAT-14", source=R + "stats")),
        pytest.param("rxc_fisher.json", 16, marks=pytest.mark.rule("STAT-14", source=R + "stats")),
        pytest.param(
            "two_group.json",
            1500,
            marks=[
                pytest.mark.rule("STAT-16", source=R + "survival 3.5-3"),
                pytest.mark.rule("STAT-17", source=R + "enumeration, coin 1.4-2"),
                pytest.mark.rule("STAT-18", source=R + "survRM2 1.0-4"),
                pytest.mark.rule("STAT-20", source=R + "survival 3.5-3"),
                pytest.mark.rule("STAT-22", source=R + "coxphf 1.13.4"),
            ],
        ),
        pytest.param(
            "firth_logistic.json", 600, marks=pytest.mark.rule("STAT-22", source=R + "logistf 1.26.1")
        ),
        pytest.param(
            "competing_risks.json",
            500,
            marks=pytest.mark.rule("STAT-24", source=R + "survival 3.5-3, cmprsk 2.2-11"),
        ),
        pytest.param(
            "rank_trend.json",
            270,
            marks=[
                pytest.mark.rule("STAT-26", source=R + "coin 1.4-2, clinfun 1.1.5"),
                pytest.mark.rule("STAT-27", source=R + "stats"),
            ],
        ),
        pytest.param(
            "multiplicity.json", 600, marks=pytest.mark.rule("STAT-29", source=R + "stats, enumeration")
        ),
        pytest.param("maxstat.json", 200, marks=pytest.mark.rule("STAT-30", source=R + "maxstat 0.7-25")),
    ],
)
def test_the_shipped_numbers_agree(reports, file, least):
    report = reports[file]
    assert report.compared == report.agree >= least, report.disagreements[:3]


@pytest.mark.rule("STAT-12", source=R + "Exact 3.3")
def test_the_supremum_is_never_below_the_reference():
    for case in cases("two_by_two.json"):
        found = dict(leaves(RUNNERS["two_by_two.json"].compute(case.given)))
        for name, expected in leaves(case.expected):
            if name.startswith("uncond") and name.endswith(".p"):
                assert found[name] >= expected - 1e-6


@pytest.mark.rule("STAT-19", source=R + "survival 3.5-3")
def test_a_fit_without_maximum_is_a_status_not_a_number():
    expected = {case.id: case.expected for case in cases("two_group.json")}
    assert expected["edge_monotone_likelihood_n12"]["cox.efron"] == {"reason": "MONOTONE_LIKELIHOOD"}
    assert expected["edge_n5"]["cox.efron"] == {"reason": "MONOTONE_LIKELIHOOD"}
    assert expected["edge_all_events_n12"]["cox.efron"]["reason"] == ""
    assert expected["edge_no_events_n12"] == {}


@pytest.mark.parametrize("file", sorted(set(RUNNERS) - set(ELSEWHERE)))
def test_nothing_expected_reaches_the_runner(file):
    """Numbers of the result are all changed: what is given stays the same."""

    def shaken(value, key=""):
        if isinstance(value, dict):
            return {name: value[name] if name in KEPT else shaken(value[name], name) for name in value}
        if isinstance(value, list):
            return [shaken(item) for item in value]
        return value + 1 if isinstance(value, float) and math.isfinite(value) else value

    KEPT = ("data", "p", "table", "x1", "n1", "x0", "n0", "times", "tau")
    changed = copy.deepcopy(document(file))
    if file == "multiplicity.json":
        KEPT = ("data", "p")
    before = [case.given for case in cases(file)]
    assert [case.given for case in cases(file, shaken(changed))] == before


def test_unseen_sizes_and_covariates_are_computed():
    pack = RUNNERS["two_group.json"]
    case = copy.deepcopy(document("two_group.json")["cases"][8])
    for name in case["data"]:
        case["data"][name] = case["data"][name] * 3
    case["data"]["biomarker"] = [float(i % 7) for i in range(len(case["data"]["time"]))]
    case["result"]["cox_multi_efron"]["names"] = ["x", "biomarker"]
    for name in ("coef", "se", "hr", "lower", "upper", "wald_p"):
        case["result"]["cox_multi_efron"][name] = [0.1, 0.1]
    (only,) = pack.split({"cases": [case]})
    found = pack.compute(only.given)
    assert len(found["cox_multi_efron"]["coef"]) == 2
    assert found["logrank"]["obs"][0] + found["logrank"]["obs"][1] == sum(case["data"]["event"])


def test_errata_replace_only_what_they_name():
    with_errata = {c.id: c for c in cases("firth_logistic.json")}
    pack = RUNNERS["firth_logistic.json"]
    without = {c.id: c for c in pack.split(document("firth_logistic.json"), {})}
    limits = [
        c["separated_age_n9"].expected["uni_nodes"]["profile_upper"]["nodes"] for c in (with_errata, without)
    ]
    assert limits == pytest.approx([2.92190102041682, 2.78246533], abs=1e-6)
    assert all(with_errata[name].given == without[name].given for name in without)


@pytest.mark.rule("STAT-15", source="direct enumeration")
def test_what_a_split_could_show():
    document_ = {
        "min_attainable_two_sided_fisher_p": {
            "values": {
                "n=9,resp=4": {"balanced_split": 0.0079, "any_split": 0.0079},
                "n=12,resp=3": {"balanced_split": 0.1818, "any_split": 0.0045},
            }
        },
        "chance_of_spurious_subgroup_orr_gap_exact": {
            "values": {
                "n=12,resp=3,diff>=40pp": {"any_of_7": 0.754558, "one_split": 0.181818},
                "n=12,resp=2,diff>=50pp": {"any_of_7": 0, "one_split": 0},
            }
        },
    }
    for case in subgroup_cases(document_):
        found = dict(leaves(compute_subgroups(case.given)))
        for name, expected in leaves(case.expected):
            assert found[name] == pytest.approx(expected, abs=6e-5 if "min" in name else 1e-6), name


@pytest.mark.rule("STAT-22")
def test_the_whole_penalised_pack_where_present(reference):
    whole = json.loads((reference / "stats" / "firth_logistic.json").read_text(encoding="utf-8"))
    pack = RUNNERS["firth_logistic.json"]
    compared = 0
    for case in pack.split(whole, {"errata": document("errata.json")}):
        found = dict(leaves(pack.compute(case.given)))
        for name, expected in leaves(case.expected):
            compared += 1
            assert found[name] == pytest.approx(
                expected, rel=pack.tolerance_of(name), abs=pack.tolerance_of(name)
            ), name
    assert compared > 1500
