"""Replay: the results of an earlier day, made today from today's files, are the bytes that were stored on that day."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from inspect import signature
from pathlib import Path

import pandas as pd
import pytest

from interim.adam import build_adam
from interim.data import open_data
from interim.example import make_study
from interim.example.asof import as_of
from interim.example.write import write_frames
from interim.report.registry import registry
from interim.study import read_study

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2025, 11, 1)
# Designs and scenarios rest on parameters alone and are the slow ones.
PLANNING = ("expansion", "escalation_design", "readings", "benefit_risk_utility")
QUESTIONS = tuple(dict.fromkeys(tlf.analysis for tlf in registry() if not tlf.analysis.startswith(PLANNING)))


@dataclass(frozen=True)
class Run:
    """A study opened and derived."""

    study: object
    sdtm: object
    adam: object


def run(folder, frames, cut, *, day=None) -> Run:
    write_frames(folder / "raw", frames, {})
    base = (ROOT / "params" / "example.toml").as_posix()
    text = f'extends = "{base}"\n[data]\npath = "raw"\ncut_date = {cut}\n'
    (folder / "study.toml").write_text(text, encoding="utf-8")
    study = read_study(folder / "study.toml", cut_date=day)
    sdtm = open_data(study)
    return Run(study, sdtm, build_adam(sdtm, study))


@pytest.fixture(scope="module")
def frames():
    return make_study("tiny10")


@pytest.fixture(scope="module")
def both(tmp_path_factory, frames):
    """Today's delivery replayed at the day, and the delivery of that day."""
    home = tmp_path_factory.mktemp("replay")
    now = run(home / "now", frames, "2026-06-30", day=DAY.isoformat())
    return now, run(home / "then", as_of(frames, DAY), DAY)


@pytest.fixture(scope="module")
def turned(tmp_path_factory, frames):
    """The delivery of that day, each file from its last row to its first."""
    made = {name: frame.iloc[::-1].reset_index(drop=True) for name, frame in as_of(frames, DAY).items()}
    return run(tmp_path_factory.mktemp("turned"), made, DAY)


def stored(data: Run, name: str, file: Path) -> bytes:
    """Return the bytes under which the frame of a question is stored, without what tells one file from another."""
    module, _, function = name.partition(".")
    question = getattr(import_module(f"interim.analysis.{module}"), function)
    more = (data.sdtm,) if "sdtm" in signature(question).parameters else ()
    frame = question(data.adam, data.study, *more).frame
    if name == "data_quality.snapshot":
        frame = frame[~frame["stat"].isin(["file_records", "sha256"])].reset_index(drop=True)
    if name == "data_quality.findings":
        frame = frame.assign(text=frame["text"].str.replace(r" row \d+", "", regex=True))
    frame.to_parquet(file, index=False)
    return file.read_bytes()


@pytest.mark.rule(
    "REPLAY-03", source="data contract 7: replaying a past cut gives the same bytes as on that day"
)
def test_results_of_a_replay_are_the_bytes_of_the_day(both, tmp_path):
    now, then = both
    differ = [
        name
        for name in QUESTIONS
        if stored(now, name, tmp_path / "now.parquet") != stored(then, name, tmp_path / "then.parquet")
    ]
    assert differ == []
    assert len(QUESTIONS) > 60


@pytest.mark.rule("CUT-08", source="data contract 7: row order is irrelevant")
def test_rows_in_another_order_give_the_same_results(both, turned, tmp_path):
    """Only the finding that the samples of a profile were not delivered in the order of time tells of the order."""
    differ = {
        name
        for name in QUESTIONS
        if stored(turned, name, tmp_path / "a.parquet") != stored(both[1], name, tmp_path / "b.parquet")
    }
    assert differ <= {"data_quality.checks", "data_quality.findings"}
    ordered = {(f.rule, f.id) for f in both[1].adam.findings}
    assert {f.rule for f in turned.adam.findings if (f.rule, f.id) not in ordered} <= {"CK-SORT"}


@pytest.mark.rule("REPLAY-03")
def test_analysis_datasets_of_a_replay_are_the_bytes_of_the_day(both, tmp_path):
    now, then = both
    assert list(now.adam.datasets) == list(then.adam.datasets)
    for name, frame in then.adam.datasets.items():
        sums = set()
        for place, table in (("now", now.adam[name]), ("then", frame)):
            table.to_parquet(tmp_path / f"{place}.parquet", index=False)
            sums.add(hashlib.sha256((tmp_path / f"{place}.parquet").read_bytes()).hexdigest())
        assert len(sums) == 1, name
    assert now.adam.missing == then.adam.missing


@pytest.mark.rule("REPLAY-03")
def test_the_day_differs_from_today(both):
    now, _ = both
    today = run_today(now)
    assert len(today.sdtm.domains["AE"]) > len(now.sdtm.domains["AE"])
    assert today.adam["ADSL"]["DCUTDT"].iloc[0] == pd.Timestamp("2026-06-30")
    assert now.adam["ADSL"]["DCUTDT"].iloc[0] == pd.Timestamp(DAY)


def run_today(now: Run) -> Run:
    study = read_study(now.study.file)
    sdtm = open_data(study)
    return Run(study, sdtm, build_adam(sdtm, study))
