"""Seeded defects: planted where the ledger says, nowhere else, the same for the same seed."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pandas as pd
import pytest

from interim.errors import StudyError
from interim.example import write_study
from interim.example.defects import Draft, defects, inject
from interim.example.defects.draft import cell_text, days_between, moved, record_of
from interim.example.defects.registry import _PLANTS, plants

ALL = [f"D{n:02d}" for n in range(1, 61)]


def keyed(name: str, frame: pd.DataFrame) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the records by key, each as the texts of its cells."""
    found: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    columns = [frame[column].map(cell_text) for column in frame.columns]
    for place, cells in enumerate(zip(*columns, strict=True)):
        found[record_of(name, frame, place)].append(cells)
    return found


@pytest.fixture
def clean(made):
    return made("tiny10", 7)


@pytest.fixture
def small():
    """Two participants, two events, one supplemental record."""
    ae = pd.DataFrame(
        {
            "USUBJID": ["S1", "S2"],
            "AESEQ": [1, 1],
            "AETERM": ["Fever", "Rash"],
            "AESTDTC": ["2026-01-01", None],
            "DOSE": [1.5, float("nan")],
        }
    )
    supp = pd.DataFrame({"USUBJID": ["S1"], "IDVARVAL": ["1"], "QNAM": ["AESI"], "QVAL": ["Y"]})
    return {"AE": ae, "SUPPAE": supp}


@pytest.mark.rule("SYN-26")
def test_there_are_60_defects_for_59_rules():
    rows = defects()
    assert list(rows) == ALL
    assert Counter(row.severity for row in rows.values()) == {"stop": 20, "warn": 27, "info": 13}
    assert len({row.rule for row in rows.values()}) == 59
    assert rows["D20"].rule == rows["D21"].rule == "LB-UNIT-DIST"
    assert set(_PLANTS) == set(ALL)


@pytest.mark.rule("SYN-26")
@pytest.mark.parametrize("id", ALL)
def test_a_defect_touches_what_its_ledger_says_and_nothing_else(clean, id):
    made = inject(clean, [id], seed=3)
    assert made.ledger
    assert {line.defect for line in made.ledger} == {id}
    touched = {line.record for line in made.ledger}
    for name, frame in made.frames.items():
        if name not in made.changed:
            assert frame is clean[name]
            continue
        before, after = keyed(name, clean[name]), keyed(name, frame.reindex(columns=clean[name].columns))
        differ = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        added = {column for column in frame.columns if column not in clean[name].columns}
        assert differ <= touched
        assert added <= {line.variable for line in made.ledger}


@pytest.mark.rule("SYN-26")
def test_the_clean_study_is_not_changed(clean):
    before = {name: frame.copy(deep=True) for name, frame in clean.items()}
    inject(clean, ["D05", "D32", "D39"], seed=1)
    for name, frame in clean.items():
        pd.testing.assert_frame_equal(frame, before[name])


@pytest.mark.rule("SYN-26")
def test_the_seed_decides_the_records(clean):
    ledgers = [inject(clean, ["D19", "D57"], seed=seed).ledger for seed in (1, 1, 2, 3)]
    assert ledgers[0] == ledgers[1]
    assert len({ledger for ledger in ledgers}) == 3


@pytest.mark.rule("SYN-27")
def test_defects_of_one_study_have_records_of_their_own(clean):
    ids = ["D09", "D10", "D12", "D13", "D17", "D18", "D19", "D54", "D55", "D56"]
    owners = defaultdict(set)
    for line in inject(clean, ids, seed=5).ledger:
        owners[line.record].add(line.defect)
    assert [record for record, mine in owners.items() if len(mine) > 1] == []


@pytest.mark.rule("SYN-27")
def test_a_record_is_never_drawn_twice(small):
    draft = Draft(small)
    draft.defect = "D99"
    draft.set("AE", draft.pick("AE", [True, False]), AETERM="Cold")
    assert draft.pick("AE", [True, True]) == 1
    with pytest.raises(StudyError, match="D99 needs a record of AE"):
        draft.pick("AE", [True, False])


