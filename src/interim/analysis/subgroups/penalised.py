"""A penalised model of all primary factors, judged on participants that were left out; a sensitivity analysis only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from interim.adam.model import Adam
from interim.analysis.population import add_not_available, open_rows
from interim.analysis.subgroups.model import Factor, Flags, Floats, Outcome, Panel
from interim.analysis.subgroups.panel import open_panel
from interim.result import TOTAL, Result, Rows
from interim.study import Study

Penalty = Literal["ridge", "elastic_net"]
MIN_N = 12
TUNED = (0.01, 0.03, 0.1, 0.3, 1.0)
NOT_BETTER = "The factors together did not predict response in left-out participants."
NOT_A_MODEL = "This is not a prediction model."
_STATE = 1


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Predictions for participants by models that never saw them.

    Attributes
    ----------
    probability, null : ndarray of float, shape (n,)
        Of the model, and of the share of events among the others.
    coefficients : ndarray of float, shape (n, p)
        Of each fold, per standard deviation within the fold.
    apparent : ndarray of float, shape (n,)
        Predictions of the model of all.
    """

    probability: Floats
    null: Floats
    coefficients: Floats
    apparent: Floats


def sensitivity_model(
    adam: Adam, study: Study, *, endpoint: str = "orr", penalty: Penalty = "ridge"
) -> Result:
    """Fit a penalised logistic model of all primary factors and compare it with no model, leaving one out at a time.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, and what the endpoint needs.
    study : Study
        ``subgroup.sensitivity_model``, ``sensitivity_c``, ``sensitivity_tune``, ``min_events``.
    endpoint : str
        A binary endpoint.
    penalty : {"ridge", "elastic_net"}
        Kind of penalty.

    Returns
    -------
    Result
        ``subgroups.sensitivity_model``; variable ``model`` and ``null``: brier, log_loss (left out); ``optimism``: brier, log_loss
        (apparent minus left out); ``coefficient``, group = entry id: min, max over folds; ``complete``: n; ``reading`` texts.
        NE without enough participants, events or non-events. No ranking, no p-value.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    KeyError
        If the endpoint is unknown.

    Notes
    -----
    Columns are standardised inside each fold. Tuning chooses the penalty by the log loss of a second leaving-one-out within
    the fold.
    """
    panel, who = open_panel(adam, study, endpoints=(endpoint,))
    rows = open_rows("subgroups.sensitivity_model", "Penalised sensitivity model", who)
    outcome = panel.outcomes[endpoint]
    if outcome.reason or not study.subgroup.sensitivity_model:
        reason = outcome.reason or "switched off by subgroup.sensitivity_model"
        add_not_available(rows, [TOTAL], variable="model", stat="brier", reason=reason)
        return rows.build()
    add_model(rows, panel, study, outcome=outcome, penalty=penalty)
    return rows.build()


