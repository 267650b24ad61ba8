"""The package: which documents there are, and what stands in each; ``package.toml`` says it, this module puts it together."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from interim.errors import ReportError
from interim.report.blocks import read_block
from interim.report.content import Document, Figure, Form, Front, Paragraph, Span, Table
from interim.report.document import Heading, Placed, assemble
from interim.report.own_words import own_words
from interim.report.parts import WRITTEN, applies, written
from interim.report.shells import is_supplement, shell_of, shells, tier_of
from interim.result import slug

if TYPE_CHECKING:
    from interim.display import Figure as Shown
    from interim.report.chapter import Chapter, Inputs
    from interim.report.privacy.public_copy import PublicCopy
    from interim.report.privacy.scan import Scan
    from interim.result import ResultStore
    from interim.study import Study

Part: TypeAlias = Mapping[str, Any]
Style: TypeAlias = Literal["normal", "note", "box"]
_KINDS = (*WRITTEN, "tlf", "notebook", "others", "tlfs")


@dataclass(frozen=True)
class Plan:
    """One document of the package, as ``package.toml`` states it.

    Attributes
    ----------
    number, stem, title : str
        For example ``05``, ``statistical_report`` and ``Statistical interim report``.
    part : tuple of mapping
        Content in reading order; the file explains the kinds.
    copy : {"confidential", "restricted"}
        A restricted document holds records of single participants.
    languages : {"first", "all"}
        Whether there is an edition in each language of the study or in the leading one only.
    form : {"report", "appendix", "sheet"}
        How it is laid out.
    step : int
        Documents of a later step name hashes or pages of the earlier ones.
    rtf : bool
        Whether its tables are also wanted as RTF.
    plain : bool
        Whether its head leaves out hashes and counts of findings: for readers who are no members of the committee.
    json : str
        Function of interim.report.documents that gives the content of a JSON file beside it; empty: none.
    needs : mapping
        Conditions without which the document makes no sense; ``otherwise`` is then all that it says.
    otherwise : str
        A sentence.
    """

    number: str
    stem: str
    title: str
    part: tuple[Part, ...]
    copy: Literal["confidential", "restricted"] = "confidential"
    languages: Literal["first", "all"] = "first"
    form: Form = "report"
    step: int = 1
    rtf: bool = False
    plain: bool = False
    json: str = ""
    needs: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""

    def editions(self, languages: Sequence[str], formats: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the files of the document.

        Parameters
        ----------
        languages : sequence of str
            Languages of the package, the leading one first.
        formats : sequence of str
            ``report.formats`` of the study.

        Returns
        -------
        dict of str to tuple of str
            Language -> names such as ``05_statistical_report.en.pdf``; tables as RTF only where they are wanted.

        Raises
        ------
        None
        """
        chosen = languages if self.languages == "all" else languages[:1]
        wanted = [name for name in formats if name != "rtf" or self.rtf]
        return {
            language: tuple(f"{self.number}_{self.stem}.{language}.{name}" for name in wanted)
            for language in chosen
        }


@dataclass(frozen=True)
class Made:
    """What is at hand when a document is put together.

    Attributes
    ----------
    inputs : Inputs
        Study, data, analysis datasets and results.
    language : str
        Language of the edition.
    copy : str
        Which copy of the package is made.
    chapters : mapping of str to tuple of Placed
        Name of a notebook -> what its executed copy shows.
    outputs : mapping of str to str
        Documents that are already written: path below the report folder -> SHA-256.
    documents : mapping of str to Document
        The same documents as they were put together, before they were translated, by number; anchors are the same.
    pages : mapping of str to mapping of str to int
        Number of a document -> anchor -> page of its PDF, where pages are told.
    marks : mapping of str to str
        What is entered where in the finished files (`interim.report.stamp`); empty: nothing.
    public : PublicCopy or None
        Makes the public copy of each document.
    scan : Scan or None
        Searches the files that are already written for identifiers.
    """

    inputs: Inputs
    language: str
    copy: str
    chapters: Mapping[str, tuple[Placed, ...]]
    outputs: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, Document] = field(default_factory=dict)
    pages: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    public: PublicCopy | None = None
    scan: Scan | None = field(default=None, compare=False)

    @cached_property
    def tlfs(self) -> Mapping[str, Placed]:
        """Id -> table, figure or listing that a notebook shows."""
        loose = (placed for chapter in self.chapters.values() for placed in chapter)
        return {placed.block.id: placed for placed in loose if isinstance(placed.block, (Table, Figure))}

    @cached_property
    def chapter(self) -> Chapter:
        """The study as a notebook sees it."""
        from interim.report.chapter import Chapter

        return Chapter(self.inputs)

    @cached_property
    def words(self) -> Mapping[str, str]:
        """Key -> what the people of the study have written."""
        return own_words(self.inputs.study, asked())

    def row(self, key: str) -> Mapping[str, Any]:
        """Return the row of a result, or the one that says why there is none.

        Parameters
        ----------
        key : str
            As in a sentence: analysis/group/variable/level/stat.

        Returns
        -------
        mapping
            The row, by column name.

        Raises
        ------
        ReportError
            If there is no such row.
        """
        from interim.display.text import row_of

        return row_of(key, self.inputs.store)

    def icons(self, key: str, *, title: str, alt: str) -> Figure:
        """Return an icon array of a result.

        Parameters
        ----------
        key : str
            As in a sentence.
        title, alt : str
            Caption and text alternative.

        Returns
        -------
        Figure
            One icon for each participant of the denominator.

        Raises
        ------
        ReportError
            If the result has no counts.
        """
        words, inputs = (key, title, alt), self.inputs
        if inputs.memo is None:
            data = _icons(*words, inputs.study, inputs.store).block()
        else:
            data = inputs.memo.recall(_icons, ("study", "store"), *words, key=["icons", *words]).block()
        del data["format"], data["kind"]
        lists = {name: tuple(data[name]) for name in ("footnotes", "keys", "labels")}
        anchor = f"icons-{slug(title)}"
        return Figure(**{**data, **lists, "id": anchor}, label="", anchor=anchor)

    def say(self, template: str, *, style: Style = "normal") -> Paragraph:
        """Return a paragraph whose numbers are references to results.

        Parameters
        ----------
        template : str
            Text with references in braces, as `Chapter.say` reads them.
        style : {"normal", "note", "box"}
            How it is set.

        Returns
        -------
        Paragraph
            Of the content model.

        Raises
        ------
        ReportError
            If a reference does not resolve or a number is typed.
        """
        block = read(self.chapter.say(template, style=style).block(), self.language)
        assert isinstance(block, Paragraph)
        return block


