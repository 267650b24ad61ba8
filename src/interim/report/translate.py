"""Translates a document: a pure step from one content model to another; numbers and their result ids stay what they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from interim.display.catalogue import FIRST, MARK, masked, message_id
from interim.display.labels import sentence_case
from interim.display.language import GAP, SOURCE, Translator, translator
from interim.errors import ReportError
from interim.report.content import (
    WORDS,
    Block,
    Cell,
    Document,
    Figure,
    Front,
    HeaderCell,
    ListBlock,
    Paragraph,
    Section,
    Span,
    Table,
    Tlf,
)

if TYPE_CHECKING:
    from interim.adam.model import Adam
    from interim.data.model import Sdtm
    from interim.report.chapter import Inputs

REQUIRED_DOCUMENTS = ("00", "01", "02", "04", "11")
REQUIRED_TLFS = ("T 14.5.7", "T 14.5.8")
_SHOWN = 20
_QUOTED: dict[str, tuple[str, ...]] = {"ADAE": ("AETERM", "AEDECOD", "AEBODSYS")}
_QUOTED_SOURCES: dict[str, tuple[str, ...]] = {
    "CM": ("CMTRT", "CMDECOD", "CMINDC"),
    "PR": ("PRTRT", "PRDECOD", "PRINDC"),
    "MH": ("MHTERM", "MHDECOD"),
    "QUERY": ("QTEXT",),
}
_PIECE = re.compile(rf"(\*\*|\*|`|{MARK})")
_NUMBER = re.compile(f"({MARK})")
_AS_ENTERED = "Verbatim"
"""Head of a column whose cells are the words of the site: they are never translated."""
_SIGNS = {"strong": "**", "emphasis": "*", "code": "`"}
_STYLES = {sign: name for name, sign in _SIGNS.items()}
_C = TypeVar("_C", Cell, HeaderCell)
_T = TypeVar("_T", Table, Figure)


def _unheard(_: tuple[str, str]) -> None:
    """Note nothing."""


@dataclass(frozen=True)
class Missing:
    """A text without a translation.

    Attributes
    ----------
    kind : str
        title, population, header, stub, cell, footnote, label, alt, drawing, heading, text or front.
    place : str
        Id of the table or figure, else the section or the title page.
    message : str
        As the catalogue would name it.
    """

    kind: str
    place: str
    message: str


def translate(
    document: Document,
    language: str,
    translator: Translator | None,
    *,
    min_alt: int = 15,
    noted: Callable[[tuple[str, str]], object] = _unheard,
) -> tuple[Document, tuple[Missing, ...]]:
    """Return a document in another language, and the texts that have no translation.

    Parameters
    ----------
    document : Document
        In English.
    language : str
        The language.
    translator : Translator or None
        Its catalogue; None for English.
    min_alt : int
        ``alt.min_chars`` of the language: a shorter text alternative is listed as missing.
    noted : callable
        Receives kind and message of every text that is looked up, to tell how much of a report the catalogue covers.

    Returns
    -------
    document : Document
        The same blocks with the same numbers and result ids; a text without a translation stays, marked as English where a writer
        can show it.
    missing : tuple of Missing
        In reading order, each once for its place.

    Raises
    ------
    None
    """
    if translator is None or language == SOURCE:
        return document, ()
    pen = _Pen(translator, language, min_alt, noted)
    front = pen.front(document.front)
    blocks = tuple(map(pen.block, document.blocks))
    return replace(document, front=front, blocks=blocks), tuple(dict.fromkeys(pen.missing))


def translated(document: Document, inputs: Inputs, language: str) -> tuple[Document, tuple[Missing, ...]]:
    """Return a document of a study in another language, as `translate` does.

    Parameters
    ----------
    document : Document
        In English.
    inputs : Inputs
        Study and data: the folder of the study's own texts, the terms that are quoted, the shortest text alternative.
    language : str
        The language.

    Returns
    -------
    document : Document
        Translated.
    missing : tuple of Missing
        What has no translation.

    Raises
    ------
    ReportError
        If the language is unknown or the catalogue is wrong.
    """
    study = inputs.study
    found = translator(language, study.file.parent, quoted(inputs.adam, inputs.sdtm))
    least = {str(name): number for name, number in study.alt.min_chars.items()}
    return translate(document, language, found, min_alt=least.get(language, 1))


def refuse_missing(missing: Iterable[Missing], *, required: bool = False) -> None:
    """Refuse a document whose translation must be whole.

    Parameters
    ----------
    missing : iterable of Missing
        What has no translation.
    required : bool
        True for a document that exists in every language of the study.

    Returns
    -------
    None

    Raises
    ------
    ReportError
        If the document, or one of its tables, must be whole and is not; place and message of each text.
    """
    found = [one for one in missing if required or one.place in REQUIRED_TLFS]
    if found:
        raise ReportError("\n".join(shown_missing(found, "have no translation; add them to the catalogue")))


def shown_missing(
    missing: Sequence[Missing], fate: str = "have no translation and stay in English"
) -> list[str]:
    """Return the lines that name what has no translation.

    Parameters
    ----------
    missing : sequence of Missing
        What has no translation.
    fate : str
        What becomes of these texts.

    Returns
    -------
    list of str
        Their number, then place, kind and message of the first of them; no line if nothing is missing.

    Raises
    ------
    None
    """
    if not missing:
        return []
    lines = [f"{one.place}, {one.kind}: {one.message}" for one in missing[:_SHOWN]]
    more = [f"and {len(missing) - _SHOWN} more"] if len(missing) > _SHOWN else []
    return [f"{len(missing)} text(s) {fate}:", *lines, *more]


def quoted(adam: Adam, sdtm: Sdtm) -> frozenset[str]:
    """Return the texts of the data that are quoted as they were entered or coded, in any language.

    Parameters
    ----------
    adam : Adam
        Analysis datasets.
    sdtm : Sdtm
        Source data.

    Returns
    -------
    frozenset of str
        Verbatim terms, preferred terms and classes of adverse events, medications, procedures and medical history, the
        indications of the treatments, and the queries of the sites; as entered and as a sentence.

    Raises
    ------
    None
    """
    frames = [(adam.datasets.get(name), columns) for name, columns in _QUOTED.items()]
    frames += [(sdtm.domains.get(name), columns) for name, columns in _QUOTED_SOURCES.items()]
    texts: set[str] = set()
    for frame, columns in frames:
        if frame is not None:
            texts.update(*(frame[column].dropna().astype(str) for column in columns if column in frame))
    return frozenset(texts | set(map(sentence_case, texts)))


class _Pen:
    """Writes the blocks of one document in another language and notes what it cannot say."""

    def __init__(
        self,
        translator: Translator,
        language: str,
        min_alt: int,
        noted: Callable[[tuple[str, str]], object],
    ) -> None:
        self._noted = noted
        self.missing: list[Missing] = []
        self._translator = translator
        self._language = language
        self._min_alt = min_alt
        self._place = "title page"

    def _say(self, text: str, kind: str) -> str:
        return self._found(text, kind)[0]

    def _found(self, text: str, kind: str) -> tuple[str, str | None]:
        """Return a text, and its language if it is not that of the document."""
        if not any(map(str.isalpha, text)):
            return text, None
        self._noted((kind, message_id(text)))
        found = self._translator.text(text)
        if found.state == "missing":
            self._note(kind, message_id(text))
        return found.text, SOURCE if found.state in ("missing", "kept") else None

    def _note(self, kind: str, message: str) -> None:
        self.missing.append(Missing(kind, self._place, message))

    def front(self, front: Front) -> Front:
        return replace(
            front,
            title=self._say(front.title, "front"),
            subtitle=self._say(front.subtitle, "front"),
            language=self._language,
            labels=tuple(self._say(label, "label") for label in front.labels),
            details=tuple(
                (self._say(name, "front"), self._say(value, "front")) for name, value in front.details
            ),
        )

    def block(self, block: Block) -> Block:
        if isinstance(block, Section):
            self._place = f"section {block.number}"
            return replace(block, title=self._say(block.title, "heading"))
        if isinstance(block, Paragraph):
            return self._paragraph(block)
        if isinstance(block, ListBlock):
            return self._list(block)
        before, self._place = self._place, block.id
        made = self._table(block) if isinstance(block, Table) else self._figure(block)
        self._place = before
        return made

    def _list(self, block: ListBlock) -> ListBlock:
        items = tuple(
            tuple(self._list(part) if isinstance(part, ListBlock) else self._paragraph(part) for part in item)
            for item in block.items
        )
        return replace(block, items=items)

    def _paragraph(self, block: Paragraph) -> Paragraph:
        text, spans = _as_message(block.spans)
        if not any(map(str.isalpha, text)):
            return block
        self._noted(("text", message_id(text)))
        found = self._translator.sentence(text)
        if found is None:
            self._note("text", message_id(text))
            return replace(block, spans=tuple(replace(span, language=SOURCE) for span in block.spans))
        styled = any(span.strong or span.emphasis or span.code for span in block.spans)
        pieces = (_PIECE if styled else _NUMBER).split(found)
        return replace(block, spans=_without_gaps(_as_spans(pieces, [self._number(span) for span in spans])))

    def _number(self, span: Span) -> Span:
        if span.key is None:
            return span
        text, language = self._found(span.text, "text")
        return replace(span, text=text, language=language)

    def _table(self, table: Table) -> Table:
        header = tuple(tuple(self._cell(head, "header") for head in row) for row in table.header)
        entered = _columns_as_entered(table)
        rows = tuple(
            replace(
                row,
                cells=tuple(
                    _quoted_cell(cell)
                    if column in entered
                    else self._cell(cell, "cell" if column else "stub")
                    for column, cell in enumerate(row.cells)
                ),
            )
            for row in table.rows
        )
        return replace(self._shared(table), header=header, rows=rows)

    def _cell(self, cell: _C, kind: str) -> _C:
        if cell.language:
            return cell
        text, language = self._found(cell.text, kind)
        return replace(cell, text=text, language=language)

    def _figure(self, figure: Figure) -> Figure:
        alt = self._say(figure.alt, "alt")
        if len(alt) < self._min_alt:
            self._note("alt", f"shorter than {self._min_alt} characters: {alt}")
        for text in figure.untranslated:
            self._note("drawing", message_id(text))
        return replace(self._shared(figure), alt=alt)

    def _label(self, tlf: Tlf) -> str:
        letter, _, number = tlf.id.partition(" ")
        return f"{WORDS[self._language][letter]} {number}" if number else self._say(tlf.label, "label")

    def _shared(self, tlf: _T) -> _T:
        return replace(
            tlf,
            label=self._label(tlf),
            title=self._say(tlf.title, "title"),
            population=self._say(tlf.population, "population"),
            footnotes=tuple(self._say(text, "footnote") for text in tlf.footnotes),
            labels=tuple(self._say(text, "label") for text in tlf.labels),
        )


def _columns_as_entered(table: Table) -> frozenset[int]:
    """Return the columns that hold the words of the site, by the last row of the header."""
    heads = [head.text for head in (table.header[-1] if table.header else ()) for _ in range(head.span)]
    return frozenset(column for column, text in enumerate(heads) if text == _AS_ENTERED)


def _quoted_cell(cell: Cell) -> Cell:
    return (
        replace(cell, language=SOURCE) if any(map(str.isalpha, cell.text)) and cell.text.isascii() else cell
    )


def _as_message(spans: Iterable[Span]) -> tuple[str, list[Span]]:
    """Return running text as one masked message, and what its placeholders stand for."""
    text = ""
    numbers: list[Span] = []
    for span in spans:
        if span.key is not None:
            text += chr(FIRST + len(numbers))
            numbers.append(span)
            continue
        sign = "".join(mark for name, mark in _SIGNS.items() if getattr(span, name))
        bare, found = masked(span.text, len(numbers))
        text += f"{sign}{bare}{sign[::-1]}"
        numbers += [Span(number) for number in found]
    return text, numbers


def _without_gaps(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return the spans without the blanks that separate a Chinese word, in the place of a number, from Chinese text."""
    found: list[Span] = []
    for place, span in enumerate(spans):
        before = spans[place - 1].text[-1:] if place else ""
        after = spans[place + 1].text[:1] if place + 1 < len(spans) else ""
        joined = GAP.sub("", f"{before}{span.text}{after}")
        found.append(replace(span, text=joined[len(before) : len(joined) - len(after)]))
    return tuple(found)


def _switched(style: Span, name: str) -> Span:
    return Span(
        "",
        emphasis=style.emphasis != (name == "emphasis"),
        strong=style.strong != (name == "strong"),
        code=style.code != (name == "code"),
    )


def _as_spans(pieces: Iterable[str], numbers: list[Span]) -> tuple[Span, ...]:
    """Return the pieces of a translated message: text in its style, and numbers with their result ids."""
    spans: list[Span] = []
    style = Span("")
    for piece in pieces:
        name = _STYLES.get(piece)
        if name is not None:
            style = _switched(style, name)
            continue
        number = numbers[ord(piece) - FIRST] if _NUMBER.fullmatch(piece) else None
        if number is not None and number.key is not None:
            spans.append(number)
        elif piece:
            text = piece if number is None else number.text
            last = spans.pop() if spans and replace(spans[-1], text="") == style else style
            spans.append(replace(last, text=last.text + text))
    return tuple(spans)
