"""Defects of samples of cells and tissue."""

from __future__ import annotations

import numpy as np
import pandas as pd

from interim.example.defects.draft import Draft, cell_text, moved
from interim.example.defects.registry import plants

_DAYS_PER_YEAR = 365


def _after(draft: Draft) -> pd.Series:
    """Tell the samples that were drawn after their infusion."""
    pc = draft.frames["PC"]
    return (pc["PCELTM"] != "P0D") & pc["PCSTAT"].isna() & pc["PCDTC"].notna()


@plants("D44")
def _before_the_infusion(draft: Draft) -> None:
    """A sample after the infusion that is dated before it."""
    place = draft.pick("PC", _after(draft))
    draft.set("PC", place, PCDTC=moved(str(draft.row("PC", place)["PCRFTDTC"]), -1))


@plants("D45")
def _swapped(draft: Draft) -> None:
    """Cells found before the first dose of the product."""
    pc = draft.frames["PC"]
    first = pc["PCTPTREF"].isin(["CAR-NK D0", "CAR-T C1D1"])
    place = draft.pick("PC", (pc["PCELTM"] == "P0D") & first & pc["PCSTAT"].isna())
    draft.set("PC", place, PCORRES="8300", PCSTRESC="8300", PCSTRESN=8300.0)


@plants("D46")
def _limit_changed(draft: Draft) -> None:
    """The lower limit of quantification of the later samples of a participant is twice as high."""
    pc = draft.frames["PC"]
    place = draft.pick("PC", _after(draft) & (pc["PCTESTCD"] == "CARTG"))
    row = draft.row("PC", place)
    same = (
        (pc["USUBJID"] == row["USUBJID"])
        & (pc["PCTESTCD"] == row["PCTESTCD"])
        & (pc["PCDTC"] >= row["PCDTC"])
    )
    for record in np.flatnonzero(same).tolist():
        draft.set("PC", record, PCLLOQ=2 * float(row["PCLLOQ"]))


@plants("D47")
def _other_unit(draft: Draft) -> None:
    """A value per mL among values per ug."""
    pc = draft.frames["PC"]
    place = draft.pick("PC", _after(draft) & (pc["PCTESTCD"] == "CARTG") & pc["PCSTRESN"].notna())
    value = float(draft.row("PC", place)["PCSTRESN"]) * 1000
    text = cell_text(value)
    unit = "copies/mL"
    draft.set("PC", place, PCORRES=text, PCSTRESC=text, PCSTRESN=value, PCORRESU=unit, PCSTRESU=unit)


@plants("D48")
def _off_time(draft: Draft) -> None:
    """The sample of day 7 drawn on day 10."""
    pc = draft.frames["PC"]
    place = draft.pick("PC", _after(draft) & (pc["PCELTM"] == "P7D"))
    draft.set("PC", place, PCDTC=moved(str(draft.row("PC", place)["PCRFTDTC"]), 10))


@plants("D49")
def _impossible_score(draft: Draft) -> None:
    """An H-score of 340."""
    place = draft.pick("MI", draft.frames["MI"]["MITESTCD"] == "HSCORE")
    draft.set("MI", place, MIORRES="340", MISTRESC="340", MISTRESN=340.0)


@plants("D50")
def _old_tissue(draft: Draft) -> None:
    """Tissue of the primary tumour taken six years before the study."""
    place = draft.pick("MI", draft.frames["MI"]["MITESTCD"] == "HSCORE")
    old = moved(str(draft.row("MI", place)["MIDTC"])[:10], -6 * _DAYS_PER_YEAR)
    draft.set("MI", place, MISPEC="PRIMARY TUMOUR", MIDTC=old)
