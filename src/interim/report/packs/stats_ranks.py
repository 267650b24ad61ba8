"""Reference packs of the statistics room: ranks and trends, adjusted p-values, maximally selected statistics."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from scipy.stats import rankdata

from interim.report.packs.base import Case, Given, Pack, plain
from interim.stats import (
    PermutationPlan,
    adjust_p,
    cochran_armitage,
    jonckheere,
    kendall,
    kruskal_wallis,
    linear_exact,
    logrank_scores,
    max_t,
    maximally_selected,
    min_p,
    pearson,
    spearman,
    wilcoxon,
    wilcoxon_asymptotic,
)
from interim.stats.trend import mid_p

_SEED = 20210531
_DRAWS = 20_000
_LARGEST_COMPLETE = 8
_SHARES = (0.1, 0.9)
_CONTEXT = ("hl_estimate_asympt",)
_ADJUSTMENTS = ("holm", "hochberg", "hommel", "bh", "by", "bonferroni")


def _split_ranks(document: Any) -> Iterator[Case]:
    for kind in _RANKS:
        for case in document.get(kind, []):
            result = {key: value for key, value in case["result"].items() if key not in _CONTEXT}
            if kind == "correlation" and not _has_default(case["data"]):
                result["spearman"] = {k: v for k, v in result["spearman"].items() if k != "p_R_default"}
            yield Case(f"{kind} {case['id']}", {"kind": kind, **case["data"]}, result)


def _tied(values: Mapping[str, Any]) -> bool:
    return any(len(set(values[name])) < len(values[name]) for name in ("x", "y"))


def _has_default(values: Mapping[str, Any]) -> bool:
    """Whether R's default p-value of Spearman's correlation is one of ours: an Edgeworth series stands between both."""
    return _tied(values) or len(values["x"]) <= _LARGEST_COMPLETE


def _correlation(given: Given) -> dict[str, Any]:
    x, y = given["x"], given["y"]
    rank, approximate, tau, product = (
        spearman(x, y),
        spearman(x, y, exact=False),
        kendall(x, y),
        pearson(x, y),
    )
    limits = product.interval
    return {
        "ties": _tied(given),
        "spearman": {
            "rho": rank.estimate,
            "p_R_default": (approximate if _tied(given) else rank).p_value,
            "p_asymptotic_t": approximate.p_value,
            "p_exact_enumerated": rank.p_value,
        },
        "kendall": {"tau_b": tau.estimate, "p_R_default": tau.p_value},
        "pearson": {
            "r": product.estimate,
            "p": product.p_value,
            "lower": math.nan if limits is None else limits.lower,
            "upper": math.nan if limits is None else limits.upper,
        },
    }


def _wilcoxon(given: Given) -> dict[str, Any]:
    y, g = given["y"], given["g"]
    corrected = wilcoxon_asymptotic(y, g)
    return {
        "W": corrected.statistic,
        "p_asymptotic_cc": corrected.p_value,
        "p_asymptotic": wilcoxon_asymptotic(y, g, correction=False).p_value,
        "p_exact_coin": wilcoxon(y, g).p_value,
        "p_exact_oneway_perm_mean": linear_exact(y, g).p_value,
        "kruskal_p": kruskal_wallis(y, g).p_value,
    }


def _jonckheere(given: Given) -> dict[str, Any]:
    y, g = given["y"], given["g"]
    test, central = jonckheere(y, g), jonckheere(y, g, two_sided="central")
    sizes = np.unique(np.asarray(g), return_counts=True)[1]
    return {
        "JT": test.statistic,
        "n_perm": math.factorial(len(g)) // math.prod(math.factorial(int(size)) for size in sizes),
        "p_exact_two": central.p_value,
        "p_exact_increasing": test.p_greater,
        "p_exact_decreasing": test.p_less,
        "p_exact_two_abs": test.p_value,
    }


def _trend(given: Given) -> dict[str, Any]:
    x, n, scores = given["x"], given["n"], given["score"]
    exact, asymptotic = (
        cochran_armitage(x, n, scores=scores),
        cochran_armitage(x, n, scores=scores, exact=False),
    )
    return {
        "chisq": asymptotic.statistic,
        "p_asymptotic": asymptotic.p_value,
        "p_exact_increasing": exact.p_greater,
        "p_exact_decreasing": exact.p_less,
        "p_exact_two_abs": exact.p_value,
        "p_exact_midp_increasing": mid_p(x, n, scores=scores),
    }


_RANKS: dict[str, Callable[[Given], dict[str, Any]]] = {
    "correlation": _correlation,
    "wilcoxon": _wilcoxon,
    "jonckheere_noties": _jonckheere,
    "jonckheere_ties": _jonckheere,
    "cochran_armitage": _trend,
}


def _ranks(given: Given) -> Mapping[str, Any]:
    found: Mapping[str, Any] = plain(_RANKS[given["kind"]](given))
    return found


def _split_families(document: Any) -> Iterator[Case]:
    for place, case in enumerate(document.get("padjust", []), 1):
        yield Case(f"padjust {place}", {"p": case["p"]}, {k: v for k, v in case.items() if k != "p"})
    for case in document.get("maxT", []):
        expected = {key: value for key, value in case.items() if key not in ("id", "data")}
        yield Case(f"maxT {case['id']}", case["data"], expected)


def _families(given: Given) -> Mapping[str, Any]:
    if "p" in given:
        return dict(plain({name: adjust_p(given["p"], name) for name in _ADJUSTMENTS}))
    y = given["y"]
    plan = PermutationPlan.binary(len(y), sum(y), max_exact=math.comb(len(y), sum(y)))
    tests = plan.linear(np.array([given["X"][name] for name in given["X"]], dtype=np.float64).T, y)
    families = {
        "n_perm": len(plan.index),
        "stat": tests.observed,
        "raw_p": tests.p_values,
        "maxT_single_step": max_t(tests, step_down=False).p_values,
        "maxT_step_down": max_t(tests).p_values,
        "minP_single_step": min_p(tests, step_down=False).p_values,
    }
    return dict(plain(families))


def _split_cuts(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        result = case["result"]
        path = {key: value for key, value in result["maxstat_logrank"].items() if key != "p"}
        simulated = {
            name: p for name, p in result["maxstat_logrank"]["p"].items() if name.startswith("condMC")
        }
        ranks = {key: result["maxstat_wilcoxon_time"][key] for key in ("stat", "cutpoint")}
        given = {**case["data"], "simulated": list(simulated)}
        yield Case(
            case["id"], given, {"maxstat_logrank": {**path, "p": simulated}, "maxstat_wilcoxon_time": ranks}
        )


def _cuts(given: Given) -> Mapping[str, Any]:
    scores = logrank_scores(given["time"], given["event"], ties="hothorn_lausen")
    plan = PermutationPlan.sample(len(scores), draws=_DRAWS, seed=_SEED)
    low, high = _SHARES
    path, ranks = (
        maximally_selected(values, given["mk"], plan=plan, minprop=low, maxprop=high)
        for values in (scores, rankdata(given["time"]))
    )
    found: Mapping[str, Any] = plain(
        {
            "maxstat_logrank": {
                "stat": path.maximum,
                "cutpoint": path.cut,
                "cuts": path.cuts,
                "stats": path.statistics,
                "p": dict.fromkeys(given["simulated"], path.p_value),
            },
            "maxstat_wilcoxon_time": {"stat": ranks.maximum, "cutpoint": ranks.cut},
        }
    )
    return found


STATS_RANKS = (
    Pack("stats", "rank_trend.json", 1e-9, _split_ranks, _ranks),
    Pack("stats", "multiplicity.json", 1e-9, _split_families, _families),
    Pack(
        "stats",
        "maxstat.json",
        1e-9,
        _split_cuts,
        _cuts,
        tolerances={
            "maxstat_logrank.p": 0.015,
            "maxstat_logrank.cutpoint": 0.0,
            "maxstat_logrank.cuts": 0.0,
            "maxstat_wilcoxon_time.cutpoint": 0.0,
        },
    ),
)
