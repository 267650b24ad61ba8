"""The key of a report, part by part; hashes; what makes a published folder no longer the one that was built."""

from __future__ import annotations

import hashlib
import json
import shutil
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


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A small package in place of the installed one, with a lock file above it."""
    folder = tmp_path / "root" / "src" / "interim"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder.parents[1] / "requirements.lock").write_text("pandas==2\n")
    monkeypatch.setattr(freshness.interim, "__file__", str(folder / "__init__.py"))
    return folder


def differing(one, other) -> set[str]:
    return {part for part in one if one[part] != other[part]}


@pytest.mark.rule("RUN-02")
@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda s, b, p: (p / "rule.toml").write_text("x = 1"), "code"),
        (lambda s, b, p: (p / "__init__.py").write_text("# changed"), "code"),
        (lambda s, b, p: (p.parents[1] / "requirements.lock").write_text("pandas==3\n"), "lock"),
        (lambda s, b, p: (b / "02_b.ipynb").write_text("{}"), "notebooks"),
        (lambda s, b, p: (b / "01_a.ipynb").rename(b / "01_b.ipynb"), "notebooks"),
        (lambda s, b, p: (s.file.parent / "data" / "dm.csv").write_text("USUBJID\nX\n"), "data"),
        (lambda s, b, p: (s.file.parent / "data" / "dm.csv").rename(s.file.parent / "data" / "ae.csv"), "data"),
        (lambda s, b, p: (s.file.parent / "data" / "deep").mkdir() or (s.file.parent / "data" / "deep" / "x").write_text(""), "data"),
    ],
)  # fmt: skip
def test_one_change_changes_one_part(change, part, study, books, package):
    before = freshness.report_key(study, books, {})
    change(study, books, package)
    assert differing(before, freshness.report_key(study, books, {})) == {part}


@pytest.mark.rule("RUN-02")
@pytest.mark.parametrize(
    "change",
    [
        lambda s, b, p: (b / "notes.txt").write_text("x"),
        lambda s, b, p: (p / "__pycache__").mkdir() or (p / "__pycache__" / "a.pyc").write_bytes(b"1"),
        lambda s, b, p: (p.parent / "beside.py").write_text("x"),
        lambda s, b, p: (s.file.parent / "other.toml").write_text("x"),
        lambda s, b, p: (s.file.parent / "data" / "empty").mkdir(),
    ],
)
def test_what_does_not_enter_a_report_changes_nothing(change, study, books, package):
    before = freshness.report_key(study, books, {})
    change(study, books, package)
    assert freshness.report_key(study, books, {}) == before


@pytest.mark.rule("RUN-02")
def test_the_order_of_parameters_does_not_count_and_their_values_do(study, books, package):
    one = freshness.report_key(study, books, {"a": 1, "b": "2"})
    assert json.dumps(one) == json.dumps(freshness.report_key(study, books, {"b": "2", "a": 1}))
    for other in ({"a": 1}, {"a": 2, "b": "2"}, {"a": "1", "b": "2"}, {"a": 1, "b": "2", "c": ""}):
        assert differing(one, freshness.report_key(study, books, other)) == {"parameters"}


@pytest.mark.rule("RUN-02")
def test_a_copy_of_the_whole_elsewhere_has_the_same_key(study, books, package, tmp_path):
    shutil.copytree(study.file.parent, tmp_path / "copy" / "params")
    text = (tmp_path / "copy" / "params" / "hand.toml").read_text()
    base = text.split('"')[1]
    (tmp_path / "copy" / "params" / "hand.toml").write_text(
        text.replace(base, str((study.file.parent / base).resolve()))
    )
    moved = read_study(tmp_path / "copy" / "params" / "hand.toml")
    assert freshness.report_key(moved, books, {})["data"] == freshness.report_key(study, books, {})["data"]


@pytest.mark.rule("RUN-02")
def test_absent_data_are_never_current(study, books, package, tmp_path):
    shutil.rmtree(study.file.parent / "data")
    key = freshness.report_key(study, books, {})
    assert key["data"] is None
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "manifest.json").write_text(json.dumps({"key": key, "outputs": {}}))
    assert freshness.current(tmp_path / "r", key) is None


@pytest.mark.rule("RUN-02")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "5",
        "{}",
        '{"key": 1}',
        '{"key": {"data": {}}}',
        '{"key": {"data": {}}, "outputs": 5}',
    ],
)
def test_a_manifest_that_is_none_is_not_current(text, tmp_path):
    (tmp_path / "manifest.json").write_text(text)
    assert freshness.current(tmp_path, {"data": {}}) is None
    assert freshness.current(tmp_path / "absent", {"data": {}}) is None


@pytest.mark.rule("RUN-02")
def test_a_manifest_of_the_same_key_and_files_is_given_back(tmp_path):
    (tmp_path / "a").write_text("1")
    content = {"key": {"data": {"x": "1"}}, "outputs": hashes.tree(tmp_path), "more": [1]}
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    assert freshness.current(tmp_path, {"data": {"x": "1"}}) == content
    assert freshness.current(tmp_path, {"data": {"x": "2"}}) is None


@pytest.mark.parametrize("size", [0, 1, 65536, 300_001])
def test_the_hash_of_a_file_is_that_of_its_bytes(size, tmp_path):
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "f").write_bytes(data)
    assert hashes.sha256(tmp_path / "f") == hashlib.sha256(data).hexdigest()


def test_known_hash(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert hashes.sha256(tmp_path / "f") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_joined_hashes_know_names_from_values_and_no_order():
    assert hashes.joined([("a", "1"), ("b", "2")]) == hashes.joined([("b", "2"), ("a", "1")])
    different = [[("a", "1")], [("a1", "")], [("", "a1")], [("a", "1"), ("a", "1")], [], [("A", "1")]]
    assert len({hashes.joined(pairs) for pairs in different}) == len(different)


def test_the_tree_is_sorted_relative_and_of_files_only(tmp_path):
    for name in ("b/c", "a", "b/a.b", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "empty").mkdir()
    assert list(hashes.tree(tmp_path)) == [".hidden", "a", "b/a.b", "b/c"]
    assert hashes.tree(tmp_path / "absent") == {}


@pytest.mark.parametrize(
    ("files", "wanted", "known"),
    [
        ({}, [], True),
        ({}, ["1"], False),
        (None, [], False),
        ({"a": "1"}, ["1", "1"], True),
        ({"a": "1"}, ["2"], False),
    ],
)
def test_whether_the_files_of_the_key_cover_what_was_read(files, wanted, known):
    assert freshness.covers(files, wanted) is known
