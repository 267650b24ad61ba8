"""A build: data to results, notebooks to documents, and everything to the report folder."""

from __future__ import annotations

import gc
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from interim.display.language import SOURCE
from interim.errors import InterimError
from interim.report.cache import Cache
from interim.report.chapter import Inputs, labels_of, open_inputs, preload
from interim.report.child import Job
from interim.report.freshness import DOCUMENTS, MANIFEST
from interim.report.hashes import joined, sha256, sha256_bytes
from interim.report.manifest import finding_counts, write_manifest
from interim.report.notebook import is_thin
from interim.report.plan import COPIES, Plan
from interim.report.progress import Progress
from interim.report.publish import building
from interim.report.registry import check_complete
from interim.report.shipped import check_shipped
from interim.report.stamp import PLACE, Marks, marks_of, with_digits, without_digits
from interim.report.warm import warm
from interim.report.workers import Failure, NotebookError, beside, cores, run_jobs, start_method
from interim.study import Study

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interim.report.content import Front
    from interim.report.package import Made
    from interim.report.privacy.scan import Scan

Say = Callable[[str], None]
_TRACE_LINES = 12
_DATA = "data"
_OBJECTS, _ROUNDS = 100_000, 50


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python seldom look for objects that only name each other: a build makes millions that stay, and each look goes over them."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, _ROUNDS, _ROUNDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@_rare_collections()
def build(
    plan: Plan,
    study: Study,
    target: Path,
    *,
    books: Sequence[Path],
    key: Mapping[str, Any],
    say: Say,
) -> dict[str, Any]:
    """Build the report of a study and publish it; the last good report stays whole if anything fails.

    Parameters
    ----------
    plan : Plan
        What to build and where.
    study : Study
        The study of the plan, read.
    target : Path
        The report folder, `interim.report.publish.reserved`.
    books : sequence of Path
        The notebooks.
    key : mapping
        What `interim.report.freshness.report_key` returns now.
    say : callable
        Receives lines of progress.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    DataError
        If the data are wrong; nothing is written.
    ReportError
        If a notebook fails or a document cannot be built.
    """
    check_shipped()
    if absent := check_complete():
        say(f"warning: {len(absent)} planned objects are not made yet: {', '.join(absent)}")
    _forget(plan, target, key, say)
    cache = _cache(plan, study, key, say)
    progress = Progress(cache.folder)
    progress.expect([_DATA, *(book.stem for book in books), DOCUMENTS], workers=cores(study))
    say(f"reading the data{progress.left()}")
    with progress.step(_DATA):
        inputs = _inputs(study, cache, public=plan.public)
    say(f"{inputs.adam!r}; {sum(len(r.frame) for r in inputs.store.values())} results")
    preload(inputs, study)
    with building(target, held=True) as folder:
        languages = _languages(study, plan)
        failed = target.with_name(f"{target.name}.failed")
        order = _Order(plan, study, inputs, languages[0], failed, progress)
        data = partial(_write_data, folder, inputs, public=plan.public)
        with (
            beside(data, workers=cores(study), method=study.report.start_method) as data_written,
            _executed(order, books, say=say) as done,
        ):
            scan = _scan(folder, inputs, cache)
            paper = _Paper(inputs, done.folder, languages, key["code"], say, scan)
            data_written()
            put_away = partial(_put_away, order, done, None if plan.public else folder / "notebooks", scan)
            with scan.ahead(study.report.start_method, first=put_away), progress.step(DOCUMENTS):
                (_write_public if plan.public else _write_documents)(folder, paper)
        written = write_manifest(folder, inputs, key=key, languages=languages, public=plan.public)
        manifest: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
        scan.refuse(manifest["outputs"])
    progress.save()
    cache.end(f"{study.study.id} {study.cut.isoformat()} {plan.reports}")
    return manifest


