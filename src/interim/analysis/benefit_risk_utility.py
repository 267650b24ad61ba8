"""Supportive: utility of the doses, the chance that each is best, and what other scores would say."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.benefit_risk import NO_LADDER, cell_counts, utility_moments
from interim.analysis.benefit_risk_components import printed
from interim.analysis.population import Population, open_rows, population
from interim.analysis.response import responders
from interim.analysis.subgroups.chance import seed_of
from interim.result import TOTAL, Result, Rows
from interim.stats.answers import Floats
from interim.study import Study

_ID = "benefit_risk_utility.ranking"
_TIE = 1e-9
_NO_SCORES = "no scores of response and event in the study"
_NO_SEED = "no seed in the study: random draws are refused"
UNSEPARATED = "the data do not separate the doses"
OPTION = "a randomised comparison of two doses is an option (dose optimisation, by analogy)"


def ranking(adam: Adam, study: Study) -> Result:
    """Give the utility of every dose, the chance that it is the best, and the best dose under other scores.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS.
    study : Study
        Table ``benefit_risk``, ``stats.draws``, seed.

    Returns
    -------
    Result
        ``benefit_risk_utility.ranking``; columns = actual dose level; variable ``utility`` (mean, sd), ``p_best`` and ``joint`` (value
        and mcse: P(toxicity within its limit and activity reached) under the Dirichlet prior), ``times_best`` (scores under
        which the dose has the largest mean, of all scores tried); total: ``ranking`` (level = scores; text), ``conclusion``.

    Raises
    ------
    DerivationError
        If ADSL lacks the set.

    Notes
    -----
    Doses with few participants are never called best.
    """
    role = "CART-SAF" if study.with_role("t") else "NK-SAF"
    who = population(adam, study, role)
    rows = open_rows(_ID, "Utility of the doses (supportive)", who, method="Dirichlet posterior")
    reason = _absent(adam, study)
    if reason:
        rows.add("mean", None, variable="utility", status="NA", reason=reason)
        return rows.build()
    cells = _cells(adam, study, who)
    eligible = [g for g in cells if who.n(g) >= printed()["fewest"]]
    _add_means(rows, cells, study)
    _add_scores(rows, cells, eligible, study)
    _add_draws(rows, cells, eligible, study)
    return rows.build()


def _absent(adam: Adam, study: Study) -> str:
    if not study.with_role("t"):
        return NO_LADDER
    return "" if adam.has("ADRS") else f"not available: {adam.missing.get('ADRS', 'no response dataset')}"


def _cells(adam: Adam, study: Study, who: Population) -> dict[str, tuple[int, ...]]:
    """Counts of response and event per dose that was given."""
    adsl = adam["ADSL"]
    active = responders(adam, study, confirmed=study.response.confirmation_required)
    toxic = frozenset(adsl.loc[adsl["DLTFL"] == "Y", "USUBJID"])
    return {
        group: cell_counts(ids, active, toxic=toxic)
        for group, ids in who.members.items()
        if group != TOTAL and ids
    }


def _add_means(rows: Rows, cells: Mapping[str, tuple[int, ...]], study: Study) -> None:
    for group, counts in cells.items():
        place: dict[str, Any] = {"group": group, "variable": "utility", "n": sum(counts), "N": sum(counts)}
        if study.benefit_risk.utility is None:
            rows.add("mean", None, status="NE", reason=_NO_SCORES, **place)
            continue
        few = sum(counts) < printed()["fewest"]
        more = {"status": "FLAG", "reason": f"fewer than {printed()['fewest']} participants"} if few else {}
        mean, sd = utility_moments(counts, study)
        rows.add("mean", mean, **place, **more)
        rows.add("sd", sd, **place, **more)


def _add_scores(rows: Rows, cells: Mapping[str, tuple[int, ...]], eligible: list[str], study: Study) -> None:
    """The best dose by mean utility under every pair of scores of the two middle cells."""
    table = printed()["ranking"]
    pairs = list(product(table["u2"], table["u3"]))
    times = dict.fromkeys(eligible, 0)
    for u2, u3 in pairs if eligible else ():
        means = {g: utility_moments(cells[g], study, scores=(100.0, u2, u3, 0.0))[0] for g in eligible}
        top = max(means.values())
        best = [g for g in eligible if top - means[g] <= _TIE]
        times.update({g: times[g] + 1 for g in best})
        rows.add("best", top, variable="ranking", level=f"u2 {u2:g}, u3 {u3:g}", text=", ".join(best))
    for group, count in times.items():
        rows.add("n", count, group=group, variable="times_best", unit="scores", n=count, N=len(pairs))


def _add_draws(rows: Rows, cells: Mapping[str, tuple[int, ...]], eligible: list[str], study: Study) -> None:
    if study.study.seed is None or not eligible:
        reason = _NO_SEED if study.study.seed is None else "every dose has few participants"
        rows.add("value", None, variable="p_best", status="NE", reason=reason)
        return
    draws = study.stats.draws
    rng = np.random.default_rng(seed_of(study, _ID))
    table = study.benefit_risk
    drawn = {
        group: rng.dirichlet(
            np.array(table.prior_cells) * table.prior_ess + np.array(cells[group]), size=draws
        )
        for group in eligible
    }
    for group, sample in drawn.items():
        tolerable = sample[:, 1] + sample[:, 3] <= study.dose.limit
        active = sample[:, 0] + sample[:, 1] >= table.p_act
        _add_share(rows, group, "joint", float((tolerable & active).mean()), draws)
    if table.utility is None:
        rows.add("value", None, variable="p_best", status="NE", reason=_NO_SCORES)
        return
    _add_best(rows, {g: sample @ np.array(table.utility) for g, sample in drawn.items()}, study)


def _add_best(rows: Rows, utilities: Mapping[str, Floats], study: Study) -> None:
    values = np.stack(list(utilities.values()))
    first = np.argmax(values, axis=0)
    shares = {group: float((first == place).mean()) for place, group in enumerate(utilities)}
    for group, share in shares.items():
        _add_share(rows, group, "p_best", share, study.stats.draws)
    leader = max(shares, key=lambda g: shares[g])
    clear = len(shares) > 1 and shares[leader] >= study.benefit_risk.best_dose_prob
    text = f"{leader} has the largest utility" if clear else f"{UNSEPARATED}; {OPTION}"
    rows.add("text", None, variable="conclusion", text=text)


def _add_share(rows: Rows, group: str, variable: str, share: float, draws: int) -> None:
    place: dict[str, Any] = {"group": group, "variable": variable, "method": f"{draws} draws"}
    rows.add("value", share, **place)
    rows.add("mcse", float(np.sqrt(share * (1.0 - share) / draws)), **place)
