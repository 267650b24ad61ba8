"""Replay: today's extract as a delivery of an earlier day would have held it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from interim.data import spec
from interim.data.cut import cut_at
from interim.data.cut.rows import rules
from interim.data.dates import parse_dates
from interim.data.model import LedgerLine, Sdtm
from interim.data.records import record_keys
from interim.errors import Finding
from interim.study import Study

# What people wrote about the data: it is known from the day on which it was written.
WRITTEN = ("QUERIES", "PATCHES")
_SUMMARY, _PARAMETER, _VALUE, _CUT = "TS", "TSPARMCD", "TSVAL", "DCUTDTC"


def as_known(extract: Sdtm, study: Study) -> Sdtm:
    """Return an extract as a delivery of the day of the cut-off would have held it.

    Parameters
    ----------
    extract : Sdtm
        Typed domains of today.
    study : Study
        Its cut-off is the day.

    Returns
    -------
    Sdtm
        Participants who had consented, records dated by then, fields known by then; TS states the day as its cut-off. What
        the reading found or changed in records that are gone is gone too. Each source says that it is replayed.

    Raises
    ------
    None

    Notes
    -----
    The rules are those of the cut-off, applied before the checks: they see what they saw on that day. The place of a record in
    its file is that of today's file.
    """
    instant = pd.Timestamp(study.cut).tz_localize(None)
    known = known_by(extract.domains, instant, event=study.data.cut_event)
    unknown = {name: frame for name, frame in extract.domains.items() if spec.domain(name) is None}
    note = f"as of {study.cut:%Y-%m-%d}"
    sources = [replace(s, note=f"{s.note}; {note}" if s.note else note) for s in extract.sources]
    whole = {**known.domains, **unknown}
    return replace(
        extract,
        domains={name: whole[name] for name in extract.domains},
        sources=tuple(sources),
        findings=tuple(f for f in extract.findings if not _gone(f, extract.domains, whole)),
        ledger=_lines(extract, whole, known.changed),
    )


class Known(NamedTuple):
    """Source domains as they stood at an instant.

    Attributes
    ----------
    domains : dict of str to pandas.DataFrame
        The domains.
    changed : frozenset of (str, str, str, str)
        Domain, USUBJID, key and variable of the cells that hold something else than later.
    """

    domains: dict[str, pd.DataFrame]
    changed: frozenset[tuple[str, str, str, str]]


def known_by(frames: Mapping[str, pd.DataFrame], instant: pd.Timestamp, *, event: str | None = None) -> Known:
    """Return source domains as they stood at an instant.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Typed domains of a later day.
    instant : pandas.Timestamp
        Last instant included, local time of the site.
    event : str, optional
        ``data.cut_event``.

    Returns
    -------
    Known
        The domains after the cut-off; what an unfinished record states until it is finished (``[unfinished]`` of the rules of
        the cut-off) stands in the cells that the cut-off blanked, and TS states the day as its cut-off.

    Raises
    ------
    None
    """
    made = cut_at(Sdtm(frames, instant.to_pydatetime()), instant, event=event)
    found = {name: _stated(name, frame, instant) for name, frame in made.domains.items()}
    for name, values in rules()["unfinished"].items():
        for variable, value in values.items():
            blanked = {(x.subject, x.key) for x in made.ledger if (x.domain, x.variable) == (name, variable)}
            if blanked:
                found[name] = _unfinished(name, found[name], variable, blanked=blanked, value=value)
    return Known(found, frozenset((x.domain, x.subject, x.key, x.variable) for x in made.ledger))


def _unfinished(
    name: str, frame: pd.DataFrame, variable: str, *, blanked: set[tuple[str, str]], value: str
) -> pd.DataFrame:
    keys = record_keys(frame, name, range(len(frame)))
    mine = np.array([(who, "; ".join(key)) in blanked for who, key in keys], dtype=bool)
    return frame.assign(**{variable: frame[variable].mask(mine & frame[variable].isna().to_numpy(), value)})


def written_by(name: str, frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return the answers or patches that were written by the day of a replay.

    Parameters
    ----------
    name : str
        Domain.
    frame : pandas.DataFrame
        Its records, typed.
    study : Study
        If it is replayed, its cut-off is the day.

    Returns
    -------
    pandas.DataFrame
        The frame itself unless it is QUERIES or PATCHES of a replay; a record without a date that can be read stays.

    Raises
    ------
    None
    """
    if name not in WRITTEN or not study.replayed or "date" not in frame:
        return frame
    later = parse_dates(frame["date"])["START"] > pd.Timestamp(study.cut).tz_localize(None)
    return frame[~later.to_numpy(dtype=bool)].reset_index(drop=True)


def _stated(name: str, frame: pd.DataFrame, instant: pd.Timestamp) -> pd.DataFrame:
    """Return TS with the day as its cut-off; any other domain as it is."""
    if name != _SUMMARY or _VALUE not in frame or _PARAMETER not in frame:
        return frame
    mine = frame[_PARAMETER] == _CUT
    return frame.assign(**{_VALUE: frame[_VALUE].mask(mine, f"{instant:%Y-%m-%d}")})


def _gone(finding: Finding, before: Mapping[str, pd.DataFrame], after: Mapping[str, pd.DataFrame]) -> bool:
    """Tell whether the record of a finding of the reading was there and is no longer."""
    return _holds(before.get(finding.domain), finding) and not _holds(after.get(finding.domain), finding)


def _holds(frame: pd.DataFrame | None, finding: Finding) -> bool:
    if frame is None or finding.file is None or finding.row is None or "SRCROW" not in frame:
        return False
    return bool(((frame["SRCFILE"] == finding.file) & (frame["SRCROW"] == finding.row)).any())


def _lines(
    extract: Sdtm, domains: Mapping[str, pd.DataFrame], changed: frozenset[tuple[str, str, str, str]]
) -> tuple[LedgerLine, ...]:
    """Return the changes of cells that are still there and hold what they were changed to."""
    named = {line.domain for line in extract.ledger}
    gone = {name: _keys(name, extract.domains) - _keys(name, domains) for name in named}
    return tuple(
        line
        for line in extract.ledger
        if (line.subject, line.key) not in gone[line.domain]
        and (line.domain, line.subject, line.key, line.variable) not in changed
    )


def _keys(name: str, domains: Mapping[str, pd.DataFrame]) -> set[tuple[str, str]]:
    frame = domains.get(name)
    if frame is None:
        return set()
    return {(who, "; ".join(key)) for who, key in record_keys(frame, name, range(len(frame)))}
