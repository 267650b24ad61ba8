"""LNT-06 wording: words that say more than twenty participants can show."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from interim.report.lint.model import Checked, LintFinding, Printed, shown

_SENTENCE = re.compile(r"(?<=[.!?。！？])\s*")


class _Word(NamedTuple):
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    way_out: str


def forbidden_words(checked: Checked) -> Iterator[LintFinding]:
    """Find words of the list in running text, headings, titles, footnotes and text alternatives.

    Parameters
    ----------
    checked : Checked
        Documents, results, study.

    Yields
    ------
    LintFinding
        LNT-06, one per sentence and word.

    Raises
    ------
    None
    """
    for printed in _whole_paragraphs(checked):
        for part in _SENTENCE.split(printed.text):
            for word in words():
                found = word.pattern.search(part)
                if found and not (word.unless and word.unless.search(part)):
                    what = f"{found[0]!r} in {shown(part)!r}"
                    yield LintFinding("LNT-06", "wording", *printed[:3], what, word.way_out)


def _whole_paragraphs(checked: Checked) -> Iterator[Printed]:
    """Yield prose with the pieces of a paragraph joined, so that a phrase is found across them."""
    before: Printed | None = None
    for printed in checked.prose:
        if before is not None and printed.role == before.role == "prose" and printed[:3] == before[:3]:
            before = before._replace(text=before.text + printed.text)
            continue
        if before is not None:
            yield before
        before = printed
    if before is not None:
        yield before


@cache
def words() -> tuple[_Word, ...]:
    """Return the list of words.

    Returns
    -------
    tuple
        Pattern, pattern of sentences in which it is permitted, way out.

    Raises
    ------
    None
    """
    text = files("interim.report.lint").joinpath("wording.toml").read_text(encoding="utf-8")
    return tuple(
        _Word(
            re.compile(row["pattern"], re.I),
            re.compile(row["unless"], re.I) if "unless" in row else None,
            row["way_out"],
        )
        for row in tomllib.loads(text)["word"]
    )
