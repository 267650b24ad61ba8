"""Responses that are still open: bounds of every type's class, and the chance that it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from interim.adam.model import Adam
from interim.analysis.expansion_models import fit_model
from interim.analysis.expansion_types import (
    Types,
    add_reason,
    assess,
    count_types,
    in_scope,
    not_run,
    printed,
    proposed_dose_safety,
)
from interim.analysis.population import efficacy_set, open_rows, population
from interim.analysis.response import chosen, responders
from interim.data.model import Sdtm
from interim.result import Result, Rows
from interim.study import Study

Counts = tuple[tuple[int, ...], tuple[int, ...]]
STATES = ("confirmed", "unconfirmed", "pending", "non_responder", "not_evaluable")
OPEN = ("unconfirmed", "pending")
ROBUST = "EXP-ROBUST"
_UNSEEN = ("NE", "MISSING")
_STILL_OPEN = "PENDING"


def response_states(adam: Adam, study: Study) -> Mapping[str, frozenset[str]]:
    """Return the state of every participant's response at the cut-off.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS.
    study : Study
        Evaluator, efficacy set.

    Returns
    -------
    mapping of str to frozenset of str
        confirmed; unconfirmed (a response whose confirmation can still come); pending (no evaluable scan yet, under
        follow-up); not_evaluable (no evaluable scan, none to come); non_responder (all others). Each participant of the set once.

    Raises
    ------
    DerivationError
        If ADSL lacks the set.
    """
    everyone = population(adam, study, efficacy_set(study)).everyone
    confirmed = responders(adam, study, confirmed=True) & everyone
    once = responders(adam, study, confirmed=False) & everyone - confirmed
    best = chosen(adam, study, "CBOR").drop_duplicates("USUBJID", keep="last")
    reason = dict(zip(best["USUBJID"], best["RSNCD"].fillna("").astype(str), strict=True))
    unseen = frozenset(best.loc[best["AVALC"].isin(_UNSEEN), "USUBJID"]) & everyone
    unseen |= everyone - frozenset(best["USUBJID"])
    unconfirmed = frozenset(one for one in once if _STILL_OPEN in reason.get(one, _STILL_OPEN))
    pending = (unseen & _followed(adam)) - confirmed - unconfirmed
    not_evaluable = unseen - pending - confirmed - unconfirmed
    rest = everyone - confirmed - unconfirmed - pending - not_evaluable
    return dict(zip(STATES, (confirmed, unconfirmed, pending, rest, not_evaluable), strict=True))


def _followed(adam: Adam) -> frozenset[str]:
    """Participants who are alive, on study and without a new anticancer therapy: a scan can still come."""
    adsl = adam["ADSL"]
    going = (adsl["EOSSTT"] == "ONGOING") & (adsl["DTHFL"] != "Y") & adsl["NACTDT"].isna()
    return frozenset(adsl.loc[going, "USUBJID"])


def bounds(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Give every type's class under all readings of its open responses.

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
        ``expansion_open.bounds``; group = id of the type; variable ``state``, level = state: n with the participants;
        variable ``reading``, levels confirmed, any, all_respond, all_fail, left_out: prob_above, ppos, class (n of N);
        variable ``robust``: text, and ``chance`` that the class stands, given what is resolved.

    Raises
    ------
    DerivationError
        If ADSL lacks the set.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("expansion_open.bounds", "Candidate tumour types: open responses", who)
    reason = not_run(adam, study)
    if reason:
        return add_reason(rows, reason, variable="bounds").build()
    keep = in_scope(adam, study, sdtm)
    states = response_states(adam, study)
    types = count_types(adam, study, confirmed=True, keep=keep)
    for entry, ids in zip(types.types, types.members, strict=True):
        for state in STATES:
            found = sorted(ids & states[state])
            rows.add(
                "n",
                len(found),
                group=entry.id,
                variable="state",
                level=state,
                n=len(found),
                N=len(ids),
                subjects=found,
            )
    crossing = proposed_dose_safety(adam, study, sdtm).crossing
    readings = _readings(types, states, adam, study, keep=keep)
    kinds = {
        name: _add_reading(rows, name, counts, study, crossing=crossing) for name, counts in readings.items()
    }
    chances = _chances(types, states, readings["left_out"], study, crossing=crossing)
    for k, entry in enumerate(types.types):
        place: dict[str, Any] = {"group": entry.id, "variable": "robust"}
        stands = kinds["all_respond"][k] == kinds["all_fail"][k]
        base = _base(kinds, study)[k]
        rows.add("text", None, text="stands" if stands else f"{base}, not robust ({ROBUST})", **place)
        if isinstance(chances, str):
            rows.add("chance", None, status="NE", reason=chances, **place)
        else:
            rows.add("chance", chances[k][base], **place)
    return rows.build()


def _base(kinds: Mapping[str, Sequence[str]], study: Study) -> Sequence[str]:
    return kinds["confirmed" if study.expansion.response_status == "confirmed" else "any"]


def _readings(
    types: Types,
    states: Mapping[str, frozenset[str]],
    adam: Adam,
    study: Study,
    *,
    keep: frozenset[str] | None,
) -> dict[str, Counts]:
    """Responders and participants of each type under every reading of the open responses."""
    some = count_types(adam, study, confirmed=False, keep=keep)
    open_ = _open(types, states)
    sure = tuple(len(ids & states["confirmed"]) for ids in types.members)
    return {
        "confirmed": (types.r, types.n),
        "any": (some.r, types.n),
        "all_respond": (tuple(r + m for r, m in zip(sure, open_, strict=True)), types.n),
        "all_fail": (sure, types.n),
        "left_out": (sure, tuple(n - m for n, m in zip(types.n, open_, strict=True))),
    }


def _open(types: Types, states: Mapping[str, frozenset[str]]) -> tuple[int, ...]:
    pool = frozenset[str]().union(*(states[name] for name in OPEN))
    return tuple(len(ids & pool) for ids in types.members)


def _add_reading(rows: Rows, name: str, counts: Counts, study: Study, *, crossing: bool) -> tuple[str, ...]:
    view = assess(study.expansion.decision_model, counts, study, crossing=crossing)
    for k, entry in enumerate(study.expansion.type):
        place: dict[str, Any] = {
            "group": entry.id,
            "variable": "reading",
            "level": name,
            "n": counts[0][k],
            "N": counts[1][k],
        }
        rows.add("prob_above", float(view.fit.prob_above[k]), **place)
        rows.add("ppos", view.ppos[k], **place)
        rows.add("class", None, text=view.verdicts[k].kind, **place)
    return tuple(verdict.kind for verdict in view.verdicts)


def _chances(
    types: Types, states: Mapping[str, frozenset[str]], resolved: Counts, study: Study, *, crossing: bool
) -> list[dict[str, float]] | str:
    """Probability of each class, over the joint predictive law of the open responses given what is resolved."""
    open_ = _open(types, states)
    most = printed()["most_open_outcomes"]
    if prod(m + 1 for m in open_) > most:
        return f"more than {most} outcomes of the open responses"
    table = study.expansion
    fit = fit_model(table.decision_model, resolved, types=table.type, prior=table.prior)
    law = fit.open_responses(open_)
    found = [dict.fromkeys(("GO", "CONSIDER", "NO-GO"), 0.0) for _ in open_]
    for outcome in product(*(range(m + 1) for m in open_)):
        counts = (tuple(r + y for r, y in zip(resolved[0], outcome, strict=True)), types.n)
        view = assess(table.decision_model, counts, study, crossing=crossing)
        for k, verdict in enumerate(view.verdicts):
            found[k][verdict.kind] += float(law[outcome])
    return found
