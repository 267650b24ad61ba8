"""Phase IB before it starts: designs with exact characteristics, toxicity boundaries, characteristics of the rule itself."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.expansion_models import OWN, calibrated, full_sizes, outcome_table, outcomes_absent
from interim.analysis.expansion_types import (
    NO_DOSE,
    NO_RATES,
    Safety,
    add_reason,
    count_types,
    in_scope,
    not_run,
    printed,
    proposed_dose_safety,
    success_states,
)
from interim.analysis.population import efficacy_set, population
from interim.data.model import Sdtm
from interim.design.expansion import Infeasible, Monitored
from interim.design.expansion_named import JOINT, NEEDS_RATES, named_design, named_monitor, rule_text
from interim.design.expansion_rule import go_by_outcome
from interim.design.monitoring import (
    Characteristics,
    Monitor,
    characteristics,
    continued,
    toxicity_characteristics,
)
from interim.design.monitoring_borrowing import borrowing_characteristics, rule_characteristics
from interim.result import Result, Rows
from interim.stats.borrowing import OutcomeTable
from interim.study import Study
from interim.study.expansion import TumourType

_TREATED = "CAR-T safety set at the recommended dose"


def designs(adam: Adam, study: Study) -> Result:
    """Give the exact characteristics of every design that is compared.

    Parameters
    ----------
    adam : Adam
        Not read; the designs do not depend on data.
    study : Study
        ``expansion.design``, ``compare_designs``, ``rates``, types.

    Returns
    -------
    Result
        ``expansion_designs.designs``; group = design, level = true rate: ``p_go``, ``p_stop``, ``expected_n``, ``any_go`` (at
        least one go in all cohorts); texts ``rule`` and ``status``; variable ``type`` (level = id of the type): false go
        at its p0 and power at its p1 for the design of the study, with finding EXP-ALPHA or EXP-POWER as text.

    Raises
    ------
    DesignError
        If a design cannot be built.
    """
    rows = Rows(
        "expansion_designs.designs",
        "Phase IB designs considered and operating characteristics",
        population="No participant data",
        method="exact enumeration, no simulation (standard error 0)",
        group_var="DESIGN",
    )
    table = study.expansion
    rates = sorted({*table.rates, *(p for entry in table.type for p in (entry.p0, entry.p1))})
    cohorts = len(table.type) or printed()["cohorts"]
    for name in dict.fromkeys((table.design, *table.compare_designs)):
        if name in NEEDS_RATES and not table.type:
            rows.add("rule", None, group=name, variable="design", status="NA", reason=NO_RATES)
        elif name == JOINT and (reason := outcomes_absent(study, full_sizes(study), model="exnex")):
            rows.add("rule", None, group=name, variable="design", status="NE", reason=reason)
        elif name == JOINT:
            _add_joint(rows, study, rates)
        else:
            _add_single(rows, name, study, rates=rates, cohorts=cohorts)
    for entry in table.type:
        _add_type(rows, entry, study)
    return rows.build()


def _reference_rates(study: Study) -> tuple[float | None, float | None]:
    """Rates of the first type, for designs that are built from p0 and p1."""
    types = study.expansion.type
    return (types[0].p0, types[0].p1) if types else (None, None)


def _add_single(rows: Rows, name: str, study: Study, *, rates: list[float], cohorts: int) -> None:
    p0, p1 = _reference_rates(study)
    design = named_design(name, study.expansion, p0=p0, p1=p1)
    if isinstance(design, Infeasible):
        reason = f"{design.reason}; best power {design.best_power:.3f}"
        rows.add("rule", None, group=name, variable="design", status="NE", reason=reason)
        return
    rows.add("rule", None, group=name, variable="design", text=rule_text(design))
    first = design.first_stop_at_zero()
    text = "no look" if first is None else f"{first} participants"
    rows.add("first_zero", None, group=name, variable="design", text=text)
    _add_rates(rows, name, _exact(design, tuple(rates)), cohorts)
    if name in ("bayes_monitor", study.expansion.design):
        _add_with_monitor(rows, name, design, study, rates=rates)


@lru_cache(maxsize=128)
def _exact(
    design: Monitored, rates: tuple[float, ...], monitor: Monitor | None = None, event: float = 0.0
) -> Characteristics:
    """Return the exact characteristics of a design; readings with the same design share them."""
    events = None if monitor is None else [event] * len(rates)
    return characteristics(design, rates, toxicity=monitor, tox_rates=events)


def _add_rates(rows: Rows, name: str, found: Characteristics, cohorts: int) -> None:
    anywhere = found.any_go(cohorts)
    for place, rate in enumerate(found.rates):
        where: dict[str, Any] = {"group": name, "variable": "rate", "level": f"{rate:g}"}
        rows.add("p_go", float(found.p_go[place]), **where)
        rows.add("p_stop", float(found.p_futility[place]), **where)
        rows.add("expected_n", float(found.expected_n[place]), **where)
        rows.add("any_go", float(anywhere[place]), **where)


def _add_with_monitor(rows: Rows, name: str, design: Monitored, study: Study, *, rates: list[float]) -> None:
    """Both rules together, at event rates below, at and above the limit of the monitor."""
    monitor = named_monitor(study.expansion.monitor, n_max=design.n_max)
    if monitor is None:
        return
    limit = study.expansion.monitor.limit
    for share in printed()["monitor_shares"]:
        event = limit * share
        found = _exact(design, tuple(rates), monitor, event)
        for place, rate in enumerate(rates):
            where: dict[str, Any] = {
                "group": name,
                "variable": f"with monitor {event:.3g}",
                "level": f"{rate:g}",
            }
            rows.add("p_go", float(found.p_go[place]), **where)
            rows.add("p_cross", float(found.p_cross[place]), **where)
            rows.add("expected_n", float(found.expected_n[place]), **where)


def _add_joint(rows: Rows, study: Study, rates: list[float]) -> None:
    """One look at the full size, the cut set for the familywise false go when every type is at its null rate."""
    size, types = study.expansion.n_max, study.expansion.type
    joint = calibrated(study, model="exnex")
    rows.add(
        "rule", None, group=JOINT, variable="design", text=f"go if P(p > p0) > {joint.cut:.4f} at {size}"
    )
    truth = [[rate] * len(types) for rate in rates]
    found = borrowing_characteristics(joint.table, truth, cut=joint.cut)
    for place, rate in enumerate(rates):
        where: dict[str, Any] = {"group": JOINT, "variable": "rate", "level": f"{rate:g}"}
        rows.add("p_go", float(found.p_go[place].mean()), **where)
        rows.add("p_stop", 0.0, **where)
        rows.add("expected_n", float(size), **where)
        rows.add("any_go", float(found.any_go[place]), **where)


def _add_type(rows: Rows, entry: TumourType, study: Study) -> None:
    """False go and power of the type's own design, beside the limits of the study."""
    table = study.expansion
    name = entry.design or table.design
    place: dict[str, Any] = {"group": name, "variable": "type", "level": entry.id}
    design = (
        Infeasible("the design decides about all cohorts together", 0.0)
        if name == JOINT
        else named_design(name, table, p0=entry.p0, p1=entry.p1)
    )
    if isinstance(design, Infeasible):
        rows.add("alpha", None, status="NE", reason=design.reason, **place)
        return
    found = characteristics(design, [entry.p0, entry.p1])
    alpha, power = float(found.p_go[0]), float(found.p_go[1])
    rows.add("alpha", alpha, **place)
    rows.add("power", power, **place)
    codes = ["EXP-ALPHA"] * (alpha > table.alpha_max) + ["EXP-POWER"] * (power < table.power_min)
    rows.add("limits", None, text=", ".join(codes) or "within", **place)


