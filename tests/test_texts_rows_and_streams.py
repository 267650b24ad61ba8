"""The text of every error and record, corner cases of results and stores, and random streams by place."""

from __future__ import annotations

import math

import numpy as np
import pytest

import interim.errors as errors
from interim.errors import DataError, Finding, InterimError, Problem, StudyError
from interim.parallel import map_seeded
from interim.result import COLUMNS, LINK_COLUMNS, STATUSES, ResultStore, Rows, slug

BARE = {"rule": "XD-KEY", "severity": "stop", "domain": "AE", "message": "twice; drop one"}


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("a.b", "expected 1"), "a.b: expected 1"),
        (Problem("a.b", "expected 1", "s.toml"), "s.toml a.b: expected 1"),
        (Problem("a.b", "expected 1", "s.toml", 7), "s.toml:7 a.b: expected 1"),
    ],
)
def test_text_of_a_problem(problem, text):
    assert str(problem) == str(StudyError([problem])) == text


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "STOP XD-KEY [AE]: twice; drop one"),
        ({"severity": "warn"}, "WARN XD-KEY [AE]: twice; drop one"),
        ({"severity": "info"}, "INFO XD-KEY [AE]: twice; drop one"),
        ({"subject": "S-1"}, "STOP XD-KEY [AE] S-1: twice; drop one"),
        ({"file": "ae.csv"}, "STOP XD-KEY [ae.csv]: twice; drop one"),
        ({"file": "ae.csv", "row": 0}, "STOP XD-KEY [ae.csv row 0]: twice; drop one"),
        ({"row": 3}, "STOP XD-KEY [AE]: twice; drop one"),
        ({"variable": "AESEQ"}, "STOP XD-KEY [AE]: twice; drop one"),
        ({"value": "3"}, "STOP XD-KEY [AE]: twice; drop one"),
        ({"variable": "AESEQ", "value": ""}, "STOP XD-KEY [AE] AESEQ = '': twice; drop one"),
        (
            {"variable": "AESEQ", "value": "3", "subject": "S-1", "file": "ae.csv", "row": 9},
            "STOP XD-KEY [ae.csv row 9] S-1 AESEQ = '3': twice; drop one",
        ),
    ],
)
def test_text_of_a_finding(more, text):
    assert str(Finding(**(BARE | more))) == text


@pytest.mark.parametrize("name", ["StudyError", "DataError", "DerivationError", "DesignError", "ReportError"])
def test_every_error_is_caught_at_the_root(name):
    kind = getattr(errors, name)
    assert issubclass(kind, InterimError) and not issubclass(kind, ValueError)
    if name != "DataError":
        assert str(kind("S-1: rule R-2 is broken")) == "S-1: rule R-2 is broken"


@pytest.mark.parametrize(
    ("severities", "head"),
    [
        ("", "0 finding(s) stop the run"),
        ("s", "1 finding(s) stop the run"),
        ("ss", "2 finding(s) stop the run"),
        ("sw", "1 finding(s) stop the run; 1 further finding(s)"),
        ("wis", "1 finding(s) stop the run; 2 further finding(s)"),
    ],
)
def test_a_data_error_lists_what_stops_first(severities, head):
    names = {"s": "stop", "w": "warn", "i": "info"}
    error = DataError(
        Finding(**(BARE | {"severity": names[s], "subject": f"S-{i}"})) for i, s in enumerate(severities)
    )
    lines = str(error).splitlines()
    assert lines[0] == head and lines[1:] == [str(finding) for finding in error.findings]
    order = [finding.severity for finding in error.findings]
    assert order == sorted(order, key=["stop", "warn", "info"].index)


def test_a_study_error_counts_its_problems():
    error = StudyError([Problem("a", "x"), Problem("b", "y")])
    assert str(error) == "2 problems in the study parameters:\na: x\nb: y"
    assert StudyError("no file").problems == ()


