"""Phases of treatment: in which phase an event began, and how long after which infusion."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from interim.study import Study

POST = "POST"


def phase_starts(adex: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return when each phase of each participant starts.

    Parameters
    ----------
    adex : pandas.DataFrame
        ADEX.
    study : Study
        ``safety.teae_end_days``: POST starts the day after that many days from the last infusion; none: there is no POST.

    Returns
    -------
    pandas.DataFrame
        One row per participant and phase, in the order of their start: USUBJID, APHASE, PHSDT, PHSDTM (missing if an
        infusion of that day has no time), RANK (0 for the first).

    Raises
    ------
    None
    """
    keys = ["USUBJID", "APHASE"]
    first = adex["ASTDT"] == adex.groupby(keys)["ASTDT"].transform("min")
    group = adex[first].groupby(keys, sort=True)
    starts = (
        pd.DataFrame(
            {
                "PHSDT": group["ASTDT"].min(),
                "PHSDTM": group["ASTDTM"].agg(lambda values: values.min(skipna=False)),
            }
        )
        .astype("datetime64[ns]")
        .reset_index()
    )
    if study.safety.teae_end_days != "none" and len(adex):
        ends = adex["AENDT"].fillna(adex["ASTDT"]).groupby(adex["USUBJID"]).max()
        after = ends + pd.Timedelta(study.safety.teae_end_days + 1, unit="D")
        post = pd.DataFrame(
            {"USUBJID": after.index, "APHASE": POST, "PHSDT": after.to_numpy(), "PHSDTM": pd.NaT}
        )
        starts = pd.concat([starts, post.astype({"PHSDTM": "datetime64[ns]"})], ignore_index=True)
    starts = starts.sort_values(["USUBJID", "PHSDT", "PHSDTM", "APHASE"], kind="stable").reset_index(
        drop=True
    )
    return starts.assign(RANK=starts.groupby("USUBJID").cumcount())


def phase_of(
    events: pd.DataFrame, starts: pd.DataFrame, *, same_day: Literal["earlier", "later"] = "earlier"
) -> pd.DataFrame:
    """Return the phase in which each event began.

    Parameters
    ----------
    events : pandas.DataFrame
        USUBJID, ASTDT, ASTDTM.
    starts : pandas.DataFrame
        As `phase_starts` gives them.
    same_day : {"earlier", "later"}
        Phase of an event without a time on the day on which a phase starts.

    Returns
    -------
    pandas.DataFrame
        Same index; APHASE (None before the first phase, without start date, or untreated), APHAMBFL (Y: began on the day
        on which a later phase starts, and the times do not tell).

    Raises
    ------
    None

    Notes
    -----
    Before the first phase there is no earlier one: an event without a time on its first day belongs to it.
    """
    phase = pd.Series(None, index=events.index, dtype=object)
    doubtful = pd.Series(False, index=events.index)
    for rank in sorted(starts["RANK"].unique()):
        part = starts[starts["RANK"] == rank].set_index("USUBJID").reindex(events["USUBJID"])
        day = pd.Series(part["PHSDT"].to_numpy(), index=events.index)
        moment = pd.Series(part["PHSDTM"].to_numpy(), index=events.index)
        name = pd.Series(part["APHASE"].to_numpy(), index=events.index, dtype=object)
        timed = events["ASTDTM"].notna() & moment.notna()
        unclear = (events["ASTDT"] == day) & ~timed & (rank > 0) & (name != POST)
        earlier = unclear & (same_day == "earlier")
        inside = (events["ASTDTM"] >= moment).where(timed, (events["ASTDT"] >= day) & ~earlier)
        phase = name.where(inside, phase)
        doubtful |= unclear
    flag = doubtful.map({True: "Y", False: "N"}).astype(object)
    return pd.DataFrame({"APHASE": phase.where(phase.notna(), None), "APHAMBFL": flag})


def days_since_infusion(events: pd.DataFrame, adex: pd.DataFrame) -> pd.Series:
    """Return the days from the latest infusion on or before the onset.

    Parameters
    ----------
    events : pandas.DataFrame
        USUBJID, ASTDT, APHASE.
    adex : pandas.DataFrame
        ADEX.

    Returns
    -------
    pandas.Series of float64
        Same index; 0 on the day of the infusion; NaN before the first.

    Raises
    ------
    None
    """
    rows = events[["USUBJID", "ASTDT"]].rename_axis("ROW").reset_index().dropna(subset=["ASTDT"])
    given = adex[["USUBJID", "ASTDT"]].rename(columns={"ASTDT": "GIVEN"}).drop_duplicates()
    pairs = rows.merge(given, on="USUBJID", how="inner", validate="m:m")
    pairs = pairs[pairs["GIVEN"] <= pairs["ASTDT"]]
    days = (pairs["ASTDT"] - pairs["GIVEN"]).dt.days.groupby(pairs["ROW"]).min()
    return days.reindex(events.index).astype("float64")
