"""ADEX: one row per infusion that was given, with product, phase, cycle and dose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from interim.adam.source import (
    date_columns,
    number_column,
    ordered,
    shipped_data,
    source_of,
    text_column,
    text_missing,
)
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.study import NK_ONLY, Product, Study

RULES = (("EX-PRODUCT", "stop"), ("EX-DATE", "stop"), ("EX-ACTLVL", "warn"))
COLUMNS = [
    "USUBJID",
    "PRODUCT",
    "ROLE",
    "APHASE",
    "ACYCLE",
    "AINFN",
    "ASTDT",
    "ASTDTM",
    "AENDT",
    "AENDTM",
    "ADOSE",
    "DOSEU",
    "PLANDOSE",
    "WEIGHT",
    "DOSEKG",
    "ROUTE",
    "SRCDOM",
    "SRCSEQ",
]
_EFFECT = ("T 14.1.5.1", "T 14.1.1.2")
_CELLS = "cells"


def product_of(text: str | None, products: Sequence[Product]) -> Product | None:
    """Return the product that an exposure text names.

    Parameters
    ----------
    text : str or None
        EXTRT.
    products : sequence of Product
        Products of the study; ``extrt`` holds their texts.

    Returns
    -------
    Product or None
        None if no product, or more than one, is named.

    Raises
    ------
    None

    Notes
    -----
    Upper and lower case are the same. A product's text must equal EXTRT or stand in it as whole words; of several that do,
    the longest wins.
    """
    if text is None:
        return None
    wanted = text.strip().upper()
    hits = [(len(name), product.id) for product in products for name in product.extrt if _names(name, wanted)]
    best = {identity for length, identity in hits if length == max(hits)[0]}
    return next((p for p in products if {p.id} == best), None)


def _names(name: str, text: str) -> bool:
    return re.search(rf"(?<![A-Z0-9]){re.escape(name.strip().upper())}(?![A-Z0-9])", text) is not None


def derive_adex(sdtm: Sdtm, study: Study) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Derive the infusions that were given.

    Parameters
    ----------
    sdtm : Sdtm
        EX with SUPPEX; VS for a weight that EX does not carry.
    study : Study
        Products.

    Returns
    -------
    tuple of (pandas.DataFrame, tuple of Finding)
        One row per infusion, key USUBJID, SRCSEQ; PRODUCT, ROLE, APHASE (NK, CART_C1, CART_C2; the product for other
        roles), ACYCLE, AINFN (number within the product), ASTDT, ASTDTM, AENDT, AENDTM, ADOSE (cells), DOSEU, PLANDOSE,
        WEIGHT (kg), DOSEKG (cells/kg), ROUTE; findings EX-PRODUCT, EX-DATE.

    Raises
    ------
    None
    """
    source = sdtm.with_supp("EX")
    names = text_column(source, "EXTRT")
    products = {text: product_of(text, study.products) for text in set(names)}
    found = names.map(lambda text: products.get(text)).astype(object)
    start = date_columns(source, "EXSTDTC")
    given = _given(source, found)
    findings = tuple(
        [
            *_unusable(source[given & found.isna()], "EX-PRODUCT", "EXTRT", study),
            *_unusable(source[given & found.notna() & start["DT"].isna()], "EX-DATE", "EXSTDTC", study),
        ]
    )
    keep = given & found.notna() & start["DT"].notna()
    rows = _rows(source[keep], found[keep], start[keep])
    rows = _with_dose(rows, source[keep], sdtm)
    rows = ordered(rows, ["USUBJID", "ASTDT", "ASTDTM", "PRODUCT", "SRCSEQ"])
    return text_missing(_with_cycle(rows)[COLUMNS]), findings


def _given(source: pd.DataFrame, product: pd.Series) -> pd.Series:
    """Tell which records are infusions that were started: not marked as not done, and any amount of a cell product."""
    done = text_column(source, "EXOCCUR") != "N"
    other = product.map(lambda p: p is not None and p.role == "other").astype(bool)
    return done & (other | (number_column(source, "EXDOSE") > 0))


