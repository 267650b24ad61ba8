"""Reference packs of Phase IB: borrowing between baskets, response designs, toxicity boundaries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import logit

from interim.design.expansion import Infeasible, Monitored
from interim.design.expansion_search import bop2, predictive, two_stage
from interim.design.monitoring import (
    BayesToxicity,
    PocockToxicity,
    characteristics,
    toxicity_characteristics,
)
from interim.design.monitoring_borrowing import borrowing_characteristics
from interim.report.packs.base import Case, Given, Pack, plain
from interim.stats.borrowing import (
    BasketFit,
    ExnexPrior,
    HierarchicalPrior,
    OutcomeTable,
    PartitionPrior,
    compile_outcomes,
    exnex,
    hierarchical,
    multisource,
    partition_average,
    power_prior,
)
from interim.stats.borrowing_laws import BetaMixture
from interim.stats.posterior import beta_tail

AREA = "basket"
_LOOSE = "as8"
_SIMULATED = ("mean", "sd", "prob_gt_p0", "q025", "q975", "tau_mean")
_TAILS = {"q025": 0.025, "q975": 0.975}
_SUCCESS, _LAST_N, _EARLY_LOOK = 0.90, 18, 6
_NUMBER = r"([\d.]+)"


def _one_or_many(value: float | Sequence[float]) -> tuple[float, ...]:
    return tuple(np.atleast_1d(np.asarray(value, dtype=float)).tolist())


@lru_cache(maxsize=128)
def _fitted(
    model: str, data: tuple[tuple[float, ...], ...], prior: ExnexPrior, offset: tuple[float, ...]
) -> BasketFit:
    r, n, p0 = data
    if model == "exnex":
        return exnex(r, n, p0=p0, prior=prior, offset=offset)
    return hierarchical(r, n, p0=p0, prior=prior.shared, offset=offset)


def _data(record: Mapping[str, Any]) -> tuple[tuple[float, ...], ...]:
    return tuple(_one_or_many(record[name]) for name in ("r", "n", "p0"))


def _split_fits(document: Any) -> Iterator[Case]:
    for record in document:
        given = {key: value for key, value in record.items() if key not in ("quad", "jags")}
        given["names"] = list(record.get("quad", ()))
        kind = _kind(given)
        expected = {kind: dict(record.get("quad", {}))}
        if "jags" in record:
            expected["jags"] = {name: record["jags"][name] for name in _SIMULATED if name in record["jags"]}
        yield Case(record["id"], given, expected)


def _kind(given: Given) -> str:
    """Name of the accuracy of the file's own numbers: how many cuts, and the data set for which it is smaller."""
    if str(given.get("dataset", "")).startswith(_LOOSE):
        return "large"
    cuts = np.unique(np.round(logit(np.array(given["p0"])) - np.array(given["logit_offset"]), 9))
    return "one_cut" if len(cuts) == 1 else "several_cuts"


def _fits(given: Given) -> Mapping[str, Any]:
    shared = HierarchicalPrior(given["mu_mean"], given["mu_sd"], given["tau_halfnormal_scale"])
    prior = ExnexPrior(given.get("w_ex", 1.0), given.get("nex_mean", 0.0), given.get("nex_sd", 1.0), shared)
    fit = _fitted(given["model"], _data(given), prior, _one_or_many(given["logit_offset"]))
    known: dict[str, Any] = {
        "mean": fit.mean,
        "sd": fit.sd,
        "prob_gt_p0": fit.prob_above,
        "tau_mean": fit.tau_mean,
        "mu_mean": fit.mu_mean,
        "log_marginal": fit.log_marginal,
        "p_exchangeable": fit.p_exchangeable,
        **{name: fit.quantile(q) for name, q in _TAILS.items()},
    }
    found: dict[str, Any] = plain(
        {
            _kind(given): {name: known[name] for name in given["names"]},
            "jags": {name: known[name] for name in _SIMULATED},
        }
    )
    return found


def _split_characteristics(document: Any) -> Iterator[Case]:
    results = ("reject", "fwer", "any_reject", "mean", "mse")
    for place, record in enumerate(document, 1):
        given = {key: value for key, value in record.items() if key not in results}
        yield Case(str(place), given, {name: record[name] for name in results if name in record})


