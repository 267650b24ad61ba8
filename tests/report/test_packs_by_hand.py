"""Reference packs written here, unseen and small, with values that can be had on paper: computed, scored, refused."""

from __future__ import annotations

import copy
import csv
import io
import json
from math import erfc, log, sqrt
from pathlib import Path

import pytest

from interim.report import validate as v
from interim.report.packs import PACKS
from interim.report.packs.base import leaves

OWN = Path(__file__).resolve().parents[1] / "reference"
KNOWN = {(pack.area, pack.file): pack for pack in PACKS}
SHIPPED = [key for key in KNOWN if (OWN.joinpath(*key)).is_file()]
SLOW = {"crm_posteriors.json"}
Z2 = 3.841458820694124  # 0.95 quantile of chi-square with one degree of freedom
LIMITS_0_OF_5 = [0.0, 1 - 0.025**0.2]


def boin_limits(target: float) -> tuple[float, float]:
    """Boundaries of BOIN by its closed form with 0.6 and 1.4 times the target."""
    low, high = 0.6 * target, 1.4 * target
    down = log((1 - low) / (1 - target)) / log(target * (1 - low) / (low * (1 - target)))
    up = log((1 - target) / (1 - high)) / log(high * (1 - target) / (target * (1 - high)))
    return down, up


BINOMIAL_0 = {"x": 0, "n": 5, "clopper_pearson": LIMITS_0_OF_5, "wilson": [0, Z2 / (5 + Z2)],
              "cp90": [0, 1 - 0.05**0.2], "cp_one_sided_lower95": 0, "p_exact_vs_0.2_greater": 1, "p_exact_vs_0.2_two": 0.5904}  # fmt: skip
BINOMIAL_5 = {"x": 5, "n": 5, "clopper_pearson": [0.025**0.2, 1], "p_exact_vs_0.2_greater": 0.00032, "p_exact_vs_0.2_two": 0.00032}  # fmt: skip
CURVE = {"id": "four", "data": {"time": [1, 2, 3, 4], "event": [1, 0, 1, 1]}, "result": {
    "table": {"n_risk": [4, 3, 2, 1], "n_event": [1, 0, 1, 1], "n_censor": [0, 1, 0, 0], "surv": [0.75, 0.75, 0.375, 0], "cumhaz": [0.25, 0.25, 0.75, 1.75]},
    "landmark": {"plain": {"times": [0.5, 2.5], "surv": [1, 0.75], "n_risk": [4, 2]}},
    "quantiles": {"log": {"est": [2, 3, 4]}}}}  # fmt: skip
NO_CURVE = {"id": "nobody's", "data": {"time": [1, 2], "event": [0, 0]}, "result": None}
TABLE = {"fisher": {"p": 0.1, "p_greater": 0.05, "p_less": 1}, "chisq_uncorrected_p": erfc(sqrt(3)), "diff": {"mee": {"est": 1}}, "or_mn": {"lower": "never scored"}}  # fmt: skip
RISKS = {"id": "r", "data": {"time": [1, 2, 3, 4], "status": [1, 2, 0, 1]}, "result": {
    "times": [2.5, 4], "aj": {"cause1": {"cif": [0.25, 0.75]}, "cause2": {"cif": [0.25, 0.25]}},
    "cmprsk": {"cause1": {"cif": [0.25, 0.75], "se": [9, 9]}}}}  # fmt: skip
GROUPS = {"id": "g", "data": {"time": [1, 2, 3, 4], "event": [1, 1, 1, 1], "x": [1, 1, 0, 0], "strat": [0, 0, 0, 0]},
          "result": {"logrank": {"chisq": 49 / 17, "p": erfc(sqrt(49 / 34))}, "logrank_stratified": {"chisq": 49 / 17}}}  # fmt: skip
