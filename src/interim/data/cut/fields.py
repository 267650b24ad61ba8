"""Which fields of the records that stay are blanked because they are known only after the cut-off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from interim.data import spec
from interim.data.cut.rows import Frames, rules, start_of
from interim.data.model import LedgerLine
from interim.data.records import Rule, findings_at, ledger_at
from interim.errors import Finding

_END, _DATE = "ENDTC", "DTC"
_LAST = "RFXENDTC"
_GRADE_KEPT = "the event ended after the cut-off; its grade may have been reached after it and is kept"


@dataclass
class Edit:
    """A domain frame that is being edited, with the record of every edit.

    Attributes
    ----------
    name : str
        Domain.
    frame : pandas.DataFrame
        The frame; replaced, never mutated.
    ledger : list of LedgerLine
        Every change.
    findings : list of Finding
        What is kept although it may be later.
    """

    name: str
    frame: pd.DataFrame
    ledger: list[LedgerLine] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def blank(self, column: str, where: np.ndarray, rule: str) -> np.ndarray:
        """Blank a column where a condition holds.

        Parameters
        ----------
        column : str
            Column; nothing happens if it is absent.
        where : numpy.ndarray of bool
            The records.
        rule : str
            Rule of the ledger line.

        Returns
        -------
        numpy.ndarray of bool
            The records in which something was blanked.

        Raises
        ------
        None
        """
        if not where.any():
            return np.zeros(len(self.frame), dtype=bool)
        empty = np.nan if column in self.frame and self.frame[column].dtype != object else None
        return self.replace(column, where, values=np.full(len(self.frame), empty, dtype=object), rule=rule)

    def replace(self, column: str, where: np.ndarray, *, values: np.ndarray, rule: str) -> np.ndarray:
        """Replace a column where a condition holds and the value differs.

        Parameters
        ----------
        column : str
            Column; nothing happens if it is absent.
        where : numpy.ndarray of bool
            The records.
        values : numpy.ndarray
            New values, one per record.
        rule : str
            Rule of the ledger line.

        Returns
        -------
        numpy.ndarray of bool
            The records that were changed.

        Raises
        ------
        None
        """
        if column not in self.frame:
            return np.zeros(len(self.frame), dtype=bool)
        old = self.frame[column].to_numpy()
        places = np.flatnonzero(where)
        before, after = old[places], values[places]
        both_missing = pd.isna(before) & pd.isna(after)
        places = places[~both_missing & np.asarray(before != after, dtype=bool)]
        changed = np.zeros(len(old), dtype=bool)
        changed[places] = True
        if len(places):
            self.ledger += ledger_at(
                self.frame,
                self.name,
                places,
                rules=[rule] * len(places),
                variable=column,
                before=old[places],
                after=values[places],
            )
            new = np.where(changed, values, old)
            self.frame = self.frame.assign(**{column: new.astype(old.dtype)})
        return changed


def blank_dates(edit: Edit, cut: pd.Timestamp) -> None:
    """Blank every date later than the cut-off, and the study day that belongs to it.

    Parameters
    ----------
    edit : Edit
        The domain; changed in place.
    cut : pandas.Timestamp
        Last instant included.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    known = spec.domain(edit.name)
    for column in map(str, edit.frame.columns):
        variable = None if known is None else known.variable(column)
        if variable is None or variable.kind != "dtc":
            continue
        later = (start_of(edit.frame, column) > cut).to_numpy(dtype=bool)
        done = edit.blank(column, later, "CUT-ONGOING" if column.endswith(_END) else "CUT-FIELD")
        if column.endswith(_DATE):
            edit.blank(f"{column[: -len(_DATE)]}DY", done, "CUT-FIELD")


