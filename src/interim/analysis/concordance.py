"""Concordance: evaluators against each other, responses from lesions against those reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.population import Population, add_rate, efficacy_set, open_rows, population
from interim.errors import Finding
from interim.result import TOTAL, Result, Rows
from interim.study import Study

MIN_KAPPA_N = 10
CONTRADICTIONS = ("RS-DERIV", "RS-NEW")
_OTHER_ROUTE = ("ROVR", "LOVR")
_KEYS = ["USUBJID", "PARCAT2", "AVISITN", "ORDER"]


def evaluators(adam: Adam, study: Study) -> Result:
    """Compare the primary evaluator with each other one: best response and progression.

    Parameters
    ----------
    adam : Adam
        ADSL and ADRS.
    study : Study
        Efficacy set, primary evaluator, interval.

    Returns
    -------
    Result
        ``concordance.evaluators``; variables ``bor`` and ``pd`` with level = other evaluator: rate, lower, upper of the
        agreement, kappa (NE below ten pairs); ``pd_date`` with levels ``<evaluator> earlier``, ``same``, ``later``;
        ``pair`` with level = evaluator and participant: primary and other as texts.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.

    Notes
    -----
    Participants assessed by both are compared; the lesions of two readers are never joined.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("concordance.evaluators", "Concordance of evaluators", who)
    if not adam.has("ADRS"):
        return _not_available(rows, "no responses")
    adrs = adam["ADRS"]
    adrs = adrs[adrs["USUBJID"].isin(who.everyone)]
    primary = study.response.evaluator
    others = sorted(set(adrs["PARCAT2"].dropna()) - {primary})
    if not others:
        return _not_available(rows, f"{primary.lower()} is the only evaluator")
    for other in others:
        both = _assessed(adrs, primary) & _assessed(adrs, other)
        _compare(rows, adrs[adrs["USUBJID"].isin(both)], (primary, other), study)
    return rows.build()


def _not_available(rows: Rows, reason: str) -> Result:
    rows.add("rate", None, variable="bor", status="NA", reason=f"not available: {reason}")
    return rows.build()


def _assessed(adrs: pd.DataFrame, evaluator: str) -> set[str]:
    keep = (adrs["PARCAT2"] == evaluator) & (adrs["PARAMCD"] == "OVR")
    return set(adrs.loc[keep, "USUBJID"])


def _values(adrs: pd.DataFrame, evaluator: str, parameter: str, column: str) -> dict[str, Any]:
    rows = adrs[(adrs["PARCAT2"] == evaluator) & (adrs["PARAMCD"] == parameter)]
    return dict(zip(rows["USUBJID"], rows[column], strict=True))


def _compare(rows: Rows, adrs: pd.DataFrame, names: tuple[str, str], study: Study) -> None:
    other = names[1]
    best = "CBOR" if study.response.confirmation_required else "BOR"
    for variable, parameter in (("bor", best), ("pd", "PD")):
        one, two = (_values(adrs, name, parameter, "AVALC") for name in names)
        pairs = {subject: (one[subject], two[subject]) for subject in sorted(one) if subject in two}
        _add_agreement(rows, pairs, study=study, where=(variable, other))
        for subject, (a, b) in pairs.items():
            if variable == "bor" and a != b:
                place: dict[str, Any] = {
                    "variable": "pair",
                    "level": f"{other} {subject}",
                    "subjects": [subject],
                }
                rows.add("participant", None, text=subject, **place)
                rows.add("primary", None, text=str(a), **place)
                rows.add("other", None, text=str(b), **place)
    dates = [_values(adrs[adrs["AVALC"] == "Y"], name, "PD", "ADT") for name in names]
    common = sorted(set(dates[0]) & set(dates[1]))
    groups = {
        "earlier": [s for s in common if dates[1][s] < dates[0][s]],
        "same": [s for s in common if dates[1][s] == dates[0][s]],
        "later": [s for s in common if dates[1][s] > dates[0][s]],
    }
    for name, ids in groups.items():
        rows.add(
            "n",
            len(ids),
            variable="pd_date",
            level=f"{other} {name}",
            n=len(ids),
            N=len(common),
            subjects=ids,
        )


