"""Records what a function reads of the study, the data and the results, so that its answer can be kept for the next build."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from interim.adam.model import Adam
from interim.data.model import Sdtm
from interim.result import ResultStore
from interim.study import Study

Note = Callable[[str], None]
Source = Study | Adam | Sdtm | ResultStore
EVERYTHING, NAMES, FILE = "*", "names of", "_file"
_MAPPINGS = ("datasets", "domains", "results")
_OUTLINE = ("__class__", "_typ", "columns", "index", "empty", "shape")
_STATE = ("__dict__", "__pydantic_private__", "__pydantic_fields_set__", "__pydantic_extra__")
_WHOLE = frozenset(
    {"__dict__", "__getstate__", "__reduce__", "__reduce_ex__", "model_dump", "model_dump_json", "model_copy"}
)


@cache
def _has_forms(kind: type) -> bool:
    """Tell whether equal values of a type can be stored in more than one form."""
    return issubclass(kind, (pd.DataFrame, MappingProxyType, BaseModel))


class _Canonical(pickle.Pickler):
    """Writes equal values as equal bytes: nothing depends on which objects are shared, or how a frame is stored."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, 5)
        self.fast = True

    def reducer_override(self, value: object) -> Any:
        """Return how the types are written that have more than one form."""
        kind: Any = type(value)
        if not _has_forms(kind):
            return NotImplemented
        if isinstance(value, pd.DataFrame):
            return list, (_frame(value),)
        if isinstance(value, MappingProxyType):
            return list, (list(value.items()),)
        if isinstance(value, BaseModel):
            return kind, (sorted(value.model_dump(mode="json").items()),)
        return NotImplemented


def _frame(frame: pd.DataFrame) -> list[object]:
    """Return everything in a frame; columns of one type are taken together, which is what costs least."""
    kinds = frame.dtypes.tolist()
    columns: dict[int, list[object]] = {}
    for kind in dict.fromkeys(kinds):
        places = [place for place, own in enumerate(kinds) if own == kind]
        if isinstance(kind, np.dtype):
            values = frame.iloc[:, places].to_numpy()
            columns |= {place: _column(kind, values[:, at]) for at, place in enumerate(places)}
        else:
            columns |= {place: _column(kinds[place], frame.iloc[:, place].to_numpy()) for place in places}
    ordered = [columns[place] for place in range(len(kinds))]
    return [frame.columns.tolist(), frame.index.tolist(), sorted(frame.attrs.items()), ordered]


def _column(kind: Any, values: np.ndarray) -> list[object]:
    levels = [list(kind.categories), kind.ordered] if isinstance(kind, pd.CategoricalDtype) else []
    return [str(kind), levels, values.tobytes() if values.dtype.kind in "fiubM" else values.tolist()]


def digest(value: object) -> str:
    """Return a hash of a value: equal values give the same, in every process.

    Parameters
    ----------
    value : object
        Study tables, frames, results, documents, and what can be pickled.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    TypeError, AttributeError, pickle.PicklingError
        If the value cannot be pickled.
    """
    stream = io.BytesIO()
    _Canonical(stream).dump(value)
    return hashlib.sha256(stream.getbuffer()).hexdigest()


class _Columns(pd.DataFrame):
    """Stands for a frame and notes which columns are looked up by name; whatever else is done with it counts as reading all.

    Rows that are chosen by a mask or by their numbers are such a frame again: these were made of parts that are noted where
    they are read.
    """

    def __getattribute__(self, name: str) -> Any:
        if name in ("get", "loc"):  # they look up columns
            return object.__getattribute__(self, name)
        plain, place, note = _seen(self)
        if name in ("take", "reset_index"):
            return lambda *given, **options: _columns(getattr(plain, name)(*given, **options), place, note)
        if name not in _OUTLINE:
            note(place)
        return getattr(plain, name)

    def __getitem__(self, key: Any) -> Any:
        plain, place, note = _seen(self)
        if isinstance(key, pd.Series) and key.dtype == bool:
            return _columns(plain[key], place, note)
        names = key if isinstance(key, list) else [key]
        for part in [f"{place}/{x}" if isinstance(x, str) and x else place for x in names]:
            note(part)
        return plain[key]

    def __contains__(self, key: object) -> bool:  # type: ignore[misc]
        plain, place, note = _seen(self)
        note(f"{place}/{key}")
        return key in plain

    def __len__(self) -> int:
        return len(_seen(self)[0])

    def __iter__(self) -> Iterator[Any]:
        return iter(_seen(self)[0])

    @property
    def loc(self) -> Any:
        """Look up columns of chosen rows."""
        return _Loc(self)


