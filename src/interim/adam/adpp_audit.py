"""ADPCUSE: every sample in every window, with the value that was used, for which parameter, and why not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from interim.adam.adpp_windows import Batch, CycleWindow
from interim.adam.kinetic_columns import code_column, flag_column
from interim.adam.source import ordered, text_missing
from interim.stats.nca_profile import HALF_LLOQ, ZERO

KEYS = ["USUBJID", "PRODUCT", "PARAMCD", "ASPEC", "AVALU"]
COLUMNS = [
    *KEYS,
    "ACYCLE",
    "ATIME",
    "STATE",
    "AVALC",
    "AVAL",
    "DTYPE",
    "CMAXFL",
    "CMAXRS",
    "AUCFL",
    "AUCRS",
    "LAMZFL",
    "LAMZRS",
    "SRCDOM",
    "SRCSEQ",
]
_COPIED = ["STATE", "AVALC", "SRCDOM", "SRCSEQ"]


def audit_rows(found: Batch, windows: tuple[CycleWindow, ...]) -> pd.DataFrame:
    """Return every sample of every cycle with its use.

    Parameters
    ----------
    found : Batch
        Profiles of one role.
    windows : tuple of CycleWindow
        Their windows.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`; ATIME in days from the first infusion of the cycle, AVAL the value used, DTYPE (ZERO, HALFLLOQ, CARRY,
        COPY, EXTRAPOLATED) where it is not the collected one of this window; Y, or the reason, for maximum, area and slope.

    Raises
    ------
    None
    """
    parts = [_window_rows(found, made) for made in windows]
    frame = pd.concat(parts, ignore_index=True)
    return text_missing(ordered(frame, [*KEYS, "ACYCLE", "ATIME", "DTYPE"])[COLUMNS])


def _window_rows(found: Batch, made: CycleWindow) -> pd.DataFrame:
    samples = made.part.samples
    row, column = np.nonzero(samples.valid & made.given[:, None])
    frame = pd.DataFrame(
        {
            "ROW": row,
            "ATIME": samples.time[row, column],
            "PLACE": samples.place[row, column],
            "CARRIED": made.part.carried[row, column],
            "QUANT": samples.quantified[row, column],
        }
    )
    frame = frame.merge(_analysed(made), on=["ROW", "ATIME", "PLACE"], how="left", validate="1:1")
    frame = frame.assign(ACYCLE=float(made.number), TRUNCATED=made.truncated[frame["ROW"].to_numpy()])
    frame["WHY"] = made.found.terminal.reason[frame["ROW"].to_numpy()]
    frame["TMAX"] = made.found.points.tmax[frame["ROW"].to_numpy()]
    frame = _with_reasons(frame)
    known = frame["PLACE"].to_numpy()
    collected = found.rows[_COPIED].iloc[np.maximum(known, 0)].reset_index(drop=True)
    collected = collected.where(pd.Series(known >= 0), None)
    keys = found.keys[KEYS].iloc[frame["ROW"].to_numpy()].reset_index(drop=True)
    parts: list[pd.DataFrame] = [keys, frame.drop(columns=["ROW"]), collected]
    return pd.concat(parts, axis=1)


def _analysed(made: CycleWindow) -> pd.DataFrame:
    """Return the samples that the rule for values below the limit kept."""
    series, audit = made.found.series, made.found.audit()
    row, column = np.nonzero(series.valid & made.given[:, None])
    return pd.DataFrame(
        {
            "ROW": row,
            "ATIME": series.time[row, column],
            "PLACE": series.place[row, column],
            "AVAL": series.conc[row, column],
            "ORIGIN": series.origin[row, column],
            **{name: audit[name][row, column] for name in ("CMAX", "AUCLST", "LAMZ")},
        }
    )


def _with_reasons(frame: pd.DataFrame) -> pd.DataFrame:
    dropped, later = frame["AVAL"].isna(), (frame["ACYCLE"] > 1) & (frame["ATIME"] <= 0)
    flags = {name: frame[name].eq(True) for name in ("CMAX", "AUCLST", "LAMZ")}
    flags["LAMZ"] &= ~frame["TRUNCATED"]
    common = [(dropped, "DROPPED_BY_RULE"), (~frame["QUANT"], "BELOW_LIMIT")]
    choices = {
        "CMAX": [*common, (later, "BEFORE_THE_DOSE")],
        "AUCLST": common[:1],
        "LAMZ": [
            (frame["TRUNCATED"], "WINDOW_TRUNCATED"),
            *common,
            (frame["ATIME"] <= frame["TMAX"], "NOT_AFTER_TMAX"),
            (frame["WHY"] != "", "NO_SLOPE"),
        ],
    }
    last = {"CMAX": "NOT_THE_MAXIMUM", "AUCLST": "AFTER_TLAST", "LAMZ": "NOT_IN_CHOSEN_WINDOW"}
    columns: dict[str, pd.Series] = {}
    for name, short in (("CMAX", "CMAX"), ("AUCLST", "AUC"), ("LAMZ", "LAMZ")):
        tests, texts = zip(*choices[name], strict=True)
        why = np.where(flags[name], "", np.select(list(tests), list(texts), last[name]))
        columns[f"{short}FL"] = flag_column(flags[name], frame.index)
        columns[f"{short}RS"] = code_column(why, frame.index)
    kind = np.select(
        [
            frame["CARRIED"] & (frame["PLACE"] >= 0),
            frame["CARRIED"],
            frame["ORIGIN"] == ZERO,
            frame["ORIGIN"] == HALF_LLOQ,
            later,
        ],
        ["CARRY", "EXTRAPOLATED", "ZERO", "HALFLLOQ", "COPY"],
        "",
    )
    return frame.assign(**columns, DTYPE=code_column(kind, frame.index))


def refused_rows(adpc: pd.DataFrame) -> pd.DataFrame:
    """Return the samples that no profile uses, with the reason.

    Parameters
    ----------
    adpc : pandas.DataFrame
        ADPC.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`; the reason stands beside all three parameters.

    Raises
    ------
    None
    """
    rows = adpc[(adpc["ANL01FL"] != "Y") | adpc["PROFRS"].notna()]
    why = rows["EXCLRS"].fillna(rows["PROFRS"]).astype(object)
    frame = rows.assign(
        ATIME=rows["ARRLT"],
        AVAL=np.nan,
        **{
            name: pd.Series(None, index=rows.index, dtype=object)
            for name in ("CMAXFL", "AUCFL", "LAMZFL", "DTYPE")
        },
        **dict.fromkeys(("CMAXRS", "AUCRS", "LAMZRS"), why),
    )
    return text_missing(frame[COLUMNS]).reset_index(drop=True)
