"""The error tree, and the two records that errors carry: a problem of a parameter file, a finding in the data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["stop", "warn", "info"]
_ORDER = {"stop": 0, "warn": 1, "info": 2}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a parameter file.

    Attributes
    ----------
    path : str
        Key path, for example ``response.pr_pct``.
    message : str
        What was expected and what was found.
    file : str
        File that holds the key.
    line : int or None
        Line in that file, 1-based.
    """

    path: str
    message: str
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        """Return ``file:line key path: message``."""
        where = f"{self.file}:{self.line} " if self.line else (f"{self.file} " if self.file else "")
        return f"{where}{self.path}: {self.message}"


@dataclass(frozen=True)
class Finding:
    """One thing that a check found in the data.

    Attributes
    ----------
    rule : str
        Rule id, for example ``XD-ORPHAN``.
    severity : {"stop", "warn", "info"}
        stop ends the run, warn marks what it touches, info is listed.
    domain : str
        SDTM domain or ADaM dataset.
    message : str
        What is wrong and what to do, in one sentence.
    subject : str or None
        USUBJID.
    key : tuple of str
        Natural key of the record within the domain.
    variable, value, expected : str or None
        Variable, value found and value expected.
    effect : tuple of str
        Ids of the tables and figures that the finding can move.
    file : str or None
        Source file.
    row : int or None
        Line (text files) or record number in the source file.
    status : str
        What became of it since earlier cuts: new, open, changed, accepted, "fixed, still found"; "" if no answers are kept.
    """

    rule: str
    severity: Severity
    domain: str
    message: str
    subject: str | None = None
    key: tuple[str, ...] = ()
    variable: str | None = None
    value: str | None = None
    expected: str | None = None
    effect: tuple[str, ...] = ()
    file: str | None = None
    row: int | None = None
    status: str = ""

    @property
    def id(self) -> str:
        """Stable id: a hash of rule, domain, subject, key and variable, never of the row order."""
        text = "\x1f".join([self.rule, self.domain, self.subject or "", *self.key, self.variable or ""])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def order(self) -> tuple[int, str, str, str, tuple[str, ...], str]:
        """Sort key: severity first, then rule, domain, subject, key, variable."""
        return (
            _ORDER[self.severity],
            self.rule,
            self.domain,
            self.subject or "",
            self.key,
            self.variable or "",
        )

    def __str__(self) -> str:
        """Return one line with severity, rule, place and message."""
        row = f" row {self.row}" if self.row is not None else ""
        place = f"{self.file}{row}" if self.file else self.domain
        who = f" {self.subject}" if self.subject else ""
        what = f" {self.variable} = {self.value!r}" if self.variable and self.value is not None else ""
        line = f"{self.severity.upper():4} {self.rule} [{place}]{who}{what}: {self.message}"
        return line if line.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


class InterimError(Exception):
    """Root of all errors that this package raises on purpose; its text is meant for the user."""


class StudyError(InterimError):
    """The study file (or a file that it names) is wrong.

    Parameters
    ----------
    problems : iterable of Problem, or str
        Everything that is wrong, listed at once.
    """

    def __init__(self, problems: Iterable[Problem] | str) -> None:
        self.problems: tuple[Problem, ...] = () if isinstance(problems, str) else tuple(problems)
        lines = [problems] if isinstance(problems, str) else [str(p) for p in self.problems]
        head = [] if len(lines) == 1 else [f"{len(lines)} problems in the study parameters:"]
        super().__init__("\n".join(head + lines))


class DataError(InterimError):
    """The data cannot be used; carries every finding, sorted.

    Parameters
    ----------
    findings : iterable of Finding
        All findings, whatever their severity.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(findings, key=lambda finding: finding.order))
        stops = [f for f in self.findings if f.severity == "stop"]
        rest = len(self.findings) - len(stops)
        head = f"{len(stops)} finding(s) stop the run" + (f"; {rest} further finding(s)" if rest else "")
        super().__init__("\n".join([head, *map(str, self.findings)]))

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[Finding, ...]]]:
        """Return how a copy in another process is made: of the findings, not of the text."""
        return type(self), (self.findings,)


class DerivationError(InterimError):
    """A derivation was asked for something that its rules do not define."""


class DesignError(InterimError):
    """A dose-escalation history or design is impossible; names participant and rule."""


class ReportError(InterimError):
    """A notebook, document or package cannot be built."""
