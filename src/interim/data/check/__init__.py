"""The checks of the data room: each rule is one function; `run_checks` runs them all and lists what they find."""

from __future__ import annotations

from interim.data.check.registry import Rule
from interim.data.check.run import RULES, CheckReport, run_checks

__all__ = ["RULES", "CheckReport", "Rule", "run_checks"]
