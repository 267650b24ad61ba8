"""Reference packs of cellular kinetics: areas, terminal slopes, windows between doses, censored half-lives."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from interim.report.packs.base import Case, Given, Pack
from interim.report.packs.kinetics_models import KINETICS_MODELS, number
from interim.stats.nca import Nca, NcaRules, analyse, nca
from interim.stats.nca_area import area_to, points, segments, with_back_extrapolation
from interim.stats.nca_profile import Profiles, Series, apply_blq_rule, profiles
from interim.stats.nca_segments import window
from interim.stats.nca_tobit import tobit

AREA = "kinetics"
Inputs = Mapping[str, Sequence[Mapping[str, str]]]

_CODES = {
    "n_samples": "NSAMP",
    "n": "NSAMP",
    "n_quantifiable": "NQUANT",
    "cmax": "CMAX",
    "tmax": "TMAX",
    "tmax_rel": "TMAX",
    "tlast": "TLST",
    "tlast_rel": "TLST",
    "clast": "CLST",
    "auclast": "AUCLST",
    "auc_seg_last": "AUCLST",
    "aucall": "AUCALL",
    "lambda_z": "LAMZ",
    "ALT_lambda_z_positive_windows_only": "LAMZ",
    "half_life": "LAMZHL",
    "lambda_z_n_points": "LAMZNPT",
    "n_points": "LAMZNPT",
    "lambda_z_time_first": "LAMZLL",
    "lambda_z_time_last": "LAMZUL",
    "r_squared": "R2",
    "adj_r_squared": "R2ADJ",
    "span_ratio": "SPAN",
    "clast_pred": "CLSTP",
    "aucinf_obs": "AUCIFO",
    "auc_seg_inf_obs": "AUCIFO",
    "aucinf_pred": "AUCIFP",
    "aucpext_obs": "AUCPEO",
    "aucpext_pred": "AUCPEP",
    "aumcinf_obs": "AUMCIFO",
    "mrt_inf_obs": "MRTIFO",
}
_COUNTS = dict.fromkeys(("n", "n_samples", "n_quantifiable", "lambda_z_n_points", "n_points", "n_blq"), 0.0)
_PARTIAL = re.compile(r"auc0_(\d+(?:\.\d+)?)_(last|inf_obs)")
_NOT_DONE = "NOT DONE"
_TIME_COLUMNS = ("ATIME", "Time", "time")
# Conventions of the reference, stated in its README: windows on the clock of the first infusion, the time for which an earlier
# sample is carried to a boundary, whether a dose opens and closes the window, and its last infusion on its own clock.
_WINDOWS: Mapping[str, tuple[float, float, tuple[float, float], tuple[bool, bool], float]] = {
    "dose1": (0.0, 1.0, (0.0, 0.05), (False, True), 0.0),
    "dose2": (1.0, math.inf, (0.05, 0.0), (True, False), 0.0),
    "cycle1": (0.0, 14.0, (0.0, 0.7), (False, True), 1.0),
    "cycle2": (14.0, math.inf, (0.7, 0.0), (True, False), 1.0),
    "cycle2_0_14": (14.0, 28.0, (0.7, 0.0), (True, False), 1.0),
}
# Moments that the reference leaves empty only because of a division of 0 by 0 at equal concentrations; they exist.
_FAULTY = ("lin-log", ("aumcinf_obs", "mrt_inf_obs"))


def samples_of(inputs: Inputs, dataset: str, subject: str) -> list[list[float | None]]:
    """Return the samples of one profile of an input file.

    Parameters
    ----------
    inputs : mapping
        Rows of each input file, by its name without ending.
    dataset, subject : str
        ``input_<dataset>``; participant.

    Returns
    -------
    list of [time, value, LLOQ]
        Without samples that were not taken; a value below the limit is None.

    Raises
    ------
    None
    """
    answer: list[list[float | None]] = []
    for row in inputs.get(f"input_{dataset}", ()):
        if row.get("USUBJID", row.get("Subject")) != subject or row.get("AVALC") == _NOT_DONE:
            continue
        time = next(row[name] for name in _TIME_COLUMNS if name in row)
        value = number(row["AVAL"]) if "AVAL" in row else number(row["conc"])
        answer.append([number(time), value, number(row.get("LLOQ", "0"))])
    return answer


def _profile(given: Given) -> Profiles:
    rows = given["samples"]
    if not rows:
        raise ValueError(f"no samples of {given['id']} in the input file beside this one")
    time, value, lloq = (np.array([row[i] for row in rows], dtype=np.float64) for i in range(3))
    return profiles(np.zeros(len(rows), dtype=np.int64), time, value=value, lloq=lloq)


def _rules(given: Given) -> NcaRules:
    rule = "zero" if given["blq_rule"] == "asis" else given["blq_rule"]
    return NcaRules(
        blq_rule=rule, auc_method=given["auc_method"], compete="all_windows", with_tmax="with_tmax" in given
    )


def _grouped(
    document: Sequence[Mapping[str, str]], keys: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], list[Mapping[str, str]]]]:
    groups: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for row in document:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    yield from groups.items()


def _split_nca(document: Any, inputs: Inputs, column: str = "value") -> Iterator[Case]:
    for key, rows in _grouped(document, ("dataset", "id", "blq_rule", "auc_method")):
        given = dict(zip(("dataset", "id", "blq_rule", "auc_method"), key, strict=True))
        wanted = {row["param"]: number(row[column]) for row in rows}
        names = list(wanted)
        if key[3] == _FAULTY[0]:
            wanted = {name: v for name, v in wanted.items() if v is not None or name not in _FAULTY[1]}
        samples = samples_of(inputs, key[0], key[1])
        yield Case(" ".join(key), {**given, "samples": samples, "wanted": names}, wanted)


def _split_quirks(document: Any, inputs: Inputs) -> Iterator[Case]:
    yield from _split_nca(document, inputs, column="independent")


def _nca(given: Given) -> Mapping[str, Any]:
    rules, samples = _rules(given), _profile(given)
    found = nca(samples, rules)
    falling = nca(samples, NcaRules(blq_rule=rules.blq_rule, auc_method=rules.auc_method))
    return {name: _parameter(falling if name.startswith("ALT_") else found, name) for name in given["wanted"]}


def _parameter(found: Nca, name: str) -> float | str | None:
    """Return a value; a missing one must have its reason."""
    partial = _PARTIAL.fullmatch(name)
    if partial:
        area, extended = found.partial(float(partial[1]))
        value = float((area.area if partial[2] == "last" else extended)[0])
        reason = "LZ_NOT_ESTIMABLE"
    else:
        value = float(found.values[_CODES[name]][0])
        reason = str(found.reasons[_CODES[name]][0])
    if math.isnan(value):
        return None if reason else "(missing without a reason)"
    return value


def _split_clean(document: Any, inputs: Inputs) -> Iterator[Case]:
    for (dataset, subject, rule), rows in _grouped(document, ("ds", "id", "rule")):
        samples = samples_of(inputs, dataset, subject)
        given = {"id": subject, "blq_rule": rule, "auc_method": "linear", "samples": samples}
        wanted = {name: [number(row[name]) for row in rows] for name in ("time", "conc")}
        yield Case(f"{dataset} {subject} {rule}", given, wanted)


def _clean(given: Given) -> Mapping[str, Any]:
    series = apply_blq_rule(_profile(given), _rules(given).blq_rule)
    valid = series.valid[0]
    return {"time": series.time[0][valid].tolist(), "conc": series.conc[0][valid].tolist()}


def _split_segments(document: Any, inputs: Inputs) -> Iterator[Case]:
    keys = ("dataset", "id", "blq_rule", "auc_method", "segment")
    for key, rows in _grouped(document, keys):
        given = {**dict(zip(keys, key, strict=True)), "samples": samples_of(inputs, key[0], key[1])}
        yield Case(" ".join(key), given, {row["param"]: number(row["value"]) for row in rows})


def _segments(given: Given) -> Mapping[str, Any]:
    if given["segment"] not in _WINDOWS:
        return _bolus(given)
    start, end, shifts, dosed, last_dose = _WINDOWS[given["segment"]]
    part = window(_profile(given), start, end, max_shift=shifts, dosed=dosed)
    series = apply_blq_rule(part.samples, _rules(given).blq_rule)
    found = analyse(series, _rules(given), later=dosed[0], after=last_dose)
    answer = {
        name: _parameter(found, name) for name in _CODES if name != "ALT_lambda_z_positive_windows_only"
    }
    known = part.opening[0] != "MISSING" and series.time[0, 0] == 0
    answer["cstart"] = float(series.conc[0, 0]) if known else None
    if part.opening[0] == "MISSING":
        answer |= {"auc_seg_last": None, "auc_seg_inf_obs": None}
    return answer


def _bolus(given: Given) -> Mapping[str, Any]:
    rules = _rules({**given, "with_tmax": True})
    observed = apply_blq_rule(_profile(given), rules.blq_rule)
    series = with_back_extrapolation(observed, "logslope")
    found = analyse(observed, rules)
    names = ("lambda_z", "half_life", "adj_r_squared", "n_points")
    answer = {name: _parameter(found, name) for name in names}
    area, window_area = _area(series, rules.auc_method), _area(observed, rules.auc_method)
    infinite = area + float(found.values["CLST"][0] / found.values["LAMZ"][0])
    answer |= {"c0": float(series.conc[0, 0]), "auc_iv_last": area, "auc_obs_window": window_area}
    answer |= {"auc_iv_inf_obs": infinite, "pct_back_ext": 100.0 * (area - window_area) / infinite}
    return answer


def _area(series: Series, method: str) -> float:
    found = points(series)
    return float(area_to(segments(series, method, tmax=found.tmax), found.tlast)[0])


def _split_tobit(document: Any, inputs: Inputs) -> Iterator[Case]:
    for (subject,), rows in _grouped(document, ("id",)):
        wanted = {row["param"]: number(row["value"]) for row in rows}
        yield Case(subject, {"id": subject, "samples": samples_of(inputs, "cart", subject)}, wanted)


def _tobit(given: Given) -> Mapping[str, Any]:
    fit = tobit(_profile(given))
    names = {
        "tobit_lambda_z": fit.lambda_z,
        "tobit_se": fit.se,
        "tobit_intercept": fit.intercept,
        "tobit_scale": fit.sigma,
        "tobit_loglik": fit.loglik,
        "tobit_half_life": fit.half_life,
        "n_points": fit.n_points,
        "n_blq": fit.n_blq,
    }
    return {name: None if np.isnan(value[0]) else float(value[0]) for name, value in names.items()}


_INPUTS = "input_*.csv"
KINETICS = (
    Pack(AREA, "ref_nca.csv", 1e-8, _split_nca, _nca, tolerances=_COUNTS, inputs=_INPUTS),
    Pack(AREA, "quirks_pknca.csv", 1e-8, _split_quirks, _nca, tolerances=_COUNTS, inputs=_INPUTS),
    Pack(AREA, "clean_series.csv", 0.0, _split_clean, _clean, inputs=_INPUTS),
    Pack(AREA, "ref_segments.csv", 1e-8, _split_segments, _segments, tolerances=_COUNTS, inputs=_INPUTS),
    Pack(
        AREA,
        "ref_tobit_full_window.csv",
        1e-6,
        _split_tobit,
        _tobit,
        tolerances={"tobit_se": 1e-5, "n_points": 0.0, "n_blq": 0.0},
        inputs=_INPUTS,
    ),
    *KINETICS_MODELS,
)
