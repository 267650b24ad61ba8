"""Reference packs of the statistics room: two rates, and tables with several rows and columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from interim.report.packs.base import Case, Given, Pack, plain
from interim.stats import (
    chi_square,
    conditional_odds_ratio,
    difference_interval,
    firth_logistic,
    fisher_test,
    freeman_halton,
    ratio_interval,
    unconditional_test,
)

_COUNTS = ("x1", "n1", "x0", "n0")
_ORDERINGS = {"z-pooled": "z_pooled", "z-unpooled": "z_unpooled", "boschloo": "boschloo"}
_DIFFERENCES = {
    "exact_zpooled": "exact_score",
    "miettinen_nurminen": "miettinen_nurminen",
    "mee": "mee",
    "newcombe": "newcombe",
}
_LEFT_OUT = {
    "or_mn": "holds a further bias correction, not offered",
    "exact2x2.minlike.lower": "limits that invert the minlike test are not offered",
    "exact2x2.minlike.upper": "as above",
    "exact2x2.blaker.lower": "as above",
    "exact2x2.blaker.upper": "as above",
}

_WITHOUT_CHOICE = {
    "fisher.or": "the margins leave one table, every odds ratio fits it: NE, the reference prints an end"
}


def _split_pairs(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        given = {key: case[key] for key in _COUNTS}
        expected = {key: value for key, value in case.items() if key not in given}
        one_table = case["x1"] + case["x0"] in (0, case["n1"] + case["n0"])
        left_out = {**_LEFT_OUT, **(_WITHOUT_CHOICE if one_table else {})}
        yield Case("{x1}/{n1} v {x0}/{n0}".format(**case), given, without(expected, left_out))


def without(value: Mapping[str, Any], names: Mapping[str, str], start: str = "") -> dict[str, Any]:
    """Return a nested mapping without some of its fields.

    Parameters
    ----------
    value : mapping
        Nested.
    names : mapping of str to str
        Dotted name -> why the field is left out.
    start : str
        Name of the mapping itself, with a dot at its end.

    Returns
    -------
    dict
        The rest.

    Raises
    ------
    None
    """
    return {
        key: without(item, names, f"{start}{key}.") if isinstance(item, Mapping) else item
        for key, item in value.items()
        if f"{start}{key}" not in names
    }


def _pairs(given: Given) -> Mapping[str, Any]:
    x, n = (given["x1"], given["x0"]), (given["n1"], given["n0"])
    table = [[a, b - a] for a, b in zip(x, n, strict=True)]
    fit = firth_logistic(
        [1] * n[0] + [0] * n[1], [1] * x[0] + [0] * (n[0] - x[0]) + [1] * x[1] + [0] * (n[1] - x[1])
    )
    found: Mapping[str, Any] = plain(
        {
            "fisher": _fisher(x, n),
            "exact2x2": _exact(x, n),
            "uncond": {name: _unconditional(x, n, ordering) for name, ordering in _ORDERINGS.items()},
            "diff": {name: _difference(x, n, method) for name, method in _DIFFERENCES.items()},
            "rr_mn": _limits(ratio_interval(x, n, scale="risk")),
            "chisq_uncorrected_p": chi_square(table).p_value,
            "chisq_yates_p": chi_square(table, correction=True).p_value,
            "firth_logit": {
                "coef": fit.coef,
                "se": fit.se,
                "lower": fit.lower,
                "upper": fit.upper,
                "p": fit.p_value,
            },
        }
    )
    return found


def _limits(interval: Any) -> dict[str, float]:
    return {"lower": interval.lower, "upper": interval.upper}


def _fisher(x: tuple[int, int], n: tuple[int, int]) -> dict[str, float]:
    test, odds = fisher_test(x, n), conditional_odds_ratio(x, n)
    return {
        "p": test.p_value,
        "or": odds.estimate,
        **_limits(odds.interval),
        "p_greater": test.p_greater,
        "p_less": test.p_less,
    }


def _exact(x: tuple[int, int], n: tuple[int, int]) -> dict[str, dict[str, float]]:
    answer = {
        name: {"p": fisher_test(x, n, two_sided=name).p_value} for name in ("central", "minlike", "blaker")
    }
    answer["central"] |= _limits(conditional_odds_ratio(x, n).interval)
    answer["central_midp"] = {
        "p": fisher_test(x, n, two_sided="central", midp=True).p_value,
        **_limits(conditional_odds_ratio(x, n, midp=True).interval),
    }
    return answer


def _unconditional(x: tuple[int, int], n: tuple[int, int], ordering: str) -> dict[str, float]:
    test = unconditional_test(x, n, ordering=ordering)
    return {"p": test.p_value, "stat": test.statistic}


def _difference(x: tuple[int, int], n: tuple[int, int], method: str) -> dict[str, float]:
    return {"est": x[0] / n[0] - x[1] / n[1], **_limits(difference_interval(x, n, method=method))}


def _split_rates(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        yield Case(str(case["id"]), case["data"], case["result"])


def _rates(given: Given) -> Mapping[str, Any]:
    table = [given["x"], [n - x for x, n in zip(given["x"], given["n"], strict=True)]]
    return {"freeman_halton_p": freeman_halton(table).p_value, "chisq_p": chi_square(table).p_value}


def _split_tables(document: Any) -> Iterator[Case]:
    for place, case in enumerate(document["cases"], 1):
        expected = {key: value for key, value in case.items() if key != "table"}
        yield Case(str(place), {"table": case["table"]}, expected)


def _tables(given: Given) -> Mapping[str, Any]:
    table = given["table"]
    return {"fisher_p": freeman_halton(table).p_value, "chisq_p": chi_square(table).p_value}


_CONDITIONAL = ("fisher", "exact2x2.central", "exact2x2.central_midp")
_PAIR_TOLERANCES = {
    **{f"{name}.{side}": 5e-3 for name in _CONDITIONAL for side in ("lower", "upper")},
    "fisher.or": 2e-4,
    "uncond": 1e-3,
    **{f"uncond.{name}.stat": 1e-9 for name in _ORDERINGS},
    "diff.miettinen_nurminen": 1e-6,
    "diff.mee": 1e-6,
    "diff.exact_zpooled": 5e-4,
    "rr_mn": 1e-6,
    "firth_logit.coef": 1e-4,
    "firth_logit.se": 1e-5,
    "firth_logit.p": 1e-7,
    "firth_logit.lower": 5e-4,
    "firth_logit.upper": 5e-4,
}

STATS_TABLES = (
    Pack("stats", "two_by_two.json", 1e-9, _split_pairs, _pairs, tolerances=_PAIR_TOLERANCES),
    Pack("stats", "heterogeneity.json", 1e-9, _split_rates, _rates),
    Pack("stats", "rxc_fisher.json", 1e-9, _split_tables, _tables),
)
