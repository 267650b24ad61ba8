"""One function that maps a task over items: the same answer to the bit on one worker or many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from interim.errors import InterimError

if TYPE_CHECKING:
    import numpy as np

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Name = Literal["serial", "processes"]
Where: TypeAlias = Name | Executor


def map_seeded(
    task: Callable[[Item, np.random.Generator], Answer],
    items: Iterable[Item],
    *,
    seed: int,
    executor: Where = "serial",
) -> list[Answer]:
    """Apply a task to every item, each with a random stream of its own.

    Parameters
    ----------
    task : callable
        Called as ``task(item, rng)``; picklable if it runs in other processes.
    items : iterable
        The items; the stream of an item depends on the seed and its position only.
    seed : int
        Seed of all streams, >= 0.
    executor : {"serial", "processes"} or concurrent.futures.Executor
        Where the tasks run; any object with the interface of ``concurrent.futures`` (Dask, MPI) is taken as it is.

    Returns
    -------
    list
        One answer per item, in the order of the items.

    Raises
    ------
    InterimError
        If the executor is neither a known name nor an executor.

    Examples
    --------
    >>> map_seeded(lambda item, rng: item * 2, [1, 2, 3], seed=1)
    [2, 4, 6]
    """
    jobs = [(task, item, seed, place) for place, item in enumerate(items)]
    if executor == "serial":
        return [_one(job) for job in jobs]
    if executor == "processes":
        with ProcessPoolExecutor() as pool:
            return list(pool.map(_one, jobs))
    if not hasattr(executor, "map"):
        raise InterimError(f"executor must be 'serial', 'processes' or an executor, found {executor!r}")
    return list(executor.map(_one, jobs))


def stream(seed: int, *key: int) -> np.random.Generator:
    """Return a random stream of its own for every key.

    Parameters
    ----------
    seed : int
        Seed of all streams, >= 0.
    *key : int
        Place of the stream: item, or scenario and block.

    Returns
    -------
    numpy.random.Generator
        Counter-based (Philox); streams of different keys are independent.

    Raises
    ------
    ValueError
        If the seed or a key is negative.
    """
    import numpy as np

    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)))


def _one(job: tuple[Callable[[Item, np.random.Generator], Answer], Item, int, int]) -> Answer:
    task, item, seed, place = job
    return task(item, stream(seed, place))
