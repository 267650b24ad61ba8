"""Dose finding: the log of the decisions, their replay, and what would change the next one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from interim.adam.dlt import derive_addlt, dlt_windows, history_frame
from interim.adam.model import Adam
from interim.analysis.escalation_events import no_events
from interim.analysis.escalation_state import (
    Escalation,
    add_absent,
    add_texts,
    decision_text,
    ended,
    escalation_of,
    no_escalation,
    printed,
)
from interim.analysis.population import set_label
from interim.analysis.reading_row import without_facts
from interim.data.model import Sdtm
from interim.design.decision import Decision
from interim.design.escalation import TitratedThreePlusThree
from interim.design.history import History
from interim.design.operate import operating_characteristics
from interim.design.planning import planning_scenarios
from interim.design.replay import ReplayRow
from interim.design.tipping import open_facts, option_decisions
from interim.result import Result, Rows
from interim.study import Study

TITRATION, CLASSIC = "titration", "3+3"
_DAYS = 7


def decision_log(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List every dose decision: what the rule said on that day, what was decided, what came of it.

    Parameters
    ----------
    adam : Adam
        ADDLT.
    study : Study
        Table ``dose``.
    sdtm : Sdtm
        DECISIONS.

    Returns
    -------
    Result
        ``escalation_log.decision_log``; variable decision, one level per decision and ``cut`` for the state at the cut-off;
        stats week, dose, planned (recorded size of the cohort), cohort (enrolled/evaluable), dlt, trigger, mode, rule, committee, same, reference, rationale; variable concordance (stats rate,
        lower_dose, first, late).

    Raises
    ------
    DataError
        If a fact that the replay needs has no date.
    """
    rows = Rows("escalation_log.decision_log", "Dose-escalation decision log", set_label("NK-SAF", study))
    reason = no_escalation(adam, study)
    if reason:
        also = (("concordance", "rate"), ("concordance", "first"))
        return add_absent(rows, reason, variable="decision", also=also).build()
    state = escalation_of(adam, study, sdtm)
    before = ""
    for number, group in groupby(state.replayed.rows, key=lambda row: row.group):
        members = list(group)
        mode = mode_of(members[0])
        change = f"{before} -> {mode}" if before and before != mode else mode
        _add_decision(rows, state, number, members, mode=change)
        before = mode
    _add_present(rows, state)
    _add_concordance(rows, state)
    return rows.build()


def mode_of(row: ReplayRow) -> str:
    """Return the part of the rule that was in force at an assignment.

    Parameters
    ----------
    row : ReplayRow
        The assignment.

    Returns
    -------
    str
        titration or 3+3.

    Raises
    ------
    None
    """
    return TITRATION if row.decision.rule_id.split(">")[0] in ("T0", "T1") else CLASSIC


def _add_decision(rows: Rows, state: Escalation, number: int, members: list[ReplayRow], *, mode: str) -> None:
    first = members[0]
    ids = [row.participant for row in members]
    subjects = [subject for subject in state.history.subjects if subject.id in ids]
    record = state.record_of(first)
    kinds = {row.kind for row in members} - {"same"}
    starred = any(row.would_differ for row in members)
    texts = {
        "week": f"w{_week(state, first):02d}",
        "dose": f"DL{first.level}",
        "planned": "" if record is None else f"{record['n']:.0f}",
        "cohort": f"{len(ids)}/{sum(item.status == 'evaluable' for item in subjects)}",
        "dlt": f"{sum(item.dlt for item in subjects)}",
        "trigger": f"{sum(item.trigger for item in subjects)}",
        "mode": mode,
        "rule": f"{decision_text(first.decision)} [{first.decision.rule_id}]{'*' if starred else ''}",
        "committee": f"{len(ids)} enrolled at DL{first.level}, no record"
        if record is None
        else f"enrol {record['n']:.0f} at DL{first.level}",
        "same": "yes" if not kinds else f"no: {', '.join(sorted(kinds)).replace('_', ' ')}",
        "reference": "" if record is None else str(record["evidence"]),
        "rationale": "" if record is None else str(record["reason"]),
    }
    add_texts(rows, {"variable": "decision", "level": str(number)}, texts, subjects=ids)


