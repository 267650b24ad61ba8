"""``interim compare``: every number that differs between two runs of a study, each with the step that changed it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

import interim
from interim.data import spec
from interim.data.model import Sdtm
from interim.errors import InterimError, ReportError
from interim.report.freshness import MANIFEST
from interim.report.hashes import joined, tree
from interim.report.registry import registry
from interim.report.state import read_manifest, read_state
from interim.study import Study, restore_study

UNEXPLAINED = "unexplained"
CORRECTION, WITHDRAWAL = "correction", "withdrawal"
_DIGITS = 12


@dataclass(frozen=True)
class Change:
    """One number that differs.

    Attributes
    ----------
    result_id : str
        Its id.
    tlfs : tuple of str
        Tables and figures that show the results of its question.
    old, new : str
        The number, its text, or its status and reason; empty if the run has no such number.
    cause : str
        First step that changed it: code, parameter, correction, new_data; unexplained if no step gives the new value.
    later : tuple of str
        Further steps that changed it again.
    reason : str
        ``withdrawal`` where the removal of withdrawn participants is the correction that changed it.
    """

    result_id: str
    tlfs: tuple[str, ...]
    old: str
    new: str
    cause: str
    later: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """What changed between two runs.

    Attributes
    ----------
    study, old_cut, new_cut : str
        Study id and the two cut-offs.
    changes : tuple of Change
        In the order of the newer run.
    totals : mapping of str to (int, int)
        Table or figure -> numbers changed and numbers in all.
    parameters : tuple of (str, str, str)
        Key path, old and new value of every parameter that differs.
    records : tuple of (str, int, int, int)
        Domain -> records corrected, deleted and added; domains without any left out.
    withdrawn : tuple of str
        Participants of the older run that the newer one does not have.
    notes : tuple of str
        Steps that could not be told apart, and why.
    numbers : int
        Numbers in either run.
    """

    study: str
    old_cut: str
    new_cut: str
    changes: tuple[Change, ...]
    totals: Mapping[str, tuple[int, int]]
    parameters: tuple[tuple[str, str, str], ...]
    records: tuple[tuple[str, int, int, int], ...]
    withdrawn: tuple[str, ...]
    notes: tuple[str, ...]
    numbers: int

    @property
    def unexplained(self) -> tuple[Change, ...]:
        """Changes that no step gives."""
        return tuple(change for change in self.changes if change.cause == UNEXPLAINED)


@dataclass(frozen=True)
class _Run:
    """One stored run."""

    values: dict[str, Any]
    confirmed: tuple[str, ...]
    sdtm: Sdtm
    frame: pd.DataFrame
    code: str
    file: Path


def compare(old: Path, new: Path) -> Comparison:
    """Compare two runs of a study number by number.

    Parameters
    ----------
    old, new : Path
        Report folders.

    Returns
    -------
    Comparison
        Every changed number with its cause.

    Raises
    ------
    ReportError
        If the runs belong to different studies, a stored state is missing, the installed programs are not those of the
        newer run, or ``change.order`` does not begin with code although the code differs.

    Notes
    -----
    From the state of the older run one thing after the other is replaced by that of the newer run, in the order of
    ``change.order``: the programs, the parameters, records that both runs have or that were deleted, records that were
    added (with the data cut-off and whatever else stands in the table ``data``). The first step that changes a number
    is its cause. Participants whom the newer run does not have are removed first of all corrections: cause correction, reason
    withdrawal. What was found in the data follows the records when both runs read the same files at the same cut-off.
    """
    before, after = _read(old), _read(new)
    _refuse(before, after)
    order = after.values["change"]["order"]
    matches = {name: _matched(before.sdtm, after.sdtm, name) for name in _names(before.sdtm, after.sdtm)}
    frames, notes = _steps(before, after, matches, order)
    changes = tuple(_changes(before.frame, after.frame, frames))
    keys = pd.concat([before.frame, after.frame])["result_id"].drop_duplicates()
    return Comparison(
        study=after.values["study"]["id"],
        old_cut=f"{before.sdtm.cut:%Y-%m-%d}",
        new_cut=f"{after.sdtm.cut:%Y-%m-%d}",
        changes=changes,
        totals=_totals(changes, keys),
        parameters=tuple(_parameters(before.values, after.values)),
        records=tuple(_records(before.sdtm, after.sdtm, matches)),
        withdrawn=tuple(_withdrawn(before.sdtm, after.sdtm)),
        notes=tuple(notes),
        numbers=len(keys),
    )


def _read(folder: Path) -> _Run:
    manifest = read_manifest(folder)
    sdtm = read_state(folder)
    try:
        frame = pd.read_parquet(folder / "data" / "results.parquet")
    except (OSError, ValueError) as error:
        raise ReportError(f"{folder}: the results of this run cannot be read ({error})") from error
    values, confirmed = manifest["parameters"]["values"], tuple(manifest["key"]["confirmed"])
    return _Run(values, confirmed, sdtm, frame, manifest["code"]["sha256"], folder / MANIFEST)


def _refuse(before: _Run, after: _Run) -> None:
    """Refuse runs that cannot be compared."""
    ids = before.values["study"]["id"], after.values["study"]["id"]
    if ids[0] != ids[1]:
        raise ReportError(f"the runs belong to different studies: {ids[0]} and {ids[1]}")
    installed = joined(tree(Path(interim.__file__).parent).items())
    if after.code != installed:
        raise ReportError(
            f"{after.file.parent}: was made by other programs than those installed; "
            "build it again with these, or install its version"
        )
    if before.code != installed and after.values["change"]["order"][0] != "code":
        raise ReportError(
            "change.order must begin with code: the programs changed, and those of the older run cannot be run"
        )


def _names(before: Sdtm, after: Sdtm) -> list[str]:
    return sorted({*before.domains, *after.domains})


def _steps(
    before: _Run, after: _Run, matches: Mapping[str, pd.Series], order: Sequence[str]
) -> tuple[list[tuple[str, pd.DataFrame]], list[str]]:
    """Return the results after each step, and what could not be computed."""
    needed = _needed(before, after, matches)
    done: set[str] = set()
    frames: list[tuple[str, pd.DataFrame]] = []
    notes: list[str] = []
    for cause in _with_withdrawal(order):
        done.add(cause)
        if cause not in needed:
            continue
        try:
            frames.append((cause, _results(before, after, matches, done)))
        except InterimError as error:
            notes.append(
                f"after the step {cause} nothing could be computed; its changes count as those of the next step: {error}"
            )
    return frames, notes


def _with_withdrawal(order: Sequence[str]) -> Iterator[str]:
    """Yield the steps; the removal of withdrawn participants comes before other corrections."""
    for cause in order:
        if cause == CORRECTION:
            yield WITHDRAWAL
        yield cause


def _needed(before: _Run, after: _Run, matches: Mapping[str, pd.Series]) -> set[str]:
    """Return the steps in which the runs differ."""
    remaining = replace(before.sdtm, domains=_staying(before.sdtm, after.sdtm))
    kept = {name: _matched(remaining, after.sdtm, name) for name in matches}
    counts = [_counts(remaining, after.sdtm, name, match) for name, match in kept.items()]
    paths = [path for path, *_ in _parameters(before.values, after.values)]
    facts = not _same_delivery(before, after) or (
        before.sdtm.findings != after.sdtm.findings and not _withdrawn(before.sdtm, after.sdtm)
    )
    differs = {
        WITHDRAWAL: bool(_withdrawn(before.sdtm, after.sdtm)),
        "code": before.code != after.code,
        "parameter": before.confirmed != after.confirmed or not all(p.startswith("data.") for p in paths),
        "correction": any(corrected or deleted for corrected, deleted, _ in counts),
        "new_data": facts or any(added for *_, added in counts) or any(p.startswith("data.") for p in paths),
    }
    return {cause for cause, wanted in differs.items() if wanted}


def _results(before: _Run, after: _Run, matches: Mapping[str, pd.Series], done: set[str]) -> pd.DataFrame:
    from interim.adam import build_adam
    from interim.report.chapter import answers

    study = _study(before, after, done)
    sdtm = _mixed(before.sdtm, after.sdtm, matches, done)
    adam = build_adam(sdtm, study)
    return answers(adam, study, sdtm).frame()


def _study(before: _Run, after: _Run, done: set[str]) -> Study:
    """Return the parameters after some steps; the table ``data`` belongs to the data."""
    source = after if "parameter" in done else before
    data = after if "new_data" in done else before
    values = {**source.values, "data": data.values["data"]}
    return restore_study(values, source.confirmed, source.file)


def _mixed(before: Sdtm, after: Sdtm, matches: Mapping[str, pd.Series], done: set[str]) -> Sdtm:
    """Return the records after some steps."""
    withdrawn = WITHDRAWAL in done and bool(_withdrawn(before, after))
    same = before.sources == after.sources and before.cut == after.cut
    facts = after if "new_data" in done or (withdrawn and same) else before
    staying = _staying(before, after) if withdrawn else before.domains
    domains = {}
    for name in facts.domains:
        old, new, match = staying.get(name, before.domain(name)), after.domain(name), matches[name]
        known, added = new[match.notna().to_numpy()], new[match.isna().to_numpy()]
        kept = known if "correction" in done else old
        parts = [kept, added] if "new_data" in done else [kept]
        domains[name] = pd.concat(parts, ignore_index=True) if len(parts) > 1 else kept.reset_index(drop=True)
    return replace(facts, domains=domains)


def _same_delivery(before: _Run, after: _Run) -> bool:
    """Tell whether both runs read the same files at the same cut-off."""
    return before.sdtm.sources == after.sdtm.sources and before.sdtm.cut == after.sdtm.cut


def _staying(before: Sdtm, after: Sdtm) -> dict[str, pd.DataFrame]:
    """Return the records of the older run without those of participants whom the newer run does not have."""
    gone = _withdrawn(before, after)
    return {
        name: frame[~frame["USUBJID"].isin(gone)] if "USUBJID" in frame else frame
        for name, frame in before.domains.items()
    }


def _matched(before: Sdtm, after: Sdtm, name: str) -> pd.Series:
    """Return, for each record of the newer run, the row of the same record in the older one, or missing.

    The natural key of the domain decides, without the sequence number, which exports renumber; what it leaves over is
    matched by participant and sequence number: a record whose key was corrected.
    """
    old, new = before.domain(name), after.domain(name)
    domain = spec.domain(name)
    natural = [c for c in (domain.key if domain else ("USUBJID",)) if c in old and c in new]
    sequence = f"{name}SEQ"
    by_key = [c for c in natural if c != sequence] or natural
    match = _lookup(old, new, by_key)
    if sequence in old and sequence in new and "USUBJID" in old and "USUBJID" in new:
        free = old[~old.index.isin(match.dropna())]
        rest = new[match.isna()]
        match = match.fillna(_lookup(free, rest, ["USUBJID", sequence]))
    return match


def _lookup(old: pd.DataFrame, new: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    if not columns:
        return pd.Series(float("nan"), index=new.index)
    rows = dict(zip(_keys(old, columns), old.index, strict=True))
    return pd.Series(
        [rows.get(key, math.nan) for key in _keys(new, columns)], index=new.index, dtype="float64"
    )


def _keys(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the key of each row; equal keys are told apart by their order."""
    plain = [["" if value != value or value is None else value for value in frame[c]] for c in columns]
    seen: Counter[tuple[Any, ...]] = Counter()
    keys = []
    for key in zip(*plain, strict=True):
        seen[key] += 1
        keys.append((*key, seen[key]))
    return keys


