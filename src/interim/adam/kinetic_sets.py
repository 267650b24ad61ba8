"""The kinetic sets: participants with at least one usable sample after the first infusion of a product."""

from __future__ import annotations

import numpy as np
import pandas as pd

from interim.adam.kinetic_columns import code_column, flag_column
from interim.study import Study

_SETS = (("CKFL", "CKRS", "t", "SAFCTFL", "NO-CART"), ("CKNKFL", "CKNKRS", "nk", "SAFNKFL", "NO-NK"))


def kinetic_sets(adsl: pd.DataFrame, adpc: pd.DataFrame | None, study: Study) -> pd.DataFrame:
    """Add the kinetic sets to ADSL.

    Parameters
    ----------
    adsl : pandas.DataFrame
        With the safety sets.
    adpc : pandas.DataFrame or None
        Samples; None where no kinetics data exist.
    study : Study
        A set without a product of its role is not made.

    Returns
    -------
    pandas.DataFrame
        With CKFL, CKRS, CKNKFL, CKNKRS: Y or N, and the reason for N (NO-CART or NO-NK: not in the safety set;
        NO-SAMPLE: no usable sample after the first infusion).

    Raises
    ------
    None
    """
    answer = adsl.copy()
    for flag, reason, role, safety, untreated in _SETS:
        if adpc is None or not study.with_role(role) or safety not in adsl:
            continue
        usable = (
            (adpc["ANL01FL"] == "Y") & adpc["PROFRS"].isna() & (adpc["ROLE"] == role) & (adpc["AFRLT"] > 0)
        )
        sampled = adsl["USUBJID"].isin(adpc.loc[usable, "USUBJID"])
        treated = adsl[safety] == "Y"
        why = np.select([~treated, ~sampled], [untreated, "NO-SAMPLE"], "")
        answer[flag] = flag_column(why == "", adsl.index, no="N")
        answer[reason] = code_column(why, adsl.index)
    return answer