@pytest.mark.parametrize("ids", [["D00"], ["D01", "D61"], ["D12", "D12"]])
def test_unknown_defects_are_refused(clean, ids):
    with pytest.raises(StudyError, match=f"from D01 to D60; found {', '.join(ids)}"):
        inject(clean, ids, seed=1)


def test_two_functions_for_one_defect_are_refused():
    with pytest.raises(ValueError, match="D01"):
        plants("D01")(lambda draft: None)


def test_cells_are_set_with_their_type(small):
    draft = Draft(small)
    draft.set("AE", 0, DOSE=2.0, AETERM=None, NEW="x")
    frame = draft.frames["AE"]
    assert frame["DOSE"].dtype == float
    assert frame["DOSE"].iloc[0] == 2.0
    assert list(frame["NEW"]) == ["x", None]
    assert frame["AETERM"].iloc[0] is None
    draft.set("AE", 1, DOSE="two")
    assert list(draft.frames["AE"]["DOSE"]) == ["2", "two"]
    assert [(line.variable, line.before, line.after) for line in draft.ledger] == [
        ("DOSE", "1.5", "2"),
        ("AETERM", "Fever", ""),
        ("NEW", "", "x"),
        ("DOSE", "", "two"),
    ]


def test_an_added_record_gets_the_next_number_and_a_copy_keeps_what_is_given(small):
    draft = Draft(small)
    draft.add("AE", {"USUBJID": "S1", "AETERM": "Cough"})
    draft.add("AE", {"USUBJID": "S3", "AETERM": "Cough"})
    draft.copy("AE", 1, AESEQ=1)
    draft.copy("AE", 0, AETERM="Fever again")
    rows = draft.frames["AE"][["USUBJID", "AESEQ", "AETERM"]]
    assert [tuple(row) for row in rows.to_numpy()][2:] == [
        ("S1", 2, "Cough"),
        ("S3", 1, "Cough"),
        ("S2", 1, "Rash"),
        ("S1", 3, "Fever again"),
    ]
    assert len(draft.frames["AE"]["DOSE"]) == 6


def test_a_removed_record_takes_its_supplemental_records_along(small):
    draft = Draft(small)
    draft.remove("AE", [False, True])
    assert len(draft.frames["SUPPAE"]) == 1
    draft.remove("AE", [True])
    assert len(draft.frames["AE"]) == len(draft.frames["SUPPAE"]) == 0
    assert [line.record for line in draft.ledger] == [
        ("AE", "S2", "1"),
        ("AE", "S1", "1"),
        ("SUPPAE", "S1", "1 AESI"),
    ]


def test_places_and_supplemental_values(small):
    draft = Draft(small)
    assert list(draft.supplemental("AE", "AESI")) == ["Y", None]
    assert list(draft.supplemental("AE", "OTHER")) == [None, None]
    assert draft.place("AE", USUBJID="S2", AESEQ=1) == 1
    with pytest.raises(StudyError, match="a record of AE that this study does not have"):
        draft.place("AE", USUBJID="S9")


def test_dates():
    assert moved("2024-02-29", -366) == "2023-02-28"
    assert moved("2025-12-31T23:50+08:00", 1) == "2026-01-01T23:50+08:00"
    assert days_between("2026-01-01", "2025-12-30T10:00") == -2
    with pytest.raises(ValueError, match="Invalid isoformat"):
        moved("2026-02", 1)


@pytest.mark.rule("SYN-26")
def test_files_hold_the_defects_and_the_truth_their_ledger(tmp_path):
    write_study(tmp_path / "a", preset="tiny10", seed=7)
    write_study(tmp_path / "b", preset="tiny10", seed=7, defects=["D53", "D59"])
    differ = {
        file.name
        for file in (tmp_path / "a").glob("*.csv")
        if file.read_bytes() != (tmp_path / "b" / file.name).read_bytes()
    }
    ledger = json.loads((tmp_path / "b" / "truth" / "truth.json").read_text(encoding="utf-8"))["defects"]
    assert differ == {f"{line['domain'].lower()}.csv" for line in ledger}
    assert [line["after"] for line in ledger if line["defect"] == "D53"] == ["76"]
