"""The printed page: paper and margins, the same in the PDF and in the Word file."""

from __future__ import annotations

from typing import Literal, TypeAlias

from interim.report.content import Orientation

Paper: TypeAlias = Literal["a4", "us-letter"]

PAPER_MM: dict[Paper, tuple[float, float]] = {"a4": (210.0, 297.0), "us-letter": (215.9, 279.4)}
MARGIN_MM, TOP_MM, BOTTOM_MM = 20.0, 24.0, 22.0


def page_mm(paper: Paper, orientation: Orientation) -> tuple[float, float]:
    """Return the size of a page.

    Parameters
    ----------
    paper : {"a4", "us-letter"}
        Paper.
    orientation : {"portrait", "landscape"}
        How it lies.

    Returns
    -------
    tuple of float
        Width and height in mm.

    Raises
    ------
    None

    Examples
    --------
    >>> page_mm("a4", "landscape")
    (297.0, 210.0)
    """
    short, long = PAPER_MM[paper]
    return (long, short) if orientation == "landscape" else (short, long)


def room_mm(paper: Paper, orientation: Orientation) -> tuple[float, float]:
    """Return the room between the margins of a page.

    Parameters
    ----------
    paper : {"a4", "us-letter"}
        Paper.
    orientation : {"portrait", "landscape"}
        How it lies.

    Returns
    -------
    tuple of float
        Width and height in mm.

    Raises
    ------
    None

    Examples
    --------
    >>> room_mm("a4", "portrait")
    (170.0, 251.0)
    """
    width, height = page_mm(paper, orientation)
    return width - 2 * MARGIN_MM, height - TOP_MM - BOTTOM_MM
