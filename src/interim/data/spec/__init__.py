"""The vocabulary of the source data: domains, variables, types, codelists and keys, read from the files beside this module."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["code", "text", "integer", "decimal", "dtc"]
CutType = Literal["none", "patient", "date", "parent"]
Core = Literal["R", "C", ""]
Stage = Literal["sdtm", "adam", "plain"]

_SUPP = "SUPP"


@dataclass(frozen=True)
class Codelist:
    """Permitted values of a variable.

    Attributes
    ----------
    name, label : str
        Id and title.
    values : tuple of str
        Permitted values.
    synonyms : mapping of str to str
        Accepted synonym -> permitted value that replaces it.
    separator : str
        Separator if a cell may hold several values, else "".
    """

    name: str
    label: str
    values: tuple[str, ...]
    synonyms: MappingProxyType[str, str]
    separator: str = ""

    def holds(self, value: str) -> bool:
        """Tell whether a cell holds permitted values only.

        Parameters
        ----------
        value : str
            The cell.

        Returns
        -------
        bool
            True if it (each part of a list) is permitted.

        Raises
        ------
        None
        """
        parts = [part.strip() for part in value.split(self.separator)] if self.separator else [value]
        return all(part in self.values for part in parts)


@dataclass(frozen=True)
class Variable:
    """One variable.

    Attributes
    ----------
    name, label : str
        CDISC name and label.
    kind : {"code", "text", "integer", "decimal", "dtc"}
        code: coded or short text; text: free text, kept as entered; integer and decimal: numbers; dtc: ISO 8601 text.
    codelist : str or None
        Id of its codelist.
    core : {"R", "C", ""}
        R required, C needed by a named use, "" optional.
    """

    name: str
    label: str
    kind: Kind
    codelist: str | None = None
    core: Core = ""

    @property
    def numeric(self) -> bool:
        """True for integer and decimal."""
        return self.kind in ("integer", "decimal")


@dataclass(frozen=True)
class Conversion:
    """A unit in which results may be delivered instead of the standard unit.

    Attributes
    ----------
    unit, to : str
        Unit as delivered in --STRESU, standard unit.
    factor : float
        Standard value = factor x value delivered.
    """

    unit: str
    to: str
    factor: float


@dataclass(frozen=True)
class Domain:
    """One domain.

    Attributes
    ----------
    name, label : str
        CDISC name and label.
    cut : {"none", "patient", "date", "parent"}
        How the cut-off applies.
    key : tuple of str
        Natural key; columns that were not delivered are left out.
    dates : tuple of str
        Columns that date a record, the first that is not blank counts.
    one_of : tuple of tuple of str
        Groups of columns of which one must exist.
    subject : bool
        False if the records belong to the trial, not to participants.
    variables : mapping of str to Variable
        Variables named for this domain; see `variable` for the general ones.
    units : tuple of Conversion
        Units that are converted.
    stage : {"sdtm", "adam", "plain"}
        Source domain, finished analysis dataset, or plain table that becomes source domains.
    result : tuple of str
        Columns of a result: unit, number, text.
    """

    name: str
    label: str
    cut: CutType
    key: tuple[str, ...]
    dates: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    subject: bool = True
    variables: MappingProxyType[str, Variable] = field(default_factory=lambda: MappingProxyType({}))
    units: tuple[Conversion, ...] = ()
    stage: Stage = "sdtm"
    result: tuple[str, str, str] = ("", "", "")

    @property
    def seq(self) -> str:
        """Name of the sequence number."""
        return f"{self.name}SEQ"

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the required variables."""
        return tuple(v.name for v in self.variables.values() if v.core == "R")

    def absent(self, columns: Collection[str]) -> tuple[str, ...]:
        """Return the required columns that a table lacks.

        Parameters
        ----------
        columns : collection of str
            Its columns.

        Returns
        -------
        tuple of str
            Names; a group of which one must exist is given as ``A or B``.

        Raises
        ------
        None
        """
        single = [name for name in self.required if name not in columns]
        groups = [" or ".join(group) for group in self.one_of if not set(group) & set(columns)]
        return (*single, *groups)

    def variable(self, name: str) -> Variable | None:
        """Return the variable of a column.

        Parameters
        ----------
        name : str
            Column name.

        Returns
        -------
        Variable or None
            The variable of this domain, else the general one (``--SEQ`` ...), else None.

        Raises
        ------
        None
        """
        if name in self.variables:
            return self.variables[name]
        general = _variables().get("*", {})
        if name in general:
            return general[name]
        found = general.get(f"--{name[2:]}") if name.startswith(self.name[:2]) else None
        return None if found is None else Variable(name, found.label, found.kind, found.codelist, found.core)


