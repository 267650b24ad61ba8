"""From files to checked source data at the cut-off: read, map, patch, type, check, cut, check again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pandas as pd

from interim.data import spec
from interim.data.check.context import Context
from interim.data.check.run import check_context
from interim.data.cut import CUT_RULES, cut_sdtm
from interim.data.mapping import (
    REDCAP_RULES,
    Delivery,
    deliveries,
    instrument_table,
    map_table,
    read_dictionary,
    sdtm_records,
)
from interim.data.model import LedgerLine, Sdtm, Source
from interim.data.patch import PATCH_RULES, PATCHES, Patch, apply_patches, read_patches, stray_patches
from interim.data.read import FILE_RULES, FileRead, RawTable, read_file
from interim.data.records import value_text
from interim.data.replay import WRITTEN, as_known, written_by
from interim.data.typed import type_domain
from interim.data.units import Factor, apply_factors
from interim.data.withdrawal import WITHDRAWAL_RULES, without_withdrawn
from interim.errors import DataError, Finding
from interim.study import Study

_MAP_RULES = (
    *REDCAP_RULES,
    ("XD-COLUMN", "stop"),
    ("MAP-VALUE", "stop"),
    ("MAP-COLUMN", "warn"),
    ("MAP-DOMAIN", "info"),
)
_NEEDED = {"sdtm": (("DM",), ("EX",), ("AE",), ("TR", "RS"), ("TU", "RS")), "adam": (("ADSL",),)}
_WHY = {
    "sdtm": "a report needs DM, EX, AE and either TR with TU or RS",
    "adam": "a study that enters with analysis datasets needs ADSL",
}
_NO_CUT = "not run: finished analysis datasets are not cut"
Register = tuple[tuple[str, str, str], ...]


def open_data(study: Study) -> Sdtm:
    """Read the data of a study, check them, and apply the data cut-off.

    Parameters
    ----------
    study : Study
        ``data.path`` (a folder of SDTM files) or ``data.sources`` (mapping files), cut-off and limits.

    Returns
    -------
    Sdtm
        Domains at the cut-off with sources, findings, ledger, counts and the register of the checks.

    Raises
    ------
    DataError
        If a finding of severity stop stands and ``data.on_stop`` is "halt"; it carries every finding. If the list of withdrawn
        participants names somebody unknown.
    StudyError
        If a mapping file is wrong.
    """
    extract = without_withdrawn(read_data(study), study)
    if study.replayed and study.data.stage == "sdtm":
        extract = as_known(extract, study)
    context = Context(extract, study)
    report = check_context(context, stage="extract")
    extract = extract.with_findings(report.findings)
    if study.data.stage == "adam":
        return _entered(extract, study, report.rules)
    cut = cut_sdtm(extract, study)
    again = check_context(Context(cut, study, like=context), stage="cut")
    findings = _unique((*cut.findings, *again.findings))
    if study.data.on_stop == "halt" and any(finding.severity == "stop" for finding in findings):
        raise DataError(findings)
    return replace(cut, findings=findings, rules=_register(cut.rules, report.rules, again.rules))


def _entered(extract: Sdtm, study: Study, ran: Register) -> Sdtm:
    """Return finished analysis datasets as they were delivered: checked, not cut."""
    findings = _unique(extract.findings)
    stops = any(finding.severity == "stop" for finding in findings)
    if not extract.has("ADSL") or (stops and study.data.on_stop == "halt"):
        raise DataError(findings)
    cut_rules = {name for name, _ in CUT_RULES}
    skipped = tuple((name, severity, _NO_CUT) for name, severity in CUT_RULES)
    known = tuple(row for row in extract.rules if row[0] not in cut_rules)
    return replace(extract, findings=findings, rules=_register(known, skipped, ran))


def read_data(study: Study) -> Sdtm:
    """Read, map and type the data of a study; no check of content, no cut-off.

    Parameters
    ----------
    study : Study
        ``data.path`` or ``data.sources`` count.

    Returns
    -------
    Sdtm
        The full extract; files and cells that could not be read are findings.

    Raises
    ------
    StudyError
        If a mapping file is wrong.
    """
    found, findings = deliveries(study)
    work = _Work(findings=list(findings))
    for delivery in found:
        _take(work, delivery)
    _take_plain(work, study)
    domains = _domains(work, study)
    work.findings += _missing_domains(set(domains) | work.failed, study.data.stage)
    return Sdtm(
        domains=domains,
        cut=study.cut,
        sources=_one_each(work.sources),
        findings=_unique(work.findings),
        ledger=tuple(work.ledger),
        rules=(*_read_rules(), *_patch_rules(PATCHES in domains)),
    )


def _read_rules() -> Register:
    return tuple((*rule, "run") for rule in (*FILE_RULES, *_MAP_RULES, *WITHDRAWAL_RULES, *CUT_RULES))


def _patch_rules(delivered: bool) -> Register:
    state = "run" if delivered else f"not run: {PATCHES} not delivered"
    return tuple((*rule, state) for rule in PATCH_RULES)


def _domains(work: _Work, study: Study) -> dict[str, pd.DataFrame]:
    """Return the typed domains; the patches are read first, because the others are corrected by them."""
    first = {name: _typed(work, name, work.frames.pop(name)) for name in WRITTEN if name in work.frames}
    first = {name: written_by(name, frame, study) for name, frame in first.items()}
    work.patches = read_patches(first.get(PATCHES))
    rest = {name: _typed(work, name, frames) for name, frames in sorted(work.frames.items())}
    work.findings += stray_patches(work.patches, set(rest))
    return dict(sorted((first | rest).items()))


@dataclass
class _Work:
    """What has been read so far."""

    frames: dict[str, list[pd.DataFrame]] = field(default_factory=dict)
    factors: dict[str, list[Factor]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    sources: list[Source] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    ledger: list[LedgerLine] = field(default_factory=list)
    patches: tuple[Patch, ...] = ()


def _take(work: _Work, delivery: Delivery) -> None:
    """Read and map one file."""
    read = read_file(delivery.path, delivery.domain, options=delivery.options, format=delivery.format)
    work.findings += read.findings
    if read.table is None:
        work.failed.add(delivery.domain)
        return
    table = _instrument(work, delivery, read.table)
    mapped = map_table(delivery, table)
    work.frames.setdefault(delivery.domain, []).append(mapped.frame)
    work.factors.setdefault(delivery.domain, []).extend(
        Factor(unit.test, unit.from_, unit.to, unit.factor) for unit in delivery.table.unit
    )
    work.findings += mapped.findings
    work.ledger += mapped.ledger
    work.sources.append(_source(delivery, replace(read, table=table), len(mapped.frame)))


def _instrument(work: _Work, delivery: Delivery, table: RawTable) -> RawTable:
    """Return the part of a REDCap export that fills a table; any other file as it is."""
    if delivery.dictionary is None:
        return table
    fields, wrong = read_dictionary(delivery.dictionary)
    if wrong and not fields:
        work.findings += wrong
        return table
    part, found = instrument_table(delivery, table, fields)
    work.findings += found
    return part


def _take_plain(work: _Work, study: Study) -> None:
    """Turn the plain tables into SDTM records."""
    names = [name for name in spec.domain_names("plain") if name in work.frames]
    tables = {name: _typed(work, name, work.frames.pop(name)) for name in names}
    for domain, frame in sdtm_records(tables, study.study.id).items():
        work.frames.setdefault(domain, []).append(frame)


def _one_each(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Return one source per file and domain: a file may fill a domain by several parts of a mapping."""
    found: dict[tuple[str, str, str], Source] = {}
    for source in sources:
        key = (source.name, source.domain, source.sha256)
        earlier = found.get(key)
        found[key] = source if earlier is None else _joined(earlier, source)
    return tuple(sorted(found.values(), key=lambda s: (s.name, s.domain)))


