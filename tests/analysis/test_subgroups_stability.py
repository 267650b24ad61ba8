"""Stability, cut path, penalised model, credibility, participant map."""

from __future__ import annotations

import numpy as np
import pytest

from interim.analysis import subgroups
from interim.analysis.subgroups.checklist import ITEMS, checklist, direction
from interim.analysis.subgroups.mapped import gower, similar_order
from interim.analysis.subgroups.model import Outcome, level_counts
from interim.analysis.subgroups.penalised import NOT_A_MODEL, NOT_BETTER, add_model, leave_out
from interim.analysis.subgroups.stability import _add_deletions, _add_path, deletions, is_fragile
from interim.errors import StudyError
from tests.analysis.panels import (
    binary,
    cell,
    entry,
    factor,
    number,
    panel,
    reason,
    rows,
    settings,
    times,
    worked,
)


@pytest.mark.rule("SUBQ-14", source="worked example of the specification")
@pytest.mark.parametrize(
    ("name", "low", "high"), [("type", 0.167, 0.333), ("ligand", 0.400, 0.600), ("nlr", 0.286, 0.429)]
)
def test_range_of_the_gap_over_deletions(name, low, high):
    made = worked()
    into = rows()
    _add_deletions(into, next(f for f in made.factors if f.id == name), made.outcomes["orr"], settings())
    frame = into.build().frame
    assert number(frame, name, "orr", "gap_lower") == pytest.approx(low, abs=5e-4)
    assert number(frame, name, "orr", "gap_upper") == pytest.approx(high, abs=5e-4)


@pytest.mark.rule("SUBQ-14")
def test_each_deletion_takes_one_participant_out():
    made = worked()
    f, outcome = made.factors[1], made.outcomes["orr"]
    x, n = level_counts(f, outcome)
    xs, ns = deletions(f, outcome)
    assert xs.shape == (12, 2) and ((n.sum() - ns.sum(axis=1)) == 1).all()
    assert (x.sum() - xs.sum(axis=1)).sum() == 3


@pytest.mark.rule("SUBQ-14")
@pytest.mark.parametrize(
    ("labels", "hits", "fragile"),
    [
        ("aaaaabbbbb", (), False),
        ("aaaaabbbbb", (1,), True),
        ("aaaaaaaabbbbbbbb", (1, 2, 3, 4, 5), False),
        ("aaabbb", (1,), True),
    ],
)
def test_fragile(labels, hits, fragile):
    f = factor("f", list(labels))
    assert is_fragile(f, binary(hits, len(labels)), settings()) is fragile


@pytest.mark.rule("SUBQ-14")
def test_a_gap_that_moves_by_half_the_limit_is_fragile():
    # 2 of 4 against 0 of 30: without one of the two responders 1 of 3; the gap moves from 50 to 33 points only.
    f = factor("f", ["a"] * 4 + ["b"] * 30)
    assert not is_fragile(f, binary((1, 2), 34), settings())
    assert is_fragile(f, binary((1, 2), 34), settings(gap_pp=30))
    nobody = factor("g", [None] * 34, levels="ab")
    assert not is_fragile(nobody, binary((1, 2), 34), settings())


@pytest.mark.rule("SUBQ-14")
@pytest.mark.parametrize(("labels", "code"), [("aaaa", "ONE_LEVEL"), ("aaab", "LEVEL_N_LT_3")])
def test_no_gap_no_range(labels, code):
    into = rows()
    _add_deletions(into, factor("f", list(labels)), binary((1,), 4), settings())
    assert reason(into.build().frame, "f", "orr", "gap_lower") == ("NE", code)


