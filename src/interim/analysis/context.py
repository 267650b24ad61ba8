"""Context: published studies beside this one; never a comparison."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from interim.adam.model import Adam
from interim.result import Result, Rows
from interim.study import Study

NUMBERS = ("n", "orr", "pfs", "os")
_REASON = "not available: not yet verified against the original publication"


def benchmarks(adam: Adam, study: Study) -> Result:
    """Name the published studies for context; numbers stay empty until they are verified against the original.

    Parameters
    ----------
    adam : Adam
        Not read.
    study : Study
        Not read.

    Returns
    -------
    Result
        ``context.benchmarks``; variable = study: population as text, and n, orr, pfs, os (NA with the reason).

    Raises
    ------
    None
    """
    rows = Rows("context.benchmarks", "Published benchmarks", population="External", group_var="")
    text = files("interim.analysis").joinpath("context.toml").read_text(encoding="utf-8")
    for source in tomllib.loads(text)["source"]:
        rows.add("population", None, text=source["population"], variable=source["name"])
        for stat in NUMBERS:
            rows.add(stat, None, variable=source["name"], status="NA", reason=_REASON)
    return rows.build()
