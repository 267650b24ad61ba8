"""Long computations that are kept from build to build: the same arguments give the same answer, others are computed."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

from interim.analysis import escalation_model
from interim.analysis.subgroups.shrunken import shrunk
from interim.design import Blrm, Cap, ThreePlusThree, operate
from interim.recall import called, computed, recalling
from interim.report.cache import Cache
from interim.report.memo import Computations
from interim.stats import shrink_binomial

CALLS: list[tuple[object, ...]] = []
KEPT = {"compile_rule", "compile_cohorts", "posterior_of", "quantiles_of", "shrink_binomial"}


def product(a: float, b: float = 1.0) -> float:
    CALLS.append((a, b))
    return a * b


def nothing_left(a: float) -> float:
    raise ZeroDivisionError(a)


def built(folder: Path, *asked: tuple[object, ...], base: str = "programs") -> list[object]:
    """What a build of these programs computes for some arguments, and how often it had to."""
    CALLS.clear()
    with recalling(Computations(Cache(folder, base=base))):
        found = [computed(product, *arguments) for arguments in asked]
    return [*found, len(CALLS)]


@pytest.mark.rule("CACHE-14")
def test_equal_arguments_are_computed_in_one_build_only(tmp_path):
    assert built(tmp_path, (2.0, 3.0), (2.0, 3.0)) == [6.0, 6.0, 1]
    assert built(tmp_path, (2.0, 3.0)) == [6.0, 0]
    assert built(tmp_path, (3.0, 2.0), (2.0,), (np.nextafter(2.0, 3.0), 3.0))[-1] == 3
    assert built(tmp_path, (2.0, 3.0), base="other programs") == [6.0, 1]


@pytest.mark.rule("CACHE-14")
def test_outside_of_a_build_and_after_it_nothing_is_kept(tmp_path):
    built(tmp_path, (2.0, 3.0))
    CALLS.clear()
    assert [computed(product, 2.0, b=3.0), computed(product, 2.0, b=3.0), len(CALLS)] == [6.0, 6.0, 2]


def test_what_fails_is_not_kept_and_ends_the_block(tmp_path):
    recall = Computations(Cache(tmp_path))
    with pytest.raises(ZeroDivisionError), recalling(recall):
        computed(nothing_left, 1.0)
    assert not list(tmp_path.glob("??/*"))
    assert built(tmp_path, (1.0,)) == [1.0, 1]


@pytest.mark.rule("CACHE-14")
def test_a_kept_answer_is_the_computed_one(tmp_path):
    design = ThreePlusThree((1.0, 2.0, 3.0), cap=Cap(12))
    model = Blrm((1.0, 2.0), dref=1.0)
    wanted = [_paths(design), shrink_binomial((1, 0), (6, 3), mu0=0.1).mean, _posterior(model)]
    for _ in range(2):
        with recalling(Computations(Cache(tmp_path))):
            operate._compiled_rule.cache_clear()
            shrunk.cache_clear()
            escalation_model._posterior.cache_clear()
            rate = shrunk((1, 0), (6, 3), prior=(0.1, 1.5, 0.5), level=0.95).mean
            for found, expected in zip([_paths(design), rate, _posterior(model)], wanted, strict=True):
                np.testing.assert_array_equal(found, expected)


def _paths(design: ThreePlusThree) -> np.ndarray:
    compiled = operate.compile_design(design)
    return np.column_stack([compiled.paths, compiled.outcomes.n, compiled.outcomes.mtd])


def _posterior(model: Blrm) -> np.ndarray:
    found, limits = escalation_model._posterior(model, (3, 3), (0, 1), (0.1, 0.9))
    return np.column_stack([found.mean, found.interval_probs, limits])


@pytest.mark.rule("CACHE-14")
def test_what_is_kept_gets_no_data_and_is_named_by_its_module(monkeypatch):
    asked = []

    def recall(function, /, *args, **kwargs):
        asked.append((function, [*args, *kwargs.values()]))
        return called(function, *args, **kwargs)

    for kept in (operate._compiled_rule, escalation_model._posterior, shrunk):
        kept.cache_clear()
    with recalling(recall):
        _paths(ThreePlusThree((1.0, 2.0), cap=Cap(6)))
        _posterior(Blrm((1.0, 2.0), dref=1.0))
        shrunk((1,), (2,), prior=(0.1, 1.5, 0.5), level=0.95)
    assert {function.__name__ for function, _ in asked} <= KEPT
    for function, given in asked:
        assert inspect.isfunction(function) and "<" not in function.__qualname__
        assert not any(hasattr(part, name) for part in given for name in ("datasets", "domains", "columns"))
