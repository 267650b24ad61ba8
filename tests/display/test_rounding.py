"""Rounding against rational arithmetic."""

from __future__ import annotations

import json
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interim.display.rounding import count_text, decimal_text, percent_text, rate_text
from interim.errors import ReportError

PACK = json.loads(
    (Path(__file__).resolve().parents[1] / "reference" / "clinical" / "reference_numbers.json").read_text(
        encoding="utf-8"
    )
)


def half_up(value: Fraction, digits: int) -> str:
    units = floor(value * 10**digits + Fraction(1, 2))
    whole, rest = divmod(units, 10**digits)
    return f"{whole}.{rest:0{digits}d}" if digits else f"{whole}"


@pytest.mark.rule("DISP-01", source="exact rational arithmetic; complete list of traps for n <= 60")
@pytest.mark.parametrize("digits", [0, 1, 2])
def test_every_pair_up_to_sixty(digits):
    for n in range(1, 61):
        for x in range(n + 1):
            assert percent_text(x, n, digits=digits) == half_up(Fraction(100 * x, n), digits), (x, n)


@pytest.mark.rule("DISP-01", source="exact rational arithmetic; complete list of traps for n <= 60")
@pytest.mark.parametrize(
    ("block", "digits"), [("rounding_trap_1_decimal", 1), ("rounding_trap_0_decimals", 0)]
)
def test_the_pairs_where_binary_numbers_go_wrong(block, digits):
    for x, n, binary, right in PACK[block]["values"]["all"]:
        assert percent_text(x, n, digits=digits) == str(right) != str(binary)


@pytest.mark.rule("DISP-01")
def test_halves_to_even_on_request():
    assert [percent_text(x, 8, digits=0, mode="half_even") for x in (1, 3, 5)] == ["12", "38", "62"]


@pytest.mark.rule("DISP-02")
@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.1 + 0.2, 1, "0.3"),
        (2.675, 2, "2.68"),
        (1.005, 2, "1.01"),
        (-0.5, 0, "-1"),
        (-0.04, 1, "0.0"),
        (1e-9, 3, "0.000"),
        (123456.5, 0, "123457"),
        (1e15, 0, "1000000000000000"),
    ],
)
def test_decimal_rounding(value, digits, text):
    assert decimal_text(value, digits=digits) == text


@pytest.mark.rule("DISP-02")
@given(st.decimals(min_value=-1000, max_value=1000, places=4), st.integers(0, 3))
def test_decimals_agree_with_rational_arithmetic(number, digits):
    exact = Fraction(str(number))
    expected = half_up(abs(exact), digits)
    sign = "-" if exact < 0 and Fraction(expected) else ""
    assert decimal_text(float(number), digits=digits) == sign + expected


@pytest.mark.rule("DISP-02")
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(ReportError, match="finite"):
        decimal_text(value, digits=1)


@pytest.mark.rule("DISP-03")
@pytest.mark.parametrize(
    ("x", "n", "count", "rate"),
    [
        (0, 9, "0/9", "0/9"),
        (1, 9, "1/9 (11%)", "1/9 (11%)"),
        (9, 9, "9/9 (100%)", "9/9 (100%)"),
        (0, 10, "0", "0/10"),
        (1, 10, "1 (10.0%)", "1/10 (10.0%)"),
        (10, 10, "10 (100%)", "10/10 (100%)"),
        (0, 0, "0", "0/0"),
    ],
)
def test_counts_and_rates(x, n, count, rate):
    assert (count_text(x, n), rate_text(x, n)) == (count, rate)


@pytest.mark.rule("DISP-03")
@pytest.mark.parametrize(("x", "n"), [(3, 2), (-1, 4), (1, -1)])
def test_impossible_counts_are_refused(x, n):
    with pytest.raises(ReportError, match="x ="):
        percent_text(x, n)
