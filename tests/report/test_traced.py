from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.report.cache import Cache
from interim.report.memo import Memo
from interim.report.traced import Sources, digest, traced
from interim.result import Result, ResultStore, Rows
from interim.study import Study, read_study
from tests.report import handmade


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    return read_study(handmade.write_study(tmp_path_factory.mktemp("traced") / "params"))


def adam(**frames) -> Adam:
    return Adam({name: pd.DataFrame(rows) for name, rows in frames.items()}, datetime(2026, 1, 1))


ADAM = adam(ADSL={"USUBJID": ["1", "2"]}, ADAE={"USUBJID": ["1"], "AETOXGR": ["3"]})


def seen_by(value, look) -> set[str]:
    reads: set[str] = set()
    look(traced(value, reads.add))
    return reads


@pytest.mark.rule("CACHE-05")
@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (lambda a: a["ADSL"], {"datasets/ADSL"}),
        (lambda a: a.has("ADAE"), {"datasets/ADAE"}),
        (lambda a: a.has("ADXX"), {"datasets/ADXX"}),
        (lambda a: a.datasets.get("ADXX"), {"datasets/ADXX"}),
        (lambda a: a.cut, {"cut"}),
        (lambda a: a.lacks("ADRS"), {"missing"}),
        (lambda a: list(a.datasets), {"names of/datasets"}),
        (lambda a: len(a.datasets), {"names of/datasets"}),
    ],
)
def test_what_is_read_of_datasets_is_noted(look, expected):
    assert seen_by(ADAM, look) == expected


@pytest.mark.rule("CACHE-05")
def test_a_dataset_that_is_not_there_is_read_too():
    def look(a):
        with pytest.raises(KeyError, match="unknown dataset"):
            a["ADXX"]

    assert "datasets/ADXX" in seen_by(ADAM, look)


@pytest.mark.rule("CACHE-05")
@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (lambda s: s.stats.level, {"stats"}),
        (lambda s: s.cut, {"data"}),
        (lambda s: s.moment, {"report", "data"}),
        (lambda s: s.readings, {"_readings"}),
        (lambda s: s.file, {"_file"}),
        (lambda s: s.synthetic, {"study"}),
    ],
)
def test_what_is_read_of_the_study_is_noted_through_its_methods(study, look, expected):
    assert seen_by(study, look) == expected


@pytest.mark.rule("CACHE-05")
@pytest.mark.parametrize(
    "look",
    [
        lambda s: s.model_copy(update={}),
        lambda s: s.model_dump(),
        lambda s: s.digest(),
        copy.copy,
        copy.deepcopy,
        pickle.dumps,
    ],
)
def test_whoever_copies_writes_or_compares_a_study_reads_all_of_it(study, look):
    assert "*" in seen_by(study, look)


@pytest.mark.rule("CACHE-05")
def test_a_replaced_model_counts_as_read_whole():
    reads = seen_by(ADAM, lambda a: replace(a, cut=datetime(2027, 1, 1)))
    assert {
        "datasets/ADSL",
        "datasets/ADAE",
        "names of/datasets",
        "findings",
        "missing",
        "rules",
    } == reads


@pytest.mark.rule("CACHE-05")
def test_a_stand_in_is_of_the_kind_and_gives_the_same(study):
    twin = traced(study, lambda name: None)
    assert isinstance(twin, Study)
    assert (twin.digest(), twin.cohorts(), twin.readings) == (study.digest(), study.cohorts(), study.readings)
    assert twin.model_copy(update={"rounding": study.rounding}).resolved() == study.resolved()
    assert pickle.loads(pickle.dumps(twin)).digest() == study.digest()
    assert traced(ADAM, lambda name: None)["ADSL"] is ADAM["ADSL"]


FRAME = pd.DataFrame({"a": ["x", None], "b": [1.0, 2.0], "c": pd.array([1, None], dtype="Int64")})


@pytest.mark.rule("CACHE-05")
@pytest.mark.parametrize(
    "other",
    [
        FRAME.assign(a=["x", np.nan]),
        FRAME.assign(a=["x", "None"]),
        FRAME.assign(b=[1.0, np.nextafter(2.0, 3)]),
        FRAME.assign(b=[1, 2]),
        FRAME.assign(c=pd.array([1, 0], dtype="Int64")),
        FRAME.rename(columns={"a": "A"}),
        FRAME[["b", "a", "c"]],
        FRAME.set_axis([1, 2]),
        FRAME.iloc[::-1],
        FRAME.assign(a=pd.Categorical(["x", None])),
        FRAME.assign(a=pd.Categorical(["x", None], categories=["x", "y"])),
    ],
)
def test_frames_that_differ_in_anything_have_other_hashes(other):
    assert digest(other) != digest(FRAME)


