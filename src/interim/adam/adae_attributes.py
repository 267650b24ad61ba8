"""What an adverse event is: grade, CRS and ICANS grade, relation per cause, haematological, of special interest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from interim.adam.source import number_column, shipped_data, text_column
from interim.study import Study

RELATIONS = ("RELNK", "RELCART", "RELPROC", "RELLYMPHODEP", "RELOTH")
_GRADES = (1, 2, 3, 4, 5)
_CELL_ROLES = {"RELNK": "nk", "RELCART": "t"}


def event_attributes(source: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Derive grades, relation and kind of each event.

    Parameters
    ----------
    source : pandas.DataFrame
        AE with its supplemental qualifiers.
    study : Study
        Products; ``dose.dlt_crs_scale``; ``safety.aesi``.

    Returns
    -------
    pandas.DataFrame
        Same index: AETOXGRN, AEITOXGN (grade at the first dose), ASTCTGRN (1-5 or NaN), CRSFL, ICANSFL, CRSGR, ICANSGR,
        the relation flags of `RELATIONS`, RELCELL, RELIMPFL (Y: assumed), RELMISFL (Y: not collected), HAEMFL, AESIFL;
        DLTREPFL (reported DLT) if SUPPAE holds DLTFL.

    Raises
    ------
    None
    """
    frame = pd.DataFrame(
        {
            "AETOXGRN": grade_column(source, "AETOXGR"),
            "AEITOXGN": grade_column(source, "AEITOXGR"),
            "ASTCTGRN": grade_column(source, "ASTCTGR"),
        }
    )
    term = text_column(source, "AEDECOD").fillna(text_column(source, "AETERM"))
    data = shipped_data("adverse_events")
    for name, terms in data["scale_terms"].items():
        frame[f"{name}FL"] = _flag(term.isin(list(terms)))
        frame[f"{name}GR"] = scale_grade(frame, study.dose.dlt_crs_scale).where(frame[f"{name}FL"] == "Y")
    frame = frame.join(relations(source, study))
    blood = data["haematological"]
    classes = text_column(source, "AEBODSYS").isin(list(blood["classes"]))
    frame["HAEMFL"] = _flag(classes | term.isin(list(blood["terms"])))
    listed = {text.upper() for text in study.safety.aesi}
    special = (
        (text_column(source, "AESI") == "Y")
        | term.isin(listed)
        | (frame["CRSFL"] == "Y")
        | (frame["ICANSFL"] == "Y")
    )
    frame["AESIFL"] = _flag(special)
    if "DLTFL" in source:
        frame["DLTREPFL"] = _flag(text_column(source, "DLTFL") == "Y")
    return frame


def _flag(holds: pd.Series) -> pd.Series:
    return holds.map({True: "Y", False: "N"}).astype(object)


def grade_column(source: pd.DataFrame, name: str) -> pd.Series:
    """Return a toxicity grade as a number.

    Parameters
    ----------
    source : pandas.DataFrame
        AE.
    name : str
        Column of grades, text or number.

    Returns
    -------
    pandas.Series of float64
        1 to 5; NaN where the grade is missing or anything else.

    Raises
    ------
    None
    """
    grades = number_column(source, name)
    return grades.where(grades.isin(_GRADES))


def scale_grade(adae: pd.DataFrame, scale: str) -> pd.Series:
    """Return the grade of an event on a scale for CRS and ICANS.

    Parameters
    ----------
    adae : pandas.DataFrame
        AETOXGRN and ASTCTGRN.
    scale : {"ctcae5", "astct2019", "either"}
        either: the higher of the two.

    Returns
    -------
    pandas.Series of float64
        Same index; NaN if the scale has no grade. One scale never stands in for the other.

    Raises
    ------
    None
    """
    if scale == "either":
        return adae[["AETOXGRN", "ASTCTGRN"]].max(axis=1)
    return adae["AETOXGRN" if scale == "ctcae5" else "ASTCTGRN"].astype("float64")


def relations(source: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Derive the relation of each event to each cause.

    Parameters
    ----------
    source : pandas.DataFrame
        AEREL: one code or a list separated by semicolons; AESER.
    study : Study
        Products.

    Returns
    -------
    pandas.DataFrame
        Same index: the flags of `RELATIONS`, RELCELL (Y if related to a product of the study), RELIMPFL (Y if the relation
        of a serious event is missing and it therefore counts as related to the products), RELMISFL (Y if it is missing).

    Raises
    ------
    None

    Notes
    -----
    A word that names no cause (PROBABLE, RELATED ...) means every product of the study. A missing relation of an event that
    is not serious counts as not related.
    """
    collected, serious = text_column(source, "AEREL"), text_column(source, "AESER")
    table = {text: _causes(text, study) for text in collected.dropna().unique()}
    products = _products(study)
    assumed = collected.isna() & (serious == "Y") if "AEREL" in source else collected.notna()
    causes = collected.map(lambda text: table.get(text, frozenset())).astype(object)
    causes = causes.where(~assumed, pd.Series([products] * len(source), index=source.index, dtype=object))
    frame = pd.DataFrame(
        {name: _flag(causes.map(lambda found, n=name: n in found).astype(bool)) for name in RELATIONS}
    )
    frame["RELCELL"] = _flag(causes.map(lambda found: bool(found & products)).astype(bool))
    frame["RELIMPFL"] = _flag(assumed.astype(bool))
    frame["RELMISFL"] = _flag(collected.isna())
    return frame


def _products(study: Study) -> frozenset[str]:
    """Return what stands for the study's products: relation flags of cell products, and PRODUCT for any other."""
    roles = {product.role for product in study.products}
    flags = {name for name, role in _CELL_ROLES.items() if role in roles}
    return frozenset(flags | ({"PRODUCT"} if "other" in roles else set()))


def _causes(text: str, study: Study) -> frozenset[str]:
    data: Mapping[str, Any] = shipped_data("adverse_events")
    found: set[str] = set()
    for token in (part.strip() for part in text.split(";")):
        if token in data["causes"]:
            found.add(data["causes"][token])
        elif token in data["words"]["related"]:
            found |= _products(study)
        elif token in {product.id.upper() for product in study.products}:
            found.add("PRODUCT")
    return frozenset(found)
