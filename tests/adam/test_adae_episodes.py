"""Which records are one event: by hand, days of January."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.adae_episodes import episode_of


def records(*rows) -> pd.DataFrame:
    """Return records (participant, term, start, end, group) in the order of their start."""
    frame = pd.DataFrame(rows, columns=["USUBJID", "AEDECOD", "START", "END", "AEGRPID"])
    day = pd.Timestamp("2024-12-31")
    made = frame.assign(
        AETERM="verbatim",
        ASTDT=day + pd.to_timedelta(frame["START"], unit="D"),
        AENDT=day + pd.to_timedelta(frame["END"], unit="D"),
        SRCSEQ=[str(place) for place in range(1, len(frame) + 1)],
    ).drop(columns=["START", "END"])
    return made.astype({"AEGRPID": object, "AEDECOD": object})


A, B = "Nausea", "Fatigue"


@pytest.mark.rule("AE-10", source="by hand; overlap as AE-OVERLAP lists it")
@pytest.mark.parametrize(
    ("rows", "apart", "joined"),
    [
        ([("S1", A, 1, 5, None), ("S1", A, 3, 9, None)], "12", "11"),
        ([("S1", A, 1, 5, None), ("S1", A, 5, 9, None)], "12", "12"),
        ([("S1", A, 1, 1, None), ("S1", A, 1, 1, None)], "12", "11"),
        ([("S1", A, 1, 5, None), ("S1", B, 3, 9, None)], "12", "12"),
        ([("S1", A, 1, 5, None), ("S2", A, 3, 9, None)], "12", "12"),
        ([("S1", A, 1, None, None), ("S1", A, 90, 95, None)], "12", "11"),
        ([("S1", A, 1, 20, None), ("S1", A, 2, 3, None), ("S1", A, 15, 30, None)], "123", "111"),
        ([("S1", A, 1, 5, None), ("S1", A, 4, 8, None), ("S1", A, 7, 9, None), ("S1", A, 20, 21, None)], "1234", "1114"),
        ([("S1", A, None, 5, None), ("S1", A, 3, 9, None)], "12", "12"),
        ([("S1", A, 1, 5, "g"), ("S1", A, 9, 12, "g")], "11", "11"),
        ([("S1", A, 1, 5, "g"), ("S2", A, 9, 12, "g")], "12", "12"),
        ([("S1", A, 1, 5, "g"), ("S1", A, 4, 6, None), ("S1", A, 30, 31, "g"), ("S1", A, 30, 40, None)], "1214", "1111"),
        ([("S1", None, 1, 5, None), ("S1", None, 3, 9, None)], "12", "11"),
        ([], "", ""),
    ],
)  # fmt: skip
def test_records_of_one_event(rows, apart, joined):
    frame = records(*rows)
    assert "".join(episode_of(frame, join_overlap=False)) == apart
    assert "".join(episode_of(frame, join_overlap=True)) == joined


@pytest.mark.rule("AE-10", source="without AEGRPID and with capitals that differ")
def test_terms_are_compared_without_regard_to_case():
    frame = records(("S1", "NAUSEA", 1, 5, None), ("S1", "Nausea", 2, 3, None)).drop(columns="AEGRPID")
    assert episode_of(frame, join_overlap=True).tolist() == ["1", "1"]
    assert episode_of(frame, join_overlap=False).tolist() == ["1", "2"]


@pytest.mark.rule("AE-10", source="the index does not matter")
def test_the_index_is_kept():
    frame = records(("S1", A, 1, 5, None), ("S1", A, 3, 9, None)).set_axis([7, 3])
    assert episode_of(frame, join_overlap=True).to_dict() == {7: "1", 3: "1"}
