"""The gate of a build: the documents of each step pass the linters before anything is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from interim.report.chapter import Inputs
from interim.report.content import Document
from interim.report.lint.model import Checked, PastRun, Value, values_of
from interim.report.lint.references import objects_of
from interim.report.lint.run import LINTERS, lint, refuse
from interim.report.shells import checklist

# What results, parameters and history alone decide is not asked again for the documents of a later step.
_ONCE = ("base", "flow", "order")
_NONE: Mapping[str, Document] = MappingProxyType({})


@dataclass
class Gate:
    """Lets documents pass that no linter stops.

    Attributes
    ----------
    inputs : Inputs
        Study and results.
    history : tuple of PastRun
        Packages published before.
    """

    inputs: Inputs
    history: tuple[PastRun, ...]
    _values: Mapping[str, Value] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Read the rows of all results once: each step is checked in a process of its own, forked from this one."""
        self._values = values_of(self.inputs.store)

    def __call__(
        self, documents: Mapping[str, Document], before: Mapping[str, Document] = _NONE
    ) -> tuple[str, ...]:
        """Refuse documents in which a linter finds a stop.

        Parameters
        ----------
        documents : mapping of str to Document
            Name -> document of this step.
        before : mapping of str to Document
            The documents of earlier steps.

        Returns
        -------
        tuple of str
            The warnings.

        Raises
        ------
        ReportError
            All stops at once.
        """
        skipped = _ONCE if before else ()
        cited = frozenset(tlf for item in checklist() for tlf in item.tlfs)
        known = frozenset[str]().union(*map(objects_of, before.values()))
        store, study = self.inputs.store, self.inputs.study
        checked = Checked(documents, store, study, self.history, cited, known=known, values=self._values)
        findings = lint(checked, linters=[name for name in LINTERS if name not in skipped])
        refuse(findings)
        return tuple(f"warning: {finding}" for finding in findings)
