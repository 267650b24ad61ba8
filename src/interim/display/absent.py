"""The figure that says why there is nothing to draw."""

from __future__ import annotations

from textwrap import fill

from matplotlib.figure import Figure as Sheet

from interim.display.figure import Figure, drawn
from interim.display.numbers import Numbers
from interim.display.style import GREY, PORTRAIT_MM

_SIZE = (PORTRAIT_MM, 24.0)
_LETTERS = 96


def not_drawn(numbers: Numbers, *, title: str, reason: str) -> Figure:
    """Return a figure that states in words why there is nothing to draw.

    Parameters
    ----------
    numbers : Numbers
        The Result whose numbers are absent.
    title : str
        Title of the figure.
    reason : str
        Why, in words; the reason of the absent rows.

    Returns
    -------
    Figure
        One sentence in a frame; its text alternative repeats it with the number of participants.

    Raises
    ------
    None
    """
    sentence = f"Nothing to draw: {_inside(reason)}."

    def paint(sheet: Sheet) -> None:
        sheet.text(0.5, 0.5, fill(sentence, _LETTERS), ha="center", va="center", color=GREY, fontsize=9)

    svg, png = drawn(paint, size_mm=_SIZE, study=numbers.study)
    result = numbers.result
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"No figure for {_inside(title)}, {_inside(result.population)}, {numbers.size(numbers.groups[-1]).text}. {sentence}",
        width_mm=_SIZE[0],
        keys=tuple(result.frame["result_id"]),
        footnotes=result.footnotes,
    )


def _inside(text: str) -> str:
    """Text as it stands within a sentence: a small first letter, abbreviations as they are."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
