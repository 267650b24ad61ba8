"""ADCKCM: medicines that lower the expansion of the cells, on the clock of the study."""

from __future__ import annotations

import pandas as pd

from interim.adam.source import date_columns, ordered, shipped_data, source_of, text_column, text_missing

COLUMNS = ["USUBJID", "CMKIND", "CMDECOD", "ASTDTM", "SRCDOM", "SRCSEQ"]


def derive_adckcm(cm: pd.DataFrame | None) -> pd.DataFrame:
    """Derive the medicines that a kinetic profile is marked with.

    Parameters
    ----------
    cm : pandas.DataFrame or None
        Medications.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`; CMKIND is CMAX_AFTER_TOCI or CMAX_AFTER_STEROID; records without a start date are left out.

    Raises
    ------
    None
    """
    if cm is None or not len(cm):
        return pd.DataFrame(columns=COLUMNS)
    names = text_column(cm, "CMDECOD").fillna(text_column(cm, "CMTRT")).fillna("").astype(str)
    rows = pd.DataFrame(
        {"USUBJID": cm["USUBJID"], "CMDECOD": names, "ASTDTM": date_columns(cm, "CMSTDTC")["START"]}
    )
    rows = rows.join(source_of(cm, "CM"))
    parts = [
        rows[names.map(lambda name, words=words: any(word in name for word in words)).astype(bool)].assign(
            CMKIND=kind
        )
        for kind, words in shipped_data("kinetics")["therapy"].items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame[frame["ASTDTM"].notna()]
    return text_missing(ordered(frame, ["USUBJID", "CMKIND", "ASTDTM", "SRCSEQ"])[COLUMNS])
