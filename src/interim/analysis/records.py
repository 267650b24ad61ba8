"""Counts of participants with records of a kind, linked to the records; classes and terms in printed order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from tomllib import loads
from typing import Any

import pandas as pd

from interim.adam.source import sequence_text, text_column
from interim.analysis.population import Population, distinct
from interim.data.model import Sdtm
from interim.result import Rows

PLACE = ["USUBJID", "SRCDOM", "SRCSEQ"]


@cache
def participant_rows() -> dict[str, Any]:
    """Return the content of ``participants.toml``.

    Parameters
    ----------
    None

    Returns
    -------
    dict
        Tables deviations, history, medication, prior, burden, biomarkers, assessments, listing.

    Raises
    ------
    None

    Examples
    --------
    >>> participant_rows()["prior"]["lines"]
    [1, 2, 3, 4]
    """
    return loads(files("interim.analysis").joinpath("participants.toml").read_text(encoding="utf-8"))


def records_of(sdtm: Sdtm, domain: str) -> pd.DataFrame:
    """Return the records of a domain with their supplemental qualifiers and their names as sources.

    Parameters
    ----------
    sdtm : Sdtm
        Source data.
    domain : str
        Name of the domain.

    Returns
    -------
    pandas.DataFrame
        The columns of the domain, SRCDOM and SRCSEQ; a record that says that it did not occur is left out.

    Raises
    ------
    None
    """
    source = sdtm.with_supp(domain).reset_index(drop=True)
    number = source.get(f"{domain}SEQ", pd.Series(None, index=source.index, dtype=object))
    keys = pd.Series([sequence_text(value) or "" for value in number], index=source.index, dtype=object)
    named = source.assign(SRCDOM=domain, SRCSEQ=keys)
    return named[(text_column(source, f"{domain}OCCUR") != "N") & named["USUBJID"].notna()]


def first_text(frame: pd.DataFrame, names: Iterable[str]) -> pd.Series:
    """Return the first text that any of the columns holds.

    Parameters
    ----------
    frame : pandas.DataFrame
        Records.
    names : iterable of str
        Columns in order; those that are absent are passed over.

    Returns
    -------
    pandas.Series of object
        In capitals; None where no column holds a text.

    Raises
    ------
    None
    """
    answer = pd.Series(None, index=frame.index, dtype=object)
    for name in names:
        text = text_column(frame, name)
        answer = answer.where(answer.notna(), text)
    return answer.where(answer.notna(), None)


def own_text(frame: pd.DataFrame, names: Iterable[str], missing: str) -> pd.Series:
    """Return the first text that any of the columns holds, written as it is in the data.

    Parameters
    ----------
    frame : pandas.DataFrame
        Records.
    names : iterable of str
        Columns in order; those that are absent are passed over.
    missing : str
        Text of a record in which no column holds one.

    Returns
    -------
    pandas.Series of object
        Without missing values.

    Raises
    ------
    None

    Examples
    --------
    >>> own_text(pd.DataFrame({"A": ["x ", None]}), ("B", "A"), "-").tolist()
    ['x', '-']
    """
    answer = pd.Series(None, index=frame.index, dtype=object)
    for name in names:
        if name in frame:
            text = frame[name].map(lambda value: str(value).strip() or None, na_action="ignore")
            answer = answer.where(answer.notna(), text)
    return answer.where(answer.notna(), missing).astype(object)


def kind_of(texts: pd.Series, kinds: Mapping[str, Sequence[str]]) -> pd.Series:
    """Return the first kind of which a word stands in the text.

    Parameters
    ----------
    texts : pandas.Series of object
        In capitals.
    kinds : mapping of str to sequence of str
        Kind -> words in capitals, in order.

    Returns
    -------
    pandas.Series of object
        None where no word stands in the text.

    Raises
    ------
    None

    Examples
    --------
    >>> kind_of(pd.Series(["CONSENT SIGNED LATE", "OTHER"]), {"consent": ["CONSENT"]}).tolist()
    ['consent', None]
    """
    found = [
        next((kind for kind, words in kinds.items() if any(word in (text or "") for word in words)), None)
        for text in texts.where(texts.notna(), "")
    ]
    return pd.Series(found, index=texts.index, dtype=object)


def add_people(
    rows: Rows, who: Population, records: pd.DataFrame, *, variable: str, level: str = "", stat: str = "n"
) -> None:
    """Add the number of participants with a record, by column, linked to the records.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        The denominator.
    records : pandas.DataFrame
        USUBJID, SRCDOM, SRCSEQ.
    variable, level, stat : str
        As in `interim.result.Rows.add`.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    sources = list(records[PLACE].itertuples(index=False, name=None))
    for group, ids in who.members.items():
        here = [source for source in sources if source[0] in ids]
        number = len({source[0] for source in here})
        place = {"group": group, "variable": variable, "level": level}
        rows.add(stat, number, unit="participants", n=number, N=len(ids), sources=here, **place)


def add_number(
    rows: Rows,
    who: Population,
    records: pd.DataFrame,
    *,
    variable: str,
    level: str = "",
    stat: str = "events",
) -> None:
    """Add the number of records, by column.

    Parameters
    ----------
    rows, who, records, variable, level, stat : object
        As in `add_people`.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    sources = list(records[PLACE].itertuples(index=False, name=None))
    for group, ids in who.members.items():
        here = [source for source in sources if source[0] in ids]
        rows.add(stat, len(here), group=group, variable=variable, level=level, unit="events", n=len(here),
                 sources=here)  # fmt: skip


def by_frequency(records: pd.DataFrame, column: str, *, last: str = "") -> list[str]:
    """Return the values of a column by falling number of participants, ties by the alphabet.

    Parameters
    ----------
    records : pandas.DataFrame
        USUBJID and the column.
    column : str
        Text column without missing values.
    last : str
        Value that comes last, for example the class of what is not coded.

    Returns
    -------
    list of str
        Each value once.

    Raises
    ------
    None
    """
    counts = records.groupby(column)["USUBJID"].nunique()
    return sorted(counts.index, key=lambda name: (name == last, -int(counts[name]), str(name)))


def terms_of(records: pd.DataFrame, part: str, *, last: str = "") -> Iterable[tuple[str, str, pd.DataFrame]]:
    """Yield any record of a part, each class of it and each term of the class, with their records.

    Parameters
    ----------
    records : pandas.DataFrame
        USUBJID, SRCDOM, SRCSEQ, CLASS, NAME (texts without missing values).
    part : str
        Name of the part; the variable of a class is ``part: class``.
    last : str
        Class that comes last.

    Yields
    ------
    tuple of (str, str, pandas.DataFrame)
        Variable, level, records.

    Raises
    ------
    None
    """
    yield part, "", records
    classes = distinct(records["CLASS"])
    for name in by_frequency(records, "CLASS", last=last):
        inside = records[records["CLASS"] == name]
        yield f"{part}: {classes[name]}", "", inside
        terms = distinct(inside["NAME"])
        for term in by_frequency(inside, "NAME"):
            yield f"{part}: {classes[name]}", terms[term], inside[inside["NAME"] == term]
