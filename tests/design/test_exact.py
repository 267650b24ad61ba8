"""Exact characteristics of the 3+3 rules against independent enumeration."""

from __future__ import annotations

import time

import numpy as np
import pytest

from interim.design import (
    Boin,
    Cap,
    Conduct,
    History,
    MtdRule,
    ThreePlusThree,
    TitratedThreePlusThree,
    Titration,
    compare,
    compile_design,
    operating_characteristics,
)
from interim.design.characteristics import frame, scenario
from interim.design.escalation import rule_variants
from interim.design.states import distinct_rows
from interim.errors import DesignError

GRADUAL = {"p_dlt": [0.05, 0.10, 0.20, 0.35], "p_trigger_only": [0.05, 0.10, 0.15, 0.20]}
LEVELS = (1.0, 2.0, 3.0, 4.0)
PATHS = {
    "esc_only": [7, 19, 43, 91, 187],
    "deesc_min6_top3": [7, 34, 118, 346, 922],
    "deesc_min6_top6": [10, 46, 154, 442, 1162],
}


def ladder(size):
    return tuple(range(1, size + 1))


def agree(found, expected):
    for name in ("sel", "EN", "EY"):
        assert np.allclose(getattr(found, name), expected[name], rtol=0, atol=1e-10), name
    for size, share in expected["n_dist"].items():
        assert found.n_dist.get(int(size), 0) == pytest.approx(share, abs=1e-10)
    assert found.total_n == pytest.approx(expected["total_n"], abs=1e-10)
    assert found.total_dlt == pytest.approx(expected["total_dlt"], abs=1e-10)


@pytest.mark.rule("DOSE-12", source="bcrm 0.5.4, precautionary 0.2.6, independent enumeration")
@pytest.mark.parametrize("variant", list(PATHS))
@pytest.mark.parametrize("name", ["safe4", "gradual4", "toxic4", "plateau4", "five", "zero4"])
def test_plain_rules(numbers, variant, name):
    truth = numbers("oc_3plus3_exact.json")["scenarios"][name]
    design = rule_variants(ladder(len(truth["p_dlt"])))[variant]
    agree(compile_design(design).evaluate(truth["p_dlt"]), truth[variant])


@pytest.mark.rule("DOSE-12", source="independent enumeration; PhIdesign 0.2.0")
@pytest.mark.parametrize("variant", ["literal", "all_levels", "literal_cap18", "all_levels_cap18"])
@pytest.mark.parametrize("name", ["safe4", "gradual4", "toxic4", "plateau4", "five", "zero4"])
def test_titration(numbers, variant, name):
    truth = numbers("oc_titration_3plus3_exact.json")["scenarios"][name]
    size = len(truth["p_dlt"])
    last = 1 if variant.startswith("literal") else size
    design = TitratedThreePlusThree(
        ladder(size), titration=Titration(last), cap=Cap(18 if "cap" in variant else None)
    )
    found = compile_design(design).evaluate(truth["p_dlt"], truth["p_g2_trigger"])
    agree(found, truth[variant])
    assert found.p_cap == pytest.approx(truth[variant]["p_cap"], abs=1e-10)
    assert sum(found.status.values()) == pytest.approx(1, abs=1e-12)


@pytest.mark.rule("DOSE-12", source="table of the design document")
@pytest.mark.parametrize(
    ("last", "below", "capped", "p_cap"), [(1, 0.0142, 0.0149, 0.0894), (4, 0.0134, 0.0495, 0.0914)]
)
def test_the_two_ways_to_end_without_a_dose(last, below, capped, p_cap):
    design = TitratedThreePlusThree(LEVELS, titration=Titration(last))
    found = operating_characteristics(design, {"gradual": GRADUAL})["gradual"]
    assert found.status["below_lowest"] == pytest.approx(below, abs=5e-5)
    assert found.status["not_established_cap"] == pytest.approx(capped, abs=5e-5)
    assert found.p_cap == pytest.approx(p_cap, abs=5e-5)


@pytest.mark.rule("DOSE-12", source="path arrays of precautionary 0.2.6")
@pytest.mark.parametrize("variant", list(PATHS))
def test_number_of_paths(variant):
    counts = [
        compile_design(ThreePlusThree(ladder(size), mtd=MtdRule(variant), cap=Cap(None))).n_terminal_paths
        for size in range(1, 6)
    ]
    assert counts == PATHS[variant]


@pytest.mark.rule("DOSE-12", source="path counts of the design document")
@pytest.mark.parametrize(
    ("last", "n_max", "counts"),
    [(1, None, [24, 126, 402, 1098, 2778]), (9, None, [24, 220, 1424, 8400])],
)
def test_number_of_paths_with_titration(last, n_max, counts):
    found = [
        compile_design(
            TitratedThreePlusThree(ladder(size), titration=Titration(min(last, size)), cap=Cap(n_max))
        ).n_terminal_paths
        for size in range(1, len(counts) + 1)
    ]
    assert found == counts


@pytest.mark.rule("DOSE-12", source="path counts of the design document")
@pytest.mark.parametrize(("last", "count"), [(1, 506), (4, 2777)])
def test_number_of_paths_under_the_cap(last, count):
    assert compile_design(TitratedThreePlusThree(LEVELS, titration=Titration(last))).n_terminal_paths == count


