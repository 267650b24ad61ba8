"""Reference packs with wrong numbers, missing and surplus values, and computations that fail."""

from __future__ import annotations

import json
import math

import pytest

from interim.errors import DataError, ReportError
from interim.report import validate as v
from interim.report.packs import PACKS
from interim.report.packs.base import Case, Pack, ends, leaves, plain


def compared(expected, found, tolerance=1e-9, **more) -> v.FileReport:
    """Compare one case; ``found`` may be an error to raise."""

    def compute(given):
        assert dict(given) == {"x": 1}, "the runner sees what is given and nothing else"
        if isinstance(found, Exception):
            raise found
        return found

    report = v.FileReport("area/file.json", "area", tolerance)
    pack = Pack("area", "file.json", tolerance, lambda d: [], compute, **more)
    v._compare(report, pack, Case("case 7", {"x": 1}, expected))
    return report


@pytest.mark.rule("VAL-02")
def test_a_wrong_number_is_named_with_case_field_and_both_values():
    report = compared({"a": {"b": [1.0, 2.0]}}, {"a": {"b": [1.0, 2.5]}})
    assert report.disagreements == [{"case": "case 7", "field": "a.b.1", "expected": 2.0, "found": 2.5}]
    assert (report.compared, report.agree, report.worst_rel_error) == (2, 1, 0.25)


@pytest.mark.rule("VAL-02")
@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (math.inf, 5.0),
        (-math.inf, -1e300),
        (math.inf, -math.inf),
        (5.0, math.inf),
        (math.nan, 1.0),
        (1.0, math.nan),
        (math.nan, math.nan),
        (1.0, "1.0"),
        ("1.0", 1.0),
        (1.0, None),
        (None, math.nan),
        (0, False),
        (True, "True"),
        ("", None),
        ("CR", "cr"),
    ],
)
def test_values_that_never_agree_whatever_the_tolerance(expected, found):
    for tolerance in (0.0, 1e-9, 0.5):
        report = compared({"v": expected}, {"v": found}, tolerance)
        assert report.agree == 0 and len(report.disagreements) == 1
        assert math.isfinite(report.worst_rel_error)


@pytest.mark.rule("VAL-02")
@pytest.mark.parametrize("value", [math.inf, -math.inf, None, "Inf", True, False, 0, 10**20, ""])
def test_equal_values_agree_without_any_tolerance(value):
    assert compared({"v": value}, {"v": value}, 0.0).disagreements == []


@pytest.mark.rule("VAL-02")
@pytest.mark.parametrize(
    ("expected", "found", "absolute", "agrees"),
    [
        (100.0, 100.9, False, True),
        (100.0, 101.1, False, False),
        (100.0, 100.9, True, False),
        (100.0, 100.009, True, True),
        (0.0, 0.009, False, True),
        (0.5, 0.509, False, True),
        (0.5, 0.511, False, False),
        (-100.0, -100.9, False, True),
        (-100.0, 100.0, False, False),
    ],
)
def test_the_tolerance_is_absolute_or_relative_the_larger_unless_absolute_only(
    expected, found, absolute, agrees
):
    assert (compared({"v": expected}, {"v": found}, 0.01, absolute=absolute).agree == 1) == agrees


@pytest.mark.rule("VAL-02")
def test_fields_have_tolerances_of_their_own_by_the_longest_beginning():
    pack = Pack("a", "f", 1e-9, lambda d: [], dict, tolerances={"p": 0.1, "p.low": 0.2})
    assert [pack.tolerance_of(name) for name in ("p", "p.0", "p.low", "p.low.3", "p.lower", "pp", "q.p")] == [
        0.1, 0.1, 0.2, 0.2, 0.1, 1e-9, 1e-9]  # fmt: skip
    report = compared({"p": 1.0, "q": 1.0}, {"p": 1.05, "q": 1.05}, tolerances={"p": 0.1})
    assert [line["field"] for line in report.disagreements] == ["q"]


