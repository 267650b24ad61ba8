"""Linters of the package: pure functions from documents, results and study to findings; any stop fails the build."""

from __future__ import annotations

from interim.report.lint.model import Checked, LintFinding, PastRun
from interim.report.lint.run import LINTERS, lint, refuse

__all__ = ["LINTERS", "Checked", "LintFinding", "PastRun", "lint", "refuse"]
