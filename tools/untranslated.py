"""Lists the texts of an executed report that have no translation, and how many have one, by kind.

python tools/untranslated.py reports/STUDY/CUT-OFF params/STUDY.toml [zh-CN]
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pandas as pd

from interim.adam.model import Adam
from interim.display.language import translator
from interim.report.content import Document, Front
from interim.report.document import assemble, read_chapters
from interim.report.translate import quoted, translate
from interim.study import read_study


class Events:
    """The adverse events of a report, which is all that `quoted` reads."""

    def __init__(self, folder: Path) -> None:
        self.datasets = {"ADAE": pd.read_parquet(folder / "data" / "adae.parquet")}


def source(folder: Path, study_file: Path) -> Document:
    """Return everything that the notebooks of a report show, in English."""
    study = read_study(study_file)
    chapters = read_chapters(sorted((folder / "notebooks").glob("*.ipynb")))
    front = Front(
        title="Statistical interim report",
        subtitle=study.study.title,
        study=study.study.id,
        timestamp=study.moment,
    )
    return assemble([placed for chapter in chapters.values() for placed in chapter], front=front)


def main() -> None:
    """Print the list and the counts."""
    folder, study_file, language = Path(sys.argv[1]), Path(sys.argv[2]), (*sys.argv[3:], "zh-CN")[0]
    events: Adam = Events(folder)  # type: ignore[assignment]
    found = translator(language, study_file.parent, quoted(events))
    asked: set[tuple[str, str]] = set()
    _, missing = translate(source(folder, study_file), language, found, noted=asked.add)
    lacking = {(one.kind, one.message): one.place for one in missing}
    for (kind, message), place in sorted(lacking.items()):
        print(f"{kind} | {place} | {message!r}")
    total, gone = Counter(kind for kind, _ in asked), Counter(kind for kind, _ in lacking)
    for kind in sorted(total):
        print(f"{kind}: {total[kind] - gone[kind]} of {total[kind]} messages translated")


if __name__ == "__main__":
    main()
