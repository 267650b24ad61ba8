"""New anticancer therapy: the earliest start after the first dose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from interim.adam.adex import product_of
from interim.adam.derived import Derived
from interim.adam.source import date_columns, sequence_text, shipped_data, text_column, text_missing
from interim.data.dates import impute_dates
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.study import Study

COLUMNS = ["USUBJID", "NACTDT", "NACTDTF", "NACTKIND", "NACTTRT", "NACTDOM", "NACTSEQ"]
RULE = ("CM-KIND", "warn")


def derive_nactdt(sdtm: Sdtm, study: Study, *, unknown_counts: bool = True) -> Derived:
    """Return the start of the first new anticancer therapy of every DM participant.

    Parameters
    ----------
    sdtm : Sdtm
        DM, EX, CM, PR; already cut.
    study : Study
        ``tte.new_therapy_kinds``, ``tte.nact_imputation``, ``tte.anchor``, ``study.planned_therapies``, products.
    unknown_counts : bool
        Whether a therapy of an unknown kind counts.

    Returns
    -------
    Derived
        USUBJID, NACTDT, NACTDTF, NACTKIND, NACTTRT, NACTDOM, NACTSEQ; findings CM-KIND.

    Raises
    ------
    None

    Notes
    -----
    Records of category NEW ANTICANCER THERAPY in CM and PR, of a listed kind, on or after the first dose of the anchor
    product. A therapy of an unknown kind counts, with a finding. Planned therapies, by name, do not count.
    """
    first = _first_dose(sdtm, study)
    domains = shipped_data("tte/sources")["therapy"]["domains"]
    parts = [_records(sdtm, domain, study) for domain in domains]
    rows = pd.concat([part for part in parts if len(part)] or parts[:1])
    findings = tuple(_unknown_kind(row) for row in rows[rows["KIND"].isna()].to_dict("records"))
    dated = _dated(rows.reset_index(drop=True), first, study)
    wanted = dated["KIND"].isin(study.tte.new_therapy_kinds) | (dated["KIND"].isna() & unknown_counts)
    kept = dated[wanted & dated["AFTER"]]
    order = ["USUBJID", "NACTDT", "NACTDOM", "NACTSEQ"]
    earliest = kept.sort_values(order, kind="stable").drop_duplicates("USUBJID")
    subjects = pd.DataFrame({"USUBJID": sorted(map(str, sdtm.domain("DM")["USUBJID"]))}, dtype=object)
    frame = subjects.merge(
        earliest.rename(columns={"KIND": "NACTKIND"}), on="USUBJID", how="left", validate="1:1"
    )[COLUMNS]
    frame["NACTDT"] = frame["NACTDT"].astype("datetime64[ns]")
    ordered = tuple(sorted(findings, key=lambda finding: finding.order))
    return Derived(
        text_missing(frame), ordered, ((*RULE, "run" if len(rows) else "not run: no new therapy"),)
    )


def _first_dose(sdtm: Sdtm, study: Study) -> pd.Series:
    """Return the first dose of the anchor product by participant."""
    ex = sdtm.domain("EX")
    products = study.with_role("t") if study.tte.anchor == "first_cart" else study.treated()
    wanted = {product.id for product in products}
    named = text_column(ex, "EXTRT").map(lambda text: product_of(text, study.products))
    keep = named.map(lambda product: product is not None and product.id in wanted).astype(bool)
    keep &= text_column(ex, "EXOCCUR") != "N"
    dates = date_columns(ex[keep], "EXSTDTC")["FIRST"]
    return dates.groupby(ex.loc[keep, "USUBJID"]).min()


def _records(sdtm: Sdtm, domain: str, study: Study) -> pd.DataFrame:
    names = shipped_data("tte/sources")["therapy"]
    source = sdtm.domain(domain)
    planned = [name.strip().upper() for name in study.study.planned_therapies]
    keep = text_column(source, f"{domain}CAT").isin(names["category"])
    for column in (f"{domain}TRT", f"{domain}DECOD"):
        keep &= ~text_column(source, column).isin(planned)
    part = source[keep]
    kind = text_column(part, f"{domain}SCAT").map(lambda text: names["kinds"].get(text))
    return pd.DataFrame(
        {
            "USUBJID": part["USUBJID"].astype(object),
            "DTC": part[f"{domain}STDTC"].astype(object) if f"{domain}STDTC" in part else None,
            "KIND": kind.astype(object),
            "NACTTRT": part[f"{domain}TRT"].astype(object) if f"{domain}TRT" in part else None,
            "NACTDOM": domain,
            "NACTSEQ": part[f"{domain}SEQ"].map(sequence_text) if f"{domain}SEQ" in part else None,
        },
        dtype=object,
    )


def _dated(rows: pd.DataFrame, first: pd.Series, study: Study) -> pd.DataFrame:
    """Return the records with their start, completed, and whether it is on or after the first dose."""
    rule = study.tte.nact_imputation
    start = pd.to_datetime(rows["USUBJID"].map(first)).astype("datetime64[ns]")
    imputed = impute_dates(rows["DTC"], highest=rule.highest, rule=rule.rule, not_before=[start])
    after = imputed["DT"].notna() & start.notna() & (imputed["DT"] >= start)
    return rows.assign(NACTDT=imputed["DT"], NACTDTF=imputed["DTF"], AFTER=after)


def _unknown_kind(row: Mapping[Any, Any]) -> Finding:
    return Finding(
        RULE[0],
        "warn",
        str(row["NACTDOM"]),
        f"new anticancer therapy {row['NACTTRT']!r} without a known kind; it counts; enter SYSTEMIC, RADIATION, SURGERY or LOCAL LIVER",
        subject=str(row["USUBJID"]),
        key=(str(row["NACTDOM"]), str(row["NACTSEQ"])),
        variable=f"{row['NACTDOM']}SCAT",
        effect=("T 14.2.3.1", "T 14.2.3.6"),
    )
