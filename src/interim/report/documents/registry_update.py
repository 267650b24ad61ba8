"""Document 12: the fields of the registers that change, as a JSON file and as a sheet; a person confirms each."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from interim.errors import ReportError
from interim.report.content import Cell, Row, text_table
from interim.report.document import Loose
from interim.report.package import Made
from interim.report.parts import applies


@cache
def _fields() -> tuple[Mapping[str, Any], ...]:
    text = files("interim.report").joinpath("registry_fields.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["field"])


def _entries(made: Made) -> Iterator[dict[str, Any]]:
    """Yield each field with its proposed value and the ids of the results in it."""
    for field in _fields():
        if not applies(field, made):
            continue
        for name in _each(field, made):
            said = made.say(field["say"].replace("@id", name))
            yield {
                "clinicaltrials_gov": field["prs"],
                "chictr": field["chictr"],
                "proposed": "".join(span.text for span in said.spans),
                "results": [span.key for span in said.spans if span.key],
                "confirmed_by": "",
            }


def _each(field: Mapping[str, Any], made: Made) -> tuple[str, ...]:
    if field.get("each") == "cohort":
        return tuple(entry.id for entry in made.inputs.study.expansion.type)
    return ("",)


def record(made: Made) -> dict[str, Any]:
    """Return the draft as a JSON object.

    Parameters
    ----------
    made : Made
        What is at hand.

    Returns
    -------
    dict
        study, cut_off, parameters (hash), status, fields: name of the field in ClinicalTrials.gov and in ChiCTR, proposed value,
        ids of its results, confirmed_by (empty).

    Raises
    ------
    ReportError
        If a reference does not resolve, or no field changes.
    """
    study = made.inputs.study
    entries = list(_entries(made))
    if not entries:
        raise ReportError("the registry update has no field")
    return {
        "format": 1,
        "study": study.study.id,
        "label": study.study.label,
        "cut_off": f"{study.cut:%Y-%m-%d}",
        "parameters": study.digest(),
        "status": "draft, to be confirmed by a person; nothing has been sent",
        "fields": entries,
    }


def sheet(made: Made) -> Iterator[Loose]:
    """Yield the same fields as a table.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Table
        Name in both registers, proposed value, and a place for the confirmation.

    Raises
    ------
    ReportError
        As in `record`.
    """
    head = ("Field in ClinicalTrials.gov", "Field in ChiCTR", "Proposed", "Confirmed by, on")
    table = text_table(
        "fields", "fields that change", head=head, rows=[], widths=(3, 2, 4, 1.5), label="Draft:"
    )
    rows = tuple(
        Row(
            "data",
            0,
            (
                Cell(entry["clinicaltrials_gov"]),
                Cell(entry["chictr"]),
                Cell(entry["proposed"], tuple(dict.fromkeys(entry["results"]))),
                Cell(""),
            ),
        )
        for entry in record(made)["fields"]
    )
    yield replace(table, rows=rows, orientation="portrait")
