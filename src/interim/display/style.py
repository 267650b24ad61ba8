"""Style of all figures: sizes, colours that colour-blind readers can tell apart, settings that fix the bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

from interim.display.typeface import family
from interim.result import TOTAL
from interim.study import NK_ONLY, Study

MM = 1 / 25.4
PORTRAIT_MM = 170.0
LANDSCAPE_MM = 245.0

# Okabe and Ito (2008): told apart under the common forms of colour blindness.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6D00", "#5D3A9B")
TOTAL_COLOUR = "#222222"
GREY = "#6E6E6E"
LIGHT = "#D9D9D9"
_INK = 0.65
_GREY_SPREAD = 8
RESPONSE_COLOURS = {
    "CR": "#005AB5",
    "PR": "#009E73",
    "SD": "#E69F00",
    "NON-CR/NON-PD": "#B8860B",
    "PD": "#D55E00",
    "NE": "#6E6E6E",
    "MISSING": "#A0A0A0",
}

_SETTINGS: dict[Any, Any] = {
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.3,
    "svg.hashsalt": "interim",
    "svg.fonttype": "path",
    "figure.dpi": 100.0,
    "savefig.bbox": None,
    "axes.unicode_minus": True,
    "text.usetex": False,
    "path.simplify": False,
}


@contextmanager
def settings() -> Iterator[None]:
    """Apply the style for a while; the settings of the caller come back afterwards.

    Yields
    ------
    None

    Raises
    ------
    None
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        with mpl.rc_context(rc=_SETTINGS | {"font.family": family()}):
            yield


def cohort_colours(study: Study, groups: tuple[str, ...]) -> dict[str, str]:
    """Return a colour per column of the study, the same in every figure.

    Parameters
    ----------
    study : Study
        ``study.cohorts()``.
    groups : tuple of str
        Columns that are drawn.

    Returns
    -------
    dict of str to str
        Column code -> colour; NK only and unknown columns in grey, the total in black.

    Raises
    ------
    None
    """
    ladder = [code for code in study.cohorts() if code != NK_ONLY]
    colours = {code: PALETTE[place % len(PALETTE)] for place, code in enumerate(ladder)}
    return {group: TOTAL_COLOUR if group == TOTAL else colours.get(group, GREY) for group in groups}


def ink(colour: str) -> str:
    """Return a darker shade in which text of that colour can be read on white.

    Parameters
    ----------
    colour : str
        ``#RRGGBB``.

    Returns
    -------
    str
        ``#RRGGBB``; greys and black stay as they are.

    Raises
    ------
    None

    Examples
    --------
    >>> ink("#E69F00"), ink("#222222")
    ('#966700', '#222222')
    """
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    if max(parts) - min(parts) < _GREY_SPREAD:
        return colour
    return "#" + "".join(f"{round(part * _INK):02X}" for part in parts)
