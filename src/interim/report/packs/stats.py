"""Reference packs of the statistics room: binomial intervals and Kaplan-Meier curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from interim.report.packs.base import Case, Given, Pack, plain
from interim.stats import binomial_interval, binomial_test, kaplan_meier

_BINOMIAL = {
    "clopper_pearson": "clopper_pearson",
    "wilson": "wilson",
    "wilson_cc": "wilson_cc",
    "jeffreys_equal_tailed": "jeffreys",
    "agresti_coull": "agresti_coull",
    "midp": "midp",
    "blaker": "blaker",
    "minlike": "minlike",
}
_CURVES = ("plain", "log", "log-log", "logit", "arcsin")
_PROBABILITIES = (0.25, 0.5, 0.75)


def _split_binomial(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        given = {"x": case["x"], "n": case["n"]}
        expected = {key: value for key, value in case.items() if key not in given}
        yield Case(f"{case['x']}/{case['n']}", given, expected)


def _binomial(given: Given) -> Mapping[str, Any]:
    x, n = given["x"], given["n"]
    answer: dict[str, Any] = {}
    for name, method in _BINOMIAL.items():
        interval = binomial_interval(x, n, method=method)
        answer[name] = [float(interval.lower), float(interval.upper)]
    ninety = binomial_interval(x, n, level=0.90)
    answer["cp90"] = [float(ninety.lower), float(ninety.upper)]
    answer["cp_one_sided_lower95"] = float(binomial_interval(x, n, side="lower").lower)
    answer["p_exact_vs_0.2_greater"] = float(binomial_test(x, n, p0=0.2, alternative="greater").p_value)
    answer["p_exact_vs_0.2_two"] = float(binomial_test(x, n, p0=0.2).p_value)
    return answer


def _split_km(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        result = case["result"] or {}
        given = dict(case["data"])
        if result:
            given |= {
                "landmarks": result.get("landmark", {}).get("plain", {}).get("times", []),
                "taus": {key: result[key]["tau"] for key in ("rmst", "rmst_survfit") if result.get(key)},
                "bpcp": [row["t"] for row in result.get("bpcp_landmark", [])],
            }
        yield Case(case["id"], given, _without_labels(result))


def _without_labels(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result without the texts and inputs that stand among its numbers."""
    kept = {key: value for key, value in result.items() if key not in ("rmst", "rmst_survfit")}
    for key in ("rmst", "rmst_survfit"):
        if result.get(key):
            kept[key] = {name: v for name, v in result[key].items() if name not in ("source", "tau")}
    return kept


def _km(given: Given) -> Mapping[str, Any]:
    time, event = given["time"], given["event"]
    curves = {name: kaplan_meier(time, event, interval=name) for name in _CURVES}
    plain_curve = curves["plain"]
    names = ("time", "n_risk", "n_event", "n_censor", "surv", "cumhaz", "se_surv", "se_log_surv")
    answer: dict[str, Any] = {"table": {name: getattr(plain_curve, name) for name in names}}
    answer["ci"] = {name: {"lower": curve.lower, "upper": curve.upper} for name, curve in curves.items()}
    answer["quantiles"] = {name: _quantiles(curve) for name, curve in curves.items()}
    answer["landmark"] = {
        name: _landmarks(curve, given.get("landmarks", [])) for name, curve in curves.items()
    }
    for key, tau in given.get("taus", {}).items():
        mean = plain_curve.rmst(tau)
        answer[key] = {
            "rmst": mean.value,
            "rmean": mean.value,
            "se": mean.se,
            "lower": mean.lower,
            "upper": mean.upper,
        }
    beta = kaplan_meier(time, event, interval="beta_product")
    answer["bpcp_landmark"] = [
        {"t": t, "surv": point.value, "lower": point.lower, "upper": point.upper}
        for t in given.get("bpcp", [])
        for point in [beta.at(t)]
    ]
    found: Mapping[str, Any] = plain(answer)
    return found


def _quantiles(curve: Any) -> dict[str, Any]:
    points = [curve.quantile(p) for p in _PROBABILITIES]
    return {
        "prob": list(_PROBABILITIES),
        "est": [point.value for point in points],
        "lower": [point.lower for point in points],
        "upper": [point.upper for point in points],
    }


def _landmarks(curve: Any, times: list[float]) -> dict[str, Any]:
    points = [curve.at(t) for t in times]
    return {
        "times": list(times),
        "surv": [point.value for point in points],
        "se": [point.se for point in points],
        "lower": [point.lower for point in points],
        "upper": [point.upper for point in points],
        "n_risk": [point.n_risk for point in points],
    }


STATS = (
    Pack(
        "stats",
        "binomial_ci.json",
        1e-9,
        _split_binomial,
        _binomial,
        tolerances={"midp": 1e-4, "blaker": 1e-6, "minlike": 1e-6},
    ),
    Pack("stats", "km.json", 1e-9, _split_km, _km, tolerances={"quantiles": 0.0}),
)
