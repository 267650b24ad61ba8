"""Parameters of Phase IB and of benefit-risk."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from interim.study.tables import (
    Count,
    DifferentIds,
    Identifier,
    Increasing,
    Positive,
    Prob,
    Share,
    Table,
)

Model = Literal["independent", "exnex", "partition", "hierarchical"]
Design = Literal[
    "simon_9_17",
    "fixed_9",
    "fixed_18",
    "bayes_monitor",
    "hierarchical",
    "bop2",
    "predictive",
    "two_stage",
]
Above = Annotated[float, Field(gt=0)]
Scales = Annotated[tuple[Above, ...], Field(min_length=1)]
OTHER_TYPE, OTHER_WEIGHT, USUAL_WEIGHT = "other", 0.25, 0.5


class TumourType(Table):
    """One tumour type of Phase IB, with its rates and their sources."""

    id: Identifier
    label: Annotated[str, Field(min_length=1)]
    values: Annotated[tuple[str, ...], Field(min_length=1)]
    p0: Prob
    p1: Prob
    p0_source: Annotated[str, Field(min_length=1)]
    p1_source: Annotated[str, Field(min_length=1)]
    design: Design | None = None
    exnex_weight: Share | None = None
    borrow: bool = True

    @model_validator(mode="after")
    def _rates(self) -> Self:
        if self.p0 >= self.p1:
            raise ValueError(f"tumour type {self.id}: p0 {self.p0} must be smaller than p1 {self.p1}")
        return self

    @property
    def weight(self) -> float:
        """Prior probability of exchangeability; the type ``other`` has a smaller default."""
        if self.exnex_weight is not None:
            return self.exnex_weight
        return OTHER_WEIGHT if self.id == OTHER_TYPE else USUAL_WEIGHT


class PriorTable(Table):
    """Priors of the borrowing models."""

    mu_mean: float = 0
    mu_sd: Annotated[float, Field(gt=0, le=5)] = 2
    tau_scale: Above = 1
    nex_sd: Above = 2.5
    tau_sensitivity: Scales = (0.5, 1, 2)
    weight_sensitivity: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.25, 0.5, 0.75)
    p0_odds_sensitivity: Scales = (0.5, 1, 2)
    block_a: Above = 0.5
    block_b: Above = 0.5
    block_power: Annotated[float, Field(ge=0)] = 1


class MonitorTable(Table):
    """Toxicity monitoring of Phase IB."""

    method: Literal["bayes", "pocock", "none"] = "bayes"
    limit: Prob = 0.30
    cut: Prob = 0.80
    prior: Annotated[tuple[Above, ...], Field(min_length=2, max_length=2)] = (0.6, 1.4)
    min_n: Positive = 3
    looks: Literal["every"] | Annotated[tuple[Positive, ...], Field(min_length=1), Increasing] = "every"
    events: tuple[Literal["dlt", "crs_g3", "icans_g3"], ...] = ("dlt", "crs_g3", "icans_g3")
    scope: Literal["cohort", "pooled"] = "cohort"
    pocock_rate: Prob = 0.20
    pocock_alpha: Prob = 0.05
    include_phase_ia_rp2d: bool = False


class ExpansionTable(Table):
    """Phase IB: decision grid and designs."""

    decision_model: Model = "independent"
    supportive_models: tuple[Model, ...] = ("exnex", "partition")
    sensitivity_models: tuple[Model, ...] = ("hierarchical",)
    go_prob: Prob = 0.80
    go_ppos: Prob = 0.40
    nogo_prob: Prob = 0.30
    nogo_ppos: Prob = 0.10
    nogo_alt_max: Annotated[float, Field(gt=0, le=1)] = 0.20
    own_min_n: Positive = 3
    own_min_resp: Count = 1
    dose_scope: Literal["all", "rp2d"] = "all"
    response_status: Literal["confirmed", "any"] = "confirmed"
    ppos_success: Literal["design", "posterior"] = "design"
    ppos_cut: Prob = 0.90
    ppos_sizes: Annotated[tuple[Positive, ...], Field(min_length=1)] = (9, 12, 15, 18)
    design: Design = "simon_9_17"
    compare_designs: tuple[Design, ...] = (
        "simon_9_17",
        "fixed_9",
        "fixed_18",
        "bayes_monitor",
        "hierarchical",
    )
    n_min: Positive = 9
    n_max: Positive = 18
    n1_min: Positive = 9
    alpha_max: Prob = 0.10
    power_min: Prob = 0.80
    bop2_gamma_max: Above = 3
    count_phase_ia: Literal["no", "rp2d"] = "no"
    rates: Annotated[tuple[Prob, ...], Field(min_length=1)] = (0.05, 0.10, 0.20, 0.25, 0.30, 0.40)
    grade_n: Annotated[tuple[Positive, ...], Field(min_length=3, max_length=3), Increasing] = (1, 4, 10)
    type: Annotated[tuple[TumourType, ...], DifferentIds] = ()
    prior: PriorTable = PriorTable()
    monitor: MonitorTable = MonitorTable()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        problems = []
        if self.nogo_prob >= self.go_prob:
            problems.append(f"nogo_prob {self.nogo_prob} must be below go_prob {self.go_prob}")
        if self.nogo_ppos >= self.go_ppos:
            problems.append(f"nogo_ppos {self.nogo_ppos} must be below go_ppos {self.go_ppos}")
        if not self.n1_min <= self.n_max or self.n_min > self.n_max:
            problems.append(f"n_min {self.n_min} and n1_min {self.n1_min} must not exceed n_max {self.n_max}")
        late = [n for n in self.monitor.looks if isinstance(n, int) and n > self.n_max]
        if late and self.monitor.scope == "cohort":
            problems.append(f"monitor.looks {late} lie beyond n_max {self.n_max} of a cohort")
        values = [value for entry in self.type for value in entry.values]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            problems.append(f"tumour-type value used twice: {', '.join(twice)}")
        if problems:
            raise ValueError("expansion: " + "; ".join(problems))
        return self


class BenefitRiskTable(Table):
    """Benefit and risk by dose."""

    p_act: Prob = 0.10
    utility: Annotated[tuple[float, ...], Field(min_length=4, max_length=4)] | None = None
    prior_cells: Annotated[tuple[Prob, ...], Field(min_length=4, max_length=4)] = (0.07, 0.03, 0.63, 0.27)
    prior_ess: Above = 1
    best_dose_prob: Prob = 0.80

    @model_validator(mode="after")
    def _scores(self) -> Self:
        if self.utility is not None and (self.utility[0], self.utility[-1]) != (100, 0):
            raise ValueError(
                f"benefit_risk.utility must begin with 100 and end with 0, found {list(self.utility)}"
            )
        if self.utility is not None and not all(0 <= score <= 100 for score in self.utility):
            raise ValueError(f"benefit_risk.utility must lie within 0 to 100, found {list(self.utility)}")
        if not math.isclose(sum(self.prior_cells), 1, abs_tol=1e-9):
            raise ValueError(f"benefit_risk.prior_cells must sum to 1, found {sum(self.prior_cells):g}")
        return self
