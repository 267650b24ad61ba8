"""What a lesion adds to the sum."""

from __future__ import annotations

import pytest

from interim.adam.response.lesions import Contribution, Measure, contribution
from interim.study.efficacy import ResponseTable

CASES = [
    # measure, mm, code, missing
    (Measure(12.5), 12.5, "L-MM", False),
    (Measure(3.0), 3.0, "L-MM", False),
    (Measure(0.0), 0.0, "L-ABSENT", False),
    (Measure(state="ABSENT"), 0.0, "L-ABSENT", False),
    (Measure(state="TOO SMALL TO MEASURE"), 5.0, "L-TSTM", False),
    (Measure(state="SPLIT", fragments=(4.0, 7.5)), 11.5, "L-SPLIT", False),
    (Measure(state="MERGED"), 0.0, "L-MERGED", False),
    (Measure(state="NOT EVALUABLE"), None, "L-NE", True),
    (Measure(), None, "L-NE", True),
    (Measure(-1.0), None, "L-NE", True),
    (Measure(float("nan")), None, "L-NE", True),
    (None, None, "L-NOROW", True),
    (Measure(state="NO SHORT AXIS"), None, "L-NOAXIS", True),
    (Measure(20.0, "TREATED"), None, "L-TREATED", True),
]


@pytest.mark.rule("RECIST-01")
@pytest.mark.parametrize(("measure", "mm", "code", "missing"), CASES)
def test_contribution(measure, mm, code, missing):
    answer = contribution(measure, rules=ResponseTable())
    assert (answer.mm, answer.code, answer.missing) == (mm, code, missing)


@pytest.mark.rule("RECIST-01")
def test_parameters_of_a_contribution():
    assert contribution(Measure(state="TOO SMALL TO MEASURE"), rules=ResponseTable(tstm_mm=4)).mm == 4
    assert contribution(Measure(20.0, "TREATED"), rules=ResponseTable(treated_lesion="as_measured")).mm == 20
    assert (
        contribution(Measure(None, "TREATED"), rules=ResponseTable(treated_lesion="as_measured")).code
        == "L-TREATED"
    )


@pytest.mark.parametrize(
    ("part", "blocks", "gone"),
    [
        (Contribution(0.0, "L-ABSENT"), False, True),
        (Contribution(0.0, "L-MERGED"), True, False),
        (Contribution(8.0, "L-SPLIT"), True, False),
        (Contribution(0.0, "L-TSTM"), False, False),
        (Contribution(None, "L-NE"), False, False),
    ],
)
def test_what_a_lesion_does_to_a_complete_response(part, blocks, gone):
    assert (part.blocks_cr, part.gone) == (blocks, gone)
