"""Turns the content blocks of executed notebooks into the content model; lists everything that is wrong with them."""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast
from xml.etree import ElementTree

from interim.report.content import WORDS, Cell, Figure, HeaderCell, Paragraph, Row, Span, Table

MIME = "application/vnd.interim.block+json"
FORMAT = 1

_ID = re.compile(r"([TFL]) (\d+(?:\.\d+)*[a-z]?)")
_FILE_NAME = re.compile(r"\S+\.(svg|png|jpe?g|pdf|gif)", re.IGNORECASE)
_PNG = b"\x89PNG\r\n\x1a\n"
_ORIENTATIONS = ("portrait", "landscape")

_SHAPES: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "table": {
        "id": str,
        "title": str,
        "population": str,
        "header": list,
        "rows": list,
        "align": list,
        "widths": list,
        "orientation": str,
        "footnotes": list,
        "labels": list,
    },
    "figure": {
        "id": str,
        "title": str,
        "population": str,
        "svg": str,
        "png": str,
        "alt": str,
        "width_mm": (int, float),
        "footnotes": list,
        "keys": list,
        "labels": list,
        "orientation": str,
    },
    "paragraph": {"style": str, "spans": list},
}
_OPTIONAL: Mapping[str, Mapping[str, type]] = {
    "figure": {"untranslated": list},
    "paragraph": {"heading": str},
}


def bad_characters(text: str, *, newline: bool = False) -> list[str]:
    r"""Return the characters of a text that no document can hold.

    Parameters
    ----------
    text : str
        Any text.
    newline : bool
        Whether line breaks are permitted.

    Returns
    -------
    list of str
        Code points such as ``U+0007``: control characters, lone surrogates, private and unassigned code points.

    Raises
    ------
    None

    Examples
    --------
    >>> bad_characters("a\x07"), bad_characters("5 ≥ 4")
    (['U+0007'], [])
    """
    if text.isprintable():
        return []
    found = [
        c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") and not (newline and c == "\n")
    ]
    return [f"U+{ord(c):04X}" for c in dict.fromkeys(found)]


def opened(stored: object) -> Any:
    """Return a block that a notebook stores as a JSON value.

    Parameters
    ----------
    stored : object
        JSON text, as display objects emit it; anything else is taken as the value itself.

    Returns
    -------
    object
        The value; a text that is no JSON as it is.

    Raises
    ------
    None

    Examples
    --------
    >>> opened('{"kind": "table"}'), opened("no block")
    ({'kind': 'table'}, 'no block')
    """
    if not isinstance(stored, str):
        return stored
    try:
        return json.loads(stored)
    except ValueError:
        return stored


def read_block(data: object, *, language: str = "en") -> tuple[Table | Figure | Paragraph | None, list[str]]:
    """Return the block that a code cell emitted, and everything that is wrong with it.

    Parameters
    ----------
    data : object
        JSON value of the block.
    language : str
        Language of the words Table, Figure and Listing.

    Returns
    -------
    block : Table, Figure, Paragraph or None
        None if something is wrong.
    problems : list of str
        One line each, beginning with the id of the table or figure.

    Raises
    ------
    None
    """
    if not isinstance(data, Mapping):
        return None, ["a block must be a JSON object"]
    name = str(data.get("id") or data.get("kind") or "block")
    if data.get("format") != FORMAT:
        return None, [f"{name}: block format {data.get('format')!r}; this version reads format {FORMAT}"]
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in _SHAPES:
        return None, [f"{name}: unknown kind {kind!r}; known: {', '.join(_SHAPES)}"]
    optional = {name: wanted for name, wanted in _OPTIONAL.get(kind, {}).items() if name in data}
    problems = list(_shape_problems(data, {**_SHAPES[kind], **optional}))
    if not problems:
        problems = list(_CHECKS[kind](data))
    if problems:
        return None, [f"{name}: {problem}" for problem in problems]
    return _build(data, language), []


