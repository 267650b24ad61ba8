"""The planned package: shells of tables, figures and listings, and the items of the reporting guidelines; checked when read."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from interim.errors import ReportError

POPULATIONS = frozenset(
    ("ENR", "NK-SAF", "CART-SAF", "DLT-EV", "FAS", "RE", "CK", "CK-NK", "BX", "RESP", "BX-PAIR", "sim", "external", "n/a")
)  # fmt: skip
FOOTNOTES = frozenset(
    ("CUT", "SRC", "PCT", "CP", "TE", "ONCE", "MED", "DL", "DLT", "BLQ", "NE", "NR", "EXP", "SM", "IMP", "AMB")
)  # fmt: skip
DOCUMENTS = tuple(f"{number:02}" for number in range(15))
TIERS = ("A", "B", "S")
_TLF = re.compile(r"[TFLN] \d+(\.\d+)+")
_CODE = re.compile(r"([A-Z]{2,})(-\d+)?")
_SHELL_FIELDS = (
    "id",
    "title",
    "population",
    "columns",
    "rows",
    "statistics",
    "footnotes",
    "source",
    "tier",
)


@dataclass(frozen=True)
class Shell:
    """One planned table, figure, listing or narrative.

    Attributes
    ----------
    id, title : str
        As printed.
    population, columns, rows, footnotes : tuple of str
        Set codes; columns, ``@DOSECOLS`` for the dose columns; rows; ids of footnotes and free notes.
    statistics, source, tier : str
        What is shown, where it comes from, A, B or S.
    """

    id: str
    title: str
    population: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    statistics: str
    footnotes: tuple[str, ...]
    source: str
    tier: str


@dataclass(frozen=True)
class Item:
    """One item of a reporting guideline.

    Attributes
    ----------
    guideline, item, requirement : str
        Name and year, number, what is required in our words.
    kind, verification, relevance : str
        As recorded in the register of items.
    documents, sections, tlfs : tuple of str
        Where the answer stands; ``all`` names every section or object.
    check : str
        What is checked by machine, or ``manual``.
    """

    guideline: str
    item: str
    requirement: str
    kind: str
    verification: str
    relevance: str
    documents: tuple[str, ...]
    sections: tuple[str, ...]
    tlfs: tuple[str, ...]
    check: str


@cache
def shells() -> Mapping[str, Shell]:
    """Return the planned objects.

    Returns
    -------
    mapping of str to Shell
        By id, in the order of ``tlf_shells.csv``.

    Raises
    ------
    ReportError
        All bad rows at once.
    """
    return {shell.id: shell for shell in read_shells(_rows("tlf_shells.csv"))}


@cache
def tiers() -> Mapping[str, str]:
    """Return where each planned object stands.

    Returns
    -------
    mapping of str to str
        Id -> ``B`` (body and appendix), ``A`` (appendix) or ``S`` (restricted binder).

    Raises
    ------
    ReportError
        If the file of the shells is wrong.
    """
    return {name: shell.tier for name, shell in shells().items()}


def shell_of(tlf_id: str) -> str:
    """Return the planned id behind the id of an object.

    Parameters
    ----------
    tlf_id : str
        A planned id, one with a letter behind it, or one with the number of a participant.

    Returns
    -------
    str
        The planned id.

    Raises
    ------
    ReportError
        If there is none.

    Examples
    --------
    >>> shell_of("T 14.1.1.1"), shell_of("T 14.1.1.1b"), shell_of("L 16.2.9.2.13")
    ('T 14.1.1.1', 'T 14.1.1.1', 'L 16.2.9.2')
    """
    for found in (tlf_id, tlf_id[:-1], tlf_id.rpartition(".")[0]):
        if found in shells():
            return found
    raise ReportError(f"{tlf_id}: no table, figure or listing of tlf_shells.csv")


def is_supplement(tlf_id: str) -> bool:
    """Tell whether an object stands beside a planned one, with a letter behind its number.

    Parameters
    ----------
    tlf_id : str
        As `shell_of` reads it.

    Returns
    -------
    bool
        False for planned ids and for the figures of single participants.

    Raises
    ------
    ReportError
        If there is no planned id behind it.

    Examples
    --------
    >>> is_supplement("T 14.1.1.1b"), is_supplement("T 14.1.1.1"), is_supplement("L 16.2.9.2.13")
    (True, False, False)
    """
    return tlf_id[:-1] == shell_of(tlf_id)


def tier_of(tlf_id: str) -> str:
    """Return where an object stands.

    Parameters
    ----------
    tlf_id : str
        As `shell_of` reads it.

    Returns
    -------
    str
        The tier of the planned id; a supplement of a body object stands in the appendix only.

    Raises
    ------
    ReportError
        If there is no planned id behind it.

    Examples
    --------
    >>> tier_of("T 14.1.1.1"), tier_of("T 14.1.1.1b"), tier_of("L 16.2.9.2.13")
    ('B', 'A', 'S')
    """
    tier = tiers()[shell_of(tlf_id)]
    return "A" if tier == "B" and is_supplement(tlf_id) else tier


@cache
def checklist() -> tuple[Item, ...]:
    """Return the items of the reporting guidelines.

    Returns
    -------
    tuple of Item
        In the order of ``checklist.csv``.

    Raises
    ------
    ReportError
        All bad rows at once.
    """
    return read_items(_rows("checklist.csv"), known=frozenset(shells()))


def _rows(name: str) -> list[dict[str, str]]:
    text = files("interim.report").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _parts(text: str | None, sign: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(sign) if part.strip())


def read_shells(rows: Sequence[Mapping[str, str]]) -> tuple[Shell, ...]:
    """Return the rows of ``tlf_shells.csv`` as shells.

    Parameters
    ----------
    rows : sequence of mapping
        Column name -> text.

    Returns
    -------
    tuple of Shell
        In the order of the rows.

    Raises
    ------
    ReportError
        Double or malformed ids, blank titles, unknown populations, footnote ids and tiers: all bad rows at once.
    """
    problems = [
        f"row {number}, {problem}" for number, row in enumerate(rows, 2) for problem in _shell_problems(row)
    ]
    problems += _doubles([row.get("id") or "" for row in rows])
    _refuse("tlf_shells.csv", problems)
    return tuple(
        Shell(
            row["id"],
            row["title"],
            _parts(row["population"], ";"),
            _parts(row["columns"], "|"),
            _parts(row["rows"], ";"),
            row["statistics"],
            _parts(row["footnotes"], ";"),
            row["source"],
            row["tier"],
        )
        for row in rows
    )


def _shell_problems(row: Mapping[str, str]) -> Iterator[str]:
    name = row.get("id") or "(no id)"
    missing = [field for field in _SHELL_FIELDS if row.get(field) is None]
    if missing:
        yield f"{name}: lacks {', '.join(missing)}"
        return
    if not _TLF.fullmatch(name):
        yield f"{name}: an id is T, F, L or N and a number such as 14.2.2.1"
    if not row["title"].strip():
        yield f"{name}: the title is blank"
    unknown = [code for code in _parts(row["population"], ";") if code not in POPULATIONS]
    if unknown or not row["population"].strip():
        yield f"{name}: unknown population {', '.join(unknown) or '(blank)'}"
    yield from (f"{name}: unknown footnote id {code}" for code in _unknown_codes(row["footnotes"]))
    if row["tier"] not in TIERS:
        yield f"{name}: tier {row['tier']!r}; permitted: {', '.join(TIERS)}"


def _unknown_codes(text: str) -> list[str]:
    """Return the items that look like an id of the footnote library and are none; other items are free notes."""
    matches = [(part, _CODE.fullmatch(part)) for part in map(str.strip, re.split("[;,]", text))]
    return [part for part, match in matches if match and match[1] not in FOOTNOTES]


def _doubles(names: Sequence[str]) -> list[str]:
    return [
        f"{name}: stands {names.count(name)} times" for name in dict.fromkeys(names) if names.count(name) > 1
    ]


def _refuse(file: str, problems: Sequence[str]) -> None:
    if problems:
        raise ReportError("\n".join([f"{file} is wrong, {len(problems)} problem(s):", *problems]))


def read_items(rows: Sequence[Mapping[str, str]], *, known: Iterable[str]) -> tuple[Item, ...]:
    """Return the rows of ``checklist.csv`` as items.

    Parameters
    ----------
    rows : sequence of mapping
        Column name -> text.
    known : iterable of str
        Ids of the shells.

    Returns
    -------
    tuple of Item
        In the order of the rows.

    Raises
    ------
    ReportError
        Double items, unknown documents, objects that no shell has, blank checks: all bad rows at once.
    """
    ids = frozenset(known)
    problems = [
        f"row {number}, {text}" for number, row in enumerate(rows, 2) for text in _item_problems(row, ids)
    ]
    problems += _doubles([f"{row.get('guideline')}, item {row.get('item')}" for row in rows])
    _refuse("checklist.csv", problems)
    return tuple(
        Item(
            row["guideline"],
            row["item"],
            row["requirement_paraphrased"],
            row["type"],
            row["verification"],
            row["relevance_interim"],
            _parts(row["document"], ";"),
            () if row["section"] == "-" else _parts(row["section"], ";"),
            () if row["tlf"] == "-" else _parts(row["tlf"], ";"),
            row["automated_check"],
        )
        for row in rows
    )


_ITEM_FIELDS = ("guideline", "item", "requirement_paraphrased", "type", "verification", "relevance_interim",
                "document", "section", "tlf", "automated_check")  # fmt: skip


def _item_problems(row: Mapping[str, str], ids: frozenset[str]) -> Iterator[str]:
    name = f"{row.get('guideline') or '(no guideline)'}, item {row.get('item') or '(none)'}"
    missing = [field for field in _ITEM_FIELDS if not row.get(field)]
    if missing:
        yield f"{name}: lacks {', '.join(missing)}"
        return
    for document in _parts(row["document"], ";"):
        if document not in DOCUMENTS:
            yield f"{name}: unknown document {document}"
    for tlf in _parts(row["tlf"], ";"):
        if tlf not in ids and tlf not in ("all", "-"):
            yield f"{name}: {tlf} is no planned table, figure or listing"
