"""Texts of files that are no text: PDF, RTF, PNG, Parquet, SAS transport files."""

from __future__ import annotations

import codecs
import io
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from interim.report.privacy.surfaces import Piece, UnscannableError, markup, strings

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_PNG_DRAWN = {
    b"IHDR",
    b"PLTE",
    b"IDAT",
    b"IEND",
    b"pHYs",
    b"tRNS",
    b"gAMA",
    b"cHRM",
    b"sRGB",
    b"sBIT",
    b"bKGD",
}
_WHOLE = 1e9


def png(data: bytes) -> Iterator[Piece]:
    """Yield the texts of a PNG image that are not drawn.

    Parameters
    ----------
    data : bytes
        The image.

    Yields
    ------
    Piece
        By chunk; Exif data and chunks of unknown kinds as far as they can be read, and what follows the image.

    Raises
    ------
    UnscannableError
        If it is no PNG image.
    """
    if not data.startswith(_PNG):
        raise UnscannableError("is no PNG image")
    place = len(_PNG)
    while place + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        body, place = data[place + 8 : place + 8 + size], place + 12 + size
        if kind in _PNG_TEXTS:
            yield Piece(f"chunk {kind.decode()}", _png_text(kind, body))
        elif kind not in _PNG_DRAWN:
            yield from (Piece(f"chunk {kind.decode('latin-1')}", piece.text) for piece in strings(body))
        if kind == b"IEND":
            break
    yield from (Piece("behind the image", piece.text) for piece in strings(data[place:]))


def _png_text(kind: bytes, body: bytes) -> str:
    name, _, rest = body.partition(b"\0")
    if kind == b"tEXt":
        return f"{name.decode('latin-1')}: {rest.decode('latin-1')}"
    if kind == b"zTXt":
        return f"{name.decode('latin-1')}: {zlib.decompress(rest[1:]).decode('latin-1')}"
    packed, (language, translated, text) = rest[0], rest[2:].split(b"\0", 2)
    whole = zlib.decompress(text) if packed else text
    return f"{name.decode('latin-1')}: {translated.decode('utf-8')} {whole.decode('utf-8')} {language.decode('latin-1')}"


_RTF_PICTURE = re.compile(
    rb"(?:\\pngblip|\\jpegblip|\\emfblip|\\wmetafile\d*|\\dibitmap\d*)[^{}]*?\s([0-9a-fA-F\s]{64,})\}"
)
_RTF_WORD = re.compile(
    r"\\u(-?\d+) ?\??|\\'([0-9a-fA-F]{2})|\\(par|line|row|cell|tab|sect|page)\b ?|\\[a-zA-Z]+-?\d* ?|\\([{}\\])|\\[^a-zA-Z]|[{}\r\n]"
)
# Control words without a letter between them; tables repeat the same runs row by row.
_RTF_RUN = re.compile(r"((?:\\u-?\d+ ?\??|\\'[0-9a-fA-F]{2}|\\[a-zA-Z]+-?\d* ?|\\[^a-zA-Z]|[{}\r\n])+)")
_RTF_ENDS = {"cell": "\t", "tab": "\t"}