def _add_agreement(
    rows: Rows, pairs: Mapping[Any, tuple[str, str]], *, study: Study, where: tuple[str, str]
) -> None:
    variable, level = where
    agreed = [key for key, (a, b) in pairs.items() if a == b]
    subjects = sorted({key if isinstance(key, str) else key[0] for key in agreed})
    counts = (len(agreed), len(pairs))
    add_rate(rows, counts, study=study, where=(TOTAL, variable, level), subjects=subjects)
    value = kappa(list(pairs.values())) if len(pairs) >= MIN_KAPPA_N else None
    place: dict[str, Any] = {
        "variable": variable,
        "level": level,
        "n": len(pairs),
        "method": "unweighted kappa",
    }
    if value is None:
        reason = "PAIRS_LT_10" if len(pairs) < MIN_KAPPA_N else "ONE_CATEGORY"
        rows.add("kappa", None, status="NE", reason=reason, **place)
    else:
        rows.add("kappa", value, **place)


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return Cohen's unweighted kappa.

    Parameters
    ----------
    pairs : sequence of tuple of str
        Category by the first and by the second evaluator.

    Returns
    -------
    float or None
        None if agreement by chance is certain, or there is no pair.

    Raises
    ------
    None

    Examples
    --------
    >>> round(kappa([("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15), 3)
    0.4
    """
    n = len(pairs)
    if not n:
        return None
    agreed = sum(a == b for a, b in pairs) / n
    categories = {value for pair in pairs for value in pair}
    chance = sum(
        sum(a == c for a, _ in pairs) * sum(b == c for _, b in pairs) for c in sorted(categories)
    ) / (n * n)
    return None if chance == 1 else (agreed - chance) / (1 - chance)


def routes(adam: Adam, study: Study) -> Result:
    """Compare the responses derived from the lesions with those reported, time point by time point.

    Parameters
    ----------
    adam : Adam
        ADSL and ADRS.
    study : Study
        Evaluator, interval, route that feeds the endpoints.

    Returns
    -------
    Result
        ``concordance.routes``; ``matrix`` (level = derived > reported, stat n), ``agreement`` (rate, lower, upper, kappa),
        ``route`` (text: which route feeds the endpoints).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.

    Notes
    -----
    Time points are paired by visit number and order of dates; one that only one route has is not compared.
    """
    who = population(adam, study, "RE")
    rows = open_rows("concordance.routes", "Re-derived versus reported response", who)
    if not adam.has("ADRS"):
        rows.add("rate", None, variable="agreement", status="NA", reason="not available: no responses")
        return rows.build()
    pairs, derived_first = _route_pairs(adam["ADRS"], who, study)
    rows.add("name", None, variable="route", text="lesions" if derived_first else "reported")
    if pairs.empty:
        reason = "not available: the data hold one route only"
        rows.add("rate", None, variable="agreement", status="NA", reason=reason)
        return rows.build()
    columns = ("VALUE", "OTHER") if derived_first else ("OTHER", "VALUE")
    keys = zip(pairs["USUBJID"], range(len(pairs)), strict=True)
    values = dict(zip(keys, zip(*(pairs[c] for c in columns), strict=True), strict=True))
    for combination in sorted(set(values.values())):
        hit = [key for key, value in values.items() if value == combination]
        rows.add(
            "n",
            len(hit),
            variable="matrix",
            level=" > ".join(combination),
            n=len(hit),
            N=len(values),
            subjects=sorted({subject for subject, _ in hit}),
        )
    _add_agreement(rows, values, study=study, where=("agreement", ""))
    return rows.build()


def _route_pairs(adrs: pd.DataFrame, who: Population, study: Study) -> tuple[pd.DataFrame, bool]:
    """Return the time points with both routes, and whether the lesions feed the endpoints."""
    mine = adrs[(adrs["PARCAT2"] == study.response.evaluator) & adrs["USUBJID"].isin(who.everyone)]
    parameters = set(mine["PARAMCD"])
    other = next((name for name in _OTHER_ROUTE if name in parameters), None)
    overall = mine[mine["PARAMCD"] == "OVR"]
    derived_first = other == "ROVR" or (other is None and bool((overall["SRCDOM"] == "TR").any()))
    if other is None:
        return pd.DataFrame(columns=[*_KEYS, "VALUE", "OTHER"]), derived_first
    one, two = (
        _numbered(mine[mine["PARAMCD"] == name], value)
        for name, value in (("OVR", "VALUE"), (other, "OTHER"))
    )
    return one.merge(two, on=_KEYS, validate="1:1"), derived_first


def _numbered(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    ordered = rows.sort_values(["USUBJID", "AVISITN", "ADT"], kind="stable")
    visit = ordered["AVISITN"].fillna(-1.0)
    ordered = ordered.assign(AVISITN=visit)
    number = ordered.groupby(["USUBJID", "PARCAT2", "AVISITN"]).cumcount()
    return ordered.assign(ORDER=number).rename(columns={"AVALC": value})[[*_KEYS, value]]


def contradictions(adam: Adam, study: Study) -> Result:
    """List where reported responses contradict the lesions.

    Parameters
    ----------
    adam : Adam
        Findings RS-DERIV and RS-NEW; TRTSDT of ADSL.
    study : Study
        Study whose data they are.

    Returns
    -------
    Result
        ``concordance.contradictions``; ``contradictions`` with n (number); ``finding`` with level = participant and number:
        day (from the first infusion), and as texts participant, rule, evaluator, variable, reported, derived, reason.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "ENR")
    rows = open_rows("concordance.contradictions", "Reported responses that contradict the lesions", who)
    ran = {rule: state for rule, _, state in adam.rules if rule in CONTRADICTIONS}
    states = sorted({state for state in ran.values() if state != "run"})
    found = [f for f in adam.findings if f.rule in CONTRADICTIONS]
    if states and not found:
        rows.add("n", None, variable="contradictions", status="NA", reason=states[0])
        return rows.build()
    subjects = sorted({f.subject for f in found if f.subject})
    rows.add("n", len(found), variable="contradictions", n=len(found), subjects=subjects)
    start = adam["ADSL"].set_index("USUBJID")["TRTSDT"]
    for number, finding in enumerate(sorted(found, key=_place), 1):
        _add_finding(rows, finding, number, start=start)
    return rows.build()


def _place(finding: Finding) -> tuple[str, str, str, str]:
    return (
        finding.subject or "",
        finding.key[-1] if finding.key else "",
        finding.rule,
        finding.variable or "",
    )


def _add_finding(rows: Rows, finding: Finding, number: int, *, start: pd.Series[pd.Timestamp]) -> None:
    subject = finding.subject or ""
    place: dict[str, Any] = {
        "variable": "finding",
        "level": f"{subject} {number}",
        "subjects": [subject] if subject else [],
    }
    evaluator, day = (finding.key[0], finding.key[-1]) if finding.key else ("", "")
    first = start.get(subject, pd.NaT)
    when = pd.to_datetime(day, errors="coerce")
    if pd.isna(first) or pd.isna(when):
        rows.add("day", None, status="NE", reason="NO_DATE", unit="days", **place)
    else:
        rows.add("day", (when - first).days, unit="days", **place)
    texts = {
        "participant": subject,
        "rule": finding.rule,
        "evaluator": evaluator,
        "variable": finding.variable,
        "reported": finding.value,
        "derived": finding.expected,
        "reason": finding.message.split(": ", 1)[-1],
    }
    for stat, text in texts.items():
        rows.add(stat, None, text=text or "-", **place)
