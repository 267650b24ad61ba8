"""Areas under concentration curves: three trapezoidal rules, partial areas and their evaluability."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from interim.stats.answers import Flags, Floats, Integers, Texts
from interim.stats.inputs import check_choice
from interim.stats.nca_profile import CARRIED, Series, at, first_true, last_true

AUC_METHODS = ("linear", "lin up/log down", "lin-log")


@dataclass(frozen=True, eq=False)
class Points:
    """Point parameters of each profile.

    Attributes
    ----------
    cmax, tmax : ndarray of float, shape (k,)
        Largest concentration and its first time; Tmax is NaN where no concentration is positive.
    clast, tlast : ndarray of float, shape (k,)
        Last positive concentration and its time; NaN where there is none.
    top, last : ndarray of int, shape (k,)
        Columns of Tmax and Tlast; -1 where there is none.
    """

    cmax: Floats
    tmax: Floats
    clast: Floats
    tlast: Floats
    top: Integers
    last: Integers


@dataclass(frozen=True, eq=False)
class PartialArea:
    """Area from the first sample to an end, with its evaluability.

    Attributes
    ----------
    end : float
        The end asked for.
    area : ndarray of float, shape (k,)
        Area to the end, or to Tlast if that is earlier; nothing is added after Tlast.
    status : ndarray of str, shape (k,)
        COMPLETE, CLEARED, SHORT_TAIL, INCOMPLETE or SPARSE.
    evaluable : ndarray of bool, shape (k,)
        Whether the area enters a summary.
    """

    end: float
    area: Floats
    status: Texts
    evaluable: Flags


def points(series: Series, *, later: Flags | bool = False) -> Points:
    """Return maximum and last positive concentration.

    Parameters
    ----------
    series : Series
        Profiles after a rule for samples below the limit.
    later : array_like of bool, shape (k,) or one flag
        Windows after the first: their sample at time 0 was drawn before the dose and is no candidate for the maximum.

    Returns
    -------
    Points
        Cmax is 0 where no concentration is positive, NaN where there is no sample.

    Raises
    ------
    None
    """
    before_dose = np.broadcast_to(np.asarray(later, dtype=bool), series.time.shape[:1])[:, None] & (
        series.time <= 0
    )
    known = np.where(series.valid & ~before_dose, series.conc, -np.inf)
    cmax = known.max(axis=1)
    positive = series.valid & (series.conc > 0)
    some = cmax > 0
    top = np.where(some, first_true(known == cmax[:, None]), -1)
    last = last_true(positive)
    cmax = np.where(series.valid.any(axis=1), np.maximum(cmax, 0.0), np.nan)
    return Points(cmax, at(series.time, top), at(series.conc, last), at(series.time, last), top, last)


@dataclass(frozen=True, eq=False)
class Segments:
    """Trapezoids between neighbouring samples: ends, and which are logarithmic."""

    t1: Floats
    t2: Floats
    c1: Floats
    c2: Floats
    log: Flags
    ratio: Floats

    def areas(self, share: Floats | float = 1.0) -> Floats:
        """Return the area of the first part of each segment.

        Parameters
        ----------
        share : ndarray of float, shape (k, m - 1), or one number
            Part of the segment, 0 to 1.

        Returns
        -------
        ndarray of float, shape (k, m - 1)
            0 for cells without a segment.

        Raises
        ------
        None
        """
        width = (self.t2 - self.t1) * share
        exponent = share * self.ratio
        curved = self.log & (exponent != 0)
        safe = np.where(curved, exponent, 1.0)
        linear = width * (self.c1 + share * (self.c2 - self.c1) / 2.0)
        area = np.where(curved, width * self.c1 * np.expm1(safe) / safe, linear)
        return np.where(np.isfinite(area), area, 0.0)

    def moments(self) -> Floats:
        """Return the area under time times concentration of each segment.

        Parameters
        ----------
        None

        Returns
        -------
        ndarray of float, shape (k, m - 1)
            0 for cells without a segment.

        Raises
        ------
        None
        """
        width = self.t2 - self.t1
        rate = np.where(self.log, self.ratio / np.where(width > 0, width, 1.0), 1.0)
        log = (self.t2 * self.c2 - self.t1 * self.c1) / rate - (self.c2 - self.c1) / rate**2
        linear = width * (self.t1 * self.c1 + self.t2 * self.c2) / 2.0
        area = np.where(self.log, log, linear)
        return np.where(np.isfinite(area), area, 0.0)


def segments(series: Series, method: str, *, tmax: Floats) -> Segments:
    """Return the trapezoids of each profile.

    Parameters
    ----------
    series : Series
        Profiles after a rule for samples below the limit.
    method : {"linear", "lin up/log down", "lin-log"}
        Logarithmic where the concentration falls to a positive one; or from Tmax on between positive unequal concentrations;
        linear elsewhere.
    tmax : ndarray of float, shape (k,)
        First time of the maximum.

    Returns
    -------
    Segments
        Shape (k, m - 1).

    Raises
    ------
    ValueError
        If the method is unknown.
    """
    check_choice(method, "method", AUC_METHODS)
    t1, t2, c1, c2 = series.time[:, :-1], series.time[:, 1:], series.conc[:, :-1], series.conc[:, 1:]
    both = (c1 > 0) & (c2 > 0)
    if method == "linear":
        log = np.zeros(t1.shape, dtype=bool)
    elif method == "lin-log":
        log = both & (c1 != c2) & (t1 >= tmax[:, None])
    else:
        log = both & (c2 < c1)
    ratio = np.log1p(np.where(log, (c2 - c1) / np.where(c1 > 0, c1, 1.0), 0.0))
    return Segments(t1, t2, c1, c2, log, ratio)


def area_to(parts: Segments, end: ArrayLike) -> Floats:
    """Return the area from the first sample to an end, interpolated in the segment that holds the end.

    Parameters
    ----------
    parts : Segments
        Trapezoids.
    end : array_like of float, shape (k,) or one number
        Ends; NaN gives 0.

    Returns
    -------
    ndarray of float, shape (k,)
        Areas; the part of a segment follows the segment's own rule.

    Raises
    ------
    None
    """
    ends = np.broadcast_to(np.asarray(end, dtype=np.float64), parts.t1.shape[:1])[:, None]
    width = np.where(parts.t2 > parts.t1, parts.t2 - parts.t1, 1.0)
    share = np.clip((ends - parts.t1) / width, 0.0, 1.0)
    total: Floats = parts.areas(np.where(np.isnan(share), 0.0, share)).sum(axis=1)
    return total


def partial_area(
    series: Series,
    end: float,
    *,
    method: str,
    found: Points | None = None,
    min_post_samples: int = 3,
    min_last: float | None = None,
) -> PartialArea:
    """Return the area from the first sample to an end, and whether it can be used.

    Parameters
    ----------
    series : Series
        Profiles after a rule for samples below the limit; time 0 is the infusion.
    end : float
        End of the area.
    method : str
        As in `segments`.
    found : Points, optional
        Point parameters of the series, if they are known already.
    min_post_samples : int
        Fewer samples after time 0 make a profile SPARSE.
    min_last : float, optional
        The last sample must not be earlier; default ``end`` - 3.

    Returns
    -------
    PartialArea
        The area stops at Tlast of the whole profile.

    Raises
    ------
    ValueError
        If the method is unknown or the end is not positive.
    """
    if not end > 0:
        raise ValueError(f"end must be greater than 0; found {end}")
    found = points(series) if found is None else found
    stop = np.minimum(end, np.where(np.isnan(found.tlast), -np.inf, found.tlast))
    parts = segments(series, method, tmax=found.tmax)
    area = area_to(parts, np.where(np.isfinite(stop), stop, np.nan))
    area = np.where(series.n_collected > 0, area, np.nan)
    status = _status(
        series, found, end, least=min_post_samples, until=end - 3.0 if min_last is None else min_last
    )
    usable = np.isin(status, ("COMPLETE", "CLEARED", "SHORT_TAIL"))
    return PartialArea(float(end), area, status, usable)


def _status(series: Series, found: Points, end: float, *, least: int, until: float) -> Texts:
    tlast = np.where(np.isnan(found.tlast), 0.0, found.tlast)
    after = np.nan_to_num(series.last_sample, nan=-np.inf)
    choices = [
        (series.n_post < least, "SPARSE"),
        (tlast >= end, "COMPLETE"),
        (after < until, "INCOMPLETE"),
        (after > tlast, "CLEARED"),
    ]
    answer: Texts = np.select([flag for flag, _ in choices], [text for _, text in choices], "SHORT_TAIL")
    return answer


def area_to_infinity(area: PartialArea, found: Points, *, lambda_z: Floats) -> Floats:
    """Return the partial area with the part after Tlast extrapolated up to its end.

    Parameters
    ----------
    area : PartialArea
        Area to the end or to Tlast.
    found : Points
        Point parameters of the same profiles.
    lambda_z : ndarray of float, shape (k,)
        Terminal slope; needed only where Tlast lies before the end.

    Returns
    -------
    ndarray of float, shape (k,)
        NaN where the slope is needed and missing.

    Raises
    ------
    None
    """
    gap = area.end - found.tlast
    rest = found.clast / lambda_z * -np.expm1(-lambda_z * gap)
    answer: Floats = np.where(gap > 0, area.area + rest, area.area)
    return answer


def with_back_extrapolation(series: Series, method: str) -> Series:
    """Put the concentration at time 0 of an intravenous bolus in front of each profile.

    Parameters
    ----------
    series : Series
        Profiles whose first sample lies after time 0.
    method : {"logslope", "first"}
        Logarithmic line through the first two samples where the concentration falls, else the first; always the first.

    Returns
    -------
    Series
        One column more; profiles without a sample, or with one at time 0, keep their values.

    Raises
    ------
    ValueError
        If the method is unknown.
    """
    check_choice(method, "method", ("logslope", "first"))
    first, second = series.conc[:, 0], at(series.conc, np.ones(len(series.conc), dtype=np.int64))
    t1, t2 = series.time[:, 0], at(series.time, np.ones(len(series.conc), dtype=np.int64))
    falls = (second > 0) & (second < first) & (t2 > t1) & (method == "logslope")
    slope = np.log(np.where(falls, second / np.where(first > 0, first, 1.0), 1.0)) / np.where(
        falls, t2 - t1, 1.0
    )
    c0 = np.where(falls, first * np.exp(-slope * t1), first)
    add = t1 > 0
    shifted = [
        _prepended(values, new, add, empty)
        for values, new, empty in (
            (series.time, np.zeros(len(c0)), np.nan),
            (series.conc, c0, np.nan),
            (series.place.astype(np.float64), np.full(len(c0), -1.0), -1.0),
            (series.origin.astype(np.float64), np.full(len(c0), float(CARRIED)), 0.0),
        )
    ]
    return replace(
        series,
        time=shifted[0],
        conc=shifted[1],
        place=shifted[2].astype(np.int64),
        origin=shifted[3].astype(np.int64),
    )


def _prepended(values: Floats, new: Floats, add: Flags, empty: float) -> Floats:
    moved = np.concatenate([new[:, None], values], axis=1)
    stayed = np.concatenate([values, np.full((len(values), 1), empty)], axis=1)
    answer: Floats = np.where(add[:, None], moved, stayed)
    return answer
