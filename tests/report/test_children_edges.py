"""How children end: every exit code and signal, half a description, stray output, the first error, odd notebooks."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from interim.report import child, workers
from interim.report.child import Job, run_job
from tests.report.test_workers import make_job, outputs, run_all

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
WHOLE = {"error": "E", "message": "m", "line": 2, "source": "x", "trace": ["a"], "cell": "c", "section": "s"}


@pytest.mark.rule("WORK-01")
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, ""),
        (1, "ended with exit code 1"),
        (70, "ended with exit code 70"),
        (255, "ended with exit code 255"),
        ("died by signal SIGTERM", "died by signal SIGTERM"),
        ("killed after report.timeout_s = 2 seconds", "killed after report.timeout_s = 2 seconds"),
    ],
)
@pytest.mark.parametrize("described", ["", "{", '{"error": "E"', "\x00", None])
def test_the_end_of_a_child_that_described_nothing_whole(code, words, described, tmp_path):
    """A child that dies while it writes leaves half a description."""
    job = make_job(tmp_path, "01_a", "1")
    if described is not None:
        Path(job.failure).write_text(described)
    if code == 0:
        Path(job.output).write_text("{}")
        assert workers._judge(job, code) is None
        return
    failure = workers._judge(job, code)
    assert (failure.error, failure.notebook) == ("Crash", "01_a.ipynb") and words in failure.message
    assert str(failure) == f"01_a.ipynb: no cell: Crash: the notebook's process {words}"


@pytest.mark.rule("WORK-01")
@pytest.mark.parametrize("code", [0, 1, "died by signal SIGKILL"])
def test_a_whole_description_wins_over_the_code(code, tmp_path):
    job = make_job(tmp_path, "01_a", "1")
    Path(job.failure).write_text(json.dumps(WHOLE))
    failure = workers._judge(job, code)
    assert failure == workers.Failure("01_a.ipynb", "s", "c", "E", "m", 2, "x", ("a",))
    assert str(failure) == "01_a.ipynb: section 's', cell 'c', line 2: E: m"


@pytest.mark.rule("WORK-01")
@pytest.mark.parametrize(
    ("number", "name"),
    [
        (signal.SIGKILL, "SIGKILL"),
        (signal.SIGSEGV, "SIGSEGV"),
        (signal.SIGTERM, "SIGTERM"),
        (40, "40"),
        (63, "63"),
    ],
)
def test_any_signal_has_words_even_one_without_a_name(number, name):
    assert workers._signal_name(int(number)) == name


@pytest.mark.rule("WORK-01")
@pytest.mark.skipif(sys.platform != "linux", reason="real-time signals")
def test_each_end_of_a_real_child_in_one_round(tmp_path):
    ends = {
        "01_rt": ("import os\nos.kill(os.getpid(), 40)", "the notebook's process died by signal 40"),
        "02_term": (
            "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
            "the notebook's process died by signal SIGTERM",
        ),
        "03_code": ("import os\nos._exit(9)", "the notebook's process ended with exit code 9"),
        "04_system": ("raise SystemExit(3)", "3"),
        "05_stderr": ("import os\nos.write(2, b'one\\ntwo\\n');", "something wrote past the notebook: two"),
        "06_key": ("{}['a']", "'a'"),
        "07_empty": ("raise ValueError", ""),
        "08_own": ("class E(Exception): pass\nraise E('line one\\nline two')", "line one\nline two"),
    }
    jobs = [make_job(tmp_path, name, source) for name, (source, _) in ends.items()]
    failures, lines = run_all(*jobs)
    found = {failure.notebook.removesuffix(".ipynb"): failure for failure in failures}
    assert {name: found[name].message for name in ends} == {name: words for name, (_, words) in ends.items()}
    kinds = [found[name].error for name in ends]
    assert kinds == ["Crash", "Crash", "Crash", "SystemExit", "StrayOutput", "KeyError", "ValueError", "E"]
    assert sorted(line.split()[0] for line in lines) == [f"[{n}/8]" for n in range(1, 9)]


@pytest.mark.rule("WORK-01")
@pytest.mark.parametrize("jobs", [0, 1, 5])
def test_no_more_children_than_workers_and_nothing_to_do_is_done(jobs, tmp_path, monkeypatch):
    alive: list[Job] = []
    most = [0]

    def start(job, method):
        alive.append(job)
        most[0] = max(most[0], len(alive))
        return workers._Running(job, 0, 0.0)

    def poll(item, timeout_s):
        alive.remove(item.job)
        return 0

    monkeypatch.setattr(workers, "_start", start)
    monkeypatch.setattr(workers, "_poll", poll)
    monkeypatch.setattr(workers, "_judge", lambda job, code: None)
    made = [Job(f"{n}.ipynb", "", "", "", {}) for n in range(jobs)]
    failures, lines = run_all(*made, workers=2)
    assert failures == [] and most[0] == min(2, jobs) and len(lines) == jobs


@pytest.mark.rule("WORK-01")
@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([("markdown", "# A", [])], ("", "A")),
        ([("markdown", "# A\n\n## B ##", []), ("code", "x", ["error"])], ("id1", "B ##")),
        ([("markdown", "# A", []), ("code", "x", ["error"]), ("markdown", "# B", [])], ("id1", "A")),
        ([("code", "x", ["error"]), ("markdown", "# A", [])], ("id0", "")),
        ([("code", "# no heading", []), ("code", "x", ["error"])], ("id1", "")),
        ([("markdown", "text", []), ("code", "x", ["stream", "error"])], ("id1", "")),
        ([("markdown", ["# A\n", "\n", "t"], []), ("code", ["x"], ["error"])], ("id1", "A")),
    ],
)
def test_the_failing_cell_and_the_heading_above_it(cells, expected, tmp_path):
    book = {
        "cells": [
            {"id": f"id{n}", "cell_type": kind, "source": source, "metadata": {}, "outputs": [{"output_type": o} for o in out]}
            for n, (kind, source, out) in enumerate(cells)
        ]
    }  # fmt: skip
    (tmp_path / "a").write_text(json.dumps(book))
    assert child._failing_cell(tmp_path / "a") == expected


@pytest.mark.parametrize("text", ["", "{", "{}", '{"cell": 1}'])
def test_without_an_executed_copy_there_is_no_cell(text, tmp_path):
    (tmp_path / "a").write_text(text)
    assert child._failing_cell(tmp_path / "a") == ("", "")
    assert child._failing_cell(tmp_path / "absent") == ("", "")


@pytest.mark.parametrize(
    ("trace", "line"),
    [
        ([], None),
        (["ValueError: x"], None),
        (["Cell In[3], line 7", "File a.py, line 9"], 7),
        (["File a.py, line 9", "<ipython-input-1-ab>, line 2"], 2),
        (["Cell In[1], line 12, in <module>", "Cell In[2], line 5"], 12),
        (["Cell In[x], line 3"], None),
    ],
)
def test_the_line_of_the_cell(trace, line):
    assert child._failing_line(trace) == line


def test_colours_of_a_traceback_are_removed_and_a_line_behind_the_source_is_the_whole_cell(tmp_path):
    job = make_job(tmp_path, "01_a", "1")
    child._describe(job, "E", "m", "  only\n", ["\x1b[31mCell In[1], line 9\x1b[0m\nmore"])
    described = json.loads(Path(job.failure).read_text())
    assert described["trace"] == ["Cell In[1], line 9", "more"]
    assert (described["line"], described["source"]) == (9, "only")


@pytest.mark.rule("WORK-01")
@pytest.mark.parametrize("value", ["", "a 'b' \"c\" \\ \n", "ä≥", "{x}", "$HOME", None, 5, True])
def test_parameters_arrive_as_they_were_given(value, tmp_path):
    job = make_job(tmp_path, "01_a", "study: str = 'a'", "print(repr(study))", parameters={"study": value})
    file = tmp_path / "job.json"
    job.save(file)
    assert Job(**json.loads(file.read_text("utf-8"))) == job
    assert run_job(job) == 0
    (shown,) = outputs(job)
    assert "".join(shown["text"]) == f"{value!r}\n"


@pytest.mark.parametrize("place", ["notebook", "output"])
def test_a_path_that_does_not_exist_is_described(place, tmp_path):
    job = make_job(tmp_path, "01_a", "1")
    paths = {"notebook": job.notebook, "output": job.output, place: str(tmp_path / "no" / "x.ipynb")}
    moved = Job(**paths, failure=job.failure, log=job.log, parameters={})
    assert run_job(moved) == 1
    assert "no" in json.loads(Path(job.failure).read_text())["message"]
