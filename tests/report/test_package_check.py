"""The tool that builds a package in several ways: what it compares and how it tells."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report import handmade


@pytest.fixture
def tool():
    spec = importlib.util.spec_from_file_location(
        "package_check", handmade.ROOT / "tools" / "package_check.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def building(monkeypatch, tool, texts):
    """Let each build write one file with the next of the texts; return the commands."""
    calls = []

    def run(command, **options):
        calls.append((command, options["env"]))
        folder = Path(command[command.index("--reports") + 1])
        folder.mkdir()
        (folder / "a.html").write_text(texts[len(calls) - 1])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(tool.subprocess, "run", run)
    return calls


@pytest.mark.rule("CACHE-06")
def test_ways_with_equal_bytes_are_equal(tool, monkeypatch, capsys):
    calls = building(monkeypatch, tool, ["x"] * len(tool.WAYS))
    assert tool.main([]) == 0
    assert capsys.readouterr().out.count("1 files  equal") == len(tool.WAYS)
    caches = [command[command.index("--cache") + 1] for command, _ in calls]
    assert caches[0] == caches[1] == caches[2]
    assert len(set(caches[2:])) == len(caches) - 2
    assert len({environment.get("PYTHONHASHSEED") for _, environment in calls}) >= 2
    assert len({environment.get("TZ") for _, environment in calls}) >= 3


@pytest.mark.rule("CACHE-06")
def test_a_file_that_differs_is_named_and_the_tool_fails(tool, monkeypatch, capsys):
    building(monkeypatch, tool, ["x", "y"])
    assert tool.main(["params/other.toml", "--ways", "cold,warm", "-p", "language=zh-CN"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].strip() == "a.html"


@pytest.mark.rule("CACHE-06")
def test_a_build_that_fails_ends_the_tool_with_its_words(tool, monkeypatch):
    monkeypatch.setattr(
        tool.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "no room\n")
    )
    with pytest.raises(SystemExit, match="cold: no room"):
        tool.main(["--ways", "cold"])
