"""Units: results delivered in another unit than the standard one, converted by a declared factor."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from interim.data import spec
from interim.data.model import LedgerLine
from interim.data.records import ledger_at, value_text

_LIMITS = {"ORNRLO": "STNRLO", "ORNRHI": "STNRHI"}


@dataclass(frozen=True)
class Factor:
    """One declared conversion of collected results.

    Attributes
    ----------
    test : str
        --TESTCD.
    unit, to : str
        Unit as collected, standard unit.
    factor : float
        Standard value = factor x value collected.
    """

    test: str
    unit: str
    to: str
    factor: float


def to_standard_units(frame: pd.DataFrame, domain: str) -> tuple[pd.DataFrame, tuple[LedgerLine, ...]]:
    """Convert results that are in a permitted other unit (tumour diameters in cm, times in months).

    Parameters
    ----------
    frame : pandas.DataFrame
        Typed domain frame.
    domain : str
        Its name.

    Returns
    -------
    tuple of (pandas.DataFrame, tuple of LedgerLine)
        --STRESN, --STRESC and --STRESU (AVAL, AVALU of a finished dataset) in the standard unit; one ledger line per changed cell.

    Raises
    ------
    None
    """
    known = spec.domain(domain)
    lines: list[LedgerLine] = []
    if known is None or not {*known.result[:2]} <= set(frame.columns):
        return frame, ()
    unit, number, text = known.result
    for conversion in known.units:
        here = (frame[unit] == conversion.unit).to_numpy(dtype=bool)
        if not here.any():
            continue
        values = _scaled(frame[number], conversion.factor).to_numpy()
        same_text = (
            frame[text].eq(frame[number].map(value_text)).to_numpy(dtype=bool)
            if text in frame
            else here & False
        )
        new = {number: (here, values), unit: (here, _filled(frame, conversion.to))}
        if text in frame:
            new[text] = (here & same_text, np.array([value_text(float(v)) for v in values], dtype=object))
        frame, more = _replaced(frame, domain, new)
        lines += more
    return frame, tuple(lines)


def apply_factors(
    frame: pd.DataFrame, domain: str, factors: tuple[Factor, ...]
) -> tuple[pd.DataFrame, tuple[LedgerLine, ...]]:
    """Fill standard results and limits from collected ones by declared factors.

    Parameters
    ----------
    frame : pandas.DataFrame
        Typed domain frame.
    domain : str
        Its name.
    factors : tuple of Factor
        Declared conversions; a result in no declared unit stays as it is.

    Returns
    -------
    tuple of (pandas.DataFrame, tuple of LedgerLine)
        --STRESN, --STRESC, --STRESU and the limits; one ledger line per changed cell.

    Raises
    ------
    None
    """
    lines: list[LedgerLine] = []
    for factor in factors:
        if not {f"{domain}TESTCD", f"{domain}ORRES", f"{domain}ORRESU"} <= set(frame.columns):
            continue
        rows = (frame[f"{domain}TESTCD"] == factor.test) & (frame[f"{domain}ORRESU"] == factor.unit)
        result = _scaled(_number(frame, f"{domain}ORRES"), factor.factor)
        here = (rows & result.notna()).to_numpy(dtype=bool)
        texts = np.array([value_text(float(v)) for v in result], dtype=object)
        new = {
            f"{domain}STRESN": (here, result.to_numpy()),
            f"{domain}STRESC": (here, texts),
            f"{domain}STRESU": (here, _filled(frame, factor.to)),
        }
        for collected, standard in _LIMITS.items():
            limit = _scaled(_number(frame, f"{domain}{collected}"), factor.factor)
            new[f"{domain}{standard}"] = ((rows & limit.notna()).to_numpy(dtype=bool), limit.to_numpy())
        frame, more = _replaced(frame, domain, new)
        lines += more
    return frame, tuple(lines)


def _scaled(values: pd.Series[float], factor: float) -> pd.Series[float]:
    """Multiply in decimal arithmetic, so that 2.3 cm are 23 mm."""
    exact = Decimal(str(factor))
    return values.map(lambda v: v if v != v else float(Decimal(repr(float(v))) * exact)).astype(float)


def _filled(frame: pd.DataFrame, text: str) -> np.ndarray:
    return np.full(len(frame), text, dtype=object)


def _number(frame: pd.DataFrame, name: str) -> pd.Series[float]:
    if name not in frame:
        return pd.Series(np.nan, index=frame.index)
    return pd.to_numeric(frame[name], errors="coerce").astype(float)


def _replaced(
    frame: pd.DataFrame, domain: str, new: dict[str, tuple[np.ndarray, np.ndarray]]
) -> tuple[pd.DataFrame, list[LedgerLine]]:
    """Return the frame with values replaced where they differ, and the ledger lines."""
    lines: list[LedgerLine] = []
    columns: dict[str, np.ndarray] = {}
    for name, (where, values) in new.items():
        if name not in frame and not where.any():
            continue
        empty = np.full(len(frame), np.nan if values.dtype == float else None, dtype=values.dtype)
        old = frame[name].to_numpy() if name in frame else empty
        places = np.flatnonzero(where & np.asarray(old != values, dtype=bool))
        columns[name] = np.where(where, values, old).astype(values.dtype)
        lines += ledger_at(
            frame,
            domain,
            places,
            rules=["UNIT-FACTOR"] * len(places),
            variable=name,
            before=old[places],
            after=values[places],
        )
    return frame.assign(**columns), lines