def _joined(first: Source, second: Source) -> Source:
    notes = dict.fromkeys([*first.note.split("; "), *second.note.split("; ")])
    return replace(first, records=first.records + second.records, note="; ".join(filter(None, notes)))


def _source(delivery: Delivery, read: FileRead, records: int) -> Source:
    constants = [
        f"constant {name} = {value_text(column.constant)}"
        for name, column in delivery.table.column.items()
        if column.constant is not None
    ]
    note = "; ".join(filter(None, ["" if read.table is None else read.table.note, *constants]))
    return Source(delivery.path.name, delivery.domain, read.format, read.sha256, records, note)


def _typed(work: _Work, name: str, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    patched = apply_patches(name, _stacked(frames), work.patches)
    typed = type_domain(name, patched.frame)
    frame, converted = apply_factors(typed.frame, name, tuple(work.factors.get(name, ())))
    work.findings += [*patched.findings, *typed.findings, *_missing_columns(name, frame)]
    work.ledger += [*patched.ledger, *typed.ledger, *converted]
    return frame


def _missing_columns(name: str, frame: pd.DataFrame) -> list[Finding]:
    known = spec.domain(name)
    files = sorted(set(frame["SRCFILE"]))
    return [
        Finding(
            "XD-COLUMN",
            "stop",
            name,
            f"required column {variable} is missing; deliver it",
            variable=variable,
            expected=variable,
            file=files[0] if files else None,
        )
        for variable in (() if known is None else known.absent(frame.columns))
    ]


def _stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the frames of one domain one below the other; a column absent from one is missing there."""
    if len(frames) == 1:
        return frames[0]
    joined = pd.concat([frame.astype(object) for frame in frames], ignore_index=True)
    return joined.astype(object).where(joined.notna(), None)


def _missing_domains(present: set[str], stage: Literal["sdtm", "adam"]) -> list[Finding]:
    lacking = [group for group in _NEEDED[stage] if not present & set(group)]
    return [
        Finding(
            "XD-DOMAIN",
            "stop",
            group[0],
            f"domain {' or '.join(group)} is missing; {_WHY[stage]}",
        )
        for group in lacking
    ]


def _unique(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings sorted, one found by both runs of the checks once."""
    seen = {(f.id, f.severity, f.file, f.row, f.value): f for f in reversed(findings)}
    return tuple(sorted(seen.values(), key=lambda f: (f.order, f.file or "", f.row or 0)))


def _register(*parts: Register) -> Register:
    """Return one row per rule; "run" wins over "not run"."""
    rows: dict[str, tuple[str, str, str]] = {}
    for rule in (row for part in parts for row in part):
        known: Literal[True] | None = None if rule[0] not in rows or rows[rule[0]][2] != "run" else True
        if known is None:
            rows[rule[0]] = rule
    return tuple(sorted(rows.values()))


__all__: list[str] = ["Register", "open_data", "read_data"]
