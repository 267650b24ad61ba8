"""Lesions: the tables of identified and measured lesions that several checks share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.records import Records
from interim.data.check.vocabulary import words

SIZES = ("LDIAM", "LPERP", "DIAMETER")
LESION = ["USUBJID", "EVAL", "LESION"]


def _evaluator(records: Records) -> pd.Series:
    name = records.name
    return records.code(f"{name}EVAL").fillna("") + "|" + records.code(f"{name}EVALID").fillna("")


def _rows(context: Context, name: str) -> pd.DataFrame:
    records = context.records(name)
    dates = records.dates(f"{name}DTC")
    first = beside(records, context.first_dose()).dt.normalize()
    return pd.DataFrame(
        {
            "PLACE": np.arange(len(records)),
            "USUBJID": records.subjects(),
            "EVAL": _evaluator(records),
            "LESION": records.code(f"{name}LNKID"),
            "DAY": dates["DT"],
            "FIRST": dates["FIRST"],
            "DTC": records.code(f"{name}DTC").fillna(""),
            "VISITNUM": records.number("VISITNUM"),
            "DOSE": first,
            "BASELINE": first.notna() & (dates["FIRST"] <= first),
        }
    )


def identified(context: Context) -> pd.DataFrame:
    """Return the lesions of TU, one row per record.

    Parameters
    ----------
    context : Context
        The delivered domains.

    Returns
    -------
    pandas.DataFrame
        PLACE, USUBJID, EVAL, LESION, DAY, FIRST, DTC, VISITNUM, DOSE (day of the first dose), BASELINE (dated on or before it),
        ROLE (TARGET, NON-TARGET, NEW), ORGAN, NODE.

    Raises
    ------
    None
    """
    return context.shared(_identified)


def _identified(context: Context) -> pd.DataFrame:
    tu = context.records("TU")
    role = tu.code("TUSTRESC").fillna(tu.code("TUORRES"))
    organ, node = tu.code("TULOC"), words("terms")["lesion"]["node"]
    is_node = organ.fillna("").str.startswith(node)
    table = _rows(context, "TU").assign(ROLE=role, ORGAN=organ.mask(is_node, node), NODE=is_node)
    return table.dropna(subset=["USUBJID", "LESION"])


def measured(context: Context) -> pd.DataFrame:
    """Return the records of TR that belong to a lesion.

    Parameters
    ----------
    context : Context
        The delivered domains.

    Returns
    -------
    pandas.DataFrame
        As `identified`, with TEST, VALUE, STATE (text of TUMSTATE), UNIT, DONE and the GROUP of TRGRPID.

    Raises
    ------
    None
    """
    return context.shared(_measured)


def _measured(context: Context) -> pd.DataFrame:
    tr = context.records("TR")
    value = tr.number("TRSTRESN").fillna(tr.number("TRSTRESC"))
    table = _rows(context, "TR").assign(
        TEST=tr.code("TRTESTCD"),
        VALUE=value,
        STATE=tr.code("TRSTRESC").fillna(tr.code("TRORRES")),
        UNIT=tr.code("TRSTRESU"),
        DONE=tr.code("TRSTAT") != "NOT DONE",
        GROUP=tr.code("TRGRPID"),
    )
    return table.dropna(subset=["USUBJID", "LESION"])


def lesions(context: Context) -> pd.DataFrame:
    """Return one row per participant, evaluator and lesion of TU: its first record.

    Parameters
    ----------
    context : Context
        The delivered domains.

    Returns
    -------
    pandas.DataFrame
        Columns of `identified`; AT_BASELINE is True if the lesion was identified on or before the first dose, or at an unknown
        date.

    Raises
    ------
    None
    """
    return context.shared(_lesions)


def _lesions(context: Context) -> pd.DataFrame:
    table = identified(context).sort_values(["FIRST", "PLACE"], kind="stable").drop_duplicates(LESION)
    return table.assign(AT_BASELINE=table["BASELINE"] | (table["FIRST"].isna() & table["DOSE"].notna()))


def baseline_sizes(context: Context) -> pd.DataFrame:
    """Return the last size of each target lesion of TU on or before the first dose.

    Parameters
    ----------
    context : Context
        The delivered domains.

    Returns
    -------
    pandas.DataFrame
        Columns of `lesions` (targets identified at baseline), SIZE: the size that enters the sum (the short axis of a node), NaN
        if there is none; MM: PLACE of its record.

    Raises
    ------
    None
    """
    return context.shared(_baseline_sizes)


def _baseline_sizes(context: Context) -> pd.DataFrame:
    table = lesions(context)
    targets = table[(table["ROLE"] == "TARGET") & table["AT_BASELINE"]]
    sizes = measured(context)
    sizes = sizes[sizes["BASELINE"] & sizes["TEST"].isin(SIZES) & sizes["VALUE"].notna()]
    joined = sizes[[*LESION, "FIRST", "TEST", "VALUE", "PLACE"]].merge(
        targets[[*LESION, "NODE"]], on=LESION, validate="m:1"
    )
    wanted = joined["TEST"].eq("DIAMETER") | joined["TEST"].eq("LPERP").where(
        joined["NODE"], joined["TEST"].eq("LDIAM")
    )
    last = joined[wanted].sort_values(
        ["FIRST", "TEST", "PLACE"], ascending=[False, True, True], kind="stable"
    )
    last = last.drop_duplicates(LESION).rename(columns={"VALUE": "SIZE", "PLACE": "MM"})
    return targets.merge(last[[*LESION, "SIZE", "MM"]], on=LESION, how="left", validate="1:1")
