"""Reads a study file: inheritance, readings, validation; every problem is reported at once, with key path and line."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from interim.errors import Problem, StudyError
from interim.study import lines
from interim.study.ambiguity import apply_readings
from interim.study.model import Study, last_instant
from interim.study.ratio import with_primary_ratio
from interim.study.tables import freeze

_WORDS = {
    "missing": "required, but absent",
    "string_type": "expected a text",
    "int_type": "expected an integer",
    "int_from_float": "expected an integer",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "tuple_type": "expected a list",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "finite_number": "expected a finite number",
}


@dataclass(frozen=True)
class _Layer:
    """One file of an ``extends`` chain with the lines of its keys."""

    file: str
    raw: dict[str, Any]
    index: dict[str, int]


def read_study(path: str | Path, *, cut_date: str | None = None) -> Study:
    """Read and check a study file.

    Parameters
    ----------
    path : str or Path
        ``params/<study>.toml``.
    cut_date : str, optional
        ISO date that replaces ``data.cut_date``; before that of the file it makes the study a replay.

    Returns
    -------
    Study
        Frozen parameters, defaults and readings applied.

    Raises
    ------
    StudyError
        If the file (or one that it extends) is missing, is no TOML, or any parameter is unknown, of the wrong type, out of
        range or in contradiction; all problems are listed with key path, file and line.
    """
    file = Path(path)
    layers = _chain(file)
    raw: dict[str, Any] = {}
    for layer in layers:
        raw = _merge(raw, layer.raw)
    own = None
    if cut_date is not None:
        raw = _merge({"data": {}}, raw)
        if isinstance(raw["data"], dict):
            own = last_instant(raw["data"].get("cut_date"))
            raw["data"] = _at_day(raw["data"], _iso(cut_date), own)
    raw, readings, problems = apply_readings(raw)
    study = None
    try:
        study = Study.model_validate(freeze(raw))
    except ValidationError as error:
        problems = problems + _problems(error, freeze(raw))
    if study is None or problems:
        raise StudyError([_located(problem, layers) for problem in _unique(problems)])
    study._file = file
    study._readings = readings
    study._own_cut = own
    return with_primary_ratio(study)


def _at_day(data: Mapping[str, Any], day: Any, own: datetime | None) -> dict[str, Any]:
    """Return the table ``data`` with another cut-off; before the study's own, a later extract had not been made."""
    cut, made = last_instant(day), last_instant(data.get("extract_time"))
    replay = cut is not None and own is not None and cut < own
    late = replay and made is not None and cut is not None and made > cut
    kept = {key: value for key, value in data.items() if not (late and key == "extract_time")}
    return {**kept, "cut_date": day}


def restore_study(values: Mapping[str, Any], confirmed: Collection[str], file: Path) -> Study:
    """Return the study whose parameters were written down by `Study.resolved`.

    Parameters
    ----------
    values : mapping
        Table -> key -> value, as plain JSON values.
    confirmed : collection of str
        Ambiguities whose readings the study file named.
    file : Path
        Where the values stand; named in errors.

    Returns
    -------
    Study
        Frozen; its digest is that of the study that was written down.

    Raises
    ------
    StudyError
        If the values are no study, for example because another version wrote them.
    """
    raw = dict(values)
    letters = raw.pop("ambiguity", {})
    raw["ambiguity"] = {amb: letter for amb, letter in letters.items() if amb in confirmed}
    raw, readings, problems = apply_readings(_timed(raw))
    try:
        study = Study.model_validate(freeze(raw))
    except ValidationError as error:
        problems = problems + _problems(error, freeze(raw))
    if problems:
        raise StudyError([replace(problem, file=str(file)) for problem in _unique(problems)])
    study._file = file
    study._readings = readings
    return study


