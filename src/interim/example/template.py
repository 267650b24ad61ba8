"""The files of a new study: parameters, mapping, nine empty tables, and the same tables filled with the synthetic study."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

import pandas as pd

from interim.data import spec
from interim.data.records import value_text
from interim.data.write import Sheet, write_workbook
from interim.errors import StudyError
from interim.example.build import make_study
from interim.example.plain import plain_tables

Language = Literal["en", "zh"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_DICTIONARY = {
    "en": ("Table", "Column", "Heading", "Required", "Type", "Permitted values"),
    "zh": ("表", "列", "名称", "必填", "类型", "允许值"),
}
_EXAMPLE = """# The synthetic example in the tables of $id: shows what a filled table looks like. SYNTHETIC - NOT PATIENT DATA.
extends = "$id.toml"

[study]
id = "$id-EXAMPLE"
label = "SYNTHETIC - NOT PATIENT DATA"

[data]
sources = ["mapping/$id-example.toml"]
cut_date = 2026-06-30
source_is_cut = true

[ambiguity]
AMB-1 = "A"
"""
_MAPPING = """# How the sheets of $file become source domains. A sheet that is filled as it stands needs no more than this.
# A column with other words, dates or units is declared below its table, for example:
#   [table.adverse_events.column]
#   start = { from = "start", type = "partial_date", format = ["%d/%m/%Y", "%m/%Y", "%Y"] }
#   outcome = { from = "outcome", codes = { "1" = "RECOVERED/RESOLVED", "2" = "NOT RECOVERED/NOT RESOLVED" } }
#   [[table.labs.unit]]
#   test = "CREAT"
#   from = "mg/dL"
#   to = "umol/L"
#   factor = 88.42

[source]
name = "$name"
path = "../../data/$id/$file"
timezone = "Asia/Shanghai"               # of date-times without offset
missing = ["", "NA", "UNK"]              # texts that mean: no value
missing_reason = { NA = "not applicable", UNK = "unknown" }
"""


def write_templates(
    study_id: str, folder: Path, *, language: Language = "en", preset: str = "main13"
) -> tuple[Path, ...]:
    """Write the files of a new study; nothing that exists is overwritten.

    Parameters
    ----------
    study_id : str
        Name of the study: letters, digits, - and _.
    folder : Path
        Gets ``params/`` and ``data/``.
    language : {"en", "zh"}
        Headings of the tables.
    preset : str
        Synthetic study of the filled tables.

    Returns
    -------
    tuple of Path
        Study file, mapping, workbook with nine empty sheets and a dictionary; and the same three with the synthetic study.

    Raises
    ------
    StudyError
        If the name is none, or a file exists already.
    OSError
        If a file cannot be written.
    """
    if not _NAME.fullmatch(study_id):
        raise StudyError(
            f"{study_id!r} is no name of a study: letters, digits, - and _, for example TRIAL-01"
        )
    params, data = folder / "params", folder / "data" / study_id
    study = files("interim.example").joinpath("new_study.toml").read_text(encoding="utf-8")
    texts = {
        params / f"{study_id}.toml": Template(study).substitute(id=study_id),
        params / "mapping" / f"{study_id}.toml": _mapping(study_id, "tables.xlsx", language),
        params / f"{study_id}-example.toml": Template(_EXAMPLE).substitute(id=study_id),
        params / "mapping" / f"{study_id}-example.toml": _mapping(study_id, "example.xlsx", language),
    }
    empty, filled = data / "tables.xlsx", data / "example.xlsx"
    there = sorted(str(file) for file in (*texts, empty, filled) if file.exists())
    if there:
        raise StudyError(
            f"nothing was written: {', '.join(there)} exist(s) already; choose another name or folder"
        )
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    data.mkdir(parents=True, exist_ok=True)
    write_workbook(_sheets({}, language), empty)
    write_workbook(_sheets(plain_tables(make_study(preset)), language), filled)
    return (*texts, empty, filled)


def _mapping(study_id: str, file: str, language: Language) -> str:
    head = Template(_MAPPING).substitute(
        id=study_id, file=file, name=f"{study_id} {file.removesuffix('.xlsx')}"
    )
    return "\n".join([head, *_table_lines(language)])


def _table_lines(language: Language) -> Iterator[str]:
    for name in spec.domain_names("plain"):
        yield f'[table.{name}]\nrows = {{ sheet = "{name}" }}'
        if language == "en":
            yield "identity = true\n"
            continue
        yield f"[table.{name}.column]"
        yield from (f'{column.name} = "{heading}"' for column, heading in spec.plain_columns(name))
        yield ""


def _sheets(tables: dict[str, pd.DataFrame], language: Language) -> list[Sheet]:
    """Return one sheet per table with drop-down lists, and the dictionary."""
    sheets = []
    for name in spec.domain_names("plain"):
        columns = spec.plain_columns(name)
        header = [column.name if language == "en" else heading for column, heading in columns]
        lists = {n: values for n, (column, _) in enumerate(columns) if (values := _permitted(column))}
        rows = tables[name].to_numpy().tolist() if name in tables else ()
        sheets.append(Sheet(name, header, [[value_text(cell) for cell in row] for row in rows], lists))
    return [*sheets, Sheet("dictionary", _DICTIONARY[language], list(_dictionary()))]


def _permitted(column: spec.Variable) -> Sequence[str]:
    return spec.codelists()[column.codelist].values if column.codelist else ()


def _dictionary() -> Iterator[list[str]]:
    for name in spec.domain_names("plain"):
        for column, heading in spec.plain_columns(name):
            needed = "R" if column.core == "R" else ""
            yield [
                name,
                column.name,
                f"{column.label} / {heading}",
                needed,
                column.kind,
                "; ".join(_permitted(column)),
            ]
