"""The windows between doses of cellular-kinetics profiles, analysed on the clock of their own first infusion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from interim.adam.adpc import PROFILE, clocks
from interim.adam.kinetic_columns import days_from
from interim.stats.answers import Flags, Floats
from interim.stats.nca import OBSERVED_AREAS, Nca, NcaRules, analyse, with_areas
from interim.stats.nca_area import with_back_extrapolation
from interim.stats.nca_profile import Profiles, apply_blq_rule, profiles
from interim.stats.nca_segments import Window, boundary_from_slope, window
from interim.study import Study

_FEWEST = 3


@dataclass(frozen=True, eq=False)
class Infusions:
    """The infusions of each profile, in the order of time; NaN behind the last.

    Attributes
    ----------
    start, end, cycle, dose : ndarray of float, shape (k, infusions)
        Start and end on the clock of the product; cycle; cells per kg.
    """

    start: Floats
    end: Floats
    cycle: Floats
    dose: Floats

    def apart(self, hours: float) -> Flags:
        """Tell the profiles with two infusions of one cycle that are further apart than one dose event allows.

        Parameters
        ----------
        hours : float
            ``kinetics.consecutive_gap_h``.

        Returns
        -------
        ndarray of bool, shape (k,)
            True where a cycle holds more than one dose event.

        Raises
        ------
        None
        """
        same = np.diff(self.cycle, axis=1) == 0
        answer: Flags = (same & (np.diff(self.start, axis=1) > hours / 24.0)).any(axis=1)
        return answer


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
    cells : ndarray of float, shape (k, cycles)
        Cells of each cycle.
    infusions : Infusions
        The single infusions.
    reported : Profiles or None
        The samples with detected values as reported; None where none is.
    marks : mapping of str to ndarray of bool, shape (k,)
        What a reader should know of a whole profile.
    """

    keys: pd.DataFrame
    rows: pd.DataFrame
    samples: Profiles
    start: Floats
    last_infusion: Floats
    dose: Floats
    cells: Floats
    infusions: Infusions
    reported: Profiles | None = None
    marks: Mapping[str, Flags] = field(default_factory=dict)

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
    found, area : Nca
        Its parameters; the analysis behind its areas.
    given, truncated, opens, closes : ndarray of bool, shape (k,)
        The cycle was given; a later one follows; its first, and last, boundary sample is known (or not needed).
    length : ndarray of float, shape (k,)
        Days to the next cycle; infinite for the last.
    """

    number: int
    part: Window
    found: Nca
    area: Nca
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
    samples = _samples(rows, rows["AVAL"])
    beside = rows["AVAL"].fillna(rows["REPORTED"])
    return Batch(
        keys,
        rows,
        samples,
        *_cycles(keys, clocks(adex)),
        infusions=_infusions(keys, adex),
        reported=_samples(rows, beside) if rows["REPORTED"].notna().any() else None,
        marks=_marks(rows),
    )


def _samples(rows: pd.DataFrame, value: pd.Series) -> Profiles:
    return profiles(
        rows["PROFILE"].to_numpy(),
        rows["AFRLT"].to_numpy(),
        value=value.to_numpy(dtype=np.float64),
        lloq=rows["ALLOQ"].to_numpy(),
        detected=rows["STATE"].isin(["QUANT", "DNQ"]).to_numpy(),
    )


def _marks(rows: pd.DataFrame) -> dict[str, Flags]:
    texts = rows.groupby("PROFILE")["PROFFL"].first().fillna("").str.split(";")
    names = sorted({name for text in texts for name in text if name})
    return {name: texts.map(lambda text, name=name: name in text).to_numpy(dtype=bool) for name in names}


def _cycles(keys: pd.DataFrame, table: pd.DataFrame) -> tuple[Floats, Floats, Floats, Floats]:
    """Return start, end of the last infusion and dose of each profile's cycles, in the order of the cycles."""
    times = {
        "START": days_from(table["START"], table["FIRST"]),
        "LAST": days_from(table["LASTINF"], table["FIRST"]),
        "DOSEKG": table["DOSEKG"],
        "DOSE": table["DOSE"],
    }
    one, two, three, four = _wide(keys, table[["USUBJID", "PRODUCT"]].assign(**times), list(times))
    return one, two, three, four


def _wide(keys: pd.DataFrame, long: pd.DataFrame, names: list[str]) -> list[Floats]:
    """Return columns of a frame in the order of time as one row per profile."""
    long = long.assign(ORDER=long.groupby(["USUBJID", "PRODUCT"]).cumcount())
    index = pd.MultiIndex.from_frame(keys[["USUBJID", "PRODUCT"]])
    wide = [long.pivot(index=["USUBJID", "PRODUCT"], columns="ORDER", values=name) for name in names]
    return [part.reindex(index).to_numpy(dtype=np.float64) for part in wide]


