"""Biomarkers: tables of phenotype, tumour markers, ligands and immunogenicity."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from interim.display.labels import word
from interim.display.layout import Line, absent_line, cohort_table
from interim.display.measures import ABOVE_ZERO, measure_table
from interim.display.numbers import Numbers
from interim.display.table import Table
from interim.result import Result
from interim.study import Study

_SOLUBLE = "Tissue: last biopsy before and after the first infusion. Soluble ligands: last result at or before and last result after it; below the limit of quantification counts as half of it."
_RAISED = "Change: participants whose baseline lies above the upper limit of normal."
_NOTES = {"biomarkers.ligands": (_SOLUBLE,), "biomarkers.tumour_markers": (_RAISED,)}


def table_biomarkers(result: Result, study: Study) -> Table:
    """Show a biomarker by visit, or before and after treatment.

    Parameters
    ----------
    result : Result
        ``biomarkers.immune_phenotype``, ``biomarkers.tumour_markers`` or ``biomarkers.ligands``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One section per marker.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    notes = _NOTES.get(result.analysis_id, ())
    return measure_table(result, study, footnotes=(ABOVE_ZERO, *notes))


def table_immunogenicity(result: Result, study: Study) -> Table:
    """Show antibodies before and after treatment.

    Parameters
    ----------
    result : Result
        ``biomarkers.immunogenicity``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        Participants with their percentage of the column.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    return cohort_table(numbers, list(_lines(numbers)))


def _lines(numbers: Numbers) -> Iterator[Line]:
    for variable in numbers.variables():
        absent = absent_line(numbers, word("measures", variable), variable)
        if absent:
            yield absent
            continue
        yield Line(word("measures", variable))
        for level in numbers.levels(variable):
            yield Line(level, partial(numbers.count, variable=variable, level=level), 1)