@lru_cache(maxsize=32)
def _table(sizes: tuple[int, ...], p0: float, prior: ExnexPrior | HierarchicalPrior) -> OutcomeTable:
    model = "exnex" if isinstance(prior, ExnexPrior) else "hierarchical"
    return compile_outcomes(sizes, p0, model=model, prior=prior)  # type: ignore[arg-type]


def _exact(given: Given) -> Mapping[str, Any]:
    # The file's means are logits of rates; those of the table are distances from the null rate.
    centre = given["mu_mean"] - float(logit(given["p0"]))
    shared = HierarchicalPrior(round(centre, 12) + 0.0, given["mu_sd"], given["tau_hn"])
    prior = ExnexPrior(0.5, 0.0, 2.5, shared) if given["exnex"] else shared
    table = _table((given["n"],) * given["K"], given["p0"], prior)
    found = borrowing_characteristics(table, [given["p"]], cut=given["lam"])
    null = any(rate <= given["p0"] for rate in given["p"])
    answer: dict[str, Any] = plain(
        {
            "reject": found.p_go[0],
            "fwer": found.any_false_go[0] if null else None,
            "any_reject": found.any_go[0],
            "mean": found.bias[0] + np.array(given["p"]),
            "mse": found.mse[0],
        }
    )
    return answer


def _split_predictive(document: Any) -> Iterator[Case]:
    results = ("min_resp", "pred_prob_success", "pred_mean")
    for record in document:
        base = {key: value for key, value in record.items() if key != "results"}
        for row in record["results"]:
            given = {**base, "basket": row["basket"], "m": row["m"]}
            name = f"tau {record['tau_hn']} basket {row['basket']} m {row['m']}"
            yield Case(name, given, {key: row[key] for key in results if key in row})


def _predictive(given: Given) -> Mapping[str, Any]:
    shared = HierarchicalPrior(given["mu_mean"], given["mu_sd"], given["tau_hn"])
    data = _data(given)
    fit = _fitted("bhm", data, ExnexPrior(1.0, shared=shared), (0.0,) * len(data[0]))
    basket, m = given["basket"], given["m"]
    p0 = data[2][basket]
    above = beta_tail(np.arange(m + 1), m, limit=p0, prior=(p0, 1.0 - p0)) > _success_cut(given)
    least = int(np.argmax(above)) if above.any() else m + 1
    mass = fit.predictive(basket, m=m)
    return {
        "min_resp": least,
        "pred_prob_success": float(mass[least:].sum()),
        "pred_mean": float(mass @ np.arange(m + 1)) / m,
    }


def _success_cut(given: Given) -> float:
    """Cut that stands behind the last ``>`` of the description."""
    text = re.search(rf">\s*{_NUMBER}\s*$", given.get("success", ""))
    return float(text[1]) if text else _SUCCESS


def _split_closed(document: Any) -> Iterator[Case]:
    for record in document:
        for method in ("fujikawa", "mem", "bma"):
            for setting, values in record.get(method, {}).items():
                given = {name: record[name] for name in ("r", "n", "p0")}
                given |= {"method": method, "setting": setting}
                yield Case(f"{record['dataset']} {method} {setting}", given, values)


def _closed(given: Given) -> Mapping[str, Any]:
    found: dict[str, Any] = plain(_CLOSED[given["method"]](given))
    return found


def _settings(given: Given, pattern: str) -> list[float]:
    match = re.fullmatch(pattern.replace("#", _NUMBER), given["setting"])
    if match is None:
        raise ValueError(f"setting {given['setting']!r} is not of the form {pattern}")
    return [float(text) for text in match.groups()]


def _fujikawa(given: Given) -> dict[str, Any]:
    epsilon, cut, a = _settings(given, "eps#_tau#_a#")
    fit = power_prior(given["r"], given["n"], p0=given["p0"], prior=(a, a), epsilon=epsilon, cut=cut)
    laws = _mixtures(fit)
    return {
        "shape1": [law.a[0] for law in laws],
        "shape2": [law.b[0] for law in laws],
        "mean": fit.mean,
        "prob": fit.prob_above,
        "W": fit.share,
        "lo": fit.lower,
        "hi": fit.upper,
    }


