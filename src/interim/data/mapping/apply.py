"""A raw table becomes the frame of a domain; what does not map is a finding and is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from interim.data import spec
from interim.data.mapping.cells import Cell, map_cell, map_checkbox, other_offset, with_offset
from interim.data.mapping.files import Delivery
from interim.data.mapping.model import Column, TableMap
from interim.data.model import ORIGIN, LedgerLine
from interim.data.notation import notations
from interim.data.read import RawTable
from interim.data.records import Rule, findings_at, ledger_at, value_text
from interim.errors import Finding, Severity

_EXCEPTIONS = {
    "MAP-VALUE": "the value is not among the declared codes, formats or numbers; declare it or correct the source",
    "MAP-FORMAT": "two declared date formats match and disagree; declare one",
}


@dataclass(frozen=True)
class Mapped:
    """A domain frame made from one file.

    Attributes
    ----------
    frame : pandas.DataFrame
        Target columns and the origin columns.
    findings : tuple of Finding
        MAP-VALUE, MAP-COLUMN.
    ledger : tuple of LedgerLine
        Declared changes.
    """

    frame: pd.DataFrame
    findings: tuple[Finding, ...]
    ledger: tuple[LedgerLine, ...]


@dataclass(frozen=True)
class _Made:
    """One target column: values, and the rule of every place that is not taken as it is."""

    name: str
    values: np.ndarray
    raw: np.ndarray
    rules: dict[int, str]


def map_table(delivery: Delivery, raw: RawTable) -> Mapped:
    """Map one table.

    Parameters
    ----------
    delivery : Delivery
        Target domain and mapping.
    raw : RawTable
        The table as read.

    Returns
    -------
    Mapped
        The frame; a mapped column that does not exist is a stop, a column that is neither mapped nor ignored a warning.

    Raises
    ------
    None
    """
    chosen = _chosen(raw.frame, delivery.table.rows.filter)
    whole = len(chosen) == len(raw.frame)
    source = raw.frame if whole else raw.frame.iloc[chosen].reset_index(drop=True)
    source, marked = _missing(source, delivery.source.missing)
    made = [_zoned(m, delivery) for m in (*_identity(source, delivery), *_columns(source, delivery.table))]
    origin = {ORIGIN[0]: np.full(len(source), delivery.path.name, dtype=object), ORIGIN[1]: raw.rows[chosen]}
    columns = {m.name: m.values for m in made} | origin
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(source)), copy=False)
    findings = [*_column_findings(raw.frame, delivery)]
    ledger = [*_missing_lines(frame, delivery, marked), *_special(frame, delivery.domain, raw, chosen)]
    for item in made:
        findings += [*_exceptions(frame, delivery, item), *_other_zone(frame, delivery, item)]
        ledger += _changes(frame, delivery, item)
    return Mapped(frame, tuple(findings), tuple(ledger))


def _chosen(frame: pd.DataFrame, wanted: dict[str, str]) -> np.ndarray:
    keep = np.ones(len(frame), dtype=bool)
    for name, text in wanted.items():
        cells = frame[name].map(value_text) if name in frame else pd.Series("", index=frame.index)
        keep &= (cells == text).to_numpy(dtype=bool)
    return np.flatnonzero(keep)


def _missing(
    frame: pd.DataFrame, texts: tuple[str, ...]
) -> tuple[pd.DataFrame, list[tuple[str, np.ndarray, np.ndarray]]]:
    """Return the frame with the declared missing texts as missing, and where they stood."""
    declared = [text for text in texts if text]
    marked = []
    columns = {}
    for name in frame.columns if declared else ():
        hit = (
            frame[name].isin(declared)
            if frame[name].dtype == object
            else frame[name].map(value_text).isin(declared)
        )
        places = np.flatnonzero(hit.to_numpy(dtype=bool))
        if len(places):
            marked.append((str(name), places, frame[name].to_numpy()[places]))
            columns[name] = frame[name].mask(hit, None if frame[name].dtype == object else np.nan)
    return (frame.assign(**columns) if columns else frame), marked


def _identity(source: pd.DataFrame, delivery: Delivery) -> list[_Made]:
    if not delivery.table.identity:
        return []
    left = {*delivery.ignore, *delivery.table.column}
    return [
        _Made(str(name), source[name].to_numpy(), source[name].to_numpy(), {})
        for name in source.columns
        if name not in left
    ]


def _columns(source: pd.DataFrame, table: TableMap) -> list[_Made]:
    return [
        _column(source, name, rule)
        for name, rule in table.column.items()
        if all(column in source for column in rule.sources)
    ]


def _column(source: pd.DataFrame, name: str, rule: Column) -> _Made:
    if rule.constant is not None:
        values = np.full(
            len(source), rule.constant, dtype=float if isinstance(rule.constant, float) else object
        )
        return _Made(name, values, values, {})
    if rule.type == "checkbox":
        cells = [map_checkbox(row, rule) for row in zip(*(source[s] for s in rule.sources), strict=True)]
        raw = _objects(
            [";".join(value_text(v) for v in row) for row in source[list(rule.sources)].to_numpy()]
        )
        return _Made(name, _objects([c.value for c in cells]), raw, _rules(cells))
    series = source[rule.sources[0]]
    codes, kinds = pd.factorize(series, use_na_sentinel=True)
    known = [map_cell(kind, rule) for kind in kinds]
    pool = _objects([*(cell.value for cell in known), None])
    places = np.flatnonzero(np.array([*(cell.rule != "" for cell in known), False], dtype=bool)[codes])
    return _Made(name, _plain(pool[codes]), series.to_numpy(), {int(p): known[codes[p]].rule for p in places})


def _zoned(made: _Made, delivery: Delivery) -> _Made:
    """Return a date column whose date-times without offset have that of the declared time zone."""
    known = spec.domain(delivery.domain)
    variable = None if known is None else known.variable(made.name)
    if delivery.source.timezone is None or variable is None or variable.kind != "dtc":
        return made
    codes, kinds = pd.factorize(made.values, use_na_sentinel=True)
    zoned = [with_offset(value_text(kind), delivery.source.timezone) for kind in kinds]
    changed = np.array([*(new != old for new, old in zip(zoned, kinds, strict=True)), False], dtype=bool)[
        codes
    ]
    rules = dict.fromkeys(map(int, np.flatnonzero(changed)), "MAP-TIMEZONE")
    return replace(made, values=_objects([*zoned, None])[codes], rules={**rules, **made.rules})


def _other_zone(frame: pd.DataFrame, delivery: Delivery, made: _Made) -> list[Finding]:
    """Return one finding for a column most of whose offsets are not those of the declared time zone."""
    known, zone = spec.domain(delivery.domain), delivery.source.timezone
    variable = None if known is None else known.variable(made.name)
    if zone is None or variable is None or variable.kind != "dtc":
        return []
    codes, kinds = pd.factorize(made.raw, use_na_sentinel=True)
    texts = [value_text(kind) for kind in kinds]
    foreign = np.array([*(other_offset(text, zone) for text in texts), False], dtype=bool)[codes]
    own = np.array([*(with_offset(t, zone) == t and "T" in t for t in texts), False], dtype=bool)[codes]
    if 2 * foreign.sum() <= own.sum():
        return []
    places = np.flatnonzero(foreign)
    message = (
        f"{len(places)} date-times carry another offset than the declared time zone {zone}, so that days at the site may "
        "be wrong; correct source.timezone or the export"
    )
    first = findings_at(
        frame,
        delivery.domain,
        places[:1],
        rule=Rule("XD-TZ", "warn", message, f"the offset of {zone}"),
        variable=made.name,
        values=made.raw[places[:1]],
    )
    return [replace(f, subject=None, key=(delivery.path.name,)) for f in first]


def _rules(cells: list[Cell]) -> dict[int, str]:
    return {i: cell.rule for i, cell in enumerate(cells) if cell.rule}


def _objects(values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _plain(values: np.ndarray) -> np.ndarray:
    """Return an array of numbers as float64, any other as it is."""
    numbers = [isinstance(v, float) or v is None for v in values]
    if all(numbers) and any(v is not None for v in values):
        return np.array([np.nan if v is None else v for v in values], dtype=float)
    return values


def _exceptions(frame: pd.DataFrame, delivery: Delivery, made: _Made) -> list[Finding]:
    places = [p for p, rule in made.rules.items() if rule in _EXCEPTIONS]
    if not places:
        return []
    filled = int(pd.notna(made.raw).sum())
    known = spec.domain(delivery.domain)
    needed = known is not None and made.name in known.required
    many = len(places) > delivery.max_unmapped * filled
    found: list[Finding] = []
    for rule, message in _EXCEPTIONS.items():
        part = [p for p in places if made.rules[p] == rule]
        severity: Severity = "stop" if needed or many or rule == "MAP-FORMAT" else "warn"
        exceptions = findings_at(
            frame,
            delivery.domain,
            part,
            rule=Rule("MAP-VALUE", severity, message),
            variable=made.name,
            values=made.raw[part],
        )
        found += [_one_of(exceptions)] if _in_bulk(delivery, made) and len(part) > 1 else exceptions
    return found


def _in_bulk(delivery: Delivery, made: _Made) -> bool:
    """Tell whether the cells of a column that do not map are one finding: those of a column of dates."""
    rule = delivery.table.column.get(made.name)
    return rule is not None and rule.type == "partial_date"


def _one_of(findings: list[Finding]) -> Finding:
    """Return one finding for the dates of a column that do not map; each of them is a line of the ledger."""
    told = notations(
        [f.value or "" for f in findings], [str(f.row) for f in findings], [f.subject or "" for f in findings]
    )
    first = min(findings, key=lambda f: f.row or 0)
    return replace(first, message=f"{told}; {first.message}", subject=None, key=(str(first.file),), row=None)


def _changes(frame: pd.DataFrame, delivery: Delivery, made: _Made) -> list[LedgerLine]:
    domain, bulk = delivery.domain, _in_bulk(delivery, made)
    places = [p for p, rule in made.rules.items() if bulk or rule not in _EXCEPTIONS]
    lines = ledger_at(
        frame,
        domain,
        places,
        rules=["MAP-VALUE" if made.rules[p] in _EXCEPTIONS else made.rules[p] for p in places],
        variable=made.name,
        before=made.raw[places],
        after=made.values[places],
    )
    return [replace(line, reason="unmapped") if line.rule == "MAP-VALUE" else line for line in lines]


def _column_findings(frame: pd.DataFrame, delivery: Delivery) -> list[Finding]:
    table, domain = delivery.table, delivery.domain
    base = Finding("MAP-COLUMN", "warn", domain, "", file=delivery.path.name)
    absent = sorted(table.used - set(map(str, frame.columns)))
    lost = "the mapping names this column, but the file does not have it; correct the mapping or the file"
    found = [replace(base, severity="stop", variable=name, message=lost) for name in absent]
    used = table.used | delivery.elsewhere | set(delivery.ignore)
    used |= {
        str(c) for c in frame.columns if delivery.dictionary is not None and _administrative(str(c), frame)
    }
    rest = [str(c) for c in frame.columns if str(c) not in used]
    known = spec.domain(domain)
    if table.identity:
        new = [name for name in rest if known is None or known.variable(name) is None]
        text = "the specification does not know this column; it is kept and not used"
        return found + [replace(base, severity="info", variable=name, message=text) for name in new]
    text = "the column is neither mapped nor listed in [ignore]"
    return found + [replace(base, variable=name, message=text) for name in rest]


def _administrative(name: str, frame: pd.DataFrame) -> bool:
    """Tell the columns that REDCap adds to every export."""
    return name == frame.columns[0] or name.startswith("redcap_")


def _missing_lines(
    frame: pd.DataFrame, delivery: Delivery, marked: list[tuple[str, np.ndarray, np.ndarray]]
) -> list[LedgerLine]:
    lines: list[LedgerLine] = []
    for name, places, raw in marked:
        lines += ledger_at(
            frame,
            delivery.domain,
            places,
            rules=["MAP-MISSING"] * len(places),
            variable=name,
            before=raw,
            after=[None] * len(places),
        )
    return [replace(line, reason=delivery.source.missing_reason[line.before]) for line in lines]


def _special(frame: pd.DataFrame, domain: str, raw: RawTable, chosen: np.ndarray) -> list[LedgerLine]:
    """Return the ledger lines of special missing values of a transport file."""
    place_of = {int(row): i for i, row in enumerate(chosen)} if raw.reasons else {}
    lines: list[LedgerLine] = []
    for row, name, code in raw.reasons:
        if row in place_of:
            lines += ledger_at(
                frame,
                domain,
                [place_of[row]],
                rules=["READ-SPECIAL"],
                variable=name,
                before=[code],
                after=[None],
            )
    return lines
