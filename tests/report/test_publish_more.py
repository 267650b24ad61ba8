"""Publishing when the disk is full, a rename fails or a lock is odd: the last report stays."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from interim.errors import ReportError
from interim.report import publish
from interim.report.publish import building


@pytest.fixture
def target(tmp_path) -> Path:
    """A report that was published before."""
    place = tmp_path / "r"
    with building(place) as folder:
        (folder / "a").write_text("good")
    return place


def full(*_args, **_more):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")


def left(target: Path) -> dict[str, str]:
    """The published files; nothing else lies beside them."""
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    return {path.name: path.read_text() for path in target.iterdir()}


def rebuild(target: Path, text: str = "new") -> None:
    with building(target) as folder:
        (folder / "a").write_text(text)


@pytest.mark.rule("PUB-01")
@pytest.mark.parametrize("failing", ["write_text", "mkdir"])
def test_a_full_disk_while_building(target, monkeypatch, failing):
    with monkeypatch.context() as patch:
        patch.setattr(Path, failing, full)
        with pytest.raises(ReportError, match="No space left"):
            rebuild(target)
    assert left(target) == {"a": "good"}
    rebuild(target)
    assert left(target) == {"a": "new"}


@pytest.mark.rule("PUB-01")
@pytest.mark.parametrize("which", [1, 2])
def test_a_rename_that_fails_puts_the_last_report_back(target, monkeypatch, which):
    true, calls = Path.rename, []

    def rename(self, other):
        calls.append(self.name)
        if len(calls) == which:
            full()
        return true(self, other)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(ReportError, match="the last report is unchanged"):
            rebuild(target)
    assert left(target) == {"a": "good"}
    rebuild(target)
    assert left(target) == {"a": "new"}


@pytest.mark.rule("PUB-01")
def test_a_first_report_that_cannot_be_renamed_leaves_nothing(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        with pytest.raises(ReportError, match="No space left"):
            rebuild(tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.rule("PUB-01")
def test_remains_of_an_older_build_do_not_enter_the_new_one(target):
    work = target.with_name(".r.building")
    work.mkdir()
    (work / "half").write_text("old")
    rebuild(target)
    assert left(target) == {"a": "new"}


@pytest.mark.rule("PUB-01")
def test_a_previous_report_beside_a_published_one_is_removed(target):
    previous = target.with_name(".r.previous")
    previous.mkdir()
    (previous / "a").write_text("older")
    with pytest.raises(ValueError, match="stop"), building(target):
        raise ValueError("stop")
    assert left(target) == {"a": "good"}


@pytest.mark.rule("PUB-02")
@pytest.mark.parametrize("owner", ["", "not a number", "-1", "999999999"])
def test_a_lock_without_a_living_owner_is_taken_over(target, owner):
    target.with_name(".r.lock").write_text(owner)
    rebuild(target)
    assert left(target) == {"a": "new"}


@pytest.mark.rule("PUB-02")
def test_the_lock_of_a_living_process_stays(target, monkeypatch):
    lock = target.with_name(".r.lock")
    lock.write_text(str(os.getppid()))
    with pytest.raises(ReportError, match=f"process {os.getppid()}; wait"):
        rebuild(target)
    assert lock.exists() and (target / "a").read_text() == "good"

    def foreign(pid, signal):
        raise PermissionError

    monkeypatch.setattr(publish.os, "kill", foreign)
    with pytest.raises(ReportError, match="is being built"):
        rebuild(target)


@pytest.mark.rule("PUB-02")
def test_a_lock_that_comes_back_is_named(target, monkeypatch):
    lock = target.with_name(".r.lock")
    lock.write_text("x")
    monkeypatch.setattr(Path, "rename", lambda self, target: None)
    with pytest.raises(ReportError, match=r"\.r\.lock: the lock cannot be taken"):
        rebuild(target)


@pytest.mark.rule("PUB-01")
def test_an_error_of_the_report_keeps_its_own_words(target):
    with pytest.raises(ReportError, match=r"^chapter 3 failed$"), building(target):
        raise ReportError("chapter 3 failed")
    assert left(target) == {"a": "good"}


@pytest.mark.rule("PUB-02")
def test_two_targets_in_one_folder_do_not_wait_for_each_other(tmp_path):
    with building(tmp_path / "one") as one, building(tmp_path / "two") as two:
        assert one != two
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
