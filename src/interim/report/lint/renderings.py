"""LNT-03 text = table: every x/n is that of its result, and no result is printed in two ways."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from interim.report.lint.denominator import RATIO
from interim.report.lint.model import Checked, LintFinding, Printed, Value, shown

_DIGITS = re.compile(r"\d+")
_FRACTION = re.compile(r"(?<=\.)\d+")


def two_renderings(checked: Checked) -> Iterator[LintFinding]:
    """Find x/n that differ from their result, and results that are printed with different numbers.

    Parameters
    ----------
    checked : Checked
        Documents, results, study.

    Yields
    ------
    LintFinding
        LNT-03; for two renderings both places and texts.

    Raises
    ------
    None

    Notes
    -----
    A result may be printed in several layouts, such as ``3/18`` and ``3/18 (17%)``; within one layout, digits and decimals
    the text is one.
    """
    first: dict[tuple[str, str], Printed] = {}
    for printed in checked.printed:
        if printed.keys and printed.role not in ("alt", "stub"):
            yield from _wrong_ratio(printed, checked)
        if len(printed.keys) == 1 and printed.role != "alt" and _DIGITS.search(printed.text):
            place = (printed.keys[0], _layout(printed, checked))
            other = first.setdefault(place, printed)
            if other.text.strip() != printed.text.strip():
                yield _finding(printed, f"{shown(printed.text)!r} for {place[0]}, {_said(other)}")
    yield from _unknown_keys(checked)


def _said(other: Printed) -> str:
    return f"but {shown(other.text)!r} in {other.document}, {other.place}, {other.cell}"


def _layout(printed: Printed, checked: Checked) -> str:
    """Return the form of a text: whole numbers as 0, decimals by their number of digits; a bare size apart from its count."""
    text = printed.text.strip()
    row = checked.rows.get(printed.keys[0])
    if row is not None and row.n != row.N and text == str(row.N):
        return "N"
    kept = _FRACTION.sub(lambda match: "x" * len(match[0]), text)
    return _DIGITS.sub("0", kept)


def _wrong_ratio(printed: Printed, checked: Checked) -> Iterator[LintFinding]:
    ratios = RATIO.findall(printed.text)
    if not ratios:
        return
    rows = [checked.rows[key] for key in printed.keys if key in checked.rows]
    for x, n in ratios:
        if not any(_states(row, x, n) for row in rows):
            yield _finding(printed, f"{x}/{n} is not what {', '.join(printed.keys[:3])} states")


def _states(row: Value, x: str, n: str) -> bool:
    return (str(row.n), str(row.N)) == (x, n) or f"{x}/{n}" in (row.text or "")


def _unknown_keys(checked: Checked) -> Iterator[LintFinding]:
    """Yield texts whose result does not exist, once per place."""
    lost: dict[tuple[str, str], list[str]] = defaultdict(list)
    for printed in checked.printed:
        for key in printed.keys:
            if key not in checked.rows:
                lost[printed.document, printed.place].append(key)
    for (document, place), keys in lost.items():
        what = f"names {len(keys)} unknown results: {', '.join(keys[:3])}"
        yield LintFinding(
            "LNT-03", "text = table", document, place, "", what, "make it from this run's results"
        )


def _finding(printed: Printed, what: str) -> LintFinding:
    return LintFinding(
        "LNT-03", "text = table", *printed[:3], what, "print both from the same result and format"
    )