def _counts(before: Sdtm, after: Sdtm, name: str, match: pd.Series) -> tuple[int, int, int]:
    """Return the records that were corrected, deleted and added."""
    old, new = before.domain(name), after.domain(name)
    both = match.dropna().astype(int)
    columns = [c for c in new.columns if c in old.columns and c not in ("SRCFILE", "SRCROW", f"{name}SEQ")]
    here = new.loc[both.index, columns].reset_index(drop=True)
    there = old.loc[both, columns].reset_index(drop=True)
    differs = ~((here == there) | (here.isna() & there.isna()))
    return int(differs.any(axis=1).sum()), len(old) - len(both), len(new) - len(both)


def _records(
    before: Sdtm, after: Sdtm, matches: Mapping[str, pd.Series]
) -> Iterator[tuple[str, int, int, int]]:
    for name, match in matches.items():
        counts = _counts(before, after, name, match)
        if any(counts):
            yield (name, *counts)


def _withdrawn(before: Sdtm, after: Sdtm) -> list[str]:
    here = set(after.domain("DM")["USUBJID"])
    return sorted(subject for subject in set(before.domain("DM")["USUBJID"]) if subject not in here)


def _parameters(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _parameters(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif before != after:
        yield (path, str(before), str(after))


def _changes(
    before: pd.DataFrame, after: pd.DataFrame, frames: Sequence[tuple[str, pd.DataFrame]]
) -> Iterator[Change]:
    """Yield every number that a step changed, or that differs at the end."""
    shown = _tlfs()
    states = [("", _printed(before)), *((cause, _printed(frame)) for cause, frame in frames)]
    last = _printed(after)
    for key in dict.fromkeys([*last, *states[0][1]]):
        values = [state.get(key, "") for _, state in states]
        causes = [states[i][0] for i in range(1, len(states)) if values[i] != values[i - 1]]
        old, new = values[0], last.get(key, "")
        if old == new:
            continue
        if values[-1] != new or not causes:
            causes = [UNEXPLAINED]
        yield _change((key, shown.get(key.split("/", 1)[0], ()), old, new), causes)


def _change(number: tuple[str, tuple[str, ...], str, str], steps: Sequence[str]) -> Change:
    """Return a changed number; a withdrawal is a correction with this reason."""
    causes = list(dict.fromkeys(CORRECTION if step == WITHDRAWAL else step for step in steps))
    reason = WITHDRAWAL if WITHDRAWAL in steps else ""
    return Change(*number, cause=causes[0], later=tuple(causes[1:]), reason=reason)


def _tlfs() -> dict[str, tuple[str, ...]]:
    """Return the tables and figures of each question."""
    from interim.result import slug

    found: dict[str, tuple[str, ...]] = {}
    for tlf in registry():
        name = slug(tlf.analysis)
        found[name] = (*found.get(name, ()), tlf.id)
    return found


def _printed(frame: pd.DataFrame) -> dict[str, str]:
    """Return each number as text, with twelve significant digits."""
    columns = ("result_id", "value", "text", "n", "N", "status", "reason")
    rows = zip(*(frame[column] for column in columns), strict=True)
    return {key: _text(*rest) for key, *rest in rows}


def _text(value: float, text: str | None, n: Any, N: Any, status: str, reason: str) -> str:
    parts = []
    if not math.isnan(value):
        parts.append(format(value, f".{_DIGITS}g"))
    if isinstance(text, str) and text:
        parts.append(text)
    counts = [f"{name}={count}" for name, count in (("n", n), ("N", N)) if not pd.isna(count)]
    if counts:
        parts.append(f"({', '.join(counts)})")
    if status != "OK":
        parts.append(f"{status}: {reason}")
    return " ".join(parts)


def _totals(changes: Sequence[Change], keys: pd.Series) -> dict[str, tuple[int, int]]:
    shown = _tlfs()
    analysis = keys.str.split("/", n=1).str[0]
    sizes = analysis.value_counts()
    changed = Counter(change.result_id.split("/", 1)[0] for change in changes)
    return {tlf: (changed[name], int(sizes.get(name, 0))) for name, tlfs in shown.items() for tlf in tlfs}
