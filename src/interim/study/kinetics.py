"""Parameters of cellular kinetics."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from interim.study.tables import Auto, Increasing, Percent, Positive, Prob, Share, Table

Ends = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1), Increasing]
NonNegative = Annotated[float, Field(ge=0)]


class VisitWindow(Table):
    """Permitted actual minus nominal time: the tolerance holds until a nominal day."""

    until: NonNegative
    tolerance: NonNegative


class ManualTerminal(Table):
    """Points of a terminal slope chosen by a person, with the reason."""

    subject: str
    parameter: str
    points: Annotated[tuple[float, ...], Field(min_length=3)]
    reason: Annotated[str, Field(min_length=1)]


class KineticsWindows(Table):
    """Ends of areas in days on each clock."""

    cart_product: Ends = (28, 84)
    cart_cycle: Ends = (14,)
    nk: Ends = (7,)


class KineticsTable(Table):
    """Cellular kinetics."""

    duplicate_rule: Literal["error", "mean", "first"] = "error"
    visit_windows: tuple[VisitWindow, ...] | None = None
    predose_zero_h: NonNegative = 1
    day0_predose: bool = True
    dnq_treatment: Literal["blq", "reported_value"] = "blq"
    blq_rule: Literal["zero", "pknca", "pre0_post_drop", "half_lloq"] = "zero"
    sensitivity_panel: bool = True
    auc_method: Literal["linear", "lin up/log down", "lin-log"] = "lin up/log down"
    allow_tmax_in_lambda_z: bool = False
    c0_method: Literal["logslope", "first"] = "logslope"
    auc_min_post_samples: Annotated[int, Field(ge=2)] = 3
    auc_min_last_day: Annotated[NonNegative | None, Auto] = None
    auc_summary_evaluable_only: bool = True
    windows: KineticsWindows = KineticsWindows()
    consecutive_gap_h: Annotated[float, Field(ge=0, le=72)] = 36
    predose_max_shift_pct: Annotated[float, Field(ge=0, le=20)] = 5
    predose_max_shift_h: Annotated[float, Field(ge=0, le=48)] = 24
    boundary_missing: Literal["partial", "extrapolate"] = "partial"
    carryover: Literal["report", "subtract_exponential"] = "report"
    lambda_z_min_points: Annotated[int, Field(ge=3)] = 3
    lambda_z_tol: NonNegative = 1e-4
    lambda_z_compete: Literal["negative_only", "all_windows"] = "negative_only"
    lambda_z_manual: tuple[ManualTerminal, ...] = ()
    flag_adj_r2: Share = 0.8
    flag_span: Annotated[float, Field(gt=0)] = 2
    flag_extrap_pct: Percent = 20
    tobit_dnq: Literal["lloq", "interval"] = "lloq"
    tobit_starts: Annotated[int, Field(ge=3)] = 3
    phase_break_day: Annotated[float, Field(gt=0)] | Literal["fitted"] = 28
    expansion_baseline: Literal["first_quantified", "lloq"] = "first_quantified"
    blq_mean_max: Share = 0.5
    quantile_type: Literal[2, 7] = 7
    dose_basis: Literal["planned_level", "actual_per_kg", "actual_total"] = "planned_level"
    smith_limits: Annotated[
        tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=2, max_length=2), Increasing
    ] = (0.8, 1.25)
    power_ci: Prob = 0.90
    landmark_day: Positive = 28
    auroc_ci: Literal["bootstrap", "delong"] = "bootstrap"
    bootstrap_n: Annotated[int, Field(ge=200)] = 2000
    tissue_match_h: Annotated[float, Field(gt=0)] = 24