def _timed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with the texts of dates and times as such."""
    timed = dict(values)
    for name, field in Study.model_fields.items():
        table = timed.get(name)
        model = _child(Study, name)
        if field.annotation is model and model is not None and isinstance(table, dict):
            moments = {
                k for k, f in model.model_fields.items() if {date, datetime} & set(get_args(f.annotation))
            }
            timed[name] = {k: _moment(v) if k in moments and v else v for k, v in table.items()}
    return timed


def _moment(text: Any) -> Any:
    """Return a text as date or time; what is neither stays as it is and is refused with its key."""
    for read in (date.fromisoformat, datetime.fromisoformat):
        with suppress(ValueError, TypeError):
            return read(text)
    return text


def _iso(text: str) -> Any:
    try:
        return tomllib.loads(f"d = {text}")["d"]
    except tomllib.TOMLDecodeError as error:
        message = f"expected an ISO date such as 2026-03-04, found {text!r}"
        raise StudyError([Problem("data.cut_date", message)]) from error


def _chain(file: Path) -> list[_Layer]:
    """Return the files of an ``extends`` chain, the most general first."""
    chain: list[_Layer] = []
    seen: list[Path] = []
    current: Path | None = file
    while current is not None:
        if current.resolve() in seen:
            raise StudyError(
                [Problem("extends", f"cycle: {' -> '.join(p.name for p in seen)} -> {current.name}")]
            )
        seen.append(current.resolve())
        layer = _load(current)
        chain.insert(0, layer)
        parent = layer.raw.pop("extends", None)
        if parent is not None and not isinstance(parent, str):
            line = layer.index.get("extends")
            raise StudyError([Problem("extends", f"expected a path, found {parent!r}", str(current), line)])
        current = None if parent is None else current.parent / parent
    return chain


def _load(file: Path) -> _Layer:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{file}: the study file cannot be read ({type(error).__name__})") from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{file}: not a TOML document: {error}") from error
    index = {".".join(map(str, path)): line for path, line in lines.line_index(text).items()}
    return _Layer(str(file), raw, index)


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the values of ``over`` key by key at any depth; arrays are replaced whole."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _problems(error: ValidationError, raw: Any) -> list[Problem]:
    found = []
    for item in error.errors():
        places = _places(raw, item["loc"], missing=item["type"] == "missing")
        path = ".".join(map(str, places)) or "study file"
        found.append(Problem(path, _message(dict(item), places)))
    return found


def _places(raw: Any, loc: tuple[str | int, ...], *, missing: bool) -> tuple[str | int, ...]:
    """Return the keys and numbers of an array on the way, without the tags that pydantic adds for members of a union."""
    places: list[str | int] = []
    node = raw
    for part in loc:
        keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, tuple) else ()
        if part in keys:
            places.append(part)
            node = node[part]
    return (*places, loc[-1]) if missing else tuple(places)


def _message(item: dict[str, Any], places: tuple[str | int, ...]) -> str:
    kind, value = item["type"], item["input"]
    if kind == "extra_forbidden":
        return f"unknown key{_nearest(places)}"
    if kind == "missing":
        return _WORDS[kind]
    if kind == "value_error":
        return str(item["ctx"]["error"])
    words = _WORDS.get(kind) or item["msg"].replace("Input should be", "expected").replace(
        "should be", "must be"
    )
    return f"{words}, found {value!r}"


def _nearest(places: tuple[str | int, ...]) -> str:
    model: type[BaseModel] | None = Study
    for part in places[:-1]:
        model = _child(model, part)
    if model is None:
        return ""
    near = difflib.get_close_matches(str(places[-1]), list(model.model_fields), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(model.model_fields)}"


def _child(model: type[BaseModel] | None, part: str | int) -> type[BaseModel] | None:
    if model is None or isinstance(part, int):
        return model
    field = model.model_fields.get(part)
    kinds = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)


def _unique(problems: list[Problem]) -> list[Problem]:
    """Return one problem per key: alternatives of a union are joined."""
    joined: dict[str, Problem] = {}
    for problem in problems:
        known = joined.get(problem.path)
        if known is None:
            joined[problem.path] = problem
        elif problem.message not in known.message:
            joined[problem.path] = replace(known, message=f"{known.message}; or {problem.message}")
    return [p for p in joined.values() if not _echo(p, joined)]


def _echo(problem: Problem, joined: dict[str, Problem]) -> bool:
    """Tell a list called too short only because one of its members is wrong."""
    inside = any(path.startswith(f"{problem.path}.") for path in joined)
    return inside and problem.message.startswith("Tuple should have at least")


def _located(problem: Problem, layers: list[_Layer]) -> Problem:
    """Return the problem with the file and line of its key, or of the nearest table above it."""
    if problem.file:
        return problem
    places = problem.path.split(".")
    for size in range(len(places), 0, -1):
        key = ".".join(places[:size])
        for layer in reversed(layers):
            if key in layer.index:
                return replace(problem, file=layer.file, line=layer.index[key])
    return replace(problem, file=layers[-1].file)
