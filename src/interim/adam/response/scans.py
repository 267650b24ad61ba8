"""Scans: the records of one time point turned into measures of target, non-target and new lesions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from interim.adam.response import lesions
from interim.adam.response.lesions import Measure
from interim.adam.response.records import NEW, NONTARGET, TARGET, VALUE_KEYS, in_order, nontarget_state
from interim.adam.response.timepoint import ABSENT, FURTHER, NE, NEW_EQUIVOCAL, NEW_UNEQUIVOCAL, PRESENT
from interim.adam.source import shipped_data

Tests = Mapping[str, tuple[float | None, str | None]]
"""Test code -> (mm, state) of one lesion at one time point."""


@dataclass(frozen=True)
class Listed:
    """The lesions of one participant as one evaluator listed them.

    Attributes
    ----------
    roles : mapping of str to str
        Lesion id -> TARGET, NON-TARGET or NEW.
    locations : mapping of str to str
        Lesion id -> organ, where given.
    nodal : frozenset of str
        Lesions that are lymph nodes.
    since : mapping of str to pandas.Timestamp
        Lesion id -> earliest day on which it can have been listed, where known.
    linked : bool
        True if the list comes from TU; an id outside it is then not linked.
    """

    roles: Mapping[str, str] = field(default_factory=dict)
    locations: Mapping[str, str] = field(default_factory=dict)
    nodal: frozenset[str] = frozenset()
    since: Mapping[str, pd.Timestamp] = field(default_factory=dict)
    linked: bool = False

    def of(self, role: str) -> tuple[str, ...]:
        """Return the lesions of a role.

        Parameters
        ----------
        role : str
            TARGET, NON-TARGET or NEW.

        Returns
        -------
        tuple of str
            Sorted ids.

        Raises
        ------
        None
        """
        return tuple(sorted(lesion for lesion, kind in self.roles.items() if kind == role))


@dataclass(frozen=True)
class Scan:
    """One time point of one participant by one evaluator.

    Attributes
    ----------
    point : int
        Number in the order of time.
    visitnum : float or None
        Visit.
    visit : str or None
        Its name, for display only.
    earliest, first, last : pandas.Timestamp
        Earliest possible day, earliest and latest scan date.
    accepted : bool
        Whether the adjudication took this reader.
    targets : mapping of str to Measure
        Target lesions recorded here.
    nontargets, new : mapping of str to str
        States of non-target and new lesions recorded here.
    new_mm : mapping of str to float
        Diameters of measured new lesions.
    sequences : mapping of str to tuple of str
        Lesion -> sequence numbers of its TR records.
    unlinked : tuple of str
        Lesions that are in no list.
    """

    point: int
    visitnum: float | None
    visit: str | None
    earliest: pd.Timestamp
    first: pd.Timestamp
    last: pd.Timestamp
    accepted: bool = False
    targets: Mapping[str, Measure] = field(default_factory=dict)
    nontargets: Mapping[str, str] = field(default_factory=dict)
    new: Mapping[str, str] = field(default_factory=dict)
    new_mm: Mapping[str, float] = field(default_factory=dict)
    sequences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unlinked: tuple[str, ...] = ()

    def sources(self, names: Iterable[str]) -> str | None:
        """Return the sequence numbers of some lesions as one text.

        Parameters
        ----------
        names : iterable of str
            Lesion ids.

        Returns
        -------
        str or None
            Joined by ``;``; None if there is none.

        Raises
        ------
        None
        """
        found = [number for name in names for number in self.sequences.get(name, ())]
        return ";".join(found) or None


def list_lesions(identified: pd.DataFrame) -> dict[tuple[str, str], Listed]:
    """Return the lesions of each participant and evaluator.

    Parameters
    ----------
    identified : pandas.DataFrame
        `interim.adam.response.records.read_identified`.

    Returns
    -------
    dict of (str, str) to Listed
        (USUBJID, evaluator) -> lesions; of several records of a lesion the earliest counts.

    Raises
    ------
    None
    """
    keys = ["USUBJID", "EVAL", "LESION"]
    first = in_order(identified, [*keys, "DATE"]).drop_duplicates(keys)
    names = ["USUBJID", "EVAL", "LESION", "ROLE", "LOCATION", "NODAL", "FIRST"]
    found: dict[tuple[str, str], list[tuple[str, str, object, bool, pd.Timestamp]]] = {}
    for subject, reader, *lesion in zip(*(first[name] for name in names), strict=True):
        found.setdefault((subject, reader), []).append(tuple(lesion))
    return {
        key: Listed(
            {lesion: role for lesion, role, *_ in rows},
            {lesion: organ for lesion, _, organ, *_ in rows if isinstance(organ, str)},
            frozenset(lesion for lesion, _, _, nodal, _ in rows if nodal),
            {lesion: day for lesion, *_, day in rows if not pd.isna(day)},
            linked=True,
        )
        for key, rows in found.items()
    }


def measure(tests: Tests, *, nodal: bool) -> Measure:
    """Return what was recorded for a target lesion.

    Parameters
    ----------
    tests : mapping of str to (float or None, str or None)
        Test code -> millimetres and state.
    nodal : bool
        Whether the lesion is a lymph node.

    Returns
    -------
    Measure
        A number where the right diameter was measured, else the state.

    Raises
    ------
    None

    Notes
    -----
    The long diameter never stands in for the short axis of a node.
    """
    wanted = shipped_data("response/lesion_states")["tests"]["nodal" if nodal else "other"]
    states = [state for _, state in tests.values() if state is not None]
    number = next((tests[name][0] for name in wanted if name in tests and tests[name][0] is not None), None)
    special = [state for state in states if state == lesions.TREATED or state.startswith(lesions.MERGED)]
    if special:
        return Measure(number, lesions.TREATED if lesions.TREATED in special else lesions.MERGED)
    if number is not None:
        return Measure(number)
    for state in (lesions.ABSENT, lesions.TSTM, lesions.NOT_EVALUABLE):
        if state in states:
            return Measure(state=state)
    long_only = nodal and any(value is not None for value, _ in tests.values())
    return Measure(state=lesions.NO_AXIS if long_only else lesions.NOT_EVALUABLE)


@dataclass
class _Point:
    """The records of one time point, collected row by row."""

    row: Mapping[str, object]
    dates: list[pd.Timestamp] = field(default_factory=list)
    firsts: list[pd.Timestamp] = field(default_factory=list)
    accepted: bool = False
    tests: dict[str, dict[str, tuple[float | None, str | None]]] = field(default_factory=dict)
    roles: dict[str, str | None] = field(default_factory=dict)
    sequences: dict[str, list[str]] = field(default_factory=dict)


_COLUMNS = [
    "USUBJID",
    "EVAL",
    "POINT",
    "VISITNUM",
    "VISIT",
    "ACCEPTED",
    "ROLE",
    "LESION",
    "TEST",
    "MM",
    "STATE",
    "SEQ",
    "FIRST",
    "DATE",
]


def collect_scans(
    rows: pd.DataFrame, listed: Mapping[tuple[str, str], Listed], *, nodal_cr_mm: float
) -> dict[tuple[str, str], tuple[Scan, ...]]:
    """Return the scans of each participant and evaluator.

    Parameters
    ----------
    rows : pandas.DataFrame
        Records with POINT (`assemble`); those without a date are left out.
    listed : mapping of (str, str) to Listed
        Lesions of each participant and evaluator.
    nodal_cr_mm : float
        A non-target node with a smaller short axis is absent.

    Returns
    -------
    dict of (str, str) to tuple of Scan
        In the order of time.

    Raises
    ------
    None

    Notes
    -----
    Of several values of one test of a lesion at a time point the first by date and number of the record counts.
    """
    ordered = in_order(rows[rows["POINT"] >= 0], [*VALUE_KEYS, "DATE"])
    points: dict[tuple[str, str], dict[int, _Point]] = {}
    for row in zip(*(ordered[name] for name in _COLUMNS), strict=True):
        item = dict(zip(_COLUMNS, row, strict=True))
        chain = points.setdefault((item["USUBJID"], item["EVAL"]), {})
        _add(chain.setdefault(item["POINT"], _Point(item)), item)
    return {
        key: tuple(
            _scan(number, point, listed.get(key, Listed()), nodal_cr_mm)
            for number, point in sorted(chain.items())
        )
        for key, chain in points.items()
    }


def _add(point: _Point, item: Mapping[str, object]) -> None:
    lesion, test = str(item["LESION"]), str(item["TEST"])
    point.dates.append(item["DATE"])  # type: ignore[arg-type]
    point.firsts.append(item["FIRST"])  # type: ignore[arg-type]
    point.accepted = point.accepted or bool(item["ACCEPTED"])
    number = item["MM"]
    state = item["STATE"] if isinstance(item["STATE"], str) else None
    value = float(number) if isinstance(number, float) and number == number else None
    point.tests.setdefault(lesion, {}).setdefault(test, (value, state))
    if isinstance(item["ROLE"], str):
        point.roles.setdefault(lesion, item["ROLE"])
    if item["SEQ"] is not None:
        point.sequences.setdefault(lesion, []).append(str(item["SEQ"]))


def _scan(number: int, point: _Point, listed: Listed, nodal_cr_mm: float) -> Scan:
    roles = {lesion: listed.roles.get(lesion, point.roles.get(lesion) or NONTARGET) for lesion in point.tests}
    fragments = _fragments(point)
    whole = [lesion for lesion in point.tests if lesion not in fragments.names]
    targets = {
        lesion: measure(point.tests[lesion], nodal=lesion in listed.nodal)
        for lesion in whole
        if roles[lesion] == TARGET
    }
    targets.update(fragments.parents)
    visitnum = point.row["VISITNUM"]
    unlinked = [
        lesion for lesion in whole if listed.linked and lesion not in listed.roles and roles[lesion] != NEW
    ]
    return Scan(
        point=number,
        visitnum=float(visitnum) if isinstance(visitnum, float) and visitnum == visitnum else None,
        visit=point.row["VISIT"] if isinstance(point.row["VISIT"], str) else None,
        earliest=min(point.firsts),
        first=min(point.dates),
        last=max(point.dates),
        accepted=point.accepted,
        targets={
            **targets,
            **{name: Measure(state=lesions.NOT_EVALUABLE) for name in unlinked if name in targets},
        },
        nontargets={
            lesion: _seen(point.tests[lesion], nodal_cr_mm if lesion in listed.nodal else 0.0)
            for lesion in whole
            if roles[lesion] == NONTARGET
        },
        new={lesion: _new(point.tests[lesion]) for lesion in whole if roles[lesion] == NEW},
        new_mm=_new_diameters(point, [lesion for lesion in whole if roles[lesion] == NEW]),
        sequences={lesion: tuple(found) for lesion, found in point.sequences.items()},
        unlinked=tuple(unlinked),
    )


@dataclass(frozen=True)
class _Fragments:
    names: frozenset[str]
    parents: Mapping[str, Measure]


def _fragments(point: _Point) -> _Fragments:
    """Return the fragments of split lesions, and the measure of the lesions from which they come."""
    pieces: dict[str, list[float | None]] = {}
    names = set()
    prefix = f"{lesions.SPLIT} OF "
    for lesion, tests in sorted(point.tests.items()):
        parent = next((s.removeprefix(prefix) for _, s in tests.values() if s and s.startswith(prefix)), None)
        if parent is not None:
            names.add(lesion)
            pieces.setdefault(parent, []).append(measure(tests, nodal=False).mm)
    for parent in pieces:
        if parent in point.tests and parent not in names:
            names.add(parent)
            own = measure(point.tests[parent], nodal=False)
            pieces[parent] += [own.mm] if own.mm is not None else []
    parents = {
        parent: Measure(state=lesions.NOT_EVALUABLE)
        if None in found
        else Measure(state=lesions.SPLIT, fragments=tuple(mm for mm in found if mm is not None))
        for parent, found in pieces.items()
    }
    return _Fragments(frozenset(names), parents)


def _seen(tests: Tests, normal_mm: float) -> str:
    """Return the state of a non-target lesion; of sizes alone: absent at 0 mm, a node below ``normal_mm`` short axis."""
    states = [nontarget_state(state) for _, state in tests.values() if state is not None]
    sizes = {test: mm for test, (mm, _) in tests.items() if mm is not None}
    if not states and sizes:
        nodal = shipped_data("response/lesion_states")["tests"]["nodal"]
        short = [mm for test, mm in sizes.items() if test in nodal]
        small = bool(short) and max(short) < normal_mm
        return ABSENT if small or max(sizes.values()) == 0 else PRESENT
    return next((state for state in states if state != NE), NE)


def _new(tests: Tests) -> str:
    """Return the state of a new lesion; one without a state, or merely present, is unequivocal."""
    states = [state for _, state in tests.values() if state is not None]
    for state in (ABSENT, FURTHER):
        if state in states:
            return state
    return NEW_EQUIVOCAL if NEW_EQUIVOCAL in states else NEW_UNEQUIVOCAL


def _new_diameters(point: _Point, names: Iterable[str]) -> dict[str, float]:
    found = {name: [mm for mm, _ in point.tests[name].values() if mm is not None] for name in names}
    return {name: max(values) for name, values in found.items() if values}
