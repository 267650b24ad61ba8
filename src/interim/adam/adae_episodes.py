"""Episodes of adverse events: which records are one event."""

from __future__ import annotations

import pandas as pd


def episode_of(events: pd.DataFrame, *, join_overlap: bool) -> pd.Series:
    """Return the first record of the episode of each record.

    Parameters
    ----------
    events : pandas.DataFrame
        USUBJID, AETERM, AEDECOD, ASTDT, AENDT (missing: still going on), SRCSEQ, in the order of their start; AEGRPID where it
        was collected.
    join_overlap : bool
        Whether overlapping records of one term are one episode (``safety.collapse_overlap``).

    Returns
    -------
    pandas.Series of object
        Same index: SRCSEQ of the first record of the episode; its own where it stands alone.

    Raises
    ------
    None

    Notes
    -----
    Records of one AEGRPID are grade changes of one event. Two records overlap if one starts before the other ends, or on the
    same day, as AE-OVERLAP lists them; a chain of overlaps is one episode. Without a term or a start a record stands alone.
    """
    places = pd.Series(range(len(events)), index=events.index)
    links = [_groups(events)] + ([_runs(events)] if join_overlap else [])
    first = places
    while True:
        joined = first
        for link in links:
            joined = joined.groupby([events["USUBJID"], link]).transform("min")
        if joined.equals(first):
            break
        first = joined
    return pd.Series(events["SRCSEQ"].to_numpy()[first.to_numpy(dtype=int)], index=events.index, dtype=object)


def _alone(events: pd.DataFrame) -> pd.Series:
    return pd.Series([f"alone {place}" for place in range(len(events))], index=events.index, dtype=object)


def _groups(events: pd.DataFrame) -> pd.Series:
    """Return what records of one event have in common: AEGRPID."""
    if "AEGRPID" not in events:
        return _alone(events)
    return events["AEGRPID"].astype(object).where(events["AEGRPID"].notna(), _alone(events))


def _runs(events: pd.DataFrame) -> pd.Series:
    """Return the run of overlapping records of one term in which each record lies."""
    term = events["AEDECOD"] if "AEDECOD" in events else pd.Series(None, index=events.index, dtype=object)
    term = term.fillna(events["AETERM"]).str.upper()
    known = events[term.notna() & events["ASTDT"].notna()].assign(TERM=term)
    known = known.sort_values(["USUBJID", "TERM", "ASTDT"], kind="stable")
    keys = [known["USUBJID"], known["TERM"]]
    until = known["AENDT"].fillna(pd.Timestamp.max.normalize()).groupby(keys).cummax().groupby(keys).shift()
    same_day = known["ASTDT"] == known["ASTDT"].groupby(keys).shift()
    new = ~((known["ASTDT"] < until) | same_day)
    number = new.groupby(keys).cumsum().astype(str)
    return (known["TERM"] + " " + number).reindex(events.index).fillna(_alone(events))
