"""The registry of tables and figures: one entry joins an id and title to a question and the way it is shown."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from interim.errors import ReportError
from interim.study import Study

if TYPE_CHECKING:
    from interim.data import Sdtm


@dataclass(frozen=True)
class Tlf:
    """One table or figure.

    Attributes
    ----------
    id, title, population : str
        As printed; ids follow ICH E3.
    kind : {"table", "figure"}
        What it is.
    analysis : str
        Question, ``module.function`` of `interim.analysis`.
    analysis_id : str
        Id of the question's Result.
    display : str
        Function of `interim.display`.
    footnotes : tuple of str
        Codes of the footnote library.
    options : mapping
        Keyword arguments of the display function.
    """

    id: str
    title: str
    population: str
    kind: Literal["table", "figure"]
    analysis: str
    analysis_id: str
    display: str
    footnotes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(files("interim.report").joinpath("registry.toml").read_text(encoding="utf-8"))


@cache
def registry() -> tuple[Tlf, ...]:
    """Return all tables and figures.

    Returns
    -------
    tuple of Tlf
        In the order of the registry file.

    Raises
    ------
    ReportError
        If an id stands twice or a footnote code is unknown.
    """
    document = _document()
    entries = tuple(
        Tlf(
            kind="figure" if row["id"].startswith("F ") else "table",
            footnotes=tuple(row.pop("footnotes", ())),
            **row,
        )
        for row in (dict(row) for row in document["tlf"])
    )
    ids = [entry.id for entry in entries]
    problems = [f"{name}: id used twice" for name in sorted({i for i in ids if ids.count(i) > 1})]
    for entry in entries:
        unknown = sorted(set(entry.footnotes) - set(document["footnotes"]))
        problems += [f"{entry.id}: unknown footnote {code!r}" for code in unknown]
    if problems:
        raise ReportError("\n".join(["the registry of tables and figures is wrong:", *problems]))
    return entries


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
    codes = (*tlf.footnotes, "CUT", "SRC")
    return tuple(library[code].format(**facts) for code in codes)


def _facts(tlf: Tlf, study: Study, sdtm: Sdtm) -> dict[str, str]:
    readings = {r.amb: r for r in study.readings}
    end = study.safety.teae_end_days
    return {
        "analysis": tlf.analysis,
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
        "min_ci_n": f"{study.subgroup.min_ci_n}",
        "rounding": study.rounding.mode.replace("_", " "),
        "files": f"{len(sdtm.sources)}",
    }
