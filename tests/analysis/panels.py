"""Small panels written by hand, and the worked example: 12 participants, responders 3, 8 and 11."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from interim.analysis.subgroups.model import Factor, Outcome, Panel
from interim.result import Rows
from interim.study import Study, SubgroupEntry

N = 12
RESPONDERS = (3, 8, 11)
TYPES = ["CRC"] * 7 + ["GASTRIC"] * 3 + ["OTHER"] * 2
LIGAND_HIGH = (1, 2, 3, 8, 9, 11)
NLR_HIGH = (2, 5, 6, 10)


def settings(*, seed: int | None = 7, stats: dict | None = None, entries=(), **subgroup) -> Study:
    """Return a study with these settings of [subgroup]."""
    return Study.model_validate(
        {
            "study": {"id": "HAND", **({"seed": seed} if seed is not None else {})},
            "data": {"path": "none", "cut_date": date(2026, 6, 30)},
            "subgroup": subgroup,
            "stats": stats or {},
            "subgroups": tuple(entries),
        }
    )


def entry(name: str, *, kind: str = "nominal", dimension: str = "histology", **more) -> SubgroupEntry:
    """Return an entry; continuous ones are cut at 5."""
    base = {
        "id": name,
        "dimension": dimension,
        "label": name.title(),
        "variable": name.upper().replace("_", ""),
    }
    if kind == "continuous":
        base["cuts"] = (5.0,)
    return SubgroupEntry.model_validate({**base, "kind": kind, "origin": "protocol", "primary": True, **more})


def factor(name: str, levels_of, *, levels=None, values=None, **more) -> Factor:
    """Return a factor from the level of each participant; None is missing."""
    order = tuple(levels or sorted({level for level in levels_of if level is not None}))
    codes = np.array([order.index(level) if level is not None else -1 for level in levels_of], dtype=np.int64)
    numbers = np.full(len(codes), np.nan) if values is None else np.asarray(values, dtype=np.float64)
    made = entry(name, **more)
    cuts = made.cuts if isinstance(made.cuts, tuple) else ()
    return Factor(made, order, codes, numbers, cuts)


def binary(hits, n: int, *, name: str = "orr") -> Outcome:
    """Return a binary outcome from the numbers (from 1) of those with the event."""
    values = np.array([float(k + 1 in hits) for k in range(n)])
    return Outcome(name, "binary", values, np.zeros(n, dtype=bool), "FAS")


def times(days, events, *, name: str = "pfs") -> Outcome:
    """Return a time."""
    return Outcome(name, "time", np.asarray(days, dtype=float), np.asarray(events, dtype=bool), "FAS")


def panel(factors, outcomes, *, dose=None) -> Panel:
    """Return a panel; without a dose everybody has the same."""
    n = len(factors[0].codes)
    context = factor("dose_level", dose or ["DL1"] * n, dimension="dose", primary=False)
    names = tuple(f"P{k + 1:02d}" for k in range(n))
    return Panel(names, "All", "COHORT", tuple(factors), context, {o.id: o for o in outcomes})


def worked() -> Panel:
    """Return the worked example: type, ligand high, NLR of 5 or more."""
    ligand = ["high" if k + 1 in LIGAND_HIGH else "low" for k in range(N)]
    ratio = ["high" if k + 1 in NLR_HIGH else "low" for k in range(N)]
    return panel(
        [
            factor("type", TYPES),
            factor("ligand", ligand, dimension="ligand"),
            factor("nlr", ratio, dimension="ratio"),
        ],
        [binary(RESPONDERS, N)],
    )


def rows() -> Rows:
    """Return empty rows."""
    return Rows("subgroups.hand", "By hand")


def cell(frame: pd.DataFrame, group: str, variable: str, stat: str, level: str = "") -> dict:
    """Return the one row at a place."""
    hit = frame[
        (frame["group"] == group)
        & (frame["variable"] == variable)
        & (frame["stat"] == stat)
        & (frame["level"] == level)
    ]
    assert len(hit) == 1, f"{len(hit)} rows at {group}/{variable}/{level}/{stat}"
    return hit.iloc[0].to_dict()


def number(frame: pd.DataFrame, group: str, variable: str, stat: str, level: str = "") -> float:
    """Return the value of the one row at a place, which must have one."""
    found = cell(frame, group, variable, stat, level)
    assert found["status"] in ("OK", "FLAG"), found
    return found["value"]


def reason(frame: pd.DataFrame, group: str, variable: str, stat: str, level: str = "") -> tuple[str, str]:
    """Return status and reason of the one row at a place."""
    found = cell(frame, group, variable, stat, level)
    return found["status"], found["reason"]
