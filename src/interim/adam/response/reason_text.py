"""Reason texts: the sentence of a reason code, with the numbers that were compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from interim.adam.source import shipped_data

NUMBER_UNKNOWN = "unknown"


def reason_text(codes: Iterable[str], **operands: Any) -> str | None:
    """Return the sentence of one or more reason codes.

    Parameters
    ----------
    codes : iterable of str
        Reason codes, the deciding one first.
    **operands : object
        total, baseline, nadir, missing, date, confirmed, and parameters named in the sentence.

    Returns
    -------
    str or None
        The sentences, joined by ``; ``; None without a code.

    Raises
    ------
    KeyError
        If a code is unknown, or a sentence names an operand that is not given.

    Examples
    --------
    >>> reason_text(["T-PD-SUM"], total=millimetres(110.0), nadir=millimetres(91.0))
    'sum 110 mm against nadir 91 mm'
    """
    texts = shipped_data("response/reasons")["text"]
    return "; ".join(texts[code].format(**operands) for code in codes) or None


def millimetres(value: float | None) -> str:
    """Return a length for a sentence.

    Parameters
    ----------
    value : float or None
        Millimetres.

    Returns
    -------
    str
        Up to six significant digits; ``unknown`` for None.

    Raises
    ------
    None
    """
    return NUMBER_UNKNOWN if value is None else f"{value:g}"
