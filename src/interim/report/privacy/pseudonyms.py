"""Pseudo-ids instead of the site's ids, in source data and parameters, before anything is derived or written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from interim.data.model import LedgerLine, Sdtm
from interim.errors import Finding, ReportError
from interim.report.privacy.key import Key
from interim.study import Study

PARTICIPANT, PRODUCT = "P-", "B-"
_SEPARATOR = " | "
_MIN_LENGTH = 5


@lru_cache(maxsize=1)
def settings() -> dict[str, Any]:
    """Return what stands in ``privacy.toml``.

    Returns
    -------
    dict
        Tables of the file.

    Raises
    ------
    None
    """
    return tomllib.loads(Path(__file__).with_name("privacy.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Pseudonyms:
    """Gives every participant of a study a short name that only the holder of the key can lead back.

    Attributes
    ----------
    key : Key
        Key outside the repository.
    study : str
        ``study.id``: the same person has another name in another study.
    """

    key: Key
    study: str

    def of(self, usubjid: str) -> str:
        """Return the pseudo-id of a participant; it depends on nothing but key, study and id.

        Parameters
        ----------
        usubjid : str
            Id of the site.

        Returns
        -------
        str
            ``P-`` and six symbols.

        Raises
        ------
        None
        """
        return PARTICIPANT + self.key.token("participant", f"{self.study}\x1f{usubjid}")

    def product(self, lot: str) -> str:
        """Return the token of a lot or specimen.

        Parameters
        ----------
        lot : str
            Number of the lot.

        Returns
        -------
        str
            ``B-`` and six symbols.

        Raises
        ------
        None
        """
        return PRODUCT + self.key.token("product", f"{self.study}\x1f{lot}")

    def table(self, ids: Iterable[str]) -> dict[str, str]:
        """Return id -> pseudo-id.

        Parameters
        ----------
        ids : iterable of str
            USUBJIDs; the same id may come twice.

        Returns
        -------
        dict of str to str
            Sorted by id.

        Raises
        ------
        ReportError
            If two participants would have the same pseudo-id.
        """
        made: dict[str, str] = {}
        owner: dict[str, str] = {}
        for usubjid in sorted(set(ids)):
            pseudo = self.of(usubjid)
            if pseudo in owner:
                raise ReportError(
                    f"{usubjid} and {owner[pseudo]} have the same pseudo-id under this key; make another key "
                    "(interim key FILE) and use it for every cut-off of this study"
                )
            owner[pseudo] = usubjid
            made[usubjid] = pseudo
        return made


def participants(sdtm: Sdtm) -> set[str]:
    """Return every USUBJID of the source data, in whatever domain it stands, also of records that the cut-off took away.

    Parameters
    ----------
    sdtm : Sdtm
        Source data.

    Returns
    -------
    set of str
        The ids of the domains, of the tables that are not SDTM, and of findings and changes: a record of nobody in DM is not
        kept, but is named.

    Raises
    ------
    None
    """
    plain = settings()["columns"]["plain"]
    tables = (_strings(sdtm.domains[name], names) for name, names in plain.items() if name in sdtm.domains)
    named = (*(found.subject for found in sdtm.findings), *(line.subject for line in sdtm.ledger))
    return _values(sdtm, ["USUBJID"]).union(filter(None, named), *tables)


def disguise(sdtm: Sdtm, names: Pseudonyms) -> Sdtm:
    """Return the source data under pseudo-ids.

    Parameters
    ----------
    sdtm : Sdtm
        Checked source data at the cut-off, under the site's ids.
    names : Pseudonyms
        Key and study.

    Returns
    -------
    Sdtm
        The same records in the same order. Participants, lots and specimens have their tokens in every column, also inside
        free text; names of investigators and dates of birth are empty; findings, changes and answers follow.

    Raises
    ------
    ReportError
        If two participants would have the same pseudo-id.
    """
    swap = _Swap.of(sdtm, names)
    domains = {name: swap.frame(name, frame) for name, frame in sdtm.domains.items()}
    findings = tuple(map(swap.finding, sdtm.findings))
    if "QUERIES" in domains:
        known = {old.id: new.id for old, new in zip(sdtm.findings, findings, strict=True)}
        domains["QUERIES"] = _answered(domains["QUERIES"], sdtm.domains["QUERIES"], known)
    return replace(sdtm, domains=domains, findings=findings, ledger=tuple(map(swap.line, sdtm.ledger)))


def disguise_study(study: Study, names: Pseudonyms) -> Study:
    """Return the parameters under pseudo-ids.

    Parameters
    ----------
    study : Study
        Parameters; ``kinetics.lambda_z_manual`` names participants.
    names : Pseudonyms
        Key and study.

    Returns
    -------
    Study
        A copy; the study itself if it names nobody.

    Raises
    ------
    None
    """
    chosen = study.kinetics.lambda_z_manual
    if not chosen:
        return study
    named = tuple(entry.model_copy(update={"subject": names.of(entry.subject)}) for entry in chosen)
    return study.model_copy(update={"kinetics": study.kinetics.model_copy(update={"lambda_z_manual": named})})


@dataclass(frozen=True)
class _Swap:
    """What stands for what."""

    people: Mapping[str, str]
    numbers: Mapping[str, str]
    lots: Mapping[str, str]
    inside: re.Pattern[str] | None

    @classmethod
    def of(cls, sdtm: Sdtm, names: Pseudonyms) -> _Swap:
        people = names.table(participants(sdtm))
        dm = sdtm.domain("DM")
        pairs = zip(dm["USUBJID"], dm["SUBJID"], strict=True) if "SUBJID" in dm else ()
        numbers = {short: people[long] for long, short in pairs if isinstance(short, str) and long in people}
        lots = {lot: names.product(lot) for lot in _values(sdtm, settings()["columns"]["product"])}
        return cls(people, numbers, lots, _pattern({*people, *numbers, *lots}))

    def text(self, value: str) -> str:
        """Replace ids inside a text; an id that could be a plain number only if it is the whole text of an id column."""
        return value if self.inside is None else self.inside.sub(lambda hit: self.whole(hit[0]), value)

    def whole(self, value: str) -> str:
        for table in (self.people, self.numbers, self.lots):
            if value in table:
                return table[value]
        return value

    def frame(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        columns = settings()["columns"]
        people = {*columns["participant"], *columns["plain"].get(name, ())}
        changed: dict[str, list[object]] = {}
        for column in frame.columns:
            if column in columns["dropped"]:
                changed[column] = [None] * len(frame)
            elif column in people or column in columns["product"]:
                changed[column] = _mapped(frame[column], _found(frame[column], self.whole))
            elif frame[column].dtype == object and not (column in columns["kept"] or column.endswith("DTC")):
                found = _found(frame[column], self.text)
                changed |= {column: _mapped(frame[column], found)} if found else {}
        made = {
            column: pd.Series(values, index=frame.index, dtype=object) for column, values in changed.items()
        }
        return frame.assign(**made)

    def finding(self, found: Finding) -> Finding:
        return replace(
            found,
            subject=None if found.subject is None else self.whole(found.subject),
            key=tuple(map(self.text, found.key)),
            message=self.text(found.message),
            value=None if found.value is None else self.text(found.value),
            expected=None if found.expected is None else self.text(found.expected),
        )

    def line(self, line: LedgerLine) -> LedgerLine:
        texts = {name: self.text(getattr(line, name)) for name in ("key", "before", "after")}
        return replace(line, subject=self.whole(line.subject), **texts)


def _values(sdtm: Sdtm, columns: Iterable[str]) -> set[str]:
    wanted = list(columns)
    return set[str]().union(*(_strings(frame, wanted) for frame in sdtm.domains.values()))


def _strings(frame: pd.DataFrame, columns: Iterable[str]) -> set[str]:
    found = (value for column in columns if column in frame for value in frame[column].unique())
    return {value for value in found if isinstance(value, str) and value}


def _found(series: pd.Series[Any], change: Callable[[str], str]) -> dict[str, str]:
    """Return the texts of a column that change, and what they become."""
    texts = {value: change(value) for value in series.unique() if isinstance(value, str)}
    return {value: other for value, other in texts.items() if other != value}


def _mapped(series: pd.Series[Any], found: Mapping[str, str]) -> list[object]:
    return [found.get(value, value) if isinstance(value, str) else value for value in series]


def _pattern(ids: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds ids inside a text; never a part of a longer word, number or date."""
    found = sorted(filter(distinctive, ids), key=lambda text: (-len(text), text))
    if not found:
        return None
    return re.compile(r"(?<!\w)(?<!\d-)(?:" + "|".join(map(re.escape, found)) + r")(?!\w)(?!-\d)")


