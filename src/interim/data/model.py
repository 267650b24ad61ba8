"""Sdtm: the one model of source data that every later room reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

import pandas as pd

from interim.errors import Finding

ORIGIN = ("SRCFILE", "SRCROW")


@dataclass(frozen=True)
class Source:
    """One file that was read.

    Attributes
    ----------
    name : str
        File name as printed in findings and listings.
    domain : str
        SDTM domain that it fills.
    format : str
        csv, parquet or xpt.
    sha256 : str
        Hash of the bytes.
    records : int
        Number of records.
    note : str
        What the reader had to find out: separator, encoding, version.
    """

    name: str
    domain: str
    format: str
    sha256: str
    records: int
    note: str = ""


@dataclass(frozen=True)
class LedgerLine:
    """One permitted change of a value, with before and after.

    Attributes
    ----------
    rule : str
        Rule that permits it, for example ``CUT-ONGOING``.
    domain, subject, key, variable : str
        Where.
    before, after : str
        Value found, value used ("" is missing).
    reason : str
        Why a cell is missing: the declared reason of a missing text, ``unmapped``; "" if the rule says it.
    """

    rule: str
    domain: str
    subject: str
    key: str
    variable: str
    before: str
    after: str
    reason: str = ""


@dataclass(frozen=True)
class Sdtm:
    """Checked source data at a cut-off.

    Attributes
    ----------
    domains : mapping of str to pandas.DataFrame
        SDTM-shaped frames by domain name (DM, EX, SUPPAE ...). Text is object with None for missing, numbers float64, --DTC
        ISO 8601 text. Every record carries SRCFILE and SRCROW.
    cut : datetime.datetime
        Data cut-off, last instant included, local time of the site.
    sources : tuple of Source
        The files, sorted by name.
    findings : tuple of Finding
        What the checks found.
    ledger : tuple of LedgerLine
        Every value that was changed, and why.
    counts : pandas.DataFrame
        Columns domain, read, kept, removed, blanked: what the cut-off did.
    rules : tuple of (str, str, str)
        Every check that exists: rule id, severity, "run" or "not run: reason".
    """

    domains: Mapping[str, pd.DataFrame]
    cut: datetime
    sources: tuple[Source, ...] = ()
    findings: tuple[Finding, ...] = ()
    ledger: tuple[LedgerLine, ...] = ()
    counts: pd.DataFrame = field(default_factory=pd.DataFrame)
    rules: tuple[tuple[str, str, str], ...] = ()

    def __post_init__(self) -> None:
        """Freeze the mapping of domains."""
        object.__setattr__(self, "domains", MappingProxyType(dict(self.domains)))

    def has(self, *names: str) -> bool:
        """Tell whether all these domains were delivered.

        Parameters
        ----------
        *names : str
            Domain names.

        Returns
        -------
        bool
            True if each is present (it may hold no record).

        Raises
        ------
        None
        """
        return all(name in self.domains for name in names)

    def domain(self, name: str) -> pd.DataFrame:
        """Return one domain.

        Parameters
        ----------
        name : str
            Domain name, for example ``AE``.

        Returns
        -------
        pandas.DataFrame
            The frame; an empty frame with USUBJID and the origin columns if the domain was not delivered.

        Raises
        ------
        None
        """
        if name in self.domains:
            return self.domains[name]
        return pd.DataFrame(columns=["STUDYID", "USUBJID", f"{name}SEQ", *ORIGIN], dtype=object)

    def with_supp(self, name: str) -> pd.DataFrame:
        """Return a domain with its supplemental qualifiers as columns.

        Parameters
        ----------
        name : str
            Parent domain, for example ``AE``.

        Returns
        -------
        pandas.DataFrame
            The parent's rows in their order, one more column per QNAM (text).

        Raises
        ------
        None
        """
        parent = self.domain(name)
        supp = self.domains.get(f"SUPP{name}")
        if supp is None or supp.empty or parent.empty:
            return parent
        by_subject = supp["IDVAR"].isna()
        frame = _join_supp(parent, supp[by_subject], ["USUBJID"])
        for idvar, part in supp[~by_subject].groupby("IDVAR", sort=True):
            frame = _join_supp(frame, part, ["USUBJID", str(idvar)])
        return frame

    def with_findings(self, findings: tuple[Finding, ...]) -> Sdtm:
        """Return a copy that carries further findings.

        Parameters
        ----------
        findings : tuple of Finding
            Added to those already there.

        Returns
        -------
        Sdtm
            The copy.

        Raises
        ------
        None
        """
        return replace(self, findings=(*self.findings, *findings))


def _join_supp(parent: pd.DataFrame, supp: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    if supp.empty or any(key not in parent for key in keys):
        return parent
    wide = supp.drop_duplicates(["USUBJID", "IDVARVAL", "QNAM"]).pivot(
        index=["USUBJID", "IDVARVAL"], columns="QNAM", values="QVAL"
    )
    wide = wide.astype(object).where(wide.notna(), None).reset_index()
    wide.columns.name = None
    new = [c for c in wide.columns if c not in ("USUBJID", "IDVARVAL") and c not in parent]
    if len(keys) == 1:
        return parent.merge(wide[["USUBJID", *new]], on="USUBJID", how="left", validate="m:1")
    left = parent.assign(_ref=parent[keys[1]].map(_plain))
    right = wide.assign(_ref=wide["IDVARVAL"].map(_plain))[["USUBJID", "_ref", *new]]
    return left.merge(right, on=["USUBJID", "_ref"], how="left", validate="m:1").drop(columns="_ref")


def _plain(value: object) -> str | None:
    """Return a key value as text without a trailing ``.0``, so that 3, 3.0 and "3" meet."""
    if value is None or value != value:
        return None
    text = str(value).strip()
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdigit() else text
