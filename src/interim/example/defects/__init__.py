"""Seeded defects: 60 ways to damage a clean study, each with the check that must find it."""

from interim.example.defects import (  # noqa: F401 - importing a topic registers its defects
    cells,
    dosing,
    events,
    laboratory,
    participants,
    samples,
    tumour,
)
from interim.example.defects.draft import Draft, Touched
from interim.example.defects.registry import Defect, Defective, defects, inject

__all__ = ["Defect", "Defective", "Draft", "Touched", "defects", "inject"]
