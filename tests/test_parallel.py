from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from interim.errors import InterimError
from interim.parallel import map_seeded


def draw(item, rng):
    return item, rng.random(3).tolist()


@pytest.mark.rule("PAR-01")
def test_every_executor_gives_the_same_bits():
    serial = map_seeded(draw, range(6), seed=7)
    assert serial == map_seeded(draw, range(6), seed=7, executor="processes")
    with ThreadPoolExecutor(3) as pool:
        assert serial == map_seeded(draw, range(6), seed=7, executor=pool)
    assert serial[:3] == map_seeded(draw, range(3), seed=7)


@pytest.mark.rule("PAR-01")
def test_streams_differ_by_item_and_seed():
    answers = map_seeded(draw, [0, 0], seed=7) + map_seeded(draw, [0], seed=8)
    assert len({tuple(numbers) for _, numbers in answers}) == 3


def test_unknown_executor():
    with pytest.raises(InterimError, match="executor must be"):
        map_seeded(draw, [1], seed=1, executor="dusk")
