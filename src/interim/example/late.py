"""Late data: what becomes known in the month after the cut-off of a synthetic study."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pandas as pd

from interim.example.defects.draft import Draft, Touched, moved

LATE_DAYS = 30
NEWS, CORRECTION = "LATE", "CORRECTION"
_CONTACT, _ENDED, _ANSWERED = 15, 10, 5
_OPEN, _RESOLVED = "NOT RECOVERED/NOT RESOLVED", "RECOVERED/RESOLVED"


def late_data(
    frames: Mapping[str, pd.DataFrame], cut: date
) -> tuple[dict[str, pd.DataFrame], tuple[Touched, ...]]:
    """Return a study as a delivery of a month after its cut-off would hold it.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Domains at the cut-off.
    cut : datetime.date
        The cut-off.

    Returns
    -------
    tuple of (dict of str to pandas.DataFrame, tuple of Touched)
        The domains: survivors were contacted again, open events have ended, open queries are answered, and the start of one
        earlier disease was corrected; every change, named LATE or CORRECTION. As of the cut-off the domains are the given
        ones, but for the corrections.

    Raises
    ------
    None
    """
    draft = Draft(frames)
    _contacts(draft, cut)
    _ends(draft, cut)
    _answers(draft, cut)
    _correction(draft)
    place = draft.place("TS", TSPARMCD="DCUTDTC")
    draft.set("TS", place, TSVAL=(cut + timedelta(days=LATE_DAYS)).isoformat())
    return draft.frames, tuple(_named(line) for line in draft.ledger)


def _named(line: Touched) -> Touched:
    kind = CORRECTION if line.domain == "MH" else NEWS
    return Touched(kind, line.domain, line.subject, line.key, line.variable, line.before, line.after)


def _contacts(draft: Draft, cut: date) -> None:
    """Add a contact to each survivor whose last one was at the end of the observation."""
    status = draft.frames["SS"]
    last = status.drop_duplicates("USUBJID", keep="last")
    day = (cut + timedelta(days=_CONTACT)).isoformat()
    for place in last.index[last["SSSTRESC"] == "ALIVE"]:
        if cut - timedelta(days=_CONTACT) <= date.fromisoformat(last.loc[place, "SSDTC"][:10]):
            draft.copy("SS", int(place), SSDTC=day)


def _ends(draft: Draft, cut: date) -> None:
    """End the open events of the living."""
    dead = set(draft.frames["DM"].loc[draft.frames["DM"]["DTHFL"] == "Y", "USUBJID"])
    events = draft.frames["AE"]
    mine = events["AEENDTC"].isna() & (events["AEOUT"] == _OPEN) & ~events["USUBJID"].isin(dead)
    for place in events.index[mine]:
        day = (cut + timedelta(days=_ENDED)).isoformat()
        draft.set("AE", int(place), AEENDTC=day, AEOUT=_RESOLVED)


def _answers(draft: Draft, cut: date) -> None:
    queries = draft.frames["QUERY"]
    for place in queries.index[queries["QSTATUS"] == "OPEN"]:
        day = (cut + timedelta(days=_ANSWERED)).isoformat()
        draft.set("QUERY", int(place), QSTATUS="CLOSED", QENDTC=day)


def _correction(draft: Draft) -> None:
    """Move the start of the first disease before the study to the year before."""
    history = draft.frames["MH"]
    for place in history.index[history["MHCAT"] == "GENERAL"][:1]:
        year = history.loc[place, "MHSTDTC"][:4]
        draft.set("MH", int(place), MHSTDTC=moved(f"{year}-01-01", -1)[:4])
