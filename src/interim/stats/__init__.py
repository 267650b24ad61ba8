"""Numbers from arrays: intervals, tests and curves that hold for very small trials.

The public names are loaded on first use, so that importing the room costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interim.stats.answers import Interval, Intervals, TestResult
    from interim.stats.binomial import (
        BINOMIAL_INTERVALS,
        BetaPosterior,
        beta_posterior,
        binomial_interval,
        binomial_test,
    )
    from interim.stats.curve_limits import CURVE_INTERVALS
    from interim.stats.isotonic import isotonic_fit
    from interim.stats.posterior import beta_mass, beta_tail
    from interim.stats.quadrature import gauss_legendre, gauss_legendre_pieces
    from interim.stats.survival import CurveQuantile, CurveValue, KaplanMeier, RestrictedMean, kaplan_meier

_HOMES = {
    "gauss_legendre_pieces": "quadrature",
    "gauss_legendre": "quadrature",
    "isotonic_fit": "isotonic",
    "beta_mass": "posterior",
    "beta_tail": "posterior",
    "BINOMIAL_INTERVALS": "binomial",
    "BetaPosterior": "binomial",
    "CURVE_INTERVALS": "curve_limits",
    "CurveQuantile": "survival",
    "CurveValue": "survival",
    "Interval": "answers",
    "Intervals": "answers",
    "KaplanMeier": "survival",
    "RestrictedMean": "survival",
    "TestResult": "answers",
    "beta_posterior": "binomial",
    "binomial_interval": "binomial",
    "binomial_test": "binomial",
    "kaplan_meier": "survival",
}

__all__ = [
    "BINOMIAL_INTERVALS",
    "CURVE_INTERVALS",
    "BetaPosterior",
    "CurveQuantile",
    "CurveValue",
    "Interval",
    "Intervals",
    "KaplanMeier",
    "RestrictedMean",
    "TestResult",
    "beta_mass",
    "beta_posterior",
    "beta_tail",
    "binomial_interval",
    "binomial_test",
    "gauss_legendre",
    "gauss_legendre_pieces",
    "isotonic_fit",
    "kaplan_meier",
]


def __getattr__(name: str) -> object:
    """Load a public name from the module that owns it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'interim.stats' has no attribute {name!r}")
    return getattr(import_module(f"interim.stats.{_HOMES[name]}"), name)
