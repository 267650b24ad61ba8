"""Evidence of life: every record whose date proves that a participant was alive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from interim.adam.source import date_columns, shipped_data, text_column
from interim.data.model import Sdtm


def evidence_of_life(sdtm: Sdtm) -> pd.DataFrame:
    """Return every date that proves life.

    Parameters
    ----------
    sdtm : Sdtm
        All domains.

    Returns
    -------
    pandas.DataFrame
        USUBJID, DATE (a partial date counts with its earliest day), DOMAIN, VARIABLE, SEQ; not after the cut-off.

    Raises
    ------
    None
    """
    cut = pd.Timestamp(sdtm.cut).normalize()
    parts = list(_parts(sdtm))
    if not parts:
        return pd.DataFrame(columns=["USUBJID", "DATE", "DOMAIN", "VARIABLE", "SEQ"]).astype(
            {"DATE": "datetime64[ns]"}
        )
    rows = pd.concat(parts, ignore_index=True)
    return rows[rows["DATE"] <= cut].reset_index(drop=True)


def _parts(sdtm: Sdtm) -> Iterator[pd.DataFrame]:
    for source in shipped_data("tte/sources")["alive"]:
        name, column = source["domain"], source["column"]
        if not sdtm.has(name) or column not in sdtm.domain(name):
            continue
        frame = sdtm.domain(name)
        dates = date_columns(frame, column)["FIRST"]
        keep = _counts(frame, source) & dates.notna()
        if not keep.any():
            continue
        rows = frame[keep]
        numbers = (
            rows[f"{name}SEQ"].astype(object)
            if f"{name}SEQ" in rows
            else pd.Series(None, index=rows.index, dtype=object)
        )
        yield pd.DataFrame(
            {
                "USUBJID": rows["USUBJID"].astype(object),
                "DATE": dates[keep],
                "DOMAIN": name,
                "VARIABLE": column,
                "SEQ": numbers,
            }
        )


def _counts(frame: pd.DataFrame, source: Mapping[str, Any]) -> pd.Series:
    answer = pd.Series(True, index=frame.index)
    for column, values in source.get("keep", {}).items():
        answer &= text_column(frame, column).isin(values)
    for column, values in source.get("drop", {}).items():
        answer &= ~text_column(frame, column).isin(values)
    return answer