RANKS = {
    "correlation": [{"id": 1, "data": {"x": [1, 2, 3, 4], "y": [1, 2, 3, 4]}, "result": {"ties": False, "spearman": {"rho": 1, "p_R_default": 1 / 12, "p_exact_enumerated": 1 / 12}, "kendall": {"tau_b": 1, "p_R_default": 1 / 12}}}],
    "wilcoxon": [{"id": 1, "data": {"y": [1, 2, 3, 4], "g": [0, 0, 1, 1]}, "result": {"p_exact_coin": 1 / 3, "kruskal_p": erfc(sqrt(1.2)), "hl_estimate_asympt": "context"}}],
    "jonckheere_noties": [{"id": 1, "data": {"y": [1, 2, 3], "g": [1, 2, 3]}, "result": {"JT": 3, "n_perm": 6, "p_exact_increasing": 1 / 6, "p_exact_two": 1 / 3}}],
    "cochran_armitage": [{"id": 1, "data": {"x": [0, 2], "n": [2, 2], "score": [1, 2]}, "result": {"chisq": 4, "p_asymptotic": erfc(sqrt(2)), "p_exact_increasing": 1 / 6, "p_exact_decreasing": 1, "p_exact_midp_increasing": 1 / 12}}],
}  # fmt: skip
FAMILY = {"padjust": [{"p": [0.01, 0.04], "holm": [0.02, 0.04], "hochberg": [0.02, 0.04], "hommel": [0.02, 0.04], "bh": [0.02, 0.04], "by": [0.03, 0.06], "bonferroni": [0.02, 0.08]}]}  # fmt: skip
LESIONS = [
    {"id": "pr", "baseline": {"A": {"nodal": False, "mm": 60}, "B": {"nodal": False, "mm": 40}}, "visits": [{"A": 35, "B": 35}, {"A": 42, "B": 43}, {"A": 30, "B": None}, {"A": 0, "B": 0}], "expected_target": ["PR", "PD", "NE", "CR"]},
    {"id": "one node", "baseline": {"N": {"nodal": True, "mm": 20}}, "visits": [{"N": 9}, {"N": 16}], "expected_target": ["CR", "PD"]},
]  # fmt: skip
PARAMETERS = {"sd_min_day": 42, "confirm_min_days": 28, "max_ne_between": 1}
PERSON = {"id": "P", "treatment_start": "2025-01-01", "data_cut": "2026-01-01", "last_alive": "2025-06-01",
          "assessments": [{"date": "2025-03-01", "response": "PD"}],
          "expected": {"OS": {"date": "2025-06-01", "censored": True, "days_plus1": 152, "reason": "any words"}, "PFS": {"date": "2025-03-01", "censored": False, "days_plus1": 60}}}  # fmt: skip
EVENT = {"id": "E", "ae_start": "2025-01-02", "ae_end": "", "trt_start": "2025-01-01", "trt_end": "2025-01-01", "grade": "2", "grade_at_treatment_start": "",
         "teae_no_window": "Y", "teae_window28": "Y", "teae_no_window_worsening": "Y", "teae_window28_worsening": "Y"}  # fmt: skip