class _Loc:
    """Looks up columns of chosen rows; whatever else is asked for reads all of the frame."""

    def __init__(self, frame: _Columns) -> None:
        self._frame = frame

    def __getitem__(self, key: Any) -> Any:
        plain, place, note = _seen(self._frame)
        key = key(self._frame) if callable(key) else key
        rows, names = key if isinstance(key, tuple) and len(key) == 2 else (key, None)
        if not isinstance(rows, pd.Series) or not isinstance(names, str | None):
            note(place)
            return plain.loc[key]
        chosen = _columns(plain.loc[rows], place, note)
        return chosen if names is None else chosen[names]


def _columns(plain: pd.DataFrame, place: str, note: Note) -> _Columns:
    note(f"{place}/")
    frame: _Columns = object.__new__(_Columns)
    object.__getattribute__(frame, "__dict__")[""] = (plain, place, note)
    return frame


def _seen(frame: _Columns) -> tuple[pd.DataFrame, str, Note]:
    """Return what stands behind: the frame, its place, and who is told."""
    found: tuple[pd.DataFrame, str, Note] = object.__getattribute__(frame, "__dict__")[""]
    return found


class _Entries(Mapping[str, Any]):
    """A mapping that notes which of its entries are looked at; of a frame, which columns."""

    def __init__(self, inner: Mapping[str, Any], name: str, note: Note, frames: dict[str, _Columns]) -> None:
        self._inner, self._name, self._note, self._frames = inner, name, note, frames
        self._outline = "" if name == "results" else "/"

    def __getitem__(self, key: str) -> Any:
        place = f"{self._name}/{key}"
        if key not in self or self._name == "results":
            return self._inner[key]
        if place not in self._frames:
            self._frames[place] = _columns(self._inner[key], place, self._note)
        return self._frames[place]

    def __contains__(self, key: object) -> bool:
        self._note(f"{self._name}/{key}{self._outline}")
        return key in self._inner

    def __iter__(self) -> Iterator[str]:
        self._note(f"{NAMES}/{self._name}")
        return iter(self._inner)

    def __len__(self) -> int:
        self._note(f"{NAMES}/{self._name}")
        return len(self._inner)


