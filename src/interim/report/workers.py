"""Runs notebooks side by side, one process each: forked from a preloaded parent, or spawned."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from interim.errors import ReportError
from interim.report.child import Job, run_job

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from interim.study import Study

StartMethod = Literal["auto", "fork", "spawn"]
Item = TypeVar("Item")
Answer = TypeVar("Answer")
_POLL_S = 0.02
_LEAVE_S = 1.0
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


@dataclass(frozen=True)
class Failure:
    """Why a notebook failed.

    Attributes
    ----------
    notebook, section, cell : str
        Where.
    error, message : str
        Exception name and text.
    line : int or None
        Line within the cell, 1-based.
    source : str
        That line; the whole cell if the line is not known.
    trace : tuple of str
        Traceback lines.
    """

    notebook: str
    section: str
    cell: str
    error: str
    message: str
    line: int | None = None
    source: str = ""
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return notebook, section, cell, line and cause."""
        parts = (
            f"section {self.section!r}" if self.section else "",
            f"cell {self.cell!r}" if self.cell else "",
            f"line {self.line}" if self.line is not None else "",
        )
        place = ", ".join(filter(None, parts))
        return f"{self.notebook}: {place or 'no cell'}: {self.error}: {self.message}"


class NotebookError(ReportError):
    """Notebooks failed; carries each failure.

    Parameters
    ----------
    text : str
        What is printed.
    failures : sequence of Failure
        One per failed notebook.
    """

    def __init__(self, text: str, failures: Sequence[Failure]) -> None:
        super().__init__(text)
        self.failures = tuple(failures)


@dataclass
class _Running:
    job: Job
    pid: int
    start: float
    process: subprocess.Popen[bytes] | None = None


def start_method(wanted: StartMethod) -> Literal["fork", "spawn"]:
    """Return how children are started.

    Parameters
    ----------
    wanted : {"auto", "fork", "spawn"}
        auto: fork on Linux while the parent has a single thread, else spawn.

    Returns
    -------
    {"fork", "spawn"}
        The method.

    Raises
    ------
    None
    """
    if wanted != "auto":
        return wanted
    single = threading.active_count() == 1 and _system_threads() == 1
    return "fork" if sys.platform == "linux" and single else "spawn"


def _system_threads() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        return 1


def cores(study: Study) -> int:
    """Return how many processes may work at a time.

    Parameters
    ----------
    study : Study
        ``report.workers``.

    Returns
    -------
    int
        Its value; with auto the cores that this process may use.

    Raises
    ------
    None
    """
    if study.report.workers != "auto":
        return study.report.workers
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_AT_WORK: list[Callable[[int], Any]] = []


