"""Findings of cellular-kinetics samples: nothing is repaired silently, nothing is dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from interim.adam.kinetic_columns import code_column
from interim.errors import Finding, Severity
from interim.study import Study

RULES: tuple[tuple[str, Severity], ...] = (
    ("CK-BASE", "info"),
    ("CK-DATE", "warn"),
    ("CK-DUP", "warn"),
    ("CK-EMPTY", "warn"),
    ("CK-LLOQ", "info"),
    ("CK-NODOSE", "warn"),
    ("CK-PREDOSE", "warn"),
    ("CK-SORT", "info"),
    ("CK-TIME", "info"),
    ("CK-ULOQ", "info"),
    ("CK-UNIT", "warn"),
    ("CK-VALUE", "warn"),
    ("CK-WINDOW", "info"),
)
_EFFECT = ("T 14.4.1.1", "T 14.4.1.2")
_TEXTS = {
    "CK-BASE": "the sample before the first T-cell infusion is above the limit of quantification; carry-over or wrong sample",
    "CK-DATE": "the date is missing, before consent, or after death or cut-off; the sample enters no profile",
    "CK-DUP": "two samples of one test at the same time; state kinetics.duplicate_rule or correct the record",
    "CK-LLOQ": "the limit of quantification is missing or changes inside a profile; each sample keeps its own, none is put in its place",
    "CK-NODOSE": "no infusion of a product that this sample belongs to; correct PCCAT, PCTESTCD or EX",
    "CK-PREDOSE": "labelled before the dose but drawn after it, or the reverse; correct PCTPT or PCDTC",
    "CK-SORT": "the samples of the profile were not delivered in the order of time; they are sorted",
    "CK-TIME": "the clock time is missing; the nominal time is used",
    "CK-ULOQ": "the value is above the upper limit of quantification and not diluted; that limit is used, maximum and area are flagged",
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


def empty_findings(rows: pd.DataFrame, adex: pd.DataFrame) -> Iterator[Finding]:
    """Yield CK-EMPTY for each product that was infused and has no sample that can be analysed.

    Parameters
    ----------
    rows : pandas.DataFrame
        Samples with ROLE, ANL01FL and PROFRS.
    adex : pandas.DataFrame
        Infusions.

    Yields
    ------
    Finding
        One per role of a cell product.

    Raises
    ------
    None
    """
    usable = set(rows.loc[(rows["ANL01FL"] == "Y") & rows["PROFRS"].isna(), "ROLE"])
    for role in sorted((set(adex["ROLE"]) & {"nk", "t"}) - usable):
        text = "a product was infused and no sample of it can be analysed; its tables say so"
        yield Finding("CK-EMPTY", "warn", "PC", text, variable="PCTESTCD", value=role, effect=_EFFECT)


def profile_marks(rows: pd.DataFrame, study: Study) -> pd.Series:
    """Return what a reader should know of the profile of each sample.

    Parameters
    ----------
    rows : pandas.DataFrame
        Samples with all derived columns.
    study : Study
        ``kinetics.predose_zero_h``.

    Returns
    -------
    pandas.Series of object
        Codes joined by semicolons, None for none: CENSORED_HIGH, LLOQ_CHANGES, LLOQ_MISSING, SAMPLE_EXCLUDED, TIME_NOMINAL,
        TIME_OUTSIDE_WINDOW, WRONG_LABEL.

    Raises
    ------
    None
    """
    used = (rows["ANL01FL"] == "Y").to_numpy()
    marks = {
        "CENSORED_HIGH": rows["DTYPE"].eq("ULOQ") & used,
        "LLOQ_CHANGES": _changes(rows, "ALLOQ", [*_PROFILE, "AVALU"]),
        "LLOQ_MISSING": rows["NOLIMIT"] & used,
        "SAMPLE_EXCLUDED": _SELECT["CK-DATE"](rows, study),
        "TIME_NOMINAL": rows["TIMEFL"].eq("Y") & used,
        "TIME_OUTSIDE_WINDOW": rows["WINFL"].eq("Y") & used,
        "WRONG_LABEL": _wrong_label(rows, study),
    }
    keys = [rows[name] for name in [*_PROFILE, "AVALU"]]
    whole = {name: mark.groupby(keys, dropna=False).transform("any") for name, mark in marks.items()}
    texts = pd.Series("", index=rows.index, dtype=object)
    for name, mark in whole.items():
        texts = texts.where(~mark, texts + ";" + name)
    return code_column(texts.str.lstrip(";"), rows.index)


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


_OF_TIME = frozenset({"CK-DATE", "CK-DUP", "CK-PREDOSE", "CK-TIME", "CK-WINDOW", "CK-NODOSE", "CK-SORT"})


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


def _limit(rows: pd.DataFrame, _study: Study) -> pd.Series:
    return (rows["NOLIMIT"] & rows["EXCLRS"].ne("NO_DOSE")) | _changes(rows, "ALLOQ", [*_PROFILE, "AVALU"])


def _unsorted(rows: pd.DataFrame, _study: Study) -> pd.Series:
    """Return the first sample of each profile that was delivered behind a later one."""
    used = rows[(rows["ANL01FL"] == "Y") & rows["AFRLT"].notna()].sort_values("DELIVERED", kind="stable")
    keys = [used[name] for name in [*_PROFILE, "AVALU"]]
    late = used[used["AFRLT"] < used["AFRLT"].groupby(keys, dropna=False).cummax()]
    first = late.drop_duplicates([*_PROFILE, "AVALU"])
    return pd.Series(rows.index.isin(first.index), index=rows.index)


def _base(rows: pd.DataFrame, _study: Study) -> pd.Series:
    return (
        (rows["ROLE"] == "t")
        & (rows["STATE"] == "QUANT")
        & ~(rows["AVAL"] <= rows["ALLOQ"])
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
    "CK-LLOQ": _limit,
    "CK-NODOSE": lambda rows, _: rows["EXCLRS"] == "NO_DOSE",
    "CK-PREDOSE": _wrong_label,
    "CK-SORT": _unsorted,
    "CK-TIME": lambda rows, _: _done(rows) & rows["TIMEFL"].eq("Y"),
    "CK-ULOQ": lambda rows, _: rows["DTYPE"].eq("ULOQ"),
    "CK-UNIT": lambda rows, _: _changes(rows, "AVALU", _PROFILE),
    "CK-VALUE": lambda rows, _: rows["STATE"] == "BAD",
    "CK-WINDOW": lambda rows, _: _done(rows) & rows["WINFL"].eq("Y"),
}