def boundaries(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Give the boundaries of Phase IB: events that pause, responses that stop, and how often the first is crossed.

    Parameters
    ----------
    adam : Adam
        Read only if events of Phase IA are added: ADSL, ADAE, ADDLT.
    study : Study
        ``expansion.monitor`` (a pooled monitor counts the participants of all cohorts; ``include_phase_ia_rp2d`` adds those of
        Phase IA at the recommended dose), ``expansion.design``.
    sdtm : Sdtm
        Recorded decisions on dose.

    Returns
    -------
    Result
        ``expansion_designs.boundaries``; level = participants treated: ``tox`` (NA where no count pauses) and ``futility``;
        variable ``crossing`` (level = true event rate): chance to cross by the full size; variable ``phase_ia``: events that are
        added, only if the study adds them.

    Raises
    ------
    DesignError
        If the boundary cannot be built.
    DataError
        If the dose-escalation history is asked for and cannot be used.
    """
    table = study.expansion
    added = table.monitor.include_phase_ia_rp2d
    rows = Rows(
        "expansion_designs.boundaries",
        "Phase IB monitoring boundaries",
        population=_TREATED if added else "No participant data",
        method="exact",
        group_var="",
    )
    size = table.n_max
    if table.monitor.scope == "pooled":
        size *= len(table.type) or printed()["cohorts"]
    earlier = _earlier(rows, adam, study, sdtm) if added else Safety()
    whole = size + earlier.n
    monitor = named_monitor(table.monitor, n_max=whole)
    limits = continued(
        monitor.boundary(whole) if monitor is not None else (None,) * whole,
        n=earlier.n,
        events=earlier.events,
    )
    p0, p1 = _reference_rates(study)
    design = (
        Infeasible(NO_RATES, 0.0)
        if table.design == JOINT
        else named_design(table.design, table, p0=p0, p1=p1)
    )
    for n, limit in enumerate(limits, 1):
        place: dict[str, Any] = {"variable": "boundary", "level": str(n)}
        if limit is None:
            rows.add("tox", None, status="NA", reason="no number of events pauses", **place)
        else:
            rows.add("tox", limit, **place)
        least = design.boundary(n) if isinstance(design, Monitored) and n <= table.n_max else -1
        if least < 0:
            rows.add(
                "futility", None, status="NA", reason="no look, or no number of responses stops", **place
            )
        else:
            rows.add("futility", least, **place)
    crossing = toxicity_characteristics(limits, table.rates)
    for place_, rate in enumerate(table.rates):
        where: dict[str, Any] = {"variable": "crossing", "level": f"{rate:g}"}
        rows.add("p_cross", float(crossing.p_cross[place_]), **where)
        rows.add("expected_n", float(crossing.expected_n[place_]), **where)
    return rows.build()


def _earlier(rows: Rows, adam: Adam, study: Study, sdtm: Sdtm) -> Safety:
    """Return the toxicity of Phase IA at the recommended dose, and add it as a row."""
    found = proposed_dose_safety(adam, study, sdtm)
    text = f"{found.events} of {found.n} at {found.dose}" if found.dose else NO_DOSE
    rows.add(
        "events",
        found.events if found.dose else None,
        text=text,
        variable="phase_ia",
        subjects=found.affected,
    )
    return found


def rule_of_choice(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Give the exact characteristics of the grid itself at the numbers of participants that Phase IA has.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS: participants per type; no response is read.
    study : Study
        Table ``expansion``.
    sdtm : Sdtm
        Recorded decisions on dose: who is in scope.

    Returns
    -------
    Result
        ``expansion_designs.rule_of_choice``; group = scenario, level = id of the type: ``p_go`` and ``p_go_both`` (a go in Phase
        IA and in Phase IB); variable ``any_false``; one block per deciding and supportive model (variable).

    Raises
    ------
    DesignError
        If there are too many outcomes.
    """
    who = population(adam, study, efficacy_set(study))
    rows = Rows(
        "expansion_designs.rule_of_choice",
        "Characteristics of the rule that chooses tumour types",
        population=who.label,
        method="exact sum over all outcomes, without a toxicity crossing",
        group_var="SCENARIO",
    )
    reason = not_run(adam, study)
    if reason:
        return add_reason(rows, reason, variable="rule").build()
    confirmed = study.expansion.response_status == "confirmed"
    sizes = list(count_types(adam, study, confirmed=confirmed, keep=in_scope(adam, study, sdtm)).n)
    table = study.expansion
    states = tuple(success_states(study, entry) for entry in table.type)
    if reason := outcomes_absent(study, sizes, model=OWN):
        rows.add("any_false", None, variable=table.decision_model, status="NE", reason=reason)
        return rows.build()
    own = outcome_table(study, sizes, model=OWN, success=states)
    for model in dict.fromkeys((table.decision_model, *table.supportive_models)):
        if reason := outcomes_absent(study, sizes, model=model):
            rows.add("any_false", None, variable=model, status="NE", reason=reason)
            continue
        outcomes = own if model == OWN else outcome_table(study, sizes, model=model, success=states)
        _add_rule(rows, model, outcomes, study, go=go_by_outcome(outcomes, own, table))
    return rows.build()


def scenarios(types: tuple[TumourType, ...]) -> dict[str, list[float]]:
    """Return the true rates under which a rule is judged: none, each alone, all but each, all active.

    Parameters
    ----------
    types : tuple of TumourType
        Rates.

    Returns
    -------
    dict of str to list of float
        Name -> rate per type.

    Raises
    ------
    None
    """
    low, high = [entry.p0 for entry in types], [entry.p1 for entry in types]
    found = {"none active": low}
    for k, entry in enumerate(types):
        found[f"only {entry.label}"] = [high[j] if j == k else low[j] for j in range(len(types))]
    for k, entry in enumerate(types if len(types) > 2 else ()):
        found[f"all but {entry.label}"] = [low[j] if j == k else high[j] for j in range(len(types))]
    return {**found, "all active": high}


def _add_rule(rows: Rows, model: str, outcomes: OutcomeTable, study: Study, *, go: np.ndarray) -> None:
    types = study.expansion.type
    truth = scenarios(types)
    found = rule_characteristics(outcomes, list(truth.values()), go=go)
    for place, name in enumerate(truth):
        for k, entry in enumerate(types):
            where: dict[str, Any] = {"group": name, "variable": model, "level": entry.id}
            p_go = float(found.p_go[place, k])
            rows.add("p_go", p_go, **where)
            states, rate = success_states(study, entry), truth[name][k]
            later = sum(paths * rate**y * (1 - rate) ** (m - y) for y, m, paths in states)
            rows.add("p_go_both", p_go * later, **where)
        rows.add("any_false", float(found.any_false_go[place]), group=name, variable=model)
