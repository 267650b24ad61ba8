"""Dose finding: what can end Phase IA, what the data say, and what ended it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.escalation_state import (
    Escalation,
    add_absent,
    add_texts,
    decision_text,
    ended,
    escalation_of,
    no_escalation,
    printed,
    source_of_dose,
)
from interim.data.model import Sdtm
from interim.design.outcome import IndexRule, favourable_index
from interim.result import Result, Rows
from interim.study import Study

Answer = tuple[str, str]
_CAP = ("at_cap", "not_established_cap")


def stopping_triggers(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Show for every trigger that can end Phase IA its definition, the data, whether it is met, and who decides.

    Parameters
    ----------
    adam : Adam
        ADDLT, ADRS.
    study : Study
        Tables ``dose`` and ``therapeutic_index``.
    sdtm : Sdtm
        DECISIONS.

    Returns
    -------
    Result
        ``escalation_stop.stopping_triggers``; variable trigger, levels rp2d, favourable_index, safety_halt, cap; stats definition, data, met, decides; variable outcome,
        stats ended_by, next_action, would_change, rp2d (texts).

    Raises
    ------
    DataError
        If a recorded stop lacks what it must state.
    """
    rows = Rows("escalation_stop.stopping_triggers", "Phase IA stopping triggers")
    reason = no_escalation(adam, study)
    if reason:
        also = (("outcome", "ended_by"), ("outcome", "next_action"))
        return add_absent(rows, reason, variable="trigger", also=also).build()
    state = escalation_of(adam, study, sdtm)
    answers = {
        "rp2d": _rp2d(state),
        "favourable_index": _favourable(state, adam),
        "safety_halt": _halt(state),
        "cap": _cap(state),
    }
    for name, (data, met) in answers.items():
        texts = {**printed()["stop"][name], "data": data, "met": met}
        if name == "favourable_index" and study.therapeutic_index.rule == "threshold":
            texts["definition"] = _threshold(study)
        add_texts(rows, {"variable": "trigger", "level": name}, texts)
    dose = state.recommended
    outcome = {
        "ended_by": _ended_by(state, answers),
        "next_action": f"{decision_text(state.by_rule)} [{state.by_rule.rule_id}]",
        "would_change": "; ".join(state.by_rule.would_change) or _unchanged(state),
        "rp2d": "none" if dose.level is None else f"DL{dose.level} ({source_of_dose(dose.source)})",
        "warnings": "; ".join([*state.present.warnings, *(item.message for item in dose.findings)]) or "none",
    }
    add_texts(rows, {"variable": "outcome"}, outcome)
    return rows.build()


def _unchanged(state: Escalation) -> str:
    """Say why no open fact changes the next action."""
    if state.by_rule.pending:
        return "no outcome that is still open"
    return "nothing is open: only a correction of the data or a recorded decision"


def _of_kind(state: Escalation, kind: str) -> str:
    found = state.recorded(kind)
    if not found:
        return ""
    row = found[-1]
    week = (row["date"] - state.first_day).days // 7 + 1
    where = "" if pd.isna(row["level"]) else f" DL{row['level']:.0f},"
    return (
        f"recorded by {row['role']} ({row['name']}):{where} w{week:02d}; {row['reason']}; {row['evidence']}"
    )


def _rp2d(state: Escalation) -> Answer:
    decision, recorded = state.by_rule, _of_kind(state, "rp2d")
    data = f"rule: {decision_text(decision)} [{decision.rule_id}]"
    if decision.mtd is None:
        need = f"; {state.rule.mtd.min_n} evaluable participants are needed at the MTD"
        data += need if decision.action != "STOP" else ""
    met = "yes" if decision.mtd is not None and decision.action == "STOP" else "no, by rule"
    return "; ".join(filter(None, (data, recorded))), "yes, recorded" if recorded and met != "yes" else met


def _favourable(state: Escalation, adam: Adam) -> Answer:
    recorded = _of_kind(state, "favourable_index")
    if state.study.therapeutic_index.rule == "investigator_event":
        return (recorded, "yes, declared") if recorded else ("no record", "not declared")
    answers = favourable_index(
        state.history,
        _index_rule(state.study),
        responses=_responses(adam, state.study),
        completed=_completed(adam),
    )
    data = "; ".join(f"DL{answer.level}: {answer.index}" for answer in answers)
    met = [f"DL{answer.level}" for answer in answers if answer.index == "met"]
    return "; ".join(filter(None, (data, recorded))), f"yes: {', '.join(met)}" if met else "no"


