"""Grading rules of immune toxicity as functions of plain values: limits, missing inputs, disagreements of the scales."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.adam.toxicity.crs import CrsSigns, astct_crs, ctcae_crs
from interim.adam.toxicity.gvhd import GvhdFindings, GvhdStages, gvhd_stages, is_acute
from interim.adam.toxicity.icaht import baseline_low, daily_counts, early_grade, late_grade
from interim.adam.toxicity.icans import UNAROUSABLE, IcansSigns, contradicts, icans_grade
from interim.adam.toxicity.iechs import IecHsFindings, iechs_screen
from interim.adam.toxicity.liver import hys_law, pattern, quadrant, window_after_infusion
from interim.study.toxicity import ToxicityTable

RULES = ToxicityTable()
FEVER = CrsSigns(fever=True)


def both(rules=RULES, **signs):
    found = CrsSigns(**{"fever": True} | signs)
    return astct_crs(found).grade, ctcae_crs(found, rules).grade


@pytest.mark.rule("SAF-10")
@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ({}, (1, 1)),
        ({"fever": False}, (0, 0)),
        ({"hypotension": True}, (2, 2)),
        ({"device": "NASAL", "flow": 4.9}, (2, 2)),
        ({"device": "NASAL", "flow": 5.0}, (2, 3)),
        ({"device": "NASAL", "flow": 6.0}, (2, 3)),
        ({"device": "NASAL", "flow": 6.1}, (3, 3)),
        ({"device": "FACEMASK", "fio2": 0.35}, (3, 2)),
        ({"device": "VENTURI", "fio2": 0.28}, (3, 2)),
        ({"device": "FACEMASK"}, (3, 3)),
        ({"device": "NRB"}, (3, 3)),
        ({"vasopressors": 1, "vasopressin": True}, (3, 4)),
        ({"vasopressin": True}, (3, 3)),
        ({"vasopressors": 2}, (4, 4)),
        ({"device": "BIPAP"}, (4, 4)),
        ({"device": "VENT", "airway_only": True}, (1, 1)),
        ({"fever": False, "reported": True, "hypotension": True}, (0, 2)),
        ({"fever": False, "hypotension": True}, (0, 0)),
        ({"fever": False, "established": True, "hypotension": True}, (2, 2)),
        ({"fatal": True}, (5, 5)),
        ({"fever": False, "fatal": True}, (0, 0)),
    ],
)
def test_the_two_scales(signs, expected):
    assert both(**signs) == expected


@pytest.mark.rule("SAF-10")
def test_parameters_of_the_ctcae_form():
    assert both(ToxicityTable(ctcae_count_vasopressin=False), vasopressors=1, vasopressin=True) == (3, 3)
    assert both(ToxicityTable(ctcae_cpap_grade=3), device="CPAP") == (4, 3)
    assert both(ToxicityTable(ctcae_cpap_grade=3), device="VENT") == (4, 4)
    assert both(ToxicityTable(fio2_per_litre=0.03), device="NASAL", flow=6.0) == (2, 2)


@pytest.mark.rule("SAF-12")
@pytest.mark.parametrize(
    ("signs", "bounds", "missing"),
    [
        ({"fever": None}, (0, 1), ("fever",)),
        ({"device": None}, (1, 4), ("hypoxia",)),
        ({"device": None, "fever": False}, (0, 0), ()),
        ({"device": None, "vasopressors": 2}, (4, 4), ()),
        ({"device": "NASAL"}, (1, 4), ("hypoxia",)),
        ({"vasopressors": None}, (1, 4), ("hypotension",)),
        ({"hypotension": None}, (1, 4), ("hypotension",)),
        ({"hypotension": None, "vasopressors": 1}, (3, 3), ()),
    ],
)
def test_a_missing_input_gives_bounds_and_never_the_best_case(signs, bounds, missing):
    graded = astct_crs(CrsSigns(**{"fever": True} | signs))
    assert (graded.low, graded.high, graded.missing) == (*bounds, missing)
    assert graded.grade == (bounds[0] if bounds[0] == bounds[1] else None)
    assert graded.reason == ("" if graded.grade is not None else "INPUT_MISSING")


@pytest.mark.rule("SAF-12")
def test_high_flow_oxygen_needs_a_fraction_for_ctcae():
    graded = ctcae_crs(replace(FEVER, device="HFNC"), RULES)
    assert (graded.low, graded.high, graded.driver) == (1, 4, "hypoxia")
    assert ctcae_crs(replace(FEVER, device="HFNC", fio2=0.6), RULES).grade == 3


@pytest.mark.rule("SAF-11")
@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ({}, 0),
        ({"ice": 9}, 1),
        ({"ice": 7}, 1),
        ({"ice": 6}, 2),
        ({"ice": 3}, 2),
        ({"ice": 2}, 3),
        ({"ice": 0}, 3),
        ({"ice": UNAROUSABLE}, 4),
        ({"consciousness": "SPONTANEOUS"}, 1),
        ({"consciousness": "VOICE"}, 2),
        ({"consciousness": "TOUCH"}, 3),
        ({"consciousness": "TOUCH", "explained": True}, 0),
        ({"seizure": "BRIEF"}, 3),
        ({"seizure": "PROLONGED"}, 4),
        ({"motor": True}, 4),
        ({"pressure": "FOCAL"}, 3),
        ({"pressure": "DIFFUSE"}, 4),
        ({"ice": 9, "fatal": True}, 5),
        ({"seizure": None}, None),
        ({"seizure": None, "motor": True}, 4),
    ],
)
def test_neurotoxicity_is_the_worst_item(signs, expected):
    assert icans_grade(IcansSigns(**signs)).grade == expected


@pytest.mark.rule("SAF-11")
def test_a_score_out_of_range_is_an_error_and_a_contradiction_is_told():
    for score in (11, -1, 5.5):
        with pytest.raises(ValueError, match=r"0\.\.10"):
            icans_grade(IcansSigns(ice=score))
    assert contradicts(IcansSigns(ice=7, consciousness="UNAROUSABLE"))
    assert not contradicts(IcansSigns(ice=6, consciousness="UNAROUSABLE"))
    assert not contradicts(IcansSigns(ice=UNAROUSABLE, consciousness="UNAROUSABLE"))


ORDERED = {
    "ice": [10, 8, 4, 1, UNAROUSABLE],
    "consciousness": ["NORMAL", "SPONTANEOUS", "VOICE", "TOUCH", "UNAROUSABLE"],
}
ORDERED |= {
    "seizure": ["NONE", "BRIEF", "PROLONGED"],
    "motor": [False, True],
    "pressure": ["NONE", "FOCAL", "DIFFUSE"],
}
SIGNS = st.fixed_dictionaries({name: st.integers(0, len(codes) - 1) for name, codes in ORDERED.items()})


@given(SIGNS, st.sampled_from(sorted(ORDERED)))
@settings(max_examples=50, deadline=None)
def test_worsening_one_neurological_item_never_lowers_the_grade(levels, name):
    before = IcansSigns(**{key: ORDERED[key][level] for key, level in levels.items()})
    worse = min(levels[name] + 1, len(ORDERED[name]) - 1)
    assert icans_grade(replace(before, **{name: ORDERED[name][worse]})).low >= icans_grade(before).low


@given(st.booleans(), st.booleans(), st.integers(0, 3), st.floats(0.1, 15), st.booleans())
@settings(max_examples=50, deadline=None)
def test_a_further_vasopressor_or_more_oxygen_never_lowers_the_grade(fever, low, count, flow, established):
    signs = CrsSigns(fever, established, hypotension=low, vasopressors=count, device="NASAL", flow=flow)
    for worse in (
        replace(signs, vasopressors=count + 1),
        replace(signs, flow=flow + 3),
        replace(signs, fever=True),
    ):
        assert astct_crs(worse).low >= astct_crs(signs).low
        assert ctcae_crs(worse, RULES).low >= ctcae_crs(signs, RULES).low


@pytest.mark.rule("SAF-13")
@pytest.mark.parametrize(
    ("findings", "verdict", "reason"),
    [
        ({"ferritin_x_uln": 3.0, "fibrinogen": 1.4, "hours_after_crs": 60}, "SCREEN_POSITIVE", ""),
        (
            {"ferritin_x_uln": 3.0, "fibrinogen": 1.4, "hours_after_crs": 47},
            "SCREEN_NEGATIVE",
            "CONCURRENT_CRS",
        ),
        ({"ferritin_x_uln": 3.0, "fibrinogen": 1.4}, "SCREEN_POSITIVE", ""),
        (
            {"ferritin_x_uln": 2.0, "ferritin_x_base": 2.0, "ferritin_rise": 1.9, "fibrinogen": 1.0},
            "SCREEN_NEGATIVE",
            "",
        ),
        ({"ferritin_rise": 2.0, "cytopenia_grade": 4}, "SCREEN_POSITIVE", ""),
        ({"ferritin_x_base": 2.1, "aminotransferase": 5.1}, "SCREEN_POSITIVE", ""),
        ({"ferritin_x_base": 2.1, "fibrinogen": 1.9, "fibrinogen_lln": 2.0}, "SCREEN_POSITIVE", ""),
        ({"ferritin_x_uln": 1.0, "fibrinogen": 1.0}, "NOT_EVALUABLE", ""),
        ({"ferritin_x_uln": 3.0, "fibrinogen": 2.5}, "NOT_EVALUABLE", ""),
        (
            {
                "ferritin_x_uln": 3.0,
                "fibrinogen": 2.5,
                "aminotransferase": 1.0,
                "cytopenia_grade": 3,
                "haemophagocytosis": False,
            },
            "SCREEN_NEGATIVE",
            "",
        ),
    ],
)
def test_screening_for_iec_hs(findings, verdict, reason):
    screen = iechs_screen(IecHsFindings(**findings), RULES)
    assert (screen.verdict, screen.reason) == (verdict, reason)


@pytest.mark.rule("SAF-13")
def test_the_missing_input_is_named_and_the_number_of_criteria_is_a_parameter():
    screen = iechs_screen(IecHsFindings(ferritin_x_uln=1.0, fibrinogen=1.0), RULES)
    assert screen.missing == ("ferritin x baseline", "ferritin rise")
    one = IecHsFindings(
        ferritin_x_uln=3.0, fibrinogen=1.0, aminotransferase=1.0, cytopenia_grade=1, haemophagocytosis=False
    )
    assert iechs_screen(one, ToxicityTable(iechs_min_support=2)).verdict == "SCREEN_NEGATIVE"
    assert iechs_screen(replace(one, cytopenia_grade=4), ToxicityTable(iechs_min_support=2)).supporting == (
        "fibrinogen",
        "cytopenia",
    )


def course(days, value, rest=3.0):
    return {day: value if day in days else rest for day in range(31)}


@pytest.mark.rule("SAF-14")
@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (course(range(0), 0.4), 0),
        (course(range(1), 0.5), 1),
        (course(range(6), 0.4), 1),
        (course(range(7), 0.4), 2),
        (course(range(13), 0.4), 2),
        (course(range(14), 0.4), 3),
        (course(range(31), 0.4), 4),
        (course(range(6), 0.1), 1),
        (course(range(7), 0.1), 3),
        (course(range(14), 0.05), 4),
    ],
)
def test_early_haematotoxicity_by_days_below_the_limits(counts, expected):
    assert early_grade(counts, RULES).grade == expected


@pytest.mark.rule("SAF-14")
def test_gaps_are_filled_or_make_bounds():
    assert daily_counts({0: 1.0, 3: 2.0}, 4, longest=2) == [1.0, 1.0, 1.0, 2.0, 2.0]
    assert daily_counts({1: 1.0, 5: 2.0}, 5, longest=2) == [None, 1.0, None, None, None, 2.0]
    graded = early_grade({0: 3.0, 10: 0.4, 11: 3.0, 30: 3.0}, RULES)
    assert (graded.low, graded.high, graded.missing) == (1, 4, ("ANC",))
    apart = course([1, 3, 5, 7, 9, 11, 13], 0.4)
    assert early_grade(apart, RULES).grade == 2
    assert early_grade(apart, ToxicityTable(icaht_count="longest_run")).grade == 1
    assert early_grade(course(range(14), 0.4), RULES, last_day=5).grade == 1


@pytest.mark.rule("SAF-14")
@pytest.mark.parametrize(
    ("counts", "expected"),
    [([], 0), ([1.5], 0), ([1.5, 1.5], 1), ([1.0, 1.0, 0.5], 2), ([0.5, 0.4], 3), ([0.1, 0.1], 4)],
)
def test_late_haematotoxicity_needs_two_tests(counts, expected):
    assert late_grade(counts) == expected
    assert (baseline_low(0.99), baseline_low(1.0), baseline_low(None)) == (True, False, False)


@pytest.mark.rule("SAF-15")
@pytest.mark.parametrize(
    ("findings", "stages", "grade"),
    [
        ({}, (0, 0, 0, 0), 0),
        ({"skin_percent": 24.9}, (1, 0, 0, 0), 1),
        ({"skin_percent": 50}, (2, 0, 0, 0), 1),
        ({"skin_percent": 51}, (3, 0, 0, 0), 2),
        ({"bullae": True}, (4, 0, 0, 0), 4),
        ({"bilirubin": 34.0}, (0, 0, 0, 0), 0),
        ({"bilirubin": 34.2}, (0, 1, 0, 0), 2),
        ({"bilirubin": 60.0}, (0, 2, 0, 0), 3),
        ({"bilirubin": 103.0}, (0, 3, 0, 0), 3),
        ({"bilirubin": 300.0}, (0, 4, 0, 0), 4),
        ({"upper_gut": True}, (0, 0, 1, 0), 2),
        ({"stool_volume": 500}, (0, 0, 0, 1), 2),
        ({"stool_volume": 1500}, (0, 0, 0, 2), 3),
        ({"stool_volume": 1501}, (0, 0, 0, 3), 3),
        ({"stool_episodes": 8}, (0, 0, 0, 3), 3),
        ({"severe_gut": True}, (0, 0, 0, 4), 4),
    ],
)
def test_stages_and_grade_of_graft_versus_host_disease(findings, stages, grade):
    found = gvhd_stages(GvhdFindings(**findings))
    assert (found.skin, found.liver, found.upper, found.lower) == stages
    assert found.grade == grade


@pytest.mark.rule("SAF-15")
def test_the_grade_without_the_liver_stands_beside_it():
    assert GvhdStages(skin=1, liver=3).grade_without_liver == 1
    assert (is_acute(100, 100), is_acute(101, 100), is_acute(-1, 100)) == (True, False, False)


NAN = float("nan")


def panel(**series):
    rows = [
        {"PARAMCD": code, "DAY": day, "XULN": uln, "XBASE": base}
        for code, values in series.items()
        for day, uln, base in values
    ]
    return pd.DataFrame(rows, columns=["PARAMCD", "DAY", "XULN", "XBASE"])


@pytest.mark.rule("SAF-16")
@pytest.mark.parametrize(
    ("values", "rules", "expected"),
    [
        ({"ALT": [(5, 3.0, 3.0)], "BILI": [(7, 2.1, 2.1)], "ALP": [(5, 2.0, 1.0)]}, {}, (True, "")),
        ({"ALT": [(5, 2.9, 3.0)], "BILI": [(7, 2.1, 2.1)], "ALP": [(5, 1.0, 1.0)]}, {}, (False, "NO_AT")),
        (
            {"AST": [(5, 8.0, 3.0)], "BILI": [(7, 2.0, 2.1)], "ALP": [(5, 1.0, 1.0)]},
            {},
            (False, "NO_BILIRUBIN"),
        ),
        (
            {"AST": [(5, 8.0, 3.0)], "BILI": [(7, 2.0, 2.1)], "ALP": [(5, 1.0, 1.0)]},
            {"hys_bili_strict": False},
            (True, ""),
        ),
        ({"ALT": [(5, 4.0, 3.0)], "BILI": [(36, 3.0, 2.1)], "ALP": [(5, 1.0, 1.0)]}, {}, (False, "TOO_FAR")),
        ({"ALT": [(5, 4.0, 3.0)], "BILI": [(35, 3.0, 2.1)], "ALP": [(5, 1.0, 1.0)]}, {}, (True, "")),
        (
            {"ALT": [(5, 4.0, 3.0)], "BILI": [(6, 3.0, 2.1)], "ALP": [(5, 1.0, 1.0)]},
            {"hys_window_days": 0},
            (False, "TOO_FAR"),
        ),
        (
            {"ALT": [(5, 4.0, 3.0)], "BILI": [(3, 3.0, 2.1)], "ALP": [(5, 1.0, 1.0)]},
            {"hys_order": "at_first"},
            (False, "TOO_FAR"),
        ),
        ({"ALT": [(5, 4.0, 3.0)], "BILI": [(7, 3.0, 2.1)], "ALP": [(5, 2.1, 1.0)]}, {}, (False, "ALP")),
        ({"ALT": [(5, 4.0, 3.0)], "BILI": [(7, 3.0, 2.1)]}, {}, (True, "ALP_MISSING")),
        # A value without upper limit leaves it open, unless another criterion rules the candidate out.
        ({"ALT": [(5, NAN, 3.0)], "BILI": [(7, 3.0, 2.1)]}, {}, (False, "ULN_MISSING")),
        ({"ALT": [(5, 4.0, 3.0)], "BILI": [(7, NAN, 2.1)]}, {}, (False, "ULN_MISSING")),
        ({"ALT": [(5, NAN, 3.0)], "BILI": [(7, NAN, 2.1)]}, {}, (False, "ULN_MISSING")),
        ({"ALT": [(5, NAN, 3.0)], "BILI": [(7, 1.0, 2.1)]}, {}, (False, "NO_AT")),
        ({"ALT": [(5, 2.0, 3.0)], "BILI": [(7, NAN, 2.1)]}, {}, (False, "NO_AT")),
        ({"ALT": [(5, NAN, 3.0), (6, 4.0, 3.0)], "BILI": [(40, 3.0, 2.1)]}, {}, (False, "ULN_MISSING")),
        ({"ALT": [(5, 4.0, 3.0)], "BILI": [(36, 3.0, 2.1)], "ALP": [(5, NAN, 1.0)]}, {}, (False, "TOO_FAR")),
        ({"ALT": [(5, 4.0, 3.0)], "BILI": [(7, 3.0, 2.1)], "ALP": [(9, 3.0, 1.0)]}, {}, (False, "ALP")),
    ],
)
def test_hys_law_candidates(values, rules, expected):
    found = hys_law(panel(**values), ToxicityTable(**rules))
    assert (found.candidate, found.reason) == expected


@pytest.mark.rule("SAF-16")
def test_the_version_for_an_abnormal_baseline():
    # Baseline ALT 2 x ULN, ALP 3 x ULN: the plain ALP exclusion removes a participant whose ALP did not rise.
    rows = panel(ALT=[(5, 4.0, 2.0)], BILI=[(6, 2.5, 2.5)], ALP=[(5, 3.3, 1.1)])
    assert hys_law(rows, RULES).reason == "ALP"
    assert hys_law(rows, RULES, variant="baseline").candidate
    small = panel(ALT=[(5, 4.0, 1.9)], BILI=[(6, 2.5, 2.5)], ALP=[(5, 3.3, 1.1)])
    assert hys_law(small, RULES, variant="baseline").reason == "NO_AT"


# Limits of the adjusted version: 2 x baseline of ALT and bilirubin, ALP 2 x ULN or 2 x baseline.
@pytest.mark.rule("SAF-49", source="spec/immune-toxicity.md, section 7: missing baseline")
@pytest.mark.parametrize(
    ("values", "candidate", "reason"),
    [
        ({"ALT": [(5, 4.0, NAN)], "BILI": [(6, 3.0, 3.0)]}, False, "BASELINE_MISSING"),
        ({"AST": [(5, 4.0, 3.0)], "BILI": [(6, 3.0, NAN)]}, False, "BASELINE_MISSING"),
        ({"ALT": [(5, 4.0, NAN)], "BILI": [(6, 3.0, NAN)]}, False, "BASELINE_MISSING"),
        # Whatever the baseline was, another criterion rules the candidate out.
        ({"ALT": [(5, 2.9, NAN)], "BILI": [(6, 3.0, 3.0)]}, False, "NO_AT"),
        ({"ALT": [(5, 4.0, NAN)], "BILI": [(6, 1.9, 3.0)]}, False, "NO_AT"),
        ({"ALT": [(5, 4.0, NAN)], "BILI": [(6, 3.0, 1.9)]}, False, "NO_AT"),
        ({"ALT": [(5, 4.0, 1.9)], "BILI": [(6, 3.0, NAN)]}, False, "NO_AT"),
        ({"ALT": [(5, 4.0, NAN)], "BILI": [(36, 3.0, 3.0)]}, False, "NO_AT"),
        # A second value with its baseline decides; one without does not spoil it.
        ({"ALT": [(5, 4.0, 3.0)], "AST": [(5, 4.0, NAN)], "BILI": [(6, 3.0, 3.0)]}, True, "ALP_MISSING"),
        ({"ALT": [(5, 4.0, 1.0)], "AST": [(5, 4.0, NAN)], "BILI": [(6, 3.0, 3.0)]}, False, "BASELINE_MISSING"),
        ({"ALT": [(5, 4.0, 3.0), (50, 4.0, NAN)], "BILI": [(60, 3.0, 3.0)]}, False, "BASELINE_MISSING"),
        # ALP of 3 x ULN excludes, unless it may have been as high before.
        ({"ALT": [(5, 4.0, 3.0)], "BILI": [(6, 3.0, 3.0)], "ALP": [(5, 3.0, NAN)]}, False, "BASELINE_MISSING"),
        ({"ALT": [(5, 4.0, 3.0)], "BILI": [(6, 3.0, 3.0)], "ALP": [(5, 3.0, 3.0)]}, False, "ALP"),
        ({"ALT": [(5, 4.0, 3.0)], "BILI": [(6, 3.0, 3.0)], "ALP": [(5, 2.0, NAN)]}, True, ""),
        ({"ALT": [(5, 4.0, NAN)], "BILI": [(6, 3.0, 3.0)], "ALP": [(5, 3.0, 3.0)]}, False, "NO_AT"),
        # Without the limit the limit is the reason.
        ({"ALT": [(5, NAN, NAN)], "BILI": [(6, 3.0, 3.0)]}, False, "ULN_MISSING"),
    ],
)  # fmt: skip
def test_a_missing_baseline_leaves_the_adjusted_version_open(values, candidate, reason):
    rows = panel(**values)
    kept = rows.copy()
    found = hys_law(rows, RULES, variant="baseline")
    assert (found.candidate, found.reason) == (candidate, reason)
    open_ones = ("BASELINE_MISSING", "ULN_MISSING")
    assert found.flag == ("Y" if candidate else None if reason in open_ones else "N")
    assert hys_law(rows, RULES).reason != "BASELINE_MISSING", "the plain version needs no baseline"
    pd.testing.assert_frame_equal(rows, kept)


@pytest.mark.rule("SAF-49", source="property: only a value that is known can decide")
@pytest.mark.parametrize("seed", range(20))
def test_no_baseline_makes_a_candidate_of_who_is_none(seed):
    """Where the answer is N, every baseline that could have stood there gives no candidate either."""
    rng = np.random.default_rng(seed)
    rows = panel(
        **{
            code: [(int(d), float(rng.uniform(0.5, 6)), NAN) for d in (3, 9)]
            for code in ("ALT", "BILI", "ALP")
        }
    )
    answer = hys_law(rows, RULES, variant="baseline")
    made = [
        hys_law(
            rows.assign(XBASE=rows["XULN"] / rows["PARAMCD"].map(bases)), RULES, variant="baseline"
        ).candidate
        for bases in (
            {code: float(rng.uniform(0.1, 4)) for code in ("ALT", "BILI", "ALP")} for _ in range(60)
        )
    ]
    assert not answer.candidate
    assert answer.flag is None or not any(made)


@pytest.mark.rule("SAF-16")
def test_pattern_quadrants_and_windows():
    found = hys_law(
        panel(ALT=[(5, 10.0, 9.0)], BILI=[(6, 2.5, 2.5)], ALP=[(4, 1.5, 1.0), (6, 9.0, 1.0)]), RULES
    )
    assert found.ratio == pytest.approx(10 / 1.5) and pattern(found.ratio) == "HEPATOCELLULAR"
    assert hys_law(panel(ALT=[(5, 10.0, 9.0)], BILI=[(6, 2.5, 2.5)]), RULES).ratio is None
    assert [quadrant(at, bili, RULES) for at, bili in ((1, 1), (3, 1), (1, 2), (3, 2))] == [
        "NORMAL",
        "TEMPLES_COROLLARY",
        "HYPERBILIRUBINAEMIA",
        "HYS_LAW_RANGE",
    ]
    assert [window_after_infusion(day, (2, 5, 9)) for day in (2, 3, 9, 10)] == ["0-2", "3-5", "6-9", "10+"]
