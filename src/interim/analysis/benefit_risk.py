"""Benefit and risk by dose: every component, the posterior probabilities, and the joint desirability last."""

from __future__ import annotations

from typing import Any

from scipy.special import betaincinv

from interim.adam.model import Adam
from interim.analysis.benefit_risk_components import add_components, printed
from interim.analysis.escalation_state import no_escalation
from interim.analysis.escalation_stop import index_by_dose
from interim.analysis.population import add_not_available, add_rates, open_rows, population
from interim.analysis.response import disease_control, responders
from interim.data.model import Sdtm
from interim.result import TOTAL, Result, Rows
from interim.stats import beta_tail
from interim.study import Study

NO_LADDER = "not applicable: the study has no dose ladder of a T-cell product"
CELLS = ((True, False), (True, True), (False, False), (False, True))
"""Response and event of the cells of the utility, in the order of its scores."""


def by_dose(adam: Adam, study: Study, sdtm: Sdtm | None = None) -> Result:
    """Give benefit and risk of every dose level.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS, ADAE.
    study : Study
        Limit of toxicity, ``benefit_risk``, evaluator, ``therapeutic_index``.
    sdtm : Sdtm, optional
        Recorded decisions; without them the index is left out.

    Returns
    -------
    Result
        ``benefit_risk.by_dose``; columns = actual dose level; components of `add_components`; rates ``orr``, ``dcr``; variable
        ``posterior``: p_tox_ok, p_active, joint; mean and limits (level 50, 90) of both rates; ``utility`` mean and sd; ``index`` (text) last.

    Raises
    ------
    DerivationError
        If ADSL lacks the set.

    Notes
    -----
    A uniform prior for each dose, no borrowing between doses. The joint desirability is the product of both probabilities;
    doses with few participants are flagged and never called best.
    """
    role = "CART-SAF" if study.with_role("t") else "NK-SAF"
    who = population(adam, study, role)
    rows = open_rows("benefit_risk.by_dose", "Benefit and risk by dose", who)
    if not study.with_role("t"):
        add_not_available(rows, who.groups, variable="dlt", stat="rate", reason=NO_LADDER)
        return rows.build()
    toxic = add_components(rows, who, adam=adam, study=study)
    if not adam.has("ADRS"):
        reason = f"not available: {adam.missing.get('ADRS', 'no response dataset')}"
        add_not_available(rows, who.groups, variable="orr", stat="rate", reason=reason)
        return rows.build()
    confirmed = study.response.confirmation_required
    active = responders(adam, study, confirmed=confirmed)
    control = disease_control(adam, study, confirmed=confirmed)
    for variable, subjects in (("orr", active), ("dcr", control)):
        add_rates(rows, who, study=study, variable=variable, subjects=subjects)
    for group, ids in who.members.items():
        _add_posterior(rows, group, (len(toxic & ids), len(active & ids), len(ids)), study)
        _add_utility(rows, group, ids, (active, toxic), study)
    if sdtm is not None and not no_escalation(adam, study):
        for group, text in index_by_dose(adam, study, sdtm).items():
            rows.add("text", None, group=group, variable="index", text=text)
    return rows.build()


def _add_posterior(rows: Rows, group: str, counts: tuple[int, int, int], study: Study) -> None:
    """Probabilities of a tolerable and of an active dose, their product, and the regions of the figure."""
    events, responses, n = counts
    place: dict[str, Any] = {"group": group, "variable": "posterior", "n": n, "N": n}
    names = ("p_tox_ok", "p_active", "joint")
    if group == TOTAL or n == 0:
        reason = "not pooled across dose levels" if group == TOTAL else "no participant at this dose"
        for stat in names:
            rows.add(stat, None, status="NA", reason=reason, **place)
        return
    a, b = printed()["prior"]
    tolerable = 1.0 - float(beta_tail(events, n, limit=study.dose.limit, prior=(a, b)))
    active = float(beta_tail(responses, n, limit=study.benefit_risk.p_act, prior=(a, b)))
    least = printed()["fewest"]
    few = {"status": "FLAG", "reason": f"fewer than {least} participants"} if n < least else {}
    for stat, value in zip(names, (tolerable, active, tolerable * active), strict=True):
        rows.add(stat, value, **place, **few)
    rows.add("tox_mean", (a + events) / (a + b + n), **place, **few)
    rows.add("act_mean", (a + responses) / (a + b + n), **place, **few)
    for level, mass in printed()["regions"].items():
        for axis, x in (("tox", events), ("act", responses)):
            for stat, tail in (("lower", (1 - mass) / 2), ("upper", (1 + mass) / 2)):
                limit = float(betaincinv(a + x, b + n - x, tail))
                rows.add(f"{axis}_{stat}", limit, group=group, variable="region", level=level)


def _add_utility(
    rows: Rows, group: str, ids: frozenset[str], hits: tuple[frozenset[str], frozenset[str]], study: Study
) -> None:
    """Posterior mean and standard deviation of the utility; not evaluable without scores."""
    table = study.benefit_risk
    place: dict[str, Any] = {"group": group, "variable": "utility", "n": len(ids), "N": len(ids)}
    if table.utility is None:
        for stat in ("mean", "sd"):
            rows.add(stat, None, status="NE", reason="no scores of response and event in the study", **place)
        return
    mean, sd = utility_moments(cell_counts(ids, hits[0], toxic=hits[1]), study)
    rows.add("mean", mean, **place)
    rows.add("sd", sd, **place)


def cell_counts(ids: frozenset[str], active: frozenset[str], *, toxic: frozenset[str]) -> tuple[int, ...]:
    """Return the participants of each cell of response and event.

    Parameters
    ----------
    ids : frozenset of str
        Participants of a dose.
    active, toxic : frozenset of str
        Participants with a response; with an event.

    Returns
    -------
    tuple of int
        (response, no event), (both), (neither), (event only).

    Raises
    ------
    None
    """
    return tuple(len([one for one in ids if ((one in active), (one in toxic)) == cell]) for cell in CELLS)


def utility_moments(
    cells: tuple[int, ...], study: Study, *, scores: tuple[float, ...] | None = None
) -> tuple[float, float]:
    """Return posterior mean and standard deviation of the utility.

    Parameters
    ----------
    cells : tuple of int
        Participants with (response, no event), (both), (neither), (event only).
    study : Study
        Scores and Dirichlet prior.
    scores : tuple of float, optional
        Instead of those of the study.

    Returns
    -------
    tuple of float
        Mean and standard deviation.

    Raises
    ------
    None
    """
    table = study.benefit_risk
    scores = scores or table.utility or ()
    shapes = [p * table.prior_ess + x for p, x in zip(table.prior_cells, cells, strict=True)]
    total = sum(shapes)
    mean = sum(u * a for u, a in zip(scores, shapes, strict=True)) / total
    square = sum(u * u * a for u, a in zip(scores, shapes, strict=True)) / total
    return mean, float(((square - mean**2) / (total + 1)) ** 0.5)
