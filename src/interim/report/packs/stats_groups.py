"""Reference pack of the statistics room: two groups of right-censored times."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy.special import chdtrc, ndtr

from interim.report.packs.base import Case, Given, Pack, plain
from interim.stats import (
    CoxFit,
    cox,
    firth_cox,
    logrank,
    logrank_permutation,
    logrank_scores,
    rmst_contrast,
)
from interim.stats.answers import Floats

_FILE = "two_group.json"
_COX = {
    "cox.efron": ("efron", False),
    "cox.breslow": ("breslow", False),
    "cox_stratified_efron": ("efron", True),
    "cox_multi_efron": ("efron", False),
    "cox_multi_breslow": ("breslow", False),
}
_COX_FIELDS = ("coef", "se", "hr", "lower", "upper", "wald_p", "loglik", "lrt", "lrt_p", "score", "score_p")
_FIRTH = ("firth_cox", "firth_cox_multi")
_FIRTH_FIELDS = ("coef", "se", "hr", "plr_p", "wald_p")
_SIDES = ("profile_lower", "profile_upper")
_PERMUTED = ("n_perm", "score_stat_x1", "p_two_sided_abs", "p_less", "p_greater", "perm_var")
_WHOLE = (
    "logrank",
    "peto_rho1",
    "logrank_stratified",
    "coin_asymptotic_midranks",
    "interaction_x_strat_lrt_efron",
)
_INFINITE_COEF, _INFINITE_SE = 10.0, 100.0


def _split(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        result = case.get("result") or {}
        rows = {**result, **{f"cox.{ties}": row for ties, row in result.get("cox", {}).items()}}
        names = {name: _listed(rows[name]["names"]) for name in (*_COX, *_FIRTH) if name in rows}
        given = {**case["data"], "names": names, "tau": result.get("rmst_diff", {}).get("tau")}
        given["fields"] = [name for name in (*_WHOLE, "logrank_exact_perm", "coin_exact") if name in result]
        yield Case(case["id"], given, _expected(rows, result))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _expected(rows: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that are scored, in the shape of the answers: one entry per coefficient."""
    expected: dict[str, Any] = {name: result[name] for name in _WHOLE if name in result}
    expected |= {name: _cox_expected(rows[name]) for name in _COX if name in rows}
    expected |= {name: _firth_expected(rows[name]) for name in _FIRTH if name in rows}
    if "logrank_exact_perm" in result:
        expected["logrank_exact_perm"] = {name: result["logrank_exact_perm"][name] for name in _PERMUTED}
    if "coin_exact" in result:
        expected["coin_exact"] = {"mid-ranks": result["coin_exact"]["mid-ranks"]}
    if "rmst_diff" in result:
        expected["rmst_diff"] = {name: result["rmst_diff"][name] for name in ("diff", "ratio")}
    return expected


