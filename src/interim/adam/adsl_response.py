"""What the response sets of ADSL need to know: baseline disease, assessments, response."""

from __future__ import annotations

import pandas as pd

from interim.adam.source import text_column
from interim.data.model import Sdtm
from interim.study import Study

_NOT_EVALUABLE = ("NE", "ND", "MISSING")
_LESIONS = ("TARGET", "NON-TARGET")


def response_columns(
    core: pd.DataFrame, adrs: pd.DataFrame | None, *, sdtm: Sdtm, study: Study
) -> pd.DataFrame:
    """Derive the facts behind the response-evaluable set and the responders.

    Parameters
    ----------
    core : pandas.DataFrame
        Core of ADSL: TRTSDT, DTHFL.
    adrs : pandas.DataFrame or None
        ADRS.
    sdtm : Sdtm
        TU: who has baseline disease.
    study : Study
        ``response.evaluator``, ``response.confirmation_required``.

    Returns
    -------
    pandas.DataFrame
        USUBJID; BASDISFL (a target or non-target lesion was identified), MEASFL (measurable disease at baseline), POSTFL (an
        evaluable assessment after the first infusion, or death), RESPONFL (best response CR or PR), all Y or N.

    Raises
    ------
    None

    Notes
    -----
    Where lesions were not delivered, baseline disease is not asked.
    """
    subjects = core["USUBJID"]
    rows = (
        adrs if adrs is not None else pd.DataFrame(columns=["USUBJID", "PARCAT2", "PARAMCD", "ADT", "AVALC"])
    )
    rows = rows[rows["PARCAT2"] == study.response.evaluator]
    response = "CRSP" if study.response.confirmation_required else "RSP"
    lesions = sdtm.domain("TU")
    role = text_column(lesions, "TUSTRESC").fillna(text_column(lesions, "TUORRES"))
    with_disease = set(lesions.loc[role.isin(_LESIONS), "USUBJID"])
    measured = rows[(rows["PARAMCD"] == "MDIS") & rows["AVALC"].notna()]
    post = _assessed(rows, core) | set(core.loc[core["DTHFL"] == "Y", "USUBJID"])
    return pd.DataFrame(
        {
            "USUBJID": subjects,
            "BASDISFL": _flag(subjects.isin(with_disease) | (not with_disease)),
            "MEASFL": _flag(subjects.isin(_yes(rows, "MDIS")) | measured.empty),
            "POSTFL": _flag(subjects.isin(post)),
            "RESPONFL": _flag(subjects.isin(_yes(rows, response))),
        }
    )


def _flag(holds: pd.Series) -> pd.Series:
    return holds.map({True: "Y", False: "N"}).astype(object)


def _yes(rows: pd.DataFrame, parameter: str) -> set[str]:
    return set(rows.loc[(rows["PARAMCD"] == parameter) & (rows["AVALC"] == "Y"), "USUBJID"])


def _assessed(rows: pd.DataFrame, core: pd.DataFrame) -> set[str]:
    """Return who has an evaluable assessment after the first infusion."""
    overall = rows[(rows["PARAMCD"] == "OVR") & rows["AVALC"].notna() & ~rows["AVALC"].isin(_NOT_EVALUABLE)]
    start = overall["USUBJID"].map(core.set_index("USUBJID")["TRTSDT"])
    return set(overall.loc[overall["ADT"] > start, "USUBJID"])
