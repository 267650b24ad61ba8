"""On-treatment flag: whether something began during treatment."""

from __future__ import annotations

import pandas as pd


def flag_on_treatment(
    start: pd.Series,
    treatment_start: pd.Series,
    *,
    end: pd.Series | None = None,
    treatment_end: pd.Series | None = None,
    window_days: int = 0,
    with_time: bool = False,
) -> pd.Series:
    """Return Y for what began on or after the start of treatment and not after its end.

    Parameters
    ----------
    start : pandas.Series of datetime64
        Start; missing counts as on treatment unless the end is known to lie before the treatment.
    treatment_start : pandas.Series of datetime64
        Start of treatment; missing: no flag.
    end, treatment_end : pandas.Series of datetime64, optional
        End of the event and of the treatment.
    window_days : int
        Days after the end of treatment that still count.
    with_time : bool
        Whether the time of day counts when compared with the end of treatment.

    Returns
    -------
    pandas.Series of object
        Y or None, same index.

    Raises
    ------
    None

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2020-01-01", None]))
    >>> flag_on_treatment(days, pd.Series(pd.to_datetime(["2020-01-01", "2020-01-01"]))).tolist()
    ['Y', 'Y']
    """
    unknown = start.isna()
    if end is not None:
        unknown &= ~(end < treatment_start)
    begun = treatment_start.notna() & (unknown | (start >= treatment_start))
    if treatment_end is not None:
        limit = treatment_end + pd.Timedelta(days=window_days)
        last, moment = (limit, start) if with_time else (limit.dt.normalize(), start.dt.normalize())
        begun &= ~(moment > last)
    return pd.Series("Y", index=start.index, dtype=object).where(begun, None)
