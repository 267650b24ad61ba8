"""All cohorts of Phase IB together: false and right decisions, and participants in cohorts that do not respond."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.expansion_designs import scenarios
from interim.analysis.expansion_models import calibrated, full_sizes, outcomes_absent
from interim.analysis.expansion_types import NO_RATES, add_reason, count_types, in_scope, not_run, printed
from interim.data.model import Sdtm
from interim.design.expansion import Infeasible, Monitored
from interim.design.expansion_counted import conditional_go
from interim.design.expansion_named import JOINT, named_design
from interim.design.expansion_select import select_arm
from interim.design.monitoring import characteristics
from interim.design.monitoring_borrowing import borrowing_characteristics, inactive_participants
from interim.result import Result, Rows
from interim.stats.answers import Floats
from interim.study import Study
from interim.study.expansion import TumourType

_OVERALL = ("any_false", "any_active", "all_active", "correct", "inactive_n", "total_n")


@dataclass(frozen=True, eq=False)
class _Together:
    """One scenario of one design: go per cohort, and what all cohorts give together."""

    go: Floats
    overall: Mapping[str, float]
    bias: Floats | None = None
    mse: Floats | None = None


def together(adam: Adam, study: Study) -> Result:
    """Give the exact characteristics of every design for all cohorts together.

    Parameters
    ----------
    adam : Adam
        Not read; the designs do not depend on data.
    study : Study
        ``expansion.design``, ``compare_designs``, types.

    Returns
    -------
    Result
        ``expansion_scenarios.together``; group = scenario, variable = design; ``p_go`` (level = id of the type); any_false, any_active,
        all_active, correct (expected right decisions), inactive_n and total_n (expected participants); for looks at all
        cohorts, one per model of the study at equal familywise false go, also bias and mse of the mean per type.

    Raises
    ------
    DesignError
        If a design cannot be built.
    """
    rows = Rows(
        "expansion_scenarios.together",
        "Phase IB designs: all cohorts together",
        population="No participant data",
        method="exact enumeration, no simulation (standard error 0)",
        group_var="SCENARIO",
    )
    table = study.expansion
    if not table.type:
        return add_reason(rows, NO_RATES, variable="together").build()
    truth = scenarios(table.type)
    for name in dict.fromkeys((table.design, *table.compare_designs)):
        for label, found in _designs(name, study, truth):
            if isinstance(found, str):
                rows.add("any_false", None, variable=label, status="NE", reason=found)
                continue
            for scenario, one in zip(truth, found, strict=True):
                _add_scenario(rows, (scenario, label), one, table.type)
    return rows.build()


def _designs(
    name: str, study: Study, truth: Mapping[str, list[float]]
) -> Iterator[tuple[str, list[_Together] | str]]:
    """A design of single cohorts once; the look at all cohorts once per model of the study."""
    if name != JOINT:
        yield name, _separate(name, study, truth)
        return
    table = study.expansion
    for model in dict.fromkeys((table.decision_model, *table.supportive_models, *table.sensitivity_models)):
        reason = outcomes_absent(study, full_sizes(study), model=model)
        yield f"look by {model}", reason or _jointly(study, truth, model=model)


def _jointly(study: Study, truth: Mapping[str, list[float]], *, model: str) -> list[_Together]:
    joint = calibrated(study, model=model)
    found = borrowing_characteristics(joint.table, list(truth.values()), cut=joint.cut)
    sizes = np.array(full_sizes(study), dtype=float)
    answers = []
    for place, rates in enumerate(truth.values()):
        overall = (
            found.any_false_go[place],
            _any_active(joint.table.weights(rates), joint.go, np.array(rates) > joint.table.p0),
            found.all_active_go[place],
            found.correct[place],
            inactive_participants(joint.table, rates, expected_n=sizes),
            float(sizes.sum()),
        )
        numbers = dict(zip(_OVERALL, map(float, overall), strict=True))
        answers.append(_Together(found.p_go[place], numbers, found.bias[place], found.mse[place]))
    return answers


def _any_active(weight: Floats, go: np.ndarray, active: np.ndarray) -> float:
    return float(weight @ go[:, active].any(axis=1))


def _separate(name: str, study: Study, truth: Mapping[str, list[float]]) -> list[_Together] | str:
    """Cohorts do not know of each other: products of their exact characteristics."""
    types = study.expansion.type
    cohorts: list[Monitored] = []
    for entry in types:
        design = named_design(name, study.expansion, p0=entry.p0, p1=entry.p1)
        if isinstance(design, Infeasible):
            return f"{entry.label}: {design.reason}; best power {design.best_power:.3f}"
        cohorts.append(design)
    answers = []
    for rates in truth.values():
        each = [characteristics(design, [rate]) for design, rate in zip(cohorts, rates, strict=True)]
        go = np.array([float(one.p_go[0]) for one in each])
        size = np.array([float(one.expected_n[0]) for one in each])
        active = np.array([rate > entry.p0 for rate, entry in zip(rates, types, strict=True)])
        overall = (
            1.0 - np.prod(1.0 - go[~active]),
            1.0 - np.prod(1.0 - go[active]),
            np.prod(go[active]),
            np.where(active, go, 1.0 - go).sum(),
            size[~active].sum(),
            size.sum(),
        )
        answers.append(_Together(go, dict(zip(_OVERALL, map(float, overall), strict=True))))
    return answers


def _add_scenario(rows: Rows, where: tuple[str, str], one: _Together, types: tuple[TumourType, ...]) -> None:
    place: dict[str, Any] = {"group": where[0], "variable": where[1]}
    for k, entry in enumerate(types):
        rows.add("p_go", float(one.go[k]), level=entry.id, **place)
        if one.bias is not None and one.mse is not None:
            rows.add("bias", float(one.bias[k]), level=entry.id, **place)
            rows.add("mse", float(one.mse[k]), level=entry.id, **place)
    for stat, value in one.overall.items():
        rows.add(stat, value, **place)


def choices(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Give what selecting between two doses, and counting Phase IA participants, would do.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS: participants per type at the recommended dose.
    study : Study
        ``expansion.count_phase_ia``, design, types.
    sdtm : Sdtm
        Recorded decisions on dose.

    Returns
    -------
    Result
        ``expansion_scenarios.choices``; group = id of the type; variable ``selection`` (level = least lead in responses): p_correct,
        p_wrong, p_tie between a dose at p0 and one at p1; variable ``counted`` (levels p0, p1): p_go on new participants and
        p_go_selected if those of Phase IA count, given enough responses; total: ``in_force`` (text).

    Raises
    ------
    DesignError
        If a design cannot be built.
    """
    title = "Selection between two doses, and Phase IA participants counted once"
    rows = Rows(
        "expansion_scenarios.choices",
        title,
        population="No participant data",
        method="exact",
        group_var="TUMTYPE",
    )
    reason = not_run(adam, study)
    if reason:
        return add_reason(rows, reason, variable="choices").build()
    table = study.expansion
    confirmed = table.response_status == "confirmed"
    rows.add("in_force", None, variable="counted", text=f"count_phase_ia = {table.count_phase_ia}")
    keep = in_scope(adam, study, sdtm, scope="rp2d")
    sizes = count_types(adam, study, confirmed=confirmed, keep=keep).n
    for entry, n_ia in zip(table.type, sizes, strict=True):
        for lead in printed()["select_leads"]:
            found = select_arm(table.n_max, (entry.p0, entry.p1), min_diff=lead)
            place: dict[str, Any] = {
                "group": entry.id,
                "variable": "selection",
                "level": str(lead),
                "n": table.n_max,
            }
            rows.add("p_correct", found.p_correct, **place)
            rows.add("p_wrong", found.p_wrong, **place)
            rows.add("p_tie", found.p_tie, **place)
        _add_counted(rows, entry, study, n_ia=n_ia)
    return rows.build()


def _add_counted(rows: Rows, entry: TumourType, study: Study, *, n_ia: int) -> None:
    table = study.expansion
    name, least = entry.design or table.design, table.own_min_resp
    place: dict[str, Any] = {"group": entry.id, "variable": "counted", "n": n_ia}
    design = None if name == JOINT else named_design(name, table, p0=entry.p0, p1=entry.p1)
    if not isinstance(design, Monitored):
        rows.add("p_go", None, status="NE", reason="no design of the single cohort", **place)
    elif not least <= n_ia < design.n_max:
        reason = f"{n_ia} participants of Phase IA at the recommended dose, {least} responses needed"
        rows.add("p_go", None, status="NE", reason=reason, **place)
    else:
        for level, rate in (("p0", entry.p0), ("p1", entry.p1)):
            found = conditional_go(design, rate, n_ia=n_ia, min_resp=least)
            rows.add("p_go", found.p_go, level=level, **place)
            rows.add("p_go_selected", found.p_go_selected, level=level, **place)