def _icons(key: str, title: str, alt: str, study: Study, store: ResultStore) -> Shown:
    from interim.display.icons import icon_array
    from interim.display.text import row_of

    return icon_array(row_of(key, store), study, title=title, alt=alt)


def read(data: Mapping[str, Any], language: str) -> Table | Figure | Paragraph:
    """Return what a display object prints, as a block of the content model.

    Parameters
    ----------
    data : mapping
        What ``block()`` of a table, figure or paragraph of `interim.display` gives.
    language : str
        Language of the words Table, Figure and Listing.

    Returns
    -------
    Table, Figure or Paragraph
        The block.

    Raises
    ------
    ReportError
        If something is wrong with it; all problems at once.
    """
    block, wrong = read_block(data, language=language)
    if block is None:
        raise ReportError("\n".join(wrong))
    return block


@cache
def _file() -> dict[str, Any]:
    """Return the list of documents: ``package.toml``, and a file for each document with much text."""
    room = files("interim.report")
    found = tomllib.loads(room.joinpath("package.toml").read_text(encoding="utf-8"))
    texts = sorted(
        (f for f in room.joinpath("documents").iterdir() if f.name[0].isdigit() and f.name.endswith(".toml")),
        key=lambda f: f.name,
    )
    return {
        **found,
        "document": [*found["document"], *(tomllib.loads(f.read_text(encoding="utf-8")) for f in texts)],
    }


def icon_words() -> str:
    """Return the sentence that describes an icon array in its text alternative.

    Returns
    -------
    str
        ``@key`` stands for the result.

    Raises
    ------
    None
    """
    return str(_file()["icons"]["alt"])


@cache
def asked() -> frozenset[str]:
    """Return the keys of the words that the documents ask the people of a study for.

    Returns
    -------
    frozenset of str
        Keys such as ``synopsis.conclusion``.

    Raises
    ------
    None
    """
    return frozenset(_asked([part for plan in plans() for part in plan.part]))


