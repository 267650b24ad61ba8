"""The interpreter of the criteria: value, unit, range and baseline in, grade with rule number and reason out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from interim.adam.ctcae.book import Criteria, CriteriaBook, Direction, Rule

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DIGITS = 15
NO_TERM, UNIT = "NO_TERM", "LB-UNIT"
MISSING = {"VALUE": "VALUE_MISSING", "LLN": "LLN_MISSING", "ULN": "ULN_MISSING", "BASE": "BASELINE_MISSING"}
_NAMES = {"value": "VALUE", "LLN": "LLN", "ULN": "ULN", "baseline": "BASE"}
_COMPARE: dict[str, Callable[[Floats, Floats], Bools]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_NUMBERS = ("VALUE", "LLN", "ULN", "BASE", "PCHG")


@dataclass(frozen=True)
class LabValue:
    """One laboratory value with all that its grade depends on.

    Attributes
    ----------
    TERM, UNIT : str or None
        CTCAE term and unit of the value.
    VALUE, LLN, ULN, BASE, PCHG : float
        Value, range and baseline in that unit, percentage change from baseline; NaN if missing.
    HIGH : bool
        Whether the baseline was above the upper limit of its own range.
    ANTICOAG : bool
        Whether the participant was on anticoagulation.
    """

    TERM: str | None
    VALUE: float = float("nan")
    UNIT: str | None = None
    LLN: float = float("nan")
    ULN: float = float("nan")
    BASE: float = float("nan")
    PCHG: float = float("nan")
    HIGH: bool = False
    ANTICOAG: bool = False


def grade_one(value: LabValue, direction: Direction, *, book: CriteriaBook) -> tuple[int | None, int, str]:
    """Grade one value.

    Parameters
    ----------
    value : LabValue
        The value.
    direction : {"low", "high"}
        Direction of the term.
    book : CriteriaBook
        The criteria.

    Returns
    -------
    tuple of (int or None, int, str)
        Grade 0 to 4 (None: not gradable), number of the rule (0: none was reached), reason of None.

    Raises
    ------
    None

    Examples
    --------
    >>> from interim.adam.ctcae import criteria_book_of
    >>> from interim.study.toxicity import LabsTable
    >>> alt = LabValue("Alanine aminotransferase increased", 160, "U/L", ULN=40.0, BASE=110.0, HIGH=True)
    >>> grade_one(alt, "high", book=criteria_book_of(LabsTable()))
    (0, 10, '')
    """
    row = grade_values(pd.DataFrame([asdict(value)]), direction, book=book).iloc[0]
    grade = None if np.isnan(row["GRADE"]) else int(row["GRADE"])
    return grade, int(row["RULE"]), str(row["REASON"] or "")


def grade_values(values: pd.DataFrame, direction: Direction, *, book: CriteriaBook) -> pd.DataFrame:
    """Grade many values in one direction.

    Parameters
    ----------
    values : pandas.DataFrame
        Columns as the attributes of `LabValue`.
    direction : {"low", "high"}
        Direction of the terms.
    book : CriteriaBook
        The criteria.

    Returns
    -------
    pandas.DataFrame
        Same index: GRADE (float64, NaN not gradable), RULE (number of the rule that matched, 0 none), REASON (of a missing
        grade: NO_TERM, LB-UNIT, VALUE_MISSING, LLN_MISSING, ULN_MISSING, BASELINE_MISSING), ASSUMED (bool: the clinical half was taken as present).

    Raises
    ------
    None

    Notes
    -----
    The first rule that matches decides. Both sides of a comparison are rounded to 15 significant digits. A term is looked up
    without regard to case; a value is never converted to another unit. The range is taken as given: whether it can be right is
    for the caller to judge.
    """
    size = len(values)
    numbers = {name: significant(values[name].to_numpy(dtype=float)) for name in _NUMBERS}
    flags = {name: values[name].to_numpy(dtype=bool) for name in ("HIGH", "ANTICOAG")}
    answer = _Graded(
        np.full(size, np.nan),
        np.zeros(size),
        np.full(size, NO_TERM, dtype=object),
        np.zeros(size, dtype=bool),
    )
    for term, unit, rows in _by_term_and_unit(values):
        known = book.of_term(term, direction)
        fitting = [item for item in known if _fits(item, unit)]
        for item in fitting:
            inside = {name: column[rows] for name, column in numbers.items()}
            answer.take(rows, _graded(inside, {name: flag[rows] for name, flag in flags.items()}, item))
        if known and not fitting:
            answer.reason[rows] = UNIT
    return pd.DataFrame(
        {"GRADE": answer.grade, "RULE": answer.rule, "REASON": answer.reason, "ASSUMED": answer.assumed},
        index=values.index,
    )


@dataclass(frozen=True)
class _Graded:
    """Grade, number of the rule, reason of no grade and whether the clinical half was assumed, of many values."""

    grade: Floats
    rule: Floats
    reason: npt.NDArray[np.object_]
    assumed: Bools

    def take(self, rows: npt.NDArray[np.intp], part: _Graded) -> None:
        for name in ("grade", "rule", "reason", "assumed"):
            getattr(self, name)[rows] = getattr(part, name)


def _by_term_and_unit(values: pd.DataFrame) -> Iterator[tuple[str, str | None, npt.NDArray[np.intp]]]:
    """Yield each term and unit with the places of its rows; a row without a term is left out."""
    terms, term_names = pd.factorize(values["TERM"])
    units, unit_names = pd.factorize(values["UNIT"])
    pairs = terms.astype(np.int64) * (len(unit_names) + 1) + units + 1
    order = np.argsort(pairs, kind="stable")
    first = np.flatnonzero(np.diff(pairs[order], prepend=-1))
    for rows in np.split(order, first[1:]):
        if len(rows) and terms[rows[0]] >= 0:
            unit = units[rows[0]]
            yield str(term_names[terms[rows[0]]]), None if unit < 0 else str(unit_names[unit]), rows


def _fits(criteria: Criteria, unit: str | None) -> bool:
    """Tell whether a value in this unit may be judged by the criteria."""
    return not criteria.fixed_unit or (unit is not None and unit.upper() == criteria.unit.upper())


def _graded(numbers: dict[str, Floats], flags: dict[str, Bools], criteria: Criteria) -> _Graded:
    """Apply the rules of one term."""
    size = len(numbers["VALUE"])
    grade, number = np.full(size, np.nan), np.zeros(size)
    reason = np.full(size, None, dtype=object)
    assumed = np.zeros(size, dtype=bool)
    open_rows = np.ones(size, dtype=bool)
    for rule in criteria.rules:
        hit = open_rows & _matches(rule, numbers, flags)
        number[hit] = rule.order
        if rule.grade is None:
            reason[hit] = _missing_name(rule, numbers)[hit]
        else:
            grade[hit] = rule.grade
            assumed[hit] = rule.assumed and rule.grade > 0
        open_rows &= ~hit
    return _Graded(grade, number, reason, assumed)


def _matches(rule: Rule, numbers: dict[str, Floats], flags: dict[str, Bools]) -> Bools:
    holds = np.ones(len(numbers["VALUE"]), dtype=bool)
    for condition in rule.conditions:
        holds &= _condition(condition, numbers, flags)
    if not rule.quantity:
        return holds
    left = numbers["VALUE"] if rule.quantity == "value" else numbers["PCHG"]
    if rule.reference == "absolute":
        right = np.full(len(left), rule.threshold)
    else:
        right = significant(rule.multiplier * numbers[_NAMES[rule.reference]] + rule.offset)
    hit: Bools = holds & _COMPARE[rule.comparator](left, right)
    return hit


def _condition(text: str, numbers: dict[str, Floats], flags: dict[str, Bools]) -> Bools:
    """Return where a condition holds, read in the words of the data files."""
    known: dict[str, Callable[[], Bools]] = {
        "baseline above ULN": lambda: flags["HIGH"],
        "baseline not above ULN": lambda: ~flags["HIGH"],
        "ULN present": lambda: ~np.isnan(numbers["ULN"]),
        "baseline present": lambda: ~np.isnan(numbers["BASE"]),
        "pct change present": lambda: ~np.isnan(numbers["PCHG"]),
        "value < LLN": lambda: numbers["VALUE"] < numbers["LLN"],
        "on anticoagulation": lambda: flags["ANTICOAG"],
        "not on anticoagulation": lambda: ~flags["ANTICOAG"],
    }
    if text.startswith("missing "):
        gone: Bools = np.any([np.isnan(numbers[name]) for name in _named(text)], axis=0)
        return gone
    return known[text]()


def _named(text: str) -> list[str]:
    return [_NAMES[name] for name in dict.fromkeys(text.removeprefix("missing ").split(" or "))]


def _missing_name(rule: Rule, numbers: dict[str, Floats]) -> npt.NDArray[np.object_]:
    """Return the reason by the first quantity that is missing where a rule says that nothing can be graded."""
    text = next((item for item in rule.conditions if item.startswith("missing ")), "missing value")
    answer = np.full(len(numbers["VALUE"]), MISSING["VALUE"], dtype=object)
    for name in reversed(_named(text)):
        answer[np.isnan(numbers[name])] = MISSING[name]
    return answer


def significant(values: Floats, digits: int = DIGITS) -> Floats:
    """Round to significant digits.

    Parameters
    ----------
    values : numpy.ndarray of float64
        Any numbers.
    digits : int
        Digits kept.

    Returns
    -------
    numpy.ndarray of float64
        Rounded; zero, infinities and NaN as they are.

    Raises
    ------
    None

    Examples
    --------
    >>> significant(np.array([3 * 1.1, 0.0])).tolist()
    [3.3, 0.0]
    """
    usable = np.isfinite(values) & (values != 0)
    size = np.floor(np.log10(np.abs(np.where(usable, values, 1.0))))
    places = digits - 1 - size
    up, down = 10.0 ** np.clip(places, 0, 300), 10.0 ** np.clip(-places, 0, 300)
    rounded = np.rint(np.where(usable, values, 1.0) * up / down) / up * down
    return np.where(usable, rounded, values)
