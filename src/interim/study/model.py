"""Study: the typed parameters of one study."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, model_validator

from interim.study import dosing as d
from interim.study import efficacy as e
from interim.study import expansion as x
from interim.study import kinetics as k
from interim.study import output as o
from interim.study import statistics as s
from interim.study import tables as t
from interim.study import toxicity as tox
from interim.study.ambiguity import Reading

NK_ONLY = "NK only"


class Study(t.Table):
    """All parameters of one study: strict, frozen, unknown keys forbidden.

    The attributes are the tables of the study file; their names, types, permitted values and defaults are listed in
    ``docs/parameters.md``. Read a file with `interim.study.read_study`.
    """

    study: t.StudyTable
    ambiguity: dict[str, str] = Field(default_factory=dict)
    tipping: d.TippingTable = d.TippingTable()
    data: t.DataTable
    products: Annotated[tuple[t.Product, ...], t.DifferentIds] = Field(
        default_factory=lambda: tuple(t.Product.model_validate(row) for row in t.shipped("products"))
    )
    sets: t.SetsTable = t.SetsTable()
    estimand: t.EstimandTable = t.EstimandTable()
    cohort: t.CohortTable = t.CohortTable()
    eligibility: t.EligibilityTable = t.EligibilityTable()
    checks: t.ChecksTable = t.ChecksTable()
    schedule: t.ScheduleTable = t.ScheduleTable()
    dose: d.DoseTable = d.DoseTable()
    titration_trigger: d.TriggerTable = d.TriggerTable()
    therapeutic_index: d.TherapeuticIndexTable = d.TherapeuticIndexTable()
    response: e.ResponseTable = e.ResponseTable()
    irecist: e.IrecistTable = e.IrecistTable()
    tte: e.TteTable = e.TteTable()
    safety: tox.SafetyTable = tox.SafetyTable()
    labs: tox.LabsTable = tox.LabsTable()
    toxicity: tox.ToxicityTable = tox.ToxicityTable()
    kinetics: k.KineticsTable = k.KineticsTable()
    stats: s.StatsTable = s.StatsTable()
    subgroup: s.SubgroupTable = s.SubgroupTable()
    subgroups: Annotated[tuple[s.SubgroupEntry, ...], t.DifferentIds] = ()
    expansion: x.ExpansionTable = x.ExpansionTable()
    benefit_risk: x.BenefitRiskTable = x.BenefitRiskTable()
    report: o.ReportTable = o.ReportTable()
    pdf: o.PdfTable = o.PdfTable()
    docx: o.DocxTable = o.DocxTable()
    figure: o.FigureTable = o.FigureTable()
    alt: o.AltTable = o.AltTable()
    rounding: o.RoundingTable = o.RoundingTable()
    change: o.ChangeTable = o.ChangeTable()
    privacy: o.PrivacyTable = o.PrivacyTable()
    parallel: o.ParallelTable = o.ParallelTable()

    _file: Path = PrivateAttr(default=Path())
    _readings: tuple[Reading, ...] = PrivateAttr(default=())
    _own_cut: datetime | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _coherent(self) -> Study:
        ids = [product.id for product in self.products]
        unknown = sorted(set(self.sets.treated_products or ()) - set(ids))
        if unknown:
            raise ValueError(f"sets.treated_products: {unknown} is no product id; products are {ids}")
        for dimension in dict.fromkeys(
            entry.dimension for entry in self.subgroups if entry.dimension != "dose"
        ):
            primary = [e.id for e in self.subgroups if e.dimension == dimension and e.primary]
            if len(primary) != 1:
                raise ValueError(
                    f"subgroups: dimension {dimension!r} needs exactly one primary entry, found {primary}"
                )
        return self

    @property
    def file(self) -> Path:
        """The study file that was read."""
        return self._file

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The reading of each ambiguity that applies."""
        return self._readings

    @property
    def cut(self) -> datetime:
        """Data cut-off as the last instant that is included (local time of the site)."""
        return last_instant_of(self.data.cut_date)

    @property
    def replayed(self) -> bool:
        """True if the cut-off was put before that of the study file: the data are read as they were known on that day."""
        own = self._own_cut
        return own is not None and self.cut.replace(tzinfo=None) < own.replace(tzinfo=None)

    @property
    def moment(self) -> datetime:
        """Time with offset that outputs print: ``report.timestamp``, else the extract, else the cut-off; never the clock."""
        value = self.report.timestamp or self.data.extract_time or self.cut
        return value if value.tzinfo else value.replace(tzinfo=UTC)

    @property
    def extract_limit(self) -> datetime:
        """Last instant at which a record can have been made: the extract, else the cut-off plus one day."""
        if self.data.extract_time is not None:
            return self.data.extract_time.replace(tzinfo=None)
        return self.cut + timedelta(days=1)

    @property
    def synthetic(self) -> bool:
        """True if the label says that the data are synthetic."""
        return "SYNTHETIC" in self.study.label.upper()

    def treated(self) -> tuple[t.Product, ...]:
        """Return the products that make a participant treated.

        Returns
        -------
        tuple of Product
            ``sets.treated_products``, else all products.

        Raises
        ------
        None
        """
        wanted = self.sets.treated_products
        return self.products if wanted is None else tuple(p for p in self.products if p.id in wanted)

    def with_role(self, role: str) -> tuple[t.Product, ...]:
        """Return the products with a role.

        Parameters
        ----------
        role : str
            nk, t or other.

        Returns
        -------
        tuple of Product
            In the order of the study file.

        Raises
        ------
        None
        """
        return tuple(product for product in self.products if product.role == role)

    def cohorts(self) -> dict[str, str]:
        """Return the columns of the tables, without the total.

        Returns
        -------
        dict of str to str
            Code -> printed label, in printed order: ``cohort.labels``, or the dose levels (code ``DL1`` ...) followed by
            "NK only" when the study has both an NK and a T product.

        Raises
        ------
        None
        """
        if self.cohort.variable is not None:
            return dict(self.cohort.labels)
        ladder = {f"DL{i}": f"DL{i} {dose_text(dose)}" for i, dose in enumerate(self.dose.levels, 1)}
        if self.with_role("nk") and self.with_role("t"):
            ladder[NK_ONLY] = NK_ONLY
        return ladder

    def resolved(self) -> dict[str, Any]:
        """Return all parameters, defaults and readings included, as plain JSON values.

        Returns
        -------
        dict
            Table -> key -> value; an absolute place of the data is named by its last part, since where a computer keeps its
            files is no parameter.

        Raises
        ------
        None
        """
        plain: dict[str, Any] = self.model_dump(mode="json")
        plain["ambiguity"] = {reading.amb: reading.reading for reading in self.readings}
        plain["data"]["path"] = self.data.path and _named(self.data.path)
        plain["data"]["sources"] = self.data.sources and [_named(source) for source in self.data.sources]
        return plain

    def digest(self) -> str:
        """Return the SHA-256 of the resolved parameters.

        Returns
        -------
        str
            64 hexadecimal digits.

        Raises
        ------
        None
        """
        text = json.dumps(self.resolved(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def last_instant_of(day: datetime | date) -> datetime:
    """Return the last instant of a cut-off.

    Parameters
    ----------
    day : datetime.datetime or datetime.date
        A day counts to its last second.

    Returns
    -------
    datetime.datetime
        Local time of the site.

    Raises
    ------
    None
    """
    return day if isinstance(day, datetime) else datetime.combine(day, time(23, 59, 59))


def last_instant(value: object) -> datetime | None:
    """Return the last instant of a value of a study file, without its offset.

    Parameters
    ----------
    value : object
        What the file holds.

    Returns
    -------
    datetime.datetime or None
        None if it is no date.

    Raises
    ------
    None
    """
    return last_instant_of(value).replace(tzinfo=None) if isinstance(value, date) else None


def dose_text(dose: float) -> str:
    """Return a dose as it is printed.

    Parameters
    ----------
    dose : float
        Cells per kg.

    Returns
    -------
    str
        Shortest form with a plain exponent.

    Raises
    ------
    None

    Examples
    --------
    >>> dose_text(1.5e7), dose_text(3e7)
    ('1.5e7', '3e7')
    """
    mantissa, exponent = f"{dose:e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def _named(place: str) -> str:
    """Return a relative path as it is, an absolute one by its last part, on whichever system it was written."""
    windows = PureWindowsPath(place)
    absolute = PurePosixPath(place).is_absolute() or windows.is_absolute()
    return windows.name if absolute else place
