"""ADPP: one row per cellular-kinetics parameter; nothing is missing without a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from interim.adam.adckcm import derive_adckcm
from interim.adam.adpp_audit import audit_rows, refused_rows
from interim.adam.adpp_carryover import carryover_slopes, without_carryover
from interim.adam.adpp_frame import Clock, ParameterColumn, long_frame, method_of
from interim.adam.adpp_manual import manual_slopes
from interim.adam.adpp_windows import Batch, CycleWindow, batch, cycle_windows, dose_windows, used_samples
from interim.adam.kinetic_columns import flag_column
from interim.adam.source import ordered, text_missing
from interim.errors import DerivationError
from interim.stats.answers import Flags, Floats, Texts
from interim.stats.nca_area import partial_area, points
from interim.stats.nca_expansion import expansion, persistence
from interim.stats.nca_profile import apply_blq_rule, at, last_true
from interim.stats.nca_segments import accumulation
from interim.stats.nca_terminal import two_phase
from interim.stats.nca_tobit import tobit
from interim.study import Study

COLUMNS = [
    "USUBJID",
    "PRODUCT",
    "ROLE",
    "ASSAY",
    "ASPEC",
    "CLOCK",
    "ACYCLE",
    "INFNO",
    "PARAMCD",
    "AVAL",
    "AVALU",
    "METHOD",
    "BLQRULE",
    "EVALFL",
    "STATUS",
    "FLAGS",
    "REASON",
    "NSAMP",
    "NBLQ",
]
_AREAS = ("AUCLST", "AUCALL", "AUMCLST", "AUCIFO", "AUCIFP", "AUCPEO", "AUCPEP", "AUMCIFO", "MRTIFO")
_SLOPES = ("LAMZ", "LAMZHL", "LAMZNPT", "LAMZLL", "LAMZUL", "R2", "R2ADJ", "SPAN", "CLSTP")
_OF_SLOPE = ("AUCIFO", "AUCIFP", "AUCPEO", "AUCPEP", "AUMCIFO", "MRTIFO")
_SKIPPED = ("NSAMP", "NQUANT")
NORMALISED_TO = {"DN": 1e7, "DT": 1e9}
"""Cells per kg, and cells in all, to which a dose-normalised exposure refers."""


@dataclass(frozen=True)
class Kinetics:
    """The parameters, with what they were made from.

    Attributes
    ----------
    adpp : pandas.DataFrame
        One row per parameter.
    adpc : pandas.DataFrame
        Samples with CMAXFL, AUCFL, LAMZFL: Y where a parameter used the sample.
    candidates : pandas.DataFrame
        Every candidate window of the terminal slope: USUBJID, ASSAY, ACYCLE, N, TFIRST, TLAST, SLOPE, R2, R2ADJ, SPAN, WHY
        (CHOSEN, or why not).
    use : pandas.DataFrame
        Every sample in every window of a cycle, as `interim.adam.adpp_audit.audit_rows` has it.
    """

    adpp: pd.DataFrame
    adpc: pd.DataFrame
    candidates: pd.DataFrame
    use: pd.DataFrame


def derive_adpp(
    adpc: pd.DataFrame, adex: pd.DataFrame, *, study: Study, cm: pd.DataFrame | None = None
) -> Kinetics:
    """Derive the parameters of cellular kinetics.

    Parameters
    ----------
    adpc, adex : pandas.DataFrame
        Samples and infusions.
    study : Study
        Table ``kinetics``.
    cm : pandas.DataFrame, optional
        Medications: a maximum after an interleukin-6 blocker or a corticosteroid is flagged.

    Returns
    -------
    Kinetics
        Per cycle (CLOCK CYCLE, times from the cycle's first infusion) and over all cycles (CLOCK PRODUCT). Areas over several
        cycles are the sum of the areas of their windows. Profiles that could not be analysed have one row with the reason.

    Raises
    ------
    DerivationError
        If a value is missing without a reason: an internal error.

    Notes
    -----
    Flags are marks, never deletions: LZ_R2, LZ_SPAN, AUC_EXTRAP, ALL_BLQ, BOUNDARY_MISSING, WINDOW_NOT_COVERED,
    BASELINE_ABOVE_LLOQ, CMAX_AFTER_TOCI, CMAX_AFTER_STEROID.
    """
    made = [_Role(adpc, adex, role, study) for role in ("nk", "t")]
    slopes = carryover_slopes([(role.found, role.windows) for role in made[:1] if role.found])
    made[1] = made[1].without_carryover(slopes)
    parts = [_refused(adpc, study), *(part for role in made for part in role.frames(cm))]
    frame = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    frame = ordered(frame, ["USUBJID", "PRODUCT", "ASSAY", "ASPEC", "CLOCK", "ACYCLE", "INFNO", "PARAMCD"])
    _check(frame)
    used = [used_samples(role.found, role.windows) for role in made if role.found]
    names = {name: set().union(*(found[name] for found in used)) for name in ("CMAX", "AUCLST", "LAMZ")}
    whole = [audit_rows(role.found, role.windows) for role in made if role.found]
    return Kinetics(
        text_missing(frame[COLUMNS]),
        _with_use(adpc, names),
        _candidate_frame([part for role in made for part in role.candidates()]),
        pd.concat([*whole, refused_rows(adpc)], ignore_index=True),
    )


class _Role:
    """The profiles of one product role with their windows."""

    def __init__(self, adpc: pd.DataFrame, adex: pd.DataFrame, role: str, study: Study) -> None:
        self.role, self.study, self.adex = role, study, adex
        self.found = batch(adpc, adex, role)
        self.windows = cycle_windows(self.found, study) if self.found else ()

    def without_carryover(self, slopes: Mapping[tuple[str, ...], float]) -> _Role:
        """Return the same with the carry-over subtracted, where the study asks for it."""
        if self.found is not None and self.study.kinetics.carryover == "subtract_exponential":
            self.found = without_carryover(self.found, slopes)
            self.windows = cycle_windows(self.found, self.study)
        return self

    def frames(self, cm: pd.DataFrame | None) -> Iterator[pd.DataFrame]:
        """Yield the rows of ADPP."""
        if self.found is None:
            return
        marks = _marks(self.found, self.adex, cm, self.study)
        yield from _frames(self.found, self.windows, role=self.role, study=self.study, marks=marks)
        for part in manual_slopes(self.found, self.windows, self.study):
            yield part.assign(ROLE=self.role, BLQRULE=self.study.kinetics.blq_rule)

    def candidates(self) -> Iterator[pd.DataFrame]:
        """Yield the candidate windows of the terminal slope."""
        if self.found is not None:
            yield from _candidates(self.found, self.windows, self.study)


def _check(frame: pd.DataFrame) -> None:
    silent = frame[frame["AVAL"].isna() & (frame["REASON"].fillna("") == "")]
    if len(silent):
        row = silent.iloc[0]
        raise DerivationError(
            f"ADPP: {row['PARAMCD']} of {row['USUBJID']} is missing without a reason; this is an error of the program"
        )


def _with_use(adpc: pd.DataFrame, used: Mapping[str, set[int]]) -> pd.DataFrame:
    names = {"CMAX": "CMAXFL", "AUCLST": "AUCFL", "LAMZ": "LAMZFL"}
    columns = {
        column: flag_column(adpc.index.isin(sorted(used[name])), adpc.index) for name, column in names.items()
    }
    return adpc.assign(**columns)


def _refused(adpc: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return one row for each profile that has no parameters at all."""
    rows = adpc[adpc["PROFRS"].notna()].drop_duplicates(["USUBJID", "PARAMCD", "ASPEC", "PRODUCT"])
    frame = pd.DataFrame(
        {
            "USUBJID": rows["USUBJID"],
            "PRODUCT": rows["PRODUCT"],
            "ROLE": rows["ROLE"],
            "ASSAY": rows["PARAMCD"],
            "ASPEC": rows["ASPEC"],
            "CLOCK": "PRODUCT",
            "ACYCLE": np.nan,
            "PARAMCD": "CMAX",
            "AVAL": np.nan,
            "AVALU": rows["AVALU"],
            "INFNO": np.nan,
            "METHOD": [method_of(study, str(role)) for role in rows["ROLE"]],
            "BLQRULE": study.kinetics.blq_rule,
            "EVALFL": "N",
            "STATUS": None,
            "FLAGS": rows["PROFFL"],
            "REASON": rows["PROFRS"],
            "NSAMP": 0.0,
            "NBLQ": 0.0,
        }
    )
    return frame.reset_index(drop=True)


def _frames(
    found: Batch, windows: tuple[CycleWindow, ...], *, role: str, study: Study, marks: Mapping[str, Flags]
) -> Iterator[pd.DataFrame]:
    """Yield the rows of each cycle, then those over all cycles."""
    ends = study.kinetics.windows
    for made in windows:
        columns = _cycle_columns(found, made, study, ends=ends.cart_cycle if role == "t" else ())
        columns = _without_divided(columns, marks["DOSES_APART"])
        clock = Clock(role, "CYCLE", float(made.number))
        yield long_frame(found, columns, made.given, clock=clock, study=study, marks=marks)
    for made, cycle in dose_windows(found, study):
        clock = Clock(role, "DOSE", cycle, float(made.number))
        columns = _cycle_columns(found, made, study, ends=())
        yield long_frame(found, columns, made.given, clock=clock, study=study, marks=marks)
    columns = _product_columns(found, windows, study, ends=ends.cart_product if role == "t" else ends.nk)
    columns = _without_divided(columns, marks["DOSES_APART"])
    every = np.ones(len(found.keys), dtype=bool)
    yield long_frame(found, columns, every, clock=Clock(role), study=study, marks=marks)


def _without_divided(columns: Iterable[ParameterColumn], apart: Flags) -> Iterator[ParameterColumn]:
    """Yield the columns; an area through a second dose event enters no summary and no ratio of areas."""
    for column in columns:
        if column.name == "RACAUC":
            reason = np.where(apart, "DOSES_APART", column.reason)
            yield replace(column, value=np.where(apart, np.nan, column.value), reason=reason)
        elif column.evaluable is not None:
            yield replace(column, evaluable=column.evaluable & ~apart)
        else:
            yield column


def _cycle_columns(
    found: Batch, made: CycleWindow, study: Study, *, ends: tuple[float, ...]
) -> Iterator[ParameterColumn]:
    own = {name: made.found.flags[name] for name in ("ALL_BLQ", "LZ_R2", "LZ_SPAN", "AUC_EXTRAP")}
    no_boundary = ~made.opens | ~made.closes
    for name, value in made.found.values.items():
        if name in _SKIPPED:
            continue
        reason = made.found.reasons[name]
        if name in _SLOPES or name in _OF_SLOPE:
            reason = np.where(made.truncated, "WINDOW_TRUNCATED", reason)
            value = np.where(made.truncated, np.nan, value)
        flags = _relevant(name, own)
        if name in _AREAS:
            reason = np.where(made.opens, reason, "BOUNDARY_MISSING")
            value = np.where(made.opens, value, np.nan)
            flags = {**flags, "BOUNDARY_MISSING": no_boundary}
        yield ParameterColumn(name, value, reason, flags)
        if name in ("CMAX", "AUCLST"):
            yield from _normalised(name, value, reason, made=made, found=found)
    for end in ends:
        yield _partial(made, end)
    yield from _censored(made, study)


def _relevant(name: str, own: Mapping[str, Flags]) -> dict[str, Flags]:
    kept = ("ALL_BLQ",) if name not in _SLOPES and name not in _OF_SLOPE else tuple(own)
    return {flag: own[flag] for flag in kept}


def _normalised(
    name: str, value: Floats, reason: Texts, *, made: CycleWindow, found: Batch
) -> Iterator[ParameterColumn]:
    """Yield a value per cells per kg and per cells of the cycle; the windows of single infusions have none."""
    if made.number > found.cycles:
        return
    for end, doses in (("DN", found.dose), ("DT", found.cells)):
        dose = doses[:, made.number - 1]
        known = dose > 0
        per = value / np.where(known, dose / NORMALISED_TO[end], np.nan)
        why = np.where(np.isnan(value), reason, np.where(known, "", "NO_DOSE"))
        yield ParameterColumn(f"{name}{end}", per, why, {})


def _partial(made: CycleWindow, end: float) -> ParameterColumn:
    area, _ = made.area.partial(end)
    value = np.where(made.opens, area.area, np.nan)
    reason = np.where(made.opens, np.where(np.isnan(value), "NO_SAMPLES", ""), "BOUNDARY_MISSING")
    flags = {
        "ALL_BLQ": made.found.flags["ALL_BLQ"],
        "WINDOW_NOT_COVERED": (area.status == "INCOMPLETE") | (made.length < end),
        "BOUNDARY_MISSING": ~made.opens | ~made.closes,
    }
    return ParameterColumn(f"AUC0_{end:g}", value, reason, flags, area.status, area.evaluable & made.opens)


def _censored(made: CycleWindow, study: Study) -> Iterator[ParameterColumn]:
    """Yield censored half-life and expansion of a window; a window that a later dose cuts has no half-life."""
    fit = tobit(made.part.samples, below=study.kinetics.tobit_dnq, starts=study.kinetics.tobit_starts)
    for name, value in (("TOBITLZ", fit.lambda_z), ("TOBITHL", fit.half_life)):
        kept = np.where(made.truncated, np.nan, value)
        why = np.where(made.truncated, "WINDOW_TRUNCATED", np.where(np.isnan(value), fit.reason, ""))
        yield ParameterColumn(name, kept, why, {})
    limit = study.kinetics.phase_break_day
    phases = two_phase(
        made.found.series, made.found.points, break_time=None if limit == "fitted" else float(limit)
    )
    for name, value, why in (
        ("HLEARLY", phases.early, phases.early_reason),
        ("HLLATE", phases.late, phases.late_reason),
    ):
        cut = np.where(made.truncated, "WINDOW_TRUNCATED", why)
        yield ParameterColumn(name, np.where(made.truncated, np.nan, value), cut, {})
    grown = expansion(made.part.samples, baseline=study.kinetics.expansion_baseline)
    yield ParameterColumn("FOLDX", grown.fold, grown.reason, {})
    no_growth = np.where(np.isnan(grown.doubling_time) & (grown.reason == ""), "NO_GROWTH", grown.reason)
    yield ParameterColumn("DOUBLT", grown.doubling_time, no_growth, {})
    yield ParameterColumn("GROWTH", grown.rate, grown.reason, {})


def _product_columns(
    found: Batch, windows: tuple[CycleWindow, ...], study: Study, *, ends: tuple[float, ...]
) -> Iterator[ParameterColumn]:
    whole = apply_blq_rule(found.samples, study.kinetics.blq_rule)
    peaks = points(whole)
    all_blq = np.where(np.isnan(peaks.tmax), "ALL_BLQ", "")
    flags = {"ALL_BLQ": whole.n_quantified == 0}
    lasting = persistence(found.samples)
    early = found.samples.quantified & (found.samples.time <= 0)
    before = at(found.samples.value, last_true(early))
    yield ParameterColumn("CPRE", before, np.where(early.any(axis=1), "", "NOT_QUANTIFIED"), flags)
    yield ParameterColumn("CMAX", peaks.cmax, np.where(np.isnan(peaks.cmax), "NO_SAMPLES", ""), flags)
    yield ParameterColumn("TMAX", peaks.tmax, all_blq, flags)
    yield ParameterColumn("CLST", peaks.clast, all_blq, flags)
    yield ParameterColumn("TLST", peaks.tlast, all_blq, flags)
    none_seen = np.where(np.isnan(lasting.last_detected), "ALL_BLQ", "")
    yield ParameterColumn("TLSTDET", lasting.last_detected, none_seen, flags)
    lost = np.where(np.isinf(lasting.lost_by), np.nan, lasting.lost_by)
    yield ParameterColumn(
        "LOSTBY", lost, np.where(np.isinf(lasting.lost_by), "STILL_QUANTIFIED", "ALL_BLQ"), flags
    )
    for end in ends:
        yield _summed(found, windows, study, end=end)
    yield from _accumulation(windows, study)


def _summed(found: Batch, windows: tuple[CycleWindow, ...], study: Study, *, end: float) -> ParameterColumn:
    """Add the areas of the windows up to an end; one of them missing leaves none."""
    whole = apply_blq_rule(found.samples, study.kinetics.blq_rule)
    table = study.kinetics
    judged = partial_area(
        whole,
        end,
        method=table.auc_method,
        min_post_samples=table.auc_min_post_samples,
        min_last=table.auc_min_last_day,
    )
    total, complete, bounded = np.zeros(len(found.keys)), *np.ones((2, len(found.keys)), dtype=bool)
    for made in windows:
        start = found.start[:, made.number - 1]
        needed = made.given & (start < end)
        complete &= ~needed | made.opens
        bounded &= ~needed | (made.opens & made.closes)
        total += np.where(
            needed, np.nan_to_num(made.area.area_until(np.minimum(end - start, made.length))), 0.0
        )
    value = np.where(complete, total, np.nan)
    flags: dict[str, Flags] = {
        "ALL_BLQ": whole.n_quantified == 0,
        "WINDOW_NOT_COVERED": judged.status == "INCOMPLETE",
        "BOUNDARY_MISSING": ~bounded,
        "SEVERAL_CYCLES": np.nansum(found.start < end, axis=1) > 1,
    }
    reason = np.where(complete, "", "BOUNDARY_MISSING")
    return ParameterColumn(f"AUC0_{end:g}", value, reason, flags, judged.status, judged.evaluable & complete)


def _accumulation(windows: tuple[CycleWindow, ...], study: Study) -> Iterator[ParameterColumn]:
    """Yield the ratios of the second to the first cycle, areas over equal lengths."""
    if len(windows) < 2:
        return
    first, second = windows[:2]
    length = study.kinetics.windows.cart_cycle[0]
    pairs = {
        "RACAUC": tuple(
            np.where(w.opens & w.closes, w.found.partial(length)[0].area, np.nan) for w in (first, second)
        ),
        "RACCMAX": tuple(w.found.values["CMAX"] for w in (first, second)),
    }
    for name, (below, above) in pairs.items():
        ratio = np.where(second.given, accumulation(below, above), np.nan)
        why = np.select(
            [np.isfinite(ratio), ~second.given, ~(second.opens & first.closes)],
            ["", "ONE_CYCLE", "BOUNDARY_MISSING"],
            "ZERO_EXPOSURE",
        )
        yield ParameterColumn(name, ratio, why, {})


def _marks(found: Batch, adex: pd.DataFrame, cm: pd.DataFrame | None, study: Study) -> dict[str, Flags]:
    """Return marks of whole profiles: a baseline above the limit; a maximum after a medicine that lowers it."""
    samples = found.samples
    early = samples.quantified & (samples.time <= 0) & ~(samples.value <= samples.lloq)
    first_t = found.rows.groupby("PROFILE")["ROLE"].first().eq("t").to_numpy()
    answer: dict[str, Flags] = {
        **found.marks,
        "BASELINE_ABOVE_LLOQ": found.marks.get("BASELINE_ABOVE_LLOQ", early.any(axis=1) & first_t),
        "DOSES_APART": found.infusions.apart(study.kinetics.consecutive_gap_h),
    }
    start = adex.assign(M=adex["ASTDTM"].fillna(adex["ASTDT"])).groupby(["USUBJID", "PRODUCT"])["M"].min()
    moment = start.reindex(pd.MultiIndex.from_frame(found.keys[["USUBJID", "PRODUCT"]])).reset_index(
        drop=True
    )
    top = points(apply_blq_rule(found.samples, "zero")).tmax
    peak = moment + pd.to_timedelta(pd.Series(top), unit="D")
    for mark, part in derive_adckcm(cm).groupby("CMKIND", sort=True):
        first = part.groupby("USUBJID")["ASTDTM"].min().reindex(found.keys["USUBJID"]).reset_index(drop=True)
        answer[str(mark)] = ((first >= moment) & (first < peak)).to_numpy()
    return answer


_CANDIDATES = [
    "USUBJID",
    "ASSAY",
    "ASPEC",
    "ACYCLE",
    "N",
    "TFIRST",
    "TLAST",
    "SLOPE",
    "R2",
    "R2ADJ",
    "SPAN",
    "WHY",
]


def _candidates(found: Batch, windows: tuple[CycleWindow, ...], study: Study) -> Iterator[pd.DataFrame]:
    """Yield every candidate window of the terminal slope of the last cycles."""
    for made in windows:
        table = made.found.terminal.candidates
        why = table.why_not(study.kinetics.lambda_z_tol, study.kinetics.lambda_z_compete)
        row, column = np.nonzero(table.exists & (made.given & ~made.truncated)[:, None])
        keys = found.keys.iloc[row].reset_index(drop=True)
        yield pd.DataFrame(
            {
                "USUBJID": keys["USUBJID"],
                "ASSAY": keys["PARAMCD"],
                "ASPEC": keys["ASPEC"],
                "ACYCLE": float(made.number),
                "N": table.n[column].astype(float),
                "TFIRST": table.first[row, column],
                "TLAST": table.last[row, column],
                "SLOPE": table.slope[row, column],
                "R2": table.r2[row, column],
                "R2ADJ": table.adj_r2[row, column],
                "SPAN": table.span[row, column],
                "WHY": why[row, column].astype(object),
            }
        )


def _candidate_frame(parts: list[pd.DataFrame]) -> pd.DataFrame:
    kept = [part for part in parts if len(part)]
    if not kept:
        return pd.DataFrame(columns=_CANDIDATES)
    return ordered(pd.concat(kept, ignore_index=True)[_CANDIDATES], ["USUBJID", "ASSAY", "ACYCLE", "N"])
