"""Uploaded decision tables: what is refused, and that a table decides as its cells say."""

from __future__ import annotations

from itertools import product

import pandas as pd
import pytest

from interim.design import History, TableDesign
from interim.errors import DesignError

LEVELS = (1.5e7, 3e7, 5e7, 7e7)
GOOD = [(1, 0, "E"), (1, 1, "D"), (2, 0, "E"), (2, 1, "S"), (2, 2, "D")]
MORE = [(3, 0, "E"), (3, 1, "S"), (3, 2, "D"), (3, 3, "DU"), (4, 0, "E"), *((4, y, "D") for y in range(1, 5))]


def design(rows, **more):
    frame = pd.DataFrame(rows, columns=["n", "y", "decision"], dtype=object)
    return TableDesign.from_frame(frame, levels=LEVELS, target=0.3, **({"cohort_size": 1} | more))


@pytest.mark.rule("DOSE-18")
@pytest.mark.parametrize("name", ["n", "y", "decision"])
def test_a_missing_column_is_named(name):
    frame = pd.DataFrame(GOOD, columns=["n", "y", "decision"]).drop(columns=name)
    with pytest.raises(DesignError, match=f"needs the columns n, y, decision; {name} missing"):
        TableDesign.from_frame(frame, levels=LEVELS, target=0.3)


MALFORMED = [
    # rows added, what is said
    ([(3.5, 0, "E")], "n 3.5, y 0: whole numbers expected"),
    ([(2, 0.5, "E")], "n 2, y 0.5: whole numbers expected"),
    ([("2", "1", "S")], "n '2', y '1': whole numbers expected"),
    ([(None, 1, "S")], "n None, y 1: whole numbers expected"),
    ([(float("nan"), 1, "S")], "n nan, y 1: whole numbers expected"),
    ([(2, float("inf"), "S")], "n 2, y inf: whole numbers expected"),
    ([(0, 0, "E")], "n 0, y 0: 'E' is unknown, given twice or impossible"),
    ([(-1, -1, "E")], "n -1, y -1: 'E' is unknown, given twice or impossible"),
    ([(2, 3, "D")], "n 2, y 3: 'D' is unknown, given twice or impossible"),
    ([(2, -1, "D")], "n 2, y -1: 'D' is unknown, given twice or impossible"),
    ([(2, 1, "S")], "n 2, y 1: 'S' is unknown, given twice or impossible"),
    ([(3, 0, "e")], "n 3, y 0: 'e' is unknown"),
    ([(3, 0, ["E"])], "n 3, y 0: ['E'] is unknown"),
    ([(3, 0, None)], "n 3, y 0: None is unknown"),
    ([(3, 0, "E"), (3, 3, "D")], "n 3: no decision for y [1, 2]"),
    ([(4, y, "S") for y in range(5)], "n 3: no decision for y [0, 1, 2, 3]"),
    ([(3, 0, "S"), (3, 1, "E"), (3, 2, "D"), (3, 3, "D")], "n 3: E at y 1 above S at y 0"),
    ([(3, 0, "D"), (3, 1, "D"), (3, 2, "DU"), (3, 3, "S")], "n 3: S at y 3 above DU at y 2"),
]


@pytest.mark.rule("DOSE-18")
@pytest.mark.parametrize(("rows", "words"), MALFORMED)
def test_a_malformed_table_is_refused_with_its_cell(rows, words):
    with pytest.raises(DesignError) as caught:
        design([*GOOD, *rows])
    assert words in str(caught.value)


@pytest.mark.rule("DOSE-18")
def test_every_problem_is_listed_and_an_empty_table_refused():
    with pytest.raises(DesignError) as caught:
        design([(1, 0, "X"), (2.5, 0, "E"), (2, 0, "E")])
    for words in (
        "n 1, y 0: 'X'",
        "n 2.5, y 0: whole",
        "n 1: no decision for y [1]",
        "n 2: no decision for y [1, 2]",
    ):
        assert words in str(caught.value)
    with pytest.raises(DesignError, match="no rows"):
        design([])


@pytest.mark.rule("DOSE-18")
@pytest.mark.parametrize(("level", "y"), list(product((1, 2, 4), range(3))))
def test_the_next_level_is_the_one_of_the_cell(level, y):
    table = design(GOOD + MORE, cohort_size=2)
    history = History.parse(f"{level}{'T' * y}{'N' * (2 - y)}", levels=4, recorded=True)
    move = {"E": 1, "S": 0, "D": -1}[{k: letter for n, k, letter in GOOD if n == 2}[y]]
    decision = table.decide(history)
    assert decision.level == min(max(level + move, 1), 4)
    assert decision.n_to_enrol == 2
    assert decision.rule_id == {1: "E", 0: "S", -1: "D"}[decision.level - level]
