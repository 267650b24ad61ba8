"""Small cells of the public copy: which numbers are hidden, and which others so that the first cannot be computed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from interim.errors import Finding, ReportError
from interim.report.privacy.recovery import Bounds, Sum, bounds
from interim.result import TOTAL, slug

ALL = slug(TOTAL)
DASH = "–"
_OWN = re.compile(r"n_(?!risk|event|censor)\w+|grade\d+|any|missing")
_EVENTS = ("events", "censored")
_NOBODY = 1e-6
_COUNTED = re.compile(r"n|N|events|censored|n_\w+|events_\w+|grade\d+|any|missing")
_MOST_ROUNDS = 100


class Unit(NamedTuple):
    """Numbers that tell one count: the count, its rate, its interval, its number of events."""

    analysis: str
    group: str
    variable: str
    level: str
    base: str

    @property
    def row(self) -> tuple[str, str, str, str]:
        """What the unit has in common with those of other columns."""
        return self.analysis, self.variable, self.level, self.base


@dataclass(frozen=True)
class Hidden:
    """What the public copy does not print.

    Attributes
    ----------
    small : frozenset of Unit
        Counts from one to the limit that are marked as small.
    others : frozenset of Unit
        Everything else that is hidden: small differences to the whole, the columns beside a small cell, complements.
    units : mapping of str to Unit
        Result id -> unit, for every number of the public analyses.
    counted : frozenset of str
        Ids of the numbers that are a small count themselves, or its rate.
    limit : int
        ``privacy.small_cell_min``.
    """

    small: frozenset[Unit]
    others: frozenset[Unit]
    units: Mapping[str, Unit]
    counted: frozenset[str]
    limit: int

    def mark(self, keys: Iterable[str]) -> str:
        """Return what is printed instead of a cell; empty if it is printed.

        Parameters
        ----------
        keys : iterable of str
            Ids of the results in the cell.

        Returns
        -------
        str
            ``<3`` for a count that is small, a dash for everything else that is hidden or belongs to no public analysis.

        Raises
        ------
        None
        """
        cells = list(keys)
        units = {self.units.get(key) for key in cells}
        if None in units or units & self.others:
            return DASH
        if not units & self.small:
            return ""
        return f"<{self.limit}" if self.counted.intersection(cells) else DASH


@dataclass
class _Table:
    """Counts of the public analyses, and what is hidden so far."""

    limit: int
    units: dict[str, Unit] = field(default_factory=dict)
    counts: dict[Unit, int] = field(default_factory=dict)
    wholes: dict[Unit, int] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    small: set[Unit] = field(default_factory=set)
    others: set[Unit] = field(default_factory=set)
    uncounted: set[Unit] = field(default_factory=set)

    @property
    def hidden(self) -> set[Unit]:
        return self.small | self.others


def hidden_cells(frame: pd.DataFrame, *, limit: int, sums: Sequence[Mapping[str, Any]] = ()) -> Hidden:
    """Return what is hidden so that no count below a limit is printed or can be computed.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of the public analyses, columns of a Result.
    limit : int
        ``privacy.small_cell_min``, at least 3.
    sums : sequence of mapping
        Further sums: analysis, whole (variable) and perhaps whole_level, of (variable) and levels, or ``of`` with all its levels.

    Returns
    -------
    Hidden
        Every number of the frame belongs to one unit.

    Raises
    ------
    ReportError
        If a small count can still be computed.

    Notes
    -----
    A unit is hidden if its count, its whole or their difference is 1 to the limit - 1. Where one column of a row is hidden, all
    columns but the total are. A number of a column that has no count of its own is hidden with any count of that column. Then,
    while a small count follows from sums (columns to the total, levels to the whole, declared ones), the marks that say small
    go where a sum is hidden as a whole, else the smallest count beside it. Terms under a heading may share participants: they add up
    to the heading or to more.
    """
    table = _read(frame, limit)
    _spread(table)
    relations = [*_columns(table), *_levels(table), *_endings(table), *_declared(table, sums)]
    for _ in range(_MOST_ROUNDS):
        given = _given_away(table, relations)
        if not given:
            return _hidden(table)
        touched: set[Unit] = set()
        for unit in given:
            touched |= set() if unit in touched else _complement(table, relations, unit)
    names = ", ".join("/".join(unit) for unit in given)
    raise ReportError(
        f"the public copy is not written: small cells can still be computed from their totals: {names}"
    )


def _hidden(table: _Table) -> Hidden:
    small, others = frozenset(table.small - table.others), frozenset(table.others)
    return Hidden(small, others, table.units, frozenset(table.counted), table.limit)


def _read(frame: pd.DataFrame, limit: int) -> _Table:
    table = _Table(limit)
    columns = ("result_id", "stat", "value", "n", "N", "status")
    for key, stat, value, n, whole, status in frame[list(columns)].itertuples(index=False, name=None):
        numbers = _float(value), _integer(n), _integer(whole)
        _take(table, _Number(str(key), str(stat), *numbers, stated=status == "OK"))
    _judge_denominators(table)
    return table


@dataclass(frozen=True)
class _Number:
    key: str
    stat: str
    value: float | None
    n: int | None
    whole: int | None
    stated: bool

    @property
    def unit(self) -> Unit:
        analysis, group, variable, level, _ = self.key.split("/")
        stat = self.stat.replace("events_", "n_", 1)
        own = _OWN.fullmatch(stat) or (stat in _EVENTS and self.whole is not None)
        return Unit(analysis, group, variable, level, stat if own else "n")

    @property
    def count(self) -> int | None:
        if self.stated and self.value is not None and _COUNTED.fullmatch(self.stat):
            return int(self.value)
        return self.n


def _take(table: _Table, number: _Number) -> None:
    unit, count = number.unit, number.count
    table.units[number.key] = unit
    if count is None and number.whole is None:
        table.uncounted.add(unit)
        return
    if number.whole is not None:
        table.wholes[unit] = number.whole
    happenings = number.stat.startswith(_EVENTS) and number.whole is None  # of a term, not participants
    if count is not None and not happenings:
        table.counts.setdefault(unit, count)
    _judge(table, number)


def _float(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(str(value))


def _integer(value: Any) -> int | None:
    number = _float(value)
    return None if number is None else int(number)


def _judge(table: _Table, number: _Number) -> None:
    few, unit, count, whole = range(1, table.limit), number.unit, number.count, number.whole
    missing = None if count is None or whole is None else whole - count
    if whole in few or missing in few or _implied(number, table.limit):
        table.others.add(unit)
    elif count in few:
        table.small.add(unit)
        if _COUNTED.fullmatch(number.stat) or (number.stat == "rate" and whole is not None):
            table.counted.add(number.key)


def _implied(number: _Number, limit: int) -> bool:
    """Tell whether a rate without counts of its own, as of a curve, stands for fewer participants than may be shown."""
    if number.stat != "rate" or number.whole is not None or number.n is None or number.value is None:
        return False
    shares = number.n * number.value, number.n * (1 - number.value)
    return any(_NOBODY < share < limit - _NOBODY for share in shares)


def _judge_denominators(table: _Table) -> None:
    """Hide what is counted among almost everybody: the difference of two denominators is a small count too."""
    everybody = {
        u.analysis: n for u, n in table.wholes.items() if u.group == ALL and u.variable == "population"
    }
    among = {**{unit: n for unit, n in table.counts.items() if unit not in table.wholes}, **table.wholes}
    for unit, whole in among.items():
        if unit.group == ALL and everybody.get(unit.analysis, whole) - whole in range(1, table.limit):
            table.others.add(unit)


def _spread(table: _Table) -> None:
    """Hide every column but the total where one is hidden, and what has no count in a column with something hidden."""
    hidden = {unit.row for unit in table.hidden}
    table.others |= {u for u in table.units.values() if u.group != ALL and u.row in hidden}
    columns = {(unit.analysis, unit.group) for unit in table.hidden if unit.group != ALL}
    table.others |= {u for u in table.uncounted if (u.analysis, u.group) in columns}


def _columns(table: _Table) -> Iterator[Sum]:
    """Yield the rows whose columns add up to the total."""
    rows: dict[object, list[Unit]] = defaultdict(list)
    for unit in table.counts:
        rows[unit.row].append(unit)
    for units in rows.values():
        total = [unit for unit in units if unit.group == ALL]
        parts = tuple(unit for unit in units if unit.group != ALL)
        if total and parts and sum(table.counts[u] for u in parts) == table.counts[total[0]]:
            yield Sum(parts, total[0], alone=True)


def _levels(table: _Table) -> Iterator[Sum]:
    """Yield the variables whose levels add up to the whole, or to the line above them."""
    found: dict[tuple[str, ...], list[Unit]] = defaultdict(list)
    for unit in table.counts:
        if unit.level != "-":
            found[(unit.analysis, unit.group, unit.variable, unit.base)].append(unit)
    for units in found.values():
        added = sum(table.counts[unit] for unit in units)
        wholes = {table.wholes.get(unit) for unit in units} - {None}
        yield from (
            Sum(tuple(units), above) for above in _above(table, units[0]) if table.counts[above] == added
        )
        if wholes == {added} and added >= table.limit:
            everybody = _everybody(units[0])
            known = table.counts.get(everybody) == added
            yield Sum(tuple(units), everybody) if known else Sum(tuple(units), value=added)


def _everybody(unit: Unit) -> Unit:
    """Return the line that tells how many participants the column of a unit has."""
    return Unit(unit.analysis, unit.group, "population", "-", "n")


def _above(table: _Table, unit: Unit) -> Iterator[Unit]:
    """Yield the lines to which the levels of a variable may add up: of the variable, or of one whose name begins it."""
    for other in table.counts:
        related = unit.variable == other.variable or unit.variable.startswith(f"{other.variable}-")
        if other.level == "-" and related and other[:2] == unit[:2]:
            yield other


def _endings(table: _Table) -> Iterator[Sum]:
    """Yield what ends in an event or is censored: together the participants."""
    for unit, count in table.counts.items():
        parts = tuple(unit._replace(base=name) for name in _EVENTS)
        known = unit.base == "n" and all(part in table.counts for part in parts)
        if known and sum(table.counts[part] for part in parts) == count:
            yield Sum(parts, unit)


def _declared(table: _Table, sums: Sequence[Mapping[str, Any]]) -> Iterator[Sum]:
    by_variable: dict[tuple[str, str, str], list[Unit]] = defaultdict(list)
    for unit in table.counts:
        by_variable[(unit.analysis, unit.group, unit.variable)].append(unit)
    for one in sums:
        analysis, whole, part = slug(one["analysis"]), slug(one["whole"]), slug(one["of"])
        wanted = {slug(level) for level in one.get("levels", ())}
        groups = {group for name, group, variable in by_variable if (name, variable) == (analysis, whole)}
        for group in sorted(groups):
            level = slug(one.get("whole_level", "")) or "-"
            above = next(
                (unit for unit in by_variable[(analysis, group, whole)] if unit.level == level), None
            )
            if above is None:
                continue
            terms = by_variable[(analysis, group, part)]
            terms = [unit for unit in terms if (unit.level in wanted if wanted else unit.level != "-")]
            if terms and sum(table.counts[u] for u in terms) == table.counts[above]:
                yield Sum(tuple(terms), above)


def _open_bounds(table: _Table) -> dict[Unit, Bounds]:
    """Return what the mark of each hidden count leaves open; the size of a column is not hidden where a printed cell names it."""
    most = max([*table.wholes.values(), *table.counts.values()], default=0)
    named = {(_everybody(unit), whole) for unit, whole in table.wholes.items() if unit not in table.hidden}
    return {
        unit: (1, table.limit - 1) if unit in table.small - table.others else (0, most)
        for unit in table.hidden
        if unit in table.counts and (unit, table.counts[unit]) not in named
    }


def _given_away(table: _Table, relations: Sequence[Sum]) -> list[Unit]:
    """Return the small counts that the printed ones tell exactly."""
    hidden = _open_bounds(table)
    printed = {unit: count for unit, count in table.counts.items() if unit not in hidden}
    told = bounds(relations, printed, hidden)
    few = range(1, table.limit)
    return [unit for unit, ends in told.items() if ends[0] == ends[1] and ends[0] in few]


def _beside(relations: Sequence[Sum], unit: Unit, table: _Table) -> set[Unit]:
    """Return the counts of the sums of a unit; if all are hidden, also those of the sums of these, and so on."""
    found = {unit}
    while True:
        wider = found | {other for one in relations if found & set(one.names) for other in one.names}
        if wider == found or wider - table.hidden:
            return wider
        found = wider


def _complement(table: _Table, relations: Sequence[Sum], unit: Unit) -> set[Unit]:
    """Hide what tells a small count: the marks of a sum that is hidden as a whole, else the smallest count beside it.

    Return all counts of these sums: what is told of them may have changed.
    """
    near = [one for one in relations if unit in one.names]
    marks = {other for one in near if set(one.names) <= table.hidden for other in one.names} & table.small
    beside = _beside(relations, unit, table)
    open_ones = [other for other in beside - table.hidden]
    filled = [other for other in open_ones if table.counts[other] > 0] or open_ones
    if marks - table.others:
        table.others |= marks
    elif filled:
        table.others.add(min(filled, key=lambda other: (table.counts[other], other)))
    else:
        table.others |= {unit, *(beside & table.small)}
    _spread(table)
    return {unit, *beside, *marks}


def differences(old: Mapping[str, int], new: Mapping[str, int], *, limit: int) -> list[Finding]:
    """Find counts that two public copies print and that differ by fewer participants than may be shown.

    Parameters
    ----------
    old, new : mapping of str to int
        Result id -> count, as each copy prints it.
    limit : int
        ``privacy.small_cell_min``.

    Returns
    -------
    list of Finding
        PRV-DIFF (stop), one for each count.

    Raises
    ------
    None
    """
    few = range(1, limit)
    return [
        Finding(
            "PRV-DIFF",
            "stop",
            "public copy",
            f"{key}: {old[key]} before, {new[key]} now; mask one of the two",
            key=(key,),
        )
        for key in sorted(set(old) & set(new))
        if abs(old[key] - new[key]) in few
    ]
