"""Derived: what one derivation returns - a frame, the findings it made, and the rules it ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from interim.errors import Finding

Moment = Any
"""A pandas.Timestamp, or NaT where the date does not exist."""


@dataclass(frozen=True)
class Derived:
    """The outcome of one derivation.

    Attributes
    ----------
    frame : pandas.DataFrame
        The rows, sorted, index 0..n-1.
    findings : tuple of Finding
        What the derivation found in the data, sorted.
    rules : tuple of (str, str, str)
        Checks that belong to the derivation: rule id, severity, "run" or "not run: reason".
    """

    frame: pd.DataFrame
    findings: tuple[Finding, ...] = ()
    rules: tuple[tuple[str, str, str], ...] = ()
