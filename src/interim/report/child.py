"""Runs one notebook: in a forked child, or as a process of its own (``python -m interim.report.child JOB.json``)."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_FRAME = re.compile(r"(?:Cell In\[\d+\]|<ipython-input[^>]*>).*?, line (\d+)")


@dataclass(frozen=True)
class Job:
    """One notebook to run.

    Attributes
    ----------
    notebook, output, failure, log : str
        Paths: the notebook, its executed copy, where a failure is described, where stray output goes.
    parameters : mapping of str to object
        Injected parameters.
    reads : str
        Path where it is told what the notebook read of preloaded inputs; empty: nowhere.
    shown : mapping of str to str
        Parameters that the executed copy states in other words.
    """

    notebook: str
    output: str
    failure: str
    log: str
    parameters: Mapping[str, Any]
    reads: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the job as JSON.

        Parameters
        ----------
        path : Path
            File to write.

        Returns
        -------
        None

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def run_job(job: Job) -> int:
    """Execute one notebook with papermill's engine ``interim``.

    Parameters
    ----------
    job : Job
        What to run and where to write.

    Returns
    -------
    int
        0, or 1 after the failure has been described in ``job.failure``.

    Raises
    ------
    None
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from interim.report.chapter import watch
    from interim.report.engine import strip_volatile

    reads: set[str] = set()
    watch(reads)
    try:
        papermill.execute_notebook(
            job.notebook,
            job.output,
            parameters=dict(job.parameters),
            engine_name="interim",
            progress_bar=False,
            request_save_on_cell_execute=False,
        )
        strip_volatile(Path(job.output), job.shown)
        if job.reads and reads:
            Path(job.reads).write_text("\n".join(sorted(reads)), encoding="utf-8")
    except PapermillExecutionError as error:
        _describe(job, error.ename, error.evalue, error.source, error.traceback)
        return 1
    except Exception as error:
        _describe(job, type(error).__name__, str(error), "", [])
        return 1
    finally:
        watch(None)
    return 0


def _describe(job: Job, name: str, message: str, source: str, trace: list[str]) -> None:
    cell, title = _failing_cell(Path(job.output))
    lines = [line for text in trace for line in _ANSI.sub("", text).splitlines()]
    number = _failing_line(lines)
    rows = source.splitlines()
    text = {
        "error": name,
        "message": message,
        "line": number,
        "source": rows[number - 1].strip() if number is not None and number <= len(rows) else source.strip(),
        "trace": lines,
        "cell": cell,
        "section": title,
    }
    Path(job.failure).write_text(json.dumps(text), encoding="utf-8")


def _failing_line(trace: list[str]) -> int | None:
    """Return the number of the cell's line that raised the error: the first frame of the traceback that is a cell."""
    for line in trace:
        match = _FRAME.search(line)
        if match:
            return int(match[1])
    return None


def _failing_cell(path: Path) -> tuple[str, str]:
    """Return the id of the first cell with an error output and the last heading above it."""
    title = ""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return "", title
    for cell in cells:
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        added = {"papermill-error-cell-tag"} & set(cell["metadata"].get("tags", []))
        if cell["cell_type"] == "markdown" and not added:
            title = next(
                (line.lstrip("# ") for line in source.splitlines()[::-1] if line.startswith("#")), title
            )
        if any(output.get("output_type") == "error" for output in cell.get("outputs", [])):
            return str(cell.get("id", "")), title
    return "", title


def main(argv: list[str]) -> int:
    """Run the job described in a file.

    Parameters
    ----------
    argv : list of str
        One path of a job written by `Job.save`.

    Returns
    -------
    int
        Exit code.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    job = Job(**json.loads(Path(argv[0]).read_text(encoding="utf-8")))
    return run_job(job)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
