"""Reference packs of dose escalation: characteristics, boundaries, tables, posteriors, selections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from interim.design import (
    Blrm,
    Boin,
    Cap,
    Characteristics,
    Crm,
    Elimination,
    I3Plus3,
    Keyboard,
    MtdRule,
    Mtpi,
    Mtpi2,
    Prior,
    ThreePlusThree,
    TitratedThreePlusThree,
    Titration,
    compile_design,
)
from interim.design.interval import TargetInterval, boundaries
from interim.report.packs.base import Case, Given, Pack, plain
from interim.study.dosing import MTD_RULES

_EXACT = ("sel", "EN", "EY", "total_n", "total_dlt", "n_dist", "p_cap")
_CAP = "_cap"
_COHORTS = re.compile(r"(\d+) cohorts of (\d+)")
_COUNT, _SIZE = 10, 3
_INTERVALS: Mapping[str, type[TargetInterval]] = {
    "mtpi2": Mtpi2,
    "keyboard": Keyboard,
    "mtpi": Mtpi,
    "i3plus3": I3Plus3,
}


def _ladder(values: Sequence[Any]) -> tuple[float, ...]:
    return tuple(float(place) for place in range(1, len(values) + 1))


def _characteristics(found: Characteristics, names: Sequence[str], sizes: Sequence[str]) -> dict[str, Any]:
    """Return the fields that a file knows, the distribution at the sizes that it names."""
    known = {
        "sel": found.sel,
        "EN": found.EN,
        "EY": found.EY,
        "total_n": found.total_n,
        "total_dlt": found.total_dlt,
        "p_cap": found.p_cap,
        "n_dist": {size: found.n_dist.get(int(size), 0.0) for size in sizes},
    }
    return {name: known[name] for name in names}


def _exact_part(block: Mapping[str, Any]) -> dict[str, Any]:
    return {name: block[name] for name in _EXACT if name in block}


def _split_rules(document: Any) -> Iterator[Case]:
    for name, scenario in document["scenarios"].items():
        for variant, block in scenario.items():
            if not isinstance(block, Mapping):
                continue
            expected = _exact_part(block)
            given = {
                "variant": variant,
                "p_dlt": scenario["p_dlt"],
                "p_trigger_only": scenario.get("p_g2_trigger"),
                "names": list(expected),
                "sizes": list(expected.get("n_dist", ())),
            }
            yield Case(f"{name} {variant}", given, expected)


def rule_named(variant: str, levels: tuple[float, ...], *, direct: bool = False) -> TitratedThreePlusThree:
    """Build the rule that a name like ``esc_only``, ``literal`` or ``all_levels_cap18`` stands for.

    Parameters
    ----------
    variant : str
        A name of an MTD rule (plain 3+3), or a scope of titration; with ``_cap`` and a number for a cap.
    levels : tuple of float
        Planned doses.
    direct : bool
        True fills a level after de-escalation straight to 6.

    Returns
    -------
    TitratedThreePlusThree
        The rule.

    Raises
    ------
    KeyError
        If the name is unknown.
    """
    scope, _, size = variant.partition(_CAP)
    cap = Cap(int(size) if size else None)
    if scope in MTD_RULES:
        return ThreePlusThree(levels, mtd=MtdRule(scope), cap=cap)
    last = {"literal": 1, "all_levels": len(levels)}[scope]
    mtd = MtdRule(down_fill="direct_six" if direct else "three_then_six")
    return TitratedThreePlusThree(levels, titration=Titration(last), mtd=mtd, cap=cap)


def _rule(given: Given) -> Mapping[str, Any]:
    design = rule_named(given["variant"], _ladder(given["p_dlt"]))
    found = compile_design(design).evaluate(given["p_dlt"], given["p_trigger_only"])
    return _characteristics(found, given["names"], given["sizes"])


def _split_boundaries(document: Any) -> Iterator[Case]:
    for name, table in document["tables"].items():
        given = {key: table[key] for key in ("target", "n", "offset", "cohortsize", "margin") if key in table}
        yield Case(
            name, given, {key: value for key, value in table.items() if key not in (*given, "ncohort")}
        )


def _boin_boundaries(given: Given) -> Mapping[str, Any]:
    sizes, target = given["n"], given["target"]
    if "offset" in given:
        safety = Elimination()
        stops = [_first_toxic(safety, n, target, given["offset"]) for n in sizes]
        return {"stop_ge": stops}
    design = Boin((1.0,), target)
    found = _at(boundaries(design, range(1, max(sizes) + 1)), sizes)
    return {"lambda_e": design.lambda_e, "lambda_d": design.lambda_d, **found}


def _first_toxic(safety: Elimination, n: int, target: float, offset: float) -> int | None:
    toxic = safety.toxic(np.full(n + 1, n), np.arange(n + 1), target=target, offset=offset)
    return int(toxic.argmax()) if toxic.any() else None


def _at(found: Mapping[str, list[int | None]], sizes: Sequence[int]) -> dict[str, list[int | None]]:
    return {name: [values[n - 1] for n in sizes] for name, values in found.items()}


def _keyboard_boundaries(given: Given) -> Mapping[str, Any]:
    width = given["margin"]
    design = Keyboard((1.0,), given["target"], margin=(width, width), safety=Elimination(min_n=1))
    return _at(boundaries(design, range(1, max(given["n"]) + 1)), given["n"])


def _split_select(document: Any) -> Iterator[Case]:
    for place, item in enumerate(document["data"], 1):
        given = {key: item[key] for key in ("target", "n", "y", "boundMTD")}
        yield Case(str(place), given, {"mtd": item["mtd"], "phat_2dp": item["phat_2dp"]})


_NO_DOSE, _UNTESTED = 99, "----"


def _select(given: Given) -> Mapping[str, Any]:
    design = Boin(_ladder(given["n"]), given["target"], bound_mtd=bool(given["boundMTD"]))
    n, y = np.array([given["n"]]), np.array([given["y"]])
    fit = design.estimates(n, y)[0]
    return {
        "mtd": int(design.choose(n, y)[0]) or _NO_DOSE,
        "phat_2dp": [_UNTESTED if np.isnan(value) else f"{value:.2f}" for value in fit],
    }


def _split_boin(document: Any) -> Iterator[Case]:
    expected = _exact_part(document["exact"])
    given = {"target": document["target"], "p": document["p.true"], "names": list(expected)}
    yield Case("exact", given | _cohorts(document["exact"].get("_how", ""), document), expected)


def _cohorts(text: str, document: Mapping[str, Any]) -> dict[str, int]:
    """Return size and total of the cohorts, from fields of the file or from its description."""
    found = _COHORTS.search(text) or _COHORTS.search(document.get("_how", ""))
    count, size = (int(found[1]), int(found[2])) if found else (_COUNT, _SIZE)
    size = int(document.get("cohortsize", size))
    return {"n_max": size * int(document.get("ncohort", count)), "cohort_size": size}


def _boin(given: Given) -> Mapping[str, Any]:
    found = compile_design(
        Boin(_ladder(given["p"]), given["target"], n_max=given["n_max"], cohort_size=given["cohort_size"])
    ).evaluate(given["p"])
    return _characteristics(found, given["names"], ())


def _split_tables(document: Any) -> Iterator[Case]:
    for name, designs in document["tables"].items():
        for design, rows in designs.items():
            yield Case(f"{name} {design}", {"table": name, "design": design, "sizes": list(rows)}, rows)


def _table(given: Given) -> Mapping[str, Any]:
    """Compute a decision table; its name holds target and margins: ``pT0.3_e10.05_e20.05``."""
    target, below, above = given["table"].split("_")
    margin = (float(below.removeprefix("e1")), float(above.removeprefix("e2")))
    design = _INTERVALS[given["design"]]((1.0,), float(target.removeprefix("pT")), margin=margin)
    table = design.table(max(map(int, given["sizes"])))
    return {size: list(table[int(size) - 1]) for size in given["sizes"]}


def _split_crm(document: Any) -> Iterator[Case]:
    names = ("prior", "target", "level", "tox", "model", "scale", "intcpt", "conf.level")
    wanted = (
        "estimate", "ptox", "ptoxL", "ptoxU", "mtd", "exact_mean", "exact_var", "exact_posterior_mean_ptox",
    )  # fmt: skip
    for place, item in enumerate(document["data"], 1):
        yield Case(str(place), {key: item[key] for key in names}, {key: item[key] for key in wanted})


def _crm(given: Given) -> Mapping[str, Any]:
    design = Crm(
        tuple(given["prior"]),
        given["target"],
        model=given["model"],
        prior_sd=given["scale"],
        intercept=given["intcpt"],
    )
    level, tox = np.atleast_1d(given["level"]), np.atleast_1d(given["tox"])
    size = len(given["prior"])
    n = np.bincount(level - 1, minlength=size)
    y = np.bincount(level - 1, weights=tox, minlength=size).astype(int)
    found = design.posterior_of(n, y, level=given["conf.level"])
    values = {
        "estimate": found.parameter_mean,
        "ptox": found.plug_in,
        "ptoxL": found.lower,
        "ptoxU": found.upper,
        "mtd": int(design.choose(n[None], y[None])[0]),
        "exact_mean": found.parameter_mean,
        "exact_var": found.parameter_var,
        "exact_posterior_mean_ptox": found.mean,
    }
    answer: Mapping[str, Any] = plain(values)
    return answer


def _split_crm_oc(document: Any) -> Iterator[Case]:
    given = {"target": document["target"], "prior": document["prior"], "p": document["p"]}
    cohorts = _cohorts("", document)
    yield Case("exact", given | cohorts, {key: document[key] for key in ("sel", "EN", "sum")})


def _crm_oc(given: Given) -> Mapping[str, Any]:
    design = Crm(
        tuple(given["prior"]), given["target"], n_max=given["n_max"], cohort_size=given["cohort_size"]
    )
    found = compile_design(design).evaluate(given["p"])
    return {"sel": list(found.sel[1:]), "EN": list(found.EN), "sum": sum(found.sel[1:])}


def _split_blrm(document: Any) -> Iterator[Case]:
    names = ("doses", "dref", "n", "y", "prior_mean", "prior_cov", "interval_cuts")
    wanted = ("E_logalpha", "E_logbeta", "V_logalpha", "V_logbeta", "per_dose")
    for name, case in document["cases"].items():
        yield Case(name, {key: case[key] for key in names}, {key: case[key] for key in wanted})


def _blrm_design(given: Given, cuts: str) -> Blrm:
    (va, ab), (ba, vb) = given["prior_cov"]
    prior = Prior(tuple(given["prior_mean"]), ((va, ab), (ba, vb)))
    return Blrm(tuple(given["doses"]), given["dref"], prior=prior, cuts=tuple(given[cuts]))


def _blrm(given: Given) -> Mapping[str, Any]:
    found = _blrm_design(given, "interval_cuts").posterior_of(given["n"], given["y"])
    rows = [
        {"mean": mean, "probs": probs, "ewoc_overdose": probs[2:].sum()}
        for mean, probs in zip(found.mean, found.interval_probs, strict=True)
    ]
    values = {
        "E_logalpha": found.parameter_mean[0],
        "E_logbeta": found.parameter_mean[1],
        "V_logalpha": found.parameter_var[0],
        "V_logbeta": found.parameter_var[1],
        "per_dose": rows,
    }
    answer: Mapping[str, Any] = plain(values)
    return answer


def _split_anchors(document: Any) -> Iterator[Case]:
    block = document["nbg2008"]
    names = ("doses", "dref", "n", "y", "prior_mean", "prior_cov", "exact_interval_cuts")
    wanted = ("exact_means", "exact_probs", "bcrm_jags_means")
    yield Case("nbg2008", {key: block[key] for key in names}, {key: block[key] for key in wanted})
    for place, item in enumerate(document["aplusb_3plus3"], 1):
        given = {"p": item["p"], "variant": item["variant"]}
        if item["variant"] not in MTD_RULES:
            continue
        yield Case(f"aplusb {place}", given, {key: item[key] for key in ("exact", "published_2dp")})


def _anchors(given: Given) -> Mapping[str, Any]:
    if "variant" in given:
        design = rule_named(given["variant"], _ladder(given["p"]))
        sel = list(compile_design(design).evaluate(given["p"]).sel)
        return {"exact": sel, "published_2dp": sel}
    found = _blrm_design(given, "exact_interval_cuts").posterior_of(given["n"], given["y"])
    answer: Mapping[str, Any] = plain(
        {"exact_means": found.mean, "exact_probs": found.interval_probs, "bcrm_jags_means": found.mean}
    )
    return answer


def _pack(file: str, tolerance: float, split: Any, compute: Any, **tolerances: float) -> Pack:
    return Pack("dose", file, tolerance, split, compute, tolerances=tolerances, absolute=True)


DOSE = (
    _pack("oc_3plus3_exact.json", 1e-10, _split_rules, _rule),
    _pack("oc_titration_3plus3_exact.json", 1e-10, _split_rules, _rule),
    _pack("boin_boundaries.json", 0.0, _split_boundaries, _boin_boundaries, lambda_e=1e-12, lambda_d=1e-12),
    _pack("boin_select_mtd.json", 0.0, _split_select, _select),
    *(_pack(f"boin_oc_scenario{i}.json", 1e-10, _split_boin, _boin) for i in (1, 2, 3)),
    _pack("interval_decision_tables.json", 0.0, _split_tables, _table),
    _pack("keyboard_boundaries_peer.json", 0.0, _split_boundaries, _keyboard_boundaries),
    _pack(
        "crm_posteriors.json",
        1e-8,
        _split_crm,
        _crm,
        mtd=0.0,
        estimate=2e-8,
        exact_posterior_mean_ptox=1e-9,
        ptoxL=1e-6,
        ptoxU=1e-6,
    ),
    *(_pack(f"crm_oc_c{i}.json", 1e-10, _split_crm_oc, _crm_oc) for i in (1, 2)),
    _pack("blrm_intervals.json", 1e-10, _split_blrm, _blrm),
    _pack(
        "published_anchors.json",
        1e-10,
        _split_anchors,
        _anchors,
        bcrm_jags_means=0.005,
        published_2dp=0.01,
    ),
)
