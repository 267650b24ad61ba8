"""HTML of tables, figures and text from their content blocks: used by notebooks and by the HTML document alike."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

_WORDS = {"T": "Table", "F": "Figure", "L": "Listing"}


def table_html(block: Mapping[str, Any]) -> str:
    """Return a table as HTML: caption, scopes, footnotes, labels; no script and no style.

    Parameters
    ----------
    block : mapping
        Content block of kind ``table``. ``label`` (the printed name, for example ``Table 14.2.2.1``) and ``anchor`` (the
        id of the element) are optional and follow from ``id``; so are ``size`` (letter size on paper in points),
        ``broken`` (true if long words must be broken on paper), ``past`` (words of a link that leads past the cells) and,
        in a cell, ``entry`` (id of the place that its number leads to).

    Returns
    -------
    str
        One ``div`` that scrolls sideways on its own where the table is wider than the page.

    Raises
    ------
    KeyError
        If the block lacks a field.

    Examples
    --------
    >>> cell = {"text": "3/18", "keys": ["response/total/orr/-/rate"]}
    >>> row = {"kind": "data", "indent": 0, "cells": [{"text": "ORR", "keys": []}, cell]}
    >>> block = {"id": "T 14.2.2.1", "title": "Response", "population": "", "header": [[{"text": "Total", "span": 2}]],
    ...          "rows": [row], "align": ["left", "right"], "widths": [2, 1], "orientation": "portrait",
    ...          "footnotes": [], "labels": []}
    >>> '<th scope="row">ORR</th><td class="right" data-key="response/total/orr/-/rate"' in table_html(block)
    True
    """
    name = _anchor(block)
    total = sum(block["widths"])
    columns = "".join(f'<col style="width:{100 * width / total:.2f}%">' for width in block["widths"])
    head = "".join(f"<tr>{''.join(_header_cells(row, block['align']))}</tr>" for row in block["header"])
    body = "".join(_bodies(block["rows"], block["align"]))
    past = f'<a class="past" href="#{name}-end">{escape(block["past"])}</a>' if block.get("past") else ""
    end = f'<span id="{name}-end"></span>' if past else ""
    return (
        f'<div class="tlf {escape(block["orientation"])}" id="{name}">{past}'
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{name}-caption">'
        f'<table{_paper(block)}><caption id="{name}-caption">{_caption(block)}</caption><colgroup>{columns}</colgroup>'
        f"<thead>{head}</thead>{body}</table></div>{end}{_below(block)}</div>"
    )


def _paper(block: Mapping[str, Any]) -> str:
    """Return the attributes that make a table fit the printed page."""
    style = f' style="--size:{block["size"]:g}pt"' if "size" in block else ""
    return (' class="broken"' if block.get("broken") else "") + style


def figure_html(block: Mapping[str, Any]) -> str:
    """Return a figure as HTML: the vector image inside the page, with its text alternative.

    Parameters
    ----------
    block : mapping
        Content block of kind ``figure``; ``label`` and ``anchor`` as in `table_html`; ``origins``, an id and the words of a
        link to it, is optional. An empty label is none: the title stands alone.

    Returns
    -------
    str
        One ``figure`` element.

    Raises
    ------
    KeyError
        If the block lacks a field.
    """
    name = _anchor(block)
    data = base64.b64encode(block["svg"].encode()).decode()
    return (
        f'<figure class="tlf {escape(block["orientation"])}" id="{name}">'
        f'<figcaption id="{name}-caption">{_caption(block)}</figcaption>'
        f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(block["alt"])}" style="width:{block["width_mm"]:.1f}mm"'
        f"{_keys(block['keys'], title=False)}>{_below(block)}</figure>"
    )


def paragraph_html(block: Mapping[str, Any]) -> str:
    """Return running text as HTML.

    Parameters
    ----------
    block : mapping
        Content block of kind ``paragraph``, with or without ``heading``; its spans may also have ``strong``, ``code`` and ``entry`` (as in `table_html`).

    Returns
    -------
    str
        One ``p`` element, after the heading if it has one; its class is the style of the paragraph.

    Raises
    ------
    KeyError
        If the block lacks a field.

    Examples
    --------
    >>> paragraph_html({"style": "normal", "spans": [{"text": "3 < 4", "key": None, "emphasis": True}]})
    '<p><em>3 &lt; 4</em></p>'
    """
    style = "" if block["style"] == "normal" else f' class="{escape(block["style"])}"'
    above = f"<h4>{escape(block['heading'])}</h4>" if block.get("heading") else ""
    return f"{above}<p{style}>{''.join(map(_span, block['spans']))}</p>"


def _span(span: Mapping[str, Any]) -> str:
    text = _text(span["text"])
    for name, tag in (("code", "code"), ("strong", "strong"), ("emphasis", "em")):
        if span.get(name):
            text = f"<{tag}>{text}</{tag}>"
    attributes = _named(span, [span["key"]] if span["key"] else []) + _lang(span)
    return f"<span{attributes}>{_link(span, text)}</span>" if attributes else text


def _anchor(block: Mapping[str, Any]) -> str:
    return escape(block.get("anchor") or block["id"].replace(" ", "-").lower())


def _caption(block: Mapping[str, Any]) -> str:
    letter, _, number = block["id"].partition(" ")
    label = block.get("label")
    if label is None:
        label = f"{_WORDS.get(letter, letter)} {number}"
    named = f'<span class="label">{escape(label)}</span> ' if label else ""
    population = (
        f' <span class="population">{escape(block["population"])}</span>' if block["population"] else ""
    )
    return f'{named}<span class="title">{escape(block["title"])}</span>{population}'


def _below(block: Mapping[str, Any]) -> str:
    notes = "".join(f"<p>{escape(text)}</p>" for text in block["footnotes"])
    labels = "".join(f'<p class="mark">{escape(text)}</p>' for text in block["labels"])
    place, words = block.get("origins", ("", ""))
    origins = f'<p class="origin"><a href="#{escape(place)}">{escape(words)}</a></p>' if place else ""
    return (f'<div class="notes">{notes}</div>' if notes else "") + labels + origins


def _text(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _keys(keys: Sequence[str], *, title: bool = True) -> str:
    """Return the attributes that lead from a printed number to its results."""
    if not keys:
        return ""
    joined = escape(" ".join(keys))
    return f' data-key="{joined}"' + (f' title="{joined}"' if title else "")


def _named(part: Mapping[str, Any], keys: Sequence[str]) -> str:
    """Return the attributes of a cell or span; one that leads to its entry need not show its ids on pointing."""
    return _keys(keys, title=not part.get("entry"))


def _link(part: Mapping[str, Any], text: str) -> str:
    """Return the text of a cell or span as a link to its entry, if it has one."""
    return f'<a class="n" href="#{part["entry"]}">{text}</a>' if part.get("entry") else text


def _header_cells(row: Sequence[Mapping[str, Any]], align: Sequence[str]) -> Iterator[str]:
    """Yield the cells of a header row; a blank one is no header cell."""
    column = 0
    for cell in row:
        span = f' colspan="{cell["span"]}"' if cell["span"] > 1 else ""
        side = "center" if cell["span"] > 1 else align[column]
        style = "" if side == "left" else f' class="{side}"'
        column += cell["span"]
        if cell["text"].strip():
            scope = "colgroup" if cell["span"] > 1 else "col"
            yield f'<th scope="{scope}"{span}{style}{_named(cell, cell.get("keys", ()))}{_lang(cell)}>{_link(cell, _text(cell["text"]))}</th>'
        else:
            yield f"<td{span}></td>"


def _bodies(rows: Sequence[Mapping[str, Any]], align: Sequence[str]) -> Iterator[str]:
    """Yield one body per section, so that the section's heading has a group of rows as its scope."""
    starts = 0
    numbered = []
    for row in rows:
        starts += row["kind"] == "section"
        numbered.append((starts, row))
    for _, group in groupby(numbered, key=lambda pair: pair[0]):
        yield f"<tbody>{''.join(_row(row, align) for _, row in group)}</tbody>"


