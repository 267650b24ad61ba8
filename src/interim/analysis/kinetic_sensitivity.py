"""What the rules do to the parameters of CAR-T kinetics: the sensitivity panel, evaluability, and a model per participant."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.adpp_windows import batch, cycle_windows
from interim.adam.model import Adam
from interim.analysis.measures import has_rows, kinetic_population
from interim.analysis.population import Population, add_counts, add_not_available, open_rows
from interim.result import TOTAL, Result, Rows
from interim.stats.nca_area import AUC_METHODS
from interim.stats.nca_expansion import CurveFit, fit_expansion
from interim.stats.nca_profile import BLQ_RULES
from interim.stats.nca_summary import summary
from interim.study import Study

_NO_SAMPLES = "not available: no samples of cellular kinetics"
_PERFECT = 1e-3
_MODEL = ("doubling", "tmax", "cmax", "half_fast", "half_slow", "slow_share", "sigma")


def panel(adam: Adam, study: Study) -> Result:
    """Compute the area of the first cycle and the half-life under every rule and area method.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX and ADPC.
    study : Study
        ``kinetics``; ``kinetics.sensitivity_panel`` switches the panel off.

    Returns
    -------
    Result
        ``kinetic_sensitivity.panel``; variable = assay and parameter, level = rule and method; stats geo_mean, geo_cv, median and
        largest (largest change of one participant from the analysis of the report, in percent); geo_mean and median with unit.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.

    Notes
    -----
    Profiles without any quantified sample enter no summary under ``half_lloq``.
    """
    who = kinetic_population(adam, study, "t")
    rows = open_rows("kinetic_sensitivity.panel", "Kinetic parameters under other rules", who)
    reason = "not available: switched off by kinetics.sensitivity_panel"
    if not study.kinetics.sensitivity_panel or not has_rows(adam, "ADPC", "ADEX"):
        reason = _NO_SAMPLES if study.kinetics.sensitivity_panel else reason
        add_not_available(rows, who.groups, variable="panel", reason=reason)
        return rows.build()
    plain = _values(adam, study)
    for rule in BLQ_RULES:
        for method in AUC_METHODS:
            changed = study.kinetics.model_copy(update={"blq_rule": rule, "auc_method": method})
            found = _values(adam, study.model_copy(update={"kinetics": changed}))
            for (assay, name), part in found.groupby(["ASSAY", "NAME"], sort=True):
                if name == "LAMZHL" and method != AUC_METHODS[0]:
                    continue
                base = plain[(plain["ASSAY"] == assay) & (plain["NAME"] == name)].set_index("USUBJID")["AVAL"]
                mine = part[part["USUBJID"].isin(who.everyone)].set_index("USUBJID")["AVAL"].dropna()
                level = rule if name == "LAMZHL" else f"{rule} / {method}"
                place = {"variable": f"{assay} {name}", "level": level, "unit": str(part["AVALU"].iloc[0])}
                _add_panel(rows, mine, base, place=place)
    return rows.build()


def _values(adam: Adam, study: Study) -> pd.DataFrame:
    """Return area of the first cycle and half-life of the last under one set of rules: USUBJID, ASSAY, NAME, AVAL, AVALU."""
    found = batch(adam["ADPC"], adam["ADEX"], "t")
    if found is None:
        return pd.DataFrame(columns=["USUBJID", "ASSAY", "NAME", "AVAL", "AVALU"])
    windows = cycle_windows(found, study)
    end = study.kinetics.windows.cart_cycle[0]
    area, _ = windows[0].area.partial(end)
    seen = (found.samples.valid & found.samples.quantified).any(axis=1)
    shown = area.evaluable & (seen | (study.kinetics.blq_rule != "half_lloq"))
    slope = np.full(len(found.keys), np.nan)
    for made in windows:
        slope = np.where(made.given & ~made.truncated, made.found.values["LAMZHL"], slope)
    columns = {f"AUC0_{end:g}": np.where(shown, area.area, np.nan), "LAMZHL": np.where(seen, slope, np.nan)}
    keys = found.keys[["USUBJID", "PARAMCD"]].rename(columns={"PARAMCD": "ASSAY"})
    area_unit = "day*" + found.keys["AVALU"].astype(str)
    parts = [
        keys.assign(NAME=name, AVAL=value, AVALU="day" if name == "LAMZHL" else area_unit)
        for name, value in columns.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _add_panel(rows: Rows, values: pd.Series, base: pd.Series, *, place: dict[str, str]) -> None:
    s = summary(values.to_numpy())
    where: dict[str, Any] = {"variable": place["variable"], "level": place["level"], "n": s.n}
    units = {"geo_mean": place["unit"], "median": place["unit"]}
    rows.add("n", s.n, subjects=sorted(values.index), **where)
    reference = base.reindex(values.index)
    change = (100.0 * (values / reference.where(reference > 0) - 1.0)).abs().max()
    numbers = {"geo_mean": s.geo_mean, "geo_cv": s.geo_cv, "median": s.median, "largest": float(change)}
    for stat, value in numbers.items():
        gone = not math.isfinite(value)
        where["unit"] = units.get(stat, "%")
        rows.add(
            stat, None if gone else value, **where, **({"status": "NE", "reason": "NO_VALUE"} if gone else {})
        )


def evaluability(adam: Adam, study: Study) -> Result:
    """Count the status of each area, why a half-life is missing, and the flags.

    Parameters
    ----------
    adam : Adam
        ADSL and ADPP.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``kinetic_sensitivity.evaluability``; variable = assay, parameter and cycle, level = status, reason or flag; n by column.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = kinetic_population(adam, study, "t")
    rows = open_rows("kinetic_sensitivity.evaluability", "Evaluability of kinetic parameters", who)
    if not has_rows(adam, "ADPP", role="t"):
        add_not_available(rows, who.groups, variable="parameters", reason=_NO_SAMPLES)
        return rows.build()
    frame = adam["ADPP"].loc[
        lambda f: (f["ROLE"] == "t") & (f["CLOCK"] != "DOSE") & (f["METHOD"] != "MANUAL")
    ]
    for assay, part in frame.groupby("ASSAY", sort=True):
        for name, levels in _judged(part):
            for level, subjects in levels.items():
                add_counts(rows, who, variable=f"{assay} {name}", level=str(level), subjects=subjects)
    return rows.build()


