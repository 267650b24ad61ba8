"""Dose finding: the DLT rate by level under several models, as a sensitivity."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from interim.adam.model import Adam
from interim.analysis.escalation_state import add_absent, escalation_of, no_escalation, printed
from interim.analysis.layout import printed_rows
from interim.analysis.population import set_label
from interim.data.model import Sdtm
from interim.design.blrm import Blrm, IntervalPosterior
from interim.design.history import EVALUABLE, Cohort
from interim.design.interval import Boin, IntervalDesign, Mtpi2
from interim.recall import computed
from interim.result import Result, Rows
from interim.stats import beta_posterior
from interim.stats.isotonic import isotonic_fit
from interim.study import Study

_INTERVALS = ("under", "target", "over")


def dlt_curve(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Estimate the DLT rate of every level by several models.

    Parameters
    ----------
    adam : Adam
        ADDLT.
    study : Study
        Dose levels, ``dose.tox_limit``, ``dose.tox_band``.
    sdtm : Sdtm
        Source data.

    Returns
    -------
    Result
        ``escalation_model.dlt_curve``; columns by level; variables rule (decision: MTD, cleared, excluded, open or not treated), dlt (stat rate), beta (mean, lower, upper; own level only), isotonic (mean), blrm (mean, under, target,
        over, ewoc, and limits lower50, upper50, lower95, upper95), mtpi2 and boin (decision of the published table for the counts).

    Raises
    ------
    DesignError
        If the dose levels cannot be used by a model.
    """
    title = "Model-based sensitivity of the DLT curve"
    rows = Rows("escalation_model.dlt_curve", title, set_label("DLT-EV", study), group_var="LEVEL")
    reason = no_escalation(adam, study)
    if reason:
        return add_absent(rows, reason, variable="dlt").build()
    state = escalation_of(adam, study, sdtm)
    cohorts = state.history.cohorts()
    for level, standing in enumerate(state.rule.standing(state.history), 1):
        rows.add("decision", None, text=standing, group=f"DL{level}", variable="rule")
    n, y = np.array([cohort.n for cohort in cohorts]), np.array([cohort.n_dlt for cohort in cohorts])
    for cohort, fit in zip(cohorts, isotonic_fit(y / np.maximum(n, 1), n), strict=True):
        ids = [s.id for s in state.history.subjects if s.level == cohort.level and s.outcome in EVALUABLE]
        _add_level(rows, cohort, float(fit), study, ids=ids)
    _add_blrm(rows, n, y, study)
    return rows.build()


def _add_level(rows: Rows, cohort: Cohort, fit: float, study: Study, *, ids: Sequence[str]) -> None:
    """Add what the level's own data say."""
    group, x, size = f"DL{cohort.level}", cohort.n_dlt, cohort.n
    rows.add("N", size, group=group, variable="population", n=size, subjects=ids)
    if not size:
        for variable, stat in (("dlt", "rate"), ("beta", "mean"), ("beta", "lower"), ("beta", "upper"), ("isotonic", "mean"),
                               ("mtpi2", "decision"), ("boin", "decision")):  # fmt: skip
            reason = "no evaluable participant"
            rows.add(stat, None, group=group, variable=variable, status="NA", reason=reason, n=0, N=0)
        return
    rows.add("rate", x / size, group=group, variable="dlt", n=x, N=size)
    prior = printed_rows()["dlt"]["prior"]
    own = beta_posterior(x, size, prior=(prior[0], prior[1]), level=study.stats.level)
    for stat, value in (("mean", own.mean), ("lower", own.interval.lower), ("upper", own.interval.upper)):
        rows.add(stat, float(value), group=group, variable="beta")
    rows.add("mean", fit, group=group, variable="isotonic")
    for name, design in _tables(study).items():
        letter = _letter(design, size, x)
        rows.add("decision", None, text=letter, group=group, variable=name, n=x, N=size)


@lru_cache(maxsize=128)
def _letter(design: IntervalDesign, size: int, x: int) -> str:
    """Return the decision of a published table; readings with the same counts share it."""
    return design.table(size)[size - 1][x]


def _tables(study: Study) -> dict[str, IntervalDesign]:
    target, half = interval_target(study)
    return {
        "mtpi2": Mtpi2(study.dose.levels, target, margin=(half, half)),
        "boin": Boin(study.dose.levels, target),
    }


def interval_target(study: Study) -> tuple[float, float]:
    """Return the target rate of the comparison designs and the half width of its interval.

    Parameters
    ----------
    study : Study
        ``dose.tox_band``.

    Returns
    -------
    tuple of float
        Middle and half width of the toxicity band.

    Raises
    ------
    None
    """
    low, high = study.dose.tox_band
    return round((low + high) / 2, 6), round((high - low) / 2, 6)


def _add_blrm(rows: Rows, n: np.ndarray, y: np.ndarray, study: Study) -> None:
    """Add the two-parameter logistic model; its posterior is a quadrature, without simulation."""
    model = Blrm.from_study(study, n_max=max(int(n.sum()), 3), dref=printed()["blrm"]["dref"])
    names, probs = zip(*_limits(), strict=True)
    found, limits = _posterior(model, tuple(n.tolist()), tuple(y.tolist()), probs)
    for place in range(len(study.dose.levels)):
        where = {"group": f"DL{place + 1}", "variable": "blrm"}
        rows.add("mean", float(found.mean[place]), **where)
        for stat, value in zip(_INTERVALS, found.interval_probs[place], strict=True):
            rows.add(stat, float(value), **where)
        rows.add("ewoc", None, text="yes" if found.ewoc_ok[place] else "no", **where)
        for stat, value in zip(names, limits[place], strict=True):
            rows.add(stat, float(value), **where)


@lru_cache(maxsize=32)
def _posterior(
    model: Blrm, n: tuple[int, ...], y: tuple[int, ...], probs: tuple[float, ...]
) -> tuple[IntervalPosterior, np.ndarray]:
    """Return the posterior and its quantiles; readings with the same counts share them."""
    return computed(Blrm.posterior_of, model, n, y), computed(Blrm.quantiles_of, model, n, y, probs)


def _limits() -> list[tuple[str, float]]:
    """Return the names and probabilities of the limits of the credible intervals."""
    found = []
    for level in printed()["escalation"]["interval_levels"]:
        found += [(f"lower{100 * level:g}", (1 - level) / 2), (f"upper{100 * level:g}", (1 + level) / 2)]
    return found
