"""Labels of close points, kept apart: the same rule in every figure, the same places from run to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes

from interim.display.style import MM

_LETTER = 0.62  # width of a letter in sizes of the type
_LINE = 1.35  # height of a line in sizes of the type
_FAR = 0.6  # of the height of a label: one that moved further has a line to its point
_POINTS_MM = 25.4 / 72
_MARK_MM = 1.6  # side of the square that stays free around a point
_OFFSET_MM = 1.1  # from the point to its label


@dataclass(frozen=True)
class Label:
    """A text beside a point.

    Attributes
    ----------
    text : str
        One line.
    x, y : float
        The point, in data.
    colour : str
        Of the text and of its line.
    """

    text: str
    x: float
    y: float
    colour: str


@dataclass(frozen=True)
class _Box:
    left: float
    middle: float
    width: float
    height: float

    def meets(self, other: _Box) -> bool:
        beside = self.left + self.width <= other.left or other.left + other.width <= self.left
        return not beside and abs(self.middle - other.middle) < (self.height + other.height) / 2 - 1e-9


def label_points(
    axes: Axes,
    labels: Sequence[Label],
    *,
    size: float,
    right: float | None = None,
    around: Sequence[tuple[float, float]] = (),
) -> None:
    """Write labels beside their points so that none lies on another or on a point; one that moved far has a thin line to its point.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With their final limits and scales.
    labels : sequence of Label
        In any order.
    size : float
        Of the type, in points.
    right : float, optional
        Millimetres from the left edge of the axes behind which no label may end; a label that would stands left of its point.
    around : sequence of tuple of float
        Further points, in data, on which no label may lie.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    places = [_place(axes, label) for label in labels]
    boxes, left = [], []
    for label, (x, y) in zip(labels, places, strict=True):
        width = _LETTER * size * _POINTS_MM * len(label.text)
        turned = right is not None and x + _OFFSET_MM + width > right
        start = x - _OFFSET_MM - width if turned else x + _OFFSET_MM
        boxes.append(_Box(start, y, width, _LINE * size * _POINTS_MM))
        left.append(turned)
    marks = [*places, *(_place(axes, Label("", x, y, "")) for x, y in around)]
    heights = moved_apart(
        [(box.left, box.middle, box.width, box.height) for box in boxes],
        fixed=[(x - _MARK_MM / 2, y, _MARK_MM, _MARK_MM) for x, y in marks],
    )
    for label, (_, y), height, turned, box in zip(labels, places, heights, left, boxes, strict=True):
        offset = ((-1 if turned else 1) * _OFFSET_MM / _POINTS_MM, (height - y) / _POINTS_MM)
        _write(axes, label, offset, size=size)
        if abs(height - y) > _FAR * box.height:
            _write(axes, replace(label, text=""), offset, size=size)


def _write(axes: Axes, label: Label, offset: tuple[float, float], *, size: float) -> None:
    """Write a label at its offset in points; without a text, the line from there to the point."""
    line = {"arrowstyle": "-", "color": label.colour, "linewidth": 0.35, "shrinkA": 0, "shrinkB": 1}
    axes.annotate(
        label.text,
        (label.x, label.y),
        xytext=offset,
        textcoords="offset points",
        ha="right" if offset[0] < 0 else "left",
        va="center",
        fontsize=size,
        color=label.colour,
        annotation_clip=False,
        arrowprops=None if label.text else line,
    )


def _place(axes: Axes, label: Label) -> tuple[float, float]:
    """Return where a point lies, in millimetres from the lower left corner of the axes."""
    x, y = axes.transData.transform((label.x, label.y)) - axes.bbox.p0
    pixel = 1 / (axes.figure.dpi * MM)
    return float(x) * pixel, float(y) * pixel


def moved_apart(
    boxes: Sequence[tuple[float, float, float, float]],
    *,
    fixed: Sequence[tuple[float, float, float, float]] = (),
) -> list[float]:
    """Return the middles of boxes, moved up or down as little as needed so that no two boxes overlap.

    Parameters
    ----------
    boxes : sequence of tuple of float
        Left edge, middle, width and height of each, in one unit.
    fixed : sequence of tuple of float
        Boxes that stay where they are and that the others must not overlap; they may overlap each other.

    Returns
    -------
    list of float
        A middle per box; boxes are placed from the lowest to the highest, of one height from the left.

    Raises
    ------
    None

    Examples
    --------
    >>> moved_apart([(0, 0.0, 10, 2), (5, 0.5, 10, 2), (40, 0.5, 10, 2)])
    [0.0, 2.0, 0.5]
    """
    answer = [0.0] * len(boxes)
    placed = [_Box(*box) for box in fixed]
    for i in sorted(range(len(boxes)), key=lambda i: (boxes[i][1], boxes[i][0], i)):
        left, middle, width, height = boxes[i]
        step = [(other.middle, (other.height + height) / 2) for other in placed]
        wanted = [middle, *(m + sign * gap for m, gap in step for sign in (1, -1))]
        free = [
            place
            for place in wanted
            if not any(_Box(left, place, width, height).meets(other) for other in placed)
        ]
        answer[i] = min(free, key=lambda place: (abs(place - middle), -place))
        placed.append(_Box(left, answer[i], width, height))
    return answer
