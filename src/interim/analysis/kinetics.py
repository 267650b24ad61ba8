"""Cellular kinetics: levels over time, parameters, profiles and tissue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import ordered
from interim.analysis.kinetic_courses import Sample, add_events, add_samples, column_of
from interim.analysis.measures import Place, add_summary, by_subject, has_rows, kinetic_population, layout
from interim.analysis.population import (
    Population,
    add_base,
    add_not_available,
    add_rates,
    open_rows,
    population,
)
from interim.analysis.products import by_source
from interim.result import TOTAL, Result, Rows
from interim.study import Study

_NO_SAMPLES = "not available: no samples of cellular kinetics"


def levels_by_time(adam: Adam, study: Study) -> Result:
    """Summarise the CAR-T level by nominal time, one block per assay.

    Parameters
    ----------
    adam : Adam
        ADSL and ADPC.
    study : Study
        Columns, ``kinetics.blq_mean_max``.

    Returns
    -------
    Result
        ``kinetics.levels_by_time``; variable = assay with unit, level = nominal time; stats of `add_summary`, n_blq, and
        zero_mean (mean with 0 below the limit). Geometric means count half the limit; means are withheld where too many
        values are below it.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = kinetic_population(adam, study, "t")
    rows = open_rows("kinetics.levels_by_time", "CAR-T transgene level by nominal time", who)
    if not has_rows(adam, "ADPC", role="t"):
        add_not_available(rows, who.groups, variable="level", reason=_NO_SAMPLES)
        return rows.build()
    for assay, part in _assays(_usable(adam["ADPC"], "t")):
        for label in _times(part):
            _add_level(
                rows,
                who,
                part[part["LABEL"] == label],
                place=Place(assay, label, str(part["AVALU"].iloc[0])),
                study=study,
            )
    return rows.build()


def _usable(adpc: pd.DataFrame, role: str) -> pd.DataFrame:
    rows = adpc[(adpc["ROLE"] == role) & (adpc["ANL01FL"] == "Y") & (adpc["STATE"] != "BAD")]
    day = rows["NTIME"].map(lambda value: f"Day {value:g}" if value == value else "No nominal time")
    day = day.where(~rows["PREDFL"].eq("Y"), "Pre-dose")
    cycle = rows["REFCYC"].map(lambda number: f" of cycle {number:g}" if number > 1 else "")
    return rows.assign(LABEL=(day + cycle).astype(object))


