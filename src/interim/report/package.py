"""The package: which documents there are, and what stands in each; ``package.toml`` says it, this module puts it together."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from interim.errors import ReportError
from interim.report.blocks import read_block
from interim.report.content import Document, Figure, Form, Front, Paragraph, Span, Table
from interim.report.document import Heading, Loose, Placed, assemble
from interim.report.prose import read_prose
from interim.report.shells import shell_of, shells, tiers

if TYPE_CHECKING:
    from interim.report.chapter import Chapter, Inputs

Part: TypeAlias = Mapping[str, Any]
Style: TypeAlias = Literal["normal", "note", "box"]
_KINDS = ("heading", "text", "say", "tlf", "notebook", "others", "tlfs", "make")


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
        The same documents in the leading language, by number.
    pages : mapping of str to mapping of str to int
        Number of a document -> anchor -> page of its PDF, where pages are told.
    """

    inputs: Inputs
    language: str
    copy: str
    chapters: Mapping[str, tuple[Placed, ...]]
    outputs: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, Document] = field(default_factory=dict)
    pages: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

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
    return tomllib.loads(files("interim.report").joinpath("package.toml").read_text(encoding="utf-8"))


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
    named = [part["tlf"] for part in plan.part if "tlf" in part and part["tlf"] not in made.tlfs]
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
    for number, part in enumerate(plan.part, 1):
        where = f"document {plan.number}, part {number}"
        shown = {placed.block.id for placed in loose if isinstance(placed.block, (Table, Figure))}
        loose += _placed(part, made, where, shown)
    title = replace(front, title=plan.title, details=(("Document", plan.number), *front.details))
    return assemble(loose, front=title, form=plan.form)


def _placed(part: Part, made: Made, where: str, shown: set[str]) -> Iterable[Placed]:
    if "notebook" in part:
        return _told(made.chapters.get(part["notebook"], ()), part["tiers"])
    if "others" in part:
        named = {p["notebook"] for plan in plans() for p in plan.part if "notebook" in p}
        books = [book for book in made.chapters if book not in named]
        return (placed for book in books for placed in _told(made.chapters[book], part["others"]))
    if "tlfs" in part:
        return _listed(made, part["tlfs"], shown, where)
    if "tlf" in part:
        return (made.tlfs[part["tlf"]],)
    return (Placed(where, block) for block in _written(part, made, where))


def _written(part: Part, made: Made, where: str) -> Iterable[Loose]:
    """Return a heading, text, sentence or what a function makes."""
    if "heading" in part:
        return (Heading(part.get("level", 1), part["heading"]),)
    if "say" in part:
        return (made.say(part["say"], style=part.get("style", "normal")),)
    if "make" in part:
        module, _, function = part["make"].partition(".")
        maker: Callable[[Made], Iterable[Loose]] = getattr(
            import_module(f"interim.report.documents.{module}"), function
        )
        return maker(made)
    blocks, wrong = read_prose(part["text"])
    if wrong:
        raise ReportError("\n".join(f"{where}: {problem}" for problem in wrong))
    return blocks


def _told(chapter: Sequence[Placed], wanted: Sequence[str]) -> Iterator[Placed]:
    """Yield what a notebook shows; objects of other tiers are named in one line where they stand."""
    left: list[Placed] = []
    for placed in chapter:
        block = placed.block
        if isinstance(block, (Table, Figure)) and tiers()[shell_of(block.id)] not in wanted:
            left.append(placed)
            continue
        yield from _named(left)
        left = []
        yield placed
    yield from _named(left)


def _named(left: Sequence[Placed]) -> Iterator[Placed]:
    """Yield one line for each document that holds what is left out."""
    shells_left = dict.fromkeys(shell_of(p.block.id) for p in left if isinstance(p.block, (Table, Figure)))
    for tier in dict.fromkeys(tiers()[shell] for shell in shells_left):
        names = ", ".join(shell for shell in shells_left if tiers()[shell] == tier)
        spans = (Span(_file()["omitted"][tier]), Span(f" {names}."))
        yield Placed(left[0].where, Paragraph(spans, "note"))


def _listed(made: Made, wanted: Sequence[str], shown: set[str], where: str) -> Iterator[Placed]:
    """Yield every object of the tiers in the order of the registry, under the headings of their groups."""
    order = {shell: place for place, shell in enumerate(shells())}
    groups: Mapping[str, str] = _file()["groups"]
    group = ""
    for tlf_id in sorted((i for i in made.tlfs if i not in shown), key=lambda i: order[shell_of(i)]):
        if tiers()[shell_of(tlf_id)] not in wanted:
            continue
        found = max((g for g in groups if tlf_id[2:].startswith(f"{g}.")), key=len, default="")
        if found != group:
            group = found
            yield Placed(where, Heading(1, groups.get(group, group)))
        yield made.tlfs[tlf_id]
