"""The identifier scan: every file of a report, before it is published; one finding stops it."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from interim.display.language import LANGUAGES, translator
from interim.errors import ReportError
from interim.report.cache import Cache
from interim.report.content import Paragraph, Span, text_table
from interim.report.freshness import DOCUMENTS
from interim.report.hashes import sha256, sha256_bytes
from interim.report.privacy.identifiers import KINDS, Kind, Matcher, Pattern, masked, scan_settings
from interim.report.privacy.known import Known, this_computer
from interim.report.privacy.prefilter import Sought, plain, suspects
from interim.report.privacy.surfaces import Piece, UnscannableError, pieces
from interim.report.privacy.surfaces_new import Fresh
from interim.report.privacy.surfaces_quick import quick
from interim.report.shells import checklist
from interim.report.stamp import with_digits, without_digits
from interim.report.workers import StartMethod, beside, map_forked
from interim.study import Study

if TYPE_CHECKING:
    from interim.report.document import Loose
    from interim.report.package import Made

_KIND: dict[str, Kind] = {
    DOCUMENTS: "document",
    "notebooks": "notebook",
    "data": "data",
    "adam": "data",
    "state": "data",
}
_LABELLED = {".html", ".pdf", ".docx", ".rtf"}
_PLACES = 3
_NONE: Mapping[str, str] = MappingProxyType({})
# Every line that may hold the first digits of a hash.
_HASH = re.compile("[0-9a-f]{12}")
_HASHES = (Sought(0, _HASH, (), _HASH),)
_ISO = re.compile(r"(?<!\d)(?:19|20)\d{2}-\d{2}-\d{2}(?!\d)")


class Found(NamedTuple):
    """One finding: number of the pattern, file, place, the value masked, and what tells two values apart."""

    pattern: int
    file: str
    place: str
    shown: str
    token: str


class _Memory:
    """The lines that were searched for the same patterns, and what those hold in which something was found."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._dirty: dict[str, tuple[tuple[int, str], ...]] = {}

    def held(self, text: str, matcher: Matcher, wanted: Collection[int]) -> dict[tuple[int, str], str]:
        """Return the patterns and values of a text with the line of each; what was searched before is not searched again."""
        lines = dict.fromkeys(matcher.suspects(text, wanted))
        self._search([line for line in lines if line not in self._seen], matcher, wanted)
        return {held: line for line in reversed(lines) for held in self._dirty.get(line, ())}

    def _search(self, new: Sequence[str], matcher: Matcher, wanted: Collection[int]) -> None:
        """Search new lines in one pass, and remember all of them."""
        self._seen.update(new)
        hits: dict[int, list[tuple[int, str]]] = defaultdict(list)
        row = place = 0
        for hit in sorted(matcher.hits("\n".join(new), wanted), key=lambda hit: hit.start):
            while place + len(new[row]) < hit.start:
                place += len(new[row]) + 1
                row += 1
            hits[row].append((hit.pattern, hit.value))
        self._dirty.update({new[number]: tuple(values) for number, values in hits.items()})


