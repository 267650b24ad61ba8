"""One run of the hand-made study for all tests of the report."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.report import handmade

# The start-up file of a subprocess: collecting its doctests would import it, and with it the hand-made inputs, here.
collect_ignore = ["plain"]


@dataclass(frozen=True)
class HandRun:
    """A published report of the hand-made study."""

    study: Path
    reports: Path
    folder: Path
    lines: list[str]


def interim(
    *arguments: object, cwd: Path = handmade.ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line on the hand-made study in a process of its own."""
    command = [sys.executable, str(Path(handmade.__file__)), *map(str, arguments)]
    if "--reports" in command and "--cache" not in command:
        command += ["--cache", f"{command[command.index('--reports') + 1]}.cache"]
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)


@pytest.fixture(scope="session")
def hand_run(tmp_path_factory) -> HandRun:
    """The report of the hand-made study, built once."""
    home = tmp_path_factory.mktemp("hand")
    study = handmade.write_study(home / "params", '["html", "pdf", "docx"]')
    done = interim("run", study, "--reports", home / "reports")
    assert done.returncode == 0, done.stderr
    folder = home / "reports" / "HAND" / "2026-06-30"
    return HandRun(study, home / "reports", folder, done.stdout.splitlines())


@pytest.fixture(scope="session")
def hand_inputs(tmp_path_factory):
    """The inputs of the hand-made study, in this process."""
    from interim.study import read_study

    return handmade.open_inputs(
        read_study(handmade.write_study(tmp_path_factory.mktemp("inputs") / "params"))
    )
