"""Numbers of headings over several notebooks, against counting by hand and against a plain second way to count."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.errors import ReportError
from interim.report.content import Section
from interim.report.document import _level_problems, _numbered, collect
from interim.report.prose import Heading
from tests.report.test_blocks import TABLE, changed
from tests.report.test_document import code, text
from tests.report.writers_sample import front


def numbers(levels) -> list[str]:
    found = _numbered([Heading(level, f"t{place}") for place, level in enumerate(levels)])
    return [block.number for block in found if isinstance(block, Section)]


@pytest.mark.rule("DOC-16")
@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([], []),
        ([1], ["1"]),
        ([1, 1, 1], ["1", "2", "3"]),
        ([1, 2, 2, 1, 2], ["1", "1.1", "1.2", "2", "2.1"]),
        ([1, 2, 3, 4, 4, 3, 4, 2, 3, 1], ["1", "1.1", "1.1.1", "1.1.1.1", "1.1.1.2", "1.1.2", "1.1.2.1", "1.2", "1.2.1", "2"]),
        ([1, 2, 3, 1, 2, 3], ["1", "1.1", "1.1.1", "2", "2.1", "2.1.1"]),
        ([1] * 12, [str(n) for n in range(1, 13)]),
    ],
)  # fmt: skip
def test_numbers_of_headings(levels, expected):
    assert numbers(levels) == expected


def sound(steps) -> list[int]:
    """Return levels of which none is skipped."""
    levels: list[int] = []
    for step in steps:
        levels.append(min(step, (levels[-1] if levels else 0) + 1))
    return levels


@pytest.mark.rule("DOC-16")
@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 4), max_size=25))
def test_numbers_are_unique_ordered_and_as_deep_as_the_level(steps):
    levels = sound(steps)
    found = [tuple(map(int, number.split("."))) for number in numbers(levels)]
    assert [len(parts) for parts in found] == levels
    assert found == sorted(set(found))
    for place, parts in enumerate(found):
        assert len(parts) == 1 or parts[:-1] in found[:place]
        assert parts[-1] == 1 or (*parts[:-1], parts[-1] - 1) in found[:place]


@pytest.mark.rule("DOC-16")
@pytest.mark.parametrize(
    ("levels", "faulty"),
    [([1], []), ([2], [0]), ([1, 3], [1]), ([1, 2, 4], [2]), ([1, 3, 4], [1]), ([4, 4], [0]), ([1, 2, 3, 4, 1], []), ([1, 4, 1, 4], [1, 3])],
)  # fmt: skip
def test_skipped_levels_are_found_once_each(levels, faulty):
    loose = [(f"place {n}", Heading(level, "t")) for n, level in enumerate(levels)]
    assert [line.partition(":")[0] for line in _level_problems(loose)] == [f"place {n}" for n in faulty]


def write(folder, name, *cells):
    path = folder / name
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")  # fmt: skip
    return path


@pytest.mark.rule("DOC-16")
def test_numbers_go_on_over_notebooks_in_the_order_given_whatever_their_names(tmp_path):
    one = write(tmp_path, "02_b.ipynb", text("# A\n\n## B"), code(TABLE))
    two = write(tmp_path, "01_a.ipynb", text("## C\n\n# D"), code(changed(TABLE, ["id"], "T 14.2.2.2")))
    found = [(s.number, s.title) for s in collect([one, two], front=front()).sections]
    assert found == [("1", "A"), ("1.1", "B"), ("1.2", "C"), ("2", "D")]
    with pytest.raises(ReportError, match=r"01_a\.ipynb, cell m: heading 'C' of level 2 after level 0"):
        collect([two, one], front=front())


@pytest.mark.rule("DOC-16")
@pytest.mark.parametrize("times", [2, 3])
def test_equal_titles_have_anchors_of_their_own_and_equal_ids_are_refused_each(times, tmp_path):
    blocks = [changed(TABLE, ["id"], f"T 14.2.2.{n}") for n in range(times)]
    path = write(tmp_path, "01_a.ipynb", *[text("# Same", id=f"m{n}") for n in range(times)], code(*blocks))
    anchors = [section.anchor for section in collect([path], front=front()).sections]
    assert len(set(anchors)) == times
    same = write(tmp_path, "02_b.ipynb", text("# A"), code(*[TABLE] * times))
    with pytest.raises(ReportError) as caught:
        collect([same], front=front())
    assert str(caught.value).count(f"this id is used {times} times") == times
