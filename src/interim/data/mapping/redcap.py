"""REDCap exports: one instrument of a flat export is one table; repeated instances are rows of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from interim.data.mapping.files import Delivery
from interim.data.read import RawTable, read_file
from interim.errors import Finding

REDCAP_RULES = (("MAP-REPEAT", "warn"), ("MAP-FORM", "info"), ("MAP-FIELD", "stop"))
_NAME, _FORM, _TYPE, _CHOICES, _IDENTIFIER = 0, 1, 2, 3, 4
_HEADINGS = (
    ("variable / field name", "field_name"),
    ("form name", "form_name"),
    ("field type", "field_type"),
    ("choices, calculations, or slider labels", "select_choices_or_calculations"),
    ("identifier?", "identifier"),
)
_INSTRUMENT, _EVENT = "redcap_repeat_instrument", "redcap_event_name"
_CLOSED = {"calc": "calculated", "descriptive": "descriptive", "file": "file"}
_OPEN_STATES = ("0", "1", "Incomplete", "Unverified")
_TICKED = ("1", "Checked")
_PLAIN = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Field:
    """One field of the data dictionary.

    Attributes
    ----------
    name, form, type : str
        Field, instrument, field type.
    choices : dict of str to str
        Label -> code.
    identifier : bool
        Marked as an identifier of a person.
    """

    name: str
    form: str
    type: str
    choices: dict[str, str]
    identifier: bool

    @property
    def closed(self) -> str:
        """Why the field is never an output; empty if it may be one."""
        return "identifying" if self.identifier else _CLOSED.get(self.type, "")


def read_dictionary(path: Path) -> tuple[tuple[Field, ...], tuple[Finding, ...]]:
    """Read a data dictionary.

    Parameters
    ----------
    path : Path
        CSV as REDCap writes it.

    Returns
    -------
    tuple of (tuple of Field, tuple of Finding)
        The fields in their order; findings if the file cannot be read or is no dictionary.

    Raises
    ------
    None
    """
    read = read_file(path, "ALL", format="csv")
    if read.table is None:
        return (), read.findings
    found = {name.strip().lower(): name for name in read.table.frame.columns}
    columns = [next((found[h] for h in names if h in found), None) for names in _HEADINGS]
    if columns[_NAME] is None or columns[_FORM] is None or columns[_TYPE] is None:
        message = (
            f"{path}: no data dictionary of REDCap; expected the columns field name, form name, field type"
        )
        return (), (Finding("XD-FILE", "stop", "ALL", message, key=(path.name,), file=path.name),)
    cells = read.table.frame[[c for c in columns if c is not None]].fillna("").to_numpy().tolist()
    width = len(_HEADINGS)
    places = [n for n in range(width) if columns[n] is not None]
    rows = [[row[places.index(n)] if n in places else "" for n in range(width)] for row in cells]
    return tuple(_field(row) for row in rows), read.findings


def _field(row: list[str]) -> Field:
    pairs = [part.split(",", 1) for part in row[_CHOICES].split("|")] if row[_TYPE] != "calc" else []
    choices = {pair[1].strip(): pair[0].strip() for pair in pairs if len(pair) > 1}
    closed = row[_IDENTIFIER].strip().lower() in ("y", "yes", "true")
    return Field(row[_NAME].strip(), row[_FORM].strip(), row[_TYPE].strip(), choices, closed)


def instrument_table(
    delivery: Delivery, raw: RawTable, fields: tuple[Field, ...]
) -> tuple[RawTable, tuple[Finding, ...]]:
    """Return the rows and columns of one instrument.

    Parameters
    ----------
    delivery : Delivery
        Names the instrument, the events and whether the export holds labels.
    raw : RawTable
        The whole export.
    fields : tuple of Field
        The data dictionary.

    Returns
    -------
    tuple of (RawTable, tuple of Finding)
        Rows of the instrument (repeated instances, else the unrepeated rows in which one of its fields is filled) with its
        fields, the record id, ``redcap_*``, and ``redcap_visit`` and ``redcap_visit_no`` by ``[visit]``. Findings MAP-REPEAT,
        MAP-FORM, MAP-FIELD, and XD-COLUMN if the dictionary has no such instrument.

    Raises
    ------
    None
    """
    name = delivery.table.rows.instrument or ""
    own = [field for field in fields if field.form == name]
    base = Finding("XD-COLUMN", "stop", delivery.domain, "", file=delivery.path.name)
    if not own:
        known = ", ".join(dict.fromkeys(field.form for field in fields))
        message = f"the data dictionary has no instrument {name!r}; it has {known}"
        return raw, (replace(base, message=message, variable="instrument", value=name),)
    frame, columns = raw.frame, _columns(raw.frame, own)
    repeated, chosen, both = _chosen(frame, columns, name)
    used = {column.split("___")[0] for column in delivery.table.used}
    unread = {field.name for field in own if field.closed and field.name not in used} - {frame.columns[0]}
    columns = [c for c in columns if c.split("___")[0] not in unread]
    keep = [frame.columns[0], *(c for c in frame.columns if c.startswith("redcap_")), *columns]
    table = frame.loc[chosen, list(dict.fromkeys(keep))].reset_index(drop=True)
    table = _decoded(table, own) if delivery.source.labels == "label" else table
    rows = raw.rows[chosen]
    findings = [
        *_repeats(base, raw.rows[both], name),
        *_open_forms(base, frame.loc[chosen], rows, f"{name}_complete"),
        *_closed_fields(base, delivery, own),
    ]
    note = f"{raw.note}; instrument {name}, {int(repeated.sum())} repeated instances"
    return replace(raw, frame=_visits(table, delivery.visit), rows=rows, note=note), tuple(findings)


def _columns(frame: pd.DataFrame, own: list[Field]) -> list[str]:
    """Return the columns of the fields; a check box has one per choice."""
    names = {field.name for field in own}
    return [str(c) for c in frame.columns if c in names or str(c).split("___")[0] in names]


def _chosen(frame: pd.DataFrame, columns: list[str], name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the repeated instances, the rows of the instrument, and unrepeated rows filled beside instances."""
    filled = np.zeros(len(frame), dtype=bool)
    for column in columns:
        if column != frame.columns[0]:
            cells = frame[column]
            there = cells.isin(_TICKED) if "___" in column else cells.notna()
            filled |= there.to_numpy(dtype=bool)
    if _INSTRUMENT not in frame:
        return np.zeros(len(frame), dtype=bool), filled, np.zeros(len(frame), dtype=bool)
    names = frame[_INSTRUMENT].map(lambda text: _PLAIN.sub("_", str(text or "").lower()).strip("_"))
    repeated = (names == _PLAIN.sub("_", name.lower()).strip("_")).to_numpy(dtype=bool)
    single = (names == "").to_numpy(dtype=bool) & filled
    both = single & bool(repeated.any())
    return repeated, repeated | single, both


