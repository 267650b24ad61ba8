"""Words for codes: what a reader sees in place of variable names and coded values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from interim.result import TOTAL
from interim.study import Study


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(files("interim.display").joinpath("labels.toml").read_text(encoding="utf-8"))


_CYCLE_DAY = re.compile(r"C\d+D\d+")


def word(codelist: str, code: str) -> str:
    """Return the printed word of a code.

    Parameters
    ----------
    codelist : str
        Table of ``labels.toml``.
    code : str
        Code; a part behind a colon is kept.

    Returns
    -------
    str
        The word; an unknown code in capitals is printed as a sentence, anything else as it is.

    Raises
    ------
    None

    Examples
    --------
    >>> word("SEX", "F"), word("terms", "APPLICATION SITE PRURITUS"), word("terms", "Nausea")
    ('Female', 'Application site pruritus', 'Nausea')
    """
    known: dict[str, str] = _document().get(codelist, {})
    if code in known:
        return known[code]
    head, colon, rest = code.partition(":")
    if colon and head in known:
        return f"{known[head]}: {sentence_case(rest.strip())}"
    return sentence_case(code)


def settings(name: str) -> dict[str, Any]:
    """Return a table of ``labels.toml`` that holds no words, for example decimals.

    Parameters
    ----------
    name : str
        Name of the table.

    Returns
    -------
    dict
        Its keys and values.

    Raises
    ------
    KeyError
        If there is no such table.
    """
    found: dict[str, Any] = _document()[name]
    return found


def sentence_case(text: str) -> str:
    """Return a text in capitals as a sentence; other text as it is.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        First letter large; the words of table ``capitals`` and days of a cycle (C1D1) keep theirs.

    Raises
    ------
    None

    Examples
    --------
    >>> sentence_case("LOST TO FOLLOW-UP"), sentence_case("Nausea"), sentence_case("lost_to_follow-up")
    ('Lost to follow-up', 'Nausea', 'Lost to follow-up')
    >>> sentence_case("NK DAY 0"), sentence_case("CART C1D1")
    ('NK day 0', 'CAR-T C1D1')
    """
    plain = text.replace("_", " ")
    if plain.isupper():
        plain = " ".join(_lowered(part) for part in plain.split(" "))
    return plain[:1].upper() + plain[1:]


def _lowered(part: str) -> str:
    kept: dict[str, str] = _document()["capitals"]
    return kept.get(part, part if _CYCLE_DAY.fullmatch(part) else part.lower())


def column_label(group: str, study: Study) -> str:
    """Return the printed head of a column.

    Parameters
    ----------
    group : str
        Column code of a Result.
    study : Study
        ``study.cohorts()``.

    Returns
    -------
    str
        For example ``DL1 1.5e7``; product and dose level on two lines for ``CART: DL1``.

    Raises
    ------
    None
    """
    if group == TOTAL:
        return group
    head, colon, rest = group.partition(": ")
    if colon:
        return f"{word('groups', head)}\n{column_label(rest, study)}"
    return study.cohorts().get(group, word("groups", group))


def reason_text(reason: str) -> str:
    """Return why there is no number.

    Parameters
    ----------
    reason : str
        Reason of a row.

    Returns
    -------
    str
        The words of a code, or the reason itself.

    Raises
    ------
    None

    Examples
    --------
    >>> reason_text("NO_DATA"), reason_text("not collected")
    ('no data', 'not collected')
    """
    known: Mapping[str, str] = {**settings("status_reasons"), **settings("status_prose")}
    unknown = word("status_reasons", reason) if reason.isupper() else reason
    return known.get(reason, unknown) or "no reason"


def participant_label(subject: str, study: Study) -> str:
    """Return the printed id of a participant: the USUBJID without the study id in front.

    Parameters
    ----------
    subject : str
        USUBJID.
    study : Study
        ``study.id``.

    Returns
    -------
    str
        The shortest part that names the participant.

    Raises
    ------
    None
    """
    return subject.removeprefix(f"{study.study.id}-").lstrip("-") or subject