class _Twin:
    """Stands for an object and notes what is read of it; copying or writing it counts as reading everything."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name not in _WHOLE and name not in _WATCHED[object.__getattribute__(self, "__class__")]:
            return object.__getattribute__(self, name)
        try:
            note: Note = object.__getattribute__(self, "interim_note")
        except AttributeError:  # a copy: making it counted as reading everything
            return object.__getattribute__(self, name)
        if name in _WHOLE:
            note(EVERYTHING)
            plain = object.__getattribute__(self, "interim_plain")
            return (lambda _: (_itself, (plain,))) if name == "__reduce_ex__" else getattr(plain, name)
        if name in _MAPPINGS:
            frames = object.__getattribute__(self, "interim_frames")
            return _Entries(object.__getattribute__(self, name), name, note, frames)
        note(name)
        return object.__getattribute__(self, name)


def _itself(value: Source) -> Source:
    return value


_SLOTS = ("interim_note", "interim_plain", "interim_frames")


class _Study(_Twin, Study):
    __slots__ = _SLOTS


class _Adam(_Twin, Adam):
    __slots__ = _SLOTS


class _Sdtm(_Twin, Sdtm):
    __slots__ = _SLOTS


class _Store(_Twin, ResultStore):
    __slots__ = _SLOTS


_TWINS: dict[type, type] = {Study: _Study, Adam: _Adam, Sdtm: _Sdtm, ResultStore: _Store}
_WATCHED: dict[type, tuple[str, ...]] = {
    _Study: (*Study.model_fields, FILE, "_readings"),
    **{_TWINS[kind]: tuple(field.name for field in fields(kind)) for kind in (Adam, Sdtm, ResultStore)},
}


def traced(value: Source, note: Note) -> Any:
    """Return a stand-in that notes what is read.

    Parameters
    ----------
    value : Study, Adam, Sdtm or ResultStore
        What is read.
    note : callable
        Receives the name of each part that is looked at: a field, ``datasets/ADAE/AETERM`` for a column of a frame,
        ``datasets/ADAE/`` for its outline (names, index), ``datasets/ADAE`` for all of it, ``results/safety.deaths`` for an
        entry of another mapping, ``names of/datasets`` for its names, ``*`` for everything.

    Returns
    -------
    Study, Adam, Sdtm or ResultStore
        Holds the same parts.

    Raises
    ------
    None
    """
    kind = _TWINS[type(value)]
    twin: Any = object.__new__(kind)
    for name in _STATE:
        if hasattr(value, name):
            object.__setattr__(twin, name, getattr(value, name))
    object.__setattr__(twin, "interim_note", note)
    object.__setattr__(twin, "interim_plain", value)
    object.__setattr__(twin, "interim_frames", {})
    return twin


class Sources:
    """What functions read, and the hash of each part of it as it is now.

    Parameters
    ----------
    **sources : Study, Adam, Sdtm or ResultStore
        By the name that the parts carry in front.
    """

    def __init__(self, **sources: Source) -> None:
        self._sources = sources
        self._known: dict[str, str] = {}

    def twins(self, reads: set[str], *names: str) -> list[Any]:
        """Return stand-ins for some sources that note their reading in one set.

        Parameters
        ----------
        reads : set of str
            Receives ``source.part``.
        *names : str
            Which sources.

        Returns
        -------
        list
            In the given order.

        Raises
        ------
        KeyError
            If there is no such source.
        """
        return [traced(self._sources[name], _noter(reads, name)) for name in names]

    def now(self, reads: Iterable[str]) -> dict[str, str]:
        """Return the present hash of each part that was read.

        Parameters
        ----------
        reads : iterable of str
            What a stand-in noted.

        Returns
        -------
        dict of str to str
            Part -> hash, sorted.

        Raises
        ------
        KeyError
            If there is no such source.
        """
        return {name: self._digest(name) for name in sorted(reads)}

    def _digest(self, name: str) -> str:
        if name not in self._known:
            source, _, part = name.partition(".")
            self._known[name] = self._part(source, part)
        return self._known[name]

    def _part(self, source: str, part: str) -> str:
        value = self._sources[source]
        if part == EVERYTHING:
            return digest(list(self.now(f"{source}.{name}" for name in _parts(value)).values()))
        head, _, key = part.partition("/")
        if head == NAMES:
            return digest(list(getattr(value, key)))
        if head in _MAPPINGS:
            name, slash, column = key.partition("/")
            found = getattr(value, head).get(name)
            if not isinstance(found, pd.DataFrame):
                return "absent" if found is None else digest(found)
            return _of_frame(found, column if slash else None)
        found = getattr(value, part)
        return digest(str(found) if part == FILE else found)


def _of_frame(frame: pd.DataFrame, column: str | None) -> str:
    """Return the hash of a column, of the outline ("") or of a whole frame (None)."""
    if column is None:
        return digest(frame)
    names = frame.columns.tolist()
    if column == "":
        return digest([names, frame.index.tolist(), sorted(frame.attrs.items())])
    spots = [spot for spot, name in enumerate(names) if name == column]
    return digest([_column(frame.dtypes.iloc[spot], frame.iloc[:, spot].to_numpy()) for spot in spots])


def _noter(reads: set[str], source: str) -> Note:
    return lambda part: reads.add(f"{source}.{part}")


def _parts(value: Source) -> Iterator[str]:
    """Yield the names of all parts."""
    for name in _WATCHED[_TWINS[type(value)]]:
        if name in _MAPPINGS:
            yield f"{NAMES}/{name}"
            yield from (f"{name}/{key}" for key in getattr(value, name))
        else:
            yield name
