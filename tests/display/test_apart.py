"""Labels of close points: none lies on another, none on a point, and each stays as near as it can."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import settings as quick
from hypothesis import strategies as st
from matplotlib.figure import Figure as Sheet

from interim.display.apart import Label, label_points, moved_apart
from interim.display.figure import axes_mm

SIDE = st.floats(min_value=-50, max_value=50, allow_nan=False)
BOXES = st.lists(st.tuples(SIDE, SIDE, st.floats(1, 20), st.floats(1, 4)), max_size=8)


def overlap(one, other):
    beside = one[0] + one[2] <= other[0] or other[0] + other[2] <= one[0]
    return not beside and abs(one[1] - other[1]) < (one[3] + other[3]) / 2 - 1e-6


@pytest.mark.rule("DISP-11")
@quick(max_examples=60, deadline=None)
@given(BOXES, BOXES)
def test_no_two_labels_overlap_and_none_lies_on_what_is_fixed(boxes, fixed):
    moved = moved_apart(boxes, fixed=fixed)
    placed = [(left, y, wide, high) for (left, _, wide, high), y in zip(boxes, moved, strict=True)]
    assert not any(overlap(one, other) for one, other in combinations(placed, 2))
    assert not any(overlap(one, other) for one in placed for other in fixed)
    assert moved == moved_apart(boxes, fixed=fixed)


@pytest.mark.rule("DISP-11", source="placed by hand: boxes 2 high")
@pytest.mark.parametrize(
    ("boxes", "fixed", "expected"),
    [
        ([(0, 1.0, 5, 2), (20, 1.0, 5, 2)], [], [1.0, 1.0]),
        ([(0, 1.0, 5, 2), (0, 4.0, 5, 2)], [], [1.0, 4.0]),
        ([(0, 1.0, 5, 2), (1, 1.0, 5, 2)], [], [1.0, 3.0]),
        ([(0, 1.5, 5, 2), (1, 1.0, 5, 2)], [], [3.0, 1.0]),
        ([(0, 1.0, 5, 2)], [(4, 1.5, 1, 1)], [0.0]),
    ],
)
def test_a_label_moves_as_little_as_it_must(boxes, fixed, expected):
    assert moved_apart(boxes, fixed=fixed) == pytest.approx(expected)


def written(labels, **more):
    sheet = Sheet(figsize=(100 / 25.4, 100 / 25.4))
    axes = axes_mm(sheet, left=10, bottom=10, width=80, height=80)
    axes.set(xlim=(0, 80), ylim=(0, 80))
    label_points(axes, labels, size=6, **more)
    return axes.texts


@pytest.mark.rule("DISP-11", source="axes in which a unit is a millimetre")
def test_coincident_points_have_labels_one_above_the_other_and_a_line_to_the_moved():
    first, second, line = written([Label("A", 40, 40, "#000000"), Label("B", 40, 40, "#000000")])
    gap = abs(first.xyann[1] - second.xyann[1]) * 25.4 / 72
    assert gap == pytest.approx(1.35 * 6 * 25.4 / 72)
    assert line.get_text() == "" and line.arrow_patch is not None and line.xyann == second.xyann


@pytest.mark.rule("DISP-11", source="axes in which a unit is a millimetre")
def test_a_label_that_would_leave_the_panel_stands_left_of_its_point():
    inside, outside = written(
        [Label("P-ABCDEF", 10, 40, "#000000"), Label("P-GHIJKL", 78, 40, "#000000")], right=80
    )
    assert (inside.get_ha(), outside.get_ha()) == ("left", "right")
    assert inside.xyann[0] > 0 > outside.xyann[0]
