"""Simulation: seeds, workers, replacement."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from interim.design import (
    Boin,
    Cap,
    ThreePlusThree,
    TitratedThreePlusThree,
    compile_design,
    operating_characteristics,
)
from interim.design.characteristics import scenario
from interim.design.simulate import BLOCK, Group, simulate
from interim.errors import DesignError
from interim.parallel import stream

P = [0.05, 0.10, 0.20, 0.35]
RULE = TitratedThreePlusThree((1, 2, 3, 4))


@pytest.mark.rule("DOSE-16")
@pytest.mark.parametrize("design", [RULE, Boin((1, 2, 3, 4), 0.25, n_max=12)], ids=["rule", "boin"])
def test_any_number_of_workers_gives_the_same_numbers(design):
    one = simulate(design, P, n=1500, seed=5)
    many = simulate(design, P, n=1500, seed=5, executor="processes")
    assert one == many
    assert simulate(design, P, n=1500, seed=6).sel != one.sel


@pytest.mark.rule("DOSE-16")
@pytest.mark.parametrize(
    ("more", "words"), [({"seed": None}, "seed"), ({"n": 1}, "n must be"), ({"p_lost": 1.0}, "p_lost")]
)
def test_refused(more, words):
    with pytest.raises(DesignError, match=words):
        simulate(RULE, P, **{"n": 10, "seed": 1, **more})


@pytest.mark.rule("DOSE-16")
@pytest.mark.parametrize(
    "design", [ThreePlusThree((1, 2, 3, 4), cap=Cap(None)), Boin((1, 2, 3, 4), 0.25)], ids=["3+3", "boin"]
)
def test_replacement_acts_like_a_higher_rate(design):
    """Participants without DLT who are lost with probability r: DLT rate p / (1 - r (1 - p)), more are treated."""
    r, p = 0.2, np.array(P)
    found = simulate(design, p, n=6000, seed=8, p_lost=r)
    stays = 1 - r * (1 - p)
    exact = compile_design(design).evaluate(p / stays)
    for name in ("sel", "EN"):
        error = np.maximum(found.mcse[name], 1e-3)
        assert np.all(np.abs(np.array(getattr(found, name)) - getattr(exact, name)) < 4.5 * error)
    assert np.allclose(found.EN_treated, np.array(exact.EN) / stays, rtol=0.05)


@pytest.mark.rule("DOSE-16")
def test_the_start_level_is_not_the_truth_of_every_level():
    """Only the rate of the start level differs: the numbers must differ, elsewhere the rate of each level counts."""
    base = simulate(RULE, P, n=2000, seed=3)
    other = simulate(RULE, [0.4, *P[1:]], n=2000, seed=3)
    assert other.sel[0] > base.sel[0] + 0.2
    toxic_top = simulate(RULE, [*P[:3], 0.9], n=2000, seed=3)
    assert toxic_top.sel[4] < 0.01 < base.sel[4]


@pytest.mark.rule("DOSE-16")
def test_a_lost_trigger_ends_titration():
    q = [0.9, 0.0, 0.0, 0.0]
    found = simulate(RULE, [0.0, 0.0, 0.0, 0.0], q, n=1500, seed=2, p_lost=0.5)
    assert found.p_left_titration > 0.89


@pytest.mark.rule("DOSE-16")
@pytest.mark.parametrize("design", [RULE, Boin((1, 2, 3, 4), 0.25, n_max=12)], ids=["rule", "boin"])
def test_streams_belong_to_seed_scenario_and_block(design):
    """A scenario asked alone gives what it gives among others; the first blocks do not depend on how many follow."""
    truths = {
        name: {"p_dlt": np.array(P) * factor} for name, factor in (("low", 0.5), ("as", 1.0), ("high", 2.0))
    }
    among = operating_characteristics(design, truths, method="simulated", n=600, seed=4)
    alone = operating_characteristics(design, {"as": truths["as"]}, method="simulated", n=600, seed=4)
    assert among["as"] == alone["as"]
    keys = {stream(4, key, block).random() for key in (1, 2) for block in range(3)}
    assert len(keys) == 6
    first, more = (Group(4, 0, n).blocks(scenario(P, levels=4)) for n in (BLOCK, 5 * BLOCK))
    assert (len(first), len(more)) == (1, 5)
    assert first[0][0].random() == more[0][0].random()
    late = Group(4, 3, BLOCK).blocks(scenario(P, levels=4))
    assert late[0][0].random() == more[3][0].random()


@pytest.mark.rule("DOSE-16")
def test_a_group_of_blocks_and_a_pool_handed_in_change_nothing():
    design, n = Boin((1, 2, 3, 4), 0.25, n_max=9), 18 * BLOCK
    with ThreadPoolExecutor(2) as pool:
        threads = simulate(design, P, n=n, seed=11, executor=pool)
    assert threads == simulate(design, P, n=n, seed=11)
    exact = compile_design(design).evaluate(P)
    for name in ("sel", "EN", "EY"):
        error = np.maximum(threads.mcse[name], 1e-6)
        assert np.all(np.abs(np.array(getattr(threads, name)) - getattr(exact, name)) < 4.5 * error)
