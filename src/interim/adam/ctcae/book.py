"""The criteria of CTCAE as data: terms, their units and the ordered rules of each."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Literal

from interim.study import Study
from interim.study.toxicity import LabsTable

Direction = Literal["low", "high"]
Component = Literal["worst_case", "asymptomatic"]
_FILES = {
    5: ("ctcae_v5_lab_criteria", "ctcae_v5_lab_criteria_us_units"),
    6: ("ctcae_v6_lab_criteria",),
}
_ASYMPTOMATIC = {5: "ctcae_v5_asymptomatic"}


@dataclass(frozen=True)
class Rule:
    """One rule of a term; the first that matches gives the grade.

    Attributes
    ----------
    order : int
        Its place.
    grade : int or None
        0 to 4; None: not gradable.
    conditions : tuple of str
        All must hold, in the words of the data file.
    quantity : {"", "value", "pct change from baseline"}
        What is compared; empty: nothing, the conditions decide.
    comparator : str
        ``<``, ``<=``, ``>`` or ``>=``.
    reference : str
        absolute, LLN, ULN or baseline.
    threshold, multiplier, offset : float
        Limit, or multiplier x reference + offset.
    assumed : bool
        Whether the clinical half of the criterion is taken as present.
    """

    order: int
    grade: int | None
    conditions: tuple[str, ...] = ()
    quantity: str = ""
    comparator: str = ""
    reference: str = ""
    threshold: float = 0.0
    multiplier: float = 1.0
    offset: float = 0.0
    assumed: bool = False


@dataclass(frozen=True)
class Criteria:
    """The rules of one term in one unit.

    Attributes
    ----------
    term, analyte, direction, unit : str
        CTCAE term, LBTESTCD, low or high, unit of the thresholds.
    fixed_unit : bool
        True if the value must be in this unit; False if any unit will do as long as value, range and baseline share it.
    rules : tuple of Rule
        In order.
    """

    term: str
    analyte: str
    direction: Direction
    unit: str
    fixed_unit: bool
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class CriteriaBook:
    """All criteria of one version under one choice for the clinical half.

    Attributes
    ----------
    version : int
        5 or 6.
    criteria : tuple of Criteria
        In the order of the data files.
    verified : bool
        False if no independent grades exist for the version.
    """

    version: int
    criteria: tuple[Criteria, ...]
    verified: bool = True
    _by_term: Mapping[tuple[str, str], tuple[Criteria, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        """Index the criteria by term and direction."""
        table: dict[tuple[str, str], tuple[Criteria, ...]] = {}
        for item in self.criteria:
            key = (item.term.upper(), item.direction)
            table[key] = (*table.get(key, ()), item)
        object.__setattr__(self, "_by_term", table)

    def of_term(self, term: str | None, direction: Direction) -> tuple[Criteria, ...]:
        """Return the criteria of a term in every unit it has.

        Parameters
        ----------
        term : str or None
            CTCAE term, in upper or lower case.
        direction : {"low", "high"}
            Direction.

        Returns
        -------
        tuple of Criteria
            Empty if the term is not in the tables.

        Raises
        ------
        None
        """
        return self._by_term.get((str(term).strip().upper(), direction), ())

    def terms(self, direction: Direction) -> dict[str, str]:
        """Return the term of each analyte in a direction.

        Parameters
        ----------
        direction : {"low", "high"}
            Direction.

        Returns
        -------
        dict of str to str
            LBTESTCD -> term.

        Raises
        ------
        None
        """
        return {c.analyte: c.term for c in self.criteria if c.direction == direction and c.analyte}

    def units(self) -> frozenset[tuple[str, str]]:
        """Return the units in which the analytes have thresholds.

        Parameters
        ----------
        None

        Returns
        -------
        frozenset of (str, str)
            LBTESTCD, unit in upper case; only terms that need a fixed unit.

        Raises
        ------
        None
        """
        return frozenset((c.analyte, c.unit.upper()) for c in self.criteria if c.fixed_unit)

    def assumed_terms(self) -> tuple[str, ...]:
        """Return the terms of which the clinical half is taken as present.

        Parameters
        ----------
        None

        Returns
        -------
        tuple of str
            Sorted terms.

        Raises
        ------
        None
        """
        return tuple(sorted({c.term for c in self.criteria if any(rule.assumed for rule in c.rules)}))


def criteria_book(study: Study) -> CriteriaBook:
    """Return the criteria that a study uses.

    Parameters
    ----------
    study : Study
        ``labs.ctcae_version``, ``labs.clinical_component``.

    Returns
    -------
    CriteriaBook
        As `criteria_book_of` gives it.

    Raises
    ------
    None
    """
    return criteria_book_of(study.labs)


def criteria_book_of(labs: LabsTable) -> CriteriaBook:
    """Return the criteria of a version under a choice for the clinical half.

    Parameters
    ----------
    labs : LabsTable
        ``ctcae_version``, ``clinical_component``.

    Returns
    -------
    CriteriaBook
        Cached.

    Raises
    ------
    None

    Notes
    -----
    A table of ``clinical_component`` names terms; those it does not name are worst_case. Version 6 has no table for
    asymptomatic participants, its rules are used as they are.

    Examples
    --------
    >>> criteria_book_of(LabsTable()).terms("low")["K"]
    'Hypokalemia'
    """
    choice = labs.clinical_component
    if isinstance(choice, str):
        return _book(labs.ctcae_version, choice, ())
    listed = tuple(sorted(term.upper() for term, value in choice.items() if value == "asymptomatic"))
    return _book(labs.ctcae_version, "worst_case", listed)


@cache
def _book(version: int, component: Component, asymptomatic: tuple[str, ...]) -> CriteriaBook:
    published = [item for name in _FILES[version] for item in _read(name)]
    if version not in _ASYMPTOMATIC:
        return CriteriaBook(version, tuple(published), verified=False)
    mild = {(item.term.upper(), item.direction): item for item in _read(_ASYMPTOMATIC[version])}
    chosen = [
        mild.get((item.term.upper(), item.direction), item)
        if component == "asymptomatic" or item.term.upper() in asymptomatic
        else item
        for item in published
    ]
    return CriteriaBook(version, tuple(chosen))


@cache
def _read(name: str) -> tuple[Criteria, ...]:
    folder = files("interim.adam.ctcae")
    added: dict[str, str] = tomllib.loads(folder.joinpath("ctcae.toml").read_text("utf-8"))["analytes"]
    rows = csv.DictReader(folder.joinpath(f"{name}.csv").read_text("utf-8").splitlines())
    found: dict[tuple[str, str, str], Criteria] = {}
    for row in rows:
        head = _head(row, added)
        key = (head.term, head.direction, head.unit)
        before = found.get(key, head)
        found[key] = replace(before, rules=(*before.rules, _rule(row)))
    return tuple(_sorted(item) for item in found.values())


def _sorted(item: Criteria) -> Criteria:
    return replace(item, rules=tuple(sorted(item.rules, key=lambda rule: rule.order)))


def _head(row: Mapping[str, str], added: Mapping[str, str]) -> Criteria:
    unit = row["si_unit"] if "si_unit" in row else row["unit"]
    direction: Direction = "low" if row["direction"] == "low" else "high"
    analyte = row["analyte"] or added.get(row["term"], "")
    return Criteria(row["term"], analyte, direction, unit, row["unit_dependent"] == "Y")


def _rule(row: Mapping[str, str]) -> Rule:
    return Rule(
        order=int(row["rule_order"]),
        grade=int(row["grade"]) if row["grade"].isdigit() else None,
        conditions=tuple(_conditions(row["condition"])),
        quantity=row["quantity"],
        comparator=row["comparator"],
        reference=row["reference"],
        threshold=float(row["threshold"] or 0),
        multiplier=float(row["multiplier"] or 1),
        offset=float(row["offset"] or 0),
        assumed=row["worst_case_assumption"] == "Y",
    )


def _conditions(text: str) -> Iterator[str]:
    parts = (part.strip() for part in text.split(";"))
    return (part for part in parts if part and part != "otherwise")
