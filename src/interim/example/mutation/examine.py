"""Examiner: the checks on many variants of one study, each check only where a variant can change its answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import pandas as pd

from interim.adam.opening import response_findings
from interim.data.check.context import Context
from interim.data.check.records import Records
from interim.data.check.run import RULES, check_context
from interim.data.model import Sdtm
from interim.data.typed import Typed, type_domain
from interim.errors import Finding
from interim.example.defects.draft import cell_text
from interim.study import Study

_ALL = "*"
_RESPONSE = frozenset({"TU", "TR", "RS", "EX"})


class _Watched(Mapping[str, Records]):
    """The domains of a context, with the names that were asked for."""

    def __init__(self, domains: Mapping[str, Records]) -> None:
        self.domains = domains
        self.seen: set[str] = set()

    def __getitem__(self, name: str) -> Records:
        self.seen.add(name)
        return self.domains[name]

    def __iter__(self) -> Iterator[str]:
        self.seen.add(_ALL)
        return iter(self.domains)

    def __len__(self) -> int:
        self.seen.add(_ALL)
        return len(self.domains)


class Examiner:
    """The checks on many variants of one study.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Domains of the study as generated.
    study : Study
        Parameters.

    Notes
    -----
    The cells go through their text form as in the files, and the same typing, checks and derivation of responses as data that
    are read. A check is a function of the domains that it asks for: where none of them differs, its answer is that of the
    study itself and it is not run again.
    """

    def __init__(self, frames: Mapping[str, pd.DataFrame], study: Study) -> None:
        self.study = study
        self._raw = dict(frames)
        self._typed = {name: typed(name, frame) for name, frame in frames.items()}
        sdtm = self._sdtm(self._typed)
        self._context = Context(sdtm, study)
        self._reads: dict[str, frozenset[str]] = {}
        self._found: dict[str, tuple[Finding, ...]] = {}
        for rule in RULES:
            context = Context(sdtm, study, like=self._context)
            watched = _Watched(context.domains)
            context.domains = watched
            self._found[rule.id] = check_context(context, only=[rule.id]).findings
            self._reads[rule.id] = frozenset(watched.seen)
        self._response = response_findings(sdtm, study)

    def sdtm(self, frames: Mapping[str, pd.DataFrame]) -> Sdtm:
        """Return a variant as typed source data, before any check.

        Parameters
        ----------
        frames : mapping of str to pandas.DataFrame
            Domains; those that are the same objects as in the study are not typed again.

        Returns
        -------
        Sdtm
            With the findings of the typing.

        Raises
        ------
        None
        """
        return self._sdtm(self._variant(frames))

    def findings(
        self, frames: Mapping[str, pd.DataFrame], *, only: Collection[str] | None = None
    ) -> tuple[Finding, ...]:
        """Return what is found in a variant.

        Parameters
        ----------
        frames : mapping of str to pandas.DataFrame
            Domains; those that are the same objects as in the study are not read again.
        only : collection of str, optional
            Rules that are asked; default all.

        Returns
        -------
        tuple of Finding
            Of the typing, of the checks on the whole extract, and of reported responses against lesions.

        Raises
        ------
        None
        """
        changed = {name for name in {*frames, *self._raw} if frames.get(name) is not self._raw.get(name)}
        sdtm = self.sdtm(frames)
        asked = (
            self._reads if only is None else {rule: self._reads[rule] for rule in only if rule in self._reads}
        )
        again = [rule for rule, reads in asked.items() if _ALL in reads or reads & changed]
        report = check_context(Context(sdtm, self.study, like=self._context), only=again)
        kept = [f for rule in asked if rule not in again for f in self._found[rule]]
        found = (*sdtm.findings, *report.findings, *kept, *self._responses(sdtm, changed, only))
        return tuple(finding for finding in found if only is None or finding.rule in only)

    def _responses(
        self, sdtm: Sdtm, changed: Collection[str], only: Collection[str] | None
    ) -> tuple[Finding, ...]:
        if only is not None and self._reads.keys() >= set(only):
            return ()
        return response_findings(sdtm, self.study) if _RESPONSE & set(changed) else self._response

    def _variant(self, frames: Mapping[str, pd.DataFrame]) -> dict[str, Typed]:
        return {
            name: self._typed[name] if frame is self._raw.get(name) else typed(name, frame)
            for name, frame in frames.items()
        }

    def _sdtm(self, domains: Mapping[str, Typed]) -> Sdtm:
        findings = tuple(finding for made in domains.values() for finding in made.findings)
        frames = {name: made.frame for name, made in domains.items()}
        return Sdtm(frames, self.study.cut, findings=findings)


def typed(name: str, frame: pd.DataFrame) -> Typed:
    """Return a domain as it is read from its file.

    Parameters
    ----------
    name : str
        Domain.
    frame : pandas.DataFrame
        As generated.

    Returns
    -------
    Typed
        With file and row of each record.

    Raises
    ------
    None
    """
    texts = {column: [cell_text(value) or None for value in frame[column]] for column in frame.columns}
    rows = range(2, len(frame) + 2)
    text = pd.DataFrame(texts, dtype=object).assign(SRCFILE=f"{name.lower()}.csv", SRCROW=rows)
    return type_domain(name, text)
