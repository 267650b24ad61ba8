"""Which tumour types go to Phase IB: rates, borrowing, the grid of decisions, and how little would change it."""

from __future__ import annotations

from typing import Any

from interim.adam.model import Adam
from interim.analysis.expansion_facts import add_facts, record_text, recorded_types
from interim.analysis.expansion_models import OWN
from interim.analysis.expansion_types import (
    NO_RATES,
    Assessed,
    Types,
    add_reason,
    assess,
    count_types,
    in_scope,
    not_run,
    printed,
    proposed_dose_safety,
    with_registered_types,
)
from interim.analysis.population import add_rate, efficacy_set, open_rows, population
from interim.analysis.response import disease_control
from interim.data.model import Sdtm
from interim.result import Result, Rows
from interim.stats.answers import Floats
from interim.study import Study

_NO_CONTROL = "not available: no disease control in the data"
CHANGES = {
    "r-1": (-1, 0),
    "r+1": (1, 0),
    "new responder": (1, 1),
    "new non-responder": (0, 1),
}
"""Change -> responders and participants added."""


def candidates(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Give every tumour type its rate, what each model makes of it, and its class.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS, ADAE.
    study : Study
        Table ``expansion``.
    sdtm : Sdtm
        Recorded decisions on dose.

    Returns
    -------
    Result
        ``expansion.candidates``; group = id of the type: variables ``orr`` and ``dcr`` (rate, lower, upper), ``type`` (p0, p1,
        sources, grade of evidence), those of `add_facts`, ``share`` (level = other type), one variable per model (prob_above, mean, lower, upper, ppos, ess, borrowed,
        p_exchangeable, class), ``margin`` (level = condition), ``decision`` (class by the deciding model, models that
        differ), ``size`` (level = new participants: success on them alone, and pooled with Phase IA); total: ``unknown``, ``safety``.
        Where no null rates are given, candidates has the reason, and the registered tumour types have what does not rest on such
        rates: members, orr, dcr, grade of evidence, the facts.

    Raises
    ------
    DerivationError
        If ADSL lacks the set.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("expansion.candidates", "Candidate tumour types for Phase IB", who)
    reason = not_run(adam, study)
    if reason:
        add_reason(rows, reason, variable="candidates")
        named = with_registered_types(study)
        if reason == NO_RATES and not not_run(adam, named):
            _add_observed(rows, adam, named, sdtm=sdtm)
        return rows.build()
    types = _add_observed(rows, adam, study, sdtm=sdtm)
    _add_null_rates(rows, types)
    safety = proposed_dose_safety(adam, study, sdtm)
    unknown = sorted(types.unknown)
    rows.add("n", len(unknown), variable="unknown", n=len(unknown), N=types.who.n(), subjects=unknown)
    text = f"{safety.events} of {safety.n} at {safety.dose}" if safety.dose else "no recommended dose"
    rows.add("n", None, variable="safety", text=text + ("; boundary crossed" if safety.crossing else ""))
    views = {
        model: assess(model, (types.r, types.n), study, crossing=safety.crossing) for model in models(study)
    }
    for model, view in views.items():
        _add_model(rows, types, model, view)
    _add_sizes(rows, types, views[study.expansion.decision_model], study)
    _add_decisions(rows, types, views, study, sdtm=sdtm)
    return rows.build()


def models(study: Study) -> tuple[str, ...]:
    """Return the models of the study: own data first, then the deciding, supportive and sensitivity ones.

    Parameters
    ----------
    study : Study
        Table ``expansion``.

    Returns
    -------
    tuple of str
        Each once.

    Raises
    ------
    None
    """
    table = study.expansion
    named = (OWN, table.decision_model, *table.supportive_models, *table.sensitivity_models)
    return tuple(dict.fromkeys(named))


def role(model: str, study: Study) -> str:
    """Return the role of a model: decides, supportive, sensitivity, or own data.

    Parameters
    ----------
    model : str
        The model.
    study : Study
        Table ``expansion``.

    Returns
    -------
    str
        The role.

    Raises
    ------
    None
    """
    table = study.expansion
    if model == table.decision_model:
        return "decides"
    if model in table.supportive_models:
        return "supportive"
    return "sensitivity" if model in table.sensitivity_models else "own data"


def _add_observed(rows: Rows, adam: Adam, study: Study, *, sdtm: Sdtm) -> Types:
    """Add what was observed in every type, whatever its null rate."""
    confirmed = study.expansion.response_status == "confirmed"
    types = count_types(adam, study, confirmed=confirmed, keep=in_scope(adam, study, sdtm))
    _add_counts(rows, types, adam, study)
    add_facts(rows, types, adam=adam, study=study, sdtm=sdtm)
    return types


def _add_null_rates(rows: Rows, types: Types) -> None:
    for entry in types.types:
        place: dict[str, Any] = {"group": entry.id, "variable": "type"}
        rows.add("p0", entry.p0, **place)
        rows.add("p1", entry.p1, **place)
        rows.add("sources", None, text=f"p0: {entry.p0_source}; p1: {entry.p1_source}", **place)


def _add_counts(rows: Rows, types: Types, adam: Adam, study: Study) -> None:
    confirmed = study.expansion.response_status == "confirmed"
    control = disease_control(adam, study, confirmed=confirmed)
    known = adam["ADRS"]["PARAMCD"].isin(["DCR", "CDCR"]).any()
    for entry, ids, hit in zip(types.types, types.members, types.responders, strict=True):
        both = {"orr": hit, "dcr": ids & control}
        if not known:
            rows.add("rate", None, group=entry.id, variable="dcr", status="NA", reason=_NO_CONTROL)
            del both["dcr"]
        for variable, found in both.items():
            counts = (len(found), len(ids))
            add_rate(rows, counts, study=study, where=(entry.id, variable, ""), subjects=sorted(found))
        place: dict[str, Any] = {"group": entry.id, "variable": "type"}
        rows.add("n", len(ids), n=len(ids), group=entry.id, variable="members", subjects=sorted(ids))
        rows.add("label", None, text=entry.label, **place)
        grade = printed()["grades"][sum(len(ids) >= least for least in study.expansion.grade_n)]
        rows.add("grade", None, text=grade, **place)


def _add_model(rows: Rows, types: Types, model: str, view: Assessed) -> None:
    fit = view.fit
    lower, upper, ess, borrowed = fit.lower, fit.upper, fit.ess, fit.borrowed
    for k, entry in enumerate(types.types):
        place: dict[str, Any] = {"group": entry.id, "variable": model, "n": types.r[k], "N": types.n[k]}
        numbers = {
            "prob_above": fit.prob_above[k],
            "mean": fit.mean[k],
            "lower": lower[k],
            "upper": upper[k],
            "ppos": view.ppos[k],
            "ess": ess[k],
            "borrowed": borrowed[k],
        }
        if fit.p_exchangeable is not None:
            numbers["p_exchangeable"] = fit.p_exchangeable[k]
        for stat, value in numbers.items():
            rows.add(stat, float(value), **place)
        rows.add("class", None, text=view.verdicts[k].kind, **place)
        if fit.share is not None:
            _add_share(rows, types, k, fit.share[k])


def _add_share(rows: Rows, types: Types, k: int, share: Floats) -> None:
    """Probability that two types have one rate, by the partition average."""
    for j, other in enumerate(types.types):
        if j != k:
            rows.add("share", float(share[j]), group=types.types[k].id, variable="share", level=other.id)


def _add_sizes(rows: Rows, types: Types, view: Assessed, study: Study) -> None:
    """Success on new participants alone, and pooled with those that selected the type, by size of the cohort."""
    cut = study.expansion.ppos_cut
    for k, entry in enumerate(types.types):
        for m in study.expansion.ppos_sizes:
            place: dict[str, Any] = {"group": entry.id, "variable": "size", "level": str(m)}
            rows.add("ppos_new", view.fit.size_success(k, m=m, cut=cut), **place)
            rows.add("ppos_pooled", view.fit.size_success(k, m=m, cut=cut, pooled=True), **place)


def _add_decisions(rows: Rows, types: Types, views: dict[str, Assessed], study: Study, *, sdtm: Sdtm) -> None:
    records = recorded_types(sdtm, study)
    deciding = views[study.expansion.decision_model]
    for k, entry in enumerate(types.types):
        verdict = deciding.verdicts[k]
        for condition, margin in verdict.margins.items():
            rows.add("margin", float(margin), group=entry.id, variable="margin", level=condition)
        others = [model for model, view in views.items() if view.verdicts[k].kind != verdict.kind]
        rows.add("class", None, group=entry.id, variable="decision", text=verdict.kind)
        rows.add("differs", None, group=entry.id, variable="decision", text=", ".join(others) or "none")
        recorded = record_text(verdict.kind, records.get(entry.id))
        rows.add("record", None, group=entry.id, variable="decision", text=recorded)


def tipping(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Show what one response more or less, and one participant more, would change.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS, ADAE.
    study : Study
        Table ``expansion``.
    sdtm : Sdtm
        Recorded decisions on dose.

    Returns
    -------
    Result
        ``expansion.tipping``; group = id of the type that changes, level = change: text ``class`` (class of that type, and the
        other types that flip), ``prob_above`` and ``ppos`` of it; variable ``other <id>``: the same of every other type; variable
        ``smallest``: fewest changed responses that alter its class.

    Raises
    ------
    DerivationError
        If ADSL lacks the set.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("expansion.tipping", "One response more or less", who)
    reason = not_run(adam, study)
    if reason:
        return add_reason(rows, reason, variable="tipping").build()
    confirmed = study.expansion.response_status == "confirmed"
    types = count_types(adam, study, confirmed=confirmed, keep=in_scope(adam, study, sdtm))
    crossing = proposed_dose_safety(adam, study, sdtm).crossing
    base = classes((types.r, types.n), study, crossing=crossing)
    for k, entry in enumerate(types.types):
        for change, step in CHANGES.items():
            _add_change(rows, (k, change), _moved(types, k, step), study, base=base, crossing=crossing)
        smallest = _smallest(types, k, study, base=base, crossing=crossing)
        place: dict[str, Any] = {"group": entry.id, "variable": "smallest"}
        if smallest is None:
            rows.add(
                "n", None, status="NE", reason="no number of changed responses alters the class", **place
            )
        else:
            rows.add("n", smallest, **place)
    return rows.build()


def classes(
    counts: tuple[tuple[int, ...], tuple[int, ...]], study: Study, *, crossing: bool
) -> tuple[str, ...]:
    """Return the class of every type by the deciding model.

    Parameters
    ----------
    counts : tuple of tuple of int
        Responders and participants per type.
    study : Study
        Table ``expansion``.
    crossing : bool
        Whether the toxicity boundary is crossed.

    Returns
    -------
    tuple of str
        Classes.

    Raises
    ------
    None
    """
    view = assess(study.expansion.decision_model, counts, study, crossing=crossing)
    return tuple(verdict.kind for verdict in view.verdicts)


def _moved(types: Types, k: int, step: tuple[int, int]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Counts with one type changed; None where that is impossible."""
    r, n = list(types.r), list(types.n)
    r[k], n[k] = r[k] + step[0], n[k] + step[1]
    return (tuple(r), tuple(n)) if 0 <= r[k] <= n[k] else None


def _add_change(
    rows: Rows,
    where: tuple[int, str],
    counts: tuple[tuple[int, ...], tuple[int, ...]] | None,
    study: Study,
    *,
    base: tuple[str, ...],
    crossing: bool,
) -> None:
    k, change = where
    types = study.expansion.type
    place: dict[str, Any] = {"group": types[k].id, "variable": "change", "level": change}
    if counts is None:
        rows.add("class", None, status="NE", reason="impossible with these counts", **place)
        return
    view = assess(study.expansion.decision_model, counts, study, crossing=crossing)
    for j in (j for j in range(len(types)) if j != k):
        other: dict[str, Any] = {"group": types[k].id, "variable": f"other {types[j].id}", "level": change}
        rows.add("prob_above", float(view.fit.prob_above[j]), **other)
        rows.add("ppos", view.ppos[j], **other)
        rows.add("class", None, text=view.verdicts[j].kind, **other)
    flips = [
        f"{types[j].label}: {verdict.kind}"
        for j, verdict in enumerate(view.verdicts)
        if j != k and verdict.kind != base[j]
    ]
    mark = " (flips)" if view.verdicts[k].kind != base[k] else ""
    rows.add("class", None, text="; ".join([view.verdicts[k].kind + mark, *flips]), **place)
    rows.add("prob_above", float(view.fit.prob_above[k]), **place)
    rows.add("ppos", view.ppos[k], **place)


def _smallest(types: Types, k: int, study: Study, *, base: tuple[str, ...], crossing: bool) -> int | None:
    for size in range(1, min(printed()["most_changes"], types.n[k]) + 1):
        for sign in (-1, 1):
            counts = _moved(types, k, (sign * size, 0))
            if counts is not None and classes(counts, study, crossing=crossing)[k] != base[k]:
                return size
    return None
