"""The hepatic-artery catheter: how often it was placed and how long it lay."""

from __future__ import annotations

import pandas as pd

from interim.adam.source import complete_sums, date_columns, shipped_data, text_column
from interim.data.model import Sdtm

_HOUR_S = 3600
_COLUMNS = ["USUBJID", "CATHN", "CATHHRS"]


def derive_catheter(sdtm: Sdtm) -> pd.DataFrame:
    """Return how often the catheter was placed and how long it lay.

    Parameters
    ----------
    sdtm : Sdtm
        PR.

    Returns
    -------
    pandas.DataFrame
        Key USUBJID, those with a catheter on record: CATHN (number, float64), CATHHRS (hours it lay in all; NaN unless every
        start and end has a time, or the end lies before the start).

    Raises
    ------
    None
    """
    source = sdtm.domain("PR")
    if source.empty:
        return pd.DataFrame(columns=_COLUMNS).astype({"CATHN": "float64", "CATHHRS": "float64"})
    name = text_column(source, "PRDECOD").fillna(text_column(source, "PRTRT"))
    placed = source[name.isin(list(shipped_data("exposure")["catheter"]["terms"]))]
    begun, over = (date_columns(placed, column)["DTM"] for column in ("PRSTDTC", "PRENDTC"))
    hours = (over - begun).dt.total_seconds() / _HOUR_S
    rows = pd.DataFrame({"USUBJID": placed["USUBJID"], "HOURS": hours.where(hours >= 0)})
    group = rows.groupby("USUBJID", sort=True)["HOURS"]
    made = pd.DataFrame({"CATHN": group.size(), "CATHHRS": complete_sums(rows["HOURS"], rows["USUBJID"])})
    return made.astype("float64").reset_index()
