"""Signal of the first product in samples of the second: reported by default, subtracted only when the study asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from interim.adam.adpp_windows import Batch, CycleWindow
from interim.stats.nca_profile import at, last_true
from interim.stats.nca_segments import subtract_exponential

_SHARED = ["USUBJID", "ASPEC", "AVALU"]


def carryover_slopes(
    analysed: Iterable[tuple[Batch, tuple[CycleWindow, ...]]],
) -> dict[tuple[str, ...], float]:
    """Return the terminal slopes of the first product.

    Parameters
    ----------
    analysed : iterable of (Batch, tuple of CycleWindow)
        Profiles of CAR-NK cells with their windows.

    Returns
    -------
    dict of (str, str, str) to float
        Participant, specimen and unit -> slope of the last window, where it could be estimated.

    Raises
    ------
    None
    """
    answer: dict[tuple[str, ...], float] = {}
    for found, windows in analysed:
        keys = [tuple(map(str, key)) for key in found.keys[_SHARED].itertuples(index=False)]
        for made in windows:
            slope = made.found.values["LAMZ"]
            for row in np.flatnonzero(made.given & ~made.truncated & np.isfinite(slope)):
                answer[keys[row]] = float(slope[row])
    return answer


def without_carryover(found: Batch, slopes: Mapping[tuple[str, ...], float]) -> Batch:
    """Return the profiles of CAR-T cells less what the CAR-NK cells would have left.

    Parameters
    ----------
    found : Batch
        Profiles of CAR-T cells; a target that no assay states is taken as shared.
    slopes : mapping
        As `carryover_slopes` gives them.

    Returns
    -------
    Batch
        The level at time 0 is the last quantified one at or before it; marks CARRYOVER_SUBTRACTED, or CARRYOVER_NO_SLOPE where
        the CAR-NK slope is not known and the profile stays as measured. BASELINE_ABOVE_LLOQ is that of the measured values.

    Raises
    ------
    None
    """
    samples = found.samples
    early = samples.quantified & (samples.time <= 0)
    level = at(samples.value, last_true(early))
    keys = [tuple(map(str, key)) for key in found.keys[_SHARED].itertuples(index=False)]
    slope = np.array([slopes.get(key, np.nan) for key in keys])
    rest = np.where(np.isnan(level), 0.0, level)
    marks = {
        **found.marks,
        "BASELINE_ABOVE_LLOQ": (early & ~(samples.value <= samples.lloq)).any(axis=1),
        "CARRYOVER_SUBTRACTED": np.isfinite(level) & np.isfinite(slope),
        "CARRYOVER_NO_SLOPE": np.isfinite(level) & np.isnan(slope),
    }
    reported = None if found.reported is None else subtract_exponential(found.reported, rest, slope=slope)
    return replace(
        found,
        samples=subtract_exponential(samples, rest, slope=slope),
        reported=reported,
        marks=marks,
    )
