from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from interim.errors import ReportError
from interim.report import chapter, workers
from interim.report.child import Job, main, run_job

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
SETTLE = "from interim.report.chapter import settle\nfrom interim.study import read_study\nsettle(read_study({study!r}))"


def make_job(folder: Path, name: str, *sources: str, parameters: dict | None = None) -> Job:
    cells = [{"cell_type": "markdown", "id": "head", "metadata": {}, "source": f"# Chapter {name}\n\ntext"}]
    for number, source in enumerate(sources, 1):
        cells.append(
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {"tags": ["parameters"]} if source.startswith("study:") else {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
        )
    spec = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    book = folder / f"{name}.ipynb"
    book.write_text(json.dumps({"cells": cells, "metadata": spec, "nbformat": 4, "nbformat_minor": 5}))
    out = folder / "out"
    out.mkdir(exist_ok=True)
    paths = (book, out / book.name, folder / f"{name}.json", folder / f"{name}.log")
    return Job(*map(str, paths), parameters=parameters or {})


def outputs(job: Job) -> list[dict]:
    cells = json.loads(Path(job.output).read_text(encoding="utf-8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]


def run_all(*jobs: Job, **options):
    lines: list[str] = []
    settings = {"workers": 2, "method": "fork", "timeout_s": 60} | options
    return workers.run_jobs(jobs, say=lines.append, **settings), lines


@pytest.mark.rule("WORK-01")
def test_failure_crash_and_stray_output_are_reported_and_the_others_finish(tmp_path):
    jobs = [
        make_job(tmp_path, "01_bad", "x = 1", "y = 0\nx / y"),
        make_job(tmp_path, "02_killed", "import os\nos.kill(os.getpid(), 9)"),
        make_job(tmp_path, "03_left", "import os\nos._exit(3)"),
        make_job(tmp_path, "04_stray", "import os\nos.system('echo past the notebook');"),
        make_job(tmp_path, "05_good", "print('fine')"),
    ]
    failures, lines = run_all(*jobs)
    found = {failure.notebook: failure for failure in failures}
    assert list(found) == ["01_bad.ipynb", "02_killed.ipynb", "03_left.ipynb", "04_stray.ipynb"]
    bad = found["01_bad.ipynb"]
    assert (bad.section, bad.cell, bad.line, bad.source) == ("Chapter 01_bad", "cell-2", 2, "x / y")
    assert str(bad).endswith(
        "section 'Chapter 01_bad', cell 'cell-2', line 2: ZeroDivisionError: division by zero"
    )
    assert "SIGKILL" in found["02_killed.ipynb"].message
    assert "exit code 3" in found["03_left.ipynb"].message
    assert "past the notebook" in found["04_stray.ipynb"].message
    assert outputs(jobs[4]) == [{"name": "stdout", "output_type": "stream", "text": ["fine\n"]}]
    assert len(lines) == 5
    assert sum("FAILED" in line for line in lines) == 4


@pytest.mark.rule("WORK-01")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_notebook_that_takes_too_long_is_killed(tmp_path, method):
    job = make_job(tmp_path, "01_slow", "import time\ntime.sleep(60)")
    failures, _ = run_all(job, method=method, timeout_s=2)
    assert "killed after report.timeout_s = 2 seconds" in failures[0].message


@pytest.mark.rule("WORK-01")
def test_stop_early_starts_no_further_notebook(tmp_path):
    jobs = [make_job(tmp_path, "01_bad", "1 / 0"), make_job(tmp_path, "02_good", "1")]
    failures, _ = run_all(*jobs, workers=1, stop_early=True)
    assert [failure.notebook for failure in failures] == ["01_bad.ipynb"]
    assert not Path(jobs[1].output).exists()


@pytest.mark.rule("WORK-02")
def test_fork_and_spawn_give_the_same_bytes(tmp_path):
    import matplotlib.pyplot as plt

    source = "import matplotlib.pyplot as plt\nplt.figure(figsize=(2, 1))\nplt.plot([1, 2]);"
    made = []
    for method in ("fork", "spawn"):
        folder = tmp_path / method
        folder.mkdir()
        job = make_job(folder, "01_figure", "study: str = 'a'", source, "study", parameters={"study": "b"})
        assert run_all(job, method=method)[0] == []
        made.append(Path(job.output).read_bytes())
        pictures = [o for o in outputs(job) if "image/png" in o.get("data", {})]
        assert len(pictures) == 1, "matplotlib was imported before the fork; the figure must not be lost"
        assert outputs(job)[-1]["data"]["text/plain"] == ["'b'"]
    assert made[0] == made[1]
    assert plt.get_fignums() == []


@pytest.mark.rule("WORK-02")
def test_draws_and_options_are_those_of_the_load_cell(tmp_path):
    import random

    import numpy as np
    import pandas as pd

    from tests.report import handmade

    study = str(handmade.write_study(tmp_path / "params"))
    load = SETTLE.format(study=study)
    draw = "import random, numpy as np, pandas as pd\nrandom.random(), np.random.rand(), pd.get_option('display.width')"
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - the global state that a child would inherit
    pd.set_option("display.width", 33)
    try:
        jobs = [make_job(tmp_path, name, load, draw) for name in ("01_a", "02_b")]
        assert run_all(*jobs)[0] == []
    finally:
        pd.reset_option("display.width")
    texts = [outputs(job)[0]["data"]["text/plain"] for job in jobs]
    assert texts[0] == texts[1]
    assert texts[0][0].endswith(", 80)")


@pytest.mark.rule("WORK-02")
def test_a_warning_after_the_load_cell_is_a_failing_cell(tmp_path):
    from tests.report import handmade

    load = SETTLE.format(study=str(handmade.write_study(tmp_path / "params")))
    job = make_job(tmp_path, "01_warn", load, "import warnings\nwarnings.warn('look')")
    (failure,), _ = run_all(job)
    assert (failure.cell, failure.error, failure.message) == ("cell-2", "UserWarning", "look")


@pytest.mark.rule("WORK-02")
def test_a_handler_that_ignores_ended_children_is_undone(tmp_path):
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        failures, _ = run_all(make_job(tmp_path, "01_left", "import os\nos._exit(4)"))
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert "exit code 4" in failures[0].message


@pytest.mark.rule("WORK-02")
def test_a_parent_with_threads_is_not_forked(monkeypatch):
    monkeypatch.setattr(workers, "_system_threads", lambda: 2)
    assert workers.start_method("auto") == "spawn"
    monkeypatch.setattr(workers, "_system_threads", lambda: 1)
    monkeypatch.setattr(workers.threading, "active_count", lambda: 1)
    assert workers.start_method("auto") == ("fork" if sys.platform == "linux" else "spawn")
    assert workers.start_method("spawn") == "spawn"


@pytest.mark.rule("WORK-02")
def test_the_command_line_leaves_one_thread_for_the_fork():
    code = (
        "from interim import cli\ntry: cli.main(['--version'])\nexcept SystemExit: pass\n"
        "from pathlib import Path\nfrom interim.report.warm import warm\nwarm(Path())\nimport pandas, scipy.stats, pyarrow.parquet\n"
        "from interim.report.workers import start_method\nprint(start_method('auto'))"
    )
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "JE_ARROW_MALLOC_CONF")
    clean = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True)
    assert done.stdout.split()[-1] == ("fork" if sys.platform == "linux" else "spawn"), done.stderr


def test_a_child_that_wrote_nothing_is_a_failure(tmp_path):
    job = make_job(tmp_path, "01_nothing", "1")
    assert workers._judge(job, 0).error == "NoOutput"
    assert workers._judge(job, "died by signal SIGSEGV").error == "Crash"


def test_interrupted_children_are_killed(tmp_path):
    job = make_job(tmp_path, "01_slow", "import time\ntime.sleep(60)")

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers.time, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_all(job)
    assert not Path(job.output).exists()


def test_a_job_runs_in_this_process_and_from_a_file(tmp_path):
    good, bad = make_job(tmp_path, "01_good", "1 + 1"), make_job(tmp_path, "02_bad", "x = (")
    assert run_job(good) == 0
    assert chapter._READS is None, "what later notebooks of this process read is nobody's business"
    file = tmp_path / "job.json"
    bad.save(file)
    assert main([str(file)]) == 1
    described = json.loads(Path(bad.failure).read_text())
    assert (described["error"], described["cell"], described["line"]) == ("SyntaxError", "cell-1", 1)


def test_a_notebook_that_cannot_be_read_is_described(tmp_path):
    job = make_job(tmp_path, "01_good", "1")
    Path(job.notebook).write_text("no notebook")
    assert run_job(job) == 1
    assert chapter._READS is None
    described = json.loads(Path(job.failure).read_text())
    assert (described["cell"], described["line"]) == ("", None)


@pytest.mark.rule("WORK-04", source="decision 291")
@pytest.mark.parametrize(
    ("count", "method", "apart"), [(2, "auto", True), (1, "auto", False), (2, "spawn", False)]
)
def test_work_is_shared_only_where_a_fork_is_safe(count, method, apart, monkeypatch):
    monkeypatch.setattr(workers, "_system_threads", lambda: 1)
    monkeypatch.setattr(workers.threading, "active_count", lambda: 1)
    found = workers.map_forked(lambda n: (n * n, os.getpid()), range(7), workers=count, method=method)
    assert [square for square, _ in found] == [n * n for n in range(7)]
    assert all(pid != os.getpid() for _, pid in found) == (apart and sys.platform == "linux")
    assert workers.map_forked(str, [], workers=count, method=method) == []


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_of_shared_work_is_raised_here(count, monkeypatch):
    monkeypatch.setattr(workers, "_system_threads", lambda: 1)
    monkeypatch.setattr(workers.threading, "active_count", lambda: 1)
    with pytest.raises(ZeroDivisionError):
        workers.map_forked(lambda n: 1 // n, [1, 0], workers=count)
    assert workers._AT_WORK == []


@pytest.mark.rule("WORK-04")
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_shared_work_leaves_no_thread_that_would_make_the_next_children_spawn():
    code = (
        "from interim.report.workers import map_forked, start_method\n"
        "print([(map_forked(abs, [-1, 2], workers=2), start_method('auto'))[1] for _ in range(5)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == f"{['fork'] * 5}\n", done.stderr


@pytest.fixture
def forks(monkeypatch):
    """One thread, as the command line leaves it."""
    monkeypatch.setattr(workers, "_system_threads", lambda: 1)
    monkeypatch.setattr(workers.threading, "active_count", lambda: 1)


@pytest.mark.rule("WORK-05", source="decision 298")
@pytest.mark.parametrize(
    ("count", "method", "apart"), [(2, "auto", True), (1, "auto", False), (2, "spawn", False)]
)
def test_a_task_beside_others_is_forked_only_where_that_is_safe(count, method, apart, forks):
    with workers.beside(lambda: ("x" * 10**6, os.getpid()), workers=count, method=method) as answer:
        text, pid = answer()
    assert len(text) == 10**6, "more than a pipe holds"
    assert (pid != os.getpid()) == (apart and sys.platform == "linux")


@pytest.mark.rule("WORK-05")
@pytest.mark.parametrize("count", [1, 2])
def test_an_error_beside_is_raised_here(count, forks):
    with pytest.raises(FileNotFoundError, match="nowhere") as raised:  # noqa: SIM117
        with workers.beside(lambda: Path("nowhere").read_bytes(), workers=count) as answer:
            answer()
    assert raised.value.filename == "nowhere"


@pytest.mark.rule("WORK-05")
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_a_process_beside_that_dies_is_told_and_one_that_nobody_asked_ends(forks, tmp_path):
    with (
        pytest.raises(ReportError, match=r"ended by itself \(exit code 3\).*lower report\.workers"),
        workers.beside(lambda: os._exit(3), workers=2) as answer,
    ):
        answer()
    mark = tmp_path / "late"
    with pytest.raises(KeyError), workers.beside(lambda: (time.sleep(9), mark.touch()), workers=2):
        raise KeyError
    assert multiprocessing.active_children() == [] and not mark.exists()
