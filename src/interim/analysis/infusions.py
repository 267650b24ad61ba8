"""Infusions: number received, cells given against planned, intervals between products."""

from __future__ import annotations

import math

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.population import (
    Population,
    add_counts,
    add_not_available,
    open_rows,
    population,
)
from interim.analysis.spread import add_spread
from interim.result import Result, Rows
from interim.study import Study

_AMOUNTS = ("ADOSE", "PLANDOSE", "DOSEKG")
_SETS = {"nk": "NK-SAF", "t": "CART-SAF"}


def nk_exposure(adam: Adam, study: Study) -> Result:
    """Summarise the exposure to CAR-NK cells.

    Parameters
    ----------
    adam : Adam
        ADSL and ADEX.
    study : Study
        Products.

    Returns
    -------
    Result
        ``infusions.nk_exposure``: participants by number of infusions (variable infusions) and by phase; spread of cells
        per infusion, per kg, in total, ratio of given to planned, days to the first CAR-T infusion. NA without such a
        product.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    return _exposure(adam, study, "nk", ("infusions.nk_exposure", "Exposure to CAR-NK"))


def cart_exposure(adam: Adam, study: Study) -> Result:
    """Summarise the exposure to CAR-T cells by cycle.

    Parameters
    ----------
    adam : Adam
        ADSL and ADEX.
    study : Study
        Products; ``dose.dose_deviation_bands``.

    Returns
    -------
    Result
        ``infusions.cart_exposure``: as `nk_exposure` without the interval, and the participants whose infusions all lie
        within each band around the planned dose.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    return _exposure(adam, study, "t", ("infusions.cart_exposure", "Exposure to CAR-T by cycle"))


def _exposure(adam: Adam, study: Study, role: str, names: tuple[str, str]) -> Result:
    who = population(adam, study, _SETS[role])
    rows = open_rows(names[0], names[1], who)
    products = [product.id for product in study.products if product.role == role]
    if not products or not adam.has("ADEX"):
        reason = "not applicable: the study has no such product" if not products else "not available: no EX"
        add_not_available(rows, who.groups, variable="infusions", reason=reason)
        return rows.build()
    adex = adam["ADEX"]
    absent = [name for name in _AMOUNTS if name not in adex]
    if absent:
        reason = f"not collected: {', '.join(absent)}"
        add_not_available(rows, who.groups, variable="infusions", reason=reason)
        return rows.build()
    given = adex[adex["PRODUCT"].isin(products) & adex["USUBJID"].isin(who.everyone)]
    _add_infusions(rows, who, given)
    _add_amounts(rows, who, given)
    if role == "nk":
        start = adam["ADSL"].set_index("USUBJID")
        days = (start["TRTSCT"] - start["TRTSDT"]).dt.days.astype("float64")
        add_spread(rows, who, days, variable="interval_to_cart", unit="days")
    else:
        _add_bands(rows, who, given, study)
    return rows.build()


def _add_infusions(rows: Rows, who: Population, given: pd.DataFrame) -> None:
    counts = given.groupby("USUBJID").size()
    for number in sorted({int(count) for count in counts}):
        add_counts(
            rows, who, variable="infusions", level=str(number), subjects=counts.index[counts == number]
        )
    for phase in sorted(given["APHASE"].dropna().unique()):
        inside = given[given["APHASE"] == phase]
        add_counts(rows, who, variable="phase", level=str(phase), subjects=inside["USUBJID"])


def _add_amounts(rows: Rows, who: Population, given: pd.DataFrame) -> None:
    """Add the spread of amounts; an amount that was not collected has no value."""
    by_infusion = given.set_index("USUBJID")
    add_spread(rows, who, by_infusion["ADOSE"], variable="cells", unit="cells")
    add_spread(rows, who, by_infusion["DOSEKG"], variable="cells_kg", unit="cells/kg")
    total = given.groupby("USUBJID")["ADOSE"].sum(min_count=1)
    add_spread(rows, who, total, variable="cells_total", unit="cells")
    add_spread(rows, who, _ratio(by_infusion), variable="ratio_planned", unit="ratio")


def _ratio(given: pd.DataFrame) -> pd.Series:
    return given["ADOSE"] / given["PLANDOSE"].where(given["PLANDOSE"] > 0)


def _add_bands(rows: Rows, who: Population, given: pd.DataFrame, study: Study) -> None:
    """Add who received every infusion within a band around the planned dose; without plan or amount one lies in none."""
    far = (_ratio(given) - 1).abs().fillna(math.inf).groupby(given["USUBJID"]).max()
    for band in study.dose.dose_deviation_bands:
        inside = far.index[far.round(12) <= band]
        add_counts(rows, who, variable="within_planned", level=f"{band:g}", subjects=inside)
