from __future__ import annotations

import os
import subprocess
import sys

import pytest

from interim.errors import ReportError
from interim.report.publish import building


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
def test_second_build_is_refused_and_a_dead_lock_taken_over(tmp_path):
    target = tmp_path / "r"
    with building(target), pytest.raises(ReportError, match=f"process {os.getpid()}"), building(target):
        pass
    (tmp_path / ".r.lock").write_text("999999999")
    with building(target):
        pass
    assert target.exists()


@pytest.mark.rule("PUB-01")
def test_a_target_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="choose another folder"), building(tmp_path / "file" / "r"):
        pass
