"""Which records of two runs are the same: cases by hand, and properties over random tables."""

from __future__ import annotations

import random
from datetime import datetime

import pandas as pd
import pytest

from interim.data.model import Sdtm
from interim.report.compare import _counts, _matched, _withdrawn

LB = ["USUBJID", "LBTESTCD", "LBDTC", "LBSEQ", "LBSTRESN"]


def sdtm(**domains: pd.DataFrame) -> Sdtm:
    return Sdtm(domains, datetime(2026, 6, 30))


def results(*rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=LB)
    return frame.assign(SRCFILE="lb.csv", SRCROW=range(2, len(frame) + 2))


def counts(old: pd.DataFrame, new: pd.DataFrame, name: str = "LB") -> tuple[int, int, int]:
    before, after = sdtm(**{name: old}), sdtm(**{name: new})
    return _counts(before, after, name, _matched(before, after, name))


BASE = results(
    ("01", "ALT", "2026-01-01", 1, 20.0),
    ("01", "ALT", "2026-01-08", 2, 30.0),
    ("01", "AST", "2026-01-08", 3, None),
    ("02", "ALT", "2026-01-02", 1, 25.0),
)


def with_cell(row: int, column: str, value) -> pd.DataFrame:
    frame = BASE.copy()
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    return frame


@pytest.mark.rule("CMP-02")
@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (BASE, (0, 0, 0)),
        (BASE.iloc[::-1], (0, 0, 0)),
        (BASE.assign(SRCROW=99, SRCFILE="other.csv"), (0, 0, 0)),
        (BASE.assign(LBSEQ=[9, 8, 7, 6]), (0, 0, 0)),
        (with_cell(0, "LBSTRESN", 21.0), (1, 0, 0)),
        (with_cell(2, "LBSTRESN", 0.0), (1, 0, 0)),
        (with_cell(1, "LBSTRESN", None), (1, 0, 0)),
        (with_cell(1, "LBDTC", "2026-01-09"), (1, 0, 0)),
        (with_cell(3, "USUBJID", "03"), (0, 1, 1)),
        (BASE.iloc[:3], (0, 1, 0)),
        (BASE.iloc[:0], (0, 4, 0)),
        (pd.concat([BASE, results(("02", "ALT", "2026-01-09", 2, 26.0))], ignore_index=True), (0, 0, 1)),
        (BASE.assign(LBNOTE="x"), (0, 0, 0)),
    ],
    ids=[
        "same",
        "other order",
        "other file",
        "renumbered",
        "value",
        "value found",
        "value lost",
        "date corrected",
        "participant corrected",
        "deleted",
        "all deleted",
        "added",
        "column added",
    ],
)
def test_what_happened_to_the_records(new, expected):
    assert counts(BASE, new) == expected


@pytest.mark.rule("CMP-02")
def test_a_domain_that_one_run_lacks_is_added_or_deleted_as_a_whole():
    before, after = sdtm(), sdtm(LB=BASE)
    assert _counts(before, after, "LB", _matched(before, after, "LB")) == (0, 0, 4)
    assert _counts(after, before, "LB", _matched(after, before, "LB")) == (0, 4, 0)


@pytest.mark.rule("CMP-02")
@pytest.mark.parametrize("seed", range(12))
def test_random_edits_are_counted(seed):
    """Delete, correct and add known numbers of records with distinct keys, then shuffle and renumber."""
    chance = random.Random(seed)
    size = chance.randrange(5, 40)
    rows = [
        (f"{n % 5:02}", "ALT", f"2026-{n // 28 + 1:02}-{n % 28 + 1:02}", n, float(n)) for n in range(size)
    ]
    old = results(*rows)
    deleted, corrected, added = chance.randrange(3), chance.randrange(3), chance.randrange(4)
    order = chance.sample(range(size), size)
    kept = [list(rows[n]) for n in order[deleted:]]
    for row in kept[:corrected]:
        row[4] += 0.5
    kept += [[f"{n % 5:02}", "AST", "2026-05-01", 900 + n, 1.0] for n in range(added)]
    chance.shuffle(kept)
    for number, row in enumerate(kept):
        row[3] = 5000 + number
    assert counts(old, results(*kept)) == (corrected, deleted, added)


@pytest.mark.rule("CMP-02")
def test_withdrawn_participants_are_sorted():
    old = sdtm(DM=pd.DataFrame({"USUBJID": ["03", "01", "02"]}))
    assert _withdrawn(old, sdtm(DM=pd.DataFrame({"USUBJID": ["02"]}))) == ["01", "03"]
    assert _withdrawn(old, old) == []