def _cox_expected(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without a maximum the status is expected, else the numbers."""
    sizes = [abs(value) for value in _listed(row["coef"])]
    infinite = max(sizes) > _INFINITE_COEF or max(_listed(row["se"])) > _INFINITE_SE
    if infinite or "may be infinite" in (row["warnings"] or ""):
        return {"reason": "MONOTONE_LIKELIHOOD"}
    return {"reason": "", **{name: _listed(row[name]) for name in _COX_FIELDS}}


def _firth_expected(row: Mapping[str, Any]) -> dict[str, Any]:
    """Values by coefficient, limits on the log scale; what the reference did not find is left out."""
    names = _listed(row["names"])
    expected: dict[str, Any] = {"loglik": row["loglik"]}
    for field in (*_FIRTH_FIELDS, *_SIDES):
        values = zip(names, _listed(row[field]), strict=True)
        known = {name: value for name, value in values if value is not None}
        expected[field] = {name: math.log(v) for name, v in known.items()} if field in _SIDES else known
    return expected


def _compute(given: Given) -> Mapping[str, Any]:
    time, event, x = given["time"], given["event"], given["x"]
    answer: dict[str, Any] = {}
    for name, names in given["names"].items():
        matrix = np.array([given[column] for column in names], dtype=np.float64).T
        answer[name] = (
            _penalised(given, matrix, names) if name in _FIRTH else _proportional(given, name, matrix)
        )
    if "logrank" in given["fields"]:
        answer |= _logranks(given)
    if "logrank_exact_perm" in given["fields"] or "coin_exact" in given["fields"]:
        answer |= _permuted(given)
    if "interaction_x_strat_lrt_efron" in given["fields"]:
        answer["interaction_x_strat_lrt_efron"] = _interaction(given)
    if given["tau"] is not None:
        found = rmst_contrast(time, event, group=x, tau=given["tau"])
        spans = found.difference_interval, found.ratio_interval
        answer["rmst_diff"] = {
            "diff": [found.difference, spans[0].lower, spans[0].upper, found.difference_p],
            "ratio": [found.ratio, spans[1].lower, spans[1].upper, found.ratio_p],
        }
    plain_answer: Mapping[str, Any] = plain(answer)
    return plain_answer


def _logranks(given: Given) -> dict[str, Any]:
    time, event, x = given["time"], given["event"], given["x"]
    test, weighted = logrank(time, event, group=x), logrank(time, event, group=x, rho=1.0)
    layered = logrank(time, event, group=x, strata=given["strat"])
    return {
        "logrank": {
            "obs": test.observed,
            "exp": test.expected,
            "var11": test.variance[0, 0],
            "chisq": test.chisq,
            "p": test.p_value,
        },
        "peto_rho1": {"chisq": weighted.chisq, "p": weighted.p_value},
        "logrank_stratified": {"chisq": layered.chisq, "p": layered.p_value},
    }


def _permuted(given: Given) -> dict[str, Any]:
    test = logrank_permutation(given["time"], given["event"], group=given["x"])
    variance = _permutation_variance(given)
    return {
        "logrank_exact_perm": {
            "n_perm": test.n_arrangements,
            "score_stat_x1": test.statistic,
            "p_two_sided_abs": test.p_value,
            "p_less": test.p_less,
            "p_greater": test.p_greater,
            "perm_var": variance,
        },
        "coin_exact": {"mid-ranks": test.p_value},
        "coin_asymptotic_midranks": 2.0 * float(ndtr(-abs(test.statistic) / math.sqrt(variance))),
    }


def _permutation_variance(given: Given) -> float:
    """Variance of the sum of scores in one group over all assignments."""
    scores, group = logrank_scores(given["time"], given["event"]), np.asarray(given["x"], dtype=np.float64)
    centred, gaps = scores - scores.mean(), group - group.mean()
    return float((gaps @ gaps) * (centred @ centred) / (len(scores) - 1))


def _proportional(given: Given, name: str, matrix: Floats) -> dict[str, Any]:
    ties, layered = _COX[name]
    fit = cox(given["time"], given["event"], X=matrix, ties=ties, strata=given["strat"] if layered else None)
    return {
        "reason": fit.reason,
        "coef": fit.coef,
        "se": fit.se,
        "hr": np.exp(fit.coef),
        "lower": np.exp(fit.lower),
        "upper": np.exp(fit.upper),
        "wald_p": fit.wald_p,
        "loglik": fit.loglik,
        "lrt": [fit.lrt],
        "lrt_p": [fit.lrt_p],
        "score": [fit.score],
        "score_p": [fit.score_p],
    }


def _penalised(given: Given, matrix: Floats, names: list[str]) -> dict[str, Any]:
    fit = firth_cox(given["time"], given["event"], X=matrix)
    # the reference takes the penalty on covariates divided by their sample standard deviations
    unit = float(np.log(matrix.std(axis=0, ddof=1)).sum())
    columns = {
        "coef": fit.coef,
        "se": fit.se,
        "hr": np.exp(fit.coef),
        "plr_p": fit.p_value,
        "wald_p": 2.0 * ndtr(-np.abs(fit.coef / fit.se)),
        "profile_lower": fit.lower,
        "profile_upper": fit.upper,
    }
    by_name = {field: dict(zip(names, values, strict=True)) for field, values in columns.items()}
    return {"loglik": [value - unit for value in fit.loglik], **by_name}


def _interaction(given: Given) -> dict[str, Any]:
    x, strat = (np.asarray(given[name], dtype=np.float64) for name in ("x", "strat"))
    wide, narrow = (
        _efron(given, columns)
        for columns in (np.column_stack([x, strat, x * strat]), np.column_stack([x, strat]))
    )
    chisq = 2.0 * (wide.loglik[1] - narrow.loglik[1])
    return {"chisq": chisq, "p": float(chdtrc(1, chisq)), "coef": wide.coef, "se": wide.se}


def _efron(given: Given, columns: Floats) -> CoxFit:
    return cox(given["time"], given["event"], X=columns)


_COX_TOLERANCES = {
    **dict.fromkeys(("coef", "se", "hr", "lower", "upper", "wald_p"), 1e-6),
    **dict.fromkeys(("loglik", "lrt", "lrt_p"), 1e-8),
}
_FIRTH_TOLERANCES = {
    **dict.fromkeys(("coef", "hr", "wald_p"), 1e-5),
    "se": 1e-6,
    "plr_p": 1e-8,
    "loglik": 1e-8,
    **dict.fromkeys(_SIDES, 1e-4),
}

STATS_GROUPS = (
    Pack(
        "stats",
        _FILE,
        1e-9,
        _split,
        _compute,
        tolerances={
            **{f"{row}.{name}": value for row in _COX for name, value in _COX_TOLERANCES.items()},
            **{f"{row}.{name}": value for row in _FIRTH for name, value in _FIRTH_TOLERANCES.items()},
            "interaction_x_strat_lrt_efron": 1e-8,
            "interaction_x_strat_lrt_efron.coef": 1e-6,
            "interaction_x_strat_lrt_efron.se": 1e-6,
        },
    ),
)
