"""TU and TR in numbers: one row per record, and which participants hold what only the derivation step by step reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.response import lesions
from interim.adam.response.records import INVESTIGATOR, NEW, NONTARGET, TARGET, lesion_state
from interim.adam.response.timepoint import ABSENT, FURTHER, PRESENT, UNEQUIVOCAL
from interim.adam.source import date_columns, number_column, shipped_data, text_column
from interim.study.efficacy import ResponseTable

NO_STATE, GONE, SEEN, TINY, GROWN, UNKNOWN, ODD = range(7)
"""Lesion: no state recorded, absent, present, too small to measure, progressed, not evaluable, only step by step."""
_STATES = {
    ABSENT: GONE,
    PRESENT: SEEN,
    lesions.TSTM: TINY,
    UNEQUIVOCAL: GROWN,
    FURTHER: GROWN,
    lesions.NOT_EVALUABLE: UNKNOWN,
}
_ROLES = (TARGET, NONTARGET, NEW)
IS_TARGET, IS_NONTARGET, IS_NEW = range(3)
"""Values of ROLE."""
_KEYS = ["SUBJECT", "LESION"]


def look_up(frame: pd.DataFrame, name: str, answer: Callable[[str | None], Any]) -> np.ndarray:
    """Return a function of each text of a column, computed once per different text.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame.
    name : str
        Column; absent counts as missing.
    answer : callable
        Text (upper case, None for missing) -> number or truth.

    Returns
    -------
    numpy.ndarray
        One value per row.

    Raises
    ------
    None
    """
    codes, texts = _different(frame, name)
    known = [*text_column(texts, name), None]
    answers: np.ndarray = np.array([answer(text) for text in known])
    return np.asarray(answers[codes])


def _different(frame: pd.DataFrame, name: str) -> tuple[np.ndarray, pd.DataFrame]:
    """Return for each row the place of its value among the different ones; a missing value has place -1, the last."""
    if name not in frame:
        return np.full(len(frame), -1), pd.DataFrame({name: []}, dtype=object)
    codes, values = pd.factorize(frame[name])
    return np.asarray(codes), pd.DataFrame({name: np.asarray(values, dtype=object)})


def _days(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return days since 1970-01-01; NaN where the day is not known."""
    codes, texts = _different(frame, name)
    dates = date_columns(texts, name)
    days = day_numbers(dates["LAST"].where(dates["PRECISION"].isin(["T", "D"])))
    return np.asarray(np.append(days, np.nan)[codes])


def day_numbers(dates: pd.Series) -> np.ndarray:
    """Return dates as days since 1970-01-01.

    Parameters
    ----------
    dates : pandas.Series of datetime64
        Dates; NaT for missing.

    Returns
    -------
    numpy.ndarray of float
        NaN for missing.

    Raises
    ------
    None

    Examples
    --------
    >>> day_numbers(pd.Series(pd.to_datetime(["1970-01-03", None])))
    array([ 2., nan])
    """
    days = pd.to_datetime(dates) - pd.Timestamp(0)
    return np.asarray(days.dt.days, dtype=np.float64)


def _of(frame: pd.DataFrame, domain: str, evaluator: str) -> np.ndarray:
    """Tell which records are of an evaluator: --EVALID, else --EVAL, else the investigator."""
    reader, role = (
        look_up(frame, f"{domain}{name}", lambda text: -1 if text is None else int(text == evaluator))
        for name in ("EVALID", "EVAL")
    )
    mine = np.where(reader >= 0, reader, np.where(role >= 0, role, int(evaluator == INVESTIGATOR)))
    return np.asarray(mine == 1)


