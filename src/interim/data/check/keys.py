"""Keys: unique records, known participants, parents of supplemental records."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from interim.data.check.context import Context
from interim.data.check.records import Hit, Records, grouped, hits
from interim.data.check.registry import rule
from interim.data.model import ORIGIN
from interim.data.spec import domain

_COUNTS = ("T 14.1.1.1", "T 14.2.2.1", "T 14.3.1.1")


@rule("DM-UNIQ", severity="stop", needs={"DM": ("USUBJID",)}, effect=("T 14.1.1.1",))
def _unique_participant(context: Context) -> Iterator[Hit]:
    """A participant has two rows in DM."""
    dm = context.records("DM")
    again = dm.subjects().notna() & dm.subjects().duplicated()
    yield from hits(
        dm, again, variable="USUBJID", message="second row of a participant; keep the right one at the source"
    )


@rule("XD-KEY", severity="stop", effect=_COUNTS)
def _unique_key(context: Context) -> Iterator[Hit]:
    """Two records of a domain have one key (participant and sequence number, else the natural key)."""
    for records in context.delivered():
        columns = _key(records)
        if not columns:
            continue
        places = [records.identity(name) for name in columns]
        complete = np.any([place >= 0 for place in places], axis=0)
        again = complete & pd.Series(grouped(*places)).duplicated() & ~exact_copies(records)
        named = ", ".join(columns)
        yield from hits(
            records,
            again,
            variable=columns[-1],
            message=f"second record with the same {named}; correct the key at the source",
        )


def _key(records: Records) -> list[str]:
    if records.name == "DM":
        return []
    seq = f"{records.name}SEQ"
    if records.has("USUBJID", seq) and records.given(seq).any():
        return ["USUBJID", seq]
    known = domain(records.name)
    return [] if known is None else [name for name in known.key if records.has(name)]


def exact_copies(records: Records) -> pd.Series:
    """Tell the second and later copies of a record whose every cell is the same.

    Parameters
    ----------
    records : Records
        The domain.

    Returns
    -------
    pandas.Series of bool
        Only for AE and EX, where AE-DUP and EX-DUP list them; else all False.

    Raises
    ------
    None
    """
    if records.name not in ("AE", "EX"):
        return records.none()
    return content(records).duplicated()


def content(records: Records) -> pd.DataFrame:
    """Return what a record says: every column but its sequence number and its origin.

    Parameters
    ----------
    records : Records
        The domain.

    Returns
    -------
    pandas.DataFrame
        Text.

    Raises
    ------
    None
    """
    left_out = {f"{records.name}SEQ", f"{records.name}SPID", *ORIGIN}
    return pd.DataFrame({c: records.text(c) for c in records.frame.columns if c not in left_out})


@rule("XD-ORPHAN", severity="stop", needs={"DM": ("USUBJID",)}, effect=_COUNTS)
def _orphan(context: Context) -> Iterator[Hit]:
    """A record belongs to a participant who is not in DM."""
    known = set(context.participants.index)
    for records in context.delivered():
        if records.name == "DM" or not records.has("USUBJID"):
            continue
        who, subjects = records.coded("USUBJID", kind="normal")
        stranger = np.array([*(subject not in known for subject in subjects), False], dtype=bool)
        yield from hits(
            records,
            pd.Series(stranger[who], index=records.frame.index),
            variable="USUBJID",
            expected="a USUBJID of DM",
            message="no such participant in DM; correct the identifier at the source",
        )


@rule("XD-SUPP", severity="stop", effect=("T 14.3.1.1", "T 14.1.2.2"))
def _supplemental_parent(context: Context) -> Iterator[Hit]:
    """A supplemental record has no parent record."""
    for supp in context.delivered():
        if not supp.name.startswith("SUPP") or not supp.has("USUBJID", "IDVAR", "IDVARVAL"):
            continue
        parent = context.records(supp.name.removeprefix("SUPP"))
        if parent.name in context.unread:
            continue
        message = f"no record of {parent.name} with this key; correct IDVAR and IDVARVAL or remove the record"
        yield from hits(supp, _without_parent(supp, parent), variable="IDVARVAL", message=message)


def _without_parent(supp: Records, parent: Records) -> pd.Series:
    found = supp.none()
    who = supp.subjects()
    for idvar in supp.code("IDVAR").dropna().unique():
        pairs = set(zip(parent.subjects(), parent.code(idvar), strict=True))
        mine = pd.Series(list(zip(who, supp.code("IDVARVAL"), strict=True)), index=who.index, dtype=object)
        found |= (supp.code("IDVAR") == idvar) & mine.isin(pairs)
    whole = supp.code("IDVAR").isna() & supp.code("IDVARVAL").isna()
    by_subject = whole & who.isin(set(parent.subjects()))
    return ~(found | by_subject)
