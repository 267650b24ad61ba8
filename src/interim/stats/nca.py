"""Non-compartmental analysis of many concentration profiles at once; every missing value has its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from interim.stats.answers import Flags, Floats, Texts
from interim.stats.nca_area import (
    AUC_METHODS,
    PartialArea,
    Points,
    Segments,
    area_to,
    area_to_infinity,
    partial_area,
    points,
    segments,
)
from interim.stats.nca_profile import BLQ_RULES, HALF_LLOQ, Profiles, Series, apply_blq_rule
from interim.stats.nca_terminal import Terminal, terminal

OBSERVED_AREAS = ("AUCLST", "AUCALL", "AUMCLST")


@dataclass(frozen=True)
class NcaRules:
    """The rules of an analysis; each stands in its result.

    Attributes
    ----------
    blq_rule, auc_method : str
        As in `apply_blq_rule` and `segments`.
    min_points, tolerance, compete, with_tmax : int, float, str, bool
        As in `terminal`.
    min_post_samples, min_last : int, float or None
        As in `partial_area`.
    flag_adj_r2, flag_span, flag_extrap_pct : float
        Limits beyond which a terminal slope or an extrapolated area is flagged.
    """

    blq_rule: str = "zero"
    auc_method: str = "lin up/log down"
    min_points: int = 3
    tolerance: float = 1e-4
    compete: str = "negative_only"
    with_tmax: bool = False
    min_post_samples: int = 3
    min_last: float | None = None
    flag_adj_r2: float = 0.8
    flag_span: float = 2.0
    flag_extrap_pct: float = 20.0


@dataclass(frozen=True, eq=False)
class Nca:
    """Parameters of each profile.

    Attributes
    ----------
    values : mapping of str to ndarray of float, shape (k,)
        By CDISC parameter code: CMAX TMAX CLST TLST AUCLST AUCALL AUMCLST LAMZ LAMZHL LAMZNPT LAMZLL LAMZUL R2 R2ADJ SPAN
        CLSTP AUCIFO AUCIFP AUCPEO AUCPEP AUMCIFO MRTIFO NSAMP NQUANT.
    reasons : mapping of str to ndarray of str, shape (k,)
        Why a value is NaN; empty where it is a number.
    flags : mapping of str to ndarray of bool, shape (k,)
        ALL_BLQ, LZ_R2, LZ_SPAN, AUC_EXTRAP, IMPUTED (a value is LLOQ/2): marks, never deletions.
    series, points, terminal, rules : Series, Points, Terminal, NcaRules
        What the values were made from, sample by sample.
    """

    values: Mapping[str, Floats]
    reasons: Mapping[str, Texts]
    flags: Mapping[str, Flags]
    series: Series
    points: Points
    terminal: Terminal
    rules: NcaRules

    def partial(self, end: float) -> tuple[PartialArea, Floats]:
        """Return the area from the first sample to an end.

        Parameters
        ----------
        end : float
            End of the area.

        Returns
        -------
        tuple of (PartialArea, ndarray of float)
            The area, and the area with the part after Tlast extrapolated to the end.

        Raises
        ------
        ValueError
            If the end is not positive.
        """
        rules = self.rules
        area = partial_area(
            self.series,
            end,
            method=rules.auc_method,
            found=self.points,
            min_post_samples=rules.min_post_samples,
            min_last=rules.min_last,
        )
        extended = area_to_infinity(area, self.points, lambda_z=self.terminal.lambda_z)
        return area, np.where(np.isnan(self.points.tlast), area.area, extended)

    def area_until(self, end: Floats) -> Floats:
        """Return the area to an end of its own for every profile, nothing added after Tlast.

        Parameters
        ----------
        end : ndarray of float, shape (k,)
            Ends.

        Returns
        -------
        ndarray of float, shape (k,)
            Areas; 0 where the end is not after the first sample.

        Raises
        ------
        None
        """
        parts = segments(self.series, self.rules.auc_method, tmax=self.points.tmax)
        return area_to(parts, np.minimum(end, self.points.tlast))

    def audit(self) -> Mapping[str, Flags]:
        """Return which samples each parameter used, in the order of ``series``.

        Parameters
        ----------
        None

        Returns
        -------
        mapping of str to ndarray of bool, shape (k, m)
            CMAX, AUCLST, LAMZ.

        Raises
        ------
        None
        """
        column = np.arange(self.series.time.shape[1])[None, :]
        return {
            "CMAX": (column == self.points.top[:, None]),
            "AUCLST": self.series.valid & (column <= self.points.last[:, None]),
            "LAMZ": self.terminal.used,
        }


def nca(samples: Profiles, rules: NcaRules, *, after: Floats | float = -np.inf) -> Nca:
    """Return the non-compartmental parameters of every profile.

    Parameters
    ----------
    samples : Profiles
        Collected samples; one profile or many.
    rules : NcaRules
        Rules.
    after : array_like of float, shape (k,) or one number
        End of the last infusion; the terminal slope uses later points only.

    Returns
    -------
    Nca
        One value per profile and parameter.

    Raises
    ------
    ValueError
        If a rule is unknown.

    Examples
    --------
    >>> from interim.stats.nca_profile import profiles
    >>> one = nca(profiles([0] * 5, [0, 1, 2, 3, 4], value=[0, 8, 4, 2, 1]), NcaRules())
    >>> one.values["CMAX"].tolist(), one.values["LAMZHL"].round(6).tolist()
    ([8.0], [1.0])
    """
    return analyse(apply_blq_rule(samples, rules.blq_rule), rules, after=after)


def analyse(
    series: Series, rules: NcaRules, *, after: Floats | float = -np.inf, later: Flags | bool = False
) -> Nca:
    """Return the parameters of profiles to which a rule for samples below the limit has been applied.

    Parameters
    ----------
    series : Series
        Profiles.
    rules : NcaRules
        Rules; ``blq_rule`` is only recorded.
    after : array_like of float, shape (k,) or one number
        As in `nca`.
    later : array_like of bool, shape (k,) or one flag
        As in `points`.

    Returns
    -------
    Nca
        One value per profile and parameter.

    Raises
    ------
    ValueError
        If a rule is unknown.
    """
    found = points(series, later=later)
    phase = terminal(
        series,
        found,
        min_points=rules.min_points,
        tolerance=rules.tolerance,
        compete=rules.compete,
        with_tmax=rules.with_tmax,
        after=after,
    )
    parts = segments(series, rules.auc_method, tmax=found.tmax)
    values = {**_observed(series, found, parts), **_slope(phase)}
    values.update(_extrapolated(values, phase.clast_pred))
    return Nca(
        values, _reasons(values, series, phase), _flags(values, series, rules), series, found, phase, rules
    )


def _observed(series: Series, found: Points, parts: Segments) -> dict[str, Floats]:
    some = series.n_collected > 0
    last = area_to(parts, found.tlast)
    inside = np.arange(parts.t1.shape[1])[None, :] < found.last[:, None]
    moments = np.where(inside, parts.moments(), 0.0).sum(axis=1)
    row, following = np.arange(len(some)), np.minimum(found.last + 1, series.time.shape[1] - 1)
    gap = np.where(found.last >= 0, series.time[row, following] - found.tlast, np.nan)
    tail = np.where(np.isfinite(gap) & (gap > 0), found.clast * gap / 2.0, 0.0)
    answer = {"AUCLST": last, "AUCALL": last + tail, "AUMCLST": moments}
    answer = {name: np.where(some, value, np.nan) for name, value in answer.items()}
    counts = {
        "NSAMP": series.valid.sum(axis=1),
        "NQUANT": (series.valid & (series.conc > 0)).sum(axis=1),
    }
    return {
        **{name: value.astype(np.float64) for name, value in counts.items()},
        **{"CMAX": found.cmax, "TMAX": found.tmax, "CLST": found.clast, "TLST": found.tlast},
        **answer,
    }


def _slope(phase: Terminal) -> dict[str, Floats]:
    names = {
        "LAMZ": phase.lambda_z,
        "LAMZHL": phase.half_life,
        "LAMZNPT": phase.n_points,
        "LAMZLL": phase.first,
        "LAMZUL": phase.last,
        "R2": phase.r2,
        "R2ADJ": phase.adj_r2,
        "SPAN": phase.span,
        "CLSTP": phase.clast_pred,
    }
    return dict(names)


def _extrapolated(values: Mapping[str, Floats], clast_pred: Floats) -> dict[str, Floats]:
    slope, area, clast = values["LAMZ"], values["AUCLST"], values["CLST"]
    observed, predicted = area + clast / slope, area + clast_pred / slope
    moment = values["AUMCLST"] + clast * values["TLST"] / slope + clast / slope**2
    return {
        "AUCIFO": observed,
        "AUCIFP": predicted,
        "AUCPEO": 100.0 * (1.0 - area / observed),
        "AUCPEP": 100.0 * (1.0 - area / predicted),
        "AUMCIFO": moment,
        "MRTIFO": moment / observed,
    }


_FROM_SLOPE = ("AUCIFO", "AUCIFP", "AUCPEO", "AUCPEP", "AUMCIFO", "MRTIFO")
_OF_SLOPE = ("LAMZ", "LAMZHL", "LAMZNPT", "LAMZLL", "LAMZUL", "R2", "R2ADJ", "SPAN", "CLSTP")


def _reasons(values: Mapping[str, Floats], series: Series, phase: Terminal) -> dict[str, Texts]:
    plain = np.where(series.n_collected == 0, "NO_SAMPLES", "ALL_BLQ")
    derived = np.where(series.n_collected == 0, "NO_SAMPLES", "LZ_NOT_ESTIMABLE")
    answer: dict[str, Texts] = {}
    for name, value in values.items():
        reason = phase.reason if name in _OF_SLOPE else derived if name in _FROM_SLOPE else plain
        answer[name] = np.where(np.isnan(value), reason, "")
    return answer


def _flags(values: Mapping[str, Floats], series: Series, rules: NcaRules) -> dict[str, Flags]:
    return {
        "ALL_BLQ": (series.n_collected > 0) & (series.n_quantified == 0),
        "LZ_R2": values["R2ADJ"] < rules.flag_adj_r2,
        "LZ_SPAN": values["SPAN"] < rules.flag_span,
        "AUC_EXTRAP": values["AUCPEO"] > rules.flag_extrap_pct,
        "IMPUTED": (series.valid & (series.origin == HALF_LLOQ)).any(axis=1),
    }


def with_areas(found: Nca, area: Nca, names: tuple[str, ...] = OBSERVED_AREAS) -> Nca:
    """Return parameters whose areas rest on another series, what is derived from both computed again.

    Parameters
    ----------
    found : Nca
        Points and terminal slope of the observed samples.
    area : Nca
        The same profiles with a concentration at time 0, or with detected values as reported.
    names : tuple of str
        Values taken from ``area``.

    Returns
    -------
    Nca
        ``found`` with the areas of ``area``; areas to infinity from them and the slope of ``found``.

    Raises
    ------
    None
    """
    values = {**found.values, **{name: area.values[name] for name in names}}
    values.update(_extrapolated(values, found.terminal.clast_pred))
    reasons = _reasons(values, found.series, found.terminal)
    return replace(found, values=values, reasons=reasons, flags=_flags(values, found.series, found.rules))


def sensitivity(
    samples: Profiles, rules: NcaRules, *, after: Floats | float = -np.inf
) -> dict[tuple[str, str], Nca]:
    """Return the parameters under every rule for samples below the limit and every area method.

    Parameters
    ----------
    samples : Profiles
        Collected samples.
    rules : NcaRules
        All other rules.
    after : array_like of float, shape (k,) or one number
        As in `nca`.

    Returns
    -------
    dict of (str, str) to Nca
        By rule and method.

    Raises
    ------
    ValueError
        If a rule is unknown.
    """
    return {
        (rule, method): nca(samples, replace(rules, blq_rule=rule, auc_method=method), after=after)
        for rule in BLQ_RULES
        for method in AUC_METHODS
    }
