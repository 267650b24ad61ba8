"""Summaries of measured values by column: what kinetics, cytokines and biomarkers have in common."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.population import Population, population
from interim.result import Rows
from interim.stats.nca_summary import Summary, geometric_interval, summary
from interim.study import Study

KINETIC_SETS = {
    "t": ("CK", "CKFL", "CAR-T kinetic set", "CART-SAF"),
    "nk": ("CK-NK", "CKNKFL", "NK kinetic set", "NK-SAF"),
}


@cache
def layout() -> dict[str, Any]:
    """Return the content of ``kinetics.toml``.

    Parameters
    ----------
    None

    Returns
    -------
    dict
        Tables cart, nk, exposures, cytokines, times.

    Raises
    ------
    None
    """
    return tomllib.loads(files("interim.analysis").joinpath("kinetics.toml").read_text(encoding="utf-8"))


def kinetic_population(adam: Adam, study: Study, role: str) -> Population:
    """Return the kinetic set of a product role.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.
    role : str
        t or nk.

    Returns
    -------
    Population
        Columns of the actual dose; empty if ADSL has no kinetic set.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    code, flag, label, safety = KINETIC_SETS[role]
    who = population(adam, study, safety)
    adsl = adam["ADSL"]
    members = adsl.loc[adsl[flag] == "Y", "USUBJID"] if flag in adsl else ()
    return replace(who.narrow(members), code=code, label=label)


def has_rows(adam: Adam, *names: str, role: str = "") -> bool:
    """Tell whether all these datasets exist and hold a row.

    Parameters
    ----------
    adam : Adam
        Analysis datasets.
    *names : str
        Dataset names.
    role : str
        Only rows of a product with this role (nk, t) count.

    Returns
    -------
    bool
        True if each has rows.

    Raises
    ------
    None
    """
    if not adam.has(*names):
        return False
    return all(bool((adam[name]["ROLE"] == role).any()) if role else len(adam[name]) > 0 for name in names)


@dataclass(frozen=True)
class Place:
    """Where the rows of one summary stand: variable, level, unit, and what is printed of it.

    Attributes
    ----------
    variable, level, unit : str
        As in `interim.result.Rows.add`.
    times : bool
        Times and changes: median and range only.
    exposure : bool
        Kinetic parameters: also the positive values and the arithmetic CV.
    ratio : bool
        Paired ratios: also the interval of the geometric mean.
    """

    variable: str
    level: str = ""
    unit: str = ""
    times: bool = False
    exposure: bool = False
    ratio: bool = False


def add_summary(
    rows: Rows,
    who: Population,
    values: Mapping[str, float],
    *,
    place: Place,
    study: Study,
    hidden: Collection[str] = (),
    below: Collection[str] = (),
) -> None:
    """Add the summary of one measured value by column.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        The set; values of others are not counted.
    values : mapping of str to float
        USUBJID -> value.
    place : Place
        Where the rows stand.
    study : Study
        ``kinetics.quantile_type``, ``stats.level``.
    hidden : collection of str
        Columns whose means are withheld because most values are below the limit of quantification.
    below : collection of str
        USUBJIDs whose value only stands for one below that limit.

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    Stats n, mean, sd, geo_mean, geo_cv, median, q1, q3, min, max; of an exposure n_positive and cv, of a ratio geo_lower and
    geo_upper (``stats.level``). Columns with fewer than three values have no mean: the
    individual values stand in the text of stat ``values``. A median, minimum or maximum that is such a stand-in has the text BLQ,
    and so have individual values.
    """
    for group, ids in who.members.items():
        known = {
            subject: value for subject, value in values.items() if subject in ids and math.isfinite(value)
        }
        s = summary(list(known.values()), kind=study.kinetics.quantile_type)
        rows.add(
            "n",
            s.n,
            group=group,
            variable=place.variable,
            level=place.level,
            n=s.n,
            N=len(ids),
            subjects=sorted(known),
            unit=place.unit,
        )
        if s.n:
            interval = geometric_interval(list(known.values()), level=study.stats.level)
            blq = _stand_ins([who in below for who in sorted(known, key=known.__getitem__)])
            _add_numbers(rows, group, s, place=place, hidden=group in hidden, interval=interval, blq=blq)
        if place.exposure and not place.times:
            positive = sorted(subject for subject, value in known.items() if value > 0)
            rows.add(
                "n_positive",
                len(positive),
                group=group,
                variable=place.variable,
                level=place.level,
                n=len(positive),
                N=s.n,
                subjects=positive,
            )
        if 0 < s.n < layout()["fewest"]:
            each = sorted((value, subject in below) for subject, value in known.items())
            text = "; ".join(layout()["below"] if blq else _three_digits(value) for value, blq in each)
            rows.add(
                "values", None, group=group, variable=place.variable, level=place.level, text=text, n=s.n
            )


def _stand_ins(below: Sequence[bool]) -> frozenset[str]:
    """Return the order statistics that are below the limit, by whether each value is, the least first; of a median between two both are."""
    n = len(below)
    places = {"min": (0,), "median": ((n - 1) // 2, n // 2), "max": (n - 1,)}
    return frozenset(stat for stat, found in places.items() if all(below[place] for place in found))


def _three_digits(value: float) -> str:
    """Return three significant digits, never in powers of ten."""
    places = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def _add_numbers(
    rows: Rows,
    group: str,
    s: Summary,
    *,
    place: Place,
    hidden: bool,
    interval: tuple[float, float],
    blq: Collection[str],
) -> None:
    where: dict[str, Any] = {
        "group": group,
        "variable": place.variable,
        "level": place.level,
        "unit": place.unit,
        "n": s.n,
    }
    spread = {"median": s.median, "q1": s.q1, "q3": s.q3, "min": s.low, "max": s.high}
    for stat, value in spread.items():
        rows.add(stat, value, text=layout()["below"] if stat in blq else None, **where)
    if place.times:
        return
    few = s.n < layout()["fewest"]
    reason = "MOST_BELOW_LIMIT" if hidden else "FEWER_THAN_3" if few else "NO_POSITIVE_VALUE"
    means = {"mean": s.mean, "sd": s.sd, "geo_mean": s.geo_mean, "geo_cv": s.geo_cv}
    if place.exposure:
        means["cv"] = s.cv
    if place.ratio:
        means |= {"geo_lower": interval[0], "geo_upper": interval[1]}
    for stat, value in means.items():
        if hidden or few or math.isnan(value):
            rows.add(stat, None, status="NE", reason=reason, **where)
        else:
            rows.add(stat, value, **where)


def by_subject(frame: pd.DataFrame, column: str = "AVAL") -> dict[str, float]:
    """Return a value of each participant.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per USUBJID, or several of which the last counts.
    column : str
        Column of the value.

    Returns
    -------
    dict of str to float
        USUBJID -> value; missing values are left out.

    Raises
    ------
    None
    """
    known = frame[frame[column].notna()]
    return {
        str(subject): float(value) for subject, value in zip(known["USUBJID"], known[column], strict=True)
    }
