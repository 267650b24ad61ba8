"""The data cut-off, applied once: which records stay, which fields are blanked, and the count of both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from interim.data import spec
from interim.data.cut.fields import Edit, blank_dates, blank_outcomes, cut_demographics
from interim.data.cut.rows import (
    DateCut,
    Enrolment,
    Frames,
    children,
    date_cut,
    enrolment,
    identified,
    start_of,
)
from interim.data.model import LedgerLine, Sdtm
from interim.data.notation import looks_iso
from interim.data.records import Rule, findings_at, record_keys, value_text
from interim.errors import Finding
from interim.study import Study

__all__ = ["CUT_RULES", "cut_at", "cut_sdtm"]

CUT_RULES = (
    ("DCUT", "stop"),
    ("DCUT-KEY", "stop"),
    ("DCUT-TYPE", "stop"),
    ("DCUT-NODATE", "info"),
    ("DCUT-GRADE", "info"),
)
_UNDATED = "the record has no date that can be compared with the cut-off; it is kept"
_OWN_RULE = "CUT-LASTDOSE"


def cut_sdtm(sdtm: Sdtm, study: Study) -> Sdtm:
    """Apply the data cut-off.

    Parameters
    ----------
    sdtm : Sdtm
        Typed domains of the extract.
    study : Study
        ``data.cut_date``, ``data.cut_event`` and ``data.source_is_cut`` count.

    Returns
    -------
    Sdtm
        Records and fields later than the cut-off are gone; findings (DCUT-*), ledger and counts say what was done.

    Raises
    ------
    None

    Notes
    -----
    A second application changes no cell. Adding or changing a record dated after the cut-off changes no cell.
    """
    instant = pd.Timestamp(study.cut).tz_localize(None)
    return cut_at(sdtm, instant, event=study.data.cut_event, claimed=study.data.source_is_cut)


def cut_at(sdtm: Sdtm, cut: pd.Timestamp, *, event: str | None = None, claimed: bool = False) -> Sdtm:
    """Apply a cut-off at an instant; a past one gives what a cut on that day gave.

    Parameters
    ----------
    sdtm : Sdtm
        Typed domains of the extract.
    cut : pandas.Timestamp
        Last instant included, local time of the site.
    event : str, optional
        ``data.cut_event``.
    claimed : bool
        ``data.source_is_cut``.

    Returns
    -------
    Sdtm
        As `cut_sdtm`.

    Raises
    ------
    None
    """
    frames = {name: identified(name, frame) for name, frame in sdtm.domains.items()}
    enrolled = enrolment(frames, cut, event)
    edits, findings = _records(frames, enrolled, cut)
    findings = [*enrolled.findings, *findings]
    kept = {name: edit.frame for name, edit in edits.items()}
    _fields(edits, kept, cut)
    lines = [line for edit in edits.values() for line in edit.ledger]
    if claimed:
        findings += _leaks(frames, lines, cut)
    findings += [finding for edit in edits.values() for finding in edit.findings]
    return replace(
        sdtm,
        domains={name: edits[name].frame for name in sdtm.domains if name in edits},
        cut=cut.to_pydatetime(),
        findings=(*sdtm.findings, *findings),
        ledger=(*sdtm.ledger, *enrolled.ledger, *lines),
        counts=_counts(sdtm.domains, edits),
    )


def _records(frames: Frames, enrolled: Enrolment, cut: pd.Timestamp) -> tuple[dict[str, Edit], list[Finding]]:
    """Return the domains with the records that stay; parents first, then their children."""
    kept: dict[str, pd.DataFrame] = {}
    findings: list[Finding] = []
    later: list[str] = []
    for name, frame in frames.items():
        known = spec.domain(name)
        if known is None:
            findings.append(_no_type(name))
        elif known.cut == "parent":
            later.append(name)
        else:
            keep, listed = _keep(frame, known, enrolled, cut)
            kept[name] = _kept(frame, keep)
            findings += listed
    for name in later:
        frame = frames[name]
        keep = enrolled.holds(frame) | frame["USUBJID"].isna().to_numpy(dtype=bool)
        keep &= children(frame, name, kept)
        keep &= ~(start_of(frame, f"{name}DTC") > cut).to_numpy(dtype=bool)
        kept[name] = _kept(frame, keep)
    return {name: Edit(name, frame) for name, frame in kept.items()}, findings


def _kept(frame: pd.DataFrame, keep: np.ndarray) -> pd.DataFrame:
    """Return the records that stay, numbered from 0; the frame itself if all do."""
    if (
        keep.all()
        and isinstance(frame.index, pd.RangeIndex)
        and (frame.index.start, frame.index.step) == (0, 1)
    ):
        return frame
    return frame[keep].reset_index(drop=True)


def _no_type(name: str) -> Finding:
    message = "the specification gives no cut type for this domain; it is left out"
    return Finding("DCUT-TYPE", "stop", name, message)


def _keep(
    frame: pd.DataFrame, known: spec.Domain, enrolled: Enrolment, cut: pd.Timestamp
) -> tuple[np.ndarray, list[Finding]]:
    if known.cut == "none":
        return np.ones(len(frame), dtype=bool), []
    belongs = enrolled.holds(frame) if known.subject else np.ones(len(frame), dtype=bool)
    if known.cut == "patient":
        return belongs, []
    dated = date_cut(frame, known, cut)
    return belongs & ~dated.later, _undated(frame, known, dated, belongs)


def _undated(frame: pd.DataFrame, known: spec.Domain, dated: DateCut, belongs: np.ndarray) -> list[Finding]:
    """Return the records without a date or year; a date in another notation is listed by XD-ISO."""
    places = np.flatnonzero(dated.undated & belongs)
    if dated.variable:
        texts = [value_text(cell) for cell in frame[dated.variable].to_numpy()[places]]
        places = places[np.array([not text or looks_iso(text) for text in texts], dtype=bool)]
    values: Any = frame[dated.variable].to_numpy()[places] if dated.variable else [None] * len(places)
    return findings_at(
        frame,
        known.name,
        places,
        rule=Rule("DCUT-NODATE", "info", _UNDATED),
        variable=dated.variable or known.dates[0],
        values=values,
    )


def _fields(edits: dict[str, Edit], kept: Frames, cut: pd.Timestamp) -> None:
    died: frozenset[str] = frozenset()
    if "DM" in edits:
        dm = edits["DM"].frame
        died = frozenset(dm.loc[start_of(dm, "DTHDTC") > cut, "USUBJID"])
        cut_demographics(edits["DM"], kept, cut)
    for name, edit in edits.items():
        known = spec.domain(name)
        if known is not None and known.cut == "date":
            before = edit.frame
            blank_dates(edit, cut)
            blank_outcomes(edit, before, cut, died=died)


def _leaks(frames: Frames, lines: list[LedgerLine], cut: pd.Timestamp) -> list[Finding]:
    """Return the findings of a delivery that claims to be cut and is not."""
    message = "the delivery is declared to be cut (data.source_is_cut), but this is later than the cut-off"
    found: list[Finding] = []
    for name, frame in frames.items():
        known = spec.domain(name)
        if known is None or known.cut != "date":
            continue
        dated = date_cut(frame, known, cut)
        places = np.flatnonzero(dated.later)
        values: list[object] = list(frame[dated.variable].to_numpy()[places]) if len(places) else []
        found += findings_at(
            frame,
            name,
            places,
            rule=Rule("DCUT", "stop", message, f"<= {cut}"),
            variable=dated.variable,
            values=values,
        )
    blanked = [line for line in lines if line.rule != _OWN_RULE]
    return found + [_leak(line, frames[line.domain], message, cut) for line in blanked]


def _leak(line: LedgerLine, frame: pd.DataFrame, message: str, cut: pd.Timestamp) -> Finding:
    key = tuple(line.key.split("; ")) if line.key else ()
    mine = np.flatnonzero((frame["USUBJID"] == line.subject).to_numpy(dtype=bool))
    keys = record_keys(frame, line.domain, mine)
    place = next((p for p, (_, found) in zip(mine, keys, strict=True) if found == key), None)
    row = None if place is None else frame.iloc[place]
    return Finding(
        "DCUT",
        "stop",
        line.domain,
        message,
        subject=line.subject or None,
        key=key,
        variable=line.variable,
        value=line.before,
        expected=f"<= {cut}",
        file=None if row is None else row.get("SRCFILE"),
        row=None if row is None or "SRCROW" not in frame else int(row["SRCROW"]),
    )


def _counts(frames: Frames, edits: dict[str, Edit]) -> pd.DataFrame:
    rows = []
    for name in sorted(frames):
        edit = edits.get(name)
        kept = 0 if edit is None else len(edit.frame)
        blanked = 0 if edit is None else len(edit.ledger)
        rows.append((name, len(frames[name]), kept, len(frames[name]) - kept, blanked))
    return pd.DataFrame(rows, columns=["domain", "read", "kept", "removed", "blanked"])