def _assays(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each assay and unit: different assays are never pooled."""
    for (code, unit), part in rows.groupby(["PARAMCD", "AVALU"], sort=True, dropna=False):
        yield f"{code} ({unit})", part


def _times(rows: pd.DataFrame) -> list[str]:
    order = (
        rows.groupby("LABEL")["NFRLT"].median().reset_index().sort_values(["NFRLT", "LABEL"], kind="stable")
    )
    return [str(label) for label in order["LABEL"]]


def _add_level(rows: Rows, who: Population, part: pd.DataFrame, *, place: Place, study: Study) -> None:
    last = part.sort_values(["USUBJID", "AFRLT"], kind="stable").drop_duplicates("USUBJID", keep="last")
    below = last["BLQFL"] == "Y"
    half = by_subject(last.assign(AVAL=last["AVAL"].mask(below, last["ALLOQ"] / 2.0)))
    zero = by_subject(last.assign(AVAL=last["AVAL"].mask(below, 0.0)))
    blq = set(last.loc[below, "USUBJID"])
    hidden = {
        g
        for g, ids in who.members.items()
        if _share(blq & ids, set(zero) & ids) > study.kinetics.blq_mean_max
    }
    add_summary(rows, who, half, place=place, study=study, hidden=hidden, below=blq)
    for group, ids in who.members.items():
        known = [value for subject, value in zero.items() if subject in ids]
        where = {"group": group, "variable": place.variable, "level": place.level}
        rows.add("n_blq", len(blq & ids), n=len(blq & ids), N=len(known), subjects=sorted(blq & ids), **where)
        if known and group not in hidden and len(known) >= layout()["fewest"]:
            rows.add("zero_mean", float(np.mean(known)), n=len(known), **where)


def _share(part: set[str] | frozenset[str], whole: set[str] | frozenset[str]) -> float:
    return len(part) / len(whole) if whole else 0.0


def cart_parameters(adam: Adam, study: Study) -> Result:
    """Summarise the parameters of CAR-T kinetics by cycle and over all cycles.

    Parameters
    ----------
    adam : Adam
        ADSL and ADPP.
    study : Study
        Columns, ``kinetics``.

    Returns
    -------
    Result
        ``kinetics.cart_parameters``; variable = assay and cycle, level = parameter; n_out counts values that are shown
        nowhere because they are not evaluable; variable ``<assay> persistence`` has the rate of participants still
        quantified at a day (of those sampled until then).

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = kinetic_population(adam, study, "t")
    rows = open_rows("kinetics.cart_parameters", "CAR-T kinetic parameters by cycle", who)
    if not has_rows(adam, "ADPP", role="t"):
        add_not_available(rows, who.groups, variable="parameters", reason=_NO_SAMPLES)
        return rows.build()
    frame = adam["ADPP"].loc[lambda f: f["ROLE"] == "t"]
    for assay, part in frame.groupby("ASSAY", sort=True):
        cycles = part[part["CLOCK"] == "CYCLE"]
        for cycle, one in cycles.groupby("ACYCLE", sort=True):
            _add_parameters(
                rows, who, one, f"{assay} cycle {cycle:g}", names=layout()["cart"]["cycle"], study=study
            )
        whole = part[part["CLOCK"] == "PRODUCT"]
        _add_parameters(
            rows, who, whole, f"{assay} all cycles", names=layout()["cart"]["product"], study=study
        )
        _add_persistence(rows, who, adam["ADPC"], str(assay), study=study)
    return rows.build()


def nk_parameters(adam: Adam, study: Study) -> Result:
    """Summarise the parameters of CAR-NK kinetics in blood.

    Parameters
    ----------
    adam : Adam
        ADSL and ADPP.
    study : Study
        Columns, ``kinetics``.

    Returns
    -------
    Result
        ``kinetics.nk_parameters``; columns by the source of the cells; variable = assay, level = parameter; chimerism (NA).

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    everyone = kinetic_population(adam, study, "nk")
    members = by_source(adam, everyone.everyone) | {TOTAL: everyone.everyone}
    who = replace(everyone, column="NKSRC", members=members)
    rows = open_rows("kinetics.nk_parameters", "CAR-NK kinetic parameters (peripheral)", who)
    if not has_rows(adam, "ADPP", role="nk"):
        add_not_available(rows, who.groups, variable="parameters", reason=_NO_SAMPLES)
        return rows.build()
    frame = adam["ADPP"].loc[lambda f: (f["ROLE"] == "nk") & (f["CLOCK"] == "PRODUCT")]
    for assay, part in frame.groupby("ASSAY", sort=True):
        _add_parameters(rows, who, part, str(assay), names=layout()["nk"]["product"], study=study)
    add_not_available(rows, who.groups, variable="chimerism", reason="not collected")
    return rows.build()


def _add_parameters(
    rows: Rows, who: Population, part: pd.DataFrame, variable: str, *, names: Sequence[str], study: Study
) -> None:
    for name in names:
        found = part[part["PARAMCD"] == name]
        if found.empty:
            continue
        evaluable = found
        if study.kinetics.auc_summary_evaluable_only:
            evaluable = found[(found["EVALFL"] == "Y") | ~found["PARAMCD"].str.startswith("AUC0_")]
        unit = str(found["AVALU"].iloc[0] or "")
        times, ratio = (name in layout()[kind]["parameters"] for kind in ("times", "ratios"))
        place = Place(variable, name, unit, times, exposure=True, ratio=ratio)
        add_summary(rows, who, by_subject(evaluable), place=place, study=study)
        out = set(found.loc[found["AVAL"].notna(), "USUBJID"]) - set(
            evaluable.loc[evaluable["AVAL"].notna(), "USUBJID"]
        )
        for group, ids in who.members.items():
            where = {"group": group, "variable": variable, "level": name}
            rows.add(
                "n_out", len(out & ids), n=len(out & ids), N=len(ids), subjects=sorted(out & ids), **where
            )


def _add_persistence(rows: Rows, who: Population, adpc: pd.DataFrame, assay: str, *, study: Study) -> None:
    """Add the rate of participants quantified at or after a day, of those with a sample at or after it."""
    part = _usable(adpc, "t").loc[lambda f: f["PARAMCD"] == assay]
    for day in layout()["cart"]["persistence_days"]:
        late = part[part["NFRLT"].fillna(part["AFRLT"]) >= day]
        sampled = frozenset(late["USUBJID"]) & who.everyone
        seen = frozenset(late.loc[late["STATE"] == "QUANT", "USUBJID"])
        base, variable, level = who.narrow(sampled), f"{assay} persistence", f"Day {day}"
        add_rates(rows, base, study=study, variable=variable, subjects=seen, level=level)
        add_base(rows, base, variable=variable, level=level)


def profiles(adam: Adam, study: Study) -> Result:
    """Return every sample of the individual CAR-T profiles.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX, ADPC and ADCKCM.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``kinetics.profiles``; rows of `interim.analysis.kinetic_courses`: group = column, variable = assay with unit and
        participant, level = days from the first infusion.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    rows = _courses(adam, study, "t", ("kinetics.profiles", "Individual kinetic profiles (semi-log) by dose"))
    return rows.build()


def nk_profiles(adam: Adam, study: Study) -> Result:
    """Return every sample of the individual CAR-NK profiles.

    Parameters
    ----------
    adam, study : Adam, Study
        As in `profiles`.

    Returns
    -------
    Result
        ``kinetics.nk_profiles``; rows as in `profiles`.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    title = "Individual CAR-NK profiles (semi-log) by dose"
    return _courses(adam, study, "nk", ("kinetics.nk_profiles", title)).build()


def mean_profiles(adam: Adam, study: Study) -> Result:
    """Return the mean CAR-T profile of each dose, by nominal time from the first infusion.

    Parameters
    ----------
    adam : Adam
        ADSL and ADPC.
    study : Study
        Columns, ``kinetics.blq_mean_max``.

    Returns
    -------
    Result
        ``kinetics.mean_profiles``; variable = assay with unit, level = nominal day; stats geo_mean, and geo_low and geo_high one
        standard error of the logarithm away, half the limit below it; NE where fewer than three values, or too many below.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = kinetic_population(adam, study, "t")
    rows = open_rows("kinetics.mean_profiles", "Mean kinetic profiles (semi-log) by dose", who)
    if not has_rows(adam, "ADPC"):
        add_not_available(rows, who.groups, variable="conc", reason=_NO_SAMPLES)
        return rows.build()
    for assay, part in _assays(_usable(adam["ADPC"], "t")):
        first = part[~(part["REFCYC"] > 1) & part["NFRLT"].notna()]
        limit = float(first["ALLOQ"].max())
        for day, there in first.groupby(first["NFRLT"].round(4), sort=True):
            _add_means(
                rows, who, there, place=Place(assay, f"{day:g}", str(there["AVALU"].iloc[0])), study=study
            )
        if limit > 0:
            rows.add("lloq", limit, variable=assay, unit=str(part["AVALU"].iloc[0]))
    return rows.build()


def _add_means(rows: Rows, who: Population, part: pd.DataFrame, *, place: Place, study: Study) -> None:
    last = ordered(part, ["USUBJID", "AFRLT", "SRCSEQ"]).drop_duplicates("USUBJID", keep="last")
    below = last["BLQFL"] == "Y"
    level = by_subject(last.assign(AVAL=last["AVAL"].mask(below, last["ALLOQ"] / 2.0)))
    blq = set(last.loc[below, "USUBJID"])
    for group, ids in who.members.items():
        known = np.log([value for subject, value in level.items() if subject in ids])
        if not len(known):
            continue
        few = len(known) < layout()["fewest"]
        hidden = len(blq & ids) > study.kinetics.blq_mean_max * len(known)
        where: dict[str, Any] = {"group": group, "variable": place.variable, "level": place.level}
        where |= {"unit": place.unit, "n": len(known), "N": len(ids)}
        if few or hidden:
            reason = "FEWER_THAN_3" if few else "MOST_BELOW_LIMIT"
            rows.add("geo_mean", None, status="NE", reason=reason, **where)
            continue
        mean, error = float(known.mean()), float(known.std(ddof=1)) / len(known) ** 0.5
        subjects = sorted(ids & set(level))
        for stat, value in (("geo_mean", mean), ("geo_low", mean - error), ("geo_high", mean + error)):
            rows.add(stat, float(np.exp(value)), subjects=subjects, **where)


def _courses(adam: Adam, study: Study, role: str, name: tuple[str, str]) -> Rows:
    who = kinetic_population(adam, study, role)
    rows = open_rows(*name, who)
    if not has_rows(adam, "ADPC"):
        add_not_available(rows, who.groups, variable="conc", reason=_NO_SAMPLES)
        return rows
    column = column_of(who)
    for assay, part in _assays(_usable(adam["ADPC"], role)):
        kept = part[part["USUBJID"].isin(list(column))]
        add_samples(
            rows,
            (
                Sample(
                    column[item["USUBJID"]],
                    f"{assay}|{item['USUBJID']}",
                    float(item["AFRLT"]),
                    float(item["AVAL"]),
                    float(item["ALLOQ"]),
                    item["BLQFL"] == "Y",
                    str(item["AVALU"]),
                    (item["USUBJID"], item["SRCDOM"], item["SRCSEQ"]),
                )
                for item in ordered(kept, ["USUBJID", "AFRLT", "SRCSEQ"]).to_dict("records")
            ),
        )
    add_events(rows, adam, who=who, role=role)
    return rows


def _biopsied(adam: Adam, study: Study) -> Population:
    """Return the biopsy set by actual dose level; empty if ADSL has none."""
    adsl = adam["ADSL"]
    members = adsl.loc[adsl["BXFL"] == "Y", "USUBJID"] if "BXFL" in adsl else ()
    enrolled = population(adam, study, "ENR", column="COHORTA")
    return replace(enrolled.narrow(members), code="BX", label="Biopsy set")


def biodistribution(adam: Adam, study: Study) -> Result:
    """Compare tissue and fluid with the nearest blood sample of the same assay and unit.

    Parameters
    ----------
    adam : Adam
        ADSL and ADPC.
    study : Study
        ``kinetics.tissue_match_h``.

    Returns
    -------
    Result
        ``kinetics.biodistribution``; variable = assay and tissue; levels ``tissue`` and ``ratio``; ratios with a value below
        the limit are bounds (text ``<x`` or ``>x``) and enter no summary; no match is NA with NO_TISSUE_MATCH; outside counts
        who has such a sample and is not in the biopsy set, if anybody.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = _biopsied(adam, study)
    rows = open_rows("kinetics.biodistribution", "Tissue and fluid biodistribution", who)
    found: set[str] = set()
    if adam.has("ADPC"):
        adpc = adam["ADPC"]
        found = set(adpc.loc[adpc["EXCLRS"] == "NOT_BLOOD", "USUBJID"])
    outside = sorted(found - who.everyone)
    if outside:
        rows.add("n", len(outside), variable="outside", n=len(outside), subjects=outside)
    if not found & who.everyone:
        reason = "not available: no tissue or fluid sample"
        add_not_available(rows, who.groups, variable="tissue", reason=reason)
        return rows.build()
    matched = tissue_ratios(adam["ADPC"], hours=study.kinetics.tissue_match_h)
    matched = matched[matched["USUBJID"].isin(who.everyone)].sort_values(["USUBJID", "AFRLT"], kind="stable")
    for (code, spec), part in matched.groupby(["PARAMCD", "ASPEC"], sort=True):
        variable = f"{code} {str(spec).lower()}"
        unit = str(part["AVALU"].iloc[0])
        add_summary(rows, who, by_subject(part, "AVAL"), place=Place(variable, "tissue", unit), study=study)
        add_summary(rows, who, by_subject(part, "RATIO"), place=Place(variable, "ratio"), study=study)
        for why, few in part[part["RATIO"].isna()].groupby("REASON", sort=True):
            ids = sorted(set(few["USUBJID"]))
            rows.add(
                "n",
                len(ids),
                variable=f"{variable} without ratio",
                level=str(why),
                n=len(ids),
                subjects=ids,
            )
    return rows.build()


def tissue_ratios(adpc: pd.DataFrame, *, hours: float) -> pd.DataFrame:
    """Return every tissue sample with the ratio to the nearest blood sample.

    Parameters
    ----------
    adpc : pandas.DataFrame
        ADPC.
    hours : float
        Largest difference of the times.

    Returns
    -------
    pandas.DataFrame
        USUBJID, PARAMCD, ASPEC, AVALU, AFRLT, AVAL, BLOOD (level of that sample, NaN without a match), RATIO, BOUND (``<x``, ``>x``), REASON (NO_TISSUE_MATCH, BOTH_BLQ,
        BLOOD_BLQ, TISSUE_BLQ).

    Raises
    ------
    None
    """
    names = ["USUBJID", "PARAMCD", "AVALU"]
    blood = adpc[adpc["ANL01FL"] == "Y"][[*names, "AFRLT", "AVAL", "ALLOQ", "BLQFL"]]
    tissue = adpc[(adpc["EXCLRS"] == "NOT_BLOOD") & (adpc["STATE"] != "BAD")].rename_axis("ROW").reset_index()
    pairs = tissue.merge(blood, on=names, how="left", suffixes=("", "_B"), validate="m:m")
    pairs["GAP"] = (pairs["AFRLT"] - pairs["AFRLT_B"]).abs()
    near = pairs.sort_values(["ROW", "GAP", "AFRLT_B"], kind="stable").drop_duplicates("ROW")
    no_match = near["GAP"].isna() | (near["GAP"] > hours / 24.0)
    low, low_blood = near["BLQFL"] == "Y", near["BLQFL_B"] == "Y"
    choices = [
        (no_match, "NO_TISSUE_MATCH"),
        (low & low_blood, "BOTH_BLQ"),
        (low_blood, "BLOOD_BLQ"),
        (low, "TISSUE_BLQ"),
    ]
    reason = pd.Series(
        np.select([flag for flag, _ in choices], [text for _, text in choices], ""), index=near.index
    )
    least = (near["AVAL"] / near["ALLOQ_B"]).map(lambda value: f">{value:.3g}")
    most = (near["ALLOQ"] / near["AVAL_B"]).map(lambda value: f"<{value:.3g}")
    bound = least.where(reason == "BLOOD_BLQ", most.where(reason == "TISSUE_BLQ", None)).astype(object)
    ratio = (near["AVAL"] / near["AVAL_B"]).where(reason == "")
    answer = near.assign(BLOOD=near["AVAL_B"].where(~no_match), RATIO=ratio, BOUND=bound, REASON=reason)
    return answer[[*names, "ASPEC", "AFRLT", "AVAL", "BLOOD", "RATIO", "BOUND", "REASON"]].reset_index(
        drop=True
    )
