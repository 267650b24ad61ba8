"""Pieces of WordprocessingML that the Word writer puts together: elements, text, fields, bookmarks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from docx.oxml.ns import nsmap, qn
from docx.oxml.parser import oxml_parser

TWIPS_PER_MM = 1440 / 25.4
_SPACE = {"w": nsmap["w"]}


def node(tag: str, *children: Any, **attributes: object) -> Any:
    """Return an element of the namespace ``w``.

    Parameters
    ----------
    tag : str
        Local name.
    *children : lxml elements
        Content, in order.
    **attributes : object
        Attributes of the namespace ``w``; None is left out.

    Returns
    -------
    lxml element
        The element.

    Raises
    ------
    None

    Examples
    --------
    >>> node("jc", val="right").val
    <WD_PARAGRAPH_ALIGNMENT.RIGHT: 2>
    """
    element = oxml_parser.makeelement(_clark(tag), nsmap=_SPACE)
    for name, value in attributes.items():
        if value is not None:
            element.set(_clark(name), str(value))
    element.extend(children)
    return element


@cache
def _clark(name: str) -> str:
    return str(qn(f"w:{name}"))


def twips(mm: float) -> int:
    """Return a length in twentieths of a point.

    Parameters
    ----------
    mm : float
        Length in mm.

    Returns
    -------
    int
        Rounded.

    Raises
    ------
    None

    Examples
    --------
    >>> twips(25.4)
    1440
    """
    return round(mm * TWIPS_PER_MM)


def text_run(text: str, *properties: Any) -> Any:
    """Return a run of text; line breaks become breaks.

    Parameters
    ----------
    text : str
        The text.
    *properties : lxml elements
        Character properties, in the order of the schema.

    Returns
    -------
    lxml element
        ``w:r``.

    Raises
    ------
    None
    """
    content: list[Any] = []
    for number, line in enumerate(text.split("\n")):
        if number:
            content.append(node("br"))
        part = node("t")
        part.text = line
        part.set(qn("xml:space"), "preserve")
        content.append(part)
    return node("r", *([node("rPr", *properties)] if properties else []), *content)


def paragraph(style: str, *content: Any, properties: Iterable[Any] = ()) -> Any:
    """Return a paragraph.

    Parameters
    ----------
    style : str
        Id of its style.
    *content : lxml elements
        Runs, fields, bookmarks.
    properties : iterable of lxml elements
        Further properties, in the order of the schema.

    Returns
    -------
    lxml element
        ``w:p``.

    Raises
    ------
    None
    """
    return node("p", node("pPr", node("pStyle", val=style), *properties), *content)


def field(instruction: str, *result: Any, hidden: bool = False) -> list[Any]:
    """Return the runs of a field.

    Parameters
    ----------
    instruction : str
        For example ``PAGE``.
    *result : lxml elements
        What is shown until the field is updated.
    hidden : bool
        True for a field that only marks a place; readers that ignore its switch then hide it too.

    Returns
    -------
    list of lxml elements
        Begin, instruction, result, end.

    Raises
    ------
    None
    """
    begin, separate, end = (
        node("r", node("fldChar", fldCharType=kind)) for kind in ("begin", "separate", "end")
    )
    runs = [begin, instruction_run(instruction), separate, end]
    if hidden:
        for run in runs:
            run.insert(0, node("rPr", node("vanish")))
    return [*runs[:3], *result, end]


def instruction_run(instruction: str) -> Any:
    """Return the run that holds the instruction of a field.

    Parameters
    ----------
    instruction : str
        For example ``PAGE``.

    Returns
    -------
    lxml element
        ``w:r``.

    Raises
    ------
    None
    """
    code = node("instrText")
    code.text = f" {instruction} "
    code.set(qn("xml:space"), "preserve")
    return node("r", code)


def bookmark_name(anchor: str) -> str:
    """Return the name of a place as Word permits it.

    Parameters
    ----------
    anchor : str
        For example ``t-14.2.2.1``.

    Returns
    -------
    str
        Letters, digits and underscores.

    Raises
    ------
    None

    Examples
    --------
    >>> bookmark_name("t-14.2.2.1")
    't_14_2_2_1'
    """
    return re.sub(r"\W", "_", anchor)


def bookmarked(number: int, anchor: str, content: Iterable[Any]) -> list[Any]:
    """Return content inside a bookmark.

    Parameters
    ----------
    number : int
        Unique in the document.
    anchor : str
        Name of the place.
    content : iterable of lxml elements
        What is marked.

    Returns
    -------
    list of lxml elements
        Start, content, end.

    Raises
    ------
    None
    """
    start = node("bookmarkStart", id=number, name=bookmark_name(anchor))
    return [start, *content, node("bookmarkEnd", id=number)]