def _view(content: Mapping[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(content)


ForkingPickler.register(MappingProxyType, lambda view: (_view, (dict(view),)))


def map_forked(
    task: Callable[[Item], Answer], items: Sequence[Item], *, workers: int, method: StartMethod = "auto"
) -> list[Answer]:
    """Return what a task makes of each item, in processes forked from this one where that is safe, else in this one.

    Parameters
    ----------
    task : callable
        Item -> answer. The forked processes have it, and all that it refers to, in memory; only answers are sent.
    items : sequence
        They are begun in this order.
    workers : int
        Processes at a time; 1: this one.
    method : {"auto", "fork", "spawn"}
        As in `start_method`; spawned processes would have nothing in memory, so there are none.

    Returns
    -------
    list
        The answers, in the order of the items.

    Raises
    ------
    Exception
        Whatever the task raises.
    """
    workers = min(workers, len(items))
    if workers < 2 or start_method(method) != "fork":
        return [task(item) for item in items]
    _AT_WORK[:] = [lambda place: task(items[place])]
    threads = _system_threads()
    try:
        fork = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(workers, fork, die_with_parent, (os.getpid(),)) as pool:
            return list(pool.map(_at_work, range(len(items))))
    finally:
        _AT_WORK.clear()
        _wait_for_threads(threads)


@contextlib.contextmanager
def beside(
    task: Callable[[], Answer], *, workers: int, method: StartMethod = "auto"
) -> Iterator[Callable[[], Answer]]:
    """Do one task in a process forked from this one, where that is safe, while this one goes on; else at once in this one.

    Parameters
    ----------
    task : callable
        The forked process has it, and all that it refers to, in memory; only its answer is sent.
    workers : int
        Processes at a time; 1: this one.
    method : {"auto", "fork", "spawn"}
        As in `map_forked`.

    Yields
    ------
    callable
        Waits for the task and returns its answer; to be called once. A block that ends without it ends the process.

    Raises
    ------
    Exception
        Whatever the task raises, where the answer is asked for.
    ReportError
        If the process died.
    """
    if workers < 2 or start_method(method) != "fork":
        answer = task()
        yield lambda: answer
        return
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    process = fork.Process(target=_send, args=(theirs, task, os.getpid()))
    process.start()
    theirs.close()
    try:
        yield lambda: _received(ours, process)
    finally:
        process.kill()
        process.join()
        ours.close()


def _send(
    pipe: Connection, task: Callable[[], object], parent: int
) -> None:  # pragma: no cover - runs in the forked child, which coverage does not see
    die_with_parent(parent)
    with contextlib.suppress(KeyboardInterrupt):  # the parent is interrupted too, and says so
        try:
            pipe.send((True, task()))
        except Exception as error:
            error.add_note(traceback.format_exc())
            pipe.send((False, error))


def _received(pipe: Connection, process: BaseProcess) -> Any:
    """Return the answer of a task in another process, or raise its error."""
    try:
        done, answer = pipe.recv()
    except EOFError:
        process.join()
        raise ReportError(
            f"a process of this build ended by itself (exit code {process.exitcode}); if memory is short, lower report.workers"
        ) from None
    if not done:
        raise answer
    return answer


def _wait_for_threads(number: int) -> None:
    """Wait until the threads of a pool have left the system, which is a moment after Python has joined them: else the next children would be spawned."""
    end = time.monotonic() + _LEAVE_S
    while _system_threads() > number and time.monotonic() < end:
        time.sleep(0.001)


def _at_work(place: int) -> Any:  # pragma: no cover - runs in the forked child, which coverage does not see
    return _AT_WORK[0](place)


def run_jobs(
    jobs: Sequence[Job],
    *,
    workers: int,
    method: Literal["fork", "spawn"],
    timeout_s: float,
    say: Callable[[str], None],
    stop_early: bool = False,
    left: Callable[[str, float], str] = lambda name, seconds: "",
) -> list[Failure]:
    """Run all jobs, at most ``workers`` at a time.

    Parameters
    ----------
    jobs : sequence of Job
        The notebooks.
    workers : int
        Processes at a time, >= 1.
    method : {"fork", "spawn"}
        How children start.
    timeout_s : float
        Limit per notebook in seconds; its process group is killed then.
    say : callable
        Receives one line of progress.
    stop_early : bool
        Start no further notebook after a failure.
    left : callable
        Gets the name and the seconds of a notebook that succeeded; returns what is said of the time that is left.

    Returns
    -------
    list of Failure
        In the order of the jobs; empty if all succeeded.

    Raises
    ------
    None
    """
    _default_handler()
    waiting = list(jobs)
    running: list[_Running] = []
    failures: dict[str, Failure] = {}
    done = 0
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(_start(waiting.pop(0), method))
            for item in list(running):
                code = _poll(item, timeout_s)
                if code is None:
                    continue
                running.remove(item)
                done += 1
                failure = _judge(item.job, code)
                if failure is not None:
                    failures[item.job.notebook] = failure
                    waiting = [] if stop_early else waiting
                say(f"[{done}/{len(jobs)}] {_told(item, failure, left)}")
            time.sleep(_POLL_S)
    finally:
        for item in running:
            _kill(item)
    return [failures[job.notebook] for job in jobs if job.notebook in failures]


def _told(item: _Running, failure: Failure | None, left: Callable[[str, float], str]) -> str:
    """Return the line of a notebook that has ended."""
    name, seconds = Path(item.job.notebook).stem, time.monotonic() - item.start
    if failure is not None:
        return f"{name} FAILED in {failure.cell or 'no cell'} ({seconds:.1f} s)"
    return f"{name} done ({seconds:.1f} s{left(name, seconds)})"


def _default_handler() -> None:
    """Undo an inherited "ignore", which would hide how children ended."""
    if hasattr(signal, "SIGCHLD") and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _start(job: Job, method: Literal["fork", "spawn"]) -> _Running:
    if method == "spawn":
        path = Path(job.failure).with_suffix(".job.json")
        job.save(path)
        with Path(job.log).open("wb") as log:
            command = [sys.executable, "-m", "interim.report.child", str(path)]
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        return _Running(job, process.pid, time.monotonic(), process)
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _child(job, parent)
    return _Running(job, pid, time.monotonic())


def die_with_parent(parent: int) -> None:
    """Let this process end when its parent is killed, where the system can do that.

    Parameters
    ----------
    parent : int
        Process id of the parent.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _child(
    job: Job, parent: int
) -> None:  # pragma: no cover - runs in the forked child, which coverage does not see
    code = 70
    try:
        os.setsid()
        die_with_parent(parent)
        log = os.open(job.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = run_job(job)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _poll(item: _Running, timeout_s: float) -> int | str | None:
    """Return None while the child runs, else its exit code, or the words that say how it died."""
    if item.process is not None:
        code = item.process.poll()
    else:
        pid, status = os.waitpid(item.pid, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status) if pid else None
    if code is None and time.monotonic() - item.start > timeout_s:
        _kill(item)
        return f"killed after report.timeout_s = {timeout_s:g} seconds"
    if code is not None and code < 0:
        return f"died by signal {_signal_name(-code)}"
    return code


def _signal_name(number: int) -> str:
    known = {one.value: one.name for one in signal.Signals}
    return known.get(number, str(number))


def _kill(item: _Running) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(item.pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(item.pid, signal.SIGKILL)
    if item.process is not None:
        item.process.wait()
        return
    with contextlib.suppress(ChildProcessError):
        os.waitpid(item.pid, 0)


def _judge(job: Job, code: int | str) -> Failure | None:
    name = Path(job.notebook).name
    described = _described(Path(job.failure))
    if described is not None:
        return Failure(name, **{**described, "trace": tuple(described["trace"])})
    if code != 0:
        words = code if isinstance(code, str) else f"ended with exit code {code}"
        return Failure(name, "", "", "Crash", f"the notebook's process {words}")
    log = Path(job.log)
    stray = log.read_text(encoding="utf-8", errors="replace").strip() if log.exists() else ""
    if stray:
        return Failure(
            name, "", "", "StrayOutput", f"something wrote past the notebook: {stray.splitlines()[-1]}"
        )
    if not Path(job.output).exists():
        return Failure(name, "", "", "NoOutput", "the executed notebook is missing")
    return None


def _described(path: Path) -> dict[str, Any] | None:
    """Return how a child described its failure; None if it did not, or died while it wrote."""
    try:
        text: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return text
