"""ADVS: vital signs, electrocardiogram and performance status by base type, with baseline, change and time from infusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.adlb import base_types, on_treatment, phase_of_results, with_base
from interim.adam.derived import Derived
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
from interim.study import Study

DOMAINS = ("VS", "EG", "QS")
UNIT = "VS-UNIT"
COLUMNS = [
    "USUBJID",
    "PARCAT1",
    "PARAMCD",
    "PARAM",
    "BASETYPE",
    "APOS",
    "ADT",
    "ADTM",
    "ATPT",
    "VISITNUM",
    "VISIT",
    "AVAL",
    "AVALC",
    "AVALU",
    "ABLFL",
    "BASE",
    "CHG",
    "PCHG",
    "ONTRTFL",
    "APHASE",
    "AHRSINF",
    "LINKSEQ",
    "SRCDOM",
    "SRCSEQ",
]
_EFFECT = ("T 14.3.5.1", "T 14.3.5.2", "T 14.3.5.3")
_KEYS = ("USUBJID", "PARAMCD", "APOS", "BASETYPE")


def derive_advs(sdtm: Sdtm, adsl: pd.DataFrame, *, study: Study, adex: pd.DataFrame | None = None) -> Derived:
    """Derive vital signs, electrocardiogram, echocardiogram and performance status.

    Parameters
    ----------
    sdtm : Sdtm
        VS, EG and QS (performance status only), whichever was delivered.
    adsl : pandas.DataFrame
        Core of ADSL: first and last infusions.
    study : Study
        Products, ``safety.teae_end_days``.
    adex : pandas.DataFrame, optional
        ADEX; without it APHASE, AHRSINF and LINKSEQ are missing.

    Returns
    -------
    Derived
        Key USUBJID, PARAMCD, BASETYPE, SRCDOM, SRCSEQ; AVAL in the unit AVALU; ABLFL, BASE and CHG within one position of the
        body (APOS, empty where it was not recorded); ONTRTFL and APHASE as in ADLB; AHRSINF hours from the latest infusion
        LINKSEQ (days times 24 where a time is missing); findings VS-UNIT for units without a factor.

    Raises
    ------
    None

    Notes
    -----
    A test that the data file does not name keeps its unit; of the electrocardiogram its code begins with EG. Results of one
    infusion day that were taken before it belong to the infusion before.
    """
    parts = [_records(sdtm, domain, adsl) for domain in DOMAINS if sdtm.has(domain)]
    rows = pd.concat(parts, ignore_index=True)
    factors = _factors(rows)
    findings = tuple(_no_factor(name, part) for name, part in _unknown(rows, factors))
    rows = rows.assign(AVAL=rows["AVAL"] * factors["FACTOR"], AVALU=factors["UNIT"])
    rows = rows.assign(APHASE=phase_of_results(rows, adex, study), ANRIND=None)
    rows = rows.join(_since_infusion(rows, adex))
    frames = [
        on_treatment(with_base(rows, adsl, name, role=role, keys=_KEYS), adsl, role, study=study)
        for role, name in base_types(study).items()
    ]
    frame = pd.concat([part for part in frames if len(part)] or frames[:1], ignore_index=True)
    frame = ordered(frame, ["USUBJID", "PARAMCD", "BASETYPE", "ADT", "ADTM", "SRCDOM", "SRCSEQ"])
    return Derived(text_missing(frame[COLUMNS]), findings, ((UNIT, "warn", "run"),))


def _records(sdtm: Sdtm, domain: str, adsl: pd.DataFrame) -> pd.DataFrame:
    """Return the records of one domain under the names of ADVS."""
    data = shipped_data("vital_signs")
    source = sdtm.domain(domain)
    source = source[source["USUBJID"].isin(adsl["USUBJID"])]
    test = text_column(source, f"{domain}TESTCD")
    if domain == "QS":
        source = source[test.isin(list(data["questionnaires"]))]
    source = source.reset_index(drop=True)
    test = text_column(source, f"{domain}TESTCD")
    dates = date_columns(source, f"{domain}DTC")
    timing = text_column(source, f"{domain}TPT")
    frame = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "PARCAT1": data["categories"][domain],
            "PARAMCD": _codes(test, domain),
            "PARAM": _text(source, f"{domain}TEST"),
            "APOS": text_column(source, f"{domain}POS").fillna(""),
            "ADT": dates["DT"],
            "ADTM": dates["DTM"],
            "ATPT": timing,
            "PREDOSE": timing.isin(list(shipped_data("laboratory")["pre_dose"])),
            "VISITNUM": number_column(source, "VISITNUM"),
            "VISIT": _text(source, "VISIT"),
            "AVAL": number_column(source, f"{domain}STRESN"),
            "AVALC": _text(source, f"{domain}STRESC"),
            "STDU": _text(source, f"{domain}STRESU"),
        }
    )
    return frame.join(source_of(source, domain))


def _text(source: pd.DataFrame, name: str) -> pd.Series:
    return source[name] if name in source else pd.Series(None, index=source.index, dtype=object)


def _codes(test: pd.Series, domain: str) -> pd.Series:
    """Return the parameter of each test; a test without one keeps its code."""
    named = {t: p["code"] for p in _parameters().values() if p["domain"] == domain for t in p["tests"]}
    own = (
        test if domain == "VS" else test.where(test.str.startswith(domain, na=True), domain + test.fillna(""))
    )
    return test.map(named).astype(object).fillna(own)


def _parameters() -> dict[str, Mapping[str, Any]]:
    return {item["code"]: item for item in shipped_data("vital_signs")["parameters"]}


def _factors(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the factor and the unit of each record; NaN where a parameter with a unit has another one."""
    written = text_column(rows, "STDU")
    factor = pd.Series(1.0, index=rows.index)
    unit = rows["STDU"].astype(object)
    for code, parameter in _parameters().items():
        mine = rows["PARAMCD"] == code
        unit = unit.where(~mine, parameter["unit"] or None)
        if parameter["units"]:
            factor = factor.where(~mine, written.map(dict(parameter["units"])).astype("float64"))
    return pd.DataFrame({"FACTOR": factor, "UNIT": unit})


