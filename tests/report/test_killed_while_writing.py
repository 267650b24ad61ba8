"""A whole run that is killed, or whose disk fills, while it writes documents: the last good report stays as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report import handmade

# Ends the run, not the process that writes, once a document is written; or lets no file become larger than a limit.
DRIVER = """
import os, resource, signal, sys
from tests.report import handmade
from interim.report import chapter
chapter.open_inputs = handmade.open_inputs
from interim.report import build

own, documents = os.getpid(), build._write_documents

def watched(*args, **kwargs):
    from interim.report import editions
    write = editions.Task.write

    def written(task):
        found = write(task)
        if os.environ.get("KILL_AT") and task.path.name.startswith(os.environ["KILL_AT"]):
            os.kill(own, signal.SIGKILL)
        return found

    editions.Task.write = written
    if os.environ.get("LARGEST"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["LARGEST"]),) * 2)
    documents(*args, **kwargs)

build._write_documents = watched
sys.exit(handmade.main(sys.argv[1:]))
"""


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory, hand_run):
    """A copy of the report with what its build kept, and a study file that makes the report out of date but no other one."""
    home = tmp_path_factory.mktemp("killed")
    shutil.copytree(hand_run.reports, home / "reports")
    shutil.copytree(hand_run.study.parent, home / "params")
    shutil.copytree(f"{hand_run.reports}.cache", home / "cache")
    study = home / "params" / hand_run.study.name
    base = os.path.relpath(handmade.ROOT / "params" / "nct07021534.toml", study.parent)
    lines = study.read_text(encoding="utf-8").splitlines()
    text = "\n".join([f'extends = "{base}"', *lines[1:], "workers = 2"])
    study.write_text(text + "\n", encoding="utf-8")
    return home


def run(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-c", DRIVER, "run", str(home / "params" / "hand.toml")]
    command += ["--reports", str(home / "reports"), "--cache", str(home / "cache")]
    variables = {**kept, **environment, "PYTHONHASHSEED": "0"}
    return subprocess.run(command, cwd=handmade.ROOT, env=variables, capture_output=True, text=True)


@pytest.mark.rule("PUB-01")
@pytest.mark.parametrize("document", ["05_", "00_", "09_"])
def test_a_run_that_is_killed_while_it_writes_leaves_the_last_report(home, document):
    before = files(home / "reports" / "HAND" / "2026-06-30")
    done = run(home, KILL_AT=document)
    assert done.returncode == -9, done.stderr
    assert files(home / "reports" / "HAND" / "2026-06-30") == before
    assert "report:" not in done.stdout


@pytest.mark.rule("PUB-03")
@pytest.mark.parametrize("largest", ["1000", "60000"])
def test_a_disk_that_takes_no_more_of_a_document_is_one_clear_line(home, largest):
    before = files(home / "reports" / "HAND" / "2026-06-30")
    done = run(home, LARGEST=largest)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "defect of interim" not in done.stderr
    assert "File too large" in done.stderr and "the last report is unchanged" in done.stderr
    assert files(home / "reports" / "HAND" / "2026-06-30") == before
    assert not list((home / "reports").rglob("*.building"))


@pytest.mark.rule("PUB-01")
def test_the_next_run_publishes_and_leaves_nothing_else(home):
    before = files(home / "reports" / "HAND" / "2026-06-30")
    killed = run(home, KILL_AT="05_")
    done = run(home)
    assert killed.returncode == -9 and done.returncode == 0, done.stderr
    place = home / "reports" / "HAND"
    assert [path.name for path in place.iterdir()] == ["2026-06-30"]
    after = files(place / "2026-06-30")
    assert after.keys() == before.keys() and after["manifest.json"] != before["manifest.json"]
    assert {name for name in after if name.startswith("data/") and after[name] != before[name]} <= {
        name for name in after if "results" in name
    }
