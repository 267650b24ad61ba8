"""Parameters of response and time to event."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from interim.study.tables import Count, Increasing, Percent, Positive, Table

Anchor = Literal["first_infusion", "first_cart", "enrolment"]
ResponseValue = Literal["CR", "PR", "SD", "NON-CR/NON-PD"]
Millimetres = Annotated[float, Field(gt=0)]
Weeks = Annotated[float, Field(ge=0)]


class ResponseTable(Table):
    """RECIST 1.1."""

    route: Literal["auto", "lesion", "reported"] = "auto"
    evaluator: str = "INVESTIGATOR"
    anchor: Anchor = "first_infusion"
    baseline_max_days: Count = 28
    min_target_mm: Millimetres = 10
    min_node_mm: Millimetres = 15
    max_targets: Positive = 5
    max_per_organ: Positive = 2
    excess_targets: Literal["first", "all"] = "first"
    tstm_mm: Annotated[float, Field(ge=0, le=10)] = 5
    treated_lesion: Literal["missing", "as_measured"] = "missing"
    waterfall_after_pd: bool = False
    nodal_cr_mm: Millimetres = 10
    pr_pct: Percent = 30
    pd_pct: Percent = 20
    pd_abs_mm: Annotated[float, Field(ge=0)] = 5
    partial_sum_pd: bool = True
    reappearance_is_pd: bool = True
    nontarget_markers: tuple[str, ...] = ()
    equivocal_backdate: bool = True
    visit_window_days: Count = 14
    date_rule: Literal["pd_first_else_last", "first", "last"] = "pd_first_else_last"
    bor_stop_at_nact: bool = True
    not_done: Literal["as_ne", "drop", "keep"] = "as_ne"
    sd_min_weeks: Weeks = 8
    missing_as_ne: bool = False
    accept_ned: bool = False
    confirmation_required: bool = True
    confirm_min_days: Count = 28
    max_ne_between: Count = 1
    accept_one_sd_for_pr: bool = False
    cr_then_pr: Literal["keep", "pd"] = "keep"
    cbr_values: tuple[ResponseValue, ...] = ("CR", "PR", "SD", "NON-CR/NON-PD")
    cbr_weeks: Weeks = 24
    cbr_pd_after_window: bool = False
    cbr_stop_at_pd: bool = True

    @property
    def sd_min_day(self) -> float:
        """Day from which a stable disease counts: 7 x ``sd_min_weeks``."""
        return 7 * self.sd_min_weeks


class IrecistTable(Table):
    """iRECIST, exploratory."""

    max_new_measured: Count = 5
    icpd_abs_mm: Annotated[float, Field(ge=0)] = 5
    icpd_min_days: Count = 28
    icpd_max_days: Count = 56
    icpd_late: Literal["accept", "reject"] = "accept"
    icpd_compare: Literal["opening", "previous"] = "opening"

    @model_validator(mode="after")
    def _window(self) -> IrecistTable:
        if self.icpd_min_days > self.icpd_max_days:
            raise ValueError(
                f"irecist.icpd_min_days {self.icpd_min_days} is later than irecist.icpd_max_days {self.icpd_max_days}"
            )
        return self


class Imputation(Table):
    """How a partial date is completed."""

    rule: Literal["first", "last", "mid"] = "first"
    highest: Literal["none", "D", "M", "Y"] = "M"


class TteTable(Table):
    """Time-to-event endpoints."""

    anchor: Anchor = "first_infusion"
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
    gap_rule: Literal["off", "days", "visits"] = "off"
    gap_days: Positive = 98
    gap_visits: Positive = 2
    schedule_weeks: Annotated[tuple[Positive, ...], Field(min_length=1), Increasing] | None = None
    gap_applies_to: tuple[Literal["PD", "death"], ...] = ("PD", "death")
    clinical_progression: Literal["ignore", "event"] = "ignore"
    pd_source: str = "auto"
    ipfs_unconfirmed: Literal["event", "censor"] = "event"
    alive_stale_days: Positive = 90

    @model_validator(mode="after")
    def _visits_need_schedule(self) -> TteTable:
        if self.gap_rule == "visits" and self.schedule_weeks is None:
            raise ValueError("tte.gap_rule = 'visits' needs tte.schedule_weeks")
        return self
