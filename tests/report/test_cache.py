from __future__ import annotations

import json
import os

import pytest

from interim.report.cache import Cache


def entry(folder):
    return next(path for path in folder.glob("??/*"))


@pytest.mark.rule("CACHE-01")
def test_bytes_come_back_under_the_same_parts_and_base(tmp_path):
    cache = Cache(tmp_path, base="programs")
    key = cache.key("notebook", 1, ["x"])
    cache.put(key, b"\x00bytes\n")
    assert Cache(tmp_path, base="programs").get(key) == b"\x00bytes\n"
    assert key == Cache(tmp_path / "elsewhere", base="programs").key("notebook", 1, ["x"])


@pytest.mark.rule("CACHE-01")
@pytest.mark.parametrize("parts", [("notebook", 2, ["x"]), ("notebook", 1, ["y"]), ("document", 1, ["x"])])
def test_another_part_is_another_entry(tmp_path, parts):
    cache = Cache(tmp_path, base="programs")
    cache.put(cache.key("notebook", 1, ["x"]), b"1")
    assert cache.get(cache.key(*parts)) is None


@pytest.mark.rule("CACHE-01")
def test_another_base_is_another_entry(tmp_path):
    old, new = Cache(tmp_path, base="old"), Cache(tmp_path, base="new")
    old.put(old.key("a"), b"1")
    assert new.get(new.key("a")) is None


@pytest.mark.rule("CACHE-02")
@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-1] + bytes([b[-1] ^ 1]),
        lambda b: bytes([b[0] ^ 1]) + b[1:],
        lambda b: b[:70],
        lambda b: b"",
        lambda b: b + b"x",
    ],
)
def test_a_changed_entry_is_removed_and_said_with_its_path(tmp_path, damage):
    said: list[str] = []
    cache = Cache(tmp_path, say=said.append)
    cache.put(cache.key("a"), b"twelve bytes")
    path = entry(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get(cache.key("a")) is None
    assert not path.exists()
    assert said == [f"{path}: does not agree with its hash; removed, made again"]


@pytest.mark.rule("CACHE-02")
def test_times_of_the_files_mean_nothing(tmp_path):
    cache = Cache(tmp_path)
    cache.put(cache.key("a"), b"1")
    os.utime(entry(tmp_path), (1, 1))
    assert cache.get(cache.key("a")) == b"1"


@pytest.mark.rule("CACHE-03")
def test_without_a_folder_nothing_is_kept_and_a_fresh_build_finds_nothing_but_keeps(tmp_path):
    nowhere = Cache(None)
    nowhere.put(nowhere.key("a"), b"1")
    nowhere.end("x")
    assert nowhere.get(nowhere.key("a")) is None
    fresh = Cache(tmp_path, fresh=True)
    fresh.put(fresh.key("a"), b"1")
    assert fresh.get(fresh.key("a")) is None
    assert Cache(tmp_path).get(fresh.key("a")) == b"1"


@pytest.mark.rule("CACHE-03")
def test_a_full_disk_keeps_nothing_and_stops_nothing(tmp_path, monkeypatch):
    from pathlib import Path

    def full(self, content):
        self.touch()
        raise OSError(28, "No space left on device")

    cache = Cache(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", full)
    cache.put(cache.key("a"), b"1")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert cache.get(cache.key("a")) is None


@pytest.mark.rule("CACHE-04")
def test_entries_of_the_last_two_builds_of_each_report_stay(tmp_path):
    def build(name, *parts):
        cache = Cache(tmp_path)
        cache.begin()
        for part in parts:
            if cache.get(cache.key(part)) is None:
                cache.put(cache.key(part), part.encode())
        cache.end(name)

    def held():
        return {path.read_bytes()[65:].decode() for path in tmp_path.glob("??/*")}

    build("one", "a", "b")
    build("one", "a", "c")
    assert held() == {"a", "b", "c"}
    build("one", "a", "d")
    assert held() == {"a", "c", "d"}
    build("two", "e")
    assert held() == {"a", "c", "d", "e"}


@pytest.mark.rule("CACHE-04")
def test_a_broken_list_of_builds_is_written_anew(tmp_path):
    cache = Cache(tmp_path)
    cache.put(cache.key("a"), b"1")
    (tmp_path / "builds.json").write_text("{")
    cache.end("one")
    assert json.loads((tmp_path / "builds.json").read_text()) == {"one": [[cache.key("a")]]}
    assert cache.get(cache.key("a")) == b"1"
