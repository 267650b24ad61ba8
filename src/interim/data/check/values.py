"""Cells of any domain: required, coded, clean, and free of what identifies a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd

from interim.data.check.context import Context
from interim.data.check.records import Hit, Records, hits, normal
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words
from interim.data.model import ORIGIN
from interim.data.spec import codelists, domain

_HAN = "[\u4e00-\u9fff]"
_WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u3000]")


@rule("XD-REQ", severity="stop", effect=("T 14.1.1.1", "T 14.6.4"))
def _required(context: Context) -> Iterator[Hit]:
    """A required cell is blank."""
    for records in context.delivered():
        known = domain(records.name)
        if known is None:
            continue
        own = words("terms")["own_rule"].get(records.name, [])
        for name in known.required:
            if not records.has(name) or name in own:
                continue
            blank = ~records.given(name)
            if blank.any():
                blank &= ~_excused(records, name)
            message = f"{name} is required in {records.name}; complete it at the source"
            yield from hits(records, blank, variable=name, message=message)


def _excused(records: Records, name: str) -> pd.Series:
    """Tell the records in which a blank cell is right: not done, not given, no lesion of its own."""
    prefix = records.name
    done = records.equal(f"{prefix}STAT", "NOT DONE") | records.equal(f"{prefix}OCCUR", "N")
    keeps = {"STUDYID", "USUBJID", f"{prefix}SEQ", f"{prefix}TESTCD", f"{prefix}TRT"}
    if name in keeps:
        return records.none()
    if name.endswith("ORRESU"):
        return done | (records.number(f"{prefix}ORRES").isna() & records.number(f"{prefix}STRESN").isna())
    if name == "PARCAT2":
        return ~records.equal("PARAMCD", *words("terms")["finished"]["parameters"].get(prefix, ()))
    if name == "TRLNKID":
        return done | (records.code("TRTESTCD") == "SUMDIAM")
    return done


@rule("XD-CT", severity="warn", effect=("T 14.6.2",))
def _codelist(context: Context) -> Iterator[Hit]:
    """A coded cell holds a value outside its codelist."""
    for records in context.delivered():
        known = domain(records.name)
        if known is None:
            continue
        for name, variable in known.variables.items():
            if variable.codelist is not None and records.has(name):
                yield from _outside(records, name, variable.codelist)


def _outside(records: Records, name: str, list_id: str) -> Iterator[Hit]:
    permitted = codelists()[list_id]
    bad = [text for text in records.distinct(name) if not _permitted(normal(text), list_id)]
    if not bad:
        return
    expected = ", ".join(permitted.values)
    message = f"{name} holds a value outside its codelist; it is kept and belongs to no category"
    yield from hits(records, records.text(name).isin(bad), variable=name, expected=expected, message=message)


@cache
def _permitted(text: str, list_id: str) -> bool:
    permitted = codelists()[list_id]
    return not text or permitted.holds(text) or text in permitted.synonyms


@rule("XD-TRIM", severity="warn", effect=("T 14.6.2",))
def _trimmed(context: Context) -> Iterator[Hit]:
    """A cell has outer blanks or full-width characters."""
    for records in context.delivered():
        known = domain(records.name)
        for name in _texts(records):
            variable = known.variable(name) if known is not None else None
            free = variable is not None and variable.kind == "text"
            bad = [text for text in records.distinct(name) if _untidy(text, free)]
            message = f"{name} has outer blanks or full-width characters; it is compared without them"
            if bad:
                yield from hits(records, records.text(name).isin(bad), variable=name, message=message)


def _texts(records: Records) -> list[str]:
    frame = records.frame
    return [
        name
        for name in frame.columns
        if name not in ORIGIN and not pd.api.types.is_numeric_dtype(frame[name].dtype)
    ]


def _untidy(text: str, free: bool) -> bool:
    """Tell whether a text changes by NFKC and stripping; full-width characters in free text are left alone."""
    if text != text.strip():
        return True
    return not free and _WIDE.search(text) is not None


@rule("PII-SCAN", severity="stop", effect=("T 14.6.2",))
def _identifying(context: Context) -> Iterator[Hit]:
    """A free text holds a name, a telephone number or a record number."""
    for records in context.delivered():
        for name in _texts(records):
            if not _free(name):
                continue
            found = {text: label for text in records.distinct(name) if (label := _identifies(text))}
            if not found:
                continue
            texts = records.text(name)
            for place in np.flatnonzero(texts.isin(list(found)).to_numpy()):
                text = str(texts.to_numpy()[place])
                message = f"{name} holds what looks like a {found[text]}; remove it at the source"
                yield Hit(records.name, int(place), message, name, "no personal identifier", masked(text))


def _free(name: str) -> bool:
    pii = words("terms")["pii"]
    return name in pii["variables"] or name[2:] in pii["suffixes"]


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    raw = words("terms")["pii"]["patterns"]
    return tuple((label, re.compile(text.replace(r"\p{Han}", _HAN))) for label, text in raw.items())


@cache
def _identifies(text: str) -> str:
    return next((label for label, pattern in _patterns() if pattern.search(normal(text))), "")


def shown(name: str, text: str) -> str:
    """Return a cell as it may be printed.

    Parameters
    ----------
    name : str
        Variable.
    text : str
        Its value.

    Returns
    -------
    str
        Masked where free text holds what looks like an identifier of a person.

    Raises
    ------
    None
    """
    return masked(text) if _free(name) and _identifies(text) else text


def masked(text: str) -> str:
    """Return a text with every letter and digit hidden.

    Parameters
    ----------
    text : str
        Text that may identify a person.

    Returns
    -------
    str
        Same length.

    Raises
    ------
    None

    Examples
    --------
    >>> masked("Mr Zhang 138")
    '** ***** ***'
    """
    return re.sub(r"\w", "*", text)