def _mem(given: Given) -> dict[str, Any]:
    a, inclusion = _settings(given, "a#_prior#")
    fit = multisource(given["r"], given["n"], p0=given["p0"], prior=(a, a), inclusion=inclusion)
    ess = [law.weight @ (law.a + law.b) for law in _mixtures(fit)]
    return {"mean": fit.mean, "sd": fit.sd, "prob": fit.prob_above, "pep": fit.share, "ess": ess}


def _bma(given: Given) -> dict[str, Any]:
    a, power = _settings(given, "a#_pmp#")
    fit = partition_average(given["r"], given["n"], p0=given["p0"], prior=PartitionPrior(a, a, power))
    return {"mean": fit.mean, "prob": fit.prob_above, "same": fit.share}


def _mixtures(fit: BasketFit) -> list[BetaMixture]:
    return [law for law in fit.laws if isinstance(law, BetaMixture)]


_CLOSED = {"fujikawa": _fujikawa, "mem": _mem, "bma": _bma}


def _split_simon(document: Any) -> Iterator[Case]:
    asked = ("p0", "p1", "alpha", "beta", "design")
    extra = (*asked, "agrees_with_clinfun")
    for record in document:
        name = " ".join(str(record[key]) for key in asked)
        expected = {key: value for key, value in record.items() if key not in extra}
        yield Case(name, {key: record[key] for key in asked}, expected)


def _simon(given: Given) -> Mapping[str, Any]:
    found = two_stage(
        given["p0"], given["p1"], alpha=given["alpha"], beta=given["beta"], criterion=given["design"]
    )
    if isinstance(found, Infeasible):
        raise ValueError(found.reason)
    return {
        "r1": found.r1,
        "n1": found.n1,
        "r": found.r,
        "n": found.n,
        "EN0": found.expected_n,
        "PET0": found.p_stop,
        "alpha_attained": found.alpha,
        "power_attained": found.power,
    }


_MONITORED = ("stop_if_resp_le", "go_if_resp_ge", "type1", "power", "EN0", "PET0", "EN1")


def _split_monitored(document: Any) -> Iterator[Case]:
    for place, record in enumerate(document, 1):
        given = {
            key: value for key, value in record.items() if key not in (*_MONITORED, "lam", "gamma", "prior")
        }
        yield Case(str(place), given, {name: record[name] for name in _MONITORED if name in record})


def _monitored(design: Monitored, given: Given) -> Mapping[str, Any]:
    found = characteristics(design, [given["p0"], given["p1"]])
    return {
        "stop_if_resp_le": {str(n): r for n, r in zip(design.looks, design.stop_le, strict=True)},
        "go_if_resp_ge": design.go,
        "type1": float(found.p_go[0]),
        "power": float(found.p_go[1]),
        "EN0": float(found.expected_n[0]),
        "PET0": float(found.p_futility[0]),
        "EN1": float(found.expected_n[1]),
    }


def _bop2(given: Given) -> Mapping[str, Any]:
    found = bop2(
        given["p0"],
        given["p1"],
        n_max=given["N"],
        looks=tuple(given["looks"]),
        alpha=given["alpha"],
        gamma_max=given["gamma_grid_max"],
    )
    if isinstance(found, Infeasible):
        raise ValueError(found.reason)
    return _monitored(found.design, given)


def _predprob(given: Given) -> Mapping[str, Any]:
    looks = given["looks"]
    if isinstance(looks, str):
        first = re.search(r"\d+", looks)
        looks = range(int(first[0]) if first else _EARLY_LOOK, given["N"])
    design = predictive(
        given["N"], tuple(looks), p0=given["p0"], theta_l=given["theta_L"], theta_t=given["theta_T"]
    )
    return _monitored(design, given)


