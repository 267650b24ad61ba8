"""Reads one number of a Result by its place."""

from __future__ import annotations

from interim.report.lint.denominator import unaccounted, wrong_sizes
from interim.report.lint.model import values_of
from interim.result import TOTAL, Result, ResultStore


def row(result: Result, variable: str, stat: str, *, level: str = "", group: str = TOTAL) -> dict:
    frame = result.frame
    hit = frame[
        (frame["variable"] == variable)
        & (frame["stat"] == stat)
        & (frame["level"] == level)
        & (frame["group"] == group)
    ]
    assert len(hit) == 1, f"{len(hit)} rows for {group}/{variable}/{level}/{stat}"
    return hit.iloc[0].to_dict()


def value(result: Result, variable: str, stat: str = "n", *, level: str = "", group: str = TOTAL) -> float:
    found = row(result, variable, stat, level=level, group=group)
    assert found["status"] in ("OK", "FLAG"), found
    return found["value"]


def status(
    result: Result, variable: str, stat: str = "n", *, level: str = "", group: str = TOTAL
) -> tuple[str, str]:
    found = row(result, variable, stat, level=level, group=group)
    return found["status"], found["reason"]


def subjects(result: Result, variable: str, stat: str, *, level: str = "", group: str = TOTAL) -> set[str]:
    key = row(result, variable, stat, level=level, group=group)["result_id"]
    return set(result.links.loc[result.links["result_id"] == key, "USUBJID"])


def denominators_not_stated(*results: Result) -> list[str]:
    """Return the findings about denominators and sizes of columns."""
    store = ResultStore({result.analysis_id: result for result in results})
    found = (*unaccounted(values_of(store)), *wrong_sizes(store))
    return [f"{finding.cell}: {finding.what}" for finding in found]