def blank_outcomes(edit: Edit, before: pd.DataFrame, cut: pd.Timestamp, *, died: frozenset[str]) -> None:
    """Blank what an event's record says about its end or a death later than the cut-off.

    Parameters
    ----------
    edit : Edit
        The domain, its dates already blanked; changed in place.
    before : pandas.DataFrame
        The same records with all dates.
    cut : pandas.Timestamp
        Last instant included.
    died : frozenset of str
        Participants whose death in DM is later than the cut-off.

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    A grade cannot be rolled back: it is kept and listed (DCUT-GRADE) unless the grades of the event are records of a group.
    """
    rule = rules()["ended"].get(edit.name)
    if rule is None:
        return
    ended = (start_of(before, rule["date"]) > cut).to_numpy(dtype=bool)
    for column in rule.get("blank", ()):
        edit.blank(column, ended, "CUT-OUTCOME")
    for column, value in rule.get("set", {}).items():
        filled = np.full(len(before), value, dtype=object)
        edit.replace(column, ended, values=filled, rule="CUT-OUTCOME")
    if "grade" in rule:
        _fatal_outcomes(edit, before, cut, died=died, ended=ended)


def _fatal_outcomes(
    edit: Edit, before: pd.DataFrame, cut: pd.Timestamp, *, died: frozenset[str], ended: np.ndarray
) -> None:
    """Blank what says that the participant died, and list the grades that may be too late."""
    rule, death = rules()["ended"][edit.name], rules()["death"]
    dead = before["USUBJID"].isin(died).to_numpy(dtype=bool)
    for column in death["dates"]:
        dead = dead | (start_of(before, column) > cut).to_numpy(dtype=bool)
    fatal = np.zeros(len(before), dtype=bool)
    for column, values in death["flags"].items():
        if column in before:
            said = dead & before[column].isin(values).to_numpy(dtype=bool)
            edit.blank(column, said, "CUT-DEATH")
            fatal |= said
    _grades(edit, ended | fatal, grade=rule["grade"], group=rule["group"])


def _grades(edit: Edit, doubtful: np.ndarray, *, grade: str, group: str) -> None:
    if grade not in edit.frame:
        return
    doubtful = doubtful & edit.frame[grade].notna().to_numpy(dtype=bool)
    if group in edit.frame:
        doubtful = doubtful & edit.frame[group].isna().to_numpy(dtype=bool)
    places = np.flatnonzero(doubtful)
    edit.findings += findings_at(
        edit.frame,
        edit.name,
        places,
        rule=Rule("DCUT-GRADE", "info", _GRADE_KEPT),
        variable=grade,
        values=edit.frame[grade].to_numpy()[places],
    )


def cut_demographics(edit: Edit, kept: Frames, cut: pd.Timestamp) -> None:
    """Apply the cut-off to DM: later dates, the death flag, and the last dose.

    Parameters
    ----------
    edit : Edit
        DM; changed in place.
    kept : mapping of str to pandas.DataFrame
        Domains after the cut-off; EX gives the last dose.
    cut : pandas.Timestamp
        Last instant included.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    death = (start_of(edit.frame, "DTHDTC") > cut).to_numpy(dtype=bool)
    edit.blank("DTHFL", death, "CUT-DEATH")
    if "EX" in kept and _LAST in edit.frame:
        last = edit.frame["USUBJID"].map(last_starts(kept["EX"]))
        values = last.astype(object).where(last.notna(), None).to_numpy()
        edit.replace(_LAST, np.ones(len(edit.frame), dtype=bool), values=values, rule="CUT-LASTDOSE")
    blank_dates(edit, cut)


def last_starts(ex: pd.DataFrame) -> dict[str, Any]:
    """Return the start of the last dose of every participant.

    Parameters
    ----------
    ex : pandas.DataFrame
        EX after the cut-off.

    Returns
    -------
    dict of str to str
        USUBJID -> EXSTDTC as collected; doses that were not given do not count.

    Raises
    ------
    None
    """
    if "EXSTDTC" not in ex:
        return {}
    skip = rules()["not_given"]
    given = ex[ex[skip["variable"]] != skip["value"]] if skip["variable"] in ex else ex
    dated = given.assign(_start=start_of(given, "EXSTDTC")).dropna(subset=["_start", "USUBJID"])
    last = dated.sort_values(["USUBJID", "_start", "EXSTDTC"]).drop_duplicates("USUBJID", keep="last")
    return dict(zip(last["USUBJID"], last["EXSTDTC"], strict=True)) if len(last) else {}