def _split_toxicity(document: Any) -> Iterator[Case]:
    for place, record in enumerate(document.get("bayes", ()), 1):
        results = ("stop_if_tox_ge", "p_stop_by_18", "EN")
        given = {key: value for key, value in record.items() if key not in results}
        given["n_max"] = _LAST_N
        yield Case(f"bayes {place}", given, {name: record[name] for name in results if name in record})
    for place, record in enumerate(document.get("pocock", ()), 1):
        results = ("phi", "stop_if_tox_ge", "cross_prob")
        given = {key: value for key, value in record.items() if key not in results}
        yield Case(f"pocock {place}", given, {name: record[name] for name in results if name in record})


def _toxicity(given: Given) -> Mapping[str, Any]:
    if "theta" in given:
        return _pocock(given)
    every = BayesToxicity(given["tau0"], given["cut"], tuple(given["prior"]), 1)
    n_max = given["n_max"]
    boundary = every.boundary(n_max)
    asked = set(_looks(given["looks"], n_max))
    used = tuple(limit if n in asked else None for n, limit in enumerate(boundary, 1))
    found = toxicity_characteristics(used, given["p"])
    answer: dict[str, Any] = plain(
        {"stop_if_tox_ge": list(boundary), "p_stop_by_18": found.p_cross, "EN": found.expected_n}
    )
    return answer


def _looks(looks: str | Sequence[int], n_max: int) -> Sequence[int]:
    """Sizes of the looks: a list, ``every``, or ``from3by3``."""
    if not isinstance(looks, str):
        return looks
    match = re.fullmatch(r"from(\d+)by(\d+)", looks)
    return range(int(match[1]), n_max + 1, int(match[2])) if match else range(1, n_max + 1)


def _pocock(given: Given) -> Mapping[str, Any]:
    design = PocockToxicity(given["theta"], given["alpha"], n_max=given["N"])
    boundary = design.boundary(given["N"])
    crossing = toxicity_characteristics(boundary, [given["theta"]]).p_cross[0]
    return {
        "phi": design.phi,
        "stop_if_tox_ge": {str(n): limit for n, limit in enumerate(boundary, 1) if limit is not None},
        "cross_prob": float(crossing),
    }


_QUADRATURE = {"mean": 5e-9, "sd": 5e-9, "mu_mean": 5e-9, "log_marginal": 5e-9, "p_exchangeable": 5e-9}
_FIT_TOLERANCES = {
    **{
        f"{kind}.{name}": tolerance
        for kind, tail, limit in (
            ("one_cut", 1e-8, 2e-5),
            ("several_cuts", 3e-6, 2e-5),
            ("large", 3e-7, 5e-5),
        )
        for name, tolerance in {
            **_QUADRATURE,
            "tau_mean": 2e-8,
            "prob_gt_p0": tail,
            "q025": limit,
            "q975": limit,
        }.items()
    },
    # Simulated by the peer: the largest differences that its standard errors permit.
    "jags.mean": 2e-3,
    "jags.sd": 2e-3,
    "jags.tau_mean": 2e-2,
    "jags.prob_gt_p0": 7e-3,
    "jags.q025": 1e-2,
    "jags.q975": 1e-2,
}


def _pack(file: str, tolerance: float, split: Any, compute: Any, **tolerances: float) -> Pack:
    return Pack(AREA, file, tolerance, split, compute, tolerances=tolerances, absolute=True)


BASKET = (
    _pack("bhm_exnex.json", 0.0, _split_fits, _fits, **_FIT_TOLERANCES),
    _pack("bhm_exnex_exact_oc.json", 1e-7, _split_characteristics, _exact, mean=2e-6, mse=2e-6),
    _pack("predictive_expansion.json", 5e-9, _split_predictive, _predictive, min_resp=0.0),
    _pack("closed_form_borrowing.json", 1e-9, _split_closed, _closed),
    _pack("simon.json", 2e-9, _split_simon, _simon, r1=0.0, n1=0.0, r=0.0, n=0.0),
    _pack("bop2.json", 2e-9, _split_monitored, _bop2, stop_if_resp_le=0.0, go_if_resp_ge=0.0),
    _pack("predprob.json", 2e-9, _split_monitored, _predprob, stop_if_resp_le=0.0, go_if_resp_ge=0.0),
    _pack("toxicity.json", 2e-9, _split_toxicity, _toxicity, stop_if_tox_ge=0.0),
)
