"""The patterns of the identifier scan, and what finds them in a text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple, TypeAlias

from interim.errors import ReportError
from interim.report.privacy.known import Known, trie
from interim.report.privacy.prefilter import Sought, lines_with, plain, suspects

Kind: TypeAlias = Literal["document", "notebook", "data", "record"]
KINDS: tuple[Kind, ...] = ("document", "notebook", "data", "record")
_SOURCES = ("regex", "known", "rule")
_FIELDS = {"id", "language", "severity", "what", "way_out", "where"}
_OPTIONAL = {*_SOURCES, "words", "seek", "check", "context", "allow"}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"


@lru_cache(maxsize=1)
def scan_settings() -> dict[str, Any]:
    """Return what stands in ``identifiers.toml``.

    Returns
    -------
    dict
        Tables of the file.

    Raises
    ------
    None
    """
    text = files("interim.report.privacy").joinpath("identifiers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@dataclass(frozen=True)
class Pattern:
    """One thing that the scan looks for; the fields are those of ``identifiers.toml``."""

    id: str
    language: Literal["zh", "en", "any"]
    severity: Literal["stop", "warn"]
    what: str
    way_out: str
    where: tuple[Kind, ...]
    regex: str = ""
    words: tuple[str, ...] = ()
    seek: str = ""
    known: str = ""
    rule: str = ""
    check: str = ""
    context: tuple[str, ...] = ()
    allow: tuple[Mapping[str, str], ...] = ()

    @property
    def name(self) -> str:
        """Id, and the language where the pattern is of one."""
        return self.id if self.language == "any" else f"{self.id} ({self.language})"


class Hit(NamedTuple):
    """One value that a pattern finds: number of the pattern, the value, and where it begins in the text."""

    pattern: int
    value: str
    start: int


@lru_cache(maxsize=1)
def patterns() -> tuple[Pattern, ...]:
    """Return the patterns of the scan.

    Returns
    -------
    tuple of Pattern
        In the order of the file.

    Raises
    ------
    ReportError
        If the file is wrong; all problems at once.
    """
    return read_patterns(scan_settings()["pattern"])


def read_patterns(rows: Sequence[Mapping[str, Any]]) -> tuple[Pattern, ...]:
    """Return rows of the file as patterns.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of the file.

    Returns
    -------
    tuple of Pattern
        In the order of the rows.

    Raises
    ------
    ReportError
        If a field is missing or unknown, a pattern stands twice, says not what it looks for or cannot be compiled, a
        checksum is unknown, or an entry of an allow-list has no reason; all problems at once.
    """
    problems = [problem for row in rows for problem in _problems(row)]
    names = [(row.get("id"), row.get("language")) for row in rows]
    problems += [f"{name}: stands twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    if problems:
        raise ReportError("\n".join(["the patterns of the identifier scan are wrong:", *problems]))
    made: list[dict[str, Any]] = [
        {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
        for row in rows
    ]
    return tuple(Pattern(**fields) for fields in made)


def _problems(row: Mapping[str, Any]) -> Iterator[str]:
    name = str(row.get("id", row))
    wrong = (_FIELDS - set(row)) | (set(row) - _FIELDS - _OPTIONAL)
    if wrong:
        yield f"{name}: missing or unknown: {', '.join(sorted(wrong))}"
        return
    if sum(source in row for source in _SOURCES) != 1:
        yield f"{name}: needs one of {', '.join(_SOURCES)}"
    if set(row["where"]) - set(KINDS) or not row["where"]:
        yield f"{name}: where must be of {', '.join(KINDS)}"
    if row.get("check", "gb11643") not in _CHECKS:
        yield f"{name}: unknown checksum {row['check']!r}"
    yield from (f"{name}: {problem}" for problem in _expression_problems(row))


def _expression_problems(row: Mapping[str, Any]) -> Iterator[str]:
    allowed = row.get("allow", ())
    for entry in allowed:
        if not entry.get("reason", "").strip() or len({"regex", "study"} & set(entry)) != 1:
            yield "an allow-list entry needs regex or study, and a reason"
    own = (row.get("regex", ""), row.get("seek", ""), *row.get("context", ()))
    for text in (*own, *(entry.get("regex", "") for entry in allowed)):
        try:
            groups = re.compile(text).groups
        except re.error as error:
            yield f"{text!r} is no regular expression ({error})"
        else:
            if groups:
                yield f"{text!r} has a group; write (?:...)"


def is_resident_id(text: str) -> bool:
    """Tell whether 18 characters are an identity number of a resident of China by their checksum.

    Parameters
    ----------
    text : str
        17 digits and a digit or X.

    Returns
    -------
    bool
        True if the last character follows from the others.

    Raises
    ------
    None

    Notes
    -----
    GB 11643-1999, ISO 7064:1983 MOD 11-2.

    Examples
    --------
    >>> is_resident_id("11010519491231002X"), is_resident_id("110105194912310021")
    (True, False)
    """
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text, strict=False))
    return text[-1].upper() == _CHECK_DIGITS[total % 11]


_CHECKS = {"gb11643": is_resident_id}


@dataclass(frozen=True)
class Matcher:
    """Finds what the patterns look for.

    Attributes
    ----------
    known : Known
        Values of the source data.
    computer : frozenset of str
        Names of this computer.
    dates : frozenset of str
        Dates that the study itself states, as ISO 8601.
    patterns : tuple of Pattern
        What is looked for.
    """

    known: Known = field(default_factory=Known)
    computer: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()
    patterns: tuple[Pattern, ...] = field(default_factory=patterns)

    def hits(self, text: str, wanted: Collection[int] | None = None) -> Iterator[Hit]:
        """Yield what a text holds.

        Parameters
        ----------
        text : str
            One line or several; nothing is found across the end of a line.
        wanted : collection of int, optional
            Numbers of the patterns that are sought; default all.

        Yields
        ------
        Hit
            Sorted by pattern; hits of the allow-list are left out.

        Raises
        ------
        None
        """
        text = plain(text)
        low = text.lower()
        if len(low) != len(text):
            low = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
        for sought in self._sought:
            if wanted is not None and sought.number not in wanted:
                continue
            pattern = self.patterns[sought.number]
            for begin, end in lines_with(text, low, sought):
                for found in sought.regex.finditer(text, begin, end):
                    value = found[0].strip()
                    if self._counts(pattern, value):
                        yield Hit(sought.number, value, found.start())

    def suspects(self, text: str, wanted: Collection[int]) -> list[str]:
        """Return the lines of a text that may hold what some patterns look for; no other line can.

        Parameters
        ----------
        text : str
            Lines.
        wanted : collection of int
            Numbers of the patterns.

        Returns
        -------
        list of str
            As they are read: letters of other widths as the plain ones.

        Raises
        ------
        None
        """
        return suspects(text, [sought for sought in self._sought if sought.number in wanted])

    @cached_property
    def _sought(self) -> tuple[Sought, ...]:
        values = {name: getattr(self.known, name) for name in ("participant", "product", "person", "short")}
        values["computer"] = self.computer
        made = []
        for number, pattern in enumerate(self.patterns):
            if pattern.regex:
                seek = re.compile(pattern.seek) if pattern.seek else None
                made.append(Sought(number, re.compile(pattern.regex), pattern.words, seek))
            elif pattern.known and values[pattern.known]:
                found = values[pattern.known]
                regex = re.compile(_literal(found, pattern.context))
                made.append(Sought(number, regex, (), re.compile(trie(found))))
        return tuple(made)

    def _counts(self, pattern: Pattern, value: str) -> bool:
        if pattern.check and not _CHECKS[pattern.check](value):
            return False
        return not any(self._allowed(entry, value) for entry in pattern.allow)

    def _allowed(self, entry: Mapping[str, str], value: str) -> bool:
        if "regex" in entry:
            return re.fullmatch(entry["regex"], value) is not None
        return iso_date(value) in self.dates


def _literal(texts: Iterable[str], context: Sequence[str]) -> str:
    """Return what finds values: whole words in Latin script, anywhere in running Chinese."""
    chinese = {text for text in texts if re.match(r"[\u3400-\u9fff]", text)}
    latin = set(texts) - chinese
    before = (
        f"(?:{'|'.join(context)})" + r"""[ \t]*(?:(?i:no|number|id)\.?|编号|号)?["' \t]*[:：=#,]?["' \t]*"""
        if context
        else ""
    )
    words = (
        f"{before}(?<![A-Za-z0-9_])(?<!\\d-)(?:{trie(latin)})(?![A-Za-z0-9_])(?!-\\d)" if latin else "(?!)"
    )
    return f"{words}|{before}{trie(chinese)}" if chinese else words


