"""The files of a study: the same bytes in any process, and the same content when they are read back."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from interim.data.opening import read_data
from interim.data.typed import type_domain
from interim.example import write_study
from interim.example.course import draw_class
from interim.example.plan import Person, Slot, plan_people
from interim.example.settings import numbers
from interim.example.traits import draw_traits
from interim.example.write import true_values
from interim.study import read_study

PRESETS = ["main13", "tiny10", "full18"]
SEED = 20251225
WRITE = (
    "import sys; from interim.example import write_study; write_study(sys.argv[1], preset='tiny10', seed=7)"
)


def hashes(folder):
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*.*")
    }


@pytest.mark.rule("SYN-18")
def test_another_process_writes_the_same_bytes(tmp_path):
    write_study(tmp_path / "here", preset="tiny10", seed=7)
    environment = {**os.environ, "PYTHONHASHSEED": "123", "TZ": "America/New_York", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(tmp_path / "there")],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert hashes(tmp_path / "here") == hashes(tmp_path / "there")


@pytest.mark.rule("SYN-18")
@pytest.mark.parametrize("preset", PRESETS)
def test_the_reader_gives_back_what_was_made(tmp_path, made, preset):
    write_study(tmp_path / "raw", preset=preset, seed=SEED)
    file = tmp_path / "study.toml"
    file.write_text('[study]\nid = "SYN-NKG2D-01"\n[data]\npath = "raw"\ncut_date = 2026-06-30\n')
    sdtm = read_data(read_study(file))
    assert sdtm.findings == ()
    assert sdtm.ledger == ()
    frames = made(preset, SEED)
    assert set(sdtm.domains) == set(frames)
    for name, frame in frames.items():
        wanted = type_domain(name, frame.astype(object).where(frame.notna(), None)).frame
        read = sdtm.domain(name).drop(columns=["SRCFILE", "SRCROW"])
        pd.testing.assert_frame_equal(read, wanted, rtol=1e-9)
        assert sdtm.domain(name)["SRCROW"].tolist() == list(range(2, len(frame) + 2))


@pytest.mark.rule("SYN-18")
def test_writing_again_replaces_files_and_leaves_others(tmp_path):
    write_study(tmp_path, preset="tiny10", seed=7)
    before = hashes(tmp_path)
    (tmp_path / "notes.md").write_text("mine")
    (tmp_path / "dm.csv").write_text("broken")
    write_study(tmp_path, preset="tiny10", seed=7)
    assert (tmp_path / "notes.md").read_text() == "mine"
    (tmp_path / "notes.md").unlink()
    assert hashes(tmp_path) == before


@pytest.mark.rule("SYN-18")
@pytest.mark.parametrize("preset", PRESETS)
def test_seeds_change_values_and_not_the_path(made, preset):
    one, two = made(preset, SEED), made(preset, 1)
    assert one["DM"]["ARMCD"].tolist() == two["DM"]["ARMCD"].tolist()
    assert one["DM"]["AGE"].tolist() != two["DM"]["AGE"].tolist()
    assert set(one) == set(two)
    assert all(list(one[name].columns) == list(two[name].columns) for name in one)


@pytest.mark.rule("SYN-19")
@pytest.mark.parametrize("preset", PRESETS)
def test_the_truth_names_every_participant(made, preset):
    truth = true_values(preset, SEED)
    assert truth["label"] == "SYNTHETIC - NOT PATIENT DATA"
    assert truth["dlt_probability"] == numbers("ae.DLT_prob_by_dose")
    people = truth["participants"]
    assert list(people) == made(preset, SEED)["DM"]["USUBJID"].tolist()
    for who, arm in made(preset, SEED)["DM"].set_index("USUBJID")["ARMCD"].items():
        assert people[who]["arm"] == arm
        assert bool(people[who]["response"]) is arm.startswith(("DL", "NK"))
    text = json.dumps(truth)
    assert "NaN" not in text


@pytest.mark.rule("SYN-24", source="pooled response rate 9 to 14% without an effect of the ligand")
def test_the_pooled_response_rate_without_ligand_effect():
    people = plan_people("main13", 1)
    levels = [p.level for p in people if p.level is not None]
    first = Person(0, Slot("DL1", "ANY"), 2, "null", people[0].day0, -10, -8, 10, 400)
    drawn = []
    for number in range(2600):
        who = replace(first, number=number, slot=Slot(f"DL{levels[number % len(levels)]}", "ANY"))
        traits = replace(draw_traits(who), ligands={})
        drawn.append(draw_class(who.rng("class"), who, traits=traits, scans=5).startswith("PR"))
    error = np.sqrt(0.11 * 0.89 / len(drawn))
    assert 0.09 - error < np.mean(drawn) < 0.14 + error
