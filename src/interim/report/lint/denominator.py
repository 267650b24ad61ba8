"""LNT-02 denominator: every x/n and N is the size of an analysis set in its column, or a count that is declared as its base."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import pandas as pd

from interim.report.lint.bases import Bases, declared, filled
from interim.report.lint.model import Checked, LintFinding, Printed, Severity, Value
from interim.result import TOTAL, ResultStore, slug

SETS = "disposition.analysis_sets"
RATIO = re.compile(r"(?<![\d./])(\d+)/(\d+)(?![\d/])")
_SIZE = re.compile(r"\bN ?= ?(\d+)")
_WAY_OUT = (
    "print the number of participants that the rate refers to, or declare its base in report/lint/bases.toml"
)
_OTHER_UNITS = frozenset(("events", "episodes", "values", "readings", "decisions", "samples"))


def wrong_denominators(checked: Checked) -> Iterator[LintFinding]:
    """Find denominators that are neither a row of T 14.1.1.2 for their column nor a printed result.

    Parameters
    ----------
    checked : Checked
        Documents, results, study.

    Yields
    ------
    LintFinding
        LNT-02, with the cell and the nearest set.

    Raises
    ------
    None
    """
    known = _Known(checked)
    for printed in checked.printed:
        if printed.role in ("alt", "stub") or ("/" not in printed.text and "=" not in printed.text):
            continue
        rows = [checked.rows[key] for key in printed.keys if key in checked.rows]
        for x, n in RATIO.findall(printed.text):
            row = _behind(rows, x, n)
            if row is not None and not known.accounts_for(row, int(n)):
                yield _finding(printed, int(n), row, known)
        for n in _SIZE.findall(printed.text):
            row = next((row for row in rows if row.n is not None), None)
            if row is not None and int(n) != row.n:
                yield _finding(printed, int(n), row, known)
    yield from _sizes(checked, known)


def wrong_bases(checked: Checked) -> Iterator[LintFinding]:
    """Find denominators and sizes of columns in any result, printed or not, that are no stated number of participants.

    Parameters
    ----------
    checked : Checked
        Results.

    Yields
    ------
    LintFinding
        As `unaccounted` and `wrong_sizes`.

    Raises
    ------
    None
    """
    yield from unaccounted(checked.rows)
    yield from wrong_sizes(checked.store)


def unaccounted(rows: Mapping[str, Value]) -> Iterator[LintFinding]:
    """Find result rows, printed or not, whose denominator is not what it must be.

    Parameters
    ----------
    rows : mapping of str to Value
        Every result row, by its id.

    Yields
    ------
    LintFinding
        LNT-02: a stop where the denominator is another number than its declared base, is larger than its column, or is smaller
        than the count; a warning where it is smaller than its column and no base is declared, or no result states one.

    Raises
    ------
    None
    """
    bases = Bases(rows)
    for key, row in rows.items():
        if row.N is None:
            continue
        if row.n is not None and row.n > row.N:
            yield _of_row(key, row, f"{row.n} of {row.N}")
        elif not any(declared("other", row)):
            number, what = bases.of(row)
            if number is None:
                yield _of_row(key, row, f"no result states what {row.N} is", severity="warn")
            elif number != row.N:
                narrow = not any(declared("denominator", row)) and number > row.N
                severity: Severity = "warn" if narrow else "stop"
                yield _of_row(key, row, f"denominator {row.N}, but {what} is {number}", severity=severity)


def _of_row(key: str, row: Value, what: str, *, severity: Severity = "stop") -> LintFinding:
    return LintFinding("LNT-02", "denominator", "results", row.analysis, key, what, _WAY_OUT, severity)


def wrong_sizes(store: ResultStore) -> Iterator[LintFinding]:
    """Find columns whose stated size is not the number of participants behind it, or whose total is no analysis set.

    Parameters
    ----------
    store : ResultStore
        All results; T 14.1.1.2 holds the sets with their members.

    Yields
    ------
    LintFinding
        LNT-02.

    Raises
    ------
    None
    """
    sets = _members_of_sets(store)
    for name, result in store.items():
        frame = result.frame
        sizes = frame[(frame["variable"] == "population") & (frame["stat"] == "N") & frame["n"].notna()]
        members = _members(result.links, set(sizes["result_id"]))
        total = sizes.loc[sizes["group"] == TOTAL, "result_id"]
        whole = members.get(total.iloc[0], frozenset()) if len(total) else None
        for key, group, n in zip(sizes["result_id"], sizes["group"], sizes["n"], strict=True):
            behind = members.get(key, frozenset())
            words: str | None = None
            severity: Severity = "stop"
            if len(behind) != n:
                words = f"N={n}, but {len(behind)} participants are behind it"
            elif whole is not None and behind - whole:
                words = f"{', '.join(sorted(behind - whole)[:3])} in column {group} and not in the total"
            elif group == TOTAL and sets and behind and behind not in sets:
                words, severity = f"the {n} participants are the members of no analysis set", "warn"
            if words:
                yield LintFinding("LNT-02", "denominator", "results", name, key, words, _WAY_OUT, severity)


def _members_of_sets(store: ResultStore) -> frozenset[frozenset[str]]:
    """Return the members of each analysis set, by the links of T 14.1.1.2."""
    if SETS not in store:
        return frozenset()
    links, total = store[SETS].links, f"{SETS}/{slug(TOTAL)}/"
    return frozenset(_members(links, {key for key in links["result_id"] if key.startswith(total)}).values())


def _members(links: pd.DataFrame, wanted: Collection[str]) -> dict[str, frozenset[str]]:
    """Return the participants behind each of some results."""
    found: dict[str, set[str]] = defaultdict(set)
    for key, who in zip(links["result_id"].tolist(), links["USUBJID"].tolist(), strict=True):
        if key in wanted:
            found[key].add(who)
    return {key: frozenset(ids) for key, ids in found.items()}


def _sizes(checked: Checked, known: _Known) -> Iterator[LintFinding]:
    """Find columns of printed objects whose participants are no analysis set, by the links of T 14.1.1.2."""
    sets = _members_of_sets(checked.store)
    for printed in checked.printed:
        for key in printed.keys if printed.role == "header" else ():
            row = checked.rows.get(key)
            if row is None or row.variable != "population" or row.group != TOTAL or not row.n:
                continue
            linked = checked.store[row.analysis].links
            behind = frozenset(linked.loc[linked["result_id"] == key, "USUBJID"])
            if behind and sets and behind not in sets:
                yield _finding(printed, row.n, row, known)


def _is_set(variable: str) -> bool:
    return " " not in variable and not variable.startswith("population")


def _behind(rows: Sequence[Value], x: str, n: str) -> Value | None:
    return next((row for row in rows if (str(row.n), str(row.N)) == (x, n)), None)


def _finding(printed: Printed, n: int, row: Value, known: _Known) -> LintFinding:
    what = f"denominator {n} is no number of participants of {row.group}; {known.nearest(row.group, n)}"
    return LintFinding("LNT-02", "denominator", *printed[:3], what, _WAY_OUT)


class _Known:
    """The numbers that may be a denominator."""

    def __init__(self, checked: Checked) -> None:
        """Collect set sizes and printed counts."""
        self.checked = checked
        self.sets: dict[str, dict[str, int]] = defaultdict(dict)
        self.columns: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.levels: dict[tuple[str, str], set[int]] = defaultdict(set)
        for row in checked.rows.values():
            if row.analysis == SETS and row.n is not None and _is_set(row.variable):
                self.sets[row.group][row.variable] = row.n
            elif row.variable == "population" and row.n is not None:
                self.columns[row.analysis, row.group].add(row.n)
        for key in checked.keys:
            if key in checked.rows:
                self._state(checked.rows[key])

    def _state(self, row: Value) -> None:
        """Keep a printed count: of its column, and of its level of a factor."""
        column, whole = self.columns[row.analysis, row.group], _whole(row)
        if whole is not None:
            column.add(whole)
        if row.n is not None:
            column.add(row.n)
            if row.level:
                self.levels[row.group, row.level].add(row.n)

    def accounts_for(self, row: Value, n: int) -> bool:
        """Tell whether a number is a set size of the row's column or a printed count of it."""
        own = set(self.sets.get(row.group, self.sets[TOTAL]).values()) | self.columns[row.analysis, row.group]
        if n in own or row.unit in _OTHER_UNITS:
            return True
        others = self.levels[row.group, row.level] if row.group not in self.sets else set()
        return n in others or n in self._declared(row)

    def _declared(self, row: Value) -> Iterator[int]:
        """Yield the printed numbers that are declared as the base of a row, and what printed numbers leave of another."""
        for entry in declared("base", row):
            if (n := self._printed(entry["base"], row)) is not None:
                yield n
        for entry in declared("denominator", row):
            if entry.get("take") == "rest":
                whole, without = (self._printed(entry[name], row) for name in ("base", "without"))
                if whole is not None and without is not None:
                    yield whole - without

    def _printed(self, template: str, row: Value) -> int | None:
        """Return the number of participants of a result that a document prints."""
        key = filled(template, row)
        found = self.checked.rows.get(key)
        return found.n if found is not None and key in self.checked.keys else None

    def nearest(self, group: str, n: int) -> str:
        """Return the analysis set of nearest size in words."""
        sizes = self.sets.get(group) or self.sets.get(TOTAL) or {}
        if not sizes:
            return "no analysis set has a size"
        code = min(sizes, key=lambda name: abs(sizes[name] - n))
        return f"nearest set {code}, {sizes[code]}"


def _whole(row: Value) -> int | None:
    """Return a value that is a count of participants."""
    if row.unit in ("", "participants") and row.value == row.value and row.value == int(row.value):
        return int(row.value)
    return None
