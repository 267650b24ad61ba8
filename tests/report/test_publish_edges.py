"""Publishing beside damaged locks, beside files in the way, in folders without rights, and in turns."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from interim.errors import ReportError
from interim.report import publish
from interim.report.publish import building


def build(target: Path, text: str = "new") -> None:
    with building(target) as folder:
        (folder / "a").write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.rule("PUB-02")
@pytest.mark.parametrize(
    "owner",
    [b"", b"0", b"-5", b"1.5", b"12 34", b"\xff\xfe", b"9" * 10, b"9" * 30, "²".encode(), b"pid\n", b"\x00"],
)
def test_any_text_in_a_lock_that_names_no_living_process_is_taken_over(owner, tmp_path):
    (tmp_path / ".r.lock").write_bytes(owner)
    build(tmp_path / "r")
    assert names(tmp_path) == ["r"]


@pytest.mark.rule("PUB-02")
@pytest.mark.parametrize("text", ["{}", " {}\n", "{}\n\n"])
def test_a_lock_of_a_living_process_is_respected_whatever_white_space(text, tmp_path):
    (tmp_path / ".r.lock").write_text(text.format(os.getpid()))
    with pytest.raises(ReportError, match=f"is being built by process {os.getpid()}"):
        build(tmp_path / "r")
    assert names(tmp_path) == [".r.lock"]


@pytest.mark.rule("PUB-02")
def test_a_build_inside_a_build_is_refused_and_the_outer_one_is_published(tmp_path):
    with building(tmp_path / "r") as folder:
        (folder / "a").write_text("outer")
        with pytest.raises(ReportError, match="is being built by process"):
            build(tmp_path / "r", "inner")
        assert (folder / "a").read_text() == "outer"
    assert (tmp_path / "r" / "a").read_text() == "outer" and names(tmp_path) == ["r"]


@pytest.mark.rule("PUB-02")
def test_one_of_two_processes_at_once_is_refused(tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom interim.report.publish import building\n"
        "with building(Path(sys.argv[1])) as f:\n (f / 'a').write_text('other'); print('in', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "r")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "in\n"
        with pytest.raises(ReportError, match=f"by process {other.pid}"):
            build(tmp_path / "r")
        other.stdin.close()
        assert other.wait(20) == 0
    assert (tmp_path / "r" / "a").read_text() == "other"
    build(tmp_path / "r")
    assert (tmp_path / "r" / "a").read_text() == "new"


STATES = {
    "nothing": ((), "new", None),
    "a report": (("r",), "new", "r"),
    "killed while building": (("r", ".r.building"), "new", "r"),
    "killed between the renames": ((".r.previous", ".r.building"), "new", ".r.previous"),
    "killed after the renames": (("r", ".r.previous"), "new", "r"),
    "killed in the first build": ((".r.building",), "new", None),
}


@pytest.mark.rule("PUB-01")
@pytest.mark.parametrize("fails", [False, True], ids=["built", "failed"])
@pytest.mark.parametrize("state", list(STATES))
def test_from_every_state_that_a_kill_leaves(state, fails, tmp_path):
    """A good build replaces; a failing one leaves the last good report, wherever the kill had left it."""
    present, _, last_good = STATES[state]
    for name in present:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
    if not fails:
        build(tmp_path / "r")
        assert (tmp_path / "r" / "a").read_text() == "new" and names(tmp_path) == ["r"]
        return
    with pytest.raises(KeyboardInterrupt), building(tmp_path / "r") as folder:
        assert names(folder) == []
        raise KeyboardInterrupt
    assert names(tmp_path) == ([] if last_good is None else ["r"])
    assert last_good is None or (tmp_path / "r" / "a").read_text() == last_good


@pytest.mark.rule("PUB-01")
@pytest.mark.parametrize("place", ["parent", "target"])
def test_a_file_in_the_way_is_named(place, tmp_path):
    (tmp_path / "file").write_text("mine")
    target = tmp_path / "file" / "r" if place == "parent" else tmp_path / "file"
    with pytest.raises(ReportError, match="cannot be written"):
        build(target)
    assert (tmp_path / "file").read_text() == "mine" and names(tmp_path) == ["file"]


@pytest.mark.rule("PUB-01")
@pytest.mark.parametrize("call", ["mkdir", "open"])
def test_a_folder_without_rights_is_one_line_and_nothing_is_touched(call, tmp_path, monkeypatch):
    """Refused by the system, so that it also holds where the tests run with all rights."""
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "a").write_text("good")

    def refuse(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, call, refuse)
    with pytest.raises(ReportError) as caught, building(tmp_path / "r"):
        pass
    monkeypatch.undo()
    assert "cannot be written (Permission denied; choose another folder)" in str(caught.value)
    assert (tmp_path / "r" / "a").read_text() == "good" and names(tmp_path) == ["r"]


@pytest.mark.rule("PUB-01")
def test_what_a_build_made_of_folders_and_links_is_published_whole(tmp_path):
    with building(tmp_path / "deep" / "er" / "r") as folder:
        shutil.copytree(Path(__file__).parent, folder / "x", ignore=lambda d, n: [f for f in n if f != "conftest.py"])  # fmt: skip
        (folder / "link").symlink_to("x")
    assert names(tmp_path / "deep" / "er" / "r") == ["link", "x"]
    assert (tmp_path / "deep" / "er" / "r" / "link" / "conftest.py").is_file()


def test_this_process_and_its_parent_live():
    assert publish._alive(os.getpid()) is True
    assert publish._alive(os.getppid()) is True


@pytest.mark.parametrize("pid", [0, 2**31 - 1, 10**30])
def test_a_number_of_no_process_does_not_live(pid):
    assert publish._alive(pid) is False


def test_a_process_of_another_user_lives(monkeypatch):
    def refuse(pid, number):
        raise PermissionError

    monkeypatch.setattr(publish.os, "kill", refuse)
    assert publish._alive(5)


@pytest.mark.rule("PUB-02")
def test_the_refusal_names_process_and_start(tmp_path):
    with building(tmp_path / "r"), pytest.raises(ReportError) as caught, building(tmp_path / "r"):
        pass
    expected = rf"r: is being built by process {os.getpid()} since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d; wait for it, or stop it"
    assert re.search(expected, str(caught.value))


@pytest.mark.rule("PUB-02")
@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="the system does not tell when a process started"
)
def test_a_lock_of_an_earlier_process_with_the_same_number_is_taken_over(tmp_path):
    (tmp_path / ".r.lock").write_text(f"{os.getpid()}\n1\n2026-01-01T00:00:00\n")
    with building(tmp_path / "r") as folder:
        (folder / "a").write_text("1")
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


@pytest.mark.rule("PUB-02")
def test_a_lock_that_another_build_took_meanwhile_stays(tmp_path, monkeypatch):
    lock = tmp_path / ".r.lock"
    lock.write_text("999999999")
    read = Path.read_text

    def slow(self, *args, **kwargs):
        text = read(self, *args, **kwargs)
        if self == lock:
            lock.write_text(f"{os.getpid()}")
        return text

    monkeypatch.setattr(Path, "read_text", slow)
    with pytest.raises(ReportError, match="is being built by process"), building(tmp_path / "r"):
        pass
    assert lock.exists()


@pytest.mark.rule("PUB-03")
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            OSError(28, "No space left on device", "a"),
            "a: No space left on device; make room and run again; the last report is unchanged",
        ),
        (
            OSError("[Errno 28] Error writing bytes. Detail: No space left on device"),
            "No space left on device; make room and run again; the last report is unchanged",
        ),
        (
            OSError(30, "Read-only file system", "a"),
            "a: Read-only file system; choose another folder; the last report is unchanged",
        ),
        (OSError("odd"), "odd; the last report is unchanged"),
    ],
)
def test_an_error_of_the_system_says_what_to_do(tmp_path, error, expected):
    target = tmp_path / "r"
    with building(target) as folder:
        (folder / "a").write_text("good")
    with pytest.raises(ReportError) as caught, building(target):
        raise error
    assert expected in str(caught.value)
    assert (target / "a").read_text() == "good"


@pytest.mark.rule("PUB-03")
@pytest.mark.parametrize("place", ["mkdir", "rename"])
def test_a_disk_that_fills_at_any_moment_leaves_the_last_report(tmp_path, monkeypatch, place):
    target = tmp_path / "r"
    with building(target) as folder:
        (folder / "a").write_text("good")

    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device", str(self))

    with monkeypatch.context() as patch, pytest.raises(ReportError, match="make room and run again"):
        if place == "mkdir":
            patch.setattr(Path, place, full)
        with building(target) as folder:
            patch.setattr(Path, place, full)
    assert (target / "a").read_text() == "good"
    with building(target) as folder:
        (folder / "a").write_text("next")
    assert [path.name for path in tmp_path.iterdir()] == ["r"]
    assert (target / "a").read_text() == "next"
