"""What an explore notebook works with: designs compared over scenarios; no data are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from interim.errors import ReportError
from interim.report.chapter import find_study, settle
from interim.result import Result
from interim.study import Study, read_study

if TYPE_CHECKING:
    import pandas as pd

    from interim.analysis.design_comparison import AnyDesign
    from interim.design.decision import Decision, Design
    from interim.display import Figure, Table

LABEL = "EXPLORATORY - planning, no data"


@dataclass(frozen=True)
class DesignStudio:
    """The designs of a study side by side, for writing its protocol.

    Attributes
    ----------
    study : Study
        Table ``dose``.
    scenarios : str
        Planning scenarios in one line; empty: the shipped ones.
    """

    study: Study
    scenarios: str = ""

    @cached_property
    def designs(self) -> dict[str, AnyDesign]:
        """The designs by printed name."""
        from interim.analysis.design_comparison import study_designs

        return study_designs(self.study)

    @cached_property
    def result(self) -> Result:
        """All exact characteristics."""
        from interim.analysis.design_comparison import comparison

        return comparison(self.study, scenarios=self.scenarios)

    def table(self) -> Table:
        """Return the comparison as a table.

        Returns
        -------
        Table
            A section per scenario, a row per design.

        Raises
        ------
        ReportError
            If the table is malformed.
        """
        from interim.display.design_comparison import table_design_comparison

        return table_design_comparison(self.result, self.study).with_id("", labels=(LABEL,))

    def figure(self) -> Figure:
        """Return the comparison as a figure.

        Returns
        -------
        Figure
            A panel per scenario, a bar per design.

        Raises
        ------
        None
        """
        from interim.display.design_comparison import figure_design_comparison

        return figure_design_comparison(self.result, self.study).with_id("", labels=(LABEL,))

    def decide(self, design: str, history: str) -> Decision:
        """Return what a design says after a history in short notation.

        Parameters
        ----------
        design : str
            Printed name.
        history : str
            For example ``1N 2NNT``; empty: the first participant.

        Returns
        -------
        Decision
            With rule and reason.

        Raises
        ------
        ReportError
            If there is no such design.
        DesignError
            If the history cannot be read or is impossible.
        """
        from interim.design.history import History

        levels = len(self.study.dose.levels)
        return self._design(design).decide(History.parse(history, levels=levels))

    def decision_table(self, design: str) -> pd.DataFrame:
        """Return the decision table of a design.

        Parameters
        ----------
        design : str
            Printed name of a rule of the 3+3 kind (table at its first level) or of an interval design.

        Returns
        -------
        pandas.DataFrame
            Columns n, y, decision, and rule where there is one.

        Raises
        ------
        ReportError
            If there is no such design, or it has no table because it decides by a model.
        """
        from interim.design.escalation import TitratedThreePlusThree
        from interim.design.interval import IntervalDesign
        from interim.design.paths import rule_table

        found = self._design(design)
        if isinstance(found, IntervalDesign):
            return found.decision_table()
        if isinstance(found, TitratedThreePlusThree):
            return rule_table(found, level=found.start_level)
        raise ReportError(f"{design} decides by a model of all levels and has no table of one level")

    def paths(self, design: str, *, depth: int = 2) -> pd.DataFrame:
        """Return the tree of the next cohorts of a design.

        Parameters
        ----------
        design : str
            Printed name.
        depth : int
            Cohorts.

        Returns
        -------
        pandas.DataFrame
            As `interim.design.paths.path_frame`.

        Raises
        ------
        ReportError
            If there is no such design.
        """
        from interim.design.paths import dose_paths, path_frame

        return path_frame(dose_paths(cast("Design", self._design(design)), depth))

    def _design(self, name: str) -> AnyDesign:
        if name not in self.designs:
            raise ReportError(f"{name!r} is no design; known: {', '.join(self.designs)}")
        return self.designs[name]


def open_designs(*, study: str, scenarios: str = "") -> DesignStudio:
    """Open the designs of a study for one notebook.

    Parameters
    ----------
    study : str
        Study file; a relative path is looked for in the working folder and in the folders above it.
    scenarios : str
        ``name: rates / triggers; ...``; empty: the shipped scenarios.

    Returns
    -------
    DesignStudio
        Tables, figures, decisions.

    Raises
    ------
    ReportError
        If the study file is not found.
    StudyError
        If the parameters are wrong.
    """
    parameters = read_study(find_study(study))
    settle(parameters)
    return DesignStudio(parameters, scenarios)
