"""Sheets kept while a figure is drawn, and what must hold on every one of them."""

from __future__ import annotations

import itertools
from importlib import import_module

import numpy as np

from interim.display import figure as drawing
from interim.display.style import settings


def kept_sheets(monkeypatch, *modules: str) -> list:
    """Return the list to which every sheet painted by a module of the displays is added."""
    kept: list = []
    true = drawing.drawn

    def kept_too(paint, **options):
        def both(sheet):
            paint(sheet)
            sheet.canvas.draw()
            kept.append(sheet)

        return true(both, **options)

    for module in modules:
        monkeypatch.setattr(import_module(f"interim.display.{module}"), "drawn", kept_too)
    return kept


def words_of(sheet) -> list:
    """Every text that is seen: in the axes, on their ticks and labels, in the legends."""
    found = list(sheet.texts)
    for axes in sheet.axes:
        found += [*axes.texts, axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
        for side, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            edges = sorted((low, high))
            found += [t.label1 for t in side.get_major_ticks() if edges[0] <= t.get_loc() <= edges[1]]
        found += axes.get_legend().get_texts() if axes.get_legend() else []
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def check_words(sheet, *, rotated_too: bool = False) -> None:
    """Nothing that is written lies beyond the sheet or on something else that is written."""
    with settings():
        sheet.canvas.draw()
    renderer = sheet.canvas.get_renderer()
    words = words_of(sheet)
    boxes = [(text, text.get_window_extent(renderer)) for text in words]
    for text, box in boxes:
        assert box.x0 >= -1 and box.x1 <= sheet.bbox.x1 + 1, text
        assert box.y0 >= -1 and box.y1 <= sheet.bbox.y1 + 1, text
    level = [(t, b) for t, b in boxes if rotated_too or t.get_rotation() in (0, 90)]
    for (one, a), (other, b) in itertools.combinations(level, 2):
        apart = not a.padded(-0.5).overlaps(b.padded(-0.5))
        assert apart, (one, other)


def check_marks(sheet) -> None:
    """No mark and no bar lies beyond the limits of its axes, and none has a place that is no number."""
    for axes in sheet.axes:
        (left, right), (low, high) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
        points = [point for dots in axes.collections for point in np.asarray(dots.get_offsets())]
        for line in axes.lines:
            if line.get_marker() not in ("None", "", None):
                points += list(zip(*map(list, line.get_data()), strict=True))
        points += [(bar.get_x() + bar.get_width(), bar.get_y()) for bar in axes.patches]
        for x, y in points:
            assert left <= x <= right and low <= y <= high, (x, y, axes.get_xlim(), axes.get_ylim())