def _shape_problems(data: Mapping[str, Any], shape: Mapping[str, type | tuple[type, ...]]) -> Iterator[str]:
    """Yield missing, unknown and mistyped fields, and characters that cannot be printed."""
    for name in sorted(set(data) - set(shape) - {"kind", "format"}):
        yield f"unknown field {name!r}"
    for name, wanted in shape.items():
        if name not in data:
            yield f"field {name!r} is missing"
        elif not isinstance(data[name], wanted) or isinstance(data[name], bool):
            yield f"field {name!r} has type {type(data[name]).__name__}"
    for name in sorted(set(data) - {"svg", "png"}):
        yield from _character_problems(name, data[name])


def _character_problems(name: str, value: object) -> Iterator[str]:
    texts = list(_strings(value))
    for text in () if "".join(texts).isprintable() else texts:
        bad = bad_characters(text, newline=name in ("header", "rows"))
        if bad:
            yield f"{name} holds the control or unprintable character {', '.join(bad)} in {text!r}"


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)


def _tlf_problems(data: Mapping[str, Any], letters: str) -> Iterator[str]:
    match = _ID.fullmatch(data["id"])
    if match is None or match[1] not in letters:
        yield f"id {data['id']!r} must be {' or '.join(letters)} and a number such as 14.2.2.1"
    if not data["title"].strip():
        yield "the title is blank"
    if data["orientation"] not in _ORIENTATIONS:
        yield f"orientation {data['orientation']!r}; permitted: {', '.join(_ORIENTATIONS)}"
    for name in ("footnotes", "labels", *(name for name in ("keys", "untranslated") if name in data)):
        if not all(isinstance(text, str) and text.strip() for text in data[name]):
            yield f"{name} must be texts that are not blank"


def _table_problems(data: Mapping[str, Any]) -> Iterator[str]:
    yield from _tlf_problems(data, "TL")
    n = len(data["align"])
    if n == 0 or not all(align in ("left", "center", "right") for align in data["align"]):
        yield "align needs left, center or right for each column"
    widths = data["widths"]
    if len(widths) != n or not all(_positive(width) for width in widths):
        yield f"widths needs {n} numbers > 0, one per column"
    yield from _header_problems(data["header"], n)
    if not data["rows"]:
        yield "has no rows; say in a row that there is nothing to show"
    for number, row in enumerate(data["rows"], start=1):
        yield from (f"row {number} {problem}" for problem in _row_problems(row, n))


def _positive(value: object) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 < cast(float, value) <= sys.float_info.max


def _header_problems(header: list[Any], n: int) -> Iterator[str]:
    if not header:
        yield "has no header"
    for number, row in enumerate(header, start=1):
        cells = row if isinstance(row, list) else []
        if not cells or not all(_is_header_cell(cell) for cell in cells):
            yield f"header row {number} needs cells with text, span (>= 1) and keys (a list of result ids)"
            continue
        total = sum(cell["span"] for cell in cells)
        if total != n:
            yield f"is ragged: header row {number} spans {total} columns instead of {n}"
        if not any(cell["text"].strip() for cell in cells):
            yield f"header row {number} is blank"


def _is_header_cell(cell: object) -> bool:
    if not isinstance(cell, Mapping) or set(cell) != {"text", "span", "keys"}:
        return False
    return (
        isinstance(cell["text"], str)
        and type(cell["span"]) is int
        and cell["span"] >= 1
        and _are_keys(cell["keys"])
    )


def _row_problems(row: object, n: int) -> Iterator[str]:
    if not isinstance(row, Mapping) or set(row) != {"kind", "indent", "cells"}:
        yield "needs the fields kind, indent and cells"
        return
    if row["kind"] not in ("data", "section"):
        yield f"has kind {row['kind']!r}; permitted: data, section"
        return
    if type(row["indent"]) is not int or not 0 <= row["indent"] <= 9:
        yield f"has indent {row['indent']!r}; permitted: 0 to 9"
    cells = row["cells"] if isinstance(row["cells"], list) else []
    wanted = 1 if row["kind"] == "section" else n
    if len(cells) != wanted:
        yield f"is ragged: {len(cells)} cells instead of {wanted}"
    if not all(_is_cell(cell) for cell in cells):
        yield "needs cells with text and keys (a list of result ids)"
    elif row["kind"] == "section" and not (cells and cells[0]["text"].strip()):
        yield "is a section without a text"


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, Mapping) or set(cell) != {"text", "keys"}:
        return False
    return isinstance(cell["text"], str) and _are_keys(cell["keys"])


