"""Dose and ligand beside the response of each tumour type: tables first, then one exploratory model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from interim.adam.model import Adam
from interim.analysis.expansion_models import model_priors
from interim.analysis.expansion_types import (
    NO_DOSE,
    Types,
    add_reason,
    count_types,
    not_run,
    printed,
    proposed_dose,
)
from interim.analysis.population import add_rate, efficacy_set, open_rows, population
from interim.data.model import Sdtm
from interim.result import Result, Rows
from interim.stats.borrowing import CovariateFit, Slope, covariate_fit
from interim.study import Study

_SLOPES = ("dose", "high")
_NO_LIGAND = "no primary ligand entry with two levels in the subgroup registry"


def covariates(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Give responses by tumour type and dose, by tumour type and ligand level, and what a model says about both.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS, ADSUB.
    study : Study
        Table ``expansion``, dose levels, the primary entry of the subgroup dimension ligand.
    sdtm : Sdtm
        Recorded decisions on dose.

    Returns
    -------
    Result
        ``expansion_covariates.covariates``; group = id of the type: variables ``dose`` and ``ligand`` (rate, lower, upper by
        level); total: variable ``slope``, levels dose and high: p_positive, ratio (posterior over prior standard deviation),
        overlap, informs (text); variable ``left_out`` per reason (n of N, with the participants).

    Raises
    ------
    DerivationError
        If ADSL lacks the set.
    """
    who = population(adam, study, efficacy_set(study))
    title = "Candidate tumour types: dose and ligand"
    rows = open_rows("expansion_covariates.covariates", title, who)
    reason = not_run(adam, study)
    if reason:
        return add_reason(rows, reason, variable="covariates").build()
    types = count_types(adam, study, confirmed=study.expansion.response_status == "confirmed")
    doses = {code: ids for code, ids in who.members.items() if code in _levels(study)}
    ligand = ligand_levels(adam, study)
    for variable, levels in (("dose", doses), ("ligand", ligand)):
        for level, ids in levels.items():
            _add_level(rows, types, study, where=(variable, level), ids=ids)
    if not ligand:
        rows.add("n", None, variable="ligand", status="NA", reason=_NO_LIGAND)
    _add_model(rows, types, study, doses=doses, ligand=ligand, proposed=proposed_dose(adam, study, sdtm))
    return rows.build()


def _levels(study: Study) -> dict[str, float]:
    return {f"DL{place}": dose for place, dose in enumerate(study.dose.levels, 1)}


def ligand_levels(adam: Adam, study: Study) -> Mapping[str, frozenset[str]]:
    """Return the participants of each level of the primary ligand entry, lowest level first.

    Parameters
    ----------
    adam : Adam
        ADSUB.
    study : Study
        Subgroup entries.

    Returns
    -------
    mapping of str to frozenset of str
        Level -> USUBJIDs; empty without such an entry or without two levels.

    Raises
    ------
    None
    """
    dimension = printed()["ligand"]["dimension"]
    entry = next((e.id for e in study.subgroups if e.dimension == dimension and e.primary), "")
    if not entry or not adam.has("ADSUB"):
        return {}
    known = adam["ADSUB"].loc[lambda f: (f["ENTRY"] == entry) & f["AVALC"].notna()]
    found = {
        str(level): frozenset(part["USUBJID"])
        for (_, level), part in known.groupby(["AVALN", "AVALC"], sort=True)
    }
    return found if len(found) > 1 else {}


def _add_level(
    rows: Rows, types: Types, study: Study, *, where: tuple[str, str], ids: frozenset[str]
) -> None:
    variable, level = where
    for entry, members, hit in zip(types.types, types.members, types.responders, strict=True):
        part, found = members & ids, hit & ids
        counts = (len(found), len(part))
        add_rate(rows, counts, study=study, where=(entry.id, variable, level), subjects=sorted(found))


def _add_model(
    rows: Rows,
    types: Types,
    study: Study,
    *,
    doses: Mapping[str, frozenset[str]],
    ligand: Mapping[str, frozenset[str]],
    proposed: str,
) -> None:
    """One sensitivity: participants without a dose level or a ligand value are left out, counted and listed."""
    everyone = frozenset[str]().union(*types.members)
    dose_of = {one: code for code, ids in doses.items() for one in ids}
    known = frozenset[str]().union(*ligand.values())
    gone = {"no CAR-T dose": everyone - frozenset(dose_of)}
    if ligand:
        gone["no ligand value"] = everyone - known - gone["no CAR-T dose"]
    for reason, ids in gone.items():
        n = len(ids)
        rows.add("n", n, variable="left_out", level=reason, n=n, N=len(everyone), subjects=sorted(ids))
    kept = sorted(everyone - frozenset[str]().union(*gone.values()))
    if not kept:
        rows.add("informs", None, variable="slope", level="dose", status="NE", reason="NO_DATA")
        return
    reference = proposed or max((dose_of[one] for one in kept), key=lambda code: _levels(study)[code])
    text = reference if proposed else f"{reference}, the highest given; {NO_DOSE}"
    rows.add("reference", None, variable="slope", text=text)
    fit = _fit(types, kept, dose_of, study, reference=reference, high=_highest(ligand))
    for name, slope in zip(_SLOPES, (fit.dose, fit.high), strict=True):
        _add_slope(rows, name, slope, n=len(kept))


def _highest(ligand: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    return list(ligand.values())[-1] if ligand else None


def _fit(
    types: Types,
    kept: list[str],
    dose_of: Mapping[str, str],
    study: Study,
    *,
    reference: str,
    high: frozenset[str] | None,
) -> CovariateFit:
    levels = _levels(study)
    place = {one: k for k, ids in enumerate(types.members) for one in ids}
    hit = frozenset[str]().union(*types.responders)
    return covariate_fit(
        [int(one in hit) for one in kept],
        [place[one] for one in kept],
        p0=[entry.p0 for entry in types.types],
        log_dose=[math.log(levels[dose_of[one]] / levels[reference]) for one in kept],
        high=None if high is None else [int(one in high) for one in kept],
        prior=model_priors(types.types, study.expansion.prior)[0],
    )


def _add_slope(rows: Rows, name: str, slope: Slope | None, *, n: int) -> None:
    place: dict[str, Any] = {"variable": "slope", "level": name, "n": n}
    if slope is None:
        rows.add("informs", None, status="NA", reason=_NO_LIGAND, **place)
        return
    rows.add("p_positive", slope.p_positive, **place)
    rows.add("ratio", slope.ratio, **place)
    rows.add("overlap", slope.overlap, **place)
    weak = slope.ratio > printed()["informs_ratio"]
    rows.add("informs", None, text="the data do not inform" if weak else "the data inform", **place)
