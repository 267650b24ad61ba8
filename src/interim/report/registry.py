"""The registry of tables and figures: one entry joins an id to a question and the way it is shown."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, cast

import interim
from interim.errors import ReportError
from interim.report.hashes import snapshot_hash
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
    """

    id: str
    title: str
    kind: Kind
    analysis: str
    display: str
    footnotes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(files("interim.report").joinpath("registry.toml").read_text(encoding="utf-8"))


@cache
def shells() -> Mapping[str, str]:
    """Return the titles of all tables, figures and listings that the package plans.

    Returns
    -------
    mapping of str to str
        Id -> title, in the order of ``tlf_shells.csv``.

    Raises
    ------
    None
    """
    text = files("interim.report").joinpath("tlf_shells.csv").read_text(encoding="utf-8")
    return {row["id"]: row["title"] for row in csv.DictReader(text.splitlines())}


@cache
def tiers() -> Mapping[str, str]:
    """Return where each planned object stands.

    Returns
    -------
    mapping of str to str
        Id -> ``B`` (body and appendix), ``A`` (appendix) or ``S`` (restricted binder).

    Raises
    ------
    None
    """
    text = files("interim.report").joinpath("tlf_shells.csv").read_text(encoding="utf-8")
    return {row["id"]: row["tier"] for row in csv.DictReader(text.splitlines())}


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
        title=values.pop("title", None) or shells()[values["id"]],
        footnotes=tuple(values.pop("footnotes", ())),
        **values,
    )


def footnotes_of(tlf: Tlf, study: Study, sdtm: Sdtm) -> tuple[str, ...]:
    """Return the printed footnotes of a table or figure.

    Parameters
    ----------
    tlf : Tlf
        The entry.
    study : Study
        Parameters that the texts name.
    sdtm : Sdtm
        Data whose cut-off and snapshot are named.

    Returns
    -------
    tuple of str
        The entry's own footnotes, then cut-off and source, which stand under every object.

    Raises
    ------
    None
    """
    library: dict[str, str] = _document()["footnotes"]
    facts = _facts(tlf, study, sdtm)
    joined = ("JOINED",) if "TE" in tlf.footnotes and study.safety.collapse_overlap else ()
    codes = (*tlf.footnotes, *joined, "CUT", "SRC")
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
        "snapshot": snapshot_hash(sdtm.sources)[:12],
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
