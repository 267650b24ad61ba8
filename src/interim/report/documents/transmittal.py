"""Document 00: what the package holds, each file with language, version, date, copy and SHA-256."""

from __future__ import annotations

from collections.abc import Iterator

import interim
from interim.report.content import text_table
from interim.report.document import Heading, Loose
from interim.report.package import Made, plans

_LANGUAGES = {"en": "English", "zh-CN": "Simplified Chinese"}
_HEAD = ("Document", "Title", "File", "Language", "Version", "Date", "Copy", "SHA-256")


def index(made: Made) -> Iterator[Loose]:
    """Yield the index of the documents that are already written.

    Parameters
    ----------
    made : Made
        What is at hand.

    Yields
    ------
    Heading, Paragraph or Table
        In reading order.

    Raises
    ------
    None
    """
    yield Heading(1, "Documents of this package")
    by_number = {plan.number: plan for plan in plans()}
    stamp = (interim.__version__, f"{made.inputs.study.moment:%Y-%m-%d}")
    rows: list[tuple[str, ...]] = []
    for path, digest in sorted(made.outputs.items()):
        name = path.rpartition("/")[2]
        plan = by_number[name.partition("_")[0]]
        language = next((_LANGUAGES[part] for part in name.split(".") if part in _LANGUAGES), "–")
        title = "" if rows and rows[-1][0] == plan.number else plan.title
        rows.append((plan.number, title, name, language, *stamp, plan.copy, digest))
    yield text_table(
        "index",
        "Files of the package with the hash of their bytes",
        head=_HEAD,
        rows=rows,
        widths=(1.3, 3.4, 4, 1.3, 1.1, 1.5, 1.7, 5.6),
        footnotes=(
            "The title of a document stands beside its first file.",
            "The version is that of the program that wrote the file, the date that of the data.",
            "The manifest of the run (manifest.json) holds the hash of every file, this document included.",
        ),
        label="Index",
    )
