"""The sentence on the limits of interpretation: generated from the rows, the same under every forest."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Literal

from interim.display.numbers import Numbers
from interim.display.rounding import decimal_text
from interim.display.text import Paragraph, Span, Style
from interim.errors import ReportError
from interim.result import Result
from interim.study import Study

Language = Literal["en", "zh-CN"]
_SMALL = 0.001
_STATS = ("n", "r", "k", "m", "gap_pp", "p_any", "p_min_lo", "p_min_hi")


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
    key, texts, _ = _chosen(numbers)
    return _message(key, language, texts).format(**texts)


def limits_paragraph(
    result: Result, study: Study, *, language: Language = "en", style: Style = "box"
) -> Paragraph:
    """Return the sentence as a paragraph whose numbers lead to their rows.

    Parameters
    ----------
    result : Result
        With rows ``limits``.
    study : Study
        Rounding.
    language : {"en", "zh-CN"}
        Language of the report.
    style : {"normal", "note", "box"}
        How it is set.

    Returns
    -------
    Paragraph
        Says that nothing can be compared where nobody or everybody responded, or where no response is available.

    Raises
    ------
    None
    """
    if not (result.frame["variable"] == "limits").any():
        return Paragraph((Span(_messages()["limits_absent"][language]),), style)
    key, texts, ids = _chosen(Numbers(result, study))
    spans = []
    for text, name, _, _ in Formatter().parse(_message(key, language, texts)):
        spans.append(Span(text))
        if name:
            spans.append(Span(texts[name], ids[name]))
    return Paragraph(tuple(span for span in spans if span.text), style)


def _message(key: str, language: Language, texts: dict[str, str]) -> str:
    message = _messages()[key][language]
    if texts["r"] == "1":
        for plural, singular in _messages()["singular"].items():
            message = message.replace(plural, singular)
    return message


def _chosen(numbers: Numbers) -> tuple[str, dict[str, str], dict[str, str]]:
    """Which message, its numbers as printed, and their result ids."""
    rows = {stat: numbers.row(stat, variable="limits") for stat in _STATS}
    found = {stat: row for stat, row in rows.items() if row is not None}
    if len(found) < len(_STATS):
        raise ReportError(
            f"{numbers.result.analysis_id} has no limits of interpretation; a forest cannot stand without them"
        )
    value = {stat: float(row["value"]) for stat, row in found.items()}
    key = "limits_none" if value["r"] == 0 else "limits_every" if value["r"] == value["n"] else "limits"
    texts = {
        stat: _probability(value[stat], numbers) if stat.startswith("p_") else f"{value[stat]:g}"
        for stat in _STATS
    }
    return key, texts, {stat: str(row["result_id"]) for stat, row in found.items()}


def _probability(value: float, numbers: Numbers) -> str:
    if 0 < value < _SMALL:
        return f"< {_SMALL:g}"
    guard = numbers.study.rounding.guard_digits
    return decimal_text(value, digits=3, mode=numbers.mode, guard_digits=guard)
