"""Tables, figures and sentences made from Results; loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interim.display.figure import Figure
    from interim.display.table import Table
    from interim.display.text import Paragraph, sentence

_MODULES = {
    "table": ("Cell", "Head", "Row", "Table"),
    "figure": ("Figure",),
    "text": ("Paragraph", "Span", "sentence"),
    "disposition": ("table_participant_flow", "table_analysis_sets", "table_demography", "table_disease"),
    "escalation": ("table_dlt_by_dose",),
    "escalation_listing": (
        "table_decision_log",
        "table_conformance",
        "table_dlt_details",
        "table_trigger_candidates",
        "table_rule_options",
        "table_stopping_triggers",
    ),
    "escalation_curve": (
        "table_dlt_curve",
        "table_characteristics",
        "figure_escalation_course",
        "figure_dlt_curve",
    ),
    "design_comparison": ("table_design_comparison", "figure_design_comparison"),
    "readings": ("table_readings", "table_ambiguities"),
    "safety": (
        "table_teae_summary",
        "table_teae_by_soc_pt",
        "table_teae_by_max_grade",
        "table_related_teae",
        "table_teae_by_period",
        "table_deaths",
    ),
    "infusions": ("table_exposure",),
    "by_dose": ("table_by_dose",),
    "listing": ("table_listing",),
    "patient": ("figures_profile", "story_narratives"),
    "conduct_figures": ("figure_calendar", "figure_doses"),
    "flow": ("figure_flow",),
    "courses": (
        "figure_related_terms",
        "figure_release_timeline",
        "figure_first_release",
        "figure_trajectories",
    ),
    "vital_signs": ("table_outliers", "table_ecog_shift"),
    "toxicity": ("table_immune_toxicity", "table_crs_concordance"),
    "laboratory": (
        "table_values_by_visit",
        "table_grade_shift",
        "table_significant_deviations",
        "table_hepatotoxicity",
        "figure_edish",
    ),
    "response": ("table_best_response", "figure_swimmer"),
    "waterfall": ("figure_waterfall",),
    "survival": ("table_time_to_event", "table_duration_of_response", "figure_kaplan_meier"),
    "response_tables": (
        "table_irecist",
        "table_depth",
        "table_regional",
        "table_evaluators",
        "table_routes",
        "table_contradictions",
    ),
    "response_sets": ("table_response_by_set", "table_follow_up"),
    "regional_change": ("figure_regional_change",),
    "lesion_listing": ("table_target_lesions", "table_other_lesions"),
    "response_listing": ("table_time_points", "table_derivations"),
    "sensitivity": (
        "table_pfs_sensitivity",
        "table_sensitivity_changes",
        "table_censoring_reasons",
        "table_estimands",
        "table_benchmarks",
    ),
    "spider": ("figure_spider",),
    "expansion": (
        "table_candidates",
        "table_tipping",
        "table_designs",
        "table_rule_of_choice",
        "table_boundaries",
    ),
    "expansion_support": (
        "table_open_responses",
        "table_expansion_sensitivity",
        "table_expansion_covariates",
        "table_expansion_sources",
        "table_protocol_changes",
    ),
    "expansion_scenarios": ("table_cohorts_together", "table_choices"),
    "benefit_risk": ("table_benefit_risk", "table_utility", "table_rationale"),
    "expansion_figures": (
        "figure_benefit_risk",
        "figure_designs",
    ),
    "expansion_type_figures": ("figure_shrinkage_of_types", "figure_decision_grid"),
    "subgroups": ("table_subgroup_registry", "figure_forest"),
    "subgroups_tables": (
        "table_subgroup",
        "table_subgroup_limits",
        "table_shrinkage",
        "table_type_by_dose",
        "table_credibility",
    ),
    "subgroups_stability": ("table_stability", "table_post_baseline", "table_sensitivity_model"),
    "subgroups_figures": ("figure_map", "figure_overlap", "figure_cut_path"),
    "subgroups_panels": ("figure_marker_response", "figure_subgroup_endpoints"),
    "subgroups_adhoc": ("table_adhoc", "table_adhoc_tests"),
    "subgroups_sentence": ("limits_paragraph",),
    "kinetics": (
        "table_kinetic_levels",
        "table_kinetic_parameters",
        "table_exposure_by_dose",
        "table_biodistribution",
        "figure_exposure_response",
    ),
    "kinetic_profiles": ("figure_kinetic_profiles", "figure_mean_profiles"),
    "exposure": (
        "table_exposure_response",
        "table_exposure_correlation",
        "table_counts",
        "table_sensitivity_panel",
        "table_expansion_model",
    ),
    "kinetic_listing": ("table_kinetic_samples", "table_tissue", "table_cytokine_listing"),
    "cytokines": ("table_cytokines", "figure_cytokine_heat_map"),
    "biomarkers": ("table_biomarkers", "table_immunogenicity"),
    "completeness": ("table_completeness",),
    "terms": ("table_terms",),
    "data_quality": ("table_snapshot", "table_checks", "table_findings"),
    "source_quality": ("table_missing_data",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = ["Figure", "Paragraph", "Table", "sentence"]


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(
            f"module 'interim.display' has no attribute {name!r}; it has: {', '.join(sorted(_HOMES))}"
        )
    return getattr(import_module(f"interim.display.{_HOMES[name]}"), name)