@pytest.mark.rule("SUBQ-14")
def test_other_definitions_count_changed_cells(adam, study, make_adam):
    frame = subgroups.leave_one_out(adam, study).frame
    # Unconfirmed, participant 11 responds as well: gastric, NLR below 5 (2 + 11/4 = 4.75), extrahepatic no (11 % 3).
    changed = cell(frame, "Total", "definition", "n", "unconfirmed response")
    assert changed["n"] == 3
    # Participant 13 (gastric, NLR 5.25, liver only) is not evaluable.
    assert cell(frame, "Total", "definition", "n", "response-evaluable set")["n"] == 3
    assert cell(frame, "Total", "definition", "n", "second cut")["N"] == 2
    diff = number(frame, "nlr5", "orr", "diff")
    assert number(frame, "nlr5", "orr", "diff_lower") <= diff <= number(frame, "nlr5", "orr", "diff_upper")
    dcr = subgroups.leave_one_out(adam, study, endpoint="dcr").frame
    assert "unconfirmed response" not in set(dcr["level"])
    bare = subgroups.leave_one_out(make_adam(ADRS=None), study).frame
    assert reason(bare, "Total", "orr", "gap")[0] == "NA"
    single = study.model_copy(update={"subgroups": tuple(e for e in study.subgroups if e.id == "liver_only")})
    only = subgroups.leave_one_out(adam, single).frame
    assert reason(only, "Total", "definition", "n", "second cut")[0] == "NA"


def line(values, **more):
    levels = ["low" if v < 5 else "high" for v in values]
    return factor("line", levels, levels=("low", "high"), values=values, kind="continuous", **more)


@pytest.mark.rule("SUBQ-15")
def test_path_holds_every_cut_with_enough_on_both_sides():
    values = [1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0]
    into = rows()
    _add_path(into, line(values), binary((6, 7), 8), settings())
    frame = into.build().frame
    below = frame[frame["variable"] == "below"]
    assert below["level"].tolist() == ["4", "6", "7"]
    assert below["N"].tolist() == [3, 4, 5]
    assert number(frame, "line", "difference", "diff", "7") == pytest.approx(2 / 3)
    # The cut 5 lies between 4 and 6: the partition is that of 6.
    assert cell(frame, "line", "cut", "prespecified", "6")["text"] == "Y"
    p = cell(frame, "line", "selected", "p_cut")
    assert p["scope"] == "internal" and 0 < p["value"] <= 1 and p["status"] == "OK"


@pytest.mark.rule("SUBQ-15")
def test_path_with_the_cut_in_the_lower_level():
    values = [1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0]
    into = rows()
    _add_path(into, line(values, closed="right"), binary((6, 7), 8), settings())
    frame = into.build().frame
    assert frame[frame["variable"] == "below"]["level"].tolist() == ["3", "4", "6"]
    assert cell(frame, "line", "cut", "prespecified", "4")["text"] == "Y"


@pytest.mark.rule("SUBQ-15")
@pytest.mark.parametrize(
    ("hits", "values", "code"),
    [
        ((), [1.0, 2.0, 3.0, 6.0, 7.0, 8.0], "NO_EVENTS"),
        (range(1, 7), [1.0, 2.0, 3.0, 6.0, 7.0, 8.0], "ALL_EVENTS"),
        ((1,), [1.0] * 8, "ONE_LEVEL"),
        ((1,), [1.0, 2.0, 3.0, 6.0, 7.0, 8.0], "TOO_FEW_CUTS"),
    ],
)
def test_no_selected_statistic(hits, values, code):
    into = rows()
    _add_path(into, line(values), binary(hits, len(values)), settings())
    assert reason(into.build().frame, "line", "selected", "p_cut") == ("NE", code)


@pytest.mark.rule("SUBQ-15")
def test_cut_path_question(adam, study, make_adam):
    frame = subgroups.cut_path(adam, study, entry="nlr5").frame
    assert set(frame["group"]) - {"nlr5"} <= {"Total", "DL1", "DL2", "DL3", "DL4", "NK only"}
    with pytest.raises(KeyError, match="no continuous entry"):
        subgroups.cut_path(adam, study, entry="tumour_type")
    assert reason(subgroups.cut_path(make_adam(ADRS=None), study).frame, "Total", "below", "rate")[0] == "NA"
    many = [float(v) for v in range(1, 41)]
    few = settings(stats={"max_exact": 1000}, seed=None)
    with pytest.raises(StudyError):
        _add_path(rows(), line(many), binary(range(1, 13), 40), few)


