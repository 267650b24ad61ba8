from __future__ import annotations

import io
import itertools
import random
import re
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as quick
from hypothesis import strategies as st
from matplotlib.figure import Figure as Sheet
from PIL import Image

from interim.display.figure import Figure, axes_mm, drawn, pixels, without_overlap
from interim.display.icons import icon_array
from interim.display.table import BLOCK
from interim.errors import ReportError
from interim.report.blocks import opened, read_block

STUDY = SimpleNamespace(figure=SimpleNamespace(dpi=150))
ALT = "Line plot of n = 12 participants over 24 weeks; 4 of 12 reach zero."


def paint(sheet):
    axes = axes_mm(sheet, left=15, bottom=12, width=60, height=30)
    axes.plot([0, 1, 2], [1, 3, 2], clip_on=False)
    axes.set_xlabel("Weeks since Day 0 µ ≥")


def picture(**changes) -> Figure:
    vector, pixels = drawn(paint, size_mm=(90.0, 50.0), study=STUDY)
    facts = {
        "title": "Change",
        "population": "FAS",
        "svg": vector,
        "png": pixels,
        "alt": ALT,
        "width_mm": 90.0,
        "keys": ("w/total/n/-/N",),
        "id": "F 14.2.2.1",
    }
    return Figure(**(facts | changes))


@pytest.mark.rule("DOC-17")
def test_the_same_drawing_gives_the_same_bytes():
    one = drawn(paint, size_mm=(90.0, 50.0), study=STUDY)
    random.seed(3)
    with mpl.rc_context({"font.size": 30.0, "lines.linewidth": 9.0}):
        assert drawn(paint, size_mm=(90.0, 50.0), study=STUDY) == one


@pytest.mark.rule("DOC-17")
def test_size_resolution_and_no_date_or_program():
    vector, pixels = drawn(paint, size_mm=(90.0, 50.0), study=STUDY)
    root = ElementTree.fromstring(vector)
    assert [float(root.get(side).removesuffix("pt")) for side in ("width", "height")] == pytest.approx(
        [90 * 72 / 25.4, 50 * 72 / 25.4], abs=0.01
    )
    assert int.from_bytes(pixels[16:20]) == pytest.approx(90 / 25.4 * 150, abs=1)
    assert not re.search(r"<dc:date|<dc:creator|Matplotlib", vector)
    assert b"Software" not in pixels and b"tEXt" not in pixels
    assert "<text" not in vector


def test_axes_stand_where_they_should():
    sheet = Sheet(figsize=(100 / 25.4, 50 / 25.4))
    box = axes_mm(sheet, left=10, bottom=5, width=80, height=40).get_position()
    assert (box.x0, box.y0, box.width, box.height) == pytest.approx((0.1, 0.1, 0.8, 0.8))