@pytest.mark.rule("DOSE-13")
def test_from_the_present_state_equals_the_tree():
    """After 1N 2NNT: three more at 2, then whatever follows; by hand for the first step."""
    design = TitratedThreePlusThree(LEVELS)
    start = History.parse("1N 2NNT", levels=4)
    p, q = GRADUAL["p_dlt"], GRADUAL["p_trigger_only"]
    found = compile_design(design, start=start).evaluate(p, q)
    assert sum(found.sel) == pytest.approx(1, abs=1e-12)
    clean = compile_design(design, start=History.parse("1N 2NNT 2NNN", levels=4)).evaluate(p, q)
    dirty = [
        compile_design(design, start=History.parse(f"1N 2NNT 2{'N' * (3 - k)}{'T' * k}", levels=4)).evaluate(
            p, q
        )
        for k in (1, 2, 3)
    ]
    chances = [0.9**3, 3 * 0.1 * 0.9**2, 3 * 0.01 * 0.9, 0.001]
    mixed = sum(c * np.array(f.sel) for c, f in zip(chances, [clean, *dirty], strict=True))
    assert np.allclose(found.sel, mixed, atol=1e-12)


@pytest.mark.rule("DOSE-13")
def test_open_outcomes_are_completed_first():
    design = TitratedThreePlusThree(LEVELS)
    p, q = GRADUAL["p_dlt"], GRADUAL["p_trigger_only"]
    found = compile_design(design, start=History.parse("1N 2NNP", levels=4)).evaluate(p, q)
    closed = [
        compile_design(design, start=History.parse(f"1N 2NN{x}", levels=4)).evaluate(p, q) for x in "NT"
    ]
    assert np.allclose(found.sel, 0.9 * np.array(closed[0].sel) + 0.1 * np.array(closed[1].sel), atol=1e-12)


@pytest.mark.rule("DOSE-12")
def test_over_limits_and_frames():
    found = compile_design(ThreePlusThree(LEVELS)).evaluate(GRADUAL["p_dlt"], tox_limit=0.3)
    assert found.p_over == pytest.approx(found.sel[4])
    assert found.n_over == pytest.approx(found.EN[3])
    assert found.n_above(1) == pytest.approx(1)
    assert found.n_above(18) == pytest.approx(0)
    assert set(found.mcse["sel"]) == {0.0}
    rows = frame({"a": found})
    assert rows["sel"].sum() == pytest.approx(1)
    assert rows["level"].tolist() == [0, 1, 2, 3, 4]


def test_several_designs_side_by_side():
    designs = rule_variants(LEVELS, cap=Cap(18))
    found = compare(designs, GRADUAL)
    assert set(found) == set(PATHS)
    assert found["esc_only"].total_n < found["deesc_min6_top6"].total_n


@pytest.mark.rule("DOSE-14")
@pytest.mark.parametrize(
    ("p", "q", "words"),
    [
        ([0.1, 0.2], None, "4 values"),
        ([0.1, 0.2, 0.3, 1.2], None, r"levels \[4\]"),
        ([0.1, np.nan, 0.3, 0.4], None, r"levels \[2\]"),
        ([0.1, 0.2, 0.3, 0.4], [0.1, -0.1, 0, 0], r"p_trigger_only.*levels \[2\]"),
        ([0.1, 0.2, 0.3, 0.9], [0, 0, 0, 0.2], r"levels \[4\]"),
    ],
)
def test_impossible_scenarios(p, q, words):
    with pytest.raises(DesignError, match=words):
        scenario(p, q, levels=4)


@pytest.mark.rule("DOSE-14")
def test_impossible_requests():
    design = ThreePlusThree(LEVELS)
    with pytest.raises(DesignError, match="p_dlt"):
        operating_characteristics(design, {"a": {"p": [0.1] * 4}})
    with pytest.raises(DesignError, match="exact"):
        operating_characteristics(
            design, {"a": GRADUAL}, method="simulated", seed=1, start=History.parse("1N", levels=4)
        )
    with pytest.raises(DesignError, match="10 states"):
        compile_design(design, max_states=10)


@pytest.mark.rule("DOSE-14")
def test_a_lost_slot_cannot_be_enumerated():
    design = TitratedThreePlusThree(LEVELS, conduct=Conduct(max_replacements=0))
    with pytest.raises(DesignError, match="waits although nobody is pending"):
        compile_design(design, start=History.parse("1N 2NNX", levels=4))
    with pytest.raises(DesignError, match="10 states"):
        compile_design(Boin(LEVELS, 0.25), max_states=10)


@pytest.mark.parametrize(("top", "columns"), [(2, 70), (5, 4), (1, 3)])
def test_distinct_rows_whether_they_fit_an_integer_or_not(top, columns):
    table = np.random.default_rng(1).integers(0, top, (300, columns))
    table[200:] = table[:100]
    first, where = distinct_rows(table)
    assert first.size == np.unique(table, axis=0).shape[0]
    assert (table[first][where] == table).all()
    assert distinct_rows(table[:0])[0].size == 0


def test_speed():
    start = time.process_time()
    compiled = compile_design(TitratedThreePlusThree((1.0, 2.0, 3.0, 4.5)))
    assert time.process_time() - start < 1
    start = time.process_time()
    for share in np.linspace(0, 0.2, 20):
        compiled.evaluate(np.array(GRADUAL["p_dlt"]) + share)
    assert time.process_time() - start < 0.2