def _shipped(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _variables() -> dict[str, dict[str, Variable]]:
    found: dict[str, dict[str, Variable]] = {}
    for row in csv.DictReader(_shipped("variables.csv").splitlines()):
        core: Any = row["core"]
        kind: Any = row["type"]
        variable = Variable(row["name"], row["label"], kind, row["codelist"] or None, core)
        found.setdefault(row["domain"], {})[row["name"]] = variable
    return found | {name: {v.name: v for v, _ in columns} for name, columns in _plain_columns().items()}


@lru_cache(maxsize=1)
def _plain_columns() -> dict[str, tuple[tuple[Variable, str], ...]]:
    """Return the columns of each plain table with their Chinese headings."""
    return {
        name: tuple(
            (Variable(column, label, kind, codelist or None, core), heading)
            for column, label, heading, kind, codelist, core in table["column"]
        )
        for name, table in plain_tables().items()
    }


@lru_cache(maxsize=1)
def plain_tables() -> dict[str, dict[str, Any]]:
    """Return the plain tables as they stand in the data file.

    Returns
    -------
    dict
        Table -> label, zh, column (name, label, Chinese heading, type, codelist, core), record (the SDTM records that follow).

    Raises
    ------
    None
    """
    return {name: table for name, table in _plain_document().items() if name != "words"}


def plain_words() -> dict[str, str]:
    """Return what the status of a lesion is called in SDTM.

    Returns
    -------
    dict
        Word of the plain table -> text; a word that ends in a colon is a prefix.

    Raises
    ------
    None
    """
    return dict(_plain_document()["words"])


@lru_cache(maxsize=1)
def _plain_document() -> dict[str, Any]:
    return tomllib.loads(_shipped("plain.toml"))


def plain_columns(name: str) -> tuple[tuple[Variable, str], ...]:
    """Return the columns of a plain table.

    Parameters
    ----------
    name : str
        Table, for example ``subjects``.

    Returns
    -------
    tuple of (Variable, str)
        Each column with its Chinese heading.

    Raises
    ------
    KeyError
        If there is no such table.
    """
    return _plain_columns()[name]


@lru_cache(maxsize=1)
def _domains() -> dict[str, Domain]:
    found = {name: _domain(name, raw) for name, raw in tomllib.loads(_shipped("domains.toml")).items()}
    for name, raw in plain_tables().items():
        shape = {"label": raw["label"], "cut": "none", "key": ["subject"], "stage": "plain"}
        found[name] = _domain(name, shape)
    return found


def _domain(name: str, raw: dict[str, Any]) -> Domain:
    return Domain(
        name=name,
        label=raw["label"],
        cut=raw["cut"],
        key=tuple(raw["key"]),
        dates=tuple(raw.get("dates", (f"{name}STDTC", f"{name}DTC"))) if raw["cut"] == "date" else (),
        one_of=tuple(tuple(group) for group in raw.get("one_of", ())),
        subject=raw.get("subject", True),
        variables=MappingProxyType(_variables().get(name, {})),
        units=tuple(Conversion(unit, **item) for unit, item in raw.get("units", {}).items()),
        stage=raw.get("stage", "sdtm"),
        result=tuple(raw.get("result", (f"{name}STRESU", f"{name}STRESN", f"{name}STRESC"))),
    )


def domain_names(stage: Stage = "sdtm") -> tuple[str, ...]:
    """Return the names of all domains of a stage; ``SUPP`` stands for every supplemental domain.

    Parameters
    ----------
    stage : {"sdtm", "adam", "plain"}
        Source domains, finished analysis datasets, or plain tables.

    Returns
    -------
    tuple of str
        In the order of the specification.

    Raises
    ------
    None
    """
    return tuple(name for name, found in _domains().items() if found.stage == stage)


@lru_cache(maxsize=256)
def domain(name: str) -> Domain | None:
    """Return the specification of a domain.

    Parameters
    ----------
    name : str
        Domain name, for example ``AE`` or ``SUPPAE``.

    Returns
    -------
    Domain or None
        None if there is no such domain.

    Raises
    ------
    None

    Examples
    --------
    >>> domain("AE").cut, domain("SUPPAE").cut, domain("ZZ")
    ('date', 'parent', None)
    >>> domain("LB").variable("LBSTRESN").kind
    'decimal'
    """
    found = _domains().get(name)
    if found is None and name.startswith(_SUPP) and name[len(_SUPP) :] in _domains():
        base = _domains()[_SUPP]
        label = f"{base.label} for {name[len(_SUPP) :]}"
        return Domain(name, label, base.cut, base.key, variables=base.variables)
    return found if name != _SUPP else None


@lru_cache(maxsize=1)
def codelists() -> MappingProxyType[str, Codelist]:
    """Return the codelists.

    Returns
    -------
    mapping of str to Codelist
        By id.

    Raises
    ------
    None
    """
    raw = tomllib.loads(_shipped("codelists.toml"))
    return MappingProxyType(
        {
            name: Codelist(
                name,
                item["label"],
                tuple(item["values"]),
                MappingProxyType(item.get("synonyms", {})),
                item.get("list", ""),
            )
            for name, item in raw.items()
        }
    )


def dictionary() -> list[tuple[str, str, str, str, str, str]]:
    """Return the data dictionary.

    Returns
    -------
    list of tuple
        One row per variable: domain (``*`` for general variables), name, label, type, codelist, core; in the order of the
        specification.

    Raises
    ------
    None
    """
    return [
        (name, v.name, v.label, v.kind, v.codelist or "", v.core)
        for name, variables in _variables().items()
        for v in variables.values()
    ]
