"""Immune effector cell-associated haematotoxicity (ICAHT, EHA/EBMT 2023): grade from the course of neutrophils."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from interim.adam.source import shipped_data
from interim.adam.toxicity.graded import Graded
from interim.study.toxicity import ToxicityTable

Day = float | None


def early_grade(counts: Mapping[int, float], rules: ToxicityTable, *, last_day: int | None = None) -> Graded:
    """Grade early haematotoxicity.

    Parameters
    ----------
    counts : mapping of int to float
        Day from the anchor (0) -> absolute neutrophil count, 10^9/L; of several on one day the lowest.
    rules : ToxicityTable
        ``icaht_count``, ``icaht_max_gap_d``.
    last_day : int, optional
        Last day that counts (progression, new therapy, death, a second product); default and at most day 30.

    Returns
    -------
    Graded
        Days between two counts hold the earlier one if the gap is not too long; longer gaps make the bounds.

    Raises
    ------
    None

    Examples
    --------
    >>> early_grade({0: 3.0, 5: 0.4, 6: 0.3, 8: 0.9}, ToxicityTable(icaht_max_gap_d=5), last_day=12).grade
    1
    """
    limits = shipped_data("toxicity")["icaht"]
    end = limits["last_day"] if last_day is None else min(last_day, limits["last_day"])
    days = daily_counts(counts, end, longest=rules.icaht_max_gap_d)
    low, high = (_early(days, unknown, rules.icaht_count) for unknown in (False, True))
    driver = "neutrophils" if high else ""
    return Graded(low, high, driver, ("ANC",) if low != high else ())


def daily_counts(counts: Mapping[int, float], last_day: int, *, longest: int) -> list[Day]:
    """Return the count of each day, filled with the last value over short gaps.

    Parameters
    ----------
    counts : mapping of int to float
        Day -> count.
    last_day : int
        Last day.
    longest : int
        Longest run of days without a count that is filled.

    Returns
    -------
    list of (float or None)
        Days 0 to ``last_day``; None in longer gaps, before the first count, and at the end of a long silence.

    Raises
    ------
    None
    """
    days: list[Day] = [counts.get(day) for day in range(last_day + 1)]
    known = [day for day, count in enumerate(days) if count is not None]
    for before, after in zip(known, [*known, last_day + 1][1:], strict=True):
        if after - before - 1 <= longest:
            days[before:after] = [days[before]] * (after - before)
    return days


def _early(days: Sequence[Day], unknown: bool, how: Literal["cumulative", "longest_run"]) -> int:
    limits = shipped_data("toxicity")["icaht"]
    severe = [unknown if count is None else count <= limits["severe"] for count in days]
    profound = [unknown if count is None else count <= limits["profound"] for count in days]
    n_severe, n_profound = _length(severe, how), _length(profound, how)
    reached = [grade for grade, least in enumerate(limits["severe_days"], 1) if n_severe >= least]
    profound_days = zip(limits["profound_grades"], limits["profound_days"], strict=True)
    reached += [grade for grade, least in profound_days if n_profound >= least]
    if all(severe) and any(count is not None for count in days) and len(days) > limits["last_day"]:
        reached.append(limits["never_grade"])
    return max(reached, default=0)


def _length(flags: Iterable[bool], how: Literal["cumulative", "longest_run"]) -> int:
    listed = list(flags)
    if how == "cumulative":
        return sum(listed)
    best = run = 0
    for flag in listed:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best


def late_grade(counts: Sequence[float]) -> int:
    """Grade late haematotoxicity.

    Parameters
    ----------
    counts : sequence of float
        Absolute neutrophil counts after day 30, 10^9/L.

    Returns
    -------
    int
        Highest grade whose limit at least two tests do not exceed; 0 if none.

    Raises
    ------
    None

    Examples
    --------
    >>> late_grade([1.4, 0.9, 3.0]), late_grade([0.9, 0.9]), late_grade([0.05])
    (1, 2, 0)
    """
    limits = shipped_data("toxicity")["icaht"]
    reached = [sum(count <= limit for count in counts) >= limits["late_tests"] for limit in limits["late"]]
    return sum(reached)


def baseline_low(count: float | None) -> bool:
    """Tell whether the baseline neutrophil count was low.

    Parameters
    ----------
    count : float or None
        10^9/L.

    Returns
    -------
    bool
        True below 1.0.

    Raises
    ------
    None
    """
    low: bool = count is not None and count < shipped_data("toxicity")["icaht"]["baseline_low"]
    return low
