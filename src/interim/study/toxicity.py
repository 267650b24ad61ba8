"""Parameters of safety: adverse events, laboratory grades, immune toxicity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from interim.study.efficacy import Imputation
from interim.study.tables import Count, Increasing, Positive, Table

Hours = Annotated[int, Field(ge=1, le=168)]
Multiple = Annotated[float, Field(gt=0)]


class SafetyTable(Table):
    """Adverse events."""

    dictionary: str = "own"
    ae_start_imputation: Imputation = Imputation(rule="first", highest="M")
    teae_end_days: Count | Literal["none"] = 28
    teae_stop_at_nact: bool = True
    teae_related_unlimited: bool = True
    teae_worsening: bool = True
    span_period: bool = False
    missing_related: Literal["worst_case"] = "worst_case"
    death_window_days: Count = 30
    aesi: tuple[str, ...] = ()
    collapse_overlap: bool = False
    vs_limits: dict[str, dict[Literal["low", "high"], float]] = Field(default_factory=dict)
    rcl_tests: tuple[str, ...] = ("RCL",)
    integration_tests: tuple[str, ...] = ()
    autopsy_items: tuple[str, ...] = ()


class LabsTable(Table):
    """Laboratory grades."""

    ctcae_version: Literal[5, 6] = 5
    high_indicators: tuple[str, ...] = ("H", "HH", "HIGH", "HIGH HIGH")
    show_both_branches: bool = True
    baseline_grade: Literal["uln", "none"] = "uln"
    clinical_component: (
        Literal["worst_case", "asymptomatic"] | dict[str, Literal["worst_case", "asymptomatic"]]
    ) = "worst_case"
    egfr: Literal["ckd_epi_2021"] = "ckd_epi_2021"
    ae_link_days: Count = 7


class ToxicityTable(Table):
    """CRS, neurotoxicity, other immune toxicity, liver."""

    absent_means_none: tuple[str, ...] = ()
    same_day_phase: Literal["earlier", "later"] = "earlier"
    crs_gap_h: Hours = 24
    icans_gap_h: Hours = 24
    crs_link_days: Annotated[int, Field(ge=1, le=60)] = 14
    hypotension_sbp: Annotated[float, Field(ge=70, le=110)] = 90
    fio2_per_litre: Annotated[float, Field(ge=0.03, le=0.05)] = 0.04
    ctcae_count_vasopressin: bool = True
    ctcae_cpap_grade: Literal[3, 4] = 4
    iechs_min_support: Annotated[int, Field(ge=1, le=4)] = 1
    iechs_min_hours: Count = 48
    iechs_rise_h: Positive = 48
    icaht_anchor: Literal["first_cart", "latest_cycle"] = "first_cart"
    icaht_count: Literal["cumulative", "longest_run"] = "cumulative"
    icaht_max_gap_d: Annotated[int, Field(ge=1, le=7)] = 3
    liver_baseline: Literal["nk", "cart"] = "nk"
    hys_window_days: Annotated[int, Field(ge=0, le=90)] = 30
    hys_order: Literal["any", "at_first"] = "any"
    hys_bili_strict: bool = True
    hys_at: Multiple = 3
    hys_bili: Multiple = 2
    hys_alp: Multiple = 2
    mhy_at_x_bl: Multiple = 2
    mhy_bili_x_bl: Multiple = 2
    hai_windows: Annotated[tuple[Positive, ...], Field(min_length=1), Increasing] = (3, 14)
    agvhd_max_day: Positive = 100
