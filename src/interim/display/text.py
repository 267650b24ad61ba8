"""Sentences: prose whose numbers are references to results, never typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from interim.display.labels import reason_text, settings, word
from interim.display.markup import paragraph_html
from interim.display.prose import without_allowed
from interim.display.rounding import count_text, decimal_text, percent_text, rate_text
from interim.display.table import BLOCK, FORMAT, written
from interim.errors import ReportError
from interim.result import ResultStore, slug
from interim.study import Study

Style = Literal["normal", "note", "box"]
_REFERENCE = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}")
_EMPHASIS = re.compile(r"\*([^*]+)\*")
_DIGIT = re.compile(r"\d")
_PARTS = 5
_AGREES = re.compile(r"([nN])\?([^|]+)\|([^|]+)")
_LIMITS = re.compile(r"(ci|range)([0-3]?)")
_ENDS = {"ci": ("lower", "upper"), "range": ("min", "max")}
_COUNTS = ("n", "N", "x/n", "x/n (%)", "n (%)")


@dataclass(frozen=True)
class Span:
    """A piece of text.

    Attributes
    ----------
    text : str
        As printed.
    key : str or None
        Result id if it is a number.
    emphasis : bool
        True if it stands in italics.
    """

    text: str
    key: str | None = None
    emphasis: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; frozen, shown by Jupyter, carried to the report as a content block.

    Attributes
    ----------
    spans : tuple of Span
        In reading order.
    style : {"normal", "note", "box"}
        How it is set.
    heading : str
        Stands above it, one level below the heading of its chapter; empty for none.
    """

    spans: tuple[Span, ...]
    style: Style = "normal"
    heading: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Result ids of the numbers, each once."""
        return tuple(dict.fromkeys(span.key for span in self.spans if span.key))

    def block(self) -> dict[str, Any]:
        """Return the content block that the report's writers read.

        Returns
        -------
        dict
            JSON values only.

        Raises
        ------
        None
        """
        spans = [{"text": s.text, "key": s.key, "emphasis": s.emphasis} for s in self.spans]
        named = {"heading": self.heading} if self.heading else {}
        return {"format": FORMAT, "kind": "paragraph", "style": self.style, "spans": spans, **named}

    def text(self) -> str:
        """Return the plain text.

        Returns
        -------
        str
            All spans joined.

        Raises
        ------
        None
        """
        return "".join(span.text for span in self.spans)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return the representations that a notebook stores."""
        block = self.block()
        return {"text/plain": self.text(), "text/html": paragraph_html(block), BLOCK: written(block)}


def sentence(template: str, store: ResultStore, study: Study, *, style: Style = "normal") -> Paragraph:
    """Return a paragraph made from a template and the results.

    Parameters
    ----------
    template : str
        Prose with references ``{analysis id/group/variable/level/stat|format}``; an empty part is written as nothing.
        ``*word*`` is emphasised. Formats: ``n``, ``N``, ``x/n``, ``x/n (%)``, ``n (%)``, ``%``; ``0`` to ``3`` (decimals of
        the value); ``%0`` to ``%3`` (a proportion as per cent); ``ci`` and ``ci0`` to ``ci3`` (both limits of the row's
        place, as per cent and as values); ``range0`` to ``range3`` (smallest and largest value of that place); ``large`` (a
        large number, as lay readers say it); ``text``; ``choice`` (the words of a parameter with given values); ``reason``.
        ``n?person|people`` and ``N?person|people`` are no number but the word that agrees with it.
    store : ResultStore
        Results by analysis id.
    study : Study
        Rounding, dose labels, level.
    style : {"normal", "note", "box"}
        How the paragraph is set.

    Returns
    -------
    Paragraph
        Each number with its result id; a result without a number is printed in words (not reached, ...).

    Raises
    ------
    ReportError
        If a reference does not resolve, a format is unknown or does not fit, a brace is loose, or a digit is typed outside
        a reference and is no declared pattern.
    """
    spans: list[Span] = []
    end = 0
    for match in _REFERENCE.finditer(template):
        spans += _literal(template[end : match.start()], study)
        spans += _referred(match[1].strip(), match[2], store, study)
        end = match.end()
    spans += _literal(template[end:], study)
    return Paragraph(tuple(spans), style)


def _literal(text: str, study: Study) -> list[Span]:
    if "{" in text or "}" in text:
        raise ReportError(f"a reference is {{key|format}}; found a loose brace in {text!r}")
    bare = without_allowed(text, study) if _DIGIT.search(text) else ""
    if _DIGIT.search(bare):
        raise ReportError(
            f"a number is typed in prose: {text.strip()!r} (digits left: {''.join(_DIGIT.findall(bare))}); "
            "write {key|format}, or declare the pattern with its reason in prose.toml"
        )
    spans: list[Span] = []
    end = 0
    for match in _EMPHASIS.finditer(text):
        spans += [Span(text[end : match.start()]), Span(match[1], emphasis=True)]
        end = match.end()
    return [span for span in (*spans, Span(text[end:])) if span.text]


def _referred(key: str, layout: str | None, store: ResultStore, study: Study) -> list[Span]:
    if not layout:
        raise ReportError(
            f"the reference {{{key}}} needs a format: {{{key}|format}}; formats: {', '.join(_FORMATS)}, ci"
        )
    agrees = _AGREES.fullmatch(layout)
    if agrees:
        return _literal(agrees[2 if str(row_of(key, store)[agrees[1]]) == "1" else 3], study)
    return (_limits if layout.startswith(tuple(_ENDS)) else _number)(key, layout, store, study)