def add_model(rows: Rows, panel: Panel, study: Study, *, outcome: Outcome, penalty: Penalty) -> None:
    """Add the model of a panel.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    panel : Panel
        Primary factors.
    study : Study
        Settings.
    outcome : Outcome
        Binary.
    penalty : {"ridge", "elastic_net"}
        Kind of penalty.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    columns = [_column(factor) for factor in panel.primary]
    matrix: Floats = np.column_stack(columns) if columns else np.empty((panel.n, 0))
    keep: Flags = outcome.known & ~np.isnan(matrix).any(axis=1)
    names = panel.names(keep)
    rows.add("n", len(names), variable="complete", n=len(names), N=panel.n, subjects=names)
    x, y = matrix[keep], outcome.values[keep].astype(np.int64)
    reason = _refused(x, y, study)
    if reason:
        for stat in ("brier", "log_loss"):
            rows.add(stat, None, variable="model", n=int(y.sum()), N=len(y), status="NE", reason=reason)
        rows.add("text", None, variable="reading", level="use", text=NOT_A_MODEL)
        return
    found = leave_out(x, y, study=study, penalty=penalty)
    _add_scores(rows, found, y)
    for place, factor in enumerate(panel.primary):
        for stat, value in (
            ("min", found.coefficients[:, place].min()),
            ("max", found.coefficients[:, place].max()),
        ):
            rows.add(stat, float(value), group=factor.id, variable="coefficient", unit="per SD in the fold")


def _refused(x: Floats, y: Any, study: Study) -> str:
    if len(y) < MIN_N or not x.shape[1]:
        return "COMPLETE_N_LT_12"
    if min(int(y.sum()), int((1 - y).sum())) < study.subgroup.min_events:
        return "EVENTS_LT_5"
    return "ONE_LEVEL" if (np.ptp(x, axis=0) == 0).any() else ""


def _column(factor: Factor) -> Floats:
    """Return a factor as one number: its scaled value, or not in the first level."""
    if factor.entry.kind == "continuous":
        return np.where(factor.known, factor.scaled, np.nan)
    places = factor.codes.astype(np.float64)
    number = places if factor.entry.kind == "ordinal" else (places > 0).astype(np.float64)
    result: Floats = np.where(factor.known, number, np.nan)
    return result


def leave_out(x: Floats, y: Any, *, study: Study, penalty: Penalty) -> LeftOut:
    """Predict each participant by a model of the others.

    Parameters
    ----------
    x : ndarray of float, shape (n, p)
        Covariates.
    y : ndarray of int, shape (n,)
        0 or 1; at least two of each.
    study : Study
        Penalty.
    penalty : {"ridge", "elastic_net"}
        Kind of penalty.

    Returns
    -------
    LeftOut
        Predictions and coefficients by fold.

    Raises
    ------
    None
    """
    n = len(y)
    probability, null = np.empty(n), np.empty(n)
    coefficients = np.empty((n, x.shape[1]))
    for place in range(n):
        others = np.arange(n) != place
        c = _strength(x[others], y[others], study=study, penalty=penalty)
        coefficients[place], probability[place] = _predict(x[others], y[others], x[place], (c, penalty))
        null[place] = float(y[others].mean())
    c = _strength(x, y, study=study, penalty=penalty)
    apparent = np.array([_predict(x, y, row, (c, penalty))[1] for row in x])
    return LeftOut(probability, null, coefficients, apparent)


def _strength(x: Floats, y: Any, *, study: Study, penalty: Penalty) -> float:
    settings = study.subgroup
    if not settings.sensitivity_tune:
        return settings.sensitivity_c
    losses = []
    for c in TUNED:
        inner = [np.arange(len(y)) != place for place in range(len(y))]
        guesses = [_predict(x[keep], y[keep], x[~keep][0], (c, penalty))[1] for keep in inner]
        losses.append(_scores(np.array(guesses), y)[1])
    return TUNED[int(np.argmin(losses))]


def _predict(x: Floats, y: Any, row: Floats, how: tuple[float, Penalty]) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression

    mean, sd = x.mean(axis=0), x.std(axis=0)
    sd = np.where(sd > 0, sd, 1.0)
    c, penalty = how
    if y.min() == y.max():
        return np.zeros(x.shape[1]), float(y.mean())
    settings: dict[str, Any] = (
        {"l1_ratio": 0.0, "solver": "lbfgs", "tol": 1e-8, "max_iter": 2000}
        if penalty == "ridge"
        else {"l1_ratio": 0.5, "solver": "saga", "tol": 1e-8, "max_iter": 100_000, "random_state": _STATE}
    )
    model = LogisticRegression(C=c, **settings).fit((x - mean) / sd, y)
    score = float(model.intercept_[0] + ((row - mean) / sd) @ model.coef_[0])
    return model.coef_[0], float(1.0 / (1.0 + np.exp(-score)))


def _scores(p: Floats, y: Any) -> tuple[float, float]:
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    loss = -(y * np.log(inside) + (1 - y) * np.log(1 - inside)).mean()
    return float(((p - y) ** 2).mean()), float(loss)


def _add_scores(rows: Rows, found: LeftOut, y: Any) -> None:
    model, null, apparent = (_scores(p, y) for p in (found.probability, found.null, found.apparent))
    for place, stat in enumerate(("brier", "log_loss")):
        rows.add(stat, model[place], variable="model", n=int(y.sum()), N=len(y))
        rows.add(stat, null[place], variable="null", n=int(y.sum()), N=len(y))
        rows.add(stat, apparent[place] - model[place], variable="optimism")
    if model[0] >= null[0] or model[1] >= null[1]:
        rows.add("text", None, variable="reading", level="prediction", text=NOT_BETTER)
    rows.add("text", None, variable="reading", level="use", text=NOT_A_MODEL)