def distinctive(text: str) -> bool:
    """Tell whether an id can be told from a plain number or word.

    Parameters
    ----------
    text : str
        Id of a participant, lot or specimen.

    Returns
    -------
    bool
        True for five or more characters with a digit and another character than a digit.

    Raises
    ------
    None
    """
    return len(text) >= _MIN_LENGTH and bool(re.search(r"\d", text)) and not text.isdecimal()


def _answered(frame: pd.DataFrame, before: pd.DataFrame, known: Mapping[str, str]) -> pd.DataFrame:
    """Return the answers with the ids that their findings have now, also of findings that are derived later or have gone."""
    if "id" not in frame:
        return frame
    rows = zip(before.to_dict("records"), frame.to_dict("records"), strict=True)
    ids = [known.get(str(old["id"])) or _renamed(old, new) for old, new in rows]
    return frame.assign(id=pd.Series(ids, index=frame.index, dtype=object))


def _renamed(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> object:
    return _id(new) if _id(old) == old["id"] else old["id"]


def _id(row: Mapping[Any, Any]) -> str:
    rule, domain, key = (str(row.get(name) or "") for name in ("rule", "domain", "key"))
    parts = tuple(key.split(_SEPARATOR)) if key else ()
    subject, variable = row.get("subject") or None, row.get("variable") or None
    return Finding(rule, "info", domain, "", subject=subject, key=parts, variable=variable).id
