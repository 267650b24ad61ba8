"""Time points of many participants as matrices: a row per participant, a column per time point in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.many.read import (
    GONE,
    GROWN,
    IS_NEW,
    IS_NONTARGET,
    IS_TARGET,
    NO_STATE,
    ODD,
    SEEN,
    TINY,
    UNKNOWN,
)
from interim.study.efficacy import ResponseTable


@dataclass(frozen=True)
class Points:
    """What was seen at every time point.

    Attributes
    ----------
    targets, nontargets : numpy.ndarray of int, shape (n,)
        Lesions listed at baseline.
    day : numpy.ndarray of float, shape (n, m)
        Days since 1970-01-01; NaN where a participant has no further time point.
    total : numpy.ndarray of float, shape (n, m)
        Sum of the assessed targets in mm.
    assessed, normal, regrown : numpy.ndarray of int, shape (n, m)
        Targets that were assessed, that are gone (a node: small), that are no node and seen.
    known, absent, progressed, new : numpy.ndarray of int, shape (n, m)
        Non-targets with a state, those that are absent, that progressed; new lesions.
    """

    targets: np.ndarray
    nontargets: np.ndarray
    day: np.ndarray
    total: np.ndarray
    assessed: np.ndarray
    normal: np.ndarray
    regrown: np.ndarray
    known: np.ndarray
    absent: np.ndarray
    progressed: np.ndarray
    new: np.ndarray


def odd_participants(
    listed: pd.DataFrame, rows: pd.DataFrame, *, dose: np.ndarray, rules: ResponseTable
) -> np.ndarray:
    """Tell which participants hold what only the derivation step by step reads.

    Parameters
    ----------
    listed, rows : pandas.DataFrame
        From `interim.adam.many.read.read_many`.
    dose : numpy.ndarray of float
        First dose by participant, in days since 1970-01-01; NaN if none.
    rules : ResponseTable
        Limits of lesions.

    Returns
    -------
    numpy.ndarray of bool
        True for lesions that are listed twice, late, beyond the limits or not at all; split, merged, treated, equivocal or
        vanished new lesions; partial dates; unscheduled visits; several dates in a visit; a lesion with several values at a time.

    Raises
    ------
    None
    """
    old = listed["ROLE"] != IS_NEW
    late = old & ~(listed["DAY"] <= dose[listed["SUBJECT"]])
    late |= listed["DAY"].isna() | listed.duplicated(["SUBJECT", "LESION"])
    targets = listed[listed["ROLE"] == IS_TARGET]
    in_all = targets.groupby("SUBJECT").size()
    in_organ = targets[targets["ORGAN"] >= 0].groupby(["SUBJECT", "ORGAN"]).size()
    many = [in_all[in_all > rules.max_targets].index]
    many.append(in_organ[in_organ > rules.max_per_organ].index.get_level_values("SUBJECT"))
    answer: np.ndarray = np.isnan(dose)
    for subjects in (listed.loc[late, "SUBJECT"], rows.loc[_odd_rows(rows), "SUBJECT"], *many):
        answer[np.asarray(subjects, dtype=int)] = True
    return answer


def _odd_rows(rows: pd.DataFrame) -> np.ndarray:
    sized, role, state = rows["MM"].notna(), rows["ROLE"], rows["STATE"]
    odd = (role < 0) | (state == ODD) | rows["DAY"].isna() | ~(rows["VISIT"] % 1 == 0)
    odd |= (role == IS_NONTARGET) & sized & (state == UNKNOWN)
    odd |= (role == IS_NEW) & (state == GONE)
    told = (role != IS_TARGET) | rows["AXIS"] | (state > NO_STATE)
    keys = ["SUBJECT", "DAY", "LESION"]
    twice = rows[told & (role != IS_NEW)].duplicated(keys, keep=False)
    odd[twice.index[twice]] = True
    return np.asarray(odd)


def points_of(
    listed: pd.DataFrame, rows: pd.DataFrame, *, size: int, rules: ResponseTable
) -> tuple[Points, np.ndarray]:
    """Collect the records into time points.

    Parameters
    ----------
    listed, rows : pandas.DataFrame
        From `interim.adam.many.read.read_many`; days and visits are known.
    size : int
        Number of participants.
    rules : ResponseTable
        ``tstm_mm`` and ``nodal_cr_mm``.

    Returns
    -------
    tuple of (Points, numpy.ndarray of bool)
        Time points, and which participants have two visits on one day or two days in one visit.

    Raises
    ------
    None
    """
    subject = rows["SUBJECT"].to_numpy()
    day = rows["DAY"].to_numpy()
    first = day.min(initial=np.inf)
    span = int(day.max(initial=0) - first) + 1 if len(day) else 1
    keys, start, point = np.unique(
        subject * span + (day - (first if len(day) else 0)).astype(np.int64),
        return_index=True,
        return_inverse=True,
    )
    who = keys // span
    visit = rows["VISIT"].to_numpy()
    mixed = np.zeros(size, dtype=bool)
    mixed[subject[visit != visit[start][point]]] = True
    visits = pd.DataFrame({"WHO": who, "VISIT": visit[start]})
    mixed[who[visits.duplicated().to_numpy()]] = True
    column = np.arange(len(who)) - np.searchsorted(who, np.arange(size))[who]
    shape = (size, int(column.max(initial=-1)) + 1)

    def matrix(values: np.ndarray, empty: float = 0.0) -> np.ndarray:
        answer = np.full(shape, empty)
        answer[who, column] = values
        return answer

    def counted(values: Any) -> np.ndarray:
        return matrix(np.bincount(point, weights=np.asarray(values, dtype=float), minlength=len(who)))

    lists = [np.bincount(listed["SUBJECT"][listed["ROLE"] == role], minlength=size) for role in range(2)]
    parts = {name: counted(values) for name, values in _parts(rows, rules).items()}
    parts |= {"targets": lists[0], "nontargets": lists[1], "day": matrix(day[start], np.nan)}
    return Points(**parts), mixed


def _parts(rows: pd.DataFrame, rules: ResponseTable) -> dict[str, np.ndarray]:
    """Return what every record adds to its time point."""
    role, state, nodal = (rows[name].to_numpy() for name in ("ROLE", "STATE", "NODAL"))
    size, target = _sizes(rows, rules), rows["ROLE"].to_numpy() == IS_TARGET
    counts = target & ~np.isnan(size)
    mm = np.where(counts, size, 0.0)
    tiny = (state == TINY) & ~(rows["AXIS"].to_numpy() & rows["MM"].notna().to_numpy())
    absent, present = _nontargets(rows, rules)
    other = role == IS_NONTARGET
    return {
        "total": mm,
        "assessed": counts,
        "normal": counts & np.where(nodal, mm < rules.nodal_cr_mm, (mm == 0) & ~tiny),
        "regrown": counts & ~nodal & (mm > 0),
        "known": other & (absent | present | (state == GROWN)),
        "absent": other & absent,
        "progressed": other & (state == GROWN),
        "new": role == IS_NEW,
    }


def _sizes(rows: pd.DataFrame, rules: ResponseTable) -> np.ndarray:
    """Return what a target adds to the sum in mm; NaN if it is missing."""
    mm, state = rows["MM"].to_numpy(), rows["STATE"].to_numpy()
    by_state = np.select([state == GONE, state == TINY], [0.0, float(rules.tstm_mm)], np.nan)
    sized = rows["AXIS"].to_numpy() & ~np.isnan(mm)
    return np.where(sized, np.where(mm >= 0, mm, np.nan), by_state)


def _nontargets(rows: pd.DataFrame, rules: ResponseTable) -> tuple[np.ndarray, np.ndarray]:
    """Tell which non-targets are absent and which present; of sizes alone: absent at 0 mm, or a node below its limit."""
    mm, state = rows["MM"].to_numpy(), rows["STATE"].to_numpy()
    alone = (state == NO_STATE) & ~np.isnan(mm)
    small = rows["NODAL"].to_numpy() & rows["SHORT"].to_numpy() & (mm < rules.nodal_cr_mm)
    absent = (state == GONE) | (alone & (small | (mm == 0)))
    return absent, (state == SEEN) | (state == TINY) | (alone & ~absent)
