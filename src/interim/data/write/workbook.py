"""XLSX workbooks without formulas: every cell is inline text or a number."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_CLOCK = (1980, 1, 1, 0, 0, 0)
_LAST_ROW = 5000
_LONGEST_LIST = 255
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font/><font><b/></font></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf quotePrefix="1" numFmtId="49" applyNumberFormat="1"/><xf fontId="1" applyFont="1" numFmtId="49"/></cellXfs></styleSheet>'
)


@dataclass(frozen=True)
class Sheet:
    """One sheet.

    Attributes
    ----------
    name : str
        Name, at most 31 characters.
    header : sequence of str
        Headings.
    rows : sequence of sequence of (str, float or None)
        Cells.
    lists : mapping of int to sequence of str
        Column (from 0) -> permitted values, offered as a drop-down list.
    """

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[str | float | None]] = ()
    lists: Mapping[int, Sequence[str]] = field(default_factory=dict)


def write_workbook(sheets: Sequence[Sheet], path: Path) -> None:
    """Write a workbook; no cell can start a formula, and equal sheets give equal bytes.

    Parameters
    ----------
    sheets : sequence of Sheet
        In their order.
    path : Path
        The file.

    Raises
    ------
    OSError
        If the file cannot be written.

    Notes
    -----
    Text is stored as inline strings with the text format, so what begins with ``=``, ``+``, ``-`` or ``@`` is shown as it is.
    """
    parts = {
        "[Content_Types].xml": _content_types(len(sheets)),
        "_rels/.rels": _relations({"rId1": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": _book(sheets),
        "xl/_rels/workbook.xml.rels": _relations(
            {f"rId{n}": ("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)}
            | {"rId0": ("styles", "styles.xml")}
        ),
        "xl/styles.xml": _STYLES,
        **{f"xl/worksheets/sheet{n}.xml": _sheet(sheet) for n, sheet in enumerate(sheets, 1)},
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _CLOCK), _HEAD + text, zipfile.ZIP_DEFLATED)


def _content_types(count: int) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {"/xl/workbook.xml": "sheet.main", "/xl/styles.xml": "styles"}
    parts |= {f"/xl/worksheets/sheet{n}.xml": "worksheet" for n in range(1, count + 1)}
    overrides = "".join(
        f'<Override PartName="{part}" ContentType="{kind}.{name}+xml"/>' for part, name in parts.items()
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{overrides}</Types>"
    )


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    links = "".join(
        f'<Relationship Id="{name}" Type="{_REL}/{kind}" Target="{target}"/>'
        for name, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'


def _book(sheets: Sequence[Sheet]) -> str:
    items = "".join(
        f'<sheet name={quoteattr(sheet.name[:31])} sheetId="{n}" r:id="rId{n}"/>'
        for n, sheet in enumerate(sheets, 1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>{items}</sheets></workbook>'


def _sheet(sheet: Sheet) -> str:
    rows = [_row(1, sheet.header, style=1), *(_row(n, row, style=0) for n, row in enumerate(sheet.rows, 2))]
    checks = [
        f'<dataValidation type="list" allowBlank="1" sqref="{_letters(place)}2:{_letters(place)}{_LAST_ROW}">'
        f"<formula1>{escape(_listed(values))}</formula1></dataValidation>"
        for place, values in sorted(sheet.lists.items())
        if len(_listed(values)) <= _LONGEST_LIST
    ]
    offered = f'<dataValidations count="{len(checks)}">{"".join(checks)}</dataValidations>' if checks else ""
    view = '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews>'
    widths = f'<cols><col min="1" max="{max(len(sheet.header), 1)}" width="18" customWidth="1"/></cols>'
    return f'<worksheet xmlns="{_MAIN}">{view}{widths}<sheetData>{"".join(rows)}</sheetData>{offered}</worksheet>'


def _listed(values: Sequence[str]) -> str:
    return '"' + ",".join(values) + '"'


def _row(number: int, cells: Sequence[str | float | None], *, style: int) -> str:
    filled = [
        _cell(f"{_letters(place)}{number}", value, style)
        for place, value in enumerate(cells)
        if value is not None and value == value and value != ""
    ]
    return f'<row r="{number}">{"".join(filled)}</row>'


def _cell(place: str, value: str | float, style: int) -> str:
    if isinstance(value, float):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    text = escape(_UNPRINTABLE.sub("", value))
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _letters(place: int) -> str:
    """Return the letters of a column, counted from 0."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
