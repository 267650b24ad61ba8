"""Data that are opened in a process of their own while this one imports: the same data, the same errors."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

import interim.adam
from interim.adam import Opened
from interim.errors import DataError, Finding, Problem, StudyError
from interim.report import workers
from interim.report.cache import Cache
from interim.report.privacy import opening
from interim.report.registry import questions
from interim.report.traced import digest
from interim.report.warm import warm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
STOP = Finding(
    "XD-TYPE", "stop", "LB", "not a number", subject="01-001", key=("1", "ALT"), file="lb.csv", row=7
)
WARN = replace(STOP, rule="LB-ULN", severity="warn")


@pytest.fixture
def forks(monkeypatch):
    """One thread, as the command line leaves it."""
    monkeypatch.setattr(workers, "_system_threads", lambda: 1)
    monkeypatch.setattr(workers.threading, "active_count", lambda: 1)


@pytest.fixture
def study(hand_inputs, monkeypatch):
    """Return the hand-made study as it is opened by some workers; the rooms below leave a file with their process."""

    def made(count, said, error=None):
        def open_adam(study, change, keep):
            said.write_text(str(os.getpid()))
            if error is not None:
                raise error
            return Opened(change(hand_inputs.sdtm), hand_inputs.adam)

        monkeypatch.setattr(interim.adam, "open_adam", open_adam)
        report = hand_inputs.study.report.model_copy(update={"workers": count})
        return hand_inputs.study.model_copy(update={"report": report})

    return made


@pytest.mark.rule("WORK-06", source="decision 317")
@pytest.mark.parametrize("count", [1, 2])
def test_data_that_are_opened_beside_are_those_of_one_process(count, study, forks, tmp_path):
    said, keep = tmp_path / "pid", {}
    here = opening.open_private(study(1, said), keep=keep)
    there = opening.open_private(study(count, said), cache=Cache(None))
    assert (int(said.read_text()) == os.getpid()) == (count == 1)
    assert there.known == here.known and set(keep) == set(there.known.participant | there.known.short) & set(
        keep
    )
    assert there.study.resolved() | {"report": 0} == here.study.resolved() | {"report": 0}
    for own, other, frames in (
        (here.sdtm, there.sdtm, "domains"),
        (here.adam, there.adam, "datasets"),
    ):
        one, two = getattr(own, frames), getattr(other, frames)
        assert list(one) == list(two) and isinstance(two, MappingProxyType)
        assert [digest(one[name]) for name in one] == [digest(two[name]) for name in two]
        assert (own.findings, own.rules) == (other.findings, other.rules)


@pytest.mark.rule("WORK-06")
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    ("error", "carried"),
    [
        (DataError([WARN, STOP]), "findings"),
        (StudyError([Problem("data.path", "absent", "study.toml", 3), Problem("cut", "late")]), "problems"),
        (StudyError("one"), "problems"),
    ],
)
def test_what_is_wrong_is_told_as_by_one_process(error, carried, count, study, forks, tmp_path):
    with pytest.raises(type(error)) as raised:
        opening.open_private(study(count, tmp_path / "pid", error), cache=Cache(None))
    assert str(raised.value) == str(error)
    assert getattr(raised.value, carried) == getattr(error, carried)


@pytest.mark.rule("WORK-06")
def test_the_error_of_a_process_beside_names_its_lines(forks):
    def fails():
        return Path("nowhere").read_bytes()

    with (
        pytest.raises(FileNotFoundError) as raised,
        workers.beside(fails, workers=2) as answer,
    ):
        answer()
    assert "in fails" in raised.value.__notes__[0] and Path(__file__).name in raised.value.__notes__[0]


@pytest.mark.rule("WORK-06")
def test_what_questions_and_notebooks_import_is_in_memory_before_they_are_forked():
    warm(Path())
    rooms = {f"interim.analysis.{name.partition('.')[0]}" for name in questions()}
    assert len(rooms) > 1 and rooms | {"papermill", "matplotlib.pyplot"} <= set(sys.modules)
