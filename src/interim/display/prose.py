"""Digits that may stand in prose although they are no result: patterns declared with a reason in ``prose.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interim.study import Study


@cache
def allowed() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the declared patterns.

    Returns
    -------
    tuple of (re.Pattern, str)
        Pattern and its reason.

    Raises
    ------
    None
    """
    text = files("interim.display").joinpath("prose.toml").read_text(encoding="utf-8")
    return tuple((re.compile(row["pattern"], re.M), row["reason"]) for row in tomllib.loads(text)["allowed"])


def without_allowed(text: str, study: Study | None = None) -> str:
    """Return a text without everything that a declared pattern permits.

    Parameters
    ----------
    text : str
        Prose.
    study : Study or None
        Its dose labels, its id and the confidence level are permitted as well.

    Returns
    -------
    str
        The rest; a digit in it is a typed number.

    Raises
    ------
    None

    Examples
    --------
    >>> without_allowed("RECIST 1.1, see T 14.2.2.1: 3 responders").strip()
    ', see  : 3 responders'
    """
    for pattern in (*(pattern for pattern, _ in allowed()), *_own(study)):
        text = pattern.sub(" ", text)
    return text


def _own(study: Study | None) -> list[re.Pattern[str]]:
    if study is None:
        return []
    labels = [*study.cohorts(), *study.cohorts().values(), study.study.id]
    found = [
        re.compile(rf"(?<![\w.]){re.escape(label)}(?![\w.]*\d)")
        for label in sorted(labels, key=len, reverse=True)
    ]
    return [*found, re.compile(rf"(?<![\d.]){re.escape(f'{100 * study.stats.level:g}')} ?%")]
