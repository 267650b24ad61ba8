"""The state of a kinetics sample, read from its collected text and its limits; nothing collected is overwritten."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.kinetic_columns import code_column, flag_column
from interim.adam.source import shipped_data

_SIGNED = re.compile(r"([<>])=?\s*(\d+(?:\.\d+)?)")
_TRAILING = re.compile(r"(.*?)[\s:(=]+(\d+(?:\.\d+)?)\)?")


def with_state(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the state of each sample.

    Parameters
    ----------
    frame : pandas.DataFrame
        AVALC, NUMBER, NOTDONE, ALLOQ, LLOD, AULOQ, DILUTED.

    Returns
    -------
    pandas.DataFrame
        With STATE (QUANT, BLQ, DNQ, NEG, NOT DONE, BAD: cannot be read, negative, or below its limit), AVAL where quantified,
        REPORTED (the number beside a detected value), BLQFL, DTYPE (ULOQ: above the upper limit, not diluted, AVAL is that
        limit), ALLOQ also from a text such as ``<50``, and NOLIMIT (no limit is stated in its own field).

    Raises
    ------
    None
    """
    words = shipped_data("kinetics")
    texts = frame["AVALC"].map(lambda value: None if pd.isna(value) else str(value).strip().upper())
    signed = texts.map(lambda text: _SIGNED.fullmatch(text) if text else None)
    below, above = (signed.map(lambda m, s=s: m is not None and m[1] == s).astype(bool) for s in "<>")
    limit = signed.map(lambda match: float(match[2]) if match else np.nan).astype("float64")
    number = (
        texts.map(_number).astype("float64").fillna(frame["NUMBER"].where(~below)).fillna(limit.where(above))
    )
    detected, reported = _detected(texts, tuple(words["detected"]))
    reported = reported.fillna(number.where(number < frame["ALLOQ"]))
    stated, high = frame["ALLOQ"].notna(), _above_limit(frame, number, above)
    lloq = frame["ALLOQ"].fillna(limit.where(below))
    negative = texts.isin(list(words["negative"])) | _under(number, limit.where(below), frame["LLOD"])
    small = ((number < lloq) & (number > 0)).to_numpy()
    choices: list[tuple[Any, str]] = [
        (frame["NOTDONE"], "NOT DONE"),
        (detected | (small & (number >= frame["LLOD"])), "DNQ"),
        (negative, "NEG"),
        (below, "BLQ"),
        (number.isna() | (number < 0) | ~np.isfinite(number) | small, "BAD"),
        (number == 0, "BLQ"),
    ]
    state = np.select([flag for flag, _ in choices], [name for _, name in choices], "QUANT")
    capped = (state == "QUANT") & high.to_numpy()
    return frame.assign(
        STATE=pd.Series(state, index=frame.index).astype(object),
        AVAL=number.where(state == "QUANT").mask(capped, np.minimum(number, frame["AULOQ"].fillna(np.inf))),
        REPORTED=reported.where(state == "DNQ"),
        BLQFL=flag_column(np.isin(state, ("BLQ", "DNQ", "NEG")), frame.index),
        DTYPE=code_column(np.where(capped, "ULOQ", ""), frame.index),
        ALLOQ=lloq,
        NOLIMIT=~stated & (state != "NOT DONE"),
    )


def _above_limit(frame: pd.DataFrame, number: pd.Series, above: pd.Series) -> pd.Series:
    return above | ((number > frame["AULOQ"]) & ~frame["DILUTED"])


def _under(number: pd.Series, limit: pd.Series, llod: pd.Series) -> pd.Series:
    """Tell the samples below the limit of detection, by their number or by a text such as ``<20``."""
    return ((number >= 0) & (number < llod)) | (limit <= llod)


def _detected(texts: pd.Series, words: tuple[str, ...]) -> tuple[pd.Series, pd.Series]:
    """Tell the texts that say detected, not quantifiable, and the number that stands behind the words."""
    parts = texts.map(lambda text: _TRAILING.fullmatch(text) if text else None)
    behind = parts.map(lambda match: match is not None and match[1] in words).astype(bool)
    number = parts.map(lambda match: float(match[2]) if match else np.nan).astype("float64")
    return texts.isin(list(words)) | behind, number.where(behind)


def _number(text: str | None) -> float:
    try:
        return float(text) if text else float("nan")
    except ValueError:
        return float("nan")
