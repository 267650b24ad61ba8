"""``interim verify``: whether a report folder is whole, unchanged, complete, and computed from its data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, Literal

import pandas as pd

import interim
from interim.errors import InterimError
from interim.report.blocks import MIME, opened
from interim.report.freshness import DOCUMENTS, MANIFEST, SEAL
from interim.report.hashes import joined, sha256, tree
from interim.report.manifest import environment, sealed
from interim.report.package import plans
from interim.report.registry import registry
from interim.report.state import read_manifest, read_state, study_of

_SHOWN = 20
_TOLERANCE = 1e-9
_KEYS = re.compile(r'data-key="([^"]*)"')


@dataclass(frozen=True)
class Check:
    """One thing that was verified.

    Attributes
    ----------
    rule : str
        ``seal``, ``files``, ``complete``, ``versions``, ``links``, ``datasets`` or ``results``.
    status : {"ok", "wrong", "note"}
        ``note`` says what could not be compared or merely differs between computers.
    text : str
        What was compared, with counts, or what is wrong.
    """

    rule: str
    status: Literal["ok", "wrong", "note"]
    text: str

    def __str__(self) -> str:
        """Return ``status rule: text``."""
        return f"{self.status:5} {self.rule}: {self.text}"


def verify(folder: Path, *, recompute: bool = True) -> tuple[Check, ...]:
    """Verify a report folder; nothing but the folder and the installed programs is used.

    Parameters
    ----------
    folder : Path
        The report folder.
    recompute : bool
        Derive the analysis datasets again from the stored source data, answer all questions again and compare.

    Returns
    -------
    tuple of Check
        Every check, in order; the report is good if none is wrong. A public copy holds neither data nor parameters: its seal,
        files and versions are checked.

    Raises
    ------
    ReportError
        If the folder has no readable manifest.
    """
    manifest = read_manifest(folder)
    public = not manifest["parameters"]["values"]
    steps: list[Callable[[], Iterator[Check]]] = [
        lambda: _seal(folder),
        lambda: _files(folder, manifest),
        *(() if public else (lambda: _complete(folder, manifest),)),
        lambda: _versions(manifest),
        *(() if public else (lambda: _links(folder),)),
    ]
    if recompute and not public:
        steps.append(lambda: _again(folder, manifest))
    return tuple(check for step in steps for check in step())


def _seal(folder: Path) -> Iterator[Check]:
    if sealed(folder):
        yield Check("seal", "ok", f"{MANIFEST} is as it was written: SHA-256 {sha256(folder / MANIFEST)}")
    else:
        yield Check(
            "seal", "wrong", f"{MANIFEST} and {SEAL} do not belong together; one was changed or is missing"
        )


def _files(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Check]:
    wanted, found = manifest["outputs"], tree(folder)
    for name in (MANIFEST, SEAL):
        found.pop(name, None)
    changed = sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])
    yield from (Check("files", "wrong", f"{name}: is not as it was written") for name in changed)
    yield from (
        Check("files", "wrong", f"{name}: is missing") for name in sorted(wanted.keys() - found.keys())
    )
    yield from (
        Check("files", "wrong", f"{name}: does not belong to the report")
        for name in sorted(found.keys() - wanted.keys())
    )
    if wanted == found:
        yield Check("files", "ok", f"{len(found)} of {len(wanted)} files have the hash of the manifest")


def _complete(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Check]:
    """Compare what stands in the executed notebooks with what the notebooks of the run and the formats promise."""
    formats = manifest["parameters"]["values"]["report"]["formats"]
    languages = manifest.get("languages", ())
    editions = (names for plan in plans() for names in plan.editions(languages, formats).values())
    wanted = [f"{DOCUMENTS}/{name}" for names in editions for name in names]
    wanted += [f"notebooks/{name}" for name in manifest["code"]["notebooks"]]
    wanted += ["data/results.parquet", "data/results.json", "data/links.parquet", "data/findings.json"]
    lacking = [name for name in wanted if not (folder / name).is_file()]
    yield from (Check("complete", "wrong", f"{name}: is missing") for name in lacking)
    shown = set(_shown(folder))
    absent = [tlf.id for tlf in registry() if tlf.kind != "story" and not _stands(tlf.id, shown)]
    if absent:
        yield Check("complete", "wrong", f"not shown by any notebook: {', '.join(absent)}")
    if not lacking and not absent:
        yield Check(
            "complete", "ok", f"{len(wanted)} files and {len(shown)} tables, figures and listings are there"
        )


def _stands(tlf_id: str, shown: Collection[str]) -> bool:
    """Tell whether a table or figure is shown; figures of participants carry its id with their number."""
    return tlf_id in shown or any(name.startswith(f"{tlf_id}.") for name in shown)


def _shown(folder: Path) -> Iterator[str]:
    """Yield the ids of the tables and figures in the executed notebooks."""
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        except (OSError, ValueError, LookupError, TypeError):
            continue
        outputs = (output for cell in cells for output in cell.get("outputs", ()))
        blocks = (opened(output.get("data", {}).get(MIME)) for output in outputs)
        yield from (block["id"] for block in blocks if isinstance(block, dict) and "id" in block)


def _versions(manifest: Mapping[str, Any]) -> Iterator[Check]:
    """Say in what the installed programs differ from those of the report."""
    there, here = manifest["environment"], environment(manifest["environment"]["lock"])
    code = joined(tree(Path(interim.__file__).parent).items())
    if code != manifest["code"]["sha256"]:
        yield Check(
            "versions", "note", f"the installed interim {interim.__version__} is not the one of the report"
        )
    for name in ("python", "implementation", "platform"):
        if there[name] != here[name]:
            yield Check("versions", "note", f"{name}: {there[name]} then, {here[name]} now")
    packages = {
        name: (version, here["packages"].get(name, "not installed"))
        for name, version in there["packages"].items()
        if here["packages"].get(name) != version
    }
    if packages:
        text = ", ".join(
            f"{name} {then} ({now} now)" for name, (then, now) in list(packages.items())[:_SHOWN]
        )
        yield Check("versions", "note", f"{len(packages)} packages differ: {text}")
    elif code == manifest["code"]["sha256"]:
        yield Check(
            "versions", "ok", f"the programs and {len(there['packages'])} packages are those of the report"
        )


def _links(folder: Path) -> Iterator[Check]:
    """Check that every result id that a document or a record names is a result."""
    try:
        known = set(pd.read_parquet(folder / "data" / "results.parquet", columns=["result_id"])["result_id"])
        links = pd.read_parquet(folder / "data" / "links.parquet")
        pages = sorted((folder / DOCUMENTS).glob("*.html"))
        text = "".join(page.read_text(encoding="utf-8") for page in pages)
    except (OSError, ValueError) as error:
        yield Check("links", "wrong", f"results cannot be read: {type(error).__name__}: {error}")
        return
    printed = {key for group in _KEYS.findall(text) for key in unescape(group).split()}
    for what, ids in (("a number of the documents", printed), ("a record", set(links["result_id"]))):
        lost = sorted(ids - known)
        if lost:
            yield Check(
                "links", "wrong", f"{what} names {len(lost)} unknown results: {', '.join(lost[:_SHOWN])}"
            )
        else:
            yield Check("links", "ok", f"{what}: all {len(ids)} result ids are known")


def _again(folder: Path, manifest: dict[str, Any]) -> Iterator[Check]:
    """Derive and answer again from the stored source data, and compare with what the report holds."""
    from interim.adam import build_adam
    from interim.report.chapter import answers

    try:
        study = study_of(folder, manifest)
        sdtm = read_state(folder)
        adam = build_adam(sdtm, study)
        store = answers(adam, study, sdtm)
    except InterimError as error:
        yield Check("results", "wrong", f"cannot be computed again: {error}")
        return
    for name, frame in sorted(adam.datasets.items()):
        yield from _compared("datasets", name, folder / "data" / f"{name.lower()}.parquet", frame)
    yield from _compared("results", "results", folder / "data" / "results.parquet", store.frame())
    yield from _compared("results", "links", folder / "data" / "links.parquet", store.links())


def _compared(rule: str, name: str, path: Path, frame: pd.DataFrame) -> Iterator[Check]:
    try:
        stored = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        yield Check(rule, "wrong", f"{name}: cannot be read: {type(error).__name__}: {error}")
        return
    differing = differences(stored, frame)
    if differing:
        text = "; ".join(differing[:_SHOWN])
        yield Check(rule, "wrong", f"{name}: {len(differing)} values differ from the computed ones: {text}")
    else:
        yield Check(
            rule, "ok", f"{name}: {len(frame)} rows, {frame.shape[1]} columns computed again and equal"
        )


def differences(stored: pd.DataFrame, computed: pd.DataFrame) -> list[str]:
    """Return the places at which two frames differ.

    Parameters
    ----------
    stored, computed : pandas.DataFrame
        The frames.

    Returns
    -------
    list of str
        ``column, row: stored, computed``; numbers may differ by 1e-9 of their size, which is what another processor
        makes of the same sum.

    Raises
    ------
    None
    """
    if list(stored.columns) != list(computed.columns) or len(stored) != len(computed):
        return [f"shape and columns: {stored.shape} stored, {computed.shape} computed"]
    found = []
    for column in stored.columns:
        for row, (one, other) in enumerate(zip(stored[column], computed[column], strict=True), 1):
            if not _same(one, other):
                found.append(f"{column}, row {row}: {one!r}, {other!r}")
    return found


def _same(one: Any, other: Any) -> bool:
    if _blank(one) or _blank(other):
        return _blank(one) and _blank(other)
    if isinstance(one, float) and isinstance(other, float):
        return one == other or abs(one - other) <= _TOLERANCE * max(abs(one), abs(other))
    return bool(one == other)


def _blank(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value
