"""What a subgroup table or figure must never show, checked on the rows before anything is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from interim.errors import ReportError
from interim.result import TOTAL, Result

PERMITTED_P = ("p_min", "p_min_lo", "p_min_hi", "p_any")
RATIOS = ("hr", "hr_lower", "hr_upper", "or", "or_lower", "or_upper")
MIN_EVENTS = 5
_SHOWN = ("OK", "FLAG")

Record = Mapping[str, Any]
Rule = Callable[[Record], str]


def check_rows(result: Result, *, forest: bool = False) -> pd.DataFrame:
    """Return the rows that may be shown.

    Parameters
    ----------
    result : Result
        A ``subgroups`` result.
    forest : bool
        Whether it is shown as a forest, which needs the overall rate and the limits of interpretation, and takes no factor
        that is known after baseline or was cut by the data.

    Returns
    -------
    pandas.DataFrame
        Rows of scope package.

    Raises
    ------
    ReportError
        If a row breaks a rule; names the row and the rule.

    Notes
    -----
    Internal rows are left out, never shown; p-values of data, ratios between levels with too few events or between doses, medians
    and landmarks without their limits or numbers at risk, numbers that are none, and percentages without x/n are errors.
    """
    frame = result.frame[result.frame["scope"] == "package"]
    problems = [
        f"{row['result_id']}: {problem}"
        for row in frame.to_dict("records")
        for problem in (rule(row) for rule in _ROW_RULES)  # type: ignore[arg-type]
        if problem
    ]
    problems += _incomplete(frame)
    if forest:
        problems += _forest(frame)
    if problems:
        raise ReportError(f"{result.analysis_id} must not be shown: " + "; ".join(problems[:5]))
    return frame


def _no_p_value(row: Record) -> str:
    stat = str(row["stat"])
    bad = stat.startswith("p_") and stat not in PERMITTED_P
    return "rule 1, a p-value of data is never printed" if bad else ""


def _no_ratio(row: Record) -> str:
    if row["stat"] not in RATIOS or row["status"] not in _SHOWN:
        return ""
    if row["group_var"] == "dose":
        return "rule 2, no hazard or odds ratio between doses"
    few: bool = pd.isna(row["n"]) or int(row["n"]) < MIN_EVENTS
    return f"rule 2, fewer than {MIN_EVENTS} events in one level" if few else ""


def _a_number(row: Record) -> str:
    empty: bool = pd.isna(row["value"]) and row["text"] is None
    return "rule 3, a number is shown that does not exist" if row["status"] in _SHOWN and empty else ""


def _with_fraction(row: Record) -> str:
    bare = row["stat"] == "rate" and row["status"] in _SHOWN and (pd.isna(row["n"]) or pd.isna(row["N"]))
    return "rule 5, a rate stands without x/n" if bare else ""


_ROW_RULES: tuple[Rule, ...] = (_no_p_value, _no_ratio, _a_number, _with_fraction)


def _incomplete(frame: pd.DataFrame) -> list[str]:
    """Return medians and landmarks whose limits or numbers at risk are absent."""
    keys = ["group", "variable", "level"]
    places: dict[tuple[str, ...], set[str]] = {}
    for *place, stat in frame[[*keys, "stat"]].itertuples(index=False, name=None):
        places.setdefault(tuple(map(str, place)), set()).add(str(stat))
    shown = frame[frame["stat"].isin(["landmark", "median"]) & frame["status"].isin(_SHOWN)]
    problems = []
    for row in shown.to_dict("records"):
        gone = sorted(_needs(row) - places[tuple(str(row[key]) for key in keys)])  # type: ignore[arg-type]
        if gone:
            problems.append(f"{row['result_id']}: rule 3, {row['stat']} without {', '.join(gone)}")
    return problems


def _needs(row: Record) -> set[str]:
    if row["stat"] == "landmark":
        return {"lower", "upper", "n_risk"}
    return {"lower", "upper"} if str(row["variable"]).endswith(" median") else {"min", "max"}


def _forest(frame: pd.DataFrame) -> list[str]:
    problems = []
    if not ((frame["group"] == TOTAL) & frame["stat"].isin(["rate", "landmark"])).any():
        problems.append("rule 5, a rate of a level stands without the overall rate")
    if not (frame["variable"] == "limits").any():
        problems.append("rule 5, a forest stands without the limits of interpretation")
    facts = frame[frame["variable"] == "entry"]
    for stat, text, rule in (
        ("timing", "post_baseline", "rule 5, response by a factor that is known after baseline"),
        ("origin", "data_driven", "rule 4, a cut taken from the data stands in a forest"),
    ):
        wrong = facts[(facts["stat"] == stat) & (facts["text"] == text)]
        problems += [f"{group}: {rule}" for group in wrong["group"]]
    return problems
