"""Galleries: what carries ids, what is shown, and what the readers of blocks accept."""

from __future__ import annotations

import base64

import pytest

from interim.display.figure import Figure
from interim.display.gallery import Gallery
from interim.display.text import Paragraph, Span
from interim.report.blocks import read_block
from interim.report.registry import read_entries

SVG = '<svg xmlns="http://www.w3.org/2000/svg"></svg>'
PNG = b"\x89PNG\r\n\x1a\nrest"


def figure(title, alt="A line plot of one participant over the days of the study, with all values."):
    return Figure(
        title=title,
        population="NK safety set",
        svg=SVG,
        png=PNG,
        alt=alt,
        width_mm=100.0,
        keys=("a/b/c/d/e",),
        footnotes=("own note",),
    )


@pytest.mark.rule("PAT-01", source="one id per page")
def test_figures_of_a_gallery_are_numbered_and_paragraphs_are_not():
    paragraph = Paragraph((Span("words"),))
    shown = Gallery((figure("01-001"), paragraph, figure("01-002"))).with_id(
        "L 16.2.9.2",
        title="Profile",
        footnotes=("note",),
        labels=("SYNTHETIC",),
    )
    assert [getattr(item, "id", None) for item in shown.items] == ["L 16.2.9.2.1", None, "L 16.2.9.2.3"]
    assert shown.items[0].title == "Profile: 01-001"
    assert shown.items[0].footnotes == ("own note", "note")
    assert shown.items[2].labels == ("SYNTHETIC",)
    assert shown.items[1] is paragraph


def test_without_a_title_a_figure_keeps_its_own():
    (only,) = Gallery((figure("01-001"),)).with_id("L 16.2.9.2").items
    assert only.title == "01-001"


@pytest.mark.rule("PAT-01", source="a listing may be a figure")
@pytest.mark.parametrize(
    ("identity", "accepted"),
    [
        ("L 16.2.9.2.1", True),
        ("F 14.3.4.2", True),
        ("T 14.3.1.1", False),
        ("N 14.3.3", False),
    ],
)
def test_a_figure_may_be_a_figure_or_a_listing(identity, accepted):
    block = figure("01-001").with_id(identity).block()
    block["png"] = base64.b64encode(PNG).decode()
    read, problems = read_block(block)
    assert (read is not None) == accepted
    assert bool(problems) != accepted


@pytest.mark.rule("PAT-02", source="the kind is the first word of the display")
@pytest.mark.parametrize(
    ("identity", "display", "kind"),
    [
        ("N 14.3.3", "story_narratives", "story"),
        ("L 16.2.9.2", "figures_profile", "figures"),
        ("L 14.3.2.2", "table_listing", "table"),
        ("F 14.1.1.1", "figure_flow", "figure"),
    ],
)
def test_the_kind_of_an_entry(identity, display, kind):
    row = {"id": identity, "analysis": "patient.profile", "display": display}
    (entry,) = read_entries([row], known=set())
    assert entry.kind == kind
