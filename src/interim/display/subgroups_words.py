"""Words of levels and flags of the subgroup tables."""

from __future__ import annotations

import re

from interim.display.labels import column_label, word
from interim.display.numbers import Numbers
from interim.study import AD_HOC, Study

_OPERATOR = re.compile(r"(<=|>=|<|>)\s*")
_SIGNS = {"<=": "≤", ">=": "≥", "<": "<", ">": ">"}
_YES = {"Y": "Yes", "N": "No"}
COHORT = "COHORT"


def level_word(entry: str, level: str, study: Study) -> str:
    """Return the printed text of a level.

    Parameters
    ----------
    entry : str
        Entry id; an unknown one is the assigned dose.
    level : str
        Level.
    study : Study
        Entries and cohorts.

    Returns
    -------
    str
        With proper signs.

    Raises
    ------
    None
    """
    if level == "Missing":
        return level
    variable = next((item.variable for item in study.subgroups if item.id == entry), "")
    if not variable or variable in (COHORT, study.cohort.variable):
        return column_label(level, study)
    if level in _YES:
        return _YES[level]
    text = level if variable == AD_HOC else word(variable, level)
    return _OPERATOR.sub(lambda match: f"{_SIGNS[match[1]]} ", text)


def contrast_word(entry: str, text: str, study: Study) -> str:
    """Return the printed text of a contrast such as ``A minus B``.

    Parameters
    ----------
    entry : str
        Entry id.
    text : str
        Level of a difference.
    study : Study
        Entries.

    Returns
    -------
    str
        Both sides in words.

    Raises
    ------
    None
    """
    first, _, second = text.partition(" minus ")
    if not second:
        return "Difference between levels"
    other = second if second == "all others" else level_word(entry, second, study)
    return f"Difference, {level_word(entry, first, study)} minus {other}"


def flag_notes(numbers: Numbers, entries: tuple[str, ...]) -> tuple[str, ...]:
    """Return one footnote per code that an entry carries.

    Parameters
    ----------
    numbers : Numbers
        A Result with rows ``entry``, stats label and flags.
    entries : tuple of str
        Entry ids.

    Returns
    -------
    tuple of str
        The code in words, then the labels of the entries.

    Raises
    ------
    None
    """
    found: dict[str, list[str]] = {}
    for entry in entries:
        label = numbers.words(entry, "entry", "label").text
        for code in numbers.words(entry, "entry", "flags").text.split("; "):
            found.setdefault(code, []).append(label)
    return tuple(
        f"{word('subgroup_flags', code)}: {', '.join(labels)}."
        for code, labels in found.items()
        if code not in ("-", "–")
    )


def marked(numbers: Numbers, entry: str) -> str:
    """Return the label of an entry, with a double dagger where one participant decides the picture.

    Parameters
    ----------
    numbers : Numbers
        A Result with rows ``entry``.
    entry : str
        Entry id.

    Returns
    -------
    str
        Label.

    Raises
    ------
    None
    """
    label = numbers.words(entry, "entry", "label").text
    fragile = "FRAGILE" in numbers.words(entry, "entry", "flags").text
    return f"{label} ‡" if fragile else label
