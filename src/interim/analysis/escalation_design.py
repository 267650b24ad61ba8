"""Dose finding: what the rule of the study does on average, under every reading of the titration scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from interim.adam.model import Adam
from interim.analysis.escalation_state import NO_LADDER, add_absent, escalation_of, no_escalation
from interim.data.model import Sdtm
from interim.design.characteristics import Characteristics, scenario
from interim.design.escalation import TitratedThreePlusThree
from interim.design.operate import operating_characteristics
from interim.design.planning import Truth, planning_scenarios, truth
from interim.errors import DesignError
from interim.result import Result, Rows
from interim.study import Study
from interim.study.ambiguity import register
from interim.study.reread import with_readings

_SCOPE = "AMB-1"


def characteristics(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Compute what the rule does on average under the planning scenarios, for every reading of the titration scope.

    Parameters
    ----------
    adam : Adam
        ADDLT; the present state.
    study : Study
        Table ``dose``.
    sdtm : Sdtm
        Source data.

    Returns
    -------
    Result
        ``escalation_design.characteristics``; group by scenario, variable by reading of AMB-1 (and ``present``: from the state at the cut-off); stats none, mtd1 ... (exact
        probability of each MTD), cap, left, n (expected participants), dlt.

    Raises
    ------
    DesignError
        If there are more states than permitted.
    """
    title = "Exact operating characteristics of the escalation rule"
    rows = Rows("escalation_design.characteristics", title, method="exact", group_var="SCENARIO")
    scenarios = planning_scenarios(len(study.dose.levels))
    if no_escalation(adam, study) or not scenarios:
        reason = no_escalation(adam, study) or "the planning scenarios have another number of levels"
        return add_absent(rows, reason, variable="scenario").build()
    for name, rule in rules_by_scope(study).items():
        for label, found in operating_characteristics(rule, scenarios).items():
            _add_characteristics(rows, label, name, found)
    state = escalation_of(adam, study, sdtm)
    if state.by_rule.action != "STOP":
        present = operating_characteristics(state.rule, scenarios, start=state.history)
        for label, found in present.items():
            _add_characteristics(rows, label, "present", found)
    return rows.build()


def rules_by_scope(study: Study) -> dict[str, TitratedThreePlusThree]:
    """Return the rule of a study under every reading of the titration scope.

    Parameters
    ----------
    study : Study
        Table ``dose``.

    Returns
    -------
    dict of str to TitratedThreePlusThree
        Reading of AMB-1 -> rule; ``own`` first if the study reads the text in its own way.

    Raises
    ------
    DesignError
        If the options of the rule contradict each other.
    """
    own = next(reading for reading in study.readings if reading.amb == _SCOPE)
    rules = {"own": TitratedThreePlusThree.from_study(study)} if own.reading == "own" else {}
    letters = [letter for letter, entry in register()[_SCOPE].items() if isinstance(entry, Mapping)]
    for letter in letters:
        rules[letter] = TitratedThreePlusThree.from_study(with_readings(study, {_SCOPE: letter}))
    return rules


def _add_characteristics(rows: Rows, label: str, reading: str, found: Characteristics) -> None:
    numbers = {"none": found.sel[0]}
    numbers |= {f"mtd{level}": share for level, share in enumerate(found.sel) if level}
    numbers |= {
        "cap": found.p_cap,
        "left": found.p_left_titration,
        "n": found.total_n,
        "dlt": found.total_dlt,
    }
    for stat, value in numbers.items():
        rows.add(stat, value, group=label, variable=reading)


def scenarios_of(
    study: Study, *, p: Sequence[float] | None = None, trigger: Sequence[float] | None = None
) -> dict[str, Truth]:
    """Return the stated scenario, or the shipped ones.

    Parameters
    ----------
    study : Study
        Table ``dose``.
    p, trigger : sequence of float, optional
        Probability of a DLT, and of a trigger with DLT included, per level; the shipped planning scenarios if absent.

    Returns
    -------
    dict of str to dict
        Name -> p_dlt and p_trigger_only.

    Raises
    ------
    DesignError
        If the study has no dose ladder, or the numbers do not fit it.
    """
    if study.cohort.variable is not None or not study.with_role("t"):
        raise DesignError(NO_LADDER)
    if p is None and trigger is not None:
        raise DesignError("--trigger needs --p: the probability of a DLT per level")
    levels = len(study.dose.levels)
    scenarios: dict[str, Truth] = (
        {f"{name} [P]": value for name, value in planning_scenarios(levels).items()}
        if p is None
        else {"scenario": truth(p, trigger)}
    )
    if not scenarios:
        raise DesignError(f"no planning scenario is shipped for {levels} levels; state --p and --trigger")
    for value in scenarios.values():
        scenario(value["p_dlt"], value["p_trigger_only"], levels=levels)
    return scenarios


def characteristics_lines(
    study: Study, *, p: Sequence[float] | None = None, trigger: Sequence[float] | None = None
) -> Iterator[str]:
    """Print the exact operating characteristics of the study's design.

    Parameters
    ----------
    study : Study
        Table ``dose``.
    p, trigger : sequence of float, optional
        Probability of a DLT, and of a trigger with DLT included, per level; the shipped planning scenarios if absent.

    Yields
    ------
    str
        One line per number of the design.

    Raises
    ------
    DesignError
        If the study has no dose ladder, or the numbers do not fit it.
    """
    scenarios = scenarios_of(study, p=p, trigger=trigger)
    levels = len(study.dose.levels)
    heads = [
        "P(none)",
        *(f"P(DL{level})" for level in range(1, levels + 1)),
        "P(cap)",
        "P(left)",
        "E[N]",
        "E[DLT]",
    ]
    yield f"{'scenario':<18}{'reading':<9}" + "".join(f"{head:>9}" for head in heads)
    for label, value in scenarios.items():
        for name, rule in rules_by_scope(study).items():
            found = operating_characteristics(rule, {label: value})[label]
            numbers = (*found.sel, found.p_cap, found.p_left_titration, found.total_n, found.total_dlt)
            yield f"{label:<18}{name:<9}" + "".join(f"{number:>9.4f}" for number in numbers)
    yield "exact, all paths enumerated; reading: AMB-1, titration scope; [P] proposal of this package"
