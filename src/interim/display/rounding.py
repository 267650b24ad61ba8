"""Rounding, once and only here: percentages from integers, other numbers in decimal arithmetic."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Literal

from interim.errors import ReportError

Mode = Literal["half_up", "half_even"]
SMALL_N = 10
_WIDE = Context(prec=60)


def percent_text(x: int, n: int, *, digits: int = 1, mode: Mode = "half_up") -> str:
    """Return 100 x/n as text, rounded in integer arithmetic.

    Parameters
    ----------
    x, n : int
        Count and denominator, 0 <= x <= n, n >= 1.
    digits : int
        Decimals, >= 0.
    mode : {"half_up", "half_even"}
        What happens to a tie.

    Returns
    -------
    str
        Without the per cent sign.

    Raises
    ------
    ReportError
        If x and n are no count and denominator.

    Examples
    --------
    >>> percent_text(1, 16), percent_text(1, 8, digits=0), percent_text(1, 8, digits=0, mode="half_even")
    ('6.3', '13', '12')
    """
    if n < 1 or not 0 <= x <= n or int(x) != x or int(n) != n:
        raise ReportError(f"a percentage needs whole numbers 0 <= x <= n, n >= 1; found x = {x}, n = {n}")
    scale = 10**digits
    units, rest = divmod(100 * scale * int(x), int(n))
    if 2 * rest > n or (2 * rest == n and (mode == "half_up" or units % 2)):
        units += 1
    whole, fraction = divmod(units, scale)
    return f"{whole}.{fraction:0{digits}d}" if digits else f"{whole}"


def decimal_text(value: float, *, digits: int, mode: Mode = "half_up", guard_digits: int = 12) -> str:
    """Return a number with a fixed number of decimals.

    Parameters
    ----------
    value : float
        Finite.
    digits : int
        Decimals, >= 0.
    mode : {"half_up", "half_even"}
        What happens to a tie; half_up is away from zero.
    guard_digits : int
        Significant digits to which the number is taken first, so that binary noise decides no tie.

    Returns
    -------
    str
        Never a negative zero.

    Raises
    ------
    ReportError
        If the value is not finite.

    Examples
    --------
    >>> decimal_text(2.675, digits=2), decimal_text(-0.04, digits=1), decimal_text(-2.5, digits=0)
    ('2.68', '0.0', '-3')
    """
    exact = Decimal(float(value))
    if not exact.is_finite():
        raise ReportError(f"a printed number must be finite, found {value}; give the row a status instead")
    guarded = Context(prec=guard_digits, rounding=ROUND_HALF_EVEN).plus(exact)
    rule = ROUND_HALF_UP if mode == "half_up" else ROUND_HALF_EVEN
    rounded = guarded.quantize(Decimal(1).scaleb(-digits), rounding=rule, context=_WIDE)
    return f"{abs(rounded) if rounded == 0 else rounded:f}"


def count_text(x: int, n: int, *, mode: Mode = "half_up") -> str:
    """Return a count of a column: ``n (xx.x%)``, or ``x/n (xx%)`` where the column is small.

    Parameters
    ----------
    x, n : int
        Count and size of the column.
    mode : {"half_up", "half_even"}
        Rounding of ties.

    Returns
    -------
    str
        Nought without a percentage, all as ``(100%)``.

    Raises
    ------
    ReportError
        If x and n are no count and denominator.

    Examples
    --------
    >>> count_text(1, 16), count_text(1, 8), count_text(0, 16), count_text(0, 8), count_text(15, 15), count_text(0, 0)
    ('1 (6.3%)', '1/8 (13%)', '0', '0/8', '15 (100%)', '0')
    """
    return f"{x}{_percent(x, n, mode)}" if n >= SMALL_N or n == 0 else rate_text(x, n, mode=mode)


def rate_text(x: int, n: int, *, mode: Mode = "half_up") -> str:
    """Return a rate, always with its fraction.

    Parameters
    ----------
    x, n : int
        Count and denominator.
    mode : {"half_up", "half_even"}
        Rounding of ties.

    Returns
    -------
    str
        ``x/n (xx.x%)``, without decimals where n is small.

    Raises
    ------
    ReportError
        If x and n are no count and denominator.

    Examples
    --------
    >>> rate_text(2, 15), rate_text(1, 6), rate_text(0, 3), rate_text(3, 3), rate_text(0, 0)
    ('2/15 (13.3%)', '1/6 (17%)', '0/3', '3/3 (100%)', '0/0')
    """
    return f"{x}/{n}{_percent(x, n, mode)}"


def _percent(x: int, n: int, mode: Mode) -> str:
    if x == 0:
        return ""
    if x == n:
        return " (100%)"
    return f" ({percent_text(x, n, digits=1 if n >= SMALL_N else 0, mode=mode)}%)"
