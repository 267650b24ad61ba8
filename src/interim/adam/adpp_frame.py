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
_PER_DAY = ("LAMZ", "TOBITLZ")
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


def long_frame(
    found: Batch,
    columns: Iterator[ParameterColumn],
    given: Flags,
    *,
    role: str,
    cycle: int | None,
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
    role : str
        Role of the product.
    cycle : int or None
        Cycle, None on the clock of the product.
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
        ROLE=role,
        CLOCK="PRODUCT" if cycle is None else "CYCLE",
        ACYCLE=np.nan if cycle is None else float(cycle),
        PARAMCD=np.repeat([column.name for column in made], size),
        AVAL=value,
        AVALU=code_column(units, index),
        METHOD=study.kinetics.auc_method,
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
    return mark == "BASELINE_ABOVE_LLOQ" or parameter.startswith("CMAX")


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
    return f"{power}{unit}" + (" per 10^7 cells/kg" if name.endswith("DN") else "")
