"""The manifest of a report: hashes of inputs, parameters, code, environment and outputs; no clock."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import interim
from interim.report.chapter import Inputs
from interim.report.freshness import MANIFEST, SEAL, covers, installed
from interim.report.hashes import sha256, snapshot_hash, tree


def environment(lock: str) -> dict[str, Any]:
    """Return what the numbers were computed with.

    Parameters
    ----------
    lock : str
        Hash of the lock file.

    Returns
    -------
    dict
        Python version, platform tag, lock file, and the version of every installed distribution.

    Raises
    ------
    None
    """
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "platform": f"{sys.platform}-{platform.machine()}",
        "lock": lock,
        "packages": installed(),
    }


def finding_counts(inputs: Inputs) -> dict[str, int]:
    """Return the number of findings by severity.

    Parameters
    ----------
    inputs : Inputs
        Data of the run.

    Returns
    -------
    dict of str to int
        Keys stop, warn, info.

    Raises
    ------
    None
    """
    severities = [finding.severity for finding in inputs.adam.findings]
    return {name: severities.count(name) for name in ("stop", "warn", "info")}


def write_manifest(
    folder: Path, inputs: Inputs, *, key: Mapping[str, Any], languages: Sequence[str], public: bool = False
) -> Path:
    """Write ``manifest.json`` of a finished report folder, and beside it the hash of the manifest itself.

    Parameters
    ----------
    folder : Path
        The report folder; every file in it is hashed.
    inputs : Inputs
        Data and parameters of the run.
    key : mapping
        What `interim.report.freshness.report_key` gave before the run. Its data part is written as null if files were
        read that it does not know.
    languages : sequence of str
        Languages of the documents, the leading one first.
    public : bool
        Leave out the values of the parameters and the files of the data: hashes stand for them.

    Returns
    -------
    Path
        The manifest.

    Raises
    ------
    OSError
        If a file cannot be read or written.
    """
    study, counts = inputs.study, finding_counts(inputs)
    known = covers(key["data"], (source.sha256 for source in inputs.sdtm.sources))
    content = {
        "format": 1,
        "study": {
            "id": study.study.id,
            "label": study.study.label,
            "cut": study.cut.isoformat(),
            "draft": counts["stop"] > 0,
        },
        "findings": counts,
        "languages": list(languages),
        "key": {**key, "data": key["data"] if known else None},
        "inputs": {"snapshot": snapshot_hash(inputs.sdtm.sources), "files": [] if public else _files(inputs)},
        "parameters": {"sha256": study.digest(), "values": {} if public else study.resolved()},
        "code": {"version": interim.__version__, "sha256": key["code"], "notebooks": key["notebooks"]},
        "environment": environment(key["lock"]),
        "seeds": {"study.seed": study.study.seed},
        "outputs": {name: value for name, value in tree(folder).items() if name not in (MANIFEST, SEAL)},
    }
    target = folder / MANIFEST
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    target.write_text(text + "\n", encoding="utf-8")
    (folder / SEAL).write_text(f"{sha256(target)}  {MANIFEST}\n", encoding="ascii")
    return target


def sealed(folder: Path) -> bool:
    """Tell whether the manifest of a report folder is as it was written.

    Parameters
    ----------
    folder : Path
        The report folder.

    Returns
    -------
    bool
        False if the manifest or the file with its hash is missing or was changed.

    Raises
    ------
    None
    """
    try:
        return (folder / SEAL).read_bytes() == f"{sha256(folder / MANIFEST)}  {MANIFEST}\n".encode()
    except OSError:
        return False


def _files(inputs: Inputs) -> list[dict[str, Any]]:
    return [
        {"file": s.name, "domain": s.domain, "format": s.format, "records": s.records, "sha256": s.sha256}
        for s in inputs.sdtm.sources
    ]
