"""Context: what a check receives; domains, parameters and the facts that several checks share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
import pandas as pd

from interim.data.check.records import Records, normal
from interim.data.check.vocabulary import words
from interim.data.model import Sdtm
from interim.data.spec import domain
from interim.study import Study

_UNREAD = ("XD-FILE", "XD-ROW")


class Context:
    """What a check receives.

    Parameters
    ----------
    sdtm : Sdtm
        Source data.
    study : Study
        Parameters.
    like : Context, optional
        An earlier context: a domain that is the same object there is not converted a second time.

    Attributes
    ----------
    domains : mapping of str to Records
        Delivered domains by name, sorted.
    study : Study
        Parameters.
    unread : frozenset of str
        Domains whose file was delivered and could not be read.
    """

    def __init__(self, sdtm: Sdtm, study: Study, *, like: Context | None = None) -> None:
        self.study = study
        self._keys: dict[str, tuple[str, ...]] = {}
        self._shared: dict[Callable[[Context], pd.DataFrame], pd.DataFrame] = {}
        failed = {finding.domain for finding in sdtm.findings if finding.rule in _UNREAD}
        self.unread = frozenset(failed - set(sdtm.domains))
        known = {} if like is None else like.domains
        domains: dict[str, Records] = {}
        for name in sorted(sdtm.domains):
            before, frame = known.get(name), sdtm.domains[name]
            same = before is not None and before.source is frame
            domains[name] = before if before is not None and same else Records(name, frame)
        self.domains: Mapping[str, Records] = domains

    def has(self, *names: str) -> bool:
        """Tell whether all these domains were delivered.

        Parameters
        ----------
        *names : str
            Domain names.

        Returns
        -------
        bool
            True if each is there.

        Raises
        ------
        None
        """
        return all(name in self.domains for name in names)

    def records(self, name: str) -> Records:
        """Return a domain.

        Parameters
        ----------
        name : str
            Domain name.

        Returns
        -------
        Records
            Without records if the domain was not delivered.

        Raises
        ------
        None
        """
        return self.domains.get(name) or Records(name, pd.DataFrame(columns=["USUBJID"], dtype=object))

    def delivered(self, *names: str) -> tuple[Records, ...]:
        """Return those of the named domains that were delivered.

        Parameters
        ----------
        *names : str
            Domain names; none means all.

        Returns
        -------
        tuple of Records
            In the order named.

        Raises
        ------
        None
        """
        return tuple(self.domains[name] for name in (names or self.domains) if name in self.domains)

    def shared(self, make: Callable[[Context], pd.DataFrame]) -> pd.DataFrame:
        """Return a table that several checks use; it is made once.

        Parameters
        ----------
        make : callable
            Makes the table from the context.

        Returns
        -------
        pandas.DataFrame
            Not to be changed.

        Raises
        ------
        None
        """
        if make not in self._shared:
            self._shared[make] = make(self)
        return self._shared[make]

    def shared_keys(self, records: Records) -> tuple[str, ...]:
        """Return the variables that name a record of a domain within a participant.

        Parameters
        ----------
        records : Records
            The domain.

        Returns
        -------
        tuple of str
            The natural key without USUBJID, as far as it was delivered.

        Raises
        ------
        None
        """
        if records.name not in self._keys:
            known = domain(records.name)
            names = known.key if known is not None else (f"{records.name}SEQ",)
            self._keys[records.name] = tuple(n for n in names if n != "USUBJID" and records.has(n))
        return self._keys[records.name]

    @cached_property
    def participants(self) -> pd.DataFrame:
        """One row per USUBJID of DM (first record): ARM, SEX, RFSTDT; index USUBJID."""
        dm = self.records("DM")
        table = pd.DataFrame(
            {
                "USUBJID": dm.subjects(),
                "ARM": dm.code("ARMCD"),
                "SEX": dm.code("SEX"),
                "RFSTDT": dm.dates("RFSTDTC")["DT"],
            }
        )
        return table.dropna(subset=["USUBJID"]).drop_duplicates("USUBJID").set_index("USUBJID")

    @cached_property
    def infusions(self) -> pd.DataFrame:
        """One row per administration that was given: PLACE in EX, USUBJID, ROLE, CYCLE, DOSE, UNIT, WEIGHT, PLAN, START, LAST, DTM, DT."""
        ex = self.records("EX")
        roles = {normal(text).upper(): p.role for p in self.study.products for text in p.extrt}
        dates = ex.dates("EXSTDTC")
        table = pd.DataFrame(
            {
                "PLACE": np.arange(len(ex)),
                "USUBJID": ex.subjects(),
                "ROLE": ex.code("EXTRT").map(roles).astype(object),
                "CYCLE": ex.number("EXCYCLE"),
                "DOSE": ex.number("EXDOSE"),
                "UNIT": ex.code("EXDOSU"),
                "WEIGHT": pd.to_numeric(self.supp("EX", "WEIGHT"), errors="coerce"),
                "PLAN": pd.to_numeric(self.supp("EX", "PLANCELL"), errors="coerce"),
            }
        ).join(dates[["START", "FIRST", "LAST", "DT", "DTM"]])
        given = (ex.code("EXOCCUR") != "N") & table["USUBJID"].notna() & table["START"].notna()
        return table[given].sort_values(["USUBJID", "START", "PLACE"], kind="stable", ignore_index=True)

    def first_dose(self, *roles: str) -> pd.Series:
        """Return the earliest instant of the first administration; if EX was not delivered, the start that DM states.

        Parameters
        ----------
        *roles : str
            Product roles; none means any product.

        Returns
        -------
        pandas.Series of datetime64
            By USUBJID.

        Raises
        ------
        None
        """
        if "EX" not in self.domains and not roles:
            return self._stated_start
        table = self.infusions
        chosen = table[table["ROLE"].isin(roles)] if roles else table
        return per_subject(chosen, "START", "min")

    @cached_property
    def _stated_start(self) -> pd.Series:
        dm = self.records("DM")
        start = dm.dates("RFXSTDTC")["START"].fillna(dm.dates("RFSTDTC")["START"])
        table = pd.DataFrame({"USUBJID": dm.subjects(), "START": start}).dropna()
        return per_subject(table, "START", "min")

    @cached_property
    def death_day(self) -> pd.Series:
        """Latest possible day of death by USUBJID, from DM."""
        dm = self.records("DM")
        table = pd.DataFrame({"USUBJID": dm.subjects(), "DAY": dm.dates("DTHDTC")["LAST"]}).dropna()
        return per_subject(table, "DAY", "max")

    @cached_property
    def failures(self) -> frozenset[str]:
        """USUBJID of the screen failures."""
        arms = self.participants["ARM"]
        return frozenset(arms.index[arms.isin(words("terms")["screen_failure"])])

    def supp(self, domain: str, qname: str) -> pd.Series:
        """Return a supplemental qualifier beside the records of its parent.

        Parameters
        ----------
        domain : str
            Parent domain.
        qname : str
            QNAM.

        Returns
        -------
        pandas.Series of object
            Text on the parent's records, None for missing.

        Raises
        ------
        None
        """
        parent, supp = self.records(domain), self.records(f"SUPP{domain}")
        values: dict[tuple[str | None, str | None], str | None] = {}
        chosen = supp.code("QNAM") == qname
        who, ref, what = supp.subjects(), supp.code("IDVARVAL"), supp.text("QVAL")
        for subject, reference, value in zip(who[chosen], ref[chosen], what[chosen], strict=True):
            values.setdefault((subject, reference), value)
        keys = zip(parent.subjects(), parent.code(f"{domain}SEQ"), strict=True)
        found = [values.get(key) or values.get((key[0], None)) for key in keys] if values else None
        return pd.Series(found or [None] * len(parent), index=parent.frame.index, dtype=object)


def per_subject(table: pd.DataFrame, column: str, how: str) -> pd.Series:
    """Return the smallest or largest value of each participant.

    Parameters
    ----------
    table : pandas.DataFrame
        With USUBJID and the column.
    column : str
        Column.
    how : {"min", "max"}
        Which.

    Returns
    -------
    pandas.Series
        By USUBJID.

    Raises
    ------
    None
    """
    groups = table.groupby("USUBJID")[column]
    found: pd.Series = groups.max() if how == "max" else groups.min()
    return found


def beside(records: Records, table: pd.Series) -> pd.Series:
    """Return a value per participant beside each record.

    Parameters
    ----------
    records : Records
        The domain.
    table : pandas.Series
        Values by USUBJID.

    Returns
    -------
    pandas.Series
        One per record, of the same type as `table`; missing where the participant has none.

    Raises
    ------
    None
    """
    places, subjects = records.coded("USUBJID", kind="normal")
    found = table.reindex(pd.Index([*subjects, None], dtype=object)).to_numpy()
    return pd.Series(found[places], index=records.frame.index, dtype=table.dtype)
