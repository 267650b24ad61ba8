"""Records of signs and treatment, read for one moment: clinical events and drugs that hold at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from interim.adam.source import date_columns, number_column, sequence_text, shipped_data, text_column
from interim.data.model import Sdtm
from interim.errors import Finding

RULES = (
    ("TOX-CODE", "warn"),
    ("TOX-ICE", "warn"),
    ("TOX-ICESUM", "warn"),
    ("TOX-TEMP", "warn"),
    ("TOX-UNIT", "warn"),
)
_EFFECT = ("T 14.3.1.9", "T 14.3.1.11")
_LAST_SECOND = pd.Timedelta(86399, unit="s")


def spans(source: pd.DataFrame, start: str, end: str) -> pd.DataFrame:
    """Return from when to when each record holds.

    Parameters
    ----------
    source : pandas.DataFrame
        Rows of a domain.
    start, end : str
        Its date columns.

    Returns
    -------
    pandas.DataFrame
        Same index: FROM (earliest possible moment), TO (latest; NaT: still holds).

    Raises
    ------
    None
    """
    begun, over = date_columns(source, start), date_columns(source, end)
    last = over["DTM"].fillna(over["LAST"] + _LAST_SECOND)
    return pd.DataFrame({"FROM": begun["DTM"].fillna(begun["FIRST"]), "TO": last}, index=source.index)


def clinical_values(sdtm: Sdtm, codes: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the clinical-event records that describe signs.

    Parameters
    ----------
    sdtm : Sdtm
        CE.
    codes : sequence of str, optional
        Which signs; default those of cytokine release and neurotoxicity.

    Returns
    -------
    pandas.DataFrame
        USUBJID, CODE, VALUE (text in upper case), FROM, TO, SEQ; sorted by participant, code and start.

    Raises
    ------
    None
    """
    names = ["USUBJID", "CODE", "VALUE", "FROM", "TO", "SEQ"]
    if not sdtm.has("CE"):
        return pd.DataFrame(columns=names).astype({"FROM": "datetime64[ns]", "TO": "datetime64[ns]"})
    source = sdtm.domain("CE")
    moments = spans(source, "CEDTC", "CEENDTC")
    begun = spans(source, "CESTDTC", "CEENDTC")["FROM"]
    rows = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "CODE": text_column(source, "CETESTCD"),
            "VALUE": text_column(source, "CESTRESC").fillna(text_column(source, "CEORRES")),
            "FROM": begun.fillna(moments["FROM"]),
            "TO": moments["TO"],
            "SEQ": source["CESEQ"].map(sequence_text) if "CESEQ" in source else "",
        }
    )
    signs = shipped_data("toxicity")["records"]["ce"] if codes is None else codes
    wanted = rows["CODE"].isin(list(signs)) & rows["FROM"].notna()
    return rows[wanted].sort_values(["USUBJID", "CODE", "FROM", "SEQ"], kind="stable", ignore_index=True)


def value_at(moments: pd.DataFrame, records: pd.DataFrame, code: str) -> pd.Series:
    """Return what the latest record of a sign says at each moment.

    Parameters
    ----------
    moments : pandas.DataFrame
        USUBJID, AT.
    records : pandas.DataFrame
        As `clinical_values` gives them.
    code : str
        Sign.

    Returns
    -------
    pandas.Series of object
        Same index; None where no record holds.

    Raises
    ------
    None
    """
    mine = records[records["CODE"] == code]
    answer = pd.Series(None, index=moments.index, dtype=object)
    if mine.empty or moments.empty:
        return answer
    left = moments[["USUBJID", "AT"]].rename_axis("ROW").reset_index().sort_values(["AT", "ROW"])
    right = mine[["USUBJID", "FROM", "TO", "VALUE"]].sort_values("FROM", kind="stable")
    found = pd.merge_asof(left, right, left_on="AT", right_on="FROM", by="USUBJID")
    holds = found["FROM"].notna() & ~(found["TO"] < found["AT"])
    values = found["VALUE"].astype(object).where(holds, None)
    answer[found["ROW"]] = values.to_numpy()
    return answer.where(answer.notna(), None)


