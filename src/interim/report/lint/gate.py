"""The gate of a build: the documents of each step pass the linters before they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from interim.report.chapter import Inputs
from interim.report.content import Document
from interim.report.lint.model import Checked, PastRun, Value, values_of
from interim.report.lint.run import LINTERS, lint, refuse
from interim.report.shells import checklist

# What results, parameters and history alone decide is not asked again for the documents of a later step.
_ONCE = ("base", "flow", "order")


@dataclass
class Gate:
    """Lets documents pass that no linter stops.

    Attributes
    ----------
    inputs : Inputs
        Study and results.
    history : tuple of PastRun
        Packages published before.
    say : callable
        Receives the warnings.
    """

    inputs: Inputs
    history: tuple[PastRun, ...]
    say: Callable[[str], None]
    _known: set[str] = field(default_factory=set)

    def __call__(self, documents: Mapping[str, Document]) -> None:
        """Refuse documents in which a linter finds a stop; say the warnings.

        Parameters
        ----------
        documents : mapping of str to Document
            Name -> document of this step.

        Returns
        -------
        None

        Raises
        ------
        ReportError
            All stops at once.
        """
        skipped = _ONCE if self._known else ()
        cited = frozenset(tlf for item in checklist() for tlf in item.tlfs)
        store, study, known = self.inputs.store, self.inputs.study, frozenset(self._known)
        checked = Checked(documents, store, study, self.history, cited, known=known, values=self._values)
        findings = lint(checked, linters=[name for name in LINTERS if name not in skipped])
        refuse(findings)
        for finding in findings:
            self.say(f"warning: {finding}")
        for document in documents.values():
            self._known.update(table.id for table in document.tables)
            self._known.update(figure.id for figure in document.figures)

    @cached_property
    def _values(self) -> Mapping[str, Value]:
        """The rows of all results: the same for the documents of every step."""
        return values_of(self.inputs.store)
