"""What must not stand anywhere in a report: the values of the source data that were replaced, and the names of this computer."""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from interim.data.model import Sdtm
from interim.report.privacy.pseudonyms import distinctive, participants, settings

_LONG_NUMBER, _NAME, _COMPUTER = 7, 4, 4


@dataclass(frozen=True)
class Known:
    """Values by what they are; never printed.

    Attributes
    ----------
    participant, product, person : frozenset of str
        Ids of participants, lots and specimens, names and hospital numbers that can be told from plain words and numbers.
    short : frozenset of str
        Values of any of these that cannot.
    """

    participant: frozenset[str] = field(default_factory=frozenset, repr=False)
    product: frozenset[str] = field(default_factory=frozenset, repr=False)
    person: frozenset[str] = field(default_factory=frozenset, repr=False)
    short: frozenset[str] = field(default_factory=frozenset, repr=False)

    def without(self, texts: Iterable[str]) -> Known:
        """Return what is sought, without values that are at the same time something that the report must print.

        Parameters
        ----------
        texts : iterable of str
            For example the id of the study.

        Returns
        -------
        Known
            A copy.

        Raises
        ------
        None
        """
        kept = frozenset(texts)
        return Known(*(getattr(self, name) - kept for name in ("participant", "product", "person", "short")))


def known_values(sdtm: Sdtm) -> Known:
    """Return the values of source data by which a participant, lot or person can be told.

    Parameters
    ----------
    sdtm : Sdtm
        Checked source data at the cut-off, under the site's ids.

    Returns
    -------
    Known
        Values that stand in the columns and supplemental qualifiers that ``privacy.toml`` and ``identifiers.toml`` name.

    Raises
    ------
    None
    """
    from interim.report.privacy.identifiers import scan_settings

    columns, own = settings()["columns"], scan_settings()["columns"]
    people = participants(sdtm) | _values(sdtm, columns["participant"])
    lots = _values(sdtm, columns["product"]) - people
    persons = (_values(sdtm, own["person"]) | set(_qualified(sdtm, own["qualifiers"]))) - people
    told = {
        "participant": {text for text in people if _told(text)},
        "product": {text for text in lots if _told(text)},
        "person": {text for text in persons if _told(text) or _is_name(text)},
    }
    rest = (people | lots | persons).difference(*told.values())
    return Known(**{name: frozenset(found) for name, found in told.items()}, short=frozenset(rest))


def _values(sdtm: Sdtm, columns: Iterable[str]) -> set[str]:
    frames = [frame[column] for frame in sdtm.domains.values() for column in columns if column in frame]
    return {value for series in frames for value in series.unique() if isinstance(value, str) and value}


def _qualified(sdtm: Sdtm, names: Iterable[str]) -> Iterator[str]:
    wanted = set(names)
    for frame in sdtm.domains.values():
        if {"QNAM", "QVAL"} <= set(frame.columns):
            chosen = frame.loc[frame["QNAM"].isin(wanted), "QVAL"]
            yield from (value for value in chosen.unique() if isinstance(value, str) and value)


def _told(text: str) -> bool:
    """Tell whether a value can be sought anywhere; a number of seven or more digits is no count of a small trial."""
    return distinctive(text) or (text.isdecimal() and len(text) >= _LONG_NUMBER)


def _is_name(text: str) -> bool:
    letters = re.sub(r"[\W\d_]", "", text)
    return (len(letters) >= _NAME and not letters.isupper()) or bool(
        re.fullmatch(r"[\u4e00-\u9fff·]{2,}", text)
    )


def this_computer(common: Iterable[str], folders: Iterable[Path] = ()) -> frozenset[str]:
    """Return the names by which this computer, its user and its folders can be told.

    Parameters
    ----------
    common : iterable of str
        Names that tell nothing.
    folders : iterable of Path
        Folders of the run; the home and the present folder are added.

    Returns
    -------
    frozenset of str
        User, host and absolute folders.

    Raises
    ------
    None
    """
    found = {socket.gethostname(), socket.gethostname().partition(".")[0]}
    with suppress(KeyError, OSError, ImportError):
        found.add(getpass.getuser())
    skipped = set(common)
    names = {name for name in found if len(name) >= _COMPUTER and name.lower() not in skipped}
    places = {str(place.resolve()) for place in (Path.home(), Path.cwd(), *folders)}
    return frozenset(names | {place for place in places if place.strip("/").count("/") or len(place) > 8})


def trie(texts: Iterable[str]) -> str:
    r"""Return a regular expression that finds any of the texts; it fails after the first letter that none has.

    Parameters
    ----------
    texts : iterable of str
        Literal texts, not empty.

    Returns
    -------
    str
        The expression; it never matches if there is no text.

    Raises
    ------
    None

    Examples
    --------
    >>> trie(["01-001", "01-002", "01-0021"])
    '01\\-00(?:1|21?)'
    >>> trie([])
    '(?!)'
    """
    root: dict[str, dict[str, object]] = {}
    for text in sorted(set(texts)):
        node: dict[str, object] = root  # type: ignore[assignment]
        for letter in text:
            node = node.setdefault(letter, {})  # type: ignore[assignment]
        node[""] = {}
    return _branch(root) if root else "(?!)"


def _branch(node: Mapping[str, object]) -> str:
    ways = [re.escape(letter) + _branch(below) for letter, below in node.items() if letter]  # type: ignore[arg-type]
    if not ways:
        return ""
    optional = "" in node
    if len(ways) == 1 and not optional:
        return ways[0]
    body = "|".join(ways)
    single = len(ways) == 1 and len(ways[0].lstrip("\\")) == 1
    return (body if single else f"(?:{body})") + ("?" if optional else "")