def _week(state: Escalation, row: ReplayRow) -> int:
    return int((row.assigned - state.first_day).days // _DAYS + 1)


def _add_present(rows: Rows, state: Escalation) -> None:
    """Add what the rule says at the cut-off, beside the recorded end of the escalation."""
    decision, stop = state.by_rule, state.stop
    mode = TITRATION if decision.rule_id.split(">")[0] in ("T0", "T1") else CLASSIC
    recorded = "" if stop is None else f"{ended(stop.kind)}, DL{stop.level}"
    texts = {
        "week": "cut-off",
        "dose": "–" if decision.target_level is None else f"DL{decision.target_level}",
        "mode": mode,
        "rule": f"{decision_text(decision)} [{decision.rule_id}]",
        "committee": recorded or "none recorded",
        "reference": "" if stop is None else stop.evidence,
        "rationale": "" if stop is None else stop.rationale,
    }
    add_texts(rows, {"variable": "decision", "level": "cut"}, texts)


def _add_concordance(rows: Rows, state: Escalation) -> None:
    replayed = state.replayed
    same, total = replayed.concordant, replayed.n_decisions
    rows.add("rate", same / total, variable="concordance", n=same, N=total, unit="decisions")
    rows.add(
        "lower_dose", replayed.lower, variable="concordance", n=replayed.lower, N=total, unit="decisions"
    )
    late = len(replayed.late_changes)
    rows.add("late", late, variable="concordance", n=late, N=len(replayed.rows), unit="decisions")
    first = replayed.first_discordant
    text = "none"
    if first is not None:
        said = decision_text(first.decision)
        text = f"{first.kind.replace('_', ' ')} at DL{first.level}: the rule said {said}"
    rows.add("first", None, text=text, variable="concordance")


def conformance(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List every assignment beside the rule, on the facts of that day and on those of today.

    Parameters
    ----------
    adam : Adam
        ADDLT.
    study : Study
        Table ``dose``.
    sdtm : Sdtm
        DECISIONS.

    Returns
    -------
    Result
        ``escalation_log.conformance``; variable assignment, one level per participant in order; stats day, known, rule,
        assigned, match, today, cause; variable match (stat rate over the assignments).

    Raises
    ------
    DataError
        If a fact that the replay needs has no date.
    """
    title = "Re-execution of the escalation rule"
    rows = Rows("escalation_log.conformance", title, set_label("CART-SAF", study))
    reason = no_escalation(adam, study)
    if reason:
        return add_absent(rows, reason, variable="assignment").build()
    state = escalation_of(adam, study, sdtm)
    for place, row in enumerate(state.replayed.rows, 1):
        level = {"variable": "assignment", "level": str(place)}
        add_texts(rows, level, _assignment(state, row, place), subjects=[row.participant])
    agree = sum(row.kind == "same" for row in state.replayed.rows)
    rows.add(
        "rate",
        agree / len(state.replayed.rows),
        variable="match",
        n=agree,
        N=len(state.replayed.rows),
        unit="decisions",
    )
    return rows.build()


def _assignment(state: Escalation, row: ReplayRow, place: int) -> dict[str, str]:
    order = state.history.subjects[place - 1].order
    then = state.history.before(order, strictly_before=row.assigned)
    causes = (f"{change.then} -> {change.now} ({change.cause})" for change in row.changes)
    return {
        "day": f"{(row.assigned - state.first_day).days + 1}",
        "known": then.text() or "nobody",
        "rule": f"{decision_text(row.decision)} [{row.decision.rule_id}]",
        "assigned": f"DL{row.level}",
        "match": "yes" if row.kind == "same" else f"no: {row.kind.replace('_', ' ')}",
        "today": f"{decision_text(row.today)}*" if row.would_differ else "unchanged",
        "cause": "; ".join(causes),
    }


def sensitivity(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Show the next action under every option of the rule, and under every outcome of the open facts.

    Parameters
    ----------
    adam : Adam
        ADDLT.
    study : Study
        Table ``dose``; ``tipping.engine``.
    sdtm : Sdtm
        Source data.

    Returns
    -------
    Result
        ``escalation_log.sensitivity``; variable option (one level per option, the rule itself first) and variable open (levels present, best, worst,
        smallest); stats decision, rule, flips, and of an option n_<scenario>: exact number of participants expected from the start under a planning scenario.

    Raises
    ------
    DesignError
        If the history does not belong to the rule.
    """
    rows = Rows("escalation_log.sensitivity", "Next action under the options of the rule")
    reason = no_escalation(adam, study)
    if reason or not study.tipping.engine:
        reason = reason or "switched off: tipping.engine"
        return add_absent(rows, reason, variable="option").build()
    state = escalation_of(adam, study, sdtm)
    scenarios = planning_scenarios(len(study.dose.levels))
    others = _other_evaluability(adam, study, sdtm)
    for name, (rule, decision) in option_decisions(state.rule, state.history, others=others).items():
        texts = {"decision": decision_text(decision), "rule": _rules(decision)}
        texts["flips"] = "yes" if decision.essence != state.by_rule.essence else "no"
        add_texts(rows, {"variable": "option", "level": name}, texts)
        for label, found in operating_characteristics(rule, scenarios).items() if scenarios else ():
            rows.add(f"n_{label}", found.total_n, variable="option", level=name)
    for level, texts in _open(state.rule, state.history):
        add_texts(rows, {"variable": "open", "level": level}, texts)
    return rows.build()


def _other_evaluability(adam: Adam, study: Study, sdtm: Sdtm) -> dict[str, History]:
    """Return the history under every other number of infusions that makes a participant evaluable."""
    if no_events(adam, study) or not adam.has("ADEX"):
        return {}
    windows = dlt_windows(sdtm, adam["ADSL"], adex=adam["ADEX"], study=study)
    found = {}
    for least in range(1, printed()["escalation"]["full_course_infusions"] + 1):
        if least == study.dose.min_infusions:
            continue
        dose = study.dose.model_copy(update={"min_infusions": least})
        other = study.model_copy(update={"dose": dose})
        facts = derive_addlt(
            without_facts(adam), adam["ADAE"], windows=windows, adex=adam["ADEX"], study=other
        )
        history = History.from_frame(history_frame(facts), levels=len(study.dose.levels))
        found[f"min_infusions = {least}"] = history
    return found


def _rules(decision: Decision) -> str:
    """Return the rules that a decision passed, in words and with their ids."""
    return f"{'; '.join(decision.passed)} [{decision.rule_id}]"


def _open(rule: TitratedThreePlusThree, history: History) -> Iterator[tuple[str, dict[str, str]]]:
    facts = open_facts(rule, history)
    for name, decision in (("best", facts.best), ("worst", facts.worst)):
        differs = (decision.mtd, decision.target_level) != (facts.present.mtd, facts.present.target_level)
        flips = "yes" if differs else "no"
        yield name, {"decision": decision_text(decision), "rule": _rules(decision), "flips": flips}
    few = "> 3" if facts.smallest is None else str(facts.smallest)
    text = few if facts.participants else "no open fact"
    yield "smallest", {"decision": text, "rule": facts.example, "flips": "–"}
