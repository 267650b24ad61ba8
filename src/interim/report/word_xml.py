"""Pieces of WordprocessingML that the Word writer puts together: elements, text, fields, bookmarks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from docx.oxml import parse_xml
from docx.oxml.ns import nsmap

TWIPS_PER_MM = 1440 / 25.4
NAMESPACES = " ".join(f'xmlns:{prefix}="{nsmap[prefix]}"' for prefix in ("w", "r"))
_QUOTED = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def node(tag: str, *children: str, **attributes: object) -> str:
    """Return an element of the namespace ``w`` as text, which is many times faster than an element of a tree.

    Parameters
    ----------
    tag : str
        Local name.
    *children : str
        Content, in order: elements, or text that is escaped.
    **attributes : object
        Attributes; a name without prefix belongs to the namespace ``w``. None is left out.

    Returns
    -------
    str
        The element.

    Raises
    ------
    None

    Examples
    --------
    >>> node("jc", val="right")
    '<w:jc w:val="right"/>'
    """
    named = "".join(_attribute(name, value) for name, value in attributes.items() if value is not None)
    content = "".join(children)
    return f"<w:{tag}{named}>{content}</w:{tag}>" if content else f"<w:{tag}{named}/>"


@lru_cache(maxsize=4096, typed=True)
def _attribute(name: str, value: object) -> str:
    """Return an attribute as text: a document has few that differ."""
    return f' {name if ":" in name else f"w:{name}"}="{escape(str(value), _QUOTED)}"'


def element(text: str) -> Any:
    """Return an element as a part of a tree.

    Parameters
    ----------
    text : str
        What `node` returned.

    Returns
    -------
    lxml element
        The element.

    Raises
    ------
    None

    Examples
    --------
    >>> element(node("jc", val="right")).val
    <WD_PARAGRAPH_ALIGNMENT.RIGHT: 2>
    """
    end = re.search(r"[\s/>]", text)
    assert end is not None
    return parse_xml(f"{text[: end.start()]} {NAMESPACES}{text[end.start() :]}")


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


def text_run(text: str, *properties: str) -> str:
    """Return a run of text; line breaks become breaks.

    Parameters
    ----------
    text : str
        The text.
    *properties : str
        Character properties, in the order of the schema.

    Returns
    -------
    str
        ``w:r``.

    Raises
    ------
    None

    Examples
    --------
    >>> text_run("< 3")
    '<w:r><w:t xml:space="preserve">&lt; 3</w:t></w:r>'
    """
    look = f"<w:rPr>{''.join(properties)}</w:rPr>" if properties else ""
    lines = escape(text).replace("\n", '</w:t><w:br/><w:t xml:space="preserve">')
    return f'<w:r>{look}<w:t xml:space="preserve">{lines}</w:t></w:r>'


def paragraph(style: str, *content: str, properties: Iterable[str] = ()) -> str:
    """Return a paragraph.

    Parameters
    ----------
    style : str
        Id of its style.
    *content : str
        Runs, fields, bookmarks.
    properties : iterable of str
        Further properties, in the order of the schema.

    Returns
    -------
    str
        ``w:p``.

    Raises
    ------
    None
    """
    return f"<w:p>{_paragraph_properties(style, tuple(properties))}{''.join(content)}</w:p>"


@lru_cache(maxsize=4096)
def _paragraph_properties(style: str, properties: tuple[str, ...]) -> str:
    return node("pPr", node("pStyle", val=style), *properties)


def ending(paragraph: str, section: str) -> str:
    """Return a paragraph that ends a section.

    Parameters
    ----------
    paragraph : str
        ``w:p``, as `paragraph` gives it.
    section : str
        ``w:sectPr``.

    Returns
    -------
    str
        ``w:p``.

    Raises
    ------
    None

    Examples
    --------
    >>> ending(paragraph("Spacer"), node("sectPr"))
    '<w:p><w:pPr><w:pStyle w:val="Spacer"/><w:sectPr/></w:pPr></w:p>'
    """
    return paragraph.replace("</w:pPr>", f"{section}</w:pPr>", 1)


def field(instruction: str, *result: str, hidden: bool = False) -> list[str]:
    """Return the runs of a field.

    Parameters
    ----------
    instruction : str
        For example ``PAGE``.
    *result : str
        What is shown until the field is updated.
    hidden : bool
        True for a field that only marks a place; readers that ignore its switch then hide it too.

    Returns
    -------
    list of str
        Begin, instruction, result, end.

    Raises
    ------
    None
    """
    look = (node("rPr", node("vanish")),) if hidden else ()
    begin, separate, end = (
        node("r", *look, node("fldChar", fldCharType=kind)) for kind in ("begin", "separate", "end")
    )
    return [begin, instruction_run(instruction, *look), separate, *result, end]


def instruction_run(instruction: str, *properties: str) -> str:
    """Return the run that holds the instruction of a field.

    Parameters
    ----------
    instruction : str
        For example ``PAGE``.
    *properties : str
        Properties of the run.

    Returns
    -------
    str
        ``w:r``.

    Raises
    ------
    None
    """
    code = node("instrText", f" {escape(instruction)} ", **{"xml:space": "preserve"})
    return node("r", *properties, code)


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


def bookmarked(number: int, anchor: str, content: Iterable[str]) -> list[str]:
    """Return content inside a bookmark.

    Parameters
    ----------
    number : int
        Unique in the document.
    anchor : str
        Name of the place.
    content : iterable of str
        What is marked.

    Returns
    -------
    list of str
        Start, content, end.

    Raises
    ------
    None
    """
    start = node("bookmarkStart", id=number, name=bookmark_name(anchor))
    return [start, *content, node("bookmarkEnd", id=number)]
