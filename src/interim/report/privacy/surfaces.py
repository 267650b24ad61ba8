"""Every text that a file of a report holds: printed, in attributes, in properties, behind pictures, in files within files."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import PurePosixPath
from typing import NamedTuple, TypeAlias

from interim.errors import ReportError
from interim.report.blocks import MIME, opened


class Piece(NamedTuple):
    """A text of a file: its place, its lines, and what it is if it can hide rows of data."""

    place: str
    text: str
    hidden: str = ""


Reader: TypeAlias = Callable[[str, bytes], Iterator[Piece]]


class UnscannableError(ReportError):
    """A file that the scan cannot read."""


_BLOCK = r"p|div|li|ul|ol|tr|table|thead|tbody|caption|figcaption|figure|h[1-6]|section|dt|dd|dl|summary|details|header|footer|nav|main|title|style|text|desc|metadata|svg|option|w:p|w:tr|w:tbl|w:br|w:sectPr|row|si|c|a:p|dc:\w+|cp:\w+|dcterms:\w+|Override|Relationship|rdf:li"
_END = re.compile(rf"<(?:/(?:{_BLOCK})|(?:w:)?br)\b[^>]*>|<(?:w:tab|w:noBreakHyphen)/>")
_CELL = re.compile(r"</(?:td|th|w:tc)>")
_TAG = re.compile(r"<[^>]*>")
_COMMENT = re.compile(r"<!--(.*?)-->", re.S)
# Attributes that only say how something is drawn.
_ATTRIBUTE = re.compile(
    r"""\s(?!(?:d|style|class|points|transform|viewBox|xmlns[:\w]*|w:rsid\w*|w:val|w:w|x|y|width|height)=)[\w:.-]+=("[^"]*"|'[^']*')"""
)
_DATA_URI = re.compile(r"data:([\w/+.-]+)(?:;charset=[\w-]+)?(;base64)?,([^\"')]*)")
_ACTIVE = re.compile(r"<(script|iframe|object|embed|template|canvas|applet|form)\b", re.I)
_ANCHOR = re.compile(r'\bid="([^"]*)"')
_PARTS = re.compile(
    r"(?:^|/)(?:embeddings|charts|activeX|externalLinks|pivotCache|ctrlProps)/|vbaProject|\.bin$", re.I
)
_FONTS = {".woff", ".woff2", ".ttf", ".otf", ".odttf"}
_SHOWN = {
    "text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/svg+xml", "image/jpeg",
    MIME,
}  # fmt: skip


def pieces(name: str, data: bytes) -> Iterator[Piece]:
    """Yield the texts of a file.

    Parameters
    ----------
    name : str
        Its name; the ending tells the format.
    data : bytes
        Its content.

    Yields
    ------
    Piece
        In the order of the file.

    Raises
    ------
    UnscannableError
        If the format is unknown or the content is not of it.
    """
    reader = _READERS.get(PurePosixPath(name).suffix.lower())
    if reader is None:
        raise UnscannableError(f"no reader for files like {PurePosixPath(name).name}")
    yield from read_with(reader, name, data)


def read_with(reader: Callable[[bytes], Iterator[Piece]], name: str, data: bytes) -> Iterator[Piece]:
    """Yield what a reader yields of a file; whatever it stumbles over is one kind of error.

    Parameters
    ----------
    reader : callable
        Content -> texts.
    name : str
        Name of the file.
    data : bytes
        Its content.

    Yields
    ------
    Piece
        As the reader yields them.

    Raises
    ------
    UnscannableError
        If the reader fails.
    """
    try:
        yield from reader(data)
    except UnscannableError:
        raise
    except (
        ValueError,
        LookupError,
        TypeError,
        OSError,
        zlib.error,
        zipfile.BadZipFile,
        RecursionError,
    ) as error:
        raise UnscannableError(
            f"is no {PurePosixPath(name).suffix[1:]} file ({type(error).__name__})"
        ) from error


