"""Writes what is made from the code: docs/parameters.md, docs/datasets.md and the hashes of the templates (``--check``: compares)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from interim.report.shipped import SUMS, recorded
from interim.study.keys import REQUIRED, Parameter, parameters

DOCS = Path(__file__).resolve().parents[1] / "docs"
TEMPLATES = DOCS.parent / "src" / "interim" / "report" / "templates"


def parameter_page() -> Iterator[str]:
    """Yield the lines of docs/parameters.md."""
    yield "# Study parameters"
    yield ""
    yield "Made from the schema by `make docs`; rules: [methods/study.md](methods/study.md). A key without a default is required; *absent* may be left out."
    yield "The readings of the nine ambiguities (`[ambiguity]`) and what each sets stand in `src/interim/study/readings.toml`."
    for table, rows in groupby(parameters(), key=lambda p: p.key.split(".")[0].removesuffix("[]")):
        yield from (
            "",
            f"## {table}",
            "",
            "| key | type and permitted values | default | meaning |",
            "|--|--|--|--|",
        )
        for row in rows:
            yield f"| `{row.key}` | {escaped(row.kind)} | {default(row)} | {escaped(row.meaning)} |"


def default(parameter: Parameter) -> str:
    """Return a default as TOML writes it."""
    if parameter.default is REQUIRED:
        return "required"
    if parameter.default is None:
        return "absent"
    if isinstance(parameter.default, tuple) and any(
        isinstance(item, BaseModel) for item in parameter.default
    ):
        return "shipped list"
    return f"`{toml(parameter.default)}`"


def toml(value: Any) -> str:
    """Return a value in TOML's spelling."""
    if isinstance(value, BaseModel):
        return toml(value.model_dump())
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def escaped(text: str) -> str:
    """Return a text that can stand in a table cell."""
    return text.replace("|", "\\|")


def dataset_page() -> Iterator[str]:
    """Yield the lines of docs/datasets.md."""
    from interim.data.spec import dictionary

    yield "# Source variables"
    yield ""
    yield "Made from the specification of the data room by `make docs`; conventions: [data.md](data.md). Domain `*`: variables of every domain."
    for name, rows in groupby(dictionary(), key=lambda row: row[0]):
        yield from (
            "",
            f"## {'general' if name == '*' else name}",
            "",
            "| variable | label | type | codelist | core |",
            "|--|--|--|--|--|",
        )
        for _, variable, label, kind, codelist, core in rows:
            yield f"| `{variable}` | {escaped(label)} | {kind} | {codelist} | {core} |"
    yield from analysis_page()


def analysis_page() -> Iterator[str]:
    """Yield the lines about the analysis datasets."""
    from interim.adam.dictionary import labels

    yield from ("", "# Variables of the analysis datasets", "", "| dataset | label |", "|--|--|")
    yield from (f"| `{name}` | {label} |" for name, label in labels("datasets").items())
    yield from (
        "",
        "Source variables keep name and label. Derived variables:",
        "",
        "| variable | label |",
        "|--|--|",
    )
    yield from (f"| `{name}` | {escaped(label)} |" for name, label in labels("variables").items())


PAGES: dict[str, Callable[[], Iterator[str]]] = {"parameters.md": parameter_page, "datasets.md": dataset_page}


def template_hashes() -> Iterator[str]:
    """Yield the list of hashes of the templates."""
    yield from recorded(TEMPLATES)


PAGES[str(TEMPLATES / SUMS)] = template_hashes


def main(arguments: list[str]) -> int:
    """Write the pages, or tell which differ from the code."""
    stale = []
    for name, page in PAGES.items():
        text, target = "\n".join(page()) + "\n", DOCS / name
        if "--check" not in arguments:
            target.write_text(text, encoding="utf-8")
        elif not target.exists() or target.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        print(f"out of date: {', '.join(stale)}; run make docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
