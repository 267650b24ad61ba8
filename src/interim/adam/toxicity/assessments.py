"""Assessments: signs and treatment of each moment joined into one row, with the derived grades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.source import ordered, shipped_data, text_missing
from interim.adam.toxicity.crs import CrsSigns, astct_crs, ctcae_crs
from interim.adam.toxicity.graded import Graded
from interim.adam.toxicity.icans import IcansSigns, contradicts, icans_grade
from interim.adam.toxicity.records import (
    clinical_values,
    drug_spans,
    drugs_at,
    ice_scores,
    value_at,
    vital_values,
)
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.study import Study

COLUMNS = ["USUBJID", "AT", "EVENT", "ASTLO", "ASTHI", "CTCLO", "CTCHI", "DRIVERA", "DRIVERC", "MISSINP"]
_TYPES = {"AT": "datetime64[ns]", **dict.fromkeys(("ASTLO", "ASTHI", "CTCLO", "CTCHI"), "float64")}
CONSIST = "TOX-ICANS-CONSIST"
_EFFECT = ("T 14.3.1.9", "T 14.3.1.10", "T 14.2.1.4")
_NEUROLOGY = {"LOC": "consciousness", "SEIZURE": "seizure", "ICP": "pressure"}
_DOMAINS = ("VS", "CE", "CM", "QS")
_NEVER = pd.Timestamp.max


def event_at(moments: pd.DataFrame, events: pd.DataFrame) -> pd.Series:
    """Return the reported event that is under way at each moment.

    Parameters
    ----------
    moments : pandas.DataFrame
        USUBJID, AT.
    events : pandas.DataFrame
        USUBJID, SRCSEQ, ASTDT, ASTDTM, AENDT, AENDTM.

    Returns
    -------
    pandas.Series of object
        SRCSEQ of the event that began last; None where none is under way.

    Raises
    ------
    None

    Notes
    -----
    A date without a time is the whole day.
    """
    answer = pd.Series(None, index=moments.index, dtype=object)
    spans = pd.DataFrame(
        {
            "USUBJID": events["USUBJID"],
            "FROM": events["ASTDTM"].fillna(events["ASTDT"]),
            "TO": events["AENDTM"].fillna(events["AENDT"] + pd.Timedelta(86399, unit="s")),
            "SRCSEQ": events["SRCSEQ"],
        }
    )
    rows = moments[["USUBJID", "AT"]].rename_axis("ROW").reset_index()
    pairs = rows.merge(spans, on="USUBJID", how="inner", validate="m:m")
    pairs = pairs[(pairs["FROM"] <= pairs["AT"]) & ~(pairs["TO"] < pairs["AT"])]
    last = ordered(pairs, ["FROM", "SRCSEQ"]).drop_duplicates("ROW", keep="last")
    answer[last["ROW"]] = last["SRCSEQ"].to_numpy()
    return answer


def signs_of(sdtm: Sdtm, events: pd.DataFrame) -> Sdtm:
    """Return the records of the participants who have one of these events: all that the assessments of the events read.

    Parameters
    ----------
    sdtm : Sdtm
        VS, CE, CM, QS.
    events : pandas.DataFrame
        USUBJID.

    Returns
    -------
    Sdtm
        These domains as far as they were delivered.

    Raises
    ------
    None
    """
    who = list(set(events["USUBJID"]))
    frames = {name: sdtm.domain(name) for name in _DOMAINS if sdtm.has(name)}
    kept = {name: frame[frame["USUBJID"].isin(who)].reset_index(drop=True) for name, frame in frames.items()}
    return Sdtm(kept, sdtm.cut)


def crs_assessments(sdtm: Sdtm, events: pd.DataFrame, study: Study) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the assessments of cytokine release with the grade on both scales.

    Parameters
    ----------
    sdtm : Sdtm
        VS, CE, CM.
    events : pandas.DataFrame
        Reported events of cytokine release: SRCSEQ, dates, FATAL (bool).
    study : Study
        ``[toxicity]``.

    Returns
    -------
    tuple of (pandas.DataFrame, list of Finding)
        One row per moment with a temperature or pressure, or with a device on a day without them: `COLUMNS`; findings TOX-TEMP, TOX-UNIT, TOX-CODE.

    Raises
    ------
    None

    Notes
    -----
    Fever with another cause (ALTCAUSE Y) does not start an episode. Cytokine release is established while signs are no
    further apart than ``crs_gap_h`` hours, or while a reported event lasts, once an antipyretic, anti-cytokine drug or
    steroid was given.
    """
    vital, findings = vital_values(sdtm)
    records = clinical_values(sdtm)
    known, wrong = _known_devices(records)
    moments = _all_moments(vital, known[known["CODE"].isin(["O2DEV", "HYPOTFL"])])
    moments = moments.assign(EVENT=event_at(moments, events))
    gap = pd.Timedelta(study.toxicity.crs_gap_h, unit="h")
    moments = _with_signs(moments, known, sdtm, since=gap)
    fatal = frozenset(events.loc[events["FATAL"], ["USUBJID", "SRCSEQ"]].itertuples(index=False, name=None))
    treated = _treated(sdtm)
    rows: list[dict[str, Any]] = []
    for subject, part in text_missing(moments).groupby("USUBJID", sort=True):
        rows += _course(part, treated.get(str(subject), ()), fatal, study)
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype(_TYPES), [*findings, *wrong]


