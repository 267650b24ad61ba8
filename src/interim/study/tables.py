"""The tables of a study file: names, types, permitted values and defaults of every parameter."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Prob = Annotated[float, Field(gt=0, lt=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[str, Field(pattern=r"^[1-9]\d*/[1-9]\d*$")] | Prob


def _increasing(values: tuple[float, ...]) -> tuple[float, ...]:
    if any(a >= b for a, b in pairwise(values)):
        raise ValueError(f"must increase strictly, found {list(values)}")
    return values


def _different_ids(rows: tuple[Any, ...]) -> tuple[Any, ...]:
    ids = [row.id for row in rows]
    if len(set(ids)) < len(ids):
        raise ValueError(f"an id is used twice in {ids}")
    return rows


def _auto(value: Any) -> Any:
    return None if value == "auto" else value


Auto = BeforeValidator(_auto)
"""The text "auto" means the same as leaving the key out: the rule decides."""
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
    rows: tuple[dict[str, Any], ...] = deepcopy(_shipped()[name])
    return rows


@cache
def _shipped() -> dict[str, Any]:
    """Return all lists; read once, because every factor of a subgroup asks for one."""
    text = files("interim.study").joinpath("shipped.toml").read_text(encoding="utf-8")
    return {name: freeze(rows) for name, rows in tomllib.loads(text).items()}


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
        strict=True,
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        populate_by_name=True,
        validate_default=True,
    )


class Objective(Table):
    """One objective and the tables or figures that answer it."""

    text: Annotated[str, Field(min_length=1)]
    kind: Literal["primary", "secondary", "exploratory"]
    tlf: Annotated[tuple[str, ...], Field(min_length=1)]


class StudyTable(Table):
    """Identity of the study."""

    id: Identifier
    label: str = ""
    title: str = ""
    seed: Annotated[int, Field(ge=0)] | None = None
    day_zero: bool = True
    planned_therapies: tuple[str, ...] = ()
    objectives: tuple[Objective, ...] = ()


class DataTable(Table):
    """Where the data are and how they are cut."""

    stage: Literal["sdtm", "adam"] = "sdtm"
    path: str | None = None
    sources: tuple[str, ...] | None = None
    cut_date: datetime | date
    cut_description: str = ""
    cut_event: Annotated[str | None, Auto] = None
    source_is_cut: bool = False
    extract_time: datetime | None = None
    delimiter: Literal["auto", ",", ";", "\t"] = "auto"
    max_unmapped: Share = 0.05
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


class Condition(Table):
    """One condition on a column of an analysis dataset."""

    var: str
    op: Literal["==", "!=", ">=", "<=", ">", "<", "in", "not_in", "missing", "present"]
    value: float | str | tuple[str | float, ...] | None = None

    @model_validator(mode="after")
    def _value_fits(self) -> Condition:
        needs_none = self.op in ("missing", "present")
        if needs_none != (self.value is None):
            raise ValueError(
                f"condition on {self.var}: op {self.op!r} "
                + ("takes no value" if needs_none else "needs a value")
            )
        if (self.op in ("in", "not_in")) != isinstance(self.value, tuple):
            raise ValueError(f"condition on {self.var}: op {self.op!r} and value {self.value!r} do not fit")
        return self


class SetsTable(Table):
    """Analysis sets."""

    treated_products: tuple[str, ...] | None = None
    efficacy_default: Literal["FAS", "CART-SAF"] = "FAS"
    re_requires_measurable: bool = True
    per_protocol_rule: tuple[Condition, ...] | None = None


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

    age: Annotated[tuple[float, float], Increasing] = (18, 75)
    other: tuple[Condition, ...] = ()


class ChecksTable(Table):
    """Thresholds of the data checks, under the rule's own name."""

    tu_window_days: Count = 28
    xd_visdate_days: Count = 0
    sv_win_days: Count = 7
    ex_range_factor: Annotated[float, Field(gt=1)] = 5.0
    ex_wt_pct: Percent = 10
    ex_window_days: Count = 1
    ex_expect_nk: Count = 2
    cm_toci_days: Count = 1
    lb_noae_days: Count = 7
    pc_win_pct: Percent = 20
    mi_age_years: Annotated[float, Field(gt=0)] = 5.0


class ScheduledVisit(Table):
    """One planned visit.

    The day counts from the anchor: the first infusion of the regimen, of the T-cell product, or of its second cycle; the window is
    the permitted deviation in days.
    """

    visitnum: float
    label: Annotated[str, Field(min_length=1)]
    day: int
    anchor: Literal["first_infusion", "first_cart", "second_cycle"] = "first_infusion"
    window: Count = 0
    expected: tuple[str, ...] = ()


class ScheduleTable(Table):
    """Planned visits with windows and what is expected at each."""

    visit: tuple[ScheduledVisit, ...] = ()

    @model_validator(mode="after")
    def _different_numbers(self) -> ScheduleTable:
        numbers = [visit.visitnum for visit in self.visit]
        if len(set(numbers)) < len(numbers):
            raise ValueError(f"schedule.visit: a visitnum is used twice in {numbers}")
        return self
