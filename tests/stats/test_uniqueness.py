"""Classes of equal participants, the risk that follows, and the expected share of unique ones."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import truncnorm

from interim.stats.uniqueness import class_risk, expected_unique_share

REFERENCE = Path(os.environ.get("INTERIM_REFERENCE", "")) / "clinical" / "reference_numbers.json"


@pytest.mark.rule("PRV-10", source="counted by hand")
@pytest.mark.parametrize(
    ("attributes", "unique", "smallest", "classes"),
    [
        ("a", 1, 1, 1),
        ("aa", 0, 2, 1),
        ("aab", 1, 1, 2),
        ("abc", 3, 1, 3),
        ("aabbcc", 0, 2, 3),
        ("aaaab", 1, 1, 2),
        ("aaabbbb", 0, 3, 2),
    ],
)
def test_the_classes_are_those_of_a_count_by_hand(attributes, unique, smallest, classes):
    risk = class_risk(attributes)
    assert (risk.n, risk.unique, risk.smallest, risk.classes) == (len(attributes), unique, smallest, classes)
    assert risk.share == unique / len(attributes)
    assert risk.largest_risk == 1 / smallest


@pytest.mark.rule("PRV-10")
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=25))
def test_the_risks_are_those_of_the_participants_one_by_one(attributes):
    risk = class_risk(attributes)
    own = [Fraction(1, attributes.count(one)) for one in attributes]
    assert risk.largest_risk == pytest.approx(float(max(own)))
    assert risk.average_risk == pytest.approx(float(sum(own) / len(own)))
    assert risk.unique == own.count(1)
    assert class_risk(attributes[::-1]) == risk
    assert class_risk([one[:1] for one in attributes]).unique <= risk.unique


@pytest.mark.rule("PRV-10")
def test_without_participants_there_is_no_risk():
    with pytest.raises(ValueError, match="at least one participant"):
        class_risk([])


@pytest.mark.rule("PRV-11", source="all samples written out")
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_expected_share_is_that_of_all_samples(n):
    margins = ([Fraction(1, 4), Fraction(3, 4)], [Fraction(1, 3), Fraction(1, 2), Fraction(1, 6)])
    cells = [(i, j) for i in range(2) for j in range(3)]
    total = Fraction(0)
    for sample in product(cells, repeat=n):
        chance = Fraction(1)
        for i, j in sample:
            chance *= margins[0][i] * margins[1][j]
        total += chance * Fraction(sum(sample.count(one) == 1 for one in sample), n)
    found = expected_unique_share([[float(p) for p in margin] for margin in margins], n)
    assert found == pytest.approx(float(total), abs=1e-12)


@pytest.mark.rule("PRV-11")
@pytest.mark.parametrize(("margins", "n"), [([[0.5, 0.5]], 0), ([[0.5, 0.6]], 3), ([[1.2, -0.2]], 3)])
def test_what_is_no_probability_is_refused(margins, n):
    with pytest.raises(ValueError, match="found"):
        expected_unique_share(margins, n)


def decades() -> list[float]:
    """Probability of each decade of age: normal with mean 57 and deviation 10, cut to 18 to 75."""
    law = truncnorm((18 - 57) / 10, (75 - 57) / 10, 57, 10)
    return [law.cdf(10 * decade + 10) - law.cdf(10 * decade) for decade in range(1, 8)]


@pytest.mark.rule("PRV-11", source="reference/clinical share_unique_participants: simulation, 4000 draws")
@pytest.mark.parametrize("n", [9, 13, 18])
def test_the_expected_shares_are_those_of_the_reference(n):
    document = json.loads(REFERENCE.read_text(encoding="utf-8"))["share_unique_participants"]
    fine, coarse = document["values"][str(n)]
    sex, types, dose = [0.65, 0.35], [0.58, 0.20, 0.12, 0.10], [1 / 13, 3 / 13, 6 / 13, 3 / 13]
    old = truncnorm((18 - 57) / 10, (75 - 57) / 10, 57, 10).sf(60)
    assert expected_unique_share([sex, types, decades(), dose], n) == pytest.approx(fine, abs=0.02)
    assert expected_unique_share([sex, [0.58, 0.42], [old, 1 - old]], n) == pytest.approx(coarse, abs=0.02)
