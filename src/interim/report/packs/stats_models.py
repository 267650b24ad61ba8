"""Reference packs of the statistics room: competing risks and penalised logistic regression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from interim.report.packs.base import Case, Given, Pack, plain
from interim.stats import cumulative_incidence, firth_logistic

_INTERCEPT = "(Intercept)"
_SIDES = ("profile_lower", "profile_upper")
_FITTED = ("coef", "se", "or", "plr_p", "wald_p", "wald_lower", "wald_upper", "loglik_null_full")


def _split_risks(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        result, data = case["result"], case["data"]
        given = {"time": data["time"], "status": data["status"], "times": result["times"]}
        estimates = {cause: {"cif": part["cif"]} for cause, part in result["cmprsk"].items()}
        yield Case(case["id"], given, {"aj": result["aj"], "cmprsk": estimates})


def _risks(given: Given) -> Mapping[str, Any]:
    curves = {
        name: cumulative_incidence(given["time"], given["status"], interval=interval)
        for name, interval in (("loglog", "log-log"), ("log", "log"))
    }
    times = np.atleast_1d(given["times"])
    answer: dict[str, Any] = {"aj": {}, "cmprsk": {}}
    for cause in range(1, curves["log"].cif.shape[1] + 1):
        points = {name: [curve.at(float(t), cause) for t in times] for name, curve in curves.items()}
        row: dict[str, Any] = {
            "cif": [point[0] for point in points["log"]],
            "se_survfit": [point[1] for point in points["log"]],
        }
        for name, found in points.items():
            row |= {
                f"lower_{name}": [point[2] for point in found],
                f"upper_{name}": [point[3] for point in found],
            }
        answer["aj"][f"cause{cause}"] = row
        answer["cmprsk"][f"cause{cause}"] = {"cif": row["cif"]}
    found_: Mapping[str, Any] = plain(answer)
    return found_


def _split_firth(document: Any, beside: Mapping[str, Any]) -> Iterator[Case]:
    corrected = _corrections(beside.get("errata"))
    for case in document["cases"]:
        models = {
            name: model
            for name, model in (case.get("result") or {}).items()
            if isinstance(model, Mapping) and "terms" in model
        }
        given = {**case["data"], "models": {name: model["terms"] for name, model in models.items()}}
        expected = {name: _expected(model, (case["id"], name), corrected) for name, model in models.items()}
        yield Case(case["id"], given, expected)


def _corrections(errata: Any) -> dict[tuple[str, str, str, str], Mapping[str, Any]]:
    """Corrections of this file by case, model, term and side."""
    entries = (errata or {}).get("entries", [])
    return {
        (entry["case"], entry["model"], entry["term"], entry["side"]): entry
        for entry in entries
        if entry["file"] == "firth_logistic.json"
    }


def _expected(
    model: Mapping[str, Any],
    place: tuple[str, str],
    corrected: Mapping[tuple[str, str, str, str], Mapping[str, Any]],
) -> dict[str, Any]:
    """Fields that are scored; limits of slopes by term, with the root where the printed limit is none."""
    expected = {name: model[name] for name in _FITTED}
    checks = {(check["term"], check["side"]): dict(check) for check in model["check"]}
    for (term, side), check in checks.items():
        check.update(corrected.get((*place, term, side), {}).get("set", {}))
    for side in _SIDES:
        expected[side] = {
            term: limit if checks.get((term, side), {}).get("ok", True) else checks[term, side]["corrected"]
            for term, limit in zip(model["terms"], model[side], strict=True)
            if term != _INTERCEPT
        }
    return expected


def _firth(given: Given) -> Mapping[str, Any]:
    found: Mapping[str, Any] = plain({name: _fitted(given, terms) for name, terms in given["models"].items()})
    return found


def _fitted(given: Given, terms: list[str]) -> dict[str, Any]:
    columns = [term for term in terms if term != _INTERCEPT]
    fit = firth_logistic(np.array([given[name] for name in columns], dtype=np.float64).T, given["y"])
    half = float(ndtri(0.975)) * fit.se
    return {
        "coef": fit.coef,
        "se": fit.se,
        "or": np.exp(fit.coef),
        "plr_p": fit.p_value,
        "wald_p": 2.0 * ndtr(-np.abs(fit.coef / fit.se)),
        "wald_lower": fit.coef - half,
        "wald_upper": fit.coef + half,
        "loglik_null_full": fit.loglik[::-1],
        "profile_lower": dict(zip(terms, fit.lower, strict=True)),
        "profile_upper": dict(zip(terms, fit.upper, strict=True)),
    }


_MODELS = ("uni_x", "uni_nodes", "multi")
_FIRTH_FIELDS = {
    "coef": 1e-4,
    "or": 1e-4,
    "se": 1e-5,
    "plr_p": 1e-7,
    "profile_lower": 5e-4,
    "profile_upper": 5e-4,
}
_FIRTH_TOLERANCES = {f"{model}.{name}": value for model in _MODELS for name, value in _FIRTH_FIELDS.items()}

STATS_MODELS = (
    Pack("stats", "competing_risks.json", 1e-9, _split_risks, _risks),
    Pack(
        "stats",
        "firth_logistic.json",
        1e-4,
        _split_firth,
        _firth,
        tolerances=_FIRTH_TOLERANCES,
        inputs="errata.json",
    ),
)
