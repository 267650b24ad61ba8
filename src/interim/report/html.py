"""Writes a document as one HTML file that needs nothing else: no script, no request, no outside style."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from html import escape
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any

from interim.display.markup import figure_html, paragraph_html, table_html
from interim.display.typeface import CHINESE, SHARED_MARKS
from interim.report.columns import fit
from interim.report.content import Block, Document, Figure, ListBlock, Paragraph, Section, Table
from interim.report.fragments import Fragments
from interim.report.html_origins import Entries, first_entry, numbered, origins_html
from interim.report.page import room_mm
from interim.report.typefaces import chinese_in, is_chinese_document, small_font

_RANGE = ",".join(["U+2E80-FFFF", *(f"U+{ord(mark):X}" for mark in sorted(SHARED_MARKS))])
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"


def write_html(
    document: Document, path: Path, *, fragments: Fragments | None = None, told: str | None = None
) -> None:
    """Write a document as one HTML file.

    Parameters
    ----------
    document : Document
        The content.
    path : Path
        File to write.
    fragments : Fragments, optional
        Where texts of tables and figures are kept.
    told : str, optional
        What `interim.report.html_origins.origins_html` gives for the document, if it is at hand.

    Returns
    -------
    None

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    path.write_text(html_text(document, fragments=fragments, told=told), encoding="utf-8", newline="\n")


def html_text(document: Document, *, fragments: Fragments | None = None, told: str | None = None) -> str:
    """Return a document as HTML.

    Parameters
    ----------
    document : Document
        The content.
    fragments : Fragments, optional
        As in `write_html`.
    told : str, optional
        As in `write_html`.

    Returns
    -------
    str
        A whole page; equal documents give equal text.

    Raises
    ------
    None
    """
    front, words, entries = document.front, document.words, numbered(document.sources)
    marks = "".join(f'<p class="mark">{escape(label)}</p>' for label in front.labels)
    banner = f'<div class="banner">{marks}</div>' if marks else ""
    subtitle = f'<p class="subtitle">{escape(front.subtitle)}</p>' if front.subtitle else ""
    lines = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in front.lines()
    )
    facts = f'<dl class="facts">{lines}</dl>' if lines else ""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{escape(front.language)}">',
            '<head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(front.title)}</title>",
            f"<style>{_style(document)}</style></head>",
            f'<body><a class="skip" href="#content">{escape(words["skip"])}</a>',
            f'<header>{banner}<p class="study">{escape(front.study)}</p><h1>{escape(front.title)}</h1>{subtitle}{facts}</header>',
            f'<div class="columns"><nav aria-label="{escape(words["contents"])}">{_contents(document)}</nav>',
            '<main id="content" tabindex="-1">',
            *_blocks(document, entries, fragments or Fragments()),
            f"{origins_html(document, entries) if told is None else told}</main></div>",
            f"<footer><p>{escape(front.study)}</p><p>{escape(front.footer())}</p>{marks}</footer>",
            "</body></html>\n",
        ]
    )


def _style(document: Document) -> str:
    """Return the style sheet, with the running header and footer of printed pages."""
    front, words = document.front, document.words
    sheet = (
        resources.files("interim.report").joinpath("templates", "document.css").read_text(encoding="utf-8")
    )
    running = {
        "@top-left": _css(front.study),
        "@top-right": _css(" · ".join(front.labels)),
        "@bottom-left": _css(front.footer()),
        "@bottom-right": f"{_css(words['page'] + ' ')} counter(page) {_css(' ' + words['of'] + ' ')} counter(pages){_css(' ' + words['pages']) if words['pages'] else ''}",
    }
    boxes = "".join(f"{box}{{content:{content}}}" for box, content in running.items())
    return f"{sheet}@page{{{boxes}}}{_faces(document)}"


def _faces(document: Document) -> str:
    """Return the Chinese typeface with the letters of the page, first in a Chinese page and last in any other."""
    letters = chinese_in(document)
    if not letters:
        return ""
    faces = "".join(
        f'@font-face{{font-family:"{CHINESE}";font-weight:{number};unicode-range:{_RANGE};'
        f'src:url(data:font/woff;base64,{base64.b64encode(small_font(weight, letters, "woff")).decode()}) format("woff")}}'
        for weight, number in (("Regular", 400), ("Bold", 700))
    )
    order = f'"{CHINESE}",var(--sans)' if is_chinese_document(document) else f'var(--sans),"{CHINESE}"'
    return f'{faces}html{{font-family:{order}}}html :lang(en){{font-family:var(--sans)}}@page{{font-family:"{CHINESE}",Arial,sans-serif}}'