def _asked(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "own" in value:
            yield value["own"]
        for item in value.values():
            yield from _asked(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _asked(item)


@cache
def plans() -> tuple[Plan, ...]:
    """Return the documents of the package.

    Returns
    -------
    tuple of Plan
        In the order of their numbers.

    Raises
    ------
    ReportError
        If the file of the package is wrong; all problems at once.
    """
    return read_plans(_file()["document"])


def read_plans(rows: Sequence[Mapping[str, Any]]) -> tuple[Plan, ...]:
    """Return rows of the package file as plans.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of the file.

    Returns
    -------
    tuple of Plan
        In the order of their numbers.

    Raises
    ------
    ReportError
        If a number stands twice, a part is of no known kind or names an unknown object; all problems at once.
    """
    problems = list(_problems(rows))
    if problems:
        raise ReportError("\n".join(["the list of documents is wrong:", *problems]))
    found = [Plan(**{**row, "part": tuple(row["part"])}) for row in rows]
    return tuple(sorted(found, key=lambda plan: plan.number))


def _problems(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    numbers = [row["number"] for row in rows]
    yield from (f"{name}: number used twice" for name in sorted({n for n in numbers if numbers.count(n) > 1}))
    for row in rows:
        for part in row["part"]:
            if sum(kind in part for kind in _KINDS) != 1:
                yield f"document {row['number']}: a part must have one of {', '.join(_KINDS)}: {dict(part)}"
            elif "tlf" in part and part["tlf"] not in shells() and part["tlf"][:-1] not in shells():
                yield f"document {row['number']}: {part['tlf']} is no planned table, figure or listing"


def lacking(plan: Plan, made: Made) -> tuple[str, ...]:
    """Return what a document needs and the notebooks do not show.

    Parameters
    ----------
    plan : Plan
        The document.
    made : Made
        What is at hand.

    Returns
    -------
    tuple of str
        Ids of tables, figures and listings, or the name of a notebook if nothing else is in the document.

    Raises
    ------
    None
    """
    wanted = [part["tlf"] for part in plan.part if "tlf" in part and not part.get("optional")]
    named = [tlf_id for tlf_id in wanted if tlf_id not in made.tlfs]
    books = [part["notebook"] for part in plan.part if "notebook" in part]
    return (*named, *(books if len(books) == len(plan.part) and not set(books) & set(made.chapters) else ()))


def put_together(plan: Plan, made: Made, front: Front) -> Document:
    """Put a document together.

    Parameters
    ----------
    plan : Plan
        The document.
    made : Made
        What is at hand.
    front : Front
        Title page, header and footer of the run; the title becomes that of the document.

    Returns
    -------
    Document
        In the language of ``made``.

    Raises
    ------
    ReportError
        If a part cannot be made; the place is named.
    """
    loose: list[Placed] = []
    moved = {part["tlf"] for part in plan.part if "tlf" in part}
    parts = plan.part if applies(plan.needs, made) else ({"heading": plan.title}, {"say": plan.otherwise})
    for number, part in enumerate(parts, 1):
        where = f"document {plan.number}, part {number}"
        shown = {placed.block.id for placed in loose if isinstance(placed.block, (Table, Figure))}
        if applies(part, made):
            loose += _placed(part, made, where, shown | moved)
    details = (("Document", plan.number), *(() if plan.plain else front.details))
    title = replace(front, title=plan.title, details=details)
    return assemble(loose, front=title, form=plan.form)


def _placed(part: Part, made: Made, where: str, shown: set[str]) -> Iterable[Placed]:
    if "notebook" in part:
        return _told(_chapter(part, made, shown), part["tiers"])
    if "others" in part:
        named = {p["notebook"] for plan in plans() for p in plan.part if "notebook" in p}
        books = [book for book in made.chapters if book not in named]
        return (placed for book in books for placed in _told(made.chapters[book], part["others"]))
    if "tlfs" in part:
        return _listed(made, part["tlfs"], shown, where)
    if "tlf" in part:
        return (made.tlfs[part["tlf"]],) if part["tlf"] in made.tlfs else ()
    try:
        return [Placed(where, block) for block in written(part, made)]
    except ReportError as error:
        raise ReportError(f"{where}: {error}") from error


def _chapter(part: Part, made: Made, shown: set[str]) -> Iterator[Placed]:
    """Yield what a notebook shows, without what another part of the document holds.

    ``sections`` keeps the named sections of level 2 only, ``without`` leaves them out; ``shift`` lowers the headings.
    """
    section = None
    for where, block in made.chapters.get(part["notebook"], ()):
        if isinstance(block, Heading):
            section = block.title if block.level == 2 else section if block.level > 2 else None
            block = replace(block, level=block.level + part.get("shift", 0))
        elif isinstance(block, (Table, Figure)) and block.id in shown:
            continue
        if section not in part.get("without", ()) and ("sections" not in part or section in part["sections"]):
            yield Placed(where, block)


def _told(chapter: Iterable[Placed], wanted: Sequence[str]) -> Iterator[Placed]:
    """Yield what a notebook shows; objects of other tiers are named in one line where they stand."""
    left: list[Placed] = []
    for placed in chapter:
        block = placed.block
        if isinstance(block, (Table, Figure)) and tier_of(block.id) not in wanted:
            left.append(placed)
            continue
        yield from _named(left)
        left = []
        yield placed
    yield from _named(left)


def _named(left: Sequence[Placed]) -> Iterator[Placed]:
    """Yield one line for each document that holds what is left out."""
    ids = (p.block.id for p in left if isinstance(p.block, (Table, Figure)))
    named = dict.fromkeys(one if is_supplement(one) else shell_of(one) for one in ids)
    for tier in dict.fromkeys(map(tier_of, named)):
        names = ", ".join(one for one in named if tier_of(one) == tier)
        spans = (Span(_file()["omitted"][tier]), Span(f" {names}."))
        yield Placed(left[0].where, Paragraph(spans, "note"))


def _listed(made: Made, wanted: Sequence[str], shown: set[str], where: str) -> Iterator[Placed]:
    """Yield every object of the tiers in the order of the registry, under the headings of their groups."""
    order = {shell: place for place, shell in enumerate(shells())}
    groups: Mapping[str, str] = _file()["groups"]
    group = ""
    for tlf_id in sorted((i for i in made.tlfs if i not in shown), key=lambda i: order[shell_of(i)]):
        if tier_of(tlf_id) not in wanted:
            continue
        found = max((g for g in groups if tlf_id[2:].startswith(f"{g}.")), key=len, default="")
        if found != group:
            group = found
            yield Placed(where, Heading(1, groups.get(group, group)))
        yield made.tlfs[tlf_id]
