"""A package as one file: the same bytes each time, nothing of single participants in the confidential copy, every changed byte found."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from interim import cli
from interim.errors import ReportError
from interim.report.hashes import sha256, tree
from interim.report.pack import SUMS, pack, unpacked, unzipped, zipped

FILES = {"documents/00_a.pdf": b"%PDF", "documents/05_b.html": b"<p>" * 50, "data/x.json": b"{}\n"}


@pytest.fixture(scope="module")
def packages(hand_run, tmp_path_factory):
    home = tmp_path_factory.mktemp("packages")
    for copy in ("confidential", "restricted"):
        pack(hand_run.folder, home / f"{copy}.zip", copy=copy)
    return home


@pytest.mark.rule("PKG-22")
def test_the_restricted_copy_is_everything_and_the_confidential_one_documents_only(packages, hand_run):
    whole = unzipped(packages / "restricted.zip")
    assert set(whole) == {*tree(hand_run.folder), SUMS}
    shared = set(unzipped(packages / "confidential.zip")) - {SUMS}
    assert shared and all(name.startswith("documents/") for name in shared)
    assert not any(name.startswith(("documents/07", "documents/03c")) for name in shared)
    assert {name for name in tree(hand_run.folder) if name.startswith("documents/05")} <= shared


@pytest.mark.rule("PKG-22")
def test_equal_reports_give_equal_bytes_and_any_tool_reads_the_hashes(packages, hand_run, tmp_path):
    other = tmp_path / "elsewhere"
    shutil.copytree(hand_run.folder, other)
    pack(other, tmp_path / "again.zip", copy="confidential")
    assert sha256(tmp_path / "again.zip") == sha256(packages / "confidential.zip")
    with zipfile.ZipFile(tmp_path / "again.zip") as archive:
        archive.extractall(tmp_path / "out")
    done = subprocess.run(["sha256sum", "-c", "--quiet", SUMS], cwd=tmp_path / "out", capture_output=True)
    assert done.returncode == 0


@pytest.mark.rule("PKG-22")
def test_a_spoiled_report_is_not_packed_and_an_earlier_file_stays(hand_run, tmp_path, monkeypatch):
    folder = tmp_path / "report"
    shutil.copytree(hand_run.folder, folder)
    (folder / "data" / "results.json").write_text("[]")
    (tmp_path / "p.zip").write_bytes(b"earlier")
    with pytest.raises(ReportError, match=r"not packed.*(\n.*)*data/results\.json: is not as it was written"):
        pack(folder, tmp_path / "p.zip", copy="restricted")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ReportError, match=r"p\.zip: cannot be written \(No space left"):
        pack(hand_run.folder, tmp_path / "p.zip", copy="confidential")
    assert sorted(x.name for x in tmp_path.iterdir()) == ["p.zip", "report"]
    assert (tmp_path / "p.zip").read_bytes() == b"earlier"


@pytest.mark.rule("PKG-23")
def test_every_changed_byte_is_found(tmp_path):
    data = zipped(FILES)
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    assert unzipped(path) == {**FILES, SUMS: unzipped(path)[SUMS]}
    chance = random.Random(7)
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :])
        with pytest.raises(ReportError, match=r"x\.zip"):
            unzipped(path)


@pytest.mark.rule("PKG-23")
def test_what_was_changed_is_named(tmp_path):
    sums = zipped(FILES)
    path = tmp_path / "x.zip"
    path.write_bytes(sums)
    files = unzipped(path)
    files["data/x.json"] = b"[]\n"
    del files["documents/00_a.pdf"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    with pytest.raises(ReportError, match=r"changed: data/x\.json, documents/00_a\.pdf \(missing\)"):
        unzipped(path)


@pytest.mark.rule("PKG-23")
@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a\\b", "a/"])
def test_names_that_lead_out_are_refused(name, tmp_path):
    path = tmp_path / "x.zip"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"")
    path.write_bytes(stream.getvalue())
    with pytest.raises(ReportError, match=r"lead out|not as it was written"):
        unzipped(path)


@pytest.mark.rule("PKG-23")
@pytest.mark.parametrize("content", [b"", b"PK", b"no archive"])
def test_what_is_no_archive_is_refused(content, tmp_path):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ReportError, match="cannot be read as a package"):
        unzipped(tmp_path / "x.zip")
    with pytest.raises(ReportError, match="cannot be read as a package"), unpacked(tmp_path / "none.zip"):
        pass


@pytest.mark.rule("PKG-23")
def test_the_command_line_packs_and_verifies(packages, hand_run, tmp_path, capsys):
    assert cli.main(["pack", str(hand_run.folder), str(tmp_path / "c.zip")]) == 0
    assert "c.zip: " in capsys.readouterr().out
    assert cli.main(["verify", str(tmp_path / "c.zip")]) == 0
    assert "every byte of the file is as it was written" in capsys.readouterr().out
    assert cli.main(["verify", "--quick", str(packages / "restricted.zip")]) == 0
    assert "verified: 6 checks" in capsys.readouterr().out