def _css(text: str) -> str:
    """Return a text as a CSS string that is safe inside a style element."""
    return '"' + "".join(c if c.isalnum() or c in " ·.,:-+/()" else f"\\{ord(c):x} " for c in text) + '"'


def _contents(document: Document) -> str:
    words = document.words
    parts = [f'<p class="heading">{escape(words["contents"])}</p>{_nested(document.sections)}']
    for name, tlfs in (("tables", document.tables), ("figures", document.figures)):
        if tlfs:
            entries = "".join(
                f'<li><a href="#{escape(tlf.anchor)}"><span class="number">{escape(tlf.label)}</span> {escape(tlf.title)}</a></li>'
                for tlf in tlfs
            )
            parts.append(f"<details><summary>{escape(words[name])}</summary><ul>{entries}</ul></details>")
    return "".join(parts)


def _nested(sections: Sequence[Section]) -> str:
    """Return the headings as nested lists; the first has the top level of its list."""
    if not sections:
        return ""
    top, starts, groups = sections[0].level, 0, []
    for section in sections:
        starts += section.level == top
        groups.append((starts, section))
    items = []
    for _, group in groupby(groups, key=lambda pair: pair[0]):
        head, *rest = (section for _, section in group)
        link = f'<a href="#{head.anchor}"><span class="number">{head.number}</span> {escape(head.title)}</a>'
        items.append(f"<li>{link}{_nested(rest)}</li>")
    return f"<ul>{''.join(items)}</ul>"


def _blocks(document: Document, entries: Entries, fragments: Fragments) -> Iterator[str]:
    """Yield the blocks; what a table or figure shows rests on itself, the language and the entries of its numbers."""
    for block, anchor, _ in document.places():
        own = entries.get(anchor, {})
        make = partial(_block, block, own, document.words)
        if isinstance(block, (Table, Figure)):
            first = next(iter(own.values()), 0)
            yield fragments.text(block, document.front.language, *own, make=make, first=first)
        else:
            yield make()


def _block(block: Block, entries: Mapping[str, int], words: Mapping[str, str]) -> str:
    """Return a block; the numbers in it lead to their entries."""
    if isinstance(block, Section):
        tag = f"h{block.level + 1}"
        return f'<{tag} id="{block.anchor}"><span class="number">{block.number}</span> {escape(block.title)}</{tag}>'
    if isinstance(block, Paragraph):
        spans = [_linked(span, (span.key,) if span.key else (), entries) for span in block.spans]
        return paragraph_html({"style": block.style, "spans": spans})
    if isinstance(block, ListBlock):
        tag = "ol" if block.ordered else "ul"
        start = f' start="{block.start}"' if block.ordered and block.start != 1 else ""
        items = "".join(
            f"<li>{''.join(_block(part, entries, words) for part in item)}</li>" for item in block.items
        )
        return f"<{tag}{start}>{items}</{tag}>"
    if isinstance(block, Figure):
        source = {"origins": (first_entry(block.anchor), words["origins"])} if entries else {}
        return figure_html(vars(block) | source)
    return table_html(_fitted(block, entries) | ({"past": words["past"]} if entries else {}))


def _linked(part: Any, keys: Sequence[str], entries: Mapping[str, int]) -> dict[str, Any]:
    """Return a cell or span with the place that its number leads to; without a number or an entry there is none."""
    stems = (key.rpartition("/")[0] for key in keys) if entries and part.text.strip() else ()
    found = next((entries[stem] for stem in stems if stem in entries), None)
    return {**vars(part), **({} if found is None else {"entry": f"n{found}"})}


def _fitted(table: Table, entries: Mapping[str, int]) -> dict[str, Any]:
    """Return a table with the widths and the letter size with which it fits the printed page."""
    fitted = fit(table, room_mm("a4", table.orientation)[0])
    rows = [
        vars(row) | {"cells": [_linked(cell, cell.keys, entries) for cell in row.cells]} for row in table.rows
    ]
    header = [[_linked(cell, cell.keys, entries) for cell in row] for row in table.header]
    setting = {"widths": fitted.widths, "size": fitted.size, "broken": fitted.broken}
    return vars(table) | {"header": header, "rows": rows} | setting
