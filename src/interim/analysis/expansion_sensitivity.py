"""How much priors, rates, doses and the ligand matter for the choice of tumour types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from interim.adam.model import Adam
from interim.analysis.expansion_open import Counts
from interim.analysis.expansion_types import (
    NO_DOSE,
    add_reason,
    assess,
    count_types,
    in_scope,
    not_run,
    proposed_dose,
    proposed_dose_safety,
)
from interim.analysis.population import efficacy_set, open_rows, population
from interim.data.model import Sdtm
from interim.result import Result, Rows
from interim.study import Study
from interim.study.expansion import OTHER_TYPE

_AT_DOSE, _SWITCHED = "recommended dose", "without switched participants"
_NO_SOURCE = "not available: the source of the NK cells is not recorded in the data"


@dataclass(frozen=True)
class Variant:
    """One other choice: its name, the model that is looked at, the study as it would be, and the counts."""

    name: str
    model: str
    study: Study
    counts: Counts


def sensitivity(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Give the class of every type under other priors, rates, scopes and readings.

    Parameters
    ----------
    adam : Adam
        ADSL with NKSRC and NKSWDT, ADRS, ADAE.
    study : Study
        ``expansion.prior``: tau_sensitivity, weight_sensitivity, p0_odds_sensitivity.
    sdtm : Sdtm
        Recorded decisions on dose.

    Returns
    -------
    Result
        ``expansion_sensitivity.sensitivity``; variable ``row``, level = choice and model; per type (group) prob_above, ppos,
        go_margin (smallest distance to a GO threshold), class; total: flips against the same model in the base case.

    Raises
    ------
    DerivationError
        If ADSL lacks the set.
    """
    who = population(adam, study, efficacy_set(study))
    title = "Candidate tumour types: sensitivity of the class"
    rows = open_rows("expansion_sensitivity.sensitivity", title, who)
    reason = not_run(adam, study)
    if reason:
        return add_reason(rows, reason, variable="sensitivity").build()
    crossing = proposed_dose_safety(adam, study, sdtm).crossing
    base: dict[str, dict[str, str]] = {}
    for variant in _variants(adam, study, sdtm):
        kinds = _add_variant(rows, variant, study, crossing=crossing)
        first = base.setdefault(variant.model, kinds)
        flips = sum(kind != first[name] for name, kind in kinds.items())
        rows.add("flips", flips, variable="row", level=_level(variant), n=flips, N=len(kinds))
    for name, why in _missing(adam, study, sdtm).items():
        rows.add("flips", None, variable="row", level=name, status="NA", reason=why)
    return rows.build()


def _missing(adam: Adam, study: Study, sdtm: Sdtm) -> dict[str, str]:
    """Return the choices that cannot be looked at, and why."""
    found = {} if proposed_dose(adam, study, sdtm) else {_AT_DOSE: NO_DOSE}
    return found if _source_is_recorded(adam) else {**found, _SWITCHED: _NO_SOURCE}


def _source_is_recorded(adam: Adam) -> bool:
    return "NKSRC" in adam["ADSL"] and bool(adam["ADSL"]["NKSRC"].notna().any())


def _not_switched(adam: Adam, keep: frozenset[str] | None) -> frozenset[str]:
    """Return the participants in scope whose NK cells never came from another source, as far as recorded."""
    adsl = adam["ADSL"]
    same = frozenset(adsl.loc[adsl["NKSWDT"].isna(), "USUBJID"])
    return same if keep is None else same & keep


def _level(variant: Variant) -> str:
    return f"{variant.name} | {variant.model}"


def _add_variant(rows: Rows, variant: Variant, study: Study, *, crossing: bool) -> dict[str, str]:
    view = assess(variant.model, variant.counts, variant.study, crossing=crossing)
    kinds: dict[str, str] = {}
    for k, entry in enumerate(variant.study.expansion.type):
        verdict = view.verdicts[k]
        place: dict[str, Any] = {
            "group": entry.id,
            "variable": "row",
            "level": _level(variant),
            "n": variant.counts[0][k],
            "N": variant.counts[1][k],
        }
        rows.add("prob_above", float(view.fit.prob_above[k]), **place)
        rows.add("ppos", view.ppos[k], **place)
        rows.add("go_margin", min(verdict.margins["go_prob"], verdict.margins["go_ppos"]), **place)
        rows.add("class", None, text=verdict.kind, **place)
        kinds[entry.id] = verdict.kind
    left = [entry for entry in study.expansion.type if entry.id not in kinds]
    for entry in left:
        rows.add(
            "class",
            None,
            group=entry.id,
            variable="row",
            level=_level(variant),
            status="NA",
            reason="left out",
        )
    return kinds


