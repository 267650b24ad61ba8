"""The mapping file: how the files of one source become SDTM domains; strict, frozen, unknown keys forbidden."""

from __future__ import annotations

from itertools import combinations
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from interim.data import spec

Format = Literal["csv", "parquet", "xpt", "sas7bdat", "datasetjson", "xlsx", "redcap"]


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Source(_Table):
    """Where the files are and what holds for all of them.

    Attributes
    ----------
    name : str
        Name of the source.
    path : str
        Folder or file, relative to the mapping file; may begin with ``${NAME}``, an environment variable.
    format, encoding : str or None
        Format and encoding of all files, where they cannot be told from the file.
    timezone : str or None
        Time zone of date-times without offset.
    missing : tuple of str
        Texts that stand for a missing value.
    missing_reason : dict of str to str
        What such a text means.
    dictionary : str or None
        Data dictionary of a REDCap export, relative to the mapping file.
    labels : {"raw", "label"}
        Whether a REDCap export holds codes or labels.
    """

    name: Annotated[str, Field(min_length=1)]
    path: Annotated[str, Field(min_length=1)]
    format: Format | None = None
    encoding: str | None = None
    timezone: str | None = None
    missing: tuple[str, ...] = ("",)
    missing_reason: dict[str, str] = Field(default_factory=dict)
    dictionary: str | None = None
    labels: Literal["raw", "label"] = "raw"

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError("is no time zone; expected for example Asia/Shanghai")
        return value

    @model_validator(mode="after")
    def _reasons(self) -> Source:
        unknown = sorted(set(self.missing_reason) - set(self.missing))
        bare = sorted(set(self.missing) - set(self.missing_reason) - {""})
        if unknown or bare:
            raise ValueError(f"missing and missing_reason must name the same texts; differ: {unknown + bare}")
        if (self.format == "redcap") != (self.dictionary is not None):
            raise ValueError("format redcap needs its dictionary, and only it has one")
        return self


class Rows(_Table):
    """Which rows of the source a table takes.

    Attributes
    ----------
    file : str or None
        File name, relative to the path of the source.
    sheet : str or None
        Sheet of a workbook.
    filter : dict of str to str
        Column -> text that it must hold.
    instrument : str or None
        Instrument of a REDCap export.
    """

    file: str | None = None
    sheet: str | None = None
    filter: dict[str, str] = Field(default_factory=dict)
    instrument: str | None = None


class Column(_Table):
    """How one target column is filled.

    Attributes
    ----------
    from_ : str, tuple of str or None
        Source column; several for a check box.
    constant : str, number or None
        The same value in every row.
    trim : bool
        Outer blanks are removed before codes are compared.
    case : {"upper", "lower"} or None
        Declared case folding.
    type : str
        text, integer, decimal, partial_date, yes_no or checkbox.
    codes : dict
        Source text -> value.
    format : tuple of str
        Date formats (``%Y-%m-%d`` ...); the precision of the result is that of the format.
    decimal : {".", ","}
        Decimal mark.
    """

    from_: str | tuple[str, ...] | None = Field(default=None, alias="from")
    constant: str | float | None = None
    trim: bool = False
    case: Literal["upper", "lower"] | None = None
    type: Literal["text", "integer", "decimal", "partial_date", "yes_no", "checkbox"] = "text"
    codes: dict[str, str | float] = Field(default_factory=dict)
    format: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."

    @field_validator("format", mode="before")
    @classmethod
    def _one_format(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _coherent(self) -> Column:
        if (self.from_ is None) == (self.constant is None):
            raise ValueError("exactly one of from and constant must be given")
        if (self.type == "checkbox") != isinstance(self.from_, tuple):
            raise ValueError("several source columns are for type checkbox, and only for it")
        if self.type == "partial_date" and not self.format:
            raise ValueError("a partial_date needs its format, for example ['%Y-%m-%d', '%Y-%m', '%Y']")
        if self.type in ("yes_no", "checkbox") and not self.codes:
            raise ValueError(f"type {self.type} needs codes")
        folded = [a for a, b in combinations(self.codes, 2) if a.strip() == b.strip()]
        if folded:
            raise ValueError(f"codes overlap: {folded}")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the source columns."""
        if self.from_ is None:
            return ()
        return (self.from_,) if isinstance(self.from_, str) else self.from_


class Unit(_Table):
    """One conversion of a result into its standard unit.

    Attributes
    ----------
    test : str
        --TESTCD.
    from_, to : str
        Unit as collected, standard unit.
    factor : float
        Standard value = factor x value collected.
    """

    test: str
    from_: str = Field(alias="from")
    to: str
    factor: Annotated[float, Field(gt=0)]


class TableMap(_Table):
    """How one domain is filled.

    Attributes
    ----------
    rows : Rows
        Which file, sheet and rows.
    identity : bool
        Every source column becomes the target column of its name.
    encoding, format : str or None
        As in `Source`, for this table.
    column : dict of str to Column
        Target column -> how it is filled.
    unit : tuple of Unit
        Conversions.
    """

    rows: Rows = Rows()
    identity: bool = False
    encoding: str | None = None
    format: Format | None = None
    column: dict[str, Column] = Field(default_factory=dict)
    unit: tuple[Unit, ...] = ()

    @property
    def used(self) -> frozenset[str]:
        """Names of the source columns that are read."""
        return frozenset(s for rule in self.column.values() for s in rule.sources) | set(self.rows.filter)

    @field_validator("column", mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {k: {"from": v} if isinstance(v, str) else v for k, v in value.items()}


class Mapping(_Table):
    """A mapping file.

    Attributes
    ----------
    source : Source
        Where the files are.
    table : dict of str to tuple of TableMap
        Domain -> how it is filled; several parts stand one below the other (``[[table.NAME]]``).
    ignore : dict of str to tuple of str
        Domain -> source columns that are left out on purpose.
    visit : dict of str to (float, str)
        Event of a REDCap export -> number and name of the visit.
    """

    source: Source
    table: Annotated[dict[str, Annotated[tuple[TableMap, ...], Field(min_length=1)]], Field(min_length=1)]
    ignore: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    visit: dict[str, tuple[float, str]] = Field(default_factory=dict)

    @field_validator("table", mode="before")
    @classmethod
    def _parts(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: (part,) if isinstance(part, dict) else part for name, part in value.items()}

    @property
    def exported(self) -> bool:
        """True for a REDCap export."""
        return self.source.format == "redcap"

    @model_validator(mode="after")
    def _known(self) -> Mapping:
        unknown = sorted(name for name in self.table if spec.domain(name) is None)
        if unknown:
            raise ValueError(
                f"unknown tables {unknown}; known: {', '.join((*spec.domain_names(), *spec.domain_names('plain'), *spec.domain_names('adam')))}"
            )
        bare = [
            n
            for n, parts in self.table.items()
            if any((p.rows.instrument is None) == self.exported for p in parts)
        ]
        if bare:
            raise ValueError(
                f"rows = {{ instrument = ... }} belongs to every table of a REDCap export and to no other: {bare}"
            )
        lost = sorted(set(self.ignore) - set(self.table))
        if lost:
            raise ValueError(f"[ignore] names tables that are not mapped: {lost}")
        return self
