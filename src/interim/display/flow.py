"""Figure of the participant flow: from the assessed to the lanes of the cohorts, with the decisions between them."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Polygon

from interim.display.courses import shown_figure, wide_rows
from interim.display.escalation_listing import layouts
from interim.display.figure import Figure, axes_mm
from interim.display.labels import column_label, settings, word
from interim.display.numbers import Numbers
from interim.display.style import GREY, LIGHT, PORTRAIT_MM
from interim.result import TOTAL, Result
from interim.study import Study

# Millimetres: the spine of the cohorts, the first and the last column of steps, the left edge of texts.
_SPINE, _FIRST, _LAST, _TEXT = 16.0, 44.0, PORTRAIT_MM - 14.0, 22.0
_ROOF, _HEADS, _LANE, _LINE, _NODE = 29.0, 9.0, 12.8, 3.1, 7.0
_BOX = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": GREY, "linewidth": 0.7}
_ARROW = {"arrowstyle": "->", "color": GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
_LETTERS = 110


def _reason(step: str, level: str) -> str:
    """Return a reason in words, without what the name of the step says already."""
    said, _, detail = level.partition(": ")
    if said != settings("flow_says").get(step):
        return word("reasons", level)
    return word("no_cart", detail) if detail else word("reasons", "Missing")


@dataclass(frozen=True)
class _Flow:
    """What is drawn: the numbers, the steps in their order, the cohorts, and the decisions before a lane and the lanes that decisions opened."""

    numbers: Numbers
    study: Study
    steps: tuple[str, ...]
    nodes: dict[str, list[str]]
    opened: frozenset[str]

    def count(self, variable: str, group: str, level: str = "") -> int:
        return int(self.numbers.need("n", group=group, variable=variable, level=level)["n"])

    def why(self, step: str, group: str) -> str:
        """Return the reasons of those lost before a step, with their numbers; empty if nobody was."""
        levels = [level for level in self.numbers.levels(f"left {step}", group=group) if level]
        told = [(_reason(step, level), self.count(f"left {step}", group, level)) for level in levels]
        listed = ", ".join(f"{text} ({n})" for text, n in told if n)
        return f"{word('flow_left', step)}: {listed}" if listed else ""

    def reasons(self, group: str) -> list[str]:
        """Return the lines with reasons below a lane; those of the total stand in its lanes."""
        if group == TOTAL:
            return []
        texts = filter(None, (self.why(step, group) for step in self.steps[1:]))
        return [line for text in texts for line in wrap(text, _LETTERS)]

    def column(self, step: str) -> float:
        """Return the place of a step in millimetres."""
        return _FIRST + (_LAST - _FIRST) * self.steps.index(step) / (len(self.steps) - 1)

    def head_height(self, group: str) -> float:
        """Return the height of the decisions before a lane."""
        return max(_NODE, _LINE * len(self.nodes[group])) + 3.0 if self.nodes.get(group) else 0.0

    def height(self, group: str) -> float:
        """Return the height of a lane without its decisions."""
        return _LANE + _LINE * len(self.reasons(group))


def figure_flow(result: Result, study: Study) -> Figure:
    """Draw how many participants of each cohort reached each step, and the decisions that opened the cohorts.

    Parameters
    ----------
    result : Result
        ``courses.flow``.
    study : Study
        Labels.

    Returns
    -------
    Figure
        The assessed and the enrolled; a lane per cohort with a box per step, the lost on each arrow and why; a diamond per cohort
        with its decisions, and one for the decisions that open none.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    steps = tuple(
        name
        for name in numbers.variables(stat="n")
        if not name.startswith("left ") and name not in ("assessed", "population")
    )
    flow = _Flow(numbers, study, steps, *_nodes(result, numbers))
    tall = (
        _ROOF + _HEADS + 1.0 + sum(flow.head_height(group) + flow.height(group) for group in numbers.groups)
    )

    def paint(sheet: Sheet) -> None:
        axes = axes_mm(sheet, left=0, bottom=0, width=PORTRAIT_MM, height=tall)
        axes.set(xlim=(0, PORTRAIT_MM), ylim=(tall, 0))
        axes.set_axis_off()
        _paint_roof(axes, flow)
        spine, place = _ROOF - 6.0, _ROOF + _HEADS
        for group in numbers.groups:
            if flow.nodes.get(group):
                middle = place + flow.head_height(group) / 2
                _arrow(axes, (_SPINE, spine), (_SPINE, middle - _NODE / 2))
                _paint_node(axes, flow.nodes[group], middle)
                spine = middle + _NODE / 2
                if group in flow.opened:
                    _arrow(axes, (_SPINE, spine), (_SPINE, place + flow.head_height(group) + 1.2))
                    spine = place + flow.head_height(group) + 6.4
            place += flow.head_height(group)
            _paint_lane(axes, flow, group, place + 4.0)
            place += flow.height(group)

    notes = (
        "On the arrows: participants of the step before who did not reach the step; evaluable ones of those with an NK infusion.",
        *(("Diamonds: recorded decisions, in months from the first consent.",) if flow.nodes else ()),
    )
    return shown_figure(result, study, paint, size=(PORTRAIT_MM, tall), alt=_told(flow), notes=notes)


def _told(flow: _Flow) -> str:
    shown = [f"{word('flow_step', step)} {flow.count(step, TOTAL)}" for step in ("assessed", *flow.steps)]
    listed = ", ".join(shown).replace("\n", " ").replace("- ", "-")
    decisions = sum(map(len, flow.nodes.values()))
    return (
        f"Flow chart with a lane for each of {len(flow.numbers.groups)} columns; in total: {listed}. Numbers on the arrows are those lost."
        + (f" Diamonds between the lanes: {decisions} recorded decisions." if decisions else "")
    )