def _unusable(rows: pd.DataFrame, rule: str, variable: str, study: Study) -> Iterable[Finding]:
    wanted = {
        "EX-PRODUCT": f"one of {', '.join(t for p in study.products for t in p.extrt)}",
        "EX-DATE": "a complete date",
    }[rule]
    keys = source_of(rows, "EX")["SRCSEQ"]
    for subject, key, value, file, row in zip(
        rows["USUBJID"],
        keys,
        rows[variable] if variable in rows else [None] * len(rows),
        *(rows[name] if name in rows else [None] * len(rows) for name in ("SRCFILE", "SRCROW")),
        strict=True,
    ):
        yield Finding(
            rule,
            "stop",
            "EX",
            f"{variable} must be {wanted}; exposure is a denominator: correct the record",
            subject=subject,
            key=(key or "",),
            variable=variable,
            value=None if value is None or value != value else str(value),
            expected=wanted,
            effect=_EFFECT,
            file=None if file is None or file != file else str(file),
            row=None if row is None or row != row else int(row),
        )


def _rows(source: pd.DataFrame, product: pd.Series, start: pd.DataFrame) -> pd.DataFrame:
    end = date_columns(source, "EXENDTC")
    frame = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "PRODUCT": product.map(lambda p: p.id).astype(object),
            "ROLE": product.map(lambda p: p.role).astype(object),
            "CYCLE": number_column(source, "EXCYCLE"),
            "ASTDT": start["DT"],
            "ASTDTM": start["DTM"],
            "AENDT": end["DT"],
            "AENDTM": end["DTM"],
            "ROUTE": text_column(source, "EXROUTE"),
        }
    )
    return frame.join(source_of(source, "EX"))


def _with_dose(rows: pd.DataFrame, source: pd.DataFrame, sdtm: Sdtm) -> pd.DataFrame:
    """Add the dose in cells and per kg; units of other products stay as they are."""
    units = shipped_data("exposure")["units"]
    collected = text_column(source, "EXDOSU")
    known = collected.isin(list(units))
    factor = collected.map(lambda unit: units.get(unit, {}).get("factor", 1.0)).astype("float64")
    per_kg = collected.map(lambda unit: units.get(unit, {}).get("per_kg", False)).astype(bool)
    amount = number_column(source, "EXDOSE") * factor
    weight = number_column(source, "WEIGHT").fillna(last_weight(rows, sdtm))
    as_collected = source.get("EXDOSU", collected)
    return rows.assign(
        WEIGHT=weight,
        ADOSE=(amount * weight).where(per_kg, amount),
        DOSEKG=amount.where(per_kg, amount / weight).where(known),
        PLANDOSE=number_column(source, "PLANCELL"),
        DOSEU=as_collected.astype(object).where(~known, _CELLS),
    )


def last_weight(rows: pd.DataFrame, sdtm: Sdtm) -> pd.Series:
    """Return the last weight on or before the day of each infusion.

    Parameters
    ----------
    rows : pandas.DataFrame
        USUBJID and ASTDT.
    sdtm : Sdtm
        VS.

    Returns
    -------
    pandas.Series of float64
        kg, on the index of ``rows``; NaN without a weight.

    Raises
    ------
    None
    """
    source = sdtm.domain("VS")
    weights = source[text_column(source, "VSTESTCD") == "WEIGHT"]
    known = pd.DataFrame(
        {
            "USUBJID": weights["USUBJID"],
            "VSDT": date_columns(weights, "VSDTC")["DT"],
            "KG": number_column(weights, "VSSTRESN"),
        }
    ).dropna()
    pairs = rows[["USUBJID", "ASTDT"]].rename_axis("ROW").reset_index()
    pairs = pairs.merge(known, on="USUBJID", how="inner", validate="m:m")
    pairs = pairs[pairs["VSDT"] <= pairs["ASTDT"]].sort_values(["ROW", "VSDT", "KG"], kind="stable")
    return pairs.drop_duplicates("ROW", keep="last").set_index("ROW")["KG"].reindex(rows.index)


def _with_cycle(rows: pd.DataFrame) -> pd.DataFrame:
    """Add cycle, number and phase; rows come sorted by participant and date."""
    group = rows.groupby(["USUBJID", "PRODUCT"], sort=False)
    gap = group["ASTDT"].diff().dt.days > shipped_data("exposure")["cycle_gap_days"]
    counted = gap.groupby([rows["USUBJID"], rows["PRODUCT"]]).cumsum() + 1.0
    cycle = rows["CYCLE"].fillna(counted).where(rows["ROLE"] == "t", counted)
    phase = rows["PRODUCT"].where(rows["ROLE"] == "other", "NK")
    named = "CART_C" + cycle.fillna(1).astype(int).astype(str)
    return rows.assign(
        ACYCLE=cycle.astype("float64"),
        AINFN=(group.cumcount() + 1).astype("float64"),
        APHASE=phase.where(rows["ROLE"] != "t", named).astype(object),
    )


