"""The parts of a reference pack: a case has what is given and what is expected; the runner sees only the first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Given = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One case of a reference file.

    Attributes
    ----------
    id : str
        Names the case in the file.
    given : mapping
        All that the runner may use.
    expected : mapping
        What it should return; any JSON value, nested.
    """

    id: str
    given: Given
    expected: Mapping[str, Any]


@dataclass(frozen=True)
class Pack:
    """How one reference file is recomputed.

    Attributes
    ----------
    area, file : str
        Folder name and file name by which the file is known.
    tolerance : float
        Permitted difference, absolute or relative, the larger; 0 means equal.
    split : callable
        Parsed file (and, with ``inputs``, the parsed files beside it) -> cases.
    compute : callable
        ``given`` -> values of the same shape as ``expected``.
    tolerances : mapping of str to float
        Other tolerances, by the first part of the field name.
    absolute : bool
        True if the tolerance is absolute only.
    inputs : str
        Pattern of files of the same folder that hold what is given; ``split`` gets their parsed content, by name without
        ending, as second argument. Empty: the file itself holds all.
    """

    area: str
    file: str
    tolerance: float
    split: Callable[..., Iterable[Case]]
    compute: Callable[[Given], Mapping[str, Any]]
    tolerances: Mapping[str, float] = field(default_factory=dict)
    absolute: bool = False
    inputs: str = ""

    def tolerance_of(self, name: str) -> float:
        """Return the tolerance of a field.

        Parameters
        ----------
        name : str
            Dotted field name.

        Returns
        -------
        float
            The tolerance of the longest known beginning of the name, else the pack's.

        Raises
        ------
        None
        """
        known = [key for key in self.tolerances if name == key or name.startswith(key + ".")]
        return self.tolerances[max(known, key=len)] if known else self.tolerance


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every number, text, missing value and empty list of a nested value with its dotted name.

    Parameters
    ----------
    value : object
        Nested dicts and lists.
    name : str
        Name of the value itself.

    Yields
    ------
    tuple of (str, object)
        Dotted name and leaf.

    Raises
    ------
    None
    """
    if name and isinstance(value, (list, tuple)) and not value:
        yield name, []
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            yield from leaves(item, f"{name}.{place}")
    else:
        yield name, value


def ends(value: Any, name: str = "") -> Iterator[str]:
    """Yield the name that the next item of each list of a nested value would have.

    Parameters
    ----------
    value : object
        Nested dicts and lists.
    name : str
        Name of the value itself.

    Yields
    ------
    str
        Dotted name just behind the end of a list.

    Raises
    ------
    None

    Examples
    --------
    >>> list(ends({"a": [1, 2], "b": 3}))
    ['a.2']
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from ends(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        yield f"{name}.{len(value)}"
        for place, item in enumerate(value):
            yield from ends(item, f"{name}.{place}")


def plain(value: Any) -> Any:
    """Return a computed value as JSON would hold it: NaN as None, infinities as texts, lists for sequences.

    Parameters
    ----------
    value : object
        A number, text, sequence or mapping.

    Returns
    -------
    object
        Plain Python values.

    Raises
    ------
    None
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (str, bool)) or value is None:
        return value
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            return "Inf" if value > 0 else "-Inf"
    return value
