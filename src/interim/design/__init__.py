"""The design workshop: histories, escalation rules, their exact characteristics, replay of real decisions.

The public names are loaded on first use, so that reading a history does not cost the price of every model. ``replay`` and
``simulate`` are found in the modules of the same names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interim.design.blrm import Blrm, Prior
    from interim.design.characteristics import Characteristics, Scenario
    from interim.design.crm import Crm
    from interim.design.decision import Decision, Design, Selection
    from interim.design.elimination import Elimination
    from interim.design.escalation import EscalationRule, ThreePlusThree, TitratedThreePlusThree
    from interim.design.exact import CompiledDesign
    from interim.design.history import Cohort, History, Record, Stop, Subject
    from interim.design.interval import Boin, I3Plus3, Keyboard, Mtpi, Mtpi2
    from interim.design.operate import compare, compile_design, operating_characteristics
    from interim.design.options import Cap, Conduct, MtdRule, Titration
    from interim.design.outcome import IndexRule, favourable_index, level_evidence, recommended_dose
    from interim.design.paths import dose_paths, rule_table
    from interim.design.table import TableDesign
    from interim.design.tipping import open_facts, tipping_options

_HOMES = {
    "Blrm": "blrm",
    "Boin": "interval",
    "Cap": "options",
    "Characteristics": "characteristics",
    "Cohort": "history",
    "CompiledDesign": "exact",
    "Conduct": "options",
    "Crm": "crm",
    "Decision": "decision",
    "Design": "decision",
    "Elimination": "elimination",
    "EscalationRule": "escalation",
    "History": "history",
    "I3Plus3": "interval",
    "IndexRule": "outcome",
    "Keyboard": "interval",
    "MtdRule": "options",
    "Mtpi": "interval",
    "Mtpi2": "interval",
    "Prior": "blrm",
    "Record": "history",
    "Scenario": "characteristics",
    "Selection": "decision",
    "Stop": "history",
    "Subject": "history",
    "TableDesign": "table",
    "ThreePlusThree": "escalation",
    "TitratedThreePlusThree": "escalation",
    "Titration": "options",
    "compare": "operate",
    "compile_design": "operate",
    "dose_paths": "paths",
    "favourable_index": "outcome",
    "level_evidence": "outcome",
    "open_facts": "tipping",
    "operating_characteristics": "operate",
    "recommended_dose": "outcome",
    "rule_table": "paths",
    "tipping_options": "tipping",
}

__all__ = [
    "Blrm",
    "Boin",
    "Cap",
    "Characteristics",
    "Cohort",
    "CompiledDesign",
    "Conduct",
    "Crm",
    "Decision",
    "Design",
    "Elimination",
    "EscalationRule",
    "History",
    "I3Plus3",
    "IndexRule",
    "Keyboard",
    "MtdRule",
    "Mtpi",
    "Mtpi2",
    "Prior",
    "Record",
    "Scenario",
    "Selection",
    "Stop",
    "Subject",
    "TableDesign",
    "ThreePlusThree",
    "TitratedThreePlusThree",
    "Titration",
    "compare",
    "compile_design",
    "dose_paths",
    "favourable_index",
    "level_evidence",
    "open_facts",
    "operating_characteristics",
    "recommended_dose",
    "rule_table",
    "tipping_options",
]


def __getattr__(name: str) -> object:
    """Load a public name from the module that owns it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'interim.design' has no attribute {name!r}")
    return getattr(import_module(f"interim.design.{_HOMES[name]}"), name)
