"""Hashes of a folder: the same with any number of threads, and no error is lost."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from interim.report import hashes
from interim.report.hashes import tree


@pytest.fixture
def folder(tmp_path):
    for number in range(23):
        path = tmp_path / f"part{number % 4}" / f"file{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes([number]) * (number * 1000))
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    return tmp_path


@pytest.mark.rule("RUN-02")
@pytest.mark.parametrize("threads", [1, 2, 7])
def test_each_file_has_its_hash_whatever_the_number_of_threads(folder, threads):
    found = tree(folder, threads=threads)
    assert list(found) == sorted(found, key=lambda name: Path(name).parts) and len(found) == 23
    for name, value in found.items():
        assert value == hashlib.sha256((folder / name).read_bytes()).hexdigest()


@pytest.mark.rule("RUN-02")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_file_that_cannot_be_read_is_an_error_with_any_number_of_threads(folder, monkeypatch, threads):
    whole = hashes.sha256

    def broken(path):
        if path.name == "file7.txt":
            raise OSError(5, "Input/output error", str(path))
        return whole(path)

    monkeypatch.setattr(hashes, "sha256", broken)
    with pytest.raises(OSError, match=r"file7\.txt"):
        tree(folder, threads=threads)


@pytest.mark.rule("WORK-02")
def test_no_thread_outlives_the_answer(folder):
    before = threading.active_count()
    tree(folder, threads=3)
    assert threading.active_count() == before
