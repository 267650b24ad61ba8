"""The written parts of a document: headings, sentences, lists, tables and the study's own words, as ``package.toml`` states them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from interim.errors import ReportError
from interim.report.content import Cell, HeaderCell, ListBlock, Paragraph, Row, Span, Table
from interim.report.prose import Heading, read_prose
from interim.study import NK_ONLY

if TYPE_CHECKING:
    from interim.report.document import Loose
    from interim.report.package import Made

Part: TypeAlias = Mapping[str, Any]
WRITTEN = ("heading", "text", "icons", "say", "own", "bullets", "table", "make")
_LIMITED = ("OK", "FLAG")
_NO = ("no", "not set", "none")


def applies(part: Part, made: Made) -> bool:
    """Tell whether a part stands in the document of this study.

    Parameters
    ----------
    part : mapping
        Perhaps with conditions on a result: ``has`` (it is there), ``lacks`` (it is not), ``when`` (it is there and neither
        zero nor a no), ``unless`` (the reverse), ``hidden`` (this copy withholds it), ``printed`` (the reverse).
    made : Made
        What is at hand.

    Returns
    -------
    bool
        True without a condition.

    Raises
    ------
    None
    """
    return all(test(made, part[name]) for name, test in _CONDITIONS.items() if name in part)


def _has(made: Made, key: str) -> bool:
    try:
        return made.row(key)["status"] in _LIMITED
    except ReportError:
        return False


def _when(made: Made, key: str) -> bool:
    if not _has(made, key):
        return False
    row = made.row(key)
    return bool(row["value"] != 0 and row["text"] not in _NO)


def _hidden(made: Made, key: str) -> bool:
    """Tell whether the public copy withholds a result; no other copy withholds any."""
    return (
        made.public is not None and _has(made, key) and bool(made.public.mark([made.row(key)["result_id"]]))
    )


_CONDITIONS: Mapping[str, Callable[[Made, str], bool]] = {
    "has": _has,
    "lacks": lambda made, key: not _has(made, key),
    "when": _when,
    "unless": lambda made, key: not _when(made, key),
    "hidden": _hidden,
    "printed": lambda made, key: not _hidden(made, key),
}


def written(part: Part, made: Made) -> Iterable[Loose]:
    """Return what a written part says.

    Parameters
    ----------
    part : mapping
        One of the kinds `WRITTEN`.
    made : Made
        What is at hand.

    Returns
    -------
    iterable of Heading, Paragraph, ListBlock, Table or Figure
        In reading order.

    Raises
    ------
    ReportError
        If a reference does not resolve, a number is typed, or a text cannot be held by a document.
    """
    kind = next(kind for kind in WRITTEN if kind in part)
    makers: Mapping[str, Callable[[Part, Made], Iterable[Loose]]] = {
        "heading": lambda part, made: (Heading(part.get("level", 1), part["heading"]),),
        "text": _text,
        "say": lambda part, made: (made.say(part["say"], style=part.get("style", "normal")),),
        "icons": _icons,
        "own": lambda part, made: (_own(part, made),),
        "bullets": _bullets,
        "table": lambda part, made: (table(part["table"], made),),
        "make": _make,
    }
    return makers[kind](part, made)


def _text(part: Part, made: Made) -> Iterable[Loose]:
    blocks, wrong = read_prose(part["text"])
    if wrong:
        raise ReportError("\n".join(wrong))
    return blocks


def _icons(part: Part, made: Made) -> Iterable[Loose]:
    """Return a sentence and the icons that show it; nothing if the result has no counts, or counts nobody."""
    from interim.report.package import icon_words

    data = part["icons"]
    key = data["key"]
    if not _has(made, key) or made.row(key)["N"] == 0:
        return
    said = made.say(data["say"])
    alt = "".join(
        span.text for span in (*said.spans, Span(" "), *made.say(icon_words().replace("@key", key)).spans)
    )
    yield said
    yield made.icons(key, title=data["title"], alt=alt)


def _own(part: Part, made: Made) -> Paragraph:
    """Return the study's own words, or the place that they have to fill."""
    words = made.words.get(part["own"])
    style = part.get("style", "normal")
    return made.say(part["ask"], style="box") if words is None else made.say(words, style=style)


def _bullets(part: Part, made: Made) -> Iterable[Loose]:
    items = [item if isinstance(item, Mapping) else {"say": item} for item in part["bullets"]]
    found = [(made.say(item["say"]),) for item in items if applies(item, made)]
    return (ListBlock(False, 1, tuple(found)),) if found else ()


def _make(part: Part, made: Made) -> Iterable[Loose]:
    module, _, function = part["make"].partition(".")
    maker = getattr(import_module(f"interim.report.documents.{module}"), function)
    found: Iterable[Loose] = maker(made)
    return found


def table(data: Part, made: Made) -> Table:
    """Return a table whose cells are sentences.

    Parameters
    ----------
    data : mapping
        id, label, title, head (one text per column), widths, footnotes, and row: lists of sentences, or mappings with
        ``cells`` and perhaps ``when``, ``unless``, ``each = "dose"`` (``@code`` and ``@label`` stand for the dose), or
        ``section`` (a heading in the table). A cell may ask for the study's own words (``own``, ``ask``).
    made : Made
        What is at hand.

    Returns
    -------
    Table
        On an upright page, all columns on the left.

    Raises
    ------
    ReportError
        If a reference does not resolve or a number is typed.
    """
    rows = tuple(row for item in data["row"] for row in _rows(item, made))
    count = len(data["head"])
    side: Literal["left", "center", "right"] = "left"
    return Table(
        id=data["id"],
        label=data.get("label", ""),
        anchor=data["id"].lower().replace(" ", "-"),
        title=data["title"],
        population="",
        header=(tuple(map(HeaderCell, data["head"])),),
        rows=rows,
        align=(side,) * count,
        widths=tuple(map(float, data.get("widths", (1,) * count))),
        orientation=data.get("orientation", "portrait"),
        footnotes=tuple(data.get("footnotes", ())),
        labels=(),
    )


def _rows(item: Any, made: Made) -> Iterator[Row]:
    data = item if isinstance(item, Mapping) else {"cells": item}
    if not applies(data, made):
        return
    if "section" in data:
        yield Row("section", 0, (Cell(data["section"]),))
        return
    for code, label in _each(data, made):
        yield Row("data", 0, tuple(_cell(_filled(cell, code, label), made) for cell in data["cells"]))


def _each(data: Part, made: Made) -> Iterable[tuple[str, str]]:
    if "each" not in data:
        return (("", ""),)
    return ((code, label) for code, label in made.inputs.study.cohorts().items() if code != NK_ONLY)


def _filled(cell: Any, code: str, label: str) -> Any:
    return cell.replace("@code", code).replace("@label", label) if isinstance(cell, str) else cell


def _cell(cell: Any, made: Made) -> Cell:
    paragraph = made.say(cell) if isinstance(cell, str) else _own(cell, made)
    return cell_of(paragraph)


def cell_of(paragraph: Paragraph) -> Cell:
    """Return a paragraph as a cell of a table.

    Parameters
    ----------
    paragraph : Paragraph
        Text with references.

    Returns
    -------
    Cell
        The same text with the ids of its results, each once.

    Raises
    ------
    None
    """
    keys = dict.fromkeys(span.key for span in paragraph.spans if span.key)
    return Cell("".join(span.text for span in paragraph.spans), tuple(keys))