def _forget(plan: Plan, target: Path, key: Mapping[str, Any], say: Say) -> None:
    """Remove what earlier builds kept of participants who have withdrawn their data since the published report."""
    try:
        published = json.loads((target / MANIFEST).read_text(encoding="utf-8"))["key"]["withdrawn"]
    except (OSError, ValueError, LookupError, TypeError):
        published = ""
    if key["withdrawn"] and key["withdrawn"] != published:
        say(f"participants have withdrawn their data: removing {plan.cache}; earlier reports still hold them")
        shutil.rmtree(plan.cache, ignore_errors=True)


def _write_data(folder: Path, inputs: Inputs, *, public: bool) -> None:
    """Write the data of a run and its stored state; a public copy has neither."""
    if not public:
        import_module("interim.report.export").write_data(folder, inputs)
        import_module("interim.report.state").save_state(folder, inputs.sdtm)


def _inputs(study: Study, cache: Cache, *, public: bool) -> Inputs:
    if not public:
        return open_inputs(study, cache)
    from interim.report.privacy.public_data import open_public

    return open_public(study, cache)


def _scan(folder: Path, inputs: Inputs, cache: Cache) -> Scan:
    """Return the scan that every file of the report must pass before it is published."""
    from interim.report.lint.order import past_runs
    from interim.report.privacy.scan import scan_of

    past = past_runs(folder.parent, before=f"{inputs.study.cut:%Y-%m-%d}")
    dates = [day for run in past for day in (run.cut, run.extract)] + _decided(inputs)
    workers, marks = cores(inputs.study), marks_of(inputs.sdtm.sources)
    return scan_of(
        folder, inputs.study, known=inputs.known, cache=cache, dates=dates, workers=workers, marks=marks
    )


def _put_away(order: _Order, done: _Executed, target: Path | None, scan: Scan) -> None:
    """Keep the executed notebooks for later builds, and copy them into the report."""
    for job in done.jobs:
        _keep(order, job)
    if target is not None:
        _copy_notebooks(done.folder, target, scan)


def _copy_notebooks(done: Path, target: Path, scan: Scan) -> None:
    """Copy the executed notebooks with the data hash, and tell the scan what each is without it."""
    for name, held, data in _entered(done, target, scan.marks):
        scan.template(f"{target.name}/{name}", sha256_bytes(data), sha256_bytes(held))


def _entered(done: Path, target: Path, marks: Marks) -> Iterator[tuple[str, bytes, bytes]]:
    """Write notebooks with the hashes whose places they hold; yield name, content before, and content."""
    target.mkdir()
    for path in sorted(done.iterdir()):
        held = path.read_bytes()
        data = with_digits(held, marks)
        (target / path.name).write_bytes(data)
        yield path.name, held, data


def _decided(inputs: Inputs) -> list[str]:
    """Return the dates of the recorded decisions, which name the study's own steps and no participant."""
    decisions = inputs.sdtm.domain("DECISIONS")
    return [str(day) for day in decisions["date"].dropna()] if "date" in decisions else []


def _cache(plan: Plan, study: Study, key: Mapping[str, Any], say: Say) -> Cache:
    """Return the cache of this build: every entry rests on the programs, the lock file and the platform."""
    base = joined((name, str(key[name])) for name in ("format", "code", "lock", "platform"))
    cache = Cache(plan.cache if study.report.cache else None, base=base, say=say, fresh=plan.force)
    cache.begin()
    return cache


def _languages(study: Study, plan: Plan) -> tuple[str, ...]:
    """Return the languages of the package; the leading one is that of the notebooks."""
    own = study.report.languages
    leading = plan.parameters.get("language") or own[0]
    return tuple(dict.fromkeys((str(leading), *own)))