LAB = {"id": "1", "term": "Anemia", "direction": "low", "unit": "g/L", "value": "79.9", "lln": "120", "uln": "160", "baseline": "", "baseline_ind": "", "pct_change": "", "expected_grade": "3"}  # fmt: skip
CRS = {"temp_ge_38": "1", "established_and_treated": "0", "hypotension": "none", "hypoxia": "none", "death": "0", "crs_grade": "1"}  # fmt: skip
ICANS = {"ice_score": "10", "consciousness": "normal", "seizure": "none", "deep_focal_motor_weakness": "0", "icp_edema": "none", "icans_grade": "0"}  # fmt: skip
CLINICAL = {
    "ci95_percent": {"values": {"0/5": {"cp": [0, 100 * LIMITS_0_OF_5[1]], "wilson": [0, 100 * Z2 / (5 + Z2)]}}},
    "zero_event_upper95_onesided_pct": {"values": {"2": 100 * (1 - sqrt(0.05))}},
    "dlt_posterior_above_one_third_beta11": {"values": {"0/1": 4 / 9, "1/1": 8 / 9}},
    "rounding_trap_1_decimal": {"values": {"all": [[1, 16, "6.2", "6.3"]]}},
    "tox_stop_boundary": {"values": {"1": None, "2": 2}},
    "single_stage_go": {"values": {"n=2,go>=1": {"p=1": 1.0}}},
}  # fmt: skip
BOIN = {"new": {"target": 0.2, "n": [1, 3], "lambda_e": boin_limits(0.2)[0], "lambda_d": boin_limits(0.2)[1], "escalate_le": [0, 0], "deescalate_ge": [1, 1], "ncohort": 2}}  # fmt: skip
RULES = {"safe": {"p_dlt": [0.0, 0.0], "esc_only": {"sel": [0, 0, 1], "p_cap": 0}}, "toxic": {"p_dlt": [1.0], "about": "text", "esc_only": {"sel": [1, 0], "total_dlt": 3}}}  # fmt: skip
HAND = {
    ("stats", "binomial_ci.json"): {"cases": [BINOMIAL_0, BINOMIAL_5]},
    ("stats", "km.json"): {"cases": [CURVE, NO_CURVE]},
    ("stats", "two_by_two.json"): {"cases": [{"x1": 3, "n1": 3, "x0": 0, "n0": 3, **TABLE}]},
    ("stats", "heterogeneity.json"): {"cases": [{"id": 1, "data": {"x": [3, 0], "n": [3, 3]}, "result": {"freeman_halton_p": 0.1, "chisq_p": erfc(sqrt(3))}}]},
    ("stats", "rxc_fisher.json"): {"cases": [{"table": [[3, 0], [0, 3]], "fisher_p": 0.1, "chisq_p": erfc(sqrt(3))}]},
    ("stats", "rank_trend.json"): RANKS,
    ("stats", "multiplicity.json"): FAMILY,
    ("stats", "competing_risks.json"): {"cases": [RISKS]},
    ("stats", "two_group.json"): {"cases": [GROUPS]},
    ("recist", "recist11_timepoint_table.csv"): [dict(zip(("target", "non_target", "new_lesion_unequivocal", "overall"), row.split(), strict=True)) for row in ("CR NE N PR", "SD NE N SD", "NE CR N NE", "NE NE Y PD", "CR PD N PD")],
    ("recist", "tl_traps_own.json"): {"cases": LESIONS},
    ("recist", "bor_traps_own.json"): {"cases": [{"id": "c", "parameters": PARAMETERS, "assessments": [{"day": 30, "response": "PR"}, {"day": 58, "response": "PR"}], "expected_BOR": "PR", "expected_CBOR": "PR"}, {"id": "u", "parameters": PARAMETERS, "assessments": [{"day": 50, "response": "PR"}, {"day": 77, "response": "PR"}], "expected_CBOR": "SD"}]},
    ("recist", "tte_random_admiral.json"): {"cases": [PERSON]},
    ("recist", "teae_random_admiral.csv"): [EVENT],
    ("recist", "ctcae5_graded_labs.csv"): [LAB, {**LAB, "id": "2", "value": "", "expected_grade": ""}],
    ("kinetics", "truth_crs.csv"): [CRS, {**CRS, "hypoxia": "positive_pressure", "crs_grade": "4"}],
    ("kinetics", "truth_icans.csv"): [ICANS, {**ICANS, "ice_score": "unarousable", "icans_grade": "4"}],
    ("clinical", "reference_numbers.json"): CLINICAL,
    ("dose", "oc_3plus3_exact.json"): {"scenarios": RULES},
    ("dose", "boin_boundaries.json"): {"tables": BOIN},
}  # fmt: skip


def save(folder: Path, key, document) -> Path:
    """Write a pack in the layout of the reference files."""
    path = folder.joinpath(*key)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    if key[1].endswith(".csv"):
        writer = csv.DictWriter(text, document[0])
        writer.writeheader()
        writer.writerows(document)
    else:
        json.dump(document, text)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def report_of(folder: Path, key, document) -> v.FileReport:
    save(folder, key, document)
    (report,) = v.validate(folder).files
    return report