_MONTHS = {
    name: n
    for n, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}


def iso_date(text: str) -> str:
    """Return a date in ISO 8601, whatever way it is written; an empty text if it names no day.

    Parameters
    ----------
    text : str
        For example ``30 June 2026``, ``2026/6/30``, ``2026年6月30日``.

    Returns
    -------
    str
        ``YYYY-MM-DD``.

    Raises
    ------
    None

    Examples
    --------
    >>> [iso_date(text) for text in ("30 June 2026", "2026/6/30", "June 30, 2026", "2026年6月30日", "2026年6月")]
    ['2026-06-30', '2026-06-30', '2026-06-30', '2026-06-30', '']
    """
    numbers = [int(part) for part in re.findall(r"\d+", text)]
    name = re.search(r"[A-Za-z]{3}", text)
    if name and name[0].lower() in _MONTHS and len(numbers) == 2:
        day, year = numbers
        numbers = [year, _MONTHS[name[0].lower()], day]
    return f"{numbers[0]:04d}-{numbers[1]:02d}-{numbers[2]:02d}" if len(numbers) == 3 else ""


def masked(value: str) -> str:
    """Return a value as it may be printed: its first letter, and stars for all other letters and digits.

    Parameters
    ----------
    value : str
        What was found.

    Returns
    -------
    str
        As long as the value.

    Raises
    ------
    None

    Examples
    --------
    >>> masked("13800138000"), masked("姓名：王小明")
    ('1**********', '姓*：***')
    """
    return value[:1] + re.sub(r"[^\W_]", "*", value[1:])