@pytest.mark.rule("SUBQ-13")
def test_no_better_than_the_null_is_said():
    rng = np.random.default_rng(1)
    f = line(list(rng.normal(5, 2, 16)))
    made = panel([f], [binary(rng.choice(range(1, 17), 8, replace=False), 16)])
    into = rows()
    add_model(into, made, settings(), outcome=made.outcomes["orr"], penalty="ridge")
    frame = into.build().frame
    # The share of the others, 8/15 or 7/15, misses each time by 8/15.
    assert number(frame, "Total", "null", "brier") == pytest.approx((8 / 15) ** 2)
    assert number(frame, "Total", "null", "log_loss") == pytest.approx(-np.log(7 / 15))
    assert cell(frame, "Total", "reading", "text", "use")["text"] == NOT_A_MODEL
    better = number(frame, "Total", "model", "brier") < number(frame, "Total", "null", "brier")
    said = frame.query("variable == 'reading' and level == 'prediction'")["text"].tolist()
    assert said == ([] if better else [NOT_BETTER])
    low, high = (number(frame, "line", "coefficient", s) for s in ("min", "max"))
    assert low <= high


@pytest.mark.rule("SUBQ-13")
def test_a_clear_factor_beats_the_null_and_folds_are_scaled_inside():
    values = np.array([1.0, 1.2, 1.4, 2.0, 2.2, 2.5, 2.7, 2.9, 7.0, 7.1, 7.5, 8.0, 8.4, 8.8, 9.0, 9.5])
    y = np.array([0] * 8 + [1] * 8)
    study = settings(sensitivity_c=10.0)
    found = leave_out(values[:, None], y, study=study, penalty="ridge")
    assert ((found.probability - y) ** 2).mean() < ((found.null - y) ** 2).mean()
    # Changing the unit of a column changes nothing: it is standardised inside each fold.
    again = leave_out(values[:, None] * 1000 + 5, y, study=study, penalty="ridge")
    assert again.probability == pytest.approx(found.probability, abs=1e-6)
    net = leave_out(values[:, None], y, study=study, penalty="elastic_net")
    assert net.coefficients.shape == (16, 1) and (net.coefficients > 0).all()


@pytest.mark.rule("SUBQ-13")
def test_tuning_chooses_from_the_list():
    values = np.array([1.0, 3.0, 2.0, 6.0, 2.5, 7.0, 8.0, 5.0, 9.0, 4.0, 7.5, 9.5])
    y = np.array([0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1])
    found = leave_out(values[:, None], y, study=settings(sensitivity_tune=True), penalty="ridge")
    plain = leave_out(values[:, None], y, study=settings(), penalty="ridge")
    assert np.abs(found.coefficients).max() > np.abs(plain.coefficients).max()


@pytest.mark.rule("SUBQ-13")
@pytest.mark.parametrize(
    ("n", "hits", "values", "code"),
    [
        (10, range(1, 6), None, "COMPLETE_N_LT_12"),
        (14, range(1, 4), None, "EVENTS_LT_5"),
        (14, range(1, 8), [3.0] * 14, "ONE_LEVEL"),
    ],
)
def test_the_model_is_refused(n, hits, values, code):
    f = line(values or [float(v) for v in range(n)])
    made = panel([f], [binary(hits, n)])
    into = rows()
    add_model(into, made, settings(), outcome=made.outcomes["orr"], penalty="ridge")
    frame = into.build().frame
    assert reason(frame, "Total", "model", "brier") == ("NE", code)
    assert cell(frame, "Total", "reading", "text", "use")["text"] == NOT_A_MODEL


@pytest.mark.rule("SUBQ-13")
def test_the_model_question(adam, study):
    frame = subgroups.sensitivity_model(adam, study).frame
    assert number(frame, "Total", "complete", "n") == 0
    off = study.model_copy(
        update={"subgroup": study.subgroup.model_copy(update={"sensitivity_model": False})}
    )
    assert (
        "switched off" in reason(subgroups.sensitivity_model(adam, off).frame, "Total", "model", "brier")[1]
    )


def clear(*, rationale="because", source="elsewhere", **more):
    """A factor where every computed item but the first holds."""
    values = [1.0] * 8 + [9.0] * 8
    return line(values, direction="higher_better", rationale=rationale, source=source, **more)


def credible(f, dose=None):
    hits = range(9, 15)
    depth = Outcome("depth", "continuous", np.array([20.0] * 8 + [-40.0] * 8), np.zeros(16, dtype=bool))
    days = [40 + k for k in range(8)] + [300 + k for k in range(8)]
    endpoints = [binary(hits, 16), binary(hits, 16, name="dcr"), depth, times(days, [1] * 16)]
    return panel([f], endpoints, dose=dose or ["x", "y"] * 8)


