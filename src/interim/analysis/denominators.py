"""Denominators: every N of a result must be a number of participants that the same result states."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.population import SETS
from interim.result import TOTAL, Result

_OTHER_UNITS = ("episodes", "events", "values", "scores", "cells")


def set_sizes(adam: Adam) -> dict[str, frozenset[str]]:
    """Return the members of every analysis set, straight from the flags.

    Parameters
    ----------
    adam : Adam
        ADSL.

    Returns
    -------
    dict of str to frozenset of str
        Set code -> USUBJIDs; sets whose flag ADSL does not have are left out.

    Raises
    ------
    None
    """
    adsl = adam["ADSL"]
    known = {code: item.flag for code, item in SETS.items() if item.flag in adsl}
    return {code: frozenset(adsl.loc[adsl[flag] == "Y", "USUBJID"]) for code, flag in known.items()}


def wrong_denominators(result: Result) -> Iterator[str]:
    """Yield every row whose denominator the result does not account for.

    Parameters
    ----------
    result : Result
        Any Result.

    Yields
    ------
    str
        Result id, the denominator, and the numbers that the column states.

    Raises
    ------
    None

    Notes
    -----
    Accounted for is a denominator that equals the size of the row's column (variable ``population``), or the number of
    participants of a count of the same column: a narrower base, for example those who reached a phase, is itself a row. A
    numerator above its denominator is wrong as well. Results that state no sizes count other things than participants, for
    example decisions, and are passed over, as are rows in other units, for example episodes.
    """
    frame = result.frame
    if not ((frame["variable"] == "population") & (frame["stat"] == "N")).any():
        return
    people = ~frame["unit"].isin(_OTHER_UNITS)
    counted = frame[people & frame["N"].notna() & frame["n"].notna() & (frame["status"] == "OK")]
    stated = frame[frame["n"].notna() & (frame["status"] == "OK")]
    numbers = {str(group): frozenset(map(int, part)) for group, part in stated.groupby("group")["n"]}
    everything = numbers.get(TOTAL, frozenset())
    for row in counted.to_dict("records"):
        size, own = int(row["N"]), numbers.get(row["group"], frozenset())
        if size not in own | everything:
            yield f"{row['result_id']}: denominator {size} is no number of participants of its column"
        elif int(row["n"]) > size:
            yield f"{row['result_id']}: {int(row['n'])} of {size}"


def wrong_sizes(result: Result, adam: Adam) -> Iterator[str]:
    """Yield every column whose stated size is not the number of members of an analysis set.

    Parameters
    ----------
    result : Result
        Any Result; its links say who is behind the size of a column.
    adam : Adam
        ADSL.

    Yields
    ------
    str
        Result id and size.

    Raises
    ------
    None

    Notes
    -----
    The total must be one of the sets, member by member; a column must lie within it, and the columns that are not the total
    add up to it where they do not overlap.
    """
    frame = result.frame
    sizes = frame[(frame["variable"] == "population") & (frame["stat"] == "N")]
    linked = result.links[result.links["result_id"].isin(set(sizes["result_id"]))]
    members = linked.groupby("result_id")["USUBJID"].agg(frozenset)
    known = set(set_sizes(adam).values())
    for row in sizes.to_dict("records"):
        behind = members.get(row["result_id"], frozenset())
        if len(behind) != int(row["n"]):
            yield f"{row['result_id']}: N={int(row['n'])}, but {len(behind)} participants behind it"
        elif row["group"] == TOTAL and behind not in known and not _is_subset(behind, adam):
            yield f"{row['result_id']}: the {len(behind)} participants are the members of no analysis set"
    yield from _columns(sizes, members)


def _is_subset(behind: frozenset[str], adam: Adam) -> bool:
    """Tell whether a kinetic set has exactly these members: its flags stand beside those of the analysis sets."""
    adsl = adam["ADSL"]
    flags = [name for name in adsl.columns if name.endswith("FL") and adsl[name].dtype == object]
    return any(behind == frozenset(adsl.loc[adsl[name] == "Y", "USUBJID"]) for name in flags)


def _columns(sizes: pd.DataFrame, members: pd.Series) -> Iterator[str]:
    """Yield columns that hold someone who is not in the total."""
    ids = dict(zip(sizes["group"], sizes["result_id"], strict=True))
    if TOTAL not in ids:
        return
    total = members.get(ids[TOTAL], frozenset())
    for group, result_id in ids.items():
        outside = members.get(result_id, frozenset()) - total
        if outside:
            yield f"{result_id}: {', '.join(sorted(outside)[:3])} in column {group} and not in the total"
