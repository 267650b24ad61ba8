"""Options with which a design cannot be run are refused when it is built, and ends of the ranges that remain allowed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interim.design import (
    Blrm,
    Boin,
    Crm,
    Elimination,
    History,
    I3Plus3,
    Keyboard,
    Mtpi,
    Mtpi2,
    Record,
    Stop,
    ThreePlusThree,
    TitratedThreePlusThree,
    compile_design,
    rule_table,
)
from interim.design.expansion_search import two_stage
from interim.design.monitoring import joint_cell
from interim.errors import DesignError

LEVELS = (1.5e7, 3e7, 5e7, 7e7)
NAN = float("nan")

REFUSED = [
    # how it is built, what is said
    (lambda: Boin(LEVELS, 0.3, low=1.2), "low 1.2"),
    (lambda: Boin(LEVELS, 0.3, low=0.0), "low 0"),
    (lambda: Boin(LEVELS, 0.3, high=0.8), "high 0.8"),
    (lambda: Boin(LEVELS, 0.3, high=4.0), "high x target < 1"),
    (lambda: Boin(LEVELS, 0.0), "target must lie between 0 and 1"),
    (lambda: Boin(LEVELS, NAN), "target must lie between 0 and 1"),
    *((lambda kind=kind, margin=margin: kind(LEVELS, 0.3, margin=margin), "target interval") for kind in (Mtpi, Mtpi2, Keyboard, I3Plus3) for margin in ((0.0, 0.0), (0.4, 0.05), (0.3, 0.05), (0.05, 0.8), (-0.1, 0.05), (0.05, -0.1))),
    (lambda: Boin((3e7, 3e7), 0.3), "increasing doses"),
    (lambda: Boin((NAN, 3e7), 0.3), "increasing doses"),
    (lambda: Boin((1.5e7, NAN), 0.3), "increasing doses"),
    (lambda: ThreePlusThree((-1.0, 3e7)), "increasing doses"),
    (lambda: ThreePlusThree((1.0, float("inf"))), "increasing doses"),
    (lambda: ThreePlusThree(()), "increasing doses"),
    (lambda: Elimination(1.0), "cut must lie between"),
    (lambda: Elimination(0.04, lowest_offset=0.05), "cut must lie between"),
    (lambda: Elimination(NAN), "cut must lie between"),
    (lambda: Blrm(LEVELS, 5e7, ewoc=1.0), "ewoc"),
    (lambda: Blrm(LEVELS, 5e7, ewoc=0.0), "ewoc"),
    (lambda: Crm((0.1, 0.2), 0.3, prior_sd=0.0), "prior_sd"),
    (lambda: Crm((0.1, 0.2), 0.3, prior_sd=NAN), "prior_sd"),
    (lambda: Crm((0.0, 0.2), 0.3), "skeleton"),
    (lambda: rule_table(TitratedThreePlusThree(LEVELS), level=5), r"level must be 1\.\.4, found 5"),
    (lambda: rule_table(TitratedThreePlusThree(LEVELS, start_level=2), level=1), r"level must be 2\.\.4, found 1"),
]  # fmt: skip


@pytest.mark.rule("DOSE-15")
@pytest.mark.parametrize(("build", "words"), REFUSED)
def test_what_cannot_be_run_is_refused_when_it_is_built(build, words):
    with pytest.raises(DesignError, match=words):
        build()


@pytest.mark.rule("DOSE-15")
@pytest.mark.parametrize("kind", [Mtpi, Mtpi2, Keyboard, I3Plus3])
@pytest.mark.parametrize("margin", [(0.0, 0.1), (0.1, 0.0), (0.29, 0.05), (0.05, 0.69)])
def test_any_interval_that_holds_the_target_decides(kind, margin):
    table = kind(LEVELS, 0.3, margin=margin).table(9)
    assert [len(row) for row in table] == list(range(2, 11))
    order = {"E": 1, "S": 0, "D": -1, "DU": -2}
    assert all([order[x] for x in row] == sorted((order[x] for x in row), reverse=True) for row in table)


HALT = Record(stop=Stop("2025-05-05", "sponsor", "A. B.", None, "safety", "report 1", "safety_halt"))


@pytest.mark.rule("DOSE-13")
@pytest.mark.parametrize("text", ["", "1NNN", "1NNP", "1NNN 2PPP"])
@pytest.mark.parametrize(
    "design", [Boin(LEVELS, 0.3, n_max=12), ThreePlusThree(LEVELS)], ids=["boin", "plain"]
)
def test_nobody_is_treated_after_a_recorded_stop(design, text):
    history = replace(History.parse(text, levels=4), record=HALT)
    found = compile_design(design, start=history).evaluate([0.1, 0.2, 0.3, 0.4])
    assert found.status == pytest.approx({"not_established_stop": 1.0})
    assert found.sel == pytest.approx((1, 0, 0, 0, 0))
    assert found.total_n == pytest.approx(sum(char in "NP" for char in text))


@pytest.mark.rule("IB-11")
@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-9, 1e-12, -1e-12, -1e-9, -1e-6, -1e-3])
def test_an_odds_ratio_near_one_is_near_independence(distance):
    p, q = np.array([0.3, 0.5, 0.9, 0.0, 1.0]), np.array([0.2, 0.5, 0.95, 0.4, 0.4])
    found = joint_cell(p, q, 1 + distance)
    # To first order the cell moves by pq (1 - p)(1 - q) times the distance.
    expected = p * q + p * q * (1 - p) * (1 - q) * distance
    assert found == pytest.approx(expected, abs=max(distance**2, 1e-15))


@pytest.mark.rule("IB-11")
@pytest.mark.parametrize("odds", [1e-6, 1e-3, 0.2, 0.9, 1.1, 5.0, 1e3, 1e6])
def test_the_joint_cell_has_its_odds_ratio_and_stays_within_its_limits(odds):
    p, q = (part.ravel() for part in np.meshgrid(np.linspace(0.05, 0.95, 7), np.linspace(0.1, 0.9, 6)))
    both = joint_cell(p, q, odds)
    assert np.all(both >= np.maximum(p + q - 1, 0) - 1e-12) and np.all(both <= np.minimum(p, q) + 1e-12)
    left, right = both * (1 - p - q + both), odds * (p - both) * (q - both)
    assert left == pytest.approx(right, abs=1e-7)


@pytest.mark.rule("IB-20")
@pytest.mark.parametrize(("p0", "p1", "alpha", "sizes"), [(0.1, 0.3, 0.1, (30, 2, 40)), (0.05, 0.4, 0.1, (9, 2, 12)), (0.2, 0.5, 0.15, (14, 2, 20))])  # fmt: skip
def test_a_go_count_is_never_below_the_stopping_count(p0, p1, alpha, sizes):
    for criterion in ("optimal", "minimax"):
        found = two_stage(p0, p1, alpha=alpha, beta=0.2, criterion=criterion, sizes=sizes)
        assert sizes[0] <= found.n1 < found.n <= sizes[2]
        assert found.r >= found.r1
        assert found.monitored().go > found.r1
