"""Exact operating characteristics of designs with fixed cohorts: whole layers of states at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import comb

import numpy as np
from numpy.typing import NDArray

from interim.design.characteristics import Floats, Outcomes
from interim.design.elimination import Integers
from interim.design.exact import MAX_STATES, CompiledDesign
from interim.design.facts import Facts, no_facts
from interim.design.fixed import STOP_NONE, Batch, FixedCohorts
from interim.errors import DesignError

_LIMIT = 2**62


@dataclass
class _Layer:
    """States with the number of orders of outcomes that lead to each."""

    batch: Batch
    paths: Floats

    def take(self, rows: NDArray[np.bool_]) -> _Layer:
        return _Layer(self.batch.take(rows), self.paths[rows])


def compile_cohorts(
    design: FixedCohorts, *, start: Facts | None = None, max_states: int = MAX_STATES
) -> CompiledDesign:
    """Follow every path of a design with fixed cohorts, merging equal states.

    Parameters
    ----------
    design : FixedCohorts
        The design.
    start : Facts, optional
        Present state; open outcomes and an open cohort are completed first. The first participant if absent.
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
    layer = _first(design, start or no_facts(len(design.ladder())))
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
        layer = _next(design, layer.take(~ended), level[~ended], design.cohort_size)
    return _compiled(design, stopped, np.concatenate(none), start, visited)


def _first(design: FixedCohorts, facts: Facts) -> _Layer:
    """Return the states after the open outcomes and the first or open cohort."""
    n, y, paths = [], [], []
    for dlts in product(*(range(k + 1) for k in facts.pending)):
        n.append([a + b for a, b in zip(facts.n, facts.pending, strict=True)])
        y.append([a + b for a, b in zip(facts.y, dlts, strict=True)])
        paths.append(np.prod([comb(k, q) for k, q in zip(facts.pending, dlts, strict=True)]))
    size = len(paths)
    level = np.full(size, facts.current or design.start_level)
    batch = Batch(np.array(n), np.array(y), level, np.zeros(size, dtype=bool))
    layer = _Layer(batch, np.array(paths, dtype=float))
    open_slots = -int(batch.n[0, level[0] - 1]) % design.cohort_size
    if not facts.current:
        return _next(design, layer, level, design.cohort_size)
    if not open_slots:
        return layer
    eliminated = design.excluded(batch.n, batch.y) <= level
    filled = _next(design, layer.take(~eliminated), level[~eliminated], open_slots)
    return _merge(design, [layer.take(eliminated), filled])


def _next(design: FixedCohorts, layer: _Layer, level: Integers, k: int) -> _Layer:
    """Treat k participants in every state."""
    parts = []
    rows = np.arange(layer.paths.size)
    for q in range(k + 1):
        n, y = layer.batch.n.copy(), layer.batch.y.copy()
        n[rows, level - 1] += k
        y[rows, level - 1] += q
        hot = np.full(rows.size, design.is_hot(k, q))
        parts.append(_Layer(Batch(n, y, level, hot), layer.paths * comb(k, q)))
    return _merge(design, parts)


def _merge(design: FixedCohorts, parts: list[_Layer]) -> _Layer:
    """Merge equal states, adding their paths."""
    batch = Batch(
        np.concatenate([part.batch.n for part in parts]),
        np.concatenate([part.batch.y for part in parts]),
        np.concatenate([part.batch.current for part in parts]),
        np.concatenate([part.batch.hot for part in parts]),
    )
    paths = np.concatenate([part.paths for part in parts])
    table = np.column_stack([batch.n, batch.y, batch.current, batch.hot]).astype(np.int64)
    _, first, where = np.unique(_keys(table), return_index=True, return_inverse=True)
    total: Floats = np.bincount(where.ravel(), weights=paths, minlength=first.size).astype(float)
    return _Layer(batch.take(first), total)


def _keys(table: Integers) -> NDArray[np.generic]:
    """Return one sortable key per row: a mixed-radix number where it fits, else the bytes of the row."""
    if not table.size:
        return np.zeros(0, dtype=np.int64)
    radix = [int(top) + 1 for top in table.max(axis=0)]
    size = 1
    for base in radix:
        size *= base
    if size >= _LIMIT:
        rows = np.ascontiguousarray(table)
        return rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    key = np.zeros(table.shape[0], dtype=np.int64)
    for column, base in zip(table.T, radix, strict=True):
        key = key * base + column
    return key


def _compiled(
    design: FixedCohorts,
    stopped: list[_Layer],
    none: NDArray[np.bool_],
    start: Facts | None,
    visited: int,
) -> CompiledDesign:
    n = np.concatenate([layer.batch.n for layer in stopped])
    y = np.concatenate([layer.batch.y for layer in stopped])
    mtd = np.where(none, 0, design.choose(n, y))
    flags = np.zeros(mtd.size, dtype=bool)
    outcomes = Outcomes(
        n, y, mtd, tuple(np.where(mtd > 0, "established", "below_lowest").tolist()), flags, flags
    )
    paths = np.concatenate([layer.paths for layer in stopped])
    zero = np.zeros_like(n)
    return CompiledDesign(outcomes, paths, zero, zero, start, visited, int(paths.sum()))
