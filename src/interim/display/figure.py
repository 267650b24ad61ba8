"""Figure: a drawn Result as vector and pixel image, with its text alternative and the ids of its results."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Sheet

from interim.display.markup import figure_html
from interim.display.spoken import every_letter, translate_sheet
from interim.display.style import MM, settings
from interim.display.table import BLOCK, FORMAT, written
from interim.errors import ReportError
from interim.study import Study

MIN_ALT = 40
_SHEET = b"""#set page(width: auto, height: auto, margin: 0pt, fill: white)
#image(bytes(sys.inputs.svg), format: "svg", width: float(sys.inputs.width) * 1mm)"""


@dataclass(frozen=True)
class Figure:
    """A drawn figure; frozen, shown by Jupyter, carried to the report as a content block.

    Attributes
    ----------
    title, population : str
        Printed above it.
    svg : str
        Vector image.
    png : bytes
        Pixel image.
    alt : str
        Text alternative: kind, axes, groups, numbers, main reading.
    width_mm : float
        Printed width.
    keys : tuple of str
        Result ids that are drawn.
    footnotes, labels : tuple of str
        Notes below it, labels such as SYNTHETIC.
    orientation : {"portrait", "landscape"}
        Of its page.
    id : str
        Registry id such as ``F 14.2.2.1``; empty until the report gives it.
    untranslated : tuple of str
        Texts within the drawing that have no translation into its language.

    Raises
    ------
    ReportError
        If the text alternative is too short or repeats the title, or no result id is given.
    """

    title: str
    population: str
    svg: str
    png: bytes
    alt: str
    width_mm: float
    keys: tuple[str, ...]
    footnotes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    orientation: Literal["portrait", "landscape"] = "portrait"
    id: str = ""
    untranslated: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the text alternative and the ids."""
        if len(self.alt) < MIN_ALT or self.alt.strip() == self.title.strip():
            raise ReportError(
                f"figure {self.title!r}: the text alternative must say more, found {self.alt!r}"
            )
        if not self.keys:
            raise ReportError(f"figure {self.title!r} shows no result")

    def with_id(
        self,
        id: str,
        *,
        title: str | None = None,
        population: str | None = None,
        footnotes: Sequence[str] = (),
        labels: Sequence[str] = (),
    ) -> Figure:
        """Return a copy with the id and texts of the registry.

        Parameters
        ----------
        id : str
            Registry id.
        title, population : str, optional
            Replace those of the question.
        footnotes, labels : sequence of str
            Follow those that the figure has.

        Returns
        -------
        Figure
            The completed copy.

        Raises
        ------
        None
        """
        return replace(
            self,
            id=id,
            title=self.title if title is None else title,
            population=self.population if population is None else population,
            footnotes=(*self.footnotes, *footnotes),
            labels=(*self.labels, *labels),
        )

    def with_missing(self, texts: tuple[str, ...]) -> Figure:
        """Return a copy that names the texts within it that have no translation.

        Parameters
        ----------
        texts : tuple of str
            The texts.

        Returns
        -------
        Figure
            The copy.

        Raises
        ------
        None
        """
        return replace(self, untranslated=texts)

    def block(self) -> dict[str, Any]:
        """Return the content block that the report's writers read.

        Returns
        -------
        dict
            JSON values only; the pixel image in base 64.

        Raises
        ------
        None
        """
        return {
            "format": FORMAT,
            "kind": "figure",
            "id": self.id,
            "title": self.title,
            "population": self.population,
            "svg": self.svg,
            "png": base64.b64encode(self.png).decode(),
            "alt": self.alt,
            "width_mm": self.width_mm,
            "keys": list(self.keys),
            "footnotes": list(self.footnotes),
            "labels": list(self.labels),
            "orientation": self.orientation,
            **({"untranslated": list(self.untranslated)} if self.untranslated else {}),
        }

    def text(self) -> str:
        """Return title, text alternative and notes as plain text.

        Returns
        -------
        str
            One line each.

        Raises
        ------
        None
        """
        head = " ".join(
            filter(None, [self.id, self.title, f"({self.population})" if self.population else ""])
        )
        return "\n".join([head, self.alt, *self.footnotes, *self.labels])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return the representations that a notebook stores."""
        block = self.block()
        return {"text/plain": self.text(), "text/html": figure_html(block), BLOCK: written(block)}