@pytest.mark.rule("SUBQ-16")
def test_a_clear_factor_holds_all_items_but_the_date():
    f = clear()
    answers = checklist(f, credible(f), settings())
    assert tuple(answers) == ITEMS
    assert [number for number, answer in answers.items() if not answer.holds] == [1]
    assert answers[11].text == "because" and answers[12].text == "elsewhere"


@pytest.mark.rule("SUBQ-16")
@pytest.mark.parametrize(
    ("more", "dose", "fails"),
    [
        ({"origin": "median"}, None, 2),
        ({"rationale": ""}, None, 11),
        ({"source": ""}, None, 12),
        ({}, ["x"] * 8 + ["y"] * 8, 9),
        ({"timing": "post_baseline"}, None, 10),
    ],
)
def test_one_item_fails_alone(more, dose, fails):
    f = clear(**more)
    answers = checklist(f, credible(f, dose), settings())
    assert [number for number, answer in answers.items() if not answer.holds] == [1, fails]


@pytest.mark.rule("SUBQ-16")
def test_direction_of_every_kind_of_endpoint():
    study = settings()
    f = clear()
    made = credible(f)
    assert {direction(f, o, study) for o in made.outcomes.values()} == {1}
    flag = factor("flag", ["Y"] * 8 + ["N"] * 8, kind="flag", levels=("Y", "N"))
    assert direction(flag, made.outcomes["orr"], study) == -1
    assert direction(factor("n", list("ab") * 8), made.outcomes["orr"], study) == 0
    assert direction(f, binary((), 16), study) == 0
    empty = Outcome("depth", "continuous", np.full(16, np.nan), np.zeros(16, dtype=bool))
    assert direction(f, empty, study) == 0


@pytest.mark.rule("SUBQ-16")
def test_nothing_is_more_than_unknown_without_a_date(adam, study, make_adam):
    frame = subgroups.credibility(adam, study).frame
    assert set(frame.loc[frame["stat"] == "grade", "text"]) == {"unknown"}
    assert len(frame[frame["stat"] == "holds"]) == 12 * 7
    assert cell(frame, "tumour_type", "item", "holds", "11")["text"] == "not given"
    bare = subgroups.credibility(make_adam(ADRS=None), study).frame
    assert reason(bare, "Total", "grade", "grade")[0] == "NA"


@pytest.mark.rule("SUBQ-17")
def test_map_is_ordered_by_best_change(adam, study):
    frame = subgroups.participant_map(adam, study).frame
    rows_of = frame[(frame["variable"] == "depth")]
    values = rows_of.loc[rows_of["status"] == "OK", "value"].tolist()
    assert values == sorted(values) and rows_of["level"].iloc[0] == "SYN-05"
    assert rows_of["status"].tolist()[-2:] == ["NE", "NE"]
    assert set(frame.loc[frame["variable"] == "bor", "text"]) == {"PR", "SD", "PD", "NE"}
    assert set(frame.loc[frame["variable"] == "cmax", "status"]) == {"NA"}


@pytest.mark.rule("SUBQ-17")
def test_similar_participants_stand_together(adam, study):
    f = line([1.0, 9.0, 1.1, 9.1, 1.2, 9.2])
    order = similar_order(panel([f], [binary((1,), 6)]))
    first = {order[0], order[1], order[2]}
    assert first in ({0, 2, 4}, {1, 3, 5})
    assert similar_order(panel([line([1.0, 9.0])], [binary((1,), 2)])) == [0, 1]
    clustered = study.model_copy(update={"subgroup": study.subgroup.model_copy(update={"cluster": True})})
    frame = subgroups.participant_map(adam, clustered).frame
    assert set(frame["level"]) == set(subgroups.participant_map(adam, study).frame["level"])


@pytest.mark.rule("SUBQ-17")
def test_gower_distance_by_hand():
    numeric = line([0.0, 5.0, 10.0])
    kind = factor("kind", ["a", "a", None], levels="ab")
    d = gower((numeric, kind), 3)
    assert d[0, 1] == pytest.approx((0.5 + 0.0) / 2)
    assert d[0, 2] == 1.0 and np.allclose(d, d.T) and (np.diag(d) == 0).all()
    assert gower((factor("x", [None, None], levels="a"),), 2)[0, 1] == 1.0
    assert entry("x").kind == "nominal"
