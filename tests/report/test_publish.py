from __future__ import annotations

import os
import subprocess
import sys

import pytest

from interim.errors import ReportError
from interim.report import publish
from interim.report.publish import building, reserved


@pytest.mark.rule("PUB-01")
def test_published_when_the_block_ends(tmp_path):
    target = tmp_path / "s" / "2026-01-01"
    with building(target) as folder:
        (folder / "a").write_text("1")
        assert not target.exists()
    assert (target / "a").read_text() == "1"
    assert [p.name for p in target.parent.iterdir()] == ["2026-01-01"]


@pytest.mark.rule("PUB-01")
@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_an_error_leaves_the_last_report_whole(tmp_path, error):
    target = tmp_path / "r"
    with building(target) as folder:
        (folder / "a").write_text("good")
    with pytest.raises(type(error)), building(target) as folder:
        (folder / "a").write_text("half")
        raise error
    assert (target / "a").read_text() == "good"
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


@pytest.mark.rule("PUB-01")
def test_full_disk_is_one_clear_line(tmp_path):
    target = tmp_path / "r"
    with (
        pytest.raises(
            ReportError,
            match=r"No space left on device; make room and run again; the last report is unchanged",
        ),
        building(target),
    ):
        raise OSError(28, "No space left on device", "report.pdf")


@pytest.mark.rule("PUB-01")
def test_recovery_after_a_kill_between_the_renames(tmp_path):
    (tmp_path / ".r.previous").mkdir()
    (tmp_path / ".r.previous" / "a").write_text("good")
    (tmp_path / ".r.lock").write_text("999999999")
    with pytest.raises(ValueError, match="stop"), building(tmp_path / "r"):
        raise ValueError("stop")
    assert (tmp_path / "r" / "a").read_text() == "good"


@pytest.mark.rule("PUB-01")
def test_killed_build_leaves_the_last_report(tmp_path):
    target = tmp_path / "r"
    with building(target) as folder:
        (folder / "a").write_text("good")
    code = (
        "import os, sys; from pathlib import Path; from interim.report.publish import building\n"
        "with building(Path(sys.argv[1])) as folder:\n    (folder / 'a').write_text('half'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(target)]).returncode == -9
    assert (target / "a").read_text() == "good"
    with building(target) as folder:
        (folder / "a").write_text("new")
    assert (target / "a").read_text() == "new"


@pytest.mark.rule("PUB-02")
def test_a_second_build_is_refused_and_a_dead_lock_taken_over(tmp_path):
    target = tmp_path / "study" / "2026-06-30"
    told = pytest.raises(ReportError, match=f"is being built by process {os.getpid()} since")
    with reserved(target), told, reserved(target):
        pass
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for left in ("999999999", f"{dead.pid}\n\n\n"):
        lock = target.with_name(f".{target.name}.lock")
        lock.parent.mkdir(exist_ok=True)
        lock.write_text(left, encoding="ascii")
        with reserved(target), building(target, held=True):
            pass
        assert target.exists() and not lock.exists()


@pytest.mark.rule("PUB-02")
def test_a_build_that_publishes_nothing_leaves_no_folder(tmp_path):
    with pytest.raises(ValueError, match="stop"), reserved(tmp_path / "study" / "2026-06-30"):
        raise ValueError("stop")
    assert not list(tmp_path.iterdir())


@pytest.mark.rule("PUB-01")
def test_a_target_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="choose another folder"), building(tmp_path / "file" / "r"):
        pass


@pytest.mark.rule("PUB-03")
@pytest.mark.parametrize("full", ["report", "temporary"])
def test_the_full_folder_is_named_that_of_temporary_files_included(tmp_path, monkeypatch, full):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(publish.tempfile, "gettempdir", lambda: str(temporary))
    usage = type("Usage", (), {})

    def free(folder):
        found = usage()
        found.free = 0 if (folder == temporary) == (full == "temporary") else 10
        return found

    monkeypatch.setattr(publish.shutil, "disk_usage", free)
    told = pytest.raises(ReportError, match="No space left on device")
    with told as caught, building(tmp_path / "r" / "2026-06-30"):
        raise OSError(28, "No space left on device")
    named = str(temporary) if full == "temporary" else ".2026-06-30.building"
    assert named in str(caught.value).partition(": No space")[0]