def index_by_dose(adam: Adam, study: Study, sdtm: Sdtm) -> dict[str, str]:
    """Return the favourable therapeutic index of every dose level in words.

    Parameters
    ----------
    adam : Adam
        ADDLT, ADRS.
    study : Study
        ``therapeutic_index``.
    sdtm : Sdtm
        DECISIONS.

    Returns
    -------
    dict of str to str
        Code of the level -> met, not met or not evaluable by the thresholds; declared or not declared by the investigator.

    Raises
    ------
    DataError
        If the dose-escalation history cannot be used.
    """
    state = escalation_of(adam, study, sdtm)
    if study.therapeutic_index.rule == "threshold":
        answers = favourable_index(
            state.history, _index_rule(study), responses=_responses(adam, study), completed=_completed(adam)
        )
        return {f"DL{answer.level}": answer.index for answer in answers}
    found = state.decisions[state.decisions["kind"] == "favourable_index"]
    declared = {f"DL{level:.0f}" for level in found["level"].dropna()}
    levels = (f"DL{place}" for place in range(1, len(study.dose.levels) + 1))
    return {level: "declared" if level in declared else "not declared" for level in levels}


def _index_rule(study: Study) -> IndexRule:
    table = study.therapeutic_index
    numbers = (
        table.ti_tox_max,
        table.ti_prob_tox,
        table.ti_orr_min,
        table.ti_prob_orr,
        table.ti_completion_min,
    )
    return IndexRule(*(float(number or 0) for number in numbers))


def _threshold(study: Study) -> str:
    rule = _index_rule(study)
    return (
        f"P(DLT rate <= {rule.tox_max:g}) >= {rule.prob_tox:g}, P(response rate >= {rule.orr_min:g}) >= "
        f"{rule.prob_orr:g}, full course in >= {rule.completion_min:g}"
    )


def _responses(adam: Adam, study: Study) -> dict[int, tuple[int, int]]:
    """Return responders and participants by level, confirmed responses in the efficacy set."""
    if not adam.has("ADRS"):
        return {}
    found = adam["ADRS"]
    chosen = (
        (found["PARAMCD"] == "CRSP")
        & (found["PARCAT2"] == study.response.evaluator)
        & (found["AVALC"] == "Y")
    )
    responders = set(found.loc[chosen, "USUBJID"])
    members = adam["ADSL"].loc[adam["ADSL"]["FASFL"] == "Y", "USUBJID"]
    facts = adam["ADDLT"][adam["ADDLT"]["USUBJID"].isin(members)]
    return _pairs(facts, facts["USUBJID"].isin(responders))


def _completed(adam: Adam) -> dict[int, tuple[int, int]]:
    facts = adam["ADDLT"][adam["ADDLT"]["NINFCT"] > 0]
    return _pairs(facts, facts["NINFCT"] >= printed()["escalation"]["full_course_infusions"])


def _pairs(facts: pd.DataFrame, hit: pd.Series) -> dict[int, tuple[int, int]]:
    by_level = hit.groupby(facts["LEVEL"])
    return {int(level): (int(part.sum()), len(part)) for level, part in by_level}


def _halt(state: Escalation) -> Answer:
    recorded = _of_kind(state, "safety_halt")
    return (recorded, "yes, recorded") if recorded else ("no record", "no")


def _cap(state: Escalation) -> Answer:
    limit = state.rule.cap.n_max
    counted = sum(cohort.n + cohort.n_pending for cohort in state.history.cohorts())
    data = (
        f"{counted} evaluable or pending, no limit"
        if limit is None
        else f"{counted} of {limit} evaluable or pending"
    )
    return data, "yes" if state.by_rule.mtd_status in _CAP else "no"


def _ended_by(state: Escalation, answers: Mapping[str, Answer]) -> str:
    """Name the trigger that ended Phase IA: what was recorded, else what the rule says."""
    if state.stop is not None:
        return f"{ended(state.stop.kind)}, recorded"
    met = [name for name, (_, met) in answers.items() if met.startswith("yes")]
    return f"{ended(met[0])}, by rule" if met else "none: the escalation goes on"
