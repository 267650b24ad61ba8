"""Patches: named corrections of single cells, applied only where the old value is found, never silently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from interim.data import spec
from interim.data.check.values import shown
from interim.data.model import ORIGIN, LedgerLine
from interim.data.records import record_keys, value_text
from interim.errors import Finding

PATCHES = "PATCHES"
PATCH_RULES = (("PATCH", "info"), ("PATCH-MATCH", "stop"))
RULE = "PATCH"
JOINT = " | "
_NEEDED = ("domain", "variable", "reason", "name", "date")


@dataclass(frozen=True)
class Patch:
    """One row of ``patches.csv``.

    Attributes
    ----------
    domain, subject, key, variable : str
        The cell: domain, USUBJID, natural key as findings print it (parts joined by " | ") or sequence number, column.
    old, new : str
        Value that must be found, value used instead ("" is blank).
    reason, name, date : str
        Why, by whom, when.
    file : str or None
        File of the patches.
    row : int or None
        Place in it.
    """

    domain: str
    subject: str
    key: str
    variable: str
    old: str
    new: str
    reason: str
    name: str
    date: str
    file: str | None = None
    row: int | None = None

    @property
    def cell(self) -> tuple[str, str, str, str]:
        """Domain, participant, key and variable."""
        return self.domain, self.subject, self.key, self.variable


@dataclass(frozen=True)
class Patched:
    """A domain after its patches.

    Attributes
    ----------
    frame : pandas.DataFrame
        The records with the new values.
    findings : tuple of Finding
        PATCH for each patch that was applied, PATCH-MATCH for each that was not.
    ledger : tuple of LedgerLine
        Every application.
    """

    frame: pd.DataFrame
    findings: tuple[Finding, ...]
    ledger: tuple[LedgerLine, ...]


def read_patches(frame: pd.DataFrame | None) -> tuple[Patch, ...]:
    """Return the patches of a study.

    Parameters
    ----------
    frame : pandas.DataFrame or None
        Domain PATCHES, typed; None if there is no such file.

    Returns
    -------
    tuple of Patch
        In the order of the rows; those that lack domain, variable, reason, name or date are left out, they are XD-REQ.

    Raises
    ------
    None
    """
    if frame is None or any(name not in frame for name in _NEEDED):
        return ()
    names = ("domain", "subject", "key", "variable", "old", "new", "reason", "name", "date")
    empty = pd.Series(None, index=frame.index, dtype=object)
    columns = [[value_text(v).strip() for v in frame.get(name, empty)] for name in names]
    files, rows = (frame.get(name, empty) for name in ORIGIN)
    made = [
        Patch(**dict(zip(names, cells, strict=True)), file=value_text(file) or None, row=_place(row))
        for *cells, file, row in zip(*columns, files, rows, strict=True)
    ]
    return tuple(patch for patch in made if all(getattr(patch, name) for name in _NEEDED))


def _place(row: Any) -> int | None:
    return None if row is None or row != row else int(row)


def apply_patches(domain: str, frame: pd.DataFrame, patches: tuple[Patch, ...]) -> Patched:
    """Apply the patches of one domain.

    Parameters
    ----------
    domain : str
        Domain name.
    frame : pandas.DataFrame
        Its records before typing.
    patches : tuple of Patch
        Those of all domains; the others are passed over.

    Returns
    -------
    Patched
        A patch is applied only if exactly one record has its key and the cell holds its old value.

    Raises
    ------
    None
    """
    mine = [patch for patch in patches if patch.domain == domain]
    findings: list[Finding] = []
    ledger: list[LedgerLine] = []
    keys = _Keys(domain, frame if mine else frame.iloc[:0])
    for patch in mine:
        places = keys.places(patch)
        if reason := _unfit(frame, patch, places):
            findings.append(_refused(patch, reason))
            continue
        (_, key), *_ = record_keys(frame, domain, places)
        before, after = (shown(patch.variable, text) for text in (patch.old, patch.new))
        ledger.append(LedgerLine(RULE, domain, patch.subject, "; ".join(key), patch.variable, before, after))
        findings.append(_applied(patch))
        frame = _with_cell(frame, patch, places[0])
    return Patched(frame, tuple(findings), tuple(ledger))


def stray_patches(patches: tuple[Patch, ...], delivered: set[str]) -> Iterator[Finding]:
    """Yield a finding for each patch of a domain that was not delivered.

    Parameters
    ----------
    patches : tuple of Patch
        All of them.
    delivered : set of str
        Domains that were read.

    Yields
    ------
    Finding
        PATCH-MATCH.

    Raises
    ------
    None
    """
    for patch in patches:
        if patch.domain not in delivered:
            yield _refused(patch, f"{patch.domain} was not delivered")


class _Keys:
    """The keys by which patches name the records of a domain."""

    def __init__(self, domain: str, frame: pd.DataFrame) -> None:
        known = spec.domain(domain)
        natural = () if known is None else tuple(n for n in known.key if n != "USUBJID" and n in frame)
        seq = (f"{domain}SEQ",) if f"{domain}SEQ" in frame else ()
        self.subjects = _texts(frame, "USUBJID")
        self.forms = [self._joined(frame, names) for names in (natural, seq) if names]

    @staticmethod
    def _joined(frame: pd.DataFrame, names: tuple[str, ...]) -> list[str]:
        return [JOINT.join(parts) for parts in zip(*(_texts(frame, name) for name in names), strict=True)]

    def places(self, patch: Patch) -> list[int]:
        """Return the places of the records that a patch names; by natural key, else by sequence number."""
        mine = [place for place, who in enumerate(self.subjects) if who == patch.subject]
        if not self.forms or not patch.key:
            return mine
        found = ([place for place in mine if form[place] == patch.key] for form in self.forms)
        return next((places for places in found if places), [])


def _texts(frame: pd.DataFrame, name: str) -> list[str]:
    return [value_text(v).strip() for v in frame[name]] if name in frame else [""] * len(frame)


def _unfit(frame: pd.DataFrame, patch: Patch, places: list[int]) -> str:
    """Return why a patch cannot be applied, "" if it can."""
    if patch.variable not in frame or patch.variable in ORIGIN:
        return f"{patch.domain} has no column {patch.variable}"
    if len(places) != 1:
        return f"{len(places)} records have this participant and key, exactly one is needed"
    found = value_text(frame[patch.variable].to_numpy()[places[0]]).strip()
    if found == patch.new:
        return "the cell already holds the new value"
    if found != patch.old:
        return f"the cell holds {shown(patch.variable, found) or 'nothing'!r}, not the old value"
    return ""


def _with_cell(frame: pd.DataFrame, patch: Patch, place: int) -> pd.DataFrame:
    """Return the frame with one cell replaced; a number stays one where the new value is a number."""
    column = frame[patch.variable].to_numpy()
    value: Any = patch.new or None
    if column.dtype == float:
        number = pd.to_numeric(pd.Series([value]), errors="coerce").iloc[0]
        value, column = (number, column) if number == number or value is None else (value, _objects(column))
    column = column.copy()
    column[place] = np.nan if value is None and column.dtype == float else value
    return frame.assign(**{patch.variable: column})


def _objects(column: np.ndarray) -> np.ndarray:
    return pd.Series(column).astype(object).where(~pd.isna(column), None).to_numpy()


def _applied(patch: Patch) -> Finding:
    text = f"changed from {shown(patch.variable, patch.old) or 'blank'!r} by patch: {patch.reason} ({patch.name}, {patch.date})"
    return _finding(patch, "PATCH", text, value=patch.new)


def _refused(patch: Patch, reason: str) -> Finding:
    text = f"the patch is not applied: {reason}; correct the patch or remove it"
    return _finding(patch, "PATCH-MATCH", text, value=patch.old)


def _finding(patch: Patch, rule: str, message: str, *, value: str) -> Finding:
    return Finding(
        rule,
        "info" if rule == RULE else "stop",
        patch.domain,
        message,
        subject=patch.subject or None,
        key=tuple(patch.key.split(JOINT)),
        variable=patch.variable,
        value=shown(patch.variable, value),
        effect=("T 14.6.2",),
        file=patch.file,
        row=patch.row,
    )
