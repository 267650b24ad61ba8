"""Figures in another language: the texts of a drawing are replaced when it is finished, before it becomes an image."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib.figure import Figure as Sheet
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, Formatter, FuncFormatter

from interim.display.language import Voice, voice
from interim.display.typeface import is_chinese, named
from interim.errors import ReportError

_FORMULA = re.compile(r"\$[^$]*\$")
_GLYPH = re.compile(r"Glyph (\d+) ")


class _Spoken(Formatter):
    """Labels of ticks, translated when they are asked for."""

    def __init__(self, inner: Formatter, speaker: Voice) -> None:
        self._inner, self._speaker = inner, speaker

    def __call__(self, x: float, pos: int | None = None) -> str:
        return said(str(self._inner(x, pos)), self._speaker)

    def set_locs(self, locs: Any) -> None:
        self._inner.set_locs(locs)


def translate_sheet(sheet: Sheet) -> None:
    """Replace every text of a drawing by its translation, if another language than English is spoken.

    Parameters
    ----------
    sheet : matplotlib.figure.Figure
        The finished drawing.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    speaker = voice()
    if speaker.translator is None:
        return
    for text in sheet.findobj(Text):
        text.set_text(said(text.get_text(), speaker))
    for axes in sheet.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), (FuncFormatter, FixedFormatter)):
                axis.set_major_formatter(_Spoken(axis.get_major_formatter(), speaker))


def said(text: str, speaker: Voice) -> str:
    """Return a text of a figure in the language of the speaker; its lines are broken anew where they were.

    Parameters
    ----------
    text : str
        English text, perhaps of several lines.
    speaker : Voice
        The language.

    Returns
    -------
    str
        The translation.

    Raises
    ------
    None
    """
    if any(map(is_chinese, text)) or _FORMULA.fullmatch(text):
        return text
    indent = text[: len(text) - len(text.lstrip(" "))]
    if indent:
        return indent + said(text[len(indent) :], speaker)
    lines = text.split("\n")
    if len(lines) > 1 and speaker.translator is not None and speaker.translator.text(text).state == "missing":
        whole = speaker.translator.text(" ".join(line.strip() for line in lines))
        if whole.state != "missing":
            return "\n".join(_broken(whole.text, max(map(len, lines))))
    return speaker.say(text)


def _broken(text: str, width: int) -> Iterator[str]:
    """Yield lines that are as wide as so many Latin letters; an ideograph counts as two."""
    line, room = "", float(width)
    for piece in re.findall(r"[\u2e80-\uffef][，。；：、）]*|[^\u2e80-\uffef\s]+|\s", text):
        size = sum(2 if is_chinese(letter) else 1 for letter in piece)
        if line.strip() and size > room:
            yield line.strip()
            line, room = "", float(width)
        line, room = line + piece, room - size
    if line.strip():
        yield line.strip()


@contextmanager
def every_letter() -> Iterator[None]:
    """Refuse a letter that no typeface has, instead of drawing a box.

    Yields
    ------
    None

    Raises
    ------
    ReportError
        Code point, character and id of the figure.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph")
        try:
            yield
        except UserWarning as warning:
            match = _GLYPH.match(str(warning))
            if match is None:
                raise
            place = voice().place or "a figure"
            raise ReportError(
                f"{place}: the shipped fonts lack {named(chr(int(match[1])))}; write it otherwise"
            ) from warning
