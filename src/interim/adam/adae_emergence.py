"""Treatment emergence: which adverse events began or worsened on treatment, and why each is counted or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from interim.study import Study

INPUTS = (
    "SUBJECT",
    "START",
    "STARTM",
    "END",
    "ENDM",
    "T0",
    "T0M",
    "T1",
    "NACT",
    "RELATED",
    "GRADE",
    "GRADE0",
    "EVENT",
)


@dataclass(frozen=True)
class EmergenceRule:
    """When an event counts as treatment emergent.

    Attributes
    ----------
    end_days : int or None
        Days after the last dose until which a start counts; None: no limit.
    stop_at_nact : bool
        A start on or after the new therapy does not count.
    related_unlimited : bool
        Related events count without these limits.
    worsening : bool
        An event from before treatment counts once its grade exceeds the one at the first dose.
    """

    end_days: int | None
    stop_at_nact: bool
    related_unlimited: bool
    worsening: bool

    @classmethod
    def of(cls, study: Study) -> EmergenceRule:
        """Return the rule of a study.

        Parameters
        ----------
        study : Study
            ``[safety]``.

        Returns
        -------
        EmergenceRule
            Its ``teae_`` parameters.

        Raises
        ------
        None
        """
        safety = study.safety
        days = None if safety.teae_end_days == "none" else safety.teae_end_days
        return cls(days, safety.teae_stop_at_nact, safety.teae_related_unlimited, safety.teae_worsening)


def before(
    day: pd.Series, moment: pd.Series, *, reference: pd.Series, reference_moment: pd.Series
) -> pd.Series:
    """Tell where an instant lies before a reference.

    Parameters
    ----------
    day, moment : pandas.Series of datetime64
        Date, and date-time where the time is known.
    reference, reference_moment : pandas.Series of datetime64
        The same for the reference.

    Returns
    -------
    pandas.Series of bool
        By date-time where both have one, else by date; False where a date is missing.

    Raises
    ------
    None
    """
    timed = moment.notna() & reference_moment.notna()
    return (moment < reference_moment).where(timed, day < reference)


def emergence(events: pd.DataFrame, rule: EmergenceRule) -> pd.DataFrame:
    """Decide for each event whether it is treatment emergent.

    Parameters
    ----------
    events : pandas.DataFrame
        Columns `INPUTS`: SUBJECT; START, END, T0 (first dose), T1 (last dose), NACT (new therapy) as dates; STARTM, ENDM,
        T0M as date-times where known; RELATED (Y or not); GRADE and GRADE0 (grade at the first dose); EVENT (rows that are
        grade changes of one event share it; None: a row of its own).
    rule : EmergenceRule
        The rule.

    Returns
    -------
    pandas.DataFrame
        Same index; FLAG (Y/N), REASON (TE-NOTRT, TE-BEFORE, TE-NOSTART, TE-ON, TE-LATE, TE-RELATED, TE-WORSE, TE-PRE).

    Raises
    ------
    None

    Notes
    -----
    The cases are asked in this order: not treated; ended before the first dose; start unknown (counts); a later grade of an
    event from before treatment; start on treatment; start before with a higher grade on treatment. An event on the day of
    the first dose without a time is on treatment.
    """
    dose = {"reference": events["T0"], "reference_moment": events["T0M"]}
    early = before(events["START"], events["STARTM"], **dose)
    ended = before(events["END"], events["ENDM"], **dose)
    window = _in_window(events, rule)
    related = (events["RELATED"] == "Y") & rule.related_unlimited
    carried, worse = _grade_changes(events, early)
    higher = (events["GRADE"] > events["GRADE0"]) & rule.worsening
    cases = [
        (events["T0"].isna(), "N", "TE-NOTRT"),
        (ended, "N", "TE-BEFORE"),
        (events["START"].isna(), "Y", "TE-NOSTART"),
        (carried & ~(worse & rule.worsening), "N", "TE-PRE"),
        (carried & (window | related), "Y", "TE-WORSE"),
        (~early & window, "Y", "TE-ON"),
        (~early & related, "Y", "TE-RELATED"),
        (~early, "N", "TE-LATE"),
        (higher, "Y", "TE-WORSE"),
    ]
    conditions = [condition.to_numpy(dtype=bool) for condition, _, _ in cases]
    return pd.DataFrame(
        {
            "FLAG": np.select(conditions, [flag for _, flag, _ in cases], "N").astype(object),
            "REASON": np.select(conditions, [reason for _, _, reason in cases], "TE-PRE").astype(object),
        },
        index=events.index,
    )


def _in_window(events: pd.DataFrame, rule: EmergenceRule) -> pd.Series:
    inside = pd.Series(True, index=events.index)
    if rule.end_days is not None:
        last = events["T1"] + pd.Timedelta(rule.end_days, unit="D")
        inside &= last.isna() | (events["START"] <= last)
    if rule.stop_at_nact:
        inside &= events["NACT"].isna() | (events["START"] < events["NACT"])
    return inside


def _grade_changes(events: pd.DataFrame, early: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return which rows continue an event from before treatment, and which of them are at or after its first worsening."""
    none = pd.Series(False, index=events.index)
    grouped = events[events["EVENT"].notna() & events["START"].notna()]
    if grouped.empty:
        return none, none
    keys = ["SUBJECT", "EVENT"]
    rows = grouped.assign(EARLY=early).sort_values([*keys, "START", "STARTM", "GRADE"], kind="stable")
    at_start = rows[rows["EARLY"]].groupby(keys, sort=False)["GRADE"].last().rename("AT_START").reset_index()
    began = rows[rows["EARLY"]].groupby(keys, sort=False).size().rename("BEGAN").reset_index()
    rows = rows.reset_index(names="ROW").merge(at_start, on=keys, how="left", validate="m:1")
    rows = rows.merge(began, on=keys, how="left", validate="m:1").set_index("ROW")
    continues = rows["BEGAN"].notna() & ~rows["EARLY"]
    exceeds = continues & (rows["GRADE"] > rows["AT_START"])
    reached = exceeds.astype(int).groupby([rows["SUBJECT"], rows["EVENT"]]).cummax().astype(bool)
    carried = continues.reindex(events.index, fill_value=False)
    return carried, (reached & continues).reindex(events.index, fill_value=False)
