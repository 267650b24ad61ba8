"""Defects of exposure: dose, unit, order, interval and weight."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from interim.example.defects.draft import Draft, cell_text, moved, numeric
from interim.example.defects.registry import plants
from interim.example.settings import numbers

_OTHER_LEVEL = 3.4e7
_MIXED_UP = 3.1e9


def _cells(draft: Draft) -> pd.DataFrame:
    """Return EX with the assigned ARM, the weight used and the number of the infusion in its cycle."""
    ex = draft.frames["EX"]
    arms = draft.frames["DM"].drop_duplicates("USUBJID").set_index("USUBJID")["ARMCD"]
    number = ex.groupby(["USUBJID", "EXTRT", "EXCYCLE"]).cumcount() + 1
    weight = numeric(draft.supplemental("EX", "WEIGHT"))
    return ex.assign(ARM=ex["USUBJID"].map(arms), WEIGHT=weight, NUMBER=number)


def _level(arm: str) -> float:
    return float(numbers("cart.doses_per_kg")[int(arm[2:]) - 1])


def _infusion(draft: Draft, row: dict[str, Any], number: int, cycle: int) -> int:
    ex = _cells(draft)
    same = (ex["USUBJID"] == row["USUBJID"]) & (ex["EXTRT"] == row["EXTRT"])
    return int(np.flatnonzero(same & (ex["EXCYCLE"] == cycle) & (ex["NUMBER"] == number))[0])


@plants("D02")
def _other_level(draft: Draft) -> None:
    """A participant of level 3 gets the cells of another level."""
    ex = _cells(draft)
    place = draft.pick("EX", (ex["ARM"] == "DL3") & (ex["EXTRT"] == "CAR-T"))
    draft.set("EX", place, EXDOSE=_OTHER_LEVEL * float(ex["WEIGHT"].iloc[place]))


@plants("D03")
def _unit_mixed_up(draft: Draft) -> None:
    """Total cells entered as cells per kg."""
    place = draft.pick("EX", _cells(draft)["EXTRT"] == "CAR-T")
    draft.set("EX", place, EXDOSE=_MIXED_UP, EXDOSU="cells/kg")


@plants("D04")
def _half_doses(draft: Draft) -> None:
    """Both infusions of the first cycle are half of the level."""
    ex = _cells(draft)
    first = draft.pick("EX", (ex["EXTRT"] == "CAR-T") & (ex["EXCYCLE"] == 1) & (ex["NUMBER"] == 1))
    second = _infusion(draft, draft.row("EX", first), 2, 1)
    for place in (first, second):
        dose = _level(ex["ARM"].iloc[place]) * float(ex["WEIGHT"].iloc[place]) / 2
        draft.set("EX", place, EXDOSE=dose)


@plants("D05")
def _cycles_swapped(draft: Draft) -> None:
    """The dates of the first infusions of the two cycles are swapped."""
    ex = _cells(draft)
    later = draft.pick("EX", (ex["EXTRT"] == "CAR-T") & (ex["EXCYCLE"] == 2) & (ex["NUMBER"] == 1))
    first = _infusion(draft, draft.row("EX", later), 1, 1)
    a, b = draft.row("EX", first), draft.row("EX", later)
    draft.set("EX", first, EXSTDTC=b["EXSTDTC"], EXENDTC=b["EXENDTC"])
    draft.set("EX", later, EXSTDTC=a["EXSTDTC"], EXENDTC=a["EXENDTC"])


@plants("D06")
def _not_consecutive(draft: Draft) -> None:
    """The second infusion of the first cycle three days after the first."""
    ex = _cells(draft)
    place = draft.pick("EX", (ex["EXTRT"] == "CAR-T") & (ex["EXCYCLE"] == 1) & (ex["NUMBER"] == 2))
    row = draft.row("EX", place)
    draft.set("EX", place, EXSTDTC=moved(row["EXSTDTC"], 2), EXENDTC=moved(row["EXENDTC"], 2))


@plants("D07")
def _infusion_missing(draft: Draft) -> None:
    """The second NK infusion has no record although the catheter was placed."""
    ex, pr = _cells(draft), draft.frames["PR"]
    placed = set(pr.loc[pr["PRTRT"].str.contains("atheter", na=False), "USUBJID"])
    place = draft.pick("EX", (ex["EXTRT"] == "CAR-NK") & (ex["NUMBER"] == 2) & ex["USUBJID"].isin(placed))
    draft.remove("EX", np.arange(len(ex)) == place)


@plants("D08")
def _weight(draft: Draft) -> None:
    """The weight used for the dose is a sixth below the measured one."""
    supp = draft.frames["SUPPEX"]
    place = draft.pick("SUPPEX", supp["QNAM"] == "WEIGHT")
    used = float(draft.row("SUPPEX", place)["QVAL"])
    draft.set("SUPPEX", place, QVAL=cell_text(round(used * 60 / 72, 1)))
