"""Typing: text becomes codes, numbers and dates by the specification; what is not of its type is a finding."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from interim.data import spec
from interim.data.model import LedgerLine
from interim.data.records import Rule, findings_at, ledger_at, value_text
from interim.data.units import to_standard_units
from interim.errors import Finding

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WIDTH = ("<wide>", "<narrow>", "<noBreak>")
_TIDIED = ("NORM-TRIM", "NORM-WIDTH")
_EXPECTED = {"integer": "a whole number", "decimal": "a number with a decimal point"}


@dataclass(frozen=True)
class Typed:
    """A domain after typing.

    Attributes
    ----------
    frame : pandas.DataFrame
        Text object with None, numbers float64.
    findings : tuple of Finding
        XD-TYPE, XD-TRIM.
    ledger : tuple of LedgerLine
        Permitted normalisations that were made.
    """

    frame: pd.DataFrame
    findings: tuple[Finding, ...]
    ledger: tuple[LedgerLine, ...]


def plain_width(text: str) -> str:
    """Return a text with full-width and half-width characters and special spaces replaced by the plain ones.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text; superscripts, fractions, ligatures and the micro sign stay as they are.

    Raises
    ------
    None

    Examples
    --------
    >>> plain_width("１２\u00a0mg"), plain_width("10²")
    ('12 mg', '10²')
    """
    if text.isascii():
        return text
    return "".join(
        unicodedata.normalize("NFKC", c) if unicodedata.decomposition(c).startswith(_WIDTH) else c
        for c in unicodedata.normalize("NFC", text)
    )


def type_domain(domain: str, frame: pd.DataFrame) -> Typed:
    """Give every column of a domain the type of the specification.

    Parameters
    ----------
    domain : str
        Domain name.
    frame : pandas.DataFrame
        Text columns (object, None for missing) or float64, with the origin columns.

    Returns
    -------
    Typed
        Same rows and columns; a value that is not of its type is missing and a finding; columns that the specification
        does not know stay as they are.

    Raises
    ------
    None
    """
    known = spec.domain(domain)
    columns: dict[Any, Any] = {}
    findings: list[Finding] = []
    ledger: list[LedgerLine] = []
    for name in frame.columns:
        variable = None if known is None else known.variable(str(name))
        if variable is None:
            columns[name] = frame[name].to_numpy()
            continue
        values, wrong, changed = _column(frame[name], variable)
        columns[name] = values
        raw = frame[name].to_numpy()
        findings += _wrong(frame, domain, variable, places=wrong)
        findings += _untidy(frame, domain, str(name), changed=changed)
        places = np.array(sorted(changed), dtype=int)
        ledger += ledger_at(
            frame,
            domain,
            places,
            rules=[changed[p] for p in places],
            variable=str(name),
            before=raw[places],
            after=values[places],
        )
    typed = pd.DataFrame(columns, index=pd.RangeIndex(len(frame)), copy=False)
    typed, converted = to_standard_units(typed, domain)
    return Typed(typed, tuple(findings), (*ledger, *converted))


def _wrong(frame: pd.DataFrame, domain: str, variable: spec.Variable, *, places: np.ndarray) -> list[Finding]:
    expected = _EXPECTED.get(variable.kind)
    message = f"expected {expected}; the cell is treated as missing: correct it at the source"
    values = frame[variable.name].to_numpy()[places]
    return findings_at(
        frame,
        domain,
        places,
        rule=Rule("XD-TYPE", "stop", message, expected),
        variable=variable.name,
        values=values,
    )


def _untidy(frame: pd.DataFrame, domain: str, name: str, *, changed: dict[int, str]) -> list[Finding]:
    places = [place for place, rule in sorted(changed.items()) if rule in _TIDIED]
    values: Sequence[object] = list(frame[name].to_numpy()[places]) if places else []
    message = f"{name} has outer blanks or full-width characters; they are removed (ledger)"
    rule = Rule("XD-TRIM", "warn", message)
    return findings_at(frame, domain, places, rule=rule, variable=name, values=values)


def _column(series: pd.Series[Any], variable: spec.Variable) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """Return the typed values, the places of wrong ones, and the rule of every place that was normalised."""
    if variable.numeric and series.dtype == float and _all_fit(series.to_numpy(), variable):
        return series.to_numpy(), np.empty(0, dtype=int), {}
    codes, kinds = pd.factorize(series, use_na_sentinel=True)
    convert = _number if variable.numeric else _text
    results = [convert(kind, variable) for kind in kinds]
    pool = np.empty(len(kinds) + 1, dtype=float if variable.numeric else object)
    pool[:] = [*(value for value, _ in results), np.nan if variable.numeric else None]
    rules = [*(rule for _, rule in results), ""]
    values = _untouched(series, kinds, pool, codes)
    values = pool[codes] if values is None else values
    marked = np.array([rule != "" for rule in rules], dtype=bool)[codes]
    places = np.flatnonzero(marked)
    by_place = {int(p): rules[codes[p]] for p in places}
    wrong = np.array([p for p, rule in by_place.items() if rule == "XD-TYPE"], dtype=int)
    return values, wrong, {p: rule for p, rule in by_place.items() if rule != "XD-TYPE"}


def _all_fit(values: np.ndarray, variable: spec.Variable) -> bool:
    """Tell whether all numbers of a column are of its type."""
    there = values[~np.isnan(values)]
    if not np.isfinite(there).all():
        return False
    return variable.kind == "decimal" or bool((there % 1 == 0).all())


def _untouched(series: pd.Series[Any], kinds: Any, pool: np.ndarray, codes: np.ndarray) -> np.ndarray | None:
    """Return the column itself if typing changes none of its cells, so that large domains are not held twice."""
    raw: np.ndarray = series.to_numpy()
    if raw.dtype != pool.dtype or not all(
        new is old or new == old for new, old in zip(pool, kinds, strict=False)
    ):
        return None
    if pool.dtype == object and any(cell is not None for cell in raw[codes == -1]):
        return None
    return raw


def _number(raw: Any, variable: spec.Variable) -> tuple[float, str]:
    """Return the number and the rule that applies: "" none, NORM-* a normalisation, XD-TYPE not a number."""
    if isinstance(raw, str):
        text, rule = _normal(raw)
        if not text:
            return np.nan, rule
        value = float(text) if _NUMBER.fullmatch(text) else np.nan
    else:
        value, rule = float(raw), ""
    whole = variable.kind == "decimal" or value.is_integer()
    return (value, rule) if np.isfinite(value) and whole else (np.nan, "XD-TYPE")


def _text(raw: Any, variable: spec.Variable) -> tuple[str | None, str]:
    if not isinstance(raw, str):
        return value_text(float(raw)), ""
    stays: Callable[[str], str] = str if variable.kind == "text" else plain_width
    text, rule = _normal(raw, width=stays)
    codelist = spec.codelists().get(variable.codelist or "")
    if codelist is not None and text in codelist.synonyms:
        return codelist.synonyms[text], "NORM-SYNONYM"
    return text or None, rule


def _normal(raw: str, *, width: Callable[[str], str] = plain_width) -> tuple[str, str]:
    """Return the text without width variants and outer blanks, and the rule if that changed it."""
    narrow = width(raw)
    text = narrow.strip()
    if text == raw:
        return text, ""
    return text, "NORM-WIDTH" if narrow != raw else "NORM-TRIM"
