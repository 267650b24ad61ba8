"""The parameters of the study as results, so that a sentence can cite them as it cites any other number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from interim.adam.model import Adam
from interim.result import Result, Rows
from interim.study import Study
from interim.study.model import dose_text

_PLACES = ("data.path", "data.sources")
_LARGE = 1e5


def stated(adam: Adam, study: Study) -> Result:
    """State every parameter of the study, defaults and readings included.

    Parameters
    ----------
    adam : Adam
        Not read: the rows follow from the parameters.
    study : Study
        All tables; the places of the data are left out.

    Returns
    -------
    Result
        ``parameters.stated``; variable = table of the study file, level = key path below it (arrays of tables by their
        ids, else numbered), stat ``value``: the printed text, and the number if it is one.

    Raises
    ------
    None
    """
    rows = Rows(
        "parameters.stated", "Parameters of the study", population="No participant data", group_var=""
    )
    for path, value in _leaves(study.resolved(), ()):
        table, *keys = path
        if f"{table}.{'.'.join(keys)}" in _PLACES:
            continue
        number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        rows.add("value", number, text=printed(value), variable=table, level=".".join(keys))
    return rows.build()


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield key path and value of everything that is no table; an array without tables is one value."""
    if isinstance(value, Mapping):
        # Below a parameter the order of the file is no order: a stored study has another one.
        for key, item in sorted(value.items()) if len(path) > 1 else value.items():
            yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value, 1):
            yield from _leaves(item, (*path, str(item.get("id", number))))
    else:
        yield path, value


def printed(value: Any) -> str:
    """Return a parameter as it is printed.

    Parameters
    ----------
    value : object
        A JSON value without tables.

    Returns
    -------
    str
        Never empty.

    Raises
    ------
    None

    Examples
    --------
    >>> printed([1.5e7, 3e7]), printed(True), printed(None), printed(0.05), printed([])
    ('1.5e7, 3e7', 'yes', 'not set', '0.05', 'none')
    """
    if value is None or value == "":
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(printed, value)) or "none"
    if isinstance(value, float) and abs(value) >= _LARGE:
        return dose_text(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
