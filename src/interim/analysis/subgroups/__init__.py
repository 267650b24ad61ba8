"""Exploratory subgroups: what they are, what they could show at best, and the endpoints within each level."""

from interim.analysis.subgroups.associated import association, type_by_dose
from interim.analysis.subgroups.definitions import registry
from interim.analysis.subgroups.limit import limits
from interim.analysis.subgroups.stability import cut_path, leave_one_out
from interim.analysis.subgroups.within import levels, post_baseline

__all__ = [
    "association",
    "cut_path",
    "leave_one_out",
    "levels",
    "limits",
    "post_baseline",
    "registry",
    "type_by_dose",
]
