"""The windows between doses of cellular-kinetics profiles, analysed on the clock of their own first infusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from interim.adam.adpc import PROFILE, clocks
from interim.adam.kinetic_columns import days_from
from interim.stats.answers import Flags, Floats
from interim.stats.nca import Nca, NcaRules, analyse
from interim.stats.nca_profile import Profiles, apply_blq_rule, profiles
from interim.stats.nca_segments import Window, boundary_from_slope, window
from interim.study import Study


@dataclass(frozen=True, eq=False)
class Batch:
    """The profiles of one product role, one row per profile.

    Attributes
    ----------
    keys : pandas.DataFrame
        USUBJID, PARAMCD, ASPEC, AVALU, PRODUCT; index 0..k-1.
    rows : pandas.DataFrame
        Samples behind the profiles; ``samples.place`` points into them.
    samples : Profiles
        On the clock of the product.
    start, last_infusion, dose : ndarray of float, shape (k, cycles)
        Start and end of the last infusion of each cycle on that clock; cells per kg; NaN where there is no such cycle.
    """

    keys: pd.DataFrame
    rows: pd.DataFrame
    samples: Profiles
    start: Floats
    last_infusion: Floats
    dose: Floats

    @property
    def cycles(self) -> int:
        """Largest number of cycles."""
        return int(self.start.shape[1])


@dataclass(frozen=True, eq=False)
class CycleWindow:
    """One cycle of every profile.

    Attributes
    ----------
    number : int
        1, 2, ...
    part : Window
        Its samples.
    found : Nca
        Its parameters.
    given, truncated, opens, closes : ndarray of bool, shape (k,)
        The cycle was given; a later one follows; its first, and last, boundary sample is known (or not needed).
    length : ndarray of float, shape (k,)
        Days to the next cycle; infinite for the last.
    """

    number: int
    part: Window
    found: Nca
    given: Flags
    truncated: Flags
    opens: Flags
    closes: Flags
    length: Floats


def nca_rules(study: Study) -> NcaRules:
    """Return the rules of the analysis that the study states.

    Parameters
    ----------
    study : Study
        Table ``kinetics``.

    Returns
    -------
    NcaRules
        For `interim.stats.nca`.

    Raises
    ------
    None
    """
    table = study.kinetics
    return NcaRules(
        blq_rule=table.blq_rule,
        auc_method=table.auc_method,
        min_points=table.lambda_z_min_points,
        tolerance=table.lambda_z_tol,
        compete=table.lambda_z_compete,
        with_tmax=table.allow_tmax_in_lambda_z,
        min_post_samples=table.auc_min_post_samples,
        min_last=table.auc_min_last_day,
        flag_adj_r2=table.flag_adj_r2,
        flag_span=table.flag_span,
        flag_extrap_pct=table.flag_extrap_pct,
    )


def batch(adpc: pd.DataFrame, adex: pd.DataFrame, role: str) -> Batch | None:
    """Return the profiles of a product role.

    Parameters
    ----------
    adpc, adex : pandas.DataFrame
        Samples and infusions.
    role : str
        nk or t.

    Returns
    -------
    Batch or None
        None if no sample can be used.

    Raises
    ------
    None
    """
    usable = (adpc["ANL01FL"] == "Y") & adpc["PROFRS"].isna() & (adpc["ROLE"] == role)
    rows = adpc[usable].rename_axis("ADPCROW").reset_index()
    if rows.empty:
        return None
    names = [*PROFILE, "PRODUCT"]
    rows["PROFILE"] = rows.groupby(names, dropna=False, sort=True).ngroup()
    keys = rows.drop_duplicates("PROFILE").sort_values("PROFILE")[names].reset_index(drop=True)
    samples = profiles(
        rows["PROFILE"].to_numpy(),
        rows["AFRLT"].to_numpy(),
        value=rows["AVAL"].to_numpy(),
        lloq=rows["ALLOQ"].to_numpy(),
        detected=rows["STATE"].isin(["QUANT", "DNQ"]).to_numpy(),
    )
    return Batch(keys, rows, samples, *_cycles(keys, clocks(adex)))


def _cycles(keys: pd.DataFrame, table: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Return start, end of the last infusion and dose of each profile's cycles, in the order of the cycles."""
    times = {
        "START": days_from(table["START"], table["FIRST"]),
        "LAST": days_from(table["LASTINF"], table["FIRST"]),
        "DOSEKG": table["DOSEKG"],
    }
    order = table.groupby(["USUBJID", "PRODUCT"]).cumcount()
    long = table[["USUBJID", "PRODUCT"]].assign(ORDER=order, **times)
    index = pd.MultiIndex.from_frame(keys[["USUBJID", "PRODUCT"]])
    wide = [long.pivot(index=["USUBJID", "PRODUCT"], columns="ORDER", values=name) for name in times]
    matrices = [part.reindex(index).to_numpy(dtype=np.float64) for part in wide]
    return matrices[0], matrices[1], matrices[2]