@dataclass
class Scan:
    """Scans the files of a report folder; a file that was scanned is read again only if its bytes have changed.

    Attributes
    ----------
    folder : Path
        The report folder.
    matcher : Matcher
        What is looked for.
    labels : tuple of str
        The label of the study in each language: every document must carry one of them; empty: nothing.
    cache : Cache
        Where findings of earlier builds are.
    workers : int
        Files that are read at a time.
    marks : mapping of str to str
        Places of hashes in bytes that are not stamped yet, and what is stamped over them (`interim.report.stamp`).
    """

    folder: Path
    matcher: Matcher
    labels: tuple[str, ...] = ()
    cache: Cache = field(default_factory=lambda: Cache(None))
    workers: int = 1
    marks: Mapping[str, str] = field(default_factory=dict)
    _done: dict[str, tuple[Found, ...]] = field(default_factory=dict, repr=False)
    _unstamped: dict[str, str] = field(default_factory=dict, repr=False)
    _beside: Callable[[], Mapping[str, tuple[Found, ...]]] | None = field(default=None, repr=False)
    _memory: dict[frozenset[int], _Memory] = field(default_factory=dict, repr=False)

    def __call__(self, hashes: Mapping[str, str] = _NONE) -> Mapping[str, tuple[Found, ...]]:
        """Return what every file of the folder holds.

        Parameters
        ----------
        hashes : mapping of str to str
            Path below the folder -> SHA-256, of files for which it is known.

        Returns
        -------
        mapping of str to tuple of Found
            Path below the folder -> its findings, sorted by path.

        Raises
        ------
        OSError
            If a file cannot be read.
        """
        self._wait()
        paths = self._paths()
        keys = {name: f"{name} {hashes.get(name) or sha256(path)}" for name, path in paths.items()}
        new = [name for name, key in keys.items() if key not in self._done]
        order = sorted(new, key=lambda name: -paths[name].stat().st_size)
        self._done.update(map_forked(self._one, order, workers=self.workers))
        return {name: self._done[key] for name, key in keys.items()}

    @contextmanager
    def ahead(self, method: StartMethod, first: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Search what lies in the folder by now in a process of its own while this one goes on.

        Parameters
        ----------
        method : {"auto", "fork", "spawn"}
            As in `interim.report.workers.beside`.
        first : callable
            What that process does before it searches.

        Yields
        ------
        None
            The first call within the block, or the end of the block, waits for what was found.

        Raises
        ------
        OSError
            If a file cannot be read, or whatever ``first`` raises; where the result is waited for.
        """

        def search() -> Mapping[str, tuple[Found, ...]]:
            first()
            return dict(map(self._one, self._paths()))

        with beside(search, workers=self.workers, method=method) as found:
            self._beside = found
            yield
            self._wait()

    def _wait(self) -> None:
        """Take what was found beside, once."""
        if self._beside is not None:
            searched, self._beside = self._beside, None
            self._done.update(searched())

    def _paths(self) -> dict[str, Path]:
        """Return every file by its path below the folder, sorted."""
        found = ((path.relative_to(self.folder).as_posix(), path) for path in self.folder.rglob("*"))
        return dict(sorted((name, path) for name, path in found if path.is_file()))

    def _one(self, name: str) -> tuple[str, tuple[Found, ...]]:
        return self._keyed(name, (self.folder / name).read_bytes())

    def template(self, name: str, stamped: str, unstamped: str) -> None:
        """Tell that a file is stamped: its bytes are those of a template with the hash of the data for the placeholder.

        Parameters
        ----------
        name : str
            Path below the report folder.
        stamped : str
            SHA-256 of the stamped content; other bytes under this name are searched whole.
        unstamped : str
            SHA-256 of the template.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        if self.marks:
            self._unstamped[f"{name} {stamped}"] = unstamped

    def file(self, name: str, data: bytes) -> tuple[Found, ...]:
        """Return what one file holds.

        Parameters
        ----------
        name : str
            Path below the report folder; its first part tells the kind of the file.
        data : bytes
            Content.

        Returns
        -------
        tuple of Found
            In the order of the patterns, then of the file.

        Raises
        ------
        None
        """
        return self._keyed(name, data)[1]

    def _keyed(self, name: str, data: bytes) -> tuple[str, tuple[Found, ...]]:
        """Return a name for the content of a file, and what it holds."""
        known = self._key(name, data)
        if known not in self._done:
            key = self.cache.key("scan", known, self._sought, self.labels)
            kept = self.cache.get(key)
            found = self._new(name, data) if kept is None else tuple(Found(*row) for row in json.loads(kept))
            if kept is None:
                self.cache.put(key, json.dumps(found).encode())
            self.cache.use([self._last(name)])
            self._done[known] = found
        return known, self._done[known]

    @staticmethod
    def _key(name: str, data: bytes) -> str:
        return f"{name} {sha256_bytes(data)}"

    @cached_property
    def _sought(self) -> str:
        """A hash of all that is sought."""
        matcher = self.matcher
        sets = [sorted(getattr(matcher.known, n)) for n in ("participant", "product", "person", "short")]
        return sha256_bytes(json.dumps([*sets, sorted(matcher.computer), sorted(matcher.dates)]).encode())

    def _last(self, name: str) -> str:
        """Return the name of the entry for the last version of a file that was clean."""
        return self.cache.key("pieces", name, self._sought, self.labels)

    def _new(self, name: str, data: bytes) -> tuple[Found, ...]:
        """Search a file; of a stamped one whose template held nothing before, only the lines that hold the hash of the data."""
        unstamped = self._unstamped.get(self._key(name, data))
        if unstamped is None:
            return self._changed(name, data)[0]
        key = self.cache.key("template", name, unstamped, self._sought, self.labels)
        kept = self.cache.get(key)
        if kept is not None and not self._held(name, with_digits(kept, self.marks).decode()):
            return ()
        found, lines = self._changed(name, data)
        if not found:
            self.cache.put(key, lines)
        return found

    def _changed(self, name: str, data: bytes) -> tuple[tuple[Found, ...], bytes]:
        """Search what is new in a file since its last version that was clean; return its lines that may hold hashes."""
        pieces, _, lines = (self.cache.get(self._last(name)) or b"").partition(b"\n")
        fresh = Fresh(frozenset(pieces.decode().split()))
        found, whole = self._read(name, data, fresh)
        if fresh.partial and (found or fresh.unsure):
            fresh = Fresh()
            found, whole = self._read(name, data, fresh)
        told = [*(lines.decode().split("\n") if fresh.partial else ()), *suspects(whole, _HASHES)]
        lines = without_digits("\n".join(dict.fromkeys(told)).encode(), self.marks)
        if fresh.seen and not found and not fresh.unsure:
            self.cache.put(self._last(name), " ".join(sorted(fresh.seen)).encode() + b"\n" + lines)
        return found, lines

    def _wanted(self, name: str) -> frozenset[int]:
        kind = kind_of(name)
        return frozenset(n for n, pattern in enumerate(self.matcher.patterns) if kind in pattern.where)

    def _held(self, name: str, text: str) -> dict[tuple[int, str], str]:
        wanted = self._wanted(name)
        return self._memory.setdefault(wanted, _Memory()).held(text, self.matcher, wanted)

    def _read(self, name: str, data: bytes, fresh: Fresh) -> tuple[tuple[Found, ...], str]:
        """Return what a file holds, and its lines, without the pieces that are known."""
        rules = {
            self.matcher.patterns[n].rule: n for n in self._wanted(name) if self.matcher.patterns[n].rule
        }
        try:
            texts = [piece for piece in quick(name, data, fresh) if piece.text or piece.hidden]
            whole = "\n".join([name, *(piece.text for piece in texts)])
            held = self._held(name, whole)
            hidden = "hidden" in rules and any(piece.hidden for piece in texts)
            found = list(self._placed(name, data, held, rules.get("hidden"))) if held or hidden else []
        except UnscannableError as error:
            return (Found(rules["unread"], name, "whole file", str(error), ""),), ""
        unlabelled = self.labels and "label" in rules and Path(name).suffix in _LABELLED
        if unlabelled and not any(label in whole for label in self.labels):
            found.append(Found(rules["label"], name, "whole file", self.labels[0], ""))
        return tuple(sorted(dict.fromkeys(found), key=lambda one: one.pattern)), whole

    def _placed(
        self, name: str, data: bytes, held: Iterable[tuple[int, str]], hidden: int | None
    ) -> Iterator[Found]:
        """Yield what a file holds with its places: it is read a second time, piece by piece."""
        untold = dict.fromkeys(held)
        numbers = {number for number, _ in untold}
        for piece in [Piece("name of the file", name), *pieces(name, data)]:
            lines = plain(piece.text).split("\n")
            for held_here, line in _Memory().held(piece.text, self.matcher, numbers).items():
                untold.pop(held_here, None)
                number, value = held_here
                place = piece.place or f"line {lines.index(line) + 1}"
                yield Found(number, name, place, masked(value), _token(value))
            if piece.hidden and hidden is not None:
                yield Found(hidden, name, piece.place, piece.hidden, piece.hidden)
        yield from (Found(n, name, "whole file", masked(value), _token(value)) for n, value in untold)

    def refuse(self, hashes: Mapping[str, str] = _NONE) -> None:
        """Refuse a report in which a stop is found.

        Parameters
        ----------
        hashes : mapping of str to str
            As in a call.

        Returns
        -------
        None

        Raises
        ------
        ReportError
            All findings at once: pattern, masked value, places, way out.
        """
        found = [one for file in self(hashes).values() for one in file]
        stops = [one for one in found if self.matcher.patterns[one.pattern].severity == "stop"]
        if stops:
            lines = self.lines(stops)
            head = f"{len(lines)} finding(s) of the identifier scan; nothing is published, the last report is unchanged:"
            raise ReportError("\n".join([head, *(f"- {line}" for line in lines)]))

    def lines(self, found: Iterable[Found]) -> list[str]:
        """Return findings as lines: each value once with its first places.

        Parameters
        ----------
        found : iterable of Found
            Findings.

        Returns
        -------
        list of str
            In the order of the patterns; values are masked.

        Raises
        ------
        None
        """
        groups: dict[tuple[int, str, str], list[Found]] = defaultdict(list)
        for one in sorted(found, key=lambda one: (one.pattern, one.token)):
            groups[one.pattern, one.token, one.shown].append(one)
        return [
            self._line(self.matcher.patterns[number], shown, ones)
            for (number, _, shown), ones in groups.items()
        ]

    @staticmethod
    def _line(pattern: Pattern, shown: str, ones: Sequence[Found]) -> str:
        places = list(dict.fromkeys(f"{one.file} ({one.place})" for one in ones))
        more = f" and {len(places) - _PLACES} further places" if len(places) > _PLACES else ""
        return f"{pattern.name} {shown!r} in {', '.join(places[:_PLACES])}{more}: {pattern.what}; {pattern.way_out}"


def kind_of(name: str) -> Kind:
    """Return the kind of a file of a report.

    Parameters
    ----------
    name : str
        Path below the report folder.

    Returns
    -------
    {"document", "notebook", "data", "record"}
        By its folder; what lies in none is a record.

    Raises
    ------
    None
    """
    return _KIND.get(name.partition("/")[0], "record")


def _token(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:12]


def stated_dates(study: Study) -> frozenset[str]:
    """Return the dates that the parameters of a study state.

    Parameters
    ----------
    study : Study
        Parameters.

    Returns
    -------
    frozenset of str
        ISO 8601: cut-off, extract, moment of the report (its day at the site and in UTC, in which files note it), and every date
        within a parameter.

    Raises
    ------
    None
    """
    moments = (study.cut, study.moment, study.moment.astimezone(UTC))
    stated = {moment.date().isoformat() for moment in moments}
    return frozenset(stated | set(_dates(study.resolved())))


def _dates(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _dates(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _dates(part)
    elif isinstance(value, (date, datetime)):
        yield value.isoformat()[:10]
    elif isinstance(value, str):
        yield from _ISO.findall(value)


def labels_in(study: Study) -> tuple[str, ...]:
    """Return the label of a study in every language of its report.

    Parameters
    ----------
    study : Study
        Parameters.

    Returns
    -------
    tuple of str
        English first; empty if the study has no label.

    Raises
    ------
    ReportError
        If a catalogue of texts is wrong.
    """
    label = study.study.label
    voices = [translator(language, study.file.parent) for language in LANGUAGES]
    return (
        tuple(dict.fromkeys(voice.text(label).text if voice else label for voice in voices)) if label else ()
    )


def scan_of(
    folder: Path,
    study: Study,
    *,
    known: Known | None,
    cache: Cache | None = None,
    dates: Iterable[str] = (),
    workers: int = 1,
    marks: Mapping[str, str] | None = None,
) -> Scan:
    """Return the scan of a report.

    Parameters
    ----------
    folder : Path
        The report folder.
    study : Study
        Parameters: label, dates.
    known : Known or None
        Values of the source data; None: none are known.
    cache : Cache, optional
        Where findings of earlier builds are.
    dates : iterable of str
        Further dates that may be printed, such as earlier cut-offs.
    workers : int
        Files that are read at a time.
    marks : mapping of str to str, optional
        Places of hashes, and what is entered there.

    Returns
    -------
    Scan
        Not run yet.

    Raises
    ------
    ReportError
        If the patterns or a catalogue of texts are wrong.
    """
    sought = (known or Known()).without({study.study.id, *study.study.id.split("-")})
    computer = this_computer(scan_settings()["computer"]["common"], [study.file.parent])
    stated = stated_dates(study) | _cited_dates() | {day[:10] for day in dates if day}
    matcher = Matcher(sought, computer, stated)
    return Scan(folder, matcher, labels_in(study), cache or Cache(None), workers, marks or {})


def _cited_dates() -> frozenset[str]:
    """Return the dates that the register of guidelines names: when a rule came into force."""
    return frozenset(day for item in checklist() for text in vars(item).values() for day in _dates(text))


def statement(made: Made) -> Iterator[Loose]:
    """Yield what document 13 says of the scan: each pattern with the files that were searched and what was found.

    Parameters
    ----------
    made : Made
        What is at hand; ``scan`` searches what is written before document 13.

    Yields
    ------
    Paragraph or Table
        In reading order.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    texts = scan_settings()["statement"]
    if made.scan is None:
        yield Paragraph((Span(texts["none"]),))
        return
    found = made.scan(made.outputs)
    kinds = [kind_of(name) for name in found]
    rows = []
    for number, pattern in enumerate(made.scan.matcher.patterns):
        files = [str(kinds.count(kind)) if kind in pattern.where else texts["unasked"] for kind in KINDS[:3]]
        hits = sum(one.pattern == number for ones in found.values() for one in ones)
        rows.append((pattern.name, pattern.what, *files, str(hits)))
    notes = [*(f"{entry['pattern']}: {entry['reason']}." for entry in scan_settings()["unscanned"])]
    notes += [
        f"{p.name}: {texts['allowed']} {entry['reason']}."
        for p in made.scan.matcher.patterns
        for entry in p.allow
    ]
    yield Paragraph((Span(texts["introduction"]),))
    table = text_table(
        "identifier-scan", texts["title"], head=texts["head"], rows=rows, widths=(1.6, 4, 1, 1, 1, 0.9), label="",
        footnotes=tuple(notes),
    )  # fmt: skip
    yield replace(table, orientation="portrait")
