"""What a recipe of a baseline variable reads, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from interim.data.model import Sdtm
from interim.errors import Finding
from interim.study import Study

Recipe = Mapping[str, Any]


@dataclass(frozen=True)
class Sources:
    """What baseline variables are taken from.

    Attributes
    ----------
    sdtm : Sdtm
        Source domains.
    adsl : pandas.DataFrame
        Core of ADSL.
    adlb : pandas.DataFrame or None
        ADLB.
    adtr : pandas.DataFrame or None
        ADTR.
    study : Study
        Parameters.
    """

    sdtm: Sdtm
    adsl: pd.DataFrame
    adlb: pd.DataFrame | None
    adtr: pd.DataFrame | None
    study: Study


@dataclass(frozen=True)
class Column:
    """One baseline variable.

    Attributes
    ----------
    values : pandas.Series
        By USUBJID: float64 or object.
    flags : pandas.Series of object
        By USUBJID: codes separated by semicolons (LIGAND_PARTIAL, LLOQ, ULOQ), None for none.
    findings : tuple of Finding
        Records that could not be used.
    collected : bool
        False if the study has no such source.
    """

    values: pd.Series
    flags: pd.Series
    findings: tuple[Finding, ...] = ()
    collected: bool = True


def no_values(*, collected: bool = False) -> Column:
    """Return a variable without any value.

    Parameters
    ----------
    collected : bool
        False if the study has no such source.

    Returns
    -------
    Column
        Empty.

    Raises
    ------
    None
    """
    return Column(pd.Series(dtype="float64"), pd.Series(dtype=object), collected=collected)
