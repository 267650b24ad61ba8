"""Parameters of inference and of the exploratory subgroups."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from interim.study.tables import Auto, Increasing, Percent, Prob, Table, shipped


class StatsTable(Table):
    """Statistical choices."""

    level: Annotated[float, Field(ge=0.5, le=0.999)] = 0.95
    binomial_interval: Literal[
        "clopper_pearson", "midp", "wilson", "wilson_cc", "jeffreys", "agresti_coull", "blaker", "minlike"
    ] = "clopper_pearson"
    difference_interval: Literal["miettinen_nurminen", "mee", "newcombe", "exact_score"] = (
        "miettinen_nurminen"
    )
    km_interval: Literal["plain", "log", "log-log", "logit", "arcsin", "beta_product"] = "log-log"
    rmst_tau: Annotated[Annotated[float, Field(gt=0)] | None, Auto] = None
    cox_ties: Literal["efron", "breslow"] = "efron"
    max_exact: Annotated[int, Field(ge=1000)] = 200_000
    draws: Annotated[int, Field(ge=1999)] = 20_000
    show_p_values: bool = False


class SubgroupTable(Table):
    """Settings of the exploratory subgroups."""

    ratio_numerator: Literal["NEUT", "GRAN"] = "NEUT"
    min_ci_n: Annotated[int, Field(ge=2)] = 3
    min_contrast_n: Annotated[int, Field(ge=2)] = 4
    min_events: Annotated[int, Field(ge=3)] = 5
    gap_pp: Annotated[float, Field(ge=1, le=100)] = 40
    pfs_landmark_months: Annotated[float, Field(gt=0)] = 3
    adjust: Literal["max_t", "min_p", "none"] = "max_t"
    permute_within: Literal["none", "dose", "tumour_type"] = "none"
    missing_flag_pct: Percent = 20
    shrink_mu0: dict[Literal["orr", "dcr"], Prob] = Field(default={"orr": 0.10, "dcr": 0.60})
    shrink_mu_sd: Annotated[float, Field(gt=0)] = 1.5
    shrink_tau: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (0.5, 1.0)
    cluster: bool = False
    sensitivity_model: bool = True
    sensitivity_tune: bool = False
    sensitivity_c: Annotated[float, Field(gt=0)] = 0.1

    @model_validator(mode="after")
    def _contrast_not_smaller(self) -> SubgroupTable:
        if self.min_contrast_n < self.min_ci_n:
            raise ValueError(
                f"subgroup.min_contrast_n {self.min_contrast_n} is smaller than subgroup.min_ci_n {self.min_ci_n}"
            )
        return self


Dimension = Literal["histology", "ligand", "prior", "burden", "markers", "ratio", "site", "dose"]


AD_HOC = "X"
"""Variable of an entry that was made for one frame: its levels are printed as they are."""


class SubgroupEntry(Table):
    """One reading of one subgroup factor."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    dimension: Dimension
    label: Annotated[str, Field(min_length=1)]
    variable: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*$")]
    kind: Literal["continuous", "ordinal", "nominal", "flag"]
    scale: Literal["identity", "log2", "log1p"] = "identity"
    cuts: Annotated[tuple[float, ...], Field(min_length=1), Increasing] | Literal["median"] | None = None
    cut_frozen: float | None = None
    closed: Literal["left", "right"] = "left"
    levels: tuple[str, ...] | None = None
    primary: bool = False
    origin: Literal["protocol", "literature", "median", "data_driven"]
    source: str = ""
    timing: Literal["baseline", "post_baseline"] = "baseline"
    direction: Literal["higher_better", "lower_better", "none"] = "none"
    rationale: str = ""

    @model_validator(mode="after")
    def _coherent(self) -> SubgroupEntry:
        if self.cuts is not None and self.kind in ("nominal", "flag"):
            raise ValueError(f"cuts belong to a continuous or ordinal factor, not to kind {self.kind!r}")
        if self.kind == "continuous" and self.cuts is None:
            raise ValueError("a continuous factor needs cuts (numbers, or 'median')")
        if self.cut_frozen is not None and self.cuts != "median":
            raise ValueError("cut_frozen belongs to cuts = 'median'")
        cuts = self.cuts if isinstance(self.cuts, tuple) else ()
        low, high = self.limits
        outside = [cut for cut in (*cuts, self.cut_frozen) if cut is not None and not low < cut < high]
        if outside:
            raise ValueError(
                f"cut {outside[0]:g} lies outside the possible range {low:g} to {high:g} of {self.variable}"
            )
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """Possible range of the variable; a log2 factor must be > 0."""
        known = {row["name"]: row for row in shipped("baseline_variables")}
        row: dict[str, Any] = known.get(self.variable, {})
        low = row.get("min", 0.0 if self.scale == "log2" else -math.inf)
        return low, row.get("max", math.inf)
