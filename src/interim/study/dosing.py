"""Parameters of dose finding: the escalation rule, the titration trigger, the therapeutic index, the tipping table."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from interim.study.tables import Condition, Count, Increasing, Positive, Prob, Rate, Table, shipped

MTD_RULES = {
    "esc_only": (False, 3, False),
    "deesc_min6_top3": (True, 6, False),
    "deesc_min6_top6": (True, 6, True),
}
"""Names of ``dose.mtd_rule`` with the values of deescalate, mtd_min_n and expand_top that they stand for."""

Grade = Annotated[int, Field(ge=1, le=5)]
CrsScale = Literal["ctcae5", "astct2019", "either"]


class TippingTable(Table):
    """Rows of the tipping table over the readings."""

    mode: Literal["one_at_a_time", "dose_grid"] = "one_at_a_time"
    joint: tuple[str, ...] = ("AMB-1", "AMB-2", "AMB-3", "AMB-6")
    engine: bool = True


class DltRule(Table):
    """One DLT-defining event: all its conditions hold."""

    id: str
    text: str
    all: Annotated[tuple[Condition, ...], Field(min_length=1)]


class DoseTable(Table):
    """Dose levels, escalation rule, DLT window and evaluability."""

    levels: Annotated[
        tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1, max_length=12), Increasing
    ] = (1.5e7, 3e7, 5e7, 7e7)
    dose_unit_basis: Literal["per_infusion", "per_cycle"] = "per_infusion"
    start_level: Positive = 1
    start_reason: str = ""
    last_titration_level: Count | Literal["all"] = 1
    trigger_n_events: Annotated[int, Field(ge=1, le=3)] = 1
    trigger_from_not_evaluable: bool = True
    count_titration_participant: bool = True
    mtd_rule: Literal["esc_only", "deesc_min6_top3", "deesc_min6_top6", "custom"] = "deesc_min6_top6"
    deescalate: bool = True
    mtd_min_n: Literal[3, 6] = 6
    expand_top: bool = True
    down_fill: Literal["three_then_six", "direct_six"] = "three_then_six"
    n_max: Annotated[int, Field(ge=3)] | Literal["none"] = 18
    n_max_counts: Literal["evaluable", "treated"] = "evaluable"
    partial_cohort_at_cap: bool = False
    cap_mtd_rule: Literal["evidence", "none"] = "evidence"
    overrun_max_rate: Annotated[str, Field(pattern=r"^[1-9]\d*/[1-9]\d*$")] = "1/6"
    between_3_and_6: Literal["fill_to_6", "escalate_if_zero"] = "fill_to_6"
    late_dlt_policy: Literal["return", "flag"] = "return"
    exclusion_lift: Literal["recorded_only", "automatic"] = "recorded_only"
    replace_not_evaluable: bool = True
    max_replacements: Count | Literal["none"] = "none"
    min_infusions: Annotated[int, Field(ge=1, le=4)] = 2
    window_anchor: Literal["c1_last_infusion", "c2_last_infusion", "c1_first_infusion"] = "c1_last_infusion"
    window_days: Positive = 14
    window_includes_nk_phase: bool = False
    partial_date_policy: Literal["worst_case", "exclude_with_finding"] = "worst_case"
    stagger_days: Count = 0
    dose_deviation_flag: Annotated[float, Field(ge=0, le=1)] = 0.20
    dose_deviation_bands: Annotated[tuple[Prob, ...], Field(min_length=1), Increasing] = (0.10, 0.20)
    dlt_rules: tuple[DltRule, ...] = Field(
        default_factory=lambda: tuple(DltRule.model_validate(row) for row in shipped("dlt_rules"))
    )
    dlt_crs_scale: CrsScale = "ctcae5"
    tox_limit: Rate = "1/3"
    tox_band: Annotated[tuple[Prob, ...], Field(min_length=2, max_length=2), Increasing] = (0.16, 0.33)
    rp2d_rule: Literal["mtd", "recorded"] = "mtd"

    @model_validator(mode="after")
    def _ladder(self) -> DoseTable:
        count = len(self.levels)
        if isinstance(self.last_titration_level, int) and self.last_titration_level > count:
            raise ValueError(f"dose.last_titration_level must be 0..{count} or 'all'")
        if self.start_level > count:
            raise ValueError(f"dose.start_level must be 1..{count}, found {self.start_level}")
        if not 0 < self.limit < 1:
            raise ValueError(f"dose.tox_limit must lie between 0 and 1, found {self.tox_limit!r}")
        if not 0 < Fraction(self.overrun_max_rate) < Fraction(1, 2):
            raise ValueError(
                f"dose.overrun_max_rate must lie between 0 and 1/2, found {self.overrun_max_rate!r}"
            )
        return self

    @model_validator(mode="after")
    def _bundle(self) -> DoseTable:
        """A named rule and its three parts must agree; parts that the study does not state follow the name."""
        stated = self.model_fields_set
        if self.mtd_rule != "custom":
            names = ("deescalate", "mtd_min_n", "expand_top")
            for name, value in zip(names, MTD_RULES[self.mtd_rule], strict=True):
                if name in stated and getattr(self, name) != value:
                    raise ValueError(
                        f"dose.{name} is {getattr(self, name)!r} but dose.mtd_rule = {self.mtd_rule!r} means {value!r}; "
                        "change one, or state mtd_rule = 'custom'"
                    )
                object.__setattr__(self, name, value)
        if not self.deescalate and self.last_titration_level != 0:
            raise ValueError(
                "dose.deescalate = false (or mtd_rule 'esc_only') needs last_titration_level = 0: an MTD could rest on one participant"
            )
        return self

    @property
    def limit(self) -> float:
        """``tox_limit`` as a number."""
        return float(Fraction(self.tox_limit)) if isinstance(self.tox_limit, str) else self.tox_limit


class TriggerTable(Table):
    """Titration trigger."""

    phases: tuple[Literal["NK", "CART_C1", "CART_C2"], ...] = ("NK", "CART_C1", "CART_C2")
    crs_min_grade: Grade = 2
    related_ae_min_grade: Grade = 2
    crs_scale: CrsScale = "ctcae5"
    related_to: tuple[Literal["CARNK", "CART", "HAI_PROCEDURE", "LYMPHODEPLETION"], ...] = ("CARNK", "CART")
    grade_source: Literal["reported", "derived", "max"] = "max"
    window_end: Literal["dlt_window_end", "data_cut"] = "dlt_window_end"
    missing_relatedness: Literal["related", "unrelated", "query"] = "related"
    missing_grade: Literal["trigger", "no_trigger", "query"] = "trigger"
    exclude_baseline_grade: bool = True


class TherapeuticIndexTable(Table):
    """What a favourable therapeutic index means."""

    rule: Literal["investigator_event", "threshold"] = "investigator_event"
    ti_tox_max: Prob | None = None
    ti_prob_tox: Prob | None = None
    ti_orr_min: Prob | None = None
    ti_prob_orr: Prob | None = None
    ti_completion_min: Prob | None = None

    @model_validator(mode="after")
    def _threshold_needs_all(self) -> TherapeuticIndexTable:
        absent = [name for name in type(self).model_fields if getattr(self, name) is None]
        if self.rule == "threshold" and absent:
            raise ValueError(f"therapeutic_index.rule = 'threshold' needs {', '.join(absent)}")
        return self
