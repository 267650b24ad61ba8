"""Limits of interpretation: the worked example in exact fractions, independent reference numbers, properties, association."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from interim.analysis import subgroups
from interim.analysis.subgroups.associated import associated, confounders, cramer_v, is_confounded
from interim.analysis.subgroups.chance import attainable, chance_of_gap, seed_of
from interim.analysis.subgroups.limit import add_limits
from interim.analysis.subgroups.model import Outcome, gap, joined, level_counts
from interim.errors import StudyError
from tests.analysis.panels import (
    LIGAND_HIGH,
    RESPONDERS,
    TYPES,
    N,
    binary,
    cell,
    factor,
    number,
    panel,
    reason,
    rows,
    settings,
    worked,
)

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "clinical" / "reference_numbers.json").read_text()
)


def blocks(name: str) -> dict:
    """Find a block of the reference file, wherever it stands."""
    found = REFERENCE.get(name)
    if found is None:
        found = next(part[name] for part in REFERENCE.values() if isinstance(part, dict) and name in part)
    return found["values"]


def of(made, study=None):
    study = study or settings()
    return chance_of_gap(made.primary, made.outcomes["orr"], study, analysis_id="t")


@pytest.mark.rule("SUBQ-01", source="worked example of the specification, counted over 220 assignments")
def test_worked_example_is_exact():
    found = of(worked())
    assert [Fraction(p).limit_denominator(1000) for p in found.single] == [
        Fraction(63, 220),
        Fraction(2, 11),
        Fraction(1, 55),
    ]
    assert Fraction(found.any).limit_denominator(1000) == Fraction(24, 55)
    assert (found.error, found.arrangements) == (0.0, 220)


@pytest.mark.rule("SUBQ-01")
def test_worked_example_again_by_counting_one_by_one():
    made = worked()
    hits = {"type": 0, "ligand": 0, "nlr": 0, "any": 0}
    for chosen in combinations(range(N), len(RESPONDERS)):
        wide = set()
        for f in made.primary:
            sizes = [int((f.codes == k).sum()) for k in range(len(f.levels))]
            counts = [sum(int(f.codes[c]) == k for c in chosen) for k in range(len(f.levels))]
            rates = [Fraction(x, n) for x, n in zip(counts, sizes, strict=True) if n >= 3]
            if max(rates) - min(rates) >= Fraction(2, 5):
                wide.add(f.id)
        for name in wide:
            hits[name] += 1
        hits["any"] += bool(wide)
    found = of(made)
    assert [hits[f.id] / 220 for f in made.primary] == pytest.approx(list(found.single), abs=1e-15)
    assert hits["any"] / 220 == pytest.approx(found.any, abs=1e-15)


@pytest.mark.rule("SUBQ-02", source="worked example of the specification")
def test_smallest_p_and_gaps_of_the_worked_example():
    made = worked()
    outcome = made.outcomes["orr"]
    smallest = [Fraction(attainable(f, outcome)).limit_denominator(1000) for f in made.primary]
    assert smallest == [Fraction(1, 220), Fraction(2, 11), Fraction(1, 55)]
    gaps = []
    for f in made.primary:
        x, n = level_counts(f, outcome)
        gaps.append(Fraction(float(gap(x, n, least=3))).limit_denominator(100))
    assert gaps == [Fraction(4, 21), Fraction(1, 2), Fraction(3, 8)]


@pytest.mark.rule("SUBQ-04", source="worked example of the specification")
def test_association_of_the_worked_example():
    kind, ligand, nlr = worked().primary
    assert associated(kind, ligand)[:2] == ("cramer_v", pytest.approx(0.1992, abs=5e-5))
    assert associated(kind, nlr)[1] == pytest.approx(0.3273, abs=5e-5)
    assert associated(ligand, nlr)[1] == pytest.approx(0.3536, abs=5e-5)


@pytest.mark.rule("SUBQ-01", source="clinical/reference_numbers.json")
@pytest.mark.parametrize("case", sorted(blocks("chance_of_spurious_subgroup_orr_gap_exact")))
def test_chance_of_one_balanced_split(case):
    expected = blocks("chance_of_spurious_subgroup_orr_gap_exact")[case]["one_split"]
    n, r, pp = (int("".join(c for c in part if c.isdigit())) for part in case.split(","))
    halves = factor("half", ["a"] * (n // 2) + ["b"] * (n - n // 2))
    made = panel([halves], [binary(range(1, r + 1), n)])
    assert of(made, settings(gap_pp=pp)).single[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.rule("SUBQ-02", source="clinical/reference_numbers.json")
@pytest.mark.parametrize("case", sorted(blocks("min_attainable_two_sided_fisher_p"))[:30])
def test_smallest_p_of_one_balanced_split(case):
    expected = blocks("min_attainable_two_sided_fisher_p")[case]["balanced_split"]
    n, r = (int(part.split("=")[1]) for part in case.split(","))
    halves = factor("half", ["a"] * (n // 2) + ["b"] * (n - n // 2))
    assert attainable(halves, binary(range(1, r + 1), n)) == pytest.approx(expected, abs=5e-5)


@pytest.mark.rule("SUBQ-02")
@pytest.mark.parametrize("hits", [(), tuple(range(1, 13))])
def test_nobody_or_everybody_responded(hits):
    made = worked().replaced(outcomes={"orr": binary(hits, N)})
    found = of(made)
    assert found.single == (0.0, 0.0, 0.0) and found.any == 0.0
    assert [attainable(f, made.outcomes["orr"]) for f in made.primary] == [1.0, 1.0, 1.0]


@pytest.mark.rule("SUBQ-01")
def test_draws_come_with_their_error_and_need_a_seed():
    n = 40
    halves = factor("half", ["a"] * 20 + ["b"] * 20)
    made = panel([halves], [binary(range(1, 13), n)])
    few = {"max_exact": 1000, "draws": 20000}
    drawn = of(made, settings(stats=few, gap_pp=30))
    exact = sum(
        math.comb(20, k) * math.comb(20, 12 - k) for k in range(13) if abs(k - (12 - k)) / 20 >= 0.3 - 1e-12
    ) / math.comb(40, 12)
    assert drawn.error > 0 and abs(drawn.single[0] - exact) <= 4 * drawn.error
    assert of(made, settings(stats=few, gap_pp=30)) == drawn
    with pytest.raises(StudyError, match=r"study\.seed: t has too many"):
        of(made, settings(stats=few, seed=None))


def test_each_analysis_has_a_seed_of_its_own():
    study = settings()
    assert seed_of(study, "a") != seed_of(study, "b") and seed_of(study, "a") == seed_of(study, "a")


@pytest.mark.rule("SUBQ-01")
def test_small_levels_and_missing_stay_out_of_the_gap():
    labels = ["a", "a", "a", "b", "b", "b", "c", None, None]
    f = factor("f", labels)
    made = panel([f], [binary((7, 8), 9)])
    x, n = level_counts(f, made.outcomes["orr"])
    assert (x.tolist(), n.tolist()) == ([0, 0, 1], [3, 3, 1])
    assert float(gap(x, n, least=3)) == 0.0
    # Both responses within a or within b: 2 x 3 of 36 assignments give 67 points, one alone 33.
    found = of(made, settings(gap_pp=60))
    assert Fraction(found.single[0]).limit_denominator(100) == Fraction(6, 36)


@pytest.mark.rule("SUBQ-02")
def test_rows_of_the_limits():
    into = rows()
    add_limits(into, worked(), settings())
    frame = into.build().frame
    assert number(frame, "type", "orr", "smallest_n") == 2
    assert number(frame, "nlr", "orr", "chance_gap") == pytest.approx(1 / 55)
    assert number(frame, "Total", "orr", "chance_gap") == pytest.approx(24 / 55)
    # Smallest type level with at least three is gastric, 1 of 3: 0.84 to 90.57 per cent.
    assert number(frame, "type", "orr", "half_width") == pytest.approx((0.905701 - 0.008404) / 2, abs=1e-5)
    found = {stat: number(frame, "Total", "limits", stat) for stat in ("n", "r", "k", "m", "gap_pp")}
    assert found == {"n": 12, "r": 3, "k": 3, "m": 7, "gap_pp": 40}
    assert number(frame, "Total", "limits", "p_min_lo") == pytest.approx(1 / 220)
    assert number(frame, "Total", "limits", "p_min_hi") == pytest.approx(2 / 11)
    assert number(frame, "type", "orr", "cramer_v", level="nlr") == pytest.approx(0.3273, abs=5e-5)


@pytest.mark.rule("SUBQ-02")
def test_degenerate_factors_keep_their_rows():
    one = factor("one", ["a"] * 6, dimension="ligand")
    tiny = factor("tiny", ["a", "a", "b", "b", None, None], dimension="ratio")
    none = factor("none", [None] * 6, levels=("a", "b"), dimension="site")
    into = rows()
    add_limits(into, panel([one, tiny, none], [binary((1, 2), 6)]), settings())
    frame = into.build().frame
    assert reason(frame, "one", "orr", "p_min") == ("FLAG", "ONE_LEVEL")
    assert reason(frame, "tiny", "orr", "half_width") == ("NE", "LEVEL_N_LT_3")
    assert reason(frame, "none", "orr", "smallest_n") == ("NE", "NO_DATA")
    assert reason(frame, "one", "orr", "cramer_v") == ("NE", "ONE_LEVEL")
    assert number(frame, "tiny", "orr", "chance_gap") == 0


LABELS = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=6, max_size=11)


@pytest.mark.rule("SUBQ-01")
@examples(max_examples=40, deadline=None)
@given(LABELS, st.data())
def test_any_is_at_least_every_single_and_a_twin_changes_nothing(labels, data):
    n = len(labels)
    hits = data.draw(st.sets(st.integers(1, n), max_size=n))
    second = data.draw(st.permutations(labels))
    first, other = factor("first", labels, levels="abc"), factor("other", list(second), levels="abc")
    made = panel([first, other], [binary(hits, n)])
    found = of(made)
    assert found.any >= max(found.single) - 1e-15
    twin = factor("twin", labels, levels="abc")
    assert of(panel([first, other, twin], [binary(hits, n)])).any == found.any


@pytest.mark.rule("SUBQ-01")
@examples(max_examples=30, deadline=None)
@given(LABELS, st.data())
def test_order_of_rows_and_names_of_levels_change_nothing(labels, data):
    n = len(labels)
    hits = data.draw(st.sets(st.integers(1, n), min_size=1, max_size=n))
    order = data.draw(st.permutations(range(n)))
    plain = panel([factor("f", labels, levels="abc")], [binary(hits, n)])
    turned = [labels[k] for k in order]
    moved = {place + 1 for place, k in enumerate(order) if k + 1 in hits}
    names = {"a": "z", "b": "y", "c": "x", None: None}
    mixed = panel([factor("f", [names[t] for t in turned], levels="xyz")], [binary(moved, n)])
    assert of(mixed).single == pytest.approx(of(plain).single)
    assert attainable(mixed.primary[0], mixed.outcomes["orr"]) == pytest.approx(
        attainable(plain.primary[0], plain.outcomes["orr"])
    )


@pytest.mark.rule("SUBQ-01")
def test_reassignments_of_the_responses_reproduce_the_chance_of_any():
    made = worked()
    rng = np.random.default_rng(11)
    study = settings()
    hits, draws = 0, 2000
    for _ in range(draws):
        values = rng.permutation(made.outcomes["orr"].values)
        outcome = Outcome("orr", "binary", values, np.zeros(N, dtype=bool))
        wide = False
        for f in made.primary:
            x, n = level_counts(f, outcome)
            wide |= bool(gap(x, n, least=study.subgroup.min_ci_n) >= 0.4 - 1e-9)
        hits += wide
    expected = of(made).any
    assert abs(hits / draws - expected) <= 4 * math.sqrt(expected * (1 - expected) / draws)


@pytest.mark.rule("SUBQ-04")
def test_confounders_are_dose_and_other_dimensions():
    labels = ["a"] * 6 + ["b"] * 6
    one = factor("one", labels, dimension="ligand")
    second = factor("second", labels, dimension="ligand", primary=False)
    other = factor("other", (["a"] * 3 + ["b"] * 3) * 2, dimension="ratio")
    made = panel([one, second, other], [binary((1,), 12)], dose=labels)
    assert confounders(one, made)[0][0] == "dose_level" and is_confounded(one, made)
    # The primary entry of its own dimension does not make a further entry confounded; dose does.
    assert {item[0] for item in confounders(second, made)} == {"dose_level", "other"}
    assert not is_confounded(other, made)


@pytest.mark.rule("SUBQ-04")
def test_values_are_compared_by_rank():
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    first = factor("first", list("aaabbb"), values=values, kind="continuous")
    second = factor("second", list("bbbaaa"), values=[v**3 for v in values], kind="continuous")
    assert associated(first, second) == ("spearman", pytest.approx(1.0), 6)
    assert associated(first, factor("t", list("aaabbb")))[0] == "cramer_v"
    assert math.isnan(associated(first, factor("t", ["a"] * 6))[1])
    single = factor("s", ["a", *[None] * 5], values=[1.0, *[np.nan] * 5], kind="continuous")
    assert math.isnan(associated(first, single)[1])


def test_cramer_v_ignores_empty_levels():
    table = np.array([[3.0, 0.0, 0.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    assert cramer_v(table) == pytest.approx(1.0)


def test_codes_are_joined_once():
    assert joined(["A", "", "B", "A"]) == "A; B"


@pytest.mark.rule("SUBQ-04")
def test_association_question_and_overlap(adam, study):
    frame = subgroups.association(adam, study).frame
    overlap = frame[(frame["variable"] == "overlap") & (frame["group"] == "Total")]
    assert overlap["n"].sum() == 15
    # Gastric are 11 to 13, extrahepatic every third participant: 12 is the only one who is both.
    both = number(frame, "tumour_type", "overlap", "n")
    assert both == 3 and number(frame, "liver_only", "overlap", "n") == 5
    assert cell(frame, "tumour_type", "association", "cramer_v", level="dose_level")["n"] == 13


@pytest.mark.rule("SUBQ-04")
def test_tumour_type_by_dose(adam, study, make_adam):
    frame = subgroups.type_by_dose(adam, study).frame

    def at(group, variable, level):
        hit = frame.query("group == @group and variable == @variable and level == @level")
        return int(hit["n"].iloc[0]), int(hit["N"].iloc[0])

    assert at("DL3", "treated", "CRC") == (6, 6) and at("DL4", "treated", "GASTRIC") == (3, 3)
    assert at("DL3", "responders", "CRC") == (1, 6) and at("NK only", "evaluable", "Missing") == (0, 2)
    assert at("Total", "control", "CRC") == (7, 10)
    bare = subgroups.type_by_dose(make_adam(ADRS=None), study).frame
    assert set(bare["variable"]) == {"population", "population_moved", "treated", "evaluable"}
    none = subgroups.type_by_dose(adam, study.model_copy(update={"subgroups": ()})).frame
    assert reason(none, "Total", "treated", "n")[0] == "NA"


@pytest.mark.rule("SUBQ-01")
def test_the_question_on_the_hand_made_study(adam, study, make_adam):
    frame = subgroups.limits(adam, study).frame
    assert number(frame, "Total", "limits", "r") == 1 and number(frame, "Total", "limits", "n") == 15
    assert number(frame, "liver_only", "orr", "p_min") == pytest.approx(5 / 15)
    assert (
        reason(subgroups.limits(make_adam(ADRS=None), study).frame, "Total", "orr", "chance_gap")[0] == "NA"
    )


def test_worked_levels_are_those_of_the_text():
    assert [k + 1 for k, t in enumerate(TYPES) if t == "GASTRIC"] == [8, 9, 10]
    assert len(LIGAND_HIGH) == 6