def _variants(adam: Adam, study: Study, sdtm: Sdtm) -> Iterator[Variant]:
    table = study.expansion
    confirmed = table.response_status == "confirmed"
    types = count_types(adam, study, confirmed=confirmed, keep=in_scope(adam, study, sdtm))
    counts: Counts = (types.r, types.n)
    used = dict.fromkeys((table.decision_model, *table.supportive_models, *table.sensitivity_models))
    for model in used:
        yield Variant("base case", model, study, counts)
    for model in (name for name in used if name in ("hierarchical", "exnex")):
        for scale in table.prior.tau_sensitivity:
            yield Variant(f"spread scale {scale:g}", model, _with_prior(study, tau_scale=scale), counts)
    for weight in table.prior.weight_sensitivity if "exnex" in used else ():
        yield Variant(f"weight {weight:g}", "exnex", _with_weight(study, weight), counts)
    for odds in table.prior.p0_odds_sensitivity:
        yield Variant(f"odds of p0 and p1 x {odds:g}", table.decision_model, _with_odds(study, odds), counts)
    for name, keep in _scopes(adam, study, sdtm).items():
        part = count_types(adam, study, confirmed=confirmed, keep=keep)
        yield Variant(name, table.decision_model, study, (part.r, part.n))
    yield from _without_other(study, counts, tuple(used))


def _scopes(adam: Adam, study: Study, sdtm: Sdtm) -> dict[str, frozenset[str] | None]:
    """Return the participants of other scopes, by name (None: all)."""
    found: dict[str, frozenset[str] | None] = {"all doses": None}
    if proposed_dose(adam, study, sdtm):
        found[_AT_DOSE] = in_scope(adam, study, sdtm, scope="rp2d")
    if _source_is_recorded(adam):
        found[_SWITCHED] = _not_switched(adam, in_scope(adam, study, sdtm))
    return found


def _without_other(study: Study, counts: Counts, used: tuple[str, ...]) -> Iterator[Variant]:
    kept = [k for k, entry in enumerate(study.expansion.type) if entry.id != OTHER_TYPE]
    if len(kept) == len(study.expansion.type) or not kept:
        return
    fewer = _with_table(study, type=tuple(study.expansion.type[k] for k in kept))
    part: Counts = (tuple(counts[0][k] for k in kept), tuple(counts[1][k] for k in kept))
    for model in used:
        yield Variant("without the type other", model, fewer, part)


def _with_table(study: Study, **changes: Any) -> Study:
    return study.model_copy(update={"expansion": study.expansion.model_copy(update=changes)})


def _with_prior(study: Study, **changes: Any) -> Study:
    return _with_table(study, prior=study.expansion.prior.model_copy(update=changes))


def _with_weight(study: Study, weight: float) -> Study:
    types = (entry.model_copy(update={"exnex_weight": weight}) for entry in study.expansion.type)
    return _with_table(study, type=tuple(types))


def _with_odds(study: Study, factor: float) -> Study:
    types = (
        entry.model_copy(update={"p0": scaled(entry.p0, factor), "p1": scaled(entry.p1, factor)})
        for entry in study.expansion.type
    )
    return _with_table(study, type=tuple(types))


def scaled(rate: float, factor: float) -> float:
    """Return the rate whose odds are a multiple of the odds of another.

    Parameters
    ----------
    rate : float
        Between 0 and 1.
    factor : float
        Greater than 0.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    None

    Examples
    --------
    >>> scaled(0.5, 3.0)
    0.75
    """
    odds = factor * rate / (1.0 - rate)
    return odds / (1.0 + odds)