def _decoded(table: pd.DataFrame, own: list[Field]) -> pd.DataFrame:
    """Return the codes of a label export; a text that is neither label nor code stays and will not map."""
    changed: dict[str, pd.Series] = {}
    for field in own:
        if field.name in table and field.choices:
            codes = table[field.name].map(field.choices)
            changed[field.name] = codes.where(codes.notna(), table[field.name])
        for column in (c for c in table.columns if str(c).startswith(f"{field.name}___")):
            changed[str(column)] = table[column].replace({"Checked": "1", "Unchecked": "0"})
    return table.assign(**changed)


def _visits(table: pd.DataFrame, visits: Mapping[str, tuple[float, str]]) -> pd.DataFrame:
    if not visits or _EVENT not in table:
        return table
    number = table[_EVENT].map({event: place[0] for event, place in visits.items()}).astype(float)
    text = table[_EVENT].map({event: place[1] for event, place in visits.items()}).astype(object)
    return table.assign(redcap_visit=text.where(text.notna(), None), redcap_visit_no=number)


def _repeats(base: Finding, rows: np.ndarray, name: str) -> list[Finding]:
    message = (
        f"the unrepeated row and the instances of {name} are both filled; both are kept: correct one of them"
    )
    return [
        replace(
            base,
            rule="MAP-REPEAT",
            severity="warn",
            message=message,
            key=(str(row),),
            row=int(row),
            variable=name,
        )
        for row in rows
    ]


def _open_forms(base: Finding, frame: pd.DataFrame, rows: np.ndarray, column: str) -> list[Finding]:
    if column not in frame:
        return []
    open_ = frame[column].isin(_OPEN_STATES).to_numpy(dtype=bool)
    message = "the form is not complete; its values are used"
    return [
        replace(
            base,
            rule="MAP-FORM",
            severity="info",
            message=message,
            key=(str(row),),
            row=int(row),
            variable=column,
        )
        for row in rows[open_]
    ]


def _closed_fields(base: Finding, delivery: Delivery, own: list[Field]) -> list[Finding]:
    """Return the mapped fields that are never outputs; the record id names the participant and may be mapped."""
    used = {column.split("___")[0] for column in delivery.table.used} - {
        own[0].name if own[0].type == "text" else ""
    }
    return [
        replace(
            base,
            rule="MAP-FIELD",
            message=f"the field is {field.closed} and is never mapped; remove it from the mapping",
            variable=field.name,
        )
        for field in own
        if field.closed and field.name in used
    ]
