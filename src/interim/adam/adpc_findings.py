"""Findings of cellular-kinetics samples: nothing is repaired silently, nothing is dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from interim.errors import Finding, Severity
from interim.study import Study

RULES: tuple[tuple[str, Severity], ...] = (
    ("CK-BASE", "info"),
    ("CK-DATE", "warn"),
    ("CK-DUP", "warn"),
    ("CK-LLOQ", "info"),
    ("CK-NODOSE", "warn"),
    ("CK-PREDOSE", "warn"),
    ("CK-TIME", "info"),
    ("CK-UNIT", "warn"),
    ("CK-VALUE", "warn"),
    ("CK-WINDOW", "info"),
)
_EFFECT = ("T 14.4.1.1", "T 14.4.1.2")
_TEXTS = {
    "CK-BASE": "the sample before the first T-cell infusion is above the limit of quantification; carry-over or wrong sample",
    "CK-DATE": "the date is missing, before consent, or after death or cut-off; the sample enters no profile",
    "CK-DUP": "two samples of one test at the same time; state kinetics.duplicate_rule or correct the record",
    "CK-LLOQ": "the limit of quantification changes inside a profile; each sample keeps its own",
    "CK-NODOSE": "no infusion of a product that this sample belongs to; correct PCCAT, PCTESTCD or EX",
    "CK-PREDOSE": "labelled before the dose but drawn after it, or the reverse; correct PCTPT or PCDTC",
    "CK-TIME": "the clock time is missing; the nominal time is used",
    "CK-UNIT": "the unit changes inside a profile, no parameters are derived; convert or correct",
    "CK-VALUE": "the value cannot be read, is negative, or lies below its limit of quantification; no parameters are derived",
    "CK-WINDOW": "the actual time is outside the permitted window around the nominal time; kept",
}


def sample_findings(rows: pd.DataFrame, study: Study) -> tuple[Finding, ...]:
    """Return what the samples show.

    Parameters
    ----------
    rows : pandas.DataFrame
        Samples with all derived columns, as `derive_adpc` has them.
    study : Study
        ``kinetics.predose_zero_h``.

    Returns
    -------
    tuple of Finding
        Sorted.

    Raises
    ------
    None
    """
    found = [
        finding for rule, select in _SELECT.items() for finding in _each(rule, rows[select(rows, study)])
    ]
    return tuple(sorted(found, key=lambda finding: finding.order))


def _each(rule: str, rows: pd.DataFrame) -> Iterator[Finding]:
    severity = dict(RULES)[rule]
    for subject, code, key, value, date in zip(
        rows["USUBJID"],
        rows["PARAMCD"],
        rows["SRCSEQ"],
        rows["AVALC"],
        rows["ADTM"].fillna(rows["ADT"]),
        strict=True,
    ):
        yield Finding(
            rule,
            severity,
            "PC",
            _TEXTS[rule],
            subject=subject,
            key=(key or "", str(code)),
            variable="PCDTC" if rule in _OF_TIME else "PCSTRESC",
            value=str(date) if rule in _OF_TIME else None if value is None else str(value),
            effect=_EFFECT,
        )


_OF_TIME = frozenset({"CK-DATE", "CK-DUP", "CK-PREDOSE", "CK-TIME", "CK-WINDOW", "CK-NODOSE"})


def _done(rows: pd.DataFrame) -> pd.Series:
    return rows["STATE"] != "NOT DONE"


def _wrong_label(rows: pd.DataFrame, study: Study) -> pd.Series:
    cycle_time = rows["RAWTIME"] - (rows["REFSTART"] - rows["FIRST"]).dt.total_seconds().fillna(0.0) / 86400.0
    late = rows["PREDFL"].eq("Y") & (cycle_time > 0) & rows["TIMEFL"].isna()
    early = rows["PREDFL"].isna() & (rows["NTIME"] > 0) & (rows["RAWTIME"] < 0)
    return _done(rows) & (late | early)


def _changes(rows: pd.DataFrame, column: str, keys: list[str]) -> pd.Series:
    """Return the rows whose value differs from the first one of their profile."""
    used = rows["ANL01FL"] == "Y"
    first = rows[column].where(used).groupby([rows[name] for name in keys], dropna=False).transform("first")
    return used & rows[column].notna() & (rows[column] != first)


def _base(rows: pd.DataFrame, _study: Study) -> pd.Series:
    return (
        (rows["ROLE"] == "t")
        & (rows["STATE"] == "QUANT")
        & (rows["RAWTIME"] <= 0)
        & (rows["EXCLRS"] != "NOT_BLOOD")
    )


_PROFILE = ["USUBJID", "PARAMCD", "ASPEC"]
_SELECT: dict[str, Callable[[pd.DataFrame, Study], pd.Series]] = {
    "CK-BASE": _base,
    "CK-DATE": lambda rows, _: (
        _done(rows) & rows["EXCLRS"].isin(["NO_DATE", "BEFORE_CONSENT", "AFTER_DEATH_OR_CUT"])
    ),
    "CK-DUP": lambda rows, _: rows["DOUBLE"],
    "CK-LLOQ": lambda rows, _: _changes(rows, "ALLOQ", [*_PROFILE, "AVALU"]),
    "CK-NODOSE": lambda rows, _: rows["EXCLRS"] == "NO_DOSE",
    "CK-PREDOSE": _wrong_label,
    "CK-TIME": lambda rows, _: _done(rows) & rows["TIMEFL"].eq("Y"),
    "CK-UNIT": lambda rows, _: _changes(rows, "AVALU", _PROFILE),
    "CK-VALUE": lambda rows, _: rows["STATE"] == "BAD",
    "CK-WINDOW": lambda rows, _: _done(rows) & rows["WINFL"].eq("Y"),
}
