"""Statistical interim analysis of early-phase cell-therapy trials.

The public names are loaded on first use, so that ``import interim`` and ``interim --help`` stay light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interim.adam import Adam, build_adam
    from interim.analysis.expansion_counts import adhoc as phase_ib
    from interim.analysis.kinetic_profiles import adhoc as kinetics
    from interim.data import Sdtm, open_data
    from interim.report.adhoc import subgroups
    from interim.report.chapter import open_chapter
    from interim.report.explore import open_designs
    from interim.result import Result, ResultStore
    from interim.study import Study, read_study

__version__ = "0.1.0"

_HOMES = {
    "Adam": "interim.adam",
    "Result": "interim.result",
    "ResultStore": "interim.result",
    "Sdtm": "interim.data",
    "Study": "interim.study",
    "build_adam": "interim.adam",
    "kinetics": "interim.analysis.kinetic_profiles:adhoc",
    "open_chapter": "interim.report.chapter",
    "open_data": "interim.data",
    "open_designs": "interim.report.explore",
    "phase_ib": "interim.analysis.expansion_counts:adhoc",
    "read_study": "interim.study",
    "subgroups": "interim.report.adhoc",
}

__all__ = [
    "Adam",
    "Result",
    "ResultStore",
    "Sdtm",
    "Study",
    "build_adam",
    "kinetics",
    "open_chapter",
    "open_data",
    "open_designs",
    "phase_ib",
    "read_study",
    "subgroups",
]


def __getattr__(name: str) -> object:
    """Load a public name from the room that owns it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'interim' has no attribute {name!r}")
    home, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(home), attribute or name)
