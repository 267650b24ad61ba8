"""``interim run``: data to results, notebooks to documents, and everything to the report folder."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interim.errors import ReportError
from interim.report.chapter import Inputs, labels_of, open_inputs, preload
from interim.report.child import Job
from interim.report.manifest import data_hash, write_manifest
from interim.report.notebook import check_parameters, notebooks
from interim.report.publish import building
from interim.report.workers import Failure, run_jobs, start_method
from interim.study import Study, read_study

Say = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """A published report.

    Attributes
    ----------
    folder : Path
        The report folder.
    documents : tuple of Path
        The documents in it.
    findings : tuple of int
        Number of stop, warn and info findings.
    """

    folder: Path
    documents: tuple[Path, ...]
    findings: tuple[int, int, int]


@dataclass(frozen=True)
class Plan:
    """What ``interim run`` was asked for.

    Attributes
    ----------
    study : Path
        Study file.
    notebooks : Path
        Folder of the notebooks.
    reports : Path
        Folder of all reports.
    parameters : mapping of str to object
        Parameters given on the command line; only those that the notebooks declare.
    """

    study: Path
    notebooks: Path = Path("notebooks")
    reports: Path = Path("reports")
    parameters: Mapping[str, Any] | None = None


def run(plan: Plan, *, say: Say) -> Built:
    """Build and publish the report of a study.

    Parameters
    ----------
    plan : Plan
        What to build and where.
    say : callable
        Receives lines of progress.

    Returns
    -------
    Built
        Where the report is.

    Raises
    ------
    StudyError, DataError
        If parameters or data are wrong; nothing is written.
    ReportError
        If a parameter is not declared, a notebook fails or a document cannot be built; the last good report stays whole.
    """
    given = dict(plan.parameters or {})
    books = notebooks(plan.notebooks)
    check_parameters(books, {"study": str(plan.study), **given})
    study = read_study(plan.study, cut_date=given.get("cut_date") or None)
    say(f"study {study.study.id}, data cut-off {study.cut:%Y-%m-%d}")
    inputs = open_inputs(study)
    say(f"{inputs.adam!r}; {sum(len(r.frame) for r in inputs.store.values())} results")
    preload(inputs)
    target = plan.reports / study.study.id / f"{study.cut:%Y-%m-%d}"
    with building(target) as folder:
        executed = _execute(plan, study, books, say=say, failed=target.with_name(f"{target.name}.failed"))
        shutil.copytree(executed, folder / "notebooks")
        shutil.rmtree(executed)
        _write_data(folder, inputs)
        names = _write_documents(folder, inputs, say=say)
        write_manifest(folder, inputs, notebooks=plan.notebooks)
    counts = [sum(f.severity == s for f in inputs.adam.findings) for s in ("stop", "warn", "info")]
    return Built(target, tuple(target / name for name in names), (counts[0], counts[1], counts[2]))


def _execute(plan: Plan, study: Study, books: Sequence[Path], *, say: Say, failed: Path) -> Path:
    """Run the notebooks into a temporary folder; on failure keep them in ``failed`` and raise."""
    out = Path(tempfile.mkdtemp(prefix="interim-"))
    scratch = Path(tempfile.mkdtemp(prefix="interim-jobs-"))
    parameters = {"study": str(plan.study.resolve()), **(plan.parameters or {})}
    jobs = [
        Job(
            notebook=str(book.resolve()),
            output=str(out / book.name),
            failure=str(scratch / f"{book.stem}.json"),
            log=str(scratch / f"{book.stem}.log"),
            parameters=parameters,
        )
        for book in books
    ]
    workers = _workers(study, len(jobs))
    method = start_method("auto")
    say(f"{len(jobs)} notebooks on {workers} process(es), {method}")
    try:
        _warm()
        failures = run_jobs(
            jobs,
            workers=workers,
            method=method,
            timeout_s=study.report.timeout_s,
            say=say,
            stop_early=study.report.on_failure == "stop",
        )
        shutil.rmtree(failed, ignore_errors=True)
        if failures:
            shutil.copytree(out, failed)
            raise ReportError(_failure_text(failures, failed, plan))
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return out


def _warm() -> None:
    """Import once what every notebook needs, so that the forked children have it."""
    import IPython.core.interactiveshell
    import matplotlib
    import papermill

    import interim.display
    import interim.report.engine

    matplotlib.use("Agg")
    _ = (IPython.core.interactiveshell, papermill, interim.display, interim.report.engine)


def _workers(study: Study, jobs: int) -> int:
    wanted = study.report.workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores if wanted == "auto" else wanted, jobs))


def _failure_text(failures: Sequence[Failure], kept: Path, plan: Plan) -> str:
    lines = [f"{len(failures)} notebook(s) failed; the last report is unchanged. Executed copies: {kept}"]
    for failure in failures:
        lines += [f"- {failure}", *(f"    {line}" for line in failure.source.splitlines())]
        lines.append(
            f"    again, alone: papermill --engine interim {plan.notebooks / failure.notebook} out.ipynb -p study {plan.study}"
        )
    return "\n".join(lines)


def _write_data(folder: Path, inputs: Inputs) -> None:
    """Write the results, the records behind them, the analysis datasets and the findings."""
    import pandas as pd

    frame, links = inputs.store.frame(), inputs.store.links()
    data = folder / "data"
    data.mkdir()
    frame.to_parquet(data / "results.parquet", index=False)
    links.to_parquet(data / "links.parquet", index=False)
    rows = [{key: _plain(value) for key, value in row.items()} for row in frame.to_dict("records")]
    text = json.dumps(rows, indent=0, sort_keys=True, ensure_ascii=False)
    (data / "results.json").write_text(text + "\n", encoding="utf-8")
    for name, dataset in inputs.adam.datasets.items():
        dataset.to_parquet(data / f"{name.lower()}.parquet", index=False)
    findings = [
        {
            "id": f.id,
            "rule": f.rule,
            "severity": f.severity,
            "domain": f.domain,
            "subject": f.subject,
            "variable": f.variable,
            "value": f.value,
            "expected": f.expected,
            "message": f.message,
            "effect": "; ".join(f.effect),
            "file": f.file,
            "row": f.row,
        }
        for f in inputs.adam.findings
    ]
    columns = list(findings[0]) if findings else ["id", "rule", "severity", "domain", "subject", "message"]
    pd.DataFrame(findings, columns=columns).to_csv(data / "findings.csv", index=False, lineterminator="\n")


def _plain(value: Any) -> Any:
    """Return a cell as JSON holds it: missing as null."""
    missing = value is None or value != value or type(value).__name__ == "NAType"
    return None if missing else value


def _write_documents(folder: Path, inputs: Inputs, *, say: Say) -> list[str]:
    from interim.report.document import DocumentFacts, collect
    from interim.report.html import write_html
    from interim.report.pdf import write_pdf
    from interim.report.word import write_docx

    study = inputs.study
    facts = DocumentFacts(
        title="Statistical interim report",
        subtitle=study.study.title,
        study=study.study.id,
        cut=f"{study.cut:%Y-%m-%d}",
        snapshot=data_hash(inputs)[:12],
        labels=labels_of(inputs),
        language="en",
        timestamp=study.report.timestamp or study.data.extract_time or study.cut,
    )
    document = collect(sorted((folder / "notebooks").glob("*.ipynb")), facts)
    writers = {"html": write_html, "pdf": write_pdf, "docx": write_docx}
    names = []
    for name in study.report.formats:
        path = folder / f"report.{name}"
        writers[name](document, path)
        say(f"wrote {path.name}")
        names.append(path.name)
    return names
