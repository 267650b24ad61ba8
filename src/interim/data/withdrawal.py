"""Withdrawal from data use: a participant is removed from the source data before anything is checked, cut or derived."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from interim.data.model import ORIGIN, Sdtm
from interim.errors import DataError, Finding
from interim.study import Study
from interim.study.withdrawn import UNKNOWN, read_withdrawals

MARK = "[withdrawn]"
WITHDRAWAL_RULES = ((UNKNOWN, "stop"), ("WD-TWICE", "warn"))
_PERSON = ("USUBJID", "SUBJID", "RSUBJID", "subject")
_MIN_LENGTH = 5


def without_withdrawn(sdtm: Sdtm, study: Study) -> Sdtm:
    """Return the source data without the participants who have withdrawn their data.

    Parameters
    ----------
    sdtm : Sdtm
        Data as read, before any check.
    study : Study
        Parameters; their place tells where the list is.

    Returns
    -------
    Sdtm
        The data themselves without a list. Else without every record, finding and ledger line of these participants; where
        a text of somebody else names one of them, ``[withdrawn]`` stands instead. A line that stands twice is a finding
        that does not repeat the id.

    Raises
    ------
    DataError
        If an id of the list is no participant of the data: one finding (WD-UNKNOWN) that names all of them, because a
        mistyped id would leave a participant in the report.
    """
    listed = read_withdrawals(study)
    known = {usubjid for frame in sdtm.domains.values() if "USUBJID" in frame for usubjid in frame["USUBJID"]}
    unknown = [usubjid for usubjid in listed.ids if usubjid not in known]
    if unknown:
        raise DataError((_unknown(unknown, listed.file),))
    if not listed.ids:
        return sdtm
    gone = _Gone.of(sdtm, listed.ids)
    findings = tuple(gone.said(finding) for finding in sdtm.findings if not gone.concerns(finding))
    return replace(
        sdtm,
        domains={name: gone.frame(frame) for name, frame in sdtm.domains.items()},
        findings=(*findings, *(_repeated(listed.file, *lines) for lines in listed.twice)),
        ledger=tuple(line for line in sdtm.ledger if line.subject not in gone.people),
    )


def _unknown(ids: Sequence[str], file: str) -> Finding:
    text = (
        f"withdrawn from data use, but no participant of the data: {', '.join(ids)}; correct the id, "
        "or remove the line once the participant is no longer delivered"
    )
    return Finding(UNKNOWN, "stop", "DM", text, variable="USUBJID", expected="USUBJID of the data", file=file)


def _repeated(file: str, line: int, first: int) -> Finding:
    text = f"line {line} repeats the id of line {first}; remove one of them"
    return Finding("WD-TWICE", "warn", "DM", text, file=file, row=line)


@dataclass(frozen=True)
class _Gone:
    """Whose data are removed, and the records that are."""

    people: frozenset[str]
    origins: frozenset[tuple[object, object]]
    inside: re.Pattern[str]

    @classmethod
    def of(cls, sdtm: Sdtm, ids: Iterable[str]) -> _Gone:
        people = set(ids)
        dm = sdtm.domain("DM")
        if "SUBJID" in dm:
            people |= {
                short for short in dm.loc[dm["USUBJID"].isin(people), "SUBJID"] if isinstance(short, str)
            }
        rows = [(frame, _of(frame, people)) for frame in sdtm.domains.values() if set(ORIGIN) <= set(frame)]
        origins = {
            origin
            for frame, own in rows
            for origin in frame.loc[own, list(ORIGIN)].itertuples(index=False, name=None)
        }
        return cls(frozenset(people), frozenset(origins), _inside(people))

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a domain without records of these people and without their ids in the records of others."""
        kept = frame[~_of(frame, self.people)].reset_index(drop=True)
        texts = [str(column) for column in kept if kept[column].dtype == object]
        changed = {column: [self._text(value) for value in kept[column]] for column in texts}
        return kept.assign(
            **{name: pd.Series(values, index=kept.index, dtype=object) for name, values in changed.items()}
        )

    def _text(self, value: object) -> object:
        return self.inside.sub(MARK, value) if isinstance(value, str) else value

    def concerns(self, finding: Finding) -> bool:
        """Tell whether a finding is about one of these people."""
        return finding.subject in self.people or (finding.file, finding.row) in self.origins

    def said(self, finding: Finding) -> Finding:
        """Return a finding about somebody else without the ids of these people."""
        return replace(finding, message=self.inside.sub(MARK, finding.message))


def _of(frame: pd.DataFrame, people: Iterable[str]) -> pd.Series[bool]:
    """Return which records are those of some people; a short number counts in columns of ids only."""
    own = pd.Series(False, index=frame.index)
    for column in _PERSON:
        if column in frame:
            own |= frame[column].isin(list(people))
    return own


def _inside(people: Iterable[str]) -> re.Pattern[str]:
    """Return what finds ids inside a text; one that could be a plain number or word is left to the columns of ids."""
    told = [
        one for one in people if len(one) >= _MIN_LENGTH and re.search(r"\d", one) and not one.isdecimal()
    ]
    words = "|".join(map(re.escape, sorted(told, key=lambda one: (-len(one), one)))) or r"(?!)"
    return re.compile(rf"(?<!\w)(?<!\d-)(?:{words})(?!\w)(?!-\d)")
