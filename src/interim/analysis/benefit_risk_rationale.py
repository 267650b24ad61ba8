"""T 14.5.2: the recommended dose by the totality of evidence, and why not a lower dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interim.adam.model import Adam
from interim.analysis.benefit_risk import NO_LADDER
from interim.analysis.benefit_risk_components import add_components, printed
from interim.analysis.benefit_risk_utility import OPTION, UNSEPARATED
from interim.analysis.escalation_state import escalation_of, no_escalation, source_of_dose
from interim.analysis.expansion_types import NO_DOSE, proposed_dose
from interim.analysis.population import (
    UNASSIGNED,
    Population,
    add_not_available,
    add_rate,
    add_rates,
    open_rows,
    population,
)
from interim.analysis.response import disease_control, responders
from interim.data.model import Sdtm
from interim.result import TOTAL, Result, Rows
from interim.stats.rate_order import probability_larger
from interim.study import Study

_JUDGED = "read by the sponsor and the investigators"
_INDEX = "favourable_index"


@dataclass(frozen=True)
class Candidate:
    """The dose whose rationale is written.

    Attributes
    ----------
    dose : str
        Code; empty if none is proposed.
    source : str
        Where it comes from, in words.
    """

    dose: str
    source: str


def candidate(adam: Adam, study: Study, sdtm: Sdtm) -> Candidate:
    """Return the dose whose rationale is written: the recommended one, else that of a declared favourable index.

    Parameters
    ----------
    adam : Adam
        ADDLT.
    study : Study
        ``dose.rp2d_rule``.
    sdtm : Sdtm
        Recorded decisions.

    Returns
    -------
    Candidate
        Empty dose if there is neither.

    Raises
    ------
    DataError
        If the dose-escalation history cannot be used.
    """
    if dose := proposed_dose(adam, study, sdtm):
        return Candidate(dose, f"recommended dose, {source_of_dose(study.dose.rp2d_rule)}")
    if no_escalation(adam, study):
        return Candidate("", NO_DOSE)
    records = escalation_of(adam, study, sdtm).decisions
    found = records[(records["kind"] == _INDEX) & records["level"].notna()]
    if found.empty:
        return Candidate("", NO_DOSE)
    return Candidate(f"DL{int(found['level'].iloc[-1])}", f"{NO_DOSE}; favourable therapeutic index declared")


def rationale(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Set out the evidence for a dose by criterion, and the comparison with every lower dose.

    Parameters
    ----------
    adam : Adam
        ADSL, ADAE, ADLB, ADRS, ADPP.
    study : Study
        ``benefit_risk.best_dose_prob``.
    sdtm : Sdtm
        Recorded decisions.

    Returns
    -------
    Result
        ``benefit_risk_rationale.rationale``; components of `add_components`, ``orr`` and ``dcr`` by dose; ``manufactured`` (total);
        variable ``criterion`` (level = id): label, evidence, reading, uncertainty (texts); variable ``lower`` (level = dose):
        p_more_active, p_more_toxic, reading; variable ``dose``: candidate and its source.

    Raises
    ------
    DerivationError
        If ADSL lacks the set.

    Notes
    -----
    Two doses are called different in a rate if the posterior probability reaches ``benefit_risk.best_dose_prob``, under uniform
    priors and without borrowing. A higher dose that is more active and not more toxic is supported; one that is more toxic and
    not more active is spoken against; all else is neutral. The reading never decides.
    """
    role = "CART-SAF" if study.with_role("t") else "NK-SAF"
    who = population(adam, study, role)
    rows = open_rows("benefit_risk_rationale.rationale", "RP2D rationale (totality of evidence)", who)
    if not study.with_role("t"):
        add_not_available(rows, (TOTAL,), variable="criterion", reason=NO_LADDER)
        return rows.build()
    counts = _add_evidence(rows, who, adam, study)
    chosen = candidate(adam, study, sdtm)
    rows.add(
        "text",
        None,
        variable="dose",
        text=f"{chosen.dose}: {chosen.source}" if chosen.dose else chosen.source,
    )
    readings = _add_lower(rows, who, chosen, counts, study)
    for item in printed()["criterion"]:
        _add_criterion(rows, item, chosen, readings, who, need=study.benefit_risk.best_dose_prob)
    return rows.build()


