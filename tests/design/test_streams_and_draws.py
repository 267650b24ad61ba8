"""What a simulated trial is drawn from: events, losses, blocks and their streams; and what runs them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interim import parallel
from interim.design import Blrm, Boin, Cap, Crm, ThreePlusThree, compile_design
from interim.design.characteristics import scenario
from interim.design.fixed import final_statuses
from interim.design.simulate import BLOCK, World, _below, _replaced, groups_of, simulate
from interim.errors import InterimError
from interim.parallel import map_seeded, stream, workers

P, Q = (0.1, 0.3, 0.5), (0.2, 0.2, 0.5)
EVENTS = [
    # place of the level, draw -> DLT, trigger that is no DLT
    (0, 0.0, (True, False)),
    (0, 0.0999, (True, False)),
    (0, 0.1, (False, True)),
    (0, 0.2999, (False, True)),
    (0, 0.3001, (False, False)),
    (1, 0.2999, (True, False)),
    (1, 0.3, (False, True)),
    (1, 0.5001, (False, False)),
    (2, 0.4999, (True, False)),
    (2, 0.5, (False, True)),
    (2, 0.9999, (False, True)),
]
SIZES = [
    # trials, blocks per group -> trials of every group, first block of every group
    (1, 1, [1], [0]),
    (BLOCK, 1, [BLOCK], [0]),
    (BLOCK + 1, 1, [BLOCK, 1], [0, 1]),
    (3 * BLOCK, 1, [BLOCK, BLOCK, BLOCK], [0, 1, 2]),
    (3 * BLOCK, 2, [2 * BLOCK, BLOCK], [0, 2]),
    (5 * BLOCK + 7, 4, [4 * BLOCK, BLOCK + 7], [0, 4]),
    (5 * BLOCK + 7, 16, [5 * BLOCK + 7], [0]),
]
LOSSES = [
    # draw, probability of a loss -> participants lost before one stays: smallest k with 1 - draw >= p ** (k + 1)
    (0.0, 0.5, 0),
    (0.49, 0.5, 0),
    (0.51, 0.5, 1),
    (0.74, 0.5, 1),
    (0.76, 0.5, 2),
    (0.88, 0.5, 3),
    (0.998, 0.1, 2),
    (0.9, 0.0, 0),
    (0.0, 0.0, 0),
]


@pytest.mark.rule("DOSE-16", source="by hand: a draw below p is a DLT, below p + q a trigger")
@pytest.mark.parametrize(("place", "draw", "expected"), EVENTS)
def test_what_a_draw_means(place, draw, expected):
    assert World(scenario(P, Q, levels=3), 0.0).event(place, draw) == expected


@pytest.mark.rule("DOSE-16", source="by hand: blocks of 1024 trials")
@pytest.mark.parametrize(("n", "blocks", "trials", "first"), SIZES)
def test_trials_in_groups_of_blocks(n, blocks, trials, first):
    groups = groups_of(n, seed=1, blocks=blocks)
    assert [group.trials for group in groups] == trials and [group.first for group in groups] == first
    sizes = [size for group in groups for _, size in group.blocks(scenario(P, levels=3))]
    assert sum(sizes) == n and all(size == BLOCK for size in sizes[:-1])


@pytest.mark.rule("DOSE-16", source="by hand: the geometric law, 1 - p ** k is reached by k losses")
@pytest.mark.parametrize(("draw", "p_lost", "expected"), LOSSES)
def test_how_many_are_lost_before_one_stays(draw, p_lost, expected):
    assert _replaced(np.array([[draw]]), np.array([p_lost])).tolist() == [expected]
    assert _replaced(np.array([[draw], [draw]]), np.array([p_lost])).tolist() == [2 * expected]
    if p_lost:
        assert expected == math.floor(math.log(1 - draw) / math.log(p_lost))


@pytest.mark.rule("DOSE-16")
def test_events_of_the_running_trials_are_counted():
    draws = np.array([[0.1, 0.5, 0.9, 0.2], [0.3, 0.6, 0.1, 0.4], [0.2, 0.1, 0.8, 0.6]])
    assert _below(draws, np.arange(4), np.full(4, 0.35)).tolist() == [3, 1, 1, 1]
    assert _below(draws, np.array([3, 0]), np.array([0.5, 0.15])).tolist() == [2, 1]


@pytest.mark.rule("DOSE-16")
def test_a_stream_belongs_to_its_key():
    first = [stream(7, 1, block).random() for block in range(20)]
    assert first == [stream(7, 1, block).random() for block in range(20)] and len(set(first)) == 20
    assert not set(first) & {stream(8, 1, block).random() for block in range(20)}
    assert map_seeded(lambda item, rng: rng.random(), "abc", seed=7) == [
        stream(7, k).random() for k in range(3)
    ]
    with pytest.raises(ValueError, match="non-negative"):
        stream(-1, 0)


@pytest.mark.rule("DOSE-16", source="exact characteristics of the same designs")
@pytest.mark.parametrize(
    "design",
    [
        ThreePlusThree((1, 2, 3), cap=Cap(12)),
        Boin((1, 2, 3), 0.3, n_max=9),
        Boin((1, 2, 3), 0.3, n_max=12, stop_at=6),
        Crm((0.1, 0.25, 0.4), 0.25, n_max=9),
        Blrm((1.0, 2.0, 4.0), 2.0, n_max=9),
    ],
    ids=["3+3", "BOIN", "BOIN, early stop", "CRM", "BLRM"],
)
def test_simulated_numbers_lie_around_the_exact_ones(design):
    found, exact = simulate(design, P, n=2048, seed=21), compile_design(design).evaluate(P)
    for name in ("sel", "EN", "EY"):
        error = np.maximum(found.mcse[name], 1e-3)
        assert np.all(np.abs(np.array(getattr(found, name)) - getattr(exact, name)) < 4.5 * error), name
    assert abs(found.total_n - exact.total_n) < 4.5 * max(found.mcse["n"][0], 1e-3)
    assert abs(found.total_dlt - exact.total_dlt) < 4.5 * max(found.mcse["dlt"][0], 1e-3)
    assert found.mcse["treated"] == found.mcse["n"] and exact.mcse["n"] == exact.mcse["treated"] == (0.0,)


@pytest.mark.rule("DOSE-16")
def test_the_error_of_a_total_is_that_of_its_distribution():
    found = simulate(ThreePlusThree((1, 2, 3), cap=Cap(12)), P, n=500, seed=3)
    mean = sum(n * share for n, share in found.n_dist.items())
    variance = sum(share * (n - mean) ** 2 for n, share in found.n_dist.items())
    assert found.mcse["n"][0] == pytest.approx(math.sqrt(variance / 500), rel=1e-12)


@pytest.mark.rule("DOSE-17")
def test_the_status_follows_from_the_dose():
    assert final_statuses(np.array([0, 1, 3, 0])) == (
        "below_lowest",
        "established",
        "established",
        "below_lowest",
    )
    assert final_statuses(np.zeros(0, dtype=np.int64)) == ()


@pytest.mark.rule("DOSEQ-15")
def test_a_scheduler_without_dask_or_out_of_reach_is_said(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(parallel, "import_module", absent)
    with (
        pytest.raises(InterimError, match="needs the package distributed"),
        workers(scheduler="tcp://nowhere:1"),
    ):
        pass

    class Module:
        @staticmethod
        def Client(address, timeout):
            raise OSError(f"timed out after {timeout}")

    monkeypatch.setattr(parallel, "import_module", lambda name: Module)
    with (
        pytest.raises(InterimError, match="tcp://nowhere:1 cannot be reached"),
        workers(scheduler="tcp://nowhere:1"),
    ):
        pass


@pytest.mark.rule("DOSEQ-15")
def test_a_scheduler_runs_the_tasks_and_is_closed(monkeypatch):
    class Client:
        closed = False

        def __init__(self, address, timeout):
            self.address = address

        def __enter__(self):
            return self

        def __exit__(self, *error):
            Client.closed = True

        def get_executor(self):
            return self

        def map(self, task, jobs):
            return map(task, jobs)

    monkeypatch.setattr(parallel, "import_module", lambda name: type("Module", (), {"Client": Client}))
    with workers(scheduler="tcp://here:1") as executor:
        found = map_seeded(lambda item, rng: (item, rng.random()), "ab", seed=3, executor=executor)
    assert found == map_seeded(lambda item, rng: (item, rng.random()), "ab", seed=3) and Client.closed