def read_many(
    tu: pd.DataFrame, tr: pd.DataFrame, *, subjects: pd.Index, rules: ResponseTable
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the lesions of the primary evaluator.

    Parameters
    ----------
    tu, tr : pandas.DataFrame
        Domains TU and TR.
    subjects : pandas.Index
        USUBJIDs; others are not read.
    rules : ResponseTable
        Evaluator.

    Returns
    -------
    tuple of pandas.DataFrame
        Listed lesions: SUBJECT (place), LESION (number of the id), ROLE, NODAL, ORGAN, DAY, VISIT. Measured and new lesions:
        SUBJECT, LESION, ROLE (-1: in no list), NODAL, DAY, VISIT, MM, STATE, AXIS (a size that enters a sum).

    Raises
    ------
    None
    """
    ids, _ = pd.factorize(np.concatenate([_column(tu, "TULNKID"), _column(tr, "TRLNKID")]))
    listed = _listed(tu, ids[: len(tu)], subjects, rules.evaluator)
    measured = _measured(tr, ids[len(tu) :], subjects, rules.evaluator)
    roles = listed.drop_duplicates(_KEYS)[[*_KEYS, "ROLE", "NODAL"]]
    joined = measured.merge(roles, on=_KEYS, how="left", validate="m:1")
    joined = joined.assign(
        ROLE=joined["ROLE"].fillna(-1).astype(int), NODAL=joined["NODAL"].fillna(0).astype(bool)
    )
    joined = joined.assign(AXIS=np.where(joined["NODAL"], joined["SHORT"], joined["LONG"]))
    new = listed[listed["ROLE"] == IS_NEW].assign(MM=np.nan, STATE=NO_STATE, SHORT=False, AXIS=False)
    return listed, pd.concat([joined.drop(columns="LONG"), new.drop(columns="ORGAN")], ignore_index=True)


def _column(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].to_numpy(dtype=object) if name in frame else np.full(len(frame), None)


def _common(frame: pd.DataFrame, domain: str, ids: np.ndarray, subjects: pd.Index) -> pd.DataFrame:
    codes, texts = _different(frame, "USUBJID")
    return pd.DataFrame(
        {
            "SUBJECT": np.append(subjects.get_indexer(pd.Index(texts["USUBJID"])), -1)[codes],
            "LESION": ids,
            "DAY": _days(frame, f"{domain}DTC"),
            "VISIT": number_column(frame, "VISITNUM").to_numpy(),
        }
    )


def _listed(tu: pd.DataFrame, ids: np.ndarray, subjects: pd.Index, evaluator: str) -> pd.DataFrame:
    prefix = str(shipped_data("response/lesion_states")["locations"]["nodal_prefix"])
    column = "TUSTRESC" if "TUSTRESC" in tu else "TUORRES"
    rows = _common(tu, "TU", ids, subjects).assign(
        ROLE=look_up(tu, column, lambda text: _ROLES.index(text) if text in _ROLES else -1),
        NODAL=look_up(tu, "TULOC", lambda text: (text or "").startswith(prefix)),
        ORGAN=_different(tu, "TULOC")[0],
    )
    keep = (rows["SUBJECT"] >= 0) & (rows["LESION"] >= 0) & (rows["ROLE"] >= 0) & _of(tu, "TU", evaluator)
    return rows[keep]


def _measured(tr: pd.DataFrame, ids: np.ndarray, subjects: pd.Index, evaluator: str) -> pd.DataFrame:
    names = shipped_data("response/lesion_states")
    tests, units = names["tests"], names["units"]
    factor = look_up(tr, "TRSTRESU", lambda text: 1.0 if text is None else units.get(text, np.nan))
    rows = _common(tr, "TR", ids, subjects).assign(
        MM=number_column(tr, "TRSTRESN").to_numpy() * factor,
        STATE=_states(tr, names["states"]),
        SHORT=look_up(tr, "TRTESTCD", lambda text: text in tests["nodal"]),
        LONG=look_up(tr, "TRTESTCD", lambda text: text in tests["other"]),
    )
    keep = (rows["SUBJECT"] >= 0) & (rows["LESION"] >= 0) & _of(tr, "TR", evaluator)
    keep &= look_up(tr, "TRTESTCD", lambda text: text in tests["all"])
    return rows[keep]


def _states(tr: pd.DataFrame, known: dict[str, object]) -> np.ndarray:
    words = {str(key): str(value) for key, value in known.items()}

    def state(text: str | None) -> int:
        if text is None:
            return -1
        if is_number(text):
            return NO_STATE
        found = lesion_state(text, words)
        return UNKNOWN if found is None else _STATES.get(found, ODD)

    standard, raw = (look_up(tr, name, state) for name in ("TRSTRESC", "TRORRES"))
    found = np.where(standard >= 0, standard, np.maximum(raw, NO_STATE))
    return np.where(look_up(tr, "TRSTAT", lambda text: text == "NOT DONE"), UNKNOWN, found)


def is_number(text: str) -> bool:
    """Tell whether a text is read as a number.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    bool
        True if it is.

    Raises
    ------
    None

    Examples
    --------
    >>> is_number("12.5"), is_number("12,5"), is_number("ABSENT")
    (True, False, False)
    """
    return not pd.isna(pd.to_numeric(text, errors="coerce"))