@pytest.mark.rule("CACHE-05")
def test_categories_in_another_order_have_another_hash_beside_a_column_that_has_the_same():
    def pair(*levels):
        return FRAME.assign(
            **{
                name: pd.Categorical(["x", None], categories=own)
                for name, own in zip("ab", levels, strict=True)
            }
        )

    hashes = {
        digest(pair(one, other)) for one in (["x", "y"], ["y", "x"]) for other in (["x", "y"], ["y", "x"])
    }
    assert len(hashes) == 4


@pytest.mark.rule("CACHE-05")
def test_equal_frames_have_one_hash_however_they_are_stored():
    text = "".join(["x", ""])
    rebuilt = pd.concat([pd.DataFrame({"a": [text, None]}), FRAME[["b"]], FRAME[["c"]]], axis=1)
    assert digest(rebuilt) == digest(FRAME) == digest(pickle.loads(pickle.dumps(FRAME)))
    shared = ["same", "same"]
    assert digest(shared) == digest(["".join(["sa", "me"]), "".join(["s", "ame"])])


def count(a, s):
    """A question: how many events; reads the level only if there is one."""
    count.calls += 1
    events = len(a["ADAE"])
    return (events, s.stats.level) if events else (0, None)


def asked(folder, study, data):
    count.calls = 0
    memo = Memo(Cache(folder), Sources(study=study, adam=data))
    return memo.recall(count, ("adam", "study"), key=["count"]), count.calls


@pytest.mark.rule("CACHE-05")
def test_an_answer_is_served_only_while_all_that_it_read_is_as_it_was(tmp_path, study):
    assert asked(tmp_path, study, ADAM) == ((1, study.stats.level), 1)
    assert asked(tmp_path, study, ADAM) == ((1, study.stats.level), 0)
    other_subjects = adam(ADSL={"USUBJID": ["9"]}, ADAE={"USUBJID": ["1"], "AETOXGR": ["3"]})
    assert asked(tmp_path, study, other_subjects)[1] == 0
    regraded = adam(ADSL={"USUBJID": ["1"]}, ADAE={"USUBJID": ["1"], "AETOXGR": ["4"]})
    assert asked(tmp_path, study, regraded)[1] == 1
    wide = study.model_copy(update={"stats": study.stats.model_copy(update={"level": 0.9})})
    assert asked(tmp_path, wide, regraded) == ((1, 0.9), 1)
    dpi = study.model_copy(update={"figure": study.figure.model_copy(update={"dpi": 150})})
    assert asked(tmp_path, dpi, ADAM) == ((1, study.stats.level), 0)


@pytest.mark.rule("CACHE-05")
def test_an_answer_that_took_another_way_names_other_parts(tmp_path, study):
    none = adam(ADAE={"USUBJID": []})
    assert asked(tmp_path, study, none) == ((0, None), 1)
    wide = study.model_copy(update={"stats": study.stats.model_copy(update={"level": 0.9})})
    assert asked(tmp_path, wide, none) == ((0, None), 0)
    assert asked(tmp_path, wide, ADAM) == ((1, 0.9), 1)
    assert asked(tmp_path, study, ADAM) == ((1, study.stats.level), 1)


@pytest.mark.rule("CACHE-05")
def test_who_reads_a_file_beside_the_study_is_never_kept(tmp_path, study):
    calls = []
    memo = Memo(Cache(tmp_path), Sources(study=study))
    for _ in range(2):
        memo.recall(lambda s: calls.append(s.file), ("study",), key=["file"])
    assert len(calls) == 2


@pytest.mark.rule("CACHE-05")
def test_what_a_kept_answer_read_is_told_too(tmp_path, study):
    told = []
    for _ in range(2):
        seen: set[str] = set()
        memo = Memo(Cache(tmp_path), Sources(study=study, adam=ADAM))
        memo.recall(count, ("adam", "study"), key=["count"], seen=seen)
        told.append(seen)
    assert told == [{"adam.datasets/ADAE", "study.stats"}] * 2


@pytest.mark.rule("CACHE-05")
def test_a_sentence_reads_the_results_that_it_names_and_no_other():
    rows = {}
    for name in ("a.one", "b.two"):
        made = Rows(name, "t")
        made.add("n", 3, n=3)
        rows[name] = made.build()
    store = ResultStore(rows)
    assert store.find("a.one/total/-/-/n")["value"] == 3
    assert seen_by(store, lambda s: s.find("b.two/total/-/-/n")) == {"results/b.two"}
    kept: Result = pickle.loads(pickle.dumps(rows["a.one"]))
    assert digest(kept) == digest(rows["a.one"]) != digest(rows["b.two"])
