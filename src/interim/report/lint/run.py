"""Runs all linters and refuses a package with a stop; the place where linters are registered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from interim.errors import ReportError
from interim.report.lint.denominator import wrong_bases, wrong_denominators
from interim.report.lint.flow import broken_flow
from interim.report.lint.intervals import missing_intervals
from interim.report.lint.model import Checked, LintFinding
from interim.report.lint.order import wrong_order
from interim.report.lint.references import broken_references
from interim.report.lint.renderings import two_renderings
from interim.report.lint.typed import typed_numbers
from interim.report.lint.wording import forbidden_words

Linter = Callable[[Checked], Iterator[LintFinding]]

LINTERS: Mapping[str, Linter] = MappingProxyType(
    {
        "typed number": typed_numbers,
        "denominator": wrong_denominators,
        "base": wrong_bases,
        "text = table": two_renderings,
        "flow": broken_flow,
        "interval": missing_intervals,
        "wording": forbidden_words,
        "order": wrong_order,
        "reference": broken_references,
    }
)


def lint(checked: Checked, *, linters: Iterable[str] | None = None) -> tuple[LintFinding, ...]:
    """Return what all linters find.

    Parameters
    ----------
    checked : Checked
        Documents, results, study.
    linters : iterable of str, optional
        Names of linters; default all.

    Returns
    -------
    tuple of LintFinding
        In the order of the linters, each finding once.

    Raises
    ------
    None
    """
    return tuple(dict.fromkeys(finding for name in linters or LINTERS for finding in LINTERS[name](checked)))


def refuse(findings: Iterable[LintFinding]) -> None:
    """Refuse a package in which a linter found a stop.

    Parameters
    ----------
    findings : iterable of LintFinding
        What `lint` returned.

    Returns
    -------
    None

    Raises
    ------
    ReportError
        All stops at once; warnings do not count.
    """
    stops = [finding for finding in findings if finding.severity == "stop"]
    if stops:
        head = f"{len(stops)} finding(s) of the linters; the last report is unchanged:"
        raise ReportError("\n".join([head, *(f"- {finding}" for finding in stops)]))
