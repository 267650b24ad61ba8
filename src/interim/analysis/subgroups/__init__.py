"""Exploratory subgroups: what they are, what they could show at best, and the endpoints within each level.

The order of the functions is the order of the report: registry, limits, spread, levels, models, shrinkage, stability,
credibility.
"""

from interim.analysis.subgroups.associated import association, type_by_dose
from interim.analysis.subgroups.checklist import credibility
from interim.analysis.subgroups.definitions import registry
from interim.analysis.subgroups.free import adhoc
from interim.analysis.subgroups.limit import limits
from interim.analysis.subgroups.mapped import participant_map
from interim.analysis.subgroups.penalised import sensitivity_model
from interim.analysis.subgroups.shrunken import shrinkage
from interim.analysis.subgroups.slope import slopes
from interim.analysis.subgroups.small_cells import differencing, mask
from interim.analysis.subgroups.stability import cut_path, leave_one_out
from interim.analysis.subgroups.variation import heterogeneity
from interim.analysis.subgroups.within import levels, post_baseline

__all__ = [
    "adhoc",
    "association",
    "credibility",
    "cut_path",
    "differencing",
    "heterogeneity",
    "leave_one_out",
    "levels",
    "limits",
    "mask",
    "participant_map",
    "post_baseline",
    "registry",
    "sensitivity_model",
    "shrinkage",
    "slopes",
    "type_by_dose",
]