@dataclass(frozen=True)
class _Order:
    """What the notebooks are run with, and where those of a failed run are kept."""

    plan: Plan
    study: Study
    inputs: Inputs
    language: str
    failed: Path
    progress: Progress

    @property
    def marks(self) -> Marks:
        """The hashes whose places are held in what is kept."""
        return marks_of(self.inputs.sdtm.sources)

    @property
    def parameters(self) -> dict[str, Any]:
        """What is injected."""
        foreign = {"language": self.language} if self.language != SOURCE else {}
        return {"study": str(self.plan.study), **self.plan.parameters, **foreign}

    @property
    def shown(self) -> dict[str, str]:
        """How the executed copies name the study file: below the present folder, else by its name alone."""
        file, here = self.plan.study.resolve(), Path.cwd()
        return {
            "study": (file.relative_to(here) if file.is_relative_to(here) else Path(file.name)).as_posix()
        }

    def key(self, book: Path) -> list[object]:
        """Return what an executed notebook rests on beside what it reads."""
        return ["notebook", book.name, sha256(book), {**self.parameters, **self.shown}]


class _Executed(NamedTuple):
    """The folder of executed copies, which hold the places of the hashes, and the jobs of those that were run now."""

    folder: Path
    jobs: Sequence[Job]


@contextmanager
def _executed(order: _Order, books: Sequence[Path], *, say: Say) -> Iterator[_Executed]:
    """Run the notebooks that are not as in an earlier build; copy them to ``failed`` and raise if one fails."""
    with tempfile.TemporaryDirectory(prefix="interim-") as name:
        out, scratch = Path(name) / "notebooks", Path(name) / "scratch"
        out.mkdir()
        scratch.mkdir()
        stale = [book for book in books if not _served(order, book, out / book.name)]
        if len(stale) < len(books):
            say(f"{len(books) - len(stale)} notebooks are as in an earlier build")
        stems = {book.stem: book for book in stale}
        stale = [stems[stem] for stem in order.progress.longest_first(stems)]
        jobs = [_job(book, out, scratch, order) for book in stale]
        order.progress.expect([*stems, DOCUMENTS], workers=cores(order.study))
        failures = sorted(_run(order, jobs, say), key=lambda failure: failure.notebook)
        shutil.rmtree(order.failed, ignore_errors=True)
        if failures:
            list(_entered(out, order.failed, order.marks))
            raise NotebookError(_failure_text(failures, order.failed, order.plan), failures)
        for path in (Path(job.output) for job in jobs):
            path.write_bytes(without_digits(path.read_bytes(), order.marks))
        yield _Executed(out, jobs)


def _run(order: _Order, jobs: Sequence[Job], say: Say) -> list[Failure]:
    if not jobs:
        return []
    study = order.study
    workers, method = min(cores(study), len(jobs)), start_method(study.report.start_method)
    say(f"{len(jobs)} notebooks, {workers} at a time, each in a process of its own ({method})")
    warm(study.file.parent)
    return run_jobs(
        jobs,
        workers=workers,
        method=method,
        timeout_s=study.report.timeout_s,
        say=say,
        stop_early=study.report.on_failure == "stop",
        left=order.progress.done,
    )


def _served(order: _Order, book: Path, output: Path) -> bool:
    """Write the executed notebook of an earlier build, if all that it read is as it was."""
    memo = order.inputs.memo
    kept = None if memo is None else memo.stored(order.key(book), set())
    if kept is not None:
        output.write_bytes(kept)
    return kept is not None


def _keep(order: _Order, job: Job) -> None:
    """Keep an executed notebook with what it read; one with code of its own may have read more than it was seen to."""
    memo, book, reads = order.inputs.memo, Path(job.notebook), Path(job.reads)
    if memo is not None and reads.exists() and is_thin(book):
        told = reads.read_text(encoding="utf-8").split("\n")
        memo.store(order.key(book), told, Path(job.output).read_bytes())


def _job(book: Path, out: Path, scratch: Path, order: _Order) -> Job:
    return Job(
        notebook=str(book),
        output=str(out / book.name),
        failure=str(scratch / f"{book.stem}.json"),
        log=str(scratch / f"{book.stem}.log"),
        parameters=order.parameters,
        reads=str(scratch / f"{book.stem}.reads"),
        shown=order.shown,
    )


