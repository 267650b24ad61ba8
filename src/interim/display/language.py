"""Languages: a text is looked up in the catalogue, or taken apart into texts that stand there; what speaks while one draws."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Literal

from interim.display.catalogue import FIRST, MARK, SLOT, Catalogue, masked, numbered, read_catalogue
from interim.errors import ReportError

LANGUAGES = ("en", "zh-CN")
SOURCE = "en"
State = Literal["translated", "same", "kept", "missing"]

_LETTER = re.compile(r"[^\W\d_]")
_CODE = re.compile(
    r"[A-Za-z]"
    r"|[a-z]?[A-Z][A-Z0-9]{0,7}s?"
    r"|[A-Z]+\d+[A-Za-z]*|[a-z]\d+"
    r"|[A-Z][A-Z0-9]*(?:[-_/.][A-Z0-9]+)+"
    r"|[A-Za-z0-9_-]+(?:[._][A-Za-z0-9_-]+)+"
    r"|v\d+(?:\.\d+)*"
    r"|[\w.+%-]+/[-*]/[\w.+-]+"
)
_PIECES = re.compile(r"[^\W\d_][^\s,;:()\[\]=<>≥≤|]*")
_HASH = re.compile(r"\b[0-9a-f]{8,}\b")
_MORE = "…"
_HAN = re.compile(r"[\u3400-\u9fff]")
GAP = re.compile(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])")
"""A blank between two Chinese characters, left where a word stands in the place of a number."""
_UNITS = re.compile(r"[/*^]")
_SENTENCE, _MOST_PARTS = 2, 24
# Separators at which a text that is no message is taken apart, each with what stands for it in Chinese.
_STRONG = (("\n", "\n"), ("; ", "；"), (". ", "。"))
_WEAK = (
    (" – ", "——"),
    (": ", "："),
    (" | ", " | "),
    (", ", "，"),
    (" and ", "和"),
    (" / ", " / "),
)
_ENCLOSED = re.compile(r"(?s)(.+) ([(\[])([^()\[\]]+)([)\]])")
_BRACKETS = {"(": ("（", "）"), "[": (" [", "]")}
_TAIL = re.compile(r"(?s)(.+?)( ?[*†‡+]+)")


@dataclass(frozen=True)
class Translated:
    """A text in the wanted language, and how it came about.

    Attributes
    ----------
    text : str
        The text; as it was if it is kept or missing.
    state : {"translated", "same", "kept", "missing"}
        ``same``: numbers, symbols and codes; ``kept``: data that are quoted as they were entered.
    """

    text: str
    state: State


def _filled(values: Mapping[str, str | None], slot: re.Match[str]) -> str:
    return values[f"n{slot[1]}" if slot[1].isdigit() else slot[1]] or ""


class Translator:
    """Looks texts up in a catalogue; a text that is no message is taken apart, and every part must be one.

    Parameters
    ----------
    catalogue : Catalogue
        Where the messages stand.
    kept : iterable of str
        Texts of the data that are quoted as they were entered.
    """

    def __init__(self, catalogue: Catalogue, kept: Iterable[str] = ()) -> None:
        self._catalogue = catalogue
        self._kept = frozenset(kept)
        self._known: dict[str, Translated] = {}
        self._found: dict[str, str | None] = {}

    def text(self, text: str) -> Translated:
        """Return a text in the language of the catalogue.

        Parameters
        ----------
        text : str
            English text with its numbers.

        Returns
        -------
        Translated
            The same numbers, each once.

        Raises
        ------
        None
        """
        if text not in self._known:
            bare, numbers = masked(text)
            found = self._catalogue.counted(text) or self._find(bare)
            if found is None:
                self._known[text] = Translated(text, "missing")
            else:
                state: State = "translated" if found != bare else "kept" if text in self._kept else "same"
                whole = GAP.sub("", re.sub(MARK, lambda match: numbers[ord(match[0]) - FIRST], found))
                self._known[text] = Translated(whole, state)
        return self._known[text]

    def sentence(self, text: str) -> str | None:
        """Return running text whose numbers are already private characters.

        Parameters
        ----------
        text : str
            English text.

        Returns
        -------
        str or None
            The translation with the same private characters; None if there is none.

        Raises
        ------
        None
        """
        return self._find(text)

    def _find(self, text: str) -> str | None:
        """Return the translation of a masked text: whole, by a pattern, or part by part."""
        if not _LETTER.search(text):
            return text
        if text not in self._found:
            found = (
                self._direct(text)
                or self._apart(text, _STRONG)
                or self._by_parts(text)
                or self._apart(text, _WEAK)
            )
            self._found[text] = _ended(found) if found and text.endswith(".") else found
        return self._found[text]

    def _direct(self, text: str) -> str | None:
        """Return the translation of a text that is a message, or that says the same in every language."""
        message, marks = numbered(text)
        for candidate, end in ((message, ""), (message.removesuffix("."), "。")):
            found = self._exact(candidate)
            if found is not None:
                return SLOT.sub(lambda match: marks[int(match[1]) - 1], found) + (
                    end if candidate != message else ""
                )
        if text in self._kept or self._is_same(text):
            return text
        return self._begun(text) if text.endswith(_MORE) else None

    def _begun(self, text: str) -> str | None:
        """Return the translation of a text that was cut off, cut off as well; None if several texts begin like it."""
        start = text.removesuffix(_MORE)
        if any(term.startswith(start) and self._exact(term) is None for term in self._kept):
            return text
        known = sorted((m for m in self._catalogue.exact if m.startswith(start)), key=len)
        if not known or not all(message.startswith(known[0]) for message in known):
            return None
        whole = self._catalogue.exact[known[0]]
        room = max(2, len(start) // 2)
        return whole if len(whole) <= room + 1 else f"{whole[:room]}{_MORE}"

    def _exact(self, message: str) -> str | None:
        """Return the translation of a message, whether or not it begins with a capital here."""
        swapped = message[:1].swapcase() + message[1:]
        return self._catalogue.exact.get(message) or self._catalogue.exact.get(swapped)

    def _is_same(self, text: str) -> bool:
        pieces = [piece.rstrip(".") for piece in _PIECES.findall(_HASH.sub("0", re.sub(MARK, "0", text)))]
        words = [
            word for piece in pieces for word in ([piece] if _CODE.fullmatch(piece) else _UNITS.split(piece))
        ]
        return all(word in self._catalogue.same or _CODE.fullmatch(word) for word in words if word)

    def _by_parts(self, text: str) -> str | None:
        """Return the translation of a text with parts; the full stop of a sentence is none of them."""
        inner = self._with_parts(text[:-1]) if text.endswith(".") else None
        return self._with_parts(text) if inner is None else f"{inner}。"

    def _with_parts(self, text: str) -> str | None:
        for message in self._catalogue.parts:
            match = message.pattern.fullmatch(text)
            if match is None:
                continue
            values = {
                name: value if name[0] == "n" and name[1:] else self._find(value)
                for name, value in match.groupdict().items()
            }
            if None not in values.values():
                return SLOT.sub(partial(_filled, values), message.text)
        return None

    def _apart(self, text: str, separators: Sequence[tuple[str, str]]) -> str | None:
        """Return a text that is put together from messages by marks that every language has."""
        if separators is _WEAK and text.endswith("."):
            inner = self._find(text[:-1])
            return None if inner is None else f"{inner}。"
        for separator, mark in separators:
            if separator in text:
                found = self._joined(text.split(separator), separator, mark)
                if found is not None:
                    return found
        return self._enclosed(text) if separators is _WEAK else None

    def _joined(self, parts: list[str], separator: str, mark: str) -> str | None:
        """Return the parts of a list, each as long a message as can be found."""
        if len(parts) > _MOST_PARTS:
            return None
        found: list[str] = []
        start = 0
        while start < len(parts):
            for end in range(len(parts), start, -1):
                piece = separator.join(parts[start:end])
                one = self._find(piece) if end == start + 1 else self._listed(piece, separator)
                if one is not None:
                    found.append(one)
                    start = end
                    break
            else:
                return None
        return ("、" if separator == ", " and len(found) > _SENTENCE else mark).join(found)

    def _listed(self, text: str, separator: str) -> str | None:
        """Return several parts of a list as one message; one with parts of its own reaches over commas only."""
        if separator == ", ":
            return self._direct(text) or self._by_parts(text)
        return None if self._is_same(text) else self._direct(text)

    def _enclosed(self, text: str) -> str | None:
        """Return a text with something in brackets, or a sign, at its end."""
        match = _ENCLOSED.fullmatch(text)
        if match is not None:
            outer, inner = self._find(match[1]), self._find(match[3])
            if outer is not None and inner is not None:
                left, right = _BRACKETS[match[2]]
                return f"{outer}{left}{inner}{right}"
        match = _TAIL.fullmatch(text)
        outer = self._find(match[1]) if match else None
        return f"{outer}{match[2]}" if match and outer is not None else None


def _ended(text: str) -> str:
    """Return a Chinese sentence with its own full stop, also behind a word or number that stays as it was."""
    return f"{text[:-1]}。" if text.endswith(".") and _HAN.search(text) else text


@cache
def translator(
    language: str, folder: Path | None = None, kept: frozenset[str] = frozenset()
) -> Translator | None:
    """Return what translates into a language.

    Parameters
    ----------
    language : {"en", "zh-CN"}
        The language.
    folder : Path, optional
        Folder with the texts of the studies: its files ``<language>/*.toml`` are read after those of the package.
    kept : frozenset of str
        Texts of the data that are quoted as they were entered.

    Returns
    -------
    Translator or None
        None for English, which is the source.

    Raises
    ------
    ReportError
        If the language is unknown or the catalogue is wrong.
    """
    if language not in LANGUAGES:
        raise ReportError(f"language {language!r} is not available; permitted: {', '.join(LANGUAGES)}")
    if language == SOURCE:
        return None
    return Translator(_catalogue(language, folder), kept)


@cache
def _catalogue(language: str, folder: Path | None) -> Catalogue:
    own = files("interim.display").joinpath("texts", language)
    sources = [
        (item.name, item.read_text(encoding="utf-8")) for item in own.iterdir() if item.name.endswith(".toml")
    ]
    if folder is not None:
        sources += [(str(file), file.read_text(encoding="utf-8")) for file in text_files(folder, language)]
    return read_catalogue(sorted(sources))


def text_files(folder: Path, language: str) -> list[Path]:
    """Return the files with the texts of the studies of a folder.

    Parameters
    ----------
    folder : Path
        Where the study files stand.
    language : str
        The language.

    Returns
    -------
    list of Path
        Sorted; empty if there are none.

    Raises
    ------
    None
    """
    return sorted((folder / language).glob("*.toml"))


@dataclass
class Voice:
    """What speaks while something is drawn: the language, the place, and what could not be said.

    Attributes
    ----------
    translator : Translator or None
        None for English.
    place : str
        Id of the figure, named in errors.
    missing : list of str
        Texts without a translation.
    """

    translator: Translator | None = None
    place: str = ""
    missing: list[str] = field(default_factory=list)

    def say(self, text: str) -> str:
        """Return a text in the language that is spoken.

        Parameters
        ----------
        text : str
            English text.

        Returns
        -------
        str
            Its translation; the text itself if there is none, which is noted.

        Raises
        ------
        None
        """
        if self.translator is None or not text.strip():
            return text
        found = self.translator.text(text)
        if found.state == "missing":
            self.missing.append(text)
        return found.text


_VOICE: ContextVar[Voice] = ContextVar("voice", default=Voice())  # noqa: B039 - the default is English and notes nothing


def voice() -> Voice:
    """Return who speaks now.

    Returns
    -------
    Voice
        English unless `speaking` says otherwise.

    Raises
    ------
    None
    """
    return _VOICE.get()


@contextmanager
def speaking(translator: Translator | None, place: str = "") -> Iterator[Voice]:
    """Draw in a language for a while.

    Parameters
    ----------
    translator : Translator or None
        None for English.
    place : str
        Id of what is drawn.

    Yields
    ------
    Voice
        Holds afterwards what could not be translated.

    Raises
    ------
    None
    """
    speaker = Voice(translator, place)
    token = _VOICE.set(speaker)
    try:
        yield speaker
    finally:
        _VOICE.reset(token)
