"""LNT-01 typed number: a digit in prose comes from a result, or belongs to a declared pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

from interim.display.prose import without_allowed
from interim.report.lint.model import Checked, LintFinding, Printed, Value

_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_DECIMALS = range(4)


def typed_numbers(checked: Checked) -> Iterator[LintFinding]:
    """Find numbers in running text, headings and text alternatives that no result and no declared pattern explains.

    Parameters
    ----------
    checked : Checked
        Documents, results, study.

    Yields
    ------
    LintFinding
        LNT-01, one per text.

    Raises
    ------
    None
    """
    parameters = _parameters(checked.study.resolved())
    for printed in checked.prose:
        if not _DIGIT.search(printed.text):
            continue
        if printed.role in ("prose", "heading") and not printed.keys:
            left = re.findall(r"\S*\d\S*", without_allowed(printed.text, checked.study))
            if printed.role == "heading" and left:
                left = [word for word in left if word not in checked.participants]
            if left:
                yield _finding(printed, f"typed number {', '.join(left)}")
        elif printed.role == "alt":
            alien = _alien(printed, checked, parameters)
            if alien:
                yield _finding(printed, f"{', '.join(alien)} is no number of the results drawn")


def _finding(printed: Printed, what: str) -> LintFinding:
    way_out = (
        "take it from a result ({key|format}), or declare the pattern with its reason in display/prose.toml"
    )
    return LintFinding("LNT-01", "typed number", *printed[:3], what, way_out)


def _alien(printed: Printed, checked: Checked, parameters: set[str]) -> list[str]:
    """Return the numbers of a text alternative that are neither results, nor parameters, nor counts of marks."""
    rows = [checked.rows[key] for key in printed.keys if key in checked.rows]
    marks = len(rows)
    bare = without_allowed(printed.text, checked.study)
    left = [text for text in _NUMBER.findall(bare) if not (text.isdigit() and int(text) <= marks)]
    if not left:
        return []
    known = _numbers(rows) | parameters
    return [text for text in dict.fromkeys(left) if text not in known]


def _numbers(rows: Iterable[Value]) -> set[str]:
    """Return every way in which the numbers of results can be printed, without sign."""
    found: set[str] = set()
    for row in rows:
        for number in (row.value, row.n, row.N):
            if number is not None and isfinite(number):
                found |= _renderings(number)
        for text in (row.text, row.group, row.variable, row.level, row.analysis):
            found.update(_NUMBER.findall(text or ""))
            found.update(re.findall(r"\d+", text or ""))
    return found


def _renderings(number: float) -> set[str]:
    return {f"{abs(size):.{digits}f}" for size in (number, 100 * number) for digits in _DECIMALS}


def _parameters(values: Any) -> set[str]:
    """Return the numbers of the study parameters as they can be printed."""
    if isinstance(values, dict):
        return set().union(*map(_parameters, values.values())) if values else set()
    if isinstance(values, (list, tuple)):
        return set().union(*map(_parameters, values)) if values else set()
    if isinstance(values, (int, float)) and not isinstance(values, bool) and isfinite(values):
        return _renderings(values)
    return set()
