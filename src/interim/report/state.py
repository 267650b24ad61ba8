"""The stored state of a run: the source data as they were read, checked and cut, so that every number can be computed again."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from interim.data.model import LedgerLine, Sdtm, Source
from interim.errors import Finding, ReportError
from interim.report.freshness import MANIFEST
from interim.study import Study, restore_study

STATE = "state"
_FACTS = "sdtm.json"
_COUNTS = "counts.parquet"


def save_state(folder: Path, sdtm: Sdtm) -> None:
    """Write the source data of a run below its report folder.

    Parameters
    ----------
    folder : Path
        The report folder.
    sdtm : Sdtm
        Checked source data at the cut-off.

    Returns
    -------
    None

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    home = folder / STATE
    home.mkdir()
    for name, frame in sorted(sdtm.domains.items()):
        frame.to_parquet(home / f"{name.lower()}.parquet", index=False)
    sdtm.counts.to_parquet(home / _COUNTS, index=False)
    facts = {
        "cut": sdtm.cut.isoformat(),
        "domains": list(sdtm.domains),
        "sources": [asdict(source) for source in sdtm.sources],
        "findings": [asdict(finding) for finding in sdtm.findings],
        "ledger": [asdict(line) for line in sdtm.ledger],
        "rules": [list(rule) for rule in sdtm.rules],
    }
    text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False)
    (home / _FACTS).write_text(text + "\n", encoding="utf-8")


def read_state(folder: Path) -> Sdtm:
    """Return the source data that a run wrote down.

    Parameters
    ----------
    folder : Path
        The report folder.

    Returns
    -------
    Sdtm
        Equal to that of the run.

    Raises
    ------
    ReportError
        If the folder holds no stored state, or the state cannot be read.
    """
    home = folder / STATE
    try:
        facts = json.loads((home / _FACTS).read_text(encoding="utf-8"))
        domains = {name: pd.read_parquet(home / f"{name.lower()}.parquet") for name in facts["domains"]}
        return Sdtm(
            domains=domains,
            cut=datetime.fromisoformat(facts["cut"]),
            sources=tuple(Source(**source) for source in facts["sources"]),
            findings=tuple(map(_finding, facts["findings"])),
            ledger=tuple(LedgerLine(**line) for line in facts["ledger"]),
            counts=pd.read_parquet(home / _COUNTS),
            rules=tuple((rule, severity, done) for rule, severity, done in facts["rules"]),
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise ReportError(
            f"{home}: the stored source data of this run cannot be read ({what}); give the folder of a whole run"
        ) from error


def _finding(facts: dict[str, Any]) -> Finding:
    return Finding(**{**facts, "key": tuple(facts["key"]), "effect": tuple(facts["effect"])})


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a report folder.

    Parameters
    ----------
    folder : Path
        The report folder.

    Returns
    -------
    dict
        As `interim.report.manifest.write_manifest` wrote it.

    Raises
    ------
    ReportError
        If there is none, or it is no manifest.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReportError(
            f"{path}: no readable manifest ({type(error).__name__}); give the folder of a report"
        ) from error
    lacking = {"study", "key", "parameters", "code", "environment", "outputs"} - set(
        manifest if isinstance(manifest, dict) else ()
    )
    if lacking:
        raise ReportError(f"{path}: is no manifest of a report, it lacks {', '.join(sorted(lacking))}")
    found: dict[str, Any] = manifest
    return found


def study_of(folder: Path, manifest: dict[str, Any]) -> Study:
    """Return the parameters with which a report was made.

    Parameters
    ----------
    folder : Path
        The report folder.
    manifest : dict
        Its manifest.

    Returns
    -------
    Study
        The study.

    Raises
    ------
    StudyError
        If this version does not know the parameters.
    """
    return restore_study(manifest["parameters"]["values"], manifest["key"]["confirmed"], folder / MANIFEST)
