"""How unique the participants are in each copy of the package."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.copies import copies
from interim.analysis.population import SETS, set_label
from interim.result import Result, Rows
from interim.stats.uniqueness import ClassRisk, class_risk
from interim.study import Study

_SET = "NK-SAF"
_MISSING = "missing"


def by_copy(adam: Adam, study: Study) -> Result:
    """Measure the share of unique participants and the risk of re-identification in each copy.

    Parameters
    ----------
    adam : Adam
        ADSL: the safety set, and the attributes that ``copies.toml`` names for each copy; one that ADSL lacks is left out.
    study : Study
        Names of the sets.

    Returns
    -------
    Result
        ``uniqueness.by_copy``; variable = copy: unique (n of N), smallest (k), largest_risk (1/k), average_risk (classes/n) and
        the attributes as text; ``threshold``: the largest risk that a policy accepts, the group that it means, and for each copy whether it is met.

    Raises
    ------
    None
    """
    rows = Rows(
        "uniqueness.by_copy", "Uniqueness of participants", population=set_label(_SET, study), group_var=""
    )
    adsl = adam["ADSL"]
    treated = adsl[adsl[SETS[_SET].flag] == "Y"] if SETS[_SET].flag in adsl else adsl.iloc[0:0]
    rows.add("value", copies()["threshold"], text=copies()["policy"], variable="threshold")
    rows.add("group", copies()["group"], variable="threshold")
    for copy in copies()["copy"]:
        attributes = recognisable(treated, copy)
        rows.add("attributes", None, text=copy["names"], variable=copy["id"])
        if treated.empty or not attributes.shape[1]:
            rows.add(
                "unique", None, variable=copy["id"], status="NE", reason="no participant or no attribute"
            )
            continue
        _add_risk(rows, copy["id"], class_risk([*attributes.itertuples(index=False, name=None)]))
    return rows.build()


def recognisable(adsl: pd.DataFrame, copy: Mapping[str, Any]) -> pd.DataFrame:
    """Return the attributes by which participants could be recognised in a copy.

    Parameters
    ----------
    adsl : pandas.DataFrame
        One row per participant.
    copy : mapping
        ``quasi`` of ``copies.toml``.

    Returns
    -------
    pandas.DataFrame
        One column per attribute that ADSL has, as coarse as the copy shows it; a missing value is a value.

    Raises
    ------
    None
    """
    rules = [rule for rule in copy["quasi"] if rule["variable"] in adsl]
    return pd.DataFrame(
        {rule["variable"]: [_coarse(value, rule) for value in adsl[rule["variable"]]] for rule in rules},
        index=adsl.index,
    )


def _coarse(value: Any, rule: Mapping[str, Any]) -> object:
    if pd.isna(value):
        return _MISSING
    if "width" in rule:
        return int(value // rule["width"])
    if "cuts" in rule:
        return bisect_right(rule["cuts"], value)
    if "keep" in rule:
        return value if value in rule["keep"] else "other"
    return value


def _add_risk(rows: Rows, copy: str, risk: ClassRisk) -> None:
    rows.add("unique", risk.share, variable=copy, n=risk.unique, N=risk.n)
    rows.add("smallest", risk.smallest, variable=copy, N=risk.n)
    rows.add("largest_risk", risk.largest_risk, variable=copy, N=risk.n)
    rows.add("average_risk", risk.average_risk, variable=copy, n=risk.classes, N=risk.n)
    met = "yes" if risk.smallest >= copies()["group"] else "no"
    rows.add("meets", None, text=met, variable=copy, level="threshold")