def drug_spans(sdtm: Sdtm, names: Iterable[str]) -> pd.DataFrame | None:
    """Return when drugs were given.

    Parameters
    ----------
    sdtm : Sdtm
        CM.
    names : iterable of str
        Names in upper case.

    Returns
    -------
    pandas.DataFrame or None
        USUBJID, DRUG, FROM, TO; None if CM was not delivered.

    Raises
    ------
    None

    Notes
    -----
    CM is a log: a drug that it does not hold was not given. Prior anticancer therapy does not count.
    """
    if not sdtm.has("CM"):
        return None
    source = sdtm.domain("CM")
    drug = text_column(source, "CMDECOD").fillna(text_column(source, "CMTRT"))
    wanted = drug.isin(list(names)) & ~text_column(source, "CMCAT").fillna("").str.contains("ANTICANCER")
    rows = pd.DataFrame({"USUBJID": source["USUBJID"], "DRUG": drug}).join(
        spans(source, "CMSTDTC", "CMENDTC")
    )
    return rows[wanted].sort_values(["USUBJID", "FROM", "DRUG"], kind="stable", ignore_index=True)


def drugs_at(
    moments: pd.DataFrame, given: pd.DataFrame | None, *, since: pd.Timedelta | None = None
) -> pd.Series:
    """Count the different drugs that were being given at each moment, or had been since the moment before.

    Parameters
    ----------
    moments : pandas.DataFrame
        USUBJID, AT.
    given : pandas.DataFrame or None
        As `drug_spans` gives them.
    since : pandas.Timedelta, optional
        How far back a moment looks, at most to the participant's moment before (a dose between two measurements is seen at
        the later one); default not at all.

    Returns
    -------
    pandas.Series of float64
        Same index; NaN where drugs were not collected.

    Raises
    ------
    None
    """
    if given is None:
        return pd.Series(np.nan, index=moments.index)
    rows = moments[["USUBJID", "AT"]].rename_axis("ROW").reset_index().sort_values("AT", kind="stable")
    before = rows.groupby("USUBJID")["AT"].shift()
    back = rows["AT"] - (pd.Timedelta(0) if since is None else since)
    rows["SINCE"] = pd.concat([before, back], axis=1).max(axis=1)
    pairs = rows.merge(given, on="USUBJID", how="inner", validate="m:m")
    over = (pairs["TO"] < pairs["AT"]) & (pairs["TO"] <= pairs["SINCE"])
    pairs = pairs[~(pairs["FROM"] > pairs["AT"]) & ~over]
    count = pairs.groupby("ROW")["DRUG"].nunique()
    return count.reindex(moments.index).fillna(0).astype("float64")


def vital_values(sdtm: Sdtm) -> tuple[pd.DataFrame, list[Finding]]:
    """Return temperature and systolic pressure by participant and moment.

    Parameters
    ----------
    sdtm : Sdtm
        VS.

    Returns
    -------
    tuple of (pandas.DataFrame, list of Finding)
        USUBJID, AT, TEMP (C), SYSBP (mmHg), of several at one moment the worst; findings TOX-TEMP, TOX-UNIT: those values
        count as not recorded.

    Raises
    ------
    None
    """
    names = ["USUBJID", "AT", "TEMP", "SYSBP"]
    if not sdtm.has("VS"):
        return pd.DataFrame(columns=names).astype({"AT": "datetime64[ns]"}), []
    source = sdtm.domain("VS")
    code, unit = text_column(source, "VSTESTCD"), text_column(source, "VSSTRESU")
    value = number_column(source, "VSSTRESN")
    at = spans(source, "VSDTC", "VSDTC")["FROM"]
    low, high = shipped_data("toxicity")["records"]["temperature"]
    temperature, pressure = code == "TEMP", code == "SYSBP"
    wrong_unit = value.notna() & ((temperature & (unit != "C")) | (pressure & (unit != "MMHG")))
    outside = temperature & ~wrong_unit & ((value < low) | (value > high))
    findings = [
        *_listed(source, "VS", wrong_unit, ("TOX-UNIT", "VSSTRESU", "C or mmHg")),
        *_listed(source, "VS", outside, ("TOX-TEMP", "VSSTRESN", f"{low:g} to {high:g} C")),
    ]
    rows = pd.DataFrame({"USUBJID": source["USUBJID"], "AT": at, "CODE": code, "VALUE": value})
    kept = rows[(temperature | pressure) & at.notna() & value.notna() & ~wrong_unit & ~outside]
    group = kept.assign(TEMP=value.where(temperature), SYSBP=value.where(pressure)).groupby(["USUBJID", "AT"])
    return group.agg(TEMP=("TEMP", "max"), SYSBP=("SYSBP", "min")).reset_index(), findings


