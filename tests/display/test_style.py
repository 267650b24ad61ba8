from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace

import matplotlib as mpl
import pytest

from interim.display.style import (
    GREY,
    LIGHT,
    PALETTE,
    RESPONSE_COLOURS,
    TOTAL_COLOUR,
    cohort_colours,
    ink,
    settings,
)
from interim.result import TOTAL
from interim.study import NK_ONLY


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast_on_white(colour: str) -> float:
    return 1.05 / (luminance(colour) + 0.05)


@pytest.mark.rule("DOC-17")
def test_the_settings_of_the_caller_come_back():
    before = dict(mpl.rcParams)
    with settings():
        assert mpl.rcParams["svg.hashsalt"] == "interim" and mpl.rcParams["font.family"] == [
            "DejaVu Sans",
            "Interim CJK SC",
        ]
    assert dict(mpl.rcParams) == before


@pytest.mark.rule("DOC-17")
def test_settings_of_the_caller_do_not_reach_the_figure():
    with mpl.rc_context({"font.size": 30.0, "axes.facecolor": "red"}), settings():
        assert mpl.rcParams["font.size"] == 8.0 and mpl.rcParams["axes.facecolor"] == "white"


@pytest.mark.parametrize("colour", [*PALETTE, TOTAL_COLOUR, GREY, *RESPONSE_COLOURS.values()])
def test_text_in_a_colour_can_be_read_on_white(colour):
    least = 4.5 if ink(colour) != colour or colour in (TOTAL_COLOUR, GREY) else 2.5
    assert contrast_on_white(ink(colour)) >= least


def test_colours_of_lines_differ_and_light_is_lightest():
    assert len(set(PALETTE)) == len(PALETTE)
    assert all(one != other for one, other in combinations(map(ink, PALETTE), 2))
    assert luminance(LIGHT) > max(map(luminance, PALETTE))


def study(*codes):
    return SimpleNamespace(cohorts=lambda: dict.fromkeys(codes))


def test_a_column_has_the_same_colour_in_every_figure():
    ladder = study("DL1", "DL2", "DL3", NK_ONLY)
    assert cohort_colours(ladder, ("DL3", "DL1")) == {"DL3": PALETTE[2], "DL1": PALETTE[0]}
    assert cohort_colours(ladder, (NK_ONLY, "?", TOTAL)) == {NK_ONLY: GREY, "?": GREY, TOTAL: TOTAL_COLOUR}


def test_more_columns_than_colours_begin_again():
    many = tuple(f"DL{i}" for i in range(10))
    assert cohort_colours(study(*many), many)["DL8"] == PALETTE[0]