def rtf(data: bytes) -> Iterator[Piece]:
    r"""Yield the texts of an RTF file: printed, in its properties, behind its pictures.

    Parameters
    ----------
    data : bytes
        ASCII, or the code page 1252.

    Yields
    ------
    Piece
        The pictures, then the whole text.

    Raises
    ------
    UnscannableError
        If it is no RTF file.
    """
    if not data.startswith(b"{\\rtf"):
        raise UnscannableError("is no RTF file")
    told = _RTF_PICTURE.split(data)
    for found in told[1::2]:
        content = bytes.fromhex(found.translate(None, b" \t\r\n\f\v").decode("ascii"))
        reader = png if content.startswith(_PNG) else strings
        yield from (piece._replace(place=f"picture, {piece.place}") for piece in reader(content))
    if b"\\object" in data:
        yield Piece("object", "", "embedded object")
    text = b"".join(told[0::2]).decode("cp1252", "replace")
    parts = _RTF_RUN.split(text)
    runs = {run: _RTF_WORD.sub(_rtf_letter, run) for run in set(parts[1::2])}
    parts[1::2] = [runs[run] for run in parts[1::2]]
    whole = "".join(parts)
    yield Piece("", whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _rtf_letter(found: re.Match[str]) -> str:
    number, byte, end, escaped = found.groups()
    if number is not None:
        return chr(int(number) % 0x10000)
    if byte is not None:
        return bytes.fromhex(byte).decode("cp1252", "replace")
    return _RTF_ENDS.get(end, "\n") if end else (escaped or "")


_PDF_STREAM = re.compile(rb"stream\r?\n")
_PDF_NUMBER = re.compile(rb"(\d+) 0 obj\s*(<<.*)", re.S)
_PDF_OBJECT = re.compile(rb"(\d+) 0 obj\b(.*?)(?:endobj|stream\r?\n)", re.S)
_PDF_CONTENTS = re.compile(rb"/Contents(?: |\[)((?:\d+ 0 R ?)+)")
_PDF_FONT = re.compile(rb"/(\w+) (\d+) 0 R")
# Strings may hold brackets in pairs, as deep as texts in code happen to.
_PDF_TEXT = rb"\((?:[^()\\]|\\.)*\)"
for _ in range(6):
    _PDF_TEXT = rb"\((?:[^()\\]|\\.|" + _PDF_TEXT + rb")*\)"
_PDF_PART = re.compile(_PDF_TEXT + rb"|<[0-9A-Fa-f\s]*>", re.S)
_PDF_SHOWN = re.compile(
    rb"/(\w+) [\d.]+ Tf"
    rb"|\[((?:[^\]\\(]|" + _PDF_TEXT + rb")*)\]\s*TJ"
    rb"|(" + _PDF_TEXT + rb"|<[0-9A-Fa-f]*>)\s*(?:Tj|'|\")"
    rb"|(-?[\d.]+)\s+(cm|Tm)\b",
    re.S,
)
_PDF_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.S)
# An escape that Python does not read as PDF does.
_PDF_ODD = re.compile(rb"\\(?![0-7]{3}|[nrtbf()\\])|\\\\[()]")
_PDF_LETTERS = {
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"b": b"\b",
    b"f": b"\f",
    b"\n": b"",
    b"\r": b"",
    b"\r\n": b"",
}
_PDF_PAIR = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>")
_PDF_DRAWN = (b"/FontFile", b"/Subtype/Image", b"/CIDFontType0C", b"/Length1")
_PDF_HIDDEN = (b"/EmbeddedFile", b"/JavaScript", b"/RichMedia", b"/Launch")


Pages: TypeAlias = Callable[
    [Mapping[int, bytes], Mapping[int, Mapping[bytes, int]], Mapping[int, Mapping[int, str]]],
    Iterator[tuple[int, str]],
]


def pdf(data: bytes, read: Pages | None = None) -> Iterator[Piece]:
    """Yield the texts of a PDF file: printed, properties, metadata, text alternatives, addresses, attachments.

    Parameters
    ----------
    data : bytes
        As the writer of this program makes it: objects one by one, text by two-byte codes with their letters in a table.
    read : callable, optional
        Contents, fonts and letters -> what each content shows; default piece by piece.

    Yields
    ------
    Piece
        Attachments and scripts, strings of the objects, metadata, then page by page.

    Raises
    ------
    UnscannableError
        If it is no PDF file, is encrypted, or holds its objects in a way that this reader does not know.
    """
    if not data.startswith(b"%PDF-") or b"/Encrypt" in data or b"/ObjStm" in data:
        raise UnscannableError("is no PDF file as this program writes it")
    objects = dict(_pdf_objects(data))
    heads = b"\n".join(objects.values())
    yield from (
        Piece("attachment", "", f"PDF part {name.decode()[1:]}") for name in _PDF_HIDDEN if name in heads
    )
    yield Piece("properties and text alternatives", "\n".join(_pdf_strings(heads)))
    streams = dict(_pdf_streams(data))
    contents = {}
    for number, (head, content) in streams.items():
        if b"/XML" in head:
            yield from (Piece("metadata", piece.text) for piece in markup(content))
        elif b"/EmbeddedFile" in head:
            yield from (Piece("attachment", piece.text) for piece in strings(content))
        elif b" Tf" in content:
            contents[number] = content
    owners = _pdf_owners(objects, contents)
    fonts = {n: _pdf_font_names(owner, objects) for n, owner in owners.items()}
    used = {font for names in fonts.values() for font in names.values()}
    letters = {font: _pdf_letters(font, objects, streams) for font in used}
    shown = (read or _pdf_pages)(contents, fonts, letters)
    pages = {owner: f"page {n}" for n, owner in enumerate(sorted(set(owners.values()) - set(contents)), 1)}
    yield from (Piece(pages.get(owners[number], "drawing"), text) for number, text in shown)


