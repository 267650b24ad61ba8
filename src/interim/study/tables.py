"""The tables of a study file: names, types, permitted values and defaults of every parameter."""

from __future__ import annotations

import math
import tomllib
from datetime import date, datetime
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Prob = Annotated[float, Field(gt=0, lt=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


def _increasing(values: tuple[float, ...]) -> tuple[float, ...]:
    if any(a >= b for a, b in pairwise(values)):
        raise ValueError(f"must increase strictly, found {list(values)}")
    return values


def _different_ids(rows: tuple[Any, ...]) -> tuple[Any, ...]:
    ids = [row.id for row in rows]
    if len(set(ids)) < len(ids):
        raise ValueError(f"an id is used twice in {ids}")
    return rows


Increasing = AfterValidator(_increasing)
DifferentIds = AfterValidator(_different_ids)
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


def shipped(name: str) -> tuple[dict[str, Any], ...]:
    """Return a list of tables that ships with the package as a default value.

    Parameters
    ----------
    name : str
        Name of the array of tables in ``shipped.toml``.

    Returns
    -------
    tuple of dict
        The tables, lists turned into tuples.

    Raises
    ------
    KeyError
        If the list does not exist.
    """
    text = files("interim.study").joinpath("shipped.toml").read_text(encoding="utf-8")
    rows: tuple[dict[str, Any], ...] = freeze(tomllib.loads(text)[name])
    return rows


def freeze(value: Any) -> Any:
    """Return a TOML value with every list turned into a tuple.

    Parameters
    ----------
    value : object
        What ``tomllib`` returned.

    Returns
    -------
    object
        The same value; dicts stay dicts.

    Raises
    ------
    None
    """
    if isinstance(value, dict):
        return {key: freeze(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    return value


class Table(BaseModel):
    """A table of the study file: strict, frozen, unknown keys forbidden."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )


class StudyTable(Table):
    """Identity of the study."""

    id: Identifier
    label: str = ""
    title: str = ""
    seed: Annotated[int, Field(ge=0)] | None = None
    day_zero: bool = True
    planned_therapies: tuple[str, ...] = ()


class DataTable(Table):
    """Where the data are and how they are cut."""

    path: str | None = None
    sources: tuple[str, ...] | None = None
    cut_date: datetime | date
    cut_description: str = ""
    cut_event: str | None = None
    source_is_cut: bool = False
    extract_time: datetime | None = None
    delimiter: Literal["auto", ",", ";", "\t"] = "auto"
    on_stop: Literal["halt", "draft"] = "halt"

    @model_validator(mode="after")
    def _one_door(self) -> DataTable:
        if (self.path is None) == (self.sources is None):
            raise ValueError("exactly one of data.path and data.sources must be given")
        if self.extract_time is not None and self.extract_time.tzinfo is None:
            raise ValueError("data.extract_time needs an offset, for example 2026-03-04T12:00:00+08:00")
        return self


class Product(Table):
    """One product of the study."""

    id: Identifier
    extrt: Annotated[tuple[str, ...], Field(min_length=1)]
    role: Literal["nk", "t", "other"]


class SetsTable(Table):
    """Analysis sets."""

    treated_products: tuple[str, ...] | None = None
    efficacy_default: Literal["FAS", "CART-SAF"] = "FAS"
    re_requires_measurable: bool = True


class EstimandTable(Table):
    """Strategies for intercurrent events."""

    nk_source_switch: Literal["treatment_policy", "while_on_first_source", "composite"] = "treatment_policy"


class CohortTable(Table):
    """Columns of the tables in a study without a dose ladder."""

    variable: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _labels_need_variable(self) -> CohortTable:
        if self.labels and self.variable is None:
            raise ValueError("cohort.labels needs cohort.variable")
        return self


class EligibilityTable(Table):
    """Limits used by the eligibility checks."""

    age: tuple[float, float] = (18, 75)


class ChecksTable(Table):
    """Thresholds of the data checks, under the rule's own name."""

    tu_window_days: Count = 28


class Condition(Table):
    """One condition on a column of an analysis dataset."""

    var: str
    op: Literal["==", "!=", ">=", "<=", ">", "<", "in", "not_in", "missing", "present"]
    value: float | str | tuple[str | float, ...] | None = None


class DltRule(Table):
    """One DLT-defining event: all its conditions hold."""

    id: str
    text: str
    all: Annotated[tuple[Condition, ...], Field(min_length=1)]


class DoseTable(Table):
    """Dose levels, DLT window and evaluability."""

    levels: Annotated[
        tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1, max_length=12), Increasing
    ] = (
        1.5e7,
        3e7,
        5e7,
        7e7,
    )
    dose_unit_basis: Literal["per_infusion", "per_cycle"] = "per_infusion"
    last_titration_level: Count | Literal["all"] = 1
    window_anchor: Literal["c1_last_infusion", "c2_last_infusion", "c1_first_infusion"] = "c1_last_infusion"
    window_days: Positive = 14
    window_includes_nk_phase: bool = False
    min_infusions: Annotated[int, Field(ge=1, le=4)] = 2
    partial_date_policy: Literal["worst_case", "exclude_with_finding"] = "worst_case"
    dose_deviation_flag: Annotated[float, Field(ge=0, le=1)] = 0.20
    dlt_rules: tuple[DltRule, ...] = Field(
        default_factory=lambda: tuple(DltRule.model_validate(row) for row in shipped("dlt_rules"))
    )
    dlt_crs_scale: Literal["ctcae5", "astct2019", "either"] = "ctcae5"
    tox_limit: Annotated[str, Field(pattern=r"^[1-9]\d*/[1-9]\d*$")] | Prob = "1/3"

    @model_validator(mode="after")
    def _ladder(self) -> DoseTable:
        if isinstance(self.last_titration_level, int) and self.last_titration_level > len(self.levels):
            raise ValueError(f"dose.last_titration_level must be 0..{len(self.levels)} or 'all'")
        if not 0 < self.limit < 1:
            raise ValueError(f"dose.tox_limit must lie between 0 and 1, found {self.tox_limit!r}")
        return self

    @property
    def limit(self) -> float:
        """``tox_limit`` as a number."""
        if isinstance(self.tox_limit, str):
            top, bottom = self.tox_limit.split("/")
            return int(top) / int(bottom)
        return self.tox_limit


class TriggerTable(Table):
    """Titration trigger."""

    phases: tuple[Literal["NK", "CART_C1", "CART_C2", "POST"], ...] = ("NK", "CART_C1", "CART_C2")
    crs_min_grade: Annotated[int, Field(ge=1, le=5)] = 2
    related_ae_min_grade: Annotated[int, Field(ge=1, le=5)] = 2
    related_to: tuple[Literal["CARNK", "CART", "HAI_PROCEDURE", "LYMPHODEPLETION"], ...] = ("CARNK", "CART")
    crs_scale: Literal["ctcae5", "astct2019", "either"] = "ctcae5"


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


ResponseValue = Literal["CR", "PR", "SD", "NON-CR/NON-PD"]


class ResponseTable(Table):
    """RECIST 1.1."""

    route: Literal["auto", "lesion", "reported"] = "auto"
    evaluator: str = "INVESTIGATOR"
    anchor: Literal["first_infusion", "first_cart", "enrolment"] = "first_infusion"
    baseline_max_days: Count = 28
    min_target_mm: Annotated[float, Field(gt=0)] = 10
    min_node_mm: Annotated[float, Field(gt=0)] = 15
    max_targets: Positive = 5
    max_per_organ: Positive = 2
    excess_targets: Literal["first", "all"] = "first"
    tstm_mm: Annotated[float, Field(ge=0, le=10)] = 5
    treated_lesion: Literal["missing", "as_measured"] = "missing"
    waterfall_after_pd: bool = False
    nodal_cr_mm: Annotated[float, Field(gt=0)] = 10
    pr_pct: Percent = 30
    pd_pct: Percent = 20
    pd_abs_mm: Annotated[float, Field(ge=0)] = 5
    partial_sum_pd: bool = True
    reappearance_is_pd: bool = True
    equivocal_backdate: bool = True
    visit_window_days: Count = 14
    date_rule: Literal["pd_first_else_last", "first", "last"] = "pd_first_else_last"
    bor_stop_at_nact: bool = True
    not_done: Literal["as_ne", "drop", "keep"] = "as_ne"
    sd_min_weeks: Annotated[float, Field(ge=0)] = 8
    missing_as_ne: bool = False
    accept_ned: bool = False
    confirmation_required: bool = True
    confirm_min_days: Count = 28
    max_ne_between: Count = 1
    accept_one_sd_for_pr: bool = False
    cr_then_pr: Literal["keep", "pd"] = "keep"
    cbr_values: tuple[ResponseValue, ...] = ("CR", "PR", "SD", "NON-CR/NON-PD")
    cbr_weeks: Annotated[float, Field(ge=0)] = 24
    cbr_pd_after_window: bool = False
    cbr_stop_at_pd: bool = True

    @property
    def sd_min_day(self) -> float:
        """Day from which a stable disease counts: 7 x ``sd_min_weeks``."""
        return 7 * self.sd_min_weeks


class Imputation(Table):
    """How a partial date is completed."""

    rule: Literal["first", "last", "mid"] = "first"
    highest: Literal["none", "D", "M", "Y"] = "M"


class TteTable(Table):
    """Time-to-event endpoints."""

    anchor: Literal["first_infusion", "first_cart", "enrolment"] = "first_infusion"
    new_therapy: Literal["censor", "ignore", "event"] = "censor"
    new_therapy_kinds: tuple[Literal["systemic", "radiation", "surgery", "local_liver"], ...] = (
        "systemic",
        "radiation",
        "surgery",
        "local_liver",
    )
    nact_same_day: Literal["before_only", "include"] = "before_only"
    nact_imputation: Imputation = Imputation(rule="first", highest="M")
    death_imputation: Imputation = Imputation(rule="first", highest="D")
    gap_rule: Literal["off", "days"] = "off"
    gap_days: Positive = 98
    gap_applies_to: tuple[Literal["PD", "death"], ...] = ("PD", "death")


class SafetyTable(Table):
    """Adverse events."""

    ae_start_imputation: Imputation = Imputation(rule="first", highest="M")
    teae_end_days: Count | Literal["none"] = 28
    teae_stop_at_nact: bool = True
    teae_related_unlimited: bool = True
    teae_worsening: bool = True
    missing_related: Literal["worst_case"] = "worst_case"
    death_window_days: Count = 30


class StatsTable(Table):
    """Statistical choices."""

    level: Annotated[float, Field(ge=0.5, le=0.999)] = 0.95
    binomial_interval: Literal[
        "clopper_pearson", "midp", "wilson", "wilson_cc", "jeffreys", "agresti_coull", "blaker", "minlike"
    ] = "clopper_pearson"
    km_interval: Literal["plain", "log", "log-log", "logit", "arcsin", "beta_product"] = "log-log"


class SubgroupTable(Table):
    """Settings of the exploratory subgroups."""

    ratio_numerator: Literal["NEUT", "GRAN"] = "NEUT"
    min_ci_n: Annotated[int, Field(ge=2)] = 3
    pfs_landmark_months: Annotated[float, Field(gt=0)] = 3
    missing_flag_pct: Percent = 20


Dimension = Literal["histology", "ligand", "prior", "burden", "markers", "ratio", "site", "dose"]


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
        row = known.get(self.variable, {})
        low = row.get("min", 0.0 if self.scale == "log2" else -math.inf)
        return low, row.get("max", math.inf)


class ExpansionTable(Table):
    """Phase IB."""

    design: Literal[
        "simon_9_17",
        "fixed_9",
        "fixed_18",
        "bayes_monitor",
        "hierarchical",
        "bop2",
        "predictive",
        "two_stage",
    ] = "simon_9_17"


class ReportTable(Table):
    """Documents and how they are made."""

    languages: Annotated[tuple[Literal["zh-CN", "en"], ...], Field(min_length=1)] = ("en",)
    formats: Annotated[tuple[Literal["html", "pdf", "docx"], ...], Field(min_length=1)] = (
        "html",
        "pdf",
        "docx",
    )
    timestamp: datetime | None = None
    workers: Positive | Literal["auto"] = "auto"
    timeout_s: Positive = 600
    on_failure: Literal["continue", "stop"] = "continue"


class PdfTable(Table):
    """PDF output."""

    standards: tuple[Literal["a-2a", "a-3a", "ua-1"], ...] = ("a-2a", "ua-1")
    paper: Literal["a4", "us-letter"] = "a4"


class FigureTable(Table):
    """Figures."""

    dpi: Annotated[int, Field(ge=150, le=600)] = 300


class RoundingTable(Table):
    """Rounding at display."""

    mode: Literal["half_up", "half_even"] = "half_up"
    guard_digits: Positive = 12
