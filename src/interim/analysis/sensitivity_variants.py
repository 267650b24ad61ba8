"""Variants of progression-free survival: the one derivation with one rule, one source or one date changed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.adam.response import derive_response
from interim.adam.source import date_columns
from interim.adam.tte import derive_adtte, derive_death, derive_nactdt
from interim.adam.tte.endpoints import ADEQUATE
from interim.data.model import Sdtm
from interim.study import Study
from interim.study.efficacy import Imputation

PRIMARY = "S0"
INTERVALS = "S8"
_OTHER_END = {"first": "last", "last": "first", "mid": "last"}
_PD = "PD"


@dataclass(frozen=True)
class Variant:
    """One row of the sensitivity table.

    Attributes
    ----------
    id, label, why : str
        Row, what changes, and why it is looked at.
    times : pandas.DataFrame or None
        Rows of ADTTE; None if it was not run.
    state : str
        "run" or "not run: reason".
    """

    id: str
    label: str
    why: str
    times: pd.DataFrame | None
    state: str = "run"


@dataclass(frozen=True)
class Setting:
    """What the variants are made from.

    Attributes
    ----------
    adam : Adam
        ADSL, ADRS, ADTTE.
    study : Study
        Parameters of the primary analysis.
    sdtm : Sdtm or None
        DS, AE, CM, PR, DM.
    """

    adam: Adam
    study: Study
    sdtm: Sdtm | None


@cache
def sensitivity_rows() -> tuple[Mapping[str, Any], ...]:
    """Return the rows of the table as they stand in the data file.

    Parameters
    ----------
    None

    Returns
    -------
    tuple of mapping
        id, label, why, and how the row is made.

    Raises
    ------
    None

    Examples
    --------
    >>> [row["id"] for row in sensitivity_rows()][:3]
    ['S0', 'S1', 'S2']
    """
    text = files("interim.analysis").joinpath("sensitivity.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["row"])


def variants(setting: Setting) -> Iterator[Variant]:
    """Yield every variant, those that cannot be run included.

    Parameters
    ----------
    setting : Setting
        Datasets and parameters.

    Yields
    ------
    Variant
        In the order of the table; one per other evaluator.

    Raises
    ------
    StudyError
        If the endpoint of a variant cannot be built.
    """
    closed = setting.adam.lacks("SDTM")
    for row in sensitivity_rows():
        if row["id"] == PRIMARY:
            primary = setting.adam["ADTTE"]
            yield _variant(row, primary[primary["PARAMCD"] == "PFS"])
        elif closed:
            yield _not_run(row, closed)
        elif "make" in row:
            yield from _MAKERS[row["make"]](row, setting)
        else:
            yield _changed_rule(row, setting)


def last_adequate(adam: Adam, study: Study, times: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """Return the last adequate assessment before the date of each row.

    Parameters
    ----------
    adam : Adam
        ADRS.
    study : Study
        Evaluator whose responses count.
    times : pandas.DataFrame
        Rows of ADTTE: USUBJID, STARTDT, ADT.

    Returns
    -------
    pandas.Series
        USUBJID -> date; the start without one.

    Raises
    ------
    None
    """
    adrs = adam["ADRS"]
    scans = adrs[
        (adrs["PARAMCD"] == "OVR") & (adrs["PARCAT2"] == _evaluator(study)) & adrs["AVALC"].isin(ADEQUATE)
    ]
    joined = scans[["USUBJID", "ADT"]].merge(
        times[["USUBJID", "STARTDT", "ADT"]], on="USUBJID", validate="m:1", suffixes=("_SCAN", "")
    )
    inside = joined[(joined["ADT_SCAN"] >= joined["STARTDT"]) & (joined["ADT_SCAN"] < joined["ADT"])]
    last = inside.groupby("USUBJID")["ADT_SCAN"].max()
    starts = times.set_index("USUBJID")["STARTDT"]
    return last.reindex(starts.index).fillna(starts)


def _evaluator(study: Study) -> str:
    wanted = study.tte.pd_source
    return study.response.evaluator if wanted in ("auto", "union") else wanted


def _variant(row: Mapping[str, Any], times: pd.DataFrame, *, id: str = "", label: str = "") -> Variant:
    return Variant(id or row["id"], label or row["label"], row["why"], times)


def _not_run(row: Mapping[str, Any], reason: str) -> Variant:
    return Variant(row["id"], row["label"], row["why"], None, f"not run: {reason}")


def _with(study: Study, **changes: Any) -> Study:
    return study.model_copy(update={"tte": study.tte.model_copy(update=changes)})


def _derive(
    setting: Setting,
    study: Study,
    *,
    adsl: pd.DataFrame | None = None,
    adrs: pd.DataFrame | None = None,
    name: str = "PFS",
) -> pd.DataFrame:
    people = setting.adam["ADSL"] if adsl is None else adsl
    responses = setting.adam["ADRS"] if adrs is None else adrs
    return derive_adtte(people, responses, study=study, sdtm=setting.sdtm, names=(name,)).frame


def _changed_rule(row: Mapping[str, Any], setting: Setting) -> Variant:
    reason = _obstacle(row.get("needs", ""), setting)
    if reason:
        return _not_run(row, reason)
    changes = {k: tuple(v) if isinstance(v, list) else v for k, v in row["changes"].items()}
    times = _derive(setting, _with(setting.study, **changes), name=row.get("name", "PFS"))
    if row.get("needs") == "cart":
        adsl = setting.adam["ADSL"]
        times = times[times["USUBJID"].isin(adsl.loc[adsl["SAFCTFL"] == "Y", "USUBJID"])]
    return _variant(row, times)


def _obstacle(need: str, setting: Setting) -> str:
    """Return why a variant cannot be run; empty if it can."""
    if not need:
        return ""
    holds, reason = _NEEDS[need]
    return "" if holds(setting) else reason


_NEEDS: Mapping[str, tuple[Callable[[Setting], bool], str]] = {
    "schedule": (
        lambda s: s.study.tte.schedule_weeks is not None,
        "no schedule of assessments (tte.schedule_weeks)",
    ),
    "source": (lambda s: s.sdtm is not None, "no source records"),
    "cart": (lambda s: bool(s.study.with_role("t")), "the study has no T-cell product"),
    "evaluators": (lambda s: s.adam["ADRS"]["PARCAT2"].nunique() > 1, "one evaluator only"),
    "immune": (lambda s: bool((s.adam["ADRS"]["PARAMCD"] == "IOVR").any()), "no iRECIST responses"),
    "enrolment": (
        lambda s: bool({"ENRLDT", "RFICDT"} & set(s.adam["ADSL"].dropna(axis=1, how="all"))),
        "no date of enrolment",
    ),
}


def _intervals(row: Mapping[str, Any], setting: Setting) -> Iterator[Variant]:
    adtte = setting.adam["ADTTE"]
    times = adtte[adtte["PARAMCD"] == "PFS"]
    last = times["USUBJID"].map(last_adequate(setting.adam, setting.study, times))
    days = (last - times["STARTDT"]).dt.days + 1
    yield _variant(row, times.assign(LEFT=days.where(last > times["STARTDT"], 0.0)))


def _route(row: Mapping[str, Any], setting: Setting) -> Iterator[Variant]:
    adrs = setting.adam["ADRS"]
    other = next((name for name in ("ROVR", "LOVR") if (adrs["PARAMCD"] == name).any()), None)
    if other is None:
        yield _not_run(row, "the data hold one route only")
        return
    swapped = adrs[adrs["PARAMCD"] != "OVR"]
    swapped = swapped.assign(PARAMCD=swapped["PARAMCD"].where(swapped["PARAMCD"] != other, "OVR"))
    route = "as reported" if other == "ROVR" else "from the lesions"
    yield _variant(row, _derive(setting, setting.study, adrs=swapped), label=f"{row['label']}: {route}")


def _evaluators(row: Mapping[str, Any], setting: Setting) -> Iterator[Variant]:
    primary = _evaluator(setting.study)
    others = sorted(set(setting.adam["ADRS"]["PARCAT2"].dropna()) - {primary})
    if not others:
        yield _not_run(row, f"{primary.lower()} is the only evaluator")
    for name in others:
        times = _derive(setting, _with(setting.study, pd_source=name))
        yield _variant(row, times, id=f"S9 {name}", label=f"{row['label']}: {name.lower()}")


def _immune(row: Mapping[str, Any], setting: Setting) -> Iterator[Variant]:
    if not (setting.adam["ADRS"]["PARAMCD"] == "IOVR").any():
        yield _not_run(row, "no iRECIST responses")
        return
    yield _variant(row, _derive(setting, setting.study, name="IPFS"))


def _midpoint(row: Mapping[str, Any], setting: Setting) -> Iterator[Variant]:
    yield _moved_progression(row, setting, lambda before, at: before + (at - before) // 2)


def _next_day(row: Mapping[str, Any], setting: Setting) -> Iterator[Variant]:
    yield _moved_progression(row, setting, lambda before, at: before + pd.Timedelta(days=1))


def _moved_progression(
    row: Mapping[str, Any],
    setting: Setting,
    move: Callable[[pd.Timestamp, pd.Timestamp], pd.Timestamp],
) -> Variant:
    """Return the derivation with the first progression of everybody dated back."""
    adrs = setting.adam["ADRS"]
    mine = (adrs["PARAMCD"] == "OVR") & (adrs["PARCAT2"] == _evaluator(setting.study))
    progressed = adrs[mine & (adrs["AVALC"] == _PD)]
    first = progressed.sort_values("ADT", kind="stable").drop_duplicates("USUBJID")
    adtte = setting.adam["ADTTE"]
    start = adtte[adtte["PARAMCD"] == "PFS"].set_index("USUBJID")["STARTDT"]
    first = first.assign(STARTDT=first["USUBJID"].map(start))
    first = first[first["ADT"] >= first["STARTDT"]]
    before = last_adequate(setting.adam, setting.study, first)
    dates = adrs["ADT"].copy()
    for place, subject, at in zip(first.index, first["USUBJID"], first["ADT"], strict=True):
        dates.loc[place] = move(before[subject], at).normalize()
    return _variant(row, _derive(setting, setting.study, adrs=adrs.assign(ADT=dates)))


def _imputed(row: Mapping[str, Any], setting: Setting) -> Iterator[Variant]:
    adsl, sdtm = setting.adam["ADSL"], setting.sdtm
    if sdtm is None:
        yield _not_run(row, "no source records")
        return
    flags = [name for name in ("NACTDTF", "DTHDTF") if name in adsl]
    scans = _scan_imputed(sdtm)
    if not scans and not adsl[flags].notna().any(axis=None):
        yield _not_run(row, "no date of death, new therapy or scan is imputed")
        return
    tte = setting.study.tte
    ends = {
        name: Imputation.model_validate({"rule": _OTHER_END[old.rule], "highest": old.highest})
        for name, old in (
            ("nact_imputation", tte.nact_imputation),
            ("death_imputation", tte.death_imputation),
        )
    }
    study = _with(setting.study, **ends)
    people = adsl.drop(columns=["DTHDT", "NACTDT"])
    for frame, column in (
        (derive_death(sdtm, study).frame, "DTHDT"),
        (derive_nactdt(sdtm, study).frame, "NACTDT"),
    ):
        people = people.merge(frame[["USUBJID", column]], on="USUBJID", how="left", validate="1:1")
    # A scan without its day lies on the last one in the primary analysis.
    adrs = derive_response(sdtm, people, study=study, scan_day="first").adrs if scans else None
    yield _variant(row, _derive(setting, study, adsl=people, adrs=adrs))


def _scan_imputed(sdtm: Sdtm) -> bool:
    """Tell whether the day of any scan or reported response is missing."""
    dates = (date_columns(sdtm.domain(name), f"{name}DTC") for name in ("TU", "TR", "RS"))
    return any((found["PRECISION"] == "M").any() for found in dates)


def _unknown_kind(row: Mapping[str, Any], setting: Setting) -> Iterator[Variant]:
    adsl, sdtm = setting.adam["ADSL"], setting.sdtm
    if "NACTKIND" not in adsl or not (adsl["NACTDT"].notna() & adsl["NACTKIND"].isna()).any():
        yield _not_run(row, "the kind of every new therapy that counts is known")
        return
    if sdtm is None:
        yield _not_run(row, "no source records")
        return
    known = derive_nactdt(sdtm, setting.study, unknown_counts=False).frame[["USUBJID", "NACTDT"]]
    people = adsl.drop(columns="NACTDT").merge(known, on="USUBJID", how="left", validate="1:1")
    yield _variant(row, _derive(setting, setting.study, adsl=people))


_MAKERS: Mapping[str, Callable[[Mapping[str, Any], Setting], Iterator[Variant]]] = {
    "intervals": _intervals,
    "route": _route,
    "evaluator": _evaluators,
    "immune": _immune,
    "midpoint": _midpoint,
    "next_day": _next_day,
    "imputed": _imputed,
    "unknown_kind": _unknown_kind,
}
