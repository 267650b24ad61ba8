"""Has typst set a document as one file or in parts, which are kept for later builds and bound."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar, cast

from interim.display.typeface import font_folder
from interim.errors import ReportError
from interim.report.cache import Cache
from interim.report.content import Block, Figure, Section, Table
from interim.report.hashes import sha256_bytes
from interim.report.pdf_bound import Part, bound
from interim.report.stamp import DIGITS, holds_place

if TYPE_CHECKING:
    import typst

Standard: TypeAlias = Literal["a-2a", "a-3a", "ua-1"]
Model: TypeAlias = dict[str, Any]
T = TypeVar("T")
_PART = 1000  # cells; a part ends on the page with which it has as many
_FIGURE = 100  # cells that take as long to set as a figure
_NAMED = ("kind", "anchor", "label", "title", "population", "level", "number", "alt")


class Place(NamedTuple):
    """Where a heading, table or figure stands: page from 1, points from its left and upper edge."""

    anchor: str
    page: int
    x: float
    y: float


class Made(NamedTuple, Generic[T]):
    """A file, or a part of one that can be bound, and what stands where in it."""

    content: T
    places: Sequence[Place]


@dataclass(frozen=True)
class Laid:
    """A block as it is laid out; what the template reads of it is made when it is to be set.

    Attributes
    ----------
    block : Block
        The block.
    digest : str
        Its hash; empty where no part is kept.
    used : float or None
        Height in mm that is used above it on its page; None where only the layout can tell.
    fresh, sticky : bool
        Whether it begins a page, and stays with what follows.
    make : callable
        Returns what the template reads, which rests on the block, the page and the height.
    """

    block: Block
    digest: str
    used: float | None
    fresh: bool
    sticky: bool
    make: Callable[[], Model]

    @cached_property
    def model(self) -> Model:
        """What the template reads, with the breaks of the page."""
        return self.make() | {"fresh": self.fresh, "sticky": self.sticky}

    def named(self) -> list[object]:
        """Return what stands for the model in the key of a part.

        Returns
        -------
        list
            Hash of the block, height above it, breaks of the page.

        Raises
        ------
        None
        """
        return [self.digest, self.used, self.fresh, self.sticky]


class UnsetError(Exception):
    """What typst says of all parts of a document that it cannot set."""


class Setter:
    """Sets the parts of one document.

    Parameters
    ----------
    common : dict of str to Any
        What the template reads of every document but its blocks.
    standards : sequence of {"a-2a", "a-3a", "ua-1"}
        Standards that the file claims.
    timestamp : int
        Seconds since 1970.
    kept : Cache
        Where parts are kept.
    """

    def __init__(self, common: Model, *, standards: Sequence[Standard], timestamp: int, kept: Cache) -> None:
        self._common, self._standards, self._timestamp, self._kept = common, standards, timestamp, kept
        self._wrong: list[str] = []

    def sheet(self, runs: Sequence[Model]) -> Made[bytes]:
        """Return a document that stands below its title.

        Parameters
        ----------
        runs : sequence of dict of str to Any
            Blocks with their orientation.

        Returns
        -------
        Made[bytes]
            The file.

        Raises
        ------
        UnsetError
            If typst cannot set it.
        ReportError
            If typst warns of something.
        """
        made = self._set(self._common | _form(headed=True, runs=runs))
        self._refuse()
        return made

    def book(self, runs: Sequence[Model]) -> Made[bytes]:
        """Return a document with title page and contents, each part of which is set once for all builds.

        Parameters
        ----------
        runs : sequence of dict of str to Any
            As in `sheet`.

        Returns
        -------
        Made[bytes]
            The file.

        Raises
        ------
        UnsetError, ReportError
            As in `sheet`.
        """
        chosen = list(_parts(runs))
        made = [self._part(runs) for runs in chosen]
        self._refuse()
        empty = [page for found in zip(chosen, made, strict=True) for page in _empty(*found)]
        frame = self._once(self._common | _form(listed=True, empty=empty), bytes, self._timestamp)
        self._refuse()
        return Made(bound(frame.content, [one.content for one in made]), frame.places)

    def _part(self, runs: Sequence[Model]) -> Made[Part]:
        """Return a part; it has neither headers nor footers, which know other pages, and its dates are not bound."""
        own = {"front": self._common["front"] | {"labels": [], "lines": [], "footer": "", "subtitle": ""}}
        return self._once(self._common | own | _form(framed=False, runs=runs, above=_above(runs)), Part)

    def _once(self, model: Model, form: Callable[[bytes], T], *more: int) -> Made[T]:
        """Return what typst makes of a model in a form in which it is kept, set now or by an earlier build."""
        named = json.dumps(model | {"letters": ""}, default=_named)
        key = self._kept.key("set", sha256_bytes(named.encode()), form.__name__, list(self._standards), *more)
        kept = self._kept.get(key)
        if kept is not None:
            known: Made[T] = pickle.loads(kept)  # bytes that this program wrote, with their hash
            return known
        letters = DIGITS if holds_place(_text(model | {"letters": ""})) else ""
        made = self._set(model | {"letters": letters})
        if self._wrong:
            return cast("Made[T]", made)
        formed = Made(form(made.content), made.places)
        self._kept.put(key, pickle.dumps(formed, 5))
        return formed

    def _set(self, model: Model) -> Made[bytes]:
        import typst

        setter = compiler()
        try:
            content, warnings = setter.compile_with_warnings(
                sys_inputs={"document": _text(model)},
                format="pdf",
                pdf_standards=[*self._standards],
                timestamp=self._timestamp,
            )
            places = _places(setter.query("<places>", field="value", one=True))
        except typst.TypstError as error:
            self._wrong.append(error.diagnostic)
            return Made(b"", ())
        if warnings:
            raise ReportError(
                f"the PDF cannot be made: {'; '.join(sorted({warning.message for warning in warnings}))}"
            )
        return Made(cast(bytes, content), places)

    def _refuse(self) -> None:
        if self._wrong:
            raise UnsetError("\n".join(self._wrong))


def _form(
    *,
    framed: bool = True,
    headed: bool = False,
    listed: bool = False,
    runs: Sequence[Model] = (),
    empty: Sequence[Model] = (),
    above: Sequence[int] = (),
) -> dict[str, Any]:
    """Return what the template shows: header and footer, a head above the text, title page and contents, blocks, empty pages, headings of levels above."""
    return {
        "framed": framed,
        "headed": headed,
        "listed": listed,
        "runs": runs,
        "empty": empty,
        "above": above,
    }


def _above(runs: Sequence[Model]) -> list[int]:
    """Return the levels above the first heading of a part, at least the first."""
    blocks = (laid.block for run in runs for laid in run["blocks"])
    levels = [block.level for block in blocks if isinstance(block, Section)]
    return [*range(1, max(levels[0] if levels else 2, 2))]


def _parts(runs: Iterable[Model]) -> Iterator[list[Model]]:
    """Yield the blocks in parts that begin on pages of their own."""
    part: list[Model] = []
    weight = 0
    for run in runs:
        before: list[Laid] | None = None
        for blocks in _from_fresh(run["blocks"]):
            if weight >= _PART:
                yield part
                part, weight, before = [], 0, None
            if before is None:
                before = [replace(blocks[0], fresh=False), *blocks[1:]]
                part.append({"orientation": run["orientation"], "blocks": before})
            else:
                before += blocks
            weight += sum(_weight(laid.block) for laid in blocks)
    if part:
        yield part


def _from_fresh(blocks: Sequence[Laid]) -> Iterator[list[Laid]]:
    """Yield what stands from one break of the page to the next."""
    begins = [0, *(place for place, block in enumerate(blocks) if place and block.fresh), len(blocks)]
    for begin, end in pairwise(begins):
        yield [*blocks[begin:end]]


def _weight(block: Block) -> int:
    if isinstance(block, Figure):
        return _FIGURE
    return sum(len(row.cells) for row in block.rows) if isinstance(block, Table) else 0


def _empty(runs: Sequence[Model], made: Made[Part]) -> Iterator[Model]:
    """Yield the pages of a part without their text, but with what contents, bookmarks and links name; its first page is not bound."""
    blocks = (vars(laid.block) for run in runs for laid in run["blocks"])
    heads = {block["anchor"]: block for block in blocks if "anchor" in block}
    for number, flip in enumerate(made.content.flipped, 2):
        here = [place for place in made.places if place.page == number]
        named = [{"x": place.x, "y": place.y, "block": _head(heads[place.anchor])} for place in here]
        yield {"flipped": flip, "named": named}


def _head(block: Model) -> dict[str, Any]:
    return {name: block[name] for name in _NAMED if name in block}


def _places(found: str) -> list[Place]:
    return [Place(anchor, int(page), x, y) for anchor, page, x, y in json.loads(found)]


def _text(model: object) -> str:
    return json.dumps(model, ensure_ascii=False, default=_read)


def _read(value: object) -> object:
    return value.model if isinstance(value, Laid) else vars(value)


def _named(value: object) -> object:
    return value.named() if isinstance(value, Laid) else vars(value)


@cache
def compiler() -> typst.Compiler:
    """Return the one compiler of this process and those forked from it, with our template and the shipped fonts.

    Returns
    -------
    typst.Compiler
        It has begun no thread before it sets something.

    Raises
    ------
    ReportError
        If a shipped typeface is not there.
    """
    import matplotlib
    import typst

    shipped = Path(matplotlib.get_data_path(), "fonts", "ttf")
    with resources.as_file(resources.files("interim.report").joinpath("templates", "document.typ")) as path:
        return typst.Compiler(path, font_paths=[shipped, font_folder()], ignore_system_fonts=True)
