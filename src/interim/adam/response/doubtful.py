"""Doubtful records: one lesion with several values at a time point, or with several roles; a stated rule goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from interim.adam.response.records import VALUE_KEYS, in_order
from interim.errors import Finding

_EFFECT = ("T 14.2.2.1", "T 14.2.3.1")


def values_twice(rows: pd.DataFrame) -> Iterator[Finding]:
    """Yield the lesions with different values of one test at one time point.

    Parameters
    ----------
    rows : pandas.DataFrame
        Records with POINT.

    Yields
    ------
    Finding
        TR-TWICE, with every value and which one is used: the first by date and number of the record.

    Raises
    ------
    None
    """
    here = rows[(rows["POINT"] >= 0) & (rows["MM"].notna() | rows["STATE"].notna())]
    again = here[here.duplicated(VALUE_KEYS, keep=False)]
    for (subject, reader, _, lesion, test), part in in_order(again, [*VALUE_KEYS, "DATE"]).groupby(
        VALUE_KEYS
    ):
        if len(part[["MM", "STATE"]].drop_duplicates()) == 1:
            continue
        values = [_value(row) for row in part.to_dict("records")]
        day = f"{part['DATE'].iloc[0]:%Y-%m-%d}"
        text = (
            f"{reader}: {test} of lesion {lesion} has several values at one time point: {', '.join(values)}; "
            "the first by date and number of the record is used; keep the right one"
        )
        yield _finding("TR-TWICE", text, (str(subject), str(reader)), (str(lesion), str(test), day))


def _value(row: Mapping[Any, Any]) -> str:
    said = row["STATE"] if isinstance(row["STATE"], str) else f"{row['MM']:g} mm"
    return f"{said} on {row['DATE']:%Y-%m-%d}"


def roles_twice(rows: pd.DataFrame, identified: pd.DataFrame) -> Iterator[Finding]:
    """Yield the lesions whose role changes: in the list of lesions, or between the list and the measurements.

    Parameters
    ----------
    rows : pandas.DataFrame
        Measurements with ROLE (missing where it is not collected).
    identified : pandas.DataFrame
        List of lesions with ROLE.

    Yields
    ------
    Finding
        TR-ROLE, with every role and which one is used: the first in the list of lesions, else the first measured.

    Raises
    ------
    None
    """
    keys = ["USUBJID", "EVAL", "LESION"]
    columns = [*keys, "DATE", "SEQ", "ROLE"]
    both = pd.concat([in_order(part[columns], [*keys, "DATE"]) for part in (identified, rows)])
    both = both[both["ROLE"].isin(["TARGET", "NON-TARGET", "NEW"])].drop_duplicates([*keys, "ROLE"])
    for (subject, reader, lesion), part in both[both.duplicated(keys, keep=False)].groupby(keys, sort=True):
        roles = [str(role) for role in part["ROLE"]]
        text = (
            f"{reader}: lesion {lesion} is {', then '.join(role.lower() for role in roles)}; a lesion keeps its role: "
            f"it is read as {roles[0].lower()}; correct the role, or give another lesion another id"
        )
        yield _finding("TR-ROLE", text, (str(subject), str(reader)), (str(lesion),))


def _finding(rule: str, text: str, who: tuple[str, str], key: tuple[str, ...]) -> Finding:
    return Finding(
        rule,
        "warn",
        "TR",
        text,
        subject=who[0],
        key=(who[1], *key),
        variable="TRLNKID" if rule == "TR-ROLE" else "TRSTRESC",
        effect=_EFFECT,
    )