def cases_of(key):
    return list(v._cases(KNOWN[key], OWN.joinpath(*key)))


@pytest.mark.rule("VAL-01", source="closed forms and enumeration on paper; published criteria")
@pytest.mark.parametrize("key", list(HAND), ids="/".join)
def test_an_unseen_pack_is_computed_and_agrees(key, tmp_path):
    report = report_of(tmp_path, key, HAND[key])
    assert report.disagreements == []
    assert report.compared == report.agree > 0 and report.cases > 0


def wrong_documents():
    for key, document in HAND.items():
        for case in KNOWN[key].split(document):
            for name, value in list(leaves(case.expected))[:1]:
                yield pytest.param(key, case.id, name, value, id=f"{key[1]} {case.id}")


@pytest.mark.rule("VAL-02")
@pytest.mark.parametrize(("key", "case_id", "name", "value"), list(wrong_documents()))
def test_a_wrong_value_is_named_with_case_and_field(key, case_id, name, value):
    pack = KNOWN[key]
    (case,) = (case for case in pack.split(HAND[key]) if case.id == case_id)
    wrong = copy.deepcopy(dict(case.expected))
    *steps, last = name.split(".")
    place = wrong
    for step in steps:
        place = place[int(step) if isinstance(place, list) else step]
    place[int(last) if isinstance(place, list) else last] = value + 1 if v._is_number(value) else "OTHER"
    report = v.FileReport("f", pack.area, pack.tolerance)
    v._compare(report, pack, v.Case(case.id, case.given, wrong))
    assert [(line["case"], line["field"]) for line in report.disagreements] == [(case_id, name)]


class Sealed(dict):
    """Something expected that nobody may look at."""

    def _refuse(self, *_):
        raise AssertionError("an expected value was read")

    __getitem__ = __iter__ = __len__ = __contains__ = keys = values = items = get = _refuse


@pytest.mark.rule("VAL-01")
@pytest.mark.parametrize("key", [key for key in SHIPPED if key[1] not in SLOW], ids="/".join)
def test_a_runner_reads_nothing_expected_changes_nothing_given_and_repeats_itself(key):
    pack, case = KNOWN[key], cases_of(key)[-1]
    given, sealed = copy.deepcopy(case.given), v.Case(case.id, case.given, Sealed())
    found = pack.compute(sealed.given)
    assert sealed.given == given
    assert repr(pack.compute(copy.deepcopy(given))) == repr(found)


@pytest.mark.rule("VAL-01")
@pytest.mark.parametrize("key", SHIPPED, ids="/".join)
def test_no_result_of_a_shipped_file_stands_among_what_is_given(key):
    """A number of nine characters and more does not come twice by chance."""

    def numbers(value):
        return {leaf for _, leaf in leaves(value) if isinstance(leaf, float) and len(repr(leaf)) > 9}

    cases = cases_of(key)
    assert len({case.id for case in cases}) == len(cases), "ids name their case"
    assert [case.id for case in cases if numbers(case.given) & numbers(case.expected)] == []


@pytest.mark.rule("VAL-02")
@pytest.mark.parametrize(
    ("key", "document", "cases"),
    [
        (("stats", "km.json"), {"cases": []}, 0),
        (("stats", "km.json"), {"cases": [NO_CURVE]}, 1),
        (("stats", "km.json"), {"cases": [{**CURVE, "result": {}}]}, 1),
        (("stats", "two_group.json"), {"cases": [{**GROUPS, "result": None}]}, 1),
        (("stats", "two_group.json"), {"cases": [{"id": "g", "data": GROUPS["data"]}]}, 1),
        (("stats", "firth_logistic.json"), {"cases": [{"id": "f", "data": {"y": [0]}, "result": None}]}, 1),
        (("stats", "rank_trend.json"), {}, 0),
        (("stats", "multiplicity.json"), {"padjust": []}, 0),
        (("clinical", "reference_numbers.json"), {}, 0),
    ],
)
def test_absent_and_null_results_compare_nothing_and_pass_nothing(key, document, cases, tmp_path):
    report = report_of(tmp_path, key, document)
    assert (report.cases, report.compared, report.agree, report.disagreements) == (cases, 0, 0, [])


