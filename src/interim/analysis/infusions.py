"""Infusions: number received, cells given against planned, intervals between products."""

from __future__ import annotations

import math

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import complete_sums
from interim.analysis.layout import printed_rows
from interim.analysis.population import (
    MISSING,
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
        per infusion, per kg, in total, ratio of given to planned; source (level) and source_switch; cells_of and ratio_of each
        infusion (level), ratio_total; catheter, dwell (hours); days to the first CAR-T infusion. NA without such a product.

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
        ``infusions.cart_exposure``: amounts as in `nk_exposure`; given (level: phase and infusion), cells_kg_total, weight (kg,
        mean over the infusions), and the participants whose infusions all lie within each band around the planned dose.

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
    _add_infusions(rows, who, given, role)
    _add_amounts(rows, who, given)
    if role == "nk":
        _add_nk(rows, who, given, adam["ADSL"])
    else:
        _add_cart(rows, who, given)
        _add_bands(rows, who, given, study)
    return rows.build()


def _add_cart(rows: Rows, who: Population, given: pd.DataFrame) -> None:
    """Add who received each planned infusion of each cycle, the cumulative dose per kg, and the weight used."""
    inside = _in_order(given)
    place = inside.groupby(["USUBJID", "APHASE"]).cumcount() + 1
    for phase, number in printed_rows()["infusions"]["planned"].items():
        for infusion in range(1, number + 1 if _role(phase) == "t" else 1):
            hit = inside.loc[(inside["APHASE"] == phase) & (place == infusion), "USUBJID"]
            add_counts(rows, who, variable="given", level=f"{phase} {infusion}", subjects=hit)
    per_kg = complete_sums(given["DOSEKG"], given["USUBJID"])
    add_spread(rows, who, per_kg, variable="cells_kg_total", unit="cells/kg")
    if "WEIGHT" in given:
        add_spread(rows, who, given.groupby("USUBJID")["WEIGHT"].mean(), variable="weight", unit="kg")


def _role(phase: str) -> str:
    """Return which cells a planned phase gives: "t" or "nk"."""
    return "t" if phase.startswith("CART") else "nk"


def _in_order(given: pd.DataFrame) -> pd.DataFrame:
    """Return the infusions of each participant in the order in which they were given."""
    keys = [name for name in ("USUBJID", "ASTDT", "ASTDTM", "AINFN") if name in given]
    return given.sort_values(keys, kind="stable")


def _add_nk(rows: Rows, who: Population, given: pd.DataFrame, adsl: pd.DataFrame) -> None:
    """Add source, amounts of each infusion against the plan, catheter, and the interval to the CAR-T cells."""
    mine = adsl[adsl["USUBJID"].isin(who.everyone)].set_index("USUBJID")
    _add_source(rows, who, mine)
    inside = _in_order(given)
    for number, part in inside.groupby(inside.groupby("USUBJID").cumcount() + 1, sort=True):
        infusion, level = part.set_index("USUBJID"), str(number)
        add_spread(rows, who, infusion["ADOSE"], variable="cells_of", level=level, unit="cells")
        add_spread(rows, who, _ratio(infusion), variable="ratio_of", level=level, unit="ratio")
    whole = pd.DataFrame({n: complete_sums(given[n], given["USUBJID"]) for n in ("ADOSE", "PLANDOSE")})
    add_spread(rows, who, _ratio(whole), variable="ratio_total", unit="ratio")
    add_catheter(rows, who, mine)
    days = (mine["TRTSCT"] - mine["TRTSDT"]).dt.days.astype("float64")
    add_spread(rows, who, days, variable="interval_to_cart", unit="days")


def _add_source(rows: Rows, who: Population, mine: pd.DataFrame) -> None:
    """Count the source of the first infusion, the sources of the layout also where nobody has them, and switches."""
    if "NKSRC" not in mine or mine["NKSRC"].isna().all():
        add_not_available(rows, who.groups, variable="source", reason="not collected: source of the cells")
        return
    source = mine["NKSRC"].fillna(MISSING.upper())
    listed = printed_rows()["infusions"]["sources"]
    for name in [*listed, *sorted(set(source) - set(listed))]:
        add_counts(rows, who, variable="source", level=name, subjects=source.index[source == name])
    add_counts(rows, who, variable="source_switch", subjects=mine.index[mine["NKSWDT"].notna()])


def add_catheter(rows: Rows, who: Population, mine: pd.DataFrame) -> None:
    """Add who has a hepatic-artery catheter on record (catheter), and the hours that it lay (dwell).

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        The columns.
    mine : pandas.DataFrame
        ADSL by USUBJID: CATHN, CATHHRS.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    if "CATHN" not in mine or mine["CATHN"].isna().all():
        add_not_available(rows, who.groups, variable="catheter", reason="not collected: catheter")
        return
    add_counts(rows, who, variable="catheter", subjects=mine.index[mine["CATHN"] > 0])
    add_spread(rows, who, mine["CATHHRS"], variable="dwell", unit="hours")


def _add_infusions(rows: Rows, who: Population, given: pd.DataFrame, role: str) -> None:
    """Count participants by their number of infusions and by phase, the planned phases also where nobody has reached them."""
    counts = given.groupby("USUBJID").size()
    for number in sorted({int(count) for count in counts}):
        add_counts(
            rows, who, variable="infusions", level=str(number), subjects=counts.index[counts == number]
        )
    planned = {phase for phase in printed_rows()["infusions"]["planned"] if _role(phase) == role}
    for phase in sorted(planned | set(given["APHASE"].dropna())):
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
