"""Response in every analysis set, with the participants who could not be evaluated counted as nothing and as everything."""

from __future__ import annotations

from interim.adam.model import Adam
from interim.analysis.population import SETS, add_rate, efficacy_set, open_rows, population, set_label
from interim.analysis.response import chosen, disease_control, responders
from interim.result import TOTAL, Result, Rows
from interim.study import Study

_SHOWN = ("ENR", "NK-SAF", "CART-SAF", "RE")
_NOT_EVALUATED = ("NE", "MISSING")


def denominators(adam: Adam, study: Study) -> Result:
    """Give the response and disease control rates in every analysis set.

    Parameters
    ----------
    adam : Adam
        ADSL and ADRS.
    study : Study
        Efficacy set, evaluator, whether confirmation is required, interval.

    Returns
    -------
    Result
        ``response_sets.denominators``; level = analysis set, the primary one first: ``set`` (stat N, text label), ``not_evaluated`` (n),
        and with rate, lower, upper: ``orr``, ``dcr`` (not evaluated is no response), ``orr_best``, ``dcr_best`` (all of them
        count as responses), ``orr_known``, ``dcr_known`` (they are left out).

    Raises
    ------
    DerivationError
        If ADSL lacks a set or its columns.
    """
    primary = efficacy_set(study)
    names = [primary, *(code for code in _SHOWN if code != primary and _exists(code, study))]
    members = {code: population(adam, study, code).everyone for code in names}
    who = population(adam, study, "ENR")
    everyone = who.everyone.union(*members.values())
    rows = open_rows("response_sets.denominators", "Response sensitivity to denominator", who)
    confirmed = study.response.confirmation_required
    prefix = "C" if confirmed else ""
    lacking = adam.lacks(*(f"ADRS.{prefix}{name}" for name in ("BOR", "RSP", "DCR")))
    if lacking or not adam.has("ADRS"):
        reason = f"not available: {lacking or adam.missing.get('ADRS', 'no response dataset')}"
        rows.add("rate", None, variable="orr", status="NA", reason=reason)
        return rows.build()
    best = chosen(adam, study, f"{prefix}BOR").set_index("USUBJID")["AVALC"]
    unknown = everyone - frozenset(best.index[~best.isin(_NOT_EVALUATED)])
    found = {
        "orr": responders(adam, study, confirmed=confirmed),
        "dcr": disease_control(adam, study, confirmed=confirmed),
    }
    for code, ids in members.items():
        rows.add("N", len(ids), variable="set", level=code, n=len(ids), N=len(ids), subjects=sorted(ids))
        rows.add("label", None, variable="set", level=code, text=set_label(code, study))
        _add_set(rows, (code, ids), found, unknown & ids, study)
    return rows.build()


def _exists(code: str, study: Study) -> bool:
    return not SETS[code].role or bool(study.with_role(SETS[code].role))


def _add_set(
    rows: Rows,
    where: tuple[str, frozenset[str]],
    found: dict[str, frozenset[str]],
    unknown: frozenset[str],
    study: Study,
) -> None:
    code, ids = where
    rows.add(
        "n",
        len(unknown),
        variable="not_evaluated",
        level=code,
        n=len(unknown),
        N=len(ids),
        subjects=sorted(unknown),
    )
    for name, subjects in found.items():
        for suffix, hit, base in (
            ("", subjects, ids),
            ("_best", subjects | unknown, ids),
            ("_known", subjects - unknown, ids - unknown),
        ):
            here = sorted(hit & base)
            counts = (len(here), len(base))
            add_rate(rows, counts, study=study, where=(TOTAL, f"{name}{suffix}", code), subjects=here)