def _row(row: Mapping[str, Any], align: Sequence[str]) -> str:
    stub, *cells = row["cells"]
    classes = ([f"i{row['indent']}"] if row["indent"] else []) + ([] if align[0] == "left" else [align[0]])
    style = f' class="{" ".join(classes)}"' if classes else ""
    if row["kind"] == "section":
        return f'<tr class="section"><th scope="rowgroup" colspan="{len(align)}"{style}{_lang(stub)}>{_text(stub["text"])}</th></tr>'
    tag, scope = ("th", ' scope="row"') if stub["text"].strip() else ("td", "")
    first = f"<{tag}{scope}{style}{_named(stub, stub['keys'])}{_lang(stub)}>{_link(stub, _text(stub['text']))}</{tag}>"
    return f"<tr>{first}{''.join(map(_cell, cells, align[1:]))}</tr>"


def _cell(cell: Mapping[str, Any], side: str) -> str:
    style = "" if side == "left" else f' class="{side}"'
    return f"<td{style}{_named(cell, cell['keys'])}{_lang(cell)}>{_link(cell, _text(cell['text']))}</td>"


def _lang(part: Mapping[str, Any]) -> str:
    """Return the attribute that names the language of a part that is not in that of the page."""
    return f' lang="{escape(part["language"])}"' if part.get("language") else ""
