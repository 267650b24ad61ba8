"""The registry of tables and figures: one entry joins an id to a question and the way it is shown."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, cast

import interim
from interim.errors import Finding, ReportError
from interim.report.hashes import short_snapshot
from interim.report.shells import shells
from interim.study import Study

if TYPE_CHECKING:
    from interim.data.model import Sdtm

_ID = re.compile(r"([TFLN] \d+(?:\.\d+)+)([a-z]?)")

Kind = Literal["table", "figure", "figures", "story"]


@dataclass(frozen=True)
class Tlf:
    """One table or figure.

    Attributes
    ----------
    id, title : str
        As printed; ids follow ICH E3.
    kind : {"table", "figure", "figures", "story"}
        What it is: first word of the display function.
    analysis : str
        Question, ``module.function`` of `interim.analysis`; also the id of its Result.
    display : str
        Function of `interim.display`.
    footnotes : tuple of str
        Codes of the footnote library.
    options : mapping
        Keyword arguments of the display function.
    wording : str
        Title with a parameter of the study in its place; empty: the title holds for every study.
    """

    id: str
    title: str
    kind: Kind
    analysis: str
    display: str
    footnotes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    wording: str = ""


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(files("interim.report").joinpath("registry.toml").read_text(encoding="utf-8"))


@cache
def registry() -> tuple[Tlf, ...]:
    """Return the tables and figures that this version makes.

    Returns
    -------
    tuple of Tlf
        In the order of the registry file.

    Raises
    ------
    ReportError
        If an id is no planned one or stands twice, or a footnote code is unknown; all problems at once.
    """
    document = _document()
    return read_entries(document["tlf"], known=set(document["footnotes"]))


def cited() -> tuple[str, ...]:
    """Return the questions that no object shows and sentences of the documents cite.

    Returns
    -------
    tuple of str
        ``module.function`` of `interim.analysis`.

    Raises
    ------
    None
    """
    return tuple(_document()["questions"])


def questions() -> tuple[str, ...]:
    """Return all questions, those that objects show first.

    Returns
    -------
    tuple of str
        ``module.function`` of `interim.analysis`, each once.

    Raises
    ------
    None
    """
    return tuple(dict.fromkeys([*(tlf.analysis for tlf in registry()), *cited()]))


def read_entries(rows: Sequence[Mapping[str, Any]], *, known: set[str]) -> tuple[Tlf, ...]:
    """Return registry rows as entries, titles taken from the shells.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of the registry file.
    known : set of str
        Codes of the footnote library.

    Returns
    -------
    tuple of Tlf
        In the given order.

    Raises
    ------
    ReportError
        If an id is no planned one or stands twice, or a footnote code is unknown; all problems at once.
    """
    problems = list(_problems(rows, known))
    if problems:
        raise ReportError("\n".join(["the registry of tables and figures is wrong:", *problems]))
    return tuple(_entry(row) for row in rows)


def _problems(rows: Sequence[Mapping[str, Any]], known: set[str]) -> Iterator[str]:
    ids = [row["id"] for row in rows]
    yield from (f"{name}: id used twice" for name in sorted({i for i in ids if ids.count(i) > 1}))
    for row in rows:
        match = _ID.fullmatch(row["id"])
        if match is None or match[1] not in shells():
            yield f"{row['id']}: no table or figure of tlf_shells.csv"
        elif match[2] and "title" not in row:
            yield f"{row['id']}: continues {match[1]} and needs a title of its own"
        unknown = sorted(set(row.get("footnotes", ())) - known)
        yield from (f"{row['id']}: unknown footnote {code!r}" for code in unknown)


def _entry(row: Mapping[str, Any]) -> Tlf:
    values = dict(row)
    return Tlf(
        kind=cast(Kind, values["display"].partition("_")[0]),
        title=values.pop("title", None) or shells()[values["id"]].title,
        footnotes=tuple(values.pop("footnotes", ())),
        **values,
    )


@cache
def declared() -> Mapping[str, str]:
    """Return the planned objects that this version does not make, each with its reason.

    Returns
    -------
    mapping of str to str
        Id -> reason, from the registry file.

    Raises
    ------
    ReportError
        If an id is no planned one, is made after all, or has no reason; all problems at once.
    """
    return read_declared(_document().get("not_applicable", ()), made=[tlf.id for tlf in registry()])


def read_declared(rows: Sequence[Mapping[str, str]], *, made: Iterable[str]) -> Mapping[str, str]:
    """Return declarations of the registry file.

    Parameters
    ----------
    rows : sequence of mapping
        Keys id and reason.
    made : iterable of str
        Ids that are made.

    Returns
    -------
    mapping of str to str
        Id -> reason.

    Raises
    ------
    ReportError
        As in `declared`.
    """
    there, problems = frozenset(made), []
    for row in rows:
        name = row.get("id", "(no id)")
        if name not in shells():
            problems.append(f"{name}: declared not applicable, but no planned table, figure or listing")
        if name in there:
            problems.append(f"{name}: declared not applicable, but made")
        if not row.get("reason", "").strip():
            problems.append(f"{name}: declared not applicable without a reason")
    if problems:
        raise ReportError("\n".join(["the registry of tables and figures is wrong:", *problems]))
    return {row["id"]: row["reason"] for row in rows}


def absent(made: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the planned objects that are neither made nor declared not applicable.

    Parameters
    ----------
    made : iterable of str, optional
        Ids that are made; default those of the registry.

    Returns
    -------
    tuple of str
        Ids, in the order of the shells; empty for a complete registry.

    Raises
    ------
    ReportError
        If the registry file is wrong.
    """
    there = frozenset(made if made is not None else (*(tlf.id for tlf in registry()), *elsewhere()))
    return tuple(name for name in shells() if name not in there and name not in declared())


