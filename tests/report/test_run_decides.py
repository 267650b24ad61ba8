"""Whether a run builds: a published report is taken as it is, and each single change alone makes it old."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from interim.errors import DataError, ReportError, StudyError
from interim.report import build, export, freshness, hashes, run, workers
from interim.report.plan import Plan
from interim.study import read_study
from tests.report import handmade
from tests.report.test_malformed_inputs import BOOK, CELL, write

DECLARED = (
    "study: str = 'a'\ncut_date: str = ''\nlanguage: str = 'en'\ncopy: str = 'confidential'\nmore: int = 1"
)

PAGE = "documents/05_statistical_report.en.html"


class BuiltAgain(Exception):
    """The data were opened: the published report was not taken."""


@pytest.fixture
def plan(tmp_path, monkeypatch) -> Plan:
    """A published report of a small project with a package, notebooks and a lock file of its own."""
    package = tmp_path / "root" / "src" / "interim"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (tmp_path / "root" / "requirements.lock").write_text("pandas==2\n")
    books = tmp_path / "books"
    books.mkdir()
    first = {**BOOK["cells"][0], "source": DECLARED}
    write(books, {**BOOK, "cells": [first, CELL]})
    made = Plan(handmade.write_study(tmp_path / "params"), books, tmp_path / "reports")
    monkeypatch.setattr(freshness.interim, "__file__", str(package / "__init__.py"))
    monkeypatch.setattr(build, "check_shipped", lambda: None)  # this package ships no templates; see RUN-06

    def opened(study, cache):
        raise BuiltAgain

    monkeypatch.setattr(build, "open_inputs", opened)
    publish(made)
    return made


def folder_of(plan: Plan, day: str = "2026-06-30") -> Path:
    return plan.reports / "HAND" / day


def publish(plan: Plan, **changes) -> None:
    """Write a report folder and its manifest as a run leaves them."""
    folder = folder_of(plan)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).parent.mkdir(exist_ok=True)
    (folder / PAGE).write_text("<html>")
    key = freshness.report_key(read_study(plan.study), plan.notebooks, plan.parameters)
    outputs = {name: value for name, value in hashes.tree(folder).items() if name != "manifest.json"}
    content = {"key": key, "findings": {"stop": 0, "warn": 2, "info": 1}, "outputs": outputs} | changes
    (folder / "manifest.json").write_text(json.dumps(content))


def decided(plan: Plan) -> str:
    try:
        return run.run(plan, say=lambda line: None).status
    except BuiltAgain:
        return "built"


@pytest.mark.rule("RUN-02")
def test_a_published_report_is_given_back_with_what_its_manifest_says(plan):
    said: list[str] = []
    built = run.run(plan, say=said.append)
    assert (built.status, built.folder, dict(built.findings)) == ("up to date", folder_of(plan), {"stop": 0, "warn": 2, "info": 1})  # fmt: skip
    assert built.documents == (folder_of(plan) / PAGE,) and set(built.outputs) == {PAGE}
    assert said == ["study HAND, data cut-off 2026-06-30"]
    assert json.loads(json.dumps(built.as_json()))["documents"] == [str(folder_of(plan) / PAGE)]


def add(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def swap(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


CHANGES = {
    "a byte of the data": lambda p: add(p.study.parent / "data" / "dm.csv", "x"),
    "an end of line of the data": lambda p: swap(p.study.parent / "data" / "dm.csv", "\n", "\r\n"),
    "another file of data": lambda p: (p.study.parent / "data" / "ae.csv").write_text(""),
    "a file of data gone": lambda p: (p.study.parent / "data" / "dm.csv").rename(p.study.parent / "dm.csv"),
    "a parameter of the study": lambda p: swap(p.study, "seed = 5", "seed = 6"),
    "the label": lambda p: swap(p.study, "SYNTHETIC", "TEST"),
    "the formats": lambda p: swap(p.study, '["html"]', '["html", "pdf"]'),
    "a table of the study": lambda p: add(p.study, "[response]\nsd_min_weeks = 9\n"),
    "a cell of a notebook": lambda p: swap(p.notebooks / "01_a.ipynb", '"source": "1"', '"source": "2"'),
    "another notebook": lambda p: write(p.notebooks, (p.notebooks / "01_a.ipynb").read_text(), "02_b.ipynb"),
    "the lock file": lambda p: add(p.reports.parent / "root" / "requirements.lock", "\n"),
    "the package": lambda p: add(p.reports.parent / "root" / "src" / "interim" / "__init__.py", "\n"),
    "a document changed": lambda p: add(folder_of(p) / PAGE, " "),
    "a document gone": lambda p: (folder_of(p) / PAGE).unlink(),
    "a file more in the report": lambda p: (folder_of(p) / "notes.txt").write_text(""),
    "the manifest gone": lambda p: (folder_of(p) / "manifest.json").unlink(),
    "the manifest cut short": lambda p: (folder_of(p) / "manifest.json").write_text("{"),
    "the cache switched off": lambda p: swap(p.study, "[report]", "[report]\ncache = false"),
}  # fmt: skip
SAME = {
    "nothing": lambda p: None,
    "a comment in the study file": lambda p: add(p.study, "# a comment\n"),
    "a file beside the study": lambda p: (p.study.parent / "other.toml").write_text("x"),
    "a text beside the notebooks": lambda p: (p.notebooks / "README.md").write_text("x"),
    "another report": lambda p: (p.reports / "OTHER").mkdir(),
    "the time of a file": lambda p: (p.study.parent / "data" / "dm.csv").touch(),
}


@pytest.mark.rule("RUN-02")
@pytest.mark.parametrize("name", list(CHANGES))
def test_each_change_alone_makes_the_report_old(name, plan):
    CHANGES[name](plan)
    assert decided(plan) == "built"


@pytest.mark.rule("RUN-02")
@pytest.mark.parametrize("name", list(SAME))
def test_what_does_not_enter_the_report_leaves_it_current(name, plan):
    SAME[name](plan)
    assert decided(plan) == "up to date"


@pytest.mark.rule("RUN-02")
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "up to date"),
        ({"force": True}, "built"),
        ({"parameters": {"language": "en"}}, "built"),
        ({"parameters": {"copy": "confidential"}}, "built"),
        ({"parameters": {"more": 2}}, "built"),
        ({"parameters": {"cut_date": "2026-05-31"}}, "built"),
    ],
)
def test_what_was_asked_for_counts(changes, status, plan):
    assert decided(replace(plan, **changes)) == status
    assert decided(plan) == "up to date"


@pytest.mark.rule("RUN-04")
@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"language": "de"}, ReportError, "language = 'de' is not available; permitted: en"),
        ({"copy": "secret"}, ReportError, "copy = 'secret' is not available"),
        ({"more": "2"}, ReportError, "parameter more must be int, found '2'"),
        ({"mor": 2}, ReportError, "did you mean 'more'?"),
        ({"cut_date": "2026-02-30"}, StudyError, "expected an ISO date"),
        ({"cut_date": "30.06.2026"}, StudyError, "expected an ISO date"),
    ],
)
def test_a_wrong_parameter_is_refused_even_where_a_report_is_current(parameters, error, words, plan):
    with pytest.raises(error) as caught:
        run.run(replace(plan, parameters=parameters), say=lambda line: None)
    assert words in str(caught.value)


@pytest.mark.rule("RUN-03")
@pytest.mark.parametrize("error", [DataError([]), OSError(5, "Input/output error"), KeyboardInterrupt()])
def test_an_error_before_the_notebooks_leaves_the_last_report(error, plan, monkeypatch):
    def fail(study, cache):
        raise error

    monkeypatch.setattr(build, "open_inputs", fail)
    before = hashes.tree(plan.reports)
    with pytest.raises(type(error)):
        run.run(replace(plan, force=True), say=lambda line: None)
    assert hashes.tree(plan.reports) == before


@pytest.mark.parametrize(("wanted", "cores", "expected"), [("auto", 2, 2), (3, 1, 3), (1, 8, 1)])
def test_how_many_children(wanted, cores, expected, monkeypatch):
    monkeypatch.setattr(workers.os, "sched_getaffinity", lambda pid: range(cores), raising=False)
    assert workers.cores(SimpleNamespace(report=SimpleNamespace(workers=wanted))) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(float("nan"), None), (float("inf"), None), (-float("inf"), None), (0.0, 0.0), (-0.5, -0.5), (None, None), ("nan", "nan"), (False, False), (7, 7), ("", "")],
)  # fmt: skip
def test_a_cell_as_json_holds_it(value, expected, tmp_path):
    (found,) = export._plain(pd.Series([value], dtype=object))
    assert found == expected and type(found) is type(expected)
    export._write_json(tmp_path / "a", [{"b": found, "a": "é"}])
    assert json.loads((tmp_path / "a").read_text("utf-8")) == [{"a": "é", "b": expected}]