def cycle_windows(profiles_of: Batch, study: Study) -> tuple[CycleWindow, ...]:
    """Return the windows of all cycles.

    Parameters
    ----------
    profiles_of : Batch
        Profiles of one role.
    study : Study
        Table ``kinetics``.

    Returns
    -------
    tuple of CycleWindow
        In the order of the cycles.

    Raises
    ------
    None

    Notes
    -----
    A boundary without a sample takes the last one before it, within the shorter of a share of the window and a number of
    hours; else it is missing, or computed from the terminal slope of the window before (``boundary_missing``).
    """
    answer: list[CycleWindow] = []
    for cycle in range(profiles_of.cycles):
        opening = _computed(answer[-1], study) if answer else None
        made = _window(profiles_of, cycle, study, values=(opening, None))
        closing = _computed(made, study)
        if closing is not None:
            made = _window(profiles_of, cycle, study, values=(opening, closing))
        answer.append(made)
    return tuple(answer)


def _computed(made: CycleWindow, study: Study) -> Floats | None:
    if study.kinetics.boundary_missing != "extrapolate":
        return None
    phase = made.found.terminal
    return boundary_from_slope(phase.clast_pred, phase.lambda_z, gap=made.length - made.found.points.tlast)


def _window(
    profiles_of: Batch, cycle: int, study: Study, *, values: tuple[Floats | None, Floats | None]
) -> CycleWindow:
    start, end = profiles_of.start[:, cycle], _start_of(profiles_of, cycle + 1)
    before = start - (profiles_of.start[:, cycle - 1] if cycle else start)
    part = window(
        profiles_of.samples,
        start,
        end,
        max_shift=(_shift(before, study), _shift(end - start, study)),
        values=values,
        dosed=(cycle > 0, cycle + 1 < profiles_of.cycles),
    )
    rules = nca_rules(study)
    series = apply_blq_rule(part.samples, rules.blq_rule)
    after = profiles_of.last_infusion[:, cycle] - start
    found = analyse(series, rules, after=np.where(np.isnan(after), 0.0, after), later=cycle > 0)
    truncated = np.isfinite(end)
    return CycleWindow(
        cycle + 1,
        part,
        found,
        np.isfinite(start),
        truncated,
        part.opening != "MISSING",
        (part.closing != "MISSING") | ~truncated,
        end - start,
    )


def _start_of(profiles_of: Batch, cycle: int) -> Floats:
    if cycle >= profiles_of.cycles:
        return np.full(len(profiles_of.start), np.inf)
    begins = profiles_of.start[:, cycle]
    return np.where(np.isnan(begins), np.inf, begins)


def _shift(length: Floats, study: Study) -> Floats:
    share = np.where(np.isfinite(length), length, 0.0) * study.kinetics.predose_max_shift_pct / 100.0
    answer: Floats = np.minimum(share, study.kinetics.predose_max_shift_h / 24.0)
    return answer


def used_samples(profiles_of: Batch, windows: tuple[CycleWindow, ...]) -> Mapping[str, frozenset[int]]:
    """Return the ADPC rows that each kind of parameter used.

    Parameters
    ----------
    profiles_of : Batch
        Profiles.
    windows : tuple of CycleWindow
        Their windows.

    Returns
    -------
    mapping of str to frozenset of int
        CMAX, AUCLST, LAMZ -> rows of ADPC.

    Raises
    ------
    None
    """
    answer: dict[str, set[int]] = {"CMAX": set(), "AUCLST": set(), "LAMZ": set()}
    origin = profiles_of.rows["ADPCROW"].to_numpy()
    for made in windows:
        for name, flags in made.found.audit().items():
            keep = flags & (made.found.series.place >= 0)
            if name == "LAMZ":
                keep = keep & ~made.truncated[:, None]
            answer[name].update(int(row) for row in origin[made.found.series.place[keep]])
    return {name: frozenset(rows) for name, rows in answer.items()}
