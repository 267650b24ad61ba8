"""The mutation score: a sample of it, and the parts that make it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from interim.adam import open_adam
from interim.data.check.context import Context
from interim.errors import DataError, Finding
from interim.example import write_study
from interim.example.defects import Defective, Touched, defects, inject
from interim.example.mutation import CellReport, Examiner, Pair, Score, Single, score_page
from interim.example.mutation.cells import PRIMARY, READ, damage, primary
from interim.example.mutation.examine import typed
from interim.example.mutation.page import silent_before
from interim.example.mutation.score import disjoint, found_in, score_pairs, score_singles
from interim.study import read_study

ROOT = Path(__file__).resolve().parents[2]
PRESET, SEED = "tiny10", 7


@pytest.fixture(scope="module")
def study():
    return read_study(ROOT / "params" / "example.toml")


@pytest.fixture(scope="module")
def frames():
    from tests.example.conftest import study as made

    return made(PRESET, SEED)


@pytest.fixture(scope="module")
def examiner(frames, study):
    return Examiner(frames, study)


@pytest.mark.rule("MUT-01")
def test_every_defect_alone_is_found(examiner, frames):
    scored = score_singles(examiner, frames, seed=1)
    assert len(scored) == 60
    assert [one.defect for one in scored if not one.found] == []


@pytest.mark.rule("MUT-02")
def test_both_defects_of_20_pairs_are_found(examiner, frames):
    pairs = score_pairs(examiner, frames, seed=5, number=20)
    assert len({pair.defects for pair in pairs}) == 20
    assert [pair for pair in pairs if not all(pair.found)] == []


@pytest.mark.rule("MUT-03")
def test_the_clean_study_has_no_finding(examiner, frames):
    assert examiner.findings(frames) == ()


@pytest.mark.rule("MUT-04")
def test_a_variant_in_memory_has_the_findings_of_its_files(examiner, frames, tmp_path):
    ids = ["D12", "D20", "D34", "D59"]
    write_study(tmp_path / "data", preset=PRESET, seed=SEED, defects=ids)
    file = tmp_path / "study.toml"
    base = (ROOT / "params" / "example.toml").as_posix()
    file.write_text(f'extends = "{base}"\n[data]\npath = "data"\n', encoding="utf-8")
    with pytest.raises(DataError) as caught:
        open_adam(read_study(file))
    made = inject(frames, ids, seed=SEED)
    found = examiner.findings(made.frames)
    assert {(f.id, f.message) for f in found} == {(f.id, f.message) for f in caught.value.findings}
    assert {"AE-ORDER", "LB-UNIT-DIST", "RS-DERIV", "XD-TRIM"} <= {f.rule for f in found}


@pytest.mark.rule("MUT-04")
def test_a_check_that_is_not_run_again_would_have_said_the_same(examiner, frames, study):
    made = inject(frames, ["D44", "D13"], seed=2)
    quick = examiner.findings(made.frames)
    whole = Examiner(made.frames, study).findings(made.frames)
    assert sorted(map(str, quick)) == sorted(map(str, whole))
    assert {f.rule for f in quick} >= {"PC-TAD", "AE-G5"}


def test_an_examiner_of_a_damaged_study_keeps_its_findings(frames, study):
    damaged = inject(frames, ["D44"], seed=2).frames
    examiner = Examiner(damaged, study)
    other = {**damaged, "AE": damaged["AE"].copy()}
    assert "PC-TAD" in {f.rule for f in examiner.findings(other)}
    assert examiner.findings(other, only={"AE-G5"}) == ()


def test_domains_that_are_the_same_are_not_converted_again(examiner, frames, study):
    sdtm = examiner.sdtm(frames)
    first = Context(sdtm, study)
    second = Context(examiner.sdtm({**frames, "AE": frames["AE"].copy()}), study, like=first)
    assert second.domains["LB"] is first.domains["LB"]
    assert second.domains["AE"] is not first.domains["AE"]


def test_typing_as_from_a_file():
    frame = pd.DataFrame({"USUBJID": ["S1"], "AESEQ": [1], "AETERM": [" Fever"], "AETOXGR": ["２"]})
    made = typed("AE", frame)
    assert list(made.frame[["AESEQ", "AETERM", "AETOXGR", "SRCFILE", "SRCROW"]].iloc[0]) == [
        1.0,
        "Fever",
        "2",
        "ae.csv",
        2,
    ]
    assert [finding.rule for finding in made.findings] == ["XD-TRIM", "XD-TRIM"]


def touched(defect, subject, key="1"):
    return Touched(defect, "LB", subject, key, "LBSTRESN", "1", "2")


def finding(rule, subject, key="1", severity="stop"):
    return Finding(rule, severity, "LB", "wrong", subject=subject, key=(key,))


@pytest.mark.rule("MUT-02")
@pytest.mark.parametrize(
    ("ids", "findings", "expected"),
    [
        (["D20"], [finding("LB-UNIT-DIST", "S1")], {"D20": True}),
        (["D20"], [finding("LB-UNIT-DIST", "S2")], {"D20": False}),
        (["D20"], [finding("LB-UNIT-DIST", "S1", severity="warn")], {"D20": False}),
        (["D20"], [finding("LB-REF", "S1")], {"D20": False}),
        (["D20"], [], {"D20": False}),
        # two defects of one rule need two findings, not one twice
        (["D20", "D21"], [finding("LB-UNIT-DIST", "S1"), finding("LB-UNIT-DIST", "S1")], {"D20": False, "D21": False}),
        (["D20", "D21"], [finding("LB-UNIT-DIST", "S1"), finding("LB-UNIT-DIST", "S1", "2")], {"D20": True, "D21": True}),
    ],
)  # fmt: skip
def test_when_a_defect_counts_as_found(ids, findings, expected):
    made = Defective({}, tuple(touched(id, "S1", key) for key, id in enumerate(ids, 1)))
    assert found_in(made, findings) == expected


@pytest.mark.rule("MUT-02")
def test_pairs_touch_disjoint_records(frames):
    made, _ = disjoint(frames, ("D05", "D06"), seed=1)
    records = [{line.record for line in made.ledger if line.defect == id} for id in ("D05", "D06")]
    assert records[0]
    assert records[1]
    assert not records[0] & records[1]


@pytest.mark.rule("MUT-02")
def test_a_pair_without_disjoint_records_is_given_up(frames):
    one = frames["DM"]["ARMCD"].str.startswith("DL") & ~frames["DM"]["ARMCD"].str.startswith(
        "DL"
    ).cumsum().gt(1)
    few = {**frames, "DM": frames["DM"][one].reset_index(drop=True)}
    assert disjoint(few, ("D53", "D01"), seed=1)[0] is None


@pytest.mark.rule("MUT-05")
@pytest.mark.parametrize("seed", range(12))
def test_damage_is_another_value_of_its_kind(seed):
    rng = np.random.default_rng(seed)
    dates = pd.Series(["2026-01-31", "2026-03-01", None], dtype=object)
    kind, value = damage(rng, dates, 0)
    assert kind in ("blanked", "moved", "exchanged")
    if kind == "moved":
        assert 1 <= abs((pd.Timestamp(value) - pd.Timestamp("2026-01-31")).days) <= 30
    if kind == "exchanged":
        assert value == "2026-03-01"
    kind, value = damage(rng, pd.Series([1.5, 2.5]), 1)
    assert (kind, value) in (("blanked", None), ("tenfold", 25.0), ("exchanged", 1.5))
    kind, value = damage(rng, pd.Series(["A", "A"], dtype=object), 0)
    assert (kind, value) == ("blanked", None)


@pytest.mark.rule("MUT-05")
def test_the_primary_tables_read_the_named_domains_only(examiner, frames, study):
    few = primary(examiner.sdtm(frames), study)
    whole = primary(examiner.sdtm(frames), study, domains=tuple(frames))
    assert few == whole
    assert set(few) == set(PRIMARY)
    assert "LB" not in READ


SCORE = Score(
    (Single("D01", 1, True), Single("D01", 2, False), Single("D02", 1, True), Single("D02", 2, True)),
    (Pair(("D01", "D02"), 4, (True, True)), Pair(("D03", "D04"), 9, (False, True))),
    (
        CellReport("AE", "S1", "1", "AETOXGR", "exchanged", "2", "3", "silent", ("T 14.3.1.1",)),
        CellReport("AE", "S1", "2", "AETERM", "blanked", "Fever", "", "found"),
        CellReport("VS", "S1", "2", "VSTEST", "blanked", "Pulse", "", "without effect"),
        CellReport("VS", "S1", "3", "VSTEST", "blanked", "Pulse", "", "without effect"),
    ),
)


@pytest.mark.rule("MUT-06")
def test_the_page_states_what_was_tried():
    page = score_page(SCORE, ("T 14.1.1.2", "T 14.3.1.1"))
    assert "| defects found in every seed | 1 of 2 |" in page
    assert "| pairs of which both were found | 1 of 2 |" in page
    assert "| changed a primary table without any finding | 1 of 4 |" in page
    # Clopper-Pearson of 1 in 4: 0.63 % to 80.59 % (binom.test of R 4.3)
    assert "25.0 (0.6 to 80.6)" in page
    assert "| D01 | DM | duplicate participant row | DM-UNIQ | stop | 1 of 2 |" in page
    assert "| D03 and D04 | 9 | D03 |" in page
    assert "| AE.AETOXGR | exchanged | 2 | 3 | T 14.3.1.1 |" in page
    assert "| blanked | 1 | 0 | 2 |" in page
    assert "| total | 1 | 1 | 2 |" in page
    assert "The primary tables are T 14.1.1.2, T 14.3.1.1." in page


@pytest.mark.rule("MUT-06")
def test_the_share_is_read_back_from_the_page():
    assert silent_before(score_page(SCORE, ("T 14.1.1.2",))) == 0.25
    without = Score(SCORE.singles, (), ())
    assert silent_before(score_page(without, ())) is None
    assert "One damaged cell" not in score_page(without, ())
    assert not SCORE.complete
    assert Score(SCORE.singles[2:], SCORE.pairs[:1], ()).complete


@pytest.mark.rule("MUT-06")
def test_the_published_page_is_whole():
    page = (ROOT / "docs" / "mutation.md").read_text(encoding="utf-8")
    assert "| defects found in every seed | 60 of 60 |" in page
    assert "| pairs of which both were found | 200 of 200 |" in page
    share = silent_before(page)
    assert share is not None
    assert all(f"| {id} | " in page and "3 of 3 |" in page for id in defects())
