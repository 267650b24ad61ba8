"""The synthetic studies, made once."""

from __future__ import annotations

import functools

import pytest

from interim.example import make_study

SEED = 20251225


@functools.cache
def study(preset: str, seed: int):
    return make_study(preset, seed)


@pytest.fixture
def made():
    """Return a function (preset, seed) -> frames."""
    return study


@pytest.fixture
def main13():
    """The study of the documents."""
    return study("main13", SEED)
