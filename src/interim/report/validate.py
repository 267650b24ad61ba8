"""``interim validate``: runs reference packs through the installed code and reports every disagreement."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from itertools import accumulate
from pathlib import Path
from typing import Any

from interim.errors import InterimError, ReportError
from interim.parallel import Name, map_seeded
from interim.report.packs import CONTEXT, PACKS, Case, Pack
from interim.report.packs.base import ends, leaves
from interim.report.packs.clinical import uncovered_blocks

_PARTS = {("clinical", "reference_numbers.json"): uncovered_blocks}
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


@dataclass
class FileReport:
    """What the comparison of one file gave.

    Attributes
    ----------
    file, area : str
        Path below the given directory; folder name.
    cases, compared, agree : int
        Cases in the file, values compared, values that agree.
    worst_rel_error : float
        Largest relative difference of a number (absolute where the expected number is 0).
    tolerance : float
        Tolerance of the file; ``tolerances`` holds those of single fields.
    disagreements : list of dict
        case, field, expected, found.
    """

    file: str
    area: str
    tolerance: float
    tolerances: dict[str, float] = field(default_factory=dict)
    cases: int = 0
    compared: int = 0
    agree: int = 0
    worst_rel_error: float = 0.0
    disagreements: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Validation:
    """The comparison of all packs below a directory.

    Attributes
    ----------
    files : tuple of FileReport
        One per file that a runner knows.
    not_covered : tuple of str
        Files, or parts of files, that no runner of this version knows; never counted as passed.
    """

    files: tuple[FileReport, ...]
    not_covered: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True if there is no disagreement."""
        return not any(report.disagreements for report in self.files)

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values.

        Returns
        -------
        dict
            Keys files and not_covered.

        Raises
        ------
        None
        """
        return {"files": [asdict(report) for report in self.files], "not_covered": list(self.not_covered)}

    def lines(self) -> Iterator[str]:
        """Yield the report as lines for a terminal.

        Yields
        ------
        str
            A line per file, then each disagreement, then what is not covered.

        Raises
        ------
        None
        """
        yield f"{'file':48} {'cases':>6} {'compared':>9} {'agree':>9} {'worst rel. error':>17} {'tolerance':>10}"
        for r in self.files:
            yield f"{r.file:48} {r.cases:>6} {r.compared:>9} {r.agree:>9} {r.worst_rel_error:>17.2e} {r.tolerance:>10.0e}{'*' if r.tolerances else ''}"
        if any(r.tolerances for r in self.files):
            yield "* single fields have tolerances of their own, listed by --json"
        for r in self.files:
            for d in r.disagreements:
                yield f"DISAGREE {r.file} case {d['case']} {d['field']}: expected {d['expected']!r}, found {d['found']!r}"
        for name in self.not_covered:
            yield f"not covered: {name}"
        bad = sum(len(r.disagreements) for r in self.files)
        yield f"{sum(r.agree for r in self.files)} of {sum(r.compared for r in self.files)} values agree; {bad} disagree"


def validate(directory: str | Path, *, executor: Name = "serial") -> Validation:
    """Run every reference pack found below a directory.

    Parameters
    ----------
    directory : str or Path
        One area's folder, or a folder of areas; the area is the folder's name, a pack is known by its file name.
    executor : {"serial", "processes"}
        Where the packs run.

    Returns
    -------
    Validation
        Counts and disagreements per file, and the files that no runner knows.

    Raises
    ------
    ReportError
        If the directory does not exist or holds no JSON or CSV file.
    """
    root = Path(directory)
    if not root.is_dir():
        raise ReportError(f"{root}: no such directory; give the folder of one area or a folder of areas")
    files = sorted(p for p in root.rglob("*") if p.suffix in (".json", ".csv") and p.is_file())
    if not files:
        raise ReportError(f"{root}: holds no JSON or CSV file")
    runners = {(pack.area, pack.file): pack for pack in PACKS}
    jobs = [(runners[key], path, _relative(path, root)) for path in files if (key := _key(path)) in runners]
    reports = map_seeded(_run_job, jobs, seed=0, executor=executor)
    uncovered = [_relative(path, root) for path in files if _key(path) not in runners and not _is_given(path)]
    uncovered += [part for path in files for part in _uncovered_parts(path, root)]
    return Validation(tuple(reports), tuple(sorted(uncovered)))


def _key(path: Path) -> tuple[str, str]:
    return path.resolve().parent.name, path.name


def _is_given(path: Path) -> bool:
    """Tell whether a file holds what runners are given, or published context: nothing that could be recomputed."""
    area, name = _key(path)
    patterns = {pack.inputs for pack in PACKS if pack.area == area and pack.inputs}
    return (area, name) in CONTEXT or any(fnmatch(name, pattern) for pattern in patterns)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _uncovered_parts(path: Path, root: Path) -> list[str]:
    parts = _PARTS.get(_key(path))
    if parts is None:
        return []
    return [f"{_relative(path, root)}: {name}" for name in parts(_load(path))]


def _load(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else list(csv.DictReader(text.splitlines()))
    except (OSError, ValueError) as error:
        raise ReportError(f"{path}: the reference file cannot be read: {error}") from error


def _run_job(job: tuple[Pack, Path, str], _rng: object) -> FileReport:
    pack, path, name = job
    report = FileReport(name, pack.area, pack.tolerance, dict(pack.tolerances))
    try:
        for case in _cases(pack, path):
            report.cases += 1
            _compare(report, pack, case)
    except _UNREADABLE as error:
        report.disagreements.append(_failure(f"case number {report.cases + 1}", "(layout)", error))
    return report


def _failure(case: str, part: str, error: Exception) -> dict[str, Any]:
    return {
        "case": case,
        "field": part,
        "expected": "a result" if part == "(run)" else "the layout of the reference file",
        "found": f"{type(error).__name__}: {error}",
    }


def _cases(pack: Pack, path: Path) -> Iterable[Case]:
    """Return the cases of a file; what stands beside it is handed over where the pack names it."""
    if not pack.inputs:
        return pack.split(_load(path))
    return pack.split(_load(path), {p.stem: _load(p) for p in sorted(path.parent.glob(pack.inputs))})


def _compare(report: FileReport, pack: Pack, case: Case) -> None:
    try:
        found = dict(leaves(pack.compute(case.given)))
    except (InterimError, *_UNREADABLE) as error:
        found = {}
        report.disagreements.append(_failure(case.id, "(run)", error))
    for name in _surplus(found, case.expected):
        report.disagreements.append(
            {"case": case.id, "field": name, "expected": "(end of the list)", "found": found[name]}
        )
    for name, expected in leaves(case.expected):
        report.compared += 1
        value = found.get(name, "(absent)")
        error_size = _relative_error(expected, value)
        if error_size is not None:
            report.worst_rel_error = max(report.worst_rel_error, error_size)
        if _agrees(expected, value, pack.tolerance_of(name), absolute=pack.absolute):
            report.agree += 1
        else:
            report.disagreements.append(
                {"case": case.id, "field": name, "expected": expected, "found": value}
            )


def _surplus(found: Iterable[str], expected: Any) -> list[str]:
    """Return the first field behind the end of each expected list."""
    beyond = set(ends(expected))
    starts = ((name, accumulate(name.split("."), "{}.{}".format)) for name in found)
    return [name for name, parts in starts if not beyond.isdisjoint(parts)]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _relative_error(expected: Any, value: Any) -> float | None:
    numbers = _is_number(expected) and _is_number(value)
    if not numbers or not math.isfinite(expected) or not math.isfinite(value):
        return None
    return float(abs(value - expected) / (abs(expected) if expected else 1.0))


def _agrees(expected: Any, value: Any, tolerance: float, *, absolute: bool) -> bool:
    if _is_number(expected) and _is_number(value) and math.isfinite(expected):
        scale = 1.0 if absolute else max(1.0, abs(expected))
        return bool(abs(value - expected) <= tolerance * scale)
    same_type = isinstance(expected, bool) == isinstance(value, bool)
    return bool(same_type and expected == value)
