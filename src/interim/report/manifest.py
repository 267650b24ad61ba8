"""The manifest of a report: hashes of inputs, parameters, code, environment and outputs; no clock."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import interim
from interim.report.chapter import Inputs

MANIFEST = "manifest.json"
_CODE = (".py", ".toml", ".typ", ".css", ".csv")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tree_hash(folder: Path, suffixes: tuple[str, ...]) -> str:
    """Return one hash of all files of a folder tree with given endings.

    Parameters
    ----------
    folder : Path
        Root.
    suffixes : tuple of str
        Endings, with the dot.

    Returns
    -------
    str
        64 hexadecimal digits; depends on relative names and contents only.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in suffixes and p.is_file()):
        total.update(f"{path.relative_to(folder).as_posix()}\0{sha256(path)}\n".encode())
    return total.hexdigest()


def environment() -> dict[str, Any]:
    """Return what the numbers were computed with.

    Returns
    -------
    dict
        Python version, platform tag, and the version of every installed distribution.

    Raises
    ------
    None
    """
    packages = {d.metadata["Name"].lower(): d.version for d in distributions() if d.metadata["Name"]}
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "platform": f"{sys.platform}-{platform.machine()}",
        "packages": dict(sorted(packages.items())),
    }


def data_hash(inputs: Inputs) -> str:
    """Return the snapshot hash: one hash of all source files.

    Parameters
    ----------
    inputs : Inputs
        Data of the run.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    None
    """
    text = "\n".join(f"{source.name}\0{source.sha256}" for source in inputs.sdtm.sources)
    return hashlib.sha256(text.encode()).hexdigest()


def write_manifest(folder: Path, inputs: Inputs, *, notebooks: Path) -> Path:
    """Write ``manifest.json`` of a finished report folder.

    Parameters
    ----------
    folder : Path
        The report folder; every file in it is hashed.
    inputs : Inputs
        Data and parameters of the run.
    notebooks : Path
        Folder of the notebooks that were run.

    Returns
    -------
    Path
        The manifest.

    Raises
    ------
    OSError
        If a file cannot be read or written.
    """
    study = inputs.study
    stops = sum(f.severity == "stop" for f in inputs.adam.findings)
    content = {
        "format": 1,
        "study": {
            "id": study.study.id,
            "label": study.study.label,
            "cut": study.cut.isoformat(),
            "draft": stops > 0,
        },
        "inputs": {
            "snapshot": data_hash(inputs),
            "files": [
                {
                    "file": s.name,
                    "domain": s.domain,
                    "format": s.format,
                    "records": s.records,
                    "sha256": s.sha256,
                }
                for s in inputs.sdtm.sources
            ],
        },
        "parameters": {"sha256": study.digest(), "values": study.resolved()},
        "code": {
            "version": interim.__version__,
            "sha256": tree_hash(Path(interim.__file__).parent, _CODE),
            "notebooks": {path.name: sha256(path) for path in sorted(notebooks.glob("*.ipynb"))},
        },
        "environment": environment(),
        "seeds": {"study.seed": study.study.seed},
        "outputs": {
            path.relative_to(folder).as_posix(): sha256(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != MANIFEST
        },
    }
    target = folder / MANIFEST
    target.write_text(
        json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return target