@pytest.mark.rule("VAL-02")
@pytest.mark.parametrize(
    ("key", "document", "done"),
    [
        (("stats", "km.json"), {"other": []}, 0),
        (("stats", "km.json"), [], 0),
        (("stats", "km.json"), None, 0),
        (("stats", "binomial_ci.json"), {"cases": [BINOMIAL_0, {"n": 3}]}, 1),
        (("stats", "two_by_two.json"), {"cases": [{"x1": 1}]}, 0),
        (("dose", "oc_3plus3_exact.json"), {"scenarios": {"a": 5}}, 0),
        (("recist", "bor_traps_own.json"), {"cases": [{"id": "x"}]}, 0),
        (("clinical", "reference_numbers.json"), {"ci95_percent": {"about": "no values"}}, 0),
        (("kinetics", "truth_crs.csv"), [{**CRS, "crs_grade": "high"}], 0),
    ],
)
def test_a_file_of_another_layout_is_a_disagreement_and_the_others_still_run(key, document, done, tmp_path):
    save(tmp_path, ("stats", "rxc_fisher.json"), HAND["stats", "rxc_fisher.json"])
    save(tmp_path, key, document)
    found = v.validate(tmp_path)
    other, good = sorted(found.files, key=lambda report: report.file.endswith("rxc_fisher.json"))
    assert good.agree == 2 and good.disagreements == []
    (line,) = other.disagreements
    assert (other.cases, line["case"], line["field"]) == (done, f"case number {done + 1}", "(layout)")
    assert not found.ok and any("(layout)" in text for text in found.lines())


@pytest.mark.rule("VAL-02")
@pytest.mark.parametrize(
    "file",
    sorted({pack.file for pack in PACKS if pack.inputs == "input_*.csv"} - {"clean_series.csv"}),
)
def test_inputs_that_are_not_beside_the_file_are_said_for_each_case(file, tmp_path):
    (tmp_path / "kinetics").mkdir()
    rows = (OWN / "kinetics" / file).read_text("utf-8").splitlines()[:5]
    (tmp_path / "kinetics" / file).write_text("\n".join(rows), "utf-8")
    (report,) = v.validate(tmp_path).files
    runs = [line["found"] for line in report.disagreements if line["field"] == "(run)"]
    assert len(runs) == report.cases > 0 and report.agree == 0
    assert all("beside this" in text for text in runs)


@pytest.mark.rule("VAL-01")
def test_areas_nest_links_and_other_endings_do_not_count(tmp_path):
    key = ("stats", "rxc_fisher.json")
    save(tmp_path / "deep" / "er", key, HAND[key])
    (tmp_path / "deep" / "README.md").write_text("# text")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "deep" / "er" / "stats", target_is_directory=True)
    for folder in (tmp_path, tmp_path / "deep", tmp_path / "deep" / "er" / "stats", tmp_path / "alias"):
        found = v.validate(folder)
        assert [(r.file.rsplit("/", 1)[-1], r.agree) for r in found.files] == [(key[1], 2)]
        assert found.not_covered == ()


@pytest.mark.rule("VAL-02")
@pytest.mark.parametrize("name", ["rxc_fisher.csv", "RXC_FISHER.json", "rxc_fisher.json.json", "x.csv"])
def test_a_name_that_is_nearly_known_is_not_covered_and_not_read(name, tmp_path):
    save(tmp_path, ("stats", "heterogeneity.json"), HAND["stats", "heterogeneity.json"])
    (tmp_path / "stats" / name).write_bytes(b"\xff not text")
    found = v.validate(tmp_path)
    assert found.not_covered == (f"stats/{name}",) and found.ok
