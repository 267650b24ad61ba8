"""Exact operating characteristics of designs with fixed cohorts: whole layers of states at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from interim.design.characteristics import Floats, Outcomes
from interim.design.elimination import Integers
from interim.design.exact import MAX_STATES, CompiledDesign
from interim.design.facts import Facts, no_facts
from interim.design.fixed import STOP_NONE, Batch, FixedCohorts, final_statuses
from interim.design.states import distinct_rows
from interim.errors import DesignError


@dataclass
class _Layer:
    """States with the number of orders of outcomes that lead to each."""

    batch: Batch
    paths: Floats

    def take(self, rows: NDArray[np.bool_]) -> _Layer:
        return _Layer(self.batch.take(rows), self.paths[rows])


def compile_cohorts(
    design: FixedCohorts, *, start: Facts | None = None, cohort_dlt: int = 0, max_states: int = MAX_STATES
) -> CompiledDesign:
    """Follow every path of a design with fixed cohorts, merging equal states.

    Parameters
    ----------
    design : FixedCohorts
        The design.
    start : Facts, optional
        Present state; open outcomes and an open cohort are completed first. The first participant if absent.
    cohort_dlt : int
        DLT in the last or open cohort of the present state.
    max_states : int
        Largest number of merged states.

    Returns
    -------
    CompiledDesign
        The final states.

    Raises
    ------
    DesignError
        If there are more states than permitted.
    """
    if start is not None and start.stopped:
        return _halted(design, start)
    layer = _first(design, start or no_facts(len(design.ladder())), cohort_dlt)
    visited = 0
    stopped: list[_Layer] = []
    none: list[NDArray[np.bool_]] = []
    while layer.paths.size:
        visited += layer.paths.size
        if visited > max_states:
            raise DesignError(f"more than {max_states} states; simulate instead, or treat fewer participants")
        level = design.step(layer.batch)
        ended = level <= 0
        stopped.append(layer.take(ended))
        none.append(level[ended] == STOP_NONE)
        layer = _next(design, layer.take(~ended), level[~ended])
    return _compiled(design, stopped, np.concatenate(none), start, visited)


def _first(design: FixedCohorts, facts: Facts, cohort_dlt: int) -> _Layer:
    """Return the states after the open outcomes and the first or open cohort."""
    if not facts.current:
        start = np.array([design.start_level])
        zero = np.zeros((1, len(facts.n)), dtype=np.int64)
        return _next(design, _Layer(Batch(zero, zero, start, start < 0), np.ones(1)), start)
    layer = _opened(facts)
    events = layer.batch.y[:, facts.current - 1] - facts.y[facts.current - 1] + cohort_dlt
    # Open outcomes of more than one cohort: together they can exceed the size of the last.
    events = np.minimum(events, design.cohort_size)
    layer.batch = layer.batch._replace(hot=_hits(design)[events])
    open_slots = -int(layer.batch.n[0, facts.current - 1]) % design.cohort_size
    if not open_slots:
        return layer
    level = layer.batch.current
    out = design.excluded(layer.batch.n, layer.batch.y) <= level
    filled = _next(design, layer.take(~out), level[~out], k=open_slots, before=events[~out])
    return _merge(_together([layer.take(out), filled]))


def _opened(facts: Facts) -> _Layer:
    """Complete the open outcomes of a state."""
    rows = list(product(*(range(k + 1) for k in facts.pending)))
    n = np.tile(np.add(facts.n, facts.pending), (len(rows), 1))
    y = np.array(rows, dtype=np.int64) + np.array(facts.y, dtype=np.int64)
    paths = np.array([prod(map(comb, facts.pending, dlts)) for dlts in rows], dtype=float)
    level = np.full(len(rows), facts.current)
    return _Layer(Batch(n, y, level, np.zeros(len(rows), dtype=bool)), paths)


def _halted(design: FixedCohorts, start: Facts) -> CompiledDesign:
    """Return the end of an escalation with a recorded stop: open outcomes, nobody new, no dose."""
    layer = _opened(start)
    ends = _compiled(design, [layer], np.ones(layer.paths.size, dtype=bool), start, layer.paths.size)
    status = ("not_established_stop",) * layer.paths.size
    return replace(ends, outcomes=replace(ends.outcomes, status=status))


def _hits(design: FixedCohorts) -> NDArray[np.bool_]:
    """Return by number of DLT in a cohort whether its rate reached the target."""
    size = design.cohort_size
    return np.array([design.is_hot(size, events) for events in range(size + 1)])


def _next(
    design: FixedCohorts,
    layer: _Layer,
    level: Integers,
    *,
    k: int | None = None,
    before: Integers | None = None,
) -> _Layer:
    """Treat k participants in every state; ``before`` are DLT that the cohort had already."""
    k = design.cohort_size if k is None else k
    size, place = layer.paths.size, (np.arange(layer.paths.size), level - 1)
    events = np.zeros(size, dtype=np.int64) if before is None else before
    n = layer.batch.n.copy()
    n[place] += k
    y = np.tile(layer.batch.y, (k + 1, 1, 1))
    more = np.arange(k + 1)[:, None]
    y[:, *place] += more
    hot = _hits(design)[np.minimum(events + more, design.cohort_size)]
    orders = np.array([comb(k, q) for q in range(k + 1)], dtype=float)[:, None]
    batch = Batch(np.tile(n, (k + 1, 1)), y.reshape(-1, n.shape[1]), np.tile(level, k + 1), hot.ravel())
    return _merge(_Layer(batch, (layer.paths * orders).ravel()))


def _together(parts: Sequence[_Layer]) -> _Layer:
    columns = zip(*(part.batch for part in parts), strict=True)
    return _Layer(Batch(*map(np.concatenate, columns)), np.concatenate([part.paths for part in parts]))


def _merge(layer: _Layer) -> _Layer:
    """Merge equal states, adding their paths."""
    batch = layer.batch
    columns = np.vstack([batch.n.T, batch.y.T, batch.current, batch.hot.view(np.int8)])
    first, where = distinct_rows(columns.T)
    total: Floats = np.bincount(where, weights=layer.paths, minlength=first.size).astype(float)
    return _Layer(batch.take(first), total)


def _compiled(
    design: FixedCohorts,
    stopped: list[_Layer],
    none: NDArray[np.bool_],
    start: Facts | None,
    visited: int,
) -> CompiledDesign:
    ended = _together(stopped)
    n, y = ended.batch.n, ended.batch.y
    mtd = np.where(none, 0, design.choose(n, y))
    flags = np.zeros(mtd.size, dtype=bool)
    outcomes = Outcomes(n, y, mtd, final_statuses(mtd), flags, flags)
    zero = np.zeros_like(n)
    return CompiledDesign(outcomes, ended.paths, zero, zero, start, visited, int(ended.paths.sum()))
