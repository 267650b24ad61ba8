from __future__ import annotations

import pytest
from scipy.stats import poisson

from interim.stats.poisson import poisson_interval


# Garwood 1936, table of exact 95 % limits of a Poisson mean.
@pytest.mark.rule("SAF-17", source="Garwood 1936")
@pytest.mark.parametrize(
    ("events", "lower", "upper"),
    [
        (0, 0.0, 3.6889),
        (1, 0.0253, 5.5716),
        (5, 1.6235, 11.6683),
        (10, 4.7954, 18.3904),
        (20, 12.2165, 30.8884),
    ],
)
def test_published_limits(events, lower, upper):
    limits = poisson_interval(events, 1.0)
    assert (limits.lower, limits.upper) == (pytest.approx(lower, abs=5e-5), pytest.approx(upper, abs=5e-5))


@pytest.mark.parametrize("events", [0, 1, 7])
def test_the_limits_are_those_at_which_the_tails_hold_half_the_error(events):
    limits = poisson_interval(events, 2.5, level=0.9)
    assert poisson.cdf(events, limits.upper * 2.5) == pytest.approx(0.05)
    if events:
        assert poisson.sf(events - 1, limits.lower * 2.5) == pytest.approx(0.05)


@pytest.mark.parametrize(("events", "time", "level"), [(-1, 1, 0.95), (1, 0, 0.95), (1, 1, 1.0)])
def test_arguments_outside_their_range_are_named(events, time, level):
    with pytest.raises(ValueError, match="time > 0"):
        poisson_interval(events, time, level=level)
