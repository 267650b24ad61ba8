"""Last known alive: the latest date on which a record proves life."""

from __future__ import annotations

import pandas as pd

from interim.adam.derived import Derived
from interim.adam.source import sequence_text, text_missing
from interim.adam.tte.death import derive_death
from interim.adam.tte.evidence import evidence_of_life
from interim.data.model import Sdtm
from interim.study import Study

COLUMNS = ["USUBJID", "LSTALVDT", "LSTALDOM", "LSTALVAR", "LSTALSEQ"]


def derive_lstalvdt(sdtm: Sdtm, study: Study) -> Derived:
    """Return the date on which each DM participant was last known alive.

    Parameters
    ----------
    sdtm : Sdtm
        All domains; already cut.
    study : Study
        ``tte.death_imputation``.

    Returns
    -------
    Derived
        USUBJID, LSTALVDT, LSTALDOM, LSTALVAR, LSTALSEQ; not after the cut-off, and not after a known death.

    Raises
    ------
    None

    Notes
    -----
    A known death is the last day known alive at most: LSTALVDT is the death date where a record proves life on or after it. A
    participant without any evidence has no date.
    """
    rows = evidence_of_life(sdtm)
    rows = rows.assign(NUMBER=pd.to_numeric(rows["SEQ"], errors="coerce"))
    keys = ["USUBJID", "DATE", "DOMAIN", "VARIABLE", "NUMBER"]
    latest = rows.sort_values(keys, kind="stable").drop_duplicates("USUBJID", keep="last")
    deaths = derive_death(sdtm, study).frame[["USUBJID", "DTHDT"]]
    frame = deaths.merge(latest, on="USUBJID", how="left", validate="1:1")
    date = frame["DATE"].where(frame["DTHDT"].isna() | (frame["DATE"] <= frame["DTHDT"]), frame["DTHDT"])
    answer = pd.DataFrame(
        {
            "USUBJID": frame["USUBJID"],
            "LSTALVDT": date.where(frame["DATE"].notna()).astype("datetime64[ns]"),
            "LSTALDOM": frame["DOMAIN"],
            "LSTALVAR": frame["VARIABLE"],
            "LSTALSEQ": frame["SEQ"].map(sequence_text),
        },
        columns=COLUMNS,
    )
    return Derived(text_missing(answer))