def plain(data: bytes) -> Iterator[Piece]:
    r"""Yield the text of a text file; letters written as \uXXXX count as letters.

    Parameters
    ----------
    data : bytes
        UTF-8.

    Yields
    ------
    Piece
        One; its place is empty, its lines are those of the file.

    Raises
    ------
    UnicodeDecodeError
        If it is not UTF-8.
    """
    text = data.decode("utf-8-sig")
    if "\\u" in text:
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda hit: chr(int(hit[1], 16)), text)
    yield Piece("", text)


def markup(data: bytes) -> Iterator[Piece]:
    """Yield the texts of HTML, SVG and XML: printed text, attributes, comments, and what stands behind pictures.

    Parameters
    ----------
    data : bytes
        UTF-8.

    Yields
    ------
    Piece
        By the nearest named element before it.

    Raises
    ------
    UnicodeDecodeError
        If it is not UTF-8.
    """
    text = data.decode("utf-8")
    for kind, coded, content in _DATA_URI.findall(text):
        yield from _embedded(kind, content, bool(coded))
    text = _DATA_URI.sub("", text)
    for found in _ACTIVE.finditer(text):
        yield Piece(_before(text, found.start()), "", f"element {found[1].lower()}")
    comments = "\n".join(_COMMENT.findall(text))
    if comments:
        yield Piece("comment", unescape(comments))
        text = _COMMENT.sub("", text)
    place = "head"
    for number, part in enumerate(_ANCHOR.split(text)):
        if number % 2:
            place = f"#{part}"
            yield Piece(place, part)
        else:
            yield Piece(place, _told(part))


def _told(part: str) -> str:
    attributes = "\n".join(_ATTRIBUTE.findall(part))
    body = _TAG.sub("", _CELL.sub("\t", _END.sub("\n", part)))
    whole = f"{body}\n{attributes}"
    return unescape(whole) if "&" in whole else whole


def _before(text: str, place: int) -> str:
    names = _ANCHOR.findall(text, 0, place)
    return f"#{names[-1]}" if names else "head"


def _embedded(kind: str, content: str, coded: bool, read: Reader = pieces) -> Iterator[Piece]:
    ending = {"image/svg+xml": ".svg", "image/png": ".png", "image/jpeg": ".jpg", "text/html": ".html"}.get(
        kind
    )
    if kind.startswith("font/") or "font" in kind:
        return
    if ending is None:
        yield Piece("data", "", f"data of kind {kind}")
        return
    data = base64.b64decode(content) if coded else unescape(content).encode()
    yield from _inside("picture", read(f"x{ending}", data))


def _inside(place: str, found: Iterator[Piece]) -> Iterator[Piece]:
    for piece in found:
        yield piece._replace(place=", ".join(filter(None, (place, piece.place))))


def notebook(data: bytes) -> Iterator[Piece]:
    """Yield the texts of a notebook: source, outputs of every kind, metadata.

    Parameters
    ----------
    data : bytes
        JSON.

    Yields
    ------
    Piece
        By cell.

    Raises
    ------
    ValueError, LookupError
        If it is no notebook.
    """
    book = json.loads(data)
    yield from _walk("metadata", book["metadata"])
    for number, cell in enumerate(book["cells"], 1):
        place = f"cell {number}"
        yield from _walk(place, {name: part for name, part in cell.items() if name != "outputs"})
        for output in cell.get("outputs", ()):
            for kind, part in output.get("data", {}).items():
                if kind not in _SHOWN:
                    yield Piece(f"{place}, output", "", f"output of kind {kind}")
                yield from _output(f"{place}, output {kind}", kind, part)
            yield from _walk(f"{place}, output", {k: v for k, v in output.items() if k != "data"})


def _output(place: str, kind: str, part: object) -> Iterator[Piece]:
    text = "".join(part) if isinstance(part, list) and all(isinstance(p, str) for p in part) else part
    if isinstance(text, str) and kind in ("text/html", "image/svg+xml"):
        yield from _inside(place, markup(text.encode()))
    elif isinstance(text, str) and kind.startswith("image/"):
        yield from _inside(place, _embedded(kind, text.replace("\n", ""), True))
    else:
        yield from _walk(place, opened(text) if kind == MIME else text)


