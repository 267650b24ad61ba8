"""Which records stay: enrolled participants, dates up to the cut-off, and children of records that stay."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from interim.data import spec
from interim.data.dates import date_starts
from interim.data.model import LedgerLine
from interim.data.records import Rule, findings_at, value_text
from interim.errors import Finding

Frames = Mapping[str, pd.DataFrame]
_SUPP = "SUPP"


@lru_cache(maxsize=1)
def rules() -> dict[str, Any]:
    """Return the shipped rules of the cut-off.

    Returns
    -------
    dict
        Contents of ``rules.toml``.

    Raises
    ------
    None
    """
    return tomllib.loads(files(__package__).joinpath("rules.toml").read_text(encoding="utf-8"))


def start_of(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return the earliest instant of a date column.

    Parameters
    ----------
    frame : pandas.DataFrame
        Domain frame.
    name : str
        Column; it may be absent.

    Returns
    -------
    pandas.Series of datetime64[ns]
        NaT where the date is blank, invalid or without a year.

    Raises
    ------
    None
    """
    if name not in frame:
        return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    return date_starts(frame[name])


def identified(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a domain in which every record has a participant identifier, missing where the column was not delivered.

    Parameters
    ----------
    name : str
        Domain.
    frame : pandas.DataFrame
        Domain frame.

    Returns
    -------
    pandas.DataFrame
        The frame itself unless its records belong to participants and it lacks USUBJID.

    Raises
    ------
    None
    """
    known = spec.domain(name)
    if "USUBJID" in frame or known is None or not known.subject:
        return frame
    return frame.assign(USUBJID=pd.Series(None, index=frame.index, dtype=object))


@dataclass(frozen=True)
class Enrolment:
    """Participants with a row of the DCUT frame.

    Attributes
    ----------
    subjects : frozenset of str or None
        USUBJID; None if neither DM nor DS was delivered, then nobody is left out.
    findings : tuple of Finding
        DCUT-KEY, DCUT-NODATE.
    ledger : tuple of LedgerLine
        Participants who leave.
    """

    subjects: frozenset[str] | None
    findings: tuple[Finding, ...]
    ledger: tuple[LedgerLine, ...]

    def holds(self, frame: pd.DataFrame) -> np.ndarray:
        """Tell which records belong to an enrolled participant.

        Parameters
        ----------
        frame : pandas.DataFrame
            Domain frame.

        Returns
        -------
        numpy.ndarray of bool
            True where USUBJID is enrolled, or where the frame has no USUBJID.

        Raises
        ------
        None
        """
        if self.subjects is None or "USUBJID" not in frame:
            return np.ones(len(frame), dtype=bool)
        return frame["USUBJID"].isin(self.subjects).to_numpy(dtype=bool)


def enrolment(frames: Frames, cut: pd.Timestamp, event: str | None) -> Enrolment:
    """Find the participants who are enrolled at the cut-off.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Typed domains.
    cut : pandas.Timestamp
        Last instant included.
    event : str or None
        DSDECOD of the enrolment event; None = informed consent, else the consent date of DM.

    Returns
    -------
    Enrolment
        With the participants who leave.

    Raises
    ------
    None
    """
    if "DM" not in frames and "DS" not in frames:
        return Enrolment(None, (), ())
    ds = frames.get("DS", pd.DataFrame(columns=["USUBJID", "DSDECOD", "DSSTDTC"], dtype=object))
    default = rules()["enrolment"]
    decod = ds.get("DSDECOD", pd.Series(None, index=ds.index, dtype=object))
    events = ds[(decod == (event or default["event"])).to_numpy(dtype=bool)].reset_index(drop=True)
    start = start_of(events, "DSSTDTC")
    on_time = events[(start <= cut) | start.isna()]
    subjects = set(on_time["USUBJID"])
    everyone = set(ds["USUBJID"])
    if "DM" in frames:
        dm = frames["DM"]
        everyone |= set(dm["USUBJID"])
        if event is None:
            rest = dm[~dm["USUBJID"].isin(set(events["USUBJID"]))]
            subjects |= set(rest.loc[start_of(rest, default["date"]) <= cut, "USUBJID"])
    gone = sorted(value_text(who) for who in everyone - subjects)
    lines = tuple(LedgerLine("DCUT-PATIENT", "DM", who, "", "USUBJID", who, "") for who in gone)
    return Enrolment(frozenset(subjects), _event_findings(events, start, cut), lines)


def _event_findings(events: pd.DataFrame, start: pd.Series[Any], cut: pd.Timestamp) -> tuple[Finding, ...]:
    on_time = (start <= cut).to_numpy(dtype=bool)
    twice = events["USUBJID"].where(on_time).duplicated(keep=False).to_numpy(dtype=bool) & on_time
    return tuple(
        findings_at(
            events,
            "DS",
            np.flatnonzero(twice),
            rule=Rule(
                "DCUT-KEY", "stop", "the participant has several enrolment events up to the cut-off; keep one"
            ),
            variable="DSSTDTC",
            values=events["DSSTDTC"].to_numpy()[twice] if len(events) else [],
        )
    )


@dataclass(frozen=True)
class DateCut:
    """The date of every record against the cut-off.

    Attributes
    ----------
    later, undated : numpy.ndarray of bool
        Record later than the cut-off; record without a date that can be compared.
    variable : str
        Column that dates the records, "" if there is none.
    """

    later: np.ndarray
    undated: np.ndarray
    variable: str


def date_cut(frame: pd.DataFrame, domain: spec.Domain, cut: pd.Timestamp) -> DateCut:
    """Compare the records of a domain with the cut-off.

    Parameters
    ----------
    frame : pandas.DataFrame
        Domain frame.
    domain : Domain
        Its specification.
    cut : pandas.Timestamp
        Last instant included.

    Returns
    -------
    DateCut
        A record is dated by the first of ``domain.dates`` that is not blank, completed to its earliest instant.

    Raises
    ------
    None
    """
    names = [name for name in domain.dates if name in frame]
    text = frame[names[-1]] if names else pd.Series(None, index=frame.index, dtype=object)
    for name in reversed(names[:-1]):
        text = frame[name].where(frame[name].notna(), text)
    start = date_starts(text)
    return DateCut(
        (start > cut).to_numpy(dtype=bool), start.isna().to_numpy(dtype=bool), names[0] if names else ""
    )


def children(frame: pd.DataFrame, name: str, kept: Frames) -> np.ndarray:
    """Tell which supplemental, relation or comment records have a parent that stays.

    Parameters
    ----------
    frame : pandas.DataFrame
        SUPPxx, RELREC or CO.
    name : str
        Its name.
    kept : mapping of str to pandas.DataFrame
        Domains after the cut-off.

    Returns
    -------
    numpy.ndarray of bool
        A record without a parent domain, or one that belongs to no participant, is True.

    Raises
    ------
    None
    """
    blank = pd.Series(None, index=frame.index, dtype=object)
    parents = frame.get("RDOMAIN", blank)
    if name.startswith(_SUPP):
        parents = parents.where(parents.notna(), name[len(_SUPP) :])
    idvars = frame.get("IDVAR", blank)
    keep = (parents.isna() | frame["USUBJID"].isna()).to_numpy(dtype=bool)
    groups = pd.DataFrame({"parent": parents.to_numpy(), "idvar": idvars.fillna("").to_numpy()})
    for (parent, idvar), part in groups[~keep].groupby(["parent", "idvar"], sort=True):
        places = part.index.to_numpy()
        keep[places] = _has_parent(frame.iloc[places], kept.get(str(parent)), str(idvar))
    return keep


def _has_parent(rows: pd.DataFrame, parent: pd.DataFrame | None, idvar: str) -> np.ndarray:
    if parent is None or (idvar and idvar not in parent):
        return np.zeros(len(rows), dtype=bool)
    if not idvar:
        return rows["USUBJID"].isin(set(parent["USUBJID"])).to_numpy(dtype=bool)
    known = pd.MultiIndex.from_arrays([parent["USUBJID"], parent[idvar].map(_key)])
    values = rows.get("IDVARVAL", pd.Series(None, index=rows.index, dtype=object))
    wanted = pd.MultiIndex.from_arrays([rows["USUBJID"], values.map(_key)])
    return np.asarray(wanted.isin(known), dtype=bool)


def _key(value: Any) -> str:
    """Return a key so that 3, 3.0, "3" and "3.0" meet."""
    text = value_text(value).strip()
    return text[:-2] if text.endswith(".0") else text