def letters_and_lines(png: bytes):
    """Where an image is not white, as a small grid of shares of ink."""
    image = 255 - np.asarray(Image.open(io.BytesIO(png)).convert("L"), dtype=float)
    rows, columns = (size // 12 for size in image.shape)
    cells = image[: rows * 12, : columns * 12].reshape(rows, 12, columns, 12)
    return cells.mean(axis=(1, 3)) / 255


@pytest.mark.rule("TLF-03")
def test_the_pixels_show_the_vector_image_where_matplotlib_draws_it():
    vector, image = drawn(paint, size_mm=(90.0, 50.0), study=STUDY)
    ours, theirs = map(
        letters_and_lines, (image, drawn(paint, size_mm=(90.0, 50.0), study=STUDY, threads=False)[1])
    )
    shape = tuple(map(min, zip(ours.shape, theirs.shape, strict=True)))
    ours, theirs = (grid[: shape[0], : shape[1]] for grid in (ours, theirs))
    assert theirs.max() > 0.2 and np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.97
    assert pixels(vector, width_mm=90.0, dpi=150) == image


@pytest.mark.rule("TLF-03")
@pytest.mark.parametrize(("dpi", "width_mm"), [(150, 90.0), (300, 90.0), (300, 170.0)])
def test_pixels_have_the_wanted_resolution_and_a_white_ground(dpi, width_mm):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><rect x="30" width="30" height="30"/></svg>'
    image = Image.open(io.BytesIO(pixels(svg, width_mm=width_mm, dpi=dpi))).convert("RGB")
    assert image.width == pytest.approx(width_mm / 25.4 * dpi, abs=1)
    assert image.height == pytest.approx(image.width / 3, abs=1)
    middle = image.height // 2
    found = [image.getpixel((image.width * part // 6, middle)) for part in (1, 3, 5)]
    assert found == [(255, 255, 255), (0, 0, 0), (255, 255, 255)]


@pytest.mark.rule("TLF-03")
def test_another_change_of_the_drawing_changes_both_images():
    other = drawn(lambda sheet: sheet.text(0.5, 0.5, "4"), size_mm=(30.0, 20.0), study=STUDY)
    same = drawn(lambda sheet: sheet.text(0.5, 0.5, "5"), size_mm=(30.0, 20.0), study=STUDY)
    assert other[0] != same[0] and other[1] != same[1]


@pytest.mark.rule("TLF-03")
def test_what_is_no_image_is_refused():
    with pytest.raises(RuntimeError, match="SVG"):
        pixels("no image", width_mm=10.0, dpi=150)


@pytest.mark.rule("WORK-02")
def test_an_icon_array_starts_no_thread(monkeypatch):
    monkeypatch.setattr("interim.display.figure.pixels", lambda *_, **__: pytest.fail("typst starts threads"))
    row = {"result_id": "a/b/c/d/n", "n": 2, "N": 5}
    assert icon_array(row, STUDY, title="People", alt=ALT).png.startswith(b"\x89PNG")


@pytest.mark.rule("DOC-18")
@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"alt": "Too short for n = 12."}, "the text alternative must say more"),
        ({"alt": "A" * 50, "title": "A" * 50}, "the text alternative must say more"),
        ({"keys": ()}, "shows no result"),
    ],
)
def test_a_figure_without_alternative_or_results_cannot_be_made(changes, problem):
    with pytest.raises(ReportError, match=problem):
        picture(**changes)


def test_the_registry_completes_a_copy():
    shown = picture(id="", footnotes=("a",), labels=("SYNTHETIC",))
    done = shown.with_id("F 1", title="New", footnotes=("b",), labels=("DRAFT",))
    assert (done.id, done.title, done.population, done.footnotes, done.labels) == (
        "F 1",
        "New",
        "FAS",
        ("a", "b"),
        ("SYNTHETIC", "DRAFT"),
    )
    assert shown.id == "" and shown.with_id("F 2", population="RE") == replace(
        shown, id="F 2", population="RE"
    )


@pytest.mark.rule("DOC-14")
def test_what_a_notebook_stores_is_read_by_the_report():
    bundle = picture(footnotes=("Note.",))._repr_mimebundle_()
    block, problems = read_block(opened(bundle[BLOCK]))
    assert problems == [] and block.alt == ALT and block.keys == ("w/total/n/-/N",)
    assert bundle["text/plain"] == f"F 14.2.2.1 Change (FAS)\n{ALT}\nNote."
    assert bundle["text/html"].startswith("<figure")


@quick(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_places_keep_their_order_and_distance(wanted):
    gap = 1 / 20
    moved = without_overlap(wanted, gap=gap, low=0.0, high=1.0)
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    assert all(moved[b] - moved[a] >= gap - 1e-9 for a, b in itertools.pairwise(order))
    assert min(moved) >= -1e-9 and max(moved) <= 1 + 1e-9


@pytest.mark.parametrize(
    "wanted, expected", [([], []), ([0.3], [0.3]), ([0.1, 0.9], [0.1, 0.9]), ([1.0, 1.0], [0.9, 1.0])]
)
def test_places_that_are_free_stay(wanted, expected):
    assert without_overlap(wanted, gap=0.1, low=0.0, high=1.0) == pytest.approx(expected)
