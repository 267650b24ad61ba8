"""One function that maps a task over items: the same answer to the bit on one worker or many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

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


@contextmanager
def workers(count: int = 1, *, scheduler: str | None = None) -> Iterator[Where]:
    """Open what the tasks run on, and close it afterwards.

    Parameters
    ----------
    count : int
        Processes, >= 1.
    scheduler : str, optional
        Address of a Dask scheduler; needs the package ``distributed``, which is no part of interim.

    Yields
    ------
    str or concurrent.futures.Executor
        For ``executor`` of `map_seeded`.

    Raises
    ------
    InterimError
        If the number is below 1, ``distributed`` is not installed, or the scheduler cannot be reached.
    """
    if count < 1:
        raise InterimError(f"workers must be 1 or more, found {count}")
    if scheduler is not None:
        with _dask(scheduler) as client:
            yield client.get_executor()
    elif count == 1:
        yield "serial"
    else:
        with ProcessPoolExecutor(count) as pool:
            yield pool


def _dask(address: str) -> Any:
    try:
        client = import_module("distributed").Client
    except ImportError as error:
        raise InterimError(
            "a Dask scheduler needs the package distributed; install it, or use --workers"
        ) from error
    try:
        return client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise InterimError(f"the Dask scheduler at {address} cannot be reached: {error}") from error


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
