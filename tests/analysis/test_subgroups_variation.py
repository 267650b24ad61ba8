"""Heterogeneity: worked example, exact tests, strata, adjusted p-values; slopes, shrinkage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interim.analysis import subgroups
from interim.analysis.subgroups.chance import response_plan
from interim.analysis.subgroups.model import Outcome
from interim.analysis.subgroups.shrunken import shrunk
from interim.analysis.subgroups.slope import add_slopes, unit_of
from interim.analysis.subgroups.variation import (
    add_heterogeneity,
    factor_tests,
    family_statistics,
    feature,
    midranks,
    outcome_scores,
    shared_plan,
)
from interim.errors import StudyError
from interim.stats import logrank_permutation, max_t, wilcoxon
from tests.analysis.panels import (
    binary,
    cell,
    factor,
    number,
    panel,
    reason,
    rows,
    settings,
    times,
    worked,
)


@pytest.mark.rule("SUBQ-05", source="worked example of the specification")
def test_statistics_and_adjusted_values_of_the_worked_example():
    made = worked()
    outcome = made.outcomes["orr"]
    plan = response_plan(outcome.values, settings(), analysis_id="t")
    statistics, owner = family_statistics(made.primary, outcome, plan)
    # The levels of a two-level factor enter by their second level (low): signs turn.
    expected = [-0.971008, 0.368514, 0.856349, -1.914854, 1.354006]
    assert statistics.observed == pytest.approx(expected, abs=1e-6)
    assert owner.tolist() == [0, 0, 0, 1, 2]
    assert (statistics.p_values * 220).round(6).tolist() == [115, 220, 220, 40, 108]
    single = max_t(statistics, step_down=False).p_values * 220
    assert single.round(6).tolist() == [195, 220, 220, 59, 161]
    assert (max_t(statistics).p_values * 220).round(6).tolist() == [157, 220, 220, 59, 146]


@pytest.mark.rule("SUBQ-05")
def test_rows_of_the_worked_example():
    into = rows()
    into.scope = "internal"
    add_heterogeneity(into, worked(), settings())
    frame = into.build().frame
    assert set(frame["scope"]) == {"internal"}
    assert number(frame, "ligand", "orr", "p_max_t") * 220 == pytest.approx(59)
    assert number(frame, "type", "orr", "p_max_t") * 220 == pytest.approx(157)
    # Fisher 2 x 2 with 3 of 12 responders: all in one half of 6 has probability 20/220 twice.
    assert number(frame, "ligand", "orr", "p_heterogeneity") == pytest.approx(40 / 220)
    assert number(frame, "ligand", "orr", "p_min") == pytest.approx(2 / 11)
    assert (number(frame, "Total", "tests orr", "planned"), number(frame, "Total", "tests orr", "run")) == (
        3,
        3,
    )


@pytest.mark.rule("SUBQ-05")
@pytest.mark.parametrize(
    ("hits", "labels", "code"),
    [((), "aabb", "NO_EVENTS"), ((1, 2, 3, 4), "aabb", "ALL_EVENTS"), ((1,), "aaaa", "ONE_LEVEL")],
)
def test_no_test_says_why(hits, labels, code):
    into = rows()
    into.scope = "internal"
    add_heterogeneity(into, panel([factor("f", list(labels))], [binary(hits, 4)]), settings())
    frame = into.build().frame
    assert reason(frame, "f", "orr", "p_heterogeneity") == ("NE", code)
    assert number(frame, "Total", "tests orr", "not_evaluable") == 1


@pytest.mark.rule("SUBQ-05")
def test_times_without_an_event_and_factors_without_a_value():
    nothing = factor("f", [None] * 4, levels="ab")
    two = factor("g", list("aabb"), dimension="ratio")
    into = rows()
    into.scope = "internal"
    add_heterogeneity(into, panel([nothing, two], [times([1, 2, 3, 4], [0, 0, 0, 0])]), settings())
    frame = into.build().frame
    assert reason(frame, "f", "pfs", "p_heterogeneity") == ("NE", "NO_DATA")
    assert reason(frame, "g", "pfs", "p_heterogeneity") == ("NE", "NO_EVENTS")


@pytest.mark.rule("SUBQ-05")
def test_two_level_times_agree_with_the_exact_permutation_log_rank():
    days = [3, 5, 8, 9, 12, 15, 20, 22, 30, 31]
    events = [1, 1, 0, 1, 1, 1, 0, 1, 1, 0]
    f = factor("f", list("aabababbba"))
    made = panel([f], [times(days, events)])
    plan = shared_plan(made, settings())
    found = factor_tests((f,), made.outcomes["pfs"], plan=plan, study=settings())[0]
    exact = logrank_permutation(days, events, group=f.codes).p_value
    assert found.name.endswith("log-rank scores") and abs(found.p_value - exact) <= 4 * found.error


@pytest.mark.rule("SUBQ-05")
def test_ranks_agree_with_the_exact_wilcoxon():
    values = np.array([1.0, 4.0, 2.0, 9.0, 7.0, 5.0, 8.0, 3.0, 6.0])
    f = factor("f", list("aaabbabab"))
    outcome = Outcome("depth", "continuous", values, np.zeros(9, dtype=bool))
    plan = shared_plan(panel([f], [outcome]), settings())
    found = factor_tests((f,), outcome, plan=plan, study=settings())[0]
    assert abs(found.p_value - wilcoxon(values, f.codes).p_value) <= 4 * found.error


@pytest.mark.rule("SUBQ-05")
def test_the_kind_of_factor_decides_the_test():
    values = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
    steps = factor("steps", list("aabbccdd"), kind="ordinal", dimension="prior", cuts=(1.0, 2.0, 3.0))
    line = factor("line", list("aaaabbbb"), values=values, kind="continuous", scale="log2", dimension="ratio")
    kind = factor("kind", list("abcabcab"))
    made = panel([steps, line, kind], [binary((5, 6, 8), 8)])
    plan = shared_plan(made, settings())
    outcome = made.outcomes["orr"]
    names = [t.name for t in factor_tests(made.primary, outcome, plan=plan, study=settings())]
    assert names == [
        "Cochran-Armitage, exact",
        "permutation, linear statistic of response",
        "Freeman-Halton, exact",
    ]
    assert feature(line, outcome)[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert feature(steps, outcome).shape == (8, 1) and feature(kind, outcome).shape == (8, 3)
    time = times([1, 2, 3, 4, 5, 6, 7, 8], [1] * 8)
    quadratic = factor_tests((kind,), time, plan=plan, study=settings())[0]
    assert quadratic.name == "permutation, quadratic statistic of log-rank scores"
    assert 0 < quadratic.p_min <= quadratic.p_value <= 1


@pytest.mark.rule("SUBQ-05")
def test_a_monotone_change_of_values_keeps_rank_tests():
    values = np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.0, 3.5])
    outcome = Outcome("depth", "continuous", values[::-1].copy(), np.zeros(8, dtype=bool))
    plain = factor("x", list("aaaabbbb"), values=values, kind="continuous")
    cubed = factor("x", list("aaaabbbb"), values=values**3, kind="continuous")
    plan = shared_plan(panel([plain], [outcome]), settings())
    first, second = (
        factor_tests((f,), outcome, plan=plan, study=settings())[0].p_value for f in (plain, cubed)
    )
    assert first == second and midranks(values).tolist() == midranks(values**3).tolist()


@pytest.mark.rule("SUBQ-05")
@pytest.mark.parametrize("within", ["dose", "tumour_type"])
def test_participants_move_within_strata(within):
    kind = factor("kind", list("aaaabbbb"))
    other = factor("other", list("xyxyxyxy"), dimension="ratio")
    made = panel([kind, other], [binary((1, 2), 8)], dose=list("ppppqqqq"))
    plan = shared_plan(made, settings(permute_within=within))
    moved = plan.index
    assert set(moved[:, :4].ravel()) == {0, 1, 2, 3} and set(moved[:, 4:].ravel()) == {4, 5, 6, 7}
    found = factor_tests(made.primary, made.outcomes["orr"], plan=plan, study=settings(permute_within=within))
    assert found[1].name.startswith("permutation")


@pytest.mark.rule("SUBQ-05")
@pytest.mark.parametrize("adjust", ["max_t", "min_p", "none"])
def test_kind_of_adjustment(adjust):
    into = rows()
    into.scope = "internal"
    add_heterogeneity(into, worked(), settings(adjust=adjust))
    frame = into.build().frame
    adjusted = frame[frame["stat"] == "p_max_t"]
    assert len(adjusted) == (0 if adjust == "none" else 3)
    raw = frame[frame["stat"] == "p_heterogeneity"].set_index("group")["value"]
    for row in adjusted.to_dict("records"):
        assert row["method"] == f"{adjust}_step_down"
        assert row["value"] >= raw[row["group"]] - 0.35


@pytest.mark.rule("SUBQ-05")
def test_scores_move_with_missing_values():
    outcome = times([5, 6, 7, 8], [1, 1, 0, 1])
    gone = Outcome("pfs", "time", np.array([5, np.nan, 7, 8.0]), outcome.events)
    assert np.isnan(outcome_scores(gone)[1]) and np.isfinite(outcome_scores(gone)[[0, 2, 3]]).all()
    nobody = Outcome("pfs", "time", np.full(3, np.nan), np.zeros(3, dtype=bool))
    assert np.isnan(outcome_scores(nobody)).all()


@pytest.mark.rule("SUBQ-05")
def test_the_question_is_internal_and_needs_a_seed(adam, study):
    with pytest.raises(StudyError, match="state a seed"):
        subgroups.heterogeneity(adam, study, endpoints=["pfs"])
    seeded = study.model_copy(
        update={
            "study": study.study.model_copy(update={"seed": 3}),
            "stats": study.stats.model_copy(update={"draws": 1999}),
        }
    )
    frame = subgroups.heterogeneity(adam, seeded, endpoints=["orr", "pfs", "cmax"]).frame
    tested = frame[frame["stat"].str.startswith("p_")]
    assert (
        set(tested["scope"]) == {"internal"} and reason(frame, "Total", "cmax", "p_heterogeneity")[0] == "NA"
    )
    assert reason(frame, "ligand_max", "orr", "p_heterogeneity") == ("NE", "NO_DATA")
    again = subgroups.heterogeneity(adam, seeded, endpoints=["orr", "pfs", "cmax"]).frame
    assert frame.equals(again)


def line(values, **more):
    codes = ["high" if v >= 5 else "low" for v in values]
    return factor("line", codes, levels=("low", "high"), values=values, kind="continuous", **more)


@pytest.mark.rule("SUBQ-11")
def test_slopes_need_events_and_non_events():
    values = [float(v) for v in range(1, 13)]
    into = rows()
    made = panel([line(values)], [binary((1, 2, 3), 12)])
    add_slopes(into, made, settings(), outcome=made.outcomes["orr"])
    assert reason(into.build().frame, "line", "orr", "slope") == ("NE", "EVENTS_LT_5")


@pytest.mark.rule("SUBQ-11")
def test_slope_of_separated_data_is_labelled():
    values = [float(v) for v in range(1, 13)]
    into = rows()
    made = panel([line(values)], [binary(range(7, 13), 12)])
    add_slopes(into, made, settings(), outcome=made.outcomes["orr"])
    frame = into.build().frame
    assert reason(frame, "line", "orr", "slope") == ("FLAG", "SEPARATION")
    assert cell(frame, "line", "orr", "slope")["method"] == "Firth, penalised"
    assert number(frame, "line", "orr", "slope") > 0


@pytest.mark.rule("SUBQ-11")
def test_slope_of_a_flag_has_the_closed_form():
    values = [1.0] * 7 + [2.0] * 7
    into = rows()
    hits = (1, 2, 8, 9, 10, 11)
    made = panel([line(values)], [binary(hits, 14)])
    add_slopes(into, made, settings(), outcome=made.outcomes["orr"])
    expected = math.log(4.5 / 3.5) - math.log(2.5 / 5.5)
    frame = into.build().frame
    assert number(frame, "line", "orr", "slope") == pytest.approx(expected, abs=1e-6)
    assert (
        number(frame, "line", "orr", "slope_lower") < expected < number(frame, "line", "orr", "slope_upper")
    )


@pytest.mark.rule("SUBQ-11")
def test_monotone_likelihood_is_labelled():
    values = [float(v) for v in range(1, 17)]
    into = rows()
    made = panel([line(values)], [times([200 - 10 * v for v in range(16)], [1, 0] * 5 + [1] * 6)])
    add_slopes(into, made, settings(), outcome=made.outcomes["pfs"])
    frame = into.build().frame
    assert reason(frame, "line", "pfs", "slope") == ("FLAG", "MONOTONE_LIKELIHOOD")
    assert reason(frame, "line", "pfs hazard ratio", "hr", "high over low") == ("NE", "LEVEL_EVENTS_LT_5")


@pytest.mark.rule("SUBQ-11")
def test_a_hazard_ratio_with_enough_events():
    rng = np.random.default_rng(4)
    days = np.ceil(rng.exponential(100, 30))
    f = factor("f", ["a", "b"] * 15)
    into = rows()
    made = panel([f], [times(days, [1] * 30)])
    add_slopes(into, made, settings(), outcome=made.outcomes["pfs"])
    frame = into.build().frame
    low, mid, high = (
        number(frame, "f", "pfs hazard ratio", s, "b over a") for s in ("hr_lower", "hr", "hr_upper")
    )
    assert 0 < low < mid < high
    assert cell(frame, "f", "pfs hazard ratio", "hr", "b over a")["n"] == 15


@pytest.mark.rule("SUBQ-11")
def test_empty_and_constant_factors_and_joint_models():
    nothing = line([np.nan] * 12)
    constant = factor("same", ["a"] * 12, values=[3.0] * 12, kind="continuous", dimension="ratio")
    into = rows()
    made = panel([nothing, constant], [binary((1, 2), 12)])
    add_slopes(into, made, settings(), outcome=made.outcomes["orr"])
    frame = into.build().frame
    assert reason(frame, "line", "orr", "slope") == ("NE", "NO_DATA")
    assert reason(frame, "same", "orr", "slope") == ("NE", "ONE_LEVEL")
    assert reason(frame, "Total", "orr all factors", "slope") == ("NE", "EPV_LT_5")


@pytest.mark.rule("SUBQ-11")
def test_units_of_slopes():
    assert unit_of(line([1.0, 2.0])) == ("per unit", 1.0)
    assert unit_of(line([1.0, 2.0], scale="log2")) == ("per doubling", 1.0)
    assert unit_of(line([1.0, 2.0], scale="log1p"))[0] == "per unit of log(1 + x)"
    assert unit_of(line([1.0, 2.0], variable="AGE")) == ("per 10 years", 10.0)
    assert line([1.0, 3.0], scale="log1p").scaled.tolist() == pytest.approx([math.log(2), math.log(4)])


@pytest.mark.rule("SUBQ-11")
def test_slopes_question(adam, study, make_adam):
    frame = subgroups.slopes(adam, study).frame
    assert set(frame.loc[frame["stat"] == "slope", "scope"]) == {"internal"}
    assert reason(subgroups.slopes(make_adam(ADRS=None), study).frame, "Total", "orr", "slope")[0] == "NA"
    with pytest.raises(KeyError, match="no model"):
        subgroups.slopes(adam, study, endpoint="bor")


@pytest.mark.rule("SUBQ-12", source="worked values of the specification")
@pytest.mark.parametrize(
    ("tau", "means", "weights"),
    [
        (0.5, [0.177409, 0.167556, 0.215101, 0.172210], [0.4400, 0.2559, 0.2817, 0.1806]),
        (1.0, [0.171734, 0.147251, 0.259459, 0.156449], [0.5963, 0.3792, 0.4243, 0.2904]),
    ],
)
def test_shrunken_rates_and_weights(tau, means, weights):
    found = shrunk((1, 0, 2, 0), (6, 3, 4, 2), prior=(0.10, 1.5, tau), level=0.95)
    assert found.mean == pytest.approx(means, abs=1e-6)
    assert found.weight == pytest.approx(weights, abs=5e-5)


@pytest.mark.rule("SUBQ-12")
def test_raw_and_shrunken_stand_side_by_side(adam, study, make_adam):
    frame = subgroups.shrinkage(adam, study).frame
    assert number(frame, "tumour_type", "orr", "rate", "CRC") == pytest.approx(0.1)
    for tau in ("0.5", "1"):
        low, mid, high = (
            number(frame, "tumour_type", f"orr tau {tau}", s, "CRC")
            for s in ("shrunk_lower", "shrunk", "shrunk_upper")
        )
        assert 0 < low < mid < high < 1
        assert 0 < number(frame, "tumour_type", f"orr tau {tau}", "weight", "CRC") < 1
    assert number(frame, "Total", "prior", "mean") == 0.10
    assert "OESOPHAGEAL" not in set(frame["level"])
    none = adam["ADRS"].assign(AVALC=adam["ADRS"]["AVALC"].replace({"Y": "N"}))
    flagged = subgroups.shrinkage(make_adam(ADRS=none), study).frame
    assert reason(flagged, "nlr5", "orr tau 0.5", "shrunk", "<5") == ("FLAG", "NO_EVENTS")


@pytest.mark.rule("SUBQ-12")
def test_landmarks_are_shrunken_where_they_have_an_error(adam, study, make_adam):
    frame = subgroups.shrinkage(adam, study, endpoint="pfs").frame
    low, mid, high = (
        number(frame, "liver_only", "pfs landmark", s, "LIVER ONLY")
        for s in ("shrunk_lower", "shrunk", "shrunk_upper")
    )
    assert 0 < low < mid < high < 1
    assert reason(frame, "tumour_type", "pfs landmark", "shrunk", "GASTRIC") == ("NE", "NO_STANDARD_ERROR")
    with pytest.raises(KeyError, match="not shrunken"):
        subgroups.shrinkage(adam, study, endpoint="bor")
    assert reason(subgroups.shrinkage(make_adam(ADRS=None), study).frame, "Total", "orr", "rate")[0] == "NA"