def _nodes(result: Result, numbers: Numbers) -> tuple[dict[str, list[str]], frozenset[str]]:
    """Return the texts of the decisions by the lane that they stand before, and the lanes that decisions opened.

    Decisions of no cohort stand behind the last lane that a decision opened.
    """
    frame = wide_rows(result, "decision")
    lanes = [group for group in numbers.groups if group != TOTAL]
    opened = frozenset(frame["group"]) & frozenset(lanes)
    behind = max((lanes.index(group) + 1 for group in opened), default=0)
    found: dict[str, list[str]] = {}
    for group, level, action in zip(frame["group"], frame["level"], frame["name"], strict=True):
        lane = group if group in opened else (*lanes, TOTAL)[behind]
        found.setdefault(lane, []).append(_decision(numbers, group, level, str(action)))
    return found, opened


def _decision(numbers: Numbers, group: str, level: str, action: str) -> str:
    at = {"group": group, "variable": "decision", "level": level}
    month = float(numbers.need("month", **at)["value"])
    dose, role = (str(numbers.need(stat, **at)["text"]) for stat in ("dose", "role"))
    size = numbers.row("planned", **at)
    known = layouts()["words"]
    text = f"{known[action]}, {dose}" if action in known else f"{word('decision_node', action)} {dose}"
    more = "" if size is None else f", enrol {float(size['value']):g}"
    return f"Month {month:.1f}: {text}{more}" + (f" ({role})" if role else "")


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops=_ARROW)


def _paint_roof(axes: Axes, flow: _Flow) -> None:
    """Draw the assessed, those not enrolled with their reasons, and the enrolled."""
    for top, step in ((6.0, "assessed"), (_ROOF - 9.0, "enrolled")):
        text = f"{word('flow_step', step)}: {flow.count(step, TOTAL)}"
        axes.text(_SPINE, top, text, ha="left", va="center", fontsize=8, bbox=_BOX)
    _arrow(axes, (_SPINE + 4, 9.0), (_SPINE + 4, _ROOF - 12.2))
    lost = f"−{flow.count('left enrolled', TOTAL)}"
    text = "\n".join(wrap(flow.why("enrolled", TOTAL), _LETTERS))
    axes.text(_SPINE + 2.5, _ROOF / 2 - 1.2, lost, ha="right", va="center", fontsize=6.5, color=GREY)
    axes.text(_SPINE + 6, _ROOF / 2 - 1.2, text, va="center", fontsize=6.5, color=GREY)
    for step in flow.steps:
        axes.text(flow.column(step), _ROOF + _HEADS - 3.5, word("flow_step", step), ha="center", va="bottom", fontsize=7)  # fmt: skip


def _paint_node(axes: Axes, lines: list[str], middle: float) -> None:
    half = _NODE / 2
    corners = [(_SPINE, middle - half), (_SPINE + half, middle), (_SPINE, middle + half), (_SPINE - half, middle)]  # fmt: skip
    axes.add_patch(Polygon(corners, closed=True, facecolor=LIGHT, edgecolor=GREY, linewidth=0.8))
    axes.text(_SPINE, middle, "?", ha="center", va="center", fontsize=7, color=GREY)
    first = middle - _LINE * (len(lines) - 1) / 2
    for place, line in enumerate(lines):
        axes.text(_TEXT, first + place * _LINE, line, va="center", fontsize=6.5)


def _paint_lane(axes: Axes, flow: _Flow, group: str, middle: float) -> None:
    """Draw the boxes of a cohort, the lost between them, and below them the branches to the evaluable and the reasons."""
    label = column_label(group, flow.study)
    axes.text(_SPINE, middle, label, ha="center", va="center", fontsize=7, bbox=_BOX | {"facecolor": LIGHT})
    for place, step in enumerate(flow.steps):
        axes.text(flow.column(step), middle, str(flow.count(step, group)), ha="center", va="center", bbox=_BOX, fontsize=8)  # fmt: skip
        if place:
            branch = step.endswith("evaluable")
            (_paint_branch if branch else _paint_straight)(axes, flow, step, middle)
            lost = flow.count(f"left {step}", group)
            at = (flow.column(step) + 1.0, middle + 5.2) if branch else (_between(flow, step), middle - 1.0)
            axes.text(*at, f"−{lost}" if lost else "0", ha="left" if branch else "center", va="bottom", fontsize=6, color=GREY)  # fmt: skip
    for place, line in enumerate(flow.reasons(group)):
        axes.text(_FIRST - 4, middle + 8.4 + place * _LINE, line, va="center", fontsize=6, color=GREY)


def _between(flow: _Flow, step: str) -> float:
    return (flow.column(flow.steps[flow.steps.index(step) - 1]) + flow.column(step)) / 2


def _paint_straight(axes: Axes, flow: _Flow, step: str, middle: float) -> None:
    before = flow.column(flow.steps[flow.steps.index(step) - 1])
    _arrow(axes, (before + 4.5, middle), (flow.column(step) - 4.5, middle))


def _paint_branch(axes: Axes, flow: _Flow, step: str, middle: float) -> None:
    """Draw the line from the box of the NK infusion, below the lane, up to a box of evaluable participants."""
    floor, start, end = middle + 5.4, flow.column("nk"), flow.column(step)
    axes.plot([start, start, end], [middle + 2.6, floor, floor], color=GREY, linewidth=0.8)
    _arrow(axes, (end, floor), (end, middle + 2.6))