def _infusions(keys: pd.DataFrame, adex: pd.DataFrame) -> Infusions:
    start = adex["ASTDTM"].fillna(adex["ASTDT"])
    end = adex["AENDTM"].fillna(start)
    first = start.groupby([adex["USUBJID"], adex["PRODUCT"]]).transform("min")
    rows = adex.assign(BEGINS=days_from(start, first), ENDS=days_from(end, first))
    rows = rows.sort_values(["USUBJID", "PRODUCT", "BEGINS"], kind="stable")
    return Infusions(*_wide(keys, rows, ["BEGINS", "ENDS", "ACYCLE", "DOSEKG"]))


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


def dose_windows(profiles_of: Batch, study: Study) -> Iterator[tuple[CycleWindow, Floats]]:
    """Yield the windows between the single infusions of a cycle.

    Parameters
    ----------
    profiles_of : Batch
        Profiles of one role.
    study : Study
        Table ``kinetics``.

    Yields
    ------
    tuple of (CycleWindow, ndarray of float)
        The window of each infusion and its cycle; ``given`` holds only profiles whose cycle has several infusions and at least
        three samples in the window of the first.

    Raises
    ------
    None
    """
    table = profiles_of.infusions
    single = replace(
        profiles_of, start=table.start, last_infusion=table.end, dose=table.dose, cells=table.dose
    )
    enough = _dense_cycles(profiles_of)
    if not enough.any():
        return
    for made in cycle_windows(single, study):
        place = made.number - 1
        yield replace(made, given=made.given & enough[:, place]), table.cycle[:, place]


def _dense_cycles(profiles_of: Batch) -> Flags:
    """Tell the infusions of cycles with several infusions whose first window holds enough samples."""
    table, time = profiles_of.infusions, profiles_of.samples.time
    following = np.concatenate([table.start[:, 1:], np.full((len(table.start), 1), np.nan)], axis=1)
    count = ((time[:, None, :] >= table.start[:, :, None]) & (time[:, None, :] < following[:, :, None])).sum(
        axis=2
    )
    same = table.cycle[:, None, :] == table.cycle[:, :, None]
    opens = np.arange(table.start.shape[1])[None, :] == same.argmax(axis=2)
    dense = opens & (count >= _FEWEST) & (same.sum(axis=2) > 1)
    answer: Flags = (same & dense[:, None, :]).any(axis=2)
    return answer


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
    after = profiles_of.last_infusion[:, cycle] - start
    found, area = _analysed(
        part,
        profiles_of.reported if study.kinetics.dnq_treatment == "reported_value" else None,
        study,
        after=np.where(np.isnan(after), 0.0, after),
        later=cycle > 0,
    )
    truncated = np.isfinite(end)
    return CycleWindow(
        cycle + 1,
        part,
        found,
        area,
        np.isfinite(start),
        truncated,
        part.opening != "MISSING",
        (part.closing != "MISSING") | ~truncated,
        end - start,
    )


def _analysed(
    part: Window, reported: Profiles | None, study: Study, *, after: Floats, later: bool
) -> tuple[Nca, Nca]:
    """Return the parameters of a window and the analysis behind its areas.

    They differ where detected values count as reported, or where a bolus has a computed concentration at time 0; the terminal
    slope never rests on either.
    """
    rules, table = nca_rules(study), study.kinetics
    series = apply_blq_rule(part.samples, rules.blq_rule)
    found = analyse(series, rules, after=after, later=later)
    if reported is None and not table.allow_tmax_in_lambda_z:
        return found, found
    names: tuple[str, ...] = OBSERVED_AREAS
    if reported is not None:
        series = apply_blq_rule(_with_values(part.samples, reported), rules.blq_rule)
        names = ("CMAX", *OBSERVED_AREAS)
    if table.allow_tmax_in_lambda_z and not later:
        series = with_back_extrapolation(series, table.c0_method)
    area = analyse(series, rules, after=after, later=later)
    return with_areas(found, area, names), area


def _with_values(samples: Profiles, reported: Profiles) -> Profiles:
    """Return samples with the values that were reported beside a detected state."""
    known = np.full(int(reported.place.max(initial=-1)) + 2, np.nan)
    known[reported.place[reported.valid]] = reported.value[reported.valid]
    return replace(samples, value=np.where(samples.place >= 0, known[samples.place], samples.value))


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
