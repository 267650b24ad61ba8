"""The columns of ADPP as rows: one per profile and parameter, with unit, status, flags and reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from interim.adam.adpp_windows import Batch
from interim.adam.kinetic_columns import code_column, flag_column
from interim.stats.answers import Flags, Floats, Texts
from interim.study import Study

_TIMES = ("TMAX", "TLST", "TLSTDET", "LOSTBY", "LAMZLL", "LAMZUL", "MRTIFO")
_HALF_LIVES = ("LAMZHL", "TOBITHL", "DOUBLT", "HLEARLY", "HLLATE")
_DAYS = (*_TIMES, *_HALF_LIVES)
_NO_UNIT = ("LAMZNPT", "R2", "R2ADJ", "SPAN", "FOLDX", "RACAUC", "RACCMAX")
_PER_DAY = ("LAMZ", "TOBITLZ", "GROWTH")
_ONLY_AREAS = ("DOSES_APART",)
_PERCENT = ("AUCPEO", "AUCPEP")


@dataclass(frozen=True, eq=False)
class ParameterColumn:
    """One parameter of all profiles of a batch.

    Attributes
    ----------
    name : str
        PARAMCD.
    value : ndarray of float, shape (k,)
        One value per profile; NaN beside a reason.
    reason : ndarray of str, shape (k,)
        Why a value is missing.
    flags : mapping of str to ndarray of bool
        What a reader should know of a value.
    status, evaluable : ndarray or None
        Status of an area, and whether it enters summaries.
    """

    name: str
    value: Floats
    reason: Texts
    flags: Mapping[str, Flags]
    status: Texts | None = None
    evaluable: Flags | None = None


@dataclass(frozen=True)
class Clock:
    """The clock on which rows stand.

    Attributes
    ----------
    role : str
        Role of the product.
    name : str
        CYCLE, PRODUCT or DOSE.
    cycle, infusion : float or ndarray of float
        Cycle, one or per profile; number of the infusion within the product. NaN where they do not apply.
    """

    role: str
    name: str = "PRODUCT"
    cycle: float | Floats = np.nan
    infusion: float = np.nan


def method_of(study: Study, role: str) -> str:
    """Return the settings behind the areas of a role in words.

    Parameters
    ----------
    study : Study
        Table ``kinetics``.
    role : str
        Role of the product.

    Returns
    -------
    str
        The area method and every setting that differs from the plain analysis.

    Raises
    ------
    None
    """
    table = study.kinetics
    parts = [str(table.auc_method)]
    if table.dnq_treatment == "reported_value":
        parts.append("detected values as reported")
    if table.allow_tmax_in_lambda_z:
        parts.append(f"Tmax in the slope, C0 {table.c0_method}")
    if table.carryover == "subtract_exponential" and role == "t":
        parts.append("carry-over subtracted")
    return "; ".join(parts)


def long_frame(
    found: Batch,
    columns: Iterator[ParameterColumn],
    given: Flags,
    *,
    clock: Clock,
    study: Study,
    marks: Mapping[str, Flags],
) -> pd.DataFrame:
    """Return the columns of a batch as rows.

    Parameters
    ----------
    found : Batch
        The profiles.
    columns : iterator of ParameterColumn
        The parameters.
    given : ndarray of bool, shape (k,)
        Profiles whose rows are kept.
    clock : Clock
        Where the rows stand.
    study : Study
        Table ``kinetics``.
    marks : mapping of str to ndarray of bool
        Flags that concern several parameters.

    Returns
    -------
    pandas.DataFrame
        One row per parameter and kept profile.

    Raises
    ------
    None
    """
    collected = found.samples.valid.sum(axis=1), (found.samples.valid & ~found.samples.quantified).sum(axis=1)
    keys = found.keys.rename(columns={"PARAMCD": "ASSAY", "AVALU": "UNIT"})
    made = list(columns)
    size, repeat = len(keys), len(made)
    flags = [
        {**column.flags, **{name: mark for name, mark in marks.items() if _concerns(name, column.name)}}
        for column in made
    ]
    value = np.concatenate([column.value for column in made])
    reason = np.concatenate([column.reason for column in made])
    usable = [_usable(column, found, study) for column in made]
    status = [np.full(size, "") if column.status is None else column.status for column in made]
    units = [_unit(column.name, unit) for column in made for unit in keys["UNIT"]]
    frame = keys.loc[np.tile(np.arange(size), repeat), ["USUBJID", "PRODUCT", "ASSAY", "ASPEC"]].reset_index(
        drop=True
    )
    index = frame.index
    frame = frame.assign(
        ROLE=clock.role,
        CLOCK=clock.name,
        ACYCLE=np.tile(np.broadcast_to(np.asarray(clock.cycle, dtype=np.float64), (size,)), repeat),
        INFNO=clock.infusion,
        PARAMCD=np.repeat([column.name for column in made], size),
        AVAL=value,
        AVALU=code_column(units, index),
        METHOD=method_of(study, clock.role),
        BLQRULE=study.kinetics.blq_rule,
        EVALFL=flag_column(np.concatenate(usable), index, no="N"),
        STATUS=code_column(np.concatenate(status), index),
        FLAGS=code_column([text for part in flags for text in _joined(part, size)], index),
        REASON=code_column(np.where(np.isnan(value), reason, ""), index),
        NSAMP=np.tile(collected[0].astype(float), repeat),
        NBLQ=np.tile(collected[1].astype(float), repeat),
    )
    return frame[np.tile(given, repeat)]


def _usable(column: ParameterColumn, found: Batch, study: Study) -> Flags:
    """Tell which values enter summaries: never half the limit of profiles without any quantified sample."""
    usable = np.isfinite(column.value) if column.evaluable is None else column.evaluable
    if study.kinetics.blq_rule != "half_lloq":
        return usable
    seen: Flags = np.asarray((found.samples.valid & found.samples.quantified).any(axis=1))
    return usable & seen & ~column.flags.get("ALL_BLQ", ~seen)


def _joined(flags: Mapping[str, Flags], size: int) -> list[str]:
    return [";".join(name for name in sorted(flags) if flags[name][row]) for row in range(size)]


def _concerns(mark: str, parameter: str) -> bool:
    if mark in _ONLY_AREAS:
        return parameter.startswith("AUC")
    if mark == "CENSORED_HIGH":
        return parameter.startswith(("AUC", "CMAX"))
    return not mark.startswith("CMAX") or parameter.startswith("CMAX")


def _unit(name: str, unit: object) -> str:
    if name in _NO_UNIT:
        return ""
    if name in _PERCENT:
        return "%"
    if name in _PER_DAY:
        return "1/day"
    if name in _DAYS:
        return "day"
    power = "day^2*" if name.startswith("AUMC") else "day*" if name.startswith("AUC") else ""
    per = " per 10^7 cells/kg" if name.endswith("DN") else " per 10^9 cells" if name.endswith("DT") else ""
    return f"{power}{unit}{per}"
