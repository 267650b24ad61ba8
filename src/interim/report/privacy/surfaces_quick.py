"""The texts of a file without their places, read in bulk: what `surfaces` yields piece by piece stands here too, line by line."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from html import unescape
from pathlib import PurePosixPath
from typing import Any

from interim.report.blocks import MIME, opened
from interim.report.privacy import surfaces
from interim.report.privacy.surfaces import Piece, pieces, read_with
from interim.report.privacy.surfaces_new import KNOWN_OBJECTS, Fresh

_TAGS = re.compile(r"(<[^>]*>)")
_RUNS = re.compile(r"((?:<[^>]*>)+)")
_DRAWN = re.compile(
    r"(?:^|\s)(?:d|style|class|points|transform|viewBox|xmlns[:\w]*|w:rsid\w*|w:val|w:w|x|y|width|height)=$"
)
_OPENED = ("iVBORw0KGgo", "<svg", "<?xml")


def quick(name: str, data: bytes, fresh: Fresh | None = None) -> Iterator[Piece]:
    """Yield the texts of a file without their places.

    Parameters
    ----------
    name : str
        Its name; the ending tells the format.
    data : bytes
        Its content.
    fresh : Fresh, optional
        Which pieces of the file are known and left out; default none.

    Yields
    ------
    Piece
        Every identifier that stands in a line of ``pieces`` stands in a line of these; a part that can hide rows is one here
        if it is one there.

    Raises
    ------
    UnscannableError
        If the format is unknown or the content is not of it.
    """
    ending = PurePosixPath(name).suffix.lower()
    reader = _READERS.get(ending)
    if ending in _CUT:
        yield from read_with(lambda content: _CUT[ending](content, fresh or Fresh()), name, data)
    else:
        yield from pieces(name, data) if reader is None else read_with(reader, name, data)


def _rows(data: bytes) -> Iterator[Piece]:
    """Yield JSON with each row of a dataset on a line of its own; no pattern goes from one row to the next."""
    yield from (Piece("", piece.text.replace("],[", "]\n,[")) for piece in surfaces.plain(data))


def _markup(data: bytes, fresh: Fresh) -> Iterator[Piece]:
    new = fresh.markup(data)
    return _marked(new.decode("utf-8"), None if new is data else fresh)


def _marked(text: str, fresh: Fresh | None = None) -> Iterator[Piece]:
    """Yield printed text, attributes and comments; equal tags are looked at once."""
    if "data:" in text:
        around = surfaces._DATA_URI.split(text)
        for kind, coded, content in zip(around[1::4], around[2::4], around[3::4], strict=True):
            yield from surfaces._embedded(kind, content, bool(coded), quick)
        text = "".join(around[0::4])
    if "<!--" in text:
        yield Piece("", unescape("\n".join(surfaces._COMMENT.findall(text))))
        active = [found[1].lower() for found in surfaces._ACTIVE.finditer(text)]
        text = surfaces._COMMENT.sub("", text)
    else:
        active = []
    body, tags = _apart(text)
    joined = "".join(tags)
    odd = any(map(_odd, tags))
    told = dict.fromkeys(value for part in (tags if odd else [joined]) for value in _attributes(part))
    if "<" in body or odd or joined.count("<") > len(tags):
        if fresh is not None:
            fresh.unsure = True
        told.update(dict.fromkeys(surfaces._ATTRIBUTE.findall(text)))
        active += [found[1].lower() for found in surfaces._ACTIVE.finditer(text)]
    whole = "\n".join([body, *told])
    yield Piece("", unescape(whole) if "&" in whole else whole)
    heads = {tag[:10] for tag in tags}
    active += [found[1].lower() for head in heads if (found := surfaces._ACTIVE.match(head))]
    yield from (Piece("", "", f"element {name}") for name in sorted(set(active)))


def _apart(text: str) -> tuple[str, set[str]]:
    """Return the printed text and each tag once; Word files repeat long runs of tags."""
    word = "<w:" in text
    parts = (_RUNS if word else _TAGS).split(text)
    runs = set(parts[1::2])
    tags = set(_TAGS.findall("".join(runs))) if word else runs
    ends = {tag: _end(tag) for tag in tags if tag.startswith(("</", "<br", "<w:"))}
    if word:
        ends = {run: "".join(ends.get(tag, "") for tag in _TAGS.findall(run)) for run in runs}
    parts[1::2] = [ends.get(run, "") for run in parts[1::2]]
    return "".join(parts), tags


def _end(tag: str) -> str:
    return "\n" if surfaces._END.fullmatch(tag) else "\t" if surfaces._CELL.fullmatch(tag) else ""


def _odd(tag: str) -> bool:
    """Tell whether an attribute holds the end of a tag or stands in single quotes."""
    return tag.count('"') % 2 == 1 or ("'" in tag and any("'" in part for part in tag.split('"')[::2]))


def _attributes(tags: str) -> Iterator[str]:
    """Yield the values of attributes that do not only say how something is drawn; each has its quotes within its tag."""
    split = tags.split('"')
    drawn = {before for before in set(split[0::2]) if _DRAWN.search(before)}
    for before, value in zip(split[0::2], split[1::2], strict=False):
        if value and before not in drawn:
            yield value


def _rtf(data: bytes, fresh: Fresh) -> Iterator[Piece]:
    from interim.report.privacy.surfaces_binary import rtf

    return rtf(fresh.rtf(data))


def _notebook(data: bytes) -> Iterator[Piece]:
    book = json.loads(data)
    texts: set[str] = set()
    rest: list[Any] = [book["metadata"]]
    for cell in book["cells"]:
        rest.append({name: part for name, part in cell.items() if name != "outputs"})
        for output in cell.get("outputs", ()):
            rest.append({name: part for name, part in output.items() if name != "data"})
            for kind, part in output.get("data", {}).items():
                if kind not in surfaces._SHOWN:
                    yield Piece("", "", f"output of kind {kind}")
                yield from _output(kind, part, rest)
    for value in rest:
        _strings(value, texts)
    opened = [text for text in texts if text.startswith(_OPENED)]
    yield Piece("", "\n".join(texts.difference(opened)))
    for text in opened:
        yield from _marked(text) if text.startswith("<") else surfaces._string("", text)


def _output(kind: str, part: object, rest: list[Any]) -> Iterator[Piece]:
    text = "".join(part) if isinstance(part, list) and all(isinstance(p, str) for p in part) else part
    if isinstance(text, str) and kind in ("text/html", "image/svg+xml"):
        yield from _marked(text)
    elif isinstance(text, str) and kind.startswith("image/"):
        yield from surfaces._embedded(kind, text.replace("\n", ""), True, quick)
    else:
        rest.append(opened(text) if kind == MIME else text)


def _strings(value: object, texts: set[str]) -> None:
    """Collect the texts of JSON values; a list of texts is one text."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, str):
            texts.add(one)
        elif isinstance(one, dict):
            texts.update(one)
            rest.extend(one.values())
        elif isinstance(one, list):
            if one and all(isinstance(part, str) for part in one):
                texts.add(one[0] if len(one) == 1 else "\n".join(part.rstrip("\n") for part in one))
            else:
                rest.extend(one)
        elif isinstance(one, (int, float)) and not isinstance(one, bool):
            texts.add(str(one))