def _known_devices(records: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Drop the records whose code is unknown, and list them."""
    data = shipped_data("toxicity")
    codes = {
        "O2DEV": data["oxygen"]["astct"],
        "LOC": data["icans"]["consciousness"],
        "SEIZURE": data["icans"]["seizure"],
        "ICP": data["icans"]["pressure"],
    }
    unknown = pd.Series(
        [
            code in codes and value not in codes[code]
            for code, value in zip(records["CODE"], records["VALUE"], strict=True)
        ],
        index=records.index,
        dtype=bool,
    )
    findings = [_code(row, sorted(codes[row["CODE"]])) for _, row in records[unknown].iterrows()]
    return records[~unknown], findings


def _code(row: pd.Series, permitted: list[str]) -> Finding:
    return Finding(
        "TOX-CODE",
        "warn",
        "CE",
        f"{row['CODE']} {row['VALUE']!r} is no known code and counts as not recorded; correct it",
        subject=str(row["USUBJID"]),
        key=(str(row["SEQ"]),),
        variable="CESTRESC",
        value=str(row["VALUE"]),
        expected=", ".join(permitted),
        effect=_EFFECT,
    )


def _all_moments(measured: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Return the moments of measurement, and those of other records on days without any."""
    days = measured[["USUBJID"]].assign(DAY=measured["AT"].dt.normalize()).drop_duplicates()
    extra = records[["USUBJID", "FROM"]].rename(columns={"FROM": "AT"}).drop_duplicates()
    extra = extra.assign(DAY=extra["AT"].dt.normalize())
    alone = extra.merge(days, on=["USUBJID", "DAY"], how="left", validate="m:1", indicator="SEEN")
    alone = alone.loc[alone["SEEN"] == "left_only", ["USUBJID", "AT"]]
    joined = measured.merge(alone, on=["USUBJID", "AT"], how="outer", validate="1:1")
    return joined.sort_values(["USUBJID", "AT"], kind="stable", ignore_index=True)


def _with_signs(
    moments: pd.DataFrame, records: pd.DataFrame, sdtm: Sdtm, *, since: pd.Timedelta
) -> pd.DataFrame:
    drugs = shipped_data("toxicity")["records"]
    signs = {code: value_at(moments, records, code) for code in ("O2DEV", "INTUBREAS", "HYPOTFL", "ALTCAUSE")}
    numbers = {
        code: pd.to_numeric(value_at(moments, records, code), errors="coerce").astype("float64")
        for code in ("O2FLOW", "FIO2")
    }
    pressors = {
        name: drugs_at(moments, drug_spans(sdtm, drugs[name.lower()]), since=since)
        for name in ("VASOPRESSORS", "VASOPRESSIN")
    }
    return moments.assign(**signs, **numbers, **pressors)


def _treated(sdtm: Sdtm) -> dict[str, list[tuple[pd.Timestamp, pd.Timestamp]]]:
    """Return when antipyretics, anti-cytokine drugs and steroids were given, by participant."""
    drugs = shipped_data("toxicity")["records"]
    given = drug_spans(sdtm, (*drugs["anticytokine"], *drugs["steroids"], *drugs["antipyretics"]))
    if given is None:
        return {}
    ends = given.assign(TO=given["TO"].fillna(_NEVER)).dropna(subset=["FROM"])
    return {
        str(subject): list(part[["FROM", "TO"]].itertuples(index=False, name=None))
        for subject, part in ends.groupby("USUBJID")
    }


def _course(
    part: pd.DataFrame,
    treated: Any,
    fatal: frozenset[tuple[str, str]],
    study: Study,
) -> Iterator[dict[str, Any]]:
    """Grade the assessments of one participant in the order of time."""
    gap = pd.Timedelta(study.toxicity.crs_gap_h, unit="h")
    begun = last = pd.NaT
    event: object = None
    for row in part.to_dict("records"):
        at = row["AT"]
        goes_on = last is not pd.NaT and (
            at - last <= gap or (row["EVENT"] is not None and row["EVENT"] == event)
        )
        if not goes_on:
            begun = pd.NaT
        established = begun is not pd.NaT and any(a <= at and b >= begun for a, b in treated)
        signs = _signs(row, established, (row["USUBJID"], row["EVENT"]) in fatal, study)
        astct, ctcae = astct_crs(signs), ctcae_crs(signs, study.toxicity)
        if max(astct.low, ctcae.low) > 0:
            begun = at if begun is pd.NaT else begun
            last, event = at, row["EVENT"]
        yield _row(row, astct, ctcae)


def _row(row: Mapping[Any, Any], astct: Graded, ctcae: Graded | None) -> dict[str, Any]:
    other = ctcae or Graded(0, 0)
    missing = sorted({*astct.missing, *other.missing})
    return {
        "USUBJID": row["USUBJID"],
        "AT": row["AT"],
        "EVENT": row["EVENT"],
        "ASTLO": float(astct.low),
        "ASTHI": float(astct.high),
        "CTCLO": float(ctcae.low) if ctcae else np.nan,
        "CTCHI": float(ctcae.high) if ctcae else np.nan,
        "DRIVERA": astct.driver,
        "DRIVERC": other.driver,
        "MISSINP": ";".join(missing),
    }


def _signs(row: Mapping[Any, Any], established: bool, fatal: bool, study: Study) -> CrsSigns:
    rules, none = study.toxicity, frozenset(study.toxicity.absent_means_none)
    airway = shipped_data("toxicity")["records"]["airway"]
    temperature, pressure = _number(row["TEMP"]), _number(row["SYSBP"])
    low = None if pressure is None else pressure < rules.hypotension_sbp
    device = row["O2DEV"] or ("NONE" if "O2DEV" in none else None)
    count = _number(row["VASOPRESSORS"])
    return CrsSigns(
        fever=_fever(temperature, row["ALTCAUSE"], "TEMP" in none),
        established=established,
        reported=row["EVENT"] is not None,
        hypotension=True if row["HYPOTFL"] == "Y" else (False if low is None and "SBP" in none else low),
        vasopressors=(0 if "VASOPRESSORS" in none else None) if count is None else int(count),
        vasopressin=bool(row["VASOPRESSIN"] > 0),
        device=device,
        flow=_number(row["O2FLOW"]),
        fio2=_number(row["FIO2"]),
        airway_only=row["INTUBREAS"] in airway,
        fatal=fatal,
    )


def _fever(temperature: float | None, cause: object, absent_is_none: bool) -> bool | None:
    if cause == "Y":
        return False
    if temperature is None:
        return False if absent_is_none else None
    return bool(temperature >= shipped_data("toxicity")["records"]["fever"])


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def icans_assessments(sdtm: Sdtm, events: pd.DataFrame, study: Study) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the neurological assessments with the ASTCT grade.

    Parameters
    ----------
    sdtm : Sdtm
        QS (ICE), CE (consciousness, seizure, motor, pressure).
    events : pandas.DataFrame
        Reported events of neurotoxicity: SRCSEQ, dates, FATAL (bool).
    study : Study
        ``toxicity.absent_means_none``.

    Returns
    -------
    tuple of (pandas.DataFrame, list of Finding)
        One row per moment: `COLUMNS` and ICE; findings TOX-ICE, TOX-ICESUM, TOX-ICANS-CONSIST.

    Raises
    ------
    None
    """
    scores, findings = ice_scores(sdtm)
    records = _known_devices(clinical_values(sdtm))[0]
    moments = _all_moments(scores, records[records["CODE"].isin([*_NEUROLOGY, "MOTOR"])])
    moments = moments.assign(EVENT=event_at(moments, events))
    for code in (*_NEUROLOGY, "MOTOR", "ALTCAUSE"):
        moments[code] = value_at(moments, records, code)
    fatal = frozenset(events.loc[events["FATAL"], ["USUBJID", "SRCSEQ"]].itertuples(index=False, name=None))
    none = frozenset(study.toxicity.absent_means_none)
    rows = []
    for row in text_missing(moments).to_dict("records"):
        signs = _findings(row, none, (row["USUBJID"], row["EVENT"]) in fatal)
        rows.append(_row(row, icans_grade(signs), None) | {"ICE": row["ICE"]})
        if contradicts(signs):
            findings.append(_contradiction(row))
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "ICE"])
    return frame.astype({**_TYPES, "ICE": "float64"}), findings


def _findings(row: Mapping[Any, Any], none: frozenset[str], fatal: bool) -> IcansSigns:
    score = _number(row["ICE"])
    coded: dict[str, Any] = {
        name: row[code] or (("NORMAL" if code == "LOC" else "NONE") if code in none else None)
        for code, name in _NEUROLOGY.items()
    }
    motor = {"Y": True, "N": False}.get(row["MOTOR"], False if "MOTOR" in none else None)
    ice = None if score is None else int(score)
    return IcansSigns(ice=ice, motor=motor, explained=row["ALTCAUSE"] == "Y", fatal=fatal, **coded)


def _contradiction(row: Mapping[Any, Any]) -> Finding:
    return Finding(
        CONSIST,
        "warn",
        "QS",
        f"ICE score {row['ICE']:g} of a participant who is recorded as unarousable; the worst item is used, check both",
        subject=str(row["USUBJID"]),
        key=(f"{row['AT']:%Y-%m-%dT%H:%M}",),
        variable="QSSTRESN",
        value=f"{row['ICE']:g}",
        expected="below 7, or consciousness better than unarousable",
        effect=("T 14.3.1.11",),
    )
