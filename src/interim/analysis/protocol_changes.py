"""T 14.5.7: what the protocol must say before Phase IB, one row per change; a proposal, never an amendment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from interim.adam.model import Adam
from interim.analysis.benefit_risk_rationale import candidate
from interim.analysis.escalation_state import add_texts
from interim.analysis.expansion_sources import COUNTED
from interim.analysis.expansion_types import NO_RATES
from interim.data.model import Sdtm
from interim.design.expansion import Infeasible
from interim.design.expansion_named import JOINT, named_design, rule_text
from interim.result import Result, Rows
from interim.study import Study
from interim.study.expansion import MonitorTable, TumourType


@cache
def _document() -> dict[str, Any]:
    text = files("interim.analysis").joinpath("protocol_changes.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def proposed(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List the changes of the protocol that Phase IB needs under the parameters of the study.

    Parameters
    ----------
    adam : Adam
        ADDLT: the dose.
    study : Study
        Table ``expansion``, readings in force.
    sdtm : Sdtm
        Recorded decisions on dose.

    Returns
    -------
    Result
        ``protocol_changes.proposed``; variable ``change``, one level per change; stats section, current, proposed, reason, evidence, risk,
        consent, sap, substantial, approval (texts).

    Raises
    ------
    DesignError
        If a design of the study cannot be built.
    """
    rows = Rows("protocol_changes.proposed", "Proposed protocol changes", population="No participant data")
    document = _document()
    facts = _facts(adam, study, sdtm)
    number = 0
    for item in document["change"]:
        number += 1
        texts = {name: str(text).format(**facts) for name, text in item.items() if name != "id"}
        add_texts(
            rows, {"variable": "change", "level": str(number)}, {**texts, "approval": document["approval"]}
        )
    general = document["reading"]
    for reading in study.readings:
        number += 1
        basis = general["confirmed" if reading.confirmed else "default"]
        texts = {
            "section": f"{reading.amb} {general['section'].format(title=reading.title)}",
            "current": reading.point,
            "proposed": general["proposed"].format(text=reading.text),
            "reason": general["reason"].format(basis=basis),
            "evidence": general["evidence"],
            "risk": general["risk"][reading.amb],
            "consent": general["consent"][reading.amb],
            "sap": general["sap"],
            "substantial": general["substantial"][reading.amb],
            "approval": document["approval"],
        }
        add_texts(rows, {"variable": "change", "level": str(number)}, texts)
    return rows.build()


def _facts(adam: Adam, study: Study, sdtm: Sdtm) -> Mapping[str, str]:
    chosen = candidate(adam, study, sdtm)
    types = study.expansion.type
    return {
        "dose": f"{chosen.dose} ({chosen.source})"
        if chosen.dose
        else f"a dose still to be stated ({chosen.source})",
        "cohorts": ", ".join(entry.label for entry in types) or "still to be stated",
        "design": "; ".join(dict.fromkeys(_rule(study, entry) for entry in types)) or _rule(study, None),
        "rates": "; ".join(_rates(entry) for entry in types) or f"still to be stated ({NO_RATES})",
        "monitor": _monitor(study.expansion.monitor),
        "counted": COUNTED[study.expansion.count_phase_ia],
    }


def _rule(study: Study, entry: TumourType | None) -> str:
    table = study.expansion
    name = (entry.design if entry else None) or table.design
    if name == JOINT:
        return "one look at all cohorts together, T 14.5.5"
    rates = (entry.p0, entry.p1) if entry else (None, None)
    design = named_design(name, table, p0=rates[0], p1=rates[1])
    return design.reason if isinstance(design, Infeasible) else rule_text(design)


def _rates(entry: TumourType) -> str:
    return f"{entry.label}: null {100 * entry.p0:g}% ({entry.p0_source}), target {100 * entry.p1:g}% ({entry.p1_source})"


def _monitor(table: MonitorTable) -> str:
    events = ", ".join(_document()["events"][event] for event in table.events)
    if table.method == "none":
        return "no boundary"
    where = "per cohort" if table.scope == "cohort" else "for all participants at the dose"
    if table.method == "pocock":
        return f"Pocock boundary at rate {table.pocock_rate:g}, crossing probability {table.pocock_alpha:g}, {where} ({events})"
    prior = ", ".join(f"{value:g}" for value in table.prior)
    return f"pause if P(event rate > {table.limit:g}) > {table.cut:g} under Beta({prior}), from {table.min_n} participants, {where} ({events})"