def drawn(
    paint: Callable[[Sheet], None], *, size_mm: tuple[float, float], study: Study, threads: bool = True
) -> tuple[str, bytes]:
    """Return a drawing as SVG and PNG; the same drawing gives the same bytes.

    Parameters
    ----------
    paint : callable
        Draws on an empty sheet.
    size_mm : tuple of float
        Width and height.
    study : Study
        ``figure.dpi``.
    threads : bool
        False if this process has to stay without threads, because it will be forked: the pixels are then drawn by matplotlib.

    Returns
    -------
    tuple of (str, bytes)
        SVG text and PNG bytes, both without date and creator.

    Raises
    ------
    ReportError
        If no typeface has a letter.
    """
    with settings(), every_letter():
        sheet = Sheet(figsize=(size_mm[0] * MM, size_mm[1] * MM))
        FigureCanvasAgg(sheet)
        paint(sheet)
        translate_sheet(sheet)
        vector = io.BytesIO()
        sheet.savefig(vector, format="svg", metadata={"Date": None, "Creator": None})
        svg = vector.getvalue().decode()
        if threads:
            return svg, pixels(svg, width_mm=size_mm[0], dpi=study.figure.dpi)
        image = io.BytesIO()
        sheet.savefig(image, format="png", dpi=study.figure.dpi, metadata={"Software": None})
    return svg, image.getvalue()


def pixels(svg: str, *, width_mm: float, dpi: int) -> bytes:
    """Return a vector image as pixels: what Word and RTF files show is the image of the other formats, not a second drawing.

    Parameters
    ----------
    svg : str
        The image, with its letters as outlines.
    width_mm : float
        Its width.
    dpi : int
        Pixels per inch.

    Returns
    -------
    bytes
        PNG on white ground; equal images give equal bytes.

    Raises
    ------
    RuntimeError
        If the text is no SVG image.
    """
    import typst

    return bytes(
        typst.compile(
            _SHEET,
            sys_inputs={"svg": svg, "width": f"{width_mm}"},
            format="png",
            ppi=float(dpi),
            ignore_system_fonts=True,
        )
    )


def axes_mm(sheet: Sheet, *, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return axes at a place that is given in millimetres, so that nothing is fitted at run time.

    Parameters
    ----------
    sheet : matplotlib.figure.Figure
        The sheet.
    left, bottom, width, height : float
        Millimetres from the lower left corner.

    Returns
    -------
    matplotlib.axes.Axes
        New axes.

    Raises
    ------
    None
    """
    wide, high = sheet.get_size_inches() / MM
    return sheet.add_axes((left / wide, bottom / high, width / wide, height / high))


def without_overlap(places: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Return places moved apart so that no two are nearer than ``gap``, in the same order.

    Parameters
    ----------
    places : sequence of float
        Wanted places.
    gap : float
        Smallest distance.
    low, high : float
        Where places may lie; wide enough for all.

    Returns
    -------
    list of float
        One place per input.

    Raises
    ------
    None

    Examples
    --------
    >>> without_overlap([0.5, 0.5, 0.0], gap=0.1, low=0, high=1)
    [0.5, 0.6, 0.0]
    """
    order = sorted(range(len(places)), key=lambda i: (places[i], i))
    moved = [0.0] * len(places)
    floor = low
    for i in order:
        moved[i] = max(places[i], floor)
        floor = moved[i] + gap
    ceiling = high
    for i in reversed(order):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - gap
    return moved
