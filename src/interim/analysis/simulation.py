"""What ``interim simulate`` prints: exact characteristics, the comparison of designs, or simulated trials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from interim.analysis.design_comparison import comparison_lines, simulated_lines
from interim.analysis.escalation_design import characteristics_lines, scenarios_of
from interim.design.calendar import Calendar
from interim.parallel import workers
from interim.study import Study


@dataclass(frozen=True)
class Asked:
    """What is to be computed.

    Attributes
    ----------
    p, trigger : tuple of float or None
        Probability of a DLT and of a titration trigger, one per level; None: the planning scenarios.
    compare : bool
        Compare other designs on the same ladder.
    n : int or None
        Simulated trials; None: exact characteristics.
    seed : int or None
        Seed of the simulation.
    lost : float
        Probability that a participant is not evaluable and replaced.
    accrual : float or None
        Mean days between candidates; None: all outcomes are known at once.
    late : float
        Share of events in the second half of the window.
    workers : int
        Processes.
    scheduler : str or None
        Address of a Dask scheduler instead of processes.
    """

    p: tuple[float, ...] | None = None
    trigger: tuple[float, ...] | None = None
    compare: bool = False
    n: int | None = None
    seed: int | None = None
    lost: float = 0.0
    accrual: float | None = None
    late: float = 0.5
    workers: int = 1
    scheduler: str | None = None


def simulation_lines(study: Study, asked: Asked) -> Iterable[str]:
    """Return the lines that answer what was asked.

    Parameters
    ----------
    study : Study
        Table ``dose``.
    asked : Asked
        What is to be computed.

    Returns
    -------
    iterable of str
        The same bytes for any number of workers.

    Raises
    ------
    DesignError
        If a probability or the number of levels does not fit.
    """
    if asked.n is None and not asked.compare:
        return characteristics_lines(study, p=asked.p, trigger=asked.trigger)
    if asked.compare:
        return comparison_lines(study, scenarios_of(study, p=asked.p, trigger=asked.trigger))
    return _simulated(study, asked)


def _simulated(study: Study, asked: Asked) -> Iterator[str]:
    assert asked.n is not None
    calendar = None
    if asked.accrual is not None:
        window = study.dose.window_days + 1
        calendar = Calendar(asked.accrual, window, late=asked.late, p_lost=asked.lost)
    with workers(asked.workers, scheduler=asked.scheduler) as executor:
        yield from simulated_lines(
            study,
            scenarios_of(study, p=asked.p, trigger=asked.trigger),
            n=asked.n,
            seed=asked.seed,
            p_lost=asked.lost,
            calendar=calendar,
            executor=executor,
        )