def must_be_complete() -> bool:
    """Tell whether a planned object that is neither made nor declared fails the build.

    Returns
    -------
    bool
        Key ``complete`` of the registry file.

    Raises
    ------
    None
    """
    return bool(_document().get("complete", True))


def elsewhere() -> Mapping[str, str]:
    """Return where the objects are that no notebook shows, because they need what exists only after it.

    Returns
    -------
    mapping of str to str
        Id -> place in words.

    Raises
    ------
    None
    """
    return {row["id"]: row["where"] for row in _document().get("elsewhere", ())}


def check_complete() -> tuple[str, ...]:
    """Refuse a registry that is not complete, if it must be.

    Returns
    -------
    tuple of str
        What is absent while it need not be complete.

    Raises
    ------
    ReportError
        With every id that is neither made nor declared.
    """
    missing = absent()
    if missing and must_be_complete():
        lines = [f"{name}: {shells()[name].title}" for name in missing]
        head = (
            f"{len(missing)} planned objects are neither made nor declared not applicable in registry.toml:"
        )
        raise ReportError("\n".join([head, *lines]))
    return missing


def title_of(tlf: Tlf, study: Study) -> str:
    """Return the printed title of a table or figure.

    Parameters
    ----------
    tlf : Tlf
        The entry.
    study : Study
        Parameters that a title names.

    Returns
    -------
    str
        The title of the shells, or the wording of the entry with the grade of the titration trigger (``crs_grade``). The word
        Listing stands in the label before it and is not repeated.

    Raises
    ------
    None
    """
    title = tlf.wording.format(crs_grade=study.titration_trigger.crs_min_grade) or tlf.title
    rest = title.removeprefix("Listing: ")
    return title if rest == title else rest[:1].upper() + rest[1:]


def in_question(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the tables and figures that an unanswered finding can move.

    Parameters
    ----------
    findings : iterable of Finding
        Of the data and the derivations, with their status.

    Returns
    -------
    frozenset of str
        Ids named by stops and warnings that are not accepted; information marks nothing.

    Raises
    ------
    None
    """
    standing = (f for f in findings if f.severity != "info" and f.status != "accepted")
    return frozenset(name for finding in standing for name in finding.effect)


def footnotes_of(
    tlf: Tlf, study: Study, sdtm: Sdtm, *, pending: bool = False, snapshot: str = ""
) -> tuple[str, ...]:
    """Return the printed footnotes of a table or figure.

    Parameters
    ----------
    tlf : Tlf
        The entry.
    study : Study
        Parameters that the texts name.
    sdtm : Sdtm
        Data whose cut-off and snapshot are named.
    pending : bool
        A finding that nobody has accepted can move it.
    snapshot : str
        First digits of the data hash; empty: they are made from the data.

    Returns
    -------
    tuple of str
        The entry's own footnotes, the dagger of open findings, then cut-off and source, which stand under every object.

    Raises
    ------
    None
    """
    library: dict[str, str] = _document()["footnotes"]
    facts = _facts(tlf, study, sdtm) | {"snapshot": snapshot or short_snapshot(sdtm.sources)}
    joined = ("JOINED",) if "TE" in tlf.footnotes and study.safety.collapse_overlap else ()
    asked = ("ASKED",) if pending else ()
    codes = (*tlf.footnotes, *joined, *asked, "CUT", "SRC")
    return tuple(library[code].format(**facts) for code in codes)


def _route(study: Study, sdtm: Sdtm) -> str:
    """Return in words what the responses rest on."""
    if study.response.route == "auto":
        return "derived from the lesions" if len(sdtm.domain("TR")) else "taken as reported (RS)"
    return {"lesion": "derived from the lesions", "reported": "taken as reported (RS)"}[study.response.route]


def _facts(tlf: Tlf, study: Study, sdtm: Sdtm) -> dict[str, str]:
    readings = {r.amb: r for r in study.readings}
    end = study.safety.teae_end_days
    return {
        "analysis": tlf.analysis,
        "version": interim.__version__,
        "cut": f"{study.cut:%Y-%m-%d %H:%M:%S}".removesuffix(" 23:59:59"),
        "extract": study.data.extract_time.isoformat() if study.data.extract_time else "not stated",
        "percent": f"{100 * study.stats.level:g}",
        "interval": study.stats.binomial_interval.replace("clopper_pearson", "Clopper-Pearson").replace(
            "_", " "
        ),
        "km_interval": study.stats.km_interval,
        "limit": str(study.dose.tox_limit),
        "teae_end": "no limit after the last infusion"
        if end == "none"
        else f"{end} days after the last dose",
        "window": readings["AMB-3"].text,
        "dose_unit": readings["AMB-4"].text,
        "sd_weeks": f"{study.response.sd_min_weeks:g}",
        "cbr_weeks": f"{study.response.cbr_weeks:g}",
        "confirm": f"{study.response.confirm_min_days}",
        "evaluator": study.response.evaluator.lower(),
        "route": _route(study, sdtm),
        "min_ci_n": f"{study.subgroup.min_ci_n}",
        "rounding": study.rounding.mode.replace("_", " "),
    }
