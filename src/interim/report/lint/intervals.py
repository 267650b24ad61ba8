"""LNT-05 interval: rates with their exact limits, medians of times with theirs, landmarks and curves with enough participants."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from interim.report.content import Figure
from interim.report.lint.bases import declared, filled
from interim.report.lint.model import Checked, LintFinding, Value

MIN_AT_RISK = 3
MIN_CURVE = 5
_WITH_LIMITS = ("rate", "median", "landmark")
_NO_SAMPLE = frozenset(("decisions", "readings", "assessments"))
_CURVE = re.compile(r"\bcurve\b")


def missing_intervals(checked: Checked) -> Iterator[LintFinding]:
    """Find rates and medians without the interval that belongs to them, and landmarks and curves of too few.

    Parameters
    ----------
    checked : Checked
        Documents, results, study.

    Yields
    ------
    LintFinding
        LNT-05.

    Raises
    ------
    None

    Notes
    -----
    A rate is a row with stat ``rate``; a median has an interval where its analysis gives limits at its place or it is a time
    of a Kaplan-Meier estimate. Proportions of counts (``n (%)``) are descriptions and have none.
    """
    for (document, place, _), keys in _by_object(checked).items():
        for key in keys:
            row = checked.rows.get(key)
            if row is None or row.status not in ("OK", "FLAG"):
                continue
            if row.stat in _WITH_LIMITS:
                yield from _limits(checked, (document, place), key, keys)
            yield from _too_few(checked, (document, place), key, row)
    yield from _curves(checked)


def _by_object(checked: Checked) -> Mapping[tuple[str, str, str], dict[str, None]]:
    """Return the printed results of each table, and of each paragraph; figures draw their limits."""
    found: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for printed in checked.printed:
        if printed.role != "alt" and printed.keys:
            paragraph = printed.cell if printed.role == "prose" else ""
            found[printed.document, printed.place, paragraph].update(dict.fromkeys(printed.keys))
    return found


def _limits(
    checked: Checked, where: tuple[str, str], key: str, printed: Mapping[str, None]
) -> Iterator[LintFinding]:
    place, _, stat = key.rpartition("/")
    ends = [f"{place}/{end}" for end in ("lower", "upper")]
    known = [end for end in ends if end in checked.rows]
    row = checked.rows[key]
    if any(end in printed for end in known) or row.unit in _NO_SAMPLE or _printed_elsewhere(checked, row):
        return
    if known or stat == "rate":
        yield LintFinding(
            "LNT-05",
            "interval",
            *where,
            key,
            f"the {stat} is printed without its interval",
            "print the lower and upper limit beside it",
        )


def _printed_elsewhere(checked: Checked, row: Value) -> bool:
    """Tell whether the same rate stands with its interval in the object that is declared for it."""
    for entry in declared("interval", row):
        place = filled(entry["base"], row)
        other = checked.rows.get(f"{place}/rate")
        same = other is not None and (other.n, other.N) == (row.n, row.N)
        if same and f"{place}/lower" in checked.keys:
            return True
    return False


def _too_few(checked: Checked, where: tuple[str, str], key: str, row: Value) -> Iterator[LintFinding]:
    """Find a printed landmark rate with too few at risk."""
    at_risk = checked.rows.get(f"{key.rpartition('/')[0]}/n_risk")
    if row.stat not in ("rate", "landmark") or at_risk is None or at_risk.value >= MIN_AT_RISK:
        return
    if row.value == 0:  # the curve has reached zero: nobody is left to be at risk
        return
    what = f"landmark with {at_risk.value:g} at risk"
    yield LintFinding("LNT-05", "interval", *where, key, what, f"withhold it below {MIN_AT_RISK} at risk")


def _curves(checked: Checked) -> Iterator[LintFinding]:
    """Find curves of a dose column that fewer than five participants make."""
    for document, content in checked.documents.items():
        for figure in content.figures:
            for analysis, group in _drawn(checked, figure):
                size = _size(checked, analysis, group)
                if size is not None and size < MIN_CURVE:
                    what = f"curve of {group} with n={size}"
                    way_out = f"draw curves by dose only from {MIN_CURVE} participants"
                    yield LintFinding("LNT-05", "interval", document, figure.id, "figure", what, way_out)


def _drawn(checked: Checked, figure: Figure) -> list[tuple[str, str]]:
    """Return analysis and dose column of every survival curve of a figure."""
    doses = set(checked.study.cohorts())
    rows = [checked.rows[key] for key in figure.keys if key in checked.rows]
    curves = {(row.analysis, row.group) for row in rows if row.stat == "surv" and _CURVE.search(row.variable)}
    return sorted(pair for pair in curves if pair[1] in doses)


def _size(checked: Checked, analysis: str, group: str) -> int | None:
    sizes = {
        row.n
        for row in checked.rows.values()
        if row.analysis == analysis and row.group == group and row.variable == "population"
    }
    return next(iter(sizes), None)
