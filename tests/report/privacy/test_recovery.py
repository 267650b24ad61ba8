"""What a reader can compute from printed counts, against all tables that agree with them."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.report.privacy.recovery import Sum, bounds


def enumerated(sums, printed, hidden):
    """Smallest and largest value of each hidden count over all values that agree with the sums."""
    names = list(hidden)
    fits = []
    for values in product(*(range(low, high + 1) for low, high in hidden.values())):
        known = {**printed, **dict(zip(names, values, strict=True))}
        if all(agrees(one, known) for one in sums):
            fits.append(values)
    return {name: (min(v[i] for v in fits), max(v[i] for v in fits)) for i, name in enumerate(names)}


def agrees(one: Sum, known) -> bool:
    added = sum(known[term] for term in one.terms)
    whole = one.value if one.whole is None else known[one.whole]
    return added >= whole if one.overlap else added == whole


@pytest.mark.rule("PRV-21", source="by hand")
@pytest.mark.parametrize(
    ("sums", "printed", "hidden", "told"),
    [
        # one hidden cell is the total less the others
        ([Sum(("a", "b"), "t")], {"a": 6, "t": 7}, {"b": (0, 15)}, {"b": (1, 1)}),
        # two hidden cells of one or two that add up to four, to three, to two
        ([Sum(("a", "b"), value=4)], {}, {"a": (1, 2), "b": (1, 2)}, {"a": (2, 2), "b": (2, 2)}),
        ([Sum(("a", "b"), value=3)], {}, {"a": (1, 2), "b": (1, 2)}, {"a": (1, 2), "b": (1, 2)}),
        ([Sum(("a", "b"), value=2)], {}, {"a": (1, 2), "b": (1, 2)}, {"a": (1, 1), "b": (1, 1)}),
        # a hidden total is told by its parts
        ([Sum(("a", "b"), "t")], {"a": 1, "b": 1}, {"t": (0, 9)}, {"t": (2, 2)}),
        # a row and a column: a + b = 3, a + c = 1 with everything at least 0
        (
            [Sum(("a", "b"), value=3), Sum(("a", "c"), value=1)],
            {},
            {"a": (0, 9), "b": (0, 9), "c": (0, 9)},
            {"a": (0, 1), "b": (2, 3), "c": (0, 1)},
        ),
        # a heading of five over terms of three and one or two needs the two
        ([Sum(("a", "b"), "h", overlap=True)], {"a": 3, "h": 5}, {"b": (1, 2)}, {"b": (2, 2)}),
        ([Sum(("a", "b"), "h", overlap=True)], {"a": 3, "h": 4}, {"b": (1, 2)}, {"b": (1, 2)}),
        # nothing is said about what no sum holds
        ([], {"a": 3}, {"b": (0, 4)}, {"b": (0, 4)}),
    ],
)
def test_the_bounds_are_those_of_a_count_by_hand(sums, printed, hidden, told):
    assert bounds(sums, printed, hidden) == told


@pytest.mark.rule("PRV-21", source="a + b = b + c = a + c = 4: no sum alone tells that each is 2")
def test_sums_together_tell_more_than_each_alone():
    sums = [Sum(pair, value=4) for pair in (("a", "b"), ("b", "c"), ("a", "c"))]
    assert bounds(sums, {}, dict.fromkeys("abc", (0, 9))) == dict.fromkeys("abc", (2, 2))


@st.composite
def tables(draw):
    """A table of two rows and three columns with totals, some cells hidden, each mark wide enough for its count."""
    cells = {(i, j): draw(st.integers(0, 4)) for i in range(2) for j in range(3)}
    known = dict(cells)
    sums = []
    for i in range(2):
        known[("row", i)] = sum(cells[i, j] for j in range(3))
        sums.append(Sum(tuple((i, j) for j in range(3)), ("row", i)))
    for j in range(3):
        known[("column", j)] = cells[0, j] + cells[1, j]
        sums.append(Sum(((0, j), (1, j)), ("column", j)))
    names = draw(st.lists(st.sampled_from(sorted(cells)), min_size=1, max_size=5, unique=True))
    hidden = {name: (1, 2) if known[name] in (1, 2) and draw(st.booleans()) else (0, 5) for name in names}
    printed = {name: count for name, count in known.items() if name not in hidden}
    return sums, printed, hidden, known


@pytest.mark.rule("PRV-21", source="all tables that agree, written out")
@settings(max_examples=60, deadline=None)
@given(tables())
def test_the_bounds_are_those_of_all_tables_that_agree(table):
    sums, printed, hidden, known = table
    found, exact = bounds(sums, printed, hidden), enumerated(sums, printed, hidden)
    for name in hidden:
        assert found[name][0] <= known[name] <= found[name][1]
    # sums of rows and columns form a totally unimodular system, so that linear bounds are exact
    assert found == exact


@pytest.mark.rule("PRV-21")
def test_a_mark_that_cannot_be_is_an_error():
    with pytest.raises(ValueError, match="no value of b agrees"):
        bounds([Sum(("a", "b"), value=9)], {"a": 3}, {"b": (1, 2)})


@pytest.mark.rule("PRV-21")
def test_a_large_connection_keeps_bounds_that_hold():
    names = [f"x{n}" for n in range(70)]
    sums = [Sum((a, b), value=3) for a, b in pairwise(names)]
    found = bounds(sums, {}, dict.fromkeys(names, (0, 3)))
    assert found == dict.fromkeys(names, (0, 3))
