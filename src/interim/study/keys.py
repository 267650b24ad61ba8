"""Lists every parameter of a study file: key path, type, permitted values, default and meaning, read off the schema."""

from __future__ import annotations

import csv
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Interval, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from interim.study.model import Study


@dataclass(frozen=True)
class Parameter:
    """One key of the study file.

    Attributes
    ----------
    key : str
        Key path; ``[]`` marks an array of tables.
    kind : str
        Type and permitted values in words.
    default : object
        Default value; `REQUIRED` if there is none, None if the key may be left out.
    meaning : str
        What it decides.
    """

    key: str
    kind: str
    default: Any
    meaning: str


REQUIRED = PydanticUndefined
_PLAIN = {str: "text", int: "integer", float: "number", bool: "true or false"}


@cache
def _meanings() -> dict[str, str]:
    text = files("interim.study").joinpath("meanings.csv").read_text(encoding="utf-8")
    return {row["key"]: row["meaning"] for row in csv.DictReader(text.splitlines())}


@cache
def parameters() -> tuple[Parameter, ...]:
    """Return every parameter, in the order of the schema.

    Returns
    -------
    tuple of Parameter
        One per key; the readings of ``[ambiguity]`` are not listed (they stand in ``readings.toml``).

    Raises
    ------
    None

    Examples
    --------
    >>> [p.default for p in parameters() if p.key == "response.sd_min_weeks"]
    [8]
    """
    return tuple(_walk(Study, ""))


def _walk(model: type[BaseModel], prefix: str) -> Iterator[Parameter]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        if key == "ambiguity":
            continue
        inner = _table(field.annotation)
        if inner is None or key in _meanings():
            yield Parameter(
                key,
                _words(field.annotation, tuple(field.metadata)),
                _default(field),
                _meanings().get(key, ""),
            )
        elif _is_array(field.annotation):
            yield from _walk(inner, f"{key}[].")
        else:
            yield from _walk(inner, f"{key}.")


def _default(field: FieldInfo) -> Any:
    return REQUIRED if field.is_required() else field.get_default(call_default_factory=True)


def _members(kind: Any) -> tuple[Any, ...]:
    """Return the types inside Annotated, unions and tuples."""
    if get_origin(kind) in (Annotated, Union, types.UnionType, tuple):
        return tuple(inner for part in get_args(kind) for inner in _members(part))
    return (kind,)


def _table(kind: Any) -> type[BaseModel] | None:
    return next((k for k in _members(kind) if isinstance(k, type) and issubclass(k, BaseModel)), None)


def _is_array(kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is Annotated or origin in (Union, types.UnionType):
        return any(_is_array(part) for part in get_args(kind))
    return origin is tuple


def _words(kind: Any, limits: tuple[Any, ...] = ()) -> str:
    """Return a type with its permitted values in words."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        text = _words(args[0], (*args[1:], *limits))
    elif origin in (Union, types.UnionType):
        text = " or ".join(_words(part, limits) for part in args if part is not type(None))
    elif origin is Literal:
        text = ", ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in args)
    elif origin is tuple:
        inner = _words(args[0])
        text = f"list of {inner}" if args[-1] is Ellipsis else f"list of {len(args)}: {inner}"
    elif origin is dict:
        text = f"table of {_words(args[1])}"
    else:
        text = _plain(kind) + _bounds(limits)
    return text


def _plain(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"table ({', '.join(kind.model_fields)})"
    return _PLAIN.get(kind) or str(getattr(kind, "__name__", kind))


def _bounds(limits: tuple[Any, ...]) -> str:
    """Return the numeric bounds among the metadata of a field."""
    found: list[str] = []
    for item in (part for limit in limits for part in _flat(limit)):
        for sign, name in ((">", "gt"), (">=", "ge"), ("<", "lt"), ("<=", "le")):
            value = getattr(item, name, None) if isinstance(item, (Gt, Ge, Lt, Le, Interval)) else None
            if value is not None:
                found.append(f"{sign} {value:g}")
    return f" {', '.join(found)}" if found else ""


def _flat(limit: Any) -> tuple[Any, ...]:
    return (
        tuple(limit.metadata)
        if isinstance(limit, FieldInfo)
        else ()
        if isinstance(limit, MinLen)
        else (limit,)
    )
