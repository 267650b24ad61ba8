"""The sentence on the limits of interpretation: generated from the rows, the same under every forest."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from interim.display.numbers import Numbers
from interim.display.rounding import decimal_text
from interim.errors import ReportError

Language = Literal["en", "zh-CN"]
_SMALL = 0.001


@cache
def _messages() -> dict[str, dict[str, str]]:
    text = files("interim.display").joinpath("subgroups_sentence.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def limits_sentence(numbers: Numbers, *, language: Language = "en") -> str:
    """Return what these participants and responders can show at best.

    Parameters
    ----------
    numbers : Numbers
        A Result with rows ``limits``.
    language : {"en", "zh-CN"}
        Language of the report.

    Returns
    -------
    str
        Another sentence where nobody or everybody responded.

    Raises
    ------
    ReportError
        If the Result has no such rows: a forest must not stand without the sentence.
    """
    stats = ("n", "r", "k", "m", "gap_pp", "p_any", "p_min_lo", "p_min_hi")
    rows = {stat: numbers.row(stat, variable="limits") for stat in stats}
    found = {stat: float(row["value"]) for stat, row in rows.items() if row is not None}
    if len(found) < len(stats):
        raise ReportError(
            f"{numbers.result.analysis_id} has no limits of interpretation; a forest cannot stand without them"
        )
    key = "limits_none" if found["r"] == 0 else "limits_every" if found["r"] == found["n"] else "limits"
    texts = {stat: f"{found[stat]:g}" for stat in ("n", "r", "k", "m", "gap_pp")}
    for stat in ("p_any", "p_min_lo", "p_min_hi"):
        texts[stat] = _probability(found[stat], numbers)
    return _messages()[key][language].format(**texts)


def _probability(value: float, numbers: Numbers) -> str:
    if 0 < value < _SMALL:
        return f"< {_SMALL:g}"
    guard = numbers.study.rounding.guard_digits
    return decimal_text(value, digits=3, mode=numbers.mode, guard_digits=guard)
