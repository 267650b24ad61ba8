"""Events that were recorded twice count once."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.adae import without_duplicates

NAMES = ["USUBJID", "AESEQ", "AETERM", "AESTDTC", "AETOXGR"]
FIRST = ("S1", 1.0, "Headache", "2025-01-05", "1")


def kept(*rows, **more):
    source = pd.DataFrame(list(rows), columns=NAMES).assign(
        SRCFILE="ae.csv", SRCROW=range(2, len(rows) + 2), **more
    )
    answer = without_duplicates(source, [*NAMES, "SRCFILE", "SRCROW"])
    assert answer.index.tolist() == list(range(len(answer)))
    return answer["AESEQ"].tolist()


@pytest.mark.rule("SAF-37", source="seeded_defects.csv, D09: keep one")
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (("S1", 2.0, "Headache", "2025-01-05", "1"), [1.0]),
        (("S2", 2.0, "Headache", "2025-01-05", "1"), [1.0, 2.0]),
        (("S1", 2.0, "Headaches", "2025-01-05", "1"), [1.0, 2.0]),
        (("S1", 2.0, "Headache", "2025-01-06", "1"), [1.0, 2.0]),
        (("S1", 2.0, "Headache", "2025-01-05", "2"), [1.0, 2.0]),
        (("S1", 2.0, "Headache", "2025-01-05", None), [1.0, 2.0]),
    ],
    ids=["same", "participant", "term", "date", "grade", "grade missing"],
)
def test_only_the_same_content_counts_once(second, expected):
    assert kept(FIRST, second) == expected


@pytest.mark.rule("SAF-37", source="row order is irrelevant")
def test_the_lowest_number_is_kept_whatever_the_order_of_the_rows():
    tenth = ("S1", 10.0, *FIRST[2:])
    second = ("S1", 2.0, *FIRST[2:])
    assert kept(tenth, second) == kept(second, tenth) == [2.0]
    assert kept(tenth, FIRST, second) == [1.0]


def test_supplemental_qualifiers_do_not_tell_repetitions_apart():
    assert kept(FIRST, ("S1", 2.0, *FIRST[2:]), ASTCTGR=["1", None]) == [1.0]
    assert kept() == []