@pytest.mark.rule("VAL-02")
@pytest.mark.parametrize(
    ("expected", "found", "fields"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, ["b"]),
        ({"a": [1, 2]}, {"a": [1]}, ["a.1"]),
        ({"a": [1]}, {"a": [1, 2, 3]}, ["a.1"]),
        ({"a": []}, {"a": [1]}, ["a.0", "a"]),
        ({"a": []}, {"a": []}, []),
        ({"a": {}}, {"a": {}}, []),
        ({"a": {}}, {}, []),
        ({"a": []}, {}, ["a"]),
        ({"a": [[1], [2]]}, {"a": [[1, 9], [2]]}, ["a.0.1"]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1}, {"b": 2}]}, ["a.1.b"]),
        ({"a": 1}, {"a": 1, "more": 2}, []),
        ({"a": {"b": 1}}, {"a": 1}, ["a.b"]),
    ],
)
def test_missing_and_surplus_values(expected, found, fields):
    shown = [line["field"] for line in compared(expected, found).disagreements]
    assert shown == fields


@pytest.mark.rule("VAL-02")
@pytest.mark.parametrize(
    "error",
    [ValueError("v"), KeyError("k"), TypeError("t"), ZeroDivisionError("z"), IndexError("i"), AttributeError("a"),
     OverflowError("o"), ReportError("r"), DataError([])],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_computation_that_fails_is_reported_and_nothing_of_it_passes(error):
    report = compared({"a": 1.0, "b": None}, error)
    first, *rest = report.disagreements
    assert first["field"] == "(run)" and first["found"].startswith(type(error).__name__)
    assert [(line["field"], line["found"]) for line in rest] == [("a", "(absent)"), ("b", "(absent)")]
    assert report.agree == 0 and not v.Validation((report,), ()).ok


def test_an_interrupt_is_no_disagreement():
    with pytest.raises(KeyboardInterrupt):
        v._compare(
            v.FileReport("f", "a", 0.0),
            Pack("a", "f", 0.0, lambda d: [], lambda given: (_ for _ in ()).throw(KeyboardInterrupt)),
            Case("1", {}, {"v": 1}),
        )


def test_lines_name_tolerances_disagreements_and_the_sum():
    good = v.FileReport("a/x.json", "a", 1e-9, {"p": 0.1}, cases=2, compared=3, agree=3)
    bad = compared({"v": 1.0}, {"v": 2.0})
    lines = list(v.Validation((good, bad), ("a/new.json",)).lines())
    assert "1e-09*" in lines[1] and "1e-09*" not in lines[2]
    assert lines[3].startswith("* single fields")
    assert lines[4] == "DISAGREE area/file.json case case 7 v: expected 1.0, found 2.0"
    assert lines[5:] == ["not covered: a/new.json", "3 of 4 values agree; 1 disagree"]
    assert json.loads(json.dumps(v.Validation((good,), ()).as_json()))["files"][0]["tolerances"] == {"p": 0.1}


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (5, [("", 5)]),
        ({"a": (1, 2)}, [("a.0", 1), ("a.1", 2)]),
        ({"a": [], "b": {}, "c": [[]]}, [("a", []), ("c.0", [])]),
        ({1: {2: "x"}}, [("1.2", "x")]),
    ],
)
def test_leaves(value, names):
    assert list(leaves(value)) == names


def test_ends_of_lists():
    assert list(ends({"a": [[1], []], "b": {"c": [1, 2, 3]}})) == ["a.2", "a.0.1", "a.1.0", "b.c.3"]
    assert list(ends({"a": "text"})) == []


def test_plain_keeps_texts_and_truth_and_names_infinities():
    assert plain({1: (math.nan, math.inf, -math.inf)}) == {"1": [None, "Inf", "-Inf"]}
    assert plain([True, 0, "nan", None]) == [True, 0, "nan", None]
    assert plain(True) is True


def test_no_two_packs_read_one_file_and_each_has_a_sane_tolerance():
    keys = [(pack.area, pack.file) for pack in PACKS]
    assert len(keys) == len(set(keys))
    for pack in PACKS:
        assert 0 <= pack.tolerance <= 0.05 and all(0 <= one <= 0.5 for one in pack.tolerances.values()), (
            pack.file
        )
        assert pack.file.endswith((".json", ".csv"))