def _parquet(data: bytes) -> Iterator[Piece]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from interim.report.privacy.surfaces_binary import _values

    table = pq.read_table(io.BytesIO(data))
    meta = table.schema.metadata or {}
    yield Piece(
        "",
        "\n".join(
            [*table.column_names, *(f"{k.decode()}: {v.decode('utf-8', 'replace')}" for k, v in meta.items())]
        ),
    )
    for column in table.columns:
        kind = column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            yield Piece("", "\n".join(pc.unique(column.drop_null()).to_pylist()))
        elif not pa.types.is_boolean(kind) and not pa.types.is_null(kind):
            yield Piece("", "\n".join(_values(column.to_pandas())))


def _pdf(data: bytes, fresh: Fresh) -> Iterator[Piece]:
    from interim.report.privacy.surfaces_binary import pdf
    from interim.report.privacy.surfaces_pages import pages

    for piece in pdf(fresh.pdf(data), partial(pages, fresh=fresh)):
        fresh.unsure |= KNOWN_OBJECTS in piece.text
        yield piece


def _archive(data: bytes, fresh: Fresh) -> Iterator[Piece]:
    return surfaces.archive(data, partial(quick, fresh=fresh))


_CUT: dict[str, Callable[[bytes, Fresh], Iterator[Piece]]] = {
    **dict.fromkeys((".html", ".htm", ".svg", ".xml", ".rels"), _markup),
    **dict.fromkeys((".docx", ".xlsx", ".pptx", ".zip"), _archive),
    ".pdf": _pdf,
    ".rtf": _rtf,
}
_READERS: dict[str, Callable[[bytes], Iterator[Piece]]] = {
    ".json": _rows,
    ".ipynb": _notebook,
    ".parquet": _parquet,
}