def _judged(part: pd.DataFrame) -> Iterator[tuple[str, dict[Any, list[str]]]]:
    """Yield what is counted of one assay: statuses of areas, reasons of missing half-lives, flags."""
    areas = part[part["STATUS"].notna()]
    for (name, cycle), one in areas.groupby(["PARAMCD", "ACYCLE"], sort=True, dropna=False):
        clock = "all cycles" if str(cycle) == "nan" else f"cycle {str(cycle).removesuffix('.0')}"
        yield f"{name} {clock}", _members(one, "STATUS")
    slopes = part[(part["PARAMCD"].isin(["LAMZHL", "TOBITHL"])) & part["REASON"].ne("WINDOW_TRUNCATED")]
    for name, one in slopes[slopes["REASON"].notna()].groupby("PARAMCD", sort=True):
        yield f"{name!s} missing", _members(one, "REASON")
    flags = part.assign(FLAG=part["FLAGS"].str.split(";")).explode("FLAG")
    if flags["FLAG"].notna().any():
        yield "flags", _members(flags[flags["FLAG"].notna()], "FLAG")


def _members(frame: pd.DataFrame, column: str) -> dict[Any, list[str]]:
    return {level: sorted(set(one["USUBJID"])) for level, one in frame.groupby(column, sort=True)}


def model(adam: Adam, study: Study) -> Result:
    """Fit the expansion-persistence curve to the first cycle of each participant. Exploratory.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX and ADPC.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``kinetic_sensitivity.model``; variable = assay, level = participant; stats doubling, tmax, half_fast, half_slow (days),
        cmax, slow_share, sigma; NE with LONGER_THAN_OBSERVED (a half-life longer than the time from the maximum to the last
        quantified sample), TOO_FEW_POINTS (fewer than six quantified samples), NO_CONVERGENCE, PERFECT_FIT (as many
        parameters as the samples can carry) or GROWTH_NOT_SEEN (fewer than two quantified samples up to the maximum).

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.

    Notes
    -----
    Samples below the limit are censored at it. The non-compartmental parameters stay primary.
    """
    who = kinetic_population(adam, study, "t")
    rows = open_rows("kinetic_sensitivity.model", "Expansion and persistence model by participant", who)
    found = batch(adam["ADPC"], adam["ADEX"], "t") if has_rows(adam, "ADPC", "ADEX") else None
    if found is None:
        add_not_available(rows, who.groups, variable="model", reason=_NO_SAMPLES)
        return rows.build()
    samples = cycle_windows(found, study)[0].part.samples
    for place, key in enumerate(found.keys.to_dict("records")):
        if key["USUBJID"] not in who.everyone:
            continue
        use = samples.valid[place]
        time, value, lloq = (part[place][use] for part in (samples.time, samples.value, samples.lloq))
        fit = fit_expansion(time, value, lloq=lloq)
        _add_fit(rows, fit, time[np.isfinite(value)], who, key=key)
    return rows.build()


def _add_fit(rows: Rows, fit: CurveFit, quantified: Any, who: Population, *, key: dict[Any, Any]) -> None:
    where: dict[str, Any] = {"group": TOTAL, "variable": str(key["PARAMCD"]), "level": str(key["USUBJID"])}
    where["n"] = len(quantified)
    rows.add("samples", len(quantified), subjects=[key["USUBJID"]], **where)
    curve, reason = fit.curve, fit.reason
    if curve is not None and fit.sigma < _PERFECT:
        reason = "PERFECT_FIT"
    if curve is None or reason:
        for stat in _MODEL:
            where["unit"] = str(key["AVALU"]) if stat == "cmax" else ""
            rows.add(stat, None, status="NE", reason=reason, **where)
        return
    seen = int((quantified <= curve.tmax).sum()) >= 2
    after = float(quantified.max()) - curve.tmax
    halves = {"half_fast": curve.alpha, "half_slow": curve.beta}
    observed = {
        stat: math.log(2.0) / rate if rate * after > math.log(2.0) else math.nan
        for stat, rate in halves.items()
    }
    numbers = {
        "doubling": curve.doubling_time if seen else math.nan,
        "tmax": curve.tmax,
        "cmax": curve.cmax,
        **observed,
        "slow_share": 100.0 * curve.fb,
        "sigma": fit.sigma,
    }
    for stat, value in numbers.items():
        gone = not math.isfinite(value)
        why = {"status": "NE", "reason": "GROWTH_NOT_SEEN" if stat == "doubling" else "LONGER_THAN_OBSERVED"}
        where["unit"] = str(key["AVALU"]) if stat == "cmax" else ""
        rows.add(stat, None if gone else value, **where, **(why if gone else {}))
