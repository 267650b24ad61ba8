"""Reads the Markdown of notebooks: headings, paragraphs, lists, emphasis; anything else is a problem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from interim.report.blocks import bad_characters
from interim.report.content import ListBlock, Paragraph, Span

MAX_LEVEL = 4


@dataclass(frozen=True)
class Heading:
    """A heading before it is numbered."""

    level: int
    title: str


class _UnknownError(Exception):
    """Markdown that a document cannot hold."""


def read_prose(source: str) -> tuple[list[Heading | Paragraph | ListBlock], list[str]]:
    r"""Return the content of a Markdown cell, and everything in it that a document cannot hold.

    Parameters
    ----------
    source : str
        Markdown text.

    Returns
    -------
    blocks : list of Heading, Paragraph or ListBlock
        In reading order.
    problems : list of str
        One line each, with the line number within the cell.

    Raises
    ------
    None

    Examples
    --------
    >>> blocks, problems = read_prose("# Response\n\nBy *RECIST*.")
    >>> blocks[0], [span.text for span in blocks[1].spans], problems
    (Heading(level=1, title='Response'), ['By ', 'RECIST', '.'], [])
    """
    blocks: list[Heading | Paragraph | ListBlock] = []
    problems: list[str] = []
    # Tables and deletions are known in order to be refused: unknown, their marks would be printed as text.
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for node in SyntaxTreeNode(reader.parse(source)).children:
        line = node.map[0] + 1 if node.map else 1
        try:
            blocks.append(_heading(node) if node.type == "heading" else _block(node))
        except _UnknownError as error:
            problems.append(f"line {line}: {error}")
    return blocks, problems


def _heading(node: SyntaxTreeNode) -> Heading:
    spans = _spans(node.children[0])
    if len(spans) != 1 or spans[0] != Span(spans[0].text):
        raise _UnknownError("a heading holds plain text only, and some of it")
    level = int(node.tag[1:])
    if level > MAX_LEVEL:
        raise _UnknownError(f"heading of level {level}; the deepest is {MAX_LEVEL}")
    return Heading(level, spans[0].text)


def _block(node: SyntaxTreeNode) -> Paragraph | ListBlock:
    if node.type == "paragraph":
        return Paragraph(_spans(node.children[0]))
    if node.type in ("bullet_list", "ordered_list"):
        ordered = node.type == "ordered_list"
        if not all(item.children for item in node.children):
            raise _UnknownError("a list item is empty")
        items = tuple(tuple(_block(child) for child in item.children) for item in node.children)
        return ListBlock(ordered, int(node.attrs.get("start", 1)) if ordered else 1, items)
    raise _UnknownError(
        f"{node.type.replace('_', ' ')} is not possible; use headings, paragraphs, lists and emphasis"
    )


def _spans(inline: SyntaxTreeNode) -> tuple[Span, ...]:
    spans: list[Span] = []
    for span in (found for child in inline.children for found in _inline(child, Span(""))):
        if spans and spans[-1] == Span(spans[-1].text, span.emphasis, span.strong, span.code):
            spans[-1] = Span(spans[-1].text + span.text, span.emphasis, span.strong, span.code)
        else:
            spans.append(span)
    bad = bad_characters("".join(span.text for span in spans))
    if bad:
        raise _UnknownError(f"control or unprintable character {', '.join(bad)}")
    return tuple(spans)


def _inline(node: SyntaxTreeNode, style: Span) -> Iterator[Span]:
    if node.type in ("em", "strong"):
        inner = Span("", style.emphasis or node.type == "em", style.strong or node.type == "strong")
        for child in node.children:
            yield from _inline(child, inner)
    elif node.type == "text":
        if node.content:
            yield Span(node.content, style.emphasis, style.strong)
    elif node.type == "softbreak":
        yield Span(" ", style.emphasis, style.strong)
    elif node.type == "code_inline":
        yield Span(node.content, style.emphasis, style.strong, code=True)
    else:
        raise _UnknownError(
            f"{node.type.replace('_', ' ')} is not possible in text; use emphasis, strong and code"
        )