def _walk(place: str, value: object) -> Iterator[Piece]:
    """Yield the texts of JSON values; pictures among them are opened."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _walk(f"{place}, {name}", part)
        yield Piece(place, "\n".join(value))
    elif isinstance(value, list):
        if value and all(isinstance(part, str) for part in value):
            yield from _walk(place, "\n".join(part.rstrip("\n") for part in value))
        else:
            for part in value:
                yield from _walk(place, part)
    elif isinstance(value, str):
        yield from _string(place, value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield Piece(place, str(value))


def _string(place: str, value: str) -> Iterator[Piece]:
    if value.startswith("iVBORw0KGgo"):
        yield from _inside(place, _embedded("image/png", value.replace("\n", ""), True))
    elif value.startswith(("<svg", "<?xml")):
        yield from _inside(place, markup(value.encode()))
    else:
        yield Piece(place, value)


def archive(data: bytes, read: Reader | None = None) -> Iterator[Piece]:
    """Yield the texts of all parts of an Office file or ZIP archive, its names and its comment.

    Parameters
    ----------
    data : bytes
        The archive.
    read : callable, optional
        Name and content of a part -> its texts; default ``pieces``.

    Yields
    ------
    Piece
        By part.

    Raises
    ------
    UnscannableError
        If a part has no reader.
    zipfile.BadZipFile
        If it is no archive.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        comments = [entry.comment.decode("utf-8", "replace") for entry in opened.infolist()]
        yield Piece(
            "names", "\n".join([*opened.namelist(), opened.comment.decode("utf-8", "replace"), *comments])
        )
        for name in opened.namelist():
            if _PARTS.search(name):
                yield Piece(name, "", "embedded part")
            if not name.endswith("/"):
                yield from _inside(name, _part(name, opened.read(name), read or pieces))


def _part(name: str, data: bytes, read: Reader) -> Iterator[Piece]:
    if PurePosixPath(name).suffix.lower() in _READERS:
        return read(name, data)
    if data.startswith(b"PK\x03\x04"):
        return read(f"{name}.zip", data)
    return strings(data)


def strings(data: bytes) -> Iterator[Piece]:
    """Yield what can be read in bytes of an unknown kind: runs of letters in UTF-8 and UTF-16.

    Parameters
    ----------
    data : bytes
        Any.

    Yields
    ------
    Piece
        One for each encoding.

    Raises
    ------
    None
    """
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        text = data.decode(encoding, "replace")
        found = re.findall(r"[\x20-\x7e\u4e00-\u9fff：·年月日\t]{4,}", text)
        if found:
            yield Piece("", "\n".join(found))


def _font(data: bytes) -> Iterator[Piece]:
    """A font holds letters, not texts."""
    yield from ()


def _rtf(data: bytes) -> Iterator[Piece]:
    from interim.report.privacy.surfaces_binary import rtf

    return rtf(data)


def _later(function: str) -> Callable[[bytes], Iterator[Piece]]:
    def read(data: bytes) -> Iterator[Piece]:
        from interim.report.privacy import surfaces_binary

        reader: Callable[[bytes], Iterator[Piece]] = getattr(surfaces_binary, function)
        return reader(data)

    return read


_READERS: dict[str, Callable[[bytes], Iterator[Piece]]] = {
    **dict.fromkeys((".html", ".htm", ".svg", ".xml", ".rels"), markup),
    **dict.fromkeys((".json", ".csv", ".txt", ".md", ".toml", ".sha256", ""), plain),
    ".ipynb": notebook,
    **dict.fromkeys((".docx", ".xlsx", ".pptx", ".zip"), archive),
    **{f".{name}": _later(name) for name in ("pdf", "rtf", "png", "parquet", "xpt")},
    **dict.fromkeys((".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".webp", ".bmp", ".emf", ".wmf"), strings),
    **dict.fromkeys(_FONTS, _font),
}