def _failure_text(failures: Sequence[Failure], kept: Path, plan: Plan) -> str:
    lines = [f"{len(failures)} notebook(s) failed; the last report is unchanged. Executed copies: {kept}"]
    options = "".join(f" -p {name} {value}" for name, value in plan.parameters.items())
    for failure in failures:
        lines.append(f"- {failure}")
        lines += [f"    {line}" for line in (failure.source.splitlines() if failure.source else ())]
        lines += [f"    | {line}" for line in _shown_trace(failure)]
        again = f"papermill --engine interim {plan.notebooks / failure.notebook} out.ipynb -p study {plan.study}{options}"
        lines.append(f"    again, alone: {again}")
    return "\n".join(lines)


def _shown_trace(failure: Failure) -> Sequence[str]:
    """Return the end of the traceback, unless the error was raised on purpose and its text says it all."""
    return () if failure.error in _on_purpose(InterimError) else failure.trace[-_TRACE_LINES:]


def _on_purpose(root: type[InterimError]) -> set[str]:
    return {root.__name__}.union(*(_on_purpose(child) for child in root.__subclasses__()))


@dataclass(frozen=True)
class _Paper:
    """What the documents are made from."""

    inputs: Inputs
    notebooks: Path
    languages: Sequence[str]
    code: str
    say: Say
    scan: Scan

    def made(self, copy: str) -> Made:
        from interim.report.document import read_chapters
        from interim.report.package import Made

        marks = marks_of(self.inputs.sdtm.sources)
        cache = self.inputs.memo.cache if self.inputs.memo else None
        chapters = read_chapters(sorted(self.notebooks.glob("*.ipynb")), cache=cache)
        return Made(self.inputs, self.languages[0], copy, chapters, marks=marks, scan=self.scan)

    def options(self) -> dict[str, Any]:
        """What every package is written with."""
        front, workers = _front(self.inputs, self.code), cores(self.inputs.study)
        return {"front": front, "languages": self.languages, "workers": workers, "say": self.say}


def _write_documents(folder: Path, paper: _Paper) -> None:
    from interim.report.editions import write_package
    from interim.report.lint.gate import Gate
    from interim.report.lint.order import past_runs

    inputs = paper.inputs
    history = past_runs(folder.parent, before=f"{inputs.study.cut:%Y-%m-%d}")
    made, gate = paper.made(COPIES[0]), Gate(inputs, history)
    write_package(folder / DOCUMENTS, made, check=gate, **paper.options())


def _write_public(folder: Path, paper: _Paper) -> None:
    """Write the documents of the public copy, and the counts that it prints for the comparison with later copies."""
    from interim.report.editions import write_package
    from interim.report.privacy.public_copy import PublicCopy, check_earlier, write_counts

    inputs = paper.inputs
    public = PublicCopy(inputs.store, inputs.study)
    options = paper.options()
    plain = replace(options["front"], details=options["front"].details[:-1])  # without the counts of findings
    made = replace(paper.made(COPIES[1]), public=public)
    write_package(folder / DOCUMENTS, made, **{**options, "front": plain})
    check_earlier(public, folder.parent, before=f"{inputs.study.cut:%Y-%m-%d}")
    write_counts(public, folder)


def _front(inputs: Inputs, code: str) -> Front:
    import interim
    from interim.report.content import Front

    study, counts = inputs.study, finding_counts(inputs)
    return Front(
        title="Statistical interim report",
        subtitle=study.study.title,
        study=study.study.id,
        timestamp=study.moment,
        cut_off=f"{study.cut:%Y-%m-%d}",
        snapshot=PLACE,
        revision=f"{interim.__version__} ({code[:12]})",
        labels=labels_of(inputs),
        details=(
            ("Rule of the cut-off", study.data.cut_description),
            ("Parameters", study.digest()[:12]),
            ("Findings in the data", ", ".join(f"{number} {name}" for name, number in counts.items())),
        ),
    )