def _pdf_objects(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and body of the objects, without what follows the word stream."""
    for part in data.split(b"endobj"):
        head, mark, body = part.partition(b" 0 obj")
        number = head[head.rfind(b"\n") + 1 :]
        if number.isdigit() and b" 0 obj" not in body:
            yield int(number), _PDF_STREAM.split(body, maxsplit=1)[0] if b"stream" in body else body
        elif mark:
            yield from ((int(found), body) for found, body in _PDF_OBJECT.findall(part + b"endobj"))


def _pdf_pages(
    contents: Mapping[int, bytes],
    fonts: Mapping[int, Mapping[bytes, int]],
    letters: Mapping[int, Mapping[int, str]],
) -> Iterator[tuple[int, str]]:
    for number, content in contents.items():
        yield number, _pdf_page(content, {name: letters[font] for name, font in fonts[number].items()})


def _pdf_streams(data: bytes) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    end = 0
    while found := _PDF_STREAM.search(data, end):
        start = found.end()
        owner = _PDF_NUMBER.fullmatch(
            data, data.rfind(b"\n", 0, data.rfind(b" 0 obj", 0, start)) + 1, found.start()
        )
        end = data.find(b"endstream", start) + len(b"endstream")
        if owner is None or end < start:
            raise UnscannableError("holds a stream that is no object")
        head = owner[2]
        if any(name in head for name in _PDF_DRAWN):
            continue
        packed = b"/FlateDecode" in head
        content = data[start : end - len(b"endstream")]
        yield int(owner[1]), (head, _pdf_unpacked(data, start, content) if packed else content)


def _pdf_unpacked(data: bytes, start: int, content: bytes) -> bytes:
    """Unpack a stream; one that holds the word at which it seems to end is unpacked from all that follows."""
    opened = zlib.decompressobj()
    text = opened.decompress(content)
    return text if opened.eof else zlib.decompressobj().decompress(data[start:])


def _pdf_owners(objects: Mapping[int, bytes], contents: Iterable[int]) -> dict[int, int]:
    """Return number of a content stream -> number of its page, its own if it is that of a drawing."""
    searched = (
        (number, _PDF_CONTENTS.search(body)) for number, body in objects.items() if b"/Contents" in body
    )
    owners = {
        int(content): number
        for number, found in searched
        if found
        for content in found[1].split(b" 0 R")[:-1]
    }
    return {number: owners.get(number, number) for number in contents}


def _pdf_font_names(owner: int, objects: Mapping[int, bytes]) -> dict[bytes, int]:
    """Return the fonts of a page or drawing by the name that they have there."""
    found = re.search(rb"/Resources\s*(?:(\d+) 0 R|(<<.*))", objects[owner], re.S)
    if found is None:
        return {}
    body = objects[int(found[1])] if found[1] else found[2]
    listed = re.search(rb"/Font\s*<<([^>]*)>>", body)
    return {name: int(font) for name, font in _PDF_FONT.findall(listed[1])} if listed else {}


def _pdf_letters(
    font: int, objects: Mapping[int, bytes], streams: Mapping[int, tuple[bytes, bytes]]
) -> dict[int, str]:
    found = re.search(rb"/ToUnicode (\d+) 0 R", objects[font])
    table = streams[int(found[1])][1] if found else b""
    return {
        int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be", "replace")
        for code, text in _PDF_PAIR.findall(table)
    }


def _pdf_text(strings: bytes, letters: Mapping[int, str]) -> str:
    raw = b"".join(map(_pdf_bytes, _PDF_PART.findall(strings)))
    return raw.decode("utf-16-be", "replace").translate(letters)


def _pdf_page(content: bytes, fonts: Mapping[bytes, Mapping[int, str]]) -> str:
    return _pdf_lines(_pdf_shown(content, fonts))


def _pdf_shown(
    content: bytes, fonts: Mapping[bytes, Mapping[int, str]]
) -> Iterator[tuple[str, tuple[bytes, bytes]]]:
    """Yield each piece of text with its height."""
    letters: Mapping[int, str] = {}
    height: dict[bytes, bytes] = {}
    for name, parts, single, number, operator in _PDF_SHOWN.findall(content):
        if name:
            letters = fonts.get(name, {})
        elif operator:
            height[operator] = number
        else:
            yield _pdf_text(parts or single, letters), (height.get(b"cm", b""), height.get(b"Tm", b""))


def _pdf_lines(shown: Iterable[tuple[str, tuple[bytes, bytes]]]) -> str:
    """Return what a page shows: pieces at one height on one line, also a word that is broken at a hyphen."""
    last, lines = (b"", b""), [""]
    for text, place in shown:
        if place == last:
            lines[-1] += f"\t{text}"
        else:
            lines.append(lines[-1] + text if lines[-1].endswith("-") else text)
        last = place
    return "\n".join(lines)


def _pdf_bytes(text: bytes) -> bytes:
    if text.startswith(b"<"):
        digits = re.sub(rb"\s", b"", text[1:-1])
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
    body = text[1:-1]
    if b"\\" not in body:
        return body
    if _PDF_ODD.search(body):
        return _PDF_ESCAPE.sub(_pdf_escaped, body)
    return codecs.escape_decode(body.replace(b"\\(", b"\\050").replace(b"\\)", b"\\051"))[0]


def _pdf_escaped(found: re.Match[bytes]) -> bytes:
    what = found[1]
    return bytes([int(what, 8) & 0xFF]) if what[:1].isdigit() else _PDF_LETTERS.get(what, what)


def _pdf_strings(heads: bytes) -> Iterator[str]:
    for found in dict.fromkeys(_PDF_PART.findall(heads)):
        raw = _pdf_bytes(found)
        if raw.startswith(b"\xfe\xff"):
            yield raw[2:].decode("utf-16-be", "replace")
        elif found.startswith(b"("):
            yield raw.decode("utf-8", "replace")


def parquet(data: bytes) -> Iterator[Piece]:
    """Yield the texts of a Parquet file, and its whole numbers with ten or more digits.

    Parameters
    ----------
    data : bytes
        The file.

    Yields
    ------
    Piece
        Metadata, then column by column, each value once.

    Raises
    ------
    ValueError
        If it is no Parquet file.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    meta = table.schema.metadata or {}
    yield Piece(
        "metadata",
        "\n".join(
            [*table.column_names, *(f"{k.decode()}: {v.decode('utf-8', 'replace')}" for k, v in meta.items())]
        ),
    )
    for name in table.column_names:
        yield Piece(f"column {name}", "\n".join(_values(table.column(name).to_pandas())))


def xpt(data: bytes) -> Iterator[Piece]:
    """Yield the texts of a SAS transport file.

    Parameters
    ----------
    data : bytes
        The file, version 5 or 8.

    Yields
    ------
    Piece
        Names, labels and header records, then column by column, each value once.

    Raises
    ------
    UnscannableError
        If it is no transport file.
    """
    from interim.data.read.raw import ReadOptions, UnreadableError
    from interim.data.read.xport import read_xport

    try:
        table = read_xport(io.BytesIO(data), ReadOptions())
    except UnreadableError as error:
        raise UnscannableError(str(error)) from error
    yield from (Piece("header", piece.text) for piece in strings(data[:640]))
    yield Piece("labels", "\n".join([*map(str, table.frame.columns), *table.labels.values()]))
    for name in table.frame.columns:
        yield Piece(f"column {name}", "\n".join(_values(table.frame[name])))


def _values(column: Any) -> Iterator[str]:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        numbers = pd.to_numeric(column, errors="coerce").dropna()
        large = numbers[numbers.abs() >= _WHOLE]
        yield from (str(int(value)) for value in large.unique() if float(value).is_integer())
    elif column.dtype == object or pd.api.types.is_string_dtype(column):
        yield from (str(value) for value in column.dropna().unique())
