"""LNT-07 order: the subgroup registry and the analysis plan are older than the results, as far as stored packages prove it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from interim.report.lint.model import Checked, LintFinding, PastRun

# Tables that say where data and documents are and how they look, not what is analysed.
_NOT_PLAN = frozenset(
    ("study", "data", "report", "pdf", "docx", "figure", "alt", "privacy", "change", "parallel")
)
_POST_HOC = ("data_driven",)


def registry_hash(values: Mapping[str, Any]) -> str:
    """Return the hash of the subgroup registry.

    Parameters
    ----------
    values : mapping
        Resolved parameters of a study.

    Returns
    -------
    str
        SHA-256 over the tables of the subgroups; data-driven entries are left out.

    Raises
    ------
    None
    """
    entries = [entry for entry in values.get("subgroups", ()) if not _is_post_hoc(entry)]
    return _hash({"subgroups": entries, "subgroup": values.get("subgroup", {})})


def _is_post_hoc(entry: Any) -> bool:
    origin = str(entry.get("origin", "")).lower() if isinstance(entry, Mapping) else ""
    return origin in _POST_HOC


def plan_hash(values: Mapping[str, Any]) -> str:
    """Return the hash of the analysis plan: of all parameters but those of place and looks.

    Parameters
    ----------
    values : mapping
        Resolved parameters of a study.

    Returns
    -------
    str
        SHA-256.

    Raises
    ------
    None
    """
    return _hash({name: table for name, table in values.items() if name not in _NOT_PLAN})


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def past_runs(folder: Path, *, before: str) -> tuple[PastRun, ...]:
    """Return the packages of a study that were published for earlier cut-offs.

    Parameters
    ----------
    folder : Path
        Folder of the study's reports, one folder per cut-off.
    before : str
        ISO date of the present cut-off.

    Returns
    -------
    tuple of PastRun
        Oldest first; folders without a readable manifest are no evidence and left out.

    Raises
    ------
    None
    """
    found = []
    for path in sorted(folder.glob("????-??-??/manifest.json")):
        if path.parent.name >= before:
            continue
        try:
            values = json.loads(path.read_text(encoding="utf-8"))["parameters"]["values"]
            extract = str((values.get("data") or {}).get("extract_time") or "")
            found.append(PastRun(path.parent.name, extract, registry_hash(values), plan_hash(values)))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue
    return tuple(found)


def wrong_order(checked: Checked) -> Iterator[LintFinding]:
    """Find a subgroup registry or a plan that is younger than the first results, by the packages published before.

    Parameters
    ----------
    checked : Checked
        Documents, results, study, packages published before.

    Yields
    ------
    LintFinding
        LNT-07: a stop for a registry that changed after the first package; a warning for a plan that no earlier package
        holds, and where there is no earlier package at all.

    Raises
    ------
    None
    """
    values = checked.study.resolved()
    registry, plan = registry_hash(values), plan_hash(values)
    if not checked.history:
        what = f"no earlier package: that registry {registry[:12]} and plan {plan[:12]} are older cannot be proved"
        yield _finding("T 14.2.4.1", what, "deposit both hashes where the date is proved", "warn")
        return
    first = checked.history[0]
    if first.registry != registry:
        what = f"the registry {registry[:12]} is not {first.registry[:12]} of the first efficacy results ({first.cut})"
        yield _finding(
            "T 14.2.4.1",
            what,
            "restore the entries, or call the new ones data_driven in their origin",
            "stop",
        )
    if all(past.plan != plan for past in checked.history):
        what = f"no package before {checked.study.cut:%Y-%m-%d} has the plan {plan[:12]}"
        yield _finding("document 14", what, "state every change with date and reason in document 14", "warn")


def _finding(place: str, what: str, way_out: str, severity: Any) -> LintFinding:
    return LintFinding("LNT-07", "order", "package", place, "", what, way_out, severity)
