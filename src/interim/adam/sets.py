"""Analysis sets: flags with a reason for every N, from ordered conditions that ship as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from interim.adam.conditions import holds
from interim.adam.source import shipped_data, text_missing
from interim.errors import Finding
from interim.study import Condition, Study

RULES = (("DM-SET", "stop"),)
_CONDITION = ("var", "op", "value")


def flag_sets(
    adsl: pd.DataFrame, study: Study, *, flags: tuple[str, ...] | None = None
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Flag the members of the analysis sets.

    Parameters
    ----------
    adsl : pandas.DataFrame
        One row per participant, with the columns that the conditions name.
    study : Study
        ``[sets]`` and products.
    flags : tuple of str, optional
        Flags to derive; default all.

    Returns
    -------
    tuple of (pandas.DataFrame, tuple of Finding)
        ``adsl`` with each flag (Y or N, never missing) and its reason (None where Y); findings DM-SET for members of a set
        who are not in the set that must hold it. PPROTFL and PPROTRS only if ``sets.per_protocol_rule`` is stated; the
        biopsy sets only where the data hold a biopsy.

    Raises
    ------
    StudyError
        If a condition names a column that ADSL does not have.
    """
    frame = adsl.copy()
    findings: list[Finding] = []
    for item in shipped_data("sets")["sets"]:
        if (flags is not None and item["flag"] not in flags) or item.get("needs", "USUBJID") not in frame:
            continue
        reasons = _reasons(frame, item, study)
        frame[item["flag"]] = pd.Series("N", index=frame.index, dtype=object).where(reasons.notna(), "Y")
        frame[item["reason"]] = reasons
        findings += _not_nested(frame, item)
    frame = frame if flags is not None else _per_protocol(frame, study)
    return text_missing(frame), tuple(findings)


def _per_protocol(frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Flag the per-protocol set where the study defines one; the first condition that fails is the reason."""
    if study.sets.per_protocol_rule is None:
        return frame
    reasons = pd.Series(None, index=frame.index, dtype=object)
    for place, condition in enumerate(study.sets.per_protocol_rule):
        failed = ~holds(frame, condition, path=f"sets.per_protocol_rule[{place}]")
        value = "" if condition.value is None else f" {condition.value}"
        reasons = reasons.where(reasons.notna() | ~failed, f"not {condition.var} {condition.op}{value}")
    flag = pd.Series("N", index=frame.index, dtype=object).where(reasons.notna(), "Y")
    return frame.assign(PPROTFL=flag, PPROTRS=reasons)


def _reasons(frame: pd.DataFrame, item: Mapping[str, Any], study: Study) -> pd.Series:
    """Return the reason of the first condition that fails, None where all hold."""
    reasons = pd.Series(None, index=frame.index, dtype=object)
    for row in item["conditions"]:
        if "when" in row and not getattr(study.sets, row["when"]):
            continue
        condition = Condition.model_validate({key: row[key] for key in _CONDITION})
        failed = ~holds(frame, condition, path=f"sets.{item['flag']}")
        reasons = reasons.where(reasons.notna() | ~failed, _reason_texts(frame, row, study))
    return reasons


def _reason_texts(frame: pd.DataFrame, row: Mapping[str, Any], study: Study) -> pd.Series:
    base = row["reason"] if study.with_role("nk") else row.get("reason_other", row["reason"])
    texts = pd.Series(base, index=frame.index, dtype=object)
    if "detail" not in row:
        return texts
    detail = frame[row["detail"]]
    behind = detail.map(lambda text: f"{base}: {text}" if base else text)
    return texts.where(detail.isna(), behind)


def _not_nested(frame: pd.DataFrame, item: Mapping[str, Any]) -> list[Finding]:
    outer = item.get("within")
    if outer is None or outer not in frame:
        return []
    wrong = frame[(frame[item["flag"]] == "Y") & (frame[outer] != "Y")]
    return [
        Finding(
            "DM-SET",
            "stop",
            "ADSL",
            f"is in the set {item['flag']} but not in {outer}, which must hold it; correct DM, DS or EX",
            subject=subject,
            key=(item["flag"],),
            variable=item["flag"],
            value="Y",
            expected=f"{outer} = Y",
            effect=("T 14.1.1.2",),
        )
        for subject in wrong["USUBJID"]
    ]
