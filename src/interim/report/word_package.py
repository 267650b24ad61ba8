"""The Word file as a package: our own empty template, and the rewriting that makes equal documents equal bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import resources

from interim.report.stamp import compression
from interim.report.word_xml import NAMESPACES

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_CORE = "application/vnd.openxmlformats-package.core-properties+xml"
_PROPERTIES = f"{_PACKAGE}/metadata/core-properties"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHIPPED = ("styles", "numbering", "settings")
_UNIX_FILE = 0o644 << 16
_FIRST, DOCUMENT = "[Content_Types].xml", "word/document.xml"


def empty_package() -> bytes:
    """Return the template: an empty document with our styles, without anybody's name, dates or picture.

    Returns
    -------
    bytes
        A Word file.

    Raises
    ------
    None
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in _parts():
            archive.writestr(name, text)
    return stream.getvalue()


def _parts() -> Iterator[tuple[str, str]]:
    overrides = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="{_TYPE}.{kind}+xml"/>'
        for name, kind in (("document", "document.main"), *((name, name) for name in _SHIPPED))
    )
    yield (
        _FIRST,
        f'{_DECLARATION}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'{overrides}<Override PartName="/docProps/core.xml" ContentType="{_CORE}"/></Types>',
    )
    links = ((f"{_OFFICE}/relationships/officeDocument", "word/document.xml"),)
    yield (
        "_rels/.rels",
        _relationships((*links, (f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"))),
    )
    yield "docProps/core.xml", f'{_DECLARATION}<cp:coreProperties xmlns:cp="{_PROPERTIES}"/>'
    yield (
        DOCUMENT,
        f'{_DECLARATION}<w:document xmlns:w="{_WORD}"><w:body><w:sectPr/></w:body></w:document>',
    )
    shipped = ((f"{_OFFICE}/relationships/{name}", f"{name}.xml") for name in _SHIPPED)
    yield "word/_rels/document.xml.rels", _relationships(tuple(shipped))
    folder = resources.files("interim.report").joinpath("templates", "word")
    for name in _SHIPPED:
        yield f"word/{name}.xml", folder.joinpath(f"{name}.xml").read_text(encoding="utf-8")


def _relationships(links: tuple[tuple[str, str], ...]) -> str:
    items = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(links, 1)
    )
    return f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{items}</Relationships>'


def pinned(package: bytes, timestamp: datetime, *, held: Mapping[str, bytes], packed: bool = True) -> bytes:
    """Return a package with what was held back, and with fixed order, times, rights and compression of its parts.

    Parameters
    ----------
    package : bytes
        A zip file.
    timestamp : datetime
        Time of every part, with offset.
    held : mapping of str to bytes
        Name of a part -> its content, for the empty one.
    packed : bool
        False: no part is compressed, for a file that is not finished.

    Returns
    -------
    bytes
        The same parts; equal parts give equal bytes.

    Raises
    ------
    None
    """
    moment = timestamp.astimezone(UTC).timetuple()[:6]
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(out, "w") as target:
        for name in sorted(source.namelist(), key=lambda name: (name != _FIRST, name)):
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type = compression(name) if packed else zipfile.ZIP_STORED
            entry.create_system, entry.external_attr = 3, _UNIX_FILE
            target.writestr(entry, held[name] if name in held else source.read(name), compresslevel=6)
    return out.getvalue()


def document_part(body: str) -> bytes:
    """Return the part that holds the text.

    Parameters
    ----------
    body : str
        ``w:body``.

    Returns
    -------
    bytes
        XML.

    Raises
    ------
    None
    """
    return f"{_DECLARATION}<w:document {NAMESPACES}>{body}</w:document>".encode()
