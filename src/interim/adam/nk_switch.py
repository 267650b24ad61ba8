"""The switch of the NK source: the first NK infusion from another source than the first one."""

from __future__ import annotations

import pandas as pd

from interim.adam.adex import product_of
from interim.adam.source import date_columns, text_column
from interim.data.model import Sdtm
from interim.study import Study

_ITEM = "SOURCE"


def derive_nk_switch(sdtm: Sdtm, study: Study) -> pd.DataFrame:
    """Return the first recorded source of the NK cells of every treated participant, and when it changed.

    Parameters
    ----------
    sdtm : Sdtm
        EX with SUPPEX item SOURCE (UCB, AUTO or another text), per NK infusion.
    study : Study
        Products.

    Returns
    -------
    pandas.DataFrame
        Key USUBJID; NKSRC (text of the first infusion with a recorded source) and NKSWDT (day of the first infusion from another source, NaT
        without one); participants without a recorded source have no row.

    Raises
    ------
    None

    Notes
    -----
    Upper and lower case are the same source. An infusion without a recorded source says nothing about a switch; it is no source of its own.
    """
    source = sdtm.with_supp("EX")
    nk = {product.id for product in study.with_role("nk")}
    named = text_column(source, "EXTRT").map(lambda text: product_of(text, study.products))
    given = named.map(lambda product: product is not None and product.id in nk).astype(bool)
    given &= text_column(source, "EXOCCUR") != "N"
    rows = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "NKSRC": text_column(source, _ITEM).str.upper() if _ITEM in source else None,
            "NKSWDT": date_columns(source, "EXSTDTC")["DT"].astype("datetime64[ns]"),
        }
    )[given]
    known = rows[rows["NKSRC"].notna() & rows["NKSWDT"].notna()].sort_values(
        ["USUBJID", "NKSWDT"], kind="stable"
    )
    first = known.drop_duplicates("USUBJID")
    origin = known["USUBJID"].map(first.set_index("USUBJID")["NKSRC"])
    later = known[known["NKSRC"] != origin].drop_duplicates("USUBJID")
    return (
        first[["USUBJID", "NKSRC"]]
        .merge(later[["USUBJID", "NKSWDT"]], on="USUBJID", how="left", validate="1:1")
        .sort_values("USUBJID", kind="stable")
        .reset_index(drop=True)
    )
