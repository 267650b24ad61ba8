"""Icon arrays: as many icons as people, filled for those with the event, readable without colour."""

from __future__ import annotations

import re
from itertools import pairwise
from types import SimpleNamespace

import pytest
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Circle, FancyBboxPatch

from interim.display import icons
from interim.errors import ReportError

STUDY = SimpleNamespace(figure=SimpleNamespace(dpi=150))
ALT = "3 of 13 people had the effect. Icon array: one icon for each person; 3 of 13 icons are filled."


def row(n, total):
    return {"result_id": "made.up/total/some/-/n", "n": n, "N": total}


def painted(monkeypatch, n: int, total: int) -> Sheet:
    """The sheet on which the icons are drawn."""
    kept: list[Sheet] = []

    def keep(paint, *, size_mm, study, threads):
        sheet = Sheet(figsize=(size_mm[0] / 25.4, size_mm[1] / 25.4))
        paint(sheet)
        kept.append(sheet)
        return "<svg/>", b"png"

    monkeypatch.setattr(icons, "drawn", keep)
    icons.icon_array(row(n, total), STUDY, title="People", alt=ALT)
    return kept[0]


def fills(sheet: Sheet, kind) -> list[str]:
    (ax,) = sheet.axes
    return [
        "white" if p.get_facecolor()[:3] == (1, 1, 1) else "dark" for p in ax.patches if isinstance(p, kind)
    ]


@pytest.mark.rule("LAY-04", source="spec/report-package.md section 10")
@pytest.mark.parametrize(
    ("n", "total"), [(0, 1), (1, 1), (3, 13), (13, 13), (0, 20), (5, 21), (60, 60), (7, 64)]
)
def test_there_are_as_many_icons_as_people(monkeypatch, n, total):
    sheet = painted(monkeypatch, n, total)
    for kind in (Circle, FancyBboxPatch):
        assert fills(sheet, kind) == ["dark"] * n + ["white"] * (total - n)


@pytest.mark.rule("LAY-04")
@pytest.mark.parametrize("total", [13, 60, 100])
def test_icons_stay_on_the_sheet_and_do_not_touch(monkeypatch, total):
    sheet = painted(monkeypatch, 3, total)
    (ax,) = sheet.axes
    bodies = [p.get_bbox() for p in ax.patches if isinstance(p, FancyBboxPatch)]
    heads = [p for p in ax.patches if isinstance(p, Circle)]
    left, right = ax.get_xlim()
    low, high = ax.get_ylim()
    assert all(left <= b.x0 and b.x1 <= right and low <= b.y0 for b in bodies)
    assert all(h.center[1] + h.radius <= high for h in heads)
    places = sorted({(round(b.y0, 6), round(b.x0, 6)) for b in bodies})
    assert len(places) == total
    assert all(b[0] != a[0] or b[1] - a[1] >= 0.6 for a, b in pairwise(places))


@pytest.mark.rule("LAY-04")
def test_the_units_of_both_axes_have_the_same_length(monkeypatch):
    for total in (13, 40, 64):
        sheet = painted(monkeypatch, 3, total)
        (ax,) = sheet.axes
        wide, high = sheet.get_size_inches()
        across, up = ax.get_xlim()[1] / wide, ax.get_ylim()[1] / high
        assert across == pytest.approx(up)


@pytest.mark.rule("LAY-04")
def test_an_icon_array_carries_the_id_of_its_result_and_a_text_alternative():
    found = icons.icon_array(row(3, 13), STUDY, title="People", alt=ALT)
    assert found.keys == ("made.up/total/some/-/n",) and found.alt == ALT
    assert not re.search(r"<text", found.svg), "icons hold no words, so that every language can use them"
    assert found == icons.icon_array(row(3, 13), STUDY, title="People", alt=ALT)


@pytest.mark.rule("LAY-04")
@pytest.mark.parametrize(("n", "total"), [(None, 13), (3, None), (4, 3), (-1, 3), (0, 0)])
def test_counts_that_no_icons_can_show_are_refused(n, total):
    with pytest.raises(ReportError, match=r"made\.up/total/some"):
        icons.icon_array(row(n, total), STUDY, title="People", alt=ALT)
