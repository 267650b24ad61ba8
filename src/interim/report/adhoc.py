"""Ad-hoc subgroups for a notebook: the rows of the analysis, shown as limits of interpretation, forest and table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pandas as pd

from interim.analysis.subgroups import adhoc
from interim.analysis.subgroups.free import subgroup_study
from interim.display.figure import Figure
from interim.display.subgroups import figure_forest
from interim.display.subgroups_adhoc import table_adhoc, table_adhoc_tests
from interim.display.subgroups_sentence import limits_paragraph
from interim.display.table import Table
from interim.display.text import Paragraph
from interim.result import Result
from interim.study import Study, SubgroupEntry


@dataclass(frozen=True)
class AdhocSubgroups(Result):
    """Rows of an ad-hoc subgroup analysis that show themselves in a notebook.

    Attributes
    ----------
    study : Study
        Settings, with the factors as its entries.
    endpoint : str
        How the endpoint is called.
    """

    study: Study | None = None
    endpoint: str = ""

    def shown(self) -> tuple[Paragraph | Figure | Table, ...]:
        """Return what a notebook shows, in its order.

        Returns
        -------
        tuple of Paragraph, Figure or Table
            For a rate: what these participants can show at best, then the forest. Then the levels; the tests only where
            ``stats.show_p_values`` is true.

        Raises
        ------
        ReportError
            If a row must not be shown.
        """
        study = self._settings()
        made: list[Paragraph | Figure | Table] = []
        if (self.frame["variable"] == "limits").any():
            forest = figure_forest(self, study, endpoint="orr")
            title = f"{self.endpoint} by subgroup"
            made += [
                limits_paragraph(self, study),
                replace(forest, title=title, alt=f"{title}. {forest.alt}"),
            ]
        made.append(table_adhoc(self, study, endpoint=self.endpoint))
        if study.stats.show_p_values:
            made.append(table_adhoc_tests(self, study))
        return tuple(made)

    def _settings(self) -> Study:
        if self.study is None:
            raise ValueError("an ad-hoc analysis is made by interim.subgroups()")
        return self.study

    def _repr_html_(self) -> str:
        return "".join(part._repr_mimebundle_()["text/html"] for part in self.shown())


def subgroups(
    df: pd.DataFrame,
    *,
    endpoint: str | tuple[str, str],
    factors: Sequence[str | Mapping[str, Any] | SubgroupEntry],
    study: Study | None = None,
) -> AdhocSubgroups:
    """Run limits, heterogeneity and levels on a tidy frame, and show them in a notebook.

    Parameters
    ----------
    df, endpoint, factors, study
        As in `interim.analysis.subgroups.adhoc`.

    Returns
    -------
    AdhocSubgroups
        The same rows; a notebook shows limits of interpretation, forest and table, and p-values only if the study asks for them.

    Raises
    ------
    DataError, KeyError, StudyError
        As in `interim.analysis.subgroups.adhoc`.

    Examples
    --------
    >>> frame = pd.DataFrame({"response": [1, 0, 0, 0, 1, 0, 0, 0], "site": list("AAAABBBB")})
    >>> found = subgroups(frame, endpoint="response", factors=["site"])
    >>> [type(part).__name__ for part in found.shown()]
    ['Paragraph', 'Figure', 'Table']
    """
    result = adhoc(df, endpoint=endpoint, factors=factors, study=study)
    parts = {field.name: getattr(result, field.name) for field in fields(Result)}
    name = endpoint if isinstance(endpoint, str) else endpoint[0]
    return AdhocSubgroups(**parts, study=subgroup_study(df, factors=factors, study=study), endpoint=name)
