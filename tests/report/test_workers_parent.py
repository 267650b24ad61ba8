"""What becomes of the children of a run that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from interim.report import workers

CODE = """
import os, sys, time
from interim.report.workers import die_with_parent
parent = os.getpid()
child = os.fork()
if child == 0:
    die_with_parent(parent)
    print(os.getpid(), flush=True)
    time.sleep(60)
time.sleep(60)
"""


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.rule("WORK-03")
@pytest.mark.skipif(sys.platform != "linux", reason="the system does not end children with their parent")
def test_children_end_with_a_parent_that_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", CODE], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert runs(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while runs(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not runs(child)


@pytest.mark.rule("WORK-03")
@pytest.mark.skipif(sys.platform != "linux", reason="the system does not end children with their parent")
def test_a_child_whose_parent_is_gone_already_ends_at_once(monkeypatch):
    ended = []
    monkeypatch.setattr(workers.os, "_exit", ended.append)
    child = "import sys; from interim.report.workers import die_with_parent; die_with_parent(1 << 22); sys.exit(7)"
    assert subprocess.run([sys.executable, "-c", child]).returncode == 1
    assert ended == []


@pytest.mark.rule("RUN-05")
def test_the_line_of_a_failed_notebook_names_the_cell(tmp_path):
    job = workers.Job(str(tmp_path / "04_safety.ipynb"), "", "", "", {})
    item = workers._Running(job, os.getpid(), time.monotonic())
    failure = workers.Failure("04_safety.ipynb", "Grades", "grades-table", "KeyError", "x")
    told = workers._told(item, failure, lambda name, seconds: ", about 3 s left")
    assert told.startswith("04_safety FAILED in grades-table (")
    assert workers._told(item, None, lambda name, seconds: ", about 3 s left").endswith(", about 3 s left)")
