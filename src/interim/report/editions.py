"""Writes the package: every document in its languages and formats, several files at a time, in steps."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from interim.report.cache import Cache
from interim.report.content import Document, Front
from interim.report.fragments import Fragments
from interim.report.hashes import sha256, sha256_bytes
from interim.report.html_origins import numbered, origins_html
from interim.report.origins import Depth, Origins
from interim.report.package import Made, Plan, lacking, plans, put_together
from interim.report.stamp import entered
from interim.report.traced import digest
from interim.report.translate import REQUIRED_DOCUMENTS, refuse_missing, shown_missing, translated
from interim.report.typefaces import keep_fonts
from interim.report.workers import beside, map_forked
from interim.report.writers import write_file
from interim.study import Study

if TYPE_CHECKING:
    from interim.report.memo import Memo
    from interim.report.privacy.scan import Scan

Say = Callable[[str], None]
Check = Callable[[Mapping[str, Document], Mapping[str, Document]], Iterable[str]]
_WEIGHT = {".pdf": 4, ".docx": 3, ".rtf": 2, ".html": 1}


class Written(NamedTuple):
    """What is known of a file that was written: anchor -> page of a PDF, its SHA-256, and the one it had before the hash was entered."""

    pages: dict[str, int]
    sha256: str
    unstamped: str


@dataclass(frozen=True)
class Task:
    """One file to write."""

    document: Document
    path: Path
    study: Study
    cache: Cache = field(default_factory=lambda: Cache(None))
    content: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)
    origins: Origins | None = None
    depth: Depth = "methods"
    told: str | None = None
    digests: Sequence[str] = ()
    memo: Memo | None = None

    def write(self) -> Written:
        """Write the file, or take the bytes that an earlier build wrote from the same content.

        Returns
        -------
        Written
            The pages of a PDF, none for another format; no earlier SHA-256 if no hash is entered.

        Raises
        ------
        OSError, ReportError
            As in `write_package`.
        """
        if self.origins is not None:
            return self._told(self.origins).write()
        study, form, packed = self.study, self.path.suffix, not self.marks
        parts = (self.content, form, packed, study.pdf.paper, study.pdf.standards, study.docx.fields)
        file, places = (self.cache.key(kind, *parts) for kind in ("document", "pages"))
        kept, pages = (self.cache.get(file), self.cache.get(places)) if self.content else (None, None)
        if kept is not None and pages is not None:
            known = json.loads(pages)
            self.cache.use(known["used"])
            return Written(known["pages"], *self._enter(kept))
        fragments = Fragments(self.cache, self._name(), self.document.blocks, self.digests)
        with self.cache.noting() as used:
            found = write_file(
                self.document,
                self.path,
                study,
                cache=self.cache,
                fragments=fragments,
                packed=packed,
                told=self.told,
            )
        made = self.path.read_bytes()
        if self.content:
            self.cache.put(file, made)
            fragments.keep(file, made)
            used.append(fragments.index)
            self.cache.put(places, json.dumps({"pages": found, "used": used}).encode())
        return Written(found, *self._enter(made))

    def _name(self) -> list[str]:
        """Return what names the file in every build."""
        return [self.document.front.study, self.path.parent.name, self.path.name, self.study.pdf.paper]

    def _told(self, origins: Origins) -> Task:
        """Return the task with a document that tells where its numbers come from."""
        key = ["origins", self.content, self.depth]
        memo = self.memo if self.content else None
        kept = memo.stored(key, set()) if memo else None
        if kept is not None:
            sources, told = pickle.loads(kept)  # bytes that this program wrote, with their hash
        else:
            sources = origins.of(self.document, self.depth)
            told = origins_html(replace(self.document, sources=sources), numbered(sources))
            if memo:
                reads = (f"store.{part}" for part in origins.reads(self.document))
                memo.store(key, reads, pickle.dumps((sources, told), 5))
        own = f"{self.content} {sha256_bytes(told.encode())}" if self.content else ""
        document = replace(self.document, sources=sources)
        return replace(self, document=document, content=own, origins=None, told=told)

    def _enter(self, made: bytes) -> tuple[str, str]:
        """Write a finished file with the data hash; return its SHA-256, and the one it had before."""
        final = entered(made, self.path.suffix, self.marks) if self.marks else made
        self.path.write_bytes(final)
        return sha256_bytes(final), sha256_bytes(made) if self.marks else ""


def write_package(
    folder: Path,
    made: Made,
    *,
    front: Front,
    languages: Sequence[str],
    workers: int,
    say: Say,
    check: Check = lambda documents, before: (),
) -> Mapping[str, str]:
    """Write every document of the package.

    Parameters
    ----------
    folder : Path
        Folder to make.
    made : Made
        What the executed notebooks show, in the leading language; with ``public`` only the documents of the public copy are
        written, as it prints them.
    front : Front
        Title page, header and footer of the run.
    languages : sequence of str
        The leading language first.
    workers : int
        Files that are written at a time; the bytes do not depend on it.
    check : callable
        Gets the documents of a step and those of earlier steps while they are written; refuses them by an error, returns lines to say.
    say : callable
        Receives lines of progress.

    Returns
    -------
    mapping of str to str
        Path below the report folder -> SHA-256.

    Raises
    ------
    OSError
        If a file cannot be written.
    ReportError
        If a document cannot be put together or a character has no letter in the shipped fonts.
    """
    folder.mkdir()
    store = made.inputs.memo.cache if made.inputs.memo else Cache(None)
    keep_fonts(store)
    outputs: dict[str, str] = {}
    documents: dict[str, Document] = {}
    pages: dict[str, Mapping[str, int]] = {}
    public, origins = made.public, Origins(made.inputs.store)
    wanted = [plan for plan in plans() if public is None or plan.number in public.rules["documents"]]
    for step in sorted({plan.step for plan in wanted}):
        at_hand = replace(made, outputs=dict(outputs), documents=dict(documents), pages=dict(pages))
        chosen = [plan for plan in wanted if plan.step == step and _possible(plan, at_hand, say)]
        editions = [
            (plan, *one) for plan in chosen for one in _editions(plan, at_hand, front, languages, say)
        ]
        for plan, source, *_ in editions:
            documents.setdefault(plan.number, source)
        tasks = [
            task
            for plan, _, whole, names in editions
            for task in _tasks(whole, [folder / name for name in names], plan, at_hand, origins)
        ]
        printed = {task.path.stem: task.document for task in tasks}
        question = partial(check, printed, at_hand.documents)
        method = made.inputs.study.report.start_method
        with beside(question, workers=workers, method=method) as checked:
            found = _write(tasks, workers)
            for line in checked():
                say(line)
        pages.update(_pages(tasks, found))
        if made.scan:
            _tell(made.scan, folder, found)
        hashes = {task.path.name: found[task.path.name].sha256 for task in tasks}
        hashes |= {
            path.name: sha256(path) for plan in chosen if plan.json for path in [_data(plan, at_hand, folder)]
        }
        outputs |= {f"{folder.name}/{name}": digits for name, digits in hashes.items()}
        for plan in chosen:
            say(f"wrote {plan.number} {plan.title}")
    return outputs


def _tasks(
    whole: Document, paths: Sequence[Path], plan: Plan, made: Made, origins: Origins
) -> Iterator[Task]:
    """Yield the files of one edition; the HTML file alone tells where the numbers come from."""
    study, public = made.inputs.study, made.public
    store = made.inputs.memo.cache if made.inputs.memo else Cache(None)
    edition = whole if public is None else public.document(whole)
    digests = [*map(digest, edition.blocks)] if store.folder else []
    content = digest([replace(edition, blocks=()), digests]) if store.folder else ""
    restricted: Depth = "records" if plan.copy == "restricted" else "counts"
    depth = restricted if public is None else "methods"
    # It knows the results as they are, not as a public copy prints them.
    memo = made.inputs.memo if public is None else None
    for path in paths:
        told = origins if path.suffix == ".html" else None
        yield Task(edition, path, study, store, content, made.marks, told, depth, digests=digests, memo=memo)


def _possible(plan: Plan, made: Made, say: Say) -> bool:
    absent = lacking(plan, made)
    if absent:
        say(f"{plan.number} {plan.title}: not made, no notebook of this run shows {', '.join(absent)}")
    return not absent


def _data(plan: Plan, made: Made, folder: Path) -> Path:
    """Write the JSON file that goes with a document."""
    module, _, function = plan.json.partition(".")
    content = getattr(import_module(f"interim.report.documents.{module}"), function)(made)
    path = folder / f"{plan.number}_{plan.stem}.json"
    path.write_text(
        json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    return path


def _editions(
    plan: Plan, made: Made, front: Front, languages: Sequence[str], say: Say
) -> Iterator[tuple[Document, Document, Sequence[str]]]:
    """Yield each edition of a document: as it was put together, as it is printed, and the names of its files."""
    for language, names in plan.editions(languages, made.inputs.study.report.formats).items():
        own = replace(made, language=language)
        source = put_together(plan, own, front)
        document, missing = translated(source, made.inputs, language)
        refuse_missing(missing, required=plan.number in REQUIRED_DOCUMENTS)
        for line in shown_missing(missing):
            say(f"{plan.number} in {language}: {line}")
        if document.blocks:
            yield source, document, names


def _write(tasks: Sequence[Task], workers: int) -> dict[str, Written]:
    """Write the files, the longest first, in processes that are forked where that is safe."""
    order = sorted(tasks, key=lambda task: (-_cost(task), task.path.name))
    method = order[0].study.report.start_method if order else "auto"
    pages = map_forked(Task.write, order, workers=workers, method=method)
    return {task.path.name: found for task, found in zip(order, pages, strict=True)}


def _pages(tasks: Sequence[Task], found: Mapping[str, Written]) -> dict[str, Mapping[str, int]]:
    """Return number of a document -> its pages, those of the first edition that has any."""
    told = [(task.path.name.partition("_")[0], found[task.path.name].pages) for task in tasks]
    return {number: pages for number, pages in reversed(told) if pages}


def _tell(scan: Scan, folder: Path, found: Mapping[str, Written]) -> None:
    """Tell the scan what the files were before hashes were entered."""
    for name, file in found.items():
        if file.unstamped:
            scan.template(f"{folder.name}/{name}", file.sha256, file.unstamped)


def _cost(task: Task) -> int:
    """Return a number that grows with the time to write a file."""
    return _WEIGHT[task.path.suffix] * len(task.document.blocks)