@pytest.mark.parametrize("status", [status for status in STATUSES if status not in ("OK", "FLAG")])
def test_a_number_that_is_not_there_keeps_its_reason(status):
    rows = Rows("q", title="")
    rows.add("x", None, status=status, reason="WHY")
    row = rows.build().get("total/-/-/x")
    assert (row["status"], row["reason"], math.isnan(row["value"])) == (status, "WHY", True)
    with pytest.raises(ValueError, match=f"status {status} needs a reason"):
        Rows("q", title="").add("x", None, status=status)


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ({}, "q/total/-/-/x"),
        ({"group": "DL1 1e6"}, "q/dl1-1e6/-/-/x"),
        ({"variable": "ORR (%)"}, "q/total/orr/-/x"),
        ({"level": ">= 3"}, "q/total/-/>=-3/x"),
        ({"group": "?"}, "q/-/-/-/x"),
        ({"level": "a/b"}, "q/total/-/a-b/x"),
    ],
)
def test_parts_of_an_id(parts, place):
    rows = Rows("q", title="")
    assert rows.add("x", 1, **parts) == place
    assert rows.build().get(place)["value"] == rows.build().get(place.removeprefix("q/"))["value"] == 1


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        (" A  b ", "a-b"),
        ("--x--", "x"),
        (None, "none"),
        (1.5, "1.5"),
        ("É", "é"),
        ("<LLOQ", "<lloq"),
    ],
)
def test_slugs(text, path):
    assert slug(text) == path


def test_results_and_stores_without_rows_keep_their_columns():
    empty = Rows("q", title="").build()
    for holder in (empty.frame, ResultStore({"q": empty}).frame(), ResultStore({}).frame()):
        assert list(holder.columns) == list(COLUMNS) and holder.empty
    for links in (empty.links, ResultStore({}).links()):
        assert list(links.columns) == list(LINK_COLUMNS) and links.empty
    assert len(ResultStore({})) == 0 and list(ResultStore({"q": empty})) == ["q"]
    with pytest.raises(KeyError, match="none is near"):
        empty.get("x")
    with pytest.raises(KeyError, match="no analysis 'zz'; none is near"):
        ResultStore({})["zz"]


def test_a_store_sorts_analyses_and_keeps_the_rows_of_each():
    parts = {}
    for name in ("b.two", "a.one"):
        rows = Rows(name, title="")
        for stat in ("z", "y"):
            rows.add(stat, 1, subjects=["S-1", "S-1"], sources=[("S-1", "AE", "3")])
        parts[name] = rows.build()
    store = ResultStore(parts)
    assert store.frame()["result_id"].str[:3].tolist() == ["a.o", "a.o", "b.t", "b.t"]
    assert store.frame()["stat"].tolist() == ["z", "y", "z", "y"]
    assert len(store.links()) == 8
    assert store.find("b.two/total/-/-/y")["stat"] == "y"


def numbers(item, rng):
    return item, rng.integers(0, 2**32, 4).tolist()


@pytest.mark.parametrize("seed", [0, 1, 20260131])
@pytest.mark.parametrize("place", [0, 1, 5])
def test_the_stream_of_a_place_is_spawned_from_the_seed(seed, place):
    answers = map_seeded(numbers, "abcdef", seed=seed)
    child = np.random.SeedSequence(seed).spawn(6)[place]
    drawn = np.random.Generator(np.random.Philox(child)).integers(0, 2**32, 4).tolist()
    assert answers[place] == ("abcdef"[place], drawn)


@pytest.mark.parametrize("items", [[], ["a"], ["a", "a", "a"], range(9)])
def test_streams_do_not_depend_on_items_or_their_number(items):
    found = [drawn for _, drawn in map_seeded(numbers, iter(items), seed=4)]
    longest = [drawn for _, drawn in map_seeded(numbers, range(9), seed=4)]
    assert found == longest[: len(items)]
    assert len({tuple(drawn) for drawn in found}) == len(found)


@pytest.mark.parametrize("wrong", ["thread", "", None, 3])
def test_what_is_no_executor_is_named(wrong):
    with pytest.raises(InterimError) as caught:
        map_seeded(numbers, [1], seed=1, executor=wrong)
    assert str(caught.value) == f"executor must be 'serial', 'processes' or an executor, found {wrong!r}"