def _are_keys(keys: object) -> bool:
    return isinstance(keys, list) and all(isinstance(key, str) and key for key in keys)


def _figure_problems(data: Mapping[str, Any]) -> Iterator[str]:
    yield from _tlf_problems(data, "FL")
    alt = data["alt"].strip()
    if not alt:
        yield "the text alternative (alt) is blank"
    elif alt == data["title"].strip() or _FILE_NAME.fullmatch(alt):
        yield f"the text alternative {alt!r} is only the caption or a file name"
    if not _positive(data["width_mm"]):
        yield f"width_mm must be > 0, found {data['width_mm']!r}"
    yield from _image_problems(data["svg"], data["png"])


def _image_problems(svg: str, png: str) -> Iterator[str]:
    try:
        root = ElementTree.fromstring(svg)
    except (ElementTree.ParseError, ValueError) as error:
        yield f"svg cannot be read ({error})"
    else:
        if root.tag.rpartition("}")[2] != "svg":
            yield f"svg has root element {root.tag!r}"
    try:
        image = base64.b64decode(png, validate=True)
    except (binascii.Error, ValueError):
        image = b""
    if not image.startswith(_PNG):
        yield "png is no base64 PNG image"


def _paragraph_problems(data: Mapping[str, Any]) -> Iterator[str]:
    if data["style"] not in ("normal", "note", "box"):
        yield f"style {data['style']!r}; permitted: normal, note, box"
    if not data.get("heading", "-").strip():
        yield "the heading is blank"
    if not data["spans"] or not all(_is_span(span) for span in data["spans"]):
        yield "needs spans with text, key (a result id or null) and emphasis (true or false)"
    elif not any(span["text"].strip() for span in data["spans"]):
        yield "the text is blank"


def _is_span(span: object) -> bool:
    if not isinstance(span, Mapping) or set(span) != {"text", "key", "emphasis"}:
        return False
    key = span["key"]
    return (
        isinstance(span["text"], str)
        and isinstance(span["emphasis"], bool)
        and (key is None or isinstance(key, str))
    )


_CHECKS = {"table": _table_problems, "figure": _figure_problems, "paragraph": _paragraph_problems}


def _build(data: Mapping[str, Any], language: str) -> Table | Figure | Paragraph:
    """Return the model object of a block that has been checked."""
    if data["kind"] == "paragraph":
        return Paragraph(
            tuple(Span(s["text"], emphasis=s["emphasis"], key=s["key"]) for s in data["spans"]), data["style"]
        )
    letter, number = data["id"].split(" ")
    shared: dict[str, Any] = {
        "id": data["id"],
        "label": f"{WORDS[language][letter]} {number}",
        "anchor": f"{letter.lower()}-{number}",
        "title": data["title"],
        "population": data["population"],
        "orientation": data["orientation"],
        "footnotes": tuple(data["footnotes"]),
        "labels": tuple(data["labels"]),
    }
    if data["kind"] == "figure":
        width = float(data["width_mm"])
        return Figure(
            **shared,
            svg=data["svg"],
            png=data["png"],
            alt=data["alt"],
            width_mm=width,
            keys=tuple(data["keys"]),
            untranslated=tuple(data.get("untranslated", ())),
        )
    return Table(
        **shared,
        header=tuple(
            tuple(HeaderCell(cell["text"], cell["span"], tuple(cell["keys"])) for cell in row)
            for row in data["header"]
        ),
        rows=tuple(_row(row) for row in data["rows"]),
        align=tuple(data["align"]),
        widths=tuple(float(width) for width in data["widths"]),
    )


def _row(row: Mapping[str, Any]) -> Row:
    kind = cast("Literal['data', 'section']", row["kind"])
    return Row(kind, row["indent"], tuple(Cell(cell["text"], tuple(cell["keys"])) for cell in row["cells"]))