def _unknown(rows: pd.DataFrame, factors: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Return the values without a factor, by parameter and unit."""
    lost = rows[factors["FACTOR"].isna() & rows["AVAL"].notna()]
    named = lost.assign(STDU=lost["STDU"].fillna("no unit"))
    return [
        ((str(code), str(unit)), part) for (code, unit), part in named.groupby(["PARAMCD", "STDU"], sort=True)
    ]


def _no_factor(name: tuple[str, str], rows: pd.DataFrame) -> Finding:
    code, unit = name
    parameter = _parameters()[code]
    wanted = ", ".join(parameter["units"])
    domain = parameter["domain"]
    return Finding(
        UNIT,
        "warn",
        domain,
        f"{code} in {unit} ({len(rows)} records) has no factor to {parameter['unit']}; no value is derived, "
        "correct the unit or add the factor",
        key=name,
        variable=f"{domain}STRESU",
        value=unit,
        expected=f"one of {wanted}",
        effect=_EFFECT,
    )


def _since_infusion(rows: pd.DataFrame, adex: pd.DataFrame | None) -> pd.DataFrame:
    """Return the hours from the latest infusion begun before each record, and the number of that infusion."""
    answer = pd.DataFrame({"AHRSINF": np.nan, "LINKSEQ": None}, index=rows.index).astype({"LINKSEQ": object})
    if adex is None or adex.empty:
        return answer
    given = adex[["USUBJID", "ASTDT", "ASTDTM", "SRCSEQ"]].rename(columns={"SRCSEQ": "GIVEN"})
    left = rows[["USUBJID", "ADT", "ADTM", "PREDOSE"]].rename_axis("ROW").reset_index()
    pairs = left.merge(given, on="USUBJID", how="inner", validate="m:m")
    hours = (pairs["ADTM"] - pairs["ASTDTM"]).dt.total_seconds() / 3600
    days = (pairs["ADT"] - pairs["ASTDT"]).dt.days * 24.0
    days = days.where(~((days == 0) & pairs["PREDOSE"]))
    pairs["HOURS"] = hours.where(hours.notna(), days)
    last = pairs[pairs["HOURS"] >= 0].sort_values(["HOURS", "GIVEN"], kind="stable").drop_duplicates("ROW")
    found = last.set_index("ROW").sort_index()
    answer.loc[found.index, "AHRSINF"] = found["HOURS"]
    answer.loc[found.index, "LINKSEQ"] = found["GIVEN"]
    return answer
