"""Terms of a dictionary that the user owns: verbatim terms are looked up, nothing of it is shipped."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from interim.adam.source import text_column
from interim.errors import Finding, Problem, StudyError
from interim.study import Study

OWN = "own"
RULE = "AE-DICT"
_COLUMNS = ("LLT", "PT", "SOC")
_EFFECT = ("T 14.3.1.2",)


def read_dictionary(study: Study) -> Mapping[str, tuple[str, str]] | None:
    """Return the terms of the dictionary file of a study.

    Parameters
    ----------
    study : Study
        ``safety.dictionary``: ``own``, or a CSV file with the columns LLT, PT and SOC, beside the study file or absolute.

    Returns
    -------
    mapping of str to (str, str) or None
        Lowest level term and preferred term in upper case -> preferred term, class; None without a file.

    Raises
    ------
    StudyError
        If the file cannot be read or lacks a column.
    """
    name = study.safety.dictionary
    if name == OWN:
        return None
    path = Path(name) if Path(name).is_absolute() else study.file.parent / name
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        text = f"{path} cannot be read ({error.strerror}); give own or a CSV file"
        raise StudyError([Problem("safety.dictionary", text)]) from error
    gone = [column for column in _COLUMNS if not rows or column not in rows[0]]
    if gone:
        text = f"{path} needs the columns {', '.join(_COLUMNS)}; missing: {', '.join(gone)}"
        raise StudyError([Problem("safety.dictionary", text)])
    table = {row["PT"].strip().upper(): (row["PT"].strip(), row["SOC"].strip()) for row in rows}
    return table | {row["LLT"].strip().upper(): (row["PT"].strip(), row["SOC"].strip()) for row in rows}


def coded(
    source: pd.DataFrame, terms: Mapping[str, tuple[str, str]] | None
) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the events with the preferred term and class of the dictionary.

    Parameters
    ----------
    source : pandas.DataFrame
        AE.
    terms : mapping or None
        As `read_dictionary` gives them; None: the coding of the data stands.

    Returns
    -------
    tuple of (pandas.DataFrame, list of Finding)
        Same index; AEDECOD and AEBODSYS of the verbatim term, else of the collected preferred term; a term that is not in the
        dictionary keeps no code and is a finding AE-DICT. The source is not changed.

    Raises
    ------
    None
    """
    if terms is None or source.empty:
        return source, []
    found = text_column(source, "AETERM").map(lambda text: terms.get(text or ""))
    found = found.where(found.notna(), text_column(source, "AEDECOD").map(lambda text: terms.get(text or "")))
    known = found.notna()
    codes = {
        name: pd.Series(
            [item[place] if isinstance(item, tuple) else None for item in found],
            index=source.index,
            dtype=object,
        )
        for place, name in enumerate(("AEDECOD", "AEBODSYS"))
    }
    return source.assign(**codes), [_unknown(row) for row in source[~known].to_dict("records")]


def _unknown(row: Mapping[object, object]) -> Finding:
    term = str(row.get("AETERM"))
    return Finding(
        RULE,
        "warn",
        "AE",
        f"{term!r} is no term of the dictionary; it is shown as not coded, code it or correct the term",
        subject=str(row.get("USUBJID")),
        key=(f"{row.get('AESEQ')}",),
        variable="AETERM",
        value=term,
        expected="a lowest level or preferred term",
        effect=_EFFECT,
    )