def received_dose(adex: pd.DataFrame, study: Study) -> pd.Series:
    """Return the cells per kg that a participant received, as a dose level means them (AMB-4).

    Parameters
    ----------
    adex : pandas.DataFrame
        ADEX.
    study : Study
        ``dose.dose_unit_basis``.

    Returns
    -------
    pandas.Series of float64
        By USUBJID: per infusion, the mean over the T-cell infusions of the first cycle; per cycle, their sum. NaN if the
        dose per kg of one of them is unknown.

    Raises
    ------
    None
    """
    cells = adex[adex["ROLE"] == "t"]
    first = cells[cells["ACYCLE"] == cells.groupby("USUBJID")["ACYCLE"].transform("min")]
    doses: dict[str, list[float]] = {}
    for who, dose in zip(first["USUBJID"], first["DOSEKG"].astype("float64"), strict=True):
        doses.setdefault(who, []).append(dose)
    total = np.sum if study.dose.dose_unit_basis == "per_cycle" else np.mean
    names = pd.Index(sorted(doses), name="USUBJID", dtype=object)
    return pd.Series([total(doses[who]) for who in names], index=names, name="DOSEKG", dtype="float64")


def nearest_level(dose: float, study: Study) -> str | None:
    """Return the planned dose level that a received dose belongs to.

    Parameters
    ----------
    dose : float
        Cells per kg.
    study : Study
        ``dose.levels`` and ``dose.dose_deviation_flag``.

    Returns
    -------
    str or None
        ``DL1`` ...; None if the nearest level is further away than the permitted relative deviation ("off level").

    Raises
    ------
    None
    """
    off, place = min((abs(dose / level - 1), place) for place, level in enumerate(study.dose.levels, 1))
    return f"DL{place}" if off <= study.dose.dose_deviation_flag else None


def actual_cohort(
    assigned: pd.DataFrame, adex: pd.DataFrame, study: Study
) -> tuple[pd.Series, tuple[Finding, ...]]:
    """Derive the actual dose column, and compare it with the assigned one.

    Parameters
    ----------
    assigned : pandas.DataFrame
        USUBJID and COHORT (assigned), one row per participant.
    adex : pandas.DataFrame
        ADEX.
    study : Study
        Levels and permitted deviation.

    Returns
    -------
    tuple of (pandas.Series, tuple of Finding)
        On the index of ``assigned``: the level nearest to the received dose, "NK only" without T cells, None if untreated;
        off level or unknown dose: the assigned one. Findings EX-ACTLVL where the two differ or the dose is off level.

    Raises
    ------
    None
    """
    received = received_dose(adex, study)
    treated = set(adex["USUBJID"])
    column: list[str | None] = []
    findings = []
    for subject, cohort in zip(assigned["USUBJID"], assigned["COHORT"], strict=True):
        dose = float(received.get(subject, float("nan")))
        if subject not in received.index:
            column.append(NK_ONLY if subject in treated else None)
            continue
        level = nearest_level(dose, study) if dose == dose else cohort
        column.append(level or cohort)
        if level is None or level != cohort:
            findings.append(_off(subject, cohort, dose, level))
    return pd.Series(column, index=assigned.index, dtype=object), tuple(findings)


def _off(subject: str, cohort: str | None, dose: float, level: str | None) -> Finding:
    found = f"{dose:.3g} cells/kg" + (f" ({level})" if level else " (off level)")
    return Finding(
        "EX-ACTLVL",
        "warn",
        "EX",
        f"assigned to {cohort or 'no dose level'} but received {found}; safety is shown by the "
        f"{'actual' if level else 'assigned'} level, confirm the dose",
        subject=subject,
        variable="EXDOSE",
        value=f"{dose:.4g}",
        expected=cohort,
        effect=(*_EFFECT, "T 14.3.1.1"),
    )
