"""``interim run``: the published report if it still answers the question, else a new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from interim.display.language import LANGUAGES
from interim.report.freshness import DOCUMENTS, current, report_key
from interim.report.notebook import check_parameters, notebooks
from interim.report.plan import COPIES, Plan
from interim.study import Study, read_study

Say = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """A published report.

    Attributes
    ----------
    status : {"built", "up to date"}
        Whether it was built now.
    folder : Path
        The report folder.
    documents : tuple of Path
        The documents in it.
    findings : mapping of str to int
        Number of findings by severity.
    outputs : mapping of str to str
        Path below the folder -> SHA-256.
    """

    status: Literal["built", "up to date"]
    folder: Path
    documents: tuple[Path, ...]
    findings: Mapping[str, int]
    outputs: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values.

        Returns
        -------
        dict
            Keys status, folder, documents, findings, outputs.

        Raises
        ------
        None
        """
        return {
            "status": self.status,
            "folder": str(self.folder),
            "documents": [str(path) for path in self.documents],
            "findings": dict(self.findings),
            "outputs": dict(self.outputs),
        }


def run(plan: Plan, *, say: Say) -> Built:
    """Build and publish the report of a study, unless the published one is up to date.

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
    books = notebooks(plan.notebooks)
    given = {"study": str(plan.study), **plan.parameters}
    check_parameters(books, given, permitted={"language": LANGUAGES, "copy": COPIES})
    study = read_study(plan.study, cut_date=plan.parameters.get("cut_date") or None)
    target = plan.reports / study.study.id / (COPIES[1] if plan.public else "") / f"{study.cut:%Y-%m-%d}"
    say(f"study {study.study.id}, data cut-off {study.cut:%Y-%m-%d}")
    key = report_key(study, plan.notebooks, plan.parameters)
    manifest = None if plan.force or not study.report.cache else current(target, key)
    if manifest is not None:
        return _built("up to date", target, study, manifest)
    # What a build needs is loaded for a build only.
    from interim.report.build import build
    from interim.report.publish import reserved

    with reserved(target):
        manifest = build(plan, study, target, books=books, key=key, say=say)
    return _built("built", target, study, manifest)


def _built(
    status: Literal["built", "up to date"], target: Path, study: Study, manifest: Mapping[str, Any]
) -> Built:
    documents = tuple(target / name for name in manifest["outputs"] if name.startswith(f"{DOCUMENTS}/"))
    return Built(status, target, documents, manifest["findings"], manifest["outputs"])