def _add_evidence(
    rows: Rows, who: Population, adam: Adam, study: Study
) -> Mapping[str, frozenset[str] | None]:
    """Rates by dose; the participants with a DLT and with a response (None: no response dataset)."""
    toxic = add_components(rows, who, adam=adam, study=study)
    active: frozenset[str] | None = None
    if adam.has("ADRS"):
        confirmed = study.response.confirmation_required
        active = responders(adam, study, confirmed=confirmed)
        control = disease_control(adam, study, confirmed=confirmed)
        for variable, subjects in (("orr", active), ("dcr", control)):
            add_rates(rows, who, study=study, variable=variable, subjects=subjects)
    else:
        reason = f"not available: {adam.missing.get('ADRS', 'no response dataset')}"
        for variable in ("orr", "dcr"):
            add_not_available(rows, who.groups, variable=variable, stat="rate", reason=reason)
    treated = population(adam, study, "NK-SAF" if study.with_role("nk") else "CART-SAF").everyone
    given = sorted(treated & who.everyone)
    counts = (len(given), len(treated))
    add_rate(rows, counts, study=study, where=(TOTAL, "manufactured", ""), subjects=given)
    return {"dlt": toxic, "orr": active}


def _add_lower(
    rows: Rows,
    who: Population,
    chosen: Candidate,
    counts: Mapping[str, frozenset[str] | None],
    study: Study,
) -> Mapping[str, list[tuple[str, float]]]:
    """Compare the dose with every lower one; per rate the probabilities that it is larger at the chosen dose."""
    lower = _lower_doses(who, chosen)
    found: dict[str, list[tuple[str, float]]] = {"dlt": [], "orr": []}
    if not lower:
        reason = NO_DOSE if not chosen.dose else "no lower dose was given"
        rows.add("reading", None, variable="lower", status="NA", reason=reason)
        return found
    for dose in lower:
        place: dict[str, Any] = {"variable": "lower", "level": dose, "n": who.n(dose)}
        for rate, stat in (("orr", "p_more_active"), ("dlt", "p_more_toxic")):
            hits = counts[rate]
            if hits is None:
                rows.add(stat, None, status="NA", reason="not available: no response dataset", **place)
                continue
            pair = (who.members[chosen.dose], who.members[dose])
            x, n = tuple(len(ids & hits) for ids in pair), tuple(len(ids) for ids in pair)
            value = probability_larger((x[0], x[1]), (n[0], n[1]))
            rows.add(stat, value, **place)
            found[rate].append((dose, value))
        rows.add("reading", None, text=_reading(dose, found, study), **place)
    return found


def _lower_doses(who: Population, chosen: Candidate) -> list[str]:
    doses = [g for g in who.groups if g not in (TOTAL, UNASSIGNED)]
    below = doses[: doses.index(chosen.dose)] if chosen.dose in doses else []
    return [dose for dose in below if who.n(dose)]


def _reading(dose: str, found: Mapping[str, list[tuple[str, float]]], study: Study) -> str:
    need = study.benefit_risk.best_dose_prob
    more = {rate: dict(pairs).get(dose, 0.5) >= need for rate, pairs in found.items()}
    if more["orr"] and not more["dlt"]:
        return "supports the higher dose: more active, not shown to be more toxic"
    if more["dlt"] and not more["orr"]:
        return "against the higher dose: more toxic, not shown to be more active"
    if more["dlt"] and more["orr"]:
        return "neutral: more active and more toxic"
    return f"neutral: {UNSEPARATED}; {OPTION}"


def _class(values: list[float], item: Mapping[str, Any], need: float) -> str:
    """Read a rate against all lower doses: larger is good for activity and bad for safety; a person reads all else."""
    if not values:
        return _JUDGED
    larger, smaller = any(v >= need for v in values), any(v <= 1.0 - need for v in values)
    if larger == smaller:
        return "neutral"
    return "supports" if larger == item["larger_is_better"] else "against"


def _add_criterion(
    rows: Rows,
    item: Mapping[str, Any],
    chosen: Candidate,
    readings: Mapping[str, list[tuple[str, float]]],
    who: Population,
    *,
    need: float,
) -> None:
    place: dict[str, Any] = {"variable": "criterion", "level": item["id"]}
    rows.add("label", None, text=item["label"], **place)
    rows.add("evidence", None, text=item["evidence"], **place)
    if "absent" in item:
        rows.add("reading", None, status="NA", reason=item["absent"], **place)
        return
    pairs = readings.get(item.get("compare", ""), [])
    rows.add("reading", None, text=_class([value for _, value in pairs], item, need), **place)
    n = who.n(chosen.dose) if chosen.dose in who.members else who.n()
    rows.add("uncertainty", None, text=f"participants at {chosen.dose or 'all doses'}: {n}", **place)