def _listed(
    source: pd.DataFrame, domain: str, rows: pd.Series, what: tuple[str, str, str]
) -> Iterable[Finding]:
    rule, variable, expected = what
    for place in source.index[rows.to_numpy(dtype=bool)]:
        row = source.loc[place]
        yield Finding(
            rule,
            "warn",
            domain,
            f"{variable} {row.get(variable)!r} counts as not recorded, expected {expected}; correct the record",
            subject=str(row["USUBJID"]),
            key=(sequence_text(row.get(f"{domain}SEQ")) or "",),
            variable=variable,
            value=str(row.get(variable)),
            expected=expected,
            effect=_EFFECT,
        )


def ice_scores(sdtm: Sdtm) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the ICE score by participant and moment.

    Parameters
    ----------
    sdtm : Sdtm
        QS: the total, the items, or both.

    Returns
    -------
    tuple of (pandas.DataFrame, list of Finding)
        USUBJID, AT, ICE (float64: the sum of the items where all were recorded, else the total; of several at one moment
        the lowest); findings TOX-ICE (a score out of range counts as not recorded) and TOX-ICESUM (items and total differ;
        the items win).

    Raises
    ------
    None
    """
    data = shipped_data("toxicity")
    items, total = data["records"]["ice_items"], data["records"]["ice_total"]
    if not sdtm.has("QS"):
        return pd.DataFrame(columns=["USUBJID", "AT", "ICE"]).astype({"AT": "datetime64[ns]"}), []
    source = sdtm.domain("QS")
    code, value = text_column(source, "QSTESTCD"), number_column(source, "QSSTRESN")
    limits = {**items, total: data["icans"]["ice"]["highest"]}
    highest = code.map(limits).astype("float64")
    outside = value.notna() & highest.notna() & ((value < 0) | (value > highest) | (value % 1 != 0))
    rows = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "AT": spans(source, "QSDTC", "QSDTC")["FROM"],
            "CODE": code,
            "VALUE": value,
        }
    )
    kept = rows[highest.notna() & rows["AT"].notna() & value.notna() & ~outside]
    wide = kept.pivot_table(index=["USUBJID", "AT"], columns="CODE", values="VALUE", aggfunc="min")
    wide = wide.reindex(columns=[*items, total])
    summed = wide[list(items)].sum(axis=1, min_count=len(items))
    table = wide.assign(ICE=summed.fillna(wide[total])).reset_index().rename_axis(columns=None)
    differ = table[
        wide[total].notna().to_numpy() & summed.notna().to_numpy() & (summed != wide[total]).to_numpy()
    ]
    findings = list(
        _listed(source, "QS", outside, ("TOX-ICE", "QSSTRESN", "a whole number within the item's range"))
    )
    return table[["USUBJID", "AT", "ICE"]], [*findings, *(_sum(row, total) for _, row in differ.iterrows())]


def _sum(row: pd.Series, total: str) -> Finding:
    return Finding(
        "TOX-ICESUM",
        "warn",
        "QS",
        f"the ICE total {row[total]:g} is not the sum of its items {row['ICE']:g}; the items are used, correct the total",
        subject=str(row["USUBJID"]),
        key=(f"{row['AT']:%Y-%m-%dT%H:%M}",),
        variable="QSSTRESN",
        value=f"{row[total]:g}",
        expected=f"{row['ICE']:g}",
        effect=_EFFECT,
    )
