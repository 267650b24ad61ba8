from __future__ import annotations

import json
from pathlib import Path

import pytest

from interim.report import freshness, hashes
from interim.study import read_study
from tests.report import handmade


@pytest.fixture
def study(tmp_path):
    return read_study(handmade.write_study(tmp_path / "params"))


@pytest.fixture
def books(tmp_path) -> Path:
    folder = tmp_path / "books"
    folder.mkdir()
    (folder / "01_a.ipynb").write_text("{}")
    return folder


def published(folder: Path, key) -> Path:
    folder.mkdir()
    (folder / "report.html").write_text("x")
    content = {"key": key, "outputs": hashes.tree(folder)}
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


@pytest.mark.rule("RUN-02")
def test_each_part_of_the_key_makes_a_report_old(study, books, tmp_path):
    key = freshness.report_key(study, books, {})
    folder = published(tmp_path / "r", key)
    assert freshness.current(folder, key)["key"] == key
    for part in key:
        assert freshness.current(folder, {**key, part: "other"}) is None, part


@pytest.mark.rule("PRV-15")
def test_a_withdrawal_makes_a_report_old_and_the_key_does_not_tell_whose(study, books):
    from interim.study.withdrawn import withdrawal_file

    file = withdrawal_file(study)
    file.parent.mkdir()
    plain = freshness.report_key(study, books, {})["withdrawn"]
    file.write_text("S-1\nS-2\n", encoding="utf-8")
    one = freshness.report_key(study, books, {})["withdrawn"]
    file.write_text("S-2 # remark\nS-1\n", encoding="utf-8")
    assert freshness.report_key(study, books, {})["withdrawn"] == one
    file.write_text("S-2\n", encoding="utf-8")
    other = freshness.report_key(study, books, {})["withdrawn"]
    assert len({plain, one, other}) == 3
    assert plain == ""
    guesses = {hashes.sha256_bytes(text.encode())[:6].upper() for text in ("S-2", "S-2\n")}
    assert other not in guesses


@pytest.mark.rule("RUN-02")
def test_what_changes_the_key(study, books, tmp_path):
    key = freshness.report_key(study, books, {})
    (books / "01_a.ipynb").touch()
    assert freshness.report_key(study, books, {}) == key, "a modification time alone changes nothing"
    (books / "01_a.ipynb").write_text("{} ")
    assert freshness.report_key(study, books, {})["notebooks"] != key["notebooks"]
    (study.file.parent / "data" / "new.csv").write_text("")
    assert freshness.report_key(study, books, {})["data"] != key["data"]
    assert freshness.report_key(study, books, {"language": "en"})["parameters"] != key["parameters"]
    (study.file.parent / "texts").mkdir()
    (study.file.parent / "texts" / "HAND.toml").write_text('[lay]\ntried = "x"\n')
    assert freshness.report_key(study, books, {})["words"] != key["words"] == ""
    later = read_study(study.file, cut_date="2026-01-01")
    assert freshness.report_key(later, books, {})["study"] != key["study"]


@pytest.mark.rule("RUN-02")
@pytest.mark.parametrize("damage", ["changed", "removed", "added", "no manifest"])
def test_a_damaged_report_is_not_current(study, books, tmp_path, damage):
    key = freshness.report_key(study, books, {})
    folder = published(tmp_path / "r", key)
    {
        "changed": lambda: (folder / "report.html").write_text("y"),
        "removed": lambda: (folder / "report.html").unlink(),
        "added": lambda: (folder / "more").write_text("y"),
        "no manifest": lambda: (folder / "manifest.json").write_text("[]"),
    }[damage]()
    assert freshness.current(folder, key) is None


@pytest.mark.rule("RUN-02")
def test_data_that_cannot_be_told_without_reading_are_never_current(study, books, tmp_path):
    key = {**freshness.report_key(study, books, {}), "data": None}
    assert freshness.current(published(tmp_path / "r", key), key) is None
    assert not freshness.covers(None, [])
    assert freshness.covers({"a": "1", "b": "2"}, ["1"])
    assert not freshness.covers({"a": "1"}, ["1", "2"])


def test_files_behind_mapping_files(tmp_path, monkeypatch):
    outside, home = tmp_path / "outside", tmp_path / "home"
    (outside / "sdtm").mkdir(parents=True)
    (home / "mapping").mkdir(parents=True)
    (outside / "sdtm" / "dm.csv").write_text("1")
    (home / "mapping" / "near.csv").write_text("2")
    (home / "mapping" / "m.toml").write_text(
        'root = "sdtm"\nnote = ""\n[[file]]\npath = "near.csv"\nrows = [1]\n'
    )
    (home / "s.toml").write_text(
        f'extends = "{handmade.ROOT / "params" / "nct07021534.toml"}"\n[study]\nid = "X"\n'
        '[data]\nsources = ["mapping/m.toml"]\ncut_date = 2026-01-01\n'
    )
    study = read_study(home / "s.toml")
    assert set(freshness.data_files(study)) == {"m.toml", "near.csv/near.csv"}
    monkeypatch.setenv("INTERIM_EXTERNAL", str(outside))
    assert set(freshness.data_files(study)) == {"m.toml", "near.csv/near.csv", "sdtm/dm.csv"}
    (home / "mapping" / "m.toml").write_text("broken =")
    assert set(freshness.data_files(study)) == {"m.toml"}


def test_the_lock_file_or_the_versions(monkeypatch):
    assert freshness.lock_hash() == hashes.sha256(handmade.ROOT / "requirements.lock")
    monkeypatch.setattr(freshness, "LOCK", "absent.lock")
    assert freshness.lock_hash() == hashes.joined(freshness.installed().items())
    assert "pandas" in freshness.installed()


def test_tree_leaves_out_compiled_files(tmp_path):
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("1")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.txt").write_text("1")
    assert set(hashes.tree(tmp_path)) == {"b/c.txt"}
