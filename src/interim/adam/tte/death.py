"""Death: date and cause, from DM, DS, AE and SS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from interim.adam.derived import Derived
from interim.adam.source import sequence_text, shipped_data, text_column, text_missing
from interim.adam.tte.evidence import evidence_of_life
from interim.data.dates import impute_date
from interim.data.model import Sdtm
from interim.study import Study

COLUMNS = ["USUBJID", "DTHDT", "DTHDTF", "DTHFL", "DTHCAUS", "DTHDOM", "DTHSEQ"]


@dataclass(frozen=True)
class CauseSource:
    """One source of the cause of death.

    Attributes
    ----------
    domain : str
        Where the records come from.
    records : sequence of mapping
        Records of one participant: keys date, cause, sequence; in file order.
    mode : {"first", "last"}
        Which of several records of the source counts.
    """

    domain: str
    records: Sequence[Mapping[str, Any]]
    mode: str = "first"


def cause_of_death(sources: Iterable[CauseSource]) -> tuple[str, str, object] | None:
    """Return the cause of death of one participant.

    Parameters
    ----------
    sources : iterable of CauseSource
        In the order in which they win a tie.

    Returns
    -------
    tuple of (str, str, object) or None
        Cause, domain, sequence number; None without a record.

    Raises
    ------
    None

    Notes
    -----
    The earliest source wins; of two on the same day the earlier in the list, then file order. A record without a date comes
    last.
    """
    candidates = []
    for rank, source in enumerate(sources):
        rows = sorted(source.records, key=lambda row: (row["date"] is None, row["date"] or date.max))
        if rows:
            row = rows[0 if source.mode == "first" else -1]
            candidates.append(((row["date"] is None, row["date"] or date.max, rank), source.domain, row))
    if not candidates:
        return None
    _, domain, row = min(candidates, key=lambda item: item[0])
    return str(row["cause"]), domain, row["sequence"]


def derive_death(sdtm: Sdtm, study: Study) -> Derived:
    """Return date and cause of death of every DM participant.

    Parameters
    ----------
    sdtm : Sdtm
        DM, DS, AE, SS; already cut.
    study : Study
        ``tte.death_imputation``.

    Returns
    -------
    Derived
        USUBJID, DTHDT, DTHDTF, DTHFL (Y or None), DTHCAUS, DTHDOM, DTHSEQ.

    Raises
    ------
    None

    Notes
    -----
    DM.DTHDTC comes first, then DS, AE, SS. A date without a day is completed by ``tte.death_imputation``, not before the day
    after the last evidence of life, not after the cut-off. That the sources agree is checked where the data are read.
    """
    rows = _death_records(sdtm)
    alive = (
        evidence_of_life(sdtm).groupby("USUBJID")["DATE"].max() if rows else pd.Series(dtype="datetime64[ns]")
    )
    subjects = sorted(map(str, sdtm.domain("DM")["USUBJID"]))
    answer = [_row(subject, rows.get(subject, []), alive.get(subject), sdtm, study) for subject in subjects]
    frame = text_missing(pd.DataFrame(answer, columns=COLUMNS, dtype=object))
    frame["DTHDT"] = pd.to_datetime(frame["DTHDT"]).astype("datetime64[ns]")
    return Derived(frame)


def _row(
    subject: str, records: Sequence[Mapping[str, Any]], alive: Any, sdtm: Sdtm, study: Study
) -> dict[str, Any]:
    if not records:
        return {"USUBJID": subject}
    rule = study.tte.death_imputation
    earliest = None if alive is None else (pd.Timestamp(alive) + pd.Timedelta(days=1)).date()
    day, flag = None, None
    for record in records:
        day, flag = impute_date(
            record["dtc"],
            highest=rule.highest,
            rule=rule.rule,
            not_before=[earliest],
            not_after=[sdtm.cut.date()],
        )
        if day is not None:
            break
    causes = [
        CauseSource(name, [_cause(row) for row in records if row["domain"] == name]) for name in ("AE", "DS")
    ]
    cause = cause_of_death(causes) or (None, None, None)
    return {
        "USUBJID": subject,
        "DTHDT": day,
        "DTHDTF": flag,
        "DTHFL": "Y",
        "DTHCAUS": cause[0],
        "DTHDOM": cause[1],
        "DTHSEQ": cause[2],
    }


def _words_of_cause(text: Any) -> Any:
    """Return the cause without the word in front of it that only says what the record is."""
    if not isinstance(text, str):
        return text
    head, colon, rest = text.partition(":")
    only = head.strip().lower() in shipped_data("tte/sources")["death"]["said"]
    said = rest.strip() if colon and only else ""
    return said[:1].upper() + said[1:] if said else text


def _cause(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "date": impute_date(row["dtc"], highest="M")[0],
        "cause": _words_of_cause(row["cause"]),
        "sequence": row["sequence"],
    }


def _death_records(sdtm: Sdtm) -> dict[str, list[dict[str, Any]]]:
    """Return every record of a death by participant, in the order in which they give the date."""
    names = shipped_data("tte/sources")["death"]
    dm, ds, ae, ss = (sdtm.domain(name) for name in ("DM", "DS", "AE", "SS"))
    yes = list(names["yes"])
    parts = [
        (dm, text_column(dm, "DTHFL").isin(yes) | text_column(dm, "DTHDTC").notna(), "DM", "DTHDTC", None),
        (ds, text_column(ds, "DSDECOD").isin(names["disposition"]), "DS", "DSSTDTC", "DSTERM"),
        (ae, _fatal(ae, names), "AE", "AEDTHDTC", "AEDECOD"),
        (ss, text_column(ss, "SSSTRESC").isin(names["status_dead"]), "SS", "SSDTC", None),
    ]
    answer: dict[str, list[dict[str, Any]]] = {}
    for frame, keep, domain, dtc, cause in parts:
        named = [name for name in ("USUBJID", dtc, cause, f"{domain}SEQ") if name and name in frame]
        for row in frame[keep][named].to_dict("records"):
            record = {
                "domain": domain,
                "dtc": row.get(dtc),
                "cause": row.get(cause) if cause else None,
                "sequence": sequence_text(row.get(f"{domain}SEQ")),
            }
            answer.setdefault(str(row["USUBJID"]), []).append(record)
    return answer


def _fatal(ae: pd.DataFrame, names: Mapping[str, Any]) -> pd.Series:
    fatal = text_column(ae, "AEOUT").isin(names["fatal_outcome"])
    return fatal | text_column(ae, "AESDTH").isin(names["yes"]) | text_column(ae, "AEDTHDTC").notna()
