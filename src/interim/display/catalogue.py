"""Catalogue: the English text is the message, its translation stands beside it; numbers and parts are placeholders."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from interim.errors import ReportError

FIRST = 0xE000
MARK = "[\ue000-\uf8ff]"
_TOKEN = re.compile(
    r"(?P<number>\bP-[0-9A-Z]{6}(?!\w)|\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:[+-]\d\d:\d\d|Z)?(?!\w)"
    r"|(?<!\w)\d+(?:-\d+)+(?!\w)|\d+(?:[.,:]\d+)*(?:e[+-]?\d+)?(?!\w|[.,]\d))"
    r"|(?P<word>[^\W\d]\w*(?:[-.]\d\w*)*)"
    r"|\d\w*(?:[.,]\d\w*)*"
)
_AMOUNT = re.compile(r"\d+(?:\.\d+)?")
SLOT = re.compile(r"\{(\d+|[a-z])\}")


@dataclass(frozen=True)
class Message:
    """A message with parts: the pattern that it matches and its translation."""

    pattern: re.Pattern[str]
    text: str
    weight: int


@dataclass(frozen=True)
class Catalogue:
    """The translations of one language.

    Attributes
    ----------
    exact : mapping of str to str
        Message -> translation; numbers are ``{1}``, ``{2}``.
    parts : tuple of Message
        Messages with parts ``{a}``, ``{b}``, which are translated on their own; the most specific first.
    same : frozenset of str
        Words that are written the same in both languages, such as units.
    sizes : mapping of str to int
        English word for a large unit, such as million -> its size.
    units : tuple of (str, int)
        The units in which this language counts large numbers, each with its size; the largest first.
    """

    exact: Mapping[str, str]
    parts: tuple[Message, ...] = ()
    same: frozenset[str] = frozenset()
    sizes: Mapping[str, int] = field(default_factory=dict)
    units: tuple[tuple[str, int], ...] = ()

    def counted(self, text: str) -> str | None:
        """Return a number with a word for its unit in the units of this language.

        Parameters
        ----------
        text : str
            Such as ``50 million``.

        Returns
        -------
        str or None
            The same number, in the largest unit that it reaches; None for every other text.

        Raises
        ------
        None
        """
        number, _, name = text.partition(" ")
        if name not in self.sizes or not self.units or not _AMOUNT.fullmatch(number):
            return None
        value = Decimal(number) * self.sizes[name]
        unit, size = next((one for one in self.units if value >= one[1]), self.units[-1])
        return f"{(value / size).normalize():f} {unit}"


def masked(text: str, start: int = 0) -> tuple[str, tuple[str, ...]]:
    r"""Return a text whose numbers are replaced by one private character each, and the numbers.

    Parameters
    ----------
    text : str
        Any text.
    start : int
        Number of the first placeholder.

    Returns
    -------
    text : str
        With placeholders, counted from U+E000 + ``start``.
    numbers : tuple of str
        In the order of the text; digits within a name (``CTCAE v5.0``, ``AMB-3``) are none.

    Raises
    ------
    None

    Examples
    --------
    >>> masked("RECIST 1.1 at DL3 5e7: 3 of 13")[1], masked("CA19-9 and 01-003")[1]
    (('1.1', '5e7', '3', '13'), ('01-003',))
    """
    numbers: list[str] = []

    def mark(match: re.Match[str]) -> str:
        if match["number"] is None:
            return match[0]
        numbers.append(match[0])
        return chr(FIRST + start + len(numbers) - 1)

    return _TOKEN.sub(mark, text), tuple(numbers)


def message_id(text: str) -> str:
    """Return a text as the catalogue names it: numbers as ``{1}``, ``{2}`` in their order.

    Parameters
    ----------
    text : str
        Any text; its numbers as such or as the private characters of `masked`.

    Returns
    -------
    str
        The message.

    Raises
    ------
    None

    Examples
    --------
    >>> message_id("3 of 13 participants")
    '{1} of {2} participants'
    """
    message, _ = numbered(masked(text)[0])
    return message


def numbered(text: str) -> tuple[str, list[str]]:
    """Return a masked text as a message, and the private characters that its numbers stand for.

    Parameters
    ----------
    text : str
        What `masked` returned, or a part of it.

    Returns
    -------
    message : str
        Numbers as ``{1}``, ``{2}``.
    marks : list of str
        The private characters, in the order of the text.

    Raises
    ------
    None
    """
    marks: list[str] = []

    def name(match: re.Match[str]) -> str:
        marks.append(match[0])
        return f"{{{len(marks)}}}"

    return re.sub(MARK, name, text), marks


def read_catalogue(sources: Iterable[tuple[str, str]]) -> Catalogue:
    """Return the catalogue that TOML texts hold.

    Parameters
    ----------
    sources : iterable of (str, str)
        Name and TOML text. Table ``messages``: message = translation; list ``same``: words that stay; tables ``sizes`` and
        ``units``: English words for large units and the units of the language, each with its size.

    Returns
    -------
    Catalogue
        All of them together.

    Raises
    ------
    ReportError
        If a text is no TOML, a message stands twice, holds a typed number, or its translation does not hold each placeholder
        exactly once; all problems are listed.
    """
    problems: list[str] = []
    exact: dict[str, str] = {}
    same: set[str] = set()
    sizes: dict[str, int] = {}
    units: dict[str, int] = {}
    for name, source in sources:
        try:
            data = tomllib.loads(source)
        except tomllib.TOMLDecodeError as error:
            problems.append(f"{name}: {error}")
            continue
        same |= set(data.get("same", ()))
        sizes |= data.get("sizes", {})
        units |= data.get("units", {})
        for message, text in data.get("messages", {}).items():
            problems += [f"{name}: {message!r} {problem}" for problem in _problems(message, text, exact)]
            exact[message] = text
    if problems:
        raise ReportError("\n".join(["the catalogue of texts is wrong:", *problems]))
    exact = dict(map(_without_stop, exact, exact.values()))
    parts = sorted(
        (m for m in map(_with_parts, exact, exact.values()) if m), key=lambda m: (-m.weight, m.text)
    )
    largest_first = tuple(sorted(units.items(), key=lambda item: -item[1]))
    return Catalogue(exact, tuple(parts), frozenset(same), sizes, largest_first)


def _problems(message: str, text: object, known: Mapping[str, str]) -> Iterator[str]:
    if not isinstance(text, str) or not text.strip():
        yield "has no translation"
        return
    if message in known:
        yield "stands twice"
    slots = SLOT.findall(message)
    numbers = [slot for slot in slots if slot.isdigit()]
    if sorted(slots) != sorted(SLOT.findall(text)):
        yield f"and its translation {text!r} must hold each placeholder exactly once"
    if numbers != [str(place) for place in range(1, len(numbers) + 1)]:
        yield "must count its numbers {1}, {2} in their order"
    typed = masked(SLOT.sub(" ", message))[1]
    if typed:
        yield f"holds the number {typed[0]}; write {{1}}, {{2}} for numbers"


def _without_stop(message: str, text: str) -> tuple[str, str]:
    """Return a message without the full stop that both texts end with: it may stand within a longer text."""
    if message.endswith(".") and text.endswith("。"):
        return message[:-1], text[:-1]
    return message, text


def _with_parts(message: str, text: str) -> Message | None:
    pieces = SLOT.split(message)
    names = pieces[1::2]
    if all(name.isdigit() for name in names):
        return None
    literal = pieces[::2]
    groups = [f"(?P<n{name}>{MARK})" if name.isdigit() else f"(?P<{name}>.+?)" for name in names]
    pattern = "".join(a + b for a, b in zip(map(re.escape, literal), [*groups, ""], strict=True))
    return Message(re.compile(f"(?s){pattern}"), text, sum(map(len, literal)))
