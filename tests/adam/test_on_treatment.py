"""The on-treatment flag."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.on_treatment import flag_on_treatment


def times(*texts):
    return pd.Series(pd.to_datetime(list(texts), format="ISO8601")).astype("datetime64[ns]")


@pytest.mark.rule("DERIV-01")
@pytest.mark.parametrize(
    ("start", "end", "window", "with_time", "expected"),
    [
        ("2020-01-10", None, 0, False, "Y"),
        ("2020-01-09", None, 0, False, None),
        ("2020-03-01", None, 0, False, "Y"),
        ("2020-03-02", None, 0, False, None),
        ("2020-03-02", None, 1, False, "Y"),
        ("2020-03-01T13:00", None, 0, False, "Y"),
        ("2020-03-01T13:00", None, 0, True, None),
        (None, None, 0, False, "Y"),
        (None, "2020-01-09", 0, False, None),
        (None, "2020-01-11", 0, False, "Y"),
    ],
)
def test_flag(start, end, window, with_time, expected):
    first, last = times("2020-01-10"), times("2020-03-01T12:00")
    found = flag_on_treatment(
        times(start), first, end=times(end), treatment_end=last, window_days=window, with_time=with_time
    )
    assert found.tolist() == [expected]
    untreated = flag_on_treatment(times(start), times(None))
    assert untreated.tolist() == [None]
