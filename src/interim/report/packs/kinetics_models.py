"""Reference packs of kinetics models: expansion curve, power model, exposure-response, cytokines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from interim.report.packs.base import Case, Given, Pack, plain
from interim.stats.nca import NcaRules, nca
from interim.stats.nca_cytokine import cytokine
from interim.stats.nca_expansion import ExpansionCurve
from interim.stats.nca_profile import profiles
from interim.stats.nca_response import exposure_response
from interim.stats.nca_summary import power_model, quantile, summary
from interim.stats.ranks import kendall, kruskal_wallis, spearman

AREA = "kinetics"
Inputs = Mapping[str, Sequence[Mapping[str, str]]]
_CURVE = ("lag", "foldx", "tmax", "cmax", "alpha", "fb", "beta")
_LLOQ = 50.0  # of input_cart.csv; the exposures file carries no limit


def number(text: str | None) -> float | None:
    """Return a number of a reference file; None for an empty cell.

    Parameters
    ----------
    text : str or None
        Cell.

    Returns
    -------
    float or None
        Number.

    Raises
    ------
    ValueError
        If the cell holds another text.
    """
    return float(text) if text not in (None, "") else None


def _split_curves(document: Any) -> Iterator[Case]:
    groups: dict[str, dict[str, float | None]] = {}
    for row in document:
        groups.setdefault(row["id"], {})[row["param"]] = number(row["value"])
    for name, values in groups.items():
        given = {key: values[key] for key in _CURVE}
        yield Case(name, given, {key: value for key, value in values.items() if key not in given})


def _curve(given: Given) -> dict[str, Any]:
    curve = ExpansionCurve(*(float(given[name]) for name in _CURVE))
    below = curve.falls_to(50.0)
    return {
        "rho": curve.rho,
        "doubling_time": curve.doubling_time,
        "thalf_initial": math.log(2.0) / curve.alpha,
        "thalf_terminal": math.log(2.0) / curve.beta,
        "auc0_28": curve.area(28.0),
        "auc0_84": curve.area(84.0),
        "auc0_inf": curve.area(math.inf),
        "c28": float(curve.at(28.0)),
        "c84": float(curve.at(84.0)),
        "t_below_50": None if math.isnan(below) else below,
    }


def _split_power(document: Any, inputs: Inputs) -> Iterator[Case]:
    rows = [dict(row) for row in inputs.get("input_cart", ()) if row["AVALC"] != "NOT DONE"]
    samples = [
        [
            row["USUBJID"],
            number(row["DOSELVL"]),
            number(row["ATIME"]),
            number(row["AVAL"]),
            number(row["LLOQ"]),
        ]
        for row in rows
    ]
    for row in document:
        given = {"param": row["param"], "auc_method": row["auc_method"], "samples": samples}
        wanted = {name: number(value) for name, value in row.items() if name not in ("param", "auc_method")}
        yield Case(f"{row['param']} {row['auc_method']}", given, wanted)


def _power(given: Given) -> dict[str, Any]:
    rows = given["samples"]
    ids = sorted({row[0] for row in rows})
    if not ids:
        raise ValueError("no samples: input_cart.csv is not beside this file")
    dose = {row[0]: row[1] for row in rows}
    time, value, lloq = (np.array([row[i] for row in rows], dtype=np.float64) for i in (2, 3, 4))
    samples = profiles([ids.index(row[0]) for row in rows], time, value=value, lloq=lloq)
    found = nca(samples, NcaRules(blq_rule="pknca", auc_method=given["auc_method"]))
    exposures = {"cmax": found.values["CMAX"], "auclast": found.values["AUCLST"]}
    name = given["param"]
    exposure = exposures[name] if name in exposures else found.partial(float(name.split("_")[1]))[0].area
    model = power_model([dose[i] for i in ids], exposure)
    return {
        "n": model.n,
        "intercept": model.intercept,
        "slope": model.slope,
        "slope_se": model.se,
        "slope_p": model.p_value,
        "ci90_lo": model.lower,
        "ci90_hi": model.upper,
        "sigma": model.sigma,
        "r2": model.r2,
        "dose_ratio": model.dose_ratio,
        "crit_lo": model.critical_low,
        "crit_hi": model.critical_high,
        "gmr_hi_lo_dosenorm": model.ratio,
    }


def _split_response(document: Any, inputs: Inputs) -> Iterator[Case]:
    rows = [dict(row) for row in inputs.get("input_exposure_response", ())]
    groups: dict[str, dict[str, float | None]] = {}
    for row in document:
        groups.setdefault(row["analysis"], {})[row["param"]] = number(row["value"])
    for name, wanted in groups.items():
        yield Case(name, {"analysis": name, "rows": rows}, wanted)


def _response(given: Given) -> dict[str, Any]:
    rows = given["rows"]
    if not rows:
        raise ValueError("no exposures: input_exposure_response.csv is not beside this file")
    name = given["analysis"]
    if "@" in name:
        exposure, dose = name.split("@")
        return _described([float(r[exposure]) for r in rows if float(r["DOSELVL"]) == float(dose)])
    exposure, outcome = name.split("~")
    values = np.array([float(row[exposure]) for row in rows])
    if outcome == "CRSMAXGR":
        return _graded(values, np.array([float(row[outcome]) for row in rows]))
    events = [row["BOR"] == "PR" if outcome == "PR" else int(row["CRSMAXGR"]) >= 2 for row in rows]
    found = exposure_response(values, np.array(events), floor=_LLOQ / 2.0)
    return {
        "n_event": found.n_event,
        "wilcox_W": found.statistic,
        "wilcox_p_normal_cc": found.approximate.p_value if found.approximate else None,
        "auroc": found.auroc,
        "median_event": found.median_event,
        "median_noevent": found.median_other,
        "ratio_geomeans": found.geo_ratio,
        "logit_beta_per_doubling": found.likelihood.slope,
        "logit_se": found.likelihood.se,
        "logit_or_per_doubling": math.exp(found.likelihood.slope),
        "firth_beta": found.firth.slope,
        "firth_intercept": found.firth.intercept,
        "firth_se": found.firth.se,
    }


def _graded(values: Any, grades: Any) -> dict[str, Any]:
    rho, tau, groups = spearman(values, grades), kendall(values, grades), kruskal_wallis(values, grades)
    return {
        "spearman_rho": rho.estimate,
        "spearman_p_t": rho.p_value,
        "kendall_tau_b": tau.estimate,
        "kendall_p": tau.p_value,
        "kruskal_stat": groups.statistic,
        "kruskal_p": groups.p_value,
    }


def _described(values: Sequence[float]) -> dict[str, Any]:
    s = summary(values)
    return {
        "n": s.n,
        "n_pos": s.n_positive,
        "mean": s.mean,
        "sd": s.sd,
        "cv_pct": s.cv,
        "geomean_pos": s.geo_mean,
        "geocv_pct_pos": s.geo_cv,
        "median": s.median,
        "q1_type7": s.q1,
        "q3_type7": s.q3,
        "q1_type2_SAS": quantile(values, 0.25, kind=2),
        "q3_type2_SAS": quantile(values, 0.75, kind=2),
        "min": s.low,
        "max": s.high,
    }


def _split_cytokines(document: Any, inputs: Inputs) -> Iterator[Case]:
    groups: dict[tuple[str, str], dict[str, float | None]] = {}
    for row in document:
        groups.setdefault((row["USUBJID"], row["LBTESTCD"]), {})[row["param"]] = number(row["value"])
    courses: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for row in inputs.get("input_cytokines", ()):
        if row["LBORRES"] != "NOT DONE":
            courses.setdefault((row["USUBJID"], row["LBTESTCD"]), []).append(row)
    for key, wanted in groups.items():
        yield Case(" ".join(key), {"rows": [dict(row) for row in courses.get(key, ())]}, wanted)


def _cytokine(given: Given) -> dict[str, Any]:
    rows = given["rows"]
    if not rows:
        raise ValueError("no samples: input_cytokines.csv is not beside this file")
    above = np.array([row["LBORRES"].startswith(">") for row in rows])
    day, value, lloq, uloq = (
        np.array([number(row[name]) for row in rows], dtype=np.float64)
        for name in ("DAY", "LBSTRESN", "LLOQ", "ULOQ")
    )
    samples = profiles(np.zeros(len(rows), dtype=np.int64), day, value=value, lloq=lloq)
    found = cytokine(samples, uloq=uloq[samples.place], above=above[samples.place])
    return {
        "baseline": found.baseline[0],
        "peak": found.peak[0],
        "tpeak": found.tpeak[0],
        "fold": found.fold[0],
        "log2fc": found.log2_fold[0],
        "auc_0_28": found.auc[0],
        "auc_above_bl": found.auc_above[0],
        "last": found.last[0],
        "tlast": found.tlast[0],
        "n_post": int(found.n_post[0]),
    }


def _plain(compute: Callable[[Given], dict[str, Any]]) -> Callable[[Given], Mapping[str, Any]]:
    """Return the computation with missing numbers as an empty cell would be read."""

    def answer(given: Given) -> Mapping[str, Any]:
        found: Mapping[str, Any] = plain(compute(given))
        return found

    return answer


_MODELS = {"logit_beta_per_doubling": 1e-6, "logit_se": 1e-6, "logit_or_per_doubling": 1e-6}
_MODELS |= {
    "firth_beta": 1e-6,
    "firth_intercept": 1e-6,
    "firth_se": 1e-6,
    "n_event": 0.0,
    "n": 0.0,
    "n_pos": 0.0,
}
KINETICS_MODELS = (
    Pack(AREA, "ref_piecewise_model.csv", 1e-9, _split_curves, _plain(_curve)),
    Pack(
        AREA,
        "ref_power_model.csv",
        1e-8,
        _split_power,
        _plain(_power),
        tolerances={"n": 0.0},
        inputs="input_*.csv",
    ),
    Pack(
        AREA,
        "ref_exposure_response.csv",
        1e-8,
        _split_response,
        _plain(_response),
        tolerances=_MODELS,
        inputs="input_*.csv",
    ),
    Pack(
        AREA,
        "ref_cytokines.csv",
        1e-9,
        _split_cytokines,
        _plain(_cytokine),
        tolerances={"n_post": 0.0},
        inputs="input_*.csv",
    ),
)
