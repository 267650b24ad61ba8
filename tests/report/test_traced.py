from __future__ import annotations

import copy
import pickle
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.adam.source import ordered
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
        (lambda a: a["ADSL"], {"datasets/ADSL/"}),
        (lambda a: a.has("ADAE"), {"datasets/ADAE/"}),
        (lambda a: a.has("ADXX"), {"datasets/ADXX/"}),
        (lambda a: a.datasets.get("ADXX"), {"datasets/ADXX/"}),
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

    assert "datasets/ADXX/" in seen_by(ADAM, look)


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
        "datasets/ADSL/",
        "datasets/ADAE/",
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
    reader = traced(ADAM, lambda name: None)
    assert reader["ADSL"] is reader["ADSL"]
    assert isinstance(reader["ADSL"], pd.DataFrame) and reader["ADSL"].equals(ADAM["ADSL"])
    assert type(pickle.loads(pickle.dumps(reader["ADSL"]))) is pd.DataFrame


EVENTS = adam(
    ADAE={"USUBJID": ["1", "2"], "AETERM": ["Fever", "Rash"], "AETOXGR": ["3", "1"], "AESEQ": [1.0, 2.0]}
)
OUTLINE, GRADE = "datasets/ADAE/", "datasets/ADAE/AETOXGR"


def rashes(frame):
    return frame[frame["AETERM"] == "Rash"]


@pytest.mark.rule("CACHE-10")
@pytest.mark.parametrize(
    ("look", "columns"),
    [
        (lambda f: f["AETERM"].tolist(), {"AETERM"}),
        (lambda f: f[["AESEQ", "USUBJID"]].merge(f[["USUBJID", "AETERM"]]), {"AESEQ", "USUBJID", "AETERM"}),
        (lambda f: f.get("AETERM"), {"AETERM"}),
        (lambda f: "DLTFL" in f, {"DLTFL"}),
        (lambda f: f.get("DLTFL"), {"DLTFL"}),
        (lambda f: f[f["AESEQ"] > 1]["AETERM"], {"AESEQ", "AETERM"}),
        (lambda f: rashes(f[f["AESEQ"] > 1])["USUBJID"], {"AESEQ", "AETERM", "USUBJID"}),
        (lambda f: f.loc[f["AESEQ"] > 1, "AETERM"], {"AESEQ", "AETERM"}),
        (lambda f: f.loc[lambda g: g["AESEQ"] > 1]["AETERM"], {"AESEQ", "AETERM"}),
        (lambda f: f.take([1, 0]).reset_index(drop=True)["AETERM"], {"AETERM"}),
        (lambda f: f.reset_index()[["index", "AETERM"]], {"index", "AETERM"}),
        (lambda f: ordered(f, ["AETERM", "AESEQ"])["USUBJID"], {"AETERM", "AESEQ", "USUBJID"}),
        (lambda f: set(f.columns) | set(f.index) | {len(f), f.empty, f.shape} | set(f), set()),
    ],
)
def test_who_looks_up_columns_reads_these_and_the_outline(look, columns):
    reads = seen_by(EVENTS, lambda a: look(a["ADAE"]))
    assert reads == {OUTLINE, *(OUTLINE + name for name in columns)}


@pytest.mark.rule("CACHE-10")
@pytest.mark.parametrize(
    "look",
    [
        lambda f: f == 1,
        lambda f: f.iloc[0],
        lambda f: f.loc[0],
        lambda f: f.loc[[1, 0], "AETERM"],
        lambda f: f.loc[f["AESEQ"] > 1, ["AETERM", "USUBJID"]],
        lambda f: f.loc[lambda g: g["AESEQ"] > 1].agg("count"),
        lambda f: f.take([1]).iloc[0],
        lambda f: f.assign(X=1),
        lambda f: f.groupby("USUBJID"),
        lambda f: f.to_dict("records"),
        lambda f: f[[True, False]],
        lambda f: f[f["AESEQ"] > 1].size,
        lambda f: f.drop(columns="AETOXGR"),
        lambda f: f.attrs,
        lambda f: f.copy(),
        lambda f: pd.concat([f, f]),
        lambda f: pd.concat([f["AESEQ"], f], axis=1),
        lambda f: pd.merge(pd.DataFrame({"USUBJID": ["1"]}), f),
        lambda f: pd.DataFrame({"X": ["1"]}).join(f),
        lambda f: pd.DataFrame(f),
        lambda f: pd.isna(f),
        lambda f: np.asarray(f),
        lambda f: np.isnan(f[["AESEQ"]]) + f,
        lambda f: pd.testing.assert_frame_equal(f, f),
        lambda f: dict(f.items()),
        lambda f: list(f.itertuples()),
        lambda f: vars(f),
        lambda f: str(f),
        lambda f: digest(f),
        lambda f: digest({"of": f}),
        copy.copy,
        copy.deepcopy,
        pickle.dumps,
    ],
)
def test_whatever_else_is_done_with_a_frame_reads_all_of_it(look):
    def tried(a):
        with suppress(TypeError):  # a text is no number
            look(a["ADAE"])

    assert "datasets/ADAE" in seen_by(EVENTS, tried)


@pytest.mark.rule("CACHE-10")
def test_every_part_of_a_frame_has_its_own_hash():
    frame = EVENTS["ADAE"]

    def parts(**columns):
        source = Sources(adam=Adam({"ADAE": frame.assign(**columns)}, EVENTS.cut))
        return source.now(
            [f"adam.{place}" for place in ("datasets/ADAE", OUTLINE, GRADE, f"{OUTLINE}AETERM")]
        )

    def moved(**columns):
        new, old = parts(**columns), parts()
        return {place.removeprefix("adam.") for place in old if new[place] != old[place]}

    assert moved(AETOXGR=["4", "1"]) == {"datasets/ADAE", GRADE}
    assert moved(AESEQ=[1, 2]) == {"datasets/ADAE"}
    assert moved(DLTFL=["Y", "N"]) == {"datasets/ADAE", OUTLINE}
    assert moved() == set()
    again = Sources(adam=Adam({"ADAE": frame.iloc[::-1]}, EVENTS.cut)).now([f"adam.{OUTLINE}"])
    assert again != Sources(adam=EVENTS).now([f"adam.{OUTLINE}"])


def terms(a):
    """A question: the terms of the events; the grade of none."""
    terms.calls += 1
    return tuple(a["ADAE"]["AETERM"])


@pytest.mark.rule("CACHE-10")
@pytest.mark.parametrize(
    ("changed", "calls"),
    [
        ({"AETOXGR": ["4", "1"]}, 1),
        ({"AETERM": ["Cough", "Rash"]}, 2),
        ({"DLTFL": ["Y", "N"]}, 2),
    ],
)
def test_a_question_is_asked_again_only_for_a_column_that_it_read(tmp_path, changed, calls):
    terms.calls = 0
    for frame in (EVENTS["ADAE"], EVENTS["ADAE"].assign(**changed)):
        memo = Memo(Cache(tmp_path), Sources(adam=Adam({"ADAE": frame}, EVENTS.cut)))
        assert memo.recall(terms, ("adam",), key=["terms"]) == tuple(frame["AETERM"])
    assert terms.calls == calls


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
    events = a["ADAE"]["AETOXGR"].notna().sum()
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
    none = adam(ADAE={"USUBJID": ["1"], "AETOXGR": [None]})
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
    assert told == [{"adam.datasets/ADAE/", "adam.datasets/ADAE/AETOXGR", "study.stats"}] * 2


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
