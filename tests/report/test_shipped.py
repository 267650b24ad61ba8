"""Templates and typefaces: a missing or changed one stops a build before it begins, by name."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

import interim
from interim.errors import ReportError
from interim.report.shipped import FOLDERS, SUMS, check_shipped, recorded
from tests.report import handmade
from tests.report.conftest import interim as command

PACKAGE = Path(interim.__file__).parent
FILES = [
    f"{folder}/{line.partition('  ')[2]}"
    for folder in FOLDERS
    for line in (PACKAGE / folder / SUMS).read_text(encoding="ascii").splitlines()
]


@pytest.fixture
def home(tmp_path):
    """A copy of the folders that ship files."""
    for folder in FOLDERS:
        shutil.copytree(PACKAGE / folder, tmp_path / "interim" / folder)
    return tmp_path / "interim"


def changed(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.rule("RUN-06")
def test_the_installed_files_are_those_that_ship():
    check_shipped()
    assert {"report/templates/document.typ", "display/fonts/InterimCJKSC-Bold.ttf"} <= set(FILES)
    templates = PACKAGE / "report" / "templates"
    assert "\n".join(recorded(templates)) + "\n" == (templates / SUMS).read_text(encoding="ascii")


@pytest.mark.rule("RUN-06")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "one bit", "empty", "longer", "a folder"])
def test_each_file_is_refused_if_it_is_missing_or_another(home, name, damage):
    check_shipped(home)
    path = home / name
    if damage == "one bit":
        changed(path)
    elif damage == "longer":
        path.write_bytes(path.read_bytes() + b"\n")
    else:
        path.unlink()
        if damage == "empty":
            path.touch()
        elif damage == "a folder":
            path.mkdir()
    with pytest.raises(ReportError) as caught:
        check_shipped(home)
    first, problem, *rest = str(caught.value).splitlines()
    assert first.startswith("1 template or typeface file(s)") and str(path) in problem
    wanted = hashlib.sha256((PACKAGE / name).read_bytes()).hexdigest()[:12]
    assert wanted in problem if damage in ("one bit", "empty", "longer") else "missing" in problem
    assert "install the package again" in rest[-1]


@pytest.mark.rule("RUN-06")
def test_all_problems_are_named_at_once(home):
    (home / FILES[0]).unlink()
    changed(home / FILES[-1])
    (home / FOLDERS[0] / "further.typ").write_text("not ours", encoding="utf-8")
    with pytest.raises(ReportError) as caught:
        check_shipped(home)
    assert str(caught.value).startswith("2 template")
    assert FILES[0] in str(caught.value) and FILES[-1] in str(caught.value)


@pytest.mark.rule("RUN-06")
@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "unreadable"])
def test_a_list_of_hashes_that_cannot_be_read_is_a_problem(home, content):
    sums = home / FOLDERS[0] / SUMS
    sums.unlink()
    if content is not None:
        sums.write_bytes(content)
    with pytest.raises(ReportError, match="the list of hashes is missing or cannot be read"):
        check_shipped(home)


@pytest.mark.rule("RUN-06")
@pytest.mark.parametrize("name", ["report/templates/document.typ", "display/fonts/InterimCJKSC-Bold.ttf"])
@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_the_command_builds_nothing_and_leaves_the_last_report(tmp_path, name, damage):
    source = tmp_path / "src" / "interim"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
    (source / name).unlink() if damage == "missing" else changed(source / name)
    study = handmade.write_study(tmp_path / "params")
    last = tmp_path / "reports" / "HAND" / "2026-06-30" / "documents" / "last.html"
    last.parent.mkdir(parents=True)
    last.write_text("last good report", encoding="utf-8")
    done = command("run", study, "--reports", tmp_path / "reports", PYTHONPATH=str(source.parent))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "ReportError" in done.stderr and name in done.stderr
    assert "reading the data" not in done.stdout
    assert [path for path in (tmp_path / "reports").rglob("*") if path.is_file()] == [last]
    assert last.read_text(encoding="utf-8") == "last good report"
