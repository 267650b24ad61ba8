"""The design workshop: histories, escalation rules, their exact characteristics, replay of real decisions."""

from __future__ import annotations

from interim.design.blrm import Blrm, Prior
from interim.design.characteristics import Characteristics, Scenario
from interim.design.crm import Crm
from interim.design.decision import Decision, Design, Selection
from interim.design.elimination import Elimination
from interim.design.escalation import ThreePlusThree, TitratedThreePlusThree
from interim.design.exact import CompiledDesign
from interim.design.history import Cohort, History, Record, Stop, Subject
from interim.design.interval import Boin, I3Plus3, Keyboard, Mtpi, Mtpi2
from interim.design.operate import compare, compile_design, operating_characteristics
from interim.design.options import Cap, Conduct, MtdRule, Titration
from interim.design.paths import dose_paths
from interim.design.table import TableDesign

EscalationRule = TitratedThreePlusThree
"""The rule that a study file describes: ``EscalationRule.from_study(study)``."""

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
    "operating_characteristics",
]
