"""Small cells: what a public copy must not show, masked in the rows themselves; and what could be found by subtraction."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from interim.errors import Finding
from interim.result import TOTAL, Result
from interim.study import Study

SUPPRESSED = "SUPPRESSED"
WITHHELD = (
    "subgroups.participant_map",
    "subgroups.cut_path",
    "subgroups.type_by_dose",
    "subgroups.sensitivity_model",
)
_KEPT = ("entry", "definition", "limits", "population", "registry")
_MIN_OPEN, _MIN_HIDDEN = 2, 2


def mask(result: Result, study: Study) -> Result:
    """Return a result for the public copy.

    Parameters
    ----------
    result : Result
        Any ``subgroups`` result.
    study : Study
        ``privacy.small_cell_min``.

    Returns
    -------
    Result
        Rows of a level with n, x or n - x from 1 to the limit minus 1 keep id and reason and lose every number (status NA,
        reason SUPPRESSED). The next smallest level of the same factor and endpoint goes as well until no total gives it away; if
        fewer than two levels stay open the factor is withheld, as are participant maps, cut paths and cross tables. The records
        behind the numbers are left out.

    Raises
    ------
    None

    Notes
    -----
    Copies for the review committees and the ethics committee are never masked.
    """
    frame = result.frame.copy()
    hidden = pd.Series(False, index=frame.index)
    body = ~frame["variable"].isin(_KEPT)
    if result.analysis_id in WITHHELD:
        hidden |= body
    else:
        for _, part in frame[body & (frame["level"] != "")].groupby(["group", "variable"], sort=False):
            hidden[part.index] |= part["level"].isin(_hidden_levels(part, study))
        hidden |= _told_by_another(frame, hidden)
    return replace(result, frame=_blanked(frame, hidden), links=result.links.iloc[0:0])


def _hidden_levels(part: pd.DataFrame, study: Study) -> set[str]:
    """Return the levels to hide for one factor and one variable."""
    limit = study.privacy.small_cell_min
    cells = part[part["N"].notna() | part["n"].notna()]
    sizes: dict[str, int] = {}
    small: set[str] = set()
    for row in cells[["level", "n", "N"]].to_dict("records"):
        counts = [int(v) for v in (row["n"], row["N"]) if not pd.isna(v)]
        sizes[str(row["level"])] = max(counts)
        if len(counts) == _MIN_OPEN:
            counts.append(counts[1] - counts[0])
        if any(0 < count < limit for count in counts):
            small.add(str(row["level"]))
    if not small:
        return set()
    order = sorted((level for level in sizes if level not in small), key=lambda level: (sizes[level], level))
    filled = [level for level in order if sizes[level] > 0]
    while len(small) < _MIN_HIDDEN and filled:
        small.add(filled.pop(0))
    return set(sizes) if len(filled) < _MIN_OPEN else small


def _told_by_another(frame: pd.DataFrame, hidden: pd.Series) -> pd.Series:
    """Return the rows that describe a hidden level under another variable: differences, gaps, bounds, medians."""
    endpoints = frame["variable"].str.split(" ").str[0]
    gone = {
        (group, endpoint)
        for group, endpoint, flag in zip(frame["group"], endpoints, hidden, strict=True)
        if flag and group != TOTAL
    }
    derived = frame["variable"].str.contains(" difference| gap| bounds| tau ", regex=True)
    places = [(group, endpoint) in gone for group, endpoint in zip(frame["group"], endpoints, strict=True)]
    whole = derived & pd.Series(places, index=frame.index)
    levels = {
        (group, endpoint, level)
        for group, endpoint, level, flag in zip(
            frame["group"], endpoints, frame["level"], hidden, strict=True
        )
        if flag
    }
    twin = pd.Series(
        [
            (group, endpoint, level) in levels
            for group, endpoint, level in zip(frame["group"], endpoints, frame["level"], strict=True)
        ],
        index=frame.index,
    )
    return whole | twin


def _blanked(frame: pd.DataFrame, hidden: pd.Series) -> pd.DataFrame:
    masked = frame.copy()
    masked.loc[hidden, "value"] = math.nan
    masked.loc[hidden, ["n", "N"]] = pd.NA
    masked["text"] = masked["text"].astype(object)
    masked.loc[hidden, "text"] = None
    masked.loc[hidden, "status"] = "NA"
    reasons = masked.loc[hidden, "reason"].map(lambda code: f"{code}; {SUPPRESSED}" if code else SUPPRESSED)
    masked.loc[hidden, "reason"] = reasons
    return masked


def differencing(result: Result, study: Study, *, previous: Result | None = None) -> list[Finding]:
    """Find small cells that two open cells give away by subtraction.

    Parameters
    ----------
    result : Result
        A masked result.
    study : Study
        ``privacy.small_cell_min``; entries of the same variable.
    previous : Result, optional
        The masked result of the previous cut.

    Returns
    -------
    list of Finding
        PRIV-DIFF (stop): two nested levels of one variable, or the same level at two cuts, differ by a small number.

    Raises
    ------
    None
    """
    limit = study.privacy.small_cell_min
    cells = _open_cells(result)
    variables = {entry.id: entry.variable for entry in study.subgroups}
    findings = []
    keys = sorted(cells)
    for place, first in enumerate(keys):
        for second in keys[place + 1 :]:
            same = variables.get(first[0], first[0]) == variables.get(second[0], second[0])
            nested = first[0] != second[0] and first[1] == second[1] and first[2][:1] == second[2][:1]
            if same and nested and 0 < abs(cells[first] - cells[second]) < limit:
                findings.append(_given_away(first, "/".join(second)))
    before = _open_cells(previous) if previous is not None else {}
    findings += [
        _given_away(key, "the previous cut")
        for key in keys
        if key in before and 0 < abs(cells[key] - before[key]) < limit
    ]
    return findings


def _open_cells(result: Result) -> dict[tuple[str, str, str], int]:
    frame = result.frame
    rows = frame[(frame["stat"] == "rate") & (frame["status"] != "NA") & (frame["level"] != "")]
    return {
        (str(group), str(variable), str(level)): int(n)
        for group, variable, level, n in zip(
            rows["group"], rows["variable"], rows["level"], rows["N"], strict=True
        )
    }


def _given_away(key: Iterable[str], other: str) -> Finding:
    text = f"differs from {other} by fewer participants than may be shown; mask one of the two"
    return Finding("PRIV-DIFF", "stop", "public copy", text, key=tuple(key))