def _number(key: str, layout: str, store: ResultStore, study: Study) -> list[Span]:
    row = row_of(key, store)
    show = _FORMATS.get(layout)
    if show is None:
        raise ReportError(
            f"{{{key}|{layout}}}: unknown format; formats: {', '.join(_FORMATS)}, ci, ci0 to ci3, range0 to range3"
        )
    result_id = str(row["result_id"])
    of_nobody = row["status"] == "NE" and layout in _COUNTS and _counted(row)
    if row["status"] not in ("OK", "FLAG") and layout != "reason" and not of_nobody:
        return [Span(word("status_prose", str(row["status"])), result_id)]
    try:
        return [Span(show(row, study), result_id)]
    except (TypeError, ValueError) as error:
        raise ReportError(f"{{{key}|{layout}}}: the row has no such number ({error})") from error


def _counted(row: Mapping[str, Any]) -> bool:
    """Tell whether a rate that cannot be estimated has its counts: nobody of nobody."""
    return str(row["n"]) == str(row["N"]) == "0"


def row_of(key: str, store: ResultStore) -> Mapping[str, Any]:
    """Return the row of a reference, or the one that says why the question has no answer.

    Parameters
    ----------
    key : str
        ``analysis/group/variable/level/stat``; an empty part is written as nothing.
    store : ResultStore
        Results by analysis id.

    Returns
    -------
    mapping
        The row, by column name.

    Raises
    ------
    ReportError
        If there is no such row.
    """
    parts = key.split("/")
    if len(parts) != _PARTS:
        raise ReportError(
            f"{{{key}}}: a key has {_PARTS} parts, analysis/group/variable/level/stat; found {len(parts)}"
        )
    full = "/".join(slug(part) or "-" for part in parts)
    try:
        return store.find(full)
    except KeyError as error:
        row = _unanswered(parts, store)
        if row is None:
            raise ReportError(f"{{{key}}}: {error.args[0]}") from error
        return row


def _unanswered(parts: Sequence[str], store: ResultStore) -> Mapping[str, Any] | None:
    """Return the row that says why a question, or a place of it, has no answer; None if it has one."""
    if parts[0] not in store:
        return None
    frame = store[parts[0]].frame
    place = "/".join(slug(part) or "-" for part in parts[:-1]) + "/"
    asked = frame[~frame["variable"].astype(str).str.startswith("population")]
    here = asked[asked["result_id"].str.startswith(place)]
    chosen = here if len(here) else asked
    if chosen.empty or not (chosen["status"] == "NA").all():
        return None
    return {str(name): value for name, value in chosen.iloc[0].items()}


def _limits(key: str, layout: str, store: ResultStore, study: Study) -> list[Span]:
    known = _LIMITS.fullmatch(layout)
    if known is None or layout == "range":
        raise ReportError(
            f"{{{key}|{layout}}}: unknown format; intervals are ci (per cent) and ci0 to ci3 (values), range0 to range3"
        )
    place = key.rpartition("/")[0]
    rows = [row_of(f"{place}/{stat}", store) for stat in _ENDS[known[1]]]
    show = _FORMATS[known[2] or "%1"]
    spans = [
        Span(
            show(row, study) if row["status"] in ("OK", "FLAG") else word("status_prose", str(row["status"])),
            str(row["result_id"]),
        )
        for row in rows
    ]
    counted = any(row["status"] in ("OK", "FLAG") for row in rows)
    alike = spans[0].text == spans[1].text and not counted  # one word says why neither limit exists
    return spans[:1] if alike else [spans[0], Span(" to "), spans[1]]


def _whole(value: Any) -> int:
    number = float(value)
    if number != int(number):
        raise ValueError(f"{value} is no whole number")
    return int(number)


def _decimals(
    digits: int, *, factor: float = 1.0, unit: str = ""
) -> Callable[[Mapping[str, Any], Study], str]:
    def show(row: Mapping[str, Any], study: Study) -> str:
        rounding = study.rounding
        value = float(row["value"]) * factor
        return (
            decimal_text(value, digits=digits, mode=rounding.mode, guard_digits=rounding.guard_digits) + unit
        )

    return show


def _large(row: Mapping[str, Any], study: Study) -> str:
    """Return a number with the word for its unit; the catalogue of a language may count in other units."""
    [(name, size)] = settings("large_number").items()
    return f"{float(row['value']) / float(size):g} {name}"


_FORMATS: dict[str, Callable[[Mapping[str, Any], Study], str]] = {
    "n": lambda row, study: f"{_whole(row['n'])}",
    "N": lambda row, study: f"{_whole(row['N'])}",
    "x/n": lambda row, study: f"{_whole(row['n'])}/{_whole(row['N'])}",
    "x/n (%)": lambda row, study: rate_text(_whole(row["n"]), _whole(row["N"]), mode=study.rounding.mode),
    "n (%)": lambda row, study: count_text(_whole(row["n"]), _whole(row["N"]), mode=study.rounding.mode),
    "%": lambda row, study: percent_text(_whole(row["n"]), _whole(row["N"]), mode=study.rounding.mode) + "%",
    **{f"{digits}": _decimals(digits) for digits in range(4)},
    **{f"%{digits}": _decimals(digits, factor=100.0, unit="%") for digits in range(4)},
    "text": lambda row, study: str(row["text"]) if row["text"] is not None else f"{_whole(row['value'])}",
    "large": _large,
    "choice": lambda row, study: word("choice", str(row["text"])),
    "reason": lambda row, study: reason_text(str(row["reason"])),
}
